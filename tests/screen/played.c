/* played.c: see played.h. */
#include "tests/screen/played.h"

#include "main/lab.h"
#include "time_sched_ledger.h"

struct player *open_schedule(const char *file)
{
    char *error = NULL;
    struct recording *r = recording_load(file, lab_load_schedule, &error);
    if (!r)
        fail_msg("%s", error);
    return player_create(r, NULL, NULL, false);
}

char *frame_of(struct player *p)
{
    struct canvas c;
    struct text out = {0};
    canvas_init(&c);
    canvas_resize(&c, 80, 24);
    screen_settle(player_model(p), &c);
    screen_draw(player_model(p), &c);
    canvas_to_text(&c, &out);
    canvas_finish(&c);
    return out.s;
}

void check_lives(const struct model *m)
{
    size_t i, k;
    const json_t *entry, *one;
    for (size_t f = 0; f < m->fates.len; f++) {
        int bad = 0, moments = 0;
        json_array_foreach(m->fates.items[f].life, i, entry)
        {
            json_array_foreach(json_array_get(entry, 4), k, one)
            {
                struct moment moment;
                assert_true(sched_moment(one, &moment));
                bad += moment.bad;
                moments++;
            }
        }
        if (!m->fates.items[f].life)
            continue;
        assert_true(moments > 0);
        assert_int_equal(bad, m->fates.items[f].lost);
    }
}
