/* test_past.c: a paused screen and a replay show the message of the queue that is selected, or say that
 * nothing was recorded of it: never another queue's. */
#include "tests/screen/support.h"

#include <stdlib.h>

#include "record.h"
#include "tests/screen/story.h"
#include "time_delta.h"
#include "time_player.h"

struct past {
    struct story t;
    struct model live;
    struct recorder *memory;
    struct player *player;
};

static void look(struct past *p)
{
    struct snapshot *s = story_look(&p->t);
    json_t *doc = recorded_encode(s);
    model_observe(&p->live, s);
    recorder_snapshot(p->memory, s, doc, NULL, NULL);
    json_decref(doc);
    snapshot_destroy(s);
}

/* the one that a screen had selected, whose copies it asks for */
static void looks_at(struct past *p, const char *queue, uint64_t uid)
{
    struct snapshot *s = p->t.s;
    for (size_t i = 0; i < s->copies_len; i++)
        free(s->copies[i].held);
    s->copies_len = 0;
    free(s->looked_at);
    s->looked_at = xstrdup(queue);
    p->t.queue = queue;
    p->t.uid = uid;
}

/* node1 has hello alone; mirrior_hello is on node1 and node2. The screen looked at hello, then at the other,
 * then node1 was stopped. */
static void begin(struct past *p, bool looked_at_both)
{
    struct story *t = &p->t;
    char *error = NULL;
    *p = (struct past){0};
    model_init(&p->live, NULL, NULL, false, false);
    struct recording_start start = {
        .at = 100000, .wall_ms = 1795381450000, .engine = "kit", .model = &p->live, .whole = true};
    p->memory = recorder_create(NULL, 1 << 20, &start, &error);
    story_begin(t, 3, "hello");
    struct snapshot *s = t->s;
    s->queues = xrealloc(s->queues, 2 * sizeof(*s->queues));
    s->queues[1] = s->queues[0];
    s->queues[1].name = xstrdup("mirrior_hello");
    s->queues[1].effective_definition = xstrdup("{}");
    s->queues[1].mirrors = s->queues[1].synced = 2;
    s->queues_len = 2;
    story_published(t, 0, 0, 0, 0, 0);
    t->queue = "mirrior_hello";
    t->uid = 78;
    story_published(t, 0, 0, 1000, 0, 0);
    story_copied(t, 1, 0, 1100, 0, 0);
    looks_at(p, "hello", 77);
    story_holds(t, 0, 'M', 0, 0);
    look(p);
    if (looked_at_both) {
        looks_at(p, "mirrior_hello", 78);
        story_holds(t, 0, 'M', 0, 0);
        story_holds(t, 1, 'm', 0, 0);
        s->queues[0].mirrors = s->queues[0].synced = 0; /* story_holds is of the first queue */
        model_select_queue(&p->live, "mirrior_hello");
        look(p);
    }
    story_down(t, 0, 2000000);
    s->queues[0].state = QUEUE_SEEN_STOPPED;
    s->queues[0].messages = s->queues[0].ready = s->queues[0].unacked = -1;
    s->queues[1].master = 1;
    s->queues[1].mirrors = s->queues[1].synced = 0;
    look(p);
    struct recording *r = recording_of("past", recorder_text(p->memory), &error);
    assert_null(error);
    p->player = player_create(r, NULL, NULL, false);
    player_to(p->player, r->moments.len);
}

static void end(struct past *p)
{
    player_destroy(p->player);
    recorder_destroy(p->memory);
    model_finish(&p->live);
    story_end(&p->t);
}

static void press(struct past *p, int key)
{
    struct command *run;
    model_key(player_model(p->player), key, &run);
    assert_null(run);
    player_look(p->player); /* as session.c does after each key */
}

static void says(struct past *p, const char *part, bool expected)
{
    char *frame = model_frame(player_model(p->player), 80, 24);
    assert_contains_(frame, part, expected, __FILE__, __LINE__);
    free(frame);
}

/* Only hello was looked at: of the other one there is what nodes noted, not what they held. */
static void another_queue(void **state)
{
    (void)state;
    struct past p;
    begin(&p, false);
    press(&p, '3');
    says(&p, "Message #1 of hello", true);
    says(&p, "UNAVAILABLE", true);
    press(&p, '1');
    press(&p, KEY_ARROW_DOWN);
    assert_string_equal(player_model(p.player)->queue, "mirrior_hello");
    press(&p, '3');
    says(&p, "Message #1 of mirrior_hello", true);
    says(&p, "what nodes held of it was not recorded then", true);
    says(&p, "replicate", true); /* its own life */
    says(&p, "UNAVAILABLE", false);
    says(&p, "VERDICT #1 ?", true);
    press(&p, '1');
    press(&p, KEY_ARROW_UP);
    press(&p, '3');
    says(&p, "Message #1 of hello", true);
    says(&p, "UNAVAILABLE", true);
    end(&p);
}

/* Back from a moment at which the one that is selected was looked at to one at which it was not. */
static void an_earlier_moment(void **state)
{
    (void)state;
    struct past p;
    begin(&p, true);
    assert_string_equal(player_model(p.player)->queue, "mirrior_hello"); /* as it was seen */
    model_take_look(player_model(p.player), &p.live);
    press(&p, '3');
    says(&p, "Message #1 of mirrior_hello", true);
    says(&p, "what nodes held of it", false);
    player_to(p.player, 1);
    assert_string_equal(player_model(p.player)->queue, "mirrior_hello");
    says(&p, "Message #1 of mirrior_hello", true);
    says(&p, "what nodes held of it was not recorded then", true);
    press(&p, '1');
    press(&p, KEY_ARROW_UP);
    press(&p, '3');
    says(&p, "Message #1 of hello", true);
    says(&p, "held by node1", true);
    end(&p);
}

/* What is shown again is not there to be ended. */
static void nothing_to_end(void **state)
{
    (void)state;
    struct past p;
    begin(&p, false);
    struct model *m = player_model(p.player);
    m->lesson = sketch_lesson();
    m->lesson->steps[0].acted = true;
    m->lesson->steps[0].exit_code = -1;
    says(&p, "its command runs now", true);
    says(&p, "Ctrl-C", false);
    m->replay = false;
    says(&p, "its command runs now (Ctrl-C ends it)", true);
    m->replay = true;
    sketch_destroy(m->lesson);
    m->lesson = NULL;
    end(&p);
}

/* A past is gone through without judging every snapshot of it: what was lost in its midst is lost at its end,
 * though its node went again. */
static void lost_in_its_midst(void **state)
{
    (void)state;
    struct past p;
    begin(&p, false);
    for (int i = 0; i < 2; i++) {
        story_up(&p.t, 0, 3000000 + 3000000 * i);
        p.t.s->queues[0].state = QUEUE_SEEN_RUNNING;
        looks_at(&p, "hello", 77);
        if (!i)
            story_fact(&p.t, TRACE_SEEN_BACK, 0, 3000010, 1, 0)->count = 0;
        story_holds(&p.t, 0, 'M', 1, 0);
        look(&p);
        look(&p);
        look(&p);
        story_down(&p.t, 0, 5000000 + 3000000 * i);
        p.t.s->queues[0].state = QUEUE_SEEN_STOPPED;
        look(&p);
        look(&p);
    }
    player_destroy(p.player);
    char *error = NULL;
    struct recording *r = recording_of("past", recorder_text(p.memory), &error);
    assert_null(error);
    p.player = player_create(r, NULL, NULL, false);
    player_to(p.player, r->moments.len);
    press(&p, '3');
    says(&p, "VERDICT #1 LOST", true);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(another_queue), cmocka_unit_test(an_earlier_moment),
                                       cmocka_unit_test(nothing_to_end), cmocka_unit_test(lost_in_its_midst)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
