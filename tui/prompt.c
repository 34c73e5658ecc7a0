/* prompt.c: see prompt.h. A command is run as labctl would be run from a shell; what the screen adds is the
 * node, if none is named, and the words of its own (publish, get, clean, export, quit). */
#include "prompt.h"

#include <stdlib.h>

#include "acting.h"
#include "commands.h"
#include "complete.h"
#include "find.h"
#include "verbs.h"
#include "overlay_keys.h"
#include "view.h"
#include "words.h"

#define TYPED_MAX 100 /* lines remembered */

void prompt_open(struct model *m, enum overlay what)
{
    const char *filter = m->filters[find_kind(m)];
    m->overlay = what;
    m->typed_at = m->typed.len;
    free(m->completions);
    m->completions = NULL;
    input_set(&m->line, what == OVERLAY_FILTER && filter ? filter : "");
}

void prompt_finish(struct model *m)
{
    for (size_t i = 0; i < m->typed.len; i++)
        free(m->typed.items[i]);
    VEC_FREE(&m->typed);
    input_finish(&m->line);
    free(m->completions);
}

/* ---- ':'
 * -------------------------------------------------------------------------------------------------------- */

static void remember(struct model *m, const char *line)
{
    if (m->typed.len && strcmp(m->typed.items[m->typed.len - 1], line) == 0)
        return;
    if (m->typed.len == TYPED_MAX) {
        free(m->typed.items[0]);
        VEC_REMOVE(&m->typed, 0);
    }
    VEC_PUSH(&m->typed, xstrdup(line));
}

static bool is_count(const char *word)
{
    return *word && strspn(word, "0123456789") == strlen(word) && strlen(word) <= 9 && atol(word) > 0;
}

static enum effect run_or_ask(struct model *m, struct command *c, struct command **run)
{
    if (!c)
        return EFFECT_DRAW; /* a message says why */
    c->typed = true;
    if (command_danger(c) != DANGER_NONE)
        return acting_ask(m, c);
    *run = c;
    return EFFECT_RUN;
}

/* publish 1000000 'Hello World'; get 5; get all; clean; export FILE; quit */
static enum effect own_word(struct model *m, const struct verb *v, word_list *words, struct command **run)
{
    const char *first = words->len > 1 ? words->items[1] : NULL;
    const char *second = words->len > 2 ? words->items[2] : "Hello World";
    if (strcmp(v->name, "quit") == 0)
        return acting(m, REQUEST_QUIT, run);
    if (strcmp(v->name, "clean") == 0)
        return acting(m, REQUEST_RESTART, run);
    if (strcmp(v->name, "export") == 0)
        return acting_export(m, first);
    bool get = strcmp(v->name, "get") == 0, all = get && first && strcmp(first, COUNT_ALL) == 0;
    char *wrong = all && m->queue ? command_all_wrong(m, m->queue) : NULL;
    if (wrong || (first && !all && !is_count(first))) {
        if (wrong)
            model_say(m, "%s", wrong);
        else
            model_say(m, _("%s %s: write how many messages, such as %s 1000"), v->name, first, v->name);
        free(wrong);
        return EFFECT_DRAW;
    }
    struct command *c = get ? command_get(m, m->queue, first ? first : "1")
                            : command_publish(m, m->queue, first ? first : "1", second, false, false);
    if (!c)
        command_why_not(m, get ? "consumer" : "producer");
    return run_or_ask(m, c, run);
}

static struct command *labctl_command(const struct model *m, const struct verb *v, const word_list *words)
{
    VEC(const char *) all = {0};
    bool node = false;
    for (size_t i = 0; i < words->len; i++)
        node = node || strcmp(words->items[i], "-n") == 0 || strncmp(words->items[i], "--node", 6) == 0;
    const char *of = v && v->of == OF_RUNNING ? model_running_node(m) : NULL;
    if (!of && m->snapshot && m->node < (int)m->snapshot->nodes_len)
        of = m->snapshot->nodes[m->node].name;
    VEC_PUSH(&all, "labctl");
    if (!node && of) {
        VEC_PUSH(&all, "-n");
        VEC_PUSH(&all, of);
    }
    for (size_t i = 0; i < words->len; i++)
        VEC_PUSH(&all, words->items[i]);
    VEC_PUSH(&all, NULL);
    struct command *c = command_of(all.items, COMMAND_OF_KEY);
    VEC_FREE(&all);
    return c;
}

/* RabbitMQ's own rabbitmqctl has verbs that are not in the table, and labctl asks it; anywhere else what is
 * not in the table is a slip. */
static bool is_slip(struct model *m, const char *name)
{
    if (verb_find(name) || (m->lab && m->lab->engine == ENGINE_RABBITMQ))
        return false;
    const char *like = verb_like(name);
    if (like)
        model_say(m, _("unknown verb '%s': did you mean '%s'? : and Tab list all"), name, like);
    else
        model_say(m, _("unknown verb '%s'; : and Tab list all, :help explains labctl's"), name);
    return true;
}

static enum effect run_words(struct model *m, word_list *words, struct command **run)
{
    VEC(const char *) argv = {0};
    VEC_PUSH(&argv, "labctl");
    for (size_t i = 0; i < words->len; i++)
        VEC_PUSH(&argv, words->items[i]);
    VEC_PUSH(&argv, NULL);
    const char *name = verb_of(argv.items);
    VEC_FREE(&argv);
    const struct verb *v = verb_find(name);
    if (!name) {
        model_say(m, _("no verb in it; help lists them"));
        return EFFECT_DRAW;
    }
    if (is_slip(m, name))
        return EFFECT_DRAW;
    if (words->len == 2 && strcmp(words->items[0], "help") == 0 && verb_says(words->items[1])) {
        model_say(m, "%s: %s", words->items[1], _(verb_says(words->items[1])));
        return EFFECT_DRAW;
    }
    bool asks = !v || v->of != OF_SCREEN; /* the past answers nobody */
    if ((!v || v->acts || (asks && m->replay)) && model_refuses(m, name))
        return EFFECT_DRAW;
    if (v && v->of == OF_SCREEN)
        return own_word(m, v, words, run);
    return run_or_ask(m, labctl_command(m, v, words), run);
}

enum effect prompt_run(struct model *m, const char *line, struct command **run)
{
    word_list words = {0};
    enum effect effect = EFFECT_DRAW;
    if (!words_split(line, strlen(line), &words))
        model_say(m, _("a quote is not closed: %s"), line);
    else if (words.len && strcmp(words.items[0], "labctl") == 0) {
        free(words.items[0]); /* pasted from a shell */
        VEC_REMOVE(&words, 0);
        effect = words.len ? run_words(m, &words, run) : EFFECT_DRAW;
    } else if (words.len) {
        effect = run_words(m, &words, run);
    }
    words_free(&words);
    return effect;
}

static void recall(struct model *m, int by)
{
    size_t to = m->typed_at + (size_t)by; /* -1 from 0 is SIZE_MAX: beyond the end */
    if (to > m->typed.len)
        return;
    m->typed_at = to;
    input_set(&m->line, to < m->typed.len ? m->typed.items[to] : "");
}

static enum effect command_key(struct model *m, int key, struct command **run)
{
    free(m->completions);
    m->completions = NULL;
    enum ask ask = overlay_asks(OVER_COMMAND, key);
    if (ask == ASK_CLOSE || (ask == ASK_ERASE_BEFORE && !m->line.text.len)) {
        m->overlay = OVERLAY_NONE;
    } else if (ask == ASK_COMPLETE) {
        m->completions = complete(m, &m->line);
    } else if (ask == ASK_LINE_BEFORE) {
        recall(m, -1);
    } else if (ask == ASK_LINE_AFTER) {
        recall(m, 1);
    } else if (ask == ASK_ENTER) {
        char *line = xstrdup(input_text(&m->line));
        m->overlay = OVERLAY_NONE;
        if (line[strspn(line, " ")])
            remember(m, line);
        enum effect effect = prompt_run(m, line, run);
        free(line);
        return effect;
    } else {
        input_key(&m->line, ask, key);
    }
    return EFFECT_DRAW;
}

/* ---- '/'
 * -------------------------------------------------------------------------------------------------------- */

static void filter_by(struct model *m, const char *text)
{
    free(m->filters[find_kind(m)]);
    m->filters[find_kind(m)] = *text ? xstrdup(text) : NULL;
    m->scroll = 0;
    find_again(m);
}

/* What is typed filters at once; Enter keeps it, Esc takes it away. */
static enum effect filter_key(struct model *m, int key)
{
    enum ask ask = overlay_asks(OVER_FILTER, key);
    if (ask == ASK_CLOSE)
        input_set(&m->line, "");
    if (ask == ASK_CLOSE || ask == ASK_ENTER)
        m->overlay = OVERLAY_NONE;
    else
        input_key(&m->line, ask, key);
    filter_by(m, input_text(&m->line));
    const char *queue = find_queue_from(m, 0);
    if (queue && find_kind(m) == FOUND_QUEUES)
        model_select_queue(m, queue);
    return EFFECT_DRAW;
}

enum effect prompt_key(struct model *m, int key, struct command **run)
{
    return m->overlay == OVERLAY_FILTER ? filter_key(m, key) : command_key(m, key, run);
}

/* ---- drawing
 * ---------------------------------------------------------------------------------------------------- */

void draw_prompt(const struct model *m, struct canvas *c)
{
    bool filter = m->overlay == OVERLAY_FILTER;
    char *above = filter ? find_status(m) : complete_usage(&m->line);
    const char *text = m->completions ? m->completions : above;
    if (!text)
        text = filter ? _("filters what is shown   Enter: keep it   Esc: show all")
               : m->replay
                   ? _("export, quit; labctl's verbs want a lab   Tab: complete   Esc: cancel")
                   : _("labctl's verbs; publish, get, clean, export, quit   Tab: complete   Esc: cancel");
    int rows = c->height > 3 ? paragraph_rows(c, c->width, text) : 0;
    rows = rows > c->height / 2 ? c->height / 2 : rows;
    int bar = c->height >= 3;
    struct rect r = {0, c->height - bar - 1 - rows, c->width, rows + 1};
    canvas_fill(c, r, STYLE_NORMAL);
    draw_paragraph(c, rect_rows(r, 0, rows), 0, 0, STYLE_DIM, text);
    canvas_put(c, r, 0, rows, STYLE_STRONG, filter ? "/" : ":");
    draw_input(c, r, 1, rows, &m->line);
    free(above);
}
