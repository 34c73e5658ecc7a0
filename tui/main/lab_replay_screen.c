/* lab_replay_screen.c: a schedule on the screen, as a recording like any other (tui/time_sched.h): played in
 * the simulator, whole, before the first frame; or on real nodes, by a child that writes the recording into a
 * pipe while the screen shows it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "main/lab.h"
#include "main/lab_sim.h"
#include "time_sched.h"
#include "words.h"

static bool is_schedule(const char *word)
{
    size_t len = strlen(word);
    return len > 6 && strcmp(word + len - 6, ".sched") == 0;
}

static bool begins_with(const char *word, const char *const *options, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strncmp(word, options[i], strlen(options[i])) == 0)
            return true;
    return false;
}

bool lab_replay_on_screen(int argc, char **argv)
{
    bool schedule = false, text = false, driven = false;
    int files = 0;
    static const char *const of_text[] = {"--trace", "--plain", "--help", "-h"};
    static const char *const driving[] = {"--script", "--test-fd"};
    static const char *const with_value[] = {"--engine", "--dir",    "--ports",  "--config",
                                             "--clock",  "--script", "--test-fd"};
    for (int i = 1; i < argc; i++) {
        bool value = begins_with(argv[i], with_value, ARRAY_LEN(with_value));
        schedule = schedule || is_schedule(argv[i]);
        files += argv[i][0] != '-';
        text = text || begins_with(argv[i], of_text, ARRAY_LEN(of_text));
        driven = driven || begins_with(argv[i], driving, ARRAY_LEN(driving));
        i += value && !strchr(argv[i], '='); /* what follows is no file */
    }
    if (!schedule)
        return false;
    return driven || (!text && (files > 1 || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))));
}

/* where lab_load_schedule plays; the simulator, if nobody has said so */
static const struct lab_replay_where *nodes;

void lab_load_on_nodes(const struct lab_replay_where *where)
{
    nodes = where;
}

static const char *engine_name(const struct lab_replay_where *where)
{
    return where->engine == ENGINE_KIT ? "kit" : "rabbitmq";
}

static char *play(const struct sched *s, const char *file, const char *schedule, char **error)
{
    struct sched_recorder *recorder =
        nodes ? sched_recorder_live(s, file, engine_name(nodes), -1) : sched_recorder_create(s, file);
    struct replay_result result = {.watch = sched_recorder_watch(recorder), .translate = lesson_words};
    FILE *unread = fopen("/dev/null", "we");
    int err = nodes       ? lab_play_on_nodes(s, file, nodes, stdout, &result)
              : s->seeded ? replay_seeded_shown(s, file, schedule, &result)
                          : replay_on_sim(s, file, false, unread, &result);
    fclose(unread);
    char *text = sched_recorder_end(recorder);
    if (err) {
        *error = format_text("%s: %s", file, result.problem ? result.problem : err_text(err));
        free(text);
        text = NULL;
    }
    replay_result_finish(&result);
    return text;
}

char *lab_read_text(const char *path)
{
    FILE *f = fopen(path, "re");
    struct text t = {0};
    char part[4096];
    if (!f)
        return NULL;
    text_add(&t, "");
    for (size_t got; (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&t, part, got);
    bool bad = ferror(f);
    fclose(f);
    if (!bad && strlen(t.s) == t.len)
        return t.s;
    errno = bad ? EIO : EILSEQ; /* a NUL: not a text */
    text_finish(&t);
    return NULL;
}

/* Its text, the caller's, as the schedule, which is to be finished; NULL and *error. */
static char *read_schedule(struct sched *s, const char *file, bool on_nodes, char **error)
{
    char *text = lab_read_text(file);
    if (!text) {
        *error = format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    int err = replay_read(s, file, text, error);
    if (!err && s->seeded && on_nodes) {
        *error = replay_seeded_elsewhere(s, file);
        sched_finish(s);
        err = ERR_INVALID;
    }
    if (!err)
        return text;
    free(text);
    return NULL;
}

char *lab_load_schedule(const char *file, char **error)
{
    struct sched s;
    char *text = is_schedule(file) ? read_schedule(&s, file, nodes != NULL, error) : NULL;
    if (!text)
        return NULL;
    char *recording = play(&s, file, text, error);
    free(text);
    sched_finish(&s);
    return recording;
}

/* ---- while it is played ---- */

/* The child's whole life. A screen that is gone is no reason to leave its nodes behind. */
static int play_into(int fd, const struct sched *s, const char *file, const struct lab_replay_where *where)
{
    signal(SIGPIPE, SIG_IGN);
    struct sched_recorder *recorder = sched_recorder_live(s, file, engine_name(where), fd);
    struct replay_result result = {.watch = sched_recorder_watch(recorder), .translate = lesson_words};
    FILE *unread = fopen("/dev/null", "we");
    int err = lab_play_on_nodes(s, file, where, unread, &result);
    bool lost = false;
    for (size_t i = 0; i < result.messages.len; i++)
        lost = lost || result.messages.items[i].lost_step;
    if (result.problem || !lost) {
        char *last = format_text(!result.problem ? _("%s was played to its end")
                                 : err           ? _("NOT PLAYED TO ITS END: %s")
                                                 : _("NOT AS EXPECTED: %s"),
                                 result.problem ? result.problem : file);
        sched_recorder_say(recorder, last);
        free(last);
    }
    free(sched_recorder_end(recorder));
    int code = err || !result.as_expected;
    replay_result_finish(&result);
    fclose(unread);
    return code;
}

int lab_replay_begin(const char *file, const struct lab_replay_where *where, int *fd, pid_t *pid)
{
    struct sched s;
    char *error = NULL;
    int ends[2];
    char *text = read_schedule(&s, file, true, &error);
    free(text);
    if (!text) {
        fprintf(stderr, "lab: %s\n", error);
        free(error);
        return LAB_EXIT_CONFIG;
    }
    if (pipe2(ends, O_CLOEXEC)) {
        fprintf(stderr, "lab: %s: no pipe to play it into: %s\n", file, strerror(errno));
        sched_finish(&s);
        return LAB_EXIT_NOT_DONE;
    }
    printf(_("%s: %u %s nodes are started for it ...\n"), file, s.nodes, engine_name(where));
    fflush(NULL);
    *pid = fork();
    if (*pid == 0) {
        close(ends[0]);
        _exit(play_into(ends[1], &s, file, where));
    }
    sched_finish(&s);
    close(ends[1]);
    *fd = ends[0];
    return *pid > 0 ? 0 : LAB_EXIT_NOT_DONE;
}

/* It has closed its end, once all that it wrote is read. */
static bool was_all(int fd)
{
    char part[4096];
    ssize_t got;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while ((got = read(fd, part, sizeof(part))) > 0)
        ;
    return got == 0;
}

int lab_replay_end(int fd, pid_t pid)
{
    int status = 0;
    if (!was_all(fd)) {
        fputs(_("lab: the nodes of the replay are ended ...\n"), stderr);
        kill(pid, SIGTERM);
    }
    close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : LAB_EXIT_NOT_DONE;
}
