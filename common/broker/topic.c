/* topic.c: topic patterns as a trie of words. `*` is one word, `#` any number of them, also none
 * (AMQP 3.1.3.3).
 *
 * A key is matched by walking all its words once with the set of nodes reached so far, each in it at most
 * once: work is words times nodes however many `#` a pattern has. */
#include "broker/private.h"

#include <stdlib.h>

#include "base/ban.h"

struct topic_node {
    struct map words; /* word -> struct topic_node; `*` and `#` stand apart */
    struct topic_node *star, *hash;
    struct binding_list bindings; /* whose pattern ends here */
    uint64_t reached;             /* the last step of a walk that came here */
    bool is_hash;
};

struct topic_node *topic_create(void)
{
    return xcalloc(1, sizeof(struct topic_node));
}

void topic_free(struct topic_node *n)
{
    if (!n)
        return;
    struct topic_node *child;
    for (size_t at = 0; (child = map_next(&n->words, &at));)
        topic_free(child);
    map_finish(&n->words);
    topic_free(n->star);
    topic_free(n->hash);
    VEC_FREE(&n->bindings);
    free(n);
}

/* Cuts the first word off; false when there are no more. "a..b" has an empty word in it; "" has no word. */
struct words {
    struct bytes rest;
    bool more;
};

static struct words words_of(struct bytes key)
{
    return (struct words){.rest = key, .more = key.len > 0};
}

static bool next_word(struct words *w, struct bytes *word)
{
    if (!w->more)
        return false;
    const uint8_t *dot = w->rest.len ? memchr(w->rest.data, '.', w->rest.len) : NULL;
    if (!dot) {
        *word = w->rest;
        w->more = false;
        return true;
    }
    *word = bytes_of(w->rest.data, (size_t)(dot - w->rest.data));
    w->rest = bytes_of(dot + 1, w->rest.len - word->len - 1);
    return true;
}

static struct topic_node *child_of(struct topic_node *n, struct bytes word)
{
    if (bytes_is(word, "*"))
        return n->star;
    if (bytes_is(word, "#"))
        return n->hash;
    return map_get(&n->words, word);
}

void topic_add(struct topic_node *n, struct bytes pattern, struct binding *bd)
{
    struct words w = words_of(pattern);
    struct bytes word;
    while (next_word(&w, &word)) {
        struct topic_node *child = child_of(n, word);
        if (!child) {
            child = topic_create();
            child->is_hash = bytes_is(word, "#");
            if (bytes_is(word, "*"))
                n->star = child;
            else if (child->is_hash)
                n->hash = child;
            else
                map_set(&n->words, word, child);
        }
        n = child;
    }
    VEC_PUSH(&n->bindings, bd);
}

static bool empty(const struct topic_node *n)
{
    return !n->bindings.len && !n->words.count && !n->star && !n->hash;
}

/* Removes below n, and nodes that nothing hangs on any more. As deep as a key has words: 128 at most. */
static void remove_below(struct topic_node *n, struct words w, const struct binding *bd)
{
    struct bytes word;
    if (!next_word(&w, &word)) {
        for (size_t i = 0; i < n->bindings.len; i++)
            if (n->bindings.items[i] == bd)
                VEC_REMOVE(&n->bindings, i--);
        return;
    }
    struct topic_node *child = child_of(n, word);
    if (!child)
        return;
    remove_below(child, w, bd);
    if (!empty(child))
        return;
    if (child == n->star)
        n->star = NULL;
    else if (child == n->hash)
        n->hash = NULL;
    else
        map_remove(&n->words, word);
    topic_free(child);
}

void topic_remove(struct topic_node *root, struct bytes pattern, const struct binding *bd)
{
    remove_below(root, words_of(pattern), bd);
}

/* n is reached after this step; and so is its `#`, which may stand for no word. */
static void reach(struct broker *b, struct topic_node *n, uint64_t step)
{
    while (n && n->reached != step) {
        n->reached = step;
        VEC_PUSH(&b->topic_next, n);
        n = n->hash;
    }
}

static void swap_sets(struct broker *b)
{
    struct topic_node **items = b->topic_now.items;
    size_t cap = b->topic_now.cap;
    b->topic_now.items = b->topic_next.items;
    b->topic_now.len = b->topic_next.len;
    b->topic_now.cap = b->topic_next.cap;
    b->topic_next.items = items;
    b->topic_next.cap = cap;
    b->topic_next.len = 0;
}

void topic_match(struct broker *b, struct topic_node *root, struct bytes key)
{
    b->topic_now.len = b->topic_next.len = 0;
    reach(b, root, ++b->visit);
    swap_sets(b);
    struct words w = words_of(key);
    struct bytes word;
    while (b->topic_now.len && next_word(&w, &word)) {
        uint64_t step = ++b->visit;
        for (size_t i = 0; i < b->topic_now.len; i++) {
            struct topic_node *n = b->topic_now.items[i];
            if (n->words.count)
                reach(b, map_get(&n->words, word), step);
            reach(b, n->star, step);
            if (n->is_hash) /* it takes this word too */
                reach(b, n, step);
        }
        swap_sets(b);
    }
    for (size_t i = 0; i < b->topic_now.len; i++) {
        struct topic_node *n = b->topic_now.items[i];
        for (size_t k = 0; k < n->bindings.len; k++)
            VEC_PUSH(&b->matched, n->bindings.items[k]);
    }
}
