/* test_account.c: after a lesson's last step the screen says what became of the queues, from what was seen:
 * what is lost, who took over, and what of it stays when more is played. On the model alone. */
#include "tests/screen/support.h"

#include "commands.h"

/* After the last step the screen says where the messages are, from what was seen: nobody wrote it down. */
static void what_became_of_the_queues(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    show(&m, l, (const char *const[]){"rest", NULL});
    char *frame = model_frame(&m, 80, 24); /* every node runs: nothing to say */
    assert_lacks(frame, "out of reach");
    assert_lacks(frame, "took over");
    free(frame);
    model_finish(&m);
    show(&m, l, (const char *const[]){"rest", "stopped", NULL});
    assert_frame_contains(&m, "\n hello: 100000 messages are out of reach: their only copy is on node1.");
    assert_frame_contains(&m, "\n mirrior_hello: node2 took over from node1");
    struct snapshot *s = snapshot_clone(m.snapshot);
    struct event_seen *e = NULL;
    for (size_t i = 0; i < s->events_len; i++)
        e = strcmp(s->events[i].kind, "promote") == 0 ? &s->events[i] : e;
    assert_non_null(e);
    free(e->text);
    e->text = xstrdup("mirrior_hello: node2 promoted, NOT in sync, 5 messages");
    model_observe(&m, s);
    assert_frame_contains(&m, "took over from node1 though NOT in sync: it lacks some.");
    snapshot_destroy(s);
    model_finish(&m);
    sketch_destroy(l);
}

/* node1 has come back: hello without its message, mirrior_hello with another master. */
static struct snapshot *node1_back(void)
{
    struct snapshot *s = load_snapshot("rest"), *then = load_snapshot("stopped");
    s->number = then->number + 1;
    s->taken_at = then->taken_at + 5000;
    for (size_t i = 0; i < s->queues_len; i++) {
        struct queue_seen *q = &s->queues[i];
        bool mirrored = strcmp(q->name, "mirrior_hello") == 0;
        q->messages = q->ready = mirrored ? q->messages : 0;
        q->master = mirrored ? 1 : q->master;
        q->mirrors = q->synced = mirrored ? 4 : 0;
    }
    for (size_t i = 0; i < s->events_len;
         i++) /* as on RabbitMQ, which does not say how level the mirror was */
        if (strcmp(s->events[i].kind, "promote") == 0)
            s->events[i].text[0] = '-';
    snapshot_destroy(then);
    return s;
}

/* RabbitMQ's nodes note nothing of what they hand out; a consumer of this screen printed it. */
static void what_was_kept_a_consumer_printed(void **state)
{
    (void)state;
    for (int printed = 0; printed <= 1; printed++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        char *argv[] = {"consumer", "--queue", "mirrior_hello", NULL};
        struct command c = {.argv = argv};
        l->number = 7;
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, STEP_SEEN, "so");
        show(&m, l, (const char *const[]){"rest", "stopped", NULL});
        text_add(&c.output, printed ? "connected\nreceived: Hello World\n" : "connected\n");
        model_received(&m, &c);
        for (int i = 0; i < 3; i++) {
            struct snapshot *s = node1_back();
            for (size_t q = 0; q < s->queues_len; q++)
                s->queues[q].messages = s->queues[q].was_messages = s->queues[q].ready = 0;
            s->number += (uint64_t)i;
            model_observe(&m, s);
            snapshot_destroy(s);
        }
        char *account = account_text(&m);
        assert_contains(
            account, printed ? "mirrior_hello: node2 took over from node1, in sync: all kept, then consumed."
                             : "mirrior_hello: node2 took over from node1, in sync: all kept, then emptied.");
        free(account);
        text_finish(&c.output);
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* When the node is back, what was lost and what was kept is still said, on a small screen, too. */
static void what_was_lost_is_said_at_the_end(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        const char *name;
    } sizes[] = {{80, 24, "ending-80x24"}, {60, 16, "ending-60x16"}, {40, 12, "ending-40x12"}};
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    show(&m, l, (const char *const[]){"rest", "stopped", NULL});
    struct snapshot *s = node1_back();
    model_observe(&m, s);
    m.now = s->taken_at;
    assert_frame_contains(
        &m, "\n hello: 100000 messages are lost: their only copies were on node1, in memory\n alone.");
    assert_frame_contains(&m,
                          "\n mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *frame = model_frame(&m, sizes[i].width, sizes[i].height);
        check_frame(sizes[i].name, frame);
        assert_contains(frame, "All 5 steps were seen.");
        free(frame);
    }
    s->taken_at += 4000; /* counts that come late: they were there all the time */
    s->queues[0].messages = 100000;
    model_observe(&m, s);
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "lost");
    free(frame);
    snapshot_destroy(s);
    model_finish(&m);
    sketch_destroy(l);
}

/* What is played after the lesson's end is no part of its account. */
static void what_is_done_later_changes_nothing(void **state)
{
    (void)state;
    static const char lost[] =
        "\n hello: 100000 messages are lost: their only copies were on node1, in memory\n alone.";
    for (int acts = 0; acts < 2; acts++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        l->number = 7;
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, STEP_SEEN, "so");
        show(&m, l, (const char *const[]){"rest", "stopped", NULL});
        struct snapshot *s = node1_back();
        model_observe(&m, s);
        m.now = s->taken_at;
        assert_frame_contains(&m, lost);
        if (acts) /* at once */
            model_ran(
                &m, command_of((const char *const[]){"producer", "--queue", "hello", NULL}, COMMAND_OF_KEY));
        else
            s->taken_at += 11000; /* or when all is known that led to the end */
        model_observe(&m, s);
        s->taken_at += 1000;
        s->queues[0].messages = 100000;
        s->queues[1].master = -1;
        model_observe(&m, s);
        m.now = s->taken_at;
        assert_frame_contains(&m, lost);
        assert_frame_contains(
            &m, "\n mirrior_hello: node2 took over from node1; its copy was in sync: all kept.");
        l->steps[0].state = STEP_OPEN; /* it begins again */
        model_observe(&m, s);
        char *account = account_text(&m);
        assert_null(strstr(account ? account : "", "took over")); /* nobody serves it now */
        free(account);
        snapshot_destroy(s);
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* A lesson that one comes back to: its account is as it was, but what the nodes do not tell any more is not
 * pointed to. */
static void an_old_account_points_to_nothing_that_is_gone(void **state)
{
    (void)state;
    static const char *const kept[] = {"%s: 1 message is lost; 3 shows where.",
                                       "%s: %lld messages are lost; 3 shows where."},
                             *const shown[] = {" hello: 1 message is lost.\n",
                                               " hello: 5 messages are lost.\n"};
    for (size_t k = 0; k < ARRAY_LEN(kept); k++) {
        struct lesson *l = sketch_lesson();
        struct model m;
        for (size_t i = 0; i < l->steps_len; i++)
            sketch_step(l, i, STEP_SEEN, "so");
        l->account = json_pack("[sss]", kept[k], "hello", "5");
        show(&m, l, (const char *const[]){"rest", NULL});
        assert_frame_contains(&m, shown[k]);
        l->nodes = 1; /* of three: it is over, and does not ask to be begun */
        m.next_lesson = 8;
        assert_frame_contains(&m, "\nN goes on to the next lesson, B begins this one again, q leaves.");
        model_finish(&m);
        sketch_destroy(l);
    }
}

/* The lesson is over, and then more is lost of what it says was kept: that stands below it. What the account
 * tells of already is not lost once more. */
static void what_is_lost_later_stands_below(void **state)
{
    (void)state;
    static const char kept[] =
        "mirrior_hello: node2 took over from node1, in sync: all kept, then consumed.\n"
        "hello: 1 message is lost: its only copy was on node1, in memory alone.";
    struct lesson *l = sketch_lesson();
    struct model m;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    l->account =
        json_pack("[s[ssss][sss]]", "%s\n%s", "%s: %s took over from %s, in sync: all kept, then consumed.",
                  "mirrior_hello", "node2", "node1",
                  "%s: 1 message is lost: its only copy was on %s, in memory alone.", "hello", "node1");
    show(&m, l, (const char *const[]){"rest", NULL});
    ledger_take_up_loss(&m.ledger, "hello", (struct loss){.uid = 8, .node = 0}, "back without it");
    char *account = account_text(&m);
    assert_string_equal(account, kept);
    free(account);
    ledger_take_up_loss(&m.ledger, "mirrior_hello", (struct loss){.uid = 7, .first = 1, .last = 4, .node = 2},
                        "back without it");
    account = account_text(&m);
    char *wanted = format_text("%s\nSince then: mirrior_hello: 4 messages are lost.", kept);
    assert_string_equal(account, wanted);
    free(account);
    free(wanted);
    model_finish(&m);
    sketch_destroy(l);
}

static void forget_events(struct snapshot *s)
{
    for (size_t i = 0; i < s->events_len; i++) {
        free(s->events[i].kind);
        free(s->events[i].node);
        free(s->events[i].text);
        json_decref(s->events[i].fact);
    }
    s->events_len = 0;
}

/* A message that was kept when node2 took over and lost when all nodes had gone is told of, also while
 * another queue is looked at, and "all kept" is not; one of an earlier queue of that name is none of this
 * one's. */
static void what_was_lost_after_a_taking_over(void **state)
{
    (void)state;
    static const struct {
        const char *queue;
        struct loss loss;
    } seen[] = {{"mirrior_hello", {.uid = 7, .first = 0, .last = 0, .node = 1}},
                {"mirrior_hello", {.uid = 7, .first = 1, .last = 3, .node = 1}},
                {"hello", {.uid = 8, .first = 0, .last = 0, .node = 0}}};
    static const char *const lines[] = {
        "mirrior_hello: node2 took over from node1.\nmirrior_hello: 1 message is lost.",
        "mirrior_hello: node2 took over from node1.\nmirrior_hello: 4 messages are lost.",
        "mirrior_hello: node2 took over from node1.\nmirrior_hello: 4 messages are lost.",
        "mirrior_hello: node2 took over from node1; its copy was in sync: all kept."};
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    see(&m, "stopped");
    model_select_queue(&m, "hello");
    struct snapshot *s = snapshot_clone(m.snapshot);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (i < ARRAY_LEN(seen))
            ledger_take_up_loss(&m.ledger, seen[i].queue, seen[i].loss, "back without it");
        else
            ledger_know_name(&m.ledger, "mirrior_hello", 9);
        model_observe(&m, s);
        char *account = account_text(&m);
        assert_contains(account, lines[i]);
        free(account);
    }
    snapshot_destroy(s);
    model_finish(&m);
}

/* Lost in more runs than are kept one by one: they are counted still, but not with which side they went. */
static void every_loss_counts(void **state)
{
    (void)state;
    enum { RUNS = 40 };
    struct ledger l = {.uid = 7};
    struct snapshot *s = load_snapshot("rest");
    ledger_know_name(&l, "hello", 7);
    for (uint64_t i = 0; i < RUNS; i++)
        VEC_PUSH(&l.fates,
                 (struct fate_range){.first = 3 * i, .last = 3 * i + 1, .fate = {.verdict = VERDICT_LOST}});
    for (int again = 0; again < 2; again++)
        ledger_keep_losses(&l, s);
    assert_true(l.losses.len < RUNS);
    assert_int_equal(ledger_lost_of(&l, "hello", false), 2 * RUNS);
    assert_int_equal(ledger_lost_of(&l, "hello", true), -1);
    ledger_know_name(&l, "hello", 8); /* a new queue of that name */
    assert_int_equal(ledger_lost_of(&l, "hello", false), 0);
    snapshot_destroy(s);
    ledger_finish(&l);
}

/* node2 from node1, node1 being back then node3 from node2: each is told, and that one was not in sync. */
static void one_after_the_other_took_over(void **state)
{
    (void)state;
    for (int level = 0; level < 3; level++) { /* 2: and then it was emptied */
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest");
        struct queue_seen *q = NULL;
        for (size_t i = 0; i < s->queues_len; i++)
            q = strcmp(s->queues[i].name, "mirrior_hello") == 0 ? &s->queues[i] : q;
        assert_non_null(q);
        forget_events(s);
        for (int master = 0; master < 3; master++) {
            for (int n = 0; n < 3; n++)
                s->nodes[n].answers = n != master - 1;
            q->master = master;
            q->mirrors = q->synced = master == 1 && !level ? 0 : (node_bits)7 & ~((node_bits)1 << master);
            model_observe(&m, s);
        }
        if (level == 2) {
            q->messages = q->ready = 0;
            model_observe(&m, s);
        }
        static const char *const ends[] = {".", "; each copy was in sync: all kept.",
                                           "; each copy was in sync: all kept, then emptied."};
        char *account = account_text(&m);
        char *wanted =
            format_text("mirrior_hello: node2 took over from node1, then node3 from node2%s", ends[level]);
        assert_contains(account, wanted);
        free(wanted);
        free(account);
        snapshot_destroy(s);
        model_finish(&m);
    }
}

/* How many were kept is said where both masters counted as many, and their nodes count at once. */
static void how_many_were_kept(void **state)
{
    static const struct {
        node_bits traces;
        int64_t before, after, there;
        const char *end;
    } seen[] = {{7, 5, 5, 5, "; its copy was in sync: all 5 kept."},
                {7, 5, 5, 4, "; its copy was in sync: all 5 kept, 4 there now."},
                {7, 5, 5, 0, ", in sync: all 5 kept, then emptied."},
                {7, 5, 5, 9, "; its copy was in sync: all 5 kept."},
                {7, 1, 1, 1, "; its copy was in sync: 1 kept."},
                {7, 5, 6, 6, "; its copy was in sync: all kept."},
                {7, 5, 4, 4, "; its copy was in sync: all kept."},
                {7, -1, 5, 5, "; its copy was in sync: all kept."},
                {0, 5, 5, 5, "; its copy was in sync: all kept."}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest");
        struct queue_seen *q = NULL;
        for (size_t k = 0; k < s->queues_len; k++)
            q = strcmp(s->queues[k].name, "mirrior_hello") == 0 ? &s->queues[k] : q;
        assert_non_null(q);
        forget_events(s);
        s->traces = seen[i].traces;
        q->messages = seen[i].before;
        model_observe(&m, s);
        s->nodes[0].answers = false;
        q->master = 1;
        q->mirrors = q->synced = 4;
        q->messages = -1; /* it has not counted yet */
        model_observe(&m, s);
        q->messages = seen[i].after;
        model_observe(&m, s);
        q->messages = seen[i].there;
        model_observe(&m, s);
        char *account = account_text(&m);
        char *wanted = format_text("mirrior_hello: node2 took over from node1%s", seen[i].end);
        assert_contains(account, wanted);
        free(wanted);
        free(account);
        snapshot_destroy(s);
        model_finish(&m);
    }
}

/* A mirror that was not in sync when its master went keeps less than all, whoever tells of it. */
static void who_was_not_level_is_not_called_so(void **state)
{
    (void)state;
    struct lesson *l = sketch_lesson();
    struct model m;
    l->number = 7;
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    model_init(&m, l, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    for (size_t i = 0; i < s->queues_len; i++)
        s->queues[i].synced = 0;
    model_observe(&m, s);
    snapshot_destroy(s);
    s = load_snapshot("stopped");
    model_observe(&m, s);
    snapshot_destroy(s);
    s = node1_back();
    model_observe(&m, s);
    snapshot_destroy(s);
    assert_frame_contains(&m, "\n mirrior_hello: node2 took over from node1.");
    model_finish(&m);
    sketch_destroy(l);
}

/* Of a lab of one node nobody is left to tell that it stopped, but for its log: hello's messages go with it.
 * That nobody answers is no reason to call anything lost. */
static void what_the_only_node_lost(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct model m;
        struct event_seen heard[] = {{.seq = 1, .kind = "node", .text = "node1 is up"},
                                     {.seq = 2, .kind = "node", .text = "node1 was stopped"}};
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest"), alone = *s;
        struct queue_seen hello = *snapshot_queue(s, "hello");
        alone.nodes_len = alone.queues_len = 1;
        alone.queues = &hello;
        alone.events = heard;
        alone.events_len = 1;
        alone.traces = 0;
        alone.trace_len = alone.copies_len = 0;
        model_observe(&m, &alone);
        alone.source = -1; /* silence */
        alone.nodes[0].answers = false;
        alone.nodes[0].state = NODE_UNKNOWN;
        alone.events_len += (size_t)stopped;
        hello.state = QUEUE_SEEN_UNKNOWN;
        hello.was_messages = hello.messages;
        hello.messages = -1;
        hello.master = -1;
        model_observe(&m, &alone);
        assert_null(account_text(&m));
        alone.source = 0; /* it is back, with nothing */
        alone.nodes[0].answers = true;
        alone.nodes[0].state = NODE_UP;
        hello.state = QUEUE_SEEN_RUNNING;
        hello.messages = 0;
        hello.master = 0;
        model_observe(&m, &alone);
        char *account = account_text(&m);
        if (stopped)
            assert_string_equal(
                account,
                "hello: 100000 messages are lost: their only copies were on node1, in memory alone.");
        else
            assert_null(account);
        free(account);
        model_finish(&m);
        snapshot_destroy(s);
    }
}

/* It is known at once, and kept some seconds later: until then nodes may still count. */
static void it_is_told_before_it_is_kept(void **state)
{
    (void)state;
    struct lesson *l = sketch_two_proved();
    struct model m;
    show(&m, l, (const char *const[]){"rest", "stopped", NULL});
    assert_null(account_so_far(&m));
    for (size_t i = 0; i < l->steps_len; i++)
        sketch_step(l, i, STEP_SEEN, "so");
    see(&m, "stopped");
    assert_null(l->account);
    json_t *so_far = account_so_far(&m);
    char *text = fact_text(so_far, NULL), *shown = account_text(&m);
    assert_contains(text, "mirrior_hello: node2 took over from node1");
    assert_string_equal(text, shown);
    json_decref(so_far);
    account_keep(&m, true);
    so_far = account_so_far(&m);
    assert_true(so_far == l->account);
    json_decref(so_far);
    free(text);
    free(shown);
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_became_of_the_queues),
        cmocka_unit_test(what_was_kept_a_consumer_printed),
        cmocka_unit_test(what_was_lost_is_said_at_the_end),
        cmocka_unit_test(what_is_done_later_changes_nothing),
        cmocka_unit_test(an_old_account_points_to_nothing_that_is_gone),
        cmocka_unit_test(what_is_lost_later_stands_below),
        cmocka_unit_test(what_was_lost_after_a_taking_over),
        cmocka_unit_test(every_loss_counts),
        cmocka_unit_test(one_after_the_other_took_over),
        cmocka_unit_test(how_many_were_kept),
        cmocka_unit_test(who_was_not_level_is_not_called_so),
        cmocka_unit_test(what_the_only_node_lost),
        cmocka_unit_test(it_is_told_before_it_is_kept),
    };
    return cmocka_run_group_tests_name("screen/account", tests, NULL, NULL);
}
