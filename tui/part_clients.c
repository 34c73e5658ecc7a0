/* part_clients.c: on a node's page its clients: each connection, and under it its channels, as the management
 * UI's pages of both have them. What a node does not tell has no place on them. */
#include <stdlib.h>

#include "view.h"
#include "words.h"

/* the entry is this node's: RabbitMQ's are called NAME@HOST */
static bool is_of(const json_t *entry, const struct node_seen *n)
{
    const char *node = detail_text(entry, "node");
    size_t len = strlen(n->name);
    return node && strncmp(node, n->name, len) == 0 && (node[len] == '\0' || node[len] == '@');
}

static void add(struct text *t, const char *part)
{
    text_printf(t, "%s%s", t->len ? ",  " : "", part);
}

/* where the count is told */
static void add_count(struct text *t, const char *format, const json_t *o, const char *key)
{
    char count[24];
    if (detail_count(o, key) < 0)
        return;
    char *part = format_text(format, count_text(detail_count(o, key), count));
    add(t, part);
    free(part);
}

static void add_rate(struct text *t, const char *format, const json_t *stats, const char *key)
{
    double rate = detail_rate(stats, key);
    if (rate < 0)
        return;
    char *part = format_text(format, rate);
    add(t, part);
    free(part);
}

/* "channel 1: confirms,  running,  consumers 0,  prefetch 10,  ..." */
static void channel(struct page *p, const json_t *o)
{
    struct text t = {0};
    char number[24];
    const char *state = detail_text(o, "state");
    const json_t *stats = json_object_get(o, "message_stats");
    if (json_is_true(json_object_get(o, "confirm")))
        add(&t, _("confirms"));
    if (json_is_true(json_object_get(o, "transactional")))
        add(&t, _("transactional"));
    if (state)
        add(&t, state);
    add_count(&t, _("consumers %s"), o, "consumer_count");
    add_count(&t, _("prefetch %s"), o, "prefetch_count");
    if (detail_count(o, "global_prefetch_count") > 0)
        add_count(&t, _("of all %s"), o, "global_prefetch_count");
    add_count(&t, _("unacknowledged %s"), o, "messages_unacknowledged");
    add_count(&t, _("unconfirmed %s"), o, "messages_unconfirmed");
    if (json_is_true(json_object_get(o, "transactional")))
        add_count(&t, _("uncommitted %s"), o, "messages_uncommitted");
    add_rate(&t, _("publish %.1f/s"), stats, "publish");
    add_rate(&t, _("confirm %.1f/s"), stats, "confirm");
    add_rate(&t, _("out %.1f/s"), stats, "deliver_get");
    add_rate(&t, _("ack %.1f/s"), stats, "ack");
    page_field(p, "", STYLE_DIM, _("  channel %s: %s"), count_text(detail_count(o, "number"), number),
               text_str(&t));
    text_finish(&t);
}

static void channels(struct page *p, const json_t *list, const char *connection)
{
    const json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        const char *name = detail_text(json_object_get(entry, "connection_details"), "name");
        if (name && connection && strcmp(name, connection) == 0)
            channel(p, entry);
    }
}

/* For how long, in which protocol and limits, and with what: librabbitmq 0.11.0 'a name of its own'. */
static void manner(struct page *p, const json_t *o, int64_t now_wall_ms)
{
    struct text t = {0};
    const json_t *client = json_object_get(o, "client_properties");
    const char *protocol = detail_text(o, "protocol"), *how = detail_text(o, "auth_mechanism");
    const char *product = detail_text(client, "product"), *version = detail_text(client, "version");
    const char *named = detail_text(client, "connection_name");
    int64_t at = detail_count(o, "connected_at");
    if (at >= 0 && at <= now_wall_ms) {
        char age[32], *since = format_text(_("for %s"), seconds_text(now_wall_ms - at, age));
        add(&t, since);
        free(since);
    }
    if (protocol)
        add(&t, protocol);
    if (json_is_true(json_object_get(o, "ssl")))
        add(&t, "TLS");
    if (how)
        add(&t, how);
    add_count(&t, _("heartbeat %s s"), o, "timeout");
    add_count(&t, _("frames up to %s B"), o, "frame_max");
    add_count(&t, _("channels up to %s"), o, "channel_max");
    if (product) {
        char *with = format_text("%s%s%s", product, version ? " " : "", version ? version : "");
        add(&t, with);
        free(with);
    }
    if (named) {
        char *own = format_text("'%s'", named);
        add(&t, own);
        free(own);
    }
    if (t.len)
        page_field(p, "", STYLE_DIM, "  %s", t.s);
    text_finish(&t);
}

static void connection(struct page *p, const json_t *o, int64_t now_wall_ms)
{
    const char *name = detail_text(o, "name"), *user = detail_text(o, "user"),
               *word = detail_text(o, "state");
    char count[24], in[24], out[24];
    page_field(p, "", STYLE_DIM, _("%s  %s  %s  channels %s  in %s/s, out %s/s"), name ? name : "?",
               user ? user : "?", word ? word : "?", count_text(detail_count(o, "channels"), count),
               bytes_text((int64_t)detail_rate(o, "recv_oct"), in),
               bytes_text((int64_t)detail_rate(o, "send_oct"), out));
    manner(p, o, now_wall_ms);
}

void page_clients(struct page *p, const struct model *m, const struct node_seen *n)
{
    const json_t *list = json_object_get(m->snapshot->details, "connections"), *entry;
    size_t i, here = 0;
    if (!n->answers && n->connections >= 0)
        page_field(p, _("connections"), STYLE_DOWN, _("? (was %lld)"), (long long)n->connections);
    else if (!n->answers)
        page_field(p, _("connections"), STYLE_DOWN, "?");
    if (!list || !n->answers)
        return;
    json_array_foreach(list, i, entry) here += is_of(entry, n);
    page_field(p, _("connections"), STYLE_NORMAL, "%zu", here);
    json_array_foreach(list, i, entry)
    {
        if (!is_of(entry, n))
            continue;
        connection(p, entry, m->snapshot->taken_wall_ms);
        channels(p, json_object_get(m->snapshot->details, "channels"), detail_text(entry, "name"));
    }
}
