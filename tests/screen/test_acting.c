/* test_acting.c: what is typed: commands behind ':' with completion, filters, forms, long outputs; what is
 * asked before it is done; how far long work is. On the model alone. */
#include "tests/screen/support.h"

#include <unistd.h>

#include "acting.h"
#include "commands.h"
#include "complete.h"
#include "find.h"
#include "main/labctl.h"
#include "mouse.h"
#include "prompt.h"
#include "ran.h"
#include "verbs.h"
#include "tests/temporary.h"

/* ---- ':'
 * -------------------------------------------------------------------------------------------------------- */

static void a_typed_verb_asks_the_right_node(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "stopped"); /* node1 does not run and is selected */
    assert_keys_run(&m, ":list_queues name state\n", "labctl -n node2 list_queues name state");
    assert_keys_run(&m, ":start_app\n", "labctl -n node1 start_app");
    assert_keys_run(&m, ":-n node3 stop_app\n", "labctl -n node3 stop_app");
    assert_keys_run(&m, ":labctl -n node3 status\n", "labctl -n node3 status"); /* pasted from a shell */
    assert_keys_run(&m, ":set_policy a '^q q' '{\"ha-mode\":\"all\"}'\n",
                    "labctl -n node2 set_policy a '^q q' '{\"ha-mode\":\"all\"}'");
    assert_keys_say(&m, ":lst_queues\n", "unknown verb 'lst_queues': did you mean 'list_queues'? :help");
    assert_keys_say(&m, ":pubish 5\n", "did you mean 'publish'?"); /* the screen's own words, too */
    assert_keys_say(&m, ":no_such_verb\n", "unknown verb 'no_such_verb'; :help lists all");
    m.lab = &(struct labdir){.engine = ENGINE_RABBITMQ}; /* rabbitmqctl may have it: labctl asks */
    assert_keys_run(&m, ":list_ciphers\n", "labctl -n node1 list_ciphers");
    assert_keys_say(&m, ":set_policy 'a\n", "a quote is not closed");
    assert_int_equal(types(&m, ":\n", &run), EFFECT_DRAW); /* an empty line is no command */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

/* x cuts a node off and heals what is cut. Where all links are back, healing would change nothing however
 * often: it says what mends the two views, by how the lab handles partitions. */
static void what_mends_a_partition(void **state)
{
    struct model m;
    struct labdir lab = {.nodes_len = 3};
    (void)state;
    model_init(&m, NULL, &lab, false, false);
    see(&m, "rest");
    assert_keys_run(&m, "x", "labctl -n node1 cut node1");
    see(&m, "cut");
    assert_keys_run(&m, "x", "labctl -n node1 heal node1");
    see(&m, "apart");
    m.cut = 1; /* cut from here, and healed from elsewhere */
    assert_keys_say(&m, "x", "Two views: stop and start node1 (s, a); its side of 2 queues is discarded");
    m.node = 1; /* of the other side */
    assert_keys_say(&m, "x", "stop and start node1");
    snprintf(lab.partition_handling, sizeof(lab.partition_handling), "autoheal");
    assert_keys_say(&m, "x", "autoheal restarts the side with fewer clients");
    model_finish(&m);
}

static void assert_drawn(struct model *m, const char *part, bool there)
{
    char *frame = model_frame(m, 80, 24);
    assert_contains_(frame, part, there, __FILE__, __LINE__);
    free(frame);
}

static void lines_are_edited_and_recalled(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_keys_run(&m, ":pngx\x08\x02\x02i\n", "labctl -n node1 ping");
    assert_keys_run(&m, ":status\n", "labctl -n node1 status");
    types(&m, ":half", &run);
    model_key(&m, KEY_ARROW_UP, &run);
    assert_string_equal(input_text(&m.line), "status");
    model_key(&m, KEY_ARROW_UP, &run);
    assert_string_equal(input_text(&m.line), "ping");
    model_key(&m, KEY_ARROW_UP, &run); /* there is no older one */
    assert_string_equal(input_text(&m.line), "ping");
    model_key(&m, KEY_ARROW_DOWN, &run);
    assert_keys_run(&m, "\n", "labctl -n node1 status");
    types(&m, ":", &run);
    static const int wide[] = {0x961f, 0x5217, 'x', KEY_ARROW_LEFT, KEY_ERASE, KEY_FIRST, KEY_ERASE_HERE};
    for (size_t i = 0; i < 5; i++)
        model_key(&m, wide[i], &run);
    assert_string_equal(input_text(&m.line), "\xe9\x98\x9fx"); /* whole characters go */
    model_key(&m, wide[5], &run);
    model_key(&m, wide[6], &run);
    assert_string_equal(input_text(&m.line), "x");
    model_key(&m, KEY_ESCAPE, &run);
    assert_int_equal(m.overlay, OVERLAY_NONE);
    model_finish(&m);
}

static void assert_completes(struct model *m, const char *typed, const char *line, const char *choice)
{
    struct input in = {0};
    input_set(&in, typed);
    char *choices = complete(m, &in);
    assert_string_equal(input_text(&in), line);
    if (choice && !choices)
        fail_msg("%s: no choices", typed);
    if (choice)
        assert_contains(choices, choice);
    else
        assert_null(choices);
    free(choices);
    input_finish(&in);
}

static void tab_completes(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    assert_completes(&m, "sync", "sync_queue ", NULL);
    assert_completes(&m, "list_q", "list_queues ", NULL);
    assert_completes(&m, "st", "st", "start  start_app  stop_app  status");
    assert_completes(&m, "sto", "stop_app ", NULL);
    assert_completes(&m, "purge_queue h", "purge_queue hello ", NULL);
    assert_completes(&m, "purge_queue ", "purge_queue ", "hello  mirrior_hello");
    assert_completes(&m, "-n no", "-n node", "node1  node2  node3");
    assert_completes(&m, "-n node2 cut node3 node1", "-n node2 cut node3 node1 ", NULL);
    assert_completes(&m, "cut --o", "cut --one-way ", NULL);
    assert_completes(&m, "cut --one-way node3 node1", "cut --one-way node3 node1 ", NULL);
    assert_completes(&m, "list_queues name sync", "list_queues name sync",
                     "synchronised_slave_pids  sync_messages");
    assert_completes(&m, "list_queues name sla", "list_queues name slave_pids ", NULL);
    assert_completes(&m, "clear_policy ", "clear_policy mirror ", NULL);
    assert_completes(&m, "set_policy --pri", "set_policy --priority ", NULL);
    assert_completes(&m, "set_policy x ^x '{\"ha-mode\":\"a",
                     "set_policy x ^x '{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}' ", NULL);
    assert_completes(&m, "labctl st", "labctl st", "stop_app");
    assert_completes(&m, "nothing_like_it", "nothing_like_it", NULL);
    assert_completes(&m, "status more", "status more", NULL); /* nothing may follow */
    model_finish(&m);
}

/* The table behind completion is labctl's own; what it has besides is the screen's or rabbitmqctl's. */
static void completion_knows_labctls_verbs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ctl_verbs_len; i++)
        if (!verb_find(ctl_verbs[i].name))
            fail_msg("labctl has the verb %s, tui/verbs.c has not", ctl_verbs[i].name);
    for (size_t i = 0; i < verb_table_len; i++) {
        const struct verb *v = &verb_table[i];
        const struct ctl_verb *ours = ctl_find_verb(v->name);
        if (v->of != OF_SCREEN && v->danger != DANGER_RESET && !ours)
            fail_msg("tui/verbs.c has the verb %s, labctl has not", v->name);
        size_t words = 0;
        while (words < ARRAY_LEN(v->words) && v->words[words] != WORD_NONE && v->words[words] != WORD_COLUMNS)
            words++;
        if (ours && !v->columns)
            assert_int_equal(words, ours->words_max);
    }
    FILE *nowhere = fopen("/dev/null", "we");
    for (size_t i = 0; i < verb_table_len; i++) { /* every column is one that labctl knows */
        word_list columns = {0};
        const char *names = verb_table[i].columns ? verb_table[i].columns : "";
        words_split(names, strlen(names), &columns);
        for (size_t j = 0; j < columns.len; j++) {
            char *argv[] = {(char *)(uintptr_t) "labctl", (char *)(uintptr_t)verb_table[i].name,
                            columns.items[j], NULL};
            struct ctl c = {.out = nowhere, .err = nowhere};
            ctl_line_parse(&c.line, 3, argv);
            if (ctl_check_columns(&c) != CTL_OK)
                fail_msg("%s has no column %s", verb_table[i].name, columns.items[j]);
            ctl_line_finish(&c.line);
        }
        words_free(&columns);
    }
    fclose(nowhere);
}

static void a_read_only_screen_looks_and_does_not_touch(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, true, false);
    see(&m, "rest");
    assert_keys_run(&m, ":list_queues\n", "labctl -n node1 list_queues");
    for (size_t i = 0; i < verb_table_len; i++) { /* every verb that changes something, and what is unknown */
        if (!verb_table[i].acts)
            continue;
        char *keys = format_text(":%s hello hello\n", verb_table[i].name);
        assert_keys_say(&m, keys, "--readonly");
        assert_int_equal(m.overlay, OVERLAY_NONE);
        free(keys);
    }
    m.lab = &(struct labdir){.engine = ENGINE_RABBITMQ};
    assert_keys_say(&m, ":rotate_logs\n", "--readonly"); /* what rabbitmqctl alone knows may act */
    assert_keys_say(&m, ":-n node2 kill\n", "--readonly");
    for (size_t i = 0; i < key_table_len; i++) {
        if (!key_table[i].acts)
            continue;
        model_key(&m, key_table[i].key, &run);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_NONE);
        assert_contains(model_message(&m), "--readonly");
    }
    model_finish(&m);
}

static void what_cannot_be_undone_is_asked(void **state)
{
    static const struct {
        const char *line, *text, *what;
    } all[] = {{":kill\n", "labctl -n node1 kill", "as in a power cut"},
               {":-n node2 kill\n", "labctl -n node2 kill", "as in a power cut"},
               {":purge_queue hello\n", "labctl -n node1 purge_queue hello", "is gone for good"},
               {":labctl --timeout 5 purge_queue hello\n", "labctl -n node1 --timeout 5 purge_queue hello",
                "gone for"},
               {":delete_queue hello\n", "labctl -n node1 delete_queue hello", "with its messages"},
               {":reset\n", "labctl -n node1 reset", "forgets everything"}};
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        types(&m, all[i].line, &run);
        assert_null(run);
        assert_int_equal(m.overlay, OVERLAY_CONFIRM);
        char *frame = model_frame(&m, 80, 24);
        assert_contains(frame, all[i].text);
        assert_contains(frame, all[i].what);
        assert_contains(frame, "[ Cancel ]");
        free(frame);
        assert_int_equal(types(&m, "\n", &run), EFFECT_DRAW); /* Enter alone cancels */
        types(&m, all[i].line, &run);
        assert_keys_run(&m, "y", all[i].text);
    }
    model_finish(&m);
}

/* ---- '/', '<', '>'
 * ---------------------------------------------------------------------------------------------- */

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
    assert_drawn(&m, end, false); /* among other things there is one row for each */
    types(&m, "2", &run);
    assert_drawn(&m, "(39).", true);
    for (int i = 0; i < 50; i++)
        model_key(&m, KEY_PAGE_UP, &run);
    struct canvas c;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_settle(&m, &c);
    canvas_finish(&c);
    assert_drawn(&m, "(0).", true);
    assert_drawn(&m, "(39).", false);
    snapshot_destroy(s);
    model_finish(&m);
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

/* ---- what runs
 * --------------------------------------------------------------------------------------------------- */

static struct command *started(struct model *m, const char *keys)
{
    struct command *run;
    assert_int_equal(types(m, keys, &run), EFFECT_RUN);
    model_ran(m, run);
    return run;
}

static void several_things_run_at_once(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, l, NULL, false, false);
    see(&m, "rest");
    struct command *step = started(&m, "n");
    assert_keys_say(&m, "r", "still running"); /* one step after the other */
    struct command *stop = started(&m, "s");
    assert_ptr_equal(m.command, stop);
    model_output(&m, step, "part", 4);
    assert_null(stop->last_line); /* to each its own */
    assert_keys_say(&m, "B", "still running");
    model_ended(&m, step, 3);
    assert_contains(model_message(&m), "ended with exit code 3: ");
    assert_contains(model_message(&m), "part");
    assert_int_equal(m.others.len, 0);
    assert_true(stop->running);
    assert_keys_say(&m, "q", "still running");
    model_ended(&m, stop, 0);
    assert_int_equal(types(&m, "q", &run), EFFECT_QUIT);
    for (int i = 0; i < 9; i++)
        started(&m, "s");
    assert_keys_say(&m, "s", "still running"); /* there is an end to it */
    model_finish(&m);
    sketch_destroy(l);
}

/* Nothing of what a recording shows running runs now: there is nothing to wait for. Behind a paused screen it
 * may. */
static void a_replay_is_left_at_once(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    started(&m, "s");
    m.replay = m.time.paused = true;
    assert_keys_say(&m, "q", "still running");
    m.quit_asked = m.time.paused = false;
    assert_int_equal(types(&m, "q", &run), EFFECT_QUIT);
    model_finish(&m);
}

static void a_long_output_opens(void **state)
{
    struct model m;
    struct command *run;
    struct text out = {0};
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = started(&m, ":list_queues\n");
    for (int i = 1; i <= 100; i++)
        text_printf(&out, "queue-%d\t%d\n", i, i);
    model_output(&m, c, out.s, out.len);
    assert_int_equal(m.overlay, OVERLAY_NONE); /* it is not at its end */
    assert_drawn(&m, "| queue-100 100", true); /* no tab as ?, which is "nobody can say" */
    model_ended(&m, c, 0);
    assert_int_equal(m.overlay, OVERLAY_PAGER);
    char *frame = model_frame(&m, 80, 24);
    assert_contains(frame, "$ labctl -n node1 list_queues");
    assert_contains(frame, "queue-1    1 "); /* where the figures of queue-100 stand */
    assert_contains(frame, "1-20 of 100 lines");
    free(frame);
    types(&m, "G", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "queue-100  100 ");
    assert_contains(frame, "81-100 of 100 lines");
    free(frame);
    types(&m, "k", &run);
    frame = model_frame(&m, 80, 24);
    assert_contains(frame, "80-99 of 100");
    free(frame);
    types(&m, "q", &run); /* closes it, no more */
    assert_int_equal(m.overlay, OVERLAY_NONE);
    types(&m, "o", &run); /* and again */
    assert_int_equal(m.overlay, OVERLAY_PAGER);
    model_key(&m, ':', &run); /* a verb over a page: its letters are no keys */
    assert_int_equal(m.overlay, OVERLAY_COMMAND);
    model_key(&m, KEY_ESCAPE, &run);
    model_key(&m, '?', &run);
    assert_int_equal(m.overlay, OVERLAY_HELP);
    model_key(&m, ':', &run);
    assert_int_equal(m.overlay, OVERLAY_COMMAND);
    model_key(&m, KEY_ESCAPE, &run);
    types(&m, "\x1b", &run);
    c = started(&m, ":ping\n");
    model_output(&m, c, "Ping succeeded\n", 15);
    model_ended(&m, c, 0);
    assert_int_equal(m.overlay, OVERLAY_NONE); /* a line has its place above the keys */
    text_finish(&out);
    model_finish(&m);
}

/* what a snapshot of one queue says, `after` milliseconds later */
static void queue_says(struct model *m, struct snapshot *s, ms_time after, int64_t messages, int64_t synced)
{
    struct queue_seen *q = &s->queues[0];
    s->taken_at += after;
    q->messages = q->ready = messages;
    q->state = synced >= 0 ? QUEUE_SEEN_SYNCING : QUEUE_SEEN_RUNNING;
    q->sync_messages = synced;
    model_observe(m, s);
    m->now = s->taken_at;
}

static void assert_shown(struct model *m, const char *part)
{
    char *frame = model_frame(m, 80, 24);
    assert_contains(frame, part);
    free(frame);
}

/* Seeding and a sync: how far, how fast, how long still; by what nodes say. */
static void long_work_says_how_far_it_is(void **state)
{
    static const char *const words[] = {"/x/producer", "--queue", "hello", "--count", "1000000", NULL};
    static const char *const sync[] = {"labctl", "-n", "node1", "sync_queue", "hello", NULL};
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    struct snapshot *s = load_snapshot("rest");
    queue_says(&m, s, 0, 5000, -1);
    struct command *c = command_of(words, COMMAND_OF_KEY);
    model_ran(&m, c);
    queue_says(&m, s, 500, 55000, -1);
    assert_shown(&m, "hello: 50000 of 1000000 (5%)");
    queue_says(&m, s, 1000, 155000, -1);
    assert_shown(&m, "hello: 150000 of 1000000 (15%), 100000/s, 9 s left");
    for (int i = 0; i < 20; i++)
        queue_says(&m, s, 1000, 155000, -1);
    assert_shown(&m, "it stands still");
    s->source = -1; /* nobody answers: nothing is known */
    queue_says(&m, s, 1000, -1, -1);
    char *frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "of 1000000");
    free(frame);
    s->source = 0;
    model_ended(&m, c, 0);
    model_ran(&m, command_of(sync, COMMAND_OF_KEY));
    queue_says(&m, s, 1000, 1000000, 200000);
    queue_says(&m, s, 1000, 1000000, 600000);
    assert_shown(&m, "hello: 600000 of 1000000 (60%), 400000/s, 2 s left");
    queue_says(&m, s, 1000, 1000000, -1);
    frame = model_frame(&m, 80, 24);
    assert_lacks(frame, "of 1000000");
    free(frame);
    model_ended(&m, m.command, 0);
    queue_says(&m, s, 1000, 1000000, 100); /* a sync that nobody here began */
    queue_says(&m, s, 1000, 1000000, 10100);
    assert_shown(&m, "hello: 10100 of 1000000 (1%), 10000/s");
    snapshot_destroy(s);
    model_finish(&m);
}

static void a_cut_node_is_healed_by_the_same_key(void **state)
{
    struct model m;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    struct command *c = started(&m, "llx");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 heal node3");
    model_ended(&m, c, 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":heal\n"), 0);
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":heal\n"), 0);
    model_ended(&m, started(&m, ":cut --one-way node3\n"), 0); /* what it says reaches nobody */
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 heal node3");
    model_ended(&m, c, 0);
    model_ended(&m, started(&m, ":cut --one-way node3 node1\n"), 0); /* a link: node2 reaches both */
    c = started(&m, "x");
    assert_string_equal(c->text, "labctl -n node3 cut node3");
    model_finish(&m);
}

static void copying_takes_what_ran(void **state)
{
    struct lesson *l = sketch_lesson();
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    assert_keys_say(&m, "y", "no command to copy");
    m.lesson = l;
    assert_int_equal(types(&m, "y", &run), EFFECT_COPY);
    assert_string_equal(m.copy, l->steps[0].action_text); /* what n would run */
    see(&m, "rest");
    model_ended(&m, started(&m, "s"), 0);
    assert_int_equal(types(&m, "y", &run), EFFECT_COPY);
    assert_string_equal(m.copy, "labctl -n node1 stop_app");

    struct labdir lab = {.path = "/tmp/a class's lab"};
    m.lab = &lab; /* pasted, it goes to this lab, from wherever */
    types(&m, "y", &run);
    assert_contains(m.copy, "labctl --dir '/tmp/a class'\\''s lab' -n node1 stop_app");
    assert_int_equal(m.copy[0], '/');
    assert_string_equal(m.command->text, "labctl -n node1 stop_app");
    setenv("MIRRORLAB_DIR", "/tmp", 1);
    snprintf(lab.path, sizeof(lab.path), "/tmp"); /* where labctl goes by itself */
    types(&m, "y", &run);
    assert_contains(m.copy, "/labctl -n node1 stop_app");
    unsetenv("MIRRORLAB_DIR");
    m.replay = true; /* there is no lab */
    types(&m, "y", &run);
    assert_string_equal(m.copy, "labctl -n node1 stop_app");
    model_finish(&m);
    sketch_destroy(l);
}

/* ---- the mouse
 * ---------------------------------------------------------------------------------------------------- */

static void click(struct model *m, const char *word)
{
    struct canvas c;
    struct text out = {0};
    struct command *run;
    int keys[MOUSE_KEYS], x = 0, y = 0;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_draw(m, &c);
    canvas_to_text(&c, &out);
    const char *at = strstr(out.s, word);
    assert_non_null(at);
    for (const char *p = out.s; p < at; p++) {
        x = *p == '\n' ? 0 : x + 1;
        y += *p == '\n';
    }
    size_t len = mouse_keys(m, &c, x + 1, y, keys);
    for (size_t i = 0; i < len; i++)
        model_key(m, keys[i], &run);
    text_finish(&out);
    canvas_finish(&c);
}

static void a_click_is_keys(void **state)
{
    struct model m;
    struct command *run;
    (void)state;
    model_init(&m, NULL, NULL, false, false);
    see(&m, "rest");
    click(&m, "mirrior_hello   running");
    assert_string_equal(m.queue, "mirrior_hello");
    click(&m, "hello           running");
    assert_string_equal(m.queue, "hello");
    click(&m, "node3 UP");
    assert_int_equal(m.node, 2);
    click(&m, "2:Events");
    assert_int_equal(m.view, VIEW_EVENTS);
    click(&m, "K:Kill-9");
    assert_int_equal(m.overlay, OVERLAY_CONFIRM); /* no click does what no key may */
    types(&m, "\x1b", &run);
    int keys[MOUSE_KEYS];
    struct canvas c;
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_draw(&m, &c);
    assert_int_equal(mouse_keys(&m, &c, 500, 3, keys), 0);
    assert_int_equal(mouse_keys(&m, &c, 40, 12, keys), 0);
    canvas_finish(&c);
    assert_false(m.mouse); /* it is the terminal's until % */
    assert_int_equal(types(&m, "%", &run), EFFECT_MOUSE);
    assert_true(m.mouse);
    model_finish(&m);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_verb_asks_the_right_node),
        cmocka_unit_test(what_mends_a_partition),
        cmocka_unit_test(lines_are_edited_and_recalled),
        cmocka_unit_test(tab_completes),
        cmocka_unit_test(completion_knows_labctls_verbs),
        cmocka_unit_test(a_read_only_screen_looks_and_does_not_touch),
        cmocka_unit_test(what_cannot_be_undone_is_asked),
        cmocka_unit_test(the_filter_is_seen),
        cmocka_unit_test(filtering_shows_what_passes),
        cmocka_unit_test(sorting_orders_the_queues),
        cmocka_unit_test(events_keep_their_place_until_followed),
        cmocka_unit_test(a_long_event_is_read_to_its_end),
        cmocka_unit_test(events_are_written_to_a_file),
        cmocka_unit_test(several_things_run_at_once),
        cmocka_unit_test(a_replay_is_left_at_once),
        cmocka_unit_test(a_long_output_opens),
        cmocka_unit_test(long_work_says_how_far_it_is),
        cmocka_unit_test(a_cut_node_is_healed_by_the_same_key),
        cmocka_unit_test(copying_takes_what_ran),
        cmocka_unit_test(a_click_is_keys),
    };
    return cmocka_run_group_tests_name("screen/acting", tests, NULL, NULL);
}
