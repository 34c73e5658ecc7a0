/* wire/peer.h: messages between nodes as bytes. One message is a 4-byte length (of what follows) and then its
 * encoding; docs/protocol.md draws each. The framing below is all a driver needs. */
#ifndef WIRE_PEER_H
#define WIRE_PEER_H

#include "base/text.h"
#include "mirror/peer_msg.h"

/* Appends length and encoding. */
void wire_encode_peer(const struct peer_msg *msg, struct text *out);

/* Length of the first whole message in data including its 4 length bytes; 0 if more bytes are needed;
 * ERR_TOO_LARGE if the length is over LIMIT_PEER_FRAME or below the smallest message. */
int64_t wire_peer_frame(struct bytes data);

/* Decodes one message (with its 4 length bytes). NULL, and the reason in *err, if it is not one. The caller
 * owns it: peer_msg_destroy. Message bodies are copied out of data. */
struct peer_msg *wire_decode_peer(struct bytes frame, int *err);

#endif
