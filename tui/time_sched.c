/* time_sched.c: see time_sched.h. A simulated step has no duration that means anything to who watches: each
 * is a second. What nodes do takes the time it takes. */
#include "time_sched.h"

#include <stdlib.h>
#include <time.h>

#include "record.h"
#include "time_delta.h"
#include "time_sched_ledger.h"
#include "words.h"

#define STEP_MS       1000
#define RECORDING_MAX (256u << 20)

struct sched_recorder {
    const struct sched *s;
    struct lesson *lesson;
    struct recorder *recorder;
    struct replay_watch watch;
    ms_time now;
    uint64_t number;
    VEC(struct event_seen) events; /* what was done and seen */
    bool doomed, accused;
    struct sched_book book;
    ms_time began;   /* on the clock; nodes only */
    int64_t wall_ms; /* the same moment since 1970; 0: simulated */
};

/* ---- snapshots
 * ------------------------------------------------------------------------------------------------ */

/* who, of those that answer, says that it runs (or that it does not) */
static uint32_t said_of(const struct sched_recorder *r, const struct replay_shown *shown, size_t node,
                        bool running)
{
    uint32_t who = 0;
    for (size_t i = 0; i < r->s->nodes; i++)
        if (!(shown->away >> i & 1) && (shown->others[i].running >> node & 1) == running)
            who |= 1u << i;
    return who;
}

static char *names_of(uint32_t nodes)
{
    struct text t = {0};
    for (unsigned i = 0; i < SCHED_NODES; i++)
        if (nodes >> i & 1)
            text_printf(&t, "%snode%u", t.len ? "," : "", i + 1);
    return t.s ? t.s : xstrdup("");
}

static void see_nodes(struct sched_recorder *r, struct snapshot *s, const struct replay_shown *shown)
{
    uint32_t up = ((1u << r->s->nodes) - 1) & ~shown->away;
    s->nodes_len = r->s->nodes;
    s->nodes = xcalloc(s->nodes_len, sizeof(*s->nodes));
    for (size_t i = 0; i < s->nodes_len; i++) {
        struct node_seen *n = &s->nodes[i];
        bool runs = up >> i & 1;
        *n = (struct node_seen){.name = format_text("node%zu", i + 1),
                                .state = runs ? NODE_UP
                                         : up ? NODE_NOT_RUNNING
                                              : NODE_UNKNOWN,
                                .answers = runs,
                                .said_up_by = said_of(r, shown, i, true),
                                .said_down_by = said_of(r, shown, i, false),
                                .error = runs ? NULL : xstrdup("it does not run"),
                                .partitions = names_of(runs ? shown->others[i].parted : 0),
                                .links = runs ? shown->others[i].linked : 0,
                                .answered_at = runs ? r->now : 0,
                                .memory_bytes = -1,
                                .uptime_ms = -1,
                                .connections = -1};
        if (runs && s->source < 0)
            s->source = (int)i;
    }
}

static enum queue_seen_state state_of(enum replay_state state)
{
    switch (state) {
    case REPLAY_GONE: return QUEUE_SEEN_UNKNOWN;
    case REPLAY_RUNNING: return QUEUE_SEEN_RUNNING;
    case REPLAY_STOPPED: return QUEUE_SEEN_STOPPED;
    case REPLAY_DOWN: return QUEUE_SEEN_DOWN;
    }
    return QUEUE_SEEN_UNKNOWN;
}

/* Of those that are held; a dead letter may be there twice, and is held once. */
static int64_t ready_of(size_t holds, unsigned unacked)
{
    return holds > unacked ? (int64_t)(holds - unacked) : 0;
}

static void see_sides(struct queue_seen *out, const struct replay_queue *q)
{
    out->sides = xcalloc(q->sides_len + 1, sizeof(*out->sides));
    out->sides_len = q->sides_len;
    for (unsigned i = 0; i < q->sides_len; i++) {
        const struct replay_side *side = &q->sides[i];
        out->sides[i] = (struct side_seen){.master = side->master,
                                           .state = QUEUE_SEEN_RUNNING,
                                           .mirrors = side->mirrors,
                                           .synced = side->synced,
                                           .messages = (int64_t)side->holds.len,
                                           .ready = ready_of(side->holds.len, side->unacked),
                                           .unacked = side->unacked,
                                           .was_messages = (int64_t)side->holds.len};
        if (side->master != q->master)
            continue;
        out->messages = out->was_messages = (int64_t)side->holds.len; /* above the sides stands this one */
        out->ready = ready_of(side->holds.len, side->unacked);
    }
}

/* As the schedule declares it first; what nobody declares a client does, durable. */
static void see_declared(const struct sched *s, struct queue_seen *q)
{
    q->durable = true;
    for (size_t i = s->clients.len; i-- > 0;)
        if (s->clients.items[i].kind == SCHED_OWNER && strcmp(s->clients.items[i].queue, q->name) == 0) {
            q->durable = s->clients.items[i].durable;
            q->exclusive = true;
        }
    for (size_t i = s->events.len; i-- > 0;) {
        const struct sched_event *e = &s->events.items[i];
        if (e->verb != SCHED_DECLARE || strcmp(e->name, q->name) != 0)
            continue;
        q->durable = e->queue_kind == SCHED_QUEUE_DURABLE;
        q->auto_delete = e->queue_kind == SCHED_QUEUE_AUTO_DELETE;
        q->exclusive = false;
    }
}

static void see_queue(const struct sched_recorder *r, struct snapshot *s, const struct replay_seen *seen)
{
    const struct replay_queue *q = seen->queue;
    bool runs = q->state == REPLAY_RUNNING;
    int64_t holds = runs ? (int64_t)q->holds.len : -1;
    s->queues[s->queues_len++] = (struct queue_seen){.name = xstrdup(seen->name),
                                                     .state = state_of(q->state),
                                                     .master = q->master == SCHED_NONE ? -1 : q->master,
                                                     .mirrors = q->mirrors,
                                                     .synced = q->synced,
                                                     .messages = holds,
                                                     .ready = runs ? ready_of(q->holds.len, q->unacked) : -1,
                                                     .unacked = runs ? (int64_t)q->unacked : -1,
                                                     .was_messages = holds,
                                                     .consumers = -1,
                                                     .sync_messages = -1,
                                                     .publish_rate = -1,
                                                     .deliver_rate = -1,
                                                     .published = -1,
                                                     .taken = -1,
                                                     .policy = *q->policy ? xstrdup(q->policy) : NULL,
                                                     .seen_at = r->now};
    see_declared(r->s, &s->queues[s->queues_len - 1]);
    see_sides(&s->queues[s->queues_len - 1], q);
}

static int by_name(const void *a, const void *b)
{
    const struct queue_seen *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static struct snapshot *see(struct sched_recorder *r, const struct replay_shown *shown)
{
    struct snapshot *s = xcalloc(1, sizeof(*s));
    s->taken_at = r->now;
    s->taken_wall_ms = r->wall_ms + (int64_t)r->now;
    s->number = ++r->number;
    s->source = -1;
    see_nodes(r, s, shown);
    s->queues = xcalloc(shown->queues_len + 1, sizeof(*s->queues));
    for (size_t i = 0; i < shown->queues_len; i++)
        if (shown->queues[i].queue->state != REPLAY_GONE)
            see_queue(r, s, &shown->queues[i]);
    qsort(s->queues, s->queues_len, sizeof(*s->queues), by_name);
    return s;
}

/* ---- the ledger
 * ----------------------------------------------------------------------------------------------- */

/* the first that is lost at this step: here a replay opens; before all, where a promise breaks */
static void tell_doomed(struct sched_recorder *r, const struct sched_event *e,
                        const struct replay_result *so_far)
{
    if (r->s->seeded && so_far->problem && !r->accused) {
        recorder_put(
            r->recorder, r->now, "doomed",
            fact_of(N_("a promise breaks here: %s. The replay opens at this step: [ goes back to how "
                       "it came about, step by step to the beginning"),
                    so_far->problem));
        r->doomed = r->accused = true;
    }
    for (size_t i = 0; i < so_far->messages.len && e->step && !r->doomed; i++) {
        const struct replay_message *m = &so_far->messages.items[i];
        if (m->lost_step != e->step)
            continue;
        recorder_put(r->recorder, r->now, "doomed",
                     fact_with(N_("m%s is lost here, at %s. The replay opens at this step: [ goes back to "
                                  "how it came about, step by "
                                  "step to the beginning"),
                               fact_of("%zu", i + r->book.first), sched_loss_fact(m)));
        r->doomed = true;
    }
}

/* ---- steps
 * -------------------------------------------------------------------------------------------------- */

/* takes the text over */
static void note(struct sched_recorder *r, const char *kind, char *text, const json_t *fact)
{
    struct event_seen e = {.seq = r->events.len + 1,
                           .wall_ms = r->wall_ms + (int64_t)r->now,
                           .kind = xstrdup(kind),
                           .text = text,
                           .fact = json_deep_copy(fact)};
    VEC_PUSH(&r->events, e);
}

/* who publishes and consumes by itself, before the first step */
static void note_clients(struct sched_recorder *r)
{
    for (size_t i = 0; i < r->s->clients.len; i++) {
        struct text t = {0};
        sched_client_write(&t, &r->s->clients.items[i]);
        t.s[strcspn(t.s, "\n")] = '\0';
        note(r, "set-up", t.s, NULL);
    }
}

static ms_time clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (ms_time)t.tv_sec * 1000 + (ms_time)t.tv_nsec / 1000000;
}

static void let_time_pass(struct sched_recorder *r)
{
    r->now = r->wall_ms ? clock_ms(CLOCK_MONOTONIC) - r->began : r->now + STEP_MS;
}

static void before(void *arg, const struct sched_event *e)
{
    struct sched_recorder *r = arg;
    let_time_pass(r);
    char *words =
        e->step ? format_text(_("step %u of %u, waiting for its facts: %s"), e->step, r->s->steps, e->text)
                : format_text(_("before the first step, waiting for its facts: %s"), e->text);
    recorder_said(r->recorder, r->now, words);
    free(words);
}

static void after(void *arg, const struct sched_event *e, const struct replay_shown *shown)
{
    struct sched_recorder *r = arg;
    const json_t *fact = shown->fact;
    let_time_pass(r);
    note(r, e->step ? "step" : "set-up", xstrdup(e->text), NULL);
    if (fact)
        note(r, "seen", fact_text(fact, NULL), fact);
    if (e->step && e->step <= r->lesson->steps_len) {
        struct lesson_step *step = &r->lesson->steps[e->step - 1];
        recorder_put(r->recorder, r->now, "mark", json_string(e->text));
        step->state = STEP_SEEN;
        step->acted = true;
        step->exit_code = 0;
        step->seen = json_deep_copy(fact);
        step->seen_wall_ms = r->wall_ms + (int64_t)r->now;
    }
    struct snapshot *s = see(r, shown);
    size_t from = r->events.len > 1000 ? r->events.len - 1000 : 0;
    s->events = r->events.items + from;
    s->events_len = r->events.len - from;
    json_t *doc = recorded_encode(s);
    recorder_snapshot(r->recorder, s, doc, r->lesson, NULL);
    json_decref(doc);
    s->events = NULL;
    s->events_len = 0;
    snapshot_destroy(s);
    recorder_put(r->recorder, r->now, "ledger", sched_ledger_json(&r->book, e, r->s->nodes, shown));
    tell_doomed(r, e, shown->so_far);
}

static struct lesson *lesson_of(const struct sched *s, const char *name)
{
    struct lesson *l = lesson_create(s->steps + s->seeded);
    const char *slash = strrchr(name, '/');
    l->nodes = (int)s->nodes;
    l->title = format_text("%s%s%s", slash ? slash + 1 : name, *s->title ? ": " : "", s->title);
    for (size_t i = 0; i < s->events.len; i++) {
        const struct sched_event *e = &s->events.items[i];
        if (e->step && e->step <= s->steps) {
            l->steps[e->step - 1].title = xstrdup(e->text);
            l->steps[e->step - 1].exit_code = -1;
        }
    }
    for (size_t i = 0; i < l->steps_len; i++)
        if (!l->steps[i].title)
            l->steps[i].title = xstrdup(i == s->steps ? SCHED_END : "?");
    if (s->seeded)
        l->steps[s->steps].exit_code = -1;
    return l;
}

/* ---- begin and end
 * --------------------------------------------------------------------------------------------- */

static struct sched_recorder *begin(const struct sched *s, const char *name, const char *engine,
                                    int64_t wall_ms, int fd)
{
    struct sched_recorder *r = xcalloc(1, sizeof(*r));
    struct model m;
    char *error = NULL;
    r->s = s;
    r->lesson = lesson_of(s, name);
    r->watch = (struct replay_watch){.before = wall_ms ? before : NULL, .after = after, .arg = r};
    r->book.first = !s->seeded;
    r->wall_ms = wall_ms;
    r->began = clock_ms(CLOCK_MONOTONIC);
    model_init(&m, r->lesson, NULL, false, false);
    struct recording_start start = {
        .at = 0, .wall_ms = wall_ms, .engine = engine, .model = &m, .whole = true};
    r->recorder = fd < 0 ? recorder_create(NULL, RECORDING_MAX, &start, &error) : recorder_to(fd, &start);
    model_finish(&m);
    note_clients(r);
    return r;
}

struct sched_recorder *sched_recorder_create(const struct sched *s, const char *name)
{
    return begin(s, name, "sim", 0, -1);
}

struct sched_recorder *sched_recorder_live(const struct sched *s, const char *name, const char *engine,
                                           int fd)
{
    return begin(s, name, engine, (int64_t)clock_ms(CLOCK_REALTIME), fd);
}

void sched_recorder_say(struct sched_recorder *r, const char *words)
{
    let_time_pass(r);
    recorder_said(r->recorder, r->now, words);
}

const struct replay_watch *sched_recorder_watch(struct sched_recorder *r)
{
    return &r->watch;
}

char *sched_recorder_end(struct sched_recorder *r)
{
    char *text = recorder_text(r->recorder);
    for (size_t i = 0; i < r->events.len; i++) {
        free(r->events.items[i].kind);
        free(r->events.items[i].text);
        json_decref(r->events.items[i].fact);
    }
    VEC_FREE(&r->events);
    sched_book_finish(&r->book);
    lesson_destroy(r->lesson);
    recorder_destroy(r->recorder);
    free(r);
    return text;
}
