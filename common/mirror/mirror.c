/* mirror.c: making and ending a node's library. */
#include "mirror/mirror_private.h"

#include "base/ban.h"

void mirror_options_defaults(struct mirror_options *o)
{
    *o = (struct mirror_options){
        .incarnation = 1,
        .confirm_after_mirrors = true,
        .confirm_after_disk = true,
        .oldest_promoted = true,
        .batch_bytes = LIMIT_BATCH_BYTES,
        .table_bytes = LIMIT_TABLE_BYTES,
    };
}

static const char *const handling_names[] = {
    [PARTITION_IGNORE] = "ignore",
    [PARTITION_PAUSE_MINORITY] = "pause_minority",
    [PARTITION_AUTOHEAL] = "autoheal",
};

const char *partition_handling_name(enum partition_handling h)
{
    return handling_names[h];
}

bool partition_handling_parse(const char *name, enum partition_handling *out)
{
    for (size_t i = 0; i < ARRAY_LEN(handling_names); i++)
        if (strcmp(name, handling_names[i]) == 0) {
            *out = (enum partition_handling)i;
            return true;
        }
    return false;
}

struct mirror *mirror_create(const struct mirror_options *o)
{
    ASSERT(o->nodes_len > 0 && o->nodes_len <= LIMIT_NODES && o->self < o->nodes_len && o->incarnation);
    struct mirror *m = xcalloc(1, sizeof(*m));
    m->o = *o;
    m->o.names = NULL;
    for (size_t i = 0; i < o->nodes_len; i++)
        m->names[i] = xstrdup(o->names[i]);
    rng_init(&m->rng, o->seed);
    m->phase = PHASE_STARTING;
    m->next_id = o->incarnation << 20; /* an answer to an earlier life must not look like one to this */
    m->coordinator = NODE_NONE;
    m->candidate = NODE_NONE;
    m->fresh = true;
    map_init(&m->queues);
    map_init(&m->by_uid);
    map_init(&m->keys);
    map_init(&m->queue_keys);
    map_init(&m->pending);
    map_init(&m->subs);
    map_init(&m->recovered_seen);
    return m;
}

void mirror_destroy(struct mirror *m)
{
    if (!m)
        return;
    tables_free(m);
    commands_free(m);
    drop_held(m->deferred.items, m->deferred.len);
    VEC_FREE(&m->deferred);
    drop_held(m->early.items, m->early.len);
    VEC_FREE(&m->early);
    for (size_t i = 0; i < m->submits.len; i++)
        submit_destroy(m->submits.items[i]);
    VEC_FREE(&m->submits);
    RING_FREE(&m->results);
    RING_FREE(&m->removals);
    RING_FREE(&m->sync_waits);
    RING_FREE(&m->disk_waits);
    VEC_FREE(&m->dirty);
    VEC_FREE(&m->timers);
    VEC_FREE(&m->trace);
    map_finish(&m->recovered_seen);
    for (size_t i = 0; i < m->recovered_table.len; i++)
        meta_entry_finish(&m->recovered_table.items[i]);
    VEC_FREE(&m->recovered_table);
    for (size_t i = 0; i < LIMIT_NODES; i++)
        peer_msg_destroy(m->change.answers[i]);
    peer_msg_destroy(m->change.install);
    peer_msg_destroy(m->prepare_waits);
    for (node_id n = 0; n < LIMIT_NODES; n++)
        held_drop(m, n);
    leftovers_clear(&m->leftovers);
    leftovers_clear(&m->handed_over);
    leftovers_clear(&m->change.leftovers);
    for (size_t i = 0; i < m->o.nodes_len; i++)
        free(m->names[i]);
    free(m);
}
