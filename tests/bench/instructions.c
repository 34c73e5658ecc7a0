/* instructions.c: how many machine instructions a node spends on one message, counted by valgrind's
 * callgrind: the same on a busy machine and on a quiet one. Each node runs under callgrind; the difference
 * between a run with few messages and one with many is divided by the messages that make the difference.
 *
 * How many frames share a read depends on timing, so the last digits vary; a budget is not a test. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/bench/load.h"
#include "tests/cluster/support.h"

enum { NODES = 3, FEW = 5000, MANY = 25000 };

struct run {
    bool mirrored, persistent, consumed;
    unsigned messages;
    uint64_t spent[NODES + 1]; /* instructions of node 1, 2, 3 */
};

static bool write_file(const char *path, const char *content, mode_t mode)
{
    FILE *f = fopen(path, "w");
    bool ok = f && fputs(content, f) >= 0;
    return f && fclose(f) == 0 && ok && chmod(path, mode) == 0;
}

/* The lab's node program becomes a script that runs the newest lesson's node under callgrind. */
static bool up_under_callgrind(struct lab *lab)
{
    struct text out = {0}, script = {0}, config = {0};
    char path[PATH_MAX + 16], config_path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/counted-node", lab->dir);
    snprintf(config_path, sizeof(config_path), "%s/counted.cfg", lab->dir);
    text_printf(
        &script,
        "#!/bin/sh\nnode=$(ls -d '%s'/lessons/*/node | sort | tail -n 1)\nexec valgrind --tool=callgrind "
        "--callgrind-out-file=/dev/null --log-file='%s/count.%%p' \"$node\" \"$@\"\n",
        lab->bin, lab->dir);
    text_printf(&config, "engine = \"kit\";\nnode_program = \"%s\";\n", path);
    bool ok = write_file(path, script.s, 0755) && write_file(config_path, config.s, 0644) &&
              lab_up(lab, NULL, config_path, &out);
    if (!ok)
        fprintf(stderr, "lab up: %s\n", text_str(&out));
    text_finish(&out);
    text_finish(&script);
    text_finish(&config);
    return ok;
}

/* Ends a node and reads what callgrind says in its log: "Collected : N". */
static uint64_t ended_after(const struct lab *lab, unsigned node)
{
    char path[PATH_MAX + 32], line[256];
    pid_t pid = lab_pid(lab, node);
    unsigned long long spent = 0;
    if (pid > 1)
        kill(pid, SIGTERM);
    wait_ended(pid, 60000);
    snprintf(path, sizeof(path), "%s/count.%ld", lab->dir, (long)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        const char *at = strstr(line, "Collected : ");
        if (at)
            spent = strtoull(at + 12, NULL, 10);
    }
    if (f)
        fclose(f);
    return spent;
}

struct mirrored {
    const struct lab *lab;
    bool wanted;
};

static bool ready(void *arg)
{
    const struct mirrored *m = arg;
    struct queue_facts f;
    return lab_facts(m->lab, 1, "counted", &f) && f.synced == m->wanted;
}

static bool load(const struct lab *lab, const struct run *run)
{
    struct amqp_conn c;
    struct load_spec spec = {.publish_port = lab_amqp(lab, 1),
                             .consume_port = lab_amqp(lab, 1),
                             .queue = "counted",
                             .size = 100,
                             .persistent = run->persistent,
                             .window = 500,
                             .prefetch = 500,
                             .ack_every = 50,
                             .count = run->messages};
    struct load_result r = {0};
    struct mirrored m = {lab, run->mirrored};
    const char *policy = "{\"pattern\":\"^counted\",\"definition\":{\"ha-mode\":\"exactly\",\"ha-params\":2,"
                         "\"ha-sync-mode\":\"automatic\"},\"apply-to\":\"queues\"}";
    if (run->mirrored &&
        http_ask(lab_http(lab, 1), "PUT", "/api/policies/%2F/counted", policy, 20000, NULL) / 100 != 2)
        return false;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(lab, 1), "admin", "123") ||
        !amqp_declare(&c, "counted", false, NULL, 20000)) {
        fprintf(stderr, "%s\n", c.error);
        return false;
    }
    amqp_finish(&c);
    bool ok = wait_until(ready, &m, 30000) && load_publish(&spec, &r) &&
              (!run->consumed || load_consume(&spec, &r));
    if (!ok)
        fprintf(stderr, "%s\n", r.error);
    return ok;
}

static bool count(struct run *run)
{
    struct lab lab;
    bool ok = lab_init(&lab, NODES) && up_under_callgrind(&lab) && load(&lab, run);
    for (unsigned i = 1; i <= NODES; i++)
        run->spent[i] = ok ? ended_after(&lab, i) : 0;
    lab_finish(&lab);
    return ok && run->spent[1];
}

int main(void)
{
    static const struct {
        const char *text;
        bool mirrored, persistent, consumed;
    } kinds[] = {
        {"published, no mirrors", false, false, false},
        {"published, mirrored", true, false, false},
        {"published, mirrored, persistent", true, true, false},
        {"published and consumed, mirrored", true, false, true},
    };
    printf("instructions for one message of 100 bytes%12s%16s\n", "master", "the other two");
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct run few = {kinds[k].mirrored, kinds[k].persistent, kinds[k].consumed, FEW, {0}}, many = few;
        many.messages = MANY;
        if (!count(&few) || !count(&many)) {
            fprintf(stderr, "%s: could not be counted\n", kinds[k].text);
            return 1;
        }
        printf("%-41s", kinds[k].text);
        double master = (double)many.spent[1] - (double)few.spent[1], others = 0;
        for (unsigned i = 2; i <= NODES; i++) /* either may hold the mirror */
            others += (double)many.spent[i] - (double)few.spent[i];
        printf("%12.0f%16.0f\n", master / (MANY - FEW), others > 0 ? others / (MANY - FEW) : 0);
        fflush(stdout);
    }
    return 0;
}
