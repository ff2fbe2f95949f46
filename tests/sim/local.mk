# SPDX-License-Identifier: Apache-2.0
# The simulated world, and clustersim: seeds, stories, scenarios, replays.
bin_PROGRAMS += tests/sim/clustersim
world_sources = tests/sim/admin.c tests/sim/apart.c tests/sim/chaos.c tests/sim/checkers.c tests/sim/corosync.c \
	tests/sim/fence.c tests/sim/measure.c tests/sim/move.c tests/sim/perform.c tests/sim/qemu.c tests/sim/record.c tests/sim/sanlock.c tests/sim/spoiled.c tests/sim/spoiled.h tests/sim/strange.c tests/sim/word.c \
	tests/sim/storage.c tests/sim/store.c tests/sim/tip.c tests/sim/world.c tests/sim/world.h
tests_sim_clustersim_SOURCES = $(world_sources) tests/sim/sim.c tests/sim/story.c tests/sim/story.h \
	tests/sim/story_ask.c tests/sim/story_define.c tests/sim/story_host.c tests/sim/story_request.c tests/sim/story_words.c \
	tests/sim/replay.c \
	tests/sim/replay.h tests/sim/scenario.h tests/sim/scenario_reader.h tests/sim/scenario_act.c \
	tests/sim/scenario_command.c tests/sim/scenario_moves.c \
	tests/sim/scenario_ask.c tests/sim/scenario_define.c tests/sim/scenario_io.c \
	tests/sim/scenario_run.c tests/sim/scenario_setup.c tests/sim/scenario_steps_io.c \
	tests/sim/scenario_trace.c tests/sim/scenario_vms_io.c tests/sim/scenario_watch.c \
	tests/sim/scenario_snapshot.c tests/sim/scenario_weights_io.c \
	tests/sim/scenario_words.c $(libcore_a_SOURCES)
tests_sim_clustersim_CFLAGS = $(AM_CFLAGS) $(SIM_CFLAGS)
tests_sim_clustersim_LDADD = libedges.a $(QB_LIBS) $(JANSSON_LIBS) $(XML_LIBS) -lpthread -lm

world_sources += tests/sim/questions.c

check_PROGRAMS += tests/sim/whatif_check
tests_sim_whatif_check_SOURCES = tests/sim/whatif_check.c $(world_sources)
tests_sim_whatif_check_LDADD = libedges.a libcore.a $(QB_LIBS) -lpthread
TESTS += tests/sim/seeds_check tests/sim/stories_check tests/sim/replay_check
dist_noinst_SCRIPTS += tests/sim/seeds_check tests/sim/stories_check tests/sim/replay_check
