/* http.c: HTTP/1.0 over one connection per request: the answer ends where the connection does. */
#include "tests/cluster/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char authorization[] = "Authorization: Basic YWRtaW46MTIz\r\n"; /* admin:123 */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool ready(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = deadline - now_ms();
    return left > 0 && poll(&p, 1, (int)left) > 0;
}

static int connected(uint16_t port, int64_t deadline)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int error = 0;
    socklen_t len = sizeof(error);
    if (fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
                    (errno == EINPROGRESS && ready(fd, POLLOUT, deadline) &&
                     getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const char *s, size_t len, int64_t deadline)
{
    while (len) {
        ssize_t n = send(fd, s, len, MSG_NOSIGNAL);
        if (n > 0) {
            s += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN || !ready(fd, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

int http_ask(uint16_t port, const char *method, const char *path, const char *body, int timeout_ms,
             struct text *answer)
{
    int64_t deadline = now_ms() + timeout_ms;
    if (answer)
        text_clear(answer);
    int fd = connected(port, deadline);
    if (fd < 0)
        return 0;
    struct text t = {0};
    text_printf(&t, "%s %s HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n%s", method, path, port, authorization);
    if (body)
        text_printf(&t, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    text_printf(&t, "\r\n%s", body ? body : "");
    bool ok = send_all(fd, t.s, t.len, deadline);
    text_clear(&t);
    while (ok) {
        char buffer[65536];
        ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
        if (n > 0)
            text_add_bytes(&t, buffer, (size_t)n);
        else if (n == 0)
            break;
        else
            ok = errno == EAGAIN && ready(fd, POLLIN, deadline);
    }
    close(fd);
    int status = 0;
    const char *end = ok && t.s ? strstr(t.s, "\r\n\r\n") : NULL;
    if (end && sscanf(t.s, "HTTP/1.%*d %d", &status) == 1 && answer)
        text_add(answer, end + 4);
    text_finish(&t);
    return status;
}

json_t *http_json(uint16_t port, const char *path)
{
    struct text body = {0};
    json_t *json = NULL;
    if (http_ask(port, "GET", path, NULL, 5000, &body) == 200)
        json = json_loads(text_str(&body), 0, NULL);
    text_finish(&body);
    return json;
}
