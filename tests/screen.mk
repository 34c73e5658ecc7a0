# screen.mk: what the screen shows and where it takes it from.
SCREEN_TUI := $(wildcard tui/*.c)

$(call unit_test,screen/frames,tests/screen/test_frames.c tests/screen/support.c $(SCREEN_TUI),lab base,-lncursesw -ltinfo)
