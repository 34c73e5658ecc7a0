# deps.mk: what the kit needs from the system; tests/deps/deps holds the list and what each is for.
.PHONY: deps deps-rabbitmq
deps:
	@tests/deps/deps
deps-rabbitmq:
	@tests/deps/deps --rabbitmq

$(call cluster_test,deps/deps,tests/deps/test_deps.c tests/cluster/support.c tests/cluster/http.c,base)
