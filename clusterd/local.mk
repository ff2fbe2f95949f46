# SPDX-License-Identifier: Apache-2.0
# libcore: the pure core. libedges: everything that looks out of a window. The programs.
noinst_LIBRARIES += libcore.a libedges.a

libcore_a_SOURCES = \
	clusterd/limits.h clusterd/definition.h clusterd/cluster.h clusterd/entry.h clusterd/event.h \
	clusterd/action.h clusterd/text.h clusterd/codec.h clusterd/invariant.h clusterd/node.h \
	clusterd/node_internal.h clusterd/cluster_internal.h clusterd/apply_internal.h \
	clusterd/apply_check.h clusterd/fields.h clusterd/vm_index.h clusterd/definition_unpack.h \
	clusterd/facts.h clusterd/cpu.h clusterd/check.h clusterd/zero.h
libcore_a_SOURCES += \
	clusterd/actions.c clusterd/codec.c clusterd/text.c clusterd/definition.c clusterd/fields.c \
	clusterd/entry.c clusterd/describe.c clusterd/cluster.c clusterd/vm_index.c clusterd/snapshot.c \
	clusterd/apply.c clusterd/apply_check.c clusterd/apply_config.c clusterd/apply_node.c \
	clusterd/apply_move.c clusterd/apply_remove.c clusterd/apply_rule.c clusterd/rule_index.c clusterd/rule_index.h clusterd/apply_vm.c clusterd/node.c clusterd/host.c clusterd/local.c \
	clusterd/peer.c clusterd/request.c clusterd/decide.c clusterd/state.c \
	clusterd/recording.c clusterd/recording.h clusterd/recording_text.c clusterd/cpu.c \
	clusterd/whatif.c clusterd/whatif.h
libcore_a_SOURCES += clusterd/pro.h clusterd/pro.c clusterd/tip.h clusterd/fields_tip.c \
	clusterd/apply_tip.c clusterd/apply_tip.h clusterd/apply_policy.c clusterd/describe_tip.c \
	clusterd/describe_tip.h clusterd/decide_tip.c clusterd/decide_tip.h clusterd/decide_policy.c clusterd/tip_plan.c clusterd/tip_plan.h \
	clusterd/local_script.c clusterd/local_ask.c clusterd/local_stray.c clusterd/local_tell.c clusterd/apply_size.c
libcore_a_SOURCES += clusterd/apply_move.h clusterd/apply_move_report.c clusterd/apply_drain.c clusterd/decide_drain.c \
	clusterd/decide_move.c clusterd/decide_move.h clusterd/describe_move.c clusterd/describe_move.h \
	migration/move_loss.c migration/move_loss.h

libcore_a_SOURCES += clusterd/local_move.c clusterd/local_move.h
libcore_a_SOURCES += clusterd/measure.c clusterd/measure.h clusterd/measured.c

libedges_a_SOURCES = \
	clusterd/edge.h clusterd/loop_io.c clusterd/loop_io.h clusterd/worker_io.c clusterd/worker_io.h \
	clusterd/script_io.c clusterd/script_io.h clusterd/output_io.c clusterd/output_io.h \
	clusterd/exec_io.c clusterd/exec_io.h clusterd/log_io.c clusterd/log_io.h \
	clusterd/trace_io.c clusterd/trace_io.h \
	clusterd/recorder_io.c clusterd/recorder_io.h \
	clusterd/store_io.c clusterd/store_io.h clusterd/store_thread_io.c clusterd/store_internal.h \
	clusterd/cpg_io.c clusterd/cpg_io.h clusterd/cmap_io.c clusterd/cmap_io.h

edge_LIBS = $(CPG_LIBS) $(VOTEQUORUM_LIBS) $(CMAP_LIBS) $(QB_LIBS) $(XML_LIBS) $(SANLOCK_LIBS) \
	$(JANSSON_LIBS) $(SQLITE_LIBS) $(OPENSSL_LIBS) -lpthread

sbin_PROGRAMS += clusterd/clusterd
clusterd_clusterd_SOURCES = clusterd/main_io.c clusterd/shell_io.c clusterd/shell_io.h \
	clusterd/memory_io.c clusterd/memory_io.h clusterd/supervisor_io.c clusterd/supervisor_io.h clusterd/ipc_io.c clusterd/ipc_io.h clusterd/ipc_wire.h \
	clusterd/request_io.c clusterd/request_io.h clusterd/request_internal_io.h \
	clusterd/request_apply_io.c clusterd/show_io.c clusterd/show_preflight_io.c clusterd/show_capacity_io.c clusterd/show_dump_io.c clusterd/show_vm_io.c
clusterd_clusterd_SOURCES += clusterd/show_measures_io.c clusterd/show_balance_io.c
clusterd_clusterd_SOURCES += clusterd/request_move_io.c clusterd/request_tip_io.c
clusterd_clusterd_LDADD = libedges.a libcore.a $(edge_LIBS)

bin_PROGRAMS += clusterd/clustadm
clusterd_clustadm_SOURCES = clusterd/clustadm.c \
	clusterd/clustadm_apply_io.c \
	clusterd/clustadm_balance_io.c \
	clusterd/clustadm_cert_io.c \
	clusterd/clustadm_change_io.c clusterd/clustadm_move_io.c clusterd/clustadm_wait_io.h \
	clusterd/clustadm_console_io.c clusterd/clustadm_tip_io.c \
	clusterd/clustadm_events_io.c \
	clusterd/clustadm_io.c \
	clusterd/clustadm_io.h \
	clusterd/clustadm_preflight_io.c \
	clusterd/clustadm_show_io.c clusterd/clustadm_top_io.c \
	clusterd/clustadm_whatif_io.c \
	clusterd/command.c clusterd/command.h clusterd/table.c clusterd/table.h \
	clusterd/ipc_client_io.c clusterd/ipc_client_io.h
clusterd_clustadm_LDADD = libedges.a libcore.a $(edge_LIBS)

# Recordings tell by it whether they are of the same core.
BUILT_SOURCES += clusterd/core_id.h
CLEANFILES += clusterd/core_id.h
clusterd/recorder_io.$(OBJEXT): clusterd/core_id.h
clusterd/core_id.h: $(libcore_a_SOURCES)
	$(AM_V_GEN)$(MKDIR_P) clusterd && \
	id=$$(cd $(srcdir) && LC_ALL=C ls $(libcore_a_SOURCES) | xargs cat | sha256sum | cut -c1-16) && \
	echo "#define CORE_ID 0x$$id" >$@.new && \
	{ cmp -s $@.new $@ && rm $@.new || mv $@.new $@; }
