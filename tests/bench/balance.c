// SPDX-License-Identifier: Apache-2.0
/*
 * Plans for a cluster that is read from stdin, one line each:
 *
 *   node NAME MIB RESERVED-MIB CPUS
 *   vm NAME MIB CPUS NODE          NODE "-": it is to be placed
 *
 * `balance MOVES MEMORY CPUS VMS` prints the moves of a balance with these weights, `place NODE`
 * the homes of VMs after that node is lost; one line of JSON, with the CPU time that it took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/rule_index.h"
#include "clusterd/vm_index.h"
#include "policies/balance.h"

enum { VMS_MAX = 10000, RUNS = 5 };

static const struct cluster_limits limits = { .vms_max = VMS_MAX, .lease_slots_max = 16 };

static double clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void *room(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

static void add_node(struct cluster *cluster, const char *name, uint32_t mib, uint32_t reserved,
		     uint32_t cpus)
{
	struct cluster_node *node = &cluster->nodes[cluster->node_high++];

	node->used = node->managed = node->reported = true;
	node->life = NODE_ONLINE;
	node->fence_actor = SLOT_NONE;
	node->def.id = cluster->node_high;
	snprintf(node->def.name, NAME_SIZE, "%s", name);
	node->def.memory_reserve_mib = reserved;
	node->report.cpus = cpus;
	node->report.memory_mib = mib;
	node->report.qemu = true;
	node->report.volumes[0] = (struct node_volume){ .state = VOLUME_ONLINE, .joined = true };
}

static uint8_t node_named(const struct cluster *cluster, const char *name)
{
	for (uint8_t i = 0; i < cluster->node_high; i++)
		if (strcmp(cluster->nodes[i].def.name, name) == 0)
			return i;
	return SLOT_NONE;
}

static void add_vm(struct cluster *cluster, const char *name, uint32_t mib, uint32_t cpus,
		   const char *node)
{
	uint32_t slot = cluster->vm_high++;
	struct vm *vm = &cluster->vms[slot];
	struct vm_def *def = &cluster->defs[slot];

	snprintf(def->name, NAME_SIZE, "%s", name);
	memcpy(def->uuid.bytes, &slot, sizeof(slot));
	def->uuid.bytes[15] = 1;
	def->cpus = cpus;
	def->memory_mib = mib;
	def->disk_count = 1;
	snprintf(def->disks[0].volume, NAME_SIZE, "v1");
	snprintf(def->disks[0].path, PATH_SIZE, "vms/%u", slot);
	vm->used = vm->managed = true;
	vm->ref = (struct vm_ref){ .slot = slot, .serial = slot + 1 };
	vm->owner = vm->last_owner = node_named(cluster, node);
	vm->phase = vm->owner == SLOT_NONE ? VM_IDLE : VM_RUNNING;
	vm->wanted = VM_WANTED_RUNNING;
	vm->attempt = 1;
	vm->drained_from = SLOT_NONE;
	vm->lease_count = 1;
	vm->leases[0] = (struct vm_lease){ .life = LEASE_READY, .actor = SLOT_NONE };
}

static struct cluster *cluster_read(void)
{
	struct cluster *cluster = room(sizeof(*cluster));
	char line[256], name[NAME_SIZE], node[NAME_SIZE];

	cluster_init(cluster, &limits, room(cluster_memory(&limits)));
	cluster->def.policies =
		(struct policy_def){ .cpu_overcommit = 6400, .placement = PLACEMENT_CONFIGURED };
	cluster->volumes[0] = (struct cluster_volume){ .used = true, .prepared = true };
	cluster->volume_high = 1;
	snprintf(cluster->volumes[0].def.name, NAME_SIZE, "v1");
	while (fgets(line, sizeof(line), stdin)) {
		uint32_t mib, second, cpus;

		if (sscanf(line, "node %63s %u %u %u", name, &mib, &second, &cpus) == 4)
			add_node(cluster, name, mib, second, cpus);
		else if (sscanf(line, "vm %63s %u %u %63s", name, &mib, &cpus, node) == 4 &&
			 cluster->vm_high < VMS_MAX)
			add_vm(cluster, name, mib, cpus, node);
		else
			exit(2);
	}
	cluster->vm_count = cluster->vm_high;
	vm_index_rebuild(cluster);
	rule_index_rebuild(cluster);
	return cluster;
}

static const char *node_name(const struct cluster *cluster, uint8_t slot)
{
	return cluster->nodes[slot].def.name;
}

static void balance(const struct cluster *cluster, char **argv)
{
	struct balance_options options = { .moves_max = (uint32_t)atoi(argv[0]) };
	struct balance_plan *plan = room(sizeof(*plan));
	void *memory = room(balance_memory(&limits));
	double least = 0;

	for (uint32_t d = 0; d < BALANCE_DIMENSION_COUNT; d++)
		options.weights[d] = (uint32_t)atoi(argv[1 + d]);
	for (int run = 0; run < RUNS; run++) {
		double began = clock_ms(), took;

		balance_plan(cluster, UINT64_MAX, &options, memory, plan);
		took = clock_ms() - began;
		least = run == 0 || took < least ? took : least;
	}
	printf("{\"ms\": %.3f, \"before\": %u, \"after\": %u, \"stop\": %u, \"moves\": [", least,
	       plan->score_before, plan->score_after, plan->stop);
	for (uint32_t i = 0; i < plan->count; i++)
		printf("%s[\"%s\", \"%s\", \"%s\"]", i ? ", " : "",
		       vm_definition(cluster, &cluster->vms[plan->steps[i].vm.slot])->name,
		       node_name(cluster, plan->steps[i].from),
		       node_name(cluster, plan->steps[i].to));
	printf("]}\n");
}

static uint8_t homes[VMS_MAX];

static bool take_home(void *context, const struct vm *vm, uint8_t node)
{
	(void)context;
	homes[vm->ref.slot] = node;
	return node != SLOT_NONE;
}

static void place(struct cluster *cluster, const char *lost)
{
	uint8_t gone = node_named(cluster, lost);
	uint32_t *list = room(VMS_MAX * sizeof(*list)), count = 0;
	struct placement_load load;
	double began;

	if (gone == SLOT_NONE)
		exit(2);
	cluster->nodes[gone].life = NODE_EXPIRING;
	began = clock_ms();
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++)
		if (cluster->vms[slot].owner == gone)
			list[count++] = slot;
	placement_load_init(&load, cluster, ~(UINT64_C(1) << gone));
	placement_sort(cluster, list, count);
	placement_rounds(cluster, &load, list, count, count, take_home, NULL);
	began = clock_ms() - began;
	printf("{\"ms\": %.3f, \"homes\": {", began);
	count = 0;
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++)
		if (cluster->vms[slot].owner == gone && homes[slot] != SLOT_NONE)
			printf("%s\"%s\": \"%s\"", count++ ? ", " : "", cluster->defs[slot].name,
			       node_name(cluster, homes[slot]));
	printf("}}\n");
}

int main(int argc, char **argv)
{
	struct cluster *cluster = cluster_read();

	if (argc == 6 && strcmp(argv[1], "balance") == 0)
		balance(cluster, argv + 2);
	else if (argc == 3 && strcmp(argv[1], "place") == 0)
		place(cluster, argv[2]);
	else
		return 2;
	return 0;
}
