/* link.c: the links between nodes. Each direction is a FIFO of UP, messages, DOWN; every item takes a random
 * time but none overtakes another. A node's end cuts off a random end of what it had sent; the other side
 * sees DOWN after what still arrived. A later connection begins afresh, after that DOWN. */
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

void link_connect_all(struct sim *s, node_id n)
{
    for (node_id other = 0; other < s->options.nodes; other++) {
        if (other == n || !s->nodes[other].m)
            continue;
        uint64_t connection = ++s->link_serial;
        s->links[n][other].connection = s->links[other][n].connection = connection;
        s->links[n][other].connected = s->links[other][n].connected = true;
        push(s, n, other, LINK_UP, NULL, 0);
        push(s, other, n, LINK_UP, NULL, 0);
    }
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

void link_arrive(struct sim *s, node_id from, node_id to, uint64_t serial)
{
    struct link *l = &s->links[from][to];
    if (l->head == l->items.len || l->items.items[l->head].serial != serial)
        return; /* it was lost on the way */
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
