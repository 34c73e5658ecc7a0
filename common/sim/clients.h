/* clients.h: publishers, consumers and getters that behave as programs do: they connect to some node, go to
 * another one when theirs closes, declare what they need, acknowledge late, forget, requeue and die. */
#ifndef SIM_CLIENTS_H
#define SIM_CLIENTS_H

#include "base/sched.h"
#include "sim/sim.h"

/* What one of them is like; all is borrowed, as long as the world lasts. */
struct client_plan {
    const struct sched_client *like;
    unsigned declare; /* SIM_DURABLE ...: how it declares its queue if it is not there; not of consumers */
    const struct queue_args *args; /* and with what; NULL: nothing */
};

void clients_add(struct sim *s, const struct client_plan *plan, uint64_t seed);
void clients_pause(struct sim *s); /* publishers wait, consumers only settle */
void clients_resume(struct sim *s);
void clients_leave(struct sim *s); /* all connections end; nobody comes back */

#endif
