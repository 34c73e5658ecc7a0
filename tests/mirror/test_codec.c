/* test_codec.c: every message between nodes and every log record survives the way through bytes; bytes that
 * are cut or changed are refused or decode to something, but never crash and never read past their end. */
#include "tests/mirror/check.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/rng.h"
#include "wire/codec.h"
#include "wire/peer.h"
#include "wire/record.h"

static char *word(struct rng *r)
{
    static const char *const words[] = {"", "hello", "mirrior_hello", "镜像队列",
                                        "a longer name with spaces"};
    return rng_chance(r, 15) ? NULL : xstrdup(words[rng_below(r, ARRAY_LEN(words))]);
}

static struct message *message(struct rng *r)
{
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)rng_next(r);
    struct message *m = message_create(bytes_str("ex"), bytes_of(bytes, rng_below(r, 255)),
                                       bytes_of(bytes, rng_below(r, 30)), bytes, rng_below(r, 300));
    m->persistent = rng_chance(r, 50);
    m->priority = (uint8_t)rng_below(r, 10);
    m->expiration_ms = rng_next(r);
    return m;
}

static void entry(struct rng *r, struct meta_entry *e)
{
    meta_entry_init(e, (enum meta_type)(META_QUEUE + rng_below(r, META_FORGET)));
    e->name = xstrdup("q");
    e->uid = rng_next(r);
    e->generation = rng_next(r);
    e->master = (node_id)rng_below(r, 5);
    switch (e->type) {
    case META_QUEUE:
        e->durable = rng_chance(r, 50);
        queue_args_init(&e->args);
        e->args.overflow = word(r);
        e->args.max_length = (int64_t)rng_next(r);
        e->mirrors_len = (uint8_t)rng_below(r, LIMIT_NODES);
        for (size_t i = 0; i < e->mirrors_len; i++)
            e->mirrors[i] = (node_id)i;
        e->synced = (node_set)rng_next(r);
        e->reigns.len = (uint8_t)rng_below(r, LIMIT_REIGNS + 1);
        for (size_t i = 0; i < e->reigns.len; i++)
            e->reigns.items[i] = (struct reign){rng_next(r), rng_next(r)};
        break;
    case META_POLICY:
        e->pattern = xstrdup("^q");
        e->apply_to = xstrdup("all");
        e->definition = xstrdup("{}");
        e->priority = (int32_t)rng_next(r);
        break;
    case META_KEY:
        e->key = (uint8_t *)xstrndup("a\0b", 3);
        e->key_len = 3;
        e->value = (uint8_t *)xstrndup("", 0);
        e->queue = word(r);
        break;
    case META_KEY_REMOVE:
        e->key = (uint8_t *)xstrndup("k", 1);
        e->key_len = 1;
        e->prefix = rng_chance(r, 50);
        break;
    case META_QUEUE_REMOVE:
    case META_SYNCED:
    case META_FORGET:
    case META_POLICY_REMOVE: break;
    }
}

static struct meta_entry *entries(struct rng *r, size_t *len)
{
    *len = rng_below(r, 4);
    struct meta_entry *all = xcalloc(*len, sizeof(*all));
    for (size_t i = 0; i < *len; i++)
        entry(r, &all[i]);
    return all;
}

/* a message of each kind with fields filled at random */
static struct peer_msg *any(struct rng *r, enum peer_type type)
{
    struct peer_msg *m = peer_msg_create(type, rng_next(r));
    m->uid = rng_next(r);
    m->generation = rng_next(r);
    size_t n = 1 + rng_below(r, 5);
    switch (type) {
    case PEER_HELLO:
        m->u.hello.incarnation = rng_next(r);
        m->u.hello.links = (node_set)rng_next(r);
        m->u.hello.fresh = true;
        break;
    case PEER_PREPARE: m->u.prepare.targets = (node_set)rng_next(r); break;
    case PEER_PREPARED:
        m->u.prepared.entries = entries(r, &m->u.prepared.entries_len);
        m->u.prepared.replicas_len = n;
        m->u.prepared.replicas = xcalloc(n, sizeof(struct replica_state));
        m->u.prepared.replicas[0].op = rng_next(r);
        m->u.prepared.forgotten_len = 1;
        m->u.prepared.forgotten = xcalloc(1, sizeof(struct forgotten));
        m->u.prepared.forgotten->epoch = rng_next(r);
        break;
    case PEER_INSTALL:
        m->u.install.entries = entries(r, &m->u.install.entries_len);
        m->u.install.members_len = n;
        m->u.install.members = xcalloc(n, sizeof(struct view_member));
        m->u.install.members[n - 1].join = rng_next(r);
        m->u.install.forgotten_len = n;
        m->u.install.forgotten = xcalloc(n, sizeof(struct forgotten));
        m->u.install.forgotten[n - 1] = (struct forgotten){LIMIT_NODES - 1, rng_next(r)};
        m->u.install.repairs_len = n;
        m->u.install.repairs = xcalloc(n, sizeof(struct repair));
        m->u.install.repairs[0].upto = rng_next(r);
        break;
    case PEER_SUBMIT: entry(r, &m->u.submit.entry); break;
    case PEER_RESULT: m->u.result.text = word(r); break;
    case PEER_META: entry(r, &m->u.meta.entry); break;
    case PEER_INIT:
        m->version = rng_next(r);
        m->u.init.origins_len = n;
        m->u.init.origins = xcalloc(n, sizeof(struct origin));
        m->u.init.origins[0].seq = rng_next(r);
        m->u.init.rejected_len = n;
        m->u.init.rejected = xcalloc(n, sizeof(struct rejected));
        m->u.init.rejected[0].seq = rng_next(r);
        break;
    case PEER_OPS:
        m->u.ops.ops_len = n;
        m->u.ops.ops = xcalloc(n, sizeof(struct op));
        for (size_t i = 0; i < n; i++) {
            struct op *op = &m->u.ops.ops[i];
            op->type = (enum op_type)(OP_PUBLISH + rng_below(r, OP_REJECT));
            op->first = rng_next(r) >> 1;
            op->last = op->first;
            op->expiry = op->type == OP_PUBLISH ? rng_next(r) : 0;
            if (op->type == OP_PUBLISH)
                op->msg = message(r);
            else if (op->type == OP_REJECT)
                op->seq = rng_next(r);
            else if (op->type == OP_REQUEUE_ALL || op->type == OP_PURGE)
                op->last = 0;
            else
                op->last += rng_below(r, 100);
        }
        break;
    case PEER_SYNC_BATCH:
        m->u.sync.items_len = n;
        m->u.sync.items = xcalloc(n, sizeof(struct sync_item));
        for (size_t i = 0; i < n; i++)
            m->u.sync.items[i].msg = message(r);
        break;
    case PEER_PUBLISH:
        m->u.publish.msgs_len = n;
        m->u.publish.msgs = xcalloc(n, sizeof(struct message *));
        for (size_t i = 0; i < n; i++)
            m->u.publish.msgs[i] = message(r);
        break;
    case PEER_CONFIRM:
        m->u.confirm.rejected_len = n;
        m->u.confirm.rejected = xcalloc(n, sizeof(uint64_t));
        break;
    case PEER_REQUEST:
        m->u.request.kind = REQUEST_SUBSCRIBE;
        m->u.request.prefetch = (uint32_t)rng_next(r);
        break;
    case PEER_REPLY: m->u.reply.msg = rng_chance(r, 50) ? message(r) : NULL; break;
    case PEER_DELIVER:
        m->u.deliver.items_len = n;
        m->u.deliver.items = xcalloc(n, sizeof(struct deliver_item));
        for (size_t i = 0; i < n; i++)
            m->u.deliver.items[i].msg = message(r);
        break;
    case PEER_SETTLE:
        m->u.settle.how = SETTLE_DISCARD;
        m->u.settle.ids_len = n;
        m->u.settle.ids = xcalloc(n, sizeof(msg_id));
        break;
    case PEER_REFUSED: m->u.refused.why = REFUSE_APART; break;
    case PEER_INSTALLED:
    case PEER_SERVE:
        m->u.serve.more = n > 0;
        m->u.serve.items_len = n;
        m->u.serve.items = xcalloc(n, sizeof(struct leftover));
        for (size_t i = 0; i < n; i++) {
            m->u.serve.items[i].uid = rng_next(r);
            m->u.serve.items[i].sub = rng_next(r);
            m->u.serve.items[i].msg = message(r);
        }
        break;
    case PEER_LEAVE:
    case PEER_LEFT:
    case PEER_HEAL:
    case PEER_REPORT:
    case PEER_META_ACK:
    case PEER_COMMITTED:
    case PEER_OPS_ACK:
    case PEER_SYNC_BEGIN:
    case PEER_SYNC_ACK:
    case PEER_SYNC_END:
    case PEER_SYNC_CANCEL:
    case PEER_SYNC_DONE:
    case PEER_CREDIT:
    case PEER_ACTIVE: break;
    }
    return m;
}

static void test_every_peer_message_survives(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 7);
    for (int round = 0; round < 50; round++)
        for (int type = PEER_HELLO; type <= PEER_CREDIT; type++) {
            struct peer_msg *m = any(&r, (enum peer_type)type);
            struct text once = {0}, twice = {0};
            wire_encode_peer(m, &once);
            int err;
            struct peer_msg *back = wire_decode_peer(bytes_of(once.s, once.len), &err);
            if (!back)
                fail_msg("%s: %s", peer_type_name((enum peer_type)type), err_text(err));
            assert_int_equal(back->type, m->type);
            assert_int_equal(back->epoch, m->epoch);
            wire_encode_peer(back, &twice);
            assert_int_equal(once.len, twice.len);
            assert_memory_equal(once.s, twice.s, once.len);
            peer_msg_destroy(m);
            peer_msg_destroy(back);
            text_finish(&once);
            text_finish(&twice);
        }
}

static void test_cut_and_changed_bytes(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 11);
    size_t refused = 0, cuts = 0;
    for (int type = PEER_HELLO; type <= PEER_CREDIT; type++)
        for (int round = 0; round < 20; round++) {
            struct peer_msg *m = any(&r, (enum peer_type)type);
            struct text t = {0};
            wire_encode_peer(m, &t);
            peer_msg_destroy(m);
            int err;
            for (size_t len = 4; len < t.len; len += 1 + t.len / 40) {
                /* a shorter message whose length says so: every field after the cut is missing */
                uint8_t *copy =
                    (uint8_t *)xstrndup(t.s, len); /* exact size: the sanitizer sees one byte too many */
                for (size_t i = 0; i < 4; i++)
                    copy[i] = (uint8_t)((len - 4) >> (8 * (3 - i)));
                struct peer_msg *back = wire_decode_peer(bytes_of(copy, len), &err);
                cuts++;
                refused += back == NULL;
                peer_msg_destroy(back);
                free(copy);
            }
            for (int change = 0; change < 20; change++) {
                uint8_t *copy = (uint8_t *)xstrndup(t.s, t.len);
                copy[4 + rng_below(&r, t.len - 4)] = (uint8_t)rng_next(&r);
                peer_msg_destroy(wire_decode_peer(bytes_of(copy, t.len), &err));
                free(copy);
            }
            text_finish(&t);
        }
    assert_int_equal(refused, cuts);
}

static void test_frame_limits(void **state)
{
    (void)state;
    assert_int_equal(wire_peer_frame(bytes_of("\0\0\0", 3)), 0);
    assert_int_equal(wire_peer_frame(bytes_of("\xff\xff\xff\xff", 4)), ERR_TOO_LARGE);
    assert_int_equal(wire_peer_frame(bytes_of("\0\0\0\x01", 4)), ERR_TOO_LARGE);
}

static void test_every_record_survives(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 3);
    for (int round = 0; round < 200; round++) {
        struct record rec = {.type = (enum record_type)(REC_VIEW + rng_below(&r, REC_ORIGIN)),
                             .queue_uid = rng_next(&r),
                             .id = rng_next(&r),
                             .epoch = rng_next(&r),
                             .members = (node_set)rng_next(&r),
                             .others = (node_set)rng_next(&r)};
        if (rec.type == REC_MESSAGE)
            rec.msg = message(&r);
        if (rec.type == REC_REMOVED || rec.type == REC_TAKEN) {
            rec.ranges_len = 3;
            rec.ranges = xcalloc(3, sizeof(struct id_range));
            rec.ranges[1] = (struct id_range){5, 9};
        }
        if (rec.type == REC_META) {
            rec.entry = xcalloc(1, sizeof(*rec.entry));
            entry(&r, rec.entry);
        }
        struct text once = {0}, twice = {0};
        wire_encode_record(&rec, &once);
        struct record back;
        assert_int_equal(wire_decode_record(bytes_of(once.s, once.len), &back), 0);
        wire_encode_record(&back, &twice);
        assert_int_equal(once.len, twice.len);
        assert_memory_equal(once.s, twice.s, once.len);
        for (size_t len = 0; len < once.len; len++) {
            struct record cut;
            uint8_t *copy = (uint8_t *)xstrndup(once.s, len);
            assert_int_not_equal(wire_decode_record(bytes_of(copy, len), &cut), 0);
            free(copy);
        }
        record_finish(&rec);
        record_finish(&back);
        text_finish(&once);
        text_finish(&twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_peer_message_survives),
        cmocka_unit_test(test_cut_and_changed_bytes),
        cmocka_unit_test(test_frame_limits),
        cmocka_unit_test(test_every_record_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
