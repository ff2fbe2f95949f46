// SPDX-License-Identifier: Apache-2.0
// Moves and drains in the replicated state.
#include "clusterd/apply_internal.h"

bool apply_move(struct apply *a)
{
	return refuse(a, "unsupported", WORDS("VMs cannot be moved yet"), WORDS(""));
}
