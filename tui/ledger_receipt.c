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
    VEC_PUSH(&m->ledger.receipts,
             (struct receipt){.queue = xstrdup(queue ? queue : "hello"), /* the programs' own default */
                              .kind = consumer ? TRACE_SEEN_DELIVERED : TRACE_SEEN_CONFIRMED,
                              .since_us = c->began_us,
                              .count = count});
}

static void take(struct ledger *l, const struct receipt *r)
{
    uint64_t seen = 0, uid = 0;
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, r->queue) == 0)
            uid = l->names.items[i].uid;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < l->facts.len; i++) {
            struct fact *f = &l->facts.items[i];
            if (f->kind != r->kind || f->queue_uid != uid || f->until_us < r->since_us)
                continue;
            seen += pass == 0 ? f->last - f->first + 1 : 0;
            f->received = f->received || (pass == 1 && seen == r->count);
        }
}

bool ledger_take_receipts(struct ledger *l)
{
    bool any = l->receipts.len > 0;
    for (size_t i = 0; i < l->receipts.len; i++) {
        take(l, &l->receipts.items[i]);
        free(l->receipts.items[i].queue);
    }
    l->receipts.len = 0;
    return any;
}
