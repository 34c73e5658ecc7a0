/* test_canvas.c: columns, wide characters and edges. */
#include "tests/screen/support.h"

static char *text_of(const struct canvas *c)
{
    struct text out = {0};
    canvas_to_text(c, &out);
    return out.s;
}

static void assert_shows(const struct canvas *c, const char *expected)
{
    char *text = text_of(c);
    assert_string_equal(text, expected);
    free(text);
}

static struct rect all(const struct canvas *c)
{
    return (struct rect){0, 0, c->width, c->height};
}

static void columns(void **state)
{
    struct canvas c;
    (void)state;
    canvas_init(&c);
    assert_int_equal(text_columns(&c, "hello"), 5);
    assert_int_equal(text_columns(&c, "镜像队列"), 8);
    assert_int_equal(text_columns(&c, "e\xcc\x81t\xc3\xa9"), 3); /* a combining accent takes no column */
    assert_int_equal(text_columns(&c, "a\xff"
                                      "b"),
                     3);                                           /* not UTF-8: one '?' */
    assert_int_equal(text_columns(&c, "\xe9\x95"), 1);             /* cut in the middle of a character */
    assert_int_equal(text_columns(&c, "\xc0\xaf\xed\xa0\x80"), 3); /* overlong: two bytes; a surrogate: one */
    canvas_finish(&c);
}

static void wide_characters_at_edges(void **state)
{
    struct canvas c;
    (void)state;
    canvas_init(&c);
    canvas_resize(&c, 4, 1);
    canvas_put(&c, all(&c), 0, 0, STYLE_NORMAL, "a镜像");
    assert_shows(&c, "a镜\n"); /* the second one does not fit: no half of it */
    canvas_put(&c, all(&c), 1, 0, STYLE_NORMAL, "x");
    assert_shows(&c, "ax\n"); /* drawn over one half: both are gone */
    canvas_resize(&c, 4, 1);
    canvas_put(&c, all(&c), 0, 0, STYLE_NORMAL, "镜像");
    canvas_put(&c, all(&c), 1, 0, STYLE_NORMAL, "x");
    assert_shows(&c, " x像\n");
    canvas_finish(&c);
}

static void what_is_cut_says_so(void **state)
{
    struct canvas c;
    (void)state;
    canvas_init(&c);
    canvas_resize(&c, 8, 2);
    canvas_put(&c, all(&c), 0, 0, STYLE_NORMAL, "mirrior_hello");
    canvas_put(&c, all(&c), 0, 1, STYLE_NORMAL, "a镜像队列x");
    assert_shows(&c, "mirrio..\na镜像..\n");
    canvas_finish(&c);
}

static void control_characters_are_not_sent(void **state)
{
    struct canvas c;
    (void)state;
    canvas_init(&c);
    canvas_resize(&c, 20, 1);
    canvas_put(&c, all(&c), 0, 0, STYLE_NORMAL,
               "a\x1b[2Jb\xc2\x9b"
               "c\xe2\x80\xae"
               "d");
    assert_shows(&c, "a?[2Jb?c?d\n"); /* escape, C1 control, right-to-left override */
    canvas_finish(&c);
}

static void outside_is_clipped(void **state)
{
    struct canvas c;
    (void)state;
    canvas_init(&c);
    canvas_resize(&c, 6, 3);
    struct rect r = {1, 1, 3, 1};
    canvas_put(&c, r, -1, 0, STYLE_NORMAL, "abcdef");
    canvas_put(&c, r, 0, 1, STYLE_NORMAL, "no");
    canvas_put(&c, r, 0, -1, STYLE_NORMAL, "no");
    assert_shows(&c, "\n bcd\n\n");
    canvas_box(&c, (struct rect){-1, -1, 9, 9}, STYLE_NORMAL);
    canvas_box(&c, (struct rect){0, 0, 6, 3}, STYLE_NORMAL);
    assert_shows(&c, "+----+\n|bcd |\n+----+\n");
    canvas_finish(&c);
}

static void breaking_lines(void **state)
{
    struct canvas c;
    size_t skip;
    (void)state;
    canvas_init(&c);
    assert_int_equal(text_break(&c, "stop node1 now", 10, &skip), 10);
    assert_int_equal(skip, 1);
    assert_int_equal(text_break(&c, "stop node1 now", 9, &skip), 4);
    assert_int_equal(text_break(&c, "abcdefghij", 4, &skip), 4); /* no space to break at */
    assert_int_equal(text_break(&c, "镜像队列", 5, &skip), 6);   /* two characters of three bytes */
    assert_int_equal(text_break(&c, "镜像", 1, &skip), 3);       /* always gets on */
    assert_int_equal(text_break(&c, "", 5, &skip), 0);
    assert_int_equal(text_break(&c, "a 镜像队列", 7, &skip),
                     8); /* wide ones part anywhere, not at the space */
    assert_int_equal(text_break(&c, "镜像node1", 6, &skip), 6);  /* before a word */
    assert_int_equal(text_break(&c, "镜像队。列", 6, &skip), 6); /* no line begins with a closing mark */
    assert_int_equal(text_break(&c, "镜像) 列", 4, &skip), 3);
    canvas_finish(&c);
}

/* A document that programs write ends its lines between its parts, not inside a word. */
static void documents_are_broken_between_tokens(void **state)
{
    static const char json[] = "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}";
    (void)state;
    struct canvas c;
    canvas_init(&c);
    size_t skip, len = text_break(&c, json, 40, &skip);
    assert_int_equal(len, strlen("{\"ha-mode\":\"exactly\",\"ha-params\":2,"));
    assert_int_equal(skip, 0);
    len = text_break(&c, json, 20, &skip); /* no comma so far */
    assert_int_equal(len, strlen("{\"ha-mode\":"));
    assert_int_equal(text_break(&c, "amqp://host:5672/and-more", 12, &skip), strlen("amqp://host:"));
    assert_int_equal(text_break(&c, "abcdefghijkl", 5, &skip), 5);
    canvas_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_broken_between_tokens),
        cmocka_unit_test(columns),
        cmocka_unit_test(wide_characters_at_edges),
        cmocka_unit_test(what_is_cut_says_so),
        cmocka_unit_test(control_characters_are_not_sent),
        cmocka_unit_test(outside_is_clipped),
        cmocka_unit_test(breaking_lines),
    };
    return cmocka_run_group_tests_name("screen/canvas", tests, NULL, NULL);
}
