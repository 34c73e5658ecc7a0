/* test_frames.c: whole frames, as text, against files that were looked at; and properties that every frame
 * has, whatever its size. */
#include "tests/screen/support.h"

#include "base/rng.h"
#include "commands.h"
#include "tui.h"

/* The model after these snapshots in turn. */
static void show(struct model *m, struct lesson *l, const char *const *names)
{
    model_init(m, l, NULL, false, false);
    for (; *names; names++) {
        struct snapshot *s = load_snapshot(*names);
        model_observe(m, s);
        snapshot_destroy(s);
    }
}

static void check(const char *name, struct lesson *l, int width, int height, const char *const *snapshots)
{
    struct model m;
    show(&m, l, snapshots);
    char *frame = model_frame(&m, width, height);
    check_frame(name, frame);
    free(frame);
    model_finish(&m);
}
#define CHECK(name, lesson, width, height, ...)                                                              \
    check((name), (lesson), (width), (height), (const char *const[]){__VA_ARGS__, NULL})

static struct lesson *two_proved(void)
{
    struct lesson *l = sketch_lesson();
    sketch_step(l, 0, STEP_SEEN, "effective policy=mirror");
    sketch_step(l, 1, STEP_SEEN, "synchronised={node2}");
    return l;
}

static void at_rest(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    CHECK("rest-80x24", l, 80, 24, "rest");
    CHECK("rest-160x45", l, 160, 45, "rest");
    CHECK("rest-40x12", l, 40, 12, "rest");
    CHECK("rest-60x16", l, 60, 16, "rest");
    sketch_destroy(l);
}

static void node_stopped(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    sketch_step(l, 3, STEP_HALF, "sync 60%, 1 in sync wanted (seen: master=node2)");
    CHECK("stopped-80x24", l, 80, 24, "rest", "stopped");
    sketch_step(l, 1, STEP_WAS, "master=node2");
    sketch_step(l, 3, STEP_SEEN, "master=node2; sync={node3}");
    CHECK("down-80x24", l, 80, 24, "rest", "stopped", "down");
    sketch_destroy(l);
}

static void wide_names(void **state)
{
    (void)state;
    CHECK("wide-80x24", NULL, 80, 24, "wide");
    CHECK("wide-47x20", NULL, 47, 20, "wide"); /* edges fall into the middle of double-width characters */
}

static void more_than_four_nodes(void **state)
{
    (void)state;
    CHECK("many-80x24", NULL, 80, 24, "many");
    CHECK("many-100x30", NULL, 100, 30, "many");
}

/* Nodes that all answer and do not see each other: both masters, each with its count; what mends it. The data
 * are of the kit's nodes: node1 cut off, and with its links back; the third of six nodes with one that was
 * stopped (SIGSTOP) for a while. */
static void a_partition(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    CHECK("cut-80x24", NULL, 80, 24, "cut");
    CHECK("apart-80x24", NULL, 80, 24, "apart");
    CHECK("apart-six-80x24", NULL, 80, 24, "apart-six");
    show(&m, NULL, (const char *const[]){"apart", NULL});
    model_key(&m, KEY_RETURN, &run);
    char *frame = model_frame(&m, 80, 24);
    check_frame("apart-queue-80x24", frame);
    assert_contains(frame, "node1 has 3: 3 ready, 0 unacknowledged; mirrors none");
    assert_contains(frame, "node2 has 4: 4 ready, 0 unacknowledged; mirrors node3 in sync");
    free(frame);
    model_finish(&m);
}

/* Cards with room for none of the counts, names longer than a column: nothing is cut into another thing. */
static void counts_that_do_not_fit(void **state)
{
    (void)state;
    struct model m;
    show(&m, NULL, (const char *const[]){"apart", NULL});
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(m.snapshot, "m1");
    q->sides[0].ready = q->sides[1].ready = 123456;
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "TWO MASTERS 2 views");
    free(frame);
    model_finish(&m);
}

static void nobody_answers(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    CHECK("silent-80x24", l, 80, 24, "silent");
    CHECK("frozen-80x24", l, 80, 24, "frozen");
    CHECK("empty-80x24", NULL, 80, 24, "empty");
    sketch_destroy(l);
}

static void overlays(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    static const struct {
        int key;
        const char *name;
    } shown[] = {{'?', "help-80x24"}, {'K', "kill-80x24"}, {'P', "policy-80x24"}};
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        model_key(&m, shown[i].key, &run);
        char *frame = model_frame(&m, 80, 24);
        check_frame(shown[i].name, frame);
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
        assert_null(run);
    }
    model_key(&m, '4', &run);
    char *frame = model_frame(&m, 80, 24);
    check_frame("lesson-80x24", frame);
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* What p and g ask: with a lesson's programs, which they run. */
static void forms(void **state)
{
    static const struct {
        int key;
        const char *name;
    } shown[] = {{'g', "get-80x24"}, {'p', "publish-80x24"}};
    static char *consumer[] = {"consumer", NULL}, *producer[] = {"producer", NULL};
    (void)state;
    struct lesson *l = two_proved(), *tools = sketch_lesson();
    char **actions[] = {tools->steps[0].action, tools->steps[2].action};
    struct labdir lab = {0};
    struct model m;
    struct command *run;
    labdir_defaults(&lab, ENGINE_KIT, 3);
    tools->steps[0].action = consumer;
    tools->steps[2].action = producer;
    show(&m, l, (const char *const[]){"rest", NULL});
    m.tools = tools;
    m.lab = &lab;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        model_key(&m, shown[i].key, &run);
        char *frame = model_frame(&m, 80, 24);
        check_frame(shown[i].name, frame);
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
        assert_null(run);
    }
    tools->steps[0].action = actions[0];
    tools->steps[2].action = actions[1];
    model_finish(&m);
    sketch_destroy(tools);
    sketch_destroy(l);
}

/* Where there is little room, what is to be read is still there to its end: by more rows, and by scrolling.
 */
static void overlays_in_a_small_window(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    model_key(&m, 'K', &run);
    char *frame = model_frame(&m, 40, 12);
    assert_contains(frame, "| gone.  ");
    assert_contains(frame, "| y: do it   Esc: cancel");
    free(frame);
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, '?', &run);
    frame = model_frame(&m, 40, 12);
    assert_contains(frame, "|   run the current step once more");
    free(frame);
    for (int i = 0; i < 100; i++)
        model_key(&m, KEY_PAGE_DOWN, &run);
    frame = model_frame(&m, 40, 12); /* as far as there is something, and one key goes back from there */
    assert_contains(frame, "|   docs/glossary.md");
    assert_contains(frame, " 0 below");
    free(frame);
    model_key(&m, 'k', &run);
    frame = model_frame(&m, 40, 12);
    assert_contains(frame, " 1 below");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

static void says(struct model *m, const char *part)
{
    char *frame = model_frame(m, 80, 24);
    assert_contains(frame, part);
    free(frame);
}

static void says_not(struct model *m, const char *part)
{
    char *frame = model_frame(m, 80, 24);
    assert_lacks(frame, part);
    free(frame);
}

/* The error that a lesson is about is on the screen to its end. */
static void a_long_error(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    static const char *const argv[] = {"consumer", "--queue", "hello", NULL};
    static const char error[] = "basic.consume: the broker refused: 404 NOT_FOUND - queue 'hello' in vhost "
                                "'/' process is stopped by supervisor, class-id=60, method-id=20\n";
    show(&m, l, (const char *const[]){"rest", NULL});
    model_ran(&m, command_of(argv, 2));
    model_output(&m, m.command, error, strlen(error));
    model_ended(&m, m.command, 1);
    char *frame = model_frame(&m, 80, 24);
    check_frame("error-80x24", frame);
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* Nothing is cut without saying so: what was seen last is read to its end where there are rows for it, and
 * the steps that have none are counted. */
static void what_has_no_room_is_said(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    static const char seen[] =
        "messages=100000; master=node1; state=running; durable; effective policy=mirror";
    sketch_step(l, 1, STEP_SEEN, seen);
    l->predict.step = 4; /* a question would come first */
    show(&m, l, (const char *const[]){"rest", NULL});
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, " below -");
    assert_contains(frame, "\n       seen: messages=100000; master=node1; state=running; durable;");
    assert_contains(frame, "policy=mirror\n>[ ] 3");
    free(frame);
    frame = model_frame(&m, 80, 9);
    assert_contains(frame, " below -");
    assert_lacks(frame, "policy=mirror\n>[ ] 3"); /* what is to be done comes first */
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* A step that only looks waits for the learner; once it is ticked, what it has shown is to be read. */
static void a_step_that_only_looks(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    struct command *run;
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    show(&m, l, (const char *const[]){"rest", NULL});
    says(&m, "\n       nothing to run: look, then n");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_LOOK);
    l->steps[3].acted = true;
    says(&m, "\n       it is ticked when the nodes show it (n: what is missing)");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_DRAW);
    assert_non_null(model_message(&m));
    sketch_step(l, 3, STEP_SEEN, "master=node2; sync={node3}");
    says(&m, "\n       The policy asks for two copies");
    says(&m, "\n       n runs: consumer --queue mirrior_hello");
    l->steps[4].acted = true;
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "The policy asks for two copies");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* What came out is told once it was seen: before, only what is done. */
static void a_result_is_told_once_it_was_seen(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    sketch_step(l, 2, STEP_SEEN, "node2, node3 both say so");
    l->steps[3].before = xstrdup("look at mirrior_hello");
    free(l->steps[3].result);
    l->steps[3].result = xstrdup("The mirror was made master.");
    show(&m, l, (const char *const[]){"stopped", NULL});
    for (int half = 0; half <= 1; half++) {
        char *frame = model_frame(&m, 80, 24);
        assert_contains(frame, "4 look at mirrior_hello");
        assert_lacks(frame, "The mirror was made master.");
        assert_lacks(frame, "mirror promoted");
        free(frame);
        sketch_step(l, 3, STEP_HALF, "no mirror");
    }
    sketch_step(l, 3, STEP_SEEN, "master=node2");
    says(&m, "4 mirror promoted, new mirror in sync");
    says(&m, "\n       The mirror was made master.");
    /* what the next one lacks stands in the place of what n would run, and n does not run it */
    struct command *run;
    l->steps[4].lacks = xstrdup("node1 runs: s stops it.");
    says(&m, "\n       node1 runs: s stops it.");
    assert_int_equal(model_key(&m, 'n', &run), EFFECT_DRAW);
    assert_null(run);
    assert_string_equal(model_message(&m), "node1 runs: s stops it.");
    model_finish(&m);
    free(l->steps[3].before);
    sketch_destroy(l);
}

/* After the last step the screen says where the messages are, from what was seen: nobody wrote it down. */
static void what_became_of_the_queues(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    show(&m, l, (const char *const[]){"rest", NULL});
    char *frame = model_frame(&m, 80, 24); /* every node runs: nothing to say */
    assert_lacks(frame, "out of reach");
    assert_lacks(frame, "took over");
    free(frame);
    model_finish(&m);
    show(&m, l, (const char *const[]){"rest", "stopped", NULL});
    says(&m, "\n hello: 100000 messages are out of reach: their only copy is on node1.");
    says(&m, "\n mirrior_hello: node2 took over from node1");
    struct snapshot *s = snapshot_clone(m.snapshot);
    struct event_seen *e = NULL;
    for (size_t i = 0; i < s->events_len; i++)
        e = strcmp(s->events[i].kind, "promote") == 0 ? &s->events[i] : e;
    assert_non_null(e);
    free(e->text);
    e->text = xstrdup("mirrior_hello: node2 promoted, NOT in sync, 5 messages");
    model_observe(&m, s);
    says(&m, "took over from node1 though NOT in sync: it lacks some.");
    snapshot_destroy(s);
    model_finish(&m);
    sketch_destroy(l);
}

/* node1 has come back: hello without its message, mirrior_hello with another master. */
static struct snapshot *node1_back(void)
{
    struct snapshot *s = load_snapshot("rest"), *then = load_snapshot("stopped");
    s->number = then->number + 1;
    s->taken_at = then->taken_at + 5000;
    for (size_t i = 0; i < s->queues_len; i++) {
        struct queue_seen *q = &s->queues[i];
        bool mirrored = strcmp(q->name, "mirrior_hello") == 0;
        q->messages = q->ready = mirrored ? q->messages : 0;
        q->master = mirrored ? 1 : q->master;
        q->mirrors = q->synced = mirrored ? 4 : 0;
    }
    for (size_t i = 0; i < s->events_len;
         i++) /* as on RabbitMQ, which does not say how level the mirror was */
        if (strcmp(s->events[i].kind, "promote") == 0)
            s->events[i].text[0] = '-';
    snapshot_destroy(then);
    return s;
}

/* When the node is back, what was lost and what was kept is still said, on a small screen, too. */
static void what_was_lost_is_said_at_the_end(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *name;
    } sizes[] = {{80, 24, "ending-80x24"}, {60, 16, "ending-60x16"}, {40, 12, "ending-40x12"}};
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    show(&m, l, (const char *const[]){"rest", "stopped", NULL});
    struct snapshot *s = node1_back();
    model_observe(&m, s);
    m.now = s->taken_at;
    says(&m, "\n hello: 100000 messages are lost: their only copies were on node1, in memory\n alone.");
    says(&m, "\n mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *frame = model_frame(&m, sizes[i].width, sizes[i].height);
        check_frame(sizes[i].name, frame);
        assert_contains(frame, "All 5 steps were seen.");
        free(frame);
    }
    s->taken_at += 4000; /* counts that come late: they were there all the time */
    s->queues[0].messages = 100000;
    model_observe(&m, s);
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "lost");
    free(frame);
    snapshot_destroy(s);
    model_finish(&m);
    sketch_destroy(l);
}

/* What is played after the lesson's end is no part of its account. */
static void what_is_done_later_changes_nothing(void **state)
{
    (void)state;
    static const char lost[] =
        "\n hello: 100000 messages are lost: their only copies were on node1, in memory\n alone.";
    for (int acts = 0; acts < 2; acts++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        l->number = 7;
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, STEP_SEEN, "so");
        show(&m, l, (const char *const[]){"rest", "stopped", NULL});
        struct snapshot *s = node1_back();
        model_observe(&m, s);
        m.now = s->taken_at;
        says(&m, lost);
        if (acts) /* at once */
            model_ran(
                &m, command_of((const char *const[]){"producer", "--queue", "hello", NULL}, COMMAND_OF_KEY));
        else
            s->taken_at += 11000; /* or when all is known that led to the end */
        model_observe(&m, s);
        s->taken_at += 1000;
        s->queues[0].messages = 100000;
        s->queues[1].master = -1;
        model_observe(&m, s);
        m.now = s->taken_at;
        says(&m, lost);
        says(&m, "\n mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
        l->steps[0].state = STEP_OPEN; /* it begins again */
        model_observe(&m, s);
        char *account = account_text(&m);
        assert_null(strstr(account ? account : "", "took over")); /* nobody serves it now */
        free(account);
        snapshot_destroy(s);
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* A lesson that one comes back to: its account is as it was, but what the nodes do not tell any more is not
 * pointed to. */
static void an_old_account_points_to_nothing_that_is_gone(void **state)
{
    (void)state;
    static const char *const kept[] = {"%s: 1 message is lost; 3 shows where.",
                                       "%s: %lld messages are lost; 3 shows where."},
                             *const shown[] = {" hello: 1 message is lost.\n",
                                               " hello: 5 messages are lost.\n"};
    for (size_t k = 0; k < ARRAY_LEN(kept); k++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, STEP_SEEN, "so");
        l->account = json_pack("[sss]", kept[k], "hello", "5");
        show(&m, l, (const char *const[]){"rest", NULL});
        says(&m, shown[k]);
        l->nodes = 1; /* of three: it is over, and does not ask to be begun */
        m.next_lesson = 8;
        says(&m, "\nN goes on to the next lesson, B begins this one again, q leaves.");
        model_finish(&m);
        sketch_destroy(l);
    }
}

static void forget_events(struct snapshot *s)
{
    for (size_t i = 0; i < s->events_len; i++) {
        free(s->events[i].kind);
        free(s->events[i].node);
        free(s->events[i].text);
        json_decref(s->events[i].fact);
    }
    s->events_len = 0;
}

/* node2 from node1, node1 being back then node3 from node2: each is told, and that one was not in sync. */
static void one_after_the_other_took_over(void **state)
{
    (void)state;
    for (int level = 0; level < 2; level++) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest");
        struct queue_seen *q = NULL;
        for (size_t i = 0; i < s->queues_len; i++)
            q = strcmp(s->queues[i].name, "mirrior_hello") == 0 ? &s->queues[i] : q;
        assert_non_null(q);
        forget_events(s);
        for (int master = 0; master < 3; master++) {
            for (int n = 0; n < 3; n++)
                s->nodes[n].answers = n != master - 1;
            q->master = master;
            q->mirrors = q->synced = master == 1 && !level ? 0 : (node_bits)7 & ~((node_bits)1 << master);
            model_observe(&m, s);
        }
        char *account = account_text(&m);
        assert_contains(account, level ? "mirrior_hello: node2 took over from node1, then node3 from node2; "
                                         "each copy was in sync: all kept."
                                       : "mirrior_hello: node2 took over from node1, then node3 from node2.");
        free(account);
        snapshot_destroy(s);
        model_finish(&m);
    }
}

/* A mirror that was not in sync when its master went keeps less than all, whoever tells of it. */
static void who_was_not_level_is_not_called_so(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    model_init(&m, l, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    for (size_t i = 0; i < s->queues_len; i++)
        s->queues[i].synced = 0;
    model_observe(&m, s);
    snapshot_destroy(s);
    s = load_snapshot("stopped");
    model_observe(&m, s);
    snapshot_destroy(s);
    s = node1_back();
    model_observe(&m, s);
    snapshot_destroy(s);
    says(&m, "\n mirrior_hello: node2 took over from node1.");
    model_finish(&m);
    sketch_destroy(l);
}

/* f gives the lesson one line, and the queues the rest; again: as it was. */
static void a_lesson_is_folded(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"many", NULL});
    char *before = model_frame(&m, 80, 24);
    assert_int_equal(model_key(&m, 'f', &run), EFFECT_DRAW);
    char *frame = model_frame(&m, 80, 24);
    check_frame("folded-80x24", frame);
    assert_contains(frame, ">[ ] 3 stop node1");
    assert_lacks(frame, "[x] 2");
    free(frame);
    model_key(&m, 'f', &run);
    frame = model_frame(&m, 80, 24);
    assert_string_equal(frame, before);
    free(frame);
    free(before);
    model_finish(&m);
    sketch_destroy(l);
}

static void a_lab_that_does_not_fit(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    show(&m, l, (const char *const[]){"rest", NULL});
    says(&m, "Press n to run the step");
    m.leftover = json_string("The lab holds mirrior_hello already");
    says(&m, "The lab holds mirrior_hello already: B makes it ready for the lesson, n goes on.\n");
    sketch_step(l, 0, STEP_SEEN, "effective policy=mirror"); /* ticked by what was left: still said */
    says(&m, "B makes it ready");
    l->nodes = 3;
    says(&m, "B makes it ready");
    l->nodes = 1;
    says(&m, "B makes it ready"); /* what an earlier run left is in the way; more nodes are not */
    json_decref(m.leftover);
    m.leftover = NULL;
    says(&m, "This lesson is about 1 node; the others of this lab look on. Press n to begin.");
    m.next_lesson = 8;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    says(&m, "All 5 steps were seen. N goes on to lesson 8, B begins it again, q leaves.");
    model_finish(&m);
    sketch_destroy(l);
}

static void assert_outcome(const struct model *m, const char *words)
{
    char *text = outcome_text(m);
    assert_string_equal(text, words);
    free(text);
}

/* The question stands at its step, before that is run, whole, also where there is little room; A goes through
 * the choices; what came out is said when its step is ticked, and at the end. */
static void predict_first(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    show(&m, l, (const char *const[]){"rest", NULL});
    says_not(&m, "Which nodes hold");
    assert_int_equal(model_key(&m, 'A', &run), EFFECT_DRAW);
    assert_contains(model_message(&m), "no question is open");
    sketch_step(l, 0, STEP_SEEN, "so");
    sketch_step(l, 1, STEP_SEEN, "so");
    m.message_step = 0; /* it was said at another step */
    says(&m, "\n       Before you look: Which nodes hold mirrior_hello after node1 was stopped?\n"
             "       a: node2; b: node2 and node3; c: none -- A answers\n"
             "       n runs: labctl -n node1 stop_app\n");
    char *small = model_frame(&m, 60, 20);
    assert_contains(small, "\n       Before you look: Which nodes hold mirrior_hello after\n"
                           "       node1 was stopped? a: node2; b: node2 and node3; c:\n"
                           "       none -- A answers\n");
    free(small);
    for (int said = 0; said < 3; said++) {
        assert_int_equal(model_key(&m, 'A', &run), EFFECT_ANSWER);
        assert_true(lesson_answer(l));
        assert_int_equal(l->predict.said, said);
    }
    says(&m, "c: none -- you say c\n");
    assert_true(lesson_answer(l));
    assert_int_equal(l->predict.said, -1); /* none again */
    lesson_answer(l);
    l->steps[2].acted = true;
    says_not(&m, "Before you look");
    assert_false(lesson_answer(l)); /* too late */
    sketch_step(l, 2, STEP_SEEN, "so");
    sketch_step(l, 3, STEP_SEEN, "so");
    l->predict.was = 1;
    says(&m, "\n       You said a: node2. It was b: node2 and node3. The policy asks");
    sketch_step(l, 4, STEP_SEEN, "so");
    says(&m, "\n You were asked: Which nodes hold mirrior_hello after node1 was stopped? You\n"
             " said a: node2. It was b: node2 and node3.\n");
    l->predict.said = 1;
    assert_outcome(&m, "You said b, and so it was: node2 and node3.");
    l->predict.said = -1;
    assert_outcome(&m, "It was b: node2 and node3.");
    l->predict.was = -1; /* none of them was seen */
    assert_null(outcome_text(&m));
    model_finish(&m);
    sketch_destroy(l);
}

/* A lesson longer than the screen says what is cut off, and every line of it can be reached. */
static void a_lesson_is_scrolled(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct model m;
    struct command *run;
    for (size_t i = 2; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "seen");
    show(&m, l, (const char *const[]){"rest", NULL});
    model_key(&m, '4', &run);
    char *frame = model_frame(&m, 80, 16);
    check_frame("lesson-80x16", frame);
    free(frame);
    model_key(&m, 'k', &run);
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, "v 1 more below (j, PgDn)");
    free(frame);
    for (int i = 0; i < 5; i++) {
        model_key(&m, KEY_PAGE_UP, &run);
        free(model_frame(&m, 80, 16));
    }
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, " Aim: Stop the node");
    assert_lacks(frame, "more above");
    free(frame);
    model_key(&m, 'j', &run); /* no key is spent on what is beyond the top */
    frame = model_frame(&m, 80, 16);
    assert_contains(frame, "^ 1 more above (k, PgUp)");
    free(frame);
    frame = model_frame(&m, 80, 40); /* a larger screen needs none of it */
    assert_contains(frame, " Aim: Stop the node");
    assert_lacks(frame, "more above");
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* tui_frame_text is the same frame without a model of one's own, and without keys: nobody can press them */
static void frame_text(void **state)
{
    (void)state;
    struct lesson *l = two_proved();
    struct snapshot *s = load_snapshot("rest");
    char *frame = tui_frame_text(s, l, 80, 24);
    check_frame("rest-text-80x24", frame);
    assert_contains(frame, "n1 n2 n3");
    assert_lacks(frame, "q:Quit");
    assert_lacks(frame, "Press n");
    free(frame);
    snapshot_destroy(s);
    sketch_destroy(l);
}

/* Every size gives as many lines as asked for, none wider; the step to do now is on any screen of two lines.
 */
static void every_size(void **state)
{
    (void)state;
    static const char *const names[] = {"rest", "stopped", "wide", "many", "silent", "empty"};
    struct lesson *l = two_proved();
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < 1500; i++) {
        struct model m;
        struct command *run = NULL;
        struct canvas c;
        show(&m, rng_chance(&rng, 80) ? l : NULL, (const char *const[]){names[rng_below(&rng, 6)], NULL});
        static const int keys[] = {'?', 'K', 'P', '2', '3', '4', '1', '\r', 'x'};
        model_key(&m, keys[rng_below(&rng, ARRAY_LEN(keys))], &run);
        command_destroy(run);
        int width = 1 + (int)rng_below(&rng, 200), height = 1 + (int)rng_below(&rng, 60);
        char *frame = model_frame(&m, width, height);
        canvas_init(&c);
        int lines = 0;
        for (char *line = frame, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
            *end = '\0';
            if (text_columns(&c, line) > width)
                fail_msg("%d columns in a frame of %dx%d: %s", text_columns(&c, line), width, height, line);
        }
        assert_int_equal(lines, height);
        canvas_finish(&c);
        free(frame);
        model_finish(&m);
    }
    for (int height = 1; height < 10; height++) {
        struct model m;
        show(&m, l, (const char *const[]){"rest", NULL});
        char *frame = model_frame(&m, 40, height);
        assert_contains(frame, ">[ ] 3 stop node1");
        free(frame);
        model_finish(&m);
    }
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_rest),
        cmocka_unit_test(node_stopped),
        cmocka_unit_test(wide_names),
        cmocka_unit_test(more_than_four_nodes),
        cmocka_unit_test(a_partition),
        cmocka_unit_test(counts_that_do_not_fit),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(overlays),
        cmocka_unit_test(forms),
        cmocka_unit_test(overlays_in_a_small_window),
        cmocka_unit_test(a_long_error),
        cmocka_unit_test(what_has_no_room_is_said),
        cmocka_unit_test(a_step_that_only_looks),
        cmocka_unit_test(a_result_is_told_once_it_was_seen),
        cmocka_unit_test(what_became_of_the_queues),
        cmocka_unit_test(what_was_lost_is_said_at_the_end),
        cmocka_unit_test(what_is_done_later_changes_nothing),
        cmocka_unit_test(an_old_account_points_to_nothing_that_is_gone),
        cmocka_unit_test(one_after_the_other_took_over),
        cmocka_unit_test(who_was_not_level_is_not_called_so),
        cmocka_unit_test(a_lesson_is_folded),
        cmocka_unit_test(a_lab_that_does_not_fit),
        cmocka_unit_test(predict_first),
        cmocka_unit_test(a_lesson_is_scrolled),
        cmocka_unit_test(frame_text),
        cmocka_unit_test(every_size),
    };
    return cmocka_run_group_tests_name("screen/frames", tests, NULL, NULL);
}
