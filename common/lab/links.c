/* links.c: see links.h. Nodes stand in the file by their names: {"node2": ["node1", "node3"], ...}. */
#include "lab/links.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"

/* Open and ours alone until it is closed: two labctl may run at once. */
static int open_locked(const struct labdir *lab, int flags)
{
    char *path = format_text("%s/%s", lab->path, LAB_LINKS_FILE);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    free(path);
    if (fd >= 0 && flock(fd, flags & O_RDWR ? LOCK_EX : LOCK_SH)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void read_ends(const struct labdir *lab, int fd, uint32_t ends[LIMIT_NODES])
{
    json_t *file = json_loadfd(fd, 0, NULL), *peers, *peer;
    const char *name;
    size_t i;
    memset(ends, 0, LIMIT_NODES * sizeof(*ends));
    json_object_foreach(file, name, peers)
    {
        int node = labdir_find_node(lab, name);
        json_array_foreach(peers, i, peer)
        {
            int other = json_is_string(peer) ? labdir_find_node(lab, json_string_value(peer)) : -1;
            if (node >= 0 && other >= 0 && other != node)
                ends[node] |= UINT32_C(1) << other;
        }
    }
    json_decref(file);
}

static int write_ends(const struct labdir *lab, int fd, const uint32_t ends[LIMIT_NODES])
{
    json_t *file = json_object();
    for (size_t i = 0; i < lab->nodes_len; i++) {
        json_t *peers = json_array();
        for (size_t p = 0; p < lab->nodes_len; p++)
            if (ends[i] >> p & 1)
                json_array_append_new(peers, json_string(lab->nodes[p].name));
        if (json_array_size(peers))
            json_object_set(file, lab->nodes[i].name, peers);
        json_decref(peers);
    }
    bool good = lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0 && json_dumpfd(file, fd, 0) == 0;
    json_decref(file);
    return good ? 0 : ERR_IO;
}

int links_note(const struct labdir *lab, size_t node, uint32_t peers, bool cut)
{
    uint32_t ends[LIMIT_NODES];
    int fd = open_locked(lab, O_RDWR | (cut ? O_CREAT : 0));
    if (fd < 0)
        return cut ? ERR_IO : 0; /* without a file none is cut */
    read_ends(lab, fd, ends);
    uint32_t now = cut ? ends[node] | peers : ends[node] & ~peers;
    int err = now == ends[node] ? 0 : (ends[node] = now, write_ends(lab, fd, ends));
    close(fd);
    return err;
}

void links_forget(const struct labdir *lab, size_t node)
{
    links_note(lab, node, UINT32_MAX, false);
}

bool links_cut(const struct labdir *lab, uint32_t cut[LIMIT_NODES])
{
    uint32_t ends[LIMIT_NODES] = {0}, any = 0;
    int fd = open_locked(lab, O_RDONLY);
    memset(cut, 0, LIMIT_NODES * sizeof(*cut));
    if (fd >= 0) {
        read_ends(lab, fd, ends);
        close(fd);
    }
    for (size_t i = 0; i < lab->nodes_len; i++)
        for (size_t p = 0; p < lab->nodes_len; p++)
            if (ends[i] >> p & 1) {
                cut[i] |= UINT32_C(1) << p;
                cut[p] |= UINT32_C(1) << i;
                any = 1;
            }
    return any;
}
