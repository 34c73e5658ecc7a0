/* test_message.c: one message's life on the screen: whole frames against files that were looked at, and what
 * must not be drawn. */
#include "tests/screen/watched.h"

static void kept(void **state)
{
    (void)state;
    struct watched s;
    failover(&s);
    check(&s, "message-80x24", 80, 24);
    says(&s, "VERDICT", false); /* nothing was survived yet */
    taken_over(&s);
    story_fact(&s.t, TRACE_SEEN_SENT, 1, 9002500, 0, 9)->about = 2;
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 9003000, 0, 9);
    look(&s);
    check(&s, "message-delivered-80x24", 80, 24); /* nobody knows yet that the consumer has it */
    story_fact(&s.t, TRACE_SEEN_ACKED, 1, 9004000, 0, 9)->about = 2;
    story_holds(&s.t, 1, 'M', 1, 0);
    story_holds(&s.t, 2, 'm', 1, 0);
    look(&s);
    check(&s, "message-kept-80x24", 80, 24);
    check(&s, "message-kept-52x16", 52, 16);
    press(&s, 'e');
    check(&s, "message-expanded-80x24", 80, 24);
    end(&s);
}

/* The legend explains what is in the picture, and no more (test_legend.c has every sign). */
static void the_legend_explains_what_is_there(void **state)
{
    (void)state;
    struct watched s;
    failover(&s);
    says(&s, "\n o sent  * received  ~ inferred (not observed)  M m has it: master, mirror\n . has it not\n",
         true);
    story_fact(&s.t, TRACE_SEEN_VOID, 1, 2000000, 0, 9);
    s.t.s->nodes[0].answers = false;
    s.t.s->nodes[0].state = NODE_UNKNOWN;
    look(&s);
    says(&s, "drops its copy", true); /* says it itself */
    says(&s, "? no answer, or called down by others", true);
    end(&s);
}

/* Memory alone held it: what is known is said before its node is back, and the stop is the reason then. */
static void transient(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    s.t.s->trace[0].in_memory = true;
    story_published(&s.t, 0, 0, 500, 1, 1);
    s.t.s->trace[1].logged = true;
    story_holds(&s.t, 0, 'M', 0, 1);
    story_holds(&s.t, 1, '.', 1, 0);
    look(&s);
    press(&s, '3');
    story_down(&s.t, 0, 2000000);
    look(&s);
    check(&s, "message-transient-away-80x24", 80, 24);
    says(&s, "X stopped: memory alone held #1", true);
    says(&s, "LOST", false);
    press(&s, ']');
    says(&s, "persistent: its only copies are on node1, away. Known when node1 is back.", true);
    says(&s, "memory alone", false);
    press(&s, '[');
    story_up(&s.t, 0, 9000000);
    story_fact(&s.t, TRACE_SEEN_BACK, 0, 9000100, 1, 1)->count = 1;
    story_holds(&s.t, 0, 'M', 1, 1);
    look(&s);
    says(&s, "found lost", false); /* seen once */
    look(&s);
    check(&s, "message-transient-80x24", 80, 24);
    press(&s, '1');
    check(&s, "wide-transient-160x45", 160, 45); /* beside the cluster there is little room */
    press(&s, '3');
    press(&s, ']');
    says(&s, "| back with it, 1 message", true);
    end(&s);
}

/* Nobody says that it stopped: then it is lost only if it did. */
static void transient_and_silent(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 1, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    s.t.s->trace[0].in_memory = true;
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    press(&s, '3');
    s.t.s->nodes[0].answers = false;
    s.t.s->nodes[0].state = NODE_UNKNOWN;
    free(s.t.s->copies[--s.t.s->copies_len].held);
    look(&s);
    check(&s, "message-transient-silent-80x24", 80, 24);
    s.t.s->nodes[0].gone = true; /* no process of it is there */
    look(&s);
    says(&s, "on node1 (not running). Expected lost", true);
    end(&s);
}

/* Under "now" stands where this message is, not which parts its queue's nodes have. */
static void where_it_is_now(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 1);
    story_copied(&s.t, 1, 0, 400, 0, 1);
    story_holds(&s.t, 0, 'M', 0, 1);
    story_holds(&s.t, 1, 'm', 0, 1);
    look(&s);
    press(&s, '3');
    says(&s, "     #1 now                  M              m              .\n", true);
    says(&s, "M m has it: master, mirror  . has it not", true);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_ACKED, 0, 2000, 0, 0);
    story_holds(&s.t, 0, 'M', 1, 1);
    story_holds(&s.t, 1, 'm', 1, 1);
    look(&s);
    says(&s, "     #1 now                  .              .              .\n", true);
    press(&s, ']');
    says(&s, "     #2 now                  M              m              .\n", true);
    story_down(&s.t, 0, 3000000);
    look(&s);
    says(&s, "     #2 now                  !              m              .\n", true);
    says(&s, ". has it not\n ! had it, is away", true);
    end(&s);
}

/* A key that finds no other message says so, and where another queue's are. */
static void there_is_no_other(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    press(&s, '3');
    press(&s, ']');
    says(&s, "No other message of hello was seen.", true);
    says(&s, "Another queue's", false); /* there is none */
    s.t.s->queues = xrealloc(s.t.s->queues, 2 * sizeof(*s.t.s->queues));
    s.t.s->queues[1] = s.t.s->queues[0];
    s.t.s->queues[1].name = xstrdup("other");
    s.t.s->queues[1].effective_definition = xstrdup("{}");
    s.t.s->queues_len = 2;
    look(&s);
    says(&s, "Message #1 of hello, published 21:04:10.000 -------------- 1: another queue --", true);
    press(&s, '[');
    says(&s, "No other message of hello was seen. To see another queue's: 1, select it with", true);
    story_published(&s.t, 0, 0, 1000, 1, 1);
    story_holds(&s.t, 0, 'M', 0, 1);
    look(&s);
    press(&s, '[');
    says(&s, "This is the first message of hello.", true);
    press(&s, ']');
    says(&s, "message of hello.", false);
    press(&s, ']');
    says(&s, "This is the last message of hello.", true);
    end(&s);
}

/* An event has whole milliseconds: it does not stand before the moment that it tells of. */
static void effects_after_causes(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 1, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_fact(&s.t, TRACE_SEEN_AUTO_ACKED, 0, 5000400, 0, 0)->about = 0;
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 0, 5000600, 0, 0);
    story_holds(&s.t, 0, 'M', 1, 0);
    story_event(&s.t, "queue", 3000000, "hello is running");
    story_event(&s.t, "get", 5000000, "hello: 1 handed out");
    look(&s);
    press(&s, '3');
    press(&s, 'e');
    char *frame = model_frame(&s.m, 80, 24);
    const char *running = strstr(frame, "hello is running"), *sent = strstr(frame, "| sent: auto-ack");
    const char *deliver = strstr(frame, "deliver"),
               *out = strstr(frame, "5.001s   | get: hello: 1 handed out");
    assert_true(running && sent && deliver && out);
    assert_true(running < sent && sent < deliver && deliver < out);
    assert_ptr_equal(strstr(frame, "get: hello"), strstr(out, "get: hello")); /* and there alone */
    free(frame);
    end(&s);
}

static void lost(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 1, 0, 0, 99999);
    story_holds(&s.t, 0, 'M', 0, 99999);
    story_holds(&s.t, 1, '.', 1, 0);
    look(&s);
    press(&s, '3');
    story_down(&s.t, 0, 2000000);
    look(&s);
    check(&s, "message-unavailable-80x24", 80, 24);
    press(&s, '1'); /* beside the cluster there is less room: all four figures, in shorter words */
    char *beside = model_frame(&s.m, 160, 45);
    assert_contains(beside, "VERDICT #1 UNAVAILABLE  pub 1 conf 0 out 0 redel 0");
    free(beside);
    press(&s, '3');
    says(&s, "LOST", false);
    story_up(&s.t, 0, 9000000);
    story_fact(&s.t, TRACE_SEEN_BACK, 0, 9000100, 60000, 99999)->count = 40000;
    story_holds(&s.t, 0, 'M', 60000, 99999);
    look(&s);
    says(&s, "LOST", false); /* seen once */
    look(&s);
    check(&s, "message-lost-80x24", 80, 24);
    press(&s, KEY_PAGE_DOWN); /* the next that fared otherwise */
    says(&s, "VERDICT #60001 KEPT", true);
    press(&s, '[');
    says(&s, "VERDICT #60000 LOST", true);
    press(&s, KEY_PAGE_UP);
    says(&s, "VERDICT #1 LOST", true);
    press(&s, '[');
    says(&s, "VERDICT #1 LOST", true); /* there is none before */
    press(&s, KEY_PAGE_DOWN);
    says(&s, "VERDICT #60001 KEPT", true);
    press(&s, '1');
    press(&s, '3'); /* the one that was chosen; and once more: the first that is lost */
    says(&s, "VERDICT #60001 KEPT", true);
    press(&s, '3');
    says(&s, "VERDICT #1 LOST", true);
    struct lesson_step step = {.state = STEP_SEEN};
    struct lesson lesson = {.number = 7, .steps = &step, .steps_len = 1};
    press(&s, KEY_PAGE_DOWN);
    press(&s, '1');
    s.m.lesson = &lesson; /* at its end the screen says "3 shows where" */
    press(&s, '3');
    says(&s, "VERDICT #1 LOST", true);
    char *account = account_text(&s.m);
    assert_contains(account, ": 60000 messages are lost; 3 shows where.");
    free(account);
    s.m.lesson = NULL;
    end(&s);
}

/* Lesson 1, and once more: the queue came back empty, and its next message is another one. */
static void published_again(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 1, "hello");
    s.t.reign = 1;
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    press(&s, '3');
    s.t.s->nodes[0].answers = false; /* nobody else can say what became of it */
    free(s.t.s->copies[--s.t.s->copies_len].held);
    look(&s);
    says(&s, "VERDICT #1 UNAVAILABLE", true);
    says(&s, "? no answer", true);
    s.t.s->nodes[0].answers = true;
    s.t.reign = 2;
    story_fact(&s.t, TRACE_SEEN_BACK, 0, 600000, 0, INT64_MAX);
    story_holds(&s.t, 0, 'M', 1, 0);
    look(&s);
    story_published(&s.t, 0, 0, 9000000, 0, 0);
    s.t.s->trace[0].number = 2;
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    look(&s);
    check(&s, "message-again-80x24", 80, 24);
    says(&s, "VERDICT #1 LOST", true);
    press(&s, ']');
    says(&s, "NOW #2: held by node1", true); /* it came later: nothing has happened to it */
    says(&s, "LOST here", false);
    press(&s, ']');
    says(&s, "NOW #2: held by node1", true); /* there is no third */
    end(&s);
}

/* Two masters: each side's messages have numbers of their own, and no node that answers is drawn as stopped.
 */
static void cut_off(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    s.t.reign = 1;
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_copied(&s.t, 1, 0, 300, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    story_holds(&s.t, 1, 'm', 0, 0);
    story_holds(&s.t, 2, '.', 1, 0);
    look(&s);
    press(&s, '3');
    for (int i = 0; i < 2; i++)
        s.t.s->events[s.t.s->events_len++] =
            (struct event_seen){.seq = (uint64_t)i + 1,
                                .wall_ms = s.t.begin_us / 1000 + 400,
                                .kind = xstrdup("node"),
                                .node = format_text("node%d", i + 1),
                                .text = format_text("node%d is down", 2 - i)};
    for (int i = 0; i < 6; i++)
        look(&s);
    story_fact(&s.t, TRACE_SEEN_PROMOTED, 1, 402000, 0, 0)->count = 1;
    story_published(&s.t, 0, 0, 5000000, 1, 1);
    s.t.reign = 2;
    story_published(&s.t, 1, 1, 5001000, 1, 1);
    s.t.s->trace[s.t.s->trace_len - 1].incarnation = 6;
    s.t.reign = 1;
    story_holds(&s.t, 0, 'M', 0, 1);
    story_holds(&s.t, 1, 'M', 0, 0);
    s.t.reign = 2;
    story_holds_also(&s.t, 1, 1, 1);
    look(&s);
    check(&s, "message-cut-80x24", 80, 24);
    says(&s, "is down", false);
    press(&s, ']');
    says(&s, "held by node1", true);
    press(&s, ']');
    says(&s, "held by node2", true);
    says(&s, "NOW #3: held by node2", true);
    end(&s);
}

/* Beside the cluster the last node's line is near the edge: whom it has no link to stands on its left. */
static void whom_a_node_has_no_link_to(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    s.t.s->events[s.t.s->events_len++] = (struct event_seen){.seq = 1,
                                                             .wall_ms = s.t.begin_us / 1000 + 400,
                                                             .kind = xstrdup("node"),
                                                             .node = xstrdup("node3"),
                                                             .text = xstrdup("node1 is down")};
    for (int i = 0; i < 6; i++)
        look(&s);
    char *frame = model_frame(&s.m, 160, 45);
    assert_contains(frame, "no link to node1 /");
    free(frame);
    end(&s);
}

/* To a consumer that acknowledges nothing; to the dead letter exchange. */
static void gone_from_the_queue(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 1, "hello");
    story_published(&s.t, 0, 0, 0, 0, 2);
    story_fact(&s.t, TRACE_SEEN_AUTO_ACKED, 0, 1000, 0, 0)->about = 0;
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 0, 1200, 0, 0);
    story_fact(&s.t, TRACE_SEEN_EXPIRED, 0, 5000, 1, 1);
    story_fact(&s.t, TRACE_SEEN_DEAD_LETTERED, 0, 5000, 1, 1);
    story_holds(&s.t, 0, 'M', 2, 2);
    look(&s);
    press(&s, '3');
    check(&s, "message-handed-out-80x24", 80, 24);
    says(&s, "VERDICT #1 HANDED OUT", true);
    press(&s, ']');
    check(&s, "message-dead-lettered-80x24", 80, 24);
    says(&s, "VERDICT #2 REMOVED", true);
    end(&s);
}

/* Real nodes do not tell: the queue's own changes, and no verdict. */
static void without_a_trace(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    s.t.s->traces = 0;
    s.t.s->queues[0].master = 1;
    story_down(&s.t, 0, 1000000);
    s.t.s->events[s.t.s->events_len++] =
        (struct event_seen){.seq = 2,
                            .wall_ms = s.t.begin_us / 1000 + 1004,
                            .kind = xstrdup("promote"),
                            .text = xstrdup("hello has a new master: node2 (was node1)")};
    look(&s);
    press(&s, '3');
    check(&s, "message-rabbitmq-80x24", 80, 24);
    says(&s, "KEPT", false);
    says(&s, "VERDICT", false); /* there is none of what nobody tells of */
    says(&s, "Messages of hello, from 21:04:11.000 on", true);
    says(&s, "#1", false);
    end(&s);
}

/* An empty queue has no message that could have a number or be judged. */
static void an_empty_queue_has_no_verdict(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_holds(&s.t, 0, 'M', 1, 0);
    look(&s);
    press(&s, '3');
    says(&s, "No message of this queue was seen yet. p publishes one.", true);
    says(&s, "Messages of hello ---", true);
    says(&s, "VERDICT", false);
    says(&s, "#1", false);
    story_published(&s.t, 0, 0, 1000000, 0, 0); /* the first one: now there is something to say */
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    says(&s, "Message #1 of hello", true);
    says(&s, "NOW #1", true);
    end(&s);
}

/* No trace of it, but somebody holds it: where it is, and no story made up about how it came there. */
static void there_before_we_looked(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_holds(&s.t, 0, 'M', 0, 9);
    look(&s);
    press(&s, '3');
    says(&s, "NOW #10: held by node1", true); /* nobody chose: the newest */
    says(&s, "before this screen looked", true);
    says(&s, "    #10 now                  M              .              .\n", true);
    says(&s, " [ ]: another message ", true);
    says(&s, "publish-", false);
    end(&s);
}

/* Lesson 6 left a message that was consumed; the one that lesson 7 is about came while the screen looked. */
static void the_lessons_own_message_is_shown(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "mirrior_hello");
    story_published(&s.t, 0, 0, -60000000, 0, 0);
    look(&s);
    press(&s, '3');
    says(&s, "Message #1 of mirrior_hello", true); /* there is no other */
    story_published(&s.t, 0, 0, 2000000, 1, 1);
    story_published(&s.t, 0, 0, 3000000, 2, 2);
    story_holds(&s.t, 0, 'M', 1, 2);
    look(&s);
    says(&s, "Message #2 of mirrior_hello", true);
    press(&s, '['); /* the others are a key away, and stay chosen */
    look(&s);
    says(&s, "Message #1 of mirrior_hello", true);
    end(&s);
}

static void many_nodes(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 12, "hello");
    story_published(&s.t, 10, 3, 0, 0, 0);
    story_copied(&s.t, 11, 3, 300, 0, 0);
    story_holds(&s.t, 10, 'M', 0, 0);
    story_holds(&s.t, 11, 'm', 0, 0);
    look(&s);
    press(&s, '3');
    check(&s, "message-many-80x24", 80, 24);
    check(&s, "message-many-160x45", 160, 45);
    end(&s);
}

static void beside_the_cluster(void **state)
{
    (void)state;
    struct watched s;
    failover(&s);
    taken_over(&s);
    press(&s, '1');
    check(&s, "wide-message-160x45", 160, 45);
    end(&s);
}

/* Of one before those that this screen heard of nobody tells anything: that is said, and it is in the list.
 */
static void nobody_tells_of_it(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 1, 2);
    story_holds(&s.t, 0, 'M', 1, 2);
    story_holds(&s.t, 1, '.', 1, 0);
    story_holds(&s.t, 2, '.', 1, 0);
    look(&s);
    press(&s, '3');
    says(&s, "No node that answers", false);
    press(&s, '[');
    says(&s, "\n #1 ?  #2-#3 held\n", true);
    says(&s, "No node that answers has #1, or noted anything of it.", true);
    says(&s, "VERDICT #1 ?", true);
    end(&s);
}

/* The sign of the node beside it is not one of a mark's words. */
static void a_sign_is_no_punctuation(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    story_holds(&s.t, 1, '.', 1, 0);
    story_holds(&s.t, 2, '.', 1, 0);
    look(&s);
    press(&s, '3');
    s.t.s->nodes[2].answers = false;
    s.t.s->nodes[2].state = NODE_UNKNOWN;
    look(&s);
    story_fact(&s.t, TRACE_SEEN_BEGINS, 1, 5000000, 0, 0);
    look(&s);
    says(&s, "u mirror, empty ", true);
    says(&s, "u mirror, empty?", false);
    end(&s);
}

/* Whether or not the note of its return was heard, the reason of a loss is told in the same words. */
static void back_without_a_note(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_holds(&s.t, 0, 'M', 0, 0);
    look(&s);
    press(&s, '3');
    story_down(&s.t, 0, 2000000);
    look(&s);
    story_up(&s.t, 0, 9000000);
    story_holds(&s.t, 0, 'M', 1, 0);
    look(&s);
    look(&s);
    says(&s, "at 9.000s: node1 back without it; whether memory alone held it is not known", true);
    says(&s, "| back without it: found lost", true);
    says(&s, "up again", false);
    end(&s);
}

/* What memory alone held on a side that was discarded went with its side: a persistent one would have, too.
 */
static void lost_with_its_side(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    s.t.s->trace[0].in_memory = true;
    story_holds(&s.t, 0, 'M', 0, 0);
    story_holds(&s.t, 1, 'M', 1, 0);
    look(&s);
    press(&s, '3');
    story_down(&s.t, 0, 2000000);
    look(&s);
    story_up(&s.t, 0, 9000000);
    story_holds(&s.t, 0, 'm', 1, 0);
    story_event(&s.t, "queue", 9300000, "hello: what node1 held on its side is discarded, 1 message");
    look(&s);
    look(&s);
    says(&s, "memory alone held #1", true); /* it did, and that is not why */
    says(&s, "side discarded: LOST here", true);
    says(&s, "node1 was on a partition's losing side: from disk it would have", true);
    says(&s, "(L5 in", false);
    end(&s);
}

/* A mirror that comes back begins empty: where its notes of that were not heard, its feed tells it. */
static void how_a_copy_came_back(void **state)
{
    (void)state;
    for (int noted = 0; noted <= 1; noted++) {
        struct watched s;
        begin(&s, 3, "mirrior_hello");
        story_published(&s.t, 0, 0, 0, 0, 0);
        story_copied(&s.t, 1, 0, 1000, 0, 0);
        story_holds(&s.t, 0, 'M', 0, 0);
        story_holds(&s.t, 1, 'm', 0, 0);
        look(&s);
        press(&s, '3');
        story_down(&s.t, 1, 2000000);
        look(&s);
        story_up(&s.t, 1, 90000000);
        story_event(&s.t, "mirror", 90002000, "mirror of mirrior_hello on node2 added, empty");
        story_event(&s.t, "mirror", 90004000, "mirrior_hello on node2 in sync");
        if (noted) {
            story_fact(&s.t, TRACE_SEEN_BEGINS, 1, 90002000, 1, UINT64_MAX);
            story_fact(&s.t, TRACE_SEEN_FILLED, 1, 90004000, 0, 0)->count = 1;
        }
        story_holds(&s.t, 1, 'm', 0, 0);
        look(&s);
        says(&s, "u mirror, empty", true);
        says(&s, "m mirror in sync", !noted);
        says(&s, "sync", true); /* as an arrow, if it was noted */
        says(&s, "VERDICT #1 KEPT", true);
        end(&s);
    }
}

/* Both sides of a partition handed it out, each for the first time. */
static void sent_twice(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "mirrior_hello");
    story_published(&s.t, 0, 0, 0, 0, 0);
    story_copied(&s.t, 1, 0, 1000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 0, 3000000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_ACKED, 0, 3100000, 0, 0);
    story_holds(&s.t, 0, 'M', 1, 0);
    look(&s);
    press(&s, '3');
    says(&s, "a consumer acknowledged it", true);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 1, 4000000, 0, 0);
    look(&s);
    says(&s, " #1 consumed\n", true);
    says(&s, " consumers were sent it 2 times; acknowledged on node1\n", true);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 1, 5000000, 0, 0)->redelivered = true;
    look(&s);
    says(&s, "consumers were sent it 3 times; acknowledged on node1\n", true);
    story_fact(&s.t, TRACE_SEEN_ACKED, 1, 5100000, 0, 0)->about = 1;
    look(&s);
    says(&s, "consumers were sent it 3 times; acknowledged on node1, node2\n", true);
    end(&s);
}

/* One side acknowledged what the other one still holds: the picture has the ack, and the words do. */
static void acknowledged_on_one_side(void **state)
{
    (void)state;
    struct watched s;
    begin(&s, 3, "mirrior_hello");
    story_published(&s.t, 2, 2, 0, 0, 0);
    story_copied(&s.t, 1, 2, 1000, 0, 0);
    story_holds(&s.t, 2, 'M', 0, 0);
    story_holds(&s.t, 1, 'm', 0, 0);
    look(&s);
    story_fact(&s.t, TRACE_SEEN_PROMOTED, 1, 2000000, 0, 0)->count = 1;
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 2, 3000000, 0, 0);
    story_fact(&s.t, TRACE_SEEN_ACKED, 2, 3100000, 0, 0)->about = 2;
    story_holds(&s.t, 2, 'M', 1, 0);
    story_holds(&s.t, 1, 'M', 0, 0);
    look(&s);
    press(&s, '3');
    says(&s, "-ack-", true);
    says(&s, "VERDICT #1 KEPT", true);
    says(&s, " acknowledged on node3; held by node2\n", true);
    says(&s, "not acknowledged", false);
    story_fact(&s.t, TRACE_SEEN_DELIVERED, 1, 4000000, 0, 0);
    look(&s);
    says(&s,
         " consumers were sent it 2 times: acknowledged on node3; delivered again, not\n"
         " acknowledged; held by node2\n",
         true);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept),
        cmocka_unit_test(lost),
        cmocka_unit_test(transient),
        cmocka_unit_test(transient_and_silent),
        cmocka_unit_test(where_it_is_now),
        cmocka_unit_test(there_is_no_other),
        cmocka_unit_test(effects_after_causes),
        cmocka_unit_test(the_legend_explains_what_is_there),
        cmocka_unit_test(nobody_tells_of_it),
        cmocka_unit_test(a_sign_is_no_punctuation),
        cmocka_unit_test(back_without_a_note),
        cmocka_unit_test(lost_with_its_side),
        cmocka_unit_test(how_a_copy_came_back),
        cmocka_unit_test(sent_twice),
        cmocka_unit_test(acknowledged_on_one_side),
        cmocka_unit_test(published_again),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(whom_a_node_has_no_link_to),
        cmocka_unit_test(gone_from_the_queue),
        cmocka_unit_test(without_a_trace),
        cmocka_unit_test(an_empty_queue_has_no_verdict),
        cmocka_unit_test(there_before_we_looked),
        cmocka_unit_test(the_lessons_own_message_is_shown),
        cmocka_unit_test(many_nodes),
        cmocka_unit_test(beside_the_cluster),
    };
    setenv("TZ", "UTC", 1); /* the times in the frames */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
