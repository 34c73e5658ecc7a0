/* wire/record.h: log records as bytes. The log (store/log.h) adds length, version and checksum. */
#ifndef WIRE_RECORD_H
#define WIRE_RECORD_H

#include "base/text.h"
#include "mirror/effects.h"

void wire_encode_record(const struct record *rec, struct text *out);

/* Fills *out; what it owns is the caller's: record_finish (mirror/effects.h). 0 or an error. */
int wire_decode_record(struct bytes data, struct record *out);

#endif
