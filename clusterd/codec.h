// SPDX-License-Identifier: Apache-2.0
// Little-endian bytes, all or nothing: after the first overrun everything else fails and nothing is
// touched.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
	uint8_t *buf;		// NULL: only count
	size_t size, used;
	bool failed;
};

struct reader {
	const uint8_t *buf;
	size_t size, at;
	bool failed;
};

void write_u8(struct writer *w, uint8_t value);
void write_u16(struct writer *w, uint16_t value);
void write_u32(struct writer *w, uint32_t value);
void write_u64(struct writer *w, uint64_t value);
void write_bool(struct writer *w, bool value);
void write_bytes(struct writer *w, const void *bytes, size_t count);
void write_varint(struct writer *w, uint64_t value);	// 7 bits a byte, lowest first
void write_string(struct writer *w, const char *string);	// u16 length, no terminator

uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
bool read_bool(struct reader *r);		// fails on anything but 0 and 1
void read_bytes(struct reader *r, void *bytes, size_t count);
uint64_t read_varint(struct reader *r);	// the shortest form alone
void read_string(struct reader *r, char *buf, size_t size);	// fails when it does not fit or
								// holds a zero
uint8_t read_enum(struct reader *r, unsigned int count);	// fails at or above count
bool reader_done(const struct reader *r);	// nothing failed and nothing is left

// Little-endian. Compilers make one load of it where the machine is, too.
static inline uint64_t load_u64(const uint8_t *bytes)
{
	return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
	       (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
	       (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}
// Fewer than eight; the rest is zero.
static inline uint64_t load_bytes(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

// 64 bits, the same on every build: for digests among friends, not against forgery. A word at a
// time; for one word no two hashes become the same, so what differed once differs to the end.
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}
// As little-endian words; of the last one what is missing is zero, so the caller sees to it that
// the count is known, or hashed too.
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count);
enum { HASH_START_HIGH = 0xcbf29ce4u, HASH_START_LOW = 0x84222325u };
static inline uint64_t hash_start(void)
{
	return (uint64_t)HASH_START_HIGH << 32 | (uint64_t)HASH_START_LOW;
}
