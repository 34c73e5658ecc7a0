# docs.mk: what the documents say is so. protocol: bytes are as drawn; conversations: so are messages one after the
# other; references: what is named is there;
# claims: sentences of docs/semantics.md and protocol.md that no other test shows.
$(call unit_test,docs/protocol,tests/docs/test_protocol.c tests/docs/frames.c tests/docs/page.c tests/docs/fields.c,host broker mirror wire store base)
$(call unit_test,docs/references,tests/docs/test_references.c,base)
$(call unit_test,docs/claims,tests/docs/test_claims.c $(BROKER_RIG),sim store broker wire mirror base)
$(call unit_test,docs/conversations,tests/docs/test_conversations.c,sim store wire mirror base)
