/* overlay_keys.c: the table of overlay_keys.h as data. */
#include "overlay_keys.h"

#define X(where, key, ask, name, bar, help) {where, key, ask, name, bar, help},
const struct overlay_key overlay_keys[] = {OVERLAY_KEY_TABLE(X)};
#undef X
const size_t overlay_keys_len = ARRAY_LEN(overlay_keys);

const struct overlay_part overlay_parts[] = {
    {OVER_CONFIRM, N_("In a question")},
    {OVER_FORM | OVER_CHOICE, N_("In a form")},
    {OVER_COMMAND, N_("Behind :")},
    {OVER_FILTER, N_("Behind /")},
    {OVER_TYPED, N_("In a line that is typed")},
    {OVER_PAGER, N_("In a page of text")},
    {OVER_HELP, N_("In the list of keys")},
};
const size_t overlay_parts_len = ARRAY_LEN(overlay_parts);

const struct overlay_key *overlay_key_find(unsigned where, int key)
{
    int sought = key == 0x7f ? KEY_ERASE : key; /* some terminals send that */
    for (size_t i = 0; i < overlay_keys_len; i++)
        if ((overlay_keys[i].where & where) && overlay_keys[i].key == sought)
            return &overlay_keys[i];
    return NULL;
}

enum ask overlay_asks(unsigned where, int key)
{
    const struct overlay_key *k = overlay_key_find(where, key);
    return k ? k->ask : ASK_NOTHING;
}

bool overlay_part_has(const struct overlay_part *part, const struct overlay_key *k)
{
    bool typed = k->where == OVER_TYPED;
    return typed ? part->where == OVER_TYPED : part->where != OVER_TYPED && (part->where & k->where);
}
