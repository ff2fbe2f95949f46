// SPDX-License-Identifier: Apache-2.0
// A preflight as JSON, for the daemon and for those who ask a dump.
#pragma once

#include <jansson.h>

#include "migration/preflight.h"

// {node, here, kind, verdict, reason, fix, checks: [{check, verdict, found, needed, reason, fix}]};
// only the checks that this kind of move needs.
json_t *preflight_json(const struct cluster *cluster, const struct preflight_load *load,
		       const struct vm *vm, uint8_t target, enum move_kind kind);
// Names of the nodes in the mask.
json_t *preflight_names(const struct cluster *cluster, uint64_t nodes);
