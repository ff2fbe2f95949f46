// SPDX-License-Identifier: Apache-2.0
// `dump`: the configuration as XML that `apply` takes back, or the whole state for `whatif`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clusterd/request_internal_io.h"
#include "resources/definition_write.h"

struct dump {
	char *text;
	size_t used, room;
	bool failed;
};

struct dumped {
	enum {
		DUMP_ALL,
		DUMP_CLUSTER,
		DUMP_NODE,
		DUMP_VOLUME,
		DUMP_VM,
		DUMP_RULE,
		DUMP_POLICY
	} kind;
	uint32_t slot;
};

static size_t dump_write(const struct cluster *cluster, struct dumped what, char *buf, size_t size)
{
	switch (what.kind) {
	case DUMP_ALL:
		return definition_write_all(cluster, buf, size);
	case DUMP_CLUSTER:
		return definition_write_cluster(&cluster->def, buf, size);
	case DUMP_NODE:
		return definition_write_node(&cluster->nodes[what.slot].def, buf, size);
	case DUMP_VOLUME:
		return definition_write_volume(&cluster->volumes[what.slot].def, buf, size);
	case DUMP_VM:
		return definition_write_vm(cluster, &cluster->vms[what.slot], buf, size);
	case DUMP_RULE:
		return definition_write_rule(&cluster->rules[what.slot].def, buf, size);
	case DUMP_POLICY:
		return definition_write_policy(&cluster->policies[what.slot].def, buf, size);
	}
	return 0;
}

static bool dump_room(struct dump *dump, size_t size)
{
	size_t room = dump->room * 2 > dump->used + size ? dump->room * 2 : dump->used + size;
	char *grown;

	if (dump->used + size <= dump->room)
		return true;
	grown = dump->failed ? NULL : realloc(dump->text, room);
	dump->failed = grown == NULL;
	if (!grown)
		return false;
	dump->text = grown;
	dump->room = room;
	return true;
}

static void dump_add(struct dump *dump, const struct cluster *cluster, struct dumped what)
{
	size_t length;

	if (!dump_room(dump, 4096))
		return;
	length = dump_write(cluster, what, dump->text + dump->used, dump->room - dump->used);
	if (length >= dump->room - dump->used) {
		if (!dump_room(dump, length + 1))
			return;
		dump_write(cluster, what, dump->text + dump->used, dump->room - dump->used);
	}
	dump->used += length;
}

static void dump_line(struct dump *dump, const char *line)
{
	size_t length = strlen(line);

	if (!dump_room(dump, length + 1))
		return;
	memcpy(dump->text + dump->used, line, length + 1);
	dump->used += length;
}

static void dump_kind(struct dump *dump, const struct cluster *cluster, int kind)
{
	dump_line(dump, "<clusterd>\n");
	for (uint32_t i = 0; kind == DUMP_NODE && i < NODES_MAX; i++) {
		if (cluster->nodes[i].used)
			dump_add(dump, cluster, (struct dumped){ DUMP_NODE, i });
	}
	for (uint32_t i = 0; kind == DUMP_VOLUME && i < VOLUMES_MAX; i++) {
		if (cluster->volumes[i].used)
			dump_add(dump, cluster, (struct dumped){ DUMP_VOLUME, i });
	}
	for (uint32_t i = 0; kind == DUMP_VM && i < cluster->vm_high; i++) {
		if (cluster->vms[i].used)
			dump_add(dump, cluster, (struct dumped){ DUMP_VM, i });
	}
	for (uint32_t i = 0; kind == DUMP_RULE && i < RULES_MAX; i++) {
		if (cluster->rules[i].used)
			dump_add(dump, cluster, (struct dumped){ DUMP_RULE, i });
	}
	for (uint32_t i = 0; kind == DUMP_POLICY && i < POLICIES_MAX; i++) {
		if (cluster->policies[i].used)
			dump_add(dump, cluster, (struct dumped){ DUMP_POLICY, i });
	}
	dump_line(dump, "</clusterd>\n");
}

static bool dump_named(struct dump *dump, const struct cluster *cluster, const char *kind,
		       const char *name)
{
	const struct cluster_node *node = cluster_find_node(cluster, name);
	const struct cluster_volume *volume = cluster_find_volume(cluster, name);
	const struct vm *vm = cluster_find_vm(cluster, name);
	const struct cluster_rule *rule = cluster_find_rule(cluster, name);
	const struct cluster_policy *policy = cluster_find_policy(cluster, name);

	if (strcmp(kind, "node") == 0 && node)
		dump_add(dump, cluster, (struct dumped){ DUMP_NODE, node_slot(cluster, node) });
	else if (strcmp(kind, "volume") == 0 && volume)
		dump_add(dump, cluster,
			 (struct dumped){ DUMP_VOLUME, volume_slot(cluster, volume) });
	else if (strcmp(kind, "vm") == 0 && vm)
		dump_add(dump, cluster, (struct dumped){ DUMP_VM, vm->ref.slot });
	else if (strcmp(kind, "rule") == 0 && rule)
		dump_add(dump, cluster,
			 (struct dumped){ DUMP_RULE, (uint32_t)(rule - cluster->rules) });
	else if (strcmp(kind, "policy") == 0 && policy)
		dump_add(dump, cluster,
			 (struct dumped){ DUMP_POLICY, (uint32_t)(policy - cluster->policies) });
	else
		return false;
	return true;
}

static char *base64(const uint8_t *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc((size + 2) / 3 * 4 + 1), *at = text;

	for (size_t i = 0; text && i < size; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16;

		three |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
		three |= i + 2 < size ? bytes[i + 2] : 0;
		*at++ = digits[three >> 18];
		*at++ = digits[three >> 12 & 63];
		*at++ = i + 1 < size ? digits[three >> 6 & 63] : '=';
		*at++ = i + 2 < size ? digits[three & 63] : '=';
	}
	if (text)
		*at = 0;
	return text;
}

static json_t *snapshot_json(const struct cluster *cluster)
{
	size_t size = cluster_encode(cluster, NULL, 0);
	uint8_t *bytes = malloc(size);
	char *text =
		bytes && cluster_encode(cluster, bytes, size) == size ? base64(bytes, size) : NULL;
	json_t *json = text ? json_string(text) : NULL;

	free(text);
	free(bytes);
	return json;
}

// What is replicated, and who is there. `clustadm whatif` plays on from it.
static struct answer show_dump_state(const struct request *request)
{
	const struct node *node = request->options.node;
	const struct cluster *cluster = node_cluster(node);
	uint64_t mask = present_nodes(node);
	json_t *state = json_object(), *present = json_array(), *snapshot = snapshot_json(cluster);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (mask >> slot & 1)
			json_array_append_new(present,
					      json_integer(cluster->nodes[slot].def.id));
	}
	json_object_set_new(state, "clusterd_state", json_integer(1));
	json_object_set_new(state, "version", json_string(CLUSTERD_VERSION));
	json_object_set_new(state, "cluster", text_json(cluster->def.name));
	json_object_set_new(state, "at_ms",
			    json_integer((json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000));
	json_object_set_new(state, "quorate", json_boolean(view_normal(node_view(node))));
	json_object_set_new(state, "present", present);
	json_object_set_new(state, "vms_max", json_integer(cluster->limits.vms_max));
	json_object_set_new(state, "lease_slots_max",
			    json_integer(cluster->limits.lease_slots_max));
	if (snapshot)
		json_object_set_new(state, "snapshot", snapshot);
	if (snapshot)
		return answer_result(state);
	json_decref(state);
	return answer_result(NULL);
}

struct answer show_dump(struct request *request, const json_t *ask)
{
	static const char *const kinds[] = { "cluster", "node", "volume", "vm", "rule", "policy" };
	const struct cluster *cluster = node_cluster(request->options.node);
	const char *kind = member_text(ask, "kind"), *name = member_text(ask, "name");
	struct dump dump = { 0 };
	char reason[REASON_SIZE];
	json_t *result, *text;
	int which = -1;

	if (member_flag(ask, "state"))
		return show_dump_state(request);
	for (int i = 0; kind && i < 6; i++) {
		if (strcmp(kind, kinds[i]) == 0)
			which = i;
	}
	if (kind && which < 0)
		return answer_error("malformed",
				    "kinds of objects are cluster, node, volume, vm, rule and "
				    "policy",
				    "");
	if (!kind) {
		dump_add(&dump, cluster, (struct dumped){ DUMP_ALL, 0 });
	} else if (which == 0) {
		dump_add(&dump, cluster, (struct dumped){ DUMP_CLUSTER, 0 });
	} else if (!name) {
		dump_kind(&dump, cluster, DUMP_CLUSTER + which);
	} else if (!dump_named(&dump, cluster, kind, name)) {
		snprintf(reason, sizeof(reason), "there is no %s %.64s", kind, name);
		return answer_error("not-found", reason, "clustadm dump shows all there is");
	}
	text = dump.failed ? NULL : json_stringn(dump.text, dump.used);
	free(dump.text);
	if (!text)
		return answer_result(NULL);
	result = json_object();
	json_object_set_new(result, "xml", text);
	return answer_result(result);
}
