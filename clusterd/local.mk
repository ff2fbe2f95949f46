# SPDX-License-Identifier: Apache-2.0
# libcore: the pure core. libedges: everything that looks out of a window.
noinst_LIBRARIES += libcore.a libedges.a

libcore_a_SOURCES = \
	clusterd/limits.h clusterd/definition.h clusterd/cluster.h clusterd/entry.h clusterd/event.h \
	clusterd/action.h clusterd/text.h clusterd/codec.h clusterd/invariant.h clusterd/node.h \
	clusterd/node_internal.h clusterd/cluster_internal.h clusterd/apply_internal.h clusterd/fields.h \
	clusterd/vm_index.h clusterd/definition_unpack.h clusterd/apply_check.h
libcore_a_SOURCES += \
	clusterd/actions.c clusterd/codec.c clusterd/text.c clusterd/definition.c clusterd/fields.c \
	clusterd/entry.c clusterd/describe.c clusterd/cluster.c clusterd/vm_index.c clusterd/snapshot.c \
	clusterd/apply.c clusterd/apply_config.c clusterd/apply_node.c clusterd/apply_vm.c \
	clusterd/apply_check.c clusterd/apply_remove.c clusterd/node.c clusterd/host.c \
	clusterd/local.c clusterd/peer.c clusterd/request.c clusterd/decide.c clusterd/state.c

libedges_a_SOURCES = \
	clusterd/edge.h clusterd/loop_io.c clusterd/loop_io.h clusterd/worker_io.c clusterd/worker_io.h \
	clusterd/exec_io.c clusterd/exec_io.h clusterd/log_io.c clusterd/log_io.h \
	clusterd/store_io.c clusterd/store_io.h clusterd/store_thread_io.c clusterd/store_internal.h \
	clusterd/cpg_io.c clusterd/cpg_io.h clusterd/cmap_io.c clusterd/cmap_io.h \
	clusterd/ipc_io.c clusterd/ipc_io.h clusterd/ipc_wire.h
