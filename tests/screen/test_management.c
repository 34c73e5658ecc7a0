/* test_management.c: the pages of a queue and of a node have what RabbitMQ's management UI has on its own
 * (docs/details.md), as far as the nodes tell it; what they do not tell has no row. */
#include "tests/screen/support.h"

/* hello, or node1, with this told of it; takes details over */
static char *page(enum view view, json_t *details, int width)
{
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->details = details;
    s->queues[0].consumers = 1;
    model_observe(&m, s);
    m.now = s->taken_at;
    model_select_queue(&m, "hello");
    model_show(&m, view);
    char *frame = model_frame(&m, width, 60);
    snapshot_destroy(s);
    model_finish(&m);
    return frame;
}

/* its numbers are those that tell the rows apart */
static json_t *rates_of(const char *const *names, size_t len)
{
    json_t *stats = json_object();
    for (size_t i = 0; i < len; i++) {
        char key[64];
        snprintf(key, sizeof(key), "%s_details", names[i]);
        json_object_set_new(stats, names[i], json_integer((json_int_t)i + 10));
        json_object_set_new(stats, key, json_pack("{s:f}", "rate", (double)i + 0.5));
    }
    return stats;
}

static void a_queue_says_how_its_messages_went_out(void **state)
{
    static const char *const all[] = {"deliver_get", "deliver", "deliver_no_ack", "get", "get_no_ack",
                                      "get_empty",   "ack",     "redeliver"};
    (void)state;
    json_t *queue =
        json_pack("{s:s, s:s, s:{s:i}, s:f, s:{s:s}, s:i, s:o}", "name", "hello", "type", "classic",
                  "backing_queue_status", "version", 2, "consumer_capacity", 0.75, "owner_pid_details",
                  "name", "127.0.0.1:5 -> 127.0.0.1:6", "message_bytes_persistent", 4000, "message_stats",
                  rates_of(all, ARRAY_LEN(all)));
    char *frame = page(VIEW_QUEUE, json_pack("{s:o}", "queue", queue), 160);
    assert_contains(frame,
                    " out by       delivered 1.5/s (11 so far),  delivered auto-ack 2.5/s (12 so far),  "
                    "got 3.5/s (13 so far),  got auto-ack 4.5/s (14 so far),  got nothing 5.5/s");
    assert_contains(frame, "durable, classic (storage 2)");
    assert_contains(frame, " owner        127.0.0.1:5 -> 127.0.0.1:6\n");
    assert_contains(frame, " consumers    1; ready to take more 75% of the time\n");
    assert_contains(frame, "of persistent ones 4.0 kB\n");
    free(frame);
    frame = page(VIEW_QUEUE,
                 json_pack("{s:{s:s, s:o}}", "queue", "name", "hello", "message_stats", rates_of(all, 2)),
                 160); /* the kit's */
    assert_contains(frame, " out by       delivered 1.5/s (11 so far)\n");
    static const char *const untold[] = {"auto-ack", "got",           "storage",
                                         "owner",    "ready to take", "persistent ones"};
    for (size_t i = 0; i < ARRAY_LEN(untold); i++)
        assert_lacks(frame, untold[i]);
    free(frame);
}

static void a_node_says_what_runs_on_it(void **state)
{
    (void)state;
    json_t *node = json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:[s,s], s:[s], s:[s], s:I, s:I, s:b, s:i, s:i, s:i}", "name",
        "node1", "os_pid", "4711", "processors", 2, "proc_used", 371, "proc_total", 1048576, "run_queue", 3,
        "db_dir", "/data", "log_files", "/log/a", "/log/b", "config_files", "/conf", "enabled_plugins",
        "management", "disk_free", (json_int_t)90000000, "disk_free_limit", (json_int_t)50000000,
        "disk_free_alarm", 1, "io_sync_count", 7, "io_read_count", 8, "io_write_count", 9);
    json_object_update_new(node,
                           json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "connection_created", 21,
                                     "connection_closed", 22, "channel_created", 23, "channel_closed", 24,
                                     "queue_declared", 25, "queue_created", 26, "queue_deleted", 27));
    json_object_set_new(node, "cluster_links",
                        json_pack("[{s:s, s:{s:{s:f}, s:{s:f}}}]", "name", "node2@host", "stats",
                                  "recv_bytes_details", "rate", 1400.0, "send_bytes_details", "rate",
                                  1900.0));
    char *frame = page(VIEW_NODE, json_pack("{s:{s:o}}", "nodes", "node1", node), 130);
    static const char *const rows[] = {
        " process      4711, on 2 processors\n",
        " Erlang       371 of 1048576 processes; 3 wait to run\n",
        " data in      /data\n",
        " log          /log/a, /log/b\n",
        " plugins      management\n",
        " disk         90.0 MB free, at least 50.0 MB needed  ALARM: publishers wait\n",
        " disk syncs   7; reads 8, writes 9\n",
        "connections 21 opened, 22 closed; channels 23 opened, 24 closed; queues 25 declared, 26 new, 27 "
        "deleted",
        " links to     node2 (1400 bytes/s in, 1900 out)\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_contains(frame, rows[i]);
    assert_contains(frame, " config       /conf\n");
    free(frame);
    frame = page(VIEW_NODE, json_pack("{s:{s:{s:s}}}", "nodes", "node1", "name", "node1"), 130);
    static const char *const untold[] = {"process", "Erlang", "data in", " log ",
                                         "plugins", "needed", "so far"};
    for (size_t i = 0; i < ARRAY_LEN(untold); i++)
        assert_lacks(frame, untold[i]);
    free(frame);
}

/* RabbitMQ lists it for a while, with rates of nothing. */
static void a_link_to_one_that_does_not_run(void **state)
{
    (void)state;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    s->nodes[1].state = NODE_NOT_RUNNING;
    s->nodes[1].answers = false;
    s->details = json_pack("{s:{s:{s:[{s:s, s:{s:{s:f}, s:{s:f}}}]}}}", "nodes", "node1", "cluster_links",
                           "name", "node2@host", "stats", "recv_bytes_details", "rate", 0.0,
                           "send_bytes_details", "rate", 0.0);
    model_observe(&m, s);
    m.now = s->taken_at;
    model_show(&m, VIEW_NODE);
    char *frame = model_frame(&m, 130, 60);
    assert_contains(frame, " links to     node2 (not running)\n");
    free(frame);
    snapshot_destroy(s);
    model_finish(&m);
}

/* Each connection has its channels under it, and those of other nodes' clients are not on the page. */
static void a_connection_has_its_channels(void **state)
{
    (void)state;
    struct snapshot *s = load_snapshot("rest");
    int64_t wall = s->taken_wall_ms;
    snapshot_destroy(s);
    json_t *connections = json_pack(
        "[{s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:b, s:s, s:i, s:i, s:i, s:{s:s, s:s, s:s}}, {s:s, s:s}]",
        "name", "a -> b", "node", "node1@host", "user", "admin", "state", "flow", "channels", 2,
        "connected_at", (json_int_t)(wall - 65000), "protocol", "AMQP 0-9-1", "ssl", 1, "auth_mechanism",
        "PLAIN", "timeout", 20, "frame_max", 131072, "channel_max", 2047, "client_properties", "product",
        "librabbitmq", "version", "0.11", "connection_name", "mine", "name", "c -> d", "node", "node2@host");
    json_t *channels = json_pack(
        "[{s:{s:s}, s:i, s:b, s:s, s:i, s:i, s:i, s:i, s:{s:{s:f}, s:{s:f}}}, {s:{s:s}, s:i, s:b, s:i}, "
        "{s:{s:s}, s:i}]",
        "connection_details", "name", "a -> b", "number", 1, "confirm", 1, "state", "running",
        "consumer_count", 1, "prefetch_count", 50, "messages_unacknowledged", 12, "messages_unconfirmed", 34,
        "message_stats", "publish_details", "rate", 2885.0, "ack_details", "rate", 5.0, "connection_details",
        "name", "a -> b", "number", 2, "transactional", 1, "messages_uncommitted", 6, "connection_details",
        "name", "c -> d", "number", 9);
    char *frame =
        page(VIEW_NODE, json_pack("{s:o, s:o}", "connections", connections, "channels", channels), 150);
    static const char *const rows[] = {" connections  1\n", "a -> b  admin  flow  channels 2",
                                       "for 1 min,  AMQP 0-9-1,  TLS,  PLAIN,  heartbeat 20 s,  frames up to "
                                       "131072 B,  channels up to 2047,  "
                                       "librabbitmq 0.11,  'mine'",
                                       "channel 1: confirms,  running,  consumers 1,  prefetch 50,  "
                                       "unacknowledged 12,  unconfirmed 34,  publish "
                                       "2885.0/s,  ack 5.0/s",
                                       "channel 2: transactional,  uncommitted 6\n"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_contains(frame, rows[i]);
    assert_lacks(frame, "c -> d");
    assert_lacks(frame, "channel 9");
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_queue_says_how_its_messages_went_out),
        cmocka_unit_test(a_node_says_what_runs_on_it),
        cmocka_unit_test(a_link_to_one_that_does_not_run),
        cmocka_unit_test(a_connection_has_its_channels),
    };
    return cmocka_run_group_tests_name("screen/management", tests, NULL, NULL);
}
