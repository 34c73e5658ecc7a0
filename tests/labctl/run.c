/* run.c: see run.h. */
#include "tests/labctl/run.h"

#include "main/labctl.h"

struct run run_words(const char *dir, size_t len, const char *const *words)
{
    char *argv[40] = {"labctl", "--dir", (char *)(uintptr_t)dir};
    struct run r;
    size_t out_len, err_len;
    FILE *out = open_memstream(&r.out, &out_len), *err = open_memstream(&r.err, &err_len);
    for (size_t i = 0; i < len; i++)
        argv[3 + i] = (char *)(uintptr_t)words[i];
    r.rc = ctl_run(3 + (int)len, argv, out, err);
    fclose(out);
    fclose(err);
    return r;
}

void run_finish(struct run *r)
{
    free(r->out);
    free(r->err);
}
