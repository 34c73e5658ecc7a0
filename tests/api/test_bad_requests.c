/* test_bad_requests.c: what is not a request, what is too large, who may not ask, what is not there: each
 * gets its status, and the node goes on for others. */
#include "tests/cluster/test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/api/raw.h"

static struct lab lab;

static void still_serves(void)
{
    struct raw_answer a;
    raw_request(lab_http(&lab, 1), "GET", "/api/whoami", "admin:123", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_string_equal(text_str(&a.body), "{\"name\":\"admin\",\"tags\":[\"administrator\"]}");
    raw_finish(&a);
}

static void assert_status(const char *request, size_t len, int status)
{
    struct raw_answer a;
    raw_send(lab_http(&lab, 1), bytes_of(request, len), 20000, &a);
    if (a.status != status)
        print_error("%.60s: %s\n", request, text_str(&a.head));
    assert_int_equal(a.status, status);
    raw_finish(&a);
    still_serves();
}

#define ASSERT_STATUS(request, status) assert_status(request, sizeof(request) - 1, status)

static void garbage_is_400(void **state)
{
    (void)state;
    ASSERT_STATUS("GARBAGE\r\n\r\n", 400);
    ASSERT_STATUS("GET /api/overview\r\n\r\n", 400);
    ASSERT_STATUS("GET /api/overview HTTP/1.1\r\nno colon in this header\r\n\r\n", 400);
    ASSERT_STATUS("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400); /* TLS where there is none */
    ASSERT_STATUS("AMQP\x00\x00\x09\x01\r\n\r\n", 400);                         /* the wrong port */
}

static void headers_without_end_are_refused(void **state)
{
    (void)state;
    struct text request = {0};
    text_add(&request, "GET /api/overview HTTP/1.1\r\n");
    while (request.len < 64 * 1024)
        text_add(&request, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    text_add(&request, "\r\n");
    struct raw_answer a;
    assert_true(raw_send(lab_http(&lab, 1), bytes_of(request.s, request.len), 20000, &a));
    assert_true(a.status == 0 || a.status == 400 || a.status == 413 || a.status == 431);
    raw_finish(&a);
    text_finish(&request);
    still_serves();
}

static void a_body_over_the_limit_is_413(void **state)
{
    (void)state;
    struct text body = {0};
    while (body.len <= LIMIT_HTTP_BODY)
        text_add(&body, "                                                                                ");
    struct raw_answer a;
    raw_request(lab_http(&lab, 1), "PUT", "/api/queues/%2F/big", "admin:123", body.s, &a);
    assert_int_equal(a.status, 413);
    raw_finish(&a);
    /* just below it is read: spaces are not JSON */
    body.s[LIMIT_HTTP_BODY - 1] = '\0';
    raw_request(lab_http(&lab, 1), "PUT", "/api/queues/%2F/big", "admin:123", body.s, &a);
    assert_int_equal(a.status, 400);
    raw_finish(&a);
    text_finish(&body);
    still_serves();
}

static void deep_or_broken_json_is_400(void **state)
{
    (void)state;
    struct text deep = {0};
    for (int i = 0; i < 200000; i++)
        text_add(&deep, "[");
    const char *const bodies[] = {deep.s,
                                  "{",
                                  "nonsense",
                                  "{\"durable\":true,\"durable\":false}",
                                  "\"text\"",
                                  "{\"a\":\"\\ud800\"}",
                                  "{\"a\":\"\xff\xfe\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct raw_answer a;
        raw_request(lab_http(&lab, 1), "PUT", "/api/queues/%2F/bad", "admin:123", bodies[i], &a);
        assert_int_equal(a.status, 400);
        assert_string_equal(text_str(&a.body), "{\"error\":\"bad_request\",\"reason\":\"not_json\"}");
        raw_finish(&a);
    }
    text_finish(&deep);
    still_serves();
}

static void only_who_may_gets_in(void **state)
{
    (void)state;
    static const struct {
        const char *login;
        int status;
        const char *body;
    } cases[] = {
        {NULL, 401, ""},
        {"admin:wrong", 401, "{\"error\":\"not_authorized\",\"reason\":\"Login failed\"}"},
        {"nobody:123", 401, "{\"error\":\"not_authorized\",\"reason\":\"Login failed\"}"},
        {"admin", 401, "{\"error\":\"not_authorized\",\"reason\":\"Login failed\"}"},
        {":", 401, "{\"error\":\"not_authorized\",\"reason\":\"Login failed\"}"},
        {"guest:guest", 200, "{\"name\":\"guest\",\"tags\":[\"administrator\"]}"}, /* we are on loopback */
        {"admin:123", 200, "{\"name\":\"admin\",\"tags\":[\"administrator\"]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct raw_answer a;
        raw_request(lab_http(&lab, 1), "GET", "/api/whoami", cases[i].login, NULL, &a);
        assert_int_equal(a.status, cases[i].status);
        assert_string_equal(text_str(&a.body), cases[i].body);
        char *realm = raw_header(&a, "WWW-Authenticate");
        assert_true((realm != NULL) == (cases[i].status == 401));
        free(realm);
        raw_finish(&a);
    }
    ASSERT_STATUS("GET /api/whoami HTTP/1.1\r\nAuthorization: Basic ====\r\nConnection: close\r\n\r\n", 401);
    ASSERT_STATUS("GET /api/whoami HTTP/1.1\r\nAuthorization: Bearer abc\r\nConnection: close\r\n\r\n", 401);
}

static void strange_paths_are_404_and_wrong_methods_405(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int status;
    } cases[] = {
        {"GET", "/nosuch", 404},
        {"GET", "/api/queues/%2F/%00", 404},
        {"GET", "/api/%2e%2e/%2e%2e/etc", 404},
        {"GET", "/api/queues/%2F/a/b/c/d", 404},
        {"GET", "/api/queues/%zz", 404},
        {"POST", "/api/whoami", 405},
        {"PUT", "/api/nodes", 405},
        {"DELETE", "/api/overview", 405},
        {"HEAD", "/api/overview", 200},
        {"GET", "/", 200},
        {"GET", "/api/queues/", 200},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct raw_answer a;
        raw_request(lab_http(&lab, 1), cases[i].method, cases[i].path, "admin:123", NULL, &a);
        if (a.status != cases[i].status)
            print_error("%s %s\n", cases[i].method, cases[i].path);
        assert_int_equal(a.status, cases[i].status);
        raw_finish(&a);
    }
    still_serves();
}

static void a_client_that_goes_in_the_middle_harms_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct raw_answer a;
        const char half[] = "PUT /api/queues/%2F/half HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{\"dur";
        raw_send(lab_http(&lab, 1), bytes_of(half, sizeof(half) - 1), 5, &a); /* and away after 5 ms */
        raw_finish(&a);
    }
    still_serves();
}

/* ---- the control socket ---- */

static int control_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char *path = format_text("%s/node1/control.sock", lab.dir);
    assert_true(strlen(path) < sizeof(to.sun_path));
    memcpy(to.sun_path, path, strlen(path) + 1);
    free(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static void the_control_socket_is_its_owners_alone(void **state)
{
    (void)state;
    char *path = format_text("%s/node1/control.sock", lab.dir);
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    free(path);
}

static void control_answers_line_by_line_in_order(void **state)
{
    (void)state;
    static const char lines[] = "{\"cmd\":\"ping\"}\n"
                                "this is not JSON\n"
                                "{\"cmd\":\"api\",\"method\":\"GET\",\"path\":\"/api/nodes?columns=name\"}\n"
                                "{\"cmd\":\"api\",\"method\":\"GET\",\"path\":\"/api/nosuch\"}\n"
                                "{\"cmd\":\"no such thing\"}\n"
                                "{\"cmd\":\"status\"}\n";
    int fd = control_connect();
    assert_int_equal(write(fd, lines, sizeof(lines) - 1), sizeof(lines) - 1);
    FILE *in = fdopen(fd, "r");
    char *line = NULL;
    size_t size = 0;
    static const char *const wanted[] = {"{\"ok\":true}",  "\"bad_request\"", "\"status\":404",
                                         "\"status\":404", "unknown cmd",     "\"phase\":\"serving\""};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(getline(&line, &size, in) > 0);
        if (!strstr(line, wanted[i]))
            print_error("line %zu: %s", i, line);
        assert_non_null(strstr(line, wanted[i]));
    }
    free(line);
    fclose(in);
}

static void a_control_line_without_end_is_cut_off(void **state)
{
    (void)state;
    int fd = control_connect();
    static char filler[65536];
    memset(filler, 'a', sizeof(filler));
    size_t sent = 0;
    ssize_t n;
    while (sent <= 2 * (size_t)LIMIT_HTTP_BODY && (n = send(fd, filler, sizeof(filler), MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    assert_true(sent <= 2 * (size_t)LIMIT_HTTP_BODY); /* it closed before */
    close(fd);
    still_serves();
}

static void control_clients_may_leave_before_their_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int fd = control_connect();
        static const char line[] = "{\"cmd\":\"api\",\"method\":\"GET\",\"path\":\"/api/overview\"}\n";
        assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
        close(fd);
    }
    still_serves();
}

static int up(void **state)
{
    (void)state;
    return test_lab_up(&lab, 2);
}

static int down(void **state)
{
    (void)state;
    return test_lab_down(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_is_400),
        cmocka_unit_test(headers_without_end_are_refused),
        cmocka_unit_test(a_body_over_the_limit_is_413),
        cmocka_unit_test(deep_or_broken_json_is_400),
        cmocka_unit_test(only_who_may_gets_in),
        cmocka_unit_test(strange_paths_are_404_and_wrong_methods_405),
        cmocka_unit_test(a_client_that_goes_in_the_middle_harms_nobody),
        cmocka_unit_test(the_control_socket_is_its_owners_alone),
        cmocka_unit_test(control_answers_line_by_line_in_order),
        cmocka_unit_test(a_control_line_without_end_is_cut_off),
        cmocka_unit_test(control_clients_may_leave_before_their_answer),
    };
    return cmocka_run_group_tests(tests, up, down);
}
