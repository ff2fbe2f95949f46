// SPDX-License-Identifier: Apache-2.0
#include "policies/drain.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "policies/mend.h"

enum { LIVE_FAILURES_MAX = 3 };

void drain_plan_init(struct drain_plan *plan, const struct cluster *cluster, uint8_t node,
		     const struct placement_load *load, uint32_t *order)
{
	plan->cluster = cluster;
	plan->node = node;
	plan->order = order;
	plan->count = plan->at = 0;
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used && cluster->vms[i].owner == node)
			order[plan->count++] = i;
	if (plan->count > 0) // otherwise there is no step, and nobody looks at it
		placement_load_copy(&plan->load, load, cluster);
	placement_sort(cluster, order, plan->count);
}

// Live moves of it that drains began and that failed, since one went well.
static uint32_t live_failures(const struct cluster *cluster, const struct vm *vm, bool *endless)
{
	const char *name = vm_definition(cluster, vm)->name;
	uint32_t failures = 0;

	*endless = false;
	for (uint32_t i = 1; i <= PAST_MOVES_MAX; i++) {
		const struct past_move *past =
			&cluster->past_moves[(cluster->past_move + PAST_MOVES_MAX - i) %
					     PAST_MOVES_MAX];

		if (past->id == 0 || strcmp(past->vm, name) != 0 || past->kind != MOVE_LIVE)
			continue;
		if (past->outcome == MOVE_DONE)
			break;
		if (past->outcome != MOVE_STAYED)
			continue;
		failures++;
		// It dirties memory as fast as the link takes it: the next one would not end
		// either.
		*endless = *endless || (past->fact.dirty_rate > 0 &&
					past->fact.dirty_rate >= past->fact.rate);
	}
	return failures;
}

struct method_row {
	uint8_t on_drain;	// ON_DRAIN_COUNT: any
	bool low, endless, failing;	// wanted true; false: don't care
	uint8_t method;
	const char *reason;
};

enum move_kind drain_method(const struct cluster *cluster, const struct vm *vm, char *reason)
{
	static const struct method_row rows[] = {
		{ ON_DRAIN_COLD, false, false, false, MOVE_COLD, "it is to be moved cold" },
		{ ON_DRAIN_SHUTDOWN, false, false, false, MOVE_COLD, "it is to be shut down" },
		{ ON_DRAIN_QUICK, false, false, false, MOVE_QUICK, "it is to be moved quickly" },
		{ ON_DRAIN_MIGRATE, true, false, false, MOVE_QUICK, "its priority is low" },
		{ ON_DRAIN_MIGRATE, false, true, false, MOVE_QUICK,
		  "a live migration of it would not end" },
		{ ON_DRAIN_MIGRATE, false, false, true, MOVE_QUICK,
		  "its live migrations have failed" },
		{ ON_DRAIN_COUNT, false, false, false, MOVE_LIVE, "" },
	};
	const struct vm_def *def = vm_definition(cluster, vm);
	bool endless, low = def->priority < 0;
	bool failing = live_failures(cluster, vm, &endless) >= LIVE_FAILURES_MAX;

	endless = endless && !def->post_copy;
	for (size_t i = 0;; i++) {
		const struct method_row *row = &rows[i];

		if ((row->on_drain != def->on_drain && row->on_drain != ON_DRAIN_COUNT) ||
		    (row->low && !low) || (row->endless && !endless) ||
		    (row->failing && !failing))
			continue;
		text_copy(reason, REASON_SIZE, row->reason);
		return row->method;
	}
}

static void step_say(struct drain_step *step, enum drain_step_kind kind, const char *reason)
{
	step->kind = (uint8_t)kind;
	text_copy(step->reason, sizeof(step->reason), reason);
}

static void say_fix(struct drain_step *step, const char *first, const char *name,
		    const char *last)
{
	struct text text = text_in(step->fix, sizeof(step->fix));

	text_add(text_add(text_add(&text, first), name), last);
}

// What keeps it from being moved at all.
static bool step_hindered(const struct drain_plan *plan, struct drain_step *step)
{
	const struct cluster *cluster = plan->cluster;
	const struct vm *vm = step->vm;
	const struct vm_def *def = vm_definition(cluster, vm);

	if (vm->move != 0) {
		step_say(step, DRAIN_STEP_WAIT, "it is being moved");
		return true;
	}
	if (vm->phase == VM_BLOCKED) {
		step_say(step, DRAIN_STEP_BLOCKED, vm->reason);
		say_fix(step, "clustadm vm show ", def->name, "");
		return true;
	}
	if (!vm->managed) {
		step_say(step, DRAIN_STEP_BLOCKED, "it is unmanaged");
		say_fix(step, "clustadm vm manage ", def->name, ", or stop it yourself");
		return true;
	}
	if (vm->wanted != VM_WANTED_RUNNING) {
		step_say(step, DRAIN_STEP_WAIT, "it is being stopped");
		return true;
	}
	if (vm_is_held(cluster, vm)) {
		step_say(step, DRAIN_STEP_WAIT, "it is being stopped with what it starts after");
		return true;
	}
	if (vm->phase != VM_RUNNING) {
		step_say(step, DRAIN_STEP_WAIT, "it is being started");
		return true;
	}
	if (def->on_drain != ON_DRAIN_STAY)
		return false;
	step_say(step, DRAIN_STEP_BLOCKED, "it is defined to stay (on-drain=\"stay\")");
	say_fix(step, "clustadm vm migrate ", def->name, ", or stop it");
	return true;
}

static void step_blocked(const struct drain_plan *plan, struct drain_step *step)
{
	char reason[REASON_SIZE] = "";

	placement_explain_among(plan->cluster, &plan->load, step->vm, ~(1ull << plan->node), reason,
				step->fix);
	if (!reason[0])
		text_copy(reason, sizeof(reason),
			  group_of_vm(plan->cluster, step->vm) == SLOT_NONE
				  ? "there is no other node"
				  : "no other node can have all that it is kept together with");
	step_say(step, DRAIN_STEP_BLOCKED, reason);
}

/*
 * The others on the node leave too: what keeps VMs together must not keep them all there. What has
 * already left, or was promised another node, is followed.
 */
static void forget_the_others(struct drain_plan *plan, const struct vm *vm)
{
	struct rules_load *rules = &plan->load.rules;
	struct vm_rules mine;
	uint8_t group;

	if (!plan->cluster->rule_index->enabled)
		return;
	mine = rules_of_vm(plan->cluster, vm);
	group = group_of_vm(plan->cluster, vm);
	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		rules->members[rule][plan->node] = mine.as[ROLE_MEMBER] >> rule & 1;
		rules->group[rule][plan->node] = rule == group;
	}
}

// None of its group has gone, or is going, anywhere else.
static bool leads_its_group(const struct drain_plan *plan, uint8_t group)
{
	for (uint8_t node = 0; node < NODES_MAX && group != SLOT_NONE; node++)
		if (node != plan->node && plan->load.rules.group[group][node] > 0)
			return false;
	return group != SLOT_NONE;
}

/*
 * The first of a strict keep-together group looks for a node that can take all of them; the others
 * follow it there.
 */
static void choose_target(struct drain_plan *plan, struct drain_step *step)
{
	uint64_t others = ~(1ull << plan->node);
	uint8_t target = SLOT_NONE;
	struct placement_load scratch;
	bool leads;

	forget_the_others(plan, step->vm);
	leads = leads_its_group(plan, group_of_vm(plan->cluster, step->vm));
	if (leads)
		target = group_choose(plan->cluster, &plan->load, &scratch, step->vm, plan->node,
				      others);
	if (leads)
		others = target == SLOT_NONE ? 0 : 1ull << target;
	step->target = placement_choose_among(plan->cluster, &plan->load, step->vm, others);
}

bool drain_plan_next(struct drain_plan *plan, struct drain_step *step)
{
	const struct cluster *cluster = plan->cluster;

	if (plan->at == plan->count)
		return false;
	memset(step, 0, sizeof(*step));
	step->vm = &cluster->vms[plan->order[plan->at++]];
	step->target = SLOT_NONE;
	if (step_hindered(plan, step))
		return true;
	step->kind = DRAIN_STEP_MOVE;
	step->method = (uint8_t)drain_method(cluster, step->vm, step->reason);
	if (vm_definition(cluster, step->vm)->on_drain == ON_DRAIN_SHUTDOWN)
		return true;
	choose_target(plan, step);
	if (step->target == SLOT_NONE)
		step_blocked(plan, step);
	else
		placement_load_add(&plan->load, cluster, step->vm, step->target);
	return true;
}

static uint8_t other_in_maintenance(const struct cluster *cluster, uint8_t node)
{
	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (slot != node && cluster->nodes[slot].used && cluster->nodes[slot].maintenance)
			return slot;
	return SLOT_NONE;
}

// Voters that would be left if every node that is emptied went down.
static uint32_t voters_left(const struct cluster *cluster, uint8_t node, uint64_t present)
{
	uint32_t left = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct cluster_node *other = &cluster->nodes[slot];
		bool voter = false;

		for (uint32_t i = 0; i < cluster->voters.count; i++)
			voter = voter || cluster->voters.list[i].id == other->def.id;
		left += other->used && voter && slot != node && !other->maintenance &&
			(present >> slot & 1);
	}
	return left;
}

/*
 * One node may always be emptied: what cannot leave it is told by the drain itself. A second one is
 * another matter, because nodes in maintenance are switched off: the rest must then still have a
 * quorum, and room for every VM.
 */
bool drain_allowed(const struct cluster *cluster, uint8_t node, uint64_t present, uint32_t *order,
		   char *reason, char *fix)
{
	struct text why = text_in(reason, REASON_SIZE), how = text_in(fix, REASON_SIZE);
	uint8_t other = other_in_maintenance(cluster, node);
	uint32_t left = voters_left(cluster, node, present), needed = cluster->voters.count / 2 + 1;
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;

	if (other == SLOT_NONE)
		return true;
	text_add(text_add(text_add(&how, "clustadm node maintenance "),
			  cluster->nodes[other].def.name), " off");
	if (left < needed) {
		text_add(text_add(&why, cluster->nodes[other].def.name), " is in maintenance: ");
		text_add_number(text_add(&why, "of "), cluster->voters.count);
		text_add_number(text_add(&why, " voters "), left);
		text_add_number(text_add(&why, " would be left, and a quorum needs "), needed);
		return false;
	}
	placement_load_init(&load, cluster, present);
	drain_plan_init(&plan, cluster, node, &load, order);
	while (drain_plan_next(&plan, &step)) {
		if (step.kind != DRAIN_STEP_BLOCKED || step.vm->phase != VM_RUNNING ||
		    vm_definition(cluster, step.vm)->on_drain == ON_DRAIN_STAY ||
		    !step.vm->managed)
			continue;
		text_add(text_add(&why, cluster->nodes[other].def.name),
			 " is in maintenance, and then vm ");
		text_add(text_add(&why, vm_definition(cluster, step.vm)->name),
			 " would have nowhere to go: ");
		text_add(&why, step.reason);
		return false;
	}
	return true;
}
