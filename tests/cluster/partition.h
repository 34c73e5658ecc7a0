/* partition.h: the words of the tests whose nodes are cut off from each other: a lab that deals with it in
 * one of the three ways, and what nodes say of it. */
#ifndef CLUSTER_PARTITION_H
#define CLUSTER_PARTITION_H

#include "tests/cluster/scenario.h"

enum { PARTITION_WAIT_MS = 120000 };

/* Three nodes with that partition_handling. silence_ms (the kit's) 0: the default. */
void up_handling(struct lab *lab, const char *handling, unsigned silence_ms);

/* A queue of the messages 1..10 on every node, node1 its master. */
void mirrored(const struct lab *lab, const char *queue);

/* Waits until the node lists as partitioned from it the nodes of these bits; -1: until it does not answer. */
void assert_lists(const struct lab *lab, unsigned node, int wanted);
/* Every node says that all run, and none that it is partitioned from another. */
void assert_whole_again(const struct lab *lab);

/* Whether the node has told (GET /api/events) of an event with this text in it. */
bool has_told(const struct lab *lab, unsigned node, const char *text);

#endif
