/* op.c: commands under way: given to the library, not answered yet. A channel has at most one, and waits for
 * it. A channel that ends meanwhile leaves its command behind: what the answer brings is then put back. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

struct op *op_begin(struct channel *ch, enum op_type type, uint32_t method, const char *name)
{
    ASSERT(!ch->op && ch->state == CHANNEL_OPEN);
    settle_flush(ch); /* a command comes after the acks before it */
    struct op *op = xcalloc(1, sizeof(*op));
    op->type = type;
    op->channel = ch;
    op->method = method;
    op->owner = connection_owner(ch->conn);
    op->name = xstrdup(name);
    queue_args_init(&op->args);
    ch->op = op;
    return op;
}

struct op *op_begin_host(enum op_type type, uint64_t req, const char *name)
{

    struct op *op = xcalloc(1, sizeof(*op));
    op->type = type;
    op->host_req = req;
    op->owner.node = NODE_NONE;
    op->name = xstrdup(name);
    queue_args_init(&op->args);
    return op;
}

void op_send(struct broker *b, struct op *op, struct event *ev)
{
    ev->req = ++b->next_req;
    op->left++;
    map_set_u64(&b->ops, ev->req, op);
    broker_command(b, ev);
}

void op_abandon(struct op *op)
{
    op->channel = NULL;
}

void op_free(struct op *op)
{
    queue_args_finish(&op->args);
    free((uint8_t *)(uintptr_t)op->id.data);
    free(op->name);
    free(op->text);
    free(op);
}

static void host_answer(struct broker *b, struct op *op, enum answer_status status, char *text)
{
    struct effect *fx = effects_add(b->out, FX_ANSWER);
    fx->u.answer.req = op->host_req;
    fx->u.answer.status = status;
    fx->u.answer.text = text;
}

void op_finish(struct broker *b, struct op *op)
{
    ASSERT(op->left == 0);
    struct channel *ch = op->channel;
    if (!ch && op->host_req)
        host_answer(b, op, ANSWER_OK, NULL);
    if (ch) {
        ch->op = NULL;
        if (ch->held.len > ch->held_at && !ch->resuming) {
            ch->resuming = true;
            VEC_PUSH(&b->resume, ch);
        }
        connection_touch(ch->conn);
    }
    op_free(op);
}

void op_fail(struct broker *b, struct op *op, struct failure f)
{
    struct channel *ch = op->channel;
    if (ch) {
        uint32_t method = op->method;
        ch->op = NULL; /* before the channel ends, which would abandon it */
        channel_fail(ch, f.code, method, "%s", f.text);
    } else if (op->host_req) {
        host_answer(b, op, f.code == REPLY_NOT_FOUND ? ANSWER_NOT_FOUND : ANSWER_INVALID, f.text);
        f.text = NULL;
    }
    free(f.text);
    op_free(op);
}

void op_answer(struct broker *b, struct effect *answer)
{
    struct op *op = map_remove_u64(&b->ops, answer->u.answer.req);
    if (!op)
        return;
    if (--op->left)
        return; /* the last one says how it ended: all were ordered */
    switch (op->type) {
    case OP_DECLARE:
    case OP_REDECLARE:
    case OP_DELETE:
    case OP_PURGE: queue_answer(b, op, answer); break;
    case OP_GET:
    case OP_CONSUME:
    case OP_CANCEL: consume_answer(b, op, answer); break;
    case OP_EXCHANGE_DECLARE:
    case OP_EXCHANGE_DELETE:
    case OP_BIND:
    case OP_UNBIND: exchange_answer(b, op, answer); break;
    }
}
