/* view_message.c: the view of one message's life: which one, how much of it. */
#include "view.h"
#include "words.h"

#define WIDE_COLUMNS    120 /* from here on the ledger stands beside the picture, else below it */
#define LEDGER_AT_LEAST 3

/* Where the picture is, and the ledger of a schedule (no rows: none). */
static struct rect share(const struct model *m, struct canvas *c, struct rect r, struct rect *ledger)
{
    struct rect picture = r;
    *ledger = rect_rows(r, 0, 0);
    if (!life_of_schedule(m))
        return picture;
    if (r.width >= WIDE_COLUMNS) {
        picture.width = r.width * 2 / 3;
        *ledger = (struct rect){r.x + picture.width + 1, r.y, r.width - picture.width - 1, r.height};
        return picture;
    }
    int free = r.height - message_rows(m, c, r.width), all = ledger_rows(m, c, r.width);
    int rows = free > LEDGER_AT_LEAST ? free : LEDGER_AT_LEAST;
    rows = rows < all ? rows : all;
    if (r.height < 6 * LEDGER_AT_LEAST)
        return picture;
    *ledger = rect_rows(r, r.height - rows, rows);
    return rect_rows(r, 0, r.height - rows);
}

static void draw(const struct model *m, struct canvas *c, struct rect r)
{
    struct rect ledger, picture = share(m, c, r, &ledger);
    draw_message(m, c, picture, m->scroll);
    if (ledger.height)
        draw_ledger(m, c, ledger);
}

static void settle(struct model *m, struct canvas *c, struct rect r)
{
    struct rect ledger;
    int most = message_hidden_rows(m, c, share(m, c, r, &ledger));
    m->scroll = m->scroll > most ? most : m->scroll < 0 ? 0 : m->scroll;
}

/* there is none that way */
static void say_the_end(struct model *m, bool only, bool first)
{
    const char *queue = m->ledger.queue ? m->ledger.queue : m->queue;
    if (life_of_schedule(m))
        model_say(m, "%s",
                  only    ? _("The schedule publishes one message.")
                  : first ? _("This is the schedule's first message.")
                          : _("This is the schedule's last message."));
    else if (!queue)
        model_say(m, "%s", _("There is no queue."));
    else if (only && m->snapshot && m->snapshot->queues_len > 1)
        model_say(
            m,
            _("No other message of %s was seen. To see another queue's: 1, select it with the up and down "
              "keys, 3."),
            queue);
    else
        model_say(m,
                  only    ? _("No other message of %s was seen.")
                  : first ? _("This is the first message of %s.")
                          : _("This is the last message of %s."),
                  queue);
}

static enum effect choose(struct model *m, int by)
{
    bool played = life_of_schedule(m);
    uint64_t at = played ? life_shown(m) : message_shown(m);
    uint64_t last = played ? m->fates.len - 1 : ledger_last_number(&m->ledger);
    if (by < 0 ? !at : at >= last)
        say_the_end(m, !last, by < 0);
    m->life_id = by < 0 ? (at ? at - 1 : 0) : at < last ? at + 1 : last;
    m->life_chosen = true;
    m->scroll = 0;
    return EFFECT_DRAW;
}

/* the first of the next, or of this or the one before, that fared otherwise */
static enum effect jump(struct model *m, int by)
{
    const struct ledger *l = &m->ledger;
    uint64_t at = message_shown(m);
    for (size_t i = 0; i < l->fates.len; i++) {
        const struct fate_range *f = &l->fates.items[by < 0 ? l->fates.len - 1 - i : i];
        if (by < 0 ? f->first < at : f->first > at) {
            m->life_id = f->first;
            m->life_chosen = true;
            m->scroll = 0;
            break;
        }
    }
    return EFFECT_DRAW;
}

static bool request(struct model *m, enum request request, enum effect *effect)
{
    *effect = EFFECT_DRAW;
    bool page = request == REQUEST_PAGE_BEFORE || request == REQUEST_PAGE_AFTER;
    if (page && !life_of_schedule(m) && !m->ledger.fates.len)
        return false; /* no message to go to (RabbitMQ's have no numbers): they scroll, as elsewhere */
    if (request == REQUEST_NODE_BEFORE || (request == REQUEST_EARLIER && !m->replay))
        *effect = choose(m, -1);
    else if (request == REQUEST_NODE_AFTER || (request == REQUEST_LATER && !m->replay))
        *effect = choose(m, 1);
    else if (request == REQUEST_PAGE_BEFORE)
        *effect = jump(m, -1);
    else if (request == REQUEST_PAGE_AFTER)
        *effect = jump(m, 1);
    else if (request == REQUEST_EXPLAIN)
        m->life_expanded = !m->life_expanded;
    else
        return false;
    return true;
}

const struct view_ops view_message = {
    .name = N_("Message"), .draw = draw, .request = request, .settle = settle};
