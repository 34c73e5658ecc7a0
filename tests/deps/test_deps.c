/* test_deps.c: the installer of packages, with a package manager that only writes down what it was told:
 * nothing is said or done when all is there; what is missing, and only that, is installed; sudo only when not
 * root; other systems get a list; the broker that Debian would start with rabbitmq-server is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cluster/support.h"
#include "tests/temporary.h"

static char *fake; /* a folder of fake commands, and `done`, what they were told */
static struct text out;

static void command(const char *name, const char *script)
{
    char *path = format_text("%s/%s", fake, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0755), 0);
    free(path);
}

static int setup(void **state)
{
    (void)state;
    fake = temporary_folder("deps");
    if (!fake)
        return -1;
    char *links = format_text(
        "cd '%s' && : >done && for c in sh cat echo rm mktemp printf chmod env; do ln -s \"$(command -v "
        "$c)\" $c; done",
        fake);
    int code = RUN(&out, "sh", "-c", links);
    free(links);
    command("dpkg-query", "for p in $MISSING; do [ \"$4\" = $p ] && exit 1; done; printf installed");
    command(
        "apt-get",
        "echo apt-get \"$@\" >>\"$FAKE/done\"; [ -z \"$BROKEN\" ] || { echo no such archive; exit 100; }");
    command("id", "echo ${USER_ID-0}");
    return code;
}

static int teardown(void **state)
{
    (void)state;
    int code = RUN(&out, "rm", "-rf", fake);
    free(fake);
    text_finish(&out);
    return code;
}

/* Runs the installer in a world of the fake commands only; `with` is VARIABLE=value settings. */
static int deps(const char *with, const char *option)
{
    char *shell = format_text(": >'%s/done'; env -i FAKE='%s' PATH='%s' %s '%s/sh' tests/deps/deps %s", fake,
                              fake, fake, with, fake, option);
    int code = RUN(&out, "sh", "-c", shell);
    free(shell);
    return code;
}

static char *told(void)
{
    struct text list = {0};
    char *path = format_text("%s/done", fake);
    assert_int_equal(RUN(&list, "cat", path), 0);
    free(path);
    char *copy = xstrdup(text_str(&list));
    text_finish(&list);
    return copy;
}

static void nothing_is_said_or_done_when_all_is_there(void **state)
{
    (void)state;
    assert_int_equal(deps("MISSING=", ""), 0);
    assert_string_equal(text_str(&out), "");
    char *done = told();
    assert_string_equal(done, "");
    free(done);
}

static void what_is_missing_is_installed_and_said(void **state)
{
    (void)state;
    assert_int_equal(deps("MISSING='tmux libevent-dev'", ""), 0);
    assert_non_null(strstr(text_str(&out), "deps: not installed: libevent-dev tmux\n"));
    assert_non_null(strstr(text_str(&out), "+ apt-get update"));
    char *done = told();
    assert_string_equal(
        done, "apt-get update -qq\napt-get install -y -qq --no-install-recommends libevent-dev tmux\n");
    free(done);
}

static void not_root_and_no_sudo_says_what_to_run(void **state)
{
    (void)state;
    assert_int_equal(deps("MISSING=tmux USER_ID=1000", ""), 1);
    assert_non_null(strstr(text_str(&out), "As root, run: apt-get update"));
    char *done = told();
    assert_string_equal(done, "");
    free(done);
}

static void not_root_uses_sudo(void **state)
{
    (void)state;
    command("sudo", "echo sudo >>\"$FAKE/done\"; exec \"$@\"");
    assert_int_equal(deps("MISSING=tmux USER_ID=1000", ""), 0);
    char *done = told();
    assert_string_equal(
        done, "sudo\napt-get update -qq\nsudo\napt-get install -y -qq --no-install-recommends tmux\n");
    free(done);
    char *path = format_text("%s/sudo", fake);
    assert_int_equal(unlink(path), 0);
    free(path);
}

static void what_apt_says_is_shown_when_it_fails(void **state)
{
    (void)state;
    assert_true(deps("MISSING=tmux BROKEN=1", "") != 0);
    assert_non_null(strstr(text_str(&out), "no such archive"));
}

static void an_unknown_option_is_refused(void **state)
{
    (void)state;
    assert_int_equal(deps("", "--rabbit"), 64);
    assert_non_null(strstr(text_str(&out), "there are --rabbitmq and --list"));
}

static void other_systems_get_a_list(void **state)
{
    (void)state;
    char *away = format_text("%s/apt-get", fake), *kept = format_text("%s/kept", fake);
    assert_int_equal(rename(away, kept), 0);
    assert_int_equal(deps("MISSING=tmux", ""), 1);
    assert_int_equal(rename(kept, away), 0);
    free(away);
    free(kept);
    assert_non_null(strstr(text_str(&out), "rabbitmq-c"));
    assert_non_null(strstr(text_str(&out), "this system has no apt-get"));
}

/* What `make lab` opens, on a host that is shared. */
static void the_lab_on_other_ports(void **state)
{
    (void)state;
    assert_int_equal(
        RUN(&out, "sh", "-c",
            "eval echo \"$(env -u MAKEFLAGS make --no-print-directory -n lab PORT=6672 | tail -n 1)\""),
        0);
    assert_non_null(strstr(text_str(&out), "/lab --ports 6672,16672,26672\n"));
    assert_int_equal(RUN(&out, "sh", "-c", "env -u MAKEFLAGS make --no-print-directory -n lab | tail -n 1"),
                     0);
    assert_null(strstr(text_str(&out), "--ports"));
    /* above 32767 an outgoing connection may hold the port of a node that is stopped */
    static const struct {
        const char *port;
        bool taken;
    } cases[] = {{"10000", true},  {"12700", true}, {"12701", false},
                 {"40000", false}, {"80", false},   {"x", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *shell =
            format_text("env -u MAKEFLAGS make -s --no-print-directory lab-port PORT=%s 2>&1", cases[i].port);
        assert_int_equal(RUN(&out, "sh", "-c", shell) == 0, cases[i].taken);
        assert_int_equal(strstr(text_str(&out), "choose 1024 to 12700, such as PORT=10000") == NULL,
                         cases[i].taken);
        free(shell);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_or_done_when_all_is_there),
        cmocka_unit_test(what_is_missing_is_installed_and_said),
        cmocka_unit_test(not_root_and_no_sudo_says_what_to_run),
        cmocka_unit_test(not_root_uses_sudo),
        cmocka_unit_test(what_apt_says_is_shown_when_it_fails),
        cmocka_unit_test(an_unknown_option_is_refused),
        cmocka_unit_test(other_systems_get_a_list),
        cmocka_unit_test(the_lab_on_other_ports),
    };
    return cmocka_run_group_tests_name("deps", tests, setup, teardown);
}
