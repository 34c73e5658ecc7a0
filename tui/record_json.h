/* record_json.h: what a recording's lines are made of, as JSON (docs/recording.md): the header, a lesson's
 * steps, events, commands. Knows no file and no line. */
#ifndef TUI_RECORD_JSON_H
#define TUI_RECORD_JSON_H

#include <jansson.h>

#include "record.h"

/* All that return JSON return a new object. */
json_t *record_text(const char *data, size_t len); /* what programs print need not be UTF-8; JSON is */
void record_set_text(json_t *o, const char *key, const char *text); /* NULL: nothing */
void record_set_number(json_t *o, const char *key, int64_t value);

json_t *record_header(const struct recording_start *start);
json_t *record_step(const struct lesson_step *s, bool whole); /* whole: with the end of what it printed */
json_t *record_event(const struct event_seen *e);
json_t *record_command(const struct command *c, int id);

#endif
