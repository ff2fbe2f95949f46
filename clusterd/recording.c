// SPDX-License-Identifier: Apache-2.0
/*
 * One walk over the fields writes and reads. Most fields of an event or an action are zero: a mask
 * says which are not, and those are written as numbers of 7 bits a byte, so that an idle day stays
 * small.
 */
#include "clusterd/recording.h"

#include <string.h>

#include "clusterd/fields.h"
#include "clusterd/invariant.h"

enum { REPORT_BYTES_MAX = 8192, STATS_BYTES_MAX = 64, WALK_FIELDS_MAX = 40, NUMBER_BYTES_MAX = 10 };

static const uint8_t magic[8] = { 'c', 'l', 'u', 's', 't', 'r', 'e', 'c' };

// A new member has to be walked, too: a replay that does not know it would go another way.
_Static_assert(sizeof(void *) != 8 || sizeof(struct event) == 224, "keep the event's new member");
_Static_assert(sizeof(void *) != 8 || sizeof(struct action) == 152, "keep the action's new member");

struct walk {
	bool reading;
	struct writer w;
	struct reader r;
	uint64_t mask;
	uint32_t bit;
	size_t mask_at;
};

// ---- numbers, texts, bytes ----

static void walk_begin(struct walk *walk)
{
	if (walk->reading) {
		walk->mask = read_u64(&walk->r);
	} else {
		walk->mask_at = walk->w.used;
		walk->mask = 0;
		write_u64(&walk->w, 0);
	}
	walk->bit = 0;
}

static void walk_end(struct walk *walk)
{
	if (walk->reading) {
		if (walk->bit < WALK_FIELDS_MAX && walk->mask >> walk->bit)
			walk->r.failed = true;
		return;
	}
	for (unsigned int i = 0; i < 8 && !walk->w.failed; i++)
		walk->w.buf[walk->mask_at + i] = (uint8_t)(walk->mask >> 8 * i);
}

// Whether the next field is there.
static bool walk_field(struct walk *walk, bool present)
{
	uint64_t bit = UINT64_C(1) << walk->bit++;

	INVARIANT(walk->bit <= WALK_FIELDS_MAX);
	if (walk->reading)
		return (walk->mask & bit) && !walk->r.failed;
	if (present)
		walk->mask |= bit;
	return present;
}

static uint64_t walk_number(struct walk *walk, uint64_t value, uint64_t max)
{
	if (!walk_field(walk, value != 0))
		return walk->reading ? 0 : value;
	if (!walk->reading) {
		write_varint(&walk->w, value);
		return value;
	}
	value = read_varint(&walk->r);
	if (value == 0 || value > max)
		walk->r.failed = true;
	return walk->r.failed ? 0 : value;
}

#define NUMBER(member, max) member = walk_number(walk, member, max)
#define FLAG(member) member = walk_number(walk, member, 1) != 0

static void walk_uuid(struct walk *walk, struct uuid *uuid)
{
	static const struct uuid none;

	if (!walk_field(walk, memcmp(uuid, &none, sizeof(none)) != 0))
		return;
	if (!walk->reading) {
		write_bytes(&walk->w, uuid->bytes, sizeof(uuid->bytes));
		return;
	}
	read_bytes(&walk->r, uuid->bytes, sizeof(uuid->bytes));
	// None is not written: so whatever is read is written again as it was.
	if (memcmp(uuid, &none, sizeof(none)) == 0)
		walk->r.failed = true;
}

// Reading points into the bytes.
static const uint8_t *walk_blob(struct walk *walk, const uint8_t *bytes, size_t *size)
{
	if (!walk_field(walk, bytes && *size > 0))
		return NULL;
	if (!walk->reading) {
		write_varint(&walk->w, *size);
		write_bytes(&walk->w, bytes, *size);
		return bytes;
	}
	*size = (size_t)read_varint(&walk->r);
	if (*size == 0 || *size > walk->r.size - walk->r.at)
		walk->r.failed = true;
	if (walk->r.failed)
		return NULL;
	walk->r.at += *size;
	return walk->r.buf + walk->r.at - *size;
}

// Its terminator is among the bytes, so that reading can point at it.
static const char *walk_text(struct walk *walk, const char *text)
{
	size_t size = text && *text ? strlen(text) + 1 : 0;
	const uint8_t *bytes = walk_blob(walk, size ? (const uint8_t *)text : NULL, &size);

	if (walk->reading && bytes &&
	    (size < 2 || bytes[size - 1] != 0 || strlen((const char *)bytes) + 1 != size))
		walk->r.failed = true;
	return (const char *)bytes;
}

// ---- events ----

static void walk_members(struct walk *walk, struct event *event, struct group_member *members)
{
	uint64_t count;

	if (!walk_field(walk, event->members && event->member_count > 0))
		return;
	if (!walk->reading) {
		write_varint(&walk->w, event->member_count);
		for (uint32_t i = 0; i < event->member_count; i++) {
			write_u32(&walk->w, event->members[i].id);
			write_u32(&walk->w, event->members[i].pid);
		}
		return;
	}
	count = read_varint(&walk->r);
	if (count == 0 || count > RECORDING_MEMBERS_MAX) {
		walk->r.failed = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		members[i].id = read_u32(&walk->r);
		members[i].pid = read_u32(&walk->r);
	}
	event->members = members;
	event->member_count = (uint32_t)count;
}

static void walk_report(struct walk *walk, struct event *event, struct node_report *report)
{
	uint8_t bytes[REPORT_BYTES_MAX];
	struct fields f = fields_write(bytes, sizeof(bytes));
	const uint8_t *blob = bytes;
	size_t size;

	if (!walk->reading && event->report) {
		fields_node_report(&f, (struct node_report *)(uintptr_t)event->report);
		INVARIANT(!fields_failed(&f));
	}
	size = f.w.used;
	blob = walk_blob(walk, blob, &size);
	if (!walk->reading || !blob)
		return;
	f = fields_read(blob, size);
	fields_node_report(&f, report);
	if (!reader_done(&f.r))
		walk->r.failed = true;
	event->report = report;
}

static const struct migrate_stats *walk_stats(struct walk *walk, const struct migrate_stats *from,
					      struct migrate_stats *to)
{
	struct migrate_stats stats = { 0 };
	uint8_t bytes[STATS_BYTES_MAX];
	struct fields f = fields_write(bytes, sizeof(bytes));
	const uint8_t *blob = bytes;
	size_t size;

	if (!walk->reading && from) {
		stats = *from;
		fields_migrate_stats(&f, &stats);
		INVARIANT(!fields_failed(&f));
	}
	size = f.w.used;
	blob = walk_blob(walk, blob, &size);
	if (!walk->reading || !blob)
		return walk->reading ? NULL : from;
	f = fields_read(blob, size);
	fields_migrate_stats(&f, to);
	if (!reader_done(&f.r))
		walk->r.failed = true;
	return to;
}

// Behind UTC is the odd ones.
static int16_t walk_ahead(struct walk *walk, int16_t minutes)
{
	uint64_t folded = minutes < 0 ? (uint64_t)-minutes * 2 - 1 : (uint64_t)minutes * 2;

	folded = walk_number(walk, folded, 2 * AHEAD_MAX_MIN);
	return (int16_t)(folded % 2 ? -(int)((folded + 1) / 2) : (int)(folded / 2));
}

static void walk_event(struct walk *walk, struct event *event, struct recorded_event *recorded)
{
	walk_begin(walk);
	NUMBER(event->type, EVENT_TYPE_COUNT - 1);
	NUMBER(event->now_ms, UINT64_MAX);
	NUMBER(event->wall_ms, UINT64_MAX);
	event->ahead_min = walk_ahead(walk, event->ahead_min);
	FLAG(event->flag);
	NUMBER(event->volume, VOLUMES_MAX - 1);
	NUMBER(event->volume_state, VOLUME_STATE_COUNT - 1);
	FLAG(event->joined);
	NUMBER(event->lease_error, LEASE_ERROR_COUNT - 1);
	NUMBER(event->attempt, UINT32_MAX);
	NUMBER(event->node_id, UINT32_MAX);
	NUMBER(event->from_id, UINT32_MAX);
	NUMBER(event->from_pid, UINT32_MAX);
	NUMBER(event->lease_slot, UINT32_MAX);
	NUMBER(event->vm.slot, UINT32_MAX);
	NUMBER(event->vm.serial, UINT32_MAX);
	walk_uuid(walk, &event->uuid);
	NUMBER(event->index, UINT64_MAX);
	NUMBER(event->view, UINT64_MAX);
	NUMBER(event->promised, UINT64_MAX);
	NUMBER(event->store, UINT64_MAX);
	NUMBER(event->incarnation, UINT64_MAX);
	NUMBER(event->token, UINT64_MAX);
	NUMBER(event->cookie, UINT64_MAX);
	NUMBER(event->ring, UINT64_MAX);
	NUMBER(event->generation, UINT64_MAX);
	walk_members(walk, event, recorded ? recorded->members : NULL);
	walk_report(walk, event, recorded ? &recorded->report : NULL);
	event->body = walk_blob(walk, event->body, &event->body_size);
	event->reason = walk_text(walk, event->reason);
	NUMBER(event->run_state, RUN_STATE_COUNT - 1);
	FLAG(event->shared);
	NUMBER(event->word, MOVE_WORD_COUNT - 1);
	NUMBER(event->move, UINT32_MAX);
	NUMBER(event->port, UINT32_MAX);
	event->stats = walk_stats(walk, event->stats, recorded ? &recorded->stats : NULL);
	walk_end(walk);
}

size_t recording_event_bound(const struct event *event)
{
	return 8 + STATS_BYTES_MAX + WALK_FIELDS_MAX * NUMBER_BYTES_MAX + sizeof(struct uuid) +
	       (event->body ? event->body_size : 0) +
	       (event->reason ? strlen(event->reason) + 1 : 0) +
	       (event->report ? REPORT_BYTES_MAX : 0) +
	       (event->members ? (size_t)event->member_count * 8 : 0);
}

size_t recording_event_encode(const struct event *event, uint8_t *buf, size_t size)
{
	struct walk walk = { .w = { .buf = buf, .size = size } };
	struct event copy = *event;

	if (event->members && event->member_count > RECORDING_MEMBERS_MAX)
		return 0;
	walk_event(&walk, &copy, NULL);
	return walk.w.failed ? 0 : walk.w.used;
}

bool recording_event_decode(struct recorded_event *recorded, const uint8_t *buf, size_t size)
{
	struct walk walk = { .reading = true, .r = { .buf = buf, .size = size } };

	memset(recorded, 0, sizeof(*recorded));
	walk_event(&walk, &recorded->event, recorded);
	return reader_done(&walk.r) && recorded->event.type > 0;
}

// ---- actions ----

// For telling apart what differs, not against forgery.
static uint64_t hash_body(const uint8_t *bytes, size_t size)
{
	return hash_bytes(hash_start() ^ size, bytes, size);
}

// A number that is there whatever its value.
static uint64_t walk_inner(struct walk *walk, uint64_t value, uint64_t max)
{
	if (!walk->reading) {
		write_varint(&walk->w, value);
		return value;
	}
	value = read_varint(&walk->r);
	if (value > max)
		walk->r.failed = true;
	return walk->r.failed ? 0 : value;
}

// Length 0 is no text; else the terminator is among the bytes.
static const char *walk_inner_text(struct walk *walk, const char *text)
{
	uint64_t size = walk_inner(walk, text ? strlen(text) + 1 : 0, SIZE_MAX);
	const char *bytes;

	if (!walk->reading) {
		if (text)
			write_bytes(&walk->w, text, (size_t)size);
		return text;
	}
	if (size == 0 || walk->r.failed)
		return NULL;
	bytes = (const char *)walk->r.buf + walk->r.at;
	if (size > walk->r.size - walk->r.at || bytes[size - 1] != 0 || strlen(bytes) + 1 != size) {
		walk->r.failed = true;
		return NULL;
	}
	walk->r.at += (size_t)size;
	return bytes;
}

static void walk_generation(struct walk *walk, struct action *action, uint64_t *generation)
{
	if (!walk_field(walk, action->generation != NULL))
		return;
	for (unsigned int v = 0; v < VOLUMES_MAX; v++) {
		if (walk->reading)
			generation[v] = read_varint(&walk->r);
		else
			write_varint(&walk->w, action->generation[v]);
	}
	if (walk->reading)
		action->generation = generation;
}

static void walk_result(struct walk *walk, struct action *action, struct entry_result *result)
{
	struct fields f;

	if (!walk_field(walk, action->result != NULL))
		return;
	if (!walk->reading) {
		write_bool(&walk->w, action->result->accepted);
		write_string(&walk->w, action->result->code);
		write_string(&walk->w, action->result->reason);
		write_string(&walk->w, action->result->fix);
		return;
	}
	f = fields_read(walk->r.buf + walk->r.at, walk->r.size - walk->r.at);
	result->accepted = read_bool(&f.r);
	read_string(&f.r, result->code, sizeof(result->code));
	read_string(&f.r, result->reason, sizeof(result->reason));
	read_string(&f.r, result->fix, sizeof(result->fix));
	walk->r.failed = walk->r.failed || f.r.failed;
	walk->r.at += f.r.at;
	action->result = result;
}

// Its texts are read where they stand in the bytes.
static void walk_migrate(struct walk *walk, struct action *action, struct migrate_params *migrate)
{
	if (!walk_field(walk, action->migrate != NULL))
		return;
	if (!walk->reading)
		*migrate = *action->migrate;
	migrate->address = walk_inner_text(walk, migrate->address);
	migrate->peer = walk_inner_text(walk, migrate->peer);
	migrate->port = (uint32_t)walk_inner(walk, migrate->port, UINT32_MAX);
	migrate->tls = walk_inner(walk, migrate->tls, 1) != 0;
	migrate->post_copy = walk_inner(walk, migrate->post_copy, 1) != 0;
	migrate->channels = (uint32_t)walk_inner(walk, migrate->channels, UINT32_MAX);
	migrate->bandwidth = walk_inner(walk, migrate->bandwidth, UINT64_MAX);
	migrate->downtime_ms = (uint32_t)walk_inner(walk, migrate->downtime_ms, UINT32_MAX);
	migrate->throttle = (uint32_t)walk_inner(walk, migrate->throttle, UINT32_MAX);
	action->migrate = migrate;
}

static size_t migrate_params_size(const struct migrate_params *migrate)
{
	return 9 * NUMBER_BYTES_MAX + (migrate->address ? strlen(migrate->address) + 1 : 0) +
	       (migrate->peer ? strlen(migrate->peer) + 1 : 0);
}

static void walk_action(struct walk *walk, struct recorded_action *recorded)
{
	struct action *action = &recorded->action;

	walk_begin(walk);
	NUMBER(action->type, ACTION_TYPE_COUNT - 1);
	FLAG(action->flag);
	NUMBER(action->volume, UINT8_MAX);
	NUMBER(action->device, UINT8_MAX);
	NUMBER(action->level, LOG_LEVEL_ERROR);
	NUMBER(action->attempt, UINT32_MAX);
	NUMBER(action->node_id, UINT32_MAX);
	NUMBER(action->lease_slot, UINT32_MAX);
	NUMBER(action->vm.slot, UINT32_MAX);
	NUMBER(action->vm.serial, UINT32_MAX);
	walk_uuid(walk, &action->uuid);
	NUMBER(action->index, UINT64_MAX);
	NUMBER(action->view, UINT64_MAX);
	NUMBER(action->token, UINT64_MAX);
	NUMBER(action->cookie, UINT64_MAX);
	NUMBER(action->generation_mask, UINT32_MAX);
	walk_generation(walk, action, recorded->generation);
	NUMBER(action->body_size, UINT32_MAX);
	NUMBER(recorded->body_hash, UINT64_MAX);
	action->text = walk_text(walk, action->text);
	walk_result(walk, action, &recorded->result);
	NUMBER(action->start_mode, START_MODE_COUNT - 1);
	NUMBER(action->word, MOVE_WORD_COUNT - 1);
	NUMBER(action->move, UINT32_MAX);
	walk_migrate(walk, action, &recorded->migrate);
	action->stats = walk_stats(walk, action->stats, &recorded->stats);
	walk_end(walk);
}

size_t recording_actions_bound(const struct actions *actions)
{
	size_t bound = NUMBER_BYTES_MAX;

	for (uint32_t i = 0; i < actions->count; i++) {
		const struct action *action = &actions->items[i];

		bound += 8 + WALK_FIELDS_MAX * NUMBER_BYTES_MAX + sizeof(struct uuid);
		bound += action->migrate ? migrate_params_size(action->migrate) : 0;
		bound += action->stats ? STATS_BYTES_MAX : 0;
		bound += action->text ? strlen(action->text) + 1 : 0;
		bound += action->result ? sizeof(*action->result) + 8 : 0;
		bound += action->generation ? (size_t)VOLUMES_MAX * NUMBER_BYTES_MAX : 0;
	}
	return bound;
}

size_t recording_actions_encode(const struct actions *actions, uint8_t *buf, size_t size)
{
	struct walk walk = { .w = { .buf = buf, .size = size } };

	write_varint(&walk.w, actions->count);
	for (uint32_t i = 0; i < actions->count; i++) {
		struct recorded_action recorded = { .action = actions->items[i] };

		recorded.body_hash = recorded.action.body ? hash_body(recorded.action.body,
								      recorded.action.body_size)
							  : 0;
		walk_action(&walk, &recorded);
	}
	return walk.w.failed ? 0 : walk.w.used;
}

bool recording_actions_begin(struct reader *reader, const uint8_t *buf, size_t size,
			     uint32_t *count)
{
	uint64_t number;

	*reader = (struct reader){ .buf = buf, .size = size };
	number = read_varint(reader);
	*count = number <= UINT32_MAX ? (uint32_t)number : 0;
	return !reader->failed && number <= size;
}

bool recording_action_next(struct recorded_action *recorded, struct reader *reader)
{
	struct walk walk = { .reading = true, .r = *reader };

	memset(recorded, 0, sizeof(*recorded));
	walk_action(&walk, recorded);
	*reader = walk.r;
	return !walk.r.failed && recorded->action.type > 0;
}

// ---- head and frames ----

static void fields_head(struct fields *f, struct recording_head *head)
{
	struct node_limits *limits = &head->limits;
	uint64_t log_bytes = limits->view.log_bytes, proposal_bytes = limits->view.proposal_bytes,
		 copy_bytes = limits->view.copy_bytes;

	field_string(f, head->version, sizeof(head->version));
	field_u64(f, &head->core);
	field_u8(f, &head->pointer_size);
	field_u8(f, &head->long_size);
	field_bool(f, &head->image);
	field_u32(f, &head->number);
	field_u64(f, &head->wall_ms);
	field_u32(f, &limits->cluster.vms_max);
	field_u32(f, &limits->cluster.lease_slots_max);
	field_u32(f, &limits->view.records_max);
	field_u64(f, &log_bytes);
	field_u32(f, &limits->view.proposals_max);
	field_u64(f, &proposal_bytes);
	field_u64(f, &copy_bytes);
	field_u32(f, &limits->requests_max);
	field_u64(f, &head->address);
	field_u64(f, &head->size);
	field_string(f, head->host, sizeof(head->host));
	limits->view.log_bytes = (size_t)log_bytes;
	limits->view.proposal_bytes = (size_t)proposal_bytes;
	limits->view.copy_bytes = (size_t)copy_bytes;
}

size_t recording_head_encode(const struct recording_head *head, uint8_t *buf, size_t size)
{
	struct recording_head copy = *head;
	uint8_t body[RECORDING_HEAD_MAX];
	struct fields f = fields_write(body, sizeof(body));
	struct writer w = { .buf = buf, .size = size };

	fields_head(&f, &copy);
	write_bytes(&w, magic, sizeof(magic));
	write_u32(&w, RECORDING_FORMAT);
	write_u32(&w, (uint32_t)f.w.used);
	write_bytes(&w, body, f.w.used);
	return w.failed || fields_failed(&f) ? 0 : w.used;
}

// The version's text stays first behind the length in every format, so that it can be named.
enum recording_problem recording_head_decode(struct recording_head *head, const uint8_t *buf,
					     size_t size, size_t *used)
{
	struct reader r = { .buf = buf, .size = size };
	uint8_t found[sizeof(magic)];
	uint32_t format, length;
	struct fields f;

	memset(head, 0, sizeof(*head));
	*used = 0;
	read_bytes(&r, found, sizeof(found));
	format = read_u32(&r);
	length = read_u32(&r);
	if (r.failed || memcmp(found, magic, sizeof(magic)) != 0 || length > size - r.at)
		return RECORDING_NOT_ONE;
	f = fields_read(buf + r.at, length);
	if (format != RECORDING_FORMAT) {
		field_string(&f, head->version, sizeof(head->version));
		return RECORDING_FORMAT_OTHER;
	}
	fields_head(&f, head);
	*used = r.at + length;
	return reader_done(&f.r) ? RECORDING_GOOD : RECORDING_MALFORMED;
}

void recording_frame_write(uint8_t *buf, enum recording_frame kind, uint32_t length)
{
	struct writer w = { .buf = buf, .size = RECORDING_FRAME_HEAD };

	write_u8(&w, (uint8_t)kind);
	write_u32(&w, length);
}

enum recording_frame recording_frame_read(const uint8_t *buf, uint32_t *length)
{
	struct reader r = { .buf = buf, .size = RECORDING_FRAME_HEAD };
	uint8_t kind = read_u8(&r);

	*length = read_u32(&r);
	if (kind == 0 || kind >= RECORDING_FRAME_COUNT || *length > RECORDING_FRAME_MAX)
		return (enum recording_frame)0;
	return (enum recording_frame)kind;
}
