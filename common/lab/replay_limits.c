/* replay_limits.c: limits of a replayed schedule's queues: arguments and policies as the schedule has them.
 */
#include "lab/replay_limits.h"

#include <jansson.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/ban.h"

struct said { /* a policy, or a queue's arguments */
    char *name, *pattern;
    uint64_t priority;
    bool durable, deleted; /* a queue; deleted: on another side, or a node that is away, it may be there */
    json_t *values;
};

struct replay_limits {
    VEC(struct said) policies, queues;
};

struct replay_limits *replay_limits_create(void)
{
    return xcalloc(1, sizeof(struct replay_limits));
}

static void said_finish(struct said *s)
{
    free(s->name);
    free(s->pattern);
    json_decref(s->values);
}

void replay_limits_destroy(struct replay_limits *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->policies.len; i++)
        said_finish(&l->policies.items[i]);
    for (size_t i = 0; i < l->queues.len; i++)
        said_finish(&l->queues.items[i]);
    VEC_FREE(&l->policies);
    VEC_FREE(&l->queues);
    free(l);
}

static void unset_policy(struct replay_limits *l, const char *name)
{
    for (size_t i = l->policies.len; i > 0; i--)
        if (strcmp(l->policies.items[i - 1].name, name) == 0) {
            said_finish(&l->policies.items[i - 1]);
            VEC_REMOVE(&l->policies, i - 1);
        }
}

void replay_limits_gone(struct replay_limits *l, const char *name, bool elsewhere)
{
    for (size_t i = l->queues.len; i > 0; i--)
        if (strcmp(l->queues.items[i - 1].name, name) == 0 && elsewhere) {
            l->queues.items[i - 1].deleted = true;
        } else if (strcmp(l->queues.items[i - 1].name, name) == 0) {
            said_finish(&l->queues.items[i - 1]);
            VEC_REMOVE(&l->queues, i - 1);
        }
}

static struct said *queue_said(const struct replay_limits *l, const char *name)
{
    for (size_t i = 0; i < l->queues.len; i++)
        if (strcmp(l->queues.items[i].name, name) == 0)
            return &l->queues.items[i];
    return NULL;
}

void replay_limits_note(struct replay_limits *l, const struct sched_event *e)
{
    if (e->verb == SCHED_CLEAR || e->verb == SCHED_POLICY)
        unset_policy(l, e->name);
    struct said *q = queue_said(l, e->verb == SCHED_DELETE || e->verb == SCHED_DECLARE ? e->name : "");
    if (q && e->verb == SCHED_DELETE)
        q->deleted = true;
    else if (q && q->deleted)
        replay_limits_gone(l, e->name, false);
    if (e->verb == SCHED_POLICY)
        VEC_PUSH(&l->policies, (struct said){.name = xstrdup(e->name),
                                             .pattern = xstrdup(e->second),
                                             .priority = e->numbers[0],
                                             .values = json_loads(e->third, 0, NULL)});
    if (e->verb == SCHED_DECLARE && !queue_said(l, e->name))
        VEC_PUSH(&l->queues, (struct said){.name = xstrdup(e->name),
                                           .durable = e->queue_kind == SCHED_QUEUE_DURABLE,
                                           .values = e->third ? json_loads(e->third, 0, NULL) : NULL});
}

bool replay_limits_durable(const struct replay_limits *l, const char *queue)
{
    const struct said *q = queue_said(l, queue);
    return q && q->durable;
}

static bool finds(const char *pattern, const char *name)
{
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool found = regexec(&compiled, name, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

/* Of several that find the queue the one of the highest priority, of several such the first by name. */
static const struct said *policy_of(const struct replay_limits *l, const char *queue)
{
    const struct said *best = NULL;
    for (size_t i = 0; i < l->policies.len; i++) {
        const struct said *p = &l->policies.items[i];
        if (finds(p->pattern, queue) && (!best || p->priority > best->priority ||
                                         (p->priority == best->priority && strcmp(p->name, best->name) < 0)))
            best = p;
    }
    return best;
}

static int64_t lower(const struct said *queue, const struct said *policy, const char *argument)
{
    const json_t *own = queue ? json_object_get(queue->values, argument) : NULL;
    const json_t *others = policy ? json_object_get(policy->values, argument + strlen("x-")) : NULL;
    int64_t a = json_is_integer(own) ? json_integer_value(own) : -1;
    int64_t b = json_is_integer(others) ? json_integer_value(others) : -1;
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

struct replay_bounds replay_limits_of(const struct replay_limits *l, const char *queue)
{
    const struct said *own = queue_said(l, queue), *policy = policy_of(l, queue);
    return (struct replay_bounds){.length = lower(own, policy, "x-max-length"),
                                  .bytes = lower(own, policy, "x-max-length-bytes"),
                                  .ttl_ms = lower(own, policy, "x-message-ttl"),
                                  .expires_ms = lower(own, policy, "x-expires"),
                                  .priorities = own && json_object_get(own->values, "x-max-priority")};
}

/* Dropped from the head: what is left is younger. Of a number of messages exactly so many are left. A mirror
 * that takes over with as many younger ones cannot look like that by a loss: its master would have had one
 * more than it may. How long bodies are is each world's own affair: there it is enough that who serves is the
 * same. */
static enum replay_ending dropped(const struct replay_bounds *b, const struct replay_queue *now,
                                  unsigned number, bool same_master, int taken, bool more)
{
    for (size_t i = 0; i < now->holds.len && !b->priorities; i++)
        if (now->holds.items[i] < number)
            return REPLAY_NOT_ENDED;
    int64_t left = (int64_t)now->holds.len + taken;
    if (b->length >= 0 && (more ? left >= b->length : left == b->length))
        return REPLAY_TOO_MANY;
    return b->bytes >= 0 && same_master ? REPLAY_TOO_LONG : REPLAY_NOT_ENDED;
}

enum replay_ending replay_limits_ended(const struct replay_bounds *b, const struct replay_queue *now,
                                       unsigned number, uint64_t age_ms, int64_t ttl_ms, bool same_master,
                                       int taken, bool more)
{
    if (now->state == REPLAY_GONE)
        return b->expires_ms >= 0 && age_ms >= (uint64_t)b->expires_ms ? REPLAY_QUEUE_EXPIRED
                                                                       : REPLAY_NOT_ENDED;
    if (ttl_ms >= 0 && age_ms >= (uint64_t)ttl_ms)
        return REPLAY_EXPIRED;
    return dropped(b, now, number, same_master, taken, more);
}

const char *replay_ending_word(enum replay_ending e)
{
    switch (e) {
    case REPLAY_NOT_ENDED: break;
    case REPLAY_TOO_MANY: return "max-length";
    case REPLAY_TOO_LONG: return "max-length-bytes";
    case REPLAY_EXPIRED: return "message-ttl";
    case REPLAY_QUEUE_EXPIRED: return "expires";
    }
    return "";
}
