/* api_connections.c: /api/connections, /api/channels, /api/consumers: lists that each node makes of its own
 * clients, put one behind the other. */
#include <string.h>

#include "host/api_private.h"

static json_t *all_of(struct api_call *c, const char *kind)
{
    json_t *all = json_array();
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        json_t *list = json_object_get(c->facts[n], kind);
        if (json_is_array(list))
            json_array_extend(all, list);
    }
    return all;
}

/* Takes the list. */
static json_t *one_of(json_t *list, const char *name)
{
    json_t *found = NULL;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) {
        json_t *item = json_array_get(list, i);
        const char *its = json_string_value(json_object_get(item, "name"));
        if (its && strcmp(its, name) == 0)
            found = json_incref(item);
    }
    json_decref(list);
    return found;
}

/* ---- connections ---- */

static ms_time now_of_node(struct api_call *c, const char *name)
{
    for (size_t n = 0; n < LIMIT_NODES; n++) {
        const char *its = json_string_value(json_object_get(c->facts[n], "node"));
        if (its && name && strcmp(its, name) == 0)
            return (ms_time)json_integer_value(json_object_get(c->facts[n], "now"));
    }
    return 0;
}

static void set_connection_rates(struct api_call *c, json_t *connection)
{
    const char *node = json_string_value(json_object_get(connection, "node"));
    const char *name = json_string_value(json_object_get(connection, "name"));
    const int64_t figures[2] = {json_integer_value(json_object_get(connection, "recv_oct")),
                                json_integer_value(json_object_get(connection, "send_oct"))};
    double rate[2];
    char *key = format_text("connection/%s/%s", node ? node : "", name ? name : "");
    if (rates_note(c->api->rates, key, now_of_node(c, node), figures, 2, 2, rate)) {
        set_rate(connection, "recv_oct", rate[0]);
        set_rate(connection, "send_oct", rate[1]);
    }
    free(key);
}

json_t *connections_get(struct api_call *c)
{
    json_t *all = all_of(c, "connections");
    for (size_t i = 0; i < json_array_size(all); i++)
        set_connection_rates(c, json_array_get(all, i));
    return all;
}

json_t *connection_get(struct api_call *c)
{
    return one_of(connections_get(c), call_word(c, 0));
}

/* Any node closes any connection: the others are told to close it if it is theirs. */
static void connection_closed(void *arg, node_id peer, const char *answer)
{
    struct api_call *c = arg;
    if (peer != NODE_NONE) {
        json_t *json = answer ? json_loads(answer, 0, NULL) : NULL;
        if (json_is_true(json_object_get(json, "closed")))
            json_object_set_new(c->body, "was closed", json_true());
        json_decref(json);
        return;
    }
    c->waiting = false;
    if (c->api && !json_object_get(c->body, "was closed"))
        call_not_found(c);
    else
        call_answer(c, 204, NULL);
}

void connection_delete(struct api_call *c)
{
    const char *reason = json_string_value(json_object_get(c->body, "reason"));
    if (!reason)
        reason = "Closed via management plugin";
    if (facts_close_connection(c->node, call_word(c, 0), reason)) {
        call_answer(c, 204, NULL);
        return;
    }
    json_t *question = json_pack("{s:s, s:s}", "close", call_word(c, 0), "reason", reason);
    char *text = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    c->waiting = true;
    node_query(c->node, text, FACTS_TIMEOUT_MS, connection_closed, c);
    free(text);
}

/* ---- channels and consumers ---- */

json_t *channels_get(struct api_call *c)
{
    return all_of(c, "channels");
}

json_t *channel_get(struct api_call *c)
{
    json_t *channel = one_of(channels_get(c), call_word(c, 0));
    if (!channel)
        return NULL;
    json_t *mine = json_array(), *all = all_of(c, "consumers");
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *consumer = json_array_get(all, i);
        const char *name =
            json_string_value(json_object_get(json_object_get(consumer, "channel_details"), "name"));
        if (name && strcmp(name, call_word(c, 0)) == 0)
            json_array_append(mine, consumer);
    }
    json_decref(all);
    json_object_set_new(channel, "consumer_details", mine);
    return channel;
}

json_t *consumers_get(struct api_call *c)
{
    return all_of(c, "consumers");
}
