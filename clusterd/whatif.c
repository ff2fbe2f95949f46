// SPDX-License-Identifier: Apache-2.0
/*
 * decide_step() is the coordinator's, and it is what a real one calls: the order, the choices and
 * the waiting are its own. What is made up is the view around it, and that everything it asks hosts
 * for succeeds.
 */
#include "clusterd/whatif.h"

#include <string.h>

#include "clusterd/describe_move.h"
#include "clusterd/node_internal.h"
#include "clusterd/text.h"
#include "policies/drain.h"
#include "policies/order.h"
#include "policies/rules.h"
#include "quorum/loss.h"
#include "quorum/view_internal.h"

enum {
	ACTIONS_MAX = 4096,
	ACTIONS_BYTES = 8 * 1024 * 1024,
	ROUNDS_MAX = 10000,
	ROUND_MS = 60000, // longer than any back-off of the coordinator
	BEGIN_MS = 1000000,
	LINE_SIZE = 4096,
};

static size_t aligned(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static struct node_limits limits_of(const struct cluster_limits *limits)
{
	return (struct node_limits){
		.cluster = *limits,
		.view = { .records_max = 16,
			  .log_bytes = 2 * (size_t)ENTRY_SIZE_MAX,
			  .proposals_max = 2048,
			  .proposal_bytes = 4 * 1024 * 1024,
			  .copy_bytes = 4096 },
		.requests_max = 1,
	};
}

size_t whatif_memory(const struct cluster_limits *limits)
{
	struct node_limits node = limits_of(limits);

	return aligned(node_memory(&node)) + ACTIONS_MAX * sizeof(struct action) + ACTIONS_BYTES +
	       aligned(limits->vms_max);
}

// ---- the view that is made up ----

static uint64_t voter_store(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; i < cluster->voters.count; i++)
		if (cluster->voters.list[i].id == id)
			return cluster->voters.list[i].store;
	return 0;
}

static void view_make(struct whatif *whatif, const uint32_t *ids, uint32_t count)
{
	struct node *node = whatif->node;
	struct view *view = node->view;

	view->member_count = view->ring_count = 0;
	view->self = view->coordinator = 0;
	for (uint32_t i = 0; i < count && i < NODES_MAX; i++) {
		struct member *member = &view->members[view->member_count++];

		memset(member, 0, sizeof(*member));
		member->id = ids[i];
		view->member_ids[i] = view->ring_ids[view->ring_count++] = ids[i];
		member->stated = member->takes_part = member->copied = true;
		member->facts.store = voter_store(&node->cluster, ids[i]);
		if (view->self == 0 || ids[i] < view->self)
			view->self = view->coordinator = ids[i];
	}
	view->state = VIEW_NORMAL;
	view->open = view->quorate = view->grouped = true;
	view->number = node->cluster.view;
	view->voters = node->cluster.voters;
	node->self = view->self;
	node->incarnation = 1;
	node->adopted = node->host_known = node->view_seen = true;
}

// When the state was last changed, as far as it says: the moment that is played on from.
static uint64_t latest_ms(const struct cluster *cluster)
{
	uint64_t latest = 0;

	for (uint32_t i = 0; i < cluster->node_high; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].steady_ms > latest)
			latest = cluster->nodes[i].steady_ms;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (vm->used && vm->since_ms > latest)
			latest = vm->since_ms;
		if (vm->used && vm->moved_ms > latest)
			latest = vm->moved_ms;
	}
	return latest;
}

bool whatif_init(struct whatif *whatif, const struct cluster_limits *limits, void *memory,
		 const uint8_t *snapshot, size_t size, const uint32_t *present,
		 uint32_t present_count)
{
	struct node_limits node_limits = limits_of(limits);
	uint8_t *at = memory;

	memset(whatif, 0, sizeof(*whatif));
	whatif->node = node_init(&node_limits, at);
	at += aligned(node_memory(&node_limits));
	whatif->actions = (struct actions){ .items = (struct action *)at, .max = ACTIONS_MAX };
	at += ACTIONS_MAX * sizeof(struct action);
	whatif->actions.bytes = at;
	whatif->actions.size = ACTIONS_BYTES;
	at += ACTIONS_BYTES;
	whatif->owners = at;
	if (!cluster_decode(&whatif->node->cluster, snapshot, size))
		return false;
	memset(whatif->owners, SLOT_NONE, limits->vms_max);
	for (uint32_t i = 0; i < whatif->node->cluster.vm_high; i++)
		if (whatif->node->cluster.vms[i].used)
			whatif->owners[i] = whatif->node->cluster.vms[i].owner;
	view_make(whatif, present, present_count);
	whatif->node->now_ms = BEGIN_MS;
	whatif->node->wall_ms = latest_ms(&whatif->node->cluster);
	whatif->node->taking_ms = 1; // the cluster runs for long
	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		whatif->node->peers[slot].seen = true;
	return true;
}

const struct cluster *whatif_cluster(const struct whatif *whatif)
{
	return &whatif->node->cluster;
}

uint64_t whatif_present(const struct whatif *whatif)
{
	return node_present(whatif->node);
}

// ---- entries ----

static const struct vm *place_vm(const struct whatif *whatif, const struct place *place)
{
	const struct vm *vm = cluster_vm(&whatif->node->cluster, place->vm);

	return vm && vm->attempt == place->attempt ? vm : NULL;
}

static void say(const struct whatif *whatif, const struct whatif_line *line)
{
	if (whatif->say)
		whatif->say(whatif->context, line);
}

static void say_places(const struct whatif *whatif, const struct entry *entry)
{
	struct place place;
	size_t at = 0;

	while (at < entry->places_size && place_decode(&place, entry, &at)) {
		const struct vm *vm = place_vm(whatif, &place);
		struct whatif_line line = {
			.step = place.owner == SLOT_NONE ? WHATIF_GIVE_UP : WHATIF_PLACE,
			.text = place.reason,
			.vm = place.vm,
			.to = place.owner,
		};

		if (!vm)
			continue;
		line.from = whatif->owners[vm->ref.slot];
		say(whatif, &line);
	}
}

static void say_move(const struct whatif *whatif, const struct entry *entry)
{
	const struct vm *vm = cluster_vm(&whatif->node->cluster, entry->vm);
	struct whatif_line line = { .step = WHATIF_PLACE, .text = "", .vm = entry->vm,
				    .to = entry->actor };

	if (!vm)
		return;
	line.from = vm->owner;
	line.text = move_kind_word(entry->move_kind);
	say(whatif, &line);
}

// What the event log of a real cluster would hold. A place has its own lines; what only follows is
// left out.
static bool worth_a_line(const struct entry *entry)
{
	static const uint8_t quiet[] = { ENTRY_PLACE, ENTRY_VM_REPORT, ENTRY_LEASE_WRITE,
					 ENTRY_LEASE_WRITTEN, ENTRY_NODE_REPORT,
					 ENTRY_MOVE_REPORT, ENTRY_MOVE_BEGIN };

	for (size_t i = 0; i < sizeof(quiet); i++)
		if (entry->type == quiet[i])
			return false;
	return true;
}

static bool commit(struct whatif *whatif, const struct entry *entry, struct entry_result *result)
{
	struct cluster *cluster = &whatif->node->cluster;
	char text[LINE_SIZE] = "";
	struct whatif_line line = {
		.step = WHATIF_EVENT, .text = text, .from = SLOT_NONE, .to = SLOT_NONE
	};

	if (worth_a_line(entry))
		entry_describe(cluster, entry, text, sizeof(text));
	if (entry->type == ENTRY_PLACE)
		say_places(whatif, entry);
	if (entry->type == ENTRY_MOVE_BEGIN && entry->actor != SLOT_NONE && !entry->flag)
		say_move(whatif, entry);
	cluster_apply(cluster, cluster->index + 1, entry, result);
	if (result->accepted && text[0])
		say(whatif, &line);
	return result->accepted;
}

static bool report(struct whatif *whatif, uint8_t type, struct entry *entry, uint8_t from)
{
	struct entry_result result;

	entry->type = type;
	entry->at_ms = whatif->node->wall_ms;
	entry->from = whatif->node->cluster.nodes[from].def.id;
	return commit(whatif, entry, &result);
}

void whatif_commit(struct whatif *whatif, struct entry *entry, struct entry_result *result)
{
	entry->from = whatif->node->self;
	entry->at_ms = whatif->node->wall_ms;
	commit(whatif, entry, result);
}

// ---- hosts that do what they are asked for ----

static bool here(const struct whatif *whatif, uint8_t slot)
{
	return slot < NODES_MAX && (node_present(whatif->node) >> slot & 1);
}

static bool node_answers(struct whatif *whatif, uint8_t slot)
{
	const struct cluster_node *target = &whatif->node->cluster.nodes[slot];
	struct entry entry = { .node_id = target->def.id,
			       .attempt = target->fence_attempt,
			       .flag = true };

	if (!target->used)
		return false;
	if (target->life == NODE_FENCING && here(whatif, target->fence_actor)) {
		text_copy(entry.reason, sizeof(entry.reason), "its fence device says off");
		return report(whatif, ENTRY_FENCE_RESULT, &entry, target->fence_actor);
	}
	if (target->life == NODE_FENCED) {
		uint8_t releaser =
			loss_releaser(&whatif->node->cluster, node_present(whatif->node), slot);

		return releaser != SLOT_NONE &&
		       report(whatif, ENTRY_NODE_RELEASED, &entry, releaser);
	}
	return false;
}

// A volume that was defined just now is found by every node that is there.
static bool volume_answers(struct whatif *whatif, uint8_t v)
{
	const struct cluster_volume *volume = &whatif->node->cluster.volumes[v];
	struct entry entry = { .volume = v, .attempt = volume->prepare_attempt, .flag = true };
	bool any = false;

	if (!volume->used)
		return false;
	if (!volume->prepared)
		return here(whatif, volume->prepare_actor) &&
		       report(whatif, ENTRY_VOLUME_PREPARED, &entry, volume->prepare_actor);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct cluster_node *node = &whatif->node->cluster.nodes[slot];
		struct entry seen = { .node_id = node->def.id, .report = node->report };
		struct node_volume *mine = &seen.report.volumes[v];

		if (!here(whatif, slot) || !node->reported || mine->state != VOLUME_OFFLINE ||
		    mine->reason[0])
			continue;
		mine->state = VOLUME_ONLINE;
		mine->joined = true;
		mine->generation = 1;
		any = report(whatif, ENTRY_NODE_REPORT, &seen, slot) || any;
	}
	return any;
}

static bool leases_answer(struct whatif *whatif, const struct vm *vm)
{
	bool any = false;

	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct vm_lease *lease = &vm->leases[i];
		struct entry entry = { .vm = vm->ref,
				       .volume = lease->volume,
				       .lease_slot = lease->slot,
				       .flag = true };

		if (lease->life == LEASE_WRITING && here(whatif, lease->actor))
			any = report(whatif, ENTRY_LEASE_WRITTEN, &entry, lease->actor) || any;
	}
	return any;
}

static bool move_says(struct whatif *whatif, const struct move *move, enum move_report what,
		      uint8_t slot)
{
	struct entry entry = { .node_id = whatif->node->cluster.nodes[slot].def.id,
			       .move = move->id,
			       .move_report = (uint8_t)what };

	return here(whatif, slot) && report(whatif, ENTRY_MOVE_REPORT, &entry, slot);
}

// Both ends do their part, one step at a time.
static bool move_answers(struct whatif *whatif, const struct move *move)
{
	const struct vm *vm = cluster_vm(&whatif->node->cluster, move->vm);
	struct entry stopped = { .vm = move->vm, .vm_report = VM_REPORT_STOPPED };

	switch ((enum move_stage)move->stage) {
	case STAGE_PREPARE:
		return move->shared ? move_says(whatif, move, MOVE_REPORT_READY, move->target)
				    : move_says(whatif, move, MOVE_REPORT_SHARED, move->source);
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
		return move_says(whatif, move, MOVE_REPORT_RUNS, move->target);
	case STAGE_CLEANUP:
		return move->source_gone
			       ? move_says(whatif, move, MOVE_REPORT_EXCLUSIVE, move->target)
			       : move_says(whatif, move, MOVE_REPORT_SOURCE_GONE, move->source);
	case STAGE_UNDO:
		return move->target_gone
			       ? move_says(whatif, move, MOVE_REPORT_EXCLUSIVE, move->source)
			       : move_says(whatif, move, MOVE_REPORT_TARGET_GONE, move->target);
	case STAGE_SAVE:
		return move_says(whatif, move, MOVE_REPORT_SAVED, move->source);
	case STAGE_STOP:
		stopped.attempt = vm->attempt;
		return here(whatif, move->source) &&
		       !order_holds_stop(&whatif->node->cluster, vm) &&
		       report(whatif, ENTRY_VM_REPORT, &stopped, move->source);
	case STAGE_ASKED:
	case STAGE_RESTORE:
	case STAGE_START:
	case MOVE_STAGE_COUNT:
		break;
	}
	return false;
}

// As somebody waits for: it is taken that it comes up.
static bool guest_answers(struct whatif *whatif, const struct vm *vm)
{
	uint64_t left = rules_unanswered(&whatif->node->cluster, vm);
	struct entry entry = { .vm = vm->ref, .attempt = vm->attempt };
	uint8_t rule = 0;

	if (left == 0)
		return false;
	while (!(left >> rule & 1))
		rule++;
	entry.vm_report = VM_REPORT_ANSWERS;
	entry.up = whatif->node->cluster.rules[rule].def.up;
	entry.up_value = whatif->node->cluster.rules[rule].def.up_value;
	return report(whatif, ENTRY_VM_REPORT, &entry, vm->owner);
}

static bool vm_answers(struct whatif *whatif, const struct vm *vm)
{
	const struct cluster *cluster = &whatif->node->cluster;
	const struct move *move = cluster_move(cluster, vm->move);
	struct entry entry = { .vm = vm->ref, .attempt = vm->attempt };
	struct order_wait wait;

	if (!vm->used ||
	    (move && move->stage == STAGE_START && order_holds_start(cluster, vm, 0, &wait)))
		return false;
	if (leases_answer(whatif, vm))
		return true;
	if (!here(whatif, vm->owner))
		return false;
	if (vm->phase == VM_RUNNING && guest_answers(whatif, vm))
		return true;
	entry.vm_report = vm->wanted == VM_WANTED_RUNNING ? VM_REPORT_STARTED : VM_REPORT_STOPPED;
	if (vm->wanted == VM_WANTED_RUNNING && vm->phase != VM_PLACED)
		return false;
	return report(whatif, ENTRY_VM_REPORT, &entry, vm->owner);
}

static bool hosts_answer(struct whatif *whatif)
{
	struct cluster *cluster = &whatif->node->cluster;
	bool any = false;

	// Fences end one by one, in the order of the nodes: which device is quicker, nobody knows.
	for (uint8_t slot = 0; slot < NODES_MAX && !any; slot++)
		any = node_answers(whatif, slot);
	for (uint8_t v = 0; v < VOLUMES_MAX; v++)
		any = volume_answers(whatif, v) || any;
	for (uint32_t i = 0; i < cluster->move_high; i++)
		if (cluster->moves[i].id != 0)
			any = move_answers(whatif, &cluster->moves[i]) || any;
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		any = vm_answers(whatif, &cluster->vms[i]) || any;
	return any;
}

// ---- rounds ----

// What the coordinator proposed is committed in its order.
static bool round_commit(struct whatif *whatif)
{
	struct ring *proposals = &whatif->node->view->proposals;
	bool any = false;

	for (uint32_t i = 0; i < proposals->count; i++) {
		const struct ring_slot *slot = ring_at(proposals, i);
		struct entry_result result;
		struct entry entry;

		INVARIANT(entry_decode(&entry, ring_body(proposals, slot), slot->size));
		any = commit(whatif, &entry, &result) || any;
	}
	proposals_forget(whatif->node->view);
	return any;
}

static bool round_run(struct whatif *whatif)
{
	struct node *node = whatif->node;
	bool any;

	node->now_ms += ROUND_MS;
	node->check_sent_ms = node->now_ms;
	node->decide_out = 0;
	node->view->number = node->cluster.view;
	node->view->voters = node->cluster.voters;
	whatif->actions.count = 0;
	whatif->actions.used = 0;
	decide_step(node, &whatif->actions);
	any = round_commit(whatif);
	return hosts_answer(whatif) || any;
}

void whatif_run(struct whatif *whatif)
{
	uint32_t quiet = 0;

	if (whatif->node->self == 0 || !whatif->node->view->quorate)
		return;
	// A round may only begin to wait; the next one is behind every back-off.
	for (uint32_t round = 0; round < ROUNDS_MAX && quiet < 2; round++)
		quiet = round_run(whatif) ? 0 : quiet + 1;
}

// ---- questions ----

static struct whatif_quorum quorum_of(const struct whatif *whatif)
{
	const struct cluster *cluster = &whatif->node->cluster;
	const struct view *view = whatif->node->view;
	struct whatif_quorum quorum = { .stores_all = cluster->voters.count,
					.votes = view->ring_count };

	for (uint32_t i = 0; i < cluster->voters.count; i++)
		quorum.stores += view_find(view, cluster->voters.list[i].id) != NULL;
	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		quorum.votes_all += cluster->nodes[slot].used;
	quorum.stores_needed = quorum.stores_all / 2 + 1;
	quorum.votes_needed = quorum.votes_all / 2 + 1;
	quorum.enough =
		quorum.stores >= quorum.stores_needed && quorum.votes >= quorum.votes_needed;
	return quorum;
}

struct whatif_quorum whatif_lose(struct whatif *whatif, uint64_t slots)
{
	struct node *node = whatif->node;
	uint32_t ids[NODES_MAX], count = 0;
	struct whatif_quorum quorum;

	whatif->gone |= slots;
	for (uint32_t i = 0; i < node->view->member_count; i++) {
		uint32_t id = node->view->members[i].id;
		const struct cluster_node *member = cluster_node_by_id(&node->cluster, id);

		if (!member || !(slots >> node_slot(&node->cluster, member) & 1))
			ids[count++] = id;
	}
	view_make(whatif, ids, count);
	quorum = quorum_of(whatif);
	node->view->quorate = quorum.enough;
	return quorum;
}

void whatif_drain(struct whatif *whatif, uint8_t slot)
{
	struct entry entry = { .type = ENTRY_NODE_DRAIN, .drain_verb = DRAIN_ON };
	struct entry_result result;

	text_copy(entry.name, sizeof(entry.name), whatif->node->cluster.nodes[slot].def.name);
	whatif_commit(whatif, &entry, &result);
}

const char *whatif_loss_reason(const struct whatif *whatif, uint8_t slot)
{
	const struct cluster_node *node = &whatif->node->cluster.nodes[slot];
	struct loss_facts facts = {
		.life = node->life,
		.settled = true,
		.managed = node->managed,
		.device = node->def.fence_count > 0,
		.retry = true,
		.guarded = node->reported && node->report.watchdog,
	};
	struct loss_answer answer = loss_decide(&facts);

	return answer.step == LOSS_WAIT ? answer.reason : "";
}

static enum whatif_fate fate_of(const struct vm *vm, const struct whatif_outcome *outcome)
{
	bool runs = outcome->state == VM_STATE_RUNNING || outcome->state == VM_STATE_STARTING;

	if (runs && outcome->from == outcome->to)
		return WHATIF_STAYS;
	if (runs)
		return outcome->from == SLOT_NONE ? WHATIF_STARTS : WHATIF_MOVES;
	if (vm->wanted != VM_WANTED_RUNNING)
		return outcome->from == SLOT_NONE ? WHATIF_STAYS : WHATIF_STOPS;
	return vm->managed ? WHATIF_WAITS : WHATIF_STAYS;
}

// A node that nothing proves dead: what would, or that nobody may decide.
static void explain_blocked(const struct whatif *whatif, const struct cluster_node *node,
			    struct whatif_outcome *outcome)
{
	struct text reason = text_in(outcome->reason, REASON_SIZE);
	struct text fix = text_in(outcome->fix, REASON_SIZE);

	if (!whatif->node->view->quorate) {
		text_add(&reason, "the nodes that are left have no quorum");
		text_add(&fix, "bring back enough nodes for a majority");
		return;
	}
	text_add(text_add(text_add(&reason, node->def.name), ": "),
		 whatif_loss_reason(whatif, node_slot(&whatif->node->cluster, node)));
	if (!node->managed)
		text_add(text_add(&fix, "clustadm node manage "), node->def.name);
	else
		text_add(text_add(&fix, "clustadm node confirm-dead "), node->def.name);
}

// It runs on a node that is to be empty: what keeps it there.
static bool explain_drained(const struct whatif *whatif, const struct vm *vm,
			    struct whatif_outcome *outcome)
{
	const struct cluster *cluster = &whatif->node->cluster;
	struct placement_load load;
	struct drain_plan plan;
	struct drain_step step;

	if (vm->owner >= NODES_MAX || !cluster->nodes[vm->owner].maintenance)
		return false;
	placement_load_init(&load, cluster, node_present(whatif->node));
	drain_plan_init(&plan, cluster, vm->owner, &load, whatif->node->scratch);
	while (drain_plan_next(&plan, &step)) {
		if (step.vm != vm || step.kind != DRAIN_STEP_BLOCKED)
			continue;
		outcome->fate = WHATIF_WAITS;
		text_copy(outcome->reason, REASON_SIZE, step.reason);
		text_copy(outcome->fix, REASON_SIZE, step.fix);
		return true;
	}
	return false;
}

void whatif_outcome(const struct whatif *whatif, const struct vm *vm,
		    struct whatif_outcome *outcome)
{
	const struct cluster *cluster = &whatif->node->cluster;
	bool gone = vm->owner < NODES_MAX && (whatif->gone >> vm->owner & 1);
	struct placement_load load;

	memset(outcome, 0, sizeof(*outcome));
	outcome->from = whatif->owners[vm->ref.slot];
	outcome->to = vm->owner;
	outcome->state = gone ? VM_STATE_BLOCKED
			      : node_vm_state(whatif->node, vm, outcome->reason);
	outcome->fate = fate_of(vm, outcome);
	if (!gone && explain_drained(whatif, vm, outcome))
		return;
	if (gone) {
		explain_blocked(whatif, &cluster->nodes[vm->owner], outcome);
	} else if (outcome->fate == WHATIF_WAITS && vm->owner == SLOT_NONE &&
		   whatif->node->view->quorate) {
		placement_load_init(&load, cluster, node_present(whatif->node));
		placement_explain(cluster, &load, vm, outcome->reason, outcome->fix);
	}
}

const char *whatif_fate_word(enum whatif_fate fate)
{
	switch (fate) {
	case WHATIF_STAYS:
		return "stays";
	case WHATIF_MOVES:
		return "moves";
	case WHATIF_STARTS:
		return "starts";
	case WHATIF_STOPS:
		return "stops";
	case WHATIF_WAITS:
		return "waits";
	case WHATIF_FATE_COUNT:
		break;
	}
	return "?";
}
