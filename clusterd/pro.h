// SPDX-License-Identifier: Apache-2.0
// PRO policies as an administrator defines them: a condition, and what is then advised, or done.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "clusterd/limits.h"

// What a condition is about, and what a tip is about.
enum pro_subject { PRO_NODE, PRO_VM, PRO_VOLUME, PRO_CLUSTER, PRO_SUBJECT_COUNT };

// What is measured of it, in the unit that pro_unit() names.
enum pro_measure {
	PRO_CPU,	     // node, vm: of its CPUs
	PRO_MEMORY,	     // node, vm: of its memory
	PRO_CPU_PRESSURE,    // node: share of the time in which something waits for a CPU
	PRO_MEMORY_PRESSURE, // node
	PRO_IO_PRESSURE,     // node
	PRO_DISK,	     // vm: read and written
	PRO_NETWORK,	     // vm: received and sent
	PRO_LATENCY,	     // volume: at its slowest node
	PRO_FREE,	     // volume: as the node says that sees the least
	PRO_HEALTH,	     // node: enum node_health, as defined
	PRO_JOINED,	     // node: 1 while it came in lately
	PRO_IMBALANCE,	     // cluster: how unevenly its nodes are used
	PRO_MEASURE_COUNT,
};

enum pro_action {
	PRO_MOVE,    // a VM away: the condition's, or the busiest of the condition's node
	PRO_BALANCE, // the whole cluster
	PRO_DRAIN,   // the node
	PRO_SAVE,    // of the node's VMs that of the lowest priority, to its volume
	PRO_NOTIFY,  // nothing beyond the tip
	PRO_SCRIPT,
	PRO_ACTION_COUNT,
};

enum pro_mode {
	PRO_ADVICE,
	PRO_AUTOMATIC,
	PRO_WINDOW, // automatic within a time window
	PRO_MODE_COUNT,
};

enum pro_severity { PRO_INFO, PRO_WARNING, PRO_CRITICAL, PRO_SEVERITY_COUNT };

struct pro_def {
	char name[NAME_SIZE];
	bool enabled, enabled_given; // apply changes `enabled` only where the XML names it
	uint8_t severity;	     // enum pro_severity
	uint8_t mode;		     // enum pro_mode
	uint32_t from_min, to_min;   // WINDOW: minutes of the day, UTC; may go over midnight

	uint8_t subject; // enum pro_subject
	uint8_t measure; // enum pro_measure
	bool below;	 // the condition is `at most`; else `at least`
	uint32_t threshold;
	uint32_t clear;	 // where the trouble is over; beyond the threshold, or the same
	uint32_t rate;	 // and by so much a minute it went that way during the hold; 0: any
	uint32_t hold_s; // for so long, before anything is said

	uint8_t action;		// enum pro_action
	char script[NAME_SIZE]; // SCRIPT: a name in the folder of scripts
	uint32_t script_limit_s;

	uint32_t min_gain; // percent, once the cost is taken off
	uint32_t rest_s;   // of a VM after a move, and of the subject after a tip
	uint32_t budget;   // moves that policies may make on one node in an hour
	uint32_t at_once;  // moves
	uint32_t moves;	   // in one tip, at most
	uint32_t expires_s;
};

enum {
	PRO_PERCENT_MAX = 100,
	PRO_VALUE_MAX = 1000000000,
	PRO_HOLD_MAX_S = 86400,
	PRO_REST_MAX_S = 7 * 86400,
	PRO_EXPIRES_MAX_S = 7 * 86400,
	PRO_SCRIPT_MAX_S = 600,
	PRO_DAY_MIN = 24 * 60,
	PRO_WORD_SIZE = 16,
	PRO_JOINED_MS = 3600 * 1000, // so long a node counts as one that came in lately
};

// What an XML element without the attribute means.
struct pro_def pro_defaults(void);
// What `clustadm balance` keeps to, which no policy stands behind.
struct pro_def pro_plain_balance(void);
// The policies that every cluster begins with, in advice mode.
extern const struct pro_def pro_shipped[];
enum { PRO_SHIPPED_COUNT = 5 };

// In the order of their enumerations, ended by an empty one.
extern const char pro_subject_words[][PRO_WORD_SIZE];
extern const char pro_measure_words[][PRO_WORD_SIZE];
extern const char pro_action_words[][PRO_WORD_SIZE];
extern const char pro_mode_words[][PRO_WORD_SIZE];
extern const char pro_severity_words[][PRO_WORD_SIZE];
const char *pro_unit(enum pro_measure measure); // "%", "KiB/s", "ms", "MiB", ""

/*
 * Whether a definition makes sense by itself. NULL, or what does not; `fix` (REASON_SIZE) is then
 * the smallest change that would mend it.
 */
const char *pro_def_fault(const struct pro_def *def, char *fix);
