/* load.c: publisher and consumer on non-blocking sockets, many frames in one write and in one read. */
#include "tests/bench/load.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HOST         "127.0.0.1"
#define USER         "admin"
#define PASSWORD     "123"
#define OUT_AT_ONCE  (256u << 10) /* bytes waiting for the socket, past which no more are made */
#define STALL_MS     60000        /* nothing at all for so long: give up */
#define PENDING_RING 65536u       /* numbers between the lowest unconfirmed one and the newest */

int64_t load_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

__attribute__((format(printf, 2, 3))) static bool fail(struct load_result *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->error, sizeof(r->error), format, args);
    va_end(args);
    return false;
}

/* ---- publisher ----------------------------------------------------------------------------------------- */

struct publisher {
    struct amqp_conn c;
    struct amqp_template t;
    unsigned window;
    uint64_t sent, settled, nacked; /* settled: confirmed, or nacked */
    uint64_t low;                   /* the lowest number that is not settled; numbers from 1 */
    uint8_t *is_settled;            /* ring over low .. sent */
    uint64_t most_per_second;       /* 0: as fast as it goes */
    int64_t began_us;
};

static bool publisher_open(struct publisher *p, const struct load_spec *spec, struct load_result *r)
{
    memset(p, 0, sizeof(*p));
    p->c.fd = -1;
    if (!amqp_open(&p->c, HOST, spec->publish_port, USER, PASSWORD) || !amqp_confirms_on(&p->c)) {
        fail(r, "publisher: %s", p->c.error);
        amqp_finish(&p->c);
        return false;
    }
    amqp_template_init(&p->t, spec->queue, spec->size, spec->persistent);
    p->window = spec->window;
    p->most_per_second = spec->most_per_second;
    p->began_us = load_now_us();
    p->low = 1;
    p->is_settled = xcalloc(PENDING_RING, 1);
    return true;
}

static void publisher_close(struct publisher *p)
{
    amqp_finish(&p->c);
    amqp_template_finish(&p->t);
    free(p->is_settled);
    p->is_settled = NULL;
}

static bool publisher_send(struct publisher *p, uint64_t limit, struct load_result *r)
{
    if (p->most_per_second) {
        uint64_t due = (uint64_t)((double)(load_now_us() - p->began_us) / 1e6 * (double)p->most_per_second);
        limit = due < limit ? due : limit;
    }
    while (p->sent < limit && p->sent - p->settled < p->window && p->sent + 1 - p->low < PENDING_RING &&
           p->c.out_len - p->c.out_at < OUT_AT_ONCE)
        amqp_put_publish(&p->c, &p->t, ++p->sent);
    return amqp_flush(&p->c) || fail(r, "publisher: %s", p->c.error);
}

/* An ack or nack of `tag`, or of everything up to it: "exactly one" for each number, or it is an error. */
static bool publisher_settle(struct publisher *p, uint64_t tag, bool multiple, bool nack,
                             struct load_result *r)
{
    if (tag == 0 && multiple)
        tag = p->sent;
    if (tag == 0 || tag > p->sent)
        return fail(r, "a confirm of number %llu, of %llu that were sent", (unsigned long long)tag,
                    (unsigned long long)p->sent);
    if (!multiple && (tag < p->low || p->is_settled[tag % PENDING_RING]))
        return fail(r, "number %llu was confirmed twice", (unsigned long long)tag);
    uint64_t before = p->settled;
    for (uint64_t n = multiple ? p->low : tag; n <= tag; n++) {
        if (!p->is_settled[n % PENDING_RING]) {
            p->is_settled[n % PENDING_RING] = 1;
            p->settled++;
        }
    }
    if (nack)
        p->nacked += p->settled - before;
    while (p->low <= p->sent && p->is_settled[p->low % PENDING_RING])
        p->is_settled[p->low++ % PENDING_RING] = 0;
    return true;
}

static bool closed_by_server(const struct amqp_frame *f, const char *who, struct load_result *r)
{
    size_t len = f->len >= 7 ? f->payload[6] : 0;
    return fail(r, "%s: closed by the server: %u %.*s", who, f->len >= 7 ? get_u16(f->payload + 4) : 0,
                (int)(len + 7 <= f->len ? len : 0), (const char *)f->payload + 7);
}

static bool publisher_read(struct publisher *p, struct load_result *r)
{
    struct amqp_frame f;
    int got;
    if (!amqp_fill(&p->c))
        return fail(r, "publisher: %s", p->c.error);
    while ((got = amqp_next(&p->c, &f)) > 0) {
        uint32_t method = amqp_method(&f);
        if ((method == M_BASIC_ACK || method == M_BASIC_NACK) && f.len >= 13) {
            if (!publisher_settle(p, get_u64(f.payload + 4), f.payload[12] & 1, method == M_BASIC_NACK, r))
                return false;
        } else if (method == M_CHANNEL_CLOSE || method == M_CONNECTION_CLOSE) {
            return closed_by_server(&f, "publisher", r);
        }
    }
    return got == 0 || fail(r, "publisher: %s", p->c.error);
}

/* ---- consumer ------------------------------------------------------------------------------------------ */

struct consumer {
    struct amqp_conn c;
    unsigned ack_every, unacked;
    uint64_t tag, received, expected, body_left;
    bool redelivered, body_begins;
};

static bool consumer_open(struct consumer *k, const struct load_spec *spec, struct load_result *r)
{
    memset(k, 0, sizeof(*k));
    k->c.fd = -1;
    k->ack_every = spec->ack_every;
    if (amqp_open(&k->c, HOST, spec->consume_port, USER, PASSWORD) &&
        amqp_consume(&k->c, spec->queue, (uint16_t)spec->prefetch, false))
        return true;
    fail(r, "consumer: %s", k->c.error);
    amqp_finish(&k->c);
    return false;
}

/* Numbers of one publisher come in order; the first one seen says where they begin. */
static bool consumer_number(struct consumer *k, uint64_t number, struct load_result *r)
{
    if (k->expected && number != k->expected && !k->redelivered)
        return fail(r, "message %llu was delivered where %llu comes next", (unsigned long long)number,
                    (unsigned long long)k->expected);
    if (!k->redelivered)
        k->expected = number + 1;
    return true;
}

static bool consumer_frame(struct consumer *k, const struct amqp_frame *f, struct load_result *r)
{
    uint32_t method = amqp_method(f);
    if (method == M_BASIC_DELIVER) {
        size_t at = f->len > 4 ? 5u + f->payload[4] : 0;
        if (at == 0 || f->len < at + 9)
            return fail(r, "consumer: a basic.deliver of %zu bytes", f->len);
        k->tag = get_u64(f->payload + at);
        k->redelivered = f->payload[at + 8] & 1;
    } else if (f->type == AMQP_FRAME_HEADER && f->len >= 12) {
        k->body_left = get_u64(f->payload + 4);
        k->body_begins = true;
    } else if (f->type == AMQP_FRAME_BODY) {
        if (k->body_begins && f->len >= 8 && !consumer_number(k, get_u64(f->payload), r))
            return false;
        k->body_begins = false;
        k->body_left -= f->len;
        if (k->body_left == 0) {
            k->received++;
            if (++k->unacked == k->ack_every) {
                amqp_put_ack(&k->c, k->tag, true);
                k->unacked = 0;
            }
        }
    } else if (method == M_CHANNEL_CLOSE || method == M_CONNECTION_CLOSE) {
        return closed_by_server(f, "consumer", r);
    }
    return true;
}

/* what was read and not yet looked at: deliveries may have come together with the answer to basic.consume */
static bool consumer_frames(struct consumer *k, struct load_result *r)
{
    struct amqp_frame f;
    int got;
    while ((got = amqp_next(&k->c, &f)) > 0) {
        if (!consumer_frame(k, &f, r))
            return false;
    }
    if (got < 0 || !amqp_flush(&k->c))
        return fail(r, "consumer: %s", k->c.error);
    return true;
}

static bool consumer_read(struct consumer *k, struct load_result *r)
{
    if (!amqp_fill(&k->c))
        return fail(r, "consumer: %s", k->c.error);
    return consumer_frames(k, r);
}

/* ---- one turn of the loop ------------------------------------------------------------------------------ */

/* Waits until either may go on, at most wait_ms; then reads, acknowledges and publishes. p or k may be NULL.
 */
static bool turn(struct publisher *p, uint64_t limit, struct consumer *k, int wait_ms, struct load_result *r)
{
    struct pollfd fds[2];
    nfds_t n = 0;
    if (p && !publisher_send(p, limit, r))
        return false;
    if (p)
        fds[n++] = (struct pollfd){.fd = p->c.fd,
                                   .events = (short)(POLLIN | (p->c.out_at < p->c.out_len ? POLLOUT : 0))};
    if (k)
        fds[n++] = (struct pollfd){.fd = k->c.fd,
                                   .events = (short)(POLLIN | (k->c.out_at < k->c.out_len ? POLLOUT : 0))};
    if (poll(fds, n, wait_ms) < 0 && errno != EINTR)
        return fail(r, "poll: %s", strerror(errno));
    if (p && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) && !publisher_read(p, r))
        return false;
    if (k && (fds[n - 1].revents & (POLLIN | POLLHUP | POLLERR)) && !consumer_read(k, r))
        return false;
    if (k && (fds[n - 1].revents & POLLOUT) && !amqp_flush(&k->c))
        return fail(r, "consumer: %s", k->c.error);
    return true;
}

static void rate(struct load_result *r, uint64_t messages, int64_t began_us)
{
    r->messages = messages;
    r->seconds = (double)(load_now_us() - began_us) / 1e6;
    r->per_second = r->seconds > 0 ? (double)messages / r->seconds : 0;
}

/* Turns until `enough` (of `progress`, a counter) is reached or the time is over (end_us, 0: no end). */
struct until {
    const uint64_t *progress;
    uint64_t enough;
    int64_t end_us;
};

static bool turns(struct publisher *p, uint64_t limit, struct consumer *k, struct until until,
                  struct load_result *r)
{
    uint64_t seen = *until.progress;
    int64_t moved = load_now_us();
    while (*until.progress < until.enough) {
        int64_t now = load_now_us();
        if (until.end_us && now >= until.end_us)
            return true;
        if (*until.progress != seen) {
            seen = *until.progress;
            moved = now;
        } else if (now - moved > STALL_MS * 1000LL) {
            return fail(r, "nothing came for %d s, %llu messages so far", STALL_MS / 1000,
                        (unsigned long long)seen);
        }
        if (!turn(p, limit, k, 20, r))
            return false;
    }
    return true;
}

/* ---- what is measured ---------------------------------------------------------------------------------- */

static int64_t in_s(double seconds)
{
    return load_now_us() + (int64_t)(seconds * 1e6);
}

bool load_publish(const struct load_spec *spec, struct load_result *r)
{
    struct publisher p;
    memset(r, 0, sizeof(*r));
    if (!publisher_open(&p, spec, r))
        return false;
    int64_t began = load_now_us();
    uint64_t before = 0;
    bool ok;
    if (spec->measured_s > 0) {
        ok = turns(&p, UINT64_MAX, NULL, (struct until){&p.settled, UINT64_MAX, in_s(spec->warm_up_s)}, r);
        began = load_now_us();
        before = p.settled;
        ok = ok &&
             turns(&p, UINT64_MAX, NULL, (struct until){&p.settled, UINT64_MAX, in_s(spec->measured_s)}, r);
        rate(r, p.settled - before, began);
        ok = ok &&
             turns(&p, p.sent, NULL, (struct until){&p.settled, p.sent, 0}, r); /* the rest of the window */
    } else {
        ok = turns(&p, spec->count, NULL, (struct until){&p.settled, spec->count, 0}, r);
        rate(r, p.settled, began);
    }
    r->nacked = p.nacked;
    publisher_close(&p);
    if (ok && r->nacked)
        return fail(r, "%llu messages were refused (basic.nack)", (unsigned long long)r->nacked);
    return ok;
}

bool load_consume(const struct load_spec *spec, struct load_result *r)
{
    struct consumer k;
    memset(r, 0, sizeof(*r));
    int64_t began = load_now_us();
    if (!consumer_open(&k, spec, r))
        return false;
    bool ok = consumer_frames(&k, r) && turns(NULL, 0, &k, (struct until){&k.received, spec->count, 0}, r);
    rate(r, k.received, began);
    if (ok && k.unacked)
        amqp_put_ack(&k.c, k.tag, true);
    ok = ok && (amqp_flush_all(&k.c, 10000) || fail(r, "consumer: %s", k.c.error));
    amqp_finish(&k.c);
    return ok;
}

bool load_both(const struct load_spec *spec, struct load_result *r)
{
    struct publisher p;
    struct consumer k;
    memset(r, 0, sizeof(*r));
    if (!consumer_open(&k, spec, r))
        return false;
    if (!publisher_open(&p, spec, r)) {
        amqp_finish(&k.c);
        return false;
    }
    bool ok = consumer_frames(&k, r) &&
              turns(&p, UINT64_MAX, &k, (struct until){&k.received, UINT64_MAX, in_s(spec->warm_up_s)}, r);
    int64_t began = load_now_us();
    uint64_t before = k.received;
    ok = ok && turns(&p, UINT64_MAX, &k, (struct until){&k.received, UINT64_MAX, in_s(spec->measured_s)}, r);
    rate(r, k.received - before, began);
    ok = ok && turns(&p, p.sent, &k, (struct until){&k.received, p.sent, 0}, r);
    publisher_close(&p);
    amqp_finish(&k.c);
    return ok;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool load_round_trips(const struct load_spec *spec, struct load_result *r)
{
    struct load_spec one = *spec;
    struct publisher p;
    memset(r, 0, sizeof(*r));
    one.window = 1;
    if (!publisher_open(&p, &one, r))
        return false;
    uint64_t skipped = spec->count / 10;
    double *us = xcalloc(spec->count, sizeof(*us));
    bool ok = true;
    for (uint64_t i = 0; ok && i < skipped + spec->count; i++) {
        int64_t began = load_now_us();
        ok = turns(&p, i + 1, NULL, (struct until){&p.settled, i + 1, 0}, r);
        if (i >= skipped)
            us[i - skipped] = (double)(load_now_us() - began);
    }
    qsort(us, spec->count, sizeof(*us), by_size);
    r->messages = spec->count;
    r->median_us = us[spec->count / 2];
    r->p99_us = us[spec->count * 99 / 100];
    free(us);
    publisher_close(&p);
    return ok;
}

bool load_failover(const struct load_spec *spec, bool (*fault)(void *arg), void *arg, struct load_result *r)
{
    struct publisher p;
    memset(r, 0, sizeof(*r));
    if (!publisher_open(&p, spec, r))
        return false;
    bool ok = turns(&p, UINT64_MAX, NULL, (struct until){&p.settled, spec->count, 0}, r);
    if (ok && !fault(arg))
        ok = fail(r, "the fault could not be made");
    int64_t end = in_s(spec->measured_s), last = load_now_us(), longest = 0,
            give_up = in_s(STALL_MS / 1000.0);
    uint64_t seen = p.settled, at_fault = p.settled;
    while (ok) {
        ok = turn(&p, UINT64_MAX, NULL, 5, r);
        int64_t now = load_now_us();
        if (p.settled != seen || now - last > longest)
            longest = now - last > longest ? now - last : longest;
        if (p.settled != seen) {
            seen = p.settled;
            last = now;
        }
        /* what was confirmed before the fault may still be on its way: a window's worth does not count */
        bool again = p.settled > at_fault + spec->window;
        if (again && now >= end)
            break;
        if (!again && now >= give_up)
            ok = fail(r, "no confirm came for %d s after the fault", STALL_MS / 1000);
    }
    ok = ok && turns(&p, p.sent, NULL, (struct until){&p.settled, p.sent, 0}, r);
    r->longest_gap_ms = (double)longest / 1000;
    r->messages = p.settled;
    r->nacked = p.nacked;
    publisher_close(&p);
    return ok;
}
