# sim.mk: the simulator's tests. swarm: seeds 1..20000, or SEEDS of them (make test-sim SEEDS=1000000).
SIM_ARCHIVES := sim store wire mirror base
SHRINK := tests/sim/shrink.c tests/sim/shrink_story.c tests/sim/shrink_line.c
$(call sim_test,sim/swarm,tests/sim/swarm.c $(SHRINK),$(SIM_ARCHIVES))
$(call unit_test,sim/story_failover,tests/sim/story_failover.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_promotion,tests/sim/story_promotion.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_sync,tests/sim/story_sync.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_limits,tests/sim/story_limits.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_bounds,tests/sim/story_bounds.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_partition,tests/sim/story_partition.c,$(SIM_ARCHIVES))
$(call unit_test,sim/found,tests/sim/test_found.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_past,tests/sim/story_past.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_unseen,tests/sim/story_unseen.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_placement,tests/sim/story_placement.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_membership,tests/sim/story_membership.c,$(SIM_ARCHIVES))
$(call unit_test,sim/story_start,tests/sim/story_start.c,$(SIM_ARCHIVES))
$(call sim_test,sim/test_checker,tests/sim/test_checker.c $(SHRINK),$(SIM_ARCHIVES))

$(call unit_test,sim/shrink,tests/sim/test_shrink.c tests/sim/shrink_story.c tests/sim/shrink_line.c,$(SIM_ARCHIVES))

# a failure names the commit it was built from
COMMIT := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
.PHONY: commit
commit:
$(BUILD)/commit: commit
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@
$(BUILD)/obj/tests/sim/swarm.o: $(BUILD)/commit
$(BUILD)/obj/tests/sim/swarm.o: CPPFLAGS += -DCOMMIT='"$(COMMIT)"'

# schedules: their text, the search, and every schedule of the kit played on the simulator
$(call unit_test,sim/sched,tests/sim/test_sched.c,base)
$(call sim_test,sim/search,tests/sim/test_search.c,$(SIM_ARCHIVES))
$(call unit_test,sim/replay,tests/sim/test_replay.c tui/main/lab_sim.c tui/main/lab_sim_look.c,lab $(SIM_ARCHIVES))
$(call unit_test,sim/replay_random,tests/sim/test_replay_random.c tui/main/lab_sim.c tui/main/lab_sim_look.c,lab $(SIM_ARCHIVES))
