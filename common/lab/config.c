/* config.c: reading a lab's configuration (libconfig). Every error names file, line, key and value, and what
 * to write instead; a key that nobody reads is an error too, since a misspelt one would silently do nothing.
 *
 *     engine = "kit";                        # or "rabbitmq"
 *     user = "admin";  password = "123";
 *     node_program = "build/lessons/07-failover/node";
 *     nodes = ( { name = "node1"; host = "127.0.0.1"; amqp = 5672; http = 15672; peer = 25672; },
 *               { name = "node2"; } );       # what is left out counts up from the defaults
 *     silence_ms = 4000;  memory_limit_mb = 1024;  memory_paging_ratio = 0.5;  # the kit's nodes' (node.1)
 *     partition_handling = "ignore";         # or "pause_minority", "autoheal"
 *
 * A RabbitMQ cluster that runs elsewhere: nodes = ( { name = "rabbit1"; url = "http://10.0.0.1:15672";
 * amqp = 5672; }, ... ); such a lab is looked at and used, never started or stopped. */
#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/complain.h"
#include "lab/private.h"

static const char *const top_keys[] = {"engine",
                                       "nodes",
                                       "user",
                                       "password",
                                       "node_program",
                                       "silence_ms",
                                       "memory_limit_mb",
                                       "memory_paging_ratio",
                                       "partition_handling"};
static const char *const node_keys[] = {"name", "host", "amqp", "http", "peer", "url"};

struct reader {
    struct complaint complaint;
    bool has_url[LIMIT_NODES];
    int line[LIMIT_NODES]; /* where each node's group begins */
};

/* "engine, nodes, user" */
static void list_keys(const char *const *keys, size_t len, struct text *out)
{
    for (size_t i = 0; i < len; i++)
        text_printf(out, "%s%s", i ? ", " : "", keys[i]);
}

static int check_keys(struct reader *r, const config_setting_t *group, const char *where,
                      const char *const *keys, size_t keys_len)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        bool known = false;
        for (size_t k = 0; k < keys_len; k++)
            known = known || strcmp(config_setting_name(s), keys[k]) == 0;
        if (known)
            continue;
        struct text list = {0};
        list_keys(keys, keys_len, &list);
        int err = complain(&r->complaint, line_of(s), "unknown key %s%s; the keys here are %s", where,
                           config_setting_name(s), list.s);
        text_finish(&list);
        return err;
    }
    return 0;
}

/* a string key into out; absent: out stays */
static int read_string(struct reader *r, const config_setting_t *group, const char *where, const char *key,
                       const char *example, char *out, size_t out_len)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    if (!s)
        return 0;
    if (config_setting_type(s) != CONFIG_TYPE_STRING)
        return complain(&r->complaint, line_of(s), "%s%s is not a text; write %s = \"%s\"", where, key, key,
                        example);
    const char *value = config_setting_get_string(s);
    if (!value[0])
        return complain(&r->complaint, line_of(s), "%s%s is empty; write %s = \"%s\"", where, key, key,
                        example);
    if (strlen(value) >= out_len)
        return complain(&r->complaint, line_of(s), "%s%s is longer than %zu bytes; write a shorter one",
                        where, key, out_len - 1);
    snprintf(out, out_len, "%s", value);
    return 0;
}

static int read_port(struct reader *r, const config_setting_t *group, const char *where, const char *key,
                     uint16_t *port)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    if (!s)
        return 0;
    int type = config_setting_type(s);
    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
        return complain(&r->complaint, line_of(s), "%s%s is not a number; write %s = %u", where, key, key,
                        *port);
    long long value = type == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
    if (value < 1 || value > UINT16_MAX)
        return complain(&r->complaint, line_of(s),
                        "%s%s is %lld; write a port from 1 to 65535, such as %s = %u", where, key, value, key,
                        *port);
    *port = (uint16_t)value;
    return 0;
}

/* a number that only the nodes of the kit read; absent: out stays */
static int read_node_number(struct reader *r, const config_setting_t *root, const char *key, int least,
                            int most, int *out)
{
    const config_setting_t *s = config_setting_get_member(root, key);
    if (!s)
        return 0;
    if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < least ||
        config_setting_get_int(s) > most)
        return complain(&r->complaint, line_of(s), "%s is not a number from %d to %d; write %s = %d", key,
                        least, most, key, least);
    *out = config_setting_get_int(s);
    return 0;
}

static int read_paging_ratio(struct reader *r, const config_setting_t *root, double *out)
{
    const config_setting_t *s = config_setting_get_member(root, "memory_paging_ratio");
    if (!s)
        return 0;
    bool whole = config_setting_type(s) == CONFIG_TYPE_INT;
    double value = whole ? config_setting_get_int(s) : config_setting_get_float(s);
    if ((!whole && config_setting_type(s) != CONFIG_TYPE_FLOAT) || !(value > 0 && value <= 1))
        return complain(&r->complaint, line_of(s),
                        "memory_paging_ratio is not a number above 0 and up to 1.0; write "
                        "memory_paging_ratio = 0.5");
    *out = value;
    return 0;
}

/* "http://HOST:PORT" into host and http port */
static int read_url(struct reader *r, const config_setting_t *group, const char *where, struct lab_node *node,
                    bool *found)
{
    char url[300] = "", host[256] = "", rest[2] = "";
    unsigned port = 0;
    int err = read_string(r, group, where, "url", "http://10.0.0.1:15672", url, sizeof(url));
    if (err || !url[0])
        return err;
    const config_setting_t *s = config_setting_get_member(group, "url");
    if (sscanf(url, "http://%255[^:/]:%5u%1s", host, &port, rest) != 2 || port < 1 || port > UINT16_MAX)
        return complain(&r->complaint, line_of(s),
                        "%surl is \"%s\"; write \"http://HOST:PORT\" of its management API", where, url);
    snprintf(node->host, sizeof(node->host), "%s", host);
    node->http_port = (uint16_t)port;
    *found = true;
    return 0;
}

static int read_name(struct reader *r, const config_setting_t *group, const char *where,
                     struct lab_node *node)
{
    int err = read_string(r, group, where, "name", node->name, node->name, sizeof(node->name));
    if (err)
        return err;
    for (const char *at = node->name; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_' && *at != '-')
            return complain(&r->complaint, line_of(config_setting_get_member(group, "name")),
                            "%sname is \"%s\"; write letters, digits, - and _ only, such as \"node1\"", where,
                            node->name);
    }
    return 0;
}

static int read_node(struct reader *r, const config_setting_t *group, size_t i, struct labdir *lab)
{
    struct lab_node *node = &lab->nodes[i];
    char where[32];
    snprintf(where, sizeof(where), "nodes[%zu].", i);
    r->line[i] = line_of(group);
    if (!config_setting_is_group(group))
        return complain(&r->complaint, line_of(group), "nodes[%zu] is not a group; write { name = \"%s\"; }",
                        i, node->name);
    int err = check_keys(r, group, where, node_keys, ARRAY_LEN(node_keys));
    if (!err)
        err = read_name(r, group, where, node);
    if (!err)
        err = read_string(r, group, where, "host", "127.0.0.1", node->host, sizeof(node->host));
    if (!err)
        err = read_url(r, group, where, node, &r->has_url[i]);
    if (!err)
        err = read_port(r, group, where, "amqp", &node->amqp_port);
    if (!err)
        err = read_port(r, group, where, "http", &node->http_port);
    if (!err)
        err = read_port(r, group, where, "peer", &node->peer_port);
    return err;
}

static uint16_t port_of(const struct lab_node *node, size_t which, const char **key)
{
    static const char *const keys[] = {"amqp", "http", "peer"};
    *key = keys[which];
    return which == 0 ? node->amqp_port : which == 1 ? node->http_port : node->peer_port;
}

/* the line of nodes[i].key if it was written, else of the node's group */
static int port_line(const config_setting_t *nodes, size_t i, const char *key, const struct reader *r)
{
    const config_setting_t *group = nodes ? config_setting_get_elem(nodes, (unsigned)i) : NULL;
    const config_setting_t *s = group ? config_setting_get_member(group, key) : NULL;
    return s ? line_of(s) : r->line[i];
}

/* no two of the lab's ports may be the same on one host */
static int check_ports(struct reader *r, const config_setting_t *nodes, const struct labdir *lab)
{
    for (size_t a = 0; a < lab->nodes_len * 3; a++) {
        for (size_t b = 0; b < a; b++) {
            const char *a_key, *b_key;
            const struct lab_node *an = &lab->nodes[a / 3], *bn = &lab->nodes[b / 3];
            uint16_t port = port_of(an, a % 3, &a_key);
            if (port != port_of(bn, b % 3, &b_key) || strcmp(an->host, bn->host) != 0)
                continue;
            return complain(&r->complaint, port_line(nodes, a / 3, a_key, r),
                            "nodes[%zu].%s is %u, which is already nodes[%zu].%s; write another port", a / 3,
                            a_key, port, b / 3, b_key);
        }
    }
    return 0;
}

static int check_names(struct reader *r, const struct labdir *lab)
{
    for (size_t a = 0; a < lab->nodes_len; a++)
        for (size_t b = 0; b < a; b++)
            if (strcmp(lab->nodes[a].name, lab->nodes[b].name) == 0)
                return complain(&r->complaint, r->line[a],
                                "nodes[%zu].name is \"%s\", which is already nodes[%zu]; write another", a,
                                lab->nodes[a].name, b);
    return 0;
}

static int read_nodes(struct reader *r, const config_setting_t *nodes, struct labdir *lab)
{
    if (!config_setting_is_list(nodes))
        return complain(&r->complaint, line_of(nodes),
                        "nodes is not a list; write nodes = ( { name = \"node1\"; }, ... )");
    int len = config_setting_length(nodes);
    if (len < 1 || len > LIMIT_NODES)
        return complain(&r->complaint, line_of(nodes), "nodes has %d groups; write 1 to %d of them", len,
                        LIMIT_NODES);
    labdir_defaults(lab, lab->engine, (size_t)len);
    for (size_t i = 0; i < (size_t)len; i++) {
        int err = read_node(r, config_setting_get_elem(nodes, (unsigned)i), i, lab);
        if (err)
            return err;
    }
    for (size_t i = 0; i < (size_t)len; i++) {
        if (r->has_url[i] != r->has_url[0])
            return complain(&r->complaint, r->line[i],
                            "nodes[%zu] has %s url, nodes[0] has %s; write one for every node or none", i,
                            r->has_url[i] ? "a" : "no", r->has_url[0] ? "one" : "none");
    }
    lab->external = r->has_url[0];
    if (lab->external && lab->engine == ENGINE_KIT)
        return complain(&r->complaint, r->line[0],
                        "nodes[0].url names a cluster that runs elsewhere; write engine = \"rabbitmq\"");
    return check_names(r, lab);
}

static int read_engine(struct reader *r, const config_setting_t *root, struct labdir *lab)
{
    char engine[32] = "";
    int err = read_string(r, root, "", "engine", "kit", engine, sizeof(engine));
    if (err || !engine[0])
        return err;
    if (strcmp(engine, "kit") != 0 && strcmp(engine, "rabbitmq") != 0)
        return complain(&r->complaint, line_of(config_setting_get_member(root, "engine")),
                        "engine is \"%s\"; write \"kit\" or \"rabbitmq\"", engine);
    lab->engine = strcmp(engine, "kit") == 0 ? ENGINE_KIT : ENGINE_RABBITMQ;
    return 0;
}

static int read_partition_handling(struct reader *r, const config_setting_t *root, struct labdir *lab)
{
    static const char *const modes[] = {"ignore", "pause_minority", "autoheal"};
    const config_setting_t *s = config_setting_get_member(root, "partition_handling");
    if (!s)
        return 0;
    const char *value = config_setting_get_string(s);
    for (size_t i = 0; value && i < ARRAY_LEN(modes); i++)
        if (strcmp(value, modes[i]) == 0) {
            snprintf(lab->partition_handling, sizeof(lab->partition_handling), "%s", value);
            return 0;
        }
    return complain(&r->complaint, line_of(s),
                    "partition_handling is %s; write \"ignore\", \"pause_minority\" or \"autoheal\"",
                    value ? value : "no text");
}

static int read_root(struct reader *r, const config_setting_t *root, struct labdir *lab)
{
    int err = check_keys(r, root, "", top_keys, ARRAY_LEN(top_keys));
    if (!err)
        err = read_engine(r, root, lab);
    if (err)
        return err;
    labdir_defaults(lab, lab->engine, 3);
    const config_setting_t *nodes = config_setting_get_member(root, "nodes");
    if (nodes && (err = read_nodes(r, nodes, lab)))
        return err;
    if (!lab->external && (err = check_ports(r, nodes, lab)))
        return err;
    err = read_string(r, root, "", "user", "admin", lab->user, sizeof(lab->user));
    if (!err)
        err = read_string(r, root, "", "password", "123", lab->password, sizeof(lab->password));
    if (!err)
        err = read_string(r, root, "", "node_program", "build/lessons/07-failover/node", lab->node_program,
                          sizeof(lab->node_program));
    if (!err)
        err = read_node_number(r, root, "silence_ms", 100, 600000, &lab->silence_ms);
    if (!err)
        err = read_node_number(r, root, "memory_limit_mb", 16, 1 << 20, &lab->memory_limit_mb);
    if (!err)
        err = read_paging_ratio(r, root, &lab->memory_paging_ratio);
    if (!err)
        err = read_partition_handling(r, root, lab);
    char real[PATH_MAX];
    if (!err && realpath(lab->node_program, real))
        memcpy(lab->node_program, real, strlen(real) + 1);
    return err;
}

int labdir_read_config(struct labdir *lab, const char *file, char **error)
{
    *error = NULL;
    struct reader r = {.complaint = {file, error}};
    FILE *f = fopen(file, "re");
    if (!f) {
        *error = format_text("%s: cannot read it: %s", file, strerror(errno));
        return ERR_NOT_FOUND;
    }
    config_t config;
    config_init(&config);
    int err;
    if (config_read_file(&config, file) != CONFIG_TRUE) {
        err = complain(&r.complaint, config_error_line(&config),
                       "%s; write key = value; as in nodes = ( { name = \"node1\"; } );",
                       config_error_text(&config));
    } else {
        err = read_root(&r, config_root_setting(&config), lab);
    }
    fclose(f);
    config_destroy(&config);
    return err;
}
