/* test_keys.c: the keys are one table (tui/keys.h): the help, the manual page and the bar say what it has. */
#include "tests/screen/support.h"

#include "apart.h"
#include "overlay_keys.h"
#include "ran.h"

static void every_key_is_in_the_help(void **state)
{
    struct model m;
    struct command *run;
    struct text all = {0};
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    model_key(&m, '?', &run);
    for (int i = 0; i < 14; i++) { /* page by page, on the smallest terminal that has all parts */
        char *frame = model_frame(&m, 80, 24);
        text_add(&all, frame);
        free(frame);
        model_key(&m, KEY_PAGE_DOWN, &run);
        assert_int_equal(m.overlay, OVERLAY_HELP);
    }
    for (size_t i = 0; i < key_table_len; i++) {
        char *word = format_text(" %s ", key_table[i].name);
        assert_contains(text_str(&all), word);
        if (key_table[i].help)
            assert_contains(text_str(&all), key_table[i].help);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(key_table[i].key, key_table[j].key);
        free(word);
    }
    for (size_t i = 0; i < overlay_keys_len; i++) {
        const struct overlay_key *k = &overlay_keys[i];
        struct text line = {0};
        for (size_t j = i; k->help && j < overlay_keys_len && (j == i || !overlay_keys[j].help); j++)
            text_printf(&line, "%s%s", j == i ? "" : " ", overlay_keys[j].name);
        char *whole = k->help ? format_text("| %-29s%s ", line.s, k->help) : xstrdup("");
        assert_contains(text_str(&all), whole);
        free(whole);
        text_finish(&line);
        size_t parts = 0;
        for (size_t j = 0; j < overlay_parts_len; j++)
            parts += overlay_part_has(&overlay_parts[j], k);
        assert_true(parts >= 1); /* each is listed */
    }
    for (size_t i = 0; i < overlay_parts_len; i++)
        assert_contains(text_str(&all), overlay_parts[i].title);
    assert_contains(text_str(&all), "TWO MASTERS, 2/0, 2 views, ONE SIDE"); /* and what is no key */
    assert_contains(text_str(&all), "2/0 under READY: what each of them has");
    struct side_seen large[] = {{.master = 0, .ready = 100000}, {.master = 1, .ready = 200001}};
    struct queue_seen parted = {.sides = large, .sides_len = ARRAY_LEN(large)};
    char shown[24];
    apart_counts(&parted, shown, sizeof(shown), 9); /* what stands in their place */
    assert_contains(text_str(&all), shown);
    model_key(&m, 'q', &run); /* closes it, no more */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    text_finish(&all);
    model_finish(&m);
}

/* What lies over a view has keys of its own: they stand in the bar, and those that do not act there do not.
 */
static void the_bar_of_what_lies_over(void **state)
{
    static const struct {
        const char *keys, *bar;
    } all[] = {
        {"K", "\nEnter:Marked-one Tab:Mark-other y:Do-it n:Cancel Esc:Cancel\n"},
        {"P", "\nEnter:Do-it Esc:Cancel Tab:Next-field Ctrl-U:Empty\n"},
        {"P\t\t", "\nEnter:Do-it Esc:Cancel Tab:Next-field Space:Other-choice Ctrl-U:Empty\n"},
        {":", "\nEnter:Run Esc:Cancel Tab:Complete up:Earlier-line Ctrl-U:Empty\n"},
        {"/", "\nEnter:Keep Esc:Show-all Ctrl-U:Empty\n"},
        {"o", "\nEsc:Close j:Down k:Up Space:Page-down PgUp:Page-up g:Top G:End\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct model m;
        struct command *run;
        model_init(&m, NULL, NULL, false, false);
        see(&m, "rest");
        types(&m, "s", &run);
        model_ran(&m, run);
        model_output(&m, run, "Stopping\n", strlen("Stopping\n"));
        assert_frame_contains(&m, " s:Stop ");
        types(&m, all[i].keys, &run);
        assert_int_not_equal(m.overlay, OVERLAY_NONE);
        char *frame = model_frame(&m, 80, 24);
        assert_contains(frame, all[i].bar);
        assert_lacks(frame, "s:Stop");
        free(frame);
        model_key(&m, KEY_ESCAPE, &run);
        assert_frame_contains(&m, " s:Stop ");
        model_finish(&m);
    }
}

/* In a replay the keys of time come first, and what it refuses is not named. */
static void the_help_of_a_replay(void **state)
{
    (void)state;
    struct model m;
    model_init(&m, NULL, NULL, false, true);
    see(&m, "rest");
    struct command *run;
    model_key(&m, '?', &run);
    assert_frame_contains(&m, "Space .");
    assert_frame_contains(&m, "a replay faster, slower");
    assert_frame_contains(&m, "this page");
    char *frame = model_frame(&m, 80, 24);
    assert_true(strstr(frame, "Space .") < strstr(frame, "leave; the nodes stay"));
    assert_true(strstr(frame, "a replay faster, slower") < strstr(frame, "leave; the nodes stay"));
    free(frame);
    frame = model_frame(&m, 80, 60);
    assert_lacks(frame, "the lesson's next step");
    assert_lacks(frame, "stop the selected node");
    assert_lacks(frame, "record the session");
    assert_lacks(frame, "Quit n"); /* no refused key stands on another one's line */
    assert_contains(frame, "write this frame to a file");
    assert_lacks(frame, "labctl's verbs; Tab");
    assert_contains(frame, "export or quit, typed; other verbs want a lab");
    free(frame);
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, ':', &run);
    assert_frame_contains(&m, "export, quit; labctl's verbs want a lab");
    model_key(&m, KEY_ESCAPE, &run);
    assert_keys_say(&m, ":list_queues\n", "list_queues does nothing here: this is a replay, not a lab");
    assert_int_equal(types(&m, ":quit\n", &run), EFFECT_QUIT);
    model_finish(&m);
}

static void add_sentence(struct text *page, const char *help)
{
    text_printf(page, "\n%c%s.\n", help[0] - (help[0] >= 'a' ? 32 : 0), help + 1);
}

static void add_overlay_item(struct text *page, size_t i)
{
    text_add(page, ".It Li");
    for (size_t j = i; j < overlay_keys_len && (j == i || !overlay_keys[j].help); j++)
        text_printf(page, " \\&%s", overlay_keys[j].name);
    add_sentence(page, overlay_keys[i].help);
}

/* The manual page's list of keys is the table's: written from it with UPDATE_FRAMES=1, the same afterwards.
 */
static void the_manual_page_has_the_keys(void **state)
{
    static const char file[] = "docs/man/lab.1", begin[] = ".\\\" keys: begin", end[] = ".\\\" keys: end";
    struct text page = {0}, keys = {0};
    char part[4096];
    (void)state;
    FILE *f = fopen(file, "re");
    assert_non_null(f);
    for (size_t got; (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&page, part, got);
    fclose(f);
    text_add(&keys, ".Bl -tag -width Shift-Tab -compact\n");
    for (size_t i = 0; i < key_table_len; i++) {
        if (!key_table[i].help)
            continue;
        text_add(&keys, ".It Li");
        for (size_t j = i; j < key_table_len && (j == i || !key_table[j].help); j++)
            text_printf(&keys, " \\&%s", key_table[j].name);
        add_sentence(&keys, key_table[i].help);
    }
    text_add(&keys, ".El\n");
    for (size_t i = 0; i < overlay_parts_len; i++) {
        text_printf(&keys, ".Ss %s\n.Bl -tag -width Shift-Tab -compact\n", overlay_parts[i].title);
        for (size_t j = 0; j < overlay_keys_len; j++)
            if (overlay_keys[j].help && overlay_part_has(&overlay_parts[i], &overlay_keys[j]))
                add_overlay_item(&keys, j);
        text_add(&keys, ".El\n");
    }
    char *from = strstr(page.s, begin), *to = strstr(page.s, end);
    assert_non_null(from);
    assert_non_null(to);
    from = strchr(from, '\n') + 1;
    if (getenv("UPDATE_FRAMES")) {
        f = fopen(file, "we");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(from - page.s), page.s, keys.s, to);
        fclose(f);
    } else if (strlen(keys.s) != (size_t)(to - from) || strncmp(from, keys.s, strlen(keys.s)) != 0) {
        fail_msg("%s: its keys are not those of tui/keys.h; UPDATE_FRAMES=1 takes them over:\n%s", file,
                 keys.s);
    }
    text_finish(&page);
    text_finish(&keys);
}

/* The bar: keys of the table with their words, the same in every frame that has room for it. */
static void the_bar_is_the_tables(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    char *frame = model_frame(&m, 200, 24);
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = &key_table[i];
        char *word = k->bar && k->acts ? format_text("%s:%s", k->name, k->bar) : NULL;
        if (word)
            assert_contains(frame, word);
        free(word);
    }
    free(frame);
    model_finish(&m);
    sketch_destroy(l);
}

/* ---- keys that are in no table
 * ------------------------------------------------------------------------------------------- */

#define KEYS_END 0x250 /* control characters, ASCII, Latin */

/* A model of the lesson in which something was run; these keys were pressed. */
static void open_with(struct model *m, struct lesson *l, bool readonly, bool replay, const char *keys)
{
    struct command *run;
    model_init(m, l, NULL, false, false);
    see(m, "rest");
    types(m, "s", &run);
    model_ran(m, run);
    model_output(m, run, "Stopping\n", strlen("Stopping\n"));
    model_ended(m, run, 0);
    m->readonly = readonly;
    m->replay = replay;
    types(m, keys, &run);
    assert_null(run);
    free(model_frame(m, 80, 24)); /* what only drawing knows is known */
    free(m->message);
    m->message = NULL;
}

/* Every byte of the model but for what is said. */
static void assert_unchanged(struct model *m, const struct model *was, int key)
{
    struct model now;
    free(m->message);
    m->message = NULL;
    memcpy(&now, m, sizeof(now));
    now.message_step = was->message_step;
    if (memcmp(&now, was, sizeof(now)) != 0)
        fail_msg("key %d is in no table, and it changes something", key);
}

/* A key that is not in the table of the views does nothing, wherever one is: it says that it is none. */
static void a_key_that_is_in_no_table(void **state)
{
    static const struct {
        const char *keys;
        bool lesson, readonly, replay, compared;
    } places[] = {{.keys = ""},
                  {.keys = "", .lesson = true},
                  {.keys = "2"},
                  {.keys = "3"},
                  {.keys = "4", .lesson = true},
                  {.keys = "\n"},
                  {.keys = "l\n"},
                  {.keys = "f", .lesson = true},
                  {.keys = "", .lesson = true, .readonly = true},
                  {.keys = "", .replay = true},
                  {.keys = "", .replay = true, .compared = true}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct model m, was;
        struct command *run;
        struct lesson *l = places[i].lesson ? sketch_two_proved() : NULL;
        open_with(&m, l, places[i].readonly, places[i].replay, places[i].keys);
        m.compared = places[i].compared;
        for (int key = 1, none = 0; key < KEYS_END; key++) {
            if (key_find(key) || question_choice(&m, key) >= 0) /* an answer: on the line of A */
                continue;
            memcpy(&was, &m, sizeof(was));
            enum effect effect = model_key(&m, key, &run);
            assert_null(run);
            bool says = key > ' ' && key < 0x7f;
            assert_int_equal(effect, says ? EFFECT_DRAW : EFFECT_NONE);
            if (says)
                assert_contains(model_message(&m), "no such key");
            assert_unchanged(&m, &was, key);
            none += says;
            assert_true(key < KEYS_END - 1 || none > 20); /* such as Z */
        }
        model_finish(&m);
        if (l)
            sketch_destroy(l);
    }
}

/* the line that is typed in what is open */
static struct input *line_of(struct model *m)
{
    struct form *f = &m->forms[m->form];
    return m->overlay == OVERLAY_FORM ? &f->fields[f->at] : &m->line;
}

static bool is_typed(const struct model *m, const char *was, int key)
{
    struct input in = {0};
    input_set(&in, m->overlay == OVERLAY_FORM ? "" : was); /* a field that was just chosen is typed anew */
    input_key(&in, ASK_NOTHING, key);
    bool same = strcmp(input_text(&in), input_text(line_of((struct model *)m))) == 0;
    input_finish(&in);
    return same;
}

/* Nor does one that is in no row of what lies over the view: the help is closed, a line gets the character.
 */
static void a_key_that_is_in_no_row(void **state)
{
    static const char *const places[] = {"K", "P", "P\t\t", ":ab", "/h", "o", "?"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (int key = 1, none = 0; key < KEYS_END; key++) {
            struct model m, was;
            struct command *run;
            struct lesson *l = sketch_two_proved();
            open_with(&m, l, false, false, places[i]);
            unsigned where = overlay_where(&m);
            assert_int_not_equal(where, 0);
            if (overlay_key_find(where, key) || key_find(key) == key_find(KEY_CTRL_L)) {
                model_finish(&m);
                sketch_destroy(l);
                continue;
            }
            char *typed = xstrdup(input_text(line_of(&m)));
            memcpy(&was, &m, sizeof(was));
            enum effect effect = model_key(&m, key, &run);
            none++;
            assert_null(run);
            if (where & OVER_TYPED) {
                assert_int_equal(overlay_where(&m), where);
                if (key >= ' ' && !is_typed(&m, typed, key))
                    fail_msg("%s: key %d: '%s' became '%s'", places[i], key, typed, input_text(line_of(&m)));
                if (key < ' ')
                    assert_string_equal(input_text(line_of(&m)), typed);
            } else {
                assert_int_equal(effect, where == OVER_HELP ? EFFECT_DRAW : EFFECT_NONE);
                was.overlay = where == OVER_HELP ? OVERLAY_NONE : was.overlay;
                assert_unchanged(&m, &was, key);
            }
            free(typed);
            model_finish(&m);
            sketch_destroy(l);
            assert_true(key < KEYS_END - 1 || none > 100);
        }
}

/* Each row of the table is a key that acts where it says so: what it asks for, and no later row for it. */
static void each_row_acts(void **state)
{
    static const char *const places[] = {"K", "P", "P\t\t", ":ab", "/h", "o", "?"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        for (size_t k = 0; k < overlay_keys_len; k++) {
            struct model m;
            struct command *run;
            struct lesson *l = sketch_two_proved();
            open_with(&m, l, false, false, places[i]);
            unsigned where = overlay_where(&m);
            if (overlay_key_find(where, overlay_keys[k].key) == &overlay_keys[k]) {
                assert_int_not_equal(model_key(&m, overlay_keys[k].key, &run), EFFECT_NONE);
                bool closes = overlay_keys[k].ask == ASK_CLOSE || overlay_keys[k].ask == ASK_YES;
                bool stays = !closes && overlay_keys[k].ask != ASK_ENTER;
                if (closes || stays)
                    assert_int_equal(m.overlay == OVERLAY_NONE, closes);
                command_destroy(run);
            }
            model_finish(&m);
            sketch_destroy(l);
        }
}

/* Ctrl-L draws anew, whatever lies over the view. */
static void ctrl_l_draws_anew(void **state)
{
    static const char *const places[] = {"", "K", "P", ":", "/", "o", "?"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct model m, was;
        struct command *run;
        open_with(&m, NULL, false, false, places[i]);
        memcpy(&was, &m, sizeof(was));
        assert_int_equal(model_key(&m, KEY_CTRL_L, &run), EFFECT_CLEAR);
        assert_unchanged(&m, &was, KEY_CTRL_L);
        model_finish(&m);
    }
}

/* No word for what the key would not do: a node that is stopped already, the next step while one runs. Where
 * no number of the header leads away a key is named that does. */
static void the_bar_names_what_acts(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "stopped"); /* node1 is, and is selected */
    assert_frame_contains(&m, " a:Start K:Kill-9 ");
    assert_frame_lacks(&m, "s:Stop");
    m.snapshot->nodes[0].gone = true;
    assert_frame_contains(&m, " a:Start x:");
    m.node = 1;
    assert_frame_contains(&m, " s:Stop a:Start K:Kill-9 ");

    assert_frame_contains(&m, "\nn:Next ");
    assert_int_equal(types(&m, "n", &run), EFFECT_RUN);
    model_ran(&m, run);
    l->steps[0].acted = true;
    assert_frame_contains(&m, "\nq:Quit ");
    model_ended(&m, run, 0);
    assert_frame_contains(&m, "\nn:Next ");

    see(&m, "rest");
    types(&m, "h\n", &run); /* the node's page; then the queue's */
    assert_int_equal(m.view, VIEW_NODE);
    assert_frame_contains(&m, "\nEsc:Close n:Next q:Quit ?:Help s:Stop a:Start K:Kill-9 x:Cut\n");
    model_key(&m, KEY_ESCAPE, &run);
    assert_frame_contains(&m, "\nn:Next q:Quit ");
    types(&m, "j\n", &run);
    assert_int_equal(m.view, VIEW_QUEUE);
    assert_frame_contains(&m, "\nEsc:Close n:Next q:Quit ?:Help p:Publish g:Get P:Policy\n");
    model_finish(&m);
    sketch_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar_of_what_lies_over), cmocka_unit_test(every_key_is_in_the_help),
        cmocka_unit_test(the_help_of_a_replay),      cmocka_unit_test(the_manual_page_has_the_keys),
        cmocka_unit_test(the_bar_is_the_tables),     cmocka_unit_test(a_key_that_is_in_no_table),
        cmocka_unit_test(a_key_that_is_in_no_row),   cmocka_unit_test(each_row_acts),
        cmocka_unit_test(ctrl_l_draws_anew),         cmocka_unit_test(the_bar_names_what_acts),
    };
    return cmocka_run_group_tests_name("screen/keys", tests, NULL, NULL);
}
