/* record.c: log records as bytes and back. */
#include "wire/record.h"

#include "wire/codec.h"

#include "base/ban.h"

static void codec_record(struct codec *c, struct record *r)
{
    CODEC_ENUM(c, r->type, REC_VIEW, REC_ORIGIN);
    switch (r->type) {
    case REC_VIEW:
        codec_u64(c, &r->epoch);
        codec_u64(c, &r->version);
        codec_u32(c, &r->members);
        codec_u32(c, &r->others);
        codec_u32(c, &r->cluster);
        CODEC_ARRAY(c, r->forgotten, r->forgotten_len, 9, codec_forgotten);
        break;
    case REC_META_RESET: codec_u64(c, &r->version); break;
    case REC_META:
        codec_u64(c, &r->version);
        if (!c->out)
            r->entry = xcalloc(1, sizeof(*r->entry));
        codec_meta_entry(c, r->entry);
        break;
    case REC_MESSAGE:
        codec_u64(c, &r->queue_uid);
        codec_u64(c, &r->id);
        codec_bool(c, &r->redelivered);
        codec_u8(c, &r->origin);
        codec_u64(c, &r->incarnation);
        codec_u64(c, &r->seq);
        codec_u64(c, &r->expiry);
        codec_message(c, &r->msg);
        if (!r->msg)
            codec_fail(c, ERR_INVALID);
        break;
    case REC_REMOVED:
    case REC_TAKEN:
    case REC_LEASE:
        codec_u64(c, &r->queue_uid);
        CODEC_ARRAY(c, r->ranges, r->ranges_len, 16, codec_range);
        break;
    case REC_DISCARD: codec_u64(c, &r->queue_uid); break;
    case REC_REJECTED:
        codec_u64(c, &r->queue_uid);
        codec_u8(c, &r->origin);
        codec_u64(c, &r->incarnation);
        codec_u64(c, &r->seq);
        codec_u64(c, &r->base);
        break;
    case REC_PROMISED: codec_u64(c, &r->epoch); break;
    case REC_ORIGIN:
        codec_u64(c, &r->queue_uid);
        codec_u8(c, &r->origin);
        codec_u64(c, &r->incarnation);
        codec_u64(c, &r->seq);
        codec_u64(c, &r->lost);
        break;
    case REC_STOPPED:
        codec_u64(c, &r->epoch);
        codec_u32(c, &r->others);
        codec_u32(c, &r->members);
        break;
    }
}

void wire_encode_record(const struct record *rec, struct text *out)
{
    struct codec c = {.out = out};
    codec_record(&c, (struct record *)(uintptr_t)rec);
}

int wire_decode_record(struct bytes data, struct record *out)
{
    *out = (struct record){.type = REC_STOPPED};
    struct codec c = {.at = data.data, .end = data.data + data.len};
    codec_record(&c, out);
    if (!c.err && c.at != c.end)
        c.err = ERR_INVALID;
    if (c.err)
        record_finish(out);
    return c.err;
}
