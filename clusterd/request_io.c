// SPDX-License-Identifier: Apache-2.0
#include "clusterd/request_internal_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EVENTS_MAX = 1000 };

struct answer answer_error(const char *code, const char *reason, const char *fix)
{
	struct answer answer = { .error = json_object() };

	json_object_set_new(answer.error, "code", text_json(code));
	json_object_set_new(answer.error, "reason", text_json(reason));
	json_object_set_new(answer.error, "fix", text_json(fix));
	return answer;
}

struct answer answer_result(json_t *result)
{
	struct answer answer = { .result = result };

	return result ? answer : answer_error("no-memory", "the daemon has no memory left", "");
}

json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *copy;

	if (json)
		return json;
	copy = strdup(text);
	for (char *c = copy; c && *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	json = copy ? json_string(copy) : json_null();
	free(copy);
	return json;
}

const char *member_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

bool member_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void request_reply(struct request *request, uint64_t client, struct answer answer)
{
	json_t *whole = json_object();
	char *text;

	if (answer.result)
		json_object_set_new(whole, "result", answer.result);
	else
		json_object_set_new(whole, "error", answer.error);
	text = json_dumps(whole, JSON_COMPACT);
	json_decref(whole);
	if (!text)
		text = strdup("{\"error\":{\"code\":\"no-memory\",\"reason\":\"the daemon has no "
			      "memory left\",\"fix\":\"\"}}");
	if (text)
		request->options.reply(request->options.context, client, text, strlen(text));
}

static struct pending *pending_new(struct request *request, uint64_t client, json_t *result)
{
	for (unsigned int i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &request->pending[i];

		if (pending->used)
			continue;
		*pending = (struct pending){
			.used = true,
			.cookie = ++request->next_cookie,
			.client = client,
			.result = result,
		};
		return pending;
	}
	json_decref(result);
	return NULL;
}

static struct answer answer_busy(void)
{
	return answer_error("busy", "too many requests are under way", "try again");
}

/* Changes. */

struct answer request_propose(struct request *request, uint64_t client, struct entry *entry,
			      json_t *result)
{
	size_t room = 4096 + entry->body_size;
	uint8_t *bytes = malloc(room);
	struct event event = { .type = EVENT_REQUEST };
	const struct pending *pending;

	entry->at_ms = wall_ms();
	entry->from = view_self(node_view(request->options.node));
	event.body = bytes;
	event.body_size = bytes ? entry_encode(entry, bytes, room) : 0;
	if (event.body_size == 0 || event.body_size > ENTRY_SIZE_MAX) {
		free(bytes);
		json_decref(result);
		return answer_error("too-big", "the change does not fit into one entry of the log",
				    "apply it in several parts");
	}
	pending = pending_new(request, client, result);
	if (pending) {
		event.cookie = pending->cookie;
		edge_post(&request->options.edge, &event);
	}
	free(bytes);
	return pending ? (struct answer){ .result = NULL } : answer_busy();
}

struct answer request_named(struct request *request, uint64_t client, struct entry *entry,
			    const json_t *ask)
{
	const char *name = member_text(ask, "name");
	json_t *result;

	if (!name || !*name || strlen(name) >= sizeof(entry->name))
		return answer_error("malformed", "the request names nothing", "");
	strcpy(entry->name, name);
	result = json_object();
	json_object_set_new(result, "name", text_json(name));
	return request_propose(request, client, entry, result);
}

static struct answer change_vm_want(struct request *request, uint64_t client, const json_t *ask,
				    enum vm_wanted wanted)
{
	struct entry entry = { .type = ENTRY_VM_WANT, .wanted = (uint8_t)wanted };

	entry.flag = member_flag(ask, "force");
	return request_named(request, client, &entry, ask);
}

static struct answer change_vm_start(struct request *request, uint64_t client, const json_t *ask)
{
	return change_vm_want(request, client, ask, VM_WANTED_RUNNING);
}

static struct answer change_vm_stop(struct request *request, uint64_t client, const json_t *ask)
{
	return change_vm_want(request, client, ask, VM_WANTED_STOPPED);
}

static struct answer change_vm_disable(struct request *request, uint64_t client, const json_t *ask)
{
	return change_vm_want(request, client, ask, VM_WANTED_DISABLED);
}

static struct answer change_flag(struct request *request, uint64_t client, const json_t *ask,
				 enum entry_type type, bool flag)
{
	struct entry entry = { .type = (uint8_t)type, .flag = flag };

	return request_named(request, client, &entry, ask);
}

static struct answer change_vm_manage(struct request *request, uint64_t client, const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_VM_MANAGE, true);
}

static struct answer change_vm_unmanage(struct request *request, uint64_t client, const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_VM_MANAGE, false);
}

static struct answer change_vm_clear(struct request *request, uint64_t client, const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_VM_CLEAR, false);
}

static struct answer change_node_manage(struct request *request, uint64_t client, const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_NODE_MANAGE, true);
}

static struct answer change_node_unmanage(struct request *request, uint64_t client,
					  const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_NODE_MANAGE, false);
}

static struct answer change_node_fence(struct request *request, uint64_t client, const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_NODE_FENCE, false);
}

static struct answer change_node_confirm_dead(struct request *request, uint64_t client,
					      const json_t *ask)
{
	return change_flag(request, client, ask, ENTRY_NODE_CONFIRM_DEAD, false);
}

static struct answer change_remove(struct request *request, uint64_t client, const json_t *ask)
{
	const char *kind = member_text(ask, "kind");
	struct entry entry = { .type = ENTRY_REMOVE };

	if (kind && strcmp(kind, "vm") == 0)
		entry.object = OBJECT_VM;
	else if (kind && strcmp(kind, "node") == 0)
		entry.object = OBJECT_NODE;
	else if (kind && strcmp(kind, "volume") == 0)
		entry.object = OBJECT_VOLUME;
	else if (kind && strcmp(kind, "rule") == 0)
		entry.object = OBJECT_RULE;
	else if (kind && strcmp(kind, "policy") == 0)
		entry.object = OBJECT_POLICY;
	else
		return answer_error("malformed",
				    "kinds of objects are vm, node, volume, rule and policy", "");
	return request_named(request, client, &entry, ask);
}

static struct answer change_recover(struct request *request, uint64_t client, const json_t *ask)
{
	struct event event = { .type = EVENT_RECOVER };
	const struct pending *pending;

	(void)ask;
	pending = pending_new(request, client, json_object());
	if (!pending)
		return answer_busy();
	event.cookie = pending->cookie;
	edge_post(&request->options.edge, &event);
	return (struct answer){ .result = NULL };
}

static struct answer answer_refused(const struct entry_result *result)
{
	return answer_error(result->code[0] ? result->code : "refused", result->reason,
			    result->fix);
}

// Names what would be stopped: an administrator who sends a whole document may not have meant it.
static struct answer answer_would_stop(const json_t *stops)
{
	char reason[REASON_SIZE] = "these VMs run and would be stopped:";
	const json_t *name;
	size_t i, used = strlen(reason);

	json_array_foreach(stops, i, name)
	{
		const char *text = json_string_value(name);

		if (used + strlen(text) + 6 > sizeof(reason)) {
			strcpy(reason + used, " ...");
			break;
		}
		reason[used++] = ' ';
		strcpy(reason + used, text);
		used += strlen(text);
	}
	return answer_error("would-stop", reason,
			    "repeat it with --force, or leave out `wanted`, which keeps what is");
}

static struct answer answer_contradiction(const json_t *conflicts)
{
	const json_t *first = json_array_get(conflicts, 0);
	struct answer answer = answer_error("contradiction", member_text(first, "reason"),
					    member_text(first, "fix"));

	json_object_set(answer.error, "conflicts", (json_t *)(uintptr_t)conflicts);
	return answer;
}

// The rules that stand in a contradiction with another one, or with themselves.
static json_t *contradicting_rules(const json_t *conflicts)
{
	json_t *names = json_array();
	const json_t *conflict, *name;
	size_t i, k;

	json_array_foreach(conflicts, i, conflict)
		json_array_foreach(json_object_get(conflict, "rules"), k, name)
			json_array_append(names, (json_t *)(uintptr_t)name);
	return names;
}

// With --force contradictory rules are kept, disabled, and named.
static uint8_t *apply_without(struct request *request, const json_t *ask, struct entry *entry,
			      struct trial *trial, struct answer *answer, json_t **summary)
{
	json_t *names = contradicting_rules(trial->conflicts);
	uint8_t *body = apply_body(request, ask, names, &entry->body_size, answer, summary);

	if (body) {
		json_object_set(*summary, "disabled", names);
		entry->body = body;
		trial_close(trial);
		if (!trial_run(request, entry, trial))
			*answer = answer_refused(&trial->result);
	}
	json_decref(names);
	return body;
}

static bool capacity_is_strict(const struct request *request)
{
	return node_cluster(request->options.node)->def.policies.failures_strict;
}

static struct answer answer_capacity(const json_t *capacity)
{
	const json_t *node = json_array_get(json_object_get(capacity, "nodes"), 0);
	char reason[2 * REASON_SIZE];
	struct answer answer;

	snprintf(reason, sizeof(reason), "if %s failed, %s would have no home: %s",
		 json_string_value(node), member_text(capacity, "vm"),
		 member_text(capacity, "reason"));
	answer = answer_error("capacity", reason, member_text(capacity, "fix"));
	json_object_set(answer.error, "capacity", (json_t *)(uintptr_t)capacity);
	return answer;
}

static struct answer change_apply(struct request *request, uint64_t client, const json_t *ask)
{
	struct entry entry = { .type = ENTRY_APPLY };
	struct answer answer = { .result = NULL };
	json_t *summary = NULL;
	struct trial trial;
	uint8_t *body = apply_body(request, ask, NULL, &entry.body_size, &answer, &summary);
	bool dry = member_flag(ask, "dry_run"), force = member_flag(ask, "force");

	if (!body)
		return answer;
	entry.body = body;
	if (!trial_run(request, &entry, &trial)) {
		answer = answer_refused(&trial.result);
	} else if (json_array_size(trial.conflicts) > 0 && force) {
		json_decref(summary);
		summary = NULL;
		free(body);
		body = apply_without(request, ask, &entry, &trial, &answer, &summary);
	} else if (json_array_size(trial.conflicts) > 0) {
		answer = answer_contradiction(trial.conflicts);
	} else if (trial.capacity && !force && capacity_is_strict(request)) {
		answer = answer_capacity(trial.capacity);
	} else if (json_array_size(trial.stops) > 0 && !force && !dry) {
		answer = answer_would_stop(trial.stops);
	}
	if (summary) {
		json_object_set(summary, "stops", trial.stops ? trial.stops : json_null());
		json_object_set(summary, "warnings", trial.warnings);
		if (trial.capacity)
			json_object_set(summary, "capacity", trial.capacity);
		json_object_set_new(summary, "dry_run", json_boolean(dry));
	}
	trial_close(&trial);
	if (answer.error)
		json_decref(summary);
	else if (dry)
		answer = answer_result(summary);
	else
		answer = request_propose(request, client, &entry, summary);
	free(body);
	return answer;
}

/* The event log. */

static const char *level_word(uint8_t level)
{
	switch ((enum log_level)level) {
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_ERROR:
		return "error";
	}
	return "info";
}

static struct pending *pending_find(struct request *request, uint64_t cookie)
{
	for (unsigned int i = 0; i < PENDING_MAX; i++) {
		if (request->pending[i].used && request->pending[i].cookie == cookie)
			return &request->pending[i];
	}
	return NULL;
}

static void pending_answer(struct request *request, struct pending *pending, struct answer answer)
{
	uint64_t client = pending->client;

	pending->used = false;
	request_reply(request, client, answer);
}

static void events_read(void *data, uint64_t cookie, const struct store_line *lines, uint32_t count,
			int error)
{
	struct request *request = data;
	struct pending *pending = pending_find(request, cookie);
	json_t *result, *events;

	if (!pending)
		return;
	json_decref(pending->result);
	pending->result = NULL;
	if (error) {
		pending_answer(request, pending,
			       answer_error("store", "the event log cannot be read",
					    "see the daemon's log"));
		return;
	}
	result = json_object();
	events = json_array();
	for (uint32_t i = 0; i < count; i++) {
		json_t *line = json_object();

		json_object_set_new(line, "id", json_integer((json_int_t)lines[i].id));
		json_object_set_new(line, "at_ms", json_integer((json_int_t)lines[i].wall_ms));
		json_object_set_new(line, "level", json_string(level_word(lines[i].level)));
		json_object_set_new(line, "text", text_json(lines[i].text));
		json_array_append_new(events, line);
	}
	json_object_set_new(result, "events", events);
	pending_answer(request, pending, answer_result(result));
}

static struct answer show_events(struct request *request, uint64_t client, const json_t *ask)
{
	json_int_t after = json_integer_value(json_object_get(ask, "after"));
	json_int_t since_ms = json_integer_value(json_object_get(ask, "since_ms"));
	struct pending *pending;
	int rc;

	if (after < 0 || since_ms < 0)
		return answer_error("malformed", "events are counted from 0", "");
	pending = pending_new(request, client, NULL);
	if (!pending)
		return answer_busy();
	rc = request->options.lines_read(request->options.context, (uint64_t)after,
					 (uint64_t)since_ms, EVENTS_MAX, pending->cookie,
					 events_read, request);
	if (rc == 0)
		return (struct answer){ .result = NULL };
	pending->used = false;
	return answer_error("store", "the event log cannot be read", "see the daemon's log");
}

/* The table of verbs. */

struct verb {
	const char *name;
	struct answer (*show)(struct request *request, const json_t *ask);
	struct answer (*change)(struct request *request, uint64_t client, const json_t *ask);
};

static const struct verb verbs[] = {
	{ "status", show_status, NULL },
	{ "top", show_top, NULL },
	{ "vm list", show_vm_list, NULL },
	{ "vm show", show_vm, NULL },
	{ "vm explain", show_vm_explain, NULL },
	{ "vm preflight", show_vm_preflight, NULL },
	{ "vm start", NULL, change_vm_start },
	{ "vm stop", NULL, change_vm_stop },
	{ "vm disable", NULL, change_vm_disable },
	{ "vm manage", NULL, change_vm_manage },
	{ "vm unmanage", NULL, change_vm_unmanage },
	{ "vm clear", NULL, change_vm_clear },
	{ "vm migrate", NULL, change_vm_migrate },
	{ "vm cancel", NULL, change_vm_cancel },
	{ "vm save", NULL, change_vm_save },
	{ "vm restore", NULL, change_vm_restore },
	{ "moves", show_moves, NULL },
	{ "policy list", show_policy_list, NULL },
	{ "policy show", show_policy, NULL },
	{ "policy enable", NULL, change_policy_enable },
	{ "policy disable", NULL, change_policy_disable },
	{ "policy run", NULL, change_policy_run },
	{ "tips list", show_tips_list, NULL },
	{ "tips show", show_tip, NULL },
	{ "tips accept", NULL, change_tip_accept },
	{ "tips dismiss", NULL, change_tip_dismiss },
	{ "balance", NULL, change_balance },
	{ "balance show", show_balance, NULL },
	{ "balance plan", show_balance_plan, NULL },
	{ "node maintenance", NULL, change_node_maintenance },
	{ "node maintenance status", show_node_maintenance, NULL },
	{ "node list", show_node_list, NULL },
	{ "node show", show_node, NULL },
	{ "node manage", NULL, change_node_manage },
	{ "node unmanage", NULL, change_node_unmanage },
	{ "node fence", NULL, change_node_fence },
	{ "node confirm-dead", NULL, change_node_confirm_dead },
	{ "volume list", show_volume_list, NULL },
	{ "volume show", show_volume, NULL },
	{ "quorum", show_quorum, NULL },
	{ "capacity", show_capacity, NULL },
	{ "events", NULL, show_events },
	{ "dump", show_dump, NULL },
	{ "apply", NULL, change_apply },
	{ "remove", NULL, change_remove },
	{ "recover", NULL, change_recover },
};

static struct answer request_answer(struct request *request, uint64_t client, const json_t *ask)
{
	const char *name = member_text(ask, "verb");

	if (!name)
		return answer_error("malformed", "a request is an object with a verb", "");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) != 0)
			continue;
		return verbs[i].show ? verbs[i].show(request, ask)
				     : verbs[i].change(request, client, ask);
	}
	return answer_error("unknown-verb", "this daemon does not know the request",
			    "use a clustadm of the daemon's version");
}

void request_handle(struct request *request, uint64_t client, const char *text, size_t size)
{
	json_t *ask = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	struct answer answer;

	if (ask)
		answer = request_answer(request, client, ask);
	else
		answer = answer_error("malformed", "the request is not JSON", "");
	json_decref(ask);
	if (answer.result || answer.error)
		request_reply(request, client, answer);
}

void request_answered(struct request *request, uint64_t cookie, const struct entry_result *result)
{
	struct pending *pending = pending_find(request, cookie);
	struct answer answer;

	if (!pending)
		return;
	answer.result = pending->result;
	answer.error = NULL;
	pending->result = NULL;
	if (!result->accepted) {
		json_decref(answer.result);
		answer = answer_refused(result);
	} else if (result->reason[0]) {
		json_object_set_new(answer.result, "note", text_json(result->reason));
	}
	pending_answer(request, pending, answer);
}

void request_client_gone(struct request *request, uint64_t client)
{
	for (unsigned int i = 0; i < PENDING_MAX; i++) {
		if (!request->pending[i].used || request->pending[i].client != client)
			continue;
		json_decref(request->pending[i].result);
		request->pending[i].result = NULL;
		request->pending[i].used = false;
	}
}

int request_open(struct request **out, const struct request_options *options)
{
	struct request *request = calloc(1, sizeof(*request));

	*out = request;
	if (!request)
		return -ENOMEM;
	request->options = *options;
	request->options.schema_path = request->schema_path;
	snprintf(request->schema_path, sizeof(request->schema_path), "%s",
		 options->schema_path ? options->schema_path : "");
	return 0;
}

void request_close(struct request *request)
{
	if (!request)
		return;
	for (unsigned int i = 0; i < PENDING_MAX; i++) {
		if (request->pending[i].used)
			json_decref(request->pending[i].result);
	}
	json_decref(request->proven.json);
	free(request);
}
