/* test_prompt.c: what is typed behind ':': which node a verb asks, editing and recalling, completion, what a
 * read-only screen refuses, what is asked before it is done. On the model alone. */
#include "tests/screen/support.h"

#include "complete.h"
#include "main/labctl.h"
#include "verbs.h"

static void a_typed_verb_asks_the_right_node(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "stopped"); /* node1 does not run and is selected */
    assert_keys_run(&m, ":list_queues name state\n", "labctl -n node2 list_queues name state");
    assert_keys_run(&m, ":start_app\n", "labctl -n node1 start_app");
    assert_keys_run(&m, ":-n node3 stop_app\n", "labctl -n node3 stop_app");
    assert_keys_run(&m, ":labctl -n node3 status\n", "labctl -n node3 status"); /* pasted from a shell */
    assert_keys_run(&m, ":set_policy a '^q q' '{\"ha-mode\":\"all\"}'\n",
                    "labctl -n node2 set_policy a '^q q' '{\"ha-mode\":\"all\"}'");
    assert_keys_say(&m, ":lst_queues\n",
                    "unknown verb 'lst_queues': did you mean 'list_queues'? : and Tab list all");
    assert_keys_say(&m, ":pubish 5\n", "did you mean 'publish'?"); /* the screen's own words, too */
    assert_keys_say(&m, ":quti\n", "did you mean 'quit'?");
    assert_keys_say(&m, ":no_such_verb\n",
                    "unknown verb 'no_such_verb'; : and Tab list all, :help explains labctl's");
    m.lab = &(struct labdir){.engine = ENGINE_RABBITMQ}; /* rabbitmqctl may have it: labctl asks */
    assert_keys_run(&m, ":list_ciphers\n", "labctl -n node1 list_ciphers");
    assert_keys_say(&m, ":set_policy 'a\n", "a quote is not closed");
    assert_int_equal(types(&m, ":\n", &run), EFFECT_DRAW); /* an empty line is no command */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

/* What is not labctl's its help does not know: the screen explains it, and says no more of :help than it
 * does. */
static void the_screens_own_words_are_explained(void **state)
{
    struct model m;
    struct command *run;
    size_t own = 0;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < verb_table_len; i++) {
        const struct verb *v = &verb_table[i];
        assert_int_equal(verb_says(v->name) != NULL, v->of == OF_SCREEN);
        if (v->of != OF_SCREEN)
            continue;
        char *asked = format_text(":help %s\n", v->name), *typed = format_text(":%s", v->name);
        assert_keys_say(&m, asked, verb_says(v->name));
        types(&m, typed, &run);
        assert_frame_contains(&m, verb_says(v->name)); /* and as soon as it is typed */
        model_key(&m, KEY_ESCAPE, &run);
        free(asked);
        free(typed);
        own++;
    }
    assert_int_equal(own, 5);
    assert_keys_run(&m, ":help ping\n", "labctl -n node1 help ping");
    types(&m, ":\t", &run); /* which is what an unknown verb is told of */
    for (size_t i = 0; i < verb_table_len; i++)
        assert_frame_contains(&m, verb_table[i].name);
    model_key(&m, KEY_ESCAPE, &run);
    model_finish(&m);
}

static void lines_are_edited_and_recalled(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_keys_run(&m, ":pngx\x08\x02\x02i\n", "labctl -n node1 ping");
    assert_keys_run(&m, ":status\n", "labctl -n node1 status");
    types(&m, ":half", &run);
    model_key(&m, KEY_ARROW_UP, &run);
    assert_string_equal(input_text(&m.line), "status");
    model_key(&m, KEY_ARROW_UP, &run);
    assert_string_equal(input_text(&m.line), "ping");
    model_key(&m, KEY_ARROW_UP, &run); /* there is no older one */
    assert_string_equal(input_text(&m.line), "ping");
    model_key(&m, KEY_ARROW_DOWN, &run);
    assert_keys_run(&m, "\n", "labctl -n node1 status");
    types(&m, ":", &run);
    static const int wide[] = {0x961f, 0x5217, 'x', KEY_ARROW_LEFT, KEY_ERASE, KEY_FIRST, KEY_ERASE_HERE};
    for (size_t i = 0; i < 5; i++)
        model_key(&m, wide[i], &run);
    assert_string_equal(input_text(&m.line), "\xe9\x98\x9fx"); /* whole characters go */
    model_key(&m, wide[5], &run);
    model_key(&m, wide[6], &run);
    assert_string_equal(input_text(&m.line), "x");
    model_key(&m, KEY_ESCAPE, &run);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

static void assert_completes(struct model *m, const char *typed, const char *line, const char *choice)
{
    struct input in = {0};
    input_set(&in, typed);
    char *choices = complete(m, &in);
    assert_string_equal(input_text(&in), line);
    if (choice && !choices)
        fail_msg("%s: no choices", typed);
    if (choice)
        assert_contains(choices, choice);
    else
        assert_null(choices);
    free(choices);
    input_finish(&in);
}

static void tab_completes(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_completes(&m, "sync", "sync_queue ", NULL);
    assert_completes(&m, "list_q", "list_queues ", NULL);
    assert_completes(&m, "st", "st", "start  start_app  stop_app  status");
    assert_completes(&m, "sto", "stop_app ", NULL);
    assert_completes(&m, "purge_queue h", "purge_queue hello ", NULL);
    assert_completes(&m, "purge_queue ", "purge_queue ", "hello  mirrior_hello");
    assert_completes(&m, "-n no", "-n node", "node1  node2  node3");
    assert_completes(&m, "-n node2 cut node3 node1", "-n node2 cut node3 node1 ", NULL);
    assert_completes(&m, "cut --o", "cut --one-way ", NULL);
    assert_completes(&m, "cut --one-way node3 node1", "cut --one-way node3 node1 ", NULL);
    assert_completes(&m, "list_queues name sync", "list_queues name sync",
                     "synchronised_slave_pids  sync_messages");
    assert_completes(&m, "list_queues name sla", "list_queues name slave_pids ", NULL);
    assert_completes(&m, "clear_policy ", "clear_policy mirror ", NULL);
    assert_completes(&m, "set_policy --pri", "set_policy --priority ", NULL);
    assert_completes(&m, "set_policy x ^x '{\"ha-mode\":\"a",
                     "set_policy x ^x '{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}' ", NULL);
    assert_completes(&m, "labctl st", "labctl st", "stop_app");
    assert_completes(&m, "nothing_like_it", "nothing_like_it", NULL);
    assert_completes(&m, "status more", "status more", NULL); /* nothing may follow */
    model_finish(&m);
}

/* The table behind completion is labctl's own; what it has besides is the screen's or rabbitmqctl's. */
static void completion_knows_labctls_verbs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ctl_verbs_len; i++)
        if (!verb_find(ctl_verbs[i].name))
            fail_msg("labctl has the verb %s, tui/verbs.c has not", ctl_verbs[i].name);
    for (size_t i = 0; i < verb_table_len; i++) {
        const struct verb *v = &verb_table[i];
        const struct ctl_verb *ours = ctl_find_verb(v->name);
        if (v->of != OF_SCREEN && v->danger != DANGER_RESET && !ours)
            fail_msg("tui/verbs.c has the verb %s, labctl has not", v->name);
        size_t words = 0;
        while (words < ARRAY_LEN(v->words) && v->words[words] != WORD_NONE && v->words[words] != WORD_COLUMNS)
            words++;
        if (ours && !v->columns)
            assert_int_equal(words, ours->words_max);
    }
    FILE *nowhere = fopen("/dev/null", "we");
    for (size_t i = 0; i < verb_table_len; i++) { /* every column is one that labctl knows */
        word_list columns = {0};
        const char *names = verb_table[i].columns ? verb_table[i].columns : "";
        words_split(names, strlen(names), &columns);
        for (size_t j = 0; j < columns.len; j++) {
            char *argv[] = {(char *)(uintptr_t) "labctl", (char *)(uintptr_t)verb_table[i].name,
                            columns.items[j], NULL};
            struct ctl c = {.out = nowhere, .err = nowhere};
            ctl_line_parse(&c.line, 3, argv);
            if (ctl_check_columns(&c) != CTL_OK)
                fail_msg("%s has no column %s", verb_table[i].name, columns.items[j]);
            ctl_line_finish(&c.line);
        }
        words_free(&columns);
    }
    fclose(nowhere);
}

static void a_read_only_screen_looks_and_does_not_touch(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, true, false);
    see(&m, "rest");
    assert_keys_run(&m, ":list_queues\n", "labctl -n node1 list_queues");
    for (size_t i = 0; i < verb_table_len; i++) { /* every verb that changes something, and what is unknown */
        if (!verb_table[i].acts)
            continue;
        char *keys = format_text(":%s hello hello\n", verb_table[i].name);
        assert_keys_say(&m, keys, "--readonly");
        assert_int_equal(m.overlay, OVERLAY_NONE);
        free(keys);
    }
    m.lab = &(struct labdir){.engine = ENGINE_RABBITMQ};
    assert_keys_say(&m, ":rotate_logs\n", "--readonly"); /* what rabbitmqctl alone knows may act */
    assert_keys_say(&m, ":-n node2 kill\n", "--readonly");
    for (size_t i = 0; i < key_table_len; i++) {
        if (!key_table[i].acts)
            continue;
        model_key(&m, key_table[i].key, &run);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_NONE);
        assert_contains(model_message(&m), "--readonly");
    }
    model_finish(&m);
}

static void what_cannot_be_undone_is_asked(void **state)
{
    static const struct {
        const char *line, *text, *what;
    } all[] = {{":kill\n", "labctl -n node1 kill", "as in a power cut"},
               {":-n node2 kill\n", "labctl -n node2 kill", "as in a power cut"},
               {":purge_queue hello\n", "labctl -n node1 purge_queue hello", "is gone for good"},
               {":labctl --timeout 5 purge_queue hello\n", "labctl -n node1 --timeout 5 purge_queue hello",
                "gone for"},
               {":delete_queue hello\n", "labctl -n node1 delete_queue hello", "with its messages"},
               {":reset\n", "labctl -n node1 reset", "forgets everything"}};
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        types(&m, all[i].line, &run);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_CONFIRM);
        char *frame = model_frame(&m, 80, 24);
        assert_contains(frame, all[i].text);
        assert_contains(frame, all[i].what);
        assert_contains(frame, "[ Cancel ]");
        free(frame);
        static const char *const cancels[] = {"\n", "n", "q", "\x1b"}; /* Enter alone cancels, too */
        assert_int_equal(types(&m, cancels[i % ARRAY_LEN(cancels)], &run), EFFECT_DRAW);
        assert_int_equal(m.overlay, OVERLAY_NONE);
        assert_frame_contains(&m, "cancelled: nothing was done");
        types(&m, all[i].line, &run);
        assert_keys_run(&m, "y", all[i].text);
    }
    model_finish(&m);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_verb_asks_the_right_node),
        cmocka_unit_test(the_screens_own_words_are_explained),
        cmocka_unit_test(lines_are_edited_and_recalled),
        cmocka_unit_test(tab_completes),
        cmocka_unit_test(completion_knows_labctls_verbs),
        cmocka_unit_test(a_read_only_screen_looks_and_does_not_touch),
        cmocka_unit_test(what_cannot_be_undone_is_asked),
    };
    return cmocka_run_group_tests_name("screen/prompt", tests, NULL, NULL);
}
