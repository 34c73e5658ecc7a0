# lint.mk: what the compiler does not check. One check alone: tests/lint/lint layers (purity, shape, format, tidy,
# cppcheck, man, words). The checker itself is tested by tests/lint/test_lint.c,
# the runner of the tests by test_run.c.
.PHONY: lint format
lint: all
	@tests/lint/lint --build $(BUILD)

# lays out every C file as .clang-format says
format:
	find common tui lessons tests -name '*.[ch]' | xargs clang-format -i

$(call cluster_test,lint/lint,tests/lint/test_lint.c tests/cluster/support.c tests/cluster/http.c,base)
$(call cluster_test,lint/run,tests/lint/test_run.c tests/cluster/support.c tests/cluster/http.c,base)
