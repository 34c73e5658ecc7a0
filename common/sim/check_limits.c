/* check_limits.c: what arguments and policies allow a queue to hold. A message may end because there are too
 * many (max-length, max-length-bytes) or because it is too old (message-ttl), a queue because nobody uses it
 * (expires): legal only if something that some node showed allows it, never early, and once it is calm the
 * limits hold. A publish may be refused only where a full queue says so, and is not there then. */
#include "sim/world.h"

#include <jansson.h>

/* ---- what holds ---- */

static int64_t number(const json_t *definition, const char *key)
{
    const json_t *v = json_object_get(definition, key);
    return v ? (int64_t)json_integer_value(v) : -1;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static struct queue_limits limits_of(const struct queue_args *a, const char *definition)
{
    json_t *d = json_loads(definition, 0, NULL);
    const char *word = json_string_value(json_object_get(d, "overflow"));
    word = a->overflow ? a->overflow : word ? word : "";
    struct queue_limits l = {.max_length = lower(a->max_length, number(d, "max-length")),
                             .max_bytes = lower(a->max_length_bytes, number(d, "max-length-bytes")),
                             .ttl_ms = lower(a->message_ttl_ms, number(d, "message-ttl")),
                             .expires_ms = lower(a->expires_ms, number(d, "expires")),
                             .rejects = strcmp(word, "reject-publish") == 0,
                             .rejects_dead = strcmp(word, "reject-publish-dlx") == 0,
                             .dead_letters =
                                 a->dead_letter_exchange || json_object_get(d, "dead-letter-exchange")};
    json_decref(d);
    return l;
}

/* *lowest: 1 + the lowest so far, 0: none */
static void note_lowest(uint64_t *lowest, int64_t now)
{
    if (now >= 0 && (*lowest == 0 || (uint64_t)now < *lowest - 1))
        *lowest = (uint64_t)now + 1;
}

/* n shows the queue with this policy. */
void check_limits_note(const struct sim *s, struct ledger_queue *q, const struct queue_info *info)
{
    if (q->definition && strcmp(q->definition, info->definition) == 0)
        return;
    free(q->definition);
    q->definition = xstrdup(info->definition);
    struct queue_limits l = limits_of(info->args, info->definition);
    q->ttl_changed = q->ttl_changed || (q->ttl_ms && (uint64_t)(l.ttl_ms + 1) != q->ttl_ms);
    note_lowest(&q->max_length, l.max_length);
    note_lowest(&q->max_bytes, l.max_bytes);
    note_lowest(&q->ttl_ms, l.ttl_ms);
    note_lowest(&q->expires_ms, l.expires_ms);
    q->rejected_once = q->rejected_once || l.rejects || l.rejects_dead;
    q->dead_lettered_once = q->dead_lettered_once || l.dead_letters;
    q->max_priority = (uint32_t)info->args->max_priority;
    q->single_active = info->args->single_active_consumer;
    if (info->args->dead_letter_key && !q->dead_letter_key)
        q->dead_letter_key = xstrdup(info->args->dead_letter_key);
    q->limits = l;
    q->limits_changes++;
    q->changed_ms = s->now_us / 1000;
}

/* ---- ends ---- */

/* Are there enough others for this one to be too many? The head goes: all that came later than the place `id`
 * count; with priorities it may be any. */
static bool too_many(const struct sim *s, const struct ledger_queue *q, uint32_t message, msg_id id)
{
    uint64_t others = 0, bytes = ledger_bytes(message);
    for (size_t i = 0; i < q->messages.len; i++) {
        uint32_t index = q->messages.items[i];
        const struct ledger_message *other = &s->ledger.messages.items[index];
        if (index == message || (other->placed && other->id < id && !q->max_priority))
            continue; /* not placed: it may have come and gone within a step */
        others++;
        bytes += ledger_bytes(index);
    }
    return (q->max_length && others >= q->max_length - 1) || (q->max_bytes && bytes > q->max_bytes - 1);
}

/* May something come and be dropped in the same moment? Not where it would have been refused. */
static bool drops_what_comes(const struct ledger_queue *q)
{
    bool refuses = q->limits_changes == 1 && (q->limits.rejects || q->limits.rejects_dead);
    return (q->max_length || q->max_bytes) && !refuses;
}

uint64_t check_time_began(const struct sim *s, const struct ledger_queue *q, const struct ledger_message *m)
{
    if (q->auto_ack) /* its master may have taken it and handed it out in one step, and nobody saw when */
        return m->asked_ms;
    return s->cuts ? m->first_ms : m->placed_ms;
}

static bool time_over(const struct sim *s, const struct ledger_queue *q, const struct ledger_message *m)
{
    if (q->ttl_ms > 1 && !m->placed && !m->again && !s->counts[SIM_CLOCK_JUMPS])
        return false; /* it came and went within a step */
    return q->ttl_ms && (!m->placed || s->counts[SIM_CLOCK_JUMPS] ||
                         s->now_us / 1000 >= check_time_began(s, q, m) + q->ttl_ms - 1);
}

/* here: m's place is one that the master gave whose limits count; else it came and went there in a step. (Two
 * sides of a partition give places of their own: where there was one, all others count as later.) */
static bool ends(struct sim *s, uint32_t message, bool here)
{
    struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
    if (m->ending != ENDING_NONE)
        return true;
    if (time_over(s, q, m))
        m->ending = ENDING_EXPIRED;
    else if (m->placed
                 ? too_many(s, q, message, here && s->cuts == 0 ? m->id : 0) && (here || drops_what_comes(q))
                 : drops_what_comes(q))
        m->ending = ENDING_DROPPED;
    else
        return false;
    m->removed = true;
    s->ledger.ended[m->ending]++;
    sim_tell(s, "      m%u is over: %s", message,
             m->ending == ENDING_EXPIRED ? "its time" : "its queue was full");
    return true;
}

/* This one is gone from its master, or from everywhere: is that how the queue's limits want it? */
bool check_limits_end(struct sim *s, uint32_t message)
{
    return ends(s, message, true);
}

/* A master that was never seen to hold it did not give it its place: an earlier one did, or one of another
 * side of a partition, and it was offered to this one again. Where it stood here nobody knows: all others may
 * have come later. */
bool check_limits_end_at(struct sim *s, node_id n, uint32_t message)
{
    const struct ledger_message *m = &s->ledger.messages.items[message];
    return ends(s, message, node_in(m->memory | m->dropped, n));
}

/* ---- publishes that are refused ---- */

/* n refuses a publish: nobody holds it, and its queue is one that may. (Of a queue that is stopped or down
 * nobody knows, and a new master that was not synchronised refuses what it never had.) */
void check_refused(struct sim *s, node_id n, uint32_t message)
{
    const struct ledger_message *m = &s->ledger.messages.items[message];
    const struct ledger_queue *q = &s->ledger.queues.items[m->queue];
    const struct seen_queue *here = seen_queue(s, n, m->queue);
    if (!here->present || here->now.state != QUEUE_RUNNING || s->check.nodes[n].view.phase != PHASE_SERVING ||
        s->check.queues.items[m->queue].generation > 1 || s->cuts > 0)
        return;
    if (!q->rejected_once || (!q->max_length && !q->max_bytes))
        sim_fail(s, "limits", "%s refuses m%u, and %s is no queue that refuses what is too much", s->names[n],
                 message, q->name);
    else if (m->memory)
        sim_fail(s, "limits", "%s refuses m%u, and nodes %x hold it in %s", s->names[n], message, m->memory,
                 q->name);
    else if (q->limits_changes == 1 && q->limits.rejects_dead && q->limits.dead_letters && !m->dead_step)
        sim_fail(s, "dead-letter", "%s refuses m%u, and nobody has dead-lettered it (%s, reject-publish-dlx)",
                 s->names[n], message, q->name);
}

/* ---- queues that nobody uses ---- */

/* Nobody used it for as long as it says, as far as clients know? Somebody may have consumed all the time. */
bool check_limits_expired(struct sim *s, uint32_t queue)
{
    const struct ledger_queue *q = &s->ledger.queues.items[queue];
    uint64_t now_ms = s->now_us / 1000;
    if (!q->expires_ms)
        return false;
    if (s->counts[SIM_CLOCK_JUMPS] || s->cuts > 0)
        return true;
    if (now_ms < q->used_ms + q->expires_ms - 1)
        return false;
    /* a removal is some time on its way */
    bool slow = s->counts[SIM_SLOW_LINKS] || s->counts[SIM_CLOGS];
    uint64_t before_ms = q->expires_ms + (slow ? 10000 : 1000);
    for (size_t i = 0; i < s->subs.len; i++) {
        const struct sub *c = &s->subs.items[i];
        if (c->queue == queue && !c->over && !c->leaving && c->since_ms && s->nodes[c->node].m &&
            s->nodes[c->node].lives == c->life && !s->nodes[c->node].stopping &&
            now_ms > c->since_ms + before_ms && now_ms > q->changed_ms + before_ms) {
            sim_fail(s, "limits", "%s has expired, and sub %zu consumes from it", q->name, i + 1);
            return true;
        }
    }
    return true;
}

static bool has_consumer(const struct sim *s, uint32_t queue)
{
    for (size_t i = 0; i < s->subs.len; i++) {
        const struct sub *c = &s->subs.items[i];
        if (c->queue == queue && !c->over && s->nodes[c->node].m && s->nodes[c->node].lives == c->life)
            return true;
    }
    return false;
}

/* ---- when it is calm ---- */

/* The one that would be delivered next; NULL: nothing is ready. */
static const struct seen_message *head(const struct sim *s, const struct seen_queue *sq)
{
    const struct seen_message *best = NULL;
    for (size_t i = 0; i < sq->items.len; i++) {
        const struct seen_message *now = &sq->items.items[i];
        if (!now->unacked &&
            (!best || ledger_order(&s->ledger, now->message) > ledger_order(&s->ledger, best->message)))
            best = now;
    }
    return best;
}

/* Nothing is on its way: what n, the master, holds is within its limits. */
void check_limits_calm(struct sim *s, node_id n, uint32_t queue, const struct queue_info *info)
{
    const struct ledger_queue *q = &s->ledger.queues.items[queue];
    struct queue_limits l = limits_of(info->args, info->definition);
    uint64_t now_ms = s->now_us / 1000;
    bool drops = !l.rejects && !l.rejects_dead;
    if (drops && l.max_length >= 0 && info->ready > (uint64_t)l.max_length)
        sim_fail(s, "limits", "%s has %llu messages ready in %s, and may have %lld", s->names[n],
                 (unsigned long long)info->ready, info->name, (long long)l.max_length);
    if (drops && l.max_bytes >= 0 && info->bytes_ready > (uint64_t)l.max_bytes)
        sim_fail(s, "limits", "%s has %llu bytes ready in %s, and may have %lld", s->names[n],
                 (unsigned long long)info->bytes_ready, info->name, (long long)l.max_bytes);
    if (s->counts[SIM_CLOCK_JUMPS])
        return;
    if (l.expires_ms >= 0 && !info->consumers && !has_consumer(s, queue) &&
        now_ms > q->changed_ms + (uint64_t)l.expires_ms + 1)
        sim_fail(s, "limits", "%s is still there, though nobody has used it for %llu ms; it may be %lld",
                 info->name, (unsigned long long)(now_ms - q->changed_ms), (long long)l.expires_ms);
    const struct seen_message *next = head(s, &s->check.nodes[n].queues.items[queue]);
    if (!q->ttl_ms || q->ttl_changed || !next)
        return;
    /* only the head expires. A message of before the policy has no end; one that was offered again has a
     * later one */
    const struct ledger_message *m = &s->ledger.messages.items[next->message];
    if (m->limited && !m->again && now_ms > m->placed_ms + q->ttl_ms)
        sim_fail(s, "limits", "%s still has id %llu of %s ready, %llu ms after it came; it may be %llu",
                 s->names[n], (unsigned long long)m->id, info->name,
                 (unsigned long long)(now_ms - m->placed_ms), (unsigned long long)q->ttl_ms - 1);
}
