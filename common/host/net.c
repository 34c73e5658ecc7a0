/* net.c: the AMQP clients. One rule: a connection is marked in the middle of a turn and freed when the turn
 * is swept, so that nothing is closed inside its own handler. */
#include "host/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* one read: many frames */
#define READ_BYTES (256u << 10)
/* a client is told that its output went out when less than this is left of it */
#define OUTPUT_LOW (64u << 10)
/* a connection that is being closed may take so long to take what was written, and then to close its end */
#define FLUSH_MS  5000
#define LINGER_MS 1000
/* when the app stops: for both together */
#define STOP_LINGER_MS 500
/* accepting again after descriptors ran out */
#define ACCEPT_AGAIN_MS 100

#define SLOTS 65536
/* descriptors that are not for AMQP clients: the log, the links, the management API */
#define OWN_FILES 128

struct client {
    struct net *net;
    uint64_t id;
    struct tcp tcp;
    bool paused, dirty, drained, gone;
    bool closing; /* nothing more is handed in */
    bool shut;    /* our end is closed, theirs is waited for */
    ms_time close_by;
};

static struct client *find(const struct net *n, uint64_t id)
{
    size_t slot = (size_t)(id % SLOTS);
    struct client *c = slot < n->slots.len ? n->slots.items[slot] : NULL;
    return c && c->id == id && !c->gone ? c : NULL;
}

static void mark_gone(struct client *c)
{
    if (c->gone)
        return;
    c->gone = true;
    tcp_read(&c->tcp, false);
    VEC_PUSH(&c->net->gone, c);
    loop_again(c->net->part.loop);
}

static void mark_dirty(struct client *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    VEC_PUSH(&c->net->dirty, c);
}

static void mark_closing(struct client *c, ms_time close_by)
{
    struct loop *loop = c->net->part.loop;
    if (!c->closing) {
        c->closing = true;
        c->net->closing++;
        c->close_by = close_by;
        if (!c->gone)
            tcp_read(&c->tcp, true); /* to see its end close */
    }
    c->close_by = u64_min(c->close_by, close_by);
    loop_wake_at(loop, c->close_by);
    mark_dirty(c);
}

/* ---- reading ---- */

static void client_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct client *c = arg;
    struct loop *loop = c->net->part.loop;
    if (c->gone)
        return;
    ssize_t n = recv(fd, c->net->buffer, READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        mark_gone(c);
        return;
    }
    loop_moved(loop, (size_t)n);
    if (c->closing)
        return;
    loop_step(loop,
              &(struct event){.type = EV_CLIENT_DATA,
                              .now = loop_now(loop),
                              .u.client = {.conn = c->id, .data = bytes_of(c->net->buffer, (size_t)n)}});
}

static void flush_client(struct client *c)
{
    size_t pending = tcp_pending(&c->tcp);
    if (c->gone)
        return;
    if (pending && !watch_is_on(c->tcp.writable)) {
        size_t sent = tcp_flush(&c->tcp);
        loop_moved(c->net->part.loop, sent);
        if (sent && tcp_pending(&c->tcp) < OUTPUT_LOW && !c->drained && !c->closing) {
            c->drained = true;
            VEC_PUSH(&c->net->drained, c);
            loop_again(c->net->part.loop);
        }
    }
    if (c->closing && !c->shut && tcp_pending(&c->tcp) == 0) {
        c->shut = true;
        tcp_shutdown(&c->tcp);
        c->close_by = u64_min(c->close_by, loop_now(c->net->part.loop) + LINGER_MS);
        loop_wake_at(c->net->part.loop, c->close_by);
    }
}

static void client_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    mark_dirty(arg);
}

/* ---- accepting ---- */

struct address {
    char host[NI_MAXHOST];
    uint16_t port;
    bool loopback;
};

static void read_address(const struct sockaddr *sa, socklen_t len, struct address *out)
{
    char port[NI_MAXSERV] = "0";
    *out = (struct address){.host = "?"};
    if (getnameinfo(sa, len, out->host, sizeof(out->host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        out->port = (uint16_t)strtoul(port, NULL, 10);
    if (sa->sa_family == AF_INET) {
        out->loopback = ntohl(((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr) >> 24 == 127;
    } else if (sa->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
        out->loopback = IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
    }
}

static uint32_t take_slot(struct net *n)
{
    if (n->free_slots.len)
        return n->free_slots.items[--n->free_slots.len];
    VEC_PUSH(&n->slots, NULL);
    return (uint32_t)(n->slots.len - 1);
}

/* Clients must not take the descriptors that the log and the links to other nodes need. */
static size_t most_clients(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files))
        return SLOTS / 2;
    uint64_t rest = files.rlim_cur > 2 * OWN_FILES ? files.rlim_cur - OWN_FILES : files.rlim_cur / 2;
    return (size_t)u64_min(rest, SLOTS);
}

static void pause_accepting(struct net *n, const char *why)
{
    struct loop *loop = n->part.loop;
    if (!n->accept_told)
        loop_note(loop, "alarm", NULL, "no more clients can come in (%zu are connected): %s", n->clients,
                  why);
    n->accept_told = true;
    n->accept_paused = true;
    n->accept_again_at = loop_now(loop) + ACCEPT_AGAIN_MS;
    evconnlistener_disable(n->listener);
    loop_wake_at(loop, n->accept_again_at);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int sa_len,
                     void *arg)
{
    (void)listener;
    struct net *n = arg;
    struct loop *loop = n->part.loop;
    uint32_t slot = take_slot(n);
    struct client *c = xcalloc(1, sizeof(*c));
    c->net = n;
    c->id = ++n->last_sequence * SLOTS + slot;
    n->slots.items[slot] = c;
    n->clients++;
    tcp_init(&c->tcp, loop->base, fd, client_readable, client_writable, c);
    tcp_read(&c->tcp, true);

    struct sockaddr_storage local = {0};
    socklen_t local_len = sizeof(local);
    struct address peer, here;
    getsockname(fd, (struct sockaddr *)&local, &local_len);
    read_address(sa, (socklen_t)sa_len, &peer);
    read_address((struct sockaddr *)&local, local_len, &here);
    loop_step(loop, &(struct event){.type = EV_CLIENT_OPEN,
                                    .now = loop_now(loop),
                                    .u.client = {.conn = c->id,
                                                 .peer_host = peer.host,
                                                 .peer_port = peer.port,
                                                 .local_host = here.host,
                                                 .local_port = here.port,
                                                 .loopback = peer.loopback}});
    if (n->clients >= n->clients_most)
        pause_accepting(n, "the limit of open files allows no more; raise it (ulimit -n)");
    else if (n->clients < n->clients_most / 2)
        n->accept_told = false;
}

static void accept_failed(struct evconnlistener *listener, void *arg)
{
    int why = EVUTIL_SOCKET_ERROR();
    (void)listener;
    if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM)
        pause_accepting(arg, strerror(why)); /* else: that one connection went away again */
}

static void open_listener(struct net *n)
{
    struct loop *loop = n->part.loop;
    const struct node_config_peer *self = &loop->config.nodes[loop->config.self];
    int why, fd = tcp_listen(self->host, self->amqp, &why);
    if (fd < 0) {
        loop_app_failed(loop, loop_port_error(loop, "amqp", self->host, self->amqp, why));
        loop_again(loop);
        return;
    }
    n->listener =
        evconnlistener_new(loop->base, accepted, n, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    ASSERT(n->listener);
    evconnlistener_set_error_cb(n->listener, accept_failed);
}

static void close_listener(struct net *n)
{
    if (n->listener)
        evconnlistener_free(n->listener);
    n->listener = NULL;
    n->accept_paused = false;
}

static void close_all(struct net *n, ms_time close_by)
{
    for (size_t i = 0; i < n->slots.len; i++)
        if (n->slots.items[i])
            mark_closing(n->slots.items[i], close_by);
}

/* ---- what the broker wants ---- */

void net_reply(struct net *n, const struct effect *fx)
{
    struct client *c = find(n, fx->u.client.conn);
    if (!c || c->shut)
        return;
    if (fx->u.client.msg) {
        tcp_add(&c->tcp, fx->u.client.data, fx->u.client.split);
        tcp_add_message_body(&c->tcp, fx->u.client.msg);
        tcp_add(&c->tcp, fx->u.client.data + fx->u.client.split, fx->u.client.data_len - fx->u.client.split);
    } else {
        tcp_add(&c->tcp, fx->u.client.data, fx->u.client.data_len);
    }
    mark_dirty(c);
}

void net_close(struct net *n, const struct effect *fx)
{
    struct client *c = find(n, fx->u.client.conn);
    if (c)
        mark_closing(c, loop_now(n->part.loop) + FLUSH_MS);
}

void net_pause(struct net *n, const struct effect *fx)
{
    struct client *c = find(n, fx->u.client.conn);
    if (!c || c->paused || c->closing)
        return;
    c->paused = true;
    tcp_read(&c->tcp, false);
}

void net_resume(struct net *n, const struct effect *fx)
{
    struct client *c = find(n, fx->u.client.conn);
    if (!c || !c->paused || c->closing)
        return;
    c->paused = false;
    tcp_read(&c->tcp, true);
}

/* ---- as a part ---- */

/* Ports that are taken are told at once, not when the node comes to serve. */
static bool net_part_open(struct part *p, char **error)
{
    const struct node_config *config = &p->loop->config;
    const struct node_config_peer *self = &config->nodes[config->self];
    const struct {
        const char *key;
        uint16_t port;
    } ports[] = {{"amqp", self->amqp}, {"http", self->http}};
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        int why, fd = tcp_listen(self->host, ports[i].port, &why);
        if (fd < 0) {
            *error = loop_port_error(p->loop, ports[i].key, self->host, ports[i].port, why);
            return false;
        }
        close(fd);
    }
    return true;
}

static void forget(struct client *c)
{
    struct net *n = c->net;
    uint32_t slot = (uint32_t)(c->id % SLOTS);
    n->slots.items[slot] = NULL;
    VEC_PUSH(&n->free_slots, slot);
    n->clients--;
    n->closing -= c->closing;
    tcp_finish(&c->tcp);
    free(c);
}

static void accept_again(struct net *n, ms_time now)
{
    if (!n->accept_paused || n->clients >= n->clients_most)
        return; /* who leaves makes a turn, and that looks here */
    if (n->accept_again_at > now) {
        loop_wake_at(n->part.loop, n->accept_again_at);
        return;
    }
    n->accept_paused = false;
    evconnlistener_enable(n->listener);
}

static void net_part_sweep(struct part *p)
{
    struct net *n = CONTAINER_OF(p, struct net, part);
    struct loop *loop = p->loop;
    ms_time now = loop_now(loop);
    for (size_t i = 0; i < n->drained.len; i++) {
        struct client *c = n->drained.items[i];
        c->drained = false;
        if (!c->gone && !c->closing)
            loop_step(loop,
                      &(struct event){.type = EV_CLIENT_DRAINED, .now = now, .u.client = {.conn = c->id}});
    }
    n->drained.len = 0;
    for (size_t i = 0; n->closing && i < n->slots.len; i++) {
        struct client *c = n->slots.items[i];
        if (c && c->closing && !c->gone) {
            if (c->close_by <= now)
                mark_gone(c);
            else
                loop_wake_at(loop, c->close_by);
        }
    }
    /* every list but gone is left without it before it is freed */
    if (n->gone.len) {
        size_t kept = 0;
        for (size_t i = 0; i < n->dirty.len; i++)
            if (!n->dirty.items[i]->gone)
                n->dirty.items[kept++] = n->dirty.items[i];
        n->dirty.len = kept;
    }
    for (size_t i = 0; i < n->gone.len; i++) {
        uint64_t id = n->gone.items[i]->id;
        forget(n->gone.items[i]);
        loop_step(loop, &(struct event){.type = EV_CLIENT_CLOSED, .now = now, .u.client = {.conn = id}});
    }
    n->gone.len = 0;
    accept_again(n, now);
}

static void net_part_flush(struct part *p)
{
    struct net *n = CONTAINER_OF(p, struct net, part);
    struct loop *loop = p->loop;
    if (loop->serving && !n->listener)
        open_listener(n);
    if (!loop->serving && n->listener) {
        close_listener(n);
        close_all(n, loop_now(loop) + FLUSH_MS);
    }
    for (size_t i = 0; i < n->dirty.len; i++) {
        n->dirty.items[i]->dirty = false;
        flush_client(n->dirty.items[i]);
    }
    n->dirty.len = 0;
}

static bool net_part_close(struct part *p)
{
    struct net *n = CONTAINER_OF(p, struct net, part);
    close_listener(n);
    close_all(n, p->loop->closing_since + STOP_LINGER_MS);
    net_part_flush(p);
    return n->clients == 0;
}

static const struct part_ops net_part = {
    .open = net_part_open,
    .sweep = net_part_sweep,
    .flush = net_part_flush,
    .close = net_part_close,
};

void net_init(struct net *n, struct loop *loop)
{
    *n = (struct net){.buffer = xmalloc(READ_BYTES), .clients_most = most_clients()};
    loop_add_part(loop, &n->part, &net_part);
}

void net_finish(struct net *n)
{
    close_listener(n);
    for (size_t i = 0; i < n->slots.len; i++)
        if (n->slots.items[i])
            forget(n->slots.items[i]);
    VEC_FREE(&n->slots);
    VEC_FREE(&n->free_slots);
    VEC_FREE(&n->dirty);
    VEC_FREE(&n->drained);
    VEC_FREE(&n->gone);
    free(n->buffer);
}
