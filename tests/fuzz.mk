# fuzz.mk: bytes that nobody wrote, for what reads bytes: `make fuzz` lets libFuzzer (clang) look for FUZZ_SECONDS at
# each of the programs in tests/fuzz/, with ASan and UBSan on. Not a part of make test; what it found stays in
# build/fuzz/corpus and is where the next run begins. A finding ends it with the file that shows it again:
# build/fuzz/tests/fuzz/NAME FILE.
FUZZ_SECONDS ?= 60
FUZZ         := peer record amqp sched
FUZZ_BUILD   := $(BUILD)/fuzz
FUZZ_FLAGS   := -fsanitize=address,undefined,fuzzer-no-link -fno-omit-frame-pointer -fno-sanitize-recover=all

$(eval $(call test_rule,fuzz/peer,tests/fuzz/fuzz_peer.c,wire mirror base,-fsanitize=fuzzer))
$(eval $(call test_rule,fuzz/record,tests/fuzz/fuzz_record.c,wire mirror base,-fsanitize=fuzzer))
$(eval $(call test_rule,fuzz/sched,tests/fuzz/fuzz_sched.c,base,-fsanitize=fuzzer))
$(eval $(call test_rule,fuzz/amqp,tests/fuzz/fuzz_amqp.c $(BROKER_RIG),broker wire mirror base,-fsanitize=fuzzer))

.PHONY: fuzz
fuzz:
	+@$(SUBMAKE) CC=clang BUILD=$(FUZZ_BUILD) SANITIZE="$(FUZZ_FLAGS)" OPT="-O1 -g" $(FUZZ:%=$(FUZZ_BUILD)/tests/fuzz/%)
	@mkdir -p $(FUZZ:%=$(FUZZ_BUILD)/corpus/%)
	@cp lessons/schedules/*.sched $(FUZZ_BUILD)/corpus/sched
	@set -e; for f in $(FUZZ); do \
	    $(FUZZ_BUILD)/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -use_value_profile=1 -verbosity=0 \
	        -print_final_stats=1 -artifact_prefix=$(FUZZ_BUILD)/$$f- $(FUZZ_BUILD)/corpus/$$f >$(FUZZ_BUILD)/$$f.log 2>&1 || \
	        { tail -n 40 $(FUZZ_BUILD)/$$f.log; exit 1; }; \
	    printf 'fuzz %-6s %s inputs, no finding\n' $$f "$$(sed -n 's/^stat::number_of_executed_units: *//p' $(FUZZ_BUILD)/$$f.log)"; \
	done
