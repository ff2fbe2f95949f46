// SPDX-License-Identifier: Apache-2.0
// Entries in words: the lines of the event log.
#include <string.h>

#include "clusterd/definition_unpack.h"
#include "clusterd/describe_move.h"
#include "clusterd/describe_tip.h"
#include "clusterd/entry.h"
#include "clusterd/text.h"

struct describing {
	const struct cluster *cluster;
	const struct entry *entry;
	struct text text;
};

static void say(struct describing *d, const char *words)
{
	text_add(&d->text, words);
}

static void say_reason(struct describing *d, const char *reason)
{
	if (!reason[0])
		return;
	say(d, ": ");
	say(d, reason);
}

static void say_node_slot(struct describing *d, uint8_t slot)
{
	bool known = slot < NODES_MAX && d->cluster->nodes[slot].used;

	say(d, known ? d->cluster->nodes[slot].def.name : "nobody");
}

static const struct cluster_node *node_by_id(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == id)
			return &cluster->nodes[i];
	}
	return NULL;
}

static void say_id(struct describing *d, uint32_t id)
{
	const struct cluster_node *node = node_by_id(d->cluster, id);

	if (node) {
		say(d, node->def.name);
		return;
	}
	say(d, "id ");
	text_add_number(&d->text, id);
}

static void say_node(struct describing *d)
{
	say(d, "node ");
	say_id(d, d->entry->node_id);
	say(d, ": ");
}

static void say_named(struct describing *d, const char *kind, const char *what)
{
	say(d, kind);
	say(d, " ");
	say(d, d->entry->name);
	say(d, ": ");
	say(d, what);
}

static void say_vm(struct describing *d, struct vm_ref ref)
{
	const struct vm *vm = cluster_vm(d->cluster, ref);

	say(d, "vm ");
	say(d, vm ? vm_definition(d->cluster, vm)->name : "(removed)");
	say(d, ": ");
}

static void say_volume(struct describing *d, uint8_t slot)
{
	bool known = slot < VOLUMES_MAX && d->cluster->volumes[slot].used;

	say(d, "volume ");
	say(d, known ? d->cluster->volumes[slot].def.name : "(removed)");
}

static void say_ids(struct describing *d, const struct voters *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (i > 0)
			say(d, ", ");
		say_id(d, list->list[i].id);
	}
}

static void say_count(struct describing *d, bool *first, uint32_t count, const char *one,
		      const char *many)
{
	if (count == 0)
		return;
	say(d, *first ? "" : ", ");
	*first = false;
	text_add_number(&d->text, count);
	say(d, " ");
	say(d, count == 1 ? one : many);
}

static void describe_apply(struct describing *d)
{
	struct definition_unpack body;
	bool first = true;

	say(d, "definitions: ");
	if (!definition_unpack_open(&body, d->entry->body, d->entry->body_size)) {
		say(d, "garbled");
		return;
	}
	say_count(d, &first, body.cluster_given ? 1 : 0, "cluster", "clusters");
	say_count(d, &first, body.nodes_left, "node", "nodes");
	say_count(d, &first, body.volumes_left, "volume", "volumes");
	say_count(d, &first, body.vms_left, "vm", "VMs");
	say_count(d, &first, body.rules_left, "rule", "rules");
	say_count(d, &first, body.pros_left, "policy", "policies");
	say(d, first ? "none" : "");
}

static void describe_remove(struct describing *d)
{
	switch ((enum object_kind)d->entry->object) {
	case OBJECT_NODE:
		say_named(d, "node", "removed");
		break;
	case OBJECT_VOLUME:
		say_named(d, "volume", "removed");
		break;
	case OBJECT_VM:
		say_named(d, "vm", "removed");
		break;
	case OBJECT_RULE:
		say_named(d, "rule", "removed");
		break;
	case OBJECT_POLICY:
		say_named(d, "policy", "removed");
		break;
	case OBJECT_KIND_COUNT:
		break;
	}
}

static void describe_want(struct describing *d)
{
	switch ((enum vm_wanted)d->entry->wanted) {
	case VM_WANTED_STOPPED:
		say_named(d, "vm", d->entry->flag ? "wanted stopped, at once" : "wanted stopped");
		break;
	case VM_WANTED_RUNNING:
		say_named(d, "vm", "wanted running");
		break;
	case VM_WANTED_DISABLED:
		say_named(d, "vm", "disabled");
		break;
	case VM_WANTED_COUNT:
		break;
	}
}

static const char *volume_word(enum volume_state state)
{
	switch (state) {
	case VOLUME_OFFLINE:
		return "offline";
	case VOLUME_ONLINE:
		return "online";
	case VOLUME_SLOW:
		return "slow";
	case VOLUME_LOST:
		return "lost";
	case VOLUME_STATE_COUNT:
		break;
	}
	return "?";
}

static void report_line(struct describing *d, bool *first)
{
	if (*first)
		say_node(d);
	else
		say(d, "; ");
	*first = false;
}

static void describe_report(struct describing *d)
{
	const struct cluster_node *node = node_by_id(d->cluster, d->entry->node_id);
	const struct node_report *report = &d->entry->report;
	bool first = true, fresh = !node || !node->reported;

	if (fresh || node->report.watchdog != report->watchdog) {
		report_line(d, &first);
		say(d,
		    report->watchdog ? "guarded by a watchdog" : "no watchdog guards its leases");
	}
	if (fresh ? report->leaving : node->report.leaving != report->leaving) {
		report_line(d, &first);
		say(d, report->leaving == LEAVING_REBOOT ? "going down for a reboot"
		       : report->leaving		 ? "going down"
							 : "no longer going down");
	}
	if (fresh ? !report->qemu : node->report.qemu != report->qemu) {
		report_line(d, &first);
		say(d, report->qemu ? "an emulator is installed" : "no emulator is installed");
	}
	for (uint8_t i = 0; i < VOLUMES_MAX; i++) {
		const struct node_volume *volume = &report->volumes[i];
		uint8_t before = node ? node->report.volumes[i].state : VOLUME_OFFLINE;

		if (!d->cluster->volumes[i].used || volume->state == before)
			continue;
		report_line(d, &first);
		say_volume(d, i);
		say(d, " ");
		say(d, volume_word(volume->state));
		say_reason(d, volume->reason);
	}
}

static const char *vm_report_word(enum vm_report report)
{
	switch (report) {
	case VM_REPORT_STARTED:
		return "runs on ";
	case VM_REPORT_STOPPED:
		return "stopped on ";
	case VM_REPORT_GUEST_SHUTDOWN:
		return "switched itself off on ";
	case VM_REPORT_START_FAILED:
		return "could not be started on ";
	case VM_REPORT_DIED:
		return "died on ";
	case VM_REPORT_FOUND:
		return "found running on ";
	case VM_REPORT_LEASE_HELD:
		return "waits for its lease on ";
	case VM_REPORT_STUCK:
		return "cannot be ended on ";
	case VM_REPORT_RESTORING:
		return "continues from its saved state on ";
	case VM_REPORT_LEASE_GONE:
		return "finds no lease of its own on ";
	case VM_REPORT_DOUBLE:
		return "ran a second time, without its lease, and was ended on ";
	case VM_REPORT_ANSWERS:
	case VM_REPORT_COUNT:
		break;
	}
	return "? on ";
}

static void describe_vm_report(struct describing *d)
{
	say_vm(d, d->entry->vm);
	if (d->entry->vm_report == VM_REPORT_ANSWERS) {
		say(d, d->entry->up == UP_TCP ? "its TCP port " : "its guest agent answers");
		if (d->entry->up == UP_TCP) {
			text_add_number(&d->text, d->entry->up_value);
			say(d, " answers");
		}
		return;
	}
	say(d, vm_report_word(d->entry->vm_report));
	say_id(d, d->entry->from);
	say_reason(d, d->entry->reason);
}

static void describe_fencing(struct describing *d)
{
	const struct cluster_node *node = node_by_id(d->cluster, d->entry->node_id);

	say_node(d);
	say(d, "being fenced by ");
	say_node_slot(d, d->entry->actor);
	if (node && d->entry->device < node->def.fence_count) {
		say(d, " with ");
		say(d, node->def.fences[d->entry->device].agent);
	}
	say_reason(d, d->entry->reason);
}

static void describe_place(struct describing *d)
{
	struct place place;
	size_t at = 0;
	bool first = true;

	while (at < d->entry->places_size && place_decode(&place, d->entry, &at)) {
		const struct vm *vm = cluster_vm(d->cluster, place.vm);

		if (!vm || vm->attempt != place.attempt)
			continue;
		say(d, first ? "" : "; ");
		first = false;
		say_vm(d, place.vm);
		if (place.owner != SLOT_NONE) {
			say(d, "placed on ");
			say_node_slot(d, place.owner);
			continue;
		}
		say(d, place.phase == VM_ERROR ? "given up" : "nowhere to go");
		say_reason(d, place.reason);
	}
}

static void describe_view(struct describing *d)
{
	say(d, "view ");
	text_add_number(&d->text, d->entry->view);
	say(d, ": ");
	say_ids(d, &d->entry->voters);
}

static void describe_prepare(struct describing *d)
{
	say_volume(d, d->entry->volume);
	say(d, ": being prepared by ");
	say_node_slot(d, d->entry->actor);
}

static void describe_prepared(struct describing *d)
{
	say_volume(d, d->entry->volume);
	say(d, d->entry->flag ? ": prepared by " : ": could not be prepared by ");
	say_id(d, d->entry->from);
	say_reason(d, d->entry->flag ? "" : d->entry->reason);
}

static void describe_lease(struct describing *d, const char *what)
{
	say_vm(d, d->entry->vm);
	say(d, what);
	say_volume(d, d->entry->volume);
}

static void describe_node(struct describing *d, const char *what)
{
	say_node(d);
	say(d, what);
	say_reason(d, d->entry->reason);
}

static void describe_request(struct describing *d)
{
	bool flag = d->entry->flag;

	switch ((enum entry_type)d->entry->type) {
	case ENTRY_APPLY:
		describe_apply(d);
		return;
	case ENTRY_REMOVE:
		describe_remove(d);
		return;
	case ENTRY_VM_WANT:
		describe_want(d);
		return;
	case ENTRY_VM_MANAGE:
		say_named(d, "vm", flag ? "managed again" : "left alone");
		return;
	case ENTRY_VM_CLEAR:
		say_named(d, "vm", "failures forgotten");
		return;
	case ENTRY_NODE_MANAGE:
		say_named(d, "node", flag ? "managed again" : "left alone");
		return;
	case ENTRY_NODE_FENCE:
		say_named(d, "node", "the administrator wants it off");
		return;
	case ENTRY_NODE_CONFIRM_DEAD:
		say_named(d, "node", "confirmed dead by the administrator");
		return;
	case ENTRY_VIEW:
	case ENTRY_CHECK:
	case ENTRY_NODE_REPORT:
	case ENTRY_NODE_GOODBYE:
	case ENTRY_VOLUME_PREPARED:
	case ENTRY_LEASE_WRITTEN:
	case ENTRY_FENCE_RESULT:
	case ENTRY_NODE_RELEASED:
	case ENTRY_VM_REPORT:
	case ENTRY_VOTERS:
	case ENTRY_NODE_LOST:
	case ENTRY_NODE_FENCING:
	case ENTRY_NODE_EXPIRING:
	case ENTRY_NODE_BACK:
	case ENTRY_VOLUME_PREPARE:
	case ENTRY_LEASE_WRITE:
	case ENTRY_PLACE:
	case ENTRY_TYPE_COUNT:
		return;
	case ENTRY_MOVE_REQUEST:
	case ENTRY_MOVE_CANCEL:
	case ENTRY_MOVE_REPORT:
	case ENTRY_MOVE_BEGIN:
	case ENTRY_MOVE_END:
	case ENTRY_NODE_DRAIN:
	case ENTRY_NODE_DRAINED:
		describe_move(d->cluster, d->entry, &d->text);
		return;
	case ENTRY_POLICY_SET:
	case ENTRY_POLICY_RUN:
	case ENTRY_TIP_ACCEPT:
	case ENTRY_TIP_DISMISS:
	case ENTRY_SCRIPT_REPORT:
	case ENTRY_TIP_OPEN:
	case ENTRY_TIP_PLAN:
	case ENTRY_TIP_ADVANCE:
	case ENTRY_TIP_MEASURED:
	case ENTRY_POLICY_RAN:
	case ENTRY_HOURS:
		describe_tip(d->cluster, d->entry, &d->text);
		return;
	}
}

// What becomes of a node.
static void describe_life(struct describing *d)
{
	bool flag = d->entry->flag;

	switch (d->entry->type) {
	case ENTRY_NODE_GOODBYE:
		describe_node(d, "leaves");
		break;
	case ENTRY_FENCE_RESULT:
		describe_node(d, flag ? "fenced, it is off" : "fencing failed");
		break;
	case ENTRY_NODE_RELEASED:
		describe_node(d, flag ? "its claims are released" : "its claims are not released");
		break;
	case ENTRY_NODE_LOST:
		describe_node(d, "lost");
		break;
	case ENTRY_NODE_EXPIRING:
		describe_node(d, "no proof that it is off; waiting for its leases to expire");
		break;
	case ENTRY_NODE_BACK:
		describe_node(d, "back");
		break;
	}
}

static void describe_voters(struct describing *d)
{
	say(d, "voters: ");
	say_ids(d, &d->entry->voters);
}

static void describe_entry(struct describing *d)
{
	bool flag = d->entry->flag;

	switch ((enum entry_type)d->entry->type) {
	case ENTRY_VIEW:
		describe_view(d);
		return;
	case ENTRY_CHECK:
	case ENTRY_TYPE_COUNT:
		return;
	case ENTRY_APPLY:
	case ENTRY_REMOVE:
	case ENTRY_VM_WANT:
	case ENTRY_VM_MANAGE:
	case ENTRY_VM_CLEAR:
	case ENTRY_NODE_MANAGE:
	case ENTRY_NODE_FENCE:
	case ENTRY_NODE_CONFIRM_DEAD:
	case ENTRY_MOVE_REQUEST:
	case ENTRY_MOVE_CANCEL:
	case ENTRY_MOVE_REPORT:
	case ENTRY_MOVE_BEGIN:
	case ENTRY_MOVE_END:
	case ENTRY_NODE_DRAIN:
	case ENTRY_NODE_DRAINED:
	case ENTRY_POLICY_SET:
	case ENTRY_POLICY_RUN:
	case ENTRY_TIP_ACCEPT:
	case ENTRY_TIP_DISMISS:
	case ENTRY_SCRIPT_REPORT:
	case ENTRY_TIP_OPEN:
	case ENTRY_TIP_PLAN:
	case ENTRY_TIP_ADVANCE:
	case ENTRY_TIP_MEASURED:
	case ENTRY_POLICY_RAN:
	case ENTRY_HOURS:
		describe_request(d);
		return;
	case ENTRY_NODE_REPORT:
		describe_report(d);
		return;
	case ENTRY_VOLUME_PREPARED:
		describe_prepared(d);
		return;
	case ENTRY_LEASE_WRITTEN:
		describe_lease(d, flag ? "lease written on " : "lease could not be written on ");
		say_reason(d, flag ? "" : d->entry->reason);
		return;
	case ENTRY_VM_REPORT:
		describe_vm_report(d);
		return;
	case ENTRY_VOTERS:
		describe_voters(d);
		return;
	case ENTRY_NODE_FENCING:
		describe_fencing(d);
		return;
	case ENTRY_NODE_GOODBYE:
	case ENTRY_FENCE_RESULT:
	case ENTRY_NODE_RELEASED:
	case ENTRY_NODE_LOST:
	case ENTRY_NODE_EXPIRING:
	case ENTRY_NODE_BACK:
		describe_life(d);
		return;
	case ENTRY_VOLUME_PREPARE:
		describe_prepare(d);
		return;
	case ENTRY_LEASE_WRITE:
		describe_lease(d, "lease being written on ");
		return;
	case ENTRY_PLACE:
		describe_place(d);
		return;
	}
}

size_t entry_describe(const struct cluster *cluster, const struct entry *entry, char *buf,
		      size_t size)
{
	struct describing d = { .cluster = cluster, .entry = entry, .text = text_in(buf, size) };

	describe_entry(&d);
	return d.text.length;
}
