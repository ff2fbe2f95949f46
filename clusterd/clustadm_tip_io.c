// SPDX-License-Identifier: Apache-2.0
// `policy` and `tips`: what policies there are and what they say, and the answers to them.
#include <string.h>
#include <time.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/clustadm_wait_io.h"

/* Policies. */

static const char *policy_mode(const json_t *policy)
{
	if (!json_flag(policy, "enabled"))
		return "disabled";
	return json_flag(policy, "suspended") ? "suspended" : json_word(policy, "mode");
}

static void condition_words(const json_t *row, char *text, size_t size)
{
	static const char *const health[] = { "", "yellow or red", "red" };
	const char *unit = json_word(row, "unit");
	long long threshold = json_number(row, "threshold");

	if (strcmp(json_word(row, "measure"), "health") == 0 && !json_flag(row, "at_most") &&
	    threshold >= 1 && threshold <= 2) {
		snprintf(text, size, "%s health is %s for %llds", json_word(row, "of"),
			 health[threshold], json_number(row, "hold_s"));
		return;
	}
	snprintf(text, size, "%s %s at %s %lld%s%s for %llds", json_word(row, "of"),
		 json_word(row, "measure"), json_flag(row, "at_most") ? "most" : "least",
		 json_number(row, "threshold"), strlen(unit) > 1 ? " " : "", unit,
		 json_number(row, "hold_s"));
}

static void policies_print(struct session *session, const json_t *result)
{
	static const char *const heads[] = { "NAME", "MODE", "SEVERITY", "CONDITION",
					     "DOES", "TIPS", NULL };
	struct table table;
	const json_t *row;
	char text[200];
	size_t i;

	if (session->invocation->quiet) {
		json_array_foreach(json_object_get(result, "policies"), i, row)
			puts(json_word(row, "name"));
		return;
	}
	table_init(&table, heads);
	json_array_foreach(json_object_get(result, "policies"), i, row)
	{
		condition_words(row, text, sizeof(text));
		table_add(&table, json_word(row, "name"));
		table_add(&table, policy_mode(row));
		table_add(&table, json_word(row, "severity"));
		table_add(&table, text);
		table_add(&table, json_word(row, "action"));
		table_addf(&table, "%lld", json_number(row, "tips"));
	}
	session_table(session, &table);
}

static void policy_print(struct session *session, const json_t *policy)
{
	const json_t *past;
	size_t i;

	(void)session;
	printf("%s", json_word(policy, "xml"));
	printf("mode now: %s%s%s\n", policy_mode(policy), *json_word(policy, "reason") ? ": " : "",
	       json_word(policy, "reason"));
	if (*json_word(json_object_get(policy, "run"), "reason"))
		printf("last run: %s\n", json_word(json_object_get(policy, "run"), "reason"));
	json_array_foreach(json_object_get(policy, "past"), i, past)
		printf("tip %lld: predicted from %lld to %lld, measured %lld: %s\n",
		       json_number(past, "tip"), json_number(past, "before"),
		       json_number(past, "predicted"), json_number(past, "measured"),
		       json_word(past, "verdict"));
}

/* Tips. */

static void clock_words(long long ms, char *text, size_t size)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, size, "%H:%M:%S", &tm);
}

static long long gain_percent(const json_t *tip, const char *then)
{
	long long before = json_number(tip, "before");

	return before > 0 ? (before - json_number(tip, then)) * 100 / before : 0;
}

static void tips_print(struct session *session, const json_t *result)
{
	static const char *const heads[] = { "ID",    "OPENED", "POLICY", "ABOUT", "DOES",
					     "STATE", "GAIN",	"WHY",	  NULL };
	struct table table;
	const json_t *row;
	char clock[16];
	size_t i;

	if (session->invocation->quiet) {
		json_array_foreach(json_object_get(result, "tips"), i, row)
			printf("%lld\n", json_number(row, "id"));
		return;
	}
	table_init(&table, heads);
	json_array_foreach(json_object_get(result, "tips"), i, row)
	{
		const char *why = json_word(row, "result");

		clock_words(json_number(row, "opened_ms"), clock, sizeof(clock));
		table_addf(&table, "%lld", json_number(row, "id"));
		table_add(&table, clock);
		table_add(&table, *json_word(row, "policy") ? json_word(row, "policy") : NULL);
		table_add(&table, json_word(row, "subject"));
		table_add(&table, json_word(row, "action"));
		table_add(&table, json_word(row, "state"));
		table_addf(&table, "%lld%%", gain_percent(row, "predicted"));
		table_add(&table, *why ? why : json_word(row, "reason"));
	}
	session_table(session, &table);
}

static void evidence_print(const json_t *tip)
{
	const json_t *points = json_object_get(tip, "points"), *name;
	size_t i;

	if (json_array_size(points) > 0) {
		printf("evidence:  %s of %s, every %llds:", json_word(tip, "measure"),
		       json_word(tip, "subject"), json_number(tip, "step_s"));
		for (i = 0; i < json_array_size(points); i++)
			printf(" %lld", (long long)json_integer_value(json_array_get(points, i)));
		printf(" %s (at %s %lld)\n", json_word(tip, "unit"),
		       json_flag(tip, "at_most") ? "most" : "least", json_number(tip, "threshold"));
	}
	json_array_foreach(json_object_get(tip, "left_out"), i, name)
		printf("left out:  %s: its measurements are missing, stale or absurd\n",
		       json_string_value(name));
}

static void tip_print(struct session *session, const json_t *tip)
{
	const json_t *move;
	char expires[16];
	size_t i;

	(void)session;
	clock_words(json_number(tip, "expires_ms"), expires, sizeof(expires));
	printf("tip %lld: %s, %s%s", json_number(tip, "id"), json_word(tip, "state"),
	       json_word(tip, "severity"), json_flag(tip, "automatic") ? ", automatic" : "");
	if (strcmp(json_word(tip, "state"), "open") == 0)
		printf(", expires at %s", expires);
	printf("\npolicy:    %s\n",
	       *json_word(tip, "policy") ? json_word(tip, "policy") : "none: it was asked for");
	if (*json_word(tip, "subject"))
		printf("about:     %s %s\n", json_word(tip, "of"), json_word(tip, "subject"));
	printf("why:       %s\n", json_word(tip, "reason"));
	evidence_print(tip);
	printf("action:    %s\n", json_word(tip, "action"));
	json_array_foreach(json_object_get(tip, "moves"), i, move) printf(
		"           %s from %s to %s: %s\n", json_word(move, "vm"), json_word(move, "from"),
		*json_word(move, "to") ? json_word(move, "to") : "its volume",
		json_word(move, "state"));
	if (json_number(tip, "before") > 0)
		printf("benefit:   from %lld to %lld predicted (%lld %%)\n",
		       json_number(tip, "before"), json_number(tip, "predicted"),
		       gain_percent(tip, "predicted"));
	if (json_array_size(json_object_get(tip, "moves")) > 0)
		printf("cost:      %.1f s of moving, %lld MiB\n",
		       (double)json_number(tip, "cost_ms") / 1000,
		       json_number(tip, "cost_bytes") >> 20);
	if (!json_is_null(json_object_get(tip, "measured")))
		printf("measured:  %lld (%lld %%): %s\n", json_number(tip, "measured"),
		       gain_percent(tip, "measured"), json_word(tip, "verdict"));
	if (*json_word(tip, "result"))
		printf("result:    %s\n", json_word(tip, "result"));
}

/* Changes, and what becomes of them. */

static enum outcome judge_tip(const struct wait *wait, const json_t *now, char *line, size_t size)
{
	const char *state = json_word(now, "state"), *result = json_word(now, "result");
	const json_t *move;
	size_t i, over = 0, all = json_array_size(json_object_get(now, "moves"));

	(void)wait;
	json_array_foreach(json_object_get(now, "moves"), i, move) over +=
		strcmp(json_word(move, "state"), "planned") != 0 &&
		strcmp(json_word(move, "state"), "running") != 0;
	snprintf(line, size, "tip %lld: %s", json_number(now, "id"), state);
	if (all > 0)
		snprintf(line + strlen(line), size - strlen(line), ", %zu of %zu moves", over, all);
	if (*result)
		snprintf(line + strlen(line), size - strlen(line), ": %s", result);
	if (strcmp(state, "done") == 0)
		return OUTCOME_DONE;
	return strcmp(state, "dismissed") == 0 || strcmp(state, "closed") == 0 ? OUTCOME_FAILED
									       : OUTCOME_MORE;
}

static enum exit_status tip_wait(struct session *session, const char *id)
{
	struct wait wait = { .show = "tips show", .name = id, .judge = judge_tip };

	return wait_for(session, &wait);
}

static enum exit_status tips_answer(struct session *session, bool accept)
{
	const char *id = session->invocation->argv[0];
	enum exit_status status;
	char line[64];
	json_t *result;

	status = change(session, ask_new(accept ? "tips accept" : "tips dismiss", id), &result);
	if (status != EXIT_DONE)
		return status;
	snprintf(line, sizeof(line), "tip %.16s is %s", id, accept ? "accepted" : "dismissed");
	if (accept && !invocation_has(session->invocation, OPTION_NO_WAIT))
		status = tip_wait(session, id);
	else
		change_print(session, result, line);
	json_decref(result);
	return status;
}

static enum exit_status policy_set(struct session *session, bool enable)
{
	const char *name = session->invocation->argv[0];
	enum exit_status status;
	char line[128];
	json_t *result;

	status = change(session, ask_new(enable ? "policy enable" : "policy disable", name),
			&result);
	if (status != EXIT_DONE)
		return status;
	snprintf(line, sizeof(line), "%.64s is %s", name, enable ? "enabled" : "disabled");
	change_print(session, result, line);
	json_decref(result);
	return EXIT_DONE;
}

// The run of `show` (its member `member`, or all of it) is answered; then its tip is waited for.
static enum exit_status run_wait(struct session *session, const char *show, const char *name,
				 const char *member)
{
	for (;;) {
		const json_t *run;
		enum exit_status status;
		char id[24] = "";
		json_t *now;

		status = session_ask(session, ask_new(show, name), &now);
		if (status != EXIT_DONE)
			return status;
		run = member ? json_object_get(now, member) : now;
		if (!json_flag(run, "wanted")) {
			if (json_number(run, "tip") > 0)
				snprintf(id, sizeof(id), "%lld", json_number(run, "tip"));
			else if (session->invocation->json)
				session_json(session, run);
			else if (!session->invocation->quiet)
				puts(json_word(run, "reason"));
			json_decref(now);
			return *id ? tip_wait(session, id) : EXIT_DONE;
		}
		json_decref(now);
		if (session_interrupted() || session_late(session))
			return session_fail(session, EXIT_UNFINISHED, "unfinished",
					    "nothing was decided yet; the work goes on",
					    "clustadm tips list");
		session_sleep_ms(200);
	}
}

enum exit_status clustadm_run(struct session *session, const char *verb, const char *name,
			      const char *show, const char *member)
{
	enum exit_status status;
	json_t *result;

	status = change(session, ask_new(verb, name), &result);
	if (status != EXIT_DONE)
		return status;
	if (invocation_has(session->invocation, OPTION_NO_WAIT))
		change_print(session, result, "it is to be run: clustadm tips list");
	else
		status = run_wait(session, show, name, member);
	json_decref(result);
	return status;
}

enum exit_status clustadm_policy(struct session *session)
{
	enum command_id id = session->invocation->id;

	if (id == COMMAND_POLICY_LIST)
		return session_show(session, "policy list", NULL, policies_print);
	if (id == COMMAND_POLICY_SHOW)
		return session_show(session, "policy show", session->invocation->argv[0],
				    policy_print);
	if (id == COMMAND_POLICY_RUN)
		return clustadm_run(session, "policy run", session->invocation->argv[0],
				    "policy show", "run");
	return policy_set(session, id == COMMAND_POLICY_ENABLE);
}

enum exit_status clustadm_tips(struct session *session)
{
	enum command_id id = session->invocation->id;

	if (id == COMMAND_TIPS_LIST)
		return session_show(session, "tips list", NULL, tips_print);
	if (id == COMMAND_TIPS_SHOW)
		return session_show(session, "tips show", session->invocation->argv[0], tip_print);
	return tips_answer(session, id == COMMAND_TIPS_ACCEPT);
}
