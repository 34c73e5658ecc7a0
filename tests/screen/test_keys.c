/* test_keys.c: the keys are one table (tui/keys.h): the help, the manual page and the bar say what it has. */
#include "tests/screen/support.h"

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
    for (int i = 0; i < 8; i++) { /* page by page, on the smallest terminal that has all parts */
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
    assert_contains(text_str(&all), "TWO MASTERS, 2/0, ONE SIDE"); /* and what is no key */
    assert_contains(text_str(&all), "2/0 under READY: what each of them has");
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

/* The manual page's list of keys is the table's: written from it with UPDATE_FRAMES=1, the same afterwards.
 */
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
        text_printf(&keys, "\n%s%c%s.\n", "", key_table[i].help[0] - (key_table[i].help[0] >= 'a' ? 32 : 0),
                    key_table[i].help + 1);
    }
    text_add(&keys, ".El\n");
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
        cmocka_unit_test(the_bar_is_the_tables),     cmocka_unit_test(the_bar_names_what_acts),
    };
    return cmocka_run_group_tests_name("screen/keys", tests, NULL, NULL);
}
