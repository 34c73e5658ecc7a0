/* observe.c: rounds of questions to all nodes at once. A round ends when every node that answered the last
 * time has answered this time, or its time is over; a node that is already known to be silent is asked as
 * well, but nobody waits for it, and what it says counts in the round in which it comes. Every round makes
 * one snapshot, so that "seen twice running" always means two answers.
 * observe_node.c asks one node. */
#include "lab/notice.h"
#include "lab/observe_private.h"

#include <event2/dns.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "lab/engine.h"
#include "lab/merge.h"
#include "lab/node_log.h"

/* The lists of queues are one node's (lab/merge.h): the others are asked for theirs now and then, to know
 * that they would answer, and always when anything is not as it was. */
#define ROUNDS_OF_ONE_LIST 8

static ms_time monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (ms_time)t.tv_sec * 1000 + (ms_time)t.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t processor_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- rounds
 * ------------------------------------------------------------------------------------------------- */

static struct node_answer answer_of(const struct asked_node *n)
{
    bool use = n->fresh && n->answered;
    return (struct node_answer){
        .answered = use,
        .has_feed = n->has_feed,
        .unrefused = !use && !n->refused,
        .at = n->answered_at,
        .error = use        ? NULL
                 : n->error ? n->error
                            : "no answer yet",
        .nodes = use ? n->asks[ASK_NODES].answer : NULL,
        .queues = use ? n->asks[ASK_QUEUES].answer : NULL,
        .policies = use ? n->asks[ASK_POLICIES].answer : NULL,
        .events = use ? n->asks[ASK_EVENTS].answer : NULL,
        .trace = use ? n->asks[ASK_TRACE].answer : NULL,
        .queue = use ? n->asks[ASK_QUEUE].answer : NULL,
        .bindings = use ? n->asks[ASK_BINDINGS].answer : NULL,
        .connections = use ? n->asks[ASK_CONNECTIONS].answer : NULL,
        .channels = use ? n->asks[ASK_CHANNELS].answer : NULL,
    };
}

/* Only what went into a snapshot counts as told; the rest is asked for again. */
static void move_feed(uint64_t *since, const json_t *feed)
{
    const json_t *next = json_object_get(feed, "next");
    if (!json_is_integer(next) || json_integer_value(next) < 0)
        return;
    /* a node that began again counts from the start again; then the next round asks for all it has */
    uint64_t told = (uint64_t)json_integer_value(next);
    *since = told < *since ? 0 : told;
}

#define LOOKS_SPARED_MS 1500

/* until the next round */
static unsigned pause_ms(const struct observer *o)
{
    uint64_t took_us = processor_us() - o->began_us;
    uint64_t least = o->permille ? took_us / o->permille : 0;
    return (unsigned)u64_max(o->interval_ms, u64_min(least, LOOKS_SPARED_MS));
}

/* The first snapshot has what an earlier screen has heard of, and counts its messages no second time. */
static void take_up_earlier(struct observer *o, struct snapshot *s)
{
    if (o->latest) {
        earlier_destroy(o->earlier);
        o->earlier = NULL;
    } else if (o->earlier) {
        earlier_merge(s, o->earlier);
    }
}

static void note_newest(struct observer *o, const struct snapshot *s)
{
    for (size_t i = 0; i < s->trace_len; i++) {
        const struct trace_seen *t = &s->trace[i];
        if ((size_t)t->node < o->nodes_len && t->from_us > o->nodes[t->node].noted_us)
            o->nodes[t->node].noted_us = t->from_us;
    }
}

/* Nobody answers where this observer asks: is that because the lab was started anew on other ports? Its
 * folder says so. */
static int moved_to(const struct labdir *lab)
{
    struct labdir now;
    char *error = NULL;
    bool other = false, runs = false;
    if (lab->external || labdir_load(&now, lab->path, &error)) {
        free(error);
        return 0;
    }
    for (size_t i = 0; i < now.nodes_len; i++) {
        other = other || i >= lab->nodes_len || now.nodes[i].http_port != lab->nodes[i].http_port;
        runs = runs || engine_node_alive(&now, i);
    }
    return other && runs ? now.nodes[0].amqp_port : 0;
}

static void end_round(struct observer *o)
{
    struct node_answer answers[LIMIT_NODES] = {0};
    for (size_t i = 0; i < o->nodes_len; i++)
        answers[i] = answer_of(&o->nodes[i]);
    for (size_t i = 0; i < o->nodes_len && !o->lab->external; i++)
        answers[i].gone = !answers[i].answered && !engine_node_alive(o->lab, i);
    for (size_t i = 0; i < o->nodes_len && !o->latest; i++) /* for where the list begins */
        answers[i].since_ms = engine_node_since(o->lab, i);
    for (size_t i = 0; i < o->nodes_len; i++)
        answers[i].log = node_log_read(o->nodes[i].log); /* also the last words of one that is gone */
    struct snapshot *s =
        merge_answers(o->lab, answers, o->latest,
                      (struct merge_time){.now = monotonic_ms(),
                                          .wall_ms = wall_ms(),
                                          .seen_wall_ms = o->earlier ? o->earlier->seen_wall_ms : 0});
    s->moved_to = s->source < 0 ? moved_to(o->lab) : 0;
    merge_trace(s, answers, o->nodes_len, o->queue_asked);
    take_up_earlier(o, s);
    notice_published(s, o->latest, o->earlier ? o->earlier->noted_us : NULL);
    note_newest(o, s);
    for (size_t i = 0; i < o->nodes_len; i++) {
        move_feed(&o->nodes[i].feed_next, answers[i].events);
        move_feed(&o->nodes[i].trace_next, answers[i].trace);
        json_decref(answers[i].log);
        if (answers[i]
                .gone) /* what comes back is another process, which counts from 1, maybe farther already */
            o->nodes[i].feed_next = o->nodes[i].trace_next = 0;
        if (o->nodes[i].pending == 0) {
            o->nodes[i].fresh = false;
            observed_node_forget_answers(&o->nodes[i]);
        }
    }
    snapshot_destroy(o->latest);
    o->latest = s;
    o->fn(o->arg, s); /* a poke in it: again, at once */
    o->in_round = false;
    struct timeval next = ms_timeval(o->again ? 0 : pause_ms(o));
    o->again = false;
    evtimer_add(o->timer, &next);
}

/* All is as it was: every node that answered answers, all say the same of each, and no queue has, or had, two
 * sides. */
static bool steady(const struct observer *o)
{
    const struct snapshot *s = o->latest;
    if (!s || s->source < 0 || snapshot_partitioned(s))
        return false;
    for (size_t i = 0; i < s->queues_len; i++)
        if (s->queues[i].sides_len)
            return false;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (s->nodes[i].changed_at == s->taken_at || (s->nodes[i].said_up_by && s->nodes[i].said_down_by))
            return false;
    return true;
}

static bool answered_now(const struct asked_node *n)
{
    return n->fresh && n->answered;
}

/* The lists of the one that was asked for them are not enough (merge.h). */
static bool wants_others(const struct observer *o, const struct asked_node *source)
{
    struct node_answer answer = answer_of(source);
    node_bits others = 0;
    for (size_t i = 0; i < o->nodes_len; i++)
        if (&o->nodes[i] != source && answered_now(&o->nodes[i]))
            others |= (node_bits)1 << i;
    return merge_wants_others(o->latest, &answer, others);
}

/* The node whose lists were to be shown says nothing this time, or too little: now it is another's, of the
 * same moment. */
static bool ask_the_others(struct observer *o)
{
    const struct asked_node *source = o->latest ? &o->nodes[o->latest->source] : NULL;
    if (o->asks_all || !source || (answered_now(source) && !wants_others(o, source)))
        return false;
    o->asks_all = o->asking = true;
    for (size_t i = 0; i < o->nodes_len; i++)
        if (answered_now(&o->nodes[i]))
            observed_node_ask(&o->nodes[i]);
    o->asking = false;
    return true;
}

static void end_round_if_heard(struct observer *o)
{
    bool waits = !o->in_round || o->asking;
    do {
        for (size_t i = 0; i < o->nodes_len; i++)
            waits = waits || (o->nodes[i].pending > 0 && !o->nodes[i].late);
    } while (!waits && ask_the_others(o));
    if (!waits)
        end_round(o);
}

void observed_node_done(struct asked_node *n)
{
    evtimer_del(n->deadline);
    n->answered = !n->asks[ASK_NODES].failed && !n->asks[ASK_QUEUES].failed && !n->asks[ASK_POLICIES].failed;
    n->fresh = true;
    n->late = !n->answered;
    n->refused = n->refusing;
    if (n->answered) {
        n->answered_at = monotonic_ms();
        free(n->error);
        n->error = NULL;
    } else {
        n->feed_absent = n->trace_absent = false; /* it may come back as another program */
    }
    end_round_if_heard(n->o);
}

static void start_round(evutil_socket_t fd, short what, void *arg)
{
    struct observer *o = arg;
    (void)fd;
    (void)what;
    o->in_round = o->asking = true;
    o->began_us = processor_us();
    o->asks_all = !steady(o) || ++o->rounds_since_all >= ROUNDS_OF_ONE_LIST;
    o->rounds_since_all = o->asks_all ? 0 : o->rounds_since_all;
    free(o->queue_asked);
    o->queue_asked = o->queue ? xstrdup(o->queue) : NULL;
    for (size_t i = 0; i < o->nodes_len; i++)
        if (o->nodes[i].pending == 0)
            observed_node_ask(&o->nodes[i]);
    o->asking = false;
    end_round_if_heard(o); /* none may be left to wait for */
}

/* ---- the observer
 * ------------------------------------------------------------------------------------------- */

static char *basic_authorization(const struct labdir *lab)
{
    char *plain = format_text("%s:%s", lab->user, lab->password);
    size_t len = strlen(plain);
    unsigned char *encoded = xmalloc((len + 2) / 3 * 4 + 1);
    EVP_EncodeBlock(encoded, (const unsigned char *)plain, (int)len);
    char *header = format_text("Basic %s", (const char *)encoded);
    free(encoded);
    free(plain);
    return header;
}

struct observer *observer_create(struct event_base *base, const struct labdir *lab, unsigned interval_ms,
                                 observer_fn *fn, void *arg)
{
    struct observer *o = xcalloc(1, sizeof(*o));
    *o = (struct observer){.base = base, .lab = lab, .fn = fn, .arg = arg, .interval_ms = interval_ms};
    o->authorization = basic_authorization(lab);
    o->timer = evtimer_new(base, start_round, o);
    o->nodes = xcalloc(lab->nodes_len, sizeof(*o->nodes));
    o->nodes_len = lab->nodes_len;
    for (size_t i = 0; i < o->nodes_len; i++) {
        struct asked_node *n = &o->nodes[i];
        n->o = o;
        n->node = &lab->nodes[i];
        n->log = node_log_open(lab, i);
        n->deadline = evtimer_new(base, observed_node_deadline, n);
        for (int q = 0; q < QUESTIONS; q++)
            n->asks[q] = (struct ask){.node = n, .question = (enum question)q};
    }
    observer_poke(o);
    return o;
}

void observer_spare(struct observer *o, unsigned permille)
{
    o->permille = permille;
}

void observer_poke(struct observer *o)
{
    struct timeval now = {0};
    if (o->in_round)
        o->again = true; /* this round may have asked before what was done now */
    else
        evtimer_add(o->timer, &now);
}

void observer_want(struct observer *o, const struct observer_wants *wants)
{
    bool same = wants->queue && o->queue ? strcmp(wants->queue, o->queue) == 0 : wants->queue == o->queue;
    bool more = !same || (wants->messages && !o->messages) || (wants->queue_page && !o->queue_page) ||
                (wants->connections && !o->connections);
    char *queue = wants->queue ? xstrdup(wants->queue) : NULL;
    free(o->queue);
    o->queue = queue;
    o->messages = wants->messages;
    o->queue_page = wants->queue_page;
    o->connections = wants->connections;
    if (more)
        observer_poke(o);
}

void observer_take_up(struct observer *o)
{
    o->earlier = earlier_load(o->lab);
    for (size_t i = 0; o->earlier && i < o->nodes_len; i++)
        o->nodes[i].noted_us = o->earlier->noted_us[i];
}

int observer_keep(const struct observer *o)
{
    int64_t noted_us[LIMIT_NODES] = {0};
    if (!o->latest)
        return 0; /* what is kept stays */
    for (size_t i = 0; i < o->nodes_len; i++)
        noted_us[i] = o->nodes[i].noted_us;
    return earlier_save(o->lab, o->latest, noted_us);
}

void observer_tell(struct observer *o, const char *kind, const char *text)
{
    ASSERT(o->latest != NULL);
    struct event_seen e = {.wall_ms = o->latest->taken_wall_ms, .kind = xstrdup(kind), .text = xstrdup(text)};
    notice_put_in(o->latest, &e, false);
}

uint64_t observer_parsed(const struct observer *o)
{
    return o->parsed;
}

const struct snapshot *observer_latest(const struct observer *o)
{
    return o->latest;
}

void observer_destroy(struct observer *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->nodes_len; i++) {
        observed_node_hang_up(&o->nodes[i]);
        observed_node_forget_answers(&o->nodes[i]);
        observed_node_forget_bodies(&o->nodes[i]);
        event_free(o->nodes[i].deadline);
        node_log_close(o->nodes[i].log);
        free(o->nodes[i].error);
    }
    if (o->dns)
        evdns_base_free(o->dns, 0);
    event_free(o->timer);
    snapshot_destroy(o->latest);
    earlier_destroy(o->earlier);
    free(o->authorization);
    free(o->queue);
    free(o->queue_asked);
    free(o->nodes);
    free(o);
}

/* ---- one look
 * ----------------------------------------------------------------------------------------------- */

struct once {
    struct event_base *base;
    struct snapshot *snapshot;
};

static void on_once(void *arg, const struct snapshot *s)
{
    struct once *once = arg;
    snapshot_destroy(once->snapshot);
    once->snapshot = snapshot_clone(s);
    event_base_loopbreak(once->base);
}

struct snapshot *observe_once(const struct labdir *lab, unsigned timeout_ms)
{
    struct once once = {.base = event_base_new()};
    struct timeval limit = ms_timeval(timeout_ms);
    ASSERT(once.base != NULL);
    struct observer *o = observer_create(once.base, lab, timeout_ms + ANSWER_MS, on_once, &once);
    event_base_loopexit(once.base, &limit);
    event_base_dispatch(once.base);
    if (!once.snapshot) /* out of time: what was heard until now */
        end_round(o);
    observer_destroy(o);
    event_base_free(once.base);
    return once.snapshot;
}
