/* looking.c: what the management API may see, one at a time; what is returned is valid until the next step.
 */
#include "broker/private.h"

#include "base/ban.h"

bool broker_next_exchange(const struct broker *b, size_t *at, struct exchange_info *out)
{
    const struct exchange *x = map_next(&b->exchanges, at);
    if (!x)
        return false;
    *out = (struct exchange_info){
        .name = x->name,
        .type = exchange_type_name(x->type),
        .durable = x->durable,
        .auto_delete = x->auto_delete,
        .internal = x->internal,
        .arguments = x->arguments,
        .published_in = x->published_in,
        .published_out = x->published_out,
    };
    return true;
}

/* The default exchange's bindings come first, one for each queue: places with the top bit clear count queues,
 * the others bindings. */
#define BINDINGS_FROM ((size_t)1 << (sizeof(size_t) * 8 - 1))

bool broker_next_binding(const struct broker *b, size_t *at, struct binding_info *out)
{
    if (!(*at & BINDINGS_FROM)) {
        struct queue *q = mirror_next_queue(b->mirror, at);
        if (q) {
            struct queue_info info;
            mirror_queue_info(b->mirror, q, &info);
            *out = (struct binding_info){.source = "",
                                         .destination = info.name,
                                         .destination_type = "queue",
                                         .key = info.name,
                                         .arguments = "{}",
                                         .properties_key = info.name};
            return true;
        }
        *at = BINDINGS_FROM;
    }
    size_t inner = *at & ~BINDINGS_FROM;
    const struct binding *bd;
    do {
        bd = map_next(&b->bindings, &inner);
    } while (bd && !bd->from); /* orphans bind nothing */
    *at = inner | BINDINGS_FROM;
    if (!bd)
        return false;
    *out = (struct binding_info){.source = bd->source,
                                 .destination = bd->destination,
                                 .destination_type = bd->to_queue ? "queue" : "exchange",
                                 .key = bd->key,
                                 .arguments = bd->arguments,
                                 .properties_key = bd->properties_key};
    return true;
}

static const char *state_word(const struct connection *c)
{
    switch (c->state) {
    case CONNECTION_HEADER:
    case CONNECTION_START: return "starting";
    case CONNECTION_TUNE: return "tuning";
    case CONNECTION_OPENING: return "opening";
    case CONNECTION_RUNNING:
        if (c->paused & PAUSE_MEMORY)
            return "blocked";
        return c->paused ? "flow" : "running";
    case CONNECTION_CLOSING: return "closing";
    case CONNECTION_CLOSED: return "closed";
    }
    return "closed";
}

bool broker_next_connection(const struct broker *b, size_t *at, struct connection_info *out)
{
    const struct connection *c = map_next(&b->connections, at);
    if (!c)
        return false;
    *out = (struct connection_info){
        .conn = c->id,
        .name = c->name,
        .user = c->user,
        .peer_host = c->peer_host,
        .host = c->host,
        .state = state_word(c),
        .peer_port = c->peer_port,
        .port = c->port,
        .channels = (uint16_t)c->channels.count,
        .channel_max = c->channel_max,
        .heartbeat_s = c->heartbeat_s,
        .frame_max = c->frame_max,
        .client_properties = c->client_properties,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .frames_in = c->frames_in,
        .frames_out = c->frames_out,
        .connected_at = c->connected_at,
    };
    return true;
}

/* A place within a place: the upper half counts connections, the lower what is in them. */
#define HALF_BITS (sizeof(size_t) * 4)
#define HALF_MASK (((size_t)1 << HALF_BITS) - 1)

static const struct channel *next_channel(const struct broker *b, size_t *at)
{
    size_t outer = *at >> HALF_BITS, inner = *at & HALF_MASK;
    for (;;) {
        size_t here = outer;
        const struct connection *c = map_next(&b->connections, &here);
        if (!c)
            return NULL;
        const struct channel *ch = map_next(&c->channels, &inner);
        if (ch) {
            *at = outer << HALF_BITS | inner;
            return ch;
        }
        outer = here;
        inner = 0;
    }
}

bool broker_next_channel(const struct broker *b, size_t *at, struct channel_info *out)
{
    const struct channel *ch = next_channel(b, at);
    if (!ch)
        return false;
    *out = (struct channel_info){
        .conn = ch->conn->id,
        .number = ch->number,
        .confirm = ch->confirms != NULL,
        .consumers = (uint32_t)ch->consumers.count,
        .prefetch = ch->prefetch,
        .global_prefetch = ch->global_prefetch,
        .unacked = ch->unacked.live,
        .unconfirmed = ch->confirms ? ch->confirms->unresolved : 0,
        .connection_name = ch->conn->name,
        .user = ch->conn->user,
    };
    return true;
}

bool broker_next_consumer(const struct broker *b, size_t *at, struct consumer_info *out)
{
    const struct consumer *k;
    do {
        k = map_next(&b->subs, at);
    } while (k && !k->running);
    if (!k)
        return false;
    bool single, active = mirror_sub_active(b->mirror, k->sub, &single);
    *out = (struct consumer_info){
        .queue = k->queue,
        .tag = k->tag,
        .arguments = k->arguments,
        .conn = k->channel->conn->id,
        .channel = k->channel->number,
        .no_ack = k->no_ack,
        .exclusive = k->exclusive,
        .active = active,
        .single = single,
        .prefetch = k->prefetch,
        .connection_name = k->channel->conn->name,
        .user = k->channel->conn->user,
    };
    return true;
}

void broker_totals(const struct broker *b, struct broker_totals *out)
{
    *out = b->totals;
}
