// SPDX-License-Identifier: Apache-2.0
// Children and QEMUs: they wait, are let go, run, refuse, die, are deaf to the power button, cannot
// be killed for a while; and they outlive clusterd, except those that still wait at its pipe.
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/cpu.h"

const char *vm_name(const struct host *host, struct vm_ref ref)
{
	const struct cluster *cluster = host->daemon ? node_cluster(host->node) : NULL;
	const struct vm *vm = cluster ? cluster_vm(cluster, ref) : NULL;

	return vm ? vm_definition(cluster, vm)->name : "(gone)";
}

struct proc *host_proc_free(struct host *host)
{
	uint32_t i = 0;

	while (i < host->proc_high && host->procs[i].state != PROC_NONE)
		i++;
	if (i == host->proc_max)
		return NULL;
	if (i == host->proc_high)
		host->proc_high++;
	return &host->procs[i];
}

struct proc *host_proc(struct host *host, struct vm_ref vm)
{
	for (uint32_t i = 0; i < host->proc_high; i++)
		if (host->procs[i].state != PROC_NONE && host->procs[i].vm.slot == vm.slot &&
		    host->procs[i].vm.serial == vm.serial)
			return &host->procs[i];
	return NULL;
}

struct proc *host_proc_uuid(struct host *host, const struct uuid *uuid)
{
	for (uint32_t i = 0; i < host->proc_high; i++)
		if (host->procs[i].state != PROC_NONE &&
		    memcmp(&host->procs[i].uuid, uuid, sizeof(*uuid)) == 0)
			return &host->procs[i];
	return NULL;
}

struct proc *host_proc_serial(struct host *host, uint32_t serial)
{
	for (uint32_t i = 0; i < host->proc_high; i++)
		if (host->procs[i].state != PROC_NONE && host->procs[i].serial == serial)
			return &host->procs[i];
	return NULL;
}

void proc_post(struct world *world, struct host *host, const struct proc *proc,
	       enum event_type type, bool flag, const char *reason)
{
	struct event event = {
		.type = (uint8_t)type,
		.vm = proc->vm,
		.uuid = proc->uuid,
		.attempt = proc->attempt,
		.flag = flag,
		.reason = reason,
	};

	host_post(world, host, 0, &event);
}

static void proc_end(struct world *world, struct host *host, struct proc *proc, const char *why)
{
	struct proc gone = *proc;

	if (proc->executed) {
		world->stats[STAT_EXITS]++;
		world_say(world, host, "QEMU of %s ends: %s", vm_name(host, proc->vm), why);
	}
	proc->state = PROC_NONE;
	proc->writes = false;
	sanlock_release(world, host, &gone);
	// Of a child that an earlier clusterd left nobody was told, so nobody hears of its end.
	if (!gone.executed && gone.daemon != host->daemon_epoch)
		return;
	// Of a guest that came, or was restored, it is known that it never ran as long as it was
	// not told to.
	proc_post(world, host, &gone, EVENT_QEMU_EXITED,
		  gone.mode != START_FRESH && !gone.cont_told && !gone.continued, why);
}

static void proc_run_end(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);

	if (!proc)
		return;
	proc_end(world, item->host, proc,
		 item->b == 1	? "killed"
		 : item->b == 2 ? "qemu: could not open disk"
		 : item->b == 3 ? "the guest shut down"
		 : item->b == 4 ? "signal 11"
				: "the pipe was closed");
}

static void proc_end_later(struct world *world, struct host *host, struct proc *proc,
			   uint64_t delay_us, uint64_t why)
{
	struct item *item = world_at(world, delay_us, host, GUARD_POWER, proc_run_end);

	item->a = proc->serial;
	item->b = why;
}

static void proc_run_unkillable(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);

	if (proc)
		proc_post(world, item->host, proc, EVENT_QEMU_UNKILLABLE, false,
			  "SIGKILL was sent 5 s ago");
}

void qemu_kill(struct world *world, struct host *host, struct proc *proc, const char *why)
{
	(void)why;
	if (proc->killed) {
		if (proc->unkillable)
			world_at(world, SECONDS(5), host, GUARD_DAEMON, proc_run_unkillable)->a =
				proc->serial;
		return;
	}
	proc->killed = true;
	if (proc->unkillable) { // whatever is tried
		world_at(world, SECONDS(5), host, GUARD_DAEMON, proc_run_unkillable)->a =
			proc->serial;
		return;
	}
	if (world_trouble(world, TROUBLE_STUCK) && !world->quiet && rng_chance(&world->rng, 15)) {
		world_fault(world);
		world->stats[STAT_UNKILLABLE]++;
		world_say(world, host, "QEMU of %s cannot be killed for a while",
			  vm_name(host, proc->vm));
		proc->unkillable = true;
		world_at(world, SECONDS(5), host, GUARD_DAEMON, proc_run_unkillable)->a =
			proc->serial;
		proc_end_later(world, host, proc, world_jitter(world, SECONDS(3), SECONDS(100)), 1);
		return;
	}
	proc_end_later(world, host, proc, world_jitter(world, MS(1), MS(60)), 1);
}

// ---- start

static void proc_run_spawned(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);

	if (!proc || !host->daemon || host->daemon_epoch != item->b)
		return;
	if (!host->sanlock.running || item->c) {
		proc->state = PROC_NONE;
		proc_post(world, host, proc, EVENT_VM_SPAWNED, false,
			  item->c ? "qemu: not found" : "sanlock does not answer");
		return;
	}
	proc->registered = host->sanlock.epoch;
	proc_post(world, host, proc, EVENT_VM_SPAWNED, true, NULL);
}

static void vm_spawn(struct world *world, struct host *host, const struct action *action)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct vm *vm = cluster_vm(cluster, action->vm);
	struct proc *proc = host_proc_free(host);
	struct item *item;

	if (!proc || !vm) {
		check_fail(world, host, "spawned a VM that is not there");
		return;
	}
	if (host_proc_uuid(host, &action->uuid)) {
		check_fail(world, host, "spawned %s, of which a process is here already",
			   vm_name(host, action->vm));
		return;
	}
	saved_note_drop(host, &action->uuid);
	*proc = (struct proc){
		.state = PROC_WAITING,
		.vm = action->vm,
		.uuid = action->uuid,
		.attempt = action->attempt,
		.serial = ++host->proc_serial,
		.daemon = host->daemon_epoch,
		.lease_count = vm->lease_count,
		.registered = UINT32_MAX,
	};
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct cluster_volume *volume = &cluster->volumes[vm->leases[i].volume];

		proc->leases[i].disk =
			(uint8_t)((unsigned int)(volume->def.name[1] - '0') % DISKS_MAX);
		proc->leases[i].slot = vm->leases[i].slot;
	}
	world->stats[STAT_SPAWNS]++;
	item = world_at(world, world_jitter(world, MS(3), MS(40)), host, GUARD_POWER,
			proc_run_spawned);
	item->a = proc->serial;
	item->b = host->daemon_epoch;
	item->c = world_trouble(world, TROUBLE_QEMU) && !world->quiet && rng_chance(&world->rng, 5);
	if (item->c)
		world_fault(world);
}

static const struct vm_def *proc_definition(const struct host *host, const struct proc *proc)
{
	const struct cluster *cluster = host->daemon ? node_cluster(host->node) : NULL;
	const struct vm *vm = cluster ? cluster_vm(cluster, proc->vm) : NULL;

	return vm ? vm_definition(cluster, vm) : NULL;
}

// QEMU says which features a CPU has that nobody computed.
static void proc_post_running(struct world *world, struct host *host, const struct proc *proc)
{
	const struct vm_def *def = proc_definition(host, proc);
	uint8_t features[CPU_FEATURES_BYTES];
	struct node_report report;
	struct event event = { .type = EVENT_QEMU_RUNNING,
			       .vm = proc->vm,
			       .uuid = proc->uuid,
			       .attempt = proc->attempt };

	if (def && def->cpu_mode != CPU_COMPATIBLE) {
		host_report(host, &report);
		cpu_encode(&report.facts.features, features);
		event.body = features;
		event.body_size = sizeof(features);
	}
	host_post(world, host, 0, &event);
}

static void proc_run_running(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);

	if (!proc || proc->state != PROC_STARTING)
		return;
	proc->state = PROC_RUNNING;
	proc->answers_us = world->now_us +
			   (world->config.story ? SECONDS(3) : SECONDS(proc->serial * 7919u % 20));
	proc_post_running(world, item->host, proc);
}

// What QEMU is told of the guest's processor, as the edge does it.
static void check_cpu(struct world *world, struct host *host, const struct proc *proc)
{
	const struct vm_def *def = proc_definition(host, proc);
	const struct cluster_node *self = cluster_find_node(node_cluster(host->node), host->name);
	char argument[8192];

	if (!def || !self || self->report.facts.state != FACTS_KNOWN)
		return;
	if (!cpu_argument(def, cluster_vm(node_cluster(host->node), proc->vm), self, argument,
			  sizeof(argument)))
		check_fail(world, host, "%s has no CPU here", def->name);
	else if (def->cpu_mode != CPU_COMPATIBLE)
		world_say(world, host, "%s: -cpu %s", def->name, argument);
}

static void qemu_exec(struct world *world, struct host *host, struct proc *proc)
{
	bool trouble = world_trouble(world, TROUBLE_QEMU) && !world->quiet;

	check_exec(world, host, proc);
	check_cpu(world, host, proc);
	world->stats[STAT_EXECS]++;
	world_say(world, host, "QEMU of %s starts", vm_name(host, proc->vm));
	proc->executed = true;
	proc_writes(world, host, proc);
	proc->state = PROC_STARTING;
	if (world->refuse || (trouble && rng_chance(&world->rng, 10))) {
		world_fault(world);
		world->stats[STAT_START_FAILURES]++;
		proc_end_later(world, host, proc, world_jitter(world, MS(10), MS(300)), 2);
		return;
	}
	if (trouble && rng_chance(&world->rng, 3)) {
		world_fault(world);
		world->stats[STAT_DEAF]++;
		proc_post(world, host, proc, EVENT_QEMU_DEAF, false, "QMP does not answer");
		return;
	}
	world_at(world, world_jitter(world, MS(30), MS(120)), host, GUARD_POWER, proc_run_running)
		->a = proc->serial;
	proc->deaf = world_trouble(world, TROUBLE_GUEST) && rng_chance(&world->rng, 20);
	if (trouble && rng_chance(&world->rng, 10)) {
		world_fault(world);
		proc_end_later(world, host, proc, world_jitter(world, SECONDS(1), SECONDS(60)), 4);
	}
}

// ---- questions to its guest

static void proc_run_answer(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);
	struct event event = { .type = EVENT_VM_ANSWERED, .port = (uint32_t)item->b };

	if (!proc)
		return;
	event.vm = proc->vm;
	event.uuid = proc->uuid;
	event.attempt = proc->attempt;
	event.flag = item->c;
	event.reason = item->c ? NULL : "no answer within 3 s";
	host_post(world, item->host, 0, &event);
}

void qemu_ask(struct world *world, struct host *host, const struct action *action)
{
	const struct proc *proc = host_proc_uuid(host, &action->uuid);
	uint32_t number = (uint32_t)strtoul(vm_name(host, action->vm) + 2, NULL, 10);
	// Also one whose monitor does not.
	bool answers = proc && proc->executed && proc->writes &&
		       world->now_us >= proc->answers_us &&
		       !(number < 64 && world->silent >> number & 1);
	struct item *item =
		world_at(world, answers ? MS(5) : SECONDS(3), host, GUARD_DAEMON, proc_run_answer);

	world->stats[STAT_GUEST_ANSWERS] += answers;
	item->a = proc ? proc->serial : 0;
	item->b = action->token;
	item->c = answers;
}

// ---- end

static void proc_run_guest_off(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);

	if (!proc || proc->state != PROC_RUNNING || !proc->writes)
		return;
	world->stats[STAT_GUEST_SHUTDOWNS] += item->b == 0;
	proc_post(world, host, proc, EVENT_QEMU_GUEST_SHUTDOWN, false, NULL);
	proc_end_later(world, host, proc, world_jitter(world, MS(5), MS(50)), 3);
}

static void qemu_powerdown(struct world *world, struct host *host, struct proc *proc)
{
	struct item *item;

	if (proc->state != PROC_RUNNING || proc->deaf || !proc->writes)
		return;
	item = world_at(world, world_jitter(world, MS(200), SECONDS(4)), host, GUARD_POWER,
			proc_run_guest_off);
	item->a = proc->serial;
	item->b = 1;
}

static void qemu_cont(struct world *world, struct host *host, struct proc *proc)
{
	for (uint32_t i = 0; i < proc->lease_count; i++) {
		if (host->paths[proc->leases[i].disk].state == PATH_OK ||
		    host->paths[proc->leases[i].disk].state == PATH_SLOW)
			continue;
		proc_post(world, host, proc, EVENT_QEMU_PAUSED, false, "I/O error");
		return;
	}
	proc_post(world, host, proc, EVENT_QEMU_RUNNING, false, NULL);
}

void qemu_path_lost(struct world *world, struct host *host, uint32_t disk)
{
	for (uint32_t i = 0; i < host->proc_high; i++) {
		struct proc *proc = &host->procs[i];

		if (proc->state != PROC_RUNNING || !proc->writes)
			continue;
		for (uint32_t k = 0; k < proc->lease_count; k++) {
			if (proc->leases[k].disk != disk)
				continue;
			world->stats[STAT_QEMU_PAUSES]++;
			proc_post(world, host, proc, EVENT_QEMU_PAUSED, false, "I/O error");
			break;
		}
	}
}

static struct proc *proc_meant(struct world *world, struct host *host, const struct action *action)
{
	struct proc *proc = host_proc(host, action->vm);
	struct proc none = { .vm = action->vm, .uuid = action->uuid, .attempt = action->attempt };

	if (!proc)
		proc = host_proc_uuid(host, &action->uuid);
	if (!proc && (action->type == ACTION_VM_ABANDON || action->type == ACTION_QEMU_KILL))
		proc_post(world, host, &none, EVENT_QEMU_EXITED, false, "its process is gone");
	return proc;
}

static bool is_of_monitor(uint8_t type)
{
	return type == ACTION_QEMU_POWERDOWN || type == ACTION_QEMU_CONT || type == ACTION_SAVE ||
	       (type >= ACTION_MIGRATE && type <= ACTION_MIGRATE_BREAK);
}

void qemu_perform(struct world *world, struct host *host, const struct action *action)
{
	struct proc *proc;

	if (action->type == ACTION_VM_SPAWN) {
		vm_spawn(world, host, action);
		return;
	}
	if (action->type == ACTION_LINK_CHECK || action->type == ACTION_MOVE_TELL ||
	    action->type == ACTION_MOVE_PROGRESS || action->type == ACTION_SAVED_REMOVE) {
		move_perform(world, host, NULL, action);
		return;
	}
	if (action->type == ACTION_VM_FORGET)
		saved_note_drop(host, &action->uuid);
	proc = proc_meant(world, host, action);
	// What SIGKILL was sent to does nothing more, and hears nothing.
	if (!proc || (proc->killed && is_of_monitor(action->type)))
		return;
	switch (action->type) {
	case ACTION_LEASE_ACQUIRE:
		proc->shared = action->flag;
		if (proc->state == PROC_WAITING)
			sanlock_acquire(world, host, proc);
		return;
	case ACTION_LEASE_SHARE:
	case ACTION_LEASE_EXCLUSIVE:
		sanlock_convert(world, host, proc, action->type == ACTION_LEASE_SHARE);
		return;
	case ACTION_QEMU_EXEC:
		if (proc->executed || proc->killed)
			return;
		if (action->start_mode == START_FRESH)
			qemu_exec(world, host, proc);
		else
			move_exec(world, host, proc, action);
		return;
	case ACTION_VM_ABANDON:
		if (!proc->executed)
			proc_end_later(world, host, proc, world_jitter(world, MS(1), MS(20)), 5);
		return;
	case ACTION_QEMU_POWERDOWN:
		qemu_powerdown(world, host, proc);
		return;
	case ACTION_QEMU_KILL:
		qemu_kill(world, host, proc, "clusterd killed it");
		return;
	case ACTION_QEMU_CONT:
		if (proc->state == PROC_RUNNING && proc->writes)
			qemu_cont(world, host, proc);
		else
			move_cont(world, host, proc);
		return;
	case ACTION_MIGRATE:
	case ACTION_MIGRATE_TUNE:
	case ACTION_MIGRATE_CONTINUE:
	case ACTION_MIGRATE_CANCEL:
	case ACTION_MIGRATE_BREAK:
	case ACTION_SAVE:
	case ACTION_DIRTY_RATE:
	case ACTION_QEMU_ANNOUNCE:
		move_perform(world, host, proc, action);
		return;
	case ACTION_VM_FORGET:
		check_fail(world, host, "forgot %s while a process of it lives",
			   vm_name(host, action->vm));
		return;
	}
}

// ---- clusterd's deaths and births

void qemu_daemon_died(struct world *world, struct host *host)
{
	for (uint32_t i = 0; i < host->proc_high; i++) {
		struct proc *proc = &host->procs[i];

		proc->cont_asked = false;
		if (proc->state != PROC_NONE && !proc->executed)
			proc_end_later(world, host, proc, world_jitter(world, MS(1), MS(30)), 5);
	}
}

void saved_note_drop(struct host *host, const struct uuid *uuid)
{
	for (uint32_t i = 0; i < SIM_VMS_MAX; i++)
		if (memcmp(&host->notes[i].uuid, uuid, sizeof(*uuid)) == 0)
			host->notes[i].move = 0;
}

void qemu_power_cut(struct host *host)
{
	memset(host->notes, 0, sizeof(host->notes));
	for (uint32_t i = 0; i < host->proc_high; i++) {
		host->procs[i].died_with_power = host->procs[i].state != PROC_NONE;
		host->procs[i].state = PROC_NONE;
		host->procs[i].writes = false;
	}
}

static bool proc_lease_held(const struct world *world, const struct host *host,
			    const struct proc *proc)
{
	return proc->holds && !proc->lost && host->sanlock.running &&
	       proc->registered == host->sanlock.epoch && lease_held_by(world, host, proc, false);
}

static void adopt_post(struct world *world, struct host *host, const struct proc *proc, bool held,
		       enum run_state state)
{
	struct migrate_stats stats = { .status = proc->out.status };
	struct event event = {
		.type = EVENT_VM_ADOPTED,
		.vm = proc->vm,
		.uuid = proc->uuid,
		.attempt = proc->attempt,
		.flag = held,
		.run_state = (uint8_t)state,
		.shared = !lease_held_by(world, host, proc, true),
		.stats = &stats,
	};

	host_post(world, host, 0, &event);
}

// What it does, in the words of its monitor.
static void adopt_tell(struct world *world, struct host *host, const struct proc *proc, bool late)
{
	enum run_state state = proc_run_state(proc);

	// Its start may have been heard by no daemon.
	if ((proc->state == PROC_STARTING || proc->state == PROC_RUNNING) && proc->writes)
		proc_post(world, host, proc, EVENT_QEMU_RUNNING, false, NULL);
	else if (late && state == RUN_PAUSED)
		proc_post(world, host, proc, EVENT_QEMU_PAUSED, false, "paused");
	if (state == RUN_SENDING || (late && state == RUN_POSTMIGRATE))
		move_stats_post(world, host, proc);
}

static void qemu_run_adopt_late(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);

	if (proc)
		adopt_tell(world, item->host, proc, true);
}

static void qemu_run_adopt(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct event done = { .type = EVENT_ADOPTION_DONE };

	for (uint32_t i = 0; i < SIM_VMS_MAX; i++) {
		const struct saved_note *note = &host->notes[i];
		struct event saved = { .type = EVENT_SAVED, .vm = note->vm, .uuid = note->uuid,
				       .attempt = note->attempt, .flag = true,
				       .move = note->move, .index = note->bytes };

		if (note->move)
			host_post(world, host, 0, &saved);
	}
	for (uint32_t i = 0; i < host->proc_high; i++) {
		struct proc *proc = &host->procs[i];
		bool held = proc_lease_held(world, host, proc);

		if (proc->state == PROC_NONE || !proc->executed)
			continue;
		world->stats[STAT_ADOPTIONS]++;
		world_say(world, host, "QEMU of %s is found%s", vm_name(host, proc->vm),
			  held ? "" : " without its lease");
		if (world_trouble(world, TROUBLE_LOAD) && !world->quiet &&
		    rng_chance(&world->rng, 8)) {
			world_fault(world);
			world->stats[STAT_FOUND_DEAF]++;
			// What was never told to continue has not run, says its record.
			adopt_post(world, host, proc, held,
				   proc_never_told(proc) ? RUN_INCOMING : RUN_UNKNOWN);
			world_at(world, world_jitter(world, MS(100), SECONDS(20)), host,
				 GUARD_DAEMON, qemu_run_adopt_late)
				->a = proc->serial;
			continue;
		}
		adopt_post(world, host, proc, held, proc_run_state(proc));
		adopt_tell(world, host, proc, false);
	}
	host_post(world, host, 0, &done);
}

void qemu_adopt(struct world *world, struct host *host)
{
	world_at(world, world_jitter(world, MS(5), MS(200)), host, GUARD_DAEMON, qemu_run_adopt);
}

void qemu_guest_shutdown(struct world *world, struct host *host, struct proc *proc)
{
	world_say(world, host, "guest of %s shuts down", vm_name(host, proc->vm));
	world_at(world, 0, host, GUARD_POWER, proc_run_guest_off)->a = proc->serial;
}

void qemu_die(struct world *world, struct host *host, struct proc *proc)
{
	proc_end_later(world, host, proc, 0, 4);
}
