// SPDX-License-Identifier: Apache-2.0
/*
 * QEMU's side of moves, with its true traps: a source goes on by itself when its migration fails,
 * also when the target has received all of it; RESUME is told without a STOP before it; the guest
 * sometimes stays paused after a cancel; a target may fail to load what its source has completed.
 *
 * And what goes over the network of the moves, which may be cut on its own: migrations, and the
 * words between the two clusterds, which may be late, lost or doubled.
 */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_US = 100000, MIB = 1024 * 1024, PORTS = 100000 };

static bool trouble(struct world *world, enum trouble kind, uint32_t percent)
{
	if (!world_trouble(world, kind) || world->quiet || !rng_chance(&world->rng, percent))
		return false;
	world_fault(world);
	return true;
}

void proc_writes(struct world *world, struct host *host, struct proc *proc)
{
	if (proc->writes)
		return;
	check_continues(world, host, proc);
	check_resumes(world, host, proc);
	check_writes(world, host, proc);
	world->stats[STAT_RENOUNCED] += proc->handed && !proc->out.save;
	world->stats[STAT_CONTINUED] += proc->mode == START_INCOMING && !proc->continued;
	proc->writes = proc->continued = true;
	proc->handed = false;
}

void proc_stands(struct proc *proc)
{
	proc->writes = false;
}

// To continue: it has not run, and does not.
bool proc_never_told(const struct proc *proc)
{
	return proc->mode != START_FRESH && !proc->continued && !proc->cont_told;
}

enum run_state proc_run_state(const struct proc *proc)
{
	if (proc_never_told(proc))
		return proc->received ? RUN_RECEIVED : RUN_INCOMING;
	if (proc->handed)
		return RUN_POSTMIGRATE;
	if (proc->out.status >= MIGRATE_SETUP && proc->out.status <= MIGRATE_DEVICE)
		return RUN_SENDING;
	return proc->writes ? RUN_RUNNING : RUN_PAUSED;
}

// ---- the network of the moves

bool move_linked(const struct world *world, const struct host *from, const struct host *to)
{
	return to->powered && to->booted && !to->paused &&
	       world->move_links[from->index][to->index] &&
	       world->move_links[to->index][from->index];
}

void move_link(struct world *world, uint32_t from, uint32_t to, bool up)
{
	world->move_links[from][to] = world->move_links[to][from] = up;
}

static void word_post(struct world *world, struct host *from, struct host *to,
		      const struct action *action, uint64_t delay_us)
{
	struct event event = {
		.type = EVENT_MOVE_WORD,
		.node_id = from->id,
		.move = action->move,
		.word = action->word,
	};

	host_post(world, to, delay_us, &event);
}

static void word_tell(struct world *world, struct host *host, const struct action *action)
{
	struct host *to;
	struct proc *proc;
	bool lost;

	if (action->node_id == 0 || action->node_id > world->config.hosts)
		return;
	to = &world->hosts[action->node_id - 1];
	lost = !move_linked(world, host, to) || !to->daemon || trouble(world, TROUBLE_WORDS, 25);
	world_trace(world, host, "says word %u of move %u to %s%s", (unsigned int)action->word,
		    (unsigned int)action->move, to->name, lost ? ", and it is lost" : "");
	if (lost) {
		world->stats[STAT_WORDS_LOST]++;
		return;
	}
	proc = host_proc_uuid(to, &action->uuid);
	if (proc && action->word == WORD_RENOUNCED)
		proc->word = true;
	word_post(world, host, to, action, world_jitter(world, 100, MS(2)));
	if (!trouble(world, TROUBLE_WORDS, 20))
		return;
	world->stats[STAT_WORDS_TWICE]++;
	word_post(world, host, to, action, world_jitter(world, MS(1), SECONDS(3)));
}

static void link_run_checked(struct world *world, struct item *item)
{
	struct host *host = item->host, *to = &world->hosts[item->a - 1];
	struct event event = {
		.type = EVENT_LINK_CHECKED,
		.node_id = to->id,
		.cookie = item->b,
		.flag = move_linked(world, host, to) && to->daemon,
	};

	event.reason = event.flag ? "10.1.0.1" : "its migration network does not answer";
	host_post(world, host, 0, &event);
}

static void link_check(struct world *world, struct host *host, const struct action *action)
{
	struct item *item;

	if (action->node_id == 0 || action->node_id > world->config.hosts)
		return;
	item = world_at(world, world_jitter(world, MS(3), MS(60)), host, GUARD_DAEMON,
			link_run_checked);
	item->a = action->node_id;
	item->b = action->cookie;
}

// ---- sending

static struct proc *target_of(struct world *world, const struct sending *out, struct host **to)
{
	struct proc *proc;

	*to = out->to ? &world->hosts[out->to - 1] : NULL;
	if (!*to || !(*to)->powered)
		return NULL;
	proc = host_proc_serial(*to, out->to_serial);
	return proc && proc->mode == START_INCOMING && !proc->continued ? proc : NULL;
}

void move_stats_post(struct world *world, struct host *host, const struct proc *proc)
{
	const struct sending *out = &proc->out;
	struct migrate_stats stats = {
		.status = out->status,
		.total = out->total,
		.remaining = out->remaining,
		.transferred = out->transferred,
		.rate = out->rate,
		.dirty_rate = out->dirty_rate,
		.rounds = out->rounds,
		.throttle = out->throttle,
		.total_ms = (uint32_t)((world->now_us - out->began_us) / 1000),
	};
	struct event event = {
		.type = EVENT_MIGRATE,
		.vm = proc->vm,
		.uuid = proc->uuid,
		.attempt = proc->attempt,
		.stats = &stats,
	};

	if (out->status == MIGRATE_COMPLETED)
		stats.pause_us = (uint32_t)(world->now_us - out->paused_us);
	if (out->status == MIGRATE_FAILED)
		event.reason = "the stream was cut";
	host_post(world, host, 0, &event);
}

static void saved_post(struct world *world, struct host *host, const struct proc *proc, bool good,
		       const char *reason)
{
	struct event event = {
		.type = EVENT_SAVED,
		.vm = proc->vm,
		.uuid = proc->uuid,
		.attempt = proc->attempt,
		.flag = good,
		.reason = reason,
		.index = proc->out.transferred,
	};

	host_post(world, host, 0, &event);
}

// It goes on by itself; sometimes it is told that it does without having stood still, and sometimes
// it does not.
static void sending_ends(struct world *world, struct host *host, struct proc *proc,
			 enum migrate_status status, const char *why)
{
	bool save = proc->out.save, stays = trouble(world, TROUBLE_MIGRATION, 15);

	world->stats[status == MIGRATE_FAILED ? STAT_MIGRATE_FAILS : STAT_CANCELS]++;
	world_say(world, host, "%s of %s ends: %s", save ? "saving" : "migration",
		  vm_name(host, proc->vm), why);
	proc->out.status = (uint8_t)status;
	proc->out.serial++;
	if (!proc->writes && !stays) {
		proc_writes(world, host, proc);
		proc_post(world, host, proc, EVENT_QEMU_RUNNING, false, NULL);
	} else if (proc->writes && trouble(world, TROUBLE_MIGRATION, 20)) {
		world->stats[STAT_UNSEEN]++;
		proc_post(world, host, proc, EVENT_QEMU_RUNNING, false, NULL);
	}
	if (save)
		saved_post(world, host, proc, false, why);
	else
		move_stats_post(world, host, proc);
}

static void sending_later(struct world *world, struct host *host, struct proc *proc,
			  uint64_t delay_us, item_fn run)
{
	struct item *item = world_at(world, delay_us, host, GUARD_POWER, run);

	item->a = proc->serial;
	item->b = proc->out.serial;
}

static void target_dies(struct world *world, struct host *to, struct proc *target)
{
	if (target)
		qemu_die(world, to, target);
}

static void received(struct world *world, struct host *to, struct proc *target,
		     const struct proc *source)
{
	target->received = true;
	target->memory = source->memory;
	if (target->cont_asked)
		move_cont(world, to, target);
}

static void run_finish(struct world *world, struct item *item);

/*
 * Nobody takes the rest, and nobody refuses it: the guest stands until TCP gives up, minutes later.
 * What is little enough is in the socket all the same, and the source is done.
 */
static bool finish_hangs(struct world *world, struct host *host, struct proc *proc,
			 const struct host *to)
{
	struct sending *out = &proc->out;

	if (out->broken || !to || move_linked(world, host, to)) {
		out->stalled_us = 0;
		return false;
	}
	if (out->stalled_us == 0) {
		out->stalled_us = world->now_us;
		out->fits = rng_chance(&world->rng, 40);
	}
	if (out->fits || world->now_us - out->stalled_us > SECONDS(900))
		return false;
	sending_later(world, host, proc, STEP_US, run_finish);
	return true;
}

/*
 * The last of it. The stream is cut at any byte: the target may have all of it when the source
 * believes that it has not.
 */
static void run_finish(struct world *world, struct item *item)
{
	struct host *host = item->host, *to;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a), *target;
	bool cut, late;

	if (!proc || proc->killed || proc->out.serial != item->b ||
	    proc->out.status != MIGRATE_DEVICE)
		return;
	target = target_of(world, &proc->out, &to);
	cut = !to || !move_linked(world, host, to) || !target;
	if (finish_hangs(world, host, proc, to))
		return;
	late = trouble(world, TROUBLE_MIGRATION, 10);
	if ((cut && !proc->out.fits) || late || proc->out.broken) {
		if (target && rng_chance(&world->rng, 60)) {
			world->stats[STAT_LATE_FAILURES]++;
			received(world, to, target, proc);
		} else {
			target_dies(world, to, target);
		}
		sending_ends(world, host, proc, MIGRATE_FAILED, "the last reply did not come");
		return;
	}
	world->stats[STAT_HAND_OVERS]++;
	world_say(world, host, "QEMU of %s has handed its guest over", vm_name(host, proc->vm));
	proc->handed = true;
	proc->out.status = MIGRATE_COMPLETED;
	if (cut || trouble(world, TROUBLE_MIGRATION, 8))
		target_dies(world, to, target); // it cannot load what came
	else
		received(world, to, target, proc);
	move_stats_post(world, host, proc);
}

static void torn_post(struct world *world, struct host *host, struct proc *proc)
{
	struct migrate_stats stats = { .status = MIGRATE_TORN };
	struct event event = { .type = EVENT_MIGRATE,
			       .vm = proc->vm,
			       .uuid = proc->uuid,
			       .attempt = proc->attempt,
			       .stats = &stats };

	world_say(world, host, "QEMU of %s lacks memory, and its source is gone",
		  vm_name(host, proc->vm));
	host_post(world, host, 0, &event);
}

/*
 * Post-copy: the target runs, and fetches what is left; without it, it is lost. Where nobody takes
 * it and nobody refuses it, that lasts until TCP gives up, or is told to.
 */
static void run_rest(struct world *world, struct item *item)
{
	struct host *host = item->host, *to;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a), *target;
	struct sending *out = proc ? &proc->out : NULL;

	if (!proc || proc->killed || out->serial != item->b || out->status != MIGRATE_POSTCOPY)
		return;
	to = &world->hosts[out->to - 1];
	target = to->powered ? host_proc_serial(to, out->to_serial) : NULL;
	if (out->stalled_us == 0)
		out->stalled_us = world->now_us;
	if (!out->broken && !move_linked(world, host, to) &&
	    world->now_us - out->stalled_us < SECONDS(900)) {
		move_stats_post(world, host, proc);
		sending_later(world, host, proc, STEP_US, run_rest);
		return;
	}
	out->status = !out->broken && target && move_linked(world, host, to) ? MIGRATE_COMPLETED
									: MIGRATE_TORN;
	if (target && out->status == MIGRATE_COMPLETED)
		target->lacks = false;
	else if (target && move_linked(world, host, to))
		torn_post(world, to, target);
	move_stats_post(world, host, proc);
}

// It was told to finish, and that the rest may come after.
static void post_copy_begins(struct world *world, struct host *host, struct proc *proc)
{
	struct host *to;
	struct proc *target = target_of(world, &proc->out, &to);

	if (!target || !move_linked(world, host, to)) {
		sending_ends(world, host, proc, MIGRATE_FAILED, "the stream was cut");
		return;
	}
	world->stats[STAT_POST_COPIES]++;
	world_say(world, host, "QEMU of %s has handed its guest over, and sends the rest",
		  vm_name(host, proc->vm));
	proc->handed = true;
	proc->out.status = MIGRATE_POSTCOPY;
	proc->out.stalled_us = 0;
	target->lacks = true;
	received(world, to, target, proc);
	move_stats_post(world, host, proc);
	sending_later(world, host, proc,
		      MS(10) + proc->out.remaining * 1000 / proc->out.rate * 1000, run_rest);
}

static void save_finish(struct world *world, struct host *host, struct proc *proc)
{
	struct saved_file *file = NULL;

	if (host->paths[proc->out.disk].state >= PATH_HUNG ||
	    trouble(world, TROUBLE_MIGRATION, 15)) {
		sending_ends(world, host, proc, MIGRATE_FAILED, "No space left on device");
		return;
	}
	for (uint32_t i = 0; i < SAVED_MAX; i++) {
		struct saved_file *at = &world->saved[i];

		if (at->used && memcmp(&at->uuid, &proc->uuid, sizeof(proc->uuid)) == 0)
			file = at;
	}
	for (uint32_t i = 0; i < SAVED_MAX && !file; i++)
		if (!world->saved[i].used)
			file = &world->saved[i];
	if (!file) {
		sending_ends(world, host, proc, MIGRATE_FAILED, "No space left on device");
		return;
	}
	*file = (struct saved_file){ true, proc->uuid, proc->out.disk, proc->memory };
	world->stats[STAT_SAVES]++;
	world_say(world, host, "state of %s is saved", vm_name(host, proc->vm));
	proc->handed = true;
	proc->out.status = MIGRATE_COMPLETED;
	// Nobody is there to write it down.
	if (host->daemon && proc->vm.slot < SIM_VMS_MAX)
		host->notes[proc->vm.slot] =
			(struct saved_note){ proc->vm, proc->uuid, proc->attempt, proc->out.move,
					     proc->out.transferred };
	saved_post(world, host, proc, true, NULL);
}

// Nothing goes over: TCP is patient for a while.
static bool stalled(struct world *world, struct host *host, struct proc *proc)
{
	struct sending *out = &proc->out;
	struct host *to;
	struct proc *target = out->save ? NULL : target_of(world, out, &to);
	bool held = out->save ? host->paths[out->disk].state >= PATH_HUNG
			      : !target || !move_linked(world, host, to);

	if (!held) {
		out->stalled_us = 0;
		return false;
	}
	if (out->stalled_us == 0) {
		out->stalled_us = world->now_us;
		world->stats[STAT_STALLS]++;
	}
	if (!out->save && to && to->powered && !target && move_linked(world, host, to))
		sending_ends(world, host, proc, MIGRATE_FAILED, "connection reset");
	else if (world->now_us - out->stalled_us > SECONDS(12))
		sending_ends(world, host, proc, MIGRATE_FAILED, "connection timed out");
	else
		move_stats_post(world, host, proc);
	return true;
}

static void sending_goes_on(struct world *world, struct sending *out)
{
	uint64_t sent = out->rate / (1000000 / STEP_US), dirtied;

	if (sent > out->remaining)
		sent = out->remaining;
	out->transferred += sent;
	out->remaining -= sent;
	out->round_us += STEP_US;
	if (out->remaining > 0)
		return;
	dirtied = out->dirty_rate / MIB * out->round_us / 1000000 * MIB;
	out->remaining = dirtied < out->set ? dirtied : out->set;
	out->rounds++;
	out->round_us = 0;
	(void)world;
}

// It stands, and is told nothing: who asks how far it is hears that.
static void run_waits(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);

	if (!proc || proc->killed || proc->out.serial != item->b ||
	    (proc->out.status != MIGRATE_PRE_SWITCHOVER && proc->out.status != MIGRATE_DEVICE))
		return;
	if (proc->out.status == MIGRATE_PRE_SWITCHOVER)
		move_stats_post(world, host, proc);
	sending_later(world, host, proc, STEP_US, run_waits);
}

static void run_sending(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);
	struct sending *out = proc ? &proc->out : NULL;

	if (!proc || proc->killed || out->serial != item->b || out->status > MIGRATE_ACTIVE ||
	    out->status == MIGRATE_NONE || out->cancelled)
		return;
	out->status = MIGRATE_ACTIVE;
	if (out->fails || trouble(world, TROUBLE_MIGRATION, 2)) {
		sending_ends(world, host, proc, MIGRATE_FAILED, "it is told so by the simulator");
		return;
	}
	if (stalled(world, host, proc)) {
		if (out->serial == item->b)
			sending_later(world, host, proc, STEP_US, run_sending);
		return;
	}
	sending_goes_on(world, out);
	if (out->rounds > 1 && out->remaining * 1000 <= out->rate * out->downtime_ms) {
		proc_stands(proc);
		out->paused_us = world->now_us;
		if (out->save) {
			save_finish(world, host, proc);
			return;
		}
		out->status = MIGRATE_PRE_SWITCHOVER;
		move_stats_post(world, host, proc);
		sending_later(world, host, proc, STEP_US, run_waits);
		return;
	}
	move_stats_post(world, host, proc);
	sending_later(world, host, proc, STEP_US, run_sending);
}

// Before it hands the guest over it waits to be told so, as ever.
static void post_copy(struct world *world, struct host *host, struct proc *proc)
{
	if (proc->out.status != MIGRATE_ACTIVE)
		return;
	proc_stands(proc);
	proc->out.paused_us = world->now_us;
	proc->out.rest = true;
	proc->out.status = MIGRATE_PRE_SWITCHOVER;
	move_stats_post(world, host, proc);
	sending_later(world, host, proc, STEP_US, run_waits);
}

static void sending_start(struct world *world, struct host *host, struct proc *proc,
			  const struct action *action)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct vm *vm = cluster_vm(cluster, proc->vm);
	bool story = world->config.story;
	struct sending *out = &proc->out;
	uint32_t serial = out->serial + 1;

	if (!proc->executed || proc->killed)
		return;
	if (!proc->continued || proc->handed || !vm ||
	    (out->status >= MIGRATE_SETUP && out->status <= MIGRATE_DEVICE)) {
		check_fail(world, host, "sends a guest that is not there");
		return;
	}
	*out = (struct sending){ .status = MIGRATE_SETUP, .serial = serial };
	out->save = action->type == ACTION_SAVE;
	out->began_us = world->now_us;
	out->total = out->remaining = (uint64_t)vm_definition(cluster, vm)->memory_mib * MIB;
	out->rate = (story ? 1000 : rng_between(&world->rng, 200, 3000)) * MIB;
	out->dirty_rate = (story			 ? 20
			   : rng_chance(&world->rng, 20) ? rng_below(&world->rng, 1500)
							 : rng_below(&world->rng, 60)) *
			  MIB;
	out->set = out->total / (story ? 20 : rng_between(&world->rng, 4, 50));
	out->rounds = 1;
	out->downtime_ms = action->migrate->downtime_ms;
	if (out->save) {
		out->move = action->move;
		out->disk = (uint8_t)((unsigned int)(cluster->volumes[action->volume].def.name[1] -
						     '0') %
				      DISKS_MAX);
		out->dirty_rate = 0;
	} else {
		world->stats[STAT_MIGRATIONS]++;
		for (uint32_t i = 0; i < world->config.hosts; i++) {
			struct host *to = &world->hosts[i];
			struct proc *target =
				action->migrate->port / PORTS == to->id
					? host_proc_serial(to, action->migrate->port % PORTS)
					: NULL;

			if (!target)
				continue;
			out->to = to->id;
			out->to_serial = target->serial;
			target->from_host = host->id;
			target->from_serial = proc->serial;
		}
	}
	world_say(world, host, "%s of %s begins", out->save ? "saving" : "migration",
		  vm_name(host, proc->vm));
	sending_later(world, host, proc, world_jitter(world, MS(5), MS(60)), run_sending);
}

static void run_cancelled(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);

	if (proc && !proc->killed && proc->out.serial == item->b)
		sending_ends(world, host, proc, MIGRATE_CANCELLED, "cancelled");
}

/*
 * To be told to end is not to have ended: the last of a state that is being saved may be written
 * all the same, and a migration may wait for its network first. Meanwhile nothing more is sent.
 */
static void sending_cancel(struct world *world, struct host *host, struct proc *proc)
{
	struct sending *out = &proc->out;

	if (out->status == MIGRATE_DEVICE && !out->save)
		check_fail(world, host, "%s is cancelled after it was told to finish",
			   vm_name(host, proc->vm));
	if (out->status < MIGRATE_SETUP || out->status > MIGRATE_PRE_SWITCHOVER || out->cancelled)
		return;
	if (out->save && out->status == MIGRATE_ACTIVE && trouble(world, TROUBLE_MIGRATION, 20)) {
		world->stats[STAT_CANCELLED_DONE]++;
		proc_stands(proc);
		out->paused_us = world->now_us;
		save_finish(world, host, proc);
		return;
	}
	if (trouble(world, TROUBLE_MIGRATION, 20)) {
		world->stats[STAT_LATE_CANCELS]++;
		out->cancelled = true;
		sending_later(world, host, proc, world_jitter(world, MS(50), SECONDS(6)),
			      run_cancelled);
		return;
	}
	sending_ends(world, host, proc, MIGRATE_CANCELLED, "cancelled");
}

static void run_dirty_rate(struct world *world, struct item *item)
{
	struct proc *proc = host_proc_serial(item->host, (uint32_t)item->a);
	struct event event = { .type = EVENT_DIRTY_RATE, .flag = true, .index = 20 * MIB };

	if (!proc)
		return;
	event.vm = proc->vm;
	event.uuid = proc->uuid;
	event.attempt = proc->attempt;
	host_post(world, item->host, 0, &event);
}

static void saved_remove(struct world *world, const struct action *action)
{
	for (uint32_t i = 0; i < SAVED_MAX; i++)
		if (world->saved[i].used &&
		    memcmp(&world->saved[i].uuid, &action->uuid, sizeof(action->uuid)) == 0)
			world->saved[i].used = false;
}

void move_perform(struct world *world, struct host *host, struct proc *proc,
		  const struct action *action)
{
	switch (action->type) {
	case ACTION_MIGRATE:
	case ACTION_SAVE:
		sending_start(world, host, proc, action);
		return;
	case ACTION_MIGRATE_TUNE:
		proc->out.downtime_ms = action->migrate->downtime_ms;
		if (action->migrate->post_copy)
			post_copy(world, host, proc);
		return;
	case ACTION_MIGRATE_BREAK:
		if (proc->out.status >= MIGRATE_SETUP && proc->out.status <= MIGRATE_DEVICE)
			proc->out.broken = true;
		else if (proc->lacks)
			torn_post(world, host, proc);
		return;
	case ACTION_MIGRATE_CONTINUE:
		if (proc->out.status != MIGRATE_PRE_SWITCHOVER || proc->out.cancelled ||
		    trouble(world, TROUBLE_MIGRATION, 5))
			return;
		if (proc->out.rest) {
			post_copy_begins(world, host, proc);
			return;
		}
		proc->out.status = MIGRATE_DEVICE;
		move_stats_post(world, host, proc);
		sending_later(world, host, proc, world_jitter(world, MS(1), MS(30)), run_finish);
		return;
	case ACTION_MIGRATE_CANCEL:
		if (!proc->out.save && trouble(world, TROUBLE_MIGRATION, 5))
			return; // lost with its monitor
		sending_cancel(world, host, proc);
		return;
	case ACTION_DIRTY_RATE:
		world_at(world, world_jitter(world, MS(900), MS(1100)), host, GUARD_DAEMON,
			 run_dirty_rate)
			->a = proc->serial;
		return;
	case ACTION_LINK_CHECK:
		link_check(world, host, action);
		return;
	case ACTION_MOVE_TELL:
		word_tell(world, host, action);
		return;
	case ACTION_SAVED_REMOVE:
		saved_remove(world, action);
		return;
	}
}

// ---- receiving, restoring

static void run_listening(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);
	struct event event = { .type = EVENT_QEMU_LISTENING, .flag = true, .reason = "10.1.0.1" };

	if (!proc || proc->killed)
		return;
	proc->state = PROC_RUNNING;
	proc->listening = true;
	event.vm = proc->vm;
	event.uuid = proc->uuid;
	event.attempt = proc->attempt;
	event.port = host->id * PORTS + proc->serial;
	host_post(world, host, 0, &event);
}

static void run_restored(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);
	const struct saved_file *file = NULL;

	if (!proc || proc->killed)
		return;
	proc->state = PROC_RUNNING;
	for (uint32_t i = 0; i < SAVED_MAX; i++)
		if (world->saved[i].used &&
		    memcmp(&world->saved[i].uuid, &proc->uuid, sizeof(proc->uuid)) == 0)
			file = &world->saved[i];
	if (!file || host->paths[file->disk].state >= PATH_HUNG) {
		proc_post(world, host, proc, EVENT_QEMU_RESTORED, false,
			  file ? "I/O error" : "there is no saved state");
		return;
	}
	proc->received = true;
	proc->memory = file->memory;
	world->stats[STAT_RESTORES]++;
	proc_post(world, host, proc, EVENT_QEMU_RESTORED, true, NULL);
}

void move_exec(struct world *world, struct host *host, struct proc *proc,
	       const struct action *action)
{
	bool restore = action->start_mode == START_RESTORE;
	uint64_t delay_us = restore ? world_jitter(world, MS(200), SECONDS(4))
				    : world_jitter(world, MS(30), MS(120));

	proc->mode = action->start_mode;
	check_exec(world, host, proc);
	world->stats[STAT_EXECS]++;
	world_say(world, host, "QEMU of %s %s", vm_name(host, proc->vm),
		  restore ? "restores it" : "waits for it");
	proc->executed = true;
	proc->state = PROC_STARTING;
	if (trouble(world, TROUBLE_QEMU, 8)) {
		world->stats[STAT_START_FAILURES]++;
		qemu_die(world, host, proc);
		return;
	}
	world_at(world, delay_us, host, GUARD_POWER, restore ? run_restored : run_listening)->a =
		proc->serial;
}

static void run_cont(struct world *world, struct item *item)
{
	struct host *host = item->host;
	struct proc *proc = host_proc_serial(host, (uint32_t)item->a);

	if (!proc || proc->writes || proc->killed)
		return;
	world_say(world, host, "guest of %s continues", vm_name(host, proc->vm));
	proc_writes(world, host, proc);
	proc_post(world, host, proc, EVENT_QEMU_RUNNING, false, NULL);
}

void move_cont(struct world *world, struct host *host, struct proc *proc)
{
	if (!proc->executed || proc->writes)
		return;
	// "Migration is not finalized yet", and never will be where it was torn.
	if (proc->handed && (proc->out.status == MIGRATE_POSTCOPY ||
			     proc->out.status == MIGRATE_TORN)) {
		check_fail(world, host, "%s is to continue in the middle of its post-copy",
			   vm_name(host, proc->vm));
		return;
	}
	saved_note_drop(host, &proc->uuid);
	// QEMU loads first: the edge tells it when it has.
	if (proc->mode != START_FRESH && !proc->continued && !proc->received) {
		proc->cont_asked = true;
		return;
	}
	// Its disk cannot be taken, or that it is told cannot be written down.
	if (proc->mode != START_FRESH && !proc->cont_told && trouble(world, TROUBLE_MIGRATION, 5)) {
		proc_post(world, host, proc, EVENT_QEMU_PAUSED, true, "its disk is locked");
		return;
	}
	proc->cont_told |= proc->mode != START_FRESH;
	// With a daemon that dies now the word dies, too, or it is in QEMU's socket already.
	world_at(world, world_jitter(world, 300, MS(3)), host,
		 proc->serial % 2 ? GUARD_DAEMON : GUARD_POWER, run_cont)
		->a = proc->serial;
}
