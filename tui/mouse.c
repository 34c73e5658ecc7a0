/* mouse.c: see mouse.h. What stands under the click is read off the frame: the word, from space to space. */
#include "mouse.h"

#include <stdio.h>
#include <stdlib.h>

#include "view.h"
#include "words.h"

/* the word at this cell, new; "" if there is a space. Borders end a word as spaces do. */
static char *word_at(const struct canvas *c, int x, int y)
{
    const struct cell *row = &c->cells[(size_t)y * (size_t)c->width];
    int from = x, to = x;
    while (from > 0 && row[from - 1].ch != ' ' && !row[from - 1].line)
        from--;
    while (to < c->width && row[to].ch != ' ' && !row[to].line)
        to++;
    if (to <= x)
        return xstrdup("");
    struct canvas part = {.width = to - from, .height = 1, .cells = (struct cell *)(uintptr_t)&row[from]};
    struct text t = {0};
    canvas_to_text(&part, &t);
    if (t.len)
        t.s[--t.len] = '\0'; /* the line's end */
    return t.s ? t.s : xstrdup("");
}

static size_t repeat(int keys[MOUSE_KEYS], int times, int more, int less)
{
    size_t len = 0;
    for (int i = 0; i < abs(times) && len < MOUSE_KEYS; i++)
        keys[len++] = times > 0 ? more : less;
    return len;
}

/* "s:Stop"; "s" where the words have no room */
static int key_of_bar(const char *word)
{
    for (size_t i = 0; i < key_table_len; i++) {
        const struct key_entry *k = &key_table[i];
        size_t len = strlen(k->name);
        bool there = k->bar || k->request == REQUEST_REPEAT || k->request == REQUEST_GO_ON ||
                     k->request == REQUEST_ANSWER || k->request == REQUEST_BACK;
        if (there && strncmp(word, k->name, len) == 0 && (!word[len] || word[len] == ':'))
            return k->key;
    }
    return KEY_NOTHING_;
}

static int index_of_queue(const struct model *m, const char *name)
{
    for (size_t i = 0; name && i < m->shown.len; i++)
        if (strcmp(m->snapshot->queues[m->shown.items[i]].name, name) == 0)
            return (int)i;
    return -1;
}

size_t mouse_keys(const struct model *m, const struct canvas *c, int x, int y, int keys[MOUSE_KEYS])
{
    size_t len = 0;
    if (x < 0 || y < 0 || x >= c->width || y >= c->height || !m->snapshot || m->overlay != OVERLAY_NONE)
        return 0;
    char *whole = word_at(c, x, y), *word = whole + (*whole == '>'); /* the mark of what is selected */
    int queue = index_of_queue(m, word), node = snapshot_node_index(m->snapshot, word);
    int bar = y == c->height - 1 ? key_of_bar(word) : KEY_NOTHING_;
    if (y == 0 && word[0] >= '1' && word[0] <= '9' && word[1] == ':') {
        keys[len++] = (unsigned char)word[0];
    } else if (bar != KEY_NOTHING_) {
        keys[len++] = bar;
    } else if (queue >= 0 && m->view == VIEW_CLUSTER) {
        int from = index_of_queue(m, m->queue);
        len = repeat(keys, queue - (from < 0 ? 0 : from), KEY_ARROW_DOWN, KEY_ARROW_UP);
    } else if (node >= 0) {
        len = repeat(keys, node - m->node, KEY_ARROW_RIGHT, KEY_ARROW_LEFT);
    }
    free(whole);
    return len;
}
