/* sched_client.c: the lines that say who publishes and who consumes. One table says what may stand in them,
 * and both the reader and the writer go by it: what is written is what is read. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/sched_private.h"
#include "base/text.h"

#include "base/ban.h"

static const char *const kinds[SCHED_CLIENT_COUNT_] = {"publisher", "consumer", "getter", "owner"};

/* for whom: bit i is kinds[i] */
enum { PUBLISHES = 1, CONSUMES = 2, GETS = 4, OWNS = 8 };

static const struct setting {
    const char *word, *unit; /* NULL: it stands alone */
    uint64_t high;
    size_t at; /* in struct sched_client: an uint32_t, or a bool */
    unsigned whose;
} settings[] = {
#define AT(member) offsetof(struct sched_client, member)
    {"every", "us", 10000000, AT(every_us), PUBLISHES | CONSUMES | GETS | OWNS},
    {"messages", "", 1000000, AT(messages), PUBLISHES},
    {"persistent", "%", 100, AT(persistent_percent), PUBLISHES},
    {"durable", NULL, 1, AT(durable), OWNS},
    {"prefetch", "", 65535, AT(prefetch), CONSUMES},
    {"no-ack", NULL, 1, AT(no_ack), CONSUMES | GETS},
    {"cancel-on-failover", NULL, 1, AT(cancel_on_failover), CONSUMES},
    {"settles", "us", 10000000, AT(settle_us), CONSUMES | GETS},
    {"requeues", "%", 100, AT(requeue_percent), CONSUMES | GETS},
    {"rejects", "%", 100, AT(discard_percent), CONSUMES | GETS},
    {"leaves", "%", 100, AT(leave_percent), CONSUMES},
#undef AT
};

const char *sched_client_word(enum sched_client_kind kind)
{
    return kinds[kind];
}

bool sched_client_named(const char *word, enum sched_client_kind *kind)
{
    for (unsigned i = 0; i < SCHED_CLIENT_COUNT_; i++)
        if (strcmp(word, kinds[i]) == 0) {
            *kind = (enum sched_client_kind)i;
            return true;
        }
    return false;
}

bool sched_to_amount(const char *word, const char *unit, uint64_t high, uint64_t *out)
{
    size_t len = strlen(word), unit_len = strlen(unit);
    if (len <= unit_len || len - unit_len > 15 || strcmp(word + len - unit_len, unit) != 0)
        return false;
    char digits[16] = "";
    memcpy(digits, word, len - unit_len);
    return sched_to_number(digits, high, out);
}

static int unknown(struct line *l, enum sched_client_kind kind)
{
    struct text t = {0};
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (settings[i].whose & 1u << kind)
            text_printf(&t, "%s%s%s%s", t.len ? ", " : "", settings[i].word, settings[i].unit ? " N" : "",
                        settings[i].unit ? settings[i].unit : "");
    int err = sched_wrong(l, "%s: '%s' is no word of it; there is %s", kinds[kind], l->word, text_str(&t));
    text_finish(&t);
    return err;
}

static int read_setting(struct line *l, struct sched_client *c)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        uint64_t value;
        char *to = (char *)c + s->at;
        if (!(s->whose & 1u << c->kind) || strcmp(l->word, s->word) != 0)
            continue;
        if (!s->unit) {
            *(bool *)to = true;
            return 0;
        }
        sched_next_word(l);
        if (!sched_to_amount(l->word, s->unit, s->high, &value))
            return sched_wrong(l, "%s '%s': write a number from 0 to %llu%s", s->word, l->word,
                               (unsigned long long)s->high, s->unit);
        *(uint32_t *)(void *)to = (uint32_t)value;
        return 0;
    }
    return unknown(l, c->kind);
}

int sched_client_read(struct line *l, enum sched_client_kind kind, struct sched_client *out)
{
    struct sched_client c = {.line = l->number, .kind = kind};
    uint64_t number = 0;
    if (!sched_next_word(l) || !sched_to_number(l->word, SCHED_CLIENTS, &number) || number == 0)
        return sched_wrong(l, "%s '%s': write a number from 1 to %d, then its queue", kinds[kind], l->word,
                           SCHED_CLIENTS);
    c.number = (unsigned)number;
    if (!sched_next_word(l))
        return sched_wrong(l, "%s %u: write its queue behind it", kinds[kind], c.number);
    c.queue = sched_take_word(l);
    int err = 0;
    while (!err && sched_next_word(l))
        err = read_setting(l, &c);
    if (!err && c.every_us == 0)
        err = sched_wrong(l, "%s %u: write how often it does something, such as every 5000us", kinds[kind],
                          c.number);
    if (err)
        free(c.queue);
    else
        *out = c;
    return err;
}

void sched_client_write(struct text *t, const struct sched_client *c)
{
    text_printf(t, "%s %u %s", kinds[c->kind], c->number, c->queue);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        const char *from = (const char *)c + s->at;
        if (!(s->whose & 1u << c->kind))
            continue;
        if (!s->unit && *(const bool *)from)
            text_printf(t, " %s", s->word);
        uint32_t value = s->unit ? *(const uint32_t *)(const void *)from : 0;
        if (value)
            text_printf(t, " %s %u%s", s->word, value, s->unit);
    }
    text_add(t, "\n");
}
