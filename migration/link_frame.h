// SPDX-License-Identifier: Apache-2.0
// What two daemons say to each other on a link: frames of one size, little-endian.
//
//   0 version   1 type   2 word   3 zero   4 from   8 to   12 value
//
// Every byte has one meaning or must be zero, so that nothing can be read in two ways.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LINK_FRAME_SIZE = 16, LINK_VERSION = 1 };

enum link_frame_type {
	LINK_HELLO = 1, // first on every link, from both sides; value: of the cluster's name
	LINK_WORD,	// word about the move `value`
	LINK_PING,	// value comes back
	LINK_PONG,
	LINK_FRAME_TYPE_COUNT,
};

struct link_frame {
	uint8_t type;	   // enum link_frame_type
	uint8_t word;	   // LINK_WORD; not zero
	uint32_t from, to; // corosync node ids
	uint32_t value;
};

void link_frame_encode(const struct link_frame *frame, uint8_t *bytes);
// False on anything but a well-formed frame of this version.
bool link_frame_decode(struct link_frame *frame, const uint8_t *bytes);
