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

bool nodes_waits(const struct nodes *w, unsigned node)
{
    char *output = NULL;
    bool waits = CTL(w, node, &output, "cluster_status") != 0 && strstr(output, ENGINE_WAITS);
    free(output);
    return waits;
}

/* labctl says it; not so rabbitmqctl start_app, which waits with its node: then the node's log does. */
static bool seen_to_wait(const struct nodes *w, unsigned node, struct starter *s)
{
    if (strstr(text_str(&s->said), ENGINE_WAITS))
        return true;
    if (!w->rabbitmq || !engine_log_waits(w->lab, node, s->log_from)) {
        s->waits_from = 0;
        return false;
    }
    if (!s->waits_from)
        s->waits_from = clock_now_ms();
    return clock_now_ms() - s->waits_from >= LOG_WAITS_MS;
}

/* Until it serves (0) or is seen to wait for others (ERR_BUSY). Else ERR_REFUSED, *why. */
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
    if (code) {
        free(*why);
        *why = format_text("node%u was not started: %s", node + 1, text_str(&s->said));
    }
    starter_drop(s);
    return code ? ERR_REFUSED : 0;
}

/* Those that waited for one that has come serve by now, or say that they still wait. */
static int look_again(struct nodes *w, uint32_t *running, uint32_t *waiting, char **why)
{
    int64_t end = clock_now_ms() + (w->rabbitmq ? RABBITMQ_WAITS_MS : (int)w->patience_ms);
    EACH_NODE(i, *waiting)
    {
        while (!(nodes_say_running(w, i) >> i & 1) && !*w->stop) {
            if (w->rabbitmq ? !*running || clock_now_ms() > end : nodes_waits(w, i))
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

/* One after the other, so that who comes first is not left to luck; each until it serves or waits. */
int nodes_start(struct nodes *w, const struct sched_event *e, json_t **fact, char **why)
{
    uint32_t running = e->nodes & w->running, waiting = e->nodes & w->waiting;
    int err = 0;
    nodes_reap(w);
    EACH_NODE(i, e->nodes & ~w->running & ~w->waiting)
    {
        const char *verb = w->stopped >> i & 1 ? "start_app" : "start";
        const char *const words[] = {"labctl", "-n", w->lab->nodes[i].name, verb, NULL};
        starter_drop(&w->starters[i]);
        w->starters[i].log_from = engine_log_end(w->lab, i);
        err = engine_spawn(w->lab, words, &w->starters[i].fd, &w->starters[i].pid);
        if (err) {
            *why = format_text("labctl cannot be run: %s", err_text(err));
            return err;
        }
        err = one_start(w, i, why);
        if (err && err != ERR_BUSY)
            return err;
        *(err ? &waiting : &running) |= 1u << i;
        w->stopped &= ~(1u << i);
    }
    err = look_again(w, &running, &waiting, why);
    w->running |= running;
    w->waiting = (w->waiting & ~running) | waiting;
    *fact = replay_fact_started(running, waiting);
    return err;
}
