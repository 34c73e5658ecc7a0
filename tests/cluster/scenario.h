/* scenario.h: the words of the scenario tests: policies for one queue each, nodes that stop, die and return,
 * and what a queue then is.
 *
 * Which test is which scenario: docs/semantics.md. The rule they keep: every one that is about a mirrored
 * queue first asserts that the queue is mirrored, every one about a fault that it happened. */
#ifndef CLUSTER_SCENARIO_H
#define CLUSTER_SCENARIO_H

#include "tests/cluster/test.h"
#include "tests/cluster/user.h"

/* bits of nodes: ON(2) | ON(3) */
#define ON(node) (1u << (node))
enum { ANY = ~0 }; /* for assert_placed: which mirrors are in sync does not matter */

/* The policy of that one queue (named after it), as node `asked` takes it over HTTP. */
void set_policy(const struct lab *lab, unsigned asked, const char *queue, const char *definition);
void clear_policy(const struct lab *lab, unsigned asked, const char *queue);

/* labctl -n nodeN VERB; and what it means has happened: the other nodes say so. */
void stop_node(const struct lab *lab, unsigned node);    /* stop_app */
void start_node(const struct lab *lab, unsigned node);   /* start_app */
void kill_node(const struct lab *lab, unsigned node);    /* SIGKILL, the process is gone */
void revive_node(const struct lab *lab, unsigned node);  /* start after a kill */
void restart_node(const struct lab *lab, unsigned node); /* stop_app, start_app */

/* A durable queue declared through that node; then `count` messages "1", "2", ..., confirmed. */
void declare(const struct lab *lab, unsigned node, const char *queue);
void publish(const struct lab *lab, unsigned node, const char *queue, unsigned first, unsigned last,
             bool persistent);
/* Takes every message out of the queue: they are first..last, in order; nothing else is there. */
void assert_holds(const struct lab *lab, unsigned node, const char *queue, unsigned first, unsigned last);
/* How many ready messages a passive declare reports. */
void assert_count(const struct lab *lab, unsigned node, const char *queue, unsigned count);
/* A passive declare fails with exactly this text ("404 NOT_FOUND - ..."), on the kit within five seconds;
 * NULL on RabbitMQ: any 404. The others: a declare as `declare` does it, a get, a consumer. */
void assert_refused(const struct lab *lab, unsigned node, const char *queue, const char *text);
void assert_declare_refused(const struct lab *lab, unsigned node, const char *queue, const char *text);
void assert_get_refused(const struct lab *lab, unsigned node, const char *queue, const char *text);
void assert_consume_refused(const struct lab *lab, unsigned node, const char *queue, const char *text);
char *text_stopped(const char *queue); /* the caller's to free */
char *text_down(const char *queue, unsigned node);

/* Waits until node `asked` says: running, this master, exactly these mirrors, exactly these in sync. */
void assert_placed(const struct lab *lab, unsigned asked, const char *queue, unsigned master,
                   unsigned mirrors, int synced);
void assert_state(const struct lab *lab, unsigned asked, const char *queue, const char *state);

void assert_user(bool done, const struct user *u); /* else the test fails with the user's error */

#endif
