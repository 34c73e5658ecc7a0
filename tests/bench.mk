# bench.mk: `make bench` measures the kit, `make bench ENGINE=rabbitmq` RabbitMQ, `make bench ENGINE=both` the two
# side by side with their ratio. The table is printed, build/bench.json has every run.
# Some measures: make bench ONLY=failover,sync; fewer runs: RUNS=1. What they are: tests/bench/bench.c.
ENGINE ?= kit
ONLY   ?=
RUNS   ?= 3

BENCH_HELP := tests/bench/amqp.c tests/bench/load.c tests/cluster/http.c tests/cluster/support.c
bench_program = $(patsubst %.c,$(BUILD)/obj/%.o,$(1) $(BENCH_HELP)) $(BUILD)/libbase.a

$(BUILD)/bench: $(call bench_program,tests/bench/bench.c tests/bench/nodes.c tests/bench/report.c tests/bench/screen.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SANITIZE) $^ $(LDFLAGS) -o $@ -ljansson -lutil

.PHONY: bench bench-instructions
bench: $(BUILD)/bench all
	@BUILD=$(BUILD) $(BUILD)/bench --engine $(ENGINE) --runs $(RUNS) $(if $(ONLY),--only $(ONLY)) \
	    --json $(BUILD)/bench.json

# how many instructions a node spends on a message, by valgrind's callgrind: repeatable on a busy machine
$(BUILD)/bench-instructions: $(call bench_program,tests/bench/instructions.c)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SANITIZE) $^ $(LDFLAGS) -o $@ -ljansson
bench-instructions: $(BUILD)/bench-instructions all
	@BUILD=$(BUILD) $(BUILD)/bench-instructions
