/* test_node_log.c: what RabbitMQ's nodes log, as events. The lines are RabbitMQ 3.10.8's own, from a lab in
 * which node1 was stopped while mirrior_hello held 100,001 messages. */
#include "tests/screen/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lab/node_log.h"
#include "lab/notice.h"
#include "tests/temporary.h"

#define AT "2026-11-23 05:07:33.2"
#define Q  AT "39984+00:00 [info] <0.2132.0> Mirrored queue 'mirrior_hello' in vhost '/': "

static const struct {
    const char *line, *kind, *text;
} lines[] = {
    {Q "Secondary replica of queue <node2@localhost.1795410379.2132.0> detected replica  "
       "<node1@localhost.1795410379.1662.0> to be down",
     NULL, NULL},
    {Q "Promoting mirror <node2@localhost.1795410379.2132.0> to leader", "promote",
     "mirrior_hello: node2 promoted"},
    {Q "Adding mirror on node node3@localhost: <13090.1704.0>", "mirror",
     "mirror of mirrior_hello on node3 added"},
    {Q "Synchronising: 100001 messages to synchronise", NULL, NULL},
    {Q "Synchronising: batch size: 4096", NULL, NULL},
    {Q "Synchronising: mirrors [node3@localhost] to sync", "sync",
     "mirrior_hello: copying 100001 messages to node3"},
    {Q "Synchronising: complete", "sync", "mirrior_hello: copied 100001 messages"},
    {AT "39984+00:00 [warning] <0.1704.0> Mirrored queue 'mirrior_hello' in vhost '/': Stopping all nodes on "
        "master shutdown since no synchronised mirror (replica) is available",
     "queue", "mirrior_hello: no mirror in sync, so it stops with its master on node2"},
    {AT "39984+00:00 [info] <0.568.0> rabbit on node node1@localhost down", "node", "node1 is down"},
    {AT "39984+00:00 [info] <0.568.0> rabbit on node node1@localhost up", "node", "node1 is up"},
    {AT "39984+00:00 [info] <0.794.0> Successfully stopped RabbitMQ and its dependencies", "node",
     "node2 was stopped"},
    {AT "39984+00:00 [info] <0.671.0> Server startup complete; 3 plugins started.", "node", "node2 is up"},
    /* nothing of ours */
    {AT "39984+00:00 [info] <0.864.0> Running boot step rabbit_mirror_queue_misc defined by app rabbit", NULL,
     NULL},
    {"", NULL, NULL},
    {"  ##  ##      RabbitMQ 3.10.8", NULL, NULL},
    {AT "39984+00:00 [info] <0.1.0> Mirrored queue 'a", NULL, NULL},
    {AT "39984+00:00 [info] <0.1.0> Mirrored queue '' in vhost '/': Promoting mirror <x> to leader", NULL,
     NULL},
};

static void lines_of_rabbitmq(void **state)
{
    struct log_sync sync = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        json_t *e = node_log_event("node2", lines[i].line, &sync);
        if (!lines[i].kind) {
            assert_null(e);
            continue;
        }
        if (!e)
            fail_msg("no event of: %s", lines[i].line);
        assert_string_equal(json_string_value(json_object_get(e, "kind")), lines[i].kind);
        assert_string_equal(json_string_value(json_object_get(e, "text")), lines[i].text);
        assert_int_equal(json_integer_value(json_object_get(e, "time")), 1795410453239);
        json_decref(e);
    }
}

/* the zone that the node's clock is in is part of the line */
static void times_have_a_zone(void **state)
{
    struct log_sync sync = {0};
    (void)state;
    json_t *e = node_log_event(
        "node1", "2026-11-23 13:07:33.239984+08:00 [info] <0.568.0> rabbit on node node2@localhost up",
        &sync);
    assert_int_equal(json_integer_value(json_object_get(e, "time")), 1795410453239);
    json_decref(e);
}

struct scene {
    struct labdir lab;
    char file[PATH_MAX], folder[PATH_MAX];
    struct node_log *log;
};

static int begin(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    labdir_defaults(&s->lab, ENGINE_RABBITMQ, 3);
    assert_true(temporary_folder_in(s->lab.path, sizeof(s->lab.path), "log"));
    snprintf(s->folder, sizeof(s->folder), "%.4000s/node2", s->lab.path);
    snprintf(s->file, sizeof(s->file), "%.4000s/node2/log.txt", s->lab.path);
    assert_int_equal(mkdir(s->folder, 0700), 0);
    s->log = node_log_open(&s->lab, 1);
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    node_log_close(s->log);
    unlink(s->file);
    rmdir(s->folder);
    rmdir(s->lab.path);
    free(s);
    return 0;
}

static void append(struct scene *s, const char *text)
{
    FILE *f = fopen(s->file, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static size_t events_read(struct scene *s)
{
    json_t *feed = node_log_read(s->log);
    size_t len = json_array_size(json_object_get(feed, "events"));
    json_decref(feed);
    return len;
}

static void a_log_that_grows(void **state)
{
    struct scene *s = *state;
    assert_int_equal(events_read(s), 0); /* no file yet */
    append(s, Q "Promoting mirror <node2@localhost.1.2.0> to leader\n" Q "Synchronising: comp");
    assert_int_equal(events_read(s), 1);
    assert_int_equal(events_read(s), 0);
    append(s, "lete\n"); /* the other half of the line */
    assert_int_equal(events_read(s), 1);
    unlink(s->file); /* begun anew */
    append(s, AT "39984+00:00 [info] <0.1.0> rabbit on node node1@localhost up\n");
    assert_int_equal(events_read(s), 1);
}

static void a_line_without_end(void **state)
{
    struct scene *s = *state;
    for (int i = 0; i < 3000; i++)
        append(s, "a very long line of no meaning at all ");
    for (int i = 0; i < 4; i++)
        assert_int_equal(events_read(s), 0);
    append(s, "\n" Q "Promoting mirror <node2@localhost.1.2.0> to leader\n");
    assert_int_equal(events_read(s), 1);
}

static void other_engines_have_none(void **state)
{
    struct scene *s = *state;
    struct labdir lab = s->lab;
    lab.external = true;
    assert_null(node_log_open(&lab, 0));
    lab = s->lab;
    lab.engine = ENGINE_KIT;
    assert_null(node_log_open(&lab, 0));
    assert_null(node_log_read(NULL));
}

/* two nodes tell of one death: one line of it */
static void one_line_of_a_death(void **state)
{
    struct scene *s = *state;
    struct node_answer answers[3] = {0};
    for (size_t i = 1; i < 3; i++) {
        struct log_sync sync = {0};
        json_t *e = node_log_event(
            s->lab.nodes[i].name, AT "39984+00:00 [info] <0.1.0> rabbit on node node1@localhost down", &sync);
        answers[i].log = json_pack("{s:[o]}", "events", e);
    }
    struct snapshot *seen =
        merge_answers(&s->lab, answers, NULL, (struct merge_time){.now = 1, .wall_ms = 1795410453500});
    assert_int_equal(seen->events_len, 1);
    assert_string_equal(seen->events[0].text, "node1 is down");
    snapshot_destroy(seen);
    json_decref(answers[1].log);
    json_decref(answers[2].log);
}

/* What node2 answers of mirrior_hello, of which it is the master and node3 a mirror; and its log's lines. */
static struct snapshot *look(struct scene *s, const struct snapshot *before, ms_time now, const char *state,
                             bool level, bool logged)
{
    struct node_answer answers[3] = {0};
    struct log_sync sync = {0};
    json_t *log = json_array();
    for (size_t i = 0; logged && i < ARRAY_LEN(lines); i++) {
        json_t *e = lines[i].kind && strcmp(lines[i].kind, "sync") == 0
                        ? node_log_event("node2", lines[i].line, &sync)
                        : NULL;
        if (e)
            json_array_append_new(log, e);
        else if (strstr(lines[i].line, "to synchronise"))
            assert_null(node_log_event("node2", lines[i].line, &sync));
    }
    json_t *synced = level ? json_pack("[s]", "node3@localhost") : json_array();
    answers[1] = (struct node_answer){
        .answered = true,
        .at = now,
        .nodes = json_pack("[{s:s, s:b}]", "name", "node2@localhost", "running", 1),
        .queues = json_pack("[{s:s, s:s, s:s, s:i, s:i, s:[s], s:o}]", "name", "mirrior_hello", "node",
                            "node2@localhost", "state", state, "messages", 100001, "sync_messages", 0,
                            "slave_nodes", "node3@localhost", "synchronised_slave_nodes", synced),
        .policies = json_array(),
        .log = json_pack("{s:o}", "events", log)};
    struct merge_time time = {.now = now, .wall_ms = 1795410453239 + (int64_t)now};
    struct snapshot *seen = merge_answers(&s->lab, answers, before, time);
    json_decref(answers[1].nodes);
    json_decref(answers[1].queues);
    json_decref(answers[1].policies);
    json_decref(answers[1].log);
    return seen;
}

static size_t told(const struct snapshot *s, const char *part)
{
    size_t count = 0;
    for (size_t i = 0; i < s->events_len; i++)
        count += strstr(s->events[i].text, part) != NULL;
    return count;
}

/* RabbitMQ calls a queue syncing for a while after the last mirror is in sync: it is not. */
static void a_sync_that_is_over(void **state)
{
    struct scene *s = *state;
    struct snapshot *before = look(s, NULL, 1, "syncing", false, false);
    assert_int_equal(before->queues[0].state, QUEUE_SEEN_SYNCING);
    assert_int_equal(before->queues[0].sync_messages, 0);
    struct snapshot *seen = look(s, before, 400, "syncing", true, false);
    assert_int_equal(seen->queues[0].state, QUEUE_SEEN_RUNNING);
    assert_int_equal(seen->queues[0].sync_messages, -1);
    snapshot_destroy(before);
    snapshot_destroy(seen);
}

/* The log tells of a sync, with its time, and the API some time later that the queue syncs: that would stand
 * behind its end. Where no log is read it is all that tells of it. */
static void a_sync_is_told_once(void **state)
{
    struct scene *s = *state;
    for (int logged = 0; logged < 2; logged++) {
        struct snapshot *before = look(s, NULL, 1, "running", false, false);
        struct snapshot *syncs = look(s, before, 400, "syncing", false, logged);
        struct snapshot *over = look(s, syncs, 800, "running", true, false);
        assert_int_equal(told(over, "mirrior_hello: copied 100001 messages"), logged);
        assert_int_equal(told(over, "mirrior_hello is syncing"), !logged);
        assert_int_equal(told(over, "mirrior_hello is running"), !logged);
        assert_int_equal(told(over, "mirrior_hello on node3 in sync"), 1);
        snapshot_destroy(before);
        snapshot_destroy(syncs);
        snapshot_destroy(over);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_rabbitmq),
        cmocka_unit_test(times_have_a_zone),
        cmocka_unit_test_setup_teardown(a_log_that_grows, begin, end),
        cmocka_unit_test_setup_teardown(a_line_without_end, begin, end),
        cmocka_unit_test_setup_teardown(other_engines_have_none, begin, end),
        cmocka_unit_test_setup_teardown(one_line_of_a_death, begin, end),
        cmocka_unit_test_setup_teardown(a_sync_that_is_over, begin, end),
        cmocka_unit_test_setup_teardown(a_sync_is_told_once, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
