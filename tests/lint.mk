# lint.mk: what the compiler does not check. One check alone: tests/lint/lint layers (purity, shape, format, tidy,
# cppcheck, man, words). The checker itself is tested by tests/lint/test_lint.c.
.PHONY: lint format
lint: all
	@tests/lint/lint --build $(BUILD)

# lays out every C file as .clang-format says
format:
	find common tui lessons tests -name '*.[ch]' | xargs clang-format -i

$(call cluster_test,lint/lint,tests/lint/test_lint.c tests/cluster/support.c tests/cluster/http.c,base)
