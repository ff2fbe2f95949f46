// SPDX-License-Identifier: Apache-2.0
// Sets of CPU features, what all nodes have in common, and the -cpu that follows from it.
#pragma once

#include "clusterd/cluster.h"

enum {
	CPU_ARGUMENT_SIZE = 8192, // for every feature named once
	CPU_NAME_MAX = 40,	  // no feature's name is as long
};

// The name that QEMU knows feature `bit` by, or NULL beyond the last one. The numbers are part of
// what is stored and sent: new names come at the end.
const char *cpu_feature_name(unsigned int bit);
// Its number, whichever way the name is spelt ("sse4.1", "sse4_1"; "sse3" is "pni"); -1: none.
int cpu_feature_find(const char *name);

static inline bool cpu_has(const struct cpu_features *set, unsigned int bit)
{
	return (set->bits[bit / 64] >> bit % 64 & 1) != 0;
}
static inline void cpu_add(struct cpu_features *set, unsigned int bit)
{
	set->bits[bit / 64] |= 1ull << bit % 64;
}
bool cpu_empty(const struct cpu_features *set);
unsigned int cpu_count(const struct cpu_features *set);
void cpu_both(struct cpu_features *set, const struct cpu_features *other); // intersection
void cpu_without(struct cpu_features *set, const struct cpu_features *other);
// The names in `set`, divided by `between`, as many as fit, the rest counted: "aes avx2 (3 more)".
// Returns how many features there are.
unsigned int cpu_names(const struct cpu_features *set, const char *between, char *buf, size_t size);
// Names divided by blanks or commas. False with `unknown` (CPU_NAME_MAX bytes) for one that is
// none.
bool cpu_parse(struct cpu_features *set, const char *names, char *unknown);

enum { CPU_FEATURES_BYTES = 8 * CPU_FEATURE_WORDS };
void cpu_encode(const struct cpu_features *set, uint8_t *bytes);
bool cpu_decode(struct cpu_features *set, const uint8_t *bytes, size_t size);

// 32 bits of a name, for the sets of names in struct host_facts.
uint32_t name_hash(const char *name);
bool facts_have_machine(const struct host_facts *facts, const char *machine);
bool facts_have_model(const struct host_facts *facts, const char *model);
bool facts_have_device(const struct host_facts *facts, const char *address);
bool facts_have_bridge(const struct host_facts *facts, const char *bridge);

// What the node can give: what its QEMU told, less what its definition takes away. False: it has
// not told.
bool node_cpu(const struct cluster_node *node, struct cpu_features *features);
// What every node of the mask (0: every node) can give that has ever told, and that a guest which
// is to move may have: without nested virtualisation and what else binds it to its host. False:
// none has told.
bool cpu_baseline(const struct cluster *cluster, uint64_t nodes, struct cpu_features *features);
// The machine type that `machine` (empty: "q35") is to mean for a VM that starts on `owner`: of
// aliases the oldest that the nodes of the mask take it for, so that each of them has it.
void machine_baseline(const struct cluster *cluster, uint64_t nodes, uint8_t owner,
		      const char *machine, char *buf); // MACHINE_SIZE bytes

// What a VM that is placed on `owner` is to start with. False: only its QEMU will tell (a named
// model, or nothing is known of the nodes).
bool cpu_for_start(const struct cluster *cluster, const struct vm *vm, uint8_t owner,
		   struct cpu_features *features);
// -cpu for that VM on this node. Everything is named that must be on, and everything that the node
// could add. False when nothing is known of the node or the text does not fit.
bool cpu_argument(const struct vm_def *def, const struct vm *vm, const struct cluster_node *node,
		  char *buf, size_t size);
