// SPDX-License-Identifier: Apache-2.0
// `apply`: documents become one entry, tried on a copy of the replica before it is proposed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clusterd/request_internal_io.h"
#include "policies/contradiction.h"
#include "resources/definition_io.h"

enum { DOCUMENTS_MAX = 256, CONTRADICTIONS_MAX = 256 };

static bool known(void *context, enum object_kind kind, const char *name)
{
	return cluster_defines(context, kind, name);
}

// Random, of version 4.
static bool uuids_make(struct uuid *uuids, size_t count)
{
	size_t size = count * sizeof(*uuids);

	for (size_t at = 0; at < size;) {
		ssize_t got = getrandom((uint8_t *)uuids + at, size - at, 0);

		if (got < 0 && errno != EINTR)
			return false;
		at += got > 0 ? (size_t)got : 0;
	}
	for (size_t i = 0; i < count; i++) {
		uuids[i].bytes[6] = (uint8_t)((uuids[i].bytes[6] & 0x0f) | 0x40);
		uuids[i].bytes[8] = (uint8_t)((uuids[i].bytes[8] & 0x3f) | 0x80);
	}
	return true;
}

static struct answer answer_definition_errors(const struct definition_reader *reader)
{
	char line[512] = "the documents cannot be read";
	struct answer answer;
	json_t *places = json_array();

	for (uint32_t i = 0; i < reader->error_count; i++) {
		const struct definition_error *error = &reader->errors[i];
		json_t *place = json_object();

		json_object_set_new(place, "file",
				    text_json(error->place.file ? error->place.file : ""));
		json_object_set_new(place, "line", json_integer(error->place.line));
		json_object_set_new(place, "column", json_integer(error->place.column));
		json_object_set_new(place, "message", text_json(error->message));
		json_array_append_new(places, place);
	}
	if (reader->error_count > 0)
		definition_error_format(&reader->errors[0], line, sizeof(line));
	answer = answer_error("invalid-definition", line,
			      "clustadm check FILE... shows every mistake");
	json_object_set_new(answer.error, "places", places);
	json_object_set_new(answer.error, "count", json_integer(reader->error_total));
	return answer;
}

static struct answer documents_read(struct definition_reader *reader, const json_t *documents)
{
	const json_t *document;
	size_t i;

	json_array_foreach(documents, i, document)
	{
		const char *name = member_text(document, "name");
		const json_t *text = json_object_get(document, "text");

		if (!name || !json_is_string(text))
			return answer_error("malformed", "a document has a name and a text", "");
		if (definitions_read(reader, name, json_string_value(text),
				     json_string_length(text)) == -ENOMEM)
			return answer_result(NULL);
	}
	if (definitions_check(reader) != 0 || reader->error_count > 0)
		return answer_definition_errors(reader);
	return (struct answer){ .result = NULL };
}

static uint8_t *definitions_pack(const struct definitions *definitions, size_t *size)
{
	struct uuid *uuids = calloc(definitions->vm_count + 1, sizeof(*uuids));
	uint8_t *body = malloc(ENTRY_SIZE_MAX);

	*size = 0;
	if (uuids && body && uuids_make(uuids, definitions->vm_count))
		*size = definitions_encode(definitions, uuids, body, ENTRY_SIZE_MAX - 256);
	free(uuids);
	if (*size)
		return body;
	free(body);
	return NULL;
}

static json_t *summary_make(const struct definitions *definitions)
{
	json_t *summary = json_object(), *names = json_array();

	for (uint32_t i = 0; i < definitions->vm_count; i++)
		json_array_append_new(names, text_json(definitions->vms[i].name));
	json_object_set_new(summary, "cluster", json_boolean(definitions->cluster_given));
	json_object_set_new(summary, "nodes", json_integer(definitions->node_count));
	json_object_set_new(summary, "volumes", json_integer(definitions->volume_count));
	json_object_set_new(summary, "vms", names);
	json_object_set_new(summary, "rules", json_integer(definitions->rule_count));
	json_object_set_new(summary, "policies", json_integer(definitions->pro_count));
	return summary;
}

static void rules_disable(struct definitions *definitions, const json_t *disabled)
{
	const json_t *name;
	size_t i;

	json_array_foreach(disabled, i, name)
	{
		for (uint32_t k = 0; k < definitions->rule_count; k++) {
			if (strcmp(definitions->rules[k].name, json_string_value(name)) == 0)
				definitions->rules[k].enabled = false;
		}
	}
}

uint8_t *apply_body(struct request *request, const json_t *ask, const json_t *disabled,
		    size_t *size, struct answer *problem, json_t **summary)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const json_t *documents = json_object_get(ask, "documents");
	struct definition_reader *reader;
	uint8_t *body = NULL;
	int rc;

	if (json_array_size(documents) == 0 || json_array_size(documents) > DOCUMENTS_MAX) {
		*problem =
			answer_error("malformed", "one to 256 documents are applied together", "");
		return NULL;
	}
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		*problem = answer_result(NULL);
		return NULL;
	}
	rc = definition_reader_open(reader, request->options.schema_path);
	if (rc == 0) {
		reader->known = known;
		reader->known_context = (void *)(uintptr_t)cluster;
		*problem = documents_read(reader, documents);
	} else {
		*problem = answer_error("no-schema", "the schema of definitions cannot be loaded",
					"install clusterd's data files again");
	}
	if (!problem->error) {
		rules_disable(&reader->definitions, disabled);
		body = definitions_pack(&reader->definitions, size);
		*summary = body ? summary_make(&reader->definitions) : NULL;
		if (!body)
			*problem =
				answer_error("too-big", "the documents do not fit into one entry",
					     "apply them in several parts");
	}
	definition_reader_close(reader);
	free(reader);
	return body;
}

static bool runs_wanted(const struct vm *vm)
{
	return vm->used && vm->managed && vm->wanted == VM_WANTED_RUNNING &&
	       vm->phase == VM_RUNNING;
}

static json_t *stops_find(const struct cluster *before, const struct cluster *after)
{
	json_t *stops = json_array();

	for (uint32_t i = 0; i < before->vm_high; i++) {
		const struct vm *vm = &before->vms[i];
		const struct vm *then = runs_wanted(vm) ? cluster_vm(after, vm->ref) : NULL;

		if (then && then->wanted != VM_WANTED_RUNNING)
			json_array_append_new(stops, text_json(vm_definition(before, vm)->name));
	}
	return stops;
}

// VMs that run and are given another size.
static void sizes_wait(const struct cluster *before, const struct cluster *after,
		       struct trial *trial)
{
	for (uint32_t i = 0; i < before->vm_high; i++) {
		const struct vm *vm = &before->vms[i];
		const struct vm *then = vm->used ? cluster_vm(after, vm->ref) : NULL;
		char reason[REASON_SIZE], fix[REASON_SIZE];
		const char *name;

		if (!then || then->next_cpus == 0 ||
		    (then->next_cpus == vm->next_cpus &&
		     then->next_memory_mib == vm->next_memory_mib))
			continue;
		name = vm_definition(after, then)->name;
		snprintf(reason, sizeof(reason),
			 "vm %s keeps its CPUs and memory until its next start", name);
		snprintf(fix, sizeof(fix), "clustadm vm stop %s, then clustadm vm start %s", name,
			 name);
		json_array_append_new(trial->warnings, json_pack("{s:[], s:s, s:s}", "rules",
								 "reason", reason, "fix", fix));
	}
}

// Those that the cluster has not had before.
static void contradictions_add(const struct contradiction *found, uint32_t count,
			       const struct contradiction *old, uint32_t old_count,
			       const struct cluster *cluster, struct trial *trial)
{
	for (uint32_t i = 0; i < count; i++) {
		json_t *rules = json_array();
		bool known = false;

		for (uint32_t k = 0; k < old_count && !known; k++)
			known = old[k].kind == found[i].kind &&
				strcmp(old[k].reason, found[i].reason) == 0;
		for (int r = 0; r < 2 && !known; r++) {
			if (found[i].rules[r] != SLOT_NONE)
				json_array_append_new(
					rules,
					text_json(cluster->rules[found[i].rules[r]].def.name));
		}
		if (known)
			json_decref(rules);
		else
			json_array_append_new(found[i].conflict ? trial->conflicts
								: trial->warnings,
					      json_pack("{s:o, s:s, s:s}", "rules", rules, "reason",
							found[i].reason, "fix", found[i].fix));
	}
}

static void contradictions_compare(const struct cluster *before, const struct cluster *after,
				   struct trial *trial)
{
	struct contradiction *found = calloc(2 * (size_t)CONTRADICTIONS_MAX, sizeof(*found));
	struct contradiction *old = found + CONTRADICTIONS_MAX;
	uint32_t count, old_count;

	if (!found)
		return;
	count = contradictions_find(after, found, CONTRADICTIONS_MAX);
	old_count = contradictions_find(before, old, CONTRADICTIONS_MAX);
	contradictions_add(found, count < CONTRADICTIONS_MAX ? count : CONTRADICTIONS_MAX, old,
			   old_count < CONTRADICTIONS_MAX ? old_count : CONTRADICTIONS_MAX, after,
			   trial);
	free(found);
}

bool trial_run(struct request *request, const struct entry *entry, struct trial *trial)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	size_t size = cluster_encode(cluster, NULL, 0);
	uint8_t *bytes = malloc(size);
	void *memory = calloc(1, cluster_memory(&cluster->limits));
	struct cluster *copy = calloc(1, sizeof(*copy));

	memset(trial, 0, sizeof(*trial));
	trial->conflicts = json_array();
	trial->warnings = json_array();
	strcpy(trial->result.code, "no-memory");
	strcpy(trial->result.reason, "the daemon has no memory left");
	if (bytes && memory && copy && cluster_encode(cluster, bytes, size) == size) {
		cluster_init(copy, &cluster->limits, memory);
		if (cluster_decode(copy, bytes, size)) {
			cluster_apply(copy, cluster->index + 1, entry, &trial->result);
			if (trial->result.accepted) {
				trial->stops = stops_find(cluster, copy);
				contradictions_compare(cluster, copy, trial);
				sizes_wait(cluster, copy, trial);
				trial->capacity = capacity_broken(
					cluster, copy, present_nodes(request->options.node));
			}
		}
	}
	free(copy);
	free(memory);
	free(bytes);
	return trial->result.accepted;
}

void trial_close(struct trial *trial)
{
	json_decref(trial->stops);
	json_decref(trial->conflicts);
	json_decref(trial->warnings);
	json_decref(trial->capacity);
	memset(trial, 0, sizeof(*trial));
}
