/* overlay_bar.c: the key bar while something lies over the view: the keys that act there, and no others. */
#include "ran.h"
#include "view.h"
#include "words.h"

#define X(overlay, keys, word) {overlay, keys, word},
static const struct {
    enum overlay overlay;
    const char *keys, *word;
} table[] = {OVERLAY_KEY_TABLE(X)};
#undef X

void draw_overlay_bar(const struct model *m, struct canvas *c, struct rect r)
{
    bool chooses = m->overlay != OVERLAY_FORM || form_chooses(m);
    int x = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const char *keys = key_word(table[i].keys), *word = _(table[i].word);
        bool choice = strcmp(table[i].keys, "Space") == 0;
        if (table[i].overlay != m->overlay || (choice && !chooses))
            continue;
        if (x + text_columns(c, keys) + 1 + text_columns(c, word) > r.width)
            return;
        x = canvas_put(c, r, x, 0, STYLE_STRONG, keys);
        x = canvas_printf(c, r, x, 0, STYLE_DIM, ":%s", word) + 1;
    }
}
