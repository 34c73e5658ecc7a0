/* test_shown.c: what a lesson's step says that it has shown was seen, whatever way led to its tick: another
 * node stopped meanwhile, one killed, a copy on another node than usual. */
#include "tests/lab/look.h"
#include "tests/screen/support.h"

static void assert_shown(struct lesson *l, size_t step, const char *says, const char *says_not)
{
    struct model m;
    model_init(&m, l, NULL, false, false);
    char *text = step_text(l, step), *shown = step_shown_text(&m, step);
    if (!strstr(text, says) || !strstr(shown, says) || strstr(text, says_not) || strstr(shown, says_not))
        fail_msg("lesson %d step %zu says:\n%s\n%s", l->number, step + 1, text, shown);
    free(text);
    free(shown);
    model_finish(&m);
}

/* lesson 7 until Hello World was received, by way of node2 */
static struct lesson *received(void)
{
    struct lesson *l = load_until_stopped();
    observe_times(l, &promoted, 2);
    lesson_look(l, 4);
    lesson_begin_action(l, 5);
    lesson_output(l, 5, "received: Hello World\n", 22);
    lesson_action_ended(l, 5, 0);
    observe_times(l, &consumed, 3); /* fewer than before, twice */
    assert_int_equal(lesson_current(l), 6);
    return l;
}

#define AT_THE_END(master, mirror)                                                                           \
    QUEUE("hello", "node1", "", "", MESSAGES(0), "running", "")                                              \
    "," QUEUE("mirrior_hello", master, mirror, mirror, MESSAGES(0), "running", ",'policy':'mirrior'")

/* node2 was stopped before node1 came back: it is node1 that the second copy is on. */
static void a_copy_that_came_back_is_not_denied(void **state)
{
    (void)state;
    static const char all[] = "'node1','node2','node3'";
    const struct look others = {.policies = POLICY, .queues = AT_THE_END("node2", "'node3'"), .said_by = all},
                      node1s = {.policies = POLICY, .queues = AT_THE_END("node3", "'node1'"), .said_by = all};
    for (int came_back = 0; came_back < 2; came_back++) {
        struct lesson *l = received();
        lesson_begin_action(l, 6);
        lesson_action_ended(l, 6, 0);
        observe_times(l, came_back ? &node1s : &others, 2);
        assert_int_equal(l->steps[6].state, STEP_SEEN);
        for (int screen = 0; screen < 2; screen++) {
            assert_shown(l, 6, "What hello held was in node1's memory alone.", "when it is back");
            assert_shown(l, 6, came_back ? "node1 got a copy of" : "node1 got no copy of",
                         came_back ? "got no copy" : "got a copy");
            observe_times(l, came_back ? &others : &node1s, 3); /* what comes later is no part of it */
            l = left_and_opened(l);
        }
        lesson_destroy(l);
    }
}

/* node2, which took over, was stopped as well: before the learner has looked, or after. What is ticked is
 * what was there, and that it is over stands beside it. */
static void what_is_over_is_not_said_to_be_so(void **state)
{
    (void)state;
    const struct look node2_too = {
        .source = "node3",
        .policies = POLICY,
        .node1 = "not running",
        .queues = HELLO(",'was_messages':1", "stopped") "," QUEUE(
            "mirrior_hello", "node3", "", "", MESSAGES(1), "running", ",'policy':'mirrior'")};
    for (int looked = 0; looked < 2; looked++) {
        struct lesson *l = load_until_stopped();
        observe_times(l, &promoted, 2);
        if (looked)
            lesson_look(l, 4);
        observe(l, &node2_too);
        int64_t since = wall_of(now);
        observe(l, &node2_too);
        if (!looked)
            lesson_look(l, 4);
        assert_int_equal(lesson_current(l), 5);
        char *words = proof_words(&l->steps[4]);
        if (strncmp(words, "true until", 10) != 0 || !strstr(words, "then no mirror") ||
            l->steps[4].seen_wall_ms != since)
            fail_msg("looked before: %d: %s", looked, words);
        free(words);
        lesson_destroy(l);
    }
}

/* Only one of the two nodes of lesson 6 runs still when its message is taken. */
static void what_went_from_one_did_not_go_from_both(void **state)
{
    (void)state;
    const struct look both = {.policies = POLICY,
                              .queues = QUEUE("mirrior_hello", "node2", "'node3'", "'node3'", MESSAGES(0),
                                              "running", ",'policy':'mirrior'")},
                      one = {.policies = POLICY,
                             .queues = QUEUE("mirrior_hello", "node3", "", "", MESSAGES(0), "running",
                                             ",'policy':'mirrior'")};
    for (int alone = 0; alone < 2; alone++) {
        struct lesson *l = load(6);
        for (size_t i = 0; i < 4; i++)
            l->steps[i].state = STEP_SEEN;
        lesson_begin_action(l, 4);
        static const char printed[] = "received: Hello World\n1 of 2 received\n";
        lesson_output(l, 4, printed, strlen(printed));
        lesson_action_ended(l, 4, 0);
        observe_times(l, alone ? &one : &both, 2);
        assert_int_equal(l->steps[4].state, STEP_SEEN);
        assert_shown(l, 4, alone ? "not a second queue." : "It is gone from both", alone ? "both" : "none");
        lesson_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_that_came_back_is_not_denied),
        cmocka_unit_test(what_is_over_is_not_said_to_be_so),
        cmocka_unit_test(what_went_from_one_did_not_go_from_both),
    };
    return cmocka_run_group_tests_name("screen/shown", tests, NULL, NULL);
}
