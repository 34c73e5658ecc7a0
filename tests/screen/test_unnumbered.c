/* test_unnumbered.c: view 3 where nodes number no messages, as RabbitMQ's: what looking at the queue, and the
 * nodes' logs, told of it, and of nothing else. */
#include "tests/screen/watched.h"

static void told(struct watched *s, const char *node, const char *kind, int64_t at_us, const char *text)
{
    story_event(&s->t, kind, at_us, text);
    struct snapshot *now = s->t.s;
    for (size_t i = 0; node && i < now->events_len; i++)
        if (strcmp(now->events[i].text, text) == 0 && !now->events[i].node)
            now->events[i].node = xstrdup(node);
}

static void begins(struct watched *s)
{
    begin(s, 3, "hello");
    s->t.s->traces = 0;
}

/* "no mirror in sync, so it stops with its master on node3" is no mirror in sync. */
static void no_mirror_in_sync(void **state)
{
    (void)state;
    struct watched s;
    begins(&s);
    told(&s, NULL, "mirror", 500000, "hello on node2 in sync");
    look(&s);
    press(&s, '3');
    says(&s, "m mirror in sync", true);
    end(&s);
    begins(&s);
    told(&s, "node3", "queue", 500000, "hello: no mirror in sync, so it stops with its master on node3");
    told(&s, NULL, "mirror", 900000, "mirror of hello on node2 added");
    told(&s, NULL, "promote", 1900000, "hello: node2 promoted, NOT in sync: 57 messages before, now 0");
    look(&s);
    press(&s, '3');
    says(&s, "u mirror added", true);
    says(&s, "mirror in sync", false);
    says(&s, "M promoted", false); /* its log told of that */
    end(&s);
}

/* node1 was stopped in order: the others call it down 13 ms before it says so itself, while it still answers.
 */
static void an_orderly_stop_is_one_row(void **state)
{
    (void)state;
    struct watched s;
    begins(&s);
    look(&s);
    told(&s, NULL, "queue", 100000, "hello declared on node1");
    told(&s, "node2", "node", 9237000, "node1 is down");
    told(&s, "node1", "node", 9250000, "node1 was stopped");
    look(&s);
    press(&s, '3');
    says(&s, "X stopped", true);
    says(&s, "no link to", false);
    says(&s, "is down", false);
    end(&s);
    begins(&s); /* whom others call down, and who says nothing of a stop and answers, was cut off */
    look(&s);
    told(&s, NULL, "queue", 100000, "hello declared on node1");
    told(&s, "node2", "node", 9237000, "node1 is down");
    look(&s);
    press(&s, '3');
    says(&s, "no link to node1", true);
    end(&s);
}

/* The queue was born later than the screen; another one's changes are not its own; no message has a number.
 */
static void only_the_queues_own_changes(void **state)
{
    (void)state;
    struct watched s;
    begins(&s);
    told(&s, "node2", "node", 100000, "node3 is down");
    told(&s, NULL, "count", 5100000, "mirrior_hello holds 3 messages");
    told(&s, NULL, "queue", 10000000, "hello declared on node1");
    told(&s, NULL, "count", 12000000, "mirrior_hello holds 7 messages");
    told(&s, NULL, "count", 12500000, "hello holds 2 messages");
    told(&s, NULL, "mirror", 15000000, "mirror of hello on node2 added");
    look(&s);
    press(&s, '3');
    says(&s, "Messages of hello, from 21:04:20.000 on", true);
    says(&s, "5.0 s, no event for this queue (e: expand)", true);
    says(&s, "#1", false);
    press(&s, 'e');
    says(&s, "hello holds 2 messages", true);
    says(&s, "mirrior_hello", false);
    end(&s);
}

/* There is no message to go to: the page keys go through the rows, as everywhere. */
static void the_page_keys_scroll(void **state)
{
    (void)state;
    struct watched s;
    begins(&s);
    told(&s, NULL, "queue", 100000, "hello declared on node1");
    for (int i = 1; i < 20; i++) {
        char text[64];
        snprintf(text, sizeof(text), i % 2 ? "mirror of hello on node%d added" : "hello on node%d in sync",
                 2 + i % 3 / 2);
        told(&s, NULL, "mirror", 100000 + i * 5000000, text);
    }
    look(&s);
    press(&s, '3');
    says(&s, ", 0 below", true);
    says(&s, "M declared", false);
    press(&s, KEY_PAGE_UP);
    says(&s, ", 10 below", true);
    press(&s, KEY_PAGE_DOWN);
    says(&s, ", 0 below", true);
    for (int i = 0; i < 8; i++)
        press(&s, KEY_PAGE_UP);
    says(&s, "M declared", true);
    end(&s);
}

/* RabbitMQ 3.10's lists: node1 was stopped in order, and no mirror may take over: it goes on listing both
 * mirrors, in sync, and neither policy nor counts. Their processes are gone: they are added anew afterwards.
 */
static void a_stopped_queues_mirrors_nobody_tells(void **state)
{
    (void)state;
    for (int kit = 0; kit <= 1; kit++) {
        struct watched s;
        begins(&s);
        struct queue_seen *q = &s.t.s->queues[0];
        s.t.s->traces = kit ? 7 : 0;
        q->policy = xstrdup("ha");
        q->mirrors = q->synced = 6;
        look(&s);
        says(&s, "M  m  m   +2            ha\n", true);
        story_down(&s.t, 0, 1000000);
        q->state = QUEUE_SEEN_STOPPED;
        q->messages = q->ready = q->unacked = -1;
        free(q->policy);
        q->policy = NULL;
        look(&s);
        says(&s, "STOPPED       ?     ?  !  ?  ?   ?             ?\n", !kit);
        says(&s, "STOPPED       ?     ?  !  m  m   +2            -\n", kit);
        model_show(&s.m, VIEW_QUEUE);
        says(&s, " mirrors      ?\n", !kit);
        end(&s);
    }
}

/* ha-promote-on-failure when-synced, the only mirror that runs is not in sync: RabbitMQ gives the queue no
 * state. The line below the table says why, and nothing says that old figures are a second old. */
static void no_state_and_why(void **state)
{
    (void)state;
    struct watched s;
    struct labdir lab = {.engine = ENGINE_RABBITMQ, .nodes_len = 3};
    begins(&s);
    s.m.lab = &lab;
    struct queue_seen *q = &s.t.s->queues[0];
    q->mirrors = 6;
    q->synced = 2;
    look(&s);
    story_down(&s.t, 0, 1000000);
    story_down(&s.t, 1, 1000000);
    q->state = QUEUE_SEEN_UNKNOWN;
    q->messages = q->ready = q->unacked = -1;
    q->mirrors = 4;
    q->synced = 0;
    s.t.s->source = 2;
    look(&s);
    says(&s, "\n hello: its master node1 does not run, no mirror is in sync", true);
    model_show(&s.m, VIEW_QUEUE);
    says(&s, "?: ? ready, ? unacknowledged; was 10\n", true);
    says(&s, "about a second before", false);
    s.m.lab = NULL;
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_mirror_in_sync),
        cmocka_unit_test(an_orderly_stop_is_one_row),
        cmocka_unit_test(only_the_queues_own_changes),
        cmocka_unit_test(the_page_keys_scroll),
        cmocka_unit_test(a_stopped_queues_mirrors_nobody_tells),
        cmocka_unit_test(no_state_and_why),
    };
    return cmocka_run_group_tests_name("screen/unnumbered", tests, NULL, NULL);
}
