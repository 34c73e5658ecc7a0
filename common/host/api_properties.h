/* api_properties.h: a message's properties between JSON and AMQP's bytes. */
#ifndef HOST_API_PROPERTIES_H
#define HOST_API_PROPERTIES_H

#include <jansson.h>

#include "base/message.h"

/* A new object; {} if there are none (or they cannot be decoded). */
json_t *properties_to_json(struct bytes encoded);

/* A new message with these properties (an object); NULL: *wrong names the property that cannot be one. The
 * lengths of exchange and key have been checked. */
struct message *properties_message(json_t *json, const char *exchange, const char *key, struct bytes body,
                                   const char **wrong);

#endif
