/* test_found.c: schedules that once broke a promise of the library, or that the checker once accused
 * wrongly, found by seeds and shrunk: tests/sim/found. Each has the seed whose latencies made it so, and is
 * played as it stands. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "shrink.h"
#include "sim/plan.h"

#define FOLDER "tests/sim/found"

static char *read_all(const char *path)
{
    FILE *f = fopen(path, "r");
    struct text t = {0};
    char part[4096];
    if (!f)
        fail_msg("%s cannot be read (tests run in the project's folder)", path);
    for (size_t got; (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&t, part, got);
    fclose(f);
    return t.s;
}

/* A time stands in front of each. */
static unsigned events(const char *text)
{
    unsigned count = *text == '+';
    while ((text = strstr(text, "\n+"))) {
        count++;
        text++;
    }
    return count;
}

static void play(const char *path)
{
    struct plan p;
    struct plan_result r;
    char *text = read_all(path), *error = NULL;
    if (plan_read(&p, path, text, &error) != 0)
        fail_msg("%s", error);
    if (events(text) > SHRINK_EVENTS)
        fail_msg("%s has %u events; %d are as many as one can read: shrink its seed again", path,
                 events(text), SHRINK_EVENTS);
    plan_run(&p, &r);
    if (r.failure)
        fail_msg("%s: %s", path, r.failure);
    assert_true(r.steps > 100);
    free(r.failure);
    plan_finish(&p);
    free(text);
}

static void what_once_broke_holds(void **state)
{
    (void)state;
    struct dirent **names;
    int found = scandir(FOLDER, &names, NULL, alphasort), played = 0;
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        size_t len = strlen(names[i]->d_name);
        if (len > 6 && strcmp(names[i]->d_name + len - 6, ".sched") == 0) {
            char *path = format_text("%s/%s", FOLDER, names[i]->d_name);
            play(path);
            free(path);
            played++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(played >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_once_broke_holds)};
    return cmocka_run_group_tests_name("sim/found", tests, NULL, NULL);
}
