/* test_legend.c: under the picture of a message's life stands what its signs mean: each that can be seen, no
 * other, in two rows at most, in every language. The signs are read from the picture as it was drawn. */
#include "tests/screen/languages.h"
#include "tests/screen/support.h"

#include "diagram.h"
#include "words.h"

#define SIGNS "oX:*~?/Mmu.!"
#define NODES 5

/* nothing but signs is drawn: no labels, no times, no name with a sign in it */
static struct moment moments[] = {
    {.kind = MOMENT_ARROW, .from = PARTY_PRODUCER, .to = 0, .label = " "},
    {.kind = MOMENT_INFERRED, .from = 0, .to = 1, .label = " "},
    {.kind = MOMENT_MARK, .from = 2, .to = PARTY_NOBODY, .letter = 'u', .label = " "},
    {.kind = MOMENT_UNLINKED, .from = 0, .to = 1, .label = " "},
    {.kind = MOMENT_DOWN, .from = 3, .to = PARTY_NOBODY, .label = " "},
    {.kind = MOMENT_SILENT, .from = 4, .to = PARTY_NOBODY, .label = " "},
    {.kind = MOMENT_ARROW, .from = 0, .to = PARTY_CONSUMER, .label = " "},
    {.kind = MOMENT_MARK, .from = 1, .to = PARTY_NOBODY, .letter = 'M', .label = " "},
    {.kind = MOMENT_UP, .from = 3, .to = PARTY_NOBODY, .returned = true, .label = " "},
    {.kind = MOMENT_UP, .from = 4, .to = PARTY_NOBODY, .returned = true, .label = " "},
};

static void add(char *set, char sign)
{
    if (strchr(SIGNS, sign) && !strchr(set, sign))
        set[strlen(set)] = sign;
}

/* in the order of SIGNS */
static void in_order(char *set)
{
    char sorted[sizeof(SIGNS)] = "";
    for (const char *s = SIGNS; *s; s++)
        if (strchr(set, *s))
            sorted[strlen(sorted)] = *s;
    memcpy(set, sorted, sizeof(sorted));
}

static char *drawn(struct canvas *c)
{
    struct text t = {0};
    canvas_to_text(c, &t);
    return t.s;
}

/* what stands in the picture's rows: letters and moments, without the names above and the word "now" */
static void signs_of_picture(const struct diagram *d, const struct diagram_parts *p, size_t first, int width,
                             char set[sizeof(SIGNS)])
{
    struct canvas *c = d->c;
    canvas_resize(c, width, 40);
    canvas_fill(c, (struct rect){0, 0, width, 40}, STYLE_NORMAL);
    diagram_parties(d, (struct rect){0, 0, width, p->parties});
    diagram_rows(d, (struct rect){0, p->parties, width, p->rows}, first);
    if (p->now)
        diagram_now(d, (struct rect){0, p->parties + p->rows, width, 1}, 0);
    char *text = drawn(c);
    int y = 0, x = 0;
    for (const char *at = text; *at; at++, x++) {
        if (*at == '\n') {
            y++;
            x = -1;
        } else if (y > 0 && x >= d->lanes.producer) {
            add(set, *at);
        }
    }
    free(text);
}

/* What stands for itself at the beginning of an explanation is what it explains. */
static void signs_of_legend(const char *text, char set[sizeof(SIGNS)])
{
    bool begins = true;
    for (const char *at = text; *at; at++) {
        bool alone = at[1] == ' ' && at[2] != ' ';
        if (begins && *at != ' ' && alone)
            add(set, *at);
        begins = *at == ' ' || *at == '\n' ? begins || at[1] == ' ' || *at == '\n' : begins && alone;
    }
}

static void assert_exact(struct diagram *d, const struct diagram_parts *p, size_t first, int width)
{
    char seen[sizeof(SIGNS)] = "", told[sizeof(SIGNS)] = "";
    int rows = diagram_legend_rows(d, width);
    assert_in_range(rows, 1, 2);
    signs_of_picture(d, p, first, width, seen);
    char *picture = drawn(d->c);
    canvas_resize(d->c, width, rows);
    canvas_fill(d->c, (struct rect){0, 0, width, rows}, STYLE_NORMAL);
    diagram_legend(d, (struct rect){0, 0, width, rows}, p, first);
    char *legend = drawn(d->c);
    signs_of_legend(legend, told);
    in_order(seen);
    in_order(told);
    if (strcmp(seen, told) != 0 || strstr(legend, ".."))
        fail_msg("%d columns, %d rows from %zu on: \"%s\" is drawn, \"%s\" explained:\n%s\n%s", width,
                 p->rows, first, seen, told, picture, legend);
    free(picture);
    free(legend);
}

static void each_sign_that_is_drawn_and_no_other(void **state)
{
    (void)state;
    struct node_seen nodes[NODES] = {{0}};
    struct snapshot s = {.nodes = nodes, .nodes_len = NODES};
    struct model m = {.snapshot = &s};
    struct canvas c;
    canvas_init(&c);
    for (size_t i = 0; i < NODES; i++)
        nodes[i].name = format_text("n%zu", i + 1);
    static const int widths[] = {60, 66, 80, 100, 160};
    for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
        struct diagram d = {.m = &m, .c = &c, .name = xstrdup("#1"), .stepwise = true};
        d.life.copies = 1u << 1;
        snprintf(d.now, sizeof(d.now), "Mmu.!");
        for (size_t i = 0; i < ARRAY_LEN(moments); i++)
            VEC_PUSH(&d.rows, (struct row){.m = &moments[i]});
        diagram_place(&d, widths[w]);
        int all = (int)d.rows.len;
        for (size_t first = 0; first < d.rows.len; first++)
            for (int rows = 0; first + (size_t)rows <= d.rows.len; rows++)
                for (int parts = 0; parts < 4; parts++) {
                    struct diagram_parts p = {.parties = parts & 1 ? 2 : 1, .rows = rows, .now = parts >> 1};
                    assert_exact(&d, &p, first, widths[w]);
                }
        assert_exact(&d, &(struct diagram_parts){.parties = 2, .rows = all, .now = 1}, 0, widths[w]);
        diagram_finish(&d);
    }
    for (size_t i = 0; i < NODES; i++)
        free(nodes[i].name);
    canvas_finish(&c);
}

/* Where nobody serves the queue a schedule's book has no answer: that is another ? than a node's that is
 * silent. */
static void what_nobody_can_say(void **state)
{
    (void)state;
    struct node_seen node = {.name = xstrdup("n1")};
    struct snapshot s = {.nodes = &node, .nodes_len = 1};
    struct model m = {.snapshot = &s};
    struct canvas c;
    canvas_init(&c);
    struct diagram d = {.m = &m, .c = &c, .name = xstrdup("#1"), .stepwise = true, .now = "?"};
    diagram_place(&d, 80);
    d.life.home = -1;
    canvas_resize(&c, 80, 1);
    canvas_fill(&c, (struct rect){0, 0, 80, 1}, STYLE_NORMAL);
    diagram_legend(&d, (struct rect){0, 0, 80, 1}, &(struct diagram_parts){.parties = 2, .now = 1}, 0);
    char *legend = drawn(&c);
    assert_string_equal(legend, " ? nobody can say now\n");
    free(legend);
    free(node.name);
    diagram_finish(&d);
    canvas_finish(&c);
}

/* Under the table of queues each letter that is in it is explained, and the ? of its figures, though a queue
 * is stopped, in every language and at every width from that of a usual terminal on. */
static void each_letter_of_the_table(void **state)
{
    (void)state;
    static const char *const drawn_then[][2] = {{"stopped", "Mu.!?"}, {"down", "Mm.!?"}};
    for (size_t i = 0; i < ARRAY_LEN(drawn_then) * 5; i++) {
        struct model m;
        int width = 80 + 20 * (int)(i / ARRAY_LEN(drawn_then));
        const char *const *then = drawn_then[i % ARRAY_LEN(drawn_then)];
        show(&m, NULL, (const char *const[]){"rest", then[0], NULL});
        char *frame = model_frame(&m, width, 24), *told = NULL, *rest = NULL;
        for (char *line = strtok_r(frame, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
            told = strncmp(line, " hello ", strlen(" hello ")) == 0 ? line : told; /* hello itself has a > */
        assert_non_null(told);
        for (const char *letter = then[1]; *letter; letter++) {
            char begins[] = {' ', ' ', *letter, ' ', '\0'};
            assert_contains(told, begins);
        }
        assert_lacks(told, "..");
        free(frame);
        model_finish(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"each_letter_of_the_table, English", each_letter_of_the_table, english, NULL, NULL},
        {"each_letter_of_the_table, Chinese", each_letter_of_the_table, chinese, english, NULL},
        {"what_nobody_can_say", what_nobody_can_say, english, NULL, NULL},
        {"each_sign_that_is_drawn_and_no_other, English", each_sign_that_is_drawn_and_no_other, english, NULL,
         NULL},
        {"each_sign_that_is_drawn_and_no_other, Chinese", each_sign_that_is_drawn_and_no_other, chinese,
         english, NULL},
    };
    return cmocka_run_group_tests_name("screen/legend", tests, NULL, NULL);
}
