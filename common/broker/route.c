/* route.c: from an exchange to queues, through other exchanges, each queue once. */
#include "broker/private.h"

#include "base/ban.h"

/* A queue that nobody serves takes nothing: what would go there is unroutable, as RabbitMQ treats it. */
static void take_queue(struct broker *b, struct queue *q)
{
    if (q && mirror_queue_serves(b->mirror, q))
        VEC_PUSH(&b->route, q);
}

static void follow(struct broker *b, struct binding *bd, uint64_t visit)
{
    if (bd->to_queue) {
        if (bd->target->visited == visit)
            return;
        bd->target->visited = visit;
        take_queue(b, mirror_find_queue(b->mirror, bd->target->queue));
    } else if (bd->to->visited != visit) {
        bd->to->visited = visit;
        VEC_PUSH(&b->route_todo, bd->to);
    }
}

static void through(struct broker *b, struct exchange *x, const struct message *m, json_t **headers,
                    uint64_t visit)
{
    switch (x->type) {
    case EXCHANGE_DIRECT: {
        struct binding_list *l = map_get(&x->direct, message_key(m));
        for (size_t i = 0; l && i < l->len; i++)
            follow(b, l->items[i], visit);
        break;
    }
    case EXCHANGE_FANOUT:
        for (size_t i = 0; i < x->out.len; i++)
            follow(b, x->out.items[i], visit);
        break;
    case EXCHANGE_TOPIC:
        b->matched.len = 0;
        topic_match(b, x->topic, message_key(m));
        for (size_t i = 0; i < b->matched.len; i++)
            follow(b, b->matched.items[i], visit);
        break;
    case EXCHANGE_HEADERS:
        if (!*headers) {
            /* a message's properties are a content header's without its first 12 octets */
            struct wire_header h = {0};
            struct wire_buffer whole = {0};
            struct bytes props = message_props(m);
            memset(wire_space(&whole, 12 + props.len), 0, 12);
            memcpy(whole.items + 12, props.data, props.len);
            if (wire_get_header(bytes_of(whole.items, 12 + props.len), &h) == 0 && h.headers.data)
                *headers = wire_table_decode(h.headers);
            if (!*headers)
                *headers = json_object();
            VEC_FREE(&whole);
        }
        for (size_t i = 0; i < x->out.len; i++)
            if (headers_match(x->out.items[i]->match, *headers))
                follow(b, x->out.items[i], visit);
        break;
    }
}

static void walk(struct broker *b, struct exchange *first, const struct message *m)
{
    json_t *headers = NULL;
    uint64_t visit = ++b->visit;
    b->route_todo.len = 0;
    first->visited = visit;
    VEC_PUSH(&b->route_todo, first);
    for (size_t i = 0; i < b->route_todo.len; i++)
        through(b, b->route_todo.items[i], m, &headers, visit);
    json_decref(headers);
}

void route_message(struct broker *b, struct exchange *x, const struct message *m)
{
    b->route.len = 0;
    if (x->name[0] == '\0') { /* the default exchange: the key is the queue's name */
        char name[LIMIT_NAME + 1];
        struct bytes key = message_key(m);
        memcpy(name, key.data, key.len);
        name[key.len] = '\0';
        if (!memchr(name, '\0', key.len))
            take_queue(b, mirror_find_queue(b->mirror, name));
        return;
    }
    /* nothing takes it: its alternate exchange may, and that one's; a circle ends where it began to close */
    for (unsigned i = 0; x && i < 16; i++) {
        walk(b, x, m);
        if (b->route.len || !x->alternate)
            return;
        x = exchange_find(b, bytes_str(x->alternate));
    }
}
