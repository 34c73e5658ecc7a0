/* test_content.c: a queue's content against a plain array of states, over random histories. */
#include "tests/mirror/check.h"

#include <stdlib.h>

#include "base/rng.h"
#include "mirror/content.h"

#define IDS 3000

struct model {
    uint32_t max_priority; /* 0: without; a message's priority follows from its id (put) */
    enum slot_state state[IDS];
    bool redelivered[IDS];
    msg_id next;
};

static struct message *body(msg_id id)
{
    return message_create(bytes_str(""), bytes_str("q"), bytes_str(""), &id, sizeof(id));
}

static void put(struct content *c, struct model *m, msg_id id)
{
    struct message *msg = body(id);
    if (m->max_priority)
        msg->priority = (uint8_t)(id * 3 % (m->max_priority + 2)); /* above the maximum, too */
    content_put(c, id, msg, false, false);
    message_unref(msg);
    m->state[id] = SLOT_READY;
    m->redelivered[id] = false;
}

static msg_id first_ready(const struct model *m)
{
    msg_id best = IDS;
    uint64_t best_priority = 0;
    for (msg_id id = 0; id < m->next; id++) {
        uint64_t priority = id * 3 % (m->max_priority + 2);
        priority = priority > m->max_priority ? m->max_priority : priority;
        if (m->state[id] == SLOT_READY && (best == IDS || (m->max_priority && priority > best_priority))) {
            best = id;
            best_priority = priority;
        }
    }
    return best;
}

/* runs of what is there: in order, as long as they go, nothing left out */
static void compare_ranges(const struct content *c, const struct model *m)
{
    msg_id at = 0, id = 0;
    struct id_range r;
    while (content_next_range(c, &at, &r)) {
        for (; id < r.first; id++)
            assert_int_equal(m->state[id], SLOT_GONE);
        for (; id <= r.last; id++)
            assert_int_not_equal(m->state[id], SLOT_GONE);
        assert_true(id == m->next || m->state[id] == SLOT_GONE);
    }
    for (; id < m->next; id++)
        assert_int_equal(m->state[id], SLOT_GONE);
}

static void compare(struct content *c, const struct model *m)
{
    uint64_t ready = 0, unacked = 0;
    msg_id at = 0, oldest = m->next;
    for (msg_id id = 0; id < m->next; id++) {
        struct slot *s = content_find(c, id);
        assert_int_equal(s ? s->state : SLOT_GONE, m->state[id]);
        if (!s)
            continue;
        if (oldest == m->next)
            oldest = id;
        assert_ptr_equal(content_walk(c, &at), s);
        assert_int_equal(at - 1, id);
        assert_int_equal(s->redelivered, m->redelivered[id]);
        assert_memory_equal(message_body(s->msg).data, &id, sizeof(id));
        ready += s->state == SLOT_READY;
        unacked += s->state == SLOT_UNACKED;
    }
    assert_null(content_walk(c, &at));
    assert_int_equal(c->ready, ready);
    assert_int_equal(c->unacked, unacked);
    assert_int_equal(c->bytes_ready, ready * sizeof(msg_id));
    assert_int_equal(content_oldest(c), oldest);
    compare_ranges(c, m);
}

static void test_random_histories(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct content c;
        content_init(&c, 0);
        struct model m = {.next = 0, .max_priority = (uint32_t[]){0, 1, 4, 10, 0}[seed % 5]};
        content_prioritise(&c, m.max_priority);
        for (int step = 0; step < 6000; step++) {
            unsigned what = (unsigned)rng_below(&rng, 100);
            msg_id id;
            if (what < 40 && m.next < IDS) {
                put(&c, &m, m.next);
                m.next++;
            } else if (what < 70) {
                bool any = content_peek(&c, &id);
                assert_int_equal(any ? id : IDS, first_ready(&m));
                if (any) {
                    assert_true(content_take(&c, id));
                    m.state[id] = SLOT_UNACKED;
                }
            } else if (m.next) {
                id = rng_below(&rng, m.next);
                if (what < 85) {
                    bool was = m.state[id] == SLOT_UNACKED;
                    assert_int_equal(content_requeue(&c, id), was);
                    if (was) {
                        m.state[id] = SLOT_READY;
                        m.redelivered[id] = true;
                    }
                } else {
                    assert_int_equal(content_remove(&c, id), m.state[id] != SLOT_GONE);
                    m.state[id] = SLOT_GONE;
                }
            }
            if (step % 500 == 0)
                compare(&c, &m);
        }
        compare(&c, &m);
        content_finish(&c);
    }
}

/* a mirror that began in the middle gets the older part later: order and counts are as if it had always been
 * there */
static void test_older_messages_come_later(void **state)
{
    (void)state;
    struct content c;
    content_init(&c, 2000);
    struct model m = {.next = 2600};
    for (msg_id id = 2000; id < 2600; id++)
        put(&c, &m, id);
    msg_id id;
    assert_true(content_peek(&c, &id));
    assert_int_equal(id, 2000);
    assert_true(content_take(&c, 2000));
    m.state[2000] = SLOT_UNACKED;
    for (msg_id old = 700; old < 2000; old += 3)
        put(&c, &m, old);
    content_rewind(&c);
    compare(&c, &m);
    assert_true(content_peek(&c, &id));
    assert_int_equal(id, 700);
    content_finish(&c);
}

/* An old message that is never settled does not keep the memory of five million that came after it: their
 * places' directory has a word for 16,384 of them, and two blocks are there, the first and the last. */
static void test_memory_of_settled_messages_is_given_back(void **state)
{
    (void)state;
    struct content c;
    content_init(&c, 0);
    struct message *msg = body(0);
    for (msg_id id = 0; id < 5000000; id++) {
        content_put(&c, id, msg, false, false);
        assert_true(content_take(&c, id));
        if (id > 0)
            assert_true(content_remove(&c, id));
    }
    assert_int_equal(msg->refs, 2);
    assert_int_equal(content_depth(&c), 1);
    size_t there = 0;
    for (size_t i = 0; i < c.blocks_len; i++)
        there += c.blocks[c.blocks_off + i] != NULL;
    assert_true(there <= 2);
    assert_true(c.blocks_cap * sizeof(*c.blocks) <= 8192);
    msg_id at = 1;
    assert_null(content_walk(&c, &at)); /* the gap is walked over block by block */
    assert_true(c.blocks_len > 0 && content_oldest(&c) == 0);
    content_finish(&c);
    assert_int_equal(msg->refs, 1);
    message_unref(msg);
}

/* What was taken and put back waits in a heap; when it has been taken again its memory goes. */
static void test_memory_of_requeued_messages_is_given_back(void **state)
{
    (void)state;
    for (uint32_t max_priority = 0; max_priority <= 1; max_priority++) {
        struct content c;
        content_init(&c, 0);
        content_prioritise(&c, max_priority);
        struct message *msg = body(0);
        struct id_heap *heap = max_priority ? &c.levels[0] : &c.heap;
        for (msg_id id = 0; id < 100000; id++) {
            content_put(&c, id, msg, false, false);
            assert_true(content_take(&c, id));
        }
        for (msg_id id = 0; id < 100000; id++)
            assert_true(content_requeue(&c, id));
        assert_true(heap->cap >= 100000);
        msg_id id;
        for (msg_id want = 0; content_peek(&c, &id); want++) {
            assert_int_equal(id, want);
            assert_true(content_take(&c, id));
        }
        assert_int_equal(c.unacked, 100000);
        assert_true(heap->cap <= 1024);
        content_finish(&c);
        message_unref(msg);
    }
}

/* As a new master finds it: an old message that is unacknowledged, and the next ready one a billion ids on.
 */
static void test_the_next_message_is_found_across_a_gap(void **state)
{
    (void)state;
    struct content c;
    content_init(&c, 0);
    struct message *msg = body(0);
    const msg_id far = 1000000000;
    content_put(&c, 5, msg, true, false);
    content_put(&c, far, msg, false, false);
    content_rewind(&c);
    msg_id id = 0;
    assert_true(content_peek(&c, &id));
    assert_int_equal(id, far);
    assert_int_equal(c.head, far);
    assert_true(content_requeue(&c, 5));
    assert_true(content_peek(&c, &id));
    assert_int_equal(id, 5);
    assert_true(content_remove(&c, 5));
    assert_true(content_remove(&c, far));
    assert_false(content_peek(&c, &id));
    content_put(&c, c.next, msg, false, false);
    assert_true(content_peek(&c, &id));
    assert_int_equal(id, far + 1);
    assert_int_equal(c.heap.len, 0); /* it came in order */
    content_finish(&c);
    message_unref(msg);
}

static void compare_states(const struct content *c, const struct model *m)
{
    for (enum slot_state state = SLOT_READY; state <= SLOT_UNACKED; state++) {
        msg_id at = 0, id = 0;
        const struct slot *s;
        while ((s = content_walk_state(c, state, &at))) {
            assert_int_equal(s->state, state);
            for (; id < at - 1; id++)
                assert_int_not_equal(m->state[id], state);
            id = at;
        }
        for (; id < m->next; id++)
            assert_int_not_equal(m->state[id], state);
    }
}

/* whatever was put, taken, put back and removed: a walk of one state finds all of it and nothing else */
static void test_walks_of_one_state(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 7);
    struct model m = {0};
    struct content c;
    content_init(&c, 0);
    for (unsigned i = 0; i < 20000; i++) {
        msg_id id = m.next ? rng_below(&r, m.next) : 0;
        if (m.next < IDS && rng_chance(&r, 30))
            put(&c, &m, m.next++);
        else if (rng_chance(&r, 40) && content_take(&c, id))
            m.state[id] = SLOT_UNACKED;
        else if (rng_chance(&r, 40) && content_requeue(&c, id))
            m.state[id] = SLOT_READY;
        else if (rng_chance(&r, 40) && content_remove(&c, id))
            m.state[id] = SLOT_GONE;
        if (i % 500 == 0)
            compare_states(&c, &m);
    }
    compare_states(&c, &m);
    content_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_histories),
        cmocka_unit_test(test_older_messages_come_later),
        cmocka_unit_test(test_memory_of_settled_messages_is_given_back),
        cmocka_unit_test(test_memory_of_requeued_messages_is_given_back),
        cmocka_unit_test(test_the_next_message_is_found_across_a_gap),
        cmocka_unit_test(test_walks_of_one_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
