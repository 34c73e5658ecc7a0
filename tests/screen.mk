# screen.mk: what the screen shows and where it takes it from.
SCREEN_TUI     := $(wildcard tui/*.c)
SCREEN_SUPPORT := tests/screen/support.c $(SCREEN_TUI)
SCREEN_LIBS    := -lncursesw -ltinfo

$(call unit_test,screen/canvas,tests/screen/test_canvas.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/snapshot,tests/screen/test_snapshot.c tests/screen/merged.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/snapshot_parted,tests/screen/test_snapshot_parted.c tests/screen/merged.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/model,tests/screen/test_model.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/forms,tests/screen/test_forms.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/keys,tests/screen/test_keys.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/named_keys,tests/screen/test_named_keys.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/history,tests/screen/test_history.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/losses,tests/screen/test_losses.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/events,tests/screen/test_events.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/acting,tests/screen/test_acting.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/prompt,tests/screen/test_prompt.c $(filter-out tui/main/labctl.c,$(wildcard tui/main/labctl*.c)) $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/find,tests/screen/test_find.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/mouse,tests/screen/test_mouse.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/lesson_keys,tests/screen/test_lesson_keys.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/advice,tests/screen/test_advice.c tests/lab/look.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/shown,tests/screen/test_shown.c tests/lab/look.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/predict,tests/screen/test_predict.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/lesson_texts,tests/screen/test_lesson_texts.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/refused,tests/screen/test_refused.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/unanswered,tests/screen/test_unanswered.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/apart,tests/screen/test_apart.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/frames,tests/screen/test_frames.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/account,tests/screen/test_account.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/lesson_view,tests/screen/test_lesson_view.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/compare,tests/screen/test_compare.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/time,tests/screen/test_time.c tests/screen/session_made.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/damaged,tests/screen/test_damaged.c tests/screen/session_made.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/paused,tests/screen/test_paused.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/documents,tests/screen/test_documents.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/words,tests/screen/test_words.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(BUILD)/tests/screen/documents $(BUILD)/tests/screen/words $(BUILD)/tests/screen/lesson_texts: | catalogues
SCREEN_SCHED := tests/screen/played.c tui/main/lab_sim.c tui/main/lab_sim_look.c tui/main/lab_sim_seeded.c tui/main/lab_replay_screen.c
$(call unit_test,screen/sched,tests/screen/test_sched.c $(SCREEN_SCHED) $(SCREEN_SUPPORT),lab client sim store wire mirror base,$(SCREEN_LIBS))
$(call unit_test,screen/sched_seeded,tests/screen/test_sched_seeded.c tests/screen/seed_run.c $(SCREEN_SCHED) $(SCREEN_SUPPORT),lab client sim store wire mirror base,$(SCREEN_LIBS))
$(call unit_test,screen/observe,tests/screen/test_observe.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/node_log,tests/screen/test_node_log.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/terminal,tests/screen/test_terminal.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)

$(call unit_test,screen/pace,tests/screen/test_pace.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)
$(call unit_test,screen/idle,tests/screen/test_idle.c tests/screen/story.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)

$(call unit_test,screen/forged,tests/screen/test_forged.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)

$(call unit_test,screen/matrix,tests/screen/test_matrix.c tests/screen/scene.c tests/screen/terminal.c tests/screen/fake.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS) -lvterm -lutil)
$(BUILD)/tests/screen/matrix: | catalogues

# a lesson in a terminal, on real nodes; the same program for both engines, which it knows by its name
SCREEN_WALK := tests/screen/walk_lesson.c tests/screen/terminal.c tests/cluster/support.c tests/cluster/http.c
$(call screen_test,screen/walk_kit,$(SCREEN_WALK),base,-lvterm -lutil)
$(call screen_test,screen/walk_rabbitmq,$(SCREEN_WALK),base,-lvterm -lutil)

# what lab says without a screen
$(call screen_test,screen/command,tests/screen/test_command.c tests/cluster/support.c tests/cluster/http.c,base)

# what was seen of a real lab is what its recording shows
$(call screen_test,screen/recording,tests/screen/test_recording.c tests/cluster/support.c tests/cluster/http.c,base)

# frames in texts: drawn from recordings of real runs, which `make recordings` makes anew (LESSON=3: that lesson's)
.PHONY: frames recordings
frames: $(BUILD)/lab catalogues
	@$(BUILD)/lab frames --update $(FRAME_TEXTS)
recordings: all
	@tests/screen/recordings/record $(BUILD) $(PORTS) $(LESSON)
	@$(MAKE) --no-print-directory frames
FRAME_TEXTS := $(wildcard README*.md lessons/*/README*.md docs/*.md)
PORTS       := 5672,15672,25672

# messages: what became of them, and how it is drawn
$(call unit_test,screen/published,tests/screen/test_published.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/ledger,tests/screen/test_ledger.c tests/screen/judge.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/ledger_parted,tests/screen/test_ledger_parted.c tests/screen/judge.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/memory,tests/screen/test_memory.c tests/screen/judge.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/ledger_number,tests/screen/test_ledger_number.c tests/screen/judge.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/unnumbered,tests/screen/test_unnumbered.c tests/screen/watched.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/message,tests/screen/test_message.c tests/screen/watched.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/details,tests/screen/test_details.c tests/screen/watched.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/queue_page,tests/screen/test_queue_page.c tests/screen/watched.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/management,tests/screen/test_management.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/legend,tests/screen/test_legend.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(BUILD)/tests/screen/legend: | catalogues
$(call unit_test,screen/pause,tests/screen/test_pause.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/past,tests/screen/test_past.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/kept,tests/screen/test_kept.c tests/screen/kept_scene.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))
$(call unit_test,screen/kept_lost,tests/screen/test_kept_lost.c tests/screen/kept_scene.c tests/screen/story.c $(SCREEN_SUPPORT),lab base,$(SCREEN_LIBS))

# what acts, in tmux on real nodes
$(call screen_test,screen/act_kit,tests/screen/act_kit.c tests/cluster/support.c tests/cluster/http.c,base)
