/* temporary.h: the one way in which tests make files and folders that are gone when they end: in $TMPDIR,
 * else in /tmp. The paths are the caller's to free, what they name is the caller's to remove. NULL: it could
 * not be made. The _in functions put the path into a buffer instead; false: it could not be made, or is too
 * long for it. */
#ifndef TESTS_TEMPORARY_H
#define TESTS_TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static inline char *temporary_path(const char *what, const char *suffix)
{
    const char *tmp = getenv("TMPDIR");
    return format_text("%s/mirrorlab-%s-XXXXXX%s", tmp ? tmp : "/tmp", what, suffix);
}

static inline char *temporary_folder(const char *what)
{
    char *path = temporary_path(what, "");
    if (mkdtemp(path))
        return path;
    free(path);
    return NULL;
}

/* An empty file; suffix: ".sched", or "". */
static inline char *temporary_file(const char *what, const char *suffix)
{
    char *path = temporary_path(what, suffix);
    int fd = mkstemps(path, (int)strlen(suffix));
    if (fd >= 0 && close(fd) == 0)
        return path;
    free(path);
    return NULL;
}

static inline bool temporary_name_in(char *path, size_t size, char *made)
{
    bool fits = made && (size_t)snprintf(path, size, "%s", made) < size;
    if (made && !fits)
        remove(made);
    free(made);
    return fits;
}

static inline bool temporary_folder_in(char *path, size_t size, const char *what)
{
    return temporary_name_in(path, size, temporary_folder(what));
}

static inline bool temporary_file_in(char *path, size_t size, const char *what, const char *suffix)
{
    return temporary_name_in(path, size, temporary_file(what, suffix));
}

#endif
