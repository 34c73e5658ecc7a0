/* clients.h: publishers, consumers and getters that behave as programs do: they connect to some node, go to
 * another one when theirs closes, declare what they need, acknowledge late, forget, requeue and die. */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include "sim/sim.h"

enum client_kind { CLIENT_PUBLISHER, CLIENT_CONSUMER, CLIENT_GETTER, CLIENT_OWNER };

/* What one of them is like. */
struct client_plan {
    enum client_kind kind;
    const char *queue; /* borrowed */
    unsigned declare;  /* SIM_DURABLE ...: how it declares its queue if it is not there; not of consumers */
    const struct queue_args *args; /* and with what; borrowed; NULL: none */
    uint64_t pace_us;              /* about so long between two acts */
    unsigned messages;             /* PUBLISHER: how many in all */
    unsigned persistent_percent;
    uint32_t prefetch;  /* CONSUMER */
    unsigned flags;     /* SIM_NO_ACK, SIM_CANCEL_ON_FAILOVER */
    uint64_t settle_us; /* about so long from a delivery to its acknowledgement */
    unsigned requeue_percent, discard_percent, leave_percent;
};

void clients_add(struct sim *s, const struct client_plan *plan, uint64_t seed);
void clients_pause(struct sim *s); /* publishers wait, consumers only settle */
void clients_resume(struct sim *s);
void clients_leave(struct sim *s); /* all connections end; nobody comes back */

#endif
