/* test_paused.c: [ and ] on a paused screen go to what looks different, not only to what was told: a step
 * that changes nothing on the screen would be none. */
#include "tests/screen/support.h"

#include <event2/event.h>

#include "commands.h"
#include "session.h"

struct rig {
    struct event_base *base;
    struct model live;
    struct session *session;
    struct canvas canvas;
    uint64_t number;
    ms_time now;
};

static ms_time now_of(void *arg)
{
    return ((struct rig *)arg)->now;
}

static void draw(void *arg)
{
    (void)arg;
}

/* A quarter of a second after the one before; definition: the first policy's, which this view does not show.
 */
static void observes(struct rig *r, const char *name, const char *definition)
{
    struct snapshot *s = load_snapshot(name);
    s->number = ++r->number;
    s->taken_at = r->now += 250;
    if (definition) {
        assert_true(s->policies_len > 0);
        free(s->policies[0].definition);
        s->policies[0].definition = xstrdup(definition);
    }
    model_observe(&r->live, s);
    session_saw(r->session, s);
    snapshot_destroy(s);
}

static char *frame_of(struct rig *r)
{
    struct text out = {0};
    session_draw(r->session, &r->canvas);
    canvas_to_text(&r->canvas, &out);
    return out.s;
}

/* what stands below the header after that key */
static char *after(struct rig *r, int key)
{
    struct command *run;
    assert_int_equal(session_press(r->session, key, &run), EFFECT_TIME);
    session_request(r->session, session_model(r->session)->time_request, &r->canvas);
    char *frame = frame_of(r), *below = xstrdup(strchr(frame, '\n'));
    free(frame);
    return below;
}

static void a_step_back_is_seen(void **state)
{
    (void)state;
    struct rig r = {.base = event_base_new(), .now = 1000000};
    model_init(&r.live, NULL, NULL, false, false);
    r.session = session_create(
        &(struct session_options){.base = r.base, .live = &r.live, .now = now_of, .draw = draw, .arg = &r});
    canvas_init(&r.canvas);
    canvas_resize(&r.canvas, 80, 24);
    observes(&r, "rest", NULL);
    observes(&r, "down", NULL);
    observes(&r, "down", "{\"ha-mode\":\"all\"}"); /* told, and nothing of it is shown here */
    observes(&r, "down", "{\"ha-mode\":\"nodes\"}");
    free(frame_of(&r));
    char *paused = after(&r, ' '), *back = after(&r, '['), *on = after(&r, ']');
    assert_contains(paused, "node1 NOT RUNNING");
    assert_lacks(back, "NOT RUNNING");
    assert_contains(on, "node1 NOT RUNNING");
    free(paused);
    free(back);
    free(on);
    back = after(&r, '[');
    free(back);
    back = after(&r, '['); /* there is nothing before it, and it says so */
    assert_contains(back, "this is the oldest that is kept of what was seen");
    assert_lacks(back, "recording"); /* nothing is recorded */
    free(back);
    on = after(&r, ']');
    free(on);
    on = after(&r, ']');
    assert_contains(on, "the screen was paused here; Space goes back to the lab");
    free(on);
    canvas_finish(&r.canvas);
    session_destroy(r.session);
    model_finish(&r.live);
    event_base_free(r.base);
}

/* What nobody said for 4 s is no younger because the screen was paused then. */
static void a_pause_makes_nothing_younger(void **state)
{
    (void)state;
    struct rig r = {.base = event_base_new(), .now = 1000000};
    model_init(&r.live, NULL, NULL, false, false);
    r.session = session_create(
        &(struct session_options){.base = r.base, .live = &r.live, .now = now_of, .draw = draw, .arg = &r});
    canvas_init(&r.canvas);
    canvas_resize(&r.canvas, 80, 24);
    struct snapshot *s = load_snapshot("rest");
    s->taken_at = r.now += 250;
    for (size_t i = 0; i < s->nodes_len; i++)
        s->nodes[i].answered_at = s->taken_at;
    model_observe(&r.live, s);
    session_saw(r.session, s);
    s->number++;
    s->taken_at = r.now += 4100;
    s->source = -1;
    for (size_t i = 0; i < s->nodes_len; i++)
        s->nodes[i].answers = false;
    model_observe(&r.live, s);
    session_saw(r.session, s);
    char *frame = frame_of(&r);
    assert_contains(frame, "STALE           age 4s");
    free(frame);
    free(after(&r, ' '));
    frame = frame_of(&r);
    assert_contains(frame, "PAUSED          age 4s");
    free(frame);
    r.now += 2000;
    frame = frame_of(&r);
    assert_contains(frame, "PAUSED          age 6s");
    free(frame);
    snapshot_destroy(s);
    canvas_finish(&r.canvas);
    session_destroy(r.session);
    model_finish(&r.live);
    event_base_free(r.base);
}

/* A step stops where the nodes were looked at after what a program printed: its output never stands below
 * what they were seen to be before it. That it runs is no such thing. */
static void what_was_printed_is_no_later(void **state)
{
    (void)state;
    static const char *const words[] = {"labctl", "-n", "node1", "stop_app", NULL};
    static const char said[] = "Stopping rabbit application on node node1 ...\n";
    struct rig r = {.base = event_base_new(), .now = 1000000};
    model_init(&r.live, NULL, NULL, false, false);
    r.session = session_create(
        &(struct session_options){.base = r.base, .live = &r.live, .now = now_of, .draw = draw, .arg = &r});
    canvas_init(&r.canvas);
    canvas_resize(&r.canvas, 80, 24);
    observes(&r, "rest", NULL);
    struct command *c = command_of(words, COMMAND_OF_KEY);
    r.now += 10;
    model_ran(&r.live, c);
    session_ran(r.session, c);
    r.now += 10;
    model_output(&r.live, c, said, strlen(said));
    session_output(r.session, c, said, strlen(said));
    r.now += 10;
    model_ended(&r.live, c, 0);
    session_ended(r.session, c, 0);
    observes(&r, "down", NULL);
    free(frame_of(&r));
    char *paused = after(&r, ' '), *back = after(&r, '['), *on = after(&r, ']');
    assert_contains(paused, "node1 NOT RUNNING");
    assert_contains(paused, "exit 0");
    assert_lacks(back, "NOT RUNNING");
    assert_contains(back, "running...");
    assert_lacks(back, "exit 0");
    assert_lacks(back, "Stopping rabbit");
    assert_string_equal(on, paused);
    free(paused);
    free(back);
    free(on);
    back = after(&r, '[');
    free(back);
    back = after(&r, '[');
    assert_lacks(back, "stop_app"); /* it did not run yet */
    free(back);
    canvas_finish(&r.canvas);
    session_destroy(r.session);
    model_finish(&r.live);
    event_base_free(r.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_step_back_is_seen),
                                       cmocka_unit_test(a_pause_makes_nothing_younger),
                                       cmocka_unit_test(what_was_printed_is_no_later)};
    return cmocka_run_group_tests_name("screen/paused", tests, NULL, NULL);
}
