// SPDX-License-Identifier: Apache-2.0
// One node of the cluster: a replica, this host's volumes and VMs, and what it decides when it is
// coordinator.
//
// node_step() is the whole daemon but its edges: one event in, next state and a list of actions
// out. No clock, no I/O, no randomness; the same object code runs in clusterd, in the simulator and
// in clustadm.
#pragma once

#include "clusterd/action.h"
#include "clusterd/cluster.h"
#include "clusterd/event.h"
#include "clusterd/measure.h"
#include "quorum/view.h"

struct node_limits {
	struct cluster_limits cluster;
	struct view_limits view;
	uint32_t requests_max;		// of administrators, at once
};

// What this host does about one VM: see resources/vm.h.
struct vm_local;

struct node;			// members: clusterd/node_internal.h, for the core, its tests and
				// the simulator

size_t node_memory(const struct node_limits *limits);
// A node that has seen nothing yet, in the caller's memory (8-byte aligned, node_memory() bytes).
struct node *node_init(const struct node_limits *limits, void *memory);

void node_step(struct node *node, const struct event *event, struct actions *actions);

// When a TICK is wanted at the latest (event.now_ms's clock); UINT64_MAX: never.
uint64_t node_deadline_ms(const struct node *node);

// For reading only: status, explain, checkers.
const struct cluster *node_cluster(const struct node *node);
const struct view *node_view(const struct node *node);
const struct measures *node_measures(const struct node *node);
uint64_t node_now_ms(const struct node *node); // of its last step

// State words for people, the same everywhere (clustadm(8)). `reason` (REASON_SIZE) says why, empty
// when all is well.
enum vm_state {
	VM_STATE_RUNNING, VM_STATE_STOPPED, VM_STATE_WAITING, VM_STATE_ERROR, VM_STATE_BLOCKED,
	VM_STATE_STARTING, VM_STATE_STOPPING, VM_STATE_MIGRATING, VM_STATE_UNMANAGED,
	VM_STATE_DISABLED, VM_STATE_SAVED, VM_STATE_COUNT,
};
enum node_state {
	NODE_STATE_ONLINE, NODE_STATE_OFFLINE, NODE_STATE_LOST, NODE_STATE_FENCING,
	NODE_STATE_MAINTENANCE, NODE_STATE_DRAINING, NODE_STATE_ISOLATED, NODE_STATE_QUARANTINED,
	NODE_STATE_UNMANAGED, NODE_STATE_JOINING, NODE_STATE_COUNT,
};
enum vm_state node_vm_state(const struct node *node, const struct vm *vm, char *reason);
enum node_state node_node_state(const struct node *node, const struct cluster_node *cnode,
				char *reason);
const char *vm_state_word(enum vm_state state);
const char *node_state_word(enum node_state state);
const char *volume_state_word(enum volume_state state);

struct mend;
// What the coordinator would do about a VM that runs if it looked at it now (policies/mend.h);
// `mend` has the words. False: nothing.
bool node_vm_mend(const struct node *node, const struct vm *vm, struct mend *mend);
