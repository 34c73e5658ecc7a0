/* ledger_receipt.c: what a consumer that this screen ran says it received. Nobody else can see what reaches a
 * program that does not acknowledge; this one printed it before the user's eyes. It does not know messages'
 * numbers, so it counts only where there is no doubt: as many were delivered from its queue while it ran as
 * it printed, so those were its. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static const char *queue_of(const struct command *c)
{
    if (!c->argv || !c->argv[0])
        return NULL;
    const char *slash = strrchr(c->argv[0], '/'), *queue = "hello"; /* the program's own default */
    if (strcmp(slash ? slash + 1 : c->argv[0], "consumer") != 0)
        return NULL;
    for (size_t i = 1; c->argv[i] && c->argv[i + 1]; i++)
        if (strcmp(c->argv[i], "--queue") == 0)
            queue = c->argv[i + 1];
    return queue;
}

/* "received: Hello World" for each, and "5 received, ..." at the end of several */
static uint64_t printed(const struct command *c)
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

void model_received(struct model *m, const struct command *c)
{
    const char *queue = queue_of(c);
    uint64_t count = queue ? printed(c) : 0;
    if (count)
        VEC_PUSH(&m->ledger.receipts, (struct receipt){xstrdup(queue), c->began_us, count});
}

static void take(struct ledger *l, const struct receipt *r)
{
    uint64_t delivered = 0, uid = 0;
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, r->queue) == 0)
            uid = l->names.items[i].uid;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < l->facts.len; i++) {
            struct fact *f = &l->facts.items[i];
            if (f->kind != TRACE_SEEN_DELIVERED || f->queue_uid != uid || f->until_us < r->since_us)
                continue;
            delivered += pass == 0 ? f->last - f->first + 1 : 0;
            f->received = f->received || (pass == 1 && delivered == r->count);
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
