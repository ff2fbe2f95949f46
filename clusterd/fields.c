// SPDX-License-Identifier: Apache-2.0
#include "clusterd/fields.h"

#include <string.h>

struct fields fields_write(uint8_t *buf, size_t size)
{
	return (struct fields){ .mode = FIELDS_WRITE, .w = { .buf = buf, .size = size } };
}

struct fields fields_read(const uint8_t *buf, size_t size)
{
	return (struct fields){ .mode = FIELDS_READ, .r = { .buf = buf, .size = size } };
}

struct fields fields_hash(void)
{
	return (struct fields){ .mode = FIELDS_HASH, .hash = hash_start() };
}

bool fields_reading(const struct fields *f)
{
	return f->mode == FIELDS_READ;
}

void fields_fail(struct fields *f)
{
	f->r.failed = true;
	f->w.failed = true;
}

bool fields_failed(const struct fields *f)
{
	return f->r.failed || f->w.failed;
}

static void put(struct fields *f, const void *bytes, size_t count)
{
	if (f->mode == FIELDS_HASH)
		f->hash = hash_bytes(f->hash, bytes, count);
	else
		write_bytes(&f->w, bytes, count);
}

static void put_number(struct fields *f, uint64_t value, size_t count)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	put(f, bytes, count);
}

void field_u8(struct fields *f, uint8_t *value)
{
	if (fields_reading(f))
		*value = read_u8(&f->r);
	else
		put_number(f, *value, 1);
}

void field_u32(struct fields *f, uint32_t *value)
{
	if (fields_reading(f))
		*value = read_u32(&f->r);
	else
		put_number(f, *value, 4);
}

void field_u64(struct fields *f, uint64_t *value)
{
	if (fields_reading(f))
		*value = read_u64(&f->r);
	else
		put_number(f, *value, 8);
}

void field_i32(struct fields *f, int32_t *value)
{
	uint32_t bits;

	if (!fields_reading(f)) {
		put_number(f, (uint32_t)*value, 4);
		return;
	}
	bits = read_u32(&f->r);
	*value = bits <= INT32_MAX ? (int32_t)bits : -(int32_t)(UINT32_MAX - bits) - 1;
}

void field_bool(struct fields *f, bool *value)
{
	if (fields_reading(f))
		*value = read_bool(&f->r);
	else
		put_number(f, *value ? 1 : 0, 1);
}

void field_enum(struct fields *f, uint8_t *value, unsigned int count)
{
	if (fields_reading(f))
		*value = read_enum(&f->r, count);
	else
		put_number(f, *value, 1);
}

void field_count(struct fields *f, uint32_t *value, uint32_t max)
{
	field_u32(f, value);
	if (fields_reading(f) && *value > max) {
		*value = 0;
		fields_fail(f);
	}
}

void field_slot(struct fields *f, uint8_t *value, unsigned int count)
{
	field_u8(f, value);
	if (fields_reading(f) && *value >= count && *value != SLOT_NONE) {
		*value = SLOT_NONE;
		fields_fail(f);
	}
}

void field_bytes(struct fields *f, void *bytes, size_t count)
{
	if (fields_reading(f))
		read_bytes(&f->r, bytes, count);
	else
		put(f, bytes, count);
}

void field_string(struct fields *f, char *buf, size_t size)
{
	size_t length = 0;

	if (fields_reading(f)) {
		read_string(&f->r, buf, size);
		return;
	}
	while (length < size - 1 && buf[length])
		length++;
	put_number(f, length, 2);
	put(f, buf, length);
}

void field_blob(struct fields *f, const uint8_t **bytes, size_t *size)
{
	uint32_t count = (uint32_t)*size;

	field_u32(f, &count);
	if (!fields_reading(f)) {
		put(f, *bytes, count);
		return;
	}
	*bytes = NULL;
	*size = 0;
	if (f->r.failed || count > f->r.size - f->r.at) {
		fields_fail(f);
		return;
	}
	*bytes = f->r.buf + f->r.at;
	*size = count;
	f->r.at += count;
}

void fields_vm_ref(struct fields *f, struct vm_ref *ref)
{
	field_u32(f, &ref->slot);
	field_u32(f, &ref->serial);
}

void fields_voters(struct fields *f, struct voters *voters)
{
	uint32_t last = 0;

	field_count(f, &voters->count, NODES_MAX);
	for (uint32_t i = 0; i < voters->count; i++) {
		field_u32(f, &voters->list[i].id);
		field_u64(f, &voters->list[i].store);
		if (fields_reading(f) && voters->list[i].id <= last)
			fields_fail(f);
		last = voters->list[i].id;
	}
}

void fields_move_numbers(struct fields *f, struct move_numbers *numbers)
{
	field_u32(f, &numbers->total_ms);
	field_u32(f, &numbers->pause_us);
	field_u32(f, &numbers->rounds);
	field_u32(f, &numbers->throttle);
	field_u64(f, &numbers->bytes);
	field_u64(f, &numbers->rate);
	field_u64(f, &numbers->dirty_rate);
}

void fields_migrate_stats(struct fields *f, struct migrate_stats *stats)
{
	field_enum(f, &stats->status, MIGRATE_STATUS_COUNT);
	field_u64(f, &stats->total);
	field_u64(f, &stats->remaining);
	field_u64(f, &stats->transferred);
	field_u64(f, &stats->rate);
	field_u64(f, &stats->dirty_rate);
	field_u32(f, &stats->rounds);
	field_u32(f, &stats->throttle);
	field_u32(f, &stats->pause_us);
	field_u32(f, &stats->total_ms);
}

void fields_cpu(struct fields *f, struct cpu_features *features)
{
	for (uint32_t i = 0; i < CPU_FEATURE_WORDS; i++)
		field_u64(f, &features->bits[i]);
}

static void field_small_count(struct fields *f, uint8_t *value, unsigned int max)
{
	field_enum(f, value, max + 1);
}

static void fields_host_facts(struct fields *f, struct host_facts *facts)
{
	field_enum(f, &facts->state, FACTS_STATE_COUNT);
	field_enum(f, &facts->accel, HOST_ACCEL_COUNT);
	field_small_count(f, &facts->machine_count, MACHINES_MAX);
	field_small_count(f, &facts->model_count, CPU_MODELS_MAX);
	field_small_count(f, &facts->bridge_count, BRIDGES_MAX);
	field_bool(f, &facts->bridges_cut);
	field_u32(f, &facts->qemu_version);
	field_u32(f, &facts->hugepage_kib);
	field_u32(f, &facts->hugepages);
	field_u32(f, &facts->hugepages_free);
	field_u32(f, &facts->memory_free_mib);
	field_string(f, facts->arch, sizeof(facts->arch));
	field_string(f, facts->cpu_vendor, sizeof(facts->cpu_vendor));
	field_string(f, facts->cpu_model, sizeof(facts->cpu_model));
	fields_cpu(f, &facts->features);
	field_string(f, facts->features_other, sizeof(facts->features_other));
	field_string(f, facts->machine_q35, sizeof(facts->machine_q35));
	field_string(f, facts->machine_pc, sizeof(facts->machine_pc));
	for (uint32_t i = 0; i < facts->machine_count; i++)
		field_u32(f, &facts->machines[i]);
	for (uint32_t i = 0; i < facts->model_count; i++)
		field_u32(f, &facts->models[i]);
	for (uint32_t i = 0; i < facts->bridge_count; i++)
		field_string(f, facts->bridges[i], sizeof(facts->bridges[i]));
}

void fields_node_report(struct fields *f, struct node_report *report)
{
	field_u32(f, &report->cpus);
	field_u32(f, &report->memory_mib);
	field_bool(f, &report->watchdog);
	field_bool(f, &report->qemu);
	field_bool(f, &report->leaving);
	field_u64(f, &report->boot);
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		field_string(f, report->addresses[i], sizeof(report->addresses[i]));
	field_u64(f, &report->cert_expires);
	field_u64(f, &report->cert_authority);
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		struct node_volume *volume = &report->volumes[i];

		field_enum(f, &volume->state, VOLUME_STATE_COUNT);
		field_bool(f, &volume->joined);
		field_u64(f, &volume->generation);
		field_string(f, volume->reason, sizeof(volume->reason));
	}
	fields_host_facts(f, &report->facts);
}
