/* keys.c: the tables of keys.h as data. */
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

#define X(key, bar, help) {key, bar, help},
const struct compare_key compare_keys[] = {COMPARE_KEY_TABLE(X)};
#undef X
const size_t compare_keys_len = ARRAY_LEN(compare_keys);

bool key_in_compare(int key)
{
    for (size_t i = 0; i < compare_keys_len; i++)
        if (compare_keys[i].key == key)
            return true;
    return false;
}
