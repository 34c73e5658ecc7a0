/* kept.c: see kept.h. Nodes stand in the file by their names, for the places may be others another time. */
#include "kept.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/links.h"

static char *seen_file(const struct labdir *lab)
{
    return format_text("%s/%s", lab->path, LAB_SEEN_FILE);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------ */

static json_t *names_json(const struct snapshot *s, node_bits bits)
{
    json_t *names = json_array();
    for (size_t i = 0; i < s->nodes_len; i++)
        if (bits & ((node_bits)1 << i))
            json_array_append_new(names, json_string(s->nodes[i].name));
    return names;
}

static json_t *name_json(const struct snapshot *s, int node)
{
    return node >= 0 && node < (int)s->nodes_len ? json_string(s->nodes[node].name) : json_null();
}

static uint64_t uid_of(const struct ledger *l, const char *queue)
{
    for (size_t i = 0; i < l->names.len; i++)
        if (strcmp(l->names.items[i].name, queue) == 0)
            return l->names.items[i].uid;
    return 0;
}

static json_t *queue_json(const struct model *m, const struct away *a)
{
    const struct snapshot *s = m->snapshot;
    const struct queue_seen *q = snapshot_queue(s, a->queue);
    uint64_t uid = uid_of(&m->ledger, a->queue);
    json_t *taken = json_array();
    for (size_t i = 0; i < a->taken_len; i++)
        json_array_append_new(
            taken, json_pack("{s:o, s:o, s:b, s:I, s:I}", "from", name_json(s, a->taken[i].from), "to",
                             name_json(s, a->taken[i].to), "level", a->taken[i].level, "held",
                             (json_int_t)a->taken[i].held, "holds", (json_int_t)a->taken[i].holds));
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:b, s:o, s:I, s:I, s:I, "
                     "s:I, s:b, s:I, s:o, s:b, s:I}",
                     "name", a->queue, "uid", (json_int_t)(uid ? uid : a->uid), "copies",
                     names_json(s, a->copies), "masters", names_json(s, a->masters), "now",
                     names_json(s, a->now), "now_master", names_json(s, a->now_master), "served_by",
                     name_json(s, a->served_by), "taken", taken, "forgot", (json_int_t)a->forgot, "split",
                     names_json(s, a->split), "split_wall_ms", (json_int_t)a->split_wall_ms, "splits",
                     (json_int_t)a->splits, "split_over", a->split_over, "kept_on", names_json(s, a->kept_on),
                     "held", (json_int_t)a->held, "in_memory", (json_int_t)a->in_memory, "missing",
                     (json_int_t)a->missing, "lost_earlier", (json_int_t)a->lost_earlier, "back",
                     a->back_at != 0, "messages", (json_int_t)(q ? q->messages : -1), "known",
                     names_json(s, a->known), "consumed", a->consumed, "counted", (json_int_t)a->counted);
}

static json_t *receipt_json(const struct receipt *r)
{
    return json_pack("{s:s, s:b, s:I, s:I, s:I}", "queue", r->queue, "messages",
                     r->kind == TRACE_SEEN_DELIVERED, "since_us", (json_int_t)r->since_us, "until_us",
                     (json_int_t)r->until_us, "count", (json_int_t)r->count);
}

static bool has_losses(const struct ledger *l, uint64_t uid)
{
    for (size_t i = 0; i < l->losses.len; i++)
        if (l->losses.items[i].uid == uid)
            return true;
    return false;
}

/* messages that were lost, by the numbers that this screen gave them; newest last */
static json_t *losses_json(const struct model *m)
{
    const struct ledger *l = &m->ledger;
    json_t *lost = json_array();
    for (size_t i = 0; i < l->losses.len && json_array_size(lost) < KEPT_QUEUES; i++) {
        const struct loss *k = &l->losses.items[i];
        const char *queue = NULL;
        for (size_t n = 0; n < l->names.len; n++)
            queue = l->names.items[n].uid == k->uid ? l->names.items[n].name : queue;
        if (queue) /* else there is another one of its name now */
            json_array_append_new(lost,
                                  json_pack("{s:s, s:I, s:I, s:I, s:o, s:s?, s:b, s:b}", "queue", queue,
                                            "uid", (json_int_t)k->uid, "first", (json_int_t)k->first, "last",
                                            (json_int_t)k->last, "node", name_json(m->snapshot, k->node),
                                            "how", k->how, "in_memory", k->in_memory, "logged", k->logged));
    }
    return lost;
}

/* and how many besides: in more runs than that, or than the ledger keeps */
static json_t *more_lost_json(const struct ledger *l, const json_t *lost)
{
    json_t *more = json_array();
    for (size_t n = 0; n < l->names.len; n++) {
        const char *queue = l->names.items[n].name;
        const json_t *run;
        size_t i;
        json_int_t besides = ledger_lost_of(l, queue, false);
        json_array_foreach(lost, i, run)
        {
            if (strcmp(json_string_value(json_object_get(run, "queue")), queue) == 0)
                besides -= json_integer_value(json_object_get(run, "last")) -
                           json_integer_value(json_object_get(run, "first")) + 1;
        }
        if (besides > 0 && json_array_size(more) < KEPT_QUEUES)
            json_array_append_new(more, json_pack("{s:s, s:I, s:I}", "queue", queue, "uid",
                                                  (json_int_t)l->names.items[n].uid, "count", besides));
    }
    return more;
}

/* and which places have which numbers: the next screen does not hear of each that was given */
static json_t *numbers_json(const struct ledger *l)
{
    json_t *numbers = json_array();
    for (size_t i = 0; i < l->numbers.len && json_array_size(numbers) < KEPT_NUMBERS; i++) {
        const struct number_run *r = &l->numbers.items[i];
        if (has_losses(l, r->uid))
            json_array_append_new(
                numbers, json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "uid", (json_int_t)r->uid, "reign",
                                   (json_int_t)r->reign, "first", (json_int_t)r->first, "last",
                                   (json_int_t)r->last, "number", (json_int_t)r->number, "again", r->again));
    }
    return numbers;
}

/* the queues that the user acted on in this lesson, too */
static json_t *touched_json(const struct model *m)
{
    json_t *touched = json_array();
    for (size_t i = 0; i < m->touched.len && i < KEPT_QUEUES; i++)
        json_array_append_new(touched, json_string(m->touched.items[i]));
    return json_pack("{s:i, s:o}", "lesson", m->lesson ? m->lesson->number : 0, "queues", touched);
}

int kept_save(const struct model *m, const struct labdir *lab)
{
    const struct snapshot *s = m->snapshot;
    if (!s)
        return 0;
    json_t *queues = json_array(), *received = json_array();
    for (size_t i = 0; i < m->away.len && i < KEPT_QUEUES; i++)
        json_array_append_new(queues, queue_json(m, &m->away.items[i]));
    size_t len = m->ledger.taken.len, first = len > KEPT_QUEUES ? len - KEPT_QUEUES : 0;
    for (size_t i = first; i < len; i++)
        json_array_append_new(received, receipt_json(&m->ledger.taken.items[i]));
    json_t *lost = losses_json(m), *more = more_lost_json(&m->ledger, lost);
    json_t *o =
        json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seen_wall_ms",
                  (json_int_t)s->taken_wall_ms, "told_wall_ms", (json_int_t)m->told_wall_ms, "queues", queues,
                  "received", received, "lost", lost, "more_lost", more, "numbers", numbers_json(&m->ledger),
                  "stopped_apart", names_json(s, m->stopped_apart), "touched", touched_json(m));
    char *file = seen_file(lab), *fresh = format_text("%s.new", file);
    int err = json_dump_file(o, fresh, JSON_INDENT(1)) || rename(fresh, file) ? ERR_IO : 0;
    json_decref(o);
    free(file);
    free(fresh);
    return err;
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------ */

static int node_of(const struct labdir *lab, const json_t *name)
{
    for (size_t i = 0; json_is_string(name) && i < lab->nodes_len; i++)
        if (strcmp(lab->nodes[i].name, json_string_value(name)) == 0)
            return (int)i;
    return -1;
}

static node_bits nodes_of(const struct labdir *lab, const json_t *o, const char *key)
{
    node_bits bits = 0;
    const json_t *name;
    size_t i;
    json_array_foreach(json_object_get(o, key), i, name)
    {
        int node = node_of(lab, name);
        bits |= node >= 0 ? (node_bits)1 << node : 0;
    }
    return bits;
}

static int64_t number_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void nobody_told(struct away *a)
{
    for (size_t i = 0; i < LIMIT_NODES; i++)
        a->told[i] = -1;
}

static void take_up_queue(struct model *m, const struct labdir *lab, const json_t *o)
{
    const char *name = json_string_value(json_object_get(o, "name"));
    const json_t *taken;
    size_t i;
    if (!name)
        return;
    struct away a = {.queue = xstrdup(name),
                     .uid = (uint64_t)number_of(o, "uid"),
                     .copies = nodes_of(lab, o, "copies"),
                     .masters = nodes_of(lab, o, "masters"),
                     .now = nodes_of(lab, o, "now"),
                     .now_master = nodes_of(lab, o, "now_master"),
                     .known = nodes_of(lab, o, "known"),
                     .served_by = node_of(lab, json_object_get(o, "served_by")),
                     .serves = -1,
                     .forgot = (size_t)number_of(o, "forgot"),
                     .consumed = json_is_true(json_object_get(o, "consumed")),
                     .split = nodes_of(lab, o, "split"),
                     .split_wall_ms = number_of(o, "split_wall_ms"),
                     .splits = (unsigned)number_of(o, "splits"),
                     .split_over = json_is_true(json_object_get(o, "split_over")),
                     .kept_on = nodes_of(lab, o, "kept_on"),
                     .held = number_of(o, "held"),
                     .in_memory = number_of(o, "in_memory"),
                     .missing = number_of(o, "missing"),
                     .lost_earlier = number_of(o, "lost_earlier"),
                     .back_at = json_is_true(json_object_get(o, "back")),
                     .left = json_object_get(o, "messages") ? number_of(o, "messages") : -1,
                     .left_in_memory = number_of(o, "in_memory"),
                     .left_wall_ms = m->kept_wall_ms,
                     .count.messages = -1,
                     .unsaid = -1,
                     .left_on = nodes_of(lab, o, "now")};
    nobody_told(&a);
    a.split_before = a.split != 0;
    a.loss_told = a.back_at != 0;
    bool counts = json_object_get(o, "counted") != NULL; /* an earlier kit's file has none */
    a.counted = counts ? number_of(o, "counted") : a.loss_told ? a.missing : 0;
    json_array_foreach(json_object_get(o, "taken"), i, taken)
    {
        struct taking_over t = {.from = node_of(lab, json_object_get(taken, "from")),
                                .to = node_of(lab, json_object_get(taken, "to")),
                                .level = json_is_true(json_object_get(taken, "level")),
                                .held = json_object_get(taken, "held") ? number_of(taken, "held") : -1,
                                .holds = json_object_get(taken, "holds") ? number_of(taken, "holds") : -1,
                                .before = true};
        if (t.from >= 0 && t.to >= 0 && a.taken_len < TAKEN_MOST)
            a.taken[a.taken_len++] = t;
    }
    VEC_PUSH(&m->away, a);
}

static void take_up_receipt(struct model *m, const json_t *o)
{
    const char *queue = json_string_value(json_object_get(o, "queue"));
    bool messages = json_is_true(json_object_get(o, "messages"));
    if (queue)
        VEC_PUSH(&m->ledger.receipts,
                 (struct receipt){.queue = xstrdup(queue),
                                  .kind = messages ? TRACE_SEEN_DELIVERED : TRACE_SEEN_CONFIRMED,
                                  .since_us = number_of(o, "since_us"),
                                  .until_us = number_of(o, "until_us"),
                                  .count = (uint64_t)number_of(o, "count"),
                                  .before = true});
}

static void take_up_losses(struct model *m, const struct labdir *lab, const json_t *seen)
{
    const json_t *o;
    size_t i;
    json_array_foreach(json_object_get(seen, "numbers"), i, o)
    {
        struct number_run r = {.uid = (uint64_t)number_of(o, "uid"),
                               .reign = (uint64_t)number_of(o, "reign"),
                               .first = (uint64_t)number_of(o, "first"),
                               .last = (uint64_t)number_of(o, "last"),
                               .number = (uint64_t)number_of(o, "number"),
                               .again = json_is_true(json_object_get(o, "again"))};
        if (i < KEPT_NUMBERS && r.first <= r.last)
            VEC_PUSH(&m->ledger.numbers, r);
    }
    json_array_foreach(json_object_get(seen, "lost"), i, o)
    {
        const char *queue = json_string_value(json_object_get(o, "queue"));
        struct loss k = {.uid = (uint64_t)number_of(o, "uid"),
                         .first = (uint64_t)number_of(o, "first"),
                         .last = (uint64_t)number_of(o, "last"),
                         .node = node_of(lab, json_object_get(o, "node")),
                         .in_memory = json_is_true(json_object_get(o, "in_memory")),
                         .logged = json_is_true(json_object_get(o, "logged"))};
        if (queue && i < KEPT_QUEUES)
            ledger_take_up_loss(&m->ledger, queue, k, json_string_value(json_object_get(o, "how")));
    }
    json_array_foreach(json_object_get(seen, "more_lost"), i, o)
    {
        const char *queue = json_string_value(json_object_get(o, "queue"));
        if (queue && i < KEPT_QUEUES && number_of(o, "count") > 0)
            ledger_take_up_more(&m->ledger, queue, (uint64_t)number_of(o, "uid"),
                                (uint64_t)number_of(o, "count"));
    }
}

static void take_up_touched(struct model *m, const json_t *touched)
{
    const json_t *name;
    size_t i;
    if (!m->lesson || number_of(touched, "lesson") != m->lesson->number)
        return;
    json_array_foreach(json_object_get(touched, "queues"), i, name)
    {
        if (json_is_string(name) && i < KEPT_QUEUES)
            VEC_PUSH(&m->touched, xstrdup(json_string_value(name)));
    }
}

/* The nodes whose links to all others are cut, whoever cut them: of a node that is stopped nobody can see it.
 */
static node_bits cut_off(const struct labdir *lab)
{
    uint32_t cut[LIMIT_NODES];
    node_bits all = ((node_bits)1 << lab->nodes_len) - 1, off = 0;
    links_cut(lab, cut);
    for (size_t i = 0; i < lab->nodes_len && lab->nodes_len > 1; i++)
        if ((cut[i] | (node_bits)1 << i) == all)
            off |= (node_bits)1 << i;
    return off;
}

void kept_take_up(struct model *m, const struct labdir *lab)
{
    char *file = seen_file(lab);
    json_t *seen = json_load_file(file, 0, NULL), *o;
    size_t i;
    m->kept_wall_ms = number_of(seen, "seen_wall_ms");
    m->told_wall_ms = number_of(seen, "told_wall_ms");
    json_array_foreach(json_object_get(seen, "queues"), i, o)
    {
        if (i < KEPT_QUEUES)
            take_up_queue(m, lab, o);
    }
    json_array_foreach(json_object_get(seen, "received"), i, o)
    {
        if (i < KEPT_QUEUES)
            take_up_receipt(m, o);
    }
    take_up_losses(m, lab, seen);
    take_up_touched(m, json_object_get(seen, "touched"));
    m->stopped_apart = nodes_of(lab, seen, "stopped_apart");
    m->cut = cut_off(lab);
    json_decref(seen);
    free(file);
}

/* ---- what nobody saw
 * -------------------------------------------------------------------------------------------- */

/* nodes that were told to be up while nobody looked */
static node_bits up_since(const struct model *m, const struct snapshot *s)
{
    node_bits up = 0;
    for (size_t i = 0; i < s->events_len; i++)
        for (size_t n = 0; n < s->nodes_len && s->events[i].wall_ms > m->kept_wall_ms; n++) {
            size_t len = strlen(s->nodes[n].name);
            if (strncmp(s->events[i].text, s->nodes[n].name, len) == 0 &&
                strcmp(s->events[i].text + len, " is up") == 0)
                up |= (node_bits)1 << n;
        }
    return up;
}

/* a node that had copies of it came back, or it was served again, while nobody looked */
static bool came_back(const struct away *a, const struct queue_seen *q, node_bits up)
{
    return (q && q->state != QUEUE_SEEN_STOPPED && q->state != QUEUE_SEEN_DOWN) || (a->kept_on & up);
}

/* "queue q declared on node1" since then */
static bool declared_since(const struct model *m, const struct snapshot *s, const char *queue)
{
    char *text = format_text("queue %s declared on ", queue);
    bool any = false;
    for (size_t i = 0; i < s->events_len && !any; i++)
        any = s->events[i].wall_ms > m->kept_wall_ms && strncmp(s->events[i].text, text, strlen(text)) == 0;
    free(text);
    return any;
}

static void forget(struct away *a)
{
    *a = (struct away){.queue = a->queue, .served_by = -1, .held = -1, .in_memory = -1, .left = -1};
    nobody_told(a);
}

void kept_check(struct model *m, const struct snapshot *s)
{
    bool first = m->kept_wall_ms && s->source >= 0;
    node_bits up = first ? up_since(m, s) : 0;
    for (size_t i = 0; i < m->away.len; i++) {
        struct away *a = &m->away.items[i];
        uint64_t uid = a->uid ? uid_of(&m->ledger, a->queue) : 0;
        if ((uid && uid != a->uid) || (first && declared_since(m, s, a->queue)))
            forget(a);
        if (first && a->held >= 0 && !a->back_at && came_back(a, snapshot_queue(s, a->queue), up))
            a->held = -1;
    }
    m->stopped_apart &= ~up;
    if (first)
        m->kept_wall_ms = 0;
}
