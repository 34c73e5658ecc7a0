# docs.mk: what the documents say of bytes is what the code writes.
$(call unit_test,docs/protocol,tests/docs/test_protocol.c tests/docs/page.c tests/docs/fields.c,wire store mirror base)
