/* test.h: what the cluster tests' programs share: cmocka, the lab of the program's group, and assertions that
 * show what was seen. One lab per program: its group setup starts it, its teardown ends it. */
#ifndef CLUSTER_TEST_H
#define CLUSTER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/cluster/support.h"

/* The engine to test: the kit, or MIRRORLAB_TEST_ENGINE=rabbitmq for the tests that hold on both. */
const char *test_engine(void);
bool test_on_kit(void);

/* Group setup: a lab of `nodes` nodes, up. Group teardown: down in order, nothing left running. */
int test_lab_up(struct lab *lab, unsigned nodes);
int test_lab_down(struct lab *lab);

/* The exit code is as wanted, or the test fails showing what the program printed. */
void assert_code(int code, int wanted, const struct text *out);
/* The text occurs in what was printed, word for word. */
void assert_says(const struct text *out, const char *wanted);

/* Waits until `asked` tells that of the queue, at most 30 s (120 s on RabbitMQ, whose figures are old); else
 * the test fails showing what it told last.
 */
typedef bool queue_fact_fn(const struct queue_facts *f, void *arg);
struct queue_facts assert_queue(const struct lab *lab, unsigned asked, const char *queue, const char *what,
                                queue_fact_fn *fact, void *arg);
bool is_running(const struct queue_facts *f, void *arg);   /* state running */
bool has_messages(const struct queue_facts *f, void *arg); /* running, with *(long long *)arg ready ones */
bool has_a_synced_mirror(const struct queue_facts *f, void *arg); /* running, exactly one mirror, in sync */

/* `asked` says that `node` runs (1) or does not (0); waits as long. */
void assert_running(const struct lab *lab, unsigned asked, unsigned node, int running);

#endif
