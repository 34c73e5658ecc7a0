/* record.c: see record.h. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "record_json.h"
#include "replay.h"
#include "time_delta.h"
#include "words.h"

/* A whole snapshot is written again once the differences since the last one outweigh it by this, or after
 * this time: what a damaged line costs is what lies before the next whole one. */
#define WHOLE_AFTER_TIMES 4
#define WHOLE_AFTER_MS    60000

struct copy {
    const struct command *of; /* whose copy it is, only to be compared */
    struct command *copy;     /* in the shadow */
    int id;                   /* in the file */
};

struct recorder {
    int fd; /* -1: memory */
    char *file;
    size_t max_bytes;
    uint64_t bytes;
    char *why; /* it ended by itself */

    /* in memory: the part before, and the one that grows; each begins with a whole line, and is read as it
     * is written */
    char *header;
    struct recording *before, *now;
    size_t dropped; /* moments of parts before these */

    /* what the reader knows after the last line */
    ms_time start, last_t;
    json_t *doc, *steps;
    VEC(uint64_t) events; /* their seq, in order */
    json_t *leftover, *account, *answered;

    /* what was run, as model.c keeps it: copies of the commands that run, and of the newest */
    struct model shadow;
    VEC(struct copy) running;
    int last_id;

    /* since the last whole line */
    ms_time whole_t;
    size_t whole_len, delta_len;
    bool want_whole, last_whole;
};

/* ---- writing lines
 * ------------------------------------------------------------------------------------------- */

static void stop(struct recorder *r, char *why)
{
    free(r->why);
    r->why = why;
}

/* A new part begins with the header and a whole line: the older one is forgotten with the next. */
static void turn_page(struct recorder *r)
{
    r->dropped += r->before->moments.len;
    recording_close(r->before);
    r->before = r->now;
    r->now = recording_begin(r->before->name);
    r->want_whole = true;
}

static void put(struct recorder *r, const char *line, size_t len)
{
    if (r->fd < 0) {
        /* a page begins with a whole line; what comes before that still belongs to the one before */
        bool turned = r->now->text_len == 0 && r->want_whole;
        r->bytes += len;
        if (!turned)
            recording_append(r->now, line, len);
        else if (r->before->text_len < r->max_bytes)
            recording_append(r->before, line, len);
        if (r->now->text_len > r->max_bytes / 2)
            turn_page(r);
        return;
    }
    if (len > r->max_bytes || r->bytes > r->max_bytes - len) {
        stop(r, format_text(_("%s has reached %zu MiB"), r->file, r->max_bytes >> 20));
        return;
    }
    ssize_t wrote = write(r->fd, line, len);
    if (wrote < 0 || (size_t)wrote != len)
        stop(r, format_text("%s: %s", r->file, wrote < 0 ? strerror(errno) : _("the disk is full")));
    else
        r->bytes += len;
}

/* takes the object over; its length */
static size_t put_line(struct recorder *r, json_t *o)
{
    char *line = json_dumps(o, JSON_COMPACT);
    size_t len = strlen(line);
    line[len] = '\n';
    if (!r->why)
        put(r, line, len + 1);
    free(line);
    json_decref(o);
    return len;
}

static json_t *line_at(struct recorder *r, ms_time now)
{
    ms_time t = now > r->start ? now - r->start : 0;
    r->last_t = u64_max(t, r->last_t); /* time never goes back */
    json_t *o = json_object();
    record_set_number(o, "t", (int64_t)r->last_t);
    return o;
}

/* ---- steps
 * --------------------------------------------------------------------------------------------------- */

/* adds to the line the steps that are not as the reader knows them, and what they came to */
static void add_steps(struct recorder *r, json_t *line, const struct lesson *l, bool whole)
{
    json_t *changed = json_object();
    char key[24];
    for (size_t i = 0; l && i < l->steps_len; i++) {
        json_t *now = record_step(&l->steps[i], false);
        snprintf(key, sizeof(key), "%zu", i);
        bool same = json_equal(now, json_object_get(r->steps, key));
        json_object_set(r->steps, key, now);
        if (whole)
            json_object_set_new(changed, key, record_step(&l->steps[i], true));
        else if (!same)
            json_object_set(changed, key, now);
        json_decref(now);
    }
    if (json_object_size(changed))
        json_object_set(line, "steps", changed);
    json_decref(changed);
    json_t *account = l ? l->account : NULL;
    if (account && (whole || !json_equal(account, r->account)))
        json_object_set(line, "account", account);
    json_decref(r->account);
    r->account = json_incref(account);
    json_t *answered = l && l->predict.text ? json_pack("[i, i]", l->predict.said, l->predict.was) : NULL;
    if (answered && (whole || !json_equal(answered, r->answered)))
        json_object_set(line, "answered", answered);
    json_decref(r->answered);
    r->answered = answered;
}

/* ---- snapshots
 * ------------------------------------------------------------------------------------------------ */

static bool has_seq(const uint64_t *seqs, size_t len, uint64_t seq)
{
    for (size_t i = len; i-- > 0;) /* what is looked for is mostly among the newest */
        if (seqs[i] == seq)
            return true;
    return false;
}

/* New events have rising numbers, and those that went are few: both lists are short after the first look. */
static void add_events(struct recorder *r, json_t *line, const struct snapshot *s, bool whole)
{
    json_t *fresh = json_array(), *gone = json_array(), *order = json_array();
    uint64_t last = 0;
    size_t kept = 0;
    for (size_t i = 0; i < r->events.len; i++)
        last = u64_max(last, r->events.items[i]);
    /* the old ones that stayed, in their order, then the new: what a reader makes of it by itself */
    VEC(uint64_t) now = {0}, made = {0};
    for (size_t i = 0; i < s->events_len; i++)
        VEC_PUSH(&now, s->events[i].seq);
    for (size_t i = 0; i < r->events.len && !whole; i++) {
        uint64_t seq = r->events.items[i];
        bool stays = (kept < now.len && now.items[kept] == seq) || has_seq(now.items, now.len, seq);
        if (stays)
            VEC_PUSH(&made, seq);
        else
            json_array_append_new(gone, json_integer((json_int_t)seq));
        kept += stays;
    }
    for (size_t i = 0; i < s->events_len; i++)
        if (whole || s->events[i].seq > last) {
            json_array_append_new(fresh, record_event(&s->events[i]));
            VEC_PUSH(&made, s->events[i].seq);
        }
    bool same_order = made.len == now.len &&
                      (made.len == 0 || memcmp(made.items, now.items, made.len * sizeof(uint64_t)) == 0);
    for (size_t i = 0; i < now.len && !same_order; i++)
        json_array_append_new(order, json_integer((json_int_t)now.items[i]));
    if (json_array_size(fresh) || whole)
        json_object_set(line, "events", fresh);
    if (json_array_size(gone))
        json_object_set(line, "events_gone", gone);
    if (!same_order)
        json_object_set(line, "events_order", order);
    json_decref(fresh);
    json_decref(gone);
    json_decref(order);
    VEC_FREE(&made);
    VEC_FREE(&r->events);
    r->events.items = now.items;
    r->events.len = now.len;
    r->events.cap = now.cap;
}

static const struct copy *copy_of(const struct recorder *r, const struct command *c)
{
    for (size_t i = 0; i < r->running.len; i++)
        if (r->running.items[i].of == c)
            return &r->running.items[i];
    return NULL;
}

static json_t *whole_command_json(const struct recorder *r, const struct command *c)
{
    int id = 0; /* nothing more is said of one that has ended */
    for (size_t i = 0; i < r->running.len; i++)
        id = r->running.items[i].copy == c ? r->running.items[i].id : id;
    json_t *o = record_command(c, id);
    json_object_set_new(o, "running", json_boolean(c->running));
    record_set_number(o, "exit", c->exit_code);
    record_set_text(o, "last_line", c->last_line);
    record_set_text(o, "open_line", c->open_line);
    return o;
}

/* all that run, and the newest, in the order in which they were run */
static void add_commands(struct recorder *r, json_t *line)
{
    const struct command *newest = r->shadow.command;
    json_t *list = json_array();
    for (size_t i = 0; i < r->running.len; i++)
        if (r->running.items[i].copy != newest)
            json_array_append_new(list, whole_command_json(r, r->running.items[i].copy));
    if (newest)
        json_array_append_new(list, whole_command_json(r, newest));
    if (json_array_size(list))
        json_object_set(line, "commands", list);
    json_decref(list);
}

void recorder_snapshot(struct recorder *r, const struct snapshot *s, json_t *doc, const struct lesson *l,
                       const json_t *leftover)
{
    if (!r || r->why)
        return;
    bool whole = !r->doc || r->want_whole || r->last_t >= r->whole_t + WHOLE_AFTER_MS ||
                 r->delta_len > WHOLE_AFTER_TIMES * r->whole_len;
    json_t *line = line_at(r, s->taken_at);
    if (whole && r->now && r->now->text_len == 0)
        recording_append(r->now, r->header, strlen(r->header));
    r->want_whole = false;
    if (whole)
        json_object_set(line, "snapshot", doc);
    else
        json_object_set_new(line, "change", delta_make(r->doc, doc));
    add_events(r, line, s, whole);
    add_steps(r, line, l, whole);
    if (whole)
        add_commands(r, line);
    if (leftover && (whole || !json_equal(leftover, r->leftover)))
        json_object_set_new(line, "leftover", json_deep_copy(leftover));
    json_decref(r->leftover);
    r->leftover = json_deep_copy(leftover);
    json_decref(r->doc);
    r->doc = json_incref(doc);
    size_t len = put_line(r, line);
    r->last_whole = whole;
    r->whole_t = whole ? r->last_t : r->whole_t;
    r->whole_len = whole ? len : r->whole_len;
    r->delta_len = whole ? 0 : r->delta_len + len;
}

/* ---- programs, keys, frames
 * ---------------------------------------------------------------------------------- */

void recorder_ran(struct recorder *r, ms_time now, const struct command *c, const struct lesson *l)
{
    if (!r || r->why)
        return;
    json_t *line = line_at(r, now);
    struct command *copy = command_of((const char *const *)c->argv, c->step);
    free(copy->text);
    copy->text = xstrdup(c->text);
    copy->typed = c->typed;
    copy->uncounted = c->uncounted;
    model_ran(&r->shadow, copy);
    VEC_PUSH(&r->running, (struct copy){.of = c, .copy = copy, .id = ++r->last_id});
    json_object_set_new(line, "ran", record_command(c, r->last_id));
    add_steps(r, line, l, false);
    put_line(r, line);
}

void recorder_output(struct recorder *r, ms_time now, const struct command *c, const char *data, size_t len,
                     const struct lesson *l)
{
    const struct copy *copy = r && !r->why ? copy_of(r, c) : NULL;
    if (!copy)
        return; /* it was begun before the recording */
    json_t *line = line_at(r, now);
    json_object_set_new(line, "output", record_text(data, len));
    record_set_number(line, "id", copy->id);
    model_output(&r->shadow, copy->copy, data, len);
    add_steps(r, line, l, false);
    put_line(r, line);
}

void recorder_ended(struct recorder *r, ms_time now, const struct command *c, int exit_code,
                    const struct lesson *l)
{
    const struct copy *copy = r && !r->why ? copy_of(r, c) : NULL;
    if (!copy)
        return;
    json_t *line = line_at(r, now);
    record_set_number(line, "ended", exit_code);
    record_set_number(line, "id", copy->id);
    model_ended(&r->shadow, copy->copy, exit_code);
    VEC_REMOVE(&r->running, (size_t)(copy - r->running.items));
    add_steps(r, line, l, false);
    put_line(r, line);
}

void recorder_put(struct recorder *r, ms_time now, const char *key, json_t *value)
{
    if (r && !r->why) {
        json_t *line = line_at(r, now);
        json_object_set(line, key, value);
        put_line(r, line);
    }
    json_decref(value);
}

void recorder_learned(struct recorder *r, ms_time now, const struct lesson *l)
{
    if (!r || r->why)
        return;
    json_t *line = line_at(r, now);
    add_steps(r, line, l, false);
    put_line(r, line);
}

void recorder_said(struct recorder *r, ms_time now, const char *message)
{
    recorder_put(r, now, "said", record_text(message, strlen(message)));
}

void recorder_key(struct recorder *r, ms_time now, int key)
{
    recorder_put(r, now, "key", json_integer(key));
}

void recorder_named(struct recorder *r, ms_time now, const char *name)
{
    recorder_put(r, now, "name", record_text(name, strlen(name)));
}

void recorder_paused(struct recorder *r, ms_time now, bool paused)
{
    recorder_put(r, now, "paused", json_boolean(paused));
}

void recorder_frame(struct recorder *r, ms_time now, int width, int height, uint64_t hash)
{
    char text[24];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)hash);
    recorder_put(r, now, "frame", json_pack("[i, i, s]", width, height, text));
}

/* ---- begin and end
 * ------------------------------------------------------------------------------------------- */

static struct recorder *begin(int fd, const char *file, size_t max_bytes, const struct recording_start *start)
{
    struct recorder *r = xcalloc(1, sizeof(*r));
    r->fd = fd;
    r->file = file ? xstrdup(file) : NULL;
    r->max_bytes = max_bytes;
    r->start = start->at;
    r->steps = json_object();
    r->before = fd < 0 ? recording_begin("memory") : NULL;
    r->now = fd < 0 ? recording_begin("memory") : NULL;
    model_init(&r->shadow, NULL, NULL, false, false);
    json_t *header = record_header(start);
    char *line = json_dumps(header, JSON_COMPACT);
    r->header = format_text("%s\n", line);
    free(line);
    json_decref(header);
    put(r, r->header, strlen(r->header));
    return r;
}

struct recorder *recorder_to(int fd, const struct recording_start *start)
{
    return begin(fd, "pipe", SIZE_MAX, start);
}

struct recorder *recorder_create(const char *file, size_t max_bytes, const struct recording_start *start,
                                 char **error)
{
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644) : -1;
    if (file && fd < 0) {
        *error = errno == EEXIST ? format_text(_("%s is there already; name a new file"), file)
                                 : format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    return begin(fd, file, max_bytes, start);
}

void recorder_destroy(struct recorder *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    model_finish(&r->shadow);
    json_decref(r->doc);
    json_decref(r->steps);
    VEC_FREE(&r->events);
    VEC_FREE(&r->running);
    recording_close(r->before);
    recording_close(r->now);
    json_decref(r->leftover);
    json_decref(r->account);
    json_decref(r->answered);
    free(r->header);
    free(r->file);
    free(r->why);
    free(r);
}

const char *recorder_ended_why(const struct recorder *r)
{
    return r ? r->why : NULL;
}

uint64_t recorder_bytes(const struct recorder *r)
{
    return r ? r->bytes : 0;
}

/* A page that has only a header, or nothing, adds nothing; the first whole one begins with a header. */
char *recorder_text(const struct recorder *r)
{
    const char *before = r->before ? r->before->text : NULL, *now = r->now ? r->now->text : NULL;
    return format_text("%s%s", before ? before : "", now ? now : "");
}

struct recording *recorder_recording(const struct recorder *r, const char *name)
{
    return recording_shows(r->before) || recording_shows(r->now) ? recording_join(name, r->before, r->now)
                                                                 : NULL;
}

size_t recorder_dropped(const struct recorder *r)
{
    return r->dropped;
}

size_t recorder_whole(const struct recorder *r)
{
    return r->last_whole ? r->dropped + r->before->moments.len + r->now->moments.len : 0;
}

int recorder_number(const struct recorder *r, const struct command *c)
{
    const struct copy *copy = copy_of(r, c);
    return copy ? copy->id : 0;
}
