/* account.c: keeping the books of a kill loop. */
#include "tests/cluster/account.h"

#include <stdio.h>

void account_init(struct account *a, const char *const *names, unsigned len)
{
    memset(a, 0, sizeof(*a));
    a->queues_len = len;
    pthread_mutex_init(&a->lock, NULL);
    for (unsigned i = 0; i < a->queues_len; i++)
        a->queues[i].name = names[i];
}

void account_finish(struct account *a)
{
    for (unsigned i = 0; i < a->queues_len; i++) {
        VEC_FREE(&a->queues[i].messages);
        VEC_FREE(&a->queues[i].attempts);
        VEC_FREE(&a->queues[i].highest);
    }
    pthread_mutex_destroy(&a->lock);
}

static void broken(struct account *a, const char *format, va_list args)
{
    if (!a->broken[0])
        vsnprintf(a->broken, sizeof(a->broken), format, args);
}

static __attribute__((format(printf, 2, 3))) void broken_locked(struct account *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    broken(a, format, args);
    va_end(args);
}

void account_broken(struct account *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&a->lock);
    broken(a, format, args);
    pthread_mutex_unlock(&a->lock);
    va_end(args);
}

/* ---- publishers ---------------------------------------------------------------------------------------- */

uint32_t account_publish(struct account *a, unsigned queue, uint32_t *number, unsigned node, uint32_t channel,
                         bool persistent)
{
    pthread_mutex_lock(&a->lock);
    struct account_queue *q = &a->queues[queue];
    if (!*number) {
        VEC_PUSH(&q->messages, (struct account_message){.persistent = persistent});
        *number = (uint32_t)q->messages.len;
    }
    struct account_message *m = &q->messages.items[*number - 1];
    m->attempts++;
    m->node = (uint8_t)node;
    m->sent = (uint16_t)a->round;
    VEC_PUSH(&q->attempts, (struct account_attempt){.number = *number, .channel = channel});
    while (q->highest.len <= channel)
        VEC_PUSH(&q->highest, 0);
    uint32_t sequence = (uint32_t)q->attempts.len;
    pthread_mutex_unlock(&a->lock);
    return sequence;
}

bool account_persistent(struct account *a, unsigned queue, uint32_t number)
{
    pthread_mutex_lock(&a->lock);
    bool persistent = a->queues[queue].messages.items[number - 1].persistent;
    pthread_mutex_unlock(&a->lock);
    return persistent;
}

void account_confirm(struct account *a, unsigned queue, uint32_t sequence, bool refused)
{
    pthread_mutex_lock(&a->lock);
    struct account_queue *q = &a->queues[queue];
    struct account_message *m = &q->messages.items[q->attempts.items[sequence - 1].number - 1];
    if (refused) {
        q->refused++;
    } else if (!m->confirmed) {
        m->confirmed = true;
        m->confirmed_in = (uint16_t)a->round;
        q->confirmed++;
        q->missing += !m->seen;
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- consumers ----------------------------------------------------------------------------------------- */

void account_deliver(struct account *a, unsigned queue, uint32_t number, uint32_t sequence, bool redelivered)
{
    pthread_mutex_lock(&a->lock);
    struct account_queue *q = &a->queues[queue];
    if (sequence < 1 || sequence > q->attempts.len || q->attempts.items[sequence - 1].number != number) {
        broken_locked(a, "%s: message %u, sequence %u came, which nobody sent", q->name, number, sequence);
        pthread_mutex_unlock(&a->lock);
        return;
    }
    struct account_attempt *attempt = &q->attempts.items[sequence - 1];
    struct account_message *m = &q->messages.items[number - 1];
    uint32_t *highest = &q->highest.items[attempt->channel];
    if (attempt->delivered && !redelivered)
        broken_locked(a, "%s: message %u, sequence %u came again without redelivered", q->name, number,
                      sequence);
    if (!attempt->delivered && !redelivered) {
        if (sequence < *highest)
            broken_locked(a, "%s: order: message %u, sequence %u came after sequence %u of the same channel",
                          q->name, number, sequence, *highest);
        *highest = sequence > *highest ? sequence : *highest;
    }
    q->redelivered += redelivered;
    q->repeated += attempt->delivered;
    attempt->delivered = true;
    q->seen += !m->seen;
    q->missing -= m->confirmed && !m->seen;
    m->seen = true;
    pthread_mutex_unlock(&a->lock);
}

void account_cancel(struct account *a, unsigned queue, bool allowed)
{
    pthread_mutex_lock(&a->lock);
    a->queues[queue].cancels++;
    if (!allowed)
        broken_locked(a, "%s: a consumer that did not ask for it got basic.cancel", a->queues[queue].name);
    pthread_mutex_unlock(&a->lock);
}

/* ---- sums ---------------------------------------------------------------------------------------------- */

struct account_sums account_sums(struct account *a, unsigned queue)
{
    pthread_mutex_lock(&a->lock);
    struct account_queue *q = &a->queues[queue];
    struct account_sums s = {.sent = (unsigned)q->messages.len,
                             .confirmed = q->confirmed,
                             .seen = q->seen,
                             .redelivered = q->redelivered,
                             .repeated = q->repeated,
                             .cancels = q->cancels,
                             .refused = q->refused,
                             .missing = q->missing};
    s.unconfirmed = s.sent - s.confirmed;
    pthread_mutex_unlock(&a->lock);
    return s;
}

void account_list_missing(struct account *a, unsigned queue, unsigned lines, struct text *out)
{
    pthread_mutex_lock(&a->lock);
    struct account_queue *q = &a->queues[queue];
    unsigned printed = 0;
    for (size_t i = 0; i < q->messages.len && printed < lines; i++) {
        const struct account_message *m = &q->messages.items[i];
        if (!m->confirmed || m->seen)
            continue;
        text_printf(
            out,
            "%s: message %zu (%s) is missing: published on node%u in round %u (attempt %u), confirmed "
            "in round %u\n",
            q->name, i + 1, m->persistent ? "persistent" : "transient", m->node, m->sent, m->attempts,
            m->confirmed_in);
        printed++;
    }
    pthread_mutex_unlock(&a->lock);
}
