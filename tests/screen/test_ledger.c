/* test_ledger.c: what became of messages, by what nodes told: every verdict, and what must not bring one
 * about. While links are cut: test_ledger_parted.c. */
#include "tests/screen/support.h"

#include "tests/screen/judge.h"

static void kept_and_taken(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_KEPT, FATE_CONFIRMED);
    assert_int_equal(fate_of(&l, 6).held, 3);
    assert_null(ledger_fate(&l, 10)); /* nobody heard of it */
    assert_life(&l, &t, 6, "publish -1>0, replicate 0>1, confirm 0>-1");

    story_fact(&t, TRACE_SEEN_SENT, 0, 2000, 0, 4)->about = 2;
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 2100, 0, 4);
    look(&l, &t);
    assert_fate(&l, 3, VERDICT_KEPT, FATE_DELIVERED);
    assert_fate(&l, 5, VERDICT_KEPT, FATE_CONFIRMED);

    story_fact(&t, TRACE_SEEN_REQUEUED, 0, 2200, 2, 4)->about = 2;
    story_fact(&t, TRACE_SEEN_ACKED, 0, 2300, 0, 1)->about = 2;
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 2400, 2, 2)->redelivered = true;
    story_holds(&t, 0, 'M', 2, 9);
    story_holds(&t, 1, 'm', 2, 9);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_CONSUMED);
    assert_fate(&l, 2, VERDICT_KEPT, FATE_REDELIVERED);
    assert_fate(&l, 3, VERDICT_KEPT, FATE_CONFIRMED); /* it went back to its place */
    assert_life(&l, &t, 0, "publish -1>0, replicate 0>1, confirm 0>-1, forward 0>2, deliver 2>32, ack 32>0");
    story_end(&t);
    ledger_finish(&l);
}

/* What an old master had delivered is back in its place at the new one, and out again when that delivers it.
 */
static void back_in_its_place(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    story_fact(&t, TRACE_SEEN_DELIVERED, 0, 2000, 0, 1);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_DELIVERED);
    story_down(&t, 0, 1000000);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 1001000, 0, 9)->count = 10;
    story_holds(&t, 1, 'M', 0, 9);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_CONFIRMED);
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 1002000, 0, 0)->redelivered = true;
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_REDELIVERED);
    assert_fate(&l, 1, VERDICT_KEPT, FATE_CONFIRMED);
    story_end(&t);
    ledger_finish(&l);
}

/* Unavailable until its node is back; lost only once that has answered twice without it. */
static void unavailable_before_lost(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_published(&t, 0, 0, 0, 0, 9);
    story_holds(&t, 0, 'M', 0, 9);
    story_holds(&t, 1, '.', 1, 0);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_HELD);

    story_down(&t, 0, 1000000);
    for (int i = 0; i < 3; i++) {
        look(&l, &t);
        assert_fate(&l, 0, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
        assert_int_equal(fate_of(&l, 0).away, 1);
    }

    story_up(&t, 0, 5000000);
    story_fact(&t, TRACE_SEEN_BACK, 0, 5000010, 7, 9)->count = 3; /* the rest was in no log */
    story_holds(&t, 0, 'M', 7, 9);
    look(&l, &t);
    assert_int_equal(fate_of(&l, 0).verdict, VERDICT_UNKNOWN); /* seen once */
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    assert_fate(&l, 7, VERDICT_KEPT, FATE_HELD);
    assert_int_equal(ledger_first(&l), 0);
    assert_life(&l, &t, 0, "publish -1>0, stopped 0, back without it 0 LOST");
    assert_life(&l, &t, 8, "publish -1>0, stopped 0, back with it 0");
    story_end(&t);
    ledger_finish(&l);
}

/* What was found lost stays so when its node goes again; what that node still had is out of reach. */
static void lost_and_stopped_again(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_published(&t, 0, 0, 0, 0, 9);
    story_holds(&t, 0, 'M', 0, 9);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    look(&l, &t);
    story_up(&t, 0, 5000000);
    story_fact(&t, TRACE_SEEN_BACK, 0, 5000010, 7, 9)->count = 3;
    story_holds(&t, 0, 'M', 7, 9);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    for (int i = 0; i < 3; i++) {
        story_down(&t, 0, 6000000 + 2000000 * i);
        look(&l, &t);
        look(&l, &t);
        assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
        assert_int_equal(fate_of(&l, 0).away, 0);
        assert_fate(&l, 7, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
        story_up(&t, 0, 7000000 + 2000000 * i);
        story_holds(&t, 0, 'M', 7, 9);
        look(&l, &t);
        assert_fate(&l, 0, VERDICT_LOST, FATE_LOST); /* at once: it was found before */
        assert_fate(&l, 7, VERDICT_KEPT, FATE_HELD);
    }
    char *life = life_text(&l, &t, 0);
    assert_contains(life,
                    "publish -1>0, stopped 0, back without it 0 LOST"); /* where it was the first time */
    free(life);

    story_holds(&t, 1, 'm', 3, 3); /* who says so has it, whatever was found */
    look(&l, &t);
    assert_fate(&l, 3, VERDICT_KEPT, FATE_HELD);
    assert_fate(&l, 0, VERDICT_LOST, FATE_LOST);
    story_end(&t);
    ledger_finish(&l);
}

/* An unsynchronised mirror takes over: what it never had is gone, with the moment at which it went. */
static void promoted_without_it(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 2, "q");
    story_published(&t, 0, 0, 0, 0, 5);
    story_fact(&t, TRACE_SEEN_BEGINS, 1, 100, 6, UINT64_MAX);
    story_published(&t, 0, 0, 200, 6, 9);
    story_copied(&t, 1, 0, 300, 6, 9);
    story_holds(&t, 0, 'M', 0, 9);
    story_holds(&t, 1, 'm', 6, 9);
    look(&l, &t);
    story_down(&t, 0, 1000000);
    struct trace_seen *promoted = story_fact(&t, TRACE_SEEN_PROMOTED, 1, 2000000, 6, 9);
    promoted->count = 4;
    promoted->unsynced = true;
    story_holds(&t, 1, 'M', 6, 9);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 2, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE); /* node1 may still have it */
    assert_fate(&l, 8, VERDICT_KEPT, FATE_HELD);
    story_up(&t, 0, 9000000);
    story_holds(&t, 0, 'm', 6, 9); /* it rejoined: what it had is void */
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 2, VERDICT_LOST, FATE_LOST);
    assert_fate(&l, 8, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 2, "publish -1>0, mirror, empty 1, stopped 0, promoted without it 1 LOST, back 0");
    story_end(&t);
    ledger_finish(&l);
}

/* A screen that was opened after the master's process had gone, and its notes with it. */
static void what_went_with_the_master(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_copied(&t, 1, 0, 0, 0, 4);
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 1000000, 0, 1);
    story_fact(&t, TRACE_SEEN_PROMOTED, 1, 2000000, 1, 0)->count = 0;
    story_holds(&t, 0, '.', 1, 0); /* it runs again */
    story_holds(&t, 1, 'M', 1, 0);
    story_holds(&t, 2, '.', 1, 0);
    look(&l, &t);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_HANDED_OUT, FATE_DELIVERED);
    assert_fate(&l, 3, VERDICT_UNKNOWN, FATE_UNKNOWN); /* it may have been taken: only node1 knew */
    assert_true(fate_of(&l, 3).untold);
    assert_false(fate_of(&l, 3).auto_acked);
    story_end(&t);
    ledger_finish(&l);
}

/* Filled after its master had stopped, by one that nobody tells of any more: not by the stopped one. */
static void filled_by_nobody_knows_whom(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_published(&t, 0, 0, 0, 0, 0);
    story_down(&t, 0, 1000000);
    story_fact(&t, TRACE_SEEN_BEGINS, 2, 1001000, 1, UINT64_MAX);
    story_fact(&t, TRACE_SEEN_FILLED, 2, 1002000, 0, 0)->count = 1;
    look(&l, &t);
    assert_life(&l, &t, 0, "publish -1>0, stopped 0, mirror, empty 2, has a copy 2");
    story_end(&t);
    ledger_finish(&l);
}

/* Sent to a consumer, and its master goes before anybody hears of an ack: not lost; but what was given back
 * before is. */
static void sent_before_the_master_went(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 2, "q");
    story_published(&t, 0, 0, 0, 0, 2);
    story_fact(&t, TRACE_SEEN_DELIVERED, 1, 1000, 0, 1);
    story_fact(&t, TRACE_SEEN_REQUEUED, 0, 2000, 1, 1);
    story_holds(&t, 0, 'M', 0, 2);
    story_holds(&t, 1, '.', 1, 0);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_DELIVERED);
    story_down(&t, 0, 1000000);
    look(&l, &t);
    story_up(&t, 0, 2000000);
    story_fact(&t, TRACE_SEEN_BACK, 0, 2000100, 1, 0)->count = 0;
    story_holds(&t, 0, 'M', 1, 0);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_HANDED_OUT, FATE_DELIVERED);
    assert_fate(&l, 1, VERDICT_LOST, FATE_LOST);
    assert_fate(&l, 2, VERDICT_LOST, FATE_LOST);
    story_end(&t);
    ledger_finish(&l);
}

/* Nothing is lost by not looking: frozen nodes, a master that is not there, a node that did not answer yet.
 */
static void silence_is_no_loss(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    look(&l, &t);
    for (int n = 0; n < 3; n++) { /* all freeze: no answers, no lists */
        t.s->nodes[n].answers = false;
        free(t.s->copies[n].held);
    }
    t.s->copies_len = 0;
    look(&l, &t);
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_UNAVAILABLE, FATE_UNAVAILABLE);
    /* they answer again, but none is the master yet */
    story_holds(&t, 0, '.', 1, 0);
    story_holds(&t, 1, '.', 1, 0);
    story_holds(&t, 2, '.', 1, 0);
    look(&l, &t);
    look(&l, &t);
    assert_int_equal(fate_of(&l, 6).verdict, VERDICT_UNKNOWN);
    /* it was there all the time */
    story_holds(&t, 1, 'M', 0, 9);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_KEPT, FATE_CONFIRMED);
    story_end(&t);
    ledger_finish(&l);
}

/* A verdict is never taken from what was confirmed or sent: only from who holds it. */
static void forged_success(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    story_holds(&t, 0, 'M', 1, 0); /* confirmed, they said, and hold nothing */
    story_holds(&t, 1, 'm', 1, 0);
    look(&l, &t);
    assert_int_equal(fate_of(&l, 6).verdict, VERDICT_UNKNOWN);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_LOST, FATE_LOST);
    assert_true(fate_of(&l, 6).confirmed); /* and that is what makes it a loss worth talking about */
    story_end(&t);
    ledger_finish(&l);

    /* handed out with auto-ack, and the consumer's node never said that it came through */
    ten(&t);
    story_holds(&t, 0, 'M', 1, 0);
    story_holds(&t, 1, 'm', 1, 0);
    story_fact(&t, TRACE_SEEN_AUTO_ACKED, 0, 3000, 0, 9)->about = 2;
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_UNKNOWN, FATE_DELIVERED);
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 3100, 0, 9);
    look(&l, &t);
    assert_fate(&l, 6, VERDICT_HANDED_OUT, FATE_DELIVERED); /* through its socket, and nobody says more */
    story_end(&t);
    ledger_finish(&l);
}

/* A publisher's numbers find their places even if its node is heard before the master, and in pieces. */
static void numbers_find_their_places(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    story_begin(&t, 3, "q");
    story_fact(&t, TRACE_SEEN_ACCEPTED, 2, 0, 1, 100)->incarnation = 5;
    story_fact(&t, TRACE_SEEN_CONFIRMED, 2, 900, 1, 40)->incarnation = 5;
    look(&l, &t);
    assert_int_equal(l.facts.len, 0);
    story_published(&t, 0, 2, 500, 0, 59); /* place = number - 1 */
    struct trace_seen *other = story_fact(&t, TRACE_SEEN_ENQUEUED, 0, 550, 60, 69);
    other->origin = 1; /* somebody else's, in between */
    other->incarnation = 5;
    other->number = 1;
    struct trace_seen *rest = story_fact(&t, TRACE_SEEN_ENQUEUED, 0, 600, 70, 109);
    rest->origin = 2;
    rest->incarnation = 5;
    rest->number = 61;
    story_holds(&t, 0, 'M', 0, 109);
    look(&l, &t);
    assert_fate(&l, 39, VERDICT_KEPT, FATE_CONFIRMED);
    assert_fate(&l, 40, VERDICT_KEPT, FATE_HELD);
    assert_fate(&l, 65, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 0, "publish -1>2, forward 2>0, confirm 2>-1");
    assert_life(&l, &t, 109, "publish -1>2, forward 2>0");
    assert_life(&l, &t, 65, "~publish -1>1, forward 1>0"); /* node2 did not say that it took it */
    assert_int_equal(l.pending.len, 0);
    story_end(&t);
    ledger_finish(&l);
}

/* The same name is another queue once it was deleted: nothing of the old one is said of the new. */
static void another_queue_of_that_name(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    look(&l, &t);
    t.uid = 78;
    story_holds(&t, 0, 'M', 0, 0);
    story_holds(&t, 1, 'm', 1, 0);
    story_holds(&t, 2, '.', 1, 0);
    look(&l, &t);
    assert_null(ledger_fate(&l, 6));
    assert_fate(&l, 0, VERDICT_KEPT, FATE_HELD);
    assert_life(&l, &t, 0, "");
    story_end(&t);
    ledger_finish(&l);
}

/* Removed on purpose is never lost, and says how. */
static void removed_on_purpose(void **state)
{
    (void)state;
    static const enum trace_seen_kind how[] = {TRACE_SEEN_DISCARDED, TRACE_SEEN_EXPIRED, TRACE_SEEN_DROPPED,
                                               TRACE_SEEN_PURGED};
    struct ledger l = {0};
    struct story t;
    ten(&t);
    for (size_t i = 0; i < ARRAY_LEN(how); i++)
        story_fact(&t, how[i], 0, 2000 + (int64_t)i, i, i);
    story_fact(&t, TRACE_SEEN_DEAD_LETTERED, 0, 2000, 0, 1);
    story_holds(&t, 0, 'M', 4, 9);
    story_holds(&t, 1, 'm', 4, 9);
    look(&l, &t);
    look(&l, &t);
    for (size_t i = 0; i < ARRAY_LEN(how); i++) {
        assert_int_equal(fate_of(&l, i).verdict, VERDICT_REMOVED);
        assert_int_equal(fate_of(&l, i).removed, how[i]);
        assert_int_equal(fate_of(&l, i).dead_lettered, i < 2);
    }
    assert_fate(&l, 4, VERDICT_KEPT, FATE_CONFIRMED);
    story_end(&t);
    ledger_finish(&l);
}

static bool received(const struct ledger *l, struct story *t, uint64_t id, enum trace_seen_kind fact)
{
    struct life life;
    bool any = false;
    ledger_life(l, t->s, id, &life);
    for (size_t i = 0; i < life.moments.len; i++)
        any = any || (life.moments.items[i].fact == fact && life.moments.items[i].received);
    life_finish(&life);
    return any;
}

static void handed_out(struct story *t, int64_t at_us, uint64_t first, uint64_t last)
{
    story_fact(t, TRACE_SEEN_AUTO_ACKED, 0, at_us, first, last)->about = 2;
    story_fact(t, TRACE_SEEN_DELIVERED, 2, at_us + 100, first, last);
    story_holds(t, 0, 'M', last + 1, 9);
    story_holds(t, 1, 'm', last + 1, 9);
}

static void says_it_received(struct ledger *l, const struct story *t, uint64_t count)
{
    VEC_PUSH(&l->receipts, (struct receipt){xstrdup("q"), TRACE_SEEN_DELIVERED, t->begin_us + 1500, count});
}

/* What reaches a program is received when it says so: by an acknowledgement, or by printing it here. */
static void receipts(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    ten(&t);
    handed_out(&t, 2000, 0, 2);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_HANDED_OUT, FATE_DELIVERED);
    says_it_received(&l, &t, 2); /* of three, and nobody says who got which */
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_HANDED_OUT, FATE_DELIVERED);
    assert_false(received(&l, &t, 0, TRACE_SEEN_DELIVERED));
    says_it_received(&l, &t, 3);
    look(&l, &t); /* the nodes may have answered before it ended */
    assert_fate(&l, 0, VERDICT_HANDED_OUT, FATE_DELIVERED);
    look(&l, &t);
    assert_fate(&l, 0, VERDICT_KEPT, FATE_CONSUMED);
    assert_true(received(&l, &t, 0, TRACE_SEEN_DELIVERED));

    /* one consumer got three and printed two: the third was on its way to it, or is lost */
    story_fact(&t, TRACE_SEEN_AUTO_ACKED, 0, 3000000, 4, 6)->about = 2;
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 3000100, 4, 6)->incarnation = 12;
    story_holds(&t, 0, 'M', 7, 9);
    story_holds(&t, 1, 'm', 7, 9);
    says_it_received(&l, &t, 2);
    l.receipts.items[0].since_us = t.begin_us + 2900000;
    look(&l, &t);
    look(&l, &t);
    assert_fate(&l, 4, VERDICT_KEPT, FATE_CONSUMED);
    assert_fate(&l, 5, VERDICT_KEPT, FATE_CONSUMED);
    assert_fate(&l, 6, VERDICT_HANDED_OUT, FATE_DELIVERED);

    /* so is a confirm */
    assert_false(received(&l, &t, 9, TRACE_SEEN_CONFIRMED));
    VEC_PUSH(&l.receipts, (struct receipt){xstrdup("q"), TRACE_SEEN_CONFIRMED, t.begin_us, 10});
    look(&l, &t);
    look(&l, &t);
    assert_true(received(&l, &t, 9, TRACE_SEEN_CONFIRMED));

    /* delivered twice; the second consumer acknowledges, of the first one nobody knows */
    story_fact(&t, TRACE_SEEN_DELIVERED, 2, 5000, 3, 3);
    story_fact(&t, TRACE_SEEN_REQUEUED, 0, 6000, 3, 3)->about = 2;
    story_fact(&t, TRACE_SEEN_DELIVERED, 1, 7000, 3, 3)->redelivered = true;
    look(&l, &t);
    assert_false(received(&l, &t, 3, TRACE_SEEN_DELIVERED));
    story_fact(&t, TRACE_SEEN_ACKED, 0, 8000, 3, 3)->about = 1;
    look(&l, &t);
    struct life life;
    ledger_life(&l, t.s, 3, &life);
    for (size_t i = 0; i < life.moments.len; i++)
        if (life.moments.items[i].fact == TRACE_SEEN_DELIVERED)
            assert_int_equal(life.moments.items[i].received, life.moments.items[i].from == 1);
    life_finish(&life);
    story_end(&t);
    ledger_finish(&l);
}

/* Hours of traffic: the memory stays bounded, and the fates right. */
static void hours_of_traffic(void **state)
{
    (void)state;
    struct ledger l = {0};
    struct story t;
    uint64_t at = 0;
    story_begin(&t, 2, "q");
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 40; i++, at += 3) {
            int64_t us = (round * 40 + i) * 1000;
            story_published(&t, 0, 0, us, at, at + 2);
            story_copied(&t, 1, 0, us + 300, at, at + 2);
            story_fact(&t, TRACE_SEEN_DELIVERED, 0, us + 500, at, at + 2);
            story_fact(&t, TRACE_SEEN_ACKED, 0, us + 700, at, at + (i % 10 ? 2 : 1))->about = 0;
        }
        story_holds(&t, 0, 'M', at - 3, at - 1);
        story_holds(&t, 1, 'm', at - 3, at - 1);
        look(&l, &t);
        assert_true(l.facts.len <= 20000);
    }
    assert_fate(&l, 36001 - 90, VERDICT_KEPT, FATE_CONSUMED);
    story_end(&t);
    ledger_finish(&l);
}

/* Written and read back, and shown again from that: a recording shows the same life. */
static void through_json(void **state)
{
    (void)state;
    struct ledger l = {0}, again = {0};
    struct story t;
    ten(&t);
    t.s->trace_gaps = 4;
    struct snapshot *s = story_look(&t);
    json_t *json = snapshot_to_json(s);
    char *error = NULL, *first = json_dumps(json, JSON_SORT_KEYS);
    struct snapshot *back = snapshot_from_json(json, &error);
    assert_null(error);
    json_t *json_again = snapshot_to_json(back);
    char *second = json_dumps(json_again, JSON_SORT_KEYS);
    assert_string_equal(first, second);
    ledger_observe(&l, s);
    ledger_observe(&again, back);
    assert_int_equal(again.gaps, 4);
    char *one = life_text(&l, &t, 6), *two = life_text(&again, &t, 6);
    assert_string_equal(one, two);
    assert_string_equal(one, "publish -1>0, replicate 0>1, confirm 0>-1");

    json_object_set_new(json_array_get(json_object_get(json, "trace"), 0), "kind", json_string("eaten"));
    assert_null(snapshot_from_json(json, &error));
    assert_contains(error, "trace[0].kind");
    free(error);
    free(one);
    free(two);
    free(first);
    free(second);
    json_decref(json);
    json_decref(json_again);
    snapshot_destroy(s);
    snapshot_destroy(back);
    story_end(&t);
    ledger_finish(&l);
    ledger_finish(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_and_taken),
        cmocka_unit_test(back_in_its_place),
        cmocka_unit_test(unavailable_before_lost),
        cmocka_unit_test(lost_and_stopped_again),
        cmocka_unit_test(promoted_without_it),
        cmocka_unit_test(what_went_with_the_master),
        cmocka_unit_test(filled_by_nobody_knows_whom),
        cmocka_unit_test(sent_before_the_master_went),
        cmocka_unit_test(silence_is_no_loss),
        cmocka_unit_test(forged_success),
        cmocka_unit_test(numbers_find_their_places),
        cmocka_unit_test(another_queue_of_that_name),
        cmocka_unit_test(removed_on_purpose),
        cmocka_unit_test(receipts),
        cmocka_unit_test(hours_of_traffic),
        cmocka_unit_test(through_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
