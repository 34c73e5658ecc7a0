# mirror.mk: the mirroring library's parts, each by itself; the whole is the simulator's (sim.mk).
$(call unit_test,base/base,tests/mirror/test_base.c,base)
$(call unit_test,mirror/content,tests/mirror/test_content.c,mirror base)
$(call unit_test,mirror/policy,tests/mirror/test_policy.c,mirror base)
$(call unit_test,wire/codec,tests/mirror/test_codec.c,wire mirror base)
$(call unit_test,mirror/trace,tests/mirror/test_trace.c,mirror base)
