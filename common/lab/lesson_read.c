/* lesson_read.c: a lesson read from lesson.cfg: its steps, what proves each, the question that is asked
 * before one of them. An error names the line, and what to write instead. */
#include <libconfig.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "lab/complain.h"
#include "lab/lesson_private.h"
#include "lab/private.h"

/* ---- reading
 * ----------------------------------------------------------------------------------------------- */

struct reader {
    struct complaint complaint; /* its file as shown: "lessons/07-failover/lesson.cfg" */
    const struct labdir *lab;
    char programs[PATH_MAX]; /* where the lesson's producer and consumer are; "" if not built */
};

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
                        : complain(&r->complaint, line_of(s), "unknown key %s; the keys here are %s",
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
        return complain(&r->complaint, line_of(group), "%s is missing; write %s = \"...\"", key, key);
    if (config_setting_type(s) != CONFIG_TYPE_STRING || !config_setting_get_string(s)[0])
        return complain(&r->complaint, line_of(s), "%s is not a text; write %s = \"...\"", key, key);
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
        return complain(&r->complaint, line_of(s), "%s is not a number from %d to %d; write %s = %d", key,
                        low, high, key, *out);
    *out = config_setting_get_int(s);
    return 0;
}

/* a list of names, NULL-terminated */
static int read_names(struct reader *r, const config_setting_t *group, const char *key, char ***out)
{
    const config_setting_t *s = config_setting_get_member(group, key);
    int len = s ? config_setting_length(s) : 0;
    if (s && config_setting_type(s) != CONFIG_TYPE_ARRAY)
        return complain(&r->complaint, line_of(s),
                        "%s is not a list of texts; write %s = [ \"...\", \"...\" ]", key, key);
    *out = xcalloc((size_t)len + 1, sizeof(**out));
    for (int i = 0; i < len; i++) {
        const char *word = config_setting_get_string_elem(s, i);
        if (!word)
            return complain(&r->complaint, line_of(s), "%s[%d] is not a text; write it in quotes", key, i);
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

/* "@node3.host", or the word behind -n */
static void read_node_of_action(struct lesson_step *step)
{
    struct step_proof *proof = step->proof;
    for (size_t i = 0; step->action[i] && !proof->node; i++) {
        const char *word = step->action[i], *dot = strchr(word, '.');
        if (word[0] == '@' && dot)
            proof->node = xstrndup(word + 1, (size_t)(dot - word) - 1);
        else if (i > 0 && strcmp(step->action[i - 1], "-n") == 0)
            proof->node = xstrdup(word);
    }
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
        return complain(&r->complaint, line_of(s),
                        "action begins with \"%s\"; write labctl, producer or consumer first",
                        program ? program : "");
    bool own_program = strcmp(program, "labctl") != 0;
    struct text typed = {0};
    read_node_of_action(step);
    for (size_t i = 0; step->action[i]; i++) {
        char *value = placeholder(r->lab, step->action[i]);
        if (!value && r->lab && step->action[i][0] == '@') {
            text_finish(&typed);
            return complain(&r->complaint, line_of(s),
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

/* { say = "..."; proof = ( ... ); }; what: "need", "choice" */
static int read_said(struct reader *r, const config_setting_t *group, const char *what, char **say,
                     struct proof **proof)
{
    static const char *const keys[] = {"say", "proof"};
    if (!config_setting_is_group(group))
        return complain(&r->complaint, line_of(group),
                        "a %s is a group; write { say = \"...\"; proof = ( ... ); }", what);
    int err = check_keys(r, group, keys, ARRAY_LEN(keys));
    if (!err)
        err = read_text(r, group, "say", true, say);
    if (err)
        return err;
    const config_setting_t *facts = config_setting_get_member(group, "proof");
    if (!facts)
        return complain(&r->complaint, line_of(group),
                        "this %s has no proof; write proof = ( { queue = \"...\"; ... } )", what);
    *proof = proof_parse(facts, &r->complaint);
    return *proof ? 0 : ERR_INVALID;
}

/* needs and shows of a step: key = ( { say = "..."; proof = ( ... ); } ) */
static int read_said_list(struct reader *r, const config_setting_t *group, const char *key, const char *what,
                          struct step_said **out, size_t *out_len)
{
    const config_setting_t *list = config_setting_get_member(group, key);
    int len = list ? config_setting_length(list) : 0, err = 0;
    if (list && !config_setting_is_list(list))
        return complain(&r->complaint, line_of(list),
                        "%s is not a list; write %s = ( { say = \"...\"; proof = ( ... ); } )", key, key);
    *out = xcalloc((size_t)len + 1, sizeof(**out));
    for (int i = 0; i < len && !err; i++) {
        struct step_said *to = &(*out)[(*out_len)++];
        err = read_said(r, config_setting_get_elem(list, (unsigned)i), what, &to->say, &to->facts);
    }
    return err;
}

static int read_step(struct reader *r, const config_setting_t *group, struct lesson_step *step)
{
    static const char *const keys[] = {"title",  "before", "why",   "result", "shows",     "needs",
                                       "action", "wait",   "proof", "lasts",  "snapshots", "timeout_s"};
    if (!config_setting_is_group(group))
        return complain(&r->complaint, line_of(group),
                        "a step is a group; write { title = \"...\"; proof = ( ... ); }");
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
        err = read_said_list(r, group, "needs", "need", &proof->needs, &proof->needs_len);
    if (!err)
        err = read_said_list(r, group, "shows", "showing", &proof->shows, &proof->shows_len);
    if (err)
        return err;
    const config_setting_t *facts = config_setting_get_member(group, "proof");
    if (!facts)
        return complain(&r->complaint, line_of(group),
                        "this step has no proof; write proof = ( { queue = \"...\"; ... } )");
    proof->facts = proof_parse(facts, &r->complaint);
    const config_setting_t *lasts = config_setting_get_member(group, "lasts");
    if (proof->facts && lasts)
        proof->lasts = proof_parse(lasts, &r->complaint);
    return proof->facts && (proof->lasts || !lasts) ? 0 : ERR_INVALID;
}

/* predict = { ask = "..."; before_step = 4; decided_by = 5; choices = ( ... ); } */
static int read_predict(struct reader *r, const config_setting_t *root, struct lesson *l)
{
    static const char *const keys[] = {"ask", "before_step", "decided_by", "choices"};
    const config_setting_t *group = config_setting_get_member(root, "predict");
    struct lesson_question *q = &l->predict;
    int steps = (int)l->steps_len, step = 1, decided = 0;
    if (!group)
        return 0;
    if (!config_setting_is_group(group))
        return complain(&r->complaint, line_of(group),
                        "predict is not a group; write predict = { ask = \"...\"; choices = ( ... ); }");
    int err = check_keys(r, group, keys, ARRAY_LEN(keys));
    if (!err)
        err = read_text(r, group, "ask", true, &q->text);
    if (!err)
        err = read_int(r, group, "before_step", 1, steps, &step);
    decided = step;
    if (!err)
        err = read_int(r, group, "decided_by", step, steps, &decided);
    if (err)
        return err;
    const config_setting_t *list = config_setting_get_member(group, "choices");
    int len = list && config_setting_is_list(list) ? config_setting_length(list) : 0;
    if (len < 2 || len > 9)
        return complain(
            &r->complaint, line_of(list ? list : group),
            "choices is not a list of two to nine; write choices = ( { say = \"...\"; proof = ( ... "
            "); }, ... )");
    struct proof **proofs = xcalloc((size_t)len + 1, sizeof(struct proof *));
    q->step = (size_t)step - 1;
    q->decided = (size_t)decided - 1;
    q->choices = xcalloc((size_t)len + 1, sizeof(*q->choices));
    q->proofs = proofs;
    for (int i = 0; i < len && !err; i++)
        err = read_said(r, config_setting_get_elem(list, (unsigned)i), "choice", &q->choices[i], &proofs[i]);
    return err;
}

static int read_lesson(struct reader *r, const config_setting_t *root, struct lesson_full *full)
{
    static const char *const keys[] = {"title", "aim", "predict", "nodes", "queues", "policies", "steps"};
    struct lesson *l = &full->lesson;
    int err = check_keys(r, root, keys, ARRAY_LEN(keys));
    if (!err)
        err = read_text(r, root, "title", true, &l->title);
    if (!err)
        err = read_text(r, root, "aim", true, &l->aim);
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
        return complain(&r->complaint, steps ? line_of(steps) : 1,
                        "steps is not a list; write steps = ( { title = \"...\"; ... } )");
    l->steps_len = (size_t)config_setting_length(steps);
    l->steps = xcalloc(l->steps_len, sizeof(*l->steps));
    for (size_t i = 0; i < l->steps_len && !err; i++)
        err = read_step(r, config_setting_get_elem(steps, (unsigned)i), &l->steps[i]);
    return err ? err : read_predict(r, root, l);
}

struct lesson *lesson_read(const char *path, const char *shown, int number, const struct labdir *lab,
                           char **error)
{
    struct reader r = {.complaint = {shown, error}, .lab = lab};
    *error = NULL;
    struct lesson_full *full = xcalloc(1, sizeof(*full));
    map_init(&full->counts);
    full->lesson.number = number;
    full->lesson.predict.said = full->lesson.predict.was = -1;
    if (program_lesson_built(number, r.programs, sizeof(r.programs)))
        r.programs[0] = '\0';
    config_t config;
    config_init(&config);
    int err;
    if (config_read_file(&config, path) != CONFIG_TRUE)
        err =
            complain(&r.complaint, config_error_line(&config),
                     "%s; every line is key = value; and texts stand in quotes", config_error_text(&config));
    else
        err = read_lesson(&r, config_root_setting(&config), full);
    config_destroy(&config);
    if (!err)
        return &full->lesson;
    lesson_destroy(&full->lesson);
    return NULL;
}
