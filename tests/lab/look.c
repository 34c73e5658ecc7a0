/* look.c: see look.h. */
#include "tests/lab/look.h"

#include "tests/temporary.h"

static uint64_t number;
ms_time now, said;

int64_t wall_of(ms_time t)
{
    return 1795395837107 + (int64_t)t;
}

struct snapshot *take(const struct look *look)
{
    number++;
    now += 250;
    if (!look->frozen)
        said = now;
    bool up = !look->node1 || strcmp(look->node1, "up") == 0;
    struct text t = {0};
    text_printf(&t, "{'format':1,'number':%llu,'taken_at':%llu,'taken_wall_ms':%lld,'source':",
                (unsigned long long)number, (unsigned long long)now, (long long)wall_of(now));
    const char *source = look->source ? look->source : "node2";
    text_printf(&t, source[0] ? "'%s'" : "null%s", source);
    text_add(&t, ",'nodes':[");
    for (int i = 1; i <= 3; i++) {
        const char *sayers = i == 1 && look->said_by ? look->said_by : "'node2','node3'";
        bool this_up = i != 1 || up;
        const char *apart = !look->apart ? "" : i == 1 ? "'node2','node3'" : "'node1'";
        sayers = look->apart && i == 1 ? "'node1'" : sayers;
        text_printf(&t,
                    "%s{'name':'node%d','state':'%s','answers':%s,'said_up_by':[%s],'said_down_by':[%s],"
                    "'partitions':'','answered_at':%llu,'changed_at':0%s%s}",
                    i > 1 ? "," : "", i, this_up ? "up" : "not running",
                    this_up && source[0] ? "true" : "false", this_up ? sayers : "", this_up ? apart : sayers,
                    (unsigned long long)said, i == 1 && look->gone ? ",'process_gone':true" : "",
                    i == 1 && look->unrefused ? ",'unrefused':true" : "");
    }
    text_printf(&t, "],'queues':[%s],'policies':[%s],'events':[]}", look->queues ? look->queues : "",
                look->policies ? look->policies : "");
    for (char *at = t.s; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t where;
    json_t *json = json_loads(t.s, 0, &where);
    if (!json)
        fail_msg("%s at %d in %s", where.text, where.position, t.s);
    /* a queue's seen_at is when it was said */
    json_t *queue;
    size_t i;
    json_array_foreach(json_object_get(json, "queues"), i, queue)
        json_object_set_new(queue, "seen_at", json_integer((json_int_t)said));
    char *error = NULL;
    struct snapshot *s = snapshot_from_json(json, &error);
    if (!s)
        fail_msg("%s", error);
    json_decref(json);
    text_finish(&t);
    return s;
}

void observe(struct lesson *l, const struct look *look)
{
    struct snapshot *s = take(look);
    lesson_observe(l, s);
    snapshot_destroy(s);
}

void observe_times(struct lesson *l, const struct look *look, int times)
{
    for (int i = 0; i < times; i++)
        observe(l, look);
}

struct lesson *load(int lesson_number)
{
    char *error = NULL;
    number = 0;
    now = said = 1000;
    struct lesson *l = lesson_load(lesson_number, NULL, &error);
    if (!l)
        fail_msg("%s", error);
    return l;
}

const struct look policy_set = {.policies = POLICY};
const struct look compared = {.policies = POLICY,
                              .queues = QUEUE("hello", "node1", "", "", MESSAGES(1), "running", "")};
const struct look mirrored = {
    .policies = POLICY,
    .queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node1", "'node2'", "'node2'",
                                                      MESSAGES(1), "running", ",'policy':'mirrior'")};
const struct look node1_stopped = {
    .policies = POLICY,
    .node1 = "not running",
    .queues = HELLO(",'was_messages':1", "stopped") "," QUEUE("mirrior_hello", "node1", "'node2'", "'node2'",
                                                              "", "running", ",'policy':'mirrior'")};
const struct look promoted = {
    .policies = POLICY,
    .node1 = "not running",
    .queues = HELLO(",'was_messages':1", "stopped") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                              MESSAGES(1), "running", ",'policy':'mirrior'")};
const struct look syncing = {.policies = POLICY,
                             .node1 = "not running",
                             .queues = HELLO(",'was_messages':1", "stopped") "," QUEUE(
                                 "mirrior_hello", "node2", "'node3'", "", MESSAGES(100), "syncing",
                                 ",'policy':'mirrior','sync_messages':60")};
const struct look consumed = {
    .policies = POLICY,
    .node1 = "not running",
    .queues = HELLO(",'was_messages':1", "stopped") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                              MESSAGES(0), "running", ",'policy':'mirrior'")};

const struct look hello_lost = {.policies = POLICY,
                                .queues = QUEUE("hello", "node1", "", "", MESSAGES(0), "running",
                                                "") "," QUEUE("mirrior_hello", "node2", "'node3'", "'node3'",
                                                              MESSAGES(0), "running", ",'policy':'mirrior'"),
                                .said_by = "'node1','node2','node3'"};

struct lesson *load_until_stopped(void)
{
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    observe_times(l, &mirrored, 2);
    observe_times(l, &node1_stopped, 2);
    return l;
}

struct lesson *left_and_opened(struct lesson *l)
{
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "left"));
    struct lesson *anew = load(l->number);
    assert_int_equal(lesson_keep(l, &lab), 0);
    assert_true(lesson_take_up(anew, &lab));
    lesson_forget_all(&lab);
    assert_int_equal(rmdir(lab.path), 0);
    lesson_destroy(l);
    return anew;
}

void assert_fact(const json_t *fact, const char *words)
{
    char *text = fact_text(fact, NULL);
    assert_string_equal(text, words);
    free(text);
}

void assert_help(const struct lesson *l, size_t step, const struct look *look, enum lesson_help help,
                 const char *missing)
{
    struct snapshot *s = take(look);
    json_t *fact;
    const struct policy_seen *policy;
    assert_int_equal(lesson_help(l, step, s, &fact, &policy), help);
    assert_int_equal(policy != NULL, help == LESSON_HELP_CLEAR);
    assert_int_equal(fact != NULL, missing != NULL);
    if (fact)
        assert_fact(fact, missing);
    json_decref(fact);
    snapshot_destroy(s);
}

void assert_seen(const struct lesson *l, size_t step, const char *words)
{
    assert_fact(l->steps[step].seen, words);
}

void assert_seen_part(const struct lesson *l, size_t step, const char *part)
{
    char *text = fact_text(l->steps[step].seen, NULL);
    assert_non_null(strstr(text, part));
    free(text);
}
