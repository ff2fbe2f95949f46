// SPDX-License-Identifier: Apache-2.0
/*
 * The situation before the first step. The world is driven there: every host boots, the
 * configuration is applied, the VMs that are to run are started where they are to run (as the only
 * possible owner), then hosts leave or lose their power, and last the scenario's own definitions
 * are applied. The story begins in the moment in which those are acknowledged. So nothing in the
 * replicas, on the volume or in the processes is made up, with one exception: a VM that runs twice,
 * which the product prevents, has its second process planted.
 */
#include <string.h>

#include "tests/sim/scenario.h"

enum { LIMIT_S = 300 };

static bool setup_fail(struct run *run, const char *what)
{
	if (!run->problem[0])
		snprintf(run->problem, sizeof(run->problem),
			 "the situation at the start cannot be reached: %s%s%s", what,
			 run->setup_reason[0] ? ": " : "", run->setup_reason);
	return false;
}

static bool is_whole(struct run *run)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < run->hosts; i++) {
		const struct host *host = &run->world->hosts[i];

		if (!host->daemon || !view_normal(node_view(host->node)))
			return false;
		if (number && view_number(node_view(host->node)) != number)
			return false;
		number = view_number(node_view(host->node));
	}
	return true;
}

static bool is_ready(struct run *run)
{
	const struct host *speaker = run_speaker(run);
	const struct cluster *cluster;

	if (!speaker || !is_whole(run))
		return false;
	cluster = node_cluster(speaker->node);
	if (cluster->voters.count != run->hosts)
		return false;
	for (uint32_t i = 0; i < run->hosts; i++) {
		const struct cluster_node *node =
			cluster_node_by_id((struct cluster *)cluster, i + 1);

		if (!node || node->life != NODE_ONLINE || !node->reported ||
		    !node->report.volumes[0].joined ||
		    node_cluster(run->world->hosts[i].node)->index != cluster->index)
			return false;
	}
	return true;
}

static bool leads(struct run *run)
{
	const struct host *host = &run->world->hosts[run->scenario->leader];

	return is_ready(run) && view_coordinator(node_view(host->node));
}

// The lowest voter leads the next view.
static bool make_leader(struct run *run)
{
	if (run->scenario->leader == NAME_NONE || leads(run))
		return true;
	for (uint32_t i = 0; i < run->hosts; i++) {
		struct host *host = &run->world->hosts[i];

		if (!view_coordinator(node_view(host->node)))
			continue;
		daemon_kill(run->world, host);
		daemon_start(run->world, host);
	}
	return run_wait(run, leads, LIMIT_S) || setup_fail(run, "its leader does not come to lead");
}

static bool is_answered(struct run *run)
{
	return run->setup_answered;
}

static bool answered(struct run *run, bool sent, const char *what)
{
	if (!sent || !run_wait(run, is_answered, LIMIT_S) || !run->setup_accepted)
		return setup_fail(run, what);
	run->setup_answered = false;
	return true;
}

static bool ask(struct run *run, enum entry_type type, uint32_t number, uint8_t wanted, bool flag)
{
	struct entry entry;

	memset(&entry, 0, sizeof(entry));
	entry.type = (uint8_t)type;
	entry.wanted = wanted;
	entry.flag = flag;
	if (type == ENTRY_NODE_MANAGE)
		run_name_node(run, &entry, number);
	else
		run_name_vm(run, &entry, number);
	return answered(run, run_request(run, &entry, &run->setup_cookie), "a command is refused");
}

// ---- VMs

static uint8_t phase_wanted(const struct scenario_vm *vm)
{
	return vm->state == VM_AT_ERROR ? VM_ERROR : VM_RUNNING;
}

static bool are_started(struct run *run)
{
	struct host *speaker = run_speaker(run);

	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		const struct scenario_vm *vm = &run->scenario->vms[v];
		const struct vm *found =
			speaker ? run_vm(run, node_cluster(speaker->node), v) : NULL;

		if (!vm->from_start)
			continue;
		if (!found || (scenario_starts(vm) && found->phase != phase_wanted(vm)))
			return false;
		if (found->lease_count == 0 || found->leases[0].life != LEASE_READY)
			return false;
	}
	return true;
}

static bool are_blocked(struct run *run)
{
	struct host *speaker = run_speaker(run);

	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		const struct vm *found =
			speaker ? run_vm(run, node_cluster(speaker->node), v) : NULL;

		if (run->scenario->vms[v].state == VM_AT_BLOCKED &&
		    (!found || found->phase != VM_BLOCKED))
			return false;
	}
	return true;
}

// Their processes cannot be ended, and were asked to.
static bool block_vms(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		if (run->scenario->vms[v].state != VM_AT_BLOCKED)
			continue;
		for (uint32_t i = 0; i < run->scenario->node_count; i++) {
			struct proc *proc = run->vms[v].running[i]
						    ? host_proc_serial(&run->world->hosts[i],
								       run->vms[v].running[i])
						    : NULL;

			if (proc)
				proc->deaf = proc->killed = proc->unkillable = true;
		}
		if (!ask(run, ENTRY_VM_WANT, v, VM_WANTED_STOPPED, true))
			return false;
	}
	return run_wait(run, are_blocked, LIMIT_S) ||
	       setup_fail(run, "a VM does not come to be blocked");
}

// ---- moves that are half-way

static bool is_half_way(const struct run *run, uint32_t v)
{
	const struct scenario_vm *vm = &run->scenario->vms[v];

	return vm->from_start && vm->state == VM_AT_MIGRATING;
}

static uint32_t source_of(const struct run *run, uint32_t v)
{
	uint32_t node = 0;

	while (!(run->scenario->vms[v].on >> node & 1))
		node++;
	return node;
}

// Nothing goes over the link from then on, until the story begins.
static bool are_sending(struct run *run)
{
	bool all = true;

	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		struct proc *proc = NULL;
		uint32_t source;

		if (!is_half_way(run, v))
			continue;
		source = source_of(run, v);
		if (run->vms[v].running[source])
			proc = host_proc_serial(&run->world->hosts[source],
						run->vms[v].running[source]);
		if (proc &&
		    (proc->out.status == MIGRATE_SETUP || proc->out.status == MIGRATE_ACTIVE))
			move_link(run->world, source, run->scenario->vms[v].to, false);
		else
			all = false;
	}
	return all;
}

static bool begin_moves(struct run *run)
{
	bool any = false;

	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		if (!is_half_way(run, v))
			continue;
		any = run->moving = true;
		if (!answered(run, run_apply_vm(run, v, false, &run->setup_cookie),
			      "a VM is refused") ||
		    !answered(run,
			      command_move(run, v, run->scenario->vms[v].to, MOVE_LIVE,
					   &run->setup_cookie),
			      "a vm cannot be moved"))
			return false;
	}
	return !any || run_wait(run, are_sending, LIMIT_S) ||
	       setup_fail(run, "a move does not come to be half-way");
}

static void go_on_moving(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		if (is_half_way(run, v))
			move_link(run->world, source_of(run, v), run->scenario->vms[v].to, true);
}

static bool waits_for_fencing(const struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		if (is_half_way(run, v) &&
		    (run->scenario->nodes[source_of(run, v)].state == AT_FENCING ||
		     run->scenario->nodes[run->scenario->vms[v].to].state == AT_FENCING))
			return true;
	return false;
}

// ---- maintenance: as long as each VM may be on its own node alone, none leaves

static bool drain_nodes(struct run *run)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (run->scenario->nodes[i].state == AT_MAINTENANCE &&
		    !answered(run, command_drain(run, i, true, false, &run->setup_cookie),
			      "a node cannot be drained"))
			return false;
	return true;
}

// Drained is a node on which nothing runs: what cannot leave it waits.
static void finish_draining(struct run *run)
{
	uint64_t cookie;

	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (run->scenario->nodes[i].state == AT_MAINTENANCE)
			command_drain(run, i, true, true, &cookie);
}

// A failed VM is left alone until the story begins.
static void manage_failed(struct run *run)
{
	uint64_t cookie;

	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		if (run->scenario->vms[v].from_start &&
		    run->scenario->vms[v].state == VM_AT_FAILED &&
		    run->scenario->vms[v].want != WANT_UNMANAGED)
			command_manage_vm(run, v, true, &cookie);
}

static bool unmanage(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		const struct scenario_vm *vm = &run->scenario->vms[v];

		if (vm->from_start &&
		    (vm->state == VM_AT_UNMANAGED || vm->state == VM_AT_FAILED ||
		     vm->want == WANT_UNMANAGED) &&
		    !ask(run, ENTRY_VM_MANAGE, v, 0, false))
			return false;
	}
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (run->scenario->nodes[i].state == AT_UNMANAGED &&
		    !ask(run, ENTRY_NODE_MANAGE, i, 0, false))
			return false;
	return true;
}

// ---- failures that were counted before

static const struct vm *failing(struct run *run)
{
	struct host *speaker = run_speaker(run);

	return speaker ? run_vm(run, node_cluster(speaker->node), run->failing) : NULL;
}

static bool has_failed(struct run *run)
{
	const struct vm *vm = failing(run);

	if (!vm || vm->failures[run->pinned[run->failing] - 1] != run->failures_due)
		return false;
	// It goes elsewhere when that was enough, or is given up.
	if (run->failures_due > 0 &&
	    run->failures_due == run->scenario->vms[run->failing].threshold)
		return vm->phase == VM_RUNNING || vm->phase == VM_ERROR;
	return vm->phase == VM_RUNNING && vm->owner == run->pinned[run->failing] - 1u;
}

static bool is_idle(struct run *run)
{
	const struct vm *vm = failing(run);

	return vm && vm->phase == VM_IDLE;
}

static bool is_given_up(struct run *run)
{
	const struct vm *vm = failing(run);

	return vm && vm->phase == VM_ERROR;
}

static bool fail_on(struct run *run, uint32_t v, uint32_t node)
{
	struct scenario_vm *vm = &run->scenario->vms[v];
	uint32_t count = vm->fail_counts[node];

	run->failing = v;
	if (!ask(run, ENTRY_VM_WANT, v, VM_WANTED_STOPPED, true) ||
	    !run_wait(run, is_idle, LIMIT_S))
		return setup_fail(run, "a VM does not stop");
	run->pinned[v] = (uint8_t)(node + 1);
	if (!answered(run, run_apply_vm(run, v, false, &run->setup_cookie), "a VM is refused") ||
	    !ask(run, ENTRY_VM_WANT, v, VM_WANTED_RUNNING, false))
		return false;
	// The failure that it begins with is the last of them.
	if (vm->state == VM_AT_FAILED && vm->on >> node & 1)
		count--;
	for (run->failures_due = 0; run->failures_due <= count; run->failures_due++) {
		if (!run_wait(run, has_failed, LIMIT_S))
			return setup_fail(run, "a VM does not come to fail");
		if (run->failures_due == count)
			break;
		run->widened = run->failures_due + 1 == vm->threshold;
		if (run->widened && !answered(run, run_apply_vm(run, v, false, &run->setup_cookie),
					      "a VM is refused"))
			return false;
		run_crash(run, v);
	}
	run->widened = false;
	if (is_given_up(run)) {
		run->pinned[v] = 0;
		return true;
	}
	if (!ask(run, ENTRY_VM_WANT, v, VM_WANTED_STOPPED, true) ||
	    !run_wait(run, is_idle, LIMIT_S))
		return setup_fail(run, "a VM does not stop");
	run->pinned[v] = 0;
	return answered(run, run_apply_vm(run, v, false, &run->setup_cookie), "a VM is refused") &&
	       ask(run, ENTRY_VM_WANT, v, VM_WANTED_RUNNING, false);
}

static bool count_failures(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		for (uint32_t i = 0; i < run->scenario->node_count; i++)
			if (run->scenario->vms[v].fail_counts[i] > 0 &&
			    run->scenario->vms[v].state != VM_AT_ERROR && !fail_on(run, v, i))
				return false;
	return true;
}

// The second process of a VM that runs twice: found by the next clusterd there, and without the
// lease.
static void plant(struct run *run, uint32_t v)
{
	struct scenario_vm *vm = &run->scenario->vms[v];
	uint64_t rest = vm->on & (vm->on - 1);
	uint32_t second = 0;
	struct host *speaker = run_speaker(run), *host;
	const struct vm *found = speaker ? run_vm(run, node_cluster(speaker->node), v) : NULL;
	struct proc *proc;

	while (!(rest >> second & 1))
		second++;
	host = &run->world->hosts[second];
	run->planted |= NODE_BIT(second);
	proc = found ? host_proc_free(host) : NULL;
	if (proc)
		*proc = (struct proc){
			.state = PROC_RUNNING,
			.vm = found->ref,
			.uuid = vm_definition(node_cluster(speaker->node), found)->uuid,
			.attempt = found->attempt,
			.serial = ++host->proc_serial,
			.executed = true,
			.continued = true,
			.registered = host->sanlock.epoch,
			.lease_count = 1,
			.leases = { { .disk = 0, .slot = found->leases[0].slot } },
		};
}

// All at once: whose clusterd is away hears of nothing.
static void plant_all(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		if (run->scenario->vms[v].from_start && run->scenario->vms[v].state == VM_AT_DOUBLE)
			plant(run, v);
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		if (!(run->planted >> i & 1))
			continue;
		daemon_kill(run->world, &run->world->hosts[i]);
		daemon_start(run->world, &run->world->hosts[i]);
	}
}

// ---- nodes

static bool is_lost(struct run *run)
{
	struct host *speaker = run_speaker(run);

	for (uint32_t i = 0; speaker && i < run->scenario->node_count; i++) {
		const struct cluster_node *node =
			cluster_node_by_id((struct cluster *)node_cluster(speaker->node), i + 1);

		if (run->scenario->nodes[i].state == AT_FENCING && node->life != NODE_FENCING &&
		    node->life != NODE_EXPIRING)
			return false;
		if (run->unclean >> i & 1 && node->life == NODE_ONLINE)
			return false;
	}
	return speaker != NULL;
}

static bool is_absent(const struct run *run, uint32_t i)
{
	if (i >= run->scenario->node_count)
		return !run->scenario->quorate;
	return run->scenario->nodes[i].state == AT_OFFLINE ||
	       run->scenario->nodes[i].state == AT_PENDING;
}

static bool quorum_stays(const struct run *run)
{
	uint32_t there = 0;

	for (uint32_t i = 0; i < run->hosts; i++)
		there += !is_absent(run, i);
	return 2 * there > run->hosts;
}

static bool begin_fencing(struct run *run)
{
	bool any = false;

	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		if (run->scenario->nodes[i].state != AT_FENCING)
			continue;
		run->world->hosts[i].fence_mode = FENCE_SLOW;
		run_power_off(run, i);
		any = true;
	}
	return !any || run_wait(run, is_lost, LIMIT_S) ||
	       setup_fail(run, "a node is not being fenced");
}

// A node that is lost and not confirmed is known to be lost when the story begins, as long as
// somebody is there to know; what is done about it begins with the story.
static void lose_nodes(struct run *run)
{
	uint64_t lost = 0;
	uint32_t there = 0;

	for (uint32_t i = 0; i < run->hosts; i++) {
		bool unclean = i < run->scenario->node_count &&
			       run->scenario->nodes[i].state == AT_UNCLEAN;

		there += run->world->hosts[i].powered && !unclean;
		lost |= unclean ? NODE_BIT(i) : 0;
	}
	if (2 * there <= run->hosts)
		return;
	run->unclean = lost;
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (lost >> i & 1)
			run_power_off(run, i);
}

static bool are_known_lost(struct run *run)
{
	return run->unclean == 0 || run_wait(run, is_lost, LIMIT_S) ||
	       setup_fail(run, "a node is not missed");
}

static bool is_without_quorum(struct run *run)
{
	return run_speaker(run) == NULL;
}

static bool have_failed(struct run *run)
{
	struct host *speaker = run_speaker(run);

	for (uint32_t v = 0; speaker && v < run->scenario->vm_count; v++) {
		const struct vm *found = run_vm(run, node_cluster(speaker->node), v);

		if (run->scenario->vms[v].from_start &&
		    run->scenario->vms[v].state == VM_AT_FAILED &&
		    (!found || found->phase == VM_RUNNING))
			return false;
	}
	return speaker != NULL;
}

static bool is_there(const struct run *run, uint32_t node)
{
	uint8_t state = run->scenario->nodes[node].state;

	return state == AT_ONLINE || state == AT_MAINTENANCE || state == AT_UNMANAGED;
}

// Their nodes may be lost then: nobody hears of it in that case.
static bool fail_vms(struct run *run)
{
	bool heard = true;

	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		if (run->scenario->vms[v].state != VM_AT_FAILED)
			continue;
		heard = heard && is_there(run, source_of(run, v));
		run_crash(run, v);
	}
	return !heard || run_wait(run, have_failed, LIMIT_S) ||
	       setup_fail(run, "a vm does not come to be failed");
}

// Of a move whose source is off nothing is left there, and a stop that was under way is over.
static void tell_ended(struct run *run)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		const struct scenario_vm *vm = &run->scenario->vms[v];

		if (vm->from_start && vm->gone_from != NAME_NONE)
			run_tell_vm(run, "vm-lost", v, vm->gone_from);
		for (uint32_t i = 0; vm->ends && i < run->scenario->node_count; i++)
			if (vm->on >> i & 1)
				run_tell_vm(run, "vm-stop", v, i);
	}
}

// In one moment with the acknowledgement: nothing can be decided in between.
static void begin(struct run *run)
{
	for (uint32_t i = 0; i < run->hosts; i++) {
		if (is_absent(run, i))
			run_power_off(run, i);
		else if (i < run->scenario->node_count &&
			 run->scenario->nodes[i].state == AT_UNCLEAN)
			run_power_off(run, i);
	}
	if (run->scenario->quorum_given && !run->scenario->quorate)
		run_wait(run, is_without_quorum, LIMIT_S);
	plant_all(run);
	run_watch_begin(run);
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		if (run->scenario->nodes[i].state == AT_PENDING)
			host_power_on(run->world, &run->world->hosts[i]);
		run->nodes[i].power_epoch = run->world->hosts[i].power_epoch;
	}
	go_on_moving(run);
	finish_draining(run);
	manage_failed(run);
	tell_ended(run);
}

bool run_setup(struct run *run)
{
	for (uint32_t i = 0; i < run->hosts; i++)
		host_power_on(run->world, &run->world->hosts[i]);
	if (!run_wait(run, is_whole, LIMIT_S))
		return setup_fail(run, "the nodes do not come together");
	if (!answered(run, run_apply(run, false), "the configuration is refused"))
		return false;
	if (!run_wait(run, is_ready, LIMIT_S))
		return setup_fail(run, "the nodes do not come online");
	if (!make_leader(run))
		return false;
	if (!count_failures(run))
		return false;
	if (!run_wait(run, are_started, LIMIT_S))
		return setup_fail(run, "its VMs do not all come to run");
	if (!block_vms(run))
		return false;
	for (uint32_t i = 0; i < run->hosts && quorum_stays(run); i++)
		if (is_absent(run, i) && !run_leave(run, i))
			return setup_fail(run, "a node does not leave");
	if (waits_for_fencing(run) && !begin_moves(run))
		return false;
	if (!begin_fencing(run))
		return false;
	if (!waits_for_fencing(run) && !begin_moves(run))
		return false;
	if (!unmanage(run) || !drain_nodes(run))
		return false;
	lose_nodes(run);
	if (!fail_vms(run) || !are_known_lost(run))
		return false;
	// Whether they are accepted may be all that is asked.
	if (!answered(run, run_apply(run, true), "the definitions are refused")) {
		run->refused = run->scenario->mode == MODE_CONFIG && run->setup_answered;
		if (!run->refused)
			return false;
	}
	begin(run);
	return !run->world->failed;
}
