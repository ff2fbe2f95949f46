// SPDX-License-Identifier: Apache-2.0
// Whether a VM can move to a node, and why not: one table of checks over the replicated state.
//
// Every check leaves a row with what was found there, what is needed and a verdict; texts and the
// smallest fix are made from the row. A move begins only where no row failed; nothing has been
// touched then.
#pragma once

#include "clusterd/check.h"
#include "clusterd/cluster.h"

enum preflight_check {
	PREFLIGHT_VM,		// it may be moved at all
	PREFLIGHT_NODE,		// the target takes VMs, and is another node
	PREFLIGHT_OWNER,	// a possible owner
	PREFLIGHT_EMULATOR,	// its QEMU is there and has told what it can do
	PREFLIGHT_VERSION,	// of QEMU; and whether the VM could come back
	PREFLIGHT_MACHINE,	// QEMU there knows the machine type
	PREFLIGHT_ARCH,
	PREFLIGHT_ACCEL,	// KVM or emulation, as where it runs
	PREFLIGHT_VENDOR,	// of the processor
	PREFLIGHT_MODEL,	// of the CPU
	PREFLIGHT_FEATURES,	// every feature bit that the guest sees
	PREFLIGHT_CPUS,
	PREFLIGHT_MEMORY,	// with all that other moves will bring
	PREFLIGHT_HUGEPAGES,
	PREFLIGHT_VOLUMES,	// of its disks, CDs and boot files: online there
	PREFLIGHT_IMAGES,	// its disks, CDs and boot files can be opened there
	PREFLIGHT_LEASES,	// their lockspaces joined there
	PREFLIGHT_BRIDGES,
	PREFLIGHT_DEVICES,	// of the host's, that it passes through: there, and nobody else's
	PREFLIGHT_NETWORK,	// an address to send memory to, and from
	PREFLIGHT_TLS,		// certificates of one authority that are valid
	PREFLIGHT_SPACE,	// for the saved state
	PREFLIGHT_CHECK_COUNT,
};

struct preflight_row {
	uint8_t check;		// enum preflight_check
	uint8_t verdict;	// enum check_verdict
	bool asked;		// this kind of move needs it; else the verdict is ok
	uint8_t cause;		// which of the check's own reasons; see preflight.c
	uint8_t item;		// volume slot, or number of the NIC or of the image
	uint64_t found, needed;	// where they are numbers
};

struct preflight {
	uint8_t kind;		// enum move_kind: never AUTO
	uint8_t target;		// node slot
	uint8_t verdict;	// the worst of the rows
	struct cpu_features missing;	// that the guest has and the target cannot give
	struct preflight_row rows[PREFLIGHT_CHECK_COUNT];
};

// What nodes already carry: made once for any number of judgements.
struct preflight_load {
	uint64_t present;	// mask of node slots whose clusterd takes part in the normal view
	uint64_t wall_ms;	// for the age of certificates; 0: not looked at
	uint64_t used_mib[NODES_MAX];	// VMs, and what moves under way bring or have not freed
	uint32_t cpus[NODES_MAX];	// of VMs
};

void preflight_load_init(struct preflight_load *load, const struct cluster *cluster,
			 uint64_t present, uint64_t wall_ms);
// Another move was decided in the same round: the VM goes to `node`.
void preflight_load_add(struct preflight_load *load, const struct cluster *cluster,
			const struct vm *vm, uint8_t node);

// Judges one target for one kind of move. MOVE_AUTO is LIVE for a VM that runs and COLD for one
// that does not; MOVE_SAVE looks at the node where the VM is, `target` is not meant then.
void preflight_judge(const struct cluster *cluster, const struct preflight_load *load,
		     const struct vm *vm, uint8_t target, enum move_kind kind,
		     struct preflight *result);
// Mask of the nodes where nothing fails.
uint64_t preflight_targets(const struct cluster *cluster, const struct preflight_load *load,
			   const struct vm *vm, enum move_kind kind);

// The row in words. found and needed are short ("avx2 bmi2", "512 MiB"); reason and fix are empty
// when the verdict is ok.
struct preflight_words {
	char found[TEXT_SIZE], needed[TEXT_SIZE];
	char reason[REASON_SIZE], fix[REASON_SIZE];
};

void preflight_explain(const struct cluster *cluster, const struct vm *vm,
		       const struct preflight *result, enum preflight_check check,
		       struct preflight_words *words);
// The first row with the worst verdict, in the order of the table; PREFLIGHT_CHECK_COUNT: all are
// ok.
enum preflight_check preflight_worst(const struct preflight *result);
// Why it can move to none of the nodes in the mask: the first failure of each, and the fix of the
// node with the fewest. Both buffers are REASON_SIZE bytes; empty when one of them can take it.
void preflight_refusal(const struct cluster *cluster, const struct preflight_load *load,
		       const struct vm *vm, uint64_t nodes, enum move_kind kind, char *reason,
		       char *fix);
const char *preflight_check_word(enum preflight_check check);
