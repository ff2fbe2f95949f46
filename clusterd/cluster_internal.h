// SPDX-License-Identifier: Apache-2.0
// What cluster_apply() and the snapshot need of the replicated state's inside.
#pragma once

#include "clusterd/cluster.h"

void cluster_clear(struct cluster *cluster);		       // empty again, in the same memory
void cluster_touch_node(struct cluster *cluster, uint8_t slot); // zeroed when node_high rises
void cluster_touch_volume(struct cluster *cluster, uint8_t slot);
void cluster_touch_rule(struct cluster *cluster, uint8_t slot);
void cluster_touch_move(struct cluster *cluster, uint8_t at);
void cluster_touch_vm(struct cluster *cluster, uint32_t slot);
uint8_t *volume_lease_slots(const struct cluster *cluster, uint8_t volume);
// The lowest one.
bool lease_slot_find_free(const struct cluster *cluster, uint8_t volume,
			  uint32_t *slot);
