/* test_kept_lost.c: what an earlier screen saw lost, or what memory alone held when it closed, is known to
 * the one after it: which messages, where, how many. */
#include "tests/screen/kept_scene.h"

#include "losses.h"

/* What a disk has may come back; and a node that only does not answer has lost nothing yet. */
static void what_only_memory_held(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "hello");
    struct queue_seen *q = &s.t.s->queues[0];
    q->durable = true;
    q->messages = q->ready = q->was_messages = 3;
    q->persistent = 2;
    kept_look(&s);
    story_down(&s.t, 0, 2000000);
    q->state = QUEUE_SEEN_STOPPED;
    q->messages = q->ready = q->unacked = q->persistent = -1;
    kept_look(&s);
    kept_account_says(&s,
                      "hello: 3 messages are out of reach: their only copy is on node1. Memory alone held 1: "
                      "expected lost.");
    s.t.s->nodes[0].state = NODE_UNKNOWN;
    kept_look(&s);
    kept_account_says(&s, "hello: 3 messages are out of reach: their only copy is on node1.");
    kept_end(&s);
}

static void what_was_lost(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_out_of_reach(&s);
    kept_look(&s);
    kept_account_says(
        &s, "hello: memory alone held 1 message, on node1 (not running). Expected lost; known when it is "
            "back.");
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "hello is STOPPED: only node1 can say what it holds; it was 1 message", true);
    kept_says(&s, "p publishes one", false);
    model_show(&s.m, VIEW_CLUSTER);
    kept_says(&s, "! hello            had 1", true); /* as before */
    kept_returns_empty(&s);
    kept_look(&s);
    kept_account_says(&s, "hello: 1 message is lost: its only copy was on node1, in memory alone.");
    kept_open_again(&s);
    kept_returns_empty(&s);
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "was seen yet", false);
    kept_says(&s, "hello: 1 message was seen to be lost: its only copy was on node1, in memory", true);
    kept_says(&s, "VERDICT LOST", true);
    kept_says(&s, "Message #1", false); /* which one is not known */
    kept_end(&s);
}

/* What was lost in one stop is not forgotten with the next, in this screen and in the one after it. */
static void one_stop_after_the_other(void **state)
{
    static const char lost[] = "hello: 1 message is lost: its only copy was on node1, in memory alone.";
    (void)state;
    struct kept_scene s;
    kept_out_of_reach(&s);
    kept_look(&s);
    kept_returns_empty(&s);
    kept_look(&s);
    kept_account_says(&s, lost);
    story_down(&s.t, 0, 10000000);
    s.t.s->queues[0].state = QUEUE_SEEN_STOPPED;
    s.t.s->queues[0].messages = -1;
    kept_look(&s);
    kept_returns_empty(&s);
    kept_look(&s);
    kept_account_says(&s, lost);
    s.m.away.items[0].counted = 1; /* so many were told by their number, after the first stop */
    kept_open_again(&s);
    assert_int_equal(s.m.away.items[0].counted, 1); /* and are not told once more, one by one */
    kept_returns_empty(&s);
    kept_look(&s);
    kept_account_says(&s, lost);
    kept_end(&s);
}

/* #1 is published, in node1's memory alone as far as its notes say; node1 goes, and comes back without it. */
static void one_is_lost(struct kept_scene *s, bool said_in_memory)
{
    story_published(&s->t, 0, 0, 0, 0, 0);
    s->t.s->trace[s->t.s->trace_len - 1].in_memory = said_in_memory;
    story_holds(&s->t, 0, 'M', 0, 0);
    kept_look(s);
    story_down(&s->t, 0, 2000000);
    kept_look(s);
    story_up(&s->t, 0, 3000000);
    story_fact(&s->t, TRACE_SEEN_BACK, 0, 3000000, 1, 0);
    story_holds(&s->t, 0, 'M', 1, 0);
    kept_look(s);
    kept_look(s);
    kept_look(s);
    model_show(&s->m, VIEW_MESSAGE);
    kept_says(s, "VERDICT #1 LOST", true);
}

/* The nodes' notes of it went with node1's process: the next screen hears of nothing, and knows it still. */
static void which_was_lost(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "hello");
    one_is_lost(&s, true);
    for (int screens = 0; screens < 2; screens++) { /* and once more */
        kept_open_again(&s);
        story_holds(&s.t, 0, 'M', 1, 0);
        kept_look(&s);
        kept_look(&s);
        model_show(&s.m, VIEW_MESSAGE);
        kept_says(&s, "was seen yet", false);
        kept_says(&s, " #1 LOST\n", true);
        kept_says(&s, " seen before: no node has it", true);
        kept_says(&s, "An earlier screen saw it lost: node1 back without it; memory alone held it.", true);
        kept_says(&s, "VERDICT #1 LOST", true);
        model_show(&s.m, VIEW_QUEUE);
        kept_says(&s, "fates        #1 LOST  seen before: no node has it", true);
    }
    s.t.reign++; /* the next one is another message */
    story_published(&s.t, 0, 0, 5000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    kept_look(&s);
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "#1 LOST  #2 held", true);
    kept_open_again(&s);
    s.t.uid = 99; /* and the next queue of its name another queue */
    story_published(&s.t, 0, 0, 6000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    kept_look(&s);
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "LOST", false);
    kept_end(&s);
}

/* node1 had it, then node2, then node3 alone; they come back in another order. It is found lost with node2,
 * the last that ever had it to answer; the event names node3, with which it went, as the verdict does. */
static void whom_it_went_with(void **state)
{
    (void)state;
    struct kept_scene s;
    const char *kind;
    kept_begin(&s, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    s.t.s->trace[s.t.s->trace_len - 1].in_memory = true;
    story_holds(&s.t, 0, 'M', 0, 0);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_holds(&s.t, 1, 'm', 0, 0);
    kept_look(&s);
    story_down(&s.t, 0, 2000000);
    story_copied(&s.t, 2, 0, 2001000, 0, 0);
    story_holds(&s.t, 1, 'M', 0, 0);
    story_holds(&s.t, 2, 'm', 0, 0);
    kept_look(&s);
    story_down(&s.t, 1, 4000000);
    story_holds(&s.t, 2, 'M', 0, 0);
    kept_look(&s);
    story_down(&s.t, 2, 6000000);
    kept_look(&s);
    static const int order[] = {2, 0, 1};
    for (int i = 0; i < 3; i++) {
        story_up(&s.t, order[i], 8000000 + i * 1000000);
        story_holds(&s.t, order[i], order[i] == 2 ? 'M' : '.', 1, 0);
        kept_look(&s);
        kept_look(&s);
    }
    kept_look(&s);
    char *told = losses_next(&s.m, &kind);
    assert_non_null(told);
    assert_string_equal(told, "hello: #1 is lost: node3 came back without it");
    free(told);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "node3: it was transient and the last node that had it stopped", true);
    kept_end(&s);
}

/* That memory alone held it is said by the next screen, too, where a node's feed still tells of its life. */
static void that_only_memory_held_it(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "hello");
    for (int screens = 0; screens < 2; screens++) {
        one_is_lost(&s, screens == 0); /* the next does not hear that it is in memory */
        kept_says(&s, "node1: it was transient and the last node that had it stopped", true);
        kept_says(&s, "is not known", false);
        if (!screens)
            kept_open_again(&s);
    }
    kept_end(&s);
}

/* What node2 noted of it while a policy had it mirrored for a while does not say what became of it. */
static void what_a_mirror_noted(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_VOID, 1, 1000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    kept_look(&s);
    story_down(&s.t, 0, 2000000);
    kept_look(&s);
    story_up(&s.t, 0, 3000000);
    story_holds(&s.t, 0, 'M', 1, 0);
    story_holds(&s.t, 1, '.', 1, 0);
    for (int i = 0; i < 3; i++)
        kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "VERDICT #1 LOST", true);
    kept_open_again(&s);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_VOID, 1, 1000000, 0, 0);
    for (int i = 0; i < 3; i++)
        kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "VERDICT #1 LOST", true);
    kept_end(&s);
}

/* The lab went down and came up while no screen was open: what memory alone held died with its node. */
static void what_died_while_nobody_looked(void **state)
{
    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        struct kept_scene s;
        kept_begin(&s, "hello");
        story_published(&s.t, 0, 0, 0, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        s.t.s->queues[0].messages = 1;
        s.t.s->queues[0].persistent = 0;
        kept_look(&s);
        kept_look(&s);
        kept_open_again(&s);
        s.t.s->taken_wall_ms += 60000;
        for (int i = 0; i < 3; i++) /* node1 alone matters */
            s.t.s->nodes[i].uptime_ms = anew && !i ? 30000 : 600000;
        story_holds(&s.t, 0, 'M', 1, 0);
        s.t.s->queues[0].messages = 0;
        kept_look(&s);
        kept_look(&s);
        const char *kind; /* and in the list, once: whether somebody took it before nobody knows */
        char *told = losses_next(&s.m, &kind), *again = losses_next(&s.m, &kind);
        if (anew)
            assert_string_equal(told, "hello: 1 transient message gone after the restart");
        else
            assert_null(told);
        assert_null(again);
        assert_string_equal(kind, "queue");
        free(told);
        model_show(&s.m, VIEW_MESSAGE);
        kept_says(&s, "When an earlier screen closed, 1 message was here, in memory alone, on", anew);
        kept_says(&s, "it is lost, unless somebody took it", anew);
        kept_says(&s, "No message of this queue was seen yet", !anew);
        s.t.reign++; /* another one came: it is about that */
        story_published(&s.t, 0, 0, 90000000, 1, 1);
        story_holds(&s.t, 0, 'M', 1, 1);
        kept_look(&s);
        kept_says(&s, "When an earlier screen closed", false);
        s.m.life_chosen = true; /* and the one before it */
        s.m.life_id = 0;
        kept_says(&s, "When an earlier screen closed, 1 message was here, in memory alone, on", anew);
        kept_says(&s, "No node that answers has #1, or noted anything of it.", !anew);
        kept_end(&s);
    }
}

/* Of its life there is only what the consumer's node noted, the rest went with other processes. That an
 * earlier screen's consumer printed it is known; without that, that it was handed out. */
static void what_its_last_node_noted(void **state)
{
    (void)state;
    for (int printed = 0; printed < 2; printed++) {
        struct kept_scene s;
        kept_begin(&s, "hello");
        story_published(&s.t, 0, 0, 0, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        kept_look(&s);
        if (printed)
            VEC_PUSH(&s.m.ledger.receipts, (struct receipt){.queue = xstrdup("hello"),
                                                            .kind = TRACE_SEEN_DELIVERED,
                                                            .since_us = s.t.begin_us + 2500000,
                                                            .count = 1});
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        story_fact(&s.t, TRACE_SEEN_AUTO_ACKED, 0, 3000000, 0, 0);
        story_holds(&s.t, 0, 'M', 1, 0);
        for (int i = 0; i < 3; i++)
            kept_look(&s);
        kept_open_again(&s);
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        for (int i = 0; i < 4; i++)
            kept_look(&s);
        model_show(&s.m, VIEW_MESSAGE);
        kept_says(&s, "VERDICT #1 ?", false);
        kept_says(&s, printed ? "a consumer of an earlier screen printed it" : "handed out; nobody says",
                  true);
        kept_says(&s, printed ? "#1 consumed" : "#1 handed out", true);

        story_down(&s.t, 0, 9000000); /* the only one who may have more to say of it */
        kept_open_again(&s);
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        if (!printed) {
            kept_look(&s);
            model_show(&s.m, VIEW_MESSAGE);
            kept_says(&s, "VERDICT #1 ?", true);
            kept_says(&s, "what is drawn is all that is known", true);
        }
        kept_end(&s);
    }
}

/* It was served again while no screen looked: whether it was lost or taken then, nobody saw. */
static void what_nobody_saw(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_out_of_reach(&s);
    kept_returns_empty(&s);
    kept_look(&s);
    kept_account_says(&s, "");
    kept_end(&s);
}

/* What went with the side that is discarded is counted, as far as single messages are told of. */
static void what_went_with_a_side(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 2; lost++) {
        struct kept_scene s;
        kept_begin(&s, "mirrior_hello");
        story_published(&s.t, 0, 0, 0, 0, 2);
        story_copied(&s.t, 1, 0, 1000, 0, (uint64_t)(2 - lost));
        story_holds(&s.t, 0, 'M', 0, 2);
        story_holds(&s.t, 1, 'M', 0, (uint64_t)(2 - lost));
        struct queue_seen *q = &s.t.s->queues[0];
        q->sides = xcalloc(2, sizeof(*q->sides));
        q->sides_len = 2;
        q->sides[0] = (struct side_seen){.master = 0, .state = QUEUE_SEEN_RUNNING, .messages = 3};
        q->sides[1] = (struct side_seen){.master = 1, .state = QUEUE_SEEN_RUNNING, .messages = 3 - lost};
        kept_look(&s);
        q = &s.t.s->queues[0];
        free(q->sides);
        q->sides = NULL;
        q->sides_len = 0;
        story_event(&s.t, "queue", 5000000,
                    "mirrior_hello: what node1 held on its side is discarded, 3 messages");
        story_fact(&s.t, TRACE_SEEN_BEGINS, 0, 5000000, 9, UINT64_MAX);
        story_holds(&s.t, 0, 'm', 0, (uint64_t)(2 - lost));
        story_holds(&s.t, 1, 'M', 0, (uint64_t)(2 - lost));
        for (int i = 0; i < 3; i++)
            kept_look(&s);
        const char *kind;
        char *told = losses_next(&s.m, &kind);
        if (lost)
            assert_string_equal(
                told, lost == 1 ? "mirrior_hello: #3 is lost: discarded with the side of node1"
                                : "mirrior_hello: #2-#3 are lost: discarded with the side of node1");
        else
            assert_null(told);
        free(told);
        char *account = account_text(&s.m);
        assert_contains(account, lost == 0   ? "discarded. No message was seen to be lost with it."
                                 : lost == 1 ? "discarded. 1 message was lost with a losing side."
                                             : "discarded. 2 messages were lost with a losing side.");
        free(account);
        kept_end(&s);
    }
}

/* Lost in more runs than are handed over: the next screen, and the one after that, has their number. */
static void how_many_were_lost_besides(void **state)
{
    (void)state;
    enum { RUNS = 40, SCREENS = 3 };
    struct kept_scene s;
    kept_begin(&s, "mirrior_hello");
    kept_look(&s);
    s.m.ledger.uid = 7;
    ledger_know_name(&s.m.ledger, "mirrior_hello", 7);
    for (uint64_t i = 0; i < RUNS; i++)
        VEC_PUSH(&s.m.ledger.fates,
                 (struct fate_range){.first = 3 * i, .last = 3 * i + 1, .fate = {.verdict = VERDICT_LOST}});
    ledger_keep_losses(&s.m.ledger, s.t.s);
    for (int screen = 0; screen < SCREENS; screen++) {
        assert_int_equal(ledger_lost_of(&s.m.ledger, "mirrior_hello", false), 2 * RUNS);
        assert_int_equal(ledger_lost_of(&s.m.ledger, "mirrior_hello", true), -1);
        kept_open_again(&s);
        if (screen == SCREENS - 1)
            break;
        s.m.snapshot = story_look(&s.t); /* that one sees nothing new */
    }
    struct ledger *l = &s.m.ledger; /* this one finds all of it for itself: no further loss */
    l->uid = 7;
    for (uint64_t i = 0; i < RUNS; i++)
        if (!ledger_lost_before(l, 3 * i))
            VEC_PUSH(&l->fates, (struct fate_range){
                                    .first = 3 * i, .last = 3 * i + 1, .fate = {.verdict = VERDICT_LOST}});
    ledger_keep_losses(l, s.t.s);
    assert_int_equal(ledger_lost_of(l, "mirrior_hello", false), 2 * RUNS);
    ledger_know_name(l, "mirrior_hello", 8); /* a new queue of that name */
    assert_int_equal(ledger_lost_of(l, "mirrior_hello", false), 0);
    kept_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_memory_held),    cmocka_unit_test(what_was_lost),
        cmocka_unit_test(one_stop_after_the_other), cmocka_unit_test(which_was_lost),
        cmocka_unit_test(whom_it_went_with),        cmocka_unit_test(that_only_memory_held_it),
        cmocka_unit_test(what_a_mirror_noted),      cmocka_unit_test(what_died_while_nobody_looked),
        cmocka_unit_test(what_its_last_node_noted), cmocka_unit_test(what_nobody_saw),
        cmocka_unit_test(what_went_with_a_side),    cmocka_unit_test(how_many_were_lost_besides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
