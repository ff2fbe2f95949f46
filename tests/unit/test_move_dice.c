// SPDX-License-Identifier: Apache-2.0
// Moves and drains under entries drawn from one seed: ends that speak out of turn or not at all,
// nodes that are lost, believed dead, proven dead and come back, wishes that cross.
#include "tests/unit/cluster_fixture.h"

enum { ROUNDS = 80, STEPS = 3000, VMS = 3 };

static uint64_t seed;
static uint32_t outcomes[MOVE_OUTCOME_COUNT], kinds[MOVE_KIND_COUNT], stages[MOVE_STAGE_COUNT];
static uint32_t drains[DRAIN_STATE_COUNT];

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % sides;
}

// This entry, or one before it, proved that nothing of the move lives on this node.
static bool end_proven(const struct cluster_node *nodes, uint8_t slot, bool gone,
		       const struct entry *entry)
{
	uint32_t id = slot < NODES_MAX ? nodes[slot].def.id : 0;

	if (gone || slot >= NODES_MAX)
		return true;
	if (entry->type == ENTRY_NODE_RELEASED || entry->type == ENTRY_NODE_EXPIRING)
		return entry->node_id == id;
	return (entry->type == ENTRY_MOVE_REPORT || entry->type == ENTRY_VM_REPORT) &&
	       entry->from == id;
}

/*
 * A VM and its move name each other; it has an owner; and it is given up, or given to a third, only
 * when nothing of it lives at either end.
 */
static void check_moves(const struct cluster *cluster, const struct move *before,
			const struct cluster_node *nodes, const struct entry *entry)
{
	for (uint32_t i = 0; i < MOVES_MAX; i++) {
		const struct move *was = &before[i], *is = &cluster->moves[i];
		const struct vm *vm = cluster_vm(cluster, is->vm);

		if (is->id != 0) {
			assert_non_null(vm);
			assert_int_equal(vm->move, is->id);
			assert_int_not_equal(vm->owner, SLOT_NONE);
			assert_true(vm->owner == is->source || vm->owner == is->target);
			assert_true(is->id < cluster->next_move);
		}
		if (was->id == 0 || is->id == was->id || was->kind != MOVE_LIVE ||
		    was->stage == STAGE_ASKED)
			continue;
		vm = cluster_vm(cluster, was->vm);
		assert_non_null(vm);
		if (vm->owner == was->source || vm->owner == was->target)
			continue;
		// A third holds the lease: sanlock has proved it.
		if (entry->type == ENTRY_VM_REPORT && entry->vm_report == VM_REPORT_FOUND)
			continue;
		assert_true(end_proven(nodes, was->source, was->source_gone, entry));
		assert_true(end_proven(nodes, was->target, was->target_gone, entry));
	}
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used && cluster->vms[i].move != 0)
			assert_non_null(cluster_move(cluster, cluster->vms[i].move));
}

static void check_snapshot(struct fixture *f, struct fixture *copy)
{
	static uint8_t buf[1 << 20];
	size_t size = cluster_encode(&f->cluster, buf, sizeof(buf));

	assert_true(size <= sizeof(buf));
	assert_true(cluster_decode(&copy->cluster, buf, size));
	assert_true(cluster_digest(&copy->cluster) == cluster_digest(&f->cluster));
}

static const struct vm *some_vm(struct fixture *f)
{
	return &f->cluster.vms[dice(VMS)];
}

static uint32_t id_of(struct fixture *f, uint8_t slot)
{
	return slot < NODES_MAX ? f->cluster.nodes[slot].def.id : 0;
}

static struct entry some_vm_report(struct fixture *f)
{
	static const uint8_t often[] = { VM_REPORT_STARTED, VM_REPORT_RESTORING,
					 VM_REPORT_STOPPED };
	const struct vm *vm = some_vm(f);
	struct entry entry = { .type = ENTRY_VM_REPORT, .vm = vm->ref, .attempt = vm->attempt };

	entry.vm_report =
		vm->phase == VM_PLACED ? often[dice(3)] : (uint8_t)(1 + dice(VM_REPORT_COUNT - 1));
	entry.from = entry.node_id = dice(8) ? id_of(f, vm->owner) : 1 + dice(3);
	return entry;
}

// What carries the move on, said by the end whose turn it is.
static void in_turn(struct fixture *f, const struct move *move, struct entry *entry)
{
	bool source = true;

	switch ((enum move_stage)move->stage) {
	case STAGE_PREPARE:
		source = !move->shared;
		entry->move_report = source ? MOVE_REPORT_SHARED : MOVE_REPORT_READY;
		break;
	case STAGE_TRANSFER:
	case STAGE_HANDOVER:
		source = false;
		entry->move_report = MOVE_REPORT_RUNS;
		break;
	case STAGE_CLEANUP:
		source = !move->source_gone;
		entry->move_report = source ? MOVE_REPORT_SOURCE_GONE : MOVE_REPORT_EXCLUSIVE;
		break;
	case STAGE_UNDO:
		source = move->target_gone;
		entry->move_report = source ? MOVE_REPORT_EXCLUSIVE : MOVE_REPORT_TARGET_GONE;
		break;
	case STAGE_SAVE:
		entry->move_report = MOVE_REPORT_SAVED;
		break;
	case STAGE_ASKED:
	case STAGE_RESTORE:
	case STAGE_STOP:
	case STAGE_START:
	case MOVE_STAGE_COUNT:
		return;
	}
	entry->from = entry->node_id = id_of(f, source ? move->source : move->target);
}

static struct entry some_move_report(struct fixture *f)
{
	const struct move *move = cluster_move(&f->cluster, some_vm(f)->move);
	struct entry entry = { .type = ENTRY_MOVE_REPORT };

	entry.move_report = (uint8_t)(1 + dice(MOVE_REPORT_COUNT - 1));
	entry.move = move ? move->id : dice(9);
	entry.from = entry.node_id =
		move && dice(8) ? id_of(f, dice(2) ? move->source : move->target) : 1 + dice(3);
	entry.flag = dice(2);
	entry.numbers.bytes = dice(1000);
	if (move && dice(2))
		in_turn(f, move, &entry);
	return entry;
}

static struct entry some_move(struct fixture *f)
{
	const struct vm *vm = some_vm(f);
	struct entry entry = named(ENTRY_MOVE_REQUEST, vm_definition(&f->cluster, vm)->name);
	const struct move *move = cluster_move(&f->cluster, vm->move);

	entry.move_kind = (uint8_t)dice(MOVE_KIND_COUNT);
	entry.actor = entry.move_kind == MOVE_SAVE || dice(4) == 0 ? SLOT_NONE : (uint8_t)dice(3);
	entry.vm = vm->ref;
	entry.move = vm->move;
	entry.move_cause = (uint8_t)dice(MOVE_CAUSE_COUNT);
	entry.move_outcome = dice(2) ? MOVE_REFUSED : MOVE_STAYED;
	if (dice(16) == 0)
		entry.type = ENTRY_MOVE_CANCEL;
	else if (move && dice(move->stage == STAGE_ASKED ? 4 : 16) == 0)
		entry.type = ENTRY_MOVE_END;
	else if (move || dice(2))
		entry.type = ENTRY_MOVE_BEGIN;
	return entry;
}

static struct entry some_node(struct fixture *f)
{
	uint32_t id = 1 + dice(3);
	struct cluster_node *node = the_node(f, id);
	struct entry entry = about_node(ENTRY_NODE_BACK, id);

	switch ((enum node_life)node->life) {
	case NODE_ONLINE:
		entry.type = dice(4)   ? ENTRY_NODE_REPORT
			     : dice(4) ? ENTRY_NODE_LOST
				       : ENTRY_NODE_GOODBYE;
		break;
	case NODE_LOST:
		entry.type = dice(2)   ? ENTRY_NODE_FENCING
			     : dice(2) ? ENTRY_NODE_EXPIRING
				       : ENTRY_NODE_BACK;
		break;
	case NODE_FENCING:
		entry.type = ENTRY_FENCE_RESULT;
		break;
	case NODE_FENCED:
		entry.type = ENTRY_NODE_RELEASED;
		break;
	case NODE_EXPIRING:
		entry.type = dice(2) ? ENTRY_NODE_FENCING : ENTRY_NODE_BACK;
		break;
	case NODE_UNKNOWN:
	case NODE_LEFT:
	case NODE_DEAD:
	case NODE_LIFE_COUNT:
		break;
	}
	entry.attempt = node->fence_attempt + (entry.type == ENTRY_NODE_FENCING);
	entry.flag = dice(8) != 0;
	if (entry.type == ENTRY_NODE_FENCING)
		entry.actor = (uint8_t)(id % 3);
	if (entry.type == ENTRY_FENCE_RESULT)
		entry.from = id_of(f, node->fence_actor);
	entry.report.watchdog = entry.report.qemu = true;
	return entry;
}

static struct entry some_drain(struct fixture *f)
{
	char name[8];
	struct entry entry;

	(void)f;
	snprintf(name, sizeof(name), "n%u", 1 + dice(3));
	entry = named(dice(4) ? ENTRY_NODE_DRAIN : ENTRY_NODE_DRAINED, name);
	entry.node_id = 1 + dice(3);
	entry.drain_verb = (uint8_t)dice(DRAIN_VERB_COUNT);
	entry.drain_state = (uint8_t)dice(DRAIN_STATE_COUNT);
	entry.flag = dice(2);
	return entry;
}

static struct entry some_wish(struct fixture *f)
{
	const char *name = vm_definition(&f->cluster, some_vm(f))->name;
	struct entry entry = named(dice(4) ? ENTRY_VM_WANT : ENTRY_VM_CLEAR, name);

	entry.wanted = dice(6) ? VM_WANTED_RUNNING : VM_WANTED_STOPPED;
	entry.flag = dice(2);
	return entry;
}

static struct entry some_place(struct fixture *f)
{
	static uint8_t bytes[512];
	const struct vm *vm = some_vm(f);
	struct place place = {
		.vm = vm->ref, .owner = (uint8_t)dice(3), .phase = VM_PLACED, .attempt = vm->attempt
	};
	struct entry entry = { .type = ENTRY_PLACE, .place_count = 1, .places = bytes };

	if (dice(8) == 0) {
		place.owner = SLOT_NONE;
		place.phase = VM_IDLE;
	}
	entry.places_size = place_encode(&place, bytes, sizeof(bytes));
	return entry;
}

// Who is lost mostly says nothing: its fate is decided meanwhile.
static struct entry unless_lost(struct fixture *f, struct entry entry)
{
	const struct cluster_node *node = cluster_node_by_id(&f->cluster, entry.from);

	return node && node->life != NODE_ONLINE && dice(16) ? some_node(f) : entry;
}

static struct entry some_entry(struct fixture *f)
{
	uint32_t draw = dice(100);

	if (draw < 50)
		return unless_lost(f, some_move_report(f));
	if (draw < 65)
		return some_move(f);
	if (draw < 80)
		return unless_lost(f, some_vm_report(f));
	if (draw < 86)
		return some_node(f);
	if (draw < 88)
		return some_drain(f);
	return draw < 91 ? some_wish(f) : some_place(f);
}

static void count(struct fixture *f, const struct move *before)
{
	for (uint32_t i = 0; i < MOVES_MAX; i++) {
		const struct past_move *past =
			&f->cluster.past_moves[(f->cluster.past_move + PAST_MOVES_MAX - 1) %
					       PAST_MOVES_MAX];

		if (before[i].id == 0 || f->cluster.moves[i].id == before[i].id)
			continue;
		outcomes[past->outcome]++;
		kinds[past->kind]++;
		stages[past->stage]++;
	}
	for (uint32_t i = 0; i < 3; i++)
		drains[f->cluster.nodes[i].drain]++;
}

static void play(uint64_t from)
{
	static struct fixture f, copy;
	static struct cluster_node nodes[NODES_MAX];
	static struct move moves[MOVES_MAX];

	seed = from * UINT64_C(0x9e3779b97f4a7c15) + 1;
	fixture_open(&f, 8, 24, 8);
	fixture_open(&copy, 8, 24, 8);
	fixture_cluster(&f);
	doc_vm(&f, "a", "v1")->restarts_max = 1000;
	doc_vm(&f, "b", "v1")->restarts_max = 1000;
	doc_vm(&f, "c", "v1")->restarts_max = 1000;
	doc_accept(&f);
	run_vm(&f, "a", 0);
	run_vm(&f, "b", 1);
	run_vm(&f, "c", 2);
	for (uint32_t step = 0; step < STEPS; step++) {
		struct entry entry = some_entry(&f);

		memcpy(nodes, f.cluster.nodes, sizeof(nodes));
		memcpy(moves, f.cluster.moves, sizeof(moves));
		fixture_apply(&f, &entry);
		check_moves(&f.cluster, moves, nodes, &entry);
		count(&f, moves);
		if (step % 64 == 0)
			check_snapshot(&f, &copy);
	}
	fixture_close(&f);
	fixture_close(&copy);
}

static void what_must_hold_of_moves_holds(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++)
		play(round);
	for (uint32_t i = MOVE_DONE; i < MOVE_OUTCOME_COUNT; i++)
		if (outcomes[i] < 20)
			fail_msg("outcome %u: %u times, too few to mean anything", i, outcomes[i]);
	for (uint32_t i = MOVE_LIVE; i < MOVE_KIND_COUNT; i++)
		if (kinds[i] < 20)
			fail_msg("kind %u: %u times, too few to mean anything", i, kinds[i]);
	for (uint32_t i = 0; i < DRAIN_STATE_COUNT; i++)
		if (drains[i] < 20)
			fail_msg("drain %u: %u times, too few to mean anything", i, drains[i]);
	for (uint32_t i = STAGE_CLEANUP; i < MOVE_STAGE_COUNT; i++)
		if (stages[i] < 5)
			fail_msg("ended in stage %u: %u times, too few", i, stages[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_must_hold_of_moves_holds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
