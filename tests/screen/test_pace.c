/* test_pace.c: how soon a key is answered, on nodes that freeze, die and are cut off. */
#include "tests/screen/scene.h"

#include <time.h>

#define PRESSES                                                                                              \
    5 /* of each key; how long it takes is the least of them, which no other program's work makes more */

#define KEY_MS    50
#define ESCAPE_MS 75 /* Esc may begin the sequence of another key: that long is waited for it (25 ms) */

/* A key, and what it alone does: text that comes with it or that goes. (A frame alone shows nothing of the
 * key: it may be the next look's.) */
struct press {
    const char *key;
    bool comes;
    const char *text; /* NULL: the newest count of hello */
};

/* The past, every view, a queue's page and a node's, the help, a form, a question, a command, a filter: it
 * ends as it begins. */
static const struct press presses[] = {
    {" ", true, " PAUSED "},
    {"[", false, NULL},
    {"]", true, NULL},
    {"{", false, NULL},
    {"}", true, NULL},
    {" ", true, " LIVE "},
    {"j", true, ">world "},
    {"k", true, ">hello "},
    {"2", false, " QUEUE "},
    {"3", true, " time producer "},
    {"4", true, "No lesson is open"},
    {"1", true, " QUEUE "},
    {"\r", true, "- Queue hello "},
    {"1", true, " QUEUE "},
    {"\t", true, ">node2 "},
    {"\r", true, "- Node node2 "},
    {"1", true, " QUEUE "},
    {"\x1b[Z", true, ">node1 "},
    {"?", true, "+- Keys -"},
    {"j", false, "the lesson's next step"},
    {"\x1b", false, "+- Keys -"},
    {"P", true, "+- Policy -"},
    {"\t", true, "> pattern "},
    {"\x15", true, "> pattern       _"},
    {"x", true, "> pattern       x_"},
    {"\x1b", false, "+- Policy -"},
    {"K", true, "[ Cancel ]"},
    {"n", false, "[ Cancel ]"},
    {":", true, "\n:_"},
    {"p", true, "\n:p_"},
    {"\x7f", true, "\n:_"},
    {"\x1b", false, "\n:_"},
    {"/", true, "\n/_"},
    {"h", true, "\n/h_"},
    {"\x1b", false, "\n/h_"},
};

#define QUEUE(name, messages)                                                                                \
    "{\"name\":\"" name "\",\"vhost\":\"/\",\"state\":\"running\",\"node\":\"node1@localhost\","             \
    "\"messages\":" messages ",\"messages_ready\":" messages                                                 \
    ",\"messages_unacknowledged\":0,\"durable\":true}"

/* what the program has worked so far, whatever else the machine does */
static int64_t worked_us(const struct scene *s)
{
    clockid_t clock;
    struct timespec t;
    assert_int_equal(clock_getcpuclockid(terminal_pid(s->t), &clock), 0);
    assert_int_equal(clock_gettime(clock, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* us until what the key does can be seen; hello: its row */
static int64_t press(struct scene *s, const struct press *p, const char *hello)
{
    const char *text = p->text ? p->text : hello;
    if (!(p->comes ? terminal_wait_gone : terminal_wait_text)(s->t, text, SOON)) /* it may still be drawn */
        fail_msg("before it is pressed, %s does what it is to do (%s)\n%s", p->key, text,
                 terminal_text(s->t));
    int64_t from = terminal_now_us(), worked = worked_us(s);
    terminal_type(s->t, p->key);
    if (!(p->comes ? terminal_wait_text : terminal_wait_gone)(s->t, text, SOON))
        fail_msg("%s does not do what it is to do (%s)\n%s", p->key, text, terminal_text(s->t));
    int64_t took = terminal_now_us() - from;
    worked = worked_us(s) - worked;
    if (worked >= KEY_MS * 1000)
        fail_msg("%s makes the program work for %.1f ms", p->key, (double)worked / 1e3);
    return took;
}

/* Its row then, as it never was before, for the keys that go back in time; the caller frees it. */
static char *hello_has(struct scene *s, size_t messages)
{
    char *queues = format_text("[" QUEUE("hello", "%zu") "," QUEUE("world", "3") "]", messages, messages);
    char *row = format_text(">hello           running       %zu ", messages);
    fake_queues(s->fake, queues);
    assert_seen(s, row);
    free(queues);
    return row;
}

/* With a node like that, every key is on the screen in less than 50 ms, and none makes the program work for
 * so long. */
static void keys_with_a_node(struct scene *s, enum fake_mood mood, const char *what, const char *word)
{
    int64_t best[ARRAY_LEN(presses)], most = 0;
    scene_live(s, 0);
    terminal_type(s->t, "k"); /* the queue is chosen: no newer one is instead */
    fake_feed(s->fake, "{\"next\":1,\"events\":[]}");
    free(hello_has(s, 1));
    assert_seen(s, " world           running       3 ");
    fake_node(s->fake, 1, mood, mood != FAKE_GONE);
    assert_seen(s, word);
    for (size_t n = 0; n < PRESSES; n++) {
        char *hello = hello_has(s, 2 + n);
        for (size_t i = 0; i < ARRAY_LEN(presses); i++) {
            int64_t took = press(s, &presses[i], hello);
            best[i] = n == 0 || took < best[i] ? took : best[i];
        }
        free(hello);
    }
    for (size_t i = 0; i < ARRAY_LEN(presses); i++) {
        bool escape = strcmp(presses[i].key, "\x1b") == 0;
        most = !escape && best[i] > most ? best[i] : most;
        if (best[i] >= (escape ? ESCAPE_MS : KEY_MS) * 1000)
            fail_msg("key %zu (for \"%s\") with a %s node: %.1f ms at best", i,
                     presses[i].text ? presses[i].text : "a step in time", what, (double)best[i] / 1e3);
    }
    print_message("key to screen with a %s node: the slowest %.1f ms, Esc aside\n", what, (double)most / 1e3);
    scene_quit(s);
}

static void keys_with_a_frozen_node(void **state)
{
    keys_with_a_node(*state, FAKE_FROZEN, "frozen", "node2 NO ANSWER");
}

static void keys_with_a_killed_node(void **state)
{
    keys_with_a_node(*state, FAKE_GONE, "killed", "node2 NOT RUNNING");
}

static void keys_with_a_node_that_is_cut_off(void **state)
{
    keys_with_a_node(*state, FAKE_SILENT, "cut-off", "node2 NO ANSWER");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        TEST(keys_with_a_frozen_node),
        TEST(keys_with_a_killed_node),
        TEST(keys_with_a_node_that_is_cut_off),
    };
    return cmocka_run_group_tests_name("screen/pace", tests, NULL, NULL);
}
