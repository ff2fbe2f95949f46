// SPDX-License-Identifier: Apache-2.0
// The cluster's shared volumes on this host: their place in the tree, a probe each, and their
// lockspaces.
//
// Posts EVENT_VOLUME on every change of state, and after every join that was asked for;
// EVENT_VOLUME_PREPARED and EVENT_LEASE_WRITTEN.
#pragma once

#include "clusterd/edge.h"
#include "clusterd/worker_io.h"
#include "csv/sanlock_io.h"

struct volumes;

struct volumes_config {
	struct edge edge;
	uint32_t node_id;	// also the host id in every lockspace
	uid_t qemu_uid;		// owns <volume>/vms
	gid_t qemu_gid;
};

// 0 or -errno.
int volumes_open(struct volumes **volumes, const struct volumes_config *config);
void volumes_close(struct volumes *volumes);

// Puts the volume into the tree as <root>/<name> and starts to probe it. Again with the same facts:
// nothing; with others: the volume is closed and opened anew.
void volumes_add(struct volumes *volumes, uint8_t slot, const char *root, const char *name,
		 const char *source, uint32_t io_timeout_s);
// Leaves the lockspace and takes it out of the tree.
void volumes_remove(struct volumes *volumes, uint8_t slot);
void volumes_prepare(struct volumes *volumes, uint8_t slot, uint32_t attempt);
void volumes_join(struct volumes *volumes, uint8_t slot);
void volumes_lease_write(struct volumes *volumes, uint8_t slot, struct vm_ref vm,
			 const struct uuid *uuid, uint32_t lease_slot);
// The daemon is gone, and every lockspace with it.
void volumes_sanlock_gone(struct volumes *volumes);

// Whether no folder above the volume's is a volume as well: its files would have two names, and a
// lease under each. A bind mount hides what is above; resources/image_io.c looks from there.
bool volume_stands_alone(const char *source, char *reason);

// How sanlock sees it, or NULL when there is no such volume here. Sizes are known once it was
// joined.
const struct lock_volume *volumes_lock(const struct volumes *volumes, uint8_t slot);
// How long its last probe took, or the one under way has taken by now if that is more. False: there
// is no such volume, or no probe has come back yet. *latency_us is UINT32_MAX when the last failed.
bool volumes_latency_us(const struct volumes *volumes, uint8_t slot, uint32_t *latency_us);
