/* test_replay_random.c: short schedules as a learner might write them, made up from a seed, on the simulator:
 * whatever happens, the replay plays it to its end, has a door for every loss, and says of every message what
 * the checker says, who looks into every node. `test_replay_random FROM TO` plays these seeds and goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "main/lab_sim.h"

#define SEEDS 3000

/* each was contradicted before the book of messages was mended */
static const uint64_t once_wrong[] = {21098, 33609, 36901, 56806, 64326, 65047, 65799, 94293};

struct maker {
    struct rng luck;
    unsigned nodes;
    struct text text;
};

#define ONE_OF(m, list) ((list)[rng_below(&(m)->luck, ARRAY_LEN(list))])

static unsigned node(struct maker *m)
{
    return 1 + (unsigned)rng_below(&m->luck, m->nodes);
}

static void policy(struct maker *m)
{
    static const char *const definitions[] = {
        "{\"ha-mode\":\"all\"}",
        "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}",
        "{\"ha-mode\":\"exactly\",\"ha-params\":2}",
        "{\"ha-mode\":\"exactly\",\"ha-params\":2,\"ha-sync-mode\":\"automatic\"}",
        "{\"ha-mode\":\"nodes\",\"ha-params\":[\"node1\",\"node2\"]}",
        "{\"ha-mode\":\"all\",\"ha-promote-on-shutdown\":\"always\"}",
        "{\"ha-mode\":\"all\",\"ha-promote-on-failure\":\"when-synced\"}",
        "{\"ha-mode\":\"all\",\"max-length\":3}",
        "{\"max-length\":2}",
    };
    text_printf(&m->text, "policy ha ^q %s\n", ONE_OF(m, definitions));
}

static void declare(struct maker *m)
{
    static const char *const kinds[] = {"durable",
                                        "durable",
                                        "durable",
                                        "transient",
                                        "auto-delete",
                                        "durable {\"x-max-length\":2}",
                                        "durable {\"x-max-length\":3,\"x-overflow\":\"reject-publish\"}",
                                        "durable {\"x-max-priority\":3}"};
    text_printf(&m->text, "declare q %s\n", ONE_OF(m, kinds));
}

static void link_event(struct maker *m, const char *verb)
{
    unsigned a = node(m), b = 1 + (a + (unsigned)rng_below(&m->luck, m->nodes - 1)) % m->nodes;
    text_printf(&m->text, "%s node%u node%u\n", verb, a, b);
}

static void publish(struct maker *m)
{
    static const char *const options[] = {
        "", "", "", " transient", " transient", " hurried", " transient hurried"};
    text_printf(&m->text, "publish node%u q %u%s\n", node(m), 1 + (unsigned)rng_below(&m->luck, 4),
                ONE_OF(m, options));
}

static void kill_all(struct maker *m)
{
    text_add(&m->text, "kill");
    for (unsigned n = 1; n <= m->nodes; n++)
        text_printf(&m->text, " node%u", n);
    text_add(&m->text, "\n");
}

static void event(struct maker *m)
{
    static const char *const verbs[] = {
        "publish", "publish", "publish", "publish", "kill",    "kill",       "start",       "start",
        "start",   "start",   "stop",    "stop",    "sync",    "cut",        "part",        "part",
        "heal",    "heal",    "policy",  "clear",   "consume", "purge",      "cut-one-way", "delete",
        "declare", "force",   "forget",  "calm",    "all",     "cancel-sync"};
    const char *verb = ONE_OF(m, verbs);
    if (rng_chance(&m->luck, 8)) /* nobody waits for what the line before leads to, nor looks at it */
        text_printf(&m->text, "+%u ", (unsigned)rng_below(&m->luck, 3) * 700);
    if (strcmp(verb, "publish") == 0)
        publish(m);
    else if (strcmp(verb, "policy") == 0)
        policy(m);
    else if (strcmp(verb, "declare") == 0)
        declare(m);
    else if (strcmp(verb, "clear") == 0)
        text_add(&m->text, "clear ha\n");
    else if (strcmp(verb, "all") == 0)
        kill_all(m);
    else if (strncmp(verb, "cut", 3) == 0)
        link_event(m, verb);
    else if (strcmp(verb, "heal") == 0 || strcmp(verb, "calm") == 0)
        text_printf(&m->text, "%s\n", verb);
    else if (strcmp(verb, "consume") == 0)
        text_printf(&m->text, "consume node%u q %u\n", node(m), 1 + (unsigned)rng_below(&m->luck, 2));
    else if (strcmp(verb, "sync") == 0 || strcmp(verb, "cancel-sync") == 0 || strcmp(verb, "purge") == 0 ||
             strcmp(verb, "delete") == 0)
        text_printf(&m->text, "%s q\n", verb);
    else
        text_printf(&m->text, "%s node%u\n", verb, node(m));
}

static void make_up(struct text *out, uint64_t seed)
{
    static const char *const partitions[] = {"ignore", "pause_minority", "autoheal"};
    struct maker m = {0};
    rng_init(&m.luck, seed);
    m.nodes = 2 + (unsigned)rng_below(&m.luck, 3);
    text_printf(&m.text, "nodes %u\npartitions %s\n", m.nodes, ONE_OF(&m, partitions));
    policy(&m);
    declare(&m);
    for (uint64_t left = 4 + rng_below(&m.luck, 9); left; left--)
        event(&m);
    *out = m.text;
}

/* NULL: nothing contradicts anything; else what does, for whoever prints it. */
static const char *contradiction(const char *said, int err)
{
    static const char *const signs[] = {"NOT SO", "none of the ways L1 to L5 explains it", "NOT PLAYED",
                                        "broken  "};
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strstr(said, signs[i]))
            return signs[i];
    return err ? "an error" : NULL;
}

static bool holds(uint64_t seed)
{
    struct text text = {0};
    struct sched s;
    struct replay_result result = {0};
    char *error = NULL, *said = NULL;
    size_t len = 0;
    make_up(&text, seed);
    assert_int_equal(replay_read(&s, "made up", text_str(&text), &error), 0);
    FILE *out = open_memstream(&said, &len);
    int err = replay_on_sim(&s, "made up", false, out, &result);
    fclose(out);
    const char *wrong = contradiction(said, err);
    if (wrong)
        printf("seed %llu, %s:\n%s\n%s\n", (unsigned long long)seed, wrong, text_str(&text), said);
    replay_result_finish(&result);
    sched_finish(&s);
    text_finish(&text);
    free(said);
    return !wrong;
}

static void what_is_said_is_never_contradicted(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        wrong += !holds(seed);
    for (size_t i = 0; i < ARRAY_LEN(once_wrong); i++)
        wrong += !holds(once_wrong[i]);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        unsigned wrong = 0;
        for (uint64_t seed = strtoull(argv[1], NULL, 10); seed <= strtoull(argv[2], NULL, 10); seed++)
            wrong += !holds(seed);
        printf("%u schedules are contradicted\n", wrong);
        return wrong ? 1 : 0;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_said_is_never_contradicted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
