/* test_documents.c: frames in texts are what the screen draws, or it is found; scripts are read with care. */
#include "tests/screen/support.h"

#include <glob.h>
#include <unistd.h>

#include "script.h"
#include "tui.h"
#include "tests/temporary.h"

static int frames(const char *const *words)
{
    char *argv[64];
    int argc = 0;
    for (; words[argc]; argc++)
        argv[argc] = xstrdup(words[argc]);
    argv[argc] = NULL;
    int code = tui_frames(argc, argv, NULL);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return code;
}
#define FRAMES(...) frames((const char *const[]){"frames", __VA_ARGS__, NULL})

#define LESSON7 "tests/screen/recordings/lesson7.ndjson"

static void put_document(const char *file, const char *block)
{
    FILE *f = fopen(file, "we");
    fprintf(f, "# A text\n\n<!-- frame: " LESSON7 " --name stopped -->\n%s\nthe end\n", block);
    fclose(f);
}

/* A frame that is out of date is found; update puts the right one there and leaves the rest alone. */
static void frames_in_documents(void **state)
{
    (void)state;
    size_t len;
    char file[PATH_MAX];
    assert_true(temporary_file_in(file, sizeof(file), "doc", ".md"));
    put_document(file, "```\nmirrorlab: an old frame\n```");
    assert_int_equal(FRAMES("--check", file), 1);
    assert_int_equal(FRAMES("--update", file), 0);
    assert_int_equal(FRAMES("--check", file), 0);
    char *text = file_text(file, &len);
    assert_contains(text, "# A text\n\n<!-- frame: ");
    assert_contains(text, "\n```\nmirrorlab 1:Cluster");
    assert_contains(text, "\n```\nthe end\n");
    assert_lacks(text, "an old frame");
    char *master = strstr(text, "M mirrior_hello"); /* one letter of it is changed */
    assert_non_null(master);
    *master = 'm';
    FILE *f = fopen(file, "we");
    fputs(text, f);
    fclose(f);
    free(text);
    assert_int_equal(FRAMES("--check", file), 1);
    put_document(file, "no block");
    assert_int_equal(FRAMES("--check", file), 1);
    put_document(file, "```\n```\n\n```\nmirrorlab 1:Cluster and so on\n```"); /* one that nothing marks */
    assert_int_equal(FRAMES("--update", file), 1);
    assert_int_equal(FRAMES("--check", file), 1);
    text = file_text(file, &len);
    assert_contains(text,
                    "-->\n```\n```\n\n```\nmirrorlab 1:Cluster and so on\n```\nthe end\n"); /* as it was */
    free(text);
    unlink(file);
    assert_int_equal(FRAMES("--check", "/nowhere/README.md"), 1);
    assert_int_equal(FRAMES(LESSON7, "--name", "no-such-moment"), 78);
    assert_int_equal(FRAMES(LESSON7, "--step", "8"), 78);
    assert_int_equal(FRAMES(LESSON7, "--size", "80"), 64);
}

/* What the project's own texts show is what the screen draws. README and each lesson's text show something.
 */
static void the_documents_are_up_to_date(void **state)
{
    (void)state;
    const char *words[64] = {"frames", "--check"};
    glob_t texts;
    assert_int_equal(glob("README*.md", 0, NULL, &texts), 0);
    assert_int_equal(glob("lessons/*/README*.md", GLOB_APPEND, NULL, &texts), 0);
    size_t show = texts.gl_pathc, len;
    assert_int_equal(glob("docs/*.md", GLOB_APPEND, NULL, &texts), 0);
    assert_true(show >= 12 && texts.gl_pathc > show && texts.gl_pathc < ARRAY_LEN(words) - 2);
    for (size_t i = 0; i < texts.gl_pathc; i++) {
        words[2 + i] = texts.gl_pathv[i];
        char *text = file_text(texts.gl_pathv[i], &len);
        if (i < show && !strstr(text, "\n<!-- frame: "))
            fail_msg("%s shows no frame", texts.gl_pathv[i]);
        free(text);
    }
    int code = frames(words);
    globfree(&texts);
    if (code)
        fail_msg("a frame in a text is out of date: make frames, and look at what changed");
}

/* What a document shows to be typed, to be drawn and to be opened, one a line: indented commands without what
 * is said about them, frames, links (to the English document where there are two). */
static char *what_it_names(const char *file)
{
    size_t len;
    char *text = file_text(file, &len), *rest = text;
    struct text t = {0};
    bool frame = false;
    text_add(&t, "");
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        bool fence = strncmp(line, "```", 3) == 0;
        frame = frame != fence;
        if (frame || fence)
            continue;
        const char *about = strncmp(line, "    ", 4) == 0 ? strstr(line + 4, "  ") : NULL;
        if (strncmp(line, "    ", 4) == 0)
            text_printf(&t, "%.*s\n", about ? (int)(about - line) : (int)strlen(line), line);
        if (strncmp(line, "<!-- ", 5) == 0)
            text_printf(&t, "%s\n", line);
        for (const char *at = line; (at = strstr(at, "](")); at++) {
            size_t whole = strcspn(at, ")");
            const char *tongue = strstr(at, ".zh-CN");
            int upto = tongue && tongue < at + whole ? (int)(tongue - at) : (int)whole;
            if (strncmp(at, "](README", 8) != 0) /* from one language to the other */
                text_printf(&t, "%.*s%s)\n", upto, at, upto < (int)whole ? ".md" : "");
        }
    }
    free(text);
    return t.s;
}

static void assert_names_the_same(const char *english, const char *chinese)
{
    char *a = what_it_names(english), *b = what_it_names(chinese);
    if (strcmp(a, b) != 0)
        fail_msg("%s names:\n%s\nand %s:\n%s", english, a, chinese, b);
    free(a);
    free(b);
}

/* A Chinese README says what the English one says: the same commands, frames and links, in the same order. */
static void translations_name_the_same(void **state)
{
    (void)state;
    char *names = what_it_names("README.md");
    assert_contains(names, "    build/lab up\n");
    assert_contains(names, "](docs/semantics.md)\n");
    assert_contains(names, "](lessons/07-failover/README.md)\n");
    free(names);
    assert_names_the_same("README.md", "README.zh-CN.md");
    glob_t lessons;
    assert_int_equal(glob("lessons/*/README.md", 0, NULL, &lessons), 0);
    for (size_t i = 0; i < lessons.gl_pathc; i++) {
        const char *english = lessons.gl_pathv[i];
        char *chinese = format_text("%.*s.zh-CN.md", (int)strlen(english) - 3, english);
        assert_names_the_same(english, chinese);
        free(chinese);
    }
    globfree(&lessons);
}

/* A script says where it is wrong before anything is pressed. */
static void scripts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error; /* NULL: it is one */
    } cases[] = {
        {"# nothing\n\nkey n\nkey Enter\nkey Space\nkey PgDn\ntype hello\nuntil [x] 1\nwait 500\nquit\n",
         NULL},
        {"key n\ndance\n", ":2: dance : write key n, type TEXT"},
        {"key nn\n", ":1: key nn: write key n"},
        {"key\n", ":1: key : write key n"},
        {"wait soon\n", ":1: wait soon: write"},
        {"until\n", ":1: until : write"},
        {"quit now\n", ":1: quit now: write"},
    };
    char file[PATH_MAX];
    assert_true(temporary_file_in(file, sizeof(file), "script", ""));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *error = NULL;
        FILE *f = fopen(file, "we");
        fputs(cases[i].text, f);
        fclose(f);
        struct script *s = script_open(file, &error);
        assert_int_equal(s == NULL, cases[i].error != NULL);
        if (cases[i].error)
            assert_contains(error, cases[i].error);
        script_close(s);
        free(error);
    }
    unlink(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_in_documents),
        cmocka_unit_test(the_documents_are_up_to_date),
        cmocka_unit_test(translations_name_the_same),
        cmocka_unit_test(scripts),
    };
    return cmocka_run_group_tests_name("screen/documents", tests, NULL, NULL);
}
