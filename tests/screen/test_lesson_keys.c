/* test_lesson_keys.c: what a lesson's keys do where something is in the way: a program that runs still, a
 * process that is gone, a policy of the learner's own. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"
#include "mouse.h"

/* What is said of one that runs is over when that has ended. */
static void what_ran_is_not_said_to_run_still(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    static const char *const words[] = {"consumer", "--queue", "q", NULL};
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    struct command *c = command_of(words, 0);
    model_ran(&m, c);
    l->steps[0].acted = true;
    assert_keys_say(&m, "n", "still running (Ctrl-C ends it): consumer --queue q");
    model_ended(&m, c, 1);
    assert_null(model_message(&m));
    model_finish(&m);
    sketch_destroy(l);
}

/* A node whose process is gone is started as a process: by a, and by the step that would start its app. */
static void a_process_that_is_gone_is_started(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    see(&m, "stopped");
    static const char *const words[] = {"labctl", "-n", "node1", "start_app"};
    for (size_t i = 0; i < 3; i++)
        free(l->steps[0].action[i]);
    free(l->steps[0].action);
    l->steps[0].action = xcalloc(5, sizeof(char *));
    for (size_t i = 0; i < 4; i++)
        l->steps[0].action[i] = xstrdup(words[i]);
    free(l->steps[0].action_text);
    l->steps[0].action_text = xstrdup("labctl -n node1 start_app");
    assert_keys_run(&m, "n", "labctl -n node1 start_app");
    m.snapshot->nodes[0].gone = true;
    assert_frame_contains(&m, "n runs: labctl -n node1 start\n");
    assert_keys_run(&m, "n", "labctl -n node1 start");
    assert_keys_run(&m, "a", "labctl -n node1 start");
    struct command *run;
    assert_int_equal(types(&m, "n", &run),
                     EFFECT_RUN); /* view 4 shows what was run, when its node is back, too */
    lesson_begin_action(l, 0);
    model_ran(&m, run);
    m.snapshot->nodes[0].gone = false;
    model_ended(&m, run, 0);
    l->steps[0].state = STEP_SEEN;
    model_show(&m, VIEW_LESSON);
    assert_frame_contains(&m, "$ labctl -n node1 start\n");
    assert_frame_lacks(&m, "start_app");
    model_finish(&m);
    sketch_destroy(l);
}

/* B names what it clears besides the lesson's own, and takes along what was agreed to. */
static void begin_again_names_what_it_clears(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = sketch_lesson();
    static char *queues[] = {(char *)(uintptr_t) "mirrior_hello", NULL};
    l->queues = queues;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest"); /* policy mirrior is not this lesson's own */
    types(&m, "B", &run);
    assert_frame_contains(&m, "is in its way, too: policy");
    assert_int_equal(types(&m, "y", &run), EFFECT_RUN);
    assert_string_equal(run->argv[COMMAND_CLEAN_FIRST], m.snapshot->policies[0].name);
    command_destroy(run);
    l->policies = (char *[]){m.snapshot->policies[0].name, NULL};
    types(&m, "B", &run);
    assert_frame_lacks(&m, "in its way");
    l->queues = l->policies = NULL;
    model_finish(&m);
    sketch_destroy(l);
}

static void says_so(struct model *m, const char *words, bool told)
{
    if (told)
        assert_frame_contains(m, words);
    else
        assert_frame_lacks(m, words);
}

/* B says what it does with the nodes as they are now, and nothing else. */
static void begin_again_says_what_it_mends(void **state)
{
    static const struct {
        const char *seen, *says;
        bool starts, heals, restarts;
    } known[] = {
        {"rest", "Removes the queues and policies that this lesson uses,", false, false, false},
        {"stopped", "Starts the nodes that do not run. Removes", true, false, false},
        {"cut", "Heals the links that are cut. Stops and starts nodes that stayed", false, true, true},
        {"apart", "Stops and starts nodes that stayed apart. Removes", false, false, true}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct model m;
        struct command *run;
        struct lesson *l = sketch_lesson();
        struct labdir lab = {.nodes_len = 3};
        model_init(&m, l, &lab, false, false);
        see(&m, known[i].seen);
        types(&m, "B", &run);
        assert_frame_contains(&m, known[i].says);
        says_so(&m, "Starts the nodes", known[i].starts);
        says_so(&m, "Heals the links", known[i].heals);
        says_so(&m, "Stops and starts nodes", known[i].restarts);
        snprintf(lab.partition_handling, sizeof(lab.partition_handling), "autoheal");
        assert_frame_lacks(&m, "Stops and starts nodes"); /* they join again by themselves */
        types(&m, "n", &run);
        m.next_lesson = 8;
        m.cut = 1; /* noted in the lab's folder, though nobody has noticed it yet */
        types(&m, "N", &run);
        assert_frame_contains(&m, "Heals the links");
        assert_frame_contains(&m, "Starts nodes"); /* it may need more than there are */
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* Numbers that are missing are said to be. */
static void a_gap_between_lessons_is_said(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    m.next_lesson = 8;
    char *text = lesson_done_text(&m);
    assert_contains(text, "N goes on to lesson 8, B begins");
    free(text);
    m.next_lesson = 10;
    text = lesson_done_text(&m);
    assert_contains(text, "lesson 10 (those between are still to be written)");
    free(text);
    model_finish(&m);
    sketch_destroy(l);
}

static struct lesson *of_queues(char **queues)
{
    struct lesson *l = sketch_lesson();
    l->queues = queues;
    l->number = 7;
    return l;
}

static char hello[] = "hello", mirrored[] = "mirrior_hello", policy[] = "mirror";

/* What became of another lesson's queues is not this one's end, unless they were used meanwhile. */
static void the_end_is_about_what_was_used(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = of_queues((char *[]){mirrored, NULL});
    static const char *const get[] = {"consumer", "--queue", "hello", NULL};
    for (int used = 0; used <= 2; used++) {
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, i ? STEP_SEEN : STEP_OPEN, "so");
        model_init(&m, l, NULL, false, false);
        see(&m, "rest");
        if (used) {
            struct command *c = command_of(get, used == 1 ? COMMAND_OF_KEY : 0); /* a step's: no queue more */
            model_ran(&m, c);
            model_ended(&m, c, 0);
        }
        see(&m, "stopped");
        sketch_step(l, 0, STEP_SEEN, "so");
        char *text = account_text(&m);
        assert_non_null(text);
        assert_contains(text, "mirrior_hello: node2 took over from node1");
        assert_contains_(text, "hello: 100000 messages are out of reach", used == 1, __FILE__, __LINE__);
        free(text);
        types(&m, "B", &run);
        assert_int_equal(types(&m, "y", &run), EFFECT_RUN);
        model_ran(&m, run);
        assert_int_equal(m.touched.len, 0);
        model_finish(&m);
        json_decref(l->account);
        l->account = NULL;
    }
    l->queues = NULL;
    sketch_destroy(l);
}

/* B says what it cleared, of this lesson, and begins with its aim: the question comes at its step. */
static void begun_again_it_asks_again(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = of_queues((char *[]){hello, mirrored, NULL});
    l->policies = (char *[]){policy, NULL};
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_frame_contains(&m, "\nAim: Stop the node that holds");
    assert_frame_lacks(&m, "Before you look");
    types(&m, "B", &run);
    assert_int_equal(types(&m, "y", &run), EFFECT_RUN);
    model_ran(&m, run);
    assert_frame_contains(&m, "(begin lesson 7 again)");
    model_ended(&m, run, 0);
    assert_frame_lacks(&m, "Before you look");
    assert_frame_contains(&m, "\nready: every node runs; cleared: hello, mirrior_hello, policy mirror\n");
    assert_frame_lacks(&m, "nothing of an earlier run");
    assert_int_equal(types(&m, "n", &run), EFFECT_RUN);
    l->steps[0].acted = true;
    model_ran(&m, run);
    model_ended(&m, run, 0);
    assert_frame_lacks(&m, "Before you look");
    l->queues = l->policies = NULL;
    model_finish(&m);
    sketch_destroy(l);
}

/* The policy that the form offers is the lesson's so far, and not that of a step which is still to come; what
 * somebody has set stays. */
static void the_form_tells_nothing_before_its_time(void **state)
{
    (void)state;
    static const char *const mirror = "set_policy mirrior '^mirror' ", *const mirrior =
                                                                           "set_policy mirrior '^mirrior' ";
    char *error = NULL;
    struct model m;
    struct command *run;
    struct lesson *l = lesson_load(6, NULL, &error);
    assert_non_null(l);
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    types(&m, "P", &run);
    assert_frame_contains(&m, mirror);
    assert_frame_lacks(&m, mirrior);
    types(&m, "\x1b", &run);
    l->steps[0].state = l->steps[1].state = STEP_SEEN;
    types(&m, "P", &run);
    assert_frame_contains(&m, mirrior);
    types(&m, "\t\x15^not\x1b", &run); /* cancelled */
    types(&m, "P", &run);
    assert_frame_contains(&m, mirrior);
    assert_keys_run(&m, "\t\x15^own\n",
                    "labctl -n node1 set_policy mirrior '^own' "
                    "'{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}'");
    types(&m, "P", &run);
    assert_frame_contains(&m, "set_policy mirrior '^own' ");
    model_finish(&m);
    lesson_destroy(l);
}

/* A partition keeps a step from its result: what mends it is said, there and by n. */
static void a_partition_is_mended_first(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    see(&m, "apart"); /* node1 | node2 node3, links back */
    free(l->steps[0].wait_text);
    l->steps[0].wait_text = xstrdup("policy mirror");
    assert_frame_contains(&m, ">[ ] 1 set policy mirror ^mirrior exactly:2   wait: policy mirror\n");
    l->steps[0].lacks = xstrdup(LESSON_LACKS_PARTED);
    assert_frame_contains(&m, ">[ ] 1 set policy mirror ^mirrior exactly:2\n"); /* not what it waits for */
    assert_frame_contains(&m, "       A partition keeps the nodes apart: that has to be mended first. Two\n");
    assert_keys_say(&m, "n", "has to be mended first. Two views: stop and start node1 (s, a)");
    model_finish(&m);
    sketch_destroy(l);
}

/* A step whose program failed is run by r: the bar says so, and so does a screen that is opened on it. */
static void a_step_that_failed_is_run_by_r(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    l->nodes = 1;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_frame_contains(&m, "\nn:Next q:Quit");
    l->steps[0].acted = true;
    assert_frame_contains(&m, "\nn:Next q:Quit"); /* it ended well, or runs */
    l->steps[0].exit_code = 1;
    assert_frame_contains(&m, "\nr:Again q:Quit");
    assert_frame_lacks(&m, "Press n");
    assert_frame_contains(&m, "\nits program ended with exit code 1; r runs it once more");
    m.snapshot->nodes[0].answers = false; /* then a comes first, in the text and in the bar */
    assert_frame_contains(&m, "\na:Start q:Quit ?:Help s:Stop K:Kill-9");
    assert_frame_lacks(&m, "n:Next");
    assert_keys_say(&m, "n",
                    "node1 does not answer. Arrows select it, a starts it; then r runs this once more");
    assert_frame_contains(&m,
                          "\nits program ended with exit code 1: node1 does not answer. Arrows select it, a");
    m.cut = 1; /* a alone would wait for the others */
    assert_frame_lacks(&m, "\na:Start");
    assert_frame_contains(&m, "x:Heal");
    assert_keys_say(
        &m, "n", "node1 does not answer, and its links are cut. Arrows select it, x heals them, a starts it");
    model_finish(&m);
    sketch_destroy(l);
}

/* Where something is missing that the step names n does nothing but say so: it is not in the bar, no text
 * asks for it, and nothing counts as looked at. */
static void n_is_not_asked_for_where_it_does_nothing(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < 3; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    assert_frame_contains(&m, "\nn:Next q:Quit"); /* step 4 only looks */
    l->steps[3].lacks = xstrdup("the message was taken: B begins the lesson again.");
    assert_frame_contains(&m, "\nq:Quit ?:Help");
    assert_frame_lacks(&m, "n, when you have seen it");
    assert_int_equal(types(&m, "n", &run), EFFECT_DRAW);
    assert_contains(model_message(&m), "B begins the lesson again.");
    free(l->steps[3].lacks);
    l->steps[3].lacks = NULL;
    assert_int_equal(types(&m, "n", &run), EFFECT_LOOK);
    model_finish(&m);
    sketch_destroy(l);
}

/* What one needs to know is not cut off: what is missing, what was shown; of what is over, what came after.
 */
static void no_sentence_is_cut_off(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    sketch_step(l, 0, STEP_WAS, "policy mirror pattern=^another one of them");
    sketch_step(l, 1, STEP_SEEN, "so");
    sketch_step(l, 2, STEP_SEEN, "so");
    sketch_step(l, 3, STEP_HALF, "+2 on node2, node3, 0 wanted (seen: master=node1; state=running)");
    l->steps[3].acted = false; /* it has nothing to run */
    free(l->steps[2].result);
    l->steps[2].result =
        xstrdup("+1: one mirror, on node2 or node3. It began empty; ha-sync-mode automatic copied "
                "the message to it.");
    assert_frame_contains(
        &m, "\n       not yet: +2 on node2, node3, 0 wanted (seen: master=node1; state=running)\n");
    assert_frame_contains(&m, "\n       copied the message to it.\n");
    sketch_step(l, 1, STEP_WAS, "messages=100000; and many more of them there");
    sketch_step(l, 2, STEP_OPEN, NULL);
    sketch_step(l, 3, STEP_OPEN, NULL);
    assert_frame_contains(&m,
                          "1 set policy mirror ^mirrior exactly:2   was true, then policy mirror pat..\n");
    sketch_step(l, 0, STEP_WAS, "no policy");
    free(l->steps[0].title);
    free(l->steps[1].title);
    l->steps[0].title = xstrdup("set policy");
    l->steps[1].title = xstrdup("publish");
    assert_frame_contains(&m,
                          "1 set policy                            true until 21:05:09, then no policy\n");
    model_finish(&m);
    sketch_destroy(l);
}

/* What a program printed: a mark stands for several lines, never for one, which would take no more room. */
static void no_mark_stands_for_one_line(void **state)
{
    (void)state;
    struct model m;
    struct lesson *l = sketch_lesson();
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    sketch_step(l, 0, STEP_SEEN, "so");
    model_show(&m, VIEW_LESSON);
    l->steps[0].output = xstrdup("connected to 127.0.0.1:5674\nreceived: a\n    persistent\n    no other\n");
    assert_frame_contains(&m, "\n      | connected to 127.0.0.1:5674\n      | received: a\n");
    assert_frame_lacks(&m, "| ..");
    free(l->steps[0].output);
    l->steps[0].output = xstrdup("connected to 127.0.0.1:5674\nreceived: a\nreceived: b\nc\nd\n");
    assert_frame_contains(&m, "\n      | ..\n      | received: b\n      | c\n      | d\n");
    free(l->steps[0].output);
    l->steps[0].output = NULL;
    model_finish(&m);
    sketch_destroy(l);
}

/* Where there is little room every key of the bar is there, help has whole lines, and nodes keep their boxes
 * at the end. */
static void a_small_screen_has_them_all(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = of_queues((char *[]){hello, mirrored, NULL});
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    see(&m, "stopped");
    char *frame = model_frame(&m, 60, 20);
    assert_contains(frame, "hello: 100000 messages are out of reach");
    assert_contains(frame, "+>node1 NOT RUNNING");
    assert_contains(frame,
                    "\nq:Quit ?:Help a:Start K:Kill-9 x:Cut p:Publish g:Get P\n"); /* n has nothing left */
    free(frame);
    m.next_lesson = 8;
    frame = model_frame(&m, 60, 20);
    assert_contains(frame, "\nN:Lesson-8 q:Quit ?:Help a:Start K:Kill-9 x:Cut p g P\n");
    free(frame);
    m.snapshot->nodes[0].state = NODE_UP; /* at 80 columns none is left to itself, at the end neither */
    assert_frame_contains(
        &m, "\nN:Lesson-8 q:Quit ?:Help s:Stop a:Start K:Kill-9 x:Cut p:Publish g:Get P:Policy\n");
    m.cut = 1;
    assert_frame_contains(
        &m, "\nN:Lesson-8 q:Quit ?:Help s:Stop a:Start K:Kill-9 x:Heal p:Publish g:Get P:Policy\n");
    m.cut = 0;
    m.snapshot->nodes[0].state = NODE_NOT_RUNNING;
    struct canvas c; /* a click on a key whose word has no room is that key */
    int keys[MOUSE_KEYS];
    canvas_init(&c);
    canvas_resize(&c, 60, 20);
    screen_draw(&m, &c);
    int last = (int)strlen("N:Lesson-8 q:Quit ?:Help a:Start K:Kill-9 x:Cut p g P") - 1;
    assert_int_equal(mouse_keys(&m, &c, 3, 19, keys), 1);
    assert_int_equal(keys[0], 'N');
    assert_int_equal(mouse_keys(&m, &c, last, 19, keys), 1);
    assert_int_equal(keys[0], 'P');
    canvas_finish(&c);
    types(&m, "?", &run);
    frame = model_frame(&m, 60, 20);
    assert_contains(frame, "> marks what keys act on. ");
    assert_contains(frame, "others close ");
    free(frame);
    l->queues = NULL;
    model_finish(&m);
    sketch_destroy(l);
}

/* A refusal names the key that starts a node; while the question waits that key is an answer. */
static void a_refusal_names_no_key_that_is_an_answer(void **state)
{
    static const char stopped[] =
        "Error: this command requires the 'rabbit' app to be running on the target node.";
    static const char *const shown[2][2] = {
        /* while it is an answer, given or not; once the step was run */
        {"select it, :start_app starts it\n", "select it, a starts it\n"},
        {"Arrows select it, :start starts\n", "Arrows select it, a starts it;"}};
    static const char silent[] =
        "Error: unable to perform an operation on node 'node2'. Please see diagnostics";
    (void)state;
    for (int asked = 0; asked < 3; asked++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        model_init(&m, l, NULL, false, false);
        see(&m, "rest");
        sketch_step(l, 0, STEP_SEEN, "so");
        sketch_step(l, 1, STEP_SEEN, "so"); /* the third asks */
        if (asked)
            assert_true(lesson_answer(l, 0));
        l->steps[2].acted = asked == 2;
        struct command *run = NULL;
        for (int i = 0; i < 2; i++) {
            types(&m, ":-n node2 list_queues\n", &run);
            assert_non_null(run);
            model_ran(&m, run);
            model_output(&m, run, i ? silent : stopped, strlen(i ? silent : stopped));
            model_ended(&m, run, 69);
            assert_frame_contains(&m, shown[i][asked == 2]);
        }
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* The same of a node that was killed: its process is to be started, whoever says so: what a client was
 * refused, and the letter that was taken for the start key. */
static void a_killed_node_is_not_started_as_an_app(void **state)
{
    static const char refused[] =
        "queue.declare: the broker refused: 404 NOT_FOUND - home node 'node1' of durable "
        "queue 'hello' in vhost '/' is down or inaccessible, class-id=50\n";
    static const char *const argv[] = {"producer", "--queue", "hello", NULL};
    (void)state;
    for (int gone = 0; gone <= 1; gone++) {
        const char *verb = gone ? ":start starts" : ":start_app starts";
        struct lesson *l = sketch_lesson();
        struct model m;
        model_init(&m, l, NULL, false, false);
        struct snapshot *s = load_snapshot("stopped");
        assert_string_equal(s->queues[0].name, "hello");
        s->queues[0].state = QUEUE_SEEN_DOWN;
        assert_int_equal(s->queues[0].master, 0);
        s->nodes[0].gone = gone;
        model_observe(&m, s);
        m.now = s->taken_at;
        snapshot_destroy(s);
        sketch_step(l, 0, STEP_SEEN, "so");
        sketch_step(l, 1, STEP_SEEN, "so"); /* the third asks */
        assert_true(lesson_answer(l, 0));
        struct command *c = command_of(argv, COMMAND_OF_KEY);
        model_ran(&m, c);
        model_output(&m, c, refused, strlen(refused));
        model_ended(&m, c, 1);
        char *said = format_text("arrows select it, %s it\n", verb);
        assert_frame_contains(&m, said);
        free(said);
        said = format_text("a: A changes your answer; %s the selected node", verb);
        assert_keys_say(&m, "a", said);
        free(said);
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* While the question waits a, b and c are its choices in every view, and a starts nothing, though it is the
 * start key; once it has an answer they do nothing, and once the step was run a is the start key again. */
static void a_letter_answers_while_the_question_waits(void **state)
{
    static const char *const views[] = {"1", "2", "3", "4", "1f"};
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_keys_run(&m, "a", "labctl -n node1 start_app");
    assert_keys_say(&m, "b", "b: no such key");
    sketch_step(l, 0, STEP_SEEN, "so");
    sketch_step(l, 1, STEP_SEEN, "so"); /* the third asks */
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        types(&m, views[i], &run);
        assert_int_equal(types(&m, "a", &run), EFFECT_ANSWER);
        assert_null(run);
        assert_int_equal(m.answer, 0);
    }
    types(&m, "f", &run);
    assert_frame_contains(&m,
                          "\nn:Next A:Answer q:Quit ?:Help s:Stop K:Kill-9 x:Cut p:Publish g:Get P:Policy\n");
    assert_frame_contains(&m, "c: none -- press a, b or c\n");
    assert_int_equal(types(&m, "b", &run), EFFECT_ANSWER);
    assert_string_equal(model_message(&m),
                        "You say b: node2 and node3. A again is the next answer; n goes on.");
    assert_true(lesson_answer(l, m.answer));
    assert_frame_contains(&m, "c: none -- you say b; A changes it\n");
    assert_frame_contains(&m, "\nn:Next A:Answer q:Quit ?:Help s:Stop K:Kill-9");
    for (size_t i = 0; i < ARRAY_LEN(views); i++) { /* nor does it act now */
        types(&m, views[i], &run);
        assert_keys_say(&m, "a", "a: A changes your answer; :start_app starts the selected node");
    }
    types(&m, "f", &run);
    assert_keys_say(&m, "d", "d: no such key");
    assert_keys_say(&m, "c", "c: A changes your answer");
    assert_keys_say(&m, "b", "b: A changes your answer");
    l->steps[2].acted = true; /* it runs: that is over */
    assert_keys_say(&m, "b", "b: no such key");
    assert_keys_run(&m, "a", "labctl -n node1 start_app");
    l->steps[2].acted = false;
    assert_int_equal(types(&m, "A", &run), EFFECT_ANSWER);
    assert_int_equal(m.answer, 2);
    assert_true(lesson_answer(l, 2));
    assert_int_equal(types(&m, "A", &run), EFFECT_ANSWER);
    assert_int_equal(m.answer, -1);
    assert_string_equal(model_message(&m), "No answer now. A again is the first one; n goes on.");
    assert_true(lesson_answer(l, -1));
    assert_false(lesson_answer(l, 3)); /* there are three */
    assert_int_equal(types(&m, "c", &run), EFFECT_ANSWER);
    l->steps[2].lacks = xstrdup("node2 does not run: arrows select it, a starts it."); /* not yet to be run */
    assert_frame_lacks(&m, "Before you look");
    assert_keys_run(&m, "a", "labctl -n node1 start_app");
    free(l->steps[2].lacks);
    l->steps[2].lacks = NULL;
    l->steps[2].acted = true; /* run without an answer; it failed, and a is what helps */
    l->steps[2].exit_code = 1;
    assert_frame_contains(&m, "c: none -- A answers\n");
    assert_keys_run(&m, "a", "labctl -n node1 start_app");
    l->steps[2].acted = false;
    m.readonly = true;
    assert_keys_say(&m, "a", "a does nothing here: this screen is read-only");
    assert_frame_lacks(&m, "press a, b or c");
    model_finish(&m);
    sketch_destroy(l);
}

/* r is about what was run: of a step that was not yet, n is named, and nothing is run or counts as looked at.
 */
static void once_more_needs_a_first_time(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    assert_keys_say(&m, "r", "step 1 was not run yet: n runs it");
    l->steps[0].acted = true;
    l->steps[0].exit_code = 1;
    assert_int_equal(types(&m, "r", &run), EFFECT_RUN);
    command_destroy(run);
    for (size_t i = 0; i < 3; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    assert_keys_say(&m, "r", "step 4 has nothing to run: look, then n");
    model_finish(&m);
    sketch_destroy(l);
}

/* From any view to the lesson and back to where one was; there a text that is about the table says which key
 * shows it. */
static void e_goes_to_the_lesson_and_back(void **state)
{
    static const enum view views[] = {VIEW_CLUSTER, VIEW_EVENTS, VIEW_QUEUE, VIEW_NODE};
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run = NULL;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        for (int by_number = 0; by_number < 2; by_number++) {
            model_show(&m, views[i]);
            m.scroll = -3;
            types(&m, by_number ? "44" : "e", &run);
            assert_int_equal(m.view, VIEW_LESSON);
            assert_int_equal(m.scroll, 0);
            char *frame = model_frame(&m, 80, 24);
            assert_contains(frame,
                            "1 shows the nodes and the table of queues; e goes back to where you were.");
            free(frame);
            types(&m, "e", &run);
            assert_int_equal(m.view, views[i]);
            assert_int_equal(m.scroll, -3);
        }
    char *frame = model_frame(&m, 160, 45);
    assert_lacks(frame, "1 shows the nodes"); /* beside it they are there */
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ran_is_not_said_to_run_still),
        cmocka_unit_test(a_process_that_is_gone_is_started),
        cmocka_unit_test(a_gap_between_lessons_is_said),
        cmocka_unit_test(the_end_is_about_what_was_used),
        cmocka_unit_test(begun_again_it_asks_again),
        cmocka_unit_test(the_form_tells_nothing_before_its_time),
        cmocka_unit_test(a_partition_is_mended_first),
        cmocka_unit_test(a_step_that_failed_is_run_by_r),
        cmocka_unit_test(n_is_not_asked_for_where_it_does_nothing),
        cmocka_unit_test(no_sentence_is_cut_off),
        cmocka_unit_test(no_mark_stands_for_one_line),
        cmocka_unit_test(a_small_screen_has_them_all),
        cmocka_unit_test(begin_again_names_what_it_clears),
        cmocka_unit_test(begin_again_says_what_it_mends),
        cmocka_unit_test(a_letter_answers_while_the_question_waits),
        cmocka_unit_test(a_refusal_names_no_key_that_is_an_answer),
        cmocka_unit_test(a_killed_node_is_not_started_as_an_app),
        cmocka_unit_test(once_more_needs_a_first_time),
        cmocka_unit_test(e_goes_to_the_lesson_and_back),
    };
    return cmocka_run_group_tests_name("screen/lesson_keys", tests, NULL, NULL);
}
