// SPDX-License-Identifier: Apache-2.0
// Writes definitions as XML in one canonical form; read back, they are the same.
//
// Every function returns the length that the whole text has without its terminating zero, and
// writes as much of it as fits, zero-terminated when size is not 0. A result below size means that
// all of it was written.
#pragma once

#include "clusterd/cluster.h"

// The whole configuration in <clusterd>. Objects in the order of their slots: the same on every
// node.
size_t definition_write_all(const struct cluster *cluster, char *buf, size_t size);

size_t definition_write_cluster(const struct cluster_def *def, char *buf, size_t size);
size_t definition_write_node(const struct node_def *def, char *buf, size_t size);
size_t definition_write_rule(const struct rule_def *def, char *buf, size_t size);
size_t definition_write_policy(const struct pro_def *def, char *buf, size_t size);
size_t definition_write_volume(const struct volume_def *def, char *buf, size_t size);
// With its wanted state and owners as the cluster has them.
size_t definition_write_vm(const struct cluster *cluster, const struct vm *vm, char *buf,
			   size_t size);
