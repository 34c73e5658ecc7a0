/* link.c: the links between nodes. Each direction is a FIFO of UP, messages, DOWN; every item takes a random
 * time but none overtakes another. A node's end cuts off a random end of what it had sent; the other side
 * sees DOWN after what still arrived. A later connection begins afresh, after that DOWN. A direction that is
 * cut or clogged keeps its items until it is whole again, or its receiver gives up. */
#include "sim/world.h"

#include "wire/peer.h"

static void push(struct sim *s, node_id from, node_id to, enum link_item_type type, uint8_t *data, size_t len)
{
    struct link *l = &s->links[from][to];
    uint64_t takes = random_between(&s->net, s->options.link_min_us, s->options.link_max_us);
    if (s->now_us < l->slow_until_us)
        takes *= l->slow_factor;
    l->last_at_us = u64_max(l->last_at_us, s->now_us + takes);
    struct link_item item = {type, ++s->link_serial, l->connection, data, len};
    if (l->head > 32 && l->head * 2 > l->items.len) {
        memmove(l->items.items, l->items.items + l->head,
                (l->items.len - l->head) * sizeof(l->items.items[0]));
        l->items.len -= l->head;
        l->head = 0;
    }
    VEC_PUSH(&l->items, item);
    heap_push(&s->heap, l->last_at_us, HAPPEN_LINK, from, to, item.serial);
}

void link_try(struct sim *s, node_id a, node_id b)
{
    struct link *there = &s->links[a][b], *back = &s->links[b][a];
    if (!s->nodes[a].m || !s->nodes[b].m || there->connected || there->cut || back->cut)
        return;
    if (s->options.sabotage == SABOTAGE_NO_RECONNECT && (there->was_cut || back->was_cut))
        return;
    there->connection = back->connection = ++s->link_serial;
    there->connected = back->connected = true;
    push(s, a, b, LINK_UP, NULL, 0);
    push(s, b, a, LINK_UP, NULL, 0);
}

void link_connect_all(struct sim *s, node_id n)
{
    for (node_id other = 0; other < s->options.nodes; other++)
        if (other != n)
            link_try(s, n, other);
}

/* n has gone: of what it had sent on this connection, keep a beginning, then DOWN. */
static void cut_sender(struct sim *s, node_id n, node_id other, bool in_order)
{
    struct link *l = &s->links[n][other];
    size_t first = l->items.len; /* of this connection */
    while (first > l->head && l->items.items[first - 1].connection == l->connection)
        first--;
    size_t sent = l->items.len - first;
    size_t keep = in_order ? sent : sent ? rng_below(&s->net, sent + 1) : 0;
    while (l->items.len > first + keep)
        free(l->items.items[--l->items.len].data);
    if (l->seen == l->connection || keep > 0)
        push(s, n, other, LINK_DOWN, NULL, 0);
    if (keep < sent)
        sim_tell(s, "      %zu of %zu messages on their way to %s are lost", sent - keep, sent,
                 s->names[other]);
}

static void drop_receiver(struct link *l)
{
    for (size_t i = l->head; i < l->items.len; i++)
        free(l->items.items[i].data);
    l->items.len = l->head = 0;
    l->seen = 0;
}

void link_disconnect_all(struct sim *s, node_id n, bool in_order)
{
    for (node_id other = 0; other < s->options.nodes; other++) {
        if (other == n)
            continue;
        if (s->links[n][other].connected)
            cut_sender(s, n, other, in_order);
        drop_receiver(&s->links[other][n]);
        s->links[n][other].connected = s->links[other][n].connected = false;
    }
}

/* ---- cuts ---- */

void link_close(struct sim *s, node_id n, node_id other)
{
    struct link *in = &s->links[other][n];
    bool knew = in->seen != 0;
    if (in->connected)
        cut_sender(s, n, other, false);
    in->connected = s->links[n][other].connected = false;
    drop_receiver(in);
    if (!knew || !s->nodes[n].m)
        return;
    struct event ev = {.type = EV_PEER_DOWN, .u.peer.node = other};
    node_step(s, n, &ev);
}

void link_cut(struct sim *s, node_id from, node_id to, bool noticed)
{
    struct link *l = &s->links[from][to];
    if (l->cut)
        return;
    l->cut = ++s->link_serial;
    l->was_cut = true;
    s->cuts++;
    uint64_t silence_us = s->options.silence_ms * 1000; /* what was heard last may be a while ago */
    if (noticed)
        heap_push(&s->heap, s->now_us + random_between(&s->net, silence_us / 2, silence_us), HAPPEN_SILENCE,
                  from, to, l->cut);
}

void link_silence(struct sim *s, node_id from, node_id to, uint64_t serial)
{
    struct link *l = &s->links[from][to];
    if (l->cut != serial || (l->seen == 0 && !l->connected && l->head == l->items.len))
        return;
    s->counts[SIM_LINKS_LOST]++;
    sim_tell(s, "%10.3f        %s has not heard of %s for too long", (double)s->now_us / 1000.0, s->names[to],
             s->names[from]);
    link_close(s, to, from);
}

/* What waited goes on its way; false: nothing did. */
static bool move_again(struct sim *s, node_id from, node_id to)
{
    struct link *l = &s->links[from][to];
    if (l->cut || l->clog)
        return false;
    for (size_t i = l->head; i < l->items.len; i++) {
        uint64_t takes = random_between(&s->net, s->options.link_min_us, s->options.link_max_us);
        l->last_at_us = u64_max(l->last_at_us, s->now_us + takes);
        heap_push(&s->heap, l->last_at_us, HAPPEN_LINK, from, to, l->items.items[i].serial);
    }
    return l->items.len > l->head;
}

void link_heal(struct sim *s, node_id from, node_id to)
{
    if (!s->links[from][to].cut)
        return;
    s->links[from][to].cut = 0;
    bool waited = move_again(s, from, to);
    s->counts[SIM_CUTS_SURVIVED] += waited && s->links[from][to].connected;
    uint64_t wait_us = random_between(&s->net, 0, s->options.reconnect_ms * 1000);
    heap_push(&s->heap, s->now_us + wait_us, HAPPEN_CONNECT, from, to, 0);
}

void link_clog(struct sim *s, node_id from, node_id to, uint64_t us)
{
    struct link *l = &s->links[from][to];
    us = u64_min(us, s->options.silence_ms * 1000 / 2);
    l->clog = ++s->link_serial;
    heap_push(&s->heap, s->now_us + us, HAPPEN_UNCLOG, from, to, l->clog);
}

void link_unclog(struct sim *s, node_id from, node_id to, uint64_t serial)
{
    if (s->links[from][to].clog != serial)
        return;
    s->links[from][to].clog = 0;
    s->counts[SIM_CLOGS] += move_again(s, from, to);
}

/* ---- bytes ---- */

void link_send(struct sim *s, node_id from, node_id to, const struct text *bytes)
{
    struct link *l = &s->links[from][to];
    /* known to be up at the sender, and still the same connection */
    if (!l->connected || s->links[to][from].seen != l->connection)
        return;
    if (s->options.sabotage == SABOTAGE_MESSAGE_DROPPED && rng_chance(&s->net, 1))
        return;
    uint8_t *data = xmalloc(bytes->len);
    memcpy(data, text_str(bytes), bytes->len);
    push(s, from, to, LINK_MESSAGE, data, bytes->len);
}

static void arrive_message(struct sim *s, node_id from, node_id to, struct bytes frame)
{
    int err = 0;
    struct peer_msg *msg = NULL;
    if (wire_peer_frame(frame) == (int64_t)frame.len)
        msg = wire_decode_peer(frame, &err);
    if (!msg) {
        sim_fail(s, "codec", "a message of %zu bytes from %s to %s cannot be read (error %d)", frame.len,
                 s->names[from], s->names[to], err);
        return;
    }
    if (s->link_serial % 16 == 0) {
        text_clear(&s->bytes);
        wire_encode_peer(msg, &s->bytes);
        if (!bytes_equal(frame, bytes_of(text_str(&s->bytes), s->bytes.len)))
            sim_fail(s, "codec", "%s from %s to %s changes when it is read and written again",
                     peer_type_name(msg->type), s->names[from], s->names[to]);
    }
    struct event ev = {.type = EV_PEER_MESSAGE, .u.peer = {.node = from, .msg = msg}};
    node_step(s, to, &ev);
    peer_msg_destroy(msg);
}

/* Links repeat nothing; who speaks does. */
void link_count_repeats(struct sim *s, node_id n, const struct peer_msg *msg)
{
    struct sim_node *node = &s->nodes[n];
    if (msg->type == PEER_PUBLISH) {
        size_t i = 0;
        while (i < node->offered.len && node->offered.items[i].uid != msg->uid)
            i++;
        if (i == node->offered.len)
            VEC_PUSH(&node->offered, (struct offered){.uid = msg->uid});
        struct offered *o = &node->offered.items[i];
        bool again = o->incarnation == node->incarnation && msg->u.publish.first <= o->last;
        s->counts[SIM_OFFERED_AGAIN] += again;
        o->incarnation = node->incarnation;
        o->last = msg->u.publish.first + msg->u.publish.msgs_len - 1;
    } else if (msg->type == PEER_SUBMIT) {
        bool again = node->submitted_in == node->incarnation && msg->u.submit.req <= node->submitted;
        s->counts[SIM_SUBMITTED_AGAIN] += again;
        node->submitted_in = node->incarnation;
        node->submitted = msg->u.submit.req;
    }
}

void link_arrive(struct sim *s, node_id from, node_id to, uint64_t serial)
{
    struct link *l = &s->links[from][to];
    if (l->cut || l->clog || l->head == l->items.len || l->items.items[l->head].serial != serial)
        return; /* it waits, or was lost on the way */
    struct link_item item = l->items.items[l->head++];
    struct event ev = {.u.peer.node = from};
    switch (item.type) {
    case LINK_UP:
        l->seen = item.connection;
        ev.type = EV_PEER_UP;
        node_step(s, to, &ev);
        break;
    case LINK_MESSAGE: arrive_message(s, from, to, bytes_of(item.data, item.len)); break;
    case LINK_DOWN:
        l->seen = 0;
        ev.type = EV_PEER_DOWN;
        node_step(s, to, &ev);
        break;
    }
    free(item.data);
}

void link_finish(struct link *l)
{
    drop_receiver(l);
    VEC_FREE(&l->items);
}
