/* fuzz_peer.c: any bytes as messages between nodes (make fuzz). What decodes must encode to bytes that decode
 * to the same, and a length must be refused before anything is kept for it. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "wire/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct text frame = {0}, once = {0}, twice = {0};
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    int err = 0;

    /* as it comes from a socket */
    int64_t whole = wire_peer_frame((struct bytes){data, len});
    ASSERT(whole <= (int64_t)len || whole <= (int64_t)LIMIT_PEER_FRAME + 4);

    /* with a length that fits, so that what is behind it is looked at */
    text_add_bytes(&frame, head, sizeof(head));
    text_add_bytes(&frame, data, len);
    struct peer_msg *msg = wire_decode_peer((struct bytes){(const uint8_t *)frame.s, frame.len}, &err);
    ASSERT(msg || err);
    if (msg) {
        wire_encode_peer(msg, &once);
        peer_msg_destroy(msg);
        msg = wire_decode_peer((struct bytes){(const uint8_t *)once.s, once.len}, &err);
        ASSERT(msg);
        wire_encode_peer(msg, &twice);
        peer_msg_destroy(msg);
        ASSERT(once.len == twice.len && memcmp(once.s, twice.s, once.len) == 0);
    }
    text_finish(&frame);
    text_finish(&once);
    text_finish(&twice);
    return 0;
}
