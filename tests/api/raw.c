/* raw.c: see raw.h. */
#include "tests/api/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sends and reads at the same time: the other side may answer before it has read all. */
static bool exchange(int fd, struct bytes request, int64_t deadline, struct text *got)
{
    char buffer[16384];
    size_t sent = 0;
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd p = {.fd = fd, .events = (short)(sent < request.len ? POLLIN | POLLOUT : POLLIN)};
        if (left <= 0 || poll(&p, 1, (int)left) < 0)
            return false;
        if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
            ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                return true;
            if (n > 0)
                text_add_bytes(got, buffer, (size_t)n);
        }
        if (p.revents & POLLOUT) {
            ssize_t n = send(fd, request.data + sent, request.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n > 0)
                sent += (size_t)n;
            else if (n < 0 && errno != EAGAIN && errno != EINTR)
                sent = request.len; /* it does not want more: read what it says */
        }
    }
}

bool raw_send(uint16_t port, struct bytes request, int timeout_ms, struct raw_answer *out)
{
    *out = (struct raw_answer){0};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct text got = {0};
    bool closed = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
                  exchange(fd, request, now_ms() + timeout_ms, &got);
    if (fd >= 0)
        close(fd);
    const char *end = strstr(text_str(&got), "\r\n\r\n");
    if (end && strncmp(got.s, "HTTP/1.", 7) == 0) {
        size_t head = (size_t)(end + 4 - got.s);
        out->status = atoi(got.s + 9);
        text_add_bytes(&out->head, got.s, head);
        text_add_bytes(&out->body, got.s + head, got.len - head);
    }
    text_finish(&got);
    return closed;
}

static void add_login(struct text *out, const char *login)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(login);
    text_add(out, "Authorization: Basic ");
    for (size_t i = 0; i < len; i += 3) {
        unsigned a = (unsigned char)login[i], b = i + 1 < len ? (unsigned char)login[i + 1] : 0,
                 c = i + 2 < len ? (unsigned char)login[i + 2] : 0;
        text_printf(out, "%c%c%c%c", digits[a >> 2], digits[(a & 3) << 4 | b >> 4],
                    i + 1 < len ? digits[(b & 15) << 2 | c >> 6] : '=', i + 2 < len ? digits[c & 63] : '=');
    }
    text_add(out, "\r\n");
}

bool raw_request(uint16_t port, const char *method, const char *path, const char *login, const char *body,
                 struct raw_answer *out)
{
    struct text request = {0};
    text_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", method, path);
    if (login)
        add_login(&request, login);
    if (body)
        text_printf(&request, "Content-Length: %zu\r\n", strlen(body));
    text_printf(&request, "\r\n%s", body ? body : "");
    bool closed = raw_send(port, bytes_of(request.s, request.len), 20000, out);
    text_finish(&request);
    return closed;
}

void raw_finish(struct raw_answer *a)
{
    text_finish(&a->head);
    text_finish(&a->body);
}

char *raw_header(const struct raw_answer *a, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = strstr(text_str(&a->head), "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            line += len + 1 + strspn(line + len + 1, " ");
            return xstrndup(line, strcspn(line, "\r"));
        }
    }
    return NULL;
}
