/* ledger_telling.h (private to ledger_life.c and ledger_around.c): one message's life while it is being told,
 * from its first fact to its last. */
#ifndef TUI_LEDGER_TELLING_H
#define TUI_LEDGER_TELLING_H

#include "ledger.h"

struct telling {
    const struct ledger *l;
    const struct snapshot *s;
    uint64_t id;
    struct life *life;
    int master;    /* at this point; -1: not known */
    bool accepted; /* the publisher's node said that it took it */
    bool published;
    bool over; /* a consumer has it, or it was removed: what happens to its queue is another's business */
    node_bits down, silent;
    node_bits filling; /* mirrors that began empty, by an event alone: they noted nothing */
    size_t delivery;   /* 1 + the newest one's moment; 0: none */
};

/* what happened around the message is told up to here */
struct around {
    size_t event, absence;
};

/* A new moment at the end. It moves when the next one comes. */
struct moment *life_add(struct telling *t, enum moment_kind kind, int from, int to, int64_t at_us,
                        const char *label);

/* The node that a mirror's or new master's word gives the message, from this moment on; -1: none. */
int life_gets_it(const struct moment *m);

/* Tells what came up to until_us and is not told yet (from *at on), without what was over when the message
 * was published, at from_us. Times since 1970. */
void life_tell_around(struct telling *t, struct around *at, int64_t until_us, int64_t from_us);

#endif
