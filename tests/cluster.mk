# cluster.mk: tests on real processes. Each program starts a lab of its own, in a folder and on ports of its own.
# MIRRORLAB_TEST_KEEP=1 leaves the lab's folder, with its nodes' logs, behind.
#
# Which program tests which promise. R: also true of RabbitMQ, which `make test-rabbitmq` shows with the same
# programs (MIRRORLAB_TEST_ENGINE=rabbitmq build/tests/cluster/article). The numbers in the scenario_*.c are those of the table
# in docs/semantics.md.
#
#     article      R  both parts of the article, row by row
#     placement    R  a queue follows its policy, through allowed places only; exactly k, with nodes that come and
#                     go; the master moves to a synchronised mirror only; min-masters
#     promotion    R  who may take over after a stop or a crash, under all promote settings; one confirmed message
#                     and kill -9 at once; exclusive queues; rolling restarts with and without a sync
#     consumer     R  x-cancel-on-ha-failover, and a consumer that is served on
#     confirm      R  one answer for each message, returns, deleted queues; queues used while policies come and go
#     sync         R  sync, cancel, automatic; a mirror that returns under full load
#     start-again  R  all stopped, started in another order; torn and garbage log tails (the kit's log)
#     membership      forget_cluster_node, reset, join_cluster; nodes that join a queue of exactly k
#     partition    R  pause_minority, ignore, autoheal
#     cut             one link cut, whole and one way: what it is, and what the three make of it
#     join         R  nodes that join a running cluster, leave it, are forgotten
#     kill-loop       kills, stops and cuts, one at a time, with producers and consumers at work
#     failover        a publisher at full speed while master or mirror goes
#     bad-input    R  bytes that are no AMQP, and AMQP out of place
#     disk, leak, start: kill -9 of all, a full disk; valgrind; configurations that are wrong
CLUSTER_HELP := tests/cluster/test.c tests/cluster/support.c tests/cluster/http.c tests/bench/amqp.c

SCENARIO_HELP := tests/cluster/scenario.c tests/cluster/user.c $(CLUSTER_HELP)
WORKER_HELP := tests/cluster/workers.c tests/cluster/account.c

$(call cluster_test,cluster/article,tests/cluster/test_article.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/bad-input,tests/cluster/test_bad_input.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/start,tests/cluster/test_start.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/disk,tests/cluster/test_disk.c tests/cluster/numbers.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/leak,tests/cluster/test_leak.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/failover,tests/cluster/test_failover.c tests/cluster/numbers.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/placement,tests/cluster/scenario_placement.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/promotion,tests/cluster/scenario_promotion.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/confirm,tests/cluster/scenario_confirm.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/consumer,tests/cluster/scenario_consumer.c tests/cluster/account.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/start-again,tests/cluster/scenario_start.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/sync,tests/cluster/scenario_sync.c $(WORKER_HELP) $(SCENARIO_HELP),base)
$(call cluster_test,cluster/partition,tests/cluster/scenario_partition.c tests/cluster/partition.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/cut,tests/cluster/scenario_cut.c tests/cluster/partition.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/join,tests/cluster/scenario_join.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/membership,tests/cluster/scenario_membership.c $(SCENARIO_HELP),base)
$(call cluster_test,cluster/kill-loop,tests/cluster/test_kill_loop.c $(WORKER_HELP) $(SCENARIO_HELP),base)
$(call cluster_test,cluster/big-queue,tests/cluster/test_big_queue.c tests/cluster/numbers.c tests/bench/load.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/slow-mirror,tests/cluster/test_slow_mirror.c tests/cluster/numbers.c $(CLUSTER_HELP),base)

# `make test` plays a few faults; this plays FAULTS of them, and one seed again: make test-long SEED=42
FAULTS ?= 300
SEED   ?=
.PHONY: test-long test-rabbitmq
test-long: all $(BUILD)/tests/cluster/kill-loop
	@BUILD=$(BUILD) MIRRORLAB_TEST_FAULTS=$(FAULTS) MIRRORLAB_TEST_SEED=$(SEED) $(BUILD)/tests/cluster/kill-loop

# the programs marked R on RabbitMQ (make deps-rabbitmq)
RABBITMQ_TESTS := $(addprefix $(BUILD)/tests/cluster/,article bad-input placement promotion consumer confirm sync \
                    start-again partition join)
test-rabbitmq: test-start all $(RABBITMQ_TESTS)
	@MIRRORLAB_TEST_ENGINE=rabbitmq $(RUN_TESTS) -j 1 -t 900 rabbitmq $(RABBITMQ_TESTS) || true
	@tests/run -l $(TEST_LOGS) --summary

# lessons/schedules on the simulator and on the kit; test-schedules: on RabbitMQ as well, where it is installed
$(call cluster_test,cluster/replay,tests/cluster/test_replay.c $(CLUSTER_HELP),base)
# and the shortest that lose, on RabbitMQ: a minute or two; skipped, and said so, where it is not installed
$(call cluster_test,cluster/replay-rabbitmq,tests/cluster/test_replay_rabbitmq.c $(CLUSTER_HELP),base)
.PHONY: test-schedules
test-schedules: all $(BUILD)/tests/cluster/replay
	@BUILD=$(BUILD) $(BUILD)/tests/cluster/replay
	@if command -v rabbitmq-server >/dev/null || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]; then \
	    BUILD=$(BUILD) MIRRORLAB_TEST_ENGINE=rabbitmq $(BUILD)/tests/cluster/replay; \
	else echo 'rabbitmq-server is not installed (make deps-rabbitmq): its part was left out'; fi
