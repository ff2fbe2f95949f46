// SPDX-License-Identifier: Apache-2.0
#include "clusterd/pro.h"

#include <stddef.h>
#include <string.h>

#include "clusterd/text.h"

const char pro_subject_words[][PRO_WORD_SIZE] = { "node", "vm", "volume", "cluster", "" };
const char pro_measure_words[][PRO_WORD_SIZE] = {
	"cpu",	   "memory", "cpu-pressure", "memory-pressure", "io-pressure", "disk", "network",
	"latency", "free",   "health",	     "joined",		"imbalance",   "",
};
const char pro_action_words[][PRO_WORD_SIZE] = { "move",   "balance", "drain", "save",
						 "notify", "script",  "" };
const char pro_mode_words[][PRO_WORD_SIZE] = { "advice", "automatic", "window", "" };
const char pro_severity_words[][PRO_WORD_SIZE] = { "info", "warning", "critical", "" };

#define WORDS_MATCH(words, count)                                                                  \
	_Static_assert(sizeof(words) / sizeof(*(words)) == (size_t)(count) + 1, #words)
WORDS_MATCH(pro_subject_words, PRO_SUBJECT_COUNT);
WORDS_MATCH(pro_measure_words, PRO_MEASURE_COUNT);
WORDS_MATCH(pro_action_words, PRO_ACTION_COUNT);
WORDS_MATCH(pro_mode_words, PRO_MODE_COUNT);
WORDS_MATCH(pro_severity_words, PRO_SEVERITY_COUNT);

#define ON(subject) (1u << PRO_##subject)

/*
 * What can be measured of what, in which unit and up to what; and which actions may follow from it.
 * A balance is of nodes: for what a single VM does, that VM is moved.
 */
struct measure_row {
	uint8_t subjects; // mask of enum pro_subject
	const char *unit;
	uint32_t max;
};

static const struct measure_row measure_rows[PRO_MEASURE_COUNT] = {
	[PRO_CPU] = { ON(NODE) | ON(VM), "%", PRO_PERCENT_MAX },
	[PRO_MEMORY] = { ON(NODE) | ON(VM), "%", PRO_PERCENT_MAX },
	[PRO_CPU_PRESSURE] = { ON(NODE), "%", PRO_PERCENT_MAX },
	[PRO_MEMORY_PRESSURE] = { ON(NODE), "%", PRO_PERCENT_MAX },
	[PRO_IO_PRESSURE] = { ON(NODE), "%", PRO_PERCENT_MAX },
	[PRO_DISK] = { ON(VM), "KiB/s", PRO_VALUE_MAX },
	[PRO_NETWORK] = { ON(VM), "KiB/s", PRO_VALUE_MAX },
	[PRO_LATENCY] = { ON(VOLUME), "ms", PRO_VALUE_MAX },
	[PRO_FREE] = { ON(VOLUME), "MiB", PRO_VALUE_MAX },
	[PRO_HEALTH] = { ON(NODE), "", 2 },
	[PRO_JOINED] = { ON(NODE), "", 1 },
	[PRO_IMBALANCE] = { ON(CLUSTER), "%", 100 },
};

static const uint8_t action_subjects[PRO_ACTION_COUNT] = {
	[PRO_MOVE] = ON(NODE) | ON(VM),
	[PRO_BALANCE] = ON(NODE) | ON(CLUSTER),
	[PRO_DRAIN] = ON(NODE),
	[PRO_SAVE] = ON(NODE),
	[PRO_NOTIFY] = ON(NODE) | ON(VM) | ON(VOLUME) | ON(CLUSTER),
	[PRO_SCRIPT] = ON(NODE) | ON(VM) | ON(VOLUME) | ON(CLUSTER),
};

// Everything of a policy but its limits, which are those that an element without them has.
#define LIMITS                                                                                     \
	.enabled = true, .script_limit_s = 30, .min_gain = 10, .rest_s = 1800, .budget = 4,        \
	.at_once = 2, .moves = TIP_MOVES_MAX, .expires_s = 3600

const struct pro_def pro_shipped[PRO_SHIPPED_COUNT] = {
	{ LIMITS, .name = "cpu-balance", .severity = PRO_WARNING, .measure = PRO_CPU,
	  .threshold = 80, .clear = 70, .hold_s = 300, .action = PRO_BALANCE },
	{ LIMITS, .name = "memory-balance", .severity = PRO_WARNING, .measure = PRO_MEMORY,
	  .threshold = 85, .clear = 80, .hold_s = 300, .action = PRO_BALANCE },
	{ LIMITS, .name = "node-health", .severity = PRO_CRITICAL, .measure = PRO_HEALTH,
	  .threshold = 2, .clear = 2, .hold_s = 60, .action = PRO_DRAIN },
	{ LIMITS, .name = "node-joined", .severity = PRO_INFO, .measure = PRO_JOINED,
	  .threshold = 1, .clear = 1, .hold_s = 600, .action = PRO_BALANCE },
	{ LIMITS, .name = "volume-latency", .severity = PRO_WARNING, .subject = PRO_VOLUME,
	  .measure = PRO_LATENCY, .threshold = 100, .clear = 50, .hold_s = 60,
	  .action = PRO_NOTIFY },
};

struct pro_def pro_defaults(void)
{
	return (struct pro_def){ LIMITS, .severity = PRO_WARNING, .threshold = 1, .clear = 1,
				 .hold_s = 300 };
}

struct pro_def pro_plain_balance(void)
{
	struct pro_def def = pro_defaults();

	def.action = PRO_BALANCE;
	def.measure = PRO_JOINED; // CPUs and memory alike
	return def;
}

const char *pro_unit(enum pro_measure measure)
{
	return measure_rows[measure].unit;
}

static const char *fault(char *fix, const char *what, const char *mend)
{
	text_copy(fix, REASON_SIZE, mend);
	return what;
}

static const char *condition_fault(const struct pro_def *def, char *fix)
{
	const struct measure_row *row = &measure_rows[def->measure];

	if (!(row->subjects >> def->subject & 1))
		return fault(fix, "that is not measured of what its condition is about",
			     "of a node: cpu, memory, cpu-pressure, memory-pressure, io-pressure, "
			     "health, joined; of a vm: cpu, memory, disk, network; of a volume: "
			     "latency, free; of the cluster: imbalance");
	if (!(action_subjects[def->action] >> def->subject & 1))
		return fault(
			fix, "its action does not fit its condition",
			"balance, drain and save follow from a node's measurement, balance from "
			"the cluster's too, move from a node's or a vm's, notify and script "
			"from any");
	if (def->threshold > row->max || def->clear > row->max)
		return fault(fix, "its threshold is never reached",
			     "give one within the measure's "
			     "range");
	if (!def->below && def->threshold == 0)
		return fault(fix, "its condition always holds", "give a threshold above 0");
	if (def->below && def->threshold == row->max)
		return fault(fix, "its condition always holds", "give a lower threshold");
	if (def->below ? def->clear < def->threshold : def->clear > def->threshold)
		return fault(fix, "its trouble would be over before it begins",
			     "give a `clear` on the good side of the threshold");
	if (def->rate > row->max || (def->rate > 0 && def->measure == PRO_IMBALANCE))
		return fault(fix, "its rate is never reached",
			     "give one within the measure's range");
	return NULL;
}

// Whether `value` is from `least` to `most`.
static bool within(uint32_t value, uint32_t least, uint32_t most)
{
	return value >= least && value <= most;
}

static const char *limits_fault(const struct pro_def *def, char *fix)
{
	if (!within(def->hold_s, 1, PRO_HOLD_MAX_S))
		return fault(fix, "its hold is out of range", "give 1 s to 1 d");
	if (!within(def->rest_s, 1, PRO_REST_MAX_S))
		return fault(fix, "its rest is out of range", "give 1 s to 7 d");
	if (!within(def->expires_s, 1, PRO_EXPIRES_MAX_S))
		return fault(fix, "its expiry is out of range", "give 1 s to 7 d");
	if (!within(def->min_gain, 1, PRO_PERCENT_MAX))
		return fault(fix, "its minimum gain is out of range", "give 1 to 100");
	if (!within(def->budget, 1, POLICY_BUDGET_MAX))
		return fault(fix, "its budget is out of range", "give 1 to 16 moves an hour");
	if (!within(def->at_once, 1, TIP_MOVES_MAX) || !within(def->moves, 1, TIP_MOVES_MAX))
		return fault(fix, "its number of moves is out of range", "give 1 to 8");
	if (!within(def->script_limit_s, 1, PRO_SCRIPT_MAX_S))
		return fault(fix, "its script's limit is out of range", "give 1 s to 10 min");
	return NULL;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A name in a folder, never a way out of it.
static bool script_is_good(const char *name)
{
	if (!is_name_char(name[0]))
		return false;
	for (; *name; name++)
		if (!is_name_char(*name) && *name != '.' && *name != '-' && *name != '_')
			return false;
	return true;
}

const char *pro_def_fault(const struct pro_def *def, char *fix)
{
	const char *what = condition_fault(def, fix);

	if (!what)
		what = limits_fault(def, fix);
	if (what)
		return what;
	if (def->action == PRO_SCRIPT && !script_is_good(def->script))
		return fault(fix, "it runs a script and does not say which",
			     "name one of the folder of scripts, without a path");
	if (def->action != PRO_SCRIPT && def->script[0])
		return fault(fix, "it names a script and does not run it", "say do=\"script\"");
	if (def->mode == PRO_WINDOW && (def->from_min >= PRO_DAY_MIN || def->to_min >= PRO_DAY_MIN))
		return fault(fix, "its time window is no time of the day", "give 00:00 to 23:59");
	if (def->mode == PRO_WINDOW && def->from_min == def->to_min)
		return fault(fix, "its time window is empty", "say mode=\"automatic\" for always");
	return NULL;
}
