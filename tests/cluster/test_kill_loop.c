/* test_kill_loop.c: producers and consumers at work on four mirrored queues, some of their messages
 * persistent, some not, while nodes are killed, stopped in order and cut off (some one way), one fault at a
 * time, the mirrors in sync again before the next. Nothing that was confirmed may be missing, no order
 * broken, no repeat unflagged.
 *
 *     MIRRORLAB_TEST_FAULTS=300 MIRRORLAB_TEST_SEED=42 build/tests/cluster/kill-loop     (make test-long)
 *
 * The seed decides faults, victims and what clients do; when things happen is up to the processes, so the
 * same seed is the same plan, not the same run. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/cluster/scenario.h"
#include "tests/cluster/workers.h"

enum { QUEUES = 4, NODES = 3, FAULTS = 10, WAIT_MS = 60000, BACKLOG = 400, CANCELLED = 2 };

static const char *const names[QUEUES] = {"all", "two", "cancelled", "listed"};
#define POLICY(mode) "{\"ha-sync-mode\":\"automatic\"," mode "}"
#define TWO          POLICY("\"ha-mode\":\"exactly\",\"ha-params\":2")
#define LISTED       POLICY("\"ha-mode\":\"nodes\",\"ha-params\":[\"node1@localhost\",\"node3@localhost\"]")
static const char *const policies[QUEUES] = {POLICY("\"ha-mode\":\"all\""), TWO, TWO, LISTED};
static const unsigned mirrors_wanted[QUEUES] = {2, 1, 1, 1};

static struct lab lab;
static struct text out;
static struct account account;
static struct workers workers;
static struct rng rng;
static uint64_t seed;

enum fault { FAULT_KILL, FAULT_STOP, FAULT_CUT };
static const char *const fault_words[] = {"kill", "stop", "cut"};

/* What a cut side does (partition_handling), and what is asked of clients and operator. In pause_minority
 * nothing: a paused node has no clients. Else a side that will be thrown away confirms what its clients
 * publish (docs/semantics.md, the third door): clients keep off it, and in `ignore` somebody restarts it. */
struct mode {
    const char *handling; /* NULL: no cuts */
    bool clients_anywhere, restart;
    uint64_t salt; /* another plan for each */
};
static const struct mode no_cuts = {NULL, true, false, 0};
static const struct mode pause_minority = {"pause_minority", true, false, 1000000};
static const struct mode autoheal = {"autoheal", false, false, 2000000};
static const struct mode ignore = {"ignore", false, true, 3000000};
static const struct mode *mode;

struct round {
    unsigned number, victim, asked; /* asked: a node that is not touched */
    enum fault fault;
    bool hold, one_way; /* a cut: only what the victim says is stopped */
    struct queue_facts before[QUEUES];
};

/* ---- waiting for what the books say -------------------------------------------------------------------- */

struct books {
    unsigned confirmed[QUEUES];
};

static void stop_if_broken(void)
{
    pthread_mutex_lock(&account.lock);
    bool broken = account.broken[0];
    pthread_mutex_unlock(&account.lock);
    if (broken)
        fail_msg("seed %llu, round %u: %s", (unsigned long long)seed, account.round, account.broken);
}

static bool have_confirmed(void *arg)
{
    const struct books *b = arg;
    stop_if_broken();
    for (unsigned i = 0; i < QUEUES; i++)
        if (account_sums(&account, i).confirmed < b->confirmed[i])
            return false;
    return true;
}

static void say_sums(struct text *t)
{
    for (unsigned i = 0; i < QUEUES; i++) {
        struct account_sums s = account_sums(&account, i);
        text_printf(
            t, "%s: sent %u, confirmed %u, seen %u, missing %u; producer on node%u, consumer on node%u\n",
            names[i], s.sent, s.confirmed, s.seen, s.missing, atomic_load(&workers.producers[i].node),
            atomic_load(&workers.consumers[i].node));
    }
}

/* what a node says of every queue, for who has to find out why */
static void say_queues(unsigned asked, struct text *t)
{
    for (unsigned i = 0; i < QUEUES; i++) {
        struct queue_facts f = {0};
        lab_facts(&lab, asked, names[i], &f);
        text_printf(t,
                    "%s: node%u says state %s, master node%u, %u mirrors (bits %x in sync), ready %lld, "
                    "unacked %lld\n",
                    names[i], asked, f.state, f.master, f.mirrors, f.synced_bits, f.ready, f.unacked);
    }
}

/* cmocka cuts off what is long: line by line */
static void print_lines(char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        print_error("  %s\n", line);
}

static void fail_round(const struct round *r, const char *what)
{
    struct text t = {0};
    say_sums(&t);
    say_queues(r->asked, &t);
    for (unsigned i = 0; i < QUEUES; i++)
        account_list_missing(&account, i, 5, &t);
    print_lines(t.s);
    for (unsigned node = 1; node <= NODES; node++) {
        char *last = format_text("%s/labctl --dir %s -n node%u events | tail -n 40", lab.bin, lab.dir, node);
        print_error("what node%u says happened, the last lines:\n", node);
        if (RUN(&out, "sh", "-c", last) == 0 && out.s)
            print_lines(out.s);
        free(last);
    }
    text_finish(&t);
    fail_msg("seed %llu, round %u (%s node%u): %s", (unsigned long long)seed, r->number,
             fault_words[r->fault], r->victim, what);
}

/* What every queue is to reach: so many more confirmed than now. Taken before producers may go on, or they
 * could be at their limit already. */
static struct books more_than_now(void)
{
    struct books b = {0};
    unsigned more = 20 + (unsigned)rng_below(&rng, BACKLOG / 2);
    for (unsigned i = 0; i < QUEUES; i++)
        b.confirmed[i] = account_sums(&account, i).confirmed + more;
    return b;
}

static void await_progress(const struct round *r, struct books wanted, const char *what)
{
    if (!wait_until(have_confirmed, &wanted, WAIT_MS))
        fail_round(r, what);
}

static bool all_came(void *arg)
{
    (void)arg;
    stop_if_broken();
    for (unsigned i = 0; i < QUEUES; i++) {
        struct account_sums s = account_sums(&account, i);
        if (s.unconfirmed || s.missing)
            return false;
    }
    return true;
}

static bool nothing_left(const struct queue_facts *f, void *arg)
{
    (void)arg;
    return f->messages == 0;
}

/* Producers rest, consumers work: all that was sent is confirmed, all that was confirmed has come. */
static void settle(const struct round *r)
{
    atomic_store(&workers.quiet, true);
    atomic_store(&workers.hold, false);
    if (!wait_until(all_came, NULL, WAIT_MS))
        fail_round(r, "what was confirmed is not all there");
    for (unsigned i = 0; i < QUEUES; i++)
        assert_queue(&lab, r->asked, names[i], "empty", nothing_left, NULL);
}

/* ---- the lab ------------------------------------------------------------------------------------------- */

static bool is_whole(const struct queue_facts *f, void *arg)
{
    unsigned wanted = *(const unsigned *)arg;
    return is_running(f, NULL) && f->mirrors == wanted && f->synced == wanted;
}

static void await_whole(void)
{
    for (unsigned i = 0; i < QUEUES; i++)
        for (unsigned node = 1; node <= NODES; node++)
            assert_queue(&lab, node, names[i], "all its mirrors in sync", is_whole,
                         (void *)(uintptr_t)&mirrors_wanted[i]);
}

static void on_node(unsigned node, const char *verb)
{
    char name[16];
    snprintf(name, sizeof(name), "node%u", node);
    assert_code(LABCTL(&lab, &out, "-n", name, verb), 0, &out);
}

static bool clients_are_off(void *victim)
{
    for (unsigned i = 0; i < QUEUES; i++)
        if (atomic_load(&workers.producers[i].node) == *(unsigned *)victim ||
            atomic_load(&workers.consumers[i].node) == *(unsigned *)victim)
            return false;
    return true;
}

static void cut_off(const struct round *r)
{
    unsigned victim = r->victim;
    if (!mode->clients_anywhere) {
        atomic_store(&workers.avoid, ON(victim));
        assert_true(wait_until(clients_are_off, &victim, WAIT_MS));
    }
    char name[16];
    snprintf(name, sizeof(name), "node%u", victim);
    assert_code(LABCTL(&lab, &out, "cut", name, r->one_way ? "--one-way" : NULL), 0, &out);
}

static void heal(const struct round *r)
{
    assert_code(LABCTL(&lab, &out, "heal"), 0, &out);
    if (mode->restart) {
        on_node(r->victim, "stop_app");
        on_node(r->victim, "start_app");
    }
}

static void do_fault(const struct round *r)
{
    switch (r->fault) {
    case FAULT_KILL: kill_node(&lab, r->victim); break;
    case FAULT_STOP: on_node(r->victim, "stop_app"); break;
    case FAULT_CUT: cut_off(r); break;
    }
    for (unsigned node = 1; node <= NODES; node++)
        if (node != r->victim)
            assert_running(&lab, node, r->victim, 0); /* it did happen */
}

static void undo_fault(const struct round *r)
{
    switch (r->fault) {
    case FAULT_KILL: on_node(r->victim, "start"); break;
    case FAULT_STOP: on_node(r->victim, "start_app"); break;
    case FAULT_CUT: heal(r); break;
    }
    for (unsigned node = 1; node <= NODES; node++)
        for (unsigned other = 1; other <= NODES; other++)
            assert_running(&lab, node, other, 1);
    atomic_store(&workers.avoid, 0);
}

/* ---- rounds -------------------------------------------------------------------------------------------- */

static void tell(const struct round *r, int64_t ms)
{
    struct text roles = {0};
    unsigned confirmed = 0, redelivered = 0;
    for (unsigned i = 0; i < QUEUES; i++) {
        if (r->before[i].master == r->victim)
            text_printf(&roles, "%s%s", roles.len ? ", " : "master of ", names[i]);
        struct account_sums s = account_sums(&account, i);
        confirmed += s.confirmed;
        redelivered += s.redelivered;
    }
    print_message("%4u  %s node%u%s%s  %s  %lld ms; confirmed %u, redelivered %u\n", r->number,
                  fault_words[r->fault], r->victim, r->fault == FAULT_CUT && r->one_way ? " one way" : "",
                  r->hold ? ", consumers holding" : "", text_str(&roles), (long long)ms, confirmed,
                  redelivered);
    text_finish(&roles);
}

/* A consumer that asked for it is told when its queue's master goes, unless it goes too. */
static bool was_told(void *before)
{
    stop_if_broken();
    return account_sums(&account, CANCELLED).cancels > *(unsigned *)before;
}

static void await_cancel(const struct round *r, unsigned consumer_was_on, unsigned cancels_before)
{
    bool stays = consumer_was_on && consumer_was_on != r->victim && r->fault != FAULT_CUT;
    if (stays && r->hold && r->before[CANCELLED].master == r->victim &&
        !wait_until(was_told, &cancels_before, WAIT_MS))
        fail_round(r, "a consumer that asked for basic.cancel got none");
}

/* Most faults go where it hurts: to a master. */
static unsigned pick_victim(const struct queue_facts *before)
{
    unsigned any = 1 + (unsigned)rng_below(&rng, NODES), at = (unsigned)rng_below(&rng, QUEUES);
    return rng_chance(&rng, 60) && before[at].master ? before[at].master : any;
}

static void one_round(unsigned number)
{
    struct round r = {.number = number};
    for (unsigned i = 0; i < QUEUES; i++)
        assert_true(lab_facts(&lab, 1, names[i], &r.before[i]));
    r.victim = pick_victim(r.before);
    r.asked = r.victim % NODES + 1;
    r.fault = (enum fault)rng_below(&rng, mode->handling ? FAULT_CUT + 1 : FAULT_CUT);
    if (number == 1 && mode->handling) /* however short the run is */
        r.fault = FAULT_CUT;
    r.hold = rng_chance(&rng, 50);
    r.one_way = rng_chance(&rng, 50);
    account.round = number;
    int64_t begun = support_now_ms();

    struct books wanted = more_than_now();
    atomic_store(&workers.hold, r.hold);
    atomic_store(&workers.backlog, BACKLOG);
    atomic_store(&workers.quiet, false);
    await_progress(&r, wanted, "before the fault: producers make no progress");
    const struct worker *c = &workers.consumers[CANCELLED];
    unsigned consumer_on = atomic_load(&c->ready) ? atomic_load(&c->node) : 0;
    unsigned cancels = account_sums(&account, CANCELLED).cancels;
    do_fault(&r);
    await_cancel(&r, consumer_on, cancels);
    wanted = more_than_now();
    atomic_store(&workers.backlog, 2 * BACKLOG);
    await_progress(&r, wanted, "after the fault: producers make no progress");
    atomic_store(&workers.hold, false);
    undo_fault(&r);
    await_whole();
    settle(&r);
    tell(&r, support_now_ms() - begun);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && text[0] ? strtoull(text, NULL, 10) : otherwise;
}

/* The lab's configuration file is only there to say what a cut side does. */
static void up(void)
{
    assert_true(lab_init(&lab, NODES));
    char *config = mode->handling ? format_text("%s/my.cfg", lab.dir) : NULL;
    if (config) {
        FILE *f = fopen(config, "w");
        assert_non_null(f);
        fprintf(f, "engine = \"kit\";\npartition_handling = \"%s\";\n", mode->handling);
        assert_int_equal(fclose(f), 0);
    }
    if (!lab_up(&lab, config ? NULL : test_engine(), config, &out))
        fail_msg("lab up: %s", text_str(&out));
    free(config);
}

static void loop(const struct mode *m, unsigned percent)
{
    mode = m;
    unsigned faults = (unsigned)from_environment("MIRRORLAB_TEST_FAULTS", FAULTS);
    faults = (faults * percent + 99) / 100;
    print_message("seed %llu, %u faults\n", (unsigned long long)seed, faults);
    rng_init(&rng, seed + m->salt);
    up();
    for (unsigned i = 0; i < QUEUES; i++) {
        set_policy(&lab, 1, names[i], policies[i]);
        declare(&lab, i % NODES + 1, names[i]);
    }
    await_whole(); /* they are mirrored */
    account_init(&account, names, QUEUES);
    memset(&workers, 0, sizeof(workers));
    workers.window = 60;
    workers.cancelled[CANCELLED] = true;
    atomic_store(&workers.quiet, true);
    workers_start(&workers, &lab, &account, rng_next(&rng));
    for (unsigned i = 1; i <= faults; i++)
        one_round(i);
    struct text t = {0};
    say_sums(&t);
    print_message("%s", text_str(&t));
    text_finish(&t);
}

/* also after a failure: the threads end, nothing stays behind */
static int teardown(void **state)
{
    (void)state;
    if (!lab.nodes) /* skipped: nothing runs */
        return 0;
    if (workers.account)
        workers_end(&workers);
    workers.account = NULL;
    account_finish(&account);
    text_finish(&out);
    int down = test_lab_down(&lab);
    lab.nodes = 0;
    return down;
}

static void kills_and_stops_lose_nothing(void **state)
{
    (void)state;
    loop(&no_cuts, 40);
}

static void nor_do_cuts_with_pause_minority(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* cuts go one way, too: RabbitMQ's links cannot be cut so */
    loop(&pause_minority, 30);
}

static void nor_with_autoheal_on_the_side_that_stays(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* cuts go one way, too: RabbitMQ's links cannot be cut so */
    loop(&autoheal, 15);
}

static void nor_with_ignore_on_the_side_that_stays(void **state)
{
    (void)state;
    if (!test_on_kit())
        skip(); /* cuts go one way, too: RabbitMQ's links cannot be cut so */
    loop(&ignore, 15);
}

int main(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = from_environment("MIRRORLAB_TEST_SEED", (uint64_t)now.tv_sec % 1000000);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kills_and_stops_lose_nothing, teardown),
        cmocka_unit_test_teardown(nor_do_cuts_with_pause_minority, teardown),
        cmocka_unit_test_teardown(nor_with_autoheal_on_the_side_that_stays, teardown),
        cmocka_unit_test_teardown(nor_with_ignore_on_the_side_that_stays, teardown),
    };
    return cmocka_run_group_tests_name("kill-loop", tests, NULL, NULL);
}
