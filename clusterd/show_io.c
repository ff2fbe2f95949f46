// SPDX-License-Identifier: Apache-2.0
// What is read from the node for administrators: cluster, nodes, volumes, quorum.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clusterd/describe_move.h"
#include "clusterd/request_internal_io.h"
#include "migration/cert_io.h"
#include "policies/placement.h"

json_t *node_name_json(const struct cluster *cluster, uint8_t slot)
{
	return slot < NODES_MAX && cluster->nodes[slot].used
		       ? text_json(cluster->nodes[slot].def.name)
		       : json_null();
}

static json_t *node_id_name(const struct cluster *cluster, uint32_t id)
{
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used && cluster->nodes[i].def.id == id)
			return text_json(cluster->nodes[i].def.name);
	}
	return json_null();
}

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

// 64 random bits do not fit into the numbers of every JSON reader.
static json_t *hex_json(uint64_t value)
{
	char text[17];

	snprintf(text, sizeof(text), "%016llx", (unsigned long long)value);
	return json_string(text);
}

uint64_t present_nodes(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	const struct view *view = node_view(node);
	uint64_t mask = 0;

	for (uint8_t i = 0; view_normal(view) && i < NODES_MAX; i++) {
		const struct cluster_node *cnode = &cluster->nodes[i];

		if (cnode->used && cnode->reported && view_synchronised(view, cnode->def.id))
			mask |= 1ull << i;
	}
	return mask;
}

static const char *view_state_word(enum view_state state)
{
	switch (state) {
	case VIEW_CLOSED:
		return "closed";
	case VIEW_ALONE:
		return "alone";
	case VIEW_GATHERING:
		return "gathering";
	case VIEW_WAITING:
		return "waiting";
	case VIEW_COPYING:
		return "copying";
	case VIEW_SYNCING:
		return "syncing";
	case VIEW_OPENING:
		return "opening";
	case VIEW_NORMAL:
		return "normal";
	case VIEW_STATE_COUNT:
		break;
	}
	return "?";
}

static json_t *cluster_row(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	const struct view *view = node_view(node);
	char reason[REASON_SIZE] = "";
	json_t *row = json_object();
	uint32_t coordinator = view_coordinator_id(view);

	if (!view_normal(view))
		view_reason(view, reason, sizeof(reason));
	json_object_set_new(row, "name", text_json(cluster->def.name));
	json_object_set_new(row, "quorate", json_boolean(view_normal(view)));
	json_object_set_new(row, "coordinator",
			    coordinator ? node_id_name(cluster, coordinator) : json_null());
	json_object_set_new(row, "coordinator_id",
			    coordinator ? integer(coordinator) : json_null());
	json_object_set_new(row, "view", integer(view_number(view)));
	json_object_set_new(row, "state", json_string(view_state_word(view_state(view))));
	json_object_set_new(row, "reason", text_json(reason));
	json_object_set_new(row, "self", node_id_name(cluster, view_self(view)));
	json_object_set_new(row, "self_id", integer(view_self(view)));
	json_object_set_new(row, "index", integer(cluster->index));
	json_object_set_new(row, "frozen", json_boolean(view_frozen(view)));
	json_object_set_new(row, "utc_offset_min", json_integer(cluster->ahead_min));
	json_object_set_new(row, "learner", json_boolean(view_learner(view)));
	return row;
}

/* Nodes. */

static bool is_voter(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; i < cluster->voters.count; i++) {
		if (cluster->voters.list[i].id == id)
			return true;
	}
	return false;
}

// The one that most nodes have: who has another one is wrong.
static uint64_t common_authority(const struct cluster *cluster)
{
	uint32_t most = 0;
	uint64_t common = 0;

	for (uint8_t i = 0; i < NODES_MAX; i++) {
		uint64_t authority = cluster->nodes[i].report.cert_authority;
		uint32_t count = 0;

		for (uint8_t j = 0; j < NODES_MAX; j++)
			count += cluster->nodes[j].used && cluster->nodes[j].reported &&
				 cluster->nodes[j].report.cert_authority == authority;
		if (cluster->nodes[i].used && authority && count > most) {
			most = count;
			common = authority;
		}
	}
	return common;
}

static json_t *cert_row(const char *code, const char *verdict, const char *reason, const char *fix)
{
	json_t *row = json_object();

	json_object_set_new(row, "code", json_string(code));
	json_object_set_new(row, "verdict", json_string(verdict));
	json_object_set_new(row, "reason", text_json(reason));
	json_object_set_new(row, "fix", text_json(fix));
	return row;
}

// Whether its certificates let VMs move to and from it.
static json_t *cert_check(const struct cluster *cluster, const struct cluster_node *cnode)
{
	const struct node_report *report = &cnode->report;
	int64_t now_s = (int64_t)time(NULL), until_s = (int64_t)report->cert_expires;
	char reason[REASON_SIZE], fix[REASON_SIZE], until[40];

	if (!cnode->reported || cluster->def.migration.plain)
		return cert_row("", "ok", "", "");
	cert_time_text(until_s, until, sizeof(until));
	if (until_s == 0) {
		snprintf(fix, sizeof(fix), "on %s: clustadm cert init", cnode->def.name);
		return cert_row("none", "warn", "no certificates: no live move to or from it", fix);
	}
	if (now_s >= until_s) {
		snprintf(reason, sizeof(reason), "its certificates ended on %.10s", until);
		snprintf(fix, sizeof(fix), "on %s: clustadm cert renew", cnode->def.name);
		return cert_row("expired", "fail", reason, fix);
	}
	if (report->cert_authority == 0) {
		snprintf(fix, sizeof(fix), "on %s: clustadm cert show says why", cnode->def.name);
		return cert_row("unusable", "fail", "its certificates cannot be used", fix);
	}
	if (report->cert_authority != common_authority(cluster)) {
		snprintf(fix, sizeof(fix),
			 "on %s: clustadm cert init --force --ca FILE, the cluster-ca.pem of "
			 "another node",
			 cnode->def.name);
		return cert_row("another-authority", "fail",
				"its certificates are of another authority than those of others",
				fix);
	}
	if (until_s - now_s < (int64_t)CERT_WARN_DAYS * CERT_DAY_S) {
		snprintf(reason, sizeof(reason), "its certificates end on %.10s", until);
		snprintf(fix, sizeof(fix), "on %s: clustadm cert renew", cnode->def.name);
		return cert_row("ends-soon", "warn", reason, fix);
	}
	return cert_row("", "ok", "", "");
}

static json_t *node_row(const struct node *node, const struct cluster_node *cnode,
			const struct placement_load *load)
{
	const struct cluster *cluster = node_cluster(node);
	uint8_t slot = node_slot(cluster, cnode);
	char reason[REASON_SIZE] = "";
	json_t *row = json_object();
	enum node_state state = node_node_state(node, cnode, reason);

	json_object_set_new(row, "name", text_json(cnode->def.name));
	json_object_set_new(row, "id", integer(cnode->def.id));
	json_object_set_new(row, "state", json_string(node_state_word(state)));
	json_object_set_new(row, "reason", text_json(reason));
	json_object_set_new(row, "managed", json_boolean(cnode->managed));
	json_object_set_new(row, "drain", json_string(drain_state_word(cnode->drain)));
	json_object_set_new(row, "voter", json_boolean(is_voter(cluster, cnode->def.id)));
	json_object_set_new(row, "vms", integer(load->vms[slot]));
	json_object_set_new(row, "cpus", integer(cnode->report.cpus));
	json_object_set_new(row, "memory_mib", integer(cnode->report.memory_mib));
	json_object_set_new(row, "memory_used_mib", integer(load->used_mib[slot]));
	json_object_set_new(row, "watchdog", json_boolean(cnode->report.watchdog));
	json_object_set_new(row, "fence_devices", integer(cnode->def.fence_count));
	json_object_set_new(row, "cert_expires", integer(cnode->report.cert_expires));
	json_object_set_new(row, "cert", cert_check(cluster, cnode));
	return row;
}

static json_t *node_rows(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	struct placement_load load;
	json_t *rows = json_array();

	placement_load_init(&load, cluster, present_nodes(node));
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		if (cluster->nodes[i].used)
			json_array_append_new(rows, node_row(node, &cluster->nodes[i], &load));
	}
	return rows;
}

struct answer show_node_list(struct request *request, const json_t *ask)
{
	json_t *result = json_object();

	json_object_set_new(result, "nodes", node_rows(request->options.node));
	if (member_flag(ask, "cpu"))
		add_node_cpus(request, result);
	return answer_result(result);
}

static const char *node_life_word(enum node_life life)
{
	switch (life) {
	case NODE_UNKNOWN:
		return "unknown";
	case NODE_ONLINE:
		return "online";
	case NODE_LEFT:
		return "left";
	case NODE_LOST:
		return "lost";
	case NODE_FENCING:
		return "fencing";
	case NODE_FENCED:
		return "fenced";
	case NODE_DEAD:
		return "dead";
	case NODE_EXPIRING:
		return "expiring";
	case NODE_LIFE_COUNT:
		break;
	}
	return "?";
}

// Options hold passwords: their names are enough here.
static json_t *fence_rows(const struct cluster_node *cnode)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < cnode->def.fence_count; i++) {
		const struct fence_def *fence = &cnode->def.fences[i];
		json_t *row = json_object(), *names = json_array();

		for (const char *line = fence->options; *line;) {
			size_t length = strcspn(line, "\n"), name = strcspn(line, "=\n");

			json_array_append_new(names, json_stringn(line, name));
			line += length + (line[length] == '\n');
		}
		json_object_set_new(row, "agent", text_json(fence->agent));
		json_object_set_new(row, "options", names);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *node_volume_rows(const struct cluster *cluster, const struct cluster_node *cnode)
{
	json_t *rows = json_array();

	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		const struct node_volume *volume = &cnode->report.volumes[v];
		json_t *row;

		if (!cluster->volumes[v].used)
			continue;
		row = json_object();
		json_object_set_new(row, "volume", text_json(cluster->volumes[v].def.name));
		json_object_set_new(row, "state", json_string(volume_state_word(volume->state)));
		json_object_set_new(row, "joined", json_boolean(volume->joined));
		json_object_set_new(row, "free_mib", integer(volume->free_mib));
		json_object_set_new(row, "reason", text_json(volume->reason));
		json_array_append_new(rows, row);
	}
	return rows;
}

static struct answer answer_unknown(const char *kind, const char *name)
{
	char reason[REASON_SIZE], fix[REASON_SIZE], code[32];

	snprintf(code, sizeof(code), "no-such-%s", kind);
	snprintf(reason, sizeof(reason), "there is no %s %.64s", kind, name);
	snprintf(fix, sizeof(fix), "clustadm %s list shows the names", kind);
	return answer_error(code, reason, fix);
}

static json_t *speed_rows(const struct cluster_node *cnode)
{
	json_t *rows = json_array();

	for (int i = 0; i < MIGRATION_NETWORKS_MAX && cnode->report.addresses[i][0]; i++)
		json_array_append_new(rows, cnode->report.link_mbit[i]
						    ? integer(cnode->report.link_mbit[i])
						    : json_null());
	return rows;
}

static json_t *address_rows(const struct cluster_node *cnode)
{
	json_t *rows = json_array();

	for (int i = 0; i < MIGRATION_NETWORKS_MAX && cnode->report.addresses[i][0]; i++)
		json_array_append_new(rows, text_json(cnode->report.addresses[i]));
	return rows;
}

struct answer show_node(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	const char *name = member_text(ask, "name");
	const struct cluster_node *cnode = name ? cluster_find_node(cluster, name) : NULL;
	struct placement_load load;
	json_t *row, *vms = json_array();

	if (!cnode) {
		json_decref(vms);
		return answer_unknown("node", name ? name : "");
	}
	placement_load_init(&load, cluster, present_nodes(node));
	row = node_row(node, cnode, &load);
	json_object_set_new(row, "life", json_string(node_life_word(cnode->life)));
	json_object_set_new(row, "since_ms", integer(cnode->since_ms));
	json_object_set_new(row, "emulator", json_boolean(cnode->report.qemu));
	add_node_facts(row, cnode);
	json_object_set_new(row, "memory_reserve_mib", integer(cnode->def.memory_reserve_mib));
	json_object_set_new(row, "fences", fence_rows(cnode));
	json_object_set_new(row, "fence_failures", integer(cnode->fence_failures));
	json_object_set_new(row, "fence_attempt", integer(cnode->fence_attempt));
	json_object_set_new(row, "fence_wanted", json_boolean(cnode->fence_wanted));
	json_object_set_new(row, "fence_actor",
			    cnode->life == NODE_FENCING
				    ? node_name_json(cluster, cnode->fence_actor)
				    : json_null());
	json_object_set_new(row, "volumes", node_volume_rows(cluster, cnode));
	json_object_set_new(row, "addresses", address_rows(cnode));
	json_object_set_new(row, "link_mbit", speed_rows(cnode));
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		if (vm->used && vm->owner == node_slot(cluster, cnode))
			json_array_append_new(vms, text_json(vm_definition(cluster, vm)->name));
	}
	json_object_set_new(row, "vm_names", vms);
	json_object_set_new(row, "measured",
			    node_measured(node, node_slot(cluster, cnode), true));
	return answer_result(row);
}

/* Volumes. */

static json_t *volume_row(const struct node *node, const struct cluster_volume *volume)
{
	const struct cluster *cluster = node_cluster(node);
	uint8_t slot = volume_slot(cluster, volume);
	char path[2 * PATH_SIZE];
	json_t *row = json_object(), *nodes = json_array();

	snprintf(path, sizeof(path), "%s/%s", cluster->def.root, volume->def.name);
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *cnode = &cluster->nodes[i];
		const struct node_volume *seen = &cnode->report.volumes[slot];
		json_t *place;

		if (!cnode->used)
			continue;
		place = json_object();
		json_object_set_new(place, "node", text_json(cnode->def.name));
		json_object_set_new(place, "state",
				    json_string(volume_state_word(
					    cnode->reported ? seen->state : VOLUME_OFFLINE)));
		json_object_set_new(place, "joined", json_boolean(cnode->reported && seen->joined));
		json_object_set_new(
			place, "reason",
			text_json(cnode->reported ? seen->reason : "the node has not reported"));
		json_object_set_new(place, "latency_us", volume_latency(node, i, slot));
		json_array_append_new(nodes, place);
	}
	json_object_set_new(row, "name", text_json(volume->def.name));
	json_object_set_new(row, "source", text_json(volume->def.source));
	json_object_set_new(row, "path", text_json(path));
	json_object_set_new(row, "prepared", json_boolean(volume->prepared));
	json_object_set_new(row, "reason", text_json(volume->reason));
	json_object_set_new(row, "nodes", nodes);
	return row;
}

static json_t *volume_rows(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	json_t *rows = json_array();

	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		if (cluster->volumes[v].used)
			json_array_append_new(rows, volume_row(node, &cluster->volumes[v]));
	}
	return rows;
}

struct answer show_volume_list(struct request *request, const json_t *ask)
{
	json_t *result = json_object();

	(void)ask;
	json_object_set_new(result, "volumes", volume_rows(request->options.node));
	return answer_result(result);
}

struct answer show_volume(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	const char *name = member_text(ask, "name");
	const struct cluster_volume *volume = name ? cluster_find_volume(cluster, name) : NULL;
	const uint8_t *slots;
	uint32_t count[LEASE_SLOT_COUNT] = { 0 };
	json_t *row, *vms = json_array();

	if (!volume) {
		json_decref(vms);
		return answer_unknown("volume", name ? name : "");
	}
	row = volume_row(request->options.node, volume);
	slots = cluster->lease_slots +
		(size_t)volume_slot(cluster, volume) * cluster->limits.lease_slots_max;
	for (uint32_t i = 0; i < cluster->limits.lease_slots_max; i++)
		count[slots[i] < LEASE_SLOT_COUNT ? slots[i] : SLOT_BURNED]++;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];

		for (uint32_t l = 0; vm->used && l < vm->lease_count; l++) {
			if (vm->leases[l].volume == volume_slot(cluster, volume))
				json_array_append_new(vms,
						      text_json(vm_definition(cluster, vm)->name));
		}
	}
	json_object_set_new(row, "io_timeout_s", integer(volume->io_timeout_s));
	json_object_set_new(row, "leases_free", integer(count[SLOT_FREE]));
	json_object_set_new(row, "leases_used", integer(count[SLOT_USED]));
	json_object_set_new(row, "leases_burned", integer(count[SLOT_BURNED]));
	json_object_set_new(row, "vm_names", vms);
	return answer_result(row);
}

/* Everything at a glance. */

struct answer show_status(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	json_t *result = json_object(), *vms = json_array();

	(void)ask;
	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		if (cluster->vms[i].used)
			json_array_append_new(vms, vm_row(request, &cluster->vms[i]));
	}
	json_object_set_new(result, "cluster", cluster_row(node));
	json_object_set_new(result, "nodes", node_rows(node));
	json_object_set_new(result, "volumes", volume_rows(node));
	json_object_set_new(result, "vms", vms);
	if (cluster->def.policies.failures > 0 && view_normal(node_view(node)))
		json_object_set_new(result, "capacity",
				    capacity_now(request, cluster->def.policies.failures));
	return answer_result(result);
}

/* Quorum. */

static uint64_t voter_store(const struct cluster *cluster, uint32_t id)
{
	for (uint32_t i = 0; i < cluster->voters.count; i++) {
		if (cluster->voters.list[i].id == id)
			return cluster->voters.list[i].store;
	}
	return 0;
}

static json_t *member_row(const struct node *node, uint32_t id)
{
	const struct cluster *cluster = node_cluster(node);
	const struct view *view = node_view(node);
	uint64_t listed = voter_store(cluster, id);
	uint64_t store = id == view_self(view) ? view_store_id(view) : view_member_store(view, id);
	bool present = view_member(view, id);
	json_t *row = json_object();

	json_object_set_new(row, "id", integer(id));
	json_object_set_new(row, "name", node_id_name(cluster, id));
	json_object_set_new(row, "voter", json_boolean(listed != 0));
	json_object_set_new(row, "store",
			    listed || store ? hex_json(listed ? listed : store) : json_null());
	json_object_set_new(row, "host_up", json_boolean(view_in_ring(view, id)));
	json_object_set_new(row, "present", json_boolean(present));
	json_object_set_new(row, "intact", json_boolean(present && listed && store == listed));
	json_object_set_new(row, "synchronised", json_boolean(view_synchronised(view, id)));
	json_object_set_new(row, "learner", json_boolean(present && (!listed || store != listed)));
	return row;
}

struct answer show_quorum(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	const struct view *view = node_view(node);
	json_t *result = cluster_row(node), *voters = json_array(), *learners = json_array();

	(void)ask;
	json_object_set_new(result, "votequorum", json_boolean(view_quorate(view)));
	json_object_set_new(result, "normal", json_boolean(view_normal(view)));
	json_object_set_new(result, "committed", integer(view_committed(view)));
	json_object_set_new(result, "last_index", integer(view_last_index(view)));
	json_object_set_new(result, "functional_level", integer(cluster->functional_level));
	json_object_set_new(result, "store", hex_json(view_store_id(view)));
	json_object_set_new(result, "dropped", integer(view_dropped(view)));
	json_object_set_new(result, "majority", integer(cluster->voters.count / 2 + 1));
	for (uint32_t i = 0; i < cluster->voters.count; i++)
		json_array_append_new(voters, member_row(node, cluster->voters.list[i].id));
	for (uint32_t id = 1; id <= NODE_ID_MAX; id++) {
		if (view_member(view, id) && !is_voter(cluster, id))
			json_array_append_new(learners, member_row(node, id));
	}
	json_object_set_new(result, "voters", voters);
	json_object_set_new(result, "learners", learners);
	return answer_result(result);
}
