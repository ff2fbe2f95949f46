// SPDX-License-Identifier: Apache-2.0
// A plan that balances as JSON, for the daemon and for those who ask a dump.
#pragma once

#include <jansson.h>

#include "policies/balance.h"

// {measured, nodes, unseen, before_ppm, after_ppm, spread: {memory: {before_ppm, after_ppm}...},
// steps: [{vm, from, to, together, gain_ppm, score_ppm, evens, reason}], stop}. `unseen`: nodes
// that were left out because nothing present was measured of them.
json_t *balance_json(const struct cluster *cluster, const struct balance_plan *plan, bool measured,
		     uint64_t unseen);
