/* numbers.c: a publisher and a consumer that keep account of every number. */
#include "tests/cluster/numbers.h"

#include <poll.h>

enum { WINDOW = 200, QUIET_MS = 20000 };

/* An ack or nack for `tag`, or for all up to it that had none. */
static void settle(struct numbers *n, unsigned *low, unsigned *settled, const struct amqp_frame *f)
{
    uint64_t tag = get_u64(f->payload + 4);
    bool nack = amqp_method(f) == M_BASIC_NACK;
    assert_in_range(tag, 1, n->sent);
    for (uint64_t i = (f->payload[12] & 1) ? *low : tag; i <= tag; i++) {
        if (n->confirmed[i] || n->nacked[i])
            continue;
        n->confirmed[i] = !nack;
        n->nacked[i] = nack;
        n->count += !nack;
        (*settled)++;
    }
    while (*low <= n->sent && (n->confirmed[*low] || n->nacked[*low]))
        (*low)++;
}

unsigned numbers_publish(struct numbers *n, const struct lab *lab, unsigned node, struct message_kind kind,
                         unsigned limit, void (*fault)(void *arg), void *arg)
{
    struct amqp_conn c;
    struct amqp_template t;
    struct amqp_frame f;
    unsigned low = 1, settled = 0;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") || !amqp_confirms_on(&c))
        fail_msg("%s", c.error);
    amqp_template_init(&t, kind.queue, kind.size, kind.persistent);
    while (settled < limit) {
        if (fault && settled >= limit / 2) {
            fault(arg);
            fault = NULL;
        }
        while (n->sent < limit && n->sent - settled < WINDOW)
            amqp_put_publish(&c, &t, ++n->sent);
        struct pollfd p = {.fd = c.fd, .events = (short)(POLLIN | (c.out_at < c.out_len ? POLLOUT : 0))};
        if (!amqp_flush(&c) || poll(&p, 1, QUIET_MS) <= 0 ||
            ((p.revents & (POLLIN | POLLHUP)) && !amqp_fill(&c)))
            break;
        while (amqp_next(&c, &f) > 0)
            if (amqp_method(&f) == M_BASIC_ACK || amqp_method(&f) == M_BASIC_NACK)
                settle(n, &low, &settled, &f);
    }
    amqp_template_finish(&t);
    amqp_finish(&c);
    return n->count;
}

unsigned numbers_take(struct numbers *n, const struct lab *lab, unsigned node, const char *queue, size_t size)
{
    struct amqp_conn c;
    struct amqp_frame f;
    uint32_t messages = 0;
    unsigned different = 0;
    uint64_t highest = 0;
    bool redelivered = false;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") ||
        !amqp_declare(&c, queue, true, &messages, 30000) || !amqp_consume(&c, queue, 0, true))
        fail_msg("%s", c.error);
    for (uint32_t i = 0; i < messages;) {
        if (!amqp_wait(&c, &f, QUIET_MS))
            fail_msg("%u of %u messages came: %s", i, messages, c.error);
        if (amqp_method(&f) == M_BASIC_DELIVER)
            redelivered = f.payload[5u + f.payload[4] + 8] & 1;
        if (f.type != AMQP_FRAME_BODY)
            continue;
        assert_int_equal(f.len, size);
        uint64_t number = get_u64(f.payload);
        assert_in_range(number, 1, NUMBERS_MAX);
        different += n->back[number]++ == 0;
        n->out_of_order += !redelivered && number < highest;
        highest = number > highest ? number : highest;
        i++;
    }
    amqp_finish(&c);
    return different;
}

void assert_confirmed_are_back(const struct numbers *n)
{
    unsigned missing = 0, first = 0;
    for (unsigned i = 1; i <= NUMBERS_MAX; i++) {
        if (n->confirmed[i] && !n->back[i])
            first = missing++ ? first : i;
    }
    if (missing)
        fail_msg("%u confirmed messages are missing, the first is number %u", missing, first);
}

void assert_declare(const struct lab *lab, unsigned node, const char *queue)
{
    struct amqp_conn c;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, node), "admin", "123") ||
        !amqp_declare(&c, queue, false, NULL, 30000))
        fail_msg("%s", c.error);
    amqp_finish(&c);
}
