/* test_details.c: the pages of a queue and of a node, and as many queues as there can be: whole frames
 * against files that were looked at, and every size. */
#include "tests/screen/watched.h"

#include <time.h>

/* the last binding is what was asked of the queue before */
#define QUEUE_PAGE    "tests/screen/pages/queue.json"
#define BINDINGS_PAGE "tests/screen/pages/bindings.json"

static void details(struct watched *s)
{
    failover(s);
    taken_over(s);
    struct snapshot *next = s->t.s;
    json_t *node =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:[{s:s}]}", "name", "node2",
                  "type", "disc", "sockets_used", (json_int_t)3, "sockets_total", (json_int_t)829, "mem_used",
                  (json_int_t)52428800, "mem_limit", (json_int_t)104857600, "mem_alarm", 0, "uptime",
                  (json_int_t)7500000, "fd_used", (json_int_t)27, "fd_total", (json_int_t)1024, "disk_free",
                  (json_int_t)82000000000, "cluster_links", "name", "node3");
    next->details = json_pack("{s:o, s:o, s:{s:o}, s:[{s:s, s:s, s:s, s:s, s:i, s:{s:f}, s:{s:f}}]}", "queue",
                              load_json(QUEUE_PAGE), "bindings", load_json(BINDINGS_PAGE), "nodes", "node2",
                              node, "connections", "name", "127.0.0.1:5000 -> 127.0.0.1:5672", "node",
                              "node2", "user", "admin", "state", "running", "channels", 1, "recv_oct_details",
                              "rate", 1234.5, "send_oct_details", "rate", 56.0);
    next->queues[0].synced = 0;
    next->queues[0].sync_messages = 6;
    next->queues[0].consumers = 1;
    for (int i = 0; i < 30; i++) {
        next->queues[0].messages = i;
        next->queues[0].publish_rate = i % 7;
        next->taken_at += 750; /* a look is 250 */
        next->taken_wall_ms += 750;
        if (i % 7) /* so many in the second before this look */
            story_fact(&s->t, TRACE_SEEN_ACCEPTED, 1, (next->taken_wall_ms - STORY_BEGIN_MS - 500) * 1000, 11,
                       10 + (uint64_t)i % 7);
        look(s);
    }
}

static void queue_detail(void **state)
{
    (void)state;
    struct watched s;
    details(&s);
    press(&s, '1');
    press(&s, KEY_RETURN);
    assert_int_equal(s.m.view, VIEW_QUEUE);
    check(&s, "queue-80x24", 80, 24);
    check(&s, "queue-160x45", 160, 45);
    char *all = model_frame(&s.m, 160, 45);
    assert_lacks(all, "(PgDn)"); /* nothing of it is out of sight there */
    assert_lacks(all, "elsewhere");
    free(all);
    for (int page = 0; page < 3; page++)
        press(&s, KEY_PAGE_DOWN);
    check(&s, "queue-end-80x24", 80, 24); /* and all of it can be reached here */
    for (int page = 0; page < 3; page++)
        press(&s, KEY_PAGE_UP);
    says(&s, "node3 NOT in sync", true);
    says(&s, "node1 (was master)", true);
    /* nobody answers: no figure is shown as if it were one of now */
    s.t.s->source = -1;
    s.t.s->queues[0].state = QUEUE_SEEN_UNKNOWN;
    while (s.t.s->copies_len)
        free(s.t.s->copies[--s.t.s->copies_len].held);
    s.t.s->queues[0].messages = s.t.s->queues[0].ready = s.t.s->queues[0].unacked = -1;
    s.t.s->queues[0].publish_rate = -1;
    s.t.s->queues[0].consumers = -1;
    json_decref(s.t.s->details);
    s.t.s->details = NULL;
    s.t.s->taken_at += 1000;
    s.t.s->taken_wall_ms += 1000;
    look(&s);
    check(&s, "queue-silent-80x24", 80, 24);
    says(&s, "; was 10", true);
    end(&s);
}

static void node_detail(void **state)
{
    (void)state;
    struct watched s;
    details(&s);
    press(&s, '1');
    press(&s, 'l');
    press(&s, KEY_RETURN);
    assert_int_equal(s.m.view, VIEW_NODE);
    check(&s, "node-80x24", 80, 24);
    press(&s, 'h');
    check(&s, "node-stopped-80x24", 80, 24);
    says(&s, "52.4 MB", false); /* another node's figures are not its own */
    press(&s, KEY_ESCAPE);
    assert_int_equal(s.m.view, VIEW_CLUSTER);
    end(&s);
}

/* A mirror that is not in sync holds something else than the queue; what a node that fell silent holds, and
 * who is connected to it, nobody says now. */
static void node_detail_of_what_is_not_told(void **state)
{
    (void)state;
    struct watched s;
    details(&s);
    press(&s, '1');
    press(&s, 'l');
    press(&s, 'l');
    press(&s, KEY_RETURN);
    says(&s, "u mirrior_hello  6 copied, not in sync", true);
    s.t.s->queues[0].sync_messages = -1; /* no copying runs */
    s.t.s->queues[0].messages = 29;
    s.t.s->taken_at += 750;
    look(&s);
    says(&s, "u mirrior_hello  not in sync", true);
    says(&s, "29", false);
    s.t.s->queues[0].synced = s.t.s->queues[0].mirrors; /* it is, and goes on being served */
    s.t.s->nodes[2].connections = 2;
    s.t.s->taken_at += 750;
    look(&s);
    says(&s, "m mirrior_hello  29", true);
    s.t.s->nodes[2].answers = false; /* its process was stopped; the others have not noticed yet */
    s.t.s->queues[0].messages = 31;
    s.t.s->taken_at += 750;
    look(&s);
    says(&s, "NO ANSWER", true);
    says(&s, "connections  ? (was 2)", true);
    says(&s, "m mirrior_hello  ? (was 29)", true);
    press(&s, '1'); /* and its card */
    says(&s, "|m mirrior_hello    had 29|", true);
    press(&s, KEY_RETURN);
    s.t.s->nodes[2].state = NODE_NOT_RUNNING; /* killed, or they have */
    s.t.s->queues[0].mirrors = s.t.s->queues[0].synced = 0;
    s.t.s->taken_at += 750;
    look(&s);
    says(&s, "connections  ? (was 2)", true);
    says(&s, "! mirrior_hello  ? (was m, 29)", true);
    end(&s);
}

/* The master is frozen: nobody counts the queue, and no copy says what it holds; what was said last it had.
 */
static void cards_of_a_master_that_is_silent(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "mirrior_hello");
    s.t.s->queues[0].mirrors = s.t.s->queues[0].synced = 2;
    s.t.s->queues[0].messages = s.t.s->queues[0].was_messages = 29;
    look(&s);
    says(&s, "|M mirrior_hello       29||m mirrior_hello        29|", true);
    s.t.s->nodes[0].answers = false;
    s.t.s->queues[0].messages = s.t.s->queues[0].ready = s.t.s->queues[0].unacked = -1;
    look(&s);
    says(&s, "|M mirrior_hello   had 29||m mirrior_hello    had 29|", true);
    press(&s, KEY_RETURN); /* the queue's page: it is the master still, as far as anybody says */
    says(&s, " master       node1\n", true);
    says(&s, "(was master)", false);
    end(&s);
}

/* Each queue's row can be told from the others, also where its name is cut. */
static void names_differ(struct watched *s, int width, int height, const char *before)
{
    char *frame = model_frame(&s->m, width, height);
    for (int i = 199; i > 190; i--) {
        char *name = format_text("%s%d", before, i);
        assert_contains(frame, name);
        free(name);
    }
    free(frame);
}

/* As large as it gets: every queue can be reached, the selected one is in sight, and a frame takes a moment.
 */
static void two_hundred_queues(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 10, "q000");
    struct snapshot *next = s.t.s;
    struct queue_seen one = next->queues[0];
    free(next->queues);
    next->queues = xcalloc(200, sizeof(*next->queues));
    for (int i = 0; i < 200; i++) {
        struct queue_seen *q = &next->queues[i];
        *q = one;
        q->name = format_text(i >= 150 ? "镜像队列-%03d" : "q%03d", i);
        q->effective_definition = xstrdup("{}");
        q->policy = xstrdup("all");
        q->master = i % 10;
        q->mirrors = 0x3ff & ~(1u << q->master);
        q->synced = i % 3 ? q->mirrors : q->mirrors & 0x155;
    }
    next->queues_len = 200;
    free(one.name);
    free(one.effective_definition);
    story_down(&s.t, 9, 0);
    look(&s);
    check(&s, "large-80x24", 80, 24);
    check(&s, "large-160x45", 160, 45);
    for (int i = 0; i < 199; i++)
        press(&s, 'j');
    check(&s, "large-last-80x24", 80, 24);
    names_differ(&s, 80, 24, "..-");
    names_differ(&s, 160, 45, "镜像队列-");
    press(&s, KEY_RETURN);
    says(&s, "镜像队列-199", true);
    press(&s, 'l');
    check(&s, "large-node-80x24", 80, 24);
    press(&s, '1');
    struct timespec from, to;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < 50; i++) {
        look(&s); /* a round's answers, and the frame after it */
        free(model_frame(&s.m, 160, 45));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double each = ((double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6) / 50;
    print_message("  200 queues on 10 nodes: %.2f ms a round and frame\n", each);
    assert_true(each < 50);
    end(&s);
}

/* Everything at every size: nothing outside, nothing that stops the program; ASan looks on. */
static void every_size(void **state)
{
    (void)state;
    static const int keys[] = {'1', '3', 'e', KEY_RETURN, 'l', KEY_PAGE_DOWN};
    struct watched s;
    details(&s);
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        press(&s, keys[k]);
        for (int width = 1; width <= 170; width += 13)
            for (int height = 1; height <= 50; height += 3)
                free(model_frame(&s.m, width, height));
    }
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_detail),
        cmocka_unit_test(node_detail),
        cmocka_unit_test(node_detail_of_what_is_not_told),
        cmocka_unit_test(cards_of_a_master_that_is_silent),
        cmocka_unit_test(two_hundred_queues),
        cmocka_unit_test(every_size),
    };
    setenv("TZ", "UTC", 1); /* the times in the frames */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
