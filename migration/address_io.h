// SPDX-License-Identifier: Apache-2.0
// Which addresses of this host moves go over.
#pragma once

#include <stdint.h>

#include "clusterd/definition.h"

// An address in each of the networks that are listed, in their order. Without a list: every
// address that others can reach, those of interfaces without a default route first. What is not
// filled is empty. Returns their number.
uint32_t migration_addresses(const struct migration_def *def,
			     char (*out)[ADDRESS_SIZE]); // [MIGRATION_NETWORKS_MAX]
