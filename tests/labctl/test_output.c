/* test_output.c: labctl on the kit prints what rabbitmqctl 3.10.8 printed (recorded/), byte for byte, when a
 * node answers what RabbitMQ knew then; and ends with the same exit code.
 *
 * What is different on purpose is in `differences`, and nowhere else. */
#include "tests/labctl/run.h"

#include <unistd.h>

#include "fake_node.h"
#include "lab/labdir.h"
#include "tests/temporary.h"

#define RECORDED "tests/labctl/recorded/"

static char folder[PATH_MAX];

#define RUN(...) RUN_IN(folder, __VA_ARGS__)

/* ---- what was recorded ---- */

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct text t = {0};
    char buffer[4096];
    size_t n;
    if (!f)
        fail_msg("%s cannot be read (tests run in the project's root)", path);
    while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
        text_add_bytes(&t, buffer, n);
    fclose(f);
    return t.s ? t.s : xstrdup("");
}

static const struct {
    const char *rabbitmqctl, *labctl, *why;
} differences[] = {
    {"rabbitmqctl start_app", "labctl start_app", "the tool's own name"},
    {"rabbitmqctl [--node <node>] [--longnames] [--quiet]", "labctl [--dir <dir>] [--node <node>] [--quiet]",
     "labctl finds nodes by the lab's folder; there are no long names"},
    {"\"#PID<10987.1057.0>\"", "\"<node1.1795394071.1057.0>\"", "a name that means the same elsewhere"},
    {"\"#PID<10987.1050.0>\"", "\"<node1.1795394071.1050.0>\"", "as above"},
    {"ing node node3@localhost", "ing node node3", "nodes of the kit have no host behind their names"},
    {"itself: node3@localhost", "itself: node3", "as above"},
    {"\n-t : abc\n", "\n--timeout : abc\n", "options are named by their long names"},
    {"\t-n node1 ", "\t--dir FOLDER -n node1 ", "tests say where the lab is"},
};

/* Replaces every `from` in *text. */
static void replace(char **text, const char *from, const char *to)
{
    struct text t = {0};
    const char *at = *text, *hit;
    while ((hit = strstr(at, from))) {
        text_add_bytes(&t, at, (size_t)(hit - at));
        text_add(&t, to);
        at = hit + strlen(from);
    }
    text_add(&t, at);
    free(*text);
    *text = t.s ? t.s : xstrdup("");
}

static void make_ours(char **text)
{
    for (size_t i = 0; i < ARRAY_LEN(differences); i++)
        replace(text, differences[i].rabbitmqctl, differences[i].labctl);
    replace(text, "FOLDER", folder);
}

/* The case of this title: --stdout, text, --stderr, text, rc=N. */
static struct run recorded(const char *title)
{
    char *all = read_file(RECORDED "rabbitmqctl.txt");
    char *head = format_text("=== %s\n--stdout\n", title);
    char *at = strstr(all, head);
    if (!at)
        fail_msg("no recording of: %s", title);
    at += strlen(head);
    char *err = strstr(at, "--stderr\n"), *rc = err ? strstr(err, "rc=") : NULL;
    struct run r = {.out = xstrndup(at, (size_t)(err - at)), .rc = atoi(rc + 3)};
    err += strlen("--stderr\n");
    r.err = xstrndup(err, (size_t)(rc - err));
    make_ours(&r.out);
    make_ours(&r.err);
    free(head);
    free(all);
    return r;
}

static void assert_same(const char *title, struct run is)
{
    struct run was = recorded(title);
    assert_string_equal(is.out, was.out);
    assert_string_equal(is.err, was.err);
    assert_int_equal(is.rc, was.rc);
    run_finish(&was);
    run_finish(&is);
}

/* ---- what the node answers ---- */

#define OK(body)           "{\"ok\":true,\"status\":200,\"body\":" body "}"
#define STATUS(code, body) "{\"ok\":true,\"status\":" code ",\"body\":" body "}"
#define NO_CONTENT         "{\"ok\":true,\"status\":204}"
#define NOT_FOUND          STATUS("404", "{\"error\":\"Object Not Found\",\"reason\":\"Not Found\"}")
#define BAD(reason)        STATUS("400", "{\"error\":\"bad_request\",\"reason\":\"" reason "\"}")

static const struct fake_answer answers[] = {
    {"GET /api/whoami", OK("{\"name\":\"admin\",\"tags\":[\"administrator\"]}")},
    {"GET /api/queues", OK("[{\"name\":\"q2\",\"messages\":0,\"durable\":true,\"pid\":\"<node1.1795394071."
                           "1057.0>\",\"policy\":null,"
                           "\"slave_pids\":\"\",\"arguments\":{},\"state\":\"running\"},"
                           "{\"name\":\"hello\",\"messages\":0,\"durable\":true,\"pid\":\"<node1.1795394071."
                           "1050.0>\",\"policy\":null,"
                           "\"slave_pids\":\"\",\"arguments\":{},\"state\":\"running\"}]")},
    {"GET /api/policies",
     OK("[{\"vhost\":\"/"
        "\",\"name\":\"m\",\"pattern\":\"^m\",\"apply-to\":\"all\",\"definition\":{\"ha-mode\":"
        "\"exactly\",\"ha-params\":2},\"priority\":0},"
        "{\"vhost\":\"/"
        "\",\"name\":\"m2\",\"pattern\":\"^m\",\"apply-to\":\"queues\",\"definition\":{\"ha-mode\":"
        "\"exactly\",\"ha-params\":2},\"priority\":3}]")},
    {"PUT /api/policies/%2F/m", NO_CONTENT},
    {"PUT /api/policies/%2F/m2",
     BAD("Validation failed\\n\\nha-mode=\\\"exactly\\\" takes an integer, <<\\\"2\\\">> "
         "given\\n")},
    {"PUT /api/policies/%2F/m3", NO_CONTENT},
    {"DELETE /api/policies/%2F/m2", NO_CONTENT},
    {"DELETE /api/policies/%2F/gone", NOT_FOUND},
    {"POST /api/queues/%2F/hello/actions", BAD("not_mirrored")},
    {"POST /api/queues/%2F/idle/actions", BAD("not_syncing")},
    {"POST /api/queues/%2F/nosuch/actions", NOT_FOUND},
    {"GET /api/exchanges",
     OK("[{\"name\":\"amq.fanout\",\"type\":\"fanout\"},{\"name\":\"amq.direct\",\"type\":\"direct\"},"
        "{\"name\":\"amq.topic\",\"type\":\"topic\"},{\"name\":\"amq.match\",\"type\":\"headers\"},"
        "{\"name\":\"amq.rabbitmq.trace\",\"type\":\"topic\"},{\"name\":\"\",\"type\":\"direct\"},"
        "{\"name\":\"amq.headers\",\"type\":\"headers\"}]")},
    {"GET /api/bindings",
     OK("[{\"source\":\"\",\"vhost\":\"/"
        "\",\"destination\":\"q2\",\"destination_type\":\"queue\",\"routing_key\":\"q2\","
        "\"arguments\":{},\"properties_key\":\"q2\"},{\"source\":\"\",\"vhost\":\"/"
        "\",\"destination\":\"hello\","
        "\"destination_type\":\"queue\",\"routing_key\":\"hello\",\"arguments\":{},\"properties_key\":"
        "\"hello\"}]")},
    {"GET /api/connections",
     OK("[{\"user\":\"admin\",\"peer_host\":\"127.0.0.1\",\"peer_port\":56598,\"state\":"
        "\"running\",\"node\":\"node1\"}]")},
    {"GET /api/channels", OK("[{\"connection_details\":{\"peer_port\":1795394071},\"node\":\"node1\","
                             "\"number\":1257,\"user\":\"admin\","
                             "\"consumer_count\":1,\"messages_unacknowledged\":1}]")},
    {"GET /api/consumers", OK("[{\"queue\":{\"name\":\"hello\",\"vhost\":\"/"
                              "\"},\"channel_details\":{\"node\":\"node1\",\"peer_port\":"
                              "1795394071,\"number\":1257},\"consumer_tag\":\"amq.ctag-"
                              "FPsOqBhS8alwE9fPp3OM0g\",\"ack_required\":true,"
                              "\"prefetch_count\":5,\"active\":true,\"arguments\":{}}]")},
    {"GET /api/users", OK("[{\"name\":\"admin\",\"tags\":[\"administrator\"]}]")},
    {"GET /api/vhosts", OK("[{\"name\":\"/\"}]")},
    {"GET /api/permissions",
     OK("[{\"configure\":\".*\",\"read\":\".*\",\"user\":\"admin\",\"vhost\":\"/\",\"write\":\".*\"}]")},
    {"DELETE /api/queues/%2F/hello/contents", NO_CONTENT},
    {"DELETE /api/queues/%2F/nosuch/contents", NOT_FOUND},
    {"DELETE /api/queues/%2F/nosuch", NOT_FOUND},
    {"DELETE /api/queues/%2F/q2", STATUS("200", "{\"messages\":0}")},
    {"DELETE /api/queues/%2F/hello", STATUS("200", "{\"messages\":0}")},
    {"DELETE /api/queues/%2F/full", BAD("queue 'full' in vhost '/' not empty")},
    {"DELETE /api/queues/%2F/used", BAD("queue 'used' in vhost '/' in use")},
    {"stop_app", "{\"ok\":true}"},
    {"start_app", "{\"ok\":true}"},
    {"forget_cluster_node", "{\"ok\":false,\"error\":\"not_found\",\"reason\":\"\"}"},
    {"status",
     "{\"ok\":true,\"phase\":\"serving\",\"known\":[\"node1\",\"node2\",\"node3\"],\"blank\":false}"},
    {NULL, NULL},
};

/* node3's too, and it is a member of the cluster */
static const struct fake_answer member[] = {
    {"status", "{\"ok\":true,\"app\":false,\"phase\":\"stopped\",\"known\":[\"node1\",\"node2\",\"node3\"],"
               "\"blank\":false}"},
    {"stop_app", "{\"ok\":true}"},
    {"start_app", "{\"ok\":true}"},
    {NULL, NULL},
};

#define ODD                                                                                                  \
    "{\"name\":\"odd\",\"arguments\":{\"b\":true,\"d\":1.5,\"e\":\"\",\"n\":-3,"                             \
    "\"t\":{\"a\":1,\"b\":\"two\",\"c\":\"\"},\"u\":\"a <b> \\\"c\\\" \\\\ \\t \\n \u00fc\"}}"
#define LISTS                                                                                                \
    "{\"name\":\"lists\",\"arguments\":{\"e\":[],\"f\":2.0,\"h\":0.1,\"l\":[1,\"\",true,{\"k\":\"v\"}],"     \
    "\"te\":{}}}"
#define ARGS                                                                                                 \
    "{\"name\":\"args\",\"arguments\":{\"x-dead-letter-exchange\":\"\",\"x-max-length\":5,"                  \
    "\"x-message-ttl\":60000,\"x-overflow\":\"reject-publish\",\"x-single-active-consumer\":true}}"

/* queues with arguments of every kind; the JSON of a list is not RabbitMQ's */
static const struct fake_answer arguments[] = {{"GET /api/whoami", OK("{\"name\":\"admin\"}")},
                                               {"GET /api/queues", OK("[" ODD "," LISTS "," ARGS "]")},
                                               {NULL, NULL}},
                                without_lists[] = {{"GET /api/whoami", OK("{\"name\":\"admin\"}")},
                                                   {"GET /api/queues", OK("[" ODD "," ARGS "]")},
                                                   {NULL, NULL}};

/* node2's app is stopped */
static const struct fake_answer stopped[] = {
    {"GET /api/whoami", "{\"ok\":false,\"error\":\"app_stopped\",\"reason\":\"\"}"},
    {"ping", "{\"ok\":true}"},
    {NULL, NULL},
};

static int nodes[2];

static int begin(void **state)
{
    (void)state;
    char *error = NULL;
    struct labdir lab;
    if (!temporary_folder_in(folder, sizeof(folder), "labctl"))
        return -1;
    labdir_defaults(&lab, ENGINE_KIT, 3);
    snprintf(lab.path, sizeof(lab.path), "%s", folder);
    if (labdir_save(&lab, &error) != 0) {
        print_error("%s\n", error);
        free(error);
        return -1;
    }
    nodes[0] = fake_node_start(folder, "node1", answers);
    nodes[1] = fake_node_start(folder, "node2", stopped);
    return nodes[0] > 0 && nodes[1] > 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    static const char *const files[] = {"node1/control.sock",
                                        "node2/control.sock",
                                        "node3/control.sock",
                                        "node1",
                                        "node2",
                                        "node3",
                                        "asked",
                                        "lab.cfg"};
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        fake_node_end(nodes[i]);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = format_text("%s/%s", folder, files[i]);
        remove(path);
        free(path);
    }
    return rmdir(folder);
}

/* ---- stories ---- */

#define EXACTLY_2 "{\"ha-mode\":\"exactly\",\"ha-params\":2}"

static void list_queues_looks_like_rabbitmqctls(void **state)
{
    (void)state;
    assert_same("list_queues #2", RUN("-n", "node1", "list_queues"));
    assert_same("list_queues --no-table-headers", RUN("-n", "node1", "list_queues", "--no-table-headers"));
    assert_same("-s list_queues name messages", RUN("-n", "node1", "-s", "list_queues", "name", "messages"));
    assert_same("-q list_queues name messages pid slave_pids",
                RUN("-n", "node1", "-q", "list_queues", "name", "messages", "pid", "slave_pids"));
    assert_same("list_queues -p nosuch", RUN("-n", "node1", "list_queues", "-p", "nosuch"));
}

static void arguments_look_like_rabbitmqctls(void **state)
{
    (void)state;
    int node = fake_node_start(folder, "node3", arguments);
    assert_true(node > 0);
    assert_same("-q list_queues name arguments",
                RUN("-n", "node3", "-q", "list_queues", "name", "arguments"));
    fake_node_end(node);
    node = fake_node_start(folder, "node3", without_lists);
    assert_true(node > 0);
    assert_same("-q list_queues name arguments --formatter json",
                RUN("-n", "node3", "-q", "list_queues", "name", "arguments", "--formatter", "json"));
    fake_node_end(node);
}

static void lists_come_as_json_and_csv_too(void **state)
{
    (void)state;
    assert_same("list_queues --formatter json name messages durable pid policy slave_pids arguments",
                RUN("-n", "node1", "list_queues", "--formatter", "json", "name", "messages", "durable", "pid",
                    "policy", "slave_pids", "arguments"));
    assert_same("list_queues --formatter csv name messages",
                RUN("-n", "node1", "list_queues", "--formatter", "csv", "name", "messages"));
    assert_same("list_bindings --formatter json", RUN("-n", "node1", "list_bindings", "--formatter", "json"));
    assert_same("list_policies --formatter json", RUN("-n", "node1", "list_policies", "--formatter=json"));
}

static void other_lists_look_like_rabbitmqctls(void **state)
{
    (void)state;
    assert_same("list_exchanges", RUN("-n", "node1", "list_exchanges"));
    assert_same("list_bindings", RUN("-n", "node1", "list_bindings"));
    assert_same("list_connections", RUN("-n", "node1", "list_connections"));
    assert_same("list_channels", RUN("-n", "node1", "list_channels"));
    assert_same("list_consumers", RUN("-n", "node1", "list_consumers"));
    assert_same("list_users", RUN("-n", "node1", "list_users"));
    assert_same("list_vhosts", RUN("-n", "node1", "list_vhosts"));
    assert_same("list_permissions", RUN("-n", "node1", "list_permissions"));
    assert_same("list_policies", RUN("-n", "node1", "list_policies"));
}

static void wrong_words_end_with_64_and_the_usage(void **state)
{
    (void)state;
    assert_same("list_queues name bogus", RUN("-n", "node1", "list_queues", "name", "bogus"));
    assert_same("list_queues --bogus", RUN("-n", "node1", "list_queues", "--bogus"));
    assert_same("set_policy", RUN("-n", "node1", "set_policy"));
    assert_same("sync_queue", RUN("-n", "node1", "sync_queue"));
    assert_same("list_policies extra", RUN("-n", "node1", "list_policies", "extra"));
    assert_same("list_queues -t abc", RUN("-n", "node1", "list_queues", "-t", "abc"));
    assert_same("set_policy m2 ^m " EXACTLY_2 " --priority x",
                RUN("-n", "node1", "set_policy", "m2", "^m", EXACTLY_2, "--priority", "x"));
}

/* One line where rabbitmqctl answers with a page of all its verbs. */
static void an_unknown_verb_is_one_line(void **state)
{
    static const char *const near[][2] = {{"lst_queues", "list_queues"}, {"kil", "kill"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(near); i++) {
        char *expected =
            format_text("Error: unknown verb '%s': did you mean '%s'? labctl help lists all verbs\n",
                        near[i][0], near[i][1]);
        struct run r = RUN("-n", "node1", near[i][0]), of_help = RUN("help", near[i][0]);
        assert_string_equal(r.err, expected);
        assert_string_equal(of_help.err, expected);
        assert_string_equal(r.out, "");
        assert_int_equal(r.rc, 64);
        assert_int_equal(of_help.rc, 64);
        run_finish(&r);
        run_finish(&of_help);
        free(expected);
    }
    struct run r = RUN("-n", "node1", "frobnicate");
    assert_string_equal(r.err, "Error: unknown verb 'frobnicate'; labctl help lists all verbs\n");
    assert_int_equal(r.rc, 64);
    run_finish(&r);
}

static void policies_are_set_cleared_and_refused(void **state)
{
    (void)state;
    assert_same("set_policy m ^m " EXACTLY_2, RUN("-n", "node1", "set_policy", "m", "^m", EXACTLY_2));
    assert_same(
        "set_policy m2 ^m {\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}",
        RUN("-n", "node1", "set_policy", "m2", "^m", "{\"ha-mode\":\"exactly\",\"ha-params\":\"2\"}"));
    assert_same("clear_policy m2", RUN("-n", "node1", "clear_policy", "m2"));
    struct run r = RUN("-n", "node1", "clear_policy", "gone");
    assert_string_equal(r.out, "Clearing policy \"gone\" on vhost \"/\" ...\n");
    assert_string_equal(r.err, "Error:\nParameter does not exist\n");
    assert_int_equal(r.rc, 69);
    run_finish(&r);
    r = RUN("-n", "node1", "set_policy", "bad", "^x", "{\"ha-mode\":");
    assert_string_equal(r.err, "Error:\nJSON decoding error. Reason: badarg\n");
    assert_int_equal(r.rc, 69);
    run_finish(&r);
    r = RUN("-n", "node1", "set_policy", "", "^x", EXACTLY_2);
    assert_string_equal(r.err, "Error:\nthe policy's name is empty; write one, such as mirrior\n");
    assert_int_equal(r.rc, 65);
    run_finish(&r);
}

static void a_policy_goes_to_the_node_as_it_was_typed(void **state)
{
    (void)state;
    struct run r = RUN("-n", "node1", "-q", "set_policy", "m3", "^mirrior", EXACTLY_2, "--priority", "-7",
                       "--apply-to", "queues");
    assert_string_equal(r.out, "");
    assert_int_equal(r.rc, 0);
    run_finish(&r);
    char *path = format_text("%s/asked", folder), *asked = read_file(path);
    const char *line = strstr(asked, "policies/%2F/m3\"");
    assert_non_null(line);
    while (line > asked && line[-1] != '\n')
        line--;
    json_t *request = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL),
           *body = json_object_get(request, "body");
    assert_string_equal(json_string_value(json_object_get(body, "definition")), EXACTLY_2);
    assert_string_equal(json_string_value(json_object_get(body, "pattern")), "^mirrior");
    assert_string_equal(json_string_value(json_object_get(body, "apply-to")), "queues");
    assert_int_equal(json_integer_value(json_object_get(body, "priority")), -7);
    json_decref(request);
    free(asked);
    free(path);
}

static void queues_are_synchronised_purged_and_deleted(void **state)
{
    (void)state;
    assert_same("sync_queue hello", RUN("-n", "node1", "sync_queue", "hello"));
    assert_same("cancel_sync_queue nosuch", RUN("-n", "node1", "cancel_sync_queue", "nosuch"));
    assert_same("purge_queue hello", RUN("-n", "node1", "purge_queue", "hello"));
    assert_same("purge_queue nosuch", RUN("-n", "node1", "purge_queue", "nosuch"));
    assert_same("delete_queue nosuch", RUN("-n", "node1", "delete_queue", "nosuch"));
    assert_same("delete_queue q2", RUN("-n", "node1", "delete_queue", "q2"));
    assert_same("delete_queue full --if-empty", RUN("-n", "node1", "delete_queue", "full", "--if-empty"));
    assert_same("delete_queue used --if-unused", RUN("-n", "node1", "delete_queue", "used", "--if-unused"));
    assert_same("delete_queue hello --if-empty", RUN("-n", "node1", "delete_queue", "hello", "--if-empty"));
    struct run r = RUN("-n", "node1", "cancel_sync_queue", "idle");
    assert_string_equal(r.out, "Stopping synchronising queue 'idle' in vhost '/' ...\nnot_syncing\n");
    assert_int_equal(r.rc, 0);
    run_finish(&r);
}

static void the_app_stops_and_starts(void **state)
{
    (void)state;
    assert_same("stop_app", RUN("-n", "node1", "stop_app"));
    struct run was = recorded("start_app"), of_one_that_runs = RUN("-n", "node1", "start_app");
    assert_string_equal(of_one_that_runs.out, was.out);
    assert_string_equal(of_one_that_runs.err, "node1 runs already: nothing was changed\n");
    assert_int_equal(of_one_that_runs.rc, was.rc);
    int third = fake_node_start(folder, "node3", member);
    struct run of_one_that_is_stopped = RUN("-n", "node3", "start_app"),
               again = RUN("-n", "node3", "stop_app");
    fake_node_end(third);
    assert_string_equal(of_one_that_is_stopped.out, "Starting node node3 ...\n");
    assert_string_equal(of_one_that_is_stopped.err, was.err);
    assert_string_equal(again.err, "node3 is stopped already: nothing was changed\n");
    run_finish(&was);
    run_finish(&of_one_that_runs);
    run_finish(&of_one_that_is_stopped);
    run_finish(&again);
}

static void who_is_of_the_cluster_is_said_in_rabbitmqctls_words(void **state)
{
    (void)state;
    int third = fake_node_start(folder, "node3", member);
    assert_true(third > 0);
    assert_same("forget_cluster_node nope@localhost",
                RUN("-n", "node1", "forget_cluster_node", "nope@localhost"));
    assert_same("-n node3 join_cluster node1@localhost",
                RUN("-n", "node3", "join_cluster", "node1@localhost"));
    assert_same("-n node3 join_cluster node3@localhost",
                RUN("-n", "node3", "join_cluster", "node3@localhost"));
    fake_node_end(third);
    const char *const verbs[] = {"reset", "force_reset"};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) { /* no such node: nothing is touched */
        struct run r = RUN("-n", "node9", verbs[i]);
        assert_int_equal(r.rc, 69);
        run_finish(&r);
    }
}

static void a_stopped_app_is_64_with_the_words_of_rabbitmqctl(void **state)
{
    (void)state;
    const char *const titles[] = {"list_queues #3", "cluster_status"};
    const char *const verbs[] = {"list_queues", "cluster_status"};
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        struct run was = recorded(titles[i]), is = RUN("-n", "node2", verbs[i]);
        replace(&was.err, "-n node1", "-n node2");
        assert_string_equal(is.err, was.err);
        assert_string_equal(is.out, "");
        assert_int_equal(is.rc, 64);
        run_finish(&was);
        run_finish(&is);
    }
    struct run r = RUN("-n", "node2", "ping");
    assert_int_equal(r.rc, 0);
    run_finish(&r);
}

static void a_dead_process_is_69_with_a_diagnosis(void **state)
{
    (void)state;
    const char *const dead[] = {"node3", "node9"};
    for (size_t i = 0; i < ARRAY_LEN(dead); i++) {
        struct run r = RUN("-n", dead[i], "list_queues");
        char *first =
            format_text("Error: unable to perform an operation on node '%s'. Please see diagnostics "
                        "information and suggestions below.\n\nMost common reasons for this are:\n\n",
                        dead[i]);
        assert_int_equal(strncmp(r.err, first, strlen(first)), 0);
        assert_non_null(strstr(r.err, "DIAGNOSTICS\n===========\n\nattempted to contact: ["));
        assert_string_equal(r.out, "");
        assert_int_equal(r.rc, 69);
        free(first);
        run_finish(&r);
    }
}

static void a_node_may_be_named_as_rabbitmq_names_it(void **state)
{
    (void)state;
    struct run r = RUN("list_queues", "-n", "node1@localhost", "-q", "name");
    assert_string_equal(r.out, "name\nq2\nhello\n");
    assert_int_equal(r.rc, 0);
    run_finish(&r);
}

static void no_lab_is_78(void **state)
{
    (void)state;
    struct run r = RUN("--dir", "/nowhere/at/all", "-n", "node1", "list_queues");
    assert_int_equal(r.rc, 78);
    assert_non_null(strstr(r.err, "/nowhere/at/all"));
    run_finish(&r);
}

static void a_line_without_a_verb_is_usage(void **state)
{
    (void)state;
    struct run r = RUN("-n", "node1");
    assert_int_equal(r.rc, 64);
    assert_non_null(strstr(r.err, "set_policy"));
    run_finish(&r);
    r = RUN("help", "list_queues");
    assert_int_equal(r.rc, 0);
    assert_non_null(strstr(r.out, "[--online] [--offline] [--local]"));
    run_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_queues_looks_like_rabbitmqctls),
        cmocka_unit_test(arguments_look_like_rabbitmqctls),
        cmocka_unit_test(lists_come_as_json_and_csv_too),
        cmocka_unit_test(other_lists_look_like_rabbitmqctls),
        cmocka_unit_test(wrong_words_end_with_64_and_the_usage),
        cmocka_unit_test(an_unknown_verb_is_one_line),
        cmocka_unit_test(policies_are_set_cleared_and_refused),
        cmocka_unit_test(a_policy_goes_to_the_node_as_it_was_typed),
        cmocka_unit_test(queues_are_synchronised_purged_and_deleted),
        cmocka_unit_test(the_app_stops_and_starts),
        cmocka_unit_test(who_is_of_the_cluster_is_said_in_rabbitmqctls_words),
        cmocka_unit_test(a_stopped_app_is_64_with_the_words_of_rabbitmqctl),
        cmocka_unit_test(a_dead_process_is_69_with_a_diagnosis),
        cmocka_unit_test(a_node_may_be_named_as_rabbitmq_names_it),
        cmocka_unit_test(no_lab_is_78),
        cmocka_unit_test(a_line_without_a_verb_is_usage),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
