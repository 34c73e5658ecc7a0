/* fuzz_record.c: any bytes as records of a node's log (make fuzz): behind a checksum that is right, as a
 * damaged program could have written them. What decodes must encode to bytes that decode to the same. */
#include <stdlib.h>
#include <string.h>

#include "wire/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct record rec;
    struct text once = {0}, twice = {0};
    if (wire_decode_record((struct bytes){data, len}, &rec) == 0) {
        wire_encode_record(&rec, &once);
        record_finish(&rec);
        ASSERT(wire_decode_record((struct bytes){(const uint8_t *)once.s, once.len}, &rec) == 0);
        wire_encode_record(&rec, &twice);
        record_finish(&rec);
        ASSERT(once.len == twice.len && memcmp(once.s, twice.s, once.len) == 0);
    }
    text_finish(&once);
    text_finish(&twice);
    return 0;
}
