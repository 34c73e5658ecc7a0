/* lab_screen.h: whether a screen of a lab is open that acts, and at which lesson: for those who would take
 * its queues away (`lab run`), and for a read-only screen, which shows that one's steps. */
#ifndef LAB_LAB_SCREEN_H
#define LAB_LAB_SCREEN_H

#include "lab/labdir.h"

/* This process shows a lesson of the lab from now on, until lab_screen_ends, or its own end. A descriptor, -1
 * where it cannot be noted. */
int lab_screen_begins(const struct labdir *lab, int lesson);
void lab_screen_ends(int fd); /* takes -1 */

/* The number of the lesson that such a screen shows, of several the one that was opened last; 0: there is
 * none. It changes nothing, so any number may ask at any time. */
int lab_screen_lesson(const struct labdir *lab);

#endif
