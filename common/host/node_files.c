/* node_files.c: the small files of a node's folder: who runs in it, its incarnation, the lab's secret. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/loop_private.h"

#define SECRET_BYTES 32

/* a node that was killed holds its folder until the system has taken back its memory */
#define LOCK_TRIES   150
#define LOCK_WAIT_MS 20

static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? xstrndup(file, (size_t)(slash - file) + (slash == file)) : xstrdup(".");
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int err = fsync(fd);
    close(fd);
    return err;
}

static bool lock_file(int fd)
{
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = LOCK_WAIT_MS * 1000000L}, NULL);
    }
    return true;
}

int node_files_pid(const char *dir, char **error)
{
    *error = NULL;
    if (mkdir(dir, 0700) && errno != EEXIST) {
        *error = format_text("%s: the node's folder cannot be made: %s; make it, or name another with --dir",
                             dir, strerror(errno));
        return -1;
    }
    char *file = format_text("%s/pid", dir);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        *error = format_text("%s: cannot be written: %s", file, strerror(errno));
    } else if (!lock_file(fd)) {
        *error = format_text(
            "%s: another node runs in this folder; stop it (lab down), or name another with --dir", file);
    } else if (ftruncate(fd, 0) || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        *error = format_text("%s: cannot be written: %s", file, strerror(errno));
    }
    free(file);
    if (*error && fd >= 0)
        close(fd);
    return *error ? -1 : fd;
}

/* Replaces FILE by this content, or leaves it as it was. */
static bool replace_file(const char *folder, const char *file, const char *content)
{
    char *fresh = format_text("%s.new", file);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t len = (ssize_t)strlen(content);
    bool ok = fd >= 0 && write(fd, content, (size_t)len) == len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    ok = ok && rename(fresh, file) == 0 && sync_folder(folder) == 0;
    free(fresh);
    return ok;
}

bool node_files_lived(const char *dir)
{
    char *file = format_text("%s/incarnation", dir);
    bool lived = access(file, F_OK) == 0;
    free(file);
    return lived;
}

uint64_t node_files_incarnation(const char *dir, ms_time now, char **error)
{
    uint64_t last = 0;
    char *file = format_text("%s/incarnation", dir);
    FILE *in = fopen(file, "re");
    if (in) {
        if (fscanf(in, "%" SCNu64, &last) != 1)
            last =
                0; /* written by rename: only a hand can have emptied it, and the clock has gone on since */
        fclose(in);
    }
    uint64_t next = u64_max(now, last + 1);
    char content[32];
    snprintf(content, sizeof(content), "%" PRIu64 "\n", next);
    if (!replace_file(dir, file, content)) {
        *error = format_text("%s: cannot be written: %s; see who owns it and whether the disk is full", file,
                             strerror(errno));
        next = 0;
    }
    free(file);
    return next;
}

/* ---- the next start waits for nobody ---- */

bool node_files_force(const char *dir, char **error)
{
    char *file = format_text("%s/force_boot", dir);
    bool ok = replace_file(dir, file, "");
    if (!ok)
        *error = format_text("%s: cannot be written: %s; see who owns it and whether the disk is full", file,
                             strerror(errno));
    free(file);
    return ok;
}

bool node_files_forced(const char *dir)
{
    char *file = format_text("%s/force_boot", dir);
    bool forced = unlink(file) == 0 && sync_folder(dir) == 0;
    free(file);
    return forced;
}

/* ---- who is of the cluster no more when it starts: a name a line ---- */

node_set node_files_forgotten(const char *dir, const struct node_config *c)
{
    char *file = format_text("%s/forget", dir), line[LIMIT_NAME + 2];
    node_set nodes = 0;
    FILE *in = fopen(file, "re");
    while (in && fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < c->nodes_len; i++)
            if (strcmp(line, c->nodes[i].name) == 0)
                nodes |= node_bit((node_id)i);
    }
    if (in)
        fclose(in);
    if (in && (unlink(file) != 0 || sync_folder(dir) != 0))
        nodes = 0;
    free(file);
    return nodes;
}

static char *read_secret(const char *file)
{
    char line[256];
    FILE *in = fopen(file, "re");
    if (!in)
        return NULL;
    char *secret = fgets(line, sizeof(line), in) ? xstrndup(line, strcspn(line, "\r\n")) : xstrdup("");
    fclose(in);
    return secret;
}

char *node_files_secret(const char *config_file, char **error)
{
    char *folder = folder_of(config_file);
    char *file = format_text("%s/secret", folder);
    char *secret = read_secret(file);
    if (!secret) {
        /* whole before it has its name, and the first node's name for it wins: all read the same */
        uint8_t random[SECRET_BYTES];
        struct text hex = {0};
        char *fresh = format_text("%s.%d", file, (int)getpid());
        bool ok = getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random);
        for (size_t i = 0; i < sizeof(random); i++)
            text_printf(&hex, "%02x", random[i]);
        text_add(&hex, "\n");
        ok = ok && replace_file(folder, fresh, text_str(&hex)) && (link(fresh, file) == 0 || errno == EEXIST);
        int why = errno;
        unlink(fresh);
        secret = ok ? read_secret(file) : NULL;
        if (!secret)
            *error =
                format_text("%s: the lab's secret cannot be made: %s; or write secret = \"...\"; into %s",
                            file, strerror(why), config_file);
        text_finish(&hex);
        free(fresh);
    }
    if (secret && !secret[0]) {
        *error = format_text(
            "%s: is empty; remove it and a new secret is made, or write secret = \"...\"; into %s", file,
            config_file);
        free(secret);
        secret = NULL;
    }
    free(file);
    free(folder);
    return secret;
}
