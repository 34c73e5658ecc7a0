# mutants.mk: mistakes planted in copies of the kit's files; the swarm has to notice each (tests/mutants/mutants).
#   make test-mutants            plays them all
#   make test-mutants SHRINK=1   and shrinks what each breaks to a schedule of 30 events at most
#   make test-mutants WRITE=1    and writes what it saw into docs/mutants.md
.PHONY: test-mutants
MUTANTS := COMPILE="$(CC) $(CSTD) $(OPT) $(SANITIZE) $(CPPFLAGS)" LINK="$(CC) $(OPT) $(SANITIZE) $(LDFLAGS)" \
          LIBRARIES="-lcmocka $(LIB_PURE) -lm" tests/mutants/mutants --build $(BUILD)
test-mutants: $(BUILD)/tests/sim/swarm
	@$(MUTANTS) $(if $(WRITE),--write,$(if $(SHRINK),--shrink))

# that they still fit the code is part of make test, and that a few are noticed and shrunk
$(call sim_test,mutants/fit,tests/mutants/test_mutants.c tests/cluster/support.c tests/cluster/http.c,base)
$(BUILD)/tests/mutants/fit: | $(BUILD)/tests/sim/swarm
$(BUILD)/obj/tests/mutants/test_mutants.o: CPPFLAGS += -DMUTANTS='"$(subst ",\",$(MUTANTS))"'
