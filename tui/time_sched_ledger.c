/* time_sched_ledger.c: see time_sched_ledger.h. */
#include "time_sched_ledger.h"

#include <stdlib.h>

#define LEDGER_MAX 500 /* messages; more is never shown */
#define LIVES_MAX  50  /* of so many the life is told, and of so many that are lost */

void sched_book_finish(struct sched_book *b)
{
    for (size_t i = 0; i < b->lives.len; i++)
        json_decref(b->lives.items[i].entries);
    VEC_FREE(&b->lives);
}

static const struct replay_queue *queue_of(const struct replay_message *m, const struct replay_seen *queues,
                                           size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(queues[i].name, m->queue) == 0)
            return queues[i].queue;
    return NULL;
}

/* the nodes that hold it, as far as the queue's masters say: they and their mirrors in sync */
static void holders(struct text *t, const struct replay_queue *q, unsigned number)
{
    if (q && q->state == REPLAY_RUNNING)
        replay_node_list(t, replay_holders(q, number));
    else if (q && q->state != REPLAY_GONE)
        text_add(t, "?");
    if (!t->len)
        text_add(t, "-");
}

static bool is_master(const struct replay_queue *q, unsigned node)
{
    bool master = !q->sides_len && q->master == node;
    for (unsigned i = 0; i < q->sides_len; i++)
        master = master || q->sides[i].master == node;
    return master;
}

/* A letter for each node: M or m holds it, as master or mirror; u a mirror that may lack it; ! does not run;
 * ? its queue does not run, so nobody can say; . has nothing of it. */
static void letters(struct text *t, unsigned nodes, uint32_t away, const struct replay_queue *q,
                    unsigned number)
{
    bool runs = q && q->state == REPLAY_RUNNING;
    uint32_t held = runs ? replay_holders(q, number) : 0, mirrors = runs && !q->sides_len ? q->mirrors : 0;
    for (unsigned i = 0; runs && i < q->sides_len; i++)
        mirrors |= q->sides[i].mirrors;
    for (unsigned n = 0; n < nodes; n++) {
        char letter = '.';
        if (away >> n & 1)
            letter = '!';
        else if (q && !runs && q->state != REPLAY_GONE)
            letter = '?';
        else if (held >> n & 1)
            letter = is_master(q, n) ? 'M' : 'm';
        else if (mirrors >> n & 1)
            letter = 'u';
        text_printf(t, "%c", letter);
    }
}

/* the door's code stands last: it is a name for who reads on (docs/glossary.md), the words say it */
json_t *sched_loss_fact(const struct replay_message *m)
{
    json_t *why = fact_word(sched_door_words(m->door));
    if (!*m->door)
        return fact_with(N_("step %s: %s"), fact_of("%u", m->lost_step), why);
    return fact_with("%s (%s)", fact_with(N_("step %s: %s"), fact_of("%u", m->lost_step), why),
                     fact_of("%s", m->door));
}

static json_t *fate_fact(const struct replay_message *m)
{
    enum sched_fate fate = replay_fate(m);
    json_t *answer = fact_word(replay_answer_word(m->answer));
    if (fate == SCHED_KEPT && m->answer != REPLAY_CONFIRMED)
        return answer; /* nobody was promised anything */
    if (fate == SCHED_LOST)
        return fact_with(N_("%s, LOST at %s"), answer, sched_loss_fact(m));
    return fact_with(N_("%s, %s"), answer, fact_word(m->removed ? N_("removed") : sched_fate_word(fate)));
}

json_t *sched_ledger_json(struct sched_book *b, const struct sched_event *e, unsigned nodes,
                          const struct replay_shown *shown)
{
    json_t *ledger = json_array();
    const struct replay_result *so_far = shown->so_far;
    size_t lost = 0;
    for (size_t i = 0; i < so_far->messages.len && i < LEDGER_MAX; i++) {
        const struct replay_message *m = &so_far->messages.items[i];
        const struct replay_queue *q = queue_of(m, shown->queues, shown->queues_len);
        struct text where = {0}, on = {0};
        char *name = format_text("m%zu", i + b->first);
        json_t *fate = fate_fact(m);
        if (i >= b->lives.len)
            VEC_PUSH(&b->lives, (struct sched_life){0});
        holders(&where, q, (unsigned)i + 1);
        letters(&on, nodes, shown->away, q, (unsigned)i + 1);
        json_t *entry = json_pack("{s:s, s:s, s:o, s:s, s:b}", "message", name, "queue", m->queue, "fate",
                                  fate, "where", text_str(&where), "lost", m->lost_step != 0);
        sched_live_on(&b->lives.items[i], e, nodes, m, q, text_str(&on), fate);
        lost += m->lost_step != 0;
        if (i < LIVES_MAX || (m->lost_step && lost <= LIVES_MAX))
            json_object_set_new(entry, "life", json_deep_copy(b->lives.items[i].entries));
        json_array_append_new(ledger, entry);
        text_finish(&where);
        text_finish(&on);
        free(name);
    }
    return ledger;
}
