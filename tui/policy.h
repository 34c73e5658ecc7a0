/* policy.h: the form behind the key P: five fields that make one set_policy. */
#ifndef TUI_POLICY_H
#define TUI_POLICY_H

#include "model.h"

void policy_form_reset(struct model *m); /* the article's values */
enum effect policy_form_key(struct model *m, int key, struct command **run);
struct command *policy_form_command(const struct model *m);
const char *policy_field_name(enum policy_field field);

#endif
