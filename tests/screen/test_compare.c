/* test_compare.c: two recordings of real nodes side by side. */
#include "tests/screen/support.h"

#include "compare.h"
#include "time_player.h"

static struct player *opened(const char *file)
{
    char *error = NULL;
    struct recording *r = recording_open(file, &error);
    if (!r)
        fail_msg("%s", error);
    return player_create(r, NULL, NULL, false);
}

/* Two recordings of real nodes: what each shows of its messages, not only how many are there now. */
static void two_recordings_tell_of_their_messages(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    struct player *left = opened("tests/screen/recordings/lesson2.ndjson"),
                  *right = opened("tests/screen/recordings/lesson7.ndjson");
    struct compare *cmp = compare_create(left, right, "lesson2.ndjson", "lesson7.ndjson");
    canvas_init(&c);
    canvas_resize(&c, 160, 30);
    compare_request(cmp, REQUEST_SEEK_ON);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    assert_contains(out.s, "What became of each message");
    assert_contains(out.s, " hello #1 LOST no node has it, and nobody took it");
    assert_contains(out.s, "| mirrior_hello #1 KEPT a consumer");
    assert_contains(out.s, "| hello #1 LOST"); /* the other one, in the same form */
    assert_lacks(out.s, "hello: 1 LOST");
    assert_lacks(out.s, "nob..");
    text_finish(&out);
    canvas_resize(&c, 80, 24); /* there is room for them, and for what is said of them */
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    assert_contains(out.s, " hello #1 LOST");
    assert_contains(out.s, "   no node has it, and nobody took it");
    assert_contains(out.s, "| mirrior_hello #1 KEPT");
    assert_contains(out.s, "| hello #1 LOST");
    assert_lacks(out.s, "..");
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

/* Of a queue that was not looked at at the end there is what was noted: who took its message. And a node that
 * is stopped is called what it is called elsewhere. */
static void of_the_other_queue(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    struct player *left = opened("tests/screen/recordings/lesson7.ndjson"),
                  *right = opened("tests/screen/recordings/lesson7.ndjson");
    ledger_want(&player_model(left)->ledger, "hello");
    model_select_queue(player_model(left), "hello");
    struct compare *cmp = compare_create(left, right, "a", "b");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    compare_request(cmp, REQUEST_SEEK_ON);
    compare_draw(cmp, &c);
    canvas_to_text(&c, &out);
    assert_contains(out.s, " mirrior_hello #1 KEPT");
    assert_contains(out.s, "a consumer of this screen printed it|"); /* at the left */
    assert_contains(out.s, " hello #1 LOST ");
    text_finish(&out);
    bool stopped = false;
    for (compare_request(cmp, REQUEST_SEEK_BACK); !stopped && compare_step(cmp);) {
        compare_draw(cmp, &c);
        canvas_to_text(&c, &out);
        stopped = strstr(out.s, "node1 NOT RUNNING  node2 UP  node3 UP");
        assert_lacks(out.s, "OFF");
        text_finish(&out);
    }
    assert_true(stopped);
    canvas_finish(&c);
    compare_destroy(cmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_recordings_tell_of_their_messages),
        cmocka_unit_test(of_the_other_queue),
    };
    return cmocka_run_group_tests_name("screen/compare", tests, NULL, NULL);
}
