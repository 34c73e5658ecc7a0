/* languages.h: set-ups that put the screen into the learner's language, whatever the environment says. */
#ifndef TESTS_SCREEN_LANGUAGES_H
#define TESTS_SCREEN_LANGUAGES_H

#include "words.h"

static inline int english(void **state)
{
    (void)state;
    words_of_document("x.md");
    return 0;
}

static inline int chinese(void **state)
{
    (void)state;
    words_of_document("x.zh-CN.md");
    return 0;
}

#endif
