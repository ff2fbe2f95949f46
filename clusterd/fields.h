// SPDX-License-Identifier: Apache-2.0
// One walk over a struct's fields that encodes, decodes or hashes them, so that none can be
// forgotten in one of the three.
//
// A walker takes the struct by pointer; it writes to it only when it reads. Walkers of constant
// structs cast the constness away for that reason. Values that cannot be meant fail a read; see
// codec.h for what failing does.
#pragma once

#include "clusterd/cluster.h"
#include "clusterd/codec.h"
#include "clusterd/event.h"

enum fields_mode { FIELDS_WRITE, FIELDS_READ, FIELDS_HASH };

// A word waits for the one before it in its lane alone, so a digest costs a quarter of the time.
enum { FIELDS_LANES = 4 };

struct fields {
	enum fields_mode mode;
	struct writer w;
	struct reader r;
	uint64_t lanes[FIELDS_LANES]; // of the values that writing would write, one after another
	uint32_t lane;
};

struct fields fields_write(uint8_t *buf, size_t size); // buf NULL: only count
struct fields fields_read(const uint8_t *buf, size_t size);
struct fields fields_hash(void);
uint64_t fields_digest(const struct fields *f);
bool fields_reading(const struct fields *f);
void fields_fail(struct fields *f);
bool fields_failed(const struct fields *f);

// A digest walks over everything: the commonest fields are hashed without a call.
void field_u8_bytes(struct fields *f, uint8_t *value);
void field_u32_bytes(struct fields *f, uint32_t *value);
void field_u64_bytes(struct fields *f, uint64_t *value);
void field_bool_bytes(struct fields *f, bool *value);
void field_enum_bytes(struct fields *f, uint8_t *value, unsigned int count);
void field_count_bytes(struct fields *f, uint32_t *value, uint32_t max);
void field_slot_bytes(struct fields *f, uint8_t *value, unsigned int count);
void field_string_bytes(struct fields *f, char *buf, size_t size);

static inline void fields_hash_word(struct fields *f, uint64_t word)
{
	uint32_t lane = f->lane++ % FIELDS_LANES;

	f->lanes[lane] = hash_word(f->lanes[lane], word);
}

static inline void field_u8(struct fields *f, uint8_t *value)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_u8_bytes(f, value);
}

static inline void field_u32(struct fields *f, uint32_t *value)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_u32_bytes(f, value);
}

static inline void field_u64(struct fields *f, uint64_t *value)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_u64_bytes(f, value);
}

static inline void field_bool(struct fields *f, bool *value)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value ? 1 : 0);
	else
		field_bool_bytes(f, value);
}

static inline void field_enum(struct fields *f, uint8_t *value, unsigned int count)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_enum_bytes(f, value, count);
}

// Reading fails above max.
static inline void field_count(struct fields *f, uint32_t *value, uint32_t max)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_count_bytes(f, value, max);
}

// Below count, or SLOT_NONE.
static inline void field_slot(struct fields *f, uint8_t *value, unsigned int count)
{
	if (f->mode == FIELDS_HASH)
		fields_hash_word(f, *value);
	else
		field_slot_bytes(f, value, count);
}

// Most are empty: one word of zeros.
static inline void field_string(struct fields *f, char *buf, size_t size)
{
	if (f->mode == FIELDS_HASH && buf[0] == 0)
		fields_hash_word(f, 0);
	else
		field_string_bytes(f, buf, size);
}

void field_i32(struct fields *f, int32_t *value);
void field_bytes(struct fields *f, void *bytes, size_t count);
// Bytes with their length. Reading points into the bytes that are read.
void field_blob(struct fields *f, const uint8_t **bytes, size_t *size);

void fields_cluster_def(struct fields *f, struct cluster_def *def);
void fields_node_def(struct fields *f, struct node_def *def);
void fields_rule_def(struct fields *f, struct rule_def *def);
void fields_pro_def(struct fields *f, struct pro_def *def);
void fields_tip(struct fields *f, struct tip *tip);
void fields_policy(struct fields *f, struct cluster_policy *policy);
void fields_policy_run(struct fields *f, struct policy_run *run);
void fields_volume_def(struct fields *f, struct volume_def *def);
void fields_vm_def(struct fields *f, struct vm_def *def);
void fields_vm_ref(struct fields *f, struct vm_ref *ref);
void fields_cpu(struct fields *f, struct cpu_features *features);
void fields_voters(struct fields *f, struct voters *voters);
void fields_move_numbers(struct fields *f, struct move_numbers *numbers);
void fields_migrate_stats(struct fields *f, struct migrate_stats *stats);
void fields_node_report(struct fields *f, struct node_report *report);
void fields_generations(struct fields *f, uint64_t *generation); // [VOLUMES_MAX]: those not zero
