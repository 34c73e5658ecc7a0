/* test_lesson_texts.c: what the real lessons say at each step is on the screen to its end, in every language:
 * what a step has shown, and the question before the step that it is about. */
#include "tests/screen/support.h"

#include "commands.h"
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
    if (question) {
        assert_whole(&m, 80, 24, question);
        assert_whole(&m, 60, 20, question);
    }
    free(question);
    l->predict.said = longest_choice(&l->predict, -1);
    l->predict.was = longest_choice(&l->predict, l->predict.said);
    if (step > 0 && step < l->steps_len && l->steps[step - 1].result)
        assert_whole(&m, 80, 24, lesson_words(l->steps[step - 1].result));
    if (step == l->predict.decided + 1) {
        char *outcome = outcome_text(&m);
        assert_whole(&m, 80, 24, outcome);
        free(outcome);
    }
    l->predict.said = l->predict.was = -1;
    model_finish(&m);
}

static void every_text_is_whole(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        char *error = NULL;
        struct labdir lab = {0};
        labdir_defaults(&lab, ENGINE_KIT, 3);
        struct lesson *l = lesson_load(numbers[i], &lab, &error);
        assert_non_null(l);
        for (size_t step = 0; step <= l->steps_len; step++)
            look_at(l, &lab, step);
        lesson_destroy(l);
    }
}

static int english(void **state)
{
    (void)state;
    words_of_document("x.md");
    return 0;
}

static int chinese(void **state)
{
    (void)state;
    words_of_document("x.zh-CN.md");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"every_text_is_whole, English", every_text_is_whole, english, NULL, NULL},
        {"every_text_is_whole, Chinese", every_text_is_whole, chinese, english, NULL},
    };
    return cmocka_run_group_tests_name("screen/lesson_texts", tests, NULL, NULL);
}
