/* raw.h: bytes sent to a port of 127.0.0.1 as they are, and everything that comes back until the other side
 * closes. */
#ifndef TESTS_API_RAW_H
#define TESTS_API_RAW_H

#include "base/text.h"

struct raw_answer {
    int status;       /* 0: nothing that looks like HTTP came back in time */
    struct text head; /* status line and headers */
    struct text body;
};

/* true: the other side closed within timeout_ms. Free with raw_finish. */
bool raw_send(uint16_t port, struct bytes request, int timeout_ms, struct raw_answer *out);

/* "METHOD PATH" with a body (or NULL) as user:password (NULL: nobody), headers added. */
bool raw_request(uint16_t port, const char *method, const char *path, const char *login, const char *body,
                 struct raw_answer *out);
void raw_finish(struct raw_answer *a);

/* The value of a header (a new string), or NULL. Names in any case. */
char *raw_header(const struct raw_answer *a, const char *name);

#endif
