// SPDX-License-Identifier: Apache-2.0
// Whether a definition makes sense by itself, whatever else is defined.
#pragma once

#include "clusterd/apply_internal.h"
#include "clusterd/definition_unpack.h"

// False and refused when not.
bool check_cluster_def(struct apply *a, const struct cluster_def *def);
bool check_node_def(struct apply *a, const struct node_def *def);
bool check_volume_def(struct apply *a, const struct volume_def *def);
bool check_vm_def(struct apply *a, const struct vm_def *def);
bool check_rule_def(struct apply *a, const struct rule_def *def);

// The rules of a document: those that `reader` has left. Checked first, then kept.
bool check_rules(struct apply *a, struct definition_unpack reader);
void store_rules(struct apply *a, struct definition_unpack reader);
// The PRO policies of a document, which are behind its rules.
bool check_pros(struct apply *a, struct definition_unpack reader);
void store_pros(struct apply *a, struct definition_unpack reader);

// Always false: what a VM that runs, or may run, is made of cannot become `def`.
bool refuse_running_change(struct apply *a, const struct vm *vm, const struct vm_def *def);

bool name_is_word(const char *name); // letters, digits, '.', '_', '-', the first of the former two

bool path_is_inside(const char *path, const char *directory); // or the same
