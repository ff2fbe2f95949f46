// SPDX-License-Identifier: Apache-2.0
// Reads clusterd's XML vocabulary (clusterd.xml(5)) into struct definitions, with every mistake's
// place.
//
//	definition_reader_open(&reader, schema_path);
//	for each document: definitions_read(&reader, name, xml, size);
//	definitions_check(&reader);
//	if (reader.error_count == 0) ... reader.definitions ...
//	definition_reader_close(&reader);
//
// No network, no entities but the predefined, no DOCTYPE; a document is checked against the schema
// first, then in meaning. Blocking, single-threaded, allocates.
#pragma once

#include "clusterd/definition.h"
#include "clusterd/entry.h"

enum {
	DEFINITION_ERRORS_MAX = 50,
	DEFINITION_DOCUMENT_MAX = 4 * 1024 * 1024,	// bytes
	DEFINITION_DEPTH_MAX = 16,
	DEFINITION_VMS_MAX = 16384,
};

struct definition_place {
	const char *file;	// as given to definitions_read(); the reader's
	uint32_t line, column;	// from 1, in characters; 0: the file as a whole
};

struct definition_error {
	struct definition_place place;
	char message[320];
};

// Whether the running cluster has an object of this name already.
typedef bool (*definition_known_fn)(void *context, enum object_kind kind, const char *name);

struct definition_reader {
	struct definitions definitions;		// complete once definitions_check() has returned 0
	uint32_t error_count;			// in errors[]
	uint32_t error_total;			// found, kept in errors[] or not
	struct definition_error errors[DEFINITION_ERRORS_MAX];

	// Optional, set after open: with it, owners and volumes that neither a document nor the
	// cluster has are errors.
	definition_known_fn known;
	void *known_context;

	struct definition_schema *schema;	// private from here on
	struct definition_memory *memory;
};

// Loads the schema. 0, -ENOENT, -EINVAL (not a schema) or -ENOMEM. Close a reader that failed to
// open, too.
int definition_reader_open(struct definition_reader *reader, const char *schema_path);
void definition_reader_close(struct definition_reader *reader);

// Adds one document. 0; -EINVAL when errors were added; -ENOMEM. `name` is for messages and is
// copied.
int definitions_read(struct definition_reader *reader, const char *name, const char *xml,
		     size_t size);
// The same from a file; "-" is standard input. What cannot be read is an error in the list, too.
int definitions_read_file(struct definition_reader *reader, const char *path);
// What concerns all documents together, after the last one. 0 when there is no error at all, else
// -EINVAL.
int definitions_check(struct definition_reader *reader);

// Where an object of a document was defined; false for one that no document has.
bool definition_find_place(const struct definition_reader *reader, enum object_kind kind,
			   const char *name, struct definition_place *place);

// "FILE:LINE:COLUMN: MESSAGE" into buf; its length as snprintf() counts.
int definition_error_format(const struct definition_error *error, char *buf, size_t size);
