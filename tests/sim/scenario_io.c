// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a scenario. What is malformed, or names what does not exist, is refused with its place;
 * what the product cannot do yet is collected by name. `expect` is never looked at.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/text.h"
#include "resources/definition_text.h"
#include "tests/sim/scenario_reader.h"

void reader_bad(struct reader *r, const char *place, const char *format, ...)
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

void reader_lack(struct reader *r, const char *kind, const char *word)
{
	char name[160];

	snprintf(name, sizeof(name), "%s%s%s", kind, *word ? ":" : "", word);
	scenario_lacks(r->scenario, name);
}

const char *place_below(char *buf, const char *place, const char *key)
{
	struct text text = text_in(buf, PLACE_SIZE);

	text_add(text_add(text_add(&text, place), *place ? "." : ""), key);
	return buf;
}

const char *place_element(char *buf, const char *place, size_t index)
{
	struct text text = text_in(buf, PLACE_SIZE);

	text_add(text_add_number(text_add(text_add(&text, place), "["), index), "]");
	return buf;
}

// A member of that type; NULL when it is not there, or is null.
json_t *read_member(struct reader *r, json_t *object, const char *place, const char *key,
		    json_type type)
{
	static const char *const words[] = { "an object",      "an array", "a string",
					     "a whole number", "a number", "true or false",
					     "true or false",  "null" };
	json_t *value = json_object_get(object, key);
	char here[PLACE_SIZE];

	if (!value || json_is_null(value))
		return NULL;
	if (json_typeof(value) == type || (type == JSON_TRUE && json_is_boolean(value)) ||
	    (type == JSON_REAL && json_is_number(value)))
		return value;
	reader_bad(r, place_below(here, place, key), "%s is needed here", words[type]);
	return NULL;
}

const char *read_text(struct reader *r, json_t *object, const char *place, const char *key)
{
	json_t *value = read_member(r, object, place, key, JSON_STRING);

	return value ? json_string_value(value) : NULL;
}

double read_number(struct reader *r, json_t *object, const char *place, const char *key,
		   double otherwise, double most)
{
	json_t *value = read_member(r, object, place, key, JSON_REAL);
	double number = value ? json_number_value(value) : otherwise;
	char here[PLACE_SIZE];

	if (value && !(number >= 0 && number <= most)) {
		reader_bad(r, place_below(here, place, key), "0 to %.0f is meant here", most);
		return otherwise;
	}
	return number;
}

bool read_truth(struct reader *r, json_t *object, const char *place, const char *key,
		bool otherwise)
{
	json_t *value = read_member(r, object, place, key, JSON_TRUE);

	return value ? json_is_true(value) : otherwise;
}

void read_known_keys(struct reader *r, json_t *object, const char *place, const char *const *keys)
{
	const char *key;
	json_t *value;
	char here[PLACE_SIZE];

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (!keys[i])
			reader_bad(r, place_below(here, place, key), "this is not known");
	}
}

// ---- names

uint8_t read_node_named(struct reader *r, const char *place, const char *name)
{
	for (uint32_t i = 0; i < r->scenario->node_count; i++)
		if (strcmp(r->scenario->nodes[i].name, name) == 0)
			return (uint8_t)i;
	reader_bad(r, place, "there is no node %s", name);
	return NAME_NONE;
}

uint16_t reader_find_vm(const struct scenario *scenario, const char *name)
{
	for (uint32_t i = 0; i < scenario->vm_count; i++)
		if (strcmp(scenario->vms[i].name, name) == 0)
			return (uint16_t)i;
	return VM_NONE;
}

uint16_t read_vm_named(struct reader *r, const char *place, const char *name)
{
	uint16_t vm = reader_find_vm(r->scenario, name);

	if (vm == VM_NONE)
		reader_bad(r, place, "there is no vm %s", name);
	return vm;
}

uint8_t read_node_member(struct reader *r, json_t *object, const char *place, const char *key)
{
	const char *name = read_text(r, object, place, key);
	char here[PLACE_SIZE];

	return name ? read_node_named(r, place_below(here, place, key), name) : NAME_NONE;
}

uint16_t read_vm_member(struct reader *r, json_t *object, const char *place, const char *key)
{
	const char *name = read_text(r, object, place, key);
	char here[PLACE_SIZE];

	return name ? read_vm_named(r, place_below(here, place, key), name) : VM_NONE;
}

// One name, a list of names, or null.
uint64_t read_node_mask(struct reader *r, json_t *value, const char *place)
{
	uint64_t mask = 0;
	char here[PLACE_SIZE];

	if (!value || json_is_null(value))
		return 0;
	if (json_is_string(value)) {
		uint8_t node = read_node_named(r, place, json_string_value(value));

		return node == NAME_NONE ? 0 : NODE_BIT(node);
	}
	if (!json_is_array(value)) {
		reader_bad(r, place, "a node or a list of nodes is needed here");
		return 0;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *one = json_array_get(value, i);
		uint8_t node = NAME_NONE;

		if (json_is_string(one))
			node = read_node_named(r, place_element(here, place, i),
					       json_string_value(one));
		else
			reader_bad(r, place_element(here, place, i), "a node is needed here");
		if (node != NAME_NONE)
			mask |= NODE_BIT(node);
	}
	return mask;
}

// ---- cluster

static void read_strategy(struct reader *r, const char *placement)
{
	static const struct {
		const char *word;
		enum placement_strategy strategy;
	} words[] = { { "fewest-vms", PLACEMENT_FEWEST_VMS },
		      { "fewest-vms-that-fits", PLACEMENT_FEWEST_VMS },
		      { "any", PLACEMENT_FEWEST_VMS },
		      { "most-free-capacity", PLACEMENT_MOST_FREE },
		      { "lowest-relative-configured-load", PLACEMENT_CONFIGURED },
		      { "lowest-relative-measured-load", PLACEMENT_MEASURED },
		      { "pack", PLACEMENT_PACK } };

	for (size_t i = 0; placement && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, placement) == 0) {
			r->scenario->placement = (uint8_t)words[i].strategy;
			return;
		}
	}
	if (placement)
		reader_lack(r, "placement", placement);
}

// The product's words are the format's.
static uint32_t read_word(struct reader *r, json_t *cluster, const char *key,
			  const char words[][WORD_SIZE], uint32_t otherwise)
{
	const char *word = read_text(r, cluster, "cluster", key);

	for (uint32_t i = 0; word && words[i][0]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	if (word && strcmp(word, "any") != 0 && strcmp(word, "none") != 0)
		reader_lack(r, key, word);
	return otherwise;
}

// A share of one, or percent.
static uint32_t read_share(struct reader *r, json_t *object, const char *place, const char *key,
			   double otherwise)
{
	double share = read_number(r, object, place, key, otherwise, 1000);

	return (uint32_t)fmax(1, fmin(100, round(share <= 1.5 ? share * 100 : share)));
}

static void read_rebalance(struct reader *r, json_t *cluster)
{
	static const char place[] = "cluster.rebalance";
	json_t *object = json_object_get(cluster, "rebalance");
	struct scenario *s = r->scenario;

	s->balances = json_is_true(object);
	object = s->balances || json_is_false(object)
			 ? NULL
			 : read_member(r, cluster, "cluster", "rebalance", JSON_OBJECT);
	if (object)
		s->balances = read_truth(r, object, place, "auto", false);
	s->imbalance = read_share(r, object, place, "threshold", 0.3);
	s->balance_gain = read_share(r, object, place, "min_gain", 0.1);
	s->balance_hold_s = (uint32_t)fmax(1, read_number(r, object, place, "hold_s", 60, 86400));
	s->evens = s->balances;
}

static void read_placement(struct reader *r, json_t *cluster)
{
	const char *placement = read_text(r, cluster, "cluster", "placement");

	read_strategy(r, placement);
	read_rebalance(r, cluster);
	r->scenario->spread = read_truth(r, cluster, "cluster", "rebalance_on_start", false);
	r->scenario->global_stop = read_truth(r, cluster, "cluster", "global_stop", false);
	r->scenario->shutdown = (uint8_t)read_word(r, cluster, "shutdown_policy",
						   shutdown_policy_words, SHUTDOWN_CONDITIONAL);
	r->scenario->health = (uint8_t)read_word(r, cluster, "health_policy", health_policy_words,
						 HEALTH_IGNORED);
	if (json_is_true(json_object_get(cluster, "reserve")) ||
	    json_is_object(json_object_get(cluster, "reserve")))
		reader_lack(r, "failover-reserve", "");
}

static void read_policies(struct reader *r, json_t *cluster)
{
	static const char *const fencings[] = { "self", "device", "lease", "none", "any" };
	struct scenario *s = r->scenario;
	const char *policy = read_text(r, cluster, "cluster", "no_quorum_policy");
	const char *fencing = read_text(r, cluster, "cluster", "fencing");

	s->no_quorum = NO_QUORUM_STOP;
	if (policy && strcmp(policy, "freeze") == 0)
		s->no_quorum = NO_QUORUM_FREEZE;
	else if (policy && strcmp(policy, "self-fence") == 0)
		s->no_quorum = NO_QUORUM_SELF_FENCE;
	else if (policy && strcmp(policy, "stop") != 0 && strcmp(policy, "any") != 0)
		reader_lack(r, "quorum-policies", policy);
	s->fencing = FENCING_ANY;
	for (uint32_t i = 0; fencing && i <= FENCING_ANY; i++) {
		if (strcmp(fencings[i], fencing) == 0) {
			s->fencing = (uint8_t)i;
			return;
		}
	}
	if (fencing)
		reader_lack(r, "fencing", fencing);
}

static void read_cluster(struct reader *r, json_t *root)
{
	static const char *const options[] = { "two_node", "wait_for_all", "last_man_standing",
					       "auto_tie_breaker" };
	struct scenario *s = r->scenario;
	json_t *cluster = read_member(r, root, "", "cluster", JSON_OBJECT), *lease;
	const char *quorum, *capacity;

	if (!cluster) {
		reader_bad(r, "cluster", "it is missing");
		return;
	}
	quorum = read_text(r, cluster, "cluster", "quorum");
	s->quorum_given = quorum && strcmp(quorum, "given") == 0;
	if (quorum && !s->quorum_given && strcmp(quorum, "majority") != 0)
		reader_lack(r, "quorum", quorum);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		json_t *option = json_object_get(cluster, options[i]);

		if (option && !json_is_false(option) && !json_is_null(option))
			reader_lack(r, "quorum-options", "");
	}
	read_policies(r, cluster);
	read_placement(r, cluster);
	capacity = read_text(r, cluster, "cluster", "capacity");
	s->memory_counts = s->cpus_count = capacity && strcmp(capacity, "hard") == 0;
	lease = read_member(r, cluster, "cluster", "lease", JSON_OBJECT);
	s->io_timeout_s = 10;
	s->watchdog_s = 60;
	if (!lease)
		return;
	s->io_timeout_s = (uint32_t)read_number(r, lease, "cluster.lease", "io_timeout_s", 10, 60);
	s->watchdog_s = (uint32_t)read_number(r, lease, "cluster.lease", "watchdog_s", 60, 3600);
	if (s->io_timeout_s == 0)
		reader_bad(r, "cluster.lease.io_timeout_s", "1 to 60 is meant here");
	if (s->watchdog_s != 60)
		reader_lack(r, "lease-timers", "watchdog_s");
}

// ---- nodes

void read_sizes(struct reader *r, json_t *object, const char *place, const char *inner,
		uint64_t *cpus, uint64_t *memory_mib)
{
	json_t *sizes = read_member(r, object, place, inner, JSON_OBJECT);
	char here[PLACE_SIZE];

	if (sizes) {
		object = sizes;
		place = place_below(here, place, inner);
	}
	*cpus = (uint64_t)ceil(read_number(r, object, place, "cpu", (double)*cpus, 100000));
	*memory_mib = (uint64_t)ceil(
		read_number(r, object, place, "mem", (double)*memory_mib, MEMORY_LIMIT_MIB));
}

// Their values are words, as the product's are.
static void read_attributes(struct reader *r, json_t *object, const char *place,
			    struct scenario_node *node)
{
	json_t *attrs = read_member(r, object, place, "attrs", JSON_OBJECT), *value;
	const char *key;

	json_object_foreach(attrs, key, value)
	{
		struct attribute_def *attribute = &node->attributes[node->attribute_count];
		const char *text = json_string_value(value);

		if (node->attribute_count == ATTRIBUTES_MAX || !text || strlen(key) >= TAG_SIZE ||
		    strlen(text) >= TAG_SIZE) {
			reader_lack(r, "node-attributes", key);
			continue;
		}
		snprintf(attribute->name, sizeof(attribute->name), "%s", key);
		snprintf(attribute->value, sizeof(attribute->value), "%s", text);
		node->attribute_count++;
	}
}

static void read_node(struct reader *r, json_t *object, const char *place,
		      struct scenario_node *node)
{
	static const char *const keys[] = { "cpu",   "mem", "capacity", "attrs", "power",
					    "votes", "id",  "note",	"state", NULL };
	const char *power = read_text(r, object, place, "power");
	char here[PLACE_SIZE];

	read_known_keys(r, object, place, keys);
	node->on = !power || strcmp(power, "off") != 0;
	if (power && node->on && strcmp(power, "on") != 0)
		reader_bad(r, place_below(here, place, "power"), "on or off is meant here");
	node->id = (uint32_t)read_number(r, object, place, "id", 0, 1e9);
	if (read_number(r, object, place, "votes", 1, 1e6) != 1)
		reader_lack(r, "node-votes", "");
	read_sizes(r, object, place, "capacity", &node->cpus, &node->memory_mib);
	read_attributes(r, object, place, node);
}

bool read_name_fits(struct reader *r, const char *place, const char *name)
{
	if (*name && strlen(name) < NAME_SIZE)
		return true;
	reader_bad(r, place, "a name of 1 to %d bytes is meant here", NAME_SIZE - 1);
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
	json_t *nodes = read_member(r, root, "", "nodes", JSON_OBJECT), *value, *initial;
	const char *name, *leader;
	char place[PLACE_SIZE];

	if (!nodes || json_object_size(nodes) == 0) {
		reader_bad(r, "nodes", "a cluster has at least one node");
		return;
	}
	initial = read_member(r, root, "", "initial", JSON_OBJECT);
	leader = initial ? read_text(r, initial, "initial", "leader") : NULL;
	json_object_foreach(nodes, name, value)
	{
		struct scenario_node *node = &s->nodes[s->node_count];

		place_below(place, "nodes", name);
		if (!json_is_object(value))
			reader_bad(r, place, "an object is needed here");
		if (s->node_count == HOSTS_MAX) {
			reader_lack(r, "nodes", "more than the simulator has");
			r->cut = true;
			return;
		}
		if (r->bad || !read_name_fits(r, place, name))
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

// ---- the whole

static void read_head(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	const char *format = read_text(r, root, "", "format"), *id = read_text(r, root, "", "id");
	const char *mode = read_text(r, root, "", "mode");
	json_t *requires = read_member(r, root, "", "requires", JSON_ARRAY);
	enum scenario_mode found = MODE_TIMELINE;
	char place[PLACE_SIZE];

	if (!format || strcmp(format, "ha-scenario/1") != 0)
		reader_bad(r, "format", "ha-scenario/1 is meant here");
	if (!id || !*id || strlen(id) >= sizeof(s->id))
		reader_bad(r, "id", "a name is needed here");
	if (!mode || !mode_of(mode, &found))
		reader_bad(r, "mode",
			   "timeline, solve, config, quorum, lease or property is meant here");
	if (r->bad)
		return;
	snprintf(s->id, sizeof(s->id), "%s", id);
	s->mode = (uint8_t)found;
	if (found == MODE_CONFIG)
		scenario_lacks(s, "config-check");
	for (size_t i = 0; i < json_array_size(requires); i++) {
		const char *name = json_string_value(json_array_get(requires, i));

		if (!name)
			reader_bad(r, place_element(place, "requires", i),
				   "a capability is needed here");
		else
			scenario_lacks(s, name);
		s->random |= name && strcmp(name, "scripted-random-runs") == 0;
	}
}

// A VM's CPUs have a bound in its definition; where nothing can bind, they do not count.
static void capacity_close(struct reader *r)
{
	struct scenario *s = r->scenario;
	uint64_t wanted = 0, least = UINT64_MAX;

	for (uint32_t i = 0; i < s->vm_count; i++) {
		wanted += s->vms[i].cpus;
		if (s->cpus_count && s->vms[i].cpus > SCENARIO_CPUS_MAX)
			reader_lack(r, "capacity-hard", "cpu");
	}
	for (uint32_t i = 0; i < s->node_count; i++)
		if (s->nodes[i].cpus > 0 && s->nodes[i].cpus < least)
			least = s->nodes[i].cpus;
	s->cpus_count = s->cpus_count && wanted > least;
}

static void read_all(struct reader *r, json_t *root)
{
	static void (*const parts[])(struct reader * r, json_t * root) = {
		read_head,  read_cluster, read_nodes, read_vms,
		read_rules, read_initial, read_steps, read_questions,
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !r->bad && !r->cut; i++)
		parts[i](r, root);
	if (r->bad || r->cut)
		return;
	weights_close(r);
	capacity_close(r);
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
		snprintf(problem, size, "line %d, column %d: %s", error.line, error.column,
			 error.text);
		return false;
	}
	if (!json_is_object(root))
		reader_bad(&r, "line 1", "an object is needed here");
	if (!r.bad)
		read_all(&r, root);
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
