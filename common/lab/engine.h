/* engine.h: starting, stopping and breaking nodes, for both engines. The commands behind `lab up`, `lab
 * down`, the TUI's keys and the lessons' actions. Everything that looks at the cluster goes through
 * observe.h instead; nothing here decides whether a step is proved. */
#ifndef LAB_ENGINE_H
#define LAB_ENGINE_H

#include <sys/types.h>

#include "lab/labdir.h"

/* Starts every node and returns once each serves AMQP and HTTP; on failure stops what it started. *error:
 * the node, the port or program, what to do next (caller frees). progress may be NULL; it is called with each
 * node that serves, with each that waits for others (a text with ENGINE_WAITS in it, after a moment), and
 * with NULL over and over while it waits: false ends the start (ERR_CLOSED). */
#define ENGINE_WAITS " waits for nodes that were running when it left"
typedef bool engine_progress_fn(void *arg, const char *text);
int engine_up(struct labdir *lab, engine_progress_fn *progress, void *arg, char **error);

/* "node3 waits for nodes that were running when it left: node1 node2; start them, or ..."; whom NULL: nobody
 * says for which. New. */
char *engine_waits_text(const char *node, const char *whom);

/* "node3 waits no more: it is up": said last of one of which the other was said. New. */
char *engine_up_text(const char *node);

/* Stops all nodes of the lab, orderly and then by force, by pid; leaves nothing running. */
int engine_down(const struct labdir *lab, char **error);

/* Runs labctl (the program beside this one) with these words ("-n", "node1", "stop_app"), without a shell;
 * output is what it printed (stdout and stderr, caller frees), the return value its exit code or a negative
 * error code. Blocking: callers with a loop use engine_spawn. */
int engine_ctl(const struct labdir *lab, const char *const *words, char **output);

/* Runs a program without waiting: fd to read its output (stdout and stderr) from until end of file, then
 * waitpid(pid). argv[0] is a path, or the name of a program beside this one: "labctl" (which is told this
 * lab's folder). A lesson step's action can be passed as it is. Returns 0 or ERR_NOT_FOUND, ERR_IO. */
int engine_spawn(const struct labdir *lab, const char *const *argv, int *fd, int *pid);

/* The same words for a shell, wherever one stands in it: the program by its path, labctl or lab told the
 * folder if it is not the one it would take by itself. The caller frees it. */
char *engine_typed(const struct labdir *lab, const char *const *argv);
/* The same where the program is called as somebody called it, "lab" or "build/labctl"; words: what follows.
 */
char *engine_called(const struct labdir *lab, const char *program, const char *const *words);

/* Nodes of a lab of ours, by their index in lab->nodes. kill is SIGKILL to the processes of several (bit i:
 * index i), at once, and returns once they are gone; start starts the process again and returns once it
 * serves. Both engines. They are what `labctl kill` and `labctl start` do. progress and *error as above. */
int engine_kill_nodes(const struct labdir *lab, uint32_t nodes, char **error);
int engine_start_node(const struct labdir *lab, size_t node, engine_progress_fn *progress, void *arg,
                      char **error);
bool engine_node_alive(const struct labdir *lab,
                       size_t node); /* its process exists; its app may be stopped */
int64_t engine_node_since(const struct labdir *lab,
                          size_t node); /* ms since 1970: it does since then; 0: not so */

/* How long its log is now; and: behind that byte of it stands that it waits for nodes that were running when
 * it left, and not yet that it goes on. RabbitMQ's nodes say so at every start, most of them for a moment. */
off_t engine_log_end(const struct labdir *lab, size_t node);
bool engine_log_waits(const struct labdir *lab, size_t node, off_t from);

/* rabbitmq engine: the real rabbitmqctl and the environment (a NULL-terminated list of "NAME=value") in which
 * it finds this lab's nodes: execve(*program, argv, *env). Nodes are named "node1@localhost" there. Both are
 * new, the caller frees them with engine_env_free. ERR_NOT_FOUND: rabbitmq-server is not installed. */
int engine_rabbitmqctl(const struct labdir *lab, char **program, char ***env, char **error);
void engine_env_free(char *program, char **env);

#endif
