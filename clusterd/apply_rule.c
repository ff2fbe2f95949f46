// SPDX-License-Identifier: Apache-2.0
// Rules in an ENTRY_APPLY: whether each makes sense by itself, and keeping them.
#include <string.h>

#include "clusterd/apply_check.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/text.h"

enum { WEIGHT_MAX = 1000000, AT_ONCE_MAX = 128, PORT_MAX = 65535, DELAY_MAX_S = 3600 };

/*
 * What a rule of each kind is made of: how many members stand in each role at least (a tag counts
 * for as many as it needs), and what else it has. A role with `most` 0 is not used.
 */
struct shape {
	uint8_t least[RULE_ROLE_COUNT], most[RULE_ROLE_COUNT];
	bool attribute;
	const char *words;
};

static const struct shape shapes[RULE_KIND_COUNT] = {
	[RULE_TOGETHER] = { .least = { [ROLE_MEMBER] = 2 },
			    .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX },
			    .words = "two members or more, and no other roles" },
	[RULE_APART] = { .least = { [ROLE_MEMBER] = 2 },
			 .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX },
			 .words = "two members or more, and no other roles" },
	[RULE_FOLLOW] = { .least = { [ROLE_MEMBER] = 1, [ROLE_LEADER] = 1 },
			  .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX, [ROLE_LEADER] = 1 },
			  .words = "one leader and one member or more" },
	[RULE_ORDER] = { .least = { [ROLE_FIRST] = 1, [ROLE_THEN] = 1 },
			 .most = { [ROLE_FIRST] = RULE_MEMBERS_MAX,
				   [ROLE_THEN] = RULE_MEMBERS_MAX },
			 .words = "at least one <first> and one <then>" },
	[RULE_ANY_FIRST] = { .least = { [ROLE_FIRST] = 1, [ROLE_THEN] = 1 },
			     .most = { [ROLE_FIRST] = RULE_MEMBERS_MAX,
				       [ROLE_THEN] = RULE_MEMBERS_MAX },
			     .words = "at least one <first> and one <then>" },
	[RULE_ONE_AT_A_TIME] = { .least = { [ROLE_MEMBER] = 2 },
				 .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX },
				 .words = "two members or more, and no other roles" },
	[RULE_SAME_ATTRIBUTE] = { .least = { [ROLE_MEMBER] = 1, [ROLE_LEADER] = 1 },
				  .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX, [ROLE_LEADER] = 1 },
				  .attribute = true,
				  .words = "an attribute, one leader and one member or more" },
	[RULE_SPREAD] = { .least = { [ROLE_MEMBER] = 2 },
			  .most = { [ROLE_MEMBER] = RULE_MEMBERS_MAX },
			  .attribute = true,
			  .words = "an attribute and two members or more" },
};

static bool shape_fits(const struct rule_def *def)
{
	const struct shape *shape = &shapes[def->kind];
	uint32_t count[RULE_ROLE_COUNT] = { 0 };
	bool tagged[RULE_ROLE_COUNT] = { false };

	for (uint32_t i = 0; i < def->member_count; i++) {
		count[def->members[i].role]++;
		tagged[def->members[i].role] |= def->members[i].tag;
	}
	for (uint32_t role = 0; role < RULE_ROLE_COUNT; role++) {
		if (count[role] > shape->most[role])
			return false;
		if (count[role] < shape->least[role] && !(tagged[role] && count[role] > 0))
			return false;
	}
	return shape->attribute == (def->attribute[0] != 0);
}

static bool refuse_rule(struct apply *a, const struct rule_def *def, const char *what,
			const char *fix)
{
	return refuse(a, "bad-rule", WORDS("rule ", def->name, ": ", what), WORDS(fix));
}

static bool check_members(struct apply *a, const struct rule_def *def)
{
	for (uint32_t i = 0; i < def->member_count; i++) {
		const struct rule_member *member = &def->members[i];

		if (!name_is_word(member->name))
			return refuse_rule(a, def, "a member has no name that could be one",
					   "name a vm, or a tag");
		for (uint32_t k = 0; k < i; k++) {
			if (def->members[k].tag == member->tag &&
			    strcmp(def->members[k].name, member->name) == 0)
				return refuse(a, "duplicate",
					      WORDS("rule ", def->name, " names ", member->name,
						    " twice"),
					      WORDS("leave one out"));
		}
	}
	return true;
}

bool check_rule_def(struct apply *a, const struct rule_def *def)
{
	if (!name_is_word(def->name))
		return refuse(a, "bad-name", WORDS("\"", def->name, "\" is no name for a rule"),
			      WORDS("begin with a letter or digit"));
	if (!shape_fits(def))
		return refuse_rule(a, def, "it does not have what its kind needs",
				   shapes[def->kind].words);
	if (def->weight < 1 || def->weight > WEIGHT_MAX)
		return refuse_rule(a, def, "its weight is out of range", "give 1 to 1000000");
	if (def->at_once < 1 || def->at_once > AT_ONCE_MAX)
		return refuse_rule(a, def, "its number of moves at once is out of range",
				   "give 1 to 128");
	if (def->up == UP_TCP && (def->up_value < 1 || def->up_value > PORT_MAX))
		return refuse_rule(a, def, "its TCP port is out of range", "give 1 to 65535");
	if (def->up == UP_DELAY && def->up_value > DELAY_MAX_S)
		return refuse_rule(a, def, "its delay is out of range", "give up to one hour");
	return check_members(a, def);
}

// The slot of a rule of this name, or a free one that no other rule of the document takes; -1.
static int rule_slot(const struct cluster *cluster, const char *name, uint64_t taken)
{
	int unused = -1;

	for (int i = 0; i < RULES_MAX; i++) {
		if (cluster->rules[i].used && strcmp(cluster->rules[i].def.name, name) == 0)
			return i;
		if (!cluster->rules[i].used && !(taken >> i & 1) && unused < 0)
			unused = i;
	}
	return unused;
}

bool check_rules(struct apply *a, struct definition_unpack reader)
{
	char names[RULES_MAX][NAME_SIZE];
	struct rule_def def;
	uint64_t taken = 0;

	while (reader.rules_left > 0) {
		int slot;

		if (!definition_unpack_rule(&reader, &def))
			return refuse(a, "malformed", WORDS("the definitions are garbled"),
				      WORDS("send them again"));
		if (!check_rule_def(a, &def))
			return false;
		for (int i = 0; i < RULES_MAX; i++) {
			if (taken >> i & 1 && strcmp(names[i], def.name) == 0)
				return refuse(a, "duplicate",
					      WORDS("rule ", def.name, " is defined twice"),
					      WORDS("leave one out"));
		}
		slot = rule_slot(a->cluster, def.name, taken);
		if (slot < 0)
			return refuse(a, "table-full",
				      WORDS("there is room for ", number_text(RULES_MAX).text,
					    " rules and no more"),
				      WORDS("remove one, or use tags"));
		text_copy(names[slot], NAME_SIZE, def.name);
		taken |= UINT64_C(1) << slot;
	}
	return check_pros(a, reader);
}

// What VMs have answered was about the rule as it was.
static void forget_answers(struct cluster *cluster, uint8_t rule)
{
	for (uint32_t slot = 0; slot < cluster->vm_high; slot++)
		if (cluster->vms[slot].used)
			cluster->vms[slot].up_rules &= ~(UINT64_C(1) << rule);
}

void store_rules(struct apply *a, struct definition_unpack reader)
{
	while (reader.rules_left > 0) {
		struct rule_def def;
		struct cluster_rule *rule;

		definition_unpack_rule(&reader, &def);
		rule = &a->cluster->rules[rule_slot(a->cluster, def.name, 0)];
		cluster_touch_rule(a->cluster, (uint8_t)(rule - a->cluster->rules));
		if (!rule->used || rule->def.up != def.up || rule->def.up_value != def.up_value)
			forget_answers(a->cluster, (uint8_t)(rule - a->cluster->rules));
		rule->used = true;
		rule->def = def;
	}
	store_pros(a, reader);
}
