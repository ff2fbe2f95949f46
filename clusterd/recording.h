// SPDX-License-Identifier: Apache-2.0
// The flight recording of one node as bytes: what happened to it, and the essence of what it asked
// for.
//
// A segment is a head, then frames. One that begins with the node's memory (FRAME_MEMORY) goes on
// where an earlier one ended; one without begins with a node that has seen nothing. Either is
// replayed alone: each event through node_step(), whose actions must then encode to the bytes of
// the frame that follows.
#pragma once

#include "clusterd/action.h"
#include "clusterd/codec.h"
#include "clusterd/event.h"
#include "clusterd/node.h"

enum {
	RECORDING_FORMAT = 1,
	RECORDING_HEAD_MAX = 512,
	RECORDING_FRAME_HEAD = 5, // kind, length
	RECORDING_FRAME_MAX = 256 * 1024 * 1024,
	RECORDING_MEMBERS_MAX = 256, // of one event
};

struct recording_head {
	char version[32]; // of the program
	uint64_t core;	  // recorder_core(): of the core's sources
	uint8_t pointer_size, long_size;
	bool image;	 // the node's memory follows
	uint32_t number; // of the segment
	uint64_t wall_ms;
	struct node_limits limits;
	uint64_t address, size; // of the node's memory
	char host[NAME_SIZE];
};

enum recording_frame { FRAME_EVENT = 1, FRAME_ACTIONS, FRAME_MEMORY, RECORDING_FRAME_COUNT };

enum recording_problem {
	RECORDING_GOOD,
	RECORDING_NOT_ONE, // something else, or cut within the head
	RECORDING_FORMAT_OTHER,
	RECORDING_MALFORMED,
};

// Bytes written, or 0 when they do not fit.
size_t recording_head_encode(const struct recording_head *head, uint8_t *buf, size_t size);
// *used: bytes of the head, where the first frame begins.
enum recording_problem recording_head_decode(struct recording_head *head, const uint8_t *buf,
					     size_t size, size_t *used);

// A frame's first bytes; `kind` is 0 in the decoded one when they make no frame.
void recording_frame_write(uint8_t *buf, enum recording_frame kind, uint32_t length);
enum recording_frame recording_frame_read(const uint8_t *buf, uint32_t *length);

// Bytes that the encoding needs at most.
size_t recording_event_bound(const struct event *event);
size_t recording_actions_bound(const struct actions *actions);
// Bytes written, or 0 when they do not fit (or an event has more members than are ever seen).
size_t recording_event_encode(const struct event *event, uint8_t *buf, size_t size);
// Bodies become a length and a hash: what they were follows from the events.
size_t recording_actions_encode(const struct actions *actions, uint8_t *buf, size_t size);

// An event and what it points to, beside the bytes that it was decoded from.
struct recorded_event {
	struct event event;
	struct group_member members[RECORDING_MEMBERS_MAX];
	struct node_report report;
	struct migrate_stats stats;
};

// False on anything but exactly one well-formed event.
bool recording_event_decode(struct recorded_event *recorded, const uint8_t *buf, size_t size);

// An action, its body replaced by length (body_size) and hash.
struct recorded_action {
	struct action action;
	uint64_t body_hash;
	uint64_t generation[VOLUMES_MAX];
	struct entry_result result;
	struct migrate_params migrate;
	struct migrate_stats stats;
};

// How many actions a list of them holds, then each in turn; false on what is malformed.
bool recording_actions_begin(struct reader *reader, const uint8_t *buf, size_t size,
			     uint32_t *count);
bool recording_action_next(struct recorded_action *recorded, struct reader *reader);

// The same words everywhere (clusterd --trace, clustersim).
const char *event_type_word(enum event_type type);
const char *action_type_word(enum action_type type);

// One line for people; `cluster` (the replica before the event) gives the names. Returns its
// length.
size_t recording_event_describe(const struct cluster *cluster, const struct event *event, char *buf,
				size_t size);
size_t recording_action_describe(const struct cluster *cluster,
				 const struct recorded_action *recorded, char *buf, size_t size);
