# store.mk: the log and its disks.
$(call unit_test,store/log,tests/store/test_log.c,store base)
$(call unit_test,store/compact,tests/store/test_compact.c,store base)
$(call unit_test,store/disks,tests/store/test_disks.c common/host/disk_files.c,store base)
