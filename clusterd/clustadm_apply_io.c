// SPDX-License-Identifier: Apache-2.0
// `apply` and `check`: definitions from files, to the daemon or to the same reader here.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clusterd/clustadm_io.h"
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
	json = json_stringn(text, size);
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

static void apply_print(struct session *session, const json_t *result)
{
	const json_t *stops = json_object_get(result, "stops"), *name;
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
	if (!session->invocation->quiet)
		printf("%s: %s\n", json_flag(result, "dry_run") ? "would be applied" : "applied",
		       *line ? line : "nothing");
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

static enum exit_status check_report(struct session *session,
				     const struct definition_reader *reader)
{
	const struct definitions *found = &reader->definitions;
	json_t *places = json_array(), *result;
	char line[512] = "";
	bool good = reader->error_total == 0;

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
	if (session->invocation->json && good)
		result = json_pack("{s:b, s:i, s:i, s:i, s:o}", "good", good, "nodes",
				   (int)found->node_count, "volumes", (int)found->volume_count,
				   "vms", (int)found->vm_count, "places", places);
	else
		result =
			json_pack("{s:{s:s, s:s, s:s, s:o}}", "error", "code", "invalid-definition",
				  "reason", line, "fix", "", "places", places);
	if (session->invocation->json)
		session_json(session, result);
	else if (!good)
		fprintf(stderr, "clustadm: check: %u mistakes\n", reader->error_total);
	json_decref(result);
	if (!good)
		return EXIT_REFUSED;
	line[0] = 0;
	count_add(line, sizeof(line), found->cluster_given, "cluster");
	count_add(line, sizeof(line), found->node_count, "node");
	count_add(line, sizeof(line), found->volume_count, "volume");
	count_add(line, sizeof(line), found->vm_count, "VM");
	count_add(line, sizeof(line), found->rule_count, "rule");
	if (!session->invocation->json && !session->invocation->quiet)
		printf("good: %s\n", *line ? line : "nothing");
	return EXIT_DONE;
}

enum exit_status clustadm_check(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	const char *folder = getenv("CLUSTERD_DATA_DIR");
	struct definition_reader *reader = calloc(1, sizeof(*reader));
	enum exit_status status;
	char schema[4096];

	snprintf(schema, sizeof(schema), "%s/clusterd.rng", folder ? folder : CLUSTERD_DATA_DIR);
	if (!reader || definition_reader_open(reader, schema) != 0) {
		if (reader)
			definition_reader_close(reader);
		free(reader);
		return session_fail(session, EXIT_REFUSED, "no-schema",
				    "the schema cannot be loaded", schema);
	}
	for (int i = 0; i < invocation->argc; i++)
		definitions_read_file(reader, invocation->argv[i]);
	definitions_check(reader);
	status = check_report(session, reader);
	definition_reader_close(reader);
	free(reader);
	return status;
}
