// SPDX-License-Identifier: Apache-2.0
// Which addresses of this host moves go over.
#pragma once

#include <stdint.h>

#include "clusterd/definition.h"

// An address in each of the networks that are listed, in their order. Without a list: every
// address that others can reach, those of interfaces without a default route first. What is not
// filled is empty. With each the speed of its link in Mbit/s, as far as hardware below the
// interface says one; otherwise 0. Both have MIGRATION_NETWORKS_MAX places. Returns their number.
uint32_t migration_addresses(const struct migration_def *def, char (*out)[ADDRESS_SIZE],
			     uint32_t *link_mbit);

// Of an interface; `net` is where the kernel describes them: /sys/class/net.
uint32_t interface_mbit(const char *net, const char *name);
