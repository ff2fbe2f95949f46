// SPDX-License-Identifier: Apache-2.0
#include "migration/progress.h"

struct progress *progress_keep(struct progress_table *table, uint32_t move,
			       const struct migrate_stats *stats, uint64_t now_ms)
{
	struct progress *place = &table->list[0];

	for (int i = 0; i < MOVES_MAX && place->move != move; i++)
		if (table->list[i].move == move || table->list[i].at_ms < place->at_ms)
			place = &table->list[i];
	if (place->move != move)
		*place = (struct progress){ .move = move };
	place->at_ms = now_ms;
	place->stats = *stats;
	return place;
}

bool progress_tell(struct progress *progress, bool changed, uint64_t now_ms)
{
	if (!changed && progress->told_ms && now_ms - progress->told_ms < PROGRESS_TELL_MS)
		return false;
	progress->told_ms = now_ms;
	return true;
}

bool progress_find(const struct progress_table *table, uint32_t move, uint64_t now_ms,
		   struct migrate_stats *stats)
{
	for (int i = 0; i < MOVES_MAX; i++) {
		const struct progress *progress = &table->list[i];

		if (progress->move == move && now_ms - progress->at_ms <= PROGRESS_STALE_MS) {
			*stats = progress->stats;
			return move != 0;
		}
	}
	return false;
}
