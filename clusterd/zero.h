// SPDX-License-Identifier: Apache-2.0
// Zeroing that leaves alone what is zero: fresh memory of the system's is, and costs nothing until
// it is written.
#pragma once

#include <stdint.h>
#include <string.h>

static inline void zero_fill(void *at, size_t size)
{
	enum { PIECE = 512 };	// so that little is written for the sake of a byte
	uint8_t *piece = at;

	while (size > 0) {
		size_t part = size < PIECE ? size : PIECE;

		if (piece[0] != 0 || memcmp(piece, piece + 1, part - 1) != 0)
			memset(piece, 0, part);
		piece += part;
		size -= part;
	}
}
