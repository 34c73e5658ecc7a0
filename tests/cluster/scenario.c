/* scenario.c: the words of the scenario tests. */
#include "tests/cluster/scenario.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

void assert_user(bool done, const struct user *u)
{
    if (!done)
        fail_msg("%s", u->error);
}

/* ---- policies ------------------------------------------------------------------------------------------ */

void set_policy(const struct lab *lab, unsigned asked, const char *queue, const char *definition)
{
    struct text answer = {0};
    char *path = format_text("/api/policies/%%2F/%s", queue);
    char *body =
        format_text("{\"pattern\":\"^%s$\",\"apply-to\":\"queues\",\"definition\":%s}", queue, definition);
    int status = http_ask(lab_http(lab, asked), "PUT", path, body, 30000, &answer);
    if (status != 201 && status != 204)
        fail_msg("PUT %s %s: %d %s", path, body, status, text_str(&answer));
    free(path);
    free(body);
    text_finish(&answer);
}

void clear_policy(const struct lab *lab, unsigned asked, const char *queue)
{
    char *path = format_text("/api/policies/%%2F/%s", queue);
    assert_int_equal(http_ask(lab_http(lab, asked), "DELETE", path, NULL, 30000, NULL), 204);
    free(path);
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static void command(const struct lab *lab, unsigned node, const char *verb)
{
    struct text out = {0};
    char name[16];
    snprintf(name, sizeof(name), "node%u", node);
    assert_code(LABCTL(lab, &out, "-n", name, verb), 0, &out);
    text_finish(&out);
}

/* every node that runs says so */
static void others_say(const struct lab *lab, unsigned node, int running)
{
    for (unsigned asked = 1; asked <= lab->nodes; asked++)
        if (asked != node && lab_running(lab, asked, asked) == 1)
            assert_running(lab, asked, node, running);
}

void stop_node(const struct lab *lab, unsigned node)
{
    command(lab, node, "stop_app");
    others_say(lab, node, 0);
}

void start_node(const struct lab *lab, unsigned node)
{
    command(lab, node, "start_app");
    others_say(lab, node, 1);
    assert_running(lab, node, node, 1);
}

void kill_node(const struct lab *lab, unsigned node)
{
    pid_t pid = lab_pid(lab, node);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(wait_ended(pid, 10000));
    others_say(lab, node, 0);
}

void revive_node(const struct lab *lab, unsigned node)
{
    command(lab, node, "start");
    others_say(lab, node, 1);
    assert_running(lab, node, node, 1);
}

void restart_node(const struct lab *lab, unsigned node)
{
    stop_node(lab, node);
    start_node(lab, node);
}

/* ---- messages ------------------------------------------------------------------------------------------ */

void declare(const struct lab *lab, unsigned node, const char *queue)
{
    struct user u = {0};
    assert_user(user_open(&u, lab, node) && user_declare(&u, queue, USER_DURABLE, NULL), &u);
    user_drop(&u);
}

void publish(const struct lab *lab, unsigned node, const char *queue, unsigned first, unsigned last,
             bool persistent)
{
    enum { WINDOW = 2000 };
    struct user u = {0};
    struct user_news news;
    assert_user(user_open(&u, lab, node) && user_confirms(&u), &u);
    unsigned sent = 0, confirmed = 0, count = last - first + 1;
    bool *answered = xcalloc(count + 1, sizeof(*answered)); /* by delivery tag */
    for (uint64_t low = 1; confirmed < count;) {
        for (; sent < count && sent - confirmed < WINDOW; sent++) {
            char body[16];
            snprintf(body, sizeof(body), "%u", first + sent);
            assert_user(user_publish(&u, queue, body, persistent, false), &u);
        }
        assert_user(user_await(&u, USER_ACK, USER_WAIT_MS, &news), &u);
        assert_in_range(news.tag, 1, sent);
        for (uint64_t tag = news.multiple ? low : news.tag; tag <= news.tag; tag++) {
            confirmed += !answered[tag];
            answered[tag] = true;
        }
        while (low <= count && answered[low])
            low++;
    }
    free(answered);
    user_drop(&u);
}

void assert_holds(const struct lab *lab, unsigned node, const char *queue, unsigned first, unsigned last)
{
    struct user u = {0};
    struct user_news news;
    assert_count(lab, node, queue, last - first + 1);
    assert_user(user_open(&u, lab, node), &u);
    assert_user(user_consume(&u, (struct user_consumer){.queue = queue, .no_ack = true}), &u);
    for (unsigned number = first; number <= last; number++) {
        if (!user_await(&u, USER_DELIVERY, test_on_kit() ? 10000 : USER_WAIT_MS, &news))
            fail_msg("%s: message %u is missing: %s", queue, number, u.error);
        if (strtoul(news.body, NULL, 10) != number)
            fail_msg("%s: message %s came instead of %u", queue, news.body, number);
    }
    user_drop(&u);
    assert_count(lab, node, queue, 0);
}

void assert_count(const struct lab *lab, unsigned node, const char *queue, unsigned count)
{
    struct user u = {0};
    uint32_t messages = 0;
    assert_user(user_open(&u, lab, node) && user_declare(&u, queue, USER_PASSIVE, &messages), &u);
    user_drop(&u);
    if (messages != count)
        fail_msg("%s holds %u messages instead of %u", queue, messages, count);
}

/* A refusal, and on the kit it came at once: RabbitMQ has clients wait for 67 s where mirrors may not take
 * over (docs/semantics.md). */
static void assert_is_404(const struct user *u, const char *how, const char *queue, unsigned node,
                          const char *text, int64_t asked_at)
{
    enum { AT_ONCE_MS = 5000 };
    int64_t ms = support_now_ms() - asked_at;
    if (text && strcmp(u->error, text) != 0)
        fail_msg("%s %s: node%u says: %s\ninstead of: %s", how, queue, node, u->error, text);
    if (strncmp(u->error, "404 ", 4) != 0)
        fail_msg("%s %s: node%u says: %s", how, queue, node, u->error);
    if (test_on_kit() && ms > AT_ONCE_MS)
        fail_msg("%s %s: node%u says so after %lld ms", how, queue, node, (long long)ms);
}

static void assert_404(const struct lab *lab, unsigned node, const char *queue, unsigned flags,
                       const char *text)
{
    struct user u = {0};
    assert_user(user_open(&u, lab, node), &u);
    int64_t asked_at = support_now_ms();
    if (user_declare(&u, queue, flags, NULL))
        fail_msg("%s: node%u still knows it", queue, node);
    assert_is_404(&u, "queue.declare", queue, node, text, asked_at);
    user_drop(&u);
}

void assert_get_refused(const struct lab *lab, unsigned node, const char *queue, const char *text)
{
    struct user u = {0};
    struct user_news news;
    bool empty;
    assert_user(user_open(&u, lab, node), &u);
    int64_t asked_at = support_now_ms();
    if (user_get(&u, queue, true, &news, &empty))
        fail_msg("%s: node%u answers a get", queue, node);
    assert_is_404(&u, "basic.get", queue, node, text, asked_at);
    user_drop(&u);
}

void assert_consume_refused(const struct lab *lab, unsigned node, const char *queue, const char *text)
{
    struct user u = {0};
    assert_user(user_open(&u, lab, node), &u);
    int64_t asked_at = support_now_ms();
    if (user_consume(&u, (struct user_consumer){.queue = queue}))
        fail_msg("%s: node%u takes a consumer", queue, node);
    assert_is_404(&u, "basic.consume", queue, node, text, asked_at);
    user_drop(&u);
}

void assert_refused(const struct lab *lab, unsigned node, const char *queue, const char *text)
{
    assert_404(lab, node, queue, USER_PASSIVE, text);
}

void assert_declare_refused(const struct lab *lab, unsigned node, const char *queue, const char *text)
{
    assert_404(lab, node, queue, USER_DURABLE, text);
}

char *text_stopped(const char *queue)
{
    return format_text("404 NOT_FOUND - queue '%s' in vhost '/' process is stopped by supervisor", queue);
}

char *text_down(const char *queue, unsigned node)
{
    return format_text("404 NOT_FOUND - home node 'node%u%s' of durable queue '%s' in vhost '/' is down or "
                       "inaccessible",
                       node, test_on_kit() ? "" : "@localhost", queue);
}

/* ---- places -------------------------------------------------------------------------------------------- */

struct places {
    unsigned master, mirrors;
    int synced;
};

static bool is_placed(const struct queue_facts *f, void *arg)
{
    const struct places *p = arg;
    return is_running(f, NULL) && f->master == p->master && f->mirror_bits == p->mirrors &&
           (p->synced == ANY || f->synced_bits == (unsigned)p->synced);
}

void assert_placed(const struct lab *lab, unsigned asked, const char *queue, unsigned master,
                   unsigned mirrors, int synced)
{
    struct places p = {master, mirrors, synced};
    char what[96];
    snprintf(what, sizeof(what), "master node%u, mirrors bits %x, in sync bits %x", master, mirrors,
             (unsigned)synced);
    assert_queue(lab, asked, queue, what, is_placed, &p);
}

static bool is_in_state(const struct queue_facts *f, void *arg)
{
    return strcmp(f->state, arg) == 0;
}

void assert_state(const struct lab *lab, unsigned asked, const char *queue, const char *state)
{
    assert_queue(lab, asked, queue, state, is_in_state, (void *)(uintptr_t)state);
}
