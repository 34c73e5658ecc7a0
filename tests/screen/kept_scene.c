/* kept_scene.c: see kept_scene.h. */
#include "tests/screen/kept_scene.h"

#include <unistd.h>

#include "kept.h"
#include "tests/temporary.h"

void kept_look(struct kept_scene *s)
{
    struct snapshot *now = story_look(&s->t);
    model_observe(&s->m, now);
    snapshot_destroy(now);
}

void kept_open_again(struct kept_scene *s)
{
    assert_int_equal(kept_save(&s->m, &s->lab), 0);
    model_finish(&s->m);
    model_init(&s->m, NULL, NULL, false, false);
    kept_take_up(&s->m, &s->lab);
}

void kept_says(struct kept_scene *s, const char *part, bool expected)
{
    char *frame = model_frame(&s->m, 80, 24);
    assert_contains_(frame, part, expected, __FILE__, __LINE__);
    free(frame);
}

void kept_account_says(struct kept_scene *s, const char *expected)
{
    char *text = account_text(&s->m);
    assert_string_equal(text ? text : "", expected);
    free(text);
}

void kept_begin(struct kept_scene *s, const char *queue)
{
    *s = (struct kept_scene){.lab = {.nodes_len = 3}};
    assert_true(temporary_folder_in(s->lab.path, sizeof(s->lab.path), "kept"));
    for (int i = 0; i < 3; i++)
        snprintf(s->lab.nodes[i].name, sizeof(s->lab.nodes[i].name), "node%d", i + 1);
    lesson_forget_all(&s->lab);
    model_init(&s->m, NULL, NULL, false, false);
    story_begin(&s->t, 3, queue);
}

void kept_end(struct kept_scene *s)
{
    model_finish(&s->m);
    story_end(&s->t);
    lesson_forget_all(&s->lab); /* leaves nothing: */
    assert_int_equal(rmdir(s->lab.path), 0);
}

void kept_out_of_reach(struct kept_scene *s)
{
    struct queue_seen *q;
    kept_begin(s, "hello");
    q = &s->t.s->queues[0];
    q->messages = q->ready = q->was_messages = 1;
    story_published(&s->t, 0, 0, 0, 0, 0);
    story_holds(&s->t, 0, 'M', 0, 0);
    kept_look(s);
    story_down(&s->t, 0, 2000000);
    q->state = QUEUE_SEEN_STOPPED;
    q->messages = q->ready = q->unacked = -1;
    kept_look(s);
    kept_open_again(s);
    q->was_messages = -1; /* this screen never saw it */
}

void kept_returns_empty(struct kept_scene *s)
{
    struct queue_seen *q = &s->t.s->queues[0];
    story_up(&s->t, 0, 9000000);
    q->state = QUEUE_SEEN_RUNNING;
    q->messages = q->ready = q->unacked = q->was_messages = 0;
}
