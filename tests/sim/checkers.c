// SPDX-License-Identifier: Apache-2.0
/*
 * What must always hold, judged from the world: which processes live on which powered host, what is
 * on the disks, what was told to administrators, and what each store was asked to keep. Of the
 * nodes only what they show to anybody is read: replica, view, digest.
 */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/codec.h"
#include "clusterd/invariant.h"

void check_fail(struct world *world, const struct host *host, const char *format, ...)
{
	char text[400];
	va_list args;

	if (world->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	world->failed = true;
	world->failed_us = world->now_us;
	snprintf(world->failure, sizeof(world->failure), "%s: %s", host ? host->name : "world",
		 text);
	world_say(world, host, "VIOLATION: %s", text);
}

// ---- the order: whoever holds index i as committed holds the same entry

static uint64_t hash_record(uint64_t view, const uint8_t *body, size_t size)
{
	uint64_t hash = view * 0x9e3779b97f4a7c15u + size;

	while (size >= 8) {
		uint64_t word;

		memcpy(&word, body, 8);
		hash = (hash ^ word) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 29;
		body += 8;
		size -= 8;
	}
	while (size-- > 0)
		hash = (hash ^ *body++) * 0x100000001b3u;
	return hash ^ hash >> 31;
}

// From this index on nothing is held.
static void log_drop(struct host *host, uint64_t from)
{
	for (; host->log_high > 0 && host->log_high >= from; host->log_high--)
		host->log[host->log_high].index = 0;
}

static void log_put(struct host *host, uint64_t index, uint64_t view, uint64_t hash)
{
	INVARIANT(index < 10000000);
	if (index >= host->log_max) {
		uint32_t more = (uint32_t)(2 * index + 64);

		host->log = realloc(host->log, more * sizeof(*host->log));
		INVARIANT(host->log);
		memset(host->log + host->log_max, 0, (more - host->log_max) * sizeof(*host->log));
		host->log_max = more;
	}
	log_drop(host, index);
	host->log[index].index = index;
	host->log[index].view = view;
	host->log[index].hash = hash;
	host->log_high = index;
}

void check_daemon_started(struct host *host)
{
	log_drop(host, 0);
	host->seen_index = 0;
	host->seen_view = 0;
}

void check_store_replay(struct host *host, uint64_t index, uint64_t view, const uint8_t *body,
			size_t size, bool snapshot)
{
	if (!snapshot)
		log_put(host, index, view, hash_record(view, body, size));
}

void check_store(struct world *world, struct host *host, const struct action *action)
{
	static const char *const words[] = { "snapshot", "entry", "truncate", "promise",
					     "commit",	 "sync",  "reset" };

	if (action->type < ACTION_STORE_SNAPSHOT || action->type > ACTION_STORE_RESET)
		return;
	if (action->type <= ACTION_STORE_PROMISE)
		world_trace(world, host, "store: %s %llu of view %llu%s",
			    words[action->type - ACTION_STORE_SNAPSHOT],
			    (unsigned long long)action->index, (unsigned long long)action->view,
			    action->flag ? ", all" : "");
	if (action->type == ACTION_STORE_ENTRY)
		log_put(host, action->index, action->view,
			hash_record(action->view, action->body, action->body_size));
	else if (action->type == ACTION_STORE_TRUNCATE)
		log_drop(host, action->index + 1);
	else if (action->type == ACTION_STORE_RESET ||
		 (action->type == ACTION_STORE_SNAPSHOT && action->flag))
		log_drop(host, 0);
}

static void committed_reach(struct world *world, uint64_t index)
{
	uint64_t more;

	if (index < world->committed_max)
		return;
	INVARIANT(index < 10000000);
	more = 2 * index + 256;
	world->committed = realloc(world->committed, more * sizeof(*world->committed));
	INVARIANT(world->committed);
	memset(world->committed + world->committed_max, 0,
	       (more - world->committed_max) * sizeof(*world->committed));
	world->committed_max = more;
}

static void check_order(struct world *world, struct host *host, uint64_t index)
{
	committed_reach(world, index);
	if (host->seen_index > index)
		host->seen_index = 0; // it loaded an older copy
	for (uint64_t i = host->seen_index + 1; i <= index; i++) {
		if (i >= host->log_max || host->log[i].index != i)
			continue; // came in a snapshot
		if (!world->committed[i].known) {
			world->committed[i].known = true;
			world->committed[i].view = host->log[i].view;
			world->committed[i].hash = host->log[i].hash;
		} else if (world->committed[i].hash != host->log[i].hash ||
			   world->committed[i].view != host->log[i].view) {
			check_fail(world, host,
				   "at index %llu another entry (of view %llu) is committed than "
				   "before "
				   "(of view %llu)",
				   (unsigned long long)i, (unsigned long long)host->log[i].view,
				   (unsigned long long)world->committed[i].view);
		}
	}
	host->seen_index = index;
}

// Now and then, and always where a snapshot may have been loaded.
static void check_digest(struct world *world, struct host *host, uint64_t index, bool always)
{
	uint64_t digest;

	if (index == 0 || (!always && index % 16 != 0))
		return;
	committed_reach(world, index);
	digest = cluster_digest(node_cluster(host->node));
	if (host->wrong && !world->committed[index].digested)
		return;
	if (!world->committed[index].digested) {
		world->committed[index].digested = true;
		world->committed[index].digest = digest;
	} else if (world->committed[index].digest == digest) {
		host->wrong = false;
	} else if (!host->wrong) {
		check_fail(world, host,
			   "at index %llu its replica differs from what was seen there before",
			   (unsigned long long)index);
	}
}

// ---- nothing acknowledged is lost

void check_ack(struct world *world, struct host *host)
{
	uint64_t index = node_cluster(host->node)->index, view = view_number(node_view(host->node));

	committed_reach(world, index);
	check_digest(world, host, index, true);
	if (index > world->ack.index)
		world->ack.index = index;
	if (view > world->ack.view)
		world->ack.view = view;
}

/*
 * Most stores were lost, so nothing can be committed before an administrator has accepted that; and
 * then it may be something else than before. Until a view is normal again nothing is compared.
 */
static void check_recovered(struct world *world)
{
	world->recover_wanted = false;
	world->stats[STAT_RECOVERS]++;
	world->ack = (struct ack){ 0 };
	apart_forget(world);
	world->scripts_count = 0; // numbers of tips that were lost are given again
	world->highest_view = 0;
	memset(world->committed, 0, world->committed_max * sizeof(*world->committed));
	for (uint32_t i = 0; i < SIM_VMS_MAX; i++)
		world->vms[i] = (struct sim_vm){ .open = 1 };
}

static void check_view(struct world *world, struct host *host, uint64_t index)
{
	const struct view *view = node_view(host->node);
	uint64_t number = view_number(view);

	if (view_state(view) != VIEW_NORMAL || number == host->seen_view)
		return;
	host->seen_view = number;
	if (world->recover_wanted)
		check_recovered(world);
	if (number > world->highest_view) {
		world->highest_view = number;
		world->stats[STAT_VIEWS]++;
		world_trace(world, host, "view %llu is normal at index %llu",
			    (unsigned long long)number, (unsigned long long)index);
	}
	if (number > world->ack.view && index < world->ack.index)
		check_fail(
			world, host,
			"view %llu is normal at index %llu, and %llu was acknowledged in view %llu",
			(unsigned long long)number, (unsigned long long)index,
			(unsigned long long)world->ack.index, (unsigned long long)world->ack.view);
	check_digest(world, host, index, true);
}

// A recovery changes the voters of what is held at an index already: whoever is not through with it
// holds the old.
static bool comparable(const struct world *world, const struct host *host)
{
	return !world->recover_wanted && (world->stats[STAT_RECOVERS] == 0 ||
					  view_state(node_view(host->node)) == VIEW_NORMAL);
}

void check_step(struct world *world, struct host *host)
{
	uint64_t index = node_cluster(host->node)->index;

	if (index != host->seen_index && comparable(world, host)) {
		check_order(world, host, index);
		check_digest(world, host, index, false);
		check_moves(world, host);
		apart_seen(world, host);
		if (index > world->highest_committed)
			world->highest_committed = index;
	}
	world->stats[STAT_LEARNERS] += view_learner(node_view(host->node));
	check_view(world, host, index);
}

// ---- who may write

static void check_writers(struct world *world, struct host *host, const struct proc *proc)
{
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *other = &world->hosts[i];

		for (uint32_t k = 0; other->powered && k < other->proc_high; k++) {
			const struct proc *second = &other->procs[k];

			if (second == proc || second->state == PROC_NONE || !second->writes ||
			    memcmp(&second->uuid, &proc->uuid, sizeof(proc->uuid)) != 0)
				continue;
			if ((other->lied_about || host->lied_about) && other != host)
				continue; // the fault that was injected, and counted
			check_fail(world, host,
				   "TWO WRITERS: %s runs here and its QEMU lives on %s",
				   vm_name(host, proc->vm), other->name);
		}
	}
}

static void check_lease(struct world *world, struct host *host, const struct proc *proc,
			bool exclusive)
{
	// A sanlock that died an instant ago: clusterd kills QEMU as soon as it is told, and joins
	// nothing before.
	if (host->sanlock_gone_told && (!proc->holds || proc->lost || !host->sanlock.running ||
					proc->registered != host->sanlock.epoch))
		check_fail(world, host, "%s starts, and sanlock holds nothing for its process",
			   vm_name(host, proc->vm));
	// sanlock has lost it, and is killing the process: it may still get so far.
	if (!proc->lost && host->sanlock.running && proc->registered == host->sanlock.epoch &&
	    !lease_held_by(world, host, proc, exclusive) && !host->lied_about)
		check_fail(world, host, "%s %s without its lease%s", vm_name(host, proc->vm),
			   exclusive ? "starts" : "begins to run",
			   exclusive ? "" : ", even shared");
}

static struct sim_age *age_of(struct world *world, const struct uuid *uuid)
{
	static const struct uuid none;

	for (uint32_t i = 0; i < AGES_MAX; i++) {
		struct sim_age *age = &world->ages[i];

		if (memcmp(&age->uuid, uuid, sizeof(*uuid)) == 0)
			return age;
		if (memcmp(&age->uuid, &none, sizeof(none)) == 0) {
			age->uuid = *uuid;
			return age;
		}
	}
	INVARIANT(false);
	return NULL;
}

/*
 * Expiry of a host without a watchdog proves nothing: what ran there when it was last heard of may
 * still run. A child that is granted such a lease harms nobody as long as it waits (it may have
 * asked for it long ago, and its host be cut off since): judged is who lets its guest run with it,
 * once; and not by who came to that host since then.
 */
void check_expiry(struct world *world, struct host *host, struct proc *proc)
{
	const struct host *owner = proc->expired ? &world->hosts[proc->expired - 1] : NULL;

	proc->expired = 0;
	if (!owner || owner->watchdog || owner->proved_off || owner->lied_about)
		return;
	for (uint32_t i = 0; i < owner->proc_high; i++) {
		const struct proc *old = &owner->procs[i];

		if (old->executed && old->serial <= proc->expired_serial &&
		    (old->state != PROC_NONE || old->died_with_power) &&
		    memcmp(&old->uuid, &proc->uuid, sizeof(proc->uuid)) == 0)
			check_fail(world, host,
				   "%s runs with the expired lease of %s, which has no watchdog",
				   vm_name(host, proc->vm), owner->name);
	}
}

/*
 * A guest that begins anew takes the disk as it is. One that continues, after a move, from a saved
 * state or where it stood still, knows the disk as of then: if anybody ran on it since, its memory
 * is older than its disk.
 */
void check_writes(struct world *world, struct host *host, struct proc *proc)
{
	struct sim_age *age = age_of(world, &proc->uuid);
	bool anew = proc->mode == START_FRESH && !proc->continued;

	check_writers(world, host, proc);
	check_lease(world, host, proc, anew);
	check_expiry(world, host, proc);
	if (!anew && proc->memory != age->age && !host->lied_about)
		check_fail(world, host,
			   "STALE MEMORY: %s continues here, and its disk was written since",
			   vm_name(host, proc->vm));
	proc->memory = ++age->age;
}

// The members that this clusterd was told of must hold the stores of a majority of the voters.
static void check_majority(struct world *world, struct host *host, const struct proc *proc)
{
	const struct voters *voters = &node_cluster(host->node)->voters;
	uint32_t count = 0;

	for (uint32_t v = 0; v < voters->count; v++) {
		for (uint32_t i = 0; i < host->seen_group_count; i++) {
			if (host->seen_group[i].id != voters->list[v].id)
				continue;
			// Its store may have been lost since; that its id once was this is what
			// counts.
			count++;
			break;
		}
	}
	if (2 * count <= voters->count)
		check_fail(world, host, "%s starts with %u of %u voters in the group",
			   vm_name(host, proc->vm), (unsigned int)count,
			   (unsigned int)voters->count);
	if (!view_normal(node_view(host->node)))
		check_fail(world, host, "%s starts without a normal view", vm_name(host, proc->vm));
	if (!host->seen_quorate)
		check_fail(world, host, "%s starts while votequorum says no quorum",
			   vm_name(host, proc->vm));
}

static void check_wanted(struct world *world, struct host *host, const struct proc *proc)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct vm *vm = cluster_vm(cluster, proc->vm);
	uint8_t slot = SLOT_NONE;

	for (uint8_t i = 0; i < NODES_MAX; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == host->id)
			slot = i;
	if (!vm)
		check_fail(world, host, "a VM that is not defined starts");
	else if (vm->wanted != VM_WANTED_RUNNING)
		check_fail(world, host, "%s starts and is not wanted running",
			   vm_name(host, proc->vm));
	else if (!vm->managed)
		check_fail(world, host, "%s starts and is unmanaged", vm_name(host, proc->vm));
	else if (vm->owner != slot || slot == SLOT_NONE)
		check_fail(world, host, "%s starts and its owner is another",
			   vm_name(host, proc->vm));
	else if (vm->attempt != proc->attempt)
		check_fail(world, host, "%s starts in an old attempt", vm_name(host, proc->vm));
	else if (vm->possible != 0 && !(vm->possible >> slot & 1))
		check_fail(world, host, "%s starts and this is no possible owner",
			   vm_name(host, proc->vm));
}

// By the administrators' own books, whatever the replica says.
static void check_books(struct world *world, struct host *host, const struct proc *proc)
{
	const struct sim_vm *vm = admin_book(world, vm_name(host, proc->vm));

	if (!vm || vm->open > 0 || vm->index == 0 || node_cluster(host->node)->index < vm->index)
		return;
	world->stats[STAT_STARTS_JUDGED]++;
	if (vm->stopped)
		check_fail(world, host, "%s starts, and its stop was acknowledged",
			   vm_name(host, proc->vm));
	if (vm->possible_index != 0 && node_cluster(host->node)->index >= vm->possible_index &&
	    vm->possible && !(vm->possible >> host->index & 1))
		check_fail(world, host, "%s starts where it was acknowledged not to",
			   vm_name(host, proc->vm));
}

static const struct move *move_here(const struct cluster *cluster, const struct host *host,
				    const struct vm *vm)
{
	const struct move *move = vm ? cluster_move(cluster, vm->move) : NULL;

	return move && move->target < NODES_MAX && cluster->nodes[move->target].def.id == host->id
		       ? move
		       : NULL;
}

// A QEMU that only listens: a committed move names this node, and the lease is shared.
static void check_incoming(struct world *world, struct host *host, const struct proc *proc)
{
	const struct cluster *cluster = node_cluster(host->node);
	const struct move *move = move_here(cluster, host, cluster_vm(cluster, proc->vm));

	if (!move || move->stage != STAGE_PREPARE || !move->shared)
		check_fail(world, host, "%s is awaited here, and no move says so",
			   vm_name(host, proc->vm));
	else if (move->attempt != proc->attempt)
		check_fail(world, host, "%s is awaited here in an old attempt",
			   vm_name(host, proc->vm));
	check_lease(world, host, proc, false);
}

void check_exec(struct world *world, struct host *host, const struct proc *proc)
{
	check_books(world, host, proc);
	apart_exec(world, host, proc);
	check_majority(world, host, proc);
	if (proc->mode == START_INCOMING) {
		check_incoming(world, host, proc);
		return;
	}
	check_lease(world, host, proc, true);
	check_wanted(world, host, proc);
}

void check_continues(struct world *world, struct host *host, const struct proc *proc)
{
	struct host *from = proc->from_host ? &world->hosts[proc->from_host - 1] : NULL;
	const struct proc *source = from ? host_proc_serial(from, proc->from_serial) : NULL;

	if (proc->mode != START_INCOMING || host->lied_about)
		return;
	if (!proc->word)
		check_fail(world, host, "%s continues here, and its source did not say that it may",
			   vm_name(host, proc->vm));
	if (source && !source->handed && !from->lied_about)
		check_fail(world, host, "%s continues here, and %s has not renounced it",
			   vm_name(host, proc->vm), from->name);
}

void check_resumes(struct world *world, struct host *host, const struct proc *proc)
{
	struct host *to;
	const struct proc *target;

	if (!proc->handed || proc->out.save || proc->out.to == 0 || host->lied_about)
		return;
	to = &world->hosts[proc->out.to - 1];
	target = host_proc_serial(to, proc->out.to_serial);
	if (to->powered && target && target->mode == START_INCOMING && !to->lied_about)
		check_fail(world, host,
			   "%s, which was renounced, resumes and its target lives on %s",
			   vm_name(host, proc->vm), to->name);
	if (!lease_held_by(world, host, proc, true) && !proc->lost)
		check_fail(world, host, "%s, which was renounced, resumes on a shared lease",
			   vm_name(host, proc->vm));
}

static void count_end(struct world *world, const struct past_move *past)
{
	static const enum stat stats[MOVE_OUTCOME_COUNT] = {
		[MOVE_DONE] = STAT_MOVES_DONE,		 [MOVE_STAYED] = STAT_MOVES_STAYED,
		[MOVE_CANCELLED] = STAT_MOVES_CANCELLED, [MOVE_REFUSED] = STAT_MOVES_REFUSED,
		[MOVE_RESTARTED] = STAT_MOVES_RESTARTED, [MOVE_SAVED] = STAT_MOVES_SAVED,
		[MOVE_ENDED] = STAT_MOVES_ENDED,
	};

	world->stats[stats[past->outcome]]++;
}

void check_moves(struct world *world, const struct host *host)
{
	const struct cluster *cluster = node_cluster(host->node);

	for (uint32_t i = 0; i < cluster->move_high; i++) {
		const struct move *move = &cluster->moves[i];

		if (move->id == 0 || move->id >= MOVE_IDS_MAX || move->stage == STAGE_ASKED ||
		    world->moves_seen[move->id])
			continue;
		world->moves_seen[move->id] = 1;
		world->stats[STAT_MOVES]++;
	}
	for (uint32_t i = 0; i < PAST_MOVES_MAX && cluster->past_moves[i].id != 0; i++) {
		const struct past_move *past = &cluster->past_moves[i];

		if (past->id >= MOVE_IDS_MAX || world->moves_seen[past->id] == 2)
			continue;
		world->stats[STAT_MOVES] +=
			world->moves_seen[past->id] == 0 && past->outcome != MOVE_REFUSED;
		world->moves_seen[past->id] = 2;
		count_end(world, past);
	}
}

// ---- leases

static bool proc_holds_slot(const struct proc *proc, uint32_t disk, uint32_t slot)
{
	if (proc->state == PROC_NONE || !proc->holds)
		return false;
	for (uint32_t i = 0; i < proc->lease_count; i++)
		if (proc->leases[i].disk == disk && proc->leases[i].slot == slot)
			return true;
	return false;
}

// A slot that is written late holds what it held before a recovery, perhaps of a VM that has
// another slot since: judged is whose process holds this one.
void check_lease_write(struct world *world, struct host *host, uint32_t disk, uint32_t slot)
{
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct host *other = &world->hosts[i];

		for (uint32_t k = 0; other->powered && k < other->proc_high; k++)
			if (proc_holds_slot(&other->procs[k], disk, slot))
				check_fail(world, host,
					   "writes over a lease slot that a process on %s holds",
					   other->name);
	}
}

static bool writes_here(const struct host *host, const struct proc *proc)
{
	return host->powered && !host->lied_about && proc->state != PROC_NONE && proc->writes;
}

static void check_runs(struct world *world, struct host *host, const struct proc *proc)
{
	check_writers(world, host, proc);
	// Not while it is being killed for that: by sanlock, or by clusterd when sanlock is gone.
	if (host->sanlock.running && !host->paused && proc->registered == host->sanlock.epoch &&
	    !proc->lost && !proc->killed && !lease_held_by(world, host, proc, false))
		check_fail(world, host, "%s runs without its lease", vm_name(host, proc->vm));
}

static void running_look(struct world *world, struct item *item)
{
	(void)item;
	world->stats[STAT_LOOKS]++;
	for (uint32_t i = 0; i < world->config.hosts; i++)
		for (uint32_t k = 0; k < world->hosts[i].proc_high; k++)
			if (writes_here(&world->hosts[i], &world->hosts[i].procs[k]))
				check_runs(world, &world->hosts[i], &world->hosts[i].procs[k]);
	check_running_start(world);
}

void check_running_start(struct world *world)
{
	world_at(world, SECONDS(1), NULL, GUARD_NONE, running_look);
}

void check_join(struct world *world, struct host *host, uint32_t disk)
{
	for (uint32_t i = 0; i < host->proc_high; i++) {
		const struct proc *proc = &host->procs[i];

		if (proc->state == PROC_NONE || !proc->executed ||
		    proc->registered == host->sanlock.epoch)
			continue;
		for (uint32_t k = 0; k < proc->lease_count; k++)
			if (proc->leases[k].disk == disk)
				check_fail(world, host,
					   "joins the lockspace of d%u while a QEMU of an earlier "
					   "sanlock lives",
					   (unsigned int)disk);
	}
}

void check_release(struct world *world, struct host *actor, struct host *target, uint32_t disk)
{
	const struct lockspace *space = &target->sanlock.lockspaces[disk];

	// The administrator's word is committed before its answer comes: the fault is counted now.
	if (target->powered && !target->lied_about && admin_declares_dead(world, target)) {
		target->lied_about = true;
		world->stats[STAT_FENCE_LIES]++;
	}
	if (target->powered && !target->lied_about && space->joined &&
	    space->generation == world->disks[disk].ids[target->id].generation)
		check_fail(world, actor, "releases the host id of %s, whose power is on",
			   target->name);
}

// ---- words

// Every node logs what is committed; a story shows it once.
static bool told_first(struct world *world, const struct host *host, const char *text)
{
	uint64_t hash = hash_record(0, (const uint8_t *)text, strlen(text));

	for (uint32_t i = 0; i < TOLD_MAX; i++)
		if (world->told[i].hash == hash && world->told[i].host != host->id &&
		    world->now_us < world->told[i].at_us + SECONDS(120))
			return false;
	world->told[world->told_next].hash = hash;
	world->told[world->told_next].host = host->id;
	world->told[world->told_next].at_us = world->now_us;
	world->told_next = (world->told_next + 1) % TOLD_MAX;
	return true;
}

void check_log(struct world *world, struct host *host, const struct action *action)
{
	static const char *const levels[] = { "", "warning: ", "error: " };

	world->stats[STAT_LOGS]++;
	if (!world->story || told_first(world, host, action->text))
		world_say(world, host, "| %s%s", levels[action->level % 3], action->text);
	if (action->level != LOG_LEVEL_ERROR)
		return;
	world->stats[STAT_ERRORS]++;
	if (world->faults == 0)
		check_fail(world, host, "an error without a fault: %s", action->text);
}
