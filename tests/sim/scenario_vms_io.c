// SPDX-License-Identifier: Apache-2.0
// VMs, rules, and the situation at the start.
#include <math.h>
#include <string.h>

#include "tests/sim/scenario_reader.h"

// ---- VMs

static void read_tiers(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	json_t *tiers = read_member(r, object, place, "preferred", JSON_ARRAY);
	char here[PLACE_SIZE], one[PLACE_SIZE];

	vm->tier_count = 0;
	for (size_t i = 0; tiers && i < json_array_size(tiers); i++) {
		place_element(one, place_below(here, place, "preferred"), i);
		if (vm->tier_count == VM_TIERS_MAX) {
			reader_lack(r, "preferred-owners", "more tiers");
			return;
		}
		vm->tiers[vm->tier_count++] = read_node_mask(r, json_array_get(tiers, i), one);
	}
}

static void read_migrate_fails(struct reader *r, json_t *faults, const char *place,
			       struct scenario_vm *vm)
{
	json_t *fails = json_object_get(faults, "migrate_fails");
	char here[PLACE_SIZE];

	if (json_is_true(fails))
		vm->migrate_fails = UINT32_MAX;
	else if (json_is_number(fails))
		vm->migrate_fails =
			(uint32_t)read_number(r, faults, place, "migrate_fails", 0, 1e9);
	else if (json_is_object(fails))
		vm->migrate_fails = (uint32_t)read_number(
			r, fails, place_below(here, place, "migrate_fails"), "count", 1e6, 1e9);
}

static void read_faults(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	json_t *faults = read_member(r, object, place, "faults", JSON_OBJECT), *starts, *value;
	char here[PLACE_SIZE], more[PLACE_SIZE];
	const char *key;

	if (!faults)
		return;
	place_below(here, place, "faults");
	json_object_foreach(faults, key, value)
	{
		if (strcmp(key, "start_fails") != 0 && strcmp(key, "stop_fails") != 0 &&
		    strcmp(key, "migrate_fails") != 0)
			reader_lack(r, "fault-injection", key);
	}
	value = json_object_get(faults, "stop_fails");
	vm->stop_fails = value && !json_is_false(value) && !json_is_null(value);
	read_migrate_fails(r, faults, here, vm);
	starts = read_member(r, faults, here, "start_fails", JSON_OBJECT);
	if (!starts)
		return;
	place_below(more, here, "start_fails");
	vm->start_fails = (uint32_t)read_number(r, starts, more, "count", 1e6, 1e9);
	value = json_object_get(starts, "only_on");
	vm->start_fails_on = value && !json_is_null(value)
				     ? read_node_mask(r, value, place_below(here, more, "only_on"))
				     : UINT64_MAX;
}

enum scenario_want read_want(struct reader *r, json_t *object, const char *place)
{
	static const char *const words[WANT_COUNT] = { "running", "stopped", "disabled",
						       "unmanaged" };
	const char *word = read_text(r, object, place, "want");
	char here[PLACE_SIZE];

	for (uint32_t i = 0; word && i < WANT_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			return (enum scenario_want)i;
	if (word)
		reader_bad(r, place_below(here, place, "want"),
			   "running, stopped, disabled or unmanaged is meant here");
	return WANT_RUNNING;
}

// The format's VMs go to a better tier when nothing holds them, unless it says otherwise.
static bool read_failback(struct reader *r, json_t *object, const char *place)
{
	json_t *stickiness = json_object_get(object, "stickiness");
	bool sticks = json_is_string(stickiness) || json_number_value(stickiness) != 0;

	return read_truth(r, object, place, "failback", !sticks);
}

static void read_stickiness(json_t *object, struct scenario_vm *vm)
{
	json_t *value = json_object_get(object, "stickiness");
	double number = json_number_value(value);

	if (json_is_string(value) || number >= 1e6)
		vm->stickiness = STICKINESS_INFINITE;
	else if (number > 0)
		vm->stickiness = (uint32_t)number;
}

static uint8_t read_policy(struct reader *r, json_t *object, const char *place, const char *key,
			   const char *const words[])
{
	const char *word = read_text(r, object, place, key);

	for (uint8_t i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	if (word)
		reader_lack(r, "per-vm-failure-policy", word);
	return 0;
}

// Counted for each node, up to a threshold beyond which the VM does not come there.
static void read_failures(struct reader *r, json_t *object, const char *place,
			  struct scenario_vm *vm)
{
	static const char *const on_failure[] = { "restart", "stop", "ignore", NULL };
	static const char *const on_stop_failure[] = { "block", "fence", NULL };
	static const char *const on_double_run[] = { "stop-unexpected", "restart", "stop", "block",
						     NULL };
	uint32_t threshold = (uint32_t)read_number(r, object, place, "migration_threshold", 0, 100);
	uint32_t forget_s = (uint32_t)read_number(r, object, place, "failure_timeout", 0, 1e6);
	json_t *counts = read_member(r, object, place, "fail_counts", JSON_OBJECT), *value;
	const char *name;

	vm->forget_s = forget_s > 0 ? forget_s : threshold > 0 ? 0 : 600;
	vm->threshold = threshold;
	if (threshold > 0) {
		vm->restarts_max = threshold - 1;
		vm->relocations_max = 1000;
	}
	vm->on_failure = read_policy(r, object, place, "on_monitor_fail", on_failure);
	vm->on_stop_failure = read_policy(r, object, place, "on_stop_fail", on_stop_failure);
	vm->on_double_run = read_policy(r, object, place, "multiple_active", on_double_run);
	json_object_foreach(counts, name, value)
	{
		double most = threshold > 0 ? threshold : 10, number = json_number_value(value);

		for (uint32_t i = 0; i < r->scenario->node_count; i++)
			if (strcmp(r->scenario->nodes[i].name, name) == 0)
				vm->fail_counts[i] = (uint8_t)fmax(0, fmin(number, most));
	}
}

// In CPUs and MiB, as sizes are.
void read_load(struct reader *r, json_t *object, const char *place, uint32_t *cpu,
	       uint32_t *memory_mib)
{
	*cpu = (uint32_t)(read_number(r, object, place, "cpu", 0, 4000) * 1000);
	*memory_mib = (uint32_t)read_number(r, object, place, "mem", 0, MEMORY_LIMIT_MIB);
}

static void read_vm(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	static const char *const keys[] = {
		"home",
		"want",
		"cpu",
		"mem",
		"size",
		"load",
		"priority",
		"live",
		"max_restarts",
		"max_relocations",
		"failback",
		"preferred",
		"possible",
		"stickiness",
		"faults",
		"running_at_add",
		"migration_threshold",
		"failure_timeout",
		"on_stop_fail",
		"on_monitor_fail",
		"multiple_active",
		"requires_fencing",
		"fail_counts",
		"attrs",
		"note",
		"weights",
		"avoid",
		"unmanaged",
		"critical",
		NULL,
	};
	json_t *value;
	char here[PLACE_SIZE];

	read_known_keys(r, object, place, keys);
	vm->home = read_node_member(r, object, place, "home");
	vm->want = (uint8_t)read_want(r, object, place);
	if (read_truth(r, object, place, "unmanaged", false))
		vm->want = WANT_UNMANAGED;
	read_sizes(r, object, place, "size", &vm->cpus, &vm->memory_mib);
	value = read_member(r, object, place, "load", JSON_OBJECT);
	vm->load_given = value != NULL;
	r->scenario->loads = r->scenario->loads || vm->load_given;
	if (value)
		read_load(r, value, place_below(here, place, "load"), &vm->load_cpu, &vm->load_mib);
	value = read_member(r, object, place, "priority", JSON_REAL);
	vm->priority = value ? (int32_t)fmax(-1e9, fmin(1e9, json_number_value(value))) : 0;
	vm->restarts_max = (uint32_t)read_number(r, object, place, "max_restarts", 1, 1000);
	vm->relocations_max = (uint32_t)read_number(r, object, place, "max_relocations", 2, 1000);
	vm->failback = read_failback(r, object, place);
	vm->live = read_truth(r, object, place, "live", true);
	vm->stop_timeout_s = 20;
	value = json_object_get(object, "possible");
	vm->possible_given = value && !json_is_null(value);
	vm->possible = read_node_mask(r, value, place_below(here, place, "possible"));
	read_tiers(r, object, place, vm);
	read_faults(r, object, place, vm);
	read_failures(r, object, place, vm);
	read_stickiness(object, vm);
	read_weights(r, object, place, vm);
	if (json_object_size(json_object_get(object, "attrs")) > 0)
		reader_lack(r, "node-attributes", "of a vm");
	vm->runs_at_add = read_truth(r, object, place, "running_at_add", false);
	if (json_is_false(json_object_get(object, "requires_fencing")))
		reader_lack(r, "fencing", "not required");
}

static struct scenario_vm *vm_new(struct reader *r, const char *place, const char *name)
{
	struct scenario *s = r->scenario;

	if (s->vm_count == WORLD_VMS_MAX) {
		reader_lack(r, "vms", "more than the simulator has");
		r->cut = true;
		return NULL;
	}
	if (!read_name_fits(r, place, name))
		return NULL;
	s->vms[s->vm_count].to = s->vms[s->vm_count].gone_from = NAME_NONE;
	s->vms[s->vm_count].rests_on = NAME_NONE;
	snprintf(s->vms[s->vm_count].name, NAME_SIZE, "%s", name);
	return &s->vms[s->vm_count++];
}

// A VM that an action names before any other and adds is not there at the start.
static void read_added_vm(struct reader *r, json_t *action, const char *place, bool *mentioned)
{
	const char *name = read_text(r, action, place, "vm");
	const char *act = read_text(r, action, place, "do");
	json_t *spec = read_member(r, action, place, "spec", JSON_OBJECT);
	bool adds = act && strcmp(act, "vm-add") == 0;
	char here[PLACE_SIZE];
	uint16_t at;

	if (!name)
		return;
	at = reader_find_vm(r->scenario, name);
	if (adds && at == VM_NONE) {
		if (!vm_new(r, place_below(here, place, "vm"), name))
			return;
		at = (uint16_t)(r->scenario->vm_count - 1);
		if (!spec)
			reader_bad(r, place, "the new vm has no spec");
	}
	if (at == VM_NONE)
		return;
	if (adds && !mentioned[at]) {
		r->scenario->vms[at].from_start = false;
		if (spec && json_object_size(spec) > 0)
			read_vm(r, spec, place_below(here, place, "spec"), &r->scenario->vms[at]);
	}
	mentioned[at] = true;
}

void read_vms(struct reader *r, json_t *root)
{
	json_t *vms = read_member(r, root, "", "vms", JSON_OBJECT), *value, *steps;
	bool mentioned[WORLD_VMS_MAX + 1] = { false };
	const char *name;
	char place[PLACE_SIZE];

	json_object_foreach(vms, name, value)
	{
		struct scenario_vm *vm = vm_new(r, place_below(place, "vms", name), name);

		if (!json_is_object(value))
			reader_bad(r, place, "an object is needed here");
		if (r->bad || !vm)
			return;
		vm->from_start = true;
		read_vm(r, value, place, vm);
	}
	steps = read_member(r, root, "", "steps", JSON_ARRAY);
	for (size_t i = 0; i < json_array_size(steps) && !r->bad; i++) {
		json_t *actions = json_object_get(json_array_get(steps, i), "do");

		for (size_t k = 0; k < json_array_size(actions); k++) {
			snprintf(place, sizeof(place), "steps[%zu].do[%zu]", i, k);
			read_added_vm(r, json_array_get(actions, k), place, mentioned);
		}
	}
}

// ---- rules

static void rule_member_add(struct reader *r, struct scenario_rule *rule, const char *place,
			    json_t *value, enum rule_role role)
{
	const char *name = json_string_value(value);
	uint16_t vm;

	if (!name) {
		reader_bad(r, place, "a vm is needed here");
		return;
	}
	vm = read_vm_named(r, place, name);
	if (vm == VM_NONE)
		return;
	for (uint32_t i = 0; i < rule->member_count; i++)
		if (rule->members[i].vm == vm && rule->members[i].role == (uint8_t)role)
			return; // said twice
	if (rule->member_count == RULE_MEMBERS_MAX) {
		reader_lack(r, "rules", "more members");
		return;
	}
	rule->members[rule->member_count].vm = vm;
	rule->members[rule->member_count++].role = (uint8_t)role;
}

// One name or a list of them.
static void read_members(struct reader *r, struct scenario_rule *rule, json_t *object,
			 const char *place, const char *key, enum rule_role role)
{
	json_t *value = json_object_get(object, key);
	char here[PLACE_SIZE], one[PLACE_SIZE];

	if (!value || json_is_null(value))
		return;
	place_below(here, place, key);
	if (!json_is_array(value)) {
		rule_member_add(r, rule, here, value, role);
		return;
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		rule_member_add(r, rule, place_element(one, here, i), json_array_get(value, i),
				role);
}

struct rule_word {
	const char *word, *capability;
	enum rule_kind kind;
	const char *truth; // the key that says whether it is strict
};

static const struct rule_word rule_words[] = {
	{ "keep-together", "keep-together", RULE_TOGETHER, "strict" },
	{ "keep-apart", "keep-apart", RULE_APART, "strict" },
	{ "follow", "follow", RULE_FOLLOW, "strict" },
	{ "start-order", "start-order", RULE_ORDER, "mandatory" },
	{ "any-of-first", "any-of-dependency", RULE_ANY_FIRST, "mandatory" },
	{ "same-attr", "same-attr", RULE_SAME_ATTRIBUTE, "strict" },
	{ "one-at-a-time", "move-concurrency-limit", RULE_ONE_AT_A_TIME, "strict" },
};

static void read_rule(struct reader *r, json_t *object, const char *place,
		      const struct rule_word *word, struct scenario_rule *rule)
{
	bool ordered = word->kind == RULE_ORDER || word->kind == RULE_ANY_FIRST;
	bool led = word->kind == RULE_FOLLOW || word->kind == RULE_SAME_ATTRIBUTE;
	const char *attribute = read_text(r, object, place, "attr");

	scenario_lacks(r->scenario, word->capability);
	rule->kind = (uint8_t)word->kind;
	rule->strict = read_truth(r, object, place, word->truth, true);
	if (!read_truth(r, object, place, "strict", true))
		rule->strict = false;
	rule->symmetric = read_truth(r, object, place, "symmetric", true);
	rule->weight = (uint32_t)read_number(r, object, place, "weight", 100, 1e6);
	if (rule->weight == 0)
		rule->weight = 1;
	if (word->kind == RULE_SAME_ATTRIBUTE) {
		if (!attribute || strlen(attribute) >= TAG_SIZE)
			reader_bad(r, place, "the name of an attribute is needed here");
		else
			snprintf(rule->attribute, sizeof(rule->attribute), "%s", attribute);
	}
	read_members(r, rule, object, place, "vms", ordered ? ROLE_FIRST : ROLE_MEMBER);
	read_members(r, rule, object, place, "vm", ROLE_MEMBER);
	read_members(r, rule, object, place, "leader", led ? ROLE_LEADER : ROLE_MEMBER);
	read_members(r, rule, object, place, "first", ROLE_FIRST);
	read_members(r, rule, object, place, "then", ROLE_THEN);
}

static bool has_role(const struct scenario_rule *rule, enum rule_role role)
{
	for (uint32_t i = 0; i < rule->member_count; i++)
		if (rule->members[i].role == (uint8_t)role)
			return true;
	return false;
}

// Whether a configuration without one is accepted may be what is asked.
static void check_roles(struct reader *r, const char *place, const struct scenario_rule *rule)
{
	bool ordered = rule->kind == RULE_ORDER || rule->kind == RULE_ANY_FIRST;

	if (r->scenario->mode == MODE_CONFIG)
		return;
	if (ordered && !(has_role(rule, ROLE_FIRST) && has_role(rule, ROLE_THEN)))
		reader_bad(r, place, "who is first and who is then are needed here");
	if ((rule->kind == RULE_FOLLOW || rule->kind == RULE_SAME_ATTRIBUTE) &&
	    !(has_role(rule, ROLE_MEMBER) && has_role(rule, ROLE_LEADER)))
		reader_bad(r, place, "a vm and its leader are needed here");
}

// Of one alone such a rule says nothing; whether that may be said at all is a question of its own.
static bool says_nothing(const struct scenario *s, const struct scenario_rule *rule)
{
	return s->mode != MODE_CONFIG && rule->member_count < 2 &&
	       (rule->kind == RULE_TOGETHER || rule->kind == RULE_APART ||
		rule->kind == RULE_ONE_AT_A_TIME);
}

void read_rules(struct reader *r, json_t *root)
{
	json_t *rules = read_member(r, root, "", "rules", JSON_ARRAY);
	struct scenario *s = r->scenario;
	char place[PLACE_SIZE];

	for (size_t i = 0; i < json_array_size(rules) && !r->bad; i++) {
		json_t *object = json_array_get(rules, i);
		const char *kind = read_text(r, object, place_element(place, "rules", i), "kind");
		size_t k = 0, words = sizeof(rule_words) / sizeof(rule_words[0]);

		if (!kind) {
			reader_bad(r, place, "the rule has no kind");
			return;
		}
		while (k < words && strcmp(rule_words[k].word, kind) != 0)
			k++;
		if (k == words) {
			scenario_lacks(s, kind);
			continue;
		}
		if (s->rule_count == RULES_MAX) {
			reader_lack(r, "rules", "more");
			return;
		}
		snprintf(s->rules[s->rule_count].name, NAME_SIZE, "rule-%u", (unsigned int)i + 1);
		read_rule(r, object, place, &rule_words[k], &s->rules[s->rule_count++]);
		check_roles(r, place, &s->rules[s->rule_count - 1]);
		if (says_nothing(s, &s->rules[s->rule_count - 1]))
			memset(&s->rules[--s->rule_count], 0, sizeof(s->rules[0]));
	}
}

// ---- the situation at the start

static void read_initial_nodes(struct reader *r, json_t *initial)
{
	static const struct {
		const char *word;
		enum scenario_node_state state;
	} words[] = {
		{ "online", AT_ONLINE },	   { "offline", AT_OFFLINE },
		{ "unclean", AT_UNCLEAN },	   { "fencing", AT_FENCING },
		{ "maintenance", AT_MAINTENANCE }, { "unmanaged", AT_UNMANAGED },
		{ "pending", AT_PENDING },
	};
	json_t *nodes = read_member(r, initial, "initial", "nodes", JSON_OBJECT), *value;
	const char *name;
	char place[PLACE_SIZE];

	json_object_foreach(nodes, name, value)
	{
		const char *word = json_string_value(value);
		uint8_t node = read_node_named(r, place_below(place, "initial.nodes", name), name);
		size_t i = 0;

		if (!word || node == NAME_NONE) {
			reader_bad(r, place, "a state is needed here");
			return;
		}
		while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].word, word) != 0)
			i++;
		if (i == sizeof(words) / sizeof(words[0])) {
			reader_lack(r, "initial-state", word);
			continue;
		}
		r->scenario->nodes[node].state = (uint8_t)words[i].state;
		if (words[i].state == AT_FENCING && r->scenario->fencing == FENCING_NONE)
			reader_bad(r, place, "nothing fences in this cluster");
	}
}

// Bound to a host that went down on purpose, while it is to run; else it has just been stopped. On
// one that is there it runs.
static void read_frozen(struct scenario_vm *vm)
{
	vm->state = vm->want == WANT_RUNNING && vm->on != 0 ? VM_AT_RUNNING : VM_AT_STOPPED;
	if (vm->state == VM_AT_STOPPED)
		vm->rests_on = NAME_NONE;
	vm->ends = vm->state == VM_AT_STOPPED;
}

static void read_initial_vm(struct reader *r, json_t *value, const char *place,
			    struct scenario_vm *vm)
{
	static const char *const words[VM_AT_COUNT] = { "stopped", "running",	"failed",
							"blocked", "double",	"waiting",
							"error",   "unmanaged", "migrating" };
	const char *word = read_text(r, value, place, "state");
	char here[PLACE_SIZE];
	bool runs;

	if (!word) {
		reader_bad(r, place, "its state is missing");
		return;
	}
	vm->state = VM_AT_COUNT;
	for (uint32_t i = 0; i < VM_AT_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			vm->state = (uint8_t)i;
	vm->on = read_node_mask(r, json_object_get(value, "on"), place_below(here, place, "on"));
	vm->to = read_node_member(r, value, place, "to");
	vm->ends = strcmp(word, "stopping") == 0 && vm->on != 0;
	for (uint8_t i = 0; i < r->scenario->node_count; i++)
		if ((vm->on >> i & 1) && (vm->state == VM_AT_ERROR || strcmp(word, "frozen") == 0))
			vm->rests_on = i;
	if (vm->state == VM_AT_MIGRATING && (vm->on == 0 || (vm->on & (vm->on - 1)) != 0 ||
					     vm->to == NAME_NONE || vm->on == NODE_BIT(vm->to)))
		reader_bad(r, place, "a vm that is migrating is on one node, and goes to another");
	if (strcmp(word, "frozen") == 0)
		read_frozen(vm);
	else if (strcmp(word, "starting") == 0 || strcmp(word, "stopping") == 0)
		vm->state = VM_AT_STOPPED;
	else if (strcmp(word, "fencing") == 0)
		vm->state = VM_AT_RUNNING; // its node is lost
	else if (strcmp(word, "absent") == 0)
		vm->from_start = false;
	else if (vm->state == VM_AT_COUNT)
		reader_lack(r, "initial-state", word);
	runs = vm->state == VM_AT_RUNNING || vm->state == VM_AT_FAILED ||
	       vm->state == VM_AT_BLOCKED;
	if (runs && (vm->on == 0 || (vm->on & (vm->on - 1)) != 0))
		reader_bad(r, place, "a vm that is %s is on one node", word);
	if (vm->state != VM_AT_DOUBLE)
		return;
	if (vm->on == 0 || (vm->on & (vm->on - 1)) == 0)
		reader_bad(r, place, "a vm that runs twice is on two nodes");
}

static bool is_off(const struct scenario *s, uint8_t node)
{
	return s->nodes[node].state == AT_OFFLINE || s->nodes[node].state == AT_PENDING;
}

// A move one end of which is off, or only comes up, is over: it has not begun, or nothing is left
// of it. What is nobody's to move has not begun to.
static void close_move(const struct scenario *s, struct scenario_vm *vm)
{
	uint8_t from = 0;

	if (vm->state != VM_AT_MIGRATING)
		return;
	while (!(vm->on >> from & 1))
		from++;
	if (is_off(s, from)) {
		vm->state = VM_AT_STOPPED;
		vm->gone_from = from;
	} else if (is_off(s, vm->to) || vm->want == WANT_UNMANAGED) {
		vm->state = VM_AT_RUNNING;
	}
}

static void runs_from_start(const struct scenario *s, struct scenario_vm *vm)
{
	if (vm->home == NAME_NONE || s->nodes[vm->home].state != AT_ONLINE)
		return;
	vm->state = VM_AT_RUNNING;
	vm->on = NODE_BIT(vm->home);
}

void read_initial(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *initial = read_member(r, root, "", "initial", JSON_OBJECT), *vms, *value;
	const char *name;
	char place[PLACE_SIZE];

	s->leader = NAME_NONE;
	s->quorate = true;
	for (uint32_t i = 0; i < s->node_count; i++)
		s->nodes[i].state = s->nodes[i].on ? AT_ONLINE : AT_OFFLINE;
	for (uint32_t v = 0; v < s->vm_count; v++)
		if (s->vms[v].runs_at_add && s->vms[v].from_start)
			runs_from_start(s, &s->vms[v]);
	if (!initial)
		return;
	s->initial = true;
	s->quorate = read_truth(r, initial, "initial", "quorate", true);
	s->quorate_given = json_is_boolean(json_object_get(initial, "quorate"));
	s->leader = read_node_member(r, initial, "initial", "leader");
	read_initial_nodes(r, initial);
	vms = read_member(r, initial, "initial", "vms", JSON_OBJECT);
	json_object_foreach(vms, name, value)
	{
		uint16_t vm = read_vm_named(r, place_below(place, "initial.vms", name), name);

		if (vm == VM_NONE)
			continue;
		read_initial_vm(r, value, place, &s->vms[vm]);
		if (!r->bad)
			close_move(s, &s->vms[vm]);
		if (s->vms[vm].state == VM_AT_RUNNING && s->vms[vm].rests_on != NAME_NONE &&
		    !is_off(s, s->vms[vm].rests_on))
			s->vms[vm].rests_on = NAME_NONE;
	}
}
