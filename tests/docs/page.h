/* page.h: docs/protocol.md as the test reads it: blocks ("message HELLO (1), 44 bytes") with the fields and
 * types that are drawn in them, and the tags of the link's frames. */
#ifndef TESTS_DOCS_PAGE_H
#define TESTS_DOCS_PAGE_H

#include "base/base.h"
#include "base/vec.h"

struct cell {
    char name[32], type[32];
};

struct block {
    char kind[16], name[32];
    int number; /* of its type; 0: it has none */
    size_t least;
    bool fixed; /* it is always that long */
    VEC(struct cell) cells;
};

struct page {
    VEC(struct block) blocks;
    VEC(char) tags; /* of the link's frames */
    char why[256];  /* the first mistake; empty: none */
};

void page_read(struct page *p, const char *text);
void page_finish(struct page *p);

/* Notes the first mistake. */
__attribute__((format(printf, 2, 3))) void wrong(struct page *p, const char *format, ...);

/* By its name, or, if that is NULL, by its number; NULL: it is not drawn. */
const struct block *find_block(const struct page *p, const char *kind, const char *name, int number);

/* How many of this kind are drawn. */
int count_blocks(const struct page *p, const char *kind);

#endif
