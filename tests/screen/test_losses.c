/* test_losses.c: that messages are lost is told once, and only if it is certain: by the ledger of single
 * messages, by what was counted before and after. On the model alone. */
#include "tests/screen/support.h"

#include "losses.h"
#include "tests/screen/story.h"

static void look(struct story *t, struct model *m)
{
    struct snapshot *s = story_look(t);
    model_observe(m, s);
    snapshot_destroy(s);
}

static void assert_next(struct model *m, const char *expected)
{
    const char *kind;
    char *text = losses_next(m, &kind);
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    free(text);
}

static void a_message_is_lost(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    story_published(&t, 0, 0, 0, 0, 2);
    story_holds(&t, 0, 'M', 0, 2);
    look(&t, &m);
    story_down(&t, 0, 2000000);
    look(&t, &m);
    assert_next(&m, NULL); /* it is away: nothing is lost before it is back */
    story_up(&t, 0, 3000000);
    story_fact(&t, TRACE_SEEN_BACK, 0, 3000000, 1, 0);
    story_holds(&t, 0, 'M', 2, 2);
    look(&t, &m);
    look(&t, &m);
    look(&t, &m);
    assert_next(&m, "hello: #1-#2 are lost: node1 came back without them");
    assert_next(&m, NULL); /* once */
    look(&t, &m);
    assert_next(&m, NULL);
    story_holds(&t, 0, 'M', 3, 2); /* and the third one, later */
    look(&t, &m);
    look(&t, &m);
    look(&t, &m);
    const char *kind;
    char *text = losses_next(&m, &kind);
    assert_string_equal(kind, "lost");
    assert_contains(text, "hello: #3 is lost");
    free(text);
    assert_next(&m, NULL);
    model_finish(&m);
    story_end(&t);
}

/* A queue at which nobody looks: how many are not there any more when it is served again. */
static void a_message_of_another_queue_is_lost(void **state)
{
    (void)state;
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "hello");
    free(t.s->looked_at);
    t.s->looked_at = NULL;
    t.s->queues[0].messages = t.s->queues[0].was_messages = 2;
    look(&t, &m);
    story_down(&t, 0, 2000000);
    t.s->queues[0].state = QUEUE_SEEN_STOPPED;
    t.s->queues[0].messages = -1;
    look(&t, &m);
    assert_next(&m, NULL);
    story_up(&t, 0, 3000000);
    t.s->queues[0].state = QUEUE_SEEN_RUNNING;
    t.s->queues[0].messages = t.s->queues[0].was_messages = 1;
    look(&t, &m);
    assert_next(&m, "hello: 1 message is lost: its only copy was on node1");
    assert_next(&m, NULL);
    look(&t, &m);
    assert_next(&m, NULL);
    t.s->looked_at = xstrdup("hello"); /* and when one does look at its messages it is no second loss */
    story_published(&t, 0, 0, 1000000, 0, 0);
    story_fact(&t, TRACE_SEEN_BACK, 0, 3000000, 1, 0);
    story_holds(&t, 0, 'M', 1, 1);
    for (unsigned i = 0; i < 4; i++)
        look(&t, &m);
    assert_int_equal(m.ledger.fates.len > 0 && m.ledger.fates.items[0].fate.verdict == VERDICT_LOST, true);
    assert_next(&m, NULL);
    model_finish(&m);
    story_end(&t);
}

/* Every node is stopped, nobody answers, and all of them begin anew: what memory alone held in a queue at
 * which nobody looks is gone, as the account has it, too. */
static void transient_messages_go_with_a_restart(void **state)
{
    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        struct story t;
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        story_begin(&t, 3, "hello");
        free(t.s->looked_at);
        t.s->looked_at = NULL;
        struct queue_seen *q = &t.s->queues[0];
        q->messages = q->was_messages = 3;
        q->persistent = 1;
        look(&t, &m);
        t.s->source = -1;
        q->messages = -1;
        for (size_t i = 0; i < 3; i++)
            t.s->nodes[i].answers = false;
        look(&t, &m);
        look(&t, &m);
        assert_next(&m, NULL);
        t.s->taken_wall_ms += 90000;
        for (size_t i = 0; i < 3; i++) {
            t.s->nodes[i].answers = true;
            t.s->nodes[i].uptime_ms = anew ? 500 : 600000;
        }
        t.s->source = 0;
        q->messages = q->was_messages = q->persistent = 1;
        look(&t, &m);
        assert_next(&m, anew ? "hello: 2 transient messages gone after the restart" : NULL);
        char *account = account_text(&m);
        if (anew)
            assert_string_equal(
                account, "hello: 2 messages are lost: their only copies were on node1, in memory alone.");
        else
            assert_null(account);
        free(account);
        look(&t, &m);
        assert_next(&m, NULL); /* once */
        model_finish(&m);
        story_end(&t);
    }
}

/* RabbitMQ's looks (its API was asked every 0.3 s): node1 was killed that had 57 messages, its mirrors were
 * not in sync; half a second nobody counted, then node2 counted none. */
static void promoted_without(bool put_in, bool consumed)
{
    struct story t;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    story_begin(&t, 3, "mirrior_two");
    struct queue_seen *q = &t.s->queues[0];
    t.s->traces = 0;
    q->messages = q->was_messages = q->published = 57;
    q->consumers = consumed;
    q->mirrors = 6;
    look(&t, &m);
    t.s->taken_at += 10000;
    look(&t, &m);
    story_down(&t, 0, 2000000);
    q->state = QUEUE_SEEN_UNKNOWN;
    q->messages = q->published = -1;
    look(&t, &m);
    assert_next(&m, NULL);
    q->master = 1;
    q->mirrors = q->synced = 4;
    look(&t, &m);
    assert_next(&m, NULL); /* nobody has counted yet */
    q->state = QUEUE_SEEN_RUNNING;
    q->messages = q->was_messages = 0;
    look(&t, &m);
    const char *kind;
    char *text = losses_next(&m, &kind);
    assert_non_null(text);
    assert_string_equal(text, "mirrior_two: node2 promoted, NOT in sync: 57 messages before, now 0");
    assert_string_equal(kind, "promote");
    free(text);
    assert_next(&m, NULL);
    if (put_in) {
        q->published = 3;
        q->messages = 3;
        look(&t, &m);
        q->messages = 0;
    }
    t.s->taken_at += 10000;
    look(&t, &m);
    bool sure = !put_in && !consumed;
    assert_next(&m, sure ? "mirrior_two: 57 messages are lost: node2 was promoted without them" : NULL);
    look(&t, &m);
    assert_next(&m, NULL);
    model_finish(&m);
    story_end(&t);
}

static void promoted_without_the_messages(void **state)
{
    (void)state;
    promoted_without(false, false);
    promoted_without(true, false); /* the difference is no loss then, nor if somebody might have taken them */
    promoted_without(false, true);
}

/* ha-promote-on-failure when-synced: nobody took over, and RabbitMQ gives the queue no state while its master
 * does not run. It came back without the messages; or another took over after all. */
static void back_without_a_state_between(void **state)
{
    (void)state;
    for (int other = 0; other <= 1; other++) {
        struct story t;
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        story_begin(&t, 3, "mirrior_two");
        struct queue_seen *q = &t.s->queues[0];
        t.s->traces = 0;
        q->messages = q->was_messages = 57;
        q->mirrors = 6;
        q->synced = 2;
        look(&t, &m);
        story_down(&t, 1, 1000000); /* it has a copy as well, and is away */
        q->mirrors = 4;
        q->synced = 0;
        look(&t, &m);
        story_down(&t, 0, 2000000);
        q->state = QUEUE_SEEN_UNKNOWN;
        q->messages = -1;
        look(&t, &m);
        story_up(&t, 0, 3000000);
        q->state = QUEUE_SEEN_RUNNING;
        q->messages = q->was_messages = 0;
        q->master = other ? 2 : 0;
        look(&t, &m);
        t.s->taken_at += 10000;
        look(&t, &m);
        assert_next(&m, other ? NULL
                              : "mirrior_two: 57 messages are lost: their only copies were on node1, node2");
        assert_next(&m, NULL);
        model_finish(&m);
        story_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_lost),
        cmocka_unit_test(a_message_of_another_queue_is_lost),
        cmocka_unit_test(transient_messages_go_with_a_restart),
        cmocka_unit_test(promoted_without_the_messages),
        cmocka_unit_test(back_without_a_state_between),
    };
    return cmocka_run_group_tests_name("screen/losses", tests, NULL, NULL);
}
