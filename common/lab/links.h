/* links.h: which links of a lab are cut. A node alone cannot tell a link that was cut from a peer that is
 * gone, and one whose app is stopped answers nobody: so what labctl told the nodes stays in the lab's folder,
 * DIR/links.json, for whoever comes later (a screen, a lesson that begins). Each end of a link is noted by
 * itself: an end is whole again when it is healed, and when its process begins anew. */
#ifndef LAB_LINKS_H
#define LAB_LINKS_H

#include <stdint.h>

#include "lab/labdir.h"

#define LAB_LINKS_FILE "links.json"

/* This node was told that its end of the links to these peers (bit i: lab->nodes[i]) is cut, or whole. 0, or
 * ERR_IO: the file cannot be written. */
int links_note(const struct labdir *lab, size_t node, uint32_t peers, bool cut);

/* Its process begins: none of its ends is cut. */
void links_forget(const struct labdir *lab, size_t node);

/* cut[i]: to which peers node i has no link, for either end of it is cut. true: any is. */
bool links_cut(const struct labdir *lab, uint32_t cut[LIMIT_NODES]);

#endif
