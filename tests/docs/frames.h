/* frames.h: the frames of the link, as two nodes' own code makes them, and what docs/protocol.md draws of
 * them. */
#ifndef TESTS_DOCS_FRAMES_H
#define TESTS_DOCS_FRAMES_H

#include "tests/docs/page.h"

/* Every kind of frame is drawn once, and so that the bytes of the code fit the drawing. */
void check_frames(struct page *p);

#endif
