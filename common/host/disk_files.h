/* disk_files.h: a disk of real files, one per segment of the log. */
#ifndef HOST_DISK_FILES_H
#define HOST_DISK_FILES_H

#include "store/log.h"

/* Segments as files FOLDER/NNNNNNNNNN.log; the folder is made if it is not there. NULL and *error (caller
 * frees) if that cannot be done. One thread at a time may use it. */
struct disk *disk_files_create(const char *folder, char **error);
void disk_files_destroy(struct disk *d); /* takes NULL */

#endif
