/* test_links.c: which links of a lab are cut, as its folder keeps it (links.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/links.h"
#include "tests/temporary.h"

struct scene {
    struct labdir lab;
    char *file;
    uint32_t cut[LIMIT_NODES];
};

static int begin(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    *state = s;
    if (!s || !temporary_folder_in(s->lab.path, sizeof(s->lab.path), "links"))
        return -1;
    s->file = format_text("%s/%s", s->lab.path, LAB_LINKS_FILE);
    for (s->lab.nodes_len = 0; s->lab.nodes_len < 3; s->lab.nodes_len++)
        snprintf(s->lab.nodes[s->lab.nodes_len].name, sizeof(s->lab.nodes[0].name), "node%zu",
                 s->lab.nodes_len + 1);
    return 0;
}

static int end(void **state)
{
    struct scene *s = *state;
    unlink(s->file);
    int code = rmdir(s->lab.path);
    free(s->file);
    free(s);
    return code;
}

static void assert_cut(struct scene *s, uint32_t one, uint32_t two, uint32_t three)
{
    assert_int_equal(links_cut(&s->lab, s->cut), (one | two | three) != 0);
    assert_int_equal(s->cut[0], one);
    assert_int_equal(s->cut[1], two);
    assert_int_equal(s->cut[2], three);
}

/* node2 from both others, as labctl tells it: each end. */
static void cut_node2(struct scene *s)
{
    assert_int_equal(links_note(&s->lab, 1, 1, true), 0);
    assert_int_equal(links_note(&s->lab, 0, 2, true), 0);
    assert_int_equal(links_note(&s->lab, 1, 4, true), 0);
    assert_int_equal(links_note(&s->lab, 2, 2, true), 0);
}

/* A link is cut as long as either end of it is. */
static void both_ends_count(void **state)
{
    struct scene *s = *state;
    assert_cut(s, 0, 0, 0); /* no file */
    assert_int_equal(links_note(&s->lab, 1, 5, false), 0);
    assert_int_equal(access(s->file, F_OK), -1);
    cut_node2(s);
    assert_cut(s, 2, 5, 2);
    assert_int_equal(links_note(&s->lab, 0, 2, false), 0);
    assert_cut(s, 2, 5, 2); /* the other end is still cut */
    assert_int_equal(links_note(&s->lab, 1, 1, false), 0);
    assert_cut(s, 0, 4, 2);
    assert_int_equal(links_note(&s->lab, 1, UINT32_MAX, false), 0); /* heal: all of each */
    assert_int_equal(links_note(&s->lab, 2, UINT32_MAX, false), 0);
    assert_cut(s, 0, 0, 0);
}

/* A process that begins has cut nothing; its peers go on keeping their ends cut. */
static void a_process_begins_anew(void **state)
{
    struct scene *s = *state;
    cut_node2(s);
    links_forget(&s->lab, 1);
    assert_cut(s, 2, 5, 2);
    links_forget(&s->lab, 0);
    assert_cut(s, 0, 4, 2);
    links_forget(&s->lab, 2);
    assert_cut(s, 0, 0, 0);
}

/* What is in the file may be of another lab, or nothing that was written here. */
static void what_it_does_not_know_is_left_out(void **state)
{
    static const char *const texts[] = {"", "[1, 2", "{\"node1\": 7, \"node2\": [3, null]}",
                                        "{\"node9\": [\"node1\"], \"node1\": [\"node1\", \"node9\"]}"};
    struct scene *s = *state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        FILE *f = fopen(s->file, "we");
        assert_true(f && fputs(texts[i], f) >= 0 && fclose(f) == 0);
        assert_cut(s, 0, 0, 0);
    }
    cut_node2(s);
    assert_cut(s, 2, 5, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(both_ends_count), TEST(a_process_begins_anew),
                                       TEST(what_it_does_not_know_is_left_out)};
    return cmocka_run_group_tests_name("lab/links", tests, NULL, NULL);
}
