// SPDX-License-Identifier: Apache-2.0
// <policy>: a PRO policy, which advises or does something where a measurement says so.
#include <stdio.h>
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

static const struct child_rule no_children[] = { { 0 } };

static void time_read(const struct walk *walk, const struct xml_element *element, const char *name,
		      uint32_t *seconds)
{
	const char *text = walk_attribute(walk, element, name, false);

	if (text && !duration_parse(text, seconds))
		walk_fault_attribute(walk, element, name, "must be a time, such as 90s or 5min");
}

static void value_read(const struct walk *walk, const struct xml_element *element, const char *name,
		       uint32_t *value)
{
	walk_number(walk, element, name, 0, PRO_VALUE_MAX, "must be a number up to 1000000000",
		    value);
}

static void condition_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "of",    "measure", "at-least", "at-most",
					     "clear", "rate",	 "hold",     NULL };
	const char *least = walk_attribute(walk, element, "at-least", false);
	const char *most = walk_attribute(walk, element, "at-most", false);
	struct pro_def *def = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_word(walk, element, "of", pro_subject_words, true, &def->subject);
	walk_word(walk, element, "measure", pro_measure_words, true, &def->measure);
	if (least && most)
		definition_fault(walk->reader, walk_place(walk, element),
				 "a condition has \"at-least\" or \"at-most\", not both");
	if (!least && !most && def->measure != PRO_JOINED)
		definition_fault(walk->reader, walk_place(walk, element),
				 "a condition needs \"at-least\" or \"at-most\"");
	def->below = most != NULL;
	value_read(walk, element, def->below ? "at-most" : "at-least", &def->threshold);
	def->clear = def->threshold;
	value_read(walk, element, "clear", &def->clear);
	value_read(walk, element, "rate", &def->rate);
	time_read(walk, element, "hold", &def->hold_s);
}

static void action_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "do", "script", "limit", NULL };
	const char *script = walk_attribute(walk, element, "script", false);
	struct pro_def *def = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_word(walk, element, "do", pro_action_words, true, &def->action);
	if (script && !name_is_good(script, sizeof(def->script) - 1))
		walk_fault_attribute(walk, element, "script",
				     "must be a name in the folder of scripts, without a path");
	else if (script)
		snprintf(def->script, sizeof(def->script), "%s", script);
	time_read(walk, element, "limit", &def->script_limit_s);
}

static void limits_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "min-gain", "rest",    "budget", "at-once",
					     "moves",	 "expires", NULL };
	struct pro_def *def = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	walk_number(walk, element, "min-gain", 1, PRO_PERCENT_MAX, "must be 1 to 100 percent",
		    &def->min_gain);
	walk_number(walk, element, "budget", 1, POLICY_BUDGET_MAX, "must be 1 to 16", &def->budget);
	walk_number(walk, element, "at-once", 1, TIP_MOVES_MAX, "must be 1 to 8", &def->at_once);
	walk_number(walk, element, "moves", 1, TIP_MOVES_MAX, "must be 1 to 8", &def->moves);
	time_read(walk, element, "rest", &def->rest_s);
	time_read(walk, element, "expires", &def->expires_s);
}

// "22:30" in minutes of the day.
static bool clock_parse(const char *text, uint32_t *minutes)
{
	uint64_t hour, minute;
	char digits[3] = "";

	if (strlen(text) != 5 || text[2] != ':')
		return false;
	memcpy(digits, text, 2);
	if (!number_parse(digits, 23, &hour) || !number_parse(text + 3, 59, &minute))
		return false;
	*minutes = (uint32_t)(hour * 60 + minute);
	return true;
}

static void clock_read(const struct walk *walk, const struct xml_element *element, const char *name,
		       uint32_t *minutes)
{
	const char *text = walk_attribute(walk, element, name, true);

	if (text && !clock_parse(text, minutes))
		walk_fault_attribute(walk, element, name,
				     "must be a time of the day, such as 22:30");
}

static void window_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "from", "to", NULL };
	struct pro_def *def = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	clock_read(walk, element, "from", &def->from_min);
	clock_read(walk, element, "to", &def->to_min);
	def->mode = PRO_WINDOW;
}

static void policy_attributes_read(const struct walk *walk, const struct xml_element *element,
				   struct pro_def *def)
{
	static const char *const names[] = { "name", "mode", "severity", "enabled", NULL };
	uint8_t enabled = def->enabled, mode = def->mode;

	walk_attributes(walk, element, names);
	definition_name_read(walk, element, "policy", def->name);
	walk_word(walk, element, "severity", pro_severity_words, false, &def->severity);
	walk_word(walk, element, "enabled", yes_no_words, false, &enabled);
	def->enabled = enabled != 0;
	def->enabled_given = walk_attribute(walk, element, "enabled", false) != NULL;
	walk_word(walk, element, "mode", pro_mode_words, false, &mode);
	if ((mode == PRO_WINDOW) != (def->mode == PRO_WINDOW))
		definition_fault(walk->reader, walk_place(walk, element),
				 "mode=\"window\" and <window> belong together");
	def->mode = mode;
}

void definition_policy_read(const struct walk *walk, const struct xml_element *element,
			    void *target)
{
	static const struct child_rule rules[] = {
		{ "condition", condition_read, false, true },
		{ "action", action_read, false, true },
		{ "window", window_read, false, false },
		{ "limits", limits_read, false, false },
		{ 0 },
	};
	struct definitions *definitions = &walk->reader->definitions;
	uint32_t faults = walk->reader->error_total;
	struct pro_def def = pro_defaults();
	void *array = definitions->pros;
	char fix[REASON_SIZE];
	const char *what;

	(void)target;
	walk_children(walk, element, rules, &def);
	policy_attributes_read(walk, element, &def);
	what = walk->reader->error_total == faults ? pro_def_fault(&def, fix) : NULL;
	if (what)
		definition_fault(walk->reader, walk_place(walk, element), "%s; %s", what, fix);
	if (definitions->pro_count == POLICIES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a cluster has at most %d policies", POLICIES_MAX);
		return;
	}
	if (!definition_grow(walk->reader, &array, definitions->pro_count,
			     &walk->reader->memory->pro_max, sizeof(def)))
		return;
	definitions->pros = array;
	definitions->pros[definitions->pro_count++] = def;
}
