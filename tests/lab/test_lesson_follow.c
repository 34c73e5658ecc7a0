/* test_lesson_follow.c: the screen that acts keeps its lesson whenever it changes, and one that only looks
 * shows it so, whatever it sees of the nodes itself. */
#include <sys/stat.h>

#include "lab/lab_screen.h"
#include "lab/lesson_private.h"
#include "tests/lab/look.h"
#include "tests/temporary.h"

/* Two screens of a lab: one acts, the other looks on. */
struct two {
    struct labdir lab;
    struct lesson *acting, *shown;
};

static struct two two_begin(void)
{
    struct two t = {.acting = load(7), .shown = load(7)};
    labdir_defaults(&t.lab, ENGINE_KIT, 3);
    assert_true(temporary_folder_in(t.lab.path, sizeof(t.lab.path), "follow"));
    return t;
}

static void two_end(struct two *t)
{
    lesson_destroy(t->acting);
    lesson_destroy(t->shown);
    lesson_forget_all(&t->lab);
    assert_int_equal(rmdir(t->lab.path), 0); /* and nothing else was written */
}

/* the one that acts has looked, or was told something */
static void kept(struct two *t)
{
    assert_int_equal(lesson_keep_changes(t->acting, &t->lab, t->acting->account), 0);
    lesson_follow(&t->shown, &t->lab, true);
}

static void both_look(struct two *t, const struct look *look, int times)
{
    for (int i = 0; i < times; i++) {
        struct snapshot *s = take(look);
        lesson_observe(t->acting, s);
        kept(t);
        lesson_observe(t->shown, s);
        snapshot_destroy(s);
    }
}

static void runs(struct two *t, size_t step)
{
    lesson_begin_action(t->acting, step);
    kept(t);
    assert_true(t->shown->steps[step].acted);
    assert_int_equal(t->shown->steps[step].exit_code, -1);
    lesson_action_ended(t->acting, step, 0);
    kept(t);
    assert_int_equal(t->shown->steps[step].exit_code, 0);
}

static void same_steps(const struct two *t, size_t current)
{
    assert_int_equal(lesson_current(t->acting), current);
    assert_int_equal(lesson_current(t->shown), current);
    for (size_t i = 0; i < current; i++) {
        const struct lesson_step *a = &t->acting->steps[i], *s = &t->shown->steps[i];
        assert_int_equal(s->state, a->state);
        assert_int_equal(s->seen_wall_ms, a->seen_wall_ms);
        assert_true(json_equal(s->seen, a->seen));
    }
}

/* lesson 7 as both show it until node1 was stopped, and its question answered */
static void until_stopped(struct two *t)
{
    runs(t, 0);
    both_look(t, &policy_set, 2);
    same_steps(t, 1);
    runs(t, 1);
    both_look(t, &compared, 2);
    runs(t, 2);
    both_look(t, &mirrored, 2);
    same_steps(t, 3);
    assert_true(lesson_answer(t->acting, 1));
    kept(t);
    assert_int_equal(t->shown->predict.said, 1);
    runs(t, 3);
    both_look(t, &node1_stopped, 2);
    same_steps(t, 4);
}

static void what_is_looked_at_is_ticked_there_too(void **state)
{
    (void)state;
    struct two t = two_begin();
    until_stopped(&t);
    both_look(&t, &promoted, 3);
    same_steps(&t, 4); /* the learner has still to look */
    lesson_look(t.acting, 4);
    kept(&t);
    same_steps(&t, 5);
    assert_int_equal(t.acting->predict.was, 1);
    assert_int_equal(t.shown->predict.was, 1);
    two_end(&t);
}

/* What the nodes show it alone it leaves to the one that acts: no tick, none that is over, no outcome. */
static void the_one_that_looks_ticks_nothing(void **state)
{
    static const struct look none = {0};
    (void)state;
    struct two t = two_begin();
    kept(&t);
    observe_times(t.shown, &policy_set, 4);
    assert_int_equal(lesson_current(t.shown), 0);
    until_stopped(&t);
    observe_times(t.shown, &promoted, 4);
    assert_int_equal(t.shown->predict.was, -1);
    observe_times(t.shown, &none, 4);
    assert_int_equal(t.shown->steps[0].state, STEP_SEEN);

    lesson_begin_action(t.acting, 5); /* and its screen is killed meanwhile */
    kept(&t);
    assert_true(t.shown->steps[5].acted);
    assert_int_equal(t.shown->steps[5].exit_code, -1);
    assert_true(lesson_follow(&t.shown, &t.lab, false));
    assert_false(t.shown->steps[5].acted); /* nobody knows how it ended */
    observe_times(t.shown, &none, 2);      /* from now on it looks by itself */
    assert_int_equal(t.shown->steps[0].state, STEP_WAS);
    assert_false(lesson_follow(&t.shown, &t.lab, false)); /* nothing new is kept: what it saw stays */
    assert_int_equal(t.shown->steps[0].state, STEP_WAS);
    two_end(&t);
}

static void a_lesson_that_begins_again(void **state)
{
    (void)state;
    struct two t = two_begin();
    char *error = NULL;
    until_stopped(&t);
    lesson_destroy(t.acting); /* as B does it */
    t.acting = lesson_load(7, &t.lab, &error);
    assert_non_null(t.acting);
    assert_int_equal(lesson_forget(t.acting, &t.lab), 0);
    kept(&t);
    same_steps(&t, 0);
    assert_int_equal(t.shown->predict.said, -1);
    assert_false(t.shown->steps[0].acted);
    two_end(&t);
}

/* What became of the queues the one that acts says at once, though it may find more in the next seconds. */
static void the_account_so_far(void **state)
{
    (void)state;
    struct two t = two_begin();
    json_t *first = json_string("hello: 1 message is lost."), *more = json_string("hello: all is there.");
    for (size_t i = 0; i < t.acting->steps_len; i++) {
        t.acting->steps[i].state = STEP_SEEN;
        t.acting->steps[i].seen = json_string("so");
    }
    kept(&t);
    same_steps(&t, t.acting->steps_len);
    assert_null(t.shown->account); /* nothing was said yet, and that is not "there is nothing to tell" */
    assert_int_equal(lesson_keep_changes(t.acting, &t.lab, first), 0);
    lesson_follow(&t.shown, &t.lab, true);
    assert_true(json_equal(t.shown->account, first));
    t.acting->account = more;
    kept(&t);
    assert_true(json_equal(t.shown->account, more));
    json_decref(first);
    two_end(&t);
}

static struct stat kept_file(const struct labdir *lab)
{
    char *file = format_text("%s/%s", lab->path, LAB_LESSON_FILE);
    struct stat st = {0};
    if (stat(file, &st))
        st = (struct stat){0};
    free(file);
    return st;
}

/* A look writes what has changed, and else nothing: a file that is written is another file. */
static void what_has_not_changed_is_not_written(void **state)
{
    (void)state;
    struct two t = two_begin();
    observe_times(t.acting, &(struct look){0}, 2);
    kept(&t);
    assert_int_equal(kept_file(&t.lab).st_ino, 0); /* nothing was begun */
    lesson_begin_action(t.acting, 0);
    kept(&t);
    ino_t first = kept_file(&t.lab).st_ino;
    assert_int_not_equal(first, 0);
    char *link_name = format_text("%s/first", t.lab.path), *file = format_text("%s/lesson.json", t.lab.path);
    assert_int_equal(link(file, link_name), 0); /* so that its number is not given to another one */
    for (int i = 0; i < 5; i++)
        both_look(&t, &(struct look){0}, 1);
    assert_int_equal(kept_file(&t.lab).st_ino, first);
    both_look(&t, &policy_set, 2);
    ino_t ticked = kept_file(&t.lab).st_ino;
    assert_int_not_equal(ticked, first);
    assert_int_equal(unlink(link_name), 0);
    free(link_name);
    free(file);

    t.acting->steps[0].state = STEP_OPEN; /* nothing of it is left: it is forgotten */
    t.acting->steps[0].acted = false;
    kept(&t);
    same_steps(&t, 0);
    two_end(&t);
}

static void who_acts_is_known_until_it_ends(void **state)
{
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "screen"));
    assert_int_equal(lab_screen_lesson(&lab), 0);
    int first = lab_screen_begins(&lab, 6);
    assert_true(first >= 0);
    assert_int_equal(lab_screen_lesson(&lab), 6);
    int next = lab_screen_begins(&lab, 7); /* its next lesson, before it ends this one */
    assert_true(next >= 0);
    lab_screen_ends(first);
    assert_int_equal(lab_screen_lesson(&lab), 7);
    assert_int_equal(lab_screen_lesson(&lab), 7); /* asking changes nothing */
    lab_screen_ends(next);
    assert_int_equal(lab_screen_lesson(&lab), 0);
    char *file = format_text("%s/screen", lab.path);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(lab.path), 0);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_looked_at_is_ticked_there_too),
        cmocka_unit_test(the_one_that_looks_ticks_nothing),
        cmocka_unit_test(a_lesson_that_begins_again),
        cmocka_unit_test(the_account_so_far),
        cmocka_unit_test(what_has_not_changed_is_not_written),
        cmocka_unit_test(who_acts_is_known_until_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
