/* rig.c: the rig's own workings. */
#include "tests/broker/rig.h"

#include <stdlib.h>

#include "wire/peer.h"

static const char *const names[RIG_NODES] = {"node1", "node2", "node3"};

amqp_bytes_t words(const char *s)
{
    return (amqp_bytes_t){.len = strlen(s), .bytes = (void *)(uintptr_t)s};
}

/* ---- nodes ---- */

static struct client *find(struct rig *r, uint64_t id)
{
    for (size_t i = 0; i < r->clients.len; i++)
        if (r->clients.items[i]->id == id)
            return r->clients.items[i];
    fail_msg("an effect for connection %llu, which nobody opened", (unsigned long long)id);
    return NULL;
}

static void append(struct wire_buffer *b, const void *data, size_t len)
{
    if (!len)
        return;
    memcpy(wire_space(b, len), data, len);
    b->len += len;
}

static void reply(struct client *c, const struct effect *fx)
{
    assert_false(c->closed); /* nothing is written after FX_CLOSE */
    size_t split = fx->u.client.msg ? fx->u.client.split : fx->u.client.data_len;
    append(&c->in, fx->u.client.data, split);
    if (fx->u.client.msg) {
        struct bytes body = message_body(fx->u.client.msg);
        append(&c->in, body.data, body.len);
    }
    append(&c->in, fx->u.client.data + split, fx->u.client.data_len - split);
}

static void post(struct rig *r, size_t node, const struct effect *fx)
{
    for (node_id to = 0; to < r->nodes_len; to++) {
        if (!node_in(fx->u.send.to, to) || !r->nodes[to])
            continue;
        struct rig_mail m = {.from = (node_id)node, .to = to};
        wire_encode_peer(fx->u.send.msg, &m.bytes);
        VEC_PUSH(&r->mail, m);
    }
}

void rig_perform(struct rig *r, size_t node, struct effects *fx)
{
    for (size_t i = 0; i < fx->len; i++) {
        struct effect *e = &fx->items[i];
        switch (e->type) {
        case FX_REPLY: reply(find(r, e->u.client.conn), e); break;
        case FX_CLOSE: find(r, e->u.client.conn)->closed = true; break;
        case FX_PAUSE:
            assert_false(find(r, e->u.client.conn)->paused);
            find(r, e->u.client.conn)->paused = true;
            r->pauses++;
            break;
        case FX_RESUME:
            assert_true(find(r, e->u.client.conn)->paused);
            find(r, e->u.client.conn)->paused = false;
            r->resumes++;
            break;
        case FX_SEND: post(r, node, e); break;
        case FX_PERSIST: r->persisted[node]++; break;
        case FX_SERVING: r->serving[node] = e->u.serving.on; break;
        case FX_ANSWER:
            assert_true(e->u.answer.req & REQ_HOST);
            if (r->answer) {
                effect_finish(r->answer);
                free(r->answer);
            }
            r->answer = xmalloc(sizeof(*e));
            *r->answer = *e;
            *e = (struct effect){.type = FX_EVENT};
            break;
        case FX_EVENT:
            r->told_len++;
            free(r->told);
            r->told = xstrdup(e->u.event.text ? e->u.event.text : "");
            break;
        case FX_STOPPED:
        case FX_RESTART: break;
        case FX_FAILED: fail_msg("the node failed: %s", e->u.failed.text); break;
        case FX_DELIVER:
        case FX_CONFIRM:
        case FX_CANCELLED:
        case FX_META:
        case FX_META_ALL:
        case FX_QUEUE_GONE:
        case FX_QUEUE_OPEN:
        case FX_DEAD_LETTER: fail_msg("effect %d came out of the broker", e->type); break;
        }
    }
    effects_free(fx);
}

void rig_step(struct rig *r, size_t node, struct event *ev)
{
    struct effects fx = {0};
    if (!r->nodes[node])
        return;
    ev->now = r->now;
    assert_int_equal(broker_step(r->nodes[node], ev, &fx), 0);
    if (!r->unchecked)
        mirror_check(broker_mirror(r->nodes[node]));
    rig_perform(r, node, &fx);
}

static void deliver_mail(struct rig *r, struct rig_mail *m)
{
    int err = 0;
    struct peer_msg *msg = wire_decode_peer(bytes_of(m->bytes.s, m->bytes.len), &err);
    assert_non_null(msg);
    rig_step(r, m->to, &(struct event){.type = EV_PEER_MESSAGE, .u.peer = {.node = m->from, .msg = msg}});
    peer_msg_destroy(msg);
}

void rig_run(struct rig *r)
{
    for (unsigned calm = 0, round = 0; calm < 2; round++) {
        assert_in_range(round, 0, 10000); /* it must come to rest */
        calm++;
        size_t len = r->hold_mail ? 0 : r->mail.len;
        for (size_t i = 0; i < len; i++) {
            struct rig_mail m = r->mail.items[i];
            if (r->nodes[m.to] && r->nodes[m.from])
                deliver_mail(r, &m);
            text_finish(&m.bytes);
            calm = 0;
        }
        if (len)
            memmove(r->mail.items, r->mail.items + len, (r->mail.len - len) * sizeof(*r->mail.items));
        r->mail.len -= len;
        for (size_t n = 0; n < r->nodes_len; n++) {
            uint64_t before = r->persisted[n];
            rig_step(r, n, &(struct event){.type = EV_TURN_END});
            if (!r->hold_disk)
                rig_step(r, n, &(struct event){.type = EV_DISK_DONE, .u.disk.persisted = r->persisted[n]});
            if (r->persisted[n] != before)
                calm = 0;
        }
    }
}

void rig_later(struct rig *r, ms_time ms)
{
    ms_time until = r->now + ms;
    for (;;) {
        ms_time next = until + 1;
        for (size_t n = 0; n < r->nodes_len; n++)
            if (r->nodes[n])
                next = u64_min(next, broker_deadline(r->nodes[n]));
        if (next > until)
            break;
        r->now = u64_max(r->now, next);
        for (size_t n = 0; n < r->nodes_len; n++)
            rig_step(r, n, &(struct event){.type = EV_TICK});
        rig_run(r);
    }
    r->now = until;
}

static void start(struct rig *r, size_t n)
{
    struct broker_options o;
    broker_options_defaults(&o);
    o.mirror.names = names;
    o.mirror.nodes_len = r->nodes_len;
    o.mirror.self = (node_id)n;
    o.mirror.incarnation = ++r->incarnation;
    o.mirror.seed = r->incarnation;
    if (r->table_bytes)
        o.mirror.table_bytes = r->table_bytes;
    r->nodes[n] = broker_create(&o);
    r->persisted[n] = 0;
    rig_step(r, n, &(struct event){.type = EV_START});
}

static void link_up(struct rig *r, size_t a, size_t b)
{
    rig_step(r, a, &(struct event){.type = EV_PEER_UP, .u.peer.node = (node_id)b});
    rig_step(r, b, &(struct event){.type = EV_PEER_UP, .u.peer.node = (node_id)a});
}

struct rig *rig_create(size_t nodes)
{
    return rig_create_with(nodes, 0);
}

struct rig *rig_create_with(size_t nodes, size_t table_bytes)
{
    struct rig *r = xcalloc(1, sizeof(*r));
    r->nodes_len = nodes;
    r->table_bytes = table_bytes;
    r->now = 1000;
    for (size_t n = 0; n < nodes; n++)
        start(r, n);
    for (size_t a = 0; a < nodes; a++)
        for (size_t b = a + 1; b < nodes; b++)
            link_up(r, a, b);
    rig_run(r);
    for (unsigned i = 0; i < 100 && !(r->serving[0] && r->serving[nodes - 1]); i++)
        rig_later(r, 100);
    for (size_t n = 0; n < nodes; n++)
        assert_true(r->serving[n]);
    return r;
}

void rig_destroy(struct rig *r)
{
    for (size_t n = 0; n < r->nodes_len; n++)
        broker_destroy(r->nodes[n]);
    for (size_t i = 0; i < r->clients.len; i++) {
        VEC_FREE(&r->clients.items[i]->in);
        text_finish(&r->clients.items[i]->line);
        text_finish(&r->clients.items[i]->props);
        free(r->clients.items[i]);
    }
    for (size_t i = 0; i < r->mail.len; i++)
        text_finish(&r->mail.items[i].bytes);
    if (r->answer)
        effect_finish(r->answer);
    free(r->answer);
    free(r->told);
    VEC_FREE(&r->clients);
    VEC_FREE(&r->mail);
    free(r);
}

void rig_kill(struct rig *r, size_t node)
{
    broker_destroy(r->nodes[node]);
    r->nodes[node] = NULL;
    for (size_t n = 0; n < r->nodes_len; n++)
        rig_step(r, n, &(struct event){.type = EV_PEER_DOWN, .u.peer.node = (node_id)node});
    rig_run(r);
    rig_later(r, 2000);
}

void rig_stop(struct rig *r, size_t node)
{
    rig_step(r, node, &(struct event){.type = EV_STOP});
    rig_run(r);
    rig_kill(r, node);
}

void rig_policy(struct rig *r, size_t node, const char *pattern, const char *definition)
{
    struct event ev = {.type = EV_SET_POLICY, .req = REQ_HOST | 1};
    ev.u.policy.name = "p";
    ev.u.policy.pattern = pattern;
    ev.u.policy.definition = definition;
    rig_step(r, node, &ev);
    rig_run(r);
    assert_int_equal(r->answer->u.answer.status, ANSWER_OK);
}

/* ---- clients ---- */

struct client *client_connect(struct rig *r, size_t node)
{
    struct client *c = xcalloc(1, sizeof(*c));
    c->rig = r;
    c->node = node;
    c->id = ++r->next_conn;
    VEC_PUSH(&r->clients, c);
    struct event ev = {.type = EV_CLIENT_OPEN};
    ev.u.client.conn = c->id;
    ev.u.client.peer_host = ev.u.client.local_host = "127.0.0.1";
    ev.u.client.peer_port = (uint16_t)(40000 + c->id);
    ev.u.client.local_port = 5672;
    ev.u.client.loopback = true;
    rig_step(r, node, &ev);
    return c;
}

static void hand_over(struct client *c, const uint8_t *data, size_t len)
{
    struct event ev = {.type = EV_CLIENT_DATA};
    ev.u.client.conn = c->id;
    /* a copy of exactly this size, so that the sanitizers see a byte read too far */
    uint8_t *copy = xmalloc(len);
    memcpy(copy, data, len);
    ev.u.client.data = bytes_of(copy, len);
    rig_step(c->rig, c->node, &ev);
    free(copy);
    rig_step(c->rig, c->node, &(struct event){.type = EV_CLIENT_DRAINED, .u.client.conn = c->id});
}

void client_send(struct client *c, const void *data, size_t len)
{
    size_t piece = c->rig->bytes_cut ? c->rig->bytes_cut : len;
    for (size_t at = 0; at < len; at += piece)
        hand_over(c, (const uint8_t *)data + at, len - at < piece ? len - at : piece);
    rig_run(c->rig);
}

void client_buffer(struct client *c, struct wire_buffer *b)
{
    client_send(c, b->items, b->len);
    b->len = 0;
}

void client_method(struct client *c, uint16_t channel, uint32_t method, void *decoded)
{
    struct wire_buffer b = {0};
    wire_put_method(&b, channel, method, decoded);
    client_buffer(c, &b);
    VEC_FREE(&b);
}

struct client *client_login(struct rig *r, size_t node, const char *user, const char *password,
                            const char *vhost, bool capabilities, uint16_t heartbeat_s, uint32_t frame_max,
                            uint16_t channel_max)
{
    struct client *c = client_connect(r, node);
    client_send(c, wire_protocol_header, 8);
    expect(c, "0: connection.start");
    amqp_table_entry_t can[] = {
        {.key = words("consumer_cancel_notify"),
         .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
        {.key = words("connection.blocked"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
        {.key = words("authentication_failure_close"),
         .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
    };
    amqp_table_entry_t property = {.key = words("capabilities"), .value = {.kind = AMQP_FIELD_KIND_TABLE}};
    property.value.value.table = (amqp_table_t){.num_entries = 3, .entries = can};
    struct text response = {0};
    text_add_bytes(&response, "", 1);
    text_add(&response, user);
    text_add_bytes(&response, "", 1);
    text_add(&response, password);
    client_method(c, 0, AMQP_CONNECTION_START_OK_METHOD,
                  &(amqp_connection_start_ok_t){
                      .client_properties = {.num_entries = capabilities, .entries = &property},
                      .mechanism = words("PLAIN"),
                      .response = {.len = response.len, .bytes = response.s},
                      .locale = words("en_US"),
                  });
    text_finish(&response);
    const char *line = client_read(c);
    if (!line || strcmp(line, "0: connection.tune 2047 131072 60") != 0) {
        if (line)
            c->in_at = 0; /* the caller wants to see it; start is before it */
        return c;
    }
    client_method(c, 0, AMQP_CONNECTION_TUNE_OK_METHOD,
                  &(amqp_connection_tune_ok_t){
                      .channel_max = channel_max, .frame_max = frame_max, .heartbeat = heartbeat_s});
    if (!c->closed && c->in_at == c->in.len)
        client_method(c, 0, AMQP_CONNECTION_OPEN_METHOD,
                      &(amqp_connection_open_t){.virtual_host = words(vhost)});
    return c;
}

struct client *client_open(struct rig *r, size_t node)
{
    struct client *c = client_login(r, node, "admin", "123", "/", true, 0, 131072, 2047);
    expect(c, "0: connection.open-ok");
    client_method(c, 1, AMQP_CHANNEL_OPEN_METHOD, &(amqp_channel_open_t){0});
    expect(c, "1: channel.open-ok");
    return c;
}

void client_hang_up(struct client *c)
{
    rig_step(c->rig, c->node, &(struct event){.type = EV_CLIENT_CLOSED, .u.client.conn = c->id});
    c->closed = true;
    rig_run(c->rig);
}

/* ---- reading ---- */

#define TEXT(b) (int)(b).len, (const char *)(b).bytes

static void say_method(struct text *t, uint32_t method, amqp_bytes_t arguments)
{
    amqp_pool_t pool;
    init_amqp_pool(&pool, 4096);
    void *d = NULL;
    assert_int_equal(amqp_decode_method(method, &pool, arguments, &d), AMQP_STATUS_OK);
    const char *name = amqp_method_name(method); /* AMQP_BASIC_GET_OK_METHOD */
    size_t len = strlen(name) - strlen("AMQP_") - strlen("_METHOD");
    bool dot = false;
    for (size_t i = 0; i < len; i++) {
        char letter = name[5 + i];
        char out = letter == '_' ? (dot ? '-' : '.') : (char)(letter | 0x20);
        dot = dot || letter == '_';
        text_add_bytes(t, &out, 1);
    }
    switch (method) {
    case AMQP_CONNECTION_TUNE_METHOD: {
        amqp_connection_tune_t *m = d;
        text_printf(t, " %u %u %u", m->channel_max, m->frame_max, m->heartbeat);
        break;
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
        amqp_connection_close_t *m = d;
        text_printf(t, " %u %.*s %u.%u", m->reply_code, TEXT(m->reply_text), m->class_id, m->method_id);
        break;
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
        amqp_channel_close_t *m = d;
        text_printf(t, " %u %.*s %u.%u", m->reply_code, TEXT(m->reply_text), m->class_id, m->method_id);
        break;
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_connection_blocked_t *)d)->reason));
        break;
    case AMQP_QUEUE_DECLARE_OK_METHOD: {
        amqp_queue_declare_ok_t *m = d;
        text_printf(t, " %.*s %u %u", TEXT(m->queue), m->message_count, m->consumer_count);
        break;
    }
    case AMQP_QUEUE_PURGE_OK_METHOD:
        text_printf(t, " %u", ((amqp_queue_purge_ok_t *)d)->message_count);
        break;
    case AMQP_QUEUE_DELETE_OK_METHOD:
        text_printf(t, " %u", ((amqp_queue_delete_ok_t *)d)->message_count);
        break;
    case AMQP_BASIC_CONSUME_OK_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_consume_ok_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_CANCEL_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_cancel_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_CANCEL_OK_METHOD:
        text_printf(t, " %.*s", TEXT(((amqp_basic_cancel_ok_t *)d)->consumer_tag));
        break;
    case AMQP_BASIC_DELIVER_METHOD: {
        amqp_basic_deliver_t *m = d;
        text_printf(t, " %.*s %llu%s", TEXT(m->consumer_tag), (unsigned long long)m->delivery_tag,
                    m->redelivered ? " redelivered" : "");
        break;
    }
    case AMQP_BASIC_GET_OK_METHOD: {
        amqp_basic_get_ok_t *m = d;
        text_printf(t, " %llu%s left %u", (unsigned long long)m->delivery_tag,
                    m->redelivered ? " redelivered" : "", m->message_count);
        break;
    }
    case AMQP_BASIC_RETURN_METHOD: {
        amqp_basic_return_t *m = d;
        text_printf(t, " %u %.*s", m->reply_code, TEXT(m->reply_text));
        break;
    }
    case AMQP_BASIC_ACK_METHOD: {
        amqp_basic_ack_t *m = d;
        text_printf(t, " %llu%s", (unsigned long long)m->delivery_tag, m->multiple ? " multiple" : "");
        break;
    }
    case AMQP_BASIC_NACK_METHOD: {
        amqp_basic_nack_t *m = d;
        text_printf(t, " %llu%s", (unsigned long long)m->delivery_tag, m->multiple ? " multiple" : "");
        break;
    }
    default: break;
    }
    empty_amqp_pool(&pool);
}

/* A method's line; for one that carries a message, its body follows in the same line. */
const char *client_read(struct client *c)
{
    text_clear(&c->line);
    uint64_t body_left = 0;
    bool want_header = false;
    while (c->in_at < c->in.len) {
        struct bytes rest = bytes_of(c->in.items + c->in_at, c->in.len - c->in_at);
        if (rest.len >= 8 && memcmp(rest.data, "AMQP", 4) == 0) {
            c->in_at += 8;
            text_add(&c->line, "protocol header");
            return c->line.s;
        }
        struct wire_frame f;
        int64_t len = wire_amqp_frame(rest, LIMIT_FRAME_MAX, &f);
        assert_true(len > 0); /* whole frames come out */
        c->in_at += (size_t)len;
        if (f.type == WIRE_FRAME_HEARTBEAT) {
            text_add(&c->line, "heartbeat");
            return c->line.s;
        }
        if (f.type == WIRE_FRAME_METHOD) {
            assert_true(body_left == 0 && !want_header);
            uint32_t method = wire_get32(f.payload.data);
            text_printf(&c->line, "%u: ", f.channel);
            say_method(
                &c->line, method,
                (amqp_bytes_t){.len = f.payload.len - 4, .bytes = (void *)(uintptr_t)(f.payload.data + 4)});
            if (method != AMQP_BASIC_DELIVER_METHOD && method != AMQP_BASIC_GET_OK_METHOD &&
                method != AMQP_BASIC_RETURN_METHOD)
                return c->line.s;
            want_header = true;
            continue;
        }
        if (f.type == WIRE_FRAME_HEADER) {
            struct wire_header h;
            assert_true(want_header);
            assert_int_equal(wire_get_header(f.payload, &h), 0);
            text_clear(&c->props);
            text_add_bytes(&c->props, h.props.data, h.props.len);
            want_header = false;
            body_left = h.body_size;
            text_add(&c->line, body_left > 100 ? "" : " ");
            if (body_left > 100)
                text_printf(&c->line, " (%llu octets)", (unsigned long long)body_left);
        } else {
            assert_true(body_left >= f.payload.len);
            if (body_left <= 100 && c->line.s[c->line.len - 1] != ')')
                text_add_bytes(&c->line, f.payload.data, f.payload.len);
            body_left -= f.payload.len;
        }
        if (body_left == 0)
            return c->line.s;
    }
    assert_true(body_left == 0 && !want_header);
    return NULL;
}

void client_drain(struct client *c)
{
    while (client_read(c))
        ;
}

void expect_at(struct client *c, const char *line, const char *file, int at)
{
    const char *got = client_read(c);
    size_t len = line ? strlen(line) : 0;
    bool same =
        line && got && (len && line[len - 1] == '*' ? strncmp(line, got, len - 1) == 0 : !strcmp(line, got));
    if (same || (!line && !got))
        return;
    print_error("expected: %s\ncame:     %s\n", line ? line : "(nothing)", got ? got : "(nothing)");
    _fail(file, at);
}

/* ---- writing ---- */

void client_declare(struct client *c, uint16_t channel, const char *queue, bool durable)
{
    client_method(c, channel, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words(queue), .durable = durable});
}

#define ARGUMENTS_MAX 8

void client_declare_with(struct client *c, uint16_t channel, const char *queue, bool durable,
                         const char *arguments)
{
    amqp_table_entry_t entries[ARGUMENTS_MAX];
    amqp_table_t table = {.entries = entries};
    char *copy = xstrdup(arguments), *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '='), *end;
        assert_non_null(value);
        *value++ = '\0';
        long long number = strtoll(value, &end, 10);
        amqp_field_value_t v = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words(value)};
        if (*value && !*end)
            v = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = number};
        else if (strcmp(value, "true") == 0)
            v = (amqp_field_value_t){.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1};
        assert_true(table.num_entries < ARGUMENTS_MAX);
        entries[table.num_entries++] = (amqp_table_entry_t){.key = words(word), .value = v};
    }
    client_method(c, channel, AMQP_QUEUE_DECLARE_METHOD,
                  &(amqp_queue_declare_t){.queue = words(queue), .durable = durable, .arguments = table});
    free(copy);
}

void client_declare_exchange(struct client *c, uint16_t channel, const char *name, const char *type)
{
    client_method(c, channel, AMQP_EXCHANGE_DECLARE_METHOD,
                  &(amqp_exchange_declare_t){.exchange = words(name), .type = words(type)});
}

void client_bind(struct client *c, uint16_t channel, const char *queue, const char *exchange, const char *key)
{
    client_method(
        c, channel, AMQP_QUEUE_BIND_METHOD,
        &(amqp_queue_bind_t){.queue = words(queue), .exchange = words(exchange), .routing_key = words(key)});
}

void client_get(struct client *c, uint16_t channel, const char *queue)
{
    client_method(c, channel, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words(queue)});
}

void client_consume(struct client *c, uint16_t channel, const char *queue, const char *tag, bool no_ack)
{
    client_method(
        c, channel, AMQP_BASIC_CONSUME_METHOD,
        &(amqp_basic_consume_t){.queue = words(queue), .consumer_tag = words(tag), .no_ack = no_ack});
}

void client_qos(struct client *c, uint16_t channel, uint16_t count, bool global)
{
    client_method(c, channel, AMQP_BASIC_QOS_METHOD,
                  &(amqp_basic_qos_t){.prefetch_count = count, .global = global});
}

void client_ack(struct client *c, uint16_t channel, uint64_t tag, bool multiple)
{
    client_method(c, channel, AMQP_BASIC_ACK_METHOD,
                  &(amqp_basic_ack_t){.delivery_tag = tag, .multiple = multiple});
}

void client_nack(struct client *c, uint16_t channel, uint64_t tag, bool multiple, bool requeue)
{
    client_method(c, channel, AMQP_BASIC_NACK_METHOD,
                  &(amqp_basic_nack_t){.delivery_tag = tag, .multiple = multiple, .requeue = requeue});
}

void client_confirm(struct client *c, uint16_t channel)
{
    client_method(c, channel, AMQP_CONFIRM_SELECT_METHOD, &(amqp_confirm_select_t){0});
    client_drain(c);
}

void put_publish(struct wire_buffer *b, uint16_t channel, const char *exchange, const char *key,
                 const void *body, size_t len, bool mandatory, const amqp_basic_properties_t *properties)
{
    wire_put_method(b, channel, AMQP_BASIC_PUBLISH_METHOD,
                    &(amqp_basic_publish_t){
                        .exchange = words(exchange), .routing_key = words(key), .mandatory = mandatory});
    uint8_t props[4096] = {0, 0};
    size_t props_len = 2;
    if (properties) {
        int n = amqp_encode_properties(AMQP_BASIC_CLASS, (void *)(uintptr_t)properties,
                                       (amqp_bytes_t){.len = sizeof(props), .bytes = props});
        assert_true(n > 0);
        props_len = (size_t)n;
    }
    wire_put_header(b, channel, len, bytes_of(props, props_len));
    wire_put_body(b, channel, bytes_of(body, len), LIMIT_FRAME_MAX);
}

void client_publish_as(struct client *c, uint16_t channel, const char *exchange, const char *key,
                       const void *body, size_t len, bool mandatory,
                       const amqp_basic_properties_t *properties)
{
    struct wire_buffer b = {0};
    put_publish(&b, channel, exchange, key, body, len, mandatory, properties);
    client_buffer(c, &b);
    VEC_FREE(&b);
}

void client_publish(struct client *c, uint16_t channel, const char *exchange, const char *key,
                    const char *body)
{
    client_publish_as(c, channel, exchange, key, body, strlen(body), false, NULL);
}
