/* sabotage.c: wrong answers between the library and the checker, to see that each is noticed
 * (tests/sim/test_checker.c). Most stand where the answer passes; here is what would distort a whole struct.
 */
#include "sim/world.h"

static int64_t times(int64_t ms, int64_t by, int64_t part)
{
    return ms < 0 ? ms : ms * by / part;
}

void sabotage_queue(const struct sim *s, struct queue_info *info, struct queue_args *args)
{
    enum sim_sabotage what = s->options.sabotage;
    *args = *info->args; /* shallow */
    if (what == SABOTAGE_LENGTH_LOWER && args->max_length > 0)
        args->max_length--;
    if (what == SABOTAGE_SINGLE_SHOWN)
        args->single_active_consumer = true;
    bool longer = what == SABOTAGE_TIMES_LONGER;
    if (longer || what == SABOTAGE_TIMES_SHORTER) {
        args->message_ttl_ms = times(args->message_ttl_ms, longer ? 3 : 1, longer ? 1 : 3);
        args->expires_ms = times(args->expires_ms, longer ? 3 : 1, longer ? 1 : 3);
    }
    info->args = args;
}

void sabotage_view(const struct sim *s, node_id n, struct view_info *v)
{
    if (s->options.sabotage == SABOTAGE_LEFT_WAITED_FOR && v->phase == PHASE_STARTING)
        v->ran_last |= s->check.nodes[n].left;
    if (s->options.sabotage == SABOTAGE_STAYED_FORGOTTEN)
        v->ran_last = 0;
    if (s->options.sabotage == SABOTAGE_EPOCH_CUT)
        v->epoch /= LIMIT_NODES;
}

msg_id sabotage_place(const struct sim *s, const struct queue_info *info, const struct ledger_message *m,
                      msg_id id)
{
    bool given_away = info->replica && info->master < SIM_NODES && !node_in(m->memory, info->master);
    bool moved = s->cuts > 0 && m->fate == FATE_CONFIRMED && given_away;
    return s->options.sabotage == SABOTAGE_PLACE_MOVED && moved ? id + 1 : id;
}

#define AHEAD 1000

/* What a mirror holds, and one more. */
void sabotage_copy(struct sim *s, const struct queue_info *info, const struct ledger_queue *lq)
{
    struct check *c = &s->check;
    bool limits = lq->auto_ack || lq->max_length || lq->max_bytes || lq->ttl_ms;
    if (s->options.sabotage != SABOTAGE_MIRROR_AHEAD || !info->replica || !limits || c->walk.len == 0)
        return;
    struct seen_message more = c->walk.items[c->walk.len - 1];
    more.id += AHEAD;
    VEC_PUSH(&c->walk, more);
}

/* Nothing is wrong with it but the moment: for the shrinker, from whose schedule other lines must not take
 * it. */
void sabotage_kill(struct sim *s, node_id n)
{
    unsigned fresh = 0;
    for (size_t i = 0; i < s->ledger.messages.len && s->options.sabotage == SABOTAGE_UNLUCKY_KILL; i++) {
        const struct ledger_message *m = &s->ledger.messages.items[i];
        fresh += m->placed && m->first_ms == s->now_us / 1000 && m->memory == node_bit(n);
    }
    if (fresh >= 2 && s->steps % 8 == 0)
        sim_fail(s, "luck", "%s is killed with %u of this millisecond that nobody else has", s->names[n],
                 fresh);
}

const char *sim_sabotage_name(enum sim_sabotage s)
{
    switch (s) {
    case SABOTAGE_NONE: return "none";
    case SABOTAGE_CONFIRM_TWICE: return "confirm twice";
    case SABOTAGE_CONFIRM_SWALLOWED: return "confirm swallowed";
    case SABOTAGE_CONFIRM_EARLY: return "confirm early";
    case SABOTAGE_DISK_LIES: return "disk lies";
    case SABOTAGE_MESSAGE_DROPPED: return "message dropped";
    case SABOTAGE_REDELIVERED_HIDDEN: return "redelivered hidden";
    case SABOTAGE_ANSWER_TWICE: return "answer twice";
    case SABOTAGE_SYNC_ERROR_IGNORED: return "sync error ignored";
    case SABOTAGE_DISK_ROTS: return "disk rots";
    case SABOTAGE_ORDER_SWAPPED: return "order swapped";
    case SABOTAGE_ACK_SWALLOWED: return "ack swallowed";
    case SABOTAGE_TRANSIENT_FORGOTTEN: return "transient forgotten";
    case SABOTAGE_MIRROR_HOLE: return "mirror hole";
    case SABOTAGE_TWO_MASTERS: return "two masters";
    case SABOTAGE_POLICY_IGNORED: return "policy ignored";
    case SABOTAGE_NEVER_PAUSES: return "never pauses";
    case SABOTAGE_PARTITIONS_HIDDEN: return "partitions hidden";
    case SABOTAGE_NO_RECONNECT: return "no reconnect";
    case SABOTAGE_LENGTH_LOWER: return "length lower";
    case SABOTAGE_TIMES_LONGER: return "times longer";
    case SABOTAGE_TIMES_SHORTER: return "times shorter";
    case SABOTAGE_PRIORITY_TURNED: return "priority turned";
    case SABOTAGE_SINGLE_SHOWN: return "single shown";
    case SABOTAGE_DEAD_LETTER_SWALLOWED: return "dead letter swallowed";
    case SABOTAGE_DEAD_LETTER_TWICE: return "dead letter twice";
    case SABOTAGE_CANCEL_SWALLOWED: return "cancel swallowed";
    case SABOTAGE_RETURN_HIDDEN: return "return hidden";
    case SABOTAGE_CONFIRM_TURNED: return "confirm turned";
    case SABOTAGE_OWNER_STAYS: return "owner stays";
    case SABOTAGE_GOT_TWICE: return "got twice";
    case SABOTAGE_CONSUMER_HIDDEN: return "consumer hidden";
    case SABOTAGE_LEFT_WAITED_FOR: return "left waited for";
    case SABOTAGE_STAYED_FORGOTTEN: return "stayed forgotten";
    case SABOTAGE_EPOCH_CUT: return "epoch cut";
    case SABOTAGE_YOUNGEST_FIRST: return "youngest first";
    case SABOTAGE_PUBLISH_SWAPPED: return "publish swapped";
    case SABOTAGE_GOT_EARLIER: return "got earlier";
    case SABOTAGE_PLACE_MOVED: return "place moved";
    case SABOTAGE_MIRROR_AHEAD: return "mirror ahead";
    case SABOTAGE_UNLUCKY_KILL: return "unlucky kill";
    case SABOTAGE_COUNT_: break;
    }
    return "?";
}
