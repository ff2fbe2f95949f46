// SPDX-License-Identifier: Apache-2.0
// What a host's planned shutdown means for the VMs that it ends: whether they are bound to it, and
// how long they wait for it then.
#pragma once

#include "clusterd/cluster.h"

// A reboot that takes longer is none.
enum { REBOOT_LIMIT_MS = 15 * 60 * 1000 };
// For a host that is back, to have its volumes again.
enum { RETURN_LIMIT_MS = 2 * 60 * 1000 };

// What becomes of a VM that the host ends because it goes down; enum host_leaving, not NOT.
bool shutdown_binds(enum shutdown_policy policy, enum host_leaving leaving);

struct bound_facts {
	bool down;    // its host said goodbye, or is about to
	bool coming;  // its host is back and does not have all of the VM's volumes yet
	bool closed;  // it may not have VMs: maintenance, unmanaged
	bool patient; // the policy knows no limit
	bool reboot_late, return_late;
};

struct bound_answer {
	bool waits;
	const char *reason;
};

// The VM runs nowhere and is bound to a host.
struct bound_answer bound_decide(const struct bound_facts *facts);
// Whether the VM waits for the host that it is bound to; `left_ms`: until that may change by itself
// (UINT64_MAX: it does not).
bool bound_waits(const struct cluster *cluster, const struct vm *vm, uint64_t wall_ms,
		 uint64_t *left_ms);
