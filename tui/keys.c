/* keys.c: the table of keys.h as data. */
#include "keys.h"

#define X(key, request, name, bar, help, acts) {key, request, name, bar, help, acts},
const struct key_entry key_table[] = {KEY_TABLE(X)};
#undef X
const size_t key_table_len = ARRAY_LEN(key_table);

const struct key_entry *key_find(int key)
{
    for (size_t i = 0; i < key_table_len; i++)
        if (key_table[i].key == key)
            return &key_table[i];
    return NULL;
}

const char *key_in_compare(const struct key_entry *k)
{
    switch ((int)k->request) {
    case REQUEST_LATER: return N_("the next step, on both sides");
    case REQUEST_EARLIER: return N_("the step before, on both sides");
    case REQUEST_SEEK_BACK: return N_("to the beginning");
    case REQUEST_SEEK_ON: return N_("to the end");
    case REQUEST_PAUSE: return N_("play; again: stop");
    case REQUEST_QUIT: return N_("leave");
    case REQUEST_HELP:
    case REQUEST_WRITE:
    case REQUEST_REDRAW: return k->help;
    default: return NULL;
    }
}
