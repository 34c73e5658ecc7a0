/* test_lesson_kept.c: what was seen of each lesson is found again when one comes back to it
 * (DIR/lesson.json), and what of each step: its time, what it printed. */
#include "lab/lesson_private.h"
#include "tests/lab/look.h"
#include "tests/temporary.h"

/* as if its first n steps had been proved */
static void prove(struct lesson *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        l->steps[i].state = STEP_SEEN;
        l->steps[i].seen_wall_ms = l->number * 1000 + (int64_t)i;
        json_decref(l->steps[i].seen);
        l->steps[i].seen = json_string("so");
    }
}

/* how many ticks a lesson that is opened now has */
static size_t ticks_kept(int of, const struct labdir *lab)
{
    struct lesson *l = load(of);
    size_t ticks = lesson_take_up(l, lab) ? lesson_current(l) : 0;
    if (ticks)
        assert_int_equal(l->steps[0].seen_wall_ms, of * 1000);
    lesson_destroy(l);
    return ticks;
}

/* Who goes on to the next lesson and comes back finds what was seen of each. */
static void every_lesson_keeps_its_ticks(void **state)
{
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "lesson-kept"));
    struct lesson *second = load(2), *third = load(3), *seventh = load(7);
    prove(second, second->steps_len);
    second->account = json_string("hello: 1 message is lost");
    second->steps[0].acted = true;
    second->steps[0].ran = xstrdup("labctl -n node1 start");
    assert_int_equal(lesson_keep(second, &lab), 0);
    prove(third, 1);
    assert_int_equal(lesson_keep(third, &lab), 0);
    assert_int_equal(lesson_keep(seventh, &lab), 0); /* looked at, and no more */
    prove(third, 2);
    assert_int_equal(lesson_keep(third, &lab), 0);
    assert_int_equal(ticks_kept(2, &lab), second->steps_len);
    assert_int_equal(ticks_kept(3, &lab), 2);
    assert_int_equal(ticks_kept(7, &lab), 0);

    struct lesson *anew = load(2);
    assert_true(lesson_take_up(anew, &lab));
    assert_string_equal(anew->steps[0].ran, "labctl -n node1 start");
    lesson_begin_action(anew, 0); /* the next run of it may be another */
    assert_null(anew->steps[0].ran);
    assert_string_equal(json_string_value(anew->account), "hello: 1 message is lost");
    assert_int_equal(lesson_forget(third, &lab), 0); /* it begins again, that one alone */
    assert_int_equal(ticks_kept(3, &lab), 0);
    assert_int_equal(ticks_kept(2, &lab), second->steps_len);
    lesson_destroy(anew);

    /* there are never more than there can be lessons, and the newest stay */
    for (int other = 101; other < 250; other++) {
        third->number = other;
        assert_int_equal(lesson_keep(third, &lab), 0);
    }
    char *file = format_text("%s/lesson.json", lab.path);
    json_t *kept = json_load_file(file, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(kept, "lessons")), 99);
    assert_int_equal(ticks_kept(2, &lab), 0);
    json_decref(kept);
    lesson_forget_all(&lab);
    free(file);
    third->number = 3;
    lesson_destroy(second);
    lesson_destroy(third);
    lesson_destroy(seventh);
    assert_int_equal(rmdir(lab.path), 0);
}

/* A lab that an earlier kit has left: one lesson, and no list. */
static void the_file_of_an_earlier_kit_is_read(void **state)
{
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "lesson-kept"));
    struct lesson *l = load(2), *other = load(3);
    char *file = format_text("%s/lesson.json", lab.path);
    json_t *steps = json_array();
    for (size_t i = 0; i < l->steps_len; i++)
        json_array_append_new(steps,
                              json_pack("{s:s, s:b, s:s, s:i, s:s}", "title", l->steps[i].title, "acted", 0,
                                        "state", "seen", "seen_wall_ms", 2000, "seen", "so"));
    json_t *old = json_pack("{s:i, s:o, s:{s:i}}", "lesson", 2, "steps", steps, "most_messages", "hello", 1);
    assert_int_equal(json_dump_file(old, file, 0), 0);
    json_decref(old);
    assert_int_equal(ticks_kept(2, &lab), l->steps_len);
    assert_true(lesson_take_up(l, &lab));
    assert_string_equal(json_string_value(l->account), ""); /* it was told, and is not known any more */
    prove(other, 1);
    assert_int_equal(lesson_keep(other, &lab), 0);
    assert_int_equal(ticks_kept(2, &lab), l->steps_len);
    assert_int_equal(ticks_kept(3, &lab), 1);
    lesson_forget_all(&lab);
    free(file);
    lesson_destroy(l);
    lesson_destroy(other);
    assert_int_equal(rmdir(lab.path), 0);
}

static void what_was_seen_is_kept_with_its_time(void **state)
{
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "proof"));
    struct lesson *l = load(7), *anew = load(7);
    assert_int_equal(lesson_keep(l, &lab), 0);
    assert_false(lesson_take_up(anew, &lab)); /* nothing was done, nothing is kept */
    observe_times(l, &policy_set, 2);
    lesson_begin_action(l, 1);
    lesson_output(l, 1, "published\n", 10);
    lesson_action_ended(l, 1, 0);
    observe_times(l, &compared, 2);
    lesson_begin_action(l, 2); /* it runs when the screen is left */
    assert_int_equal(lesson_keep(l, &lab), 0);

    struct lesson *other = load(6);
    assert_false(lesson_take_up(other, &lab));
    lesson_destroy(other);
    assert_true(lesson_take_up(anew, &lab));
    assert_int_equal(lesson_current(anew), 2);
    assert_int_equal(anew->steps[1].state, STEP_SEEN);
    assert_int_equal(anew->steps[1].seen_wall_ms, l->steps[1].seen_wall_ms);
    assert_true(json_equal(anew->steps[1].seen, l->steps[1].seen));
    assert_true(anew->steps[1].acted);
    assert_string_equal(anew->steps[1].output, "published\n");
    assert_false(anew->steps[2].acted); /* nobody knows how it ended */
    const struct queue_count *most = map_get_str(&lesson_full(anew)->counts, "hello");
    assert_non_null(most);
    assert_int_equal(most->most, 1);

    const struct look none = {0}; /* the nodes do not show it any more */
    observe(anew, &none);
    int64_t missed = wall_of(now);
    observe(anew, &none);
    assert_int_equal(anew->steps[0].state, STEP_WAS);
    assert_int_equal(anew->steps[0].seen_wall_ms, missed);
    assert_int_equal(anew->steps[1].state, STEP_SEEN); /* that was published is so still */

    assert_int_equal(lesson_forget(l, &lab), 0);
    struct lesson *third = load(7);
    assert_false(lesson_take_up(third, &lab));
    lesson_destroy(third);
    lesson_destroy(anew);
    lesson_destroy(l);
    lesson_forget_all(&lab);
    assert_int_equal(rmdir(lab.path), 0);
}

/* Two screens of one lab at the same lesson: who has seen less leaves what the other one has seen, until that
 * is begun again. */
static void who_has_seen_less_takes_nothing_away(void **state)
{
    (void)state;
    struct labdir lab = {0};
    assert_true(temporary_folder_in(lab.path, sizeof(lab.path), "two"));
    struct lesson *more = load(7), *less = load(7), *next = load(7), *anew = load(7);
    observe_times(more, &policy_set, 2);
    observe_times(more, &compared, 2);
    observe_times(less, &policy_set, 2);
    assert_int_equal(lesson_keep(more, &lab), 0);
    assert_int_equal(lesson_keep(less, &lab), 0);
    assert_int_equal(lesson_keep_changes(less, &lab, NULL), 0);
    assert_true(lesson_take_up(next, &lab));
    assert_int_equal(lesson_current(next), 2);
    assert_int_equal(lesson_forget(more, &lab), 0); /* B */
    assert_int_equal(lesson_keep(less, &lab), 0);
    assert_true(lesson_take_up(anew, &lab));
    assert_int_equal(lesson_current(anew), 1);
    lesson_destroy(more);
    lesson_destroy(less);
    lesson_destroy(next);
    lesson_destroy(anew);
    lesson_forget_all(&lab);
    assert_int_equal(rmdir(lab.path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lesson_keeps_its_ticks),
        cmocka_unit_test(the_file_of_an_earlier_kit_is_read),
        cmocka_unit_test(what_was_seen_is_kept_with_its_time),
        cmocka_unit_test(who_has_seen_less_takes_nothing_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
