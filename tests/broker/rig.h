/* rig.h: brokers and clients in one process, without sockets, clocks or disks: what one node sends is handed
 * to the other, what is to be written counts as written at the end of the round. Clients write frames and
 * read what came back as lines of text, so that a test reads like a conversation:
 *
 *     client_get(c, 1, "q");
 *     expect(c, "1: basic.get-empty");
 */
#ifndef TESTS_BROKER_RIG_H
#define TESTS_BROKER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <amqp.h>
#include <amqp_framing.h>

#include "base/text.h"
#include "base/vec.h"
#include "broker/broker.h"
#include "wire/amqp.h"

#define RIG_NODES 3

struct client;

struct rig {
    size_t nodes_len;
    struct broker *nodes[RIG_NODES]; /* NULL: not running */
    uint64_t persisted[RIG_NODES];
    bool serving[RIG_NODES];
    ms_time now;
    uint64_t next_conn, incarnation;
    VEC(struct client *) clients;
    VEC(struct rig_mail {
        node_id from;
        node_id to;
        struct text bytes;
    })
    mail;
    bool unchecked;        /* figures only: the library does not go through its invariants after each step */
    bool hold_disk;        /* nothing more reaches the disk */
    bool hold_mail;        /* nor the other nodes */
    size_t table_bytes;    /* so large may the table be; 0: as a node's */
    size_t bytes_cut;      /* hand client bytes over in pieces of this size; 0: whole */
    struct effect *answer; /* the last FX_ANSWER for the host */
    char *told;            /* the last event for people */
    unsigned told_len, pauses, resumes;
};

struct client {
    struct rig *rig;
    size_t node;
    uint64_t id;
    struct wire_buffer in; /* what came back; [in_at, len) not read yet */
    size_t in_at;
    bool closed, paused;
    struct text line;
    struct text props; /* of the last message read: flags and list */
};

struct rig *rig_create(size_t nodes);
struct rig *rig_create_with(size_t nodes, size_t table_bytes);
void rig_destroy(struct rig *r);
void rig_run(struct rig *r); /* until nothing more happens */
void rig_step(struct rig *r, size_t node, struct event *ev);
void rig_later(struct rig *r, ms_time ms); /* time passes */
void rig_stop(struct rig *r, size_t node); /* in order */
void rig_kill(struct rig *r, size_t node);
void rig_perform(struct rig *r, size_t node, struct effects *fx);
void rig_policy(struct rig *r, size_t node, const char *pattern, const char *definition);

struct client *client_connect(struct rig *r, size_t node); /* the socket only */
struct client *client_open(struct rig *r, size_t node);    /* admin, with channel 1 */
struct client *client_login(struct rig *r, size_t node, const char *user, const char *password,
                            const char *vhost, bool capabilities, uint16_t heartbeat_s, uint32_t frame_max,
                            uint16_t channel_max);
void client_send(struct client *c, const void *data, size_t len);
void client_buffer(struct client *c, struct wire_buffer *b); /* sends and empties it */
void client_method(struct client *c, uint16_t channel, uint32_t method, void *decoded);
const char *client_read(struct client *c); /* the next frame as a line; NULL: none */
void client_drain(struct client *c);
void client_hang_up(struct client *c);

/* methods with everything else at its default */
void client_declare(struct client *c, uint16_t channel, const char *queue, bool durable);
/* arguments: "x-max-length=3 x-overflow=reject-publish": numbers, true, or words */
void client_declare_with(struct client *c, uint16_t channel, const char *queue, bool durable,
                         const char *arguments);
void client_declare_exchange(struct client *c, uint16_t channel, const char *name, const char *type);
void client_bind(struct client *c, uint16_t channel, const char *queue, const char *exchange,
                 const char *key);
void client_get(struct client *c, uint16_t channel, const char *queue);
void client_consume(struct client *c, uint16_t channel, const char *queue, const char *tag, bool no_ack);
void client_qos(struct client *c, uint16_t channel, uint16_t count, bool global);
void client_ack(struct client *c, uint16_t channel, uint64_t tag, bool multiple);
void client_nack(struct client *c, uint16_t channel, uint64_t tag, bool multiple, bool requeue);
void client_confirm(struct client *c, uint16_t channel);
void client_publish(struct client *c, uint16_t channel, const char *exchange, const char *key,
                    const char *body);
void client_publish_as(struct client *c, uint16_t channel, const char *exchange, const char *key,
                       const void *body, size_t len, bool mandatory,
                       const amqp_basic_properties_t *properties);
void put_publish(struct wire_buffer *b, uint16_t channel, const char *exchange, const char *key,
                 const void *body, size_t len, bool mandatory, const amqp_basic_properties_t *properties);
amqp_bytes_t words(const char *s);

/* Fails the test unless the next frame reads so; a line that ends in * only has to begin so. */
void expect_at(struct client *c, const char *line, const char *file, int at);
#define expect(c, line)   expect_at(c, line, __FILE__, __LINE__)
#define expect_nothing(c) expect_at(c, NULL, __FILE__, __LINE__)

#endif
