/* frames.c: `lab frames`: chosen frames of a recording as text, for documents, and the documents that show
 * them (README, lesson texts). A frame looks as it did when the recording was made: LIVE, with its age.
 *
 * The rule it keeps: a document shows what the program draws, or its check fails. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "time_player.h"
#include "tui.h"
#include "view.h"
#include "words.h"

enum { EXIT_NOT = 1, EXIT_USAGE = 64, EXIT_CONFIG = 78 };

#define MAX_SIDE 1000 /* columns and rows of a frame */

static const char usage[] =
    "lab frames: frames of a recording (lab --record FILE) as text\n"
    "\n"
    "  lab frames FILE             the last frame\n"
    "       --at T                 after T seconds (or m:ss)\n"
    "       --step N               when step N of its lesson was seen (of a schedule: had happened)\n"
    "       --name NAME            at the moment that a script gave this name (`name` in lab --script)\n"
    "       --line N               after line N of the file\n"
    "       --keys KEYS            after these keys, such as 4 for the lesson, jj for the third queue\n"
    "       --size COLUMNSxROWS    80x24 if not told\n"
    "       --replay               with the header that a replay has; without it as it was seen live\n"
    "  lab frames --verify FILE    draws every frame that was seen while it was recorded once more;\n"
    "                              fails if one is not the same\n"
    "  lab frames --check DOC...   fails if a frame in these texts is not what lab frames prints, or\n"
    "                              has no such line before it as is told below\n"
    "  lab frames --update DOC...  puts it there\n"
    "\n"
    "In a text, a frame stands in a block of ``` lines after a line <!-- frame: FILE --step 3 -->.\n"
    "The frames of a text NAME.zh-CN.md are in that language, those of NAME.md in English.\n";

/* ---- which frame
 * ---------------------------------------------------------------------------------------------- */

enum where { WHERE_END, WHERE_AT, WHERE_STEP, WHERE_NAME, WHERE_LINE };

struct wanted {
    const char *file, *keys;
    enum where where;
    const char *word;
    long number; /* ms for WHERE_AT */
    int width, height;
    bool replay, verify, check, update;
    char *(*load)(const char *file, char **error);
};

enum {
    OPT_AT = 1,
    OPT_STEP,
    OPT_NAME,
    OPT_LINE,
    OPT_KEYS,
    OPT_SIZE,
    OPT_REPLAY,
    OPT_VERIFY,
    OPT_CHECK,
    OPT_UPDATE
};

static const struct option options[] = {{"at", required_argument, NULL, OPT_AT},
                                        {"step", required_argument, NULL, OPT_STEP},
                                        {"name", required_argument, NULL, OPT_NAME},
                                        {"line", required_argument, NULL, OPT_LINE},
                                        {"keys", required_argument, NULL, OPT_KEYS},
                                        {"size", required_argument, NULL, OPT_SIZE},
                                        {"replay", no_argument, NULL, OPT_REPLAY},
                                        {"verify", no_argument, NULL, OPT_VERIFY},
                                        {"check", no_argument, NULL, OPT_CHECK},
                                        {"update", no_argument, NULL, OPT_UPDATE},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static bool read_count(const char *text, long low, long high, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    return !errno && end != text && !*end && *out >= low && *out <= high;
}

/* "12.5", "1:40" */
static bool read_time(const char *text, long *ms)
{
    char *end;
    double minutes = 0, seconds = strtod(text, &end);
    if (end != text && *end == ':') {
        minutes = seconds;
        const char *rest = end + 1;
        seconds = strtod(rest, &end);
        if (end == rest)
            return false;
    }
    double total = minutes * 60 + seconds;
    *ms = total >= 0 && total < 1e6 ? (long)(total * 1000 + 0.5) : -1;
    return end != text && !*end && *ms >= 0;
}

static bool read_size(const char *text, struct wanted *w)
{
    char left;
    return sscanf(text, "%dx%d%c", &w->width, &w->height, &left) == 2 && w->width > 0 &&
           w->width <= MAX_SIDE && w->height > 0 && w->height <= MAX_SIDE;
}

/* NULL, or what is wrong */
static char *read_words(int argc, char **argv, struct wanted *w, bool *help)
{
    *w = (struct wanted){.width = 80, .height = 24, .load = w->load};
    opterr = 0;
    optind = 0; /* from the beginning: this is called for each frame of a document */
    for (int opt; (opt = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        bool ok = true;
        switch (opt) {
        case OPT_AT:
            w->where = WHERE_AT;
            ok = read_time(optarg, &w->number);
            break;
        case OPT_STEP:
            w->where = WHERE_STEP;
            ok = read_count(optarg, 1, 999, &w->number);
            break;
        case OPT_LINE:
            w->where = WHERE_LINE;
            ok = read_count(optarg, 1, 99999999, &w->number);
            break;
        case OPT_NAME:
            w->where = WHERE_NAME;
            w->word = optarg;
            break;
        case OPT_KEYS: w->keys = optarg; break;
        case OPT_SIZE: ok = read_size(optarg, w); break;
        case OPT_REPLAY: w->replay = true; break;
        case OPT_VERIFY: w->verify = true; break;
        case OPT_CHECK: w->check = true; break;
        case OPT_UPDATE: w->update = true; break;
        case 'h': *help = true; return NULL;
        default: return format_text(_("%s: no such option, or its value is missing"), argv[optind - 1]);
        }
        if (!ok)
            return format_text(_("%s: not understood; lab frames --help shows what can stand here"), optarg);
    }
    w->file = optind < argc ? argv[optind] : NULL;
    return w->file ? NULL : xstrdup(_("which recording? lab frames FILE"));
}

/* ---- drawing it
 * ----------------------------------------------------------------------------------------------- */

static size_t mark_number(const struct recording *r, long number)
{
    for (size_t i = 0; i < r->moments.len; i++)
        if (r->moments.items[i].mark && --number == 0)
            return i + 1;
    return 0;
}

/* takes the player there; false: *why */
static bool go_to_step(struct player *p, long number, char **why)
{
    const struct recording *r = player_recording(p);
    struct model *m = player_model(p);
    if (!m->lesson) {
        size_t count = mark_number(r, number);
        if (count)
            player_to(p, count);
        else
            *why = format_text(_("it has no step %ld"), number);
        return count != 0;
    }
    if ((size_t)number > m->lesson->steps_len) {
        *why = format_text(_("its lesson has %zu steps"), m->lesson->steps_len);
        return false;
    }
    for (size_t i = 1; i <= r->moments.len; i++) {
        player_to(p, i);
        if (m->lesson->steps[number - 1].state != STEP_SEEN)
            continue;
        while (i < r->moments.len && r->moments.items[i].t == r->moments.items[i - 1].t)
            i++; /* what belongs to the same moment */
        player_to(p, i);
        return true;
    }
    *why = format_text(_("step %ld was never seen in it"), number);
    return false;
}

static bool go_to_name(struct player *p, const char *name, char **why)
{
    const struct recording *r = player_recording(p);
    for (size_t i = 0; i < r->moments.len; i++) {
        json_t *line = recording_line(r, i);
        const char *has = json_string_value(json_object_get(line, "name"));
        bool found = has && strcmp(has, name) == 0;
        json_decref(line);
        if (found) {
            player_to(p, i + 1);
            return true;
        }
    }
    *why = format_text(_("no moment of it is named %s"), name);
    return false;
}

static bool go_to_line(struct player *p, long number, char **why)
{
    const struct recording *r = player_recording(p);
    size_t count = 0;
    while (count < r->moments.len && r->moments.items[count].line <= number)
        count++;
    if (count)
        player_to(p, count);
    else
        *why = format_text(_("nothing is to be seen up to line %ld"), number);
    return count != 0;
}

static bool go_to(struct player *p, const struct wanted *w, char **why)
{
    switch (w->where) {
    case WHERE_END: player_to(p, player_recording(p)->moments.len); return true;
    case WHERE_AT: player_to_time(p, (ms_time)w->number); return true;
    case WHERE_STEP: return go_to_step(p, w->number, why);
    case WHERE_NAME: return go_to_name(p, w->word, why);
    case WHERE_LINE: return go_to_line(p, w->number, why);
    }
    return false;
}

static void press(struct model *m, int key)
{
    struct command *run = NULL;
    model_key(m, key, &run);
    command_destroy(run);
}

static char *draw(struct model *m, int width, int height, uint64_t *hash)
{
    struct canvas c;
    struct text out = {0};
    canvas_init(&c);
    canvas_resize(&c, width, height);
    screen_settle(m, &c);
    screen_draw(m, &c);
    canvas_to_text(&c, &out);
    if (hash)
        *hash = canvas_hash(&c);
    canvas_finish(&c);
    return out.s;
}

/* The frame, or NULL and what is wrong with what is wanted. The caller frees both. */
static char *make_frame(const struct wanted *w, char **error)
{
    char *why = NULL, *frame = NULL;
    struct recording *r = recording_load(w->file, w->load, error);
    if (!r)
        return NULL;
    if (r->problem)
        fprintf(stderr, "lab: %s; what can be read is used\n", r->problem);
    struct player *p = player_create(r, NULL, NULL, false);
    struct model *m = player_model(p);
    if (go_to(p, w, &why)) {
        m->replay = w->replay || recording_is_simulated(r); /* that was never live */
        free(m->message);
        m->message = NULL;
        for (const char *key = w->keys; key && *key; key++)
            press(m, (unsigned char)*key);
        frame = draw(m, w->width, w->height, NULL);
    } else {
        *error = format_text("%s: %s", w->file, why);
    }
    free(why);
    player_destroy(p);
    return frame;
}

/* ---- once more, as it was seen
 * -------------------------------------------------------------------------------- */

struct verifying {
    struct player *p;
    bool paused, differs;
    size_t frames;
};

static bool verify_line(struct verifying *v, json_t *line, const struct recorded *at)
{
    struct model *m = player_model(v->p);
    json_t *key = json_object_get(line, "key"), *frame = json_object_get(line, "frame");
    if (json_object_get(line, "paused"))
        v->paused = json_is_true(json_object_get(line, "paused"));
    m->replay = v->paused;
    m->recording = true;
    m->time = (struct time_shown){.paused = v->paused};
    if (key)
        press(m, (int)json_integer_value(key));
    if (!frame || v->paused)
        return true;
    uint64_t hash;
    int width = (int)json_integer_value(json_array_get(frame, 0));
    int height = (int)json_integer_value(json_array_get(frame, 1));
    if (width < 1 || width > MAX_SIDE || height < 1 || height > MAX_SIDE)
        return false;
    m->now = at->now;
    char *text = draw(m, width, height, &hash);
    const char *seen = json_string_value(json_array_get(frame, 2));
    char now[24];
    snprintf(now, sizeof(now), "%016llx", (unsigned long long)hash);
    bool same = seen && strcmp(now, seen) == 0;
    v->frames++;
    if (!same)
        fprintf(stderr, "line %d: a frame was seen that is not this one:\n%s", at->line, text);
    else
        printf("frame %zu %s\n", v->frames, now);
    free(text);
    return same;
}

static int verify(const struct wanted *w)
{
    char *error = NULL;
    struct recording *r = recording_open(w->file, &error);
    if (!r || r->problem || !json_is_true(json_object_get(r->header, "whole"))) {
        fprintf(stderr, "lab: %s\n",
                error        ? error
                : r->problem ? r->problem
                             : "this recording was begun in the middle of a session (R): what was chosen "
                               "before is not in it; lab --record FILE records all of it");
        free(error);
        recording_close(r);
        return EXIT_CONFIG;
    }
    struct verifying v = {
        .p = player_create(r, NULL, NULL, json_is_true(json_object_get(r->header, "readonly")))};
    bool same = true;
    for (size_t i = 0; i < r->moments.len && same; i++) {
        player_to(v.p, i + 1);
        json_t *line = recording_line(r, i);
        same = verify_line(&v, line, &r->moments.items[i]);
        json_decref(line);
    }
    player_destroy(v.p);
    if (same)
        fprintf(stderr, "%zu frames, each as it was seen\n", v.frames);
    return same && v.frames ? 0 : EXIT_NOT;
}

/* ---- documents
 * ----------------------------------------------------------------------------------------------- */

struct document {
    const char *file;
    int line;
    struct text out; /* as it should be */
    size_t frames;
    bool differs, wrong, quiet;
    char *(*load)(const char *file, char **error);
};

#define MARK_BEGIN "<!-- frame: "
#define MARK_END   " -->"
#define HEADER     "mirrorlab 1:" /* how every frame of a screen begins */

/* the frame that this line asks for; NULL: said on stderr why there is none */
static char *frame_of_mark(struct document *d, const char *mark)
{
    char *words = xstrdup(mark + strlen(MARK_BEGIN)), *end = strstr(words, MARK_END), *rest = NULL;
    char *argv[32] = {(char *)"frames"}, *error = NULL, *frame = NULL;
    int argc = 1;
    struct wanted w = {.load = d->load};
    bool help = false;
    if (end)
        *end = '\0';
    for (char *word = strtok_r(words, " \t\n", &rest); word && argc < 31;
         word = strtok_r(NULL, " \t\n", &rest))
        argv[argc++] = word;
    error = read_words(argc, argv, &w, &help);
    if (!error)
        frame = make_frame(&w, &error);
    if (!frame)
        fprintf(stderr, "lab: %s:%d: %s\n", d->file, d->line, error ? error : "no frame");
    d->wrong = d->wrong || !frame;
    free(error);
    free(words);
    return frame;
}

/* the block after the mark: what stands there into *was; false: there is none */
static bool read_block(struct document *d, FILE *f, struct text *was)
{
    char *line = NULL;
    size_t size = 0;
    bool open = false, closed = false;
    while (!closed && getline(&line, &size, f) > 0) {
        d->line++;
        bool fence = strncmp(line, "```", 3) == 0;
        if (!open && !fence)
            break;
        closed = open && fence;
        if (open && !closed)
            text_add(was, line);
        open = true;
    }
    free(line);
    return closed;
}

/* A line that is of no block after a mark: a frame here would grow old unseen. */
static void look_for_unmarked(struct document *d, const char *line)
{
    if (strncmp(line + strspn(line, " \t"), HEADER, strlen(HEADER)) != 0)
        return;
    fprintf(stderr, "lab: %s:%d: before this frame a line " MARK_BEGIN "FILE ..." MARK_END " is expected\n",
            d->file, d->line);
    d->wrong = true;
}

static bool read_document(struct document *d, FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    while (!d->wrong && getline(&line, &size, f) > 0) {
        d->line++;
        text_add(&d->out, line);
        if (strncmp(line, MARK_BEGIN, strlen(MARK_BEGIN)) != 0) {
            look_for_unmarked(d, line);
            continue;
        }
        int at = d->line;
        struct text was = {0};
        char *frame = frame_of_mark(d, line);
        if (frame && !read_block(d, f, &was)) {
            fprintf(stderr, "lab: %s:%d: after this line a block between two lines ``` is expected\n",
                    d->file, at);
            d->wrong = true;
        }
        if (frame && !d->wrong && strcmp(frame, text_str(&was)) != 0) {
            d->differs = true;
            if (!d->quiet)
                fprintf(stderr, "lab: %s:%d: this frame is not what lab frames prints now\n", d->file, at);
        }
        text_printf(&d->out, "```\n%s```\n", frame ? frame : "");
        d->frames++;
        free(frame);
        text_finish(&was);
    }
    free(line);
    return !d->wrong;
}

static bool write_document(const struct document *d)
{
    FILE *f = fopen(d->file, "we");
    bool ok = f && fwrite(d->out.s, 1, d->out.len, f) == d->out.len;
    ok = f && fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "lab: %s: %s\n", d->file, strerror(errno));
    return ok;
}

static int documents(char **files, int len, const struct wanted *w)
{
    int code = 0;
    size_t frames = 0;
    for (int i = 0; i < len; i++) {
        struct document d = {.file = files[i], .load = w->load, .quiet = w->update};
        words_of_document(files[i]);
        FILE *f = fopen(files[i], "re");
        bool ok = f && read_document(&d, f);
        if (!f)
            fprintf(stderr, "lab: %s: %s\n", files[i], strerror(errno));
        if (f)
            fclose(f);
        if (ok && d.differs && w->update)
            ok = write_document(&d);
        else
            ok = ok && !d.differs;
        frames += d.frames;
        text_finish(&d.out);
        code = ok ? code : EXIT_NOT;
    }
    printf("%zu frames in %d texts%s\n", frames, len,
           code        ? ""
           : w->update ? " are up to date now"
                       : " are up to date");
    if (code && !w->update)
        fprintf(stderr, "lab: `make frames` puts the right ones there\n");
    return code;
}

int tui_frames(int argc, char **argv, char *(*load)(const char *file, char **error))
{
    struct wanted w = {.load = load};
    bool help = false;
    char *error = read_words(argc, argv, &w, &help);
    if (help) {
        fputs(usage, stdout);
        return 0;
    }
    if (!error && (w.check || w.update)) {
        int first = optind;
        setenv("TZ", "UTC", 1); /* the same text wherever it is made */
        return documents(argv + first, argc - first, &w);
    }
    if (!error && w.verify)
        return verify(&w);
    char *frame = error ? NULL : make_frame(&w, &error);
    if (frame)
        fputs(frame, stdout);
    else
        fprintf(stderr, "lab: %s\n", error);
    bool made = frame != NULL;
    free(frame);
    free(error);
    return made ? 0 : w.file ? EXIT_CONFIG : EXIT_USAGE;
}
