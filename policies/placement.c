// SPDX-License-Identifier: Apache-2.0
#include "policies/placement.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/up_words.h"

static void count_coming(struct placement_load *load, const struct cluster *cluster,
			 const struct vm *vm, uint8_t node)
{
	load->coming_mib[node] += vm_definition(cluster, vm)->memory_mib;
	load->coming_cpus[node] += vm_definition(cluster, vm)->cpus;
}

static void count_load(struct placement_load *load, const struct cluster *cluster,
		       const struct vm *vm, uint8_t node)
{
	load->vms[node]++;
	load->used_mib[node] += vm_definition(cluster, vm)->memory_mib;
	load->cpus[node] += vm_definition(cluster, vm)->cpus;
}

/*
 * Both ends of a move have the VM's memory, or will: the target from the beginning, so that no two
 * moves count on the same; the source until nothing of it is left there.
 */
static bool needs_memory(const struct move *move, uint8_t slot)
{
	return slot == move->source ? !move->source_gone : !move->target_gone;
}

void placement_load_init(struct placement_load *load, const struct cluster *cluster,
			 uint64_t present)
{
	placement_load_init_at(load, cluster, present, 0);
}

void placement_load_init_at(struct placement_load *load, const struct cluster *cluster,
			    uint64_t present, uint64_t wall_ms)
{
	memset(load, 0, offsetof(struct placement_load, rules));
	load->present = present;
	load->wall_ms = wall_ms;
	rules_load_init(&load->rules, cluster, wall_ms);
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (!vm->used || vm->owner == SLOT_NONE)
			continue;
		count_load(load, cluster, vm, vm->owner);
		if (vm->phase != VM_RUNNING)
			count_coming(load, cluster, vm, vm->owner);
		if (cluster->rule_index->enabled && vm_counts_on_node(cluster, vm))
			rules_load_add(&load->rules, cluster, vm, vm->owner);
	}
	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *move = &cluster->moves[i];
		const struct vm *vm = cluster_vm(cluster, move->vm);
		uint8_t other;

		if (move->id == 0 || move->stage == STAGE_ASKED || move->anew || !vm)
			continue;
		other = vm->owner == move->source ? move->target : move->source;
		if (other >= NODES_MAX || !needs_memory(move, other))
			continue;
		count_load(load, cluster, vm, other);
		if (other == move->target)
			count_coming(load, cluster, vm, other);
		if (cluster->rule_index->enabled && other == move->target)
			rules_load_add(&load->rules, cluster, vm, other);
	}
}

// Most of it is about rules.
void placement_load_copy(struct placement_load *to, const struct placement_load *from,
			 const struct cluster *cluster)
{
	size_t rules = cluster->rule_high;

	memcpy(to, from, offsetof(struct placement_load, rules));
	memcpy(to->rules.members, from->rules.members, rules * sizeof(to->rules.members[0]));
	memcpy(to->rules.group, from->rules.group, rules * sizeof(to->rules.group[0]));
	memcpy(to->rules.group_mib, from->rules.group_mib,
	       sizeof(to->rules) - offsetof(struct rules_load, group_mib));
}

void placement_load_add(struct placement_load *load, const struct cluster *cluster,
			const struct vm *vm, uint8_t node)
{
	count_load(load, cluster, vm, node);
	count_coming(load, cluster, vm, node);
	if (cluster->rule_index->enabled)
		rules_load_add(&load->rules, cluster, vm, node);
}

void placement_load_remove(struct placement_load *load, const struct cluster *cluster,
			   const struct vm *vm, uint8_t node)
{
	load->vms[node]--;
	load->used_mib[node] -= vm_definition(cluster, vm)->memory_mib;
	load->cpus[node] -= vm_definition(cluster, vm)->cpus;
	load->coming_mib[node] -= vm_definition(cluster, vm)->memory_mib;
	load->coming_cpus[node] -= vm_definition(cluster, vm)->cpus;
	if (cluster->rule_index->enabled)
		rules_load_remove(&load->rules, cluster, vm, node);
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
	for (uint32_t v = 0; v < cluster->volume_high; v++) {
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

static bool volume_is_usable(const struct cluster_node *node, uint8_t slot)
{
	const struct node_volume *volume = &node->report.volumes[slot];

	return node->reported && volume->joined &&
	       (volume->state == VOLUME_ONLINE || volume->state == VOLUME_SLOW);
}

static void judge_volumes(const struct cluster *cluster, const struct vm *vm,
			  const struct cluster_node *node, struct placement_node *row)
{
	uint32_t mask = vm_volumes(cluster, vm);

	set_check(row, CHECK_VOLUMES, true);
	for (uint8_t v = 0; v < cluster->volume_high; v++) {
		if (!(mask & 1u << v))
			continue;
		if (!volume_is_usable(node, v)) {
			set_check(row, CHECK_VOLUMES, false);
			row->checks[CHECK_VOLUMES].volume = v;
			return;
		}
	}
}

// A group that is kept together and has no node yet goes as a whole, or waits as a whole.
static uint64_t memory_needed(const struct cluster *cluster, const struct placement_load *load,
			      const struct vm *vm)
{
	uint64_t own = vm_definition(cluster, vm)->memory_mib;
	uint8_t group = group_of_vm(cluster, vm);

	if (group == SLOT_NONE || !vm_asks_for_place(cluster, vm))
		return own;
	return load->rules.group_mib[group] > own ? load->rules.group_mib[group] : own;
}

static void judge_memory(const struct placement_load *load, const struct vm_def *def,
			 const struct cluster_node *node, uint8_t slot, bool here, uint64_t needed,
			 struct placement_node *row)
{
	uint64_t total = node->report.memory_mib;
	uint64_t used = load->used_mib[slot] + node->def.memory_reserve_mib;

	// What the VM itself already takes there is not in its own way.
	if (here)
		used -= def->memory_mib;
	row->free_mib = total > used ? total - used : 0;
	set_check(row, CHECK_MEMORY, row->free_mib >= needed);
	row->checks[CHECK_MEMORY].found = row->free_mib;
	row->checks[CHECK_MEMORY].needed = needed;
	row->checks[CHECK_MEMORY].missing = used + needed > total ? used + needed - total : 0;
	row->promised_cpus = load->cpus[slot] + (here ? 0 : def->cpus);
}

static bool overcommitted(const struct cluster *cluster, const struct placement_node *row,
			  uint8_t slot)
{
	uint64_t cpus = cluster->nodes[slot].report.cpus;

	return cpus > 0 &&
	       row->promised_cpus * UINT64_C(100) > cpus * cluster->def.policies.cpu_overcommit;
}

// A node that VMs would leave gets none; a yellow one keeps what it has.
static bool health_allows(const struct cluster *cluster, const struct cluster_node *node)
{
	return cluster->def.policies.health == HEALTH_IGNORED || node->def.health == HEALTH_GREEN;
}

// Thousandths of the node that are promised, this VM included: of its memory or its CPUs, whichever
// is more.
static uint32_t share_promised(const struct cluster_node *node, const struct placement_node *row)
{
	uint64_t total = node->report.memory_mib, cpus = node->report.cpus;
	uint64_t used = total > row->free_mib ? total - row->free_mib : 0;
	uint64_t memory = 0, processors = 0;

	// Of the VM itself one size is enough: it is the same for every node that is compared.
	if (total > 0)
		memory = (used + row->checks[CHECK_MEMORY].needed) * 1000 / total;
	if (cpus > 0)
		processors = row->promised_cpus * UINT64_C(1000) / cpus;
	return (uint32_t)(memory > processors ? memory : processors);
}

// The same of what is really used there, and what will be by VMs that only just came.
static uint32_t share_measured(const struct placement_load *load, const struct cluster_node *node,
			       uint8_t slot, uint64_t mib, uint64_t cpus)
{
	uint64_t memory = load->memory_permille[slot], processors = load->cpu_permille[slot];

	mib += load->coming_mib[slot];
	cpus += load->coming_cpus[slot];
	if (node->report.memory_mib > 0)
		memory += mib * 1000 / node->report.memory_mib;
	if (node->report.cpus > 0)
		processors += cpus * 1000 / node->report.cpus;
	return (uint32_t)(memory > processors ? memory : processors);
}

static void judge_share(const struct cluster *cluster, const struct placement_load *load,
			const struct vm *vm, uint8_t slot, struct placement_node *row)
{
	const struct cluster_node *node = &cluster->nodes[slot];
	bool seen = vm->owner == slot && vm->phase == VM_RUNNING;

	row->share_measured = load->measured >> slot & 1;
	if (!row->share_measured)
		row->share = share_promised(node, row);
	else
		row->share = share_measured(load, node, slot,
					    seen ? 0 : row->checks[CHECK_MEMORY].needed,
					    seen ? 0 : vm_definition(cluster, vm)->cpus);
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
	judge_memory(load, def, node, slot, vm->owner == slot, memory_needed(cluster, load, vm),
		     row);
	set_check(row, CHECK_FAILURES,
		  !(vm->failed_on & bit) || vm_failures_old(cluster, vm, load->wall_ms));
	row->checks[CHECK_FAILURES].found = vm->failures[slot];
	row->checks[CHECK_FAILURES].needed = def->restarts_max;
	set_check(row, CHECK_CPUS,
		  !cluster->def.policies.cpu_hard || !overcommitted(cluster, row, slot));
	row->checks[CHECK_CPUS].found = row->promised_cpus;
	row->checks[CHECK_CPUS].needed =
		node->report.cpus * (uint64_t)cluster->def.policies.cpu_overcommit / 100;
	set_check(row, CHECK_HEALTH, health_allows(cluster, node));
	if (cluster->def.policies.placement == PLACEMENT_CONFIGURED ||
	    cluster->def.policies.placement == PLACEMENT_MEASURED)
		judge_share(cluster, load, vm, slot, row);
	rules_judge(cluster, &load->rules, vm, slot, row);
}

// In place first: a VM that failed and may be tried again where it was stays there.
static bool restarts_in_place(const struct vm *vm)
{
	return vm->restarts > 0 && vm->last_owner != SLOT_NONE;
}

// Below 0: a is better, as the cluster's strategy sees it.
static int compare_loads(const struct cluster *cluster, const struct placement_node *a,
			 const struct placement_node *b)
{
	uint64_t x = 0, y = 0;

	switch ((enum placement_strategy)cluster->def.policies.placement) {
	case PLACEMENT_FEWEST_VMS:
		x = a->vms;
		y = b->vms;
		break;
	case PLACEMENT_PACK:
		x = a->free_mib;
		y = b->free_mib;
		break;
	case PLACEMENT_CONFIGURED:
	case PLACEMENT_MEASURED:
		x = a->share;
		y = b->share;
		break;
	case PLACEMENT_MOST_FREE:
	case PLACEMENT_STRATEGY_COUNT:
		break;
	}
	if (x == y) {
		x = b->free_mib;
		y = a->free_mib;
	}
	return x < y ? -1 : x > y;
}

bool placement_better(const struct cluster *cluster, const struct placement_node *a, uint8_t a_slot,
		      const struct placement_node *b, uint8_t b_slot)
{
	bool a_over = overcommitted(cluster, a, a_slot), b_over = overcommitted(cluster, b, b_slot);
	int order;

	if (a->tier != b->tier)
		return a->tier < b->tier;
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a_over != b_over)
		return b_over;
	order = compare_loads(cluster, a, b);
	if (order != 0)
		return order < 0;
	return strcmp(cluster->nodes[a_slot].def.name, cluster->nodes[b_slot].def.name) < 0;
}

uint8_t placement_choose(const struct cluster *cluster, const struct placement_load *load,
			 const struct vm *vm)
{
	struct placement_node row;

	if (vm->owner == SLOT_NONE && vm->bound_to != SLOT_NONE) {
		placement_judge(cluster, load, vm, vm->bound_to, &row);
		if (row.feasible)
			return vm->bound_to;
	}
	if (restarts_in_place(vm)) {
		placement_judge(cluster, load, vm, vm->last_owner, &row);
		if (row.feasible)
			return vm->last_owner;
	}
	return placement_choose_among(cluster, load, vm, UINT64_MAX);
}

uint8_t placement_choose_among(const struct cluster *cluster, const struct placement_load *load,
			       const struct vm *vm, uint64_t nodes)
{
	struct placement_node rows[2];
	uint8_t best = SLOT_NONE, at = 0;

	for (uint8_t slot = 0; slot < cluster->node_high; slot++) {
		if (!cluster->nodes[slot].used || !(nodes >> slot & 1))
			continue;
		placement_judge(cluster, load, vm, slot, &rows[at]);
		if (!rows[at].feasible)
			continue;
		if (best == SLOT_NONE ||
		    placement_better(cluster, &rows[at], slot, &rows[1 - at], best)) {
			best = slot;
			at = (uint8_t)(1 - at);
		}
	}
	return best;
}

bool placement_shut_down(const struct cluster *cluster, const struct vm *vm)
{
	return vm->owner == SLOT_NONE && vm->drained_from < NODES_MAX &&
	       cluster->nodes[vm->drained_from].maintenance &&
	       vm_definition(cluster, vm)->on_drain == ON_DRAIN_SHUTDOWN;
}

bool placement_spent(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms)
{
	uint64_t left = 0;

	if (vm_failures_old(cluster, vm, wall_ms))
		return false;

	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
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
	case CHECK_CPUS:
		return "cpus";
	case CHECK_HEALTH:
		return "health";
	case CHECK_TOGETHER:
		return "keep-together";
	case CHECK_APART:
		return "keep-apart";
	case CHECK_FOLLOW:
		return "follow";
	case CHECK_ATTRIBUTE:
		return "same-attribute";
	case CHECK_SPREAD:
		return "spread";
	case CHECK_ORDER:
		return "start-order";
	case PLACEMENT_CHECK_COUNT: break;
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
	if (!cluster->volumes[check->volume].prepared) {
		text_add(reason, " is not prepared yet");
		text_add(text_add(fix, "see: clustadm volume show "), name);
		return;
	}
	if (!volume->joined && volume->state == VOLUME_ONLINE)
		text_add(reason, "'s lockspace is not joined yet on ");
	else
		text_add(reason, " is not online on ");
	text_add(reason, node->def.name);
	if (volume->reason[0])
		text_add(text_add(reason, ": "), volume->reason);
	text_add(text_add(text_add(text_add(fix, "bring "), name), " back on "), node->def.name);
}

static void add_node_name(struct text *text, const struct cluster *cluster, uint8_t slot)
{
	text_add(text, slot == SLOT_NONE ? "no node" : cluster->nodes[slot].def.name);
}

static void explain_rule(const struct cluster *cluster, uint8_t slot, const struct check *check,
			 struct text *reason, struct text *fix)
{
	const struct rule_def *rule = &cluster->rules[check->rule].def;

	text_add(text_add(text_add(reason, "rule "), rule->name), ": ");
	switch ((enum placement_check)check->check) {
	case CHECK_TOGETHER:
		if (check->node == slot) {
			add_node_name(text_add(reason, "not all of its group may use "), cluster,
				      slot);
		} else {
			add_node_name(text_add(reason, "others of its group are on "), cluster,
				      check->node);
		}
		break;
	case CHECK_APART:
		add_node_name(text_add(reason, "one that it is kept apart from is on "), cluster,
			      slot);
		break;
	case CHECK_FOLLOW:
		add_node_name(text_add(reason, "its leader is on "), cluster, check->node);
		break;
	case CHECK_ATTRIBUTE:
		text_add(text_add(text_add(reason, "its leader's "), rule->attribute),
			 " is another one, on ");
		add_node_name(reason, cluster, check->node);
		break;
	case CHECK_SPREAD:
		add_node_name(
			text_add(text_add(text_add(reason, "fewer are on the "), rule->attribute),
				 " of "),
			cluster, check->node);
		break;
	case CHECK_ORDER:
		if (check->needed == 1) {
			text_add(reason, "it starts after another one, which is not up");
		} else {
			text_add_number(text_add(reason, "it starts after "), check->needed);
			text_add_number(text_add(reason, " others, "), check->found);
			text_add(reason, " of them up");
		}
		up_explain(cluster, check->rule, reason);
		up_explain_fix(cluster, check->rule, fix);
		break;
	case CHECK_NODE_ONLINE:
	case CHECK_NODE_MANAGED:
	case CHECK_NODE_MAINTENANCE:
	case CHECK_POSSIBLE_OWNER:
	case CHECK_EMULATOR:
	case CHECK_VOLUMES:
	case CHECK_MEMORY:
	case CHECK_FAILURES:
	case CHECK_CPUS:
	case CHECK_HEALTH:
	case PLACEMENT_CHECK_COUNT:
		break;
	}
	if (check->verdict == CHECK_WARN)
		text_add_number(text_add(reason, "; a wish of weight "), check->needed);
	text_add(text_add(fix, "drop rule "), rule->name);
}

// Even if it had nothing else: there is not so much that could be freed.
static bool is_too_small(const struct cluster *cluster, const struct vm *vm, uint8_t slot,
			 const struct check *check)
{
	const struct cluster_node *node = &cluster->nodes[slot];

	if (check->check == CHECK_MEMORY)
		return check->needed + node->def.memory_reserve_mib > node->report.memory_mib;
	return check->check == CHECK_CPUS && check->needed < vm_definition(cluster, vm)->cpus;
}

void placement_explain_check(const struct cluster *cluster, const struct vm *vm, uint8_t slot,
			     const struct check *check, char *reason_buf, char *fix_buf)
{
	const struct cluster_node *node = &cluster->nodes[slot];
	const char *vm_name = vm_definition(cluster, vm)->name;
	struct text reason = text_in(reason_buf, REASON_SIZE), fix = text_in(fix_buf, REASON_SIZE);
	bool small;

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
		small = is_too_small(cluster, vm, slot, check);
		text_add_number(text_add(&fix, small ? "add " : "free "), check->missing);
		text_add(text_add(&fix, small ? " MiB of memory to " : " MiB on "), node->def.name);
		break;
	case CHECK_FAILURES:
		text_add(text_add(&reason, "it failed too often on "), node->def.name);
		text_add(text_add(&fix, "clustadm vm clear "), vm_name);
		break;
	case CHECK_CPUS:
		text_add_number(text_add(&reason, "would promise "), check->found);
		text_add_number(text_add(&reason, " CPUs of "), check->needed);
		text_add(text_add(&reason, " on "), node->def.name);
		if (is_too_small(cluster, vm, slot, check)) {
			text_add(text_add(&fix, "raise cpu-overcommit, or give fewer CPUs to "),
				 vm_name);
			break;
		}
		text_add_number(text_add(&fix, "free "), check->found - check->needed);
		text_add(text_add(&fix, " CPUs on "), node->def.name);
		break;
	case CHECK_HEALTH:
		text_add(text_add(&reason, node->def.name),
			 node->def.health == HEALTH_RED ? " is red" : " is yellow");
		text_add(text_add(text_add(&fix, "set health=\"green\" on node "), node->def.name),
			 ", or change the health policy");
		break;
	case CHECK_TOGETHER:
	case CHECK_APART:
	case CHECK_FOLLOW:
	case CHECK_ATTRIBUTE:
	case CHECK_SPREAD:
	case CHECK_ORDER:
		explain_rule(cluster, slot, check, &reason, &fix);
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

// All that must be changed for the VM to be allowed on a node.
struct change {
	const struct cluster *cluster;
	const struct vm *vm;
	uint8_t slot;
	uint32_t effort;    // of every step 1; of those that take more than a command 2
	uint64_t missing;   // MiB
	struct text *words; // NULL: only counted
};

static void change_add(struct change *change, const struct check *check)
{
	char reason[REASON_SIZE], fix[REASON_SIZE];

	change->effort +=
		check->check == CHECK_NODE_ONLINE ||
				is_too_small(change->cluster, change->vm, change->slot, check)
			? 2
			: 1;
	change->missing += check->check == CHECK_MEMORY ? check->missing : 0;
	if (!change->words)
		return;
	placement_explain_check(change->cluster, change->vm, change->slot, check, reason, fix);
	text_add(text_add(change->words, change->words->length ? " and " : ""), fix);
}

// What a node brings with it when it is back: as it is now it says nothing.
static bool comes_back_with(const struct cluster_node *node, const struct placement_node *row,
			    enum placement_check check)
{
	if (row->checks[CHECK_NODE_ONLINE].verdict != CHECK_FAIL)
		return false;
	return check == CHECK_EMULATOR ||
	       (!node->reported && (check == CHECK_MEMORY || check == CHECK_CPUS));
}

static void change_volumes(struct change *change, const struct cluster_node *node, bool back,
			   struct check check)
{
	uint32_t mask = vm_volumes(change->cluster, change->vm);

	for (uint8_t v = 0; v < change->cluster->volume_high; v++) {
		check.volume = v;
		if (mask >> v & 1 && !volume_is_usable(node, v) &&
		    !(back && change->cluster->volumes[v].prepared))
			change_add(change, &check);
	}
}

// Each rule by itself: the checks name one of each kind.
static void change_rules(struct change *change, const struct placement_load *load)
{
	uint64_t mask = rules_about(change->cluster, change->vm);

	for (uint8_t rule = 0; rule < RULES_MAX && mask >> rule; rule++) {
		struct placement_node alone = { .feasible = true };

		if (!(mask >> rule & 1))
			continue;
		rules_judge_some(change->cluster, &load->rules, change->vm, change->slot,
				 UINT64_C(1) << rule, &alone);
		if (!alone.feasible)
			change_add(change, worst_check(&alone));
	}
}

static struct change change_for(const struct cluster *cluster, const struct placement_load *load,
				const struct vm *vm, uint8_t slot, const struct placement_node *row,
				struct text *words)
{
	struct change change = { .cluster = cluster, .vm = vm, .slot = slot, .words = words };
	const struct cluster_node *node = &cluster->nodes[slot];

	for (uint32_t i = 0; i < CHECK_TOGETHER; i++) {
		if (row->checks[i].verdict != CHECK_FAIL ||
		    comes_back_with(node, row, (enum placement_check)i))
			continue;
		if (i == CHECK_VOLUMES)
			change_volumes(&change, node,
				       row->checks[CHECK_NODE_ONLINE].verdict == CHECK_FAIL,
				       row->checks[i]);
		else
			change_add(&change, &row->checks[i]);
	}
	change_rules(&change, load);
	return change;
}

void placement_explain(const struct cluster *cluster, const struct placement_load *load,
		       const struct vm *vm, char *reason_buf, char *fix_buf)
{
	placement_explain_among(cluster, load, vm, UINT64_MAX, reason_buf, fix_buf);
}

// Each node's first failed check, in the order of the table above, and the smallest change.
void placement_explain_among(const struct cluster *cluster, const struct placement_load *load,
			     const struct vm *vm, uint64_t among, char *reason_buf, char *fix_buf)
{
	struct text reason = text_in(reason_buf, REASON_SIZE), fix = text_in(fix_buf, REASON_SIZE);
	char one[REASON_SIZE], its_fix[REASON_SIZE], last[REASON_SIZE] = "";
	struct placement_node row, least_row = { .candidate = false };
	struct change least = { .slot = SLOT_NONE };

	for (uint8_t slot = 0; slot < cluster->node_high; slot++) {
		const struct check *worst;
		struct change change;

		if (!cluster->nodes[slot].used || !(among >> slot & 1))
			continue;
		placement_judge(cluster, load, vm, slot, &row);
		if (row.feasible)
			continue;
		worst = row.checks[CHECK_ORDER].verdict == CHECK_FAIL ? &row.checks[CHECK_ORDER]
								      : worst_check(&row);
		placement_explain_check(cluster, vm, slot, worst, one, its_fix);
		if (strcmp(one, last) != 0) // it may be the same on every node
			text_add(text_add(&reason, reason.length ? "; " : ""), one);
		text_copy(last, sizeof(last), one);
		change = change_for(cluster, load, vm, slot, &row, NULL);
		if (least.slot != SLOT_NONE &&
		    (change.effort > least.effort ||
		     (change.effort == least.effort && change.missing >= least.missing)))
			continue;
		least = change;
		least_row = row;
	}
	if (least.slot != SLOT_NONE)
		change_for(cluster, load, vm, least.slot, &least_row, &fix);
}
