/* fake.h: nodes that say what a test wants: HTTP servers on ports of their own, in the test's event loop,
 * that answer the management API's questions, freeze, hang up or go away. */
#ifndef SCREEN_FAKE_H
#define SCREEN_FAKE_H

#include <event2/event.h>

#include "lab/labdir.h"

enum fake_mood {
    FAKE_ANSWERS,
    FAKE_FROZEN, /* takes connections and questions, answers nothing (SIGSTOP, a full disk, a lost network) */
    FAKE_GONE,   /* nobody listens on its port */
    FAKE_SILENT, /* cut off: no connection to it comes about, and none is refused (no byte passes) */
    FAKE_GARBAGE /* answers 200 with what is no JSON */
};

struct fake;

struct fake *fake_create(struct event_base *base, size_t nodes);
void fake_destroy(struct fake *f);

/* A node's mood; when it is not there or frozen, `running` is what the others say of it. */
void fake_node(struct fake *f, size_t node, enum fake_mood mood, bool running);

/* What this node alone says of the nodes and of the queues, whatever is set for all; NULL: as all. */
void fake_says(struct fake *f, size_t node, const char *nodes, const char *queues);

/* This node answers this once more; then every node freezes, as the next round begins. */
void fake_freeze_after(struct fake *f, size_t node, const char *uri);

/* JSON lists, as RabbitMQ writes them; the same from every node. NULL feed: 404, as RabbitMQ says. */
void fake_queues(struct fake *f, const char *json);
void fake_policies(struct fake *f, const char *json);
void fake_feed(struct fake *f, const char *json); /* the answer to GET /api/events */

/* What a node answers to GET /api/trace, whatever was asked; NULL: 404. */
void fake_trace(struct fake *f, size_t node, const char *json);

void fake_labdir(const struct fake *f, struct labdir *lab); /* for an observer in the test */
uint64_t fake_rounds(const struct fake *f);                 /* questions for /api/nodes, of all nodes */

/* How often this was asked for ("/api/events?since=5"), by all nodes together, since the last fake_forget. */
size_t fake_asked(const struct fake *f, const char *uri);
void fake_forget(struct fake *f);

#endif
