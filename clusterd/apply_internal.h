// SPDX-License-Identifier: Apache-2.0
// What the parts of cluster_apply() share: one entry being applied, refusals, and changes of phase
// and life.
#pragma once

#include "clusterd/entry.h"

struct apply {
	struct cluster *cluster;
	const struct entry *entry;
	struct entry_result *result;
};

// Words that are put together to one text.
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct number_text {
	char text[21];
};

struct number_text number_text(uint64_t number);
void words_join(char *buf, size_t size, const char *const *words);

// Nothing may have been changed yet. Returns false, for `return refuse(...)`.
bool refuse(struct apply *a, const char *code, const char *const *reason, const char *const *fix);

static inline uint64_t slot_bit(uint8_t slot)
{
	return slot < NODES_MAX ? UINT64_C(1) << slot : 0;
}

// The name of a node slot, for people; "no node" when there is none.
const char *slot_name(const struct cluster *cluster, uint8_t slot);
// What an entry names, or NULL and refused.
struct cluster_node *apply_named_node(struct apply *a);
struct vm *apply_named_vm(struct apply *a);
struct cluster_node *apply_node(struct apply *a); // by entry->node_id
struct vm *apply_vm(struct apply *a);		  // by entry->vm
// The slot of the node that proposed the entry, or SLOT_NONE.
uint8_t apply_from(const struct apply *a);

void vm_set_phase(struct apply *a, struct vm *vm, enum vm_phase phase);
void vm_set_idle(struct apply *a, struct vm *vm,
		 enum vm_phase phase); // VM_IDLE or VM_ERROR: it runs nowhere
// apply_size.c: a size that is defined while it runs. size_define() puts what it keeps into `def`.
void size_kept(const struct vm_def *old, struct vm_def *def);
void size_define(struct vm *vm, const struct vm_def *old, struct vm_def *def);
void size_take(struct apply *a, struct vm *vm); // where it runs nowhere
void vm_set_wanted(struct apply *a, struct vm *vm, enum vm_wanted wanted);
void vm_forgive(struct vm *vm);	    // its failures
void vm_fence_if_stuck(struct apply *a, const struct vm *vm);
void vm_drop_saved(struct vm *vm);  // its saved state is not worth restoring any more
void vm_say_strays(struct apply *a, struct vm *vm); // why it waits, if it runs nowhere
void vm_lose_saved(struct vm *vm);  // nor is one that was taken
// Parts of reports, also of VMs that are being moved.
void vm_count_failure(struct apply *a, struct vm *vm);	 // on its owner
void vm_guest_shut_down(struct apply *a, struct vm *vm); // it may be wanted stopped then
bool vm_found(struct apply *a, struct vm *vm, uint8_t finder);
bool vm_report_owned(struct apply *a, struct vm *vm);
bool vm_owned(const struct vm *vm); // it runs, or may run, on its owner
void lease_slot_give_back(struct cluster *cluster, const struct vm_lease *lease);
// A VM given up on some node by expiry alone: refused, with the node's name.
bool refuse_unproven(struct apply *a, const struct vm *vm);
const struct vm_def *volume_user(const struct cluster *cluster, const char *volume); // any, or NULL
void volume_forget_reports(struct cluster *cluster, uint8_t volume);
void node_set_life(struct apply *a, struct cluster_node *node, enum node_life life);

bool apply_definitions(struct apply *a);
bool apply_remove(struct apply *a);
bool apply_vm_want(struct apply *a);
bool apply_vm_manage(struct apply *a);
bool apply_vm_clear(struct apply *a);
bool apply_vm_report(struct apply *a);
bool apply_lease_write(struct apply *a);
bool apply_lease_written(struct apply *a);
bool apply_place(struct apply *a);
bool apply_node_manage(struct apply *a);
bool apply_node_fence(struct apply *a);
bool apply_node_confirm_dead(struct apply *a);
bool apply_node_report(struct apply *a);
bool apply_node_goodbye(struct apply *a);
bool apply_node_lost(struct apply *a);
bool apply_node_fencing(struct apply *a);
bool apply_fence_result(struct apply *a);
bool apply_node_released(struct apply *a);
bool apply_node_expiring(struct apply *a);
bool apply_node_back(struct apply *a);
bool apply_move(struct apply *a);
bool remove_policy(struct apply *a);
bool apply_tip(struct apply *a);
bool apply_voters(struct apply *a);
bool apply_volume_prepare(struct apply *a);
bool apply_volume_prepared(struct apply *a);
