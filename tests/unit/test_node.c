// SPDX-License-Identifier: Apache-2.0
// One real node, alone in its view, put into situations that are hard to come by: what it must not
// ask of the world there, and that it does as soon as it may.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clusterd/cluster_internal.h"
#include "quorum/view_internal.h"
#include "tests/unit/request_world.h"

enum { SELF = 0, OTHER = 1 };	// slots

static const char document[] =
	"{\"verb\":\"apply\",\"documents\":[{\"name\":\"lab.xml\",\"text\":\""
	"<clusterd><cluster name='lab'/><node name='n1' id='1'/><node name='n2' id='2'>"
	"<fence agent='fence_lab'/></node><volume name='vol1' source='/srv/vol1'/>"
	"<vm name='web' wanted='running'><cpus>1</cpus><memory unit='MiB'>128</memory>"
	"<disk volume='vol1' path='web.img' format='raw'/></vm></clusterd>\"}]}";

static struct vm *web(struct request_world *world)
{
	const struct vm *vm = cluster_find_vm(&world->node->cluster, "web");

	assert_non_null(vm);
	return &world->node->cluster.vms[vm->ref.slot];
}

static struct vm_local *web_here(struct request_world *world)
{
	return &world->node->locals[web(world)->ref.slot];
}

static struct cluster_node *other(struct request_world *world)
{
	return &world->node->cluster.nodes[OTHER];
}

// The VM runs here, and everything is as it is wanted.
static int world_up(void **state)
{
	struct request_world *world = calloc(1, sizeof(*world));
	const char *top = getenv("srcdir");
	static char schema[512];

	snprintf(schema, sizeof(schema), "%s/resources/clusterd.rng", top ? top : ".");
	world_open(world, schema);
	assert_non_null(strstr(world_ask(world, document), "web"));
	world_run(world, 5000);
	assert_int_equal(web(world)->phase, VM_RUNNING);
	assert_int_equal(web_here(world)->life, LIFE_RUNNING);
	*state = world;
	return 0;
}

static int world_down(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

// One event, and nothing that it asks for is carried out.
static void step(struct request_world *world, struct event event)
{
	world->actions.count = 0;
	world->actions.used = 0;
	world->now_ms += 10;
	event.now_ms = world->now_ms;
	event.wall_ms = 1700000000000 + world->now_ms;
	node_step(world->node, &event, &world->actions);
}

static void tick(struct request_world *world)
{
	step(world, (struct event){ .type = EVENT_TICK });
}

static void about_web(struct request_world *world, enum event_type type, bool flag)
{
	step(world, (struct event){ .type = (uint8_t)type, .flag = flag, .vm = web(world)->ref,
				    .attempt = web_here(world)->attempt });
}

static void ring(struct request_world *world, bool with_other, bool quorate)
{
	static const struct group_member members[] = { { .id = 1 }, { .id = 2 } };

	step(world, (struct event){ .type = EVENT_RING, .members = members, .flag = quorate,
				    .member_count = with_other ? 2 : 1, .ring = 2 });
}

// Looks at once, and all that is asked for is done.
static void settle(struct request_world *world)
{
	world->node->deadline_ms = 0;
	world_run(world, 10000);
}

static const struct action *asked(const struct request_world *world, enum action_type type)
{
	for (uint32_t i = 0; i < world->actions.count; i++)
		if (world->actions.items[i].type == type)
			return &world->actions.items[i];
	return NULL;
}

// The place in the list of what was asked for of the first entry of this type that is proposed; -1:
// none is.
static int proposed(const struct request_world *world, enum entry_type type)
{
	for (uint32_t i = 0; i < world->actions.count; i++) {
		const struct action *action = &world->actions.items[i];
		struct store_facts facts;
		struct message m;
		struct entry entry;

		if (action->type == ACTION_SEND &&
		    message_decode(&m, &facts, action->body, action->body_size) &&
		    (m.type == MESSAGE_ENTRY || m.type == MESSAGE_PROPOSE) &&
		    entry_decode(&entry, m.body, m.body_size) && entry.type == type)
			return (int)i;
	}
	return -1;
}

static void qemu_is_let_go_in_a_quorate_view_alone(void **state)
{
	struct request_world *world = *state;

	web_here(world)->life = LIFE_GRANTED;
	web_here(world)->executed = false;
	web_here(world)->deadline_ms = world->now_ms + 10000;
	web(world)->phase = VM_PLACED;
	ring(world, false, false);
	assert_null(asked(world, ACTION_QEMU_EXEC));
	tick(world);
	assert_null(asked(world, ACTION_QEMU_EXEC));
	ring(world, false, true);
	assert_non_null(asked(world, ACTION_QEMU_EXEC));
}

static void leases_are_written_before_a_child_is_made(void **state)
{
	struct request_world *world = *state;

	web_here(world)->life = LIFE_OFFLINE;
	web(world)->phase = VM_PLACED;
	web(world)->leases[0].life = LEASE_WRITING;
	web(world)->leases[0].actor = OTHER;
	tick(world);
	assert_null(asked(world, ACTION_VM_SPAWN));
	web(world)->leases[0].life = LEASE_READY;
	world->node->sanlock_up = false;
	tick(world);
	assert_null(asked(world, ACTION_VM_SPAWN));
	world->node->sanlock_up = true;
	tick(world);
	assert_non_null(asked(world, ACTION_VM_SPAWN));
}

static void hands_are_kept_off_an_unmanaged_vm(void **state)
{
	struct request_world *world = *state;

	web(world)->managed = false;
	web(world)->wanted = VM_WANTED_STOPPED;
	tick(world);
	assert_null(asked(world, ACTION_QEMU_POWERDOWN));
	web(world)->managed = true;
	tick(world);
	assert_non_null(asked(world, ACTION_QEMU_POWERDOWN));
}

/*
 * A restarted sanlock joins with a new generation, and then another host is granted the leases of
 * the old one: every QEMU of the old one must be gone first.
 */
static void sanlocks_death_ends_vms_before_anything_is_joined(void **state)
{
	struct request_world *world = *state;

	step(world, (struct event){ .type = EVENT_SANLOCK_GONE });
	assert_non_null(asked(world, ACTION_QEMU_KILL));
	step(world, (struct event){ .type = EVENT_SANLOCK_UP, .flag = true });
	assert_null(asked(world, ACTION_VOLUME_JOIN));
	world->now_ms += 60000;
	tick(world);
	assert_null(asked(world, ACTION_VOLUME_JOIN));
	about_web(world, EVENT_QEMU_EXITED, true);
	assert_non_null(asked(world, ACTION_VOLUME_JOIN));
}

static void nothing_is_joined_before_old_qemus_were_looked_for(void **state)
{
	struct request_world *world = *state;

	world->node->volumes[0].seen.joined = false;
	world->node->adopted = false;
	tick(world);
	assert_null(asked(world, ACTION_VOLUME_JOIN));
	step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	assert_non_null(asked(world, ACTION_VOLUME_JOIN));
}

// Its lease was looked at under a sanlock that has died since: it counts for nothing.
static void what_was_found_before_sanlock_died_is_ended(void **state)
{
	struct request_world *world = *state;
	struct event found = { .type = EVENT_VM_ADOPTED, .flag = true };

	found.uuid = web_here(world)->uuid;
	found.attempt = web_here(world)->attempt;
	for (int died = 0; died < 2; died++) {
		world->node->adopted = false;
		if (died)
			step(world, (struct event){ .type = EVENT_SANLOCK_GONE });
		web_here(world)->life = LIFE_OFFLINE;
		step(world, found);
		assert_int_equal(web_here(world)->life, died ? LIFE_KILLING : LIFE_RUNNING);
		step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	}
}

// Its edge knows it by the reference that it had before the cluster recovered from loss.
static void what_was_found_is_heard_by_its_uuid(void **state)
{
	struct request_world *world = *state;
	struct event event = { .type = EVENT_VM_ADOPTED,
			       .flag = true,
			       .run_state = RUN_UNKNOWN,
			       .vm = { 60, 7 } };

	event.uuid = web_here(world)->uuid;
	event.attempt = web_here(world)->attempt;
	world->node->adopted = false;
	web_here(world)->life = LIFE_OFFLINE;
	step(world, event);
	assert_true(web_here(world)->deaf);
	step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	event.type = EVENT_QEMU_RUNNING;
	step(world, event);
	assert_false(web_here(world)->deaf);
	assert_false(web_here(world)->sending);
}

static void an_unknown_qemu_without_lease_bars_joining(void **state)
{
	struct request_world *world = *state;

	world->node->volumes[0].seen.joined = false;
	world->node->adopted = false;
	for (int round = 0; round < 3; round++) {	// it is looked again whether it is still
							// there
		step(world, (struct event){ .type = EVENT_VM_ADOPTED, .uuid = { { 9, 9 } } });
		assert_null(asked(world, ACTION_VOLUME_JOIN));
		step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
		assert_null(asked(world, ACTION_VOLUME_JOIN));
		world->now_ms += 60000;
		tick(world);
		assert_null(asked(world, ACTION_VOLUME_JOIN));
		assert_false(world->node->adopted);
	}
	step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	assert_non_null(asked(world, ACTION_VOLUME_JOIN));
}

// It was being written when the daemon died: how far that came is not known, so the slot is never
// used again.
static void a_lease_write_that_nobody_remembers_burns_its_slot(void **state)
{
	struct request_world *world = *state;
	struct vm_lease *lease = &web(world)->leases[0];
	uint32_t slot = lease->slot;

	web_here(world)->life = LIFE_OFFLINE;
	web_here(world)->writing = 0;
	web(world)->phase = VM_IDLE;
	web(world)->owner = SLOT_NONE;
	lease->life = LEASE_WRITING;
	lease->actor = SELF;
	settle(world);
	assert_int_equal(volume_lease_slots(&world->node->cluster, lease->volume)[slot],
			 SLOT_BURNED);
	assert_int_not_equal(lease->slot, slot);
}

// In what was lost it may have had another lease, and run under it on whoever is away.
static void a_lease_that_is_gone_waits_for_everybody(void **state)
{
	struct request_world *world = *state;
	struct vm_lease *lease = &web(world)->leases[0];

	web_here(world)->life = LIFE_OFFLINE;
	web(world)->phase = VM_IDLE;
	web(world)->owner = SLOT_NONE;
	lease->life = LEASE_GONE;
	other(world)->life = NODE_DEAD;
	settle(world);
	assert_int_equal(lease->life, LEASE_GONE);
}

// It may listen still: the source has not said that it may go on.
static void a_deaf_target_is_not_said_to_run(void **state)
{
	struct request_world *world = *state;
	struct cluster *cluster = &world->node->cluster;
	struct event found = { .type = EVENT_VM_ADOPTED,
			       .flag = true,
			       .shared = true,
			       .run_state = RUN_UNKNOWN };
	struct move *move = &cluster->moves[0];

	web_here(world)->life = LIFE_OFFLINE;
	web(world)->owner = OTHER;
	cluster_touch_move(cluster, 0);
	*move = (struct move){ .id = 1,
			       .vm = web(world)->ref,
			       .kind = MOVE_LIVE,
			       .stage = STAGE_TRANSFER,
			       .source = OTHER,
			       .target = SELF,
			       .shared = true,
			       .ready = true };
	web(world)->move = 1;
	world->node->moves_index = 0;
	found.attempt = move->attempt = web(world)->attempt;
	found.vm = web(world)->ref;
	found.uuid = vm_definition(cluster, web(world))->uuid;
	world->node->adopted = false;
	step(world, found);
	assert_int_equal(web_here(world)->life, LIFE_RUNNING);
	assert_int_equal(proposed(world, ENTRY_VM_REPORT), -1);
	step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	assert_int_equal(proposed(world, ENTRY_VM_REPORT), -1);
	assert_int_equal(proposed(world, ENTRY_MOVE_REPORT), -1);
	about_web(world, EVENT_QEMU_RUNNING, false);
	assert_int_not_equal(proposed(world, ENTRY_MOVE_REPORT), -1);
}

// Its move ended while nobody was there to follow it: the guest stands in the middle of it.
static void what_sends_for_no_move_is_called_back(void **state)
{
	static const struct migrate_stats waits = { .status = MIGRATE_PRE_SWITCHOVER },
					  device = { .status = MIGRATE_DEVICE },
					  ended = { .status = MIGRATE_CANCELLED };
	struct request_world *world = *state;
	struct event heard = { .type = EVENT_MIGRATE, .stats = &waits };

	web_here(world)->sending = true;
	heard.vm = web(world)->ref;
	heard.attempt = web_here(world)->attempt;
	step(world, heard);
	assert_non_null(asked(world, ACTION_MIGRATE_CANCEL));
	tick(world);
	assert_null(asked(world, ACTION_MIGRATE_CANCEL));
	world->now_ms += 5000;
	tick(world);
	assert_non_null(asked(world, ACTION_MIGRATE_CANCEL));
	world->now_ms += 5000;
	heard.stats = &device;
	step(world, heard);
	assert_null(asked(world, ACTION_MIGRATE_CANCEL));
	assert_non_null(asked(world, ACTION_MIGRATE_BREAK));
	heard.stats = &ended;
	step(world, heard);
	assert_non_null(asked(world, ACTION_QEMU_CONT));
}

/*
 * Restored from its saved state, and its clusterd died before QEMU was told to continue, or heard
 * of it: nobody else has this memory, and the state is taken.
 */
static void a_restored_guest_found_standing_continues(void **state)
{
	struct request_world *world = *state;
	struct cluster *cluster = &world->node->cluster;
	struct event found = { .type = EVENT_VM_ADOPTED, .flag = true, .run_state = RUN_PAUSED };

	web_here(world)->life = LIFE_OFFLINE;
	web(world)->phase = VM_PLACED;
	web(world)->saved = SAVED_TAKEN;
	cluster_touch_move(cluster, 0);
	cluster->moves[0] = (struct move){ .id = 1,
					   .vm = web(world)->ref,
					   .kind = MOVE_QUICK,
					   .stage = STAGE_RESTORE,
					   .source = OTHER,
					   .target = SELF };
	web(world)->move = 1;
	world->node->moves_index = 0;
	found.attempt = web(world)->attempt;
	found.vm = web(world)->ref;
	found.uuid = vm_definition(cluster, web(world))->uuid;
	world->node->adopted = false;
	step(world, found);
	assert_non_null(asked(world, ACTION_QEMU_CONT));
	step(world, (struct event){ .type = EVENT_ADOPTION_DONE });
	assert_int_not_equal(proposed(world, ENTRY_VM_REPORT), -1);
}

static void claims_of_a_proven_dead_node_alone_are_released(void **state)
{
	struct request_world *world = *state;
	const struct action *release;

	world->node->adopted = true;
	other(world)->managed = false;	// nothing is decided about it meanwhile
	other(world)->fence_attempt = 5;
	other(world)->fence_generation_mask = 1;
	other(world)->fence_generation[0] = 77;
	for (uint8_t life = 0; life < NODE_LIFE_COUNT; life++) {
		if (life == NODE_FENCED)
			continue;
		other(world)->life = life;
		tick(world);
		assert_null(asked(world, ACTION_HOST_RELEASE));
	}
	other(world)->life = NODE_FENCED;
	ring(world, true, true);	// it is back: somebody switched it on
	assert_null(asked(world, ACTION_HOST_RELEASE));
	ring(world, false, false);
	assert_null(asked(world, ACTION_HOST_RELEASE));
	ring(world, false, true);
	release = asked(world, ACTION_HOST_RELEASE);
	assert_non_null(release);
	assert_int_equal(release->generation_mask, 1);
	assert_int_equal(release->generation[0], 77);
}

static void a_node_that_is_back_is_not_shot(void **state)
{
	struct request_world *world = *state;

	ring(world, true, true);
	other(world)->life = NODE_FENCING;
	other(world)->fence_actor = SELF;
	other(world)->fence_attempt = 5;
	tick(world);
	assert_null(asked(world, ACTION_FENCE));
	ring(world, false, true);
	other(world)->fence_attempt = 6;
	tick(world);
	assert_non_null(asked(world, ACTION_FENCE));
	tick(world);
	assert_null(asked(world, ACTION_FENCE));	// once
}

static void a_fence_names_the_generations_that_it_proves_dead(void **state)
{
	struct request_world *world = *state;

	other(world)->life = NODE_LOST;
	other(world)->reported = true;
	other(world)->report.volumes[0].joined = true;
	other(world)->report.volumes[0].generation = 77;
	tick(world);
	assert_true(proposed(world, ENTRY_NODE_FENCING) >= 0);
	// The next round waits for what this one decided.
	tick(world);
	assert_int_equal(proposed(world, ENTRY_NODE_FENCING), -1);
}

static void generations_are_in_the_replica_before_the_fence(void **state)
{
	struct request_world *world = *state;

	other(world)->life = NODE_LOST;
	other(world)->reported = true;
	other(world)->report.volumes[0].joined = true;
	other(world)->report.volumes[0].generation = 77;
	settle(world);
	assert_int_equal(other(world)->life, NODE_FENCING);
	assert_int_equal(other(world)->fence_generation_mask, 1);
	assert_int_equal(other(world)->fence_generation[0], 77);
}

// Whoever reports itself says: what I have not told you of, I do not run.
static void what_was_found_is_told_first(void **state)
{
	struct request_world *world = *state;
	int found, report;

	world->node->cluster.nodes[SELF].reported = false;
	web(world)->phase = VM_IDLE;
	web(world)->owner = SLOT_NONE;
	web_here(world)->reported_ms = 0;
	tick(world);
	found = proposed(world, ENTRY_VM_REPORT);
	report = proposed(world, ENTRY_NODE_REPORT);
	assert_true(found >= 0);
	assert_true(report == -1 || report > found);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(qemu_is_let_go_in_a_quorate_view_alone),
		IN_WORLD(leases_are_written_before_a_child_is_made),
		IN_WORLD(hands_are_kept_off_an_unmanaged_vm),
		IN_WORLD(sanlocks_death_ends_vms_before_anything_is_joined),
		IN_WORLD(nothing_is_joined_before_old_qemus_were_looked_for),
		IN_WORLD(what_was_found_before_sanlock_died_is_ended),
		IN_WORLD(what_was_found_is_heard_by_its_uuid),
		IN_WORLD(an_unknown_qemu_without_lease_bars_joining),
		IN_WORLD(a_lease_write_that_nobody_remembers_burns_its_slot),
		IN_WORLD(a_lease_that_is_gone_waits_for_everybody),
		IN_WORLD(a_deaf_target_is_not_said_to_run),
		IN_WORLD(what_sends_for_no_move_is_called_back),
		IN_WORLD(a_restored_guest_found_standing_continues),
		IN_WORLD(claims_of_a_proven_dead_node_alone_are_released),
		IN_WORLD(a_node_that_is_back_is_not_shot),
		IN_WORLD(a_fence_names_the_generations_that_it_proves_dead),
		IN_WORLD(generations_are_in_the_replica_before_the_fence),
		IN_WORLD(what_was_found_is_told_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
