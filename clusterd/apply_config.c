// SPDX-License-Identifier: Apache-2.0
/*
 * ENTRY_APPLY: a document of definitions, all or nothing.
 *
 * The document is walked three times. First every VM gets its slot, and those that exist leave the
 * index. Then each is checked against the index and enters it: the index now is what it will be,
 * and any conflict has been found, wherever in the document its other half stands. Last, what was
 * checked is done. A refusal builds the index anew from the definitions, which until then nobody
 * has touched.
 */
#include <string.h>

#include "clusterd/apply_check.h"
#include "clusterd/apply_move.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/definition_unpack.h"
#include "clusterd/fields.h"
#include "clusterd/invariant.h"
#include "clusterd/rule_index.h"
#include "clusterd/text.h"
#include "clusterd/vm_index.h"

// The cluster as it would be, as far as VMs refer to it.
struct plan {
	struct apply *a;
	struct definition_unpack at_nodes, at_vms;
	char nodes[NODES_MAX][NAME_SIZE]; // empty: unused slot
	uint32_t node_ids[NODES_MAX];
	uint64_t nodes_given; // slots that the document defines
	struct volume_def volumes[VOLUMES_MAX];
	uint32_t volumes_given;
	uint32_t lease_slots[VOLUMES_MAX]; // free ones
	bool index_touched;
	struct node_def node; // of the step at hand
	struct definition_vm vm;
};

static bool malformed(struct apply *a)
{
	return refuse(a, "malformed", WORDS("the definitions are garbled"),
		      WORDS("send them again"));
}

static void plan_init(struct plan *plan, struct apply *a)
{
	const struct cluster *cluster = a->cluster;

	memset(plan, 0, offsetof(struct plan, node));
	plan->a = a;
	for (uint32_t i = 0; i < cluster->node_high; i++) {
		if (!cluster->nodes[i].used)
			continue;
		text_copy(plan->nodes[i], NAME_SIZE, cluster->nodes[i].def.name);
		plan->node_ids[i] = cluster->nodes[i].def.id;
	}
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		const uint8_t *slots = volume_lease_slots(cluster, (uint8_t)i);

		plan->lease_slots[i] = cluster->limits.lease_slots_max;
		if (!cluster->volumes[i].used)
			continue;
		plan->volumes[i] = cluster->volumes[i].def;
		for (uint32_t k = 0; k < cluster->limits.lease_slots_max; k++)
			plan->lease_slots[i] -= slots[k] != SLOT_FREE;
	}
}

static uint8_t plan_node(const struct plan *plan, const char *name)
{
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (strcmp(plan->nodes[i], name) == 0)
			return i;
	}
	return SLOT_NONE;
}

static uint8_t plan_volume(const struct plan *plan, const char *name)
{
	for (uint8_t i = 0; i < VOLUMES_MAX; i++) {
		if (strcmp(plan->volumes[i].name, name) == 0)
			return i;
	}
	return SLOT_NONE;
}

static bool table_full(struct apply *a, const char *what, uint32_t max)
{
	return refuse(a, "table-full",
		      WORDS("there is room for ", number_text(max).text, " ", what, " and no more"),
		      WORDS("remove one"));
}

static bool check_node(struct plan *plan, const struct node_def *def)
{
	struct apply *a = plan->a;
	uint8_t slot;

	if (!check_node_def(a, def))
		return false;
	slot = plan_node(plan, def->name);
	if (slot != SLOT_NONE && plan->nodes_given & slot_bit(slot))
		return refuse(a, "duplicate", WORDS("node ", def->name, " is defined twice"),
			      WORDS("leave one out"));
	if (slot != SLOT_NONE && plan->node_ids[slot] != def->id)
		return refuse(a, "id-changed",
			      WORDS("node ", def->name, " has id ",
				    number_text(plan->node_ids[slot]).text),
			      WORDS("keep its id, or remove the node first"));
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (plan->nodes[i][0] && i != slot && plan->node_ids[i] == def->id)
			return refuse(a, "duplicate",
				      WORDS("id ", number_text(def->id).text, " of node ",
					    def->name, " is that of node ", plan->nodes[i]),
				      WORDS("give it the nodeid that corosync.conf gives it"));
	}
	if (slot == SLOT_NONE)
		slot = plan_node(plan, "");
	if (slot == SLOT_NONE)
		return table_full(a, "nodes", NODES_MAX);
	text_copy(plan->nodes[slot], NAME_SIZE, def->name);
	plan->node_ids[slot] = def->id;
	plan->nodes_given |= slot_bit(slot);
	return true;
}

static bool def_uses_volume(const struct vm_def *def, const char *volume)
{
	for (uint32_t i = 0; i < def->disk_count; i++) {
		if (strcmp(def->disks[i].volume, volume) == 0)
			return true;
	}
	return strcmp(def->kernel.volume, volume) == 0 || strcmp(def->initrd.volume, volume) == 0;
}

const struct vm_def *volume_user(const struct cluster *cluster, const char *volume)
{
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (cluster->vms[i].used && def_uses_volume(&cluster->defs[i], volume))
			return &cluster->defs[i];
	}
	return NULL;
}

static bool check_source_change(struct plan *plan, uint8_t slot, const struct volume_def *def)
{
	const struct cluster_volume *volume = &plan->a->cluster->volumes[slot];
	const struct vm_def *user;

	if (!volume->used || strcmp(volume->def.source, def->source) == 0)
		return true;
	user = volume_user(plan->a->cluster, def->name);
	if (user)
		return refuse(plan->a, "in-use",
			      WORDS("the source of volume ", def->name, " cannot change while vm ",
				    user->name, " uses it"),
			      WORDS("define a new volume"));
	if (volume->prepare_actor != SLOT_NONE)
		return refuse(plan->a, "in-use", WORDS("volume ", def->name, " is being prepared"),
			      WORDS("try again later"));
	return true;
}

static bool check_volume(struct plan *plan, const struct volume_def *def)
{
	struct apply *a = plan->a;
	uint8_t slot;

	if (!check_volume_def(a, def))
		return false;
	slot = plan_volume(plan, def->name);
	if (slot != SLOT_NONE && plan->volumes_given & UINT32_C(1) << slot)
		return refuse(a, "duplicate", WORDS("volume ", def->name, " is defined twice"),
			      WORDS("leave one out"));
	if (slot != SLOT_NONE && !check_source_change(plan, slot, def))
		return false;
	if (slot == SLOT_NONE)
		slot = plan_volume(plan, "");
	if (slot == SLOT_NONE)
		return table_full(a, "volumes", VOLUMES_MAX);
	plan->volumes[slot] = *def;
	plan->volumes_given |= UINT32_C(1) << slot;
	return true;
}

// One file under two volumes would have two leases, and so two owners.
static bool check_sources(struct plan *plan)
{
	for (uint8_t i = 0; i < VOLUMES_MAX; i++) {
		for (uint8_t k = 0; k < VOLUMES_MAX; k++) {
			const struct volume_def *inner = &plan->volumes[i],
						*outer = &plan->volumes[k];

			if (i == k || !inner->name[0] || !outer->name[0] ||
			    !path_is_inside(inner->source, outer->source))
				continue;
			return refuse(plan->a, "duplicate",
				      WORDS("the source of volume ", inner->name,
					    " is that of volume ", outer->name, ", or inside it"),
				      WORDS("give each volume a file system of its own"));
		}
	}
	return true;
}

static bool check_cluster(struct plan *plan, const struct cluster_def *def)
{
	const struct cluster *cluster = plan->a->cluster;

	if (!check_cluster_def(plan->a, def))
		return false;
	if (strcmp(def->root, cluster->def.root) == 0)
		return true;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (cluster->vms[i].used && vm_owned(&cluster->vms[i]))
			return refuse(
				plan->a, "running",
				WORDS("the root cannot change while vm ", cluster->defs[i].name,
				      " runs, or may run"),
				WORDS("stop it first: clustadm vm stop ", cluster->defs[i].name));
	}
	return true;
}

// First walk over the VMs.
static bool choose_slots(struct plan *plan)
{
	struct cluster *cluster = plan->a->cluster;
	struct definition_unpack reader = plan->at_vms;
	uint32_t free_slot = 0;

	for (uint32_t i = 0; reader.vms_left > 0; i++) {
		const struct vm *vm;

		if (!definition_unpack_vm(&reader, &plan->vm))
			return malformed(plan->a);
		if (!check_vm_def(plan->a, &plan->vm.def))
			return false;
		vm = cluster_find_vm(cluster, plan->vm.def.name);
		while (free_slot < cluster->vm_high && cluster->vms[free_slot].used)
			free_slot++;
		if (i >= cluster->limits.vms_max || (!vm && free_slot >= cluster->limits.vms_max))
			return table_full(plan->a, "VMs", cluster->limits.vms_max);
		if (vm)
			vm_index_remove(cluster->vm_index, vm->ref.slot);
		plan->index_touched = true;
		cluster->vm_index->scratch[i] = vm ? vm->ref.slot : free_slot++;
	}
	return true;
}

static const struct vm *existing_vm(const struct plan *plan, uint32_t slot)
{
	const struct cluster *cluster = plan->a->cluster;

	return slot < cluster->vm_high && cluster->vms[slot].used ? &cluster->vms[slot] : NULL;
}

static bool uuid_is_zero(const struct uuid *uuid)
{
	for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
		if (uuid->bytes[i])
			return false;
	}
	return true;
}

static bool mac_is_zero(const uint8_t *mac)
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

// Nobody's, or this very NIC's: so the second and the third walk choose the same.
static bool mac_is_free(const struct plan *plan, uint32_t slot, uint32_t nic, const uint8_t *mac)
{
	struct vm_index_hit hit = vm_index_find(plan->a->cluster->vm_index, vm_mac_hash(mac));

	for (uint32_t i = 0; i < nic; i++) {
		if (memcmp(plan->vm.def.nics[i].mac, mac, 6) == 0)
			return false;
	}
	return !hit.found || (hit.slot == slot && hit.key == VM_KEY_NICS + nic);
}

static void derive_mac(const struct plan *plan, uint32_t slot, uint32_t nic, uint8_t *mac)
{
	const struct vm *old = existing_vm(plan, slot);

	if (old && nic < vm_definition(plan->a->cluster, old)->nic_count) {
		memcpy(mac, vm_definition(plan->a->cluster, old)->nics[nic].mac, 6);
		if (mac_is_free(plan, slot, nic, mac))
			return;
	}
	for (uint32_t probe = 0;; probe++) {
		uint8_t salt[5] = { (uint8_t)nic, (uint8_t)probe, (uint8_t)(probe >> 8),
				    (uint8_t)(probe >> 16), (uint8_t)(probe >> 24) };
		uint64_t hash = hash_bytes(vm_uuid_hash(&plan->vm.def.uuid), salt, sizeof(salt));

		hash ^= hash >> 32;
		memcpy(mac,
		       (uint8_t[6]){ 0x52, 0x54, 0x00, (uint8_t)(hash >> 16), (uint8_t)(hash >> 8),
				     (uint8_t)hash },
		       6);
		if (mac_is_free(plan, slot, nic, mac))
			return;
	}
}

// Fills in what the document leaves open.
static void complete_vm(struct plan *plan, uint32_t slot)
{
	struct vm_def *def = &plan->vm.def;
	const struct vm *old = existing_vm(plan, slot);

	if (uuid_is_zero(&def->uuid))
		def->uuid = old ? vm_definition(plan->a->cluster, old)->uuid : plan->vm.proposed;
	for (uint32_t i = 0; i < def->nic_count; i++) {
		if (mac_is_zero(def->nics[i].mac))
			derive_mac(plan, slot, i, def->nics[i].mac);
	}
}

static bool check_identity(struct plan *plan, uint32_t slot)
{
	struct apply *a = plan->a;
	const struct vm_def *def = &plan->vm.def;
	const struct vm_index *index = a->cluster->vm_index;
	const struct vm *old = existing_vm(plan, slot);
	struct vm_index_hit hit = vm_index_find(index, vm_name_hash(def->name));

	if (hit.found)
		return refuse(a, "duplicate", WORDS("vm ", def->name, " is defined twice"),
			      WORDS("leave one out"));
	if (uuid_is_zero(&def->uuid))
		return malformed(a);
	hit = vm_index_find(index, vm_uuid_hash(&def->uuid));
	if (hit.found)
		return refuse(a, "duplicate",
			      WORDS("the uuid of vm ", def->name, " is that of vm ",
				    a->cluster->defs[hit.slot].name),
			      WORDS("leave it out: a fresh one is made"));
	if (old &&
	    memcmp(&vm_definition(a->cluster, old)->uuid, &def->uuid, sizeof(def->uuid)) != 0)
		return refuse(a, "uuid-changed",
			      WORDS("vm ", def->name, " has another uuid, and its leases bear it"),
			      WORDS("leave the uuid out, or remove the vm first"));
	return true;
}

static bool check_macs(struct plan *plan)
{
	struct apply *a = plan->a;
	const struct vm_def *def = &plan->vm.def;

	for (uint32_t i = 0; i < def->nic_count; i++) {
		const uint8_t *mac = def->nics[i].mac;
		struct vm_index_hit hit = vm_index_find(a->cluster->vm_index, vm_mac_hash(mac));

		for (uint32_t k = 0; k < i && !hit.found; k++) {
			if (memcmp(def->nics[k].mac, mac, 6) == 0)
				return refuse(a, "duplicate",
					      WORDS("two NICs of vm ", def->name, " have one MAC"),
					      WORDS("leave one MAC out: it is derived"));
		}
		if (hit.found)
			return refuse(a, "duplicate",
				      WORDS("the MAC of NIC ", number_text(i + 1).text, " of vm ",
					    def->name, " is that of vm ",
					    a->cluster->defs[hit.slot].name),
				      WORDS("leave it out: it is derived"));
	}
	return true;
}

// A written disk is one VM's alone; one that nobody writes may be many's.
static bool check_disk(struct plan *plan, uint32_t number)
{
	struct apply *a = plan->a;
	const struct vm_index *index = a->cluster->vm_index;
	const struct vm_def *def = &plan->vm.def;
	const struct disk_def *disk = &def->disks[number];
	struct vm_index_hit hit = vm_index_find(index, vm_disk_hash(disk, true));

	for (uint32_t i = 0; i < number; i++) {
		if (strcmp(def->disks[i].volume, disk->volume) == 0 &&
		    strcmp(def->disks[i].path, disk->path) == 0)
			return refuse(a, "duplicate",
				      WORDS("disk ", disk->volume, ":", disk->path,
					    " is given to vm ", def->name, " twice"),
				      WORDS("leave one out"));
	}
	if (!hit.found && disk_is_written(disk))
		hit = vm_index_find(index, vm_disk_hash(disk, false));
	if (!hit.found)
		return true;
	return refuse(a, "in-use",
		      WORDS("disk ", disk->volume, ":", disk->path, " is used by vm ",
			    a->cluster->defs[hit.slot].name),
		      WORDS("give ", def->name, " another disk, or remove ",
			    a->cluster->defs[hit.slot].name));
}

static bool check_file_volume(struct plan *plan, const char *volume)
{
	if (!volume[0] || plan_volume(plan, volume) != SLOT_NONE)
		return true;
	return refuse(plan->a, "no-such-volume",
		      WORDS("vm ", plan->vm.def.name, ": there is no volume ", volume),
		      WORDS("define it, or name another"));
}

static bool check_files(struct plan *plan)
{
	const struct vm_def *def = &plan->vm.def;

	for (uint32_t i = 0; i < def->disk_count; i++) {
		if (!check_file_volume(plan, def->disks[i].volume) || !check_disk(plan, i))
			return false;
	}
	return check_file_volume(plan, def->kernel.volume) &&
	       check_file_volume(plan, def->initrd.volume);
}

// The volumes that it writes, that of the first written disk first. VM_DISKS_MAX at most.
static uint32_t written_volumes(const struct plan *plan, uint8_t *volumes)
{
	const struct vm_def *def = &plan->vm.def;
	uint32_t count = 0;

	for (uint32_t i = 0; i < def->disk_count; i++) {
		uint8_t volume = plan_volume(plan, def->disks[i].volume);
		uint32_t k = 0;

		if (!disk_is_written(&def->disks[i]))
			continue;
		while (k < count && volumes[k] != volume)
			k++;
		if (k == count)
			volumes[count++] = volume;
	}
	return count;
}

static const struct vm_lease *lease_of(const struct vm *vm, uint8_t volume)
{
	for (uint32_t i = 0; vm && i < vm->lease_count; i++) {
		if (vm->leases[i].volume == volume)
			return &vm->leases[i];
	}
	return NULL;
}

// Slots that this document frees do not count: what it needs must be free before.
static bool check_leases(struct plan *plan, uint32_t slot)
{
	uint8_t volumes[VM_DISKS_MAX];
	uint32_t count = written_volumes(plan, volumes);

	if (count > VM_LEASES_MAX)
		return refuse(plan->a, "too-many-volumes",
			      WORDS("vm ", plan->vm.def.name, " writes ", number_text(count).text,
				    " volumes"),
			      WORDS("put its disks on ", number_text(VM_LEASES_MAX).text,
				    " volumes at most"));
	for (uint32_t i = 0; i < count; i++) {
		if (lease_of(existing_vm(plan, slot), volumes[i]))
			continue;
		if (plan->lease_slots[volumes[i]] == 0)
			return refuse(plan->a, "no-lease-slot",
				      WORDS("volume ", plan->volumes[volumes[i]].name,
					    " has no free lease slot"),
				      WORDS("remove a vm from it, or use another volume"));
		plan->lease_slots[volumes[i]]--;
	}
	return true;
}

static bool check_owners(struct plan *plan)
{
	struct apply *a = plan->a;
	const char *name = plan->vm.def.name;
	uint64_t possible = 0, preferred = 0;

	for (uint32_t i = 0; i < plan->vm.owner_count; i++) {
		const struct definition_owner *owner = &plan->vm.owners[i];
		uint8_t node = plan_node(plan, owner->node);
		uint64_t *mask = owner->tier == 0 ? &possible : &preferred;

		if (!owner->node[0] || node == SLOT_NONE)
			return refuse(a, "no-such-node",
				      WORDS("vm ", name, ": there is no node ", owner->node),
				      WORDS("define it, or name another"));
		if (owner->tier > VM_TIERS_MAX)
			return refuse(a, "out-of-range",
				      WORDS("vm ", name, ": tier ", number_text(owner->tier).text),
				      WORDS("use tiers 1 to ", number_text(VM_TIERS_MAX).text));
		if (*mask & slot_bit(node))
			return refuse(
				a, "duplicate",
				WORDS("vm ", name, ": owner ", owner->node, " is named twice"),
				WORDS("leave one out"));
		*mask |= slot_bit(node);
	}
	if (possible != 0 && (preferred & ~possible) != 0)
		return refuse(a, "contradiction",
			      WORDS("vm ", name, ": a preferred owner is not a possible one"),
			      WORDS("name it among the possible owners too"));
	return true;
}

// Of everything that QEMU or the leases are made of, but for its size, which may wait. Two
// definitions with one hash are taken for the same.
static uint64_t hardware_hash(const struct vm_def *def, const struct vm_def *old)
{
	struct fields f = fields_hash();
	struct vm_def hard = *def;

	size_kept(old, &hard);
	text_copy(hard.description, sizeof(hard.description), "");
	memset(hard.address, 0, sizeof(hard.address));
	hard.priority = 0;
	hard.wanted = VM_WANTED_STOPPED;
	hard.wanted_given = false;
	hard.failback = FAILBACK_NEVER;
	hard.failback_after_s = hard.failback_from = hard.failback_to = 0;
	hard.on_guest_shutdown = GUEST_SHUTDOWN_STOP;
	hard.restarts_max = hard.relocations_max = hard.forget_s = 0;
	hard.on_failure = ON_FAILURE_RESTART;
	hard.on_stop_failure = ON_STOP_FAILURE_BLOCK;
	hard.on_double_run = ON_DOUBLE_KEEP;
	hard.stop_timeout_s = 0;
	hard.stickiness = 0;
	hard.tag_count = 0;
	memset(hard.tags, 0, sizeof(hard.tags));
	hard.max_pause_ms = 0;
	hard.throttle_max = 0;
	hard.post_copy = false;
	hard.on_drain = ON_DRAIN_MIGRATE;
	fields_vm_def(&f, &hard);
	return fields_digest(&f);
}

static bool check_change(struct plan *plan, uint32_t slot)
{
	struct apply *a = plan->a;
	const struct vm *old = existing_vm(plan, slot);
	const struct vm_def *was = old ? vm_definition(a->cluster, old) : NULL;
	const char *name = plan->vm.def.name;

	if (!old || (!vm_owned(old) && old->unproven == 0 && old->saved == SAVED_NONE) ||
	    hardware_hash(was, was) == hardware_hash(&plan->vm.def, was))
		return true;
	if (vm_owned(old))
		return refuse_running_change(a, old, &plan->vm.def);
	if (old->unproven)
		return refuse_unproven(a, old);
	return refuse(a, "saved",
		      WORDS("vm ", name,
			    " is saved, and its state fits the hardware that it was saved with"),
		      WORDS("restore it: clustadm vm restore ", name,
			    ", or drop the saved state: clustadm vm stop --force ", name));
}

// Second walk over the VMs.
static bool check_vms(struct plan *plan)
{
	struct cluster *cluster = plan->a->cluster;
	struct definition_unpack reader = plan->at_vms;

	for (uint32_t i = 0; reader.vms_left > 0; i++) {
		uint32_t slot = cluster->vm_index->scratch[i];

		if (!definition_unpack_vm(&reader, &plan->vm))
			return malformed(plan->a);
		complete_vm(plan, slot);
		if (!check_identity(plan, slot) || !check_macs(plan) || !check_files(plan) ||
		    !check_leases(plan, slot) || !check_owners(plan) || !check_change(plan, slot))
			return false;
		vm_index_add(cluster->vm_index, slot, &plan->vm.def);
		// For the reasons of later refusals; nobody reads the definition of an unused slot.
		if (!existing_vm(plan, slot))
			text_copy(cluster->defs[slot].name, NAME_SIZE, plan->vm.def.name);
	}
	return check_rules(plan->a, reader);
}

static bool check_all(struct plan *plan)
{
	struct definition_unpack reader = plan->at_nodes;
	struct volume_def volume;

	if (reader.cluster_given && !check_cluster(plan, &reader.cluster))
		return false;
	while (reader.nodes_left > 0) {
		if (!definition_unpack_node(&reader, &plan->node))
			return malformed(plan->a);
		if (!check_node(plan, &plan->node))
			return false;
	}
	while (reader.volumes_left > 0) {
		if (!definition_unpack_volume(&reader, &volume))
			return malformed(plan->a);
		if (!check_volume(plan, &volume))
			return false;
	}
	plan->at_vms = reader;
	return check_sources(plan) && choose_slots(plan) && check_vms(plan);
}

static void store_node(struct plan *plan)
{
	uint8_t slot = plan_node(plan, plan->node.name);
	struct cluster_node *node = &plan->a->cluster->nodes[slot];

	if (!node->used) {
		cluster_touch_node(plan->a->cluster, slot);
		memset(node, 0, sizeof(*node));
		node->used = true;
		node->managed = true;
		node->fence_actor = SLOT_NONE;
		// Beyond every attempt at a node of this id or in this slot that was removed
		// before: an answer about that one must not be taken for one about this.
		node->fence_attempt = (uint32_t)plan->a->cluster->index;
		node->since_ms = node->steady_ms = plan->a->entry->at_ms;
	}
	if (node->def.health != plan->node.health)
		node->steady_ms = plan->a->entry->at_ms;
	node->def = plan->node;
}

// What nodes said about a volume slot is not about another volume in it.
void volume_forget_reports(struct cluster *cluster, uint8_t volume)
{
	for (uint32_t i = 0; i < cluster->node_high; i++) {
		struct cluster_node *node = &cluster->nodes[i];

		memset(&node->report.volumes[volume], 0, sizeof(node->report.volumes[volume]));
		node->fence_generation_mask &= ~(UINT32_C(1) << volume);
		node->fence_generation[volume] = 0;
	}
}

static void store_volume(struct plan *plan, const struct volume_def *def)
{
	struct cluster *cluster = plan->a->cluster;
	uint8_t slot = plan_volume(plan, def->name);
	struct cluster_volume *volume = &cluster->volumes[slot];

	if (volume->used && strcmp(volume->def.source, def->source) != 0) {
		volume->prepared = false;
		text_copy(volume->reason, sizeof(volume->reason), "");
		memset(volume_lease_slots(cluster, slot), SLOT_FREE,
		       cluster->limits.lease_slots_max);
		volume_forget_reports(cluster, slot);
	}
	if (!volume->used) {
		cluster_touch_volume(cluster, slot);
		memset(volume, 0, sizeof(*volume));
		volume->used = true;
		volume->prepare_actor = SLOT_NONE;
	}
	volume->def = *def;
}

static void store_leases(struct plan *plan, struct vm *vm)
{
	struct cluster *cluster = plan->a->cluster;
	struct vm_lease leases[VM_LEASES_MAX];
	uint8_t volumes[VM_DISKS_MAX];
	uint32_t count = written_volumes(plan, volumes);

	memset(leases, 0, sizeof(leases));
	for (uint32_t i = 0; i < count; i++) {
		const struct vm_lease *old = lease_of(vm, volumes[i]);
		bool found;

		if (old) {
			leases[i] = *old;
			continue;
		}
		leases[i].volume = volumes[i];
		leases[i].life = LEASE_UNWRITTEN;
		leases[i].actor = SLOT_NONE;
		found = lease_slot_find_free(cluster, volumes[i], &leases[i].slot);
		INVARIANT(found);
		volume_lease_slots(cluster, volumes[i])[leases[i].slot] = SLOT_USED;
	}
	for (uint32_t i = 0; i < vm->lease_count; i++) {
		uint32_t k = 0;

		while (k < count && volumes[k] != vm->leases[i].volume)
			k++;
		if (k == count)
			lease_slot_give_back(cluster, &vm->leases[i]);
	}
	vm->lease_count = count;
	memcpy(vm->leases, leases, sizeof(vm->leases));
}

static void store_owners(struct plan *plan, struct vm *vm)
{
	vm->possible = 0;
	memset(vm->tiers, 0, sizeof(vm->tiers));
	for (uint32_t i = 0; i < plan->vm.owner_count; i++) {
		const struct definition_owner *owner = &plan->vm.owners[i];
		uint64_t bit = slot_bit(plan_node(plan, owner->node));

		if (owner->tier == 0)
			vm->possible |= bit;
		else
			vm->tiers[owner->tier - 1] |= bit;
	}
}

// As with `clustadm vm stop` and `vm start`.
static void plan_ends_move(struct plan *plan, struct vm *vm)
{
	struct move *move = vm_move_of(plan->a, vm);

	if (plan->vm.def.wanted != VM_WANTED_RUNNING || move->kind == MOVE_SAVE)
		move_give_up(plan->a, move);
}

static void store_vm(struct plan *plan, uint32_t slot)
{
	struct cluster *cluster = plan->a->cluster;
	struct vm_def *def = &plan->vm.def;
	struct vm *vm;

	complete_vm(plan, slot);
	cluster_touch_vm(cluster, slot);
	vm = &cluster->vms[slot];
	if (!vm->used) {
		memset(vm, 0, sizeof(*vm));
		vm->used = true;
		vm->ref = (struct vm_ref){ .slot = slot, .serial = cluster->next_serial++ };
		vm->owner = SLOT_NONE;
		vm->last_owner = SLOT_NONE;
		vm->saved_volume = SLOT_NONE;
		vm->drained_from = SLOT_NONE;
		vm->bound_to = SLOT_NONE;
		vm->managed = true;
		vm->since_ms = plan->a->entry->at_ms;
		cluster->vm_count++;
	}
	if (def->wanted_given && def->wanted != vm->wanted && vm->move != 0)
		plan_ends_move(plan, vm);
	if (def->wanted_given)
		vm->wanted = def->wanted;
	def->wanted = vm->wanted;
	def->wanted_given = true;
	store_leases(plan, vm);
	store_owners(plan, vm);
	size_define(vm, &cluster->defs[slot], def);
	cluster->defs[slot] = *def;
	if (vm->doubled_on == 0) // what is blocked because it ran twice runs well
		vm_fence_if_stuck(plan->a, vm);
}

// Third walk, over everything.
static void store_all(struct plan *plan)
{
	struct cluster *cluster = plan->a->cluster;
	struct definition_unpack reader = plan->at_nodes;
	struct volume_def volume;

	if (reader.cluster_given)
		cluster->def = reader.cluster;
	while (reader.nodes_left > 0) {
		definition_unpack_node(&reader, &plan->node);
		store_node(plan);
	}
	while (reader.volumes_left > 0) {
		definition_unpack_volume(&reader, &volume);
		store_volume(plan, &volume);
	}
	for (uint32_t i = 0; reader.vms_left > 0; i++) {
		definition_unpack_vm(&reader, &plan->vm);
		store_vm(plan, cluster->vm_index->scratch[i]);
	}
	store_rules(plan->a, reader);
}

bool apply_definitions(struct apply *a)
{
	struct plan plan;

	plan_init(&plan, a);
	if (!definition_unpack_open(&plan.at_nodes, a->entry->body, a->entry->body_size))
		return malformed(a);
	if (check_all(&plan)) {
		store_all(&plan);
		rule_index_rebuild(a->cluster);
		return true;
	}
	if (plan.index_touched)
		vm_index_rebuild(a->cluster);
	return false;
}
