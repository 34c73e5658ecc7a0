/* keys.h: every key, what it asks for, and its words, in one table. The bar at the bottom, the help (?) and
 * the lookup are made from it, so that no key exists that the help does not know. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include "base/base.h"

/* Keys are Unicode characters, or one of these. */
enum key {
    KEY_NOTHING_ = 0x110000, /* above all characters */
    KEY_ARROW_UP,
    KEY_ARROW_DOWN,
    KEY_ARROW_LEFT,
    KEY_ARROW_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_BACK_TAB,
    KEY_ERASE,
    KEY_RESIZED,
    KEY_OTHER, /* one that means nothing here */
    KEY_TAB = '\t',
    KEY_RETURN = '\r',
    KEY_ESCAPE = 0x1b,
    KEY_CTRL_L = 0x0c,
};

/* key, request, its name, word in the bar (NULL: not there), help (NULL: another key of the line above),
 * whether it changes anything in the cluster */
#define KEY_TABLE(X)                                                                                         \
    X('n', REQUEST_NEXT, "n", "Next", "run the lesson's next step (marked >)", true)                         \
    X(KEY_RETURN, REQUEST_NEXT, "Enter", NULL, NULL, true)                                                   \
    X('r', REQUEST_REPEAT, "r", NULL, "run the current step once more", true)                                \
    X('R', REQUEST_RESTART, "R", NULL, "begin the lesson again; asks first", true)                           \
    X('q', REQUEST_QUIT, "q", "Quit", "leave; the nodes stay as they are", false)                            \
    X('?', REQUEST_HELP, "?", "Help", "this page", false)                                                    \
    X('s', REQUEST_STOP, "s", "Stop", "stop the selected node in order", true)                               \
    X('a', REQUEST_START, "a", "Start", "start the selected node again", true)                               \
    X('K', REQUEST_KILL, "K", "Kill-9", "kill -9 its process; asks first", true)                             \
    X('p', REQUEST_PUBLISH, "p", "Publish", "publish a message to the selected queue", true)                 \
    X('g', REQUEST_GET, "g", "Get", "consume it through the selected node", true)                            \
    X('P', REQUEST_POLICY, "P", "Policy", "set a policy: a form opens", true)                                \
    X('S', REQUEST_SYNC, "S", NULL, "synchronise the selected queue's mirrors", true)                        \
    X('C', REQUEST_CANCEL_SYNC, "C", NULL, "cancel that synchronisation", true)                              \
    X(KEY_ARROW_LEFT, REQUEST_NODE_BEFORE, "left", NULL, "select a node", false)                             \
    X(KEY_ARROW_RIGHT, REQUEST_NODE_AFTER, "right", NULL, NULL, false)                                       \
    X('h', REQUEST_NODE_BEFORE, "h", NULL, NULL, false)                                                      \
    X('l', REQUEST_NODE_AFTER, "l", NULL, NULL, false)                                                       \
    X(KEY_TAB, REQUEST_NODE_AFTER, "Tab", NULL, NULL, false)                                                 \
    X(KEY_BACK_TAB, REQUEST_NODE_BEFORE, "Shift-Tab", NULL, NULL, false)                                     \
    X(KEY_ARROW_UP, REQUEST_QUEUE_BEFORE, "up", NULL, "select a queue; in Events, Lesson: scroll", false)    \
    X(KEY_ARROW_DOWN, REQUEST_QUEUE_AFTER, "down", NULL, NULL, false)                                        \
    X('k', REQUEST_QUEUE_BEFORE, "k", NULL, NULL, false)                                                     \
    X('j', REQUEST_QUEUE_AFTER, "j", NULL, NULL, false)                                                      \
    X(KEY_PAGE_UP, REQUEST_PAGE_BEFORE, "PgUp", NULL, "ten queues; in Events, Lesson: ten lines", false)     \
    X(KEY_PAGE_DOWN, REQUEST_PAGE_AFTER, "PgDn", NULL, NULL, false)                                          \
    X('1', REQUEST_VIEW_CLUSTER, "1", NULL, "the views: Cluster, Events, Lesson", false)                     \
    X('2', REQUEST_VIEW_EVENTS, "2", NULL, NULL, false)                                                      \
    X('3', REQUEST_VIEW_LESSON, "3", NULL, NULL, false)                                                      \
    X(KEY_ESCAPE, REQUEST_BACK, "Esc", NULL, "back to the cluster; never quits", false)                      \
    X(']', REQUEST_LATER, "]", NULL, "in a replay: the next snapshot", false)                                \
    X(KEY_CTRL_L, REQUEST_REDRAW, "Ctrl-L", NULL, "draw the whole screen again", false)

enum request {
    REQUEST_NONE,
    REQUEST_NEXT,
    REQUEST_REPEAT,
    REQUEST_RESTART,
    REQUEST_QUIT,
    REQUEST_HELP,
    REQUEST_STOP,
    REQUEST_START,
    REQUEST_KILL,
    REQUEST_PUBLISH,
    REQUEST_GET,
    REQUEST_POLICY,
    REQUEST_SYNC,
    REQUEST_CANCEL_SYNC,
    REQUEST_NODE_BEFORE,
    REQUEST_NODE_AFTER,
    REQUEST_QUEUE_BEFORE,
    REQUEST_QUEUE_AFTER,
    REQUEST_PAGE_BEFORE,
    REQUEST_PAGE_AFTER,
    REQUEST_VIEW_CLUSTER,
    REQUEST_VIEW_EVENTS,
    REQUEST_VIEW_LESSON,
    REQUEST_BACK,
    REQUEST_LATER,
    REQUEST_REDRAW,
};

struct key_entry {
    int key;
    enum request request;
    const char *name, *bar, *help;
    bool acts; /* changes the cluster: not with --readonly, not on a replay */
};

extern const struct key_entry key_table[];
extern const size_t key_table_len;

const struct key_entry *key_find(int key); /* NULL: no such key */

#endif
