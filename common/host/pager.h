/* pager.h: queues longer than memory. Above a part of the memory limit, messages that the library can spare
 * (mirror/paging.h) are copied into regions: runs of memory that are written to a file as they are and then
 * mapped from that file in place. From then on they take no memory but what the system likes to keep of the
 * file; whoever touches one gets its page back, and no pointer has changed. A region goes, with its place in
 * the file, when the last message in it has gone.
 *
 * The file has no name: it is gone with the process, whatever ends it. What must outlive a node is in its
 * log. */
#ifndef HOST_PAGER_H
#define HOST_PAGER_H

#include "base/message.h"
#include "mirror/paging.h"

struct pager;

struct pager *pager_create(const char *folder); /* where the file is */
/* No message may live in a region any more. Takes NULL. */
void pager_destroy(struct pager *p);

/* Copies up to `bytes` of messages to regions, and writes the ones that are full; stops early at `stop_at_us`
 * (pager_clock_us) or when nothing is left that may go. Returns the bytes that have left the heap. */
uint64_t pager_run(struct pager *p, const struct mirror *m, bool hard, uint64_t bytes, int64_t stop_at_us);
int64_t pager_clock_us(void);

/* Why the last region could not be written (it stays in memory, nothing is lost), or NULL. pager_run does
 * nothing for a while after that. */
const char *pager_error(const struct pager *p);

/* Forgets the pages of written regions that were read back: they are in the file. */
void pager_cool(struct pager *p);

/* Gives back regions in which no message lives any more: at the end of a turn. */
void pager_collect(struct pager *p);

uint64_t pager_file_bytes(const struct pager *p); /* of the file, in use */

#endif
