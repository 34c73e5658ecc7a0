/* new_file.h: where a key writes what it writes: into the folder one is in, under a name that nothing has
 * yet. The one rule for recordings (R), frames (w) and events (E). */
#ifndef TUI_NEW_FILE_H
#define TUI_NEW_FILE_H

/* The full name of a file that is not there yet: STEM-DATE-TIME.ENDING in the current folder, or, where
 * nothing can be written there, in `otherwise` (NULL: no other). The caller frees it, and opens it only if it
 * is still not there. */
char *new_file(const char *stem, const char *ending, const char *otherwise);

#endif
