// SPDX-License-Identifier: Apache-2.0
#include "clusterd/describe_tip.h"

#include "clusterd/apply_tip.h"

const char *tip_state_word(enum tip_state state)
{
	switch (state) {
	case TIP_OPEN:
		return "open";
	case TIP_ACCEPTED:
		return "accepted";
	case TIP_RUNNING:
		return "running";
	case TIP_DONE:
		return "done";
	case TIP_DISMISSED:
		return "dismissed";
	case TIP_CLOSED:
		return "closed";
	case TIP_STATE_COUNT:
		break;
	}
	return "?";
}

const char *tip_verdict_word(enum tip_verdict verdict)
{
	switch (verdict) {
	case VERDICT_NONE:
		return "none";
	case VERDICT_PENDING:
		return "pending";
	case VERDICT_HELD:
		return "held";
	case VERDICT_FAILED:
		return "failed";
	case VERDICT_UNKNOWN:
		return "unknown";
	case TIP_VERDICT_COUNT:
		break;
	}
	return "?";
}

static void say_because(struct text *text, const char *reason)
{
	if (reason[0])
		text_add(text_add(text, ": "), reason);
}

static void say_tip(struct text *text, uint32_t id)
{
	text_add_number(text_add(text, "tip "), id);
}

static void describe_open(const struct cluster *cluster, const struct entry *entry,
			  struct text *text)
{
	struct tip tip;

	if (!tip_decode(&tip, entry->body, entry->body_size))
		return;
	say_tip(text, cluster->next_tip);
	text_add(text, tip.state == TIP_ACCEPTED ? " (accepted), " : ", ");
	text_add(text, tip.policy[0] ? tip.policy : "balance");
	if (tip.subject_name[0])
		text_add(text_add(text, " about "), tip.subject_name);
	say_because(text, tip.reason);
}

static void describe_advance(const struct entry *entry, struct text *text)
{
	say_tip(text, entry->tip);
	text_add(text_add(text, " is "), tip_state_word((enum tip_state)entry->tip_state));
	say_because(text, entry->reason);
}

static void describe_measured(const struct cluster *cluster, const struct entry *entry,
			      struct text *text)
{
	const struct tip *tip = cluster_tip(cluster, entry->tip);
	const struct cluster_policy *policy =
		tip ? cluster_find_policy(cluster, tip->policy) : NULL;

	say_tip(text, entry->tip);
	text_add(text, ": ");
	text_add(text, entry->reason);
	if (policy && entry->tip_verdict == VERDICT_FAILED && policy_would_suspend(policy))
		text_add(text_add(text_add(text, "; policy "), policy->def.name),
			 " suspends its automatic mode: too many of its predictions did not hold");
}

static void describe_hours(const struct cluster *cluster, const struct entry *entry,
			   struct text *text)
{
	uint32_t minutes = (uint32_t)(entry->ahead_min < 0 ? -entry->ahead_min : entry->ahead_min);

	text_add(text, "hours of the day are meant in UTC");
	if (minutes == 0)
		return;
	text_add_number(text_add(text, entry->ahead_min < 0 ? "-" : "+"), minutes / 60);
	text_add_number(text_add(text, minutes % 60 < 10 ? ":0" : ":"), minutes % 60);
	for (uint8_t slot = 0; slot < cluster->node_high; slot++)
		if (cluster->nodes[slot].used && cluster->nodes[slot].def.id == entry->from)
			text_add(text_add(text, ", the local time of "),
				 cluster->nodes[slot].def.name);
}

void describe_tip(const struct cluster *cluster, const struct entry *entry, struct text *text)
{
	switch (entry->type) {
	case ENTRY_POLICY_SET:
		text_add(text_add(text, "policy "), entry->name);
		text_add(text, entry->flag ? ": enabled" : ": disabled");
		break;
	case ENTRY_POLICY_RUN:
		if (entry->name[0])
			text_add(text_add(text_add(text, "policy "), entry->name), ": to be run");
		else
			text_add(text, "a balance is asked for");
		break;
	case ENTRY_POLICY_RAN:
		text_add(text, entry->name[0] ? "policy " : "balance");
		text_add(text, entry->name);
		say_because(text, entry->reason);
		break;
	case ENTRY_TIP_ACCEPT:
	case ENTRY_TIP_DISMISS:
		say_tip(text, entry->tip);
		text_add(text, entry->type == ENTRY_TIP_ACCEPT ? " is accepted" : " is dismissed");
		break;
	case ENTRY_SCRIPT_REPORT:
		say_tip(text, entry->tip);
		text_add(text, entry->flag ? " is done: its script ended"
					   : " is done: its script failed");
		say_because(text, entry->reason);
		break;
	case ENTRY_TIP_OPEN:
		describe_open(cluster, entry, text);
		break;
	case ENTRY_TIP_PLAN:
		say_tip(text, entry->tip);
		text_add(text, ": its plan is made anew");
		break;
	case ENTRY_TIP_ADVANCE:
		describe_advance(entry, text);
		break;
	case ENTRY_TIP_MEASURED:
		describe_measured(cluster, entry, text);
		break;
	case ENTRY_HOURS:
		describe_hours(cluster, entry, text);
		break;
	}
}

enum log_level entry_log_level(const struct entry *entry)
{
	struct tip tip;

	if (entry->type == ENTRY_TIP_MEASURED && entry->tip_verdict == VERDICT_FAILED)
		return LOG_LEVEL_WARNING;
	if (entry->type != ENTRY_TIP_OPEN || !tip_decode(&tip, entry->body, entry->body_size))
		return LOG_LEVEL_INFO;
	switch ((enum pro_severity)tip.severity) {
	case PRO_INFO:
		return LOG_LEVEL_INFO;
	case PRO_WARNING:
		return LOG_LEVEL_WARNING;
	case PRO_CRITICAL:
		return LOG_LEVEL_ERROR;
	case PRO_SEVERITY_COUNT:
		break;
	}
	return LOG_LEVEL_INFO;
}
