/* scene.c: see scene.h. */
#include "tests/screen/scene.h"

#include <unistd.h>

#include "words.h"
#include "tests/temporary.h"

/* What the copy is told by a file: it is the same program, so the same bytes mean the same. */
struct told {
    struct labdir lab;
    int lesson;
};

static int run_copy(struct scene *s)
{
    struct told told = {s->lab, s->lesson};
    char *program = format_text("%s/screen", s->forged), *file = format_text("%s/told", s->forged);
    FILE *f = fopen(file, "w");
    if (f && fwrite(&told, sizeof(told), 1, f) == 1 && fclose(f) == 0)
        execl(program, program, "--forged", file, (char *)NULL);
    return 126;
}

int scene_main(int argc, char **argv)
{
    struct told told;
    struct tui_options options = {.test_fd = TEST_FD};
    if (argc != 3 || strcmp(argv[1], "--forged") != 0)
        return -1;
    FILE *f = fopen(argv[2], "re");
    bool read = f && fread(&told, sizeof(told), 1, f) == 1;
    if (f)
        fclose(f);
    free(words_init());
    return read ? tui_run(&told.lab, told.lesson, &options) : 126;
}

void scene_forge(struct scene *s)
{
    assert_true(temporary_folder_in(s->forged, sizeof(s->forged), "forged"));
    char *make = format_text("cd %s && cp -L /proc/%ld/exe screen && mkdir -p lessons/07-failover && printf "
                             "'#!/bin/sh\necho \"${0##*/} $*\" >>%s/ran\n' >labctl && chmod +x labctl && for "
                             "p in producer consumer "
                             "node; do cp labctl lessons/07-failover/$p; done",
                             s->forged, (long)getpid(), s->forged);
    assert_int_equal(system(make), 0);
    free(make);
}

char *scene_forged_ran(const struct scene *s)
{
    char *file = format_text("%s/ran", s->forged), *text = file_text(file, NULL);
    free(file);
    return text;
}

static int child(void *arg)
{
    struct scene *s = arg;
    if (s->term)
        setenv("TERM", s->term, 1);
    if (s->no_color)
        setenv("NO_COLOR", s->no_color, 1);
    if (s->locale)
        setenv("LC_ALL", s->locale, 1);
    if (*s->forged)
        return run_copy(s);
    free(words_init());
    int next = 0, code = 0; /* as lab does it (tui/main/lab.c) */
    char *to_say = NULL;
    if (s->lesson) {
        s->options.go_on = &next;
        s->options.to_say = &to_say;
    }
    do {
        int lesson = next ? next : s->lesson;
        next = 0;
        code = tui_run(&s->lab, lesson, &s->options);
    } while (!code && next);
    free(to_say);
    return code;
}

int scene_begin(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    s->base = event_base_new();
    s->options.test_fd = TEST_FD;
    *state = s;
    return 0;
}

int scene_end(void **state)
{
    struct scene *s = *state;
    if (s->t)
        terminal_end(s->t);
    if (s->fake)
        fake_destroy(s->fake);
    if (*s->replay)
        unlink(s->replay);
    if (*s->forged) {
        char *remove_it = format_text("rm -r %s", s->forged);
        if (system(remove_it) != 0)
            print_error("%s is left\n", s->forged);
        free(remove_it);
    }
    event_base_free(s->base);
    free(s);
    return 0;
}

/* a recording of these snapshots */
void scene_replay(struct scene *s, const char *const *names)
{
    assert_true(temporary_file_in(s->replay, sizeof(s->replay), "replay", ""));
    FILE *f = fopen(s->replay, "we");
    assert_non_null(f);
    for (; *names; names++) {
        struct snapshot *snapshot = load_snapshot(*names);
        json_t *json = snapshot_to_json(snapshot);
        json_dumpf(json, f, JSON_COMPACT);
        fputc('\n', f);
        json_decref(json);
        snapshot_destroy(snapshot);
    }
    fclose(f);
    s->options.replay = s->replay;
}

void scene_start(struct scene *s, int width, int height)
{
    s->t = terminal_start(s->base, width, height, child, s);
}

void assert_seen(struct scene *s, const char *part)
{
    if (!terminal_wait_text(s->t, part, SOON))
        fail_msg("not on the screen: %s\n%s\n%s", part, terminal_text(s->t), terminal_stderr(s->t));
}

void assert_goes(struct scene *s, const char *part)
{
    if (!terminal_wait_gone(s->t, part, SOON))
        fail_msg("still on the screen: %s\n%s", part, terminal_text(s->t));
}

void assert_ended(struct scene *s, int expected)
{
    static char errors[8192]; /* a sanitizer's words, if there are any */
    snprintf(errors, sizeof(errors), "%s", terminal_stderr(s->t));
    int code = terminal_end(s->t);
    s->t = NULL;
    if (code != expected)
        fail_msg("exit code %d; stderr:\n%s", code, errors);
}

void scene_quit(struct scene *s)
{
    terminal_type(s->t, "q");
    assert_true(terminal_wait_end(s->t, SOON));
    assert_contains(terminal_text(s->t), "mirrorlab");
    assert_ended(s, 0);
}

/* the frame that this recording has at this size */
static char *expected_frame(const char *name, int width, int height)
{
    struct model m;
    struct snapshot *s = load_snapshot(name);
    model_init(&m, NULL, NULL, false, true);
    model_observe(&m, s);
    char *frame = model_frame(&m, width, height);
    model_finish(&m);
    snapshot_destroy(s);
    return frame;
}

static bool shows(struct terminal_test *t, void *arg)
{
    return strcmp(terminal_text(t), arg) == 0;
}

void assert_shows_frame(struct scene *s, const char *name, int width, int height)
{
    char *expected = expected_frame(name, width, height);
    if (!terminal_wait(s->t, shows, expected, SOON))
        fail_msg("%dx%d: on the screen is\n%s\nexpected was\n%s\n%s", width, height, terminal_text(s->t),
                 expected, terminal_stderr(s->t));
    free(expected);
}

void scene_live(struct scene *s, int lesson)
{
    s->fake = fake_create(s->base, 3);
    fake_queues(s->fake, "[" HELLO "]");
    fake_labdir(s->fake, &s->lab);
    snprintf(s->lab.path, sizeof(s->lab.path), "/nowhere");
    s->lesson = lesson;
    scene_start(s, 80, 24);
    assert_seen(s, "LIVE");
}

struct rounds {
    struct fake *fake;
    uint64_t until;
};

static bool rounds_passed(struct terminal_test *t, void *arg)
{
    struct rounds *r = arg;
    (void)t;
    return fake_rounds(r->fake) >= r->until;
}

/* waits until the nodes were asked that many times more */
void scene_pass_rounds(struct scene *s, uint64_t rounds)
{
    struct rounds r = {s->fake, fake_rounds(s->fake) + 3 * rounds};
    assert_true(terminal_wait(s->t, rounds_passed, &r, SOON));
}
