/* test_fields.c: every field that RabbitMQ 3.10.8's management API showed (recorded/samples.json) is shown by
 * a node of the kit in the same place and of the same JSON type, or is in `omitted` with the reason. What is
 * in `omitted` is really not there: the list cannot rot. */
#include "tests/cluster/test.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct lab lab;

#define ERLANG  "a figure of the Erlang machine: there is none"
#define UNKNOWN "not measured; an invented number would be worse than none"
#define NO_SUCH "the kit has no such thing"

static const struct {
    const char *sample, *field, *why;
} omitted[] = {
    {"*", "garbage_collection", ERLANG},
    {"*", "reductions", ERLANG},
    {"*", "reductions_details", ERLANG},
    {"*", "idle_since", UNKNOWN},
    {"*", "backing_queue_status", "how RabbitMQ's queue process keeps its messages"},
    {"*", "consumer_capacity", UNKNOWN},
    {"*", "consumer_utilisation", UNKNOWN},
    {"*", "head_message_timestamp", UNKNOWN},
    {"*", "memory", UNKNOWN},
    {"*", "message_bytes_persistent", UNKNOWN},
    {"queue", "deliveries", "not counted by channel"},
    {"queue", "incoming", "not counted by exchange"},
    {"queue after a get", "message_stats.deliver_no_ack",
     "a queue's master does not know who acknowledges by itself"},
    {"queue after a get", "message_stats.deliver_no_ack_details", "as above"},
    {"queue after a get", "message_stats.get_no_ack", "as above"},
    {"queue after a get", "message_stats.get_no_ack_details", "as above"},
    {"queue after a get", "message_stats.get_empty", "an empty get is counted by its node, see overview"},
    {"queue after a get", "message_stats.get_empty_details", "as above"},
    {"connection", "send_pend", UNKNOWN},
    {"channel", "pending_raft_commands", NO_SUCH},
    {"overview", "erlang_full_version", ERLANG},
    {"overview", "erlang_version", ERLANG},
    {"overview", "contexts.cowboy_opts", "of RabbitMQ's HTTP server"},
    {"overview", "contexts.ssl_opts", NO_SUCH},
    {"overview", "listeners.socket_opts.backlog", "not configurable"},
    {"overview", "listeners.socket_opts.exit_on_close", ERLANG},
    {"overview", "listeners.socket_opts.linger", "not configurable"},
    {"overview", "listeners.socket_opts.nodelay", "not configurable"},
    {"overview", "message_stats.disk_reads", UNKNOWN},
    {"overview", "message_stats.disk_reads_details", UNKNOWN},
    {"overview", "message_stats.disk_writes", UNKNOWN},
    {"overview", "message_stats.disk_writes_details", UNKNOWN},
    {"overview", "release_series_support_status", NO_SUCH},
    {"overview", "sample_retention_policies", "rates are of the last seconds; nothing is kept longer"},
    {"overview", "statistics_db_event_queue", ERLANG},
    {"node", "cluster_links.recv_bytes", UNKNOWN},
    {"node", "cluster_links.send_bytes", UNKNOWN},
    {"node", "cluster_links.sock_addr", UNKNOWN},
    {"node", "cluster_links.sock_port", UNKNOWN},
    {"node", "cluster_links.stats", UNKNOWN},
    {"node", "config_files", "the lab's configuration is the lab's, not the node's"},
    {"node", "context_switches", UNKNOWN},
    {"node", "context_switches_details", UNKNOWN},
    {"node", "contexts.cowboy_opts", "of RabbitMQ's HTTP server"},
    {"node", "disk_free_alarm", "the node stops when the disk is full, with a message"},
    {"node", "disk_free_limit", "as above"},
    {"node", "gc_bytes_reclaimed", ERLANG},
    {"node", "gc_bytes_reclaimed_details", ERLANG},
    {"node", "gc_num", ERLANG},
    {"node", "gc_num_details", ERLANG},
    {"node", "io_*", "only syncs are counted (io_sync_count)"},
    {"node", "metrics_gc_queue_length", ERLANG},
    {"node", "mnesia_*", "RabbitMQ's database"},
    {"node", "msg_store_*", "RabbitMQ's message store"},
    {"node", "net_ticktime", ERLANG},
    {"node", "proc_*", ERLANG},
    {"node", "queue_index_*", "RabbitMQ's queue index"},
    {"node", "ra_open_file_metrics", NO_SUCH},
    {"node", "run_queue", ERLANG},
    {"node", "sockets_*", "counted among fd_used"},
    {"vhost", "recv_oct", UNKNOWN},
    {"vhost", "recv_oct_details", UNKNOWN},
    {"vhost", "send_oct", UNKNOWN},
    {"vhost", "send_oct_details", UNKNOWN},
    {"user", "hashing_algorithm", "passwords and hashes are not shown"},
    {"user", "password_hash", "as above"},
    {"definitions", "users.hashing_algorithm", "as above"},
    {"definitions", "users.password_hash", "as above"},
    {"definitions", "global_parameters.name", "there are none"},
    {"definitions", "global_parameters.value", "there are none"},
};

static bool fits(const char *pattern, const char *text)
{
    size_t len = strlen(pattern);
    if (len && pattern[len - 1] == '*')
        return strncmp(pattern, text, len - 1) == 0;
    return strcmp(pattern, text) == 0;
}

static const char *why_omitted(const char *sample, const char *path)
{
    if (strcmp(sample, "node") == 0 && strncmp(path, "io_sync_count", 13) == 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(omitted); i++) {
        if (fits(omitted[i].sample, sample) && fits(omitted[i].field, path))
            return omitted[i].why;
    }
    return NULL;
}

/* ---- comparing ---- */

static const json_t *inner(const json_t *json)
{
    return json_is_array(json) ? json_array_get(json, 0) : json;
}

static bool same_type(const json_t *a, const json_t *b)
{
    if (json_is_null(a) || json_is_null(b)) /* a value that is there now and was not then, or the other way */
        return true;
    return json_typeof(a) == json_typeof(b) || (json_is_number(a) && json_is_number(b)) ||
           (json_is_boolean(a) && json_is_boolean(b));
}

/* What clients and policies are made of is theirs, not the API's. */
static bool is_free_form(const char *key)
{
    return strcmp(key, "client_properties") == 0 || strcmp(key, "effective_policy_definition") == 0 ||
           strcmp(key, "definition") == 0 || strcmp(key, "cluster_state") == 0 ||
           strcmp(key, "arguments") == 0;
}

/* Counts the fields of `was` that are wrong in `is`. */
static unsigned compare(const char *sample, const char *prefix, const json_t *was, const json_t *is)
{
    unsigned wrong = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)was, key, value)
    {
        char *path = format_text("%s%s%s", prefix, *prefix ? "." : "", key);
        const json_t *ours = json_object_get(is, key);
        const char *why = why_omitted(sample, path);
        if ((ours == NULL) != (why != NULL)) {
            print_error("%s: %s is %s\n", sample, path,
                        ours ? "there, and in the list of what is omitted" : "missing");
            wrong++;
        } else if (ours && !same_type(value, ours)) {
            print_error("%s: %s is of another type\n", sample, path);
            wrong++;
        } else if (ours && !is_free_form(key) && json_is_object(inner(value)) &&
                   json_is_object(inner(ours))) {
            wrong += compare(sample, path, inner(value), inner(ours));
        }
        free(path);
    }
    return wrong;
}

/* ---- a cluster with something of everything ---- */

static amqp_connection_state_t consumer;

static bool amqp_ok(amqp_rpc_reply_t reply)
{
    return reply.reply_type == AMQP_RESPONSE_NORMAL;
}

static void start_consumer(void)
{
    consumer = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(consumer);
    assert_int_equal(amqp_socket_open(socket, "127.0.0.1", lab_amqp(&lab, 3)), 0);
    assert_true(amqp_ok(amqp_login(consumer, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "admin", "123")));
    amqp_channel_open(consumer, 1);
    assert_true(amqp_ok(amqp_get_rpc_reply(consumer)));
    amqp_basic_consume(consumer, 1, amqp_cstring_bytes("work"), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
    assert_true(amqp_ok(amqp_get_rpc_reply(consumer)));
}

static void put(const char *method, const char *path, const char *body, int status)
{
    struct text answer = {0};
    int is = http_ask(lab_http(&lab, 1), method, path, body, 10000, &answer);
    if (is != status)
        print_error("%s %s: %d %s\n", method, path, is, text_str(&answer));
    assert_int_equal(is, status);
    text_finish(&answer);
}

#define MESSAGE(key)                                                                                         \
    "{\"properties\":{},\"routing_key\":\"" key                                                              \
    "\",\"payload\":\"Hello World\",\"payload_encoding\":\"string\"}"

/* Nobody counts as gone because this machine is busy: a frozen node stays of the cluster. */
static int up(void **state)
{
    (void)state;
    struct text out = {0};
    char file[PATH_MAX + 16];
    if (!lab_init(&lab, 3))
        return -1;
    snprintf(file, sizeof(file), "%s/patient.cfg", lab.dir);
    FILE *f = fopen(file, "we");
    bool written = f && fputs("engine = \"kit\";\nsilence_ms = 60000;\n", f) >= 0;
    written = f && fclose(f) == 0 && written;
    if (!written || !lab_up(&lab, NULL, file, &out)) {
        print_error("lab up: %s\n", text_str(&out));
        text_finish(&out);
        lab_finish(&lab);
        return -1;
    }
    text_finish(&out);
    put("PUT", "/api/policies/%2F/mirror-policy",
        "{\"pattern\":\"^mirrior\",\"definition\":{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":"
        "\"automatic\"},\"apply-to\":\"queues\"}",
        201);
    put("PUT", "/api/queues/%2F/mirrior_hello", "{\"durable\":true}", 201);
    put("PUT", "/api/queues/%2F/work", "{\"durable\":true}", 201);
    put("PUT", "/api/queues/%2F/got", "{}", 201);
    put("PUT", "/api/exchanges/%2F/mine", "{\"durable\":true}", 201);
    put("POST", "/api/bindings/%2F/e/mine/q/work", "{\"routing_key\":\"k\"}", 201);
    put("POST", "/api/exchanges/%2F/amq.default/publish", MESSAGE("mirrior_hello"), 200);
    put("POST", "/api/exchanges/%2F/amq.default/publish", MESSAGE("got"), 200);
    put("POST", "/api/queues/%2F/got/get",
        "{\"count\":1,\"ackmode\":\"ack_requeue_false\",\"encoding\":\"auto\"}", 200);
    start_consumer();
    return 0;
}

static int down(void **state)
{
    (void)state;
    amqp_destroy_connection(consumer);
    return test_lab_down(&lab);
}

/* ---- looking ---- */

struct look {
    const char *sample, *path, *name; /* name: which of a list; NULL: the first, or the object itself */
    const char *rate; /* a field that shows that rates are known, "message_stats.publish_details"; NULL: none
                         needed */
    const char *also; /* and one more: each node's figures have rates by that node's clock */
    json_t *is;
};

static bool has_path(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t len = strcspn(path, ".");
        char *key = xstrndup(path, len);
        json = json_object_get(json, key);
        free(key);
        path += len + (path[len] == '.');
    }
    return json != NULL;
}

/* Rates are known once a node was asked twice: wait for them, as a client that polls does. */
static bool seen(void *arg)
{
    struct look *l = arg;
    json_decref(l->is);
    json_t *answer = http_json(lab_http(&lab, 1), l->path);
    l->is = json_is_array(answer) ? NULL : json_incref(answer);
    size_t i;
    json_t *item;
    if (json_is_array(answer)) {
        json_array_foreach(answer, i, item)
        {
            const char *name = json_string_value(json_object_get(item, "name"));
            if (!l->is && (!l->name || (name && strcmp(name, l->name) == 0)))
                l->is = json_incref(item);
        }
    }
    json_decref(answer);
    return l->is && (!l->rate || has_path(l->is, l->rate)) && (!l->also || has_path(l->is, l->also));
}

static json_t *samples;

static void compare_look(struct look *l)
{
    json_t *was = json_object_get(samples, l->sample);
    assert_non_null(was);
    if (!wait_until(seen, l, 10000))
        fail_msg("%s: GET %s never showed %s", l->sample, l->path, l->rate ? l->rate : "it");
    unsigned wrong = compare(l->sample, "", was, l->is);
    json_decref(l->is);
    assert_int_equal(wrong, 0);
}

static void every_recorded_field_is_there_or_omitted_with_a_reason(void **state)
{
    (void)state;
    struct look looks[] = {
        {"queue", "/api/queues/%2F/mirrior_hello", NULL, "message_stats.publish_details", NULL, NULL},
        {"queue after a get", "/api/queues/%2F", "got", "message_stats.get_details", NULL, NULL},
        {"connection", "/api/connections", NULL, "recv_oct_details", NULL, NULL},
        {"channel", "/api/channels", NULL, NULL, NULL, NULL},
        {"consumer", "/api/consumers", NULL, NULL, NULL, NULL},
        {"exchange", "/api/exchanges", "", "message_stats.publish_in_details", NULL, NULL},
        {"binding", "/api/bindings", NULL, NULL, NULL, NULL},
        {"policy", "/api/policies", NULL, NULL, NULL, NULL},
        {"overview", "/api/overview", NULL, "queue_totals.messages_details", "message_stats.publish_details",
         NULL},
        {"node", "/api/nodes", "node1", "mem_used_details", NULL, NULL},
        {"vhost", "/api/vhosts", NULL, "message_stats.publish_details", NULL, NULL},
        {"user", "/api/users", NULL, NULL, NULL, NULL},
        {"permission", "/api/permissions", NULL, NULL, NULL, NULL},
        {"definitions", "/api/definitions", NULL, NULL, NULL, NULL},
        {"whoami", "/api/whoami", NULL, NULL, NULL, NULL},
        {"cluster name", "/api/cluster-name", NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        compare_look(&looks[i]);
}

/* ---- what nobody can say is absent ---- */

static json_t *ask(unsigned node, const char *path)
{
    json_t *json = http_json(lab_http(&lab, node), path);
    assert_non_null(json);
    return json;
}

static bool figures_there(void *arg)
{
    (void)arg;
    json_t *queue = ask(1, "/api/queues/%2F/frozen");
    json_t *messages = json_object_get(queue, "messages");
    bool there = messages && json_integer_value(messages) == 0;
    json_decref(queue);
    return there;
}

/* the letter behind the program's name in /proc/PID/stat */
static bool is_frozen(void *arg)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)*(pid_t *)arg);
    FILE *f = fopen(path, "re");
    const char *end = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
    if (f)
        fclose(f);
    return end && end[1] == ' ' && end[2] == 'T';
}

/* node3 does not answer but is not gone yet: its queues' counts are left out, and never 0. That nobody waits
 * for it shows in who is there when the answers have come: it is still frozen, and still of the cluster. */
static void a_frozen_peer_leaves_its_figures_out(void **state)
{
    (void)state;
    struct text answer = {0};
    assert_int_equal(
        http_ask(lab_http(&lab, 3), "PUT", "/api/queues/%2F/frozen", "{\"durable\":true}", 10000, &answer),
        201);
    text_finish(&answer);
    assert_true(wait_until(figures_there, NULL, 60000));
    json_t *before = ask(1, "/api/queues/%2F/frozen");
    assert_string_equal(json_string_value(json_object_get(before, "node")), "node3");
    pid_t pid = lab_pid(&lab, 3);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_true(wait_until(is_frozen, &pid, 60000));
    json_t *during = ask(1, "/api/queues/%2F/frozen"), *nodes = ask(1, "/api/nodes/node3");
    bool frozen = is_frozen(&pid);
    assert_int_equal(kill(pid, SIGCONT), 0);
    assert_true(frozen);
    assert_null(json_object_get(during, "messages"));
    assert_null(json_object_get(during, "consumers"));
    assert_string_equal(json_string_value(json_object_get(during, "state")), "running");
    assert_true(json_is_true(json_object_get(nodes, "running")));
    assert_null(json_object_get(nodes, "mem_used"));
    json_decref(before);
    json_decref(during);
    json_decref(nodes);
    put("DELETE", "/api/queues/%2F/frozen", NULL, 204);
}

/* Any node closes any connection: the consumer is on node3, node1 is asked. */
static void a_connection_is_closed_from_another_node(void **state)
{
    (void)state;
    json_t *list = ask(1, "/api/connections");
    const char *name = json_string_value(json_object_get(json_array_get(list, 0), "name"));
    assert_non_null(name);
    struct text path = {0};
    text_add(&path, "/api/connections/");
    for (; *name; name++)
        text_printf(&path, *name == ' ' || *name == '>' ? "%%%02X" : "%c", (unsigned char)*name);
    put("DELETE", path.s, NULL, 204);
    text_finish(&path);
    json_decref(list);
    amqp_frame_t frame;
    struct timeval wait = {.tv_sec = 10};
    assert_int_equal(amqp_simple_wait_frame_noblock(consumer, &frame, &wait), AMQP_STATUS_OK);
    assert_int_equal(frame.payload.method.id, AMQP_CONNECTION_CLOSE_METHOD);
    amqp_connection_close_t *close = frame.payload.method.decoded;
    assert_int_equal(close->reply_code, 320);
}

static bool stopped(void *arg)
{
    json_t **queue = arg;
    json_decref(*queue);
    *queue = http_json(lab_http(&lab, 2), "/api/queues/%2F/work");
    const char *state = json_string_value(json_object_get(*queue, "state"));
    return state && strcmp(state, "stopped") == 0;
}

static void a_stopped_queue_has_the_short_field_set(void **state)
{
    (void)state;
    struct text out = {0};
    assert_code(LABCTL(&lab, &out, "-n", "node1", "stop_app"), 0, &out);
    json_t *queue = NULL;
    assert_true(wait_until(stopped, &queue, 10000));
    json_t *was = json_object_get(samples, "stopped queue");
    assert_int_equal(json_object_size(queue), json_object_size(was));
    assert_int_equal(compare("stopped queue", "", was, queue), 0);
    json_t *node = ask(2, "/api/nodes/node1");
    assert_true(json_equal(node, json_object_get(samples, "stopped node")));
    json_decref(node);
    json_decref(queue);
    assert_code(LABCTL(&lab, &out, "-n", "node1", "start_app"), 0, &out);
    text_finish(&out);
}

int main(void)
{
    json_error_t where;
    samples = json_load_file("tests/api/recorded/samples.json", 0, &where);
    if (!samples) {
        fprintf(stderr, "tests/api/recorded/samples.json:%d: %s\n", where.line, where.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_field_is_there_or_omitted_with_a_reason),
        cmocka_unit_test(a_frozen_peer_leaves_its_figures_out),
        cmocka_unit_test(a_connection_is_closed_from_another_node),
        cmocka_unit_test(a_stopped_queue_has_the_short_field_set),
    };
    int rc = cmocka_run_group_tests(tests, up, down);
    json_decref(samples);
    return rc;
}
