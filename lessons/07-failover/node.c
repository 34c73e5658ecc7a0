/* A node. Everything it knows about queues is in common/broker and common/mirror, which never touch a socket,
 * a file or a clock: they are told what happened, and say what they want done. This file says who does it. */
#include "host/loop.h"
#include "host/net.h"
#include "host/node_log.h"
#include "host/peers.h"

struct node {
    /* turns, time, the management API; first, so that they find the rest */
    struct loop loop;
    /* what is found again after stop_app and start_app: in memory, so a kill loses it */
    struct node_log log;
    /* AMQP clients */
    struct net net;
    /* links to the other nodes */
    struct peers peers;
};

/* The rules this node plays by, one a line. */
static void rules(struct broker_options *o)
{
    /* a client that has said nothing for twice as long is gone */
    o->heartbeat_s = 60;
    /* a persistent message is confirmed once it is on the disk, wherever it is held */
    o->mirror.confirm_after_disk = true;
    /* any message is confirmed once every mirror has it */
    o->mirror.confirm_after_mirrors = true;
    /* the mirror that has been one for longest takes over when the master goes */
    o->mirror.oldest_promoted = true;
}

/* Does one thing that the broker wants done. They come in order, and are done in order. */
static void perform(struct node *n, const struct effect *fx)
{
    switch (fx->type) {
    case FX_REPLY: net_reply(&n->net, fx); break;
    case FX_CLOSE: net_close(&n->net, fx); break;
    case FX_PAUSE: net_pause(&n->net, fx); break;
    case FX_RESUME: net_resume(&n->net, fx); break;
    case FX_PERSIST: node_log_append(&n->log, fx); break;
    case FX_SEND:
        /* to the other nodes, where there are any */
        peers_send(&n->peers, fx);
        break;
    case FX_ANSWER: loop_answer(&n->loop, fx); break;
    case FX_EVENT: loop_event(&n->loop, fx); break;
    case FX_SERVING: loop_serving(&n->loop, fx); break;
    case FX_STOPPED:
    case FX_RESTART: loop_stopped(&n->loop, fx); break;
    case FX_FAILED: loop_failed(&n->loop, fx); break;
    case FX_DELIVER: /* these are between the mirroring library and the broker: none comes out */
    case FX_CONFIRM:
    case FX_CANCELLED:
    case FX_META:
    case FX_META_ALL:
    case FX_QUEUE_GONE:
    case FX_QUEUE_OPEN:
    case FX_DEAD_LETTER: break;
    }
}

int main(int argc, char **argv)
{
    struct node n;
    loop_init(&n.loop, argc, argv, rules, perform);
    node_log_init(&n.log, &n.loop);
    node_log_on_disk(&n.log); /* what is on it is there again after a kill, too */
    peers_init(&n.peers, &n.loop);
    peers_watch(&n.peers); /* a node that is silent has gone, too: its link need not be closed */
    net_init(&n.net, &n.loop);
    int code = loop_run(&n.loop);
    net_finish(&n.net);
    peers_finish(&n.peers);
    node_log_finish(&n.log);
    loop_finish(&n.loop);
    return code;
}
