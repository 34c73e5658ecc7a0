/* check_limits.c: messages may end because their queue says so: too many (max-length) or too old
 * (message-ttl). Such an end is legal only if a policy that some node showed allows it: of a full queue, the
 * message had at least as many younger ones as the queue may hold; of an old one, its time was over. And once
 * it is calm the limits hold. */
#include "sim/world.h"

#include <jansson.h>

static int64_t number(const json_t *definition, const char *key)
{
    const json_t *v = json_object_get(definition, key);
    return v ? (int64_t)json_integer_value(v) : -1;
}

static bool drops_head(const json_t *definition)
{
    const char *word = json_string_value(json_object_get(definition, "overflow"));
    return !word || strcmp(word, "drop-head") == 0;
}

void check_limits_note(struct ledger_queue *q, const char *definition)
{
    if (!strstr(definition, "max-length") && !strstr(definition, "message-ttl")) {
        q->ttl_changed = q->ttl_changed || q->ttl_ms;
        return;
    }
    json_t *d = json_loads(definition, 0, NULL);
    int64_t length = number(d, "max-length"), ttl = number(d, "message-ttl");
    json_decref(d);
    if (length >= 0 && (!q->max_length || (uint64_t)length < q->max_length - 1))
        q->max_length = (uint64_t)length + 1;
    q->ttl_changed = q->ttl_changed || (q->ttl_ms && (ttl < 0 || (uint64_t)ttl + 1 != q->ttl_ms));
    if (ttl >= 0 && (!q->ttl_ms || (uint64_t)ttl < q->ttl_ms - 1))
        q->ttl_ms = (uint64_t)ttl + 1;
}

static uint64_t younger(const struct sim *s, const struct ledger_queue *q, const struct ledger_message *m)
{
    uint64_t n = 0;
    for (size_t i = 0; i < q->messages.len; i++) {
        const struct ledger_message *other = &s->ledger.messages.items[q->messages.items[i]];
        n += other->placed && other->id > m->id;
    }
    return n;
}

/* This one is gone from its master, or from everywhere: is that how the queue's limits want it? */
bool check_limits_end(struct sim *s, uint32_t message)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
    uint64_t now_ms = s->now_us / 1000;
    if (m->ending != ENDING_NONE)
        return true;
    if (q->ttl_ms && (!m->placed || s->counts[SIM_CLOCK_JUMPS] || now_ms >= m->placed_ms + q->ttl_ms - 1))
        m->ending = ENDING_EXPIRED;
    else if (q->max_length && (!m->placed || younger(s, q, m) >= q->max_length - 1))
        m->ending = ENDING_DROPPED;
    else
        return false;
    m->removed = true;
    s->ledger.ended[m->ending]++;
    sim_tell(s, "      m%u is over: %s", message,
             m->ending == ENDING_EXPIRED ? "its time" : "its queue was full");
    return true;
}

/* Nothing is on its way: what n, the master, holds is within its limits. */
void check_limits_calm(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info)
{
    const struct ledger_queue *q = &s->ledger.queues.items[queue];
    json_t *d = json_loads(info->definition, 0, NULL);
    int64_t length = number(d, "max-length");
    if (length >= 0 && drops_head(d) && info->ready > (uint64_t)length)
        sim_fail(s, "limits", "%s has %llu messages ready in %s, and may have %lld", s->names[n],
                 (unsigned long long)info->ready, info->name, (long long)length);
    json_decref(d);
    if (!q->ttl_ms || q->ttl_changed || s->counts[SIM_CLOCK_JUMPS])
        return;
    const struct seen_queue *sq = &s->check.nodes[n].queues.items[queue];
    for (size_t i = 0; i < sq->items.len; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[sq->items.items[i].message];
        if (sq->items.items[i].unacked)
            continue;
        /* a message of before the policy has no end; one that was offered again has a later one */
        if (m->limited && !m->again && s->now_us / 1000 > m->placed_ms + q->ttl_ms)
            sim_fail(s, "limits", "%s still has id %llu of %s ready, %llu ms after it came; it may be %llu",
                     s->names[n], (unsigned long long)m->id, info->name,
                     (unsigned long long)(s->now_us / 1000 - m->placed_ms),
                     (unsigned long long)q->ttl_ms - 1);
        return; /* only the head expires */
    }
}
