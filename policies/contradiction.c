// SPDX-License-Identifier: Apache-2.0
#include "policies/contradiction.h"

#include <string.h>

#include "clusterd/rule_index.h"
#include "clusterd/text.h"

#define BIT(slot) (UINT64_C(1) << (slot))

struct search {
	const struct cluster *cluster;
	const struct rule_index *index;
	struct contradiction *found;
	uint32_t count, max;
};

static struct contradiction *add(struct search *s, enum contradiction_kind kind, uint8_t a,
				 uint8_t b)
{
	struct contradiction *c = s->count < s->max ? &s->found[s->count] : NULL;

	s->count++;
	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->kind = (uint8_t)kind;
	c->conflict = kind < CONTRADICTION_NO_EFFECT;
	c->rules[0] = a;
	c->rules[1] = b;
	return c;
}

static void words(char buf[REASON_SIZE], const char *const *list)
{
	struct text text = text_in(buf, REASON_SIZE);

	for (; *list; list++)
		text_add(&text, *list);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void say(struct contradiction *c, const char *const *reason, const char *const *fix)
{
	if (!c)
		return;
	words(c->reason, reason);
	words(c->fix, fix);
}

static const char *rule_name(const struct search *s, uint8_t rule)
{
	return s->cluster->rules[rule].def.name;
}

static const char *vm_name(const struct search *s, uint32_t slot)
{
	return s->cluster->defs[slot].name;
}

static uint64_t all_nodes(const struct search *s)
{
	uint64_t mask = 0;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		mask |= s->cluster->nodes[slot].used ? BIT(slot) : 0;
	return mask;
}

static uint64_t possible(const struct search *s, uint32_t slot)
{
	uint64_t all = all_nodes(s);

	return s->cluster->vms[slot].possible ? s->cluster->vms[slot].possible & all : all;
}

static struct vm_rules rules_of(const struct search *s, uint32_t slot)
{
	return rules_of_vm(s->cluster, &s->cluster->vms[slot]);
}

static bool in_rule(const struct search *s, uint32_t slot, uint8_t rule, enum rule_role role)
{
	return s->cluster->vms[slot].used && rules_of(s, slot).as[role] >> rule & 1;
}

// The lowest strict keep-together rule of the VM.
static uint8_t together_rule(const struct search *s, uint32_t slot)
{
	uint64_t mask = rules_of(s, slot).as[ROLE_MEMBER] & s->index->kinds[RULE_TOGETHER] &
			s->index->strict;

	for (uint8_t rule = 0; mask && rule < RULES_MAX; rule++)
		if (mask >> rule & 1)
			return rule;
	return SLOT_NONE;
}

// Two members of one keep-apart rule in one group: a wish is never followed then.
static void find_apart_together(struct search *s, uint8_t rule)
{
	uint32_t first[RULES_MAX]; // member of the rule in each group, + 1

	memset(first, 0, sizeof(first));
	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		uint8_t group;

		if (!in_rule(s, slot, rule, ROLE_MEMBER))
			continue;
		group = group_of_vm(s->cluster, &s->cluster->vms[slot]);
		if (group == SLOT_NONE)
			continue;
		if (first[group]) {
			uint8_t other = together_rule(s, slot);

			say(add(s,
				s->index->strict & BIT(rule) ? CONTRADICTION_APART_TOGETHER
							     : CONTRADICTION_NO_EFFECT,
				rule, other),
			    WORDS("rule ", rule_name(s, rule), " keeps ",
				  vm_name(s, first[group] - 1), " and ", vm_name(s, slot),
				  " apart, rule ", rule_name(s, other),
				  in_rule(s, first[group] - 1, other, ROLE_MEMBER)
					  ? " keeps them together"
					  : " and others keep them together"),
			    WORDS("take ", vm_name(s, slot), " out of rule ", rule_name(s, rule)));
			return;
		}
		first[group] = slot + 1;
	}
}

// A wish to keep together those that a rule keeps apart.
static void find_together_apart(struct search *s, uint8_t rule)
{
	uint64_t seen = 0;

	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		uint64_t apart;
		uint8_t other = 0;

		if (!in_rule(s, slot, rule, ROLE_MEMBER))
			continue;
		apart = rules_of(s, slot).as[ROLE_MEMBER] & s->index->kinds[RULE_APART] &
			s->index->strict;
		if (!(apart & seen)) {
			seen |= apart;
			continue;
		}
		while (!(apart & seen & BIT(other)))
			other++;
		say(add(s, CONTRADICTION_NO_EFFECT, rule, other),
		    WORDS("rule ", rule_name(s, rule), " is to keep ", vm_name(s, slot),
			  " together with one that rule ", rule_name(s, other),
			  " keeps it apart from"),
		    WORDS("take ", vm_name(s, slot), " out of rule ", rule_name(s, rule)));
		return;
	}
}

static void find_group_owners(struct search *s, uint8_t group)
{
	uint64_t left = all_nodes(s);
	uint32_t last = 0;
	bool any = false;

	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		uint64_t before = left;

		if (!s->cluster->vms[slot].used ||
		    group_of_vm(s->cluster, &s->cluster->vms[slot]) != group)
			continue;
		any = true;
		left &= possible(s, slot);
		if (left != before)
			last = slot;
		if (left == 0)
			break;
	}
	if (any && left == 0 && all_nodes(s) != 0)
		say(add(s, CONTRADICTION_GROUP_OWNERS, group, SLOT_NONE),
		    WORDS("rule ", rule_name(s, group),
			  " keeps VMs together that have no possible owner in common: ",
			  vm_name(s, last), " may not be where the others may"),
		    WORDS("give ", vm_name(s, last),
			  " a possible owner of the others, or take it "
			  "out of rule ",
			  rule_name(s, group)));
}

/*
 * Whether every member can have a node of its own: a matching of members to nodes, grown by paths
 * that change earlier choices. At most NODES_MAX members come this far.
 */
struct matching {
	uint64_t may[NODES_MAX];      // of each member
	uint8_t member_on[NODES_MAX]; // SLOT_NONE: free
	uint64_t tried;
};

static bool match(struct matching *m, uint8_t member)
{
	// A path visits each node once, so it is no deeper than there are nodes.
	for (uint8_t node = 0; node < NODES_MAX; node++) {
		if (!(m->may[member] & ~m->tried & BIT(node)))
			continue;
		m->tried |= BIT(node);
		if (m->member_on[node] == SLOT_NONE || match(m, m->member_on[node])) {
			m->member_on[node] = member;
			return true;
		}
	}
	return false;
}

static void find_apart_nodes(struct search *s, uint8_t rule)
{
	uint32_t members = 0, nodes = 0, last = 0;
	struct matching m = { 0 };
	bool good = true;

	for (uint64_t all = all_nodes(s); all; all &= all - 1)
		nodes++;
	memset(m.member_on, SLOT_NONE, sizeof(m.member_on));
	for (uint32_t slot = 0; slot < s->cluster->vm_high && good; slot++) {
		if (!in_rule(s, slot, rule, ROLE_MEMBER))
			continue;
		last = slot;
		good = members < nodes;
		if (!good)
			break;
		m.may[members] = possible(s, slot);
		m.tried = 0;
		good = match(&m, (uint8_t)members++);
	}
	if (!good && nodes > 0)
		say(add(s, CONTRADICTION_APART_NODES, rule, SLOT_NONE),
		    WORDS("rule ", rule_name(s, rule),
			  " keeps more VMs apart than there are nodes for: none is left for ",
			  vm_name(s, last)),
		    WORDS("take ", vm_name(s, last),
			  " out of it, give it more possible owners, or "
			  "make the rule a wish: weight=\"100\""));
}

// Rules whose `then` is a `first` of others, as masks: a way back to a rule is a cycle of VMs.
static void find_cycles(struct search *s, uint64_t rules, enum rule_role from, enum rule_role to,
			enum contradiction_kind kind)
{
	uint64_t reach[RULES_MAX] = { 0 };

	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		struct vm_rules of;

		if (!s->cluster->vms[slot].used)
			continue;
		of = rules_of(s, slot);
		for (uint8_t rule = 0; rule < RULES_MAX; rule++)
			if (of.as[from] & rules & BIT(rule))
				reach[rule] |= of.as[to] & rules;
	}
	for (uint8_t via = 0; via < RULES_MAX; via++)
		for (uint8_t rule = 0; rule < RULES_MAX; rule++)
			if (reach[rule] & BIT(via))
				reach[rule] |= reach[via];
	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		uint8_t other = rule;

		if (!(reach[rule] & BIT(rule)))
			continue;
		for (uint8_t k = 0; k < RULES_MAX; k++)
			if (k != rule && (reach[rule] & BIT(k)) && (reach[k] & BIT(rule))) {
				other = k;
				break;
			}
		if (other < rule)
			continue; // said with the other one
		say(add(s, kind, rule, other == rule ? SLOT_NONE : other),
		    WORDS("rule ", rule_name(s, rule), other == rule ? "" : " and rule ",
			  other == rule ? "" : rule_name(s, other),
			  kind == CONTRADICTION_ORDER_CYCLE
				  ? " make VMs wait for each other's start in a circle"
				  : " make VMs follow each other in a circle"),
		    WORDS("drop rule ", rule_name(s, other)));
	}
}

static void find_follow(struct search *s, uint8_t rule)
{
	uint64_t apart = s->index->kinds[RULE_APART] & s->index->strict;
	uint32_t leader = 0;

	while (leader < s->cluster->vm_high && !in_rule(s, leader, rule, ROLE_LEADER))
		leader++;
	if (leader == s->cluster->vm_high)
		return;
	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		uint64_t both;

		if (!in_rule(s, slot, rule, ROLE_MEMBER))
			continue;
		both = rules_of(s, slot).as[ROLE_MEMBER] & rules_of(s, leader).as[ROLE_MEMBER] &
		       apart;
		for (uint8_t other = 0; both && other < RULES_MAX; other++) {
			if (!(both >> other & 1))
				continue;
			say(add(s, CONTRADICTION_FOLLOW_APART, rule, other),
			    WORDS("by rule ", rule_name(s, rule), " ", vm_name(s, slot),
				  " follows ", vm_name(s, leader), ", by rule ",
				  rule_name(s, other), " it is kept apart from it"),
			    WORDS("take ", vm_name(s, slot), " out of rule ", rule_name(s, other)));
			break;
		}
		if (!(possible(s, slot) & possible(s, leader)) && all_nodes(s))
			say(add(s, CONTRADICTION_FOLLOW_OWNERS, rule, SLOT_NONE),
			    WORDS("by rule ", rule_name(s, rule), " ", vm_name(s, slot),
				  " follows ", vm_name(s, leader),
				  ", and they have no possible owner in common"),
			    WORDS("give ", vm_name(s, slot), " a possible owner of ",
				  vm_name(s, leader)));
	}
}

static bool same_device(const struct fence_def *a, const struct fence_def *b)
{
	return strcmp(a->agent, b->agent) == 0 && strcmp(a->options, b->options) == 0;
}

static void find_devices(struct search *s)
{
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *node = &s->cluster->nodes[i];

		for (uint8_t k = 0; node->used && k < i; k++) {
			const struct cluster_node *other = &s->cluster->nodes[k];
			struct contradiction *c;
			bool shared = false;

			for (uint32_t x = 0; other->used && x < node->def.fence_count; x++)
				for (uint32_t y = 0; y < other->def.fence_count; y++)
					shared = shared || same_device(&node->def.fences[x],
								       &other->def.fences[y]);
			if (!shared)
				continue;
			c = add(s, CONTRADICTION_DEVICE_SHARED, SLOT_NONE, SLOT_NONE);
			say(c,
			    WORDS("nodes ", other->def.name, " and ", node->def.name,
				  " have the very same fence device: to cut one is to cut the "
				  "other"),
			    WORDS("give each its own options (plug, port, address)"));
			if (c)
				text_copy(c->object, sizeof(c->object), node->def.name);
		}
	}
}

static void find_effects(struct search *s, uint8_t rule)
{
	const struct rule_def *def = &s->cluster->rules[rule].def;
	uint32_t count[RULE_ROLE_COUNT] = { 0 };
	bool ordered = def->kind == RULE_ORDER || def->kind == RULE_ANY_FIRST;
	bool led = def->kind == RULE_FOLLOW || def->kind == RULE_SAME_ATTRIBUTE, good;

	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++)
		for (uint32_t role = 0; role < RULE_ROLE_COUNT; role++)
			count[role] += in_rule(s, slot, rule, (enum rule_role)role);
	if (ordered)
		good = count[ROLE_FIRST] > 0 && count[ROLE_THEN] > 0;
	else if (led)
		good = count[ROLE_LEADER] > 0 && count[ROLE_MEMBER] > 0;
	else
		good = count[ROLE_MEMBER] > 1;
	if (!good)
		say(add(s, CONTRADICTION_NO_EFFECT, rule, SLOT_NONE),
		    WORDS("rule ", def->name, " has no effect: too few of its VMs are defined"),
		    WORDS("define them, or drop rule ", def->name));
}

// Who starts after it would wait for ever.
static void find_answers(struct search *s, uint8_t rule)
{
	const struct rule_def *def = &s->cluster->rules[rule].def;

	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		const struct vm_def *vm = &s->cluster->defs[slot];
		bool agent = def->up == UP_AGENT && !vm->guest_agent;
		bool address = def->up == UP_TCP && !vm->address[0];

		if (!in_rule(s, slot, rule, ROLE_FIRST) || !(agent || address))
			continue;
		say(add(s, CONTRADICTION_NO_ANSWER, rule, SLOT_NONE),
		    WORDS("rule ", def->name, " waits for an answer of vm ", vm->name,
			  agent ? ", which has no <guest-agent/>" : ", which has no <address>"),
		    WORDS(agent ? "give it one, or up=\"running\"" : "give it one"));
	}
}

static void find_attribute(struct search *s, uint8_t rule)
{
	const struct rule_def *def = &s->cluster->rules[rule].def;

	for (uint8_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *node = &s->cluster->nodes[i];

		for (uint32_t k = 0; node->used && k < node->def.attribute_count; k++)
			if (strcmp(node->def.attributes[k].name, def->attribute) == 0)
				return;
	}
	say(add(s, CONTRADICTION_NO_ATTRIBUTE, rule, SLOT_NONE),
	    WORDS("rule ", def->name, " is about the attribute ", def->attribute,
		  ", which no node has"),
	    WORDS("give nodes <attribute name=\"", def->attribute, "\" .../>"));
}

// Only where every node that it may use has said how much memory it has.
static void find_too_big(struct search *s)
{
	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		uint64_t may = s->cluster->vms[slot].used ? possible(s, slot) : 0;
		bool fits = may == 0;

		for (uint8_t i = 0; i < NODES_MAX && !fits; i++) {
			const struct cluster_node *node = &s->cluster->nodes[i];

			if (may & BIT(i))
				fits = !node->reported ||
				       node->report.memory_mib >=
					       s->cluster->defs[slot].memory_mib +
						       (uint64_t)node->def.memory_reserve_mib;
		}
		if (!fits) {
			struct contradiction *c =
				add(s, CONTRADICTION_TOO_BIG, SLOT_NONE, SLOT_NONE);

			say(c,
			    WORDS("vm ", vm_name(s, slot),
				  " needs more memory than any node "
				  "that it may use has"),
			    WORDS("give it less memory, or more possible owners"));
			if (c)
				text_copy(c->object, sizeof(c->object), vm_name(s, slot));
		}
	}
}

// A failback that never comes about.
static void find_failback(struct search *s)
{
	for (uint32_t slot = 0; slot < s->cluster->vm_high; slot++) {
		const struct vm *vm = &s->cluster->vms[slot];
		const struct vm_def *def = &s->cluster->defs[slot];
		bool sticks = def->stickiness == STICKINESS_INFINITE;
		struct contradiction *c;

		if (!vm->used || def->failback == FAILBACK_NEVER || (vm->tiers[0] != 0 && !sticks))
			continue;
		c = add(s, CONTRADICTION_NO_EFFECT, SLOT_NONE, SLOT_NONE);
		say(c,
		    WORDS("vm ", vm_name(s, slot), " is to go back to a better preferred owner",
			  sticks ? ", but its stickiness is infinite" : ", but names none"),
		    WORDS(sticks ? "give it less stickiness, or <failback>never</failback>"
				 : "name preferred owners, or <failback>never</failback>"));
		if (c)
			text_copy(c->object, sizeof(c->object), vm_name(s, slot));
	}
}

static void find_no_device(struct search *s)
{
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *node = &s->cluster->nodes[i];
		struct contradiction *c;

		if (!node->used || node->def.fence_count > 0 ||
		    (node->reported && node->report.watchdog))
			continue;
		c = add(s, CONTRADICTION_NO_DEVICE, SLOT_NONE, SLOT_NONE);
		say(c,
		    WORDS("node ", node->def.name, " has no fence device",
			  node->reported ? ", and no watchdog guards it"
					 : ": its failover needs a watchdog, and is slower"),
		    WORDS("give it a <fence>"));
		if (c)
			text_copy(c->object, sizeof(c->object), node->def.name);
	}
}

typedef void (*rule_fn)(struct search *s, uint8_t rule);

static void for_rules(struct search *s, uint64_t rules, rule_fn fn)
{
	for (uint8_t rule = 0; rule < RULES_MAX; rule++)
		if (rules >> rule & 1)
			fn(s, rule);
}

static uint64_t groups(const struct search *s)
{
	uint64_t mask = 0;

	for (uint8_t rule = 0; rule < RULES_MAX; rule++)
		if (s->index->group[rule] == rule)
			mask |= BIT(rule);
	return mask;
}

uint32_t contradictions_find(const struct cluster *cluster, struct contradiction *found,
			     uint32_t max)
{
	struct search s = {
		.cluster = cluster, .index = cluster->rule_index, .found = found, .max = max
	};
	uint64_t strict = s.index->strict;
	const uint64_t *kinds = s.index->kinds;

	for_rules(&s, kinds[RULE_APART] & strict, find_apart_together);
	for_rules(&s, groups(&s) & s.index->enabled, find_group_owners);
	for_rules(&s, kinds[RULE_APART] & strict, find_apart_nodes);
	find_cycles(&s, kinds[RULE_ORDER] & strict, ROLE_THEN, ROLE_FIRST,
		    CONTRADICTION_ORDER_CYCLE);
	find_cycles(&s, kinds[RULE_FOLLOW] & strict, ROLE_MEMBER, ROLE_LEADER,
		    CONTRADICTION_FOLLOW_CYCLE);
	for_rules(&s, kinds[RULE_FOLLOW] & strict, find_follow);
	find_devices(&s);
	for_rules(&s, kinds[RULE_APART] & ~strict, find_apart_together);
	for_rules(&s, kinds[RULE_TOGETHER] & ~strict, find_together_apart);
	for_rules(&s, s.index->enabled, find_effects);
	for_rules(&s, kinds[RULE_ORDER] | kinds[RULE_ANY_FIRST], find_answers);
	find_failback(&s);
	for_rules(&s, kinds[RULE_SAME_ATTRIBUTE] | kinds[RULE_SPREAD], find_attribute);
	find_too_big(&s);
	find_no_device(&s);
	return s.count;
}
