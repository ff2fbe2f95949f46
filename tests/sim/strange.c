// SPDX-License-Identifier: Apache-2.0
/*
 * Entries that nobody should have sent, over replicas as they are in the middle of troubles: of
 * nodes and VMs that are gone, of attempts that are over, of another view, garbled. Each is applied
 * to a copy. Whatever is refused changes nothing and says why; whatever is accepted leaves a
 * replica that a snapshot carries.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/world.h"

enum { ENTRIES = 40, BODY_SIZE = 4096, WIRE_SIZE = 64 * 1024 };

struct strange {
	struct world *world;
	struct host *host;
	struct rng *rng;
	struct cluster *copy, *again;
	void *memory[2];
	uint8_t *snapshot, *wire;
	size_t size; // of `snapshot`
	struct entry *entry, *decoded;
	uint8_t body[BODY_SIZE];
};

static uint32_t below(struct strange *s, uint32_t bound)
{
	return (uint32_t)rng_below(s->rng, bound);
}

static uint8_t any_slot(struct strange *s)
{
	return rng_chance(s->rng, 15) ? SLOT_NONE : (uint8_t)below(s, s->copy->node_high + 1u);
}

// One that is being moved rather than another.
static const struct vm *any_vm(struct strange *s)
{
	uint32_t slot = below(s, s->copy->vm_high + 1u);

	for (uint32_t i = 0; i < s->copy->vm_high && rng_chance(s->rng, 90); i++)
		if (s->copy->vms[i].used && s->copy->vms[i].move != 0)
			return &s->copy->vms[i];

	return slot < s->copy->vm_high && s->copy->vms[slot].used ? &s->copy->vms[slot] : NULL;
}

static const struct cluster_node *any_node(struct strange *s)
{
	uint8_t slot = any_slot(s);

	return slot < s->copy->node_high && s->copy->nodes[slot].used ? &s->copy->nodes[slot]
								      : NULL;
}

static void any_name(struct strange *s, const struct vm *vm, const struct cluster_node *node)
{
	const char *name = "nobody";

	if (vm && rng_chance(s->rng, 60))
		name = vm_definition(s->copy, vm)->name;
	else if (node && rng_chance(s->rng, 80))
		name = node->def.name;
	snprintf(s->entry->name, sizeof(s->entry->name), "%s", name);
}

static void any_voters(struct strange *s)
{
	struct voters *voters = &s->entry->voters;

	*voters = s->copy->voters;
	if (rng_chance(s->rng, 50) && voters->count > 0)
		voters->count--;
	else if (rng_chance(s->rng, 50) && voters->count > 0)
		voters->list[below(s, voters->count)].store++;
	else if (rng_chance(s->rng, 20))
		voters->count = 0;
}

static void any_tip(struct strange *s)
{
	const struct tip *known = cluster_tip(s->copy, s->copy->next_tip - 1);
	struct tip tip = known ? *known : (struct tip){ .before = 10 };

	s->entry->tip = s->copy->next_tip - below(s, 3);
	s->entry->tip_at = (uint8_t)below(s, TIP_MOVES_MAX);
	s->entry->tip_state = (uint8_t)below(s, TIP_STATE_COUNT);
	s->entry->tip_verdict = (uint8_t)below(s, TIP_VERDICT_COUNT);
	s->entry->measured = below(s, 100);
	tip.id = s->entry->tip;
	tip.subject = (uint8_t)below(s, PRO_SUBJECT_COUNT);
	tip.severity = (uint8_t)below(s, PRO_SEVERITY_COUNT);
	tip.action = (uint8_t)below(s, PRO_ACTION_COUNT);
	tip.node = any_slot(s);
	tip.vm = s->entry->vm;
	s->entry->body_size = tip_encode(&tip, s->body, sizeof(s->body));
	s->entry->body = s->body;
}

static void any_place(struct strange *s, const struct vm *vm)
{
	struct place place = { .vm = s->entry->vm,
			       .owner = any_slot(s),
			       .attempt = s->entry->attempt,
			       .phase = VM_PLACED };

	if (place.owner == SLOT_NONE)
		place.phase = rng_chance(s->rng, 50) ? VM_IDLE : VM_ERROR;
	if (vm)
		place.attempt = vm->attempt;
	s->entry->places_size = place_encode(&place, s->body, sizeof(s->body));
	s->entry->places = s->body;
	s->entry->place_count = 1;
}

static void any_move(struct strange *s, const struct vm *vm)
{
	struct entry *entry = s->entry;

	entry->move = vm && vm->move && rng_chance(s->rng, 70) ? vm->move : below(s, 5);
	entry->move_kind = (uint8_t)below(s, MOVE_KIND_COUNT);
	entry->move_cause = (uint8_t)below(s, MOVE_CAUSE_COUNT);
	entry->move_outcome = (uint8_t)(1 + below(s, MOVE_OUTCOME_COUNT - 1));
	entry->move_report = (uint8_t)(1 + below(s, MOVE_REPORT_COUNT - 1));
	entry->drain_verb = (uint8_t)below(s, DRAIN_VERB_COUNT);
	entry->drain_state = (uint8_t)below(s, DRAIN_STATE_COUNT);
	entry->until_ms = below(s, 2);
	entry->drain_stop = rng_chance(s->rng, 50);
	entry->numbers.pause_us = below(s, 100000);
}

static void draw(struct strange *s)
{
	const struct vm *vm = any_vm(s);
	const struct cluster_node *node = any_node(s);
	struct entry *entry = s->entry;

	memset(entry, 0, sizeof(*entry));
	entry->type = (uint8_t)(1 + below(s, ENTRY_TYPE_COUNT - 1));
	if (vm && vm->move && rng_chance(s->rng, 60))
		entry->type = rng_chance(s->rng, 50) ? ENTRY_VM_REPORT : ENTRY_MOVE_REPORT;
	entry->view = rng_chance(s->rng, 95) ? s->copy->view : s->copy->view + 1;
	entry->at_ms = 1000;
	entry->node_id = node ? node->def.id : 99;
	entry->from = rng_chance(s->rng, 70) ? entry->node_id : below(s, 9);
	entry->vm.slot = below(s, SIM_VMS_MAX + 1);
	if (vm)
		entry->vm = vm->ref;
	entry->attempt = node ? node->fence_attempt : below(s, 3);
	if (vm && rng_chance(s->rng, 60))
		entry->attempt = vm->attempt;
	entry->attempt += rng_chance(s->rng, 15);
	entry->object = (uint8_t)(1 + below(s, OBJECT_KIND_COUNT - 1));
	entry->wanted = (uint8_t)below(s, VM_WANTED_COUNT);
	entry->flag = rng_chance(s->rng, 50);
	entry->vm_report = (uint8_t)(1 + below(s, VM_REPORT_COUNT - 1));
	entry->cpu_known = rng_chance(s->rng, 50);
	entry->volume = (uint8_t)below(s, 3);
	entry->lease_slot = vm && vm->lease_count ? vm->leases[0].slot : below(s, 4);
	entry->actor = any_slot(s);
	entry->device = (uint8_t)below(s, 3);
	entry->burn = rng_chance(s->rng, 20);
	snprintf(entry->reason, sizeof(entry->reason), "it is strange");
	any_name(s, vm, node);
	any_voters(s);
	any_move(s, vm);
	if (entry->type == ENTRY_PLACE)
		any_place(s, vm);
	else
		any_tip(s);
	if (node && rng_chance(s->rng, 80))
		entry->report = node->report;
}

// What a snapshot carries is the same replica.
static void check_carried(struct strange *s)
{
	size_t size = cluster_encode(s->copy, NULL, 0);

	if (size > s->size) {
		s->snapshot = realloc(s->snapshot, size);
		s->size = size;
		INVARIANT(s->snapshot);
	}
	INVARIANT(cluster_encode(s->copy, s->snapshot, s->size) == size);
	memset(s->memory[1], 0, cluster_memory(&s->copy->limits));
	cluster_init(s->again, &s->copy->limits, s->memory[1]);
	if (!cluster_decode(s->again, s->snapshot, size) ||
	    cluster_digest(s->again) != cluster_digest(s->copy))
		check_fail(s->world, s->host, "entry of type %u leaves what no snapshot carries",
			   (unsigned int)s->entry->type);
	size = below(s, (uint32_t)size);
	cluster_init(s->again, &s->copy->limits, s->memory[1]);
	if (cluster_decode(s->again, s->snapshot, size))
		check_fail(s->world, s->host, "a snapshot without its end is taken");
}

static void try_one(struct strange *s)
{
	uint64_t digest = cluster_digest(s->copy), index = s->copy->index;
	struct entry_result result;
	size_t size;
	char line[256];

	draw(s);
	size = entry_encode(s->entry, s->wire, WIRE_SIZE);
	INVARIANT(size > 0);
	if (rng_chance(s->rng, 15))
		s->wire[below(s, (uint32_t)size)] ^= (uint8_t)(1 + below(s, 255));
	if (rng_chance(s->rng, 5))
		size = below(s, (uint32_t)size);
	if (!entry_decode(s->decoded, s->wire, size))
		return;
	entry_describe(s->copy, s->decoded, line, sizeof(line));
	cluster_apply(s->copy, index, s->decoded, &result);
	s->world->stats[STAT_STRANGE]++;
	if (result.accepted)
		check_carried(s);
	else if (cluster_digest(s->copy) != digest)
		check_fail(s->world, s->host, "entry of type %u is refused and changes something",
			   (unsigned int)s->decoded->type);
	else if (!result.code[0] || !result.reason[0])
		check_fail(s->world, s->host, "entry of type %u is refused without a reason",
			   (unsigned int)s->decoded->type);
}

void strange_entries(struct world *world, struct host *host, struct rng *rng)
{
	const struct cluster *cluster = node_cluster(host->node);
	struct strange *s = calloc(1, sizeof(*s));

	INVARIANT(s);
	s->world = world;
	s->host = host;
	s->rng = rng;
	s->copy = calloc(1, sizeof(*s->copy));
	s->again = calloc(1, sizeof(*s->again));
	s->memory[0] = calloc(1, cluster_memory(&cluster->limits));
	s->memory[1] = calloc(1, cluster_memory(&cluster->limits));
	s->size = cluster_encode(cluster, NULL, 0);
	s->snapshot = malloc(s->size);
	s->wire = malloc(WIRE_SIZE);
	s->entry = malloc(sizeof(*s->entry));
	s->decoded = calloc(1, sizeof(*s->decoded));
	INVARIANT(s->copy && s->again && s->memory[0] && s->memory[1] && s->snapshot && s->wire);
	INVARIANT(s->entry && s->decoded);
	cluster_init(s->copy, &cluster->limits, s->memory[0]);
	INVARIANT(cluster_encode(cluster, s->snapshot, s->size) == s->size);
	INVARIANT(cluster_decode(s->copy, s->snapshot, s->size));
	for (uint32_t i = 0; i < ENTRIES && !world->failed; i++)
		try_one(s);
	free(s->decoded);
	free(s->entry);
	free(s->wire);
	free(s->snapshot);
	free(s->memory[0]);
	free(s->memory[1]);
	free(s->again);
	free(s->copy);
	free(s);
}
