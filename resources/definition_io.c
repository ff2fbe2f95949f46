// SPDX-License-Identifier: Apache-2.0
#include "resources/definition_io.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resources/definition_reader.h"

struct definition_schema {
	xmlRelaxNGPtr grammar;
};

static void ignore_error(void *context, xmlErrorPtr error)
{
	(void)context;
	(void)error;
}

int definition_reader_open(struct definition_reader *reader, const char *schema_path)
{
	xmlRelaxNGParserCtxtPtr parser;

	memset(reader, 0, sizeof(*reader));
	if (access(schema_path, R_OK) != 0)
		return -errno;
	xmlInitParser();
	reader->schema = calloc(1, sizeof(*reader->schema));
	reader->memory = calloc(1, sizeof(*reader->memory));
	parser = xmlRelaxNGNewParserCtxt(schema_path);
	if (!reader->schema || !reader->memory || !parser) {
		xmlRelaxNGFreeParserCtxt(parser);
		return -ENOMEM;
	}
	xmlRelaxNGSetParserStructuredErrors(parser, ignore_error, NULL);
	reader->schema->grammar = xmlRelaxNGParse(parser);
	xmlRelaxNGFreeParserCtxt(parser);
	return reader->schema->grammar ? 0 : -EINVAL;
}

void definition_reader_close(struct definition_reader *reader)
{
	struct definition_memory *memory = reader->memory;

	if (reader->schema)
		xmlRelaxNGFree(reader->schema->grammar);
	free(reader->schema);
	if (memory) {
		for (uint32_t i = 0; i < memory->name_count; i++)
			free(memory->names[i]);
		for (uint32_t i = 0; i < memory->seen_size; i++)
			free(memory->seen[i].key);
		free(memory->names);
		free(memory->seen);
		free(memory->references);
		free(memory);
	}
	free(reader->definitions.nodes);
	free(reader->definitions.volumes);
	free(reader->definitions.vms);
	free(reader->definitions.owners);
	free(reader->definitions.rules);
	free(reader->definitions.pros);
	memset(reader, 0, sizeof(*reader));
}

// One document while it is read.
struct document {
	struct definition_reader *reader;
	const char *file;
	const char *xml;
	size_t size;
	struct xml_place *places;	// of its start tags
	uint32_t place_count;
	bool doctype;
	// The schema's own complaints, kept back: see document_judge().
	struct definition_error schema_errors[8];
	uint32_t schema_error_count;
	struct xml_tree tree;
	char **texts;			// owned strings of the tree
	uint32_t text_count;
};

static struct definition_place document_place(const struct document *document, uint32_t line,
					      uint32_t column)
{
	return (struct definition_place){ document->file, line, column };
}

static uint32_t trimmed_length(const char *message)
{
	size_t length;

	// One line: what follows repeats bytes of the document.
	length = strcspn(message, "\n");
	while (length && message[length - 1] == ' ')
		length--;
	return (uint32_t)length;
}

static void note_parse_error(void *context, xmlErrorPtr error)
{
	xmlParserCtxtPtr parser = context;
	struct document *document = parser->_private;
	const char *message = error->message ? error->message : "not well-formed";
	uint32_t line = error->line > 0 ? (uint32_t)error->line : 1;
	uint32_t column = error->int2 > 0 ? (uint32_t)error->int2 : 1;

	if (error->level < XML_ERR_ERROR || document->doctype)
		return;
	definition_fault(document->reader, document_place(document, line, column),
			 "not well-formed XML: %.*s", (int)trimmed_length(message), message);
}

// A second lock beside the scan: whatever it overlooked, libxml2 never reads a declaration.
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external_id,
			   const xmlChar *system_id)
{
	xmlParserCtxtPtr parser = context;
	struct document *document = parser->_private;

	(void)name;
	(void)external_id;
	(void)system_id;
	definition_fault(document->reader, document_place(document, 1, 1),
			 "a DOCTYPE is not accepted");
	document->doctype = true;
	xmlStopParser(parser);
}

static xmlDocPtr document_parse(struct document *document)
{
	xmlParserCtxtPtr parser = xmlNewParserCtxt();
	xmlDocPtr doc;
	bool good;

	if (!parser) {
		document->reader->memory->exhausted = true;
		return NULL;
	}
	parser->_private = document;
	parser->sax->serror = note_parse_error;
	parser->sax->internalSubset = refuse_doctype;
	doc = xmlCtxtReadMemory(parser, document->xml, (int)document->size, NULL, "UTF-8",
				XML_PARSE_NONET | XML_PARSE_COMPACT);
	good = parser->wellFormed && !document->doctype;
	xmlFreeParserCtxt(parser);
	if (good && doc)
		return doc;
	xmlFreeDoc(doc);
	if (document->reader->error_total == 0)
		definition_fault(document->reader, document_place(document, 1, 1),
				 "not well-formed XML");
	return NULL;
}

static struct xml_place node_place(const struct document *document, const xmlNode *node)
{
	uintptr_t number;

	while (node && node->type != XML_ELEMENT_NODE)
		node = node->parent;
	number = node ? (uintptr_t)node->_private : 0;
	if (number == 0 || number > document->place_count)
		return (struct xml_place){ 0, 1, 1 };
	return document->places[number - 1];
}

static void note_schema_error(void *context, xmlErrorPtr error)
{
	struct document *document = context;
	struct definition_error *kept;
	struct xml_place place = node_place(document, error->node);
	const char *message = error->message ? error->message : "not valid";

	if (document->schema_error_count == 8)
		return;
	kept = &document->schema_errors[document->schema_error_count++];
	kept->place = document_place(document, place.line, place.column);
	snprintf(kept->message, sizeof(kept->message), "not valid: %.*s",
		 (int)trimmed_length(message), message);
}

static bool document_validate(struct document *document, xmlDocPtr doc)
{
	xmlRelaxNGValidCtxtPtr valid = xmlRelaxNGNewValidCtxt(document->reader->schema->grammar);
	int result;

	if (!valid) {
		document->reader->memory->exhausted = true;
		return false;
	}
	xmlRelaxNGSetValidStructuredErrors(valid, note_schema_error, document);
	result = xmlRelaxNGValidateDoc(valid, doc);
	xmlRelaxNGFreeValidCtxt(valid);
	return result == 0;
}

static const char *document_keep(struct document *document, char *text)
{
	char **texts;

	if (text && document->text_count % 256 == 0) {
		texts = realloc(document->texts, (document->text_count + 256) * sizeof(*texts));
		if (!texts) {
			free(text);
			text = NULL;
		} else {
			document->texts = texts;
		}
	}
	if (!text) {
		document->reader->memory->exhausted = true;
		return "";
	}
	document->texts[document->text_count++] = text;
	return text;
}

static const char *node_name(struct document *document, const xmlNs *ns, const xmlChar *name)
{
	char *whole;

	if (!ns || !ns->prefix)
		return (const char *)name;
	if (asprintf(&whole, "%s:%s", (const char *)ns->prefix, (const char *)name) < 0)
		whole = NULL;
	return document_keep(document, whole);
}

static char *node_text(const xmlNode *node)
{
	size_t length = 0, at = 0;
	char *text;

	for (const xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
			length += strlen((const char *)child->content);
	text = malloc(length + 1);
	if (!text)
		return NULL;
	for (const xmlNode *child = node->children; child; child = child->next) {
		if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE)
			continue;
		length = strlen((const char *)child->content);
		memcpy(text + at, child->content, length);
		at += length;
	}
	text[at] = '\0';
	return text;
}

static void tree_add_attributes(struct document *document, const xmlNode *node,
				struct xml_element *element)
{
	struct xml_tree *tree = &document->tree;

	element->attribute_first = tree->attribute_count;
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
		struct xml_attribute *attribute = &tree->attributes[tree->attribute_count++];
		char *value = (char *)xmlNodeListGetString(node->doc, attr->children, 1);

		attribute->name = node_name(document, attr->ns, attr->name);
		attribute->value = value ? document_keep(document, strdup(value)) : "";
		xmlFree(value);
		element->attribute_count++;
	}
}

// Depth is bounded by the scan.
static uint32_t tree_add(struct document *document, xmlNode *node)
{
	struct xml_tree *tree = &document->tree;
	uint32_t number = tree->element_count++;
	struct xml_element *element = &tree->elements[number];
	uint32_t last = 0;

	element->name = node_name(document, node->ns, node->name);
	element->place = node_place(document, node);
	element->text = document_keep(document, node_text(node));
	element->blank = element->text[strspn(element->text, " \t\r\n")] == '\0';
	tree_add_attributes(document, node, element);
	if (node->nsDef)
		definition_fault(
			document->reader,
			document_place(document, element->place.line, element->place.column),
			"namespaces are not used here");
	for (xmlNode *child = node->children; child; child = child->next) {
		uint32_t added;

		if (child->type != XML_ELEMENT_NODE)
			continue;
		added = tree_add(document, child);
		*(last ? &tree->elements[last].next : &element->first_child) = added;
		last = added;
	}
	return number;
}

// Numbers the elements in document order and counts attributes.
static void tree_number(xmlNode *node, uintptr_t *elements, uint32_t *attributes)
{
	node->_private = (void *)++*elements;
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
		++*attributes;
	for (xmlNode *child = node->children; child; child = child->next)
		if (child->type == XML_ELEMENT_NODE)
			tree_number(child, elements, attributes);
}

/*
 * The schema decides; what it says about a failed interleave ("did not expect element vm there")
 * helps nobody. So its words are used only when the reading of the meaning, which knows the same
 * bounds, found nothing.
 */
static void document_judge(struct document *document, xmlDocPtr doc)
{
	struct definition_reader *reader = document->reader;
	uint32_t total = reader->error_total;
	uint32_t attributes = 0;
	uintptr_t elements = 0;
	bool valid;

	tree_number(xmlDocGetRootElement(doc), &elements, &attributes);
	document->tree.elements = calloc(elements, sizeof(*document->tree.elements));
	document->tree.attributes = calloc(attributes + 1, sizeof(*document->tree.attributes));
	if (!document->tree.elements || !document->tree.attributes) {
		reader->memory->exhausted = true;
		return;
	}
	// What the scan and the parser understand differently is not worth understanding.
	if (elements != document->place_count) {
		definition_fault(reader, document_place(document, 1, 1), "not well-formed XML");
		return;
	}
	valid = document_validate(document, doc);
	document->tree.file = document->file;
	document->tree.xml = document->xml;
	document->tree.size = document->size;
	tree_add(document, xmlDocGetRootElement(doc));
	if (reader->memory->exhausted)
		return;
	definition_tree_read(reader, &document->tree);
	if (valid || reader->error_total != total)
		return;
	for (uint32_t i = 0; i < document->schema_error_count; i++)
		definition_fault(reader, document->schema_errors[i].place, "%s",
				 document->schema_errors[i].message);
	if (reader->error_total == total)
		definition_fault(reader, document_place(document, 1, 1), "not valid");
}

// False when a look at the tags alone condemns it.
static bool document_scan(struct document *document)
{
	struct scan scan = xml_scan(document->xml, document->size, DEFINITION_DEPTH_MAX, NULL, 0);
	struct definition_place place = document_place(document, scan.at.line, scan.at.column);

	switch (scan.verdict) {
	case SCAN_GOOD:
		break;
	case SCAN_DOCTYPE:
		definition_fault(document->reader, place, "a DOCTYPE is not accepted");
		return false;
	case SCAN_DEEP:
		definition_fault(document->reader, place, "elements are nested deeper than %d",
				 DEFINITION_DEPTH_MAX);
		return false;
	case SCAN_VERDICT_COUNT:
		abort();
	}
	document->place_count = scan.count;
	document->places = calloc(scan.count + 1, sizeof(*document->places));
	if (!document->places) {
		document->reader->memory->exhausted = true;
		return false;
	}
	xml_scan(document->xml, document->size, DEFINITION_DEPTH_MAX, document->places, scan.count);
	return true;
}

static void document_read(struct document *document)
{
	struct definition_place whole = document_place(document, 1, 1);
	xmlDocPtr doc;

	if (document->size == 0) {
		definition_fault(document->reader, whole, "the document is empty");
		return;
	}
	if (document->size > DEFINITION_DOCUMENT_MAX) {
		definition_fault(document->reader, whole, "the document is larger than %d MiB",
				 DEFINITION_DOCUMENT_MAX >> 20);
		return;
	}
	if (memchr(document->xml, 0, document->size)) {
		definition_fault(document->reader, whole, "not well-formed XML: a zero byte");
		return;
	}
	if (!document_scan(document))
		return;
	doc = document_parse(document);
	if (!doc)
		return;
	document_judge(document, doc);
	xmlFreeDoc(doc);
}

static const char *reader_keep_name(struct definition_reader *reader, const char *name)
{
	struct definition_memory *memory = reader->memory;
	char **names = realloc(memory->names, (memory->name_count + 1) * sizeof(*names));

	if (!names)
		return NULL;
	memory->names = names;
	names[memory->name_count] = strdup(name);
	return names[memory->name_count] ? names[memory->name_count++] : NULL;
}

// In the order in which people read: the meaning is found rule by rule, not from top to bottom.
static void errors_sort(struct definition_error *errors, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct definition_error error = errors[i];
		uint32_t at = i;

		for (; at; at--) {
			const struct definition_place *before = &errors[at - 1].place;

			if (before->line < error.place.line ||
			    (before->line == error.place.line &&
			     before->column <= error.place.column))
				break;
			errors[at] = errors[at - 1];
		}
		errors[at] = error;
	}
}

int definitions_read(struct definition_reader *reader, const char *name, const char *xml,
		     size_t size)
{
	struct document document = { .reader = reader, .xml = xml, .size = size };
	uint32_t total = reader->error_total, first = reader->error_count;

	document.file = reader_keep_name(reader, name);
	if (!document.file)
		return -ENOMEM;
	document_read(&document);
	errors_sort(reader->errors + first, reader->error_count - first);
	for (uint32_t i = 0; i < document.text_count; i++)
		free(document.texts[i]);
	free(document.texts);
	free(document.tree.elements);
	free(document.tree.attributes);
	free(document.places);
	if (reader->memory->exhausted)
		return -ENOMEM;
	return reader->error_total == total ? 0 : -EINVAL;
}

// Reads at most one byte more than a document may have. The buffer's bytes, or -errno.
static ssize_t file_read(int fd, char *buf, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, buf + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

int definitions_read_file(struct definition_reader *reader, const char *path)
{
	bool standard_input = strcmp(path, "-") == 0;
	size_t size = DEFINITION_DOCUMENT_MAX + 1;
	int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -errno : 0;
	char *buf = malloc(size);
	int result;

	if (buf && fd >= 0)
		length = file_read(fd, buf, size);
	if (fd >= 0 && !standard_input)
		close(fd);
	if (!buf)
		return -ENOMEM;
	if (length < 0) {
		struct definition_place place = { reader_keep_name(reader, path), 0, 0 };

		definition_fault(reader, place, "cannot be read: %s", strerror((int)-length));
		result = -EINVAL;
	} else {
		result = definitions_read(reader, standard_input ? "<stdin>" : path, buf,
					  (size_t)length);
	}
	free(buf);
	return result;
}
