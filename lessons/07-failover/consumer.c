/* consumer.c: takes messages out of a queue and prints them, as the article's consumer does. With auto-ack a
 * message is gone from the queue as soon as the broker has sent it. */
#include <stdio.h>

#include "client/client.h"

static const struct client_option options[] = {
    {"host", "127.0.0.1", "the node to connect to"},
    {"port", "5672", "its AMQP port"},
    {"user", "admin", "who logs in"},
    {"password", "123", "and with what"},
    {"queue", "hello", "the queue to consume"},
    {"count", "1", "how many messages to wait for"},
    {"timeout", "5", "seconds to wait for the next one"},
    {"manual-ack", NULL, "acknowledge each message once it is printed"},
    {0},
};

int main(int argc, char **argv)
{
    struct client_args args;
    int exit_code;
    if (!client_args_read(&args, argc, argv, options, &exit_code))
        return exit_code;
    const char *queue = client_text(&args, "queue");
    long count = client_number(&args, "count"), timeout = client_number(&args, "timeout"), got = 0;
    bool auto_ack = true;
    long repeated = 0;
    if (client_switch(&args, "manual-ack"))
        auto_ack = false; /* the queue keeps a message until it is acknowledged */

    struct client *c = client_connect(client_text(&args, "host"), client_number(&args, "port"),
                                      client_text(&args, "user"), client_text(&args, "password"));

    /* Any node of the cluster will do to talk to; the queue may live on another one. */
    if (!client_error(c))
        printf("connected to %s:%s\n", client_text(&args, "host"), client_text(&args, "port"));

    /* What is sent and not acknowledged goes back when we leave, marked redelivered: ask for no more than we
     * want. */
    if (!auto_ack)
        client_prefetch(c, count);

    client_consume(c, queue, auto_ack);

    struct client_message m;
    while (got < count && client_receive(c, (int)timeout * 1000, &m) == 0) {
        got++;
        repeated += m.redelivered; /* after a failover a message may come a second time, and says so */
        printf("received: %s\n", m.body);
        printf("    it was published %s\n", m.persistent ? "persistent" : "transient");
        client_ack(c, &m);
    }

    client_close(c);
    const char *error = client_error(c);
    if (error)
        fprintf(stderr, "%s\n", error);
    else if (got < count)
        printf("%s came within %ld s: %ld of %ld received\n", got ? "    no other" : "no message", timeout,
               got, count);
    if (!error && count > 1)
        printf("%ld of %ld received, %ld of them redelivered\n", got, count, repeated);
    exit_code = error || got < count ? 1 : 0;
    client_destroy(c);
    return exit_code;
}
