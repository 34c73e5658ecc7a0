/* time_delta.c: see time_delta.h. A delta is an object with the members that changed; null for one that is
 * gone. A list of objects with names is an object {"@": {NAME: delta, ...}}, so that one queue of two hundred
 * is one entry. */
#include "time_delta.h"

#include <stdlib.h>
#include <string.h>

/* ---- a snapshot as it is recorded
 * ---------------------------------------------------------------------------- */

/* null says the same as nothing, and a delta needs null for what is gone */
static void strip_nulls(json_t *json)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    if (json_is_object(json)) {
        json_object_foreach_safe(json, next, key, value)
        {
            if (json_is_null(value))
                json_object_del(json, key);
            else
                strip_nulls(value);
        }
    }
    json_array_foreach(json, i, value)
    {
        strip_nulls(value);
    }
}

static json_int_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* with these queues instead of its own */
static json_t *encode(const struct snapshot *s, struct queue_seen *queues, size_t queues_len)
{
    struct snapshot bare = *s;
    bare.events = NULL;
    bare.events_len = 0;
    bare.queues = queues;
    bare.queues_len = queues_len;
    json_t *doc = snapshot_to_json(&bare), *o;
    size_t i;
    strip_nulls(doc);
    json_object_del(doc, "events");
    json_array_foreach(json_object_get(doc, "nodes"), i, o)
    {
        if (!json_object_get(o, "uptime_ms"))
            continue;
        json_object_set_new(o, "up_since", json_integer(number(o, "answered_at") - number(o, "uptime_ms")));
        json_object_del(o, "uptime_ms");
    }
    json_array_foreach(json_object_get(doc, "queues"), i, o)
    {
        if (number(o, "seen_at") == (json_int_t)s->taken_at)
            json_object_del(o, "seen_at");
    }
    return doc;
}

json_t *recorded_encode(const struct snapshot *s)
{
    return encode(s, s->queues, s->queues_len);
}

/* the queue's place in the document before; SIZE_MAX: it was otherwise, or seen at another time */
static size_t place_before(const struct snapshot *s, size_t i, const struct snapshot *before)
{
    const struct queue_seen *q = &s->queues[i], *was = before ? snapshot_queue(before, q->name) : NULL;
    bool same =
        was && queue_seen_same(q, was) && q->seen_at == s->taken_at && was->seen_at == before->taken_at;
    return same ? (size_t)(was - before->queues) : SIZE_MAX;
}

json_t *recorded_encode_next(const struct snapshot *s, const struct snapshot *before,
                             const json_t *before_doc)
{
    const json_t *old = json_object_get(before_doc, "queues");
    struct queue_seen *changed = xcalloc(s->queues_len + 1, sizeof(*changed));
    size_t *place = xcalloc(s->queues_len + 1, sizeof(*place)), len = 0, next = 0;
    bool same_nodes = before && before->nodes_len == s->nodes_len; /* a master is written by its name */
    for (size_t i = 0; i < s->nodes_len && same_nodes; i++)
        same_nodes = strcmp(s->nodes[i].name, before->nodes[i].name) == 0;
    for (size_t i = 0; i < s->queues_len; i++) {
        place[i] = same_nodes && old ? place_before(s, i, before) : SIZE_MAX;
        if (place[i] == SIZE_MAX)
            changed[len++] = s->queues[i];
    }
    json_t *doc = encode(s, changed, len), *fresh = json_incref(json_object_get(doc, "queues"));
    json_t *queues = json_array();
    for (size_t i = 0; i < s->queues_len; i++)
        json_array_append(queues, place[i] == SIZE_MAX ? json_array_get(fresh, next++)
                                                       : json_array_get(old, place[i]));
    json_object_set_new(doc, "queues", queues);
    json_decref(fresh);
    free(changed);
    free(place);
    return doc;
}

json_t *recorded_decode(const json_t *doc, json_t *events)
{
    json_t *json = json_deep_copy(doc), *o;
    size_t i;
    json_array_foreach(json_object_get(json, "nodes"), i, o)
    {
        if (json_object_get(o, "up_since")) {
            json_int_t up = number(o, "answered_at") - number(o, "up_since");
            json_object_set_new(o, "uptime_ms", json_integer(up));
            json_object_del(o, "up_since");
        }
    }
    json_array_foreach(json_object_get(json, "queues"), i, o)
    {
        if (!json_object_get(o, "seen_at"))
            json_object_set_new(o, "seen_at", json_integer(number(json, "taken_at")));
    }
    if (events)
        json_object_set(json, "events", events);
    else
        json_object_set_new(json, "events", json_array());
    return json;
}

/* ---- differences
 * --------------------------------------------------------------------------------------------- */

static const char *name_of(const json_t *o)
{
    return json_string_value(json_object_get(o, "name"));
}

static size_t find_named(const json_t *list, const char *name)
{
    size_t i;
    json_t *o;
    json_array_foreach(list, i, o)
    {
        if (name_of(o) && strcmp(name_of(o), name) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool is_named_list(const json_t *list)
{
    size_t i;
    json_t *o;
    json_array_foreach(list, i, o)
    {
        if (!name_of(o))
            return false;
    }
    return json_array_size(list) > 0;
}

static json_t *change_of(json_t *from, json_t *to);

/* NULL if the names that stay are not in the same places: it is then written whole */
static json_t *named_delta(json_t *from, json_t *to)
{
    json_t *changes = json_object(), *o;
    size_t i, kept = 0;
    json_array_foreach(from, i, o)
    {
        if (find_named(to, name_of(o)) == SIZE_MAX)
            json_object_set_new(changes, name_of(o), json_null());
        else
            kept++;
    }
    size_t last = 0;
    json_array_foreach(to, i, o)
    {
        /* two hundred queues stand where they stood: look there first */
        bool same_place = i < json_array_size(from) && name_of(json_array_get(from, i)) &&
                          strcmp(name_of(json_array_get(from, i)), name_of(o)) == 0;
        size_t was = same_place ? i : find_named(from, name_of(o));
        bool in_order = was == SIZE_MAX ? i >= kept : i < kept && (i == 0 || was > last);
        last = was;
        if (!in_order) {
            json_decref(changes);
            return NULL;
        }
        json_t *old = was == SIZE_MAX ? NULL : json_array_get(from, was);
        if (!old)
            json_object_set(changes, name_of(o), o);
        else if (!json_equal(old, o))
            json_object_set_new(changes, name_of(o), change_of(old, o));
    }
    return json_pack("{s:o}", "@", changes);
}

/* from and to differ */
static json_t *change_of(json_t *from, json_t *to)
{
    json_t *change = NULL;
    if (json_is_object(from) && json_is_object(to))
        change = delta_make(from, to);
    else if (is_named_list(from) && is_named_list(to))
        change = named_delta(from, to);
    return change ? change : json_incref(to);
}

json_t *delta_make(json_t *from, json_t *to)
{
    json_t *delta = json_object(), *value;
    const char *key;
    json_object_foreach(from, key, value)
    {
        if (!json_object_get(to, key))
            json_object_set_new(delta, key, json_null());
    }
    json_object_foreach(to, key, value)
    {
        json_t *old = json_object_get(from, key);
        if (!old)
            json_object_set(delta, key, value);
        else if (!json_equal(old, value))
            json_object_set_new(delta, key, change_of(old, value));
    }
    return delta;
}

static bool apply_named(json_t *list, json_t *changes)
{
    const char *name;
    json_t *change;
    json_object_foreach(changes, name, change)
    {
        size_t i = find_named(list, name);
        if (json_is_null(change)) {
            if (i == SIZE_MAX)
                return false;
            json_array_remove(list, i);
        } else if (i == SIZE_MAX) {
            json_array_append_new(list, json_deep_copy(change));
        } else if (!delta_apply(json_array_get(list, i), change)) {
            return false;
        }
    }
    return true;
}

bool delta_apply(json_t *doc, json_t *delta)
{
    const char *key;
    json_t *change;
    if (!json_is_object(doc) || !json_is_object(delta))
        return false;
    json_object_foreach(delta, key, change)
    {
        json_t *old = json_object_get(doc, key), *named = json_object_get(change, "@");
        bool ok = true;
        if (json_is_null(change))
            ok = json_object_del(doc, key) == 0;
        else if (named)
            ok = json_is_array(old) && apply_named(old, named);
        else if (json_is_object(old) && json_is_object(change))
            ok = delta_apply(old, change);
        else
            json_object_set_new(doc, key, json_deep_copy(change));
        if (!ok)
            return false;
    }
    return true;
}

/* ---- what is worth a look
 * ------------------------------------------------------------------------------------ */

static bool is_noise(const char *key)
{
    static const char *const noise[] = {"number",       "taken_at", "taken_wall_ms", "answered_at",
                                        "seen_at",      "up_since", "memory_bytes",  "publish_rate",
                                        "deliver_rate", "details",  "copies",        "looked_at",
                                        "connections"};
    for (size_t i = 0; i < ARRAY_LEN(noise); i++)
        if (strcmp(noise[i], key) == 0)
            return true;
    return false;
}

bool delta_is_quiet(json_t *delta)
{
    const char *key, *name;
    json_t *change, *of_one;
    json_object_foreach(delta, key, change)
    {
        json_t *named = json_object_get(change, "@");
        if (!named && !is_noise(key))
            return false;
        json_object_foreach(named, name, of_one)
        {
            if (!json_is_object(of_one) || !delta_is_quiet(of_one))
                return false;
        }
    }
    return true;
}
