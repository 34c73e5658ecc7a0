/* step.c: the one way in. Hands each event to the file of its concern or on to the mirroring library, and
 * handles what the library says, one effect at a time, with no other handler on the stack. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

void broker_options_defaults(struct broker_options *o)
{
    static const struct broker_user users[] = {
        {"admin", "123", "administrator", false},
        {"guest", "guest", "administrator", true},
    };
    *o = (struct broker_options){
        .users = users,
        .users_len = ARRAY_LEN(users),
        .heartbeat_s = 60,
        .frame_max = LIMIT_FRAME_MAX,
        .channel_max = LIMIT_CHANNEL_MAX,
        .product = "mirrorlab",
        .version = "1.0",
    };
    mirror_options_defaults(&o->mirror);
}

struct broker *broker_create(const struct broker_options *o)
{
    struct broker *b = xcalloc(1, sizeof(*b));
    b->mirror = mirror_create(&o->mirror);
    b->options = *o;
    struct broker_user *users = xcalloc(o->users_len, sizeof(*users));
    for (size_t i = 0; i < o->users_len; i++)
        users[i] = (struct broker_user){xstrdup(o->users[i].name), xstrdup(o->users[i].password),
                                        xstrdup(o->users[i].tags), o->users[i].loopback_only};
    b->options.users = users;
    b->options.product = xstrdup(o->product);
    b->options.version = xstrdup(o->version);
    /* names that are made up must differ between nodes and lives */
    rng_init(&b->rng, o->mirror.seed ^ (o->mirror.incarnation * 0x9e3779b97f4a7c15ULL) ^
                          ((uint64_t)o->mirror.self << 56));
    b->timer_at = UINT64_MAX;
    init_amqp_pool(&b->pool, 8192);
    VEC_PUSH(&b->confirm_slots, (struct confirm_slot){0});
    exchanges_init(b);
    return b;
}

static void sweep(struct broker *b)
{
    for (size_t i = 0; i < b->dead_channels.len; i++)
        channel_free(b->dead_channels.items[i]);
    b->dead_channels.len = 0;
    for (size_t i = 0; i < b->dead_connections.len; i++)
        connection_free(b->dead_connections.items[i]);
    b->dead_connections.len = 0;
}

void broker_destroy(struct broker *b)
{
    if (!b)
        return;
    /* the library is told nothing any more: what it would answer has nobody to go to */
    struct effects *nowhere = xcalloc(1, sizeof(*nowhere));
    b->out = nowhere;
    b->ending = true;
    struct connection *c;
    for (size_t at = 0; (c = map_next(&b->connections, &at));)
        connection_gone(c);
    sweep(b);
    struct op *op;
    for (size_t at = 0; (op = map_next(&b->ops, &at));)
        if (--op->left == 0)
            op_free(op);
    effects_free(&b->up);
    effects_free(nowhere);
    free(nowhere);
    exchanges_finish(b);
    mirror_destroy(b->mirror);
    map_finish(&b->connections);
    map_finish(&b->subs);
    map_finish(&b->ops);
    VEC_FREE(&b->touched);
    VEC_FREE(&b->resume);
    VEC_FREE(&b->dead_connections);
    VEC_FREE(&b->dead_channels);
    VEC_FREE(&b->confirm_slots);
    VEC_FREE(&b->free_slots);
    VEC_FREE(&b->route);
    VEC_FREE(&b->route_todo);
    VEC_FREE(&b->topic_now);
    VEC_FREE(&b->topic_next);
    VEC_FREE(&b->matched);
    empty_amqp_pool(&b->pool);
    for (size_t i = 0; i < b->options.users_len; i++) {
        free((char *)(uintptr_t)b->options.users[i].name);
        free((char *)(uintptr_t)b->options.users[i].password);
        free((char *)(uintptr_t)b->options.users[i].tags);
    }
    free((struct broker_user *)(uintptr_t)b->options.users);
    free((char *)(uintptr_t)b->options.product);
    free((char *)(uintptr_t)b->options.version);
    free(b);
}

int broker_recover(struct broker *b, const struct record *rec)
{
    return mirror_recover(b->mirror, rec);
}

const struct mirror *broker_mirror(const struct broker *b)
{
    return b->mirror;
}

void broker_trace(struct broker *b, bool on)
{
    mirror_trace(b->mirror, on);
}

void broker_command(struct broker *b, struct event *ev)
{
    if (b->ending)
        return;
    ev->now = b->now;
    b->commanded = true;
    mirror_step(b->mirror, ev, &b->up);
}

static void shut_all(struct broker *b)
{
    struct connection *c;
    for (size_t at = 0; (c = map_next(&b->connections, &at));)
        connection_shutdown(c, REPLY_CONNECTION_FORCED,
                            "broker forced connection closure with reason 'shutdown'");
}

static void to_host(struct broker *b, struct effect *fx)
{
    *effects_add(b->out, fx->type) = *fx;
    *fx = (struct effect){.type = FX_EVENT}; /* owns nothing any more */
}

static void queue_open_again(struct broker *b, uint64_t uid)
{
    struct connection *c;
    for (size_t at = 0; (c = map_next(&b->connections, &at));)
        if (c->paused & PAUSE_QUEUE)
            connection_queue_open(c, uid);
}

/* One effect of the library's. Owns what it carries. */
static void handle(struct broker *b, struct effect *fx)
{
    switch (fx->type) {
    case FX_SERVING:
        if (!fx->u.serving.on)
            shut_all(b);
        to_host(b, fx);
        break;
    case FX_SEND:
    case FX_PERSIST:
    case FX_EVENT:
    case FX_STOPPED:
    case FX_RESTART:
    case FX_FAILED: to_host(b, fx); break;
    case FX_ANSWER:
        if (fx->u.answer.req & REQ_HOST)
            to_host(b, fx);
        else
            op_answer(b, fx);
        break;
    case FX_DELIVER: deliver(b, fx); break;
    case FX_CONFIRM: confirms_done(b, fx->u.confirm.cookie, fx->u.confirm.how); break;
    case FX_CANCELLED: consumer_cancelled(b, fx->u.cancelled.sub); break;
    case FX_META: {
        struct bytes value = bytes_of(fx->u.meta.value, fx->u.meta.value_len);
        exchanges_apply(b, bytes_of(fx->u.meta.key, fx->u.meta.key_len), fx->u.meta.value ? &value : NULL);
        break;
    }
    case FX_META_ALL: exchanges_reset(b); break;
    case FX_QUEUE_GONE:
    case FX_QUEUE_OPEN: queue_open_again(b, fx->u.queue.uid); break;
    case FX_DEAD_LETTER: dead_letter_publish(b, fx); break;
    case FX_REPLY:
    case FX_CLOSE:
    case FX_PAUSE:
    case FX_RESUME: to_host(b, fx); break; /* the library makes none */
    }
    effect_finish(fx);
}

void broker_settle_down(struct broker *b)
{
    for (;;) {
        while (b->up_at < b->up.len) {
            struct effect fx = b->up.items[b->up_at++];
            handle(b, &fx);
        }
        b->up.len = b->up_at = 0;
        if (b->resume.len == 0)
            return;
        struct channel *ch = b->resume.items[--b->resume.len];
        ch->resuming = false;
        channel_resume_one(ch);
    }
}

/* Acks and credit go to the library, its batches go out, and only then what clients are told: a command that
 * comes of one round (frames that were held back) makes another. */
/* autoheal asks how many clients each side of a partition has */
static void tell_clients(struct broker *b)
{
    uint32_t count = (uint32_t)b->connections.count;
    if (count == b->clients_told)
        return;
    b->clients_told = count;
    mirror_step(b->mirror, &(struct event){.type = EV_CLIENTS, .now = b->now, .u.clients.count = count},
                &b->up);
    broker_settle_down(b);
}

static void turn_end(struct broker *b)
{
    tell_clients(b);
    do {
        for (size_t i = 0; i < b->touched.len; i++) {
            struct connection *c = b->touched.items[i];
            for (size_t k = 0; k < c->busy.len; k++)
                settle_flush(c->busy.items[k]);
            deliver_give_credit(c);
        }
        b->commanded = false;
        mirror_step(b->mirror, &(struct event){.type = EV_TURN_END, .now = b->now}, &b->up);
        broker_settle_down(b);
    } while (b->commanded);
    for (size_t i = 0; i < b->touched.len; i++) {
        struct connection *c = b->touched.items[i];
        c->touched = false;
        for (size_t k = 0; k < c->busy.len; k++) {
            confirms_flush(c->busy.items[k]);
            c->busy.items[k]->touched = false;
        }
        c->busy.len = 0;
        output_flush(c);
    }
    b->touched.len = 0;
}

static void tick(struct broker *b)
{
    if (b->now < b->timer_at)
        return;
    b->timer_at = UINT64_MAX;
    struct connection *c;
    for (size_t at = 0; (c = map_next(&b->connections, &at));)
        connection_tick(c, &b->timer_at);
}

ms_time broker_deadline(const struct broker *b)
{
    return u64_min(b->timer_at, mirror_deadline(b->mirror));
}

static void memory_alarm(struct broker *b, bool on)
{
    if (b->alarm == on)
        return;
    b->alarm = on;
    struct connection *c;
    for (size_t at = 0; (c = map_next(&b->connections, &at));)
        connection_alarm(c);
}

int broker_step(struct broker *b, const struct event *ev, struct effects *out)
{
    b->out = out;
    b->now = ev->now;
    int err = 0;
    struct connection *c;
    switch (ev->type) {
    case EV_CLIENT_OPEN: connection_open(b, ev); break;
    case EV_CLIENT_DATA:
        c = map_get_u64(&b->connections, ev->u.client.conn);
        if (c)
            connection_data(c, ev->u.client.data);
        break;
    case EV_CLIENT_DRAINED:
        c = map_get_u64(&b->connections, ev->u.client.conn);
        if (c)
            connection_drained(c);
        break;
    case EV_CLIENT_CLOSED:
        c = map_get_u64(&b->connections, ev->u.client.conn);
        if (c)
            connection_gone(c);
        break;
    case EV_MEMORY: memory_alarm(b, ev->u.memory.alarm); break;
    case EV_TURN_END: turn_end(b); break;
    case EV_TICK:
        tick(b);
        err = mirror_step(b->mirror, ev, &b->up);
        break;
    case EV_STOP:
        shut_all(b);
        broker_settle_down(b);
        err = mirror_step(b->mirror, ev, &b->up);
        break;
    case EV_START:
    case EV_CLIENTS:
    case EV_DISK_DONE:
    case EV_PEER_UP:
    case EV_PEER_DOWN:
    case EV_PEER_MESSAGE:
    case EV_DECLARE:
    case EV_DELETE:
    case EV_PURGE:
    case EV_PUBLISH:
    case EV_GET:
    case EV_SUBSCRIBE:
    case EV_UNSUBSCRIBE:
    case EV_CREDIT:
    case EV_SETTLE:
    case EV_OWNER_GONE:
    case EV_SET_POLICY:
    case EV_CLEAR_POLICY:
    case EV_FORGET_NODE:
    case EV_SYNC:
    case EV_CANCEL_SYNC:
    case EV_META_PUT:
    case EV_META_DELETE: err = mirror_step(b->mirror, ev, &b->up); break;
    }
    broker_settle_down(b);
    sweep(b);
    b->out = NULL;
    return err;
}
