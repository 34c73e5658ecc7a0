/* fields.h: what the code has: every kind of message, record, entry, operation and frame, and which member of
 * which struct a field of the page is. */
#ifndef TESTS_DOCS_FIELDS_H
#define TESTS_DOCS_FIELDS_H

#include "host/peers_private.h"
#include "tests/docs/page.h"

struct field {
    const char *block, *member; /* "KIND NAME", and the member's path: its last word is the field's name */
    size_t at, size;
    size_t len_at, item; /* an array: where its length is, and how large one is; 0: none */
};

/* NULL: the code has no such field. */
const struct field *find_field(const struct block *b, const char *name);

/* The name of a "message", "record", "entry" or "operation"; "?": there is none of this number. */
const char *kind_name(const char *kind, int number);
const char *tag_name(enum frame_tag tag);

#endif
