/* peers_query.c: one host asks the others (the management API needs what only a queue's master knows). One
 * rule: the asker hears every answer that comes, then once that it is over, never inside its own call. */
#include <stdlib.h>

#include "host/peers_private.h"

struct query {
    uint64_t number;
    node_query_fn *fn;
    void *arg;
    node_set waiting;
    ms_time until;
};

void node_query(struct node *n, const char *question, unsigned timeout_ms, node_query_fn *fn, void *arg)
{
    struct loop *loop = loop_of(n);
    struct peers *p = loop->peers;
    if (!p) { /* a node without a cluster has nobody to ask */
        fn(arg, NODE_NONE, NULL);
        return;
    }
    struct query *q = xmalloc(sizeof(*q));
    *q =
        (struct query){.number = ++p->last_query, .fn = fn, .arg = arg, .until = loop_now(loop) + timeout_ms};
    VEC_PUSH(&p->queries, q);
    struct text t = {0};
    uint8_t number[8];
    put_u64(number, q->number);
    text_add_bytes(&t, number, sizeof(number));
    text_add(&t, question);
    for (node_id i = 0; i < LIMIT_NODES; i++) {
        if (!p->peers[i].up)
            continue;
        link_send(p->peers[i].up, TAG_QUESTION, t.s, t.len);
        q->waiting |= node_bit(i);
    }
    text_finish(&t);
    loop_wake_at(loop, q->until);
    if (!q->waiting)
        loop_again(loop);
}

void node_on_query(struct node *n, node_query_handler *fn)
{
    loop_of(n)->on_query = fn;
}

void query_question(struct link *k, struct bytes data)
{
    struct loop *loop = k->peers->part.loop;
    if (data.len < 8) {
        link_mark_gone(k);
        return;
    }
    char *question = xstrndup((const char *)data.data + 8, data.len - 8);
    char *answer = loop->on_query ? loop->on_query((struct node *)(void *)loop, question) : NULL;
    struct text t = {0};
    text_add_bytes(&t, data.data, 8);
    if (answer)
        text_add(&t, answer);
    if (t.len <= LIMIT_PEER_FRAME)
        link_send(k, TAG_ANSWER, t.s, t.len);
    text_finish(&t);
    free(answer);
    free(question);
}

void query_answered(struct link *k, struct bytes data)
{
    struct peers *p = k->peers;
    if (data.len < 8) {
        link_mark_gone(k);
        return;
    }
    uint64_t number = get_u64(data.data);
    for (size_t i = 0; i < p->queries.len; i++) {
        struct query *q = p->queries.items[i];
        if (q->number != number || !node_in(q->waiting, k->node))
            continue;
        q->waiting &= ~node_bit(k->node);
        char *answer = xstrndup((const char *)data.data + 8, data.len - 8);
        q->fn(q->arg, k->node, answer);
        free(answer);
        return;
    }
    /* it came too late: the asker has been told that it is over */
}

void query_sweep(struct peers *p, ms_time now)
{
    for (size_t i = 0; i < p->queries.len;) {
        struct query *q = p->queries.items[i];
        for (node_id k = 0; k < LIMIT_NODES; k++)
            if (node_in(q->waiting, k) && !p->peers[k].up)
                q->waiting &= ~node_bit(k);
        if (q->waiting && q->until > now) {
            loop_wake_at(p->part.loop, q->until);
            i++;
            continue;
        }
        VEC_REMOVE(&p->queries, i);
        q->fn(q->arg, NODE_NONE, NULL);
        free(q);
        i = 0; /* the asker may have asked again */
    }
}

void query_finish(struct peers *p)
{
    while (p->queries.len) {
        struct query *q = p->queries.items[--p->queries.len];
        q->fn(q->arg, NODE_NONE, NULL);
        free(q);
    }
    VEC_FREE(&p->queries);
}
