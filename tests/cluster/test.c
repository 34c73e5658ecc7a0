/* test.c: assertions about real processes. */
#include "tests/cluster/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { FACT_MS = 30000, FACT_MS_RABBITMQ = 120000 }; /* its figures are up to 5 s old */

static int patience_ms(void)
{
    return test_on_kit() ? FACT_MS : FACT_MS_RABBITMQ;
}

const char *test_engine(void)
{
    const char *engine = getenv("MIRRORLAB_TEST_ENGINE");
    return engine && engine[0] ? engine : "kit";
}

bool test_on_kit(void)
{
    return strcmp(test_engine(), "kit") == 0;
}

int test_lab_up(struct lab *lab, unsigned nodes)
{
    struct text out = {0};
    bool up = lab_init(lab, nodes) && lab_up(lab, test_engine(), NULL, &out);
    if (!up)
        print_error("lab up: %s\n", text_str(&out));
    text_finish(&out);
    if (!up)
        lab_finish(lab);
    return up ? 0 : -1;
}

int test_lab_down(struct lab *lab)
{
    bool down = lab_finish(lab);
    if (!down)
        print_error("lab down did not return 0\n");
    return down ? 0 : -1;
}

void assert_code(int code, int wanted, const struct text *out)
{
    if (code != wanted)
        fail_msg("exit code %d instead of %d; it printed: %s", code, wanted, text_str(out));
}

void assert_says(const struct text *out, const char *wanted)
{
    if (!strstr(text_str(out), wanted))
        fail_msg("wanted: %s\nprinted: %s", wanted, text_str(out));
}

struct asking {
    const struct lab *lab;
    unsigned asked;
    const char *queue;
    queue_fact_fn *fact;
    void *arg;
    bool known;
    struct queue_facts seen;
};

static bool ask(void *arg)
{
    struct asking *a = arg;
    a->known = lab_facts(a->lab, a->asked, a->queue, &a->seen);
    return a->known && a->fact(&a->seen, a->arg);
}

struct queue_facts assert_queue(const struct lab *lab, unsigned asked, const char *queue, const char *what,
                                queue_fact_fn *fact, void *arg)
{
    struct asking a = {.lab = lab, .asked = asked, .queue = queue, .fact = fact, .arg = arg};
    if (!wait_until(ask, &a, patience_ms())) {
        if (!a.known)
            fail_msg("%s: %s: node%u does not list that queue", queue, what, asked);
        fail_msg("%s: not so after %d s: %s; node%u says: state %s, master node%u, %u mirrors (%u in sync), "
                 "messages %lld, ready %lld",
                 queue, patience_ms() / 1000, what, asked, a.seen.state, a.seen.master, a.seen.mirrors,
                 a.seen.synced, a.seen.messages, a.seen.ready);
    }
    return a.seen;
}

bool is_running(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return strcmp(f->state, "running") == 0;
}

bool has_messages(const struct queue_facts *f, void *arg)
{
    return is_running(f, NULL) && f->ready == *(long long *)arg;
}

bool has_a_synced_mirror(const struct queue_facts *f, void *arg)
{
    return is_running(f, arg) && f->mirrors == 1 && f->synced == 1;
}

struct running {
    const struct lab *lab;
    unsigned asked, node;
    int wanted, seen;
};

static bool running_is(void *arg)
{
    struct running *r = arg;
    r->seen = lab_running(r->lab, r->asked, r->node);
    return r->seen == r->wanted;
}

void assert_running(const struct lab *lab, unsigned asked, unsigned node, int running)
{
    struct running r = {lab, asked, node, running, -1};
    if (!wait_until(running_is, &r, patience_ms()))
        fail_msg("node%u says of node%u: running %d (-1: does not answer); wanted %d", asked, node, r.seen,
                 running);
}
