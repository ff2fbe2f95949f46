// SPDX-License-Identifier: Apache-2.0
#include "clusterd/codec.h"

#include <string.h>

static void write_number(struct writer *w, uint64_t value, size_t count)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	write_bytes(w, bytes, count);
}

void write_u8(struct writer *w, uint8_t value)
{
	write_number(w, value, 1);
}

void write_u16(struct writer *w, uint16_t value)
{
	write_number(w, value, 2);
}

void write_u32(struct writer *w, uint32_t value)
{
	write_number(w, value, 4);
}

void write_u64(struct writer *w, uint64_t value)
{
	write_number(w, value, 8);
}

void write_bool(struct writer *w, bool value)
{
	write_number(w, value ? 1 : 0, 1);
}

void write_bytes(struct writer *w, const void *bytes, size_t count)
{
	if (w->failed)
		return;
	if (w->buf) {
		if (count > w->size - w->used) {
			w->failed = true;
			return;
		}
		if (count > 0)
			memcpy(w->buf + w->used, bytes, count);
	}
	w->used += count;
}

void write_string(struct writer *w, const char *string)
{
	size_t length = strlen(string);

	if (length > UINT16_MAX) {
		w->failed = true;
		return;
	}
	if (w->buf && !w->failed && length + 2 > w->size - w->used) {
		w->failed = true;
		return;
	}
	write_u16(w, (uint16_t)length);
	write_bytes(w, string, length);
}

// The next `count` bytes, or NULL (and failed) when there are not as many.
static const uint8_t *read_span(struct reader *r, size_t count)
{
	const uint8_t *span;

	if (r->failed)
		return NULL;
	if (count > r->size - r->at) {
		r->failed = true;
		return NULL;
	}
	span = r->buf + r->at;
	r->at += count;
	return span;
}

static uint64_t read_number(struct reader *r, size_t count)
{
	const uint8_t *bytes = read_span(r, count);
	uint64_t value = 0;

	if (!bytes)
		return 0;
	for (size_t i = 0; i < count; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_number(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_number(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_number(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_number(r, 8);
}

bool read_bool(struct reader *r)
{
	return read_enum(r, 2) == 1;
}

void read_bytes(struct reader *r, void *bytes, size_t count)
{
	const uint8_t *span = read_span(r, count);

	if (span && count > 0)
		memcpy(bytes, span, count);
}

void read_string(struct reader *r, char *buf, size_t size)
{
	uint16_t length = read_u16(r);
	const uint8_t *span = read_span(r, length);

	if (!span)
		return;
	if (length >= size) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		if (span[i] == 0) {
			r->failed = true;
			return;
		}
	}
	if (length > 0)
		memcpy(buf, span, length);
	memset(buf + length, 0, size - length);
}

uint8_t read_enum(struct reader *r, unsigned int count)
{
	uint8_t value = read_u8(r);

	if (value < count)
		return value;
	r->failed = true;
	return 0;
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->size;
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}
