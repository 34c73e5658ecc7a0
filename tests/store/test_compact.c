/* test_compact.c: compaction keeps what the sieve keeps, in order, and loses nothing at whatever moment it is
 * cut off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/vec.h"
#include "store/log.h"

/* Records here are "+N" (N is there), "-N" (N is void), "*NAME" (to come first). */

struct found {
    VEC(char *) records;
};

static int keep_record(void *arg, struct bytes record)
{
    struct found *f = arg;
    VEC_PUSH(&f->records, xstrndup((const char *)record.data, record.len));
    return 0;
}

static void found_clear(struct found *f)
{
    for (size_t i = 0; i < f->records.len; i++)
        free(f->records.items[i]);
    VEC_FREE(&f->records);
}

static struct log *open_log(struct disk *disk, struct found *f)
{
    char *note;
    struct log *l = log_open(disk, keep_record, f, &note);
    if (!l)
        fail_msg("%s", note);
    free(note);
    return l;
}

static void append(struct log *l, const char *text)
{
    log_append(l, bytes_str(text));
}

static void commit(struct log *l, struct disk *disk)
{
    uint64_t segment;
    struct bytes data;
    while (log_take(l, &segment, &data)) {
        assert_int_equal(disk->append(disk->self, segment, data.data, data.len), 0);
        log_written(l);
    }
}

/* ---- the sieve ---- */

#define NUMBERS 64

struct seen {
    uint64_t void_at[NUMBERS]; /* index of the last "-N", + 1 */
    uint64_t looked;
};

static unsigned number_of(struct bytes r)
{
    char text[32];
    snprintf(text, sizeof(text), "%.*s", (int)r.len - 1, (const char *)r.data + 1);
    return (unsigned)strtoul(text, NULL, 10) % NUMBERS;
}

static int look(void *self, uint64_t index, struct bytes r)
{
    struct seen *s = self;
    assert_int_equal(index, s->looked++); /* all, in order, once */
    if (r.data[0] == '-')
        s->void_at[number_of(r)] = index + 1;
    return 0;
}

static int keep(void *self, bool first_part, uint64_t index, struct bytes r)
{
    struct seen *s = self;
    if (r.data[0] == '*')
        return first_part;
    return !first_part && r.data[0] == '+' && s->void_at[number_of(r)] <= index;
}

static int compact(struct disk *disk, uint64_t last, uint64_t *bytes, char **note)
{
    struct seen s = {0};
    struct log_sieve sieve = {.self = &s, .look = look, .keep = keep};
    return log_compact(disk, last, &sieve, bytes, note);
}

static void compact_well(struct disk *disk, struct log *l)
{
    char *note;
    uint64_t bytes;
    struct log_closed closed = log_closed(l);
    assert_int_not_equal(closed.last, 0);
    assert_int_equal(compact(disk, closed.last, &bytes, &note), 0);
    assert_null(note);
    log_compacted(l, closed.last, bytes);
}

static void assert_records(struct disk *disk, const char *want)
{
    struct found f = {0};
    struct log *l = open_log(disk, &f);
    struct text got = {0};
    for (size_t i = 0; i < f.records.len; i++)
        text_printf(&got, "%s%s", i ? " " : "", f.records.items[i]);
    assert_string_equal(text_str(&got), want);
    text_finish(&got);
    found_clear(&f);
    log_close(l);
}

static void append_all(struct log *l, struct disk *disk, const char *words)
{
    char *copy = xstrdup(words), *at = copy, *word;
    while ((word = strsep(&at, " "))) {
        if (strcmp(word, "|") == 0)
            log_roll(l);
        else
            append(l, word);
    }
    free(copy);
    commit(l, disk);
}

/* ---- the tests ---- */

static void test_the_needed_is_kept_in_order_and_the_first_first(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_log(disk, &f);
    append_all(l, disk, "+1 +2 *a +3 | -2 +4 *b +2 | +5 -1");
    uint64_t before = log_size(l);
    compact_well(disk, l);
    assert_true(log_size(l) < before);
    log_close(l);
    /* -1 is in the segment that is still written: +1 stays */
    assert_records(disk, "*a *b +1 +3 +4 +2 +5 -1");
    disk_memory_destroy(disk);
}

static void test_a_log_goes_on_after_a_compaction(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_log(disk, &f);
    append_all(l, disk, "+1 +2 | +3");
    compact_well(disk, l);
    append_all(l, disk, "+4 -2 | +5");
    struct log_closed closed = log_closed(l);
    assert_int_equal(closed.last, 3);
    assert_true(closed.base_bytes > 0 && closed.base_bytes < closed.bytes);
    uint64_t size = log_size(l);
    log_close(l);
    l = open_log(disk, &f); /* what it knows of itself is what is on the disk */
    assert_int_equal(log_size(l), size);
    found_clear(&f);
    compact_well(disk, l);
    append_all(l, disk, "+6");
    log_close(l);
    assert_records(disk, "+1 +3 +4 +5 +6");

    uint64_t *numbers;
    size_t len;
    disk->list(disk->self, &numbers, &len);
    assert_int_equal(len, 2);
    assert_int_equal(numbers[0], 4);
    assert_int_equal(numbers[1], 5);
    free(numbers);
    disk_memory_destroy(disk);
}

static void test_all_may_be_void(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_log(disk, &f);
    append_all(l, disk, "+1 -1 | +2");
    compact_well(disk, l);
    log_close(l);
    assert_records(disk, "+2");
    disk_memory_destroy(disk);
}

/* ---- a disk that ends at a given moment: what it did before is there, what comes then is not ---- */

struct mortal {
    struct disk disk, *real;
    unsigned left; /* calls that change something, until it ends */
    size_t torn;   /* of the append it ends in, so many bytes arrive */
    int error;
};

static int mortal_list(void *self, uint64_t **numbers, size_t *len)
{
    struct mortal *m = self;
    return m->real->list(m->real->self, numbers, len);
}

static int mortal_read(void *self, uint64_t number, uint64_t from, size_t most, uint8_t **data, size_t *len)
{
    struct mortal *m = self;
    return m->real->read(m->real->self, number, from, most, data, len);
}

static int mortal_append(void *self, uint64_t number, const void *data, size_t len)
{
    struct mortal *m = self;
    if (m->left > 0) {
        m->left--;
        return m->real->append(m->real->self, number, data, len);
    }
    if (m->torn)
        m->real->append(m->real->self, number, data, m->torn < len ? m->torn : len);
    m->torn = 0;
    return m->error;
}

static int mortal_sync(void *self, uint64_t number)
{
    struct mortal *m = self;
    if (m->left == 0)
        return m->error;
    m->left--;
    return m->real->sync(m->real->self, number);
}

static int mortal_drop(void *self, uint64_t number, uint64_t keep_bytes)
{
    struct mortal *m = self;
    if (m->left == 0)
        return m->error;
    m->left--;
    return m->real->drop(m->real->self, number, keep_bytes);
}

static struct mortal mortal_over(struct disk *real)
{
    return (struct mortal){.real = real,
                           .error = -EIO,
                           .disk = {.where = "/a/folder",
                                    .list = mortal_list,
                                    .read = mortal_read,
                                    .append = mortal_append,
                                    .sync = mortal_sync,
                                    .drop = mortal_drop}};
}

static void test_cut_off_at_any_moment_nothing_is_lost(void **state)
{
    (void)state;
    bool finished = false;
    for (unsigned calls = 0; !finished; calls++) {
        for (size_t torn = 0; torn < 120 && !finished; torn += 7) {
            struct disk *disk = disk_memory_create();
            struct found f = {0};
            struct log *l = open_log(disk, &f);
            append_all(l, disk, "+1 +2 | -1 *a | +3 +4 | +5 -3");
            struct mortal m = mortal_over(disk);
            char *note;
            uint64_t bytes;
            m.disk.self = &m;
            m.left = calls;
            m.torn = torn;
            finished = compact(&m.disk, log_closed(l).last, &bytes, &note) == 0;
            if (!finished) {
                assert_non_null(note);
                assert_non_null(strstr(note, "/a/folder: segment "));
                assert_non_null(strstr(note, "Input/output error"));
            }
            free(note);
            log_close(l);

            /* as a node that starts again finds it: before, or after; the void may be there, the rest must */
            l = open_log(disk, &f);
            bool copied = f.records.len == 6; /* *a +2 +3 +4 | +5 -3 */
            assert_true(copied || f.records.len == 8);
            static const char *const after[] = {"*a", "+2", "+3", "+4", "+5", "-3"};
            static const char *const before[] = {"+1", "+2", "-1", "*a", "+3", "+4", "+5", "-3"};
            for (size_t i = 0; i < f.records.len; i++)
                assert_string_equal(f.records.items[i], copied ? after[i] : before[i]);
            assert_true(!finished || copied);
            found_clear(&f);
            append_all(l, disk, "+6"); /* and it goes on */
            log_roll(l);
            append_all(l, disk, "+7");
            compact_well(disk, l);
            log_close(l);
            assert_records(disk, "*a +2 +4 +5 +6 +7");
            disk_memory_destroy(disk);
        }
        assert_true(calls < 100);
    }
}

static void test_a_copy_that_rots_is_an_error(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_log(disk, &f);
    append_all(l, disk, "+1 +2 | +3");
    compact_well(disk, l);
    log_close(l);
    uint8_t *data, *rest;
    size_t len, rest_len;
    disk->read(disk->self, 2, 0, SIZE_MAX, &data, &len);
    disk->read(disk->self, 3, 0, SIZE_MAX, &rest, &rest_len);
    for (unsigned bit = 0; bit < len * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        disk->drop(disk->self, 2, 0);
        disk->drop(disk->self, 3, 0);
        disk->append(disk->self, 2, data, len);
        disk->append(disk->self, 3, rest, rest_len);
        char *note;
        assert_null(log_open(disk, keep_record, &f, &note));
        assert_non_null(strstr(note, "segment 2 has a broken record"));
        free(note);
        assert_int_equal(f.records.len, 0);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(data);
    free(rest);
    disk_memory_destroy(disk);
}

static void test_random_histories(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct disk *disk = disk_memory_create();
        bool there[NUMBERS] = {false};
        for (int life = 0; life < 4; life++) {
            struct found f = {0};
            struct log *l = open_log(disk, &f);
            bool now[NUMBERS] = {false};
            for (size_t i = 0; i < f.records.len; i++)
                now[number_of(bytes_str(f.records.items[i]))] = f.records.items[i][0] == '+';
            assert_memory_equal(now, there, sizeof(now));
            found_clear(&f);
            for (int step = 0; step < 40; step++) {
                unsigned n = (unsigned)rng_below(&rng, NUMBERS);
                char text[16];
                snprintf(text, sizeof(text), "%c%u", there[n] ? '-' : '+', n);
                there[n] = !there[n];
                append(l, text);
                if (rng_chance(&rng, 20))
                    log_roll(l);
                if (rng_chance(&rng, 50))
                    commit(l, disk);
                struct log_closed closed = log_closed(l);
                if (rng_chance(&rng, 20) && closed.bytes > closed.base_bytes)
                    compact_well(disk, l);
            }
            commit(l, disk);
            log_close(l);
        }
        disk_memory_destroy(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_needed_is_kept_in_order_and_the_first_first),
        cmocka_unit_test(test_a_log_goes_on_after_a_compaction),
        cmocka_unit_test(test_all_may_be_void),
        cmocka_unit_test(test_cut_off_at_any_moment_nothing_is_lost),
        cmocka_unit_test(test_a_copy_that_rots_is_an_error),
        cmocka_unit_test(test_random_histories),
    };
    return cmocka_run_group_tests_name("compaction", tests, NULL, NULL);
}
