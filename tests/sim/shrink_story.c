/* shrink_story.c: what a schedule's lines have to do with each other, as far as their words tell it: nothing
 * here has to be right, for what is left is played. */
#include "shrink_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sched.h"

/* ---- lines ---- */

static bool is_client(const char *word)
{
    for (unsigned k = 0; k < SCHED_CLIENT_COUNT_; k++)
        if (strcmp(word, sched_client_word((enum sched_client_kind)k)) == 0)
            return true;
    return false;
}

void story_split(struct story *s, const char *schedule)
{
    *s = (struct story){0};
    text_add(&s->head, "");
    while (*schedule) {
        size_t len = strcspn(schedule, "\n"), word_len = strcspn(schedule, " \n");
        char *word = xstrndup(schedule, word_len), *what;
        if (*schedule == '+') {
            unsigned long wait_ms = strtoul(schedule + 1, &what, 10);
            unsigned long luck = *what == '~' ? strtoul(what + 1, &what, 10) : 0;
            what += strspn(what, " ");
            struct story_line l = {true, wait_ms, luck, xstrndup(what, len - (size_t)(what - schedule))};
            VEC_PUSH(&s->lines, l);
        } else if (is_client(word)) {
            struct story_line l = {false, 0, 0, xstrndup(schedule, len)};
            VEC_PUSH(&s->lines, l);
        } else if (strcmp(word, "nodes") == 0) {
            s->nodes = (unsigned)strtoul(schedule + word_len, NULL, 10);
        } else if (s->lines.len == 0) {
            text_add_bytes(&s->head, schedule, len);
            text_add(&s->head, "\n");
        }
        free(word);
        schedule += len + (schedule[len] == '\n');
    }
}

void story_finish(struct story *s)
{
    for (size_t i = 0; i < s->lines.len; i++)
        free(s->lines.items[i].what);
    VEC_FREE(&s->lines);
    text_finish(&s->head);
}

size_t story_events(const struct story *s)
{
    size_t events = 0;
    for (size_t i = 0; i < s->lines.len; i++)
        events += s->lines.items[i].event;
    return events;
}

void story_write(const struct story *s, struct text *t, const bool *gone, bool keep_time)
{
    unsigned long owed = 0;
    text_add(t, text_str(&s->head));
    text_printf(t, "nodes %u\n", s->nodes);
    for (size_t i = 0; i < s->lines.len; i++) {
        const struct story_line *l = &s->lines.items[i];
        if (gone && gone[i]) {
            owed += keep_time ? l->wait_ms : 0;
            continue;
        }
        if (l->event)
            text_printf(t, "+%lu", l->wait_ms + owed);
        if (l->event && l->luck)
            text_printf(t, "~%lu", l->luck);
        text_add(t, l->event ? " " : "");
        text_printf(t, "%s\n", l->what);
        owed = l->event ? 0 : owed;
    }
}

void story_leave_out(struct story *s, const bool *gone, bool keep_time)
{
    unsigned long owed = 0;
    size_t left = 0;
    for (size_t i = 0; i < s->lines.len; i++) {
        struct story_line l = s->lines.items[i];
        if (gone[i]) {
            owed += keep_time ? l.wait_ms : 0;
            free(l.what);
            continue;
        }
        l.wait_ms += l.event ? owed : 0;
        owed = l.event ? 0 : owed;
        s->lines.items[left++] = l;
    }
    s->lines.len = left;
}

/* ---- which belong together ---- */

/* The word number `at`, and its length. */
static const char *word_of(const char *what, size_t at, size_t *len)
{
    what += strspn(what, " ");
    for (; at > 0; at--) {
        what += strcspn(what, " ");
        what += strspn(what, " ");
    }
    *len = strcspn(what, " ");
    return what;
}

static bool begins_with(const char *what, const char *word)
{
    return strncmp(what, word, strlen(word)) == 0;
}

/* Some word, or what stands between its commas, is this name. */
static bool names(const char *what, const char *name, size_t len)
{
    size_t part;
    for (what += strcspn(what, " "); *what; what += part) {
        what += strspn(what, " ,");
        part = strcspn(what, " ,");
        if (part == len && strncmp(what, name, len) == 0)
            return true;
    }
    return false;
}

/* What line i begins is over with line j, or the other way round. */
static bool undoes(const char *i, const char *j)
{
    size_t len;
    if (begins_with(i, "cut") || begins_with(i, "part"))
        return begins_with(j, "heal");
    if (begins_with(i, "heal"))
        return begins_with(j, "cut") || begins_with(j, "part");
    if (begins_with(i, "policy") || begins_with(i, "declare") || begins_with(i, "put")) {
        const char *name = word_of(i, 1, &len);
        bool over = begins_with(j, "clear") || begins_with(j, "delete") || begins_with(j, "unput");
        return over && names(j, name, len);
    }
    const char *node = word_of(i, 1, &len);
    bool off = begins_with(i, "kill") || begins_with(i, "stop") || begins_with(i, "fail-") ||
               begins_with(i, "full-disk");
    bool again = begins_with(j, "start") || begins_with(j, "free-disk");
    bool back = begins_with(i, "start") && (begins_with(j, "kill") || begins_with(j, "stop"));
    return ((off && again) || back) && names(j, node, len);
}

static void mark_named(const struct story *s, const char *name, bool *gone)
{
    for (size_t i = 0; i < s->lines.len; i++)
        if (!begins_with(s->lines.items[i].what, "policy"))
            gone[i] = names(s->lines.items[i].what, name, strlen(name));
}

/* The queue of line i, if no line before it has it. */
static void mark_queue(const struct story *s, size_t i, bool *gone)
{
    size_t len, at = s->lines.items[i].event ? 1 : 2;
    const char *what = s->lines.items[i].what;
    if (s->lines.items[i].event && !begins_with(what, "declare"))
        return;
    const char *name = word_of(what, at, &len);
    char *queue = xstrndup(name, len);
    bool first = true;
    for (size_t k = 0; k < i; k++)
        first = first && !names(s->lines.items[k].what, queue, len);
    if (first)
        mark_named(s, queue, gone);
    free(queue);
}

static void mark_undone(const struct story *s, size_t i, bool *gone)
{
    for (size_t j = i + 1; j < s->lines.len && s->lines.items[i].event; j++)
        if (undoes(s->lines.items[i].what, s->lines.items[j].what)) {
            gone[i] = gone[j] = true;
            return;
        }
}

bool story_group(const struct story *s, size_t k, bool *gone)
{
    size_t count = s->lines.len, i = count ? k % count : 0;
    memset(gone, 0, count * sizeof(gone[0]));
    if (k < SCHED_NODES) {
        char *node = format_text("node%zu", k + 1);
        mark_named(s, node, gone);
        free(node);
        return true;
    }
    k -= SCHED_NODES;
    i = count ? count - 1 - k % count : 0; /* from the end */
    switch (count ? k / count : 4) {
    case 0: mark_queue(s, i, gone); return true;
    case 1: mark_undone(s, i, gone); return true;
    case 2:
    case 3:
        for (size_t j = i; j < i + k / count && j < count; j++)
            gone[j] = true;
        return true;
    default: return false;
    }
}

char *story_merged(const struct story *s, size_t i)
{
    static const char *const verbs[] = {"kill", "stop", "start"};
    if (i + 1 >= s->lines.len || !s->lines.items[i].event)
        return NULL;
    const char *a = s->lines.items[i].what, *b = s->lines.items[i + 1].what;
    size_t len;
    word_of(a, 0, &len);
    for (size_t v = 0; v < ARRAY_LEN(verbs); v++)
        if (strlen(verbs[v]) == len && strncmp(a, verbs[v], len) == 0 && strncmp(b, a, len + 1) == 0)
            return format_text("%s%s", a, b + len);
    return NULL;
}
