/* lesson_count.c: how many messages queues were seen to hold while a lesson ran: the most, and whether it
 * became fewer: then what a step is about may be gone, though as many are there again. */
#include <stdlib.h>

#include "lab/lesson_private.h"

struct queue_count *lesson_count(struct lesson_full *full, const char *queue)
{
    struct queue_count *count = map_get_str(&full->counts, queue);
    if (!count) {
        count = xcalloc(1, sizeof(*count));
        count->before = -1;
        map_set(&full->counts, bytes_str(queue), count);
    }
    return count;
}

/* Fewer in two looks running, the second said later: one alone may have come in between two figures. */
static void look_at_count(struct queue_count *count, const struct queue_seen *q)
{
    count->most = q->messages > count->most ? q->messages : count->most;
    if (q->messages >= count->level) {
        count->level = q->messages;
        count->fewer_at = 0;
    } else if (!count->fewer_at) {
        count->fewer_at = q->seen_at;
    } else if (q->seen_at > count->fewer_at) {
        count->fell = true;
        count->level = q->messages;
        count->fewer_at = 0;
    }
}

void lesson_look_at_counts(struct lesson_full *full, const struct snapshot *s)
{
    for (size_t i = 0; i < s->queues_len && s->source >= 0; i++)
        if (s->queues[i].messages >= 0 && queue_seen_masters(&s->queues[i]) < 2)
            look_at_count(lesson_count(full, s->queues[i].name), &s->queues[i]);
}

void lesson_counts_anew(struct lesson_full *full)
{
    size_t at = 0;
    for (struct queue_count *count; (count = map_next(&full->counts, &at));)
        count->fell = false;
}

void lesson_counts_before(struct lesson_full *full)
{
    size_t at = 0;
    for (struct queue_count *count; (count = map_next(&full->counts, &at));)
        count->before = count->level;
}

void lesson_counts_finish(struct lesson_full *full)
{
    size_t at = 0;
    for (struct queue_count *count; (count = map_next(&full->counts, &at));)
        free(count);
    map_finish(&full->counts);
}
