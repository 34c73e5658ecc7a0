/* form.c: see form.h. The forms are tables; what they run is made of their words in commands.c's way, and
 * shown while they are filled in. */
#include "form.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <strings.h>

#include "commands.h"
#include "overlay_keys.h"
#include "ran.h"
#include "view.h"
#include "words.h"

struct field {
    const char *name;       /* as labctl and the producer call it: not translated */
    const char *value;      /* at first */
    const char *choices[4]; /* left and right go through them; NULL: free text */
};

static const struct field policy_fields[] = {
    [POLICY_NAME] = {"name", "mirrior", {NULL}},
    [POLICY_PATTERN] = {"pattern", "^mirrior", {NULL}},
    [POLICY_HA_MODE] = {"ha-mode", "exactly", {"exactly", "all", "nodes"}},
    [POLICY_HA_PARAMS] = {"ha-params", "2", {NULL}},
    [POLICY_SYNC_MODE] = {"ha-sync-mode", "automatic", {"automatic", "manual"}},
};

static const struct field publish_fields[] = {
    [PUBLISH_QUEUE] = {"queue", "", {NULL}},
    [PUBLISH_COUNT] = {"count", "1", {NULL}},
    [PUBLISH_TEXT] = {"message", "Hello World", {NULL}},
    [PUBLISH_PERSISTENT] = {"persistent", "no", {"no", "yes"}},
    [PUBLISH_CONFIRM] = {"confirm", "no", {"no", "yes"}},
};

static const struct field get_fields[] = {
    [GET_QUEUE] = {"queue", "", {NULL}},
    [GET_COUNT] = {"count", "1", {"1", COUNT_ALL}},
};

static const struct {
    const char *title, *about, *brief; /* brief: where there is no room for what it is about */
    const struct field *fields;
    int len;
} kinds[FORMS] = {
    [FORM_POLICY] = {N_("Policy"), N_("Every queue whose name matches the pattern follows it."),
                     N_("Every queue that matches follows it."), policy_fields, POLICY_FIELDS},
    [FORM_PUBLISH] = {N_("Publish"), N_("The lesson's producer publishes through a node that runs."),
                      N_("Through a node that runs."), publish_fields, PUBLISH_FIELDS},
    [FORM_GET] = {N_("Get"), N_("The lesson's consumer takes them from the queue, the oldest first."),
                  N_("The oldest first."), get_fields, GET_FIELDS},
};

void form_reset(struct form *f, enum form_kind kind)
{
    for (int i = 0; i < kinds[kind].len; i++)
        input_set(&f->fields[i], kinds[kind].fields[i].value);
    f->at = 0;
}

void form_finish(struct form *f)
{
    for (int i = 0; i < FORM_FIELDS; i++) {
        input_finish(&f->fields[i]);
        free(f->before[i]);
        f->before[i] = NULL;
    }
    free(f->wrong);
    free(f->offered);
    f->wrong = f->offered = NULL;
}

/* The pattern that the lesson is at: its last policy so far, else its queue's name. The caller frees it. */
static char *lessons_pattern(const struct model *m)
{
    const struct lesson *l = m->lesson;
    char *pattern = l->queue ? format_text("^%s", l->queue) : xstrdup(policy_fields[POLICY_PATTERN].value);
    for (size_t i = 0; i < l->steps_len && i <= model_step(m); i++) {
        char **a = l->steps[i].action;
        for (size_t w = 0; a && a[w]; w++)
            if (strcmp(a[w], "set_policy") == 0 && a[w + 1] && a[w + 2]) {
                free(pattern);
                pattern = xstrdup(a[w + 2]);
            }
    }
    return pattern;
}

/* Nothing that a later step of the lesson is about; what somebody has set stays. */
static void offer_pattern(struct model *m)
{
    struct form *f = &m->forms[FORM_POLICY];
    const char *there = input_text(&f->fields[POLICY_PATTERN]);
    if (!m->lesson || strcmp(there, f->offered ? f->offered : policy_fields[POLICY_PATTERN].value) != 0)
        return;
    free(f->offered);
    f->offered = lessons_pattern(m);
    input_set(&f->fields[POLICY_PATTERN], f->offered);
}

void form_open(struct model *m, enum form_kind kind)
{
    struct form *f = &m->forms[kind];
    m->overlay = OVERLAY_FORM;
    m->form = kind;
    if (kind == FORM_POLICY)
        offer_pattern(m);
    f->at = 0;
    f->chosen = true;
    for (int i = 0; i < kinds[kind].len; i++) {
        free(f->before[i]);
        f->before[i] = xstrdup(input_text(&f->fields[i]));
    }
}

/* Nothing was done, so nothing of it is left: who comes back to the form does not run by Enter what was
 * thought better of. */
static void cancel(struct model *m)
{
    struct form *f = &m->forms[m->form];
    m->overlay = OVERLAY_NONE;
    for (int i = 0; i < kinds[m->form].len; i++)
        input_set(&f->fields[i], f->before[i] ? f->before[i] : "");
}

/* ---- what it runs
 * ----------------------------------------------------------------------------------------------- */

/* ha-params is a count for "exactly" and a list of names for "nodes": "node1,node2" */
static json_t *params_json(const char *typed)
{
    char *end;
    long number = strtol(typed, &end, 10);
    if (*typed && !*end)
        return json_integer(number);
    json_t *names = json_array();
    while (*typed) {
        size_t len = strcspn(typed, ", ");
        if (len > 0)
            json_array_append_new(names, json_stringn(typed, len));
        typed += len;
        typed += strspn(typed, ", ");
    }
    return names;
}

static char *policy_definition(const struct form *f)
{
    const char *mode = input_text(&f->fields[POLICY_HA_MODE]);
    const char *params = input_text(&f->fields[POLICY_HA_PARAMS]);
    const char *sync = input_text(&f->fields[POLICY_SYNC_MODE]);
    json_t *definition = json_object();
    if (*mode)
        json_object_set_new(definition, "ha-mode", json_string(mode));
    if (*params && strcmp(mode, "all") != 0) /* "all" takes none */
        json_object_set_new(definition, "ha-params", params_json(params));
    if (*sync)
        json_object_set_new(definition, "ha-sync-mode", json_string(sync));
    char *text = json_dumps(definition, JSON_COMPACT);
    json_decref(definition);
    return text;
}

static struct command *policy_command(const struct model *m, const struct form *f)
{
    char *definition = policy_definition(f);
    const char *node = model_running_node(m);
    const char *words[] = {"labctl",
                           "-n",
                           node ? node : "node1",
                           "set_policy",
                           input_text(&f->fields[POLICY_NAME]),
                           input_text(&f->fields[POLICY_PATTERN]),
                           definition,
                           NULL};
    struct command *c = command_of(words, COMMAND_OF_KEY);
    free(definition);
    return c;
}

/* What a field that is yes or no says: 1, 0; -1: neither. */
static int yes_or_no(const struct input *in)
{
    static const struct {
        const char *word;
        int means;
    } words[] = {{"yes", 1}, {"y", 1}, {"no", 0}, {"n", 0}, {"是", 1}, {"否", 0}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(input_text(in), words[i].word) == 0)
            return words[i].means;
    return -1;
}

struct command *form_command(const struct model *m)
{
    const struct form *f = &m->forms[m->form];
    if (m->form == FORM_POLICY)
        return policy_command(m, f);
    if (m->form == FORM_GET)
        return command_get(m, input_text(&f->fields[GET_QUEUE]), input_text(&f->fields[GET_COUNT]));
    return command_publish(m, input_text(&f->fields[PUBLISH_QUEUE]), input_text(&f->fields[PUBLISH_COUNT]),
                           input_text(&f->fields[PUBLISH_TEXT]),
                           yes_or_no(&f->fields[PUBLISH_PERSISTENT]) == 1,
                           yes_or_no(&f->fields[PUBLISH_CONFIRM]) == 1);
}

/* ---- what no node would take
 * ------------------------------------------------------------------------------------ */

/* what the expression that patterns are made of says of this one; NULL: it is good */
static char *pattern_wrong(const char *pattern)
{
    int code = 0;
    size_t at = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
    pcre2_code_free(compiled);
    if (compiled)
        return NULL;
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(code, message, sizeof(message));
    return format_text(_("pattern %s is no regular expression: %s (at %zu); ^ is the name's beginning"),
                       pattern, (const char *)message, at);
}

/* a whole number of at least one, and no more than a program counts to */
static bool is_count(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len > 0 && len < 10 && !text[len] && strspn(text, "0") < len;
}

/* A word that is none of the field's choices; NULL: it is one, or it is empty and so left out. */
static char *choice_wrong(const struct field *field, const char *typed)
{
    struct text all = {0};
    bool good = !*typed;
    for (size_t i = 0; i < ARRAY_LEN(field->choices) && field->choices[i]; i++) {
        good = good || strcmp(field->choices[i], typed) == 0;
        text_printf(&all, "%s%s", all.len ? ", " : "", field->choices[i]);
    }
    char *text = good ? NULL : format_text(_("%s %s is none of: %s"), field->name, typed, text_str(&all));
    text_finish(&all);
    return text;
}

static char *policy_wrong(const struct form *f, int *field)
{
    static const int chosen[] = {POLICY_HA_MODE, POLICY_SYNC_MODE};
    const char *mode = input_text(&f->fields[POLICY_HA_MODE]);
    const char *params = input_text(&f->fields[POLICY_HA_PARAMS]);
    *field = POLICY_NAME;
    if (!*input_text(&f->fields[POLICY_NAME]))
        return xstrdup(_("name is empty: a policy is known by its name, such as mirrior"));
    for (size_t i = 0; i < ARRAY_LEN(chosen); i++) {
        *field = chosen[i];
        char *text = choice_wrong(&policy_fields[*field], input_text(&f->fields[*field]));
        if (text)
            return text;
    }
    *field = POLICY_HA_PARAMS;
    if (strcmp(mode, "exactly") == 0 && !is_count(params))
        return format_text(_("ha-params %s is no number of copies: for exactly write 1 or more, such as 2"),
                           *params ? params : "''");
    if (strcmp(mode, "nodes") == 0 && !params[strspn(params, ", ")])
        return xstrdup(_("ha-params is empty: for nodes write their names, such as node1,node2"));
    *field = POLICY_PATTERN;
    return pattern_wrong(input_text(&f->fields[POLICY_PATTERN]));
}

/* ---- what a node takes and may not be meant
 * ---------------------------------------------------------------------- */

/* As labctl has them: node1, or node1@host. */
static bool is_node(const struct snapshot *s, const char *name, size_t len)
{
    const char *host = memchr(name, '@', len);
    size_t own = host ? (size_t)(host - name) : len;
    for (size_t i = 0; i < s->nodes_len; i++)
        if (strlen(s->nodes[i].name) == own && strncmp(s->nodes[i].name, name, own) == 0)
            return true;
    return false;
}

/* "node7,node9": those of the list that the cluster does not have; NULL: it has all, or none is known yet.
 * The caller frees it. */
static char *strange_nodes(const struct snapshot *s, const char *typed)
{
    struct text strange = {0};
    while (s && *typed) {
        size_t len = strcspn(typed, ", ");
        if (len > 0 && !is_node(s, typed, len))
            text_printf(&strange, "%s%.*s", strange.len ? ", " : "", (int)len, typed);
        typed += len;
        typed += strspn(typed, ", ");
    }
    return strange.s;
}

/* RabbitMQ takes both without a word, and so do the kit's nodes. NULL: nothing; the caller frees it. */
static char *policy_doubt(const struct model *m, const struct form *f, int *field)
{
    bool named = strcmp(input_text(&f->fields[POLICY_HA_MODE]), "nodes") == 0;
    char *strange = named ? strange_nodes(m->snapshot, input_text(&f->fields[POLICY_HA_PARAMS])) : NULL;
    bool all = !*input_text(&f->fields[POLICY_PATTERN]);
    struct text t = {0};
    *field = all ? POLICY_PATTERN : POLICY_HA_PARAMS;
    if (all)
        text_printf(&t, "%s%s", _("An empty pattern matches every queue there is and will be."),
                    strange ? " " : "");
    if (strange)
        text_printf(&t, _("This cluster has no node called %s: no copy can go there."), strange);
    if (t.len)
        text_printf(&t, " %s", _("Enter once more sets it all the same."));
    free(strange);
    return t.s;
}

/* Asked once: Enter once more, with nothing in between, does it. */
static bool is_doubtful(struct model *m)
{
    struct form *f = &m->forms[m->form];
    int field = 0;
    f->wrong = m->form == FORM_POLICY ? policy_doubt(m, f, &field) : NULL;
    f->asked = f->wrong != NULL;
    if (!f->asked)
        return false;
    f->at = field;
    f->chosen = true;
    return true;
}

/* ---- what no node would take, of a publish
 * ----------------------------------------------------------------------- */

static char *publish_wrong(const struct form *f, int *field)
{
    const char *count = input_text(&f->fields[PUBLISH_COUNT]);
    *field = PUBLISH_QUEUE;
    if (!*input_text(&f->fields[PUBLISH_QUEUE]))
        return xstrdup(_("queue is empty: write the name of the queue to publish to, such as hello"));
    *field = PUBLISH_COUNT;
    if (!is_count(count))
        return format_text(_("count %s is no number of messages: write 1 or more"), *count ? count : "''");
    static const enum publish_field answers[] = {PUBLISH_PERSISTENT, PUBLISH_CONFIRM};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        const char *typed = input_text(&f->fields[answers[i]]);
        *field = answers[i];
        if (yes_or_no(&f->fields[answers[i]]) < 0)
            return format_text(_("%s %s is neither yes nor no: write one of them, or y, n"),
                               publish_fields[answers[i]].name, *typed ? typed : "''");
    }
    return NULL;
}

/* ---- and of a get
 * ------------------------------------------------------------------------------------------------- */

static char *get_wrong(const struct model *m, const struct form *f, int *field)
{
    const char *count = input_text(&f->fields[GET_COUNT]), *queue = input_text(&f->fields[GET_QUEUE]);
    *field = GET_QUEUE;
    if (!*queue)
        return xstrdup(_("queue is empty: write the name of the queue to take from, such as hello"));
    *field = GET_COUNT;
    if (strcmp(count, COUNT_ALL) == 0)
        return command_all_wrong(m, queue);
    if (!is_count(count))
        return format_text(_("count %s is no number of messages: write 1 or more, or all"),
                           *count ? count : "''");
    return NULL;
}

/* The field that is wrong is gone to, to be typed anew. */
static bool is_wrong(struct model *m)
{
    struct form *f = &m->forms[m->form];
    int field = 0;
    f->wrong = m->form == FORM_POLICY ? policy_wrong(f, &field)
               : m->form == FORM_GET  ? get_wrong(m, f, &field)
                                      : publish_wrong(f, &field);
    if (!f->wrong)
        return false;
    f->at = field;
    f->chosen = true;
    return true;
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------- */

/* the choice `by` places from the one that is there */
static void choose(struct input *in, const struct field *field, int by)
{
    int len = 0, at = 0;
    while (len < (int)ARRAY_LEN(field->choices) && field->choices[len])
        len++;
    for (int i = 0; i < len; i++)
        if (strcmp(field->choices[i], input_text(in)) == 0)
            at = i;
    input_set(in, field->choices[(at + by + len) % len]);
}

enum effect form_key(struct model *m, int key, struct command **run)
{
    struct form *f = &m->forms[m->form];
    const struct field *field = &kinds[m->form].fields[f->at];
    int len = kinds[m->form].len;
    bool asked = f->asked;
    enum ask ask = overlay_asks(overlay_where(m), key);
    free(f->wrong);
    f->wrong = NULL;
    f->asked = false;
    if (ask == ASK_CLOSE) {
        cancel(m);
    } else if (ask == ASK_ENTER && (is_wrong(m) || (!asked && is_doubtful(m)))) {
        return EFFECT_DRAW;
    } else if (ask == ASK_ENTER) {
        m->overlay = OVERLAY_NONE;
        *run = form_command(m);
        f->ran = f->waits = *run && m->form == FORM_POLICY;
        return *run ? EFFECT_RUN : EFFECT_DRAW;
    } else if (ask == ASK_FIELD || ask == ASK_FIELD_BEFORE) {
        f->at = (f->at + (ask == ASK_FIELD ? 1 : len - 1)) % len;
        f->chosen = true;
    } else if (ask == ASK_OTHER || ask == ASK_OTHER_BACK) {
        choose(&f->fields[f->at], field, ask == ASK_OTHER_BACK ? -1 : 1);
    } else {
        if (f->chosen && ask == ASK_NOTHING && key >= ' ' && key < KEY_NOTHING_)
            input_set(&f->fields[f->at], "");
        f->chosen = false;
        input_key(&f->fields[f->at], ask, key);
    }
    return EFFECT_DRAW;
}

/* ---- what a node does not take
 * ----------------------------------------------------------------------------------- */

void form_ran(struct model *m, const struct command *c)
{
    struct form *f = &m->forms[FORM_POLICY];
    f->runs = f->ran ? c : f->runs;
    f->ran = false;
}

void form_pressed(struct model *m)
{
    m->forms[FORM_POLICY].waits = false;
}

/* the field that is named first in it; none: the one that is typed in */
static int field_named(const struct form *f, const char *text)
{
    const char *first = NULL;
    int found = f->at;
    for (int i = 0; i < POLICY_FIELDS; i++) {
        const char *name = strstr(text, policy_fields[i].name);
        if (name && (!first || name < first)) {
            first = name;
            found = i;
        }
    }
    return found;
}

void form_ended(struct model *m, const struct command *c, int exit_code, const char *refused)
{
    struct form *f = &m->forms[FORM_POLICY];
    if (f->runs != c)
        return;
    f->runs = NULL;
    free(f->wrong);
    f->wrong = NULL;
    if (!exit_code && !refused)
        return;
    /* of what they say of a definition, that is the reason; what else was printed refused.c puts into words
     */
    bool own_words = c->last_line && strstr(text_str(&c->output), "Validation failed");
    f->wrong = own_words      ? one_line(c->last_line)
               : refused      ? one_line(refused)
               : c->last_line ? one_line(c->last_line)
                              : format_text(_("ended with exit code %d"), exit_code);
    if (!f->waits || m->overlay != OVERLAY_NONE)
        return;
    int at = field_named(f, f->wrong);
    form_open(m, FORM_POLICY);
    f->at = at;
}

/* ---- drawing
 * ---------------------------------------------------------------------------------------------------- */

/* The text with its cursor; what is left of it leaves first where it is too long. */
void draw_input(struct canvas *c, struct rect r, int x, int y, const struct input *in)
{
    const char *text = input_text(in);
    char *left = xstrndup(text, in->at);
    size_t from = 0, skip;
    while (text_columns(c, left + from) > r.width - x - 2 && left[from])
        from += text_break(c, left + from, 2, &skip);
    int at = canvas_put(c, r, x, y, STYLE_NORMAL, left + from);
    canvas_put(c, r, at, y, STYLE_NORMAL, text + in->at);
    bool end = !text[in->at];
    if (end)
        canvas_put(c, r, at, y, STYLE_SELECTED, "_");
    else
        canvas_restyle(c, (struct rect){r.x + at, r.y + y, 1, 1}, STYLE_SELECTED);
    free(left);
}

bool form_chooses(const struct model *m)
{
    return kinds[m->form].fields[m->forms[m->form].at].choices[0] != NULL;
}

/* the one that has room for all of it, rather than half of the other */
static void put_fitting(struct canvas *c, struct rect r, int y, const char *text, const char *brief)
{
    canvas_put(c, r, 0, y, STYLE_DIM, text_columns(c, text) > r.width ? brief : text);
}

void draw_form(const struct model *m, struct canvas *c)
{
    const struct form *f = &m->forms[m->form];
    int len = kinds[m->form].len;
    struct rect r = draw_box(c, 76, len + 7, _(kinds[m->form].title));
    struct command *command = form_command(m);
    put_fitting(c, r, 0, _(kinds[m->form].about), _(kinds[m->form].brief));
    for (int i = 0; i < len; i++) {
        const struct field *field = &kinds[m->form].fields[i];
        bool here = i == f->at;
        canvas_printf(c, r, 0, 1 + i, here ? STYLE_STRONG : STYLE_NORMAL, "%s %-13s", here ? ">" : " ",
                      field->name);
        if (here)
            draw_input(c, r, 16, 1 + i, &f->fields[i]);
        if (here && f->chosen)
            canvas_restyle(
                c, (struct rect){r.x + 16, r.y + 1 + i, text_columns(c, input_text(&f->fields[i])), 1},
                STYLE_SELECTED);
        if (!here)
            canvas_put(c, r, 16, 1 + i, STYLE_NORMAL, input_text(&f->fields[i]));
        if (here && field->choices[0])
            canvas_put_right(c, r, 0, 1 + i, STYLE_DIM, _("left, right: another"));
    }
    if (f->wrong) {
        draw_paragraph(c, rect_rows(r, len + 1, 3), 0, 0, STYLE_DOWN, f->wrong);
    } else if (command) {
        char *text = format_text("$ %s", command->text);
        draw_paragraph(c, rect_rows(r, len + 1, 3), 0, 0, STYLE_NORMAL, text);
        free(text);
    }
    put_fitting(c, r, len + 4, _("Enter: do it   up, down: field   Ctrl-U: empty it   Esc: cancel"),
                _("Enter: do it   Esc: cancel"));
    command_destroy(command);
}
