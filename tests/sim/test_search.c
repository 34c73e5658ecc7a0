/* test_search.c: the search finds what is known: which rules lose a message, in how many steps, and which do
 * not; and that what it looks at is the same every time. Three nodes, one queue mirrored on all of them, no
 * synchronisation unless a step asks for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sched.h"
#include "base/text.h"
#include "sim/search.h"

#define FIVE_STEPS "publish node1 q, kill node2, kill node3, start node2, kill node1"

static struct search_options options(const char *rule, unsigned crashes, unsigned restarts)
{
    struct search_options o;
    search_options_defaults(&o);
    o.rules = rules_named(rule);
    assert_non_null(o.rules);
    o.crashes = crashes;
    o.restarts = restarts;
    return o;
}

static struct search_result loses(const struct search_options *o, const char *schedule)
{
    struct search_result r;
    search_run(o, &r);
    if (!r.found)
        fail_msg("nothing is lost in %llu states", (unsigned long long)r.states);
    assert_string_equal(r.schedule, schedule);
    assert_int_equal(r.message_number, 1);
    return r;
}

static void loses_in_five_steps(const char *rule)
{
    struct search_options o = options(rule, 3, 3);
    struct search_result r = loses(&o, FIVE_STEPS);
    assert_int_equal(r.steps, 5);
    assert_int_equal(r.door, DOOR_L1);
    assert_string_equal(r.decision, "pick_master(the master crashed; oldest first: node2 NOT synchronised, 0 "
                                    "messages) = node2");
    search_result_finish(&r);
}

static void oldest_newest_and_most_messages_lose_in_five_steps(void **state)
{
    (void)state;
    loses_in_five_steps("oldest");
    loses_in_five_steps("newest");
    loses_in_five_steps("most-messages");
    loses_in_five_steps("kit"); /* its policy keys say "always" unless told otherwise, as RabbitMQ's */
}

static void the_newest_whatever_it_has_loses_in_four(void **state)
{
    (void)state;
    struct search_options o = options("newest-of-all", 3, 3);
    struct search_result r = loses(&o, "publish node1 q, kill node2, start node2, kill node1");
    assert_int_equal(r.steps, 4);
    search_result_finish(&r);
}

static void nothing_is_lost(const struct search_options *o, uint64_t at_least)
{
    struct search_result r;
    search_run(o, &r);
    if (r.found)
        fail_msg("lost by: %s\n%s\n%s", r.schedule, r.promise, r.decision);
    assert_true(r.complete);
    assert_true(r.states >= at_least); /* it has looked, and has not dropped what is not the same */
    search_result_finish(&r);
}

static void synchronised_only_does_not_lose(void **state) /* without copies: the page's table */
{
    (void)state;
    struct search_options o = options("synchronised-only", 2, 2);
    o.syncs = 2;
    o.hurried = true;
    nothing_is_lost(&o, 500);
}

static void when_synced_keeps_what_the_kits_rule_would_lose(void **state)
{
    (void)state;
    struct search_options o = options("kit", 3, 3);
    o.messages = 1;
    o.policy = "{\"ha-mode\":\"all\",\"ha-promote-on-failure\":\"when-synced\"}";
    nothing_is_lost(&o, 200);
}

/* ---- the page ---- */

#define PAGE "docs/schedules.md"

static void say_outcome(struct text *t, const char *rule, unsigned crashes, bool states)
{
    struct search_options o = options(rule, crashes, crashes);
    struct search_result r;
    search_run(&o, &r);
    if (r.found)
        text_printf(t, "loses in %u steps |", r.steps);
    else if (states && r.states >= 1000)
        text_printf(t, "loses nothing (%llu,%03llu states) |", (unsigned long long)r.states / 1000,
                    (unsigned long long)r.states % 1000);
    else
        text_add(t, "loses nothing |");
    assert_true(r.found || r.complete);
    search_result_finish(&r);
}

/* Every built-in rule has its row, and what the row says is what is found: a changed figure is noticed. */
static void the_table_of_the_page_is_what_is_found(void **state)
{
    (void)state;
    struct text page = {0};
    char line[512];
    FILE *f = fopen(PAGE, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        text_add(&page, line);
    fclose(f);
    for (size_t i = 0; rules_at(i); i++) {
        const char *name = rules_at(i)->name;
        struct text wanted = {0}, head = {0};
        text_printf(&head, "\n| `%s` | ", name);
        const char *row = strstr(text_str(&page), text_str(&head));
        if (!row)
            fail_msg(PAGE " has no row of %s", name);
        const char *cells = strchr(row + head.len, '|');
        assert_non_null(cells);
        text_add(&wanted, "| ");
        say_outcome(&wanted, name, 3, true);
        text_add(&wanted, " ");
        say_outcome(&wanted, name, 2, false);
        text_add(&wanted, "\n");
        if (strncmp(cells, text_str(&wanted), wanted.len) != 0)
            fail_msg(PAGE ": %s: found: %s", name, text_str(&wanted));
        text_finish(&wanted);
        text_finish(&head);
    }
    text_finish(&page);
}

/* ---- a rule of confirms ---- */

static bool at_once(void *arg, const struct confirmation *c)
{
    (void)arg;
    (void)c;
    return true;
}

static bool on_every_disk_but_the_masters(void *arg, const struct confirmation *c)
{
    (void)arg;
    for (size_t i = 0; i < c->len; i++)
        if (!c->mirrors[i].has || (c->needs_disk && !c->mirrors[i].on_disk))
            return false;
    return true;
}

static bool everywhere(void *arg, const struct confirmation *c)
{
    return on_every_disk_but_the_masters(arg, c) && (c->on_disk || !c->needs_disk);
}

static struct mirror_rules confirming(bool (*rule)(void *arg, const struct confirmation *c))
{
    struct mirror_rules r = *rules_named("synchronised-only");
    r.name = "own";
    r.can_confirm = rule;
    return r;
}

static void a_confirm_before_the_mirrors_have_it_is_found(void **state)
{
    (void)state;
    struct mirror_rules own = confirming(at_once);
    struct search_options o = options("kit", 3, 3);
    o.rules = &own;
    o.hurried = true;
    struct search_result r = loses(&o, "publish node1 q hurried, kill node1");
    assert_int_equal(strncmp(r.promise, "I3", 2), 0);
    assert_int_equal(
        strncmp(r.decision, "can_confirm(the master has it, not on disk yet; mirrors: node2", 58), 0);
    search_result_finish(&r);
    o.hurried = false; /* at rest everybody has it: only a hurried crash shows this */
    o.messages = 1;
    nothing_is_lost(&o, 200);
}

static void a_confirm_before_the_masters_own_disk_has_it_is_found(void **state)
{
    (void)state;
    struct mirror_rules own = confirming(on_every_disk_but_the_masters);
    struct search_options o = options("kit", 3, 1);
    o.rules = &own;
    o.hurried = true;
    o.messages = 1;
    struct search_result r;
    search_run(&o, &r);
    assert_true(r.found); /* alone, it confirms at once */
    assert_non_null(strstr(r.schedule, "hurried, kill node"));
    search_result_finish(&r);
}

static void a_confirm_when_all_have_it_on_disk_loses_nothing(void **state)
{
    (void)state;
    struct mirror_rules own = confirming(everywhere);
    struct search_options o = options("kit", 2, 2);
    o.rules = &own;
    o.hurried = true;
    o.messages = 2;
    nothing_is_lost(&o, 300);
}

/* ---- the search itself ---- */

static void the_same_every_time(void **state)
{
    (void)state;
    struct search_options o = options("oldest", 3, 3);
    struct search_result a = loses(&o, FIVE_STEPS), b = loses(&o, FIVE_STEPS);
    assert_string_equal(a.sched, b.sched);
    assert_int_equal(a.states, b.states);
    assert_int_equal(a.runs, b.runs);
    search_result_finish(&a);
    o.seed = 77; /* other delays, the same states at rest */
    search_result_finish(&b);
    b = loses(&o, FIVE_STEPS);
    search_result_finish(&b);
}

static void gives_up_and_says_so(void **state)
{
    (void)state;
    struct search_options o = options("synchronised-only", 3, 3);
    struct search_result r;
    o.states_max = 50;
    search_run(&o, &r);
    assert_false(r.found);
    assert_false(r.complete);
    search_result_finish(&r);
}

static void what_is_written_is_a_schedule(void **state)
{
    (void)state;
    struct search_options o = options("oldest", 3, 3);
    struct search_result r = loses(&o, FIVE_STEPS);
    struct sched s;
    char *error = NULL;
    if (sched_parse(&s, "found", r.sched, &error))
        fail_msg("%s", error);
    assert_int_equal(s.steps, 5);
    assert_string_equal(s.rule, "oldest");
    assert_int_equal(s.expects.len, 1);
    assert_int_equal(s.expects.items[0].step, 5);
    assert_string_equal(s.expects.items[0].door, "L1");
    sched_finish(&s);
    search_result_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oldest_newest_and_most_messages_lose_in_five_steps),
        cmocka_unit_test(the_newest_whatever_it_has_loses_in_four),
        cmocka_unit_test(synchronised_only_does_not_lose),
        cmocka_unit_test(when_synced_keeps_what_the_kits_rule_would_lose),
        cmocka_unit_test(a_confirm_before_the_mirrors_have_it_is_found),
        cmocka_unit_test(a_confirm_before_the_masters_own_disk_has_it_is_found),
        cmocka_unit_test(a_confirm_when_all_have_it_on_disk_loses_nothing),
        cmocka_unit_test(the_same_every_time),
        cmocka_unit_test(gives_up_and_says_so),
        cmocka_unit_test(the_table_of_the_page_is_what_is_found),
        cmocka_unit_test(what_is_written_is_a_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
