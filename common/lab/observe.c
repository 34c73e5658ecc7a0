/* observe.c: rounds of questions to all nodes at once. A round ends when every node that answered the last
 * time has answered this time, or its time is over; a node that is already known to be silent is asked as
 * well, but nobody waits for it, and what it says counts in the round in which it comes. Every round makes
 * one snapshot, so that "seen twice running" always means two answers. */
#include "lab/observe.h"

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "base/vec.h"
#include "lab/engine.h"
#include "lab/merge.h"
#include "lab/notice.h"
#include "lab/node_log.h"

/* A node on a loopback or a LAN answers in milliseconds; RabbitMQ, busy with a failover, in some hundred. */
#define ANSWER_MS 800

/* The lists of queues are one node's (lab/merge.h): the others are asked for theirs now and then, to know
 * that they would answer, and always when anything is not as it was. */
#define ROUNDS_OF_ONE_LIST 8

/* Of the many figures of nodes and queues what goes into a snapshot; their pages have documents of their own.
 */
#define NODE_COLUMNS "?columns=name,running,partitions,cluster_links,mem_used,uptime"

/* 200 queues in RabbitMQ's words are half a megabyte. */
#define MAX_BODY    (64 << 20)
#define MAX_HEADERS (64 << 10)

enum question {
    ASK_NODES, /* the first three decide whether a node counts as answering */
    ASK_QUEUES,
    ASK_POLICIES,
    ASK_EVENTS, /* the kit's nodes */
    ASK_TRACE,  /* the kit's nodes */
    ASK_QUEUE,  /* if wanted */
    ASK_CONNECTIONS,
    QUESTIONS
};

struct asked_node;

/* Each question has a connection of its own: a node that is slow with one (because it waits for a peer) is
 * not slow with the sum of them. */
struct ask {
    struct asked_node *node;
    enum question question;
    struct evhttp_connection *connection; /* NULL: made with the next question */
    json_t *answer;
    bool failed;
    /* the newest body and what it says: an idle lab says the same each time, and parsing is what costs */
    char *body;
    size_t body_len;
    json_t *said;
};

struct asked_node {
    struct observer *o;
    const struct lab_node *node;
    struct event *deadline;
    struct ask asks[QUESTIONS];
    size_t pending; /* questions without an answer */
    bool late;      /* did not answer the last time: not waited for */
    bool fresh;     /* an answer came since the last snapshot */
    bool answered;  /* the last questions were answered */
    bool has_feed;
    bool feed_absent; /* it said 404 to GET /api/events */
    bool trace_absent;
    uint64_t feed_next, trace_next;
    struct node_log *log; /* what stands in for a feed; NULL: none */
    ms_time answered_at;
    char *error;    /* of the last questions that failed; NULL if they were answered */
    bool error_old; /* it is from an earlier round */
};

struct observer {
    struct event_base *base;
    struct evdns_base *dns; /* made for the first host that is a name */
    const struct labdir *lab;
    observer_fn *fn;
    void *arg;
    char *authorization;
    struct event *timer; /* starts rounds */
    unsigned interval_ms;
    unsigned percent;  /* of a processor that looking may take; 0: does not matter */
    uint64_t began_us; /* how much of it this program had taken when the round began */
    char *queue;       /* wanted; NULL: none */
    bool messages, queue_page, connections;
    char *queue_asked; /* in this round */
    bool in_round, asking, again;
    uint64_t parsed;           /* bodies */
    unsigned rounds_since_all; /* since every node was asked for its queues */
    bool asks_all;             /* in this round every node is */
    struct snapshot *latest;
    struct asked_node *nodes;
    size_t nodes_len;
};

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

static struct timeval ms_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

static uint64_t processor_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void node_done(struct asked_node *n);

/* ---- one node
 * ----------------------------------------------------------------------------------------------- */

static void set_error(struct asked_node *n, char *error)
{
    if (n->error && !n->error_old) {
        free(error); /* the first one is the cause */
        return;
    }
    free(n->error);
    n->error = error;
    n->error_old = false;
}

/* What the body says, borrowed; NULL: it is not JSON. */
static json_t *said_by(struct ask *a, struct evbuffer *body)
{
    size_t len = evbuffer_get_length(body);
    json_error_t e;
    const char *bytes = len ? (const char *)evbuffer_pullup(body, -1) : "";
    if (a->said && a->body_len == len && memcmp(a->body, bytes, len) == 0)
        return a->said;
    a->node->o->parsed++;
    json_decref(a->said);
    a->said = len ? json_loadb(bytes, len, 0, &e) : NULL;
    a->body = xrealloc(a->body, len + 1);
    memcpy(a->body, bytes, len);
    a->body_len = len;
    return a->said;
}

static bool read_answer(struct ask *a, struct evhttp_request *req)
{
    struct asked_node *n = a->node;
    int status = req ? evhttp_request_get_response_code(req) : 0;
    if (a->question == ASK_EVENTS && status == 404) {
        n->feed_absent = true;
        n->has_feed = false;
        return true;
    }
    if (a->question > ASK_EVENTS &&
        status != 200) { /* what only some nodes say, or of a queue that is gone */
        n->trace_absent = n->trace_absent || (a->question == ASK_TRACE && status == 404);
        return true;
    }
    if (status == 0) {
        set_error(n, xstrdup("no connection"));
        return false;
    }
    if (status != 200) {
        set_error(n, format_text("HTTP %d%s", status, status == 401 ? " (wrong user or password)" : ""));
        return false;
    }
    a->answer = json_incref(said_by(a, evhttp_request_get_input_buffer(req)));
    if (!a->answer) {
        set_error(n, xstrdup("its answer is not JSON"));
        return false;
    }
    if (a->question == ASK_EVENTS) {
        n->has_feed = true;
    } else if (a->question != ASK_TRACE && a->question != ASK_QUEUE && !json_is_array(a->answer)) {
        set_error(n, xstrdup("its answer is not a list"));
        return false;
    }
    return true;
}

static void on_answer(struct evhttp_request *req, void *arg)
{
    struct ask *a = arg;
    struct asked_node *n = a->node;
    a->failed = !read_answer(a, req);
    if (--n->pending == 0)
        node_done(n);
}

static void forget_answers(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        json_decref(n->asks[i].answer);
        n->asks[i].answer = NULL;
        n->asks[i].failed = false;
    }
}

static void forget_bodies(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        json_decref(n->asks[i].said);
        free(n->asks[i].body);
        n->asks[i].said = NULL;
        n->asks[i].body = NULL;
    }
}

static void close_connections(struct asked_node *n)
{
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (n->asks[i].connection)
            evhttp_connection_free(n->asks[i].connection); /* drops its question without calling back */
        n->asks[i].connection = NULL;
    }
    n->pending = 0;
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct asked_node *n = arg;
    (void)fd;
    (void)what;
    set_error(n, format_text("no answer in %d ms", ANSWER_MS));
    for (size_t i = 0; i < QUESTIONS; i++)
        n->asks[i].failed = !n->asks[i].answer;
    close_connections(n);
    node_done(n);
}

static bool is_address(const char *host)
{
    struct in6_addr six;
    struct in_addr four;
    return evutil_inet_pton(AF_INET, host, &four) == 1 || evutil_inet_pton(AF_INET6, host, &six) == 1;
}

static struct evhttp_connection *connect_to(struct asked_node *n)
{
    struct observer *o = n->o;
    struct evdns_base *dns = NULL;
    if (!is_address(n->node->host)) {
        if (!o->dns)
            o->dns =
                evdns_base_new(o->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        dns = o->dns;
    }
    struct evhttp_connection *c = evhttp_connection_base_new(o->base, dns, n->node->host, n->node->http_port);
    ASSERT(c != NULL);
    evhttp_connection_set_max_body_size(c, MAX_BODY);
    evhttp_connection_set_max_headers_size(c, MAX_HEADERS);
    return c;
}

/* a node's page shows them whole */
static bool whole_nodes(const struct observer *o)
{
    return o->queue_page || o->connections;
}

static char *path_of(const struct ask *a)
{
    const struct asked_node *n = a->node;
    char *name = n->o->queue_asked ? evhttp_uriencode(n->o->queue_asked, -1, 0) : NULL, *path = NULL;
    switch (a->question) {
    case ASK_NODES: path = format_text("/api/nodes%s", whole_nodes(n->o) ? "" : NODE_COLUMNS); break;
    case ASK_QUEUES: path = xstrdup("/api/queues"); break;
    case ASK_POLICIES: path = xstrdup("/api/policies"); break;
    case ASK_EVENTS: path = format_text("/api/events?since=%llu", (unsigned long long)n->feed_next); break;
    case ASK_TRACE:
        path = format_text("/api/trace?since=%llu%s%s", (unsigned long long)n->trace_next,
                           name ? "&queue=" : "", name ? name : "");
        break;
    case ASK_QUEUE: path = format_text("/api/queues/%%2F/%s", name ? name : ""); break;
    case ASK_CONNECTIONS: path = xstrdup("/api/connections"); break;
    case QUESTIONS: break;
    }
    free(name);
    return path;
}

/* what this node can be asked and is wanted */
static bool to_ask(const struct asked_node *n, enum question question)
{
    const struct observer *o = n->o;
    bool source = o->latest && o->latest->source == (int)(n - o->nodes);
    switch (question) {
    case ASK_NODES: return true;
    case ASK_QUEUES:
    case ASK_POLICIES: return o->asks_all || source;
    case ASK_EVENTS: return !n->feed_absent;
    case ASK_TRACE: return !n->trace_absent && o->messages;
    case ASK_QUEUE: return o->queue_page && o->queue_asked && source; /* each asks all the others for it */
    case ASK_CONNECTIONS: return o->connections && source;
    case QUESTIONS: break;
    }
    return false;
}

static void send_question(struct ask *a)
{
    struct asked_node *n = a->node;
    struct evhttp_request *req = evhttp_request_new(on_answer, a);
    ASSERT(req != NULL);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    evhttp_add_header(headers, "Host", n->node->host);
    evhttp_add_header(headers, "Authorization", n->o->authorization);
    evhttp_add_header(headers, "Connection", "keep-alive");
    char *path = path_of(a);
    if (!a->connection)
        a->connection = connect_to(n);
    n->pending++;
    /* on failure libevent has freed the request and will not call back */
    if (evhttp_make_request(a->connection, req, EVHTTP_REQ_GET, path) != 0) {
        n->pending--;
        a->failed = true;
        set_error(n, xstrdup("cannot connect"));
    }
    free(path);
}

static void ask_node(struct asked_node *n)
{
    struct timeval deadline = ms_timeval(ANSWER_MS);
    forget_answers(n);
    n->error_old = true;
    n->fresh = false;
    evtimer_add(n->deadline, &deadline);
    n->pending = 1; /* ours: a failure inside send_question must not end the round half asked */
    for (int q = 0; q < QUESTIONS; q++)
        if (to_ask(n, (enum question)q))
            send_question(&n->asks[q]);
    if (--n->pending == 0)
        node_done(n);
}

/* ---- rounds
 * ------------------------------------------------------------------------------------------------- */

static struct node_answer answer_of(const struct asked_node *n)
{
    bool use = n->fresh && n->answered;
    return (struct node_answer){
        .answered = use,
        .has_feed = n->has_feed,
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
        .connections = use ? n->asks[ASK_CONNECTIONS].answer : NULL,
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

/* until the next round */
static unsigned pause_ms(const struct observer *o)
{
    uint64_t took_us = processor_us() - o->began_us;
    uint64_t least = o->percent ? took_us * 100 / o->percent / 1000 : 0;
    return (unsigned)u64_min(u64_max(o->interval_ms, least), 4 * (uint64_t)o->interval_ms);
}

static void end_round(struct observer *o)
{
    struct node_answer answers[LIMIT_NODES] = {0};
    for (size_t i = 0; i < o->nodes_len; i++)
        answers[i] = answer_of(&o->nodes[i]);
    for (size_t i = 0; i < o->nodes_len && !o->lab->external; i++)
        answers[i].gone = !answers[i].answered && !engine_node_alive(o->lab, i);
    for (size_t i = 0; i < o->nodes_len; i++)
        answers[i].log = node_log_read(o->nodes[i].log); /* also the last words of one that is gone */
    struct snapshot *s = merge_answers(o->lab, answers, o->latest,
                                       (struct merge_time){.now = monotonic_ms(), .wall_ms = wall_ms()});
    merge_trace(s, answers, o->nodes_len, o->queue_asked);
    notice_published(s, o->latest);
    for (size_t i = 0; i < o->nodes_len; i++) {
        move_feed(&o->nodes[i].feed_next, answers[i].events);
        move_feed(&o->nodes[i].trace_next, answers[i].trace);
        json_decref(answers[i].log);
        if (o->nodes[i].pending == 0) {
            o->nodes[i].fresh = false;
            forget_answers(&o->nodes[i]);
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

/* The node whose lists were to be shown says nothing this time: now it is another's, of the same moment. */
static bool ask_the_others(struct observer *o)
{
    const struct asked_node *source = o->latest ? &o->nodes[o->latest->source] : NULL;
    if (o->asks_all || !source || (source->fresh && source->answered))
        return false;
    o->asks_all = o->asking = true;
    for (size_t i = 0; i < o->nodes_len; i++)
        if (o->nodes[i].fresh && o->nodes[i].answered)
            ask_node(&o->nodes[i]);
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

static void node_done(struct asked_node *n)
{
    evtimer_del(n->deadline);
    n->answered = !n->asks[ASK_NODES].failed && !n->asks[ASK_QUEUES].failed && !n->asks[ASK_POLICIES].failed;
    n->fresh = true;
    n->late = !n->answered;
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
            ask_node(&o->nodes[i]);
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
        n->deadline = evtimer_new(base, on_deadline, n);
        for (int q = 0; q < QUESTIONS; q++)
            n->asks[q] = (struct ask){.node = n, .question = (enum question)q};
    }
    observer_poke(o);
    return o;
}

void observer_spare(struct observer *o, unsigned percent)
{
    o->percent = percent;
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
        close_connections(&o->nodes[i]);
        forget_answers(&o->nodes[i]);
        forget_bodies(&o->nodes[i]);
        event_free(o->nodes[i].deadline);
        node_log_close(o->nodes[i].log);
        free(o->nodes[i].error);
    }
    if (o->dns)
        evdns_base_free(o->dns, 0);
    event_free(o->timer);
    snapshot_destroy(o->latest);
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
