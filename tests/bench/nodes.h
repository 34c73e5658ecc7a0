/* nodes.h: an engine's nodes, from outside: a lab that the bench starts, and what its measures do to queues
 * of it. What fails leaves its sentence in the bench's reason. */
#ifndef BENCH_NODES_H
#define BENCH_NODES_H

#include "tests/bench/amqp.h"
#include "tests/bench/report.h"
#include "tests/cluster/support.h"

enum { NODES = 3 };

struct bench {
    struct lab lab;
    unsigned engine;
    char reason[700];
};

extern const char *const engines[BENCH_ENGINES];

/* The reason; false. */
__attribute__((format(printf, 2, 3))) bool fail(struct bench *b, const char *format, ...);

/* Starts `lab up` and looks at the nodes from outside while it works. seconds: until all are ready. */
bool start_lab(struct bench *b, double *seconds);

pid_t node_process(const struct lab *lab, unsigned node);
double resident_mib(pid_t pid);

/* A mirror on another node, synchronised by itself, for what matches. */
bool set_policy(struct bench *b, const char *pattern);

bool with_connection(struct bench *b, unsigned node, struct amqp_conn *c); /* amqp_finish ends it */
bool declare(struct bench *b, unsigned node, const char *queue);
void delete_queue(struct bench *b, unsigned node, const char *queue);

struct mirrored {
    const struct lab *lab;
    const char *queue;
    unsigned asked;
    struct queue_facts facts;
};

bool is_mirrored(void *arg); /* struct mirrored, for wait_until: it runs, and a mirror is synchronised */
bool wait_mirrored(struct bench *b, unsigned asked, const char *queue,
                   struct queue_facts *facts); /* may be NULL */

#endif
