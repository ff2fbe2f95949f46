// SPDX-License-Identifier: Apache-2.0
// `balance`: what would be moved to even out the nodes, and the moving.
#include "clusterd/clustadm_io.h"

static void add_percent(struct table *table, long long ppm)
{
	long long tenths = (ppm < 0 ? ppm - 500 : ppm + 500) / 1000;

	table_addf(table, "%s%lld.%lld %%", tenths < 0 ? "-" : "",
		   (tenths < 0 ? -tenths : tenths) / 10, (tenths < 0 ? -tenths : tenths) % 10);
}

static double percent(const json_t *object, const char *name)
{
	return (double)json_number(object, name) / 10000;
}

static void print_names(const char *what, const json_t *names)
{
	const json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	fputs(what, stdout);
	json_array_foreach(names, i, name) printf("%s%s", i ? ", " : "", json_string_value(name));
	putchar('\n');
}

void balance_print(struct session *session, const json_t *plan)
{
	static const char *const heads[] = { "VM", "FROM", "TO", "GAIN", "SPREAD", "WHY", NULL };
	const json_t *steps = json_object_get(plan, "steps"), *step;
	struct table table;
	size_t i;

	if (session->invocation->json) {
		session_json(session, plan);
		return;
	}
	table_init(&table, heads);
	json_array_foreach(steps, i, step)
	{
		table_add(&table, json_word(step, "vm"));
		table_add(&table, json_word(step, "from"));
		table_add(&table, json_word(step, "to"));
		add_percent(&table, json_number(step, "gain_ppm"));
		add_percent(&table, json_number(step, "score_ppm"));
		table_add(&table, json_word(step, "reason"));
	}
	if (json_array_size(steps) > 0)
		session_table(session, &table);
	else
		table_fini(&table);
	if (session->invocation->quiet)
		return;
	printf("%sSpread of the nodes' use, %s: %.1f %%", json_array_size(steps) > 0 ? "\n" : "",
	       json_flag(plan, "measured") ? "measured" : "as VMs are defined",
	       percent(plan, "before_ppm"));
	if (json_array_size(steps) > 0)
		printf(", then %.1f %%, by %zu move%s", percent(plan, "after_ppm"),
		       json_array_size(steps), json_array_size(steps) == 1 ? "" : "s");
	printf("; %s.\n", json_word(plan, "stop"));
	print_names("Left out, for want of present measurements: ",
		    json_object_get(plan, "unseen"));
}

enum exit_status clustadm_balance(struct session *session)
{
	enum exit_status status;
	json_t *plan;

	if (!invocation_has(session->invocation, OPTION_DRY_RUN))
		return clustadm_run(session, "balance", NULL, "balance show", NULL);
	status = session_ask(session, ask_new("balance plan", NULL), &plan);
	if (status != EXIT_DONE)
		return status;
	balance_print(session, plan);
	json_decref(plan);
	return EXIT_DONE;
}
