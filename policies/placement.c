// SPDX-License-Identifier: Apache-2.0
#include "policies/placement.h"

#include <string.h>

#include "clusterd/text.h"

static bool counts_on_node(const struct vm *vm)
{
	return vm->used && vm->owner != SLOT_NONE;
}

void placement_load_init(struct placement_load *load, const struct cluster *cluster,
			 uint64_t present)
{
	memset(load, 0, sizeof(*load));
	load->present = present;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (counts_on_node(vm))
			placement_load_add(load, cluster, vm, vm->owner);
	}
}

void placement_load_add(struct placement_load *load, const struct cluster *cluster,
			const struct vm *vm, uint8_t node)
{
	load->vms[node]++;
	load->used_mib[node] += vm_definition(cluster, vm)->memory_mib;
}

static void set_check(struct placement_node *row, enum placement_check check, bool good)
{
	row->checks[check].check = (uint8_t)check;
	row->checks[check].verdict = good ? CHECK_OK : CHECK_FAIL;
	row->feasible = row->feasible && good;
}

// Volumes that the VM's disks, CDs and boot files live on, as a mask of slots; 0 bits for names not
// defined.
static uint32_t vm_volumes(const struct cluster *cluster, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(cluster, vm);
	uint32_t mask = 0;

	for (uint32_t i = 0; i < vm->lease_count; i++)
		mask |= 1u << vm->leases[i].volume;
	for (uint32_t v = 0; v < VOLUMES_MAX; v++) {
		const char *name = cluster->volumes[v].def.name;

		if (!cluster->volumes[v].used || mask & 1u << v)
			continue;
		for (uint32_t i = 0; i < def->disk_count; i++)
			if (strcmp(def->disks[i].volume, name) == 0)
				mask |= 1u << v;
		if (strcmp(def->kernel.volume, name) == 0 || strcmp(def->initrd.volume, name) == 0)
			mask |= 1u << v;
	}
	return mask;
}

static void judge_volumes(const struct cluster *cluster, const struct vm *vm,
			  const struct cluster_node *node, struct placement_node *row)
{
	uint32_t mask = vm_volumes(cluster, vm);

	set_check(row, CHECK_VOLUMES, true);
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		const struct node_volume *volume = &node->report.volumes[v];

		if (!(mask & 1u << v))
			continue;
		if (!node->reported || !volume->joined ||
		    (volume->state != VOLUME_ONLINE && volume->state != VOLUME_SLOW)) {
			set_check(row, CHECK_VOLUMES, false);
			row->checks[CHECK_VOLUMES].volume = v;
			return;
		}
	}
}

static void judge_memory(const struct placement_load *load, const struct vm_def *def,
			 const struct cluster_node *node, uint8_t slot, bool here,
			 struct placement_node *row)
{
	uint64_t total = node->report.memory_mib;
	uint64_t used = load->used_mib[slot] + node->def.memory_reserve_mib;

	// What the VM itself already takes there is not in its own way.
	if (here)
		used -= def->memory_mib;
	row->free_mib = total > used ? total - used : 0;
	set_check(row, CHECK_MEMORY, row->free_mib >= def->memory_mib);
	row->checks[CHECK_MEMORY].found = row->free_mib;
	row->checks[CHECK_MEMORY].needed = def->memory_mib;
}

void placement_judge(const struct cluster *cluster, const struct placement_load *load,
		     const struct vm *vm, uint8_t slot, struct placement_node *row)
{
	const struct cluster_node *node = &cluster->nodes[slot];
	const struct vm_def *def = vm_definition(cluster, vm);
	uint64_t bit = 1ull << slot;

	memset(row, 0, sizeof(*row));
	row->candidate = node->used;
	if (!row->candidate)
		return;
	row->feasible = true;
	row->vms = load->vms[slot];
	row->tier = 0;
	while (row->tier < VM_TIERS_MAX && !(vm->tiers[row->tier] & bit))
		row->tier++;
	set_check(row, CHECK_NODE_ONLINE,
		  node->life == NODE_ONLINE && node->reported && !node->report.leaving &&
			  (load->present & bit));
	set_check(row, CHECK_NODE_MANAGED, node->managed);
	set_check(row, CHECK_NODE_MAINTENANCE, !node->maintenance);
	set_check(row, CHECK_POSSIBLE_OWNER, vm->possible == 0 || (vm->possible & bit));
	set_check(row, CHECK_EMULATOR, node->report.qemu);
	judge_volumes(cluster, vm, node, row);
	judge_memory(load, def, node, slot, vm->owner == slot, row);
	set_check(row, CHECK_FAILURES, !(vm->failed_on & bit));
	row->checks[CHECK_FAILURES].found = vm->failed_on & bit ? def->restarts_max + 1 : 0;
	row->checks[CHECK_FAILURES].needed = def->restarts_max;
}

// In place first: a VM that failed and may be tried again where it was stays there.
static bool restarts_in_place(const struct vm *vm)
{
	return vm->restarts > 0 && vm->last_owner != SLOT_NONE;
}

static bool better(const struct cluster *cluster, const struct placement_node *a, uint8_t a_slot,
		   const struct placement_node *b, uint8_t b_slot)
{
	if (a->tier != b->tier)
		return a->tier < b->tier;
	if (a->vms != b->vms)
		return a->vms < b->vms;
	if (a->free_mib != b->free_mib)
		return a->free_mib > b->free_mib;
	return strcmp(cluster->nodes[a_slot].def.name, cluster->nodes[b_slot].def.name) < 0;
}

uint8_t placement_choose(const struct cluster *cluster, const struct placement_load *load,
			 const struct vm *vm)
{
	struct placement_node rows[2];
	uint8_t best = SLOT_NONE, at = 0;

	if (restarts_in_place(vm)) {
		placement_judge(cluster, load, vm, vm->last_owner, &rows[0]);
		if (rows[0].feasible)
			return vm->last_owner;
	}
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!cluster->nodes[slot].used)
			continue;
		placement_judge(cluster, load, vm, slot, &rows[at]);
		if (!rows[at].feasible)
			continue;
		if (best == SLOT_NONE || better(cluster, &rows[at], slot, &rows[1 - at], best)) {
			best = slot;
			at = (uint8_t)(1 - at);
		}
	}
	return best;
}

bool placement_spent(const struct cluster *cluster, const struct vm *vm)
{
	uint64_t left = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (cluster->nodes[slot].used &&
		    (vm->possible == 0 || (vm->possible & 1ull << slot)))
			left |= 1ull << slot;
	return left != 0 && (left & ~vm->failed_on) == 0;
}

const char *placement_check_word(enum placement_check check)
{
	switch (check) {
	case CHECK_NODE_ONLINE: return "online";
	case CHECK_NODE_MANAGED: return "managed";
	case CHECK_NODE_MAINTENANCE: return "maintenance";
	case CHECK_POSSIBLE_OWNER: return "possible-owner";
	case CHECK_EMULATOR: return "emulator";
	case CHECK_VOLUMES: return "volumes";
	case CHECK_MEMORY: return "memory";
	case CHECK_FAILURES: return "failures";
	case PLACEMENT_CHECK_COUNT: break;
	}
	return "?";
}

const char *check_verdict_word(enum check_verdict verdict)
{
	switch (verdict) {
	case CHECK_OK: return "ok";
	case CHECK_WARN: return "warn";
	case CHECK_FAIL: return "fail";
	case CHECK_VERDICT_COUNT: break;
	}
	return "?";
}

static const char *life_text(const struct cluster_node *node)
{
	switch ((enum node_life)node->life) {
	case NODE_UNKNOWN: return "has not joined yet";
	case NODE_ONLINE:
		if (node->report.leaving)
			return "is shutting down";
		return node->reported ? "has no clusterd that answers" : "is joining";
	case NODE_LEFT: return "has left";
	case NODE_LOST: return "is lost";
	case NODE_FENCING: return "is being fenced";
	case NODE_FENCED: return "is fenced";
	case NODE_DEAD: return "is off";
	case NODE_EXPIRING: return "is lost";
	case NODE_LIFE_COUNT: break;
	}
	return "?";
}

static void explain_volume(const struct cluster *cluster, const struct cluster_node *node,
			   const struct check *check, struct text *reason, struct text *fix)
{
	const struct node_volume *volume = &node->report.volumes[check->volume];
	const char *name = cluster->volumes[check->volume].def.name;

	text_add(text_add(reason, "volume "), name);
	if (!cluster->volumes[check->volume].prepared)
		text_add(reason, " is not prepared yet");
	else if (!volume->joined && volume->state == VOLUME_ONLINE)
		text_add(reason, "'s lockspace is not joined yet");
	else
		text_add(reason, " is not online there");
	if (volume->reason[0])
		text_add(text_add(reason, ": "), volume->reason);
	text_add(text_add(text_add(text_add(fix, "bring "), name), " back on "), node->def.name);
}

void placement_explain_check(const struct cluster *cluster, const struct vm *vm, uint8_t slot,
			     const struct check *check, char *reason_buf, char *fix_buf)
{
	const struct cluster_node *node = &cluster->nodes[slot];
	const char *vm_name = vm_definition(cluster, vm)->name;
	struct text reason = text_in(reason_buf, REASON_SIZE), fix = text_in(fix_buf, REASON_SIZE);

	if (check->verdict == CHECK_OK)
		return;
	switch ((enum placement_check)check->check) {
	case CHECK_NODE_ONLINE:
		text_add(text_add(text_add(&reason, node->def.name), " "), life_text(node));
		text_add(text_add(&fix, "bring back "), node->def.name);
		break;
	case CHECK_NODE_MANAGED:
		text_add(text_add(&reason, node->def.name), " is unmanaged");
		text_add(text_add(&fix, "clustadm node manage "), node->def.name);
		break;
	case CHECK_NODE_MAINTENANCE:
		text_add(text_add(&reason, node->def.name), " is in maintenance");
		text_add(text_add(text_add(&fix, "clustadm node maintenance "), node->def.name),
			 " off");
		break;
	case CHECK_POSSIBLE_OWNER:
		text_add(text_add(&reason, node->def.name), " is not among its possible owners");
		text_add(text_add(text_add(text_add(&fix, "add "), node->def.name),
				  " to the possible owners of "), vm_name);
		break;
	case CHECK_EMULATOR:
		text_add(text_add(&reason, node->def.name), " has no QEMU");
		text_add(text_add(&fix, "install qemu-system-x86 on "), node->def.name);
		break;
	case CHECK_VOLUMES:
		explain_volume(cluster, node, check, &reason, &fix);
		break;
	case CHECK_MEMORY:
		text_add_number(text_add(&reason, "needs "), check->needed);
		text_add_number(text_add(&reason, " MiB, "), check->found);
		text_add(text_add(&reason, " MiB free on "), node->def.name);
		text_add_number(text_add(&fix, "free "), check->needed - check->found);
		text_add(text_add(&fix, " MiB on "), node->def.name);
		break;
	case CHECK_FAILURES:
		text_add(text_add(&reason, "it failed too often on "), node->def.name);
		text_add(text_add(&fix, "clustadm vm clear "), vm_name);
		break;
	case PLACEMENT_CHECK_COUNT:
		break;
	}
}

static const struct check *worst_check(const struct placement_node *row)
{
	for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
		if (row->checks[i].verdict == CHECK_FAIL)
			return &row->checks[i];
	return NULL;
}

/*
 * Each node's first failed check, in the order of the table above, and the fix of the node that
 * fails the fewest: the smallest change that would give the VM a home.
 */
void placement_explain(const struct cluster *cluster, const struct placement_load *load,
		       const struct vm *vm, char *reason_buf, char *fix_buf)
{
	struct text reason = text_in(reason_buf, REASON_SIZE);
	char one[REASON_SIZE], its_fix[REASON_SIZE];
	uint32_t fewest = PLACEMENT_CHECK_COUNT + 1;

	text_copy(fix_buf, REASON_SIZE, "");
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		struct placement_node row;
		uint32_t failed = 0;

		if (!cluster->nodes[slot].used)
			continue;
		placement_judge(cluster, load, vm, slot, &row);
		if (row.feasible)
			continue;
		for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
			failed += row.checks[i].verdict == CHECK_FAIL;
		placement_explain_check(cluster, vm, slot, worst_check(&row), one, its_fix);
		text_add(text_add(&reason, reason.length ? "; " : ""), one);
		if (failed < fewest) {
			fewest = failed;
			text_copy(fix_buf, REASON_SIZE, its_fix);
		}
	}
}
