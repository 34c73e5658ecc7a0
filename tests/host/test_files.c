/* test_files.c: the small files of a node's folder: one node per folder, lives that only count up, one secret
 * for a lab. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/loop_private.h"
#include "host/peers_private.h"
#include "tests/temporary.h"

static char *folder;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    folder = temporary_folder("files");
    return folder ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}

static void test_a_folder_has_one_node(void **state)
{
    (void)state;
    char *error, *file = format_text("%s/pid", folder);
    int fd = node_files_pid(folder, &error);
    assert_true(fd >= 0);
    FILE *in = fopen(file, "r");
    int pid = 0;
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%d", &pid), 1);
    fclose(in);
    assert_int_equal(pid, getpid());

    /* a second one waits for a dying first, and then says what is in its way */
    assert_int_equal(node_files_pid(folder, &error), -1);
    assert_non_null(strstr(error, file));
    assert_non_null(strstr(error, "another node runs in this folder"));
    free(error);
    close(fd);
    fd = node_files_pid(folder, &error);
    assert_true(fd >= 0);
    close(fd);
    free(file);
}

/* That process has this file open: it tries to get it. */
static bool has_open(pid_t pid, const char *file)
{
    char path[64], target[512];
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *all = opendir(path);
    bool found = false;
    for (const struct dirent *e; all && !found && (e = readdir(all));) {
        ssize_t len = readlinkat(dirfd(all), e->d_name, target, sizeof(target) - 1);
        found = len > 0 && (size_t)len == strlen(file) && strncmp(target, file, (size_t)len) == 0;
    }
    if (all)
        closedir(all);
    return found;
}

static void test_a_node_whose_predecessor_dies_gets_the_folder(void **state)
{
    (void)state;
    char *error;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    char *file = format_text("%s/pid", folder);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        char *why;
        bool ok = node_files_pid(folder, &why) >= 0;
        if (write(ready[1], ok ? "y" : "n", 1) != 1)
            _exit(1);
        char *real = realpath(file, NULL); /* as /proc says it */
        while (!has_open(parent, real))    /* dies while the other one tries */
            sched_yield();
        _exit(0);
    }
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    int fd = node_files_pid(folder, &error);
    assert_true(fd >= 0);
    close(fd);
    waitpid(child, NULL, 0);
    free(file);
    close(ready[0]);
    close(ready[1]);
}

static void test_a_life_is_later_than_all_before(void **state)
{
    (void)state;
    char *error = NULL;
    assert_int_equal(node_files_incarnation(folder, 1000, &error), 1000);
    assert_int_equal(node_files_incarnation(folder, 2000, &error), 2000);
    /* also when the clock stands still, or goes back */
    assert_int_equal(node_files_incarnation(folder, 2000, &error), 2001);
    assert_int_equal(node_files_incarnation(folder, 5, &error), 2002);
    assert_null(error);
    assert_int_equal(node_files_incarnation("/not/there", 5, &error), 0);
    assert_non_null(strstr(error, "/not/there/incarnation"));
    free(error);
}

static void test_all_nodes_of_a_lab_read_one_secret(void **state)
{
    (void)state;
    char *error, *config = format_text("%s/lab.cfg", folder), *file = format_text("%s/secret", folder);
    char *first = node_files_secret(config, &error), *second = node_files_secret(config, &error);
    assert_non_null(first);
    assert_int_equal(strlen(first), 64);
    assert_string_equal(first, second);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(first);
    free(second);

    assert_int_equal(truncate(file, 0), 0);
    assert_null(node_files_secret(config, &error));
    assert_non_null(strstr(error, file));
    free(error);
    free(file);
    free(config);
}

/* Several that start at the same moment: one of them makes it, all have the same. */
static void test_a_race_for_the_secret_has_one_winner(void **state)
{
    (void)state;
    enum { RACERS = 16 };
    char *config = format_text("%s/lab.cfg", folder);
    int start[2], result[RACERS][2];
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pipe(result[i]), 0);
        if (fork() == 0) {
            char go, *why, *secret;
            close(start[1]);
            if (read(start[0], &go, 1) != 0) /* the end of the pipe starts all at once */
                _exit(2);
            secret = node_files_secret(config, &why);
            _exit(secret && write(result[i][1], secret, 64) == 64 ? 0 : 1);
        }
        close(result[i][1]);
    }
    close(start[1]);
    char secret[RACERS][65] = {{0}};
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(read(result[i][0], secret[i], 64), 64);
        assert_string_equal(secret[i], secret[0]);
        close(result[i][0]);
    }
    close(start[0]);
    while (wait(NULL) > 0)
        ;
    free(config);
}

/* RFC 4231, test cases 1, 2, 3 and 6 (a key longer than a block) */
static void test_the_proof_is_hmac_sha256(void **state)
{
    (void)state;
    uint8_t long_key[131], data50[50], key20[20], aa20[20];
    memset(long_key, 0xaa, sizeof(long_key));
    memset(data50, 0xdd, sizeof(data50));
    memset(key20, 0x0b, sizeof(key20));
    memset(aa20, 0xaa, sizeof(aa20));
    const struct {
        struct bytes key, data;
        const char *want;
    } cases[] = {
        {bytes_of(key20, 20), bytes_str("Hi There"),
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {bytes_str("Jefe"), bytes_str("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {bytes_of(aa20, 20), bytes_of(data50, 50),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {bytes_of(long_key, 131), bytes_str("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t out[PROOF_BYTES];
        char hex[2 * PROOF_BYTES + 1];
        handshake_hmac(cases[i].key, cases[i].data, out);
        for (size_t k = 0; k < sizeof(out); k++)
            snprintf(hex + 2 * k, 3, "%02x", out[k]);
        assert_string_equal(hex, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_folder_has_one_node, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_node_whose_predecessor_dies_gets_the_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_life_is_later_than_all_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_nodes_of_a_lab_read_one_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_race_for_the_secret_has_one_winner, setup, teardown),
        cmocka_unit_test(test_the_proof_is_hmac_sha256),
    };
    return cmocka_run_group_tests_name("a node's files", tests, NULL, NULL);
}
