/* api_rates.c: how fast figures change. A rate is the difference of two observations over the time between
 * them, both of the clock of the node that was observed; before there are two, there is none. Nothing runs
 * here on its own: observations are made when somebody asks, so an idle node does no work for them. */
#include "host/api_private.h"

#define KEEP_LEN      6     /* observations of one thing */
#define APART_MS      900   /* kept ones lie at least this far apart */
#define WINDOW_MS     6000  /* how far back a rate looks if it can */
#define FORGET_MS     60000 /* what nobody asked about for so long is dropped when there is much */
#define THINGS_MAX    8192
#define SWEEP_MS      1000 /* not more often */
#define NOT_BEFORE_MS 200  /* two observations closer than this say little */

struct series {
    char *key;
    size_t kept;
    struct observation {
        ms_time at;
        int64_t figures[RATES_MAX];
    } keep[KEEP_LEN]; /* oldest first */
    bool known;       /* `last` holds a rate */
    double last[RATES_MAX];
    int64_t asked_wall_ms;
};

struct rates {
    struct map things; /* key -> series */
    int64_t swept_wall_ms;
};

struct rates *rates_create(void)
{
    struct rates *r = xcalloc(1, sizeof(*r));
    map_init(&r->things);
    return r;
}

static void series_free(struct rates *r, struct series *s)
{
    map_remove(&r->things, bytes_str(s->key));
    free(s->key);
    free(s);
}

void rates_destroy(struct rates *r)
{
    if (!r)
        return;
    struct series *s;
    size_t at = 0;
    while ((s = map_next(&r->things, &at)))
        series_free(r, s);
    map_finish(&r->things);
    free(r);
}

static void forget_old(struct rates *r, int64_t wall)
{
    struct series *s;
    if (wall - r->swept_wall_ms < SWEEP_MS)
        return;
    r->swept_wall_ms = wall;
    size_t at = 0;
    while ((s = map_next(&r->things, &at))) {
        if (wall - s->asked_wall_ms > FORGET_MS)
            series_free(r, s);
    }
}

static struct series *find_series(struct rates *r, const char *key)
{
    int64_t wall = wall_ms();
    struct series *s = map_get_str(&r->things, key);
    if (!s) {
        if (r->things.count >= THINGS_MAX)
            forget_old(r, wall);
        if (r->things.count >= THINGS_MAX)
            return NULL; /* rates of the newest things stay unknown; memory stays bounded */
        s = xcalloc(1, sizeof(*s));
        s->key = xstrdup(key);
        map_set(&r->things, bytes_str(key), s);
    }
    s->asked_wall_ms = wall;
    return s;
}

static bool began_anew(const struct series *s, ms_time now, const int64_t *figures, size_t counters)
{
    const struct observation *last = &s->keep[s->kept - 1];
    if (now < last->at)
        return true;
    for (size_t i = 0; i < counters; i++) {
        if (figures[i] < last->figures[i])
            return true;
    }
    return false;
}

static void keep_observation(struct series *s, ms_time now, const int64_t *figures, size_t len)
{
    if (s->kept && now - s->keep[s->kept - 1].at < APART_MS)
        return;
    if (s->kept == KEEP_LEN) {
        memmove(&s->keep[0], &s->keep[1], (KEEP_LEN - 1) * sizeof(s->keep[0]));
        s->kept--;
    }
    struct observation *o = &s->keep[s->kept++];
    o->at = now;
    memcpy(o->figures, figures, len * sizeof(*figures));
}

bool rates_note(struct rates *r, const char *key, ms_time now, const int64_t *figures, size_t len,
                size_t counters, double *per_second)
{
    ASSERT(len <= RATES_MAX);
    struct series *s = find_series(r, key);
    if (!s)
        return false;
    if (s->kept && began_anew(s, now, figures, counters)) {
        s->kept = 0;
        s->known = false;
    }
    /* the oldest observation within the window; if all are older, the newest of them */
    const struct observation *then = NULL;
    for (size_t i = 0; i < s->kept; i++) {
        then = &s->keep[i];
        if (now - then->at <= WINDOW_MS)
            break;
    }
    if (then && now - then->at >= NOT_BEFORE_MS) {
        double seconds = (double)(now - then->at) / 1000.0;
        for (size_t i = 0; i < len; i++)
            s->last[i] = (double)(figures[i] - then->figures[i]) / seconds;
        s->known = true;
    }
    keep_observation(s, now, figures, len);
    if (s->known)
        memcpy(per_second, s->last, len * sizeof(*per_second));
    return s->known;
}
