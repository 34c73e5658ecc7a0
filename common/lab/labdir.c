/* labdir.c: the lab's folder: where it is, its lab.cfg with every default filled in, and back. */
#include <errno.h>
#include <ftw.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/private.h"

/* DIR/nodeNN/control.sock must fit into a socket's address, which holds 107 bytes. */
#define PATH_ROOM 80

/* makes `path` absolute (it need not exist), without a slash at its end */
static int absolute(const char *path, char *out, size_t out_len)
{
    char here[PATH_MAX] = "";
    if (path[0] != '/' && !getcwd(here, sizeof(here)))
        return ERR_IO;
    int len = snprintf(out, out_len, "%s%s%s", here, here[0] ? "/" : "", path);
    if (len < 0 || (size_t)len >= out_len)
        return ERR_TOO_LARGE;
    char real[PATH_MAX];
    if (realpath(out, real) && strlen(real) < out_len)
        memcpy(out, real, strlen(real) + 1);
    for (size_t end = strlen(out); end > 1 && out[end - 1] == '/'; end--)
        out[end - 1] = '\0';
    return 0;
}

int labdir_path(const char *dir_option, char *out, size_t out_len)
{
    const char *told = dir_option ? dir_option : getenv("MIRRORLAB_DIR");
    if (told && told[0])
        return absolute(told, out, out_len);
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int len;
    if (runtime && runtime[0] == '/')
        len = snprintf(out, out_len, "%s/mirrorlab", runtime);
    else if (state && state[0] == '/')
        len = snprintf(out, out_len, "%s/mirrorlab/lab", state);
    else
        len = snprintf(out, out_len, "%s/.local/state/mirrorlab/lab", home && home[0] == '/' ? home : "/tmp");
    return len >= 0 && (size_t)len < out_len ? 0 : ERR_TOO_LARGE;
}

void labdir_defaults(struct labdir *lab, enum engine_kind engine, size_t nodes)
{
    ASSERT(nodes >= 1 && nodes <= LIMIT_NODES);
    lab->engine = engine;
    lab->external = false;
    snprintf(lab->user, sizeof(lab->user), "admin");
    snprintf(lab->password, sizeof(lab->password), "123");
    lab->node_program[0] = '\0';
    char built[PATH_MAX];
    if (program_lesson_built(0, built, sizeof(built)) == 0 &&
        snprintf(lab->node_program, sizeof(lab->node_program), "%s/node", built) >=
            (int)sizeof(lab->node_program))
        lab->node_program[0] = '\0';
    lab->silence_ms = lab->memory_limit_mb = 0;
    lab->memory_paging_ratio = 0;
    lab->partition_handling[0] = '\0';
    lab->nodes_len = nodes;
    for (size_t i = 0; i < nodes; i++) {
        struct lab_node *node = &lab->nodes[i];
        *node = (struct lab_node){.amqp_port = (uint16_t)(5672 + i),
                                  .http_port = (uint16_t)(15672 + i),
                                  .peer_port = (uint16_t)(25672 + i)};
        snprintf(node->name, sizeof(node->name), "node%zu", i + 1);
        snprintf(node->host, sizeof(node->host), "127.0.0.1");
    }
}

int labdir_load(struct labdir *lab, const char *dir_option, char **error)
{
    *lab = (struct labdir){0};
    *error = NULL;
    if (labdir_path(dir_option, lab->path, sizeof(lab->path))) {
        *error = format_text("the lab's folder has too long a name; give a shorter one with --dir");
        return ERR_TOO_LARGE;
    }
    char *file = format_text("%s/lab.cfg", lab->path);
    int err;
    if (access(file, F_OK)) {
        *error = format_text("no lab in %s", lab->path);
        err = ERR_NOT_FOUND;
    } else {
        err = labdir_read_config(lab, file, error);
    }
    free(file);
    return err;
}

int labdir_find_node(const struct labdir *lab, const char *name)
{
    size_t len = strcspn(name, "@");
    for (size_t i = 0; i < lab->nodes_len; i++)
        if (strlen(lab->nodes[i].name) == len && strncmp(lab->nodes[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

/* mkdir -p; folders made on the way are for this user alone */
static int make_folder(const char *path)
{
    char part[PATH_MAX];
    snprintf(part, sizeof(part), "%s", path);
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(part, 0700) && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(part, 0700) && errno != EEXIST ? -errno : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int labdir_wipe(const struct labdir *lab, char **error)
{
    *error = NULL;
    for (size_t i = 0; i <= lab->nodes_len && !lab->external; i++) {
        char *path = format_text("%s/%s", lab->path, i < lab->nodes_len ? lab->nodes[i].name : "rabbitmq");
        if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
            *error = format_text("%s: cannot remove it: %s", path, strerror(errno));
        free(path);
        if (*error)
            return ERR_IO;
    }
    return 0;
}

/* What is said to a node whose process is not there waits in its folder (common/host/node_files.c):
 * "force_boot" is there, so its next start waits for nobody; "forget" names who is of the cluster no more. */
static char *note_file(const struct labdir *lab, size_t node, const char *note)
{
    return format_text("%s/%s/%s", lab->path, lab->nodes[node].name, note);
}

static void remove_note(const struct labdir *lab, size_t node, const char *note)
{
    char *path = note_file(lab, node, note);
    unlink(path);
    free(path);
}

static int add_note(const struct labdir *lab, size_t node, const char *note, const char *line, char **error)
{
    char *path = note_file(lab, node, note);
    FILE *f = fopen(path, "ae");
    bool ok = f && fputs(line, f) >= 0;
    *error = !f || fclose(f) || !ok ? format_text("%s: cannot be written: %s", path, strerror(errno)) : NULL;
    free(path);
    return *error ? ERR_IO : 0;
}

int labdir_wipe_node(const struct labdir *lab, size_t node, char **error)
{
    char *path = format_text("%s/%s/data", lab->path, lab->nodes[node].name);
    *error = NULL;
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        *error = format_text("%s: cannot remove it: %s", path, strerror(errno));
    free(path);
    remove_note(lab, node, "force_boot");
    remove_note(lab, node, "forget");
    return *error ? ERR_IO : 0;
}

int labdir_force_boot(const struct labdir *lab, size_t node, char **error)
{
    return add_note(lab, node, "force_boot", "", error);
}

int labdir_forget(const struct labdir *lab, size_t node, size_t other, char **error)
{
    char *line = format_text("%s\n", lab->nodes[other].name);
    int err = add_note(lab, node, "forget", line, error);
    free(line);
    return err;
}

static void add_string(config_setting_t *to, const char *name, const char *value)
{
    config_setting_set_string(config_setting_add(to, name, CONFIG_TYPE_STRING), value);
}

static void add_int(config_setting_t *to, const char *name, int value)
{
    config_setting_set_int(config_setting_add(to, name, CONFIG_TYPE_INT), value);
}

static void fill(config_setting_t *root, const struct labdir *lab)
{
    add_string(root, "engine", lab->engine == ENGINE_KIT ? "kit" : "rabbitmq");
    add_string(root, "user", lab->user);
    add_string(root, "password", lab->password);
    if (lab->engine == ENGINE_KIT && lab->node_program[0])
        add_string(root, "node_program", lab->node_program);
    if (lab->silence_ms)
        add_int(root, "silence_ms", lab->silence_ms);
    if (lab->memory_limit_mb)
        add_int(root, "memory_limit_mb", lab->memory_limit_mb);
    if (lab->memory_paging_ratio > 0)
        config_setting_set_float(config_setting_add(root, "memory_paging_ratio", CONFIG_TYPE_FLOAT),
                                 lab->memory_paging_ratio);
    if (lab->partition_handling[0])
        add_string(root, "partition_handling", lab->partition_handling);
    config_setting_t *nodes = config_setting_add(root, "nodes", CONFIG_TYPE_LIST);
    for (size_t i = 0; i < lab->nodes_len; i++) {
        const struct lab_node *node = &lab->nodes[i];
        config_setting_t *group = config_setting_add(nodes, NULL, CONFIG_TYPE_GROUP);
        add_string(group, "name", node->name);
        add_int(group, "amqp", node->amqp_port);
        if (lab->external) {
            char *url = format_text("http://%s:%u", node->host, node->http_port);
            add_string(group, "url", url);
            free(url);
            continue;
        }
        add_string(group, "host", node->host);
        add_int(group, "http", node->http_port);
        add_int(group, "peer", node->peer_port);
    }
}

int labdir_save(const struct labdir *lab, char **error)
{
    *error = NULL;
    if (strlen(lab->path) > PATH_ROOM) {
        *error = format_text(
            "%s: the folder's name is longer than %d bytes, too long for the nodes' sockets in it; "
            "give a shorter one with --dir",
            lab->path, PATH_ROOM);
        return ERR_TOO_LARGE;
    }
    int why = make_folder(lab->path);
    if (why) {
        *error = format_text("%s: cannot make this folder: %s; name another with --dir", lab->path,
                             strerror(-why));
        return ERR_IO;
    }
    config_t config;
    config_init(&config);
    fill(config_root_setting(&config), lab);
    /* Written beside and renamed: a command that reads meanwhile sees the old file or the new one. */
    char *file = format_text("%s/lab.cfg", lab->path), *fresh = format_text("%s/lab.cfg.new", lab->path);
    mode_t before = umask(077); /* it holds a password */
    bool good = config_write_file(&config, fresh) == CONFIG_TRUE && rename(fresh, file) == 0;
    why = errno;
    umask(before);
    if (!good)
        *error = format_text("%s: cannot write it: %s", file, strerror(why));
    free(file);
    free(fresh);
    config_destroy(&config);
    return good ? 0 : ERR_IO;
}
