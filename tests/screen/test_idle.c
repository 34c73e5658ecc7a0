/* test_idle.c: what an idle tick costs: bytes to the terminal while nothing happens, in every view, small and
 * large, with a lesson and without, when a minute full of messages is behind. */
#include "tests/screen/scene.h"

#include <poll.h>
#include <unistd.h>

#include "tests/screen/story.h"
#include "tui/terminal.h"

#define TICK_BYTES 64
#define TICKS      CHART_STILL /* of one measure: a chart moves on once in so many */
#define MEASURES   4           /* until nothing is left of the busy minute */

#define LOOKS_A_TICK 4 /* the kit's nodes are asked so often in a second */
#define BUSY_TICKS   75
#define QUEUES       6

enum past { ONE_MESSAGE, A_FEW, BUSY };

struct idle {
    enum view view;
    int width, height;
    bool lesson;
    enum past past;
};

/* ---- in the child: the screen of a lab, at the times that the test wants
 * ------------------------------------------------------------------------------------------------------ */

static void more_queues(struct snapshot *s)
{
    s->queues = xrealloc(s->queues, QUEUES * sizeof(*s->queues));
    for (size_t i = 1; i < QUEUES; i++) {
        s->queues[i] = s->queues[0];
        s->queues[i].name = format_text("hello%zu", i + 1);
        s->queues[i].effective_definition = xstrdup("{}");
    }
    s->queues_len = QUEUES;
}

static void look_at(struct story *t, struct model *m)
{
    t->s->taken_at += 1000 / LOOKS_A_TICK - 250; /* story_look adds 250 */
    for (size_t i = 0; i < t->s->queues_len; i++)
        t->s->queues[i].seen_at = t->s->taken_at;
    struct snapshot *s = story_look(t);
    model_observe(m, s);
    m->now = s->taken_at;
    snapshot_destroy(s);
}

/* what is published and taken in a second */
static void work(struct story *t, enum past past, int tick, uint64_t *next)
{
    struct queue_seen *q = t->s->queues;
    int64_t in = past == BUSY          ? (tick * 7 % 11) * 10
                 : past == ONE_MESSAGE ? tick == BUSY_TICKS - 10
                                       : tick % 15 == 3;
    int64_t out = past == BUSY ? (tick * 5 % 13) * 10 : past == A_FEW && tick % 15 == 9;
    out = out > q->messages ? q->messages : out;
    if (in)
        story_fact(t, TRACE_SEEN_ACCEPTED, 0, tick * 1000000, *next, *next + (uint64_t)in - 1);
    if (out)
        story_fact(t, TRACE_SEEN_DELIVERED, 0, tick * 1000000, *next, *next + (uint64_t)out - 1);
    *next += (uint64_t)in;
    for (size_t i = 0; i < t->s->queues_len; i++) {
        q[i].messages += in - out;
        q[i].ready = q[i].messages;
    }
}

static void draw(struct terminal *t, struct model *m, struct canvas *c, int measure)
{
    char mark[16];
    screen_settle(m, c);
    screen_draw(m, c);
    snprintf(mark, sizeof(mark), "@%d@", measure);
    canvas_put(c, (struct rect){0, 0, c->width, c->height}, c->width - 4, c->height - 1, STYLE_NORMAL, mark);
    terminal_draw(t, c, false);
}

/* by a key, which is nobody's else */
static bool told_to_go_on(void)
{
    struct pollfd key = {.fd = STDIN_FILENO, .events = POLLIN};
    char ch;
    return poll(&key, 1, SOON) == 1 && read(STDIN_FILENO, &ch, 1) == 1;
}

static int show_it(void *arg)
{
    const struct idle *idle = arg;
    const char *why;
    struct terminal *terminal = terminal_open(&why);
    struct lesson *lesson = idle->lesson ? sketch_two_proved() : NULL;
    struct story t;
    struct model m;
    struct canvas c;
    uint64_t next = 0;
    canvas_init(&c);
    canvas_resize(&c, idle->width, idle->height);
    model_init(&m, lesson, NULL, false, false);
    story_begin(&t, 3, "hello");
    more_queues(t.s);
    for (size_t i = 0; i < QUEUES; i++)
        t.s->queues[i].publish_rate = t.s->queues[i].deliver_rate = 0;
    look_at(&t, &m);
    for (int tick = 0; tick < BUSY_TICKS; tick++) {
        work(&t, idle->past, tick, &next);
        for (int i = 0; i < LOOKS_A_TICK; i++)
            look_at(&t, &m);
    }
    for (int i = 0; i < 2 * LOOKS_A_TICK; i++) /* until the last busy second is over, and drawn */
        look_at(&t, &m);
    model_select_queue(&m, "hello");
    model_show(&m, idle->view);
    draw(terminal, &m, &c, 0);
    for (int measure = 1; told_to_go_on() && measure <= MEASURES; measure++)
        for (int i = 1; i <= TICKS * LOOKS_A_TICK; i++) {
            look_at(&t, &m);
            draw(terminal, &m, &c, i < TICKS * LOOKS_A_TICK ? measure - 1 : measure);
        }
    terminal_close(terminal);
    canvas_finish(&c);
    model_finish(&m);
    story_end(&t);
    if (lesson)
        sketch_destroy(lesson);
    return 0;
}

/* ---- what it sends
 * ------------------------------------------------------------------------------------------------------ */

static uint64_t assert_idle(struct scene *s, struct idle idle)
{
    uint64_t most = 0;
    s->t = terminal_start(s->base, idle.width, idle.height, show_it, &idle);
    assert_seen(s, "@0@");
    if (idle.view == VIEW_QUEUE)
        assert_contains(terminal_text(s->t), "#"); /* there is something in its charts */
    for (int measure = 1; measure <= MEASURES; measure++) {
        char mark[16];
        uint64_t bytes = terminal_bytes(s->t);
        snprintf(mark, sizeof(mark), "@%d@", measure);
        terminal_type(s->t, "x");
        assert_seen(s, mark); /* it is the last thing that is drawn */
        bytes = terminal_bytes(s->t) - bytes;
        most = bytes > most ? bytes : most;
    }
    if (most > TICK_BYTES * TICKS)
        fail_msg("view %d, %dx%d%s, past %d: %.1f bytes a tick", (int)idle.view + 1, idle.width, idle.height,
                 idle.lesson ? ", with a lesson" : "", (int)idle.past, (double)most / TICKS);
    terminal_type(s->t, "x");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_ended(s, 0);
    return most;
}

static void an_idle_tick_costs_little(void **state)
{
    static const int sizes[][2] = {{80, 24}, {160, 45}};
    uint64_t most = 0;
    for (int past = ONE_MESSAGE; past <= BUSY; past++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
            for (int lesson = 0; lesson <= 1; lesson++)
                for (int view = 0; view < VIEWS; view++) {
                    uint64_t bytes = assert_idle(*state, (struct idle){.view = (enum view)view,
                                                                       .width = sizes[i][0],
                                                                       .height = sizes[i][1],
                                                                       .lesson = lesson,
                                                                       .past = (enum past)past});
                    most = bytes > most ? bytes : most;
                }
    print_message("idle: at most %.1f bytes a tick\n", (double)most / TICKS);
}

/* The program itself, on nodes: it draws nothing that is not different. (The queue's page, whose charts take
 * CHART_STILL seconds to move on, is measured above.) */
static void idle_views_cost_nothing(struct scene *s, int lesson, int width, int height)
{
    static const struct {
        const char *key, *shows;
    } views[] = {
        {"1", " QUEUE "}, {"2", "- Events "}, {"3", " time producer "}, {"4", NULL}, {"1l\r", "- Node "}};
    scene_live(s, lesson);
    terminal_set_size(s->t, width, height);
    for (size_t i = 0; i < ARRAY_LEN(views); i++) {
        terminal_type(s->t, views[i].key);
        assert_seen(s, views[i].shows ? views[i].shows : lesson ? "Lesson 7" : "No lesson is open");
        scene_pass_rounds(s, 2);
        uint64_t bytes = terminal_bytes(s->t);
        int64_t from = terminal_now_us();
        scene_pass_rounds(s, LOOKS_A_TICK);
        double seconds = (double)(terminal_now_us() - from) / 1e6;
        bytes = terminal_bytes(s->t) - bytes;
        if ((double)bytes > TICK_BYTES * seconds) /* a tick is a second */
            fail_msg("%s at %dx%d: %llu bytes in %.1f s\n%s", views[i].key, width, height,
                     (unsigned long long)bytes, seconds, terminal_text(s->t));
    }
    scene_quit(s);
}

static void an_idle_lab_costs_nothing(void **state)
{
    idle_views_cost_nothing(*state, 0, 80, 24);
}

static void an_idle_lesson_costs_nothing(void **state)
{
    idle_views_cost_nothing(*state, 7, 160, 45);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        TEST(an_idle_tick_costs_little),
        TEST(an_idle_lab_costs_nothing),
        TEST(an_idle_lesson_costs_nothing),
    };
    return cmocka_run_group_tests_name("screen/idle", tests, NULL, NULL);
}
