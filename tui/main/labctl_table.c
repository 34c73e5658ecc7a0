/* labctl_table.c: rows as rabbitmqctl prints them: columns between tabs under a line of names, or JSON, or
 * CSV. */
#include <string.h>

#include "main/labctl.h"

bool ctl_formatter(struct ctl *c, const char *name)
{
    return strcmp(ctl_option(&c->line, "formatter", "table"), name) == 0;
}

static const json_t *value_at(const json_t *row, const char *path)
{
    while (row && path) {
        size_t len = strcspn(path, ".");
        char *name = xstrndup(path, len);
        row = json_object_get(row, name);
        free(name);
        path = path[len] ? path + len + 1 : NULL;
    }
    return row;
}

/* ---- cells as text ---- */

static void add_scalar(struct text *out, const json_t *v)
{
    if (json_is_string(v)) {
        text_add(out, json_string_value(v));
    } else if (json_is_boolean(v)) {
        text_add(out, json_is_true(v) ? "true" : "false");
    } else if (json_is_integer(v)) {
        text_printf(out, "%lld", (long long)json_integer_value(v));
    } else if (json_is_real(v)) {
        text_printf(out, "%g", json_real_value(v));
    } else if (v && !json_is_null(v)) {
        char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
        text_add(out, text);
        free(text);
    }
}

/* A text as an Erlang term; an empty one is an empty list there. */
static void add_term_text(struct text *out, const char *s)
{
    static const char plain[] = "\"\\\n\t\r", named[] = "\"\\ntr";
    if (!*s) {
        text_add(out, "[]");
        return;
    }
    text_add(out, "\"");
    for (; *s; s++) {
        const char *special = strchr(plain, *s);
        if (special)
            text_printf(out, "\\%c", named[special - plain]);
        else
            text_add_bytes(out, s, 1);
    }
    text_add(out, "\"");
}

/* [{"x-max-length",5},{"x-overflow","drop-head"}], and so what is in it */
static void add_term(struct text *out, const json_t *v)
{
    const char *name;
    const json_t *inner;
    size_t i = 0;
    if (json_is_string(v)) {
        add_term_text(out, json_string_value(v));
        return;
    }
    if (json_is_real(v)) { /* 2.0 is no 2 */
        char *real = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        text_add(out, real);
        free(real);
        return;
    }
    if (!json_is_array(v) && !json_is_object(v)) {
        add_scalar(out, v);
        return;
    }
    text_add(out, "[");
    if (json_is_array(v)) {
        json_array_foreach(v, i, inner)
        {
            text_add(out, i ? "," : "");
            add_term(out, inner);
        }
    } else {
        json_object_foreach((json_t *)(uintptr_t)v, name, inner)
        {
            text_add(out, i++ ? ",{" : "{");
            add_term_text(out, name);
            text_add(out, ",");
            add_term(out, inner);
            text_add(out, "}");
        }
    }
    text_add(out, "]");
}

static const char *amqp_type(const json_t *v)
{
    return json_is_string(v)    ? "longstr"
           : json_is_boolean(v) ? "bool"
           : json_is_integer(v) ? "long"
           : json_is_real(v)    ? "double"
           : json_is_array(v)   ? "array"
                                : "table";
}

/* For --formatter json: [["x-max-length","long",5],["x-overflow","longstr","drop-head"]] */
static json_t *typed_arguments(json_t *arguments)
{
    json_t *list = json_array(), *v;
    const char *name;
    json_object_foreach(arguments, name, v)
    {
        json_t *value = json_is_object(v) ? typed_arguments(v) : json_incref(v);
        json_array_append_new(list, json_pack("[s, s, o]", name, amqp_type(v), value));
    }
    return list;
}

static void add_list(struct text *out, const json_t *list)
{
    if (!json_is_array(list)) {
        add_scalar(out, list);
        return;
    }
    text_add(out, "[");
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_add(out, i ? ", " : "");
        add_scalar(out, json_array_get(list, i));
    }
    text_add(out, "]");
}

static void add_state(struct text *out, const json_t *row, const json_t *state)
{
    const json_t *copied = json_object_get(row, "sync_messages");
    const char *name = json_string_value(state);
    if (copied && name && strcmp(name, "syncing") == 0)
        text_printf(out, "{syncing, %lld}", (long long)json_integer_value(copied));
    else
        add_scalar(out, state);
}

static void add_cell(struct text *out, const json_t *row, const struct ctl_column *column)
{
    const json_t *v = column->path ? value_at(row, column->path) : NULL;
    switch (column->cell) {
    case CELL_PLAIN:
    case CELL_JSON: add_scalar(out, v); break;
    case CELL_ARGUMENTS:
        if (json_object_size(v))
            add_term(out, v);
        else
            text_add(out, "[]");
        break;
    case CELL_TAGS:
    case CELL_TERMS: add_list(out, v); break;
    case CELL_STATE: add_state(out, row, v); break;
    }
}

/* The same for --formatter json: what has a JSON form keeps it, what is a term is text, what is unknown is
 * "". */
static json_t *json_cell(const json_t *row, const struct ctl_column *column)
{
    json_t *v = column->path ? (json_t *)(uintptr_t)value_at(row, column->path) : NULL;
    bool as_is = json_is_string(v) || json_is_number(v) || json_is_boolean(v) || json_is_array(v);
    if (column->cell == CELL_ARGUMENTS)
        return typed_arguments(v);
    if (as_is && column->cell != CELL_STATE)
        return json_incref(v);
    struct text text = {0};
    add_cell(&text, row, column);
    json_t *cell = json_string(text_str(&text));
    text_finish(&text);
    return cell;
}

/* ---- tables ---- */

static const struct ctl_column *find_column(const struct ctl_column *columns, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++) {
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    }
    return NULL;
}

static void print_json(struct ctl *c, const json_t *rows, const struct ctl_column *columns, size_t len,
                       const char *const *wanted, size_t wanted_len)
{
    fprintf(c->out, "[");
    for (size_t r = 0; r < json_array_size(rows); r++) {
        json_t *object = json_object();
        for (size_t i = 0; i < wanted_len; i++)
            json_object_set_new(object, wanted[i],
                                json_cell(json_array_get(rows, r), find_column(columns, len, wanted[i])));
        char *text = json_dumps(object, JSON_COMPACT);
        fprintf(c->out, "\n%s%s", r ? "," : "", text);
        free(text);
        json_decref(object);
    }
    fprintf(c->out, "\n]\n");
}

/* CSV quotes every field; a quote inside is doubled. */
static void print_field(struct ctl *c, const char *text, bool csv, bool first)
{
    if (!csv) {
        fprintf(c->out, "%s%s", first ? "" : "\t", text);
        return;
    }
    fprintf(c->out, "%s\"", first ? "" : ",");
    for (; *text; text++)
        fprintf(c->out, *text == '"' ? "\"\"" : "%c", *text);
    fprintf(c->out, "\"");
}

static void print_rows(struct ctl *c, const json_t *rows, const struct ctl_column *columns, size_t len,
                       const char *const *wanted, size_t wanted_len, bool csv)
{
    bool headers = !ctl_option_on(&c->line, "no-table-headers") && !ctl_option_on(&c->line, "silent");
    if (headers && json_array_size(rows)) {
        for (size_t i = 0; i < wanted_len; i++)
            print_field(c, wanted[i], csv, i == 0);
        fprintf(c->out, "\n");
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t i = 0; i < wanted_len; i++) {
            struct text cell = {0};
            add_cell(&cell, json_array_get(rows, r), find_column(columns, len, wanted[i]));
            print_field(c, text_str(&cell), csv, i == 0);
            text_finish(&cell);
        }
        fprintf(c->out, "\n");
    }
}

int ctl_print_table(struct ctl *c, const json_t *rows, const struct ctl_column *columns, size_t columns_len,
                    const char *const *wanted, size_t wanted_len)
{
    if (ctl_formatter(c, "json"))
        print_json(c, rows, columns, columns_len, wanted, wanted_len);
    else
        print_rows(c, rows, columns, columns_len, wanted, wanted_len, ctl_formatter(c, "csv"));
    return CTL_OK;
}
