// SPDX-License-Identifier: Apache-2.0
// The commands about moves and maintenance.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/clustadm_wait_io.h"
#include "migration/progress_io.h"

static const char *kind_words(const char *kind)
{
	if (strcmp(kind, "live") == 0)
		return "live migration";
	if (strcmp(kind, "quick") == 0)
		return "quick migration";
	if (strcmp(kind, "cold") == 0)
		return "cold move";
	return strcmp(kind, "save") == 0 ? "saving" : "move";
}

static void add(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add(char *line, size_t size, const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, size - used, format, args);
	va_end(args);
}

static void add_numbers(char *line, size_t size, const json_t *fact)
{
	if (json_number(fact, "pause_us") > 0)
		add(line, size, ", paused for %lld ms",
		    (json_number(fact, "pause_us") + 500) / 1000);
	if (json_number(fact, "bytes") > 0)
		add(line, size, ", %lld MiB", json_number(fact, "bytes") >> 20);
}

// What was expected before it began.
static void add_forecast(char *line, size_t size, const json_t *forecast)
{
	long long total_ms = json_number(forecast, "total_ms");
	long long pause_us = json_number(forecast, "pause_us");

	if (total_ms <= 0)
		return;
	add(line, size, " (forecast: %lld.%lld s", total_ms / 1000, total_ms % 1000 / 100);
	if (pause_us > 0)
		add(line, size, ", %lld ms of pause", (pause_us + 500) / 1000);
	add(line, size, ")");
}

// "web: live migration from n1 to n3: transfer"; a past one: its outcome, and what it took.
static void move_line(const json_t *move, char *line, size_t size)
{
	const char *to = json_word(move, "to"), *reason = json_word(move, "reason");
	const char *outcome = json_word(move, "outcome");
	long long took_ms = json_number(move, "ended_ms") - json_number(move, "began_ms");

	snprintf(line, size, "%s: %s from %s%s%s: %s", json_word(move, "vm"),
		 kind_words(json_word(move, "kind")), json_word(move, "from"), *to ? " to " : "",
		 to, *outcome ? outcome : json_word(move, "stage"));
	if (*outcome && took_ms > 0)
		add(line, size, " after %lld.%lld s", took_ms / 1000, took_ms % 1000 / 100);
	if (*outcome)
		add_numbers(line, size, json_object_get(move, "fact"));
	add_forecast(line, size, json_object_get(move, "forecast"));
	if (*reason)
		add(line, size, ": %s", reason);
}

static const json_t *last_of(const json_t *list)
{
	size_t count = json_array_size(list);

	return count ? json_array_get(list, count - 1) : NULL;
}

// `attempt_before` is the last move that had ended before.
static enum outcome judge_move(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const json_t *going = last_of(json_object_get(now, "moves"));
	const json_t *past = last_of(json_object_get(now, "past"));
	const char *outcome = past ? json_word(past, "outcome") : "";
	bool cancel = wait->cancels;

	if (going) {
		move_line(going, line, size);
		return OUTCOME_MORE;
	}
	if (!past || json_number(past, "id") <= wait->attempt_before) {
		snprintf(line, size, "%s: it is not known what became of its move", wait->name);
		return OUTCOME_FAILED;
	}
	move_line(past, line, size);
	if (strcmp(outcome, "cancelled") == 0 || strcmp(outcome, "stayed") == 0)
		return cancel ? OUTCOME_DONE : OUTCOME_FAILED;
	return strcmp(outcome, "done") == 0 || strcmp(outcome, "saved") == 0 ? OUTCOME_DONE
									     : OUTCOME_FAILED;
}

static void move_detail(const json_t *now, char *text, size_t size)
{
	progress_text(json_object_get(last_of(json_object_get(now, "moves")), "now"), text, size);
}

static long long last_id(struct session *session, const char *name, enum exit_status *status)
{
	const json_t *past;
	long long id;
	json_t *now;

	*status = session_ask(session, ask_new("moves", name), &now);
	if (*status != EXIT_DONE)
		return 0;
	past = last_of(json_object_get(now, "past"));
	id = past ? json_number(past, "id") : 0;
	json_decref(now);
	return id;
}

static json_t *move_ask(const struct invocation *invocation)
{
	static const struct {
		enum option_id option;
		const char *kind;
	} kinds[] = { { OPTION_LIVE, "live" }, { OPTION_QUICK, "quick" }, { OPTION_COLD, "cold" } };
	json_t *ask;
	char verb[32];

	snprintf(verb, sizeof(verb), "vm %s", commands[invocation->id].verb);
	ask = ask_new(verb, invocation->argv[0]);
	if (invocation_has(invocation, OPTION_TO))
		json_object_set_new(ask, "to", json_string(invocation->values[OPTION_TO]));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (invocation_has(invocation, kinds[i].option))
			json_object_set_new(ask, "kind", json_string(kinds[i].kind));
	return ask;
}

enum exit_status clustadm_vm_move(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	struct wait wait = { .show = "moves",
			     .name = invocation->argv[0],
			     .judge = judge_move,
			     .look = "clustadm moves",
			     .detail = move_detail };
	uint32_t kinds = invocation->options &
			 (1u << OPTION_LIVE | 1u << OPTION_QUICK | 1u << OPTION_COLD);
	enum exit_status status;
	json_t *result;
	char line[256];

	if ((kinds & (kinds - 1)) != 0)
		return session_fail(session, EXIT_USAGE, "usage",
				    "--live, --quick and --cold exclude each other",
				    "clustadm help vm migrate");
	wait.cancels = invocation->id == COMMAND_VM_CANCEL;
	wait.attempt_before = last_id(session, invocation->argv[0], &status);
	if (status != EXIT_DONE)
		return status;
	status = change(session, move_ask(invocation), &result);
	if (status != EXIT_DONE)
		return status;
	snprintf(line, sizeof(line), "%.64s %s", invocation->argv[0],
		 invocation->id == COMMAND_VM_CANCEL ? "goes back to where it was"
		 : invocation->id == COMMAND_VM_SAVE ? "will be saved"
						     : "will be moved");
	if (invocation_has(invocation, OPTION_NO_WAIT))
		change_print(session, result, line);
	else
		status = wait_for(session, &wait);
	json_decref(result);
	return status;
}

// "1.2 s, 31 ms"; "-" for what is not known.
static void cell_took(struct table *table, const json_t *numbers, long long total_ms)
{
	long long ms = json_number(numbers, "total_ms"), pause = json_number(numbers, "pause_us");

	ms = ms > 0 ? ms : total_ms;
	if (ms <= 0 && pause <= 0)
		table_add(table, "-");
	else if (pause <= 0)
		table_addf(table, "%lld.%lld s", ms / 1000, ms % 1000 / 100);
	else
		table_addf(table, "%lld.%lld s, pause %lld ms", ms / 1000, ms % 1000 / 100,
			   (pause + 500) / 1000);
}

static void table_move(struct table *table, const json_t *move, bool past)
{
	char at[32];

	moment_text(json_number(move, "began_ms"), at, sizeof(at));
	table_addf(table, "%lld", json_number(move, "id"));
	table_add(table, json_word(move, "vm"));
	table_add(table, json_word(move, "kind"));
	table_add(table, json_word(move, "from"));
	table_add(table, *json_word(move, "to") ? json_word(move, "to") : "-");
	table_add(table, json_word(move, past ? "outcome" : "stage"));
	table_add(table, at);
	cell_took(table, json_object_get(move, "forecast"), 0);
	cell_took(table, json_object_get(move, "fact"),
		  past ? json_number(move, "ended_ms") - json_number(move, "began_ms") : 0);
	table_add(table, json_word(move, "reason"));
}

enum exit_status clustadm_moves(struct session *session)
{
	static const char *const heads[] = { "ID",    "VM",	  "KIND", "FROM",   "TO", "STAGE",
					     "BEGAN", "FORECAST", "TOOK", "REASON", NULL };
	bool all = invocation_has(session->invocation, OPTION_ALL);
	enum exit_status status;
	const json_t *move;
	struct table table;
	json_t *result;
	size_t i;

	status = session_ask(session, ask_new("moves", NULL), &result);
	if (status != EXIT_DONE)
		return status;
	if (!all)
		json_object_del(result, "past");
	if (session->invocation->json) {
		session_json(session, result);
	} else if (json_array_size(json_object_get(result, "moves")) == 0 &&
		   json_array_size(json_object_get(result, "past")) == 0) {
		puts(all ? "Nothing has been moved." : "Nothing is being moved.");
	} else {
		table_init(&table, heads);
		json_array_foreach(json_object_get(result, "past"), i, move)
			table_move(&table, move, true);
		json_array_foreach(json_object_get(result, "moves"), i, move)
			table_move(&table, move, false);
		session_table(session, &table);
	}
	json_decref(result);
	return EXIT_DONE;
}

/* Maintenance. */

static void drain_line(const json_t *now, char *line, size_t size)
{
	const char *drain = json_word(now, "drain"), *reason = json_word(now, "reason");

	if (!json_flag(now, "maintenance"))
		snprintf(line, size, "%s: not in maintenance", json_word(now, "name"));
	else if (strcmp(drain, "drained") == 0)
		snprintf(line, size, "%s: drained", json_word(now, "name"));
	else
		snprintf(line, size, "%s: %s, VMs left: %lld%s%s", json_word(now, "name"), drain,
			 json_number(now, "left"), *reason ? ": " : "", reason);
}

static enum outcome judge_drain(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const char *drain = json_word(now, "drain");

	(void)wait;
	drain_line(now, line, size);
	if (!json_flag(now, "maintenance"))
		return OUTCOME_FAILED; // somebody ended it meanwhile
	if (strcmp(drain, "drained") == 0)
		return OUTCOME_DONE;
	return strcmp(drain, "stuck") == 0 || strcmp(drain, "paused") == 0 ? OUTCOME_FAILED
									   : OUTCOME_MORE;
}

static void print_plan(struct session *session, const json_t *result)
{
	static const char *const heads[] = { "VM", "METHOD", "TO", "MEMORY", "WHY", NULL };
	struct table table;
	const json_t *step;
	char line[400];
	size_t i;

	if (json_flag(result, "maintenance")) {
		drain_line(result, line, sizeof(line));
		puts(line);
	}
	if (json_array_size(json_object_get(result, "steps")) == 0) {
		puts("No VM runs there.");
		return;
	}
	table_init(&table, heads);
	json_array_foreach(json_object_get(result, "steps"), i, step)
	{
		const char *method = json_word(step, "method"), *fix = json_word(step, "fix");

		table_add(&table, json_word(step, "vm"));
		table_add(&table, *method ? method : json_word(step, "step"));
		table_add(&table, *json_word(step, "to") ? json_word(step, "to") : "-");
		table_addf(&table, "%lld", json_number(step, "memory_mib"));
		table_addf(&table, "%s%s%s", json_word(step, "reason"), *fix ? "; fix: " : "", fix);
	}
	session_table(session, &table);
}

static enum exit_status maintenance_show(struct session *session, const char *name)
{
	enum exit_status status;
	json_t *result;

	status = session_ask(session, ask_new("node maintenance status", name), &result);
	if (status != EXIT_DONE)
		return status;
	if (session->invocation->json)
		session_json(session, result);
	else
		print_plan(session, result);
	json_decref(result);
	return EXIT_DONE;
}

static bool add_until(const struct invocation *invocation, json_t *ask)
{
	struct timespec now;
	uint64_t ms;

	if (!invocation_has(invocation, OPTION_FOR))
		return true;
	if (!time_parse(invocation->values[OPTION_FOR], &ms) || ms == 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	ms += (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	json_object_set_new(ask, "until_ms", json_integer((json_int_t)ms));
	return true;
}

static const char *maintenance_words(const char *action)
{
	if (strcmp(action, "on") == 0)
		return "is being emptied";
	if (strcmp(action, "pause") == 0)
		return "begins no more moves";
	if (strcmp(action, "resume") == 0)
		return "is being emptied again";
	return "takes VMs again";
}

static bool maintenance_action(const char *word)
{
	static const char *const actions[] = { "on", "off", "status", "pause", "resume", "abort" };

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i], word) == 0)
			return true;
	}
	return false;
}

enum exit_status clustadm_maintenance(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	const char *name = invocation->argv[0];
	const char *action = invocation->argc > 1 ? invocation->argv[1] : "status";
	struct wait wait = { .show = "node maintenance status", .name = name,
			     .judge = judge_drain };
	char look[128];
	bool on = strcmp(action, "on") == 0, goes = on || strcmp(action, "resume") == 0;
	enum exit_status status;
	json_t *ask, *result;
	char line[256];

	if (!maintenance_action(action))
		return session_fail(session, EXIT_USAGE, "usage",
				    "what is to be done with the maintenance?",
				    "on, off, status, pause, resume or abort");
	if (strcmp(action, "status") == 0 || invocation_has(invocation, OPTION_DRY_RUN))
		return maintenance_show(session, name);
	snprintf(look, sizeof(look), "clustadm node maintenance %.64s status", name);
	wait.look = look;
	ask = ask_new("node maintenance", name);
	json_object_set_new(ask, "action", json_string(action));
	json_object_set_new(ask, "return",
			    json_boolean(invocation_has(invocation, OPTION_RETURN)));
	json_object_set_new(ask, "force", json_boolean(invocation_has(invocation, OPTION_FORCE)));
	json_object_set_new(ask, "shutdown",
			    json_boolean(invocation_has(invocation, OPTION_SHUTDOWN)));
	if (!add_until(invocation, ask) ||
	    (invocation_has(invocation, OPTION_RETURN) &&
	     invocation_has(invocation, OPTION_STAY))) {
		json_decref(ask);
		return session_fail(session, EXIT_USAGE, "usage",
				    "--for takes a time like 2h, and VMs stay or return, not both",
				    "clustadm help node maintenance");
	}
	status = change(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	snprintf(line, sizeof(line), "%.64s %s", name, maintenance_words(action));
	if (goes && !invocation_has(invocation, OPTION_NO_WAIT))
		status = wait_for(session, &wait);
	else
		change_print(session, result, line);
	json_decref(result);
	return status;
}
