// SPDX-License-Identifier: Apache-2.0
// Views over a group that splits, nodes that crash, stores that lose what was not synced: nothing
// that was committed is lost or changed, nothing is done twice, and in the end everybody agrees.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/view_world.h"

static const int together[WORLD_NODES] = { 0 };

static bool world_propose(struct world *w, uint32_t n, enum entry_type type)
{
	struct world_node *node = &w->nodes[n];
	static struct entry entry;
	uint8_t buf[8192];
	uint64_t cookie = node->disk.incarnation << 32 | ++node->next_cookie;
	size_t size;
	bool taken;

	if (!node->up)
		return false;
	memset(&entry, 0, sizeof(entry));
	entry.type = (uint8_t)type;
	entry.from = node->id;
	entry.at_ms = cookie;
	if (type == ENTRY_VM_CLEAR)
		memset(entry.name, 'x', 1 + world_random(w, NAME_SIZE - 2));
	for (uint32_t i = 0; type == ENTRY_NODE_REPORT && i < VOLUMES_MAX; i++)
		memset(entry.report.volumes[i].reason, 'y', world_random(w, 60));
	if (type == ENTRY_VOTERS)
		entry.voters = node->view->voters;
	size = entry_encode(&entry, buf, sizeof(buf));
	if (size == 0)
		abort();
	w->actions.count = 0;
	w->actions.used = 0;
	taken = view_propose(node->view, cookie, buf, size, w->now_ms, &w->actions);
	world_perform(w, n);
	return taken;
}

// A voter is taken off the list, or a member without a vote gets one; anybody may ask, in any
// order.
static void world_voters_change(struct world *w, uint32_t n)
{
	struct world_node *node = &w->nodes[n];
	struct voters voters = node->cluster.voters;
	uint32_t id = 1 + (uint32_t)world_random(w, w->count), at = 0;

	// While a voter's store is lost a list without one of the others could never be made good.
	if (!node->up || !view_normal(node->view) ||
	    voters_here(node->view, &voters, true) < voters.count)
		return;
	while (at < voters.count && voters.list[at].id < id)
		at++;
	if (at < voters.count && voters.list[at].id == id) {
		if (voters.count == 1)
			return;
		voters.count--;
		memmove(&voters.list[at], &voters.list[at + 1],
			(voters.count - at) * sizeof(struct voter));
		memset(&voters.list[voters.count], 0, sizeof(struct voter));
	} else {
		if (view_member_store(node->view, id) == 0)
			return;
		memmove(&voters.list[at + 1], &voters.list[at],
			(voters.count - at) * sizeof(struct voter));
		voters.list[at].id = id;
		voters.list[at].store = view_member_store(node->view, id);
		voters.count++;
	}
	world_voters_propose(w, n, &voters);
}

static bool world_settle(struct world *w, uint32_t steps)
{
	uint32_t idle = 0;

	for (uint32_t i = 0; i < steps; i++) {
		if (world_progress(w)) {
			idle = 0;
			continue;
		}
		w->now_ms += 100;
		if (!w->quiet) {
			for (uint32_t n = 0; n < w->count; n++)
				world_voters_look(w, n);
		}
		if (++idle > 30)
			return true;
	}
	return false;
}

static bool world_all_normal(const struct world *w)
{
	for (uint32_t n = 0; n < w->count; n++) {
		if (w->nodes[n].up && !view_normal(w->nodes[n].view))
			return false;
	}
	return true;
}

static void heal_all(struct world *w)
{
	for (uint32_t n = 0; n < w->count; n++) {
		if (!w->nodes[n].up)
			world_boot(w, n, false);
	}
	world_split(w, together);
}

static struct world *started(uint32_t nodes, uint64_t seed)
{
	struct world *w = world_new(nodes);

	world_start(w, seed);
	heal_all(w);
	assert_true(world_settle(w, 20000));
	return w;
}

static void everybody_agrees(struct world *w)
{
	if (w->failed)
		return;
	if (!world_all_normal(w)) {
		for (uint32_t n = 0; n < w->count; n++) {
			char buf[300];

			view_reason(w->nodes[n].view, buf, sizeof(buf));
			fprintf(stderr, "node %u: state %u: %s; out %u, ops %u, items %u of %u\n",
				n + 1, w->nodes[n].view->state, buf, w->nodes[n].out_count,
				w->nodes[n].op_count, w->nodes[n].cursor,
				w->components[w->nodes[n].component].count);
		}
		world_fail(w, "not everybody is in a normal view");
		return;
	}
	for (uint32_t n = 1; n < w->count; n++) {
		if (view_committed(w->nodes[n].view) != view_committed(w->nodes[0].view))
			world_fail(w, "not everybody knows what is committed");
		if (cluster_digest(&w->nodes[n].cluster) != cluster_digest(&w->nodes[0].cluster))
			world_fail(w, "replicas differ");
		if (w->nodes[n].view->proposals.count > 0)
			world_fail(w, "a proposal is left over");
		if (w->nodes[n].view->proposals.head > 0)
			world_fail(w, "the room for proposals is gone through for nothing");
	}
}

static void test_first_start(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	world_start(w, 1);
	world_boot(w, 0, false);
	world_boot(w, 1, false);
	assert_true(world_settle(w, 2000));
	assert_int_equal(view_state(w->nodes[0].view), VIEW_WAITING);
	world_boot(w, 2, false);
	assert_true(world_settle(w, 2000));
	everybody_agrees(w);
	assert_null(w->failed);
	assert_int_equal(view_coordinator_id(w->nodes[2].view), 1);
	assert_int_equal(view_committed(w->nodes[0].view), 1);
	assert_false(view_learner(w->nodes[1].view));
	for (uint32_t i = 0; i < 500; i++) {
		world_propose(w, i % 3, ENTRY_VM_CLEAR);
		assert_true(world_settle(w, 2000));
	}
	everybody_agrees(w);
	assert_null(w->failed);
	assert_int_equal(view_committed(w->nodes[0].view), 501);
	world_free(w);
}

static void test_one_node(void **state)
{
	struct world *w = started(1, 2);

	(void)state;
	assert_true(view_coordinator(w->nodes[0].view));
	assert_true(world_propose(w, 0, ENTRY_VM_CLEAR));
	assert_true(world_settle(w, 1000));
	assert_int_equal(view_committed(w->nodes[0].view), 2);
	world_crash(w, 0);
	world_boot(w, 0, false);
	assert_true(world_settle(w, 1000));
	assert_int_equal(view_committed(w->nodes[0].view), 3);
	assert_null(w->failed);
	world_free(w);
}

static void test_lost_store_learns_and_is_readmitted(void **state)
{
	struct world *w = started(3, 3);

	(void)state;
	world_crash(w, 1);
	assert_true(world_settle(w, 5000));
	world_boot(w, 1, true);
	w->quiet = true;
	assert_true(world_settle(w, 5000));
	assert_true(view_learner(w->nodes[1].view));
	assert_true(view_normal(w->nodes[1].view));
	// Two of three voters are left: with one of them gone nothing may be committed.
	world_crash(w, 2);
	assert_true(world_settle(w, 5000));
	assert_int_equal(view_state(w->nodes[0].view), VIEW_WAITING);
	world_boot(w, 2, false);
	w->quiet = false;
	assert_true(world_settle(w, 20000));
	assert_false(view_learner(w->nodes[1].view));
	world_crash(w, 2);
	assert_true(world_settle(w, 5000));
	assert_true(view_normal(w->nodes[1].view));
	assert_null(w->failed);
	world_free(w);
}

// A copy of several messages, more than are sent at once.
static void test_large_copy(void **state)
{
	struct world *w = started(3, 10);
	size_t size;

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		struct cluster *cluster = &w->nodes[n].cluster;

		for (uint32_t i = 0; i < WORLD_VMS; i++) {
			struct vm *vm = &cluster->vms[i];
			struct vm_def *def = &cluster->defs[i];

			memset(vm, 0, sizeof(*vm));
			memset(def, 0, sizeof(*def));
			vm->used = true;
			vm->ref.slot = i;
			vm->ref.serial = i + 1;
			vm->owner = SLOT_NONE;
			vm->last_owner = SLOT_NONE;
			def->uuid.bytes[0] = (uint8_t)i;
			def->uuid.bytes[1] = (uint8_t)(i >> 8);
			def->uuid.bytes[2] = 1;
			def->cpus = 1;
			def->memory_mib = 1;
			snprintf(def->name, sizeof(def->name), "vm%u", i);
			memset(def->description, 'd', sizeof(def->description) - 1);
			memset(def->cmdline, 'c', sizeof(def->cmdline) - 1);
			memset(vm->reason, 'r', sizeof(vm->reason) - 1);
		}
		cluster->vm_count = WORLD_VMS;
		cluster->vm_high = WORLD_VMS;
		cluster->next_serial = 100000;
	}
	size = cluster_encode(&w->nodes[0].cluster, NULL, 0);
	assert_true(size > 4 * COPY_CHUNK_SIZE);
	world_crash(w, 1);
	world_boot(w, 1, true);
	assert_true(world_settle(w, 20000));
	everybody_agrees(w);
	assert_null(w->failed);
	assert_int_equal(w->nodes[1].cluster.vm_count, WORLD_VMS);
	world_free(w);
}

static void test_recover(void **state)
{
	struct world *w = started(3, 4);
	struct event event = { .type = EVENT_RECOVER, .cookie = 77 };

	(void)state;
	event.now_ms = w->now_ms;
	world_step(w, 0, &event);
	assert_int_equal(w->replies, 1);
	assert_false(w->reply_accepted);
	world_crash(w, 1);
	world_crash(w, 2);
	assert_true(world_settle(w, 5000));
	assert_int_equal(view_state(w->nodes[0].view), VIEW_WAITING);
	w->loss_allowed = true;
	event.now_ms = w->now_ms;
	world_step(w, 0, &event);
	assert_true(world_settle(w, 5000));
	assert_int_equal(w->replies, 2);
	assert_true(w->reply_accepted);
	assert_non_null(strstr(w->reply_reason, "node 2, node 3"));
	assert_true(view_normal(w->nodes[0].view));
	world_propose(w, 0, ENTRY_VM_CLEAR);
	assert_true(world_settle(w, 5000));
	// The absent ones come back as learners of what went on without them.
	world_boot(w, 1, false);
	world_boot(w, 2, false);
	assert_true(world_settle(w, 20000));
	everybody_agrees(w);
	assert_null(w->failed);
	assert_true(view_learner(w->nodes[1].view));
	world_crash(w, 0);
	world_boot(w, 0, false);
	assert_true(world_settle(w, 20000));
	everybody_agrees(w);
	assert_null(w->failed);
	world_free(w);
}

static void test_other_cluster_is_left_out(void **state)
{
	struct world *w = world_new(4);
	const int apart[WORLD_NODES] = { 0, 0, 0, 1 };

	(void)state;
	world_start(w, 5);
	world_split(w, apart);
	// Node 4 alone was a cluster of its own, with more in its log than the others have.
	w->count = 4;
	world_boot(w, 3, false);
	{
		struct group_member member = { .id = 4 };
		struct event event = { .type = EVENT_NODELIST,
				       .members = &member,
				       .member_count = 1 };

		event.now_ms = w->now_ms;
		world_step(w, 3, &event);
	}
	assert_true(world_settle(w, 5000));
	assert_true(view_normal(w->nodes[3].view));
	for (uint32_t i = 0; i < 50; i++) {
		world_propose(w, 3, ENTRY_VM_CLEAR);
		assert_true(world_settle(w, 500));
	}
	memset(w->committed, 0, sizeof(w->committed));
	memset(w->written, 0, sizeof(w->written));
	memset(w->coordinator_of, 0, sizeof(w->coordinator_of));
	w->committed_max = 0;
	for (uint32_t n = 0; n < 3; n++) {
		struct group_member members[3] = { { .id = 1 }, { .id = 2 }, { .id = 3 } };
		struct event event = { .type = EVENT_NODELIST,
				       .members = members,
				       .member_count = 3 };

		world_boot(w, n, false);
		event.now_ms = w->now_ms;
		world_step(w, n, &event);
	}
	assert_true(world_settle(w, 5000));
	assert_true(view_normal(w->nodes[0].view));
	world_split(w, together);
	assert_true(world_settle(w, 5000));
	assert_true(view_normal(w->nodes[0].view));
	assert_int_equal(view_state(w->nodes[3].view), VIEW_WAITING);
	assert_int_equal(view_committed(w->nodes[3].view), 51);
	assert_null(w->failed);
	world_free(w);
}

static void test_spoiled_replica_begins_anew(void **state)
{
	struct world *w = started(3, 6);

	(void)state;
	w->nodes[1].cluster.next_serial ^= 1;
	assert_true(world_propose(w, 0, ENTRY_CHECK));
	assert_true(world_settle(w, 20000));
	assert_int_equal(w->resets, 1);
	everybody_agrees(w);
	assert_false(view_learner(w->nodes[1].view));
	assert_false(view_frozen(w->nodes[0].view));
	// Two that differ: nobody is right, so nothing changes and nobody loses what it has.
	world_crash(w, 2);
	assert_true(world_settle(w, 20000));
	w->nodes[1].cluster.next_serial ^= 1;
	assert_true(world_propose(w, 0, ENTRY_CHECK));
	assert_true(world_settle(w, 20000));
	assert_true(view_frozen(w->nodes[0].view));
	assert_true(view_frozen(w->nodes[1].view));
	assert_false(world_propose(w, 1, ENTRY_VM_CLEAR));
	assert_int_equal(w->resets, 1);
	w->nodes[1].cluster.next_serial = w->nodes[0].cluster.next_serial;
	assert_true(world_propose(w, 1, ENTRY_CHECK));
	assert_true(world_settle(w, 20000));
	assert_false(view_frozen(w->nodes[0].view));
	assert_true(world_propose(w, 1, ENTRY_VM_CLEAR));
	assert_null(w->failed);
	world_free(w);
}

static void test_failed_store_takes_no_part(void **state)
{
	struct world *w = started(3, 7);
	struct event event = { .type = EVENT_STORE_FAILED, .reason = "disk full" };

	(void)state;
	event.now_ms = w->now_ms;
	world_step(w, 0, &event);
	assert_true(world_settle(w, 20000));
	assert_int_equal(view_state(w->nodes[0].view), VIEW_CLOSED);
	assert_true(view_normal(w->nodes[1].view));
	assert_int_equal(view_coordinator_id(w->nodes[1].view), 2);
	world_propose(w, 1, ENTRY_VM_CLEAR);
	assert_true(world_settle(w, 20000));
	assert_int_equal(view_committed(w->nodes[2].view), 3);
	world_crash(w, 2);
	assert_true(world_settle(w, 20000));
	assert_int_equal(view_state(w->nodes[1].view), VIEW_WAITING);
	assert_null(w->failed);
	world_free(w);
}

// A daemon that hangs while its host lives stays in the group: those who answer go on without it.
static void test_silent_member_is_left_out(void **state)
{
	struct world *w = started(3, 8);

	(void)state;
	world_crash(w, 2);
	assert_true(world_settle(w, 20000));
	// Node 3's process is in the group and its store never opens.
	world_boot(w, 2, false);
	world_crash(w, 2);
	w->nodes[2].up = true;
	for (;;) {
		world_boot(w, 2, false);
		if (w->nodes[2].op_count > 0)
			break;
		world_crash(w, 2);
	}
	w->nodes[2].up = false;
	for (uint32_t i = 0; i < 100; i++) {
		w->now_ms += 100;
		world_settle(w, 40);
	}
	assert_int_equal(view_state(w->nodes[0].view), VIEW_NORMAL);
	assert_int_equal(view_state(w->nodes[1].view), VIEW_NORMAL);
	assert_true(view_member(w->nodes[0].view, 3));
	assert_false(view_synchronised(w->nodes[0].view, 3));
	assert_int_equal(view_member_store(w->nodes[0].view, 3), 0);
	assert_null(w->failed);
	world_free(w);
}

static void test_bad_messages(void **state)
{
	struct world *w = started(3, 9);
	uint64_t dropped = view_dropped(w->nodes[0].view);
	uint8_t bytes[64];
	struct event event = {
		.type = EVENT_MESSAGE, .from_id = 2, .from_pid = w->nodes[1].pid, .body = bytes
	};

	(void)state;
	event.now_ms = w->now_ms;
	for (uint32_t i = 0; i < 100000; i++) {
		event.body_size = world_random(w, sizeof(bytes));
		for (size_t j = 0; j < event.body_size; j++)
			bytes[j] = (uint8_t)world_random(w, 256);
		if (i % 2 && event.body_size > 3) {
			bytes[0] = 0x63;
			bytes[1] = 0x56;
			bytes[2] = VIEW_PROTOCOL;
			bytes[3] = (uint8_t)world_random(w, 12);
		}
		world_step(w, 0, &event);
	}
	assert_true(view_dropped(w->nodes[0].view) > dropped + 50000);
	event.from_id = 9;
	dropped = view_dropped(w->nodes[0].view);
	world_step(w, 0, &event);
	assert_int_equal(view_dropped(w->nodes[0].view), dropped + 1);
	world_free(w);
}

// ---- schedules drawn from a seed ----

static void fault(struct world *w)
{
	uint32_t n = (uint32_t)world_random(w, w->count);
	int part[WORLD_NODES] = { 0 };

	switch (world_random(w, 6)) {
	case 0:
		world_crash(w, n);
		break;
	case 1:
	case 2:
		if (!w->nodes[n].up)
			world_boot(w, n, false);
		break;
	case 3:
		for (uint32_t i = 0; i < w->count; i++)
			part[i] = (int)world_random(w, 2 + world_random(w, 2));
		world_split(w, part);
		break;
	case 4:
		world_split(w, together);
		break;
	case 5:
		// A power cut for all of them.
		if (world_random(w, 4) == 0) {
			for (uint32_t i = 0; i < w->count; i++)
				world_crash(w, i);
		}
		break;
	}
}

// A store is lost only while every voter's is there: more than a minority can never be made good.
static void lose_one(struct world *w)
{
	uint32_t n = (uint32_t)world_random(w, w->count);

	heal_all(w);
	if (!world_settle(w, 60000))
		world_fail(w, "it does not settle");
	everybody_agrees(w);
	for (uint32_t i = 0; i < w->count; i++) {
		const struct voters *voters = &w->nodes[i].cluster.voters;

		if (w->failed || w->nodes[i].op_count > 0 || voters->count < 3 ||
		    voters_here(w->nodes[i].view, voters, true) < voters->count)
			return;
	}
	world_crash(w, n);
	world_boot(w, n, true);
}

static const enum entry_type proposed[8] = {
	ENTRY_VM_CLEAR, ENTRY_VM_CLEAR, ENTRY_VM_CLEAR, ENTRY_VM_CLEAR,
	ENTRY_NODE_REPORT, ENTRY_NODE_REPORT, ENTRY_CHECK, ENTRY_VM_CLEAR,
};

static bool schedule(struct world *w, uint64_t seed, uint32_t nodes)
{
	uint32_t steps, busy, rough;
	bool changes;

	w->count = nodes;
	world_start(w, seed);
	w->quiet = world_random(w, 3) == 0;
	w->slow = world_random(w, 3) == 0 ? (uint32_t)world_random(w, 1u << nodes) : 0;
	changes = world_random(w, 2) == 0;
	busy = 2 + (uint32_t)world_random(w, 16);
	rough = 10 + (uint32_t)world_random(w, 150);
	steps = 200 + (uint32_t)world_random(w, 3000);
	for (uint32_t n = 0; n < nodes; n++)
		world_boot(w, n, false);
	for (uint32_t i = 0; i < steps && !w->failed; i++) {
		world_progress(w);
		if (world_random(w, busy) == 0)
			world_propose(w, (uint32_t)world_random(w, nodes),
				      proposed[world_random(w, 8)]);
		if (changes && world_random(w, 40) == 0)
			world_voters_change(w, (uint32_t)world_random(w, nodes));
		if (world_random(w, 20) == 0)
			w->now_ms += world_random(w, 300);
		if (world_random(w, rough) == 0)
			fault(w);
		if (world_random(w, 600) == 0)
			lose_one(w);
	}
	w->quiet = false;
	w->slow = 0;
	heal_all(w);
	if (!w->failed && !world_settle(w, 60000))
		world_fail(w, "it does not settle");
	everybody_agrees(w);
	if (!w->failed) {
		world_propose(w, 0, ENTRY_VM_CLEAR);
		world_settle(w, 60000);
		everybody_agrees(w);
	}
	return !w->failed;
}

static void test_schedules(void **state)
{
	const char *given = getenv("VIEW_SEEDS"), *from = getenv("VIEW_SEED");
	uint64_t seeds = given ? strtoull(given, NULL, 10) : 2000;
	uint64_t first = from ? strtoull(from, NULL, 10) : 0, failed = 0;
	struct world *w = world_new(WORLD_NODES);

	(void)state;
	for (uint64_t seed = first; seed < first + seeds; seed++)
		failed += !schedule(w, seed, 1 + (uint32_t)(seed % WORLD_NODES));
	printf("%llu schedules: %llu views, %llu committed, %llu stores made anew, %llu words over "
	       "links, %llu of them heard in another view\n",
	       (unsigned long long)seeds, (unsigned long long)w->views,
	       (unsigned long long)w->commits, (unsigned long long)w->resets,
	       (unsigned long long)w->words_told, (unsigned long long)w->words_late);
	assert_true(w->words_late > 0);
	assert_int_equal(failed, 0);
	assert_int_equal(w->resets, 0);
	w->count = WORLD_NODES;
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_start),
		cmocka_unit_test(test_one_node),
		cmocka_unit_test(test_lost_store_learns_and_is_readmitted),
		cmocka_unit_test(test_large_copy),
		cmocka_unit_test(test_recover),
		cmocka_unit_test(test_other_cluster_is_left_out),
		cmocka_unit_test(test_spoiled_replica_begins_anew),
		cmocka_unit_test(test_failed_store_takes_no_part),
		cmocka_unit_test(test_silent_member_is_left_out),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
