/* complain.c: see complain.h. */
#include "lab/complain.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"

int complain(struct complaint *c, int line, const char *format, ...)
{
    struct text t = {0};
    text_printf(&t, "%s:%d: ", c->file, line);
    va_list args;
    va_start(args, format);
    text_vprintf(&t, format, args);
    va_end(args);
    free(*c->error);
    *c->error = t.s;
    return ERR_INVALID;
}

int line_of(const config_setting_t *s)
{
    return (int)config_setting_source_line(s);
}
