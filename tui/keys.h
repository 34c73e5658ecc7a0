/* keys.h: every key, what it asks for, and its words, in one table. The bar at the bottom, the help (?) and
 * the lookup are made from it, so that no key exists that the help does not know. What lies over a view has
 * keys of its own: overlay_keys.h. */
#ifndef TUI_KEYS_H
#define TUI_KEYS_H

#include "base/base.h"
#include "words.h"

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
    KEY_FIRST, /* Home */
    KEY_LAST,  /* End */
    KEY_ERASE,
    KEY_ERASE_HERE, /* Delete */
    KEY_CLICK,      /* the mouse's button; terminal_click says where */
    KEY_RESIZED,
    KEY_OTHER, /* one that means nothing here */
    KEY_TAB = '\t',
    KEY_RETURN = '\r',
    KEY_ESCAPE = 0x1b,
    KEY_CTRL_L = 0x0c,
};

/* key, request, its name, word in the bar (NULL: not there), help (NULL: another key of the line above),
 * whether it changes anything in the cluster, or of what was done in the lesson */
#define KEY_TABLE(X)                                                                                         \
    X('n', REQUEST_NEXT, "n", N_("Next"), N_("the lesson's next step: run it; or: looked"), true)            \
    X('A', REQUEST_ANSWER, "A", NULL, N_("the question's next answer; a, b, c: that one"), true)             \
    X('r', REQUEST_REPEAT, "r", NULL, N_("run the current step once more"), true)                            \
    X('B', REQUEST_RESTART, "B", NULL, N_("begin the lesson again; asks first"), true)                       \
    X('N', REQUEST_GO_ON, "N", NULL, N_("the next lesson, the one before; asks first"), true)                \
    X('L', REQUEST_GO_BACK, "L", NULL, NULL, true)                                                           \
    X('q', REQUEST_QUIT, "q", N_("Quit"), N_("leave; the nodes stay as they are"), false)                    \
    X('?', REQUEST_HELP, "?", N_("Help"), N_("this page"), false)                                            \
    X('s', REQUEST_STOP, "s", N_("Stop"), N_("stop the selected node in order"), true)                       \
    X('a', REQUEST_START, "a", N_("Start"), N_("start the selected node again"), true)                       \
    X('K', REQUEST_KILL, "K", N_("Kill-9"), N_("kill -9 its process; asks first"), true)                     \
    X('x', REQUEST_CUT, "x", N_("Cut"), N_("cut the node off from the others, or heal"), true)               \
    X('p', REQUEST_PUBLISH, "p", N_("Publish"), N_("publish to the selected queue; asks how many"), true)    \
    X('g', REQUEST_GET, "g", N_("Get"), N_("consume it; asks how many, or all"), true)                       \
    X('P', REQUEST_POLICY, "P", N_("Policy"), N_("set a policy: a form opens"), true)                        \
    X('S', REQUEST_SYNC, "S", NULL, N_("synchronise the selected queue's mirrors"), true)                    \
    X('C', REQUEST_CANCEL_SYNC, "C", NULL, N_("cancel that synchronisation"), true)                          \
    X(KEY_ARROW_LEFT, REQUEST_NODE_BEFORE, "left", NULL, N_("select a node"), false)                         \
    X(KEY_ARROW_RIGHT, REQUEST_NODE_AFTER, "right", NULL, NULL, false)                                       \
    X('h', REQUEST_NODE_BEFORE, "h", NULL, NULL, false)                                                      \
    X('l', REQUEST_NODE_AFTER, "l", NULL, NULL, false)                                                       \
    X(KEY_TAB, REQUEST_NODE_AFTER, "Tab", NULL, NULL, false)                                                 \
    X(KEY_BACK_TAB, REQUEST_NODE_BEFORE, "Shift-Tab", NULL, NULL, false)                                     \
    X(KEY_ARROW_UP, REQUEST_QUEUE_BEFORE, "up", NULL, N_("select a queue; elsewhere: scroll"), false)        \
    X(KEY_ARROW_DOWN, REQUEST_QUEUE_AFTER, "down", NULL, NULL, false)                                        \
    X('k', REQUEST_QUEUE_BEFORE, "k", NULL, NULL, false)                                                     \
    X('j', REQUEST_QUEUE_AFTER, "j", NULL, NULL, false)                                                      \
    X(KEY_PAGE_UP, REQUEST_PAGE_BEFORE, "PgUp", NULL, NULL, false)                                           \
    X(KEY_PAGE_DOWN, REQUEST_PAGE_AFTER, "PgDn", NULL, NULL, false)                                          \
    X(KEY_RETURN, REQUEST_DETAIL, "Enter", NULL, N_("all about the queue or node selected last"), false)     \
    X('1', REQUEST_VIEW_CLUSTER, "1", NULL, N_("the views: Cluster, Events, Message, Lesson"), false)        \
    X('2', REQUEST_VIEW_EVENTS, "2", NULL, NULL, false)                                                      \
    X('3', REQUEST_VIEW_MESSAGE, "3", NULL, NULL, false)                                                     \
    X('4', REQUEST_VIEW_LESSON, "4", NULL, NULL, false)                                                      \
    X('e', REQUEST_EXPLAIN, "e", NULL, N_("the lesson, and back; in Message: every event"), false)           \
    X('f', REQUEST_FOLD, "f", NULL, N_("fold the lesson to one line; again: back"), false)                   \
    X(KEY_ESCAPE, REQUEST_BACK, "Esc", NULL, N_("drop the filter; back to the cluster"), false)              \
    X(' ', REQUEST_PAUSE, "Space", NULL, N_("pause the screen; in a replay: play"), false)                   \
    X('.', REQUEST_PAUSE, ".", NULL, NULL, false)                                                            \
    X('[', REQUEST_EARLIER, "[", NULL, N_("a step in time; in Message: another one"), false)                 \
    X(']', REQUEST_LATER, "]", NULL, NULL, false)                                                            \
    X('{', REQUEST_SEEK_BACK, "{", NULL, N_("what was run before, after (or ten seconds)"), false)           \
    X('}', REQUEST_SEEK_ON, "}", NULL, NULL, false)                                                          \
    X('+', REQUEST_FASTER, "+", NULL, N_("a replay faster, slower"), false)                                  \
    X('-', REQUEST_SLOWER, "-", NULL, NULL, false)                                                           \
    X('R', REQUEST_RECORD, "R", NULL, N_("record the session to a file; again: end it"), false)              \
    X('w', REQUEST_WRITE, "w", NULL, N_("write this frame to a file, as text"), false)                       \
    X(':', REQUEST_COMMAND, ":", NULL, N_("a command: labctl's verbs; Tab completes"), false)                \
    X('y', REQUEST_COPY, "y", NULL, N_("copy the command that was run"), false)                              \
    X('o', REQUEST_OUTPUT, "o", NULL, N_("all that it printed"), false)                                      \
    X('/', REQUEST_FILTER, "/", NULL, N_("filter the queues; in Events: the events"), false)                 \
    X('<', REQUEST_SORT_BEFORE, "<", NULL, N_("sort the queues by another column"), false)                   \
    X('>', REQUEST_SORT_AFTER, ">", NULL, NULL, false)                                                       \
    X('F', REQUEST_FOLLOW, "F", NULL, N_("follow: the newest event, the newest queue"), false)               \
    X('E', REQUEST_EXPORT, "E", NULL, N_("write the events that are shown to a file"), false)                \
    X('%', REQUEST_MOUSE, "%", NULL, N_("use the mouse here; again: give it back"), false)                   \
    X(KEY_CTRL_L, REQUEST_REDRAW, "Ctrl-L", NULL, N_("draw the whole screen again"), false)

enum request {
    REQUEST_NONE,
    REQUEST_NEXT,
    REQUEST_ANSWER,
    REQUEST_REPEAT,
    REQUEST_RESTART,
    REQUEST_GO_ON,
    REQUEST_GO_BACK,
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
    REQUEST_CUT,
    REQUEST_COMMAND,
    REQUEST_FILTER,
    REQUEST_SORT_BEFORE,
    REQUEST_SORT_AFTER,
    REQUEST_FOLLOW,
    REQUEST_COPY,
    REQUEST_OUTPUT,
    REQUEST_EXPORT,
    REQUEST_MOUSE,
    REQUEST_NODE_BEFORE,
    REQUEST_NODE_AFTER,
    REQUEST_QUEUE_BEFORE,
    REQUEST_QUEUE_AFTER,
    REQUEST_PAGE_BEFORE,
    REQUEST_PAGE_AFTER,
    REQUEST_VIEW_CLUSTER,
    REQUEST_VIEW_EVENTS,
    REQUEST_VIEW_MESSAGE,
    REQUEST_VIEW_LESSON,
    REQUEST_DETAIL,
    REQUEST_EXPLAIN,
    REQUEST_FOLD,
    REQUEST_BACK,
    REQUEST_EARLIER,
    REQUEST_LATER,
    REQUEST_PAUSE,
    REQUEST_SEEK_BACK,
    REQUEST_SEEK_ON,
    REQUEST_FASTER,
    REQUEST_SLOWER,
    REQUEST_RECORD,
    REQUEST_WRITE,
    REQUEST_REDRAW,
};

struct key_entry {
    int key;
    enum request request;
    const char *name, *bar, *help; /* bar, help: to be translated where they are drawn */
    bool acts; /* changes the cluster or the lesson: not with --readonly, not on a replay */
};

extern const struct key_entry key_table[];
extern const size_t key_table_len;

const struct key_entry *key_find(int key); /* NULL: no such key */

/* Where two recordings are side by side (compare.h) there is nothing to select: only time, writing, leaving.
 * These keys do something there, in the bar's order: its word (NULL: not there), what it does (NULL: another
 * key of the line above), to be translated. */
#define COMPARE_KEY_TABLE(X)                                                                                 \
    X(']', N_("Next-step"), N_("the next step, on both sides"))                                              \
    X('[', N_("Back"), N_("the step before, on both sides"))                                                 \
    X('{', N_("Begin"), N_("to the beginning"))                                                              \
    X('}', N_("End"), N_("to the end"))                                                                      \
    X(' ', N_("Play"), N_("play; again: stop"))                                                              \
    X('.', NULL, NULL)                                                                                       \
    X('w', N_("Write"), N_("write this frame to a file, as text"))                                           \
    X('?', N_("Help"), N_("this page"))                                                                      \
    X('q', N_("Quit"), N_("leave"))                                                                          \
    X(KEY_CTRL_L, NULL, N_("draw the whole screen again"))

struct compare_key {
    int key;
    const char *bar, *help;
};

extern const struct compare_key compare_keys[];
extern const size_t compare_keys_len;

bool key_in_compare(int key);

#endif
