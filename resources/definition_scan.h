// SPDX-License-Identifier: Apache-2.0
// Where the tags of an XML document stand in its text: the parser keeps a line at most, people need
// the column too.
//
// Lexical only. The list is exact for a well-formed document; of another one nothing but safety is
// promised.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xml_place {
	uint32_t offset;
	uint32_t line;		// from 1
	uint32_t column;	// from 1, in characters of UTF-8
};

enum scan_verdict { SCAN_GOOD, SCAN_DOCTYPE, SCAN_DEEP, SCAN_VERDICT_COUNT };

struct scan {
	enum scan_verdict verdict;
	struct xml_place at;	// of what was refused
	uint32_t count;		// start tags
};

// Writes the places of the first `max` start tags in document order (NULL and 0 to count). Stops at
// a DOCTYPE, and at an element nested deeper than `depth_max`.
struct scan xml_scan(const char *xml, size_t size, uint32_t depth_max, struct xml_place *places,
		     uint32_t max);

// The place of this attribute in the start tag at `tag`; the tag's own where it has none of that
// name.
struct xml_place xml_scan_attribute(const char *xml, size_t size, struct xml_place tag,
				    const char *name);
