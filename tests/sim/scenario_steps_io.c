// SPDX-License-Identifier: Apache-2.0
// Steps and questions.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resources/definition_text.h"
#include "tests/sim/scenario_reader.h"

// ---- steps

static void read_groups(struct reader *r, json_t *object, const char *place,
			struct scenario_action *action)
{
	json_t *groups = read_member(r, object, place, "groups", JSON_ARRAY);
	char here[PLACE_SIZE], one[PLACE_SIZE];

	memset(action->group, NAME_NONE, sizeof(action->group));
	if (!groups)
		reader_bad(r, place, "a partition has groups");
	for (size_t i = 0; i < json_array_size(groups); i++) {
		uint64_t mask;

		place_element(one, place_below(here, place, "groups"), i);
		mask = read_node_mask(r, json_array_get(groups, i), one);
		for (uint32_t n = 0; n < r->scenario->node_count; n++) {
			if (!(mask >> n & 1))
				continue;
			if (action->group[n] != NAME_NONE)
				reader_bad(r, one, "node %s is in two groups",
					   r->scenario->nodes[n].name);
			action->group[n] = (uint8_t)i;
		}
	}
}

static enum node_health read_health(struct reader *r, json_t *object, const char *place)
{
	const char *word = read_text(r, object, place, "color");
	char here[PLACE_SIZE];

	if (!word)
		word = read_text(r, object, place, "health");
	for (uint32_t i = 0; word && i < NODE_HEALTH_COUNT; i++)
		if (strcmp(node_health_words[i], word) == 0)
			return (enum node_health)i;
	reader_bad(r, place_below(here, place, "color"), "green, yellow or red is meant here");
	return HEALTH_GREEN;
}

static bool needs_node(enum scenario_do act)
{
	return act == DO_POWER_ON || act == DO_POWER_OFF || act == DO_NET_OFF || act == DO_NET_ON ||
	       act == DO_UNMANAGE_NODE || act == DO_MANAGE_NODE || act == DO_MANAGER_STOP ||
	       act == DO_MANAGER_START || act == DO_AGENT_RESTART || act == DO_AGENT_KILL ||
	       act == DO_AGENT_STALL || act == DO_NODE_LEAVE || act == DO_NODE_JOIN ||
	       act == DO_SHUTDOWN || act == DO_REBOOT || act == DO_MAINTENANCE_ON ||
	       act == DO_MAINTENANCE_OFF || act == DO_NODE_HEALTH || act == DO_DRAIN_PLAN;
}

static bool needs_vm(enum scenario_do act)
{
	return act == DO_VM_WANT || act == DO_VM_STOP || act == DO_VM_ADD || act == DO_VM_REMOVE ||
	       act == DO_VM_CRASH || act == DO_VM_RESIZE || act == DO_MIGRATE ||
	       act == DO_RELOCATE || act == DO_MOVE_OUTSIDE || act == DO_VM_LOAD;
}

static void read_action(struct reader *r, json_t *object, const char *place,
			struct scenario_action *action)
{
	const char *word = read_text(r, object, place, "do");
	enum scenario_do act;

	if (!word) {
		reader_bad(r, place, "what is to be done is missing");
		return;
	}
	action->node = read_node_member(r, object, place, "node");
	action->vm = read_vm_member(r, object, place, "vm");
	action->to = read_node_member(r, object, place, "to");
	if (!do_of(word, &act)) {
		reader_lack(r, "action", word);
		return;
	}
	action->act = (uint8_t)act;
	if (*do_lack(act))
		scenario_lacks(r->scenario, do_lack(act));
	if (needs_node(act) && action->node == NAME_NONE)
		reader_bad(r, place, "%s names a node", word);
	if (needs_vm(act) && action->vm == VM_NONE)
		reader_bad(r, place, "%s names a vm", word);
	if (act == DO_PARTITION)
		read_groups(r, object, place, action);
	if (act == DO_VM_WANT)
		action->want = (uint8_t)read_want(r, object, place);
	if (act == DO_NODE_HEALTH)
		action->health = (uint8_t)read_health(r, object, place);
	if (act == DO_MOVE_OUTSIDE && action->to == NAME_NONE)
		reader_bad(r, place, "%s names where to", word);
	action->for_s = read_number(r, object, place, "for_s", 0, 1e6);
	action->timeout_s = (uint64_t)read_number(r, object, place, "timeout", 20, 86400);
	action->deaf = read_truth(r, object, place, "vms_ignore_polite_stop", false);
	action->unkillable = read_truth(r, object, place, "vms_unkillable", false);
	r->scenario->loads = r->scenario->loads || act == DO_VM_LOAD;
	r->scenario->evens = r->scenario->evens || act == DO_REBALANCE;
	if (act == DO_VM_LOAD)
		read_load(r, object, place, &action->load_cpu, &action->load_mib);
	if (act == DO_VM_RESIZE && action->vm != VM_NONE) {
		action->cpus = r->scenario->vms[action->vm].cpus;
		action->memory_mib = r->scenario->vms[action->vm].memory_mib;
		read_sizes(r, object, place, "size", &action->cpus, &action->memory_mib);
	}
}

static void read_wait(struct reader *r, json_t *object, const char *place,
		      struct scenario_step *step)
{
	static const char *const words[] = { "settle", "detected", "none" };
	json_t *wait = json_object_get(object, "wait");
	char here[PLACE_SIZE];

	if (!wait)
		return;
	if (json_is_number(wait) && json_number_value(wait) >= 0 &&
	    json_number_value(wait) <= 1e6) {
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
	reader_bad(r, place_below(here, place, "wait"),
		   "settle, detected, none or seconds are meant here");
}

void read_steps(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *steps = read_member(r, root, "", "steps", JSON_ARRAY);
	char place[PLACE_SIZE], here[PLACE_SIZE];

	if (!steps)
		reader_bad(r, "steps", "they are missing");
	if (json_array_size(steps) > STEPS_MAX)
		reader_bad(r, "steps", "more than %d", STEPS_MAX);
	for (size_t i = 0; i < json_array_size(steps) && !r->bad; i++) {
		struct scenario_step *step = &s->steps[s->step_count++];
		json_t *object = json_array_get(steps, i), *actions;

		if (!json_is_object(object))
			reader_bad(r, place_element(place, "steps", i), "an object is needed here");
		actions =
			read_member(r, object, place_element(place, "steps", i), "do", JSON_ARRAY);
		read_wait(r, object, place, step);
		if (json_array_size(actions) > ACTIONS_MAX)
			reader_bad(r, place, "more than %d actions", ACTIONS_MAX);
		if (r->bad)
			return;
		step->actions = calloc(json_array_size(actions) + 1, sizeof(*step->actions));
		for (size_t k = 0; step->actions && k < json_array_size(actions); k++) {
			snprintf(here, sizeof(here), "steps[%zu].do[%zu]", i, k);
			read_action(r, json_array_get(actions, k), here,
				    &step->actions[step->count++]);
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

	json_object_foreach(value, key, one) keys[count++] = key;
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

static void read_question(struct reader *r, json_t *object, const char *place,
			  struct scenario_question *question)
{
	static const char *const kinds[] = { "config", "quorate", "lease", "prop", "capacity" };
	const char *a = read_text(r, object, place, "a"),
		   *what = read_text(r, object, place, "what");
	struct paper key = { 0 };
	char here[PLACE_SIZE];
	const char *word;
	json_t *value;
	size_t i = 0;

	while (a && i < 5 && strcmp(kinds[i], a) != 0)
		i++;
	if (!a || i == 5) {
		if (a)
			reader_lack(r, "question", a);
		else
			reader_bad(r, place, "a question is an object with an \"a\"");
		return;
	}
	if (strcmp(a, "config") == 0)
		scenario_lacks(r->scenario, "config-check");
	snprintf(question->a, sizeof(question->a), "%s", a);
	snprintf(question->what, sizeof(question->what), "%s", what ? what : "");
	question->step = (uint32_t)read_number(r, object, place, "step", 0, STEPS_MAX);
	question->partition = read_node_mask(r, json_object_get(object, "partition"),
					     place_below(here, place, "partition"));
	question->node = read_node_member(r, object, place, "node");
	if (strcmp(a, "quorate") == 0 && question->step >= r->scenario->step_count)
		reader_bad(r, place_below(here, place, "step"), "there is no step %u",
			   (unsigned int)question->step);
	json_object_foreach(object, word, value) if (json_is_number(value) &&
						     strcmp(word, "step") != 0 &&
						     question->number == 0) question->number =
		json_number_value(value);
	write_key(&key, object);
	question->key = key.text;
}

void read_questions(struct reader *r, json_t *root)
{
	struct scenario *s = r->scenario;
	json_t *questions = read_member(r, root, "", "questions", JSON_ARRAY);
	char place[PLACE_SIZE];

	if (json_array_size(questions) > QUESTIONS_MAX)
		reader_bad(r, "questions", "more than %d", QUESTIONS_MAX);
	for (size_t i = 0; i < json_array_size(questions) && !r->bad; i++)
		read_question(r, json_array_get(questions, i), place_element(place, "questions", i),
			      &s->questions[s->question_count++]);
}
