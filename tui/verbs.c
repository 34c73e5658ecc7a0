/* verbs.c: the table of verbs.h. */
#include "verbs.h"

#include "base/nearest.h"
#include "words.h"

#define QUEUE_COLUMNS                                                                                        \
    "name state policy pid slave_pids synchronised_slave_pids messages messages_ready "                      \
    "messages_unacknowledged messages_persistent message_bytes message_bytes_ready "                         \
    "message_bytes_unacknowledged consumers durable auto_delete exclusive arguments "                        \
    "effective_policy_definition sync_messages type memory"
#define CONNECTION_COLUMNS                                                                                   \
    "name user peer_host peer_port host port state channels protocol auth_mechanism connected_at vhost "     \
    "recv_cnt recv_oct send_cnt send_oct pid ssl frame_max channel_max client_properties timeout"
#define CHANNEL_COLUMNS                                                                                      \
    "name number user vhost connection consumer_count prefetch_count global_prefetch_count "                 \
    "messages_unacknowledged messages_unconfirmed confirm transactional pid"
#define CONSUMER_COLUMNS                                                                                     \
    "queue_name channel_pid consumer_tag ack_required prefetch_count active activity_status arguments"
#define EXCHANGE_COLUMNS "name type durable auto_delete internal arguments policy"
#define BINDING_COLUMNS  "source_name source_kind destination_name destination_kind routing_key arguments"

const struct verb verb_table[] = {
    /* the screen's own */
    {"publish", {WORD_FREE, WORD_FREE}, "<count> [<message>]", NULL, true, DANGER_NONE, OF_SCREEN},
    {"get", {WORD_FREE}, "[<count>|all]", NULL, true, DANGER_NONE, OF_SCREEN},
    {"clean", {WORD_NONE}, "", NULL, true, DANGER_CLEAN, OF_SCREEN},
    {"export", {WORD_FREE}, "[<file>]", NULL, false, DANGER_NONE, OF_SCREEN},
    {"quit", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_SCREEN},

    /* labctl's, in its order */
    {"help", {WORD_VERB}, "[<command>]", NULL, false, DANGER_NONE, OF_SELECTED},
    {"version", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_SELECTED},
    {"await_startup", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_SELECTED},
    {"force_boot", {WORD_NONE}, "", NULL, true, DANGER_NONE, OF_SELECTED},
    {"force_reset", {WORD_NONE}, "", NULL, true, DANGER_RESET, OF_SELECTED},
    {"kill", {WORD_NONE}, "", NULL, true, DANGER_KILL, OF_SELECTED},
    {"reset", {WORD_NONE}, "", NULL, true, DANGER_RESET, OF_SELECTED},
    {"start", {WORD_NONE}, "", NULL, true, DANGER_NONE, OF_SELECTED},
    {"start_app", {WORD_NONE}, "", NULL, true, DANGER_NONE, OF_SELECTED},
    {"stop_app", {WORD_NONE}, "", NULL, true, DANGER_NONE, OF_SELECTED},
    {"cluster_status", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_RUNNING},
    {"cut", {WORD_NODE, WORD_NODE}, "[--one-way] <node> [<node>]", NULL, true, DANGER_NONE, OF_SELECTED},
    {"forget_cluster_node", {WORD_NODE}, "<node>", NULL, true, DANGER_RESET, OF_RUNNING},
    {"heal", {WORD_NODE, WORD_NODE}, "[<node> [<node>]]", NULL, true, DANGER_NONE, OF_SELECTED},
    {"join_cluster", {WORD_NODE}, "<node>", NULL, true, DANGER_NONE, OF_SELECTED},
    {"cancel_sync_queue", {WORD_QUEUE}, "<queue>", NULL, true, DANGER_NONE, OF_RUNNING},
    {"sync_queue", {WORD_QUEUE}, "<queue>", NULL, true, DANGER_NONE, OF_RUNNING},
    {"list_users", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_RUNNING},
    {"list_permissions", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_RUNNING},
    {"list_vhosts", {WORD_COLUMNS}, "[<column> ...]", "name tracing", false, DANGER_NONE, OF_RUNNING},
    {"close_connection",
     {WORD_FREE, WORD_FREE},
     "<connection> <explanation>",
     NULL,
     true,
     DANGER_NONE,
     OF_RUNNING},
    {"events", {WORD_NONE}, "[--since <seq>]", NULL, false, DANGER_NONE, OF_SELECTED},
    {"list_bindings", {WORD_COLUMNS}, "[<column> ...]", BINDING_COLUMNS, false, DANGER_NONE, OF_RUNNING},
    {"list_channels", {WORD_COLUMNS}, "[<column> ...]", CHANNEL_COLUMNS, false, DANGER_NONE, OF_RUNNING},
    {"list_connections",
     {WORD_COLUMNS},
     "[<column> ...]",
     CONNECTION_COLUMNS,
     false,
     DANGER_NONE,
     OF_RUNNING},
    {"list_consumers", {WORD_COLUMNS}, "[<column> ...]", CONSUMER_COLUMNS, false, DANGER_NONE, OF_RUNNING},
    {"list_exchanges", {WORD_COLUMNS}, "[<column> ...]", EXCHANGE_COLUMNS, false, DANGER_NONE, OF_RUNNING},
    {"list_queues",
     {WORD_COLUMNS},
     "[--local] [--offline] [<column> ...]",
     QUEUE_COLUMNS,
     false,
     DANGER_NONE,
     OF_RUNNING},
    {"ping", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_SELECTED},
    {"status", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_SELECTED},
    {"clear_policy", {WORD_POLICY}, "<name>", NULL, true, DANGER_NONE, OF_RUNNING},
    {"list_policies", {WORD_NONE}, "", NULL, false, DANGER_NONE, OF_RUNNING},
    {"set_policy",
     {WORD_POLICY, WORD_FREE, WORD_DEFINITION},
     "[--priority <n>] [--apply-to <what>] <name> <pattern> <definition>",
     NULL,
     true,
     DANGER_NONE,
     OF_RUNNING},
    {"delete_queue",
     {WORD_QUEUE},
     "<queue> [--if-empty] [--if-unused]",
     NULL,
     true,
     DANGER_DELETE,
     OF_RUNNING},
    {"purge_queue", {WORD_QUEUE}, "<queue>", NULL, true, DANGER_PURGE, OF_RUNNING},
};
const size_t verb_table_len = ARRAY_LEN(verb_table);

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; name && i < verb_table_len; i++)
        if (strcmp(verb_table[i].name, name) == 0)
            return &verb_table[i];
    return NULL;
}

const char *verb_says(const char *name)
{
    static const struct {
        const char *name, *says;
    } own[] = {{"publish", N_("publishes to the selected queue (key p)")},
               {"get", N_("takes messages from the selected queue (key g)")},
               {"clean", N_("begins the lesson again: its queues and policies go (key B)")},
               {"export", N_("writes the list of events to a file (key E)")},
               {"quit", N_("leaves the screen; the nodes stay as they are (key q)")}};
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (strcmp(own[i].name, name) == 0)
            return own[i].says;
    return NULL;
}

const char *verb_like(const char *name)
{
    struct nearest n = {.typed = name};
    for (size_t i = 0; i < verb_table_len; i++)
        nearest_try(&n, verb_table[i].name);
    return n.like;
}

const char *verb_of(const char *const *argv)
{
    for (size_t i = argv[0] ? 1 : 0; argv[i]; i++) {
        bool value = strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "--node") == 0 ||
                     strcmp(argv[i], "--dir") == 0 || strcmp(argv[i], "-p") == 0 ||
                     strcmp(argv[i], "--vhost") == 0 || strcmp(argv[i], "-t") == 0 ||
                     strcmp(argv[i], "--timeout") == 0 || strcmp(argv[i], "--formatter") == 0;
        if (argv[i][0] != '-')
            return argv[i];
        if (value && argv[i + 1])
            i++;
    }
    return NULL;
}
