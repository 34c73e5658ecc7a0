/* private.h: what the files of common/lab share with each other and with nobody else: processes by pid, one
 * blocking HTTP request, where this program and its lessons stand. */
#ifndef LAB_PRIVATE_H
#define LAB_PRIVATE_H

#include <sys/types.h>

#include "base/text.h"
#include "lab/engine.h"
#include "lab/labdir.h"

/* ---- program.c: where things are ----------------------------------------------------------------------- */

/* The folder this program was started from, without a slash at the end. */
int program_folder(char *out, size_t out_len);

/* The path of a program of the kit: beside this one, or one or two folders up (tests). */
int program_find(const char *name, char *out, size_t out_len);

/* The absolute path of the lesson's folder with its lesson.cfg (source) or with its programs (built). number
 * 0 asks for the highest one. ERR_NOT_FOUND if there is none. */
int program_lesson_source(int number, char *out, size_t out_len);
int program_lesson_built(int number, char *out, size_t out_len);

/* ---- process.c: processes by pid ------------------------------------------------------------------------
 */

struct process_spec {
    const char *const *argv; /* argv[0] is the path */
    char *const *env;        /* NULL: this process's own, plus MIRRORLAB_OWNER */
    const char *owner; /* a path put into the environment as MIRRORLAB_OWNER: how process_belongs knows it */
    const char *log;   /* stdout and stderr are appended to this file; NULL: to out_fd */
    int out_fd;        /* if log is NULL */
    bool own_session;  /* not stopped by the terminal's Ctrl-C, outlives this program */
};

/* Starts a program; 0 or a negative errno (exec's too). */
int process_start(const struct process_spec *spec, pid_t *pid);

pid_t process_read_pid(const char *file); /* 0 if there is none or it is not a number */
int process_write_pid(const char *file, pid_t pid);

/* True if that process is there and was started for `owner` (a path that stands alone in its arguments or
 * environment). A pid file may be older than the machine's last boot: nothing is ever signalled without this.
 */
bool process_belongs(pid_t pid, const char *owner);

/* True once the process has ended with all its threads, reaping it if it is a child of ours. A process whose
 * first thread has ended while another is still in the kernel (killed in the middle of fdatasync) is not
 * gone: it holds its ports and its log until that call returns. */
bool process_gone(pid_t pid);
bool process_ending(pid_t pid); /* that state: nothing can be said to it any more, and it is not gone yet */
int process_wait_gone(pid_t pid, unsigned timeout_ms); /* 0 or ERR_TIMEOUT */
/* SIGSTOP, and returns once the process does nothing any more (its sockets stay open): 0 or ERR_TIMEOUT. */
int process_freeze(pid_t pid, unsigned timeout_ms);

int64_t clock_now_ms(void); /* monotonic */
void pause_ms(unsigned ms); /* between two looks at a fact that cannot wake us */

/* ---- http.c: one request, one answer ------------------------------------------------------------------- */

struct http_answer {
    int status;       /* 200, 204, ...; 0: none came */
    struct text body; /* text_finish it */
};

/* Asks a node's management API; path begins with "/api". body: JSON or NULL. 0, or ERR_CLOSED (nobody listens
 * there or it hung up), ERR_TIMEOUT. A status such as 404 is an answer, not an error. */
int http_call(const struct labdir *lab, size_t node, const char *method, const char *path, const char *body,
              unsigned timeout_ms, struct http_answer *answer);
char *http_path(const char *first,
                const char *name); /* "/api/queues/%2F/" + the name, escaped; caller frees */

/* ---- engines ------------------------------------------------------------------------------------------- */

/* What differs between the engines. The rest (ready, kill, down) is shared, in engine.c. */
struct engine_ops {
    int (*prepare)(const struct labdir *lab, char **error); /* before any node starts; may be repeated */
    int (*start)(const struct labdir *lab, size_t node, pid_t *pid,
                 char **error);                            /* the process, no waiting */
    int (*settle)(const struct labdir *lab, char **error); /* once all serve; NULL: nothing */
    void (*finish)(const struct labdir *lab);              /* once all nodes are gone; NULL: nothing */
    /* in a node's log: it begins to wait for other nodes; that is over (NULL: it serves at once) */
    const char *waits, *goes_on;
    unsigned ready_timeout_ms; /* from a cold start, on a slow machine */
    unsigned stop_timeout_ms;  /* an orderly stop; then SIGKILL */
};
extern const struct engine_ops engine_kit_ops;
extern const struct engine_ops engine_rabbitmq_ops;

/* DIR/nodeN, or DIR/nodeN/file */
void engine_node_path(const struct labdir *lab, size_t node, const char *file, char out[PATH_MAX]);

/* 0, or ERR_BUSY, ERR_INVALID and why this port cannot be listened on; key names the setting to change. */
int engine_check_port(const char *host, uint16_t port, const char *who, const char *key, char **error);

#endif
