/* merged.h: what three nodes answer, made by hand or recorded, and the snapshot that is merged from it. */
#ifndef SCREEN_MERGED_H
#define SCREEN_MERGED_H

#include "tests/screen/support.h"

#include "lab/merge.h"

struct look {
    struct node_answer answers[3];
    json_t *documents[12];
    size_t documents_len;
};

json_t *keep(struct look *l, json_t *json); /* until look_end; gives it back */
void look_end(struct look *l);

struct labdir three_nodes(void);
struct snapshot *merge(struct look *l, const struct snapshot *before,
                       ms_time now); /* the caller destroys it */
bool has_event(const struct snapshot *s, const char *kind, const char *text);

#endif
