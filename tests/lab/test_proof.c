/* test_proof.c: lessons held against what is observed. Right observations tick the steps of the real lessons
 * in order; wrong, old, single or missing ones leave a step open. Observations are written as the JSON of
 * `lab status --json`, with ' for ". */
#include "lab/lesson_private.h"
#include "tests/lab/look.h"

/* ---- right ones
 * -------------------------------------------------------------------------------------------------- */

static void lesson_7_is_ticked_step_by_step(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    assert_int_equal(l->steps_len, 7);
    observe_times(l, &policy_set, 2);
    assert_int_equal(lesson_current(l), 1);
    assert_int_equal(l->steps[0].state, STEP_SEEN);
    observe_times(l, &compared, 2);
    assert_int_equal(lesson_current(l), 2);
    observe_times(l, &mirrored, 2);
    assert_int_equal(lesson_current(l), 3);
    assert_seen_part(l, 2, "in sync={node2}");
    observe_times(l, &node1_stopped, 2);
    assert_int_equal(lesson_current(l), 4);
    assert_seen(l, 3, "node2, node3 say so"); /* what is told of it */
    observe_times(l, &promoted, 2);
    assert_int_equal(lesson_current(l), 4); /* it is there to be looked at */
    assert_int_equal(l->steps[4].state, STEP_OPEN);
    lesson_look(l, 4);
    assert_int_equal(lesson_current(l), 5);
    assert_seen(l, 4, "master=node2; kept 1 of 1");
    static const char printed[] = "connected to 127.0.0.1:5674\nreceived: Hello World\n";
    lesson_begin_action(l, 5);
    lesson_output(l, 5, printed, 30); /* output comes in any pieces */
    observe_times(l, &consumed, 2);
    assert_int_equal(lesson_current(l), 5);
    lesson_output(l, 5, printed + 30, sizeof(printed) - 1 - 30);
    lesson_action_ended(l, 5, 0);
    observe_times(l, &consumed, 2);
    assert_int_equal(lesson_current(l), 6);
    observe_times(l, &hello_lost, 2);
    assert_int_equal(lesson_current(l), 7);
    lesson_destroy(l);
}

static void stopped_and_down_are_both_right(void **state)
{
    (void)state;
    static const char *const words[] = {
        HELLO(",'was_messages':1", "stopped"),
        HELLO(",'was_messages':1", "down"),
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct lesson *l = load(2);
        const struct look one = {.queues = QUEUE("hello", "node1", "", "", MESSAGES(1), "running", "")};
        const struct look gone = {.node1 = "not running", .queues = words[i]};
        observe_times(l, &one, 2);
        assert_int_equal(lesson_current(l), 1);
        observe_times(l, &gone, 2);
        assert_int_equal(lesson_current(l), 2);
        lesson_look(l, 2); /* looked at, and then it is seen: two looks of the nodes all the same */
        assert_int_equal(lesson_current(l), 2);
        observe(l, &gone);
        assert_int_equal(lesson_current(l), 2);
        observe(l, &gone);
        assert_int_equal(lesson_current(l), 3);
        lesson_destroy(l);
    }
}

/* ---- a node that stands still
 * -------------------------------------------------------------------------------------- */

/* One that was frozen answers nothing, and the others may count it out: it has not stopped. In each lesson
 * the step that stops node1 waits until connections to it are refused, or its process is gone. */
static void a_frozen_node_has_not_stopped(void **state)
{
    (void)state;
    static const struct {
        int lesson;
        size_t step;
        const struct look before, stopped;
    } lessons[] = {
        {1,
         1,
         {.queues = HELLO(MESSAGES(1), "running")},
         {.source = "", .queues = HELLO(",'was_messages':1", "unknown")}},
        {2, 1, {.queues = HELLO(MESSAGES(1), "running")}, {.queues = HELLO(",'was_messages':1", "down")}},
        {3, 2, {.queues = HELLO(KINDS(2, 1), "running")}, {.queues = HELLO(",'was_messages':2", "down")}},
        {7, 3, {0}, {0}}, /* as in the other tests */
    };
    for (size_t i = 0; i < ARRAY_LEN(lessons); i++)
        for (int gone = 0; gone <= 1; gone++) {
            struct lesson *l = load(lessons[i].lesson);
            const struct lesson_step *step = &l->steps[lessons[i].step];
            for (size_t k = 0; k < lessons[i].step; k++)
                l->steps[k].state = STEP_SEEN;
            bool mirror = lessons[i].lesson == 7;
            const struct look *before = mirror ? &mirrored : &lessons[i].before;
            struct look stopped = mirror ? node1_stopped : lessons[i].stopped;
            stopped.node1 = "not running";
            stopped.unrefused = true;
            observe_times(l, before, 2);
            observe_times(l, &stopped, 10);
            assert_int_not_equal(step->state, STEP_SEEN);
            assert_help(l, lessons[i].step, &stopped, LESSON_HELP_WAIT,
                        "node1 does not answer, nor refuse connections");
            stopped.gone = gone;
            stopped.unrefused = gone;
            observe_times(l, &stopped, 2);
            assert_int_equal(step->state, STEP_SEEN);
            lesson_destroy(l);
        }
}

/* ---- wrong ones
 * --------------------------------------------------------------------------------------------------- */

static void without_the_policy_its_step_stays_open(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    const struct look none = {0};
    const struct look other_pattern = {
        .policies =
            "{'name':'mirrior','pattern':'^mirror','apply_to':'queues','priority':0,'definition':'{}'}"};
    observe_times(l, &none, 10);
    observe_times(l, &other_pattern, 10);
    assert_int_equal(lesson_current(l), 0);
    assert_int_equal(l->steps[0].state, STEP_OPEN);
    assert_null(l->steps[0].seen);
    lesson_destroy(l);
}

static void one_snapshot_is_not_enough(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    const struct look none = {0};
    for (int i = 0; i < 5; i++) {
        observe(l, &policy_set);
        observe(l, &none);
    }
    assert_int_equal(lesson_current(l), 0);
    /* the same one shown again is no second look */
    struct snapshot *s = take(&policy_set);
    for (int i = 0; i < 5; i++)
        lesson_observe(l, s);
    snapshot_destroy(s);
    assert_int_equal(lesson_current(l), 0);
    lesson_destroy(l);
}

static void frozen_data_is_not_enough(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    struct look frozen = policy_set;
    frozen.frozen = true;
    observe(l, &policy_set);
    observe_times(l, &frozen, 10);
    assert_int_equal(lesson_current(l), 0);
    observe(l, &policy_set);
    assert_int_equal(lesson_current(l), 1);
    struct look frozen_queue = mirrored;
    frozen_queue.frozen = true;
    observe(l, &mirrored);
    observe_times(l, &frozen_queue, 10);
    assert_int_equal(lesson_current(l), 1);
    lesson_destroy(l);
}

static void nobody_answers_proves_nothing_and_ends_nothing(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    struct look silent = mirrored;
    silent.source = "";
    observe_times(l, &silent, 10);
    assert_int_equal(lesson_current(l), 0);
    observe_times(l, &policy_set, 2);
    assert_int_equal(l->steps[0].state, STEP_SEEN);
    observe_times(l, &silent, 10);
    assert_int_equal(l->steps[0].state, STEP_SEEN); /* what nobody can say now did not stop to be true */
    assert_int_equal(lesson_current(l), 1);
    lesson_destroy(l);
}

static void one_witness_is_not_two(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    observe_times(l, &mirrored, 2);
    struct look one_says = node1_stopped;
    one_says.said_by = "'node2'";
    observe_times(l, &one_says, 10);
    assert_int_equal(lesson_current(l), 3);
    assert_int_equal(l->steps[3].state, STEP_HALF);
    assert_seen(l, 3, "node1 not running: node2 says so, 2 have to");
    assert_help(l, 3, &one_says, LESSON_HELP_START_NODES, "node1 not running: node2 says so, 2 have to");
    lesson_destroy(l);
}

/* Two nodes that say the opposite are no half of it: nothing holds yet. */
static void witnesses_of_the_opposite_do_not_count(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    observe_times(l, &mirrored, 4);
    assert_int_equal(lesson_current(l), 3);
    assert_int_equal(l->steps[3].state, STEP_OPEN);
    assert_null(l->steps[3].seen);
    lesson_begin_action(l, 3);
    lesson_action_ended(l, 3, 0);
    struct look both = mirrored; /* both queues that it is about are there */
    both.queues = HELLO(MESSAGES(1), "running") "," QUEUE("mirrior_hello", "node1", "'node2'", "'node2'",
                                                          MESSAGES(1), "running", ",'policy':'mirrior'");
    observe(l, &both);
    assert_help(l, 3, &both, LESSON_HELP_REPEAT, "node1 running"); /* stopping it again does no harm */
    lesson_destroy(l);
}

/* A message that is published once more does not bring a step on that wants one. */
static void what_helps_a_step_that_is_stuck(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    struct look elsewhere = policy_set; /* an earlier run left it on node3 */
    elsewhere.queues =
        QUEUE("mirrior_hello", "node3", "'node2'", "'node2'", MESSAGES(1), "running", ",'policy':'mirrior'");
    observe_times(l, &policy_set, 2);
    observe_times(l, &compared, 2);
    lesson_begin_action(l, 2);
    lesson_action_ended(l, 2, 0);
    observe_times(l, &elsewhere, 5);
    assert_int_equal(l->steps[2].state, STEP_HALF);
    assert_seen_part(l, 2, "master=node3, node1 wanted (seen: +1 on node2; in sync={node2}");
    assert_help(l, 2, &elsewhere, LESSON_HELP_RESTART, "master=node3, node1 wanted");
    lesson_action_ended(l, 2, 1); /* it failed: nothing was published */
    assert_help(l, 2, &elsewhere, LESSON_HELP_REPEAT, "master=node3, node1 wanted");
    assert_help(l, 2, &mirrored, LESSON_HELP_WAIT, NULL);
    lesson_destroy(l);
}

/* A message that was sent by hand between the steps, and is not the one that the step sends. */
static void a_persistent_message_is_not_any_message(void **state)
{
    (void)state;
    static const struct look one = {.queues = HELLO(MESSAGES(1), "running")},
                             by_hand = {.queues = HELLO(MESSAGES(2), "running")},
                             sent = {.queues = HELLO(KINDS(3, 1), "running")},
                             gone = {.node1 = "not running", .queues = HELLO(",'was_messages':3", "stopped")},
                             lost = {.queues = HELLO(MESSAGES(0), "running")},
                             back = {.queues = HELLO(KINDS(1, 1), "running")},
                             untold = {.queues = HELLO(",'messages':2", "running")};
    struct lesson *l = load(3);
    observe_times(l, &one, 2);
    assert_int_equal(lesson_current(l), 1);
    observe_times(l, &by_hand, 5);
    observe_times(l, &untold, 5);
    assert_int_equal(lesson_current(l), 1);
    assert_help(l, 1, &untold, LESSON_HELP_RESTART, "persistent=?, 1 wanted");
    lesson_begin_action(l, 1);
    lesson_action_ended(l, 1, 0);
    observe_times(l, &sent, 2);
    assert_seen(l, 1, "persistent=1; messages=3");
    observe_times(l, &gone, 2);
    assert_int_equal(lesson_current(l), 3);
    lesson_begin_action(l, 3);
    lesson_action_ended(l, 3, 0);
    observe_times(l, &lost, 3);
    assert_help(l, 3, &lost, LESSON_HELP_RESTART, "messages=0, 1 wanted"); /* no start brings it back */
    observe_times(l, &back, 2);
    assert_int_equal(lesson_current(l), 4);
    lesson_destroy(l);
}

/* What was consumed before the node stopped is not what the stop lost. */
static void what_was_consumed_is_not_lost(void **state)
{
    (void)state;
    static const struct look one = {.queues = HELLO(MESSAGES(1), "running")},
                             none = {.queues = HELLO(MESSAGES(0), "running")},
                             consumed_before = {.source = "",
                                                .node1 = "not running",
                                                .queues = HELLO(",'was_messages':0", "unknown")},
                             lost_with_it = {.source = "",
                                             .node1 = "not running",
                                             .queues = HELLO(",'was_messages':1", "unknown")};
    struct lesson *l = load(1);
    observe_times(l, &one, 2);
    observe_times(l, &none, 2);
    lesson_begin_action(l, 1);
    lesson_action_ended(l, 1, 0);
    observe_times(l, &consumed_before, 5);
    assert_int_equal(lesson_current(l), 1);
    assert_help(l, 1, &consumed_before, LESSON_HELP_RESTART, "hello had 0 before, at least 1 wanted");
    observe_times(l, &lost_with_it, 2);
    assert_int_equal(lesson_current(l), 2);
    assert_seen(l, 1, "node1 does not answer");
    lesson_begin_action(l, 2);
    lesson_output(l, 2, "cannot connect to it\n", 21);
    lesson_action_ended(l, 2, 1);
    observe_times(l, &lost_with_it, 2);
    observe_times(l, &none, 4);
    lesson_look(l, 4);
    assert_int_equal(l->steps[4].state, STEP_SEEN);
    observe_times(l, &consumed_before, 4); /* stopped again: nobody says otherwise */
    assert_int_equal(l->steps[4].state, STEP_SEEN);
    lesson_destroy(l);
}

static void a_program_that_waits_is_not_one_that_did_not_run(void **state)
{
    (void)state;
    static const struct look none = {.queues = HELLO(MESSAGES(0), "running")};
    struct lesson *l = load(1);
    struct snapshot *s = take(&none);
    const struct {
        bool begun, ended;
        const char *words;
    } cases[] = {{false, false, "[ ] the program printed no message came: not run yet\n"},
                 {true, false, "[ ] the program printed no message came: running, waits up to 2 s\n"},
                 {true, true, "[ ] the program printed no message came: not printed: \"no message came\"\n"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (cases[i].ended)
            lesson_action_ended(l, 5, 1);
        else if (cases[i].begun)
            lesson_begin_action(l, 5);
        char *text = lesson_explain(l, 5, s, NULL);
        text[strcspn(text, "\n") + 1] = '\0';
        assert_string_equal(text, cases[i].words);
        free(text);
    }
    snapshot_destroy(s);
    lesson_destroy(l);
}

static void half_of_a_proof_says_which_half(void **state)
{
    (void)state;
    struct lesson *l = load_until_stopped();
    observe_times(l, &syncing, 5);
    assert_int_equal(lesson_current(l), 4);
    assert_int_equal(l->steps[4].state, STEP_HALF);
    assert_seen(l, 4,
                "sync 60%, 1 in sync wanted (seen: master=node2; kept 1 of 1)"); /* first what is missing */
    lesson_look(l, 4);
    observe(l, &promoted); /* what is shown is of this look, not of the one before */
    assert_int_equal(l->steps[4].state, STEP_HALF);
    assert_seen(l, 4, "seen once so far (master=node2; kept 1 of 1)");
    observe(l, &promoted);
    assert_int_equal(l->steps[4].state, STEP_SEEN);
    lesson_destroy(l);
}

/* Two nodes say that they are the queue's master: what one of them says proves nothing. */
static void two_masters_prove_nothing(void **state)
{
#define SIDE(master, mirrors)                                                                                \
    "{'master':'" master "','state':'running','mirrors':[" mirrors "],'synced':[" mirrors "],'messages':1}"
    static const struct look torn = {
        .policies = POLICY,
        .node1 = "not running",
        .queues = QUEUE("mirrior_hello", "node2", "'node3'", "'node3'", MESSAGES(1), "running",
                        ",'policy':'mirrior','sides':[" SIDE("node1", "") "," SIDE("node2", "'node3'") "]")};
    (void)state;
    struct lesson *l = load_until_stopped();
    observe_times(l, &torn, 4);
    assert_int_equal(lesson_current(l), 4);
    assert_true(l->steps[4].state != STEP_SEEN);
    struct finding found;
    struct snapshot *s = take(&torn);
    struct map none = {0};
    proof_look(((struct step_proof *)l->steps[4].proof)->facts,
               &(struct evidence){.snapshot = s, .counts = &none}, &found);
    assert_fact(found.missing, "a partition: node1, node2 each say they are its master");
    finding_finish(&found);
    snapshot_destroy(s);
    lesson_look(l, 4);
    observe_times(l, &promoted, 2); /* one of them is left */
    assert_int_equal(l->steps[4].state, STEP_SEEN);
    lesson_destroy(l);
}

static void a_later_step_waits_for_the_earlier(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    struct look no_policy_list = promoted;
    no_policy_list.policies = NULL;
    observe_times(l, &no_policy_list, 10);
    assert_int_equal(lesson_current(l), 0);
    for (size_t i = 0; i < l->steps_len; i++)
        assert_int_equal(l->steps[i].state, STEP_OPEN);
    lesson_destroy(l);
}

static void an_exit_code_proves_nothing(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    lesson_begin_action(l, 0);
    lesson_action_ended(l, 0, 0);
    const struct look none = {0};
    observe_times(l, &none, 10);
    assert_int_equal(l->steps[0].exit_code, 0);
    assert_int_equal(lesson_current(l), 0);
    /* and a failed one does not stand in the way of what is seen */
    lesson_begin_action(l, 0);
    lesson_action_ended(l, 0, 69);
    observe_times(l, &policy_set, 2);
    assert_int_equal(lesson_current(l), 1);
    lesson_destroy(l);
}

static void what_was_seen_before_the_action_does_not_count(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    observe(l, &policy_set);
    lesson_begin_action(l, 0);
    observe(l, &policy_set);
    assert_int_equal(lesson_current(l), 0);
    observe(l, &policy_set);
    assert_int_equal(lesson_current(l), 1);
    lesson_destroy(l);
}

static void lost_needs_something_that_was_there(void **state)
{
    (void)state;
    struct lesson *l = load(2);
    const struct look empty = {.queues = QUEUE("hello", "node1", "", "", MESSAGES(0), "running", "")};
    const struct look one = {.queues = QUEUE("hello", "node1", "", "", MESSAGES(1), "running", "")};
    struct step_proof *last = l->steps[5].proof;
    struct lesson_full *full = lesson_full(l);
    observe_times(l, &empty, 3);
    struct snapshot *s = take(&empty);
    struct evidence evidence = {.snapshot = s, .counts = &full->counts};
    struct finding found;
    proof_look(last->facts, &evidence, &found);
    assert_int_equal(found.verdict, VERDICT_NO);
    assert_fact(found.missing, "hello had 0 before, at least 1 wanted");
    finding_finish(&found);
    observe(l, &one);
    proof_look(last->facts, &evidence, &found);
    assert_int_equal(found.verdict, VERDICT_YES);
    finding_finish(&found);
    snapshot_destroy(s);
    lesson_destroy(l);
}

static void an_unknown_number_is_not_zero(void **state)
{
    (void)state;
    struct lesson *l = load(1);
    struct step_proof *look_at = l->steps[4].proof; /* messages = 0, had 1 */
    const struct look one = {.queues = QUEUE("hello", "node1", "", "", MESSAGES(1), "running", "")};
    const struct look unknown = {.queues = QUEUE("hello", "node1", "", "", "", "running", "")};
    observe(l, &one);
    struct snapshot *s = take(&unknown);
    struct evidence evidence = {.snapshot = s, .counts = &lesson_full(l)->counts};
    struct finding found;
    proof_look(look_at->facts, &evidence, &found);
    assert_int_equal(found.verdict, VERDICT_UNKNOWN);
    assert_fact(found.missing, "messages=?, 0 wanted");
    assert_fact(found.instead, "messages=?");
    finding_finish(&found);
    snapshot_destroy(s);
    lesson_destroy(l);
}

static void a_mirror_that_is_about_to_come_breaks_the_wait(void **state)
{
    (void)state;
    struct lesson *l = load(6);
    const struct look wrong_policy = {
        .policies = "{'name':'mirrior','pattern':'^mirror','apply_to':'queues','priority':0,"
                    "'definition':'{\\'ha-mode\\':\\'exactly\\',\\'ha-params\\':2,\\'ha-sync-mode\\':\\'"
                    "automatic\\'}'}"};
    struct look alone = wrong_policy, with_mirror = wrong_policy;
    alone.queues = QUEUE("mirrior_hello", "node1", "", "", MESSAGES(1), "running", "");
    with_mirror.queues = QUEUE("mirrior_hello", "node1", "'node2'", "", MESSAGES(1), "running", "");
    observe_times(l, &wrong_policy, 2);
    assert_int_equal(lesson_current(l), 1);
    lesson_output(l, 1, "all confirmed\n", 14);
    observe_times(l, &alone, 4);
    observe(l, &with_mirror);
    observe_times(l, &alone, 4);
    assert_int_equal(lesson_current(l), 1);
    observe(l, &alone);
    assert_int_equal(lesson_current(l), 2);
    lesson_destroy(l);
}

static void every_fact_can_be_explained(void **state)
{
    (void)state;
    struct lesson *l = load(7);
    struct snapshot *s = take(&syncing);
    char *text = lesson_explain(l, 4, s, NULL);
    assert_string_equal(text, "[x] mirrior_hello master is not node1: master=node2\n"
                              "[ ] mirrior_hello mirrors in sync at least 1: sync 60%\n"
                              "[x] mirrior_hello mirrors 1: +1 on node3\n"
                              "[ ] mirrior_hello state running: state=syncing\n"
                              "[x] mirrior_hello messages at least 1: messages=100\n"
                              "[ ] mirrior_hello messages kept: kept ? of ?\n");
    free(text);
    snapshot_destroy(s);
    lesson_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lesson_7_is_ticked_step_by_step),
        cmocka_unit_test(two_masters_prove_nothing),
        cmocka_unit_test(stopped_and_down_are_both_right),
        cmocka_unit_test(a_frozen_node_has_not_stopped),
        cmocka_unit_test(without_the_policy_its_step_stays_open),
        cmocka_unit_test(one_snapshot_is_not_enough),
        cmocka_unit_test(frozen_data_is_not_enough),
        cmocka_unit_test(nobody_answers_proves_nothing_and_ends_nothing),
        cmocka_unit_test(one_witness_is_not_two),
        cmocka_unit_test(witnesses_of_the_opposite_do_not_count),
        cmocka_unit_test(what_helps_a_step_that_is_stuck),
        cmocka_unit_test(a_persistent_message_is_not_any_message),
        cmocka_unit_test(what_was_consumed_is_not_lost),
        cmocka_unit_test(a_program_that_waits_is_not_one_that_did_not_run),
        cmocka_unit_test(half_of_a_proof_says_which_half),
        cmocka_unit_test(a_later_step_waits_for_the_earlier),
        cmocka_unit_test(an_exit_code_proves_nothing),
        cmocka_unit_test(what_was_seen_before_the_action_does_not_count),
        cmocka_unit_test(lost_needs_something_that_was_there),
        cmocka_unit_test(an_unknown_number_is_not_zero),
        cmocka_unit_test(a_mirror_that_is_about_to_come_breaks_the_wait),
        cmocka_unit_test(every_fact_can_be_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
