// SPDX-License-Identifier: Apache-2.0
// What stories define: XML as administrators write it, through the reader that clusterd has.
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "resources/definition_io.h"
#include "tests/sim/story.h"

enum { XML_MAX = 64 * 1024 };

static bool known(void *context, enum object_kind kind, const char *name)
{
	return cluster_defines(context, kind, name);
}

// Beside the stories' folder, where nobody says where it is installed.
static void schema_path(const char *story, char *buf, size_t size)
{
	const char *folder = getenv("CLUSTERD_DATA_DIR"), *slash = strrchr(story, '/');

	if (folder)
		snprintf(buf, size, "%s/clusterd.rng", folder);
	else
		snprintf(buf, size, "%.*s/../../resources/clusterd.rng",
			 slash ? (int)(slash - story) : 1, slash ? story : ".");
}

static void apply(struct world *world, struct host *host, const struct definitions *definitions)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct uuid *proposed = calloc(definitions->vm_count + 1u, sizeof(*proposed));
	uint8_t *body = malloc(2 * XML_MAX);

	INVARIANT(entry && proposed && body);
	for (uint32_t i = 0; i < definitions->vm_count; i++)
		for (uint32_t b = 0; b < sizeof(proposed[i].bytes); b++)
			proposed[i].bytes[b] = (uint8_t)rng_next(&world->rng);
	entry->type = ENTRY_APPLY;
	entry->body = body;
	entry->body_size = definitions_encode(definitions, proposed, body, 2 * XML_MAX);
	INVARIANT(entry->body_size > 0);
	admin_request(world, host, entry);
	free(body);
	free(proposed);
	free(entry);
}

bool story_define(struct world *world, struct host *host, const char *story, const char *xml)
{
	struct definition_reader *reader = calloc(1, sizeof(*reader));
	char schema[4096], line[512];
	bool open;

	INVARIANT(reader);
	schema_path(story, schema, sizeof(schema));
	open = definition_reader_open(reader, schema) == 0;
	if (open) {
		reader->known = known;
		reader->known_context = (void *)node_cluster(host->node);
		definitions_read(reader, "xml", xml, strlen(xml));
		definitions_check(reader);
		for (uint32_t i = 0; i < reader->error_count; i++) {
			definition_error_format(&reader->errors[i], line, sizeof(line));
			world_say(world, NULL, "%s", line);
		}
		if (reader->error_total == 0)
			apply(world, host, &reader->definitions);
	}
	definition_reader_close(reader);
	free(reader);
	return open;
}
