// SPDX-License-Identifier: Apache-2.0
// The flight recorder: keeps the last events of a node, and what it made of them, in files that
// clustersim replays.
//
// Bounded: segments of about RECORDER_SEGMENT_SIZE, the oldest deleted. Each begins with a node
// that has seen nothing, or with the node's memory as it then was. Written by a thread of its own,
// never synced: a process that dies loses nothing, a host that dies loses what its kernel had not
// written yet.
#pragma once

#include "clusterd/recording.h"

enum {
	RECORDER_SEGMENT_SIZE = 8 * 1024 * 1024,
	RECORDER_SEGMENTS_MAX = 16,
	RECORDER_TOTAL_SIZE = 64 * 1024 * 1024, // of all but the last two
};

struct recorder;

struct recorder_options {
	const char *directory; // made when it is missing
	const char *host;      // this node's name, for people
	const struct node_limits *limits;
	const void *memory; // what node_init() was given, and how much
	size_t size;
	size_t segment_size; // 0: RECORDER_SEGMENT_SIZE
	bool crash; // on a fatal signal write what is still in memory; one recorder of a process
};

// Zeroed memory for a node at an address that is likely to be free in any other process, so that a
// replay can put it there: what it holds points into itself. NULL with errno.
void *recorder_map(size_t size);

// 0 or -errno. The recorder is off by itself while its files cannot be written, says so once, and
// tries again. The other functions accept NULL: nothing is recorded.
int recorder_open(struct recorder **recorder, const struct recorder_options *options);
void recorder_close(struct recorder *recorder);

// Immediately before the step, so that the event that a node dies of is there; and after it, before
// any is performed.
void recorder_event(struct recorder *recorder, const struct event *event);
void recorder_actions(struct recorder *recorder, const struct actions *actions);

// Tells the core's source apart from every other version of it.
uint64_t recorder_core(void);
