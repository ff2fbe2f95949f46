// SPDX-License-Identifier: Apache-2.0
// What is measured, as this node heard it.
#include <string.h>

#include "clusterd/request_internal_io.h"

struct named_measure {
	enum measure what;
	const char *name; // with its unit
};

static const struct named_measure node_measure_names[] = {
	{ MEASURE_NODE_CPU, "cpu_permille" },
	{ MEASURE_NODE_CPU_PRESSURE, "cpu_pressure_permille" },
	{ MEASURE_NODE_MEMORY, "memory_permille" },
	{ MEASURE_NODE_MEMORY_PRESSURE, "memory_pressure_permille" },
	{ MEASURE_NODE_IO_PRESSURE, "io_pressure_permille" },
};

static const struct named_measure vm_measure_names[] = {
	{ MEASURE_VM_CPU, "cpu_permille" },	   { MEASURE_VM_MEMORY, "memory_mib" },
	{ MEASURE_VM_READ, "read_kib_s" },	   { MEASURE_VM_WRITE, "write_kib_s" },
	{ MEASURE_VM_RECEIVED, "received_kib_s" }, { MEASURE_VM_SENT, "sent_kib_s" },
};

enum {
	NODE_NAMES = sizeof(node_measure_names) / sizeof(node_measure_names[0]),
	VM_NAMES = sizeof(vm_measure_names) / sizeof(vm_measure_names[0]),
};

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *values_json(const struct series *series)
{
	json_t *values = json_array();

	for (uint32_t i = 0; i < series->count; i++)
		json_array_append_new(values, integer(series->values[i]));
	return values;
}

// The present value, or null; the first reason why one is missing; what was before, where wanted.
static void add_series(json_t *row, const char *name, const struct series *series, uint64_t now_ms,
		       json_t *whole)
{
	json_object_set_new(row, name,
			    series->why == MEASURE_GOOD ? integer(series->values[series->count - 1])
							: json_null());
	if (series->why != MEASURE_GOOD && !json_object_get(row, "reason"))
		json_object_set_new(row, "reason", json_string(measure_why_text(series->why)));
	if (series->at_ms && series->at_ms <= now_ms && !json_object_get(row, "age_ms"))
		json_object_set_new(row, "age_ms", integer(now_ms - series->at_ms));
	if (whole) {
		json_object_set_new(whole, "step_ms", integer(series->step_ms));
		json_object_set_new(whole, name, values_json(series));
	}
}

static json_t *measured_end(json_t *row, json_t *whole)
{
	if (!json_object_get(row, "reason"))
		json_object_set_new(row, "reason", json_string(""));
	if (!json_object_get(row, "age_ms"))
		json_object_set_new(row, "age_ms", json_null());
	if (whole)
		json_object_set_new(row, "series", whole);
	return row;
}

json_t *node_measured(const struct node *node, uint8_t slot, bool with_series)
{
	json_t *row = json_object(), *whole = with_series ? json_object() : NULL;
	uint64_t now_ms = node_now_ms(node);
	struct series series;

	for (size_t i = 0; i < NODE_NAMES; i++) {
		measures_node(node_measures(node), slot, node_measure_names[i].what, now_ms,
			      &series);
		add_series(row, node_measure_names[i].name, &series, now_ms, whole);
	}
	return measured_end(row, whole);
}

json_t *vm_measured(const struct node *node, const struct vm *vm, bool with_series)
{
	json_t *row = json_object(), *whole = with_series ? json_object() : NULL;
	uint64_t now_ms = node_now_ms(node);
	struct series series;

	for (size_t i = 0; i < VM_NAMES; i++) {
		measures_vm(node_measures(node), vm->ref, vm_measure_names[i].what, now_ms,
			    &series);
		add_series(row, vm_measure_names[i].name, &series, now_ms, whole);
	}
	return measured_end(row, whole);
}

json_t *volume_latency(const struct node *node, uint8_t slot, uint8_t volume)
{
	struct series series;

	if (!measures_volume(node_measures(node), slot, volume, MEASURE_VOLUME_LATENCY,
			     node_now_ms(node), &series))
		return json_null();
	return integer(series.values[series.count - 1]);
}

static bool runs(const struct vm *vm)
{
	return vm->used && vm->owner != SLOT_NONE;
}

static json_t *top_nodes(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	uint32_t vms[NODES_MAX] = { 0 };
	json_t *rows = json_array();

	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (runs(&cluster->vms[i]) && cluster->vms[i].owner < NODES_MAX)
			vms[cluster->vms[i].owner]++;
	for (uint8_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *cnode = &cluster->nodes[i];
		char reason[REASON_SIZE] = "";
		json_t *row;

		if (!cnode->used)
			continue;
		row = json_object();
		json_object_set_new(row, "name", text_json(cnode->def.name));
		json_object_set_new(
			row, "state",
			json_string(node_state_word(node_node_state(node, cnode, reason))));
		json_object_set_new(row, "cpus", integer(cnode->report.cpus));
		json_object_set_new(row, "memory_mib", integer(cnode->report.memory_mib));
		json_object_set_new(row, "vms", integer(vms[i]));
		json_object_set_new(row, "measured", node_measured(node, i, false));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *top_vms(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	json_t *rows = json_array();

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		char reason[REASON_SIZE] = "";
		json_t *row;

		if (!runs(vm))
			continue;
		row = json_object();
		json_object_set_new(row, "name", text_json(vm_definition(cluster, vm)->name));
		json_object_set_new(row, "node", node_name_json(cluster, vm->owner));
		json_object_set_new(row, "state",
				    json_string(vm_state_word(node_vm_state(node, vm, reason))));
		json_object_set_new(row, "cpus", integer(vm_definition(cluster, vm)->cpus));
		json_object_set_new(row, "memory_mib",
				    integer(vm_definition(cluster, vm)->memory_mib));
		json_object_set_new(row, "measured", vm_measured(node, vm, false));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *top_volumes(const struct node *node)
{
	const struct cluster *cluster = node_cluster(node);
	json_t *rows = json_array();

	for (uint8_t v = 0; v < VOLUMES_MAX; v++) {
		for (uint8_t i = 0; i < NODES_MAX && cluster->volumes[v].used; i++) {
			json_t *row;

			if (!cluster->nodes[i].used)
				continue;
			row = json_object();
			json_object_set_new(row, "volume", text_json(cluster->volumes[v].def.name));
			json_object_set_new(row, "node", node_name_json(cluster, i));
			json_object_set_new(row, "latency_us", volume_latency(node, i, v));
			json_array_append_new(rows, row);
		}
	}
	return rows;
}

struct answer show_top(struct request *request, const json_t *ask)
{
	const struct node *node = request->options.node;
	json_t *result = json_object();

	(void)ask;
	json_object_set_new(result, "cluster", text_json(node_cluster(node)->def.name));
	json_object_set_new(result, "nodes", top_nodes(node));
	json_object_set_new(result, "vms", top_vms(node));
	json_object_set_new(result, "volumes", top_volumes(node));
	json_object_set_new(result, "dropped", integer(measures_dropped(node_measures(node))));
	return answer_result(result);
}
