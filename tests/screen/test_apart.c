/* test_apart.c: what the screen says of nodes that were cut off from each other: by x from here before
 * anybody notices, and by what a node goes on listing. On the model alone. */
#include "tests/screen/support.h"

static void runs_and_ends(struct model *m, const char *keys, int exit_code)
{
    struct command *run = NULL;
    types(m, keys, &run);
    assert_non_null(run);
    model_ran(m, run);
    model_ended(m, run, exit_code);
}

/* The others take a cut for silence, later: until then only this screen can say why figures are missing. */
static void a_cut_is_said_at_once(void **state)
{
    struct model m;
    struct command *run;
    struct labdir lab = {.nodes_len = 3, .silence_ms = 2500};
    (void)state;
    model_init(&m, NULL, &lab, false, false);
    see(&m, "rest");
    runs_and_ends(&m, "x", 127); /* nothing was run */
    assert_frame_lacks(&m, "links");
    runs_and_ends(&m, "x", 0);
    assert_frame_contains(&m, "+links were cut: x heals-");
    assert_frame_contains(&m, "node1: links cut; noticed after 2.5 s of silence  M master");
    see(&m, "cut"); /* noticed */
    assert_frame_lacks(&m, "noticed after");
    assert_frame_contains(&m, "+cut off from node2,node3");
    see(&m, "rest"); /* the others count it in again: healed, from wherever */
    assert_frame_lacks(&m, "links");
    types(&m, "x", &run);
    assert_string_equal(run->text, "labctl -n node1 cut node1"); /* not: heal */
    command_destroy(run);
    model_finish(&m);
}

/* While B mends it no key is proposed that would, too. */
static void what_is_being_mended_needs_no_key(void **state)
{
    (void)state;
    struct model m;
    struct command *run;
    struct lesson *l = sketch_lesson();
    struct labdir lab = {.nodes_len = 3};
    model_init(&m, l, &lab, false, false);
    m.cut = 1;
    see(&m, "cut");
    assert_frame_contains(&m, "x heals");
    assert_int_equal(types(&m, "By", &run), EFFECT_RUN);
    model_ran(&m, run);
    assert_frame_contains(&m, "PARTITIONED: node1 | node2 node3.");
    assert_frame_lacks(&m, "x heals");
    m.cut = 0;
    see(&m, "apart");
    assert_frame_contains(&m, "Two views: node1 stayed apart; beginning the lesson again mends it");
    assert_frame_lacks(&m, "s, a");
    model_ended(&m, run, 1);
    assert_frame_contains(&m, "Two views: stop and start node1 (s, a)");
    model_finish(&m);
    sketch_destroy(l);
}

/* x on node2 gave back its links alone; what is still cut is another node's, and that is named. */
static void whose_links_are_still_cut_is_named(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("cut");
    for (unsigned i = 0; i < 2; i++) { /* node1 and node2 have met again, and list each other */
        s->nodes[i].links |= 1u << (1 - i);
        free(s->nodes[i].partitions);
        s->nodes[i].partitions = xstrdup(i == 0 ? "node2" : "node1");
    }
    model_observe(&m, s);
    m.now = s->taken_at;
    snapshot_destroy(s);
    m.node = 0;
    assert_frame_contains(&m, "Each side serves its own clients. x heals\n");
    m.node = 1;
    assert_frame_contains(&m,
                          " PARTITIONED: node1 | node2 node3. Each serves its own clients. node1: x heals\n");
    types(&m, "x", &run);
    assert_null(run);
    assert_string_equal(model_message(&m),
                        "PARTITIONED: node1 | node2 node3. Each serves its own clients. node1: x heals");
    model_finish(&m);
}

/* Neither a replay nor a read-only screen names a key: none mends anything there. */
static void who_only_looks_is_told_no_key_that_mends(void **state)
{
    static const char *const looks[] = {"apart", "cut", "apart", "cut"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        see(&m, looks[i]);
        m.replay = i < 2;
        m.readonly = i >= 2;
        m.cut = 1;
        assert_frame_lacks(&m, "(s, a)");
        assert_frame_lacks(&m, "x heals");
        assert_frame_contains(&m, i % 2 == 0 ? "Two views: node1 stayed apart, though the links are back"
                                             : "PARTITIONED: node1 | node2 node3. Each side");
        model_finish(&m);
    }
}

/* Whatever else has to be said, that nodes are apart and what mends it is said first; and no key is offered
 * that would mend no link. */
static void that_nodes_are_apart_has_its_row(void **state)
{
    struct lesson *l = sketch_two_proved();
    (void)state;
    for (int height = 10; height < 30; height++) {
        struct model m;
        model_init(&m, l, NULL, false, false);
        see(&m, "apart");
        char *frame = model_frame(&m, 80, height);
        assert_contains(frame, "Two views: stop and start node1 (s, :start_app); what it holds is discarded");
        assert_lacks(frame, "x:Cut");
        free(frame);
        model_finish(&m);
    }
    sketch_destroy(l);
}

/* Whose copies go is said with what they hold; the side that is proposed is not one that holds more than a
 * single node does. */
static void the_side_that_holds_less_is_to_begin_again(void **state)
{
    (void)state;
    for (int64_t held = 0; held < 10; held += 9) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("apart"); /* node1 | node2 node3 */
        s->source = 0;
        for (size_t i = 0; i < s->queues_len; i++)
            for (size_t k = 0; k < s->queues[i].sides_len; k++)
                s->queues[i].sides[k].messages = s->queues[i].sides[k].master == 0 ? held : 4;
        struct queue_seen *plain = (struct queue_seen *)snapshot_queue(s, "plain"); /* node1's only */
        plain->messages = held ? 9 : 3; /* of which memory alone has two: they go with its restart */
        plain->durable = true;
        plain->persistent = held ? 0 : 1;
        model_observe(&m, s);
        m.now = s->taken_at;
        assert_frame_contains(&m, held ? "2 views: stop each of node2 node3 (s), then start them (a); what"
                                       : "Two views: stop and start node1 (s, a); its side, 2 messages, is");
        snapshot_destroy(s);
        model_finish(&m);
    }
}

/* Healed from elsewhere before anybody noticed: nobody will notice any more, and nothing is cut. */
static void a_cut_that_nobody_notices_is_none(void **state)
{
    struct model m;
    struct labdir lab = {.nodes_len = 3, .silence_ms = 2500};
    (void)state;
    model_init(&m, NULL, &lab, false, false);
    struct snapshot *s = load_snapshot("rest");
    model_observe(&m, s);
    m.now = s->taken_at;
    runs_and_ends(&m, "x", 0);
    s->taken_at = m.now += 2500;
    model_observe(&m, s);
    assert_frame_contains(&m, "links were cut: x heals");
    s->taken_at = m.now += 10000;
    model_observe(&m, s);
    assert_frame_lacks(&m, "links");
    snapshot_destroy(s);
    model_finish(&m);
}

/* A node that was killed may be listed so without any partition: its end came after the new view. */
static void a_killed_node_was_not_apart(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("apart");
    struct node_seen *killed = &s->nodes[0];
    killed->answers = false;
    killed->state = NODE_NOT_RUNNING;
    killed->said_up_by = 0;
    free(killed->partitions);
    killed->partitions = xstrdup("");
    assert_string_equal(s->nodes[1].partitions, "node1");
    s->nodes[1].said_down_by = s->nodes[2].said_down_by = 0;                /* it was the one that said so */
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(s, "plain"); /* node1's only */
    q->state = QUEUE_SEEN_DOWN;
    q->messages = q->ready = q->unacked = -1;
    for (size_t i = 0; i < s->queues_len; i++) {
        free(s->queues[i].sides);
        s->queues[i].sides = NULL;
        s->queues[i].sides_len = 0;
    }
    model_observe(&m, s);
    m.now = s->taken_at;
    m.node = 1;
    assert_frame_lacks(&m, "was apart");
    assert_frame_contains(&m, "plain DOWN: only on node1");
    assert_frame_lacks(&m, "cut off before it went");
    assert_frame_lacks(&m, "x:Heal");
    assert_frame_contains(&m, "x:Cut");
    model_show(&m, VIEW_NODE);
    assert_frame_contains(&m, "partitioned  no\n");
    snapshot_destroy(s);
    model_finish(&m);
}

/* A node goes on listing a partition from one that was stopped since, as both engines do. */
static void a_stopped_node_is_not_cut_off(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("apart"); /* node1 | node2 node3, links back */
    model_observe(&m, s);
    m.now = s->taken_at;
    assert_frame_contains(&m, "links back, still apart");
    struct node_seen *stopped = &s->nodes[0];
    stopped->answers = false;
    stopped->state = NODE_NOT_RUNNING;
    stopped->said_up_by = 0;
    free(stopped->partitions);
    stopped->partitions = xstrdup("");
    for (size_t i = 1; i < s->nodes_len; i++)
        assert_string_equal(s->nodes[i].partitions, "node1"); /* the fact that is drawn from */
    model_observe(&m, s);
    assert_frame_contains(&m, "node1 NOT RUNNING");
    assert_frame_lacks(&m, "cut off from");
    assert_frame_contains(&m, "+was apart from node1-");
    snapshot_destroy(s);
    model_finish(&m);
}

/* Stopped in order, and yet DOWN: whoever is asked lost it by the cut. A queue that is down says so where it
 * is so, and only there. */
static void a_queue_is_down_by_the_cut_before_the_stop(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("apart");
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(s, "plain"); /* node1's only */
    model_observe(&m, s);                                                   /* the cut was seen */
    struct node_seen *stopped = &s->nodes[0];
    stopped->answers = false;
    stopped->state = NODE_NOT_RUNNING;
    stopped->said_up_by = 0;
    q->state = QUEUE_SEEN_DOWN;
    q->messages = q->ready = q->unacked = -1;
    for (size_t i = 0; i < s->queues_len; i++) {
        free(s->queues[i].sides); /* its sides went with it */
        s->queues[i].sides = NULL;
        s->queues[i].sides_len = 0;
    }
    model_observe(&m, s);
    m.now = s->taken_at;
    assert_frame_contains(&m, "plain DOWN: its only copy is on node1, cut off before it went");
    for (size_t i = 0; i < s->nodes_len; i++) {
        free(s->nodes[i].partitions);
        s->nodes[i].partitions = xstrdup("");
    }
    model_observe(&m, s); /* the links are mended, now or before it went: it was apart all the same */
    assert_frame_contains(&m, "plain DOWN: its only copy is on node1, cut off before it went");
    assert_frame_contains(&m, "+went while apart-");
    stopped->unrefused = true; /* it is frozen, which is no stop */
    model_observe(&m, s);
    assert_frame_lacks(&m, "stopped");
    stopped->unrefused = false;
    model_observe(&m, s);
    model_show(&m, VIEW_NODE);
    assert_frame_contains(&m, " partitioned  went while apart");
    stopped->answers = true;
    model_observe(&m, s);
    stopped->answers = false;
    model_observe(&m, s); /* it stops once more */
    assert_frame_lacks(&m, "while apart");
    model_show(&m, VIEW_CLUSTER);
    assert_frame_contains(&m, "plain DOWN: only on node1");
    assert_frame_lacks(&m, "cut off before");
    m.cut = 1; /* from this screen: what came after it went is not why */
    model_observe(&m, s);
    assert_frame_contains(&m, "links were cut: x heals");
    assert_frame_lacks(&m, "cut off before");
    stopped->answers = true; /* and now it goes while it is cut off */
    model_observe(&m, s);
    m.cut = 1;
    stopped->answers = false;
    model_observe(&m, s);
    assert_frame_contains(&m, "plain DOWN: its only copy is on node1, cut off before it went");
    snapshot_destroy(s);
    model_finish(&m);
}

/* A figure that nobody can say is explained under the table, whatever the queue's state. */
static void what_nobody_can_say_is_explained(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    model_observe(&m, s);
    m.now = s->taken_at;
    assert_frame_lacks(&m, "? = nobody can say now");
    assert_int_equal(s->queues[0].state, QUEUE_SEEN_RUNNING);
    s->queues[0].messages = s->queues[0].ready = s->queues[0].unacked = -1;
    model_observe(&m, s);
    assert_frame_contains(&m, "running       ?     ?");
    assert_frame_contains(&m, "? = nobody can say now");
    snapshot_destroy(s);
    model_finish(&m);
}

/* Right after a promotion RabbitMQ lists a queue with nothing but its node: its mirrors and its policy are
 * not none then. */
static void a_queue_of_which_nothing_is_told(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    model_observe(&m, s);
    m.now = s->taken_at;
    assert_frame_contains(&m, "mirrior_hello   running  100000     0  M  m  .   +1            mirror");
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(s, "mirrior_hello");
    q->state = QUEUE_SEEN_UNKNOWN;
    q->messages = q->ready = q->unacked = q->consumers = -1;
    q->mirrors = q->synced = 0;
    free(q->policy);
    free(q->effective_definition);
    q->policy = q->effective_definition = NULL;
    model_observe(&m, s);
    assert_frame_contains(&m, "mirrior_hello   ?             ?     ?  M  ?  ?   ?             ?\n");
    assert_frame_contains(&m, "|M mirri..ello had 100000||                         |");
    struct command *run;
    model_key(&m, 'j', &run);
    model_show(&m, VIEW_QUEUE);
    assert_frame_contains(&m, "mirrors      ?\n");
    assert_frame_contains(&m, "policy       ?\n");
    snapshot_destroy(s);
    model_finish(&m);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_is_said_at_once),
        cmocka_unit_test(what_is_being_mended_needs_no_key),
        cmocka_unit_test(whose_links_are_still_cut_is_named),
        cmocka_unit_test(who_only_looks_is_told_no_key_that_mends),
        cmocka_unit_test(that_nodes_are_apart_has_its_row),
        cmocka_unit_test(the_side_that_holds_less_is_to_begin_again),
        cmocka_unit_test(a_cut_that_nobody_notices_is_none),
        cmocka_unit_test(a_stopped_node_is_not_cut_off),
        cmocka_unit_test(a_killed_node_was_not_apart),
        cmocka_unit_test(a_queue_is_down_by_the_cut_before_the_stop),
        cmocka_unit_test(what_nobody_can_say_is_explained),
        cmocka_unit_test(a_queue_of_which_nothing_is_told),
    };
    return cmocka_run_group_tests_name("screen/apart", tests, NULL, NULL);
}
