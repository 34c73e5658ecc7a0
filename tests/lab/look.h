/* look.h: what tests of lessons and their proofs observe: one look at the cluster after the other, written as
 * the JSON of `lab status --json`, with ' for ". */
#ifndef TESTS_LAB_LOOK_H
#define TESTS_LAB_LOOK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "lab/lesson.h"

/* One look at the cluster. Fields that are NULL or 0 have the usual value. */
struct look {
    const char *source;            /* "node2"; "" for: nobody answers */
    const char *node1;             /* "up" (the usual) or "not running" */
    const char *said_by;           /* who says so of node1: "'node2','node3'" */
    const char *queues, *policies; /* members of the lists */
    bool gone;                     /* node1's process is, too */
    bool unrefused;                /* node1 answers nothing, and refuses no connection */
    bool apart;                    /* node1 and the others run and do not see each other */
    bool frozen;                   /* the time goes on, but nothing is said anew */
};

#define POLICY                                                                                               \
    "{'name':'mirrior','pattern':'^mirrior','apply_to':'queues','priority':0,"                               \
    "'definition':'{\\'ha-params\\':2,\\'ha-mode\\':\\'exactly\\',\\'ha-sync-mode\\':\\'automatic\\'}'}"

/* master, mirrors, synced, messages ("" for unknown), state */
#define QUEUE(name, master, mirrors, synced, messages, state, more)                                          \
    "{'name':'" name "','state':'" state "','master':'" master "','mirrors':[" mirrors "],'synced':[" synced \
    "],"                                                                                                     \
    "'durable':true,'exclusive':false,'auto_delete':false" messages more "}"
#define MESSAGES(n)            KINDS(n, 0)
#define KINDS(n, persistent)   ",'messages':" #n ",'persistent':" #persistent
#define HELLO(messages, state) QUEUE("hello", "node1", "", "", messages, state, "")

extern const struct look policy_set, compared, mirrored, node1_stopped, promoted, syncing, consumed,
    hello_lost;

/* the newest: when it was taken, and what it says was said */
extern ms_time now, said;

int64_t wall_of(ms_time t);                     /* since 1970 */
struct snapshot *take(const struct look *look); /* the caller's */
void observe(struct lesson *l, const struct look *look);
void observe_times(struct lesson *l, const struct look *look, int times);
struct lesson *load(int lesson_number);
struct lesson *load_until_stopped(void);          /* lesson 7, observed until node1 was stopped */
struct lesson *left_and_opened(struct lesson *l); /* as the next screen has it; l is gone */
void assert_fact(const json_t *fact, const char *words);
void assert_help(const struct lesson *l, size_t step, const struct look *look, enum lesson_help help,
                 const char *missing);
void assert_seen(const struct lesson *l, size_t step, const char *words);
void assert_seen_part(const struct lesson *l, size_t step, const char *part);

#endif
