// SPDX-License-Identifier: Apache-2.0
// `whatif`: the cluster's state, from the daemon or from a file, played on here.
#include <stdlib.h>
#include <string.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/fields.h"
#include "clusterd/whatif.h"
#include "migration/preflight_io.h"
#include "policies/balance_io.h"
#include "resources/definition_io.h"
#include "resources/definition_text.h"

enum { LIMIT_MAX = 1000000 };

// A state that was loaded, and the world that is played on from it.
struct inquiry {
	struct session *session;
	json_t *state;
	struct cluster_limits limits;
	uint8_t *snapshot;
	size_t size;
	uint32_t present[NODES_MAX], present_count;
	struct whatif before, whatif;
	void *memory[2];
	json_t *steps, *vms, *changes, *assumptions;
	struct whatif_quorum quorum;
	bool quorum_matters;
	const char *nowhere; // the fate of a VM that has no place
};

// ---- the state ----

static int digit_value(char digit)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = digit ? strchr(digits, digit) : NULL;

	return found ? (int)(found - digits) : -1;
}

// malloc'd, or NULL.
static uint8_t *base64_decode(const char *text, size_t *size)
{
	size_t length = strlen(text), used = 0;
	uint8_t *bytes = malloc(length / 4 * 3 + 3);

	*size = 0;
	for (size_t i = 0; bytes && i < length; i += 4) {
		uint32_t four = 0;
		unsigned int count = 0;

		for (unsigned int k = 0; k < 4 && i + k < length && text[i + k] != '='; k++) {
			int value = digit_value(text[i + k]);

			if (value < 0) {
				free(bytes);
				return NULL;
			}
			four |= (uint32_t)value << (18 - 6 * k);
			count++;
		}
		for (unsigned int k = 0; k + 1 < count; k++)
			bytes[used++] = (uint8_t)(four >> (16 - 8 * k));
	}
	*size = used;
	return bytes;
}

static enum exit_status state_read(struct inquiry *inquiry)
{
	struct session *session = inquiry->session;
	const char *path = session->invocation->values[OPTION_FROM];
	json_error_t error;
	char reason[512];
	json_t *ask;

	if (!invocation_has(session->invocation, OPTION_FROM)) {
		ask = ask_new("dump", NULL);
		json_object_set_new(ask, "state", json_true());
		return session_ask(session, ask, &inquiry->state);
	}
	inquiry->state = json_load_file(path, 0, &error);
	if (inquiry->state && json_number(inquiry->state, "clusterd_state") != 0)
		return EXIT_DONE;
	if (inquiry->state)
		snprintf(reason, sizeof(reason), "%.200s: it is not what `dump --state` makes",
			 path);
	else
		snprintf(reason, sizeof(reason), "%.200s: %.160s", path, error.text);
	return session_fail(session, EXIT_REFUSED, "no-state", reason,
			    "clustadm dump --state > DUMP");
}

static bool world_make(struct inquiry *inquiry, struct whatif *whatif, void **memory)
{
	*memory = calloc(1, whatif_memory(&inquiry->limits));
	return *memory && whatif_init(whatif, &inquiry->limits, *memory, inquiry->snapshot,
				      inquiry->size, inquiry->present, inquiry->present_count);
}

static bool state_decode(struct inquiry *inquiry)
{
	const json_t *state = inquiry->state, *id;
	long long vms = json_number(state, "vms_max"),
		  slots = json_number(state, "lease_slots_max");
	size_t i;

	if (json_number(state, "clusterd_state") != 1 || vms <= 0 || vms > LIMIT_MAX ||
	    slots <= 0 || slots > LIMIT_MAX)
		return false;
	inquiry->limits = (struct cluster_limits){ .vms_max = (uint32_t)vms,
						   .lease_slots_max = (uint32_t)slots };
	json_array_foreach(json_object_get(state, "present"), i, id)
	{
		if (i < NODES_MAX)
			inquiry->present[inquiry->present_count++] =
				(uint32_t)json_integer_value(id);
	}
	inquiry->snapshot = base64_decode(json_word(state, "snapshot"), &inquiry->size);
	return inquiry->snapshot && world_make(inquiry, &inquiry->before, &inquiry->memory[0]) &&
	       world_make(inquiry, &inquiry->whatif, &inquiry->memory[1]);
}

static enum exit_status state_load(struct inquiry *inquiry)
{
	enum exit_status status = state_read(inquiry);
	const char *version;
	char reason[256];

	if (status != EXIT_DONE)
		return status;
	if (!state_decode(inquiry)) {
		version = json_word(inquiry->state, "version");
		snprintf(reason, sizeof(reason),
			 "the state cannot be understood: %sclusterd %.40s made it, and this is "
			 "clustadm %s",
			 strcmp(version, CLUSTERD_VERSION) == 0 ? "another build of " : "", version,
			 CLUSTERD_VERSION);
		return session_fail(inquiry->session, EXIT_REFUSED, "other-version", reason,
				    "use the clustadm of that version");
	}
	if (json_flag(inquiry->state, "quorate"))
		return EXIT_DONE;
	return session_fail(inquiry->session, EXIT_REFUSED, "no-quorum",
			    "the node that was asked had no quorum: what it knows may be old, and "
			    "nothing would be moved",
			    "ask a node that has quorum");
}

// ---- what is said ----

static const char *name_of(const struct whatif *whatif, uint8_t slot)
{
	const struct cluster *cluster = whatif_cluster(whatif);

	return slot < NODES_MAX && cluster->nodes[slot].used ? cluster->nodes[slot].def.name : NULL;
}

static void add_step(void *context, const struct whatif_line *line)
{
	struct inquiry *inquiry = context;
	const struct whatif *whatif = &inquiry->whatif;
	const struct vm *vm = line->vm.serial ? cluster_vm(whatif_cluster(whatif), line->vm) : NULL;
	const char *name = vm ? vm_definition(whatif_cluster(whatif), vm)->name : "";
	json_t *step;

	if (line->step == WHATIF_EVENT)
		step = json_pack("{s:s}", "event", line->text);
	else
		step = json_pack("{s:s, s:s?, s:s?, s:s}", "vm", name, "from",
				 name_of(whatif, line->from), "to", name_of(whatif, line->to),
				 "reason", line->text);
	json_array_append_new(inquiry->steps, step);
}

static void add_outcomes(struct inquiry *inquiry)
{
	const struct cluster *cluster = whatif_cluster(&inquiry->whatif);

	for (uint32_t i = 0; i < cluster->vm_high; i++) {
		const struct vm *vm = &cluster->vms[i];
		struct whatif_outcome outcome;
		const char *fate;

		if (!vm->used)
			continue;
		whatif_outcome(&inquiry->whatif, vm, &outcome);
		if (outcome.fate == WHATIF_STAYS)
			continue;
		fate = outcome.fate == WHATIF_WAITS && inquiry->nowhere && outcome.from != SLOT_NONE
			       ? inquiry->nowhere
			       : whatif_fate_word(outcome.fate);
		json_array_append_new(
			inquiry->vms,
			json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s, s:s}", "name",
				  vm_definition(cluster, vm)->name, "fate", fate, "from",
				  name_of(&inquiry->whatif, outcome.from), "to",
				  outcome.fate == WHATIF_WAITS || outcome.fate == WHATIF_STOPS
					  ? NULL
					  : name_of(&inquiry->whatif, outcome.to),
				  "state", vm_state_word(outcome.state), "reason", outcome.reason,
				  "fix", outcome.fix));
	}
}

static void assume(struct inquiry *inquiry, const char *text)
{
	json_array_append_new(inquiry->assumptions, json_string(text));
}

static void print_steps(const struct inquiry *inquiry)
{
	const json_t *step;
	size_t i;

	json_array_foreach(inquiry->steps, i, step)
	{
		const char *from = json_word(step, "from"), *to = json_word(step, "to");
		const char *how = json_word(step, "reason");

		if (json_object_get(step, "event"))
			printf("%3zu. %s\n", i + 1, json_word(step, "event"));
		else if (*to)
			printf("%3zu. vm %s: %s%s%s%s%s%s\n", i + 1, json_word(step, "vm"), from,
			       *from ? " -> " : "to ", to, *how ? " (" : "", how,
			       *how ? ")" : "");
		else
			printf("%3zu. vm %s: given up: %s\n", i + 1, json_word(step, "vm"),
			       json_word(step, "reason"));
	}
	if (json_array_size(inquiry->steps) > 0)
		putchar('\n');
}

static void print_vms(const struct inquiry *inquiry)
{
	static const char *const heads[] = { "VM", "THEN", "FROM", "TO", "WHY", NULL };
	const json_t *vm;
	struct table table;
	size_t i;

	if (json_array_size(inquiry->vms) == 0) {
		puts("No VM is affected.");
		return;
	}
	table_init(&table, heads);
	json_array_foreach(inquiry->vms, i, vm)
	{
		const char *fix = json_word(vm, "fix"), *reason = json_word(vm, "reason");
		const char *from = json_word(vm, "from"), *to = json_word(vm, "to");

		table_add(&table, json_word(vm, "name"));
		table_add(&table, json_word(vm, "fate"));
		table_add(&table, *from ? from : NULL);
		table_add(&table, *to ? to : NULL);
		table_addf(&table, "%s%s%s", reason, *fix ? "; fix: " : "", fix);
	}
	session_table(inquiry->session, &table);
}

static void print_quorum(const struct inquiry *inquiry)
{
	const struct whatif_quorum *quorum = &inquiry->quorum;
	const struct cluster_def *def = &whatif_cluster(&inquiry->whatif)->def;

	if (!inquiry->quorum_matters)
		return;
	printf("quorum: %s; %u of %u voters' stores are left and %u are needed, %u of %u votes "
	       "and %u are needed\n",
	       quorum->enough ? "kept" : "LOST", quorum->stores, quorum->stores_all,
	       quorum->stores_needed, quorum->votes, quorum->votes_all, quorum->votes_needed);
	if (!quorum->enough && def->no_quorum < NO_QUORUM_COUNT)
		printf("The VMs of the nodes that are left run on; after %u s without quorum the "
		       "policy is: %s.\n",
		       def->no_quorum_hold_s, no_quorum_words[def->no_quorum]);
	putchar('\n');
}

static void print_changes(const struct inquiry *inquiry)
{
	const json_t *change;
	size_t i;

	json_array_foreach(inquiry->changes, i, change)
		printf("%s %s: %s\n", json_word(change, "kind"), json_word(change, "name"),
		       json_word(change, "change"));
	if (json_array_size(inquiry->changes) > 0)
		putchar('\n');
}

static json_t *quorum_json(const struct whatif_quorum *quorum)
{
	return json_pack("{s:b, s:i, s:i, s:i, s:i, s:i, s:i}", "kept", quorum->enough, "stores",
			 (int)quorum->stores, "stores_needed", (int)quorum->stores_needed,
			 "stores_all", (int)quorum->stores_all, "votes", (int)quorum->votes,
			 "votes_needed", (int)quorum->votes_needed, "votes_all",
			 (int)quorum->votes_all);
}

static void answer_print(struct inquiry *inquiry)
{
	const struct session *session = inquiry->session;
	const json_t *text;
	json_t *result;
	size_t i;

	if (session->invocation->json) {
		result = json_pack("{s:s, s:O, s:O, s:O, s:O, s:o}", "question",
				   commands[session->invocation->id].verb, "changes",
				   inquiry->changes, "steps", inquiry->steps, "vms", inquiry->vms,
				   "assumptions", inquiry->assumptions, "quorum",
				   inquiry->quorum_matters ? quorum_json(&inquiry->quorum)
							   : json_null());
		session_json(session, result);
		json_decref(result);
		return;
	}
	print_changes(inquiry);
	print_quorum(inquiry);
	if (!session->invocation->quiet)
		print_steps(inquiry);
	print_vms(inquiry);
	if (session->invocation->quiet)
		return;
	json_array_foreach(inquiry->assumptions, i, text)
		fprintf(stderr, "taken for granted: %s\n", json_string_value(text));
}

// ---- the questions ----

static enum exit_status no_such(struct inquiry *inquiry, const char *kind, const char *name)
{
	char reason[160], fix[64];

	snprintf(reason, sizeof(reason), "there is no %s %.64s", kind, name);
	snprintf(fix, sizeof(fix), "clustadm %s list shows the names", kind);
	return session_fail(inquiry->session, EXIT_REFUSED, "not-found", reason, fix);
}

static enum exit_status ask_loss(struct inquiry *inquiry)
{
	const struct invocation *invocation = inquiry->session->invocation;
	uint64_t slots = 0;

	for (int i = 0; i < invocation->argc; i++) {
		const struct cluster *cluster = whatif_cluster(&inquiry->whatif);
		const struct cluster_node *node = cluster_find_node(cluster, invocation->argv[i]);

		if (!node)
			return no_such(inquiry, "node", invocation->argv[i]);
		slots |= 1ull << node_slot(cluster, node);
	}
	inquiry->quorum = whatif_lose(&inquiry->whatif, slots);
	inquiry->quorum_matters = true;
	whatif_run(&inquiry->whatif);
	assume(inquiry, "every node has one vote in corosync");
	assume(inquiry, "a fence device that is asked switches the node off");
	if ((slots & (slots - 1)) != 0)
		assume(inquiry, "fences end in the order of the nodes; where one is quicker its "
				"VMs choose first");
	return EXIT_DONE;
}

static enum exit_status ask_maintenance(struct inquiry *inquiry)
{
	const char *name = inquiry->session->invocation->argv[0];
	const struct cluster *cluster = whatif_cluster(&inquiry->whatif);
	const struct cluster_node *node = cluster_find_node(cluster, name);

	if (!node)
		return no_such(inquiry, "node", name);
	inquiry->nowhere = "stuck";
	whatif_drain(&inquiry->whatif, node_slot(cluster, node));
	whatif_run(&inquiry->whatif);
	assume(inquiry, "VMs move one after another, in the order of their priority");
	return EXIT_DONE;
}

// ---- apply ----

static bool known(void *context, enum object_kind kind, const char *name)
{
	return cluster_defines(context, kind, name);
}

static void add_change(struct inquiry *inquiry, const char *kind, const char *name, bool was,
		       bool same)
{
	if (!was || !same)
		json_array_append_new(inquiry->changes,
				      json_pack("{s:s, s:s, s:s}", "kind", kind, "name", name,
						"change", was ? "changed" : "new"));
}

// Definitions are compared by their digests, and what an owner list says by the masks.
static void add_changes(struct inquiry *inquiry)
{
	const struct cluster *then = whatif_cluster(&inquiry->before);
	const struct cluster *now = whatif_cluster(&inquiry->whatif);
	struct fields a, b;

	for (uint32_t i = 0; i < NODES_MAX; i++) {
		const struct cluster_node *node = &now->nodes[i], *old;

		if (!node->used)
			continue;
		old = cluster_find_node(then, node->def.name);
		a = b = fields_hash();
		fields_node_def(&a, (struct node_def *)(uintptr_t)&node->def);
		if (old)
			fields_node_def(&b, (struct node_def *)(uintptr_t)&old->def);
		add_change(inquiry, "node", node->def.name, old,
			   fields_digest(&a) == fields_digest(&b));
	}
	for (uint32_t i = 0; i < VOLUMES_MAX; i++) {
		const struct cluster_volume *volume = &now->volumes[i], *old;

		if (!volume->used)
			continue;
		old = cluster_find_volume(then, volume->def.name);
		a = b = fields_hash();
		fields_volume_def(&a, (struct volume_def *)(uintptr_t)&volume->def);
		if (old)
			fields_volume_def(&b, (struct volume_def *)(uintptr_t)&old->def);
		add_change(inquiry, "volume", volume->def.name, old,
			   fields_digest(&a) == fields_digest(&b));
	}
	for (uint32_t i = 0; i < now->vm_high; i++) {
		const struct vm *vm = &now->vms[i], *old;
		bool same;

		if (!vm->used)
			continue;
		old = cluster_find_vm(then, now->defs[i].name);
		a = b = fields_hash();
		fields_vm_def(&a, &now->defs[i]);
		if (old)
			fields_vm_def(&b, &then->defs[old->ref.slot]);
		same = old && fields_digest(&a) == fields_digest(&b) && vm->wanted == old->wanted &&
		       vm->possible == old->possible &&
		       memcmp(vm->tiers, old->tiers, sizeof(vm->tiers)) == 0;
		add_change(inquiry, "vm", now->defs[i].name, old, same);
	}
}

static enum exit_status commit_definitions(struct inquiry *inquiry,
					   const struct definitions *definitions)
{
	struct uuid *uuids = calloc(definitions->vm_count + 1u, sizeof(*uuids));
	struct entry *entry = calloc(1, sizeof(*entry));
	uint8_t *body = malloc(ENTRY_SIZE_MAX);
	struct entry_result result = { .reason = "no memory, or too many documents at once" };

	// Nobody will see them: they only must differ from each other.
	for (uint32_t i = 0; uuids && i < definitions->vm_count; i++) {
		memset(uuids[i].bytes, 0xfe, sizeof(uuids[i].bytes));
		memcpy(uuids[i].bytes, &i, sizeof(i));
	}
	if (uuids && entry && body) {
		entry->type = ENTRY_APPLY;
		entry->body = body;
		entry->body_size =
			definitions_encode(definitions, uuids, body, ENTRY_SIZE_MAX - 256);
		if (entry->body_size > 0)
			whatif_commit(&inquiry->whatif, entry, &result);
	}
	free(body);
	free(entry);
	free(uuids);
	if (result.accepted)
		return EXIT_DONE;
	return session_fail(inquiry->session, EXIT_REFUSED,
			    result.code[0] ? result.code : "refused", result.reason, result.fix);
}

static enum exit_status report_mistakes(struct inquiry *inquiry,
					const struct definition_reader *reader)
{
	char line[512] = "the documents cannot be read";

	for (uint32_t i = reader->error_count; i-- > 0;) {
		definition_error_format(&reader->errors[i], line, sizeof(line));
		if (i > 0 && !inquiry->session->invocation->json)
			fprintf(stderr, "%s\n", line);
	}
	return session_fail(inquiry->session, EXIT_REFUSED, "invalid-definition", line,
			    "clustadm check FILE... shows every mistake");
}

static enum exit_status ask_apply(struct inquiry *inquiry)
{
	const struct invocation *invocation = inquiry->session->invocation;
	struct definition_reader *reader;
	enum exit_status status = session_reader_open(inquiry->session, &reader);

	if (status != EXIT_DONE)
		return status;
	reader->known = known;
	reader->known_context = (void *)(uintptr_t)whatif_cluster(&inquiry->whatif);
	for (int i = 0; i < invocation->argc; i++)
		definitions_read_file(reader, invocation->argv[i]);
	if (definitions_check(reader) != 0)
		status = report_mistakes(inquiry, reader);
	else
		status = commit_definitions(inquiry, &reader->definitions);
	definition_reader_close(reader);
	free(reader);
	if (status != EXIT_DONE)
		return status;
	add_changes(inquiry);
	whatif_run(&inquiry->whatif);
	assume(inquiry, "what is new works: volumes come online, leases are written, VMs start");
	return EXIT_DONE;
}

// ---- migrate ----

// The rows of `vm preflight`, and what placement goes by.
static json_t *target_json(const struct cluster *cluster, const struct preflight_load *load,
			   const struct vm *vm, uint8_t slot, const struct placement_node *row)
{
	json_t *target = preflight_json(cluster, load, vm, slot, MOVE_AUTO);
	bool good = strcmp(json_word(target, "verdict"), "fail") != 0;

	json_object_set_new(target, "feasible", json_boolean(good));
	json_object_set_new(target, "vms", json_integer((json_int_t)row->vms));
	json_object_set_new(target, "free_mib", json_integer((json_int_t)row->free_mib));
	return target;
}

// The best of the targets by the coordinator's own order.
static uint8_t best_target(struct inquiry *inquiry, const struct vm *vm,
			   const struct placement_load *load, uint64_t targets)
{
	struct cluster *cluster = (struct cluster *)(uintptr_t)whatif_cluster(&inquiry->whatif);
	bool was[NODES_MAX];
	uint8_t best;

	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		was[slot] = cluster->nodes[slot].maintenance;
		if (!(targets >> slot & 1))
			cluster->nodes[slot].maintenance = true;
	}
	best = placement_choose(cluster, load, vm);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++)
		cluster->nodes[slot].maintenance = was[slot];
	return best;
}

static void print_targets(const struct inquiry *inquiry, const json_t *result)
{
	preflight_table(inquiry->session, json_object_get(result, "nodes"),
			json_array_size(json_object_get(result, "nodes")) == 1);
	if (*json_word(result, "best"))
		printf("\n%s would go to %s.\n", json_word(result, "vm"),
		       json_word(result, "best"));
	else
		printf("\n%s has nowhere to go.\n", json_word(result, "vm"));
}

static enum exit_status ask_migrate(struct inquiry *inquiry)
{
	const struct invocation *invocation = inquiry->session->invocation;
	const struct cluster *cluster = whatif_cluster(&inquiry->whatif);
	const struct vm *vm = cluster_find_vm(cluster, invocation->argv[0]);
	const char *to = invocation->values[OPTION_TO];
	const struct cluster_node *only = to ? cluster_find_node(cluster, to) : NULL;
	json_t *nodes = json_array(), *result;
	struct preflight_load moves;
	struct placement_load load;
	struct placement_node row;
	uint64_t targets;
	uint8_t best;

	if (!vm || (to && !only)) {
		json_decref(nodes);
		return vm ? no_such(inquiry, "node", to)
			  : no_such(inquiry, "vm", invocation->argv[0]);
	}
	placement_load_init(&load, cluster, whatif_present(&inquiry->whatif));
	// How old certificates are is nothing that a dump could be asked.
	preflight_load_init(&moves, cluster, whatif_present(&inquiry->whatif), 0);
	targets = preflight_targets(cluster, &moves, vm, MOVE_AUTO);
	if (only)
		targets &= 1ull << node_slot(cluster, only);
	best = best_target(inquiry, vm, &load, targets);
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!cluster->nodes[slot].used || (only && only != &cluster->nodes[slot]))
			continue;
		placement_judge(cluster, &load, vm, slot, &row);
		json_array_append_new(nodes, target_json(cluster, &moves, vm, slot, &row));
	}
	result = json_pack("{s:s, s:s, s:s?, s:s?, s:o}", "question", "migrate", "vm",
			   invocation->argv[0], "from", name_of(&inquiry->whatif, vm->owner),
			   "best", name_of(&inquiry->whatif, best), "nodes", nodes);
	if (invocation->json)
		session_json(inquiry->session, result);
	else
		print_targets(inquiry, result);
	json_decref(result);
	return EXIT_DONE;
}

// What balancing would move, by what VMs are defined to have: a dump holds no measurements.
static enum exit_status ask_balance(struct inquiry *inquiry)
{
	const struct cluster *cluster = whatif_cluster(&inquiry->whatif);
	struct pro_def plain = pro_plain_balance();
	struct balance_options options = balance_options_of(&plain, true);
	void *memory = malloc(balance_memory(&cluster->limits));
	struct balance_plan *plan = calloc(1, sizeof(*plan));
	json_t *json = NULL;

	if (memory && plan) {
		balance_plan(cluster, whatif_present(&inquiry->whatif), &options, memory, plan);
		json = balance_json(cluster, plan, false, 0);
		json_object_set_new(json, "question", json_string("balance"));
		balance_print(inquiry->session, json);
	}
	json_decref(json);
	free(plan);
	free(memory);
	return json ? EXIT_DONE : EXIT_REFUSED;
}

// ---- the command ----

static enum exit_status ask(struct inquiry *inquiry)
{
	enum command_id id = inquiry->session->invocation->id;
	enum exit_status status = EXIT_USAGE;

	inquiry->whatif.say = add_step;
	inquiry->whatif.context = inquiry;
	if (id == COMMAND_WHATIF_MIGRATE)
		return ask_migrate(inquiry);
	if (id == COMMAND_WHATIF_BALANCE)
		return ask_balance(inquiry);
	if (id == COMMAND_WHATIF_NODE_LOSS)
		status = ask_loss(inquiry);
	else if (id == COMMAND_WHATIF_MAINTENANCE)
		status = ask_maintenance(inquiry);
	else if (id == COMMAND_WHATIF_APPLY)
		status = ask_apply(inquiry);
	if (status != EXIT_DONE)
		return status;
	add_outcomes(inquiry);
	answer_print(inquiry);
	return EXIT_DONE;
}

enum exit_status clustadm_whatif(struct session *session)
{
	struct inquiry inquiry = { .session = session };
	enum exit_status status;

	inquiry.steps = json_array();
	inquiry.vms = json_array();
	inquiry.changes = json_array();
	inquiry.assumptions = json_array();
	status = state_load(&inquiry);
	if (status == EXIT_DONE)
		status = ask(&inquiry);
	json_decref(inquiry.steps);
	json_decref(inquiry.vms);
	json_decref(inquiry.changes);
	json_decref(inquiry.assumptions);
	json_decref(inquiry.state);
	free(inquiry.snapshot);
	free(inquiry.memory[0]);
	free(inquiry.memory[1]);
	return status;
}
