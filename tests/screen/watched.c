/* watched.c: see watched.h. */
#include "tests/screen/watched.h"

void look(struct watched *s)
{
    struct snapshot *now = story_look(&s->t);
    model_observe(&s->m, now);
    snapshot_destroy(now);
}

void begin(struct watched *s, size_t nodes, const char *queue)
{
    model_init(&s->m, NULL, NULL, false, false);
    story_begin(&s->t, nodes, queue);
}

void end(struct watched *s)
{
    model_finish(&s->m);
    story_end(&s->t);
}

void press(struct watched *s, int key)
{
    struct command *run;
    model_key(&s->m, key, &run);
    assert_null(run);
}

void check(struct watched *s, const char *name, int width, int height)
{
    char *frame = model_frame(&s->m, width, height);
    check_frame(name, frame);
    if (width >= 80 && strncmp(name, "message", 7) == 0)
        assert_contains_(frame, "..", false, __FILE__, __LINE__); /* no word of it was cut */
    free(frame);
}

void says(struct watched *s, const char *part, bool expected)
{
    assert_frame_(&s->m, part, expected, __FILE__, __LINE__);
}

void failover(struct watched *s)
{
    struct story *t = &s->t;
    begin(s, 3, "mirrior_hello");
    story_fact(t, TRACE_SEEN_ACCEPTED, 0, 0, 1, 10)->incarnation = 5;
    story_published(t, 0, 0, 0, 0, 9);
    story_copied(t, 1, 0, 400, 0, 9);
    story_fact(t, TRACE_SEEN_CONFIRMED, 0, 1100, 1, 10)->incarnation = 5;
    story_holds(t, 0, 'M', 0, 9);
    story_holds(t, 1, 'm', 0, 9);
    story_holds(t, 2, '.', 1, 0);
    look(s);
    press(s, '3');
    for (int i = 0; i < 6; i++)
        press(s, ']');
}

void taken_over(struct watched *s)
{
    struct story *t = &s->t;
    story_down(t, 0, 4210000);
    story_fact(t, TRACE_SEEN_PROMOTED, 1, 4212000, 0, 9)->count = 10;
    story_fact(t, TRACE_SEEN_BEGINS, 2, 4215000, 10, UINT64_MAX);
    story_fact(t, TRACE_SEEN_FILLED, 2, 4230000, 0, 9)->count = 10;
    story_holds(t, 1, 'M', 0, 9);
    story_holds(t, 2, 'm', 0, 9);
    look(s);
}
