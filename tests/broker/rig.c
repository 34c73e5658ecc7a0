/* rig.c: see rig.h: its nodes, and what goes between them. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "wire/peer.h"

static const char *const names[RIG_NODES] = {"node1", "node2", "node3"};

static struct client *find(struct rig *r, uint64_t id)
{
    for (size_t i = 0; i < r->clients.len; i++)
        if (r->clients.items[i]->id == id)
            return r->clients.items[i];
    fail_msg("an effect for connection %llu, which nobody opened", (unsigned long long)id);
    return NULL;
}

static void append(struct wire_buffer *b, const void *data, size_t len)
{
    if (!len)
        return;
    memcpy(wire_space(b, len), data, len);
    b->len += len;
}

static void reply(struct client *c, const struct effect *fx)
{
    assert_false(c->closed); /* nothing is written after FX_CLOSE */
    size_t split = fx->u.client.msg ? fx->u.client.split : fx->u.client.data_len;
    append(&c->in, fx->u.client.data, split);
    if (fx->u.client.msg) {
        struct bytes body = message_body(fx->u.client.msg);
        append(&c->in, body.data, body.len);
    }
    append(&c->in, fx->u.client.data + split, fx->u.client.data_len - split);
}

static void post(struct rig *r, size_t node, const struct effect *fx)
{
    for (node_id to = 0; to < r->nodes_len; to++) {
        if (!node_in(fx->u.send.to, to) || !r->nodes[to])
            continue;
        struct rig_mail m = {.from = (node_id)node, .to = to};
        wire_encode_peer(fx->u.send.msg, &m.bytes);
        VEC_PUSH(&r->mail, m);
    }
}

void rig_perform(struct rig *r, size_t node, struct effects *fx)
{
    for (size_t i = 0; i < fx->len; i++) {
        struct effect *e = &fx->items[i];
        switch (e->type) {
        case FX_REPLY: reply(find(r, e->u.client.conn), e); break;
        case FX_CLOSE: find(r, e->u.client.conn)->closed = true; break;
        case FX_PAUSE:
            assert_false(find(r, e->u.client.conn)->paused);
            find(r, e->u.client.conn)->paused = true;
            r->pauses++;
            break;
        case FX_RESUME:
            assert_true(find(r, e->u.client.conn)->paused);
            find(r, e->u.client.conn)->paused = false;
            r->resumes++;
            break;
        case FX_SEND: post(r, node, e); break;
        case FX_PERSIST: r->persisted[node]++; break;
        case FX_SERVING: r->serving[node] = e->u.serving.on; break;
        case FX_ANSWER:
            assert_true(e->u.answer.req & REQ_HOST);
            if (r->answer) {
                effect_finish(r->answer);
                free(r->answer);
            }
            r->answer = xmalloc(sizeof(*e));
            *r->answer = *e;
            *e = (struct effect){.type = FX_EVENT};
            break;
        case FX_EVENT:
            r->told_len++;
            free(r->told);
            r->told = xstrdup(e->u.event.text ? e->u.event.text : "");
            break;
        case FX_STOPPED:
        case FX_RESTART: break;
        case FX_FAILED: fail_msg("the node failed: %s", e->u.failed.text); break;
        case FX_DELIVER:
        case FX_CONFIRM:
        case FX_CANCELLED:
        case FX_META:
        case FX_META_ALL:
        case FX_QUEUE_GONE:
        case FX_QUEUE_OPEN:
        case FX_DEAD_LETTER: fail_msg("effect %d came out of the broker", e->type); break;
        }
    }
    effects_free(fx);
}

void rig_step(struct rig *r, size_t node, struct event *ev)
{
    struct effects fx = {0};
    if (!r->nodes[node])
        return;
    ev->now = r->now;
    assert_int_equal(broker_step(r->nodes[node], ev, &fx), 0);
    if (!r->unchecked)
        mirror_check(broker_mirror(r->nodes[node]));
    rig_perform(r, node, &fx);
}

static void deliver_mail(struct rig *r, struct rig_mail *m)
{
    int err = 0;
    struct peer_msg *msg = wire_decode_peer(bytes_of(m->bytes.s, m->bytes.len), &err);
    assert_non_null(msg);
    rig_step(r, m->to, &(struct event){.type = EV_PEER_MESSAGE, .u.peer = {.node = m->from, .msg = msg}});
    peer_msg_destroy(msg);
}

void rig_run(struct rig *r)
{
    for (unsigned calm = 0, round = 0; calm < 2; round++) {
        assert_in_range(round, 0, 10000); /* it must come to rest */
        calm++;
        size_t len = r->hold_mail ? 0 : r->mail.len;
        for (size_t i = 0; i < len; i++) {
            struct rig_mail m = r->mail.items[i];
            if (r->nodes[m.to] && r->nodes[m.from])
                deliver_mail(r, &m);
            text_finish(&m.bytes);
            calm = 0;
        }
        if (len)
            memmove(r->mail.items, r->mail.items + len, (r->mail.len - len) * sizeof(*r->mail.items));
        r->mail.len -= len;
        for (size_t n = 0; n < r->nodes_len; n++) {
            uint64_t before = r->persisted[n];
            rig_step(r, n, &(struct event){.type = EV_TURN_END});
            if (!r->hold_disk)
                rig_step(r, n, &(struct event){.type = EV_DISK_DONE, .u.disk.persisted = r->persisted[n]});
            if (r->persisted[n] != before)
                calm = 0;
        }
    }
}

void rig_later(struct rig *r, ms_time ms)
{
    ms_time until = r->now + ms;
    for (;;) {
        ms_time next = until + 1;
        for (size_t n = 0; n < r->nodes_len; n++)
            if (r->nodes[n])
                next = u64_min(next, broker_deadline(r->nodes[n]));
        if (next > until)
            break;
        r->now = u64_max(r->now, next);
        for (size_t n = 0; n < r->nodes_len; n++)
            rig_step(r, n, &(struct event){.type = EV_TICK});
        rig_run(r);
    }
    r->now = until;
}

static void start(struct rig *r, size_t n)
{
    struct broker_options o;
    broker_options_defaults(&o);
    o.mirror.names = names;
    o.mirror.nodes_len = r->nodes_len;
    o.mirror.self = (node_id)n;
    o.mirror.incarnation = ++r->incarnation;
    o.mirror.seed = r->incarnation;
    if (r->table_bytes)
        o.mirror.table_bytes = r->table_bytes;
    r->nodes[n] = broker_create(&o);
    r->persisted[n] = 0;
    rig_step(r, n, &(struct event){.type = EV_START});
}

static void link_up(struct rig *r, size_t a, size_t b)
{
    rig_step(r, a, &(struct event){.type = EV_PEER_UP, .u.peer.node = (node_id)b});
    rig_step(r, b, &(struct event){.type = EV_PEER_UP, .u.peer.node = (node_id)a});
}

struct rig *rig_create(size_t nodes)
{
    return rig_create_with(nodes, 0);
}

struct rig *rig_create_with(size_t nodes, size_t table_bytes)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    r->nodes_len = nodes;
    r->table_bytes = table_bytes;
    r->now = 1000;
    for (size_t n = 0; n < nodes; n++)
        start(r, n);
    for (size_t a = 0; a < nodes; a++)
        for (size_t b = a + 1; b < nodes; b++)
            link_up(r, a, b);
    rig_run(r);
    for (unsigned i = 0; i < 100 && !(r->serving[0] && r->serving[nodes - 1]); i++)
        rig_later(r, 100);
    for (size_t n = 0; n < nodes; n++)
        assert_true(r->serving[n]);
    return r;
}

void rig_destroy(struct rig *r)
{
    for (size_t n = 0; n < r->nodes_len; n++)
        broker_destroy(r->nodes[n]);
    for (size_t i = 0; i < r->clients.len; i++) {
        VEC_FREE(&r->clients.items[i]->in);
        text_finish(&r->clients.items[i]->line);
        text_finish(&r->clients.items[i]->props);
        free(r->clients.items[i]);
    }
    for (size_t i = 0; i < r->mail.len; i++)
        text_finish(&r->mail.items[i].bytes);
    if (r->answer)
        effect_finish(r->answer);
    free(r->answer);
    free(r->told);
    VEC_FREE(&r->clients);
    VEC_FREE(&r->mail);
    free(r);
}

void rig_kill(struct rig *r, size_t node)
{
    broker_destroy(r->nodes[node]);
    r->nodes[node] = NULL;
    for (size_t n = 0; n < r->nodes_len; n++)
        rig_step(r, n, &(struct event){.type = EV_PEER_DOWN, .u.peer.node = (node_id)node});
    rig_run(r);
    rig_later(r, 2000);
}

void rig_stop(struct rig *r, size_t node)
{
    rig_step(r, node, &(struct event){.type = EV_STOP});
    rig_run(r);
    rig_kill(r, node);
}

void rig_policy(struct rig *r, size_t node, const char *pattern, const char *definition)
{
    struct event ev = {.type = EV_SET_POLICY, .req = REQ_HOST | 1};
    ev.u.policy.name = "p";
    ev.u.policy.pattern = pattern;
    ev.u.policy.definition = definition;
    rig_step(r, node, &ev);
    rig_run(r);
    assert_int_equal(r->answer->u.answer.status, ANSWER_OK);
}
