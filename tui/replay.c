/* replay.c: see replay.h. */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/snapshot.h"
#include "record.h"
#include "time_delta.h"
#include "words.h"

#define FILE_MAX_BYTES (256u << 20)

/* ---- one line
 * ------------------------------------------------------------------------------------------------- */

struct indexing {
    struct recording *r;
    bool started;      /* a snapshot can be built on */
    bool gap;          /* a line was left out since the last whole snapshot */
    json_int_t number; /* of the last snapshot */
    ms_time start;
    size_t at; /* up to here the text was read */
    int line;  /* how many lines that were */
};

static void leave_out(struct recording *r, int line, char *why)
{
    if (!r->problem)
        r->problem = format_text("%s:%d: %s", r->name, line, why);
    r->left_out++;
    free(why);
}

static void add_moment(struct indexing *x, struct recorded m, json_t *json)
{
    struct recording *r = x->r;
    const struct recorded *before = r->moments.len ? &r->moments.items[r->moments.len - 1] : NULL;
    if (before && m.t < before->t)
        m.t = before->t;
    if (json_object_get(json, "doomed"))
        r->doomed = r->moments.len;
    VEC_PUSH(&r->moments, m);
}

/* a line of lab status --json; false: it is none */
static bool index_bare(struct indexing *x, struct recorded m, json_t *json, char **why)
{
    struct snapshot *s = snapshot_from_json(json, why);
    if (!s)
        return false;
    if (!x->started)
        x->start = s->taken_at;
    x->started = true;
    m.now = s->taken_at;
    m.t = s->taken_at > x->start ? s->taken_at - x->start : 0;
    size_t before = x->r->moments.len; /* each is a moment of its own, wherever it was put together from */
    if (before)
        m.t = u64_max(m.t, x->r->moments.items[before - 1].t + 1);
    m.snapshot = m.visible = true;
    snapshot_destroy(s);
    add_moment(x, m, json);
    return true;
}

/* "snapshot", or "change" of the one before */
static bool index_snapshot(struct indexing *x, struct recorded *m, json_t *json, char **why)
{
    json_t *whole = json_object_get(json, "snapshot"), *change = json_object_get(json, "change");
    json_t *number = json_object_get(whole ? whole : change, "number");
    m->snapshot = true;
    m->whole = whole != NULL;
    m->visible = whole ? !x->started : !delta_is_quiet(change);
    m->visible =
        m->visible || json_object_get(json, "events") != NULL || json_object_get(json, "events_gone");
    if (whole) {
        json_t *plain = recorded_decode(whole, json_object_get(json, "events"));
        struct snapshot *s = snapshot_from_json(plain, why);
        json_decref(plain);
        if (!s)
            return false;
        snapshot_destroy(s);
    } else if (!x->started || (x->gap && json_integer_value(number) != x->number + 1)) {
        *why = xstrdup(_("it only says what changed since a line that is left out"));
        return false;
    }
    x->started = true;
    x->gap = false;
    x->number = json_integer_value(number);
    return true;
}

/* What was run, by the name of the lesson's step if it is one: ports and such differ from run to run. */
static const char *mark_of(const struct recording *r, json_t *json)
{
    json_t *ran = json_object_get(json, "ran"), *step = json_object_get(ran, "step");
    json_t *steps = json_object_get(json_object_get(r->header, "lesson"), "steps");
    json_int_t i = step ? json_integer_value(step) : -1;
    const char *title =
        i < 0 ? NULL : json_string_value(json_object_get(json_array_get(steps, (size_t)i), "title"));
    if (title)
        return title;
    return json_string_value(ran ? json_object_get(ran, "text") : json_object_get(json, "mark"));
}

static bool index_line(struct indexing *x, struct recorded m, json_t *json, char **why)
{
    json_t *t = json_object_get(json, "t");
    if (!t && json_object_get(json, "nodes"))
        return index_bare(x, m, json, why);
    if (!x->r->header || !json_is_integer(t) || json_integer_value(t) < 0) {
        *why = x->r->header ? xstrdup(_("\"t\" is missing: when was it?"))
                            : xstrdup(_("not a snapshot, and not a recording of lab --record"));
        return false;
    }
    m.t = (ms_time)json_integer_value(t);
    m.now = (ms_time)json_integer_value(json_object_get(x->r->header, "started_at")) + m.t;
    if ((json_object_get(json, "snapshot") || json_object_get(json, "change")) &&
        !index_snapshot(x, &m, json, why))
        return false;
    static const char *const seen[] = {"steps", "ran",    "ended",  "said",    "ledger",
                                       "mark",  "doomed", "output", "answered"};
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        m.visible = m.visible || (json_object_get(json, seen[i]) && !json_object_get(json, "snapshot"));
    m.frame = json_object_get(json, "frame") != NULL;
    m.paused = json_is_true(json_object_get(json, "paused"));
    m.printed = json_object_get(json, "output") || json_object_get(json, "ended");
    const char *mark = mark_of(x->r, json);
    m.mark = mark ? xstrdup(mark) : NULL;
    json_t *step = json_object_get(json_object_get(json, "ran"), "step");
    m.anew = step && json_integer_value(step) == COMMAND_CLEAN;
    add_moment(x, m, json);
    return true;
}

/* true: it is the header, or looks like one that cannot be used (*why) */
static bool read_header(struct recording *r, json_t *json, char **why)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    if (!format)
        return false;
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    if (strcmp(format, RECORDING_FORMAT) != 0)
        *why = format_text(_("\"format\" is \"%s\", a recording's is \"%s\""), format, RECORDING_FORMAT);
    else if (version != RECORDING_VERSION)
        *why = format_text(_("a recording of version %lld; this program reads version %d"),
                           (long long)version, RECORDING_VERSION);
    else if (!r->header) /* memory's recordings have one on each page */
        r->header = json_incref(json);
    return true;
}

static void read_line(struct indexing *x, const char *line, size_t len, bool whole)
{
    struct recording *r = x->r;
    char *why = NULL;
    json_error_t e;
    x->line++;
    if (strspn(line, " \t\r") >= len)
        return;
    json_t *json = json_loadb(line, len, 0, &e);
    struct recorded m = {.at = (size_t)(line - r->text), .len = len, .line = x->line};
    if (!json)
        why = whole ? format_text(_("not JSON: %s"), e.text) : xstrdup(_("the last line is cut off"));
    else if (!read_header(r, json, &why))
        index_line(x, m, json, &why);
    if (why) {
        leave_out(r, x->line, why);
        x->gap = true;
    }
    json_decref(json);
}

/* all lines that have their end */
static void read_lines(struct indexing *x)
{
    struct recording *r = x->r;
    for (const char *end; (end = memchr(r->text + x->at, '\n', r->text_len - x->at));) {
        const char *line = r->text + x->at;
        read_line(x, line, (size_t)(end - line), true);
        x->at = (size_t)(end + 1 - r->text);
    }
}

static void read_text(struct recording *r)
{
    struct indexing *x = r->indexing;
    read_lines(x);
    if (x->at < r->text_len)
        read_line(x, r->text + x->at, r->text_len - x->at, false);
    x->at = r->text_len;
    if (r->left_out > 1) {
        char *more = format_text(_("%s (%zu lines are left out)"), r->problem, r->left_out);
        free(r->problem);
        r->problem = more;
    }
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------ */

struct recording *recording_begin(const char *name)
{
    struct recording *r = xcalloc(1, sizeof(*r));
    r->name = xstrdup(name);
    r->indexing = xcalloc(1, sizeof(*r->indexing));
    r->indexing->r = r;
    r->doomed = SIZE_MAX;
    return r;
}

bool recording_shows(const struct recording *r)
{
    for (size_t i = 0; i < r->moments.len; i++)
        if (r->moments.items[i].snapshot)
            return true;
    return false;
}

static void add_moments(struct recording *to, const struct recording *from, size_t at, int line)
{
    for (size_t i = 0; i < from->moments.len; i++) {
        struct recorded m = from->moments.items[i];
        m.at += at;
        m.line += line;
        m.mark = m.mark ? xstrdup(m.mark) : NULL;
        VEC_PUSH(&to->moments, m);
    }
}

struct recording *recording_join(const char *name, const struct recording *a, const struct recording *b)
{
    struct recording *r = recording_begin(name);
    r->text_len = a->text_len + b->text_len;
    r->text = xmalloc(r->text_len + 1);
    if (a->text_len)
        memcpy(r->text, a->text, a->text_len);
    if (b->text_len)
        memcpy(r->text + a->text_len, b->text, b->text_len);
    r->text[r->text_len] = '\0';
    r->header = json_incref(a->header ? a->header : b->header);
    add_moments(r, a, 0, 0);
    add_moments(r, b, a->text_len, a->indexing->line);
    return r;
}

struct recording *recording_of(const char *name, char *text, char **error)
{
    struct recording *r = recording_begin(name);
    r->text = text;
    r->text_len = strlen(text);
    read_text(r);
    if (recording_shows(r))
        return r;
    if (r->problem && !r->header) /* not even a damaged one */
        *error = format_text(
            _("%s; it is neither a recording (lab --record FILE makes one) nor a schedule (*.sched)"),
            r->problem);
    else
        *error = r->problem
                     ? xstrdup(r->problem)
                     : format_text(_("%s:1: no snapshot in it; lab --record FILE makes a recording"), name);
    recording_close(r);
    return NULL;
}

struct recording *recording_open(const char *file, char **error)
{
    FILE *f = fopen(file, "re");
    struct text text = {0};
    char part[65536];
    if (!f) {
        *error = format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    text_add(&text, "");
    for (size_t got; text.len < FILE_MAX_BYTES && (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&text, part, got);
    bool failed = ferror(f) != 0;
    int reason = errno; /* of fread: a folder opens, and cannot be read */
    fclose(f);
    if (failed || text.len >= FILE_MAX_BYTES || memchr(text.s, '\0', text.len)) {
        *error = failed ? format_text("%s: %s", file, strerror(reason))
                 : text.len >= FILE_MAX_BYTES
                     ? format_text(_("%s: larger than %u MiB"), file, FILE_MAX_BYTES >> 20)
                     : format_text(_("%s: not a text"), file);
        text_finish(&text);
        return NULL;
    }
    return recording_of(file, text.s, error);
}

struct recording *recording_load(const char *file, char *(*load)(const char *file, char **error),
                                 char **error)
{
    *error = NULL;
    char *text = load ? load(file, error) : NULL;
    if (text)
        return recording_of(file, text, error);
    return *error ? NULL : recording_open(file, error);
}

/* the last line's word to who looks on; the caller frees it */
static char *last_words(const char *text)
{
    const char *at = text, *line = text;
    for (; (at = strchr(at, '\n')) && at[1]; at++)
        line = at + 1;
    json_t *json = json_loads(line, 0, NULL);
    const char *said = json_string_value(json_object_get(json, "said"));
    char *words = xstrdup(said ? said : "nothing came of it");
    json_decref(json);
    return words;
}

struct recording *recording_from(int fd, const char *name, char **error)
{
    struct text t = {0};
    char part[4096];
    ssize_t got = 1;
    const char *shows = NULL;
    while (got > 0 && !(shows && strchr(shows, '\n'))) {
        while ((got = read(fd, part, sizeof(part))) < 0 && errno == EINTR)
            ;
        if (got > 0)
            text_add_bytes(&t, part, (size_t)got);
        shows = strstr(text_str(&t), "\"snapshot\":");
    }
    if (got <= 0) {
        char *words = last_words(text_str(&t));
        *error = format_text("%s: %s", name, words);
        free(words);
        text_finish(&t);
        return NULL;
    }
    const char *end = strrchr(t.s, '\n') + 1; /* of the last line that is whole */
    struct recording *r = recording_of(name, xstrndup(t.s, (size_t)(end - t.s)), error);
    if (r) {
        r->open = true;
        recording_append(r, end, strlen(end));
    }
    text_finish(&t);
    return r;
}

void recording_append(struct recording *r, const char *data, size_t len)
{
    r->text = xrealloc(r->text, r->text_len + len + 1);
    memcpy(r->text + r->text_len, data, len);
    r->text_len += len;
    r->text[r->text_len] = '\0';
    read_lines(r->indexing);
}

void recording_close(struct recording *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->moments.len; i++)
        free(r->moments.items[i].mark);
    VEC_FREE(&r->moments);
    json_decref(r->header);
    free(r->problem);
    free(r->indexing);
    free(r->text);
    free(r->name);
    free(r);
}

json_t *recording_line(const struct recording *r, size_t i)
{
    const struct recorded *m = &r->moments.items[i];
    return json_loadb(r->text + m->at, m->len, 0, NULL);
}

ms_time recording_end(const struct recording *r)
{
    return r->moments.items[r->moments.len - 1].t;
}

bool recording_is_simulated(const struct recording *r)
{
    const char *engine = json_string_value(json_object_get(r->header, "engine"));
    return engine && strcmp(engine, "sim") == 0;
}

/* ---- its lesson
 * ----------------------------------------------------------------------------------------------- */

static char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? xstrdup(text) : NULL;
}

static char **words_of(const json_t *list)
{
    if (!list)
        return NULL;
    char **words = xcalloc(json_array_size(list) + 1, sizeof(*words));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        words[i] = xstrdup(word ? word : "?");
    }
    return words;
}

/* An earlier kit's question is a text alone: it had no choices, and is not asked. */
static void question_from(const json_t *o, struct lesson_question *q)
{
    json_t *choices = json_object_get(o, "choices");
    if (!json_array_size(choices))
        return;
    q->text = text_of(o, "ask");
    q->step = (size_t)json_integer_value(json_object_get(o, "step"));
    q->decided = (size_t)json_integer_value(json_object_get(o, "decided"));
    q->choices = words_of(choices);
}

struct lesson *recording_lesson(const struct recording *r)
{
    json_t *from = json_object_get(r->header, "lesson"), *steps = json_object_get(from, "steps"), *step;
    size_t i;
    if (!json_array_size(steps))
        return NULL;
    struct lesson *l = lesson_create(json_array_size(steps));
    l->number = (int)json_integer_value(json_object_get(from, "number"));
    l->nodes = (int)json_integer_value(json_object_get(from, "nodes"));
    l->name = text_of(from, "name");
    l->title = text_of(from, "title");
    l->aim = text_of(from, "aim");
    l->queue = text_of(from, "queue");
    l->queues = words_of(json_object_get(from, "queues"));
    l->policies = words_of(json_object_get(from, "policies"));
    question_from(json_object_get(from, "predict"), &l->predict);
    if (!l->title)
        l->title = xstrdup("");
    json_array_foreach(steps, i, step)
    {
        l->steps[i].title = text_of(step, "title");
        l->steps[i].before = text_of(step, "before");
        l->steps[i].why = text_of(step, "why");
        l->steps[i].result = text_of(step, "result");
        l->steps[i].wait_text = text_of(step, "wait");
        l->steps[i].action_text = text_of(step, "text");
        l->steps[i].action = words_of(json_object_get(step, "action"));
        l->steps[i].exit_code = -1;
        if (!l->steps[i].title)
            l->steps[i].title = xstrdup("");
    }
    return l;
}
