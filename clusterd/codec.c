// SPDX-License-Identifier: Apache-2.0
#include "clusterd/codec.h"

#include <string.h>

// Eight bytes at once, of which `count` are meant: spelled out, it is one store where the machine
// is little-endian.
static inline void write_number(struct writer *w, uint64_t value, size_t count)
{
	const uint8_t bytes[8] = {
		(uint8_t)value,		(uint8_t)(value >> 8),	(uint8_t)(value >> 16),
		(uint8_t)(value >> 24), (uint8_t)(value >> 32), (uint8_t)(value >> 40),
		(uint8_t)(value >> 48), (uint8_t)(value >> 56),
	};

	if (w->failed)
		return;
	if (w->buf) {
		if (count > w->size - w->used) {
			w->failed = true;
			return;
		}
		memcpy(w->buf + w->used, bytes, count);
	}
	w->used += count;
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
static inline const uint8_t *read_span(struct reader *r, size_t count)
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

uint8_t read_u8(struct reader *r)
{
	const uint8_t *bytes = read_span(r, 1);

	return bytes ? bytes[0] : 0;
}

uint16_t read_u16(struct reader *r)
{
	const uint8_t *bytes = read_span(r, 2);

	return bytes ? (uint16_t)(bytes[0] | bytes[1] << 8) : 0;
}

uint32_t read_u32(struct reader *r)
{
	const uint8_t *bytes = read_span(r, 4);

	return bytes ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
			       (uint32_t)bytes[3] << 24
		     : 0;
}

uint64_t read_u64(struct reader *r)
{
	const uint8_t *bytes = read_span(r, 8);

	return bytes ? load_u64(bytes) : 0;
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

void write_varint(struct writer *w, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		write_u8(w, (uint8_t)(value | 0x80));
	write_u8(w, (uint8_t)value);
}

uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;
	uint8_t byte = 0x80;

	for (unsigned int shift = 0; byte & 0x80; shift += 7) {
		byte = read_u8(r);
		if (shift > 63 || (shift == 63 && byte > 1) || (byte == 0 && shift > 0))
			r->failed = true;
		if (r->failed)
			return 0;
		value |= (uint64_t)(byte & 0x7f) << shift;
	}
	return value;
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->size;
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (; count >= 8; at += 8, count -= 8)
		hash = hash_word(hash, load_u64(at));
	return count > 0 ? hash_word(hash, load_bytes(at, count)) : hash;
}
