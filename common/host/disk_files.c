/* disk_files.c: a disk of real files. What sync returned 0 for survives a loss of power: the file's data by
 * fdatasync, the file's name by fsync of the folder. Nothing is tried twice: after a failed write or sync
 * nobody knows what is on the disk. */
#include "host/disk_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/vec.h"

struct disk_files {
    struct disk disk;
    char *folder;
    int folder_fd;
    /* the segment that is written */
    uint64_t number;
    int fd; /* -1: none */
    bool name_synced;
};

static void segment_name(uint64_t number, char out[32])
{
    snprintf(out, 32, "%010" PRIu64 ".log", number);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int files_list(void *self, uint64_t **numbers, size_t *len)
{
    struct disk_files *d = self;
    DIR *dir = opendir(d->folder);
    if (!dir)
        return -errno;
    VEC(uint64_t) found = {0};
    struct dirent *entry;
    while (errno = 0, (entry = readdir(dir))) {
        uint64_t number;
        char name[32];
        if (sscanf(entry->d_name, "%20" SCNu64 ".log", &number) != 1)
            continue;
        segment_name(number, name);
        if (strcmp(name, entry->d_name) == 0)
            VEC_PUSH(&found, number);
    }
    int err = -errno;
    closedir(dir);
    if (err) {
        VEC_FREE(&found);
        return err;
    }
    if (found.len)
        qsort(found.items, found.len, sizeof(*found.items), by_number);
    *numbers = found.items;
    *len = found.len;
    return 0;
}

static int files_read(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len)
{
    struct disk_files *d = self;
    char name[32];
    segment_name(number, name);
    int fd = openat(d->folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct stat st;
    int err = fstat(fd, &st) ? -errno : 0;
    uint64_t all = err ? 0 : (uint64_t)st.st_size;
    size_t size = all > from ? (size_t)u64_min(all - from, most) : 0, got = 0;
    uint8_t *bytes = xmalloc(size);
    while (!err && got < size) {
        ssize_t n = pread(fd, bytes + got, size - got, (off_t)(from + got));
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            break; /* shorter than it said: what is there is what there is */
        else if (errno != EINTR)
            err = -errno;
    }
    close(fd);
    if (err) {
        free(bytes);
        return err;
    }
    *data = bytes;
    *len = got;
    return 0;
}

static void close_segment(struct disk_files *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static int open_segment(struct disk_files *d, uint64_t number)
{
    char name[32];
    segment_name(number, name);
    close_segment(d);
    d->fd = openat(d->folder_fd, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (d->fd < 0)
        return -errno;
    d->number = number;
    d->name_synced = false;
    return 0;
}

static int files_append(void *self, uint64_t number, const void *data, size_t len)
{
    struct disk_files *d = self;
    if (d->fd < 0 || d->number != number) {
        int err = open_segment(d, number);
        if (err)
            return err;
    }
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t n = write(d->fd, at, len);
        if (n < 0) {
            if (errno == EINTR)
                continue; /* nothing was written: a signal, not the disk */
            return -errno;
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int files_sync(void *self, uint64_t number)
{
    struct disk_files *d = self;
    if (d->fd < 0 || d->number != number)
        return ERR_NOT_FOUND;
    if (fdatasync(d->fd))
        return -errno;
    if (!d->name_synced && fsync(d->folder_fd))
        return -errno;
    d->name_synced = true;
    return 0;
}

static int files_drop(void *self, uint64_t number, uint64_t keep_bytes)
{
    struct disk_files *d = self;
    if (d->fd >= 0 && d->number == number)
        close_segment(d);
    char name[32];
    segment_name(number, name);
    if (keep_bytes == 0)
        return unlinkat(d->folder_fd, name, 0) || fsync(d->folder_fd) ? -errno : 0;
    int fd = openat(d->folder_fd, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int err = ftruncate(fd, (off_t)keep_bytes) || fsync(fd) ? -errno : 0;
    close(fd);
    return err;
}

struct disk *disk_files_create(const char *folder, char **error)
{
    *error = NULL;
    int fd = -1;
    if (mkdir(folder, 0700) && errno != EEXIST)
        *error =
            format_text("%s: the folder for the log cannot be made: %s; make it, or name another with --dir",
                        folder, strerror(errno));
    else if ((fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        *error =
            format_text("%s: the folder for the log cannot be opened: %s; see who owns it, or name another "
                        "with --dir",
                        folder, strerror(errno));
    if (*error)
        return NULL;
    struct disk_files *d = xcalloc(1, sizeof(*d));
    *d = (struct disk_files){.folder = xstrdup(folder), .folder_fd = fd, .fd = -1};
    d->disk = (struct disk){
        .self = d,
        .where = d->folder,
        .list = files_list,
        .read = files_read,
        .append = files_append,
        .sync = files_sync,
        .drop = files_drop,
    };
    return &d->disk;
}

void disk_files_destroy(struct disk *disk)
{
    if (!disk)
        return;
    struct disk_files *d = disk->self;
    close_segment(d);
    close(d->folder_fd);
    free(d->folder);
    free(d);
}
