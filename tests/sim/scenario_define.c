// SPDX-License-Identifier: Apache-2.0
/*
 * The scenario in the product's own terms: definitions as an applied document has them, and
 *requests as clustadm sends them. What has no word of its own there is said with what the product
 *has:
 *
 *	home			a preferred owner, where no others are named
 *	capacity of a node	what its memory reserve leaves; without hard capacity, more than
 *enough quorum "given"		further nodes that only vote: all of their memory is reserved
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/scenario.h"

enum { PLENTY_MIB = SCENARIO_PLENTY_MIB, DETECTION_MS = 3300, HOLD_S = 60 };

static bool is_word(const char *name)
{
	for (const char *at = name; *at; at++) {
		bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			      (*at >= '0' && *at <= '9');

		if (!letter && (at == name || !strchr("._-", *at)))
			return false;
	}
	return *name != 0;
}

static void node_word(const struct run *run, uint32_t node, char *buf)
{
	if (node >= run->scenario->node_count)
		snprintf(buf, NAME_SIZE, "voter-%u",
			 (unsigned int)(node - run->scenario->node_count + 1));
	else if (is_word(run->scenario->nodes[node].name))
		snprintf(buf, NAME_SIZE, "%s", run->scenario->nodes[node].name);
	else
		snprintf(buf, NAME_SIZE, "scenario-node-%02u", (unsigned int)node + 1);
}

static void vm_word(const struct run *run, uint32_t vm, char *buf)
{
	if (is_word(run->scenario->vms[vm].name))
		snprintf(buf, NAME_SIZE, "%s", run->scenario->vms[vm].name);
	else
		snprintf(buf, NAME_SIZE, "scenario-vm-%02u", (unsigned int)vm + 1);
}

static struct uuid vm_uuid(uint32_t vm)
{
	return (struct uuid){ { 0x5c, 0xe0, 0xa1, 0x10, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0,
				(uint8_t)(vm >> 8), 1, (uint8_t)vm } };
}

const struct vm *run_vm(struct run *run, const struct cluster *cluster, uint32_t vm)
{
	struct uuid uuid = vm_uuid(vm);

	(void)run;
	return cluster_find_vm_uuid(cluster, &uuid);
}

// A vm without a size takes the least that can be defined: the scale makes that nothing.
uint32_t scenario_memory_scale(const struct scenario *s)
{
	uint32_t scale = s->vm_count > SIM_VMS_MAX ? s->vm_count : SIM_VMS_MAX;
	bool sized = true;

	for (uint32_t i = 0; i < s->vm_count; i++) {
		if (s->vms[i].memory_mib > PLENTY_MIB / scale)
			return 1;
		sized = sized && s->vms[i].memory_mib > 0;
	}
	if (sized)
		return 1;
	for (uint32_t i = 0; i < s->node_count; i++)
		if (s->nodes[i].memory_mib > PLENTY_MIB / scale - 1)
			return 1;
	return scale;
}

uint64_t scenario_memory(const struct scenario *s, uint32_t node)
{
	uint32_t scale = scenario_memory_scale(s);

	return s->nodes[node].memory_mib * scale + scale - 1;
}

// What a node of the scenario does not have of its host's is reserved.
static uint32_t memory_reserve(const struct run *run, uint32_t node)
{
	const struct scenario *s = run->scenario;
	uint64_t memory = run->world->hosts[node].memory_mib;

	if (node >= s->node_count)
		return PLENTY_MIB;
	if (!s->memory_counts || s->nodes[node].memory_mib == 0 ||
	    scenario_memory(s, node) >= memory)
		return 0;
	return (uint32_t)(memory - scenario_memory(s, node));
}

struct world_config scenario_config(const struct run *run)
{
	const struct scenario *s = run->scenario;
	uint64_t all = NODE_BITS(run->hosts);
	bool device = s->fencing == FENCING_DEVICE || s->fencing == FENCING_ANY;

	return (struct world_config){
		.hosts = run->hosts,
		.vms = s->vm_count,
		.disks = 1,
		.watchdogs = s->fencing == FENCING_SELF || s->fencing == FENCING_LEASE ? all : 0,
		.fences = device ? all : 0,
		.io_timeout_s = s->io_timeout_s,
		.detection_us = MS(DETECTION_MS),
		.no_quorum_hold_s = HOLD_S,
		.no_quorum = s->no_quorum,
		.story = true,
	};
}

static void define_node(const struct run *run, struct node_def *def, uint32_t i, bool real)
{
	const struct host *host = &run->world->hosts[i];
	char name[NAME_SIZE];

	node_word(run, i, name);
	memcpy(def->name, name, sizeof(def->name));
	def->id = host->id;
	if (real || i >= run->scenario->node_count)
		def->memory_reserve_mib = memory_reserve(run, i);
	if (real && i < run->scenario->node_count) {
		const struct scenario_node *node = &run->scenario->nodes[i];

		def->attribute_count = node->attribute_count;
		memcpy(def->attributes, node->attributes, sizeof(def->attributes));
		def->health = node->health;
	}
	if (!host->fence_present)
		return;
	def->fence_count = run->fence_devices;
	for (uint32_t d = 0; d < def->fence_count; d++) {
		snprintf(def->fences[d].agent, sizeof(def->fences[d].agent), "fence_sim");
		snprintf(def->fences[d].options, sizeof(def->fences[d].options),
			 "plug=%s\nbank=%u\n", name, (unsigned int)d);
	}
}

struct document {
	struct definitions defs;
	struct cluster_def cluster;
	struct node_def nodes[HOSTS_MAX];
	struct volume_def volume;
	struct vm_def vms[WORLD_VMS_MAX];
	struct owner_def owners[WORLD_VMS_MAX * HOSTS_MAX * 2];
	struct uuid proposed[WORLD_VMS_MAX];
	struct rule_def rules[RULES_MAX];
	struct pro_def balance;
};

static void add_owners(const struct run *run, struct document *document, uint64_t mask,
		       uint32_t tier)
{
	for (uint32_t i = 0; i < run->scenario->node_count; i++) {
		struct owner_def *owner = &document->owners[document->defs.owner_count];

		if (!(mask >> i & 1))
			continue;
		node_word(run, i, owner->node);
		owner->vm = document->defs.vm_count;
		owner->tier = tier;
		document->defs.owner_count++;
	}
}

// A node stands in its best tier alone, and only if it may be used at all.
static void add_tiers(const struct run *run, struct document *document,
		      const struct scenario_vm *vm)
{
	uint64_t left = vm->possible ? vm->possible : UINT64_MAX;
	uint32_t tier = 1;
	uint8_t home = run->scenario->spread ? NAME_NONE : vm->home;

	for (uint32_t i = 0; i < vm->tier_count; i++) {
		if (!(vm->tiers[i] & left))
			continue;
		add_owners(run, document, vm->tiers[i] & left, tier++);
		left &= ~vm->tiers[i];
	}
	if (run->scenario->evens &&
	    (run->vms[vm - run->scenario->vms].begun || scenario_starts(vm)))
		home = NAME_NONE;
	if (vm->tier_count == 0 && home != NAME_NONE)
		add_owners(run, document, left & NODE_BIT(home), 1);
}

static uint8_t wanted_word(const struct scenario *s, const struct scenario_vm *vm)
{
	if (s->global_stop && vm->want == WANT_RUNNING)
		return VM_WANTED_STOPPED;
	if (vm->want == WANT_RUNNING && vm->state == VM_AT_FAILED &&
	    vm->on_failure == ON_FAILURE_STOP)
		return VM_WANTED_STOPPED; // since it failed
	switch ((enum scenario_want)vm->want) {
	case WANT_RUNNING:
		return VM_WANTED_RUNNING;
	case WANT_STOPPED:
		return VM_WANTED_STOPPED;
	case WANT_DISABLED:
		return VM_WANTED_DISABLED;
	case WANT_UNMANAGED:
		return vm->on ? VM_WANTED_RUNNING : VM_WANTED_STOPPED;
	case WANT_COUNT:
		break;
	}
	return VM_WANTED_RUNNING;
}

bool scenario_starts(const struct scenario_vm *vm)
{
	switch ((enum scenario_vm_state)vm->state) {
	case VM_AT_RUNNING:
	case VM_AT_FAILED:
	case VM_AT_BLOCKED:
	case VM_AT_DOUBLE:
	case VM_AT_ERROR:
	case VM_AT_MIGRATING:
		return true;
	case VM_AT_UNMANAGED:
		return vm->on != 0;
	case VM_AT_STOPPED:
	case VM_AT_WAITING:
	case VM_AT_COUNT:
		break;
	}
	return false;
}

static void define_vm(const struct run *run, struct document *document, uint32_t number, bool real)
{
	const struct scenario_vm *vm = &run->scenario->vms[number];
	struct vm_def *def = &document->vms[document->defs.vm_count];
	uint64_t memory_mib = vm->memory_mib * scenario_memory_scale(run->scenario);
	bool pinned = !real && run->pinned[number] > 0;

	vm_word(run, number, def->name);
	def->uuid = vm_uuid(number);
	def->cpus = 1;
	if (run->scenario->cpus_count && vm->cpus > 0)
		def->cpus = (uint32_t)vm->cpus * SCENARIO_CPU_SCALE;
	def->memory_mib = 1;
	if (run->scenario->memory_counts && memory_mib > 0)
		def->memory_mib = (uint32_t)memory_mib;
	def->disk_count = 1;
	snprintf(def->disks[0].volume, sizeof(def->disks[0].volume), "d0");
	snprintf(def->disks[0].path, sizeof(def->disks[0].path), "vms/%u.raw",
		 (unsigned int)number);
	def->wanted_given = true;
	def->wanted = real ? wanted_word(run->scenario, vm) : VM_WANTED_RUNNING;
	def->on_drain = vm->live ? ON_DRAIN_MIGRATE : ON_DRAIN_COLD;
	def->priority = vm->priority;
	def->restarts_max = vm->restarts_max;
	def->relocations_max = vm->relocations_max;
	def->forget_s = vm->forget_s;
	def->on_failure = vm->on_failure;
	def->on_stop_failure = vm->on_stop_failure;
	def->on_double_run = vm->on_double_run;
	def->stickiness = vm->stickiness;
	def->failback = vm->failback && vm->tier_count > 0 ? FAILBACK_IMMEDIATE : FAILBACK_NEVER;
	def->stop_timeout_s = vm->stop_timeout_s;
	def->max_pause_ms = 1000;
	// Too big for any host: it waits, and its lease is written meanwhile, as it is for one that
	// ran before.
	if (!real && !scenario_starts(vm) && !pinned)
		def->memory_mib = 2 * PLENTY_MIB;
	if (!real && vm->state == VM_AT_ERROR)
		def->restarts_max = def->relocations_max = 0;
	if (!real) {
		def->on_failure = ON_FAILURE_RESTART;
		def->on_stop_failure = ON_STOP_FAILURE_BLOCK;
	}
	if (pinned && vm->threshold == 0)
		def->restarts_max = 100;
	if (real)
		add_owners(run, document, vm->possible, 0);
	else if (pinned)
		add_owners(run, document, NODE_BIT(run->pinned[number] - 1), run->widened);
	else
		add_owners(run, document,
			   (vm->on & ~(vm->on - 1)) |
				   (vm->state == VM_AT_MIGRATING && run->moving ? NODE_BIT(vm->to)
										: 0),
			   0);
	if (real)
		add_tiers(run, document, vm);
	else if (vm->state == VM_AT_MIGRATING && !pinned)
		add_owners(run, document, vm->on, 1);
	document->proposed[document->defs.vm_count] = def->uuid;
	document->defs.vm_count++;
}

bool run_request(struct run *run, struct entry *entry, uint64_t *cookie)
{
	struct host *host = run_speaker(run);

	for (uint32_t i = 0; i < run->hosts && !host; i++)
		if (run->world->hosts[i].daemon && !run->world->hosts[i].paused)
			host = &run->world->hosts[i];
	if (!host || !admin_request(run->world, host, entry))
		return false;
	run->asked = (uint8_t)host->index;
	*cookie = run->world->next_cookie;
	return true;
}

static struct document *document_new(void)
{
	struct document *document = calloc(1, sizeof(*document));

	INVARIANT(document);
	document->defs.nodes = document->nodes;
	document->defs.volumes = &document->volume;
	document->defs.vms = document->vms;
	document->defs.owners = document->owners;
	document->defs.rules = document->rules;
	document->defs.pros = &document->balance;
	return document;
}

static bool document_send(struct run *run, struct document *document, uint64_t *cookie)
{
	enum { SIZE = ENTRY_SIZE_MAX };
	struct entry *entry = calloc(1, sizeof(*entry));
	uint8_t *body = malloc(SIZE);
	bool sent;

	INVARIANT(entry && body);
	entry->type = ENTRY_APPLY;
	entry->body = body;
	entry->body_size = definitions_encode(&document->defs, document->proposed, body, SIZE);
	INVARIANT(entry->body_size > 0);
	sent = run_request(run, entry, cookie);
	free(body);
	free(entry);
	free(document);
	return sent;
}

static void define_rule(const struct run *run, struct rule_def *def,
			const struct scenario_rule *rule)
{
	snprintf(def->name, sizeof(def->name), "%s", rule->name);
	def->kind = rule->kind;
	def->strict = rule->strict;
	def->enabled = true;
	def->symmetric = rule->symmetric;
	def->weight = rule->weight;
	def->at_once = 1;
	memcpy(def->attribute, rule->attribute, sizeof(def->attribute));
	for (uint32_t i = 0; i < rule->member_count; i++) {
		vm_word(run, rule->members[i].vm, def->members[i].name);
		def->members[i].role = rule->members[i].role;
	}
	def->member_count = rule->member_count;
}

// In the format the more important ones run where not all can.
static bool priorities_differ(const struct scenario *s)
{
	for (uint32_t i = 1; i < s->vm_count; i++)
		if (s->vms[i].priority != s->vms[0].priority)
			return s->memory_counts;
	return false;
}

uint32_t scenario_balance_rest_s(const struct scenario *scenario)
{
	enum { REST_S = 60, COPYING_REST_S = 600 };
	uint32_t rest_s = scenario->memory_counts ? COPYING_REST_S : REST_S;

	return rest_s > scenario->balance_hold_s ? rest_s : scenario->balance_hold_s;
}

// One VM after another, or as many as have to be together.
static void define_balance(const struct scenario *s, struct pro_def *def)
{
	*def = pro_defaults();
	snprintf(def->name, sizeof(def->name), "balance");
	def->mode = PRO_AUTOMATIC;
	def->subject = PRO_CLUSTER;
	def->measure = PRO_IMBALANCE;
	def->threshold = def->clear = s->imbalance;
	def->hold_s = s->balance_hold_s;
	def->action = PRO_BALANCE;
	def->min_gain = s->balance_gain;
	def->rest_s = scenario_balance_rest_s(s);
	def->budget = POLICY_BUDGET_MAX;
	def->at_once = def->moves = 1;
	for (uint32_t i = 0; i < s->rule_count; i++)
		if (s->rules[i].kind == RULE_TOGETHER && s->rules[i].member_count > def->moves)
			def->moves = s->rules[i].member_count;
	if (def->moves > TIP_MOVES_MAX)
		def->moves = TIP_MOVES_MAX;
}

bool run_apply(struct run *run, bool real)
{
	struct document *document = document_new();
	struct cluster_def *def = &document->defs.cluster;

	document->defs.cluster_given = true;
	snprintf(def->name, sizeof(def->name), "scenario");
	snprintf(def->root, sizeof(def->root), "/clusterstorage");
	def->no_quorum = run->world->config.no_quorum;
	def->no_quorum_hold_s = run->world->config.no_quorum_hold_s;
	def->migration.bandwidth_percent = 50;
	def->migration.moves_out_max = def->migration.moves_in_max = 2;
	def->io_timeout_s = run->world->config.io_timeout_s;
	def->policies.placement = run->scenario->placement;
	def->policies.cpu_overcommit = run->scenario->cpus_count ? 100 : 10000;
	def->policies.displace = real && priorities_differ(run->scenario);
	// What ran where a node is off when the story begins is bound to it.
	def->policies.shutdown = real ? run->scenario->shutdown : SHUTDOWN_FREEZE;
	def->policies.health = run->scenario->health;
	def->policies.cpu_hard = real && run->scenario->cpus_count;
	document->defs.node_count = run->hosts;
	for (uint32_t i = 0; i < run->hosts; i++)
		define_node(run, &document->nodes[i], i, real);
	document->defs.volume_count = 1;
	snprintf(document->volume.name, sizeof(document->volume.name), "d0");
	snprintf(document->volume.source, sizeof(document->volume.source), "/shared/d0");
	for (uint32_t i = 0; i < run->scenario->vm_count; i++)
		if (run->scenario->vms[i].from_start)
			define_vm(run, document, i, real);
	for (uint32_t i = 0; real && i < run->scenario->rule_count; i++)
		define_rule(run, &document->rules[document->defs.rule_count++],
			    &run->scenario->rules[i]);
	if (real && run->scenario->balances) {
		define_balance(run->scenario, &document->balance);
		document->defs.pro_count = 1;
	}
	return document_send(run, document, &run->setup_cookie);
}

bool run_apply_vm(struct run *run, uint32_t vm, bool real, uint64_t *cookie)
{
	struct document *document = document_new();

	define_vm(run, document, vm, real);
	return document_send(run, document, cookie);
}

bool run_apply_node(struct run *run, uint32_t node, uint64_t *cookie)
{
	struct document *document = document_new();

	define_node(run, &document->nodes[document->defs.node_count++], node, true);
	return document_send(run, document, cookie);
}

void run_name_node(const struct run *run, struct entry *entry, uint32_t node)
{
	node_word(run, node, entry->name);
}

void run_name_vm(const struct run *run, struct entry *entry, uint32_t vm)
{
	vm_word(run, vm, entry->name);
}

// The newest replica of those that take part in a normal view.
struct host *run_speaker(struct run *run)
{
	struct host *best = NULL;

	for (uint32_t i = 0; i < run->hosts; i++) {
		struct host *host = &run->world->hosts[i];

		if (!host->daemon || host->paused || !view_normal(node_view(host->node)) ||
		    view_learner(node_view(host->node)))
			continue;
		if (!best || node_cluster(host->node)->index > node_cluster(best->node)->index)
			best = host;
	}
	return best;
}
