/* test_compare.c: two recordings of real nodes side by side. */
#include "tests/screen/support.h"

#include "compare.h"
#include "tests/temporary.h"
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

static void drawn(struct compare *cmp, struct canvas *c, struct text *out)
{
    text_finish(out);
    compare_draw(cmp, c);
    canvas_to_text(c, out);
}

/* One fate has one word, whether anything went wrong or not; the letters that are there are explained, and no
 * other, and so is the - where one side did nothing. */
static void words_and_signs_are_the_same_on_both_sides(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    struct player *left = opened("tests/screen/recordings/lesson2.ndjson"),
                  *right = opened("tests/screen/recordings/lesson2.ndjson");
    struct compare *cmp = compare_create(left, right, "a", "b");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    compare_request(cmp, REQUEST_LATER);
    drawn(cmp, &c, &out);
    assert_contains(out.s, " hello #1 KEPT ");
    assert_contains(out.s, "\n M master  . no copy\n]:Next-step");
    assert_contains(out.s, " Space:Play ");
    compare_request(cmp, REQUEST_PAUSE);
    drawn(cmp, &c, &out);
    assert_contains(out.s, " Space:Pause ");
    compare_request(cmp, REQUEST_PAUSE);
    compare_request(cmp, REQUEST_LATER);
    drawn(cmp, &c, &out);
    assert_contains(out.s, "\n . no copy  ! node away (was M, m)\n");
    compare_destroy(cmp);
    left = opened("tests/screen/recordings/lesson2.ndjson");
    right = opened("tests/screen/recordings/lesson7.ndjson");
    cmp = compare_create(left, right, "a", "b");
    compare_request(cmp, REQUEST_SEEK_ON);
    drawn(cmp, &c, &out);
    assert_contains(out.s, "\n M master  m mirror in sync  . no copy  - not done here\n]:Next-step");
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
}

/* lesson 2 as recorded, and then B: nothing is left of it */
static void begun_again(const char *file)
{
    FILE *from = fopen("tests/screen/recordings/lesson2.ndjson", "r"), *to = fopen(file, "w");
    char *line = NULL;
    size_t size = 0;
    json_t *empty = NULL;
    json_int_t t = 0;
    assert_true(from && to);
    while (getline(&line, &size, from) > 0) {
        json_t *o = json_loads(line, 0, NULL);
        fputs(line, to);
        t = json_integer_value(json_object_get(o, "t"));
        if (!empty && json_object_get(o, "snapshot"))
            empty = json_incref(o);
        json_decref(o);
    }
    fprintf(to,
            "{\"t\":%lld,\"ran\":{\"id\":99,\"text\":\"(begin lesson 2 again)\",\"step\":-2,\"typed\":false,"
            "\"argv\":[\"lab\",\"clean\"]}}\n",
            (long long)t + 1000);
    json_object_set_new(empty, "t", json_integer(t + 2000));
    json_object_set_new(json_object_get(empty, "snapshot"), "number", json_integer(99999));
    json_dumpf(empty, to, JSON_COMPACT);
    fputs("\n", to);
    json_decref(empty);
    free(line);
    fclose(from);
    assert_int_equal(fclose(to), 0);
}

/* A lesson that was begun again at last, and nothing more: what it had come to stays, and is no line. */
static void the_end_is_not_empty(void **state)
{
    (void)state;
    struct canvas c;
    struct text out = {0};
    char folder[4096], *file;
    assert_true(temporary_folder_in(folder, sizeof(folder), "compare"));
    file = format_text("%s/again.ndjson", folder);
    begun_again(file);
    struct player *left = opened(file), *right = opened("tests/screen/recordings/lesson2.ndjson");
    struct compare *cmp = compare_create(left, right, "a", "b");
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    compare_request(cmp, REQUEST_SEEK_ON);
    drawn(cmp, &c, &out);
    assert_contains(out.s, " line 4/4\n");
    assert_contains(out.s, "\n hello          M . . 0 had 1          | hello          M . . 0 had 1");
    assert_contains(out.s, "\n hello #1 LOST                         | hello #1 LOST");
    text_finish(&out);
    canvas_finish(&c);
    compare_destroy(cmp);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(folder), 0);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_recordings_tell_of_their_messages),
        cmocka_unit_test(of_the_other_queue),
        cmocka_unit_test(words_and_signs_are_the_same_on_both_sides),
        cmocka_unit_test(the_end_is_not_empty),
    };
    return cmocka_run_group_tests_name("screen/compare", tests, NULL, NULL);
}
