/* words.c: where the catalogue is; see words.h. */
#include "words.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

#define DOMAIN "mirrorlab"

/* The folder of the catalogues; the caller frees it. NULL: there is none. */
static char *find_catalogues(void)
{
    /* beside the program, two folders up for a test's program, PREFIX/share from PREFIX/lib/mirrorlab */
    static const char *const places[] = {"locale", "../../locale", "../../share/locale"};
    const char *told = getenv("MIRRORLAB_LOCALE");
    char self[PATH_MAX];
    if (told)
        return xstrdup(told);
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    while (len > 0 && self[len - 1] != '/')
        len--;
    for (size_t i = 0; len > 0 && i < ARRAY_LEN(places); i++) {
        char *place = format_text("%.*s%s", (int)len, self, places[i]);
        if (access(place, X_OK) == 0)
            return place;
        free(place);
    }
    return NULL;
}

static void take_catalogues(void)
{
    char *place = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? find_catalogues() : NULL;
    if (!place)
        return; /* without a domain every text is its own translation */
    bindtextdomain(DOMAIN, place);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
    free(place);
}

void words_init(void)
{
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    take_catalogues();
}

/* "README.zh-CN.md": "zh_CN"; "": it has none in its name */
static void language_of(const char *file, char language[16])
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *end = strrchr(name, '.'), *begin = end;
    while (begin && begin > name && begin[-1] != '.')
        begin--;
    size_t len = begin && begin > name ? (size_t)(end - begin) : 0;
    snprintf(language, 16, "%.*s", (int)len, len ? begin : "");
    for (char *c = language; *c; c++)
        *c = *c == '-' ? '_' : *c;
}

void words_of_document(const char *file)
{
    char language[16];
    language_of(file, language);
    setlocale(LC_CTYPE, "C.UTF-8");
    setlocale(LC_MESSAGES, *language ? "C.UTF-8" : "C");
    setenv("LANGUAGE", language, 1); /* of a locale that is not C, which every system has */
    take_catalogues();
}
