/* test_mouse.c: a click is the keys that would have done the same. On the model alone. */
#include "tests/screen/support.h"

#include "mouse.h"

static void click(struct model *m, const char *word)
{
    struct canvas c;
    struct text out = {0};
    struct command *run;
    int keys[MOUSE_KEYS], x = 0, y = 0;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_draw(m, &c);
    canvas_to_text(&c, &out);
    const char *at = strstr(out.s, word);
    assert_non_null(at);
    for (const char *p = out.s; p < at; p++) {
        x = *p == '\n' ? 0 : x + 1;
        y += *p == '\n';
    }
    size_t len = mouse_keys(m, &c, x + 1, y, keys);
    for (size_t i = 0; i < len; i++)
        model_key(m, keys[i], &run);
    text_finish(&out);
    canvas_finish(&c);
}

static void a_click_is_keys(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    click(&m, "mirrior_hello   running");
    assert_string_equal(m.queue, "mirrior_hello");
    click(&m, "hello           running");
    assert_string_equal(m.queue, "hello");
    click(&m, "node3 UP");
    assert_int_equal(m.node, 2);
    click(&m, "2:Events");
    assert_int_equal(m.view, VIEW_EVENTS);
    click(&m, "K:Kill-9");
    assert_int_equal(m.overlay, OVERLAY_CONFIRM); /* no click does what no key may */
    types(&m, "\x1b", &run);
    model_show(&m, VIEW_NODE);
    click(&m, "Esc:Close");
    assert_int_equal(m.view, VIEW_CLUSTER);
    model_show(&m, VIEW_EVENTS);
    int keys[MOUSE_KEYS];
    struct canvas c;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_draw(&m, &c);
    assert_int_equal(mouse_keys(&m, &c, 500, 3, keys), 0);
    assert_int_equal(mouse_keys(&m, &c, 40, 12, keys), 0);
    canvas_finish(&c);
    assert_false(m.mouse); /* it is the terminal's until % */
    assert_int_equal(types(&m, "%", &run), EFFECT_MOUSE);
    assert_true(m.mouse);
    model_finish(&m);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_click_is_keys),
    };
    return cmocka_run_group_tests_name("screen/mouse", tests, NULL, NULL);
}
