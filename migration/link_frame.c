// SPDX-License-Identifier: Apache-2.0
#include "migration/link_frame.h"

#include "clusterd/codec.h"
#include "clusterd/limits.h"

void link_frame_encode(const struct link_frame *frame, uint8_t *bytes)
{
	struct writer w = { .buf = bytes, .size = LINK_FRAME_SIZE };

	write_u8(&w, LINK_VERSION);
	write_u8(&w, frame->type);
	write_u8(&w, frame->word);
	write_u8(&w, 0);
	write_u32(&w, frame->from);
	write_u32(&w, frame->to);
	write_u32(&w, frame->value);
}

static bool node_id_good(uint32_t id)
{
	return id > 0 && id <= NODE_ID_MAX;
}

bool link_frame_decode(struct link_frame *frame, const uint8_t *bytes)
{
	struct reader r = { .buf = bytes, .size = LINK_FRAME_SIZE };
	bool good = read_u8(&r) == LINK_VERSION;

	frame->type = read_u8(&r);
	frame->word = read_u8(&r);
	good &= read_u8(&r) == 0;
	frame->from = read_u32(&r);
	frame->to = read_u32(&r);
	frame->value = read_u32(&r);
	return good && frame->type > 0 && frame->type < LINK_FRAME_TYPE_COUNT &&
	       (frame->word != 0) == (frame->type == LINK_WORD) && node_id_good(frame->from) &&
	       node_id_good(frame->to) && frame->from != frame->to;
}
