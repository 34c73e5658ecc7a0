/* lab_screen.c: which lesson is open on a screen of a lab: DIR/screen holds the number, and whoever shows a
 * lesson holds a lock on it, so that it is free however a screen ends. The lock belongs to the open file, so
 * a screen may open its next lesson before it ends this one, and asking for it takes none. */
#include "lab/lab_screen.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

static int open_file(const struct labdir *lab, int flags)
{
    char *file = format_text("%s/screen", lab->path);
    int fd = open(file, flags | O_CLOEXEC, 0600);
    free(file);
    return fd;
}

int lab_screen_begins(const struct labdir *lab, int lesson)
{
    char number[16];
    int len = snprintf(number, sizeof(number), "%d\n", lesson);
    int fd = open_file(lab, O_RDWR | O_CREAT);
    struct flock shared = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    if (fd < 0)
        return -1;
    if (fcntl(fd, F_OFD_SETLK, &shared) || pwrite(fd, number, (size_t)len, 0) != len ||
        ftruncate(fd, len)) { /* in this order: whoever asks meanwhile never reads that there is none */
        close(fd);            /* a screen works without it */
        return -1;
    }
    return fd;
}

void lab_screen_ends(int fd)
{
    if (fd >= 0)
        close(fd);
}

int lab_screen_lesson(const struct labdir *lab)
{
    int fd = open_file(lab, O_RDONLY), lesson = 0;
    struct flock alone = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fd < 0)
        return 0;
    char number[16] = "";
    bool held = fcntl(fd, F_OFD_GETLK, &alone) == 0 && alone.l_type != F_UNLCK;
    if (held && pread(fd, number, sizeof(number) - 1, 0) > 0)
        lesson = (int)strtol(number, NULL, 10);
    close(fd);
    return lesson;
}
