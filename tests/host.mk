# host.mk: the host's tests, and the check that each lesson's node.c only grows.
$(call unit_test,host/config,tests/host/test_config.c common/host/node_config.c,mirror base)
$(call unit_test,host/files,tests/host/test_files.c,host broker mirror wire store base)
$(call unit_test,host/record-sieve,tests/host/test_record_sieve.c common/host/record_sieve.c,mirror wire store base)
$(call unit_test,host/pager,tests/host/test_pager.c common/host/pager.c,mirror base)
# a real node, met by a peer that the test plays
$(call cluster_test,host/peer-port,tests/host/test_peer_port.c tests/cluster/support.c tests/cluster/http.c,host broker mirror wire store base)

.PHONY: lint-lessons
lint: lint-lessons
lint-lessons:
	@tests/host/lessons-grow
