/* commands.h: what the acting keys run: words for labctl and for the lesson's own programs. The text that is
 * shown is made from the very words that are run. */
#ifndef TUI_COMMANDS_H
#define TUI_COMMANDS_H

#include "model.h"

/* A command of these words (copied, up to NULL); its text is the words, quoted for a shell where needed. */
struct command *command_of(const char *const *words, int step);

char *shell_word(const char *word); /* as one would type it into a shell; the caller frees it */

/* The path of this program as one of the lesson's steps runs it; NULL: none does. l may be NULL. */
const char *command_program(const struct lesson *l, const char *program);

/* The lesson's producer and consumer, through a node that runs; counts as they were typed. NULL: they cannot
 * be run; command_why_not says why. Persistent, or confirmed: through the newest lesson's producer, if
 * model.tools has one, for the first lessons' do not know that. */
struct command *command_publish(const struct model *m, const char *queue, const char *count, const char *text,
                                bool persistent, bool confirm);
struct command *command_get(const struct model *m, const char *queue, const char *count);
/* count may be "all": so many as nodes say are ready. Why that is no number of messages; NULL: it is one. The
 * caller frees it. */
#define COUNT_ALL "all"
char *command_all_wrong(const struct model *m, const char *queue);
void command_why_not(struct model *m, const char *program);

/* What starts this node (an index in the snapshot's): one whose process is gone has to be started as a
 * process, one that was stopped in order, as an app. */
const char *command_start_verb(const struct model *m, int node);

enum danger command_danger(const struct command *c); /* what has to be asked before it is run */

/* It changes something; it is for a node that does not run, or for nodes that do not hear each other: it can
 * be done while none answers. */
bool command_acts(const struct command *c);
bool command_wakes(const struct command *c);

/* What runs a step that has something to run: its action, but a node whose process is gone is started as a
 * process where the lesson would start its app. The caller's. */
struct command *command_step(const struct model *m, size_t step);

/* "labctl -n NODE stop_app" or "start_app", by the verb: which node; NULL: the step does something else. */
const char *step_of_app(const struct lesson_step *s, const char *verb);

/* The node whose AMQP port that is, in the lab or in the recording that is shown; borrowed. NULL: nobody's.
 */
const char *command_node_at(const struct model *m, const char *port);

/* That node is cut off: the key would give its links back. And: the selected one is. */
bool command_heals(const struct model *m, int node);
bool command_cut_heals(const struct model *m);
/* A stop_app of this screen's runs for this node: it does not answer any more, and cannot be started yet. */
bool command_still_stops(const struct model *m, int node);

/* model.c: what has to end before this request: a step, before the next one; the beginning again, before
 * anything. Besides them, several things may run: a producer, while its node is stopped. NULL: nothing. */
const struct command *model_in_the_way(const struct model *m, enum request request);

/* The command that a key asks for on the current selection; NULL and a message in the model if there is
 * nothing it could act on. */
struct command *command_for(struct model *m, enum request request);

#endif
