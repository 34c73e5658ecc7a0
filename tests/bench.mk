# bench.mk: `make bench` measures the kit, `make bench ENGINE=rabbitmq` RabbitMQ, `make bench ENGINE=both` the two
# side by side with their ratio. The table is printed, build/bench.json has every run.
# Some measures: make bench ONLY=failover,sync; fewer runs: RUNS=1. What they are: tests/bench/bench.c.
ENGINE ?= kit
ONLY   ?=
RUNS   ?= 3

BENCH_OBJ := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/bench/*.c) tests/cluster/http.c tests/cluster/support.c)

$(BUILD)/bench: $(BENCH_OBJ) $(BUILD)/libbase.a
	$(CC) $(OPT) $(SANITIZE) $^ $(LDFLAGS) -o $@ -ljansson

.PHONY: bench
bench: $(BUILD)/bench all
	BUILD=$(BUILD) $(BUILD)/bench --engine $(ENGINE) --runs $(RUNS) $(if $(ONLY),--only $(ONLY)) --json $(BUILD)/bench.json
