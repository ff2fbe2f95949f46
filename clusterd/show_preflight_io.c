// SPDX-License-Identifier: Apache-2.0
// What is read from the node about moves that could be: preflights, and the nodes' CPUs.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clusterd/cpu.h"
#include "clusterd/request_internal_io.h"
#include "migration/preflight_io.h"

static void load_make(const struct request *request, struct preflight_load *load)
{
	preflight_load_init(load, node_cluster(request->options.node),
			    present_nodes(request->options.node), (uint64_t)time(NULL) * 1000);
}

json_t *vm_targets(const struct request *request, const struct vm *vm)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	struct preflight_load load;

	load_make(request, &load);
	return preflight_names(cluster, preflight_targets(cluster, &load, vm, MOVE_AUTO));
}

struct answer show_vm_preflight(struct request *request, const json_t *ask)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	struct answer problem;
	const struct vm *vm = ask_vm(request, ask, &problem);
	const char *to = member_text(ask, "to");
	const struct cluster_node *only = to ? cluster_find_node(cluster, to) : NULL;
	struct preflight_load load;
	char reason[REASON_SIZE];
	json_t *row, *nodes;

	if (!vm)
		return problem;
	if (to && !only) {
		snprintf(reason, sizeof(reason), "there is no node %.64s", to);
		return answer_error("no-such-node", reason, "clustadm node list shows the names");
	}
	load_make(request, &load);
	nodes = json_array();
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		const struct cluster_node *node = &cluster->nodes[slot];

		if (!node->used || (only ? only != node : vm->owner == slot))
			continue;
		json_array_append_new(nodes, preflight_json(cluster, &load, vm, slot, MOVE_AUTO));
	}
	row = json_object();
	json_object_set_new(row, "name", text_json(vm_definition(cluster, vm)->name));
	json_object_set_new(row, "node", node_name_json(cluster, vm->owner));
	json_object_set_new(row, "can_move_to", vm_targets(request, vm));
	json_object_set_new(row, "nodes", nodes);
	return answer_result(row);
}

/* The nodes' CPUs. */

static json_t *features_json(const struct cpu_features *features)
{
	json_t *names = json_array();

	for (unsigned int bit = 0; cpu_feature_name(bit); bit++)
		if (cpu_has(features, bit))
			json_array_append_new(names, json_string(cpu_feature_name(bit)));
	return names;
}

static void qemu_version_text(uint32_t version, char *buf, size_t size)
{
	snprintf(buf, size, "%u.%u.%u", version / 10000, version / 100 % 100, version % 100);
}

// What it has and the baseline has not, and what some other node has and it has not.
static json_t *node_cpu_json(const struct cluster *cluster, const struct cluster_node *node,
			     const struct cpu_features *baseline)
{
	const struct host_facts *facts = &node->report.facts;
	struct cpu_features own, more, lacks = { { 0 } };
	json_t *row = json_object();
	char version[32];

	if (!node_cpu(node, &own)) {
		json_decref(row);
		return json_null();
	}
	more = own;
	cpu_without(&more, baseline);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		struct cpu_features other;

		if (!node_cpu(&cluster->nodes[slot], &other))
			continue;
		for (unsigned int i = 0; i < CPU_FEATURE_WORDS; i++)
			lacks.bits[i] |= other.bits[i] & ~own.bits[i];
	}
	qemu_version_text(facts->qemu_version, version, sizeof(version));
	json_object_set_new(row, "vendor", text_json(facts->cpu_vendor));
	json_object_set_new(row, "model", text_json(facts->cpu_model));
	json_object_set_new(row, "accelerator",
			    json_string(facts->accel == ACCEL_KVM ? "kvm" : "emulation"));
	json_object_set_new(row, "architecture", text_json(facts->arch));
	json_object_set_new(row, "qemu", json_string(version));
	json_object_set_new(row, "machine", text_json(facts->machine_q35));
	json_object_set_new(row, "features", features_json(&own));
	json_object_set_new(row, "more", features_json(&more));
	json_object_set_new(row, "lacks", features_json(&lacks));
	json_object_set_new(row, "other", text_json(facts->features_other));
	json_object_set_new(row, "without", text_json(node->def.cpu_without));
	return row;
}

void add_node_cpus(const struct request *request, json_t *result)
{
	const struct cluster *cluster = node_cluster(request->options.node);
	json_t *rows = json_object_get(result, "nodes"), *row;
	struct cpu_features baseline;
	size_t i;

	cpu_baseline(cluster, 0, &baseline);
	json_object_set_new(result, "cpu_baseline", features_json(&baseline));
	json_array_foreach(rows, i, row)
	{
		const char *name = json_string_value(json_object_get(row, "name"));
		const struct cluster_node *node = name ? cluster_find_node(cluster, name) : NULL;

		json_object_set_new(row, "cpu",
				    node ? node_cpu_json(cluster, node, &baseline) : json_null());
	}
}

void add_node_facts(json_t *row, const struct cluster_node *node)
{
	const struct host_facts *facts = &node->report.facts;
	json_t *bridges = json_array();
	char version[32];

	qemu_version_text(facts->qemu_version, version, sizeof(version));
	for (uint32_t i = 0; i < facts->bridge_count; i++)
		json_array_append_new(bridges, text_json(facts->bridges[i]));
	json_object_set_new(row, "qemu",
			    facts->state == FACTS_KNOWN ? json_string(version) : json_null());
	json_object_set_new(row, "machine", text_json(facts->machine_q35));
	json_object_set_new(row, "cpu_model", text_json(facts->cpu_model));
	json_object_set_new(row, "cpu_without", text_json(node->def.cpu_without));
	json_object_set_new(row, "accelerator",
			    json_string(facts->accel == ACCEL_KVM ? "kvm" : "emulation"));
	json_object_set_new(row, "bridges", bridges);
	json_object_set_new(row, "memory_free_mib", json_integer(facts->memory_free_mib));
	json_object_set_new(row, "hugepage_kib", json_integer(facts->hugepage_kib));
	json_object_set_new(row, "hugepages", json_integer(facts->hugepages));
	json_object_set_new(row, "hugepages_free", json_integer(facts->hugepages_free));
}
