/* test_replay.c: 80-odd requests that were put to the management API of RabbitMQ 3.10.8, one after the other,
 * with what it answered (recorded/requests.json). A node of the kit gets the same requests in the same order
 * and has to answer the same: status, Allow, Location, JSON. What differs on purpose is in `differences`. */
#include "tests/cluster/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/api/raw.h"

static struct lab lab;

/* answer NULL: any; status 0: the recorded one */
static const struct difference {
    const char *method, *path;
    const char *recorded; /* a part of the recorded request's body that tells it from its like; NULL: any */
    int status;
    const char *answer, *why;
} differences[] = {
    {"POST", "/api/queues/%2F/h1/get", "\"foo\"", 400, NULL,
     "RabbitMQ breaks down (500): the kit names the four modes"},
    {"POST", "/api/queues/%2F/nosuch/actions", NULL, 404, NULL, "RabbitMQ breaks down (500)"},
    {"GET", "/api/nodes/nosuch", NULL, 404, NULL, "RabbitMQ breaks down (500)"},
    {"PUT", "/api/policies/%2F/p1", "\"some\"", 0,
     "{\"error\":\"bad_request\",\"reason\":\"Validation failed\\n\\n<<\\\"some\\\">> is not a valid ha-mode "
     "value\\n\"}",
     "RabbitMQ escapes it for HTML, in JSON"},
    {"GET", "/api/exchanges/%2F/e1", NULL, 0,
     "{\"arguments\":{},\"auto_delete\":false,\"durable\":false,\"internal\":false,\"name\":\"e1\",\"type\":"
     "\"direct\","
     "\"vhost\":\"/\"}",
     "who declared it, and what went in and out per channel, is not kept"},
    {"GET", "/api/queues?page=1&page_size=2", NULL, 0, NULL, "RabbitMQ had no statistics yet: fewer fields"},
    {"GET", "/api/queues?columns=name,messages_ready,message_stats.publish", NULL, 0,
     "[{\"name\":\"h1\",\"messages_ready\":0},{\"name\":\"h2\",\"messages_ready\":0}]", "as above"},
    {"GET", "/api/users/admin", NULL, 0, "{\"limits\":{},\"name\":\"admin\",\"tags\":[\"administrator\"]}",
     "password hashes are not shown"},
    {"GET", "/api/vhosts/%2F", NULL, 0, NULL, "other nodes, and RabbitMQ had no statistics yet"},
    {"GET", "/api/cluster-name", NULL, 0, "{\"name\":\"mirrorlab\"}", "its own name"},
    {"GET", "/api/overview?columns=node,object_totals", NULL, 0,
     "{\"node\":\"node1\",\"object_totals\":{\"channels\":0,\"connections\":0,\"consumers\":0,\"exchanges\":"
     "8,\"queues\":2}}",
     "RabbitMQ still counted a deleted queue"},
};

static const struct difference *find_difference(const json_t *request)
{
    const char *body = json_string_value(json_object_get(request, "body"));
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        const struct difference *d = &differences[i];
        if (strcmp(d->method, json_string_value(json_object_get(request, "method"))) == 0 &&
            strcmp(d->path, json_string_value(json_object_get(request, "path"))) == 0 &&
            (!d->recorded || (body && strstr(body, d->recorded))))
            return d;
    }
    return NULL;
}

static bool same_header(const json_t *request, const struct raw_answer *is, const char *key, const char *name)
{
    const char *was = json_string_value(json_object_get(request, key));
    char *value = raw_header(is, name);
    bool same = was ? value && strcmp(was, value) == 0 : value == NULL;
    free(value);
    return same;
}

static bool same_answer(const json_t *request, const struct difference *d, const struct raw_answer *is)
{
    int status = d && d->status ? d->status : (int)json_integer_value(json_object_get(request, "status"));
    if (is->status != status || !same_header(request, is, "allow", "Allow") ||
        !same_header(request, is, "location", "Location"))
        return false;
    if (d && !d->answer)
        return true;
    json_t *was = d ? json_loads(d->answer, 0, NULL) : json_incref(json_object_get(request, "answer"));
    json_t *now = is->body.len ? json_loads(is->body.s, 0, NULL) : NULL;
    bool same = was ? json_equal(was, now) : is->body.len == 0;
    json_decref(was);
    json_decref(now);
    return same;
}

static void the_same_requests_get_the_same_answers(void **state)
{
    (void)state;
    json_error_t where;
    json_t *requests = json_load_file("tests/api/recorded/requests.json", 0, &where);
    if (!requests)
        fail_msg("tests/api/recorded/requests.json: %s", where.text);
    unsigned wrong = 0;
    size_t i;
    json_t *r;
    json_array_foreach(requests, i, r)
    {
        struct raw_answer is;
        const char *method = json_string_value(json_object_get(r, "method"));
        const char *path = json_string_value(json_object_get(r, "path"));
        const char *body = json_string_value(json_object_get(r, "body"));
        raw_request(lab_http(&lab, 1), method, path, "admin:123", body, &is);
        if (!same_answer(r, find_difference(r), &is)) {
            char *was = json_dumps(r, JSON_COMPACT);
            print_error("request %zu %s %s %s\n  recorded: %s\n  is: %s  %s\n", i, method, path,
                        body ? body : "", was, text_str(&is.head), text_str(&is.body));
            free(was);
            wrong++;
        }
        raw_finish(&is);
    }
    assert_true(i > 80);
    json_decref(requests);
    assert_int_equal(wrong, 0);
}

/* A list's objects are cut down as objects are, as RabbitMQ does it: the screen asks for them so. */
static void columns_of_a_list(void **state)
{
    (void)state;
    struct raw_answer is;
    raw_request(lab_http(&lab, 1), "GET", "/api/nodes/node1?columns=name,cluster_links.name", "admin:123",
                NULL, &is);
    json_t *now = json_loads(text_str(&is.body), 0, NULL);
    json_t *wanted = json_pack("{s:s, s:[{s:s}, {s:s}]}", "name", "node1", "cluster_links", "name", "node2",
                               "name", "node3");
    if (!json_equal(now, wanted))
        fail_msg("%d %s", is.status, text_str(&is.body));
    json_decref(now);
    json_decref(wanted);
    raw_finish(&is);
}

static int up(void **state)
{
    (void)state;
    return test_lab_up(&lab, 3);
}

static int down(void **state)
{
    (void)state;
    return test_lab_down(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_requests_get_the_same_answers),
                                       cmocka_unit_test(columns_of_a_list)};
    return cmocka_run_group_tests(tests, up, down);
}
