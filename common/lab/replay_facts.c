/* replay_facts.c: what the nodes of a replayed schedule say, by labctl and the management API, and when they
 * are at rest: nothing is going to change any more unless something happens to them. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/replay_private.h"

#define ASK_MS 5000

int nodes_not_so(const struct nodes *w, char **why, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    text_printf(&t, " (looked for %u s; the nodes' own words are in %s/nodeN/log.txt)", w->patience_ms / 1000,
                w->lab->path);
    free(*why);
    *why = t.s;
    return ERR_TIMEOUT;
}

int nodes_first(const struct nodes *w)
{
    return w->running ? __builtin_ctz(w->running) : -1;
}

/* ---- labctl and the API ---- */

int nodes_ctl(const struct nodes *w, unsigned node, char **output, const char *const *words)
{
    const char *all[16] = {"-n", w->lab->nodes[node].name};
    size_t n = 2;
    while (*words && n < ARRAY_LEN(all) - 1)
        all[n++] = *words++;
    return engine_ctl(w->lab, all, output);
}

/* As CTL, and 0, or *why: what labctl said. */
int nodes_told(const struct nodes *w, unsigned node, char **why, const char *const *words)
{
    char *output = NULL;
    int code = nodes_ctl(w, node, &output, words);
    if (code) {
        size_t len = output ? strlen(output) : 0;
        while (len && output[len - 1] == '\n')
            output[--len] = '\0';
        free(*why);
        *why = format_text("labctl -n node%u %s: %s", node + 1, words[0], output ? output : "failed");
    }
    free(output);
    return code ? ERR_REFUSED : 0;
}

json_t *nodes_api(const struct nodes *w, unsigned node, const char *method, const char *path,
                  const char *body, int *status)
{
    struct http_answer answer;
    json_t *json = NULL;
    *status = 0;
    if (http_call(w->lab, node, method, path, body, ASK_MS, &answer) == 0) {
        *status = answer.status;
        json = json_loads(text_str(&answer.body), 0, NULL);
    }
    text_finish(&answer.body);
    return json;
}

static uint32_t node_bit_of(const struct nodes *w, const json_t *name)
{
    int at = json_is_string(name) ? labdir_find_node(w->lab, json_string_value(name)) : -1;
    return at >= 0 ? 1u << at : 0;
}

void nodes_say(const struct nodes *w, unsigned node, struct replay_others *out)
{
    int status;
    json_t *list = nodes_api(w, node, "GET", "/api/nodes", NULL, &status), *item, *other;
    size_t i, k;
    *out = (struct replay_others){0};
    json_array_foreach(list, i, item)
    {
        uint32_t of = node_bit_of(w, json_object_get(item, "name"));
        out->running |= json_is_true(json_object_get(item, "running")) ? of : 0;
        if (of != 1u << node)
            continue; /* of links and partitions each speaks for itself */
        json_array_foreach(json_object_get(item, "cluster_links"), k, other)
        {
            out->linked |= node_bit_of(w, json_object_get(other, "name"));
        }
        json_array_foreach(json_object_get(item, "partitions"), k, other)
        {
            out->parted |= node_bit_of(w, other);
        }
    }
    json_decref(list);
}

uint32_t nodes_say_running(const struct nodes *w, unsigned node)
{
    struct replay_others said;
    nodes_say(w, node, &said);
    return said.running;
}

/* ---- what is to be so ---- */

static const char *definition_for(const struct nodes *w, const char *queue)
{
    /* patterns of schedules are names behind ^ (or nothing): more is for the brokers to match */
    for (size_t i = w->policies.len; i > 0; i--) {
        const char *pattern = w->policies.items[i - 1].pattern;
        if (strncmp(queue, pattern + (*pattern == '^'), strlen(pattern + (*pattern == '^'))) == 0)
            return w->policies.items[i - 1].definition;
    }
    return "{}";
}

/* Do these replicas answer to the policy, given who is seen to run? */
static bool placed(const struct nodes *w, const char *queue, const struct replay_queue *q, uint32_t sees)
{
    json_t *d = json_loads(definition_for(w, queue), 0, NULL), *name;
    const char *mode = json_string_value(json_object_get(d, "ha-mode"));
    const json_t *params = json_object_get(d, "ha-params");
    const char *sync = json_string_value(json_object_get(d, "ha-sync-mode"));
    uint32_t have = q->mirrors | (q->master < SCHED_NODES ? 1u << q->master : 0);
    unsigned running = (unsigned)__builtin_popcount(sees), want = 1;
    bool good = true;
    if (mode && strcmp(mode, "all") == 0) {
        want = running;
    } else if (mode && strcmp(mode, "exactly") == 0) {
        want = (unsigned)json_integer_value(params);
        want = want < running ? want : running;
    } else if (mode) {
        uint32_t named = 0;
        size_t i;
        json_array_foreach(params, i, name)
        {
            int at = labdir_find_node(w->lab, json_string_value(name));
            named |= at >= 0 ? 1u << at : 0;
        }
        named &= sees;
        good = (have & named) == named || !named;
        want = named ? (unsigned)__builtin_popcount(have) : 1;
    }
    good = good && (unsigned)__builtin_popcount(have) == want;
    if (sync && strcmp(sync, "automatic") == 0)
        good = good && q->synced == q->mirrors;
    if (q->empty) /* then every mirror has all there is, and will be said to be in sync */
        good = good && q->synced == q->mirrors;
    json_decref(d);
    return good;
}

/* ---- queues, as labctl list_queues shows them ---- */

/* the nodes that stand in a column such as "<node2@localhost.1.2.0>" or "[<..>, <..>]" */
static uint32_t nodes_in(const char *column, size_t len)
{
    uint32_t set = 0;
    for (size_t i = 0; i + 4 < len; i++)
        if (strncmp(column + i, "node", 4) == 0 && column[i + 4] >= '1' && column[i + 4] <= '0' + SCHED_NODES)
            set |= 1u << (column[i + 4] - '1');
    return set;
}

static void read_row(const char *row, struct replay_queue *q)
{
    const char *column[7];
    size_t len[7], n = 0;
    for (const char *at = row; n < ARRAY_LEN(column); at += len[n - 1] + 1) {
        column[n] = at;
        len[n] = strcspn(at, "\t\n");
        n++;
        if (at[len[n - 1]] != '\t')
            break;
    }
    bool stopped = n > 1 && len[1] == 7 && strncmp(column[1], "stopped", 7) == 0;
    bool running = n > 1 && len[1] == 7 && strncmp(column[1], "running", 7) == 0;
    uint32_t master = n > 2 ? nodes_in(column[2], len[2]) : 0;
    q->state = running ? REPLAY_RUNNING : stopped ? REPLAY_STOPPED : REPLAY_DOWN;
    q->master = master ? (uint8_t)__builtin_ctz(master) : SCHED_NONE;
    q->mirrors = n > 3 ? nodes_in(column[3], len[3]) : 0;
    q->synced = n > 4 ? nodes_in(column[4], len[4]) & q->mirrors : 0;
    q->empty = n > 5 && len[5] == 1 && *column[5] == '0';
    if (n > 6)
        snprintf(q->policy, sizeof(q->policy), "%.*s", (int)len[6], column[6]);
}

/* RabbitMQ leaves a queue out of the list whose mirrors may not take over; its API still knows it. */
static void ask_api(const struct nodes *w, unsigned node, const char *queue, struct replay_queue *q)
{
    int status;
    char *path = http_path("/api/queues/%2F/", queue);
    json_t *json = nodes_api(w, node, "GET", path, NULL, &status);
    const char *at = json_string_value(json_object_get(json, "node"));
    uint32_t master = at ? nodes_in(at, strlen(at)) : 0;
    if (status == 200) {
        q->state = REPLAY_DOWN;
        q->master = master ? (uint8_t)__builtin_ctz(master) : SCHED_NONE;
    }
    json_decref(json);
    free(path);
}

/* What this node says of the queue. false: it does not answer. */
bool nodes_row(const struct nodes *w, unsigned node, const char *queue, struct replay_queue *q)
{
    char *output = NULL;
    int code = CTL(w, node, &output, "--quiet", "list_queues", "name", "state", "pid", "slave_pids",
                   "synchronised_slave_pids", "messages", "policy");
    size_t len = strlen(queue);
    *q = (struct replay_queue){.state = REPLAY_GONE, .master = SCHED_NONE};
    for (const char *line = output; code == 0 && line && *line; line += strcspn(line, "\n")) {
        line += *line == '\n';
        if (strncmp(line, queue, len) == 0 && line[len] == '\t')
            read_row(line, q);
    }
    free(output);
    if (code == 0 && q->state == REPLAY_GONE)
        ask_api(w, node, queue, q);
    return code == 0;
}

static bool same_queue(const struct replay_queue *a, const struct replay_queue *b)
{
    return a->state == b->state && a->master == b->master && a->mirrors == b->mirrors &&
           a->synced == b->synced;
}

/* What node i, which sees these nodes run, does not say yet of the queue; NULL: all is so. */
static char *restless_queue(const struct nodes *w, unsigned i, uint32_t sees, const char *name,
                            struct replay_queue *q)
{
    if (!nodes_row(w, i, name, q))
        return format_text("node%u does not list its queues", i + 1);
    bool there = q->master != SCHED_NONE && sees >> q->master & 1;
    if (q->state == REPLAY_RUNNING && !there)
        return format_text("node%u says %s runs on node%u, which does not", i + 1, name, q->master + 1u);
    if (q->state == REPLAY_RUNNING && !placed(w, name, q, sees))
        return format_text(
            "%s has not the mirrors that its policy asks for, in sync where they are going to be", name);
    if (q->state != REPLAY_RUNNING && there)
        return format_text("%s does not run though its node%u does", name, q->master + 1u);
    return NULL;
}

/* At rest: NULL, or what is not so yet. While links are cut each node speaks for those it sees. */
static char *restless(struct nodes *w)
{
    uint32_t sees[SCHED_NODES] = {0};
    bool together = true;
    EACH_NODE(i, w->running)
    {
        sees[i] = nodes_say_running(w, i);
        if (!sees[i] && !w->cut)
            return format_text("node%u does not answer", i + 1);
        together = together && sees[i] == w->running;
        if (sees[i] == w->running || (w->cut && !(sees[i] & ~w->running)))
            continue;
        struct text t = {0};
        text_printf(&t, "node%u says these run: ", i + 1);
        replay_node_list(&t, sees[i]);
        return t.s;
    }
    for (size_t k = 0; k < w->queues.len; k++) {
        struct replay_queue first = {0}, q = {0};
        bool any = false;
        EACH_NODE(i, w->running)
        {
            if (!sees[i] ||
                (any && w->rabbitmq && !w->cut)) /* rabbitmqctl asks the whole cluster, and is slow */
                continue;
            char *what = restless_queue(w, i, sees[i], w->queues.items[k], &q);
            if (what)
                return what;
            if (any && together && !same_queue(&first, &q))
                return format_text("node%u says something else of %s than the others", i + 1,
                                   w->queues.items[k]);
            first = any ? first : q;
            any = true;
        }
    }
    w->cut = w->cut && !together;
    return NULL;
}

/* A node that waited for others may serve by now. NULL, or: it is about to. */
static char *look_at_waiting(struct nodes *w)
{
    nodes_reap(w);
    EACH_NODE(i, w->waiting)
    {
        if (nodes_say_running(w, i) >> i & 1) {
            w->waiting &= ~(1u << i);
            w->running |= 1u << i;
        } else if (!w->rabbitmq && !nodes_waits(w, i)) {
            return format_text("node%u neither serves nor waits for others", i + 1);
        }
    }
    return NULL;
}

int nodes_rest(void *arg, char **why)
{
    struct nodes *w = arg;
    int64_t end = clock_now_ms() + w->patience_ms;
    for (;;) {
        char *what = look_at_waiting(w);
        what = what ? what : restless(w);
        if (!what)
            return 0;
        if (*w->stop || clock_now_ms() > end) {
            int err = nodes_not_so(w, why, "no rest: %s", what);
            free(what);
            return err;
        }
        free(what);
        pause_ms(w->rabbitmq ? 200 : 20);
    }
}
