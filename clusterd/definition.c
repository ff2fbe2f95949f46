// SPDX-License-Identifier: Apache-2.0
#include "clusterd/definition.h"

#include <string.h>

#include "clusterd/definition_unpack.h"
#include "clusterd/fields.h"

enum { DEFINITIONS_VERSION = 1 };

static void fields_migration_def(struct fields *f, struct migration_def *def)
{
	field_count(f, &def->network_count, MIGRATION_NETWORKS_MAX);
	for (uint32_t i = 0; i < def->network_count; i++)
		field_string(f, def->networks[i], sizeof(def->networks[i]));
	field_bool(f, &def->plain);
	field_u32(f, &def->bandwidth_percent);
	field_u32(f, &def->link_mbit);
	field_u32(f, &def->moves_out_max);
	field_u32(f, &def->moves_in_max);
	field_count(f, &def->moves_max, MOVES_MAX);
}

static void fields_policy_def(struct fields *f, struct policy_def *def)
{
	field_enum(f, &def->placement, PLACEMENT_STRATEGY_COUNT);
	field_enum(f, &def->health, HEALTH_POLICY_COUNT);
	field_enum(f, &def->shutdown, SHUTDOWN_POLICY_COUNT);
	field_u32(f, &def->cpu_overcommit);
	field_bool(f, &def->cpu_hard);
	field_u32(f, &def->failures);
	field_bool(f, &def->failures_strict);
	field_bool(f, &def->displace);
}

void fields_cluster_def(struct fields *f, struct cluster_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_enum(f, &def->no_quorum, NO_QUORUM_COUNT);
	field_u32(f, &def->no_quorum_hold_s);
	field_u32(f, &def->io_timeout_s);
	field_count(f, &def->measure_s, MEASURE_EVERY_MAX_S);
	field_bool(f, &def->utc);
	field_string(f, def->root, sizeof(def->root));
	fields_migration_def(f, &def->migration);
	fields_policy_def(f, &def->policies);
}

void fields_node_def(struct fields *f, struct node_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_u32(f, &def->id);
	field_count(f, &def->fence_count, FENCE_DEVICES_MAX);
	for (uint32_t i = 0; i < def->fence_count; i++) {
		field_string(f, def->fences[i].agent, sizeof(def->fences[i].agent));
		field_string(f, def->fences[i].options, sizeof(def->fences[i].options));
	}
	field_u32(f, &def->memory_reserve_mib);
	field_string(f, def->cpu_without, sizeof(def->cpu_without));
	field_enum(f, &def->health, NODE_HEALTH_COUNT);
	field_count(f, &def->attribute_count, ATTRIBUTES_MAX);
	for (uint32_t i = 0; i < def->attribute_count; i++) {
		field_string(f, def->attributes[i].name, sizeof(def->attributes[i].name));
		field_string(f, def->attributes[i].value, sizeof(def->attributes[i].value));
	}
}

void fields_volume_def(struct fields *f, struct volume_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_string(f, def->source, sizeof(def->source));
}

static void fields_file_ref(struct fields *f, struct file_ref *ref)
{
	field_string(f, ref->volume, sizeof(ref->volume));
	field_string(f, ref->path, sizeof(ref->path));
}

static void fields_disk(struct fields *f, struct disk_def *disk)
{
	field_string(f, disk->volume, sizeof(disk->volume));
	field_string(f, disk->path, sizeof(disk->path));
	field_enum(f, &disk->format, DISK_FORMAT_COUNT);
	field_enum(f, &disk->bus, DISK_BUS_COUNT);
	field_enum(f, &disk->cache, DISK_CACHE_COUNT);
	field_enum(f, &disk->aio, DISK_AIO_COUNT);
	field_bool(f, &disk->discard);
	field_bool(f, &disk->readonly);
	field_bool(f, &disk->cdrom);
}

static void fields_nic(struct fields *f, struct nic_def *nic)
{
	field_string(f, nic->bridge, sizeof(nic->bridge));
	field_bytes(f, nic->mac, sizeof(nic->mac));
	field_enum(f, &nic->model, NIC_MODEL_COUNT);
	field_string(f, nic->device, sizeof(nic->device));
}

void fields_vm_def(struct fields *f, struct vm_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_bytes(f, def->uuid.bytes, sizeof(def->uuid.bytes));
	field_string(f, def->description, sizeof(def->description));
	field_u32(f, &def->cpus);
	field_u32(f, &def->memory_mib);
	field_bool(f, &def->hugepages);
	field_string(f, def->machine, sizeof(def->machine));
	field_enum(f, &def->cpu_mode, CPU_MODE_COUNT);
	field_string(f, def->cpu_model, sizeof(def->cpu_model));
	field_enum(f, &def->firmware, FIRMWARE_COUNT);
	fields_file_ref(f, &def->kernel);
	fields_file_ref(f, &def->initrd);
	field_string(f, def->cmdline, sizeof(def->cmdline));
	field_count(f, &def->disk_count, VM_DISKS_MAX);
	for (uint32_t i = 0; i < def->disk_count; i++)
		fields_disk(f, &def->disks[i]);
	field_count(f, &def->nic_count, VM_NICS_MAX);
	for (uint32_t i = 0; i < def->nic_count; i++)
		fields_nic(f, &def->nics[i]);
	field_bool(f, &def->console);
	field_bool(f, &def->vnc);
	field_bool(f, &def->guest_agent);
	field_string(f, def->address, sizeof(def->address));
	field_i32(f, &def->priority);
	field_enum(f, &def->wanted, VM_WANTED_COUNT);
	field_bool(f, &def->wanted_given);
	field_enum(f, &def->failback, FAILBACK_COUNT);
	field_count(f, &def->failback_after_s, 24 * 3600);
	field_count(f, &def->failback_from, 24 * 60 - 1);
	field_count(f, &def->failback_to, 24 * 60 - 1);
	field_enum(f, &def->on_guest_shutdown, GUEST_SHUTDOWN_COUNT);
	field_u32(f, &def->restarts_max);
	field_u32(f, &def->relocations_max);
	field_count(f, &def->forget_s, FORGET_MAX_S);
	field_enum(f, &def->on_failure, ON_FAILURE_COUNT);
	field_enum(f, &def->on_stop_failure, ON_STOP_FAILURE_COUNT);
	field_enum(f, &def->on_double_run, ON_DOUBLE_COUNT);
	field_u32(f, &def->stop_timeout_s);
	field_u32(f, &def->max_pause_ms);
	field_count(f, &def->throttle_max, 99);
	field_bool(f, &def->post_copy);
	field_enum(f, &def->on_drain, ON_DRAIN_COUNT);
	field_u32(f, &def->stickiness);
	field_count(f, &def->tag_count, TAGS_MAX);
	for (uint32_t i = 0; i < def->tag_count; i++)
		field_string(f, def->tags[i], sizeof(def->tags[i]));
}

void fields_rule_def(struct fields *f, struct rule_def *def)
{
	field_string(f, def->name, sizeof(def->name));
	field_enum(f, &def->kind, RULE_KIND_COUNT);
	field_bool(f, &def->strict);
	field_bool(f, &def->enabled);
	field_bool(f, &def->symmetric);
	field_enum(f, &def->up, RULE_UP_COUNT);
	field_u32(f, &def->up_value);
	field_u32(f, &def->weight);
	field_u32(f, &def->at_once);
	field_string(f, def->attribute, sizeof(def->attribute));
	field_count(f, &def->member_count, RULE_MEMBERS_MAX);
	for (uint32_t i = 0; i < def->member_count; i++) {
		field_string(f, def->members[i].name, sizeof(def->members[i].name));
		field_bool(f, &def->members[i].tag);
		field_enum(f, &def->members[i].role, RULE_ROLE_COUNT);
	}
}

static void fields_version(struct fields *f, uint8_t version)
{
	uint8_t found = version;

	field_u8(f, &found);
	if (found != version)
		fields_fail(f);
}

static void write_owners(struct fields *f, const struct definitions *defs, uint32_t vm)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < defs->owner_count; i++)
		count += defs->owners[i].vm == vm;
	if (count > VM_OWNERS_MAX)
		fields_fail(f);
	field_u32(f, &count);
	for (uint32_t i = 0; i < defs->owner_count; i++) {
		struct owner_def *owner = &defs->owners[i];

		if (owner->vm != vm)
			continue;
		field_string(f, owner->node, sizeof(owner->node));
		field_u32(f, &owner->tier);
	}
}

size_t definitions_encode(const struct definitions *defs, const struct uuid *proposed, uint8_t *buf,
			  size_t size)
{
	struct fields f = fields_write(buf, size);
	bool cluster_given = defs->cluster_given;

	fields_version(&f, DEFINITIONS_VERSION);
	field_bool(&f, &cluster_given);
	if (cluster_given)
		fields_cluster_def(&f, (struct cluster_def *)&defs->cluster);
	write_u32(&f.w, defs->node_count);
	write_u32(&f.w, defs->volume_count);
	write_u32(&f.w, defs->vm_count);
	write_u32(&f.w, defs->rule_count);
	write_u32(&f.w, defs->pro_count);
	for (uint32_t i = 0; i < defs->node_count; i++)
		fields_node_def(&f, &defs->nodes[i]);
	for (uint32_t i = 0; i < defs->volume_count; i++)
		fields_volume_def(&f, &defs->volumes[i]);
	for (uint32_t i = 0; i < defs->vm_count; i++) {
		fields_vm_def(&f, &defs->vms[i]);
		write_bytes(&f.w, proposed[i].bytes, sizeof(proposed[i].bytes));
		write_owners(&f, defs, i);
	}
	for (uint32_t i = 0; i < defs->rule_count; i++)
		fields_rule_def(&f, &defs->rules[i]);
	for (uint32_t i = 0; i < defs->pro_count; i++)
		fields_pro_def(&f, &defs->pros[i]);
	return fields_failed(&f) ? 0 : f.w.used;
}

bool definition_unpack_open(struct definition_unpack *reader, const uint8_t *buf, size_t size)
{
	struct fields f = fields_read(buf, size);

	memset(reader, 0, sizeof(*reader));
	fields_version(&f, DEFINITIONS_VERSION);
	field_bool(&f, &reader->cluster_given);
	if (reader->cluster_given)
		fields_cluster_def(&f, &reader->cluster);
	field_u32(&f, &reader->nodes_left);
	field_u32(&f, &reader->volumes_left);
	field_u32(&f, &reader->vms_left);
	field_u32(&f, &reader->rules_left);
	field_u32(&f, &reader->pros_left);
	reader->r = f.r;
	return !fields_failed(&f);
}

bool definition_unpack_node(struct definition_unpack *reader, struct node_def *node)
{
	struct fields f = { .mode = FIELDS_READ, .r = reader->r };

	memset(node, 0, sizeof(*node));
	fields_node_def(&f, node);
	reader->r = f.r;
	reader->nodes_left--;
	return !f.r.failed;
}

bool definition_unpack_volume(struct definition_unpack *reader, struct volume_def *volume)
{
	struct fields f = { .mode = FIELDS_READ, .r = reader->r };

	memset(volume, 0, sizeof(*volume));
	fields_volume_def(&f, volume);
	reader->r = f.r;
	reader->volumes_left--;
	return !f.r.failed;
}

bool definition_unpack_vm(struct definition_unpack *reader, struct definition_vm *vm)
{
	struct fields f = { .mode = FIELDS_READ, .r = reader->r };

	memset(&vm->def, 0, sizeof(vm->def));
	fields_vm_def(&f, &vm->def);
	field_bytes(&f, vm->proposed.bytes, sizeof(vm->proposed.bytes));
	field_count(&f, &vm->owner_count, VM_OWNERS_MAX);
	for (uint32_t i = 0; i < vm->owner_count; i++) {
		field_string(&f, vm->owners[i].node, sizeof(vm->owners[i].node));
		field_u32(&f, &vm->owners[i].tier);
	}
	reader->r = f.r;
	reader->vms_left--;
	return !f.r.failed;
}

bool definition_unpack_rule(struct definition_unpack *reader, struct rule_def *rule)
{
	struct fields f = { .mode = FIELDS_READ, .r = reader->r };

	memset(rule, 0, sizeof(*rule));
	fields_rule_def(&f, rule);
	reader->r = f.r;
	reader->rules_left--;
	return !f.r.failed;
}

bool definition_unpack_pro(struct definition_unpack *reader, struct pro_def *pro)
{
	struct fields f = { .mode = FIELDS_READ, .r = reader->r };

	memset(pro, 0, sizeof(*pro));
	fields_pro_def(&f, pro);
	reader->r = f.r;
	reader->pros_left--;
	return !f.r.failed;
}

bool definition_unpack_done(const struct definition_unpack *reader)
{
	return reader_done(&reader->r) && reader->nodes_left == 0 && reader->volumes_left == 0 &&
	       reader->vms_left == 0;
}

bool disk_is_written(const struct disk_def *disk)
{
	return !disk->readonly && !disk->cdrom;
}

bool pci_address_is_good(const char *text)
{
	static const char form[] = "xxxx:xx:xx.x";

	for (uint32_t i = 0; i < sizeof(form); i++) {
		bool digit = (text[i] >= '0' && text[i] <= '9') ||
			     (text[i] >= 'a' && text[i] <= 'f');

		if (form[i] == 'x' ? !digit : text[i] != form[i])
			return false;
	}
	return true;
}
