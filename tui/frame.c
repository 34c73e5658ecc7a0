/* frame.c: one frame as text, without a terminal; see tui_frame_text in tui.h. */
#include "canvas.h"
#include "tui.h"
#include "view.h"

char *tui_frame_text(const struct snapshot *s, const struct lesson *l, int width, int height)
{
    struct model m;
    struct canvas c;
    struct text out = {0};
    model_init(&m, (struct lesson *)l, NULL, false, false); /* drawing only reads it */
    model_observe(&m, s);
    m.now = s->taken_at;
    m.text_only = true;
    canvas_init(&c);
    canvas_resize(&c, width, height);
    screen_draw(&m, &c);
    canvas_to_text(&c, &out);
    canvas_finish(&c);
    model_finish(&m);
    return out.s;
}
