/* replay_words.c: what was seen in a replay, as facts: the same in all worlds. */
#include "lab/replay.h"

#include <stdlib.h>

void replay_node_list(struct text *t, uint32_t nodes)
{
    bool any = false;
    for (unsigned n = 0; n < SCHED_NODES; n++)
        if (nodes >> n & 1) {
            text_printf(t, "%snode%u", any ? " " : "", n + 1);
            any = true;
        }
}

/* a fact of one list: "node1 node3 run" */
static json_t *of_list(const char *format, struct text *list)
{
    json_t *fact = fact_of(format, text_str(list));
    text_finish(list);
    return fact;
}

static json_t *of_nodes(const char *format, uint32_t nodes)
{
    struct text list = {0};
    replay_node_list(&list, nodes);
    return of_list(format, &list);
}

static bool several(uint32_t nodes)
{
    return (nodes & (nodes - 1)) != 0;
}

json_t *replay_fact_ended(uint32_t nodes)
{
    return of_nodes(several(nodes) ? N_("%s do not run") : N_("%s does not run"), nodes);
}

json_t *replay_fact_started(uint32_t running, uint32_t waiting, uint32_t forgotten)
{
    json_t *fact = NULL;
    if (running)
        fact = of_nodes(several(running) ? N_("%s run") : N_("%s runs"), running);
    if (waiting)
        fact_add(&fact, N_("%s, %s"),
                 of_nodes(several(waiting) ? N_("%s wait for the nodes that ran after them")
                                           : N_("%s waits for the nodes that ran after it"),
                          waiting));
    if (forgotten)
        fact_add(&fact, N_("%s, %s"),
                 of_nodes(several(forgotten) ? N_("%s do not start: they were forgotten")
                                             : N_("%s does not start: it was forgotten"),
                          forgotten));
    return fact;
}

json_t *replay_fact_messages(const char *format, const unsigned *m, size_t len)
{
    struct text list = {0};
    for (size_t i = 0; i < len;) {
        size_t k = i;
        while (k + 1 < len && m[k + 1] == m[k] + 1)
            k++;
        text_printf(&list, "%sm%u", i ? " " : "", m[i]);
        if (k > i)
            text_printf(&list, "%sm%u", k == i + 1 ? " " : "-", m[k]);
        i = k + 1;
    }
    return of_list(format, &list);
}

/* ", in sync node2, holds m1 m2": what a master says, after what names it */
static json_t *copy_fact(json_t *fact, uint32_t mirrors, uint32_t synced, const unsigned *holds, size_t len)
{
    if (!mirrors)
        fact_add(&fact, N_("%s, %s"), fact_of(N_("no mirrors")));
    if (synced)
        fact_add(&fact, N_("%s, %s"), of_nodes(N_("in sync %s"), synced));
    if (mirrors & ~synced)
        fact_add(&fact, N_("%s, %s"), of_nodes(N_("NOT in sync %s"), mirrors & ~synced));
    fact_add(&fact, N_("%s, %s"),
             len ? replay_fact_messages(N_("holds %s"), holds, len) : fact_of(N_("holds nothing")));
    return fact;
}

json_t *replay_fact_queue(const char *name, const struct replay_queue *q)
{
    if (q->state == REPLAY_GONE)
        return fact_of(N_("%s is not there"), name);
    if (q->state != REPLAY_RUNNING && q->master == SCHED_NONE)
        return fact_of(q->state == REPLAY_STOPPED ? N_("%s is stopped") : N_("%s is down"), name);
    if (q->state != REPLAY_RUNNING)
        return fact_of(q->state == REPLAY_STOPPED ? N_("%s is stopped with node%u")
                                                  : N_("%s is down with node%u"),
                       name, q->master + 1u);
    if (!q->sides_len)
        return copy_fact(fact_of(N_("%s runs on node%u"), name, q->master + 1u), q->mirrors, q->synced,
                         q->holds.items, q->holds.len);
    json_t *fact = fact_of(N_("%s has %u masters, one on each side"), name, q->sides_len);
    for (unsigned i = 0; i < q->sides_len; i++) {
        const struct replay_side *side = &q->sides[i];
        fact_add(&fact, N_("%s; %s"),
                 copy_fact(fact_of("node%u", side->master + 1u), side->mirrors, side->synced,
                           side->holds.items, side->holds.len));
    }
    return fact;
}

const char *replay_answer_word(enum replay_answer a)
{
    switch (a) {
    case REPLAY_UNANSWERED: return N_("not answered");
    case REPLAY_CONFIRMED: return N_("confirmed");
    case REPLAY_REFUSED: return N_("refused");
    case REPLAY_UNROUTABLE: return N_("not routed: its queue did not run");
    case REPLAY_NOT_SERVED: return N_("not published: the node served nobody");
    }
    return "?";
}
