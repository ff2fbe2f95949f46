// SPDX-License-Identifier: Apache-2.0
// Text in the core, which has no stdio: bounded, always terminated, cut with no complaint when it
// is too long.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t size, length;
};

struct text text_in(char *buf, size_t size);
struct text *text_add(struct text *text, const char *string);
struct text *text_add_number(struct text *text, uint64_t number);
// Copies with termination; `size` is the destination's.
void text_copy(char *buf, size_t size, const char *string);
