// SPDX-License-Identifier: Apache-2.0
/*
 * Rules may say that a VM is up only when its guest answers: its guest agent, or a TCP port. The
 * node that runs it asks, one question at a time, until the cluster knows of every answer that some
 * rule waits for. An answer holds as long as the VM runs, wherever it moves.
 */
#include <string.h>

#include "clusterd/node_internal.h"
#include "clusterd/text.h"
#include "policies/rules.h"

enum {
	ASK_EVERY_MS = 2000,
	ASK_LIMIT_MS = 10000, // an edge that has not answered by then is asked again
	TELL_AGAIN_MS = 5000,
};

// The next rule after the one that was asked for last, so that a guest that never answers one
// question is asked the others too.
static uint8_t next_rule(uint64_t left, uint8_t last)
{
	for (uint8_t i = 1; i <= RULES_MAX; i++) {
		uint8_t rule = (uint8_t)((last + i) % RULES_MAX);

		if (left >> rule & 1)
			return rule;
	}
	return last;
}

static void ask(struct node *node, const struct vm *vm, struct vm_local *local, uint64_t left,
		struct actions *actions)
{
	uint8_t rule = next_rule(left, local->asked ? (uint8_t)(local->asked - 1) : 0);
	const struct rule_def *def = &node->cluster.rules[rule].def;
	const struct vm_def *vm_def = vm_definition(&node->cluster, vm);
	struct action *action;

	local->asked = (uint8_t)(rule + 1);
	local->ask_ms = node->now_ms + ASK_LIMIT_MS;
	node_wake_at(node, local->ask_ms);
	// Nobody could: the definition lacks what is needed, which `clustadm check` says.
	if (def->up == UP_TCP ? !vm_def->address[0] : !vm_def->guest_agent)
		return;
	action = actions_add(actions, ACTION_VM_ASK);
	action->vm = local->ref;
	action->uuid = local->uuid;
	action->attempt = local->attempt;
	if (def->up == UP_TCP) {
		char *text = actions_bytes(actions, sizeof(vm_def->address));

		text_copy(text, sizeof(vm_def->address), vm_def->address);
		action->text = text;
		action->token = def->up_value;
	}
}

static void tell(struct node *node, const struct vm *vm, struct vm_local *local,
		 struct actions *actions)
{
	const struct rule_def *def = &node->cluster.rules[local->asked - 1].def;
	struct entry entry;

	if (node->now_ms < local->ask_ms) {
		node_wake_at(node, local->ask_ms);
		return;
	}
	memset(&entry, 0, sizeof(entry));
	entry.type = ENTRY_VM_REPORT;
	entry.node_id = node->self;
	entry.vm = vm->ref;
	entry.attempt = vm->attempt;
	entry.vm_report = VM_REPORT_ANSWERS;
	entry.up = def->up;
	entry.up_value = def->up_value;
	if (node_propose(node, &entry, NULL, actions))
		local->ask_ms = node->now_ms + TELL_AGAIN_MS;
	node_wake_at(node, node->now_ms + TELL_AGAIN_MS);
}

void local_ask(struct node *node, const struct vm *vm, struct vm_local *local,
	       struct actions *actions)
{
	uint64_t left = rules_unanswered(&node->cluster, vm);

	if (left == 0 || local->life != LIFE_RUNNING || vm->phase != VM_RUNNING) {
		local->asked = 0;
		local->answered = false;
		local->ask_ms = 0;
		return;
	}
	if (!view_normal(node->view))
		return;
	if (local->answered && !(left >> (local->asked - 1) & 1)) {
		local->answered = false;
		local->ask_ms = 0;
	}
	if (local->answered)
		tell(node, vm, local, actions);
	else if (node->now_ms >= local->ask_ms)
		ask(node, vm, local, left, actions);
	else
		node_wake_at(node, local->ask_ms);
}

void local_answered(struct node *node, const struct event *event, struct vm_local *local)
{
	const struct rule_def *def;

	if (local->asked == 0 || local->answered || event->attempt != local->attempt)
		return;
	def = &node->cluster.rules[local->asked - 1].def;
	// About another question: the rule was defined anew meanwhile.
	if (event->port != (def->up == UP_TCP ? def->up_value : 0))
		return;
	local->answered = event->flag;
	local->ask_ms = event->flag ? 0 : event->now_ms + ASK_EVERY_MS;
}
