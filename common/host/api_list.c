/* api_list.c: how lists are asked for: ?sort=messages_ready&sort_reverse=true,
 * ?columns=name,message_stats.publish, ?page=1&page_size=100&name=hello&use_regex=false. As RabbitMQ's
 * management API does it. */
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "host/api_private.h"

/* ---- columns ---- */

static void copy_column(const json_t *from, json_t *to, const char *path);

/* a column of each of a list's objects: "cluster_links.name" */
static void copy_column_of_list(const json_t *from, json_t *to, const char *name, const char *path)
{
    json_t *list = json_object_get(to, name), *item;
    size_t i;
    if (!list) {
        list = json_array();
        json_object_set_new(to, name, list);
    }
    json_array_foreach(from, i, item)
    {
        if (i == json_array_size(list)) /* another column may have been there before */
            json_array_append_new(list, json_is_object(item) ? json_object() : json_incref(item));
        if (json_is_object(item))
            copy_column(item, json_array_get(list, i), path);
    }
}

/* Copies the value at a path of names ("message_stats.publish") from one object to another, making the
 * objects on the way. */
static void copy_column(const json_t *from, json_t *to, const char *path)
{
    const char *dot = strchr(path, '.');
    char *name = dot ? xstrndup(path, (size_t)(dot - path)) : xstrdup(path);
    json_t *value = json_object_get(from, name);
    if (value && !dot) {
        json_object_set(to, name, value);
    } else if (json_is_object(value)) {
        json_t *inner = json_object_get(to, name);
        if (!inner) {
            inner = json_object();
            json_object_set_new(to, name, inner);
        }
        copy_column(value, inner, dot + 1);
    } else if (json_is_array(value)) {
        copy_column_of_list(value, to, name, dot + 1);
    }
    free(name);
}

static json_t *only_columns(json_t *object, const char *columns)
{
    json_t *out = json_object();
    while (*columns) {
        size_t len = strcspn(columns, ",");
        char *path = xstrndup(columns, len);
        copy_column(object, out, path);
        free(path);
        columns += len + (columns[len] == ',');
    }
    json_decref(object);
    return out;
}

json_t *object_view(struct api_call *c, json_t *object)
{
    const char *columns = call_param(c, "columns");
    return columns && json_is_object(object) ? only_columns(object, columns) : object;
}

/* ---- sorting ---- */

struct sorted {
    json_t *item;
    const json_t *key;
    size_t place; /* equal ones stay in order */
};

static const json_t *value_at(const json_t *object, const char *path)
{
    while (object) {
        size_t len = strcspn(path, ".");
        char *name = xstrndup(path, len);
        object = json_object_get(object, name);
        free(name);
        if (!path[len])
            return object;
        path += len + 1;
    }
    return NULL;
}

static int compare_values(const json_t *a, const json_t *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return (x > y) - (x < y);
    }
    if (json_is_string(a) && json_is_string(b))
        return strcmp(json_string_value(a), json_string_value(b));
    return (int)json_typeof(a) - (int)json_typeof(b);
}

static int compare_sorted(const void *left, const void *right)
{
    const struct sorted *a = left, *b = right;
    int order = compare_values(a->key, b->key);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static json_t *sorted_list(json_t *list, const char *path, bool reverse)
{
    size_t len = json_array_size(list);
    struct sorted *items = xcalloc(len ? len : 1, sizeof(*items));
    for (size_t i = 0; i < len; i++) {
        json_t *item = json_array_get(list, i);
        items[i] = (struct sorted){json_incref(item), value_at(item, path), i};
    }
    qsort(items, len, sizeof(*items), compare_sorted);
    json_t *out = json_array();
    for (size_t i = 0; i < len; i++)
        json_array_append_new(out, items[reverse ? len - 1 - i : i].item);
    free(items);
    json_decref(list);
    return out;
}

/* ---- filtering and paging ---- */

static bool name_fits(const json_t *item, const char *name, const pcre2_code *pattern)
{
    const char *its = json_string_value(json_object_get(item, "name"));
    if (!its)
        return false;
    if (!pattern)
        return strcasestr(its, name) != NULL;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern, NULL);
    int found = pcre2_match(pattern, (PCRE2_SPTR)its, strlen(its), 0, 0, data, NULL);
    pcre2_match_data_free(data);
    return found >= 0;
}

/* false: use_regex was asked and name is not one */
static bool filter_list(struct api_call *c, json_t *list, json_t **out)
{
    const char *name = call_param(c, "name");
    pcre2_code *pattern = NULL;
    if (!name || !*name) {
        *out = json_incref(list);
        return true;
    }
    if (call_param_on(c, "use_regex")) {
        int error;
        PCRE2_SIZE where;
        pattern =
            pcre2_compile((PCRE2_SPTR)name, strlen(name), PCRE2_UTF | PCRE2_CASELESS, &error, &where, NULL);
        if (!pattern)
            return false;
    }
    *out = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        if (name_fits(item, name, pattern))
            json_array_append(*out, item);
    }
    pcre2_code_free(pattern);
    return true;
}

/* A positive number of at most six digits, or -1. */
static long page_number(const char *text, long otherwise)
{
    if (!text)
        return otherwise;
    size_t len = strlen(text);
    if (len == 0 || len > 6 || strspn(text, "0123456789") != len)
        return -1;
    long n = atol(text);
    return n > 0 ? n : -1;
}

static json_t *page_of(struct api_call *c, json_t *list, size_t total)
{
    long page = page_number(call_param(c, "page"), -1);
    long size = page_number(call_param(c, "page_size"), 100);
    size_t len = json_array_size(list);
    if (page < 1 || size < 1 || size > 500) {
        json_decref(list);
        call_bad(c, "Pagination parameters are invalid");
        return NULL;
    }
    size_t pages = (len + (size_t)size - 1) / (size_t)size;
    if (page > 1 && (size_t)page > pages) {
        json_decref(list);
        char *reason = format_text("Page out of range, page: %ld page size: %ld, len: %zu", page, size, len);
        call_answer(c, 400, api_error("page_out_of_range", reason));
        free(reason);
        return NULL;
    }
    json_t *items = json_array();
    for (size_t i = (size_t)(page - 1) * (size_t)size; i < len && json_array_size(items) < (size_t)size; i++)
        json_array_append(items, json_array_get(list, i));
    json_decref(list);
    const struct json_field fields[] = {
        {"filtered_count", NUMBER(len)},
        {"item_count", NUMBER(json_array_size(items))},
        {"items", items},
        {"page", NUMBER(page)},
        {"page_count", NUMBER(pages ? pages : 1)},
        {"page_size", NUMBER(size)},
        {"total_count", NUMBER(total)},
    };
    return OBJECT_OF(fields);
}

static void columns_of(struct api_call *c, json_t *list)
{
    const char *columns = call_param(c, "columns");
    for (size_t i = 0; columns && i < json_array_size(list); i++) {
        json_t *item = json_incref(json_array_get(list, i));
        json_array_set_new(list, i, json_is_object(item) ? only_columns(item, columns) : item);
    }
}

json_t *list_view(struct api_call *c, json_t *list)
{
    const char *sort = call_param(c, "sort");
    if (sort && *sort)
        list = sorted_list(list, sort, call_param_on(c, "sort_reverse"));
    if (!call_param(c, "page")) {
        columns_of(c, list);
        return list;
    }
    size_t total = json_array_size(list);
    json_t *filtered;
    if (!filter_list(c, list, &filtered)) {
        json_decref(list);
        call_bad(c, "Pagination parameters are invalid");
        return NULL;
    }
    json_decref(list);
    json_t *answer = page_of(c, filtered, total);
    if (answer)
        columns_of(c, json_object_get(answer, "items"));
    return answer;
}
