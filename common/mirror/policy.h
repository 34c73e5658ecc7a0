/* policy.h: what a policy says, checked with RabbitMQ's words, and where it wants a queue's replicas. */
#ifndef MIRROR_POLICY_H
#define MIRROR_POLICY_H

#include <jansson.h>

#include "base/text.h"
#include "mirror/types.h"

enum ha_mode { HA_NONE, HA_ALL, HA_EXACTLY, HA_NODES };

struct policy {
    char *name, *pattern, *apply_to, *definition;
    int32_t priority;
    void *code, *match; /* the compiled pattern, and where its matches are put */
    enum ha_mode mode;
    uint32_t count;              /* exactly */
    node_id listed[LIMIT_NODES]; /* nodes: those of this cluster, in the order given */
    size_t listed_len;
    bool automatic; /* ha-sync-mode */
    uint32_t sync_batch;
    bool shutdown_always;                                             /* ha-promote-on-shutdown: always */
    bool failure_when_synced;                                         /* ha-promote-on-failure: when-synced */
    char *master_locator;                                             /* or NULL */
    int64_t max_length, max_length_bytes, message_ttl_ms, expires_ms; /* -1: not set */
    char *overflow, *dead_letter_exchange, *dead_letter_key;          /* or NULL */
};

/* Checks name, pattern, apply-to and definition (JSON text). On success a new policy, the caller's; else NULL
 * and RabbitMQ's words in *error (caller frees). names: the cluster's nodes, for ha-params. */
struct policy *policy_create(const char *name, const char *pattern, const char *apply_to,
                             const char *definition, int32_t priority, char *const *names, size_t names_len,
                             char **error);
void policy_destroy(struct policy *p); /* takes NULL */
/* A JSON value as Erlang prints it: RabbitMQ's error texts show what they refuse so. */
void policy_term(struct text *t, const json_t *value);
bool policy_matches(const struct policy *p, const char *what, const char *name);

/* Placement: a pure function of the policy and of what is there (RabbitMQ's rabbit_mirror_queue_mode_*; the
 * rules are in docs/semantics.md). */
struct placement {
    node_id master;
    node_id mirrors[LIMIT_NODES]; /* oldest first */
    size_t mirrors_len;
};
struct placement place(const struct policy *p /* NULL: none */, node_id master, const node_id *mirrors,
                       size_t mirrors_len, node_set synced, node_set running);

#endif
