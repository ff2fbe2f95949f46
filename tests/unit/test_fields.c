// SPDX-License-Identifier: Apache-2.0
/*
 * That no field is forgotten by snapshots and digests, tried on the bytes of the structs
 * themselves. The code under test is compiled in here with packed structs: then every byte belongs
 * to a field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Waddress-of-packed-member"
#pragma pack(push, 1)
#include "clusterd/cluster.c"
#include "clusterd/codec.c"
#include "clusterd/definition.c"
#include "clusterd/fields.c"
#include "clusterd/fields_tip.c"
#include "clusterd/pro.c"
#include "clusterd/snapshot.c"
#include "clusterd/text.c"
#include "clusterd/rule_index.c"
#include "clusterd/vm_index.c"
#pragma pack(pop)

struct fixture {
	struct cluster cluster;
	void *memory;
};

static void fixture_open(struct fixture *f, uint32_t vms_max, uint32_t lease_slots_max)
{
	struct cluster_limits limits = { .vms_max = vms_max, .lease_slots_max = lease_slots_max };

	f->memory = malloc(cluster_memory(&limits));
	assert_non_null(f->memory);
	memset(f->memory, 0xa5, cluster_memory(&limits));
	cluster_init(&f->cluster, &limits, f->memory);
}

static void fixture_close(struct fixture *f)
{
	free(f->memory);
}

static uint64_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % sides;
}

// No zero byte: what is left unfilled below then shows.
static void scribble(void *memory, size_t size)
{
	uint8_t *at = memory;

	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)('b' + dice(24));
}

#define FLAG(field) ((field) = true)
#define KIND(field, count) ((field) = (uint8_t)((count)-1))
#define END(field) (fill_end((field), sizeof(field)))

static void fill_end(char *text, size_t size)
{
	size_t length = size - 1;

	memset(text + length, 0, size - length);
}

static void fill_report(struct node_report *report)
{
	FLAG(report->watchdog);
	FLAG(report->qemu);
	KIND(report->leaving, HOST_LEAVING_COUNT);
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		END(report->addresses[i]);
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		KIND(report->volumes[i].state, VOLUME_STATE_COUNT);
		FLAG(report->volumes[i].joined);
		END(report->volumes[i].reason);
	}
	KIND(report->facts.state, FACTS_STATE_COUNT);
	KIND(report->facts.accel, HOST_ACCEL_COUNT);
	report->facts.machine_count = MACHINES_MAX;
	report->facts.model_count = CPU_MODELS_MAX;
	report->facts.bridge_count = BRIDGES_MAX;
	FLAG(report->facts.bridges_cut);
	FLAG(report->facts.no_post_copy);
	report->facts.image_count = IMAGE_FAULTS_MAX;
	report->facts.device_count = DEVICES_MAX;
	memset(report->facts.spare, 0, sizeof(report->facts.spare));
	END(report->facts.arch);
	END(report->facts.cpu_vendor);
	END(report->facts.cpu_model);
	END(report->facts.features_other);
	END(report->facts.machine_q35);
	END(report->facts.machine_pc);
	for (uint32_t i = 0; i < BRIDGES_MAX; i++)
		END(report->facts.bridges[i]);
	for (uint32_t i = 0; i < IMAGE_FAULTS_MAX; i++) {
		KIND(report->facts.images[i].state, IMAGE_STATE_COUNT);
		memset(report->facts.images[i].spare, 0, sizeof(report->facts.images[i].spare));
	}
}

static void fill_node(struct cluster_node *node)
{
	scribble(node, sizeof(*node));
	FLAG(node->used);
	node->report_stamp = 0; // derived
	END(node->def.name);
	END(node->def.cpu_without);
	node->def.fence_count = FENCE_DEVICES_MAX;
	for (uint32_t i = 0; i < FENCE_DEVICES_MAX; i++) {
		END(node->def.fences[i].agent);
		END(node->def.fences[i].options);
	}
	FLAG(node->managed);
	FLAG(node->maintenance);
	KIND(node->drain, DRAIN_STATE_COUNT);
	FLAG(node->drain_return);
	FLAG(node->drain_stop);
	END(node->drain_reason);
	FLAG(node->reported);
	fill_report(&node->report);
	KIND(node->life, NODE_LIFE_COUNT);
	node->policy_move_count = POLICY_BUDGET_MAX;
	node->fence_actor = 2;
	FLAG(node->fence_wanted);
	KIND(node->def.health, NODE_HEALTH_COUNT);
	node->def.attribute_count = ATTRIBUTES_MAX;
	for (uint32_t i = 0; i < ATTRIBUTES_MAX; i++) {
		END(node->def.attributes[i].name);
		END(node->def.attributes[i].value);
	}
	END(node->reason);
}

static void fill_volume(struct cluster_volume *volume)
{
	scribble(volume, sizeof(*volume));
	FLAG(volume->used);
	END(volume->def.name);
	END(volume->def.source);
	FLAG(volume->prepared);
	volume->prepare_actor = 2;
	END(volume->reason);
}

static void fill_def(struct vm_def *def)
{
	scribble(def, sizeof(*def));
	END(def->name);
	END(def->description);
	END(def->machine);
	FLAG(def->hugepages);
	KIND(def->cpu_mode, CPU_MODE_COUNT);
	END(def->cpu_model);
	KIND(def->firmware, FIRMWARE_COUNT);
	END(def->kernel.volume);
	END(def->kernel.path);
	END(def->initrd.volume);
	END(def->initrd.path);
	END(def->cmdline);
	def->disk_count = VM_DISKS_MAX;
	def->nic_count = VM_NICS_MAX;
	for (uint32_t i = 0; i < VM_DISKS_MAX; i++) {
		END(def->disks[i].volume);
		END(def->disks[i].path);
		KIND(def->disks[i].format, DISK_FORMAT_COUNT);
		KIND(def->disks[i].bus, DISK_BUS_COUNT);
		KIND(def->disks[i].cache, DISK_CACHE_COUNT);
		KIND(def->disks[i].aio, DISK_AIO_COUNT);
		FLAG(def->disks[i].discard);
		FLAG(def->disks[i].readonly);
		FLAG(def->disks[i].cdrom);
	}
	for (uint32_t i = 0; i < VM_NICS_MAX; i++) {
		END(def->nics[i].bridge);
		END(def->nics[i].device);
		KIND(def->nics[i].model, NIC_MODEL_COUNT);
	}
	FLAG(def->console);
	FLAG(def->vnc);
	FLAG(def->guest_agent);
	END(def->address);
	KIND(def->wanted, VM_WANTED_COUNT);
	FLAG(def->wanted_given);
	KIND(def->failback, FAILBACK_COUNT);
	def->failback_after_s = 24 * 3600;
	def->failback_from = def->failback_to = 24 * 60 - 1;
	def->forget_s = FORGET_MAX_S;
	KIND(def->on_failure, ON_FAILURE_COUNT);
	KIND(def->on_stop_failure, ON_STOP_FAILURE_COUNT);
	KIND(def->on_double_run, ON_DOUBLE_COUNT);
	KIND(def->on_guest_shutdown, GUEST_SHUTDOWN_COUNT);
	def->throttle_max = 99;
	FLAG(def->post_copy);
	KIND(def->on_drain, ON_DRAIN_COUNT);
	def->tag_count = TAGS_MAX;
	for (uint32_t i = 0; i < TAGS_MAX; i++)
		END(def->tags[i]);
}

static void fill_vm(struct cluster *cluster, uint32_t slot)
{
	struct vm *vm = &cluster->vms[slot];

	scribble(vm, sizeof(*vm));
	FLAG(vm->used);
	vm->ref.slot = slot;
	vm->phase = VM_RUNNING;
	vm->owner = (uint8_t)(1 + dice(3));
	KIND(vm->wanted, VM_WANTED_COUNT);
	FLAG(vm->forced);
	FLAG(vm->managed);
	vm->lease_count = VM_LEASES_MAX;
	for (uint32_t i = 0; i < VM_LEASES_MAX; i++) {
		vm->leases[i].volume = (uint8_t)(1 + dice(3));
		KIND(vm->leases[i].life, LEASE_LIFE_COUNT);
		vm->leases[i].actor = 2;
		vm->leases[i].slot = slot * VM_LEASES_MAX + i;
		volume_lease_slots(cluster, vm->leases[i].volume)[vm->leases[i].slot] = SLOT_USED;
	}
	vm->last_owner = 2;
	vm->move = 0;
	KIND(vm->saved, SAVED_STATE_COUNT);
	vm->saved_volume = 3;
	vm->drained_from = 2;
	vm->bound_to = 2;
	FLAG(vm->cpu_known);
	END(vm->machine);
	END(vm->reason);
	fill_def(&cluster->defs[slot]);
}

static const uint32_t vm_slots[] = { 0, 2, 5 };

static void fill_rule(struct cluster_rule *rule)
{
	struct rule_def *def = &rule->def;

	scribble(rule, sizeof(*rule));
	FLAG(rule->used);
	END(def->name);
	KIND(def->kind, RULE_KIND_COUNT);
	FLAG(def->strict);
	FLAG(def->enabled);
	FLAG(def->symmetric);
	KIND(def->up, RULE_UP_COUNT);
	END(def->attribute);
	def->member_count = RULE_MEMBERS_MAX;
	for (uint32_t i = 0; i < RULE_MEMBERS_MAX; i++) {
		END(def->members[i].name);
		FLAG(def->members[i].tag);
		KIND(def->members[i].role, RULE_ROLE_COUNT);
	}
}

static void fill_run(struct policy_run *run)
{
	FLAG(run->wanted);
	END(run->reason);
}

static void fill_policy(struct cluster_policy *policy)
{
	struct pro_def *def = &policy->def;

	scribble(policy, sizeof(*policy));
	FLAG(policy->used);
	END(def->name);
	FLAG(def->enabled);
	FLAG(def->enabled_given);
	KIND(def->severity, PRO_SEVERITY_COUNT);
	KIND(def->mode, PRO_MODE_COUNT);
	KIND(def->subject, PRO_SUBJECT_COUNT);
	KIND(def->measure, PRO_MEASURE_COUNT);
	FLAG(def->below);
	KIND(def->action, PRO_ACTION_COUNT);
	END(def->script);
	FLAG(policy->suspended);
	END(policy->reason);
	fill_run(&policy->run);
	policy->past_count = POLICY_PAST_MAX;
	for (uint32_t i = 0; i < POLICY_PAST_MAX; i++)
		KIND(policy->past[i].verdict, TIP_VERDICT_COUNT);
}

static void fill_tips(struct cluster *cluster)
{
	struct tip *tip = &cluster->tips[6];

	scribble(&cluster->next_tip, sizeof(cluster->next_tip));
	scribble(&cluster->balance, sizeof(cluster->balance));
	fill_run(&cluster->balance);
	scribble(tip, sizeof(*tip));
	tip->id = cluster->next_tip - 1;
	KIND(tip->state, TIP_STATE_COUNT);
	KIND(tip->severity, PRO_SEVERITY_COUNT);
	KIND(tip->action, PRO_ACTION_COUNT);
	END(tip->policy);
	FLAG(tip->asked);
	FLAG(tip->automatic);
	KIND(tip->subject, PRO_SUBJECT_COUNT);
	tip->node = 1;
	tip->volume = 2;
	END(tip->subject_name);
	KIND(tip->measure, PRO_MEASURE_COUNT);
	FLAG(tip->below);
	tip->point_count = TIP_POINTS_MAX;
	tip->move_count = TIP_MOVES_MAX;
	for (uint32_t i = 0; i < TIP_MOVES_MAX; i++) {
		tip->moves[i].from = 1;
		tip->moves[i].to = 3;
		KIND(tip->moves[i].outcome, MOVE_OUTCOME_COUNT);
	}
	tip->actor = 2;
	KIND(tip->verdict, TIP_VERDICT_COUNT);
	END(tip->reason);
	END(tip->result);
}

static void fill_moves(struct cluster *cluster)
{
	scribble(&cluster->next_move, sizeof(cluster->next_move));
	cluster->past_move = 9;
	for (uint32_t i = 0; i < PAST_MOVES_MAX; i++) {
		struct past_move *past = &cluster->past_moves[i];

		scribble(past, sizeof(*past));
		END(past->vm);
		END(past->source);
		END(past->target);
		KIND(past->kind, MOVE_KIND_COUNT);
		KIND(past->cause, MOVE_CAUSE_COUNT);
		KIND(past->outcome, MOVE_OUTCOME_COUNT);
		KIND(past->stage, MOVE_STAGE_COUNT);
		END(past->reason);
	}
}

// The VM in slot 2 moves; every text and flag full.
static void fill_move(struct cluster *cluster)
{
	struct move *move = &cluster->moves[7];

	cluster_touch_move(cluster, 7);
	scribble(move, sizeof(*move));
	move->id = cluster->next_move - 1;
	move->vm = cluster->vms[2].ref;
	cluster->vms[2].move = move->id;
	KIND(move->kind, MOVE_KIND_COUNT);
	KIND(move->stage, MOVE_STAGE_COUNT);
	KIND(move->cause, MOVE_CAUSE_COUNT);
	move->source = 1;
	move->target = 2;
	FLAG(move->shared);
	FLAG(move->ready);
	FLAG(move->source_gone);
	FLAG(move->target_gone);
	FLAG(move->target_died);
	FLAG(move->cancelled);
	END(move->address);
	END(move->avoid);
	FLAG(move->broke);
	FLAG(move->anew);
	FLAG(move->back);
	END(move->reason);
}

// Nodes and volumes in slots 1 to 3; every string, array and mask full.
static void fill_cluster(struct cluster *cluster)
{

	scribble(&cluster->index, sizeof(cluster->index));
	scribble(&cluster->view, sizeof(cluster->view));
	scribble(&cluster->functional_level, sizeof(cluster->functional_level));
	scribble(&cluster->next_serial, sizeof(cluster->next_serial));
	scribble(&cluster->def, sizeof(cluster->def));
	END(cluster->def.name);
	END(cluster->def.root);
	KIND(cluster->def.no_quorum, NO_QUORUM_COUNT);
	cluster->def.measure_s = MEASURE_EVERY_MAX_S;
	cluster->def.utc = true;
	cluster->ahead_min = -AHEAD_MAX_MIN;
	cluster->def.migration.moves_max = MOVES_MAX;
	cluster->def.migration.network_count = MIGRATION_NETWORKS_MAX;
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		END(cluster->def.migration.networks[i]);
	FLAG(cluster->def.migration.plain);
	KIND(cluster->def.policies.placement, PLACEMENT_STRATEGY_COUNT);
	KIND(cluster->def.policies.health, HEALTH_POLICY_COUNT);
	KIND(cluster->def.policies.shutdown, SHUTDOWN_POLICY_COUNT);
	FLAG(cluster->def.policies.failures_strict);
	FLAG(cluster->def.policies.displace);
	FLAG(cluster->def.policies.cpu_hard);
	fill_moves(cluster);
	cluster_touch_rule(cluster, 3);
	fill_rule(&cluster->rules[3]);
	fill_policy(&cluster->policies[7]);
	fill_tips(cluster);
	scribble(&cluster->voters, sizeof(cluster->voters));
	cluster->voters.count = NODES_MAX;
	for (uint32_t i = 0; i < NODES_MAX; i++)
		cluster->voters.list[i].id = 0x01010101 + 16 * i;
	for (uint32_t i = 1; i <= 3; i++) {
		cluster_touch_node(cluster, (uint8_t)i);
		fill_node(&cluster->nodes[i]);
		cluster_touch_volume(cluster, (uint8_t)i);
		fill_volume(&cluster->volumes[i]);
	}
	volume_lease_slots(cluster, 3)[59] = SLOT_BURNED;
	for (uint32_t i = 0; i < 3; i++) {
		cluster_touch_vm(cluster, vm_slots[i]);
		fill_vm(cluster, vm_slots[i]);
		cluster->vm_count++;
	}
	fill_move(cluster);
	vm_index_rebuild(cluster);
}

static void open_full(struct fixture *f)
{
	fixture_open(f, 6, 64);
	fill_cluster(&f->cluster);
}

#define ASSERT_SAME(x, y) assert_memory_equal(&(x), &(y), sizeof(x))

static void everything_comes_back(void **state)
{
	struct fixture a, b;
	size_t size;
	uint8_t *buf;

	(void)state;
	for (int round = 0; round < 50; round++) {
		open_full(&a);
		fixture_open(&b, 9, 77); // other limits, other memory
		size = cluster_encode(&a.cluster, NULL, 0);
		buf = malloc(size);
		assert_int_equal(cluster_encode(&a.cluster, buf, size - 1), size);
		assert_int_equal(cluster_encode(&a.cluster, buf, size), size);
		assert_true(cluster_decode(&b.cluster, buf, size));
		assert_true(cluster_digest(&a.cluster) == cluster_digest(&b.cluster));
		assert_int_equal(b.cluster.node_high, 4);
		assert_int_equal(b.cluster.volume_high, 4);
		assert_int_equal(b.cluster.vm_high, 6);
		assert_int_equal(b.cluster.vm_count, 3);
		ASSERT_SAME(a.cluster.def, b.cluster.def);
		ASSERT_SAME(a.cluster.voters, b.cluster.voters);
		ASSERT_SAME(a.cluster.nodes, b.cluster.nodes);
		ASSERT_SAME(a.cluster.volumes, b.cluster.volumes);
		ASSERT_SAME(a.cluster.moves, b.cluster.moves);
		ASSERT_SAME(a.cluster.rules, b.cluster.rules);
		ASSERT_SAME(a.cluster.policies, b.cluster.policies);
		ASSERT_SAME(a.cluster.tips, b.cluster.tips);
		ASSERT_SAME(a.cluster.balance, b.cluster.balance);
		ASSERT_SAME(a.cluster.past_moves, b.cluster.past_moves);
		for (uint32_t i = 0; i < 6; i++) {
			ASSERT_SAME(a.cluster.vms[i], b.cluster.vms[i]);
			ASSERT_SAME(a.cluster.defs[i], b.cluster.defs[i]);
			if (a.cluster.vms[i].used)
				assert_ptr_equal(
					cluster_find_vm(&b.cluster, b.cluster.defs[i].name),
					&b.cluster.vms[i]);
		}
		for (uint8_t v = 0; v < VOLUMES_MAX; v++)
			assert_memory_equal(volume_lease_slots(&a.cluster, v),
					    volume_lease_slots(&b.cluster, v), 64);
		free(buf);
		fixture_close(&a);
		fixture_close(&b);
	}
}

static void limits_hold_for_snapshots(void **state)
{
	struct fixture a, fewer_vms, fewer_slots;
	uint8_t *buf;
	size_t size;

	(void)state;
	open_full(&a);
	fixture_open(&fewer_vms, 5, 64);
	fixture_open(&fewer_slots, 6, 59);
	size = cluster_encode(&a.cluster, NULL, 0);
	buf = malloc(size);
	cluster_encode(&a.cluster, buf, size);
	assert_false(cluster_decode(&fewer_vms.cluster, buf, size));
	assert_int_equal(fewer_vms.cluster.vm_count, 0);
	assert_false(cluster_decode(&fewer_slots.cluster, buf, size));
	free(buf);
	fixture_close(&a);
	fixture_close(&fewer_vms);
	fixture_close(&fewer_slots);
}

struct exception {
	size_t offset, size;
};

static bool excepted(const struct exception *list, size_t offset)
{
	for (; list->size; list++) {
		if (offset >= list->offset && offset < list->offset + list->size)
			return true;
	}
	return false;
}

// Changes every byte of `object`, one after another; the zero bytes are the ends of texts.
static void every_byte_counts(struct cluster *cluster, void *object, size_t size,
			      const struct exception *exceptions)
{
	uint64_t digest = cluster_digest(cluster);
	uint8_t *bytes = object;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == 0 || excepted(exceptions, i))
			continue;
		bytes[i] ^= 1;
		if (cluster_digest(cluster) == digest)
			fail_msg("byte %zu of %zu is in no digest", i, size);
		bytes[i] ^= 1;
	}
	assert_true(cluster_digest(cluster) == digest);
}

#define EXCEPT(type, field)                                                                        \
	{                                                                                          \
		offsetof(struct type, field), sizeof(((struct type *)0)->field)                    \
	}
#define TRY(object, ...)                                                                           \
	do {                                                                                       \
		const struct exception exceptions[] = { __VA_ARGS__, { 0, 0 } };                   \
		every_byte_counts(&f.cluster, &(object), sizeof(object), exceptions);              \
	} while (0)

// With one of each, so that a digest is quick.
static void every_byte_of_every_field_is_in_the_digest(void **state)
{
	struct fixture f;

	(void)state;
	open_full(&f);
	for (uint32_t i = 2; i <= 3; i++) {
		memset(&f.cluster.nodes[i], 0, sizeof(f.cluster.nodes[i]));
		memset(&f.cluster.volumes[i], 0, sizeof(f.cluster.volumes[i]));
	}
	f.cluster.vms[2].used = false;
	f.cluster.vms[5].used = false;
	f.cluster.vm_count = 1;
	f.cluster.vm_high = 1;
	TRY(f.cluster.def, { 0, 0 });
	TRY(f.cluster.voters, EXCEPT(voters, count));
	TRY(f.cluster.nodes[1], EXCEPT(cluster_node, used), EXCEPT(cluster_node, def.fence_count),
	    EXCEPT(cluster_node, report.facts.machine_count),
	    EXCEPT(cluster_node, report.facts.model_count),
	    EXCEPT(cluster_node, report.facts.bridge_count),
	    EXCEPT(cluster_node, def.attribute_count), EXCEPT(cluster_node, policy_move_count),
	    EXCEPT(cluster_node, report_stamp));
	TRY(f.cluster.rules[3], EXCEPT(cluster_rule, used), EXCEPT(cluster_rule, def.member_count));
	TRY(f.cluster.policies[7], EXCEPT(cluster_policy, used),
	    EXCEPT(cluster_policy, past_count));
	TRY(f.cluster.tips[6], EXCEPT(tip, point_count), EXCEPT(tip, move_count));
	TRY(f.cluster.balance, { 0, 0 });
	TRY(f.cluster.volumes[1], EXCEPT(cluster_volume, used));
	TRY(f.cluster.vms[0], EXCEPT(vm, used), EXCEPT(vm, ref.slot), EXCEPT(vm, lease_count));
	TRY(f.cluster.defs[0], EXCEPT(vm_def, disk_count), EXCEPT(vm_def, nic_count),
	    EXCEPT(vm_def, tag_count));
	fixture_close(&f);
}

static void counts_slots_and_heads_are_in_the_digest(void **state)
{
	struct fixture f;
	uint64_t digest;

	(void)state;
	open_full(&f);
	digest = cluster_digest(&f.cluster);
#define CHANGES(field)                                                                             \
	do {                                                                                       \
		(field)--;                                                                         \
		assert_true(cluster_digest(&f.cluster) != digest);                                 \
		(field)++;                                                                         \
		assert_true(cluster_digest(&f.cluster) == digest);                                 \
	} while (0)
	CHANGES(f.cluster.index);
	CHANGES(f.cluster.view);
	CHANGES(f.cluster.functional_level);
	CHANGES(f.cluster.next_serial);
	CHANGES(f.cluster.next_tip);
	CHANGES(f.cluster.policies[7].past_count);
	CHANGES(f.cluster.tips[6].point_count);
	CHANGES(f.cluster.tips[6].move_count);
	CHANGES(f.cluster.voters.count);
	CHANGES(f.cluster.nodes[3].def.fence_count);
	CHANGES(f.cluster.nodes[3].report.facts.machine_count);
	CHANGES(f.cluster.nodes[3].report.facts.model_count);
	CHANGES(f.cluster.nodes[3].report.facts.bridge_count);
	CHANGES(f.cluster.vms[5].lease_count);
	CHANGES(f.cluster.defs[5].disk_count);
	CHANGES(f.cluster.defs[5].nic_count);
	for (uint32_t slot = 0; slot < 64; slot++) {
		uint8_t *at = &volume_lease_slots(&f.cluster, 2)[slot], before = *at;

		*at = (uint8_t)((before + 1) % LEASE_SLOT_COUNT);
		assert_true(cluster_digest(&f.cluster) != digest);
		*at = before;
	}
	memcpy(&f.cluster.nodes[9], &f.cluster.nodes[3], sizeof(f.cluster.nodes[3]));
	f.cluster.nodes[3].used = false;
	cluster_touch_node(&f.cluster, 9);
	assert_true(cluster_digest(&f.cluster) != digest);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(limits_hold_for_snapshots),
		cmocka_unit_test(every_byte_of_every_field_is_in_the_digest),
		cmocka_unit_test(counts_slots_and_heads_are_in_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
