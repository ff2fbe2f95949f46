// SPDX-License-Identifier: Apache-2.0
// In words, what a VM waits for that starts after others.
#pragma once

#include "clusterd/cluster.h"
#include "clusterd/text.h"

// The first VM of the rule that is not up, and why it does not count as up.
void up_explain(const struct cluster *cluster, uint8_t rule, struct text *reason);
// The smallest change of a definition without which it never will be; nothing where there is none.
void up_explain_fix(const struct cluster *cluster, uint8_t rule, struct text *fix);
