// SPDX-License-Identifier: Apache-2.0
// What stories ask: the answers of the core, in the words that administrators read.
#include <stdlib.h>
#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/describe_tip.h"
#include "clusterd/invariant.h"
#include "clusterd/node_internal.h"
#include "clusterd/whatif.h"
#include "csv/timing.h"
#include "migration/preflight.h"
#include "policies/balance.h"
#include "policies/capacity.h"
#include "policies/contradiction.h"
#include "policies/drain.h"
#include "policies/mend.h"
#include "tests/sim/story.h"

struct asked {
	struct world *world;
	struct host *host;
	const struct cluster *cluster;
	uint64_t present;
	uint32_t *list; // [vms_max]
	char reason[REASON_SIZE], fix[REASON_SIZE];
};

static const char *slot_word(const struct asked *a, uint8_t slot)
{
	return slot < NODES_MAX && a->cluster->nodes[slot].used ? a->cluster->nodes[slot].def.name
								: "nowhere";
}

static void say(const struct asked *a, const char *head, const char *what)
{
	world_say(a->world, NULL, "  %s: %s%s%s%s%s", head, what,
		  a->reason[0] && what[0] ? ": " : "", a->reason, a->fix[0] ? "; " : "", a->fix);
}

// ---- explain VM

static void explain_nodes(struct asked *a, const struct vm *vm)
{
	struct placement_load load;
	uint8_t chosen;

	placement_load_init_at(&load, a->cluster, a->present, a->host->node->wall_ms);
	placement_load_measure(&load, a->cluster, node_measures(a->host->node),
			       node_now_ms(a->host->node));
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
		struct placement_node row;
		char head[NAME_SIZE + 32];

		if (!a->cluster->nodes[slot].used)
			continue;
		placement_judge(a->cluster, &load, vm, slot, &row);
		world_say(a->world, NULL,
			  "  %s: %s, %u VMs, %u MiB free, wishes cost %u, %u permille%s",
			  slot_word(a, slot), row.feasible ? "may have it" : "may not have it",
			  (unsigned int)row.vms, (unsigned int)row.free_mib, (unsigned int)row.cost,
			  (unsigned int)row.share, row.share_measured ? " measured" : "");
		for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++) {
			if (row.checks[i].verdict == CHECK_OK)
				continue;
			placement_explain_check(a->cluster, vm, slot, &row.checks[i], a->reason,
						a->fix);
			snprintf(head, sizeof(head), "%s, %s", slot_word(a, slot),
				 placement_check_word((enum placement_check)i));
			say(a, head, check_verdict_word(row.checks[i].verdict));
		}
	}
	chosen = placement_choose(a->cluster, &load, vm);
	a->reason[0] = a->fix[0] = 0;
	if (chosen == SLOT_NONE)
		placement_explain(a->cluster, &load, vm, a->reason, a->fix);
	say(a, "chosen", slot_word(a, chosen));
}

static bool ask_explain(struct asked *a, char **words)
{
	const struct vm *vm = words[1] ? cluster_find_vm(a->cluster, words[1]) : NULL;
	struct mend mend;

	if (!vm)
		return false;
	explain_nodes(a, vm);
	if (!node_vm_mend(a->host->node, vm, &mend) && mend.answer.tier &&
	    mend.wait_ms != UINT64_MAX)
		snprintf(mend.reason, sizeof(mend.reason), "its better owner may have it in %u s",
			 (unsigned int)(mend.wait_ms / 1000));
	memcpy(a->reason, mend.reason, sizeof(a->reason));
	memcpy(a->fix, mend.fix, sizeof(a->fix));
	say(a, "another node", mend_cause_word(mend.cause));
	return true;
}

// ---- preflight VM live|quick|cold|save [NODE]

static bool ask_preflight(struct asked *a, char **words)
{
	const struct vm *vm = words[1] ? cluster_find_vm(a->cluster, words[1]) : NULL;
	enum move_kind kind = MOVE_KIND_COUNT;
	struct preflight_load load;

	for (uint32_t k = 0; words[1] && words[2] && k < MOVE_KIND_COUNT; k++)
		if (strcmp(move_kind_word((enum move_kind)k), words[2]) == 0)
			kind = (enum move_kind)k;
	if (!vm || kind == MOVE_KIND_COUNT)
		return false;
	preflight_load_init(&load, a->cluster, a->present, a->host->node->wall_ms);
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
		struct preflight_words said;
		struct preflight result;
		bool good = true;

		if (!a->cluster->nodes[slot].used || slot == vm->owner ||
		    (words[3] && strcmp(words[3], slot_word(a, slot)) != 0))
			continue;
		preflight_judge(a->cluster, &load, vm, slot, kind, &result);
		for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++) {
			if (result.rows[i].verdict == CHECK_OK)
				continue;
			good = false;
			preflight_explain(a->cluster, vm, &result, (enum preflight_check)i, &said);
			world_say(a->world, NULL, "  %s, %s: %s: %s; %s (found %s, needed %s)",
				  slot_word(a, slot), preflight_check_word((enum preflight_check)i),
				  check_verdict_word(result.rows[i].verdict), said.reason, said.fix,
				  said.found, said.needed);
		}
		if (good)
			world_say(a->world, NULL, "  %s: ok", slot_word(a, slot));
	}
	return true;
}

// ---- contradictions, capacity K, plan drain NODE, plan balance

static bool ask_contradictions(struct asked *a, char **words)
{
	struct contradiction found[32];
	uint32_t count = contradictions_find(a->cluster, found, 32);

	(void)words;
	for (uint32_t i = 0; i < count && i < 32; i++)
		world_say(a->world, NULL, "  %s: %s; %s",
			  found[i].conflict ? "conflict" : "warning", found[i].reason,
			  found[i].fix);
	if (count == 0)
		world_say(a->world, NULL, "  none");
	return true;
}

static bool ask_capacity(struct asked *a, char **words)
{
	uint32_t failures = words[1] ? (uint32_t)strtoul(words[1], NULL, 10) : 1;
	struct cluster *scratch = malloc(sizeof(*scratch));
	const struct cluster_node *node = words[1] ? cluster_find_node(a->cluster, words[1]) : NULL;
	struct capacity_answer answer;

	struct vm *vms = malloc(a->cluster->limits.vms_max * sizeof(*vms));

	INVARIANT(scratch && vms);
	*scratch = *a->cluster;
	memcpy(vms, a->cluster->vms, a->cluster->limits.vms_max * sizeof(*vms));
	scratch->vms = vms;
	if (words[1] && words[2])
		capacity_settle(scratch, a->present, a->list);
	if (node)
		capacity_prove_node(scratch, a->present, node_slot(a->cluster, node), a->list,
				    &answer);
	else
		capacity_prove(scratch, a->present, failures, a->list, &answer);
	free(scratch);
	free(vms);
	if (answer.tolerates)
		world_say(a->world, NULL, "  tolerates any %u of %u tried",
			  (unsigned int)(node ? 1 : failures), (unsigned int)answer.tried);
	else
		world_say(a->world, NULL, "  if %s%s%s fail%s, %s has no home: %s; %s",
			  slot_word(a, answer.failed[0]),
			  answer.failed[1] == SLOT_NONE ? "" : " and ",
			  answer.failed[1] == SLOT_NONE ? "" : slot_word(a, answer.failed[1]),
			  answer.failed[1] == SLOT_NONE ? "s" : "", answer.vm, answer.reason,
			  answer.fix);
	return true;
}

static const char *drain_step_word(const struct drain_step *step)
{
	if (step->kind == DRAIN_STEP_WAIT)
		return "is waited for";
	if (step->kind == DRAIN_STEP_BLOCKED)
		return "cannot leave";
	return step->target == SLOT_NONE ? "is shut down until the node is back" : "goes to ";
}

static void plan_drain(struct asked *a, uint8_t slot)
{
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;

	a->reason[0] = a->fix[0] = 0;
	if (!drain_allowed(a->cluster, slot, a->present, a->list, a->reason, a->fix))
		say(a, slot_word(a, slot), "not without need");
	placement_load_init(&load, a->cluster, a->present);
	drain_plan_init(&plan, a->cluster, slot, &load, a->list);
	while (drain_plan_next(&plan, &step))
		world_say(a->world, NULL, "  %s %s%s (%s)%s%s%s%s", vm_name(a->host, step.vm->ref),
			  drain_step_word(&step),
			  step.kind == DRAIN_STEP_MOVE && step.target != SLOT_NONE
				  ? slot_word(a, step.target)
				  : "",
			  move_kind_word((enum move_kind)step.method), step.reason[0] ? ": " : "",
			  step.reason, step.fix[0] ? "; " : "", step.fix);
}

static void plan_balance(struct asked *a, bool measured)
{
	struct pro_def plain = pro_plain_balance();
	struct balance_options options = balance_options_of(&plain, true);
	uint8_t *rests = calloc(a->cluster->limits.vms_max, sizeof(*rests));
	struct balance_plan *plan = calloc(1, sizeof(*plan));
	struct balance_measured *seen = calloc(1, sizeof(*seen));
	struct balance_use *uses = calloc(a->cluster->limits.vms_max, sizeof(*uses));
	void *memory = calloc(1, balance_memory(&a->cluster->limits));

	INVARIANT(plan && seen && uses && memory && rests);
	balance_rests(a->cluster, &plain, a->host->node->wall_ms, rests);
	options.rests = rests;
	balance_measure(a->cluster, node_measures(a->host->node), node_now_ms(a->host->node), seen,
			uses);
	options.measured = measured ? seen : NULL;
	balance_plan(a->cluster, a->present, &options, memory, plan);
	for (uint32_t i = 0; i < plan->count; i++) {
		balance_explain_step(a->cluster, &plan->steps[i], a->reason);
		world_say(a->world, NULL, "  %s from %s to %s: %s",
			  vm_name(a->host, plan->steps[i].vm), slot_word(a, plan->steps[i].from),
			  slot_word(a, plan->steps[i].to), a->reason);
	}
	balance_explain_stop(plan, a->reason);
	world_say(a->world, NULL, "  %s", a->reason);
	free(memory);
	free(uses);
	free(seen);
	free(plan);
	free(rests);
}

static bool ask_plan(struct asked *a, char **words)
{
	const struct cluster_node *node;

	if (!words[1])
		return false;
	if (strcmp(words[1], "balance") == 0) {
		plan_balance(a, words[2] != NULL);
		return true;
	}
	node = words[2] ? cluster_find_node(a->cluster, words[2]) : NULL;
	if (!node || strcmp(words[1], "drain") != 0)
		return false;
	plan_drain(a, node_slot(a->cluster, node));
	return true;
}

// ---- whatif lose N.. | drain N

static void whatif_say(void *context, const struct whatif_line *line)
{
	const struct asked *a = context;

	if (line->step == WHATIF_EVENT)
		world_say(a->world, NULL, "  %s", line->text);
}

static uint64_t slots_of(const struct asked *a, char **words)
{
	uint64_t slots = 0;

	for (; *words; words++) {
		const struct cluster_node *node = cluster_find_node(a->cluster, *words);

		if (node)
			slots |= UINT64_C(1) << node_slot(a->cluster, node);
	}
	return slots;
}

static void whatif_go(struct asked *a, struct whatif *whatif, bool lose, uint64_t slots)
{
	whatif->say = whatif_say;
	whatif->context = a;
	if (lose) {
		struct whatif_quorum quorum = whatif_lose(whatif, slots);

		world_say(a->world, NULL, "  %u of %u stores, %u of %u votes: %s",
			  (unsigned int)quorum.stores, (unsigned int)quorum.stores_all,
			  (unsigned int)quorum.votes, (unsigned int)quorum.votes_all,
			  quorum.enough ? "enough" : "not enough");
	}
	for (uint8_t slot = 0; !lose && slot < NODES_MAX; slot++)
		if (slots >> slot & 1)
			whatif_drain(whatif, slot);
	whatif_run(whatif);
	for (uint8_t slot = 0; lose && slot < NODES_MAX; slot++)
		if (slots >> slot & 1 && whatif_loss_reason(whatif, slot)[0])
			world_say(a->world, NULL, "  %s: %s", slot_word(a, slot),
				  whatif_loss_reason(whatif, slot));
	for (uint32_t i = 0; i < whatif_cluster(whatif)->vm_high; i++) {
		const struct vm *vm = &whatif_cluster(whatif)->vms[i];
		struct whatif_outcome outcome;

		if (!vm->used)
			continue;
		whatif_outcome(whatif, vm, &outcome);
		memcpy(a->reason, outcome.reason, sizeof(a->reason));
		memcpy(a->fix, outcome.fix, sizeof(a->fix));
		world_say(a->world, NULL, "  %s %s, %s to %s%s%s%s%s",
			  vm_definition(whatif_cluster(whatif), vm)->name,
			  whatif_fate_word(outcome.fate), slot_word(a, outcome.from),
			  slot_word(a, outcome.to), a->reason[0] ? ": " : "", a->reason,
			  a->fix[0] ? "; " : "", a->fix);
	}
}

static bool ask_whatif(struct asked *a, char **words)
{
	size_t size = cluster_encode(a->cluster, NULL, 0);
	uint32_t ids[NODES_MAX], count = 0;
	struct whatif whatif;
	uint8_t *snapshot;
	void *memory;

	if (!words[1] || !words[2] || slots_of(a, words + 2) == 0)
		return false;
	snapshot = malloc(size);
	memory = calloc(1, whatif_memory(&a->cluster->limits));
	INVARIANT(snapshot && memory && cluster_encode(a->cluster, snapshot, size) == size);
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++)
		if (a->present >> slot & 1)
			ids[count++] = a->cluster->nodes[slot].def.id;
	INVARIANT(whatif_init(&whatif, &a->cluster->limits, memory, snapshot, size, ids, count));
	whatif_go(a, &whatif, words[1][0] == 'l', slots_of(a, words + 2));
	free(snapshot);
	free(memory);
	return true;
}

// ---- states, tips, timing

static bool ask_states(struct asked *a, char **words)
{
	const struct node *node = a->host->node;

	(void)words;
	a->fix[0] = 0;
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
		const struct cluster_node *it = &a->cluster->nodes[slot];

		a->reason[0] = 0;
		if (it->used)
			say(a, it->def.name, node_state_word(node_node_state(node, it, a->reason)));
	}
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		for (uint8_t slot = 0; slot < a->cluster->node_high; slot++) {
			const struct node_volume *seen = &a->cluster->nodes[slot].report.volumes[v];

			if (a->cluster->volumes[v].used && a->cluster->nodes[slot].used &&
			    seen->state != VOLUME_ONLINE)
				world_say(a->world, NULL, "  %s on %s: %s",
					  a->cluster->volumes[v].def.name, slot_word(a, slot),
					  volume_state_word((enum volume_state)seen->state));
		}
	for (uint32_t i = 0; i < a->cluster->vm_high; i++) {
		const struct vm *vm = &a->cluster->vms[i];

		a->reason[0] = 0;
		if (vm->used)
			say(a, vm_definition(a->cluster, vm)->name,
			    vm_state_word(node_vm_state(node, vm, a->reason)));
	}
	view_reason(node_view(node), a->reason, sizeof(a->reason));
	say(a, "the view", view_normal(node_view(node)) ? "normal" : "not normal");
	return true;
}

static const char *id_word(const struct asked *a, uint32_t id)
{
	for (uint8_t slot = 0; slot < a->cluster->node_high; slot++)
		if (a->cluster->nodes[slot].used && a->cluster->nodes[slot].def.id == id)
			return a->cluster->nodes[slot].def.name;
	return "nobody";
}

static bool ask_quorum(struct asked *a, char **words)
{
	const struct view *view = node_view(a->host->node);

	(void)words;
	world_say(a->world, NULL,
		  "  view %u, coordinator %s, %u entries behind, %u messages dropped, %u "
		  "measurements",
		  (unsigned int)view_number(view), id_word(a, view_coordinator_id(view)),
		  (unsigned int)(view_last_index(view) - view_committed(view)),
		  (unsigned int)view_dropped(view),
		  (unsigned int)measures_dropped(node_measures(a->host->node)));
	for (uint32_t i = 0; i < a->cluster->voters.count; i++) {
		const struct voter *voter = &a->cluster->voters.list[i];
		bool self = voter->id == view_self(view);

		world_say(a->world, NULL, "  %s: a voter%s%s%s", id_word(a, voter->id),
			  view_in_ring(view, voter->id) ? ", up" : "",
			  view_synchronised(view, voter->id) ? ", synchronised" : "",
			  self && view_store_id(view) == voter->store ? ", intact, asked" : "");
	}
	return true;
}

static bool ask_tips(struct asked *a, char **words)
{
	(void)words;
	for (uint32_t id = 1; id < a->cluster->next_tip; id++) {
		const struct tip *tip = cluster_tip(a->cluster, id);

		if (tip)
			world_say(a->world, NULL, "  tip %u of %s: %s, prediction %s",
				  (unsigned int)id, tip->policy,
				  tip_state_word((enum tip_state)tip->state),
				  tip_verdict_word((enum tip_verdict)tip->verdict));
	}
	return true;
}

static bool ask_moves(struct asked *a, char **words)
{
	(void)words;
	for (uint32_t i = 0; i < PAST_MOVES_MAX; i++) {
		const struct past_move *past = &a->cluster->past_moves[i];

		if (past->id != 0)
			world_say(a->world, NULL, "  move %u: %s, %s, %s", (unsigned int)past->id,
				  move_kind_word((enum move_kind)past->kind),
				  move_cause_word((enum move_cause)past->cause),
				  move_outcome_word((enum move_outcome)past->outcome));
	}
	return true;
}

static void say_timing(const struct asked *a, uint32_t io_timeout_s)
{
	static const struct {
		const char *what;
		struct lease_outage outage;
	} outages[] = {
		{ "65 s", { .length_ms = 65000 } },
		{ "75 s", { .length_ms = 75000 } },
		{ "85 s", { .length_ms = 85000 } },
		{ "85 s, and a VM is deaf", { .length_ms = 85000, .deaf = true } },
		{ "85 s, and a VM cannot be killed", { .length_ms = 85000, .unkillable = true } },
		{ "130 s, and sanlock sleeps", { .length_ms = 130000, .asleep = true } },
	};
	struct lease_timing timing = lease_timing(io_timeout_s);

	world_say(a->world, NULL,
		  "  renewed every %u s, warned at %u s, unfed at %u s, failed at %u s, killed at "
		  "%u s, "
		  "reset from %u s, dead at %u s",
		  (unsigned int)(timing.renew_ms / 1000), (unsigned int)(timing.warn_ms / 1000),
		  (unsigned int)(timing.unfed_ms / 1000), (unsigned int)(timing.fail_ms / 1000),
		  (unsigned int)(timing.kill_ms / 1000), (unsigned int)(timing.reset_ms / 1000),
		  (unsigned int)(timing.dead_ms / 1000));
	for (size_t i = 0; i < sizeof(outages) / sizeof(outages[0]); i++) {
		struct lease_outcome outcome = lease_outage(&timing, &outages[i].outage);

		world_say(a->world, NULL, "  %s:%s%s%s%s%s%s", outages[i].what,
			  outcome.warned ? " warned" : "", outcome.unfed ? " unfed" : "",
			  outcome.failed ? " failed" : "", outcome.asked ? " asked" : "",
			  outcome.killed ? " killed" : "", outcome.reset ? " reset" : "");
	}
}

static bool ask_timing(struct asked *a, char **words)
{
	uint32_t io_timeout_s = words[1] ? (uint32_t)strtoul(words[1], NULL, 10) : 0;

	if (io_timeout_s > 0)
		say_timing(a, io_timeout_s);
	return io_timeout_s > 0;
}

bool ask_command(struct world *world, struct host *host, char **words)
{
	static const struct {
		char word[16];
		bool (*ask)(struct asked *a, char **words);
	} questions[] = {
		{ "explain", ask_explain },
		{ "preflight", ask_preflight },
		{ "contradictions", ask_contradictions },
		{ "capacity", ask_capacity },
		{ "plan", ask_plan },
		{ "whatif", ask_whatif },
		{ "states", ask_states },
		{ "timing", ask_timing },
		{ "quorum", ask_quorum },
		{ "tips", ask_tips },
		{ "moves", ask_moves },
	};
	struct asked a = { .world = world,
			   .host = host,
			   .cluster = node_cluster(host->node),
			   .present = node_present(host->node) };
	bool done = false;

	a.list = calloc(a.cluster->limits.vms_max, sizeof(*a.list));
	INVARIANT(a.list);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (strcmp(questions[i].word, words[0]) == 0)
			done = questions[i].ask(&a, words);
	free(a.list);
	return done;
}
