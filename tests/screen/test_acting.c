/* test_acting.c: what runs: several things at once, long outputs, how far long work is, cutting and healing,
 * copying what ran. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"

/* x cuts a node off and heals what is cut. Where all links are back, healing would change nothing however
 * often: it says what mends the two views, by how the lab handles partitions. */
static void what_mends_a_partition(void **state)
{
    struct model m;
    struct labdir lab = {.nodes_len = 3};
    (void)state;
    model_init(&m, NULL, &lab, false, false);
    see(&m, "rest");
    assert_keys_run(&m, "x", "labctl -n node1 cut node1");
    see(&m, "cut"); /* node1 | node2 node3 */
    assert_keys_run(&m, "x", "labctl -n node1 heal node1");
    m.node = 1; /* it misses node1, too; its own links are not all that are cut */
    assert_frame_contains(&m, "x heals");
    assert_frame_contains(&m, "x:Heal");
    assert_keys_run(&m, "x", "labctl -n node2 heal");
    m.node = 0;
    see(&m, "apart");
    m.cut = 1; /* cut from here, and healed from elsewhere */
    assert_keys_say(&m, "x", "Two views: stop and start node1 (s, a); what it holds is discarded");
    m.node = 1; /* of the other side */
    assert_keys_say(&m, "x", "Two views: select node1, then s, a; what it holds is discarded");
    snprintf(lab.partition_handling, sizeof(lab.partition_handling), "autoheal");
    assert_keys_say(&m, "x", "autoheal restarts the side with fewer clients");
    model_finish(&m);
}

static struct command *started(struct model *m, const char *keys)
{
    struct command *run;
    assert_int_equal(types(m, keys, &run), EFFECT_RUN);
    model_ran(m, run);
    return run;
}

/* It is said, and does not hide how what ran meanwhile has ended. */
static void what_is_cancelled(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *stop = started(&m, "s");
    assert_keys_say(&m, "Kn", "cancelled: nothing was done");
    assert_frame_contains(&m, "cancelled: nothing was done");
    assert_int_equal(types(&m, "K", &run), EFFECT_DRAW);
    assert_null(model_message(&m)); /* the next key is another matter */
    assert_keys_say(&m, "n", "cancelled: nothing was done");
    model_output(&m, stop, "stopped\n", strlen("stopped\n"));
    model_ended(&m, stop, 0);
    assert_frame_lacks(&m, "cancelled");
    assert_frame_contains(&m, "| stopped");
    model_finish(&m);
}

static void several_things_run_at_once(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    struct command *step = started(&m, "n");
    assert_keys_say(&m, "r", "still running"); /* one step after the other */
    struct command *stop = started(&m, "s");
    assert_ptr_equal(m.command, stop);
    model_output(&m, step, "part", 4);
    assert_null(stop->last_line); /* to each its own */
    assert_keys_say(&m, "B", "still running");
    model_ended(&m, step, 3);
    assert_contains(model_message(&m), "ended with exit code 3: ");
    assert_contains(model_message(&m), "part");
    assert_int_equal(m.others.len, 0);
    assert_true(stop->running);
    assert_keys_say(&m, "q", "still running");
    model_ended(&m, stop, 0);
    assert_int_equal(types(&m, "q", &run), EFFECT_QUIT);
    for (int i = 0; i < 9; i++)
        started(&m, "s");
    assert_keys_say(&m, "s", "still running"); /* there is an end to it */
    model_finish(&m);
    sketch_destroy(l);
}

/* Nothing of what a recording shows running runs now: there is nothing to wait for. Behind a paused screen it
 * may. */
static void a_replay_is_left_at_once(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    started(&m, "s");
    m.replay = m.time.paused = true;
    assert_keys_say(&m, "q", "still running");
    m.quit_asked = m.time.paused = false;
    assert_int_equal(types(&m, "q", &run), EFFECT_QUIT);
    model_finish(&m);
}

/* RabbitMQ takes 5 s for it, and the others call the node down long before: until it has ended it cannot be
 * started. */
static void no_start_while_it_stops(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = started(&m, "s");
    assert_string_equal(c->argv[3], "stop_app");
    struct snapshot *s = snapshot_clone(m.snapshot);
    s->nodes[m.node].state = NODE_NOT_RUNNING;
    s->nodes[m.node].answers = false;
    model_observe(&m, s);
    assert_frame_lacks(&m, "a:Start");
    assert_int_equal(types(&m, "a", &run), EFFECT_DRAW);
    assert_frame_contains(&m, "node1 is still being stopped: a starts it when that has ended");
    model_ended(&m, c, 0);
    assert_frame_contains(&m, "a:Start");
    assert_int_equal(types(&m, "a", &run), EFFECT_RUN);
    assert_string_equal(run->argv[3], "start_app");
    command_destroy(run);
    snapshot_destroy(s);
    model_finish(&m);
}

static void a_long_output_opens(void **state)
{
    struct model m;
    struct command *run;
    struct text out = {0};
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = started(&m, ":list_queues\n");
    for (int i = 1; i <= 100; i++)
        text_printf(&out, "queue-%d\t%d\n", i, i);
    model_output(&m, c, out.s, out.len);
    assert_int_equal(m.overlay, OVERLAY_NONE);    /* it is not at its end */
    assert_frame_contains(&m, "| queue-100 100"); /* no tab as ?, which is "nobody can say" */
    model_ended(&m, c, 0);
    assert_int_equal(m.overlay, OVERLAY_PAGER);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "$ labctl -n node1 list_queues");
    assert_contains(frame, "queue-1    1 "); /* where the figures of queue-100 stand */
    assert_contains(frame, "1-20 of 100 lines");
    free(frame);
    types(&m, "G", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "queue-100  100 ");
    assert_contains(frame, "81-100 of 100 lines");
    free(frame);
    types(&m, "k", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "80-99 of 100");
    free(frame);
    types(&m, "q", &run); /* closes it, no more */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    types(&m, "o", &run); /* and again */
    assert_int_equal(m.overlay, OVERLAY_PAGER);
    model_key(&m, ':', &run); /* a verb over a page: its letters are no keys */
    assert_int_equal(m.overlay, OVERLAY_COMMAND);
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, '?', &run);
    assert_int_equal(m.overlay, OVERLAY_HELP);
    model_key(&m, ':', &run);
    assert_int_equal(m.overlay, OVERLAY_COMMAND);
    model_key(&m, KEY_ESCAPE, &run);
    types(&m, "\x1b", &run);
    c = started(&m, ":ping\n");
    model_output(&m, c, "Ping succeeded\n", 15);
    model_ended(&m, c, 0);
    assert_int_equal(m.overlay, OVERLAY_NONE); /* a line has its place above the keys */
    text_finish(&out);
    model_finish(&m);
}

/* what a snapshot of one queue says, `after` milliseconds later */
static void queue_says(struct model *m, struct snapshot *s, ms_time after, int64_t messages, int64_t synced)
{
    struct queue_seen *q = &s->queues[0];
    s->taken_at += after;
    q->messages = q->ready = messages;
    q->state = synced >= 0 ? QUEUE_SEEN_SYNCING : QUEUE_SEEN_RUNNING;
    q->sync_messages = synced;
    model_observe(m, s);
    m->now = s->taken_at;
}

/* Seeding and a sync: how far, how fast, how long still; by what nodes say. */
static void long_work_says_how_far_it_is(void **state)
{
    static const char *const words[] = {"/x/producer", "--queue", "hello", "--count", "1000000", NULL};
    static const char *const sync[] = {"labctl", "-n", "node1", "sync_queue", "hello", NULL};
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    queue_says(&m, s, 0, 5000, -1);
    struct command *c = command_of(words, COMMAND_OF_KEY);
    model_ran(&m, c);
    queue_says(&m, s, 500, 55000, -1);
    assert_frame_contains(&m, "hello: 50000 of 1000000 (5%)");
    queue_says(&m, s, 1000, 155000, -1);
    assert_frame_contains(&m, "hello: 150000 of 1000000 (15%), 100000/s, 9 s left");
    for (int i = 0; i < 20; i++)
        queue_says(&m, s, 1000, 155000, -1);
    assert_frame_contains(&m, "it stands still");
    s->source = -1; /* nobody answers: nothing is known */
    queue_says(&m, s, 1000, -1, -1);
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "of 1000000");
    free(frame);
    s->source = 0;
    model_ended(&m, c, 0);
    model_ran(&m, command_of(sync, COMMAND_OF_KEY));
    queue_says(&m, s, 1000, 1000000, 200000);
    queue_says(&m, s, 1000, 1000000, 600000);
    assert_frame_contains(&m, "hello: 600000 of 1000000 (60%), 400000/s, 2 s left");
    queue_says(&m, s, 1000, 1000000, -1);
    frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "of 1000000");
    free(frame);
    model_ended(&m, m.command, 0);
    queue_says(&m, s, 1000, 1000000, 100); /* a sync that nobody here began */
    queue_says(&m, s, 1000, 1000000, 10100);
    assert_frame_contains(&m, "hello: 10100 of 1000000 (1%), 10000/s");
    snapshot_destroy(s);
    model_finish(&m);
}

/* what nodes noted of hello since the look before, `after` milliseconds later */
static void nodes_note(struct model *m, struct snapshot *s, ms_time after, enum trace_seen_kind kind,
                       uint64_t first, uint64_t last)
{
    struct trace_seen note = {
        .kind = kind, .queue = (char *)"hello", .first = first, .last = last, .about = -1, .origin = -1};
    struct trace_seen *own = s->trace;
    s->traces = 7;
    s->trace = &note;
    s->trace_len = first <= last;
    queue_says(m, s, after, s->queues[0].messages, -1);
    s->trace = own;
    s->trace_len = 0; /* as in the file */
}

static struct command *runs(struct model *m, const char *const *words)
{
    struct command *c = command_of(words, COMMAND_OF_KEY);
    model_ran(m, c);
    return c;
}

static const char *const publish[] = {"/x/producer", "--queue", "hello", "--count", "400000", NULL};
static const char *const get[] = {"/x/consumer", "--queue", "hello", "--count", "400000", NULL};

/* A queue that is full drops what it has, one that is taken from holds little: how deep it is does not say
 * how many were published. */
static void progress_is_of_what_was_published(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->queues[0].messages = 2;
    nodes_note(&m, s, 0, TRACE_SEEN_ACCEPTED, 1, 0);
    struct command *c = runs(&m, publish);
    nodes_note(&m, s, 1000, TRACE_SEEN_ACCEPTED, 1, 60000);
    nodes_note(&m, s, 1000, TRACE_SEEN_ACCEPTED, 60001, 160000);
    assert_frame_contains(&m, "hello: 160000 of 400000 (40%), 100000/s, 3 s left");
    nodes_note(&m, s, 1000, TRACE_SEEN_CONFIRMED, 1, 160000); /* that is another matter */
    nodes_note(&m, s, 1000, TRACE_SEEN_ENQUEUED, 1, 160000);
    assert_frame_contains(&m, "hello: 160000 of 400000 (40%), ");
    s->trace_gaps = 1; /* a node had more than it could note */
    nodes_note(&m, s, 1000, TRACE_SEEN_ACCEPTED, 200001, 300000);
    assert_frame_contains(&m, "hello: at least 260000 of 400000");
    assert_frame_lacks(&m, "s left");
    model_ended(&m, c, 0);
    assert_frame_lacks(&m, "of 400000");
    snapshot_destroy(s);
    model_finish(&m);
}

/* What a consumer takes is long work, too. */
static void progress_of_what_is_taken(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->queues[0].messages = 400000;
    nodes_note(&m, s, 0, TRACE_SEEN_ACCEPTED, 1, 0);
    runs(&m, get);
    nodes_note(&m, s, 1000, TRACE_SEEN_ACKED, 0, 99999);
    nodes_note(&m, s, 1000, TRACE_SEEN_AUTO_ACKED, 100000, 199999);
    assert_frame_contains(&m, "hello: 200000 of 400000 (50%), 100000/s, 3 s left");
    nodes_note(&m, s, 1000, TRACE_SEEN_DELIVERED, 200000, 399999); /* it may come back */
    assert_frame_contains(&m, "hello: 200000 of 400000 (50%)");
    snapshot_destroy(s);
    model_finish(&m);
}

/* RabbitMQ's nodes note no single messages: its queues' masters count what was published and taken, the first
 * time with the first message, and anew after a failover. */
static void progress_of_what_a_master_counts(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->traces = 0;
    s->queues[0].published = s->queues[0].taken = -1;
    s->queues[0].consumers = 1;
    queue_says(&m, s, 0, 2, -1);
    struct command *c = runs(&m, publish);
    s->queues[0].published = 100000;
    s->queues[0].taken = 100000;
    queue_says(&m, s, 1000, 2, -1);
    s->queues[0].published = 160000;
    queue_says(&m, s, 1000, 2, -1);
    assert_frame_contains(&m, "hello: 160000 of 400000 (40%), 60000/s, 5 s left");
    s->queues[0].published = 50000;
    s->queues[0].taken = 0;
    queue_says(&m, s, 1000, 2, -1);
    assert_frame_contains(&m, "hello: 210000 of 400000 (52%), ");
    model_ended(&m, c, 0);
    runs(&m, get);
    s->queues[0].taken = 200000;
    queue_says(&m, s, 1000, 2, -1);
    assert_frame_contains(&m, "hello: 200000 of 400000 (50%)");
    snapshot_destroy(s);
    model_finish(&m);
}

/* Where nothing but its depth is told: what a consumer took meanwhile was published, too. */
static void progress_of_what_is_there(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->traces = 0;
    s->queues[0].consumers = 1;
    queue_says(&m, s, 0, 1000, -1);
    struct command *c = runs(&m, publish);
    queue_says(&m, s, 1000, 9448, -1);
    queue_says(&m, s, 1000, 5000, -1);
    assert_frame_contains(&m, "hello: at least 8448 of 400000\n");
    s->queues[0].consumers = 0;
    queue_says(&m, s, 1000, 21000, -1);
    assert_frame_contains(&m, "hello: 20000 of 400000 (5%), ");
    free(s->queues[0].effective_definition);
    s->queues[0].effective_definition = xstrdup("{\"max-length\":21000}");
    for (int i = 0; i < 20; i++)
        queue_says(&m, s, 1000, 21000, -1);
    assert_frame_contains(&m, "hello: at least 20000 of 400000\n");
    model_ended(&m, c, 0);
    snapshot_destroy(s);
    model_finish(&m);
}

/* RabbitMQ tells late of what happens: that nothing is heard of it for a moment is no standing still. */
static void what_stands_still(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    queue_says(&m, s, 0, 0, -1);
    runs(&m, publish);
    for (int i = 0; i < 5; i++) {
        queue_says(&m, s, 1000, 0, -1);
        assert_frame_contains(&m, "hello: 0 of 400000 (0%)\n");
    }
    queue_says(&m, s, 1000, 0, -1);
    assert_frame_contains(&m, "hello: 0 of 400000 (0%), it stands still");
    queue_says(&m, s, 1000, 100000, -1);
    for (int i = 0; i < 4; i++)
        queue_says(&m, s, 1000, 100000, -1);
    assert_frame_lacks(&m, "stands still");
    queue_says(&m, s, 1000, 100000, -1);
    assert_frame_contains(&m, "hello: 100000 of 400000 (25%), it stands still");
    queue_says(&m, s, 1000, 400000, -1);
    for (int i = 0; i < 9; i++)
        queue_says(&m, s, 1000, 400000, -1);
    assert_frame_contains(&m, "hello: 400000 of 400000 (100%)"); /* it is there, and ends when it will */
    assert_frame_lacks(&m, "stands still");
    snapshot_destroy(s);
    model_finish(&m);
}

static void a_cut_node_is_healed_by_the_same_key(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = started(&m, "llx");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 heal node3");
    model_ended(&m, c, 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":heal\n"), 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":heal\n"), 0);
    model_ended(&m, started(&m, ":cut --one-way node3\n"), 0); /* what it says reaches nobody */
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 heal node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":cut --one-way node3 node1\n"), 0); /* a link: node2 reaches both */
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_finish(&m);
}

static void copying_takes_what_ran(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    assert_keys_say(&m, "y", "no command to copy");
    m.lesson = l;
    assert_int_equal(types(&m, "y", &run), EFFECT_COPY);
    assert_string_equal(m.copy, l->steps[0].action_text); /* what n would run */
    see(&m, "rest");
    model_ended(&m, started(&m, "s"), 0);
    assert_int_equal(types(&m, "y", &run), EFFECT_COPY);
    assert_string_equal(m.copy, "labctl -n node1 stop_app");

    struct labdir lab = {.path = "/tmp/a class's lab"};
    m.lab = &lab; /* pasted, it goes to this lab, from wherever */
    types(&m, "y", &run);
    assert_contains(m.copy, "labctl --dir '/tmp/a class'\\''s lab' -n node1 stop_app");
    assert_int_equal(m.copy[0], '/');
    assert_string_equal(m.command->text, "labctl -n node1 stop_app");
    setenv("MIRRORLAB_DIR", "/tmp", 1);
    snprintf(lab.path, sizeof(lab.path), "/tmp"); /* where labctl goes by itself */
    types(&m, "y", &run);
    assert_contains(m.copy, "/labctl -n node1 stop_app");
    unsetenv("MIRRORLAB_DIR");
    m.replay = true; /* there is no lab */
    types(&m, "y", &run);
    assert_string_equal(m.copy, "labctl -n node1 stop_app");
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_mends_a_partition),
        cmocka_unit_test(what_is_cancelled),
        cmocka_unit_test(several_things_run_at_once),
        cmocka_unit_test(a_replay_is_left_at_once),
        cmocka_unit_test(no_start_while_it_stops),
        cmocka_unit_test(a_long_output_opens),
        cmocka_unit_test(long_work_says_how_far_it_is),
        cmocka_unit_test(progress_is_of_what_was_published),
        cmocka_unit_test(progress_of_what_is_taken),
        cmocka_unit_test(progress_of_what_a_master_counts),
        cmocka_unit_test(progress_of_what_is_there),
        cmocka_unit_test(what_stands_still),
        cmocka_unit_test(a_cut_node_is_healed_by_the_same_key),
        cmocka_unit_test(copying_takes_what_ran),
    };
    return cmocka_run_group_tests_name("screen/acting", tests, NULL, NULL);
}
