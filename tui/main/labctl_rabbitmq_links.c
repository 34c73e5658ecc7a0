/* labctl_rabbitmq_links.c: cut and heal on the rabbitmq engine, without a packet filter and its privileges.
 * Two nodes of RabbitMQ may be connected while each shows the other a secret that it expects, the Erlang
 * cookie. A node that is told another cookie for a peer lets no connection to it come about any more; so a
 * cut tells both ends of a link two cookies that do not match, and ends the connection that is there. Healing
 * is the lab's own cookie again.
 *
 * One rule: all links of one cut end in one breath, by one expression on one node. RabbitMQ takes what it
 * sees between two of them for a partial partition, and acts on it. */
#include <stdlib.h>
#include <string.h>

#include "lab/engine.h"
#include "lab/links.h"
#include "main/labctl.h"

static char *rabbit_name(const struct ctl *c, size_t node)
{
    return format_text("'%s@localhost'", c->lab.nodes[node].name);
}

static int eval(struct ctl *c, size_t node, const char *expression)
{
    const char *const words[] = {"--quiet", "-n", c->lab.nodes[node].name, "eval", expression, NULL};
    char *output = NULL;
    int code = engine_ctl(&c->lab, words, &output);
    if (code)
        fprintf(c->err, "%s", output);
    free(output);
    return code < 0 ? CTL_SOFTWARE : code;
}

/* An Erlang list of the peers in the set. */
static char *list_of(const struct ctl *c, unsigned peers)
{
    struct text t = {0};
    text_add(&t, "[");
    for (size_t i = 0; i < c->lab.nodes_len; i++) {
        char *name = rabbit_name(c, i);
        if (peers >> i & 1)
            text_printf(&t, "%s%s", t.len > 1 ? "," : "", name);
        free(name);
    }
    text_add(&t, "]");
    return t.s;
}

/* On one node, which tells its peers their half as long as it still reaches them. */
static int cut_at(struct ctl *c, size_t node, unsigned peers)
{
    char *list = list_of(c, peers);
    char *expression =
        format_text("L = %s, [begin erlang:set_cookie(P, cut_at_this_end), "
                    "rpc:call(P, erlang, set_cookie, [node(), cut_at_the_other_end]) end || P <- L], "
                    "[erlang:disconnect_node(P) || P <- L], ok.",
                    list);
    int rc = eval(c, node, expression);
    for (size_t i = 0; i < c->lab.nodes_len && rc == CTL_OK; i++)
        if (peers >> i & 1) {
            links_note(&c->lab, node, 1u << i, true);
            links_note(&c->lab, i, 1u << node, true);
        }
    free(expression);
    free(list);
    return rc;
}

static int heal_at(struct ctl *c, size_t node, unsigned peers)
{
    char *list = list_of(c, peers);
    char *expression = format_text("L = %s, [erlang:set_cookie(P, erlang:get_cookie()) || P <- L], "
                                   "[net_adm:ping(P) || P <- L], ok.",
                                   list);
    int rc = eval(c, node, expression);
    if (rc == CTL_OK)
        links_note(&c->lab, node, peers, false);
    free(expression);
    free(list);
    return rc;
}

/* The links of the verb's words, as one node sees them: to which peers. named: the nodes of the words. */
static unsigned peers_of(const struct ctl *c, size_t node, const size_t *named)
{
    unsigned others = ((1u << c->lab.nodes_len) - 1) & ~(1u << node);
    if (c->line.args.len == 0)
        return others;
    if (c->line.args.len == 1)
        return node == named[0] ? others : 1u << named[0];
    return node == named[0] ? 1u << named[1] : node == named[1] ? 1u << named[0] : 0;
}

/* Indices in the lab's nodes; false: one is none of them, which has been said. */
static bool find_named(struct ctl *c, size_t *named)
{
    for (size_t i = 0; i < c->line.args.len; i++) {
        const char *word = c->line.args.items[i];
        char *name = xstrndup(word, strcspn(word, "@"));
        int at = labdir_find_node(&c->lab, name);
        free(name);
        if (at < 0) {
            ctl_error(c, CTL_USAGE, "the lab %s has no node '%s'", c->lab.path, word);
            return false;
        }
        named[i] = (size_t)at;
    }
    return true;
}

int ctl_rabbitmq_links(struct ctl *c)
{
    bool cuts = strcmp(c->line.verb, "cut") == 0, told = false;
    size_t named[2] = {0, 0};
    int rc = ctl_check_words(c, ctl_find_verb(c->line.verb));
    if (rc != CTL_OK)
        return rc;
    if (ctl_option_on(&c->line, "one-way"))
        return ctl_error(
            c, CTL_UNAVAILABLE,
            "a cut one way is not possible on the rabbitmq engine: two of its nodes have one connection "
            "for both ways; cut it whole (labctl cut NODE NODE), or use the kit's engine (lab up "
            "--engine kit)");
    if (!find_named(c, named))
        return CTL_USAGE;
    for (size_t i = 0; i < c->lab.nodes_len && rc == CTL_OK; i++) {
        size_t node = (named[0] + i) % c->lab.nodes_len;
        unsigned peers = peers_of(c, node, named);
        if (!peers || !engine_node_alive(&c->lab, node))
            continue;
        rc = cuts ? cut_at(c, node, peers) : heal_at(c, node, peers);
        told = true;
        if (cuts && node == named[0])
            break; /* it has every link of the cut, and told the other ends */
    }
    return rc != CTL_OK || told
               ? rc
               : ctl_error(c, CTL_UNAVAILABLE, "none of these nodes has a process that could be told so");
}
