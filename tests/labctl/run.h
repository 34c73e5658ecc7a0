/* run.h: labctl called by a test as by its main, and what came of it. */
#ifndef TESTS_LABCTL_RUN_H
#define TESTS_LABCTL_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

struct run {
    char *out, *err;
    int rc;
};

/* labctl --dir DIR and these words; run_finish frees what it printed. */
struct run run_words(const char *dir, size_t len, const char *const *words);
void run_finish(struct run *r);

#define RUN_IN(dir, ...)                                                                                     \
    run_words((dir), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                                 \
              (const char *const[]){__VA_ARGS__})

#endif
