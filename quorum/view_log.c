// SPDX-License-Identifier: Apache-2.0
// Records in order, in two rings of the caller's memory: slots, and bodies that are never split.
#include <string.h>

#include "quorum/view_internal.h"

static size_t body_room(size_t size)
{
	size_t room = (size + 7) & ~(size_t)7;

	return room < 8 ? 8 : room;
}

size_t ring_memory(uint32_t slots_max, size_t bytes_max)
{
	return slots_max * sizeof(struct ring_slot) + body_room(bytes_max);
}

uint8_t *ring_init(struct ring *ring, uint32_t slots_max, size_t bytes_max, uint8_t *memory)
{
	ring->slots = (struct ring_slot *)(void *)memory;
	ring->slots_max = slots_max;
	ring->bytes = memory + slots_max * sizeof(struct ring_slot);
	ring->bytes_max = bytes_max & ~(size_t)7;
	ring_clear(ring);
	return memory + ring_memory(slots_max, bytes_max);
}

void ring_clear(struct ring *ring)
{
	ring->first = 0;
	ring->count = 0;
	ring->head = 0;
}

struct ring_slot *ring_at(const struct ring *ring, uint32_t nth)
{
	INVARIANT(nth < ring->count);
	return &ring->slots[(ring->first + nth) % ring->slots_max];
}

/*
 * Where a body goes follows from the head alone: at it, or at the start when the end is too near.
 * Whether it may go there depends on the oldest body, which only ever moves away. So the
 * coordinator can reserve places for records that it has sent and not yet seen delivered: what
 * fitted when it was sent fits when it comes.
 */
static bool body_place(const struct ring *ring, size_t *head, size_t size)
{
	size_t room = body_room(size), at, tail;

	if (size > ring->bytes_max || room > ring->bytes_max)
		return false;
	at = ring->bytes_max - *head >= room ? *head : 0;
	if (ring->count > 0) {
		tail = ring_at(ring, 0)->offset;
		if (*head > tail && at == 0 && room >= tail)
			return false;
		if (*head <= tail && (at != *head || at + room >= tail))
			return false;
	}
	*head = at + room;
	return true;
}

bool ring_reserve(const struct ring *ring, uint32_t ahead, size_t *head, size_t size)
{
	if (ring->count + ahead >= ring->slots_max)
		return false;
	return body_place(ring, head, size);
}

bool ring_fits(const struct ring *ring, size_t size)
{
	size_t head = ring->head;

	return ring_reserve(ring, 0, &head, size);
}

struct ring_slot *ring_push(struct ring *ring, uint32_t size)
{
	struct ring_slot *slot;
	bool fits = ring_reserve(ring, 0, &ring->head, size);

	INVARIANT(fits);
	ring->count++;
	slot = ring_at(ring, ring->count - 1);
	memset(slot, 0, sizeof(*slot));
	slot->size = size;
	slot->offset = ring->head - body_room(size);
	return slot;
}

void ring_pop(struct ring *ring)
{
	INVARIANT(ring->count > 0);
	ring->first = (ring->first + 1) % ring->slots_max;
	ring->count--;
}

void ring_cut(struct ring *ring, uint32_t keep)
{
	const struct ring_slot *last;

	INVARIANT(keep <= ring->count);
	ring->count = keep;
	ring->head = 0;
	if (keep > 0) {
		last = ring_at(ring, keep - 1);
		ring->head = last->offset + body_room(last->size);
	}
}

size_t ring_used(const struct ring *ring)
{
	size_t tail;

	if (ring->count == 0)
		return 0;
	tail = ring_at(ring, 0)->offset;
	return ring->head > tail ? ring->head - tail : ring->bytes_max - tail + ring->head;
}
