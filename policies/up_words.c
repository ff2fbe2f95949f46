// SPDX-License-Identifier: Apache-2.0
#include "policies/up_words.h"

#include <string.h>

#include "clusterd/rule_index.h"

static bool runs(const struct cluster *cluster, const struct vm *vm)
{
	return vm->phase == VM_RUNNING && vm->wanted == VM_WANTED_RUNNING &&
	       !vm_is_held(cluster, vm);
}

// A delay is left to the clock, which is not known here: who has begun to run is thought to wait.
static bool is_missing(const struct cluster *cluster, const struct vm *vm, uint8_t rule)
{
	return !runs(cluster, vm) || cluster->rules[rule].def.up == UP_DELAY ||
	       (cluster->rules[rule].def.up != UP_RUNNING && !(vm->up_rules >> rule & 1));
}

// By name, as everything is told; one that does not run before those that only do not answer.
static const struct vm *first_missing(const struct cluster *cluster, uint8_t rule)
{
	const struct vm *found = NULL;

	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		const struct vm *vm = &cluster->vms[slot];

		if (!vm->used || !(rules_of_vm(cluster, vm).as[ROLE_FIRST] >> rule & 1) ||
		    !is_missing(cluster, vm, rule))
			continue;
		if (!found || runs(cluster, vm) < runs(cluster, found) ||
		    (runs(cluster, vm) == runs(cluster, found) &&
		     strcmp(cluster->defs[slot].name, vm_definition(cluster, found)->name) < 0))
			found = vm;
	}
	return found;
}

void up_explain(const struct cluster *cluster, uint8_t rule, struct text *reason)
{
	const struct rule_def *def = &cluster->rules[rule].def;
	const struct vm *vm = first_missing(cluster, rule);

	if (!vm)
		return;
	text_add(text_add(reason, "; "), vm_definition(cluster, vm)->name);
	if (!runs(cluster, vm)) {
		text_add(reason, " does not run");
		return;
	}
	switch ((enum rule_up)def->up) {
	case UP_AGENT:
		text_add(reason, ": its guest agent has not answered");
		break;
	case UP_TCP:
		text_add_number(text_add(reason, ": its TCP port "), def->up_value);
		text_add(reason, " has not answered");
		break;
	case UP_DELAY:
		text_add_number(text_add(reason, " has not run for "), def->up_value);
		text_add(reason, " s");
		break;
	case UP_RUNNING:
	case RULE_UP_COUNT:
		break;
	}
}

void up_explain_fix(const struct cluster *cluster, uint8_t rule, struct text *fix)
{
	const struct rule_def *def = &cluster->rules[rule].def;
	const struct vm *vm = first_missing(cluster, rule);
	const struct vm_def *vm_def = vm ? vm_definition(cluster, vm) : NULL;
	bool agent = def->up == UP_AGENT && vm_def && !vm_def->guest_agent;
	bool address = def->up == UP_TCP && vm_def && !vm_def->address[0];

	if (vm && vm->wanted == VM_WANTED_STOPPED) {
		text_add(text_add(text_add(fix, "clustadm vm start "), vm_def->name), ", or ");
		return;
	}
	if (!agent && !address)
		return;
	text_add(text_add(fix, "give vm "), vm_def->name);
	text_add(fix, agent ? " <guest-agent/>, or " : " its <address>, or ");
}
