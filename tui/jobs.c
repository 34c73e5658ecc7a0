/* jobs.c: see jobs.h. A program's end is its exit, not the end of its output: a node that it started may keep
 * that open. */
#include "jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/vec.h"
#include "lab/engine.h"

struct job {
    struct jobs *jobs;
    struct command *command; /* NULL: nobody waits for its end */
    int fd, pid;
    struct event *readable; /* NULL: it closed its output */
};

struct jobs {
    struct event_base *base;
    struct event *child;
    const struct jobs_fns *fns;
    void *arg;
    VEC(struct job *) running; /* oldest first */
};

/* true if there may be more to read */
static bool read_output(struct job *job)
{
    char part[4096];
    ssize_t got = job->fd >= 0 ? read(job->fd, part, sizeof(part)) : 0;
    if (got <= 0)
        return got < 0 && errno == EINTR;
    if (job->command)
        job->jobs->fns->output(job->jobs->arg, job->command, part, (size_t)got);
    return true;
}

static void stop_reading(struct job *job)
{
    if (job->readable)
        event_free(job->readable);
    job->readable = NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct job *job = arg;
    (void)fd;
    (void)what;
    if (!read_output(job) && errno != EAGAIN)
        stop_reading(job); /* the child's exit comes as a signal */
}

static void free_job(struct job *job)
{
    stop_reading(job);
    if (job->fd >= 0)
        close(job->fd);
    free(job);
}

/* One signal may stand for several children. */
static void on_child(evutil_socket_t fd, short what, void *arg)
{
    struct jobs *j = arg;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < j->running.len;) {
        struct job *job = j->running.items[i];
        int status = 0;
        if (waitpid(job->pid, &status, WNOHANG) != job->pid) {
            i++;
            continue;
        }
        while (read_output(job))
            ;
        VEC_REMOVE(&j->running, i);
        struct command *c = job->command;
        free_job(job);
        if (c)
            j->fns->ended(j->arg, c, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
}

struct jobs *jobs_create(struct event_base *base, const struct jobs_fns *fns, void *arg)
{
    struct jobs *j = xcalloc(1, sizeof(*j));
    *j = (struct jobs){.base = base, .fns = fns, .arg = arg};
    j->child = evsignal_new(base, SIGCHLD, on_child, j);
    event_add(j->child, NULL);
    return j;
}

void jobs_destroy(struct jobs *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->running.len; i++)
        free_job(j->running.items[i]);
    VEC_FREE(&j->running);
    event_free(j->child);
    free(j);
}

void jobs_adopt(struct jobs *j, struct command *c, int fd, int pid)
{
    struct job *job = xcalloc(1, sizeof(*job));
    *job = (struct job){.jobs = j, .command = c, .fd = fd, .pid = pid};
    if (fd >= 0) {
        evutil_make_socket_nonblocking(fd);
        job->readable = event_new(j->base, fd, EV_READ | EV_PERSIST, on_readable, job);
        event_add(job->readable, NULL);
    }
    VEC_PUSH(&j->running, job);
    event_active(j->child, EV_SIGNAL, 1); /* it may have ended before anybody asked for its signal */
}

int jobs_start(struct jobs *j, const struct labdir *lab, struct command *c)
{
    int fd = -1, pid = 0;
    int err = engine_spawn(lab, (const char *const *)c->argv, &fd, &pid);
    if (!err)
        jobs_adopt(j, c, fd, pid);
    return err;
}

bool jobs_interrupt(struct jobs *j)
{
    for (size_t i = j->running.len; i-- > 0;)
        if (j->running.items[i]->command) {
            kill(j->running.items[i]->pid, SIGINT);
            return true;
        }
    return false;
}
