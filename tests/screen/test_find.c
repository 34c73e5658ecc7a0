/* test_find.c: '/', '<' and '>': what a filter shows and how queues are sorted; events are found, read to
 * their end, and written to a file. On the model alone. */
#include "tests/screen/support.h"

#include <unistd.h>

#include "find.h"
#include "tests/temporary.h"

/* It leaves no half of a heading; and it does not begin where it would filter nothing that is shown. */
static void the_filter_is_seen(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    types(&m, "/zzz", &run);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "n1 n2 n3   /zzz: 0 of 2 queues, Esc: all\n");
    free(frame);
    types(&m,
          "\x1b"
          "4/",
          &run);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "/ filters the queues in view 1 and the events in view 2: go there first");
    free(frame);
    types(&m, "2/", &run);
    assert_int_equal(m.overlay, OVERLAY_FILTER);
    model_finish(&m);
}

static void filtering_shows_what_passes(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "many");
    size_t all = m.shown.len;
    types(&m, "/WORK-01", &run); /* as it is typed */
    assert_true(m.shown.len > 0 && m.shown.len < all);
    for (size_t i = 0; i < m.shown.len; i++)
        assert_contains(m.snapshot->queues[m.shown.items[i]].name, "work-01");
    char *frame = model_frame(&m, 100, 30);
    assert_contains(frame, "/WORK-01: ");
    assert_lacks(frame, "hello   ");
    free(frame);
    types(&m, "\n", &run);
    assert_contains(m.queue, "work-01"); /* what is selected can be seen */
    types(&m, "jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj", &run);
    assert_contains(m.queue, "work-01");
    see(&m, "many"); /* the next look keeps it */
    assert_true(m.shown.len < all);
    types(&m, "/\x1b", &run);
    assert_int_equal(m.shown.len, all);
    types(&m, "2/hint\n", &run);
    assert_true(m.happened.len <= m.snapshot->events_len);
    for (size_t i = 0; i < m.happened.len; i++)
        assert_string_equal(m.snapshot->events[m.happened.items[i]].kind, "hint");
    assert_int_equal(m.shown.len, all); /* the queues' filter is another one */
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, " events, Esc: all");
    free(frame);
    assert_keys_say(&m, "\x1b", "all events are shown again"); /* Esc takes it away, and stays */
    assert_int_equal(m.view, VIEW_EVENTS);
    assert_int_equal(m.happened.len, m.snapshot->events_len);
    types(&m, "\x1b", &run); /* the next one goes back */
    assert_int_equal(m.view, VIEW_CLUSTER);
    types(&m, "/WORK-01\n", &run);
    assert_true(m.shown.len < all);
    assert_keys_say(&m, "\x1b", "all queues are shown again");
    assert_int_equal(m.shown.len, all);
    model_finish(&m);
}

static void sorting_orders_the_queues(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "many");
    types(&m, ">", &run);
    assert_string_equal(m.snapshot->queues[m.shown.items[0]].name, "lost"); /* DOWN comes first */
    assert_contains(model_message(&m), "state");
    types(&m, ">", &run);
    for (size_t i = 1; i < m.shown.len; i++)
        assert_true(m.snapshot->queues[m.shown.items[i - 1]].ready >=
                    m.snapshot->queues[m.shown.items[i]].ready);
    const char *first = m.snapshot->queues[m.shown.items[0]].name;
    types(&m, "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", &run);
    assert_string_equal(m.queue, first);
    types(&m, "<<", &run);
    for (size_t i = 0; i < m.shown.len; i++)
        assert_int_equal(m.shown.items[i], i); /* by name again */
    for (int i = 0; i < SORTS; i++) {
        types(&m, "<", &run);
        assert_int_equal(m.shown.len, m.snapshot->queues_len);
    }
    model_finish(&m);
}

static void events_keep_their_place_until_followed(void **state)
{
    struct model m;
    struct command *run;
    struct canvas c;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    while (s->events_len < 100) {
        s->events = xrealloc(s->events, (s->events_len + 1) * sizeof(*s->events));
        s->events[s->events_len] = (struct event_seen){.seq = 1000 + s->events_len,
                                                       .wall_ms = 1795381509000 + (int64_t)s->events_len,
                                                       .kind = xstrdup("test"),
                                                       .text = format_text("number %zu.", s->events_len)};
        s->events_len++;
    }
    s->events_len = 90; /* ten are not known yet */
    model_observe(&m, s);
    types(&m, "2kkk", &run);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "number 86.");
    assert_lacks(frame, "number 87.");
    free(frame);
    s->events_len = 100;
    model_observe(&m, s);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "number 86.");
    assert_lacks(frame, "number 87.");
    free(frame);
    types(&m, "F", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "number 99.");
    free(frame);
    types(&m, "kkkkk", &run);
    for (int i = 0; i < 50; i++)
        model_key(&m, KEY_PAGE_UP, &run); /* far beyond the first */
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_settle(&m, &c);
    canvas_finish(&c);
    model_key(&m, KEY_PAGE_DOWN, &run); /* comes back at once */
    assert_true(m.scroll < 90);
    snapshot_destroy(s);
    model_finish(&m);
}

/* An event is read to its end in the events view, and the first one can be reached all the same. */
static void a_long_event_is_read_to_its_end(void **state)
{
    static const char first[] = "node1 serves in another view: the cluster was parted, and each side goes on",
                      end[] = "stop and start one of them";
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("empty");
    for (; s->events_len < 40; s->events_len++) {
        s->events = xrealloc(s->events, (s->events_len + 1) * sizeof(*s->events));
        s->events[s->events_len] =
            (struct event_seen){.seq = 1000 + s->events_len,
                                .kind = xstrdup("node"),
                                .node = xstrdup("node3"),
                                .text = format_text("%s: %s (%zu).", first, end, s->events_len)};
    }
    model_observe(&m, s);
    assert_frame_contains(&m, "(39)."); /* among other things there is one row for each but the newest */
    assert_frame_lacks(&m, "(38).");
    types(&m, "2", &run);
    assert_frame_contains(&m, "(39).");
    for (int i = 0; i < 50; i++)
        model_key(&m, KEY_PAGE_UP, &run);
    struct canvas c;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_settle(&m, &c);
    canvas_finish(&c);
    assert_frame_contains(&m, "(0).");
    assert_frame_lacks(&m, "(39).");
    snapshot_destroy(s);
    model_finish(&m);
}

/* What was lost, or discarded, is read to its end beside the lesson, too, also when others came after it. */
static void what_was_lost_is_read_to_its_end(void **state)
{
    static const char *const all[][2] = {
        {"lost", "mirrior_hello: #1-#12 are lost: discarded with the side of node2 altogether"},
        {"queue", "mirrior_hello: what node2 held on its side is discarded, altogether"},
        {"queue", "mirrior_hello: nothing of all this is anything that one has to read altogether"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct lesson *l = sketch_two_proved();
        struct model m;
        model_init(&m, l, NULL, false, false);
        struct snapshot *s = load_snapshot("rest");
        s->events = xrealloc(s->events, (s->events_len + 1) * sizeof(*s->events));
        s->events[s->events_len++] = (struct event_seen){
            .seq = 1000, .wall_ms = s->taken_wall_ms, .kind = xstrdup(all[i][0]), .text = xstrdup(all[i][1])};
        model_observe(&m, s);
        m.now = s->taken_at;
        int begun = 0, cut = 0;
        for (int height = 20; height < 40; height++) {
            char *frame = model_frame(&m, 80, height);
            begun += strstr(frame, "mirrior_hello: ") != NULL;
            cut += strstr(frame, "mirrior_hello: ") && !strstr(frame, strrchr(all[i][1], ' '));
            free(frame);
        }
        assert_true(begun > 10);
        assert_true(i < 2 ? cut == 0 : cut > 0);
        snapshot_destroy(s);
        model_finish(&m);
        sketch_destroy(l);
    }
}

static void events_are_written_to_a_file(void **state)
{
    struct model m;
    struct command *run;
    char *file = temporary_file("export", "");
    (void)state;
    assert_non_null(file);
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    types(&m, "2/hint\n", &run);
    assert_int_equal(types(&m, "E", &run), EFFECT_EXPORT);
    assert_null(m.export_to); /* a new one */
    assert_int_equal(types(&m, ":export somewhere.txt\n", &run), EFFECT_EXPORT);
    assert_string_equal(m.export_to, "somewhere.txt");
    assert_int_equal(find_export(&m, file), 17 /* EEXIST */); /* what is there is somebody's */
    unlink(file);
    assert_int_equal(find_export(&m, file), 0);
    FILE *f = fopen(file, "re");
    char line[512];
    size_t lines = 0;
    while (fgets(line, sizeof(line), f)) {
        assert_contains(line, "\thint\t");
        lines++;
    }
    fclose(f);
    unlink(file);
    free(file);
    assert_true(lines > 0);
    assert_int_equal(lines, m.happened.len);
    types(&m, "/nothing has this\n", &run);
    assert_keys_say(&m, "E", "no event passes the filter: nothing is written");
    assert_keys_say(&m, ":export somewhere.txt\n", "nothing is written");
    model_finish(&m);
}

/* By what stands under PUB/s, not by a mean of which nothing is seen. */
static void sorted_by_what_is_published(void **state)
{
    (void)state;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("many");
    size_t last = s->queues_len - 1;
    s->queues[3].publish_rate = 54005; /* it was busy */
    m.sort = SORT_RATE;
    model_observe(&m, s);
    m.history.items[last].published[HISTORY_LEN - 1] = 7;
    for (size_t i = 0; i < last; i++)
        m.history.items[i].published[HISTORY_LEN - 1] = 0;
    s->taken_at += 100; /* in the same second */
    model_observe(&m, s);
    assert_int_equal(m.shown.items[0], last);
    for (size_t i = 0; i < last; i++)
        assert_int_equal(m.shown.items[i + 1], i); /* equal ones by name */
    snapshot_destroy(s);
    model_finish(&m);
}

/* Only by columns that are drawn, and their heading says so. */
static void sorted_by_what_is_seen(void **state)
{
    (void)state;
    struct model m;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "many");
    char *frame = NULL;
    struct command *run;
    static const int widths[] = {80, 100};
    for (size_t w = 0; w < ARRAY_LEN(widths); w++) {
        struct canvas c;
        canvas_init(&c);
        canvas_resize(&c, widths[w], 24);
        bool rates = false;
        for (int i = 0; i < SORTS + 2; i++) {
            screen_settle(&m, &c);
            model_key(&m, '>', &run);
            frame = model_frame(&m, widths[w], 24);
            assert_true(m.sort == SORT_NAME || strstr(frame, "*"));
            rates = rates || m.sort == SORT_RATE;
            if (m.sort == SORT_READY)
                assert_contains(frame, "READY*");
            free(frame);
        }
        frame = model_frame(&m, widths[w], 24);
        assert_int_equal(rates, strstr(frame, "PUB/s") != NULL);
        free(frame);
        canvas_finish(&c);
    }
    model_finish(&m);
}

/* A column that a narrower terminal has a wider one has, too. Of many nodes the matrix says what MIRRORS
 * says: that one may leave for the rates and the minute (docs/architecture.md). */
static void no_column_leaves_as_the_terminal_gets_wider(void **state)
{
    static const char *const columns[] = {" STATE ", " READY ", " UNACK ",     " n1 ",     " POLICY",
                                          " PUB/s ", " GET/s ", " DEPTH 60 s", " MIRRORS "};
    (void)state;
    for (size_t nodes = 3; nodes <= 10; nodes++) {
        struct model m;
        model_init(&m, NULL, NULL, false, false);
        struct snapshot *s = load_snapshot("rest");
        s->nodes = xrealloc(s->nodes, nodes * sizeof(*s->nodes));
        for (size_t i = s->nodes_len; i < nodes; i++)
            s->nodes[i] = (struct node_seen){.name = format_text("node%zu", i + 1),
                                             .state = NODE_UP,
                                             .answers = true,
                                             .partitions = xstrdup("")};
        s->nodes_len = nodes;
        model_observe(&m, s);
        m.now = s->taken_at;
        bool had[ARRAY_LEN(columns)] = {false};
        for (int width = 80; width <= 200; width++) {
            char *frame = model_frame(&m, width, 30), *row = strstr(frame, " QUEUE ");
            row[strcspn(row, "\n")] = '\0';
            for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
                bool has = strstr(row, columns[i]) != NULL;
                bool may_leave = nodes > 4 && strcmp(columns[i], " MIRRORS ") == 0;
                if (had[i] && !has && !may_leave)
                    fail_msg("%zu nodes: %s is there at %d columns, and not at %d", nodes, columns[i],
                             width - 1, width);
                had[i] = has;
            }
            free(frame);
        }
        for (size_t i = 0; i + 1 < ARRAY_LEN(columns); i++)
            assert_true(had[i]);
        snapshot_destroy(s);
        model_finish(&m);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_filter_is_seen),
        cmocka_unit_test(filtering_shows_what_passes),
        cmocka_unit_test(sorting_orders_the_queues),
        cmocka_unit_test(sorted_by_what_is_seen),
        cmocka_unit_test(sorted_by_what_is_published),
        cmocka_unit_test(events_keep_their_place_until_followed),
        cmocka_unit_test(a_long_event_is_read_to_its_end),
        cmocka_unit_test(what_was_lost_is_read_to_its_end),
        cmocka_unit_test(events_are_written_to_a_file),
        cmocka_unit_test(no_column_leaves_as_the_terminal_gets_wider),
    };
    return cmocka_run_group_tests_name("screen/find", tests, NULL, NULL);
}
