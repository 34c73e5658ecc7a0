/* ledger_copy.c: all that a ledger knows, once more (checkpoint.h). */
#include "checkpoint.h"

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* a list of plain values: what it points to is the caller's to copy */
#define COPY_LIST(to, from)                                                                                  \
    do {                                                                                                     \
        (to)->items = NULL;                                                                                  \
        (to)->len = (to)->cap = 0;                                                                           \
        if ((from)->len) {                                                                                   \
            VEC_RESERVE(to, (from)->len);                                                                    \
            memcpy((to)->items, (from)->items, (from)->len * sizeof(*(to)->items));                          \
            (to)->len = (from)->len;                                                                         \
        }                                                                                                    \
    } while (0)

void ledger_copy(struct ledger *to, const struct ledger *from)
{
    *to = *from;
    COPY_LIST(&to->keepings, &from->keepings);
    COPY_LIST(&to->losses, &from->losses);
    COPY_LIST(&to->receipts, &from->receipts);
    COPY_LIST(&to->taken, &from->taken);
    COPY_LIST(&to->absences, &from->absences);
    COPY_LIST(&to->numbers, &from->numbers);
    COPY_LIST(&to->facts, &from->facts);
    COPY_LIST(&to->pending, &from->pending);
    COPY_LIST(&to->names, &from->names);
    COPY_LIST(&to->fates, &from->fates);
    COPY_LIST(&to->missing, &from->missing);
    for (size_t i = 0; i < to->receipts.len; i++)
        to->receipts.items[i].queue = copy_text(from->receipts.items[i].queue);
    for (size_t i = 0; i < to->taken.len; i++)
        to->taken.items[i].queue = copy_text(from->taken.items[i].queue);
    for (size_t i = 0; i < to->names.len; i++)
        to->names.items[i].name = copy_text(from->names.items[i].name);
    to->wanted = copy_text(from->wanted);
    to->queue = copy_text(from->queue);
    for (size_t i = 0; i < LIMIT_NODES; i++) {
        struct last_copy *c = &to->copies[i];
        const struct held_range *held = c->held;
        c->held = c->held_len ? xcalloc(c->held_len, sizeof(*held)) : NULL;
        if (c->held_len)
            memcpy(c->held, held, c->held_len * sizeof(*held));
    }
}
