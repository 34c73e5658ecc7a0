/* overlay_bar.c: the key bar while something lies over the view: the keys that act there, and no others. */
#include "overlay_keys.h"
#include "ran.h"
#include "view.h"
#include "words.h"

int draw_bar_key(struct canvas *c, struct rect r, int x, const char *name, const char *word)
{
    const char *key = key_word(name);
    if (x + text_columns(c, key) + 1 + text_columns(c, word) > r.width)
        return r.width;
    x = canvas_put(c, r, x, 0, STYLE_STRONG, key);
    return canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", word) + 1;
}

unsigned overlay_where(const struct model *m)
{
    static const unsigned where[] = {
        [OVERLAY_NONE] = 0,           [OVERLAY_HELP] = OVER_HELP,       [OVERLAY_CONFIRM] = OVER_CONFIRM,
        [OVERLAY_FORM] = OVER_FORM,   [OVERLAY_COMMAND] = OVER_COMMAND, [OVERLAY_FILTER] = OVER_FILTER,
        [OVERLAY_PAGER] = OVER_PAGER,
    };
    return where[m->overlay] | (m->overlay == OVERLAY_FORM && form_chooses(m) ? OVER_CHOICE : 0);
}

void draw_overlay_bar(const struct model *m, struct canvas *c, struct rect r)
{
    unsigned where = overlay_where(m);
    for (size_t i = 0, x = 0; i < overlay_keys_len && x < (size_t)r.width; i++) {
        const struct overlay_key *k = &overlay_keys[i];
        if ((k->where & where) && k->bar)
            x = (size_t)draw_bar_key(c, r, (int)x, k->name, _(k->bar));
    }
}
