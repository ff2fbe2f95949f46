// SPDX-License-Identifier: Apache-2.0
// Between the files of the request server.
#pragma once

#include <jansson.h>

#include "clusterd/request_io.h"

enum { PENDING_MAX = 256 };

struct pending {
	bool used;
	uint64_t cookie;
	uint64_t client;
	json_t *result; // what an accepted change is answered with; owned
};

// The last proof of capacity, and what it is of.
struct proven {
	uint64_t index, view, present;
	uint32_t failures; // 0: none
	json_t *json;
};

struct request {
	struct request_options options;
	char schema_path[1024];
	uint64_t next_cookie;
	struct proven proven;
	struct pending pending[PENDING_MAX];
};

// What a handler made of a request: exactly one of the two, or neither when the answer comes later.
struct answer {
	json_t *result;
	json_t *error;
};

struct answer answer_error(const char *code, const char *reason, const char *fix);
struct answer answer_result(json_t *result);

// A string of ours; bytes that are not UTF-8 become "?".
json_t *text_json(const char *text);
// A member that is a string; NULL when it is missing or something else.
const char *member_text(const json_t *object, const char *name);
bool member_flag(const json_t *object, const char *name);
json_t *node_name_json(const struct cluster *cluster, uint8_t slot); // null for SLOT_NONE
uint64_t present_nodes(const struct node *node);

// Read-only verbs. `ask` is the request.
struct answer show_status(struct request *request, const json_t *ask);
struct answer show_vm_list(struct request *request, const json_t *ask);
struct answer show_vm(struct request *request, const json_t *ask);
struct answer show_vm_explain(struct request *request, const json_t *ask);
struct answer show_vm_preflight(struct request *request, const json_t *ask);
struct answer show_node_list(struct request *request, const json_t *ask);
struct answer show_node(struct request *request, const json_t *ask);
struct answer show_volume_list(struct request *request, const json_t *ask);
struct answer show_volume(struct request *request, const json_t *ask);
struct answer show_quorum(struct request *request, const json_t *ask);
struct answer show_capacity(struct request *request, const json_t *ask);
// The proof for so many failures (as many of them as can be tried); NULL without memory.
json_t *capacity_json(const struct cluster *cluster, uint64_t present, uint32_t failures);
// The same of the cluster as it is; proved anew when it has changed. With 10,000 VMs that takes a
// tenth of a second, and `status` asks for it each time.
json_t *capacity_now(struct request *request, uint32_t failures);
// The proof when the cluster stands its failures before a change and not after it; else NULL.
// `after` is the caller's own copy, and is changed.
json_t *capacity_broken(const struct cluster *before, struct cluster *after, uint64_t present);
struct answer show_dump(struct request *request, const json_t *ask);

struct answer show_top(struct request *request, const json_t *ask);
// What is measured of one: present values, null where there is none, with the reason.
json_t *node_measured(const struct node *node, uint8_t slot, bool with_series);
json_t *vm_measured(const struct node *node, const struct vm *vm, bool with_series);
json_t *volume_latency(const struct node *node, uint8_t slot, uint8_t volume);

struct answer show_moves(struct request *request, const json_t *ask);
struct answer show_node_maintenance(struct request *request, const json_t *ask);

// Changes (request_move_io.c).
struct answer change_vm_migrate(struct request *request, uint64_t client, const json_t *ask);
struct answer change_vm_cancel(struct request *request, uint64_t client, const json_t *ask);
struct answer change_vm_save(struct request *request, uint64_t client, const json_t *ask);
struct answer change_vm_restore(struct request *request, uint64_t client, const json_t *ask);
struct answer change_node_maintenance(struct request *request, uint64_t client, const json_t *ask);
// Proposes the entry about what the request names.
struct answer request_named(struct request *request, uint64_t client, struct entry *entry,
			    const json_t *ask);

// Proposes it, and takes `result`: what is answered once it is accepted.
struct answer request_propose(struct request *request, uint64_t client, struct entry *entry,
			      json_t *result);

// PRO policies and tips (request_tip_io.c).
struct answer show_policy_list(struct request *request, const json_t *ask);
struct answer show_policy(struct request *request, const json_t *ask);
struct answer show_balance(struct request *request, const json_t *ask);
struct answer show_balance_plan(struct request *request, const json_t *ask);
struct answer show_tips_list(struct request *request, const json_t *ask);
struct answer show_tip(struct request *request, const json_t *ask);
struct answer change_tip_accept(struct request *request, uint64_t client, const json_t *ask);
struct answer change_tip_dismiss(struct request *request, uint64_t client, const json_t *ask);
struct answer change_policy_enable(struct request *request, uint64_t client, const json_t *ask);
struct answer change_policy_disable(struct request *request, uint64_t client, const json_t *ask);
struct answer change_policy_run(struct request *request, uint64_t client, const json_t *ask);
struct answer change_balance(struct request *request, uint64_t client, const json_t *ask);

json_t *move_row(const struct cluster *cluster, const struct move *move);
json_t *vm_row(const struct request *request, const struct vm *vm);
// The VM that `ask` names; NULL with `problem` set.
const struct vm *ask_vm(const struct request *request, const json_t *ask, struct answer *problem);
// Names of the nodes that it could move to.
json_t *vm_targets(const struct request *request, const struct vm *vm);
// Completes the rows of node list by what each node's CPU can do.
void add_node_cpus(const struct request *request, json_t *result);
// Completes node show by what its QEMU and its kernel told.
void add_node_facts(json_t *row, const struct cluster_node *node);

// ENTRY_APPLY's body for the documents of the request; NULL with `problem` set. Rules whose names
// are in the array `disabled` (or NULL) are kept without effect.
uint8_t *apply_body(struct request *request, const json_t *ask, const json_t *disabled,
		    size_t *size, struct answer *problem, json_t **summary);

// What an entry would do to a copy of the replica.
struct trial {
	struct entry_result result;
	json_t *stops;	   // names of VMs that run and would no longer be wanted
	json_t *conflicts; // contradictions that come with it: { rules, reason, fix }
	json_t *warnings;  // the same
	json_t *capacity;  // the loss that would not be stood any more; NULL
};

// True when it was accepted. Closed by trial_close() in any case.
bool trial_run(struct request *request, const struct entry *entry, struct trial *trial);
void trial_close(struct trial *trial);
