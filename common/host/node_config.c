/* node_config.c: a node's view of lab.cfg: who the nodes are, and which of them it is. Every error names file
 * and line, and says what to write instead. */
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "host/loop_private.h"

/* A peer that says nothing for so long is gone: short enough to watch, long enough for a busy laptop. */
#define DEFAULT_SILENCE_MS 4000

/* RabbitMQ's vm_memory_high_watermark_paging_ratio */
#define DEFAULT_PAGING_RATIO 0.5

struct reader {
    const char *file;
    char **error;
};

__attribute__((format(printf, 3, 4))) static int wrong(struct reader *r, const config_setting_t *at,
                                                       const char *format, ...)
{
    struct text text = {0};
    va_list args;
    va_start(args, format);
    text_vprintf(&text, format, args);
    va_end(args);
    *r->error = format_text("%s:%u: %s", r->file, at ? config_setting_source_line(at) : 1, text_str(&text));
    text_finish(&text);
    return ERR_INVALID;
}

/* An optional string; *out keeps its default if the key is absent. */
static int read_string(struct reader *r, const config_setting_t *in, const char *key, char **out)
{
    const config_setting_t *s = config_setting_get_member(in, key);
    if (!s)
        return 0;
    const char *value = config_setting_get_string(s);
    if (!value || !value[0] || strlen(value) > LIMIT_NAME)
        return wrong(r, s, "%s is not a text of 1 to %d characters; write %s = \"...\";", key, LIMIT_NAME,
                     key);
    free(*out);
    *out = xstrdup(value);
    return 0;
}

static int read_number(struct reader *r, const config_setting_t *in, const char *key, uint64_t least,
                       uint64_t most, uint64_t *out)
{
    const config_setting_t *s = config_setting_get_member(in, key);
    if (!s)
        return 0;
    int type = config_setting_type(s);
    long long value = config_setting_get_int64(s);
    if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value < 0 || (uint64_t)value < least ||
        (uint64_t)value > most)
        return wrong(r, s, "%s is not a number from %llu to %llu; write %s = %llu;", key,
                     (unsigned long long)least, (unsigned long long)most, key, (unsigned long long)*out);
    *out = (uint64_t)value;
    return 0;
}

/* A part of 1. */
static int read_ratio(struct reader *r, const config_setting_t *in, const char *key, double *out)
{
    const config_setting_t *s = config_setting_get_member(in, key);
    if (!s)
        return 0;
    bool whole = config_setting_type(s) == CONFIG_TYPE_INT;
    double value = whole ? config_setting_get_int(s) : config_setting_get_float(s);
    if ((!whole && config_setting_type(s) != CONFIG_TYPE_FLOAT) || !(value > 0 && value <= 1))
        return wrong(r, s, "%s is not a number above 0 and up to 1.0; write %s = %.1f;", key, key, *out);
    *out = value;
    return 0;
}

static int read_port(struct reader *r, const config_setting_t *in, const char *key, size_t standard,
                     uint16_t *out)
{
    uint64_t port = standard;
    int err = read_number(r, in, key, 1, 65535, &port);
    *out = (uint16_t)port;
    return err;
}

static int read_node(struct reader *r, const config_setting_t *in, size_t i, struct node_config *c)
{
    struct node_config_peer *node = &c->nodes[i];
    if (!config_setting_is_group(in))
        return wrong(r, in, "nodes[%zu] is not a group; write { name = \"node%zu\"; amqp = %zu; }", i, i + 1,
                     5672 + i);
    node->name = format_text("node%zu", i + 1);
    node->host = xstrdup("127.0.0.1");
    int err = read_string(r, in, "name", &node->name);
    if (!err)
        err = read_string(r, in, "host", &node->host);
    if (!err)
        err = read_port(r, in, "amqp", 5672 + i, &node->amqp);
    if (!err)
        err = read_port(r, in, "http", 15672 + i, &node->http);
    if (!err)
        err = read_port(r, in, "peer", 25672 + i, &node->peer);
    if (err)
        return err;
    for (size_t k = 0; k < i; k++)
        if (strcmp(c->nodes[k].name, node->name) == 0)
            return wrong(r, in, "nodes[%zu] is called \"%s\", as nodes[%zu] is; give each its own name", i,
                         node->name, k);
    return 0;
}

static int read_nodes(struct reader *r, const config_setting_t *root, struct node_config *c)
{
    const config_setting_t *nodes = config_setting_get_member(root, "nodes");
    int len = nodes ? config_setting_length(nodes) : 0;
    if (!nodes || !config_setting_is_list(nodes) || len < 1)
        return wrong(r, nodes,
                     "nodes is missing or not a list of groups; write nodes = ( { name = \"node1\"; amqp = "
                     "5672; http = 15672; peer = 25672; } );");
    if (len > LIMIT_NODES)
        return wrong(r, nodes, "nodes has %d groups; %d are the most; take some out", len, LIMIT_NODES);
    for (int i = 0; i < len; i++) {
        c->nodes_len = (size_t)i + 1;
        int err = read_node(r, config_setting_get_elem(nodes, (unsigned)i), (size_t)i, c);
        if (err)
            return err;
    }
    for (c->self = 0; c->self < c->nodes_len; c->self++)
        if (strcmp(c->nodes[c->self].name, c->name) == 0)
            return 0;
    return wrong(r, nodes,
                 "nodes has none called \"%s\" (given by --name); add it, or name one that is there",
                 c->name);
}

/* 40% of the machine's memory, as RabbitMQ's vm_memory_high_watermark */
static uint64_t default_memory_mb(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? ((uint64_t)pages * (uint64_t)size >> 20) * 2 / 5 : 1024;
}

static int read_partition_handling(struct reader *r, const config_setting_t *root, struct node_config *c)
{
    const config_setting_t *s = config_setting_get_member(root, "partition_handling");
    if (!s)
        return 0;
    const char *value = config_setting_get_string(s);
    if (!value || !partition_handling_parse(value, &c->partition_handling))
        return wrong(r, s,
                     "partition_handling is not \"ignore\", \"pause_minority\" or \"autoheal\"; write "
                     "partition_handling = \"ignore\";");
    return 0;
}

static int read_all(struct reader *r, const config_setting_t *root, struct node_config *c)
{
    uint64_t silence = DEFAULT_SILENCE_MS, memory_mb = default_memory_mb();
    double paging = DEFAULT_PAGING_RATIO;
    int err = read_nodes(r, root, c);
    if (!err)
        err = read_string(r, root, "user", &c->user);
    if (!err)
        err = read_string(r, root, "password", &c->password);
    if (!err)
        err = read_string(r, root, "secret", &c->secret);
    if (!err)
        err = read_number(r, root, "silence_ms", 100, 600000, &silence);
    if (!err)
        err = read_number(r, root, "memory_limit_mb", 16, 1u << 20, &memory_mb);
    if (!err)
        err = read_ratio(r, root, "memory_paging_ratio", &paging);
    if (!err)
        err = read_partition_handling(r, root, c);
    c->silence_ms = (unsigned)silence;
    c->memory_limit_bytes = memory_mb << 20;
    c->paging_bytes = (uint64_t)((double)c->memory_limit_bytes * paging);
    return err;
}

int node_config_read(struct node_config *c, const char *file, const char *name, const char *dir, char **error)
{
    *error = NULL;
    *c = (struct node_config){
        .name = xstrdup(name), .dir = xstrdup(dir), .user = xstrdup("admin"), .password = xstrdup("123")};
    struct reader r = {.file = file, .error = error};
    config_t parsed;
    config_init(&parsed);
    int err = 0;
    if (!config_read_file(&parsed, file)) {
        err = ERR_INVALID;
        if (config_error_type(&parsed) == CONFIG_ERR_FILE_IO)
            *error = format_text("%s: cannot be read; name the lab's lab.cfg with --config", file);
        else
            *error = format_text("%s:%d: %s; each setting is written key = value;", file,
                                 config_error_line(&parsed), config_error_text(&parsed));
    } else {
        err = read_all(&r, config_root_setting(&parsed), c);
    }
    config_destroy(&parsed);
    if (err)
        node_config_finish(c);
    return err;
}

void node_config_finish(struct node_config *c)
{
    for (size_t i = 0; i < c->nodes_len; i++) {
        free(c->nodes[i].name);
        free(c->nodes[i].host);
    }
    free(c->name);
    free(c->dir);
    free(c->user);
    free(c->password);
    free(c->secret);
    *c = (struct node_config){0};
}
