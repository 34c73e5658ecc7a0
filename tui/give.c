/* give.c: see give.h. */
#include "give.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "find.h"
#include "new_file.h"
#include "words.h"

void give_events(struct model *m, const char *otherwise)
{
    char *path = m->export_to ? xstrdup(m->export_to) : new_file("mirrorlab-events", ".txt", otherwise);
    int err = find_export(m, path);
    char *full = err ? NULL : realpath(path, NULL);
    if (err == EEXIST)
        model_say(m, _("%s is there already and stays as it is: name another file"), path);
    else if (err)
        model_say(m, _("%s cannot be written: %s"), path, strerror(err));
    else
        model_say(m, NP_("%zu event is in %s", "%zu events are in %s", m->happened.len), m->happened.len,
                  full ? full : path);
    free(full);
    free(path);
}

/* Inside tmux the terminal's clipboard is tmux's to set, and its own buffer too. */
void give_copy(struct model *m, struct terminal *t, struct jobs *jobs)
{
    const char *inside = getenv("TMUX");
    bool tmux = inside && *inside, copied = t && terminal_copy(t, m->copy);
    if (copied || tmux)
        model_say(m, _("copied: %s"), m->copy);
    else
        model_say(m, _("this terminal has no clipboard for programs; mark it: %s"), m->copy);
    if (!tmux)
        return;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; nothing >= 0 && fd < 3; fd++)
            dup2(nothing, fd);
        execlp("tmux", "tmux", "set-buffer", "-w", "--", m->copy, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        jobs_adopt(jobs, NULL, -1, pid);
}
