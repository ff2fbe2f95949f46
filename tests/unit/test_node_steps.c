// SPDX-License-Identifier: Apache-2.0
// One node's own part, step by step, with a view that is given: what crosses what, and what is lost
// on the way.
#include "tests/unit/node_steps_world.h"

#include "clusterd/apply_internal.h"
#include "clusterd/decide_move.h"

static const struct action *action_of(enum action_type type)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (actions.items[i].type == type)
			return &actions.items[i];
	return NULL;
}

static void n3_is_fenced_by_n1(void)
{
	struct entry entry = about_node(ENTRY_NODE_LOST, 3);

	entry.view = f.cluster.view;
	accept(&f, entry);
	entry.type = ENTRY_NODE_FENCING;
	entry.attempt = the_node(&f, 3)->fence_attempt + 1;
	entry.actor = 0;
	accept(&f, entry);
	replica_take();
	view_give(3);
}

// Nobody else fences while the actor takes part: a result that gets lost would be waited for
// without end.
static void a_fence_result_is_said_until_it_is_heard(void **state)
{
	struct entry entry;
	uint32_t attempt;

	(void)state;
	n3_is_fenced_by_n1();
	attempt = the_node(&f, 3)->fence_attempt;
	tick(0);
	assert_non_null(action_of(ACTION_FENCE));
	node->view->open = false;	// the store is being made anew
	step((struct event){ .type = EVENT_FENCE_DONE,
			     .node_id = 3,
			     .attempt = attempt,
			     .flag = true,
			     .reason = "off" });
	assert_false(proposed(ENTRY_FENCE_RESULT, &entry));
	view_give(3);
	tick(5000);
	assert_true(proposed(ENTRY_FENCE_RESULT, &entry));
	assert_true(entry.flag);
	assert_int_equal(entry.attempt, attempt);
	assert_string_equal(entry.reason, "off");
	proposals_forget(node->view);	// a copy of the state came from the others
	tick(5000);
	assert_true(proposed(ENTRY_FENCE_RESULT, &entry));
	assert_null(action_of(ACTION_FENCE));
}

/*
 * Asked and answered while sanlock still lived, heard of when it was gone: the lease went with it,
 * and a lockspace joined now would make it count as dead while its QEMU writes.
 */
static void a_lease_found_before_sanlock_died_is_none(void **state)
{
	struct event adopted = { .type = EVENT_VM_ADOPTED, .attempt = 1, .flag = true };

	(void)state;
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 0);
	replica_take();
	view_give(7);
	node->adopted = false;
	step((struct event){ .type = EVENT_SANLOCK_GONE });
	adopted.uuid = the_def(&f, "web")->uuid;
	step(adopted);
	assert_non_null(action_of(ACTION_QEMU_KILL));
	step((struct event){ .type = EVENT_ADOPTION_DONE });
	step((struct event){ .type = EVENT_SANLOCK_UP });
	assert_null(action_of(ACTION_VOLUME_JOIN));
	step((struct event){
		.type = EVENT_QEMU_EXITED, .vm = the_vm(&f, "web")->ref, .attempt = 1 });
	assert_non_null(action_of(ACTION_VOLUME_JOIN));
}

static void an_unknown_lease_found_before_sanlock_died_is_none(void **state)
{
	(void)state;
	node->adopted = false;
	step((struct event){ .type = EVENT_SANLOCK_GONE });
	step((struct event){
		.type = EVENT_VM_ADOPTED, .uuid = { { 9 } }, .attempt = 1, .flag = true });
	step((struct event){ .type = EVENT_ADOPTION_DONE });
	step((struct event){ .type = EVENT_SANLOCK_UP });
	assert_null(action_of(ACTION_VOLUME_JOIN));
	assert_false(host_may_join(node));
}

static void committed(struct entry entry)
{
	uint8_t bytes[4096];
	struct record record = { .index = node->cluster.index + 1,
				 .view = node->view->number,
				 .origin = entry.from,
				 .body = bytes };

	record.body_size = (uint32_t)entry_encode(&entry, bytes, sizeof(bytes));
	assert_true(record.body_size > 0);
	assert_true(log_append(node->view, &record));
	node->view->commit = record.index;
	tick(10);
}

// Lost on its way, the word that a volume is prepared would be waited for without end.
static void a_volume_is_prepared_until_it_is_heard(void **state)
{
	struct entry entry;

	(void)state;
	doc_begin(&f);
	doc_volume(&f, "v3", "/srv/v3");
	doc_accept(&f);
	entry = (struct entry){ .type = ENTRY_VOLUME_PREPARE, .volume = 2, .attempt = 1 };
	accept(&f, entry);
	replica_take();
	view_give(7);
	tick(0);
	assert_non_null(action_of(ACTION_VOLUME_PREPARE));
	tick(60000);
	assert_null(action_of(ACTION_VOLUME_PREPARE));	// it is still at it
	step((struct event){
		.type = EVENT_VOLUME_PREPARED, .volume = 2, .attempt = 1, .flag = true });
	assert_true(proposed(ENTRY_VOLUME_PREPARED, &entry));
	assert_null(action_of(ACTION_VOLUME_PREPARE));
	tick(5000);
	assert_non_null(action_of(ACTION_VOLUME_PREPARE));
}

// It said that it runs nothing and is about to go: that it is still there says nothing else, until
// it comes anew.
static void who_leaves_is_not_taken_for_back(void **state)
{
	struct entry entry;

	(void)state;
	node->view->coordinator = 1;
	committed(about_node(ENTRY_NODE_GOODBYE, 3));
	assert_int_equal(node->cluster.nodes[2].life, NODE_LEFT);
	assert_false(proposed(ENTRY_NODE_BACK, &entry));
	tick(10);
	assert_false(proposed(ENTRY_NODE_BACK, &entry));
	node->cluster.view = 8;
	view_give(7);
	node->view->coordinator = 1;
	tick(10);
	assert_true(proposed(ENTRY_NODE_BACK, &entry));
}

static void volume_answers(uint64_t generation)
{
	step((struct event){ .type = EVENT_VOLUME, .volume = 0, .volume_state = VOLUME_ONLINE,
			     .joined = generation != 0, .generation = generation });
}

// The old source's lockspace is not the new one's, even when nobody told this node of the time in
// between.
static void a_volume_with_another_source_is_opened_anew(void **state)
{
	struct entry entry = { .type = ENTRY_VOLUME_PREPARE, .attempt = 2, .actor = 1 };

	(void)state;
	tick(0);
	assert_non_null(action_of(ACTION_VOLUME_OPEN));
	volume_answers(0);
	volume_answers(77);
	doc_begin(&f);
	doc_volume(&f, "v1", "/srv/other");
	doc_accept(&f);
	accept(&f, entry);
	entry.type = ENTRY_VOLUME_PREPARED;
	entry.from = 2;
	entry.flag = true;
	accept(&f, entry);
	replica_take();
	view_give(7);
	tick(10);
	assert_non_null(action_of(ACTION_VOLUME_CLOSE));
	assert_int_equal(action_of(ACTION_VOLUME_CLOSE)->volume, 0);
	assert_non_null(action_of(ACTION_VOLUME_OPEN));
	assert_non_null(action_of(ACTION_VOLUME_JOIN));
	assert_false(node->volumes[0].seen.joined);
}

/*
 * A VM may be placed here while the word that this host leaves is on its way. It is given back at
 * once, and the goodbye that was refused for it is said again: a host that leaves without one
 * counts as lost, and is fenced.
 */
static void a_goodbye_that_was_refused_is_said_again(void **state)
{
	struct entry entry = named(ENTRY_VM_WANT, "web");

	(void)state;
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	entry.wanted = VM_WANTED_RUNNING;
	accept(&f, entry);
	make_leases_ready(&f, "web");
	step((struct event){ .type = EVENT_SHUTDOWN, .flag = true });
	assert_true(proposed(ENTRY_NODE_GOODBYE, &entry));
	assert_true(place_one(&f, "web", 0, VM_PLACED));
	replica_take();
	view_give(7);
	tick(10);
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
	assert_int_equal(entry.vm_report, VM_REPORT_STOPPED);
	accept(&f, entry);
	replica_take();
	view_give(7);
	tick(2000);
	assert_true(proposed(ENTRY_NODE_GOODBYE, &entry));
	assert_null(action_of(ACTION_EXIT));
}

// Its VMs are given time to leave, where the cluster is to empty a host that goes down; not for
// ever, and not without a quorum, when nobody could take them.
static void a_host_that_goes_down_waits_for_its_drain(void **state)
{
	(void)state;
	step((struct event){ .type = EVENT_SHUTDOWN, .flag = true });
	assert_false(host_drains(node));
	node->shutdown = SHUTDOWN_HOST;
	node->cluster.def.policies.shutdown = SHUTDOWN_MIGRATE;
	assert_true(host_drains(node));
	node->view->state = VIEW_WAITING;
	assert_false(host_drains(node));
	node->view->state = VIEW_NORMAL;
	node->now_ms += 119999;
	assert_true(host_drains(node));
	node->now_ms++;
	assert_false(host_drains(node));
}

/*
 * A change of members may make this node leave the group and join it again at once. A node that was
 * lost just then was seen alive all the same, and is not given the time of a cold start.
 */
static void a_loss_while_this_node_joins_again_is_told_at_once(void **state)
{
	struct entry entry;

	(void)state;
	tick(0);
	node->view->state = VIEW_ALONE;
	tick(10);
	tick(300);
	view_give(3);
	node->view->coordinator = 1;
	tick(10);
	assert_true(proposed(ENTRY_NODE_LOST, &entry));
	assert_int_equal(entry.node_id, 3);
}

// corosync was started anew: whoever has not appeared yet may just be slower.
static void a_node_not_seen_since_corosync_came_back_is_given_time(void **state)
{
	struct entry entry;

	(void)state;
	tick(0);
	node->view->state = VIEW_ALONE;
	tick(10);
	tick(3000);
	view_give(3);
	node->view->coordinator = 1;
	tick(10);
	assert_false(proposed(ENTRY_NODE_LOST, &entry));
}

static void lease_is_asked_for(bool asked)
{
	struct entry entry;

	replica_take();
	view_give(7);
	node->view->coordinator = 1;
	tick(10);
	assert_int_equal(proposed(ENTRY_LEASE_WRITE, &entry), asked);
}

// A volume that is full refuses at once, and each refusal burns a slot: asked without a pause, all
// of them in minutes.
static void a_lease_that_cannot_be_written_is_not_asked_for_without_a_pause(void **state)
{
	struct entry entry = named(ENTRY_VM_WANT, "web"),
		     written = { .type = ENTRY_LEASE_WRITTEN, .from = 1 };

	(void)state;
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	entry.wanted = VM_WANTED_RUNNING;
	accept(&f, entry);
	for (int round = 0; round < 3; round++) {
		lease_is_asked_for(round < 2);		// at once, and on another node at once
		if (round == 2) {
			now_ms += 10000;
			lease_is_asked_for(true);
		}
		entry = (struct entry){ .type = ENTRY_LEASE_WRITE,
					.vm = the_vm(&f, "web")->ref,
					.actor = 0 };
		accept(&f, entry);
		written.vm = entry.vm;
		written.lease_slot = the_vm(&f, "web")->leases[0].slot;
		text_copy(written.reason, sizeof(written.reason), "No space left on device");
		accept(&f, written);
	}
	assert_int_equal(the_vm(&f, "web")->leases[0].slot, 3);
}

// Saved, and placed here to be restored.
static const struct vm *a_saved_vm(enum saved_state saved)
{
	struct entry entry = named(ENTRY_VM_WANT, "web");
	struct vm *vm;

	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	entry.wanted = VM_WANTED_RUNNING;
	accept(&f, entry);
	make_leases_ready(&f, "web");
	assert_true(place_one(&f, "web", 0, VM_PLACED));
	vm = &f.cluster.vms[the_vm(&f, "web")->ref.slot];
	vm->saved = (uint8_t)saved;
	vm->saved_volume = 0;
	replica_take();
	view_give(7);
	tick(0);
	step((struct event){ .type = EVENT_VOLUME, .volume = 0, .volume_state = VOLUME_ONLINE });
	step((struct event){ .type = EVENT_VOLUME, .volume = 0, .volume_state = VOLUME_ONLINE,
			     .joined = true, .generation = 77 });
	return vm;
}

static void vm_says(const struct vm *vm, enum event_type type)
{
	step((struct event){ .type = (uint8_t)type, .vm = vm->ref, .attempt = vm->attempt,
			     .flag = true });
}

// The guest continues from it only when it is committed that nobody else will.
static void a_saved_state_is_taken_before_its_guest_continues(void **state)
{
	struct vm *vm = &f.cluster.vms[a_saved_vm(SAVED_KEPT)->ref.slot];
	struct entry entry;

	(void)state;
	assert_non_null(action_of(ACTION_VM_SPAWN));
	vm_says(vm, EVENT_VM_SPAWNED);
	vm_says(vm, EVENT_LEASE_GRANTED);
	assert_non_null(action_of(ACTION_QEMU_EXEC));
	assert_int_equal(action_of(ACTION_QEMU_EXEC)->start_mode, START_RESTORE);
	vm_says(vm, EVENT_QEMU_RESTORED);
	assert_null(action_of(ACTION_QEMU_CONT));
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
	assert_int_equal(entry.vm_report, VM_REPORT_RESTORING);
	tick(100);
	assert_null(action_of(ACTION_QEMU_CONT));
	accept(&f, entry);
	assert_int_equal(vm->saved, SAVED_TAKEN);
	replica_take();
	view_give(7);
	tick(10);
	assert_non_null(action_of(ACTION_QEMU_CONT));
	vm_says(vm, EVENT_QEMU_RUNNING);
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
	assert_int_equal(entry.vm_report, VM_REPORT_STARTED);
	accept(&f, entry);
	replica_take();
	view_give(7);
	tick(10);
	assert_non_null(action_of(ACTION_SAVED_REMOVE));
}

// An administrator who drops what was saved has its file removed too, by one node.
static void a_dropped_state_loses_its_file(void **state)
{
	struct vm *vm = &f.cluster.vms[a_saved_vm(SAVED_KEPT)->ref.slot];
	struct entry want = named(ENTRY_VM_WANT, "web");
	struct saved_file saved;

	(void)state;
	want.flag = true;
	node->view->coordinator = 1;
	saved = saved_file_of(node, &want);
	assert_true(saved.kept);
	saved_file_dropped(node, &saved, &actions);
	assert_null(action_of(ACTION_SAVED_REMOVE));	// it is still kept
	vm_drop_saved(&node->cluster.vms[vm->ref.slot]);
	saved_file_dropped(node, &saved, &actions);
	assert_non_null(action_of(ACTION_SAVED_REMOVE));
}

// Whether an earlier daemon here continued from it, and died, is not known.
static void a_taken_state_is_not_begun_again(void **state)
{
	struct entry entry;

	(void)state;
	a_saved_vm(SAVED_TAKEN);
	tick(10);
	assert_null(action_of(ACTION_VM_SPAWN));
	tick(5000);
	assert_null(action_of(ACTION_VM_SPAWN));
	assert_true(proposed(ENTRY_VM_REPORT, &entry));
	assert_int_equal(entry.vm_report, VM_REPORT_DIED);
	accept(&f, entry);
	assert_int_equal(the_vm(&f, "web")->saved, SAVED_NONE);
}

static struct entry move_request(void)
{
	struct entry entry = named(ENTRY_MOVE_REQUEST, "web");

	entry.move_kind = MOVE_LIVE;
	entry.actor = SLOT_NONE;
	return entry;
}

static void n2_lacks(const char *feature)
{
	struct cpu_features *features = &the_node(&f, 2)->report.facts.features;
	unsigned int bit = (unsigned int)cpu_feature_find(feature);

	features->bits[bit / 64] &= ~(1ull << bit % 64);
}

static const struct entry_result *ask_to_move(void)
{
	struct entry entry = move_request();
	const struct action *reply;
	uint8_t bytes[1024];
	size_t size = entry_encode(&entry, bytes, sizeof(bytes));

	step((struct event){
		.type = EVENT_REQUEST, .cookie = 7, .body = bytes, .body_size = size });
	reply = action_of(ACTION_REPLY);
	return reply ? reply->result : NULL;
}

// Whoever asks learns which bit it is, and nothing has begun; the coordinator judges once more.
static void no_move_without_its_preflight(void **state)
{
	const struct entry_result *result;
	struct entry entry;

	(void)state;
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 0);
	the_node(&f, 3)->maintenance = true;
	accept(&f, move_request());
	n2_lacks("avx2");
	seen_by(1);
	tick(0);
	assert_false(proposed(ENTRY_MOVE_BEGIN, &entry));
	assert_true(proposed(ENTRY_MOVE_END, &entry));
	assert_int_equal(entry.move_outcome, MOVE_REFUSED);
	assert_non_null(strstr(entry.reason, "n2 cannot give it: avx2"));
	accept(&f, (struct entry){ .type = ENTRY_MOVE_END,
				   .view = f.cluster.view,
				   .move = the_vm(&f, "web")->move,
				   .move_outcome = MOVE_REFUSED });
	seen_by(2);
	result = ask_to_move();
	assert_non_null(result);
	assert_false(result->accepted);
	assert_non_null(strstr(result->reason, "n2 cannot give it: avx2"));
	assert_false(proposed(ENTRY_MOVE_REQUEST, &entry));
	facts_make(&the_node(&f, 2)->report.facts);
	seen_by(2);
	assert_null(ask_to_move());
	assert_true(proposed(ENTRY_MOVE_REQUEST, &entry));
}

// Nor does a drain begin one: what cannot leave is named with the reason.
static void no_drain_without_its_preflight(void **state)
{
	struct entry entry = named(ENTRY_NODE_DRAIN, "n1");

	(void)state;
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 0);
	entry.drain_verb = DRAIN_ON;
	accept(&f, entry);
	n2_lacks("avx2");
	seen_by(1);
	tick(0);
	assert_true(proposed(ENTRY_MOVE_BEGIN, &entry));
	assert_int_equal(entry.actor, 2);
	the_node(&f, 3)->report.facts.bridge_count = 0;
	the_node(&f, 3)->report.addresses[0][0] = 0;
	seen_by(1);
	tick(0);
	assert_false(proposed(ENTRY_MOVE_BEGIN, &entry));
	assert_true(proposed(ENTRY_NODE_DRAINED, &entry));
	assert_int_equal(entry.drain_state, DRAIN_STUCK);
	assert_non_null(strstr(entry.reason, "web: n2 cannot give it: avx2; n3 has no address"));
}

// What is placed in a round is not seen by moves of the same round: both could take the last room.
static void nothing_moves_in_a_round_that_places(void **state)
{
	struct entry entry, place;

	(void)state;
	doc_vm(&f, "web", "v1");
	doc_vm(&f, "new", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 0);
	run_vm(&f, "new", 0);
	the_node(&f, 1)->maintenance = true;
	vm_reports(&f, "new", 1, VM_REPORT_DIED, "");
	seen_by(1);
	tick(0);
	assert_true(proposed(ENTRY_PLACE, &place));
	assert_false(proposed(ENTRY_MOVE_BEGIN, &entry));
	accept(&f, place);
	seen_by(1);
	tick(0);
	assert_true(proposed(ENTRY_MOVE_BEGIN, &entry));
}

/*
 * The host was cut off and is back: its store remembers the move as it began. That the guest came
 * and continued here, and went with the host, is in entries that this replica does not have yet.
 */
static void a_replica_that_is_behind_vouches_for_nothing(void **state)
{
	struct move *move = &f.cluster.moves[0];
	struct entry entry;
	struct vm *vm;

	(void)state;
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 1);
	vm = &f.cluster.vms[the_vm(&f, "web")->ref.slot];
	f.cluster.move_high = 1;
	*move = (struct move){ .id = 1, .vm = vm->ref, .kind = MOVE_LIVE, .stage = STAGE_PREPARE,
			       .source = 1, .target = 0, .attempt = vm->attempt };
	vm->move = 1;
	f.cluster.next_move = 2;
	replica_take();
	node->view->state = VIEW_ALONE;
	tick(10);
	tick(10);
	move->stage = STAGE_UNDO;
	move->shared = move->ready = true;
	replica_take();
	view_give(7);
	tick(10);
	assert_null(action_of(ACTION_MOVE_TELL));
	assert_true(proposed(ENTRY_MOVE_REPORT, &entry));
	assert_int_equal(entry.move_report, MOVE_REPORT_TARGET_GONE);
	assert_true(entry.flag);
}

static void measured(enum event_type type, uint32_t from, const struct measure_sample *sample)
{
	uint8_t bytes[SAMPLE_BYTES_MAX];
	size_t size = sample_encode(sample, bytes, sizeof(bytes));

	assert_true(size > 0);
	step((struct event){ .type = (uint8_t)type, .from_id = from, .body = bytes,
			     .body_size = size });
}

static bool cpu_of(uint8_t slot, uint32_t *value)
{
	struct series series;
	bool good = measures_node(node_measures(node), slot, MEASURE_NODE_CPU, now_ms, &series);

	*value = good ? series.values[series.count - 1] : 0;
	return good;
}

// Its own sample is kept and told; what comes back to it of that, and what strangers say, is not.
static void measurements_are_kept_and_told(void **state)
{
	static struct measure_sample sample;
	const struct action *tell;
	struct series series;
	uint32_t cpu;
	struct vm_ref vm;

	(void)state;
	sample = (struct measure_sample){ .step_ms = MEASURE_STEP_MS, .has_node = true };
	sample.node[MEASURE_NODE_CPU] = 321;
	measured(EVENT_MEASURED, 0, &sample);
	tell = action_of(ACTION_MEASURES_TELL);
	assert_non_null(tell);
	assert_true(sample_decode(&sample, tell->body, tell->body_size));
	assert_true(cpu_of(0, &cpu));
	assert_int_equal(cpu, 321);
	sample.node[MEASURE_NODE_CPU] = 1;
	measured(EVENT_MEASURES_HEARD, 1, &sample);
	assert_null(action_of(ACTION_MEASURES_TELL));
	cpu_of(0, &cpu);
	assert_int_equal(cpu, 321);
	assert_int_equal(measures_dropped(node_measures(node)), 0);
	measured(EVENT_MEASURES_HEARD, 99, &sample);
	assert_int_equal(measures_dropped(node_measures(node)), 1);
	step((struct event){ .type = EVENT_MEASURES_HEARD, .from_id = 2,
			     .body = (const uint8_t *)"x", .body_size = 1 });
	assert_int_equal(measures_dropped(node_measures(node)), 2);
	assert_false(cpu_of(1, &cpu));

	// Of a VM its owner alone speaks.
	doc_begin(&f);
	doc_vm(&f, "web", "v1");
	doc_accept(&f);
	run_vm(&f, "web", 1);
	replica_take();
	vm = the_vm(&f, "web")->ref;
	sample.vm_count = 1;
	sample.vms[0].vm = vm;
	sample.vms[0].values[0] = 77;
	measured(EVENT_MEASURES_HEARD, the_vm(&f, "web")->owner == 1 ? 3 : 2, &sample);
	assert_false(measures_vm(node_measures(node), vm, MEASURE_VM_CPU, now_ms, &series));
	measured(EVENT_MEASURES_HEARD, f.cluster.nodes[the_vm(&f, "web")->owner].def.id, &sample);
	measured(EVENT_MEASURED, 0, &sample);
	assert_int_equal(measures_vm(node_measures(node), vm, MEASURE_VM_CPU, now_ms, &series),
			 true);
	assert_int_equal(series.values[0], 77);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_move_without_its_preflight),
		TEST(no_drain_without_its_preflight),
		TEST(nothing_moves_in_a_round_that_places),
		TEST(a_fence_result_is_said_until_it_is_heard),
		TEST(a_lease_found_before_sanlock_died_is_none),
		TEST(a_volume_with_another_source_is_opened_anew),
		TEST(who_leaves_is_not_taken_for_back),
		TEST(a_volume_is_prepared_until_it_is_heard),
		TEST(a_lease_that_cannot_be_written_is_not_asked_for_without_a_pause),
		TEST(a_loss_while_this_node_joins_again_is_told_at_once),
		TEST(a_node_not_seen_since_corosync_came_back_is_given_time),
		TEST(a_goodbye_that_was_refused_is_said_again),
		TEST(a_host_that_goes_down_waits_for_its_drain),
		TEST(an_unknown_lease_found_before_sanlock_died_is_none),
		TEST(a_saved_state_is_taken_before_its_guest_continues),
		TEST(a_dropped_state_loses_its_file),
		TEST(a_taken_state_is_not_begun_again),
		TEST(a_replica_that_is_behind_vouches_for_nothing),
		TEST(measurements_are_kept_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
