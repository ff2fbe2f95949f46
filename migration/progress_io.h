// SPDX-License-Identifier: Apache-2.0
// How far a move is, in JSON and in words.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "clusterd/event.h"

// {"status", "total", "remaining", "transferred" in bytes, "rate", "dirty_rate" in bytes a second,
// "rounds", "throttle" in percent, "pause_us", "total_ms", "left_ms": null when it does not get
// nearer to its end}
json_t *progress_json(const struct migrate_stats *stats);
// The same for people, made from the JSON: "312 of 512 MiB (60 %), round 3, 900 MiB/s, dirties 120
// MiB/s, 1 s left". Empty for null.
void progress_text(const json_t *progress, char *buf, size_t size);
