/* sched.c: reading schedules. A line is cut into words; a table says for each verb which words follow. Every
 * error names the file, the line, the word that is wrong and what may stand there. */
#include "base/sched.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/sched_private.h"
#include "base/text.h"

#include "base/ban.h"

/* Arguments: n a node, N one node or more, c nodes with commas, w a name, r the rest of the line, before
 * which a number may stand, d a number, j one that may be negative, t a kind of queue (may be left out), a a
 * queue's arguments (too), o publish's options, h nothing or two nodes. */
static const struct verb {
    const char *word, *arguments, *names;
} verbs[] = {
#define X(verb, word, arguments, names) {word, arguments, names},
    SCHED_VERBS(X)
#undef X
};

const char *sched_verb_word(enum sched_verb v)
{
    return verbs[v].word;
}

static const char *const fates[SCHED_FATE_COUNT_] = {N_("kept"),     N_("lost"),    N_("unavailable"),
                                                     N_("consumed"), N_("dropped"), N_("expired")};

const char *sched_fate_word(enum sched_fate f)
{
    return fates[f];
}

const char *sched_door_words(const char *door)
{
    static const char *const words[] = {
        N_("a mirror that was not synchronised was promoted"),
        N_("every node that held it was restarted and its copy was a mirror's"),
        N_("it was on the losing side of a partition, which was discarded"),
        N_("an operator's reset or forget"),
        N_("it was transient and the last node that had it stopped"),
    };
    bool known = door[0] == 'L' && door[1] >= '1' && door[1] <= '5';
    return known ? words[door[1] - '1'] : N_("none of the ways L1 to L5 explains it");
}

/* ---- words ---- */

static void skip_space(struct line *l)
{
    l->rest += strspn(l->rest, " \t\r");
}

bool sched_next_word(struct line *l)
{
    skip_space(l);
    size_t len = strcspn(l->rest, " \t\r");
    free(l->word);
    l->word = xmalloc(len + 1);
    memcpy(l->word, l->rest, len);
    l->word[len] = '\0';
    l->rest += len;
    return len > 0;
}

char *sched_take_word(struct line *l)
{
    char *word = l->word;
    l->word = NULL;
    return word;
}

int sched_wrong(struct line *l, const char *format, ...)
{
    struct text t = {0};
    va_list args;
    text_printf(&t, "%s:%u: ", l->file, l->number);
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(*l->error);
    *l->error = t.s;
    return ERR_INVALID;
}

bool sched_to_number(const char *word, uint64_t high, uint64_t *out)
{
    char *end;
    if (*word < '0' || *word > '9' || strlen(word) > 15)
        return false;
    *out = strtoull(word, &end, 10);
    return *end == '\0' && *out <= high;
}

static bool to_node(const char *word, uint8_t *out)
{
    uint64_t n;
    if (strncmp(word, "node", 4) != 0 || !sched_to_number(word + 4, SCHED_NODES, &n) || n == 0)
        return false;
    *out = (uint8_t)(n - 1);
    return true;
}

/* ---- arguments ---- */

static int read_node(struct line *l, uint8_t *out)
{
    if (to_node(l->word, out))
        return 0;
    return sched_wrong(l, "'%s' is not a node; write node1 to node%d", l->word, SCHED_NODES);
}

static int read_nodes(struct line *l, struct sched_event *e)
{
    do {
        int err = read_node(l, &e->node);
        if (err)
            return err;
        e->nodes |= 1u << e->node;
    } while (sched_next_word(l));
    return 0;
}

static int read_comma_nodes(struct line *l, struct sched_event *e)
{
    for (char *at = l->word; *at;) {
        size_t len = strcspn(at, ",");
        bool last = at[len] == '\0';
        at[len] = '\0';
        if (!to_node(at, &e->node))
            return sched_wrong(l, "'%s' is not a node; write nodes with commas between: node1,node3", at);
        e->nodes |= 1u << e->node;
        at += len + !last;
    }
    return 0;
}

static int read_options(struct line *l, struct sched_event *e)
{
    e->numbers[0] = 1;
    do {
        if (strcmp(l->word, "transient") == 0)
            e->transient = true;
        else if (strcmp(l->word, "hurried") == 0)
            e->hurried = true;
        else if (!sched_to_number(l->word, 1000000, &e->numbers[0]) || e->numbers[0] == 0)
            return sched_wrong(
                l, "'%s' after publish NODE QUEUE: write how many (1 to 1000000), transient or hurried",
                l->word);
    } while (sched_next_word(l));
    return 0;
}

static int read_queue_kind(struct line *l, struct sched_event *e)
{
    static const char *const kinds[] = {"durable", "transient", "auto-delete"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(l->word, kinds[i]) == 0) {
            e->queue_kind = (enum sched_queue_kind)i;
            return 0;
        }
    return sched_wrong(l, "'%s' is no kind of queue; write durable, transient or auto-delete", l->word);
}

static int read_rest(struct line *l, struct sched_event *e)
{
    char *rest = format_text("%s%s", l->word, l->rest);
    size_t len = strlen(rest);
    while (len && strchr(" \t\r", rest[len - 1]))
        rest[--len] = '\0';
    l->rest += strlen(l->rest);
    e->third = rest;
    return 0;
}

static int read_argument(struct line *l, struct sched_event *e, char kind, unsigned *numbers)
{
    switch (kind) {
    case 'n':
    case 'h': {
        uint8_t *to = e->node == SCHED_NONE ? &e->node : &e->other;
        int err = read_node(l, to);
        if (!err)
            e->nodes |= 1u << *to;
        return err;
    }
    case 'N': return read_nodes(l, e);
    case 'c': return read_comma_nodes(l, e);
    case 'o': return read_options(l, e);
    case 't':
        if (*l->word == '{')
            return read_rest(l, e);
        return read_queue_kind(l, e);
    case 'a':
        if (*l->word != '{')
            return sched_wrong(l, "'%s' are no arguments; write them as JSON: {\"x-max-length\":5}", l->word);
        return read_rest(l, e);
    case 'w': {
        char **to = !e->name ? &e->name : !e->second ? &e->second : &e->third;
        *to = sched_take_word(l);
        return 0;
    }
    case 'd':
        if (!sched_to_number(l->word, 1000000, &e->numbers[*numbers]))
            return sched_wrong(l, "'%s' is not a number from 0 to 1000000", l->word);
        (*numbers)++;
        return 0;
    case 'j': {
        uint64_t size;
        bool back = *l->word == '-';
        if (!sched_to_number(l->word + back, 86400000, &size))
            return sched_wrong(l, "'%s' is no jump of a clock; write milliseconds, such as 500 or -500",
                               l->word);
        e->jump_ms = back ? -(int64_t)size : (int64_t)size;
        return 0;
    }
    default: /* 'r' */
        if (sched_to_number(l->word, 1000000, &e->numbers[0]) && !sched_next_word(l))
            return sched_wrong(l, "'%s' ends too early; write: %s %s", e->text, verbs[e->verb].word,
                               verbs[e->verb].names);
        return read_rest(l, e);
    }
}

static bool may_be_left_out(char kind)
{
    return kind == 't' || kind == 'a' || kind == 'o' || kind == 'h';
}

static int read_arguments(struct line *l, struct sched_event *e)
{
    const struct verb *v = &verbs[e->verb];
    const char *arguments = *v->arguments == 'h' ? "hh" : v->arguments;
    unsigned numbers = 0;
    if (e->verb == SCHED_PUBLISH)
        e->numbers[0] = 1;
    for (const char *a = arguments; *a; a++) {
        if (!sched_next_word(l)) {
            if (may_be_left_out(*a) && (*a != 'h' || e->node == SCHED_NONE))
                return 0;
            return sched_wrong(l, "'%s' ends too early; write: %s %s", e->text, v->word, v->names);
        }
        int err = read_argument(l, e, *a, &numbers);
        if (err)
            return err;
    }
    if (sched_next_word(l))
        return sched_wrong(l, "'%s' is one word too many; write: %s %s", l->word, v->word, v->names);
    if (e->other != SCHED_NONE && e->other == e->node)
        return sched_wrong(l,
                           e->verb == SCHED_FORGET_OFFLINE ? "node%u twice: no node forgets itself"
                                                           : "node%u twice: a link has two ends",
                           e->node + 1u);
    return 0;
}

/* ---- one event ---- */

static void plain_text(struct sched_event *e, const char *text)
{
    struct text t = {0};
    text_add(&t, "");
    while (*(text += strspn(text, " \t\r"))) {
        size_t len = strcspn(text, " \t\r");
        text_printf(&t, "%s%.*s", t.len ? " " : "", (int)len, text);
        text += len;
    }
    e->text = t.s;
}

static int read_verb(struct line *l, struct sched_event *e)
{
    for (size_t v = 0; v < ARRAY_LEN(verbs); v++)
        if (strcmp(l->word, verbs[v].word) == 0) {
            e->verb = (enum sched_verb)v;
            return 0;
        }
    struct text all = {0};
    for (size_t v = 0; v < ARRAY_LEN(verbs); v++)
        text_printf(&all, "%s%s", v ? " " : "", verbs[v].word);
    int err = sched_wrong(l, "'%s' is no event; there are %s", l->word, text_str(&all));
    text_finish(&all);
    return err;
}

static int read_event(struct line *l, struct sched_event *e)
{
    *e = (struct sched_event){.line = l->number, .node = SCHED_NONE, .other = SCHED_NONE};
    if (*l->word == '+') {
        char *luck = strchr(l->word, '~');
        if (luck && (!sched_to_number(luck + 1, UINT32_MAX, &e->luck) || e->luck == 0))
            return sched_wrong(l, "'%s' is no luck; write ~ and a number from 1 behind the time: +250~7",
                               luck);
        if (luck)
            *luck = '\0';
        if (!sched_to_number(l->word + 1, 86400000, &e->wait_ms))
            return sched_wrong(l, "'%s' is no time; write + and milliseconds: +250", l->word);
        e->timed = true;
        if (!sched_next_word(l))
            return sched_wrong(l, "nothing happens after +%llu; write an event behind it",
                               (unsigned long long)e->wait_ms);
    }
    struct text whole = {0};
    text_printf(&whole, "%s%s", l->word, l->rest);
    plain_text(e, text_str(&whole));
    text_finish(&whole);
    int err = read_verb(l, e);
    return err ? err : read_arguments(l, e);
}

void sched_event_finish(struct sched_event *e)
{
    free(e->name);
    free(e->second);
    free(e->third);
    free(e->text);
    *e = (struct sched_event){0};
}

int sched_parse_event(struct sched_event *e, const char *file, unsigned line, const char *text, char **error)
{
    struct line l = {.file = file, .number = line, .rest = text, .error = error};
    *error = NULL;
    *e = (struct sched_event){0};
    int err = sched_next_word(&l) ? read_event(&l, e) : sched_wrong(&l, "there is no event");
    free(l.word);
    if (err)
        sched_event_finish(e);
    return err;
}

/* ---- the header and what is expected ---- */

static int read_expect(struct line *l, struct sched *s)
{
    static const char *const worlds[] = {"sim", "kit", "rabbitmq"};
    static const char form[] = "write: expect [sim|kit|rabbitmq] mN|all "
                               "kept|lost|unavailable|consumed|dropped|expired [L1 to L5] [step K]";
    struct sched_expect x = {.line = l->number};
    uint64_t number = 0;
    bool got = sched_next_word(l);
    for (size_t i = 0; i < ARRAY_LEN(worlds) && got; i++)
        if (strcmp(l->word, worlds[i]) == 0) {
            memcpy(x.world, worlds[i], strlen(worlds[i]) + 1);
            got = sched_next_word(l);
        }
    bool one = got && *l->word == 'm' && sched_to_number(l->word + 1, 1000000, &number) && number;
    if (!one && (!got || strcmp(l->word, "all") != 0))
        return sched_wrong(l, "'%s' is no message; %s", l->word, form);
    x.message = (unsigned)number;
    sched_next_word(l);
    while (x.fate < SCHED_FATE_COUNT_ && strcmp(l->word, fates[x.fate]) != 0)
        x.fate++;
    if (x.fate == SCHED_FATE_COUNT_)
        return sched_wrong(l, "'%s' is no fate; %s", l->word, form);
    while (sched_next_word(l)) {
        bool door = l->word[0] == 'L' && l->word[1] >= '1' && l->word[1] <= '5' && !l->word[2];
        if (x.fate == SCHED_LOST && door)
            memcpy(x.door, l->word, 3);
        else if (x.fate == SCHED_LOST && strcmp(l->word, "step") == 0 && sched_next_word(l) &&
                 sched_to_number(l->word, SCHED_EVENTS, &number) && number)
            x.step = (unsigned)number;
        else
            return sched_wrong(l, "'%s' here says nothing; %s", l->word, form);
    }
    VEC_PUSH(&s->expects, x);
    return 0;
}

/* Of what the world is like each thing is said once: the second line would say something else unheard. */
static int said_once(struct line *l)
{
    static const char *const words[] = {"nodes", "rule", "seed", "partitions"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(l->word, words[i]) == 0) {
            if (l->said[i])
                return sched_wrong(l, "'%s' stands in line %u already; leave one of the two out", words[i],
                                   l->said[i]);
            l->said[i] = l->number;
        }
    return 0;
}

static int read_header(struct line *l, struct sched *s, bool *is_header)
{
    static const char *const handlings[] = {"ignore", "pause_minority", "autoheal"};
    uint64_t number;
    enum sched_client_kind kind;
    *is_header = true;
    int twice = said_once(l);
    if (twice)
        return twice;
    if (sched_client_named(l->word, &kind)) {
        struct sched_client c;
        int err = sched_client_read(l, kind, &c);
        if (err)
            return err;
        VEC_PUSH(&s->clients, c);
    } else if (strcmp(l->word, "nodes") == 0) {
        if (!sched_next_word(l) || !sched_to_number(l->word, SCHED_NODES, &number) || number == 0)
            return sched_wrong(l, "nodes '%s': write a number from 1 to %d", l->word, SCHED_NODES);
        s->nodes = (unsigned)number;
    } else if (strcmp(l->word, "rule") == 0) {
        if (!sched_next_word(l))
            return sched_wrong(l, "rule: write its name behind it, such as kit or oldest");
        free(s->rule);
        s->rule = sched_take_word(l);
        s->rule_line = l->number;
    } else if (strcmp(l->word, "seed") == 0) {
        if (!sched_next_word(l) || !sched_to_number(l->word, UINT64_MAX, &s->seed))
            return sched_wrong(l, "seed '%s': write a number", l->word);
        s->seeded = true;
        if (sched_next_word(l)) {
            free(s->faults);
            s->faults = sched_take_word(l);
        }
    } else if (strcmp(l->word, "partitions") == 0) {
        size_t i = 0;
        sched_next_word(l);
        while (i < ARRAY_LEN(handlings) && strcmp(l->word, handlings[i]) != 0)
            i++;
        if (i == ARRAY_LEN(handlings))
            return sched_wrong(l, "partitions '%s': write ignore, pause_minority or autoheal", l->word);
        s->partitions = (enum sched_partitions)i;
    } else {
        *is_header = false;
        return 0;
    }
    if (s->steps)
        return sched_wrong(l, "this says what the world is like: write it before the first event");
    return sched_next_word(l) ? sched_wrong(l, "'%s' is one word too many", l->word) : 0;
}

static bool sets_up(const struct sched *s, const struct sched_event *e)
{
    return s->steps == 0 && !e->timed && (e->verb == SCHED_POLICY || e->verb == SCHED_DECLARE);
}

static int read_line(struct line *l, struct sched *s)
{
    bool is_header = false;
    if (strcmp(l->word, "expect") == 0)
        return read_expect(l, s);
    int err = read_header(l, s, &is_header);
    if (err || is_header)
        return err;
    struct sched_event e;
    err = read_event(l, &e);
    if (!err && s->events.len == SCHED_EVENTS)
        err = sched_wrong(l, "more than %d events; leave some out", SCHED_EVENTS);
    if (err) {
        sched_event_finish(&e);
        return err;
    }
    if (!sets_up(s, &e))
        e.step = ++s->steps;
    if (e.timed && s->events.len)
        s->events.items[s->events.len - 1].rushed = true;
    VEC_PUSH(&s->events, e);
    return 0;
}

/* a node that is used is one of those there are */
static int check_nodes(struct line *l, const struct sched *s)
{
    for (size_t i = 0; i < s->events.len; i++)
        if (s->events.items[i].nodes >> s->nodes) {
            l->number = s->events.items[i].line;
            return sched_wrong(l, "'%s', but there are %u nodes; write nodes N at the top, or another node",
                               s->events.items[i].text, s->nodes);
        }
    for (size_t i = 0; i < s->events.len; i++)
        if (s->events.items[i].verb == SCHED_PART && s->events.items[i].nodes == (1u << s->nodes) - 1) {
            l->number = s->events.items[i].line;
            return sched_wrong(l, "'%s' leaves nobody on the other side; write fewer nodes",
                               s->events.items[i].text);
        }
    return 0;
}

int sched_parse(struct sched *s, const char *file, const char *text, char **error)
{
    struct line l = {.file = file, .error = error};
    int err = 0;
    *error = NULL;
    *s = (struct sched){.nodes = 3, .rule = xstrdup("kit"), .title = xstrdup(""), .faults = xstrdup("")};
    while (*text && !err) {
        size_t len = strcspn(text, "\n");
        char *whole = xmalloc(len + 1);
        memcpy(whole, text, len);
        whole[len] = '\0';
        text += len + (text[len] == '\n');
        l.number++;
        l.rest = whole;
        skip_space(&l);
        if (*l.rest == '#' && !*s->title && !s->events.len) {
            free(s->title);
            s->title = xstrdup(l.rest + 1 + strspn(l.rest + 1, "# \t"));
        }
        char *comment = strstr(whole, " #");
        if (comment)
            *comment = '\0';
        if (*l.rest != '#' && sched_next_word(&l))
            err = read_line(&l, s);
        free(whole);
    }
    if (!err)
        err = check_nodes(&l, s);
    for (size_t i = 0; !err && i < s->events.len && !s->seeded; i++)
        if (s->events.items[i].luck) {
            l.number = s->events.items[i].line;
            err = sched_wrong(&l, "~%llu: only a seed has luck; write one at the top, such as: seed 77",
                              (unsigned long long)s->events.items[i].luck);
        }
    if (!err && s->clients.len && !s->seeded) {
        l.number = s->clients.items[0].line;
        err = sched_wrong(&l, "a %s has its luck from a seed; write one at the top, such as: seed 77",
                          sched_client_word(s->clients.items[0].kind));
    }
    free(l.word);
    if (err)
        sched_finish(s);
    return err;
}

void sched_finish(struct sched *s)
{
    for (size_t i = 0; i < s->events.len; i++)
        sched_event_finish(&s->events.items[i]);
    for (size_t i = 0; i < s->clients.len; i++)
        free(s->clients.items[i].queue);
    VEC_FREE(&s->clients);
    VEC_FREE(&s->events);
    VEC_FREE(&s->expects);
    free(s->title);
    free(s->rule);
    free(s->faults);
    *s = (struct sched){0};
}
