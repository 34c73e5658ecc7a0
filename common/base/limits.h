/* limits.h: every limit of the kit in one place, each with the reason for its value. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* A set of nodes is one 32-bit word; nobody teaches with more. */
#define LIMIT_NODES 32

/* AMQP short strings are at most 255 bytes, and so is every name. */
#define LIMIT_NAME 255

/* One frame to or from an AMQP client; RabbitMQ's default. */
#define LIMIT_FRAME_MAX 131072

/* Channels of one connection; RabbitMQ's default. */
#define LIMIT_CHANNEL_MAX 2047

/* How long a message or a queue may live, in ms: ten years, RabbitMQ's limit. */
#define LIMIT_TTL_MS 315360000000

/* A message's body: RabbitMQ 3.10's default is 128 MiB. */
#define LIMIT_BODY (128u << 20)

/* One message between nodes: a body, its envelope, and room for a batch around it. */
#define LIMIT_PEER_FRAME (LIMIT_BODY + (16u << 20))

/* Queues, policies, exchanges, bindings and users: the table goes to other nodes in one message when a view
 * changes, so what would make it larger is refused. Hundreds of thousands of queues fit. */
#define LIMIT_TABLE_BYTES LIMIT_BODY

/* What goes to another node together: many operations of a queue, many deliveries. A message of one batch is
 * this long and one body at most. */
#define LIMIT_BATCH_MESSAGES 512
#define LIMIT_BATCH_BYTES    (256u << 10)

/* What one node keeps of publishes that are not confirmed yet, for each queue: past this the publishers'
 * connections are not read until confirms come back. Large enough to hide a round trip at full speed. */
#define LIMIT_UNCONFIRMED_MESSAGES 32768
#define LIMIT_UNCONFIRMED_BYTES    (32u << 20)

/* Deliveries on their way to a consumer that its client's socket has not taken yet. */
#define LIMIT_DELIVERY_WINDOW 2048

/* An HTTP request's body: definitions of a class fit many times over. */
#define LIMIT_HTTP_BODY (4u << 20)

/* Events kept for the feed. */
#define LIMIT_EVENTS 4096

/* Masters that a queue remembers to have had, by the places they gave: messages that outlive more are told
 * apart by their places alone. */
#define LIMIT_REIGNS 16

/* Entries kept of what happened to messages while somebody looks: a megabyte. */
#define LIMIT_TRACE 8192

/* A log segment; small enough that dropping old ones frees disk soon. */
#define LIMIT_SEGMENT_BYTES (64u << 20)

/* Messages of one sync batch when the policy does not say (RabbitMQ's default ha-sync-batch-size). */
#define LIMIT_SYNC_BATCH 4096

/* Queues that a node copies at once; the next one begins when one of them has ended. Each has two batches of
 * up to 1 MiB on their way, and what waits for one node must stay far below what a link may hold
 * (host/peers.c). */
#define LIMIT_SYNCS 16

#endif
