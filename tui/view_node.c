/* view_node.c: all about the selected node, as the management UI has it. A node's own figures come from
 * itself; of one that does not answer, only what others say of it is shown, and when it last spoke. */
#include <stdio.h>
#include <stdlib.h>

#include "apart.h"
#include "view.h"
#include "words.h"

static void state(struct page *p, const struct model *m, const struct node_seen *n)
{
    const struct snapshot *s = m->snapshot;
    struct text up = {0}, down = {0};
    char age[32];
    for (size_t i = 0; i < s->nodes_len; i++) {
        node_bits bit = (node_bits)1 << i;
        if (n->said_up_by & bit)
            text_printf(&up, "%s%s", up.len ? ", " : "", s->nodes[i].name);
        if (n->said_down_by & bit)
            text_printf(&down, "%s%s", down.len ? ", " : "", s->nodes[i].name);
    }
    enum style style = n->state == NODE_UP ? STYLE_FINE : STYLE_DOWN;
    if (up.len && down.len)
        page_field(p, _("running"), style, _("yes, say %s; no, say %s"), up.s, down.s);
    else if (up.len)
        page_field(p, _("running"), style, _("yes, say %s"), up.s);
    else if (down.len)
        page_field(p, _("running"), style, _("no, say %s"), down.s);
    else
        page_field(p, _("running"), style, "%s", _("nobody says"));
    if (n->answers)
        page_field(p, _("answers"), STYLE_FINE, "%s", _("yes"));
    else {
        char *why = told_words(n->error ? n->error : "?");
        page_field(p, _("answers"), STYLE_DOWN, _("no: %s; last %s ago"), why,
                   n->answered_at && m->now > n->answered_at
                       ? seconds_text((int64_t)(m->now - n->answered_at), age)
                       : "?");
        free(why);
    }
    char *apart = apart_of_node(m, (int)(n - s->nodes));
    if (apart)
        page_field(p, _("partitioned"), STYLE_DOWN, "%s", apart);
    else
        page_field(p, _("partitioned"), STYLE_NORMAL, "%s", n->answers ? _("no") : "?");
    free(apart);
    text_finish(&up);
    text_finish(&down);
}

/* RabbitMQ goes on listing a link to one that stopped, with rates of nothing. */
static bool does_not_run(const struct snapshot *s, const char *name)
{
    char *node = xstrndup(name, strcspn(name, "@"));
    const struct node_seen *n = snapshot_node(s, node);
    free(node);
    return n && n->state == NODE_NOT_RUNNING;
}

static void links(struct page *p, const struct snapshot *s, const json_t *o)
{
    const json_t *list = json_object_get(o, "cluster_links"), *entry;
    struct text t = {0};
    size_t i;
    json_array_foreach(list, i, entry)
    {
        const char *name = detail_text(entry, "name");
        double in = detail_rate(json_object_get(entry, "stats"), "recv_bytes"),
               out = detail_rate(json_object_get(entry, "stats"), "send_bytes");
        text_printf(&t, "%s%.*s", t.len ? ", " : "", (int)strcspn(name ? name : "?", "@"), name ? name : "?");
        if (name && does_not_run(s, name))
            text_printf(&t, " (%s)", _("not running"));
        else if (in >= 0 && out >= 0)
            text_printf(&t, _(" (%.0f bytes/s in, %.0f out)"), in, out);
        else if (in >= 0)
            text_printf(&t, _(" (%.0f bytes/s in)"), in);
    }
    if (list)
        page_field(p, _("links to"), STYLE_NORMAL, "%s", t.len ? t.s : _("none"));
    text_finish(&t);
}

/* a list of words, or one word (RabbitMQ 3.10 tells of one log in either way); no row for an empty one */
static void words(struct page *p, const char *name, const json_t *list)
{
    struct text t = {0};
    const json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry)
    {
        const char *word = json_string_value(entry);
        text_printf(&t, "%s%s", t.len ? ", " : "", word ? word : "?");
    }
    if (json_is_string(list))
        text_add(&t, json_string_value(list));
    if (t.len)
        page_field(p, name, STYLE_NORMAL, "%s", t.s);
    text_finish(&t);
}

/* its machine and its files */
static void system_of(struct page *p, const json_t *o)
{
    const char *process = detail_text(o, "os_pid");
    char cores[24], used[24], total[24], queue[24];
    if (process)
        page_field(p, _("process"), STYLE_NORMAL, _("%s, on %s processors"), process,
                   count_text(detail_count(o, "processors"), cores));
    if (detail_count(o, "proc_total") >= 0)
        page_field(p, _("Erlang"), STYLE_NORMAL, _("%s of %s processes; %s wait to run"),
                   count_text(detail_count(o, "proc_used"), used),
                   count_text(detail_count(o, "proc_total"), total),
                   count_text(detail_count(o, "run_queue"), queue));
    words(p, _("data in"), json_object_get(o, "db_dir"));
    words(p, _("log"), json_object_get(o, "log_files"));
    words(p, _("config"), json_object_get(o, "config_files"));
    words(p, _("plugins"), json_object_get(o, "enabled_plugins"));
}

/* what came and went since it started */
static void churn(struct page *p, const json_t *o)
{
    static const char *const keys[] = {"connection_created", "connection_closed", "channel_created",
                                       "channel_closed",     "queue_declared",    "queue_created",
                                       "queue_deleted"};
    char n[ARRAY_LEN(keys)][24];
    bool told = false;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        count_text(detail_count(o, keys[i]), n[i]);
        told = told || detail_count(o, keys[i]) >= 0;
    }
    if (told)
        page_field(p, _("so far"), STYLE_NORMAL,
                   _("connections %s opened, %s closed; channels %s opened, %s closed; queues %s "
                     "declared, %s new, %s deleted"),
                   n[0], n[1], n[2], n[3], n[4], n[5], n[6]);
}

static void disk(struct page *p, const json_t *o)
{
    bool alarm = json_is_true(json_object_get(o, "disk_free_alarm"));
    char at[32], limit[32], reads[24], writes[24];
    int64_t least = detail_count(o, "disk_free_limit");
    const char *waits = alarm ? _("  ALARM: publishers wait") : "";
    enum style style = alarm ? STYLE_DOWN : STYLE_NORMAL;
    bytes_text(detail_count(o, "disk_free"), at);
    if (least >= 0)
        page_field(p, _("disk"), style, _("%s free, at least %s needed%s"), at, bytes_text(least, limit),
                   waits);
    else
        page_field(p, _("disk"), style, _("%s free%s"), at, waits);
    if (detail_count(o, "io_sync_count") >= 0 && detail_count(o, "io_write_count") >= 0)
        page_field(p, _("disk syncs"), STYLE_NORMAL, _("%s; reads %s, writes %s"),
                   count_text(detail_count(o, "io_sync_count"), at),
                   count_text(detail_count(o, "io_read_count"), reads),
                   count_text(detail_count(o, "io_write_count"), writes));
    else if (detail_count(o, "io_sync_count") >= 0)
        page_field(p, _("disk syncs"), STYLE_NORMAL, "%s", count_text(detail_count(o, "io_sync_count"), at));
}

static void figures(struct page *p, const struct snapshot *s, const json_t *o)
{
    char a[32], b[32];
    if (!o)
        return;
    page_field(p, _("uptime"), STYLE_NORMAL, "%s", seconds_text(detail_count(o, "uptime"), a));
    page_field(p, _("memory"), json_is_true(json_object_get(o, "mem_alarm")) ? STYLE_DOWN : STYLE_NORMAL,
               _("%s of %s%s"), bytes_text(detail_count(o, "mem_used"), a),
               bytes_text(detail_count(o, "mem_limit"), b),
               json_is_true(json_object_get(o, "mem_alarm")) ? _("  ALARM: publishers wait") : "");
    disk(p, o);
    count_text(detail_count(o, "fd_used"), a);
    count_text(detail_count(o, "fd_total"), b);
    if (detail_count(o, "sockets_total") >= 0) {
        char c[24], d[24];
        page_field(p, _("files"), STYLE_NORMAL, _("%s of %s descriptors; sockets %s of %s"), a, b,
                   count_text(detail_count(o, "sockets_used"), c),
                   count_text(detail_count(o, "sockets_total"), d));
    } else {
        page_field(p, _("files"), STYLE_NORMAL, _("%s of %s descriptors"), a, b);
    }
    const char *type = detail_text(o, "type");
    page_field(p, _("type"), STYLE_NORMAL, "%s", type ? type : "?");
    system_of(p, o);
    churn(p, o);
    links(p, s, o);
}

/* What the node's copy has in it: of one that answers, what it says itself; of one that does not, what was so
 * while it did. New, the caller frees it. */
static char *copy_text(const struct model *m, const struct queue_seen *q, int node, char letter)
{
    const struct away *past = model_past(m, q->name);
    const struct side_seen *side = queue_seen_side(q, node);
    int64_t now = side ? side->messages : q->messages, was = past ? past->told[node] : -1;
    bool answers = m->snapshot->nodes[node].answers, served = letter != '!' && now >= 0;
    bool was_master = q->master == node || (past && (past->masters & ((node_bits)1 << node)));
    char count[24];
    if (letter == '?')
        return xstrdup(_("has it a copy? nobody can say"));
    if (answers && letter == 'u' && q->sync_messages >= 0)
        return format_text(_("%s copied, not in sync"), count_text(q->sync_messages, count));
    if (answers && letter == 'u')
        return xstrdup(_("not in sync"));
    if (answers && served)
        return xstrdup(count_text(now, count));
    if (was < 0 && q->master == node)
        was = q->was_messages; /* an earlier screen's, or of before the screen was opened */
    if (was < 0)
        return xstrdup("?");
    return letter == '!' ? format_text(_("? (was %s, %s)"), was_master ? "M" : "m", count_text(was, count))
                         : format_text(_("? (was %s)"), count_text(was, count));
}

static void queues(struct page *p, const struct model *m, int node)
{
    const struct snapshot *s = m->snapshot;
    size_t masters = 0, mirrors = 0, away = 0, unknown = 0;
    enum style style;
    for (size_t i = 0; i < s->queues_len; i++) {
        char letter = copy_letter(m, &s->queues[i], node, &style);
        masters += letter == 'M';
        mirrors += letter == 'm' || letter == 'u';
        away += letter == '!';
        unknown += letter == '?';
    }
    if (away)
        page_field(p, _("queues"), STYLE_DOWN, _("master of %zu, mirror of %zu; copies away with it: %zu"),
                   masters, mirrors, away);
    else if (unknown && !masters && !mirrors)
        page_field(p, _("queues"), STYLE_DOWN, "?");
    else
        page_field(p, _("queues"), STYLE_NORMAL, _("master of %zu, mirror of %zu"), masters, mirrors);
    for (size_t i = 0; i < s->queues_len; i++) {
        const struct queue_seen *q = &s->queues[i];
        char letter = copy_letter(m, q, node, &style);
        char *text = letter == '.' ? NULL : copy_text(m, q, node, letter);
        if (text)
            page_line(p, 14, style, "%c %s  %s", letter, q->name, text);
        free(text);
    }
}

static const char *word_of(const struct node_seen *n)
{
    switch (n->state) {
    case NODE_UP: return n->answers ? _("UP") : _("NO ANSWER");
    case NODE_NOT_RUNNING: return _("NOT RUNNING");
    case NODE_UNKNOWN: return _("UNKNOWN");
    }
    return "?";
}

static void fill(struct page *p, const struct model *m)
{
    const struct snapshot *s = m->snapshot;
    if (m->node >= (int)s->nodes_len)
        return;
    const struct node_seen *n = &s->nodes[m->node];
    const json_t *o = json_object_get(json_object_get(s->details, "nodes"), n->name);
    char *title = format_text(_("Node %s "), n->name);
    page_title(p, title, word_of(n));
    free(title);
    state(p, m, n);
    figures(p, m->snapshot, o);
    page_clients(p, m, n);
    queues(p, m, m->node);
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    page_show(m, c, r, fill);
}

static void settle(struct model *m, struct canvas *c, struct rect r)
{
    page_settle(m, c, r, fill);
}

static bool request(struct model *m, enum request request, enum effect *effect)
{
    if (request != REQUEST_DETAIL)
        return false;
    *effect = model_show(m, VIEW_CLUSTER);
    return true;
}

const struct view_ops view_node = {.name = N_("Node"), .draw = draw, .request = request, .settle = settle};
