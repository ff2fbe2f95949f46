// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/cpu.h"
#include "resources/definition_reader.h"
#include "resources/definition_text.h"

static const char *const name_expected =
	"must be 1 to 63 letters, digits, '.', '_' or '-', the first a letter or digit";

bool definition_unique(const struct walk *walk, const struct xml_element *element,
		       const char *attribute, const char *kind, const char *value)
{
	struct definition_place place = walk_attribute_place(walk, element, attribute);
	const struct seen *first;
	char key[PATH_SIZE + 32];

	snprintf(key, sizeof(key), "%s %s", kind, value);
	first = definition_seen(walk->reader, key, place, false);
	if (first)
		definition_fault(walk->reader, place, "%s %s is already defined at %s:%u:%u", kind,
				 value, first->place.file, first->place.line, first->place.column);
	return !first;
}

bool definition_name_read(const struct walk *walk, const struct xml_element *element,
			  const char *kind, char *name)
{
	const char *text = walk_attribute(walk, element, "name", true);

	if (!text)
		return false;
	if (!name_is_good(text, NAME_SIZE - 1)) {
		walk_fault_attribute(walk, element, "name", name_expected);
		return false;
	}
	snprintf(name, NAME_SIZE, "%s", text);
	return definition_unique(walk, element, "name", kind, name);
}

static void no_quorum_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "policy", "hold", NULL };
	static const struct child_rule none[] = { { 0 } };
	struct cluster_def *def = target;
	const char *hold = walk_attribute(walk, element, "hold", false);
	uint32_t seconds;

	walk_attributes(walk, element, names);
	walk_children(walk, element, none, NULL);
	walk_word(walk, element, "policy", no_quorum_words, false, &def->no_quorum);
	if (!hold)
		return;
	if (duration_parse(hold, &seconds) && seconds >= HOLD_MIN_S && seconds <= HOLD_MAX_S)
		def->no_quorum_hold_s = seconds;
	else
		walk_fault_attribute(walk, element, "hold",
				     "must be a time from 5s to one day (60s)");
}

static void attributeless(const struct walk *walk, const struct xml_element *element)
{
	static const char *const names[] = { NULL };

	walk_attributes(walk, element, names);
}

static void seconds_read(const struct walk *walk, const struct xml_element *element, uint32_t min,
			 uint32_t max, const char *expected, uint32_t *found)
{
	uint32_t seconds;
	char text[32];

	attributeless(walk, element);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (duration_parse(text, &seconds) && seconds >= min && seconds <= max)
		*found = seconds;
	else
		walk_fault_text(walk, element, expected);
}

static void io_timeout_read(const struct walk *walk, const struct xml_element *element,
			    void *target)
{
	struct cluster_def *def = target;

	seconds_read(walk, element, 1, IO_TIMEOUT_MAX_S, "must be 1 to 60 seconds",
		     &def->io_timeout_s);
}

static void measure_every_read(const struct walk *walk, const struct xml_element *element,
			       void *target)
{
	struct cluster_def *def = target;

	seconds_read(walk, element, 2, MEASURE_EVERY_MAX_S, "must be a time from 2s to 10min (10s)",
		     &def->measure_s);
}

static void hours_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct cluster_def *def = target;
	uint8_t utc = def->utc;

	attributeless(walk, element);
	walk_text_word(walk, element, hours_words, &utc);
	def->utc = utc != 0;
}

static void root_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	struct cluster_def *def = target;
	char text[PATH_SIZE];

	attributeless(walk, element);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (absolute_path_is_good(text))
		snprintf(def->root, sizeof(def->root), "%s", text);
	else
		walk_fault_text(walk, element,
				"must be an absolute path without '.', '..', '//' or '/' at its "
				"end");
}

static void policies_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "placement",      "health",    "shutdown",
					     "cpu-overcommit", "cpu-limit", "tolerate-failures",
					     "strict",	       "displace",  NULL };
	static const struct child_rule none[] = { { 0 } };
	struct cluster_def *def = target;
	struct policy_def *policies = &def->policies;
	uint8_t strict = policies->failures_strict, limit = policies->cpu_hard;
	uint8_t displace = policies->displace;

	walk_attributes(walk, element, names);
	walk_children(walk, element, none, NULL);
	walk_word(walk, element, "placement", placement_words, false, &policies->placement);
	walk_word(walk, element, "health", health_policy_words, false, &policies->health);
	walk_word(walk, element, "shutdown", shutdown_policy_words, false, &policies->shutdown);
	walk_word(walk, element, "strict", yes_no_words, false, &strict);
	policies->failures_strict = strict != 0;
	walk_word(walk, element, "displace", yes_no_words, false, &displace);
	policies->displace = displace != 0;
	walk_word(walk, element, "cpu-limit", cpu_limit_words, false, &limit);
	policies->cpu_hard = limit != 0;
	walk_number(walk, element, "cpu-overcommit", 100, 10000,
		    "must be a percentage, 100 to 10000", &policies->cpu_overcommit);
	walk_number(walk, element, "tolerate-failures", 0, 16, "must be 0 to 16",
		    &policies->failures);
}

static void cluster_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", NULL };
	static const struct child_rule rules[] = {
		{ "no-quorum", no_quorum_read, false, false },
		{ "io-timeout", io_timeout_read, false, false },
		{ "measure-every", measure_every_read, false, false },
		{ "hours", hours_read, false, false },
		{ "root", root_read, false, false },
		{ "policies", policies_read, false, false },
		{ "migration", definition_cluster_migration_read, false, false },
		{ 0 },
	};
	struct definitions *definitions = &walk->reader->definitions;
	struct cluster_def def = {
		.no_quorum = NO_QUORUM_STOP,
		.no_quorum_hold_s = 60,
		.policies = { .cpu_overcommit = 400, .failures = 1 },
		.migration = { .bandwidth_percent = 50, .moves_out_max = 2, .moves_in_max = 2 },
		.io_timeout_s = 10,
		.measure_s = 10,
		.root = "/clusterstorage",
	};
	const struct seen *first;

	(void)target;
	walk_attributes(walk, element, names);
	first = definition_seen(walk->reader, "the cluster", walk_place(walk, element), false);
	if (first)
		definition_fault(walk->reader, walk_place(walk, element),
				 "the cluster is already defined at %s:%u:%u", first->place.file,
				 first->place.line, first->place.column);
	else
		definition_name_read(walk, element, "cluster", def.name);
	walk_children(walk, element, rules, &def);
	definitions->cluster = def;
	definitions->cluster_given = true;
}

static void option_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", "value", NULL };
	static const struct child_rule none[] = { { 0 } };
	struct fence_def *fence = target;
	const char *name = walk_attribute(walk, element, "name", true);
	const char *value = walk_attribute(walk, element, "value", true);
	size_t used = strlen(fence->options);
	char line[NAME_SIZE + 2];

	walk_attributes(walk, element, names);
	walk_children(walk, element, none, NULL);
	if (!name || !value)
		return;
	if (!option_name_is_good(name)) {
		walk_fault_attribute(walk, element, "name", "must be letters, digits, '_' or '-'");
		return;
	}
	if (strcmp(name, "action") == 0) {
		walk_fault_attribute(walk, element, "name", "clusterd itself says what to do");
		return;
	}
	snprintf(line, sizeof(line), "\n%s=", name);
	if (strncmp(fence->options, line + 1, strlen(line) - 1) == 0 ||
	    strstr(fence->options, line)) {
		walk_fault_attribute(walk, element, "name", "is given twice");
		return;
	}
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < 0x20) {
			walk_fault_attribute(walk, element, "value", "must be one line");
			return;
		}
	}
	if (used + strlen(name) + strlen(value) + 2 >= sizeof(fence->options)) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "the options of one fence device exceed %zu bytes",
				 sizeof(fence->options) - 1);
		return;
	}
	snprintf(fence->options + used, sizeof(fence->options) - used, "%s=%s\n", name, value);
}

static void fence_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "agent", NULL };
	static const struct child_rule rules[] = { { "option", option_read, true, false }, { 0 } };
	struct node_def *node = target;
	const char *agent = walk_attribute(walk, element, "agent", true);
	struct fence_def fence = { 0 };

	walk_attributes(walk, element, names);
	walk_children(walk, element, rules, &fence);
	if (!agent)
		return;
	if (!agent_is_good(agent)) {
		walk_fault_attribute(walk, element, "agent",
				     "must be the name of a program that begins with fence_");
		return;
	}
	if (node->fence_count == FENCE_DEVICES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a node has at most %d fence devices", FENCE_DEVICES_MAX);
		return;
	}
	snprintf(fence.agent, sizeof(fence.agent), "%s", agent);
	node->fences[node->fence_count++] = fence;
}

static void memory_reserve_read(const struct walk *walk, const struct xml_element *element,
				void *target)
{
	struct node_def *node = target;

	walk_memory(walk, element, 0, &node->memory_reserve_mib);
}

static void attribute_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", "value", NULL };
	static const struct child_rule none[] = { { 0 } };
	const char *name = walk_attribute(walk, element, "name", true);
	const char *value = walk_attribute(walk, element, "value", true);
	struct node_def *node = target;
	struct attribute_def *attribute = &node->attributes[node->attribute_count];

	walk_attributes(walk, element, names);
	walk_children(walk, element, none, NULL);
	if (!name || !value)
		return;
	if (!name_is_good(name, TAG_SIZE - 1) || !name_is_good(value, TAG_SIZE - 1)) {
		walk_fault_attribute(walk, element,
				     name_is_good(name, TAG_SIZE - 1) ? "value" : "name",
				     "must be 1 to 31 letters, digits, '.', '_' or '-', the first "
				     "a letter or digit");
		return;
	}
	for (uint32_t i = 0; i < node->attribute_count; i++)
		if (strcmp(node->attributes[i].name, name) == 0) {
			walk_fault_attribute(walk, element, "name", "is given twice");
			return;
		}
	if (node->attribute_count == ATTRIBUTES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a node has at most %d attributes", ATTRIBUTES_MAX);
		return;
	}
	snprintf(attribute->name, sizeof(attribute->name), "%s", name);
	snprintf(attribute->value, sizeof(attribute->value), "%s", value);
	node->attribute_count++;
}

static const struct child_rule no_children[] = { { 0 } };

static void cpu_without_read(const struct walk *walk, const struct xml_element *element,
			     void *target)
{
	static const char *const names[] = { "without", NULL };
	const char *list = walk_attribute(walk, element, "without", true);
	char unknown[CPU_NAME_MAX], problem[128];
	struct cpu_features features;
	struct node_def *node = target;

	walk_attributes(walk, element, names);
	walk_children(walk, element, no_children, NULL);
	if (!list)
		return;
	if (strlen(list) >= sizeof(node->cpu_without)) {
		walk_fault_attribute(walk, element, "without", "must have at most 127 characters");
	} else if (!cpu_parse(&features, list, unknown)) {
		snprintf(problem, sizeof(problem), "\"%s\" is no CPU feature that is known",
			 unknown);
		walk_fault_attribute(walk, element, "without", problem);
	} else {
		snprintf(node->cpu_without, sizeof(node->cpu_without), "%s", list);
	}
}

static void node_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", "id", "health", NULL };
	static const struct child_rule rules[] = {
		{ "fence", fence_read, true, false },
		{ "memory-reserve", memory_reserve_read, false, false },
		{ "attribute", attribute_read, true, false },
		{ "cpu", cpu_without_read, false, false },
		{ 0 },
	};
	struct definitions *definitions = &walk->reader->definitions;
	struct node_def def = { .memory_reserve_mib = NODE_RESERVE_DEFAULT_MIB };
	const char *id = walk_attribute(walk, element, "id", true);
	void *array = definitions->nodes;
	uint64_t number;
	char id_text[16];

	(void)target;
	walk_attributes(walk, element, names);
	definition_name_read(walk, element, "node", def.name);
	walk_word(walk, element, "health", node_health_words, false, &def.health);
	if (id && number_parse(id, NODE_ID_MAX, &number) && number >= 1) {
		def.id = (uint32_t)number;
		snprintf(id_text, sizeof(id_text), "%u", def.id);
		definition_unique(walk, element, "id", "node id", id_text);
	} else if (id) {
		walk_fault_attribute(walk, element, "id",
				     "must be the corosync node id, 1 to 2000");
	}
	walk_children(walk, element, rules, &def);
	if (definitions->node_count == NODES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a cluster has at most %d nodes", NODES_MAX);
		return;
	}
	if (!definition_grow(walk->reader, &array, definitions->node_count,
			     &walk->reader->memory->node_max, sizeof(def)))
		return;
	definitions->nodes = array;
	definitions->nodes[definitions->node_count++] = def;
}

static void volume_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	static const char *const names[] = { "name", "source", NULL };
	static const struct child_rule none[] = { { 0 } };
	struct definitions *definitions = &walk->reader->definitions;
	const char *source = walk_attribute(walk, element, "source", true);
	void *array = definitions->volumes;
	struct volume_def def = { 0 };

	(void)target;
	walk_attributes(walk, element, names);
	walk_children(walk, element, none, NULL);
	if (definition_name_read(walk, element, "volume", def.name) &&
	    strlen(def.name) > VOLUME_NAME_MAX)
		walk_fault_attribute(walk, element, "name",
				     "a volume's name has at most 40 characters");
	if (source && absolute_path_is_good(source)) {
		snprintf(def.source, sizeof(def.source), "%s", source);
		definition_unique(walk, element, "source", "volume source", source);
	} else if (source) {
		walk_fault_attribute(walk, element, "source",
				     "must be an absolute path without '.', '..', '//' or '/' at "
				     "its end");
	}
	if (definitions->volume_count == VOLUMES_MAX) {
		definition_fault(walk->reader, walk_place(walk, element),
				 "a cluster has at most %d volumes", VOLUMES_MAX);
		return;
	}
	if (!definition_grow(walk->reader, &array, definitions->volume_count,
			     &walk->reader->memory->volume_max, sizeof(def)))
		return;
	definitions->volumes = array;
	definitions->volumes[definitions->volume_count++] = def;
}

void walk_memory(const struct walk *walk, const struct xml_element *element, uint32_t min_mib,
		 uint32_t *mib)
{
	static const char *const names[] = { "unit", NULL };
	const char *unit = walk_attribute(walk, element, "unit", false);
	uint32_t result;
	char text[32];

	walk_attributes(walk, element, names);
	if (!walk_text(walk, element, text, sizeof(text)))
		return;
	if (!unit)
		unit = "MiB";
	if (!memory_parse("0", unit, &result))
		walk_fault_attribute(walk, element, "unit", "must be KiB, MiB, GiB or TiB");
	else if (!memory_parse(text, unit, &result))
		walk_fault_text(walk, element, "must be a number that makes whole MiB");
	else if (result < min_mib || result > MEMORY_MAX_MIB)
		walk_fault_text(walk, element,
				min_mib ? "must be 1 MiB to 16 TiB" : "exceeds 16 TiB");
	else
		*mib = result;
}

static void vm_read(const struct walk *walk, const struct xml_element *element, void *target)
{
	(void)target;
	definition_vm_read(walk, element);
}

static const struct child_rule object_rules[] = {
	{ "cluster", cluster_read, true, false },
	{ "node", node_read, true, false },
	{ "volume", volume_read, true, false },
	{ "vm", vm_read, true, false },
	{ "rule", definition_rule_read, true, false },
	{ "policy", definition_policy_read, true, false },
	{ 0 },
};

void definition_tree_read(struct definition_reader *reader, const struct xml_tree *tree)
{
	struct walk walk = { reader, tree };
	const struct xml_element *root = &tree->elements[0];
	const struct child_rule *rule = object_rules;

	if (strcmp(root->name, "clusterd") == 0) {
		attributeless(&walk, root);
		walk_children(&walk, root, object_rules, NULL);
		return;
	}
	while (rule->name && strcmp(rule->name, root->name) != 0)
		rule++;
	if (rule->name)
		rule->read(&walk, root, NULL);
	else
		definition_fault(reader, walk_place(&walk, root),
				 "the document's element must be <clusterd>, <cluster>, <node>, "
				 "<volume>, <vm>, <rule> or <policy>, not <%.64s>",
				 root->name);
}

static const char *const object_words[OBJECT_KIND_COUNT] = {
	[OBJECT_NODE] = "node", [OBJECT_VOLUME] = "volume", [OBJECT_VM] = "vm",
	[OBJECT_RULE] = "rule", [OBJECT_POLICY] = "policy",
};

bool definition_find_place(const struct definition_reader *reader, enum object_kind kind,
			   const char *name, struct definition_place *place)
{
	const struct seen *seen;
	char key[NAME_SIZE + 16];

	snprintf(key, sizeof(key), "%s %s", object_words[kind], name);
	seen = definition_seen_at(reader, key);
	if (seen)
		*place = seen->place;
	return seen != NULL;
}

int definitions_check(struct definition_reader *reader)
{
	struct definition_memory *memory = reader->memory;

	for (uint32_t i = 0; reader->known && i < memory->reference_count; i++) {
		const struct reference *reference = &memory->references[i];
		char key[NAME_SIZE + 16];

		snprintf(key, sizeof(key), "%s %s", object_words[reference->kind], reference->name);
		if (!definition_has_seen(reader, key) &&
		    !reader->known(reader->known_context, reference->kind, reference->name))
			definition_fault(reader, reference->place, "there is no %s", key);
	}
	return reader->error_total || memory->exhausted ? -EINVAL : 0;
}
