/* replay.c: see replay.h. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/vec.h"

struct replay {
    VEC(struct snapshot *) snapshots;
    size_t next;
};

static bool read_line(struct replay *r, const char *file, int line, const char *text, char **error)
{
    json_error_t e;
    json_t *json = json_loads(text, 0, &e);
    char *why = NULL;
    struct snapshot *s = json ? snapshot_from_json(json, &why) : NULL;
    if (s)
        VEC_PUSH(&r->snapshots, s);
    else
        *error = format_text("%s:%d: %s", file, line, why ? why : e.text);
    free(why);
    json_decref(json);
    return s != NULL;
}

struct replay *replay_open(const char *file, char **error)
{
    FILE *f = fopen(file, "re");
    if (!f) {
        *error = format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    struct replay *r = xcalloc(1, sizeof(*r));
    char *text = NULL;
    size_t size = 0;
    bool ok = true;
    for (int line = 1; ok && getline(&text, &size, f) > 0; line++)
        if (text[strspn(text, " \t\r\n")])
            ok = read_line(r, file, line, text, error);
    free(text);
    fclose(f);
    if (ok && r->snapshots.len > 0)
        return r;
    if (ok)
        *error = format_text("%s:1: no snapshot in it; write lines of lab status --json", file);
    replay_close(r);
    return NULL;
}

const struct snapshot *replay_next(struct replay *r)
{
    return r->next < r->snapshots.len ? r->snapshots.items[r->next++] : NULL;
}

void replay_close(struct replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->snapshots.len; i++)
        snapshot_destroy(r->snapshots.items[i]);
    VEC_FREE(&r->snapshots);
    free(r);
}
