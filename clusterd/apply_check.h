// SPDX-License-Identifier: Apache-2.0
// Whether a definition makes sense by itself, whatever else is defined.
#pragma once

#include "clusterd/apply_internal.h"

// False and refused when not.
bool check_cluster_def(struct apply *a, const struct cluster_def *def);
bool check_node_def(struct apply *a, const struct node_def *def);
bool check_volume_def(struct apply *a, const struct volume_def *def);
bool check_vm_def(struct apply *a, const struct vm_def *def);

bool path_is_inside(const char *path, const char *directory); // or the same
