// SPDX-License-Identifier: Apache-2.0
/*
 * What administrators do in a scenario: each action as the request that clustadm sends, and its
 * answer in the trace.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/text.h"
#include "policies/capacity.h"
#include "policies/drain.h"
#include "tests/sim/scenario.h"

enum { PLANTED_S = 10, ASKING_S = 120 };

static void tell_command(struct run *run, const struct command *command, const char *result,
			 const char *reason)
{
	struct paper paper = { 0 };
	uint32_t now = run->step;

	paper_add_json(&paper, reason);
	run->step = command->step;
	run_tell(run,
		 "\"ev\": \"cmd\", \"idx\": %u, \"do\": \"%s\", \"result\": \"%s\", \"reason\": %s",
		 (unsigned int)command->index, do_word((enum scenario_do)command->act), result,
		 paper.text);
	run->step = now;
	free(paper.text);
}

static bool is_managed(struct run *run, uint32_t vm)
{
	struct host *speaker = run_speaker(run);
	const struct vm *found = speaker ? run_vm(run, node_cluster(speaker->node), vm) : NULL;

	return !found || found->managed;
}

static bool request_vm(struct run *run, enum entry_type type, const struct scenario_action *action,
		       uint64_t *cookie)
{
	static const uint8_t wanted[WANT_COUNT] = { VM_WANTED_RUNNING, VM_WANTED_STOPPED,
						    VM_WANTED_DISABLED, VM_WANTED_STOPPED };
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = (uint8_t)type;
	entry->object = OBJECT_VM;
	entry->wanted = action->act == DO_VM_STOP ? VM_WANTED_STOPPED : wanted[action->want];
	// Of a wish it would mean: at once, without asking the guest.
	entry->flag = type == ENTRY_VM_MANAGE && action->want != WANT_UNMANAGED;
	run_name_vm(run, entry, action->vm);
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

bool command_manage_vm(struct run *run, uint32_t vm, bool managed, uint64_t *cookie)
{
	struct scenario_action action = { .vm = (uint8_t)vm,
					  .want = managed ? WANT_RUNNING : WANT_UNMANAGED };

	return request_vm(run, ENTRY_VM_MANAGE, &action, cookie);
}

static bool command_want(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	uint64_t first;

	run->scenario->vms[action->vm].want = action->want;
	run->vms[action->vm].removed = false;
	if (action->want == WANT_UNMANAGED)
		return request_vm(run, ENTRY_VM_MANAGE, action, cookie);
	if (!is_managed(run, action->vm) && !request_vm(run, ENTRY_VM_MANAGE, action, &first))
		return false;
	return request_vm(run, ENTRY_VM_WANT, action, cookie);
}

static bool command_stop(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	struct scenario_vm *vm = &run->scenario->vms[action->vm];
	uint64_t first;

	vm->want = WANT_STOPPED;
	if (vm->stop_timeout_s != action->timeout_s) {
		uint8_t want = vm->want;

		vm->stop_timeout_s = (uint32_t)action->timeout_s;
		vm->want = WANT_RUNNING;
		if (!run_apply_vm(run, action->vm, true, &first))
			return false;
		vm->want = want;
	}
	return request_vm(run, ENTRY_VM_WANT, action, cookie);
}

static bool command_manage_node(struct run *run, uint32_t node, bool managed, uint64_t *cookie)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = ENTRY_NODE_MANAGE;
	entry->flag = managed;
	run_name_node(run, entry, node);
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

static bool command_resize(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	run->scenario->vms[action->vm].cpus = action->cpus;
	run->scenario->vms[action->vm].memory_mib = action->memory_mib;
	return run_apply_vm(run, action->vm, true, cookie);
}

// ---- moves

static uint8_t slot_of(struct run *run, uint8_t node)
{
	const struct host *speaker = run_speaker(run);
	const struct cluster_node *found;

	if (node == NAME_NONE || !speaker)
		return SLOT_NONE;
	found = cluster_node_by_id((struct cluster *)node_cluster(speaker->node), node + 1u);
	return found ? (uint8_t)(found - node_cluster(speaker->node)->nodes) : SLOT_NONE;
}

bool command_move(struct run *run, uint32_t vm, uint8_t to, enum move_kind kind, uint64_t *cookie)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = ENTRY_MOVE_REQUEST;
	entry->move_kind = (uint8_t)kind;
	entry->actor = slot_of(run, to);
	run_name_vm(run, entry, vm);
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

static bool is_off(struct run *run, uint32_t vm)
{
	const struct host *speaker = run_speaker(run);
	const struct vm *found = speaker ? run_vm(run, node_cluster(speaker->node), vm) : NULL;

	return found && found->phase == VM_IDLE && found->wanted != VM_WANTED_RUNNING;
}

// One that is off begins where it is defined next: its home is another node.
static bool command_rehome(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	run->scenario->vms[action->vm].home = action->to;
	run->vms[action->vm].home = action->to;
	return run_apply_vm(run, action->vm, true, cookie);
}

// What may not be moved live is saved and restored when it is migrated, and starts anew when it is
// relocated.
static bool command_migrate(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	enum move_kind kind = MOVE_COLD;

	if (is_off(run, action->vm))
		return command_rehome(run, action, cookie);
	if (action->act == DO_MIGRATE)
		kind = run->scenario->vms[action->vm].live ? MOVE_LIVE : MOVE_QUICK;
	return command_move(run, action->vm, action->to, kind, cookie);
}

// ---- nodes

// With failback those that left come back.
bool command_drain(struct run *run, uint32_t node, bool on, bool stop, uint64_t *cookie)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = ENTRY_NODE_DRAIN;
	entry->drain_verb = on ? DRAIN_ON : DRAIN_OFF;
	entry->drain_anyway = on;
	entry->drain_stop = on && stop;
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		entry->flag |= run->scenario->vms[v].failback;
	run_name_node(run, entry, node);
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

static bool command_health(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	run->scenario->nodes[action->node].health = action->health;
	return run_apply_node(run, action->node, cookie);
}

// `clustadm balance`.
static bool command_balance(struct run *run, uint64_t *cookie)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	bool sent;

	INVARIANT(entry);
	entry->type = ENTRY_POLICY_RUN;
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

// ---- questions: answered at once, by what whoever is asked knows

static uint64_t present_nodes(struct run *run)
{
	struct host *speaker = run_speaker(run);
	const struct cluster *cluster = node_cluster(speaker->node);
	uint64_t mask = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (cluster->nodes[slot].used && cluster->nodes[slot].life == NODE_ONLINE &&
		    view_member(node_view(speaker->node), cluster->nodes[slot].def.id))
			mask |= UINT64_C(1) << slot;
	return mask;
}

static void blocker_say(char *to, const char *vm, const char *reason)
{
	struct text text = text_in(to, REASON_SIZE);

	text_add(text_add(text_add(&text, vm), ": "), reason);
}

// As `clustadm node maintenance N --dry-run`.
static bool drain_said(struct run *run, const struct cluster *cluster, uint8_t slot, char *reason)
{
	uint32_t order[WORLD_VMS_MAX + SIM_VMS_MAX];
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;
	bool good = true;

	placement_load_init(&load, cluster, present_nodes(run));
	drain_plan_init(&plan, cluster, slot, &load, order);
	while (drain_plan_next(&plan, &step)) {
		if (step.kind != DRAIN_STEP_BLOCKED)
			continue;
		if (good)
			blocker_say(reason, vm_definition(cluster, step.vm)->name, step.reason);
		good = false;
	}
	return good;
}

// As `clustadm capacity`, of one node or of any.
static bool capacity_said(struct run *run, const struct cluster *cluster, uint8_t slot,
			  char *reason)
{
	struct cluster *copy = malloc(sizeof(*copy));
	uint64_t present = present_nodes(run);
	struct capacity_answer answer;
	uint32_t list[WORLD_VMS_MAX + SIM_VMS_MAX];

	INVARIANT(copy);
	memcpy(copy, cluster, sizeof(*copy));
	if (slot == SLOT_NONE)
		capacity_prove(copy, present, 1, list, &answer);
	else
		capacity_prove_node(copy, present, slot, list, &answer);
	free(copy);
	if (!answer.tolerates)
		blocker_say(reason, answer.vm, answer.reason);
	return answer.tolerates;
}

bool run_ask_capacity(struct run *run, uint8_t node)
{
	const struct host *speaker = run_speaker(run);
	char reason[REASON_SIZE];

	return speaker &&
	       capacity_said(run, node_cluster(speaker->node), slot_of(run, node), reason);
}

static void question_act(struct run *run, const struct scenario_action *action,
			 struct command *command)
{
	const struct host *speaker = run_speaker(run);
	char reason[REASON_SIZE] = "";
	uint8_t slot = slot_of(run, action->node);
	bool good;

	if (!speaker)
		good = false;
	else if (action->act == DO_DRAIN_PLAN)
		good = drain_said(run, node_cluster(speaker->node), slot, reason);
	else
		good = capacity_said(run, node_cluster(speaker->node), slot, reason);
	command->open = false;
	tell_command(run, command, good ? "accepted" : "rejected", reason);
}

// ---- management

static bool is_owned(struct run *run, uint32_t vm)
{
	const struct host *speaker = run_speaker(run);
	const struct vm *found = speaker ? run_vm(run, node_cluster(speaker->node), vm) : NULL;

	return found && found->owner != SLOT_NONE;
}

// The definition of one that runs, or may run, is not taken away: nothing more is done about it.
static bool command_remove(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	if (!is_owned(run, action->vm))
		return request_vm(run, ENTRY_REMOVE, action, cookie);
	run->vms[action->vm].removed = true;
	return command_manage_vm(run, action->vm, false, cookie);
}

// Nobody but clusterd starts QEMUs here: it is made to do so where it is said to run, and nothing
// is told of that.
static bool runs_before(const struct run *run, uint32_t v)
{
	const struct scenario_vm *vm = &run->scenario->vms[v];

	return vm->runs_at_add && vm->home != NAME_NONE && run->vms[v].at == 0 &&
	       run->world->hosts[vm->home].daemon;
}

static bool command_add(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	uint64_t first;

	run->scenario->vms[action->vm].from_start = true;
	if (run->vms[action->vm].removed && !command_manage_vm(run, action->vm, true, &first))
		return false;
	run->vms[action->vm].removed = false;
	if (!runs_before(run, action->vm))
		return run_apply_vm(run, action->vm, true, cookie);
	run->vms[action->vm].adopting = true;
	run->pinned[action->vm] = run->scenario->vms[action->vm].home + 1;
	return run_apply_vm(run, action->vm, false, cookie);
}

// ---- all of them

static bool command_send(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	switch ((int)action->act) {
	case DO_VM_WANT:
		return command_want(run, action, cookie);
	case DO_VM_STOP:
		return command_stop(run, action, cookie);
	case DO_VM_ADD:
		return command_add(run, action, cookie);
	case DO_VM_REMOVE:
		return command_remove(run, action, cookie);
	case DO_VM_RESIZE:
		return command_resize(run, action, cookie);
	case DO_MANAGE_NODE:
		return command_manage_node(run, action->node, true, cookie);
	case DO_UNMANAGE_NODE:
		return command_manage_node(run, action->node, false, cookie);
	case DO_MIGRATE:
	case DO_RELOCATE:
		return command_migrate(run, action, cookie);
	case DO_MAINTENANCE_ON:
	case DO_MAINTENANCE_OFF:
		return command_drain(run, action->node, action->act == DO_MAINTENANCE_ON, false,
				     cookie);
	case DO_NODE_HEALTH:
		return command_health(run, action, cookie);
	case DO_REBALANCE:
		return command_balance(run, cookie);
	}
	return false;
}

// Where it is so already, nothing is to be done.
static const char *answer_word(const struct entry_result *result)
{
	if (result->accepted)
		return "accepted";
	return strcmp(result->code, "already-there") == 0 ||
			       strcmp(result->code, "not-in-maintenance") == 0
		       ? "ignored"
		       : "rejected";
}

// It was asked again, of one that has just been started, or at the moment in which something was
// mended.
static bool is_too_early(const struct run *run, const struct command *command,
			 const struct entry_result *result)
{
	return !result->accepted && strcmp(result->code, "no-quorum") == 0 &&
	       (command->again_us != 0 || run->mending) &&
	       run->world->now_us < command->asked_us + SECONDS(ASKING_S);
}

void run_replied(struct world *world, uint64_t cookie, const struct entry_result *result)
{
	struct run *run = world->runner;

	if (cookie == run->setup_cookie) {
		run->setup_answered = true;
		run->setup_accepted = result->accepted;
		snprintf(run->setup_reason, sizeof(run->setup_reason), "%s", result->reason);
		return;
	}
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		uint64_t *home = &run->vms[v].home_cookie;

		if (*home != cookie)
			continue;
		*home = result->accepted ? 0 : UINT64_MAX;
		run->homes_due |= !result->accepted;
		return;
	}
	for (uint32_t i = 0; i < ACTIONS_MAX; i++) {
		struct command *command = &run->commands[i];

		if (!command->open || command->cookie != cookie)
			continue;
		if (is_too_early(run, command, result)) {
			command->again_us = run->world->now_us + SECONDS(1);
			continue;
		}
		command->open = false;
		tell_command(run, command, answer_word(result), result->reason);
		if (result->accepted &&
		    (command->act == DO_MIGRATE || command->act == DO_RELOCATE) &&
		    is_off(run, command->vm))
			run_tell_move(run, "vm-relocate-ok", command->vm, NAME_NONE, command->to,
				      "");
	}
}

bool is_command(enum scenario_do act)
{
	return act == DO_VM_WANT || act == DO_VM_STOP || act == DO_VM_ADD || act == DO_VM_REMOVE ||
	       act == DO_VM_RESIZE || act == DO_MANAGE_NODE || act == DO_UNMANAGE_NODE ||
	       act == DO_MIGRATE || act == DO_RELOCATE || act == DO_MAINTENANCE_ON ||
	       act == DO_MAINTENANCE_OFF || act == DO_NODE_HEALTH || act == DO_DRAIN_PLAN ||
	       act == DO_CAPACITY_CHECK || act == DO_REBALANCE;
}

static bool command_ask(struct run *run, struct command *command)
{
	if (!command_send(run, command->action, &command->cookie))
		return false;
	command->host = run->asked;
	command->life = run->world->hosts[run->asked].daemon_epoch;
	return true;
}

static bool is_spoken_to(struct run *run)
{
	return run_speaker(run) != NULL;
}

void command_act(struct run *run, const struct scenario_action *action, uint32_t index)
{
	struct command *command = run->commands;

	// Whose clusterd has only just been started to find a second process is waited for.
	if (run->step == 0 && run->planted != 0)
		run_wait(run, is_spoken_to, PLANTED_S);
	// One of an earlier step may still be without its answer.
	while (command->open && command < &run->commands[ACTIONS_MAX - 1])
		command++;
	*command = (struct command){ .step = run->step,
				     .index = index,
				     .act = action->act,
				     .vm = action->vm,
				     .to = action->to,
				     .action = action,
				     .open = true };
	if (action->act == DO_DRAIN_PLAN || action->act == DO_CAPACITY_CHECK) {
		question_act(run, action, command);
		return;
	}
	command->asked_us = run->world->now_us;
	if (command_ask(run, command))
		return;
	command->open = false;
	tell_command(run, command, "rejected", "no clusterd answers");
}

// Whoever was asked has ended since: an administrator asks again.
void command_watch(struct run *run)
{
	for (uint32_t i = 0; i < ACTIONS_MAX; i++) {
		struct command *command = &run->commands[i];
		const struct host *host = &run->world->hosts[command->host];

		if (command->open && command->life != 0 &&
		    (!host->daemon || host->daemon_epoch != command->life ||
		     (command->again_us != 0 && run->world->now_us >= command->again_us))) {
			command->again_us = UINT64_MAX;
			command_ask(run, command);
		}
	}
}
