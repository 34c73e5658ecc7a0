/* err.c: the texts of the error table. */
#include "base/err.h"

#include "base/ban.h"

const char *err_text(int err)
{
    if (err == ERR_NONE)
        return "no error";
    static const char *const texts[] = {
#define X(name, text) text,
        ERR_TABLE(X)
#undef X
    };
    if (err > ERR_FIRST_ && err < ERR_LAST_)
        return texts[err - ERR_FIRST_ - 1];
    return "unknown error";
}
