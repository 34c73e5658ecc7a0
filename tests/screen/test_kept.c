/* test_kept.c: a screen that is opened after another one knows what that one saw, as far as it is sure still.
 */
#include "tests/screen/support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "kept.h"
#include "losses.h"
#include "tests/screen/story.h"
#include "tests/temporary.h"

struct scene {
    struct labdir lab;
    struct story t;
    struct model m;
};

static void look(struct scene *s)
{
    struct snapshot *now = story_look(&s->t);
    model_observe(&s->m, now);
    snapshot_destroy(now);
}

/* another screen: it hears of everything from the beginning, like the first */
static void open_again(struct scene *s)
{
    assert_int_equal(kept_save(&s->m, &s->lab), 0);
    model_finish(&s->m);
    model_init(&s->m, NULL, NULL, false, false);
    kept_take_up(&s->m, &s->lab);
}

static void says(struct scene *s, const char *part, bool expected)
{
    char *frame = model_frame(&s->m, 80, 24);
    assert_contains_(frame, part, expected, __FILE__, __LINE__);
    free(frame);
}

static void account_says(struct scene *s, const char *expected)
{
    char *text = account_text(&s->m);
    assert_string_equal(text ? text : "", expected);
    free(text);
}

static void begin(struct scene *s, const char *queue)
{
    *s = (struct scene){.lab = {.nodes_len = 3}};
    assert_true(temporary_folder_in(s->lab.path, sizeof(s->lab.path), "kept"));
    for (int i = 0; i < 3; i++)
        snprintf(s->lab.nodes[i].name, sizeof(s->lab.nodes[i].name), "node%d", i + 1);
    lesson_forget_all(&s->lab);
    model_init(&s->m, NULL, NULL, false, false);
    story_begin(&s->t, 3, queue);
}

static void end(struct scene *s)
{
    model_finish(&s->m);
    story_end(&s->t);
    lesson_forget_all(&s->lab); /* leaves nothing: */
    assert_int_equal(rmdir(s->lab.path), 0);
}

/* What node2 noted; node1's notes go with it. */
static void node2_tells(struct scene *s)
{
    struct story *t = &s->t;
    story_copied(t, 1, 0, 1000, 0, 0);
    story_fact(t, TRACE_SEEN_PROMOTED, 1, 2001000, 0, 0)->count = 1;
}

static void delivered(struct scene *s)
{
    struct trace_seen *d = story_fact(&s->t, TRACE_SEEN_DELIVERED, 1, 3000000, 0, 0);
    d->incarnation = 9;
    story_fact(&s->t, TRACE_SEEN_AUTO_ACKED, 1, 3000000, 0, 0);
}

/* mirrior_hello: node2 takes over from node1, a consumer of this screen prints the message. */
static void taken_over(struct scene *s)
{
    struct story *t = &s->t;
    begin(s, "mirrior_hello");
    t->s->details =
        json_pack("{s:{s:s, s:{s:i}}}", "queue", "name", "mirrior_hello", "message_stats", "publish", 0);
    story_published(t, 0, 0, 0, 0, 0);
    story_copied(t, 1, 0, 1000, 0, 0);
    story_holds(t, 0, 'M', 0, 0);
    story_holds(t, 1, 'm', 0, 0);
    look(s);
    story_down(t, 0, 2000000);
    story_fact(t, TRACE_SEEN_PROMOTED, 1, 2001000, 0, 0)->count = 1;
    story_event(t, "promote", 2001000, "mirrior_hello: node2 promoted, in sync");
    story_holds(t, 1, 'M', 0, 0);
    look(s);
    VEC_PUSH(&s->m.ledger.receipts, (struct receipt){.queue = xstrdup("mirrior_hello"),
                                                     .kind = TRACE_SEEN_DELIVERED,
                                                     .since_us = t->begin_us + 2500000,
                                                     .count = 1});
    delivered(s);
    story_holds(t, 1, 'M', 1, 0);
    look(s);
    look(s);
}

static void what_was_taken_over(void **state)
{
    (void)state;
    struct scene s;
    taken_over(&s);
    account_says(&s, "mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
    struct queue_seen *q = &s.t.s->queues[0];
    int64_t held = q->messages;
    q->messages = 0; /* beside READY 0 "all kept" alone would be a riddle */
    look(&s);
    account_says(&s, "mirrior_hello: node2 took over from node1, in sync: all kept, then consumed.");
    s.t.s->queues[0].messages = held;
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "a consumer of this screen printed it", true);
    open_again(&s);
    node2_tells(&s);
    delivered(&s);
    look(&s);
    look(&s);
    account_says(&s,
                 "Seen before: mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
    says(&s, "! mirrior_hello    was M", true); /* not "no copy" */
    model_show(&s.m, VIEW_QUEUE);
    says(&s, "as node2 has counted since it took over", true);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "a consumer of an earlier screen printed it", true);
    says(&s, "VERDICT #1 KEPT", true);
    open_again(&s); /* and once more */
    node2_tells(&s);
    delivered(&s);
    look(&s);
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "a consumer of an earlier screen printed it", true);
    end(&s);
}

/* A screen without a word from one before it hears of the taking over from the nodes. */
static void counted_since(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "mirrior_hello");
    json_t *stats = json_pack("{s:{s:s, s:{s:i, s:i}}}", "queue", "name", "mirrior_hello", "message_stats",
                              "publish", 0, "deliver_get", 1);
    s.t.s->details = stats;
    story_holds(&s.t, 1, 'M', 0, 0);
    look(&s);
    model_show(&s.m, VIEW_QUEUE);
    says(&s, "(1 so far)", true);
    says(&s, "since it took over", false);
    story_event(&s.t, "promote", 2001000, "mirrior_hello: node2 promoted, in sync, 1 message");
    look(&s);
    says(&s, "as node2 has counted since it took over", true);
    end(&s);
}

/* Somebody else's consumer took one more in the same time: whose was which nobody knows. */
static void another_delivery(void **state)
{
    (void)state;
    struct scene s;
    taken_over(&s);
    open_again(&s);
    node2_tells(&s);
    delivered(&s);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 1, 2900000, 1, 1)->incarnation = 8;
    look(&s);
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "an earlier screen", false);
    end(&s);
}

/* A queue of the same name that was declared since is another one. */
static void another_of_its_name(void **state)
{
    (void)state;
    struct scene s;
    taken_over(&s);
    open_again(&s);
    s.t.uid = 99;
    story_published(&s.t, 1, 1, 4000000, 0, 0);
    story_holds(&s.t, 1, 'M', 0, 0);
    look(&s);
    look(&s);
    account_says(&s, "");
    says(&s, "! mirrior_hello", false);
    end(&s);
}

/* hello with one message on node1 alone, which is stopped. */
static void out_of_reach(struct scene *s)
{
    struct queue_seen *q;
    begin(s, "hello");
    q = &s->t.s->queues[0];
    q->messages = q->ready = q->was_messages = 1;
    story_published(&s->t, 0, 0, 0, 0, 0);
    story_holds(&s->t, 0, 'M', 0, 0);
    look(s);
    story_down(&s->t, 0, 2000000);
    q->state = QUEUE_SEEN_STOPPED;
    q->messages = q->ready = q->unacked = -1;
    look(s);
    open_again(s);
    q->was_messages = -1; /* this screen never saw it */
}

/* What a disk has may come back; and a node that only does not answer has lost nothing yet. */
static void what_only_memory_held(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "hello");
    struct queue_seen *q = &s.t.s->queues[0];
    q->durable = true;
    q->messages = q->ready = q->was_messages = 3;
    q->persistent = 2;
    look(&s);
    story_down(&s.t, 0, 2000000);
    q->state = QUEUE_SEEN_STOPPED;
    q->messages = q->ready = q->unacked = q->persistent = -1;
    look(&s);
    account_says(&s, "hello: 3 messages are out of reach: their only copy is on node1. Memory alone held 1: "
                     "expected lost.");
    s.t.s->nodes[0].state = NODE_UNKNOWN;
    look(&s);
    account_says(&s, "hello: 3 messages are out of reach: their only copy is on node1.");
    end(&s);
}

static void returns_empty(struct scene *s)
{
    struct queue_seen *q = &s->t.s->queues[0];
    story_up(&s->t, 0, 9000000);
    q->state = QUEUE_SEEN_RUNNING;
    q->messages = q->ready = q->unacked = q->was_messages = 0;
}

static void what_was_lost(void **state)
{
    (void)state;
    struct scene s;
    out_of_reach(&s);
    look(&s);
    account_says(
        &s, "hello: memory alone held 1 message, on node1 (not running). Expected lost; known when it is "
            "back.");
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "hello is STOPPED: only node1 can say what it holds; it was 1 message", true);
    says(&s, "p publishes one", false);
    model_show(&s.m, VIEW_CLUSTER);
    says(&s, "! hello            had 1", true); /* as before */
    returns_empty(&s);
    look(&s);
    account_says(&s, "hello: 1 message is lost: its only copy was on node1, in memory alone.");
    open_again(&s);
    returns_empty(&s);
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "was seen yet", false);
    says(&s, "hello: 1 message was seen to be lost: its only copy was on node1, in memory", true);
    says(&s, "VERDICT LOST", true);
    says(&s, "Message #1", false); /* which one is not known */
    end(&s);
}

/* What was lost in one stop is not forgotten with the next, in this screen and in the one after it. */
static void one_stop_after_the_other(void **state)
{
    static const char lost[] = "hello: 1 message is lost: its only copy was on node1, in memory alone.";
    (void)state;
    struct scene s;
    out_of_reach(&s);
    look(&s);
    returns_empty(&s);
    look(&s);
    account_says(&s, lost);
    story_down(&s.t, 0, 10000000);
    s.t.s->queues[0].state = QUEUE_SEEN_STOPPED;
    s.t.s->queues[0].messages = -1;
    look(&s);
    returns_empty(&s);
    look(&s);
    account_says(&s, lost);
    open_again(&s);
    returns_empty(&s);
    look(&s);
    account_says(&s, lost);
    end(&s);
}

/* The queues that the user acted on count for the account as long as the lesson does. */
static void what_was_touched(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "hello");
    struct lesson *l = sketch_lesson();
    s.m.lesson = l;
    look(&s);
    VEC_PUSH(&s.m.touched, xstrdup("mine"));
    for (int screens = 0; screens < 3; screens++) {
        assert_int_equal(kept_save(&s.m, &s.lab), 0);
        model_finish(&s.m);
        l->number += screens == 2; /* the next lesson */
        model_init(&s.m, l, NULL, false, false);
        kept_take_up(&s.m, &s.lab);
        look(&s);
        assert_int_equal(s.m.touched.len, screens < 2);
    }
    end(&s);
    sketch_destroy(l);
}

/* #1 is published, in node1's memory alone as far as its notes say; node1 goes, and comes back without it. */
static void one_is_lost(struct scene *s, bool said_in_memory)
{
    story_published(&s->t, 0, 0, 0, 0, 0);
    s->t.s->trace[s->t.s->trace_len - 1].in_memory = said_in_memory;
    story_holds(&s->t, 0, 'M', 0, 0);
    look(s);
    story_down(&s->t, 0, 2000000);
    look(s);
    story_up(&s->t, 0, 3000000);
    story_fact(&s->t, TRACE_SEEN_BACK, 0, 3000000, 1, 0);
    story_holds(&s->t, 0, 'M', 1, 0);
    look(s);
    look(s);
    look(s);
    model_show(&s->m, VIEW_MESSAGE);
    says(s, "VERDICT #1 LOST", true);
}

/* The nodes' notes of it went with node1's process: the next screen hears of nothing, and knows it still. */
static void which_was_lost(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "hello");
    one_is_lost(&s, true);
    for (int screens = 0; screens < 2; screens++) { /* and once more */
        open_again(&s);
        story_holds(&s.t, 0, 'M', 1, 0);
        look(&s);
        look(&s);
        model_show(&s.m, VIEW_MESSAGE);
        says(&s, "was seen yet", false);
        says(&s, " #1 LOST\n", true);
        says(&s, " seen before: no node has it", true);
        says(&s, "An earlier screen saw it lost: node1 back without it; memory alone held it.", true);
        says(&s, "VERDICT #1 LOST", true);
        model_show(&s.m, VIEW_QUEUE);
        says(&s, "fates        #1 LOST  seen before: no node has it", true);
    }
    s.t.reign++; /* the next one is another message */
    story_published(&s.t, 0, 0, 5000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "#1 LOST  #2 held", true);
    open_again(&s);
    s.t.uid = 99; /* and the next queue of its name another queue */
    story_published(&s.t, 0, 0, 6000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "LOST", false);
    end(&s);
}

/* That memory alone held it is said by the next screen, too, where a node's feed still tells of its life. */
static void that_only_memory_held_it(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "hello");
    for (int screens = 0; screens < 2; screens++) {
        one_is_lost(&s, screens == 0); /* the next does not hear that it is in memory */
        says(&s, "node1: it was transient and the last node that had it stopped", true);
        says(&s, "is not known", false);
        if (!screens)
            open_again(&s);
    }
    end(&s);
}

/* What node2 noted of it while a policy had it mirrored for a while does not say what became of it. */
static void what_a_mirror_noted(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_VOID, 1, 1000000, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    story_down(&s.t, 0, 2000000);
    look(&s);
    story_up(&s.t, 0, 3000000);
    story_holds(&s.t, 0, 'M', 1, 0);
    story_holds(&s.t, 1, '.', 1, 0);
    for (int i = 0; i < 3; i++)
        look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "VERDICT #1 LOST", true);
    open_again(&s);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_VOID, 1, 1000000, 0, 0);
    for (int i = 0; i < 3; i++)
        look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    says(&s, "VERDICT #1 LOST", true);
    end(&s);
}

/* The lab went down and came up while no screen was open: what memory alone held died with its node. */
static void what_died_while_nobody_looked(void **state)
{
    (void)state;
    for (int anew = 0; anew < 2; anew++) {
        struct scene s;
        begin(&s, "hello");
        story_published(&s.t, 0, 0, 0, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        s.t.s->queues[0].messages = 1;
        s.t.s->queues[0].persistent = 0;
        look(&s);
        look(&s);
        open_again(&s);
        s.t.s->taken_wall_ms += 60000;
        for (int i = 0; i < 3; i++) /* node1 alone matters */
            s.t.s->nodes[i].uptime_ms = anew && !i ? 30000 : 600000;
        story_holds(&s.t, 0, 'M', 1, 0);
        s.t.s->queues[0].messages = 0;
        look(&s);
        look(&s);
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
        says(&s, "When an earlier screen closed, 1 message was here, in memory alone, on", anew);
        says(&s, "it is lost, unless somebody took it", anew);
        says(&s, "No message of this queue was seen yet", !anew);
        s.t.reign++; /* another one came: it is about that */
        story_published(&s.t, 0, 0, 90000000, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        look(&s);
        says(&s, "When an earlier screen closed", false);
        end(&s);
    }
}

/* Of its life there is only what the consumer's node noted, the rest went with other processes. That an
 * earlier screen's consumer printed it is known; without that, that it was handed out. */
static void what_its_last_node_noted(void **state)
{
    (void)state;
    for (int printed = 0; printed < 2; printed++) {
        struct scene s;
        begin(&s, "hello");
        story_published(&s.t, 0, 0, 0, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        look(&s);
        if (printed)
            VEC_PUSH(&s.m.ledger.receipts, (struct receipt){.queue = xstrdup("hello"),
                                                            .kind = TRACE_SEEN_DELIVERED,
                                                            .since_us = s.t.begin_us + 2500000,
                                                            .count = 1});
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        story_fact(&s.t, TRACE_SEEN_AUTO_ACKED, 0, 3000000, 0, 0);
        story_holds(&s.t, 0, 'M', 1, 0);
        for (int i = 0; i < 3; i++)
            look(&s);
        open_again(&s);
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        for (int i = 0; i < 4; i++)
            look(&s);
        model_show(&s.m, VIEW_MESSAGE);
        says(&s, "VERDICT #1 ?", false);
        says(&s, printed ? "a consumer of an earlier screen printed it" : "handed out; nobody says", true);
        says(&s, printed ? "#1 consumed" : "#1 handed out", true);

        story_down(&s.t, 0, 9000000); /* the only one who may have more to say of it */
        open_again(&s);
        story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0)->incarnation = 9;
        if (!printed) {
            look(&s);
            model_show(&s.m, VIEW_MESSAGE);
            says(&s, "VERDICT #1 ?", true);
            says(&s, "what is drawn is all that is known", true);
        }
        end(&s);
    }
}

/* It was served again while no screen looked: whether it was lost or taken then, nobody saw. */
static void what_nobody_saw(void **state)
{
    (void)state;
    struct scene s;
    out_of_reach(&s);
    returns_empty(&s);
    look(&s);
    account_says(&s, "");
    end(&s);
}

/* Two masters at once; then one side is discarded. */
static void both_sides(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "mirrior_hello");
    struct queue_seen *q = &s.t.s->queues[0];
    q->sides = xcalloc(2, sizeof(*q->sides));
    q->sides_len = 2;
    q->sides[0] = (struct side_seen){.master = 0, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    q->sides[1] = (struct side_seen){.master = 1, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    look(&s);
    q->sides_len = 0;
    q->master = 1;
    look(&s);
    account_says(&s, "mirrior_hello: in a partition node1, node2 served it, each side for itself.");
    story_event(&s.t, "queue", 5000000, "mirrior_hello: what node1 held on its side is discarded, 1 message");
    look(&s);
    static const char both[] =
        "mirrior_hello: in a partition node1, node2 served it, each side for itself; node2 "
        "goes on, what node1 held is discarded.";
    account_says(&s, both);
    open_again(&s);
    look(&s);
    char *before = format_text("Seen before: %s", both);
    account_says(&s, before);
    free(before);
    free(q->sides);
    q->sides = NULL;
    end(&s);
}

/* What went with the side that is discarded is counted, as far as single messages are told of. */
static void what_went_with_a_side(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 2; lost++) {
        struct scene s;
        begin(&s, "mirrior_hello");
        story_published(&s.t, 0, 0, 0, 0, 2);
        story_copied(&s.t, 1, 0, 1000, 0, (uint64_t)(2 - lost));
        story_holds(&s.t, 0, 'M', 0, 2);
        story_holds(&s.t, 1, 'M', 0, (uint64_t)(2 - lost));
        struct queue_seen *q = &s.t.s->queues[0];
        q->sides = xcalloc(2, sizeof(*q->sides));
        q->sides_len = 2;
        q->sides[0] = (struct side_seen){.master = 0, .state = QUEUE_SEEN_RUNNING, .messages = 3};
        q->sides[1] = (struct side_seen){.master = 1, .state = QUEUE_SEEN_RUNNING, .messages = 3 - lost};
        look(&s);
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
            look(&s);
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
        end(&s);
    }
}

static void two_sides(struct scene *s, int one, int other)
{
    struct queue_seen *q = &s->t.s->queues[0];
    q->sides = xcalloc(2, sizeof(*q->sides));
    q->sides_len = 2;
    q->sides[0] = (struct side_seen){.master = one, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    q->sides[1] = (struct side_seen){.master = other, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    look(s);
    q = &s->t.s->queues[0];
    free(q->sides);
    q->sides = NULL;
    q->sides_len = 0;
    q->master = other;
    look(s);
}

/* First node2 apart from the others, later node1: never three sides. */
static void one_partition_after_the_other(void **state)
{
    (void)state;
    struct scene s;
    begin(&s, "mirrior_hello");
    two_sides(&s, 1, 2);
    account_says(&s, "mirrior_hello: in a partition node2, node3 served it, each side for itself.");
    story_event(&s.t, "queue", 1000000, "mirrior_hello: what node2 held on its side is discarded, 1 message");
    look(&s);
    s.t.s->taken_wall_ms += 60000;
    for (int screens = 0; screens < 2; screens++) {
        if (!screens)
            two_sides(&s, 0, 2);
        else
            open_again(&s);
        look(&s);
        char *text = account_text(&s.m);
        assert_contains(text, "mirrior_hello: in the last of 2 partitions node1, node3 served it, each side");
        assert_lacks(text, "node2");
        free(text);
    }
    end(&s);
}

/* What a finished lesson came to is told as something that was seen before. */
static void of_a_finished_lesson(void **state)
{
    (void)state;
    struct lesson lesson = {.number = 7, .account = json_string("hello: 1 message is lost.")};
    account_taken_up(&lesson);
    account_taken_up(&lesson);
    char *text = fact_text(lesson.account, NULL);
    assert_string_equal(text, "Seen before: hello: 1 message is lost.");
    free(text);
    json_decref(lesson.account);
    lesson.account = json_string(""); /* there was nothing to tell */
    account_taken_up(&lesson);
    assert_string_equal(json_string_value(lesson.account), "");
    json_decref(lesson.account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_over),
        cmocka_unit_test(another_delivery),
        cmocka_unit_test(another_of_its_name),
        cmocka_unit_test(what_was_lost),
        cmocka_unit_test(what_only_memory_held),
        cmocka_unit_test(what_its_last_node_noted),
        cmocka_unit_test(what_died_while_nobody_looked),
        cmocka_unit_test(what_nobody_saw),
        cmocka_unit_test(of_a_finished_lesson),
        cmocka_unit_test(one_stop_after_the_other),
        cmocka_unit_test(what_was_touched),
        cmocka_unit_test(which_was_lost),
        cmocka_unit_test(that_only_memory_held_it),
        cmocka_unit_test(what_a_mirror_noted),
        cmocka_unit_test(one_partition_after_the_other),
        cmocka_unit_test(both_sides),
        cmocka_unit_test(what_went_with_a_side),
        cmocka_unit_test(counted_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
