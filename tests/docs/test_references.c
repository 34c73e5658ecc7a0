/* test_references.c: what a document points to is there. Of README*.md and docs/: every link to a file, every
 * source that is named in `quotes`, and every test or function that is (`a_name_with_underscores`). Then a
 * document with one mistake of each kind is read, and each must be found. */
#include "tests/mirror/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define TREE "README.md README.zh-CN.md Makefile docs common tests tui lessons"

static struct text paths;   /* one a line, with a / before the first */
static struct text sources; /* all of them, one behind the other */
static struct text wrongs;  /* what was not found */

static void read_all(const char *path, struct text *t)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char buffer[1 << 16];
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), f)) > 0;)
        text_add_bytes(t, buffer, n);
    fclose(f);
}

static bool ends_in(const char *s, size_t len, const char *end)
{
    return len > strlen(end) && memcmp(s + len - strlen(end), end, strlen(end)) == 0;
}

static int setup(void **state)
{
    (void)state;
    FILE *f = popen("find " TREE " -type f -not -path '*/.*'", "r");
    char line[4096];
    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        text_printf(&paths, "/%s\n", line);
        size_t len = strlen(line);
        if (ends_in(line, len, ".c") || ends_in(line, len, ".h") || ends_in(line, len, ".mk"))
            read_all(line, &sources);
    }
    return f && pclose(f) == 0 && paths.len > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    text_finish(&paths);
    text_finish(&sources);
    text_finish(&wrongs);
    return 0;
}

static bool word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool in_sources(const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text_str(&sources); (at = strstr(at, word)); at += len)
        if (!word_char(at[-1]) && !word_char(at[len]))
            return true;
    return false;
}

/* a source, or several: common/sim/check*.c */
static bool names_a_file(const char *word, size_t len)
{
    return strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_-./*") == len &&
           (ends_in(word, len, ".c") || ends_in(word, len, ".h") || ends_in(word, len, ".mk"));
}

static bool in_paths(const char *word)
{
    size_t before = strcspn(word, "*");
    const char *after = word[before] ? word + before + 1 : NULL;
    char start[256];
    snprintf(start, sizeof(start), "/%.*s", (int)before, word);
    for (const char *at = text_str(&paths); (at = strstr(at, start)); at++) {
        const char *rest = at + strlen(start);
        if (!after && *rest == '\n')
            return true;
        if (after && strlen(after) <= strcspn(rest, "\n") &&
            memcmp(rest + strcspn(rest, "\n") - strlen(after), after, strlen(after)) == 0)
            return true;
    }
    return false;
}

static void check_word(const char *document, const char *word)
{
    size_t len = strlen(word), underscores = 0;
    bool name = len && islower((unsigned char)word[0]);
    for (size_t i = 0; i < len; i++) {
        name = name && (islower((unsigned char)word[i]) || isdigit((unsigned char)word[i]) || word[i] == '_');
        underscores += word[i] == '_';
    }
    if (names_a_file(word, len) && !in_paths(word))
        text_printf(&wrongs, "%s: no file %s\n", document, word);
    if (name && underscores >= 2 && !in_sources(word))
        text_printf(&wrongs, "%s: nothing is called %s\n", document, word);
}

/* every `word`; a quote does not go over a line's end */
static void check_words(const char *document, const char *text)
{
    bool fenced = false;
    char *copy = xstrdup(text), *rest = copy;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        if (strncmp(line, "```", 3) == 0)
            fenced = !fenced;
        if (fenced || strncmp(line, "```", 3) == 0)
            continue;
        strsep(&line, "`");
        for (char *word; line && (word = strsep(&line, "`")) && line; strsep(&line, "`"))
            check_word(document, word);
    }
    free(copy);
}

/* every ](target) that is a file of ours */
static void check_links(const char *document, const char *text)
{
    const char *slash = strrchr(document, '/');
    for (const char *at = text; (at = strstr(at, "](")); at++) {
        size_t len = strcspn(at + 2, ")#\n");
        if (len == 0 || memchr(at + 2, ':', len))
            continue;
        char *target =
            format_text("%.*s%.*s", slash ? (int)(slash + 1 - document) : 0, document, (int)len, at + 2);
        if (access(target, F_OK) != 0)
            text_printf(&wrongs, "%s: no %s\n", document, target);
        free(target);
    }
}

static void check(const char *document, const char *text)
{
    check_words(document, text);
    check_links(document, text);
}

static void documents_point_to_what_is_there(void **state)
{
    (void)state;
    size_t documents = 0;
    char *all = xstrdup(text_str(&paths)), *rest = all;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n")) {
        size_t len = strlen(line);
        if (strncmp(line, "/README.", 8) != 0 &&
            (strncmp(line, "/docs/", 6) != 0 || !ends_in(line, len, ".md")))
            continue;
        struct text t = {0};
        read_all(line + 1, &t);
        check(line + 1, text_str(&t));
        text_finish(&t);
        documents++;
    }
    free(all);
    assert_true(documents >= 5);
    if (wrongs.len)
        fail_msg("%s", text_str(&wrongs));
}

static void finds(const char *text, const char *finding)
{
    text_clear(&wrongs);
    check("docs/made-up.md", text);
    if (strcmp(text_str(&wrongs), finding) != 0)
        fail_msg("\"%s\": found \"%s\", not \"%s\"", text, text_str(&wrongs), finding);
    text_clear(&wrongs);
}

static void every_mistake_is_found(void **state)
{
    (void)state;
    finds("`mirror.h` and `common/mirror/lead.c`, `test_protocol.c`, `check*.c`", "");
    finds("see `common/mirror/led.c`", "docs/made-up.md: no file common/mirror/led.c\n");
    finds("see `irror.h`", "docs/made-up.md: no file irror.h\n");
    finds("`documents_point_to_what_is_there`", "");
    finds("| x | `documents_point_to"
          "_nowhere` |",
          "docs/made-up.md: nothing is called documents_point_to"
          "_nowhere\n");
    finds("[style](style.md), [home](../README.md#use), [web](https://example.org/x.md)", "");
    finds("[gone](gone.md)", "docs/made-up.md: no docs/gone.md\n");
    finds("```\n`common/mirror/led.c`\n```\nand `a.c", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_point_to_what_is_there),
        cmocka_unit_test(every_mistake_is_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
