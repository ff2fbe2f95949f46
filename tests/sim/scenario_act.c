// SPDX-License-Identifier: Apache-2.0
/*
 * The actions of a scenario: what happens to hosts, networks, storage and processes happens in the
 * world; what administrators do goes to clusterd as the requests that clustadm sends.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/scenario.h"

enum { RESTART_S = 2 }; // by the service manager

void run_links(struct run *run)
{
	for (uint32_t i = 0; i < run->hosts; i++) {
		for (uint32_t j = 0; j < run->hosts; j++) {
			bool off = (run->network_off >> i & 1) || (run->network_off >> j & 1);

			if (i != j)
				corosync_link(run->world, i, j,
					      !off && run->group[i] == run->group[j]);
		}
	}
}

void run_power_off(struct run *run, uint32_t node)
{
	struct host *host = &run->world->hosts[node];

	if (!host->powered)
		return;
	run->cut_by_us |= 1u << node;
	run->world->stats[STAT_POWER_CUTS]++;
	host_power_off(run->world, host, "power cut");
}

static void partition(struct run *run, const struct scenario_action *action)
{
	memset(run->group, 0, sizeof(run->group));
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		run->group[i] =
			action->group[i] == NAME_NONE ? (uint8_t)(100 + i) : action->group[i];
	run_links(run);
}

static uint64_t ends_after(struct run *run, double seconds)
{
	uint64_t length_us = (uint64_t)(seconds * 1e6);

	if (run->world->now_us + length_us > run->busy_until_us)
		run->busy_until_us = run->world->now_us + length_us;
	return length_us;
}

// ---- storage

static void storage_run_back(struct world *world, struct item *item)
{
	path_set(world, &world->hosts[item->a], 0, PATH_OK);
}

static void storage_off(struct run *run, const struct scenario_action *action, uint32_t node)
{
	struct host *host = &run->world->hosts[node];

	for (uint32_t i = 0; i < SIM_VMS_MAX; i++) {
		struct proc *proc = &host->procs[i];

		if (proc->state == PROC_NONE || !proc->executed)
			continue;
		proc->deaf |= action->deaf || action->unkillable;
		if (action->unkillable)
			proc->killed = proc->unkillable = true;
	}
	path_set(run->world, host, 0, PATH_LOST);
	if (action->for_s > 0)
		world_at(run->world, ends_after(run, action->for_s), NULL, GUARD_NONE,
			 storage_run_back)
			->a = node;
}

static void storage(struct run *run, const struct scenario_action *action)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		if (action->node != NAME_NONE && action->node != i)
			continue;
		if (action->act == DO_STORAGE_OFF)
			storage_off(run, action, i);
		else
			path_set(run->world, &run->world->hosts[i], 0, PATH_OK);
	}
}

static void configuration(struct run *run, const struct scenario_action *action)
{
	for (uint32_t i = 0; i < run->hosts; i++) {
		struct host *host = &run->world->hosts[i];

		if (action->node != NAME_NONE && action->node != i)
			continue;
		if (action->act == DO_STORE_FAIL && host->daemon) {
			store_fail(run->world, host);
		} else if (action->act == DO_STORE_OK && host->store.failed) {
			daemon_kill(run->world, host);
			daemon_start(run->world, host);
		}
	}
}

// ---- clusterd

static void shut_down(struct run *run, struct host *host, bool with_host)
{
	struct event event = { .type = EVENT_SHUTDOWN, .flag = with_host };

	host_post(run->world, host, 0, &event);
}

static void daemon_act(struct run *run, enum scenario_do act, struct host *host, double for_s)
{
	switch ((int)act) {
	case DO_MANAGER_STOP:
		daemon_kill(run->world, host);
		break;
	case DO_MANAGER_START:
		daemon_start(run->world, host);
		break;
	case DO_AGENT_RESTART:
		shut_down(run, host, false);
		break;
	case DO_AGENT_KILL:
		daemon_kill(run->world, host);
		daemon_restart_later(run->world, host, SECONDS(RESTART_S));
		break;
	case DO_AGENT_STALL:
		host->stalled_until_us = run->world->now_us + ends_after(run, for_s);
		break;
	}
}

static bool has_left(struct run *run)
{
	struct host *speaker = run_speaker(run);
	const struct cluster_node *node;

	if (!speaker)
		return false;
	node = cluster_node_by_id((struct cluster *)node_cluster(speaker->node), run->leaving + 1u);
	return node && node->life == NODE_LEFT;
}

bool run_leave(struct run *run, uint32_t node)
{
	bool left;

	run->leaving = (uint8_t)node;
	shut_down(run, &run->world->hosts[node], true);
	left = run_wait(run, has_left, 60);
	run_power_off(run, node);
	return left;
}

// ---- processes

static struct proc *proc_running(struct run *run, uint32_t vm, struct host **host)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		*host = &run->world->hosts[i];
		for (uint32_t p = 0; run->vms[vm].running[i] && p < SIM_VMS_MAX; p++)
			if ((*host)->procs[p].state == PROC_RUNNING &&
			    (*host)->procs[p].serial == run->vms[vm].running[i])
				return &(*host)->procs[p];
	}
	return NULL;
}

void run_crash(struct run *run, uint32_t vm)
{
	struct host *host;
	struct proc *proc = proc_running(run, vm, &host);

	if (!proc)
		return;
	run->vms[vm].crashed = proc->serial;
	qemu_die(run->world, host, proc);
}

// ---- commands

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
	entry->flag = action->want != WANT_UNMANAGED;
	run_name_vm(run, entry, action->vm);
	sent = run_request(run, entry, cookie);
	free(entry);
	return sent;
}

static bool command_want(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	uint64_t first;

	run->scenario->vms[action->vm].want = action->want;
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

static bool command_send(struct run *run, const struct scenario_action *action, uint64_t *cookie)
{
	switch ((int)action->act) {
	case DO_VM_WANT:
		return command_want(run, action, cookie);
	case DO_VM_STOP:
		return command_stop(run, action, cookie);
	case DO_VM_ADD:
		run->scenario->vms[action->vm].from_start = true;
		return run_apply_vm(run, action->vm, true, cookie);
	case DO_VM_REMOVE:
		return request_vm(run, ENTRY_REMOVE, action, cookie);
	case DO_VM_RESIZE:
		return command_resize(run, action, cookie);
	case DO_MANAGE_NODE:
		return command_manage_node(run, action->node, true, cookie);
	case DO_UNMANAGE_NODE:
		return command_manage_node(run, action->node, false, cookie);
	}
	return false;
}

static void tell_command(struct run *run, const struct command *command, bool accepted,
			 const char *reason)
{
	struct paper paper = { 0 };

	paper_add_json(&paper, reason);
	run_tell(run,
		 "\"ev\": \"cmd\", \"idx\": %u, \"do\": \"%s\", \"result\": \"%s\", \"reason\": %s",
		 (unsigned int)command->index, do_word((enum scenario_do)command->act),
		 accepted ? "accepted" : "rejected", paper.text);
	free(paper.text);
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
	for (uint32_t i = 0; i < ACTIONS_MAX; i++) {
		struct command *command = &run->commands[i];

		if (!command->open || command->cookie != cookie)
			continue;
		command->open = false;
		tell_command(run, command, result->accepted, result->reason);
	}
}

static void command_act(struct run *run, const struct scenario_action *action, uint32_t index)
{
	struct command *command = &run->commands[index];

	*command = (struct command){ .index = index, .act = action->act, .open = true };
	if (command_send(run, action, &command->cookie))
		return;
	command->open = false;
	tell_command(run, command, false, "no clusterd answers");
}

// ---- all of them

static void node_act(struct run *run, const struct scenario_action *action)
{
	struct host *host = &run->world->hosts[action->node];

	switch ((int)action->act) {
	case DO_POWER_ON:
	case DO_NODE_JOIN:
		host_power_on(run->world, host);
		run->nodes[action->node].power_epoch = host->power_epoch;
		break;
	case DO_POWER_OFF:
		run_power_off(run, action->node);
		break;
	case DO_NODE_LEAVE:
		run_leave(run, action->node);
		break;
	case DO_NET_OFF:
		run->network_off |= 1u << action->node;
		run_links(run);
		break;
	case DO_NET_ON:
		run->network_off &= ~(1u << action->node);
		run_links(run);
		break;
	default:
		daemon_act(run, (enum scenario_do)action->act, host, action->for_s);
		break;
	}
}

void run_act(struct run *run, const struct scenario_action *action, uint32_t index)
{
	world_say(run->world, NULL, "--- %s", do_word((enum scenario_do)action->act));
	switch ((int)action->act) {
	case DO_EVALUATE: // decisions are taken whenever anything happens
		break;
	case DO_PARTITION:
		partition(run, action);
		break;
	case DO_HEAL:
		memset(run->group, 0, sizeof(run->group));
		run_links(run);
		break;
	case DO_STORAGE_OFF:
	case DO_STORAGE_ON:
		storage(run, action);
		break;
	case DO_STORE_FAIL:
	case DO_STORE_OK:
		configuration(run, action);
		break;
	case DO_VM_LOAD:
		measure_begin(run->world);
		measure_named_load(run->world, run->scenario->vms[action->vm].name,
				   action->load_cpu, action->load_mib);
		break;
	case DO_VM_CRASH:
		run_crash(run, action->vm);
		break;
	case DO_VM_WANT:
	case DO_VM_STOP:
	case DO_VM_ADD:
	case DO_VM_REMOVE:
	case DO_VM_RESIZE:
	case DO_MANAGE_NODE:
	case DO_UNMANAGE_NODE:
		command_act(run, action, index);
		break;
	default:
		node_act(run, action);
		break;
	}
}
