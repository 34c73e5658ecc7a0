# screen.mk: what the screen shows and where it takes it from.
SCREEN_TUI     := $(wildcard tui/*.c)
SCREEN_SUPPORT := tests/screen/support.c $(SCREEN_TUI)
SCREEN_LIBS    := -lncursesw -ltinfo

$(call unit_test,screen/canvas,tests/screen/test_canvas.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/snapshot,tests/screen/test_snapshot.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/model,tests/screen/test_model.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/frames,tests/screen/test_frames.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/observe,tests/screen/test_observe.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/terminal,tests/screen/test_terminal.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)

# a lesson in a terminal, on real nodes; the same program for both engines, which it knows by its name
SCREEN_WALK := tests/screen/walk_lesson.c tests/screen/terminal.c tests/cluster/support.c tests/cluster/http.c
$(call screen_test,screen/walk_kit,$(SCREEN_WALK),base,-lvterm -lutil)
$(call screen_test,screen/walk_rabbitmq,$(SCREEN_WALK),base,-lvterm -lutil)
