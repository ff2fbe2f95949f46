// SPDX-License-Identifier: Apache-2.0
#include "clusterd/entry.h"

#include <string.h>

#include "clusterd/fields.h"

enum { ENTRY_VERSION = 1 };

// Which members of struct entry an entry of a type carries.
enum {
	HAS_NODE_ID = 1 << 0,
	HAS_OBJECT = 1 << 1,
	HAS_NAME = 1 << 2,
	HAS_WANTED = 1 << 3,
	HAS_FLAG = 1 << 4,
	HAS_REASON = 1 << 5,
	HAS_REPORT = 1 << 6,
	HAS_VM = 1 << 7,
	HAS_ATTEMPT = 1 << 8,
	HAS_VM_REPORT = 1 << 9,
	HAS_VOLUME = 1 << 10,
	HAS_LEASE_SLOT = 1 << 11,
	HAS_ACTOR = 1 << 12,
	HAS_DEVICE = 1 << 13,
	HAS_GENERATIONS = 1 << 14,
	HAS_BURN = 1 << 15,
	HAS_VOTERS = 1 << 16,
	HAS_BODY = 1 << 17,
	HAS_PLACES = 1 << 18,
	HAS_MOVE = 1 << 19,
	HAS_MOVE_KIND = 1 << 20,
	HAS_MOVE_CAUSE = 1 << 21,
	HAS_MOVE_OUTCOME = 1 << 22,
	HAS_MOVE_REPORT = 1 << 23,
	HAS_NUMBERS = 1 << 24,
	HAS_DRAIN_VERB = 1 << 25,
	HAS_DRAIN_STATE = 1 << 26,
	HAS_TIP = 1 << 27,
	HAS_TIP_STATE = 1 << 28,
	HAS_VERDICT = 1 << 29,
	HAS_AHEAD = 1 << 30,
};

// Of entries about moves, drains, policies and tips.
static unsigned int move_members(uint8_t type)
{
	switch (type) {
	case ENTRY_MOVE_REQUEST:
		return HAS_NAME | HAS_ACTOR | HAS_MOVE_KIND;
	case ENTRY_MOVE_CANCEL:
		return HAS_NAME;
	case ENTRY_NODE_DRAIN:
		return HAS_NAME | HAS_FLAG | HAS_DRAIN_VERB;
	case ENTRY_MOVE_REPORT:
		return HAS_NODE_ID | HAS_FLAG | HAS_MOVE | HAS_MOVE_REPORT | HAS_NUMBERS |
		       HAS_REASON;
	case ENTRY_MOVE_BEGIN:
		return HAS_VM | HAS_MOVE | HAS_ACTOR | HAS_MOVE_KIND | HAS_MOVE_CAUSE |
		       HAS_NUMBERS | HAS_TIP | HAS_FLAG;
	case ENTRY_MOVE_END:
		return HAS_MOVE | HAS_MOVE_OUTCOME | HAS_REASON;
	case ENTRY_NODE_DRAINED:
		return HAS_NODE_ID | HAS_DRAIN_STATE | HAS_REASON;
	case ENTRY_TIP_ACCEPT:
	case ENTRY_TIP_DISMISS:
		return HAS_TIP;
	case ENTRY_SCRIPT_REPORT:
		return HAS_NODE_ID | HAS_TIP | HAS_FLAG | HAS_REASON;
	case ENTRY_TIP_OPEN:
		return HAS_BODY;
	case ENTRY_TIP_PLAN:
		return HAS_TIP | HAS_BODY;
	case ENTRY_TIP_ADVANCE:
		return HAS_TIP | HAS_TIP_STATE | HAS_ACTOR | HAS_REASON;
	case ENTRY_TIP_MEASURED:
		return HAS_TIP | HAS_VERDICT | HAS_REASON;
	case ENTRY_POLICY_RAN:
		return HAS_NAME | HAS_REASON;
	}
	return 0;
}

static unsigned int entry_members(enum entry_type type)
{
	switch (type) {
	case ENTRY_VIEW:
		return HAS_VOTERS;
	case ENTRY_CHECK:
		return 0;
	case ENTRY_APPLY:
		return HAS_BODY;
	case ENTRY_REMOVE:
		return HAS_OBJECT | HAS_NAME;
	case ENTRY_VM_WANT:
		return HAS_NAME | HAS_WANTED | HAS_FLAG;
	case ENTRY_VM_MANAGE:
	case ENTRY_NODE_MANAGE:
	case ENTRY_POLICY_SET:
		return HAS_NAME | HAS_FLAG;
	case ENTRY_VM_CLEAR:
	case ENTRY_POLICY_RUN:
	case ENTRY_NODE_FENCE:
	case ENTRY_NODE_CONFIRM_DEAD:
		return HAS_NAME;
	case ENTRY_NODE_REPORT:
		return HAS_NODE_ID | HAS_REPORT;
	case ENTRY_NODE_GOODBYE:
	case ENTRY_NODE_LOST:
	case ENTRY_NODE_EXPIRING:
	case ENTRY_NODE_BACK:
		return HAS_NODE_ID | HAS_REASON;
	case ENTRY_VOLUME_PREPARED:
		return HAS_NODE_ID | HAS_VOLUME | HAS_ATTEMPT | HAS_FLAG | HAS_REASON;
	case ENTRY_LEASE_WRITTEN:
		return HAS_NODE_ID | HAS_VM | HAS_VOLUME | HAS_LEASE_SLOT | HAS_FLAG | HAS_REASON;
	case ENTRY_FENCE_RESULT:
	case ENTRY_NODE_RELEASED:
		return HAS_NODE_ID | HAS_ATTEMPT | HAS_FLAG | HAS_REASON;
	case ENTRY_VM_REPORT:
		return HAS_NODE_ID | HAS_VM | HAS_ATTEMPT | HAS_VM_REPORT | HAS_FLAG | HAS_REASON;
	case ENTRY_VOTERS:
		return HAS_VOTERS | HAS_REASON;
	case ENTRY_NODE_FENCING:
		return HAS_NODE_ID | HAS_ATTEMPT | HAS_ACTOR | HAS_DEVICE | HAS_GENERATIONS |
		       HAS_REASON;
	case ENTRY_VOLUME_PREPARE:
		return HAS_VOLUME | HAS_ATTEMPT | HAS_ACTOR;
	case ENTRY_LEASE_WRITE:
		return HAS_VM | HAS_VOLUME | HAS_LEASE_SLOT | HAS_ACTOR | HAS_BURN;
	case ENTRY_PLACE:
		return HAS_PLACES;
	case ENTRY_HOURS:
		return HAS_AHEAD;
	case ENTRY_MOVE_REQUEST:
	case ENTRY_MOVE_CANCEL:
	case ENTRY_NODE_DRAIN:
	case ENTRY_MOVE_REPORT:
	case ENTRY_MOVE_BEGIN:
	case ENTRY_MOVE_END:
	case ENTRY_NODE_DRAINED:
	case ENTRY_TIP_ACCEPT:
	case ENTRY_TIP_DISMISS:
	case ENTRY_SCRIPT_REPORT:
	case ENTRY_TIP_OPEN:
	case ENTRY_TIP_PLAN:
	case ENTRY_TIP_ADVANCE:
	case ENTRY_TIP_MEASURED:
	case ENTRY_POLICY_RAN:
		return move_members(type);
	case ENTRY_TYPE_COUNT:
		break;
	}
	return 0;
}

// An enumeration that begins at 1.
static void field_kind(struct fields *f, uint8_t *value, unsigned int count)
{
	field_enum(f, value, count);
	if (fields_reading(f) && *value == 0)
		fields_fail(f);
}

static void fields_words(struct fields *f, struct entry *entry, unsigned int has)
{
	if (has & HAS_NODE_ID)
		field_u32(f, &entry->node_id);
	if (has & HAS_OBJECT)
		field_kind(f, &entry->object, OBJECT_KIND_COUNT);
	if (has & HAS_NAME)
		field_string(f, entry->name, sizeof(entry->name));
	if (has & HAS_WANTED)
		field_enum(f, &entry->wanted, VM_WANTED_COUNT);
	if (has & HAS_FLAG)
		field_bool(f, &entry->flag);
	if (has & HAS_REASON)
		field_string(f, entry->reason, sizeof(entry->reason));
	if (has & HAS_VM)
		fields_vm_ref(f, &entry->vm);
	if (has & HAS_ATTEMPT)
		field_u32(f, &entry->attempt);
	if (has & HAS_VM_REPORT) {
		field_kind(f, &entry->vm_report, VM_REPORT_COUNT);
		field_bool(f, &entry->cpu_known);
		if (entry->cpu_known)
			fields_cpu(f, &entry->cpu);
		if (entry->vm_report == VM_REPORT_ANSWERS) {
			field_enum(f, &entry->up, RULE_UP_COUNT);
			field_u32(f, &entry->up_value);
		}
	}
	if (has & HAS_VOLUME)
		field_enum(f, &entry->volume, VOLUMES_MAX);
	if (has & HAS_LEASE_SLOT)
		field_u32(f, &entry->lease_slot);
	if (has & HAS_ACTOR)
		field_slot(f, &entry->actor, NODES_MAX);
	if (has & HAS_DEVICE)
		field_u8(f, &entry->device);
	if (has & HAS_BURN)
		field_bool(f, &entry->burn);
}

static void fields_move_words(struct fields *f, struct entry *entry, unsigned int has)
{
	if (has & HAS_MOVE)
		field_u32(f, &entry->move);
	if (has & HAS_MOVE_KIND)
		field_enum(f, &entry->move_kind, MOVE_KIND_COUNT);
	if (has & HAS_MOVE_CAUSE)
		field_enum(f, &entry->move_cause, MOVE_CAUSE_COUNT);
	if (has & HAS_MOVE_OUTCOME)
		field_kind(f, &entry->move_outcome, MOVE_OUTCOME_COUNT);
	if (has & HAS_MOVE_REPORT) {
		field_kind(f, &entry->move_report, MOVE_REPORT_COUNT);
		field_string(f, entry->address, sizeof(entry->address));
		field_u32(f, &entry->port);
	}
	if (has & HAS_NUMBERS)
		fields_move_numbers(f, &entry->numbers);
	if (has & HAS_DRAIN_VERB) {
		field_enum(f, &entry->drain_verb, DRAIN_VERB_COUNT);
		field_bool(f, &entry->drain_anyway);
		field_bool(f, &entry->drain_stop);
		field_u64(f, &entry->until_ms);
	}
	if (has & HAS_DRAIN_STATE)
		field_enum(f, &entry->drain_state, DRAIN_STATE_COUNT);
}

static void fields_tip_words(struct fields *f, struct entry *entry, unsigned int has)
{
	if (has & HAS_TIP) {
		field_u32(f, &entry->tip);
		field_enum(f, &entry->tip_at, TIP_MOVES_MAX);
	}
	if (has & HAS_TIP_STATE)
		field_enum(f, &entry->tip_state, TIP_STATE_COUNT);
	if (has & HAS_VERDICT) {
		field_enum(f, &entry->tip_verdict, TIP_VERDICT_COUNT);
		field_u32(f, &entry->measured);
	}
	if (has & HAS_AHEAD)
		field_i32(f, &entry->ahead_min);
}

static void fields_entry(struct fields *f, struct entry *entry)
{
	uint8_t version = ENTRY_VERSION;
	unsigned int has;

	field_u8(f, &version);
	if (version != ENTRY_VERSION)
		fields_fail(f);
	field_kind(f, &entry->type, ENTRY_TYPE_COUNT);
	field_u64(f, &entry->view);
	field_u64(f, &entry->at_ms);
	field_u32(f, &entry->from);
	has = entry_members(entry->type);
	fields_words(f, entry, has);
	fields_move_words(f, entry, has);
	fields_tip_words(f, entry, has);
	if (has & HAS_REPORT)
		fields_node_report(f, &entry->report);
	if (has & HAS_GENERATIONS) {
		field_u32(f, &entry->generation_mask);
		fields_generations(f, entry->generation);
	}
	if (has & HAS_VOTERS)
		fields_voters(f, &entry->voters);
	if (has & HAS_BODY)
		field_blob(f, &entry->body, &entry->body_size);
	if (has & HAS_PLACES) {
		field_u32(f, &entry->place_count);
		field_blob(f, &entry->places, &entry->places_size);
	}
}

size_t entry_encode(const struct entry *entry, uint8_t *buf, size_t size)
{
	struct fields f = fields_write(buf, size);

	fields_entry(&f, (struct entry *)entry);
	return fields_failed(&f) ? 0 : f.w.used;
}

uint8_t entry_peek(const uint8_t *buf, size_t size)
{
	return size >= 2 && buf[0] == ENTRY_VERSION && buf[1] < ENTRY_TYPE_COUNT ? buf[1] : 0;
}

static bool places_well_formed(const struct entry *entry)
{
	struct place place;
	uint32_t count = 0;

	for (size_t at = 0; at < entry->places_size; count++) {
		if (!place_decode(&place, entry, &at))
			return false;
	}
	return count == entry->place_count;
}

// All but the two large members, which are most of it and which few types carry.
void entry_clear(struct entry *entry)
{
	uint8_t *at = (uint8_t *)entry, *after_report = (uint8_t *)(&entry->report + 1),
		*after_voters = (uint8_t *)(&entry->voters + 1);

	memset(at, 0, offsetof(struct entry, report));
	memset(after_report, 0, offsetof(struct entry, voters) - (size_t)(after_report - at));
	memset(after_voters, 0, sizeof(*entry) - (size_t)(after_voters - at));
	entry->voters.count = 0;
}

bool entry_decode(struct entry *entry, const uint8_t *buf, size_t size)
{
	struct fields f = fields_read(buf, size);

	entry_clear(entry);
	fields_entry(&f, entry);
	return reader_done(&f.r) && places_well_formed(entry);
}

// An owner and VM_PLACED, or neither.
static bool place_makes_sense(const struct place *place)
{
	if (place->owner == SLOT_NONE)
		return place->phase == VM_IDLE || place->phase == VM_ERROR;
	return place->phase == VM_PLACED;
}

static void fields_place(struct fields *f, struct place *place)
{
	fields_vm_ref(f, &place->vm);
	field_slot(f, &place->owner, NODES_MAX);
	field_u32(f, &place->attempt);
	field_enum(f, &place->phase, VM_PHASE_COUNT);
	field_string(f, place->reason, sizeof(place->reason));
	if (fields_reading(f) && !place_makes_sense(place))
		fields_fail(f);
}

size_t tip_encode(const struct tip *tip, uint8_t *buf, size_t size)
{
	struct fields f = fields_write(buf, size);

	fields_tip(&f, (struct tip *)tip);
	return fields_failed(&f) ? 0 : f.w.used;
}

bool tip_decode(struct tip *tip, const uint8_t *buf, size_t size)
{
	struct fields f = fields_read(buf, size);

	memset(tip, 0, sizeof(*tip));
	fields_tip(&f, tip);
	return reader_done(&f.r);
}

size_t place_encode(const struct place *place, uint8_t *buf, size_t size)
{
	struct fields f = fields_write(buf, size);

	fields_place(&f, (struct place *)place);
	return fields_failed(&f) ? 0 : f.w.used;
}

bool place_decode(struct place *place, const struct entry *entry, size_t *at)
{
	struct fields f;

	if (*at >= entry->places_size)
		return false;
	f = fields_read(entry->places + *at, entry->places_size - *at);
	memset(place, 0, sizeof(*place));
	fields_place(&f, place);
	if (f.r.failed)
		return false;
	*at += f.r.at;
	return true;
}
