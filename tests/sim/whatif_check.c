// SPDX-License-Identifier: Apache-2.0
/*
 * What `clustadm whatif node-loss` foretells against what a simulated cluster then does: hosts lose
 * their power, and every VM must end where it was foretold, or wait as foretold.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/whatif.h"
#include "tests/sim/world.h"

enum { WORLDS = 60 };

struct foretold {
	bool exists;
	enum whatif_fate fate;
	uint8_t to;
};

struct count {
	uint32_t worlds, moves, waits, stays, wrong;
};

static struct host *speaker(struct world *world, uint64_t gone)
{
	for (uint32_t i = 0; i < world->config.hosts; i++)
		if (!(gone >> i & 1) && world->hosts[i].daemon &&
		    view_normal(node_view(world->hosts[i].node)))
			return &world->hosts[i];
	return NULL;
}

static struct world *world_of(uint64_t seed)
{
	struct rng rng = { .state = seed };
	struct world_config config = {
		.hosts = (uint32_t)rng_between(&rng, 3, 6),
		.vms = (uint32_t)rng_between(&rng, 5, 24),
		.disks = (uint32_t)rng_between(&rng, 1, 2),
		.fences = (uint32_t)rng_next(&rng) & 0x3f,
		.watchdogs = (uint32_t)rng_next(&rng) & 0x3f,
		.io_timeout_s = 1,
		.detection_us = MS(2080),
		.no_quorum_hold_s = 60,
	};
	struct world *world = world_new(&config, seed, NULL);

	for (uint32_t i = 0; i < config.hosts; i++) {
		// Little memory, so that some VMs find no room.
		world->hosts[i].memory_mib = (uint32_t)rng_between(&rng, 6, 40) * 1024;
		host_power_on(world, &world->hosts[i]);
	}
	admin_bootstrap(world);
	world_run(world, SECONDS(120));
	return world;
}

static uint64_t choose_losses(struct world *world)
{
	uint64_t mask = 1ull << rng_below(&world->rng, world->config.hosts);

	if (world->config.hosts >= 5 && rng_chance(&world->rng, 40))
		mask |= 1ull << rng_below(&world->rng, world->config.hosts);
	return mask;
}

static void foretell(const struct world *world, const struct host *host, uint64_t losses,
		     struct foretold *foretold)
{
	const struct cluster *cluster = node_cluster(host->node);
	size_t size = cluster_encode(cluster, NULL, 0);
	uint8_t *snapshot = malloc(size);
	void *memory = calloc(1, whatif_memory(&cluster->limits));
	uint32_t present[NODES_MAX], count = 0;
	struct whatif whatif;
	uint64_t slots = 0;

	INVARIANT(snapshot && memory && cluster_encode(cluster, snapshot, size) == size);
	for (uint32_t i = 0; i < world->config.hosts; i++) {
		const struct cluster_node *node = cluster_find_node(cluster, world->hosts[i].name);

		if (view_synchronised(node_view(host->node), world->hosts[i].id))
			present[count++] = world->hosts[i].id;
		if (node && (losses >> i & 1))
			slots |= 1ull << node_slot(cluster, node);
	}
	INVARIANT(whatif_init(&whatif, &cluster->limits, memory, snapshot, size, present, count));
	whatif_lose(&whatif, slots);
	whatif_run(&whatif);
	for (uint32_t i = 0; i < whatif_cluster(&whatif)->vm_high; i++) {
		const struct vm *vm = &whatif_cluster(&whatif)->vms[i];
		struct whatif_outcome outcome;

		foretold[i].exists = vm->used;
		if (!vm->used)
			continue;
		whatif_outcome(&whatif, vm, &outcome);
		foretold[i].fate = outcome.fate;
		foretold[i].to = outcome.to;
	}
	free(memory);
	free(snapshot);
}

// Of two lost nodes either may be fenced first, and its VMs then have the first choice: only that
// they run is foretold.
static bool came_true(uint64_t present, const struct vm *vm, const struct foretold *foretold,
		      bool one)
{
	bool runs = vm->phase == VM_RUNNING && vm->owner < NODES_MAX && (present >> vm->owner & 1);

	if (foretold->fate == WHATIF_WAITS)
		return !runs;
	if (foretold->fate == WHATIF_STAYS && foretold->to == SLOT_NONE)
		return !runs;
	return runs && (vm->owner == foretold->to || (!one && foretold->fate == WHATIF_MOVES));
}

static void compare(struct world *world, const struct host *host, const struct foretold *foretold,
		    uint64_t losses, struct count *count)
{
	const struct cluster *cluster = node_cluster(host->node);
	uint64_t present = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		if (cluster->nodes[slot].used &&
		    view_synchronised(node_view(host->node), cluster->nodes[slot].def.id))
			present |= 1ull << slot;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (!vm->used || !foretold[i].exists)
			continue;
		count->moves += foretold[i].fate == WHATIF_MOVES;
		count->waits += foretold[i].fate == WHATIF_WAITS;
		count->stays += foretold[i].fate == WHATIF_STAYS;
		if (came_true(present, vm, &foretold[i], (losses & (losses - 1)) == 0))
			continue;
		count->wrong++;
		printf("seed %llu, losing %#llx: vm %s was foretold to be %s (%s), and is on %s, "
		       "phase %u: %s\n",
		       (unsigned long long)world->seed, (unsigned long long)losses,
		       vm_definition(cluster, vm)->name, whatif_fate_word(foretold[i].fate),
		       foretold[i].to < NODES_MAX ? cluster->nodes[foretold[i].to].def.name
						  : "nowhere",
		       vm->owner < NODES_MAX ? cluster->nodes[vm->owner].def.name : "nowhere",
		       vm->phase, vm->reason);
	}
}

static void world_try(uint64_t seed, struct count *count)
{
	struct foretold foretold[SIM_VMS_MAX] = { 0 };
	struct world *world = world_of(seed);
	uint64_t losses = choose_losses(world);
	struct host *host = speaker(world, losses);

	if (!world->failed && host) {
		foretell(world, host, losses, foretold);
		for (uint32_t i = 0; i < world->config.hosts; i++)
			if (losses >> i & 1)
				host_power_off(world, &world->hosts[i], "to be compared");
		world_run(world, world->now_us + SECONDS(200));
		host = speaker(world, losses);
	}
	if (world->failed || !host) {
		printf("seed %llu: %s\n", (unsigned long long)seed,
		       world->failed ? world->failure : "no view");
		count->wrong++;
	} else {
		count->worlds++;
		compare(world, host, foretold, losses, count);
	}
	world_free(world);
}

int main(int argc, char **argv)
{
	uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, worlds = argc > 1 ? 1 : WORLDS;
	struct count count = { 0 };

	for (uint64_t seed = from; seed < from + worlds; seed++)
		world_try(seed, &count);
	printf("%u worlds: %u VMs moved, %u waited and %u stayed as foretold; %u did not\n",
	       count.worlds, count.moves, count.waits, count.stays, count.wrong);
	return count.wrong != 0 || count.moves == 0;
}
