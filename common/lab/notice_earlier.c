/* notice_earlier.c: the events that an earlier screen of this lab has heard of, for the one that comes after
 * it: what was published and taken is counted once, when it is heard of, what polling noticed nobody tells
 * again, and what a node told goes with its process. The list has the same limit as any other. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "lab/notice.h"
#include "lab/observe.h"

static char *events_file(const struct labdir *lab)
{
    return format_text("%s/" LAB_EVENTS_FILE, lab->path);
}

int earlier_save(const struct labdir *lab, const struct snapshot *s, const int64_t noted_us[])
{
    json_t *events = json_array(), *noted = json_object(), *queues = json_array(), *policies = json_array();
    for (size_t i = 0; i < s->queues_len; i++)
        json_array_append_new(queues, json_string(s->queues[i].name));
    for (size_t i = 0; i < s->policies_len; i++)
        json_array_append_new(policies, json_string(s->policies[i].name));
    for (size_t i = 0; i < s->events_len; i++) {
        const struct event_seen *e = &s->events[i];
        json_array_append_new(events, json_pack("{s:I, s:s, s:s?, s:s}", "wall_ms", (json_int_t)e->wall_ms,
                                                "kind", e->kind, "node", e->node, "text", e->text));
    }
    for (size_t i = 0; i < lab->nodes_len; i++)
        json_object_set_new(noted, lab->nodes[i].name, json_integer((json_int_t)noted_us[i]));
    json_t *all = json_pack("{s:I, s:o, s:o, s:o, s:o}", "seen_wall_ms", (json_int_t)s->taken_wall_ms,
                            "noted_us", noted, "queues", queues, "policies", policies, "events", events);
    char *file = events_file(lab), *fresh = format_text("%s.new", file);
    int err = json_dump_file(all, fresh, JSON_INDENT(1)) || rename(fresh, file) ? ERR_IO : 0;
    json_decref(all);
    free(fresh);
    free(file);
    return err;
}

void lab_forget_events(const struct labdir *lab)
{
    char *file = events_file(lab);
    unlink(file);
    free(file);
}

static void take_up_event(struct earlier *earlier, const json_t *o)
{
    const char *kind = json_string_value(json_object_get(o, "kind")),
               *node = json_string_value(json_object_get(o, "node")),
               *text = json_string_value(json_object_get(o, "text"));
    const json_t *wall_ms = json_object_get(o, "wall_ms");
    if (kind && text && json_is_integer(wall_ms) && earlier->events.len < NOTICE_MAX_EVENTS)
        VEC_PUSH(&earlier->events, (struct event_seen){.wall_ms = json_integer_value(wall_ms),
                                                       .kind = xstrdup(kind),
                                                       .node = node ? xstrdup(node) : NULL,
                                                       .text = xstrdup(text)});
}

struct earlier *earlier_load(const struct labdir *lab)
{
    char *file = events_file(lab);
    json_t *all = json_load_file(file, 0, NULL), *o;
    free(file);
    if (!all)
        return NULL;
    struct earlier *earlier = xcalloc(1, sizeof(*earlier));
    earlier->seen_wall_ms = json_integer_value(json_object_get(all, "seen_wall_ms"));
    size_t i;
    json_array_foreach(json_object_get(all, "events"), i, o)
    {
        take_up_event(earlier, o);
    }
    json_array_foreach(json_object_get(all, "queues"), i, o)
    {
        if (json_is_string(o))
            VEC_PUSH(&earlier->queues, xstrdup(json_string_value(o)));
    }
    json_array_foreach(json_object_get(all, "policies"), i, o)
    {
        if (json_is_string(o))
            VEC_PUSH(&earlier->policies, xstrdup(json_string_value(o)));
    }
    for (i = 0; i < lab->nodes_len; i++)
        earlier->noted_us[i] =
            json_integer_value(json_object_get(json_object_get(all, "noted_us"), lab->nodes[i].name));
    json_decref(all);
    return earlier;
}

void earlier_destroy(struct earlier *earlier)
{
    if (!earlier)
        return;
    for (size_t i = 0; i < earlier->events.len; i++)
        snapshot_free_event(&earlier->events.items[i]);
    for (size_t i = 0; i < earlier->queues.len; i++)
        free(earlier->queues.items[i]);
    for (size_t i = 0; i < earlier->policies.len; i++)
        free(earlier->policies.items[i]);
    VEC_FREE(&earlier->events);
    VEC_FREE(&earlier->queues);
    VEC_FREE(&earlier->policies);
    free(earlier);
}

/* It is in the snapshot's list, too: its node still has it in its feed. */
static bool told_again(const struct snapshot *s, const struct event_seen *e)
{
    for (size_t i = 0; i < s->events_len; i++)
        if (notice_same(&s->events[i], e))
            return true;
    return false;
}

static bool has_policy(const struct snapshot *s, const char *name)
{
    bool has = false;
    for (size_t i = 0; i < s->policies_len; i++)
        has = has || strcmp(s->policies[i].name, name) == 0;
    return has;
}

/* takes the text over */
static void tell_now(struct snapshot *s, const char *kind, char *text)
{
    notice_put_in(s, &(struct event_seen){.wall_ms = s->taken_wall_ms, .kind = xstrdup(kind), .text = text},
                  false);
}

static void tell_gone(struct snapshot *s, const struct earlier *earlier)
{
    if (s->source < 0 || s->traces)
        return;
    for (size_t i = 0; i < earlier->policies.len; i++)
        if (!has_policy(s, earlier->policies.items[i]))
            tell_now(s, "policy", format_text("%s cleared", earlier->policies.items[i]));
    for (size_t i = 0; i < earlier->queues.len; i++)
        if (!snapshot_queue(s, earlier->queues.items[i]))
            tell_now(s, "queue", format_text("%s is gone", earlier->queues.items[i]));
}

void earlier_merge(struct snapshot *s, const struct earlier *earlier)
{
    for (size_t i = earlier->events.len; i-- > 0;) { /* of one moment, the ones heard of first stand first */
        const struct event_seen *e = &earlier->events.items[i];
        if (told_again(s, e) || (s->events_len == NOTICE_MAX_EVENTS && s->events[0].wall_ms >= e->wall_ms))
            continue;
        struct event_seen copy;
        snapshot_copy_event(&copy, e);
        notice_put_in(s, &copy, true);
    }
    tell_gone(s, earlier);
}
