/* process.c: starting programs and ending them by pid. The rule it keeps: a signal goes only to a process
 * that was started for this lab, never to whatever a stale pid file names. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/private.h"

int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pause_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

/* In the child: stdin from nowhere, output where it belongs, signals as a fresh program expects them. Only
 * calls that are allowed after fork. */
static _Noreturn void become(const struct process_spec *spec, char *const *env, int log_fd, int report_fd)
{
    if (spec->own_session)
        setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    dup2(log_fd, STDOUT_FILENO);
    dup2(log_fd, STDERR_FILENO);
    execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv, env);
    int why = errno;
    ssize_t written = write(report_fd, &why, sizeof(why));
    _exit(written == sizeof(why) ? 127 : 126);
}

/* the environment with MIRRORLAB_OWNER=owner at its end; the list is new, its strings (but the last) are not
 */
static char **with_owner(char *const *env, const char *owner, char **owner_word)
{
    size_t n = 0, kept = 0;
    while (env[n])
        n++;
    char **list = xcalloc(n + 2, sizeof(*list));
    for (size_t i = 0; i < n; i++)
        if (strncmp(env[i], "MIRRORLAB_OWNER=", 16) != 0)
            list[kept++] = env[i];
    *owner_word = owner ? format_text("MIRRORLAB_OWNER=%s", owner) : NULL;
    list[kept] = *owner_word;
    return list;
}

int process_start(const struct process_spec *spec, pid_t *pid)
{
    int log_fd = spec->out_fd;
    if (spec->log && (log_fd = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        return -errno;
    int report[2];
    if (pipe2(report, O_CLOEXEC)) {
        int why = errno;
        if (spec->log)
            close(log_fd);
        return -why;
    }
    char *owner_word = NULL;
    char **env = with_owner(spec->env ? spec->env : environ, spec->owner, &owner_word);
    pid_t child = fork();
    if (child == 0)
        become(spec, env, log_fd, report[1]);
    int why = child < 0 ? errno : 0;
    free(env);
    free(owner_word);
    close(report[1]);
    if (spec->log)
        close(log_fd);
    if (child > 0 && read(report[0], &why, sizeof(why)) == (ssize_t)sizeof(why))
        waitpid(child, NULL, 0); /* it never became the program */
    close(report[0]);
    if (why)
        return -why;
    *pid = child;
    return 0;
}

pid_t process_read_pid(const char *file)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return 0;
    long pid = 0;
    if (fscanf(f, "%ld", &pid) != 1 || pid <= 1 || pid > INT_MAX)
        pid = 0;
    fclose(f);
    return (pid_t)pid;
}

int process_write_pid(const char *file, pid_t pid)
{
    FILE *f = fopen(file, "we");
    if (!f)
        return ERR_IO;
    fprintf(f, "%ld\n", (long)pid);
    return fclose(f) == 0 ? 0 : ERR_IO;
}

/* all of a /proc file, which has no size of its own */
static void read_proc(pid_t pid, const char *what, struct text *out)
{
    char path[64], part[4096];
    snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (ssize_t got; (got = read(fd, part, sizeof(part))) > 0;)
        text_add_bytes(out, part, (size_t)got);
    close(fd);
}

/* `word` as a whole value: after a NUL or '=', before a NUL */
static bool has_value(const struct text *list, const char *word)
{
    size_t len = strlen(word);
    const char *at = list->s, *end = at ? at + list->len : NULL;
    while (at && (at = memmem(at, (size_t)(end - at), word, len))) {
        bool starts = at == list->s || at[-1] == '\0' || at[-1] == '=';
        if (starts && (at + len == end || at[len] == '\0'))
            return true;
        at++;
    }
    return false;
}

bool process_belongs(pid_t pid, const char *owner)
{
    if (pid <= 1 || process_gone(pid))
        return false;
    struct text words = {0};
    read_proc(pid, "cmdline", &words);
    bool found = has_value(&words, owner);
    text_clear(&words);
    if (!found)
        read_proc(pid, "environ", &words);
    found = found || has_value(&words, owner);
    text_finish(&words);
    return found;
}

/* "pid (name) S ... threads ...", where the name may hold anything: the state of the first thread, and how
 * many threads there are, of which each holds the files and sockets of all until it has ended. False: no
 * process. */
static bool read_state(pid_t pid, char *state, unsigned *threads)
{
    struct text stat = {0};
    read_proc(pid, "stat", &stat);
    const char *at = stat.s ? strrchr(stat.s, ')') : NULL;
    bool good = at && sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u",
                             state, threads) == 2;
    text_finish(&stat);
    return good;
}

static bool first_thread_ended(pid_t pid, unsigned *threads)
{
    char state = 0;
    return read_state(pid, &state, threads) && (state == 'Z' || state == 'X');
}

bool process_ending(pid_t pid)
{
    unsigned threads = 0;
    return pid > 1 && first_thread_ended(pid, &threads) && threads > 1;
}

bool process_gone(pid_t pid)
{
    if (waitpid(pid, NULL, WNOHANG) == pid)
        return true;
    if (kill(pid, 0) && errno == ESRCH)
        return true;
    unsigned threads = 0; /* 1 and ended: only its parent has not looked yet */
    return first_thread_ended(pid, &threads) && threads <= 1;
}

int process_freeze(pid_t pid, unsigned timeout_ms)
{
    int64_t end = clock_now_ms() + timeout_ms;
    char state = 0;
    unsigned threads = 0;
    kill(pid, SIGSTOP);
    while (!process_gone(pid) && !(read_state(pid, &state, &threads) && (state == 'T' || state == 'Z'))) {
        if (clock_now_ms() >= end)
            return ERR_TIMEOUT;
        pause_ms(1);
    }
    return 0;
}

int process_wait_gone(pid_t pid, unsigned timeout_ms)
{
    int64_t end = clock_now_ms() + timeout_ms;
    while (!process_gone(pid)) {
        if (clock_now_ms() >= end)
            return ERR_TIMEOUT;
        pause_ms(10);
    }
    return 0;
}
