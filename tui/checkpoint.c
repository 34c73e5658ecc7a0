/* checkpoint.c: see checkpoint.h. Of a model it copies what time has made of it; what its user looks at stays
 * with the model that is shown (model_take_look). */
#include "checkpoint.h"

#include <stdlib.h>

/* How far a lesson's step is: the part of struct lesson_step that time changes. */
struct progress {
    enum step_state state;
    bool acted, by_hand;
    int exit_code;
    int64_t seen_wall_ms;
    json_t *seen;
    char *lacks, *lacks_at, *shows, *output;
};

struct checkpoint {
    unsigned shared;    /* how many have it */
    struct model model; /* no lesson, no look */
    VEC(struct running) running;
    VEC(struct progress) steps;
    json_t *account;
    int said, was; /* the question's answers */
};

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* ---- what was observed, what was run
 * ----------------------------------------------------------------------------- */

static struct command *copy_command(const struct command *c)
{
    struct command *copy = xcalloc(1, sizeof(*copy));
    size_t len = 0;
    *copy = *c;
    while (c->argv[len])
        len++;
    copy->argv = xcalloc(len + 1, sizeof(*copy->argv));
    for (size_t i = 0; i < len; i++)
        copy->argv[i] = xstrdup(c->argv[i]);
    copy->text = copy_text(c->text);
    copy->other = copy_text(c->other);
    copy->last_line = copy_text(c->last_line);
    copy->open_line = copy_text(c->open_line);
    copy->goal.queue = copy_text(c->goal.queue);
    copy->output = (struct text){0};
    text_add_bytes(&copy->output, text_str(&c->output), c->output.len);
    return copy;
}

static void copy_fates(struct model *to, const struct model *from)
{
    for (size_t i = 0; i < from->fates.len; i++) {
        const struct fate_seen *f = &from->fates.items[i];
        VEC_PUSH(&to->fates, (struct fate_seen){.message = copy_text(f->message),
                                                .fate = copy_text(f->fate),
                                                .where = copy_text(f->where),
                                                .queue = copy_text(f->queue),
                                                .life = json_incref(f->life),
                                                .lost = f->lost});
    }
}

static void copy_queues(struct model *to, const struct model *from)
{
    for (size_t i = 0; i < from->away.len; i++) {
        VEC_PUSH(&to->away, from->away.items[i]);
        to->away.items[i].queue = xstrdup(from->away.items[i].queue);
    }
    for (size_t i = 0; i < from->history.len; i++) {
        VEC_PUSH(&to->history, from->history.items[i]);
        to->history.items[i].queue = xstrdup(from->history.items[i].queue);
    }
    for (size_t i = 0; i < from->syncs.len; i++) {
        VEC_PUSH(&to->syncs, from->syncs.items[i]);
        to->syncs.items[i].queue = xstrdup(from->syncs.items[i].queue);
    }
    for (size_t i = 0; i < from->touched.len; i++)
        VEC_PUSH(&to->touched, xstrdup(from->touched.items[i]));
}

/* to: as model_init left it */
static void copy_model(struct model *to, const struct model *from)
{
    to->snapshot = from->snapshot ? snapshot_clone(from->snapshot) : NULL;
    memcpy(to->were_apart, from->were_apart, sizeof(to->were_apart));
    to->any_away = from->any_away;
    to->kept_wall_ms = from->kept_wall_ms;
    to->told_wall_ms = from->told_wall_ms;
    to->done_at = from->done_at;
    to->killed = from->killed;
    to->cut = from->cut;
    to->cut_at = from->cut_at;
    to->message = copy_text(from->message);
    to->message_step = from->message_step;
    to->leftover = json_incref(from->leftover);
    ledger_copy(&to->ledger, &from->ledger);
    copy_queues(to, from);
    copy_fates(to, from);
    to->command = from->command ? copy_command(from->command) : NULL;
    for (size_t i = 0; i < from->others.len; i++)
        VEC_PUSH(&to->others, copy_command(from->others.items[i]));
}

/* the copy of a command of `from` */
static struct command *counterpart(const struct model *to, const struct model *from, const struct command *c)
{
    for (size_t i = 0; i < from->others.len; i++)
        if (from->others.items[i] == c)
            return to->others.items[i];
    return from->command == c ? to->command : NULL;
}

/* ---- the lesson
 * -------------------------------------------------------------------------------------------------- */

static struct progress progress_of(const struct lesson_step *s)
{
    return (struct progress){.state = s->state,
                             .acted = s->acted,
                             .by_hand = s->by_hand,
                             .exit_code = s->exit_code,
                             .seen_wall_ms = s->seen_wall_ms,
                             .seen = json_incref(s->seen),
                             .lacks = copy_text(s->lacks),
                             .lacks_at = copy_text(s->lacks_at),
                             .shows = copy_text(s->shows),
                             .output = copy_text(s->output)};
}

static void set_progress(struct lesson_step *s, const struct progress *p)
{
    s->state = p->state;
    s->acted = p->acted;
    s->by_hand = p->by_hand;
    s->exit_code = p->exit_code;
    s->seen_wall_ms = p->seen_wall_ms;
    json_decref(s->seen);
    s->seen = json_incref(p->seen);
    free(s->lacks);
    free(s->lacks_at);
    free(s->shows);
    s->lacks = copy_text(p->lacks);
    s->lacks_at = copy_text(p->lacks_at);
    s->shows = copy_text(p->shows);
    free(s->output);
    s->output = copy_text(p->output);
}

/* ---- keeping and going back
 * --------------------------------------------------------------------------------------- */

struct checkpoint *checkpoint_create(const struct model *m, const struct running *running, size_t running_len)
{
    struct checkpoint *c = xcalloc(1, sizeof(*c));
    c->shared = 1;
    model_init(&c->model, NULL, NULL, false, true);
    copy_model(&c->model, m);
    for (size_t i = 0; i < running_len; i++) {
        struct command *copy = counterpart(&c->model, m, running[i].command);
        if (copy)
            VEC_PUSH(&c->running, (struct running){.id = running[i].id, .command = copy});
    }
    for (size_t i = 0; m->lesson && i < m->lesson->steps_len; i++)
        VEC_PUSH(&c->steps, progress_of(&m->lesson->steps[i]));
    c->said = m->lesson ? m->lesson->predict.said : -1;
    c->was = m->lesson ? m->lesson->predict.was : -1;
    c->account = m->lesson ? json_incref(m->lesson->account) : NULL;
    return c;
}

void checkpoint_destroy(struct checkpoint *c)
{
    if (!c || --c->shared)
        return;
    model_finish(&c->model);
    for (size_t i = 0; i < c->steps.len; i++) {
        json_decref(c->steps.items[i].seen);
        free(c->steps.items[i].lacks);
        free(c->steps.items[i].lacks_at);
        free(c->steps.items[i].shows);
        free(c->steps.items[i].output);
    }
    VEC_FREE(&c->steps);
    VEC_FREE(&c->running);
    json_decref(c->account);
    free(c);
}

struct checkpoint *checkpoint_share(struct checkpoint *c)
{
    c->shared++;
    return c;
}

bool checkpoint_suits(const struct checkpoint *c, const struct model *m)
{
    const struct ledger *l = &c->model.ledger;
    const char *told = l->wanted ? l->wanted : l->queue;
    if (!m->queue_chosen || !m->queue)
        return !l->wanted;
    return told ? strcmp(told, m->queue) == 0 : l->facts.len == 0 && l->pending.len == 0;
}

size_t checkpoint_running(const struct checkpoint *c)
{
    return c->running.len;
}

void checkpoint_restore(const struct checkpoint *c, struct model *m, struct running *running)
{
    copy_model(m, &c->model);
    for (size_t i = 0; i < c->running.len; i++)
        running[i] = (struct running){.id = c->running.items[i].id,
                                      .command = counterpart(m, &c->model, c->running.items[i].command)};
    for (size_t i = 0; m->lesson && i < c->steps.len && i < m->lesson->steps_len; i++)
        set_progress(&m->lesson->steps[i], &c->steps.items[i]);
    if (m->lesson) {
        json_decref(m->lesson->account);
        m->lesson->account = json_incref(c->account);
        m->lesson->predict.said = c->said;
        m->lesson->predict.was = c->was;
    }
}
