/* test_record_sieve.c: what a node finds in its log is the same before and after a compaction, for random
 * lives of random queues. The judge is the mirroring library itself: it recovers from both, serves, and is
 * asked for every message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/vec.h"
#include "host/record_sieve.h"
#include "mirror/mirror.h"
#include "mirror/peer_msg.h"
#include "wire/record.h"

#define QUEUES   5
#define MESSAGES 40

/* ---- a log with a history ---- */

struct history {
    struct disk *disk;
    struct log *log;
    struct rng rng;
    uint64_t promised;
    uint64_t version, seq;
    bool there[QUEUES];
    unsigned life[QUEUES];       /* how often it was declared: its uid changes each time */
    uint64_t base[QUEUES][2][2]; /* of each publisher in each life: what is below was answered */
};

static uint64_t uid_of(const struct history *h, unsigned q)
{
    return 100u * (q + 1) + h->life[q];
}

static void add(struct history *h, const struct record *rec)
{
    wire_encode_record(rec, log_begin(h->log));
    log_end(h->log);
    if (rng_chance(&h->rng, 4))
        log_roll(h->log);
}

static void add_queue(struct history *h, unsigned q, enum meta_type type)
{
    struct meta_entry e;
    meta_entry_init(&e, type);
    e.uid = uid_of(h, q);
    if (type == META_QUEUE) {
        char name[16];
        snprintf(name, sizeof(name), "queue %u", q);
        e.name = xstrdup(name);
        e.generation = 1;
        e.durable = true;
        e.master = 0;
        e.owner.node = NODE_NONE;
        queue_args_init(&e.args);
    }
    add(h, &(struct record){.type = REC_META, .version = ++h->version, .entry = &e});
    meta_entry_finish(&e);
}

static void add_table(struct history *h)
{
    add(h, &(struct record){.type = REC_META_RESET, .version = h->version});
    for (unsigned q = 0; q < QUEUES; q++)
        if (h->there[q])
            add_queue(h, q, META_QUEUE);
    if (rng_chance(&h->rng, 10)) {
        add_table(h); /* the node went before it was complete; its next life begins with another */
        return;
    }
    add(h, &(struct record){.type = REC_VIEW, .epoch = h->version, .version = h->version, .members = 1});
}

static void add_message(struct history *h, unsigned q)
{
    char body[32];
    snprintf(body, sizeof(body), "%llu", (unsigned long long)++h->seq);
    struct message *m = message_create(bytes_str(""), bytes_str("k"), bytes_str(""), body, strlen(body));
    m->persistent = true;
    add(h, &(struct record){.type = REC_MESSAGE,
                            .queue_uid = uid_of(h, q),
                            .id = 1 + rng_below(&h->rng, MESSAGES),
                            .redelivered = rng_chance(&h->rng, 10),
                            .origin = rng_chance(&h->rng, 20) ? NODE_NONE : (node_id)rng_below(&h->rng, 2),
                            .incarnation = 1 + rng_below(&h->rng, 2),
                            .seq = h->seq,
                            .expiry = UINT64_MAX,
                            .msg = m});
    message_unref(m);
}

static void add_rejected(struct history *h, unsigned q)
{
    unsigned origin = (unsigned)rng_below(&h->rng, 2), life = (unsigned)rng_below(&h->rng, 2);
    uint64_t *base = &h->base[q][origin][life]; /* it never goes back */
    h->seq++;
    *base = u64_max(*base, h->seq - rng_below(&h->rng, h->seq < 300 ? h->seq : 300));
    add(h, &(struct record){.type = REC_REJECTED,
                            .queue_uid = uid_of(h, q),
                            .origin = (node_id)origin,
                            .incarnation = 1 + life,
                            .seq = h->seq,
                            .base = *base});
}

/* it says more of a publisher than the messages do, or takes it back: the last word counts */
static void add_origin(struct history *h, unsigned q)
{
    uint64_t seq = rng_below(&h->rng, 2) ? h->seq : ++h->seq;
    add(h, &(struct record){.type = REC_ORIGIN,
                            .queue_uid = uid_of(h, q),
                            .origin = (node_id)rng_below(&h->rng, 2),
                            .incarnation = 1 + rng_below(&h->rng, 2),
                            .seq = seq,
                            .lost = rng_below(&h->rng, seq + 1)});
}

static void add_ranges(struct history *h, unsigned q, enum record_type type)
{
    struct id_range ranges[2];
    size_t len = 1 + rng_below(&h->rng, 2);
    uint64_t from = 1 + rng_below(&h->rng, MESSAGES);
    for (size_t i = 0; i < len; i++) {
        ranges[i].first = from;
        ranges[i].last = from + rng_below(&h->rng, 8);
        from = ranges[i].last + 1 + rng_below(&h->rng, 4);
    }
    if (type == REC_REMOVED && rng_chance(&h->rng, 5)) {
        ranges[0] = (struct id_range){1, UINT64_MAX - 1}; /* a purge */
        len = 1;
    }
    add(h, &(struct record){.type = type, .queue_uid = uid_of(h, q), .ranges = ranges, .ranges_len = len});
}

static void add_something(struct history *h)
{
    unsigned q = (unsigned)rng_below(&h->rng, QUEUES), what = (unsigned)rng_below(&h->rng, 100);
    if (what < 3) {
        add_table(h);
    } else if (what < 4) {
        add(h, &(struct record){.type = REC_STOPPED, .epoch = h->version});
    } else if (what < 5) {
        h->promised += 32 * (1 + rng_below(&h->rng, 3));
        add(h, &(struct record){.type = REC_PROMISED, .epoch = h->promised});
    } else if (what < 6) {
        add(h, &(struct record){.type = REC_VIEW, .epoch = h->version, .version = h->version, .members = 1});
    } else if (!h->there[q]) {
        h->there[q] = true;
        h->life[q]++;
        add_queue(h, q, META_QUEUE);
    } else if (what < 8) {
        h->there[q] = false;
        if (rng_chance(&h->rng, 70))
            add_queue(h, q, META_QUEUE_REMOVE);
        else
            add_table(h); /* deleted while this node was away */
    } else if (what < 11) {
        add(h, &(struct record){.type = REC_DISCARD, .queue_uid = uid_of(h, q)});
    } else if (what < 30) {
        add_ranges(h, q, REC_REMOVED);
    } else if (what < 40) {
        add_ranges(h, q, REC_TAKEN);
    } else if (what < 45) {
        add_ranges(h, q, REC_LEASE);
    } else if (what < 50) {
        add_rejected(h, q);
    } else if (what < 55) {
        add_origin(h, q);
    } else {
        add_message(h, q);
    }
}

static int ignore(void *arg, struct bytes record)
{
    (void)arg;
    (void)record;
    return 0;
}

static void commit(struct history *h)
{
    uint64_t segment;
    struct bytes data;
    while (log_take(h->log, &segment, &data)) {
        h->disk->append(h->disk->self, segment, data.data, data.len);
        log_written(h->log);
    }
}

/* ---- what a node makes of it ---- */

static int recover(void *arg, struct bytes bytes)
{
    struct record rec = {0};
    int err = wire_decode_record(bytes, &rec);
    if (!err)
        err = mirror_recover(arg, &rec);
    record_finish(&rec);
    return err;
}

/* One event, and what follows from it on a node that is alone: its disk is quick, its turns end. Every effect
 * is shown to fn. */
typedef void effect_fn(const struct effect *fx, void *arg);

static void step(struct mirror *m, struct event ev, effect_fn *fn, void *arg)
{
    static uint64_t persisted;
    struct effects fx = {0};
    if (ev.type == EV_START)
        persisted = 0;
    for (int round = 0; round < 4; round++) {
        ev.now = 1000;
        assert_int_equal(mirror_step(m, &ev, &fx), 0);
        for (size_t i = 0; i < fx.len; i++) {
            persisted += fx.items[i].type == FX_PERSIST;
            if (fn)
                fn(&fx.items[i], arg);
        }
        effects_clear(&fx);
        if (round % 2)
            ev = (struct event){.type = EV_DISK_DONE, .u.disk.persisted = persisted};
        else
            ev = (struct event){.type = EV_TURN_END};
    }
    effects_free(&fx);
}

/* Every message of a queue, by getting them all. */
struct got {
    struct text *out;
    bool more;
};

static void got_one(const struct effect *fx, void *arg)
{
    struct got *g = arg;
    if (fx->type != FX_ANSWER)
        return;
    g->more = fx->u.answer.status == ANSWER_OK;
    if (!g->more) {
        text_printf(g->out, " (status %d)", (int)fx->u.answer.status);
        return;
    }
    struct bytes body = message_body(fx->u.answer.msg);
    text_printf(g->out, " %llu%s=%.*s", (unsigned long long)fx->u.answer.id,
                fx->u.answer.redelivered ? "r" : "", (int)body.len, (const char *)body.data);
}

static void add_content(struct mirror *m, const char *name, struct text *out)
{
    struct got g = {.out = out, .more = true};
    while (g.more) {
        g.more = false;
        step(m,
             (struct event){.type = EV_GET,
                            .req = 7,
                            .u.queue = {.name = name, .no_ack = true, .owner.node = NODE_NONE}},
             got_one, &g);
    }
}

static char *what_is_found(struct disk *disk)
{
    static const char *const names[] = {"node1"};
    struct mirror_options o;
    mirror_options_defaults(&o);
    o.names = names;
    o.nodes_len = 1;
    o.self = 0;
    o.incarnation = 5;
    struct mirror *m = mirror_create(&o);
    char *note;
    struct log *log = log_open(disk, recover, m, &note);
    if (!log)
        fail_msg("%s", note);
    struct text out = {0};
    step(m, (struct event){.type = EV_START}, NULL, NULL);
    assert_int_equal(mirror_view(m).phase, PHASE_SERVING);
    text_printf(&out, "serves in %llu\n",
                (unsigned long long)mirror_view(m).epoch); /* beyond what it promised */
    for (unsigned q = 0; q < QUEUES; q++) {
        char name[16];
        snprintf(name, sizeof(name), "queue %u", q);
        struct queue *found = mirror_find_queue(m, name);
        if (!found)
            continue;
        struct queue_info info;
        mirror_queue_info(m, found, &info);
        text_printf(&out, "%s uid %llu:", name, (unsigned long long)info.uid);
        add_content(m, name, &out);
        text_add(&out, "\n");
    }
    log_close(log);
    mirror_destroy(m);
    return out.s ? out.s : xstrdup("");
}

/* the publishers' numbers, as recovering follows them */
struct refused_number {
    uint64_t uid, seq;
    char key[64];
};

struct numbers {
    struct map latest; /* "uid/origin/incarnation" -> seq + 1 */
    struct map lost;   /* the same -> so many are not there, + 1 */
    struct map base;   /* the same -> below it nothing is offered again */
    VEC(struct refused_number) rejected;
};

static int follow(void *arg, struct bytes bytes)
{
    struct numbers *n = arg;
    struct record rec = {0};
    int err = wire_decode_record(bytes, &rec);
    if (!err && (rec.type == REC_MESSAGE || rec.type == REC_REJECTED || rec.type == REC_ORIGIN) &&
        rec.origin != NODE_NONE) {
        char key[64];
        snprintf(key, sizeof(key), "%llu/%u/%llu", (unsigned long long)rec.queue_uid, rec.origin,
                 (unsigned long long)rec.incarnation);
        if (rec.type == REC_REJECTED) {
            struct refused_number r = {.uid = rec.queue_uid, .seq = rec.seq};
            memcpy(r.key, key, sizeof(key));
            VEC_PUSH(&n->rejected, r);
            map_set(&n->base, bytes_str(key), (void *)(uintptr_t)rec.base);
        }
        if (rec.type == REC_ORIGIN)
            map_set(&n->lost, bytes_str(key), (void *)(uintptr_t)(rec.lost + 1));
        uint64_t before = (uint64_t)(uintptr_t)map_get_str(&n->latest, key);
        map_set(&n->latest, bytes_str(key), (void *)(uintptr_t)u64_max(before, rec.seq + 1));
    } else if (!err && rec.type == REC_DISCARD) {
        size_t kept = 0;
        for (size_t i = 0; i < n->rejected.len; i++)
            if (n->rejected.items[i].uid != rec.queue_uid)
                n->rejected.items[kept++] = n->rejected.items[i];
        n->rejected.len = kept;
        for (unsigned origin = 0; origin < 2; origin++) {
            for (unsigned life = 1; life <= 2; life++) {
                char key[64];
                snprintf(key, sizeof(key), "%llu/%u/%u", (unsigned long long)rec.queue_uid, origin, life);
                map_remove(&n->latest, bytes_str(key));
                map_remove(&n->lost, bytes_str(key));
            }
        }
    }
    record_finish(&rec);
    return err;
}

static char *latest_numbers(const struct history *h)
{
    struct numbers n = {0};
    struct text out = {0};
    char *note;
    map_init(&n.latest);
    map_init(&n.lost);
    map_init(&n.base);
    struct log *log = log_open(h->disk, follow, &n, &note);
    assert_non_null(log);
    log_close(log);
    for (unsigned q = 0; q < QUEUES; q++) {
        for (unsigned i = 0; h->there[q] && i < 4; i++) {
            char key[64];
            snprintf(key, sizeof(key), "%llu/%u/%u", (unsigned long long)uid_of(h, q), i / 2, 1 + i % 2);
            text_printf(&out, "%s: %llu, %llu lost\n", key,
                        (unsigned long long)(uintptr_t)map_get_str(&n.latest, key),
                        (unsigned long long)(uintptr_t)map_get_str(&n.lost, key));
        }
    }
    for (size_t i = 0; i < n.rejected.len; i++) {
        const struct refused_number *r = &n.rejected.items[i];
        bool there = false;
        for (unsigned q = 0; q < QUEUES; q++)
            there = there || (h->there[q] && uid_of(h, q) == r->uid);
        if (there && r->seq >= (uint64_t)(uintptr_t)map_get_str(&n.base, r->key))
            text_printf(&out, "%s: %llu refused\n", r->key, (unsigned long long)r->seq);
    }
    VEC_FREE(&n.rejected);
    map_finish(&n.base);
    map_finish(&n.latest);
    map_finish(&n.lost);
    return out.s ? out.s : xstrdup("");
}

static int compact(struct history *h, bool cancelled)
{
    struct log_closed closed = log_closed(h->log);
    atomic_bool cancel = cancelled;
    struct record_sieve sieve;
    uint64_t bytes = 0;
    char *note;
    if (closed.bytes == closed.base_bytes)
        return ERR_NOT_FOUND;
    record_sieve_init(&sieve, &cancel);
    int err = log_compact(h->disk, closed.last, &sieve.ops, &bytes, &note);
    record_sieve_finish(&sieve);
    if (!err) {
        assert_null(note);
        log_compacted(h->log, closed.last, bytes);
    }
    free(note);
    return err;
}

/* ---- the tests ---- */

static void begin(struct history *h, uint64_t seed)
{
    char *note;
    *h = (struct history){.disk = disk_memory_create()};
    rng_init(&h->rng, seed);
    h->log = log_open(h->disk, ignore, NULL, &note);
    assert_non_null(h->log);
    add_table(h);
}

static void end(struct history *h)
{
    log_close(h->log);
    disk_memory_destroy(h->disk);
}

static void test_a_node_finds_the_same_before_and_after(void **state)
{
    (void)state;
    unsigned compactions = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct history h;
        begin(&h, seed);
        for (int round = 0; round < 3; round++) {
            for (uint64_t i = rng_below(&h.rng, 150); i > 0; i--)
                add_something(&h);
            commit(&h);
            char *found = what_is_found(h.disk), *numbers = latest_numbers(&h);
            uint64_t size = log_size(h.log);
            if (compact(&h, false) == 0) {
                compactions++;
                assert_true(log_size(h.log) <= size + 28); /* no more than the end record is added */
            }
            char *found_after = what_is_found(h.disk), *numbers_after = latest_numbers(&h);
            if (strcmp(found, found_after) != 0)
                fail_msg("seed %llu round %d: before:\n%safter:\n%s", (unsigned long long)seed, round, found,
                         found_after);
            if (strcmp(numbers, numbers_after) != 0)
                fail_msg("seed %llu round %d: numbers before:\n%safter:\n%s", (unsigned long long)seed, round,
                         numbers, numbers_after);
            free(found);
            free(numbers);
            free(found_after);
            free(numbers_after);
        }
        end(&h);
    }
    assert_true(compactions > 400);
}

static void test_what_was_consumed_takes_no_room(void **state)
{
    (void)state;
    struct history h;
    begin(&h, 1);
    h.there[0] = true;
    add_queue(&h, 0, META_QUEUE);
    for (unsigned i = 1; i <= 20000; i++) {
        struct message *m = message_create(bytes_str(""), bytes_str("k"), bytes_str(""), "0123456789", 10);
        struct id_range range = {i, i};
        add(&h, &(struct record){.type = REC_MESSAGE,
                                 .queue_uid = uid_of(&h, 0),
                                 .id = i,
                                 .origin = 0,
                                 .incarnation = 1,
                                 .seq = i,
                                 .msg = m});
        if (i % 1000)
            add(&h, &(struct record){
                        .type = REC_REMOVED, .queue_uid = uid_of(&h, 0), .ranges = &range, .ranges_len = 1});
        message_unref(m);
    }
    log_roll(h.log);
    add_table(&h);
    commit(&h);
    uint64_t before = log_size(h.log);
    assert_int_equal(compact(&h, false), 0);
    assert_true(log_size(h.log) < before / 500); /* 20 of 20,000 are left */
    end(&h);
}

static void test_it_can_be_cancelled(void **state)
{
    (void)state;
    struct history h;
    begin(&h, 3);
    for (int i = 0; i < 100; i++)
        add_something(&h);
    log_roll(h.log);
    add_table(&h);
    commit(&h);
    char *found = what_is_found(h.disk), *found_after;
    assert_int_equal(compact(&h, true), ERR_CLOSED);
    found_after = what_is_found(h.disk);
    assert_string_equal(found, found_after);
    free(found);
    free(found_after);
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_finds_the_same_before_and_after),
        cmocka_unit_test(test_what_was_consumed_takes_no_room),
        cmocka_unit_test(test_it_can_be_cancelled),
    };
    return cmocka_run_group_tests_name("which records are needed", tests, NULL, NULL);
}
