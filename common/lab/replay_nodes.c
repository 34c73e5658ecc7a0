/* replay_nodes.c: playing a schedule on real nodes: the kit's processes or RabbitMQ. Everything is done as a
 * user would do it (labctl, AMQP, the management API), and every event waits for its fact: what all nodes
 * that run say, within a bounded time. Nothing here knows which engine it is but for names and patience. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/client.h"
#include "lab/replay_private.h"

/* ---- events ---- */

static int begin(void *arg, const struct sched *s, char **why)
{
    struct nodes *w = arg;
    static const char *const handlings[] = {"ignore", "pause_minority", "autoheal"};
    snprintf(w->lab->partition_handling, sizeof(w->lab->partition_handling), "%s", handlings[s->partitions]);
    int err = engine_up(w->lab, NULL, NULL, why);
    if (err)
        return err;
    w->up = true;
    w->running = (1u << s->nodes) - 1;
    w->apart = s->partitions == SCHED_IGNORE;
    return nodes_rest(w, why);
}

/* Those that are gone already stay so. Killed are all at once: none of them hears of the others' end. */
static int end_nodes(struct nodes *w, const struct sched_event *e, json_t **fact, char **why)
{
    bool kills = e->verb == SCHED_KILL;
    uint32_t ending = e->nodes & (w->running | w->waiting | (kills ? w->stopped : 0));
    EACH_NODE(i, ending)
    starter_drop(&w->starters[i]);
    int err = kills && ending ? engine_kill_nodes(w->lab, ending, why) : 0;
    EACH_NODE(i, err ? 0 : ending)
    {
        err = kills ? 0 : TOLD(w, i, why, "stop_app");
        if (err)
            break;
        w->running &= ~(1u << i);
        w->waiting &= ~(1u << i);
        w->stopped = kills ? w->stopped & ~(1u << i) : w->stopped | 1u << i;
    }
    *fact = err ? NULL : replay_fact_ended(e->nodes);
    return err;
}

/* node names inside a definition are the engine's own: "node1" is "node1@localhost" in RabbitMQ */
static char *own_names(const struct nodes *w, const char *definition)
{
    struct text t = {0};
    text_add(&t, "");
    for (const char *at = definition; *at; at++) {
        text_add_bytes(&t, at, 1);
        bool ends = at > definition && at[1] == '"' && at[0] >= '1' && at[0] <= '0' + SCHED_NODES;
        if (w->rabbitmq && ends && at - definition >= 5 && strncmp(at - 5, "\"node", 5) == 0)
            text_add(&t, "@localhost");
    }
    return t.s;
}

static int set_policy(struct nodes *w, unsigned via, const struct sched_event *e, char **why)
{
    char *definition = own_names(w, e->third), *priority = format_text("%u", (unsigned)e->numbers[0]);
    int err = TOLD(w, via, why, "set_policy", e->name, e->second, definition, "--apply-to", "queues",
                   "--priority", priority);
    free(definition);
    free(priority);
    if (!err)
        VEC_PUSH(&w->policies, (struct policy_told){xstrdup(e->name), xstrdup(e->second), xstrdup(e->third)});
    return err;
}

static void policy_forget(struct nodes *w, const char *name)
{
    for (size_t i = w->policies.len; i > 0; i--) {
        struct policy_told *p = &w->policies.items[i - 1];
        if (name && strcmp(p->name, name) != 0)
            continue;
        free(p->name);
        free(p->pattern);
        free(p->definition);
        VEC_REMOVE(&w->policies, i - 1);
    }
}

static int declare(struct nodes *w, unsigned via, const struct sched_event *e, json_t **fact, char **why)
{
    int status;
    char *path = http_path("/api/queues/%2F/", e->name);
    char *body =
        format_text("{\"durable\":%s,\"auto_delete\":%s,\"arguments\":%s}",
                    e->queue_kind == SCHED_QUEUE_DURABLE ? "true" : "false",
                    e->queue_kind == SCHED_QUEUE_AUTO_DELETE ? "true" : "false", e->third ? e->third : "{}");
    json_t *answer = nodes_api(w, via, "PUT", path, body, &status);
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    if (status == 400 && reason && strstr(reason, "inequivalent"))
        *fact = fact_of(N_("refused: %s is there, and not like that"), e->name);
    json_decref(answer);
    free(path);
    free(body);
    VEC_PUSH(&w->queues, xstrdup(e->name));
    if (status == 201 || status == 204 || *fact)
        return 0;
    struct replay_queue q;
    if (nodes_row(w, via, e->name, &q) && q.state != REPLAY_RUNNING && q.state != REPLAY_GONE) {
        *fact = fact_of(N_("refused: %s does not run"), e->name);
        return 0;
    }
    *why = format_text("node%u: PUT of queue %s was answered with status %d", via + 1, e->name, status);
    return ERR_REFUSED;
}

static int synced_fact(struct nodes *w, unsigned via, const char *queue, char **why)
{
    int64_t end = clock_now_ms() + w->patience_ms;
    struct replay_queue q;
    while (!nodes_row(w, via, queue, &q) || q.state != REPLAY_RUNNING || q.synced != q.mirrors) {
        if (clock_now_ms() > end)
            return nodes_not_so(w, why, "%s has mirrors that are not in sync after sync_queue", queue);
        pause_ms(20);
    }
    return 0;
}

static int only_simulated(const struct sched_event *e, const char *engine, char **why)
{
    *why = format_text("line %u, %s: not possible on the engine %s; play it with --engine sim", e->line,
                       e->text, engine);
    return ERR_REFUSED;
}

/* Starts one labctl for each link between the two sides; on RabbitMQ, which acts on every link that it sees
 * go, a single one. Returns how many, or a negative error and *why. option: NULL, or "--one-way". */
static int start_cutters(const struct nodes *w, uint32_t side, uint32_t other_side, const char *option,
                         struct starter *cutters, char **why)
{
    uint32_t one = side & (side - 1) ? other_side : side, rest = (side | other_side) & ~one;
    bool at_once = w->rabbitmq && rest & (rest - 1);
    int len = 0, err = 0;
    if (at_once) {
        const char *name = w->lab->nodes[__builtin_ctz(one)].name;
        const char *const words[] = {"labctl", "-n", name, "cut", name, NULL};
        err = engine_spawn(w->lab, words, &cutters[0].fd, &cutters[0].pid);
        len = !err;
    } else {
        EACH_NODE(a, side)
        EACH_NODE(b, other_side)
        {
            const char *from = w->lab->nodes[a].name, *to = w->lab->nodes[b].name;
            const char *const words[] = {"labctl", "-n", from, "cut", from, to, option, NULL};
            if (!err && !(err = engine_spawn(w->lab, words, &cutters[len].fd, &cutters[len].pid)))
                len++;
        }
    }
    if (err)
        *why = format_text("labctl cannot be run: %s", err_text(err));
    return err ? err : len;
}

/* Cuts all links between the two sides, as nearly at once as processes can, and waits until both ends of each
 * say that the other does not run (or serve nobody any more). option: NULL, or "--one-way". */
static int cut(struct nodes *w, uint32_t side, uint32_t other_side, const char *option, char **why)
{
    struct starter cutters[SCHED_NODES * SCHED_NODES] = {0};
    int code = 0, len = start_cutters(w, side, other_side, option, cutters, why), err = len < 0 ? len : 0;
    for (int i = 0; i < len; i++) {
        while (!starter_back(&cutters[i], &code))
            pause_ms(2);
        /* an end that is off is told when it starts (replay_start.c) */
        bool off_end = !w->rabbitmq && (side | other_side) & ~w->running & ~w->waiting;
        if (code && !err && !off_end) {
            *why = format_text("labctl cut: %s", text_str(&cutters[i].said));
            err = ERR_REFUSED;
        }
        starter_drop(&cutters[i]);
    }
    w->cut = w->cut || !err;
    int64_t end = clock_now_ms() + w->patience_ms;
    EACH_NODE(a, side)
    EACH_NODE(b, other_side)
    {
        w->cuts[a] |= 1u << b;
        w->cuts[b] |= 1u << a;
        while (!err && (nodes_say_running(w, a) >> b & 1 || nodes_say_running(w, b) >> a & 1)) {
            if (clock_now_ms() > end)
                err = nodes_not_so(w, why, "node%u and node%u still see each other after the cut", a + 1,
                                   b + 1);
            pause_ms(20);
        }
    }
    return err;
}

/* Whether what is asked for can be done to RabbitMQ: it has no cut one way, and no way to cut many links at
 * once but those of one node. */
static bool can_cut(const struct nodes *w, const struct sched_event *e)
{
    uint32_t others = ((1u << w->lab->nodes_len) - 1) & ~e->nodes;
    return !w->rabbitmq || e->verb == SCHED_CUT || e->verb == SCHED_CUT_NOW ||
           (e->verb == SCHED_PART && (!(e->nodes & (e->nodes - 1)) || !(others & (others - 1))));
}

static uint32_t off(void *arg)
{
    const struct nodes *w = arg;
    return ((1u << w->lab->nodes_len) - 1) & ~w->running & ~w->waiting;
}

/* One link, or all. Where nodes do not stay apart by themselves they are waited for: nodes_rest. */
static int heal(struct nodes *w, const struct sched_event *e, char **why)
{
    bool one = e->node != SCHED_NONE;
    unsigned via = (unsigned)nodes_first(w);
    uint32_t left = 0;
    bool off_end = !w->rabbitmq && off(w); /* and knows of no cut when it starts */
    int err = one ? TOLD(w, via, why, "heal", w->lab->nodes[e->node].name, w->lab->nodes[e->other].name)
                  : TOLD(w, via, why, "heal");
    err = off_end ? 0 : err;
    for (unsigned i = 0; i < SCHED_NODES; i++) {
        w->cuts[i] &= !one ? 0 : i == e->node ? ~(1u << e->other) : i == e->other ? ~(1u << e->node) : ~0u;
        left |= w->cuts[i];
    }
    w->cut = w->cut && (left || w->apart);
    return err;
}

static uint32_t serving(void *arg)
{
    const struct nodes *w = arg;
    uint32_t set = w->cut ? 0 : w->running;
    EACH_NODE(i, w->cut ? w->running : 0) /* some may be paused */
    set |= nodes_say_running(w, i) & 1u << i;
    return set;
}

static void others(void *arg, unsigned node, struct replay_others *out)
{
    nodes_say(arg, node, out);
}

static uint64_t now_ms(void *arg)
{
    (void)arg;
    return (uint64_t)clock_now_ms();
}

static void wait_for_time(void *arg, uint64_t ms)
{
    (void)arg;
    pause_ms((unsigned)ms);
}

/* labctl and rabbitmqctl say each in its own words that there is none. */
static int clear(struct nodes *w, unsigned via, const struct sched_event *e, json_t **fact, char **why)
{
    int status;
    char *path = http_path("/api/policies/%2F/", e->name);
    json_decref(nodes_api(w, via, "GET", path, NULL, &status));
    free(path);
    policy_forget(w, e->name);
    if (status != 404)
        return TOLD(w, via, why, "clear_policy", e->name);
    *fact = fact_of(N_("refused: there is no policy %s"), e->name);
    return 0;
}

static int ask_of(struct nodes *w, unsigned n, const struct sched_event *e, json_t **fact, char **why)
{
    if (e->verb == SCHED_POLICY)
        return set_policy(w, n, e, why);
    if (e->verb == SCHED_CLEAR)
        return clear(w, n, e, fact, why);
    if (e->verb == SCHED_DECLARE)
        return declare(w, n, e, fact, why);
    if (e->verb == SCHED_DELETE)
        return TOLD(w, n, why, "delete_queue", e->name);
    if (e->verb == SCHED_PURGE)
        return TOLD(w, n, why, "purge_queue", e->name);
    if (e->verb == SCHED_FORGET) {
        char *node = format_text("node%u%s", e->node + 1u, w->rabbitmq ? "@localhost" : "");
        int code = TOLD(w, n, why, "forget_cluster_node", node);
        free(node);
        return code;
    }
    if (e->verb == SCHED_CANCEL_SYNC)
        return TOLD(w, n, why, "cancel_sync_queue", e->name);
    int err = TOLD(w, n, why, "sync_queue", e->name);
    return err ? err : synced_fact(w, n, e->name, why);
}

static int act_by_operator(struct nodes *w, const struct sched_event *e, json_t **fact, char **why)
{
    unsigned n = (unsigned)__builtin_ctz(serving(w)); /* replay.c has asked whether anybody does */
    int err = ask_of(w, n, e, fact, why);
    if (!err || !w->cut || nodes_say_running(w, n) >> n & 1)
        return err;
    *fact = fact_of(N_("not answered: node%u serves nobody any more"), n + 1); /* it has paused meanwhile */
    return 0;
}

/* Of RabbitMQ only a process that is there can be told so. */
static int force(struct nodes *w, const struct sched_event *e, char **why)
{
    if (!w->rabbitmq || (w->waiting | w->stopped) & e->nodes)
        return TOLD(w, e->node, why, "force_boot");
    *why = format_text(
        "line %u, %s: on RabbitMQ its process has to be there: start it (it waits), then force it, "
        "kill it and start it again",
        e->line, e->text);
    return ERR_REFUSED;
}

/* By a node whose process is not there. */
static int forget_offline(struct nodes *w, const struct sched_event *e, char **why)
{
    if (!w->rabbitmq)
        return TOLD(w, e->node, why, "forget_cluster_node", "--offline", w->lab->nodes[e->other].name);
    *why = format_text(
        "line %u, %s: not possible on the engine rabbitmq, whose rabbitmqctl would have to be told "
        "where that node's files are; play it with --engine sim or kit",
        e->line, e->text);
    return ERR_REFUSED;
}

static int act(void *arg, const struct sched_event *e, json_t **fact, char **why)
{
    struct nodes *w = arg;
    const char *engine = w->rabbitmq ? "rabbitmq" : "kit";
    nodes_reap(w);
    switch (e->verb) {
    case SCHED_KILL:
    case SCHED_STOP: return end_nodes(w, e, fact, why);
    case SCHED_FORCE: return force(w, e, why);
    case SCHED_FORGET_OFFLINE: return forget_offline(w, e, why);
    case SCHED_START: return nodes_start(w, e, fact, why);
    case SCHED_CUT:
    case SCHED_CUT_NOW:
    case SCHED_CUT_ONE_WAY:
    case SCHED_PART:
        if (!can_cut(w, e))
            return only_simulated(e, engine, why);
        if (e->verb == SCHED_PART)
            return cut(w, e->nodes, ((1u << w->lab->nodes_len) - 1) & ~e->nodes, NULL, why);
        return cut(w, 1u << e->node, 1u << e->other, e->verb == SCHED_CUT_ONE_WAY ? "--one-way" : NULL, why);
    case SCHED_HEAL: return heal(w, e, why);
    case SCHED_POLICY:
    case SCHED_CLEAR:
    case SCHED_DECLARE:
    case SCHED_DELETE:
    case SCHED_PURGE:
    case SCHED_SYNC:
    case SCHED_FORGET:
    case SCHED_CANCEL_SYNC: return act_by_operator(w, e, fact, why);
    case SCHED_CALM:
    case SCHED_PUBLISH:
    case SCHED_CONSUME:
    case SCHED_VERB_COUNT_: return 0;
    case SCHED_CLOG:
    case SCHED_SLOW:
    case SCHED_FAIL_WRITE:
    case SCHED_FAIL_SYNC:
    case SCHED_FULL_DISK:
    case SCHED_FREE_DISK:
    case SCHED_RESET:
    case SCHED_LOSE_DISK:
    case SCHED_CLOCK:
    case SCHED_PUT:
    case SCHED_UNPUT: break;
    }
    return only_simulated(e, engine, why);
}

/* ---- clients ---- */

static int client_failed(struct client *c, unsigned node, char **why)
{
    *why = format_text("node%u: %s", node + 1, client_error(c) ? client_error(c) : "no confirm in time");
    client_destroy(c);
    return ERR_CLOSED;
}

static int publish(void *arg, const struct sched_event *e, unsigned first, unsigned count,
                   enum replay_answer *answers, char **why)
{
    struct nodes *w = arg;
    struct replay_queue q = {0};
    bool served = w->running >> e->node & 1 && nodes_row(w, e->node, e->name, &q);
    bool runs = served && q.state == REPLAY_RUNNING;
    for (unsigned i = 0; i < count; i++)
        answers[i] = runs ? REPLAY_UNANSWERED : served ? REPLAY_UNROUTABLE : REPLAY_NOT_SERVED;
    if (!runs)
        return 0;
    const struct lab_node *node = &w->lab->nodes[e->node];
    struct client *c = client_connect(node->host, node->amqp_port, w->lab->user, w->lab->password);
    if (client_error(c)) {
        for (unsigned i = 0; i < count; i++)
            answers[i] = REPLAY_NOT_SERVED;
        client_destroy(c);
        return 0;
    }
    if (client_confirms(c))
        return client_failed(c, e->node, why);
    for (unsigned i = 0; i < count; i++) {
        char body[16];
        int len = snprintf(body, sizeof(body), "m%u", first + i);
        struct client_message m = {.body = body, .len = (size_t)len, .persistent = !e->transient};
        if (client_publish(c, e->name, &m))
            return client_failed(c, e->node, why);
    }
    int err = client_confirmed(c, 0, (int)w->patience_ms);
    if (err && err != ERR_REFUSED)
        return client_failed(c, e->node, why);
    for (unsigned i = 0; i < count; i++)
        answers[i] = client_took(c, i + 1) ? REPLAY_CONFIRMED : REPLAY_REFUSED;
    client_close(c);
    client_destroy(c);
    return 0;
}

/* POST get: the messages' numbers, in order; negative: not answered */
static int get(const struct nodes *w, unsigned node, const char *queue, unsigned count, bool take,
               unsigned *numbers)
{
    int status, n = 0;
    size_t i;
    char *escaped = http_path("/api/queues/%2F/", queue), *path = format_text("%s/get", escaped);
    char *body = format_text("{\"count\":%u,\"ackmode\":\"%s\",\"encoding\":\"auto\"}", count,
                             take ? "ack_requeue_false" : "ack_requeue_true");
    json_t *list = nodes_api(w, node, "POST", path, body, &status), *item;
    json_array_foreach(list, i, item)
    {
        const char *payload = json_string_value(json_object_get(item, "payload"));
        unsigned number;
        if (payload && sscanf(payload, "m%u", &number) == 1 && (unsigned)n < count)
            numbers[n++] = number;
    }
    bool good = status == 200 && json_is_array(list);
    json_decref(list);
    free(escaped);
    free(path);
    free(body);
    return good ? n : -1;
}

static int consume(void *arg, const struct sched_event *e, unsigned count, unsigned *taken, unsigned *len,
                   enum replay_got *got, char **why)
{
    struct nodes *w = arg;
    struct replay_queue q = {0};
    bool served = w->running >> e->node & 1 && nodes_row(w, e->node, e->name, &q);
    bool runs = served && q.state == REPLAY_RUNNING;
    *got = runs ? REPLAY_TOOK : served ? REPLAY_NOTHING_RUNS : REPLAY_NOBODY_SERVES;
    int n = runs && count ? get(w, e->node, e->name, count, true, taken) : 0;
    if (n < 0) {
        *why = format_text("line %u, %s: node%u does not hand out messages", e->line, e->text, e->node + 1u);
        return ERR_REFUSED;
    }
    *len = (unsigned)n;
    return 0;
}

/* ---- looking ---- */

#define HOLDS_MAX 100000

/* Through its master's node; false: that does not show them. */
static bool add_held(const struct nodes *w, const char *queue, unsigned node, struct replay_queue *out)
{
    unsigned *numbers = xcalloc(HOLDS_MAX, sizeof(*numbers));
    int n = get(w, node, queue, HOLDS_MAX, false, numbers);
    for (int i = 0; i < n; i++)
        VEC_PUSH(&out->holds, numbers[i]);
    free(numbers);
    return n >= 0;
}

static int look(void *arg, const char *queue, bool asked, struct replay_queue *out, char **why)
{
    struct nodes *w = arg;
    uint32_t masters = 0, all = asked ? serving(w) : w->running;
    if (asked && all)
        all &= nodes_say_running(w, (unsigned)__builtin_ctz(all));
    bool any = false;
    *out = (struct replay_queue){.state = REPLAY_DOWN, .master = SCHED_NONE}; /* nobody runs who could say */
    EACH_NODE(i, all)
    {
        struct replay_queue q = {0};
        if (any && !w->cut)
            break; /* they agree */
        if (!nodes_row(w, i, queue, &q)) {
            if (w->cut)
                continue; /* it may be paused */
            return nodes_not_so(w, why, "node%u does not list its queues", i + 1);
        }
        bool serves = q.state == REPLAY_RUNNING;
        if (!any || (serves && out->state != REPLAY_RUNNING))
            *out = q; /* which holds nothing yet */
        size_t held = out->holds.len;
        bool another = serves && !(masters >> q.master & 1);
        if (another && !add_held(w, queue, i, out))
            return nodes_not_so(w, why, "%s runs but node%u does not show what it holds", queue, i + 1);
        if (another)
            replay_add_side(out, &q, held);
        masters |= serves ? 1u << q.master : 0;
        any = true;
    }
    return 0;
}

int replay_on_nodes(const struct sched *s, const char *name, struct labdir *lab,
                    const volatile sig_atomic_t *stop, FILE *out, struct replay_result *result)
{
    bool rabbitmq = lab->engine == ENGINE_RABBITMQ;
    const struct replay_world world = {.name = rabbitmq ? "rabbitmq" : "kit",
                                       .rule = "its own",
                                       .begin = begin,
                                       .act = act,
                                       .publish = publish,
                                       .consume = consume,
                                       .wait = wait_for_time,
                                       .now_ms = now_ms,
                                       .serving = serving,
                                       .off = off,
                                       .others = others,
                                       .rest = nodes_rest,
                                       .look = look};
    struct nodes w = {
        .lab = lab, .stop = stop, .rabbitmq = rabbitmq, .patience_ms = rabbitmq ? 60000 : 15000};
    int err = replay_play(s, name, &world, &w, out, result);
    for (size_t i = 0; i < SCHED_NODES; i++)
        starter_drop(&w.starters[i]); /* it waits for nodes that will not come */
    char *error = NULL;
    int down = w.up ? engine_down(lab, &error) : 0;
    if (down)
        fprintf(out, "the nodes were not ended in order: %s\n", error ? error : err_text(down));
    free(error);
    policy_forget(&w, NULL);
    VEC_FREE(&w.policies);
    for (size_t i = 0; i < w.queues.len; i++)
        free(w.queues.items[i]);
    VEC_FREE(&w.queues);
    return err ? err : down;
}
