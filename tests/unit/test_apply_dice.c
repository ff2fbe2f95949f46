// SPDX-License-Identifier: Apache-2.0
// cluster_apply() under entries drawn from one seed: what must hold of the state whatever comes.
#include "tests/unit/cluster_fixture.h"

#include "clusterd/cluster_internal.h"

enum { ROUNDS = 12, STEPS = 4000 };

static uint64_t seed;
static uint32_t accepted[ENTRY_TYPE_COUNT];

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % sides;
}

static const char *pick(const char *prefix, uint32_t count)
{
	static char names[4][16];
	static uint32_t next;
	char *name = names[next++ % 4];

	snprintf(name, sizeof(names[0]), "%s%u", prefix, 1 + dice(count));
	return name;
}

static struct entry some_document(struct fixture *f)
{
	doc_begin(f);
	for (uint32_t i = dice(2); i > 0; i--)
		text_copy(doc_node(f, pick("n", 4), 1 + dice(5))->fences[0].agent, NAME_SIZE,
			  "fence_x");
	for (uint32_t i = dice(2); i > 0; i--)
		doc_volume(f, pick("v", 3), pick("/srv/", 4));
	for (uint32_t i = dice(4); i > 0; i--) {
		struct vm_def *vm = doc_vm(f, pick("vm", 6), NULL);

		vm->wanted_given = dice(2);
		vm->wanted = VM_WANTED_RUNNING;
		vm->restarts_max = dice(2);
		for (uint32_t k = 1 + dice(3); k > 0; k--)
			vm_disk(vm, pick("v", 3), pick("d", 6))->readonly = dice(4) == 0;
		for (uint32_t k = dice(3); k > 0; k--)
			vm_nic(vm, "br0")->mac[5] = (uint8_t)(dice(3) ? 0 : dice(4));
		if (dice(3) == 0)
			doc_owner(f, pick("n", 4), dice(3));
	}
	return doc_entry(f);
}

static struct vm_ref some_vm(struct fixture *f)
{
	uint32_t slot = f->cluster.vm_high ? dice(f->cluster.vm_high) : 0;

	return f->cluster.vm_high ? f->cluster.vms[slot].ref : (struct vm_ref){ 0 };
}

// About policies and tips, and now and then about what there is not.
static void some_tip(struct fixture *f, struct entry *entry)
{
	static uint8_t body[8192];
	bool named = dice(4) != 0;
	struct tip tip = { .state = (uint8_t)dice(3),
			   .action = (uint8_t)dice(PRO_ACTION_COUNT),
			   .node = (uint8_t)dice(4),
			   .volume = SLOT_NONE,
			   .actor = SLOT_NONE,
			   .asked = dice(2),
			   .before = dice(100),
			   .after = dice(100) };
	const struct tip *last;

	if ((entry->type < ENTRY_POLICY_SET || entry->type > ENTRY_TIP_DISMISS) &&
	    entry->type != ENTRY_SCRIPT_REPORT && entry->type < ENTRY_TIP_OPEN)
		return;
	text_copy(entry->name, NAME_SIZE, named ? pro_shipped[dice(PRO_SHIPPED_COUNT)].name : "");
	text_copy(tip.policy, NAME_SIZE, entry->name);
	for (tip.move_count = 0; tip.move_count < dice(3); tip.move_count++)
		tip.moves[tip.move_count] = (struct tip_move){ .vm = some_vm(f),
							       .from = (uint8_t)dice(4),
							       .to = (uint8_t)dice(4) };
	entry->tip = f->cluster.next_tip - 1 - dice(4);
	for (uint32_t i = 0; entry->type == ENTRY_SCRIPT_REPORT && i < TIPS_MAX; i++)
		if (f->cluster.tips[i].state == TIP_RUNNING && f->cluster.tips[i].actor < 4)
			entry->tip = f->cluster.tips[i].id;
	last = cluster_tip(&f->cluster, entry->tip);
	entry->tip_state = (uint8_t)dice(TIP_STATE_COUNT);
	entry->tip_verdict = (uint8_t)dice(TIP_VERDICT_COUNT);
	if (last && last->action == PRO_SCRIPT && last->state < TIP_RUNNING && dice(4))
		entry->tip_state = last->state + 1;
	if (entry->type == ENTRY_SCRIPT_REPORT && last && last->actor < 4)
		entry->node_id = entry->from = f->cluster.nodes[last->actor].def.id;
	entry->actor = (uint8_t)dice(4);
	entry->body = body;
	entry->body_size = tip_encode(&tip, body, sizeof(body));
}

static struct entry some_entry(struct fixture *f)
{
	static uint8_t places[512];
	struct entry entry = { .type = (uint8_t)(1 + dice(ENTRY_TYPE_COUNT - 1)) };
	const struct vm *vm;
	struct cluster_node *node;

	if (dice(4) == 0)
		entry.type = dice(2) ? ENTRY_PLACE : ENTRY_VM_REPORT;
	if (entry.type == ENTRY_APPLY)
		return some_document(f);
	entry.view = entry.type >= ENTRY_VOTERS || entry.type == ENTRY_VIEW ||
				     entry.type == ENTRY_NODE_CONFIRM_DEAD
			     ? 7
			     : 0;
	entry.node_id = 1 + dice(4);
	entry.from = dice(4) ? entry.node_id : 1 + dice(4);
	entry.object = (uint8_t)(1 + dice(3));
	text_copy(entry.name, NAME_SIZE,
		  entry.type == ENTRY_REMOVE ? pick(entry.object == OBJECT_VM	  ? "vm"
						    : entry.object == OBJECT_NODE ? "n"
										  : "v",
						    6)
		  : entry.type >= ENTRY_NODE_MANAGE ? pick("n", 4)
						    : pick("vm", 6));
	entry.wanted = dice(4) ? VM_WANTED_RUNNING : (uint8_t)dice(VM_WANTED_COUNT);
	entry.flag = dice(4) != 0;
	entry.vm = some_vm(f);
	vm = cluster_vm(&f->cluster, entry.vm);
	entry.vm_report = (uint8_t)(1 + dice(VM_REPORT_COUNT - 1));
	entry.volume = (uint8_t)dice(3);
	entry.actor = (uint8_t)dice(4);
	entry.burn = dice(2);
	node = cluster_node_by_id(&f->cluster, entry.node_id);
	entry.attempt = node ? node->fence_attempt + (entry.type == ENTRY_NODE_FENCING) : 0;
	if (entry.type == ENTRY_VOLUME_PREPARE || entry.type == ENTRY_VOLUME_PREPARED) {
		entry.attempt = f->cluster.volumes[entry.volume].prepare_attempt +
				(entry.type == ENTRY_VOLUME_PREPARE);
		entry.from = 1 + f->cluster.volumes[entry.volume].prepare_actor % 4;
	}
	if (vm && entry.type == ENTRY_VM_REPORT) {
		entry.attempt = vm->attempt - (dice(8) == 0);
		if (dice(2) && vm->owner != SLOT_NONE)
			entry.from = f->cluster.nodes[vm->owner].def.id;
	}
	for (uint32_t i = 0; vm && entry.type == ENTRY_LEASE_WRITTEN && i < vm->lease_count; i++) {
		entry.volume = vm->leases[i].volume;
		entry.lease_slot = vm->leases[i].slot;
		entry.from = f->cluster.nodes[vm->leases[i].actor % 4].def.id;
		if (vm->leases[i].life == LEASE_WRITING)
			break;
	}
	some_tip(f, &entry);
	entry.report.watchdog = dice(2);
	entry.move_outcome = (uint8_t)(1 + dice(MOVE_OUTCOME_COUNT - 1));
	entry.move_report = (uint8_t)(1 + dice(MOVE_REPORT_COUNT - 1));
	entry.report.volumes[dice(3)].joined = dice(2);
	entry.voters.count = dice(3);
	for (uint32_t i = 0; i < entry.voters.count; i++)
		entry.voters.list[i] = (struct voter){ 1 + i, dice(2) };
	if (entry.type == ENTRY_PLACE) {
		struct place place = { .vm = entry.vm,
				       .owner = (uint8_t)dice(4),
				       .phase = VM_PLACED };

		place.attempt = vm ? vm->attempt - (dice(8) == 0) : 0;
		if (dice(4) == 0) {
			place.owner = SLOT_NONE;
			place.phase = dice(2) ? VM_IDLE : VM_ERROR;
		}
		entry.place_count = 1;
		entry.places = places;
		entry.places_size = place_encode(&place, places, sizeof(places));
	}
	return entry;
}

static void check_leases(const struct cluster *cluster)
{
	uint32_t used[VOLUMES_MAX] = { 0 }, held[VOLUMES_MAX] = { 0 };

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		const struct vm_def *def = &cluster->defs[i];

		if (!vm->used)
			continue;
		assert_true(vm->lease_count > 0);
		for (uint32_t k = 0; k < vm->lease_count; k++) {
			const struct vm_lease *lease = &vm->leases[k];

			assert_true(cluster->volumes[lease->volume].used);
			assert_int_equal(volume_lease_slots(cluster, lease->volume)[lease->slot],
					 SLOT_USED);
			held[lease->volume]++;
		}
		for (uint32_t k = 0; k < def->disk_count; k++) {
			uint8_t volume = volume_slot(
				cluster, cluster_find_volume(cluster, def->disks[k].volume));
			bool found = def->disks[k].readonly;

			for (uint32_t n = 0; n < vm->lease_count; n++)
				found = found || vm->leases[n].volume == volume;
			assert_true(found);
		}
	}
	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		for (uint32_t i = 0; i < cluster->limits.lease_slots_max; i++)
			used[v] += volume_lease_slots(cluster, v)[i] == SLOT_USED;
		assert_int_equal(used[v], held[v]); // so no two leases share a slot
	}
}

static void check_disks(const struct cluster *cluster)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		for (uint32_t k = 0; k < i; k++) {
			const struct vm_def *a = &cluster->defs[i], *b = &cluster->defs[k];

			if (!cluster->vms[i].used || !cluster->vms[k].used)
				continue;
			for (uint32_t x = 0; x < a->disk_count * b->disk_count; x++) {
				const struct disk_def *p = &a->disks[x % a->disk_count];
				const struct disk_def *q = &b->disks[x / a->disk_count];

				assert_true((p->readonly && q->readonly) ||
					    strcmp(p->path, q->path) != 0 ||
					    strcmp(p->volume, q->volume) != 0);
			}
		}
	}
}

// An owner loses a VM by its own word, by proof, by expiry of a watched host, or to one that holds
// the lease.
static void check_owners(const struct cluster *cluster, const struct vm *before, uint32_t count,
			 const struct cluster_node *nodes, const struct entry *entry)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct vm *was = &before[i], *is = cluster_vm(cluster, was->ref);
		enum node_life life =
			was->used && was->owner != SLOT_NONE ? nodes[was->owner].life : 0;

		if (!was->used || was->owner == SLOT_NONE)
			continue;
		assert_non_null(is); // never removed while owned
		if (is->owner == was->owner)
			continue;
		if (was->move != 0)
			continue; // see test_move_dice.c
		if (entry->type == ENTRY_VM_REPORT)
			assert_true(entry->vm_report == VM_REPORT_FOUND ||
				    entry->from == nodes[was->owner].def.id);
		else if (entry->type == ENTRY_NODE_RELEASED)
			assert_true(life == NODE_FENCED &&
				    nodes[was->owner].def.id == entry->node_id);
		else if (entry->type == ENTRY_PLACE)
			assert_true(life == NODE_EXPIRING || life == NODE_DEAD ||
				    life == NODE_LEFT || life == NODE_UNKNOWN);
		else
			assert_int_equal(entry->type, ENTRY_VM_CLEAR);
	}
}

static void check_snapshot(struct fixture *f, struct fixture *copy)
{
	static uint8_t buf[1 << 20];
	size_t size = cluster_encode(&f->cluster, buf, sizeof(buf));

	assert_true(size <= sizeof(buf));
	assert_true(cluster_decode(&copy->cluster, buf, size));
	assert_true(cluster_digest(&copy->cluster) == cluster_digest(&f->cluster));
}

static void play(uint64_t from)
{
	static struct fixture f, copy;
	static struct cluster_node nodes[NODES_MAX];
	struct vm vms[8];

	seed = from * UINT64_C(0x9e3779b97f4a7c15) + 1;
	fixture_open(&f, 8, 24, 8);
	fixture_open(&copy, 8, 24, 8);
	fixture_cluster(&f);
	for (uint32_t step = 0; step < STEPS; step++) {
		struct entry entry = some_entry(&f);
		uint32_t count = f.cluster.vm_high;

		memcpy(vms, f.cluster.vms, sizeof(*vms) * count);
		memcpy(nodes, f.cluster.nodes, sizeof(nodes));
		if (fixture_apply(&f, &entry))
			accepted[entry.type]++;
		check_index(&f);
		check_leases(&f.cluster);
		check_disks(&f.cluster);
		check_owners(&f.cluster, vms, count, nodes, &entry);
		if (step % 16 == 0)
			check_snapshot(&f, &copy);
	}
	fixture_close(&f);
	fixture_close(&copy);
}

// See test_move_dice.c.
static bool about_moves(uint32_t type)
{
	return type == ENTRY_MOVE_REQUEST || type == ENTRY_MOVE_CANCEL ||
	       type == ENTRY_MOVE_REPORT || type == ENTRY_MOVE_BEGIN || type == ENTRY_MOVE_END ||
	       type == ENTRY_NODE_DRAIN || type == ENTRY_NODE_DRAINED ||
	       type == ENTRY_TIP_MEASURED || type == ENTRY_SCRIPT_REPORT;
}

static void what_must_hold_holds(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++)
		play(round);
	for (uint32_t type = 1; type < ENTRY_TYPE_COUNT; type++) {
		if (accepted[type] < 5 && !about_moves(type))
			fail_msg("entries of type %u: %u accepted, too few to mean anything", type,
				 accepted[type]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_must_hold_holds) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
