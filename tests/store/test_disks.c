/* test_disks.c: the disk in memory and the disk of files keep the same five promises; files also survive
 * being opened again, and say what went wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/err.h"
#include "host/disk_files.h"
#include "store/log.h"
#include "tests/temporary.h"

static char *make_folder(void)
{
    char *folder = temporary_folder("disks");
    assert_non_null(folder);
    return folder;
}

static void remove_folder(char *folder, uint64_t segments)
{
    for (uint64_t i = 1; i <= segments; i++) {
        char *file = format_text("%s/%010u.log", folder, (unsigned)i);
        unlink(file);
        free(file);
    }
    assert_int_equal(rmdir(folder), 0); /* nothing else was left there */
    free(folder);
}

static struct disk *files(const char *folder)
{
    char *error;
    struct disk *d = disk_files_create(folder, &error);
    assert_null(error);
    assert_non_null(d);
    return d;
}

static void assert_content(struct disk *d, uint64_t number, const char *want)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(d->read(d->self, number, 0, SIZE_MAX, &data, &len), 0);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(data, want, len);
    free(data);
}

static void five_promises(struct disk *d)
{
    uint64_t *numbers;
    size_t len;
    uint8_t *data;
    assert_int_equal(d->list(d->self, &numbers, &len), 0);
    assert_int_equal(len, 0);
    free(numbers);
    assert_true(d->read(d->self, 7, 0, SIZE_MAX, &data, &len) < 0);
    assert_true(d->sync(d->self, 7) < 0);
    assert_true(d->drop(d->self, 7, 0) < 0);

    assert_int_equal(d->append(d->self, 1, "one", 3), 0);
    assert_int_equal(d->append(d->self, 1, " and more", 9), 0);
    assert_int_equal(d->sync(d->self, 1), 0);
    assert_int_equal(d->append(d->self, 2, "two", 3), 0);
    assert_int_equal(d->append(d->self, 12, "twelve", 6), 0);
    assert_int_equal(d->sync(d->self, 12), 0);
    assert_content(d, 1, "one and more");

    assert_int_equal(d->list(d->self, &numbers, &len), 0);
    assert_int_equal(len, 3);
    assert_int_equal(numbers[0], 1);
    assert_int_equal(numbers[1], 2);
    assert_int_equal(numbers[2], 12);
    free(numbers);

    assert_int_equal(d->drop(d->self, 12, 3), 0);
    assert_content(d, 12, "twe");
    assert_int_equal(d->append(d->self, 12, "nty", 3), 0); /* after a cut it goes on at the cut */
    assert_int_equal(d->sync(d->self, 12), 0);
    assert_content(d, 12, "twenty");
    assert_int_equal(d->drop(d->self, 1, 0), 0);
    assert_int_equal(d->drop(d->self, 2, 0), 0);
    assert_int_equal(d->list(d->self, &numbers, &len), 0);
    assert_int_equal(len, 1);
    free(numbers);
    assert_int_equal(d->drop(d->self, 12, 0), 0);
}

static void test_memory_keeps_the_five_promises(void **state)
{
    (void)state;
    struct disk *d = disk_memory_create();
    five_promises(d);
    disk_memory_destroy(d);
}

static void test_files_keep_the_five_promises(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct disk *d = files(folder);
    five_promises(d);
    disk_files_destroy(d);
    remove_folder(folder, 0);
}

static void test_files_are_there_when_opened_again(void **state)
{
    (void)state;
    char *folder = make_folder();
    char *inner = format_text("%s/data", folder);
    struct disk *d = files(inner); /* makes the folder */
    d->append(d->self, 1, "kept", 4);
    d->sync(d->self, 1);
    disk_files_destroy(d);
    struct stat st;
    char *file = format_text("%s/%010u.log", inner, 1u);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    /* what is not a segment is not taken for one */
    char *other = format_text("%s/1.log", inner);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    d = files(inner);
    uint64_t *numbers;
    size_t len;
    assert_int_equal(d->list(d->self, &numbers, &len), 0);
    assert_int_equal(len, 1);
    free(numbers);
    assert_content(d, 1, "kept");
    d->append(d->self, 1, " and", 4);
    assert_content(d, 1, "kept and");
    disk_files_destroy(d);
    unlink(other);
    free(other);
    free(file);
    remove_folder(inner, 1);
    remove_folder(folder, 0);
}

static void test_a_folder_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    char *folder = make_folder();
    char *deep = format_text("%s/not/there", folder);
    char *error;
    assert_null(disk_files_create(deep, &error));
    assert_non_null(strstr(error, deep));
    assert_non_null(strstr(error, "No such file or directory"));
    free(error);
    free(deep);
    char *file = format_text("%s/%010u.log", folder, 1u);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    assert_null(disk_files_create(file, &error));
    assert_non_null(strstr(error, "Not a directory"));
    free(error);
    free(file);
    remove_folder(folder, 1);
}

static int nothing(void *arg, struct bytes record)
{
    (void)arg;
    (void)record;
    return 0;
}

static int count(void *arg, struct bytes record)
{
    (void)record;
    ++*(int *)arg;
    return 0;
}

/* A disk that is full in the middle of a write: append says so, and the log that is opened afterwards has
 * every record that was synced, and says what it cut off. */
static void test_a_full_disk_tears_only_what_was_not_synced(void **state)
{
    (void)state;
    char *folder = make_folder();
    struct disk *d = files(folder);
    char *note;
    struct log *l = log_open(d, nothing, NULL, &note);
    assert_non_null(l);
    log_append(l, bytes_str("confirmed"));
    uint64_t segment;
    struct bytes data;
    assert_int_equal(log_take(l, &segment, &data), 1);
    assert_int_equal(d->append(d->self, segment, data.data, data.len), 0);
    assert_int_equal(d->sync(d->self, segment), 0);
    log_written(l);
    log_append(l, bytes_str("does not fit any more, whatever one tries"));
    assert_int_equal(log_take(l, &segment, &data), 1);

    struct rlimit old, full;
    getrlimit(RLIMIT_FSIZE, &old);
    full = old;
    full.rlim_cur = (rlim_t)log_size(l) - 10;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &full);
    assert_int_equal(d->append(d->self, segment, data.data, data.len), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    log_close(l);
    disk_files_destroy(d);

    d = files(folder);
    int records = 0;
    l = log_open(d, count, &records, &note);
    assert_non_null(l);
    assert_non_null(strstr(note, folder));
    assert_non_null(strstr(note, "dropped the last"));
    assert_int_equal(records, 1);
    free(note);
    log_close(l);
    disk_files_destroy(d);
    remove_folder(folder, 1);
}

/* ---- a disk that fails when it is told to ---- */

struct failing {
    struct disk disk, *real;
    int fail_list, fail_read, fail_drop; /* the error to give, or 0 */
};

static int failing_list(void *self, uint64_t **numbers, size_t *len)
{
    struct failing *f = self;
    return f->fail_list ? f->fail_list : f->real->list(f->real->self, numbers, len);
}

static int failing_read(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len)
{
    struct failing *f = self;
    return f->fail_read ? f->fail_read : f->real->read(f->real->self, number, from, most, data, len);
}

static int failing_drop(void *self, uint64_t number, uint64_t keep_bytes)
{
    struct failing *f = self;
    return f->fail_drop ? f->fail_drop : f->real->drop(f->real->self, number, keep_bytes);
}

static void test_a_disk_that_cannot_be_read_is_an_error_that_says_so(void **state)
{
    (void)state;
    struct disk *real = disk_memory_create();
    struct failing f = {.real = real};
    f.disk = *real;
    f.disk.self = &f;
    f.disk.where = "/the/folder";
    f.disk.list = failing_list;
    f.disk.read = failing_read;
    f.disk.drop = failing_drop;
    char *note;

    f.fail_list = -EACCES;
    assert_null(log_open(&f.disk, nothing, NULL, &note));
    assert_string_equal(note, "/the/folder: cannot be read: Permission denied");
    free(note);
    f.fail_list = 0;

    real->append(real->self, 1, "torn", 4);
    f.fail_read = -EIO;
    assert_null(log_open(&f.disk, nothing, NULL, &note));
    assert_string_equal(note, "/the/folder: segment 1: reading failed: Input/output error");
    free(note);
    f.fail_read = 0;

    f.fail_drop = -EROFS;
    assert_null(log_open(&f.disk, nothing, NULL, &note));
    assert_string_equal(note,
                        "/the/folder: segment 1: cutting off a torn tail failed: Read-only file system");
    free(note);
    disk_memory_destroy(real);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_keeps_the_five_promises),
        cmocka_unit_test(test_files_keep_the_five_promises),
        cmocka_unit_test(test_files_are_there_when_opened_again),
        cmocka_unit_test(test_a_folder_that_cannot_be_used_is_named),
        cmocka_unit_test(test_a_full_disk_tears_only_what_was_not_synced),
        cmocka_unit_test(test_a_disk_that_cannot_be_read_is_an_error_that_says_so),
    };
    return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
