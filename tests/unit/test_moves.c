// SPDX-License-Identifier: Apache-2.0
// Moves in the replicated state: each kind from the request to its outcome, each end lost at each
// stage, cancels, and what else is asked of a VM meanwhile.
#include "tests/unit/move_fixture.h"

static void a_live_move_from_beginning_to_end(void **state)
{
	struct entry numbers;
	uint32_t attempt;

	(void)state;
	go_to(STAGE_HANDOVER);
	runs_on(N1);
	attempt = web()->attempt;
	numbers = says(N3, MOVE_REPORT_RUNS);
	numbers.numbers.pause_us = 31000;
	accept(&f, numbers);
	runs_on(N3);
	assert_int_equal(web()->attempt, attempt + 1);
	assert_false(place_one(&f, "web", N2, VM_PLACED));
	refused(&f, says(N3, MOVE_REPORT_EXCLUSIVE), "stale", "moved on");
	numbers = says(N1, MOVE_REPORT_NUMBERS);
	numbers.flag = true;
	numbers.numbers.bytes = 1 << 20;
	accept(&f, numbers);
	say(N1, MOVE_REPORT_SOURCE_GONE);
	numbers.move = its_move()->id;
	say(N3, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_DONE);
	runs_on(N3);
	assert_int_equal(last_past()->fact.pause_us, 31000);
	assert_int_equal(last_past()->fact.bytes, 1 << 20);
	assert_string_equal(last_past()->source, "n1");
	assert_string_equal(last_past()->target, "n3");
	numbers.numbers.total_ms = 4200;
	accept(&f, numbers);
	assert_int_equal(last_past()->fact.total_ms, 4200);
	numbers.move = 99;
	refused(&f, numbers, "stale", "over");
}

static void only_its_ends_speak_and_only_in_their_turn(void **state)
{
	(void)state;
	go_to(STAGE_PREPARE);
	refused(&f, says(N2, MOVE_REPORT_SHARED), "stale", "moved on");
	refused(&f, says(N3, MOVE_REPORT_SHARED), "stale", "moved on");
	refused(&f, says(N1, MOVE_REPORT_READY), "stale", "moved on");
	refused(&f, says(N3, MOVE_REPORT_RUNS), "stale", "moved on");
	refused(&f, says(N1, MOVE_REPORT_EXCLUSIVE), "stale", "moved on");
	refused(&f, says(N1, MOVE_REPORT_SAVED), "stale", "moved on");
	refused(&f, says(N1, MOVE_REPORT_HANDOVER), "stale", "moved on");
	say(N1, MOVE_REPORT_SHARED);
	say(N3, MOVE_REPORT_READY);
	refused(&f, says(N1, MOVE_REPORT_RUNS), "stale", "moved on");
	// The target may continue before the handover of its source is committed.
	say(N3, MOVE_REPORT_RUNS);
	runs_on(N3);
	refused(&f, says(N3, MOVE_REPORT_TARGET_GONE), "stale", "moved on");
	refused(&f, says(N1, MOVE_REPORT_FAILED), "stale", "moved on");
}

// A saving has no target, and no member that is no node is it.
static void a_stranger_ends_no_saving(void **state)
{
	(void)state;
	accept(&f, request(MOVE_SAVE, SLOT_NONE));
	accept(&f, begin_entry(MOVE_SAVE, SLOT_NONE));
	refused(&f, says(70, MOVE_REPORT_FAILED), "no-such-node", "71");
	stands(STAGE_SAVE);
}

static void counts(uint32_t out, uint32_t in)
{
	struct move_limits limits;

	move_limits_init(&limits, &f.cluster);
	assert_int_equal(limits.out[N1], out);
	assert_int_equal(limits.in[N3], in);
}

// One that only waits for a word of somebody who may be away for hours keeps nobody from moving.
static void a_move_that_waits_uses_up_no_limit(void **state)
{
	(void)state;
	go_to(STAGE_ASKED);
	counts(0, 0);
	accept(&f, begin_entry(MOVE_LIVE, N3));
	counts(1, 1);
	say(N1, MOVE_REPORT_FAILED);
	stands(STAGE_UNDO);
	counts(0, 1);
	say(N3, MOVE_REPORT_TARGET_GONE);
	stands(STAGE_UNDO);
	counts(0, 0);
	say(N1, MOVE_REPORT_EXCLUSIVE);
	go_to(STAGE_TRANSFER);
	counts(1, 1);
	say(N3, MOVE_REPORT_RUNS);
	stands(STAGE_CLEANUP);
	counts(0, 0);
}

static void what_cannot_be_moved_is_refused(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "web"), manage = named(ENTRY_VM_MANAGE, "web");

	(void)state;
	refused(&f, request(MOVE_LIVE, N1), "already-there", "runs on n1 already");
	refused(&f, request(MOVE_SAVE, N2), "malformed", "without a target");
	accept(&f, about_node(ENTRY_NODE_GOODBYE, 2));
	refused(&f, request(MOVE_LIVE, N2), "node-state", "n2 is not online");
	accept(&f, manage);
	refused(&f, request(MOVE_LIVE, N3), "unmanaged", "unmanaged");
	manage.flag = true;
	accept(&f, manage);
	accept(&f, request(MOVE_AUTO, SLOT_NONE));
	refused(&f, request(MOVE_LIVE, N3), "moving", "being moved already");
	refused(&f, begin_entry(MOVE_LIVE, SLOT_NONE), "malformed", "no target");
	refused(&f, begin_entry(MOVE_AUTO, N3), "malformed", "kind");
	manage.flag = false;
	refused(&f, manage, "moving", "being moved");
	accept(&f, want);
	ended(MOVE_CANCELLED);
	refused(&f, request(MOVE_LIVE, N3), "not-running", "does not run");
	refused(&f, named(ENTRY_MOVE_CANCEL, "web"), "not-moving", "not being moved");
}

static void transfer_breaks(const char *second, bool broke)
{
	struct entry entry;

	text_copy(f.cluster.nodes[N3].report.addresses[0], ADDRESS_SIZE, "10.1.0.3");
	text_copy(f.cluster.nodes[N3].report.addresses[1], ADDRESS_SIZE, second);
	accept(&f, request(MOVE_LIVE, N3));
	accept(&f, begin_entry(MOVE_LIVE, N3));
	entry = says(N1, MOVE_REPORT_SHARED);
	text_copy(entry.address, sizeof(entry.address), "10.1.0.3");
	accept(&f, entry);
	assert_string_equal(its_move()->address, "10.1.0.3"); // where its target is to listen
	entry = says(N3, MOVE_REPORT_READY);
	text_copy(entry.address, sizeof(entry.address), "10.1.0.3");
	accept(&f, entry);
	entry = says_why(N1, MOVE_REPORT_FAILED, "connection timed out");
	entry.flag = broke;
	accept(&f, entry);
	say(N3, MOVE_REPORT_TARGET_GONE);
	say(N1, MOVE_REPORT_EXCLUSIVE);
}

static void the_next_network_is_tried_once(void **state)
{
	struct entry entry;
	uint32_t first;

	(void)state;
	transfer_breaks("", true); // there is no other
	ended(MOVE_STAYED);
	transfer_breaks("10.2.0.3", false); // it was not the network
	ended(MOVE_STAYED);
	first = f.cluster.next_move;
	transfer_breaks("10.2.0.3", true);
	assert_int_equal(last_past()->id, first);
	assert_int_equal(last_past()->outcome, MOVE_STAYED);
	stands(STAGE_ASKED);
	assert_int_equal(its_move()->target, N3);
	assert_string_equal(its_move()->avoid, "10.1.0.3");
	runs_on(N1);
	accept(&f, begin_entry(MOVE_LIVE, N3));
	say(N1, MOVE_REPORT_SHARED);
	say(N3, MOVE_REPORT_READY);
	entry = says_why(N1, MOVE_REPORT_FAILED, "connection timed out");
	entry.flag = true;
	accept(&f, entry);
	say(N3, MOVE_REPORT_TARGET_GONE);
	say(N1, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_STAYED);
	runs_on(N1);
}

static void a_failed_move_leaves_it_on_its_source(void **state)
{
	(void)state;
	for (int stage = STAGE_PREPARE; stage <= STAGE_HANDOVER; stage++) {
		for (uint8_t who = N1; who <= N3; who += N3) {
			go_to(stage);
			accept(&f, says_why(who, MOVE_REPORT_FAILED, "no route to host"));
			stands(STAGE_UNDO);
			refused(&f, says(N1, MOVE_REPORT_EXCLUSIVE), "stale", "moved on");
			say(N3, MOVE_REPORT_TARGET_GONE);
			assert_false(its_move()->target_died);
			refused(&f, says(N3, MOVE_REPORT_RUNS), "stale", "moved on");
			say(N1, MOVE_REPORT_EXCLUSIVE);
			ended(MOVE_STAYED);
			runs_on(N1);
			assert_string_equal(last_past()->reason, "no route to host");
		}
	}
}

static void a_cancelled_move_leaves_it_on_its_source(void **state)
{
	(void)state;
	for (int stage = STAGE_ASKED; stage <= STAGE_HANDOVER; stage++) {
		go_to(stage);
		accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
		if (stage != STAGE_ASKED) {
			stands(STAGE_UNDO);
			accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
			say(N3, MOVE_REPORT_TARGET_GONE);
			say(N1, MOVE_REPORT_EXCLUSIVE);
		}
		ended(MOVE_CANCELLED);
		runs_on(N1);
	}
	go_to(STAGE_CLEANUP);
	refused(&f, named(ENTRY_MOVE_CANCEL, "web"), "too-late", "runs on n3 already");
}

// A cancel that crossed with the hand-over: whoever runs the guest has the truth.
static void a_target_that_continued_wins(void **state)
{
	(void)state;
	go_to(STAGE_HANDOVER);
	accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
	say(N3, MOVE_REPORT_RUNS);
	stands(STAGE_CLEANUP);
	say(N1, MOVE_REPORT_SOURCE_GONE);
	say(N3, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_DONE);
	runs_on(N3);
	// But not one for which no byte was committed to be sent.
	accept(&f, request(MOVE_LIVE, N1));
	accept(&f, begin_entry(MOVE_LIVE, N1));
	accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
	refused(&f, says(N1, MOVE_REPORT_RUNS), "stale", "moved on");
}

static void a_target_that_dies(void **state)
{
	(void)state;
	for (int stage = STAGE_PREPARE; stage <= STAGE_HANDOVER; stage++) {
		go_to(stage);
		lose(N3);
		stands(STAGE_UNDO);
		runs_on(N1);
		refused(&f, says(N1, MOVE_REPORT_EXCLUSIVE), "stale", "moved on");
		prove_dead(N3);
		assert_true(its_move()->target_gone && its_move()->target_died);
		// The source alone knows whether it had told the target to go on.
		if (stage == STAGE_HANDOVER) {
			say(N1, MOVE_REPORT_SOURCE_GONE);
			ended(MOVE_RESTARTED);
			idle();
			return;
		}
		say(N1, MOVE_REPORT_EXCLUSIVE);
		ended(MOVE_STAYED);
		runs_on(N1);
		accept(&f, about_node(ENTRY_NODE_BACK, 3));
		node_reports(&f, 3, true);
	}
}

static void a_source_that_dies_before_the_target_was_told(void **state)
{
	(void)state;
	for (int stage = STAGE_PREPARE; stage <= STAGE_HANDOVER; stage++) {
		go_to(stage);
		lose(N1);
		stands(STAGE_UNDO);
		prove_dead(N1);
		runs_on(N1); // nothing is placed before the target has spoken
		assert_false(place_one(&f, "web", N2, VM_PLACED));
		say(N3, MOVE_REPORT_TARGET_GONE);
		ended(MOVE_RESTARTED);
		idle();
		accept(&f, about_node(ENTRY_NODE_BACK, 1));
		node_reports(&f, 1, true);
		assert_true(place_one(&f, "web", N1, VM_PLACED));
		vm_reports(&f, "web", 1, VM_REPORT_STARTED, "");
	}
}

static void a_source_that_dies_after_the_target_was_told(void **state)
{
	(void)state;
	go_to(STAGE_HANDOVER);
	lose(N1);
	prove_dead(N1);
	say(N3, MOVE_REPORT_RUNS);
	stands(STAGE_CLEANUP);
	assert_true(its_move()->source_gone);
	say(N3, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_DONE);
	runs_on(N3);
}

static void both_die(void **state)
{
	(void)state;
	go_to(STAGE_TRANSFER);
	lose(N3);
	lose(N1);
	prove_dead(N3);
	runs_on(N1);
	assert_false(place_one(&f, "web", N2, VM_PLACED));
	prove_dead(N1);
	ended(MOVE_RESTARTED);
	idle();
}

static void a_target_dies_while_the_source_is_cleaned_up(void **state)
{
	(void)state;
	go_to(STAGE_CLEANUP);
	lose(N3);
	prove_dead(N3);
	assert_int_equal(web()->owner, N3); // its source may not be gone yet
	assert_false(place_one(&f, "web", N2, VM_PLACED));
	say(N1, MOVE_REPORT_SOURCE_GONE);
	ended(MOVE_RESTARTED);
	idle();
}

// Expiry sets the same flags, and the lease still has to prove it.
static void a_source_expires(void **state)
{
	(void)state;
	go_to(STAGE_HANDOVER);
	lose(N1);
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 1));
	assert_true(its_move()->source_gone);
	assert_int_equal(web()->unproven, 1 << N1);
	say(N3, MOVE_REPORT_TARGET_GONE);
	ended(MOVE_RESTARTED);
	idle();
	assert_int_equal(web()->unproven, 1 << N1);
	refused(&f, (struct entry){ .type = ENTRY_REMOVE, .object = OBJECT_VM, .name = "web" },
		"may-run", "n1");
	assert_true(place_one(&f, "web", N2, VM_PLACED));
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	assert_int_equal(web()->unproven, 0);
}

static void an_expired_source_comes_back(void **state)
{
	(void)state;
	go_to(STAGE_TRANSFER);
	lose(N1);
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 1));
	accept(&f, about_node(ENTRY_NODE_BACK, 1));
	assert_false(its_move()->source_gone);
	assert_int_equal(web()->unproven, 0);
	say(N3, MOVE_REPORT_TARGET_GONE);
	runs_on(N1);
	say(N1, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_STAYED);
}

static void an_expired_target_may_have_continued(void **state)
{
	(void)state;
	go_to(STAGE_HANDOVER);
	lose(N3);
	accept(&f, about_node(ENTRY_NODE_EXPIRING, 3));
	assert_true(its_move()->target_died);
	assert_int_equal(web()->unproven, 1 << N3);
	say(N1, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_STAYED);
	assert_int_equal(web()->unproven, 0);
	runs_on(N1);
}

static void run_again(void)
{
	struct entry want = named(ENTRY_VM_WANT, "web");

	want.wanted = VM_WANTED_RUNNING;
	accept(&f, want);
	assert_true(place_one(&f, "web", N1, VM_PLACED));
	vm_reports(&f, "web", 1, VM_REPORT_STARTED, "");
}

static void it_ends_by_itself_meanwhile(void **state)
{
	(void)state;
	go_to(STAGE_TRANSFER);
	vm_reports(&f, "web", 1, VM_REPORT_DIED, "QEMU crashed");
	stands(STAGE_UNDO);
	vm_reports(&f, "web", 1, VM_REPORT_DIED, "QEMU crashed");
	assert_int_equal(web()->restarts, 1);
	say(N3, MOVE_REPORT_TARGET_GONE);
	ended(MOVE_RESTARTED);
	idle();
	assert_string_equal(last_past()->reason, "QEMU crashed");
	run_again();
	go_to(STAGE_TRANSFER);
	vm_reports(&f, "web", 1, VM_REPORT_GUEST_SHUTDOWN, "");
	say(N3, MOVE_REPORT_TARGET_GONE);
	ended(MOVE_ENDED);
	idle();
	assert_int_equal(web()->wanted, VM_WANTED_STOPPED);
	run_again();
	go_to(STAGE_CLEANUP);
	vm_reports(&f, "web", 3, VM_REPORT_DIED, "QEMU crashed there");
	say(N1, MOVE_REPORT_SOURCE_GONE);
	ended(MOVE_RESTARTED);
	idle();
}

static void a_stop_cancels_first(void **state)
{
	(void)state;
	go_to(STAGE_TRANSFER);
	accept(&f, named(ENTRY_VM_WANT, "web"));
	stands(STAGE_UNDO);
	assert_true(its_move()->cancelled);
	say(N3, MOVE_REPORT_TARGET_GONE);
	say(N1, MOVE_REPORT_EXCLUSIVE);
	ended(MOVE_CANCELLED);
	runs_on(N1);
	vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "");
	idle();
}

static void quick(enum move_stage stage)
{
	struct vm *vm = the_vm(&f, "web");
	struct cpu_features cpu;
	struct entry saved;

	// What it runs with is not what the nodes have in common any more.
	vm->cpu_known = true;
	cpu_add(&vm->cpu, 3);
	cpu = vm->cpu;
	text_copy(vm->machine, sizeof(vm->machine), "pc-q35-5.2");
	accept(&f, request(MOVE_QUICK, N2));
	accept(&f, begin_entry(MOVE_QUICK, N2));
	stands(STAGE_SAVE);
	if (stage == STAGE_SAVE)
		return;
	saved = says(N1, MOVE_REPORT_SAVED);
	saved.numbers.bytes = 1 << 27;
	accept(&f, saved);
	stands(STAGE_RESTORE);
	assert_int_equal(web()->owner, N2);
	assert_int_equal(web()->phase, VM_PLACED);
	assert_int_equal(web()->saved, SAVED_KEPT);
	assert_int_equal(web()->saved_bytes, 1 << 27);
	assert_memory_equal(&web()->cpu, &cpu, sizeof(cpu));
	assert_string_equal(web()->machine, "pc-q35-5.2");
}

static void a_quick_move(void **state)
{
	(void)state;
	quick(STAGE_RESTORE);
	vm_reports(&f, "web", 2, VM_REPORT_RESTORING, "");
	assert_int_equal(web()->saved, SAVED_TAKEN);
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	ended(MOVE_DONE);
	runs_on(N2);
	assert_int_equal(web()->saved, SAVED_NONE);
}

static void a_quick_move_that_fails(void **state)
{
	(void)state;
	quick(STAGE_SAVE);
	accept(&f, says_why(N1, MOVE_REPORT_FAILED, "v1 is full"));
	ended(MOVE_STAYED);
	runs_on(N1);
	quick(STAGE_RESTORE);
	vm_reports(&f, "web", 2, VM_REPORT_RESTORING, "");
	vm_reports(&f, "web", 2, VM_REPORT_START_FAILED, "QEMU refused the state");
	ended(MOVE_RESTARTED);
	idle();
	assert_int_equal(web()->saved, SAVED_KEPT); // it never continued
	assert_true(place_one(&f, "web", N3, VM_PLACED));
	vm_reports(&f, "web", 3, VM_REPORT_RESTORING, "");
	vm_reports(&f, "web", 3, VM_REPORT_DIED, "QEMU crashed");
	assert_int_equal(web()->saved, SAVED_NONE); // it may have: the disk is newer
}

static void a_quick_move_whose_ends_die(void **state)
{
	(void)state;
	quick(STAGE_SAVE);
	lose(N1);
	runs_on(N1);
	prove_dead(N1);
	ended(MOVE_RESTARTED);
	idle();
	assert_int_equal(web()->saved, SAVED_NONE);
	accept(&f, about_node(ENTRY_NODE_BACK, 1));
	node_reports(&f, 1, true);
	assert_true(place_one(&f, "web", N1, VM_PLACED));
	vm_reports(&f, "web", 1, VM_REPORT_STARTED, "");
	// Its state is whole: whoever is left restores it.
	quick(STAGE_RESTORE);
	lose(N2);
	prove_dead(N2);
	ended(MOVE_RESTARTED);
	assert_int_equal(web()->saved, SAVED_KEPT);
	assert_true(place_one(&f, "web", N1, VM_PLACED));
	vm_reports(&f, "web", 1, VM_REPORT_RESTORING, "");
	lose(N1);
	prove_dead(N1);
	idle();
	assert_int_equal(web()->saved, SAVED_NONE);
}

static void a_quick_move_whose_target_is_gone_when_it_is_saved(void **state)
{
	(void)state;
	quick(STAGE_SAVE);
	lose(N2);
	stands(STAGE_SAVE);
	prove_dead(N2);
	say(N1, MOVE_REPORT_SAVED);
	ended(MOVE_RESTARTED);
	idle();
	assert_int_equal(web()->saved, SAVED_KEPT);
}

// The coordinator's word on where it may go on.
static struct entry goes_on(enum move_outcome how, const char *reason)
{
	struct entry entry = { .type = ENTRY_MOVE_END,
			       .view = f.cluster.view,
			       .move = web()->move,
			       .move_outcome = (uint8_t)how };

	text_copy(entry.reason, sizeof(entry.reason), reason);
	return entry;
}

static void a_quick_move_cancelled_late_begins_again_on_its_source(void **state)
{
	(void)state;
	quick(STAGE_SAVE);
	refused(&f, goes_on(MOVE_STAYED, ""), "stale", "");
	accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
	stands(STAGE_SAVE);
	accept(&f, goes_on(MOVE_STAYED, ""));
	say(N1, MOVE_REPORT_SAVED);
	assert_int_equal(web()->owner, N1);
	stands(STAGE_RESTORE);
	refused(&f, named(ENTRY_MOVE_CANCEL, "web"), "too-late", "being started on n1");
	vm_reports(&f, "web", 1, VM_REPORT_STARTED, "");
	ended(MOVE_CANCELLED);
	runs_on(N1);
}

static void close_source(int how)
{
	// What was found of its target before the cancel is none of this.
	accept(&f, goes_on(MOVE_RESTARTED, "no room on n2"));
	accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
	if (how != 1)
		accept(&f, goes_on(MOVE_STAYED, ""));
	if (how == 2)
		accept(&f, goes_on(MOVE_RESTARTED, "a rule forbids it"));
	the_node(&f, 1)->maintenance = how == 3;
	the_node(&f, 1)->managed = how != 4;
	// Cancelled once more it is as it was.
	accept(&f, named(ENTRY_MOVE_CANCEL, "web"));
}

// To go back is a start, and rules may have come: unless it was looked whether it may.
static void a_cancelled_one_goes_back_where_it_may(void **state)
{
	static const char *const words[] = { "", "cancelled", "cancelled", "maint", "unmanaged" };

	for (int how = 0; how < 10; how++) {
		bool cold = how >= 5;

		end(state);
		begin(state);
		accept(&f, request(cold ? MOVE_COLD : MOVE_QUICK, N2));
		accept(&f, begin_entry(cold ? MOVE_COLD : MOVE_QUICK, N2));
		close_source(how % 5);
		if (cold)
			vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "");
		else
			say(N1, MOVE_REPORT_SAVED);
		if (how % 5 == 0) {
			stands(cold ? STAGE_START : STAGE_RESTORE);
			assert_int_equal(web()->owner, N1);
			continue;
		}
		ended(MOVE_RESTARTED);
		assert_non_null(strstr(last_past()->reason, words[how % 5]));
		idle();
	}
}

static void a_vm_is_saved_and_restored(void **state)
{
	struct entry want = named(ENTRY_VM_WANT, "web");

	(void)state;
	accept(&f, request(MOVE_SAVE, SLOT_NONE));
	accept(&f, begin_entry(MOVE_SAVE, SLOT_NONE));
	say(N1, MOVE_REPORT_SAVED);
	ended(MOVE_SAVED);
	idle();
	assert_int_equal(web()->wanted, VM_WANTED_STOPPED);
	assert_int_equal(web()->saved, SAVED_KEPT);
	doc_vm(&f, "web", "v1")->hugepages = true;
	doc_refused(&f, "saved", "fits the hardware");
	doc_begin(&f);
	want.wanted = VM_WANTED_RUNNING;
	accept(&f, want);
	assert_true(place_one(&f, "web", N2, VM_PLACED));
	vm_reports(&f, "web", 2, VM_REPORT_RESTORING, "");
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	assert_int_equal(web()->saved, SAVED_NONE);
	accept(&f, request(MOVE_SAVE, SLOT_NONE));
	accept(&f, begin_entry(MOVE_SAVE, SLOT_NONE));
	say(N2, MOVE_REPORT_SAVED);
	want = named(ENTRY_VM_WANT, "web");
	want.flag = true;
	accept(&f, want);
	assert_int_equal(web()->saved, SAVED_NONE);
}

// Where the file is stays known until it runs again, and is removed then.
static void a_state_that_was_taken_in_vain(void **state)
{
	(void)state;
	accept(&f, request(MOVE_SAVE, SLOT_NONE));
	accept(&f, begin_entry(MOVE_SAVE, SLOT_NONE));
	say(N1, MOVE_REPORT_SAVED);
	{
		struct entry want = named(ENTRY_VM_WANT, "web");

		want.wanted = VM_WANTED_RUNNING;
		accept(&f, want);
	}
	assert_true(place_one(&f, "web", N2, VM_PLACED));
	vm_reports(&f, "web", 2, VM_REPORT_RESTORING, "");
	vm_reports(&f, "web", 2, VM_REPORT_DIED, "");
	assert_int_equal(web()->saved, SAVED_NONE);
	assert_int_equal(web()->saved_volume, web()->leases[0].volume);
	assert_true(place_one(&f, "web", N2, VM_PLACED));
	assert_int_equal(web()->saved_volume, web()->leases[0].volume);
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	assert_int_equal(web()->saved_volume, SLOT_NONE);
}

static void close_target(int how)
{
	struct cluster_node *target = the_node(&f, 2);

	target->maintenance = how == 0;
	target->report.leaving = how == 1;
	target->managed = how != 2;
	web()->possible = how == 3 ? 1 << N1 | 1 << N3 : 0;
	// What only the coordinator sees.
	if (how == 4) {
		accept(&f, (struct entry){ .type = ENTRY_MOVE_END,
					   .view = f.cluster.view,
					   .move = web()->move,
					   .move_outcome = MOVE_RESTARTED,
					   .reason = "a rule forbids it" });
		assert_true(its_move()->anew);
	}
}

// The target was good when the move began, and is none any more: it is placed anew.
static void a_target_that_is_closed_meanwhile(void **state)
{
	static const char *const words[] = { "maintenance", "goes down", "unmanaged", "possible",
					     "a rule forbids it" };

	for (int how = 0; how < 10; how++) {
		enum move_kind kind = how < 5 ? MOVE_COLD : MOVE_QUICK;
		struct entry entry;

		end(state);
		begin(state);
		the_node(&f, 1)->maintenance = true;
		entry = begin_entry(kind, N2);
		entry.move_cause = CAUSE_DRAIN;
		accept(&f, entry);
		close_target(how % 5);
		if (kind == MOVE_COLD)
			vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "");
		else
			say(N1, MOVE_REPORT_SAVED);
		ended(MOVE_RESTARTED);
		assert_non_null(strstr(last_past()->reason, words[how % 5]));
		idle();
		assert_int_equal(web()->saved, kind == MOVE_QUICK ? SAVED_KEPT : SAVED_NONE);
		assert_int_equal(web()->drained_from, N1); // it comes back one day
	}
}

static void a_cold_move(void **state)
{
	(void)state;
	accept(&f, request(MOVE_COLD, N2));
	accept(&f, begin_entry(MOVE_COLD, N2));
	stands(STAGE_STOP);
	vm_reports(&f, "web", 1, VM_REPORT_STOPPED, "");
	stands(STAGE_START);
	assert_int_equal(web()->owner, N2);
	vm_reports(&f, "web", 2, VM_REPORT_STARTED, "");
	ended(MOVE_DONE);
	runs_on(N2);
	accept(&f, request(MOVE_COLD, N1));
	accept(&f, begin_entry(MOVE_COLD, N1));
	accept(&f, named(ENTRY_VM_WANT, "web"));
	vm_reports(&f, "web", 2, VM_REPORT_STOPPED, "");
	ended(MOVE_ENDED);
	idle();
}

static void what_touches_a_move_waits_for_its_end(void **state)
{
	struct entry drop = { .type = ENTRY_REMOVE, .object = OBJECT_NODE, .name = "n3" };

	(void)state;
	go_to(STAGE_PREPARE);
	refused(&f, about_node(ENTRY_NODE_GOODBYE, 3), "in-use", "takes part in the move");
	lose(N3);
	prove_dead(N3);
	refused(&f, drop, "in-use", "a move to or from node n3");
	say(N1, MOVE_REPORT_EXCLUSIVE);
	accept(&f, drop);
	accept(&f, request(MOVE_AUTO, SLOT_NONE));
	accept(&f, (struct entry){ .type = ENTRY_MOVE_END,
				   .move = web()->move,
				   .move_outcome = MOVE_REFUSED,
				   .reason = "nowhere to go" });
	ended(MOVE_REFUSED);
	assert_string_equal(last_past()->reason, "nowhere to go");
}

static void snapshots_hold_moves(void **state)
{
	static uint8_t buf[1 << 20];
	struct fixture copy;
	size_t size;

	(void)state;
	fixture_open(&copy, 16, 4, 16);
	go_to(STAGE_TRANSFER);
	size = cluster_encode(&f.cluster, buf, sizeof(buf));
	assert_true(cluster_decode(&copy.cluster, buf, size));
	assert_true(cluster_digest(&copy.cluster) == cluster_digest(&f.cluster));
	// A VM whose move is not there.
	f.cluster.moves[0].id = 0;
	size = cluster_encode(&f.cluster, buf, sizeof(buf));
	assert_false(cluster_decode(&copy.cluster, buf, size));
	fixture_close(&copy);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		T(a_live_move_from_beginning_to_end),
		T(only_its_ends_speak_and_only_in_their_turn),
		T(a_stranger_ends_no_saving),
		T(a_move_that_waits_uses_up_no_limit),
		T(what_cannot_be_moved_is_refused),
		T(the_next_network_is_tried_once),
		T(a_failed_move_leaves_it_on_its_source),
		T(a_cancelled_move_leaves_it_on_its_source),
		T(a_target_that_continued_wins),
		T(a_target_that_dies),
		T(a_source_that_dies_before_the_target_was_told),
		T(a_source_that_dies_after_the_target_was_told),
		T(both_die),
		T(a_target_dies_while_the_source_is_cleaned_up),
		T(a_source_expires),
		T(an_expired_source_comes_back),
		T(an_expired_target_may_have_continued),
		T(it_ends_by_itself_meanwhile),
		T(a_stop_cancels_first),
		T(a_quick_move),
		T(a_quick_move_that_fails),
		T(a_quick_move_whose_ends_die),
		T(a_quick_move_whose_target_is_gone_when_it_is_saved),
		T(a_quick_move_cancelled_late_begins_again_on_its_source),
		T(a_cancelled_one_goes_back_where_it_may),
		T(a_vm_is_saved_and_restored),
		T(a_state_that_was_taken_in_vain),
		T(a_cold_move),
		T(a_target_that_is_closed_meanwhile),
		T(what_touches_a_move_waits_for_its_end),
		T(snapshots_hold_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
