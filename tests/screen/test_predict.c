/* test_predict.c: predict first: in every lesson, on every view, what would answer its question is told when
 * the step that asks was run, and not before; what nodes report is told at any time. On the model alone. */
#include "tests/screen/support.h"

#include "tests/screen/story.h"

static void look(struct model *m, struct story *t)
{
    struct snapshot *now = story_look(t);
    model_observe(m, now);
    m->now = now->taken_at;
    snapshot_destroy(now);
}

/* A transient message whose only node was stopped; a hint told of it before. */
static void begin(struct model *m, struct story *t, struct lesson *l)
{
    model_init(m, l, NULL, false, false);
    story_begin(t, 3, "hello");
    story_published(t, 0, 0, 0, 0, 0);
    t->s->trace[0].in_memory = true;
    story_event(t, "hint", 100000, "hello has ONE copy, in memory: stopping node1 loses it");
    story_holds(t, 0, 'M', 0, 0);
    look(m, t);
    story_down(t, 0, 2000000);
    look(m, t);
}

/* the step before this one is over; this one was run, or not */
static void be_at(struct lesson *l, size_t step, bool acted)
{
    for (size_t i = 0; i < l->steps_len; i++) {
        l->steps[i].state = i < step ? STEP_SEEN : STEP_OPEN;
        l->steps[i].acted = i < step || (i == step && acted);
        l->steps[i].exit_code = 0;
    }
}

/* each view, and what opens in it, holds this, or does not */
static void assert_shown(struct model *m, const char *keys, const char *part, bool there)
{
    struct command *run;
    types(m, keys, &run);
    char *frame = model_frame(m, 100, 40);
    assert_contains_(frame, part, there, __FILE__, __LINE__);
    free(frame);
    if (strcmp(keys, "3e") == 0)
        types(m, "e", &run);
}

static void assert_told(struct model *m, bool told)
{
    static const char *const views[] = {"1", "2", "3", "3e", "4", "1\r"};
    static const char *const words[] = {"ONE copy", "Expected lost", "memory alone", "in memory"};
    assert_shown(m, "1", "ONE copy", told);
    assert_shown(m, "2", "ONE copy", told);
    assert_shown(m, "3e", "ONE copy", told);
    assert_shown(m, "3", "Expected lost", told);
    assert_shown(m, "3", "stopped: memory alone held #1", told);
    assert_shown(m, "1\r", "#1 in memory alone, on node1: away", told);
    for (size_t v = 0; v < ARRAY_LEN(views) && !told; v++)
        for (size_t w = 0; w < ARRAY_LEN(words); w++)
            assert_shown(m, views[v], words[w], false);
    /* what is seen is shown all the time */
    assert_shown(m, "2", "node1 was stopped", true);
    assert_shown(m, "3", "VERDICT #1 UNAVAILABLE", true);
    assert_shown(m, "3", "X stopped", true);
    assert_shown(m, "3", "transient: its only copies are on node1, away. What to expect is told after",
                 !told);
}

static void nothing_answers_before_the_learner_does(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    assert_true(n >= 5);
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct labdir lab = {0};
        struct model m;
        struct story t;
        labdir_defaults(&lab, ENGINE_KIT, 3);
        struct lesson *l = lesson_load(numbers[i], &lab, &error);
        assert_non_null(l);
        assert_non_null(l->predict.text);
        be_at(l, 0, false);
        begin(&m, &t, l);
        for (size_t step = 0; step <= l->predict.step; step++) {
            be_at(l, step, false);
            assert_told(&m, false);
        }
        assert_true(lesson_answer(
            l, lesson_next_answer(l))); /* A goes through the choices: the first is not the last word */
        assert_told(&m, false);
        be_at(l, l->predict.step, true);
        l->steps[l->predict.step].exit_code = -1; /* it runs */
        assert_told(&m, false);
        l->steps[l->predict.step].exit_code = 1; /* it failed: the question, and what was said, stand there */
        assert_told(&m, false);
        assert_shown(&m, "4", "Before you look: ", true);
        assert_shown(&m, "4", "you say a", true);
        assert_shown(&m, "4", l->steps[l->predict.step].wait_text, false);
        be_at(l, l->predict.step, true);
        assert_told(&m, true);
        be_at(l, l->steps_len, true);
        assert_told(&m, true);
        be_at(l, 0, false); /* begun again: what stood in the list stays, and nothing new is told */
        look(&m, &t);
        assert_shown(&m, "2", "hello has ONE copy, in memory", true);
        story_event(&t, "hint", 4000000, "hello has ONE copy: as before");
        look(&m, &t);
        assert_shown(&m, "2", "hello has ONE copy, in memory", true);
        assert_shown(&m, "2", "as before", false);
        assert_shown(&m, "3", "Expected lost", false);
        story_end(&t);
        model_finish(&m);
        lesson_destroy(l);
    }
}

/* Without a question everything is told. */
static void without_a_lesson_nothing_is_held_back(void **state)
{
    (void)state;
    struct model m;
    struct story t;
    begin(&m, &t, NULL);
    assert_shown(&m, "2", "ONE copy", true);
    assert_shown(&m, "3", "Expected lost", true);
    story_end(&t);
    model_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_answers_before_the_learner_does),
        cmocka_unit_test(without_a_lesson_nothing_is_held_back),
    };
    return cmocka_run_group_tests_name("screen/predict", tests, NULL, NULL);
}
