// SPDX-License-Identifier: Apache-2.0
// <rule>: what VMs have to do with each other.
#include <stdio.h>
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

enum { AT_ONCE_MAX = 128, PORT_MAX = 65535, DELAY_MAX_S = 3600 };

static const struct child_rule no_children[] = { { 0 } };

static void member_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", "tag", NULL };
	const char *name = walk_attribute(walk, element, "name", false);
	const char *tag = walk_attribute(walk, element, "tag", false);
	const char *attribute = name ? "name" : "tag";
	struct rule_def *def = target;
	struct rule_member *member;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	if (!name == !tag) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "<%s> names a VM by \"name\", or several by \"tag\"",
				 element->name);
		return;
	}
	if (!name_is_good(name ? name : tag, name ? NAME_SIZE - 1 : TAG_SIZE - 1)) {
		walk_fault_attribute(walk, element, attribute,
				     "must be letters, digits, '.', '_' or '-', the first a "
				     "letter or digit");
		return;
	}
	if (def->member_count == RULE_MEMBERS_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a rule names at most %d members; use tags", RULE_MEMBERS_MAX);
		return;
	}
	member = &def->members[def->member_count++];
	snprintf(member->name, sizeof(member->name), "%s", name ? name : tag);
	member->tag = !name;
	word_parse(rule_role_words, element->name, &member->role);
	if (name)
		definition_refer(walk->reader, OBJECT_VM, name,
				 walk_attribute_place(walk, element, "name"));
}

// "running", "guest-agent", "tcp:5432", "delay:30s".
static bool up_parse(const char *text, struct rule_def *def)
{
	uint64_t port;

	if (strcmp(text, "running") == 0) {
		def->up = UP_RUNNING;
		return true;
	}
	if (strcmp(text, "guest-agent") == 0) {
		def->up = UP_AGENT;
		return true;
	}
	if (strncmp(text, "tcp:", 4) == 0 && number_parse(text + 4, PORT_MAX, &port) && port > 0) {
		def->up = UP_TCP;
		def->up_value = (uint32_t)port;
		return true;
	}
	if (strncmp(text, "delay:", 6) == 0 && duration_parse(text + 6, &def->up_value) &&
	    def->up_value <= DELAY_MAX_S) {
		def->up = UP_DELAY;
		return true;
	}
	return false;
}

static void flag_read(const struct walk *walk, const struct xml_element *element, const char *name,
		      bool *flag)
{
	uint8_t value = *flag;

	walk_word(walk, element, name, yes_no_words, false, &value);
	*flag = value != 0;
}

static void rule_attributes_read(const struct walk *walk, const struct xml_element *element,
				 struct rule_def *def)
{
	static const char *const names[] = { "name",	  "kind", "strict",  "weight",	  "enabled",
					     "symmetric", "up",	  "at-once", "attribute", NULL };
	const char *up = walk_attribute(walk, element, "up", false);
	const char *attribute = walk_attribute(walk, element, "attribute", false);

	walk_attributes(walk, element, names);
	definition_name_read(walk, element, "rule", def->name);
	walk_word(walk, element, "kind", rule_kind_words, true, &def->kind);
	// A weight makes a wish.
	def->strict = !walk_attribute(walk, element, "weight", false);
	flag_read(walk, element, "strict", &def->strict);
	flag_read(walk, element, "enabled", &def->enabled);
	flag_read(walk, element, "symmetric", &def->symmetric);
	walk_number(walk, element, "weight", 1, WEIGHT_MAX, "must be 1 to 1000000", &def->weight);
	walk_number(walk, element, "at-once", 1, AT_ONCE_MAX, "must be 1 to 128", &def->at_once);
	if (up && !up_parse(up, def))
		walk_fault_attribute(walk, element, "up",
				     "must be running, guest-agent, tcp:PORT or delay:TIME");
	if (attribute && name_is_good(attribute, TAG_SIZE - 1))
		snprintf(def->attribute, sizeof(def->attribute), "%s", attribute);
	else if (attribute)
		walk_fault_attribute(walk, element, "attribute",
				     "must be the name of a node attribute");
}

void definition_rule_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const struct child_rule rules[] = {
		{ "vm", member_read, true, false },
		{ "leader", member_read, true, false },
		{ "first", member_read, true, false },
		{ "then", member_read, true, false },
		{ 0 },
	};
	struct definitions *definitions = &walk->reader->definitions;
	struct rule_def def = {
		.enabled = true, .weight = WEIGHT_DEFAULT, .at_once = 1, .symmetric = true
	};
	void *array = definitions->rules;

	(void)target;
	rule_attributes_read(walk, element, &def);
	walk_children(walk, element, rules, &def);
	if (definitions->rule_count == RULES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a cluster has at most %d rules; use tags", RULES_MAX);
		return;
	}
	if (!definition_grow(walk->reader, &array, definitions->rule_count,
			     &walk->reader->memory->rule_max, sizeof(def)))
		return;
	definitions->rules = array;
	definitions->rules[definitions->rule_count++] = def;
}
