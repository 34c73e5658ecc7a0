/* scenario_consumer.c: a consumer whose queue's master goes: told so if it asked for it, else served on. The
 * queue is on node1 (A) and node2 (B), the consumer on B, the publisher on node3 (C). */
#include "tests/cluster/account.h"
#include "tests/cluster/scenario.h"

#include <stdio.h>

enum { A = 1, B = 2, C = 3, MESSAGES = 4000, BEFORE = 500, PREFETCH = 50 };

static struct lab lab;
static struct account account;

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int teardown(void **state)
{
    (void)state;
    return test_lab_down(&lab);
}

static void publish_numbered(struct user *u, const char *queue, unsigned count)
{
    struct user_news news;
    unsigned sent = account_sums(&account, 0).sent, confirmed = 0;
    uint64_t low = sent + 1; /* a tag is a number here: one channel publishes all */
    for (unsigned i = 0; i < count; i++) {
        uint32_t number = 0;
        char body[32];
        account_publish(&account, 0, &number, C, 1, i % 2);
        snprintf(body, sizeof(body), "%u", number);
        assert_user(user_publish(u, queue, body, i % 2, false), u);
    }
    while (confirmed < count) {
        assert_user(user_await(u, USER_ACK, USER_WAIT_MS, &news), u);
        for (uint64_t tag = news.multiple ? low : news.tag; tag <= news.tag; tag++)
            account_confirm(&account, 0, (uint32_t)tag, false);
        confirmed = account_sums(&account, 0).confirmed - sent;
    }
}

struct consumer {
    struct user user;
    const char *queue;
    bool cancelled; /* it asks for basic.cancel */
    unsigned cancels, held;
};

static void subscribe(struct consumer *c)
{
    struct user_consumer how = {.queue = c->queue, .prefetch = PREFETCH, .cancel_on_failover = c->cancelled};
    assert_user(user_consume(&c->user, how), &c->user);
    c->held = 0;
}

/* Consumes until so many different messages have come; acknowledges by tens. */
static void consume(struct consumer *c, unsigned wanted)
{
    while (account_sums(&account, 0).seen < wanted) {
        struct user_news news = user_next(&c->user, USER_WAIT_MS);
        unsigned number = 0;
        if (news.event == USER_CANCEL) {
            c->cancels++;
            subscribe(c);
            continue;
        }
        if (news.event != USER_DELIVERY)
            fail_msg("event %d after %u messages: %s", (int)news.event, account_sums(&account, 0).seen,
                     c->user.error);
        assert_int_equal(sscanf(news.body, "%u", &number), 1);
        account_deliver(&account, 0, number, number, news.redelivered);
        assert_string_equal(account.broken, "");
        if (++c->held == 10) {
            assert_user(user_ack(&c->user, news.tag, true), &c->user);
            c->held = 0;
        }
    }
}

static void story(const char *queue, bool cancelled)
{
    set_policy(
        &lab, A, queue,
        "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node2@localhost\"],\"ha-sync-mode\":"
        "\"automatic\"}");
    declare(&lab, A, queue);
    assert_placed(&lab, C, queue, A, ON(B), ON(B));
    account_init(&account, &queue, 1);

    struct user publisher = {0};
    struct consumer consumer = {.queue = queue, .cancelled = cancelled};
    assert_user(user_open(&publisher, &lab, C) && user_confirms(&publisher), &publisher);
    assert_user(user_open(&consumer.user, &lab, B), &consumer.user);
    publish_numbered(&publisher, queue, MESSAGES / 2);
    subscribe(&consumer);
    consume(&consumer, BEFORE + 5); /* five or more are delivered and not acknowledged */
    assert_int_equal(consumer.cancels, 0);

    stop_node(&lab, A);
    assert_placed(&lab, C, queue, B, 0, 0);
    publish_numbered(&publisher, queue, MESSAGES / 2);
    consume(&consumer, MESSAGES);
    assert_int_equal(consumer.cancels, cancelled ? 1 : 0);
    struct account_sums s = account_sums(&account, 0);
    assert_int_equal(s.missing, 0);
    assert_true(s.redelivered >= 5); /* what was not acknowledged came again, flagged */
    user_drop(&publisher);
    user_drop(&consumer.user);
    account_finish(&account);
    start_node(&lab, A);
}

/* ---- 10, 11 -------------------------------------------------------------------------------------------- */

static void who_asked_for_it_is_cancelled_and_subscribes_again(void **state)
{
    (void)state;
    story("cancelled", true);
}

static void who_did_not_is_served_on(void **state)
{
    (void)state;
    story("served", false);
}

/* ---- an exclusive one ---- */

struct tag {
    const char *queue, *wanted; /* NULL: nobody's */
};

static bool names_its_consumer(void *arg)
{
    const struct tag *t = arg;
    json_t *q = lab_queue(&lab, C, t->queue);
    const char *is = json_string_value(json_object_get(q, "exclusive_consumer_tag"));
    bool same = q && (t->wanted ? is && strcmp(is, t->wanted) == 0 : is == NULL);
    json_decref(q);
    return same;
}

static void assert_exclusive_consumer(const char *queue, const char *tag)
{
    if (!wait_until(names_its_consumer, &(struct tag){queue, tag}, 60000))
        fail_msg("%s: the exclusive consumer that is told is not %s", queue, tag ? tag : "nobody");
}

/* It is alone, also at the next master, and the API says who it is. */
static void an_exclusive_consumer_is_alone_and_named(void **state)
{
    (void)state;
    static const char queue[] = "exclusive";
    struct user first = {0}, second = {0};
    set_policy(&lab, A, queue, "{\"ha-mode\":\"all\"}");
    declare(&lab, A, queue);
    assert_placed(&lab, C, queue, A, ON(B) | ON(C), ON(B) | ON(C));
    assert_exclusive_consumer(queue, NULL);
    assert_user(user_open(&first, &lab, B), &first);
    assert_user(
        user_consume(&first, (struct user_consumer){.queue = queue, .exclusive = true, .tag = "alone"}),
        &first);
    assert_exclusive_consumer(queue, "alone");
    kill_node(&lab, A);
    assert_exclusive_consumer(queue, "alone");
    assert_user(user_open(&second, &lab, C), &second);
    assert_false(user_consume(&second, (struct user_consumer){.queue = queue}));
    assert_int_equal(strncmp(second.error, "403 ACCESS_REFUSED", 18), 0);
    user_drop(&second);
    user_drop(&first);
    assert_exclusive_consumer(queue, NULL);
    revive_node(&lab, A);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asked_for_it_is_cancelled_and_subscribes_again),
        cmocka_unit_test(who_did_not_is_served_on),
        cmocka_unit_test(an_exclusive_consumer_is_alone_and_named),
    };
    return cmocka_run_group_tests_name("consumer", tests, setup, teardown);
}
