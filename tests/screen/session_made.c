/* session_made.c: see session_made.h. */
#include "tests/screen/session_made.h"

#include <unistd.h>

#include "commands.h"
#include "time_delta.h"
#include "tests/temporary.h"

static void see_frame(struct session_made *s)
{
    char *frame = s->unseen ? NULL : model_frame(&s->live, 80, 24);
    VEC_PUSH(&s->frames, frame);
}

void begin_session_in(struct session_made *s, const struct labdir *lab, size_t max_bytes)
{
    char *error = NULL;
    *s = (struct session_made){.now = START};
    assert_true(temporary_file_in(s->file, sizeof(s->file), "time", ".ndjson"));
    unlink(s->file); /* the recorder makes it */
    model_init(&s->live, sketch_lesson(), lab, false, false);
    struct recording_start start = {
        .at = START, .wall_ms = 1795381500000, .engine = "kit", .model = &s->live, .whole = true};
    s->recorder = recorder_create(s->file, max_bytes, &start, &error);
    assert_null(error);
    assert_non_null(s->recorder);
}

void begin_session(struct session_made *s, size_t max_bytes)
{
    begin_session_in(s, NULL, max_bytes);
}

void end_session(struct session_made *s)
{
    struct lesson *l = s->live.lesson;
    recorder_destroy(s->recorder);
    model_finish(&s->live);
    sketch_destroy(l);
    for (size_t i = 0; i < s->frames.len; i++)
        free(s->frames.items[i]);
    VEC_FREE(&s->frames);
    unlink(s->file);
}

static void take_mirror(struct snapshot *snapshot)
{
    struct queue_seen *q = (struct queue_seen *)snapshot_queue(snapshot, "mirrior_hello");
    if (!q)
        return;
    bool stopped = !snapshot->nodes[0].answers;
    q->master = 0;
    q->mirrors = q->synced = 0;
    q->sync_messages = -1;
    q->state = stopped ? QUEUE_SEEN_STOPPED : QUEUE_SEEN_RUNNING;
    q->messages = q->ready = stopped ? -1 : q->messages;
    q->unacked = stopped ? -1 : q->unacked;
    free(q->policy);
    q->policy = NULL;
}

void look(struct session_made *s, const char *name)
{
    struct snapshot *snapshot = load_snapshot(name);
    ms_time was = snapshot->taken_at;
    if (s->unmirrored)
        take_mirror(snapshot);
    s->now += 250;
    snapshot->taken_at = s->now;
    snapshot->number = ++s->number;
    for (size_t i = 0; i < snapshot->nodes_len; i++)
        if (snapshot->nodes[i].answered_at == was)
            snapshot->nodes[i].answered_at = s->now;
    for (size_t i = 0; i < snapshot->events_len; i++)
        snapshot->events[i].seq = i + 1;
    json_t *doc = recorded_encode(snapshot);
    model_observe(&s->live, snapshot);
    recorder_snapshot(s->recorder, snapshot, doc, s->live.lesson, NULL);
    json_decref(doc);
    snapshot_destroy(snapshot);
    see_frame(s);
}

void tick(struct session_made *s, size_t step, const char *seen)
{
    sketch_step(s->live.lesson, step, STEP_SEEN, seen);
}

void run_words(struct session_made *s, const char *const *words, const char *output, int exit_code)
{
    struct command *c = command_of(words, COMMAND_OF_KEY);
    s->now += 10;
    model_ran(&s->live, c);
    recorder_ran(s->recorder, s->now, c, s->live.lesson);
    see_frame(s);
    model_output(&s->live, c, output, strlen(output));
    recorder_output(s->recorder, s->now, c, output, strlen(output), s->live.lesson);
    see_frame(s);
    s->now += 10;
    model_ended(&s->live, c, exit_code);
    recorder_ended(s->recorder, s->now, c, exit_code, s->live.lesson);
    see_frame(s);
}

void run_command(struct session_made *s, const char *verb, const char *output)
{
    const char *words[] = {"labctl", "-n", "node1", verb, NULL};
    run_words(s, words, output, 0);
}

void play_session(struct session_made *s)
{
    look(s, "rest");
    run_command(s, "stop_app", "Stopping rabbit application on node node1 ...\n");
    tick(s, 0, "effective policy=mirror");
    look(s, "rest");
    look(s, "stopped");
    tick(s, 1, "node2, node3 both say so");
    look(s, "stopped");
    look(s, "down");
    run_command(s, "start_app", "\xff\xfe is no UTF-8\n");
    look(s, "rest");
}

struct player *open_player(const char *file)
{
    char *error = NULL;
    struct recording *r = recording_open(file, &error);
    if (!r)
        fail_msg("%s", error);
    return player_create(r, NULL, NULL, false);
}

char *live_frame(struct player *p)
{
    struct model *m = player_model(p);
    free(m->message);
    m->message = NULL;
    m->replay = false;
    char *frame = model_frame(m, 80, 24);
    m->replay = true;
    return frame;
}
