/* words.c: where the catalogue is; see words.h. */
#include "words.h"

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

/* what the environment asks for, as setlocale("") looks for it */
static const char *asked_for(const char *category)
{
    const char *const names[] = {"LC_ALL", category, "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return "C";
}

/* "zh_CN.UTF-8", "de_DE.utf8@euro", and what some terminals send along: "UTF-8" */
static bool says_utf8(const char *locale)
{
    const char *dot = strchr(locale, '.'), *set = dot ? dot + 1 : locale;
    size_t len = strcspn(set, "@");
    return (len == 5 && strncasecmp(set, "UTF-8", len) == 0) ||
           (len == 4 && strncasecmp(set, "UTF8", len) == 0);
}

/* NULL: the user has the locale. Otherwise its name; C.UTF-8, which glibc brings along, is taken instead if
 * that shows the same characters. */
static const char *missing(int category, const char *name)
{
    if (setlocale(category, ""))
        return NULL;
    const char *locale = asked_for(name);
    if (!says_utf8(locale) || !setlocale(category, "C.UTF-8"))
        setlocale(category, "C");
    return locale;
}

/* What to say of a locale that is not there; NULL: nothing, for no language was asked for. */
static char *say_missing(const char *locale)
{
    int language = (int)strcspn(locale, ".@");
    if (says_utf8(locale) && strchr(locale, '.') == NULL)
        return NULL;
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return format_text(_("the locale %s is not installed here: the screen goes on in English, with ? for "
                             "what is not ASCII. If your terminal shows UTF-8: LC_ALL=C.UTF-8"),
                           locale);
    return format_text(
        _("the locale %s is not installed here: the screen goes on with C.UTF-8, in your language "
          "if it knows it. To install it, as root: localedef -i %.*s -f UTF-8 %s (Debian: from "
          "the package locales)"),
        locale, language, locale, locale);
}

char *words_init(void)
{
    const char *no_characters = missing(LC_CTYPE, "LC_CTYPE");
    const char *no_texts = missing(LC_MESSAGES, "LC_MESSAGES");
    if (no_texts) { /* a locale that is not C looks for texts in the languages of LANGUAGE */
        char *language = xstrndup(no_texts, strcspn(no_texts, ".@"));
        setenv("LANGUAGE", language, 0);
        free(language);
    }
    take_catalogues();
    return no_texts || no_characters ? say_missing(no_texts ? no_texts : no_characters) : NULL;
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
