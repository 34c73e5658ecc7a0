/* nearest.c: see nearest.h. */
#include "base/nearest.h"

#include <string.h>

#include "base/ban.h"

enum { FAR = 4 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, in which two letters that changed places are one slip; names are short. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t rows[3][LONGEST] = {0}, len = strlen(b);
    if (len >= LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= len; j++)
        rows[0][j] = j;
    size_t i = 0;
    for (; a[i]; i++) { /* one row for each letter: the two before it are wanted, too */
        size_t *row = rows[(i + 1) % 3], *last = rows[i % 3], *before = rows[(i + 2) % 3];
        row[0] = i + 1;
        for (size_t j = 1; j <= len; j++) {
            row[j] = least(last[j - 1] + (a[i] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 0 && j > 1 && a[i] == b[j - 2] && a[i - 1] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[i % 3][len];
}

void nearest_try(struct nearest *n, const char *word)
{
    size_t d = distance(n->typed, word), best = n->like ? n->distance : FAR;
    if (d >= best || d * 2 >= strlen(word))
        return;
    n->like = word;
    n->distance = d;
}
