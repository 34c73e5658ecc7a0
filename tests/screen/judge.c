/* judge.c: see judge.h. */
#include "tests/screen/judge.h"

#include "tests/screen/support.h"

void look(struct ledger *l, struct story *t)
{
    struct snapshot *s = story_look(t);
    ledger_observe(l, s);
    snapshot_destroy(s);
}

struct fate fate_of(const struct ledger *l, uint64_t id)
{
    const struct fate_range *f = ledger_fate(l, id);
    return f ? f->fate : (struct fate){.verdict = VERDICT_UNKNOWN, .word = FATE_UNKNOWN};
}

void assert_fate(const struct ledger *l, uint64_t id, enum verdict verdict, enum fate_word word)
{
    struct fate f = fate_of(l, id);
    assert_int_equal(f.verdict, verdict);
    assert_int_equal(f.word, word);
}

char *life_text(const struct ledger *l, struct story *t, uint64_t id)
{
    struct life life;
    struct text out = {0};
    text_add(&out, "");
    ledger_life(l, t->s, id, &life);
    for (size_t i = 0; i < life.moments.len; i++) {
        const struct moment *m = &life.moments.items[i];
        text_printf(&out, "%s%s%s %d", i ? ", " : "", m->kind == MOMENT_INFERRED ? "~" : "", m->label,
                    m->from);
        if (m->to != PARTY_NOBODY)
            text_printf(&out, ">%d", m->to);
        if (m->memory)
            text_add(&out, " MEMORY");
        if (m->bad)
            text_add(&out, " LOST");
    }
    life_finish(&life);
    return out.s;
}

void assert_life(const struct ledger *l, struct story *t, uint64_t id, const char *expected)
{
    char *text = life_text(l, t, id);
    assert_string_equal(text, expected);
    free(text);
}

void ten(struct story *t)
{
    story_begin(t, 3, "q");
    story_fact(t, TRACE_SEEN_ACCEPTED, 0, 0, 1, 10)->incarnation = 5;
    story_published(t, 0, 0, 10, 0, 9);
    story_copied(t, 1, 0, 400, 0, 9);
    story_fact(t, TRACE_SEEN_CONFIRMED, 0, 1100, 1, 10)->incarnation = 5;
    story_holds(t, 0, 'M', 0, 9);
    story_holds(t, 1, 'm', 0, 9);
    story_holds(t, 2, '.', 1, 0);
}
