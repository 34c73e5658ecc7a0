# broker.mk: AMQP as bytes, and the broker by itself: clients and up to three nodes in one process (tests/broker/rig.h).
BROKER_RIG      := tests/broker/rig.c tests/broker/client.c tests/broker/client_read.c
BROKER_ARCHIVES := broker wire mirror base
$(call unit_test,wire/amqp,tests/broker/test_wire.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/connection,tests/broker/test_connection.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/queue,tests/broker/test_queue.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/route,tests/broker/test_route.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/publish,tests/broker/test_publish.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/consume,tests/broker/test_consume.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/limits,tests/broker/test_limits.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/dead_letter,tests/broker/test_dead_letter.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/full,tests/broker/test_full.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/turns,tests/broker/test_turns.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/cluster,tests/broker/test_cluster.c $(BROKER_RIG),$(BROKER_ARCHIVES))
$(call unit_test,broker/garbage,tests/broker/test_garbage.c $(BROKER_RIG),$(BROKER_ARCHIVES))

# what an operation costs, in instructions: once, without sanitizers
$(call sim_test,broker/cost,tests/broker/test_cost.c $(BROKER_RIG),$(BROKER_ARCHIVES))

# what a message costs: make figures-broker
$(eval $(call test_rule,broker/figures,tests/broker/figures.c $(BROKER_RIG),$(BROKER_ARCHIVES)))
.PHONY: figures-broker
figures-broker: $(BUILD)/tests/broker/figures
	tests/broker/figures.sh $<
