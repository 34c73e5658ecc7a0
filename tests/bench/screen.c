/* screen.c: see screen.h. The terminal is a pty whose other end is read as fast as it comes, as a terminal
 * does. */
#include "tests/bench/screen.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/load.h"

/* what the process has run so far, in seconds, as its scheduler counts it: the clock ticks of its stat file
 * are too coarse for 1% of a few seconds. negative: it is gone */
static double cpu_seconds(pid_t pid)
{
    char path[64];
    unsigned long long ran_ns = 0;
    snprintf(path, sizeof(path), "/proc/%ld/schedstat", (long)pid);
    FILE *f = fopen(path, "re");
    bool read = f && fscanf(f, "%llu", &ran_ns) == 1;
    if (f)
        fclose(f);
    return read ? (double)ran_ns / 1e9 : -1;
}

/* false: the program closed the terminal */
static bool drain(int pty, double seconds)
{
    char part[65536];
    for (int64_t end = load_now_us() + (int64_t)(seconds * 1e6); load_now_us() < end;) {
        struct pollfd p = {.fd = pty, .events = POLLIN};
        if (poll(&p, 1, 20) > 0 && read(pty, part, sizeof(part)) <= 0 && errno != EINTR)
            return false;
    }
    return true;
}

bool screen_cpu(const struct screen_spec *spec, double *percent, const char **why)
{
    struct winsize size = {.ws_row = spec->rows, .ws_col = spec->columns};
    char *program = format_text("%s/lab", spec->bin);
    int pty;
    fflush(NULL);
    pid_t pid = forkpty(&pty, NULL, NULL, &size);
    if (pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl(program, program, "--dir", spec->dir, (char *)NULL);
        _exit(127);
    }
    free(program);
    *why = "the screen cannot be opened, or has ended";
    bool ok = pid > 0 && drain(pty, spec->warm_up_s);
    double before = ok ? cpu_seconds(pid) : -1;
    int64_t from = load_now_us();
    ok = before >= 0 && drain(pty, spec->measured_s);
    double took = (double)(load_now_us() - from) / 1e6, after = ok ? cpu_seconds(pid) : -1;
    *percent = after >= 0 ? (after - before) / took * 100 : 0;
    if (pid > 0) {
        kill(pid, SIGTERM);
        drain(pty, 0.2);
        close(pty); /* what it still writes goes nowhere */
        waitpid(pid, NULL, 0);
    }
    return after >= 0;
}
