// SPDX-License-Identifier: Apache-2.0
/*
 * What policies cost: 64 nodes, 1,000 to 10,000 VMs, 30 rules. The decision about a lost node's
 * VMs, one VM's explanation, the proof that any one node may fail, and a whole round of balancing.
 * CPU time, the median of the runs; one line of JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/rule_index.h"
#include "clusterd/vm_index.h"
#include "policies/balance.h"
#include "policies/capacity.h"
#include "policies/mend.h"
#include "policies/placement.h"

enum { NODES = 64, RULES = 30, VMS_MAX = 10000, RUNS_MAX = 100, GIB_MIB = 1024 };

static double clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void fill_nodes(struct cluster *cluster)
{
	for (uint32_t i = 0; i < NODES; i++) {
		struct cluster_node *node = &cluster->nodes[i];

		node->used = node->managed = node->reported = true;
		node->life = NODE_ONLINE;
		node->fence_actor = SLOT_NONE;
		node->def.id = i + 1;
		snprintf(node->def.name, NAME_SIZE, "n%02u", i + 1);
		node->def.attribute_count = 1;
		snprintf(node->def.attributes[0].name, TAG_SIZE, "rack");
		snprintf(node->def.attributes[0].value, TAG_SIZE, "r%u", i / 8);
		node->report.cpus = 128;
		node->report.memory_mib = 256 * GIB_MIB;
		node->report.qemu = true;
		node->report.volumes[0] =
			(struct node_volume){ .state = VOLUME_ONLINE, .joined = true };
	}
	cluster->volumes[0] = (struct cluster_volume){ .used = true, .prepared = true };
	snprintf(cluster->volumes[0].def.name, NAME_SIZE, "v1");
}

static void fill_vm(struct cluster *cluster, uint32_t slot)
{
	struct vm *vm = &cluster->vms[slot];
	struct vm_def *def = &cluster->defs[slot];

	snprintf(def->name, NAME_SIZE, "vm%05u", slot);
	memcpy(def->uuid.bytes, &slot, sizeof(slot));
	def->uuid.bytes[15] = 1;
	def->cpus = 2;
	def->memory_mib = 1024;
	def->priority = (int32_t)(slot % 3);
	def->disk_count = 1;
	snprintf(def->disks[0].volume, NAME_SIZE, "v1");
	snprintf(def->disks[0].path, PATH_SIZE, "vms/%u", slot);
	if (slot % 50 < 6) {
		def->tag_count = 1;
		snprintf(def->tags[0], TAG_SIZE, "t%u", slot % 50);
	}
	vm->used = vm->managed = true;
	vm->ref = (struct vm_ref){ .slot = slot, .serial = slot + 1 };
	vm->phase = VM_RUNNING;
	vm->owner = (uint8_t)(slot % NODES);
	vm->last_owner = vm->owner;
	vm->wanted = VM_WANTED_RUNNING;
	vm->attempt = 1;
	vm->lease_count = 1;
	vm->leases[0] = (struct vm_lease){ .life = LEASE_READY, .actor = SLOT_NONE, .slot = slot };
}

static void add_member(struct rule_def *def, uint32_t vm)
{
	snprintf(def->members[def->member_count++].name, NAME_SIZE, "vm%05u", vm);
}

/*
 * An eighth of the nodes has much more than the others: VMs of four sizes, half as many again on
 * the busy ones. What a balance is for. The nodes are as large as the VMs need, so that each size
 * of the cluster is as uneven as the others.
 */
static void unbalance(struct cluster *cluster)
{
	uint64_t dice = 1;

	for (uint32_t i = 0; i < NODES; i++) {
		cluster->nodes[i].report.memory_mib = cluster->vm_high * 26;
		cluster->nodes[i].report.cpus = cluster->vm_high / 80;
	}
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		struct vm *vm = &cluster->vms[slot];

		dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		cluster->defs[slot].memory_mib = 256u << (dice >> 60 & 3);
		cluster->defs[slot].cpus = 1u << (dice >> 50 & 1);
		if (rules_of_vm(cluster, vm).as[ROLE_MEMBER] == 0 && (dice >> 40) % 16 == 0)
			vm->owner = (uint8_t)((dice >> 33) % (NODES / 8));
	}
}

// Of every kind that places are asked of: pairs by name, hundreds by tag.
static void fill_rules(struct cluster *cluster)
{
	static const uint8_t kinds[] = { RULE_APART, RULE_TOGETHER, RULE_APART, RULE_FOLLOW,
					 RULE_SPREAD };

	for (uint32_t i = 0; i < RULES; i++) {
		struct rule_def *def = &cluster->rules[i].def;

		cluster->rule_high = (uint8_t)(i + 1);
		cluster->rules[i].used = true;
		snprintf(def->name, NAME_SIZE, "r%02u", i);
		def->kind = kinds[i % 5];
		def->strict = i % 5 < 2;
		def->enabled = true;
		def->weight = 10 + i;
		def->at_once = 1;
		if (def->kind == RULE_SPREAD)
			snprintf(def->attribute, TAG_SIZE, "rack");
		if (i % 5 == 2 || i % 5 == 4) {
			def->member_count = 1;
			def->members[0].tag = true;
			snprintf(def->members[0].name, NAME_SIZE, "t%u", i / 5);
			continue;
		}
		// What is kept together is on one node, what is kept apart is not.
		add_member(def, i);
		add_member(def, def->kind == RULE_APART ? i + 1 : i + NODES);
		if (def->kind == RULE_FOLLOW)
			def->members[0].role = ROLE_LEADER;
	}
}

static struct cluster *cluster_make(uint32_t vms)
{
	const struct cluster_limits limits = { .vms_max = VMS_MAX, .lease_slots_max = VMS_MAX };
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	void *memory = calloc(1, cluster_memory(&limits));

	if (!cluster || !memory)
		abort();
	cluster_init(cluster, &limits, memory);
	fill_nodes(cluster);
	for (uint32_t slot = 0; slot < vms; slot++)
		fill_vm(cluster, slot);
	cluster->vm_count = cluster->vm_high = vms;
	cluster->node_high = NODES;
	fill_rules(cluster);
	vm_index_rebuild(cluster);
	rule_index_rebuild(cluster);
	return cluster;
}

static bool take_home(void *context, const struct vm *vm, uint8_t node)
{
	(void)context;
	(void)vm;
	return node != SLOT_NONE;
}

// As the coordinator decides it: node 0 is given up, its VMs ask for homes.
static uint32_t decide_loss(struct cluster *cluster, uint32_t *list)
{
	struct placement_load load;
	uint32_t count = 0, placed;

	cluster->nodes[0].life = NODE_EXPIRING;
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++)
		if (cluster->vms[slot].owner == 0)
			list[count++] = slot;
	placement_load_init(&load, cluster, ~UINT64_C(1));
	placement_sort(cluster, list, count);
	placed = count - placement_rounds(cluster, &load, list, count, count, take_home, NULL);
	cluster->nodes[0].life = NODE_ONLINE;
	return placed;
}

static void explain(const struct cluster *cluster, uint32_t slot)
{
	char reason[REASON_SIZE], fix[REASON_SIZE];
	struct placement_load load;
	struct placement_node row;

	placement_load_init(&load, cluster, ~UINT64_C(0));
	for (uint8_t node = 0; node < NODES; node++) {
		placement_judge(cluster, &load, &cluster->vms[slot], node, &row);
		for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
			placement_explain_check(cluster, &cluster->vms[slot], node, &row.checks[i],
						reason, fix);
	}
}

// What the coordinator looks at when nothing else is due: who must leave its node, or had rather
// be elsewhere; and where to, for as many as it asks at a time.
static uint32_t look_for_mends(const struct cluster *cluster)
{
	static struct placement_load load, after, scratch;
	uint32_t asks = 0;
	struct mend mend;

	placement_load_init(&load, cluster, ~UINT64_C(0));
	mend_load_init(&after, &load, cluster);
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++) {
		if (!mend_asks(cluster, &after, &cluster->vms[slot], 0, &mend))
			continue;
		if (asks++ < 64)
			mend_choose(cluster, &load, &scratch, ~UINT64_C(0), 0, &mend);
	}
	return asks;
}

// The whole round: from the state to a plan that leaves nothing to be gained.
static double balance(const struct cluster *cluster, struct balance_plan *plan)
{
	const struct balance_options options = { .move_cost = 200000 / cluster->vm_high };
	void *memory = malloc(balance_memory(&cluster->limits));
	double began;

	if (!memory)
		abort();
	began = clock_ms();
	balance_plan(cluster, UINT64_MAX, &options, memory, plan);
	began = clock_ms() - began;
	free(memory);
	return began;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), ascending);
	return values[count / 2];
}

static void bench_size(uint32_t vms, int runs, const char *comma)
{
	static double loss[RUNS_MAX], look[RUNS_MAX], one[RUNS_MAX], proof[RUNS_MAX],
		round[RUNS_MAX];
	static struct balance_plan plan;
	struct cluster *cluster = cluster_make(vms);
	uint32_t *list = calloc(VMS_MAX, sizeof(*list)), placed = 0, asks = 0;
	struct capacity_answer answer = { 0 };

	if (!list)
		abort();
	for (int i = 0; i < runs; i++) {
		double began = clock_ms();

		placed = decide_loss(cluster, list);
		loss[i] = clock_ms() - began;
		began = clock_ms();
		asks = look_for_mends(cluster);
		look[i] = clock_ms() - began;
		began = clock_ms();
		explain(cluster, (uint32_t)i % vms);
		one[i] = clock_ms() - began;
		began = clock_ms();
		capacity_prove(cluster, ~UINT64_C(0), 1, list, &answer);
		proof[i] = clock_ms() - began;
	}
	unbalance(cluster);
	for (int i = 0; i < runs; i++)
		round[i] = balance(cluster, &plan);
	printf("%s{\"vms\": %u, \"displaced\": %u, \"loss_ms\": %.2f, \"mend_ms\": %.2f, "
	       "\"mend_asks\": %u, \"explain_ms\": %.3f, "
	       "\"proof_ms\": %.1f, \"tolerates\": %s, \"tried\": %u, \"balance_ms\": %.1f, "
	       "\"moves\": %u, \"score_before\": %u, \"score_after\": %u}",
	       comma, vms, placed, median(loss, runs), median(look, runs), asks, median(one, runs),
	       median(proof, runs), answer.tolerates ? "true" : "false", answer.tried,
	       median(round, runs), plan.count, plan.score_before, plan.score_after);
	free(cluster->vms);
	free(cluster);
	free(list);
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 5;

	if (runs < 1 || runs > RUNS_MAX)
		return 2;
	printf("{\"nodes\": %d, \"rules\": %d, \"sizes\": [", NODES, RULES);
	bench_size(1000, runs, "");
	bench_size(3000, runs, ", ");
	bench_size(10000, runs, ", ");
	printf("]}\n");
	return 0;
}
