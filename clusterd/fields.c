// SPDX-License-Identifier: Apache-2.0
#include "clusterd/fields.h"

#include <string.h>

#include "clusterd/invariant.h"

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
	struct fields f = { .mode = FIELDS_HASH };

	for (uint32_t i = 0; i < FIELDS_LANES; i++)
		f.lanes[i] = hash_word(hash_start(), i);
	return f;
}

uint64_t fields_digest(const struct fields *f)
{
	uint64_t hash = hash_word(hash_start(), f->lane);

	for (uint32_t i = 0; i < FIELDS_LANES; i++)
		hash = hash_word(hash, f->lanes[i]);
	return hash;
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

static void put(struct fields *f, const uint8_t *at, size_t count)
{
	if (f->mode != FIELDS_HASH) {
		write_bytes(&f->w, at, count);
		return;
	}
	for (; count >= 8; at += 8, count -= 8)
		fields_hash_word(f, load_u64(at));
	if (count > 0)
		fields_hash_word(f, load_bytes(at, count));
}

void field_u8_bytes(struct fields *f, uint8_t *value)
{
	if (fields_reading(f))
		*value = read_u8(&f->r);
	else
		write_u8(&f->w, *value);
}

void field_u32_bytes(struct fields *f, uint32_t *value)
{
	if (fields_reading(f))
		*value = read_u32(&f->r);
	else
		write_u32(&f->w, *value);
}

void field_u64_bytes(struct fields *f, uint64_t *value)
{
	if (fields_reading(f))
		*value = read_u64(&f->r);
	else
		write_u64(&f->w, *value);
}

void field_i32(struct fields *f, int32_t *value)
{
	uint32_t bits = (uint32_t)*value;

	field_u32(f, &bits);
	if (fields_reading(f))
		*value = bits <= INT32_MAX ? (int32_t)bits : -(int32_t)(UINT32_MAX - bits) - 1;
}

void field_bool_bytes(struct fields *f, bool *value)
{
	if (fields_reading(f))
		*value = read_bool(&f->r);
	else
		write_bool(&f->w, *value);
}

void field_enum_bytes(struct fields *f, uint8_t *value, unsigned int count)
{
	if (fields_reading(f))
		*value = read_enum(&f->r, count);
	else
		write_u8(&f->w, *value);
}

void field_count_bytes(struct fields *f, uint32_t *value, uint32_t max)
{
	field_u32(f, value);
	if (fields_reading(f) && *value > max) {
		*value = 0;
		fields_fail(f);
	}
}

void field_slot_bytes(struct fields *f, uint8_t *value, unsigned int count)
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

// Words up to the one that ends the string, without what is behind its end: no two strings have the
// same ones, and none has those of a longer one.
static void hash_string(struct fields *f, const uint8_t *at, size_t size)
{
	const uint64_t low = UINT64_C(0x0101010101010101), high = low << 7;

	for (;; at += 8, size -= 8) {
		uint64_t word = size >= 8 ? load_u64(at) : load_bytes(at, size);
		uint64_t zero =
			(word - low) & ~word & high; // its lowest bit: of the first zero byte

		if (zero) {
			fields_hash_word(f, word & (zero ^ (zero - 1)) >> 8);
			return;
		}
		fields_hash_word(f, word);
		INVARIANT(size > 8);
	}
}

void field_string_bytes(struct fields *f, char *buf, size_t size)
{
	size_t length;

	if (fields_reading(f)) {
		read_string(&f->r, buf, size);
		return;
	}
	if (f->mode == FIELDS_HASH) {
		hash_string(f, (const uint8_t *)buf, size);
		return;
	}
	length = strlen(buf);
	INVARIANT(length < size);
	write_u16(&f->w, (uint16_t)length);
	write_bytes(&f->w, buf, length);
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
	field_bool(f, &facts->no_post_copy);
	field_small_count(f, &facts->image_count, IMAGE_FAULTS_MAX);
	field_small_count(f, &facts->device_count, DEVICES_MAX);
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
	for (uint32_t i = 0; i < facts->device_count; i++)
		field_u32(f, &facts->devices[i]);
	for (uint32_t i = 0; i < facts->image_count; i++) {
		field_u32(f, &facts->images[i].slot);
		field_u32(f, &facts->images[i].serial);
		field_u8(f, &facts->images[i].image);
		field_enum(f, &facts->images[i].state, IMAGE_STATE_COUNT);
	}
}

static bool volume_said(const struct node_volume *volume)
{
	return volume->state || volume->joined || volume->generation || volume->free_mib ||
	       volume->reason[0];
}

// Of most slots there is nothing to say: which ones, then what.
static void fields_node_volumes(struct fields *f, struct node_volume *volumes)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; !fields_reading(f) && i < VOLUMES_MAX; i++)
		mask |= (uint32_t)volume_said(&volumes[i]) << i;
	field_u32(f, &mask);
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		struct node_volume *volume = &volumes[i];

		if (!(mask >> i & 1))
			continue;
		field_enum(f, &volume->state, VOLUME_STATE_COUNT);
		field_bool(f, &volume->joined);
		field_u64(f, &volume->generation);
		field_u32(f, &volume->free_mib);
		field_string(f, volume->reason, sizeof(volume->reason));
		if (fields_reading(f) && !volume_said(volume))
			fields_fail(f);
	}
}

void fields_generations(struct fields *f, uint64_t *generation)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; !fields_reading(f) && i < VOLUMES_MAX; i++)
		mask |= (uint32_t)(generation[i] != 0) << i;
	field_u32(f, &mask);
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		if (fields_reading(f))
			generation[i] = 0;
		if (!(mask >> i & 1))
			continue;
		field_u64(f, &generation[i]);
		if (fields_reading(f) && generation[i] == 0)
			fields_fail(f);
	}
}

void fields_node_report(struct fields *f, struct node_report *report)
{
	if (fields_reading(f))
		memset(report, 0, sizeof(*report));
	field_u32(f, &report->cpus);
	field_u32(f, &report->memory_mib);
	field_bool(f, &report->watchdog);
	field_bool(f, &report->qemu);
	field_enum(f, &report->leaving, HOST_LEAVING_COUNT);
	field_u64(f, &report->boot);
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		field_string(f, report->addresses[i], sizeof(report->addresses[i]));
	for (uint32_t i = 0; i < MIGRATION_NETWORKS_MAX; i++)
		field_u32(f, &report->link_mbit[i]);
	field_u64(f, &report->cert_expires);
	field_u64(f, &report->cert_authority);
	fields_node_volumes(f, report->volumes);
	fields_host_facts(f, &report->facts);
}
