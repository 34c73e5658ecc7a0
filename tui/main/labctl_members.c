/* labctl_members.c: who is of the cluster, on the kit: forget_cluster_node, reset, force_reset, force_boot,
 * join_cluster.
 * The texts and exit codes are rabbitmqctl's.
 *
 * The nodes of a lab are one cluster: a node with nothing on its disk joins it when it starts. So leaving is
 * two steps, in this order: a node that runs takes the other off the cluster's list, then its disk is
 * emptied. A labctl that ends between the two has done nothing that the same command, again, would not
 * complete. */
#include <string.h>

#include "lab/engine.h"
#include "main/labctl.h"

#define LEAVE_TIMEOUT_MS 60000

/* "node2" of "node2@localhost"; into buffer */
static const char *bare_name(const char *name, char *buffer, size_t len)
{
    snprintf(buffer, len, "%.*s", (int)strcspn(name, "@"), name);
    return buffer;
}

/* What that node's process says of itself; CTL_OK, or what is wrong has been printed. */
static int status_of(struct ctl *c, const char *node, json_t **status)
{
    return ctl_ask(c, node, json_pack("{s:s}", "cmd", "status"), ctl_timeout_ms(c, LEAVE_TIMEOUT_MS), status);
}

static bool app_stopped(const json_t *status)
{
    const char *phase = json_string_value(json_object_get(status, "phase"));
    return phase && strcmp(phase, "stopped") == 0;
}

static bool knows(const json_t *status, const char *node)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(status, "known"), i, name)
    {
        if (strcmp(json_string_value(name), node) == 0)
            return true;
    }
    return false;
}

/* ---- forgetting ---- */

/* Asks `by` to take the other off the list: "" if it did, else its word for why not; NULL: it could not be
 * asked, which has been said if `says`. */
static const char *forget_at(struct ctl *c, const char *by, const char *other, bool says, char *word,
                             size_t len)
{
    FILE *err = c->err;
    FILE *nowhere = says ? NULL : fopen("/dev/null", "w");
    json_t *answer = NULL;
    if (nowhere)
        c->err = nowhere;
    int rc = ctl_ask(c, by, json_pack("{s:s, s:s}", "cmd", "forget_cluster_node", "peer", other),
                     ctl_timeout_ms(c, LEAVE_TIMEOUT_MS), &answer);
    c->err = err;
    if (nowhere)
        fclose(nowhere);
    const char *error = json_string_value(json_object_get(answer, "error"));
    snprintf(word, len, "%s", error ? error : "");
    json_decref(answer);
    return rc == CTL_OK ? word : NULL;
}

static int still_runs(struct ctl *c, const char *node)
{
    return ctl_error(
        c, CTL_UNAVAILABLE,
        "RabbitMQ on node %s must be stopped with 'labctl -n %s stop_app' before it can be removed", node,
        node);
}

static int not_in_the_cluster(struct ctl *c)
{
    return ctl_error(c, CTL_UNAVAILABLE, "{:not_a_cluster_node, 'The node selected is not in the cluster.'}");
}

/* Whoever was the last to stop never returns: a node whose process is not there takes it off its list when it
 * starts. Who is of the cluster stands in its log, which only that process reads. */
static int forget_offline(struct ctl *c, const char *other)
{
    char node[320], *error = NULL;
    ctl_node_name(c, node, sizeof(node));
    if (c->node < 0 || engine_node_alive(&c->lab, (size_t)c->node))
        return ctl_error(
            c, CTL_SOFTWARE,
            "the process of node %s must not be there: 'labctl -n %s kill', or forget %s on a node "
            "that runs, without --offline",
            node, node, other);
    size_t i = 0;
    while (i < c->lab.nodes_len && strcmp(c->lab.nodes[i].name, other) != 0)
        i++;
    if (i == c->lab.nodes_len)
        return not_in_the_cluster(c);
    if (i == (size_t)c->node)
        return ctl_error(c, CTL_UNAVAILABLE, "{:failed_to_remove_node, %s, 'it cannot forget itself'}",
                         other);
    int rc = labdir_forget(&c->lab, (size_t)c->node, i, &error) == 0
                 ? CTL_OK
                 : ctl_error(c, CTL_UNAVAILABLE, "%s", error);
    free(error);
    return rc;
}

int ctl_forget_cluster_node(struct ctl *c)
{
    char by[320], other[320], word[64];
    bare_name(c->line.args.items[0], other, sizeof(other));
    if (ctl_option_on(&c->line, "offline"))
        return forget_offline(c, other);
    const char *why = forget_at(c, ctl_node_name(c, by, sizeof(by)), other, true, word, sizeof(word));
    if (!why)
        return CTL_UNAVAILABLE;
    if (strcmp(why, "in_use") == 0)
        return still_runs(c, other);
    if (strcmp(why, "not_found") == 0)
        return not_in_the_cluster(c);
    return *why ? ctl_error(c, CTL_UNAVAILABLE, "%s", why) : CTL_OK;
}

/* ---- leaving ---- */

/* The others forget this node: any one of them that serves will do. members: whom this node knows as of its
 * cluster; NULL: nobody knows (its process is not there), so all nodes of the lab are asked. */
static int leave(struct ctl *c, const char *node, const json_t *members)
{
    bool alone = true;
    char word[64];
    for (size_t i = 0; i < c->lab.nodes_len; i++) {
        const char *other = c->lab.nodes[i].name;
        if (strcmp(other, node) == 0 || (members && !knows(members, other)))
            continue;
        alone = false;
        const char *why = forget_at(c, other, node, false, word, sizeof(word));
        if (why && (!*why || strcmp(why, "not_found") == 0))
            return CTL_OK;
        if (why && strcmp(why, "in_use") == 0)
            return still_runs(c, node);
    }
    return alone ? CTL_OK
                 : ctl_error(c, CTL_UNAVAILABLE,
                             "{:no_running_cluster_nodes, 'You cannot leave a cluster if no online nodes are "
                             "present.'}");
}

static int empty_disk(struct ctl *c, const char *node, bool process)
{
    json_t *answer = NULL;
    int rc = CTL_OK;
    if (process) {
        rc = ctl_ask(c, node, json_pack("{s:s}", "cmd", "reset"), ctl_timeout_ms(c, LEAVE_TIMEOUT_MS),
                     &answer);
        if (rc == CTL_OK && !json_is_true(json_object_get(answer, "ok")))
            rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(answer));
        json_decref(answer);
        return rc;
    }
    char *error = NULL;
    if (labdir_wipe_node(&c->lab, (size_t)c->node, &error) != 0)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", error);
    free(error);
    return rc;
}

/* reset and force_reset. A node whose process ended (it was removed, and started again with what it had) can
 * be reset, too: its files are in the lab's folder. */
static int reset(struct ctl *c, bool asks_others)
{
    char node[320];
    json_t *status = NULL;
    ctl_node_name(c, node, sizeof(node));
    bool process = c->node < 0 || engine_node_alive(&c->lab, (size_t)c->node);
    int rc = process ? status_of(c, node, &status) : CTL_OK;
    if (rc == CTL_OK && asks_others && !json_is_true(json_object_get(status, "blank")))
        rc = leave(c, node, status);
    if (rc == CTL_OK)
        rc = empty_disk(c, node, process);
    if (rc == CTL_OK && !process && ctl_speaks(c))
        fprintf(c->out, "Its process is not there: labctl -n %s start\n", node);
    json_decref(status);
    return rc;
}

int ctl_reset(struct ctl *c)
{
    return reset(c, true);
}

int ctl_force_reset(struct ctl *c)
{
    return reset(c, false);
}

/* ---- starting without the others ---- */

/* Said to its process (its app is stopped, or waits), or written into its folder where that is not there. */
int ctl_force_boot(struct ctl *c)
{
    char node[320], *error = NULL;
    json_t *answer = NULL;
    int rc = CTL_OK;
    if (c->node >= 0 && !engine_node_alive(&c->lab, (size_t)c->node)) {
        if (labdir_force_boot(&c->lab, (size_t)c->node, &error) != 0)
            rc = ctl_error(c, CTL_UNAVAILABLE, "%s", error);
        free(error);
        return rc;
    }
    rc = ctl_ask(c, ctl_node_name(c, node, sizeof(node)), json_pack("{s:s}", "cmd", "force_boot"),
                 ctl_timeout_ms(c, LEAVE_TIMEOUT_MS), &answer);
    if (rc == CTL_OK && !json_is_true(json_object_get(answer, "ok")))
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(answer));
    json_decref(answer);
    return rc;
}

/* ---- joining ---- */

/* The other node runs: start_app will bring this one into its cluster, once its disk is empty. */
int ctl_join_cluster(struct ctl *c)
{
    char node[320], other[320];
    json_t *ours = NULL, *theirs = NULL;
    ctl_node_name(c, node, sizeof(node));
    bare_name(c->line.args.items[0], other, sizeof(other));
    if (strcmp(node, other) == 0)
        return ctl_error(c, CTL_SOFTWARE, "Error: cannot cluster node with itself: %s", node);
    int rc = status_of(c, other, &theirs);
    if (rc == CTL_OK && app_stopped(theirs))
        rc = ctl_error(c, CTL_UNAVAILABLE, "mnesia_not_running");
    if (rc == CTL_OK)
        rc = status_of(c, node, &ours);
    bool blank = json_is_true(json_object_get(ours, "blank"));
    if (rc == CTL_OK && !blank && knows(theirs, node))
        fprintf(c->out, "The node is already a member of this cluster\n");
    else if (rc == CTL_OK && !blank)
        rc = empty_disk(c, node, true); /* that cluster does not know it: what it has is of another */
    json_decref(ours);
    json_decref(theirs);
    return rc;
}

/* ---- before a verb ---- */

int ctl_needs_stopped(struct ctl *c, const struct ctl_verb *v)
{
    char node[320];
    json_t *status = NULL;
    if (c->node >= 0 && !engine_node_alive(&c->lab, (size_t)c->node) && v->run != ctl_join_cluster)
        return CTL_OK;
    int rc = status_of(c, ctl_node_name(c, node, sizeof(node)), &status);
    bool waits = v->run == ctl_force_boot && json_array_size(json_object_get(status, "waiting_for"));
    if (rc == CTL_OK && !app_stopped(status) && !waits)
        rc =
            ctl_wrong_words(c, v,
                            "Error: this command requires the 'rabbit' app to be stopped on the target node. "
                            "Stop it with 'labctl stop_app'.");
    json_decref(status);
    return rc;
}
