/* node_log.c: see node_log.h. A line of RabbitMQ 3.10's log is
 *
 *     2026-11-23 05:07:33.239984+00:00 [info] <0.2132.0> Mirrored queue 'q' in vhost '/': Synchronising: ...
 *
 * Lines that are not known say nothing here: the log is written for people, and what polling sees is told by
 * polling. */
#include "lab/node_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/private.h"

#define READ_AT_ONCE (64 << 10) /* of what was written before the first look, and in each later one */
#define LONGEST_LINE 4096       /* what is longer is no line we know */

struct node_log {
    char node[64];
    char path[PATH_MAX];
    off_t at;
    bool begun;
    struct text rest; /* a line that is not whole yet */
    struct log_sync sync;
};

struct node_log *node_log_open(const struct labdir *lab, size_t node)
{
    if (lab->engine != ENGINE_RABBITMQ || lab->external)
        return NULL;
    struct node_log *log = xcalloc(1, sizeof(*log));
    snprintf(log->node, sizeof(log->node), "%s", lab->nodes[node].name);
    engine_node_path(lab, node, "log.txt", log->path);
    return log;
}

void node_log_close(struct node_log *log)
{
    if (!log)
        return;
    text_finish(&log->rest);
    free(log);
}

/* ---- one line -------------------------------------------------------------------------------------------
 */

/* "2026-11-23 05:07:33.239984+00:00 " -> milliseconds since 1970, the length of it; 0: it is no such thing */
static size_t read_time(const char *line, int64_t *wall_ms)
{
    struct tm t = {0};
    int micros, hours, minutes, len = 0;
    char sign;
    if (sscanf(line, "%4d-%2d-%2d %2d:%2d:%2d.%6d%c%2d:%2d %n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
               &t.tm_min, &t.tm_sec, &micros, &sign, &hours, &minutes, &len) != 10 ||
        len <= 0)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    int64_t east = (int64_t)(hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    *wall_ms = ((int64_t)timegm(&t) - east) * 1000 + micros / 1000;
    return (size_t)len;
}

/* what follows the words, if they stand in the text; NULL otherwise */
static const char *after(const char *text, const char *words)
{
    const char *at = strstr(text, words);
    return at ? at + strlen(words) : NULL;
}

/* the node's short name where "node3@localhost..." stands; a new string */
static char *node_at(const char *text)
{
    return xstrndup(text, strcspn(text, "@:], "));
}

static json_t *event(int64_t wall_ms, const char *kind, char *text)
{
    json_t *e =
        json_pack("{s:s, s:s, s:I}", "kind", kind, "text", text, "time", (json_int_t)wall_ms); /* NULL: no
                                                                                                  UTF-8 */
    free(text);
    return e;
}

static const char *plural(long long n)
{
    return n == 1 ? "" : "s";
}

static json_t *sync_event(int64_t wall_ms, const char *said, struct log_sync *sync)
{
    const char *to = after(said, "mirrors ["), *at;
    if (after(said, "messages to synchronise"))
        sync->messages = strtoll(said, NULL, 10);
    else if (to) {
        struct text names = {0};
        for (at = to; *at && *at != ']'; at += strcspn(at, ",]"), at += *at == ',') {
            char *name = node_at(at);
            text_printf(&names, "%s%s", names.len ? ", " : "", name);
            free(name);
        }
        char *text = format_text("%s: copying %lld message%s to %s", sync->queue, sync->messages,
                                 plural(sync->messages), text_str(&names));
        text_finish(&names);
        return event(wall_ms, "sync", text);
    } else if (strncmp(said, "complete", strlen("complete")) == 0)
        return event(
            wall_ms, "sync",
            format_text("%s: copied %lld message%s", sync->queue, sync->messages, plural(sync->messages)));
    else if (after(said, "cancelled"))
        return event(wall_ms, "sync", format_text("%s: copying cancelled", sync->queue));
    return NULL;
}

/* "Mirrored queue 'q' in vhost '/': what" */
static json_t *queue_event(int64_t wall_ms, const char *node, const char *name, struct log_sync *sync)
{
    static const char vhost[] = "' in vhost '/': ";
    const char *end = strstr(name, vhost), *said;
    if (!end || end == name || end - name > LIMIT_NAME)
        return NULL;
    char queue[LIMIT_NAME + 1];
    snprintf(queue, sizeof(queue), "%.*s", (int)(end - name), name);
    const char *what = end + strlen(vhost);
    if ((said = after(what, "Synchronising: "))) {
        if (strcmp(sync->queue, queue) != 0)
            *sync = (struct log_sync){0};
        memcpy(sync->queue, queue, sizeof(queue));
        return sync_event(wall_ms, said, sync);
    }
    if (after(what, "Promoting mirror "))
        return event(wall_ms, "promote", format_text("%s: %s promoted", queue, node));
    if ((said = after(what, "Adding mirror on node "))) {
        char *other = node_at(said);
        char *text = format_text("mirror of %s on %s added", queue, other);
        free(other);
        return event(wall_ms, "mirror", text);
    }
    if (after(what, "since no synchronised mirror"))
        return event(wall_ms, "queue",
                     format_text("%s: no mirror in sync, so it stops with its master on %s", queue, node));
    return NULL;
}

json_t *node_log_event(const char *node, const char *line, struct log_sync *sync)
{
    static const char queue[] = "Mirrored queue '", other[] = "rabbit on node ";
    int64_t wall_ms;
    size_t len = read_time(line, &wall_ms);
    const char *level_end = len ? strstr(line + len, "> ") : NULL;
    if (!level_end)
        return NULL;
    const char *said = level_end + 2;
    if (strncmp(said, queue, strlen(queue)) == 0)
        return queue_event(wall_ms, node, said + strlen(queue), sync);
    if (strncmp(said, other, strlen(other)) == 0) {
        char *name = node_at(said + strlen(other));
        const char *word = strrchr(said, ' ');
        bool up = strcmp(word, " up") == 0, down = strcmp(word, " down") == 0;
        char *text = format_text("%s is %s", name, up ? "up" : "down");
        free(name);
        if (up || down)
            return event(wall_ms, "node", text);
        free(text);
        return NULL;
    }
    if (strcmp(said, "Successfully stopped RabbitMQ and its dependencies") == 0)
        return event(wall_ms, "node", format_text("%s was stopped", node));
    if (strncmp(said, "Server startup complete", strlen("Server startup complete")) == 0)
        return event(wall_ms, "node", format_text("%s is up", node));
    if (after(said, "minority/secondary status detected"))
        return event(wall_ms, "node", format_text("%s is with the minority and waits", node));
    if (after(said, "inconsistent_database, running_partitioned_network"))
        return event(wall_ms, "node", format_text("%s saw that the cluster was partitioned", node));
    return NULL;
}

/* ---- the file -------------------------------------------------------------------------------------------
 */

/* Where to go on: at first near the end; a file that became shorter was begun anew. */
static void find_place(struct node_log *log, off_t size)
{
    if (!log->begun && size > READ_AT_ONCE)
        log->at = size - READ_AT_ONCE;
    else if (size < log->at)
        log->at = 0;
    log->begun = true;
}

json_t *node_log_read(struct node_log *log)
{
    struct stat st;
    int fd = log ? open(log->path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    json_t *events = json_array();
    ssize_t got = 0;
    char *bytes = xmalloc(READ_AT_ONCE);
    if (fstat(fd, &st) == 0) {
        find_place(log, st.st_size);
        got = pread(fd, bytes, READ_AT_ONCE, log->at);
    }
    close(fd);
    log->at += got > 0 ? got : 0;
    for (ssize_t from = 0, i = 0; i < got; i++) {
        if (bytes[i] != '\n' && i + 1 < got)
            continue;
        text_add_bytes(&log->rest, bytes + from, (size_t)(i - from + (bytes[i] != '\n')));
        from = i + 1;
        if (bytes[i] == '\n' || log->rest.len > LONGEST_LINE) {
            json_t *e = log->rest.len <= LONGEST_LINE
                            ? node_log_event(log->node, text_str(&log->rest), &log->sync)
                            : NULL;
            if (e)
                json_array_append_new(events, e);
            text_clear(&log->rest);
        }
    }
    free(bytes);
    if (json_array_size(events))
        return json_pack("{s:o}", "events", events);
    json_decref(events);
    return NULL;
}
