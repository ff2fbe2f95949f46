// SPDX-License-Identifier: Apache-2.0
// What a PRO policy found, advises and did: part of the replicated state.
#pragma once

#include "clusterd/pro.h"

// A VM slot may be used again after its VM was removed; the serial may not.
struct vm_ref {
	uint32_t slot;
	uint32_t serial;
};

// Drawn in clusterd/apply_tip.c.
enum tip_state {
	TIP_OPEN,
	TIP_ACCEPTED,
	TIP_RUNNING,
	TIP_DONE,
	TIP_DISMISSED,
	TIP_CLOSED,
	TIP_STATE_COUNT,
};

// Whether what was predicted came about.
enum tip_verdict {
	VERDICT_NONE,	 // nothing was predicted, or nothing was done
	VERDICT_PENDING, // it is measured once things have settled
	VERDICT_HELD,
	VERDICT_FAILED,
	VERDICT_UNKNOWN, // it could not be measured
	TIP_VERDICT_COUNT,
};

// One step of a tip's plan. To be done, under way (`move`), or over (`outcome`).
struct tip_move {
	struct vm_ref vm;
	uint8_t from, to; // node slots; to SLOT_NONE: saved
	uint32_t move;	  // its id, once it began
	uint8_t outcome;  // enum move_outcome, once it ended
};

struct tip {
	uint32_t id;		// counts up, never reused; 0: this place in the table is free
	uint8_t state;		// enum tip_state
	uint8_t severity;	// enum pro_severity
	uint8_t action;		// enum pro_action
	char policy[NAME_SIZE]; // empty: the administrator asked (`clustadm balance`)
	bool asked;		// for this one run
	bool automatic;		// the policy accepted it itself
	uint8_t subject;	// enum pro_subject
	uint8_t node, volume;	// NODE, VOLUME: slot
	struct vm_ref vm;	// VM
	char subject_name[NAME_SIZE];
	uint64_t opened_ms, changed_ms, expires_ms; // wall clock

	// Evidence: what was measured, oldest first.
	uint8_t measure; // enum pro_measure
	uint32_t threshold;
	bool below;
	uint32_t point_count;
	uint32_t points[TIP_POINTS_MAX];
	uint32_t step_s; // from one to the next
	uint64_t unseen; // mask of nodes whose measurements are missing, stale or absurd: they
			 // are left out

	// The plan, and what is expected of it.
	uint32_t move_count;
	struct tip_move moves[TIP_MOVES_MAX];
	uint32_t replans;	// how often the plan was made anew
	uint32_t before, after; // what it is to better, now and then
	uint32_t cost_ms;	// forecast of its moves, one after another
	uint64_t cost_bytes;

	uint8_t actor;		  // node slot that runs the script; SLOT_NONE
	uint8_t verdict;	  // enum tip_verdict
	uint32_t measured;	  // instead of `after`
	char reason[REASON_SIZE]; // why, and what is advised
	char result[REASON_SIZE]; // what became of it
};

// What an administrator asked for beyond the conditions: `policy run`, `balance`.
struct policy_run {
	bool wanted;
	uint32_t count;		  // of runs, ever
	uint32_t tip;		  // what came of the last one; 0: nothing
	char reason[REASON_SIZE]; // why nothing came of it
};

struct policy_past {
	uint32_t tip;
	uint8_t verdict; // HELD or FAILED
	uint32_t before, after, measured;
};

struct cluster_policy {
	bool used;
	struct pro_def def;
	bool suspended; // its automatic mode, by itself
	char reason[REASON_SIZE];
	struct policy_run run;
	uint32_t past_count;
	struct policy_past past[POLICY_PAST_MAX]; // latest last
};
