/* producer.c: puts "Hello World" into a queue, as the article's producer does: a durable queue, a message
 * without properties. Read it whole; later lessons only add lines. */
#include <stdio.h>

#include "client/client.h"

static const struct client_option options[] = {
    {"host", "127.0.0.1", "the node to connect to"},
    {"port", "5672", "its AMQP port"},
    {"user", "admin", "who logs in"},
    {"password", "123", "and with what"},
    {"queue", "hello", "the queue to publish to"},
    {"message", "Hello World", "what to say"},
    {"count", "1", "how many times to say it"},
    {"persistent", NULL, "ask for the message to be kept on disk"},
    {0},
};

int main(int argc, char **argv)
{
    struct client_args args;
    int exit_code;
    if (!client_args_read(&args, argc, argv, options, &exit_code))
        return exit_code;
    const char *queue = client_text(&args, "queue"), *text = client_text(&args, "message");
    long count = client_number(&args, "count");

    struct client *c = client_connect(client_text(&args, "host"), client_number(&args, "port"),
                                      client_text(&args, "user"), client_text(&args, "password"));

    /* Any node of the cluster will do to talk to. The queue will live on the one that it is declared through.
     */
    if (!client_error(c))
        printf("connected to %s:%s\n", client_text(&args, "host"), client_text(&args, "port"));

    /* Durable: the queue itself survives its node's restart. What is in it is another question. */
    client_declare(c, queue, true);

    for (long i = 1; i <= count; i++) {
        struct client_message m = {.body = text, .len = strlen(text)};
        m.persistent = client_switch(&args, "persistent"); /* delivery-mode 2 */
        client_publish(c, queue, &m);
    }

    client_close(c);
    const char *error = client_error(c);
    if (error)
        fprintf(stderr, "%s\n", error);
    else
        printf("published %ld message(s) to %s: %s\n", count, queue, text);
    exit_code = error ? 1 : 0;
    client_destroy(c);
    return exit_code;
}
