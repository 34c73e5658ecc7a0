/* complain.h: what is wrong in a file that somebody wrote (libconfig), and where. */
#ifndef LAB_COMPLAIN_H
#define LAB_COMPLAIN_H

#include <libconfig.h>

struct complaint {
    const char *file; /* as shown */
    char **error;     /* where the text goes; the caller's to free */
};

/* "FILE:LINE: ..." instead of what *error was; ERR_INVALID. */
__attribute__((format(printf, 3, 4))) int complain(struct complaint *c, int line, const char *format, ...);

int line_of(const config_setting_t *s);

#endif
