// SPDX-License-Identifier: Apache-2.0
// Stands in for libcpg, libquorum, libvotequorum and libcmap, and fails where it is told to.
//
// One node, id 1, alone with a silent node 2; its own messages come back in order. Every call
// counts, from whatever thread; looking up a handle's context cannot fail and does not.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <corosync/corotypes.h>

// A new corosync, without connections. The `fail_at`th call (0: none) answers `code`.
void fake_begin(uint64_t fail_at, cs_error_t code);
bool fake_failed(void);			// the call to fail was reached
uint64_t fake_open_handles(void);
// Corosync ends: what is connected hears nothing more; who connects afterwards finds a new one.
void fake_end_corosync(void);
// Every cpg_mcast_joined() answers CS_ERR_TRY_AGAIN for so many calls.
void fake_refuse(uint32_t calls);
// Delivered through the one open CPG connection, after what is already queued.
void fake_deliver(uint32_t id, uint32_t pid, const void *bytes, size_t size);
void fake_members(bool self, bool other);
