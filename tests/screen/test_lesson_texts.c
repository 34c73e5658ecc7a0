/* test_lesson_texts.c: what the real lessons say at each step is on the screen to its end, in every language:
 * what a step has shown, and the question before the step that it is about; and whatever says what a key
 * does: what is missing, hints, the help, what y does. */
#include "tests/screen/languages.h"
#include "tests/screen/support.h"

#include "commands.h"
#include "lab/merge.h"
#include "lab/notice.h"
#include "words.h"

/* without what a line's end and its indentation put between words */
static char *squeezed(const char *text)
{
    struct text t = {0};
    text_add(&t, "");
    for (; *text; text++)
        if (*text != ' ' && *text != '\n')
            text_add_bytes(&t, text, 1);
    return t.s;
}

static void assert_whole(struct model *m, int width, int height, const char *words)
{
    char *frame = model_frame(m, width, height), *on_screen = squeezed(frame), *wanted = squeezed(words);
    if (!strstr(on_screen, wanted))
        fail_msg("lesson %d, %dx%d, not to its end: %s\n%s", m->lesson->number, width, height, words, frame);
    free(frame);
    free(on_screen);
    free(wanted);
}

static int longest_choice(const struct lesson_question *q, int but)
{
    int longest = but ? 0 : 1;
    for (int i = 0; q->choices[i]; i++)
        if (i != but && strlen(lesson_words(q->choices[i])) > strlen(lesson_words(q->choices[longest])))
            longest = i;
    return longest;
}

/* The lesson before its step: what the one before has shown, with the learner's wrong guess if it decides. */
static void look_at(struct lesson *l, const struct labdir *lab, size_t step)
{
    struct model m;
    model_init(&m, l, lab, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < step; i++) {
        l->steps[i].state = STEP_SEEN;
        l->steps[i].acted = true;
        l->steps[i].exit_code = 0;
    }
    if (step > 0) {
        static const char *const words[] = {"producer", NULL};
        model_ran(&m, command_of(words, (int)step - 1));
        model_output(&m, m.command, "published\n", 10);
        model_ended(&m, m.command, 0);
    }
    char *question = question_text(&m);
    assert_int_equal(question != NULL, step == l->predict.step);
    for (int width = 40; question && width < 120;
         width += 5) /* from the smallest on; beside it: view_lesson */
        for (int height = 12; height < 40; height += 2)
            assert_whole(&m, width, height, question);
    free(question);
    l->predict.said = longest_choice(&l->predict, -1);
    l->predict.was = longest_choice(&l->predict, l->predict.said);
    if (step > 0 && step < l->steps_len && l->steps[step - 1].result) {
        assert_whole(&m, 80, 24, lesson_words(l->steps[step - 1].result));
        assert_whole(&m, 60, 20, lesson_words(l->steps[step - 1].result));
    }
    if (step == l->predict.decided + 1) {
        char *outcome = outcome_text(&m);
        assert_whole(&m, 80, 24, outcome);
        free(outcome);
    }
    l->predict.said = l->predict.was = -1;
    model_finish(&m);
}

static void in_every_lesson(void (*look)(struct lesson *l, const struct labdir *lab, size_t step))
{
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct labdir lab = {0};
        labdir_defaults(&lab, ENGINE_KIT, 3);
        struct lesson *l = lesson_load(numbers[i], &lab, &error);
        assert_non_null(l);
        for (size_t step = 0; step <= l->steps_len; step++)
            look(l, &lab, step);
        lesson_destroy(l);
    }
}

static void every_text_is_whole(void **state)
{
    (void)state;
    in_every_lesson(look_at);
}

/* ---- what says what a key does
 * ------------------------------------------------------------------------------------------------ */

/* A step's words stay while other rows come and go. */
static void of_no_place(struct lesson *l, const struct labdir *lab, size_t step)
{
    static const char *const places[] = {"below", "above"};
    (void)lab;
    if (step == l->steps_len)
        return;
    const struct lesson_step *s = &l->steps[step];
    const char *texts[] = {s->why, s->result};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t k = 0; texts[i] && k < ARRAY_LEN(places); k++)
            if (strstr(texts[i], places[k]))
                fail_msg("lesson %d, what is %s may have gone: %s", l->number, places[k], texts[i]);
}

static void no_text_points_at_what_may_go(void **state)
{
    (void)state;
    in_every_lesson(of_no_place);
}

static void begin_at(struct lesson *l, size_t step)
{
    for (size_t i = 0; i < l->steps_len; i++) {
        l->steps[i].state = i < step ? STEP_SEEN : STEP_OPEN;
        l->steps[i].acted = i < step;
        l->steps[i].exit_code = 0;
    }
}

/* whatever the lesson finds missing in these labs */
static void missing_at(struct model *m, size_t step)
{
    static const char *const labs[] = {"empty", "stopped", "down", "cut", "apart", "rest"};
    struct command *run = NULL;
    struct lesson_step *s = &m->lesson->steps[step];
    for (size_t i = 0; i < ARRAY_LEN(labs); i++) {
        struct snapshot *lab = load_snapshot(labs[i]);
        lab->number = step * ARRAY_LEN(labs) + i + 1; /* each is a look of its own */
        lesson_observe(m->lesson, lab);
        snapshot_destroy(lab);
        begin_at(m->lesson, step);
        if (!s->lacks)
            continue;
        char *lacks = step_lacks(m, s);
        assert_whole(m, 80, 24, lacks);
        model_key(m, 'n', &run);
        assert_null(run);
        assert_whole(m, 80, 24, model_message(m));
        free(lacks);
    }
}

/* At its step: what n runs; with something missing, what helps. After it was run: what copies it, and, n
 * pressed in vain, what helps then. */
static void keys_at(struct lesson *l, const struct labdir *lab, size_t step)
{
    struct model m;
    struct command *run = NULL;
    if (step == l->steps_len)
        return;
    model_init(&m, l, lab, false, false);
    see(&m, "rest");
    begin_at(l, step);
    struct lesson_step *s = &l->steps[step];
    struct command *c = s->action ? command_step(&m, step) : NULL;
    if (c) {
        char *runs = format_text(_("n runs: %s"), c->text);
        assert_whole(&m, 80, 24, runs);
        free(runs);
    }
    missing_at(&m, step);
    free(s->lacks);
    s->lacks = NULL; /* what is run lacks nothing */
    s->acted = true;
    if (c) {
        model_ran(&m, c);
        model_output(&m, c, "done\n", 5);
        model_ended(&m, c, 0);
        assert_whole(&m, 80, 24, _("y copies it"));
        s->exit_code = 1;
        char *failed = step_failed_text(&m, s);
        assert_whole(&m, 80, 24, failed);
        free(failed);
        s->exit_code = 0;
    }
    model_key(&m, 'n', &run);
    assert_null(run);
    assert_whole(&m, 80, 24, model_message(&m));
    s->acted = false;
    model_finish(&m);
}

static void every_key_is_said_to_its_end(void **state)
{
    (void)state;
    in_every_lesson(keys_at);
}

#define LONG_NAME "orders-of-today-that-wait-for-a-payment"

/* Of each queue of the lesson, and one with a long name, however its messages are kept; the newest event is
 * the hint. It is told once the question was asked (predict.h). */
static void hints_of(struct lesson *l, const struct labdir *lab, size_t step)
{
    static const int persistent[] = {0, 1, 2};
    if (step)
        return;
    begin_at(l, l->predict.step + 1);
    const char *queues[8] = {LONG_NAME};
    for (size_t i = 0; l->queues[i] && i + 2 < ARRAY_LEN(queues); i++)
        queues[i + 1] = l->queues[i];
    for (const char **queue = queues; *queue; queue++)
        for (size_t i = 0; i < ARRAY_LEN(persistent); i++) {
            struct model m;
            struct snapshot *s = load_snapshot("rest"), *next = snapshot_clone(s);
            s->queues[0].messages = 0; /* so this is news */
            free(next->queues[0].name);
            next->queues[0].name = xstrdup(*queue);
            next->queues[0].messages = 2;
            next->queues[0].persistent = persistent[i];
            next->queues[0].durable = true;
            next->queues[0].mirrors = next->queues[0].synced = 0;
            struct snapshot *replaced = xcalloc(1, sizeof(*replaced)); /* notice_events makes the list anew */
            replaced->events = next->events;
            replaced->events_len = next->events_len;
            next->events = NULL;
            next->events_len = 0;
            struct node_answer answers[LIMIT_NODES] = {{.has_feed = true}};
            size_t before = s->events_len;
            notice_events(next, answers, next->nodes_len, s, 0);
            assert_true(next->events_len > before);
            model_init(&m, l, lab, false, false);
            model_observe(&m, next);
            m.now = next->taken_at;
            char *words = event_words(&next->events[next->events_len - 1]);
            assert_string_equal(next->events[next->events_len - 1].kind, "hint");
            assert_whole(&m, 80, 24, words);
            free(words);
            model_finish(&m);
            snapshot_destroy(s);
            snapshot_destroy(next);
            snapshot_destroy(replaced);
        }
}

static void every_hint_is_whole(void **state)
{
    (void)state;
    in_every_lesson(hints_of);
}

/* at every place of it, in every size */
static void the_help_is_never_cut(void **state)
{
    (void)state;
    static const int sizes[][2] = {{80, 24}, {100, 30}, {60, 20}, {60, 16}, {40, 12}};
    struct model m;
    struct command *run;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        model_init(&m, NULL, NULL, false, false);
        see(&m, "rest");
        model_key(&m, '?', &run);
        for (int from = 0; from < 250; from++) {
            char *frame = model_frame(&m, sizes[i][0], sizes[i][1]);
            assert_lacks(frame, "..");
            free(frame);
            model_key(&m, 'j', &run);
        }
        assert_int_equal(m.overlay, OVERLAY_HELP);
        model_finish(&m);
    }
}

/* In one row stands as much of it as fits, clause by clause. */
static void what_to_press_is_not_cut(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    static const struct {
        int width;
        const char *says;
    } all[] = {{78, "\nPress n to run the step marked >. Watch what the nodes report; e explains.\n"},
               {70, "\nPress n to run the step marked >. Watch what the nodes report\n"},
               {40, "\nPress n to run the step marked >\n"}};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char *frame = model_frame(&m, all[i].width, 16);
        assert_contains(frame, all[i].says);
        free(frame);
    }
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"no_text_points_at_what_may_go", no_text_points_at_what_may_go, english, NULL, NULL},
        {"every_text_is_whole, English", every_text_is_whole, english, NULL, NULL},
        {"every_text_is_whole, Chinese", every_text_is_whole, chinese, english, NULL},
        {"every_key_is_said_to_its_end, English", every_key_is_said_to_its_end, english, NULL, NULL},
        {"every_key_is_said_to_its_end, Chinese", every_key_is_said_to_its_end, chinese, english, NULL},
        {"every_hint_is_whole, English", every_hint_is_whole, english, NULL, NULL},
        {"every_hint_is_whole, Chinese", every_hint_is_whole, chinese, english, NULL},
        {"what_to_press_is_not_cut", what_to_press_is_not_cut, english, NULL, NULL},
        {"the_help_is_never_cut, English", the_help_is_never_cut, english, NULL, NULL},
        {"the_help_is_never_cut, Chinese", the_help_is_never_cut, chinese, english, NULL},
    };
    return cmocka_run_group_tests_name("screen/lesson_texts", tests, NULL, NULL);
}
