// SPDX-License-Identifier: Apache-2.0
#include "migration/link_frame.h"

#include "clusterd/codec.h"
#include "clusterd/limits.h"

uint32_t link_frame_size(const uint8_t *bytes)
{
	if (bytes[1] == LINK_SYNCED)
		return LINK_SYNCED_SIZE;
	return bytes[1] == LINK_STATS ? LINK_STATS_SIZE : LINK_FRAME_SIZE;
}

static void stats_encode(struct writer *w, const struct migrate_stats *stats)
{
	write_u64(w, stats->total);
	write_u64(w, stats->remaining);
	write_u64(w, stats->transferred);
	write_u64(w, stats->rate);
	write_u64(w, stats->dirty_rate);
	write_u32(w, stats->rounds);
	write_u32(w, stats->throttle);
	write_u32(w, stats->pause_us);
	write_u32(w, stats->total_ms);
}

static void stats_decode(struct reader *r, struct migrate_stats *stats)
{
	stats->total = read_u64(r);
	stats->remaining = read_u64(r);
	stats->transferred = read_u64(r);
	stats->rate = read_u64(r);
	stats->dirty_rate = read_u64(r);
	stats->rounds = read_u32(r);
	stats->throttle = read_u32(r);
	stats->pause_us = read_u32(r);
	stats->total_ms = read_u32(r);
}

uint32_t link_frame_encode(const struct link_frame *frame, uint8_t *bytes)
{
	struct writer w = { .buf = bytes, .size = LINK_STATS_SIZE };

	write_u8(&w, LINK_VERSION);
	write_u8(&w, frame->type);
	write_u8(&w, frame->type == LINK_STATS ? frame->stats.status : frame->word);
	write_u8(&w, 0);
	write_u32(&w, frame->from);
	write_u32(&w, frame->to);
	write_u32(&w, frame->value);
	if (frame->type == LINK_STATS)
		stats_encode(&w, &frame->stats);
	if (frame->type == LINK_SYNCED) {
		write_u64(&w, frame->synced.view);
		write_u64(&w, frame->synced.gathering);
		write_u64(&w, frame->synced.index);
	}
	return (uint32_t)w.used;
}

static bool node_id_good(uint32_t id)
{
	return id > 0 && id <= NODE_ID_MAX;
}

static bool word_good(const struct link_frame *frame)
{
	if (frame->type == LINK_STATS)
		return frame->word < MIGRATE_STATUS_COUNT;
	return (frame->word != 0) == (frame->type == LINK_WORD);
}

bool link_frame_decode(struct link_frame *frame, const uint8_t *bytes)
{
	struct reader r = { .buf = bytes, .size = link_frame_size(bytes) };
	bool good = read_u8(&r) == LINK_VERSION;

	*frame = (struct link_frame){ 0 };
	frame->type = read_u8(&r);
	frame->word = read_u8(&r);
	good &= read_u8(&r) == 0;
	frame->from = read_u32(&r);
	frame->to = read_u32(&r);
	frame->value = read_u32(&r);
	good &= frame->type > 0 && frame->type < LINK_FRAME_TYPE_COUNT && word_good(frame) &&
		node_id_good(frame->from) && node_id_good(frame->to) && frame->from != frame->to;
	if (frame->type == LINK_SYNCED) {
		frame->synced.view = read_u64(&r);
		frame->synced.gathering = read_u64(&r);
		frame->synced.index = read_u64(&r);
		good &= frame->value == 0;
	}
	if (frame->type != LINK_STATS)
		return good;
	stats_decode(&r, &frame->stats);
	frame->stats.status = frame->word;
	frame->word = 0;
	return good;
}
