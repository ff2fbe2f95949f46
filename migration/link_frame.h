// SPDX-License-Identifier: Apache-2.0
// What two daemons say to each other on a link: little-endian frames, their sizes given by their
// types.
//
//   0 version   1 type   2 word   3 zero   4 from   8 to   12 value
//
// Behind LINK_STATS, whose word is the state, come the numbers of a move:
//   16 total, remaining, transferred, rate, dirty rate (8 bytes each)
//   56 rounds, throttle, pause, time so far (4 bytes each)
//
// Behind LINK_SYNCED, whose value is zero:
//   16 view, gathering, index (8 bytes each)
//
// Every byte has one meaning or must be zero, so that nothing can be read in two ways.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clusterd/event.h"

enum { LINK_FRAME_SIZE = 16, LINK_STATS_SIZE = 72, LINK_SYNCED_SIZE = 40, LINK_VERSION = 1 };

enum link_frame_type {
	LINK_HELLO = 1, // first on every link, from both sides; value: of the cluster's name
	LINK_WORD,	// word about the move `value`
	LINK_PING,	// value comes back
	LINK_PONG,
	LINK_STATS, // how far the move `value` is, from its source
	LINK_SYNCED, // what the sender's store has durable
	LINK_FRAME_TYPE_COUNT,
};

struct link_synced {
	uint64_t view, gathering, index;
};

struct link_frame {
	uint8_t type;	   // enum link_frame_type
	uint8_t word;	   // LINK_WORD; not zero
	uint32_t from, to; // corosync node ids
	uint32_t value;
	struct migrate_stats stats; // LINK_STATS
	struct link_synced synced;  // LINK_SYNCED
};

// Of the frame that begins with these LINK_FRAME_SIZE bytes.
uint32_t link_frame_size(const uint8_t *bytes);
// To as many bytes as it returns: at most LINK_STATS_SIZE.
uint32_t link_frame_encode(const struct link_frame *frame, uint8_t *bytes);
// False on anything but a well-formed frame of this version. `bytes`: link_frame_size() of them.
bool link_frame_decode(struct link_frame *frame, const uint8_t *bytes);
