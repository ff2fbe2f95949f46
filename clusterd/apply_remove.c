// SPDX-License-Identifier: Apache-2.0
// ENTRY_REMOVE: one object, and every mention of it.
#include <string.h>

#include "clusterd/apply_internal.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/rule_index.h"
#include "clusterd/vm_index.h"

static bool may_run_vms(enum node_life life)
{
	return life == NODE_ONLINE || life == NODE_LOST || life == NODE_FENCING ||
	       life == NODE_FENCED || life == NODE_EXPIRING;
}

// An empty mask means every node, so the last possible owner cannot just be struck off.
static bool check_node_vms(struct apply *a, uint8_t slot)
{
	const struct cluster *cluster = a->cluster;

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (!vm->used)
			continue;
		if (vm->owner == slot)
			return refuse(
				a, "in-use",
				WORDS("node ", a->entry->name, " has vm ", cluster->defs[i].name),
				WORDS("move or stop it first"));
		if (vm->possible == slot_bit(slot))
			return refuse(a, "in-use",
				      WORDS("node ", a->entry->name,
					    " is the only possible owner of vm ",
					    cluster->defs[i].name),
				      WORDS("give the vm other possible owners first"));
	}
	return true;
}

static bool check_node_moves(struct apply *a, uint8_t slot)
{
	for (uint32_t i = 0; i < a->cluster->move_high; i++) {
		const struct move *move = &a->cluster->moves[i];

		if (move->id != 0 && (move->source == slot || move->target == slot))
			return refuse(
				a, "in-use",
				WORDS("a move to or from node ", a->entry->name, " is not over"),
				WORDS("wait until it is: clustadm moves"));
	}
	return true;
}

static void forget_slot(uint8_t *mention, uint8_t slot)
{
	if (*mention == slot)
		*mention = SLOT_NONE;
}

static void forget_node_in_vm(struct vm *vm, uint8_t slot)
{
	uint64_t others = ~slot_bit(slot);

	vm->possible &= others;
	vm->failed_on &= others;
	vm->failures[slot] = 0;
	vm->unproven &= others;
	vm->doubled_on &= others;
	vm->strays &= others;
	for (uint32_t i = 0; i < VM_TIERS_MAX; i++)
		vm->tiers[i] &= others;
	for (uint32_t i = 0; i < vm->lease_count; i++)
		forget_slot(&vm->leases[i].actor, slot);
	forget_slot(&vm->last_owner, slot);
	forget_slot(&vm->drained_from, slot);
	forget_slot(&vm->bound_to, slot);
}

static bool remove_node(struct apply *a)
{
	struct cluster *cluster = a->cluster;
	struct cluster_node *node = apply_named_node(a);
	uint8_t slot;

	if (!node)
		return false;
	slot = node_slot(cluster, node);
	if (may_run_vms(node->life))
		return refuse(
			a, "node-state",
			WORDS("node ", node->def.name, " is in the cluster, or may still run VMs"),
			WORDS("stop clusterd on it, or have it fenced, first"));
	if (!check_node_vms(a, slot) || !check_node_moves(a, slot))
		return false;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (cluster->vms[i].used)
			forget_node_in_vm(&cluster->vms[i], slot);
	}
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		if (cluster->volumes[i].used)
			forget_slot(&cluster->volumes[i].prepare_actor, slot);
	}
	for (uint32_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used)
			forget_slot(&cluster->nodes[i].fence_actor, slot);
	}
	memset(node, 0, sizeof(*node));
	while (cluster->node_high > 0 && !cluster->nodes[cluster->node_high - 1].used)
		cluster->node_high--;
	rule_index_rebuild(cluster);
	return true;
}

static bool remove_volume(struct apply *a)
{
	struct cluster *cluster = a->cluster;
	const struct cluster_volume *found = cluster_find_volume(cluster, a->entry->name);
	const struct vm_def *user;
	uint8_t slot;

	if (!found)
		return refuse(a, "no-such-volume", WORDS("there is no volume ", a->entry->name),
			      WORDS("name one of: clustadm volume list"));
	user = volume_user(cluster, a->entry->name);
	if (user)
		return refuse(a, "in-use",
			      WORDS("volume ", a->entry->name, " is used by vm ", user->name),
			      WORDS("remove ", user->name, ", or move its files, first"));
	// Its actor's late word must not be taken for one about the next volume in this slot.
	if (found->prepare_actor != SLOT_NONE)
		return refuse(a, "in-use", WORDS("volume ", a->entry->name, " is being prepared"),
			      WORDS("try again later"));
	slot = volume_slot(cluster, found);
	memset(&cluster->volumes[slot], 0, sizeof(cluster->volumes[slot]));
	while (cluster->volume_high > 0 && !cluster->volumes[cluster->volume_high - 1].used)
		cluster->volume_high--;
	memset(volume_lease_slots(cluster, slot), SLOT_FREE, cluster->limits.lease_slots_max);
	volume_forget_reports(cluster, slot);
	return true;
}

// Its leases may be held where nothing is known: writing them anew, or its disks from elsewhere,
// makes two writers.
bool refuse_unproven(struct apply *a, const struct vm *vm)
{
	uint8_t slot = 0;

	while (slot < NODES_MAX - 1 && !(vm->unproven & slot_bit(slot)))
		slot++;
	return refuse(a, "may-run",
		      WORDS("vm ", vm_definition(a->cluster, vm)->name, " may still run on ",
			    slot_name(a->cluster, slot), ", which is lost without proof"),
		      WORDS("see that it is off, then: clustadm node confirm-dead ",
			    slot_name(a->cluster, slot)));
}

static bool remove_vm(struct apply *a)
{
	struct cluster *cluster = a->cluster;
	struct vm *vm = apply_named_vm(a);
	uint32_t slot;

	if (!vm)
		return false;
	if (vm_owned(vm))
		return refuse(a, "running",
			      WORDS("vm ", a->entry->name, " runs, or may run, on ",
				    slot_name(cluster, vm->owner)),
			      WORDS("stop it first: clustadm vm stop ", a->entry->name));
	if (vm->unproven)
		return refuse_unproven(a, vm);
	if (vm->strays)
		return refuse(a, "may-run",
			      WORDS("a process of vm ", a->entry->name, " has yet to end"),
			      WORDS("see where: clustadm vm show ", a->entry->name));
	slot = vm->ref.slot;
	for (uint32_t i = 0; i < vm->lease_count; i++)
		lease_slot_give_back(cluster, &vm->leases[i]);
	vm_index_remove(cluster->vm_index, slot);
	memset(vm, 0, sizeof(*vm));
	memset(&cluster->defs[slot], 0, sizeof(cluster->defs[slot]));
	cluster->vm_count--;
	while (cluster->vm_high > 0 && !cluster->vms[cluster->vm_high - 1].used)
		cluster->vm_high--;
	rule_index_rebuild(cluster);
	return true;
}

static bool remove_rule(struct apply *a)
{
	const struct cluster_rule *rule = cluster_find_rule(a->cluster, a->entry->name);

	if (!rule)
		return refuse(a, "no-such-rule", WORDS("there is no rule ", a->entry->name),
			      WORDS("name one of: clustadm dump rule"));
	memset(&a->cluster->rules[rule - a->cluster->rules], 0, sizeof(*rule));
	while (a->cluster->rule_high > 0 && !a->cluster->rules[a->cluster->rule_high - 1].used)
		a->cluster->rule_high--;
	rule_index_rebuild(a->cluster);
	return true;
}

bool apply_remove(struct apply *a)
{
	switch ((enum object_kind)a->entry->object) {
	case OBJECT_NODE:
		return remove_node(a);
	case OBJECT_VOLUME:
		return remove_volume(a);
	case OBJECT_VM:
		return remove_vm(a);
	case OBJECT_RULE:
		return remove_rule(a);
	case OBJECT_POLICY:
		return remove_policy(a);
	case OBJECT_KIND_COUNT:
		break;
	}
	return refuse(a, "malformed", WORDS("unknown kind of object"), WORDS(""));
}
