/* wire/amqp_table.h: AMQP field tables as JSON, the form in which the kit keeps, compares and shows them. */
#ifndef WIRE_AMQP_TABLE_H
#define WIRE_AMQP_TABLE_H

#include <amqp.h>
#include <jansson.h>

#include "base/base.h"

/* A new reference, the caller's. Strings that are not UTF-8 become "0x" and their octets in hex. Of a key
 * that stands twice the last counts. */
json_t *wire_table_json(const amqp_table_t *table);

/* The same as canonical text: keys sorted, no spaces: equal tables give equal texts. The caller's to free. */
char *wire_table_text(const amqp_table_t *table);

/* An encoded table (with its 4 length octets, checked with wire_table_valid) as JSON; NULL if it is none. */
json_t *wire_table_decode(struct bytes encoded);

/* RabbitMQ's name of a value's type, as its error texts use it: "signedint", "longstr", ... */
const char *wire_type_name(uint8_t kind);

/* The value of a key, or NULL. */
const amqp_field_value_t *wire_table_find(const amqp_table_t *table, const char *key);

/* UTF-8 without zero octets: what the kit takes as a name */
bool wire_is_text(struct bytes s);

#endif
