// SPDX-License-Identifier: Apache-2.0
// Policies and tips in words.
#pragma once

#include "clusterd/action.h"
#include "clusterd/entry.h"
#include "clusterd/text.h"

const char *tip_state_word(enum tip_state state);
const char *tip_verdict_word(enum tip_verdict verdict);

// The event log's line about an entry of theirs, before it is applied.
void describe_tip(const struct cluster *cluster, const struct entry *entry, struct text *text);
// How loud the line about this entry is: a tip's severity when it opens.
enum log_level entry_log_level(const struct entry *entry);
