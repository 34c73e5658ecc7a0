/* time_delta.h: what a recording keeps of a snapshot: its JSON, written so that what has not changed stays
 * the same text, and the difference between two of them. docs/recording.md describes both.
 *
 * The rule it keeps: delta_apply(from, delta_make(from, to)) gives `to` exactly. */
#ifndef TUI_TIME_DELTA_H
#define TUI_TIME_DELTA_H

#include <jansson.h>

#include "lab/snapshot.h"

/* The snapshot as a recording has it (a new reference), without its events; and back: the snapshot's own JSON
 * (a new reference) with these events (borrowed; NULL: none). recorded_decode changes nothing in doc. */
json_t *recorded_encode(const struct snapshot *s);
/* The same, quicker: of the snapshot before this one and its document the queues that have not changed are
 * taken (shared). Both may be NULL. */
json_t *recorded_encode_next(const struct snapshot *s, const struct snapshot *before,
                             const json_t *before_doc);
json_t *recorded_decode(const json_t *doc, json_t *events);

/* What has to be done to `from` to make it `to`, an empty object if they are equal. A new reference. */
json_t *delta_make(json_t *from, json_t *to);
bool delta_apply(json_t *doc, json_t *delta); /* false: this is no delta for doc; doc is then of no use */

/* A delta says nothing but times, ages and sizes that change with every look. */
bool delta_is_quiet(json_t *delta);

#endif
