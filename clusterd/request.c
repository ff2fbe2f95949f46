// SPDX-License-Identifier: Apache-2.0
/*
 * Administrators' requests: proposed when a view is normal, answered when committed. A request that
 * was proposed and whose end is not known within its limit is answered as "in doubt": never as
 * refused, because it may still happen.
 */
#include <string.h>

#include "clusterd/decide_move.h"
#include "clusterd/text.h"
#include "policies/drain.h"

enum {
	REQUEST_LIMIT_MS = 20000,
	CHECK_LIMIT_MS = 120000,
	VIEW_GRACE_MS = 5000,	// a view that went that lately, or a daemon that young: wait for it
};

static void reply(uint64_t cookie, const struct entry_result *result, struct actions *actions)
{
	struct action *action = actions_add(actions, ACTION_REPLY);
	struct entry_result *copy = actions_bytes(actions, sizeof(*copy));

	*copy = *result;
	action->cookie = cookie;
	action->result = copy;
}

static void refuse(uint64_t cookie, const char *code, const char *reason, const char *fix,
		   struct actions *actions)
{
	struct entry_result result = { .accepted = false };

	text_copy(result.code, sizeof(result.code), code);
	text_copy(result.reason, sizeof(result.reason), reason);
	text_copy(result.fix, sizeof(result.fix), fix);
	reply(cookie, &result, actions);
}

static bool is_request(uint8_t type)
{
	return type >= ENTRY_APPLY && type <= ENTRY_TIP_DISMISS;
}

static struct pending_request *request_new(struct node *node, uint64_t cookie, uint64_t limit_ms)
{
	for (uint32_t i = 0; i < node->limits.requests_max; i++) {
		struct pending_request *request = &node->requests[i];

		if (request->used)
			continue;
		memset(request, 0, sizeof(*request));
		request->used = true;
		request->cookie = cookie;
		request->deadline_ms = node->now_ms + limit_ms;
		if (i >= node->request_high)
			node->request_high = i + 1;
		return request;
	}
	return NULL;
}

static void request_propose(struct node *node, struct pending_request *request, struct entry *entry,
			    struct actions *actions)
{
	if (node_propose(node, entry, &request->proposal, actions))
		return;
	request->used = false;
	if (view_frozen(node->view))
		refuse(request->cookie, "frozen",
		       "the replicas differ and no majority agrees: changes are refused",
		       "see clustadm quorum, and restart the nodes whose digest differs", actions);
	else
		refuse(request->cookie, "busy", "too many changes are under way", "try again",
		       actions);
}

// A dead host's claims are released on the administrator's word, so first its ids are watched for
// renewals.
static void request_check(struct node *node, struct pending_request *request,
			  const struct event *event, const struct entry *entry,
			  struct actions *actions)
{
	const struct cluster_node *target = cluster_find_node(&node->cluster, entry->name);
	struct action *action;

	if (!target || event->body_size > sizeof(request->check)) {
		request_propose(node, request, (struct entry *)entry, actions);
		return;
	}
	memcpy(request->check, event->body, event->body_size);
	request->check_size = event->body_size;
	request->check_node = target->def.id;
	request->deadline_ms = node->now_ms + CHECK_LIMIT_MS;
	action = actions_add(actions, ACTION_HOST_CHECK);
	action->node_id = target->def.id;
	action->cookie = request->cookie;
}

// Whether there is room for its state.
static bool save_feasible(struct node *node, const struct preflight_load *load, const struct vm *vm,
			  const struct event *event, struct actions *actions)
{
	char reason[REASON_SIZE], fix[REASON_SIZE], line[REASON_SIZE];
	struct text text = text_in(line, sizeof(line));

	preflight_refusal(&node->cluster, load, vm, UINT64_C(1) << vm->owner, MOVE_SAVE, reason,
			  fix);
	if (!reason[0])
		return true;
	text_add(text_add(&text, "vm "), vm_definition(&node->cluster, vm)->name);
	text_add(text_add(&text, " cannot be saved: "), reason);
	refuse(event->cookie, "infeasible", line, fix, actions);
	return false;
}

/*
 * Whether a VM can go anywhere is judged here, before anything is asked for: whoever asks learns
 * at once exactly why not. What the VM itself is in the way of is refused when it is applied.
 */
static bool request_feasible(struct node *node, const struct event *event,
			     const struct entry *entry, struct actions *actions)
{
	const struct vm *vm = cluster_find_vm(&node->cluster, entry->name);
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "", line[REASON_SIZE];
	struct move_round round;
	struct text text = text_in(line, sizeof(line));

	if (entry->type != ENTRY_MOVE_REQUEST || !vm || vm->phase != VM_RUNNING || vm->move != 0 ||
	    vm->owner == entry->actor || !view_normal(node->view))
		return true;
	move_round_init(&round, node, node_present(node));
	if (entry->move_kind == MOVE_SAVE)
		return save_feasible(node, &round.moves, vm, event, actions);
	if (move_choose_target(&node->cluster, &round, vm, entry->actor,
			       (enum move_kind)entry->move_kind) != SLOT_NONE)
		return true;
	move_explain(&node->cluster, &round, vm, entry->actor, (enum move_kind)entry->move_kind,
		     reason, fix);
	text_add(text_add(text_add(&text, "vm "), entry->name), " cannot be moved: ");
	text_add(&text, reason);
	refuse(event->cookie, "infeasible", line, fix, actions);
	return false;
}

// As with moves: what the rest of the cluster would not stand is not begun.
static bool drain_feasible(struct node *node, const struct event *event, const struct entry *entry,
			   struct actions *actions)
{
	const struct cluster_node *target = cluster_find_node(&node->cluster, entry->name);
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";

	if (entry->type != ENTRY_NODE_DRAIN || entry->drain_verb != DRAIN_ON ||
	    entry->drain_anyway || !target || target->maintenance || !view_normal(node->view) ||
	    drain_allowed(&node->cluster, node_slot(&node->cluster, target), node_present(node),
			  node->scratch, reason, fix))
		return true;
	refuse(event->cookie, "infeasible", reason, fix, actions);
	return false;
}

static void request_come(struct node *node, const struct event *event, struct actions *actions)
{
	char reason[REASON_SIZE];
	struct pending_request *request;
	struct entry entry;

	if (!entry_decode(&entry, event->body, event->body_size) || !is_request(entry.type)) {
		refuse(event->cookie, "malformed", "the request is not one that this daemon knows",
		       "use a clustadm of the daemon's version", actions);
		return;
	}
	if (!view_normal(node->view) && node->now_ms - node->view_lost_ms > VIEW_GRACE_MS) {
		view_reason(node->view, reason, sizeof(reason));
		refuse(event->cookie, "no-quorum", reason[0] ? reason : "there is no quorum",
		       "bring back enough nodes for a majority", actions);
		return;
	}
	if (!request_feasible(node, event, &entry, actions) ||
	    !drain_feasible(node, event, &entry, actions))
		return;
	request = request_new(node, event->cookie, REQUEST_LIMIT_MS);
	if (!request)
		refuse(event->cookie, "busy", "too many requests are under way", "try again",
		       actions);
	else if (entry.type == ENTRY_NODE_CONFIRM_DEAD)
		request_check(node, request, event, &entry, actions);
	else
		request_propose(node, request, &entry, actions);
}

static void request_checked(struct node *node, const struct event *event, struct actions *actions)
{
	struct entry entry;

	for (uint32_t i = 0; i < node->request_high; i++) {
		struct pending_request *request = &node->requests[i];

		if (!request->used || request->cookie != event->cookie || request->check_size == 0)
			continue;
		if (event->flag) {
			request->used = false;
			refuse(request->cookie, "alive", event->reason ? event->reason : "",
			       "switch it off first; or wait: if it is cut off, its leases end by "
			       "themselves",
			       actions);
			return;
		}
		if (!entry_decode(&entry, request->check, request->check_size))
			return;
		request->deadline_ms = node->now_ms + REQUEST_LIMIT_MS;
		request_propose(node, request, &entry, actions);
		request->check_size = 0;
		return;
	}
}

void request_event(struct node *node, const struct event *event, struct actions *actions)
{
	if (event->type == EVENT_REQUEST)
		request_come(node, event, actions);
	else if (event->type == EVENT_HOST_CHECKED)
		request_checked(node, event, actions);
}

void request_committed(struct node *node, uint64_t proposal, const struct entry_result *result,
		       struct actions *actions)
{
	for (uint32_t i = 0; i < node->request_high; i++) {
		struct pending_request *request = &node->requests[i];

		if (!request->used || request->proposal != proposal)
			continue;
		request->used = false;
		reply(request->cookie, result, actions);
		return;
	}
}

void request_step(struct node *node, struct actions *actions)
{
	while (node->request_high > 0 && !node->requests[node->request_high - 1].used)
		node->request_high--;
	for (uint32_t i = 0; i < node->request_high; i++) {
		struct pending_request *request = &node->requests[i];

		if (!request->used)
			continue;
		if (node->now_ms < request->deadline_ms) {
			node_wake_at(node, request->deadline_ms);
			continue;
		}
		request->used = false;
		if (request->proposal == 0)
			refuse(request->cookie, "unchecked",
			       "whether its host ids are still being renewed could not be found "
			       "out",
			       "see clustadm volume list", actions);
		else
			refuse(request->cookie, "in-doubt",
			       "the cluster lost its quorum before the change was confirmed: it "
			       "may yet happen",
			       "look at clustadm status once there is quorum again", actions);
	}
}
