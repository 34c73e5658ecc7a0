/* sched_private.h: a line of a schedule while it is read (sched.c, sched_client.c). */
#ifndef BASE_SCHED_PRIVATE_H
#define BASE_SCHED_PRIVATE_H

#include "base/sched.h"

struct line {
    const char *file;
    unsigned number;
    const char *rest; /* what was not read yet */
    char *word;       /* the one read last; "" at the end */
    char **error;
    unsigned said[4]; /* in which line each word of the header stands; 0: in none yet */
};

bool sched_next_word(struct line *l);  /* false: there is none */
char *sched_take_word(struct line *l); /* the caller's to free */
/* ERR_INVALID, and the error's text behind file and line. */
int sched_wrong(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sched_to_number(const char *word, uint64_t high, uint64_t *out);
/* Whether word is a number that nothing but unit follows. */
bool sched_to_amount(const char *word, const char *unit, uint64_t high, uint64_t *out);

/* ---- sched_client.c ---- */
bool sched_client_named(const char *word, enum sched_client_kind *kind);
/* The rest of its line; ERR_INVALID as above, and nothing is kept. */
int sched_client_read(struct line *l, enum sched_client_kind kind, struct sched_client *out);

#endif
