// SPDX-License-Identifier: Apache-2.0
#include "resources/definition_write.h"

#include <string.h>

#include "resources/definition_text.h"

struct out {
	char *buf;
	size_t size, length;
	uint32_t depth;
};

static void put_bytes(struct out *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++, out->length++)
		if (out->length + 1 < out->size)
			out->buf[out->length] = text[i];
}

static void put(struct out *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

static size_t out_end(struct out *out)
{
	if (out->size)
		out->buf[out->length < out->size ? out->length : out->size - 1] = '\0';
	return out->length;
}

static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	// A parser would turn these into spaces in an attribute, and drop the last one in text.
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

static void put_escaped(struct out *out, const char *text)
{
	for (; *text; text++) {
		const char *escape = escape_of(*text);

		if (escape)
			put(out, escape);
		else
			put_bytes(out, text, 1);
	}
}

static const char *number_text(uint64_t number, char digits[21])
{
	char *at = digits + 20;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return at;
}

static void indent(struct out *out)
{
	for (uint32_t i = 0; i < out->depth; i++)
		put(out, "  ");
}

static void tag_start(struct out *out, const char *name)
{
	indent(out);
	put(out, "<");
	put(out, name);
}

static void attribute(struct out *out, const char *name, const char *value)
{
	put(out, " ");
	put(out, name);
	put(out, "=\"");
	put_escaped(out, value);
	put(out, "\"");
}

static void attribute_number(struct out *out, const char *name, uint64_t number, const char *unit)
{
	char digits[21];

	put(out, " ");
	put(out, name);
	put(out, "=\"");
	put(out, number_text(number, digits));
	put(out, unit);
	put(out, "\"");
}

static void tag_end(struct out *out)
{
	put(out, "/>\n");
}

static void tag_open(struct out *out)
{
	put(out, ">\n");
	out->depth++;
}

static void tag_close(struct out *out, const char *name)
{
	out->depth--;
	indent(out);
	put(out, "</");
	put(out, name);
	put(out, ">\n");
}

static void text_element(struct out *out, const char *name, const char *text)
{
	tag_start(out, name);
	put(out, ">");
	put_escaped(out, text);
	put(out, "</");
	put(out, name);
	put(out, ">\n");
}

static void number_element(struct out *out, const char *name, uint64_t number, const char *unit)
{
	char digits[21];

	tag_start(out, name);
	put(out, ">");
	put(out, number_text(number, digits));
	put(out, unit);
	put(out, "</");
	put(out, name);
	put(out, ">\n");
}

static void memory_element(struct out *out, const char *name, uint32_t mib)
{
	char digits[21];

	tag_start(out, name);
	attribute(out, "unit", "MiB");
	put(out, ">");
	put(out, number_text(mib, digits));
	put(out, "</");
	put(out, name);
	put(out, ">\n");
}

static void policies_put(struct out *out, const struct policy_def *def)
{
	tag_start(out, "policies");
	attribute(out, "placement", placement_words[def->placement]);
	attribute(out, "health", health_policy_words[def->health]);
	attribute(out, "shutdown", shutdown_policy_words[def->shutdown]);
	attribute_number(out, "cpu-overcommit", def->cpu_overcommit, "");
	attribute(out, "cpu-limit", cpu_limit_words[def->cpu_hard]);
	attribute_number(out, "tolerate-failures", def->failures, "");
	attribute(out, "strict", yes_no_words[def->failures_strict]);
	attribute(out, "displace", yes_no_words[def->displace]);
	tag_end(out);
}

static void migration_put(struct out *out, const struct migration_def *def)
{
	tag_start(out, "migration");
	attribute(out, "tls", yes_no_words[!def->plain]);
	attribute_number(out, "bandwidth", def->bandwidth_percent, "");
	if (def->link_mbit > 0)
		attribute_number(out, "link-mbit", def->link_mbit, "");
	attribute_number(out, "moves-out", def->moves_out_max, "");
	attribute_number(out, "moves-in", def->moves_in_max, "");
	if (def->moves_max > 0)
		attribute_number(out, "moves", def->moves_max, "");
	if (def->network_count == 0) {
		tag_end(out);
		return;
	}
	tag_open(out);
	for (uint32_t i = 0; i < def->network_count; i++)
		text_element(out, "network", def->networks[i]);
	tag_close(out, "migration");
}

static void cluster_put(struct out *out, const struct cluster_def *def)
{
	tag_start(out, "cluster");
	attribute(out, "name", def->name);
	tag_open(out);
	tag_start(out, "no-quorum");
	attribute(out, "policy", no_quorum_words[def->no_quorum]);
	attribute_number(out, "hold", def->no_quorum_hold_s, "s");
	tag_end(out);
	number_element(out, "io-timeout", def->io_timeout_s, "s");
	if (def->measure_s > 0)
		number_element(out, "measure-every", def->measure_s, "s");
	if (def->utc)
		text_element(out, "hours", hours_words[def->utc]);
	text_element(out, "root", def->root);
	policies_put(out, &def->policies);
	migration_put(out, &def->migration);
	tag_close(out, "cluster");
}

// One "name=value\n" line of a fence device's options; gives the next one.
static const char *option_put(struct out *out, const char *line)
{
	char text[FENCE_OPTIONS_SIZE];
	size_t length = 0, name = 0;

	while (line[length] && line[length] != '\n' && length + 1 < sizeof(text)) {
		text[length] = line[length];
		length++;
	}
	text[length] = '\0';
	while (text[name] && text[name] != '=')
		name++;
	if (text[name]) {
		text[name] = '\0';
		tag_start(out, "option");
		attribute(out, "name", text);
		attribute(out, "value", text + name + 1);
		tag_end(out);
	}
	return line + length + (line[length] == '\n');
}

static void node_put(struct out *out, const struct node_def *def)
{
	tag_start(out, "node");
	attribute(out, "name", def->name);
	attribute_number(out, "id", def->id, "");
	if (def->health != HEALTH_GREEN)
		attribute(out, "health", node_health_words[def->health]);
	tag_open(out);
	for (uint32_t i = 0; i < def->fence_count; i++) {
		const char *line = def->fences[i].options;

		tag_start(out, "fence");
		attribute(out, "agent", def->fences[i].agent);
		if (!*line) {
			tag_end(out);
			continue;
		}
		tag_open(out);
		while (*line)
			line = option_put(out, line);
		tag_close(out, "fence");
	}
	memory_element(out, "memory-reserve", def->memory_reserve_mib);
	for (uint32_t i = 0; i < def->attribute_count; i++) {
		tag_start(out, "attribute");
		attribute(out, "name", def->attributes[i].name);
		attribute(out, "value", def->attributes[i].value);
		tag_end(out);
	}
	if (def->cpu_without[0]) {
		tag_start(out, "cpu");
		attribute(out, "without", def->cpu_without);
		tag_end(out);
	}
	tag_close(out, "node");
}

static void volume_put(struct out *out, const struct volume_def *def)
{
	tag_start(out, "volume");
	attribute(out, "name", def->name);
	attribute(out, "source", def->source);
	tag_end(out);
}

static void vm_start(struct out *out, const struct vm *vm, const struct vm_def *def)
{
	uint64_t priority = def->priority < 0 ? (uint64_t)-(int64_t)def->priority :
						(uint64_t)def->priority;
	char uuid[UUID_TEXT_SIZE], digits[21];

	tag_start(out, "vm");
	attribute(out, "name", def->name);
	if (!uuid_is_zero(&def->uuid)) {
		uuid_format(&def->uuid, uuid);
		attribute(out, "uuid", uuid);
	}
	attribute(out, "wanted", vm_wanted_words[vm->wanted]);
	put(out, def->priority < 0 ? " priority=\"-" : " priority=\"");
	put(out, number_text(priority, digits));
	put(out, "\"");
	tag_open(out);
}

static void file_attributes(struct out *out, const char *volume, const char *path)
{
	attribute(out, "volume", volume);
	attribute(out, "path", path);
}

static void boot_put(struct out *out, const struct vm_def *def)
{
	if (!def->kernel.volume[0])
		return;
	tag_start(out, "boot");
	tag_open(out);
	tag_start(out, "kernel");
	file_attributes(out, def->kernel.volume, def->kernel.path);
	tag_end(out);
	if (def->initrd.volume[0]) {
		tag_start(out, "initrd");
		file_attributes(out, def->initrd.volume, def->initrd.path);
		tag_end(out);
	}
	if (def->cmdline[0])
		text_element(out, "cmdline", def->cmdline);
	tag_close(out, "boot");
}

// What it is defined to have, which while it runs may not be what it has.
static void hardware_put(struct out *out, const struct vm *vm, const struct vm_def *def)
{
	if (def->description[0])
		text_element(out, "description", def->description);
	number_element(out, "cpus", vm->next_cpus ? vm->next_cpus : def->cpus, "");
	memory_element(out, "memory", vm->next_cpus ? vm->next_memory_mib : def->memory_mib);
	if (def->hugepages) {
		tag_start(out, "hugepages");
		tag_end(out);
	}
	if (def->machine[0])
		text_element(out, "machine", def->machine);
	tag_start(out, "cpu");
	attribute(out, "mode", cpu_mode_words[def->cpu_mode]);
	if (def->cpu_mode == CPU_MODEL)
		attribute(out, "name", def->cpu_model);
	tag_end(out);
	text_element(out, "firmware", firmware_words[def->firmware]);
	boot_put(out, def);
}

static void disk_put(struct out *out, const struct disk_def *disk)
{
	tag_start(out, disk->cdrom ? "cdrom" : "disk");
	file_attributes(out, disk->volume, disk->path);
	if (!disk->cdrom) {
		attribute(out, "format", disk_format_words[disk->format]);
		attribute(out, "bus", disk_bus_words[disk->bus]);
		attribute(out, "cache", disk_cache_words[disk->cache]);
		attribute(out, "aio", disk_aio_words[disk->aio]);
		attribute(out, "discard", yes_no_words[disk->discard]);
		attribute(out, "readonly", yes_no_words[disk->readonly]);
	}
	tag_end(out);
}

static void nic_put(struct out *out, const struct nic_def *nic)
{
	static const uint8_t none[6];
	char mac[MAC_TEXT_SIZE];

	tag_start(out, "nic");
	attribute(out, "bridge", nic->bridge);
	attribute(out, "model", nic_model_words[nic->model]);
	if (memcmp(nic->mac, none, sizeof(none)) != 0) {
		mac_format(nic->mac, mac);
		attribute(out, "mac", mac);
	}
	if (nic->device[0])
		attribute(out, "pass-through", nic->device);
	tag_end(out);
}

static void owners_in(struct out *out, const struct cluster *cluster, uint64_t mask, uint32_t tier)
{
	for (uint32_t slot = 0; slot < NODES_MAX; slot++) {
		if (!(mask >> slot & 1) || !cluster->nodes[slot].used)
			continue;
		tag_start(out, tier ? "preferred" : "possible");
		attribute(out, "node", cluster->nodes[slot].def.name);
		if (tier)
			attribute_number(out, "tier", tier, "");
		tag_end(out);
	}
}

static void owners_put(struct out *out, const struct cluster *cluster, const struct vm *vm)
{
	uint64_t all = vm->possible;

	for (uint32_t tier = 0; tier < VM_TIERS_MAX; tier++)
		all |= vm->tiers[tier];
	if (!all)
		return;
	tag_start(out, "owners");
	tag_open(out);
	owners_in(out, cluster, vm->possible, 0);
	for (uint32_t tier = 0; tier < VM_TIERS_MAX; tier++)
		owners_in(out, cluster, vm->tiers[tier], tier + 1);
	tag_close(out, "owners");
}

static void failback_put(struct out *out, const struct vm_def *def)
{
	char window[] = "00:00-00:00";
	const uint32_t ends[2] = { def->failback_from, def->failback_to };

	if (def->failback != FAILBACK_DELAYED) {
		text_element(out, "failback", failback_words[def->failback]);
		return;
	}
	for (int i = 0; i < 2; i++) {
		window[6 * i] = (char)('0' + ends[i] / 600);
		window[6 * i + 1] = (char)('0' + ends[i] / 60 % 10);
		window[6 * i + 3] = (char)('0' + ends[i] % 60 / 10);
		window[6 * i + 4] = (char)('0' + ends[i] % 10);
	}
	tag_start(out, "failback");
	attribute_number(out, "after", def->failback_after_s, "s");
	if (ends[0] != ends[1])
		attribute(out, "within", window);
	put(out, ">");
	put_escaped(out, failback_words[def->failback]);
	put(out, "</failback>\n");
}

static void vm_put(struct out *out, const struct cluster *cluster, const struct vm *vm)
{
	const struct vm_def *def = vm_definition(cluster, vm);

	vm_start(out, vm, def);
	hardware_put(out, vm, def);
	for (uint32_t i = 0; i < def->disk_count; i++)
		disk_put(out, &def->disks[i]);
	for (uint32_t i = 0; i < def->nic_count; i++)
		nic_put(out, &def->nics[i]);
	if (def->console) {
		tag_start(out, "console");
		tag_end(out);
	}
	if (def->vnc) {
		tag_start(out, "vnc");
		tag_end(out);
	}
	if (def->guest_agent) {
		tag_start(out, "guest-agent");
		tag_end(out);
	}
	if (def->address[0])
		text_element(out, "address", def->address);
	owners_put(out, cluster, vm);
	failback_put(out, def);
	tag_start(out, "restart");
	attribute_number(out, "in-place", def->restarts_max, "");
	attribute_number(out, "elsewhere", def->relocations_max, "");
	if (def->forget_s > 0)
		attribute_number(out, "forget", def->forget_s, "s");
	else
		attribute(out, "forget", "never");
	tag_end(out);
	text_element(out, "on-failure", on_failure_words[def->on_failure]);
	text_element(out, "on-stop-failure", on_stop_failure_words[def->on_stop_failure]);
	text_element(out, "on-double-run", on_double_run_words[def->on_double_run]);
	text_element(out, "on-guest-shutdown", guest_shutdown_words[def->on_guest_shutdown]);
	number_element(out, "stop-timeout", def->stop_timeout_s, "s");
	tag_start(out, "migration");
	attribute_number(out, "max-pause", def->max_pause_ms, "ms");
	attribute_number(out, "throttle", def->throttle_max, "");
	attribute(out, "post-copy", yes_no_words[def->post_copy]);
	tag_end(out);
	text_element(out, "on-drain", on_drain_words[def->on_drain]);
	for (uint32_t i = 0; i < def->tag_count; i++)
		text_element(out, "tag", def->tags[i]);
	if (def->stickiness == STICKINESS_INFINITE)
		text_element(out, "stickiness", "infinite");
	else if (def->stickiness > 0)
		number_element(out, "stickiness", def->stickiness, "");
	tag_close(out, "vm");
}

static void up_number(struct out *out, const char *what, uint32_t number, const char *unit)
{
	char digits[21];

	put(out, " up=\"");
	put(out, what);
	put(out, number_text(number, digits));
	put(out, unit);
	put(out, "\"");
}

static void up_put(struct out *out, const struct rule_def *def)
{
	switch ((enum rule_up)def->up) {
	case UP_RUNNING:
		attribute(out, "up", "running");
		break;
	case UP_AGENT:
		attribute(out, "up", "guest-agent");
		break;
	case UP_TCP:
		up_number(out, "tcp:", def->up_value, "");
		break;
	case UP_DELAY:
		up_number(out, "delay:", def->up_value, "s");
		break;
	case RULE_UP_COUNT:
		break;
	}
}

static void rule_put(struct out *out, const struct rule_def *def)
{
	bool ordered = def->kind == RULE_ORDER || def->kind == RULE_ANY_FIRST;

	tag_start(out, "rule");
	attribute(out, "name", def->name);
	attribute(out, "kind", rule_kind_words[def->kind]);
	attribute(out, "strict", yes_no_words[def->strict]);
	if (!def->strict)
		attribute_number(out, "weight", def->weight, "");
	if (!def->enabled)
		attribute(out, "enabled", "no");
	if (ordered)
		up_put(out, def);
	if (def->kind == RULE_ORDER)
		attribute(out, "symmetric", yes_no_words[def->symmetric]);
	if (def->kind == RULE_ONE_AT_A_TIME)
		attribute_number(out, "at-once", def->at_once, "");
	if (def->attribute[0])
		attribute(out, "attribute", def->attribute);
	tag_open(out);
	for (uint32_t i = 0; i < def->member_count; i++) {
		const struct rule_member *member = &def->members[i];

		tag_start(out, rule_role_words[member->role]);
		attribute(out, member->tag ? "tag" : "name", member->name);
		tag_end(out);
	}
	tag_close(out, "rule");
}

static void attribute_clock(struct out *out, const char *name, uint32_t minutes)
{
	char text[6] = { (char)('0' + minutes / 600),	  (char)('0' + minutes / 60 % 10), ':',
			 (char)('0' + minutes % 60 / 10), (char)('0' + minutes % 10),	   0 };

	attribute(out, name, text);
}

static void policy_put(struct out *out, const struct pro_def *def)
{
	tag_start(out, "policy");
	attribute(out, "name", def->name);
	attribute(out, "mode", pro_mode_words[def->mode]);
	attribute(out, "severity", pro_severity_words[def->severity]);
	attribute(out, "enabled", yes_no_words[def->enabled]);
	tag_open(out);
	tag_start(out, "condition");
	attribute(out, "of", pro_subject_words[def->subject]);
	attribute(out, "measure", pro_measure_words[def->measure]);
	attribute_number(out, def->below ? "at-most" : "at-least", def->threshold, "");
	if (def->clear != def->threshold)
		attribute_number(out, "clear", def->clear, "");
	if (def->rate > 0)
		attribute_number(out, "rate", def->rate, "");
	attribute_number(out, "hold", def->hold_s, "s");
	tag_end(out);
	tag_start(out, "action");
	attribute(out, "do", pro_action_words[def->action]);
	if (def->action == PRO_SCRIPT) {
		attribute(out, "script", def->script);
		attribute_number(out, "limit", def->script_limit_s, "s");
	}
	tag_end(out);
	if (def->mode == PRO_WINDOW) {
		tag_start(out, "window");
		attribute_clock(out, "from", def->from_min);
		attribute_clock(out, "to", def->to_min);
		tag_end(out);
	}
	tag_start(out, "limits");
	attribute_number(out, "min-gain", def->min_gain, "");
	attribute_number(out, "rest", def->rest_s, "s");
	attribute_number(out, "budget", def->budget, "");
	attribute_number(out, "at-once", def->at_once, "");
	attribute_number(out, "moves", def->moves, "");
	attribute_number(out, "expires", def->expires_s, "s");
	tag_end(out);
	tag_close(out, "policy");
}

size_t definition_write_policy(const struct pro_def *def, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	policy_put(&out, def);
	return out_end(&out);
}

size_t definition_write_rule(const struct rule_def *def, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	rule_put(&out, def);
	return out_end(&out);
}

size_t definition_write_cluster(const struct cluster_def *def, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	cluster_put(&out, def);
	return out_end(&out);
}

size_t definition_write_node(const struct node_def *def, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	node_put(&out, def);
	return out_end(&out);
}

size_t definition_write_volume(const struct volume_def *def, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	volume_put(&out, def);
	return out_end(&out);
}

size_t definition_write_vm(const struct cluster *cluster, const struct vm *vm, char *buf,
			   size_t size)
{
	struct out out = { .buf = buf, .size = size };

	vm_put(&out, cluster, vm);
	return out_end(&out);
}

size_t definition_write_all(const struct cluster *cluster, char *buf, size_t size)
{
	struct out out = { .buf = buf, .size = size };

	tag_start(&out, "clusterd");
	tag_open(&out);
	// Before its first definition a cluster has no name, and nothing else of it was said.
	if (cluster->def.name[0])
		cluster_put(&out, &cluster->def);
	for (uint32_t i = 0; i < NODES_MAX; i++)
		if (cluster->nodes[i].used)
			node_put(&out, &cluster->nodes[i].def);
	for (uint32_t i = 0; i < VOLUMES_MAX; i++)
		if (cluster->volumes[i].used)
			volume_put(&out, &cluster->volumes[i].def);
	for (uint32_t i = 0; i < cluster->vm_high; i++)
		if (cluster->vms[i].used)
			vm_put(&out, cluster, &cluster->vms[i]);
	for (uint32_t i = 0; i < RULES_MAX; i++)
		if (cluster->rules[i].used)
			rule_put(&out, &cluster->rules[i].def);
	for (uint32_t i = 0; i < POLICIES_MAX; i++)
		if (cluster->policies[i].used)
			policy_put(&out, &cluster->policies[i].def);
	tag_close(&out, "clusterd");
	return out_end(&out);
}
