// SPDX-License-Identifier: Apache-2.0
#include "clusterd/describe_move.h"

#include <stdbool.h>

const char *move_kind_word(enum move_kind kind)
{
	switch (kind) {
	case MOVE_AUTO:
		return "auto";
	case MOVE_LIVE:
		return "live";
	case MOVE_QUICK:
		return "quick";
	case MOVE_COLD:
		return "cold";
	case MOVE_SAVE:
		return "save";
	case MOVE_KIND_COUNT:
		break;
	}
	return "?";
}

const char *move_stage_word(enum move_stage stage)
{
	switch (stage) {
	case STAGE_ASKED:
		return "asked";
	case STAGE_PREPARE:
		return "prepare";
	case STAGE_TRANSFER:
		return "transfer";
	case STAGE_HANDOVER:
		return "hand-over";
	case STAGE_CLEANUP:
		return "clean-up";
	case STAGE_UNDO:
		return "undo";
	case STAGE_SAVE:
		return "save";
	case STAGE_RESTORE:
		return "restore";
	case STAGE_STOP:
		return "stop";
	case STAGE_START:
		return "start";
	case MOVE_STAGE_COUNT:
		break;
	}
	return "?";
}

const char *move_outcome_word(enum move_outcome outcome)
{
	switch (outcome) {
	case MOVE_DONE:
		return "done";
	case MOVE_STAYED:
		return "stayed";
	case MOVE_CANCELLED:
		return "cancelled";
	case MOVE_REFUSED:
		return "refused";
	case MOVE_RESTARTED:
		return "restarted";
	case MOVE_SAVED:
		return "saved";
	case MOVE_ENDED:
		return "ended";
	case MOVE_OUTCOME_COUNT:
		break;
	}
	return "?";
}

const char *move_cause_word(enum move_cause cause)
{
	switch (cause) {
	case CAUSE_REQUEST:
		return "request";
	case CAUSE_DRAIN:
		return "drain";
	case CAUSE_RETURN:
		return "return";
	case CAUSE_POLICY:
		return "policy";
	case MOVE_CAUSE_COUNT:
		break;
	}
	return "?";
}

const char *drain_state_word(enum drain_state state)
{
	switch (state) {
	case DRAIN_NONE:
		return "none";
	case DRAIN_DRAINING:
		return "draining";
	case DRAIN_PAUSED:
		return "paused";
	case DRAIN_STUCK:
		return "stuck";
	case DRAIN_DRAINED:
		return "drained";
	case DRAIN_STATE_COUNT:
		break;
	}
	return "?";
}

static const char *name_of(const struct cluster *cluster, uint8_t slot)
{
	return slot < NODES_MAX && cluster->nodes[slot].used ? cluster->nodes[slot].def.name
							     : "any node";
}

static const char *vm_name(const struct cluster *cluster, struct vm_ref ref)
{
	const struct vm *vm = cluster_vm(cluster, ref);

	return vm ? vm_definition(cluster, vm)->name : "(removed)";
}

static void say_reason(struct text *text, const char *reason)
{
	if (reason[0])
		text_add(text_add(text, ": "), reason);
}

static void describe_request(const struct cluster *cluster, const struct entry *entry,
			     struct text *text)
{
	text_add(text_add(text_add(text, "vm "), entry->name), ": ");
	if (entry->move_kind == MOVE_SAVE) {
		text_add(text, "to be saved");
		return;
	}
	text_add(text, "to be moved");
	if (entry->actor != SLOT_NONE)
		text_add(text_add(text, " to "), name_of(cluster, entry->actor));
	if (entry->move_kind != MOVE_AUTO)
		text_add(text_add(text_add(text, " ("), move_kind_word(entry->move_kind)), ")");
}

static void describe_begin(const struct cluster *cluster, const struct entry *entry,
			   struct text *text)
{
	const struct vm *vm = cluster_vm(cluster, entry->vm);

	text_add(text_add(text_add(text, "vm "), vm_name(cluster, entry->vm)), ": ");
	if (entry->flag) {
		text_add(text, "to be stopped and started in the order of the rules");
		return;
	}
	switch ((enum move_kind)entry->move_kind) {
	case MOVE_SAVE:
		text_add(text_add(text, "being saved on "),
			 name_of(cluster, vm ? vm->owner : SLOT_NONE));
		return;
	case MOVE_COLD:
		if (entry->actor == SLOT_NONE) {
			text_add(text, entry->move_cause == CAUSE_POLICY
					       ? "being stopped: it yields to a more important vm"
					       : "being shut down for the maintenance of its node");
			return;
		}
		text_add(text, "cold move from ");
		break;
	case MOVE_QUICK:
		text_add(text, "quick migration from ");
		break;
	case MOVE_LIVE:
	case MOVE_AUTO:
	case MOVE_KIND_COUNT:
		text_add(text, "live migration from ");
		break;
	}
	text_add(text, name_of(cluster, vm ? vm->owner : SLOT_NONE));
	text_add(text_add(text, " to "), name_of(cluster, entry->actor));
	if (entry->move_cause != CAUSE_REQUEST)
		text_add(text_add(text_add(text, " ("), move_cause_word(entry->move_cause)), ")");
}

static void say_pause(struct text *text, uint32_t pause_us)
{
	if (pause_us == 0)
		return;
	text_add_number(text_add(text, ", paused for "), (pause_us + 500) / 1000);
	text_add(text, " ms");
}

// The words for what a report brings about; NULL: nothing worth a line.
static const char *report_words(const struct move *move, const struct entry *entry)
{
	switch ((enum move_report)entry->move_report) {
	case MOVE_REPORT_SHARED:
		return move->ready ? "memory is being sent to " : NULL;
	case MOVE_REPORT_READY:
		return move->shared ? "memory is being sent to " : NULL;
	case MOVE_REPORT_RUNS:
		return "continues on ";
	case MOVE_REPORT_FAILED:
		return move->stage == STAGE_SAVE ? "could not be saved" : "its move fails";
	case MOVE_REPORT_EXCLUSIVE:
		return move->stage == STAGE_CLEANUP ? "moved to " : "runs on as before on ";
	case MOVE_REPORT_SOURCE_GONE:
		return move->stage == STAGE_CLEANUP ? NULL : "its source is gone";
	case MOVE_REPORT_SAVED:
		return "saved on ";
	case MOVE_REPORT_HANDOVER:
	case MOVE_REPORT_TARGET_GONE:
	case MOVE_REPORT_NUMBERS:
	case MOVE_REPORT_COUNT:
		break;
	}
	return NULL;
}

static void describe_report(const struct cluster *cluster, const struct entry *entry,
			    struct text *text)
{
	const struct move *move = cluster_move(cluster, entry->move);
	const char *words = move ? report_words(move, entry) : NULL;
	bool source = entry->move_report == MOVE_REPORT_SAVED ||
		      (entry->move_report == MOVE_REPORT_EXCLUSIVE && move &&
		       move->stage != STAGE_CLEANUP);

	if (!words)
		return;
	text_add(text_add(text_add(text, "vm "), vm_name(cluster, move->vm)), ": ");
	text_add(text, words);
	if (entry->move_report != MOVE_REPORT_FAILED &&
	    entry->move_report != MOVE_REPORT_SOURCE_GONE)
		text_add(text, name_of(cluster, source ? move->source : move->target));
	say_pause(text, entry->move_report == MOVE_REPORT_RUNS ? entry->numbers.pause_us : 0);
	say_reason(text, entry->reason);
}

static void describe_end(const struct cluster *cluster, const struct entry *entry,
			 struct text *text)
{
	const struct move *move = cluster_move(cluster, entry->move);

	if (!move)
		return;
	// That it may go back to where it was is what everybody expects of a cancel.
	if (entry->move_outcome == MOVE_STAYED &&
	    (move->stage == STAGE_SAVE || move->stage == STAGE_STOP))
		return;
	text_add(text_add(text_add(text, "vm "), vm_name(cluster, move->vm)), ": ");
	if (entry->move_outcome == MOVE_REFUSED)
		text_add(text, "not moved");
	else
		text_add(text, entry->move_outcome == MOVE_RESTARTED ? "to be placed anew"
								     : "its move is given up");
	say_reason(text, entry->reason);
}

static void describe_drain(const struct entry *entry, struct text *text)
{
	text_add(text_add(text_add(text, "node "), entry->name), ": ");
	switch ((enum drain_verb)entry->drain_verb) {
	case DRAIN_ON:
		text_add(text, "to be emptied for maintenance");
		break;
	case DRAIN_OFF:
		text_add(text, "maintenance is over");
		break;
	case DRAIN_PAUSE:
		text_add(text, "its drain is paused");
		return;
	case DRAIN_RESUME:
		text_add(text, "its drain goes on");
		return;
	case DRAIN_ABORT:
		text_add(text, "its drain is given up");
		break;
	case DRAIN_VERB_COUNT:
		return;
	}
	if (entry->drain_verb != DRAIN_ON && entry->flag)
		text_add(text, "; its VMs come back");
}

static void describe_drained(const struct cluster *cluster, const struct entry *entry,
			     struct text *text)
{
	for (uint32_t i = 0; i < NODES_MAX; i++)
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == entry->node_id)
			text_add(text_add(text_add(text, "node "), cluster->nodes[i].def.name),
				 ": ");
	text_add(text, drain_state_word(entry->drain_state));
	say_reason(text, entry->reason);
}

void describe_move(const struct cluster *cluster, const struct entry *entry, struct text *text)
{
	switch (entry->type) {
	case ENTRY_MOVE_REQUEST:
		describe_request(cluster, entry, text);
		break;
	case ENTRY_MOVE_CANCEL:
		text_add(text_add(text_add(text, "vm "), entry->name), ": its move is cancelled");
		break;
	case ENTRY_MOVE_REPORT:
		describe_report(cluster, entry, text);
		break;
	case ENTRY_MOVE_BEGIN:
		describe_begin(cluster, entry, text);
		break;
	case ENTRY_MOVE_END:
		describe_end(cluster, entry, text);
		break;
	case ENTRY_NODE_DRAIN:
		describe_drain(entry, text);
		break;
	case ENTRY_NODE_DRAINED:
		describe_drained(cluster, entry, text);
		break;
	}
}
