/* node_commands.c: commands of the management side that are answered later. One rule: each fn is called once,
 * outside of perform: with its answer, or with NULL when the app stops first. */
#include <stdlib.h>

#include "host/loop_private.h"

struct command {
    node_answer_fn *fn;
    void *arg;
};

uint64_t node_request(struct node *n, node_answer_fn *fn, void *arg)
{
    struct loop *l = loop_of(n);
    struct command *command = xmalloc(sizeof(*command));
    *command = (struct command){.fn = fn, .arg = arg};
    uint64_t req = REQ_HOST | ++l->last_req;
    map_set_u64(&l->commands, req, command);
    return req;
}

void node_command(struct node *n, struct event *ev, node_answer_fn *fn, void *arg)
{
    if (!node_broker(n)) {
        fn(arg, NULL);
        return;
    }
    ev->req = node_request(n, fn, arg);
    node_step(n, ev);
}

void loop_answer(struct loop *l, const struct effect *fx)
{
    struct command *command = map_remove_u64(&l->commands, fx->u.answer.req);
    if (command)
        VEC_PUSH(&l->answered, (struct answered){.command = command, .fx = fx});
}

void commands_run_answered(struct loop *l)
{
    /* a fn may issue the next command, and that may be answered at once: taken one by one */
    while (l->answered.len) {
        struct answered answered = l->answered.items[0];
        VEC_REMOVE(&l->answered, 0);
        answered.command->fn(answered.command->arg, answered.fx);
        free(answered.command);
    }
}

void commands_abandon(struct loop *l)
{
    size_t at = 0;
    struct command *command;
    struct map commands = l->commands;
    map_init(&l->commands);
    while ((command = map_next(&commands, &at))) {
        command->fn(command->arg, NULL);
        free(command);
    }
    map_finish(&commands);
}
