/* pager.c: regions of messages in a file without a name. One rule: a region is written whole before it is
 * mapped, with its space in the file taken beforehand, so that a full disk is an error of a call and never a
 * fault in the middle of a message. */
#include "host/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/vec.h"

/* Large: a process may have some 65000 mappings. Small: a region is held by the last message in it. */
#define REGION_BYTES (4u << 20)
/* The log must never find the disk full because of us. */
#define LEAVE_FREE (512u << 20)
/* after a failure */
#define TRY_AGAIN_US 5000000

struct region {
    struct message_region shared; /* first: what the messages know of it */
    uint8_t *memory;
    size_t size, used; /* size: a multiple of REGION_BYTES */
    uint64_t offset;   /* in the file, once it is written */
    bool written;
    size_t index;
};

struct pager {
    char *folder;
    int fd;
    uint64_t file_end, file_bytes; /* file_bytes: of the written regions */
    VEC(uint64_t) holes;           /* offsets of REGION_BYTES each that may be used again */
    VEC(struct region *) regions;
    struct region *filling;
    struct message_region *empty;
    char *error;
    int64_t try_again_us;
    size_t page;
};

int64_t pager_clock_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct pager *pager_create(const char *folder)
{
    struct pager *p = xcalloc(1, sizeof(*p));
    p->folder = xstrdup(folder);
    p->fd = -1;
    p->page = (size_t)sysconf(_SC_PAGESIZE);
    return p;
}

/* ---- regions ---- */

static struct region *region_create(struct pager *p, size_t bytes)
{
    size_t size = (bytes + REGION_BYTES - 1) / REGION_BYTES * REGION_BYTES;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct region *r = xcalloc(1, sizeof(*r));
    *r = (struct region){
        .shared = {.live = 1, .empty = &p->empty}, .memory = memory, .size = size, .index = p->regions.len};
    VEC_PUSH(&p->regions, r);
    return r;
}

static void give_back_place(struct pager *p, struct region *r)
{
    p->file_bytes -= r->used;
    fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)r->offset, (off_t)r->size);
    for (size_t at = 0; at < r->size; at += REGION_BYTES)
        VEC_PUSH(&p->holes, r->offset + at);
    if (p->file_bytes == 0 && ftruncate(p->fd, 0) == 0) {
        p->holes.len = 0;
        p->file_end = 0;
    }
}

static void region_destroy(struct pager *p, struct region *r)
{
    munmap(r->memory, r->size);
    if (r->written)
        give_back_place(p, r);
    struct region *last = p->regions.items[--p->regions.len];
    p->regions.items[r->index] = last;
    last->index = r->index;
    free(r);
}

void pager_collect(struct pager *p)
{
    while (p->empty) {
        struct region *r = (struct region *)p->empty; /* its first member */
        p->empty = r->shared.next;
        region_destroy(p, r);
    }
}

void pager_destroy(struct pager *p)
{
    if (!p)
        return;
    if (p->filling)
        message_region_release(&p->filling->shared);
    pager_collect(p);
    ASSERT(p->regions.len == 0);
    VEC_FREE(&p->regions);
    VEC_FREE(&p->holes);
    if (p->fd >= 0)
        close(p->fd);
    free(p->folder);
    free(p->error);
    free(p);
}

/* ---- the file ---- */

static int open_file(struct pager *p)
{
    if (p->fd >= 0)
        return 0;
    p->fd = open(p->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (p->fd >= 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
        return errno;
    char *name = format_text("%s/paging.tmp", p->folder); /* a file system that makes no nameless files */
    p->fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = p->fd < 0 || unlink(name) ? errno : 0;
    free(name);
    return err;
}

static int take_place(struct pager *p, struct region *r, size_t bytes)
{
    struct statvfs disk;
    if (fstatvfs(p->fd, &disk))
        return errno;
    if ((uint64_t)disk.f_bavail * disk.f_frsize < bytes + (uint64_t)LEAVE_FREE)
        return ENOSPC;
    bool again = r->size == REGION_BYTES && p->holes.len > 0;
    uint64_t offset = again ? p->holes.items[p->holes.len - 1] : p->file_end;
    int err = posix_fallocate(p->fd, (off_t)offset, (off_t)bytes);
    if (err)
        return err;
    if (again)
        p->holes.len--;
    else
        p->file_end += r->size;
    r->offset = offset;
    return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        data += n;
        len -= (size_t)n;
        offset += (size_t)n;
    }
    return 0;
}

/* From memory to the file, under the messages' feet. 0, or an errno: then it is in memory as before. */
static int region_write(struct pager *p, struct region *r)
{
    size_t bytes = (r->used + p->page - 1) / p->page * p->page;
    int err = open_file(p);
    if (!err)
        err = take_place(p, r, bytes);
    if (err)
        return err;
    err = write_all(p->fd, r->memory, bytes, r->offset);
    if (!err && mmap(r->memory, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, p->fd,
                     (off_t)r->offset) == MAP_FAILED)
        err = errno;
    p->file_bytes += r->used;
    r->written = !err;
    if (err)
        give_back_place(p, r);
    return err;
}

/* The region that is being filled is full: 0, or an errno, and it is tried again later. */
static int write_full(struct pager *p)
{
    int err = region_write(p, p->filling);
    free(p->error);
    p->error = NULL;
    if (err) {
        p->error = xstrdup(strerror(err));
        p->try_again_us = pager_clock_us() + TRY_AGAIN_US;
        return err;
    }
    message_region_release(&p->filling->shared);
    p->filling = NULL;
    return 0;
}

/* ---- paging ---- */

/* Room for so many bytes, or NULL. */
static void *room(struct pager *p, size_t bytes)
{
    if (p->filling && p->filling->used + bytes > p->filling->size && write_full(p))
        return NULL;
    if (!p->filling)
        p->filling = region_create(p, bytes);
    if (!p->filling)
        return NULL;
    void *at = p->filling->memory + p->filling->used;
    p->filling->used += bytes;
    return at;
}

uint64_t pager_run(struct pager *p, const struct mirror *m, bool hard, uint64_t bytes, int64_t stop_at_us)
{
    if (p->error && pager_clock_us() < p->try_again_us)
        return 0;
    struct page_walk w = {.hard = hard};
    struct message *msg;
    uint64_t gone = 0;
    for (size_t i = 1; gone < bytes && (msg = mirror_page_next(m, &w)); i++) {
        size_t size = message_region_size(msg);
        void *at = room(p, size);
        if (!at)
            break;
        mirror_page_swap(&w, message_copy_to(msg, at, &p->filling->shared));
        gone += size;
        if ((i % 256 == 0 || size >= 4096) && pager_clock_us() >= stop_at_us)
            break;
    }
    return gone;
}

const char *pager_error(const struct pager *p)
{
    return p->error;
}

void pager_cool(struct pager *p)
{
    for (size_t i = 0; i < p->regions.len; i++) {
        struct region *r = p->regions.items[i];
        if (r->written)
            madvise(r->memory, r->size, MADV_DONTNEED);
    }
}

uint64_t pager_file_bytes(const struct pager *p)
{
    return p->file_bytes;
}
