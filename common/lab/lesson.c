/* lesson.c: a lesson read from lesson.cfg, and its steps held against what is observed, in order. A step is
 * ticked by two snapshots running in which all its facts hold, the second said later than the first. */
#include "lab/lesson.h"

#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "lab/lesson_private.h"
#include "lab/private.h"
#include "lab/proof.h"

/* What a consumer of a whole class's messages prints is not needed to the last line. */
#define OUTPUT_MAX (256u << 10)

/* ---- reading
 * ----------------------------------------------------------------------------------------------- */

struct reader {
    const char *file; /* as shown: "lessons/07-failover/lesson.cfg" */
    const struct labdir *lab;
    char **error;
    char programs[PATH_MAX]; /* where the lesson's producer and consumer are; "" if not built */
};

static __attribute__((format(printf, 3, 4))) int complain(struct reader *r, int line, const char *format, ...)
{
    struct text t = {0};
    text_printf(&t, "%s:%d: ", r->file, line);
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(*r->error);
    *r->error = t.s;
    return ERR_INVALID;
}

static int line_of(const config_setting_t *s)
{
    return (int)config_setting_source_line(s);
}

static int check_keys(struct reader *r, const config_setting_t *group, const char *const *keys,
                      size_t keys_len)
{
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
        struct text list = {0};
        bool known = false;
        for (size_t k = 0; k < keys_len; k++) {
            known = known || strcmp(config_setting_name(s), keys[k]) == 0;
            text_printf(&list, "%s%s", k ? ", " : "", keys[k]);
        }
        int err = known ? 0
                        : complain(r, line_of(s), "unknown key %s; the keys here are %s",
                                   config_setting_name(s), list.s);
        text_finish(&list);
        if (err)
            return err;
    }
    return 0;
}

/* a text key, copied; must: it has to be there */
static int read_text(struct reader *r, const config_setting_t *group, const char *key, bool must, char **out)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    if (!s && !must)
        return 0;
    if (!s)
        return complain(r, line_of(group), "%s is missing; write %s = \"...\"", key, key);
    if (config_setting_type(s) != CONFIG_TYPE_STRING || !config_setting_get_string(s)[0])
        return complain(r, line_of(s), "%s is not a text; write %s = \"...\"", key, key);
    *out = xstrdup(config_setting_get_string(s));
    return 0;
}

static int read_int(struct reader *r, const config_setting_t *group, const char *key, int low, int high,
                    int *out)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    if (!s)
        return 0;
    if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < low ||
        config_setting_get_int(s) > high)
        return complain(r, line_of(s), "%s is not a number from %d to %d; write %s = %d", key, low, high, key,
                        *out);
    *out = config_setting_get_int(s);
    return 0;
}

/* a list of names, NULL-terminated */
static int read_names(struct reader *r, const config_setting_t *group, const char *key, char ***out)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    int len = s ? config_setting_length(s) : 0;
    if (s && config_setting_type(s) != CONFIG_TYPE_ARRAY)
        return complain(r, line_of(s), "%s is not a list of texts; write %s = [ \"...\", \"...\" ]", key,
                        key);
    *out = xcalloc((size_t)len + 1, sizeof(**out));
    for (int i = 0; i < len; i++) {
        const char *word = config_setting_get_string_elem(s, i);
        if (!word)
            return complain(r, line_of(s), "%s[%d] is not a text; write it in quotes", key, i);
        (*out)[i] = xstrdup(word);
    }
    return 0;
}

/* "@node1.amqp" and such, from the lab; NULL if the word is none of them, or there is no lab to ask */
static char *placeholder(const struct labdir *lab, const char *word)
{
    if (!lab || word[0] != '@')
        return NULL;
    if (strcmp(word, "@user") == 0)
        return xstrdup(lab->user);
    if (strcmp(word, "@password") == 0)
        return xstrdup(lab->password);
    const char *dot = strchr(word, '.');
    char *name = xstrndup(word + 1, dot ? (size_t)(dot - word - 1) : 0);
    int at = labdir_find_node(lab, name);
    free(name);
    if (!dot || at < 0)
        return NULL;
    const struct lab_node *node = &lab->nodes[at];
    if (strcmp(dot, ".host") == 0)
        return xstrdup(node->host);
    if (strcmp(dot, ".amqp") == 0)
        return format_text("%u", node->amqp_port);
    if (strcmp(dot, ".http") == 0)
        return format_text("%u", node->http_port);
    return NULL;
}

static int read_action(struct reader *r, const config_setting_t *group, struct lesson_step *step)
{
    int err = config_setting_get_member(group, "action") ? read_names(r, group, "action", &step->action) : 0;
    if (err || !step->action)
        return err;
    const config_setting_t *s = config_setting_get_member(group, "action");
    const char *program = step->action[0];
    if (!program || (strcmp(program, "labctl") != 0 && strcmp(program, "producer") != 0 &&
                     strcmp(program, "consumer") != 0))
        return complain(r, line_of(s), "action begins with \"%s\"; write labctl, producer or consumer first",
                        program ? program : "");
    bool own_program = strcmp(program, "labctl") != 0;
    struct text typed = {0};
    for (size_t i = 0; step->action[i]; i++) {
        char *value = placeholder(r->lab, step->action[i]);
        if (!value && r->lab && step->action[i][0] == '@') {
            text_finish(&typed);
            return complain(r, line_of(s),
                            "action names %s, which this lab does not have; write @nodeN.host, "
                            "@nodeN.amqp, @nodeN.http, @user or @password",
                            step->action[i]);
        }
        if (value) {
            free(step->action[i]);
            step->action[i] = value;
        }
        text_add_shell_word(&typed, step->action[i]);
    }
    step->action_text = typed.s;
    if (own_program && r->programs[0]) {
        char *path = format_text("%s/%s", r->programs, step->action[0]);
        free(step->action[0]);
        step->action[0] = path;
    }
    return 0;
}

/* needs = ( { say = "..."; proof = ( ... ); } ) */
static int read_needs(struct reader *r, const config_setting_t *group, struct step_proof *proof)
{
    static const char *const keys[] = {"say", "proof"};
    const config_setting_t *list = config_setting_get_member(group, "needs");
    int len = list ? config_setting_length(list) : 0, err = 0;
    if (list && !config_setting_is_list(list))
        return complain(r, line_of(list),
                        "needs is not a list; write needs = ( { say = \"...\"; proof = ( ... ); } )");
    proof->needs = xcalloc((size_t)len + 1, sizeof(*proof->needs));
    for (int i = 0; i < len && !err; i++) {
        const config_setting_t *need = config_setting_get_elem(list, (unsigned)i);
        struct step_need *to = &proof->needs[proof->needs_len++];
        if (!config_setting_is_group(need))
            return complain(r, line_of(list), "a need is a group; write { say = \"...\"; proof = ( ... ); }");
        err = check_keys(r, need, keys, ARRAY_LEN(keys));
        if (!err)
            err = read_text(r, need, "say", true, &to->say);
        const config_setting_t *facts = config_setting_get_member(need, "proof");
        if (!err && !facts)
            err = complain(r, line_of(need),
                           "this need has no proof; write proof = ( { queue = \"...\"; ... } )");
        else if (!err && !(to->facts = proof_parse(facts, r->file, r->error)))
            err = ERR_INVALID;
    }
    return err;
}

static int read_step(struct reader *r, const config_setting_t *group, struct lesson_step *step)
{
    static const char *const keys[] = {"title",  "before", "why",   "result",    "needs",
                                       "action", "wait",   "proof", "snapshots", "timeout_s"};
    if (!config_setting_is_group(group))
        return complain(r, line_of(group), "a step is a group; write { title = \"...\"; proof = ( ... ); }");
    struct step_proof *proof = xcalloc(1, sizeof(*proof));
    *proof = (struct step_proof){.snapshots = 2, .timeout_s = 120};
    step->proof = proof;
    step->exit_code = -1;
    int err = check_keys(r, group, keys, ARRAY_LEN(keys));
    if (!err)
        err = read_text(r, group, "title", true, &step->title);
    if (!err)
        err = read_text(r, group, "before", false, &step->before);
    if (!err)
        err = read_text(r, group, "why", false, &step->why);
    if (!err)
        err = read_text(r, group, "result", false, &step->result);
    if (!err)
        err = read_text(r, group, "wait", true, &step->wait_text);
    if (!err)
        err = read_int(r, group, "snapshots", 2, 100, &proof->snapshots);
    if (!err)
        err = read_int(r, group, "timeout_s", 1, 3600, &proof->timeout_s);
    if (!err)
        err = read_action(r, group, step);
    if (!err)
        err = read_needs(r, group, proof);
    if (err)
        return err;
    const config_setting_t *facts = config_setting_get_member(group, "proof");
    if (!facts)
        return complain(r, line_of(group),
                        "this step has no proof; write proof = ( { queue = \"...\"; ... } )");
    proof->facts = proof_parse(facts, r->file, r->error);
    return proof->facts ? 0 : ERR_INVALID;
}

static int read_lesson(struct reader *r, const config_setting_t *root, struct lesson_full *full)
{
    static const char *const keys[] = {"title", "before", "aim",      "predict", "answer",
                                       "nodes", "queues", "policies", "steps"};
    struct lesson *l = &full->lesson;
    int err = check_keys(r, root, keys, ARRAY_LEN(keys));
    if (!err)
        err = read_text(r, root, "title", true, &l->title);
    if (!err)
        err = read_text(r, root, "aim", true, &l->aim);
    if (!err)
        err = read_text(r, root, "before", false, &l->before);
    if (!err)
        err = read_text(r, root, "predict", false, &l->predict);
    if (!err)
        err = read_text(r, root, "answer", false, &l->answer);
    l->nodes = 3;
    if (!err)
        err = read_int(r, root, "nodes", 1, LIMIT_NODES, &l->nodes);
    if (!err)
        err = read_names(r, root, "queues", &l->queues);
    if (!err && l->queues && l->queues[0])
        l->queue = xstrdup(l->queues[0]);
    if (!err)
        err = read_names(r, root, "policies", &l->policies);
    if (err)
        return err;
    const config_setting_t *steps = config_setting_get_member(root, "steps");
    if (!steps || !config_setting_is_list(steps) || config_setting_length(steps) == 0)
        return complain(r, steps ? line_of(steps) : 1,
                        "steps is not a list; write steps = ( { title = \"...\"; ... } )");
    l->steps_len = (size_t)config_setting_length(steps);
    l->steps = xcalloc(l->steps_len, sizeof(*l->steps));
    for (size_t i = 0; i < l->steps_len && !err; i++)
        err = read_step(r, config_setting_get_elem(steps, (unsigned)i), &l->steps[i]);
    return err;
}

struct lesson *lesson_read(const char *path, const char *shown, int number, const struct labdir *lab,
                           char **error)
{
    struct reader r = {.file = shown, .lab = lab, .error = error};
    *error = NULL;
    struct lesson_full *full = xcalloc(1, sizeof(*full));
    map_init(&full->counts);
    full->lesson.number = number;
    if (program_lesson_built(number, r.programs, sizeof(r.programs)))
        r.programs[0] = '\0';
    config_t config;
    config_init(&config);
    int err;
    if (config_read_file(&config, path) != CONFIG_TRUE)
        err =
            complain(&r, config_error_line(&config),
                     "%s; every line is key = value; and texts stand in quotes", config_error_text(&config));
    else
        err = read_lesson(&r, config_root_setting(&config), full);
    config_destroy(&config);
    if (!err)
        return &full->lesson;
    lesson_destroy(&full->lesson);
    return NULL;
}

struct lesson *lesson_load(int number, const struct labdir *lab, char **error)
{
    char folder[PATH_MAX];
    *error = NULL;
    if (number < 1 || program_lesson_source(number, folder, sizeof(folder))) {
        *error = format_text(
            "there is no lesson %d here; `lab lessons` lists those there are (or name the folder of "
            "the lessons in MIRRORLAB_LESSONS)",
            number);
        return NULL;
    }
    const char *name = strrchr(folder, '/') + 1;
    char *path = format_text("%s/lesson.cfg", folder), *shown = format_text("lessons/%s/lesson.cfg", name);
    struct lesson *l = lesson_read(path, shown, number, lab, error);
    if (l) {
        l->folder = xstrdup(folder);
        l->name = xstrdup(name);
    }
    free(path);
    free(shown);
    return l;
}

struct lesson *lesson_create(size_t steps)
{
    struct lesson_full *full = xcalloc(1, sizeof(*full));
    map_init(&full->counts);
    full->lesson.steps = xcalloc(steps, sizeof(*full->lesson.steps));
    full->lesson.steps_len = steps;
    return &full->lesson;
}

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

void lesson_destroy(struct lesson *l)
{
    if (!l)
        return;
    struct lesson_full *full = lesson_full(l);
    for (size_t i = 0; i < l->steps_len; i++) {
        struct lesson_step *step = &l->steps[i];
        struct step_proof *proof = step->proof;
        for (size_t n = 0; proof && n < proof->needs_len; n++) {
            proof_destroy(proof->needs[n].facts);
            free(proof->needs[n].say);
        }
        if (proof) {
            proof_destroy(proof->facts);
            free(proof->needs);
        }
        free(proof);
        free(step->title);
        free(step->before);
        free(step->why);
        free(step->result);
        free(step->lacks);
        free_names(step->action);
        free(step->action_text);
        free(step->ran);
        free(step->wait_text);
        json_decref(step->seen);
        free(step->output);
    }
    free(l->steps);
    free(l->folder);
    free(l->name);
    free(l->title);
    free(l->aim);
    free(l->before);
    free(l->predict);
    free(l->answer);
    free(l->queue);
    json_decref(l->account);
    free_names(l->queues);
    free_names(l->policies);
    lesson_counts_finish(full);
    free(full);
}

size_t lesson_list(int *numbers, size_t max)
{
    size_t len = 0;
    char folder[PATH_MAX];
    for (int number = 1; number < 100 && len < max; number++)
        if (program_lesson_source(number, folder, sizeof(folder)) == 0)
            numbers[len++] = number;
    return len;
}

void lesson_node_program(const struct lesson *l, struct labdir *lab)
{
    char folder[PATH_MAX], program[PATH_MAX + 8];
    if (program_lesson_built(l->number, folder, sizeof(folder)))
        return;
    int len = snprintf(program, sizeof(program), "%s/node", folder);
    if (len > 0 && len < (int)sizeof(lab->node_program))
        memcpy(lab->node_program, program, (size_t)len + 1);
}

/* ---- observing
 * ----------------------------------------------------------------------------------------------- */

static bool is_done(const struct lesson_step *step)
{
    return step->state == STEP_SEEN || step->state == STEP_WAS;
}

size_t lesson_current(const struct lesson *l)
{
    size_t i = 0;
    while (i < l->steps_len && is_done(&l->steps[i]))
        i++;
    return i;
}

bool lesson_step_told(const struct lesson *l, size_t step)
{
    return !l->steps[step].before || is_done(&l->steps[step]);
}

bool lesson_step_reached(const struct lesson *l, size_t step)
{
    const struct lesson_step *s = &l->steps[step];
    return lesson_step_told(l, step) || (step == lesson_current(l) && (!s->action || s->acted));
}

bool lesson_asks(const struct lesson *l)
{
    for (size_t i = 0; i < l->steps_len; i++)
        if (l->steps[i].before)
            return !lesson_step_reached(l, i);
    return l->predict && lesson_current(l) == 0;
}

/* sets state and what was seen (taken over); true if either is new */
static bool set_state(struct lesson_step *step, enum step_state state, json_t *seen)
{
    bool changed = state != step->state || (seen != step->seen && !json_equal(seen, step->seen));
    if (state != step->state && (state == STEP_SEEN || state == STEP_WAS))
        step->seen_wall_ms = ((struct step_proof *)step->proof)->held_wall_ms;
    step->state = state;
    json_decref(step->seen);
    step->seen = seen;
    return changed;
}

/* One step, one snapshot. A step that is done goes on being looked at: its tick may become "true until", and
 * stays that: what looks the same again may have another reason (another message, another start). */
static bool observe_step(const struct lesson_full *full, struct lesson_step *step, const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    struct finding found;
    bool changed = false;
    if (step->state == STEP_WAS)
        return false;
    proof_look(proof->facts, &evidence, &found);
    bool news = found.as_of > proof->last_as_of; /* said later than what was counted last */
    if (found.verdict != VERDICT_YES) {
        step->held = 0;
        proof->missed = found.verdict == VERDICT_NO ? proof->missed + 1 : 0;
    } else if (news) {
        step->held++;
        proof->missed = 0;
        proof->last_as_of = found.as_of;
        proof->held_wall_ms = s->taken_wall_ms;
    }
    if (step->held >= proof->snapshots)
        changed = set_state(step, STEP_SEEN, json_incref(found.seen));
    else if (step->state == STEP_SEEN && proof->missed >= 2)
        changed = set_state(step, STEP_WAS, json_incref(found.instead));
    else if (!is_done(step) && found.held && found.verdict != VERDICT_YES)
        changed =
            set_state(step, STEP_HALF,
                      fact_with(N_("%s (seen: %s)"), json_incref(found.missing), json_incref(found.seen)));
    else if (!is_done(step) && found.verdict != VERDICT_YES)
        changed = set_state(step, STEP_OPEN, NULL);
    finding_finish(&found);
    return changed;
}

/* What the step that is to be run lacks now, in the words of its lesson; true if that is news. What nobody
 * can say now is not held against it. */
static bool look_at_needs(const struct lesson_full *full, struct lesson_step *step, bool current,
                          const struct snapshot *s)
{
    struct step_proof *proof = step->proof;
    struct evidence evidence = lesson_evidence(full, step, s);
    const char *lacks = NULL;
    for (size_t i = 0; current && i < proof->needs_len && !lacks; i++) {
        struct finding found;
        proof_look(proof->needs[i].facts, &evidence, &found);
        bool parted = found.torn || (found.of_policy && snapshot_partitioned(s));
        lacks = found.verdict != VERDICT_NO ? NULL : parted ? LESSON_LACKS_PARTED : proof->needs[i].say;
        finding_finish(&found);
    }
    bool news = (lacks != NULL) != (step->lacks != NULL) || (lacks && strcmp(lacks, step->lacks) != 0);
    if (news) {
        free(step->lacks);
        step->lacks = lacks ? xstrdup(lacks) : NULL;
    }
    return news;
}

bool lesson_observe(struct lesson *l, const struct snapshot *s)
{
    struct lesson_full *full = lesson_full(l);
    if (s->number <= full->last_number)
        return false; /* the same one again is no second look */
    full->last_number = s->number;
    lesson_look_at_counts(full, s);
    bool changed = false;
    for (size_t i = 0; i < l->steps_len; i++) {
        bool done = is_done(&l->steps[i]);
        changed = observe_step(full, &l->steps[i], s) || changed;
        if (!done && is_done(&l->steps[i]) && l->steps[i].action)
            lesson_counts_anew(full);
        if (!done)
            break; /* the first open one; those after it have to wait, also if it was ticked just now */
    }
    for (size_t i = 0; i < l->steps_len; i++)
        changed = look_at_needs(full, &l->steps[i], i == lesson_current(l), s) || changed;
    return changed;
}

void lesson_output(struct lesson *l, size_t step, const char *data, size_t len)
{
    struct lesson_step *s = &l->steps[step];
    size_t have = s->output ? strlen(s->output) : 0;
    len = strnlen(data, len); /* it is shown as text */
    if (have + len > OUTPUT_MAX) {
        size_t keep = have < OUTPUT_MAX / 2 ? have : OUTPUT_MAX / 2; /* the newest half */
        if (keep)
            memmove(s->output, s->output + have - keep, keep);
        have = keep;
        len = len < OUTPUT_MAX / 2 ? len : OUTPUT_MAX / 2;
    }
    s->output = xrealloc(s->output, have + len + 1);
    memcpy(s->output + have, data, len);
    s->output[have + len] = '\0';
}

void lesson_begin_action(struct lesson *l, size_t step)
{
    struct lesson_step *s = &l->steps[step];
    s->acted = true;
    s->exit_code = -1;
    s->held = 0; /* what was seen before it is no proof of it */
    free(s->output);
    free(s->ran);
    s->output = s->ran = NULL;
}

void lesson_action_ended(struct lesson *l, size_t step, int exit_code)
{
    l->steps[step].acted = true;
    l->steps[step].exit_code = exit_code;
}
