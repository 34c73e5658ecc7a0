/* engine_kit.c: the embedded engine: one lessons/NN/node process per node. Its whole contract is its command
 * line and its folder: `node --config DIR/lab.cfg --name node1 --dir DIR/node1` serves AMQP and HTTP on the
 * ports that lab.cfg names, writes DIR/node1/pid, and ends in order on SIGTERM. */
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/private.h"

static int kit_prepare(const struct labdir *lab, char **error)
{
    if (!lab->node_program[0]) {
        *error = format_text("no lesson's node program is built beside this program; run make");
        return ERR_NOT_FOUND;
    }
    if (access(lab->node_program, X_OK)) {
        *error =
            format_text("%s: this node program is not there or not executable; run make, or name another in "
                        "the configuration (key node_program)",
                        lab->node_program);
        return ERR_NOT_FOUND;
    }
    return 0;
}

static int kit_start(const struct labdir *lab, size_t node, pid_t *pid, char **error)
{
    char folder[PATH_MAX], log[PATH_MAX];
    engine_node_path(lab, node, NULL, folder);
    engine_node_path(lab, node, "log.txt", log);
    char *config = format_text("%s/lab.cfg", lab->path);
    const char *argv[] = {lab->node_program,     "--config", config, "--name",
                          lab->nodes[node].name, "--dir",    folder, NULL};
    struct process_spec spec = {.argv = argv, .owner = folder, .log = log, .own_session = true};
    int why = process_start(&spec, pid);
    free(config);
    if (why)
        *error =
            format_text("%s: cannot start %s: %s", lab->nodes[node].name, lab->node_program, strerror(-why));
    return why ? ERR_IO : 0;
}

const struct engine_ops engine_kit_ops = {
    .prepare = kit_prepare,
    .start = kit_start,
    .waits = ENGINE_WAITS ":",
    .ready_timeout_ms = 30000,
    .stop_timeout_ms = 10000,
};
