// SPDX-License-Identifier: Apache-2.0
// Processes of a VM on this host that are not its present one: the cluster waits for their end.
#include "clusterd/node_internal.h"

enum { STRAY_AGAIN_MS = 5000 };

static bool is_counted(const struct vm *vm, uint8_t self)
{
	return vm->strays >> self & 1;
}

bool stray_lives(struct node *node, const struct vm *vm, struct vm_local *local,
		 struct actions *actions)
{
	uint8_t self = node_self_slot(node);

	// A move knows its own ends.
	if (!vm || self == SLOT_NONE || vm->move != 0 || local->move_at ||
	    (vm->owner == self && vm->attempt == local->claim))
		return false;
	if ((local->unleased || local->unkillable) && !is_counted(vm, self))
		vm_report(node, local, VM_REPORT_STUCK, STRAY_AGAIN_MS, actions);
	return true;
}

// Of one that ran although another node has the VM the definition says what becomes of that.
bool stray_ended(struct node *node, const struct vm *vm, struct vm_local *local,
		 struct actions *actions)
{
	uint8_t self = node_self_slot(node);
	bool ran;

	if (!vm || self == SLOT_NONE)
		return false;
	ran = local->life == LIFE_ENDED && local->unleased && !local->move_at &&
	      vm->owner != SLOT_NONE && vm->owner != self && !(vm->doubled_on >> self & 1);
	if (!ran && !is_counted(vm, self))
		return false;
	vm_report(node, local, VM_REPORT_DOUBLE, STRAY_AGAIN_MS, actions);
	return true;
}
