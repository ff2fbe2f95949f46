// SPDX-License-Identifier: Apache-2.0
// The moves that this host takes part in: between clusterd/local.c, which looks after the lives of
// VMs, and the two ends in migration/.
#pragma once

#include "clusterd/node_internal.h"

// The local life of this VM, begun if need be; NULL while its slot's former tenant still lives
// here.
struct vm_local *local_of_vm(struct node *node, const struct vm *vm);
// Takes up what the replica says of this node, lets go of what it says no more. Before any VM's
// life is looked at.
void local_moves_sync(struct node *node, struct actions *actions);
void local_moves_event(struct node *node, const struct event *event, struct actions *actions);
// Of a VM that a move is at (local->move_at): what is due now, and how its life should go.
void local_move_step(struct node *node, struct vm_local *local, struct actions *actions);
void local_move_wish(struct node *node, const struct vm_local *local, struct vm_wish *wish,
		     struct actions *actions);
// What is to be told of it, once or again.
void local_move_tell(struct node *node, struct vm_local *local, struct actions *actions);
// What an earlier daemon wrote down of its saving (save_begin()). False: the event is none of it.
bool local_saved(struct node *node, const struct event *event);
bool local_saved_untold(const struct node *node, const struct vm_local *local);
// Its end and its running are told by the move, or were.
bool local_move_speaks(const struct node *node, const struct vm *vm, const struct vm_local *local);
