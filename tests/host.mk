# host.mk: the host's tests, and the check that each lesson's node.c only grows.
.PHONY: lint-lessons
lint: lint-lessons
lint-lessons:
	@tests/host/lessons-grow
