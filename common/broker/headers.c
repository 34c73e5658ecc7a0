/* headers.c: the headers exchange: a binding's arguments against a message's headers (AMQP 3.1.3.4). x-match
 * says whether all (the default) or any must be there; keys that begin with x- do not count unless it says
 * all-with-x or any-with-x. A binding's void value wants the header to be there, whatever it is. */
#include "broker/private.h"

#include "base/ban.h"

/* Of a binding's arguments, as canonical JSON: text NULL if its x-match can be. */
struct failure headers_refuse(const char *arguments)
{
    static const char *const modes[] = {"all", "any", "all-with-x", "any-with-x"};
    json_t *table = json_loads(arguments, 0, NULL);
    const json_t *mode = json_object_get(table, "x-match");
    bool good = !mode;
    for (size_t i = 0; i < ARRAY_LEN(modes) && json_is_string(mode) && !good; i++)
        good = strcmp(json_string_value(mode), modes[i]) == 0;
    struct failure f = {0};
    if (!good && json_is_string(mode)) {
        f = failure_of(REPLY_PRECONDITION_FAILED,
                       "Invalid x-match field value <<\"%s\">>; expected all, any, all-with-x, or any-with-x",
                       json_string_value(mode));
    } else if (!good) {
        struct text value = {0};
        argument_say(&value, mode);
        f = failure_of(REPLY_PRECONDITION_FAILED,
                       "Invalid x-match field type %s (value %s); expected longstr", argument_type(mode),
                       text_str(&value));
        text_finish(&value);
    }
    json_decref(table);
    return f;
}

bool headers_match(const json_t *arguments, const json_t *headers)
{
    const char *mode = json_string_value(json_object_get(arguments, "x-match"));
    if (!mode)
        mode = "all";
    bool any = strncmp(mode, "any", 3) == 0;
    bool with_x = strcmp(mode, "all-with-x") == 0 || strcmp(mode, "any-with-x") == 0;
    const char *key;
    json_t *want;
    /* jansson's walk takes a mutable pointer and changes nothing */
    json_object_foreach((json_t *)(uintptr_t)arguments, key, want)
    {
        if (strcmp(key, "x-match") == 0 || (!with_x && strncmp(key, "x-", 2) == 0))
            continue;
        const json_t *have = json_object_get(headers, key);
        bool same = have && (json_is_null(want) || json_equal(have, want));
        if (same && any)
            return true;
        if (!same && !any)
            return false;
    }
    return !any;
}
