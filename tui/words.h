/* words.h: every text that a person reads on the screen goes through _() and comes out in the language of the
 * locale (gettext; tui/po/). Without a catalogue it comes out as it is written here: in English.
 *
 * The rules: whole sentences, never glued from parts; printf formats with the order of their arguments kept
 * or numbered (%1$s); columns are padded after translation, by text_columns(), never by %-13s. Names of the
 * field's commands, options and files, and what programs print, are not translated. */
#ifndef TUI_WORDS_H
#define TUI_WORDS_H

#include <libintl.h>

#include "lab/fact.h"

#define _(text) gettext(text) /* what is marked with N_ (base/text.h) goes through _() where it is drawn */
/* one or many, chosen by n: NP_("%d node", "%d nodes", n) */
#define NP_(one, many, n) ngettext(one, many, (unsigned long)(n))

/* What a lesson says (lessons/NN/lesson.cfg; tui/po/lessons/), in the language of the locale if it is there.
 */
static inline const char *lesson_words(const char *text)
{
    return text && *text ? gettext(text) : text;
}

/* Takes the user's locale for characters and texts (numbers keep the point) and finds the catalogue: beside
 * the program while it stands in its build folder, in PREFIX/share/locale once installed, or where
 * $MIRRORLAB_LOCALE says. Call once, first thing in main. Texts come as UTF-8; in a locale that cannot show
 * that, they stay English. Where the locale is not installed, C.UTF-8 and the texts of its language stand in
 * for it, and what to do comes back as a sentence, the caller's; NULL: there is nothing to say. */
char *words_init(void);

/* Takes the language of a document instead, by its name: README.zh-CN.md's is zh_CN, README.md's English.
 * What is drawn for it is the same for everybody, whatever their locale. */
void words_of_document(const char *file);

#endif
