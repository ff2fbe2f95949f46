# SPDX-License-Identifier: Apache-2.0
# make check: no root, about a minute.
TESTS += tests/tidy $(check_PROGRAMS)
dist_noinst_SCRIPTS += tests/tidy tests/run tests/live/run
EXTRA_DIST += tests/unit/xml tests/stories tests/fuzz/corpus tests/live

unit_LIBS = libcore.a $(CMOCKA_LIBS)
edge_test_LIBS = libedges.a libcore.a $(CMOCKA_LIBS) $(edge_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_converge tests/unit/test_move_ends tests/unit/test_move_save tests/unit/test_move_target
check_PROGRAMS += tests/unit/test_shutdown tests/unit/test_move_loss tests/unit/test_moves tests/unit/test_drain tests/unit/test_move_dice
check_PROGRAMS += tests/unit/test_apply_rules tests/unit/test_double_run
check_PROGRAMS += tests/unit/test_measure tests/edge/test_measure_edge
check_PROGRAMS += tests/unit/test_balance tests/unit/test_loads
check_PROGRAMS += tests/unit/test_rules tests/unit/test_untouched
check_PROGRAMS += tests/unit/test_policies tests/unit/test_pro tests/edge/test_script tests/edge/test_ask
check_PROGRAMS += tests/unit/test_capacity
check_PROGRAMS += tests/unit/test_contradiction tests/unit/test_mend tests/unit/test_order
check_PROGRAMS += tests/unit/test_apply tests/unit/test_apply_life tests/unit/test_apply_dice tests/unit/test_codec tests/unit/test_cpu tests/unit/test_entry tests/unit/test_fields tests/unit/test_node_steps tests/unit/test_node_return tests/unit/test_loss tests/unit/test_placement tests/unit/test_smallest_change tests/unit/test_snapshot tests/unit/test_vm \
	tests/unit/test_view tests/unit/test_view_rules tests/unit/test_definition tests/unit/test_qemu_args \
	tests/edge/test_store tests/edge/test_store_mutant tests/edge/test_fence tests/edge/test_cpg_edge tests/edge/test_sanlock_edge tests/edge/test_qmp_edge tests/edge/test_host_edge \
	tests/edge/test_edges tests/edge/test_recorder tests/edge/test_cert tests/unit/test_progress tests/edge/test_link tests/edge/test_link_strangers tests/unit/test_clustadm tests/unit/test_node tests/unit/test_request tests/edge/test_ipc
endif

tests_edge_test_measure_edge_SOURCES = tests/edge/test_measure_edge.c
tests_edge_test_measure_edge_LDADD = $(edge_test_LIBS)
tests_unit_test_untouched_SOURCES = tests/unit/test_untouched.c
tests_unit_test_untouched_LDADD = $(unit_LIBS)
tests_unit_test_measure_SOURCES = tests/unit/test_measure.c
tests_unit_test_measure_LDADD = $(unit_LIBS)
check_PROGRAMS += tests/unit/test_bandwidth tests/edge/test_address tests/edge/test_output
check_PROGRAMS += tests/unit/test_forecast
tests_unit_test_forecast_SOURCES = tests/unit/test_forecast.c tests/unit/move_fixture.h tests/unit/cluster_fixture.h
tests_unit_test_forecast_LDADD = $(unit_LIBS)
tests_unit_test_bandwidth_SOURCES = tests/unit/test_bandwidth.c
tests_unit_test_bandwidth_LDADD = $(unit_LIBS)
tests_edge_test_address_SOURCES = tests/edge/test_address.c
tests_edge_test_address_LDADD = $(edge_test_LIBS)
tests_edge_test_output_SOURCES = tests/edge/test_output.c
tests_edge_test_output_LDADD = $(edge_test_LIBS)
tests_unit_test_converge_SOURCES = tests/unit/test_converge.c
tests_unit_test_converge_LDADD = $(unit_LIBS)
tests_unit_test_move_save_SOURCES = tests/unit/test_move_save.c tests/unit/move_ends_world.h
tests_unit_test_move_save_LDADD = $(unit_LIBS)
tests_unit_test_move_target_SOURCES = tests/unit/test_move_target.c tests/unit/move_ends_world.h
tests_unit_test_move_target_LDADD = $(unit_LIBS)
tests_unit_test_move_ends_SOURCES = tests/unit/test_move_ends.c tests/unit/move_ends_world.h
tests_unit_test_move_ends_LDADD = $(unit_LIBS)
tests_unit_test_apply_SOURCES = tests/unit/test_apply.c tests/unit/cluster_fixture.h
tests_unit_test_apply_LDADD = $(unit_LIBS)
tests_unit_test_apply_life_SOURCES = tests/unit/test_apply_life.c tests/unit/cluster_fixture.h
tests_unit_test_apply_life_LDADD = $(unit_LIBS)
tests_unit_test_apply_dice_SOURCES = tests/unit/test_apply_dice.c tests/unit/cluster_fixture.h
tests_unit_test_apply_dice_LDADD = $(unit_LIBS)
tests_unit_test_contradiction_SOURCES = tests/unit/test_contradiction.c tests/unit/cluster_fixture.h
tests_unit_test_contradiction_LDADD = $(unit_LIBS)
tests_unit_test_loads_SOURCES = tests/unit/test_loads.c tests/unit/cluster_fixture.h
tests_unit_test_loads_LDADD = $(unit_LIBS)
tests_unit_test_balance_SOURCES = tests/unit/test_balance.c
tests_unit_test_balance_LDADD = $(unit_LIBS)
tests_unit_test_capacity_SOURCES = tests/unit/test_capacity.c tests/unit/cluster_fixture.h
tests_unit_test_capacity_LDADD = $(unit_LIBS)
tests_unit_test_order_SOURCES = tests/unit/test_order.c tests/unit/cluster_fixture.h
tests_unit_test_order_LDADD = $(unit_LIBS)
tests_unit_test_mend_SOURCES = tests/unit/test_mend.c tests/unit/round_fixture.h tests/unit/cluster_fixture.h
tests_unit_test_mend_LDADD = $(unit_LIBS)
tests_unit_test_pro_SOURCES = tests/unit/test_pro.c
tests_unit_test_pro_LDADD = $(unit_LIBS)
tests_edge_test_ask_SOURCES = tests/edge/test_ask.c
tests_edge_test_ask_LDADD = $(edge_test_LIBS)
tests_edge_test_script_SOURCES = tests/edge/test_script.c
tests_edge_test_script_LDADD = $(edge_test_LIBS)
tests_unit_test_policies_SOURCES = tests/unit/test_policies.c tests/unit/cluster_fixture.h
tests_unit_test_policies_LDADD = $(edge_test_LIBS)
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c tests/unit/cluster_fixture.h
tests_unit_test_rules_LDADD = $(unit_LIBS)
tests_unit_test_apply_rules_SOURCES = tests/unit/test_apply_rules.c tests/unit/cluster_fixture.h
tests_unit_test_apply_rules_LDADD = $(unit_LIBS)
tests_unit_test_double_run_SOURCES = tests/unit/test_double_run.c tests/unit/cluster_fixture.h
tests_unit_test_double_run_LDADD = $(unit_LIBS)
tests_unit_test_codec_SOURCES = tests/unit/test_codec.c 
tests_unit_test_codec_LDADD = $(unit_LIBS)
tests_unit_test_cpu_SOURCES = tests/unit/test_cpu.c tests/unit/cluster_fixture.h
tests_unit_test_cpu_LDADD = $(unit_LIBS)
tests_unit_test_entry_SOURCES = tests/unit/test_entry.c 
tests_unit_test_entry_LDADD = $(unit_LIBS)
tests_unit_test_fields_SOURCES = tests/unit/test_fields.c 
tests_unit_test_fields_LDADD = $(unit_LIBS)
tests_unit_test_node_steps_SOURCES = tests/unit/test_node_steps.c tests/unit/node_steps_world.h tests/unit/cluster_fixture.h
tests_unit_test_node_return_SOURCES = tests/unit/test_node_return.c tests/unit/node_steps_world.h
tests_unit_test_node_return_LDADD = $(unit_LIBS)
tests_unit_test_node_steps_LDADD = $(unit_LIBS)
tests_unit_test_loss_SOURCES = tests/unit/test_loss.c 
tests_unit_test_loss_LDADD = $(unit_LIBS)
tests_unit_test_shutdown_SOURCES = tests/unit/test_shutdown.c tests/unit/cluster_fixture.h
tests_unit_test_shutdown_LDADD = $(unit_LIBS)
tests_unit_test_move_loss_SOURCES = tests/unit/test_move_loss.c
tests_unit_test_move_loss_LDADD = $(unit_LIBS)
tests_unit_test_move_dice_SOURCES = tests/unit/test_move_dice.c tests/unit/cluster_fixture.h
tests_unit_test_move_dice_LDADD = $(unit_LIBS)
tests_unit_test_drain_SOURCES = tests/unit/test_drain.c tests/unit/round_fixture.h tests/unit/cluster_fixture.h
tests_unit_test_drain_LDADD = $(unit_LIBS)
tests_unit_test_moves_SOURCES = tests/unit/test_moves.c tests/unit/move_fixture.h tests/unit/cluster_fixture.h
tests_unit_test_moves_LDADD = $(unit_LIBS)
tests_unit_test_smallest_change_SOURCES = tests/unit/test_smallest_change.c tests/unit/cluster_fixture.h
tests_unit_test_smallest_change_LDADD = $(unit_LIBS)
tests_unit_test_placement_SOURCES = tests/unit/test_placement.c tests/unit/cluster_fixture.h
tests_unit_test_placement_LDADD = $(unit_LIBS)
tests_unit_test_preflight_SOURCES = tests/unit/test_preflight.c tests/unit/cluster_fixture.h
tests_unit_test_preflight_LDADD = $(unit_LIBS)
tests_unit_test_snapshot_SOURCES = tests/unit/test_snapshot.c tests/unit/cluster_fixture.h
tests_unit_test_snapshot_LDADD = $(unit_LIBS)
tests_unit_test_vm_SOURCES = tests/unit/test_vm.c 
tests_unit_test_vm_LDADD = $(unit_LIBS)
tests_unit_test_view_SOURCES = tests/unit/test_view.c tests/unit/view_world.c tests/unit/view_words.c \
	tests/unit/view_world.h
tests_unit_test_view_LDADD = $(unit_LIBS)
tests_unit_test_view_rules_SOURCES = tests/unit/test_view_rules.c tests/unit/view_world.c tests/unit/view_words.c \
	tests/unit/view_world.h
tests_unit_test_view_rules_LDADD = $(unit_LIBS)
tests_unit_test_definition_SOURCES = tests/unit/test_definition.c
tests_unit_test_definition_LDADD = $(edge_test_LIBS)
tests_unit_test_qemu_args_SOURCES = tests/unit/test_qemu_args.c
tests_unit_test_qemu_args_LDADD = $(edge_test_LIBS)

# Edges against a disk, programs and libraries that fail.
store_test_sources = tests/edge/test_store.c tests/edge/lossy_vfs.c tests/edge/lossy_vfs.h \
	clusterd/store_io.c clusterd/store_thread_io.c clusterd/loop_io.c
tests_edge_test_store_SOURCES = $(store_test_sources)
tests_edge_test_store_LDADD = $(CMOCKA_LIBS) $(SQLITE_LIBS) $(QB_LIBS) -lpthread
tests_edge_test_store_mutant_SOURCES = $(store_test_sources)
tests_edge_test_store_mutant_CPPFLAGS = $(AM_CPPFLAGS) -DSTORE_MUTANT_SYNC_OFF
tests_edge_test_store_mutant_LDADD = $(tests_edge_test_store_LDADD)
tests_edge_test_fence_SOURCES = tests/edge/test_fence.c
tests_edge_test_fence_LDADD = $(edge_test_LIBS)
tests_edge_test_cpg_edge_SOURCES = tests/edge/test_cpg_edge.c tests/edge/fake_corosync.c \
	tests/edge/fake_corosync.h clusterd/cpg_io.c clusterd/cmap_io.c quorum/votequorum_io.c \
	clusterd/worker_io.c clusterd/loop_io.c
tests_edge_test_cpg_edge_LDADD = libcore.a $(CMOCKA_LIBS) $(QB_LIBS) -lpthread
tests_edge_test_sanlock_edge_SOURCES = tests/edge/test_sanlock_edge.c tests/edge/fake_sanlock.c \
	tests/edge/fake_sanlock.h csv/sanlock_io.c csv/sanlock_lease_io.c csv/guard_io.c csv/volume_io.c \
	clusterd/worker_io.c clusterd/loop_io.c clusterd/exec_io.c resources/launch_io.c
tests_edge_test_sanlock_edge_LDADD = $(CMOCKA_LIBS) $(SANLOCK_LIBS) $(QB_LIBS) -lpthread
tests_edge_test_recorder_SOURCES = tests/edge/test_recorder.c
tests_edge_test_recorder_LDADD = $(edge_test_LIBS)
tests_edge_test_qmp_edge_SOURCES = tests/edge/test_qmp_edge.c
tests_edge_test_qmp_edge_LDADD = $(edge_test_LIBS)
tests_edge_test_host_edge_SOURCES = tests/edge/test_host_edge.c tests/edge/fake_sanlock.c \
	tests/edge/fake_sanlock.h
tests_edge_test_host_edge_LDADD = $(edge_test_LIBS)
tests_edge_test_facts_SOURCES = tests/edge/test_facts.c
tests_edge_test_facts_LDADD = $(edge_test_LIBS)
tests_edge_test_edges_SOURCES = tests/edge/test_edges.c
tests_edge_test_edges_LDADD = $(edge_test_LIBS)
tests_unit_test_progress_SOURCES = tests/unit/test_progress.c
tests_unit_test_progress_LDADD = $(edge_test_LIBS)
tests_edge_test_cert_SOURCES = tests/edge/test_cert.c
tests_edge_test_cert_LDADD = $(edge_test_LIBS)
tests_edge_test_link_SOURCES = tests/edge/test_link.c tests/edge/link_world.c \
	tests/edge/link_world.h
tests_edge_test_link_LDADD = $(edge_test_LIBS)
tests_edge_test_link_strangers_SOURCES = tests/edge/test_link_strangers.c \
	tests/edge/link_world.c tests/edge/link_world.h
tests_edge_test_link_strangers_LDADD = $(edge_test_LIBS)

# The administrators' side.
request_test_sources = clusterd/request_io.c clusterd/request_apply_io.c clusterd/show_io.c \
	clusterd/show_vm_io.c clusterd/show_preflight_io.c clusterd/show_capacity_io.c clusterd/show_dump_io.c tests/unit/request_world.c tests/unit/request_world.h
request_test_sources += clusterd/show_measures_io.c clusterd/show_balance_io.c
request_test_sources += clusterd/request_move_io.c clusterd/request_tip_io.c
tests_unit_test_clustadm_SOURCES = tests/unit/test_clustadm.c clusterd/command.c clusterd/table.c
tests_unit_test_clustadm_LDADD = $(CMOCKA_LIBS)
tests_unit_test_node_SOURCES = tests/unit/test_node.c $(request_test_sources)
tests_unit_test_node_LDADD = $(edge_test_LIBS)
tests_unit_test_request_SOURCES = tests/unit/test_request.c $(request_test_sources)
tests_unit_test_request_LDADD = $(edge_test_LIBS)
tests_edge_test_ipc_SOURCES = tests/edge/test_ipc.c clusterd/ipc_io.c clusterd/ipc_client_io.c
tests_edge_test_ipc_LDADD = $(edge_test_LIBS)

include $(top_srcdir)/tests/edge/local.mk
include $(top_srcdir)/tests/sim/local.mk
include $(top_srcdir)/tests/scenarios/local.mk
include $(top_srcdir)/tests/fuzz/local.mk
include $(top_srcdir)/tests/mutants/local.mk

# Where VMs can move to.
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_preflight tests/edge/test_facts
endif
