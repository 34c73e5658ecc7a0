/* record_json.c: see record_json.h. */
#include "record_json.h"

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "replay.h"

#define STEP_OUTPUT_MAX 4000 /* of what a step's program printed, in a whole line: more is never shown */

static const char *step_word(enum step_state state)
{
    switch (state) {
    case STEP_OPEN: return "open";
    case STEP_HALF: return "half";
    case STEP_SEEN: return "seen";
    case STEP_WAS: return "was";
    }
    return "open";
}

/* What programs print need not be UTF-8; JSON is. */
json_t *record_text(const char *data, size_t len)
{
    json_t *json = json_stringn(data, len);
    if (json)
        return json;
    char *copy = xstrndup(data, len);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    json = json_string(copy);
    free(copy);
    return json;
}

void record_set_text(json_t *o, const char *key, const char *text)
{
    if (text)
        json_object_set_new(o, key, record_text(text, strlen(text)));
}

void record_set_number(json_t *o, const char *key, int64_t value)
{
    json_object_set_new(o, key, json_integer(value));
}

/* Where the program stands on this machine is no part of what happened: it is known by its name. */
static json_t *words_json(char *const *words)
{
    json_t *list = json_array();
    for (size_t i = 0; words && words[i]; i++) {
        const char *slash = i == 0 ? strrchr(words[i], '/') : NULL, *word = slash ? slash + 1 : words[i];
        json_array_append_new(list, record_text(word, strlen(word)));
    }
    return list;
}

static json_t *question_json(const struct lesson_question *q)
{
    json_t *o = json_object();
    record_set_text(o, "ask", q->text);
    record_set_number(o, "step", (int64_t)q->step);
    record_set_number(o, "decided", (int64_t)q->decided);
    json_object_set_new(o, "choices", words_json(q->choices));
    return o;
}

static json_t *lesson_json(const struct lesson *l)
{
    json_t *o = json_object(), *steps = json_array();
    record_set_number(o, "number", l->number);
    record_set_number(o, "nodes", l->nodes);
    record_set_text(o, "name", l->name);
    record_set_text(o, "title", l->title);
    record_set_text(o, "aim", l->aim);
    record_set_text(o, "queue", l->queue);
    if (l->queues)
        json_object_set_new(o, "queues", words_json(l->queues));
    if (l->policies)
        json_object_set_new(o, "policies", words_json(l->policies));
    if (l->predict.text)
        json_object_set_new(o, "predict", question_json(&l->predict));
    for (size_t i = 0; i < l->steps_len; i++) {
        json_t *step = json_object();
        record_set_text(step, "title", l->steps[i].title);
        record_set_text(step, "before", l->steps[i].before);
        record_set_text(step, "why", l->steps[i].why);
        record_set_text(step, "result", l->steps[i].result);
        record_set_text(step, "wait", l->steps[i].wait_text);
        record_set_text(step, "text", l->steps[i].action_text);
        if (l->steps[i].action)
            json_object_set_new(step, "action", words_json(l->steps[i].action));
        json_array_append_new(steps, step);
    }
    json_object_set_new(o, "steps", steps);
    return o;
}

json_t *record_header(const struct recording_start *start)
{
    const struct model *m = start->model;
    json_t *o = json_object();
    record_set_text(o, "format", RECORDING_FORMAT);
    record_set_number(o, "version", RECORDING_VERSION);
    record_set_number(o, "started_at", (int64_t)start->at);
    record_set_number(o, "started_wall_ms", start->wall_ms);
    record_set_text(o, "engine", start->engine);
    json_object_set_new(o, "readonly", json_boolean(m->readonly));
    json_object_set_new(o, "whole", json_boolean(start->whole));
    record_set_number(o, "next_lesson", m->next_lesson);
    record_set_number(o, "next_nodes", m->next_nodes);
    record_set_number(o, "told_wall_ms", m->told_wall_ms);
    if (m->lesson)
        json_object_set_new(o, "lesson", lesson_json(m->lesson));
    json_t *ports = m->lab ? json_object() : NULL;
    for (size_t i = 0; m->lab && i < m->lab->nodes_len; i++)
        record_set_number(ports, m->lab->nodes[i].name, m->lab->nodes[i].amqp_port);
    if (ports)
        json_object_set_new(o, "ports", ports);
    return o;
}

json_t *record_step(const struct lesson_step *s, bool whole)
{
    json_t *o = json_object();
    record_set_text(o, "state", step_word(s->state));
    json_object_set_new(o, "acted", json_boolean(s->acted));
    if (s->by_hand)
        json_object_set_new(o, "by_hand", json_true());
    record_set_number(o, "exit", s->exit_code);
    json_object_set(o, "seen", s->seen); /* nothing, if there is none */
    record_set_text(o, "lacks", s->lacks);
    record_set_text(o, "lacks_at", s->lacks_at);
    record_set_text(o, "shows", s->shows);
    record_set_number(o, "seen_wall_ms", s->seen_wall_ms);
    if (whole && s->output && *s->output) {
        size_t len = strlen(s->output), from = len > STEP_OUTPUT_MAX ? len - STEP_OUTPUT_MAX : 0;
        while (from && from < len && ((unsigned char)s->output[from] & 0xc0) == 0x80)
            from++; /* not in the middle of a character */
        record_set_text(o, "output", s->output + from);
    }
    return o;
}

json_t *record_event(const struct event_seen *e)
{
    json_t *o = json_object();
    record_set_number(o, "seq", (int64_t)e->seq);
    record_set_number(o, "wall_ms", e->wall_ms);
    record_set_text(o, "kind", e->kind);
    record_set_text(o, "node", e->node);
    record_set_text(o, "text", e->text);
    json_object_set(o, "fact", e->fact); /* nothing, if there is none */
    return o;
}

json_t *record_command(const struct command *c, int id)
{
    json_t *o = json_object();
    record_set_number(o, "id", id);
    record_set_text(o, "text", c->text);
    record_set_number(o, "step", c->step);
    json_object_set_new(o, "typed", json_boolean(c->typed));
    if (c->uncounted)
        json_object_set_new(o, "uncounted", json_true());
    json_object_set_new(o, "argv", words_json(c->argv));
    return o;
}
