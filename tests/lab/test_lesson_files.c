/* test_lesson_files.c: every lesson that is there can be read, fits the screen, and its programs grow from
 * the lesson before by added lines only; a wrong lesson.cfg is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/vec.h"
#include "lab/lesson.h"
#include "lab/lesson_private.h"
#include "lab/proof_private.h"
#include "tests/temporary.h"

static struct lesson *load(int number, const struct labdir *lab)
{
    char *error = NULL;
    struct lesson *l = lesson_load(number, lab, &error);
    if (!l)
        print_message("%s\n", error);
    assert_non_null(l);
    return l;
}

static void every_lesson_loads_for_a_lab_of_its_size(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    assert_true(n >= 5);
    for (size_t i = 0; i < n; i++) {
        struct lesson *plain = load(numbers[i], NULL);
        struct labdir lab = {0};
        labdir_defaults(&lab, ENGINE_KIT, (size_t)plain->nodes);
        struct lesson *l = load(numbers[i], &lab);
        assert_int_equal(l->number, numbers[i]);
        assert_true(strlen(l->title) <= 60);
        size_t longest = 0; /* the proofs stand in a column after the longest title */
        for (size_t s = 0; s < l->steps_len; s++) {
            size_t before = l->steps[s].before ? strlen(l->steps[s].before) : 0;
            longest = strlen(l->steps[s].title) > longest ? strlen(l->steps[s].title) : longest;
            longest = before > longest ? before : longest;
        }
        for (size_t s = 0; s < l->steps_len; s++) {
            const struct lesson_step *step = &l->steps[s];
            if (strlen(step->title) > 40 || longest + 10 + strlen("wait: ") + strlen(step->wait_text) > 80)
                fail_msg("lesson %d step %zu: \"%s\", \"%s\": too long for 80 columns", l->number, s + 1,
                         step->title, step->wait_text);
            for (size_t w = 0; step->action && step->action[w]; w++)
                assert_int_not_equal(step->action[w][0], '@'); /* every placeholder was filled in */
        }
        lesson_destroy(plain);
        lesson_destroy(l);
    }
}

/* "lesson 4", "第 4 课": what a lesson's files name is there to be opened. */
static void expect_lessons_named(const char *lesson, const char *text, const char *before, const int *numbers,
                                 size_t n)
{
    for (const char *at = text; (at = strstr(at, before)); at += strlen(before)) {
        const char *digits = at + strlen(before) + strspn(at + strlen(before), " ");
        int number = atoi(digits);
        bool found = number == 0; /* no number: "the next lesson" */
        for (size_t i = 0; i < n; i++)
            found = found || numbers[i] == number;
        if (!found)
            fail_msg("%s names %s %d, which is not there", lesson, before, number);
    }
}

static void only_lessons_that_are_there_are_named(void **state)
{
    (void)state;
    static const char *const files[] = {"lesson.cfg", "README.md", "README.zh-CN.md"};
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++)
        for (size_t f = 0; f < ARRAY_LEN(files); f++) {
            struct lesson *l = load(numbers[i], NULL);
            char *path = format_text("%s/%s", l->folder, files[f]);
            static char text[65536];
            FILE *file = fopen(path, "r");
            assert_non_null(file);
            text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
            fclose(file);
            expect_lessons_named(path, text, "lesson ", numbers, n);
            expect_lessons_named(path, text, "第 ", numbers, n);
            free(path);
            lesson_destroy(l);
        }
}

/* Every lesson asks once, at a step that runs something, before that is run; what would answer it (the title
 * of the step that decides, what that waits for) is told later. */
static void a_question_is_not_answered_before_its_step(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        const struct lesson_question *q = &l->predict;
        assert_non_null(q->text);
        assert_true(q->choices[0] && q->choices[1]);
        assert_true(q->decided >= q->step);
        assert_non_null(l->steps[q->step].action);
        assert_non_null(l->steps[q->decided].before);
        for (size_t s = 0; s < q->decided; s++) {
            assert_int_equal(lesson_asks(l), s == q->step);
            assert_false(lesson_step_reached(l, q->decided));
            lesson_begin_action(l, s);
            assert_false(lesson_asks(l));
            lesson_action_ended(l, s, 1); /* it failed, and has answered nothing */
            assert_int_equal(lesson_asks(l), s == q->step);
            assert_true(s > q->step || lesson_to_predict(l));
            assert_true(s != q->step || !lesson_step_reached(l, s));
            lesson_action_ended(l, s, 0);
            assert_false(lesson_asks(l));
            assert_int_equal(lesson_to_predict(l), s < q->step);
            l->steps[s].state = STEP_SEEN;
        }
        assert_int_equal(lesson_asks(l), q->decided == q->step);
        assert_false(lesson_step_reached(l, q->decided));
        lesson_action_ended(l, q->decided, 0);
        assert_false(lesson_asks(l));
        assert_true(lesson_step_reached(l, q->decided));
        assert_false(lesson_step_told(l, q->decided)); /* run is not seen */
        l->steps[q->decided].state = STEP_HALF;
        assert_false(lesson_step_told(l, q->decided));
        l->steps[q->decided].state = STEP_SEEN;
        assert_true(lesson_step_told(l, q->decided));
        lesson_destroy(l);
    }
}

static bool runs(const struct lesson_step *s, const char *verb)
{
    for (size_t w = 0; s->action && s->action[w]; w++)
        if (strcmp(s->action[w], verb) == 0)
            return true;
    return false;
}

/* What silence ticks a killed node ticks, too: what the step says of a stop is no more than what is done and
 * seen; and no step runs into nothing because its node runs, or its queue is empty. */
static void a_step_says_first_what_it_does_and_then_what_it_has_shown(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers)), stops = 0;
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        for (size_t s = 0; s < l->steps_len; s++) {
            const struct lesson_step *step = &l->steps[s];
            const struct step_proof *proof = step->proof;
            if (!step->why)
                fail_msg("lesson %d step %zu does not say what it does", l->number, s + 1);
            /* a title that tells the outcome has another one before, and then there is a result to tell */
            if (step->before && strcmp(step->before, step->title) != 0 && !step->result &&
                s + 1 < l->steps_len && l->number != 6)
                fail_msg("lesson %d step %zu has no result", l->number, s + 1);
            if (!runs(step, "stop_app"))
                continue;
            stops++;
            assert_true(proof->needs_len >= 1); /* there is something to lose */
            assert_non_null(step->result);      /* why may speak of a stop, and it may have been a kill */
        }
        lesson_destroy(l);
    }
    assert_int_equal(stops, 4);
}

/* Of what a step lacks that is said first which only the lesson's beginning brings back: what else one does
 * about the others would be in vain. */
static void what_only_beginning_again_helps_is_said_first(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        for (size_t s = 0; s < l->steps_len; s++) {
            const struct step_proof *proof = l->steps[s].proof;
            bool other = false;
            for (size_t k = 0; k < proof->needs_len; k++) {
                bool helps = strstr(proof->needs[k].say, "select") != NULL;
                if (other && !helps)
                    fail_msg("lesson %d step %zu: %s comes too late", l->number, s + 1, proof->needs[k].say);
                other = other || helps;
            }
        }
        lesson_destroy(l);
    }
}

/* the queue that the step's own action publishes to; NULL: it publishes nothing */
static const char *published(const struct lesson_step *s)
{
    const char *slash = s->action ? strrchr(s->action[0], '/') : NULL;
    if (!s->action || strcmp(slash ? slash + 1 : s->action[0], "producer") != 0)
        return NULL;
    for (size_t w = 1; s->action[w]; w++)
        if (strcmp(s->action[w - 1], "--queue") == 0)
            return s->action[w];
    return NULL;
}

/* it, or what it needs, asks for this queue's master */
static bool asks_for_master(const struct step_proof *proof, const char *queue)
{
    for (size_t k = 0; k < proof->needs_len; k++)
        for (size_t c = 0; c < proof->needs[k].facts->checks.len; c++) {
            const struct check *check = &proof->needs[k].facts->checks.items[c];
            if (check->id == CHECK_QUEUE_MASTER && strcmp(check->name, queue) == 0)
                return true;
        }
    return false;
}

/* A lesson of several nodes publishes through node1 and stops it: what it says then of the masters that were
 * there it says only if they were. */
static void a_stop_needs_the_masters_that_it_is_about(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers)), asked = 0;
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        for (size_t s = 0; s < l->steps_len && l->nodes > 1; s++)
            for (size_t before = 0; before < s && runs(&l->steps[s], "stop_app"); before++) {
                const char *queue = published(&l->steps[before]);
                if (queue && !asks_for_master(l->steps[s].proof, queue))
                    fail_msg("lesson %d step %zu does not ask where %s's master is", l->number, s + 1, queue);
                asked += queue != NULL;
            }
        lesson_destroy(l);
    }
    assert_true(asked >= 4);
}

/* What is said of a step before it is run is so then, and what it has shown is still so when a lesson's later
 * steps, or its reader, have changed it: view 4 goes on showing it. */
static void no_text_says_is_of_what_is_not_yet_or_no_more(void **state)
{
    (void)state;
    static const char *const before[] = {" now.", " would be ", "is there.", "holds both"};
    static const char *const after[] = {" are away", "copy is away", "gets no copy", "m are there",
                                        " both now", "had 1 is",     "any more",     "has nothing to",
                                        "It has no", "is back, from"};
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        for (size_t s = 0; s < l->steps_len; s++) {
            for (size_t w = 0; w < ARRAY_LEN(before); w++)
                if (strstr(l->steps[s].why, before[w]))
                    fail_msg("lesson %d step %zu: %s", l->number, s + 1, l->steps[s].why);
            const struct step_proof *proof = l->steps[s].proof;
            for (size_t w = 0; w < ARRAY_LEN(after); w++) {
                if (l->steps[s].result && strstr(l->steps[s].result, after[w]))
                    fail_msg("lesson %d step %zu: %s", l->number, s + 1, l->steps[s].result);
                for (size_t k = 0; k < proof->shows_len; k++)
                    if (strstr(proof->shows[k].say, after[w]))
                        fail_msg("lesson %d step %zu: %s", l->number, s + 1, proof->shows[k].say);
            }
        }
        lesson_destroy(l);
    }
    struct lesson *l = load(7, NULL);
    assert_non_null(strstr(l->predict.text, "while it is away"));
    lesson_destroy(l);
}

/* Between the question and what came of it nothing tells it: no result singles out one of several queues, and
 * a message's text is read before it is said which one came back. */
static void nothing_tells_the_outcome_before_its_step(void **state)
{
    (void)state;
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t i = 0; i < n; i++) {
        struct lesson *l = load(numbers[i], NULL);
        const struct lesson_question *q = &l->predict;
        for (size_t s = q->step; s < q->decided; s++)
            for (size_t k = 0; l->queues[0] && l->queues[1] && l->queues[k]; k++)
                if (((struct step_proof *)l->steps[s].proof)->shows_len)
                    fail_msg("lesson %d step %zu shows what step %zu is to show", l->number, s + 1,
                             q->decided + 1);
                else if (l->steps[s].result && strstr(l->steps[s].result, l->queues[k]))
                    fail_msg("lesson %d step %zu tells of %s what step %zu is to show: %s", l->number, s + 1,
                             l->queues[k], q->decided + 1, l->steps[s].result);
        lesson_destroy(l);
    }
    struct lesson *l = load(3, NULL);
    char **reads = l->steps[l->predict.decided].action;
    assert_string_equal(strrchr(reads[0], '/') ? strrchr(reads[0], '/') + 1 : reads[0], "consumer");
    lesson_destroy(l);
    l = load(7, NULL);
    assert_null(strstr(l->predict.text, "has a mirror"));
    lesson_destroy(l);
}

/* A policy of that name may be there with another definition: what is waited for is the one that it names. */
static void a_policys_wait_names_its_definition(void **state)
{
    static const int lessons[] = {6, 7};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lessons); i++) {
        struct lesson *l = load(lessons[i], NULL);
        assert_string_equal(l->steps[0].action[3], "set_policy");
        assert_non_null(strstr(l->steps[0].wait_text, "exactly 2, automatic"));
        lesson_destroy(l);
    }
}

static void actions_name_this_labs_ports(void **state)
{
    (void)state;
    struct labdir lab = {0};
    char *error = NULL;
    labdir_defaults(&lab, ENGINE_KIT, 3);
    lab.nodes[2].amqp_port = 40003;
    struct lesson *l = lesson_load(7, &lab, &error);
    assert_non_null(l);
    assert_string_equal(l->steps[5].action_text,
                        "consumer --host 127.0.0.1 --port 40003 --queue mirrior_hello --manual-ack");
    assert_string_equal(
        l->steps[0].action_text,
        "labctl -n node1 set_policy mirrior '^mirrior' "
        "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}' --apply-to queues");
    assert_string_equal(l->steps[0].action[0], "labctl");
    assert_string_equal(l->steps[0].action[4], "mirrior");
    lesson_destroy(l);
    labdir_defaults(&lab, ENGINE_KIT, 1);
    assert_null(lesson_load(7, &lab, &error));
    assert_non_null(strstr(error, "action names @node3.host, which this lab does not have"));
    free(error);
}

static void no_such_lesson(void **state)
{
    (void)state;
    char *error = NULL;
    assert_null(lesson_load(98, NULL, &error));
    assert_non_null(strstr(error, "there is no lesson 98 here"));
    free(error);
}

/* ---- programs
 * ---------------------------------------------------------------------------------------------------- */

struct lines {
    VEC(char *) list;
};

static bool read_lines(const char *folder, const char *file, struct lines *out)
{
    char *path = format_text("%s/%s", folder, file), *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "r");
    free(path);
    if (!f)
        return false;
    while (getline(&line, &cap, f) > 0)
        VEC_PUSH(&out->list, xstrdup(line));
    free(line);
    fclose(f);
    return true;
}

static void free_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->list.len; i++)
        free(lines->list.items[i]);
    VEC_FREE(&lines->list);
}

/* every line of `before` is in `after`, in its order */
static void expect_only_added(const char *lesson, const char *file, const struct lines *before,
                              const struct lines *after)
{
    size_t at = 0;
    for (size_t i = 0; i < before->list.len; i++) {
        while (at < after->list.len && strcmp(before->list.items[i], after->list.items[at]) != 0)
            at++;
        if (at++ == after->list.len)
            fail_msg("%s/%s: line %zu of the lesson before is gone or changed: %s", lesson, file, i + 1,
                     before->list.items[i]);
    }
}

static void programs_grow_by_added_lines(void **state)
{
    (void)state;
    static const char *const files[] = {"producer.c", "consumer.c"};
    int numbers[20];
    size_t n = lesson_list(numbers, ARRAY_LEN(numbers));
    for (size_t f = 0; f < ARRAY_LEN(files); f++) {
        struct lines before = {0};
        for (size_t i = 0; i < n; i++) {
            char *error = NULL;
            struct lesson *l = lesson_load(numbers[i], NULL, &error);
            assert_non_null(l);
            struct lines now = {0};
            assert_true(read_lines(l->folder, files[f], &now));
            assert_in_range(now.list.len, 30, 80); /* a learner reads it whole */
            expect_only_added(l->name, files[f], &before, &now);
            free_lines(&before);
            before = now;
            lesson_destroy(l);
        }
        free_lines(&before);
    }
}

/* ---- wrong files
 * -------------------------------------------------------------------------------------------------- */

static void expect_error(const char *content, const char *message)
{
    char *file = temporary_file("lesson", "");
    FILE *f = file ? fopen(file, "w") : NULL;
    assert_non_null(f);
    fputs(content, f);
    assert_int_equal(fclose(f), 0);
    char *error = NULL;
    assert_null(lesson_read(file, "lesson.cfg", 1, NULL, &error));
    assert_string_equal(error, message);
    free(error);
    unlink(file);
    free(file);
}

#define HEAD        "title = \"t\"; aim = \"a\";\n"
#define STEP(proof) HEAD "steps = ( { title = \"t\"; wait = \"w\";\nproof = ( " proof " ); } );\n"

static void wrong_lessons_are_refused_with_their_line(void **state)
{
    (void)state;
    expect_error("title = \"t\";\n", "lesson.cfg:0: aim is missing; write aim = \"...\"");
    expect_error(HEAD "steps = ();\n",
                 "lesson.cfg:2: steps is not a list; write steps = ( { title = \"...\"; ... } )");
    expect_error(HEAD "stpes = ();\n",
                 "lesson.cfg:2: unknown key stpes; the keys here are title, aim, predict, nodes, "
                 "queues, policies, steps");
    expect_error(HEAD "nodes = 99;\n", "lesson.cfg:2: nodes is not a number from 1 to 32; write nodes = 3");
    expect_error(HEAD "queues = \"hello\";\n",
                 "lesson.cfg:2: queues is not a list of texts; write queues = [ \"...\", \"...\" ]");
    expect_error(HEAD "steps = ( { title = \"t\"; wait = \"w\"; } );\n",
                 "lesson.cfg:2: this step has no proof; write proof = ( { queue = \"...\"; ... } )");
    expect_error(HEAD "steps = ( { title = \"t\"; wait = \"w\";\naction = [ \"rm\", \"-rf\" ]; } );\n",
                 "lesson.cfg:3: action begins with \"rm\"; write labctl, producer or consumer first");
    expect_error("title = t;\n",
                 "lesson.cfg:1: syntax error; every line is key = value; and texts stand in quotes");
}

#define ASKING(predict) STEP("{ queue = \"q\"; messages = 1; }") "predict = { ask = \"q?\";\n" predict " };\n"
#define CHOICE          "{ say = \"s\"; proof = ( { queue = \"q\"; messages = 1; } ); }"

static void wrong_questions_are_refused_with_their_line(void **state)
{
    (void)state;
    expect_error(
        ASKING("choices = ( " CHOICE " );"),
        "lesson.cfg:5: choices is not a list of two to nine; write choices = ( { say = \"...\"; proof "
        "= ( ... ); }, ... )");
    expect_error(ASKING("choices = ( " CHOICE ", { say = \"t\"; } );"),
                 "lesson.cfg:5: this choice has no proof; write proof = ( { queue = \"...\"; ... } )");
    expect_error(ASKING("before_step = 2; choices = ( " CHOICE ", " CHOICE " );"),
                 "lesson.cfg:5: before_step is not a number from 1 to 1; write before_step = 1");
    expect_error(ASKING("answer = \"a\";"), "lesson.cfg:5: unknown key answer; the keys here are ask, "
                                            "before_step, decided_by, choices");
}

static void wrong_proofs_are_refused_with_their_line(void **state)
{
    (void)state;
    expect_error(STEP("{ queue = \"q\"; messages = 1; tell = false; }"),
                 "lesson.cfg:3: tell is not a list of keys; write tell = [ \"messages\" ] or []");
    expect_error(STEP("{ queue = \"q\"; messages = 1; tell = [ \"state\" ]; }"),
                 "lesson.cfg:3: tell names state, which is not asked for here");
    expect_error(STEP("5"), "lesson.cfg:3: a fact is a group; write { queue = \"hello\"; messages = 1; }");
    expect_error(
        STEP("{ messages = 1; }"),
        "lesson.cfg:3: this fact is about nothing; write one of node, queue, policy, output_contains");
    expect_error(
        STEP("{ node = \"n\"; queue = \"q\"; }"),
        "lesson.cfg:3: this fact is about two things; write one of node, queue, policy, output_contains");
    expect_error(STEP("{ node = \"n\"; }"),
                 "lesson.cfg:3: nothing is said of this node; write what must be seen of it");
    expect_error(
        STEP("{ node = \"n\"; messages = 1; }"),
        "lesson.cfg:3: unknown key messages; of a node one can say state, said_by_at_least, answers");
    expect_error(
        STEP("{ node = \"n\"; state = \"stopped\"; }"),
        "lesson.cfg:3: state \"stopped\" is not one of a node; write \"running\" or \"not running\"");
    expect_error(STEP("{ node = \"n\"; said_by_at_least = 2; }"),
                 "lesson.cfg:3: said_by_at_least counts who says what; write state = \"running\" or \"not "
                 "running\" beside it");
    expect_error(STEP("{ queue = \"q\"; state = [ \"down\", \"dwon\" ]; }"),
                 "lesson.cfg:3: state \"dwon\" is not one of a queue; write \"running\" or \"down\"");
    expect_error(HEAD "steps = ( { title = \"t\"; wait = \"w\";\nshows = ( { say = \"s\"; } ); } );\n",
                 "lesson.cfg:3: this showing has no proof; write proof = ( { queue = \"...\"; ... } )");
    expect_error(STEP("{ queue = \"q\"; messages = \"1\"; }"),
                 "lesson.cfg:3: messages is not a number; write messages = 1");
    expect_error(STEP("{ queue = \"q\"; durable = 1; }"),
                 "lesson.cfg:3: durable is not true or false; write durable = true");
    expect_error(STEP("{ queue = 5; messages = 1; }"),
                 "lesson.cfg:3: queue is not a name; write queue = \"...\"");
    expect_error(STEP("{ output_contains = 5; }"), "lesson.cfg:3: output_contains is not a text; write "
                                                   "output_contains = \"...\" or [ \"...\", \"...\" ]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_lesson_loads_for_a_lab_of_its_size),
        cmocka_unit_test(only_lessons_that_are_there_are_named),
        cmocka_unit_test(a_question_is_not_answered_before_its_step),
        cmocka_unit_test(a_step_says_first_what_it_does_and_then_what_it_has_shown),
        cmocka_unit_test(what_only_beginning_again_helps_is_said_first),
        cmocka_unit_test(no_text_says_is_of_what_is_not_yet_or_no_more),
        cmocka_unit_test(a_stop_needs_the_masters_that_it_is_about),
        cmocka_unit_test(nothing_tells_the_outcome_before_its_step),
        cmocka_unit_test(a_policys_wait_names_its_definition),
        cmocka_unit_test(actions_name_this_labs_ports),
        cmocka_unit_test(no_such_lesson),
        cmocka_unit_test(programs_grow_by_added_lines),
        cmocka_unit_test(wrong_lessons_are_refused_with_their_line),
        cmocka_unit_test(wrong_questions_are_refused_with_their_line),
        cmocka_unit_test(wrong_proofs_are_refused_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
