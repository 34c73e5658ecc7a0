/* new_file.c: see new_file.h. */
#include "new_file.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

char *new_file(const char *stem, const char *ending, const char *otherwise)
{
    char stamp[32] = "", folder[PATH_MAX];
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local))
        strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &local);
    const char *in = getcwd(folder, sizeof(folder));
    if (otherwise && (!in || access(in, W_OK) != 0))
        in = otherwise;
    for (int i = 1;; i++) {
        char *name = i == 1 ? format_text("%s/%s-%s%s", in ? in : ".", stem, stamp, ending)
                            : format_text("%s/%s-%s-%d%s", in ? in : ".", stem, stamp, i, ending);
        if (i > 999 || access(name, F_OK) != 0)
            return name;
        free(name);
    }
}
