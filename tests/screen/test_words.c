/* test_words.c: what a person reads is in the reader's language: every sentence that a node tells of itself
 * has its translation, facts are put into words, and a recording made in one language is shown in another. */
#include "tests/screen/languages.h"
#include "tests/screen/support.h"

#include <glob.h>
#include <langinfo.h>

#include "commands.h"
#include "time_player.h"
#include "view.h"
#include "words.h"

#define LESSON7 "tests/screen/recordings/lesson7.ndjson"

/* ---- what nodes tell ---- */

/* The next string of the source, with those that follow it at once; false: no more before the call's end. */
static bool next_string(const char **at, struct text *out)
{
    text_clear(out);
    const char *c = *at;
    while (*c && *c != '"' && *c != ';')
        c++;
    while (*c == '"') {
        size_t len = strcspn(c + 1, "\"");
        text_add_bytes(out, c + 1, len);
        c += len + 2;
        c += strspn(c, " \n\t");
    }
    *at = c;
    return out->len > 0;
}

/* with names and numbers, as it comes; plural: "%s" after "message" is an s */
static char *filled(const char *format, bool plural)
{
    struct text t = {0};
    for (const char *at = format; *at;) {
        size_t len = strcspn(at, "%");
        text_add_bytes(&t, at, len);
        at += len;
        if (!*at)
            break;
        bool ending = at[1] == 's' && len && strchr("egt", at[-1]);
        bool how = t.len > 10 && strcmp(t.s + t.len - 10, "promoted, ") == 0;
        text_add(&t, how ? (plural ? "NOT in sync" : "in sync") : !ending ? "node2" : plural ? "s" : "");
        at += 1 + strspn(at + 1, "0123456789.lz");
        at++;
    }
    return t.s;
}

static void assert_told_in_chinese(const char *file, const char *format)
{
    for (int plural = 0; plural < 2; plural++) {
        char *text = filled(format, plural);
        struct event_seen e = {.kind = (char *)"node", .text = text};
        char *words = event_words(&e);
        if (strcmp(words, text) == 0)
            fail_msg("%s tells \"%s\": tui/event_words.c has no such sentence (or it is not translated)",
                     file, text);
        free(words);
        free(text);
    }
}

static size_t check_source(const char *file, const char *call)
{
    size_t len, found = 0;
    char *source = file_text(file, &len);
    struct text kind = {0}, format = {0};
    for (const char *at = strstr(source, call); at; at = strstr(at, call)) {
        at += strlen(call);
        const char *end = strchr(at, ';');
        if (!end || !next_string(&at, &kind) || strchr(kind.s, ' '))
            continue; /* its definition, not a call */
        while (at < end && next_string(&at, &format) && !strchr(format.s, ' '))
            ;
        /* what is told word by word ("%s %s") is known by its words */
        if (format.len && strpbrk(format.s, "abcdefghijklmnopqrtuvwxyz") && strcmp(format.s, "%s %s") != 0) {
            assert_told_in_chinese(file, format.s);
            found++;
        }
    }
    text_finish(&kind);
    text_finish(&format);
    free(source);
    return found;
}

static void what_nodes_tell(void **state)
{
    (void)state;
    size_t found = 0;
    static const char *const calls[][2] = {{"common/mirror/*.c", "tell(out"},
                                           {"common/host/*.c", "loop_note("}};
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        glob_t files;
        assert_int_equal(glob(calls[i][0], 0, NULL, &files), 0);
        for (size_t f = 0; f < files.gl_pathc; f++)
            found += check_source(files.gl_pathv[f], calls[i][1]);
        globfree(&files);
    }
    print_message("  %zu sentences of nodes\n", found);
    assert_true(found > 20);
}

/* What B has done is said in the reader's language; a recording has it in the program's. */
static void what_makes_a_lesson_ready(void **state)
{
    static const char said[] = "ready: every node runs, and what the lesson uses is cleared\n";
    static const char *const argv[] = {"lab", "clean", NULL};
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    model_observe(&m, s);
    snapshot_destroy(s);
    model_ran(&m, command_of(argv, COMMAND_CLEAN));
    model_output(&m, m.command, said, strlen(said));
    model_ended(&m, m.command, 0);
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "every node runs");
    assert_contains(frame, _("ready: every node runs, and what the lesson uses is cleared"));
    free(frame);
    model_finish(&m);
}

/* ---- facts ---- */

static char *frame_at(const char *name, int view)
{
    char *error = NULL;
    struct command *run;
    struct player *p = player_create(recording_open(LESSON7, &error), NULL, NULL, false);
    const struct recording *r = player_recording(p);
    for (size_t i = 0; i < r->moments.len; i++) {
        json_t *line = recording_line(r, i);
        const char *is = json_string_value(json_object_get(line, "name"));
        if (is && strcmp(is, name) == 0)
            player_to(p, i + 1);
        json_decref(line);
    }
    model_key(player_model(p), view, &run);
    struct canvas c;
    struct text out = {0};
    canvas_init(&c);
    canvas_resize(&c, 160, 45);
    screen_settle(player_model(p), &c);
    screen_draw(player_model(p), &c);
    canvas_to_text(&c, &out);
    canvas_finish(&c);
    player_destroy(p);
    return out.s;
}

/* The same recording, in both languages: facts, what is waited for, events. */
static void one_recording_in_two_languages(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"seen: node2, node3 say so", "看到：node2, node3 都这样报告"},
        {" 6 consume from node3", " 6 从 node3 消费"},
        {"You said b, and so it was: mirrior_hello's.", "你说 b，果然是：mirrior_hello 的。"},
        {"node1 was stopped", "node1 被停止了"},
    };
    static const char *const documents[] = {"README.md", "lessons/07-failover/README.zh-CN.md"};
    for (int l = 0; l < 2; l++) {
        words_of_document(documents[l]);
        char *lesson = frame_at("stopped", '4'), *events = frame_at("stopped", '2');
        char *both = format_text("%s%s", lesson, events);
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            assert_contains(both, words[i][l]);
        free(lesson);
        free(events);
        free(both);
    }
}

/* ---- a locale that is not installed ---- */

/* glibc's setlocale never frees the list that it makes of LOCPATH. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:argz_add_sep\n";
}

static void nothing_is_installed(const char *locale)
{
    setenv("LOCPATH", "/nonexistent", 1); /* but what glibc has in itself */
    setenv("LC_ALL", locale, 1);
    unsetenv("LANGUAGE");
}

static void its_language_and_characters_all_the_same(void **state)
{
    (void)state;
    nothing_is_installed("zh_CN.UTF-8");
    char *said = words_init();
    assert_non_null(said);
    assert_contains(said, "localedef -i zh_CN -f UTF-8 zh_CN.UTF-8");
    assert_string_equal(nl_langinfo(CODESET), "UTF-8");
    assert_string_equal(_("policy"), "策略");
    free(said);
}

static void an_unknown_language_has_its_characters(void **state)
{
    (void)state;
    nothing_is_installed("xx_YY.utf8");
    char *said = words_init();
    assert_non_null(said);
    assert_contains(said, "the locale xx_YY.utf8 is not installed here");
    assert_string_equal(nl_langinfo(CODESET), "UTF-8");
    assert_string_equal(_("policy"), "policy");
    free(said);
    nothing_is_installed("UTF-8"); /* no locale's name, but it says what the terminal shows */
    assert_null(words_init());
    assert_string_equal(nl_langinfo(CODESET), "UTF-8");
}

static void what_is_not_utf8_is_not_taken_for_it(void **state)
{
    (void)state;
    nothing_is_installed("zh_CN.GB18030");
    char *said = words_init();
    assert_non_null(said);
    assert_contains(said, "the locale zh_CN.GB18030 is not installed here");
    assert_contains(said, "LC_ALL=C.UTF-8");
    assert_string_not_equal(nl_langinfo(CODESET), "UTF-8");
    free(said);
    nothing_is_installed("C");
    assert_null(words_init());
    nothing_is_installed("C.UTF-8");
    assert_null(words_init());
    assert_string_equal(nl_langinfo(CODESET), "UTF-8");
}

static int locale_end(void **state)
{
    unsetenv("LOCPATH");
    unsetenv("LC_ALL");
    return english(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_nodes_tell, chinese, english),
        cmocka_unit_test_setup_teardown(what_makes_a_lesson_ready, chinese, english),
        cmocka_unit_test_setup_teardown(one_recording_in_two_languages, chinese, english),
        cmocka_unit_test_setup_teardown(its_language_and_characters_all_the_same, english, locale_end),
        cmocka_unit_test_setup_teardown(an_unknown_language_has_its_characters, english, locale_end),
        cmocka_unit_test_setup_teardown(what_is_not_utf8_is_not_taken_for_it, english, locale_end),
    };
    return cmocka_run_group_tests_name("screen/words", tests, NULL, NULL);
}
