/* test_snapshot_parted.c: snapshots from nodes that do not see each other: each is believed about itself, a
 * queue has two sides, and one of them is discarded; and what only looks like that. */
#include "tests/screen/support.h"

#include "tests/screen/merged.h"

#define ENTRY(name, up) "{\"name\":\"" name "\",\"running\":" up "}"
#define SAYS(one, two, three)                                                                                \
    "[" ENTRY("node1@h", one) "," ENTRY("node2@h", two) "," ENTRY("node3@h", three) "]"
#define QUEUE(name, state, node, mirrors, messages)                                                          \
    "{\"name\":\"" name "\",\"vhost\":\"/\",\"state\":\"" state "\",\"node\":\"" node                        \
    "\",\"slave_nodes\":[" mirrors "],\"synchronised_slave_nodes\":[" mirrors "],\"messages\":" messages     \
    ",\"messages_ready\":" messages "}"

static void say(struct look *l, unsigned node, const char *nodes, const char *queues)
{
    l->answers[node] = (struct node_answer){.answered = true, .at = 100};
    l->answers[node].nodes = keep(l, json_loads(nodes, 0, NULL));
    l->answers[node].queues = keep(l, json_loads(queues, 0, NULL));
    assert_non_null(l->answers[node].nodes);
    assert_non_null(l->answers[node].queues);
}

/* node1 does not see the others, nor they it; each side serves m, and has a queue of its own */
static struct look parted(void)
{
    struct look l = {0};
    say(&l, 0, SAYS("true", "false", "false"),
        "[" QUEUE("m", "running", "node1@h", "", "2") "," QUEUE("old", "running", "node1@h", "", "9") "]");
    say(&l, 1, SAYS("false", "true", "true"),
        "[" QUEUE("m", "running", "node2@h", "\"node3@h\"", "3") "," QUEUE("old", "down", "node1@h", "",
                                                                           "0") "]");
    say(&l, 2, SAYS("false", "true", "true"),
        "[" QUEUE("m", "running", "node2@h", "\"node3@h\"", "3") "," QUEUE("old", "down", "node1@h", "",
                                                                           "0") "]");
    return l;
}

static void together(struct look *l)
{
    *l = (struct look){0};
    for (unsigned i = 0; i < 3; i++)
        say(l, i, SAYS("true", "true", "true"),
            "[" QUEUE("m", "running", "node2@h", "\"node3@h\",\"node1@h\"",
                      "3") "," QUEUE("old", "running", "node1@h", "", "9") "]");
}

/* node1 has lost the others, which have not noticed it yet: what they serve is down in its list alone. Each
 * is believed about what it serves, whoever's list is shown, and nothing of it went down. */
static void who_lost_the_others_first(void **state)
{
    (void)state;
    struct look all, lost;
    together(&all);
    together(&lost);
    say(&lost, 0, SAYS("true", "false", "false"),
        "[" QUEUE("m", "down", "node2@h", "", "0") "," QUEUE("old", "running", "node1@h", "", "9") "]");
    for (int silent = 0; silent <= 1;
         silent++) { /* node3; node2 has not noticed that, and node1 knows best */
        struct snapshot *first = merge(&all, NULL, 100);
        lost.answers[2].answered = !silent;
        for (int i = 0; i < 3; i++)
            all.answers[i].has_feed = lost.answers[i].has_feed = true;
        struct snapshot *s = merge(&lost, first, 400);
        assert_int_equal(s->source, silent ? 0 : 1);
        assert_int_equal(snapshot_queue(s, "m")->state, QUEUE_SEEN_RUNNING);
        assert_int_equal(snapshot_queue(s, "m")->messages, 3);
        assert_int_equal(snapshot_queue(s, "old")->messages, 9);
        assert_false(has_event(s, "queue", "m is down: its copies are on node1, node2, node3"));
        snapshot_destroy(first);
        snapshot_destroy(s);
    }
    look_end(&all);
    look_end(&lost);
}

/* node2's list, of a queue that node1 serves and whose count node2 cannot ask for. */
static void the_masters_own_count(void **state)
{
    (void)state;
    static const char uncounted[] =
        "[{\"name\":\"old\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@h\"}]";
    struct look l;
    together(&l);
    say(&l, 1, SAYS("true", "true", "true"), uncounted);
    say(&l, 2, SAYS("true", "true", "true"), uncounted);
    struct snapshot before = {.source = 1}, *s = merge(&l, &before, 100);
    assert_int_equal(s->source, 1);
    assert_int_equal(snapshot_queue(s, "old")->messages, 9);
    assert_int_equal(snapshot_queue(s, "old")->was_messages, 9);
    snapshot_destroy(s);
    l.answers[0].answered = false; /* it is frozen: nobody counts then */
    s = merge(&l, &before, 100);
    assert_int_equal(snapshot_queue(s, "old")->messages, -1);
    snapshot_destroy(s);
    look_end(&l);
}

/* Whoever is out of the others' view when it stops has nobody to say so to: the screen notices. Nobody else's
 * going is told twice. */
static void a_node_that_goes_apart_is_told_of(void **state)
{
    static const char text[] = "node1 not running; it was cut off from the others before";
    (void)state;
    struct look l = parted(), gone = parted(), whole, went;
    together(&whole);
    together(&went);
    for (unsigned i = 1; i < 3; i++)
        say(&went, i, SAYS("false", "true", "true"), "[]");
    for (unsigned i = 0; i < 3; i++)
        l.answers[i].has_feed = gone.answers[i].has_feed = whole.answers[i].has_feed =
            went.answers[i].has_feed = true;
    gone.answers[0] = went.answers[0] = (struct node_answer){.error = "no connection", .has_feed = true};
    struct snapshot *first = merge(&l, NULL, 100), *stopped = merge(&gone, first, 400),
                    *later = merge(&gone, stopped, 700);
    assert_false(has_event(first, "node", text));
    assert_int_equal(stopped->nodes[0].state, NODE_NOT_RUNNING);
    assert_true(has_event(stopped, "node", text));
    assert_int_equal(later->events_len, stopped->events_len); /* once */
    struct snapshot *one = merge(&whole, NULL, 100), *killed = merge(&went, one, 400);
    assert_int_equal(killed->nodes[0].state, NODE_NOT_RUNNING);
    assert_false(has_event(killed, "node", text)); /* the others' feeds tell of that */
    snapshot_destroy(first);
    snapshot_destroy(stopped);
    snapshot_destroy(later);
    snapshot_destroy(one);
    snapshot_destroy(killed);
    look_end(&l);
    look_end(&gone);
    look_end(&whole);
    look_end(&went);
}

static void a_node_is_believed_about_itself(void **state)
{
    (void)state;
    struct look l = parted();
    struct snapshot *s = merge(&l, NULL, 100);
    assert_int_equal(s->source, 1); /* agrees with more */
    assert_true(snapshot_partitioned(s));
    assert_int_equal(snapshot_apart_from(s, 0), 6);
    assert_int_equal(snapshot_apart_from(s, 1), 1);
    const struct queue_seen *m = snapshot_queue(s, "m"), *old = snapshot_queue(s, "old");
    assert_int_equal(queue_seen_masters(m), 2);
    assert_int_equal(m->master, 1);
    assert_int_equal(m->messages, 3);
    assert_int_equal(m->sides_len, 2);
    assert_int_equal(m->sides[0].master, 0);
    assert_int_equal(m->sides[0].messages, 2);
    assert_int_equal(m->sides[1].master, 1);
    assert_int_equal(m->sides[1].synced, 4);
    assert_int_equal(queue_seen_masters_bits(m), 3);
    assert_int_equal(queue_seen_side(m, 2)->master, 1);
    assert_int_equal(old->state, QUEUE_SEEN_RUNNING); /* as node1 says, which serves it */
    assert_int_equal(old->master, 0);
    assert_int_equal(old->messages, 9);
    assert_true(queue_seen_one_sided(s, old));
    assert_int_equal(old->sides_len, 0);
    snapshot_destroy(s);
    look_end(&l);
}

/* What one side held is remembered while its master is away, and told of when it has gone for good. */
static void a_side_that_is_discarded_is_told(void **state)
{
    (void)state;
    struct look l = parted(), gone = parted(), back;
    gone.answers[0] = (struct node_answer){.error = "no connection"};
    together(&back);
    struct snapshot *first = merge(&l, NULL, 100), *away = merge(&gone, first, 400);
    const struct queue_seen *m = snapshot_queue(away, "m");
    assert_int_equal(queue_seen_masters(m), 1);
    assert_int_equal(queue_seen_masters_bits(m), 2);
    assert_int_equal(m->sides_len, 1);
    assert_true(m->sides[0].away);
    assert_false(snapshot_partitioned(away));
    assert_false(has_event(away, "queue",
                           "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    struct snapshot *again = merge(&l, away, 700); /* it had only been silent */
    assert_int_equal(queue_seen_masters(snapshot_queue(again, "m")), 2);
    assert_false(has_event(again, "queue",
                           "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    struct snapshot *end = merge(&back, away, 900);
    assert_true(has_event(end, "queue",
                          "m: what node1 held on its side is discarded, 2 messages; node2 goes on with 3"));
    assert_int_equal(snapshot_queue(end, "m")->sides_len, 0);
    assert_false(has_event(end, "queue",
                           "m: what node2 held on its side is discarded, 3 messages; node2 goes on with 3"));
    snapshot_destroy(first);
    snapshot_destroy(away);
    snapshot_destroy(again);
    snapshot_destroy(end);
    look_end(&l);
    look_end(&gone);
    look_end(&back);
}

/* The other side is shown, for nobody of the first one answers: its master was that all the time. */
static void a_side_that_is_shown_was_not_promoted(void **state)
{
    (void)state;
    struct look l = parted(), gone = parted();
    gone.answers[1] = gone.answers[2] = (struct node_answer){.error = "no connection"};
    struct snapshot *first = merge(&l, NULL, 100), *other = merge(&gone, first, 400),
                    *later = merge(&gone, other, 700);
    assert_int_equal(snapshot_queue(first, "m")->master, 1);
    assert_int_equal(snapshot_queue(later, "m")->master, 0);
    assert_int_equal(snapshot_queue(other, "m")->master_since, 0);
    assert_int_equal(snapshot_queue(later, "m")->master_since, 0);
    assert_false(has_event(later, "promote", "m has a new master: node1 (was node2)"));
    snapshot_destroy(first);
    snapshot_destroy(other);
    snapshot_destroy(later);
    look_end(&l);
    look_end(&gone);
}

/* Of a queue with two masters nobody says that it has one copy. */
static void two_masters_are_not_one_copy(void **state)
{
    (void)state;
    for (int apart = 0; apart < 2; apart++) {
        struct look l, bare;
        if (apart)
            l = parted(), bare = parted();
        else
            together(&l), together(&bare);
        bare.answers[2] = (struct node_answer){.error = "no connection"};
        for (unsigned i = 0; i < 2; i++)
            if (i == 1 || !apart)
                say(&bare, i, apart ? SAYS("false", "true", "false") : SAYS("true", "true", "false"),
                    "[" QUEUE("m", "running", "node2@h", "", "3") "]");
        struct snapshot *first = merge(&l, NULL, 100), *second = merge(&bare, first, 400);
        assert_int_equal(queue_seen_masters(snapshot_queue(second, "m")), apart ? 2 : 1);
        assert_int_equal(snapshot_queue(second, "m")->mirrors, 0);
        assert_int_equal(has_event(second, "hint", "m has ONE copy: stopping node2 loses it"), !apart);
        snapshot_destroy(first);
        snapshot_destroy(second);
        look_end(&l);
        look_end(&bare);
    }
}

/* RabbitMQ's nodes that have met again tell of each queue what both masters hold together: that is neither's.
 */
static void sums_are_nobodys_count(void **state)
{
    (void)state;
    struct labdir lab = three_nodes();
    struct look l = parted(), met = {0};
    lab.engine = ENGINE_RABBITMQ;
#define MET(name, up, from)                                                                                  \
    "{\"name\":\"" name "\",\"running\":" up ",\"partitions\":[" from                                        \
    "],\"cluster_links\":[{\"name\":\"node1@h\"},{\"name\":\"node2@h\"}]}"
    say(&met, 0, "[" MET("node1@h", "true", "\"node2@h\"") "," MET("node2@h", "false", "") "]",
        "[" QUEUE("m", "running", "node1@h", "", "5") "]");
    say(&met, 1, "[" MET("node1@h", "false", "") "," MET("node2@h", "true", "\"node1@h\"") "]",
        "[" QUEUE("m", "running", "node2@h", "", "5") "]");
    met.answers[2] = (struct node_answer){.error = "no connection"};
    struct merge_time time = {.now = 100};
    struct snapshot *first = merge_answers(&lab, l.answers, NULL, time);
    assert_int_equal(snapshot_queue(first, "m")->sides[0].messages, 2); /* cut: each counts its own */
    struct snapshot *s = merge_answers(&lab, met.answers, first, time);
    const struct queue_seen *m = snapshot_queue(s, "m");
    assert_int_equal(queue_seen_masters(m), 2);
    assert_int_equal(m->messages, -1);
    assert_int_equal(m->sides[0].messages, -1);
    assert_int_equal(m->sides[0].was_messages, 2);
    assert_int_equal(m->sides[1].was_messages, 3);
    snapshot_destroy(s);
    lab.engine = ENGINE_KIT; /* its nodes tell what they hold */
    s = merge_answers(&lab, met.answers, first, time);
    assert_int_equal(snapshot_queue(s, "m")->sides[0].messages, 5);
    snapshot_destroy(s);
    snapshot_destroy(first);
    look_end(&l);
    look_end(&met);
}

/* What RabbitMQ 3.10 answered around a heal: node3 was cut off, node1 went on with 57 and node2 as its
 * mirror, node3 with 55 and none. 2 s before anybody listed a partition each of the two told the sum, and
 * both sides' mirrors; its list of nodes had figures of the one that it counted as not running. */
#define HEARD(name, up, from)                                                                                \
    "{\"name\":\"" name "\",\"running\":" up ",\"mem_used\":9,\"partitions\":[" from "]}"
#define SILENT(name) "{\"name\":\"" name "\",\"running\":false,\"cluster_links\":[]}"
static struct look healed(bool met, const char *of_node1, const char *of_node3)
{
    struct look l = {0};
    say(&l, 0,
        met ? "[" HEARD("node1@h", "true", "") "," HEARD("node2@h", "true", "") "," HEARD("node3@h", "false",
                                                                                          "") "]"
            : "[" HEARD("node1@h", "true", "") "," HEARD("node2@h", "true", "") "," SILENT("node3@h") "]",
        of_node1);
    say(&l, 1, "[" HEARD("node1@h", "true", "") "," HEARD("node2@h", "true", "") "," SILENT("node3@h") "]",
        of_node1);
    say(&l, 2,
        met ? "[" HEARD("node1@h", "false", "") "," SILENT("node2@h") "," HEARD("node3@h", "true", "") "]"
            : "[" SILENT("node1@h") "," SILENT("node2@h") "," HEARD("node3@h", "true", "") "]",
        of_node3);
    return l;
}

static void sums_are_known_before_a_partition_is_listed(void **state)
{
    (void)state;
    struct labdir lab = three_nodes();
    lab.engine = ENGINE_RABBITMQ;
    struct look cut = healed(false, "[" QUEUE("m", "running", "node1@h", "\"node2@h\"", "57") "]",
                             "[" QUEUE("m", "running", "node3@h", "", "55") "]"),
                late = healed(false, "[" QUEUE("m", "running", "node1@h", "\"node2@h\"", "112") "]",
                              "[" QUEUE("m", "running", "node3@h", "\"node2@h\"", "112") "]"),
                met = healed(true, "[" QUEUE("m", "running", "node1@h", "\"node2@h\"", "112") "]",
                             "[" QUEUE("m", "running", "node3@h", "\"node2@h\"", "112") "]"),
                same = healed(false, "[" QUEUE("m", "running", "node1@h", "\"node2@h\"", "57") "]",
                              "[" QUEUE("m", "running", "node3@h", "", "112") "]");
    struct merge_time time = {.now = 100};
    struct snapshot *first = merge_answers(&lab, cut.answers, NULL, time);
    assert_int_equal(snapshot_queue(first, "m")->sides[0].messages, 57);
    assert_int_equal(snapshot_queue(first, "m")->sides[1].messages, 55);
    struct snapshot *between =
        merge_answers(&lab, late.answers, first, time); /* its nodes were asked before */
    for (int straight = 0; straight <= 1; straight++) {
        struct snapshot *s = merge_answers(&lab, met.answers, straight ? first : between, time);
        const struct queue_seen *m = snapshot_queue(s, "m");
        assert_int_equal(queue_seen_masters(m), 2);
        assert_int_equal(m->messages, -1);
        assert_int_equal(m->was_messages, 57);
        assert_int_equal(m->sides[0].messages, -1);
        assert_int_equal(m->sides[0].was_messages, 57);
        assert_int_equal(m->sides[0].mirrors, 2);
        assert_int_equal(m->sides[1].messages, -1);
        assert_int_equal(m->sides[1].was_messages, 55);
        assert_int_equal(m->sides[1].mirrors, 0); /* node2 is on the other side */
        assert_false(has_event(s, "count", "m holds 112 messages"));
        snapshot_destroy(s);
    }
    /* 57 were published on node3's side: that it is no sum the second look shows */
    struct snapshot *once = merge_answers(&lab, same.answers, first, time),
                    *twice = merge_answers(&lab, same.answers, once, time);
    assert_int_equal(snapshot_queue(once, "m")->sides[1].messages, -1);
    assert_int_equal(snapshot_queue(twice, "m")->sides[1].messages, 112);
    assert_int_equal(snapshot_queue(twice, "m")->sides[0].messages, 57);
    snapshot_destroy(first);
    snapshot_destroy(between);
    snapshot_destroy(once);
    snapshot_destroy(twice);
    look_end(&cut);
    look_end(&late);
    look_end(&met);
    look_end(&same);
}

/* Two nodes that see each other and both say they are a queue's master: it is just being handed over. */
static void a_handover_is_no_partition(void **state)
{
    (void)state;
    struct look l = {0};
    say(&l, 0, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node1@h", "", "2") "]");
    say(&l, 1, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    say(&l, 2, SAYS("true", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    struct snapshot *s = merge(&l, NULL, 100);
    assert_false(snapshot_partitioned(s));
    assert_int_equal(snapshot_queue(s, "m")->sides_len, 0);
    snapshot_destroy(s);
    look_end(&l);
    /* a node that starts, and says nothing of itself yet, is not apart either */
    l = (struct look){0};
    say(&l, 0, SAYS("false", "false", "false"), "[]");
    say(&l, 1, SAYS("false", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    say(&l, 2, SAYS("false", "true", "true"), "[" QUEUE("m", "running", "node2@h", "", "2") "]");
    s = merge(&l, NULL, 100);
    assert_false(snapshot_partitioned(s));
    snapshot_destroy(s);
    look_end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_believed_about_itself),
        cmocka_unit_test(who_lost_the_others_first),
        cmocka_unit_test(the_masters_own_count),
        cmocka_unit_test(a_node_that_goes_apart_is_told_of),
        cmocka_unit_test(a_side_that_is_discarded_is_told),
        cmocka_unit_test(a_side_that_is_shown_was_not_promoted),
        cmocka_unit_test(two_masters_are_not_one_copy),
        cmocka_unit_test(sums_are_nobodys_count),
        cmocka_unit_test(sums_are_known_before_a_partition_is_listed),
        cmocka_unit_test(a_handover_is_no_partition),
    };
    return cmocka_run_group_tests_name("screen/snapshot_parted", tests, NULL, NULL);
}
