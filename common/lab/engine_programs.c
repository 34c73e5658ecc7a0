/* engine_programs.c: the kit's programs, run for a lab or shown as one would type them: labctl is told the
 * lab's folder, and nobody has to say where it stands. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/private.h"

/* argv as it is run: the program's path, labctl told its folder. The list is new, its words are borrowed. */
static const char **full_argv(const struct labdir *lab, const char *const *argv, const char *path)
{
    size_t n = 0;
    while (argv[n])
        n++;
    const char **full = xcalloc(n + 3, sizeof(*full));
    size_t at = 0;
    full[at++] = path;
    const char *slash = strrchr(path, '/');
    if (strcmp(slash ? slash + 1 : path, "labctl") == 0) {
        full[at++] = "--dir";
        full[at++] = lab->path;
    }
    for (size_t i = 1; i < n; i++)
        full[at++] = argv[i];
    return full;
}

char *engine_called(const struct labdir *lab, const char *program, const char *const *words)
{
    char usual[PATH_MAX];
    struct text typed = {0};
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    bool elsewhere = labdir_path(NULL, usual, sizeof(usual)) || strcmp(usual, lab->path) != 0;
    text_add_shell_word(&typed, program);
    if (strcmp(name, "labctl") == 0 && elsewhere) {
        text_add_shell_word(&typed, "--dir");
        text_add_shell_word(&typed, lab->path);
    }
    for (size_t i = 0; words[i]; i++)
        text_add_shell_word(&typed, words[i]);
    if (strcmp(name, "lab") == 0 && elsewhere) { /* its command comes first */
        text_add_shell_word(&typed, "--dir");
        text_add_shell_word(&typed, lab->path);
    }
    return typed.s;
}

char *engine_typed(const struct labdir *lab, const char *const *argv)
{
    char path[PATH_MAX];
    bool named = strchr(argv[0], '/') || program_find(argv[0], path, sizeof(path));
    return engine_called(lab, named ? argv[0] : path, argv + 1);
}

int engine_spawn(const struct labdir *lab, const char *const *argv, int *fd, int *pid)
{
    char path[PATH_MAX];
    if (strchr(argv[0], '/'))
        snprintf(path, sizeof(path), "%s", argv[0]);
    else if (program_find(argv[0], path, sizeof(path)))
        return ERR_NOT_FOUND;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return ERR_IO;
    const char **full = full_argv(lab, argv, path);
    struct process_spec spec = {.argv = full, .out_fd = ends[1]};
    pid_t child = 0;
    int why = process_start(&spec, &child);
    free(full);
    close(ends[1]);
    if (why) {
        close(ends[0]);
        return why == -ENOENT ? ERR_NOT_FOUND : ERR_IO;
    }
    *fd = ends[0];
    *pid = child;
    return 0;
}

int engine_ctl(const struct labdir *lab, const char *const *words, char **output)
{
    size_t n = 0;
    while (words[n])
        n++;
    const char **argv = xcalloc(n + 2, sizeof(*argv));
    argv[0] = "labctl";
    memcpy(argv + 1, words, n * sizeof(*argv));
    int fd = -1, pid = 0;
    int err = engine_spawn(lab, argv, &fd, &pid);
    free(argv);
    *output = NULL;
    if (err) {
        *output = format_text("labctl is not beside this program: %s; run make", err_text(err));
        return err;
    }
    struct text out = {0};
    char part[4096];
    for (ssize_t got; (got = read(fd, part, sizeof(part))) > 0 || (got < 0 && errno == EINTR);)
        if (got > 0)
            text_add_bytes(&out, part, (size_t)got);
    close(fd);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    *output = out.s ? out.s : xstrdup("");
    return WIFEXITED(status) ? WEXITSTATUS(status) : ERR_CLOSED;
}
