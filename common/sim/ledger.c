/* ledger.c: the book of messages. */
#include "sim/ledger.h"

void sim_ledger_finish(struct ledger *l)
{
    for (size_t i = 0; i < l->queues.len; i++) {
        free(l->queues.items[i].name);
        free(l->queues.items[i].definition);
        free(l->queues.items[i].dead_letter_key);
        VEC_FREE(&l->queues.items[i].messages);
        VEC_FREE(&l->queues.items[i].placed);
    }
    VEC_FREE(&l->queues);
    VEC_FREE(&l->messages);
}

uint32_t ledger_publish(struct ledger *l, uint32_t queue, bool persistent)
{
    uint32_t index = (uint32_t)l->messages.len;
    struct ledger_queue *q = &l->queues.items[queue];
    VEC_PUSH(&l->messages, (struct ledger_message){.queue = queue, .persistent = persistent && q->durable});
    VEC_PUSH(&q->messages, index);
    return index;
}

uint32_t ledger_order(const struct ledger *l, uint32_t message)
{
    uint32_t most = l->queues.items[l->messages.items[message].queue].max_priority;
    uint32_t own = ledger_priority(message);
    return own < most ? own : most;
}

/* body: "sim!" | u32 index in the ledger, little endian | padding */
#define BODY_HEAD 8

struct message *ledger_body(const struct ledger *l, uint32_t message)
{
    static const uint8_t persistent_props[] = {0x10, 0x00, 2}; /* delivery-mode 2 */
    static const uint8_t no_props[] = {0x00, 0x00};
    const struct ledger_message *m = &l->messages.items[message];
    bool persistent = m->persistent;
    struct bytes props = persistent ? bytes_of(persistent_props, sizeof(persistent_props))
                                    : bytes_of(no_props, sizeof(no_props));
    size_t padding = ledger_bytes(message) - BODY_HEAD;
    const char *key = l->queues.items[m->queue].name;
    struct message *msg = message_create(bytes_str(""), bytes_str(key), props, NULL, BODY_HEAD + padding);
    uint8_t *body = message_body_space(msg);
    memcpy(body, "sim!", 4);
    for (unsigned i = 0; i < 4; i++)
        body[4 + i] = (uint8_t)(message >> (8 * i));
    memset(body + BODY_HEAD, (int)('a' + message % 26), padding);
    msg->persistent = persistent;
    msg->priority = ledger_priority(message);
    return msg;
}

bool ledger_which(const struct ledger *l, const struct message *m, uint32_t *out)
{
    struct bytes body = message_body(m);
    if (body.len < BODY_HEAD || memcmp(body.data, "sim!", 4) != 0)
        return false;
    uint32_t index = 0;
    for (unsigned i = 0; i < 4; i++)
        index |= (uint32_t)body.data[4 + i] << (8 * i);
    *out = index;
    return index < l->messages.len;
}

uint32_t ledger_queue_of(struct ledger *l, const char *name, uint64_t uid)
{
    for (size_t i = l->queues.len; i > 0; i--)
        if (l->queues.items[i - 1].uid == uid)
            return (uint32_t)(i - 1);
    bool auto_ack = false;
    for (size_t i = 0; i < l->queues.len; i++)
        auto_ack = auto_ack || (l->queues.items[i].auto_ack && strcmp(l->queues.items[i].name, name) == 0);
    VEC_PUSH(&l->queues, (struct ledger_queue){.name = xstrdup(name), .uid = uid, .auto_ack = auto_ack});
    return (uint32_t)(l->queues.len - 1);
}

void ledger_auto_ack(struct ledger *l, const char *name)
{
    for (size_t i = 0; i < l->queues.len; i++)
        if (strcmp(l->queues.items[i].name, name) == 0)
            l->queues.items[i].auto_ack = true;
}

const char *door_name(enum door d)
{
    switch (d) {
    case DOOR_NONE: return "no door";
    case DOOR_L1: return "L1";
    case DOOR_L2: return "L2";
    case DOOR_L3: return "L3";
    case DOOR_L4: return "L4";
    case DOOR_L5: return "L5";
    }
    return "?";
}
