/* policy.c: the policy form: see policy.h. What is typed goes to labctl as it is; whether it is a good policy
 * is for the nodes to say, in their own words. */
#include "policy.h"

#include <stdlib.h>

#include "commands.h"

#define FIELD_MAX LIMIT_NAME

const char *policy_field_name(enum policy_field field)
{
    switch (field) {
    case POLICY_NAME: return "name";
    case POLICY_PATTERN: return "pattern";
    case POLICY_HA_MODE: return "ha-mode";
    case POLICY_HA_PARAMS: return "ha-params";
    case POLICY_SYNC_MODE: return "ha-sync-mode";
    case POLICY_FIELDS: break;
    }
    return "?";
}

void policy_form_reset(struct model *m)
{
    static const char *const values[POLICY_FIELDS] = {"mirror", "^mirrior", "exactly", "2", "automatic"};
    for (size_t i = 0; i < POLICY_FIELDS; i++) {
        text_clear(&m->policy[i]);
        text_add(&m->policy[i], values[i]);
    }
    m->policy_at = 0;
}

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

char *model_policy_definition(const struct model *m)
{
    json_t *definition = json_object();
    if (m->policy[POLICY_HA_MODE].len)
        json_object_set_new(definition, "ha-mode", json_string(text_str(&m->policy[POLICY_HA_MODE])));
    if (m->policy[POLICY_HA_PARAMS].len)
        json_object_set_new(definition, "ha-params", params_json(text_str(&m->policy[POLICY_HA_PARAMS])));
    if (m->policy[POLICY_SYNC_MODE].len)
        json_object_set_new(definition, "ha-sync-mode", json_string(text_str(&m->policy[POLICY_SYNC_MODE])));
    char *text = json_dumps(definition, JSON_COMPACT);
    json_decref(definition);
    return text;
}

struct command *policy_form_command(const struct model *m)
{
    char *definition = model_policy_definition(m);
    const char *node = NULL; /* any node that runs will do; the selected one if it does */
    for (size_t i = 0; m->snapshot && i < m->snapshot->nodes_len; i++)
        if (m->snapshot->nodes[i].state == NODE_UP && (!node || (int)i == m->node))
            node = m->snapshot->nodes[i].name;
    const char *words[] = {"labctl",
                           "-n",
                           node ? node : "node1",
                           "set_policy",
                           text_str(&m->policy[POLICY_NAME]),
                           text_str(&m->policy[POLICY_PATTERN]),
                           definition,
                           NULL};
    struct command *c = command_of(words, COMMAND_OF_KEY);
    free(definition);
    return c;
}

static void erase_character(struct text *t)
{
    while (t->len > 0 && ((unsigned char)t->s[t->len - 1] & 0xc0) == 0x80)
        t->len--;
    t->len -= t->len > 0;
    if (t->s)
        t->s[t->len] = '\0';
}

static void type_character(struct text *t, int key)
{
    uint32_t ch = (uint32_t)key;
    if (ch < 0x20 || ch == 0x7f || ch > 0x10ffff || t->len + 4 > FIELD_MAX)
        return;
    if (ch < 0x80)
        text_printf(t, "%c", (int)ch);
    else if (ch < 0x800)
        text_printf(t, "%c%c", (int)(0xc0 | ch >> 6), (int)(0x80 | (ch & 0x3f)));
    else if (ch < 0x10000)
        text_printf(t, "%c%c%c", (int)(0xe0 | ch >> 12), (int)(0x80 | (ch >> 6 & 0x3f)),
                    (int)(0x80 | (ch & 0x3f)));
    else
        text_printf(t, "%c%c%c%c", (int)(0xf0 | ch >> 18), (int)(0x80 | (ch >> 12 & 0x3f)),
                    (int)(0x80 | (ch >> 6 & 0x3f)), (int)(0x80 | (ch & 0x3f)));
}

enum effect policy_form_key(struct model *m, int key, struct command **run)
{
    struct text *field = &m->policy[m->policy_at];
    if (key == KEY_ESCAPE) {
        m->overlay = OVERLAY_NONE;
    } else if (key == KEY_RETURN) {
        m->overlay = OVERLAY_NONE;
        *run = policy_form_command(m);
        return EFFECT_RUN;
    } else if (key == KEY_ARROW_UP || key == KEY_BACK_TAB) {
        m->policy_at = (m->policy_at + POLICY_FIELDS - 1) % POLICY_FIELDS;
    } else if (key == KEY_ARROW_DOWN || key == KEY_TAB) {
        m->policy_at = (m->policy_at + 1) % POLICY_FIELDS;
    } else if (key == KEY_ERASE || key == 0x7f || key == 0x08) {
        erase_character(field);
    } else if (key == 0x15) { /* Ctrl-U */
        text_clear(field);
    } else {
        type_character(field, key);
    }
    return EFFECT_DRAW;
}
