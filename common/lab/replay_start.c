/* replay_start.c: starting the nodes of a replayed schedule. A labctl starts each and comes back once it
 * serves; one whose node waits for others goes on waiting, while the schedule goes on. It is forgotten once
 * it has come back or its node has ended: the next start of that node is a start of its own. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/replay_private.h"

#define RABBITMQ_WAITS_MS 20000 /* who does not serve by then goes on waiting: RabbitMQ does not say so */
#define SHUT_OUT_MS       4000  /* the kit's looks for others for 1.5 s; who was not taken in then, is not */
#define LOG_WAITS_MS      2000  /* its nodes say at every start that they wait; who says so still, does */

static int end_of(struct starter *s)
{
    int status = 0;
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(s->fd);
    s->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool starter_back(struct starter *s, int *code)
{
    char part[512];
    struct pollfd readable = {.fd = s->fd, .events = POLLIN};
    while (poll(&readable, 1, 0) > 0) {
        ssize_t got = read(s->fd, part, sizeof(part));
        if (got > 0) {
            text_add_bytes(&s->said, part, (size_t)got);
            continue;
        }
        *code = end_of(s);
        return true;
    }
    return false;
}

void starter_drop(struct starter *s)
{
    if (s->pid) {
        kill(s->pid, SIGTERM);
        end_of(s);
    }
    text_finish(&s->said);
    *s = (struct starter){0};
}

void nodes_reap(struct nodes *w)
{
    int code;
    for (size_t i = 0; i < SCHED_NODES; i++)
        if (w->starters[i].pid && starter_back(&w->starters[i], &code))
            starter_drop(&w->starters[i]);
}

/* It waits, and for nobody it could name: for links that are cut between nodes that run. */
static bool shut_out(const struct nodes *w, unsigned node)
{
    return !w->rabbitmq && w->cuts[node] & (w->running | w->waiting);
}

bool nodes_waits(const struct nodes *w, unsigned node)
{
    char *output = NULL;
    bool waits =
        CTL(w, node, &output, "cluster_status") != 0 && (strstr(output, ENGINE_WAITS) || shut_out(w, node));
    free(output);
    return waits;
}

/* labctl says it; not so rabbitmqctl start_app, which waits with its node: then the node's log does. */
static bool seen_to_wait(const struct nodes *w, unsigned node, struct starter *s)
{
    if (strstr(text_str(&s->said), ENGINE_WAITS))
        return true;
    if (w->rabbitmq ? !engine_log_waits(w->lab, node, s->log_from) : !shut_out(w, node)) {
        s->waits_from = 0;
        return false;
    }
    if (!s->waits_from)
        s->waits_from = clock_now_ms();
    return clock_now_ms() - s->waits_from >= (w->rabbitmq ? LOG_WAITS_MS : SHUT_OUT_MS);
}

/* It was removed from the cluster, and has been told so: in the kit's words, and in RabbitMQ's. */
static bool was_forgotten(const struct text *said)
{
    return strstr(text_str(said), "was removed from the cluster") ||
           strstr(text_str(said), "inconsistent_cluster");
}

/* Until it serves (0), is seen to wait for others (ERR_BUSY), or is told that it was forgotten
 * (ERR_NOT_FOUND). Else ERR_REFUSED, *why. */
static int one_start(struct nodes *w, unsigned node, char **why)
{
    struct starter *s = &w->starters[node];
    int64_t end = clock_now_ms() + w->patience_ms;
    int code = 0;
    while (!starter_back(s, &code)) {
        if (*w->stop || seen_to_wait(w, node, s))
            return ERR_BUSY;
        if (clock_now_ms() > end)
            return nodes_not_so(w, why, "node%u neither serves nor waits for others", node + 1);
        pause_ms(w->rabbitmq ? 50 : 5);
    }
    int err = !code ? 0 : was_forgotten(&s->said) ? ERR_NOT_FOUND : ERR_REFUSED;
    if (err == ERR_REFUSED) {
        free(*why);
        *why = format_text("node%u was not started: %s", node + 1, text_str(&s->said));
    }
    starter_drop(s);
    return err;
}

/* Those that waited for one that has come serve by now, or say that they still wait. */
static int look_again(struct nodes *w, uint32_t *running, uint32_t *waiting, char **why)
{
    int64_t end = clock_now_ms() + (w->rabbitmq ? RABBITMQ_WAITS_MS : (int)w->patience_ms);
    uint32_t here = w->running | w->waiting | *running | *waiting;
    bool all = here == (1u << w->lab->nodes_len) - 1; /* they wait for each other, and all have come */
    EACH_NODE(i, *waiting)
    {
        while (!(nodes_say_running(w, i) >> i & 1) && !*w->stop) {
            if (w->rabbitmq ? (!*running && !all) || clock_now_ms() > end : nodes_waits(w, i))
                break;
            if (!w->rabbitmq && clock_now_ms() > end)
                return nodes_not_so(w, why, "node%u neither serves nor waits for others", i + 1);
            pause_ms(20);
        }
        if (nodes_say_running(w, i) >> i & 1) {
            *running |= 1u << i;
            *waiting &= ~(1u << i);
        }
    }
    return 0;
}

/* ---- links of a node that starts ---- */

/* Either end that is there is told; what the other says does not count. */
static void tell_link(const struct nodes *w, const char *verb, unsigned a, unsigned b)
{
    char *output = NULL;
    CTL(w, a, &output, verb, w->lab->nodes[a].name, w->lab->nodes[b].name);
    free(output);
}

/* Where several sides serve, a node that starts would be taken in by whichever is quicker. It is let see one
 * only: that of the first node which serves and which it reaches. Returns those it must not see. */
static uint32_t others_sides(const struct nodes *w, unsigned node)
{
    uint32_t own = 0, others = 0;
    EACH_NODE(i, w->cut ? w->running & ~w->cuts[node] : 0)
    {
        uint32_t with = nodes_say_running(w, i);
        own = own ? own : with;
        others |= with && !(own >> i & 1) ? 1u << i : 0;
    }
    return others;
}

/* One after the other, so that who comes first is not left to luck; each until it serves or waits. */
int nodes_start(struct nodes *w, const struct sched_event *e, json_t **fact, char **why)
{
    uint32_t running = e->nodes & w->running, waiting = e->nodes & w->waiting;
    uint32_t forgotten = 0;
    int err = 0;
    nodes_reap(w);
    EACH_NODE(i, e->nodes & ~w->running & ~w->waiting)
    {
        const char *verb = w->stopped >> i & 1 ? "start_app" : "start";
        const char *const words[] = {"labctl", "-n", w->lab->nodes[i].name, verb, NULL};
        starter_drop(&w->starters[i]);
        uint32_t hidden = w->rabbitmq ? 0 : others_sides(w, i);
        EACH_NODE(other, hidden)
        tell_link(w, "cut", other, i);
        w->starters[i].log_from = engine_log_end(w->lab, i);
        err = engine_spawn(w->lab, words, &w->starters[i].fd, &w->starters[i].pid);
        if (err) {
            *why = format_text("labctl cannot be run: %s", err_text(err));
            return err;
        }
        err = one_start(w, i, why);
        EACH_NODE(other, w->rabbitmq ? 0 : w->cuts[i]) /* that were cut while it was off */
        tell_link(w, "cut", i, other);
        EACH_NODE(other, hidden)
        tell_link(w, "heal", other, i);
        if (err == ERR_NOT_FOUND) { /* killed or stopped, as it was */
            forgotten |= 1u << i;
            continue;
        }
        if (err && err != ERR_BUSY)
            return err;
        *(err ? &waiting : &running) |= 1u << i;
        w->stopped &= ~(1u << i);
    }
    err = look_again(w, &running, &waiting, why);
    w->running |= running;
    w->waiting = (w->waiting & ~running) | waiting;
    *fact = replay_fact_started(running, waiting, forgotten);
    return err;
}
