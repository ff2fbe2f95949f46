// SPDX-License-Identifier: Apache-2.0
#include "clusterd/text.h"

#include <string.h>

struct text text_in(char *buf, size_t size)
{
	if (size > 0)
		buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

struct text *text_add(struct text *text, const char *string)
{
	size_t length = strlen(string), room;

	if (text->size == 0)
		return text;
	room = text->size - 1 - text->length;
	if (length > room)
		length = room;
	memcpy(text->buf + text->length, string, length);
	text->length += length;
	text->buf[text->length] = '\0';
	return text;
}

struct text *text_add_number(struct text *text, uint64_t number)
{
	char digits[21];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return text_add(text, digits + at);
}

// The rest is zeroed, so that equal texts are equal bytes.
void text_copy(char *buf, size_t size, const char *string)
{
	size_t length = strlen(string);

	if (size == 0)
		return;
	if (length > size - 1)
		length = size - 1;
	memmove(buf, string, length);
	memset(buf + length, 0, size - length);
}
