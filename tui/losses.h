/* losses.h: that a message is lost, told once, when it is found: of the queue that is looked at by what nodes
 * say of each message (ledger.h), of others by how many are not there when they are served again (away.h). */
#ifndef TUI_LOSSES_H
#define TUI_LOSSES_H

#include "model.h"

/* What was found with the newest snapshot and not told yet, one after the other, in English, as nodes tell
 * their events; NULL: nothing more. The caller frees it. *kind: of the event, constant: "lost"; or "queue",
 * of what is gone since an earlier screen closed and somebody may have taken. */
char *losses_next(struct model *m, const char **kind);

#endif
