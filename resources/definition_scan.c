// SPDX-License-Identifier: Apache-2.0
#include "resources/definition_scan.h"

#include <string.h>

struct cursor {
	const char *xml;
	size_t size;
	struct xml_place at;
};

static bool at_end(const struct cursor *cursor)
{
	return cursor->at.offset >= cursor->size;
}

static char peek(const struct cursor *cursor)
{
	return cursor->xml[cursor->at.offset];
}

static void advance(struct cursor *cursor, size_t count)
{
	for (; count && !at_end(cursor); count--) {
		unsigned char c = (unsigned char)cursor->xml[cursor->at.offset++];

		if (c == '\n') {
			cursor->at.line++;
			cursor->at.column = 1;
		} else if ((c & 0xc0) != 0x80) {	// not inside a character
			cursor->at.column++;
		}
	}
}

static bool looks_at(const struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	return cursor->size - cursor->at.offset >= length &&
	       memcmp(cursor->xml + cursor->at.offset, text, length) == 0;
}

static void skip_past(struct cursor *cursor, const char *text)
{
	while (!at_end(cursor) && !looks_at(cursor, text))
		advance(cursor, 1);
	advance(cursor, strlen(text));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct cursor *cursor)
{
	while (!at_end(cursor) && is_space(peek(cursor)))
		advance(cursor, 1);
}

static void skip_quoted(struct cursor *cursor)
{
	char quote = peek(cursor);

	advance(cursor, 1);
	while (!at_end(cursor) && peek(cursor) != quote)
		advance(cursor, 1);
	advance(cursor, 1);
}

// Past a start tag; true when it is closed in itself.
static bool skip_tag(struct cursor *cursor)
{
	char last = 0;

	while (!at_end(cursor)) {
		char c = peek(cursor);

		if (c == '"' || c == '\'') {
			skip_quoted(cursor);
			last = c;
			continue;
		}
		advance(cursor, 1);
		if (c == '>')
			break;
		last = c;
	}
	return last == '/';
}

static struct cursor cursor_at_start(const char *xml, size_t size)
{
	struct cursor cursor = { .xml = xml, .size = size, .at = { 0, 1, 1 } };

	if (looks_at(&cursor, "\xef\xbb\xbf"))
		cursor.at.offset = 3;
	return cursor;
}

struct scan xml_scan(const char *xml, size_t size, uint32_t depth_max, struct xml_place *places,
		     uint32_t max)
{
	struct cursor cursor = cursor_at_start(xml, size);
	struct scan scan = { .verdict = SCAN_GOOD };
	uint32_t depth = 0;

	while (!at_end(&cursor)) {
		if (peek(&cursor) != '<') {
			advance(&cursor, 1);
		} else if (looks_at(&cursor, "<!--")) {
			advance(&cursor, 4);
			skip_past(&cursor, "-->");
		} else if (looks_at(&cursor, "<![CDATA[")) {
			advance(&cursor, 9);
			skip_past(&cursor, "]]>");
		} else if (looks_at(&cursor, "<?")) {
			skip_past(&cursor, "?>");
		} else if (looks_at(&cursor, "<!")) {
			scan.verdict = SCAN_DOCTYPE;
			scan.at = cursor.at;
			return scan;
		} else if (looks_at(&cursor, "</")) {
			skip_past(&cursor, ">");
			depth -= depth > 0;
		} else {
			if (scan.count < max)
				places[scan.count] = cursor.at;
			scan.count++;
			scan.at = cursor.at;
			if (++depth > depth_max) {
				scan.verdict = SCAN_DEEP;
				return scan;
			}
			depth -= skip_tag(&cursor);
		}
	}
	return scan;
}

struct xml_place xml_scan_attribute(const char *xml, size_t size, struct xml_place tag,
				    const char *name)
{
	struct cursor cursor = { .xml = xml, .size = size, .at = tag };
	size_t length = strlen(name);

	while (!at_end(&cursor) && !is_space(peek(&cursor)) && peek(&cursor) != '>')
		advance(&cursor, 1);
	while (skip_spaces(&cursor), !at_end(&cursor) && peek(&cursor) != '>') {
		struct xml_place start = cursor.at;

		while (!at_end(&cursor) && !is_space(peek(&cursor)) && peek(&cursor) != '=' &&
		       peek(&cursor) != '>')
			advance(&cursor, 1);
		if (cursor.at.offset - start.offset == length &&
		    memcmp(xml + start.offset, name, length) == 0)
			return start;
		while (!at_end(&cursor) && peek(&cursor) != '"' && peek(&cursor) != '\'' &&
		       peek(&cursor) != '>')
			advance(&cursor, 1);
		if (!at_end(&cursor) && peek(&cursor) != '>')
			skip_quoted(&cursor);
	}
	return tag;
}
