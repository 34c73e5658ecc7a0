/* err.h: every error code of the kit and its text, from one table. A function that can fail returns 0 or one
 * of these; where a user will read it, the caller adds the thing, the value and what to do next. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TABLE(X)                                                                                         \
    X(ERR_INVALID, "not valid")                                                                              \
    X(ERR_TRUNCATED, "ends too early")                                                                       \
    X(ERR_TOO_LARGE, "larger than allowed")                                                                  \
    X(ERR_CHECKSUM, "checksum does not match")                                                               \
    X(ERR_VERSION, "of a version this program does not know")                                                \
    X(ERR_EXISTS, "already there")                                                                           \
    X(ERR_NOT_FOUND, "not there")                                                                            \
    X(ERR_REFUSED, "refused")                                                                                \
    X(ERR_BUSY, "in use")                                                                                    \
    X(ERR_IO, "input or output failed")                                                                      \
    X(ERR_CLOSED, "closed")                                                                                  \
    X(ERR_TIMEOUT, "no answer in time")                                                                      \
    X(ERR_FULL, "full")

enum err {
    ERR_NONE = 0,
    ERR_FIRST_ = -1000, /* below errno's and rabbitmq-c's numbers */
#define X(name, text) name,
    ERR_TABLE(X)
#undef X
        ERR_LAST_
};

/* never NULL; "unknown error" for numbers that are not in the table */
const char *err_text(int err);

#endif
