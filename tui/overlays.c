/* overlays.c: what lies over a view: the help made from the table of keys, the question before a kill or a
 * new beginning, the policy form. */
#include <stdio.h>
#include <stdlib.h>

#include "policy.h"
#include "view.h"

/* A box in the middle, cleared, with a title; the rectangle inside it. */
static struct rect open_box(struct canvas *c, int width, int height, const char *title)
{
    width = width > c->width ? c->width : width;
    height = height > c->height ? c->height : height;
    struct rect r = {(c->width - width) / 2, (c->height - height) / 2, width, height};
    canvas_fill(c, r, STYLE_NORMAL);
    canvas_box(c, r, STYLE_STRONG);
    canvas_put(c, (struct rect){r.x + 1, r.y, r.width - 2, 1}, 1, 0, STYLE_STRONG, title);
    return (struct rect){r.x + 2, r.y + 1, r.width - 4, r.height - 2};
}

/* ---- help
 * ------------------------------------------------------------------------------------------------------ */

/* "up down k j": a line's key and those after it that have no line of their own */
static void key_names(size_t i, char out[64])
{
    size_t len = (size_t)snprintf(out, 64, "%s", key_table[i].name);
    for (size_t j = i + 1; j < key_table_len && !key_table[j].help; j++)
        len += (size_t)snprintf(out + len, len < 64 ? 64 - len : 0, " %s", key_table[j].name);
}

void draw_help(const struct model *m, struct canvas *c)
{
    int rows = 0, y = 0;
    (void)m;
    for (size_t i = 0; i < key_table_len; i++)
        rows += key_table[i].help != NULL;
    struct rect r = open_box(c, 78, rows + 3, " Keys (any key closes this) ");
    canvas_put(c, r, 0, y++, STYLE_DIM,
               "> marks what keys act on: a node, a queue, the lesson's current step.");
    for (size_t i = 0; i < key_table_len; i++) {
        char names[64];
        if (!key_table[i].help || y >= r.height)
            continue;
        key_names(i, names);
        canvas_put(c, r, 0, y, STYLE_STRONG, names);
        canvas_put(c, r, 30, y++, STYLE_NORMAL, key_table[i].help);
    }
}

/* ---- question
 * ---------------------------------------------------------------------------------------------------- */

void draw_confirm(const struct model *m, struct canvas *c)
{
    struct rect r = open_box(c, 68, 8, " Sure? ");
    if (!m->to_confirm)
        return;
    bool clean = m->to_confirm->step == COMMAND_CLEAN, yes = m->confirm_yes;
    const char *verb = clean ? "Begin again" : "Kill";
    canvas_printf(c, r, 0, 0, STYLE_STRONG, "%s%s", clean ? "" : "$ ", m->to_confirm->text);
    draw_paragraph(c, rect_rows(r, 1, 3), 0, 0, STYLE_NORMAL,
                   clean
                       ? "Starts the nodes that do not run, and removes the queues and policies that this "
                         "lesson uses, with their messages."
                       : "The process dies at once, as in a power cut: nothing is handed over, and what only "
                         "its memory holds is gone.");
    canvas_put(c, r, 0, 4, yes ? STYLE_NORMAL : STYLE_SELECTED, yes ? "  Cancel  " : "[ Cancel ]");
    canvas_printf(c, r, 12, 4, yes ? STYLE_SELECTED : STYLE_NORMAL, yes ? "[ %s ]" : "  %s  ", verb);
    canvas_put(c, r, 0, 5, STYLE_DIM, "Enter: the marked one   arrows: mark   y: do it   Esc: cancel");
}

/* ---- policy
 * ---------------------------------------------------------------------------------------------------------
 */

void draw_policy_form(const struct model *m, struct canvas *c)
{
    struct rect r = open_box(c, 76, POLICY_FIELDS + 7, " Policy ");
    struct command *command = policy_form_command(m);
    canvas_put(c, r, 0, 0, STYLE_DIM, "Every queue whose name matches the pattern follows it.");
    for (int i = 0; i < POLICY_FIELDS; i++) {
        bool here = i == m->policy_at;
        canvas_printf(c, r, 0, 1 + i, here ? STYLE_STRONG : STYLE_NORMAL, "%s %-13s", here ? ">" : " ",
                      policy_field_name((enum policy_field)i));
        canvas_printf(c, r, 16, 1 + i, here ? STYLE_SELECTED : STYLE_NORMAL, "%s%s", text_str(&m->policy[i]),
                      here ? "_" : "");
    }
    char *text = format_text("$ %s", command->text);
    draw_paragraph(c, rect_rows(r, POLICY_FIELDS + 1, 3), 0, 0, STYLE_NORMAL, text);
    canvas_put(c, r, 0, POLICY_FIELDS + 4, STYLE_DIM,
               "Enter: set it   up, down: field   Ctrl-U: empty it   Esc: cancel");
    free(text);
    command_destroy(command);
}
