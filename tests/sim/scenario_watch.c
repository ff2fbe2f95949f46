// SPDX-License-Identifier: Apache-2.0
/*
 * Tells what happens, moment by moment, by comparing the world with what was told of it. VMs are
 * told from their processes: a start when the guest runs, an end when the process is gone. What
 * dies with a host is told only when the cluster has proof: until then a VM is where it was last
 * heard of, as everybody else must assume. Nodes are told from the newest replica that takes part
 * in a normal view.
 *
 * An expiry is proof when the host's id on the volume is too old, or is another generation's, or
 * was given back.
 */
#include <stdlib.h>
#include <string.h>

#include "policies/shutdown.h"
#include "tests/sim/scenario.h"

enum { BOOT_S = 10 };

void run_tell(struct run *run, const char *format, ...)
{
	uint64_t ms = (run->world->now_us - run->zero_us) / 1000;
	char text[1024];
	va_list args;

	run->changed_us = run->world->now_us;
	if (!run->telling)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	paper_add(&run->events, "%s\n  {\"t\": %llu.%03llu, \"step\": %u, %s}",
		  run->event_count++ ? "," : "", (unsigned long long)(ms / 1000),
		  (unsigned long long)(ms % 1000), (unsigned int)run->step, text);
}

static const char *quoted(char *buf, size_t size, const char *name)
{
	struct paper paper = { 0 };

	paper_add_json(&paper, name);
	snprintf(buf, size, "%s", paper.text);
	free(paper.text);
	return buf;
}

static void tell_node(struct run *run, const char *ev, uint32_t node, const char *more)
{
	char name[6 * NAME_SIZE + 3];

	if (node < run->scenario->node_count)
		run_tell(run, "\"ev\": \"%s\", \"node\": %s%s", ev,
			 quoted(name, sizeof(name), run->scenario->nodes[node].name), more);
}

static void tell_vm(struct run *run, const char *ev, uint32_t vm, uint32_t node)
{
	char name[6 * NAME_SIZE + 3], on[6 * NAME_SIZE + 3];

	run_tell(run, "\"ev\": \"%s\", \"vm\": %s, \"node\": %s", ev,
		 quoted(name, sizeof(name), run->scenario->vms[vm].name),
		 quoted(on, sizeof(on), run->scenario->nodes[node].name));
}

void run_tell_vm(struct run *run, const char *ev, uint32_t vm, uint32_t node)
{
	tell_vm(run, ev, vm, node);
}

// A node that is not known is left out.
void run_tell_move(struct run *run, const char *ev, uint32_t vm, uint8_t from, uint8_t to,
		   const char *more)
{
	char name[6 * NAME_SIZE + 3], one[6 * NAME_SIZE + 3], other[6 * NAME_SIZE + 3];
	const struct scenario_node *nodes = run->scenario->nodes;

	run_tell(run, "\"ev\": \"%s\", \"vm\": %s, \"from\": %s, \"to\": %s%s", ev,
		 quoted(name, sizeof(name), run->scenario->vms[vm].name),
		 from == NAME_NONE ? "null" : quoted(one, sizeof(one), nodes[from].name),
		 to == NAME_NONE ? "null" : quoted(other, sizeof(other), nodes[to].name), more);
}

static void host_cleared(struct run *run, uint32_t node)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		run->vms[v].at &= ~NODE_BIT(node);
}

// ---- power

static void boot_run(struct world *world, struct item *item)
{
	struct run *run = world->runner;

	host_power_on(world, item->host);
	run->nodes[item->host->index].power_epoch = item->host->power_epoch;
}

static void watch_power(struct run *run, uint32_t i)
{
	struct host *host = &run->world->hosts[i];
	struct seen_node *node = &run->nodes[i];

	if (host->power_epoch == node->power_epoch)
		return;
	node->power_epoch = host->power_epoch;
	for (uint32_t v = 0; v < run->scenario->vm_count; v++)
		run->vms[v].running[i] = run->vms[v].starting[i] = 0;
	if ((run->cut_by_us | run->going_down) >> i & 1) {
		run->cut_by_us &= ~NODE_BIT(i);
		run->going_down &= ~NODE_BIT(i);
		if (run->reboots >> i & 1)
			world_at(run->world, SECONDS(BOOT_S), host, GUARD_NONE, boot_run);
		run->reboots &= ~NODE_BIT(i);
		return;
	}
	if (host->proved_off)
		return;
	node->self_fenced = true;
	host_cleared(run, i);
	tell_node(run, "self-fence", i, "");
}

// ---- nodes as the cluster sees them

static bool claims_expired(struct run *run, uint32_t i)
{
	const struct host *host = &run->world->hosts[i];
	const struct disk_id *id = &run->world->disks[0].ids[host->id];
	const struct lockspace *space = &host->sanlock.lockspaces[0];

	// A new life begins when the claims of the old one have ended.
	if (!id->held || id->generation != run->nodes[i].generation)
		return true;
	if (host->powered && space->joined && space->generation == id->generation)
		return run->nodes[i]
			.self_fenced; // a new life: the old claims ended with the old one
	return run->world->now_us >=
	       disk_renewed_us(run->world, 0, host->id) + disk_host_dead_us(run->world, 0);
}

static void confirm(struct run *run, uint32_t i, const char *how)
{
	struct seen_node *node = &run->nodes[i];
	char more[32];

	if (node->confirmed)
		return;
	node->confirmed = true;
	host_cleared(run, i);
	snprintf(more, sizeof(more), ", \"how\": \"%s\"", how);
	tell_node(run, "fence-ok", i, more);
}

static void declare_lost(struct run *run, uint32_t i)
{
	struct seen_node *node = &run->nodes[i];

	if (node->lost)
		return;
	node->lost = true;
	node->confirmed = node->up = false;
	node->generation = run->world->disks[0].ids[run->world->hosts[i].id].generation;
	run->detected = true;
	tell_node(run, "node-lost", i, "");
}

// What it ran and does not run ended with its earlier life.
static void vms_ended(struct run *run, uint32_t i)
{
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		struct seen_vm *vm = &run->vms[v];

		if (!(vm->at >> i & 1) || vm->running[i] || vm->move.saved)
			continue;
		vm->at &= ~NODE_BIT(i);
		tell_vm(run, "vm-lost", v, i);
	}
}

// A node that takes part again.
static void node_came(struct run *run, uint32_t i)
{
	struct seen_node *node = &run->nodes[i];

	vms_ended(run, i);
	node->lost = node->confirmed = node->self_fenced = false;
	node->up = true;
	tell_node(run, "node-up", i, "");
}

static void watch_life(struct run *run, uint32_t i, const struct cluster_node *node)
{
	struct seen_node *seen = &run->nodes[i];

	switch ((enum node_life)node->life) {
	case NODE_LOST:
		declare_lost(run, i);
		break;
	case NODE_FENCING:
		declare_lost(run, i);
		if (node->fence_attempt != seen->fence_attempt)
			tell_node(run, "fence-start", i, ", \"how\": \"device\"");
		seen->fence_attempt = node->fence_attempt;
		break;
	case NODE_EXPIRING:
		declare_lost(run, i);
		if (seen->life != NODE_EXPIRING)
			tell_node(run, "fence-start", i, ", \"how\": \"expiry\"");
		break;
	case NODE_FENCED:
	case NODE_DEAD:
		declare_lost(run, i);
		confirm(run, i, "device");
		break;
	case NODE_LEFT:
		if (seen->life == NODE_LEFT)
			break;
		seen->up = false;
		tell_node(run, "node-down", i, ", \"clean\": true");
		break;
	case NODE_UNKNOWN:
	case NODE_ONLINE:
	case NODE_LIFE_COUNT:
		break;
	}
	seen->life = node->life;
}

// Its start there was decided: it has a place there, or is stopped for a cold move to it.
static bool is_coming(const struct cluster *cluster, const struct vm *vm, uint8_t slot)
{
	const struct move *move = vm ? cluster_move(cluster, vm->move) : NULL;

	if (!vm)
		return false;
	return (vm->phase == VM_PLACED && vm->owner == slot) ||
	       (move && move->stage == STAGE_STOP && move->target == slot);
}

// What was on its way before arrives before its state is told.
static bool waits_for_arrivals(struct run *run, uint32_t i, const struct cluster *cluster,
			       const struct cluster_node *node)
{
	struct seen_node *seen = &run->nodes[i];
	bool any = false;

	if ((!node->maintenance || seen->maintenance) && (node->managed || !seen->managed))
		return seen->closing = false;
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		uint64_t *coming = &seen->coming[v / 64], bit = UINT64_C(1) << v % 64;
		bool comes = (!seen->closing || (*coming & bit)) &&
			     is_coming(cluster, run_vm(run, cluster, v),
				       (uint8_t)(node - cluster->nodes));

		*coming = comes ? *coming | bit : *coming & ~bit;
		any |= comes;
	}
	seen->closing = true;
	return any;
}

// Whether it may have VMs, where that has changed, or where it has just come.
static void tell_state(struct run *run, uint32_t i, const struct cluster *cluster,
		       const struct cluster_node *node, bool came)
{
	struct seen_node *seen = &run->nodes[i];

	if (waits_for_arrivals(run, i, cluster, node))
		return;
	if (node->managed == seen->managed && node->maintenance == seen->maintenance &&
	    (!came || (node->managed && !node->maintenance)))
		return;
	seen->managed = node->managed;
	seen->maintenance = node->maintenance;
	if (seen->up)
		tell_node(run, "node-state", i,
			  node->maintenance ? ", \"state\": \"maintenance\""
			  : node->managed   ? ", \"state\": \"online\""
					    : ", \"state\": \"unmanaged\"");
}

// First what opens nodes, then what VMs do, then what closes nodes: so nothing seems to come to one
// that had closed before.
static void watch_opening(struct run *run, uint32_t i, const struct host *speaker,
			  const struct cluster_node *node)
{
	struct seen_node *seen = &run->nodes[i];
	bool here = node->life == NODE_ONLINE && node->reported, came;

	if (node->life == NODE_ONLINE)
		watch_life(run, i, node);
	came = !seen->up && here && view_member(node_view(speaker->node), node->def.id);
	if (came)
		node_came(run, i);
	else if (here && seen->boot && node->report.boot != seen->boot)
		vms_ended(run, i); // it was away for so short a time that nobody has missed it
	if (here)
		seen->boot = node->report.boot;
	if (came || !node->maintenance)
		tell_state(run, i, node_cluster(speaker->node), node, came);
}

static void watch_closing(struct run *run, uint32_t i, const struct cluster *cluster,
			  const struct cluster_node *node)
{
	watch_life(run, i, node);
	tell_state(run, i, cluster, node, false);
}

static void watch_proof(struct run *run, uint32_t i)
{
	struct seen_node *node = &run->nodes[i];

	if (!node->lost || node->confirmed || node->life != NODE_EXPIRING)
		return;
	if (node->self_fenced)
		confirm(run, i, "self");
	else if (claims_expired(run, i))
		confirm(run, i, "expiry");
}

// ---- VMs

static uint16_t vm_of(const struct run *run, const struct proc *proc)
{
	// run_vm() and the definitions give a VM's uuid its number in these bytes.
	uint16_t vm = (uint16_t)(proc->uuid.bytes[13] << 8 | proc->uuid.bytes[15]);

	return vm < run->scenario->vm_count ? vm : VM_NONE;
}

static const struct proc *proc_gone(const struct host *host, uint32_t serial)
{
	for (uint32_t i = 0; i < host->proc_high; i++)
		if (host->procs[i].serial == serial)
			return &host->procs[i];
	return NULL;
}

static void watch_end(struct run *run, uint32_t v, uint32_t i)
{
	struct host *host = &run->world->hosts[i];
	struct seen_vm *vm = &run->vms[v];
	const struct proc *proc;

	if (vm->starting[i] && !host_proc_serial(host, vm->starting[i])) {
		vm->starting[i] = 0;
		tell_vm(run, "vm-start-fail", v, i);
	}
	if (!vm->running[i] || host_proc_serial(host, vm->running[i]))
		return;
	proc = proc_gone(host, vm->running[i]);
	if (vm->failed_at_start) {
		vm->running[i] = 0;
		return;
	}
	if (watch_departure(run, v, i, proc))
		return;
	vm->at &= ~NODE_BIT(i);
	if (vm->crashed == vm->running[i] || (proc && proc->lost))
		tell_vm(run, "vm-lost", v, i);
	else
		tell_vm(run, "vm-stop", v, i);
	vm->running[i] = 0;
}

static void inject(struct run *run, struct host *host, struct proc *proc, uint32_t v, bool running)
{
	struct scenario_vm *vm = &run->scenario->vms[v];
	bool fails = vm->start_fails > 0 && vm->start_fails_on >> host->index & 1;

	if (!run->telling)
		fails = vm->state == VM_AT_ERROR;
	if (fails && !running) {
		qemu_die(run->world, host, proc);
		vm->start_fails -= run->telling && vm->start_fails > 0;
	}
	if (running && vm->stop_fails && run->telling)
		proc->deaf = proc->unkillable = true;
}

// Nothing of one that was in error, or bound to its node, is left there when it is so no more.
static void leave_rest(struct run *run, uint32_t v, uint32_t i)
{
	uint8_t *rests_on = &run->scenario->vms[v].rests_on;

	if (!run->telling || *rests_on == NAME_NONE)
		return;
	if (*rests_on != i)
		tell_vm(run, "vm-stop", v, *rests_on);
	*rests_on = NAME_NONE;
}

// As it is wanted from then on.
static bool adopt(struct run *run, uint32_t v)
{
	uint64_t cookie;

	if (!run->vms[v].adopting)
		return false;
	run->vms[v].adopting = false;
	run->pinned[v] = 0;
	run_apply_vm(run, v, true, &cookie);
	return true;
}

// Where it is from then on is for the balance to say.
static void leave_home(struct run *run, uint32_t v)
{
	if (!run->telling || run->vms[v].begun || !run->scenario->evens)
		return;
	run->vms[v].begun = true;
	if (run->scenario->vms[v].home == NAME_NONE || run->scenario->vms[v].tier_count > 0)
		return;
	if (!run_apply_vm(run, v, true, &run->vms[v].home_cookie)) {
		run->vms[v].home_cookie = UINT64_MAX;
		run->homes_due = true;
	}
}

// Those for which there was no room.
static void leave_homes(struct run *run)
{
	if (!run->homes_due || !run_speaker(run))
		return;
	run->homes_due = false;
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		if (run->vms[v].home_cookie != UINT64_MAX)
			continue;
		run->vms[v].begun = false;
		leave_home(run, v);
		if (run->homes_due)
			return;
	}
}

static void watch_begin(struct run *run, uint32_t i)
{
	struct host *host = &run->world->hosts[i];

	for (uint32_t p = 0; p < host->proc_high; p++) {
		struct proc *proc = &host->procs[p];
		uint16_t v = vm_of(run, proc);
		struct seen_vm *vm;

		if (proc->state == PROC_NONE || !proc->executed || v == VM_NONE)
			continue;
		vm = &run->vms[v];
		if (vm->running[i] == proc->serial ||
		    (vm->left[i] == proc->serial && !proc->writes))
			continue;
		if (vm->starting[i] != proc->serial && proc->mode != START_INCOMING) {
			vm->starting[i] = proc->serial;
			inject(run, host, proc, v, false);
		}
		if (proc->state != PROC_RUNNING || !proc->continued)
			continue;
		vm->starting[i] = 0;
		if (watch_arrival(run, v, i, proc)) {
			inject(run, host, proc, v, true);
			continue;
		}
		vm->running[i] = proc->serial;
		vm->at |= NODE_BIT(i);
		inject(run, host, proc, v, true);
		leave_rest(run, v, i);
		if (adopt(run, v))
			continue;
		tell_vm(run, "vm-start", v, i);
		leave_home(run, v);
	}
}

// ---- VMs as the cluster sees them

// Bound to a host that went down on purpose.
bool vm_is_frozen(const struct cluster *cluster, const struct vm *vm)
{
	uint64_t left_ms;

	return vm->wanted == VM_WANTED_RUNNING && bound_waits(cluster, vm, 0, &left_ms);
}

static bool stuck(const struct run *run, const struct vm *vm, const struct cluster *cluster)
{
	const struct host *host;
	const struct proc *proc;

	if (vm->phase != VM_BLOCKED || vm->owner == SLOT_NONE)
		return false;
	host = &run->world->hosts[cluster->nodes[vm->owner].def.id - 1];
	proc = host_proc((struct host *)host, vm->ref);
	return proc && proc->unkillable;
}

static void watch_vm_state(struct run *run, struct host *speaker, uint32_t v)
{
	const struct cluster *cluster = node_cluster(speaker->node);
	const struct vm *vm = run_vm(run, cluster, v);
	struct seen_vm *seen = &run->vms[v];
	char reason[REASON_SIZE], name[6 * NAME_SIZE + 3];
	enum vm_state state;

	if (!vm)
		return;
	if (stuck(run, vm, cluster) != seen->stuck) {
		seen->stuck = !seen->stuck;
		if (seen->stuck)
			tell_vm(run, "vm-stop-fail", v, cluster->nodes[vm->owner].def.id - 1);
	}
	state = node_vm_state(speaker->node, vm, reason);
	if (state == seen->state)
		return;
	seen->state = (uint8_t)state;
	if (state == VM_STATE_STOPPED || state == VM_STATE_DISABLED ||
	    (state == VM_STATE_WAITING && !vm_is_frozen(cluster, vm)))
		leave_rest(run, v, NAME_NONE);
	if (state != VM_STATE_WAITING && state != VM_STATE_ERROR && state != VM_STATE_BLOCKED)
		return;
	if (state == VM_STATE_BLOCKED && vm->phase != VM_BLOCKED)
		return;
	run_tell(run, "\"ev\": \"vm-state\", \"vm\": %s, \"state\": \"%s\"",
		 quoted(name, sizeof(name), run->scenario->vms[v].name),
		 vm_is_frozen(cluster, vm) ? "frozen" : vm_state_word(state));
}

// A failure from before the trace: its remains are cleared away when the cluster has heard of its
// end.
static void watch_failed(struct run *run, const struct cluster *cluster, uint32_t v)
{
	const struct vm *vm = run_vm(run, cluster, v);
	struct seen_vm *seen = &run->vms[v];

	if (!seen->failed_at_start || !vm || vm->phase == VM_RUNNING || !vm->managed)
		return;
	seen->failed_at_start = false;
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (seen->at >> i & 1)
			tell_vm(run, "vm-stop", v, i);
	seen->at = 0;
}

// ---- the cluster

static void watch_quorum(struct run *run)
{
	bool quorate = false;

	for (uint32_t i = 0; i < run->hosts; i++)
		quorate |= run->world->hosts[i].daemon && run->world->hosts[i].seen_quorate;
	if (quorate == run->quorate && run->quorate_known)
		return;
	// What was not there yet when the story begins is no loss.
	if (run->quorate_known || quorate)
		run_tell(run, "\"ev\": \"quorum\", \"value\": %s", quorate ? "true" : "false");
	run->quorate_known |= quorate;
	run->quorate = quorate;
}

// One that was away believes that it leads until it hears of the others' view.
static void watch_leader(struct run *run)
{
	uint8_t leader = NAME_NONE;
	uint64_t newest = 0;

	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		const struct host *host = &run->world->hosts[i];

		if (!host->daemon || host->paused || !view_coordinator(node_view(host->node)) ||
		    !view_normal(node_view(host->node)) ||
		    view_number(node_view(host->node)) < newest)
			continue;
		newest = view_number(node_view(host->node));
		leader = (uint8_t)i;
	}
	if (leader == NAME_NONE || leader == run->leader || newest < run->leader_view)
		return;
	run->leader = leader;
	run->leader_view = newest;
	tell_node(run, "leader", leader, "");
}

static const struct cluster_node *node_in(const struct cluster *cluster, uint32_t i)
{
	return cluster_node_by_id((struct cluster *)cluster, i + 1);
}

static void watch_cluster(struct run *run)
{
	struct host *speaker = run_speaker(run);
	const struct cluster *cluster;

	if (!speaker)
		return;
	cluster = node_cluster(speaker->node);
	if (cluster->index < run->index)
		return;
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (node_in(cluster, i))
			watch_opening(run, i, speaker, node_in(cluster, i));
	for (uint32_t v = 0; cluster->index > run->index && v < run->scenario->vm_count; v++)
		watch_failed(run, cluster, v);
	for (uint32_t v = 0; cluster->index > run->index && v < run->scenario->vm_count; v++) {
		watch_move(run, cluster, v);
		watch_vm_state(run, speaker, v);
	}
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (node_in(cluster, i))
			watch_closing(run, i, cluster, node_in(cluster, i));
	run->index = cluster->index;
}

void run_watch(struct run *run)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		watch_power(run, i);
	watch_quorum(run);
	watch_leader(run);
	watch_cluster(run);
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		watch_proof(run, i);
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		watch_move_faults(run, v);
		for (uint32_t i = 0; i < run->scenario->node_count; i++)
			watch_end(run, v, i);
	}
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		watch_begin(run, i);
	leave_homes(run);
}

// What is done about a lost node belongs to the story, though the first of it may have been a
// moment before.
static void tell_fencing(struct run *run, uint32_t i)
{
	if (run->nodes[i].life == NODE_FENCING)
		tell_node(run, "fence-start", i, ", \"how\": \"device\"");
	else if (run->nodes[i].life == NODE_EXPIRING)
		tell_node(run, "fence-start", i, ", \"how\": \"expiry\"");
}

static void make_unstoppable(struct run *run, uint32_t v, uint32_t i)
{
	struct proc *proc = run->vms[v].running[i] ? host_proc_serial(&run->world->hosts[i],
								      run->vms[v].running[i])
						   : NULL;

	if (proc)
		proc->deaf = proc->unkillable = true;
}

// What is so when the story begins is not told.
void run_watch_begin(struct run *run)
{
	run_watch(run);
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		struct seen_node *node = &run->nodes[i];

		if (run->scenario->nodes[i].state == AT_OFFLINE ||
		    run->scenario->nodes[i].state == AT_PENDING)
			node->up = false;
	}
	for (uint32_t v = 0; v < run->scenario->vm_count; v++) {
		const struct scenario_vm *vm = &run->scenario->vms[v];

		run->vms[v].state = VM_STATE_COUNT;
		for (uint32_t i = 0; vm->stop_fails && i < run->scenario->node_count; i++)
			make_unstoppable(run, v, i);
		run->vms[v].failed_at_start = vm->state == VM_AT_FAILED;
		run->vms[v].begun = scenario_starts(vm);
		if (vm->state == VM_AT_FAILED)
			run->vms[v].at = vm->on;
		// What is half-way has been begun: it is not told a second time.
		if (vm->state != VM_AT_MIGRATING)
			run->vms[v].move.id = 0;
	}
	run->telling = true;
	run->zero_us = run->changed_us = run->world->now_us;
	for (uint32_t i = 0; i < run->scenario->node_count; i++)
		if (run->unclean >> i & 1)
			tell_fencing(run, i);
	if (!run->quorate)
		run->quorate_known = false;
}
