/* test_conversations.c: the conversations that docs/protocol.md draws, heard in the simulator. Each is a
 * chain of messages as they arrive, in this order, with others in between. */
#include "tests/sim/story.h"

#include <string.h>

#include "base/text.h"

static struct text heard; /* "node1 <- HELLO from node2" and so on, one a line, since listen */

static void keep(void *arg, const char *line)
{
    (void)arg;
    const char *at = strstr(line, "node"), *arrow = strstr(line, " <- "), *end = strstr(line, " epoch ");
    if (at && arrow && end && at < arrow && arrow < end)
        text_printf(&heard, "%.*s\n", (int)(end - at), at);
}

static struct sim *listening_world(node_set up)
{
    struct sim_options o;
    sim_options_defaults(&o);
    o.trace = keep;
    unsetenv("TRACE");
    return world_with(o, up);
}

static void listen(void)
{
    text_clear(&heard);
}

/* the first word of the chain that was not heard behind the one before; NULL: all were */
static const char *missing(const char *const *chain)
{
    const char *at = text_str(&heard);
    for (; *chain; chain++) {
        char line[64];
        snprintf(line, sizeof(line), "%s\n", *chain);
        at = strstr(at, line);
        if (!at)
            return *chain;
        at += strlen(line);
    }
    return NULL;
}

#define CHAIN(...) ((const char *const[]){__VA_ARGS__, NULL})

#define hears(...)                                                                                           \
    do {                                                                                                     \
        const char *not_ = missing(CHAIN(__VA_ARGS__));                                                      \
        if (not_)                                                                                            \
            fail_msg("not in its place: %s\n%s", not_, text_str(&heard));                                    \
    } while (0)

static bool is_heard(struct sim *s, void *line)
{
    (void)s;
    return strstr(text_str(&heard), line) != NULL;
}

static void a_view_change(void **state)
{
    (void)state;
    struct sim *s = listening_world(3);
    listen();
    sim_start(s, 2);
    calm(s);
    hears("node1 <- HELLO from node3", "node2 <- PREPARE from node1", "node1 <- PREPARED from node2",
          "node2 <- INSTALL from node1", "node1 <- INSTALLED from node2", "node2 <- SERVE from node1");
    hears("node3 <- PREPARE from node1", "node1 <- PREPARED from node3", "node3 <- INSTALL from node1",
          "node1 <- INSTALLED from node3", "node3 <- SERVE from node1", "node2 <- HELLO from node3");
    /* the control: what was not said so is not heard so */
    assert_non_null(missing(CHAIN("node1 <- INSTALLED from node3", "node3 <- INSTALL from node1")));
    assert_non_null(missing(CHAIN("node1 <- INSTALL from node3")));
    kept(s);
    sim_destroy(s);
}

static void a_stop_in_order(void **state)
{
    (void)state;
    struct sim *s = listening_world(7);
    listen();
    sim_stop_wait(s, 2);
    hears("node1 <- LEAVE from node3", "node2 <- PREPARE from node1", "node2 <- INSTALL from node1",
          "node2 <- SERVE from node1");
    hears("node1 <- LEAVE from node3", "node1 <- INSTALLED from node2", "node3 <- LEFT from node1");
    hears("node2 <- LEAVE from node3", "node3 <- LEFT from node2");
    kept(s);
    sim_destroy(s);
}

static void publish_confirm_and_failover(void **state)
{
    (void)state;
    struct sim *s = listening_world(7);
    answers(sim_set_policy(s, 0, "ha", "^q", EXACTLY_2), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    placed(s, 0, "q", "0/1");
    calm(s);
    listen();
    assert_true(sim_publish_confirmed(s, 2, "q", true, 1));
    hears("node1 <- PUBLISH from node3", "node2 <- OPS from node1", "node1 <- OPS_ACK from node2",
          "node3 <- CONFIRM from node1");

    calm(s);
    listen(); /* the mirror has it: the new master confirms it unasked */
    uint32_t on_its_way = sim_publish(s, 2, "q", true);
    assert_true(sim_until(s, is_heard, "node2 <- OPS from node1\n", 1000));
    assert_int_equal(sim_message(s, on_its_way)->fate, FATE_UNCONFIRMED);
    sim_kill(s, 0);
    calm(s);
    hears("node2 <- OPS from node1", "node3 <- PREPARE from node2", "node2 <- PREPARED from node3",
          "node3 <- INSTALL from node2", "node3 <- SERVE from node2", "node3 <- CONFIRM from node2");
    assert_int_equal(sim_message(s, on_its_way)->fate, FATE_CONFIRMED);
    kept(s);
    sim_destroy(s);
}

static void a_failover_without_the_message(void **state)
{
    (void)state;
    struct sim *s = listening_world(7);
    answers(sim_set_policy(s, 0, "ha", "^q", EXACTLY_2), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    calm(s);
    listen(); /* the master has it, its mirror does not: it is offered again */
    uint32_t on_its_way = sim_publish(s, 2, "q", true);
    assert_true(sim_until(s, is_heard, "node1 <- PUBLISH from node3\n", 1000));
    sim_kill(s, 0);
    calm(s);
    assert_non_null(missing(CHAIN("node2 <- OPS from node1")));
    hears("node1 <- PUBLISH from node3", "node3 <- SERVE from node2", "node2 <- PUBLISH from node3",
          "node3 <- CONFIRM from node2");
    assert_int_equal(sim_message(s, on_its_way)->fate, FATE_CONFIRMED);
    kept(s);
    sim_destroy(s);
}

static void join_and_sync(void **state)
{
    (void)state;
    struct sim *s = listening_world(7);
    answers(sim_set_policy(s, 0, "ha", "^q", "{\"ha-mode\":\"exactly\",\"ha-params\":2}"), ANSWER_OK);
    answers(sim_declare(s, 0, "q", SIM_DURABLE), ANSWER_OK);
    assert_true(sim_publish_confirmed(s, 0, "q", true, 3));
    calm(s);
    listen();
    sim_kill(s, 1);
    calm(s);
    placed(s, 0, "q", "0/(2)");
    hears("node3 <- INIT from node1", "node1 <- OPS_ACK from node3");
    listen();
    answers(sim_sync(s, 0, "q"), ANSWER_OK);
    calm(s);
    placed(s, 0, "q", "0/2");
    hears("node3 <- SYNC_BEGIN from node1", "node3 <- SYNC_BATCH from node1", "node1 <- SYNC_ACK from node3",
          "node1 <- SYNC_DONE from node3", "node3 <- META from node1");
    hears("node3 <- SYNC_BATCH from node1", "node3 <- SYNC_END from node1", "node1 <- SYNC_DONE from node3");
    kept(s);
    sim_destroy(s);
}

static void a_partial_cut(void **state)
{
    (void)state;
    struct sim *s = listening_world(7);
    listen();
    sim_cut_now(s, 0, 2);
    assert_true(sim_until(s, is_heard, "node3 <- REFUSED from node2\n", 60000));
    hears("node2 <- REPORT from node3", "node3 <- REFUSED from node2");
    hears("node2 <- PREPARE from node1", "node1 <- PREPARED from node2", "node2 <- INSTALL from node1",
          "node3 <- REFUSED from node2");
    kept(s);
    sim_destroy(s);
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&heard);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_change),
        cmocka_unit_test(a_stop_in_order),
        cmocka_unit_test(publish_confirm_and_failover),
        cmocka_unit_test(a_failover_without_the_message),
        cmocka_unit_test(join_and_sync),
        cmocka_unit_test(a_partial_cut),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
