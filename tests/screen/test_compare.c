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
    assert_contains(out.s, "| hello: 1 LOST");
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_recordings_tell_of_their_messages),
    };
    return cmocka_run_group_tests_name("screen/compare", tests, NULL, NULL);
}
