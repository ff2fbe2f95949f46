// SPDX-License-Identifier: Apache-2.0
// What is read from the node about VMs, and why they are as they are.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clusterd/cpu.h"
#include "clusterd/request_internal_io.h"
#include "clusterd/text.h"
#include "policies/mend.h"
#include "policies/rules.h"
#include "resources/definition_text.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *vm_row(const struct request *request, const struct vm *vm)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const struct vm_def *def = vm_definition(cluster, vm);
	char reason[REASON_SIZE] = "";
	const struct move *move = cluster_move(cluster, vm->move);
	json_t *row = json_object();
	enum vm_state state = node_vm_state(request->options.node, vm, reason);

	json_object_set_new(row, "name", text_json(def->name));
	json_object_set_new(row, "state", json_string(vm_state_word(state)));
	json_object_set_new(row, "wanted", json_string(vm_wanted_words[vm->wanted]));
	json_object_set_new(row, "node", node_name_json(cluster, vm->owner));
	json_object_set_new(row, "reason", text_json(reason));
	json_object_set_new(row, "managed", json_boolean(vm->managed));
	json_object_set_new(row, "saved", json_boolean(vm->saved == SAVED_KEPT));
	json_object_set_new(row, "move", move ? move_row(cluster, move) : json_null());
	json_object_set_new(row, "cpus", integer(def->cpus));
	json_object_set_new(row, "memory_mib", integer(def->memory_mib));
	json_object_set_new(row, "priority", json_integer(def->priority));
	if (vm->next_cpus > 0) {
		json_object_set_new(row, "next_cpus", integer(vm->next_cpus));
		json_object_set_new(row, "next_memory_mib", integer(vm->next_memory_mib));
	}
	return row;
}

struct answer show_vm_list(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	json_t *result = json_object(), *vms = json_array();

	(void)ask;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (cluster->vms[i].used)
			json_array_append_new(vms, vm_row(request, &cluster->vms[i]));
	}
	json_object_set_new(result, "vms", vms);
	return answer_result(result);
}

static json_t *mask_json(const struct cluster *cluster, uint64_t mask)
{
	json_t *names = json_array();

	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (mask & 1ull << i && cluster->nodes[i].used)
			json_array_append_new(names, text_json(cluster->nodes[i].def.name));
	}
	return names;
}

static json_t *disk_rows(const struct vm_def *def)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < def->disk_count; i++) {
		const struct disk_def *disk = &def->disks[i];
		json_t *row = json_object();

		json_object_set_new(row, "volume", text_json(disk->volume));
		json_object_set_new(row, "path", text_json(disk->path));
		json_object_set_new(row, "format", json_string(disk_format_words[disk->format]));
		json_object_set_new(row, "bus", json_string(disk_bus_words[disk->bus]));
		json_object_set_new(row, "cache", json_string(disk_cache_words[disk->cache]));
		json_object_set_new(row, "readonly", json_boolean(disk->readonly));
		json_object_set_new(row, "cdrom", json_boolean(disk->cdrom));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *nic_rows(const struct vm_def *def)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < def->nic_count; i++) {
		char mac[MAC_TEXT_SIZE];
		json_t *row = json_object();

		mac_format(def->nics[i].mac, mac);
		json_object_set_new(row, "bridge", text_json(def->nics[i].bridge));
		json_object_set_new(row, "mac", json_string(mac));
		json_object_set_new(row, "model", json_string(nic_model_words[def->nics[i].model]));
		json_object_set_new(row, "pass_through",
				    def->nics[i].device[0] ? json_string(def->nics[i].device)
							   : json_null());
		json_array_append_new(rows, row);
	}
	return rows;
}

static const char *lease_life_word(enum lease_life life)
{
	switch (life) {
	case LEASE_UNWRITTEN:
		return "unwritten";
	case LEASE_WRITING:
		return "writing";
	case LEASE_READY:
		return "ready";
	case LEASE_GONE:
		return "gone";
	case LEASE_LIFE_COUNT:
		break;
	}
	return "?";
}

static const char *vm_phase_word(enum vm_phase phase)
{
	switch (phase) {
	case VM_IDLE:
		return "idle";
	case VM_PLACED:
		return "placed";
	case VM_RUNNING:
		return "running";
	case VM_BLOCKED:
		return "blocked";
	case VM_ERROR:
		return "error";
	case VM_PHASE_COUNT:
		break;
	}
	return "?";
}

static json_t *lease_rows(const struct cluster *cluster, const struct vm *vm)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < vm->lease_count; i++) {
		const struct vm_lease *lease = &vm->leases[i];
		json_t *row = json_object();

		json_object_set_new(row, "volume",
				    text_json(cluster->volumes[lease->volume].def.name));
		json_object_set_new(row, "state", json_string(lease_life_word(lease->life)));
		json_object_set_new(row, "slot", integer(lease->slot));
		json_array_append_new(rows, row);
	}
	return rows;
}

// On each node that has any.
static json_t *failures_json(const struct cluster *cluster, const struct vm *vm)
{
	json_t *rows = json_object();

	for (uint8_t i = 0; i < cluster->node_high; i++)
		if (cluster->nodes[i].used && vm->failures[i] > 0)
			json_object_set_new(rows, cluster->nodes[i].def.name,
					    integer(vm->failures[i]));
	return rows;
}

static void add_life(json_t *row, const struct cluster *cluster, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(cluster, vm);

	json_object_set_new(row, "phase", json_string(vm_phase_word(vm->phase)));
	json_object_set_new(row, "attempt", integer(vm->attempt));
	json_object_set_new(row, "restarts", integer(vm->restarts));
	json_object_set_new(row, "restarts_max", integer(def->restarts_max));
	json_object_set_new(row, "relocations", integer(vm->relocations));
	json_object_set_new(row, "relocations_max", integer(def->relocations_max));
	json_object_set_new(row, "failed_on", mask_json(cluster, vm->failed_on));
	json_object_set_new(row, "failures", failures_json(cluster, vm));
	json_object_set_new(row, "forget_s", integer(def->forget_s));
	json_object_set_new(row, "last_node", node_name_json(cluster, vm->last_owner));
	json_object_set_new(row, "since_ms", integer(vm->since_ms));
	json_object_set_new(row, "leases", lease_rows(cluster, vm));
}

// Sockets of a VM on this host, by the names that QEMU's command line gives them.
static void add_sockets(json_t *row, const struct request *request, const struct vm_def *def)
{
	static const char *const names[] = { "console", "vnc" };
	const bool wanted[] = { def->console, def->vnc };
	char folder[4 * PATH_SIZE], path[4 * PATH_SIZE + 16];

	for (int i = 0; i < 2; i++) {
		json_t *socket = json_null();

		if (wanted[i] && request->options.vm_folder &&
		    request->options.vm_folder(request->options.context, &def->uuid, folder,
					       sizeof(folder))) {
			snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
			socket = text_json(path);
		}
		json_object_set_new(row, names[i], socket);
	}
	json_object_set_new(row, "has_console", json_boolean(def->console));
}

// What rules want to hear of its guest before others start.
static json_t *guest_answers(const struct cluster *cluster, const struct vm *vm)
{
	uint64_t left = rules_unanswered(cluster, vm), wanted = left | vm->up_rules;
	json_t *rows = json_array();

	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		const struct rule_def *def = &cluster->rules[rule].def;
		char what[32];

		if (!(wanted >> rule & 1))
			continue;
		snprintf(what, sizeof(what), def->up == UP_TCP ? "TCP port %u" : "guest agent",
			 (unsigned int)def->up_value);
		json_array_append_new(rows, json_pack("{s:s, s:s, s:b}", "rule", def->name, "what",
						      what, "answered", !(left >> rule & 1)));
	}
	return rows;
}

const struct vm *ask_vm(const struct request *request, const json_t *ask, struct answer *problem)
{
	const char *name = member_text(ask, "name");
	const struct vm *vm =
		name ? cluster_find_vm(node_cluster(request->options.node), name) : NULL;
	char reason[REASON_SIZE];

	if (vm)
		return vm;
	snprintf(reason, sizeof(reason), "there is no vm %.64s", name ? name : "");
	*problem = answer_error("no-such-vm", reason, "clustadm vm list shows the names");
	return NULL;
}

struct answer show_vm(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	struct answer problem;
	const struct vm *vm = ask_vm(request, ask, &problem);
	const struct vm_def *def;
	char uuid[UUID_TEXT_SIZE];
	json_t *row, *preferred = json_array();
	uint32_t self = view_self(node_view(request->options.node));

	if (!vm) {
		json_decref(preferred);
		return problem;
	}
	def = vm_definition(cluster, vm);
	uuid_format(&def->uuid, uuid);
	row = vm_row(request, vm);
	for (uint32_t i = 0; i < VM_TIERS_MAX; i++) {
		if (vm->tiers[i])
			json_array_append_new(preferred, mask_json(cluster, vm->tiers[i]));
	}
	json_object_set_new(row, "uuid", json_string(uuid));
	json_object_set_new(row, "description", text_json(def->description));
	json_object_set_new(row, "machine", text_json(def->machine[0] ? def->machine : "q35"));
	json_object_set_new(row, "cpu",
			    text_json(def->cpu_mode == CPU_MODEL ? def->cpu_model
								 : cpu_mode_words[def->cpu_mode]));
	json_object_set_new(row, "firmware", json_string(firmware_words[def->firmware]));
	json_object_set_new(row, "failback", json_string(failback_words[def->failback]));
	json_object_set_new(row, "on_guest_shutdown",
			    json_string(guest_shutdown_words[def->on_guest_shutdown]));
	json_object_set_new(row, "stop_timeout_s", integer(def->stop_timeout_s));
	json_object_set_new(row, "possible", mask_json(cluster, vm->possible));
	json_object_set_new(row, "preferred", preferred);
	json_object_set_new(row, "disks", disk_rows(def));
	json_object_set_new(row, "nics", nic_rows(def));
	json_object_set_new(row, "here",
			    json_boolean(vm->owner < NODES_MAX && self &&
					 cluster->nodes[vm->owner].def.id == self));
	add_life(row, cluster, vm);
	json_object_set_new(row, "machine_runs", text_json(vm->machine));
	json_object_set_new(row, "cpu_features",
			    json_integer(vm->cpu_known ? (json_int_t)cpu_count(&vm->cpu) : 0));
	json_object_set_new(row, "can_move_to", vm_targets(request, vm));
	json_object_set_new(row, "guest_answers", guest_answers(cluster, vm));
	add_sockets(row, request, def);
	json_object_set_new(row, "measured", vm_measured(request->options.node, vm, true));
	return answer_result(row);
}

/* Why it is where it is, or nowhere. */

static json_t *explain_check(const struct cluster *cluster, const struct vm *vm, uint8_t slot,
			     const struct check *check)
{
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";
	json_t *line = json_object();

	placement_explain_check(cluster, vm, slot, check, reason, fix);
	json_object_set_new(line, "check", json_string(placement_check_word(check->check)));
	json_object_set_new(line, "verdict", json_string(check_verdict_word(check->verdict)));
	json_object_set_new(line, "found", integer(check->found));
	json_object_set_new(line, "needed", integer(check->needed));
	json_object_set_new(line, "reason", text_json(reason));
	json_object_set_new(line, "fix", text_json(fix));
	return line;
}

// Every rule that the VM has a part in, each judged by itself: the checks name the worst alone.
static json_t *explain_rules(const struct cluster *cluster, const struct placement_load *load,
			     const struct vm *vm, uint8_t slot)
{
	uint64_t mask = rules_about(cluster, vm);
	json_t *rules = json_array();

	for (uint8_t rule = 0; rule < RULES_MAX; rule++) {
		const struct rule_def *def = &cluster->rules[rule].def;
		struct placement_node alone = { .feasible = true };
		const struct check *worst = NULL;
		json_t *line;

		if (!(mask >> rule & 1))
			continue;
		rules_judge_some(cluster, &load->rules, vm, slot, UINT64_C(1) << rule, &alone);
		for (uint32_t i = 0; i < PLACEMENT_CHECK_COUNT; i++)
			if (alone.checks[i].verdict != CHECK_OK)
				worst = &alone.checks[i];
		line = worst ? explain_check(cluster, vm, slot, worst)
			     : json_pack("{s:s}", "verdict", check_verdict_word(CHECK_OK));
		json_object_set_new(line, "rule", text_json(def->name));
		json_object_set_new(line, "kind", json_string(rule_kind_words[def->kind]));
		json_object_set_new(line, "strict", json_boolean(def->strict));
		json_object_set_new(line, "weight",
				    def->strict ? json_null() : integer(def->weight));
		json_object_set_new(line, "cost", integer(alone.cost));
		json_array_append_new(rules, line);
	}
	return rules;
}

static json_t *explain_node(const struct cluster *cluster, const struct placement_load *load,
			    const struct vm *vm, uint8_t slot)
{
	struct placement_node judged;
	json_t *row = json_object(), *checks = json_array();

	placement_judge(cluster, load, vm, slot, &judged);
	for (unsigned int i = 0; i < PLACEMENT_CHECK_COUNT; i++)
		json_array_append_new(checks,
				      explain_check(cluster, vm, slot, &judged.checks[i]));
	json_object_set_new(row, "node", node_name_json(cluster, slot));
	json_object_set_new(row, "feasible", json_boolean(judged.feasible));
	json_object_set_new(row, "tier",
			    judged.tier < VM_TIERS_MAX ? integer(judged.tier + 1u) : json_null());
	json_object_set_new(row, "vms", integer(judged.vms));
	json_object_set_new(row, "free_mib", integer(judged.free_mib));
	json_object_set_new(row, "wish_cost", integer(judged.cost));
	if (cluster->def.policies.placement == PLACEMENT_CONFIGURED ||
	    cluster->def.policies.placement == PLACEMENT_MEASURED) {
		json_object_set_new(row, "load_permille", integer(judged.share));
		json_object_set_new(row, "load_is",
				    json_string(judged.share_measured ? "measured" : "configured"));
	}
	json_object_set_new(row, "checks", checks);
	json_object_set_new(row, "rules", explain_rules(cluster, load, vm, slot));
	return row;
}

// Whether it stays where it runs, and why.
static json_t *explain_mend(const struct node *node, const struct vm *vm)
{
	const struct cluster *cluster = node_cluster(node);
	json_t *row = json_object();
	struct mend mend;
	bool asks = node_vm_mend(node, vm, &mend);
	bool waits = !asks && mend.answer.tier && mend.wait_ms != UINT64_MAX;

	json_object_set_new(row, "cause", json_string(mend_cause_word(mend.cause)));
	json_object_set_new(row, "moves", json_boolean(asks && mend.target != SLOT_NONE));
	json_object_set_new(row, "target", node_name_json(cluster, mend.target));
	if (waits)
		text_copy(mend.reason, sizeof(mend.reason),
			  "its better owner is not yet to have it");
	else if (!asks && !mend.reason[0])
		text_copy(mend.reason, sizeof(mend.reason), "nothing asks for another node");
	json_object_set_new(row, "reason", text_json(mend.reason));
	json_object_set_new(row, "fix", text_json(mend.fix));
	json_object_set_new(row, "wait_s", integer(waits ? mend.wait_ms / 1000 : 0));
	return row;
}

struct answer show_vm_explain(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	struct answer problem;
	const struct vm *vm = ask_vm(request, ask, &problem);
	const char *on = member_text(ask, "on");
	const struct cluster_node *only = on ? cluster_find_node(cluster, on) : NULL;
	struct placement_load load;
	char reason[REASON_SIZE] = "", fix[REASON_SIZE] = "";
	uint8_t chosen;
	json_t *row, *nodes;

	if (!vm)
		return problem;
	if (on && !only) {
		snprintf(reason, sizeof(reason), "there is no node %.64s", on);
		return answer_error("no-such-node", reason, "clustadm node list shows the names");
	}
	placement_load_init_at(&load, cluster, present_nodes(node), (uint64_t)time(NULL) * 1000);
	placement_load_measure(&load, cluster, node_measures(node), node_now_ms(node));
	chosen = placement_choose(cluster, &load, vm);
	row = vm_row(request, vm);
	add_life(row, cluster, vm);
	nodes = json_array();
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used && (!only || only == &cluster->nodes[i]))
			json_array_append_new(nodes, explain_node(cluster, &load, vm, i));
	}
	if (chosen == SLOT_NONE)
		placement_explain(cluster, &load, vm, reason, fix);
	json_object_set_new(row, "strategy",
			    json_string(placement_words[cluster->def.policies.placement]));
	json_object_set_new(row, "best", node_name_json(cluster, chosen));
	json_object_set_new(row, "why_nowhere", text_json(reason));
	json_object_set_new(row, "fix", text_json(fix));
	json_object_set_new(row, "nodes", nodes);
	if (vm->phase == VM_RUNNING)
		json_object_set_new(row, "mend", explain_mend(node, vm));
	return answer_result(row);
}
