/* test_kept.c: a screen that is opened after another one knows what that one saw, as far as it is sure still:
 * who took over, what a consumer printed, sides of partitions, how a node stopped,
 * what is cut. What was lost:
 * test_kept_lost.c. */
#include "tests/screen/kept_scene.h"

#include "kept.h"
#include "lab/links.h"

/* What node2 noted; node1's notes go with it. */
static void node2_tells(struct kept_scene *s)
{
    struct story *t = &s->t;
    story_copied(t, 1, 0, 1000, 0, 0);
    story_fact(t, TRACE_SEEN_PROMOTED, 1, 2001000, 0, 0)->count = 1;
}

static void delivered(struct kept_scene *s)
{
    struct trace_seen *d = story_fact(&s->t, TRACE_SEEN_DELIVERED, 1, 3000000, 0, 0);
    d->incarnation = 9;
    story_fact(&s->t, TRACE_SEEN_AUTO_ACKED, 1, 3000000, 0, 0);
}

/* mirrior_hello: node2 takes over from node1, a consumer of this screen prints the message. */
static void taken_over(struct kept_scene *s)
{
    struct story *t = &s->t;
    kept_begin(s, "mirrior_hello");
    t->s->details =
        json_pack("{s:{s:s, s:{s:i}}}", "queue", "name", "mirrior_hello", "message_stats", "publish", 0);
    story_published(t, 0, 0, 0, 0, 0);
    story_copied(t, 1, 0, 1000, 0, 0);
    story_holds(t, 0, 'M', 0, 0);
    story_holds(t, 1, 'm', 0, 0);
    kept_look(s);
    story_down(t, 0, 2000000);
    story_fact(t, TRACE_SEEN_PROMOTED, 1, 2001000, 0, 0)->count = 1;
    story_event(t, "promote", 2001000, "mirrior_hello: node2 promoted, in sync");
    story_holds(t, 1, 'M', 0, 0);
    kept_look(s);
    VEC_PUSH(&s->m.ledger.receipts, (struct receipt){.queue = xstrdup("mirrior_hello"),
                                                     .kind = TRACE_SEEN_DELIVERED,
                                                     .since_us = t->begin_us + 2500000,
                                                     .count = 1});
    delivered(s);
    story_holds(t, 1, 'M', 1, 0);
    kept_look(s);
    kept_look(s);
}

static void what_was_taken_over(void **state)
{
    (void)state;
    struct kept_scene s;
    taken_over(&s);
    kept_account_says(&s, "mirrior_hello: node2 took over from node1; its copy was in sync: all 10 kept.");
    struct queue_seen *q = &s.t.s->queues[0];
    int64_t held = q->messages;
    q->messages = 0; /* beside READY 0 "all kept" alone would be a riddle */
    kept_look(&s);
    kept_account_says(&s, "mirrior_hello: node2 took over from node1, in sync: all 10 kept, then consumed.");
    s.t.s->queues[0].messages = held;
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "a consumer of this screen printed it", true);
    kept_open_again(&s);
    node2_tells(&s);
    delivered(&s);
    kept_look(&s);
    kept_look(&s);
    kept_account_says(&s, "Seen by an earlier screen: mirrior_hello: node2 took over from node1; its copy "
                          "was in sync: all 10 kept.");
    kept_says(&s, "! mirrior_hello    was M", true); /* not "no copy" */
    model_show(&s.m, VIEW_QUEUE);
    kept_says(&s, "as node2 has counted since it took over", true);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "a consumer of an earlier screen printed it", true);
    kept_says(&s, "VERDICT #1 KEPT", true);
    kept_open_again(&s); /* and once more */
    node2_tells(&s);
    delivered(&s);
    kept_look(&s);
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "a consumer of an earlier screen printed it", true);
    kept_end(&s);
}

/* A screen without a word from one before it hears of the taking over from the nodes. */
static void counted_since(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "mirrior_hello");
    json_t *stats = json_pack("{s:{s:s, s:{s:i, s:i}}}", "queue", "name", "mirrior_hello", "message_stats",
                              "publish", 0, "deliver_get", 1);
    s.t.s->details = stats;
    story_holds(&s.t, 1, 'M', 0, 0);
    kept_look(&s);
    model_show(&s.m, VIEW_QUEUE);
    kept_says(&s, "(1 so far)", true);
    kept_says(&s, "since it took over", false);
    story_event(&s.t, "promote", 2001000, "mirrior_hello: node2 promoted, in sync, 1 message");
    kept_look(&s);
    kept_says(&s, "as node2 has counted since it took over", true);
    kept_end(&s);
}

/* A screen that nobody told anything, opened when the node that had the copy had gone: what that node has is
 * not known, which is not "no copy". One that was told by the screen before it knows; so does one that saw
 * the queue declared while the node was away. */
static void a_node_that_went_before(void **state)
{
    (void)state;
    struct kept_scene s;
    taken_over(&s);
    s.t.s->nodes[2].answers = false;
    kept_look(&s); /* the others count it in still, and list its copies */
    kept_says(&s, "mirrior_hello   running      10     0  !  M  .", true);
    s.t.s->nodes[2].state = NODE_NOT_RUNNING;
    kept_look(&s);
    kept_says(&s, "mirrior_hello   running      10     0  !  M  .", true);
    kept_open_again(&s);
    kept_look(&s);
    kept_says(&s, "mirrior_hello   running      10     0  !  M  .", true); /* node3 had none */
    model_show(&s.m, VIEW_NODE);
    kept_says(&s, "! mirrior_hello  ?\n", true); /* how many nobody told this screen: that is not 0 */
    model_finish(&s.m);
    model_init(&s.m, NULL, NULL, false, false);
    kept_look(&s);
    kept_says(&s, "mirrior_hello   running      10     0  ?  M  ?", true);
    kept_says(&s, "? mirrior_hello", true); /* in their cards */
    kept_says(&s, " M master  ? unknown", true);
    model_show(&s.m, VIEW_NODE);
    kept_says(&s, " queues       ?\n              ? mirrior_hello  has it a copy? nobody can say", true);
    model_show(&s.m, VIEW_CLUSTER);
    s.t.s->queues = xrealloc(s.t.s->queues, 2 * sizeof(*s.t.s->queues));
    s.t.s->queues[1] = s.t.s->queues[0];
    s.t.s->queues[1].name = xstrdup("later");
    s.t.s->queues[1].effective_definition = xstrdup("{}");
    s.t.s->queues_len = 2;
    snapshot_sort_queues(s.t.s);
    kept_look(&s);
    kept_says(&s, "later           running      10     0  .  M  .", true);
    kept_end(&s);
}

/* Somebody else's consumer took one more in the same time: whose was which nobody knows. */
static void another_delivery(void **state)
{
    (void)state;
    struct kept_scene s;
    taken_over(&s);
    kept_open_again(&s);
    node2_tells(&s);
    delivered(&s);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 1, 2900000, 1, 1)->incarnation = 8;
    kept_look(&s);
    kept_look(&s);
    model_show(&s.m, VIEW_MESSAGE);
    kept_says(&s, "an earlier screen", false);
    kept_end(&s);
}

/* A queue of the same name that was declared since is another one. */
static void another_of_its_name(void **state)
{
    (void)state;
    struct kept_scene s;
    taken_over(&s);
    kept_open_again(&s);
    s.t.uid = 99;
    story_published(&s.t, 1, 1, 4000000, 0, 0);
    story_holds(&s.t, 1, 'M', 0, 0);
    kept_look(&s);
    kept_look(&s);
    kept_account_says(&s, "");
    kept_says(&s, "! mirrior_hello", false);
    kept_end(&s);
}

/* The queues that the user acted on count for the account as long as the lesson does. */
static void what_was_touched(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "hello");
    struct lesson *l = sketch_lesson();
    s.m.lesson = l;
    kept_look(&s);
    VEC_PUSH(&s.m.touched, xstrdup("mine"));
    for (int screens = 0; screens < 3; screens++) {
        assert_int_equal(kept_save(&s.m, &s.lab), 0);
        model_finish(&s.m);
        l->number += screens == 2; /* the next lesson */
        model_init(&s.m, l, NULL, false, false);
        kept_take_up(&s.m, &s.lab);
        kept_look(&s);
        assert_int_equal(s.m.touched.len, screens < 2);
    }
    kept_end(&s);
    sketch_destroy(l);
}

/* Two masters at once; then one side is discarded. */
static void both_sides(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "mirrior_hello");
    struct queue_seen *q = &s.t.s->queues[0];
    q->sides = xcalloc(2, sizeof(*q->sides));
    q->sides_len = 2;
    q->sides[0] = (struct side_seen){.master = 0, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    q->sides[1] = (struct side_seen){.master = 1, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    kept_look(&s);
    q->sides_len = 0;
    q->master = 1;
    kept_look(&s);
    kept_account_says(&s, "mirrior_hello: in a partition node1, node2 served it, each side for itself.");
    story_event(&s.t, "queue", 5000000, "mirrior_hello: what node1 held on its side is discarded, 1 message");
    kept_look(&s);
    static const char both[] =
        "mirrior_hello: in a partition node1, node2 served it, each side for itself; node2 "
        "goes on, what node1 held is discarded.";
    kept_account_says(&s, both);
    char *followed =
        s.m.ledger.queue; /* while another one was selected: what was seen is said, and of whom */
    s.m.ledger.queue = (char *)(uintptr_t) "hello";
    char *other =
        format_text("%s No message was seen to be lost with it; those of hello were followed.", both);
    kept_account_says(&s, other);
    free(other);
    s.m.ledger.queue = followed;
    kept_open_again(&s);
    kept_look(&s);
    char *before = format_text("Seen by an earlier screen: %s", both);
    kept_account_says(&s, before);
    free(before);
    free(q->sides);
    q->sides = NULL;
    kept_end(&s);
}

/* How a node went stays told by the next screen, unless it was up since. */
static void how_a_node_stopped(void **state)
{
    (void)state;
    for (int up_since = 0; up_since < 2; up_since++) {
        struct kept_scene s;
        kept_begin(&s, "hello");
        kept_look(&s);
        s.m.cut = 1;
        story_down(&s.t, 0, 4000000);
        kept_look(&s);
        s.m.cut = 0;
        kept_says(&s, "went while apart", true);
        kept_open_again(&s);
        s.t.s->taken_wall_ms += 60000;
        if (up_since)
            story_event(&s.t, "node", (int64_t)(s.t.s->taken_wall_ms - 30000) * 1000, "node1 is up");
        for (int i = 0; i < 2; i++)
            kept_look(&s);
        kept_says(&s, "went while apart", !up_since);
        kept_end(&s);
    }
}

/* What was cut is cut for the next screen, too, and its key heals it: of a node that is stopped nobody sees
 * it. */
static void what_is_cut(void **state)
{
    struct kept_scene s;
    (void)state;
    kept_begin(&s, "hello");
    kept_look(&s);
    story_down(&s.t, 0, 4000000);
    kept_look(&s);
    for (size_t peer = 1; peer < 3; peer++) {
        kept_says(&s, "links were cut", false);
        assert_int_equal(links_note(&s.lab, 0, UINT32_C(1) << peer, true), 0);
        kept_open_again(&s);
        for (int i = 0; i < 2; i++)
            kept_look(&s);
    }
    kept_says(&s, "links were cut: x heals", true);
    kept_says(&s, "x:Heal", true);
    assert_keys_run(&s.m, "x", "labctl -n node1 heal node1");
    links_forget(&s.lab, 0); /* from a shell, while no screen looks */
    kept_open_again(&s);
    kept_look(&s);
    kept_says(&s, "links were cut", false);
    kept_says(&s, "x:Cut", true);
    char *file = format_text("%s/%s", s.lab.path, LAB_LINKS_FILE);
    assert_int_equal(unlink(file), 0);
    free(file);
    kept_end(&s);
}

static void two_sides(struct kept_scene *s, int one, int other)
{
    struct queue_seen *q = &s->t.s->queues[0];
    q->sides = xcalloc(2, sizeof(*q->sides));
    q->sides_len = 2;
    q->sides[0] = (struct side_seen){.master = one, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    q->sides[1] = (struct side_seen){.master = other, .state = QUEUE_SEEN_RUNNING, .messages = 1};
    kept_look(s);
    q = &s->t.s->queues[0];
    free(q->sides);
    q->sides = NULL;
    q->sides_len = 0;
    q->master = other;
    kept_look(s);
}

/* First node2 apart from the others, later node1: never three sides. */
static void one_partition_after_the_other(void **state)
{
    (void)state;
    struct kept_scene s;
    kept_begin(&s, "mirrior_hello");
    two_sides(&s, 1, 2);
    kept_account_says(&s, "mirrior_hello: in a partition node2, node3 served it, each side for itself.");
    story_event(&s.t, "queue", 1000000, "mirrior_hello: what node2 held on its side is discarded, 1 message");
    kept_look(&s);
    s.t.s->taken_wall_ms += 60000;
    for (int screens = 0; screens < 2; screens++) {
        if (!screens)
            two_sides(&s, 0, 2);
        else
            kept_open_again(&s);
        kept_look(&s);
        char *text = account_text(&s.m);
        assert_contains(text, "mirrior_hello: in the last of 2 partitions node1, node3 served it, each side");
        assert_lacks(text, "node2");
        free(text);
    }
    kept_end(&s);
}

/* What a finished lesson came to is told as something that was seen before. */
static void of_a_finished_lesson(void **state)
{
    (void)state;
    struct lesson lesson = {.number = 7, .account = json_string("hello: 1 message is lost.")};
    account_taken_up(&lesson);
    account_taken_up(&lesson);
    char *text = fact_text(lesson.account, NULL);
    assert_string_equal(text, "Seen by an earlier screen: hello: 1 message is lost.");
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
        cmocka_unit_test(counted_since),
        cmocka_unit_test(a_node_that_went_before),
        cmocka_unit_test(another_delivery),
        cmocka_unit_test(another_of_its_name),
        cmocka_unit_test(what_was_touched),
        cmocka_unit_test(both_sides),
        cmocka_unit_test(how_a_node_stopped),
        cmocka_unit_test(what_is_cut),
        cmocka_unit_test(one_partition_after_the_other),
        cmocka_unit_test(of_a_finished_lesson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
