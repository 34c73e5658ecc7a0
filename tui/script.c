/* script.c: see script.h. It goes on from the loop only, never from inside a key or a drawing. */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/vec.h"
#include "keys.h"
#include "session.h"

#define UNTIL_S 60 /* a fact that does not come is a failure */

enum verb { VERB_KEY, VERB_TYPE, VERB_UNTIL, VERB_GONE, VERB_WAIT, VERB_WRITE, VERB_NAME, VERB_QUIT, VERBS };

static const char *const verb_names[VERBS] = {"key",  "type",  "until", "gone",
                                              "wait", "write", "name",  "quit"};

struct order {
    enum verb verb;
    char *word;
    int key, line;
    long ms;
};

struct script {
    char *file;
    VEC(struct order) orders;
    size_t at;
    bool waits; /* for the frame */
    struct event *go, *late;
    struct script_fns fns;
    void *arg;
};

/* ---- reading
 * ------------------------------------------------------------------------------------------------- */

/* the next character of UTF-8 text; 0 at its end */
static int next_char(const char **text)
{
    const unsigned char *s = (const unsigned char *)*text;
    int len = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4, c = len == 1 ? *s : *s & (0xff >> (len + 1));
    if (!*s)
        return 0;
    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return KEY_OTHER;
        c = c << 6 | (s[i] & 0x3f);
    }
    *text += len;
    return c;
}

/* 0: no such key */
static int key_named(const char *word)
{
    for (size_t i = 0; i < key_table_len; i++)
        if (strcmp(key_table[i].name, word) == 0)
            return key_table[i].key;
    const char *rest = word;
    int c = next_char(&rest);
    return *rest ? 0 : c;
}

static bool read_order(struct order *o, const char *verb, char *word)
{
    for (o->verb = 0; o->verb < VERBS && strcmp(verb, verb_names[o->verb]) != 0; o->verb++)
        ;
    o->word = xstrdup(word);
    char *end = o->word;
    if (o->verb == VERB_KEY)
        return (o->key = key_named(word)) != 0;
    if (o->verb == VERB_WAIT)
        return (o->ms = strtol(word, &end, 10)) >= 0 && end != o->word && !*end && o->ms <= 3600000;
    return o->verb < VERBS && (o->verb == VERB_QUIT) == (*word == '\0');
}

static bool read_line(struct script *s, char *line, int number, char **error)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    if (!*line || *line == '#')
        return true;
    size_t len = strcspn(line, " \t");
    char *word = line + len + (line[len] != '\0');
    line[len] = '\0';
    struct order o = {.line = number};
    bool ok = read_order(&o, line, word);
    VEC_PUSH(&s->orders, o);
    if (!ok)
        *error =
            format_text("%s:%d: %s %s: write key n, type TEXT, until TEXT, gone TEXT, wait MS, write FILE, "
                        "name WORD or quit",
                        s->file, number, line, word);
    return ok;
}

struct script *script_open(const char *file, char **error)
{
    FILE *f = fopen(file, "re");
    if (!f) {
        *error = format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    struct script *s = xcalloc(1, sizeof(*s));
    s->file = xstrdup(file);
    char *line = NULL;
    size_t size = 0;
    bool ok = true;
    for (int number = 1; ok && getline(&line, &size, f) > 0; number++)
        ok = read_line(s, line, number, error);
    free(line);
    fclose(f);
    if (ok)
        return s;
    script_close(s);
    return NULL;
}

/* ---- running
 * ------------------------------------------------------------------------------------------------- */

static bool can_be_seen(struct script *s, const char *part)
{
    struct text text = {0};
    canvas_to_text(s->fns.frame(s->arg), &text);
    bool seen = strstr(text_str(&text), part) != NULL;
    text_finish(&text);
    return seen;
}

static void fail_late(struct script *s, const struct order *o)
{
    struct text text = {0};
    canvas_to_text(s->fns.frame(s->arg), &text);
    fprintf(stderr, "lab: %s:%d: %s %s: not so within %d s. On the screen:\n%s\n", s->file, o->line,
            verb_names[o->verb], o->word, UNTIL_S, text_str(&text));
    text_finish(&text);
    s->at = s->orders.len;
    s->fns.quit(s->arg, 1);
}

static void set_late(struct script *s, long ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(s->late, &wait);
}

static void type(struct script *s, const char *text)
{
    for (int key; (key = next_char(&text));)
        s->fns.key(s->arg, key);
}

static void write_frame(struct script *s, const char *file)
{
    char *error = NULL;
    if (session_write_frame(s->fns.frame(s->arg), file, true, &error))
        return;
    fprintf(stderr, "lab: %s: %s\n", s->file, error);
    s->fns.quit(s->arg, 1);
    free(error);
}

/* true: done; false: it waits */
static bool perform(struct script *s, const struct order *o)
{
    switch (o->verb) {
    case VERB_KEY: s->fns.key(s->arg, o->key); return true;
    case VERB_TYPE: type(s, o->word); return true;
    case VERB_UNTIL: return can_be_seen(s, o->word);
    case VERB_GONE: return !can_be_seen(s, o->word);
    case VERB_WRITE: write_frame(s, o->word); return true;
    case VERB_NAME: s->fns.name(s->arg, o->word); return true;
    case VERB_QUIT: s->fns.quit(s->arg, 0); return true;
    case VERB_WAIT:
        if (!s->fns.pass)
            return false;
        s->fns.pass(s->arg, (ms_time)o->ms);
        return true;
    case VERBS: break;
    }
    return true;
}

static void on_go(evutil_socket_t fd, short what, void *arg)
{
    struct script *s = arg;
    (void)fd;
    (void)what;
    if (s->at == s->orders.len)
        return;
    const struct order *o = &s->orders.items[s->at];
    if (s->waits && o->verb == VERB_WAIT)
        return; /* a frame came; its time has not passed */
    if (perform(s, o)) {
        event_del(s->late);
        s->waits = false;
        s->at++;
        event_active(s->go, 0, 0); /* the next one in the next turn: what this one caused is drawn first */
    } else if (!s->waits) {
        s->waits = true;
        set_late(s, o->verb == VERB_WAIT ? o->ms : UNTIL_S * 1000L);
    }
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    struct script *s = arg;
    (void)fd;
    (void)what;
    const struct order *o = &s->orders.items[s->at];
    s->waits = false;
    if (o->verb != VERB_WAIT) {
        fail_late(s, o);
        return;
    }
    s->at++;
    event_active(s->go, 0, 0);
}

void script_start(struct script *s, struct event_base *base, const struct script_fns *fns, void *arg)
{
    s->fns = *fns;
    s->arg = arg;
    s->go = event_new(base, -1, 0, on_go, s);
    s->late = evtimer_new(base, on_late, s);
    event_active(s->go, 0, 0);
}

void script_drew(struct script *s)
{
    if (s && s->go && s->waits)
        event_active(s->go, 0, 0);
}

void script_close(struct script *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->orders.len; i++)
        free(s->orders.items[i].word);
    VEC_FREE(&s->orders);
    if (s->go)
        event_free(s->go);
    if (s->late)
        event_free(s->late);
    free(s->file);
    free(s);
}
