/* test_bad_input.c: what a node does with bytes that are not AMQP, or not good AMQP: the one connection gets
 * its answer and ends; another one, open all the time, goes on. A real node, a socket, nothing between. */
#include "tests/bench/amqp.h"
#include "tests/cluster/test.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

static struct lab lab;
static struct amqp_conn witness; /* the connection that must not notice anything */
static struct amqp_template message;
static uint64_t published;

static int setup(void **state)
{
    (void)state;
    if (test_lab_up(&lab, 1))
        return -1;
    amqp_template_init(&message, "witness", 16, false);
    if (amqp_open(&witness, "127.0.0.1", lab_amqp(&lab, 1), "admin", "123") && amqp_confirms_on(&witness) &&
        amqp_declare(&witness, "witness", false, NULL, 5000))
        return 0;
    print_error("%s\n", witness.error);
    return -1;
}

static int teardown(void **state)
{
    (void)state;
    amqp_finish(&witness);
    amqp_template_finish(&message);
    return test_lab_down(&lab);
}

/* After each test: the witness publishes and is confirmed. */
static int others_go_on(void **state)
{
    (void)state;
    struct amqp_frame f;
    amqp_put_publish(&witness, &message, ++published);
    bool ok = amqp_expect(&witness, M_BASIC_ACK, &f, 10000) && get_u64(f.payload + 4) == published;
    if (!ok)
        print_error("another connection did not go on: %s\n", witness.error);
    return ok ? 0 : -1;
}

static struct amqp_conn connected(void)
{
    struct amqp_conn c;
    if (!amqp_connect(&c, "127.0.0.1", lab_amqp(&lab, 1), 5000))
        fail_msg("%s", c.error);
    return c;
}

static struct amqp_conn logged_in(void)
{
    struct amqp_conn c;
    if (!amqp_open(&c, "127.0.0.1", lab_amqp(&lab, 1), "admin", "123"))
        fail_msg("%s", c.error);
    return c;
}

static void assert_ends(struct amqp_conn *c)
{
    int64_t end = support_now_ms() + 15000;
    while (amqp_fill(c)) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        int left = (int)(end - support_now_ms());
        if (left <= 0 || poll(&p, 1, left) <= 0)
            fail_msg("the node did not close the connection in 15 s");
    }
    amqp_finish(c);
}

/* The node answers with its own protocol header, AMQP 0-9-1 (section 4.2.2), and hangs up. */
static void assert_header_back(const void *bytes, size_t len)
{
    struct amqp_conn c = connected();
    amqp_put(&c, bytes, len);
    assert_true(amqp_flush_all(&c, 5000));
    int64_t end = support_now_ms() + 15000;
    while (c.in_len < 8 && support_now_ms() < end) {
        struct pollfd p = {.fd = c.fd, .events = POLLIN};
        poll(&p, 1, 100);
        if (!amqp_fill(&c))
            break;
    }
    assert_int_equal(c.in_len, 8);
    assert_memory_equal(c.in, "AMQP\0\0\x09\x01", 8);
    assert_ends(&c);
}

static void bytes_that_are_not_amqp(void **state)
{
    (void)state;
    assert_header_back("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35);
    assert_header_back("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11); /* a TLS hello */
    assert_header_back("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void a_version_it_does_not_speak(void **state)
{
    (void)state;
    assert_header_back("AMQP\0\x01\0\0", 8); /* 1.0 */
    assert_header_back("AMQP\0\0\x09\x02", 8);
}

/* connection.close with that code; after our close-ok the connection ends. */
static void assert_closed_with(struct amqp_conn *c, unsigned code)
{
    struct amqp_frame f;
    assert_true(amqp_flush_all(c, 5000));
    if (!amqp_wait(c, &f, 15000))
        fail_msg("no connection.close: %s", c->error);
    if (amqp_method(&f) != M_CONNECTION_CLOSE || f.len < 7 || get_u16(f.payload + 4) != code)
        fail_msg("wanted connection.close %u; got method %u.%u code %u: %.*s", code, amqp_method(&f) >> 16,
                 amqp_method(&f) & 0xffff, f.len >= 6 ? get_u16(f.payload + 4) : 0,
                 (int)(f.len > 7 ? f.len - 7 : 0), (const char *)f.payload + 7);
    uint8_t ok[4];
    put_u32(ok, M_CONNECTION_CLOSE_OK);
    amqp_put_frame(c, AMQP_FRAME_METHOD, 0, ok, 4);
    assert_true(amqp_flush_all(c, 5000));
    assert_ends(c);
}

static void a_frame_that_does_not_end_with_its_octet(void **state)
{
    (void)state;
    struct amqp_conn c = logged_in();
    amqp_put(&c, "\x01\0\x01\0\0\0\x05\0\x14\0\x0a\0\x00", 13); /* channel.open, then 00 where ce belongs */
    assert_closed_with(&c, 501);
}

static void a_frame_larger_than_was_agreed(void **state)
{
    (void)state;
    struct amqp_conn c = logged_in();
    amqp_put(&c, "\x03\0\x01\x7f\xff\xff\xff", 7); /* a body frame of 2 GiB */
    assert_closed_with(&c, 501);
}

static void a_body_where_no_message_began(void **state)
{
    (void)state;
    struct amqp_conn c = logged_in();
    amqp_put_frame(&c, AMQP_FRAME_BODY, 1, "hello", 5);
    assert_closed_with(&c, 505);
}

static void a_header_where_no_message_began(void **state)
{
    (void)state;
    struct amqp_conn c = logged_in();
    amqp_put_frame(&c, AMQP_FRAME_HEADER, 1, "\0\x3c\0\0\0\0\0\0\0\0\0\0\0\0", 14);
    assert_closed_with(&c, 505);
}

static void a_method_that_ends_too_early(void **state)
{
    (void)state;
    struct amqp_conn c = logged_in();
    amqp_put_frame(&c, AMQP_FRAME_METHOD, 1,
                   "\0\x32\0\x0a\0\0\x40"
                   "abc",
                   10); /* a name of 64 bytes, 3 are there */
    assert_closed_with(&c, 501);
}

/* Every prefix of a good conversation, cut off: nobody else notices. */
static void a_client_that_goes_in_the_middle_of_anything(void **state)
{
    (void)state;
    struct amqp_template t;
    amqp_template_init(&t, "witness", 8, false);
    for (size_t len = 1; len < t.len; len++) {
        struct amqp_conn c = logged_in();
        amqp_put(&c, t.bytes, len);
        assert_true(amqp_flush_all(&c, 5000));
        amqp_finish(&c);
    }
    amqp_template_finish(&t);
    uint32_t messages = 0;
    assert_true(amqp_declare(&witness, "witness", true, &messages, 5000));
    assert_int_equal(messages, published); /* none of the halves became a message */
}

static void a_wrong_password(void **state)
{
    (void)state;
    struct amqp_conn c = connected();
    assert_false(amqp_login(&c, "admin", "wrong", 15000));
    amqp_finish(&c);
    assert_false(amqp_open(&c, "127.0.0.1", lab_amqp(&lab, 1), "nobody", "123"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(bytes_that_are_not_amqp, others_go_on),
        cmocka_unit_test_teardown(a_version_it_does_not_speak, others_go_on),
        cmocka_unit_test_teardown(a_frame_that_does_not_end_with_its_octet, others_go_on),
        cmocka_unit_test_teardown(a_frame_larger_than_was_agreed, others_go_on),
        cmocka_unit_test_teardown(a_body_where_no_message_began, others_go_on),
        cmocka_unit_test_teardown(a_header_where_no_message_began, others_go_on),
        cmocka_unit_test_teardown(a_method_that_ends_too_early, others_go_on),
        cmocka_unit_test_teardown(a_client_that_goes_in_the_middle_of_anything, others_go_on),
        cmocka_unit_test_teardown(a_wrong_password, others_go_on),
    };
    return cmocka_run_group_tests_name("bad input", tests, setup, teardown);
}
