// SPDX-License-Identifier: Apache-2.0
// What this host's QEMU can do, asked of a QEMU that lives for the question alone.
#pragma once

#include "clusterd/facts.h"

// Fills in all that QEMU knows: versions, machine types, CPU models, features. For worker threads;
// a tenth of a second, 5 s at most. `state` says whether it answered. `run_dir` is for a file with
// the questions.
void facts_ask_qemu(const char *qemu, bool kvm, const char *run_dir, struct host_facts *facts);
// Fills in what the kernel knows: bridges, huge pages, free memory. For the loop: it reads a few
// small files. What only fluctuates keeps the value that `facts` has.
// `root`: QEMU runs as root.
void facts_look_host(struct host_facts *facts, bool root);
// Whether the kernel keeps post-copy from QEMU, by what the file says.
bool facts_forbids_faults(const char *path, bool root);

// Adds the features that the answer to query-cpu-model-expansion names as on; others go to `other`
// (TEXT_SIZE bytes). `json`: its `return` member as text. False: it is not one.
bool facts_read_expansion(const char *json, struct cpu_features *features, char *other);
// Takes away those in the answer to qom-get unavailable-features.
bool facts_read_unavailable(const char *json, struct cpu_features *features);
// The arguments of query-cpu-model-expansion for what -cpu says: malloc'd, or NULL.
char *facts_expansion_arguments(const char *cpu_argument);
