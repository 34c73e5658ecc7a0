/* fact.h: something that was observed, kept so that it can be said in any language: a format and what stands
 * at its %s, as JSON, because recordings keep facts, too (docs/recording.md):
 *
 *     ["%s not running", "node1"]
 *     ["%s; %s", ["%s not running", "node1"], ["%s say so", "node2, node3"]]
 *     "a text by itself, the same in every language"
 *
 * The rule it keeps: whoever observes makes facts, whoever shows them puts them into words; this side knows
 * no language but the English that the formats are written in. */
#ifndef LAB_FACT_H
#define LAB_FACT_H

#include <jansson.h>

#include "base/text.h"

/* A new fact. The format knows %s, %u, %zu and %lld. */
json_t *fact_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

json_t *fact_word(const char *word); /* a format without any: a word that has a translation */

/* A new fact of others, at the %s of the format: fact_with("state=%s", fact, NULL). Takes them over. A NULL
 * in the second place: the format has one %s. */
json_t *fact_with(const char *format, json_t *first, json_t *second);

/* *all and one more, joined by a format such as "%s; %s"; the first of all stands alone. Takes `more` over;
 * NULL adds nothing. */
void fact_add(json_t **all, const char *format, json_t *more);

/* In words; the caller frees them. translate gives the format in the reader's language, with the same number
 * of %s, in this order or numbered (%2$s); NULL: English. A NULL fact is "". */
char *fact_text(const json_t *fact, const char *(*translate)(const char *format));

#endif
