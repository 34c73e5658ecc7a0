/* story.h: what every story begins with: a small cluster that runs, and words to say what is expected of it.
 * Nodes are 0, 1, 2 (node1, node2, node3); a placement reads "master/mirrors(not synchronised ones)".
 * TRACE=1 in the environment prints every step. */
#ifndef TESTS_SIM_STORY_H
#define TESTS_SIM_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/sim.h"

#define ALL_MANUAL    "{\"ha-mode\":\"all\"}"
#define ALL_AUTOMATIC "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}"
#define EXACTLY_2     "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}"

static inline void story_line(void *arg, const char *line)
{
    (void)arg;
    puts(line);
}

#define kept(s)                                                                                              \
    do {                                                                                                     \
        if (sim_failure(s))                                                                                  \
            fail_msg("a promise broke: %s", sim_failure(s));                                                 \
    } while (0)

#define calm(s)                                                                                              \
    do {                                                                                                     \
        if (!sim_calm((s), 60000))                                                                           \
            fail_msg("%s", sim_failure(s) ? sim_failure(s) : "not calm within a minute of virtual time");    \
    } while (0)

#define placed(s, node, queue, where) assert_string_equal(sim_placement((s), (node), (queue)), (where))

#define answers(answer, wanted)                                                                              \
    do {                                                                                                     \
        struct sim_answer answer_ = (answer);                                                                \
        assert_true(answer_.answered);                                                                       \
        assert_int_equal(answer_.status, (wanted));                                                          \
    } while (0)

/* A world; those nodes in `up` run and have found each other. */
static inline struct sim *world_with(struct sim_options o, node_set up)
{
    if (getenv("TRACE"))
        o.trace = story_line;
    struct sim *s = sim_create(&o);
    for (node_id n = 0; n < o.nodes; n++)
        if (node_in(up, n))
            sim_start(s, n);
    calm(s);
    return s;
}

static inline struct sim *world_of(unsigned nodes, node_set up)
{
    struct sim_options o;
    sim_options_defaults(&o);
    o.nodes = nodes;
    return world_with(o, up);
}

static inline struct sim *world(unsigned nodes)
{
    return world_of(nodes, ((node_set)1 << nodes) - 1);
}

static inline void end(struct sim *s)
{
    kept(s);
    sim_destroy(s);
}

static inline void policy(struct sim *s, node_id n, const char *definition)
{
    answers(sim_set_policy(s, n, "ha", "^q", definition), ANSWER_OK);
    calm(s);
}

static inline void restart(struct sim *s, node_id n)
{
    sim_stop_wait(s, n);
    calm(s);
    sim_start(s, n);
    calm(s);
}

/* Messages ready in the queue, as a passive declare through this node tells; it must succeed. */
static inline unsigned count(struct sim *s, node_id n, const char *queue)
{
    struct sim_answer a = sim_declare(s, n, queue, SIM_PASSIVE);
    assert_true(a.answered);
    assert_int_equal(a.status, ANSWER_OK);
    return (unsigned)a.messages;
}

/* What node n holds itself, whatever its role. */
static inline unsigned held_by(struct sim *s, node_id n, const char *queue)
{
    struct queue_info q;
    assert_true(sim_queue(s, n, queue, &q));
    return (unsigned)(q.local ? q.ready + q.unacked : q.replica_depth);
}

static inline enum queue_state state(struct sim *s, node_id n, const char *queue)
{
    struct queue_info q;
    assert_true(sim_queue(s, n, queue, &q));
    return q.state;
}

#endif
