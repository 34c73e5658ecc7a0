/* form.h: small forms of a few lines: a policy, messages to publish or to get. What is typed goes into the
 * words of a command as it is. What no node would take is said in the form, which stays open; the rest is for
 * the nodes to say, in their own words: if they refuse a policy, its form is there again, with what was
 * typed. */
#ifndef TUI_FORM_H
#define TUI_FORM_H

#include "input.h"

struct command;

enum form_kind { FORM_POLICY, FORM_PUBLISH, FORM_GET, FORMS };

enum policy_field {
    POLICY_NAME,
    POLICY_PATTERN,
    POLICY_HA_MODE,
    POLICY_HA_PARAMS,
    POLICY_SYNC_MODE,
    POLICY_FIELDS
};

enum publish_field {
    PUBLISH_QUEUE,
    PUBLISH_COUNT,
    PUBLISH_TEXT,
    PUBLISH_PERSISTENT,
    PUBLISH_CONFIRM,
    PUBLISH_FIELDS
};

enum get_field { GET_QUEUE, GET_COUNT, GET_FIELDS };

#define FORM_FIELDS 5

struct form {
    struct input fields[FORM_FIELDS];
    char *before[FORM_FIELDS]; /* what they had when it was opened, and have again when it is cancelled */
    int at;                    /* the field that is typed in */
    bool chosen;               /* it was only gone to: what is typed takes the place of what is there */
    char
        *offered; /* the pattern that was put there for the lesson's step; NULL: the first values are there */
    char *wrong;  /* why Enter did nothing, or what a node said to it, until the next key; NULL: nothing is */
    bool asked;   /* Enter has said what it would do that may not be meant: a second one does it */
    bool ran;     /* Enter has made a command, which is about to run */
    bool waits;   /* no key was pressed since: a refusal opens the form again */
    const struct command *runs; /* that command, only to be compared; NULL: none runs */
};

void form_reset(struct form *f, enum form_kind kind); /* the first values: the article's */
void form_finish(struct form *f);

/* What a model does with them is in ran.h, which knows models. */

#endif
