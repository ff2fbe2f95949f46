// SPDX-License-Identifier: Apache-2.0
// The messages of a view as bytes: magic, version, type, then the fields of the type,
// little-endian.
#include <string.h>

#include "quorum/view_internal.h"

static void write_voters(struct writer *w, const struct voters *voters)
{
	write_u16(w, (uint16_t)voters->count);
	for (uint32_t i = 0; i < voters->count; i++) {
		write_u32(w, voters->list[i].id);
		write_u64(w, voters->list[i].store);
	}
}

static void read_voters(struct reader *r, struct voters *voters)
{
	uint32_t count = read_u16(r);

	memset(voters, 0, sizeof(*voters));
	if (count > NODES_MAX)
		r->failed = true;
	for (uint32_t i = 0; i < count && !r->failed; i++) {
		struct voter *voter = &voters->list[i];

		voter->id = read_u32(r);
		voter->store = read_u64(r);
		// Ascending and without the id 0: everybody who looks a voter up relies on it.
		if (voter->id <= (i > 0 ? voters->list[i - 1].id : 0))
			r->failed = true;
		voters->count = i + 1;
	}
}

static void write_facts(struct writer *w, const struct store_facts *facts)
{
	write_u64(w, facts->gathering);
	write_u64(w, facts->store);
	write_u64(w, facts->incarnation);
	write_u64(w, facts->history);
	write_u64(w, facts->last_view);
	write_u64(w, facts->last_index);
	write_u64(w, facts->commit);
	write_u64(w, facts->promised);
	write_u64(w, facts->first);
	write_u64(w, facts->nodelist);
	write_u32(w, facts->level);
	write_bool(w, facts->has_copy);
	write_bool(w, facts->broken);
	write_bool(w, facts->changing);
	write_voters(w, &facts->voters);
	write_voters(w, &facts->previous);
}

static void read_facts(struct reader *r, struct store_facts *facts)
{
	facts->gathering = read_u64(r);
	facts->store = read_u64(r);
	facts->incarnation = read_u64(r);
	facts->history = read_u64(r);
	facts->last_view = read_u64(r);
	facts->last_index = read_u64(r);
	facts->commit = read_u64(r);
	facts->promised = read_u64(r);
	facts->first = read_u64(r);
	facts->nodelist = read_u64(r);
	facts->level = read_u32(r);
	facts->has_copy = read_bool(r);
	facts->broken = read_bool(r);
	facts->changing = read_bool(r);
	read_voters(r, &facts->voters);
	read_voters(r, &facts->previous);
	if (facts->commit > facts->last_index || facts->first > facts->last_index)
		r->failed = true;
	// A number that cannot be counted up any more is no number.
	if (facts->promised >= UINT64_MAX / 2 || facts->last_view >= UINT64_MAX / 2 ||
	    facts->last_index >= UINT64_MAX / 2)
		r->failed = true;
}

static void message_write(struct writer *w, const struct message *m,
			  const struct store_facts *facts)
{
	write_u16(w, VIEW_MAGIC);
	write_u8(w, VIEW_PROTOCOL);
	write_u8(w, m->type);
	switch ((enum message_type)m->type) {
	case MESSAGE_STATE:
		write_u64(w, m->tag);
		write_facts(w, facts);
		break;
	case MESSAGE_COPY:
		write_u64(w, m->tag);
		write_u64(w, m->view);
		write_u64(w, m->total);
		write_u64(w, m->offset);
		break;
	case MESSAGE_COPIED:
		write_u64(w, m->tag);
		write_u64(w, m->view);
		write_u64(w, m->store);
		break;
	case MESSAGE_ENTRY:
		write_u64(w, m->view);
		write_u64(w, m->index);
		write_u32(w, m->origin);
		write_u64(w, m->cookie);
		break;
	case MESSAGE_SYNCED:
		write_u64(w, m->view);
		write_u64(w, m->index);
		break;
	case MESSAGE_PROPOSE:
		write_u64(w, m->view);
		write_u64(w, m->cookie);
		write_bool(w, m->flag);
		break;
	case MESSAGE_REFUSED:
		write_u64(w, m->view);
		write_u32(w, m->origin);
		write_u64(w, m->cookie);
		write_bool(w, m->flag);
		break;
	case MESSAGE_RECOVER:
		write_u64(w, m->tag);
		write_u64(w, m->cookie);
		break;
	case MESSAGE_WITHOUT:
		write_u64(w, m->tag);
		break;
	case MESSAGE_DIGEST:
		write_u64(w, m->view);
		write_u64(w, m->index);
		write_u64(w, m->digest);
		break;
	case MESSAGE_TYPE_COUNT:
		INVARIANT(false);
	}
	if (m->body_size > 0)
		write_bytes(w, m->body, m->body_size);
}

size_t message_encode(const struct message *message, const struct store_facts *facts, uint8_t *buf,
		      size_t size)
{
	struct writer w = { .buf = buf, .size = size };

	message_write(&w, message, facts);
	return w.failed ? 0 : w.used;
}

static void message_read(struct reader *r, struct message *m, struct store_facts *facts)
{
	switch ((enum message_type)m->type) {
	case MESSAGE_STATE:
		m->tag = read_u64(r);
		read_facts(r, facts);
		break;
	case MESSAGE_COPY:
		m->tag = read_u64(r);
		m->view = read_u64(r);
		m->total = read_u64(r);
		m->offset = read_u64(r);
		break;
	case MESSAGE_COPIED:
		m->tag = read_u64(r);
		m->view = read_u64(r);
		m->store = read_u64(r);
		break;
	case MESSAGE_ENTRY:
		m->view = read_u64(r);
		m->index = read_u64(r);
		m->origin = read_u32(r);
		m->cookie = read_u64(r);
		break;
	case MESSAGE_SYNCED:
		m->view = read_u64(r);
		m->index = read_u64(r);
		break;
	case MESSAGE_PROPOSE:
		m->view = read_u64(r);
		m->cookie = read_u64(r);
		m->flag = read_bool(r);
		break;
	case MESSAGE_REFUSED:
		m->view = read_u64(r);
		m->origin = read_u32(r);
		m->cookie = read_u64(r);
		m->flag = read_bool(r);
		break;
	case MESSAGE_RECOVER:
		m->tag = read_u64(r);
		m->cookie = read_u64(r);
		break;
	case MESSAGE_WITHOUT:
		m->tag = read_u64(r);
		break;
	case MESSAGE_DIGEST:
		m->view = read_u64(r);
		m->index = read_u64(r);
		m->digest = read_u64(r);
		break;
	case MESSAGE_TYPE_COUNT:
		r->failed = true;
	}
}

static bool carries_body(uint8_t type)
{
	return type == MESSAGE_COPY || type == MESSAGE_ENTRY || type == MESSAGE_PROPOSE;
}

bool message_decode(struct message *message, struct store_facts *facts, const uint8_t *buf,
		    size_t size)
{
	struct reader r = { .buf = buf, .size = size };

	memset(message, 0, sizeof(*message));
	if (size > MESSAGE_SIZE_MAX || read_u16(&r) != VIEW_MAGIC || read_u8(&r) != VIEW_PROTOCOL)
		return false;
	message->type = read_enum(&r, MESSAGE_TYPE_COUNT);
	if (r.failed || message->type == 0)
		return false;
	message_read(&r, message, facts);
	if (r.failed || carries_body(message->type) != (r.at < r.size))
		return false;
	message->body = r.buf + r.at;
	message->body_size = r.size - r.at;
	if (message->type != MESSAGE_COPY && message->body_size > ENTRY_SIZE_MAX)
		return false;
	return message->type != MESSAGE_COPY || (message->body_size <= COPY_CHUNK_SIZE &&
		message->total <= SIZE_MAX / 2 && message->offset < message->total &&
		message->body_size <= message->total - message->offset);
}

void message_send(struct actions *actions, const struct message *message,
		  const struct store_facts *facts)
{
	size_t size = message_encode(message, facts, NULL, 0);
	uint8_t *body = actions_bytes(actions, size);
	size_t written = message_encode(message, facts, body, size);
	struct action *action = actions_add(actions, ACTION_SEND);

	INVARIANT(size > 0 && written == size && size <= MESSAGE_SIZE_MAX);
	action->body = body;
	action->body_size = size;
}

void copy_head_write(struct writer *w, const struct copy_head *head)
{
	write_u64(w, head->history);
	write_u64(w, head->commit);
	write_u64(w, head->from);
	write_u64(w, head->before_view);
	write_u64(w, head->snapshot_index);
	write_u64(w, head->snapshot_view);
	write_u32(w, head->snapshot_size);
	write_u32(w, head->record_count);
	write_bool(w, head->snapshot);
	write_bool(w, head->replace);
}

bool copy_head_read(struct reader *r, struct copy_head *head)
{
	head->history = read_u64(r);
	head->commit = read_u64(r);
	head->from = read_u64(r);
	head->before_view = read_u64(r);
	head->snapshot_index = read_u64(r);
	head->snapshot_view = read_u64(r);
	head->snapshot_size = read_u32(r);
	head->record_count = read_u32(r);
	head->snapshot = read_bool(r);
	head->replace = read_bool(r);
	return !r->failed && head->from > 0 && head->from < UINT64_MAX / 2 &&
	       head->snapshot_index < UINT64_MAX / 2 && head->commit < UINT64_MAX / 2;
}
