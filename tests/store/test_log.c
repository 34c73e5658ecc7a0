/* test_log.c: what log_written was called for comes back; what a crash tears off is cut off and said;
 * anything else that is wrong is an error that names the place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/vec.h"
#include "store/log.h"

#define SEGMENT_HEAD 20
#define RECORD_HEAD  20

/* ---- what the tests share ---- */

struct found {
    VEC(char *) records;
    int refuse; /* the error to answer the next record with */
};

static int keep(void *arg, struct bytes record)
{
    struct found *f = arg;
    if (f->refuse)
        return f->refuse;
    VEC_PUSH(&f->records, xstrndup((const char *)record.data, record.len));
    return 0;
}

static void found_clear(struct found *f)
{
    for (size_t i = 0; i < f->records.len; i++)
        free(f->records.items[i]);
    VEC_FREE(&f->records);
}

static struct log *open_clean(struct disk *disk, struct found *f)
{
    char *note;
    struct log *l = log_open(disk, keep, f, &note);
    assert_non_null(l);
    assert_null(note);
    return l;
}

static void append(struct log *l, const char *text)
{
    log_append(l, bytes_str(text));
}

/* one group commit; returns its number of records */
static size_t commit(struct log *l, struct disk *disk)
{
    uint64_t segment;
    struct bytes data;
    size_t records = log_take(l, &segment, &data);
    if (records) {
        assert_int_equal(disk->append(disk->self, segment, data.data, data.len), 0);
        assert_int_equal(disk->sync(disk->self, segment), 0);
        log_written(l);
    }
    return records;
}

/* replaces a segment's content */
static void rewrite(struct disk *disk, uint64_t number, const uint8_t *data, size_t len)
{
    disk->drop(disk->self, number, 0);
    assert_int_equal(disk->append(disk->self, number, data, len), 0);
}

/* three commits: "one", then "two" and "three" together, then "four" */
static struct disk *four_records(size_t ends[4])
{
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    append(l, "one");
    assert_int_equal(commit(l, disk), 1);
    append(l, "two");
    append(l, "three");
    assert_int_equal(commit(l, disk), 2);
    append(l, "four");
    assert_int_equal(commit(l, disk), 1);
    log_close(l);
    ends[0] = SEGMENT_HEAD + RECORD_HEAD + 3;
    ends[1] = ends[0] + RECORD_HEAD + 3;
    ends[2] = ends[1] + RECORD_HEAD + 5;
    ends[3] = ends[2] + RECORD_HEAD + 4;
    return disk;
}

/* ---- the tests ---- */

static void test_what_was_written_comes_back_in_order(void **state)
{
    (void)state;
    size_t ends[4];
    struct disk *disk = four_records(ends);
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    assert_int_equal(f.records.len, 4);
    assert_string_equal(f.records.items[0], "one");
    assert_string_equal(f.records.items[1], "two");
    assert_string_equal(f.records.items[2], "three");
    assert_string_equal(f.records.items[3], "four");
    assert_int_equal(log_size(l), ends[3]);
    log_close(l);
    found_clear(&f);
    disk_memory_destroy(disk);
}

static void test_what_arrives_during_a_write_goes_out_with_the_next(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    uint64_t segment;
    struct bytes data;
    assert_int_equal(log_take(l, &segment, &data), 0);
    append(l, "a");
    assert_int_equal(log_take(l, &segment, &data), 1);
    uint8_t *before = xmalloc(data.len);
    memcpy(before, data.data, data.len);
    append(l, "b");
    append(l, "c");
    assert_memory_equal(before, data.data, data.len); /* the run that is being written does not move */
    free(before);
    disk->append(disk->self, segment, data.data, data.len);
    log_written(l);
    assert_int_equal(log_take(l, &segment, &data), 2);
    disk->append(disk->self, segment, data.data, data.len);
    log_written(l);
    assert_int_equal(log_take(l, &segment, &data), 0);
    log_close(l);

    l = open_clean(disk, &f);
    assert_int_equal(f.records.len, 3);
    log_close(l);
    found_clear(&f);
    disk_memory_destroy(disk);
}

static void test_a_torn_tail_is_cut_at_every_length(void **state)
{
    (void)state;
    size_t ends[4];
    struct disk *disk = four_records(ends);
    uint8_t *data;
    size_t len;
    disk->read(disk->self, 1, 0, SIZE_MAX, &data, &len);
    assert_int_equal(len, ends[3]);
    for (size_t cut = 0; cut <= len; cut++) {
        struct disk *torn = disk_memory_create();
        torn->append(torn->self, 1, data, cut);
        struct found f = {0};
        char *note;
        struct log *l = log_open(torn, keep, &f, &note);
        assert_non_null(l);
        size_t whole = 0;
        while (whole < 4 && ends[whole] <= cut)
            whole++;
        size_t good = whole ? ends[whole - 1] : cut >= SEGMENT_HEAD ? SEGMENT_HEAD : 0;
        assert_int_equal(f.records.len, whole);
        assert_int_equal(log_size(l), good);
        if (cut != good) {
            char want[64];
            snprintf(want, sizeof(want), "dropped the last %zu bytes (from offset %zu)", cut - good, good);
            assert_non_null(note);
            assert_non_null(strstr(note, want));
        } else {
            assert_null(note);
        }
        free(note);

        /* and the log goes on from there */
        append(l, "five");
        commit(l, torn);
        log_close(l);
        found_clear(&f);
        l = open_clean(torn, &f);
        assert_int_equal(f.records.len, whole + 1);
        assert_string_equal(f.records.items[whole], "five");
        log_close(l);
        found_clear(&f);
        disk_memory_destroy(torn);
    }
    free(data);
    disk_memory_destroy(disk);
}

static void test_a_garbage_tail_is_cut(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 19);
    for (int round = 0; round < 200; round++) {
        size_t ends[4];
        struct disk *disk = four_records(ends);
        uint8_t garbage[256];
        size_t len = 1 + (size_t)rng_below(&rng, sizeof(garbage));
        for (size_t i = 0; i < len; i++)
            garbage[i] = round % 4 == 0 ? 0 : (uint8_t)rng_next(&rng); /* a file system may leave zeroes */
        disk->append(disk->self, 1, garbage, len);
        struct found f = {0};
        char *note;
        struct log *l = log_open(disk, keep, &f, &note);
        assert_non_null(l);
        assert_non_null(note);
        assert_int_equal(f.records.len, 4);
        assert_int_equal(log_size(l), ends[3]);
        free(note);
        log_close(l);
        found_clear(&f);
        disk_memory_destroy(disk);
    }
}

/* Every bit of the file, flipped: either the tail is cut and only unsynced records can be missing, or the
 * error says where. A record never comes back changed. */
static void test_every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    static const char *const want[] = {"one", "two", "three", "four"};
    size_t ends[4];
    struct disk *disk = four_records(ends);
    uint8_t *data;
    size_t len;
    disk->read(disk->self, 1, 0, SIZE_MAX, &data, &len);
    for (size_t bit = 0; bit < len * 8; bit++) {
        size_t at = bit / 8;
        data[at] ^= (uint8_t)(1u << bit % 8);
        rewrite(disk, 1, data, len);
        struct found f = {0};
        char *note;
        struct log *l = log_open(disk, keep, &f, &note);
        assert_non_null(note);
        for (size_t i = 0; i < f.records.len; i++)
            assert_string_equal(f.records.items[i], want[i]);
        if (at < ends[2]) {
            assert_null(l); /* a later commit stands behind it: this was on disk, and has rotted */
            if (at >= SEGMENT_HEAD)
                assert_non_null(strstr(note, "broken record at offset"));
        } else {
            assert_non_null(l);
            assert_int_equal(f.records.len, 3);
        }
        free(note);
        log_close(l);
        found_clear(&f);
        data[at] ^= (uint8_t)(1u << bit % 8);
    }
    free(data);
    disk_memory_destroy(disk);
}

/* Pages of the commit that was under way reach the disk in any order: a hole before a good record of the
 * same commit is a torn tail, not rot. */
static void test_a_commit_torn_in_its_middle_is_a_torn_tail(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    append(l, "safe");
    commit(l, disk);
    for (int i = 0; i < 5; i++)
        append(l, "in the air");
    commit(l, disk);
    log_close(l);
    uint8_t *data;
    size_t len;
    disk->read(disk->self, 1, 0, SIZE_MAX, &data, &len);
    memset(data + SEGMENT_HEAD + RECORD_HEAD + 4 + RECORD_HEAD, 0, 10); /* the first of the five */
    rewrite(disk, 1, data, len);
    char *note;
    l = log_open(disk, keep, &f, &note);
    assert_non_null(l);
    assert_non_null(note);
    assert_int_equal(f.records.len, 1);
    free(note);
    free(data);
    log_close(l);
    found_clear(&f);
    disk_memory_destroy(disk);
}

static void append_big(struct log *l, size_t len)
{
    char *big = xmalloc(len);
    memset(big, 'x', len);
    log_append(l, bytes_of(big, len));
    free(big);
}

static void test_a_full_segment_is_followed_by_the_next(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    append_big(l, LIMIT_SEGMENT_BYTES); /* fills segment 1 */
    commit(l, disk);
    append(l, "first of the second");
    uint64_t segment;
    struct bytes data;
    assert_int_equal(log_take(l, &segment, &data), 1);
    assert_int_equal(segment, 3); /* even numbers are for copies */
    disk->append(disk->self, segment, data.data, data.len);
    log_written(l);
    log_close(l);
    l = open_clean(disk, &f);
    assert_int_equal(f.records.len, 2);
    assert_int_equal(strlen(f.records.items[0]), LIMIT_SEGMENT_BYTES);
    assert_string_equal(f.records.items[1], "first of the second");
    append(l, "goes to the same");
    assert_int_equal(log_take(l, &segment, &data), 1);
    assert_int_equal(segment, 3);
    log_close(l);
    found_clear(&f);
    disk_memory_destroy(disk);
}

static void test_a_roll_in_the_middle_splits_the_commit(void **state)
{
    (void)state;
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    append(l, "old");
    log_roll(l);
    log_roll(l); /* nothing was written in between */
    append(l, "new");
    append(l, "newer");
    assert_int_equal(log_closed(l).last, 0); /* nothing is on the disk yet */
    assert_int_equal(commit(l, disk), 1);
    assert_int_equal(log_closed(l).last, 1);
    assert_int_equal(commit(l, disk), 2);
    assert_int_equal(log_closed(l).last, 1);
    assert_int_equal(log_closed(l).bytes, SEGMENT_HEAD + RECORD_HEAD + 3);
    log_close(l);
    l = open_clean(disk, &f);
    assert_int_equal(f.records.len, 3);
    assert_string_equal(f.records.items[1], "new");
    log_close(l);
    found_clear(&f);
    disk_memory_destroy(disk);
}

static void test_a_tear_before_the_last_segment_is_an_error(void **state)
{
    (void)state;
    size_t ends[4];
    struct disk *disk = four_records(ends);
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    log_roll(l);
    append(l, "five");
    commit(l, disk);
    log_close(l);
    found_clear(&f);
    uint8_t *first, *second;
    size_t first_len, second_len;
    disk->read(disk->self, 1, 0, SIZE_MAX, &first, &first_len);
    disk->read(disk->self, 3, 0, SIZE_MAX, &second, &second_len);
    disk->drop(disk->self, 3, 0);
    rewrite(disk, 1, first, first_len - 1);
    disk->append(disk->self, 3, second, second_len);
    char *note;
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "segment 1 has a broken record at offset"));
    free(note);
    found_clear(&f);

    /* none may be missing, and none be another's */
    disk->drop(disk->self, 1, 0);
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "segment 1 is missing (the next one is 3)"));
    free(note);
    found_clear(&f);
    disk->drop(disk->self, 3, 0);
    disk->append(disk->self, 1, first, first_len);
    disk->append(disk->self, 3, second, second_len);
    disk->append(disk->self, 7, second, second_len);
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "segment 5 is missing (the next one is 7)"));
    free(note);
    found_clear(&f);
    disk->drop(disk->self, 7, 0);
    disk->append(disk->self, 5, second, second_len);
    disk->append(disk->self, 7, second, second_len);
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "segment 5 does not begin"));
    free(note);
    found_clear(&f);
    free(first);
    free(second);
    disk_memory_destroy(disk);
}

static void test_a_record_nobody_understands_ends_the_opening(void **state)
{
    (void)state;
    size_t ends[4];
    struct disk *disk = four_records(ends);
    struct found f = {.refuse = ERR_INVALID};
    char *note;
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "the record at offset 20 cannot be used (not valid)"));
    free(note);
    disk_memory_destroy(disk);
}

/* A crash at a random moment of a random history: everything that was synced is there, in order, and of the
 * commit that was under way a beginning. */
static void test_random_histories_with_a_torn_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct disk *disk = disk_memory_create();
        unsigned appended = 0, synced = 0;
        for (int life = 0; life < 4; life++) {
            struct found f = {0};
            char *note;
            struct log *l = log_open(disk, keep, &f, &note);
            assert_non_null(l);
            free(note);
            assert_true(f.records.len >= synced && f.records.len <= appended);
            for (size_t i = 0; i < f.records.len; i++)
                assert_int_equal(strtoul(f.records.items[i], NULL, 10), i);
            appended = synced = (unsigned)f.records.len;
            found_clear(&f);
            for (int step = 0; step < 20; step++) {
                char text[64];
                snprintf(text, sizeof(text), "%u%.*s", appended++, (int)rng_below(&rng, 40),
                         " and some more bytes to make it longer..");
                append(l, text);
                if (rng_chance(&rng, 10))
                    log_roll(l);
                if (rng_chance(&rng, 30)) {
                    while (commit(l, disk))
                        ;
                    synced = appended;
                }
            }
            uint64_t segment;
            struct bytes data;
            if (log_take(l, &segment, &data))
                disk->append(disk->self, segment, data.data, (size_t)rng_below(&rng, data.len + 1));
            log_close(l);
        }
        disk_memory_destroy(disk);
    }
}

/* A segment is read a part at a time: records that a part cuts, and one that is longer than a part, are
 * whole. */
static void test_a_long_segment_is_read_in_parts(void **state)
{
    (void)state;
    static const size_t lengths[] = {100,      3u << 20, 1000000,   9u << 20, 1, (4u << 20) - 20,
                                     5u << 20, 70000,    30u << 20, 7};
    struct disk *disk = disk_memory_create();
    struct found f = {0};
    struct log *l = open_clean(disk, &f);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        char *record = xmalloc(lengths[i] + 1);
        memset(record, 'a' + (int)i, lengths[i]);
        record[lengths[i]] = '\0';
        append(l, record);
        commit(l, disk);
        free(record);
    }
    uint64_t size = log_size(l);
    log_close(l);
    uint8_t *data;
    size_t len;
    disk->read(disk->self, 1, 0, SIZE_MAX, &data, &len);
    assert_true(len == size && len > 50u << 20); /* all in one segment */
    for (int cut = 0; cut <= 1; cut++) {
        struct disk *again = disk_memory_create();
        again->append(again->self, 1, data, len - (cut ? 3 : 0));
        char *note;
        l = log_open(again, keep, &f, &note);
        assert_non_null(l);
        assert_int_equal(f.records.len, ARRAY_LEN(lengths) - (size_t)cut);
        for (size_t i = 0; i < f.records.len; i++) {
            assert_int_equal(strlen(f.records.items[i]), lengths[i]);
            assert_int_equal(f.records.items[i][0], 'a' + (int)i);
            assert_int_equal(f.records.items[i][lengths[i] - 1], 'a' + (int)i);
        }
        if (cut) /* what is left of the last one: its head and 4 of its 7 bytes */
            assert_non_null(strstr(note, "dropped the last 24 bytes"));
        else
            assert_null(note);
        free(note);
        log_close(l);
        found_clear(&f);
        disk_memory_destroy(again);
    }
    /* damage in the middle is noticed wherever the parts end */
    data[20u << 20] ^= 1;
    rewrite(disk, 1, data, len);
    char *note;
    assert_null(log_open(disk, keep, &f, &note));
    assert_non_null(strstr(note, "broken record"));
    free(note);
    found_clear(&f);
    free(data);
    disk_memory_destroy(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_comes_back_in_order),
        cmocka_unit_test(test_what_arrives_during_a_write_goes_out_with_the_next),
        cmocka_unit_test(test_a_torn_tail_is_cut_at_every_length),
        cmocka_unit_test(test_a_garbage_tail_is_cut),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_a_commit_torn_in_its_middle_is_a_torn_tail),
        cmocka_unit_test(test_a_full_segment_is_followed_by_the_next),
        cmocka_unit_test(test_a_roll_in_the_middle_splits_the_commit),
        cmocka_unit_test(test_a_tear_before_the_last_segment_is_an_error),
        cmocka_unit_test(test_a_record_nobody_understands_ends_the_opening),
        cmocka_unit_test(test_random_histories_with_a_torn_end),
        cmocka_unit_test(test_a_long_segment_is_read_in_parts),
    };
    return cmocka_run_group_tests_name("the log", tests, NULL, NULL);
}
