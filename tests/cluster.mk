# cluster.mk: tests on real processes. Each program starts a lab of its own, in a folder and on ports of its own.
# The article's rows and the bad input also hold on RabbitMQ:
#
#     MIRRORLAB_TEST_ENGINE=rabbitmq build/tests/cluster/article
#
# MIRRORLAB_TEST_KEEP=1 leaves the lab's folder, with its nodes' logs, behind.
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
$(call cluster_test,cluster/kill-loop,tests/cluster/test_kill_loop.c $(WORKER_HELP) $(SCENARIO_HELP),base)
$(call cluster_test,cluster/big-queue,tests/cluster/test_big_queue.c tests/cluster/numbers.c tests/bench/load.c $(CLUSTER_HELP),base)
$(call cluster_test,cluster/slow-mirror,tests/cluster/test_slow_mirror.c tests/cluster/numbers.c $(CLUSTER_HELP),base)
