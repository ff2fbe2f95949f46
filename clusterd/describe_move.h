// SPDX-License-Identifier: Apache-2.0
// Moves and drains in words.
#pragma once

#include "clusterd/entry.h"
#include "clusterd/text.h"

const char *move_kind_word(enum move_kind kind);
const char *move_stage_word(enum move_stage stage);
const char *move_outcome_word(enum move_outcome outcome);
const char *move_cause_word(enum move_cause cause);
const char *drain_state_word(enum drain_state state);

// The event log's line about an entry of theirs; nothing for one that is not worth a line.
void describe_move(const struct cluster *cluster, const struct entry *entry, struct text *text);
