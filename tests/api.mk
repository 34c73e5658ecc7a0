# api.mk: the management API and the control socket, against recordings of RabbitMQ 3.10.8.
API_HELP := tests/api/raw.c tests/cluster/test.c tests/cluster/support.c tests/cluster/http.c
NODE_LIB := host store broker wire mirror base

$(call unit_test,api/rates,tests/api/test_rates.c,$(NODE_LIB))
$(call unit_test,api/properties,tests/api/test_properties.c,$(NODE_LIB))
$(call cluster_test,api/replay,tests/api/test_replay.c $(API_HELP),base)
$(call cluster_test,api/bad-requests,tests/api/test_bad_requests.c $(API_HELP),base)
$(call cluster_test,api/fields,tests/api/test_fields.c $(API_HELP),base)
$(call cluster_test,api/trace,tests/api/test_trace.c tests/cluster/user.c $(API_HELP),base)
