/* support.c: see support.h. */
#include "tests/screen/support.h"

#include <errno.h>
#include <sys/stat.h>

json_t *load_json(const char *path)
{
    json_error_t e;
    json_t *json = json_load_file(path, 0, &e);
    if (!json)
        fail_msg("%s:%d: %s (tests run in the project's folder)", path, e.line, e.text);
    return json;
}

struct snapshot *load_snapshot(const char *name)
{
    char *path = format_text("tests/screen/snapshots/%s.json", name), *error = NULL;
    json_t *json = load_json(path);
    struct snapshot *s = snapshot_from_json(json, &error);
    if (!s)
        fail_msg("%s: %s", path, error);
    json_decref(json);
    free(path);
    return s;
}

struct lesson *sketch_lesson(void)
{
    static const struct {
        const char *title, *wait, *action, *why;
    } steps[] = {
        {"set policy mirror ^mirrior exactly:2", "policy mirror listed",
         "labctl -n node1 set_policy mirror '^mirrior' '{\"ha-mode\":\"exactly\",\"ha-params\":2}'",
         "Two copies of every queue whose name begins with mirrior."},
        {"mirrior_hello has one mirror in sync", "sync>=1", "producer --queue mirrior_hello", NULL},
        {"stop node1", "node1 not running", "labctl -n node1 stop_app",
         "An orderly stop of the node that holds the queue."},
        {"mirror promoted, new mirror in sync", "master!=node1, sync>=1", NULL,
         "The policy asks for two copies, so the node that had none gets one."},
        {"get all back", "100000 ids, 0 missing", "consumer --queue mirrior_hello", NULL},
    };
    struct lesson *l = xcalloc(1, sizeof(*l));
    l->number = 7;
    l->title = xstrdup("keep messages when a node stops");
    l->aim = xstrdup("Stop the node that holds the queue and get the messages all the same.");
    static const char *const choices[] = {"node2", "node2 and node3", "none"};
    l->predict.text = xstrdup("Which nodes hold mirrior_hello after node1 was stopped?");
    l->predict.step = 2;
    l->predict.decided = 3;
    l->predict.said = l->predict.was = -1;
    l->predict.choices = xcalloc(ARRAY_LEN(choices) + 1, sizeof(char *));
    for (size_t i = 0; i < ARRAY_LEN(choices); i++)
        l->predict.choices[i] = xstrdup(choices[i]);
    l->steps_len = ARRAY_LEN(steps);
    l->steps = xcalloc(l->steps_len, sizeof(*l->steps));
    for (size_t i = 0; i < l->steps_len; i++) {
        struct lesson_step *s = &l->steps[i];
        s->title = xstrdup(steps[i].title);
        s->wait_text = xstrdup(steps[i].wait);
        s->why = steps[i].why ? xstrdup(steps[i].why) : NULL;
        s->exit_code = -1;
        if (s->why && !steps[i].action) /* it tells what is seen */
            s->result = xstrdup(steps[i].why);
        if (steps[i].action) {
            s->action_text = xstrdup(steps[i].action);
            static const char *const words[] = {"labctl", "-n", "node1"};
            s->action = xcalloc(ARRAY_LEN(words) + 1, sizeof(*s->action));
            for (size_t w = 0; w < ARRAY_LEN(words); w++)
                s->action[w] = xstrdup(words[w]);
        }
    }
    return l;
}

void sketch_step(struct lesson *l, size_t i, enum step_state state, const char *seen)
{
    struct lesson_step *s = &l->steps[i];
    s->state = state;
    s->acted = state != STEP_OPEN;
    s->seen_wall_ms = 1795381509000;
    json_decref(s->seen);
    s->seen = seen ? json_string(seen) : NULL;
}

struct lesson *sketch_two_proved(void)
{
    struct lesson *l = sketch_lesson();
    sketch_step(l, 0, STEP_SEEN, "effective policy=mirror");
    sketch_step(l, 1, STEP_SEEN, "synchronised={node2}");
    return l;
}

void sketch_destroy(struct lesson *l)
{
    for (size_t i = 0; i < l->steps_len; i++) {
        struct lesson_step *s = &l->steps[i];
        free(s->title);
        free(s->wait_text);
        free(s->why);
        free(s->result);
        free(s->lacks);
        free(s->lacks_at);
        free(s->shows);
        free(s->action_text);
        free(s->ran);
        free(s->output);
        json_decref(s->seen);
        for (size_t w = 0; s->action && s->action[w]; w++)
            free(s->action[w]);
        free(s->action);
    }
    free(l->steps);
    free(l->title);
    free(l->aim);
    free(l->predict.text);
    for (size_t i = 0; l->predict.choices[i]; i++)
        free(l->predict.choices[i]);
    free(l->predict.choices);
    json_decref(l->account);
    free(l);
}

void see(struct model *m, const char *name)
{
    struct snapshot *s = load_snapshot(name);
    model_observe(m, s);
    m->now = s->taken_at;
    snapshot_destroy(s);
}

void show(struct model *m, struct lesson *l, const char *const *names)
{
    model_init(m, l, NULL, false, false);
    for (; *names; names++) {
        struct snapshot *s = load_snapshot(*names);
        model_observe(m, s);
        snapshot_destroy(s);
    }
}

enum effect types(struct model *m, const char *keys, struct command **run)
{
    enum effect effect = EFFECT_NONE;
    *run = NULL;
    for (; *keys; keys++)
        effect = model_key(m, *keys == '\n' ? KEY_RETURN : (unsigned char)*keys, run);
    return effect;
}

char *model_frame(struct model *m, int width, int height)
{
    struct canvas c;
    struct text out = {0};
    m->now = m->snapshot ? m->snapshot->taken_at : 0;
    canvas_init(&c);
    canvas_resize(&c, width, height);
    screen_settle(m, &c);
    screen_draw(m, &c);
    canvas_to_text(&c, &out);
    canvas_finish(&c);
    return out.s;
}

char *file_text(const char *file, size_t *len)
{
    FILE *f = fopen(file, "re");
    struct text t = {0};
    char part[4096];
    text_add(&t, "");
    for (size_t got; f && (got = fread(part, 1, sizeof(part), f)) > 0;)
        text_add_bytes(&t, part, got);
    if (f)
        fclose(f);
    if (len)
        *len = t.len;
    return t.s;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    if (f) {
        fputs(text, f);
        fclose(f);
    } else {
        fail_msg("%s: %s", path, strerror(errno));
    }
}

void check_frame(const char *name, const char *frame)
{
    char *path = format_text("tests/screen/frames/%s.txt", name), *expected = file_text(path, NULL);
    if (getenv("UPDATE_FRAMES")) {
        write_file(path, frame);
    } else if (strcmp(expected, frame) != 0) {
        const char *build = getenv("BUILD");
        char *folder = format_text("%s/frames", build ? build : "build");
        char *came = format_text("%s/%s.txt", folder, name);
        mkdir(folder, 0755);
        write_file(came, frame);
        fail_msg("the frame differs from %s; it is in %s (UPDATE_FRAMES=1 takes it over):\n%s", path, came,
                 frame);
    }
    free(path);
    free(expected);
}

void assert_contains_(const char *text, const char *part, bool expected, const char *file, int line)
{
    if ((strstr(text, part) != NULL) == expected)
        return;
    print_error("%s \"%s\" in:\n%s\n", expected ? "not found:" : "not expected:", part, text);
    _fail(file, line);
}

void assert_frame_(struct model *m, const char *part, bool expected, const char *file, int line)
{
    char *frame = model_frame(m, 80, 24);
    assert_contains_(frame, part, expected, file, line);
    free(frame);
}

void assert_keys_run(struct model *m, const char *keys, const char *expected)
{
    struct command *run;
    if (types(m, keys, &run) != EFFECT_RUN)
        fail_msg("%s runs nothing: %s", keys, model_message(m) ? model_message(m) : "(no message)");
    assert_string_equal(run->text, expected);
    command_destroy(run);
}

void assert_keys_say(struct model *m, const char *keys, const char *expected)
{
    struct command *run;
    assert_int_not_equal(types(m, keys, &run), EFFECT_RUN);
    assert_null(run);
    assert_non_null(model_message(m));
    assert_contains(model_message(m), expected);
}
