/* test_queue_page.c: what the page of a queue says of what went through it, and since when that is known; and
 * what of a document it does not show. */
#include "tests/screen/watched.h"

/* hello on node1, with nothing in it; its page is open */
static void begin_page(struct watched *s, json_t *stats)
{
    begin(s, 3, "hello");
    struct queue_seen *q = &s->t.s->queues[0];
    q->publish_rate = q->deliver_rate = -1;
    s->t.s->details = json_pack("{s:{s:s, s:n, s:[s], s:o*}}", "queue", "name", "hello", "operator_policy",
                                "recoverable_slaves", "node1", "message_stats", stats);
    look(s);
    model_show(&s->m, VIEW_QUEUE);
}

static void page_says(struct watched *s, const char *part, bool expected)
{
    char *frame = model_frame(&s->m, 80, 30);
    assert_contains_(frame, part, expected, __FILE__, __LINE__);
    free(frame);
}

/* A master's figures begin at nothing with it: that it has counted nothing does not say that there was
 * nothing. */
static void nothing_is_said_since_when(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, NULL);
    page_says(&s, " rates        nothing in or out since node1 serves it; before that: ?\n", true);
    story_event(&s.t, "queue", 1000000, "queue hello declared on node1");
    look(&s);
    page_says(&s, " rates        nothing went in or out so far\n", true);
    story_event(&s.t, "queue", 5000000, "hello is back on node1, 0 messages");
    story_event(&s.t, "queue", 5000000, "hello2 is back on node1, 0 messages");
    look(&s);
    page_says(&s, " rates        nothing in or out since node1 is back (21:04:15)\n", true);
    story_event(&s.t, "promote", 7000000, "hello: node10 promoted, in sync, 0 messages");
    look(&s);
    page_says(&s, "is back (21:04:15)", true); /* that is about another node */
    story_event(&s.t, "promote", 7000000, "hello: node1 promoted, in sync, 0 messages");
    look(&s);
    page_says(&s, " rates        nothing in or out since node1 took over (21:04:17)\n", true);
    s.t.s->queues[0].messages = -1; /* its master does not answer: then nobody tells of it */
    look(&s);
    page_says(&s, " rates        ?\n", true);
    s.t.s->queues[0].messages = 10;
    look(&s);
    page_says(&s, " rates        nothing in or out since node1 took over (21:04:17)\n", true);
    s.t.s->traces = 0; /* RabbitMQ's may be told to count nothing */
    look(&s);
    page_says(&s, " rates        ?\n", true);
    end(&s);
}

/* RabbitMQ counts where its clients are, not in the master: who took over changes nothing of it. */
static void rabbitmq_counts_by_name(void **state)
{
    (void)state;
    for (int rabbitmq = 0; rabbitmq <= 1; rabbitmq++) {
        struct watched s;
        begin_page(&s, json_pack("{s:i}", "publish", 20000));
        s.t.s->traces = rabbitmq ? 0 : s.t.s->traces;
        story_event(&s.t, "promote", 7000000, "hello: node1 promoted");
        look(&s);
        page_says(&s, "\n              as node1 has counted since it took over\n", !rabbitmq);
        page_says(&s, "\n              as its clients' nodes have counted this name since they began\n",
                  rabbitmq);
        end(&s);
    }
}

/* The age in the first row is that of an answer; what RabbitMQ answers it has added up some time before. */
static void rabbitmqs_figures_are_older(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, NULL);
    page_says(&s, "as RabbitMQ added them up", false);
    s.m.lab = &(struct labdir){.engine = ENGINE_RABBITMQ};
    page_says(
        &s, "0 unacknowledged\n              as RabbitMQ added them up, about a second before it was asked\n",
        true);
    s.m.lab = NULL;
    end(&s);
}

/* JSON for nothing is no answer to what is in effect. */
static void no_policy_is_said_in_words(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, NULL);
    struct queue_seen *q = &s.t.s->queues[0];
    static const char *const definitions[] = {"{}", "{\"ha-mode\":\"all\"}"},
                             *const words[] = {" in effect    no rule of a policy\n",
                                               " in effect    {\"ha-mode\":\"all\"}\n"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        free(q->effective_definition);
        q->effective_definition = xstrdup(definitions[i]);
        look(&s);
        page_says(&s, words[i], true);
        page_says(&s, "{}", false);
    }
    end(&s);
}

static void figures_are_said_since_when(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, json_pack("{s:i}", "publish", 3));
    page_says(&s, "in  (3 so far)\n              as node1 has counted since it serves it\n", true);
    story_event(&s.t, "queue", 1000000, "queue hello declared on node1");
    look(&s);
    page_says(&s, "in  (3 so far)\n", true);
    page_says(&s, "as node1 has counted", false); /* that is all */
    story_event(&s.t, "queue", 5000000, "hello is back on node1, 0 messages");
    look(&s);
    page_says(&s, "in  (3 so far)\n              as node1 has counted since it is back\n", true);
    end(&s);
}

/* RabbitMQ alone has operators' policies; which mirrors it would fill again nobody needs to know here. */
static void what_nobody_tells_has_no_row(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, NULL);
    page_says(&s, "operator's", false);
    page_says(&s, "op. policy", false);
    page_says(&s, "recoverable", false);
    json_object_set_new(json_object_get(s.t.s->details, "queue"), "operator_policy", json_string("limits"));
    look(&s);
    page_says(&s, " operator's   limits\n", true);
    json_object_del(json_object_get(s.t.s->details, "queue"), "operator_policy"); /* of one that is stopped */
    look(&s);
    page_says(&s, "operator's", false);
    end(&s);
}

/* What has no room is scrolled: the title stays, and what is said of the rest has a row of its own. */
static void a_page_that_is_scrolled(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, json_pack("{s:i}", "publish", 3));
    char *first = model_frame(&s.m, 60, 16);
    assert_contains(first, "\n- Queue hello ---");
    assert_non_null(strstr(first, " more (PgDn)"));
    const char *note = strstr(first, " more (PgDn)");
    while (note > first && note[-1] != '\n')
        note--;
    assert_int_equal(strspn(note, " 0123456789"), (size_t)(strstr(first, " more (PgDn)") - note) + 1);
    free(first);
    s.m.scroll = -2;
    char *then = model_frame(&s.m, 60, 16);
    assert_contains(then, "\n- Queue hello ---");
    assert_contains(then, " 2 above");
    free(then);
    end(&s);
}

/* Sockets are a figure of some nodes only. */
static void a_node_says_what_it_knows(void **state)
{
    (void)state;
    struct watched s;
    begin_page(&s, NULL);
    json_object_set_new(
        s.m.snapshot->details, "nodes",
        json_pack("{s:{s:s, s:i, s:i}}", "node1", "name", "node1", "fd_used", 27, "fd_total", 1024));
    model_show(&s.m, VIEW_NODE);
    page_says(&s, " files        27 of 1024 descriptors\n", true);
    page_says(&s, "copies away", false); /* it runs */
    end(&s);
}

/* A state has one word, in the table and on the page. */
static void a_state_has_one_word(void **state)
{
    static const struct {
        const char *seen, *word;
    } looks[] = {{"stopped", "STOPPED"}, {"down", "DOWN"}, {"rest", "running"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        see(&m, looks[i].seen);
        model_select_queue(&m, "hello");
        char *row = format_text(">hello           %s ", looks[i].word);
        char *title = format_text(" %s --\n", looks[i].word);
        assert_frame_contains(&m, row);
        model_show(&m, VIEW_QUEUE);
        assert_frame_contains(&m, title);
        free(row);
        free(title);
        model_finish(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_since_when),   cmocka_unit_test(figures_are_said_since_when),
        cmocka_unit_test(what_nobody_tells_has_no_row), cmocka_unit_test(a_page_that_is_scrolled),
        cmocka_unit_test(a_node_says_what_it_knows),    cmocka_unit_test(a_state_has_one_word),
        cmocka_unit_test(rabbitmq_counts_by_name),      cmocka_unit_test(rabbitmqs_figures_are_older),
        cmocka_unit_test(no_policy_is_said_in_words),
    };
    setenv("TZ", "UTC", 1); /* the times */
    return cmocka_run_group_tests_name("screen/queue_page", tests, NULL, NULL);
}
