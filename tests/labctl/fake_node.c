/* fake_node.c: see fake_node.h. */
#include "fake_node.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

static const char *find_answer(const struct fake_answer *answers, const char *line, FILE *asked)
{
    json_t *request = json_loads(line, 0, NULL);
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    const char *method = json_string_value(json_object_get(request, "method"));
    const char *path = json_string_value(json_object_get(request, "path"));
    char *name = method ? format_text("%s %s", method, path ? path : "") : xstrdup(cmd ? cmd : "");
    const char *found =
        "{\"ok\":false,\"error\":\"unexpected\",\"reason\":\"this test did not expect that\"}";
    for (; answers->request; answers++) {
        if (strcmp(answers->request, name) == 0) {
            found = answers->answer;
            break;
        }
    }
    fputs(line, asked);
    fflush(asked);
    free(name);
    json_decref(request);
    return found;
}

static _Noreturn void serve(int listener, const struct fake_answer *answers, const char *folder)
{
    char *path = format_text("%s/asked", folder);
    FILE *asked = fopen(path, "a");
    free(path);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        FILE *stream = fd < 0 ? NULL : fdopen(fd, "r+");
        char *line = NULL;
        size_t size = 0;
        if (!stream || !asked)
            _exit(1);
        while (getline(&line, &size, stream) > 0) {
            fprintf(stream, "%s\n", find_answer(answers, line, asked));
            fflush(stream);
        }
        free(line);
        fclose(stream);
    }
}

int fake_node_start(const char *folder, const char *node, const struct fake_answer *answers)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char *dir = format_text("%s/%s", folder, node);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/control.sock", dir);
    mkdir(dir, 0700);
    free(dir);
    unlink(address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 8) != 0)
        return -1;
    fflush(NULL);
    int pid = fork();
    if (pid == 0)
        serve(listener, answers, folder);
    close(listener);
    return pid;
}

void fake_node_end(int pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
