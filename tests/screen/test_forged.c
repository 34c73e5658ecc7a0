/* test_forged.c: a success that is only claimed. Lesson 7 in a real terminal, with programs that exit 0 and
 * do nothing: what they claim ticks no box; what the nodes then show ticks it. */
#include "tests/screen/scene.h"

#define MIRRIOR_HELLO(messages)                                                                              \
    "{\"name\":\"mirrior_hello\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","        \
    "\"messages\":" messages ",\"messages_ready\":" messages ",\"messages_unacknowledged\":0,"               \
    "\"messages_persistent\":0,\"durable\":true,\"policy\":\"mirrior\",\"slave_nodes\":"                     \
    "[\"node2@localhost\"],\"synchronised_slave_nodes\":[\"node2@localhost\"],"                              \
    "\"effective_policy_definition\":{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":"             \
    "\"automatic\"}}"

struct called {
    const struct scene *s;
    size_t before; /* bytes of what was called */
    const char *wanted;
};

static bool was_called(struct terminal_test *t, void *arg)
{
    const struct called *c = arg;
    char *ran = scene_forged_ran(c->s);
    bool called = strlen(ran) > c->before && strstr(ran + c->before, c->wanted);
    free(ran);
    return called && strstr(terminal_text(t), "exit 0");
}

/* The step that is marked is run, says that it succeeded, and is left open. */
static void claims(struct scene *s, int step, const char *called)
{
    char *open = format_text(">[ ] %d ", step);
    assert_seen(s, open);
    char *ran = scene_forged_ran(s);
    struct called c = {s, strlen(ran), called};
    free(ran);
    terminal_type(s->t, "n");
    if (!terminal_wait(s->t, was_called, &c, SOON))
        fail_msg("%s was not called, or did not succeed:\n%s", called, terminal_text(s->t));
    scene_pass_rounds(s, 6);
    assert_contains(terminal_text(s->t), "exit 0");
    assert_contains(terminal_text(s->t), open);
    terminal_type(s->t, "n"); /* what it lacks is said, not that it is done */
    assert_seen(s, "not yet");
    scene_pass_rounds(s, 4);
    assert_contains(terminal_text(s->t), open);
    free(open);
}

static void a_forged_success_ticks_nothing(void **state)
{
    struct scene *s = *state;
    scene_forge(s);
    scene_live(s, 7);
    fake_queues(s->fake, "[]");
    assert_seen(s, "(no queues)");
    claims(s, 1, "labctl --dir /nowhere -n node1 set_policy mirrior");
    assert_lacks(terminal_text(s->t), "[x]");
    fake_policies(s->fake, "[" MIRRIOR "]");
    assert_seen(s, " [x] 1 ");
    claims(s, 2, "producer --host");
    fake_queues(s->fake, "[" HELLO "]");
    assert_seen(s, " [x] 2 ");
    claims(s, 3, "producer --host");
    fake_queues(s->fake, "[" HELLO "," MIRRIOR_HELLO("1") "]");
    assert_seen(s, " [x] 3 ");
    terminal_type(s->t, "A"); /* else the first n only says that it asks */
    assert_seen(s, "you say a");
    claims(s, 4, "labctl --dir /nowhere -n node1 stop_app");
    assert_lacks(terminal_text(s->t), "[x] 4");
    scene_quit(s);
}

int main(int argc, char **argv)
{
    setenv("TZ", "UTC", 1);
    int forged = scene_main(argc, argv);
    if (forged >= 0)
        return forged;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_forged_success_ticks_nothing, scene_begin, scene_end),
    };
    return cmocka_run_group_tests_name("screen/forged", tests, NULL, NULL);
}
