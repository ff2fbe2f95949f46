// SPDX-License-Identifier: Apache-2.0
// What of a <vm> says when it is moved and what its failures mean.
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

enum { FAILBACK_AFTER_MAX_S = 24 * 3600, FAILBACK_AFTER_S = 600 };

static bool minutes_parse(const char *text, uint32_t *minutes)
{
	uint32_t digits[4];
	static const uint8_t at[4] = { 0, 1, 3, 4 };

	for (int i = 0; i < 4; i++) {
		if (text[at[i]] < '0' || text[at[i]] > '9')
			return false;
		digits[i] = (uint32_t)(text[at[i]] - '0');
		if (i == 1 && text[2] != ':')
			return false;
	}
	*minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3];
	return digits[2] < 6 && *minutes < 24 * 60;
}

bool window_parse(const char *text, uint32_t *from, uint32_t *to)
{
	return strlen(text) == 11 && text[5] == '-' && minutes_parse(text, from) &&
	       minutes_parse(text + 6, to);
}

void definition_failback_read(const struct walk *walk, const struct xml_element *element,
			      struct vm_def *def)
{
	static const char *const names[] = { "after", "within", NULL };
	const char *after = walk_attribute(walk, element, "after", false);
	const char *within = walk_attribute(walk, element, "within", false);

	walk_attributes(walk, element, names);
	walk_text_word(walk, element, failback_words, &def->failback);
	if (def->failback != FAILBACK_DELAYED) {
		if (after || within)
			walk_fault_attribute(walk, element, after ? "after" : "within",
					     "goes with delayed alone");
		return;
	}
	def->failback_after_s = FAILBACK_AFTER_S;
	if (after && (!duration_parse(after, &def->failback_after_s) ||
		      def->failback_after_s > FAILBACK_AFTER_MAX_S))
		walk_fault_attribute(walk, element, "after", "must be a time up to 1d (10min)");
	if (within && !window_parse(within, &def->failback_from, &def->failback_to))
		walk_fault_attribute(walk, element, "within",
				     "must be two times of day, as in 22:00-04:00");
}

void definition_forget_read(const struct walk *walk, const struct xml_element *element,
			    struct vm_def *def)
{
	const char *text = walk_attribute(walk, element, "forget", false);
	uint32_t seconds = 0;

	if (!text)
		return;
	if (strcmp(text, "never") != 0 &&
	    (!duration_parse(text, &seconds) || seconds < 1 || seconds > FORGET_MAX_S))
		walk_fault_attribute(walk, element, "forget",
				     "must be never, or a time from 1s to 30d (10min)");
	def->forget_s = seconds;
}
