// SPDX-License-Identifier: Apache-2.0
// cluster_apply() of reports and decisions: the lives of nodes, volumes, leases and VMs.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/cluster_internal.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	fixture_web(&f, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

enum { ATTEMPT = 1 };	// the fixture defines its nodes at index 2, and attempts count on from the
			// index before

static struct entry fencing(uint32_t id, uint32_t attempt)
{
	struct entry entry = about_node(ENTRY_NODE_FENCING, id);

	entry.attempt = ATTEMPT + attempt;
	entry.actor = 0;
	entry.generation_mask = 3;
	entry.generation[0] = id * 10;
	entry.generation[1] = id * 10 + 1;
	return entry;
}

static struct entry fence_says(enum entry_type type, uint32_t id, uint32_t attempt, bool flag)
{
	struct entry entry = about_node(type, id);

	entry.from = 1;
	entry.attempt = ATTEMPT + attempt;
	entry.flag = flag;
	text_copy(entry.reason, REASON_SIZE, flag ? "" : "no answer");
	return entry;
}

static void decisions_of_another_view_are_refused(void **state)
{
	(void)state;
	for (int type = ENTRY_VOTERS; type < ENTRY_TYPE_COUNT; type++) {
		struct entry entry = {
			.type = (uint8_t)type, .view = 6, .node_id = 1, .move_outcome = MOVE_DONE
		};

		refused(&f, entry, "stale-view", "decided in view 6 and this is view 7");
	}
	accept(&f, (struct entry){ .type = ENTRY_VIEW, .view = 8 });
	refused(&f, (struct entry){ .type = ENTRY_NODE_LOST, .view = 7, .node_id = 1 },
		"stale-view", "7");
	accept(&f, (struct entry){ .type = ENTRY_CHECK });
}

static void one_voter_changes_at_a_time(void **state)
{
	struct entry entry = { .type = ENTRY_VOTERS };

	(void)state;
	refused(&f, entry, "no-voters", "at least one");
	entry.voters = (struct voters){ .count = 2, .list = { { 1, 11 }, { 2, 12 } } };
	refused(&f, entry, "voters", "not 2");
	entry.voters.count = 1;
	accept(&f, entry);
	refused(&f, entry, "voters", "not 0");
	entry.voters.count = 2;
	accept(&f, entry);
	entry.voters.list[0].store = 99;
	accept(&f, entry);
	entry.voters.list[0].store = 98;
	entry.voters.list[1].store = 97;
	refused(&f, entry, "voters", "not 2");
	entry.voters = (struct voters){ .count = 2, .list = { { 2, 12 }, { 3, 13 } } };
	refused(&f, entry, "voters", "not 2");
	entry.voters.count = 1;
	accept(&f, entry);
	assert_int_equal(f.cluster.voters.count, 1);
	assert_int_equal(f.cluster.voters.list[0].id, 2);
}

static void nodes_speak_for_themselves(void **state)
{
	struct entry entry = about_node(ENTRY_NODE_REPORT, 1);

	(void)state;
	entry.from = 2;
	refused(&f, entry, "not-yours", "itself");
	entry.type = ENTRY_NODE_GOODBYE;
	refused(&f, entry, "not-yours", "itself");
	refused(&f, about_node(ENTRY_NODE_REPORT, 9), "no-such-node", "9");
	run_vm(&f, "web", 0);
	refused(&f, about_node(ENTRY_NODE_GOODBYE, 1), "in-use", "still has vm web");
	accept(&f, about_node(ENTRY_NODE_GOODBYE, 2));
	assert_int_equal(the_node(&f, 2)->life, NODE_LEFT);
	assert_false(the_node(&f, 2)->reported);
	accept(&f, about_node(ENTRY_NODE_LOST, 3));
	refused(&f, about_node(ENTRY_NODE_GOODBYE, 3), "node-state", "n3 is lost");
	accept(&f, about_node(ENTRY_NODE_BACK, 3));
	assert_false(the_node(&f, 3)->reported);
	node_reports(&f, 3, false);
	assert_true(the_node(&f, 3)->reported);
}

static void a_lost_node_is_fenced_and_released(void **state)
{
	struct cluster_node *node = the_node(&f, 2);
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	refused(&f, fencing(2, 1), "node-state", "n2 is online");
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	assert_int_equal(node->life, NODE_LOST);
	assert_int_equal(node->since_ms, f.at_ms);
	assert_int_equal(vm->phase, VM_RUNNING);
	assert_int_equal(vm->owner, 1);
	refused(&f, about_node(ENTRY_NODE_LOST, 2), "node-state", "lost");
	assert_false(place_one(&f, "web", 2, VM_PLACED)); // nothing is proven
	assert_false(place_one(&f, "web", SLOT_NONE, VM_IDLE));
	refused(&f, fencing(2, 2), "stale", "n2");
	accept(&f, fencing(2, 1));
	assert_int_equal(node->life, NODE_FENCING);
	assert_int_equal(node->fence_generation[1], 21);
	accept(&f, about_node(ENTRY_NODE_LOST, 2)); // no news
	assert_int_equal(node->life, NODE_FENCING);
	refused(&f, fence_says(ENTRY_FENCE_RESULT, 2, 0, true), "stale", "n2");
	accept(&f, fence_says(ENTRY_FENCE_RESULT, 2, 1, false));
	assert_int_equal(node->life, NODE_LOST);
	assert_int_equal(node->fence_failures, 1);
	assert_string_equal(node->reason, "no answer");
	accept(&f, fencing(2, 2));
	refused(&f, fence_says(ENTRY_FENCE_RESULT, 2, 1, true), "stale", "n2");
	refused(&f, fence_says(ENTRY_NODE_RELEASED, 2, 2, true), "stale", "n2"); // not off yet
	{
		struct entry entry = fence_says(ENTRY_FENCE_RESULT, 2, 2, true);

		entry.from = 3;
		refused(&f, entry, "not-yours", "only n1 fences n2");
	}
	accept(&f, fence_says(ENTRY_FENCE_RESULT, 2, 2, true));
	assert_int_equal(node->life, NODE_FENCED);
	assert_int_equal(node->fence_failures, 0);
	assert_false(place_one(&f, "web", 2, VM_PLACED)); // its claims stand
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 2, false));
	assert_int_equal(node->life, NODE_FENCED);
	assert_int_equal(vm->phase, VM_RUNNING);
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 2, true));
	assert_int_equal(node->life, NODE_DEAD);
	assert_false(node->reported);
	assert_int_equal(vm->phase, VM_IDLE);
	assert_int_equal(vm->owner, SLOT_NONE);
	assert_int_equal(vm->last_owner, 1);
	assert_string_equal(vm->reason, "n2 was lost");
	assert_true(place_one(&f, "web", 2, VM_PLACED));
	accept(&f, about_node(ENTRY_NODE_BACK, 2));
	assert_int_equal(node->life, NODE_ONLINE);
}

// Its power is off: what cannot be released expires, and no VM waits for more than that.
static void a_claim_that_cannot_be_released_keeps_no_vm_down(void **state)
{
	struct cluster_node *node = the_node(&f, 2);

	(void)state;
	run_vm(&f, "web", 1);
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	accept(&f, fencing(2, 1));
	accept(&f, fence_says(ENTRY_FENCE_RESULT, 2, 1, true));
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, false));
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, false));
	assert_int_equal(node->life, NODE_FENCED);
	assert_int_equal(the_vm(&f, "web")->phase, VM_RUNNING);
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, false));
	assert_int_equal(node->life, NODE_DEAD);
	assert_int_equal(node->fence_failures, 0);
	assert_int_equal(the_vm(&f, "web")->phase, VM_IDLE);
}

static void a_node_defined_again_is_not_told_of_by_old_fences(void **state)
{
	struct entry entry = { .type = ENTRY_REMOVE, .object = OBJECT_NODE, .name = "n2" };
	uint32_t last;

	(void)state;
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	accept(&f, fencing(2, 1));
	accept(&f, fence_says(ENTRY_FENCE_RESULT, 2, 1, true));
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, true));
	last = the_node(&f, 2)->fence_attempt;
	accept(&f, entry);
	doc_begin(&f);
	doc_node(&f, "n2", 2)->fence_count = 1;
	text_copy(f.nodes[0].fences[0].agent, NAME_SIZE, "fence_lab");
	doc_accept(&f);
	assert_true(the_node(&f, 2)->fence_attempt > last);
}

static void no_number_of_failed_fences_is_proof(void **state)
{
	struct cluster_node *node = the_node(&f, 2);

	(void)state;
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	for (uint32_t attempt = 1; attempt <= 20; attempt++) {
		accept(&f, fencing(2, attempt));
		accept(&f, fence_says(ENTRY_FENCE_RESULT, 2, attempt, false));
		assert_int_equal(node->life, NODE_LOST);
		assert_int_equal(node->fence_failures, attempt);
	}
}

static void confirmation_needs_a_lost_node(void **state)
{
	struct entry entry = named(ENTRY_NODE_CONFIRM_DEAD, "n2");
	struct cluster_node *node = the_node(&f, 2);

	(void)state;
	refused(&f, entry, "node-state", "n2 is online");
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	// Said a view ago: it may have started since, come back, and be lost again, alive.
	entry.view = f.cluster.view - 1;
	refused(&f, entry, "stale-view", "decided in view");
	assert_int_equal(node->life, NODE_LOST);
	entry.view = 0;
	accept(&f, entry);
	assert_int_equal(node->life, NODE_FENCED);
	assert_int_equal(node->fence_attempt, ATTEMPT + 1);
	assert_int_equal(node->fence_generation_mask, 3);
	assert_int_equal(node->fence_generation[0], 20);
	assert_string_equal(node->reason, "confirmed dead by the administrator");
	refused(&f, entry, "node-state", "fenced");
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, true));
	refused(&f, named(ENTRY_NODE_FENCE, "n2"), "already-off", "n2");
	refused(&f, named(ENTRY_NODE_CONFIRM_DEAD, "n9"), "no-such-node", "n9");
}

static void fences_may_be_asked_for(void **state)
{
	struct entry entry = named(ENTRY_NODE_FENCE, "n2");

	(void)state;
	refused(&f, named(ENTRY_NODE_FENCE, "n9"), "no-such-node", "n9");
	accept(&f, entry);
	assert_true(the_node(&f, 2)->fence_wanted);
	accept(&f, fencing(2, 1)); // although it is online
	doc_node(&f, "n3", 3);
	doc_accept(&f);
	refused(&f, named(ENTRY_NODE_FENCE, "n3"), "no-fence-device", "n3");
	entry = named(ENTRY_NODE_MANAGE, "n3");
	accept(&f, entry);
	assert_false(the_node(&f, 3)->managed);
}

static void expiry_is_believed_of_watched_hosts_alone(void **state)
{
	(void)state;
	refused(&f, about_node(ENTRY_NODE_EXPIRING, 2), "node-state", "online");
	node_reports(&f, 2, false);
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	refused(&f, about_node(ENTRY_NODE_EXPIRING, 2), "no-watchdog", "n2");
	accept(&f, about_node(ENTRY_NODE_BACK, 2));
	node_reports(&f, 2, true);
	accept(&f, about_node(ENTRY_NODE_BACK, 2));
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	refused(&f, about_node(ENTRY_NODE_EXPIRING, 2), "no-watchdog",
		"n2"); // not reported in this life
	accept(&f, about_node(ENTRY_NODE_BACK, 2));
	node_reports(&f, 2, true);
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 2));
	assert_int_equal(the_node(&f, 2)->life, NODE_EXPIRING);
}

// Taken from an expiring node without proof, a VM keeps its disks and leases until some owner held
// the lease.
static void unproven_vms_keep_what_they_are(void **state)
{
	struct entry entry = named(ENTRY_REMOVE, "web");
	struct vm *vm;

	(void)state;
	entry.object = OBJECT_VM;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 2));
	assert_true(place_one(&f, "web", 2, VM_PLACED));
	assert_int_equal(vm->last_owner, 1);
	vm_reports(&f, "web", 3, VM_REPORT_START_FAILED, "the lease is held");
	assert_int_equal(vm->phase, VM_IDLE);
	refused(&f, entry, "may-run", "may still run on n2");
	doc_begin(&f);
	doc_vm(&f, "web", "v1")->hugepages = true;
	doc_refused(&f, "may-run", "may still run on n2");
	doc_begin(&f);
	doc_vm(&f, "web", "v1")->priority = 2;
	doc_accept(&f);
	assert_true(place_one(&f, "web", 2, VM_PLACED));
	vm_reports(&f, "web", 3, VM_REPORT_STARTED, "");
	assert_int_equal(vm->unproven, 0);
	vm_reports(&f, "web", 3, VM_REPORT_STOPPED, "");
	accept(&f, entry);
}

static void proof_clears_unproven(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 2));
	assert_true(place_one(&f, "web", 2, VM_PLACED));
	vm_reports(&f, "web", 3, VM_REPORT_START_FAILED, "x");
	assert_int_equal(vm->unproven, 1 << 1);
	accept(&f, named(ENTRY_NODE_CONFIRM_DEAD, "n2"));
	assert_int_equal(vm->unproven, 1 << 1);
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, true));
	assert_int_equal(vm->unproven, 0);
}

static void a_node_that_came_back_clears_unproven(void **state)
{
	struct vm *vm;

	(void)state;
	for (int goodbye = 0; goodbye < 2; goodbye++) {
		run_vm(&f, goodbye ? "db" : "web", 1);
		vm = the_vm(&f, goodbye ? "db" : "web");
		accept(&f, about_node(ENTRY_NODE_LOST, 2));
		accept(&f, about_node(ENTRY_NODE_EXPIRING, 2));
		assert_true(place_one(&f, goodbye ? "db" : "web", 2, VM_PLACED));
		vm_reports(&f, goodbye ? "db" : "web", 3, VM_REPORT_START_FAILED, "x");
		assert_int_equal(vm->unproven, 1 << 1);
		accept(&f, about_node(ENTRY_NODE_BACK, 2));
		assert_int_equal(vm->unproven, 1 << 1);
		// Made before it was lost, and heard only now: it says nothing of what it has found
		// since.
		if (!goodbye) {
			struct entry entry = about_node(ENTRY_NODE_REPORT, 2);

			entry.view = f.cluster.view - 1;
			refused(&f, entry, "stale-view", "n2");
			assert_int_equal(vm->unproven, 1 << 1);
		}
		if (goodbye)
			accept(&f, about_node(ENTRY_NODE_GOODBYE, 2));
		else
			node_reports(&f, 2, true);
		assert_int_equal(vm->unproven, 0);
	}
}

static void volumes_are_prepared_once(void **state)
{
	struct entry prepare = {
		.type = ENTRY_VOLUME_PREPARE, .volume = 2, .attempt = 1, .actor = 1
	};
	struct entry done = { .type = ENTRY_VOLUME_PREPARED, .volume = 2, .attempt = 1, .from = 2 };
	struct entry remove = named(ENTRY_REMOVE, "v3");

	(void)state;
	remove.object = OBJECT_VOLUME;
	refused(&f, prepare, "no-such-volume", "removed");
	doc_volume(&f, "v3", "/srv/v3");
	doc_accept(&f);
	prepare.attempt = 2;
	refused(&f, prepare, "stale", "v3");
	prepare.attempt = 1;
	accept(&f, prepare);
	refused(&f, remove, "in-use", "being prepared");
	text_copy(f.volumes[0].source, PATH_SIZE, "/srv/other");
	doc_refused(&f, "in-use", "being prepared");
	done.from = 1;
	refused(&f, done, "stale", "v3");
	done.from = 2;
	text_copy(done.reason, REASON_SIZE, "read-only");
	accept(&f, done);
	assert_string_equal(f.cluster.volumes[2].reason, "read-only");
	assert_int_equal(f.cluster.volumes[2].prepare_actor, SLOT_NONE);
	refused(&f, done, "stale", "v3");
	prepare.attempt = done.attempt = 2;
	accept(&f, prepare);
	done.flag = true;
	accept(&f, done);
	assert_true(f.cluster.volumes[2].prepared);
	prepare.attempt = 3;
	refused(&f, prepare, "stale", "v3");
	doc_accept(&f); // another source: to be prepared again
	assert_false(f.cluster.volumes[2].prepared);
}

static void a_lease_is_written_once(void **state)
{
	struct entry write = { .type = ENTRY_LEASE_WRITE, .volume = 0, .actor = 1 };
	struct entry done = { .type = ENTRY_LEASE_WRITTEN, .volume = 0, .from = 2 };
	struct vm *vm = the_vm(&f, "web");
	const uint8_t *slots = volume_lease_slots(&f.cluster, 0);

	(void)state;
	write.vm = done.vm = vm->ref;
	write.volume = 1;
	refused(&f, write, "stale", "lease");
	write.volume = 0;
	accept(&f, write);
	assert_int_equal(vm->leases[0].life, LEASE_WRITING);
	refused(&f, write, "stale", "lease");
	done.lease_slot = 1;
	refused(&f, done, "stale", "lease");
	done.lease_slot = 0;
	done.from = 3;
	refused(&f, done, "stale", "lease");
	done.from = 2;
	text_copy(done.reason, REASON_SIZE, "timed out");
	accept(&f, done); // db has slot 1
	assert_int_equal(vm->leases[0].life, LEASE_UNWRITTEN);
	assert_int_equal(slots[0], SLOT_BURNED);
	assert_int_equal(vm->leases[0].slot, 2);
	assert_string_equal(vm->reason, "timed out");
	accept(&f, write);
	write.burn = true;
	write.actor = 2;
	accept(&f, write);
	assert_int_equal(slots[2], SLOT_BURNED);
	assert_int_equal(vm->leases[0].slot, 3);
	refused(&f, write, "no-lease-slot", "v1");
	done.lease_slot = 3;
	refused(&f, done, "stale", "lease");
	done.from = 3;
	done.flag = true;
	accept(&f, done);
	assert_int_equal(vm->leases[0].life, LEASE_READY);
	assert_int_equal(slots[3], SLOT_USED);
	refused(&f, write, "stale", "lease");
}

static void places_need_wish_leases_and_an_idle_vm(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "db"), manage = named(ENTRY_VM_MANAGE, "db");
	struct vm *vm = the_vm(&f, "db");

	(void)state;
	make_leases_ready(&f, "db");
	assert_false(place_one(&f, "db", 0, VM_PLACED));
	want.wanted = VM_WANTED_RUNNING;
	accept(&f, want);
	accept(&f, manage);
	assert_false(place_one(&f, "db", 0, VM_PLACED));
	manage.flag = true;
	accept(&f, manage);
	vm->leases[1].life = LEASE_WRITING;
	assert_false(place_one(&f, "db", 0, VM_PLACED));
	vm->leases[1].life = LEASE_READY;
	accept(&f, about_node(ENTRY_NODE_GOODBYE, 1));
	assert_false(place_one(&f, "db", 0, VM_PLACED));
	assert_false(place_one(&f, "db", 9, VM_PLACED));
	f.cluster.nodes[1].maintenance = true;
	assert_false(place_one(&f, "db", 1, VM_PLACED));
	f.cluster.nodes[1].maintenance = false;
	f.cluster.nodes[1].managed = false;
	assert_false(place_one(&f, "db", 1, VM_PLACED));
	f.cluster.nodes[1].managed = true;
	vm->attempt++;
	{
		uint8_t bytes[512];
		struct place place = { .vm = vm->ref, .owner = 1, .phase = VM_PLACED };
		struct entry entry = { .type = ENTRY_PLACE, .place_count = 1, .places = bytes };

		entry.places_size = place_encode(&place, bytes, sizeof(bytes));
		accept(&f, entry); // an older attempt: this place alone is passed over
		assert_int_equal(vm->phase, VM_IDLE);
	}
	assert_true(place_one(&f, "db", 1, VM_PLACED));
	assert_int_equal(vm->attempt, 2);
	assert_int_equal(vm->owner, 1);
	assert_false(place_one(&f, "db", 2, VM_PLACED));
	assert_false(place_one(&f, "db", SLOT_NONE, VM_IDLE));
	vm_reports(&f, "db", 2, VM_REPORT_START_FAILED, "no emulator");
	assert_true(place_one(&f, "db", SLOT_NONE, VM_ERROR));
	assert_int_equal(vm->phase, VM_ERROR);
	assert_string_equal(vm->reason, "no place");
	assert_false(place_one(&f, "db", 1, VM_PLACED));
}

// A slot holds another VM's lease, or none: written anew in another one, once everybody is there.
static void a_lease_that_is_gone_is_written_anew(void **state)
{
	struct vm *vm = the_vm(&f, "db");
	struct entry want = named(ENTRY_VM_WANT, "db"), write = { .type = ENTRY_LEASE_WRITE };
	uint32_t slot;

	(void)state;
	make_leases_ready(&f, "db");
	slot = vm->leases[0].slot;
	want.wanted = VM_WANTED_RUNNING;
	accept(&f, want);
	assert_true(place_one(&f, "db", 1, VM_PLACED));
	vm_reports(&f, "db", 2, VM_REPORT_LEASE_GONE, "there is no such lease");
	assert_int_equal(vm->leases[0].life, LEASE_GONE);
	assert_int_equal(vm->restarts, 1);
	assert_false(place_one(&f, "db", 1, VM_PLACED));
	write.vm = vm->ref;
	write.volume = vm->leases[0].volume;
	write.actor = 1;
	accept(&f, write);
	assert_int_equal(vm->leases[0].life, LEASE_WRITING);
	assert_int_not_equal(vm->leases[0].slot, slot);
	assert_int_equal(volume_lease_slots(&f.cluster, write.volume)[slot], SLOT_BURNED);
}

static void failures_count_up_to_error(void **state)
{
	struct vm *vm;
	uint8_t node = 0;

	(void)state;
	run_vm(&f, "web", 0);
	vm = the_vm(&f, "web");
	for (int i = 0; i < 5; i++) {
		vm_reports(&f, "web", node + 1, VM_REPORT_DIED, "killed by signal 9");
		assert_int_equal(vm->phase, VM_IDLE);
		assert_string_equal(vm->reason, "killed by signal 9");
		assert_int_equal(vm->restarts, (i + 1) % 2);
		assert_int_equal(vm->relocations, (i + 1) / 2);
		node = (uint8_t)((i + 1) / 2);
		assert_true(place_one(&f, "web", node, VM_PLACED));
	}
	assert_int_equal(vm->failed_on, 3);
	vm_reports(&f, "web", node + 1, VM_REPORT_START_FAILED, "no such disk");
	assert_int_equal(vm->phase, VM_ERROR);
	assert_int_equal(vm->failed_on, 7);
	accept(&f, named(ENTRY_VM_CLEAR, "web"));
	assert_int_equal(vm->phase, VM_IDLE);
	assert_int_equal(vm->failed_on | vm->relocations | vm->restarts, 0);
	assert_string_equal(vm->reason, "");
	refused(&f, named(ENTRY_VM_CLEAR, "nil"), "no-such-vm", "nil");
}

// What ran well for ten minutes has its failures forgiven: one crash a week is not four in a row.
static void failures_long_past_are_forgotten(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 0);
	vm = the_vm(&f, "web");
	for (int i = 0; i < 12; i++) {
		vm_reports(&f, "web", 1, VM_REPORT_DIED, "killed by signal 9");
		assert_int_equal(vm->phase, VM_IDLE);
		assert_int_equal(vm->restarts, 1);
		assert_true(place_one(&f, "web", 0, VM_PLACED));
		vm_reports(&f, "web", 1, VM_REPORT_STARTED, "");
		f.at_ms += 11 * 60 * 1000;
	}
}

static void reports_of_others_and_of_old_attempts_are_refused(void **state)
{
	struct entry entry = { .type = ENTRY_VM_REPORT, .from = 2, .vm_report = VM_REPORT_STOPPED };
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	entry.vm = vm->ref;
	entry.attempt = vm->attempt - 1;
	refused(&f, entry, "stale", "web");
	entry.attempt = vm->attempt;
	entry.from = 3;
	refused(&f, entry, "stale", "web");
	entry.from = 9;
	refused(&f, entry, "no-such-node", "9");
	entry.vm.serial++;
	refused(&f, entry, "no-such-vm", "removed");
	entry.vm = (struct vm_ref){ 4000000000u, 1 };
	refused(&f, entry, "no-such-vm", "removed");
}

static void guests_may_switch_themselves_off(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	vm_reports(&f, "web", 2, VM_REPORT_GUEST_SHUTDOWN, "");
	assert_int_equal(vm->wanted, VM_WANTED_STOPPED);
	assert_int_equal(vm->phase, VM_IDLE);
	doc_begin(&f);
	doc_vm(&f, "web", "v1")->on_guest_shutdown = GUEST_SHUTDOWN_RESTART;
	f.vms[0].wanted_given = true;
	f.vms[0].wanted = VM_WANTED_RUNNING;
	doc_accept(&f);
	assert_true(place_one(&f, "web", 1, VM_PLACED));
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	vm_reports(&f, "web", 2, VM_REPORT_GUEST_SHUTDOWN, "");
	assert_int_equal(vm->wanted, VM_WANTED_RUNNING);
	assert_int_equal(vm->phase, VM_IDLE);
}

static void blocked_means_hands_off(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	vm_reports(&f, "web", 2, VM_REPORT_LEASE_HELD, "n3 holds it");
	assert_string_equal(vm->reason, "n3 holds it");
	vm_reports(&f, "web", 2, VM_REPORT_STUCK, "SIGKILL did not end it");
	assert_int_equal(vm->phase, VM_BLOCKED);
	assert_false(place_one(&f, "web", 2, VM_PLACED));
	refused(&f, named(ENTRY_VM_CLEAR, "web"), "may-run", "may still run on n2");
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	refused(&f, named(ENTRY_VM_CLEAR, "web"), "may-run", "may still run on n2");
	accept(&f, named(ENTRY_NODE_CONFIRM_DEAD, "n2"));
	refused(&f, named(ENTRY_VM_CLEAR, "web"), "may-run", "may still run on n2");
	accept(&f, fence_says(ENTRY_NODE_RELEASED, 2, 1, true));
	assert_int_equal(vm->phase, VM_IDLE);
}

// Whether that is wanted when it is found stuck, or only since.
static void what_is_stuck_may_have_its_node_fenced(void **state)
{
	struct cluster_node *node = &f.cluster.nodes[1];
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	vm_reports(&f, "web", 2, VM_REPORT_STUCK, "SIGKILL did not end it");
	assert_false(node->fence_wanted);
	doc_vm(&f, "web", "v1")->on_stop_failure = ON_STOP_FAILURE_FENCE;
	vm->managed = false;
	doc_accept(&f);
	assert_false(node->fence_wanted);
	vm->managed = true;
	doc_accept(&f);
	assert_int_equal(node->fence_wanted, node->def.fence_count > 0);
	assert_true(node->def.fence_count > 0);
}

static void what_is_found_counts(void **state)
{
	struct vm *vm;
	uint32_t attempt;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	attempt = vm->attempt;
	vm_reports(&f, "web", 2, VM_REPORT_FOUND, "");
	assert_int_equal(vm->phase, VM_RUNNING);
	assert_int_equal(vm->attempt, attempt);
	vm_reports(&f, "web", 3, VM_REPORT_FOUND, "");
	assert_int_equal(vm->phase, VM_BLOCKED);
	assert_int_equal(vm->owner, 1);
	assert_string_equal(vm->reason, "reported running on both n2 and n3");
	vm_reports(&f, "web", 3, VM_REPORT_FOUND, "");
	assert_int_equal(vm->phase, VM_BLOCKED);
	accept(&f, about_node(ENTRY_NODE_LOST, 2));
	vm_reports(&f, "web", 3, VM_REPORT_FOUND, "");
	assert_int_equal(vm->phase, VM_RUNNING);
	assert_int_equal(vm->owner, 2);
	assert_int_equal(vm->attempt, attempt + 1);
	vm_reports(&f, "web", 3, VM_REPORT_STOPPED, "");
	vm_reports(&f, "web", 1, VM_REPORT_FOUND, "");
	assert_int_equal(vm->owner, 0);
	assert_int_equal(vm->phase, VM_RUNNING);
	assert_int_equal(vm->last_owner, 2);
}

static struct entry found_on(uint32_t id, uint32_t attempt, bool running)
{
	struct entry entry = { .type = ENTRY_VM_REPORT,
			       .from = id,
			       .node_id = id,
			       .vm_report = VM_REPORT_FOUND,
			       .attempt = attempt,
			       .flag = running };

	entry.vm = the_vm(&f, "web")->ref;
	return entry;
}

// A report that waited for a view: its QEMU ended since, and another node was placed, and runs it.
static void what_was_found_before_the_placement_is_old(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	refused(&f, found_on(3, vm->attempt - 1, true), "stale", "runs elsewhere since");
	refused(&f, found_on(3, vm->attempt, false), "stale", "runs elsewhere since");
	assert_int_equal(vm->phase, VM_RUNNING);
	assert_int_equal(vm->owner, 1);
	accept(&f, found_on(3, vm->attempt, true));
	assert_int_equal(vm->phase, VM_BLOCKED);
	refused(&f, found_on(1, vm->attempt - 1, true), "stale", "runs elsewhere since");
}

// Whoever was given up since may run it, whatever was found before.
static void an_old_finding_proves_nothing(void **state)
{
	struct vm *vm;

	(void)state;
	run_vm(&f, "web", 1);
	vm = the_vm(&f, "web");
	vm->phase = VM_PLACED;
	vm->unproven = 1;
	accept(&f, found_on(3, vm->attempt - 1, false));
	assert_int_equal(vm->owner, 2);
	assert_int_equal(vm->unproven, 1);
	accept(&f, found_on(3, vm->attempt, true));
	assert_int_equal(vm->unproven, 0);
}

static void wanting_clears_an_error(void **state)
{
	struct entry entry = named(ENTRY_VM_WANT, "web");
	struct vm *vm = the_vm(&f, "web");

	(void)state;
	for (uint8_t wanted = 0; wanted < VM_WANTED_COUNT; wanted++) {
		assert_true(place_one(&f, "web", SLOT_NONE, VM_ERROR));
		vm->relocations = 3;
		entry.wanted = wanted;
		accept(&f, entry);
		assert_int_equal(vm->phase, VM_IDLE);
		assert_int_equal(vm->relocations, 0);
	}
	refused(&f, named(ENTRY_VM_WANT, "nil"), "no-such-vm", "nil");
	refused(&f, named(ENTRY_VM_MANAGE, "nil"), "no-such-vm", "nil");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(decisions_of_another_view_are_refused),
		TEST(one_voter_changes_at_a_time),
		TEST(nodes_speak_for_themselves),
		TEST(a_lost_node_is_fenced_and_released),
		TEST(no_number_of_failed_fences_is_proof),
		TEST(a_claim_that_cannot_be_released_keeps_no_vm_down),
		TEST(a_node_defined_again_is_not_told_of_by_old_fences),
		TEST(confirmation_needs_a_lost_node),
		TEST(fences_may_be_asked_for),
		TEST(expiry_is_believed_of_watched_hosts_alone),
		TEST(unproven_vms_keep_what_they_are),
		TEST(proof_clears_unproven),
		TEST(a_node_that_came_back_clears_unproven),
		TEST(volumes_are_prepared_once),
		TEST(a_lease_is_written_once),
		TEST(places_need_wish_leases_and_an_idle_vm),
		TEST(a_lease_that_is_gone_is_written_anew),
		TEST(failures_count_up_to_error),
		TEST(failures_long_past_are_forgotten),
		TEST(reports_of_others_and_of_old_attempts_are_refused),
		TEST(guests_may_switch_themselves_off),
		TEST(blocked_means_hands_off),
		TEST(what_is_stuck_may_have_its_node_fenced),
		TEST(what_is_found_counts),
		TEST(what_was_found_before_the_placement_is_old),
		TEST(an_old_finding_proves_nothing),
		TEST(wanting_clears_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
