/* test_pause.c: pausing a lab that carried much, and going back in it, takes no time that a person would
 * notice. It is counted what the screen does for it, in moments of the recording that it goes through: the
 * same on any machine, however busy. */
#include "tests/screen/support.h"

#include "base/rng.h"
#include "record.h"
#include "session.h"
#include "tests/screen/story.h"
#include "time_delta.h"

/* Two and a half MiB are seen, more than a page of memory: each look's node has much to say of itself. */
#define LOOKS     600
#define SAID_EACH 3500
/* Of these, to show any moment: what lies between two checkpoints, 256 KiB, and the two before it. */
#define WORK_MOST (LOOKS / 6)

struct busy {
    struct story t;
    struct model live;
    struct event_base *base;
    struct session *session;
    struct canvas canvas;
    struct recorder *whole; /* all of it, also what the session's memory has dropped */
    uint64_t published;
};

static ms_time now(void *arg)
{
    return ((struct busy *)arg)->t.s->taken_at;
}

static void draw(void *arg)
{
    (void)arg;
}

static void begin(struct busy *b)
{
    char *error = NULL;
    *b = (struct busy){.base = event_base_new()};
    story_begin(&b->t, 3, "hello");
    struct snapshot *s = b->t.s;
    s->queues = xrealloc(s->queues, 2 * sizeof(*s->queues));
    s->queues[1] = s->queues[0];
    s->queues[1].name = xstrdup("other");
    s->queues[1].effective_definition = xstrdup("{}");
    s->queues[1].mirrors = s->queues[1].synced = 0;
    s->queues_len = 2;
    model_init(&b->live, NULL, NULL, false, false);
    canvas_resize(&b->canvas, 160, 45);
    b->session = session_create(&(struct session_options){
        .base = b->base, .live = &b->live, .now = now, .draw = draw, .arg = b, .fake_clock = true});
    struct recording_start start = {.at = now(b), .model = &b->live, .whole = true};
    b->whole = recorder_create(NULL, 64 << 20, &start, &error);
}

static void end(struct busy *b)
{
    session_destroy(b->session);
    recorder_destroy(b->whole);
    model_finish(&b->live);
    canvas_finish(&b->canvas);
    story_end(&b->t);
    event_base_free(b->base);
}

static void look(struct busy *b)
{
    struct snapshot *s = story_look(&b->t);
    json_t *doc = recorded_encode(s);
    model_observe(&b->live, s);
    session_saw(b->session, s);
    recorder_snapshot(b->whole, s, doc, NULL, NULL);
    json_decref(doc);
    snapshot_destroy(s);
}

/* Messages are published to both and copied, some are taken; for a while node1 is away. */
static void work(struct busy *b, int looks)
{
    struct story *t = &b->t;
    for (int i = 0; i < looks; i++) {
        uint64_t first = b->published, last = first + 5;
        int64_t at = (int64_t)first * 1000;
        b->published += 6;
        for (int q = 0; q < 2; q++) {
            t->queue = q ? "other" : "hello";
            t->uid = q ? 78 : 77;
            story_published(t, 0, 0, at, first, last);
            story_copied(t, 1, 0, at + 10, first, last);
            story_fact(t, TRACE_SEEN_CONFIRMED, 0, at + 20, first + 1, last + 1)->incarnation = 5;
            story_fact(t, TRACE_SEEN_DELIVERED, 0, at + 30, first, first + 2);
            story_fact(t, TRACE_SEEN_ACKED, 0, at + 40, first, first + 1);
        }
        t->queue = "hello";
        t->uid = 77;
        story_holds(t, 1, 'm', first + 2, last);
        if (i % 200 < 150)
            story_holds(t, 0, 'M', first + 2, last);
        t->s->queues[0].messages = t->s->queues[0].ready = (int64_t)(last - first);
        char *said = format_text("%0*d", SAID_EACH, i);
        json_decref(t->s->details);
        t->s->details = json_pack("{s: {s: {s: s}}}", "nodes", "node1", "said", said);
        free(said);
        look(b);
    }
}

static char *shown(struct model *m)
{
    bool replay = m->replay;
    struct time_shown time = m->time;
    m->replay = false; /* the header apart, which says PAUSED */
    m->time = (struct time_shown){0};
    char *cluster = model_frame(m, 160, 45), *both;
    enum view view = m->view;
    m->view = VIEW_MESSAGE;
    char *message = model_frame(m, 160, 45);
    m->view = view;
    m->replay = replay;
    m->time = time;
    both = format_text("%s\n%s", cluster, message);
    free(cluster);
    free(message);
    return both;
}

static void press(struct busy *b, int key)
{
    struct command *run;
    struct model *m = session_model(b->session);
    enum effect effect = session_press(b->session, key, &run);
    assert_null(run);
    if (effect == EFFECT_TIME)
        session_request(b->session, m->time_request, &b->canvas);
    session_draw(b->session, &b->canvas);
}

static void assert_quick(struct busy *b, int key)
{
    const struct player *before = session_player(b->session);
    uint64_t applied = before ? player_applied(before) : 0;
    press(b, key);
    applied = player_applied(session_player(b->session)) - applied;
    if (applied > WORK_MOST)
        fail_msg("'%c' went through %llu moments, %d are allowed", key, (unsigned long long)applied,
                 WORK_MOST);
}

static void pausing_is_cheap(void **state)
{
    (void)state;
    struct busy b;
    begin(&b);
    work(&b, LOOKS);
    b.live.now = now(&b);
    char *live = shown(&b.live);
    assert_contains(live, "hello");
    assert_quick(&b, ' ');
    assert_true(player_recording(session_player(b.session))->text_len > (2u << 20));
    char *paused = shown(session_model(b.session));
    assert_string_equal(paused, live);
    free(paused);
    static const int keys[] = {'[', '[', ']', '{', '{', '{', '}', '[', '1', '2', '3', '?', KEY_ESCAPE};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_quick(&b, keys[i]);
    press(&b, ' ');
    assert_null(session_player(b.session));
    assert_quick(&b, ' '); /* what was kept is kept for the next time */
    free(live);
    end(&b);
}

/* Wherever one goes back to, it shows what going there from the beginning shows. */
static void from_a_checkpoint_as_from_the_beginning(void **state)
{
    (void)state;
    struct busy b;
    struct rng rng;
    char *error = NULL;
    begin(&b);
    work(&b, LOOKS);
    rng_init(&rng, 7);
    struct player *p = player_create(recorder_recording(b.whole, "all of it"), NULL, NULL, false);
    size_t len = player_recording(p)->moments.len;
    player_to(p, len);
    for (int i = 0; i < 4; i++) {
        size_t to = 1 + rng_below(&rng, len);
        struct player *anew =
            player_create(recording_of("again", recorder_text(b.whole), &error), NULL, NULL, false);
        if (i % 2) /* of the one that was looked at, and of another */
            model_select_queue(player_model(anew), "other");
        player_to(anew, to);
        uint64_t applied = player_applied(p);
        model_take_look(player_model(p), player_model(anew));
        player_look(p);
        player_to(p, to);
        char *expected = shown(player_model(anew)), *is = shown(player_model(p));
        if (strcmp(is, expected) != 0)
            fail_msg("moment %zu of %zu: from the beginning\n%s\nfrom a checkpoint\n%s", to, len, expected,
                     is);
        print_message("moment %zu: %llu went through\n", to,
                      (unsigned long long)(player_applied(p) - applied));
        free(expected);
        free(is);
        player_destroy(anew);
    }
    player_destroy(p);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pausing_is_cheap),
        cmocka_unit_test(from_a_checkpoint_as_from_the_beginning),
    };
    return cmocka_run_group_tests_name("screen/pause", tests, NULL, NULL);
}
