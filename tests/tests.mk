# tests.mk: how tests are declared, built and run. The Makefile reads this file first, then every other
# tests/*.mk, so a fragment may use the functions below wherever its name falls in the alphabet.
#
# A test is a cmocka program, declared by one line in the area's own fragment (tests/<area>.mk):
#
#     $(call unit_test,base/text,tests/unit/base/test_text.c,base)
#     $(call unit_test,mirror/promote,tests/unit/mirror/test_promote.c tests/unit/mirror/cluster.c,mirror base)
#     $(call unit_test,tui/layout,tests/unit/tui/test_layout.c tui/layout.c tui/text.c,lab base)
#
#                      name       sources (.c, from the root)          archives: the X of build/libX.a, any order
#
#   unit_test     runs by itself: no other process, no port. Runs twice: as build/tests/NAME, and built with
#                 ASan and UBSan as build/asan/tests/NAME. Several at once.
#   sim_test      the simulator's long searches. Runs once, optimised. Several at once.
#   cluster_test  starts real processes (build/lab, build/labctl, lessons are built before). Several at once, on ports
#                 apart (MIRRORLAB_TEST_PORT): they wait for facts more than they work.
#   screen_test   drives the TUI in a real terminal; as cluster_test, and together with them.
#
# Every program links cmocka and, as needed, the libraries of its archives. What else it links goes into a fourth
# argument: $(call unit_test,name,sources,archives,-lvterm).
#
# A program passes if it exits 0, prints cmocka's closing lines, and ran at least one test. Its output is kept in
# build/test-logs/GROUP/NAME.log. One group alone: make test-unit, test-asan, test-sim, test-cluster, test-screen;
# one program alone: make build/tests/base/text && build/tests/base/text. What takes long begins first (LONG, below).

UNIT_TESTS    :=
SIM_TESTS     :=
CLUSTER_TESTS :=
SCREEN_TESTS  :=

# seconds that one program of a group may take; sanitizers slow a program down two to four times
TIME_UNIT    ?= 120
TIME_ASAN    ?= 240
TIME_SIM     ?= $(if $(SEEDS),$(shell echo $$((420 + $(SEEDS) / 50))),420)
TIME_LABS    ?= 240

unit_test    = $(eval $(call test_rule,$(1),$(2),$(3),$(4)))$(eval UNIT_TESTS    += $(BUILD)/tests/$(1))
sim_test     = $(eval $(call test_rule,$(1),$(2),$(3),$(4)))$(eval SIM_TESTS     += $(BUILD)/tests/$(1))
cluster_test = $(eval $(call test_rule,$(1),$(2),$(3),$(4)))$(eval CLUSTER_TESTS += $(BUILD)/tests/$(1))
screen_test  = $(eval $(call test_rule,$(1),$(2),$(3),$(4)))$(eval SCREEN_TESTS  += $(BUILD)/tests/$(1))

define test_rule
$(BUILD)/tests/$(strip $(1)): $$(patsubst %.c,$(BUILD)/obj/%.o,$(2)) $$(patsubst %,$(BUILD)/lib%.a,$(3))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(OPT) $$(SANITIZE) $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	    $$(LDFLAGS) -o $$@ -Wl,--as-needed $(4) -lcmocka $$(LIB_LAB) $$(LIB_PURE) $$(LIB_HOST) -lm
endef

# ---- running -----------------------------------------------------------------------------------------------

JOBS      ?= $(shell nproc 2>/dev/null || echo 2)
TEST_LOGS := $(BUILD)/test-logs
RUN_TESTS  = BUILD=$(BUILD) tests/run -l $(TEST_LOGS)
SUBMAKE    = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))
ASAN_BUILD = $(BUILD)/asan
ASAN_FLAGS = -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
# -g1: the names and lines of a report are all that is wanted; with variables a fifth of the time goes into them
MAKE_ASAN  = $(SUBMAKE) -k BUILD=$(ASAN_BUILD) SANITIZE="$(ASAN_FLAGS)" OPT="-O1 -g1" $(ASAN_TESTS) || true
ASAN_TESTS = $(UNIT_TESTS:$(BUILD)/%=$(ASAN_BUILD)/%)

# What takes more than a few seconds, the longest of each group first: else it would begin last, and all wait for it.
LONG := sim/swarm sim/search sim/test_checker mutants/fit broker/cost \
        screen/damaged screen/pace screen/idle screen/terminal screen/forged screen/matrix screen/pause screen/time sim/replay_random mirror/content sim/shrink \
        host/files screen/observe \
        cluster/replay screen/walk_rabbitmq cluster/cut cluster/replay-rabbitmq cluster/kill-loop screen/walk_kit \
        cluster/big-queue screen/act_kit cluster/partition cluster/start-again
not_tests  = $(filter-out $(patsubst $(BUILD)/tests/%,%,$(UNIT_TESTS) $(SIM_TESTS) $(CLUSTER_TESTS) $(SCREEN_TESTS)),$(LONG))
long_first = $(if $(not_tests),$(error LONG in tests/tests.mk: no test is called $(not_tests)))$(foreach t,$(LONG),$(filter %/tests/$(t),$(1))) $(filter-out $(LONG:%=$(BUILD)/tests/%) $(LONG:%=$(ASAN_BUILD)/tests/%),$(1))

# A program that is waited for leaves a core to another.
RUN_UNIT = $(RUN_TESTS) -j $$(($(JOBS) + 1)) -t $(TIME_UNIT) unit $(call long_first,$(UNIT_TESTS)) || true
RUN_ASAN = $(RUN_TESTS) -j $$(($(JOBS) + 1)) -t $(TIME_ASAN) asan $(call long_first,$(ASAN_TESTS)) || true
RUN_SIM  = $(RUN_TESTS) -j $(JOBS) -t $(TIME_SIM) sim $(call long_first,$(SIM_TESTS)) || true
# ports: above Linux's range for outgoing connections, one of which could otherwise sit on a port that a node wants
LABS     ?= 3
RUN_LABS = $(RUN_TESTS) -j $(LABS) -p $(or $(MIRRORLAB_TEST_PORT),61000) -t $(TIME_LABS)

# What does not build is a failed test, not the end of the run: -k, and tests/run looks for each program.
BUILD_FAILED = echo '0 0 1 make-all (above)' >>$(TEST_LOGS)/results

.PHONY: test test-unit test-asan test-sim test-cluster test-screen test-start
test: deps test-start
	+@$(SUBMAKE) -k all $(UNIT_TESTS) $(SIM_TESTS) $(CLUSTER_TESTS) $(SCREEN_TESTS) || $(BUILD_FAILED)
	+@$(MAKE_ASAN)
	@$(RUN_UNIT)
	@$(RUN_ASAN)
	@$(RUN_SIM)
	@$(RUN_LABS) labs $(call long_first,$(CLUSTER_TESTS) $(SCREEN_TESTS)) || true
	@tests/run -l $(TEST_LOGS) --summary

test-start:
	@rm -rf $(TEST_LOGS) && mkdir -p $(TEST_LOGS)

test-unit: test-start
	+@$(SUBMAKE) -k all $(UNIT_TESTS) || $(BUILD_FAILED)
	@$(RUN_UNIT)
	@tests/run -l $(TEST_LOGS) --summary
test-asan: test-start
	+@$(SUBMAKE) -k all || $(BUILD_FAILED)
	+@$(MAKE_ASAN)
	@$(RUN_ASAN)
	@tests/run -l $(TEST_LOGS) --summary
test-sim: test-start
	+@$(SUBMAKE) -k $(SIM_TESTS) || true
	@$(RUN_SIM)
	@tests/run -l $(TEST_LOGS) --summary
test-cluster: test-start
	+@$(SUBMAKE) -k all $(CLUSTER_TESTS) || $(BUILD_FAILED)
	@$(RUN_LABS) cluster $(call long_first,$(CLUSTER_TESTS)) || true
	@tests/run -l $(TEST_LOGS) --summary
# What fails now and then is a bug: ROUNDS times in a row, to the first failure (its logs stay).
ROUNDS ?= 20
.PHONY: test-rounds
test-rounds:
	+@for round in $$(seq $(ROUNDS)); do \
	    echo "round $$round of $(ROUNDS)"; $(SUBMAKE) test-cluster || exit 1; \
	done
test-screen: test-start
	+@$(SUBMAKE) -k all $(SCREEN_TESTS) || $(BUILD_FAILED)
	@$(RUN_LABS) screen $(call long_first,$(SCREEN_TESTS)) || true
	@tests/run -l $(TEST_LOGS) --summary
