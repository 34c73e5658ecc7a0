/* labdir.h: a lab's folder: which engine runs in it, which nodes, which ports. Written by `lab up`, read by
 * every other command. The folder is --dir, else $MIRRORLAB_DIR, else $XDG_RUNTIME_DIR/mirrorlab, else
 * ~/.local/state/mirrorlab/lab (0700).
 *
 *     DIR/lab.cfg            libconfig: engine, nodes, user; what `lab up` was told, with the defaults filled
 * in DIR/nodeN/             data, log.txt, pid, control.sock (0600, the kit's control socket) DIR/rabbitmq/
 * cookie, configuration and data of the rabbitmq engine */
#ifndef LAB_LABDIR_H
#define LAB_LABDIR_H

#include <limits.h>

#include "base/base.h"
#include "base/limits.h"

enum engine_kind { ENGINE_KIT, ENGINE_RABBITMQ };

struct lab_node {
    char name[64];      /* "node1" */
    char host[256];     /* "127.0.0.1" */
    uint16_t amqp_port; /* 5672 + i */
    uint16_t http_port; /* 15672 + i */
    uint16_t peer_port; /* 25672 + i */
};

struct labdir {
    char path[PATH_MAX]; /* absolute */
    enum engine_kind engine;
    bool external;                 /* an existing cluster named by its URLs: not ours to start or stop */
    char user[128], password[128]; /* admin, 123 */
    char node_program[PATH_MAX];   /* kit: the lesson's node */
    struct lab_node nodes[LIMIT_NODES];
    size_t nodes_len;
    /* kit: what the nodes read of lab.cfg; 0: not said, their default (node.1) */
    int silence_ms, memory_limit_mb;
    char partition_handling[16]; /* both engines: ignore, pause_minority or autoheal; "": ignore */
    double memory_paging_ratio;
};

/* Where the folder is, whether it exists or not. dir_option: the --dir option or NULL. */
int labdir_path(const char *dir_option, char *out, size_t out_len);

/* Reads DIR/lab.cfg. On failure returns an error code and a message for the user in *error (caller frees):
 * which file and line, what is wrong, what to do. ERR_NOT_FOUND: "no lab in DIR"; how one is started, whoever
 * knows by which path lab was called says. */
int labdir_load(struct labdir *lab, const char *dir_option, char **error);

/* Reads a user's configuration (lab up --config FILE; same keys), filling in defaults. The error is
 * "FILE:LINE: what, and what to write instead". */
int labdir_read_config(struct labdir *lab, const char *file, char **error);
void labdir_defaults(struct labdir *lab, enum engine_kind engine, size_t nodes);

int labdir_save(const struct labdir *lab, char **error);

/* Removes what the nodes and the engine kept in the folder (DIR/nodeN, DIR/rabbitmq), nothing else. Only when
 * no node runs. */
int labdir_wipe(const struct labdir *lab, char **error);

/* Removes what the log of one of the kit's nodes holds (DIR/nodeN/data). Only while its process is not there.
 */
int labdir_wipe_node(const struct labdir *lab, size_t node, char **error);
/* The next start of a node whose process is not there waits for no other node (labctl force_boot). */
int labdir_force_boot(const struct labdir *lab, size_t node, char **error);
/* For a node whose process is not there the other is of the cluster no more (forget_cluster_node --offline).
 */
int labdir_forget(const struct labdir *lab, size_t node, size_t other, char **error);

int labdir_find_node(const struct labdir *lab,
                     const char *name); /* "node2" or "node2@localhost"; -1 if absent */

#endif
