// SPDX-License-Identifier: Apache-2.0
/*
 * The actions of a scenario: what happens to hosts, networks, storage and processes happens in the
 * world; what administrators do goes to clusterd as the requests that clustadm sends.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/scenario.h"

enum {
	RESTART_S = 2, // by the service manager
	SHUTDOWN_LIMIT_S = 300,
};

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
	run->cut_by_us |= NODE_BIT(node);
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

// ---- planned shutdowns

static void limit_run(struct world *world, struct item *item)
{
	struct run *run = world->runner;
	struct host *host = &world->hosts[item->a];

	if (host->power_epoch != item->b || !host->powered)
		return;
	run->cut_by_us |= NODE_BIT(item->a);
	host_power_off(world, host, "its shutdown's limit");
}

// As systemd ends a host: its clusterd first, then the power, after a while whatever it says.
static void host_goes_down(struct run *run, uint32_t node, bool reboot)
{
	struct host *host = &run->world->hosts[node];
	struct event event = { .type = EVENT_SHUTDOWN, .flag = true, .index = reboot };
	struct item *item;

	if (!host->powered)
		return;
	run->going_down |= NODE_BIT(node);
	if (reboot)
		run->reboots |= NODE_BIT(node);
	ends_after(run, 0);
	if (!host->daemon) {
		host_power_off(run->world, host, "shut down");
		return;
	}
	host->ending = host->ending_host = true;
	host_post(run->world, host, MS(200), &event); // until its turn comes
	item = world_at(run->world, SECONDS(SHUTDOWN_LIMIT_S), NULL, GUARD_NONE, limit_run);
	item->a = node;
	item->b = host->power_epoch;
}

// ---- storage

static void storage_run_back(struct world *world, struct item *item)
{
	path_set(world, &world->hosts[item->a], 0, PATH_OK);
}

static void storage_off(struct run *run, const struct scenario_action *action, uint32_t node)
{
	struct host *host = &run->world->hosts[node];

	for (uint32_t i = 0; i < host->proc_high; i++) {
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

static bool has_ended(struct run *run)
{
	return !run->world->hosts[run->leaving].daemon;
}

bool run_leave(struct run *run, uint32_t node)
{
	bool left;

	run->leaving = (uint8_t)node;
	shut_down(run, &run->world->hosts[node], true);
	left = run_wait(run, has_left, 60);
	run_wait(run, has_ended, 10);
	run_power_off(run, node);
	return left;
}

// ---- processes

static struct proc *proc_running(struct run *run, uint32_t vm, struct host **host)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		*host = &run->world->hosts[i];
		for (uint32_t p = 0; run->vms[vm].running[i] && p < (*host)->proc_high; p++)
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

// ---- behind the cluster's back

// By hand, with the lease: a QEMU that its clusterd finds there. There is no other word for it.
static void outside_run_arrived(struct world *world, struct item *item)
{
	struct run *run = world->runner;
	struct host *to = &world->hosts[item->b];
	struct proc *moved = item->data, *proc = to->powered ? host_proc_free(to) : NULL;

	if (proc) {
		struct disk_lease *lease = &world->disks[0].leases[moved->leases[0].slot];

		*proc = *moved;
		proc->serial = ++to->proc_serial;
		proc->registered = to->sanlock.epoch;
		proc->out = (struct sending){ 0 };
		lease->owner = to->id;
		lease->generation = world->disks[0].ids[to->id].generation;
		memset(lease->sharers, 0, sizeof(lease->sharers));
		run->vms[item->a].running[item->b] = proc->serial;
		run->vms[item->a].at = NODE_BIT(item->b);
	}
	daemon_kill(world, to);
	daemon_start(world, to);
}

static void move_outside(struct run *run, const struct scenario_action *action)
{
	struct host *host;
	struct proc *proc = proc_running(run, action->vm, &host), *moved;
	struct item *item;

	if (!proc) {
		run->vms[action->vm].home = action->to;
		return;
	}
	if (host->index == action->to || !run->world->hosts[action->to].daemon)
		return;
	moved = malloc(sizeof(*moved));
	INVARIANT(moved);
	*moved = *proc;
	run->vms[action->vm].left[host->index] = proc->serial;
	run->vms[action->vm].running[host->index] = 0;
	run->vms[action->vm].at = 0;
	proc_stands(proc);
	qemu_die(run->world, host, proc);
	item = world_at(run->world, MS(1), NULL, GUARD_NONE, outside_run_arrived);
	item->a = action->vm;
	item->b = action->to;
	item->data = moved;
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
	case DO_SHUTDOWN:
	case DO_REBOOT:
		host_goes_down(run, action->node, action->act == DO_REBOOT);
		break;
	case DO_NET_OFF:
		run->network_off |= NODE_BIT(action->node);
		run_links(run);
		break;
	case DO_NET_ON:
		run->network_off &= ~NODE_BIT(action->node);
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
		run_load(run, action->vm, action->load_cpu, action->load_mib);
		break;
	case DO_VM_CRASH:
		run_crash(run, action->vm);
		break;
	case DO_MOVE_OUTSIDE:
		move_outside(run, action);
		break;
	default:
		if (is_command((enum scenario_do)action->act))
			command_act(run, action, index);
		else
			node_act(run, action);
		break;
	}
}
