/* test_pager.c: what the pager takes out of memory comes back byte for byte, and gives its place back; a disk
 * that is full costs nothing but memory. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/pager.h"
#include "mirror/peer_msg.h"
#include "tests/temporary.h"

enum { QUEUE_UID = 7 };

struct world {
    struct mirror *m;
    struct pager *pager;
    char *folder;
};

/* a library that recovered one durable queue: enough to have messages */
static int make_world(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));
    const char *const names[] = {"node1"};
    struct mirror_options o;
    mirror_options_defaults(&o);
    o.names = names;
    o.nodes_len = 1;
    o.incarnation = 1;
    w->m = mirror_create(&o);
    struct meta_entry e;
    meta_entry_init(&e, META_QUEUE);
    e.name = xstrdup("q");
    e.uid = QUEUE_UID;
    e.durable = true;
    assert_int_equal(mirror_recover(w->m, &(struct record){.type = REC_META, .version = 1, .entry = &e}), 0);
    meta_entry_finish(&e);
    w->folder = temporary_folder("pager");
    assert_non_null(w->folder);
    w->pager = pager_create(w->folder);
    *state = w;
    return 0;
}

static int end_world(void **state)
{
    struct world *w = *state;
    mirror_destroy(w->m);
    pager_destroy(w->pager);
    assert_int_equal(rmdir(w->folder), 0); /* nothing has a name there */
    free(w->folder);
    free(w);
    return 0;
}

/* every byte depends on the number */
static void fill(uint8_t *body, size_t len, uint64_t number)
{
    uint64_t x = number;
    for (size_t i = 0; i < len; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        body[i] = (uint8_t)(x >> 56);
    }
}

static size_t size_of(uint64_t number, size_t most)
{
    return (size_t)(number * 7919 % (most + 1));
}

static void add(struct world *w, uint64_t number, size_t most)
{
    size_t len = size_of(number, most);
    uint8_t *body = xmalloc(len + 1);
    fill(body, len, number);
    struct message *msg =
        message_create(bytes_str("exchange"), bytes_str("key"), bytes_of("\x10\x00\x02", 3), body, len);
    msg->persistent = true;
    free(body);
    assert_int_equal(mirror_recover(w->m, &(struct record){.type = REC_MESSAGE,
                                                           .queue_uid = QUEUE_UID,
                                                           .id = number,
                                                           .expiry = UINT64_MAX,
                                                           .msg = msg}),
                     0);
    message_unref(msg);
}

static void removed(struct world *w, uint64_t first, uint64_t last)
{
    struct id_range range = {first, last};
    assert_int_equal(
        mirror_recover(
            w->m,
            &(struct record){.type = REC_REMOVED, .queue_uid = QUEUE_UID, .ranges = &range, .ranges_len = 1}),
        0);
    pager_collect(w->pager);
}

/* all from `first` on are there, as they were; returns how many are in the pager's memory */
static size_t assert_all_right(struct world *w, uint64_t first, uint64_t last, size_t most)
{
    size_t paged = 0;
    msg_id at = 0;
    struct held held;
    struct queue *q = mirror_find_queue(w->m, "q");
    for (; mirror_queue_walk(w->m, q, &at, &held); first++) {
        assert_int_equal(held.id, first);
        size_t len = size_of(first, most);
        uint8_t *body = xmalloc(len + 1);
        fill(body, len, first);
        assert_int_equal(held.msg->body_len, len);
        assert_memory_equal(message_body(held.msg).data, body, len);
        assert_int_equal(message_key(held.msg).len, 3);
        assert_memory_equal(message_props(held.msg).data, "\x10\x00\x02", 3);
        assert_true(held.msg->persistent);
        assert_int_equal(held.msg->refs, 1);
        paged += held.msg->in_region;
        free(body);
    }
    assert_int_equal(first, last + 1);
    return paged;
}

static uint64_t page(struct world *w, bool hard)
{
    return pager_run(w->pager, w->m, hard, UINT64_MAX, INT64_MAX);
}

static void what_is_paged_comes_back(void **state)
{
    struct world *w = *state;
    enum { COUNT = 20000, MOST = 2000 };
    for (uint64_t i = 1; i <= COUNT; i++)
        add(w, i, MOST);
    assert_true(page(w, false) > 15u << 20);
    assert_true(pager_file_bytes(w->pager) > 10u << 20); /* it did go to the file */
    /* the front stays */
    assert_int_equal(assert_all_right(w, 1, COUNT, MOST), COUNT - 256);
    pager_cool(w->pager);
    assert_int_equal(assert_all_right(w, 1, COUNT, MOST), COUNT - 256);

    assert_int_equal(page(w, false), 0); /* each is taken once */
    for (uint64_t i = COUNT + 1; i <= COUNT + 1000; i++)
        add(w, i, MOST);
    assert_true(page(w, false) > 0);
    assert_int_equal(assert_all_right(w, 1, COUNT + 1000, MOST), COUNT + 1000 - 256);

    uint64_t full = pager_file_bytes(w->pager);
    removed(w, 1, COUNT / 2);
    assert_true(pager_file_bytes(w->pager) < full / 2 + (8u << 20)); /* places are given back */
    assert_int_equal(assert_all_right(w, COUNT / 2 + 1, COUNT + 1000, MOST), COUNT / 2 + 1000);
    removed(w, 1, COUNT + 1000);
    assert_int_equal(pager_file_bytes(w->pager), 0);
}

static void hard_takes_everything_also_what_others_hold(void **state)
{
    struct world *w = *state;
    for (uint64_t i = 1; i <= 600; i++)
        add(w, i, 5000);
    msg_id at = 300;
    struct held held;
    assert_true(mirror_queue_walk(w->m, mirror_find_queue(w->m, "q"), &at, &held));
    struct message *mine = message_ref(held.msg);
    page(w, false);
    assert_false(mine->in_region); /* it is in the air */
    page(w, true);
    assert_int_equal(mine->refs, 1); /* the queue has a copy, this one is ours alone */
    assert_int_equal(mine->body_len, size_of(300, 5000));
    message_unref(mine);
    assert_int_equal(assert_all_right(w, 1, 600, 5000), 600);
}

static void large_bodies_have_regions_of_their_own(void **state)
{
    struct world *w = *state;
    enum { MOST = 11 << 20 };
    for (uint64_t i = 1; i <= 12; i++)
        add(w, i * 1000, MOST);
    assert_true(page(w, true) > 0);
    uint64_t in_file = pager_file_bytes(w->pager);
    assert_true(in_file > 8u << 20);
    msg_id at = 0;
    struct held held;
    size_t count = 0;
    while (mirror_queue_walk(w->m, mirror_find_queue(w->m, "q"), &at, &held)) {
        uint8_t *body = xmalloc(held.msg->body_len + 1u);
        fill(body, held.msg->body_len, held.id);
        assert_memory_equal(message_body(held.msg).data, body, held.msg->body_len);
        free(body);
        count++;
    }
    assert_int_equal(count, 12);
    removed(w, 1, 11500);
    assert_true(pager_file_bytes(w->pager) < in_file);
}

static void a_full_disk_costs_only_memory(void **state)
{
    struct world *w = *state;
    enum { COUNT = 30000, MOST = 1000 };
    for (uint64_t i = 1; i <= COUNT; i++)
        add(w, i, MOST);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 6u << 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    page(w, true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_non_null(pager_error(w->pager)); /* first: it did happen */
    assert_in_range(pager_file_bytes(w->pager), 1, 6u << 20);
    assert_all_right(w, 1, COUNT, MOST);
    assert_int_equal(page(w, true), 0); /* not at once again */
    removed(w, 1, COUNT / 2);
    assert_all_right(w, COUNT / 2 + 1, COUNT, MOST);
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_paged_comes_back, make_world, end_world),
        cmocka_unit_test_setup_teardown(hard_takes_everything_also_what_others_hold, make_world, end_world),
        cmocka_unit_test_setup_teardown(large_bodies_have_regions_of_their_own, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_full_disk_costs_only_memory, make_world, end_world),
    };
    return cmocka_run_group_tests_name("pager", tests, NULL, NULL);
}
