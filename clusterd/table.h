// SPDX-License-Identifier: Apache-2.0
// Aligned tables for people: columns as wide as they must be, the last one cut to the terminal.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	int columns;
	const char *heads[TABLE_COLUMNS_MAX]; // not owned
	char **cells;			      // rows one after another; owned
	size_t count, room;
	bool failed; // no memory: what is printed is not whole
};

// `heads` ends with NULL and outlives the table.
void table_init(struct table *table, const char *const *heads);
void table_fini(struct table *table);
// The next cell; rows fill up from the left. NULL is "-".
void table_add(struct table *table, const char *text);
void table_addf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
// `width`: of the terminal, 0: nothing is cut. `colour`: state words are coloured.
void table_print(const struct table *table, FILE *out, int width, bool colour);

// Columns that a text of UTF-8 takes, characters counted as one each.
int text_columns(const char *text);
// Bytes of `text` that fit into so many columns.
size_t text_cut(const char *text, int columns);
// The escape sequence for a state word, or "".
const char *word_colour(const char *word);
