// SPDX-License-Identifier: Apache-2.0
/*
 * Administrators who only look, in the middle of everything: status, explanations, preflights, the
 * proof of capacity, contradictions, plans of a drain and of a balance, what would happen if. None
 * of that may change a replica, and what two of them say of the same thing must agree. They also
 * define rules that are wishes, so that there is something to explain.
 */
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "clusterd/node_internal.h"
#include "clusterd/whatif.h"
#include "migration/preflight.h"
#include "policies/balance.h"
#include "policies/capacity.h"
#include "policies/contradiction.h"
#include "policies/drain.h"
#include "policies/mend.h"
#include "tests/sim/world.h"

enum { ASK_LOW_S = 15, ASK_HIGH_S = 60 };

struct asking {
	struct world *world;
	struct host *host;
	const struct cluster *cluster;
	struct rng rng; // its own: whoever only looks changes nothing, not even chance
	uint64_t present, wall_ms;
	char reason[REASON_SIZE], fix[REASON_SIZE];
};

// ---- places, and why

static void ask_place(struct asking *a, const struct placement_load *load, const struct vm *vm)
{
	uint8_t chosen = placement_choose(a->cluster, load, vm);
	bool any = false;

	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
		struct placement_node row;

		placement_judge(a->cluster, load, vm, slot, &row);
		any = any || (row.candidate && row.feasible);
		if (slot == chosen && !row.feasible)
			check_fail(a->world, a->host, "%s would be placed where it may not be",
				   vm_name(a->host, vm->ref));
		for (uint32_t i = 0; row.candidate && i < PLACEMENT_CHECK_COUNT; i++) {
			placement_explain_check(a->cluster, vm, slot, &row.checks[i], a->reason,
						a->fix);
			if ((row.checks[i].verdict == CHECK_FAIL) && !a->reason[0])
				check_fail(a->world, a->host, "%s: no word on why %s fails",
					   vm_name(a->host, vm->ref),
					   placement_check_word((enum placement_check)i));
		}
	}
	if (chosen == SLOT_NONE && any)
		check_fail(a->world, a->host, "%s has a node and is given none",
			   vm_name(a->host, vm->ref));
	placement_explain(a->cluster, load, vm, a->reason, a->fix);
	if (chosen == SLOT_NONE && !a->reason[0])
		check_fail(a->world, a->host, "%s has no node, and no word on why",
			   vm_name(a->host, vm->ref));
}

static void ask_preflight(struct asking *a, const struct preflight_load *load, const struct vm *vm)
{
	enum move_kind kind = (enum move_kind)rng_below(&a->rng, MOVE_KIND_COUNT);
	uint64_t targets = preflight_targets(a->cluster, load, vm, kind);

	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
		struct preflight_words words;
		struct preflight result;

		if (!a->cluster->nodes[slot].used)
			continue;
		preflight_judge(a->cluster, load, vm, slot, kind, &result);
		if ((targets >> slot & 1) != (result.verdict != CHECK_FAIL))
			check_fail(a->world, a->host, "preflight of %s is of two minds",
				   vm_name(a->host, vm->ref));
		for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
			preflight_explain(a->cluster, vm, &result, (enum preflight_check)i, &words);
			if (result.rows[i].verdict == CHECK_FAIL && !words.reason[0])
				check_fail(a->world, a->host, "%s: no word on why %s fails",
					   vm_name(a->host, vm->ref),
					   preflight_check_word((enum preflight_check)i));
		}
	}
	preflight_refusal(a->cluster, load, vm, UINT64_MAX, kind, a->reason, a->fix);
}

static void ask_vms(struct asking *a)
{
	struct placement_load load;
	struct preflight_load moves;

	placement_load_init(&load, a->cluster, a->present);
	preflight_load_init(&moves, a->cluster, a->present, a->wall_ms);
	for (uint32_t i = 0; i < a->cluster->vm_high; i++) {
		const struct vm *vm = &a->cluster->vms[i];
		struct mend mend;

		if (!vm->used)
			continue;
		vm_state_word(node_vm_state(a->host->node, vm, a->reason));
		ask_place(a, &load, vm);
		if (vm->owner != SLOT_NONE)
			ask_preflight(a, &moves, vm);
		if (node_vm_mend(a->host->node, vm, &mend) && !mend.reason[0])
			check_fail(a->world, a->host, "%s is to move, and no word on why",
				   vm_name(a->host, vm->ref));
	}
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++)
		if (a->cluster->nodes[slot].used)
			node_state_word(node_node_state(a->host->node, &a->cluster->nodes[slot],
							a->reason));
	view_reason(node_view(a->host->node), a->reason, sizeof(a->reason));
}

// ---- plans

static void ask_drain(struct asking *a, uint32_t *list)
{
	uint8_t slot = (uint8_t)rng_below(&a->rng, a->cluster->node_high + 1u);
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;

	if (slot >= a->cluster->node_high || !a->cluster->nodes[slot].used)
		return;
	placement_load_init(&load, a->cluster, a->present);
	drain_plan_init(&plan, a->cluster, slot, &load, list);
	while (drain_plan_next(&plan, &step))
		if (step.kind == DRAIN_STEP_BLOCKED && !step.reason[0])
			check_fail(a->world, a->host, "%s cannot leave, and no word on why",
				   vm_name(a->host, step.vm->ref));
	if (!drain_allowed(a->cluster, slot, a->present, list, a->reason, a->fix) && !a->reason[0])
		check_fail(a->world, a->host, "a drain is not allowed, and no word on why");
}

static void ask_balance(struct asking *a)
{
	struct balance_options options = { .move_cost = (uint32_t)rng_below(&a->rng, 2000) };
	struct balance_plan *plan = calloc(1, sizeof(*plan));
	void *memory = malloc(balance_memory(&a->cluster->limits));

	INVARIANT(plan && memory);
	balance_plan(a->cluster, a->present, &options, memory, plan);
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct vm *vm = cluster_vm(a->cluster, plan->steps[i].vm);

		balance_explain_step(a->cluster, &plan->steps[i], a->reason);
		if (!vm || (vm->possible && !(vm->possible >> plan->steps[i].to & 1)))
			check_fail(a->world, a->host, "a balance sends a VM where it may not be");
	}
	balance_explain_stop(plan, a->reason);
	if (plan->score_after > plan->score_before)
		check_fail(a->world, a->host, "a balance makes it worse");
	free(plan);
	free(memory);
}

static uint64_t nodes_left(const struct asking *a, const struct capacity_answer *answer)
{
	uint64_t left = a->present;

	for (int i = 0; i < 2; i++)
		if (answer->failed[i] < NODES_MAX)
			left &= ~(1ull << answer->failed[i]);
	return left;
}

static void ask_capacity(struct asking *a, uint32_t *list)
{
	struct cluster *scratch = malloc(sizeof(*scratch));
	struct contradiction found[16];
	struct capacity_answer answer;
	uint32_t count;

	INVARIANT(scratch);
	for (uint32_t failures = 1; failures <= CAPACITY_FAILURES_MAX; failures++) {
		*scratch = *a->cluster;
		capacity_prove(scratch, a->present, failures, list, &answer);
		if (answer.tolerates != (answer.failed[0] == SLOT_NONE))
			check_fail(a->world, a->host, "the proof of capacity has no example");
		// Where no node is left there is nothing to say of one.
		if (!answer.tolerates && (!answer.vm[0] || !answer.reason[0]) &&
		    nodes_left(a, &answer))
			check_fail(a->world, a->host, "capacity lacks, and no word on why");
	}
	free(scratch);
	count = contradictions_find(a->cluster, found, 16);
	for (uint32_t i = 0; i < count && i < 16; i++)
		if (!found[i].reason[0])
			check_fail(a->world, a->host, "a contradiction without a word");
}

// ---- what if

static uint32_t present_ids(const struct asking *a, uint32_t *ids)
{
	uint32_t count = 0;

	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++)
		if (a->present >> slot & 1)
			ids[count++] = a->cluster->nodes[slot].def.id;
	return count;
}

// The end of any node that stands everything is stood by every VM that runs: told by another way.
static void ask_whatif(struct asking *a)
{
	size_t size = cluster_encode(a->cluster, NULL, 0);
	void *memory = malloc(whatif_memory(&a->cluster->limits));
	uint8_t *snapshot = malloc(size);
	uint32_t ids[NODES_MAX], count = present_ids(a, ids);
	uint8_t slot = (uint8_t)rng_below(&a->rng, a->cluster->node_high + 1u);
	bool lose = rng_chance(&a->rng, 50);
	struct whatif whatif;

	INVARIANT(snapshot && memory && cluster_encode(a->cluster, snapshot, size) == size);
	INVARIANT(whatif_init(&whatif, &a->cluster->limits, memory, snapshot, size, ids, count));
	if (cluster_digest(whatif_cluster(&whatif)) != cluster_digest(a->cluster))
		check_fail(a->world, a->host, "a snapshot of the replica is not what it was");
	if (slot < a->cluster->node_high && a->cluster->nodes[slot].used) {
		if (lose)
			whatif_lose(&whatif, 1ull << slot);
		else
			whatif_drain(&whatif, slot);
	}
	whatif_run(&whatif);
	for (uint32_t i = 0; i < whatif_cluster(&whatif)->vm_high; i++) {
		const struct vm *vm = &whatif_cluster(&whatif)->vms[i];
		struct whatif_outcome outcome;

		if (!vm->used)
			continue;
		whatif_outcome(&whatif, vm, &outcome);
		whatif_fate_word(outcome.fate);
	}
	if (slot < a->cluster->node_high && a->cluster->nodes[slot].used)
		whatif_loss_reason(&whatif, slot);
	free(snapshot);
	free(memory);
}

// ---- when

static void ask_everything(struct asking *a)
{
	uint32_t *list = calloc(a->cluster->limits.vms_max, sizeof(*list));
	uint64_t digest = cluster_digest(a->cluster);
	struct rng strange = { .state = a->rng.state ^ 0x73747261 };

	INVARIANT(list);
	a->world->stats[STAT_QUESTIONS]++;
	ask_vms(a);
	ask_drain(a, list);
	ask_balance(a);
	ask_capacity(a, list);
	ask_whatif(a);
	strange_entries(a->world, a->host, &strange);
	if (cluster_digest(a->cluster) != digest)
		check_fail(a->world, a->host, "a question changed the replica");
	free(list);
}

static void questions_run(struct world *world, struct item *item)
{
	struct asking a = { .world = world, .rng = { .state = item->a } };
	struct host *host = &world->hosts[rng_below(&a.rng, world->config.hosts)];

	if (host->daemon && !host->paused) {
		a.host = host;
		a.cluster = node_cluster(host->node);
		a.present = node_present(host->node);
		a.wall_ms = host->node->wall_ms;
		ask_everything(&a);
	}
	world_at(world, SECONDS(rng_between(&a.rng, ASK_LOW_S, ASK_HIGH_S)), NULL, GUARD_NONE,
		 questions_run)
		->a = rng_next(&a.rng);
}

// Wishes only: whoever is not followed runs all the same, so the quiet at the end asks for as much.
static void rule_draw(struct world *world, struct rng *rng, struct rule_def *rule)
{
	uint32_t at = (uint32_t)rng_below(rng, world->config.vms);
	bool leads, first;

	*rule = (struct rule_def){ .kind = (uint8_t)rng_below(rng, RULE_KIND_COUNT),
				   .enabled = rng_chance(rng, 90),
				   .weight = (uint32_t)rng_between(rng, 1, 1000),
				   .at_once = (uint32_t)rng_between(rng, 1, 3),
				   .member_count = world->config.vms > 3 ? 3 : 2 };
	rule->up = (uint8_t)(rule->weight % RULE_UP_COUNT);
	rule->up_value = rule->up == UP_TCP ? 22 : rule->up == UP_DELAY ? 5 : 0;
	snprintf(rule->name, sizeof(rule->name), "r%u", (unsigned int)rng_below(rng, 6));
	leads = rule->kind == RULE_FOLLOW || rule->kind == RULE_SAME_ATTRIBUTE;
	first = rule->kind == RULE_ORDER || rule->kind == RULE_ANY_FIRST;
	if (rule->kind == RULE_SAME_ATTRIBUTE || rule->kind == RULE_SPREAD)
		snprintf(rule->attribute, sizeof(rule->attribute), "rack");
	for (uint32_t i = 0; i < rule->member_count; i++) {
		struct rule_member *member = &rule->members[i];

		snprintf(member->name, sizeof(member->name), "vm%u",
			 (unsigned int)((at + i) % world->config.vms));
		member->role = ROLE_MEMBER;
		if (leads && i == 0)
			member->role = ROLE_LEADER;
		if (first)
			member->role = i == 0 ? ROLE_FIRST : ROLE_THEN;
	}
}

static void rules_run(struct world *world, struct item *item)
{
	struct rng rng = { .state = item->a };
	struct host *host = &world->hosts[rng_below(&rng, world->config.hosts)];
	struct rule_def *rule = calloc(1, sizeof(*rule));

	INVARIANT(rule);
	rule_draw(world, &rng, rule);
	if (!world->quiet)
		admin_apply_rule(world, host, rule);
	free(rule);
	world_at(world, SECONDS(rng_between(&rng, ASK_LOW_S, ASK_HIGH_S)), NULL, GUARD_NONE,
		 rules_run)
		->a = rng_next(&rng);
}

void questions_start(struct world *world)
{
	world_at(world, SECONDS(ASK_LOW_S), NULL, GUARD_NONE, rules_run)->a =
		world->seed ^ 0x72756c65;
	world_at(world, SECONDS(ASK_LOW_S), NULL, GUARD_NONE, questions_run)->a =
		world->seed ^ 0x61736b;
}
