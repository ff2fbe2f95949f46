// SPDX-License-Identifier: Apache-2.0
// sanlock with its true timing and traps: host ids renewed every 2 * io_timeout, dead after 8 *
// io_timeout + 60 s, generations, killing when renewal fails, the watchdog when the killing fails.
//
// Renewals that succeed are not simulated one by one: while `renewing`, the last one is computed
// from the first.
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { WATCHDOG_S = 60 };

static uint64_t period_us(const struct world *world, uint32_t disk)
{
	return 2 * SECONDS(world->disks[disk].io_timeout_s);
}

static uint64_t fails_after_us(const struct world *world, uint32_t disk)
{
	return 8 * SECONDS(world->disks[disk].io_timeout_s);
}

uint64_t disk_host_dead_us(const struct world *world, uint32_t disk)
{
	return fails_after_us(world, disk) + SECONDS(WATCHDOG_S);
}

// Brings the last renewal up to now, in sanlock's mind and on the disk.
static void space_settle(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	struct disk_id *id = &world->disks[disk].ids[host->id];

	if (!space->joined || !space->renewing)
		return;
	space->renewed_us =
		world->now_us - (world->now_us - space->renewed_us) % period_us(world, disk);
	if (id->held && id->generation == space->generation)
		id->renewed_us = space->renewed_us;
}

uint64_t disk_renewed_us(struct world *world, uint32_t disk, uint32_t id)
{
	space_settle(world, &world->hosts[id - 1], disk);
	return world->disks[disk].ids[id].renewed_us;
}

static bool proc_uses(const struct proc *proc, uint32_t disk)
{
	for (uint32_t i = 0; i < proc->lease_count; i++)
		if (proc->leases[i].disk == disk)
			return true;
	return false;
}

static void sanlock_run_watchdog(struct world *world, struct item *item)
{
	struct host *host = item->host;
	bool reset = host->watchdog_doomed;

	if (item->c != host->power_epoch)
		return;
	for (uint32_t i = 0; i < host->proc_high; i++)
		reset |= host->procs[i].state != PROC_NONE && host->procs[i].lost;
	if (!reset)
		return;
	world->stats[STAT_WATCHDOGS]++;
	host_power_off(world, host, "watchdog");
	host_power_on(world, host);
}

static void lockspace_fail(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	uint64_t at;

	world_say(world, host, "lockspace of d%u fails: sanlock kills its processes",
		  (unsigned int)disk);
	world->stats[STAT_LOCKSPACES_FAILED]++;
	space->joined = space->renewing = false;
	space->failure++;
	for (uint32_t i = 0; i < host->proc_high; i++) {
		struct proc *proc = &host->procs[i];

		if (proc->state == PROC_NONE || !proc->holds ||
		    proc->registered != host->sanlock.epoch || !proc_uses(proc, disk))
			continue;
		proc->lost = true;
		qemu_kill(world, host, proc, "sanlock killed it");
	}
	volume_post(world, host, disk, world_jitter(world, MS(100), SECONDS(1)));
	if (!host->watchdog)
		return;
	at = space->renewed_us + disk_host_dead_us(world, disk) -
	     world_jitter(world, 0, SECONDS(9));
	world_at(world, at > world->now_us ? at - world->now_us : 0, host, GUARD_NONE,
		 sanlock_run_watchdog)
		->c = host->power_epoch;
}

static void sanlock_run_fail(struct world *world, struct item *item)
{
	struct lockspace *space = &item->host->sanlock.lockspaces[item->a];

	if (space->joined && !space->renewing && space->failure == item->b)
		lockspace_fail(world, item->host, (uint32_t)item->a);
}

// Renewals stop to succeed.
static void space_stop(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	uint64_t at;
	struct item *item;

	if (!space->joined || !space->renewing)
		return;
	space_settle(world, host, disk);
	space->renewing = false;
	space->failure++;
	at = space->renewed_us + fails_after_us(world, disk) + world_jitter(world, 0, SECONDS(1));
	item = world_at(world, at > world->now_us ? at - world->now_us : 0, host, GUARD_SANLOCK,
			sanlock_run_fail);
	item->a = disk;
	item->b = space->failure;
}

static void space_go(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];

	if (!space->joined || space->renewing || host->paused ||
	    host->paths[disk].state >= PATH_HUNG)
		return;
	if (world->now_us - space->renewed_us >= fails_after_us(world, disk))
		return;
	space->renewing = true;
	space->renewed_us = space->going_us = world->now_us;
	space_settle(world, host, disk);
}

void sanlock_path_changed(struct world *world, struct host *host, uint32_t disk)
{
	if (!host->sanlock.running)
		return;
	if (host->paths[disk].state >= PATH_HUNG)
		space_stop(world, host, disk);
	else
		space_go(world, host, disk);
}

void sanlock_freeze(struct world *world, struct host *host)
{
	for (uint32_t d = 0; host->sanlock.running && d < world->config.disks; d++)
		space_stop(world, host, d);
}

void sanlock_thaw(struct world *world, struct host *host)
{
	for (uint32_t d = 0; host->sanlock.running && d < world->config.disks; d++)
		space_go(world, host, d);
}

static void sanlock_run_id_lost(struct world *world, struct item *item)
{
	struct lockspace *space = &item->host->sanlock.lockspaces[item->a];

	if (space->joined && space->generation == item->b)
		lockspace_fail(world, item->host, (uint32_t)item->a);
}

void sanlock_id_lost(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	struct item *item;

	if (!host->powered || !host->sanlock.running || !space->joined)
		return;
	item = world_at(world, rng_below(&world->rng, period_us(world, disk)), host, GUARD_SANLOCK,
			sanlock_run_id_lost);
	item->a = disk;
	item->b = space->generation;
}

// ---- the daemon

static void sanlock_run_ready(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct event event = { .type = EVENT_SANLOCK_UP, .flag = host->watchdog };
	bool living = false;

	for (uint32_t i = 0; world->config.unit_kills && i < host->proc_high; i++) {
		struct proc *proc = &host->procs[i];

		if (proc->state == PROC_NONE || proc->registered == host->sanlock.epoch)
			continue;
		living = true;
		qemu_kill(world, host, proc, "sanlock's unit killed it");
	}
	if (living) {
		world_at(world, MS(500), host, GUARD_SANLOCK, sanlock_run_ready);
		return;
	}
	host->sanlock.running = true;
	world_say(world, host, "sanlock runs");
	host_post(world, host, world_jitter(world, MS(5), MS(500)), &event);
}

void sanlock_start(struct world *world, struct host *host)
{
	if (!host->booted || host->sanlock.running)
		return;
	world_at(world, world_jitter(world, MS(50), MS(800)), host, GUARD_SANLOCK,
		 sanlock_run_ready);
}

void sanlock_kill(struct world *world, struct host *host)
{
	struct event event = { .type = EVENT_SANLOCK_GONE };
	bool joined = false;

	if (!host->sanlock.running)
		return;
	world_say(world, host, "sanlock is killed");
	for (uint32_t d = 0; d < world->config.disks; d++) {
		struct lockspace *space = &host->sanlock.lockspaces[d];

		space_settle(world, host, d);
		joined |= space->joined;
		*space = (struct lockspace){ .failure = space->failure + 1 };
	}
	host->sanlock.running = false;
	host->sanlock.epoch++;
	host->sanlock_gone_told = false;
	host_post(world, host, world_jitter(world, MS(1), MS(50)), &event);
	for (uint32_t d = 0; d < world->config.disks; d++)
		volume_post(world, host, d, world_jitter(world, MS(1), MS(1000)));
	// wdmd is not told that all is well, and stops feeding for good.
	if (!joined || !host->watchdog)
		return;
	host->watchdog_doomed = true;
	// The device goes on counting whatever the host does: no guard, or a pause would hold it.
	world_at(world, world_jitter(world, SECONDS(50), SECONDS(60)), host, GUARD_NONE,
		 sanlock_run_watchdog)
		->c = host->power_epoch;
}

void sanlock_power_cut(struct world *world, struct host *host)
{
	for (uint32_t d = 0; d < world->config.disks; d++) {
		space_settle(world, host, d);
		host->sanlock.lockspaces[d] = (struct lockspace){ .failure = 0 };
	}
	host->sanlock.running = false;
	host->sanlock.epoch++;
}

void sanlock_hello(struct world *world, struct host *host)
{
	struct event event = { .type = EVENT_SANLOCK_UP, .flag = host->watchdog };

	if (host->sanlock.running)
		host_post(world, host, world_jitter(world, MS(1), MS(300)), &event);
}

// ---- lockspaces

static void sanlock_run_join(struct world *world, struct item *item)
{
	struct host *host = item->host;
	uint32_t disk = (uint32_t)item->a;
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	struct disk_id *id = &world->disks[disk].ids[host->id];

	space->joining = false;
	for (uint32_t i = 0; i < host->proc_high; i++) {
		const struct proc *proc = &host->procs[i];

		// A failed lockspace is there until its processes are gone.
		if (proc->state != PROC_NONE && proc->lost &&
		    proc->registered == host->sanlock.epoch && proc_uses(proc, disk))
			goto tell;
	}
	if (!host->sanlock.running || host->paths[disk].state >= PATH_HUNG ||
	    !world->disks[disk].prepared)
		goto tell;
	check_join(world, host, disk);
	id->held = true;
	id->generation++;
	id->renewed_us = world->now_us;
	space->joined = true;
	space->renewing = true;
	space->generation = id->generation;
	space->joined_us = space->going_us = space->renewed_us = world->now_us;
	world->stats[STAT_JOINS]++;
	world_trace(world, host, "joined the lockspace of d%u, generation %llu", (unsigned int)disk,
		    (unsigned long long)id->generation);
tell:
	volume_post(world, host, disk, 0);
}

void sanlock_join(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];
	uint64_t delay_us = world_jitter(world, MS(5), MS(1000));

	if (!host->sanlock.running || space->joined) {
		volume_post(world, host, disk, MS(1));
		return;
	}
	if (space->joining)
		return;
	if (world->disks[disk].ids[host->id].held)
		delay_us += 3 * SECONDS(world->disks[disk].io_timeout_s);
	space->joining = true;
	world_at(world, delay_us, host, GUARD_SANLOCK, sanlock_run_join)->a = disk;
}

void sanlock_leave(struct world *world, struct host *host, uint32_t disk)
{
	struct lockspace *space = &host->sanlock.lockspaces[disk];

	space_settle(world, host, disk);
	if (space->joined)
		world->disks[disk].ids[host->id].held = false;
	*space = (struct lockspace){ .failure = space->failure + 1 };
}

// ---- leases

struct answer {
	uint8_t error; // 0: granted
	const char *reason;
	uint64_t again_us; // not 0: sanlock goes on waiting until then
};

// What keeps this host id's hold on the lease from being passed over.
static struct answer holder_judge(struct world *world, struct host *host, uint32_t disk,
				  uint32_t holder, uint64_t generation)
{
	const struct lockspace *space = &host->sanlock.lockspaces[disk];
	const struct disk_id *id = &world->disks[disk].ids[holder];
	uint64_t seen_us, dead_us;

	if (!id->held || id->generation != generation)
		return (struct answer){ 0, NULL, 0 };
	if (holder == host->id)
		return (struct answer){ LEASE_ERROR_HELD, "another process of this host holds it",
					0 };
	seen_us = disk_renewed_us(world, disk, holder);
	if (world->now_us - seen_us <= fails_after_us(world, disk))
		return (struct answer){ LEASE_ERROR_HELD, "a living host holds it", 0 };
	if (seen_us < space->joined_us)
		seen_us = space->joined_us;
	dead_us = seen_us + disk_host_dead_us(world, disk);
	if (world->now_us >= dead_us)
		return (struct answer){ 0, NULL, 0 };
	if (dead_us - world->now_us < SECONDS(10))
		return (struct answer){ LEASE_ERROR_WAITING, "", dead_us };
	return (struct answer){ LEASE_ERROR_WAITING, "its holder may be dead", 0 };
}

// `own`: what this very process holds is no obstacle to its having it alone.
static struct answer lease_judge(struct world *world, struct host *host, const struct proc *proc,
				 uint32_t i, bool share, bool own)
{
	uint32_t disk = proc->leases[i].disk;
	const struct lockspace *space = &host->sanlock.lockspaces[disk];
	struct disk_lease *lease = &world->disks[disk].leases[proc->leases[i].slot];
	struct answer answer = { 0, NULL, 0 };

	if (!host->sanlock.running || !space->joined || proc->registered != host->sanlock.epoch)
		return (struct answer){ LEASE_ERROR_SANLOCK, "the lockspace is not joined", 0 };
	if (host->paths[disk].state >= PATH_HUNG)
		return (struct answer){ LEASE_ERROR_STORAGE, "the volume does not answer", 0 };
	if (!lease->written || memcmp(&lease->uuid, &proc->uuid, sizeof(proc->uuid)) != 0)
		return (struct answer){ LEASE_ERROR_MISSING, "there is no such lease", 0 };
	if (world->now_us < lease->busy_until_us)
		return (struct answer){ LEASE_ERROR_HELD, "another attempt is under way", 0 };
	// It is still letting go of it for a process that is gone.
	if (share && !own && lease->sharers[host->id] == space->generation)
		return (struct answer){ LEASE_ERROR_HELD, "another process of this host holds it",
					0 };
	if (lease->owner != 0 && !(own && lease->owner == host->id))
		answer = holder_judge(world, host, disk, lease->owner, lease->generation);
	for (uint32_t h = 1; !share && answer.error == 0 && h <= world->config.hosts; h++)
		if (lease->sharers[h] != 0 && !(own && h == host->id))
			answer = holder_judge(world, host, disk, h, lease->sharers[h]);
	// Who asks in vain for what others share owns the paxos lease for a moment.
	if (!share && answer.error == LEASE_ERROR_HELD && lease->owner == 0)
		lease->busy_until_us = world->now_us + world_jitter(world, MS(2), MS(20));
	return answer;
}

static void lease_pass_over(struct world *world, struct host *host, struct proc *proc,
			    uint32_t disk, uint32_t holder, uint64_t generation)
{
	const struct disk_id *id = &world->disks[disk].ids[holder];

	if (holder == 0 || holder == host->id || generation == 0)
		return;
	if (id->held && id->generation == generation) {
		world->stats[STAT_EXPIRIES]++;
		proc->expired = (uint8_t)holder;
		proc->expired_serial = world->hosts[holder - 1].proc_serial;
	} else {
		world->stats[STAT_TAKEOVERS]++;
	}
}

static void lease_take(struct world *world, struct host *host, struct proc *proc, uint32_t i,
		       bool share)
{
	uint32_t disk = proc->leases[i].disk;
	struct disk_lease *lease = &world->disks[disk].leases[proc->leases[i].slot];
	uint64_t generation = host->sanlock.lockspaces[disk].generation;

	lease_pass_over(world, host, proc, disk, lease->owner, lease->generation);
	lease->owner = share ? 0 : host->id;
	lease->generation = generation;
	for (uint32_t h = 1; !share && h <= world->config.hosts; h++) {
		lease_pass_over(world, host, proc, disk, h, lease->sharers[h]);
		lease->sharers[h] = 0;
	}
	if (share)
		lease->sharers[host->id] = generation;
}

static void sanlock_run_acquire(struct world *world, struct item *item);

static void acquire_later(struct world *world, struct host *host, uint64_t serial,
			  uint64_t delay_us)
{
	world_at(world, delay_us, host, GUARD_DAEMON, sanlock_run_acquire)->a = serial;
}

static void sanlock_run_acquire(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);
	struct event event = { .type = EVENT_LEASE_REFUSED };
	struct answer answer = { 0, NULL, 0 };

	if (!proc || proc->state != PROC_ASKING)
		return;
	for (uint32_t i = 0; i < proc->lease_count && answer.error == 0; i++)
		answer = lease_judge(world, host, proc, i, proc->shared, false);
	if (proc->lease_count == 0)
		answer = (struct answer){ LEASE_ERROR_OTHER, "no leases are defined", 0 };
	if (answer.again_us != 0) {
		acquire_later(world, host, item->a, answer.again_us - world->now_us + MS(1));
		return;
	}
	event.vm = proc->vm;
	event.uuid = proc->uuid;
	event.attempt = proc->attempt;
	if (answer.error != 0) {
		event.lease_error = answer.error;
		event.reason = answer.reason;
		proc->state = PROC_WAITING;
		world->stats[STAT_REFUSALS]++;
		world_trace(world, host, "lease of %s refused: %s", vm_name(host, proc->vm),
			    answer.reason);
		host_post(world, host, 0, &event);
		return;
	}
	for (uint32_t i = 0; i < proc->lease_count; i++)
		lease_take(world, host, proc, i, proc->shared);
	proc->state = PROC_HOLDING;
	proc->holds = true;
	proc->lost = false;
	event.type = EVENT_LEASE_GRANTED;
	world->stats[STAT_GRANTS]++;
	world_trace(world, host, "lease of %s granted", vm_name(host, proc->vm));
	host_post(world, host, 0, &event);
}

void sanlock_acquire(struct world *world, struct host *host, struct proc *proc)
{
	uint64_t delay_us = 0;

	for (uint32_t i = 0; i < proc->lease_count; i++) {
		uint64_t path_us = path_delay_us(world, host, proc->leases[i].disk);

		if (path_us == NEVER)
			path_us = SECONDS(10);
		if (path_us > delay_us)
			delay_us = path_us;
	}
	proc->state = PROC_ASKING;
	acquire_later(world, host, proc->serial, delay_us);
}

struct release {
	struct uuid uuid;
	uint32_t disk, slot;
	uint64_t generation;
};

static void sanlock_run_release(struct world *world, struct item *item)
{
	struct host *host = item->host;
	const struct release *release = item->data;
	struct disk_lease *lease = &world->disks[release->disk].leases[release->slot];

	if (host->paths[release->disk].state >= PATH_HUNG) {
		struct item *again =
			world_at(world, SECONDS(1), host, GUARD_SANLOCK, sanlock_run_release);

		again->data = item->data;
		item->data = NULL;
		return;
	}
	if (memcmp(&lease->uuid, &release->uuid, sizeof(lease->uuid)) != 0)
		return;
	if (lease->owner == host->id && lease->generation == release->generation)
		lease->owner = 0;
	if (lease->sharers[host->id] == release->generation)
		lease->sharers[host->id] = 0;
}

void sanlock_release(struct world *world, struct host *host, struct proc *proc)
{
	if (!proc->holds || !host->sanlock.running || proc->registered != host->sanlock.epoch)
		return;
	for (uint32_t i = 0; i < proc->lease_count; i++) {
		const struct lockspace *space = &host->sanlock.lockspaces[proc->leases[i].disk];
		struct release *release;

		if (!space->joined)
			continue;
		release = malloc(sizeof(*release));
		if (!release)
			continue;
		*release = (struct release){ proc->uuid, proc->leases[i].disk, proc->leases[i].slot,
					     space->generation };
		world_at(world, world_jitter(world, 400, MS(20)), host, GUARD_SANLOCK,
			 sanlock_run_release)
			->data = release;
	}
}

static void sanlock_run_released(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct event *event = item->data;
	bool held = false, gone = !host->sanlock.running;

	for (uint32_t d = 0; d < world->config.disks; d++) {
		for (uint32_t s = 0; s < world->limits.cluster.lease_slots_max; s++) {
			const struct disk_lease *lease = &world->disks[d].leases[s];

			uint64_t generation = lease->owner == host->id ? lease->generation
								       : lease->sharers[host->id];

			if (!lease->written || generation == 0 ||
			    memcmp(&lease->uuid, &event->uuid, sizeof(event->uuid)) != 0)
				continue;
			held = true;
			gone |= !host->sanlock.lockspaces[d].joined ||
				host->sanlock.lockspaces[d].generation != generation;
		}
	}
	if (held && !gone) {
		world_at(world, MS(100), host, GUARD_DAEMON, sanlock_run_released)->data =
			item->data;
		item->data = NULL;
		return;
	}
	event->flag = !held;
	host_post(world, host, 0, event);
}

void sanlock_release_wait(struct world *world, struct host *host, const struct action *action)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		return;
	*event = (struct event){
		.type = EVENT_LEASE_RELEASED,
		.vm = action->vm,
		.uuid = action->uuid,
		.attempt = action->attempt,
	};
	world_at(world, world_jitter(world, MS(1), MS(25)), host, GUARD_DAEMON,
		 sanlock_run_released)
		->data = event;
}

// ---- exclusive to shared and back, of a process that lives

bool lease_held_by(const struct world *world, const struct host *host, const struct proc *proc,
		   bool exclusive)
{
	for (uint32_t i = 0; i < proc->lease_count; i++) {
		const struct disk_lease *lease =
			&world->disks[proc->leases[i].disk].leases[proc->leases[i].slot];

		if (memcmp(&lease->uuid, &proc->uuid, sizeof(proc->uuid)) != 0)
			return false;
		if (lease->owner != host->id && (exclusive || lease->sharers[host->id] == 0))
			return false;
	}
	return true;
}

static void convert_post(struct world *world, struct host *host, const struct proc *proc,
			 bool share, const struct answer *answer)
{
	struct event event = {
		.type = share ? EVENT_LEASE_SHARED : EVENT_LEASE_EXCLUSIVE,
		.vm = proc->vm,
		.uuid = proc->uuid,
		.attempt = proc->attempt,
		.flag = answer->error == 0,
		.lease_error = answer->error,
		.reason = answer->reason,
	};

	world_trace(world, host, "lease of %s %s: %s", vm_name(host, proc->vm),
		    share ? "shared" : "made exclusive", answer->error ? answer->reason : "done");
	host_post(world, host, 0, &event);
}

static void sanlock_run_convert(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);
	bool share = item->b, lies = false, half = false;
	struct answer answer = { 0, NULL, 0 };

	if (!proc)
		return;
	proc->converting = false;
	// An error that hides a change, or half of one.
	if (world_trouble(world, TROUBLE_CONVERT) && !world->quiet && rng_chance(&world->rng, 12)) {
		world_fault(world);
		lies = true;
		half = rng_chance(&world->rng, 50);
	}
	if (!proc->holds || proc->lost)
		answer = (struct answer){ LEASE_ERROR_PROCESS, "the process holds nothing", 0 };
	for (uint32_t i = 0; i < proc->lease_count && answer.error == 0 && !share; i++)
		answer = lease_judge(world, host, proc, i, false, true);
	if (answer.error == LEASE_ERROR_WAITING)
		answer.error = LEASE_ERROR_HELD;
	for (uint32_t i = 0; i < proc->lease_count && share && answer.error == 0; i++)
		if (host->paths[proc->leases[i].disk].state >= PATH_HUNG)
			answer = (struct answer){ LEASE_ERROR_STORAGE, "the volume does not answer",
						  0 };
	for (uint32_t i = 0; i < proc->lease_count && answer.error == 0 && !(lies && half); i++)
		lease_take(world, host, proc, i, share);
	if (proc->writes)
		check_expiry(world, host, proc);
	if (answer.error == 0 && lies)
		answer = (struct answer){ LEASE_ERROR_STORAGE, "I/O timeout", 0 };
	if (answer.error != 0 && answer.error != LEASE_ERROR_HELD)
		world->stats[STAT_CONVERT_ERRORS]++;
	else if (answer.error == 0)
		world->stats[share ? STAT_SHARES : STAT_CONVERTS]++;
	if (item->c == host->daemon_epoch)
		convert_post(world, host, proc, share, &answer);
}

void sanlock_convert(struct world *world, struct host *host, struct proc *proc, bool share)
{
	static const struct answer busy = { LEASE_ERROR_HELD, "sanlock is at it already", 0 };
	uint64_t delay_us = 0;
	struct item *item;

	if (proc->converting) {
		convert_post(world, host, proc, share, &busy);
		return;
	}
	proc->converting = true;
	for (uint32_t i = 0; i < proc->lease_count; i++) {
		uint64_t path_us = path_delay_us(world, host, proc->leases[i].disk);

		if (path_us == NEVER)
			path_us = SECONDS(10);
		if (path_us > delay_us)
			delay_us = path_us;
	}
	// sanlock does it also when clusterd does not live to hear of it.
	item = world_at(world, delay_us, host, GUARD_POWER, sanlock_run_convert);
	item->a = proc->serial;
	item->b = share;
	item->c = host->daemon_epoch;
}
