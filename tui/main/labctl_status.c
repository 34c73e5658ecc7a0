/* labctl_status.c: status and cluster_status, in rabbitmqctl's sections. */
#include <string.h>

#include "main/labctl.h"

/* ---- what both need ---- */

struct seen {
    json_t *nodes, *overview;
};

static int look(struct ctl *c, struct seen *s)
{
    int status = 0;
    *s = (struct seen){0};
    int rc = ctl_api(c, "GET", "/api/nodes", NULL, &status, &s->nodes);
    if (rc == CTL_OK)
        rc = ctl_api(c, "GET", "/api/overview", NULL, &status, &s->overview);
    return rc;
}

static void forget(struct seen *s)
{
    json_decref(s->nodes);
    json_decref(s->overview);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void section(struct ctl *c, const char *name)
{
    fprintf(c->out, "%s%s%s\n\n", ctl_bold(c->out, true), name, ctl_bold(c->out, false));
}

static void none_or_blank(struct ctl *c, size_t lines)
{
    fprintf(c->out, lines ? "\n" : "(none)\n\n");
}

static const char *purpose(const char *protocol)
{
    if (strcmp(protocol, "amqp") == 0)
        return "AMQP 0-9-1";
    return strcmp(protocol, "http") == 0 ? "HTTP API" : "inter-node communication";
}

/* Prints the listeners of one node, or of all with their names; returns how many. */
static size_t print_listeners(struct ctl *c, const json_t *overview, const char *node)
{
    size_t i, printed = 0;
    json_t *l;
    json_array_foreach(json_object_get(overview, "listeners"), i, l)
    {
        if (node && strcmp(text_of(l, "node"), node) != 0)
            continue;
        if (node)
            fprintf(c->out, "Interface: ");
        else
            fprintf(c->out, "Node: %s, interface: ", text_of(l, "node"));
        fprintf(c->out, "%s, port: %lld, protocol: %s, purpose: %s\n", text_of(l, "ip_address"),
                number_of(l, "port"), text_of(l, "protocol"), purpose(text_of(l, "protocol")));
        printed++;
    }
    return printed;
}

static json_t *listeners_json(const json_t *overview, const char *node)
{
    json_t *list = json_array(), *l;
    size_t i;
    json_array_foreach(json_object_get(overview, "listeners"), i, l)
    {
        if (strcmp(text_of(l, "node"), node) == 0)
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:I, s:s, s:s}", "interface", text_of(l, "ip_address"), "node",
                                node, "port", (json_int_t)number_of(l, "port"), "protocol",
                                text_of(l, "protocol"), "purpose", purpose(text_of(l, "protocol"))));
    }
    return list;
}

static void print_json(struct ctl *c, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    fprintf(c->out, "%s\n", text);
    free(text);
    json_decref(json);
}

/* The alarms of all nodes that say they have one, as texts. */
static json_t *alarms(const json_t *nodes, const char *only)
{
    json_t *list = json_array(), *node;
    size_t i;
    json_array_foreach(nodes, i, node)
    {
        if (json_is_true(json_object_get(node, "mem_alarm")) &&
            (!only || strcmp(text_of(node, "name"), only) == 0))
            json_array_append_new(list, json_sprintf("Memory alarm on node %s", text_of(node, "name")));
    }
    return list;
}

static void print_alarms(struct ctl *c, const json_t *nodes, const char *only)
{
    json_t *list = alarms(nodes, only);
    section(c, "Alarms");
    for (size_t i = 0; i < json_array_size(list); i++)
        fprintf(c->out, "%s\n", json_string_value(json_array_get(list, i)));
    none_or_blank(c, json_array_size(list));
    json_decref(list);
}

/* ---- cluster_status ---- */

static bool runs(const json_t *node)
{
    return json_is_true(json_object_get(node, "running"));
}

static void print_nodes(struct ctl *c, const json_t *nodes, const char *title, bool running_only)
{
    size_t i;
    json_t *node;
    section(c, title);
    json_array_foreach(nodes, i, node)
    {
        if (!running_only || runs(node))
            fprintf(c->out, "%s\n", text_of(node, "name"));
    }
    fprintf(c->out, "\n");
}

static void print_partitions(struct ctl *c, const json_t *nodes)
{
    size_t i, p, lines = 0;
    json_t *node, *other;
    section(c, "Network Partitions");
    json_array_foreach(nodes, i, node)
    {
        json_t *list = json_object_get(node, "partitions");
        if (json_array_size(list) == 0)
            continue;
        fprintf(c->out, "Node %s cannot communicate with ", text_of(node, "name"));
        json_array_foreach(list, p, other) fprintf(c->out, "%s%s", p ? ", " : "", json_string_value(other));
        fprintf(c->out, "\n");
        lines++;
    }
    none_or_blank(c, lines);
}

static void cluster_text(struct ctl *c, const struct seen *s)
{
    size_t i;
    json_t *node;
    section(c, "Basics");
    fprintf(c->out, "Cluster name: %s\n\n", text_of(s->overview, "cluster_name"));
    print_nodes(c, s->nodes, "Disk Nodes", false);
    print_nodes(c, s->nodes, "Running Nodes", true);
    section(c, "Versions");
    json_array_foreach(s->nodes, i, node)
    {
        if (runs(node))
            fprintf(c->out, "%s: %s %s with the rules of RabbitMQ %s\n", text_of(node, "name"),
                    text_of(s->overview, "product_name"), text_of(s->overview, "product_version"),
                    text_of(s->overview, "rabbitmq_version"));
    }
    fprintf(c->out, "\n");
    section(c, "Maintenance status");
    json_array_foreach(s->nodes, i, node)
    {
        if (runs(node))
            fprintf(c->out, "Node: %s, status: not under maintenance\n", text_of(node, "name"));
    }
    fprintf(c->out, "\n");
    print_alarms(c, s->nodes, NULL);
    print_partitions(c, s->nodes);
    section(c, "Listeners");
    none_or_blank(c, print_listeners(c, s->overview, NULL));
    section(c, "Feature flags");
    fprintf(c->out, "(none)\n");
}

static json_t *cluster_json(const struct seen *s)
{
    json_t *disk = json_array(), *running = json_array(), *listeners = json_object(),
           *maintenance = json_object();
    json_t *versions = json_object(), *partitions = json_object(), *node;
    size_t i;
    json_array_foreach(s->nodes, i, node)
    {
        const char *name = text_of(node, "name");
        json_array_append_new(disk, json_string(name));
        if (json_array_size(json_object_get(node, "partitions")))
            json_object_set(partitions, name, json_object_get(node, "partitions"));
        if (!runs(node))
            continue;
        json_array_append_new(running, json_string(name));
        json_object_set_new(listeners, name, listeners_json(s->overview, name));
        json_object_set_new(maintenance, name, json_string("not under maintenance"));
        json_object_set_new(versions, name,
                            json_pack("{s:O, s:O, s:O}", "product_name",
                                      json_object_get(s->overview, "product_name"), "product_version",
                                      json_object_get(s->overview, "product_version"), "rabbitmq_version",
                                      json_object_get(s->overview, "rabbitmq_version")));
    }
    return json_pack("{s:o, s:O, s:o, s:[], s:o, s:o, s:o, s:[], s:o, s:o}", "alarms", alarms(s->nodes, NULL),
                     "cluster_name", json_object_get(s->overview, "cluster_name"), "disk_nodes", disk,
                     "feature_flags", "listeners", listeners, "maintenance_status", maintenance, "partitions",
                     partitions, "ram_nodes", "running_nodes", running, "versions", versions);
}

int ctl_cluster_status(struct ctl *c)
{
    struct seen s;
    int rc = look(c, &s);
    if (rc == CTL_OK && ctl_formatter(c, "json"))
        print_json(c, cluster_json(&s));
    else if (rc == CTL_OK)
        cluster_text(c, &s);
    forget(&s);
    return rc;
}

/* ---- status ---- */

static const struct unit {
    const char *name;
    double bytes;
} units[] = {{"gb", 1e9}, {"mb", 1e6}, {"bytes", 1}};

static const struct unit *unit_of(struct ctl *c)
{
    const char *asked = ctl_option(&c->line, "unit", "gb");
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (strcmp(units[i].name, asked) == 0)
            return &units[i];
    }
    return NULL;
}

static json_t *find_node(const json_t *nodes, const char *name)
{
    size_t i;
    json_t *node;
    json_array_foreach(nodes, i, node)
    {
        if (strcmp(text_of(node, "name"), name) == 0)
            return node;
    }
    return NULL;
}

static void status_text(struct ctl *c, const struct seen *s, const json_t *node, const struct unit *unit)
{
    const char *name = text_of(node, "name");
    section(c, "Runtime");
    fprintf(c->out,
            "OS PID: %s\nOS: Linux\nUptime (seconds): %lld\nIs under maintenance?: false\n"
            "RabbitMQ version: %s\nNode name: %s\nProduct: %s %s\n\n",
            text_of(node, "os_pid"), number_of(node, "uptime") / 1000,
            text_of(s->overview, "rabbitmq_version"), name, text_of(s->overview, "product_name"),
            text_of(s->overview, "product_version"));
    section(c, "Data directory");
    fprintf(c->out, "Node data directory: %s\n\n", text_of(node, "db_dir"));
    section(c, "Log file(s)");
    fprintf(c->out, " * %s\n\n", json_string_value(json_array_get(json_object_get(node, "log_files"), 0)));
    print_alarms(c, s->nodes, name);
    section(c, "Memory");
    fprintf(c->out,
            "Total memory used: %.4f %s\nCalculation strategy: rss\nMemory high watermark: %.4f %s\n\n",
            (double)number_of(node, "mem_used") / unit->bytes, unit->name,
            (double)number_of(node, "mem_limit") / unit->bytes, unit->name);
    section(c, "File Descriptors");
    fprintf(c->out, "Total: %lld, limit: %lld\n\n", number_of(node, "fd_used"), number_of(node, "fd_total"));
    section(c, "Free Disk Space");
    fprintf(c->out, "Free disk space: %.4f %s\n\n", (double)number_of(node, "disk_free") / unit->bytes,
            unit->name);
    json_t *totals = json_object_get(s->overview, "object_totals");
    section(c, "Totals");
    fprintf(c->out, "Connection count: %lld\nQueue count: %lld\nVirtual host count: 1\n\n",
            number_of(totals, "connections"), number_of(totals, "queues"));
    section(c, "Listeners");
    print_listeners(c, s->overview, name);
}

static json_t *status_json(const struct seen *s, const json_t *node)
{
    json_t *totals = json_object_get(s->overview, "object_totals");
    return json_pack(
        "{s:o, s:s, s:I, s:{s:I, s:I}, s:b, s:o, s:O, s:{s:s, s:{s:I}}, s:s, s:I, s:s, s:s, s:s, "
        "s:{s:I, s:I, s:i}, s:I, s:s, s:I}",
        "alarms", alarms(s->nodes, text_of(node, "name")), "data_directory", text_of(node, "db_dir"),
        "disk_free", (json_int_t)number_of(node, "disk_free"), "file_descriptors", "total_limit",
        (json_int_t)number_of(node, "fd_total"), "total_used", (json_int_t)number_of(node, "fd_used"),
        "is_under_maintenance", 0, "listeners", listeners_json(s->overview, text_of(node, "name")),
        "log_files", json_object_get(node, "log_files"), "memory", "strategy", "rss", "total", "rss",
        (json_int_t)number_of(node, "mem_used"), "os", "Linux", "pid",
        (json_int_t)atoll(text_of(node, "os_pid")), "product_name", text_of(s->overview, "product_name"),
        "product_version", text_of(s->overview, "product_version"), "rabbitmq_version",
        text_of(s->overview, "rabbitmq_version"), "totals", "connection_count",
        (json_int_t)number_of(totals, "connections"), "queue_count", (json_int_t)number_of(totals, "queues"),
        "virtual_host_count", 1, "uptime", (json_int_t)number_of(node, "uptime") / 1000,
        "vm_memory_calculation_strategy", "rss", "vm_memory_high_watermark_limit",
        (json_int_t)number_of(node, "mem_limit"));
}

int ctl_status(struct ctl *c)
{
    char name[320];
    struct seen s;
    const struct unit *unit = unit_of(c);
    if (!unit)
        return ctl_wrong_words(c, ctl_find_verb("status"),
                               "Error (argument validation): unit '%s' is not supported. "
                               "Please use one of: bytes, mb, gb",
                               ctl_option(&c->line, "unit", ""));
    int rc = look(c, &s);
    json_t *node = find_node(s.nodes, ctl_node_name(c, name, sizeof(name)));
    if (rc == CTL_OK && !node)
        rc = ctl_error(c, CTL_SOFTWARE, "%s does not list itself", name);
    else if (rc == CTL_OK && ctl_formatter(c, "json"))
        print_json(c, status_json(&s, node));
    else if (rc == CTL_OK)
        status_text(c, &s, node, unit);
    forget(&s);
    return rc;
}
