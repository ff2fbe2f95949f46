// SPDX-License-Identifier: Apache-2.0
/*
 * A seed's life: what it switches on, the trouble, the repairs, and the quiet at the end, in which
 * everything wanted must come to run.
 */
#include "tests/sim/spoiled.h"

#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/node_internal.h"

enum { QUIET_LIMIT_S = 500, SETTLE_EVERY_S = 5 };

static uint32_t some_of(struct rng *rng, uint32_t hosts)
{
	switch (rng_below(rng, 3)) {
	case 0:
		return 0;
	case 1:
		return (1u << hosts) - 1;
	}
	return (uint32_t)rng_below(rng, 1u << hosts);
}

// Drawn apart, so that what a seed was before there were moves stays what it was.
static uint32_t move_troubles(uint64_t seed)
{
	struct rng rng = { .state = seed ^ 0x6d6f7665 };
	uint32_t troubles = 0;

	if (!rng_chance(&rng, 70))
		return 0;
	troubles |= 1u << TROUBLE_MOVES;
	for (uint32_t t = TROUBLE_MOVES + 1; t <= TROUBLE_CONVERT; t++)
		troubles |= (uint32_t)rng_chance(&rng, 35) << t;
	return troubles;
}

// Drawn apart, too: what is added here later changes no other seed.
static bool is_among(uint64_t seed, uint64_t salt, uint32_t percent)
{
	struct rng rng = { .state = seed ^ salt };

	return rng_chance(&rng, percent);
}

struct world_config config_of_seed(uint64_t seed, uint32_t hosts, uint32_t vms)
{
	static const uint32_t timeouts[] = { 1, 1, 2, 10 };
	static const uint32_t detections[] = { 440, 2080, 3300, 7600 };
	struct world_config config = { .hosts = hosts, .vms = vms };
	struct rng rng = { .state = seed ^ 0x5eed5eed };

	if (!config.hosts)
		config.hosts = (uint32_t)rng_between(&rng, 3, 5);
	if (!config.vms)
		config.vms = (uint32_t)rng_between(&rng, 2, 12);
	config.disks = (uint32_t)rng_between(&rng, 1, 2);
	if (!rng_chance(&rng, 6))
		for (uint32_t t = 0; t < TROUBLE_MOVES; t++)
			config.troubles |= (uint32_t)rng_chance(&rng, t == TROUBLE_LIES ? 8 : 35)
					   << t;
	config.troubles |= move_troubles(seed);
	if (config.troubles)
		config.troubles |= (uint32_t)is_among(seed, 0x71756f72756d, 20) << TROUBLE_QUORUM;
	config.watchdogs = some_of(&rng, config.hosts);
	config.fences = some_of(&rng, config.hosts);
	config.io_timeout_s = timeouts[rng_below(&rng, 4)];
	config.detection_us = MS(detections[rng_below(&rng, 4)]);
	config.chaos_us = SECONDS(rng_between(&rng, 60, 240));
	config.no_quorum_hold_s = (uint32_t)rng_between(&rng, 10, 60);
	config.no_quorum =
		rng_chance(&rng, 70) ? NO_QUORUM_STOP : (uint8_t)rng_below(&rng, NO_QUORUM_COUNT);
	config.shutdown = (uint8_t)(seed / 4 % SHUTDOWN_POLICY_COUNT);
	config.unit_kills = rng_chance(&rng, 50);
	config.dense = rng_chance(&rng, 30);
	config.early = rng_chance(&rng, 20);
	config.second_fences = some_of(&rng, config.hosts);
	config.measures = is_among(seed, 0x6d656173, 15);
	config.questions = is_among(seed, 0x717565, 15);
	config.spoiled = is_among(seed, 0x73706f696c, 12);
	config.apart = is_among(seed, 0x6170617274, 20);
	return config;
}

// ---- troubles

static struct host *random_host(struct world *world)
{
	return &world->hosts[rng_below(&world->rng, world->config.hosts)];
}

// Drawn without the dice, except whether the host goes too: seeds of before stay what they were.
static enum host_leaving random_leaving(struct world *world)
{
	if (!rng_chance(&world->rng, 50))
		return LEAVING_NOT;
	return world->now_us / MS(1) % 2 ? LEAVING_REBOOT : LEAVING_OFF;
}

static void cut_links(struct world *world)
{
	uint32_t side = (uint32_t)rng_between(&world->rng, 1, (1u << world->config.hosts) - 2);

	world_say(world, NULL, "links between %#x and the others are cut", (unsigned int)side);
	world->stats[STAT_CUTS]++;
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		for (uint32_t j = 0; j < world->config.hosts; j++) {
			if ((side >> i & 1) != (side >> j & 1))
				corosync_link(world, i, j, false);
		}
	}
}

static void cut_one_way(struct world *world)
{
	uint32_t i = (uint32_t)rng_below(&world->rng, world->config.hosts);
	uint32_t j = (i + 1 + (uint32_t)rng_below(&world->rng, world->config.hosts - 1)) %
		     world->config.hosts;

	world_say(world, NULL, "link from n%u to n%u is cut", (unsigned int)(i + 1),
		  (unsigned int)(j + 1));
	world->stats[STAT_CUTS]++;
	world->stats[STAT_ONE_WAY_CUTS]++;
	corosync_link(world, i, j, false);
}

static void link_run_heal(struct world *world, struct item *item)
{
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		if (i == item->a)
			continue;
		corosync_link(world, i, (uint32_t)item->a, true);
		corosync_link(world, (uint32_t)item->a, i, true);
	}
}

static void flap(struct world *world)
{
	struct host *host = random_host(world);

	world_say(world, host, "its link flaps");
	world->stats[STAT_CUTS]++;
	world->stats[STAT_FLAPS]++;
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		if (i == host->index)
			continue;
		corosync_link(world, i, host->index, false);
		corosync_link(world, host->index, i, false);
	}
	world_at(world, rng_between(&world->rng, MS(50), SECONDS(4)), NULL, GUARD_NONE,
		 link_run_heal)
		->a = host->index;
}

/*
 * The worst moment for a store to be lost: beside it only hosts that were away come up, a bare
 * majority of nodes that knows less than what was acknowledged. A lost store that voted would let
 * them go on without it.
 */
static void leave_laggards(struct world *world, struct host *lost)
{
	uint32_t left = world->config.hosts / 2;
	bool laggard = false;

	for (uint32_t i = 0; i < world->config.hosts; i++)
		laggard |= !world->hosts[i].powered;
	if (!laggard)
		return;
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		if (host == lost)
			continue;
		if (!host->powered && left > 0) {
			left--;
			host_power_on(world, host);
		}
	}
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		if (host == lost || !host->booted)
			continue;
		if (left > 0)
			left--;
		else
			host_power_off(world, host, "power cut");
	}
	daemon_start(world, lost);
}

static void lose_store(struct world *world)
{
	struct host *host = random_host(world);
	uint32_t most = 0;

	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (world->hosts[i].daemon && view_normal(node_view(world->hosts[i].node)) &&
		    node_cluster(world->hosts[i].node)->voters.count > most)
			most = node_cluster(world->hosts[i].node)->voters.count;
	if (most < world->config.hosts || world->stores_lost >= (world->config.hosts - 1) / 2 ||
	    host->paused)
		return;
	world->stores_lost++;
	daemon_kill(world, host);
	store_lose(world, host);
	if (rng_chance(&world->rng, 50))
		leave_laggards(world, host);
}

static void trouble_storage(struct world *world)
{
	static const enum path_state states[] = { PATH_SLOW, PATH_HUNG, PATH_LOST };
	enum path_state state = states[rng_below(&world->rng, 3)];
	uint32_t disk = (uint32_t)rng_below(&world->rng, world->config.disks);

	if (rng_chance(&world->rng, 80)) {
		path_set(world, random_host(world), disk, state);
		return;
	}
	for (uint32_t i = 0; i < world->config.hosts; i++) // the array itself
		path_set(world, &world->hosts[i], disk, state);
}

static void trouble_guest(struct world *world, bool dies)
{
	struct host *host = random_host(world);
	struct proc *proc = &host->procs[rng_below(&world->rng, SIM_VMS_MAX / 8)];

	if (proc->state != PROC_RUNNING || host->paused)
		return;
	if (dies)
		qemu_die(world, host, proc);
	else
		qemu_guest_shutdown(world, host, proc);
}

static void kill_corosync(struct world *world)
{
	bool all = rng_chance(&world->rng, 20);
	struct host *host = random_host(world);

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		if ((!all && i != host->index) || !world->hosts[i].corosync.running ||
		    world->hosts[i].paused)
			continue;
		world_say(world, &world->hosts[i], "corosync is killed");
		world->stats[STAT_COROSYNC_KILLS]++;
		corosync_kill(world, &world->hosts[i]);
	}
}

static void cut_all_power(struct world *world)
{
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		world->stats[STAT_POWER_CUTS] += world->hosts[i].powered;
		host_power_off(world, &world->hosts[i], "power cut everywhere");
	}
}

static void cut_power(struct world *world, struct host *host)
{
	world->stats[STAT_POWER_CUTS] += host->powered;
	host_power_off(world, host, "power cut");
}

static bool kill_sanlock(struct world *world, struct host *host)
{
	if (host->paused)
		return false;
	world->stats[STAT_SANLOCK_KILLS] += host->sanlock.running;
	sanlock_kill(world, host);
	return true;
}

static void admin_burst(struct world *world)
{
	for (uint64_t n = rng_between(&world->rng, 1, 4); n > 0; n--)
		admin_random(world);
}

static bool kill_clusterd(struct world *world, struct host *host)
{
	if (!host->daemon || host->paused)
		return false;
	world_say(world, host, "clusterd is killed");
	world->stats[STAT_DAEMON_KILLS]++;
	daemon_kill(world, host);
	return true;
}

// Mostly shorter than a lease lives, sometimes longer.
static void pause_for_a_while(struct world *world, struct host *host)
{
	uint64_t pause_us;

	if (rng_chance(&world->rng, 60))
		pause_us = rng_between(&world->rng, MS(50), SECONDS(8));
	else
		pause_us = rng_between(&world->rng, SECONDS(8), SECONDS(150));
	host_pause(world, host, pause_us);
}

// ---- most stores are gone for good: only an administrator who accepts the loss goes on

static void lose_most_stores(struct world *world)
{
	uint32_t left = world->config.hosts / 2 + 1;

	if (world->stores_lost > 0 || world->recover_wanted || rng_chance(&world->rng, 70)) {
		// Where there is nothing to recover from loss it is refused.
		struct host *host = random_host(world);

		if (host->daemon && !host->paused && view_normal(node_view(host->node)))
			admin_recover(world, host);
		return;
	}
	cut_all_power(world);
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		struct host *host = &world->hosts[i];

		host->proved_off = true;
		if (left == 0 || rng_below(&world->rng, world->config.hosts - i) >= left)
			continue;
		left--;
		store_lose(world, host);
	}
	world->stores_lost = world->config.hosts;
	world->recover_wanted = true;
}

// Whoever asks sees to it that every store that is left is there.
static bool may_recover(struct world *world, const struct host *host)
{
	if (!host->daemon || host->paused || view_normal(node_view(host->node)))
		return false;
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct host *other = &world->hosts[i];
		bool here = false;

		for (uint32_t k = 0; k < host->seen_group_count; k++)
			here |= host->seen_group[k].id == other->id;
		if (other->store.copy && (!here || other->store.failed || !other->daemon))
			return false;
	}
	return true;
}

static void recover_try(struct world *world)
{
	for (uint32_t i = 0; i < world->config.hosts && world->recover_wanted; i++)
		if (may_recover(world, &world->hosts[i]) &&
		    (world->quiet || rng_chance(&world->rng, 10)))
			admin_recover(world, &world->hosts[i]);
}

// The network of the moves alone, or what leads to one host of it.
static void cut_move_links(struct world *world)
{
	struct host *host = random_host(world);
	bool one = rng_chance(&world->rng, 50);
	uint32_t other = (uint32_t)rng_below(&world->rng, world->config.hosts);

	world_say(world, host, "its migration network is cut%s", one ? " to one" : "");
	world->stats[STAT_CUTS]++;
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (i != host->index && (!one || i == other))
			move_link(world, host->index, i, false);
}

static void trouble_store(struct world *world, struct host *host, enum trouble kind)
{
	if (kind == TROUBLE_STORE_SLOW)
		host->store.slow_us = rng_below(&world->rng, SECONDS(3));
	else if (kind == TROUBLE_STORE_LOST)
		lose_store(world);
	else if (host->daemon && !host->paused)
		store_fail(world, host);
}

static void trouble(struct world *world, enum trouble kind)
{
	struct host *host = random_host(world);

	switch (kind) {
	case TROUBLE_POWER:
		cut_power(world, host);
		break;
	case TROUBLE_ALL_POWER:
		if (rng_chance(&world->rng, 20))
			cut_all_power(world);
		break;
	case TROUBLE_DAEMON:
	case TROUBLE_SANLOCK:
		if (!(kind == TROUBLE_DAEMON ? kill_clusterd : kill_sanlock)(world, host))
			return;
		break;
	case TROUBLE_COROSYNC:
		kill_corosync(world);
		break;
	case TROUBLE_LINKS:
		cut_links(world);
		break;
	case TROUBLE_ONEWAY:
		cut_one_way(world);
		break;
	case TROUBLE_FLAPS:
		flap(world);
		break;
	case TROUBLE_LAG:
		host->corosync.lag_us = rng_below(&world->rng, SECONDS(2));
		break;
	case TROUBLE_PAUSE:
		pause_for_a_while(world, host);
		break;
	case TROUBLE_CLOCK:
		host_clock_step(world, host, (int64_t)rng_below(&world->rng, 7200000) - 3600000);
		break;
	case TROUBLE_STORE_SLOW:
	case TROUBLE_STORE_LOST:
	case TROUBLE_STORE_FAIL:
		trouble_store(world, host, kind);
		break;
	case TROUBLE_PATHS:
		trouble_storage(world);
		break;
	case TROUBLE_QEMU:
	case TROUBLE_GUEST:
		trouble_guest(world, kind == TROUBLE_QEMU);
		break;
	case TROUBLE_FENCE:
		host->fence_mode = rng_chance(&world->rng, 50) ? FENCE_SLOW : FENCE_FAILS;
		break;
	case TROUBLE_LIES:
		host->fence_mode = FENCE_LIES;
		break;
	case TROUBLE_LINK_CUT:
		cut_move_links(world);
		break;
	case TROUBLE_ADMIN:
		admin_burst(world);
		return;
	case TROUBLE_SHUTDOWN:
		daemon_end(world, host, random_leaving(world));
		break;
	case TROUBLE_RECOVER:
		lose_most_stores(world);
		break;
	case TROUBLE_MOVES:
		admin_move(world);
		return;
	case TROUBLE_LOSS: case TROUBLE_STUCK: case TROUBLE_LOAD: case TROUBLE_COUNT:
	case TROUBLE_MIGRATION: case TROUBLE_WORDS: case TROUBLE_CONVERT: case TROUBLE_QUORUM:
		return;
	}
	world_fault(world);
}

static void chaos_run(struct world *world, struct item *item)
{
	uint32_t kind = (uint32_t)rng_below(&world->rng, TROUBLE_COUNT);

	(void)item;
	if (world->quiet)
		return;
	for (uint32_t i = 0; i < TROUBLE_COUNT; i++, kind = (kind + 1) % TROUBLE_COUNT) {
		if (!world_trouble(world, (enum trouble)kind))
			continue;
		trouble(world, (enum trouble)kind);
		break;
	}
	world_at(world,
		 world->config.dense ? rng_between(&world->rng, MS(1), SECONDS(3))
				     : rng_between(&world->rng, MS(500), SECONDS(20)),
		 NULL, GUARD_NONE, chaos_run);
}

// ---- repairs: what is broken comes back one day; in the quiet, at once

static bool comes_back(struct world *world, uint32_t percent)
{
	return world->quiet || rng_chance(&world->rng, percent);
}

static void repair_host(struct world *world, struct host *host)
{
	if (!host->powered && comes_back(world, 4))
		host_power_on(world, host);
	if (host->fence_mode != FENCE_WORKS && comes_back(world, 5))
		host->fence_mode = FENCE_WORKS;
	for (uint32_t d = 0; d < world->config.disks; d++)
		if (host->paths[d].state != PATH_OK && comes_back(world, 4))
			path_set(world, host, d, PATH_OK);
	if (host->corosync.lag_us && comes_back(world, 8))
		host->corosync.lag_us = 0;
	if (host->store.slow_us && comes_back(world, 8))
		host->store.slow_us = 0;
	if (!host->booted || host->paused)
		return;
	if (host->store.failed && host->daemon && comes_back(world, 10))
		daemon_kill(world, host);
	if (!host->daemon && comes_back(world, 15))
		daemon_start(world, host);
	if (!host->corosync.running && comes_back(world, 15))
		corosync_start(world, host);
	if (!host->sanlock.running && comes_back(world, 15))
		sanlock_start(world, host);
}

static void repair_run(struct world *world, struct item *item)
{
	bool links = comes_back(world, 6), move_links = comes_back(world, 10);

	(void)item;
	if (world->recover_wanted)
		recover_try(world);
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		for (uint32_t j = 0; links && j < world->config.hosts; j++)
			if (i != j)
				corosync_link(world, i, j, true);
		for (uint32_t j = 0; move_links && j < world->config.hosts; j++)
			move_link(world, i, j, true);
		repair_host(world, &world->hosts[i]);
	}
	world_at(world, rng_between(&world->rng, MS(500), MS(1500)), NULL, GUARD_NONE, repair_run);
}

void chaos_start(struct world *world)
{
	check_running_start(world);
	if (world->config.apart)
		apart_start(world);
	for (uint32_t i = 0; i < world->config.hosts; i++)
		host_power_on(world, &world->hosts[i]);
	admin_bootstrap(world);
	if (world->config.troubles)
		world_at(world, world->config.early ? SECONDS(5) : SECONDS(30), NULL, GUARD_NONE,
			 chaos_run);
	if (world_trouble(world, TROUBLE_MOVES))
		admin_moves_begin(world);
	world_at(world, SECONDS(20), NULL, GUARD_NONE, repair_run);
	if (world->config.measures) {
		measure_begin(world);
		tips_begin(world);
	}
	if (world->config.questions)
		questions_start(world);
	if (world->config.spoiled)
		spoiled_start(world);
}

void chaos_heal(struct world *world)
{
	world_say(world, NULL, "--- quiet: everything is repaired ---");
	world->quiet = true;
}

// ---- the quiet

static struct host *normal_host(struct world *world)
{
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (world->hosts[i].daemon && !world->hosts[i].paused &&
		    view_normal(node_view(world->hosts[i].node)))
			return &world->hosts[i];
	return NULL;
}

static void request_named(struct world *world, struct host *host, enum entry_type type,
			  const char *name)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	INVARIANT(entry);
	entry->type = (uint8_t)type;
	entry->flag = true;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	admin_request(world, host, entry);
	free(entry);
}

// The administrator tidies up: nothing stays unmanaged or in error.
static void quiet_tidy(struct world *world)
{
	struct host *host = normal_host(world);
	const struct cluster *cluster;

	if (!host)
		return;
	cluster = node_cluster(host->node);
	tip_quiet(world, host);
	for (uint8_t i = 0; i < NODES_MAX; i++)
		if (cluster->nodes[i].used && !cluster->nodes[i].managed)
			request_named(world, host, ENTRY_NODE_MANAGE, cluster->nodes[i].def.name);
	for (uint8_t i = 0; i < NODES_MAX; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].maintenance)
			admin_drain(world, host, cluster->nodes[i].def.name, DRAIN_OFF,
				    rng_chance(&world->rng, 50));
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (!vm->used)
			continue;
		if (!vm->managed)
			request_named(world, host, ENTRY_VM_MANAGE,
				      vm_definition(cluster, vm)->name);
		if (vm->phase == VM_ERROR || (vm->phase == VM_IDLE && vm->failed_on))
			request_named(world, host, ENTRY_VM_CLEAR,
				      vm_definition(cluster, vm)->name);
	}
}

static uint32_t count_running(struct world *world, const struct uuid *uuid, uint32_t *where)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct proc *proc = host_proc_uuid(&world->hosts[i], uuid);

		if (!proc || !proc->writes)
			continue;
		*where = i;
		count++;
	}
	return count;
}

// For the message alone: what its owner's clusterd is doing about it.
static const char *local_word(const struct world *world, const struct cluster *cluster,
			      const struct vm *vm)
{
	const struct host *host;

	if (vm->owner >= NODES_MAX)
		return "no owner";
	host = &world->hosts[cluster->nodes[vm->owner].def.id - 1];
	return host->daemon ? vm_life_word((enum vm_life)host->node->locals[vm->ref.slot].life)
			    : "no clusterd";
}

// For the message alone: how far one end of it is.
static const char *end_word(const struct world *world, const struct cluster *cluster, uint8_t slot,
			    const struct vm *vm, char *text, size_t size)
{
	const struct host *host =
		slot < NODES_MAX ? &world->hosts[cluster->nodes[slot].def.id - 1] : NULL;
	const struct vm_local *local =
		host && host->daemon ? &host->node->locals[vm->ref.slot] : NULL;
	const struct local_move *place =
		local && local->move_at ? &host->node->moves[local->move_at - 1] : NULL;

	snprintf(text, size, "%s (%s, hold %u)",
		 !place			      ? "nothing"
		 : place->side == SIDE_SOURCE ? source_state_word(place->source.state)
		 : place->side == SIDE_TARGET ? target_state_word(place->target.state)
					      : save_state_word(place->save.state),
		 local ? vm_life_word((enum vm_life)local->life) : "",
		 local ? local->hold.state : 0);
	return text;
}

// For the message alone: where the move stands.
static void move_word(const struct world *world, const struct cluster *cluster, const struct vm *vm,
		      char *why, size_t size)
{
	char source[80], target[80];
	const struct move *move = cluster_move(cluster, vm->move);

	snprintf(why, size,
		 "the move of %s has not ended: %u, kind %u, stage %u, from slot %u to "
		 "%u%s%s%s%s%s%s; source %s, target %s: %s",
		 vm_definition(cluster, vm)->name, (unsigned int)vm->move, (unsigned int)move->kind,
		 (unsigned int)move->stage, (unsigned int)move->source, (unsigned int)move->target,
		 move->shared ? ", shared" : "", move->ready ? ", ready" : "",
		 move->source_gone ? ", source gone" : "", move->target_gone ? ", target gone" : "",
		 move->target_died ? " (died)" : "", move->cancelled ? ", cancelled" : "",
		 end_word(world, cluster, move->source, vm, source, sizeof(source)),
		 end_word(world, cluster, move->target, vm, target, sizeof(target)), move->reason);
}

static bool vm_settled(struct world *world, const struct cluster *cluster, const struct vm *vm,
		       char *why, size_t size)
{
	const struct vm_def *def = vm_definition(cluster, vm);
	uint32_t where = 0, count = count_running(world, &def->uuid, &where);
	bool wanted = vm->wanted == VM_WANTED_RUNNING;
	char words[REASON_SIZE];

	if (world->stats[STAT_FENCE_LIES] && vm->phase == VM_BLOCKED)
		return true; // reported by two nodes: an operator must look
	if (vm->move != 0) {
		move_word(world, cluster, vm, why, size);
		return false;
	}
	if (count != wanted) {
		node_vm_state(world->hosts[0].node, vm, words);
		snprintf(why, size,
			 "%s is wanted %s and runs on %u hosts (phase %u of owner slot %u, attempt "
			 "%u, there %s: %s)",
			 def->name, wanted ? "running" : "stopped", (unsigned int)count,
			 (unsigned int)vm->phase, (unsigned int)vm->owner,
			 (unsigned int)vm->attempt, local_word(world, cluster, vm), words);
		return false;
	}
	if (wanted && (vm->phase != VM_RUNNING || cluster->nodes[vm->owner].def.id != where + 1)) {
		snprintf(why, size, "%s runs on n%u and the cluster does not say so (phase %u: %s)",
			 def->name, (unsigned int)where + 1, (unsigned int)vm->phase, vm->reason);
		return false;
	}
	if (wanted && !lease_held_by(world, &world->hosts[where],
				     host_proc_uuid(&world->hosts[where], &def->uuid), true)) {
		snprintf(why, size, "%s runs on n%u, and its lease is not exclusive", def->name,
			 (unsigned int)where + 1);
		return false;
	}
	if (!wanted && vm->phase != VM_IDLE) {
		snprintf(why, size, "%s is wanted stopped, runs nowhere, and is in phase %u",
			 def->name, (unsigned int)vm->phase);
		return false;
	}
	return true;
}

bool world_settled(struct world *world, char *why, size_t size)
{
	const struct cluster *cluster;
	uint64_t number = 0;

	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct host *host = &world->hosts[i];
		const struct view *view;

		if (!host->daemon || host->paused) {
			snprintf(why, size, "%s is not up", host->name);
			return false;
		}
		view = node_view(host->node);
		if (!view_normal(view)) {
			snprintf(why, size, "%s has no normal view (state %u)", host->name,
				 (unsigned int)view_state(view));
			view_reason(view, why + strlen(why), size - strlen(why));
			return false;
		}
		if (number && view_number(view) != number) {
			snprintf(why, size, "%s is in view %llu, others in %llu", host->name,
				 (unsigned long long)view_number(view), (unsigned long long)number);
			return false;
		}
		number = view_number(view);
		if (view_learner(view)) {
			snprintf(why, size, "%s is still a learner", host->name);
			return false;
		}
	}
	cluster = node_cluster(world->hosts[0].node);
	if (cluster->vm_count == 0 && world->stats[STAT_ACCEPTED] == 0) {
		snprintf(why, size, "nothing is defined yet");
		return false;
	}
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used && cluster->nodes[i].life != NODE_ONLINE) {
			snprintf(why, size, "%s is in life %u: %s", cluster->nodes[i].def.name,
				 (unsigned int)cluster->nodes[i].life, cluster->nodes[i].reason);
			return false;
		}
	}
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used &&
		    !vm_settled(world, cluster, &cluster->vms[i], why, size))
			return false;
	return true;
}

bool seed_run(uint64_t seed, uint32_t hosts, uint32_t vms, FILE *trace, struct world **result)
{
	struct world_config config = config_of_seed(seed, hosts, vms);
	struct world *world = world_new(&config, seed, trace);
	char why[512] = "";
	uint64_t limit_us;
	bool settled = false;

	chaos_start(world);
	world_run(world, config.chaos_us + SECONDS(30));
	if (!world->failed)
		chaos_heal(world);
	limit_us = world->now_us + SECONDS(QUIET_LIMIT_S);
	while (!world->failed && !settled && world->now_us < limit_us) {
		quiet_tidy(world);
		world_run(world, world->now_us + SECONDS(SETTLE_EVERY_S));
		settled = !world->failed && world_settled(world, why, sizeof(why));
	}
	if (!world->failed && !settled)
		check_fail(world, NULL, "after %d s of quiet: %s", QUIET_LIMIT_S, why);
	*result = world;
	return !world->failed;
}
