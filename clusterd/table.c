// SPDX-License-Identifier: Apache-2.0
#include "clusterd/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char gap[] = "  ";

void table_init(struct table *table, const char *const *heads)
{
	memset(table, 0, sizeof(*table));
	while (heads[table->columns] && table->columns < TABLE_COLUMNS_MAX) {
		table->heads[table->columns] = heads[table->columns];
		table->columns++;
	}
}

void table_fini(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

void table_add(struct table *table, const char *text)
{
	if (table->count == table->room) {
		size_t room = table->room ? table->room * 2 : 64;
		char **grown = realloc(table->cells, room * sizeof(*grown));

		if (!grown) {
			table->failed = true;
			return;
		}
		table->cells = grown;
		table->room = room;
	}
	table->cells[table->count] = strdup(text ? text : "-");
	if (!table->cells[table->count]) {
		table->failed = true;
		return;
	}
	// A cell is one line, and no terminal obeys it.
	for (char *c = table->cells[table->count]; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	}
	table->count++;
}

void table_addf(struct table *table, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table_add(table, text);
}

int text_columns(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

size_t text_cut(const char *text, int columns)
{
	size_t at = 0;

	for (; text[at]; at++) {
		if (((unsigned char)text[at] & 0xc0) != 0x80 && columns-- == 0)
			break;
	}
	return at;
}

const char *word_colour(const char *word)
{
	static const char *const good[] = { "running", "online", "ok", NULL };
	static const char *const uneasy[] = { "waiting",     "starting",  "stopping", "migrating",
					      "slow",	     "warn",	  "joining",  "draining",
					      "maintenance", "unmanaged", "warning",  NULL };
	static const char *const bad[] = { "error",   "blocked",  "lost",	 "fail",
					   "fencing", "isolated", "quarantined", NULL };

	for (int i = 0; good[i]; i++)
		if (strcmp(good[i], word) == 0)
			return "\033[32m";
	for (int i = 0; uneasy[i]; i++)
		if (strcmp(uneasy[i], word) == 0)
			return "\033[33m";
	for (int i = 0; bad[i]; i++)
		if (strcmp(bad[i], word) == 0)
			return "\033[31m";
	return "";
}

static void cell_print(FILE *out, const char *text, int width, bool last, bool colour)
{
	const char *start = colour ? word_colour(text) : "";

	fprintf(out, "%s%s%s", start, text, *start ? "\033[0m" : "");
	if (!last)
		fprintf(out, "%*s%s", width - text_columns(text), "", gap);
}

// The last cell may be cut; a line has no blanks at its end.
static void row_print(FILE *out, const char *const *cells, const int *widths, int columns,
		      int width, bool colour)
{
	int at = 0, last = columns - 1;

	while (last > 0 && !*cells[last])
		last--;
	for (int i = 0; i < last; i++) {
		cell_print(out, cells[i], widths[i], false, colour);
		at += widths[i] + (int)strlen(gap);
	}
	if (width > 0 && last == columns - 1 && at + text_columns(cells[last]) > width &&
	    width - at > 3)
		fprintf(out, "%.*s...", (int)text_cut(cells[last], width - at - 3), cells[last]);
	else
		cell_print(out, cells[last], widths[last], true, colour);
	fputc('\n', out);
}

void table_print(const struct table *table, FILE *out, int width, bool colour)
{
	int widths[TABLE_COLUMNS_MAX] = { 0 };
	size_t columns = (size_t)table->columns, rows = table->count / columns;

	for (size_t i = 0; i < columns; i++) {
		widths[i] = text_columns(table->heads[i]);
		for (size_t row = 0; row < rows; row++) {
			int wide = text_columns(table->cells[row * columns + i]);

			if (wide > widths[i])
				widths[i] = wide;
		}
	}
	row_print(out, table->heads, widths, table->columns, width, false);
	for (size_t row = 0; row < rows; row++)
		row_print(out, (const char *const *)table->cells + row * columns, widths,
			  table->columns, width, colour);
}
