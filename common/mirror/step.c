/* step.c: the one way in. Every event finds its function here; the end of a turn sends what was gathered. */
#include "mirror/mirror_private.h"

#include "base/text.h"

#include "base/ban.h"

void queue_touch(struct mirror *m, struct queue *q)
{
    if (q->dirty)
        return;
    q->dirty = true;
    VEC_PUSH(&m->dirty, q);
}

void send_to(struct effects *out, node_set to, struct peer_msg *msg)
{
    if (!to) {
        peer_msg_destroy(msg);
        return;
    }
    struct effect *fx = effects_add(out, FX_SEND);
    fx->u.send.to = to;
    fx->u.send.msg = msg;
}

void tell(struct effects *out, const char *kind, const char *queue, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    struct effect *fx = effects_add(out, FX_EVENT);
    fx->u.event.kind = kind;
    fx->u.event.queue = queue ? xstrdup(queue) : NULL;
    fx->u.event.text = t.s;
}

static void flush_dirty(struct mirror *m, struct effects *out)
{
    for (size_t i = 0; i < m->dirty.len; i++) { /* grows while we go: a flush may touch others */
        struct queue *q = m->dirty.items[i];
        if (!q)
            continue; /* dropped meanwhile */
        m->dirty.items[i] = NULL;
        q->dirty = false;
        uint64_t uid = q->rec.uid;
        if (q->stream)
            stream_flush(m, q, out);
        if (q->role == ROLE_MASTER)
            master_flush(m, q, out);
        else if (q->role == ROLE_MIRROR)
            replica_flush(m, q, out);
        ASSERT(queue_by_uid(m, uid) == NULL || !q->unsaved || q->dirty);
    }
    m->dirty.len = 0;
}

static void turn_end(struct mirror *m, struct effects *out)
{
    view_time(m, out);
    if (serving(m))
        timers_fire(m);
    if (m->retry_wanted && serving(m)) {
        m->retry_wanted = false;
        commands_retry(m, out);
    }
    syncs_begin(m, out);
    flush_dirty(m, out);
    submits_flush(m, out);
    if (m->version_to_ack && m->epoch == m->promised && m->coordinator != m->o.self && !m->leave_sent) {
        struct peer_msg *msg = peer_msg_create(PEER_META_ACK, m->epoch);
        msg->u.meta_ack.version = m->version_to_ack;
        m->version_to_ack = 0;
        send_to(out, node_bit(m->coordinator), msg);
    }
    review(m, out);
    view_turn(m, out);
    if (m->leave_sent)
        commands_refuse(m, out);
    flush_dirty(m, out);
}

int mirror_step(struct mirror *m, const struct event *ev, struct effects *out)
{
    m->now = ev->now;
    if (m->over)
        return 0; /* the next life has begun, or is about to */
    switch (ev->type) {
    case EV_START:
        recover_end(m, out);
        view_start(m, out);
        break;
    case EV_STOP: view_stop(m, out); break;
    case EV_TICK: /* turn_end looks at the time, too */
        view_time(m, out);
        if (serving(m))
            timers_fire(m);
        break;
    case EV_TURN_END: turn_end(m, out); break;
    case EV_DISK_DONE:
        disk_done(m, ev->u.disk.persisted, out);
        promise_on_disk(m, out);
        repairs_check(m, out);
        break;
    case EV_PEER_UP: view_peer_up(m, ev->u.peer.node, out); break;
    case EV_PEER_DOWN: view_peer_down(m, ev->u.peer.node, out); break;
    case EV_PEER_MESSAGE: receive(m, ev->u.peer.node, ev->u.peer.msg, out); break;
    case EV_DECLARE:
    case EV_DELETE:
    case EV_PURGE:
    case EV_PUBLISH:
    case EV_GET:
    case EV_SUBSCRIBE:
    case EV_UNSUBSCRIBE:
    case EV_CREDIT:
    case EV_SETTLE:
    case EV_OWNER_GONE:
    case EV_SET_POLICY:
    case EV_CLEAR_POLICY:
    case EV_SYNC:
    case EV_CANCEL_SYNC:
    case EV_META_PUT:
    case EV_META_DELETE:
    case EV_FORGET_NODE: command(m, ev, out); break;
    case EV_CLIENTS: clients_changed(m, ev->u.clients.count, out); break;
    case EV_MEMORY:
    case EV_CLIENT_OPEN:
    case EV_CLIENT_DATA:
    case EV_CLIENT_DRAINED:
    case EV_CLIENT_CLOSED: break; /* the broker's */
    }
    return 0;
}

ms_time mirror_deadline(const struct mirror *m)
{
    bool waits =
        !m->over && m->stopping && !m->leave_sent && m->phase != PHASE_STOPPED && m->now < m->stop_deadline;
    ms_time timer = serving(m) && !m->over && m->timers.len ? m->timers.items[0]->timer_at : UINT64_MAX;
    bool looks = !m->over && m->phase == PHASE_STARTING && m->looks;
    return u64_min(u64_min(waits ? m->stop_deadline : UINT64_MAX, looks ? m->start_deadline : UINT64_MAX),
                   timer);
}
