// SPDX-License-Identifier: Apache-2.0
// cluster_apply(): one committed entry, wholly or not at all.
#include <string.h>

#include "clusterd/apply_internal.h"
#include "clusterd/cluster_internal.h"
#include "clusterd/text.h"

struct number_text number_text(uint64_t number)
{
	struct number_text out;
	struct text text = text_in(out.text, sizeof(out.text));

	text_add_number(&text, number);
	return out;
}

void words_join(char *buf, size_t size, const char *const *words)
{
	struct text text = text_in(buf, size);

	for (; *words; words++)
		text_add(&text, *words);
}

bool refuse(struct apply *a, const char *code, const char *const *reason, const char *const *fix)
{
	struct entry_result *result = a->result;

	result->accepted = false;
	text_copy(result->code, sizeof(result->code), code);
	words_join(result->reason, sizeof(result->reason), reason);
	words_join(result->fix, sizeof(result->fix), fix);
	return false;
}

const char *slot_name(const struct cluster *cluster, uint8_t slot)
{
	return slot < NODES_MAX && cluster->nodes[slot].used ? cluster->nodes[slot].def.name
							     : "no node";
}

struct cluster_node *apply_named_node(struct apply *a)
{
	const struct cluster_node *node = cluster_find_node(a->cluster, a->entry->name);

	if (node)
		return &a->cluster->nodes[node_slot(a->cluster, node)];
	refuse(a, "no-such-node", WORDS("there is no node ", a->entry->name),
	       WORDS("name one of: clustadm node list"));
	return NULL;
}

struct vm *apply_named_vm(struct apply *a)
{
	const struct vm *vm = cluster_find_vm(a->cluster, a->entry->name);

	if (vm)
		return &a->cluster->vms[vm->ref.slot];
	refuse(a, "no-such-vm", WORDS("there is no vm ", a->entry->name),
	       WORDS("name one of: clustadm vm list"));
	return NULL;
}

struct cluster_node *apply_node(struct apply *a)
{
	struct cluster_node *node = cluster_node_by_id(a->cluster, a->entry->node_id);

	if (!node)
		refuse(a, "no-such-node",
		       WORDS("no node has id ", number_text(a->entry->node_id).text),
		       WORDS("define it: clustadm apply"));
	return node;
}

struct vm *apply_vm(struct apply *a)
{
	const struct vm *vm = cluster_vm(a->cluster, a->entry->vm);

	if (vm)
		return &a->cluster->vms[vm->ref.slot];
	refuse(a, "no-such-vm", WORDS("the vm was removed"), WORDS(""));
	return NULL;
}

uint8_t apply_from(const struct apply *a)
{
	const struct cluster_node *node = cluster_node_by_id(a->cluster, a->entry->from);

	return node ? node_slot(a->cluster, node) : SLOT_NONE;
}

static bool apply_view(struct apply *a)
{
	a->cluster->view = a->entry->view;
	return true;
}

// Voters in `list` that `other` does not have. `changed` counts those that it has with another
// store.
static uint32_t voters_missing(const struct voters *list, const struct voters *other,
			       uint32_t *changed)
{
	uint32_t missing = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		bool found = false;

		for (uint32_t k = 0; k < other->count; k++) {
			if (other->list[k].id != list->list[i].id)
				continue;
			found = true;
			*changed += other->list[k].store != list->list[i].store;
		}
		missing += !found;
	}
	return missing;
}

/*
 * Two majorities of lists that differ by one voter always share a member; of lists that differ by
 * more they need not, and two views could then commit different histories.
 */
bool apply_voters(struct apply *a)
{
	const struct voters *wanted = &a->entry->voters;
	struct voters *voters = &a->cluster->voters;
	uint32_t changed = 0, again = 0, added, removed;

	added = voters_missing(wanted, voters, &changed);
	removed = voters_missing(voters, wanted, &again);
	if (wanted->count == 0)
		return refuse(a, "no-voters", WORDS("a cluster needs at least one voter"),
			      WORDS(""));
	if (added + removed + changed != 1)
		return refuse(a, "voters",
			      WORDS("exactly one voter may change at a time, not ",
				    number_text(added + removed + changed).text),
			      WORDS("change them one after another"));
	memset(voters, 0, sizeof(*voters));
	voters->count = wanted->count;
	memcpy(voters->list, wanted->list, sizeof(*wanted->list) * wanted->count);
	return true;
}

bool apply_volume_prepare(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct cluster_volume *volume = &a->cluster->volumes[entry->volume];

	if (!volume->used)
		return refuse(a, "no-such-volume", WORDS("the volume was removed"), WORDS(""));
	if (volume->prepared || entry->attempt != volume->prepare_attempt + 1 ||
	    entry->actor >= NODES_MAX || !a->cluster->nodes[entry->actor].used)
		return refuse(a, "stale", WORDS("volume ", volume->def.name, " has moved on"),
			      WORDS(""));
	volume->prepare_actor = entry->actor;
	volume->prepare_attempt = entry->attempt;
	volume->io_timeout_s = a->cluster->def.io_timeout_s;
	text_copy(volume->reason, sizeof(volume->reason), "");
	return true;
}

bool apply_volume_prepared(struct apply *a)
{
	const struct entry *entry = a->entry;
	struct cluster_volume *volume = &a->cluster->volumes[entry->volume];

	if (!volume->used)
		return refuse(a, "no-such-volume", WORDS("the volume was removed"), WORDS(""));
	if (volume->prepared || entry->attempt != volume->prepare_attempt ||
	    volume->prepare_actor == SLOT_NONE || volume->prepare_actor != apply_from(a))
		return refuse(a, "stale", WORDS("volume ", volume->def.name, " has moved on"),
			      WORDS(""));
	volume->prepare_actor = SLOT_NONE;
	volume->prepared = entry->flag;
	text_copy(volume->reason, sizeof(volume->reason), entry->flag ? "" : entry->reason);
	return true;
}

static bool is_decision(enum entry_type type)
{
	return type >= ENTRY_VOTERS && type < ENTRY_TYPE_COUNT;
}

/*
 * That a node is dead was looked at on its disks and said by a person a moment ago. A view later it
 * may have started, come back, and be lost a second time: alive.
 */
static bool of_its_view(enum entry_type type)
{
	return is_decision(type) || type == ENTRY_NODE_CONFIRM_DEAD;
}

static bool apply_manage(struct apply *a)
{
	return a->entry->type == ENTRY_VM_MANAGE ? apply_vm_manage(a) : apply_node_manage(a);
}

static bool apply_entry(struct apply *a)
{
	switch ((enum entry_type)a->entry->type) {
	case ENTRY_VIEW:
		return apply_view(a);
	case ENTRY_CHECK:
		return true;
	case ENTRY_APPLY:
		return apply_definitions(a);
	case ENTRY_REMOVE:
		return apply_remove(a);
	case ENTRY_VM_WANT:
		return apply_vm_want(a);
	case ENTRY_VM_MANAGE:
	case ENTRY_NODE_MANAGE:
		return apply_manage(a);
	case ENTRY_VM_CLEAR:
		return apply_vm_clear(a);
	case ENTRY_NODE_FENCE:
		return apply_node_fence(a);
	case ENTRY_NODE_CONFIRM_DEAD:
		return apply_node_confirm_dead(a);
	case ENTRY_NODE_REPORT:
		return apply_node_report(a);
	case ENTRY_NODE_GOODBYE:
		return apply_node_goodbye(a);
	case ENTRY_VOLUME_PREPARED:
		return apply_volume_prepared(a);
	case ENTRY_LEASE_WRITTEN:
		return apply_lease_written(a);
	case ENTRY_FENCE_RESULT:
		return apply_fence_result(a);
	case ENTRY_NODE_RELEASED:
		return apply_node_released(a);
	case ENTRY_VM_REPORT:
		return apply_vm_report(a);
	case ENTRY_VOTERS:
		return apply_voters(a);
	case ENTRY_NODE_LOST:
		return apply_node_lost(a);
	case ENTRY_NODE_FENCING:
		return apply_node_fencing(a);
	case ENTRY_NODE_EXPIRING:
		return apply_node_expiring(a);
	case ENTRY_NODE_BACK:
		return apply_node_back(a);
	case ENTRY_VOLUME_PREPARE:
		return apply_volume_prepare(a);
	case ENTRY_LEASE_WRITE:
		return apply_lease_write(a);
	case ENTRY_PLACE:
		return apply_place(a);
	case ENTRY_MOVE_REQUEST:
	case ENTRY_MOVE_CANCEL:
	case ENTRY_MOVE_REPORT:
	case ENTRY_MOVE_BEGIN:
	case ENTRY_MOVE_END:
	case ENTRY_NODE_DRAIN:
	case ENTRY_NODE_DRAINED:
		return apply_move(a);
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
		return apply_tip(a);
	case ENTRY_TYPE_COUNT:
		break;
	}
	return refuse(a, "malformed", WORDS("unknown type of entry"), WORDS(""));
}

/*
 * A decision is heard only in the view that it was taken in: a coordinator that was cut off and
 * does not know it yet can still submit, but what it decides reaches an order in which a later view
 * has already begun.
 */
void cluster_apply(struct cluster *cluster, uint64_t index, const struct entry *entry,
		   struct entry_result *result)
{
	struct apply a = { .cluster = cluster, .entry = entry, .result = result };

	memset(result, 0, sizeof(*result));
	if (of_its_view(entry->type) && entry->view != cluster->view)
		refuse(&a, "stale-view",
		       WORDS("it was decided in view ", number_text(entry->view).text,
			     " and this is view ", number_text(cluster->view).text),
		       WORDS("decide again"));
	else
		result->accepted = apply_entry(&a);
	cluster->index = index;
}
