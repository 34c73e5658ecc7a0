/* fuzz_amqp.c: a client that says anything (make fuzz): the bytes become frames of one connection to a broker
 * without sockets (tests/broker/rig.h), and another client must be served on. The first byte chooses: bytes
 * as they are, from the connection's start; or frames with right lengths and ends behind an opened channel,
 * as
 *
 *     kind (type or one of the methods below), channel, length, payload... */
#include "tests/broker/rig.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint32_t methods[] = {
    AMQP_CHANNEL_OPEN_METHOD,    AMQP_CHANNEL_CLOSE_METHOD,    AMQP_CHANNEL_CLOSE_OK_METHOD,
    AMQP_CHANNEL_FLOW_METHOD,    AMQP_EXCHANGE_DECLARE_METHOD, AMQP_EXCHANGE_DELETE_METHOD,
    AMQP_EXCHANGE_BIND_METHOD,   AMQP_EXCHANGE_UNBIND_METHOD,  AMQP_QUEUE_DECLARE_METHOD,
    AMQP_QUEUE_BIND_METHOD,      AMQP_QUEUE_UNBIND_METHOD,     AMQP_QUEUE_DELETE_METHOD,
    AMQP_QUEUE_PURGE_METHOD,     AMQP_BASIC_QOS_METHOD,        AMQP_BASIC_CONSUME_METHOD,
    AMQP_BASIC_CANCEL_METHOD,    AMQP_BASIC_PUBLISH_METHOD,    AMQP_BASIC_GET_METHOD,
    AMQP_BASIC_ACK_METHOD,       AMQP_BASIC_REJECT_METHOD,     AMQP_BASIC_NACK_METHOD,
    AMQP_BASIC_RECOVER_METHOD,   AMQP_CONFIRM_SELECT_METHOD,   AMQP_TX_SELECT_METHOD,
    AMQP_CONNECTION_OPEN_METHOD, AMQP_CONNECTION_CLOSE_METHOD, AMQP_CONNECTION_CLOSE_OK_METHOD,
};

enum { KIND_HEADER = 200, KIND_BODY, KIND_HEARTBEAT, KIND_LATER, KIND_ANY_METHOD };

static void add_frame(struct text *out, uint8_t type, uint8_t channel, const void *head, size_t head_len,
                      const uint8_t *data, size_t len)
{
    size_t size = head_len + len;
    const uint8_t start[7] = {type, 0, channel, 0, 0, (uint8_t)(size >> 8), (uint8_t)size};
    text_add_bytes(out, start, sizeof(start));
    text_add_bytes(out, head, head_len);
    text_add_bytes(out, data, len);
    text_add_bytes(out, &(uint8_t){WIRE_FRAME_END}, 1);
}

static void speak(struct client *c, const uint8_t *data, size_t len)
{
    struct text out = {0};
    while (len >= 3) {
        uint8_t kind = data[0], channel = data[1] & 3;
        size_t size = data[2] < len - 3 ? data[2] : len - 3;
        const uint8_t *payload = data + 3;
        uint32_t method = methods[kind % ARRAY_LEN(methods)];
        const uint8_t head[4] = {(uint8_t)(method >> 24), (uint8_t)(method >> 16), (uint8_t)(method >> 8),
                                 (uint8_t)method};
        if (kind == KIND_HEADER)
            add_frame(&out, 2, channel, "\0\74", 2, payload, size); /* of class basic */
        else if (kind == KIND_BODY)
            add_frame(&out, 3, channel, "", 0, payload, size);
        else if (kind == KIND_HEARTBEAT)
            add_frame(&out, 8, 0, "", 0, payload, size);
        else if (kind == KIND_ANY_METHOD)
            add_frame(&out, 1, channel, "", 0, payload, size);
        else
            add_frame(&out, 1, channel, head, sizeof(head), payload, size);
        if (kind == KIND_LATER) {
            text_clear(&out);
            rig_later(c->rig, 1 + 10 * (ms_time)size);
        } else {
            client_send(c, out.s, out.len);
            text_clear(&out);
        }
        data += 3 + size;
        len -= 3 + size;
    }
    text_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct rig *r = rig_create(1);
    struct client *bystander = client_open(r, 0);
    client_declare(bystander, 1, "steady", false);
    client_drain(bystander);

    struct client *c = data[0] % 2 ? client_open(r, 0) : client_connect(r, 0);
    if (data[0] % 2) {
        speak(c, data + 1, len - 1);
    } else {
        client_send(c, wire_protocol_header, sizeof(wire_protocol_header));
        client_send(c, data + 1, len - 1);
    }
    client_drain(c); /* whatever it was told is whole frames */
    client_hang_up(c);

    client_drain(bystander);
    ASSERT(!bystander->closed);
    client_declare(bystander, 1, "still-served", false);
    ASSERT(client_read(bystander));
    rig_destroy(r);
    return 0;
}
