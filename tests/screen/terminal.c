/* terminal.c: see terminal.h. */
#include "tests/screen/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

struct terminal_test {
    struct event_base *base;
    struct event *readable, *reported, *wake;
    int pty, report, errors;
    pid_t pid;
    bool ended;
    int status;
    int width, height;
    bool gives_mouse;
    VTerm *vterm;
    VTermScreen *screen;
    enum { IN_TEXT, IN_ESCAPE, IN_CONTROL, IN_CHARSET, IN_STRING } at; /* where what was read so far ends */
    uint64_t bytes, frames;
    int64_t frame_at_us;
    struct text report_line, text, error_text, control; /* control: of a sequence that has not ended */
};

int64_t terminal_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void switch_on(struct terminal_test *t)
{
    if (t->vterm)
        vterm_free(t->vterm);
    t->vterm = vterm_new(t->height, t->width);
    vterm_set_utf8(t->vterm, 1);
    t->screen = vterm_obtain_screen(t->vterm);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

void terminal_forget(struct terminal_test *t)
{
    switch_on(t);
}

/* ---- the child
 * ------------------------------------------------------------------------------------------------- */

static _Noreturn void run_child(terminal_child *child, void *arg, int report, int errors)
{
    dup2(errors, STDERR_FILENO);
    if (report != TEST_FD)
        dup2(report, TEST_FD);
    for (int fd = 3; fd < 256; fd++)
        if (fd != TEST_FD)
            close(fd);
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("LINES", "5", 1); /* what some shells export; it must not matter */
    setenv("COLUMNS", "11", 1);
    setenv("TZ", "UTC", 1);
    unsetenv("NO_COLOR");
    exit(child(arg));
}

/* One control sequence that has ended: what asks for the mouse. (libvterm 0.1.4 reads only the first of
 * several modes, and does not tell.) */
static void follow_control(struct terminal_test *t, unsigned char end)
{
    const char *modes = text_str(&t->control);
    if (*modes != '?' || (end != 'h' && end != 'l'))
        return;
    for (const char *p = modes + 1; *p; p += strcspn(p, ";"), p += *p == ';')
        if (strtol(p, NULL, 10) >= 1000 && strtol(p, NULL, 10) <= 1003)
            t->gives_mouse = end == 'h';
}

/* as far as programs of this kit write escape sequences */
static void follow(struct terminal_test *t, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        switch (t->at) {
        case IN_TEXT: t->at = c == 0x1b ? IN_ESCAPE : IN_TEXT; break;
        case IN_ESCAPE:
            t->at = c == '['               ? IN_CONTROL
                    : c == ']'             ? IN_STRING
                    : c == '(' || c == ')' ? IN_CHARSET
                                           : IN_TEXT;
            text_clear(&t->control);
            break;
        case IN_CONTROL:
            t->at = c >= 0x40 && c < 0x7f ? IN_TEXT : IN_CONTROL;
            if (t->at == IN_CONTROL)
                text_add_bytes(&t->control, &s[i], 1);
            else
                follow_control(t, c);
            break;
        case IN_CHARSET: t->at = IN_TEXT; break;
        case IN_STRING: t->at = c == 7 ? IN_TEXT : c == 0x1b ? IN_ESCAPE : IN_STRING; break;
        }
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct terminal_test *t = arg;
    char part[65536];
    (void)what;
    ssize_t got = read((int)fd, part, sizeof(part));
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            event_del(t->readable); /* EIO: the program has ended */
        return;
    }
    t->bytes += (uint64_t)got;
    follow(t, part, (size_t)got);
    vterm_input_write(t->vterm, part, (size_t)got);
    char answer[256];
    size_t len;
    while ((len = vterm_output_read(t->vterm, answer, sizeof(answer))) > 0)
        if (write(t->pty, answer, len) < 0)
            break;
}

static void on_report(evutil_socket_t fd, short what, void *arg)
{
    struct terminal_test *t = arg;
    char part[4096];
    (void)what;
    ssize_t got = read((int)fd, part, sizeof(part));
    if (got <= 0) {
        if (got == 0)
            event_del(t->reported);
        return;
    }
    t->frame_at_us = terminal_now_us();
    text_add_bytes(&t->report_line, part, (size_t)got);
    for (char *end; (end = strchr(t->report_line.s, '\n'));) {
        unsigned long long frame = 0;
        if (sscanf(t->report_line.s, "frame %llu", &frame) == 1)
            t->frames = frame;
        size_t line = (size_t)(end - t->report_line.s) + 1;
        t->report_line.len -= line;
        memmove(t->report_line.s, end + 1, t->report_line.len + 1);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

struct terminal_test *terminal_start(struct event_base *base, int width, int height, terminal_child *child,
                                     void *arg)
{
    struct terminal_test *t = xcalloc(1, sizeof(*t));
    struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};
    int ends[2];
    FILE *errors = tmpfile();
    t->base = base;
    t->width = width;
    t->height = height;
    switch_on(t);
    ASSERT(errors && pipe(ends) == 0);
    t->errors = dup(fileno(errors));
    fclose(errors);
    fflush(NULL);
    t->pid = forkpty(&t->pty, NULL, NULL, &size);
    ASSERT(t->pid >= 0);
    if (t->pid == 0)
        run_child(child, arg, ends[1], t->errors);
    close(ends[1]);
    t->report = ends[0];
    fcntl(t->pty, F_SETFL, O_NONBLOCK);
    fcntl(t->report, F_SETFL, O_NONBLOCK);
    t->readable = event_new(base, t->pty, EV_READ | EV_PERSIST, on_readable, t);
    t->reported = event_new(base, t->report, EV_READ | EV_PERSIST, on_report, t);
    t->wake = event_new(base, -1, 0, on_wake, t);
    event_add(t->readable, NULL);
    event_add(t->reported, NULL);
    return t;
}

static void reap(struct terminal_test *t, int flags)
{
    if (!t->ended && waitpid(t->pid, &t->status, flags) == t->pid)
        t->ended = true;
}

int terminal_end(struct terminal_test *t)
{
    reap(t, WNOHANG);
    if (!t->ended) {
        kill(t->pid, SIGKILL);
        reap(t, 0);
    }
    int status = t->status;
    event_free(t->readable);
    event_free(t->reported);
    event_free(t->wake);
    close(t->pty);
    close(t->report);
    close(t->errors);
    vterm_free(t->vterm);
    text_finish(&t->report_line);
    text_finish(&t->text);
    text_finish(&t->error_text);
    text_finish(&t->control);
    free(t);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void terminal_type(struct terminal_test *t, const char *keys)
{
    size_t len = strlen(keys);
    while (len > 0) {
        ssize_t put = write(t->pty, keys, len);
        if (put > 0) {
            keys += put;
            len -= (size_t)put;
        } else if (errno != EAGAIN && errno != EINTR) {
            return; /* it has ended; what waits for the result says so */
        }
    }
}

/* ---- what can be seen
 * ------------------------------------------------------------------------------------------- */

static uint32_t plain(uint32_t ch)
{
    switch (ch) {
    case 0: return ' ';
    case 0x2500: return '-';
    case 0x2502: return '|';
    case 0x250c:
    case 0x2510:
    case 0x2514:
    case 0x2518: return '+';
    default: return ch;
    }
}

static void add_character(struct text *out, uint32_t ch)
{
    if (ch < 0x80)
        text_printf(out, "%c", (int)ch);
    else if (ch < 0x800)
        text_printf(out, "%c%c", (int)(0xc0 | ch >> 6), (int)(0x80 | (ch & 0x3f)));
    else if (ch < 0x10000)
        text_printf(out, "%c%c%c", (int)(0xe0 | ch >> 12), (int)(0x80 | (ch >> 6 & 0x3f)),
                    (int)(0x80 | (ch & 0x3f)));
    else
        text_printf(out, "%c%c%c%c", (int)(0xf0 | ch >> 18), (int)(0x80 | (ch >> 12 & 0x3f)),
                    (int)(0x80 | (ch >> 6 & 0x3f)), (int)(0x80 | (ch & 0x3f)));
}

static size_t add_row(struct terminal_test *t, int row, struct text *out)
{
    size_t end = out->len;
    for (int col = 0; col < t->width;) {
        VTermScreenCell cell;
        if (!vterm_screen_get_cell(t->screen, (VTermPos){row, col}, &cell))
            break;
        add_character(out, plain(cell.chars[0]));
        for (int i = 1; cell.chars[0] && i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
            add_character(out, cell.chars[i]);
        if (cell.chars[0] && cell.chars[0] != ' ')
            end = out->len;
        col += cell.width > 1 ? cell.width : 1;
    }
    return end;
}

const char *terminal_text(struct terminal_test *t)
{
    text_clear(&t->text);
    for (int row = 0; row < t->height; row++) {
        t->text.len = add_row(t, row, &t->text);
        text_add(&t->text, "\n");
    }
    return text_str(&t->text);
}

bool terminal_look_of(struct terminal_test *t, const char *part, struct terminal_look *look)
{
    const char *text = terminal_text(t), *at = strstr(text, part);
    if (!at)
        return false;
    int row = 0, col = 0;
    for (const char *p = text; p < at; p++) {
        col = *p == '\n' ? 0 : col + 1; /* for texts of one column and one byte a character before it */
        row += *p == '\n';
    }
    VTermScreenCell cell;
    if (!vterm_screen_get_cell(t->screen, (VTermPos){row, col}, &cell))
        return false;
    VTermColor color = cell.fg;
    vterm_screen_convert_color_to_rgb(t->screen, &color);
    *look = (struct terminal_look){.reverse = cell.attrs.reverse,
                                   .bold = cell.attrs.bold,
                                   .underline = cell.attrs.underline,
                                   .colored = !VTERM_COLOR_IS_DEFAULT_FG(&cell.fg),
                                   .red = color.rgb.red,
                                   .green = color.rgb.green,
                                   .blue = color.rgb.blue};
    return true;
}

const char *terminal_stderr(struct terminal_test *t)
{
    char part[4096];
    off_t at = 0;
    text_clear(&t->error_text);
    for (ssize_t got; (got = pread(t->errors, part, sizeof(part), at)) > 0; at += got)
        text_add_bytes(&t->error_text, part, (size_t)got);
    return text_str(&t->error_text);
}

/* ---- waiting
 * ------------------------------------------------------------------------------------------------------- */

bool terminal_wait(struct terminal_test *t, terminal_fact *fact, void *arg, int timeout_ms)
{
    int64_t until = terminal_now_us() + (int64_t)timeout_ms * 1000;
    for (;;) {
        event_base_loop(t->base, EVLOOP_NONBLOCK);
        if (fact(t, arg))
            return true;
        int64_t left = until - terminal_now_us();
        if (left <= 0)
            return false;
        left = left > 20000 ? 20000 : left; /* an end of the program wakes nobody */
        struct timeval wake = {.tv_usec = (suseconds_t)left};
        event_add(t->wake, &wake);
        event_base_loop(t->base, EVLOOP_ONCE);
    }
}

static bool between_sequences(struct terminal_test *t, void *arg)
{
    (void)arg;
    return t->at == IN_TEXT || t->ended;
}

/* libvterm 0.1.4 keeps the margins that a program set for a scroll when the screen gets smaller (xterm
 * forgets them), and then scrolls lines that are not there. */
static void forget_margins(struct terminal_test *t)
{
    static const char forget[] = "\0337\033[r\0338"; /* the cursor stays */
    terminal_wait(t, between_sequences, NULL, 1000);
    vterm_input_write(t->vterm, forget, sizeof(forget) - 1);
}

void terminal_set_size(struct terminal_test *t, int width, int height)
{
    struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};
    t->width = width;
    t->height = height;
    forget_margins(t);
    /* libvterm 0.1.4 writes past the screen when a double-width character comes to a screen of one column, as
     * one may that was drawn for the size before: it gets two, and only the first is looked at */
    vterm_set_size(t->vterm, height, width < 2 ? 2 : width);
    ioctl(t->pty, TIOCSWINSZ, &size);
}

static bool has_text(struct terminal_test *t, void *arg)
{
    return strstr(terminal_text(t), arg) != NULL;
}

static bool lacks_text(struct terminal_test *t, void *arg)
{
    return strstr(terminal_text(t), arg) == NULL;
}

static bool has_frame(struct terminal_test *t, void *arg)
{
    return t->frames > *(uint64_t *)arg;
}

static bool has_ended(struct terminal_test *t, void *arg)
{
    (void)arg;
    reap(t, WNOHANG);
    return t->ended;
}

bool terminal_wait_text(struct terminal_test *t, const char *part, int timeout_ms)
{
    return terminal_wait(t, has_text, (void *)(uintptr_t)part, timeout_ms);
}

bool terminal_wait_gone(struct terminal_test *t, const char *part, int timeout_ms)
{
    return terminal_wait(t, lacks_text, (void *)(uintptr_t)part, timeout_ms);
}

bool terminal_wait_frame(struct terminal_test *t, uint64_t after, int timeout_ms)
{
    return terminal_wait(t, has_frame, &after, timeout_ms);
}

bool terminal_wait_end(struct terminal_test *t, int timeout_ms)
{
    bool ended = terminal_wait(t, has_ended, NULL, timeout_ms);
    event_base_loop(t->base, EVLOOP_NONBLOCK); /* what it wrote last */
    return ended;
}

uint64_t terminal_frames(const struct terminal_test *t)
{
    return t->frames;
}

int64_t terminal_frame_at_us(const struct terminal_test *t)
{
    return t->frame_at_us;
}

uint64_t terminal_bytes(const struct terminal_test *t)
{
    return t->bytes;
}

bool terminal_gives_mouse(const struct terminal_test *t)
{
    return t->gives_mouse;
}

pid_t terminal_pid(const struct terminal_test *t)
{
    return t->pid;
}
