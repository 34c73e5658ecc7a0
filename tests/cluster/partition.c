/* partition.c: the words of the tests whose nodes are cut off from each other. */
#include "tests/cluster/partition.h"

#include <stdio.h>
#include <stdlib.h>

void up_handling(struct lab *lab, const char *handling, unsigned silence_ms)
{
    struct text out = {0};
    assert_true(lab_init(lab, 3));
    char *config = format_text("%s/my.cfg", lab->dir);
    FILE *f = fopen(config, "w");
    assert_non_null(f);
    fprintf(f, "engine = \"%s\";\npartition_handling = \"%s\";\n", test_engine(), handling);
    if (silence_ms)
        fprintf(f, "silence_ms = %u;\n", silence_ms);
    assert_int_equal(fclose(f), 0);
    if (!lab_up(lab, test_engine(), config, &out))
        fail_msg("lab up: %s", text_str(&out));
    text_finish(&out);
    free(config);
}

void mirrored(const struct lab *lab, const char *queue)
{
    set_policy(lab, 1, queue, "{\"ha-mode\":\"all\",\"ha-sync-mode\":\"automatic\"}");
    declare(lab, 1, queue);
    assert_placed(lab, 3, queue, 1, ON(2) | ON(3), ON(2) | ON(3));
    publish(lab, 1, queue, 1, 10, true);
}

/* ---- what a node says of itself ------------------------------------------------------------------------ */

struct partitions {
    const struct lab *lab;
    unsigned node;
    int wanted, seen; /* bits of the nodes it lists; -1: it does not answer */
};

static bool lists(void *arg)
{
    struct partitions *p = arg;
    json_t *all = http_json(lab_http(p->lab, p->node), "/api/nodes"), *n, *other;
    size_t i, k;
    p->seen = all ? 0 : -1;
    json_array_foreach(all, i, n)
    {
        if (node_number(json_string_value(json_object_get(n, "name"))) != p->node)
            continue;
        json_array_foreach(json_object_get(n, "partitions"), k, other) p->seen |=
            (int)ON(node_number(json_string_value(other)));
    }
    json_decref(all);
    return p->seen == p->wanted;
}

void assert_lists(const struct lab *lab, unsigned node, int wanted)
{
    struct partitions p = {lab, node, wanted, 0};
    if (!wait_until(lists, &p, PARTITION_WAIT_MS))
        fail_msg("node%u lists as partitioned bits %x instead of %x (-1: it does not answer)", node,
                 (unsigned)p.seen, (unsigned)wanted);
}

void assert_whole_again(const struct lab *lab)
{
    for (unsigned node = 1; node <= 3; node++) {
        for (unsigned other = 1; other <= 3; other++)
            assert_running(lab, node, other, 1);
        assert_lists(lab, node, 0);
    }
}

bool has_told(const struct lab *lab, unsigned node, const char *text)
{
    json_t *answer = http_json(lab_http(lab, node), "/api/events"), *event;
    bool told = false;
    size_t i;
    json_array_foreach(json_object_get(answer, "events"), i, event)
    {
        const char *said = json_string_value(json_object_get(event, "text"));
        told = told || (said && strstr(said, text));
    }
    json_decref(answer);
    return told;
}
