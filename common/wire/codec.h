/* codec.h: one description of a layout, used both ways. A function that visits the fields of a struct encodes
 * when the codec has an output and decodes when it has an input, so the two can never disagree.
 *
 * Numbers are big-endian. A string or run of bytes is a u32 length and the bytes; a NULL string is length
 * 0xffffffff. An array is a u32 count and its items; the count is checked against the bytes that are left
 * before anything is allocated. The first error sticks; after it everything decodes as zero. */
#ifndef WIRE_CODEC_H
#define WIRE_CODEC_H

#include "base/err.h"
#include "base/text.h"
#include "mirror/peer_msg.h"

struct codec {
    struct text *out; /* encoding; NULL: decoding */
    const uint8_t *at, *end;
    int err;
};

void codec_u8(struct codec *c, uint8_t *v);
void codec_bool(struct codec *c, bool *v);
void codec_u32(struct codec *c, uint32_t *v);
void codec_u64(struct codec *c, uint64_t *v);
void codec_i32(struct codec *c, int32_t *v);
void codec_i64(struct codec *c, int64_t *v);
void codec_str(struct codec *c, char **s);
void codec_blob(struct codec *c, uint8_t **data, uint32_t *len);
void codec_message(struct codec *c, struct message **msg); /* NULL allowed */
/* count of an array of items that take at least min_item bytes each; false: stop (error or nothing) */
bool codec_count(struct codec *c, size_t *len, size_t min_item);
void codec_fail(struct codec *c, int err);

/* an enum, checked against its largest value */
#define CODEC_ENUM(c, field, min, max)                                                                       \
    do {                                                                                                     \
        uint8_t codec_e_ = (uint8_t)(field);                                                                 \
        codec_u8((c), &codec_e_);                                                                            \
        if (!(c)->out && (unsigned)codec_e_ - (unsigned)(min) > (unsigned)(max) - (unsigned)(min)) {         \
            codec_fail((c), ERR_INVALID);                                                                    \
            codec_e_ = (min);                                                                                \
        }                                                                                                    \
        (field) = codec_e_;                                                                                  \
    } while (0)

/* items and count of an array whose items `visit` describes */
#define CODEC_ARRAY(c, items, count, min_item, visit)                                                        \
    do {                                                                                                     \
        if (codec_count((c), &(count), (min_item))) {                                                        \
            if (!(c)->out)                                                                                   \
                (items) = xcalloc((count), sizeof(*(items)));                                                \
            for (size_t codec_i_ = 0; codec_i_ < (count); codec_i_++)                                        \
                visit((c), &(items)[codec_i_]);                                                              \
        }                                                                                                    \
    } while (0)

void codec_meta_entry(struct codec *c, struct meta_entry *e);
void codec_range(struct codec *c, struct id_range *r);
void codec_forgotten(struct codec *c, struct forgotten *f);

#endif
