/* lab_replay_screen.c: a schedule on the screen: played in the simulator, whole, before the first frame; then
 * it is a recording like any other (tui/time_sched.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/lab.h"
#include "main/lab_sim.h"
#include "time_sched.h"

static bool is_schedule(const char *word)
{
    size_t len = strlen(word);
    return len > 6 && strcmp(word + len - 6, ".sched") == 0;
}

bool lab_replay_on_screen(int argc, char **argv)
{
    bool schedule = false, text = false, driven = false;
    int files = 0;
    static const char *const of_text[] = {"--engine", "--trace", "--plain", "--dir",
                                          "--ports",  "--help",  "-h"};
    for (int i = 1; i < argc; i++) {
        schedule = schedule || is_schedule(argv[i]);
        files += argv[i][0] != '-';
        driven = driven || strncmp(argv[i], "--script", 8) == 0 || strncmp(argv[i], "--test-fd", 9) == 0;
        for (size_t o = 0; o < ARRAY_LEN(of_text); o++)
            text = text || strncmp(argv[i], of_text[o], strlen(of_text[o])) == 0;
    }
    if (!schedule)
        return false;
    return driven || (!text && (files > 1 || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))));
}

static char *play(const struct sched *s, const char *file, char **error)
{
    struct sched_recorder *recorder = sched_recorder_create(s, file);
    struct replay_result result = {.watch = sched_recorder_watch(recorder)};
    char *told = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&told, &len);
    int err = replay_on_sim(s, file, false, out, &result);
    fclose(out);
    replay_result_finish(&result);
    char *text = sched_recorder_end(recorder);
    const char *why = told ? strstr(told, "NOT PLAYED TO ITS END: ") : NULL;
    if (err) {
        *error = format_text("%s: %.*s", file, why ? (int)strcspn(why, "\n") : 0, why ? why : "");
        free(text);
        text = NULL;
    }
    free(told);
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

char *lab_load_schedule(const char *file, char **error)
{
    struct sched s;
    if (!is_schedule(file))
        return NULL;
    char *text = lab_read_text(file), *recording = NULL;
    if (!text) {
        *error = format_text("%s: %s", file, strerror(errno));
        return NULL;
    }
    if (sched_parse(&s, file, text, error) == 0) {
        if (s.seeded)
            *error = format_text(
                "%s: its clients are made from a seed; it is played as text: lab replay %s --plain", file,
                file);
        else
            recording = play(&s, file, error);
        sched_finish(&s);
    }
    free(text);
    return recording;
}
