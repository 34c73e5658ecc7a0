/* fuzz_sched.c: any text as a schedule (make fuzz): it is read, or refused with a message that names its
 * line. The kit's own schedules are what it begins with. */
#include <stdlib.h>
#include <string.h>

#include "base/sched.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sched s;
    struct text text = {0};
    char *error = NULL;
    text_add_bytes(&text, data, len);
    if (sched_parse(&s, "fuzz", text.s, &error) == 0) {
        ASSERT(!error);
        ASSERT(s.nodes >= 1 && s.nodes <= SCHED_NODES && s.events.len <= SCHED_EVENTS);
        sched_finish(&s);
    } else {
        ASSERT(error && strncmp(error, "fuzz", 4) == 0);
    }
    free(error);
    text_finish(&text);
    return 0;
}
