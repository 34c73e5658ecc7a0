/* nearest.c: see nearest.h. */
#include "base/nearest.h"

#include <string.h>

#include "base/ban.h"

enum { FAR = 4 };

/* Levenshtein's distance; names are short. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], len = strlen(b);
    if (len >= ARRAY_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

void nearest_try(struct nearest *n, const char *word)
{
    size_t d = distance(n->typed, word), best = n->like ? n->distance : FAR;
    if (d >= best || d * 2 >= strlen(word))
        return;
    n->like = word;
    n->distance = d;
}
