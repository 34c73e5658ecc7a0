# labctl.mk: what labctl prints, against recordings of rabbitmqctl 3.10.8, and what it does to real nodes.
LABCTL_TESTED := $(filter-out tui/main/labctl.c,$(wildcard tui/main/labctl*.c))

$(call unit_test,labctl/output,tests/labctl/test_output.c tests/labctl/run.c tests/labctl/fake_node.c $(LABCTL_TESTED),lab base)
$(call unit_test,labctl/rabbitmq,tests/labctl/test_rabbitmq.c tests/labctl/run.c $(LABCTL_TESTED),lab base)
$(call cluster_test,labctl/nodes,tests/labctl/test_nodes.c tests/cluster/test.c tests/cluster/support.c tests/cluster/http.c,base)
