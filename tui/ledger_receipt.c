/* ledger_receipt.c: what a consumer or producer that this screen ran says it received: messages, confirms.
 * Nobody else can see what reaches a program that does not answer; this one printed it before the user's
 * eyes. It does not know messages' numbers, so it counts only where there is no doubt: as many were delivered
 * from its queue (confirmed to its publishers) while it ran as it printed, so those were its. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static bool is_program(const struct command *c, const char *name)
{
    const char *path = c->argv ? c->argv[0] : NULL, *slash = path ? strrchr(path, '/') : NULL;
    return path && strcmp(slash ? slash + 1 : path, name) == 0;
}

/* of its command line; NULL: it is not there */
static const char *option(const struct command *c, const char *name)
{
    for (size_t i = 1; c->argv[i] && c->argv[i + 1]; i++)
        if (strcmp(c->argv[i], name) == 0)
            return c->argv[i + 1];
    return NULL;
}

/* "received: Hello World" for each, and "5 received, ..." at the end of several */
static uint64_t received_by(const struct command *c)
{
    static const char each[] = "received: ";
    unsigned long long many;
    char rest;
    if (c->last_line && sscanf(c->last_line, "%llu received%c", &many, &rest) == 2 && rest == ',')
        return many;
    uint64_t count = 0;
    for (const char *at = text_str(&c->output); *at; at += strcspn(at, "\n"), at += *at == '\n')
        count += strncmp(at, each, strlen(each)) == 0;
    return count;
}

/* a producer that waited for confirms says so once it has them all */
static uint64_t confirmed_to(const struct command *c)
{
    const char *count = option(c, "--count");
    if (!strstr(text_str(&c->output), "all confirmed\n"))
        return 0;
    return count ? strtoull(count, NULL, 10) : 1;
}

void model_received(struct model *m, const struct command *c)
{
    bool consumer = is_program(c, "consumer"), producer = is_program(c, "producer");
    uint64_t count = consumer ? received_by(c) : producer ? confirmed_to(c) : 0;
    if (!count)
        return;
    const char *queue = option(c, "--queue");
    for (size_t i = 0; consumer && i < m->away.len; i++) /* also where no node notes what it handed out */
        if (strcmp(m->away.items[i].queue, queue ? queue : "hello") == 0)
            m->away.items[i].consumed = true;
    VEC_PUSH(&m->ledger.receipts,
             (struct receipt){.queue = xstrdup(queue ? queue : "hello"), /* the programs' own default */
                              .kind = consumer ? TRACE_SEEN_DELIVERED : TRACE_SEEN_CONFIRMED,
                              .since_us = c->began_us,
                              .count = count});
}

#define MAX_TAKEN 64 /* are remembered for a screen that comes later (kept.h) */

/* what happened of its kind to its queue since the program began */
struct since {
    const struct receipt *r;
    uint64_t uid;
    uint64_t seen; /* messages */
    bool one;      /* all to one consumer */
};

static bool is_of(const struct since *s, const struct fact *f)
{
    return f->kind == s->r->kind && f->queue_uid == s->uid && f->until_us >= s->r->since_us &&
           (!s->r->until_us || f->from_us <= s->r->until_us);
}

static struct since look_since(const struct ledger *l, const struct receipt *r)
{
    struct since s = {.r = r, .one = r->kind == TRACE_SEEN_DELIVERED};
    const struct fact *before = NULL;
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, r->queue) == 0)
            s.uid = l->names.items[i].uid;
    for (size_t i = 0; i < l->facts.len; i++) {
        const struct fact *f = &l->facts.items[i];
        if (!is_of(&s, f))
            continue;
        s.seen += f->last - f->first + 1;
        s.one = s.one && f->incarnation &&
                (!before || (before->node == f->node && before->incarnation == f->incarnation));
        before = f;
    }
    return s;
}

/* marks the first `left` messages, in the order in which they came; taken: until when they did */
static void mark(struct ledger *l, const struct since *s, struct receipt *taken, uint64_t left)
{
    for (size_t i = 0; i < l->facts.len && left > 0; i++) {
        struct fact f = l->facts.items[i], rest = f;
        if (!is_of(s, &f))
            continue;
        if (f.last - f.first + 1 > left) { /* only some of them */
            f.last = f.first + left - 1;
            rest.first = f.last + 1;
            VEC_PUSH(&l->facts, rest);
            memmove(&l->facts.items[i + 2], &l->facts.items[i + 1],
                    (l->facts.len - i - 2) * sizeof(*l->facts.items));
            l->facts.items[i + 1] = rest;
        }
        f.received = true;
        f.before = s->r->before;
        taken->until_us = f.until_us > taken->until_us ? f.until_us : taken->until_us;
        l->facts.items[i] = f;
        left -= f.last - f.first + 1;
    }
}

static void take(struct ledger *l, const struct receipt *r)
{
    struct since s = look_since(l, r);
    if (s.seen != r->count && !(s.one && s.seen > r->count))
        return;
    struct receipt taken = *r;
    taken.queue = xstrdup(r->queue);
    taken.asked = false;
    mark(l, &s, &taken, r->count);
    if (l->taken.len == MAX_TAKEN) {
        free(l->taken.items[0].queue);
        VEC_REMOVE(&l->taken, 0);
    }
    VEC_PUSH(&l->taken, taken);
}

/* The nodes' first answers after its end may be of before it; with the second ones all is known that led to
 * what it printed. */
bool ledger_take_receipts(struct ledger *l)
{
    bool any = false;
    size_t kept = 0;
    for (size_t i = 0; i < l->receipts.len; i++) {
        struct receipt *r = &l->receipts.items[i];
        if (!r->asked) {
            r->asked = true;
            l->receipts.items[kept++] = *r;
            continue;
        }
        take(l, r);
        free(r->queue);
        any = true;
    }
    l->receipts.len = kept;
    return any;
}
