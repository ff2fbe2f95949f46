// SPDX-License-Identifier: Apache-2.0
// Whether a migration under way comes to its end, and what is to be done for it: a decision table
// over a few facts, each row with its reason.
//
// Judged by what is left to send, never by the clock: a large guest over a slow link takes as long
// as it takes, as long as it gets on. The clock appears once, for a link over which nothing goes.
#pragma once

#include "clusterd/event.h"

struct converge_limits {
	uint32_t max_pause_ms; // of the VM's definition
	uint32_t throttle_max; // percent
	bool post_copy;
};

struct converge {
	struct converge_limits limits;
	uint32_t downtime_ms;	  // QEMU may pause the guest that long, as it was told last
	uint32_t rounds;	  // over dirty memory, at the last judgement
	uint32_t vain;		  // rounds in a row without progress
	uint64_t low;		  // the least that a round ever began with; UINT64_MAX: not known
	uint64_t needs_ms;	  // that it takes to send it
	uint64_t turned_at;	  // bytes sent when the last round ended
	uint64_t transferred;	  // when something was last sent
	uint64_t moved_ms;	  // and the time of it
	uint32_t throttle_top;	  // percent, at its highest
	bool stuck;		  // nothing at all is sent any more
	char reason[REASON_SIZE]; // for CONVERGE_GIVE_UP and CONVERGE_POST_COPY
};

enum converge_step {
	CONVERGE_GO_ON,
	CONVERGE_RAISE, // tell QEMU the new downtime_ms
	CONVERGE_POST_COPY,
	CONVERGE_GIVE_UP,
	CONVERGE_STEP_COUNT,
};

// Everything that the decision may depend on.
struct converge_facts {
	bool stuck;	// nothing at all was sent for a long time
	bool turned;	// a round has ended since the last judgement, and it was not the first
	bool gains;	// less is left than ever before, by 4 % at least
	bool fits;	// what is left at its lowest can be sent within the present limit
	bool room;	// the limit may still be raised
	bool reach;	// what is left at its lowest could be sent within the longest pause
	bool patient;	// fewer rounds in a row were in vain than it takes to be sure
	bool slowing;	// QEMU still throttles the guest harder
	bool post_copy; // the definition allows it
};

struct converge_answer {
	enum converge_step step;
	const char *reason; // a constant
	uint32_t row;	    // of the table, for its test
};

uint32_t converge_row_count(void);
struct converge_answer converge_decide(const struct converge_facts *facts);

// The limit that a migration begins with.
uint32_t converge_start(struct converge *converge, const struct converge_limits *limits,
			uint64_t now_ms);
// What the latest numbers of an active migration ask for. RAISE has changed downtime_ms.
enum converge_step converge_judge(struct converge *converge, const struct migrate_stats *stats,
				  uint64_t now_ms);
