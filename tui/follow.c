/* follow.c: see follow.h. The rule it keeps: what the lesson has come to is said by one screen, the one that
 * acts; two that look for themselves may each see what the other does not. */
#include "follow.h"

#include <stdlib.h>

#include "lab/lab_screen.h"

/* It is replaced whenever it is written, so it is another file then. */
static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int follow_look(struct follow *f, struct model *m, const struct labdir *lab)
{
    /* in this order: what a screen writes last is there before it is known to have gone */
    int lesson = lab_screen_lesson(lab);
    char *name = format_text("%s/" LAB_LESSON_FILE, lab->path);
    struct stat file;
    if (stat(name, &file))
        file = (struct stat){0};
    free(name);
    if (is_same(&file, &f->file) && (lesson != 0) == f->acts)
        return lesson;
    f->file = file;
    f->acts = lesson != 0;
    if (m->lesson)
        lesson_follow(&m->lesson, lab, f->acts);
    return lesson;
}
