/* apart.h: a partition in words: nodes that all answer this screen and do not see each other. */
#ifndef TUI_APART_H
#define TUI_APART_H

#include "model.h"

/* Of the nodes that this one is apart from: their links are back, and still each side goes its own way. */
bool apart_links_back(const struct snapshot *s, int node);

/* A new snapshot has come: whom was each node seen to be apart from? */
void apart_observe(struct model *m, const struct snapshot *s);

/* Whom it lists as partitioned from it: of those that do not run only whom it was seen to be apart from. */
node_bits apart_listed(const struct model *m, int node);

/* Those that stopped while they were cut off; not one that is frozen: it refuses no connection. */
node_bits apart_stopped(const struct model *m);

/* Nodes that do not see the node whose lists are shown: the side that will have to begin again. */
node_bits apart_others(const struct snapshot *s);

/* "cut off from node2,node3", "links back, still apart"; "was apart from node3" of what it still lists but
 * does not run, if both were seen to be apart; "links were cut: x heals" of a node cut from this screen,
 * before anybody notices and when it does not run; "went while apart" of one whose links were mended
 * since, or cut elsewhere; NULL: nothing of the kind. The caller frees it. */
char *apart_of_node(const struct model *m, int node);

/* After how long without a word nodes of this lab take another one for gone. */
ms_time apart_silence_ms(const struct model *m);

/* What goes on and what mends it, in one line, no key while B mends it; also that a cut was not noticed yet.
 * NULL: there is no partition. The caller frees it. */
char *apart_advice(const struct model *m);

/* A node that serves this queue in another view than `node` is in, which so cannot reach it; -1: none of
 * those that serve it is apart from `node`, or nobody is known to. */
int apart_served_by(const struct model *m, const char *queue, int node);

/* "TWO MASTERS", "3 MASTERS", "ONE SIDE"; NULL: this queue is served once, or nobody says. */
const char *apart_queue_state(const struct model *m, const struct queue_seen *q, char buffer[32]);

/* "3/4": what each master counts, in the nodes' order, at most `width` columns; or how many views there are.
 */
void apart_counts(const struct queue_seen *q, char *buffer, size_t size, int width);

#endif
