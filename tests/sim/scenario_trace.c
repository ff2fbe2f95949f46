// SPDX-License-Identifier: Apache-2.0
// Growing text, and JSON in it.
#include <stdlib.h>
#include <string.h>

#include "clusterd/invariant.h"
#include "tests/sim/scenario.h"

void paper_add(struct paper *paper, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	INVARIANT(length >= 0);
	if (paper->used + (size_t)length + 1 > paper->size) {
		paper->size = 2 * paper->size + (size_t)length + 4096;
		paper->text = realloc(paper->text, paper->size);
		INVARIANT(paper->text);
	}
	vsnprintf(paper->text + paper->used, (size_t)length + 1, format, again);
	paper->used += (size_t)length;
	va_end(args);
	va_end(again);
}

// One character of well-formed UTF-8.
static uint32_t character(const uint8_t **at)
{
	uint32_t first = *(*at)++, more = first >= 0xf0	  ? 3
					  : first >= 0xe0 ? 2
					  : first >= 0xc0 ? 1
							  : 0;
	uint32_t code = more ? first & (0x3fu >> more) : first;

	for (; more > 0 && (**at & 0xc0) == 0x80; more--)
		code = code << 6 | (*(*at)++ & 0x3f);
	return code;
}

void paper_add_json(struct paper *paper, const char *string)
{
	static const char *const shorts = "\"\"\\\\\bb\ff\nn\rr\tt";
	const uint8_t *at = (const uint8_t *)string;

	paper_add(paper, "\"");
	while (*at) {
		uint32_t code = character(&at);
		const char *mark = NULL;

		for (size_t i = 0; shorts[i]; i += 2)
			if ((uint32_t)(uint8_t)shorts[i] == code)
				mark = &shorts[i + 1];
		if (mark)
			paper_add(paper, "\\%c", *mark);
		else if (code >= 0x20 && code < 0x7f)
			paper_add(paper, "%c", (int)code);
		else if (code < 0x10000)
			paper_add(paper, "\\u%04x", (unsigned int)code);
		else
			paper_add(paper, "\\u%04x\\u%04x", (unsigned int)(0xd7c0 + (code >> 10)),
				  (unsigned int)(0xdc00 + (code & 0x3ff)));
	}
	paper_add(paper, "\"");
}
