/* test_trace.c: what is noted of messages on one node: runs, not messages; nothing unless asked; never more
 * than its limit. */
#include "tests/mirror/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "mirror/mirror.h"
#include "mirror/peer_msg.h"

#define QUEUES 200

struct node {
    struct mirror *m;
    struct effects fx;
    uint64_t records; /* handed to the disk */
};

static void step(struct node *n, struct event ev)
{
    ev.now = 1;
    assert_int_equal(mirror_step(n->m, &ev, &n->fx), 0);
    for (size_t i = 0; i < n->fx.len; i++)
        n->records += n->fx.items[i].type == FX_PERSIST;
    effects_clear(&n->fx);
}

static void turn(struct node *n)
{
    for (int i = 0; i < 3; i++) { /* the disk is quick */
        step(n, (struct event){.type = EV_TURN_END});
        step(n, (struct event){.type = EV_DISK_DONE, .u.disk.persisted = n->records});
    }
}

static void declare(struct node *n, const char *name)
{
    struct queue_args args;
    queue_args_init(&args);
    step(n, (struct event){.type = EV_DECLARE,
                           .req = 1,
                           .u.queue = {.name = name, .args = &args, .owner = {.node = NODE_NONE}}});
    queue_args_finish(&args);
    turn(n);
    turn(n);
}

static void publish_as(struct node *n, const char *queue, int count, uint64_t cookie, bool persistent)
{
    struct message *msg = message_create(bytes_str(""), bytes_str(queue), bytes_str(""), "x", 1);
    msg->persistent = persistent;
    for (int i = 0; i < count; i++)
        step(n, (struct event){.type = EV_PUBLISH,
                               .u.publish = {.queue = mirror_find_queue(n->m, queue),
                                             .msg = msg,
                                             .cookie = cookie ? cookie + (uint64_t)i : 0}});
    message_unref(msg);
}

static void publish(struct node *n, const char *queue, int count, uint64_t cookie)
{
    publish_as(n, queue, count, cookie, false);
}

static int begin(void **state)
{
    static const char *const names[] = {"node1"};
    struct node *n = xcalloc(1, sizeof(*n));
    struct mirror_options o;
    mirror_options_defaults(&o);
    o.names = names;
    o.nodes_len = 1;
    o.incarnation = 9;
    n->m = mirror_create(&o);
    step(n, (struct event){.type = EV_START});
    turn(n);
    declare(n, "q");
    assert_non_null(mirror_find_queue(n->m, "q"));
    *state = n;
    return 0;
}

static int end(void **state)
{
    struct node *n = *state;
    mirror_destroy(n->m);
    effects_free(&n->fx);
    free(n);
    return 0;
}

/* the one entry of this kind since mirror_trace; its messages */
static struct trace_entry only(struct node *n, enum trace_kind kind)
{
    const struct trace_entry *entries;
    bool missed;
    size_t len = mirror_traced(n->m, &entries, &missed), found = len;
    for (size_t i = 0; i < len; i++)
        if (entries[i].kind == kind) {
            assert_int_equal(found, len);
            found = i;
        }
    assert_true(found < len);
    assert_false(missed);
    return entries[found];
}

static size_t noted(struct node *n)
{
    const struct trace_entry *entries;
    bool missed;
    return mirror_traced(n->m, &entries, &missed);
}

static void runs(void **state)
{
    struct node *n = *state;
    publish(n, "q", 3, 0);
    turn(n);
    assert_int_equal(noted(n), 0); /* nobody asked */

    mirror_trace(n->m, true);
    publish(n, "q", 1000, 1);
    turn(n);
    struct trace_entry accepted = only(n, TRACE_ACCEPTED), enqueued = only(n, TRACE_ENQUEUED);
    assert_int_equal(accepted.first, 4); /* the publisher's node's numbers, from 1 */
    assert_int_equal(accepted.last, 1003);
    assert_int_equal(enqueued.first, 3); /* places, from 0 */
    assert_int_equal(enqueued.last, 1002);
    assert_int_equal(enqueued.seq, 4);
    assert_int_equal(enqueued.incarnation, 9);
    assert_int_equal(only(n, TRACE_CONFIRMED).last, 1003);
    assert_int_equal(noted(n), 3);

    mirror_trace(n->m, true);
    publish(n, "q", 1, 0); /* a publisher that did not ask is not told */
    turn(n);
    assert_int_equal(noted(n), 2);

    mirror_trace(n->m, true);
    for (uint64_t req = 1; req <= 2; req++)
        step(n, (struct event){.type = EV_GET,
                               .req = req,
                               .u.queue = {.name = "q", .no_ack = req == 2, .owner = {0, 9, 7}}});
    turn(n);
    assert_int_equal(only(n, TRACE_DELIVERED).last, 1);
    assert_int_equal(only(n, TRACE_AUTO_ACKED).first, 1);
    step(n, (struct event){.type = EV_PURGE, .req = 3, .u.queue = {.name = "q"}});
    turn(n);
    assert_int_equal(only(n, TRACE_PURGED).first, 2); /* the first is out, not acknowledged */
    assert_int_equal(only(n, TRACE_PURGED).last, 1003);

    struct place_range held[4 + LIMIT_REIGNS];
    assert_int_equal(mirror_queue_ranges(n->m, mirror_find_queue(n->m, "q"), held, 4), 1);
    assert_int_equal(held[0].first, 0);
    assert_int_equal(held[0].last, 0);

    mirror_trace(n->m, false);
    publish(n, "q", 3, 0);
    turn(n);
    assert_int_equal(noted(n), 0);
}

/* Of a run it is said whether memory alone holds some of it, and whether the log does: one entry all the
 * same. */
static void kept_in(void **state)
{
    struct node *n = *state;
    static const struct {
        const char *queue;
        bool transient, persistent, after; /* what is published in one turn; after: transient */
        bool in_memory, logged;
    } of[] = {{"durable", true, false, false, true, false},
              {"durable", false, true, false, false, true},
              {"durable", true, true, false, true, true},
              {"durable", false, true, true, true, true},
              {"q", false, true, false, true, false}}; /* a queue that does not outlive its node */
    struct queue_args args;
    queue_args_init(&args);
    step(n,
         (struct event){
             .type = EV_DECLARE,
             .req = 1,
             .u.queue = {.name = "durable", .durable = true, .args = &args, .owner = {.node = NODE_NONE}}});
    queue_args_finish(&args);
    turn(n);
    turn(n);
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        mirror_trace(n->m, true);
        publish_as(n, of[i].queue, of[i].transient, 0, false);
        publish_as(n, of[i].queue, of[i].persistent, 0, true);
        publish_as(n, of[i].queue, of[i].after, 0, false);
        turn(n);
        struct trace_entry enqueued = only(n, TRACE_ENQUEUED);
        assert_int_equal(enqueued.in_memory, of[i].in_memory);
        assert_int_equal(enqueued.logged, of[i].logged);
    }
}

/* A turn that touches more queues than there is room for: some is missed, and said to be. */
static void limit(void **state)
{
    struct node *n = *state;
    char name[16];
    for (int i = 0; i < QUEUES; i++) {
        snprintf(name, sizeof(name), "q%d", i);
        declare(n, name);
    }
    mirror_trace(n->m, true);
    for (int i = 0; i < QUEUES; i++) {
        snprintf(name, sizeof(name), "q%d", i);
        publish(n, name, 1, 0);
    }
    turn(n);
    const struct trace_entry *entries;
    bool missed;
    assert_int_equal(mirror_traced(n->m, &entries, &missed), TRACE_MAX);
    assert_true(missed);
    mirror_trace(n->m, true);
    turn(n);
    mirror_traced(n->m, &entries, &missed);
    assert_false(missed);
}

/* Holes: as many ranges as there is room for, the last one over the rest. */
static void ranges(void **state)
{
    struct node *n = *state;
    publish(n, "q", 600, 0);
    for (uint64_t req = 1; req <= 40; req++)
        step(n, (struct event){.type = EV_GET,
                               .req = req,
                               .u.queue = {.name = "q", .no_ack = req % 2 == 0, .owner = {0, 9, 7}}});
    turn(n);
    struct place_range held[100 + LIMIT_REIGNS];
    const struct queue *q = mirror_find_queue(n->m, "q");
    assert_int_equal(mirror_queue_ranges(n->m, q, held, 100), 21);
    assert_int_equal(held[1].first, 2);
    assert_int_equal(held[1].last, 2);
    assert_int_equal(held[20].first, 40);
    assert_int_equal(held[20].last, 599);
    assert_int_equal(mirror_queue_ranges(n->m, q, held, 3), 3);
    assert_int_equal(held[2].first, 4);
    assert_int_equal(held[2].last, 599);
}

/* Who gave a place: the last master that began at it or before; what a shorter history gives anew is its own.
 */
static void reigns(void **state)
{
    (void)state;
    struct reigns r = {0};
    assert_int_equal(reign_of(&r, 0), 0);
    reigns_add(&r, 0, 0, 100); /* declared on node 0, in its life 100 */
    reigns_add(&r, 5, 1, 100); /* node 1 takes over, in sync */
    reigns_add(&r, 9, 1, 100); /* once more, with nobody in between: the same */
    uint64_t first = reign_of(&r, 4), second = reign_of(&r, 5);
    assert_int_not_equal(first, second);
    assert_int_equal(reign_of(&r, 0), first);
    assert_int_equal(reign_of(&r, 1000), second);
    assert_int_equal(r.len, 2);
    reigns_add(&r, 3, 0, 200); /* node 0 is back, with less than either had */
    assert_int_equal(r.len, 2);
    assert_int_equal(reign_of(&r, 2), first);
    assert_int_not_equal(reign_of(&r, 3), first); /* the same node, in another life */
    assert_int_not_equal(reign_of(&r, 3), second);
    reigns_add(&r, 0, 0, 300); /* with nothing */
    assert_int_equal(r.len, 1);
    for (uint64_t i = 1; i <= LIMIT_REIGNS; i++)
        reigns_add(&r, i, 0, 300 + i);
    assert_int_equal(r.len, LIMIT_REIGNS);
    assert_int_equal(reign_of(&r, 0), 0); /* forgotten */
    assert_int_not_equal(reign_of(&r, 1), 0);
}

/* What is noted and what is held says whose the places are. */
static void whose_places(void **state)
{
    struct node *n = *state;
    struct queue *q = mirror_find_queue(n->m, "q");
    publish(n, "q", 3, 0);
    turn(n);
    struct queue_info info;
    struct place_range held[2 + LIMIT_REIGNS];
    mirror_queue_info(n->m, q, &info);
    assert_int_equal(mirror_queue_ranges(n->m, q, held, 2), 1);
    assert_int_equal(held[0].reign, 9 * LIMIT_NODES); /* node 0, life 9 */
    mirror_trace(n->m, true);
    publish(n, "q", 2, 0);
    turn(n);
    assert_int_equal(only(n, TRACE_ENQUEUED).reign, held[0].reign);
    assert_int_equal(only(n, TRACE_ACCEPTED).reign, 0); /* its publisher's numbers are no places */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs, begin, end),
        cmocka_unit_test_setup_teardown(kept_in, begin, end),
        cmocka_unit_test_setup_teardown(limit, begin, end),
        cmocka_unit_test_setup_teardown(ranges, begin, end),
        cmocka_unit_test(reigns),
        cmocka_unit_test_setup_teardown(whose_places, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
