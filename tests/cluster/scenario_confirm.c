/* scenario_confirm.c: what a publisher is told, on a mirrored queue; and queues that are used while policies
 * come and go. */
#include "tests/cluster/scenario.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static struct lab lab;
static struct user u;

#define ALL "{\"ha-mode\":\"all\"}"

static int setup(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int teardown(void **state)
{
    (void)state;
    user_drop(&u);
    return test_lab_down(&lab);
}

/* a mirrored queue, and a connection to a node that is not its master, on which confirms are on */
static void confirms_on(const char *queue)
{
    set_policy(&lab, 1, queue, ALL);
    declare(&lab, 1, queue);
    assert_placed(&lab, 2, queue, 1, ON(2) | ON(3), ON(2) | ON(3));
    assert_user(user_open(&u, &lab, 2) && user_confirms(&u), &u);
}

static void nothing_more_comes(void)
{
    /* a round trip on the same channel: what the broker had to say before has come by now */
    assert_user(user_declare(&u, "last_word", USER_DURABLE, NULL), &u);
    struct user_news news = user_next(&u, 0);
    if (news.event != USER_NOTHING)
        fail_msg("event %d, tag %llu", (int)news.event, (unsigned long long)news.tag);
}

/* ---- 15 ------------------------------------------------------------------------------------------------ */

static void each_message_has_one_answer_and_tags_begin_at_1(void **state)
{
    (void)state;
    enum { MESSAGES = 1000 };
    static unsigned answers[MESSAGES + 1];
    unsigned answered = 0;
    uint64_t low = 1;
    confirms_on("confirmed");
    for (unsigned i = 1; i <= MESSAGES; i++)
        assert_user(user_publish(&u, "confirmed", "x", i % 2, false), &u);
    while (answered < MESSAGES) {
        struct user_news news;
        assert_user(user_await(&u, USER_ACK, USER_WAIT_MS, &news), &u);
        assert_in_range(news.tag, 1, MESSAGES);
        for (uint64_t tag = news.multiple ? low : news.tag; tag <= news.tag; tag++) {
            /* `multiple` is for all up to this one that had no answer */
            if (news.multiple && answers[tag])
                continue;
            answers[tag]++;
            answered++;
        }
        while (low <= MESSAGES && answers[low])
            low++;
    }
    for (unsigned i = 1; i <= MESSAGES; i++)
        if (answers[i] != 1)
            fail_msg("message %u was answered %u times", i, answers[i]);
    nothing_more_comes();
    assert_count(&lab, 3, "confirmed", MESSAGES);
}

static void assert_one_ack(uint64_t tag)
{
    struct user_news news = user_next(&u, USER_WAIT_MS);
    assert_int_equal(news.event, USER_ACK);
    assert_int_equal(news.tag, tag);
    nothing_more_comes();
}

static void unroutable_and_mandatory_is_returned_then_acknowledged(void **state)
{
    (void)state;
    confirms_on("returned");
    assert_user(user_publish(&u, "nobody's", "back to me", true, true), &u);
    struct user_news news = user_next(&u, USER_WAIT_MS);
    assert_int_equal(news.event, USER_RETURN);
    assert_string_equal(news.body, "back to me");
    assert_one_ack(1);
}

static void unroutable_is_acknowledged(void **state)
{
    (void)state;
    confirms_on("unroutable");
    assert_user(user_publish(&u, "nobody's", "gone", true, false), &u);
    assert_one_ack(1);
}

/* One that is gone before; and one that is deleted with messages under way to it. */
static void a_deleted_queue_is_acknowledged(void **state)
{
    (void)state;
    enum { MESSAGES = 200 };
    confirms_on("deleted");
    assert_user(user_delete(&u, "deleted", false, NULL), &u);
    assert_user(user_publish(&u, "deleted", "gone", true, false), &u);
    assert_one_ack(1);

    confirms_on("deleted_meanwhile");
    struct user other = {0};
    assert_user(user_open(&other, &lab, 3), &other);
    for (unsigned i = 1; i <= MESSAGES; i++)
        assert_user(user_publish(&u, "deleted_meanwhile", "x", true, false), &u);
    assert_user(user_delete(&other, "deleted_meanwhile", false, NULL), &other);
    user_drop(&other);
    bool seen[MESSAGES + 1] = {0};
    for (unsigned answered = 0; answered < MESSAGES;) {
        struct user_news news;
        assert_user(user_await(&u, USER_ACK, USER_WAIT_MS, &news), &u);
        assert_in_range(news.tag, 1, MESSAGES);
        for (uint64_t tag = news.multiple ? 1 : news.tag; tag <= news.tag; tag++) {
            answered += !seen[tag];
            seen[tag] = true;
        }
    }
    nothing_more_comes();
}

static void confirms_that_nobody_waited_for_are_on(void **state)
{
    (void)state;
    set_policy(&lab, 1, "not_waited", ALL);
    declare(&lab, 1, "not_waited");
    assert_placed(&lab, 2, "not_waited", 1, ON(2) | ON(3), ON(2) | ON(3));
    assert_user(user_open(&u, &lab, 2) && user_confirms_nowait(&u), &u);
    assert_user(user_publish(&u, "not_waited", "x", true, false), &u);
    assert_one_ack(1);
}

static void a_declaration_that_does_not_wait_is_done_all_the_same(void **state)
{
    (void)state;
    set_policy(&lab, 1, "quick", ALL);
    assert_user(user_open(&u, &lab, 2) && user_confirms(&u), &u);
    assert_user(user_declare(&u, "quick", USER_DURABLE | USER_NOWAIT, NULL), &u);
    assert_user(user_publish(&u, "quick", "x", true, true), &u); /* mandatory: it would come back */
    assert_one_ack(1);
    assert_placed(&lab, 1, "quick", 2, ON(1) | ON(3), ON(1) | ON(3));
    assert_count(&lab, 3, "quick", 1);
}

/* ---- 4 ------------------------------------------------------------------------------------------------- */

struct flapping {
    pthread_t thread;
    atomic_bool stop;
    _Atomic unsigned changes;
    _Atomic int wrong; /* an answer that was not wanted */
};

/* Sets and clears, in a thread of its own: without assertions. */
static void *flap(void *arg)
{
    struct flapping *f = arg;
    static const char path[] = "/api/policies/%2F/flapping";
    static const char body[] = "{\"pattern\":\"^used\",\"apply-to\":\"queues\",\"definition\":" ALL "}";
    while (!atomic_load(&f->stop) && !atomic_load(&f->wrong)) {
        int put = http_ask(lab_http(&lab, 3), "PUT", path, body, 30000, NULL);
        int gone = http_ask(lab_http(&lab, 3), "DELETE", path, NULL, 30000, NULL);
        if ((put != 201 && put != 204) || gone != 204)
            atomic_store(&f->wrong, put != 201 && put != 204 ? put + 1000 : gone + 1000);
        atomic_fetch_add(&f->changes, 2);
    }
    return NULL;
}

static bool has_begun(void *arg)
{
    struct flapping *f = arg;
    return f->changes >= 4 || f->wrong;
}

/* a hundred times declare, publish, consume, delete; in between the queue gains and loses its mirrors */
static void use(const char *queue, unsigned i)
{
    char body[32];
    struct user_news news;
    uint32_t left = 1;
    snprintf(body, sizeof(body), "message %u", i);
    assert_user(user_open(&u, &lab, 1 + i % 3), &u);
    assert_user(user_declare(&u, queue, USER_DURABLE, NULL), &u);
    assert_user(user_publish(&u, queue, body, i % 2, true), &u);
    assert_user(user_consume(&u, (struct user_consumer){.queue = queue}), &u);
    assert_user(user_await(&u, USER_DELIVERY, USER_WAIT_MS, &news), &u);
    assert_string_equal(news.body, body);
    assert_user(user_ack(&u, news.tag, false), &u);
    assert_user(user_delete(&u, queue, false, &left), &u);
    assert_int_equal(left, 0);
}

static void queues_work_while_a_policy_comes_and_goes(void **state)
{
    (void)state;
    enum { TIMES = 100 };
    struct flapping f = {0};
    set_policy(&lab, 1, "used_first", ALL);
    declare(&lab, 1, "used_first");
    assert_placed(&lab, 2, "used_first", 1, ON(2) | ON(3), ANY); /* such a policy does mirror */
    assert_int_equal(pthread_create(&f.thread, NULL, flap, &f), 0);
    assert_true(wait_until(has_begun, &f, 60000));
    unsigned before = f.changes;
    for (unsigned i = 0; i < TIMES; i++)
        use("used", i);
    unsigned meanwhile = f.changes - before;
    atomic_store(&f.stop, true);
    pthread_join(f.thread, NULL);
    if (f.wrong)
        fail_msg("a change of the policy was answered %d", f.wrong - 1000);
    print_message("%u changes of the policy meanwhile\n", meanwhile);
    assert_true(meanwhile > 0); /* it came and went */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_message_has_one_answer_and_tags_begin_at_1),
        cmocka_unit_test(unroutable_and_mandatory_is_returned_then_acknowledged),
        cmocka_unit_test(unroutable_is_acknowledged),
        cmocka_unit_test(a_deleted_queue_is_acknowledged),
        cmocka_unit_test(confirms_that_nobody_waited_for_are_on),
        cmocka_unit_test(a_declaration_that_does_not_wait_is_done_all_the_same),
        cmocka_unit_test(queues_work_while_a_policy_comes_and_goes),
    };
    return cmocka_run_group_tests_name("confirm", tests, setup, teardown);
}
