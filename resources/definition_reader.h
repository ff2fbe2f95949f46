// SPDX-License-Identifier: Apache-2.0
// Between the files of the XML reader: a document as a plain tree, and what is gathered from it.
#pragma once

#include "resources/definition_io.h"
#include "resources/definition_scan.h"
#include "resources/definition_text.h"

struct xml_attribute {
	const char *name;
	const char *value;
};

// Elements are numbered in document order; 0 as a link means none (the root is nobody's child).
struct xml_element {
	const char *name;
	const char *text;		// all of its own text, "" for none
	bool blank;			// the text is white space at most
	struct xml_place place;
	uint32_t first_child, next;
	uint32_t attribute_first, attribute_count;
};

struct xml_tree {
	const char *file;		// the reader's copy of the name
	const char *xml;
	size_t size;
	struct xml_element *elements;
	struct xml_attribute *attributes;
	uint32_t element_count, attribute_count;
};

// A key that may be there once ("vm web", "mac 52:54:..."), and where it was first.
struct seen {
	char *key;
	struct definition_place place;
	bool shareable;			// another shareable use is no conflict
};

struct reference {
	enum object_kind kind;
	char name[NAME_SIZE];
	struct definition_place place;
};

struct definition_memory {
	char **names;			// of the documents
	uint32_t name_count;
	struct seen *seen;		// open addressing, a power of two
	uint32_t seen_count, seen_size;
	struct reference *references;
	uint32_t reference_count, reference_max;
	uint32_t node_max, volume_max, vm_max, owner_max, rule_max, pro_max;
	bool exhausted;			// of heap
};

void definition_fault(struct definition_reader *reader, struct definition_place place,
		      const char *format, ...) __attribute__((format(printf, 3, 4)));

// NULL when `key` is new (and now noted), else where it was first. Two shareable uses do not
// conflict.
const struct seen *definition_seen(struct definition_reader *reader, const char *key,
				   struct definition_place place, bool shareable);
const struct seen *definition_seen_at(const struct definition_reader *reader, const char *key);
bool definition_has_seen(const struct definition_reader *reader, const char *key);
void definition_refer(struct definition_reader *reader, enum object_kind kind, const char *name,
		      struct definition_place place);
// Room for one more item in a growing array; false (and noted as exhausted) without memory.
bool definition_grow(struct definition_reader *reader, void **array, uint32_t count, uint32_t *max,
		     size_t item_size);

// Adds all that the tree means, and its errors.
void definition_tree_read(struct definition_reader *reader, const struct xml_tree *tree);

// A walk over one tree.
struct walk {
	struct definition_reader *reader;
	const struct xml_tree *tree;
};

typedef void (*element_fn)(const struct walk *walk, const struct xml_element *element,
			   void *target);

struct child_rule {
	const char *name;
	element_fn read;
	bool many, needed;
};

struct definition_place walk_place(const struct walk *walk, const struct xml_element *element);
struct definition_place walk_attribute_place(const struct walk *walk,
					     const struct xml_element *element, const char *name);
// Calls the rule of each child; complains about unknown, repeated and missing ones, and about text
// between them.
void walk_children(const struct walk *walk, const struct xml_element *element,
		   const struct child_rule *rules, void *target);
// Complains about attributes that are not among `names` (ended by NULL).
void walk_attributes(const struct walk *walk, const struct xml_element *element,
		     const char *const *names);
// The attribute's value or NULL; a missing one is an error when needed.
const char *walk_attribute(const struct walk *walk, const struct xml_element *element,
			   const char *name, bool needed);
// An attribute that is one of a list of words; `value` is untouched when it is missing or bad.
void walk_word(const struct walk *walk, const struct xml_element *element, const char *name,
	       const char (*words)[WORD_SIZE], bool needed, uint8_t *value);
// An attribute that is a number; `value` is untouched when it is missing or bad.
void walk_number(const struct walk *walk, const struct xml_element *element, const char *name,
		 uint32_t min, uint32_t max, const char *expected, uint32_t *value);
// Text of an element that has no children, trimmed into buf; false (and an error) when it is too
// long.
bool walk_text(const struct walk *walk, const struct xml_element *element, char *buf, size_t size);
// An element whose text is one of a list of words.
void walk_text_word(const struct walk *walk, const struct xml_element *element,
		    const char (*words)[WORD_SIZE], uint8_t *value);
// A size with its unit, in MiB.
void walk_memory(const struct walk *walk, const struct xml_element *element, uint32_t min_mib,
		 uint32_t *mib);
void walk_fault_attribute(const struct walk *walk, const struct xml_element *element,
			  const char *name, const char *expected);
void walk_fault_text(const struct walk *walk, const struct xml_element *element,
		     const char *expected);

// The "name" of an object, unique in its kind over all documents. False when it is missing, bad or
// taken.
bool definition_name_read(const struct walk *walk, const struct xml_element *element,
			  const char *kind, char *name);
// Notes that `value` (of that attribute) stands for one `kind`; an error and false when it is
// taken.
bool definition_unique(const struct walk *walk, const struct xml_element *element,
		       const char *attribute, const char *kind, const char *value);
// One VM (resources/definition_vm_io.c); the others are read beside the tree's root.
void definition_vm_read(const struct walk *walk, const struct xml_element *element);
// <migration> of a cluster (target: struct cluster_def) and of a VM
// (resources/definition_migration_io.c).
void definition_cluster_migration_read(const struct walk *walk, const struct xml_element *element,
				       void *target);
// "22:00-04:00": minutes of the day. False: not two times of day.
bool window_parse(const char *text, uint32_t *from, uint32_t *to);
void definition_forget_read(const struct walk *walk, const struct xml_element *element,
			    struct vm_def *def);
void definition_failback_read(const struct walk *walk, const struct xml_element *element,
			      struct vm_def *def);
void definition_vm_migration_read(const struct walk *walk, const struct xml_element *element,
				  struct vm_def *def);
// One rule (resources/definition_rule_io.c).
void definition_rule_read(const struct walk *walk, const struct xml_element *element, void *target);
// One PRO policy (resources/definition_policy_io.c).
void definition_policy_read(const struct walk *walk, const struct xml_element *element,
			    void *target);
// volume= and path= of a disk, CD image, kernel or initrd; false when either is bad.
bool definition_file_read(const struct walk *walk, const struct xml_element *element, char *volume,
			  char *path);
