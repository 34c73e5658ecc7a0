/* program.c: where this program, the programs beside it and the lessons stand. A lesson has two folders: the
 * source (lesson.cfg, README.md, *.c), found beside the program, one or two folders up, or in the current
 * folder; and the built one (node, producer, consumer), found beside the program. MIRRORLAB_LESSONS names
 * another source folder. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/private.h"

int program_folder(char *out, size_t out_len)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (len <= 0)
        return ERR_IO;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return ERR_NOT_FOUND;
    *slash = '\0';
    return snprintf(out, out_len, "%s", path) < (int)out_len ? 0 : ERR_TOO_LARGE;
}

/* the lesson's number from "07-failover"; 0 if the name is not one */
static int folder_number(const char *name)
{
    if (!isdigit((unsigned char)name[0]) || !isdigit((unsigned char)name[1]) || name[2] != '-')
        return 0;
    return (name[0] - '0') * 10 + (name[1] - '0');
}

/* looks in `parent` for the folder of lesson `number` (0: the highest) that holds `file` */
static int find_lesson(const char *parent, int number, const char *file, char *out, size_t out_len)
{
    DIR *dir = opendir(parent);
    if (!dir)
        return ERR_NOT_FOUND;
    int best = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        int found = folder_number(entry->d_name);
        if (!found || (number && found != number) || found <= best)
            continue;
        char path[PATH_MAX];
        if (snprintf(path, sizeof(path), "%s/%s/%s", parent, entry->d_name, file) >= (int)sizeof(path) ||
            access(path, R_OK) != 0)
            continue;
        if (snprintf(out, out_len, "%s/%s", parent, entry->d_name) < (int)out_len)
            best = found;
    }
    closedir(dir);
    return best ? 0 : ERR_NOT_FOUND;
}

static int find_below(const char *const *parents, size_t parents_len, int number, const char *file, char *out,
                      size_t out_len)
{
    for (size_t i = 0; i < parents_len; i++) {
        char absolute[PATH_MAX];
        if (!realpath(parents[i], absolute))
            continue;
        if (find_lesson(absolute, number, file, out, out_len) == 0)
            return 0;
    }
    return ERR_NOT_FOUND;
}

int program_find(const char *name, char *out, size_t out_len)
{
    static const char *const steps[] = {"", "/..", "/../.."};
    char here[PATH_MAX], path[PATH_MAX + 64], real[PATH_MAX];
    if (program_folder(here, sizeof(here)))
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (snprintf(path, sizeof(path), "%s%s/%s", here, steps[i], name) >= (int)sizeof(path))
            continue;
        if (realpath(path, real) && access(real, X_OK) == 0 && strlen(real) < out_len) {
            memcpy(out, real, strlen(real) + 1);
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

int program_lesson_source(int number, char *out, size_t out_len)
{
    char here[PATH_MAX], beside[PATH_MAX + 16], up[PATH_MAX + 16], up2[PATH_MAX + 16];
    if (program_folder(here, sizeof(here)))
        return ERR_NOT_FOUND;
    snprintf(beside, sizeof(beside), "%s/lessons", here);
    snprintf(up, sizeof(up), "%s/../lessons", here);
    snprintf(up2, sizeof(up2), "%s/../../lessons", here);
    const char *told = getenv("MIRRORLAB_LESSONS");
    const char *parents[] = {told ? told : beside, beside, up, up2, "lessons"};
    return find_below(parents, ARRAY_LEN(parents), number, "lesson.cfg", out, out_len);
}

int program_lesson_built(int number, char *out, size_t out_len)
{
    char here[PATH_MAX], beside[PATH_MAX + 16], up[PATH_MAX + 16], up2[PATH_MAX + 16];
    if (program_folder(here, sizeof(here)))
        return ERR_NOT_FOUND;
    snprintf(beside, sizeof(beside), "%s/lessons", here);
    snprintf(up, sizeof(up), "%s/../lessons", here);
    snprintf(up2, sizeof(up2), "%s/../../lessons", here);
    const char *parents[] = {beside, up, up2};
    return find_below(parents, ARRAY_LEN(parents), number, "producer", out, out_len);
}
