/* test_dead_letter.c: what a queue gives up goes on through its dead letter exchange, and its headers tell
 * the story. The headers expected here are RabbitMQ 3.10.8's, with their order and types as it sent them. */
#include "tests/broker/rig.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    *state = rig_create(1);
    return 0;
}

static int three(void **state)
{
    *state = rig_create(3);
    return 0;
}

static int teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* ---- a message's headers as text: key=type value; times are left out ---- */

static void say_table(struct text *t, const amqp_table_t *table);

static void say_value(struct text *t, const amqp_field_value_t *v)
{
    text_printf(t, "%c", v->kind);
    switch (v->kind) {
    case AMQP_FIELD_KIND_UTF8:
        text_printf(t, "'%.*s'", (int)v->value.bytes.len, (const char *)v->value.bytes.bytes);
        break;
    case AMQP_FIELD_KIND_I32: text_printf(t, "%d", v->value.i32); break;
    case AMQP_FIELD_KIND_I64: text_printf(t, "%lld", (long long)v->value.i64); break;
    case AMQP_FIELD_KIND_TABLE: say_table(t, &v->value.table); break;
    case AMQP_FIELD_KIND_ARRAY:
        text_add(t, "[");
        for (int i = 0; i < v->value.array.num_entries; i++) {
            text_add(t, i ? " " : "");
            say_value(t, &v->value.array.entries[i]);
        }
        text_add(t, "]");
        break;
    default: break;
    }
}

static void say_table(struct text *t, const amqp_table_t *table)
{
    text_add(t, "{");
    for (int i = 0; i < table->num_entries; i++) {
        const amqp_table_entry_t *e = &table->entries[i];
        text_printf(t, "%s%.*s=", i ? " " : "", (int)e->key.len, (const char *)e->key.bytes);
        say_value(t, &e->value);
    }
    text_add(t, "}");
}

/* the properties of the last message that the client read */
static amqp_basic_properties_t *properties(struct client *c, amqp_pool_t *pool)
{
    void *decoded = NULL;
    amqp_bytes_t in = {.len = c->props.len, .bytes = c->props.s};
    init_amqp_pool(pool, 4096);
    assert_true(amqp_decode_properties(AMQP_BASIC_CLASS, pool, in, &decoded) >= 0);
    return decoded;
}

#define headers(c, wanted)                                                                                   \
    do {                                                                                                     \
        amqp_pool_t pool_;                                                                                   \
        struct text said_ = {0};                                                                             \
        const amqp_basic_properties_t *p_ = properties((c), &pool_);                                         \
        assert_true(p_->_flags &AMQP_BASIC_HEADERS_FLAG);                                                    \
        say_table(&said_, &p_->headers);                                                                     \
        assert_string_equal(text_str(&said_), (wanted));                                                     \
        text_finish(&said_);                                                                                 \
        empty_amqp_pool(&pool_);                                                                             \
    } while (0)

/* ---- words for the conversations ---- */

static void declare(struct client *c, const char *queue, const char *arguments)
{
    client_declare_with(c, 1, queue, false, arguments);
    client_drain(c);
}

/* takes the next of the queue; the line must read so, and where it came through is checked by get_from */
static void get(struct client *c, const char *queue, const char *line)
{
    client_method(c, 1, AMQP_BASIC_GET_METHOD, &(amqp_basic_get_t){.queue = words(queue), .no_ack = 1});
    expect(c, line);
}

static void publish_for(struct client *c, const char *queue, const char *body, const char *expiration)
{
    client_publish_as(
        c, 1, "", queue, body, strlen(body), false,
        &(amqp_basic_properties_t){._flags = AMQP_BASIC_EXPIRATION_FLAG, .expiration = words(expiration)});
}

/* gets one and rejects it for good; *tag counts the client's deliveries */
static void reject(struct client *c, const char *queue, uint64_t *tag)
{
    client_get(c, 1, queue);
    const char *line = client_read(c);
    assert_non_null(line);
    assert_non_null(strstr(line, "get-ok"));
    client_nack(c, 1, ++*tag, false, false);
}

/* ---- */

static void a_rejected_message_goes_on(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    uint64_t tag = 0;
    declare(c, "dl", "");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=dl");
    amqp_table_entry_t entries[] = {
        {.key = words("zz"), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("1")}},
        {.key = words("aa"), .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 5}}};
    amqp_basic_properties_t p = {._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_EXPIRATION_FLAG |
                                           AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG |
                                           AMQP_BASIC_MESSAGE_ID_FLAG,
                                 .headers = {.num_entries = 2, .entries = entries},
                                 .expiration = words("50000"),
                                 .delivery_mode = 2,
                                 .priority = 3,
                                 .message_id = words("id7")};
    client_publish_as(c, 1, "", "a", "m", 1, false, &p);
    reject(c, "a", &tag);
    get(c, "dl", "1: basic.get-ok 2 left 0 m");
    headers(c, "{aa=I5 x-death=A[F{count=l1 reason=S'rejected' queue=S'a' time=T exchange=S'' "
               "routing-keys=A[S'a'] original-expiration=S'50000'}] x-first-death-exchange=S'' "
               "x-first-death-queue=S'a' x-first-death-reason=S'rejected' zz=S'1'}");
    amqp_pool_t pool;
    const amqp_basic_properties_t *got = properties(c, &pool);
    assert_false(got->_flags & AMQP_BASIC_EXPIRATION_FLAG); /* it lives for ever now */
    assert_int_equal(got->delivery_mode, 2);
    assert_int_equal(got->priority, 3);
    assert_int_equal(got->message_id.len, 3);
    empty_amqp_pool(&pool);
    rig_later(r, 100000);
    get(c, "a", "1: basic.get-empty");
}

static void an_expired_one_keeps_its_key(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    client_declare_exchange(c, 1, "dlx", "topic");
    declare(c, "dl", "");
    declare(c, "a", "x-dead-letter-exchange=dlx x-message-ttl=50");
    client_bind(c, 1, "dl", "dlx", "a");
    client_drain(c);
    client_publish(c, 1, "", "a", "m1");
    publish_for(c, "a", "m2", "20");
    rig_later(r, 100);
    get(c, "dl", "1: basic.get-ok 1 left 1 m1");
    headers(c, "{x-death=A[F{count=l1 reason=S'expired' queue=S'a' time=T exchange=S'' "
               "routing-keys=A[S'a']}] x-first-death-exchange=S'' x-first-death-queue=S'a' "
               "x-first-death-reason=S'expired'}");
    get(c, "dl", "1: basic.get-ok 2 left 0 m2");
    headers(c, "{x-death=A[F{count=l1 reason=S'expired' queue=S'a' time=T exchange=S'' "
               "routing-keys=A[S'a'] original-expiration=S'20'}] x-first-death-exchange=S'' "
               "x-first-death-queue=S'a' x-first-death-reason=S'expired'}");
}

static void one_too_many_goes_on(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "dl", "");
    declare(c, "head", "x-dead-letter-exchange= x-dead-letter-routing-key=dl x-max-length=1");
    client_confirm(c, 1);
    client_publish(c, 1, "", "head", "m1");
    client_publish(c, 1, "", "head", "m2");
    expect(c, "1: basic.ack 1");
    expect(c, "1: basic.ack 2");
    get(c, "dl", "1: basic.get-ok 1 left 0 m1");
    headers(c, "{x-death=A[F{count=l1 reason=S'maxlen' queue=S'head' time=T exchange=S'' "
               "routing-keys=A[S'head']}] x-first-death-exchange=S'' x-first-death-queue=S'head' "
               "x-first-death-reason=S'maxlen'}");
    declare(
        c, "new",
        "x-dead-letter-exchange= x-dead-letter-routing-key=dl x-max-length=1 x-overflow=reject-publish-dlx");
    client_publish(c, 1, "", "new", "n1");
    client_publish(c, 1, "", "new", "n2");
    expect(c, "1: basic.ack 3");
    expect(c, "1: basic.nack 4"); /* refused, and dead-lettered */
    get(c, "dl", "1: basic.get-ok 2 left 0 n2");
    get(c, "new", "1: basic.get-ok 3 left 0 n1");
}

static void the_story_grows(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    uint64_t tag = 0;
    declare(c, "b", "x-dead-letter-exchange= x-dead-letter-routing-key=a x-message-ttl=50");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=b");
    client_publish(c, 1, "", "a", "m");
    reject(c, "a", &tag);
    rig_later(r, 60); /* in a circle, with a rejection in it: it may go round again */
    reject(c, "a", &tag);
    headers(c, "{x-death=A[F{count=l1 exchange=S'' queue=S'b' reason=S'expired' routing-keys=A[S'b'] time=T} "
               "F{count=l1 reason=S'rejected' queue=S'a' time=T exchange=S'' routing-keys=A[S'a']}] "
               "x-first-death-exchange=S'' x-first-death-queue=S'a' x-first-death-reason=S'rejected'}");
    rig_later(r, 60);
    get(c, "a", "1: basic.get-ok 3 left 0 m");
    headers(c, "{x-death=A[F{count=l2 exchange=S'' queue=S'b' reason=S'expired' routing-keys=A[S'b'] time=T} "
               "F{count=l2 exchange=S'' queue=S'a' reason=S'rejected' routing-keys=A[S'a'] time=T}] "
               "x-first-death-exchange=S'' x-first-death-queue=S'a' x-first-death-reason=S'rejected'}");
}

static void a_circle_without_rejection_ends(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "b", "x-dead-letter-exchange= x-dead-letter-routing-key=a x-message-ttl=50");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=b x-message-ttl=50");
    declare(c, "self", "x-dead-letter-exchange= x-dead-letter-routing-key=self x-max-length=1");
    client_publish(c, 1, "", "a", "m");
    rig_later(r, 60);
    get(c, "b", "1: basic.get-ok 1 left 0 m");
    client_publish(c, 1, "", "a", "m");
    rig_later(r, 200);
    get(c, "a", "1: basic.get-empty");
    get(c, "b", "1: basic.get-empty");
    client_publish(c, 1, "", "self", "m1");
    client_publish(c, 1, "", "self", "m2");
    get(c, "self", "1: basic.get-ok 2 left 0 m2");
    get(c, "self", "1: basic.get-empty");
}

static void a_circle_ends_only_where_it_closes(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    client_declare_exchange(c, 1, "x", "fanout");
    declare(c, "a", "x-dead-letter-exchange=x x-message-ttl=50");
    declare(c, "other", "");
    client_bind(c, 1, "a", "x", "");
    client_bind(c, 1, "other", "x", "");
    client_drain(c);
    client_publish(c, 1, "", "a", "m");
    rig_later(r, 200);
    get(c, "a", "1: basic.get-empty");
    get(c, "other", "1: basic.get-ok 1 left 0 m");
}

static void a_story_that_is_none_begins_again(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "dl", "");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=dl x-message-ttl=50");
    amqp_table_entry_t e = {.key = words("x-death"),
                            .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("hello")}};
    client_publish_as(c, 1, "", "a", "m", 1, false,
                      &(amqp_basic_properties_t){._flags = AMQP_BASIC_HEADERS_FLAG,
                                                 .headers = {.num_entries = 1, .entries = &e}});
    rig_later(r, 60);
    get(c, "dl", "1: basic.get-ok 1 left 0 m");
    headers(c, "{x-death=A[F{count=l1 reason=S'expired' queue=S'a' time=T exchange=S'' "
               "routing-keys=A[S'a']}]}");
}

static void copies_lose_their_key_with_a_new_one(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "dl", "");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=dl x-message-ttl=50");
    amqp_field_value_t key = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = words("k1")};
    amqp_table_entry_t e = {
        .key = words("CC"),
        .value = {.kind = AMQP_FIELD_KIND_ARRAY, .value.array = {.num_entries = 1, .entries = &key}}};
    client_publish_as(c, 1, "", "a", "m", 1, false,
                      &(amqp_basic_properties_t){._flags = AMQP_BASIC_HEADERS_FLAG,
                                                 .headers = {.num_entries = 1, .entries = &e}});
    rig_later(r, 60);
    get(c, "dl", "1: basic.get-ok 1 left 0 m");
    headers(c, "{x-death=A[F{count=l1 reason=S'expired' queue=S'a' time=T exchange=S'' "
               "routing-keys=A[S'a' S'k1']}] x-first-death-exchange=S'' x-first-death-queue=S'a' "
               "x-first-death-reason=S'expired'}");
}

static void without_an_exchange_it_is_gone(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    uint64_t tag = 0;
    declare(c, "a", "x-dead-letter-exchange=nonesuch x-message-ttl=50");
    client_publish(c, 1, "", "a", "m1");
    rig_later(r, 60);
    client_publish(c, 1, "", "a", "m2");
    reject(c, "a", &tag);
    get(c, "a", "1: basic.get-empty");
}

static void purge_delete_and_expiry_of_a_queue_are_no_deaths(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "dl", "");
    declare(c, "a", "x-dead-letter-exchange= x-dead-letter-routing-key=dl x-expires=300");
    client_publish(c, 1, "", "a", "m1");
    client_method(c, 1, AMQP_QUEUE_PURGE_METHOD, &(amqp_queue_purge_t){.queue = words("a")});
    expect(c, "1: queue.purge-ok 1");
    client_publish(c, 1, "", "a", "m2");
    rig_later(r, 1000);
    assert_null(mirror_find_queue(broker_mirror(r->nodes[0]), "a"));
    get(c, "dl", "1: basic.get-empty");
}

static void argument_before_policy_one_by_one(void **state)
{
    struct rig *r = *state;
    struct client *c = client_open(r, 0);
    declare(c, "dl", "");
    declare(c, "q1", "x-dead-letter-exchange=");
    rig_policy(r, 0, "^q", "{\"dead-letter-exchange\":\"elsewhere\",\"dead-letter-routing-key\":\"dl\"}");
    publish_for(c, "q1", "m", "10");
    rig_later(r, 20);
    get(c, "dl", "1: basic.get-ok 1 left 0 m");
    declare(c, "q2", "");
    for (unsigned i = 0; i < 4; i++)
        client_publish(c, 1, "", "q2", "n");
    rig_policy(r, 0, "^q",
               "{\"max-length\":1,\"dead-letter-exchange\":\"\",\"dead-letter-routing-key\":\"dl\"}");
    get(c, "dl", "1: basic.get-ok 2 left 2 n"); /* what the new limit drops goes there, too */
}

static void across_nodes_and_a_failover(void **state)
{
    struct rig *r = *state;
    rig_policy(r, 0, "^m", "{\"ha-mode\":\"all\"}");
    struct client *c = client_open(r, 1), *k = client_open(r, 2);
    client_declare_exchange(k, 1, "dlx", "fanout");
    declare(k, "dl", "");
    declare(k, "m-dl", "");
    client_bind(k, 1, "dl", "dlx", "");
    client_bind(k, 1, "m-dl", "dlx", "");
    client_drain(k);
    struct client *first = client_open(r, 0);
    declare(first, "m", "x-dead-letter-exchange=dlx x-message-ttl=60000");
    client_publish(c, 1, "", "m", "m1");
    uint64_t tag = 0;
    reject(k, "m", &tag);
    get(k, "dl", "1: basic.get-ok 2 left 0 m1");
    get(c, "m-dl", "1: basic.get-ok 1 left 0 m1");
    client_publish(c, 1, "", "m", "m2");
    rig_kill(r, 0);
    rig_later(r, 60000);
    get(c, "m", "1: basic.get-empty");
    get(k, "dl", "1: basic.get-ok 3 left 0 m2"); /* once: the new master gave it up */
    get(c, "m-dl", "1: basic.get-ok 2 left 0 m2");
    get(c, "m-dl", "1: basic.get-empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_rejected_message_goes_on),
        T(an_expired_one_keeps_its_key),
        T(one_too_many_goes_on),
        T(the_story_grows),
        T(a_circle_without_rejection_ends),
        T(a_circle_ends_only_where_it_closes),
        T(a_story_that_is_none_begins_again),
        T(copies_lose_their_key_with_a_new_one),
        T(without_an_exchange_it_is_gone),
        T(purge_delete_and_expiry_of_a_queue_are_no_deaths),
        T(argument_before_policy_one_by_one),
        cmocka_unit_test_setup_teardown(across_nodes_and_a_failover, three, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
