// SPDX-License-Identifier: Apache-2.0
// `apply` and `check`: definitions from files, to the daemon or to the same reader here.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/clustadm_io.h"
#include "policies/contradiction.h"
#include "resources/definition_io.h"

// malloc'd and zero-terminated, or NULL with errno.
static char *file_read(const char *path, size_t *size)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	int error = 0;

	*size = 0;
	if (!file)
		return NULL;
	do {
		if (*size + 1 >= room) {
			char *grown = realloc(text, room = room ? room * 2 : 16384);

			error = grown ? 0 : ENOMEM;
			text = grown ? grown : text;
		}
		if (!error)
			*size += fread(text + *size, 1, room - *size - 1, file);
		if (ferror(file))
			error = errno ? errno : EIO;
		if (*size > DEFINITION_DOCUMENT_MAX)
			error = EFBIG;
	} while (!error && !feof(file));
	if (file != stdin)
		fclose(file);
	if (error) {
		free(text);
		errno = error;
		return NULL;
	}
	text[*size] = 0;
	return text;
}

static enum exit_status document_add(struct session *session, json_t *documents, const char *path)
{
	size_t size;
	char *text = file_read(path, &size), reason[512];
	json_t *json;

	if (!text) {
		snprintf(reason, sizeof(reason), "%s: %s", path, strerror(errno));
		return session_fail(session, EXIT_REFUSED, "no-file", reason, "");
	}
	// What follows a zero byte would be read by some and not by others.
	json = memchr(text, 0, size) ? NULL : json_stringn(text, size);
	free(text);
	if (!json) {
		snprintf(reason, sizeof(reason), "%s: the file is not text in UTF-8", path);
		return session_fail(session, EXIT_REFUSED, "not-text", reason,
				    "convert it with iconv(1)");
	}
	json_array_append_new(documents,
			      json_pack("{s:s, s:o}", "name",
					strcmp(path, "-") == 0 ? "stdin" : path, "text", json));
	return EXIT_DONE;
}

static void count_add(char *line, size_t size, long long count, const char *one)
{
	size_t used = strlen(line);

	if (count > 0)
		snprintf(line + used, size - used, "%s%lld %s%s", used ? ", " : "", count, one,
			 count == 1 ? "" : "s");
}

static void policies_add(char *line, size_t size, long long count)
{
	size_t used = strlen(line);

	if (count > 0)
		snprintf(line + used, size - used, "%s%lld %s", used ? ", " : "", count,
			 count == 1 ? "policy" : "policies");
}

static void apply_print(struct session *session, const json_t *result)
{
	const json_t *stops = json_object_get(result, "stops"), *name, *capacity;
	char line[256] = "";
	size_t i;

	if (session->invocation->json) {
		session_json(session, result);
		return;
	}
	count_add(line, sizeof(line), json_flag(result, "cluster"), "cluster");
	count_add(line, sizeof(line), json_number(result, "nodes"), "node");
	count_add(line, sizeof(line), json_number(result, "volumes"), "volume");
	count_add(line, sizeof(line), (long long)json_array_size(json_object_get(result, "vms")),
		  "VM");
	count_add(line, sizeof(line), json_number(result, "rules"), "rule");
	policies_add(line, sizeof(line), json_number(result, "policies"));
	if (!session->invocation->quiet)
		printf("%s: %s\n", json_flag(result, "dry_run") ? "would be applied" : "applied",
		       *line ? line : "nothing");
	json_array_foreach(json_object_get(result, "disabled"), i, name)
		printf("  rule %s: kept, but disabled: it contradicts another one\n",
		       json_string_value(name));
	json_array_foreach(json_object_get(result, "warnings"), i, name) fprintf(
		stderr, "warning: %s; %s\n", json_word(name, "reason"), json_word(name, "fix"));
	capacity = json_object_get(result, "capacity");
	if (capacity)
		fprintf(stderr, "warning: if %s fails now, %s has no home: %s; %s\n",
			json_string_value(json_array_get(json_object_get(capacity, "nodes"), 0)),
			json_word(capacity, "vm"), json_word(capacity, "reason"),
			json_word(capacity, "fix"));
	json_array_foreach(stops, i, name)
		printf("  %s: %s\n", json_flag(result, "dry_run") ? "would be stopped" : "stops",
		       json_string_value(name));
}

enum exit_status clustadm_apply(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	json_t *ask = ask_new("apply", NULL), *documents = json_array(), *result;
	enum exit_status status = EXIT_DONE;

	for (int i = 0; i < invocation->argc && status == EXIT_DONE; i++)
		status = document_add(session, documents, invocation->argv[i]);
	json_object_set_new(ask, "documents", documents);
	if (invocation_has(invocation, OPTION_DRY_RUN))
		json_object_set_new(ask, "dry_run", json_true());
	if (invocation_has(invocation, OPTION_FORCE))
		json_object_set_new(ask, "force", json_true());
	if (status != EXIT_DONE) {
		json_decref(ask);
		return status;
	}
	session->changes = !invocation_has(invocation, OPTION_DRY_RUN);
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	apply_print(session, result);
	json_decref(result);
	return EXIT_DONE;
}

// The rules as a cluster of these documents alone would have them. NULL: they do not stand alone.
static struct cluster *check_cluster(const struct definitions *definitions, void **memory,
				     struct entry_result *result)
{
	struct cluster_limits limits = { .vms_max = definitions->vm_count + 1,
					 .lease_slots_max = definitions->vm_count + 1 };
	struct entry entry = { .type = ENTRY_APPLY };
	struct uuid *uuids = calloc(definitions->vm_count + 1, sizeof(*uuids));
	uint8_t *body = malloc(ENTRY_SIZE_MAX);
	struct cluster *cluster = calloc(1, sizeof(*cluster));

	*memory = calloc(1, cluster_memory(&limits));
	for (uint32_t i = 0; uuids && i < definitions->vm_count; i++) {
		memset(&uuids[i], 0x40, sizeof(uuids[i]));
		memcpy(uuids[i].bytes, &i, sizeof(i));
	}
	if (uuids && body && cluster && *memory) {
		cluster_init(cluster, &limits, *memory);
		entry.body = body;
		entry.body_size = definitions_encode(definitions, uuids, body, ENTRY_SIZE_MAX);
		if (entry.body_size > 0)
			cluster_apply(cluster, 1, &entry, result);
	}
	free(uuids);
	free(body);
	if (result->accepted)
		return cluster;
	free(cluster);
	free(*memory);
	return NULL;
}

// Where the first or the second element stands that a contradiction is about.
static bool contradiction_place(const struct definition_reader *reader,
				const struct cluster *cluster, const struct contradiction *c,
				uint32_t which, struct definition_place *place)
{
	bool vm = c->kind == CONTRADICTION_TOO_BIG || c->kind == CONTRADICTION_NO_EFFECT;

	if (c->rules[which] != SLOT_NONE)
		return definition_find_place(reader, OBJECT_RULE,
					     cluster->rules[c->rules[which]].def.name, place);
	return which == 0 && c->object[0] &&
	       definition_find_place(reader, vm ? OBJECT_VM : OBJECT_NODE, c->object, place);
}

static json_t *place_json(bool known, const struct definition_place *place)
{
	return json_pack("{s:s?, s:i, s:i}", "file", known ? place->file : NULL, "line",
			 (int)place->line, "column", (int)place->column);
}

static void contradiction_report(struct session *session, const struct definition_reader *reader,
				 const struct cluster *cluster, const struct contradiction *c,
				 json_t *list)
{
	const char *word = c->conflict ? "conflict" : "warning";
	struct definition_place place = { 0 }, other = { 0 };
	bool known = contradiction_place(reader, cluster, c, 0, &place);
	bool two = c->rules[1] != c->rules[0] && contradiction_place(reader, cluster, c, 1, &other);
	json_t *row = place_json(known, &place);

	if (!session->invocation->json) {
		if (known)
			fprintf(stderr, "%s:%u:%u: ", place.file, place.line, place.column);
		fprintf(stderr, "%s: %s; %s", word, c->reason, c->fix);
		if (two)
			fprintf(stderr, " (the other rule: %s:%u:%u)", other.file, other.line,
				other.column);
		fputc('\n', stderr);
	}
	json_object_set_new(row, "verdict", json_string(word));
	json_object_set_new(row, "other", two ? place_json(true, &other) : json_null());
	json_object_set_new(row, "reason", json_string(c->reason));
	json_object_set_new(row, "fix", json_string(c->fix));
	json_array_append_new(list, row);
}

// How many conflicts there are; they and the warnings are shown, and gathered in `list`.
static uint32_t check_rules(struct session *session, const struct definition_reader *reader,
			    json_t *list)
{
	enum { SHOWN_MAX = 256 };
	void *memory = NULL;
	struct entry_result result = { .accepted = false };
	struct cluster *cluster = check_cluster(&reader->definitions, &memory, &result);
	struct contradiction *found = calloc(SHOWN_MAX, sizeof(*found));
	uint32_t count = cluster && found ? contradictions_find(cluster, found, SHOWN_MAX) : 0;
	uint32_t conflicts = 0;

	// What refers to objects that the cluster has and the files have not is no mistake of
	// theirs.
	if (!cluster && result.reason[0]) {
		if (!session->invocation->json)
			fprintf(stderr,
				"warning: rules are not looked at, because the files do not "
				"stand alone: %s; %s\n",
				result.reason, result.fix);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "verdict", "warning",
						      "reason", result.reason, "fix", result.fix));
	}
	for (uint32_t i = 0; i < count && i < SHOWN_MAX; i++) {
		contradiction_report(session, reader, cluster, &found[i], list);
		conflicts += found[i].conflict;
	}
	free(found);
	if (cluster)
		free(memory);
	free(cluster);
	return conflicts;
}

static enum exit_status check_report(struct session *session,
				     const struct definition_reader *reader)
{
	const struct definitions *found = &reader->definitions;
	json_t *places = json_array(), *list = json_array(), *result;
	char line[512] = "";
	bool good = reader->error_total == 0;
	uint32_t conflicts;

	for (uint32_t i = 0; i < reader->error_count; i++) {
		const struct definition_error *error = &reader->errors[i];

		definition_error_format(error, line, sizeof(line));
		if (!session->invocation->json)
			fprintf(stderr, "%s\n", line);
		json_array_append_new(
			places, json_pack("{s:s?, s:i, s:i, s:s}", "file", error->place.file,
					  "line", (int)error->place.line, "column",
					  (int)error->place.column, "message", error->message));
	}
	conflicts = good ? check_rules(session, reader, list) : 0;
	if (session->invocation->json && good)
		result = json_pack("{s:b, s:i, s:i, s:i, s:i, s:o, s:o}", "good", conflicts == 0,
				   "nodes", (int)found->node_count, "volumes",
				   (int)found->volume_count, "vms", (int)found->vm_count, "rules",
				   (int)found->rule_count, "places", places, "contradictions",
				   json_incref(list));
	else
		result =
			json_pack("{s:{s:s, s:s, s:s, s:o}}", "error", "code", "invalid-definition",
				  "reason", line, "fix", "", "places", places);
	if (session->invocation->json)
		session_json(session, result);
	else if (!good)
		fprintf(stderr, "clustadm: check: %u mistake%s\n", reader->error_total,
			reader->error_total == 1 ? "" : "s");
	else if (conflicts > 0)
		fprintf(stderr, "clustadm: check: %u conflict%s\n", conflicts,
			conflicts == 1 ? "" : "s");
	json_decref(result);
	json_decref(list);
	if (!good || conflicts > 0)
		return EXIT_REFUSED;
	line[0] = 0;
	count_add(line, sizeof(line), found->cluster_given, "cluster");
	count_add(line, sizeof(line), found->node_count, "node");
	count_add(line, sizeof(line), found->volume_count, "volume");
	count_add(line, sizeof(line), found->vm_count, "VM");
	count_add(line, sizeof(line), found->rule_count, "rule");
	policies_add(line, sizeof(line), found->pro_count);
	if (!session->invocation->json && !session->invocation->quiet)
		printf("good: %s\n", *line ? line : "nothing");
	return EXIT_DONE;
}

enum exit_status session_reader_open(struct session *session, struct definition_reader **reader)
{
	const char *folder = getenv("CLUSTERD_DATA_DIR");
	char schema[4096];

	*reader = calloc(1, sizeof(**reader));
	snprintf(schema, sizeof(schema), "%s/clusterd.rng", folder ? folder : CLUSTERD_DATA_DIR);
	if (*reader && definition_reader_open(*reader, schema) == 0)
		return EXIT_DONE;
	if (*reader)
		definition_reader_close(*reader);
	free(*reader);
	return session_fail(session, EXIT_REFUSED, "no-schema", "the schema cannot be loaded",
			    schema);
}

enum exit_status clustadm_check(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	struct definition_reader *reader;
	enum exit_status status = session_reader_open(session, &reader);

	if (status != EXIT_DONE)
		return status;
	for (int i = 0; i < invocation->argc; i++)
		definitions_read_file(reader, invocation->argv[i]);
	definitions_check(reader);
	status = check_report(session, reader);
	definition_reader_close(reader);
	free(reader);
	return status;
}
