# lab.mk: tests of common/lab (configuration, folder, lessons and their proofs, processes) and common/client.
$(call unit_test,lab/config,tests/lab/test_config.c,lab base)
$(call unit_test,lab/labdir,tests/lab/test_labdir.c,lab base)
$(call unit_test,lab/fact,tests/lab/test_fact.c,lab base)
$(call unit_test,lab/proof,tests/lab/test_proof.c,lab base)
$(call unit_test,lab/lesson_kept,tests/lab/test_lesson_kept.c,lab base)
$(call unit_test,lab/lesson_files,tests/lab/test_lesson_files.c,lab base)
$(call unit_test,lab/args,tests/lab/test_args.c,client base)
$(call cluster_test,lab/process,tests/lab/test_process.c,lab base)
