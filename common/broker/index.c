/* index.c: what an exchange finds its bindings by when a message comes: a hash table (direct), a trie
 * (topic), or the plain list (fanout, headers). */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

static struct bytes key_of(const struct binding *bd)
{
    return bytes_of(bd->key, bd->key_len);
}

void index_add(struct exchange *x, struct binding *bd)
{
    switch (x->type) {
    case EXCHANGE_DIRECT: {
        struct binding_list *l = map_get(&x->direct, key_of(bd));
        if (!l) {
            l = xcalloc(1, sizeof(*l));
            map_set(&x->direct, key_of(bd), l);
        }
        VEC_PUSH(l, bd);
        break;
    }
    case EXCHANGE_TOPIC: topic_add(x->topic, key_of(bd), bd); break;
    case EXCHANGE_FANOUT:
    case EXCHANGE_HEADERS: break;
    }
}

void index_remove(struct exchange *x, struct binding *bd)
{
    switch (x->type) {
    case EXCHANGE_DIRECT: {
        struct binding_list *l = map_get(&x->direct, key_of(bd));
        for (size_t i = 0; i < l->len; i++)
            if (l->items[i] == bd)
                VEC_REMOVE(l, i--);
        if (l->len == 0) {
            map_remove(&x->direct, key_of(bd));
            VEC_FREE(l);
            free(l);
        }
        break;
    }
    case EXCHANGE_TOPIC: topic_remove(x->topic, key_of(bd), bd); break;
    case EXCHANGE_FANOUT:
    case EXCHANGE_HEADERS: break;
    }
}

void index_free(struct exchange *x)
{
    struct binding_list *l;
    for (size_t at = 0; (l = map_next(&x->direct, &at));) {
        VEC_FREE(l);
        free(l);
    }
    map_finish(&x->direct);
    topic_free(x->topic);
}
