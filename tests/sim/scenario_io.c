// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a scenario. What is malformed, or names what does not exist, is refused with its place; what the product cannot
 * do yet is collected by name. `expect` is never looked at.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/text.h"
#include "tests/sim/scenario.h"

enum { PLACE_SIZE = 200, MEMORY_LIMIT_MIB = 16 * 1024 * 1024 };

struct reader {
	struct scenario *scenario;
	char *problem;
	size_t size;
	bool bad;
};

static void bad(struct reader *r, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void bad(struct reader *r, const char *place, const char *format, ...)
{
	char text[256];
	va_list args;

	if (r->bad)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(r->problem, r->size, "%s: %s", place, text);
	r->bad = true;
}

static void lack(struct reader *r, const char *kind, const char *word)
{
	char name[160];

	snprintf(name, sizeof(name), "%s%s%s", kind, *word ? ":" : "", word);
	scenario_lacks(r->scenario, name);
}

static const char *below(char *buf, const char *place, const char *key)
{
	struct text text = text_in(buf, PLACE_SIZE);

	text_add(text_add(text_add(&text, place), *place ? "." : ""), key);
	return buf;
}

static const char *element(char *buf, const char *place, size_t index)
{
	struct text text = text_in(buf, PLACE_SIZE);

	text_add(text_add_number(text_add(text_add(&text, place), "["), index), "]");
	return buf;
}

// A member of that type; NULL when it is not there, or is null.
static json_t *member(struct reader *r, json_t *object, const char *place, const char *key, json_type type)
{
	static const char *const words[] = { "an object", "an array", "a string", "a whole number", "a number",
					     "true or false", "true or false", "null" };
	json_t *value = json_object_get(object, key);
	char here[PLACE_SIZE];

	if (!value || json_is_null(value))
		return NULL;
	if (json_typeof(value) == type || (type == JSON_TRUE && json_is_boolean(value)) ||
	    (type == JSON_REAL && json_is_number(value)))
		return value;
	bad(r, below(here, place, key), "%s is needed here", words[type]);
	return NULL;
}

static const char *text_of(struct reader *r, json_t *object, const char *place, const char *key)
{
	json_t *value = member(r, object, place, key, JSON_STRING);

	return value ? json_string_value(value) : NULL;
}

static double number_in(struct reader *r, json_t *object, const char *place, const char *key, double otherwise,
			double most)
{
	json_t *value = member(r, object, place, key, JSON_REAL);
	double number = value ? json_number_value(value) : otherwise;
	char here[PLACE_SIZE];

	if (value && !(number >= 0 && number <= most)) {
		bad(r, below(here, place, key), "0 to %.0f is meant here", most);
		return otherwise;
	}
	return number;
}

static bool truth_of(struct reader *r, json_t *object, const char *place, const char *key, bool otherwise)
{
	json_t *value = member(r, object, place, key, JSON_TRUE);

	return value ? json_is_true(value) : otherwise;
}

static void known_keys(struct reader *r, json_t *object, const char *place, const char *const *keys)
{
	const char *key;
	json_t *value;
	char here[PLACE_SIZE];

	json_object_foreach(object, key, value) {
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i])
			bad(r, below(here, place, key), "this is not known");
	}
}

// ---- names

static uint8_t node_named(struct reader *r, const char *place, const char *name)
{
	for (uint32_t i = 0; i < r->scenario->node_count; i++)
		if (strcmp(r->scenario->nodes[i].name, name) == 0)
			return (uint8_t)i;
	bad(r, place, "there is no node %s", name);
	return NAME_NONE;
}

static uint8_t find_vm(const struct scenario *scenario, const char *name)
{
	for (uint32_t i = 0; i < scenario->vm_count; i++)
		if (strcmp(scenario->vms[i].name, name) == 0)
			return (uint8_t)i;
	return NAME_NONE;
}

static uint8_t vm_named(struct reader *r, const char *place, const char *name)
{
	uint8_t vm = find_vm(r->scenario, name);

	if (vm == NAME_NONE)
		bad(r, place, "there is no vm %s", name);
	return vm;
}

static uint8_t node_member(struct reader *r, json_t *object, const char *place, const char *key)
{
	const char *name = text_of(r, object, place, key);
	char here[PLACE_SIZE];

	return name ? node_named(r, below(here, place, key), name) : NAME_NONE;
}

static uint8_t vm_member(struct reader *r, json_t *object, const char *place, const char *key)
{
	const char *name = text_of(r, object, place, key);
	char here[PLACE_SIZE];

	return name ? vm_named(r, below(here, place, key), name) : NAME_NONE;
}

// One name, a list of names, or null.
static uint32_t node_mask(struct reader *r, json_t *value, const char *place)
{
	uint32_t mask = 0;
	char here[PLACE_SIZE];

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value)) {
		uint8_t node = node_named(r, place, json_string_value(value));

		return node == NAME_NONE ? 0 : 1u << node;
	}
	if (!json_is_array(value)) {
		bad(r, place, "a node or a list of nodes is needed here");
		return 0;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *one = json_array_get(value, i);
		uint8_t node = NAME_NONE;

		if (json_is_string(one))
			node = node_named(r, element(here, place, i), json_string_value(one));
		else
			bad(r, element(here, place, i), "a node is needed here");
		if (node != NAME_NONE)
			mask |= 1u << node;
	}
	return mask;
}

// ---- cluster

static void read_placement(struct reader *r, json_t *cluster)
{
	const char *placement = text_of(r, cluster, "cluster", "placement");
	json_t *rebalance = member(r, cluster, "cluster", "rebalance", JSON_OBJECT);

	if (placement && strcmp(placement, "fewest-vms") != 0 && strcmp(placement, "fewest-vms-that-fits") != 0 &&
	    strcmp(placement, "any") != 0)
		lack(r, "placement", placement);
	if (rebalance && truth_of(r, rebalance, "cluster.rebalance", "auto", false))
		lack(r, "auto-rebalance", "");
	if (truth_of(r, cluster, "cluster", "rebalance_on_start", false))
		lack(r, "spread-at-start", "");
	if (truth_of(r, cluster, "cluster", "global_stop", false))
		lack(r, "global-stop", "");
	if (json_is_true(json_object_get(cluster, "reserve")) || json_is_object(json_object_get(cluster, "reserve")))
		lack(r, "failover-reserve", "");
}

static void read_policies(struct reader *r, json_t *cluster)
{
	static const char *const fencings[] = { "self", "device", "lease", "none", "any" };
	struct scenario *s = r->scenario;
	const char *policy = text_of(r, cluster, "cluster", "no_quorum_policy");
	const char *fencing = text_of(r, cluster, "cluster", "fencing");

	s->no_quorum = NO_QUORUM_STOP;
	if (policy && strcmp(policy, "freeze") == 0)
		s->no_quorum = NO_QUORUM_FREEZE;
	else if (policy && strcmp(policy, "self-fence") == 0)
		s->no_quorum = NO_QUORUM_SELF_FENCE;
	else if (policy && strcmp(policy, "stop") != 0 && strcmp(policy, "any") != 0)
		lack(r, "quorum-policies", policy);
	s->fencing = FENCING_ANY;
	for (uint32_t i = 0; fencing && i <= FENCING_ANY; i++) {
		if (strcmp(fencings[i], fencing) == 0) {
			s->fencing = (uint8_t)i;
			return;
		}
	}
	if (fencing)
		lack(r, "fencing", fencing);
}

static void read_cluster(struct reader *r, json_t *root)
{
	static const char *const options[] = { "two_node", "wait_for_all", "last_man_standing", "auto_tie_breaker" };
	struct scenario *s = r->scenario;
	json_t *cluster = member(r, root, "", "cluster", JSON_OBJECT), *lease;
	const char *quorum, *capacity;

	if (!cluster) {
		bad(r, "cluster", "it is missing");
		return;
	}
	quorum = text_of(r, cluster, "cluster", "quorum");
	s->quorum_given = quorum && strcmp(quorum, "given") == 0;
	if (quorum && !s->quorum_given && strcmp(quorum, "majority") != 0)
		lack(r, "quorum", quorum);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		json_t *option = json_object_get(cluster, options[i]);

		if (option && !json_is_false(option) && !json_is_null(option))
			lack(r, "quorum-options", "");
	}
	read_policies(r, cluster);
	read_placement(r, cluster);
	capacity = text_of(r, cluster, "cluster", "capacity");
	s->memory_counts = s->cpus_count = capacity && strcmp(capacity, "hard") == 0;
	lease = member(r, cluster, "cluster", "lease", JSON_OBJECT);
	s->io_timeout_s = 10;
	s->watchdog_s = 60;
	if (!lease)
		return;
	s->io_timeout_s = (uint32_t)number_in(r, lease, "cluster.lease", "io_timeout_s", 10, 60);
	s->watchdog_s = (uint32_t)number_in(r, lease, "cluster.lease", "watchdog_s", 60, 3600);
	if (s->io_timeout_s == 0)
		bad(r, "cluster.lease.io_timeout_s", "1 to 60 is meant here");
	if (s->watchdog_s != 60)
		lack(r, "lease-timers", "watchdog_s");
}

// ---- nodes

static void read_sizes(struct reader *r, json_t *object, const char *place, const char *inner, uint64_t *cpus,
		       uint64_t *memory_mib)
{
	json_t *sizes = member(r, object, place, inner, JSON_OBJECT);
	char here[PLACE_SIZE];

	if (sizes) {
		object = sizes;
		place = below(here, place, inner);
	}
	*cpus = (uint64_t)ceil(number_in(r, object, place, "cpu", (double)*cpus, 100000));
	*memory_mib = (uint64_t)ceil(number_in(r, object, place, "mem", (double)*memory_mib, MEMORY_LIMIT_MIB));
}

static void read_node(struct reader *r, json_t *object, const char *place, struct scenario_node *node)
{
	static const char *const keys[] = { "cpu", "mem", "capacity", "attrs", "power", "votes",
					    "id",  "note", "state",   NULL };
	const char *power = text_of(r, object, place, "power");
	char here[PLACE_SIZE];

	known_keys(r, object, place, keys);
	node->on = !power || strcmp(power, "off") != 0;
	if (power && node->on && strcmp(power, "on") != 0)
		bad(r, below(here, place, "power"), "on or off is meant here");
	node->id = (uint32_t)number_in(r, object, place, "id", 0, 1e9);
	if (number_in(r, object, place, "votes", 1, 1e6) != 1)
		lack(r, "node-votes", "");
	read_sizes(r, object, place, "capacity", &node->cpus, &node->memory_mib);
}

static bool name_fits(struct reader *r, const char *place, const char *name)
{
	if (*name && strlen(name) < NAME_SIZE)
		return true;
	bad(r, place, "a name of 1 to %d bytes is meant here", NAME_SIZE - 1);
	return false;
}

// By id where ids are given: the lowest one leads.
static void sort_nodes(struct scenario *s)
{
	for (uint32_t i = 1; i < s->node_count; i++) {
		for (uint32_t k = i; k > 0 && s->nodes[k - 1].id > s->nodes[k].id; k--) {
			struct scenario_node swap = s->nodes[k];

			s->nodes[k] = s->nodes[k - 1];
			s->nodes[k - 1] = swap;
		}
	}
}

static void read_nodes(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *nodes = member(r, root, "", "nodes", JSON_OBJECT), *value, *initial;
	const char *name, *leader;
	char place[PLACE_SIZE];

	if (!nodes || json_object_size(nodes) == 0) {
		bad(r, "nodes", "a cluster has at least one node");
		return;
	}
	initial = member(r, root, "", "initial", JSON_OBJECT);
	leader = initial ? text_of(r, initial, "initial", "leader") : NULL;
	json_object_foreach(nodes, name, value) {
		struct scenario_node *node = &s->nodes[s->node_count];

		below(place, "nodes", name);
		if (!json_is_object(value))
			bad(r, place, "an object is needed here");
		if (s->node_count == HOSTS_MAX) {
			lack(r, "nodes", "more than the simulator has");
			return;
		}
		if (r->bad || !name_fits(r, place, name))
			return;
		snprintf(node->name, sizeof(node->name), "%s", name);
		s->node_count++;
		read_node(r, value, place, node);
		// Whose id is not given takes the lowest when it is to lead.
		if (leader && node->id == 0 && strcmp(leader, name) != 0)
			node->id = 1;
	}
	sort_nodes(s);
}

// ---- VMs

static void read_tiers(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	json_t *tiers = member(r, object, place, "preferred", JSON_ARRAY);
	char here[PLACE_SIZE], one[PLACE_SIZE];

	vm->tier_count = 0;
	for (size_t i = 0; tiers && i < json_array_size(tiers); i++) {
		element(one, below(here, place, "preferred"), i);
		if (vm->tier_count == VM_TIERS_MAX) {
			lack(r, "preferred-owners", "more tiers");
			return;
		}
		vm->tiers[vm->tier_count++] = node_mask(r, json_array_get(tiers, i), one);
	}
}

static void read_faults(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	json_t *faults = member(r, object, place, "faults", JSON_OBJECT), *starts, *value;
	char here[PLACE_SIZE], more[PLACE_SIZE];
	const char *key;

	if (!faults)
		return;
	below(here, place, "faults");
	json_object_foreach(faults, key, value) {
		if (strcmp(key, "start_fails") != 0 && strcmp(key, "stop_fails") != 0 &&
		    strcmp(key, "migrate_fails") != 0)
			lack(r, "fault-injection", key);
	}
	value = json_object_get(faults, "stop_fails");
	vm->stop_fails = value && !json_is_false(value) && !json_is_null(value);
	starts = member(r, faults, here, "start_fails", JSON_OBJECT);
	if (!starts)
		return;
	below(more, here, "start_fails");
	vm->start_fails = (uint32_t)number_in(r, starts, more, "count", 1e6, 1e9);
	value = json_object_get(starts, "only_on");
	vm->start_fails_on = value && !json_is_null(value) ? node_mask(r, value, below(here, more, "only_on"))
							   : UINT32_MAX;
}

static void only_word(struct reader *r, json_t *object, const char *place, const char *key, const char *ours,
		      const char *capability)
{
	const char *word = text_of(r, object, place, key);

	if (word && strcmp(word, ours) != 0)
		lack(r, capability, "");
}

static enum scenario_want want_of(struct reader *r, json_t *object, const char *place)
{
	static const char *const words[WANT_COUNT] = { "running", "stopped", "disabled", "unmanaged" };
	const char *word = text_of(r, object, place, "want");
	char here[PLACE_SIZE];

	for (uint32_t i = 0; word && i < WANT_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			return (enum scenario_want)i;
	if (word)
		bad(r, below(here, place, "want"), "running, stopped, disabled or unmanaged is meant here");
	return WANT_RUNNING;
}

static void read_vm(struct reader *r, json_t *object, const char *place, struct scenario_vm *vm)
{
	static const char *const keys[] = {
		"home", "want", "cpu", "mem", "size", "load", "priority", "live", "max_restarts", "max_relocations",
		"failback", "preferred", "possible", "stickiness", "faults", "running_at_add", "migration_threshold",
		"failure_timeout", "on_stop_fail", "on_monitor_fail", "multiple_active", "requires_fencing",
		"fail_counts", "attrs", "note", "weights", "avoid", "unmanaged", "critical", NULL,
	};
	static const char *const counts[] = { "migration_threshold", "fail_counts" };
	json_t *value;
	char here[PLACE_SIZE];

	known_keys(r, object, place, keys);
	vm->home = node_member(r, object, place, "home");
	vm->want = (uint8_t)want_of(r, object, place);
	if (truth_of(r, object, place, "unmanaged", false))
		vm->want = WANT_UNMANAGED;
	read_sizes(r, object, place, "size", &vm->cpus, &vm->memory_mib);
	value = member(r, object, place, "priority", JSON_REAL);
	vm->priority = value ? (int32_t)fmax(-1e9, fmin(1e9, json_number_value(value))) : 0;
	vm->restarts_max = (uint32_t)number_in(r, object, place, "max_restarts", 1, 1000);
	vm->relocations_max = (uint32_t)number_in(r, object, place, "max_relocations", 2, 1000);
	vm->failback = truth_of(r, object, place, "failback", false);
	vm->stop_timeout_s = 20;
	value = json_object_get(object, "possible");
	vm->possible_given = value && !json_is_null(value);
	vm->possible = node_mask(r, value, below(here, place, "possible"));
	read_tiers(r, object, place, vm);
	read_faults(r, object, place, vm);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (json_object_get(object, counts[i]) && !json_is_null(json_object_get(object, counts[i])))
			lack(r, "fail-counts", "");
	if (number_in(r, object, place, "failure_timeout", 0, 1e9) > 0)
		lack(r, "failure-expiry", "");
	if (json_object_size(json_object_get(object, "weights")) > 0 || json_object_get(object, "avoid"))
		lack(r, "weak-rules", "");
	if (json_object_size(json_object_get(object, "attrs")) > 0)
		lack(r, "node-attributes", "");
	if (json_is_true(json_object_get(object, "running_at_add")))
		lack(r, "vm-add-remove", "running_at_add");
	if (json_is_false(json_object_get(object, "requires_fencing")))
		lack(r, "fencing", "not required");
	only_word(r, object, place, "on_stop_fail", "block", "per-vm-failure-policy");
	only_word(r, object, place, "on_monitor_fail", "restart", "per-vm-failure-policy");
}

static struct scenario_vm *vm_new(struct reader *r, const char *place, const char *name)
{
	struct scenario *s = r->scenario;

	if (s->vm_count == SIM_VMS_MAX) {
		lack(r, "vms", "more than the simulator has");
		return NULL;
	}
	if (!name_fits(r, place, name))
		return NULL;
	snprintf(s->vms[s->vm_count].name, NAME_SIZE, "%s", name);
	return &s->vms[s->vm_count++];
}

// A VM that an action names before any other and adds is not there at the start.
static void read_added_vm(struct reader *r, json_t *action, const char *place, bool *mentioned)
{
	const char *name = text_of(r, action, place, "vm");
	const char *act = text_of(r, action, place, "do");
	json_t *spec = member(r, action, place, "spec", JSON_OBJECT);
	bool adds = act && strcmp(act, "vm-add") == 0;
	char here[PLACE_SIZE];
	uint8_t at;

	if (!name)
		return;
	at = find_vm(r->scenario, name);
	if (adds && at == NAME_NONE) {
		if (!vm_new(r, below(here, place, "vm"), name))
			return;
		at = (uint8_t)(r->scenario->vm_count - 1);
		if (!spec)
			bad(r, place, "the new vm has no spec");
	}
	if (at == NAME_NONE)
		return;
	if (adds && !mentioned[at]) {
		r->scenario->vms[at].from_start = false;
		if (spec && json_object_size(spec) > 0)
			read_vm(r, spec, below(here, place, "spec"), &r->scenario->vms[at]);
	}
	mentioned[at] = true;
}

static void read_vms(struct reader *r, json_t *root)
{
	json_t *vms = member(r, root, "", "vms", JSON_OBJECT), *value, *steps;
	bool mentioned[SIM_VMS_MAX + 1] = { false };
	const char *name;
	char place[PLACE_SIZE];

	json_object_foreach(vms, name, value) {
		struct scenario_vm *vm = vm_new(r, below(place, "vms", name), name);

		if (!json_is_object(value))
			bad(r, place, "an object is needed here");
		if (r->bad || !vm)
			return;
		vm->from_start = true;
		read_vm(r, value, place, vm);
	}
	steps = member(r, root, "", "steps", JSON_ARRAY);
	for (size_t i = 0; i < json_array_size(steps) && !r->bad; i++) {
		json_t *actions = json_object_get(json_array_get(steps, i), "do");

		for (size_t k = 0; k < json_array_size(actions); k++) {
			snprintf(place, sizeof(place), "steps[%zu].do[%zu]", i, k);
			read_added_vm(r, json_array_get(actions, k), place, mentioned);
		}
	}
}

// ---- rules

static void read_rules(struct reader *r, json_t *root)
{
	static const char *const single[] = { "vm", "leader", "first", "then" };
	static const struct {
		const char *kind, *capability;
	} others[] = { { "one-at-a-time", "move-concurrency-limit" }, { "any-of-first", "any-of-dependency" } };
	json_t *rules = member(r, root, "", "rules", JSON_ARRAY);
	char place[PLACE_SIZE], here[PLACE_SIZE];

	for (size_t i = 0; i < json_array_size(rules) && !r->bad; i++) {
		json_t *rule = json_array_get(rules, i), *vms;
		const char *kind = text_of(r, rule, element(place, "rules", i), "kind");

		if (!kind) {
			bad(r, place, "the rule has no kind");
			return;
		}
		for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
			if (strcmp(others[k].kind, kind) == 0)
				kind = others[k].capability;
		scenario_lacks(r->scenario, kind);
		if (!truth_of(r, rule, place, "strict", true))
			lack(r, "weak-rules", "");
		for (size_t k = 0; k < sizeof(single) / sizeof(single[0]); k++)
			if (json_is_string(json_object_get(rule, single[k])))
				vm_member(r, rule, place, single[k]);
		vms = json_object_get(rule, "vms");
		for (size_t k = 0; k < json_array_size(vms); k++) {
			const char *name = json_string_value(json_array_get(vms, k));

			snprintf(here, sizeof(here), "rules[%zu].vms[%zu]", i, k);
			if (!name)
				bad(r, here, "a vm is needed here");
			else
				vm_named(r, here, name);
		}
	}
}

// ---- the situation at the start

static void read_initial_nodes(struct reader *r, json_t *initial)
{
	static const struct {
		const char *word;
		enum scenario_node_state state;
	} words[] = {
		{ "online", AT_ONLINE },   { "offline", AT_OFFLINE },	      { "unclean", AT_UNCLEAN },
		{ "fencing", AT_FENCING }, { "maintenance", AT_MAINTENANCE }, { "unmanaged", AT_UNMANAGED },
		{ "pending", AT_PENDING },
	};
	json_t *nodes = member(r, initial, "initial", "nodes", JSON_OBJECT), *value;
	const char *name;
	char place[PLACE_SIZE];

	json_object_foreach(nodes, name, value) {
		const char *word = json_string_value(value);
		uint8_t node = node_named(r, below(place, "initial.nodes", name), name);
		size_t i = 0;

		if (!word || node == NAME_NONE) {
			bad(r, place, "a state is needed here");
			return;
		}
		while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].word, word) != 0)
			i++;
		if (i == sizeof(words) / sizeof(words[0])) {
			lack(r, "initial-state", word);
			continue;
		}
		r->scenario->nodes[node].state = (uint8_t)words[i].state;
		if (words[i].state == AT_MAINTENANCE)
			lack(r, "node-maintenance", "");
	}
}

static void read_initial_vm(struct reader *r, json_t *value, const char *place, json_t *root,
			    struct scenario_vm *vm)
{
	static const char *const words[VM_AT_COUNT] = { "stopped", "running", "failed",	 "blocked",
							"double",  "waiting", "error",	 "unmanaged" };
	const char *word = text_of(r, value, place, "state"), *policy;
	char here[PLACE_SIZE];
	bool runs;

	if (!word) {
		bad(r, place, "its state is missing");
		return;
	}
	vm->state = VM_AT_COUNT;
	for (uint32_t i = 0; i < VM_AT_COUNT; i++)
		if (strcmp(words[i], word) == 0)
			vm->state = (uint8_t)i;
	vm->on = node_mask(r, json_object_get(value, "on"), below(here, place, "on"));
	if (json_object_get(value, "to"))
		node_mask(r, json_object_get(value, "to"), below(here, place, "to"));
	if (strcmp(word, "migrating") == 0)
		lack(r, "in-flight-migration", "");
	else if (vm->state == VM_AT_COUNT)
		lack(r, "initial-state", word);
	runs = vm->state == VM_AT_RUNNING || vm->state == VM_AT_FAILED || vm->state == VM_AT_BLOCKED;
	if (runs && (vm->on == 0 || (vm->on & (vm->on - 1)) != 0))
		bad(r, place, "a vm that is %s is on one node", word);
	if (vm->state != VM_AT_DOUBLE)
		return;
	if (vm->on == 0 || (vm->on & (vm->on - 1)) == 0)
		bad(r, place, "a vm that runs twice is on two nodes");
	policy = text_of(r, json_object_get(json_object_get(root, "vms"), vm->name), "vms", "multiple_active");
	if (!policy || strcmp(policy, "stop-unexpected") != 0)
		lack(r, "per-vm-failure-policy", "");
}

static void read_initial(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *initial = member(r, root, "", "initial", JSON_OBJECT), *vms, *value;
	const char *name;
	char place[PLACE_SIZE];

	s->leader = NAME_NONE;
	s->quorate = true;
	for (uint32_t i = 0; i < s->node_count; i++)
		s->nodes[i].state = s->nodes[i].on ? AT_ONLINE : AT_OFFLINE;
	if (!initial)
		return;
	s->initial = true;
	s->quorate = truth_of(r, initial, "initial", "quorate", true);
	s->leader = node_member(r, initial, "initial", "leader");
	read_initial_nodes(r, initial);
	vms = member(r, initial, "initial", "vms", JSON_OBJECT);
	json_object_foreach(vms, name, value) {
		uint8_t vm = vm_named(r, below(place, "initial.vms", name), name);

		if (vm != NAME_NONE)
			read_initial_vm(r, value, place, root, &s->vms[vm]);
	}
}

// ---- steps

static void read_groups(struct reader *r, json_t *object, const char *place, struct scenario_action *action)
{
	json_t *groups = member(r, object, place, "groups", JSON_ARRAY);
	char here[PLACE_SIZE], one[PLACE_SIZE];

	memset(action->group, NAME_NONE, sizeof(action->group));
	if (!groups)
		bad(r, place, "a partition has groups");
	for (size_t i = 0; i < json_array_size(groups); i++) {
		uint32_t mask;

		element(one, below(here, place, "groups"), i);
		mask = node_mask(r, json_array_get(groups, i), one);
		for (uint32_t n = 0; n < r->scenario->node_count; n++) {
			if (!(mask >> n & 1))
				continue;
			if (action->group[n] != NAME_NONE)
				bad(r, one, "node %s is in two groups", r->scenario->nodes[n].name);
			action->group[n] = (uint8_t)i;
		}
	}
}

static bool needs_node(enum scenario_do act)
{
	return act == DO_POWER_ON || act == DO_POWER_OFF || act == DO_NET_OFF || act == DO_NET_ON ||
	       act == DO_UNMANAGE_NODE || act == DO_MANAGE_NODE || act == DO_MANAGER_STOP ||
	       act == DO_MANAGER_START || act == DO_AGENT_RESTART || act == DO_AGENT_KILL ||
	       act == DO_AGENT_STALL || act == DO_NODE_LEAVE || act == DO_NODE_JOIN;
}

static bool needs_vm(enum scenario_do act)
{
	return act == DO_VM_WANT || act == DO_VM_STOP || act == DO_VM_ADD || act == DO_VM_REMOVE ||
	       act == DO_VM_CRASH || act == DO_VM_RESIZE;
}

static void read_action(struct reader *r, json_t *object, const char *place, struct scenario_action *action)
{
	const char *word = text_of(r, object, place, "do");
	enum scenario_do act;

	if (!word) {
		bad(r, place, "what is to be done is missing");
		return;
	}
	action->node = node_member(r, object, place, "node");
	action->vm = vm_member(r, object, place, "vm");
	action->to = node_member(r, object, place, "to");
	if (!do_of(word, &act)) {
		lack(r, "action", word);
		return;
	}
	action->act = (uint8_t)act;
	if (*do_lack(act))
		scenario_lacks(r->scenario, do_lack(act));
	if (needs_node(act) && action->node == NAME_NONE)
		bad(r, place, "%s names a node", word);
	if (needs_vm(act) && action->vm == NAME_NONE)
		bad(r, place, "%s names a vm", word);
	if (act == DO_PARTITION)
		read_groups(r, object, place, action);
	if (act == DO_VM_WANT)
		action->want = (uint8_t)want_of(r, object, place);
	action->for_s = number_in(r, object, place, "for_s", 0, 1e6);
	action->timeout_s = (uint64_t)number_in(r, object, place, "timeout", 20, 86400);
	action->deaf = truth_of(r, object, place, "vms_ignore_polite_stop", false);
	action->unkillable = truth_of(r, object, place, "vms_unkillable", false);
	if (act == DO_VM_RESIZE) {
		action->cpus = r->scenario->vms[action->vm % SIM_VMS_MAX].cpus;
		action->memory_mib = r->scenario->vms[action->vm % SIM_VMS_MAX].memory_mib;
		read_sizes(r, object, place, "size", &action->cpus, &action->memory_mib);
	}
}

static void read_wait(struct reader *r, json_t *object, const char *place, struct scenario_step *step)
{
	static const char *const words[] = { "settle", "detected", "none" };
	json_t *wait = json_object_get(object, "wait");
	char here[PLACE_SIZE];

	if (!wait)
		return;
	if (json_is_number(wait) && json_number_value(wait) >= 0 && json_number_value(wait) <= 1e6) {
		step->wait = WAIT_SECONDS;
		step->wait_s = json_number_value(wait);
		return;
	}
	for (uint32_t i = 0; json_is_string(wait) && i < 3; i++) {
		if (strcmp(words[i], json_string_value(wait)) == 0) {
			step->wait = (uint8_t)i;
			return;
		}
	}
	bad(r, below(here, place, "wait"), "settle, detected, none or seconds are meant here");
}

static void read_steps(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *steps = member(r, root, "", "steps", JSON_ARRAY);
	char place[PLACE_SIZE], here[PLACE_SIZE];

	if (!steps)
		bad(r, "steps", "they are missing");
	if (json_array_size(steps) > STEPS_MAX)
		bad(r, "steps", "more than %d", STEPS_MAX);
	for (size_t i = 0; i < json_array_size(steps) && !r->bad; i++) {
		struct scenario_step *step = &s->steps[s->step_count++];
		json_t *object = json_array_get(steps, i), *actions;

		if (!json_is_object(object))
			bad(r, element(place, "steps", i), "an object is needed here");
		actions = member(r, object, element(place, "steps", i), "do", JSON_ARRAY);
		read_wait(r, object, place, step);
		if (json_array_size(actions) > ACTIONS_MAX)
			bad(r, place, "more than %d actions", ACTIONS_MAX);
		if (r->bad)
			return;
		step->actions = calloc(json_array_size(actions) + 1, sizeof(*step->actions));
		for (size_t k = 0; step->actions && k < json_array_size(actions); k++) {
			snprintf(here, sizeof(here), "steps[%zu].do[%zu]", i, k);
			read_action(r, json_array_get(actions, k), here, &step->actions[step->count++]);
		}
	}
}

// ---- questions

static void write_key(struct paper *paper, json_t *value);

// The shortest that reads back as the same number, as Python writes it.
static void write_real(struct paper *paper, double number)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	paper_add(paper, "%s%s", text, strpbrk(text, ".en") ? "" : ".0");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_object(struct paper *paper, json_t *value)
{
	const char **keys = calloc(json_object_size(value) + 1, sizeof(*keys));
	const char *key;
	json_t *one;
	size_t count = 0;

	json_object_foreach(value, key, one)
		keys[count++] = key;
	qsort(keys, count, sizeof(*keys), by_name);
	paper_add(paper, "{");
	for (size_t i = 0; i < count; i++) {
		paper_add(paper, i ? ", " : "");
		paper_add_json(paper, keys[i]);
		paper_add(paper, ": ");
		write_key(paper, json_object_get(value, keys[i]));
	}
	paper_add(paper, "}");
	free(keys);
}

// As Python's json.dumps(value, sort_keys=True) does.
static void write_key(struct paper *paper, json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(paper, value);
		break;
	case JSON_ARRAY:
		paper_add(paper, "[");
		for (size_t i = 0; i < json_array_size(value); i++) {
			paper_add(paper, i ? ", " : "");
			write_key(paper, json_array_get(value, i));
		}
		paper_add(paper, "]");
		break;
	case JSON_STRING:
		paper_add_json(paper, json_string_value(value));
		break;
	case JSON_INTEGER:
		paper_add(paper, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		write_real(paper, json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		paper_add(paper, json_is_true(value) ? "true" : "false");
		break;
	case JSON_NULL:
		paper_add(paper, "null");
		break;
	}
}

static void read_question(struct reader *r, json_t *object, const char *place, struct scenario_question *question)
{
	static const char *const kinds[] = { "config", "quorate", "lease", "prop" };
	const char *a = text_of(r, object, place, "a"), *what = text_of(r, object, place, "what");
	struct paper key = { 0 };
	char here[PLACE_SIZE];
	size_t i = 0;

	while (a && i < 4 && strcmp(kinds[i], a) != 0)
		i++;
	if (!a || i == 4) {
		if (a)
			lack(r, "question", a);
		else
			bad(r, place, "a question is an object with an \"a\"");
		return;
	}
	if (strcmp(a, "config") == 0)
		scenario_lacks(r->scenario, "config-check");
	snprintf(question->a, sizeof(question->a), "%s", a);
	snprintf(question->what, sizeof(question->what), "%s", what ? what : "");
	question->step = (uint32_t)number_in(r, object, place, "step", 0, STEPS_MAX);
	question->partition =
		node_mask(r, json_object_get(object, "partition"), below(here, place, "partition"));
	if (strcmp(a, "quorate") == 0 && question->step >= r->scenario->step_count)
		bad(r, below(here, place, "step"), "there is no step %u", (unsigned int)question->step);
	write_key(&key, object);
	question->key = key.text;
}

static void read_questions(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *questions = member(r, root, "", "questions", JSON_ARRAY);
	char place[PLACE_SIZE];

	if (json_array_size(questions) > QUESTIONS_MAX)
		bad(r, "questions", "more than %d", QUESTIONS_MAX);
	for (size_t i = 0; i < json_array_size(questions) && !r->bad; i++)
		read_question(r, json_array_get(questions, i), element(place, "questions", i),
			      &s->questions[s->question_count++]);
}

// ---- the whole

static void read_head(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	const char *format = text_of(r, root, "", "format"), *id = text_of(r, root, "", "id");
	const char *mode = text_of(r, root, "", "mode");
	json_t *requires = member(r, root, "", "requires", JSON_ARRAY);
	enum scenario_mode found = MODE_TIMELINE;
	char place[PLACE_SIZE];

	if (!format || strcmp(format, "ha-scenario/1") != 0)
		bad(r, "format", "ha-scenario/1 is meant here");
	if (!id || !*id || strlen(id) >= sizeof(s->id))
		bad(r, "id", "a name is needed here");
	if (!mode || !mode_of(mode, &found))
		bad(r, "mode", "timeline, solve, config, quorum, lease or property is meant here");
	if (r->bad)
		return;
	snprintf(s->id, sizeof(s->id), "%s", id);
	s->mode = (uint8_t)found;
	if (found == MODE_CONFIG)
		scenario_lacks(s, "config-check");
	for (size_t i = 0; i < json_array_size(requires); i++) {
		const char *name = json_string_value(json_array_get(requires, i));

		if (!name)
			bad(r, element(place, "requires", i), "a capability is needed here");
		else
			scenario_lacks(s, name);
	}
}

// Processors are not counted by the product: where they could decide, the scenario is not for it yet.
static void capacity_close(struct reader *r)
{
	struct scenario *s = r->scenario;
	uint64_t wanted = 0, least = UINT64_MAX;

	for (uint32_t i = 0; i < s->vm_count; i++)
		wanted += s->vms[i].cpus;
	for (uint32_t i = 0; i < s->node_count; i++)
		if (s->nodes[i].cpus > 0 && s->nodes[i].cpus < least)
			least = s->nodes[i].cpus;
	if (s->cpus_count && wanted > least)
		lack(r, "capacity-hard", "cpu");
}

bool scenario_read(struct scenario *scenario, const char *path, char *problem, size_t size)
{
	struct reader r = { .scenario = scenario, .problem = problem, .size = size };
	json_error_t error;
	json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	memset(scenario, 0, sizeof(*scenario));
	if (!root && error.line <= 0) {
		snprintf(problem, size, "%s", error.text);
		return false;
	}
	if (!root) {
		snprintf(problem, size, "line %d, column %d: %s", error.line, error.column, error.text);
		return false;
	}
	if (!json_is_object(root))
		bad(&r, "line 1", "an object is needed here");
	if (!r.bad)
		read_head(&r, root);
	if (!r.bad)
		read_cluster(&r, root);
	if (!r.bad)
		read_nodes(&r, root);
	if (!r.bad)
		read_vms(&r, root);
	if (!r.bad)
		read_rules(&r, root);
	if (!r.bad)
		read_initial(&r, root);
	if (!r.bad)
		read_steps(&r, root);
	if (!r.bad)
		read_questions(&r, root);
	if (!r.bad)
		capacity_close(&r);
	json_decref(root);
	return !r.bad;
}

void scenario_free(struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->step_count; i++)
		free(scenario->steps[i].actions);
	for (uint32_t i = 0; i < scenario->question_count; i++)
		free(scenario->questions[i].key);
}
