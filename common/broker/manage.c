/* manage.c: what the management side may do to connections, exchanges and bindings. Each call is a step of
 * its own: what it brings about is in `out` when it returns. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static void begin(struct broker *b, ms_time now, struct effects *out)
{
    b->now = now;
    b->out = out;
}

static void end(struct broker *b)
{
    broker_settle_down(b);
    b->out = NULL;
}

bool broker_close_connection(struct broker *b, uint64_t conn, const char *reason, ms_time now,
                             struct effects *out)
{
    struct connection *c = map_get_u64(&b->connections, conn);
    if (!c)
        return false;
    begin(b, now, out);
    if (c->state == CONNECTION_RUNNING)
        connection_fail(c, REPLY_CONNECTION_FORCED, 0, "%s",
                        reason && *reason ? reason : "Closed via management plugin");
    else if (c->state != CONNECTION_CLOSED)
        connection_set_state(c, CONNECTION_CLOSED);
    output_flush(c);
    end(b);
    return true;
}

int broker_publish(struct broker *b, const char *exchange, struct message *msg, bool *routed, ms_time now,
                   struct effects *out)
{
    struct exchange *x = exchange_find(b, bytes_str(exchange));
    *routed = false;
    if (!x)
        return ERR_NOT_FOUND;
    begin(b, now, out);
    b->totals.published++;
    x->published_in++;
    route_message(b, x, msg);
    x->published_out += b->route.len;
    *routed = b->route.len > 0;
    for (size_t i = 0; i < b->route.len; i++)
        broker_command(b,
                       &(struct event){.type = EV_PUBLISH,
                                       .u.publish = {.queue = b->route.items[i], .msg = msg, .cookie = 0}});
    end(b);
    return 0;
}

void broker_declare_exchange(struct broker *b, uint64_t req, const char *name, const char *type, bool durable,
                             bool auto_delete, bool internal, ms_time now, struct effects *out)
{
    begin(b, now, out);
    struct op *op = op_begin_host(OP_EXCHANGE_DECLARE, req, name);
    struct wish w = {.name = name,
                     .arguments = "{}",
                     .type = bytes_str(type),
                     .durable = durable,
                     .auto_delete = auto_delete,
                     .internal = internal};
    struct failure f = begin_exchange_declare(b, op, &w);
    if (f.text)
        op_fail(b, op, f);
    end(b);
}

void broker_delete_exchange(struct broker *b, uint64_t req, const char *name, bool if_unused, ms_time now,
                            struct effects *out)
{
    begin(b, now, out);
    struct op *op = op_begin_host(OP_EXCHANGE_DELETE, req, name);
    struct failure f = {0};
    if (*name && !exchange_find(b, bytes_str(name))) /* AMQP says OK to this, HTTP 404 */
        f = failure_of(REPLY_NOT_FOUND, "no exchange '%s' in vhost '/'", name);
    else
        f = begin_exchange_delete(b, op, name, if_unused);
    if (f.text)
        op_fail(b, op, f);
    end(b);
}

void broker_bind(struct broker *b, uint64_t req, bool bind, const char *source, const char *destination,
                 bool to_queue, const char *key, ms_time now, struct effects *out)
{
    begin(b, now, out);
    struct op *op = op_begin_host(bind ? OP_BIND : OP_UNBIND, req, destination);
    struct failure f = bind_change(b, op, bind, source, destination, to_queue, bytes_str(key), "{}");
    if (f.text)
        op_fail(b, op, f);
    end(b);
}
