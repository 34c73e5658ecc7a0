/* labctl_verbs.c: the table of the kit's verbs, the way from a command line to one of them, and the verbs
 * that change something. */
#include <string.h>

#include "lab/engine.h"
#include "lab/links.h"
#include "main/labctl.h"

#define START_TIMEOUT_MS 120000 /* an app that waits for other nodes; --timeout changes it */

/* ---- the app ---- */

static int app_verb_patiently(struct ctl *c, const char *cmd, unsigned timeout_ms,
                              ctl_meanwhile_fn *meanwhile, void *arg)
{
    char node[320];
    json_t *answer = NULL;
    int rc = ctl_ask_patiently(c, ctl_node_name(c, node, sizeof(node)), json_pack("{s:s}", "cmd", cmd),
                               ctl_timeout_ms(c, timeout_ms), meanwhile, arg, &answer);
    if (rc == CTL_OK && !json_is_true(json_object_get(answer, "ok")))
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(answer));
    json_decref(answer);
    return rc;
}

static int app_verb(struct ctl *c, const char *cmd, unsigned timeout_ms)
{
    return app_verb_patiently(c, cmd, timeout_ms, NULL, NULL);
}

/* what a node that answers says of its app; a member of its status, for as long as *status is kept */
static const json_t *app_of(struct ctl *c, const char *member, json_t **status)
{
    char node[320];
    *status = ctl_status_of(c, ctl_node_name(c, node, sizeof(node)));
    return json_object_get(*status, member);
}

/* RabbitMQ prints the same line and ends with 0 whether the app was so before or not. */
static void say_already(struct ctl *c, int rc, bool already, const char *what)
{
    char node[320];
    if (rc == CTL_OK && already && ctl_speaks(c))
        fprintf(c->err, "%s %s already: nothing was changed\n", ctl_node_name(c, node, sizeof(node)), what);
}

static int stop_app(struct ctl *c)
{
    json_t *status;
    const json_t *app = app_of(c, "app", &status);
    bool already = json_is_false(app); /* a macro that reads its argument twice */
    json_decref(status);
    int rc = app_verb(c, "stop_app", START_TIMEOUT_MS);
    say_already(c, rc, already, "is stopped");
    return rc;
}

/* Says for whom the node waits, once for each set of nodes; arg: what was said last. */
static void say_waiting(struct ctl *c, const char *node, void *arg)
{
    char **told = arg;
    json_t *status = ctl_status_of(c, node);
    char *text = ctl_waits_text(node, status);
    json_decref(status);
    if (text && (!*told || strcmp(text, *told) != 0)) {
        fprintf(c->err, "%s\n", text);
        fflush(c->err);
        free(*told);
        *told = text;
    } else {
        free(text);
    }
}

static int start_app(struct ctl *c)
{
    char node[320], *told = NULL;
    json_t *status;
    const char *phase = json_string_value(app_of(c, "phase", &status));
    bool already = phase && strcmp(phase, "serving") == 0 && strcmp(c->line.verb, "start_app") == 0;
    json_decref(status);
    int rc = app_verb_patiently(c, "start_app", START_TIMEOUT_MS, say_waiting, &told);
    if (rc == CTL_TEMPFAIL)
        say_waiting(c, ctl_node_name(c, node, sizeof(node)), &told);
    if (rc == CTL_OK && told) { /* or what helps one that waits would be the last word */
        char *text = engine_up_text(ctl_node_name(c, node, sizeof(node)));
        fprintf(c->err, "%s\n", text);
        free(text);
    }
    free(told);
    say_already(c, rc, already, "runs");
    return rc;
}

static int await_startup(struct ctl *c)
{
    return start_app(c); /* it returns once the node serves, whoever started it */
}

static int ping(struct ctl *c)
{
    int rc = app_verb(c, "ping", 60000);
    if (rc == CTL_OK)
        fprintf(c->out, "Ping succeeded\n");
    return rc;
}

static int version(struct ctl *c)
{
    fprintf(c->out, "0.1.0 (verbs and output of rabbitmqctl 3.10.8)\n");
    return CTL_OK;
}

/* ---- links ---- */

/* peer, way: NULL where the verb has none (common/host/control.h). What a node was told stays in the lab's
 * folder. */
static int link_verb(struct ctl *c, const char *cmd, const char *node, const char *peer, const char *way)
{
    json_t *request = json_pack("{s:s}", "cmd", cmd), *answer = NULL;
    if (peer)
        json_object_set_new(request, "peer", json_string(peer));
    if (way)
        json_object_set_new(request, "way", json_string(way));
    int rc = ctl_ask(c, node, request, ctl_timeout_ms(c, 60000), &answer);
    if (rc == CTL_OK && !json_is_true(json_object_get(answer, "ok")))
        rc = ctl_error(c, CTL_DATA, "%s", ctl_reason(answer));
    json_decref(answer);
    if (rc == CTL_OK)
        links_note(&c->lab, (size_t)labdir_find_node(&c->lab, node),
                   peer ? UINT32_C(1) << labdir_find_node(&c->lab, peer) : UINT32_MAX,
                   strcmp(cmd, "cut") == 0);
    return rc;
}

/* Both have to be nodes of this lab before either is told anything. */
static bool lab_nodes(struct ctl *c, const char *a, const char *b)
{
    const char *const names[] = {a, b};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (labdir_find_node(&c->lab, names[i]) < 0) {
            ctl_error(c, CTL_USAGE, "the lab %s has no node '%s'", c->lab.path, names[i]);
            return false;
        }
    }
    return true;
}

/* Both ends are told; what one end could not be told is the exit code, the other end is told all the same.
 * With
 * --one-way a's words to b are what is cut. */
static int both_ends(struct ctl *c, const char *cmd, const char *a, const char *b, uint64_t *told)
{
    if (!lab_nodes(c, a, b))
        return CTL_USAGE;
    if (strcmp(a, b) == 0)
        return ctl_error(c, CTL_USAGE, "'%s' twice: a link has two ends", a);
    bool one_way = ctl_option_on(&c->line, "one-way");
    int first = link_verb(c, cmd, a, b, one_way ? "out" : NULL);
    int second = link_verb(c, cmd, b, a, one_way ? "in" : NULL);
    *told |= first == CTL_OK ? UINT64_C(1) << labdir_find_node(&c->lab, a) : 0;
    *told |= second == CTL_OK ? UINT64_C(1) << labdir_find_node(&c->lab, b) : 0;
    return first != CTL_OK ? first : second;
}

/* Where not all could be told, those that were: what they were told holds. The screen reads this line. */
static int say_told(struct ctl *c, int rc, uint64_t told)
{
    const char *before = "Told: ";
    for (size_t i = 0; rc != CTL_OK && i < c->lab.nodes_len; i++)
        if (told >> i & 1) {
            fprintf(c->out, "%s%s", before, c->lab.nodes[i].name);
            before = ", ";
        }
    if (rc != CTL_OK && told)
        fputc('\n', c->out);
    return rc;
}

static int one_link(struct ctl *c, const char *cmd)
{
    uint64_t told = 0;
    int rc = both_ends(c, cmd, c->line.args.items[0], c->line.args.items[1], &told);
    return say_told(c, rc, told);
}

/* one node and all the others */
static int all_links_of(struct ctl *c, const char *cmd, const char *node)
{
    int rc = CTL_OK;
    uint64_t told = 0;
    if (!lab_nodes(c, node, node))
        return CTL_USAGE;
    for (size_t i = 0; i < c->lab.nodes_len; i++) {
        int one = (int)i == labdir_find_node(&c->lab, node)
                      ? CTL_OK
                      : both_ends(c, cmd, node, c->lab.nodes[i].name, &told);
        rc = rc == CTL_OK ? one : rc;
    }
    return say_told(c, rc, told);
}

static int cut(struct ctl *c)
{
    if (c->line.args.len == 1)
        return all_links_of(c, "cut", c->line.args.items[0]);
    return one_link(c, "cut");
}

static int heal(struct ctl *c)
{
    if (c->line.args.len == 2)
        return one_link(c, "heal");
    if (c->line.args.len == 1)
        return all_links_of(c, "heal", c->line.args.items[0]);
    int rc = CTL_OK;
    uint64_t told = 0;
    for (size_t i = 0; i < c->lab.nodes_len; i++) {
        int one = link_verb(c, "heal", c->lab.nodes[i].name, NULL, NULL);
        told |= one == CTL_OK ? UINT64_C(1) << i : 0;
        rc = rc == CTL_OK ? one : rc;
    }
    return say_told(c, rc, told);
}

/* ---- policies ---- */

static bool only_vhost(struct ctl *c, int *rc)
{
    const char *vhost = ctl_option(&c->line, "vhost", "/");
    if (strcmp(vhost, "/") == 0)
        return true;
    *rc = ctl_error(c, CTL_DATA, "there is no virtual host '%s': the kit has '/' only", vhost);
    return false;
}

/* The text of a policy is judged by the node; what is not JSON at all is not sent. */
static int set_policy(struct ctl *c)
{
    int rc = CTL_OK, status = 0;
    if (!only_vhost(c, &rc))
        return rc;
    const char *name = c->line.args.items[0], *definition = c->line.args.items[2];
    json_t *parsed = json_loads(definition, JSON_DECODE_ANY, NULL);
    if (!*name) { /* it would be no path */
        json_decref(parsed);
        return ctl_error(c, CTL_DATA, "the policy's name is empty; write one, such as mirrior");
    }
    if (!parsed)
        return ctl_error(c, CTL_UNAVAILABLE, "JSON decoding error. Reason: badarg");
    json_decref(parsed);
    json_t *body = json_pack("{s:s, s:s, s:I, s:s}", "pattern", c->line.args.items[1], "definition",
                             definition, "priority", (json_int_t)atoll(ctl_option(&c->line, "priority", "0")),
                             "apply-to", ctl_option(&c->line, "apply-to", "all"));
    if (!body)
        return ctl_error(c, CTL_DATA, "the policy is not UTF-8 text");
    char *path = ctl_path("/api/policies/%2F/", name);
    json_t *answer = NULL;
    rc = ctl_api(c, "PUT", path, body, &status, &answer);
    if (rc == CTL_OK && status >= 300)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", ctl_reason(answer));
    json_decref(answer);
    free(path);
    return rc;
}

static int clear_policy(struct ctl *c)
{
    int rc = CTL_OK, status = 0;
    if (!only_vhost(c, &rc))
        return rc;
    char *path = ctl_path("/api/policies/%2F/", c->line.args.items[0]);
    json_t *answer = NULL;
    rc = ctl_api(c, "DELETE", path, NULL, &status, &answer);
    if (rc == CTL_OK && status >= 300)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s",
                       status == 404 ? "Parameter does not exist" : ctl_reason(answer));
    json_decref(answer);
    free(path);
    return rc;
}

/* ---- queues ---- */

/* A request about one queue; what[0] is the method. */
static int queue_request(struct ctl *c, const char *method, const char *suffix, json_t *body, int *status,
                         json_t **out)
{
    char *path = ctl_path("/api/queues/%2F/", c->line.args.items[0]);
    char *whole = format_text("%s%s", path, suffix);
    int rc = ctl_api(c, method, whole, body, status, out);
    free(whole);
    free(path);
    return rc;
}

static int sync_action(struct ctl *c, const char *action)
{
    int rc = CTL_OK, status = 0;
    if (!only_vhost(c, &rc))
        return rc;
    json_t *answer = NULL;
    rc = queue_request(c, "POST", "/actions", json_pack("{s:s}", "action", action), &status, &answer);
    if (rc == CTL_OK && status >= 300) {
        const char *reason = status == 404 ? "not_found" : ctl_reason(answer);
        if (strcmp(reason, "not_syncing") == 0) /* rabbitmqctl says so and is content */
            fprintf(c->out, "not_syncing\n");
        else
            rc = ctl_error(c, CTL_UNAVAILABLE, "%s", reason);
    }
    json_decref(answer);
    return rc;
}

static int sync_queue(struct ctl *c)
{
    return sync_action(c, "sync");
}

static int cancel_sync_queue(struct ctl *c)
{
    return sync_action(c, "cancel_sync");
}

static int purge_queue(struct ctl *c)
{
    int rc = CTL_OK, status = 0;
    if (!only_vhost(c, &rc))
        return rc;
    json_t *answer = NULL;
    rc = queue_request(c, "DELETE", "/contents", NULL, &status, &answer);
    if (rc == CTL_OK && status >= 300)
        rc = ctl_error(c, CTL_UNAVAILABLE, "%s", status == 404 ? "not_found" : ctl_reason(answer));
    json_decref(answer);
    return rc;
}

/* rabbitmqctl has words of its own for why not */
static const char *not_deleted(const char *reason)
{
    size_t len = strlen(reason);
    static const char in_use[] = " in use", not_empty[] = " not empty";
    if (len > strlen(in_use) && strcmp(reason + len - strlen(in_use), in_use) == 0)
        return "Queue is in use";
    if (len > strlen(not_empty) && strcmp(reason + len - strlen(not_empty), not_empty) == 0)
        return "Queue is not empty";
    return reason;
}

static int delete_queue(struct ctl *c)
{
    int rc = CTL_OK, status = 0;
    if (!only_vhost(c, &rc))
        return rc;
    char *suffix =
        format_text("?if-empty=%s&if-unused=%s", ctl_option_on(&c->line, "if-empty") ? "true" : "false",
                    ctl_option_on(&c->line, "if-unused") ? "true" : "false");
    json_t *answer = NULL;
    rc = queue_request(c, "DELETE", suffix, NULL, &status, &answer);
    free(suffix);
    if (rc == CTL_OK && status == 404)
        rc = ctl_error(c, CTL_USAGE, "Queue not found");
    else if (rc == CTL_OK && status >= 300)
        rc = ctl_error(c, CTL_USAGE, "%s", not_deleted(ctl_reason(answer)));
    else if (rc == CTL_OK && !ctl_option_on(&c->line, "quiet") && !ctl_option_on(&c->line, "silent"))
        fprintf(c->out, "Queue was successfully deleted with %lld ready messages\n",
                (long long)json_integer_value(json_object_get(answer, "messages")));
    json_decref(answer);
    return rc;
}

static int close_connection(struct ctl *c)
{
    int rc, status = 0;
    json_t *answer = NULL, *body = json_pack("{s:s}", "reason", c->line.args.items[1]);
    char *path = ctl_path("/api/connections/", c->line.args.items[0]);
    rc = ctl_api(c, "DELETE", path, body, &status, &answer);
    free(path);
    if (rc == CTL_OK && status >= 300)
        rc = ctl_error(c, CTL_DATA, "no connection '%s'; list_connections name shows them",
                       c->line.args.items[0]);
    json_decref(answer);
    return rc;
}

/* ---- the table ---- */

#define LIST_OPTIONS "vhost no-table-headers"

const struct ctl_verb ctl_verbs[] = {
    {"help", "Help", "(<command> | [--list-commands])", "Displays usage information for a command", 0, 1,
     "list-commands", NULL, ctl_help},
    {"version", "Help", "", "Displays the version of the tool", 0, 0, "", NULL, version},

    {"await_startup", "Nodes", "", "Waits until the node serves", 0, 0, "", NULL, await_startup},
    {"force_boot", "Nodes", "", "Makes the next start of a node that does not serve wait for nobody", 0, 0,
     "", NULL, ctl_force_boot},
    {"force_reset", "Nodes", "", "Empties a stopped node without telling its cluster", 0, 0, "",
     "Forcefully resetting node %n ...", ctl_force_reset},
    {"kill", "Nodes", "", "Kills the node's process (SIGKILL): a crash", 0, 0, "", NULL, ctl_kill},
    {"reset", "Nodes", "", "Empties a stopped node: it leaves its cluster and is as new", 0, 0, "",
     "Resetting node %n ...", ctl_reset},
    {"start", "Nodes", "", "Starts the node's process again and waits until it serves", 0, 0, "", NULL,
     ctl_start},
    {"start_app", "Nodes", "", "Starts the broker in the node's process", 0, 0, "", "Starting node %n ...",
     start_app},
    {"stop_app", "Nodes", "", "Stops the broker in order; the node's process stays", 0, 0, "",
     "Stopping rabbit application on node %n ...", stop_app},

    {"cluster_status", "Cluster", "[--timeout <timeout>]",
     "Displays the nodes of the cluster and which of them run", 0, 0, "", "Cluster status of node %n ...",
     ctl_cluster_status},
    {"cut", "Cluster", "[--one-way] <node> [<node>]",
     "Breaks the link between two nodes, or all links of one; one way: what the first says", 1, 2, "one-way",
     "Cutting links of %1 ...", cut},
    {"forget_cluster_node", "Cluster", "[--offline] <existing_cluster_member_node>",
     "Removes a stopped node from the cluster, with what only it holds", 1, 1, "offline",
     "Removing node %1 from the cluster", ctl_forget_cluster_node},
    {"heal", "Cluster", "[<node> [<node>]]",
     "Mends the link between two nodes, all links of one, or all links", 0, 2, "", "Healing links ...", heal},
    {"join_cluster", "Cluster", "<existing_cluster_member>",
     "Empties a stopped node that is of no cluster: it joins when it starts", 1, 1, "",
     "Clustering node %n with %1", ctl_join_cluster},

    {"cancel_sync_queue", "Replication", "[--vhost <vhost>] <queue>", "Stops a queue's synchronisation", 1, 1,
     "vhost", "Stopping synchronising queue '%1' in vhost '%v' ...", cancel_sync_queue},
    {"sync_queue", "Replication", "[--vhost <vhost>] <queue>",
     "Synchronises a queue's unsynchronised mirrors", 1, 1, "vhost",
     "Synchronising queue '%1' in vhost '%v' ...", sync_queue},

    {"list_users", "Users", "[--no-table-headers]", "Lists user names and tags", 0, 0, "no-table-headers",
     "Listing users ...", ctl_list},
    {"list_permissions", "Access Control", "[--vhost <vhost>] [--no-table-headers]",
     "Lists permissions in a vhost", 0, 0, LIST_OPTIONS, "Listing permissions for vhost \"%v\" ...",
     ctl_list},
    {"list_vhosts", "Access Control", "[--no-table-headers] [<column> ...]", "Lists virtual hosts", 0, 64,
     "no-table-headers", "Listing vhosts ...", ctl_list},

    {"close_connection", "Operations", "<connection name> <explanation>", "Closes a client's connection", 2,
     2, "", "Closing connection %1, reason: %2...", close_connection},
    {"events", "Monitoring", "[--since <seq>] [--no-table-headers]",
     "Lists what happened on this node, in order", 0, 0, "since no-table-headers",
     "Listing events of node %n ...", ctl_events},
    {"list_bindings", "Monitoring", "[--vhost <vhost>] [--no-table-headers] [<column> ...]", "Lists bindings",
     0, 64, LIST_OPTIONS, "Listing bindings for vhost %v...", ctl_list},
    {"list_channels", "Monitoring", "[--no-table-headers] [<column> ...]", "Lists channels", 0, 64,
     "no-table-headers", "Listing channels ...", ctl_list},
    {"list_connections", "Monitoring", "[--no-table-headers] [<column> ...]", "Lists AMQP connections", 0, 64,
     "no-table-headers", "Listing connections ...", ctl_list},
    {"list_consumers", "Monitoring", "[--vhost <vhost>] [--no-table-headers] [<column> ...]",
     "Lists consumers", 0, 64, LIST_OPTIONS, "Listing consumers in vhost %v ...", ctl_list},
    {"list_exchanges", "Monitoring", "[--vhost <vhost>] [--no-table-headers] [<column> ...]",
     "Lists exchanges", 0, 64, LIST_OPTIONS, "Listing exchanges for vhost %v ...", ctl_list},
    {"list_queues", "Monitoring",
     "[--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column>, ...] [--timeout "
     "<timeout>]",
     "Lists queues and their properties", 0, 64, LIST_OPTIONS " online offline local",
     "Timeout: %t seconds ...\nListing queues for vhost %v ...", ctl_list},
    {"ping", "Monitoring", "[--timeout <timeout>]", "Checks that the node's process answers", 0, 0, "",
     "Will ping %n. This only checks if the OS process is running and answers on its control socket. "
     "Timeout: %m ms.",
     ping},
    {"status", "Monitoring", "[--unit <unit>] [--timeout <timeout>]", "Displays status of a node", 0, 0,
     "unit", "Status of node %n ...", ctl_status},

    {"clear_policy", "Policies", "[--vhost <vhost>] <name>", "Clears (removes) a policy", 1, 1, "vhost",
     "Clearing policy \"%1\" on vhost \"%v\" ...", clear_policy},
    {"list_policies", "Policies", "[--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
     "Lists all policies of a virtual host", 0, 0, LIST_OPTIONS, "Listing policies for vhost \"%v\" ...",
     ctl_list},
    {"set_policy", "Policies",
     "[--vhost <vhost>] [--priority <priority>] [--apply-to <apply-to>] <name> <pattern> <definition>",
     "Sets or updates a policy", 3, 3, "vhost priority apply-to",
     "Setting policy \"%1\" for pattern \"%2\" to \"%3\" with priority \"%p\" for vhost \"%v\" ...",
     set_policy},

    {"delete_queue", "Queues", "<queue_name> [--if-empty|-e] [--if-unused|-u] [--timeout <timeout>]",
     "Deletes a queue", 1, 1, "vhost if-empty if-unused", "Deleting queue '%1' on vhost '%v' %c...",
     delete_queue},
    {"purge_queue", "Queues", "<queue> [--timeout <timeout>]", "Purges a queue (removes all messages in it)",
     1, 1, "vhost", "Purging queue '%1' in vhost '%v' ...", purge_queue},
};
const size_t ctl_verbs_len = ARRAY_LEN(ctl_verbs);

const struct ctl_verb *ctl_find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(ctl_verbs); i++) {
        if (name && strcmp(ctl_verbs[i].name, name) == 0)
            return &ctl_verbs[i];
    }
    return NULL;
}

/* ---- from a line to a verb ---- */

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    while (*words) {
        size_t n = strcspn(words, " ");
        if (n == len && memcmp(words, word, n) == 0)
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

static bool is_number(const char *text, bool whole)
{
    char *end = NULL;
    double n = strtod(text, &end);
    return *text && *end == '\0' && n > -2147483649.0 && n < 2147483648.0 &&
           (!whole || !strpbrk(text, ".eExXn"));
}

static bool option_fits(const struct ctl_verb *v, const struct ctl_option *o)
{
    if (!has_word("timeout formatter quiet silent longnames", o->name) && !has_word(v->options, o->name))
        return false;
    if (strcmp(o->name, "priority") == 0)
        return is_number(o->value, true);
    if (strcmp(o->name, "timeout") == 0)
        return is_number(o->value, false) && strtod(o->value, NULL) >= 0;
    if (strcmp(o->name, "formatter") == 0)
        return has_word("table json csv", o->value);
    return true;
}

int ctl_check_words(struct ctl *c, const struct ctl_verb *v)
{
    struct text wrong = {0};
    for (size_t i = 0; i < c->line.options.len; i++) {
        const struct ctl_option *o = &c->line.options.items[i];
        if (!option_fits(v, o))
            text_printf(&wrong, "\n--%s : %s", o->name, o->value ? o->value : "");
    }
    if (c->line.wrong_option)
        text_printf(&wrong, "\n%s : ", c->line.wrong_option);
    int rc = CTL_OK;
    if (wrong.len)
        rc = ctl_wrong_words(c, v, "Error (argument validation): Invalid options for this command:%s",
                             text_str(&wrong));
    else if (c->line.args.len < v->words_min)
        rc = ctl_wrong_words(c, v, "Error (argument validation): not enough arguments.");
    else if (c->line.args.len > v->words_max)
        rc = ctl_wrong_words(c, v, "Error (argument validation): too many arguments.");
    text_finish(&wrong);
    return rc == CTL_OK ? ctl_check_columns(c) : rc;
}

static void banner(struct ctl *c, const char *shape)
{
    struct text out = {0};
    char node[320];
    for (const char *at = shape; *at; at++) {
        if (*at != '%') {
            text_add_bytes(&out, at, 1);
            continue;
        }
        bool empty = ctl_option_on(&c->line, "if-empty"), unused = ctl_option_on(&c->line, "if-unused");
        switch (*++at) {
        case '1':
        case '2':
        case '3': text_add(&out, c->line.args.items[*at - '1']); break;
        case 'n': text_add(&out, ctl_node_name(c, node, sizeof(node))); break;
        case 'v': text_add(&out, ctl_option(&c->line, "vhost", "/")); break;
        case 'p': text_add(&out, ctl_option(&c->line, "priority", "0")); break;
        case 't': text_printf(&out, "%.1f", (double)ctl_timeout_ms(c, 60000) / 1000.0); break;
        case 'm': text_printf(&out, "%u", ctl_timeout_ms(c, 60000)); break;
        case 'c':
            text_printf(&out, "%s%s%s%s", empty ? "if queue is empty" : "", empty && unused ? " and " : "",
                        unused ? "if queue is unused" : "", empty || unused ? " " : "");
            break;
        }
    }
    fprintf(c->out, "%s\n", text_str(&out));
    fflush(c->out);
    text_finish(&out);
}

/* RabbitMQ's order: an app that is stopped, or that runs, is noticed before the banner is printed. */
static bool needs_stopped(const struct ctl_verb *v)
{
    return has_word("reset force_reset force_boot join_cluster", v->name);
}

static bool needs_app(const struct ctl *c, const struct ctl_verb *v)
{
    bool offline = v->run == ctl_forget_cluster_node && ctl_option_on(&c->line, "offline");
    return !needs_stopped(v) && !offline &&
           !has_word("help version await_startup kill start start_app stop_app cut heal ping", v->name);
}

int ctl_kit(struct ctl *c)
{
    if (!c->line.verb)
        return ctl_usage(c->err, CTL_USAGE);
    const struct ctl_verb *v = ctl_find_verb(c->line.verb);
    if (!v)
        return ctl_unknown_verb(c, c->line.verb, NULL);
    int rc = ctl_check_words(c, v);
    if (rc != CTL_OK)
        return rc;
    if (needs_app(c, v)) {
        int status;
        json_t *body = NULL;
        rc = ctl_api(c, "GET", "/api/whoami", NULL, &status, &body);
        json_decref(body);
        if (rc != CTL_OK)
            return rc;
    }
    if (needs_stopped(v)) {
        rc = ctl_needs_stopped(c, v);
        if (rc != CTL_OK)
            return rc;
    }
    if (v->banner && ctl_speaks(c))
        banner(c, v->banner);
    return v->run(c);
}
