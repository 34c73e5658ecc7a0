/* peer_msg.c: who owns what in messages between nodes. */
#include "mirror/peer_msg.h"

#include <stdlib.h>

#include "base/ban.h"

static char *copy_text(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void queue_args_init(struct queue_args *a)
{
    *a = (struct queue_args){
        .json = xstrdup("{}"),
        .message_ttl_ms = -1,
        .expires_ms = -1,
        .max_length = -1,
        .max_length_bytes = -1,
    };
}

void queue_args_copy(struct queue_args *to, const struct queue_args *from)
{
    *to = *from;
    to->json = copy_text(from->json);
    to->master_locator = copy_text(from->master_locator);
    to->overflow = copy_text(from->overflow);
    to->dead_letter_exchange = copy_text(from->dead_letter_exchange);
    to->dead_letter_key = copy_text(from->dead_letter_key);
}

void queue_args_finish(struct queue_args *a)
{
    free(a->json);
    free(a->master_locator);
    free(a->overflow);
    free(a->dead_letter_exchange);
    free(a->dead_letter_key);
    *a = (struct queue_args){0};
}

void reigns_add(struct reigns *r, msg_id from, node_id master, uint64_t incarnation)
{
    uint64_t number = incarnation * LIMIT_NODES + master;
    while (r->len && r->items[r->len - 1].from >= from)
        r->len--; /* it gave nothing that anybody has */
    if (r->len && r->items[r->len - 1].number == number)
        return;
    if (r->len == LIMIT_REIGNS)
        memmove(r->items, r->items + 1, --r->len * sizeof(*r->items));
    r->items[r->len++] = (struct reign){from, number};
}

uint64_t reign_of(const struct reigns *r, msg_id id)
{
    for (size_t i = r->len; i > 0; i--)
        if (r->items[i - 1].from <= id)
            return r->items[i - 1].number;
    return 0;
}

void meta_entry_init(struct meta_entry *e, enum meta_type type)
{
    *e = (struct meta_entry){.type = type, .owner.node = NODE_NONE, .master = NODE_NONE};
}

void meta_entry_copy(struct meta_entry *to, const struct meta_entry *from)
{
    *to = *from;
    to->name = copy_text(from->name);
    queue_args_copy(&to->args, &from->args);
    to->pattern = copy_text(from->pattern);
    to->apply_to = copy_text(from->apply_to);
    to->definition = copy_text(from->definition);
    to->queue = copy_text(from->queue);
    to->key = from->key ? (uint8_t *)xstrndup((const char *)from->key, from->key_len) : NULL;
    to->value = from->value ? (uint8_t *)xstrndup((const char *)from->value, from->value_len) : NULL;
}

void meta_entry_finish(struct meta_entry *e)
{
    free(e->name);
    queue_args_finish(&e->args);
    free(e->pattern);
    free(e->apply_to);
    free(e->definition);
    free(e->queue);
    free(e->key);
    free(e->value);
    meta_entry_init(e, e->type);
}

static void finish_entries(struct meta_entry *entries, size_t len)
{
    for (size_t i = 0; i < len; i++)
        meta_entry_finish(&entries[i]);
    free(entries);
}

struct peer_msg *peer_msg_create(enum peer_type type, uint64_t epoch)
{
    struct peer_msg *msg = xcalloc(1, sizeof(*msg));
    msg->type = type;
    msg->epoch = epoch;
    return msg;
}

void peer_msg_destroy(struct peer_msg *msg)
{
    if (!msg)
        return;
    switch (msg->type) {
    case PEER_PREPARED:
        finish_entries(msg->u.prepared.entries, msg->u.prepared.entries_len);
        free(msg->u.prepared.replicas);
        free(msg->u.prepared.forgotten);
        break;
    case PEER_INSTALL:
        finish_entries(msg->u.install.entries, msg->u.install.entries_len);
        free(msg->u.install.members);
        free(msg->u.install.forgotten);
        free(msg->u.install.repairs);
        break;
    case PEER_SUBMIT: meta_entry_finish(&msg->u.submit.entry); break;
    case PEER_RESULT: free(msg->u.result.text); break;
    case PEER_META: meta_entry_finish(&msg->u.meta.entry); break;
    case PEER_INIT:
        free(msg->u.init.origins);
        free(msg->u.init.rejected);
        break;
    case PEER_OPS:
        for (size_t i = 0; i < msg->u.ops.ops_len; i++)
            message_unref(msg->u.ops.ops[i].msg);
        free(msg->u.ops.ops);
        break;
    case PEER_SYNC_BATCH:
        for (size_t i = 0; i < msg->u.sync.items_len; i++)
            message_unref(msg->u.sync.items[i].msg);
        free(msg->u.sync.items);
        break;
    case PEER_PUBLISH:
        for (size_t i = 0; i < msg->u.publish.msgs_len; i++)
            message_unref(msg->u.publish.msgs[i]);
        free(msg->u.publish.msgs);
        break;
    case PEER_CONFIRM: free(msg->u.confirm.rejected); break;
    case PEER_REPLY: message_unref(msg->u.reply.msg); break;
    case PEER_DELIVER:
        for (size_t i = 0; i < msg->u.deliver.items_len; i++)
            message_unref(msg->u.deliver.items[i].msg);
        free(msg->u.deliver.items);
        break;
    case PEER_SETTLE: free(msg->u.settle.ids); break;
    case PEER_INSTALLED:
    case PEER_SERVE: leftovers_free(msg->u.serve.items, msg->u.serve.items_len); break;
    case PEER_HELLO:
    case PEER_PREPARE:
    case PEER_REFUSED:
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
    case PEER_REQUEST:
    case PEER_CREDIT:
    case PEER_ACTIVE: break;
    }
    free(msg);
}

const char *peer_type_name(enum peer_type type)
{
    switch (type) {
    case PEER_HELLO: return "HELLO";
    case PEER_PREPARE: return "PREPARE";
    case PEER_PREPARED: return "PREPARED";
    case PEER_REFUSED: return "REFUSED";
    case PEER_INSTALL: return "INSTALL";
    case PEER_INSTALLED: return "INSTALLED";
    case PEER_SERVE: return "SERVE";
    case PEER_LEAVE: return "LEAVE";
    case PEER_LEFT: return "LEFT";
    case PEER_HEAL: return "HEAL";
    case PEER_REPORT: return "REPORT";
    case PEER_SUBMIT: return "SUBMIT";
    case PEER_RESULT: return "RESULT";
    case PEER_META: return "META";
    case PEER_META_ACK: return "META_ACK";
    case PEER_COMMITTED: return "COMMITTED";
    case PEER_INIT: return "INIT";
    case PEER_OPS: return "OPS";
    case PEER_OPS_ACK: return "OPS_ACK";
    case PEER_SYNC_BEGIN: return "SYNC_BEGIN";
    case PEER_SYNC_BATCH: return "SYNC_BATCH";
    case PEER_SYNC_ACK: return "SYNC_ACK";
    case PEER_SYNC_END: return "SYNC_END";
    case PEER_SYNC_CANCEL: return "SYNC_CANCEL";
    case PEER_SYNC_DONE: return "SYNC_DONE";
    case PEER_PUBLISH: return "PUBLISH";
    case PEER_CONFIRM: return "CONFIRM";
    case PEER_REQUEST: return "REQUEST";
    case PEER_REPLY: return "REPLY";
    case PEER_DELIVER: return "DELIVER";
    case PEER_SETTLE: return "SETTLE";
    case PEER_CREDIT: return "CREDIT";
    case PEER_ACTIVE: return "ACTIVE";
    }
    return "?";
}
