// SPDX-License-Identifier: Apache-2.0
// What the entries about VMs and nodes need of moves: whatever ends, loses or starts a VM that is
// being moved goes through its move.
#pragma once

#include "clusterd/apply_internal.h"
#include "migration/move_loss.h"

// The VM's move, or NULL.
struct move *vm_move_of(struct apply *a, const struct vm *vm);
// It has begun, and its end has not been reached.
bool move_begun(const struct move *move);
// A process of the move may live on this node.
bool move_needs_node(const struct move *move, uint8_t slot);

// Somebody does not want it any more: as far as that is still possible.
void move_give_up(struct apply *a, struct move *move);
// VM reports of a VM with a move that has begun; the report came from the VM's owner, under its
// present attempt.
bool move_vm_report(struct apply *a, struct vm *vm, struct move *move);
// VM_REPORT_FOUND of one.
bool move_vm_found(struct apply *a, struct vm *vm, struct move *move, uint8_t finder);
// The node's life has changed. `dead`: nothing of it runs, proven; `expiring`: believed.
void moves_node_changed(struct apply *a, uint8_t slot);
void moves_node_dead(struct apply *a, uint8_t slot);
void moves_node_expiring(struct apply *a, uint8_t slot);
// It comes back from a death that was only believed.
void moves_node_back(struct apply *a, uint8_t slot);

// apply_move.c, for its other half
struct vm *move_vm(struct apply *a, const struct move *move);
enum move_loss_phase move_loss_phase(const struct move *move);
void move_advance(struct apply *a, struct move *move, enum move_stage to);
void move_say(struct move *move, const char *reason); // why it fails; the first reason stays
void numbers_merge(struct move_numbers *into, const struct move_numbers *from);
void move_undo(struct apply *a, struct move *move, const char *reason);
void move_settle(struct apply *a, struct move *move); // it may have ended then
void move_end(struct apply *a, struct move *move, enum move_outcome outcome, const char *reason);
void move_end_idle(struct apply *a, struct move *move, const char *reason);
void move_done(struct apply *a, struct move *move);
// It leaves, or has left, a node that is emptied, and comes back one day.
void move_left_home(const struct cluster *cluster, struct vm *vm, const struct move *move);

// apply_move_report.c
bool move_report(struct apply *a);

// apply_drain.c
// The entry's kind and target suit the VM as it is now; otherwise refused.
bool move_allowed(struct apply *a, const struct vm *vm);
bool apply_node_drain(struct apply *a);
bool apply_node_drained(struct apply *a);
