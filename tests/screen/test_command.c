/* test_command.c: what lab says on a command line that cannot be done, and what it prints of a schedule: one
 * line that says what to do next, in the language of the locale. No node is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/cluster/support.h"
#include "tests/temporary.h"

#define CHINESE "LANG=zh_CN.UTF-8"
#define ENGLISH "LANG=C.UTF-8"

static char program[4096];

/* "env LANG=... lab WORDS": its exit code; out is what it printed */
static int lab_says(struct text *out, const char *language, const char *const *words)
{
    const char *argv[16] = {"/usr/bin/env", "-u",       "LC_ALL", "-u",   "LC_MESSAGES",
                            "-u",           "LANGUAGE", language, program};
    for (size_t i = 0; words[i] && i < 6; i++)
        argv[9 + i] = words[i];
    return run_program(out, 60000, argv);
}
#define LAB(out, language, ...) lab_says((out), (language), (const char *const[]){__VA_ARGS__, NULL})

static size_t lines(const struct text *t)
{
    size_t n = 0;
    for (const char *at = text_str(t); *at; at++)
        n += *at == '\n';
    return n;
}

static void an_error_is_one_line_in_the_readers_language(void **state)
{
    static const struct {
        const char *words[4];
        int code;
        const char *english, *chinese;
    } all[] = {
        {{"staus"}, 64, "lab: unknown verb 'staus': did you mean 'status'? lab --help", "是 'status' 吗？"},
        {{"frobnicate"},
         64,
         "lab: unknown verb 'frobnicate'; lab --help",
         "没有动词 'frobnicate'；lab --help"},
        {{"list_queues"}, 64, "it is labctl's, labctl list_queues", "它是 labctl 的"},
        {{"up", "--bogus"}, 64, "lab: --bogus: no such option", "--bogus：没有这个选项"},
        {{"up", "--engine", "ejabberd"}, 64, "write kit or rabbitmq", "写 kit 或 rabbitmq"},
        {{"replay"}, 64, "name a schedule (*.sched) or a recording", "请指定一个剧本"},
        {{"replay", "--plain", "/nowhere/x.sched"}, 1, "name a schedule (*.sched)", "请指定一个剧本"},
        {{"replay", "--bogus", "x.sched"}, 64, "lab replay --help shows", "replay 没有这个选项"},
    };
    (void)state;
    struct text out = {0};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (int chinese = 0; chinese < 2; chinese++) {
            const char *expected = chinese ? all[i].chinese : all[i].english;
            int code = lab_says(&out, chinese ? CHINESE : ENGLISH, all[i].words);
            if (code != all[i].code || !strstr(text_str(&out), expected) || lines(&out) != 1)
                fail_msg("lab %s: %d instead of %d, or not one line with \"%s\":\n%s", all[i].words[0], code,
                         all[i].code, expected, text_str(&out));
        }
    }
    text_finish(&out);
}

/* What is to be typed is the lab that was called, by the same path: it need not be in PATH; and it is told
 * the folder, if it would not take that one by itself. */
static void no_lab_says_how_to_start_one(void **state)
{
    (void)state;
    struct text out = {0};
    char *control = format_text("%sctl", program);
    char *english = format_text("lab: no lab in /nowhere/lab: start one with `%s up --dir /nowhere/lab` (or "
                                "name its folder with --dir)\n",
                                program);
    char *chinese = format_text(
        "lab: /nowhere/lab 里没有实验：用 `%s up --dir /nowhere/lab` 启动一个（或用 --dir 指定它的文件夹）\n",
        program);
    char *from_control =
        format_text("Error: no lab in /nowhere/lab: start one with `%s up --dir /nowhere/lab` "
                    "(or name its folder with --dir)\n",
                    program);
    char *usual = format_text("lab: no lab in /nowhere/lab: start one with `%s up` (or name", program);
    assert_int_equal(LAB(&out, ENGLISH, "down", "--dir", "/nowhere/lab"), 1);
    assert_string_equal(text_str(&out), english);
    assert_int_equal(LAB(&out, CHINESE, "down", "--dir", "/nowhere/lab"), 1);
    assert_string_equal(text_str(&out), chinese);
    assert_int_equal(
        run_program(&out, 60000, (const char *const[]){control, "--dir", "/nowhere/lab", "status", NULL}),
        78);
    assert_string_equal(text_str(&out), from_control);
    setenv("MIRRORLAB_DIR", "/nowhere/lab", 1); /* it takes that one by itself */
    assert_int_equal(LAB(&out, ENGLISH, "down"), 1);
    unsetenv("MIRRORLAB_DIR");
    assert_non_null(strstr(text_str(&out), usual));
    free(usual);
    free(control);
    free(english);
    free(chinese);
    free(from_control);
    text_finish(&out);
}

/* So does what is said when all went well; a cluster that runs elsewhere needs no node here. */
static void what_looks_at_a_lab_elsewhere_names_its_folder(void **state)
{
    (void)state;
    struct text out = {0};
    char *folder = temporary_folder("command");
    assert_non_null(folder);
    char *config = format_text("%s/mine.cfg", folder), *written = format_text("%s/lab.cfg", folder);
    char *says = format_text("`%s --dir %s` and `%s status --dir %s` now look at it", program, folder,
                             program, folder);
    FILE *f = fopen(config, "we");
    assert_non_null(f);
    fputs("engine = \"rabbitmq\"; nodes = ( { name = \"rabbit1\"; url = \"http://127.0.0.1:9\"; } );\n", f);
    fclose(f);
    assert_int_equal(LAB(&out, ENGLISH, "up", "--dir", folder, "--config", config), 0);
    if (!strstr(text_str(&out), says))
        fail_msg("instead of %s:\n%s", says, text_str(&out));
    unlink(config);
    unlink(written);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    free(config);
    free(written);
    free(says);
    text_finish(&out);
}

/* A run deletes the queues of the lesson that somebody has open: not without being asked to. What stops it
 * here afterwards, before any node is started, is --ports. */
static void a_run_leaves_the_lesson_of_a_screen_alone(void **state)
{
    (void)state;
    struct text out = {0};
    char *folder = temporary_folder("command");
    assert_non_null(folder);
    char *file = format_text("%s/screen", folder), *dir = format_text("--dir=%s", folder);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "6\n", 2), 2);
    struct flock shared = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &shared), 0);
    assert_int_equal(LAB(&out, ENGLISH, dir, "run", "7", "--headless", "--ports=none"), 1);
    assert_non_null(
        strstr(text_str(&out), "shows lesson 6, and a run deletes its queues: leave that screen (q)"));
    assert_non_null(strstr(text_str(&out), "add --force"));
    assert_int_equal(lines(&out), 1);
    assert_int_equal(LAB(&out, CHINESE, dir, "run", "7", "--headless", "--ports=none"), 1);
    assert_non_null(strstr(text_str(&out), "第 6 课"));
    assert_int_equal(LAB(&out, ENGLISH, dir, "run", "7", "--headless", "--force", "--ports=none"), 64);
    assert_non_null(strstr(text_str(&out), "--ports none: write node1's three ports"));
    close(fd); /* the screen has ended; what it wrote is still there */
    assert_int_equal(LAB(&out, ENGLISH, dir, "run", "7", "--headless", "--ports=none"), 64);
    assert_non_null(strstr(text_str(&out), "--ports none: write node1's three ports"));
    unlink(file);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    free(file);
    free(dir);
    text_finish(&out);
}

static void a_schedule_is_told_in_the_readers_language(void **state)
{
    (void)state;
    struct text out = {0};
    assert_int_equal(LAB(&out, ENGLISH, "replay", "--plain", "lessons/schedules/five-steps.sched"), 0);
    assert_non_null(
        strstr(text_str(&out), "LOST m1 through L1: a mirror that was not synchronised was promoted"));
    assert_non_null(
        strstr(text_str(&out),
               "\n  m1    persistent, published in step 1 through node1, confirmed, LOST in step 5"));
    assert_int_equal(LAB(&out, CHINESE, "replay", "--plain", "lessons/schedules/five-steps.sched"), 0);
    assert_non_null(strstr(text_str(&out), "LOST m1 经由 L1：未同步的镜像被提升为主节点"));
    assert_non_null(
        strstr(text_str(&out), "\n  m1    持久，在第 1 步通过 node1 发布，已确认，在第 5 步丢失"));
    assert_null(strstr(text_str(&out), "published"));
    text_finish(&out);
}

/* "sh -c": its exit code; -1: it did not end */
static int shell(struct text *out, const char *format, const char *file)
{
    char *line = format_text(format, program, file);
    const char *argv[] = {"/usr/bin/env", "-u", "LC_ALL", "TZ=UTC", ENGLISH, "/bin/sh", "-c", line, NULL};
    int code = run_program(out, 20000, argv);
    free(line);
    return code;
}

static size_t frames_in(const struct text *t)
{
    size_t n = 0;
    for (const char *at = text_str(t); (at = strstr(at, "mirrorlab ")); at++)
        n++;
    return n;
}

/* No key will come: a recording is shown to its end, and that is the end of the program. */
static void a_recording_is_played_through_where_no_key_comes(void **state)
{
    (void)state;
    static const char lesson[] = "tests/screen/recordings/lesson2.ndjson";
    struct text out = {0};
    assert_int_equal(shell(&out, "%s replay --plain %s </dev/null", lesson), 0);
    assert_true(frames_in(&out) > 10);
    assert_non_null(strstr(text_str(&out), " 0/6 -"));
    assert_non_null(strstr(text_str(&out), "All 6 steps were seen."));
    assert_int_equal(
        shell(&out, "%s replay --plain %s tests/screen/recordings/lesson7.ndjson </dev/null", lesson), 0);
    assert_non_null(strstr(text_str(&out), "REPLAY                                    || line 0/"));
    assert_non_null(strstr(text_str(&out), "REPLAY                                    || line 9/9"));
    /* nor will another one: what the keys asked for is shown */
    assert_int_equal(shell(&out, "printf ']]' | %s replay --plain %s", lesson), 0);
    assert_int_equal(frames_in(&out), 3);
    assert_null(strstr(text_str(&out), "All 6 steps were seen."));
    char *replayed = xstrdup(text_str(&out)); /* the other way to say where the data come from */
    assert_int_equal(shell(&out, "printf ']]' | %s --source replay:%s --plain", lesson), 0);
    assert_string_equal(text_str(&out), replayed);
    free(replayed);
    assert_int_equal(shell(&out, "%s replay --plain %s </dev/null | head -2", lesson), 0);
    text_finish(&out);
}

int main(void)
{
    const char *build = getenv("BUILD");
    char *folder = realpath(build ? build : "build", NULL);
    snprintf(program, sizeof(program), "%s/lab", folder ? folder : "build");
    free(folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_one_line_in_the_readers_language),
        cmocka_unit_test(no_lab_says_how_to_start_one),
        cmocka_unit_test(what_looks_at_a_lab_elsewhere_names_its_folder),
        cmocka_unit_test(a_run_leaves_the_lesson_of_a_screen_alone),
        cmocka_unit_test(a_schedule_is_told_in_the_readers_language),
        cmocka_unit_test(a_recording_is_played_through_where_no_key_comes),
    };
    return cmocka_run_group_tests_name("screen/command", tests, NULL, NULL);
}
