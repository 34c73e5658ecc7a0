/* find.c: see find.h. */
#include "find.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "predict.h"
#include "view.h"
#include "words.h"

/* Letters of the first alphabet without regard to case; everything else byte by byte. */
static bool contains(const char *text, const char *part)
{
    size_t len = strlen(part);
    for (; text && *text; text++) {
        size_t i = 0;
        while (i < len && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == len)
            return true;
    }
    return !*part;
}

static bool queue_passes(const struct model *m, const struct queue_seen *q)
{
    const char *part = m->filters[FOUND_QUEUES];
    return !part || contains(q->name, part) || contains(q->policy, part) ||
           contains(queue_seen_state_name(q->state), part) ||
           contains(_(queue_seen_state_name(q->state)), part);
}

static bool event_passes(const struct model *m, const struct event_seen *e)
{
    const char *part = m->filters[FOUND_EVENTS];
    if (!predict_tells_event(m, e))
        return false;
    if (!part || contains(e->text, part) || contains(e->kind, part) || contains(e->node, part) ||
        contains(event_kind(e), part))
        return true;
    char *shown = event_words(e);
    bool found = contains(shown, part);
    free(shown);
    return found;
}

/* ---- order
 * ------------------------------------------------------------------------------------------------------ */

/* what is wrong comes first */
static int state_rank(const struct queue_seen *q)
{
    switch (q->state) {
    case QUEUE_SEEN_STOPPED: return 0;
    case QUEUE_SEEN_DOWN: return 1;
    case QUEUE_SEEN_UNKNOWN: return 2;
    case QUEUE_SEEN_SYNCING: return 3;
    case QUEUE_SEEN_RUNNING: return 4;
    }
    return 5;
}

static int more_first(double a, double b)
{
    return a > b ? -1 : a < b;
}

static int bits(node_bits b)
{
    int count = 0;
    for (; b; b &= b - 1)
        count++;
    return count;
}

static int compare(const struct queue_seen *a, const struct queue_seen *b, enum sort sort)
{
    switch (sort) {
    case SORT_STATE: return state_rank(a) - state_rank(b);
    case SORT_READY: return more_first((double)a->ready, (double)b->ready);
    case SORT_UNACKED: return more_first((double)a->unacked, (double)b->unacked);
    case SORT_MIRRORS: return bits(b->mirrors) - bits(a->mirrors);
    case SORT_POLICY: return strcmp(a->policy ? a->policy : "~", b->policy ? b->policy : "~");
    case SORT_RATE: /* what is seen of it: sort_shown */
    case SORT_NAME:
    case SORTS: break;
    }
    return 0;
}

/* for each of the snapshot's queues what stands under PUB/s; new */
static int64_t *published_in(const struct model *m)
{
    int64_t *published = xcalloc(m->snapshot->queues_len + 1, sizeof(*published));
    for (size_t i = 0; i < m->snapshot->queues_len; i++) {
        const struct history *h = model_history(m, m->snapshot->queues[i].name);
        published[i] = h ? h->published[HISTORY_LEN - 1] : -1;
    }
    return published;
}

/* Queues come sorted by name; equal ones stay in that order. */
static void sort_shown(struct model *m)
{
    const struct queue_seen *queues = m->snapshot->queues;
    int64_t *published = m->sort == SORT_RATE ? published_in(m) : NULL;
    for (size_t i = 1; i < m->shown.len; i++) {
        size_t queue = m->shown.items[i], at = i;
        for (; at > 0; at--) {
            size_t before = m->shown.items[at - 1];
            if (published ? published[queue] <= published[before]
                          : compare(&queues[queue], &queues[before], m->sort) >= 0)
                break;
            m->shown.items[at] = before;
        }
        m->shown.items[at] = queue;
    }
    free(published);
}

const char *find_sort_name(enum sort sort)
{
    switch (sort) {
    case SORT_NAME: return _("name");
    case SORT_STATE: return _("state, what is wrong first");
    case SORT_READY: return _("ready messages, most first");
    case SORT_UNACKED: return _("unacknowledged messages, most first");
    case SORT_MIRRORS: return _("mirrors, most first");
    case SORT_POLICY: return _("policy");
    case SORT_RATE: return _("publishes per second, most first");
    case SORTS: break;
    }
    return "?";
}

void find_sort(struct model *m, int by)
{
    do
        m->sort = (enum sort)(((int)m->sort + by + SORTS) % SORTS);
    while (m->sortable && m->sort != SORT_NAME && !(m->sortable >> m->sort & 1));
    find_again(m);
    model_say(m, _("queues are sorted by %s"), find_sort_name(m->sort));
}

/* ---- what passes
 * ------------------------------------------------------------------------------------------------ */

void find_again(struct model *m)
{
    m->shown.len = m->told.len = m->happened.len = 0;
    m->untold = predict_open(m);
    if (!m->snapshot)
        return;
    if (!m->untold)
        m->told_wall_ms = m->snapshot->taken_wall_ms;
    for (size_t i = 0; i < m->snapshot->queues_len; i++)
        if (queue_passes(m, &m->snapshot->queues[i]))
            VEC_PUSH(&m->shown, i);
    for (size_t i = 0; i < m->snapshot->events_len; i++) {
        if (predict_tells_event(m, &m->snapshot->events[i]))
            VEC_PUSH(&m->told, i);
        if (event_passes(m, &m->snapshot->events[i]))
            VEC_PUSH(&m->happened, i);
    }
    if (m->sort != SORT_NAME)
        sort_shown(m);
}

void find_keep_place(struct model *m, const struct snapshot *s)
{
    uint64_t last = 0;
    if (m->view != VIEW_EVENTS || m->scroll == 0 || !m->snapshot)
        return;
    for (size_t i = 0; i < m->snapshot->events_len; i++)
        last = u64_max(last, m->snapshot->events[i].seq);
    for (size_t i = 0; i < s->events_len; i++)
        m->scroll += s->events[i].seq > last && event_passes(m, &s->events[i]);
}

void find_finish(struct model *m)
{
    for (size_t i = 0; i < FOUNDS; i++)
        free(m->filters[i]);
    VEC_FREE(&m->shown);
    VEC_FREE(&m->told);
    VEC_FREE(&m->happened);
}

enum found find_kind(const struct model *m)
{
    return m->view == VIEW_EVENTS ? FOUND_EVENTS : FOUND_QUEUES;
}

const char *find_queue_from(const struct model *m, int by)
{
    int at = -1, len = (int)m->shown.len;
    for (int i = 0; m->queue && i < len; i++)
        if (strcmp(m->snapshot->queues[m->shown.items[i]].name, m->queue) == 0)
            at = i;
    at = at < 0 ? 0 : at + by;
    at = at >= len ? len - 1 : at < 0 ? 0 : at;
    return len ? m->snapshot->queues[m->shown.items[at]].name : NULL;
}

bool find_all(struct model *m)
{
    char **filter = &m->filters[find_kind(m)];
    if (!*filter || (m->view != VIEW_EVENTS && m->view != VIEW_CLUSTER))
        return false;
    free(*filter);
    *filter = NULL;
    m->scroll = 0;
    find_again(m);
    model_say(m, "%s",
              m->view == VIEW_EVENTS ? _("all events are shown again") : _("all queues are shown again"));
    return true;
}

char *find_status(const struct model *m)
{
    bool events = find_kind(m) == FOUND_EVENTS;
    const char *part = m->filters[find_kind(m)];
    if (!part || !m->snapshot)
        return NULL;
    return events ? format_text(_("/%s: %zu of %zu events, Esc: all"), part, m->happened.len, m->told.len)
                  : format_text(_("/%s: %zu of %zu queues, Esc: all"), part, m->shown.len,
                                m->snapshot->queues_len);
}

/* ---- export
 * ----------------------------------------------------------------------------------------------------- */

int find_export(const struct model *m, const char *file)
{
    FILE *f = fopen(file, "wxe"); /* what is there already is somebody's */
    if (!f)
        return errno;
    for (size_t i = 0; i < m->happened.len; i++) {
        const struct event_seen *e = &m->snapshot->events[m->happened.items[i]];
        time_t seconds = (time_t)(e->wall_ms / 1000);
        struct tm t;
        char when[32];
        localtime_r(&seconds, &t);
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &t);
        char *words = event_words(e);
        fprintf(f, "%s.%03d\t%s\t%s\t%s\n", when, (int)(e->wall_ms % 1000), e->kind, e->node ? e->node : "-",
                words);
        free(words);
    }
    int failed = ferror(f) ? EIO : 0;
    return fclose(f) ? errno : failed;
}
