// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resources/definition_reader.h"
#include "resources/definition_text.h"

enum { SHOWN_MAX = 64 };	// of a bad value

// One line of whole characters: a value was cut to be shown, or has line ends.
static void message_tidy(char *message)
{
	for (char *c = message; *c;) {
		unsigned char first = (unsigned char)*c;
		size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
		size_t good = 0;

		while (good < more && ((unsigned char)c[good + 1] & 0xc0) == 0x80)
			good++;
		if (good < more || first < 0x20 || (first & 0xc0) == 0x80)
			*c = '?';
		c += 1 + (good < more ? 0 : more);
	}
}

void definition_fault(struct definition_reader *reader, struct definition_place place,
		      const char *format, ...)
{
	struct definition_error *error;
	va_list arguments;

	reader->error_total++;
	if (reader->error_count == DEFINITION_ERRORS_MAX)
		return;
	error = &reader->errors[reader->error_count++];
	error->place = place;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	message_tidy(error->message);
}

int definition_error_format(const struct definition_error *error, char *buf, size_t size)
{
	const char *file = error->place.file ? error->place.file : "?";

	if (error->place.line == 0)
		return snprintf(buf, size, "%s: %s", file, error->message);
	return snprintf(buf, size, "%s:%u:%u: %s", file, error->place.line, error->place.column,
			error->message);
}

static uint32_t key_hash(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return hash;
}

// The slot of this key, or the free one where it belongs. The table is never full.
static struct seen *seen_slot(struct seen *table, uint32_t size, const char *key)
{
	uint32_t at = key_hash(key) & (size - 1);

	while (table[at].key && strcmp(table[at].key, key) != 0)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static bool seen_grow(struct definition_memory *memory)
{
	uint32_t size = memory->seen_size ? memory->seen_size * 2 : 256;
	struct seen *table = calloc(size, sizeof(*table));

	if (!table)
		return false;
	for (uint32_t i = 0; i < memory->seen_size; i++)
		if (memory->seen[i].key)
			*seen_slot(table, size, memory->seen[i].key) = memory->seen[i];
	free(memory->seen);
	memory->seen = table;
	memory->seen_size = size;
	return true;
}

const struct seen *definition_seen(struct definition_reader *reader, const char *key,
				   struct definition_place place, bool shareable)
{
	struct definition_memory *memory = reader->memory;
	struct seen *slot;

	if (memory->seen_count * 2 >= memory->seen_size && !seen_grow(memory)) {
		memory->exhausted = true;
		return NULL;
	}
	slot = seen_slot(memory->seen, memory->seen_size, key);
	if (slot->key)
		return slot->shareable && shareable ? NULL : slot;
	slot->key = strdup(key);
	slot->place = place;
	slot->shareable = shareable;
	memory->seen_count += slot->key != NULL;
	memory->exhausted |= slot->key == NULL;
	return NULL;
}

const struct seen *definition_seen_at(const struct definition_reader *reader, const char *key)
{
	const struct definition_memory *memory = reader->memory;
	const struct seen *seen =
		memory->seen_size ? seen_slot(memory->seen, memory->seen_size, key) : NULL;

	return seen && seen->key ? seen : NULL;
}

bool definition_has_seen(const struct definition_reader *reader, const char *key)
{
	return definition_seen_at(reader, key) != NULL;
}

bool definition_grow(struct definition_reader *reader, void **array, uint32_t count, uint32_t *max,
		     size_t item_size)
{
	uint32_t new_max = *max ? *max * 2 : 8;
	void *bigger;

	if (count < *max)
		return true;
	bigger = realloc(*array, new_max * item_size);
	if (!bigger) {
		reader->memory->exhausted = true;
		return false;
	}
	memset((char *)bigger + *max * item_size, 0, (new_max - *max) * item_size);
	*array = bigger;
	*max = new_max;
	return true;
}

void definition_refer(struct definition_reader *reader, enum object_kind kind, const char *name,
		      struct definition_place place)
{
	struct definition_memory *memory = reader->memory;
	struct reference *reference;
	void *array = memory->references;

	if (!definition_grow(reader, &array, memory->reference_count, &memory->reference_max,
			     sizeof(*reference)))
		return;
	memory->references = array;
	reference = &memory->references[memory->reference_count++];
	reference->kind = kind;
	reference->place = place;
	snprintf(reference->name, sizeof(reference->name), "%s", name);
}

struct definition_place walk_place(const struct walk *walk, const struct xml_element *element)
{
	return (struct definition_place){ walk->tree->file, element->place.line,
					  element->place.column };
}

struct definition_place walk_attribute_place(const struct walk *walk,
					     const struct xml_element *element, const char *name)
{
	struct xml_place place = xml_scan_attribute(walk->tree->xml, walk->tree->size,
						    element->place, name);

	return (struct definition_place){ walk->tree->file, place.line, place.column };
}

static const struct child_rule *rule_of(const struct child_rule *rules, const char *name)
{
	for (; rules->name; rules++)
		if (strcmp(rules->name, name) == 0)
			return rules;
	return NULL;
}

static const struct xml_element *child_next(const struct walk *walk, uint32_t number)
{
	return number ? &walk->tree->elements[number] : NULL;
}

// How often a child of this name stands before `end` (NULL: at all), and where first.
static const struct xml_element *child_before(const struct walk *walk,
					      const struct xml_element *element, const char *name,
					      const struct xml_element *end)
{
	const struct xml_element *child = child_next(walk, element->first_child);

	for (; child && child != end; child = child_next(walk, child->next))
		if (strcmp(child->name, name) == 0)
			return child;
	return NULL;
}

void walk_children(const struct walk *walk, const struct xml_element *element,
		   const struct child_rule *rules, void *target)
{
	const struct xml_element *child = child_next(walk, element->first_child);

	if (!element->blank)
		definition_fault(walk->reader, walk_place(walk, element),
				 "<%s> must not contain text", element->name);
	for (; child; child = child_next(walk, child->next)) {
		const struct child_rule *rule = rule_of(rules, child->name);
		const struct xml_element *first;

		if (!rule) {
			definition_fault(walk->reader, walk_place(walk, child),
					 "unknown element <%.64s> in <%s>", child->name,
					 element->name);
			continue;
		}
		first = rule->many ? NULL : child_before(walk, element, child->name, child);
		if (first)
			definition_fault(walk->reader, walk_place(walk, child),
					 "<%s> is given twice in <%s>; first in line %u",
					 child->name, element->name, first->place.line);
		else
			rule->read(walk, child, target);
	}
	for (; rules->name; rules++)
		if (rules->needed && !child_before(walk, element, rules->name, NULL))
			definition_fault(walk->reader, walk_place(walk, element), "<%s> needs <%s>",
					 element->name, rules->name);
}

void walk_attributes(const struct walk *walk, const struct xml_element *element,
		     const char *const *names)
{
	const struct xml_attribute *attribute = &walk->tree->attributes[element->attribute_first];

	for (uint32_t i = 0; i < element->attribute_count; i++, attribute++) {
		const char *const *name = names;

		while (*name && strcmp(*name, attribute->name) != 0)
			name++;
		if (!*name)
			definition_fault(walk->reader,
					 walk_attribute_place(walk, element, attribute->name),
					 "unknown attribute \"%.64s\" of <%s>", attribute->name,
					 element->name);
	}
}

const char *walk_attribute(const struct walk *walk, const struct xml_element *element,
			   const char *name, bool needed)
{
	const struct xml_attribute *attribute = &walk->tree->attributes[element->attribute_first];

	for (uint32_t i = 0; i < element->attribute_count; i++, attribute++)
		if (strcmp(attribute->name, name) == 0)
			return attribute->value;
	if (needed)
		definition_fault(walk->reader, walk_place(walk, element),
				 "<%s> needs the attribute \"%s\"", element->name, name);
	return NULL;
}

void walk_fault_attribute(const struct walk *walk, const struct xml_element *element,
			  const char *name, const char *expected)
{
	const char *value = walk_attribute(walk, element, name, false);

	definition_fault(walk->reader, walk_attribute_place(walk, element, name),
			 "%s=\"%.*s%s\" of <%s>: %s", name, SHOWN_MAX, value ? value : "",
			 value && strlen(value) > SHOWN_MAX ? "..." : "", element->name, expected);
}

void walk_fault_text(const struct walk *walk, const struct xml_element *element,
		     const char *expected)
{
	const char *text = element->text + strspn(element->text, " \t\r\n");
	int length = (int)strcspn(text, "\n");

	definition_fault(walk->reader, walk_place(walk, element), "\"%.*s%s\" in <%s>: %s",
			 length > SHOWN_MAX ? SHOWN_MAX : length, text,
			 length > SHOWN_MAX ? "..." : "", element->name, expected);
}

static void words_list(const char (*words)[WORD_SIZE], char *buf, size_t size)
{
	size_t length = (size_t)snprintf(buf, size, "must be ");

	for (size_t i = 0; words[i][0] && length < size; i++)
		length += (size_t)snprintf(buf + length, size - length, "%s%s",
					   i == 0 ? "" : words[i + 1][0] ? ", " : " or ", words[i]);
}

void walk_word(const struct walk *walk, const struct xml_element *element, const char *name,
	       const char (*words)[WORD_SIZE], bool needed, uint8_t *value)
{
	const char *text = walk_attribute(walk, element, name, needed);
	char expected[128];

	if (!text || word_parse(words, text, value))
		return;
	words_list(words, expected, sizeof(expected));
	walk_fault_attribute(walk, element, name, expected);
}

void walk_number(const struct walk *walk, const struct xml_element *element, const char *name,
		 uint32_t min, uint32_t max, const char *expected, uint32_t *value)
{
	const char *text = walk_attribute(walk, element, name, false);
	uint64_t number;

	if (!text)
		return;
	if (number_parse(text, max, &number) && number >= min)
		*value = (uint32_t)number;
	else
		walk_fault_attribute(walk, element, name, expected);
}

bool walk_text(const struct walk *walk, const struct xml_element *element, char *buf, size_t size)
{
	static const struct child_rule none[] = { { 0 } };
	const char *text = element->text + strspn(element->text, " \t\r\n");
	size_t length = strlen(text);
	char expected[64];

	if (element->first_child) {
		struct xml_element textless = *element;

		textless.blank = true;
		walk_children(walk, &textless, none, NULL);
		return false;
	}
	while (length && strchr(" \t\r\n", text[length - 1]))
		length--;
	if (length >= size) {
		snprintf(expected, sizeof(expected), "longer than %zu bytes", size - 1);
		walk_fault_text(walk, element, expected);
		return false;
	}
	memcpy(buf, text, length);
	buf[length] = '\0';
	return true;
}

void walk_text_word(const struct walk *walk, const struct xml_element *element,
		    const char (*words)[WORD_SIZE], uint8_t *value)
{
	char text[64], expected[128];

	if (!walk_text(walk, element, text, sizeof(text)) || word_parse(words, text, value))
		return;
	words_list(words, expected, sizeof(expected));
	walk_fault_text(walk, element, expected);
}
