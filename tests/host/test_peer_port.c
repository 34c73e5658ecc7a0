/* test_peer_port.c: the peer port as a stranger meets it. The test is node1, or somebody who would like to
 * be; the node under test is node2 of two, a real process. Who does not know the secret gets nowhere, and
 * whatever it sends, the node goes on. The frames are drawn in common/host/peers.h. */
#include "tests/cluster/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/peers_private.h"

#define SECRET     "a secret of the test's own"
#define SILENCE_MS 600
#define WAIT_MS    20000

static struct lab lab;
static pid_t node2;
static uint64_t life = 1; /* our incarnation: each connection is a later life */

/* ---- the node ---- */

static bool port_answers(void *arg)
{
    uint16_t port = *(uint16_t *)arg;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static int start_node(void **state)
{
    (void)state;
    if (!lab_init(&lab, 2))
        return -1;
    char *config = format_text("%s/lab.cfg", lab.dir), *dir = format_text("%s/node2", lab.dir);
    char *program = format_text("%s/lessons/07-failover/node", lab.bin),
         *log = format_text("%s/log.txt", lab.dir);
    FILE *f = fopen(config, "w");
    if (!f)
        return -1;
    fprintf(f, "secret = \"%s\"; silence_ms = %d;\nnodes = (\n", SECRET, SILENCE_MS);
    for (unsigned i = 0; i < 2; i++)
        fprintf(f, "  { name = \"node%u\"; amqp = %u; http = %u; peer = %u; }%s\n", i + 1, lab.amqp + i,
                lab.http + i, lab.peer + i, i ? " );" : ",");
    fclose(f);
    node2 = fork();
    if (node2 == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, 2);
        execl(program, program, "--config", config, "--name", "node2", "--dir", dir, (char *)NULL);
        _exit(127);
    }
    uint16_t port = (uint16_t)(lab.peer + 1);
    bool up = wait_until(port_answers, &port, WAIT_MS);
    free(config);
    free(dir);
    free(program);
    free(log);
    return up ? 0 : -1;
}

static int stop_node(void **state)
{
    (void)state;
    int status = -1;
    kill(node2, SIGTERM);
    waitpid(node2, &status, 0);
    lab_finish(&lab);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static bool log_says(const char *what)
{
    char *log = format_text("%s/log.txt", lab.dir);
    char content[16384];
    FILE *f = fopen(log, "r");
    free(log);
    assert_non_null(f);
    content[fread(content, 1, sizeof(content) - 1, f)] = '\0';
    fclose(f);
    return strstr(content, what) != NULL;
}

/* ---- frames ---- */

static int connect_to_node(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(lab.peer + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void send_bytes(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void send_frame(int fd, char tag, const void *data, size_t len)
{
    struct text t = {0};
    uint8_t length[4];
    put_u32(length, (uint32_t)len);
    text_add_bytes(&t, &tag, 1);
    text_add_bytes(&t, length, 4);
    text_add_bytes(&t, data, len);
    send_bytes(fd, t.s, t.len);
    text_finish(&t);
}

/* false: the connection ended */
static bool take(int fd, void *data, size_t len)
{
    uint8_t *at = data;
    while (len) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, WAIT_MS) <= 0)
            fail_msg("nothing came for %d ms, and the connection did not end", WAIT_MS);
        ssize_t n = recv(fd, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* The next frame: its tag, or 0 at the end of the connection; its data is in *out. */
static char take_frame(int fd, struct text *out)
{
    uint8_t head[FRAME_HEAD];
    text_clear(out);
    if (!take(fd, head, sizeof(head)))
        return 0;
    uint32_t len = get_u32(head + 1);
    assert_true(len < 1u << 20);
    uint8_t *data = xmalloc(len);
    bool whole = take(fd, data, len);
    text_add_bytes(out, data, len);
    free(data);
    return whole ? (char)head[0] : 0;
}

static void assert_closed(int fd)
{
    struct text data = {0};
    char tag = take_frame(fd, &data);
    if (tag)
        fail_msg("frame '%c' came where the connection should have ended", tag);
    text_finish(&data);
    close(fd);
}

static void assert_refused(int fd, const char *why)
{
    struct text data = {0};
    assert_int_equal(take_frame(fd, &data), 'R');
    if (!strstr(text_str(&data), why))
        fail_msg("wanted \"%s\" in: %s", why, text_str(&data));
    text_finish(&data);
    assert_closed(fd);
}

/* ---- the handshake ---- */

struct shake {
    struct text ours, theirs;   /* hellos */
    uint8_t proof[PROOF_BYTES]; /* theirs */
};

static void shake_finish(struct shake *s)
{
    text_finish(&s->ours);
    text_finish(&s->theirs);
}

static void make_hello(struct text *t, uint8_t version, uint64_t incarnation, const char *from,
                       const char *to)
{
    uint8_t number[8], nonce[NONCE_BYTES] = {7};
    uint8_t lens[2] = {(uint8_t)strlen(from), (uint8_t)strlen(to)};
    put_u64(number, incarnation);
    text_clear(t);
    text_add(t, "mirrorlab");
    text_add_bytes(t, &version, 1);
    text_add_bytes(t, number, 8);
    text_add_bytes(t, nonce, sizeof(nonce));
    text_add_bytes(t, &lens[0], 1);
    text_add(t, from);
    text_add_bytes(t, &lens[1], 1);
    text_add(t, to);
}

static void prove(const struct shake *s, const char *secret, char role, uint8_t out[PROOF_BYTES])
{
    struct text said = {0};
    text_add_bytes(&said, &role, 1);
    text_add_bytes(&said, s->ours.s, s->ours.len);
    text_add_bytes(&said, s->theirs.s, s->theirs.len);
    handshake_hmac(bytes_str(secret), bytes_of(said.s, said.len), out);
    text_finish(&said);
}

/* Says hello as node1; takes the node's hello and proof, which must be a good one. */
static int shake_hands(struct shake *s)
{
    struct text data = {0};
    uint8_t want[PROOF_BYTES];
    int fd = connect_to_node();
    *s = (struct shake){0};
    make_hello(&s->ours, LINK_VERSION, life++, "node1", "node2");
    send_frame(fd, 'H', s->ours.s, s->ours.len);
    assert_int_equal(take_frame(fd, &s->theirs), 'H');
    assert_int_equal(take_frame(fd, &data), 'P');
    assert_int_equal(data.len, PROOF_BYTES);
    memcpy(s->proof, data.s, PROOF_BYTES);
    text_finish(&data);
    prove(s, SECRET, 'A', want);
    assert_memory_equal(s->proof, want, PROOF_BYTES);
    return fd;
}

static int link_up(void)
{
    struct shake s;
    struct text data = {0};
    uint8_t proof[PROOF_BYTES];
    int fd = shake_hands(&s);
    prove(&s, SECRET, 'D', proof);
    send_frame(fd, 'P', proof, sizeof(proof));
    assert_int_equal(take_frame(fd, &data), 'W');
    text_finish(&data);
    shake_finish(&s);
    return fd;
}

/* ---- the tests ---- */

static void test_who_knows_the_secret_is_welcome_and_answered(void **state)
{
    (void)state;
    int fd = link_up();
    struct text data = {0};
    static const char question[] = "\0\0\0\0\0\0\0\7{\"what\":\"nothing\"}";
    send_frame(fd, '.', NULL, 0);
    send_frame(fd, '?', question, sizeof(question) - 1);
    char tag;
    while ((tag = take_frame(fd, &data)) != '!')
        assert_true(tag == 'M' || tag == '.');
    assert_true(data.len >= 8);
    assert_memory_equal(data.s, question, 8);
    text_finish(&data);
    close(fd);
}

static void test_a_silent_peer_is_let_go(void **state)
{
    (void)state;
    int fd = link_up();
    struct text data = {0};
    int64_t from = support_now_ms();
    bool pinged = false;
    char tag;
    while ((tag = take_frame(fd, &data)))
        pinged |= tag == '.';
    assert_true(pinged); /* it says something itself */
    assert_true(support_now_ms() - from >= SILENCE_MS - 50);
    text_finish(&data);
    close(fd);
}

static void test_a_later_link_takes_the_place_of_the_earlier(void **state)
{
    (void)state;
    int first = link_up(), second = link_up();
    struct text data = {0};
    while (take_frame(first, &data))
        ;
    close(first);
    static const char question[] = "\0\0\0\0\0\0\0\1{}";
    send_frame(second, '?', question, sizeof(question) - 1);
    char tag;
    while ((tag = take_frame(second, &data)) != '!')
        assert_true(tag != 0);
    text_finish(&data);
    close(second);
}

static void test_another_secret_is_refused(void **state)
{
    (void)state;
    struct shake s;
    uint8_t proof[PROOF_BYTES];
    int fd = shake_hands(&s);
    prove(&s, "some other secret", 'D', proof);
    send_frame(fd, 'P', proof, sizeof(proof));
    assert_refused(fd, "secret");
    assert_true(log_says("no link to node1: it knows another secret"));
    shake_finish(&s);
}

static void test_its_own_proof_is_not_taken_back(void **state)
{
    (void)state;
    struct shake s;
    int fd = shake_hands(&s);
    send_frame(fd, 'P', s.proof, PROOF_BYTES);
    assert_refused(fd, "secret");
    shake_finish(&s);
}

static void test_a_proof_is_good_for_one_connection(void **state)
{
    (void)state;
    struct shake first, second;
    uint8_t proof[PROOF_BYTES];
    int fd = shake_hands(&first);
    close(fd);
    fd = shake_hands(&second);
    prove(&first, SECRET, 'D', proof); /* as one who listened on the first would send it */
    send_frame(fd, 'P', proof, sizeof(proof));
    assert_refused(fd, "secret");
    shake_finish(&first);
    shake_finish(&second);
}

static void test_an_earlier_life_is_refused(void **state)
{
    (void)state;
    struct text hello = {0};
    close(link_up());
    int fd = connect_to_node();
    make_hello(&hello, LINK_VERSION, 0, "node1", "node2");
    send_frame(fd, 'H', hello.s, hello.len);
    assert_refused(fd, "a later life of this node has been seen");
    text_finish(&hello);
}

static void test_strangers_are_told_why(void **state)
{
    (void)state;
    struct text hello = {0};
    int fd = connect_to_node();
    make_hello(&hello, 9, life++, "node1", "node2");
    send_frame(fd, 'H', hello.s, hello.len);
    char *refusal = format_text("speaks version %d of the peer protocol, not 9", LINK_VERSION);
    assert_refused(fd, refusal);
    free(refusal);
    fd = connect_to_node();
    make_hello(&hello, LINK_VERSION, life++, "node7", "node2");
    send_frame(fd, 'H', hello.s, hello.len);
    assert_refused(fd, "knows no \"node7\"");
    fd = connect_to_node();
    make_hello(&hello, LINK_VERSION, life++, "node1", "node5");
    send_frame(fd, 'H', hello.s, hello.len);
    assert_refused(fd, "dials \"node5\"");
    text_finish(&hello);
}

static void test_rubbish_ends_the_connection(void **state)
{
    (void)state;
    struct text hello = {0};
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = connect_to_node(); /* "ET /" is a length far over what a hello may have */
    send_bytes(fd, http, sizeof(http) - 1);
    assert_closed(fd);
    fd = connect_to_node();
    send_frame(fd, 'H', "not the magic word", 18);
    assert_closed(fd);
    fd = connect_to_node();
    const char early[] = {'m', 'i', 'r', 'r', 'o', 'r', 'l', 'a', 'b', LINK_VERSION};
    send_frame(fd, 'H', early, sizeof(early)); /* ends too early */
    assert_closed(fd);
    fd = connect_to_node(); /* a name that is longer than the frame */
    make_hello(&hello, LINK_VERSION, life++, "node1", "node2");
    hello.s[hello.len - 6] = (char)200;
    send_frame(fd, 'H', hello.s, hello.len);
    assert_closed(fd);
    static const char tags[] = {'P', 'W', 'M', '.', '?', '!', 'Z', 0};
    for (size_t i = 0; i < sizeof(tags); i++) { /* before any hello */
        fd = connect_to_node();
        send_frame(fd, tags[i], "x", 1);
        assert_closed(fd);
    }
    text_finish(&hello);
}

/* Who has proved that it knows the secret may still have a fault: its link ends, the node does not. */
static void test_rubbish_on_a_link_ends_the_link(void **state)
{
    (void)state;
    const struct {
        char tag;
        const char *data;
        size_t len;
    } bad[] = {{'M', "", 0}, {'M', "\377\377\377", 3}, {'?', "short", 5}, {'!', "short", 5}, {'H', "x", 1},
               {'Z', "", 0}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int fd = link_up();
        struct text data = {0};
        send_frame(fd, bad[i].tag, bad[i].data, bad[i].len);
        while (take_frame(fd, &data))
            ;
        text_finish(&data);
        close(fd);
    }
    int fd = link_up();
    struct text data = {0};
    static const char endless[] = "M\377\377\377\377";
    send_bytes(fd, endless, 5);
    while (take_frame(fd, &data))
        ;
    text_finish(&data);
    close(fd);
    assert_true(log_says("node1 begins a frame of 4294967295 bytes, too long"));
    close(link_up());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_knows_the_secret_is_welcome_and_answered),
        cmocka_unit_test(test_a_silent_peer_is_let_go),
        cmocka_unit_test(test_a_later_link_takes_the_place_of_the_earlier),
        cmocka_unit_test(test_another_secret_is_refused),
        cmocka_unit_test(test_its_own_proof_is_not_taken_back),
        cmocka_unit_test(test_a_proof_is_good_for_one_connection),
        cmocka_unit_test(test_an_earlier_life_is_refused),
        cmocka_unit_test(test_strangers_are_told_why),
        cmocka_unit_test(test_rubbish_ends_the_connection),
        cmocka_unit_test(test_rubbish_on_a_link_ends_the_link),
    };
    return cmocka_run_group_tests_name("the peer port", tests, start_node, stop_node);
}
