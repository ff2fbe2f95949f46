// SPDX-License-Identifier: Apache-2.0
// What this host tells of its VMs' processes, and whether the cluster was told of all of them.
#include <string.h>

#include "clusterd/local_move.h"
#include "clusterd/node_internal.h"
#include "clusterd/text.h"

// A report of its process was proposed in this view, about the placement that the VM has now.
static bool is_told(const struct node *node, const struct vm *vm, const struct vm_local *local)
{
	return local->reported_ms && local->told_attempt == vm->attempt &&
	       local->told_view == view_number(node->view);
}

/*
 * Not again so soon: it is on its way. What this node knew before it was lost is another matter, as
 * long as its own report waits for this one.
 */
static bool told_lately(struct node *node, const struct vm *vm, const struct vm_local *local,
			uint64_t again_ms)
{
	const struct cluster_node *self = node_of_self(node);

	return local->reported_ms && node->now_ms - local->reported_ms < again_ms &&
	       local->told_attempt == vm->attempt &&
	       (local->told_view == view_number(node->view) || (self && self->reported));
}

bool vm_report(struct node *node, struct vm_local *local, enum vm_report report, uint64_t again_ms,
	       struct actions *actions)
{
	const struct vm *vm = cluster_vm(&node->cluster, local->ref);
	struct entry entry;

	if (!vm || !view_normal(node->view))
		return false;
	if (told_lately(node, vm, local, again_ms)) {
		node_wake_at(node, local->reported_ms + again_ms);
		return false;
	}
	entry_clear(&entry);
	entry.type = ENTRY_VM_REPORT;
	entry.node_id = node->self;
	entry.vm = local->ref;
	entry.attempt = local->claim;
	entry.vm_report = (uint8_t)report;
	if (report == VM_REPORT_STARTED || report == VM_REPORT_FOUND) {
		entry.cpu_known = local->cpu_known;
		entry.cpu = local->cpu;
	}
	// Which placement it contradicts: of a later one it knows nothing.
	if (report == VM_REPORT_FOUND) {
		entry.attempt = vm->attempt;
		entry.flag = vm->phase == VM_RUNNING;
	}
	text_copy(entry.reason, sizeof(entry.reason), local->reason);
	if (!node_propose(node, &entry, NULL, actions)) {
		node_wake_at(node, node->now_ms + 100);
		return false;
	}
	local->reported_ms = node->now_ms;
	local->told_attempt = vm->attempt;
	local->told_view = view_number(node->view);
	node_wake_at(node, node->now_ms + again_ms);
	return true;
}

/*
 * Safety: after this the node reports itself, and that counts as "what I have not told of I do not
 * run" (apply_node_report()). So a report counts here only if it stands before that one in the log
 * and is about the placement that the VM has now: proposals of one node keep their order within a
 * view, and what was told of an earlier placement (the node was given up, and the VM placed
 * elsewhere) is refused, or forgotten, while the process lives.
 */
bool local_told(const struct node *node)
{
	uint8_t self = node_self_slot(node);

	if (node->orphans > 0 && node->orphans_view != view_number(node->view))
		return false;
	for (uint32_t i = 0; i < node->local_high; i++) {
		const struct vm_local *local = &node->locals[i];
		const struct vm *vm = cluster_vm(&node->cluster, local->ref);

		if (local_saved_untold(node, local))
			return false;
		if (!vm_local_process(local) || !local->executed || !vm || is_told(node, vm, local))
			continue;
		// Its move keeps in mind that it may run here.
		if (local->move_at)
			continue;
		if (vm->owner != self || (vm->phase != VM_RUNNING && vm->phase != VM_BLOCKED))
			return false;
	}
	return true;
}
