/* api.c: which path is answered by whom, and the way of a request: route, facts of all nodes, answer. */
#include <event2/http.h>
#include <string.h>

#include "host/api_private.h"

static const struct api_route routes[] = {
    {"overview", FACTS_QUEUES | FACTS_NODE | FACTS_CONNECTIONS | FACTS_CHANNELS | FACTS_CONSUMERS,
     SHAPE_OBJECT, overview_get},
    {"cluster-name", FACTS_NONE, SHAPE_OBJECT, cluster_name_get},
    {"nodes", FACTS_NODE, SHAPE_LIST, nodes_get},
    {"nodes/%", FACTS_NODE, SHAPE_OBJECT, node_get},
    {"events", FACTS_NONE, SHAPE_OBJECT, events_get},
    {"trace", FACTS_NONE, SHAPE_OBJECT, trace_get},
    {"aliveness-test/%v", FACTS_NONE, SHAPE_OBJECT, health_get},
    {"healthchecks/node", FACTS_NONE, SHAPE_OBJECT, health_get},

    {"queues", FACTS_QUEUES, SHAPE_LIST, queues_get},
    {"queues/%v", FACTS_QUEUES, SHAPE_LIST, queues_get},
    {"queues/%v/%", FACTS_QUEUES | FACTS_ONE_QUEUE | FACTS_CONSUMERS, SHAPE_OBJECT, queue_get,
     .put = queue_put, .delete = queue_delete},
    {"queues/%v/%/bindings", FACTS_NONE, SHAPE_LIST, queue_bindings_get},
    {"queues/%v/%/contents", .delete = queue_purge},
    {"queues/%v/%/actions", .post = queue_actions},
    {"queues/%v/%/get", .post = queue_messages},

    {"exchanges", FACTS_EXCHANGES, SHAPE_LIST, exchanges_get},
    {"exchanges/%v", FACTS_EXCHANGES, SHAPE_LIST, exchanges_get},
    {"exchanges/%v/%", FACTS_EXCHANGES, SHAPE_OBJECT, exchange_get, .put = exchange_put,
     .delete = exchange_delete},
    {"exchanges/%v/%/publish", .post = exchange_publish},
    {"exchanges/%v/%/bindings/source", FACTS_NONE, SHAPE_LIST, exchange_bindings_from_get},
    {"exchanges/%v/%/bindings/destination", FACTS_NONE, SHAPE_LIST, exchange_bindings_to_get},
    {"bindings", FACTS_NONE, SHAPE_LIST, bindings_get},
    {"bindings/%v", FACTS_NONE, SHAPE_LIST, bindings_get},
    {"bindings/%v/e/%/%/%", FACTS_NONE, SHAPE_LIST, bindings_between_get, .post = bindings_post},
    {"bindings/%v/e/%/%/%/%", FACTS_NONE, SHAPE_OBJECT, binding_get, .delete = binding_delete},

    {"connections", FACTS_CONNECTIONS, SHAPE_LIST, connections_get},
    {"vhosts/%v/connections", FACTS_CONNECTIONS, SHAPE_LIST, connections_get},
    {"connections/%", FACTS_CONNECTIONS, SHAPE_OBJECT, connection_get, .delete = connection_delete},
    {"channels", FACTS_CHANNELS, SHAPE_LIST, channels_get},
    {"vhosts/%v/channels", FACTS_CHANNELS, SHAPE_LIST, channels_get},
    {"channels/%", FACTS_CHANNELS | FACTS_CONSUMERS, SHAPE_OBJECT, channel_get},
    {"consumers", FACTS_CONSUMERS, SHAPE_LIST, consumers_get},
    {"consumers/%v", FACTS_CONSUMERS, SHAPE_LIST, consumers_get},

    {"policies", FACTS_NONE, SHAPE_LIST, policies_get},
    {"policies/%v", FACTS_NONE, SHAPE_LIST, policies_get},
    {"policies/%v/%", FACTS_NONE, SHAPE_OBJECT, policy_get, .put = policy_put, .delete = policy_delete},
    {"operator-policies", FACTS_NONE, SHAPE_LIST, nothing_get},
    {"operator-policies/%v", FACTS_NONE, SHAPE_LIST, nothing_get},
    {"parameters", FACTS_NONE, SHAPE_LIST, nothing_get},

    {"whoami", FACTS_NONE, SHAPE_OBJECT, whoami_get},
    {"users", FACTS_NONE, SHAPE_LIST, users_get},
    {"users/%", FACTS_NONE, SHAPE_OBJECT, user_get},
    {"vhosts", FACTS_QUEUES | FACTS_NODE | FACTS_CONNECTIONS, SHAPE_LIST, vhosts_get},
    {"vhosts/%v", FACTS_QUEUES | FACTS_NODE | FACTS_CONNECTIONS, SHAPE_OBJECT, vhost_get},
    {"permissions", FACTS_NONE, SHAPE_LIST, permissions_get},
    {"permissions/%v/%", FACTS_NONE, SHAPE_OBJECT, permission_get},
    {"definitions", FACTS_NONE, SHAPE_OBJECT, definitions_get},
    {"definitions/%v", FACTS_NONE, SHAPE_OBJECT, definitions_get},
};

struct api *api_create(struct node *n)
{
    struct api *a = xcalloc(1, sizeof(*a));
    a->node = n;
    a->rates = rates_create();
    node_on_query(n, facts_answer);
    return a;
}

/* ---- finding the route ---- */

/* The next word of a path, decoded; NULL at its end. An empty word at the very end ("/api/queues/") is none.
 */
static char *next_word(const char **path)
{
    if (!**path)
        return NULL;
    const char *end = strchrnul(*path, '/');
    char *raw = xstrndup(*path, (size_t)(end - *path));
    size_t len = 0;
    char *word = evhttp_uridecode(raw, 0, &len);
    free(raw);
    *path = *end ? end + 1 : end;
    if (word && strlen(word) != len) { /* a NUL in a name names nothing */
        free(word);
        return xstrdup("");
    }
    return word ? word : xstrdup("");
}

static bool path_fits(const char *pattern, const char *path, struct api_call *c)
{
    for (;;) {
        char *word = next_word(&path);
        size_t len = strcspn(pattern, "/");
        bool fits;
        if (!word || len == 0) {
            fits = !word && len == 0;
            free(word);
            return fits;
        }
        if (len == 1 && pattern[0] == '%') {
            fits = true;
            VEC_PUSH(&c->words, word);
        } else {
            fits = len == 2 && pattern[0] == '%' ? strcmp(word, "/") == 0
                                                 : strlen(word) == len && memcmp(word, pattern, len) == 0;
            free(word);
        }
        if (!fits)
            return false;
        pattern += len + (pattern[len] == '/');
    }
}

static void clear_words(struct api_call *c)
{
    for (size_t i = 0; i < c->words.len; i++)
        free(c->words.items[i]);
    c->words.len = 0;
}

static const struct api_route *find_route(const char *path, struct api_call *c)
{
    if (strncmp(path, "/api/", 5) != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (path_fits(routes[i].path, path + 5, c))
            return &routes[i];
        clear_words(c);
    }
    return NULL;
}

static void allowed_methods(const struct api_route *r, struct text *out)
{
    const struct {
        const char *name;
        bool there;
    } methods[] = {
        {"HEAD", r->get},  {"GET", r->get},       {"PUT", r->put},
        {"POST", r->post}, {"DELETE", r->delete}, {"OPTIONS", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (methods[i].there)
            text_printf(out, "%s%s", out->len ? ", " : "", methods[i].name);
    }
}

/* ---- the request's parts ---- */

static void parse_params(struct api_call *c, const char *query)
{
    while (query && *query) {
        const char *end = strchrnul(query, '&');
        const char *equals = memchr(query, '=', (size_t)(end - query));
        const char *name_end = equals ? equals : end;
        char *name = xstrndup(query, (size_t)(name_end - query));
        char *value = equals ? xstrndup(equals + 1, (size_t)(end - equals - 1)) : xstrdup("");
        struct api_param p = {.name = evhttp_uridecode(name, 1, NULL),
                              .value = evhttp_uridecode(value, 1, NULL)};
        free(name);
        free(value);
        if (p.name && p.value) {
            VEC_PUSH(&c->params, p);
        } else {
            free(p.name);
            free(p.value);
        }
        query = *end ? end + 1 : end;
    }
}

/* RabbitMQ takes a body that is empty for an object without keys, and nothing else but an object. */
static bool parse_body(struct api_call *c, struct bytes body)
{
    if (body.len == 0) {
        c->body = json_object();
        return true;
    }
    c->body = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(c->body))
        return true;
    json_decref(c->body);
    c->body = NULL;
    return false;
}

/* ---- GET: facts, then the answer ---- */

static void get_answer(struct api_call *c)
{
    if (!node_broker(c->node)) { /* stopped while the others were asked */
        call_answer(c, 503, api_error("app_stopped", "the app of this node was stopped"));
        return;
    }
    json_t *body = c->route->get(c);
    if (!body) {
        call_not_found(c);
        return;
    }
    body = c->route->shape == SHAPE_LIST ? list_view(c, body) : object_view(c, body);
    if (body)
        call_answer(c, 200, body);
}

static void peer_facts(void *arg, node_id peer, const char *answer)
{
    struct api_call *c = arg;
    if (peer != NODE_NONE) {
        if (c->api && peer < LIMIT_NODES && answer && !c->facts[peer]) {
            c->facts[peer] = json_loads(answer, 0, NULL);
            if (!json_is_object(c->facts[peer])) {
                json_decref(c->facts[peer]);
                c->facts[peer] = NULL;
            }
        }
        return;
    }
    c->waiting = false;
    if (c->api)
        get_answer(c);
    else
        call_answer(c, 0, NULL);
}

static void get_start(struct api_call *c)
{
    unsigned facts = c->route->facts;
    if (facts == FACTS_NONE) {
        get_answer(c);
        return;
    }
    const char *queue = facts & FACTS_ONE_QUEUE ? call_word(c, 0) : NULL;
    c->facts[mirror_view(call_mirror(c)).self] = facts_here(c->node, facts, queue);
    char *question = facts_question(facts, queue);
    c->waiting = true;
    node_query(c->node, question, FACTS_TIMEOUT_MS, peer_facts, c);
    free(question);
}

/* ---- the way in ---- */

static call_fn *route_method(const struct api_route *r, const char *method)
{
    if (r->get && (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0))
        return get_start;
    if (strcmp(method, "PUT") == 0)
        return r->put;
    if (strcmp(method, "POST") == 0)
        return r->post;
    if (strcmp(method, "DELETE") == 0)
        return r->delete;
    return NULL;
}

static void refuse_method(struct api_call *c, const char *method)
{
    struct text allow = {0};
    allowed_methods(c->route, &allow);
    struct api_answer answer = {.status = strcmp(method, "OPTIONS") == 0 ? 200 : 405,
                                .allow = text_str(&allow)};
    c->fn(c->arg, &answer);
    c->fn = NULL;
    text_finish(&allow);
    call_answer(c, 0, NULL);
}

void api_ask(struct api *a, const struct api_request *rq, api_answer_fn *fn, void *arg)
{
    struct api_call *c = xcalloc(1, sizeof(*c));
    *c = (struct api_call){
        .api = a, .node = a->node, .next = a->calls, .link = &a->calls, .fn = fn, .arg = arg};
    if (c->next)
        c->next->link = &c->next;
    a->calls = c;
    c->user = xstrdup(rq->user ? rq->user : "");
    c->tags = xstrdup(rq->tags ? rq->tags : "");
    c->local = rq->local;

    c->route = find_route(rq->path, c);
    if (!c->route) {
        call_not_found(c);
        return;
    }
    call_fn *method = route_method(c->route, rq->method);
    if (!method) {
        refuse_method(c, rq->method);
        return;
    }
    if (!node_broker(c->node)) {
        call_answer(c, 503, api_error("app_stopped", "the app of this node is stopped"));
        return;
    }
    parse_params(c, rq->query);
    if (!parse_body(c, rq->body)) {
        call_bad(c, "not_json");
        return;
    }
    method(c);
}
