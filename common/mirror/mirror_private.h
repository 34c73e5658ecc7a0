/* mirror_private.h: what the files of the mirroring library ask of each other, a group a file. Only
 * common/mirror includes it. The state they share is in mirror_state.h. */
#ifndef MIRROR_PRIVATE_H
#define MIRROR_PRIVATE_H

#include "mirror/mirror_state.h"

/* ---- step.c ---- */
void queue_touch(struct mirror *m, struct queue *q);
void send_to(struct effects *out, node_set to, struct peer_msg *msg); /* takes msg */
void tell(struct effects *out, const char *kind, const char *queue, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static inline node_set others_of(const struct mirror *m, node_set s)
{
    return s & ~node_bit(m->o.self);
}
static inline const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}
static inline bool serving(const struct mirror *m)
{
    return m->phase == PHASE_SERVING;
}

/* ---- receive.c ---- */
bool in_mirrors(const struct queue *q, node_id n);
void receive(struct mirror *m, node_id from, struct peer_msg *msg,
             struct effects *out); /* msg stays the caller's */
void receive_session(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out);
/* the same, of one that waited its turn already */
void take_session(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out);
void retry_early(struct mirror *m, struct effects *out);
struct peer_msg *steal(struct peer_msg *msg); /* moves everything msg owns into a new one */
void drop_held(struct held_msg *items, size_t len);

/* ---- meta.c ---- */
/* the version that added this mirror; it may have been removed and added again since somebody looked */
uint32_t added_by(const struct meta_entry *rec, node_id n);
struct queue *queue_by_uid(const struct mirror *m, uint64_t uid);
void meta_apply(struct mirror *m, const struct meta_entry *e, struct effects *out);
struct meta_entry *meta_snapshot(const struct mirror *m, size_t *len); /* the caller's: entries_free */
void entries_free(struct meta_entry *e, size_t len);
void meta_replace(struct mirror *m, const struct meta_entry *entries, size_t len, struct effects *out);
void queue_drop(struct mirror *m, struct queue *q, bool deleted, struct effects *out);
struct queue *queue_create(struct mirror *m, const struct meta_entry *rec);
struct policy *policy_of_entry(const struct mirror *m, const struct meta_entry *e); /* the caller's */
/* The one that counts: of the highest priority, the first by name; NULL: none matches. */
const struct policy *policy_among(struct policy *const *policies, size_t len, const char *what,
                                  const char *name);
const struct policy *policy_for(const struct mirror *m, const char *what, const char *name);
const struct policy *queue_policy(const struct mirror *m, const struct queue *q);
void tables_free(struct mirror *m);
bool table_takes(const struct mirror *m, const struct meta_entry *e); /* there is room for one more like it */
struct forgotten *forgotten_list(const struct mirror *m, size_t *len); /* the caller's: free */
void forgotten_replace(struct mirror *m, const struct forgotten *list, size_t len);

/* ---- coordinate.c ---- */
void submit_entry(struct mirror *m, struct submit *s); /* takes s */
void submits_flush(struct mirror *m, struct effects *out);
struct submit *submit_create(enum meta_type type);
void submit_destroy(struct submit *s);
void handle_submit(struct mirror *m, node_id from, uint64_t req, const struct owner *owner,
                   const struct meta_entry *e, struct effects *out);
void handle_result(struct mirror *m, uint64_t req, enum answer_status status, struct effects *out);
void handle_meta(struct mirror *m, struct peer_msg *msg, struct effects *out);
void handle_meta_ack(struct mirror *m, node_id from, uint64_t version, struct effects *out);
void results_flush(struct mirror *m, struct effects *out);
void review(struct mirror *m, struct effects *out);
void resubmit(struct mirror *m);

/* ---- view.c, lead.c, leave.c, install.c ---- */
void send_hello(struct mirror *m, node_set to, struct effects *out);
void view_served(struct mirror *m, struct effects *out);
void view_start(struct mirror *m, struct effects *out);
void view_peer_up(struct mirror *m, node_id peer, struct effects *out);
void view_peer_down(struct mirror *m, node_id peer, struct effects *out);
void view_handle(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out);
void view_stop(struct mirror *m, struct effects *out);
void view_time(struct mirror *m, struct effects *out);
node_set view_waits_for(const struct mirror *m); /* who has to come before this node may start to serve */
void view_turn(struct mirror *m, struct effects *out);
void begin_change(struct mirror *m, struct effects *out);
void install(struct mirror *m, const struct peer_msg *msg, struct effects *out);
void repairs_check(struct mirror *m, struct effects *out);
void serve(struct mirror *m, struct effects *out);

/* ---- handover.c ---- */
void leftovers_clear(struct leftovers *l);
void handover_collect(struct mirror *m, struct queue *q);
/* INSTALLED, SERVE in parts of a batch each: *at = 0 to begin; NULL at the end */
struct peer_msg *installed_msg(const struct mirror *m, size_t *at);
struct peer_msg *serve_msg(const struct mirror *m, node_id to, size_t *at);
void handover_gather(struct leftovers *to, const struct peer_msg *part);
void handover_deliver(struct mirror *m, const struct leftovers *all, struct effects *out);

/* ---- lead.c ---- */
node_set viewless(const struct mirror *m);
node_set reachable(const struct mirror *m); /* other members, in the life this view knows them in */
bool is_forgotten(const struct mirror *m, node_id n);
node_set joiners(const struct mirror *m, node_set members);
node_id oldest_reachable(const struct mirror *m);
bool somebody_leads(const struct mirror *m);
void change_end(struct mirror *m);
void change_if_mine(struct mirror *m, struct effects *out);
void join_check(struct mirror *m, struct effects *out);
void promise_on_disk(struct mirror *m, struct effects *out); /* the disk has done something */
void answer_prepare(struct mirror *m, struct effects *out);
void handle_prepare(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out);
void handle_prepared(struct mirror *m, node_id from, struct peer_msg *msg, struct effects *out);
void handle_installed(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out);
void refuse(struct mirror *m, node_id to, uint64_t epoch, enum refusal why, struct effects *out);

/* ---- partition.c ---- */
bool cut_from(const struct mirror *m, node_id n); /* linked again, but not what it was in one view with */
bool pause_if_minority(struct mirror *m, node_set stay, struct effects *out); /* true: this life is over */
void excluded(struct mirror *m, node_id by, uint64_t promised, struct effects *out);
bool given_up(const struct mirror *m, const struct peer_msg *view);
bool asked_with_others_side(const struct mirror *m, const struct peer_msg *prepare);
void tell_apart(struct mirror *m, node_set before, struct effects *out);
void report(struct mirror *m, node_id to, node_id lost, uint64_t incarnation, struct effects *out);
void report_missing(struct mirror *m, node_id candidate, const struct peer_msg *prepare, struct effects *out);
void handle_report(struct mirror *m, node_id from, const struct peer_msg *msg, struct effects *out);
void links_did_not_come(struct mirror *m, struct effects *out);
void report_back(struct mirror *m, node_id from, struct effects *out);
void report_again(struct mirror *m, node_id to, struct effects *out);
bool must_wait(const struct mirror *m, node_id from, const struct peer_msg *prepare);
/* takes what prepare owns */
void hold_prepare(struct mirror *m, node_id from, struct peer_msg *prepare, struct effects *out);
void held_drop(struct mirror *m, node_id from);
void held_retry(struct mirror *m, struct effects *out);
void held_refuse(struct mirror *m, struct effects *out);
void note_sides(struct mirror *m);
void unlist(struct mirror *m, node_id n);
void heal_check(struct mirror *m, struct effects *out);
void handle_heal(struct mirror *m, node_id from, uint64_t epoch, struct effects *out);
void clients_changed(struct mirror *m, uint32_t count, struct effects *out);

/* ---- leave.c ---- */
void send_left(struct mirror *m, node_set to, struct effects *out);
void last_one_stays(struct mirror *m, struct effects *out);
void handle_leave(struct mirror *m, node_id from, struct effects *out);

/* ---- decide.c ---- */
struct decision_in {
    const struct mirror *m;          /* for policies and names only */
    node_set members;                /* of the new view */
    node_set clean;                  /* nodes that are away and stopped in order */
    const uint64_t *incarnations;    /* of the members */
    struct peer_msg *const *answers; /* PREPARED by node; NULL for those not asked */
};
/* Changes entries to what the new view says; gives the repairs. */
void decide(const struct decision_in *in, struct meta_entry **entries, size_t *entries_len,
            struct repair **repairs, size_t *repairs_len);

/* ---- master.c ---- */
void master_begin(struct mirror *m, struct queue *q);
void master_end(struct mirror *m, struct queue *q);
void master_copies(struct mirror *m, struct queue *q,
                   struct effects *out); /* mirrors of rec -> copies; INIT for new ones */
void master_publish(struct mirror *m, struct queue *q, node_id from, uint64_t incarnation, uint64_t base,
                    uint64_t seq, struct message *msg, struct effects *out);
void master_op(struct queue *q, enum op_type type, msg_id id);
void master_send(struct mirror *m, struct queue *q, struct effects *out);
/* The next batch of the retained operations first .. upto, as OPS; the caller adds what else it says. */
struct peer_msg *ops_batch(const struct mirror *m, const struct queue *q, uint64_t epoch, uint64_t first,
                           uint64_t upto);
void master_flush(struct mirror *m, struct queue *q, struct effects *out);
void master_release(struct mirror *m, struct queue *q, struct effects *out);
void master_ack(struct mirror *m, struct queue *q, node_id from, uint64_t applied, uint64_t durable,
                struct effects *out);
void master_check_synced(struct mirror *m, struct queue *q);
uint64_t master_applied(const struct mirror *m, const struct queue *q);
struct copy *find_copy(struct queue *q, node_id node); /* one that is there */
void master_committed(struct mirror *m, uint64_t uid, uint64_t version);
void master_refuse(struct mirror *m, struct queue *q, enum answer_status status, struct effects *out);
void retained_clear(struct queue *q);
void retained_trim(struct queue *q, uint64_t upto);
void reply(struct mirror *m, uint64_t uid, uint64_t generation, node_id to, const struct outgoing *r,
           struct effects *out); /* drops r->msg */

/* ---- limit.c ---- */
void limits_refresh(struct mirror *m, struct queue *q, struct effects *out);
void limits_finish(struct limits *l);
void limit_enforce(struct mirror *m, struct queue *q, struct effects *out);
bool limit_refuses(struct mirror *m, struct queue *q, struct message *msg, struct effects *out);
void limit_published(struct mirror *m, struct queue *q, msg_id id, struct effects *out);
void tell_dead_letter(const struct queue *q, struct message *msg, enum death reason, struct effects *out);
void drop_message(struct mirror *m, struct queue *q, msg_id id, enum death reason, struct effects *out);
void rejected_add(const struct mirror *m, struct queue *q, struct rejected r, uint64_t base);
void persist_rejected(struct mirror *m, struct queue *q, struct rejected r, uint64_t base,
                      struct effects *out);
void persist_origin(struct mirror *m, const struct queue *q, const struct origin *o, uint64_t lost,
                    struct effects *out);

/* ---- expiry.c ---- */
ms_time expiry_of(const struct mirror *m, const struct queue *q, const struct message *msg);
void expire_heads(struct mirror *m, struct queue *q, msg_id spare, struct effects *out);
void expiry_turn(struct mirror *m, struct queue *q, struct effects *out);
void queue_used(struct mirror *m, struct queue *q);
void timer_off(struct mirror *m, struct queue *q);
void timers_fire(struct mirror *m);

/* ---- consume.c ---- */
void handle_request(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                    struct effects *out);
void handle_settle(struct mirror *m, struct queue *q, node_id from, uint64_t sub, enum settle how,
                   const msg_id *ids, size_t len, struct effects *out);
void handle_credit(struct mirror *m, struct queue *q, node_id from, uint64_t sub, uint32_t credit);
void dispatch(struct mirror *m, struct queue *q, struct effects *out);
void dispatch_new(struct mirror *m, struct queue *q, msg_id fresh, struct effects *out);
void queue_remove(struct mirror *m, struct queue *q); /* as its arguments want it, not a client */
void consumers_of_node_gone(struct mirror *m, struct queue *q, node_set gone);
void tell_active(struct mirror *m, struct queue *q, struct effects *out);
void consumers_free(struct master *ms);

/* ---- replica.c ---- */
void handle_init(struct mirror *m, struct queue *q, const struct peer_msg *msg, struct effects *out);
void handle_ops(struct mirror *m, struct queue *q, struct peer_msg *msg, struct effects *out);
void replica_flush(struct mirror *m, struct queue *q, struct effects *out);
void replica_complete(struct mirror *m, struct queue *q, struct effects *out);
void replica_synced(struct mirror *m, struct queue *q, struct effects *out);
void replica_begin(struct mirror *m, struct queue *q, struct effects *out); /* empty mirror of a new queue */
struct origin *note_origin(struct queue *q, node_id node, uint64_t incarnation, uint64_t seq);
void replica_discard(struct mirror *m, struct queue *q, struct effects *out);
void promote(struct mirror *m, struct queue *q, struct effects *out);
void promoted_ops(struct mirror *m, struct queue *q);

/* ---- sync.c ---- */
void sync_begin(struct mirror *m, struct queue *q, bool requested, struct effects *out);
void sync_stop(struct mirror *m, struct queue *q, bool cancelled, struct effects *out);
void syncs_begin(struct mirror *m, struct effects *out); /* those that waited, as many as may run */
void sync_handle(struct mirror *m, struct queue *q, node_id from, struct peer_msg *msg, struct effects *out);
void sync_step(struct mirror *m, struct queue *q, struct effects *out);
void sync_incoming_drop(struct queue *q);
void sync_maybe(struct mirror *m, struct queue *q,
                struct effects *out); /* automatic, if the policy says so */
void sync_mirror_disk(struct mirror *m, struct queue *q, struct effects *out);

/* ---- stream.c ---- */
void stream_publish(struct mirror *m, struct queue *q, struct message *msg, uint64_t cookie,
                    struct effects *out);
void stream_flush(struct mirror *m, struct queue *q, struct effects *out);
void stream_confirm(struct mirror *m, struct queue *q, uint64_t upto, uint64_t lost, const uint64_t *rejected,
                    size_t rejected_len, struct effects *out);
void stream_end(struct mirror *m, struct queue *q, enum confirm how, struct effects *out);
void handle_publish(struct mirror *m, struct queue *q, node_id from, const struct peer_msg *msg,
                    struct effects *out);
bool streams_empty(const struct mirror *m);

/* ---- command.c ---- */
void command(struct mirror *m, const struct event *ev, struct effects *out);
void commands_retry(struct mirror *m, struct effects *out);
void commands_refuse(struct mirror *m, struct effects *out);
void command_submitted(struct mirror *m, uint64_t pending, enum answer_status status, struct effects *out);
void handle_reply(struct mirror *m, const struct peer_msg *msg, struct effects *out);
void deliver_no_ack(struct mirror *m, const struct queue *q, const struct deliver_item *item,
                    struct effects *out);
void handle_deliver(struct mirror *m, struct queue *q, struct peer_msg *msg, struct effects *out);
void send_subscribe(struct mirror *m, struct queue *q, struct subscription *s, uint64_t req,
                    struct effects *out);
void answer(struct effects *out, uint64_t req, enum answer_status status);
void commands_free(struct mirror *m);

/* ---- subs.c ---- */
void sub_link(struct queue *q, struct subscription *s); /* it consumes from this queue */
void sub_end(struct mirror *m, uint64_t sub);           /* it is no more; no effect if there is none */
void handle_active(struct mirror *m, uint64_t sub);
void subs_of_queue_end(struct mirror *m, struct queue *q, struct effects *out);
void subs_resume(struct mirror *m, struct queue *q, struct effects *out);

/* ---- trace.c ---- */
void trace_add(struct mirror *m, const struct queue *q, struct trace_entry e);
static inline void trace(struct mirror *m, const struct queue *q, enum trace_kind kind, uint64_t first,
                         uint64_t last, node_id node)
{
    if (m->tracing)
        trace_add(m, q,
                  (struct trace_entry){
                      .kind = kind, .first = first, .last = last, .node = node, .origin = NODE_NONE});
}
static inline void trace_publish(struct mirror *m, const struct queue *q, enum trace_kind kind,
                                 uint64_t number, node_id origin, uint64_t incarnation, uint64_t seq)
{
    if (m->tracing)
        trace_add(m, q,
                  (struct trace_entry){.kind = kind,
                                       .first = number,
                                       .last = number,
                                       .node = NODE_NONE,
                                       .origin = origin,
                                       .incarnation = incarnation,
                                       .seq = seq});
}
/* ENQUEUED, COPIED: the message of this slot, at its place */
static inline void trace_placed(struct mirror *m, const struct queue *q, enum trace_kind kind,
                                const struct slot *s, msg_id id, const struct origin *from)
{
    if (m->tracing)
        trace_add(m, q,
                  (struct trace_entry){.kind = kind,
                                       .first = id,
                                       .last = id,
                                       .node = NODE_NONE,
                                       .in_memory = !s->logged,
                                       .logged = s->logged,
                                       .origin = from->node,
                                       .incarnation = from->incarnation,
                                       .seq = from->seq});
}
static inline void trace_delivery(struct mirror *m, const struct queue *q, msg_id id, bool redelivered,
                                  uint64_t sub)
{
    if (m->tracing)
        trace_add(m, q,
                  (struct trace_entry){.kind = TRACE_DELIVERED,
                                       .first = id,
                                       .last = id,
                                       .node = NODE_NONE,
                                       .origin = NODE_NONE,
                                       .incarnation = sub,
                                       .redelivered = redelivered});
}
/* of a master: if it dead-letters what it gives up */
static inline void trace_dead_letter(struct mirror *m, const struct queue *q, msg_id id)
{
    if (q->master->limits.dead_letter_exchange)
        trace(m, q, TRACE_DEAD_LETTERED, id, id, NODE_NONE);
}
void trace_content(struct mirror *m, const struct queue *q, enum trace_kind kind, bool unsynced);
void trace_void(struct mirror *m, const struct queue *q); /* all that it holds */

/* ---- recover.c ---- */
void recover_end(struct mirror *m, struct effects *out);

/* ---- disk.c ---- */
struct record *persist(struct mirror *m, struct effects *out, enum record_type type);
void persist_message(struct mirror *m, struct queue *q, struct slot *s, msg_id id, const struct origin *from,
                     struct effects *out); /* from NULL: a copy */
void lease_all(struct mirror *m, struct queue *q, struct effects *out);
void note_removed(struct queue *q, const struct slot *s, msg_id id); /* before content_remove */
void note_taken(struct queue *q, const struct slot *s, msg_id id);
void disk_turn(struct mirror *m, struct queue *q, struct effects *out);
void disk_done(struct mirror *m, uint64_t persisted, struct effects *out);
uint64_t queue_durable(const struct queue *q);
void persist_meta(struct mirror *m, const struct meta_entry *e, struct effects *out);
void persist_view(struct mirror *m, const struct meta_entry *entries, size_t len, struct effects *out);

#endif
