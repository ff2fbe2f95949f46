// SPDX-License-Identifier: Apache-2.0
// `vm preflight` and `node list --cpu`: where a VM could move to, and what the nodes' CPUs differ
// in.
#include <stdio.h>
#include <string.h>

#include "clusterd/clustadm_io.h"

static const char *dash(const char *text)
{
	return *text ? text : "-";
}

// For one node everything that was looked at, for all of them what is not ok.
void preflight_table(struct session *session, const json_t *nodes, bool whole)
{
	static const char *const heads[] = { "NODE",   "VERDICT", "CHECK", "FOUND",
					     "NEEDED", "WHY",	  NULL };
	const json_t *node, *check;
	struct table table;
	size_t i, k;

	table_init(&table, heads);
	json_array_foreach(nodes, i, node)
	{
		bool said = false;

		json_array_foreach(json_object_get(node, "checks"), k, check)
		{
			const char *verdict = json_word(check, "verdict");
			const char *fix = json_word(check, "fix");

			if (!whole && strcmp(verdict, "ok") == 0)
				continue;
			table_add(&table, said ? "" : json_word(node, "node"));
			table_add(&table, verdict);
			table_add(&table, json_word(check, "check"));
			table_add(&table, dash(json_word(check, "found")));
			table_add(&table, dash(json_word(check, "needed")));
			table_addf(&table, "%s%s%s", json_word(check, "reason"),
				   *fix ? "; fix: " : "", fix);
			said = true;
		}
		if (said)
			continue;
		table_add(&table, json_word(node, "node"));
		table_add(&table, "ok");
		for (int column = 2; column < 6; column++)
			table_add(&table, column < 5 ? "-" : "");
	}
	session_table(session, &table);
}

static bool node_is_good(const json_t *node)
{
	return strcmp(json_word(node, "verdict"), "fail") != 0;
}

static void say_targets(const json_t *result)
{
	const json_t *names = json_object_get(result, "can_move_to"), *name;
	size_t i;

	printf("\n%s can move to: ", json_word(result, "name"));
	json_array_foreach(names, i, name) printf("%s%s", i ? ", " : "", json_string_value(name));
	puts(json_array_size(names) == 0 ? "no node" : "");
}

enum exit_status clustadm_vm_preflight(struct session *session)
{
	const struct invocation *invocation = session->invocation;
	bool one = invocation_has(invocation, OPTION_TO), good = false;
	json_t *ask = ask_new("vm preflight", invocation->argv[0]), *result;
	enum exit_status status;
	const json_t *nodes, *node;
	size_t i;

	if (one)
		json_object_set_new(ask, "to", json_string(invocation->values[OPTION_TO]));
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	nodes = json_object_get(result, "nodes");
	json_array_foreach(nodes, i, node) good = good || node_is_good(node);
	if (invocation->json) {
		session_json(session, result);
	} else if (invocation->quiet) {
		json_array_foreach(nodes, i, node) if (node_is_good(node))
			puts(json_word(node, "node"));
	} else {
		preflight_table(session, nodes, one);
		say_targets(result);
	}
	json_decref(result);
	return good ? EXIT_DONE : EXIT_REFUSED;
}

/* The nodes' CPUs. */

static void names_cell(struct table *table, const json_t *names)
{
	char text[512] = "";
	const json_t *name;
	size_t i, used = 0;

	json_array_foreach(names, i, name)
	{
		int length = snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
				      json_string_value(name));

		used += length > 0 ? (size_t)length : 0;
		if (used >= sizeof(text))
			break;
	}
	table_add(table, dash(text));
}

// Beyond: what a VM of mode "compatible" leaves unused there. Lacks: what it takes from the others.
void node_cpus_print(struct session *session, const json_t *result)
{
	static const char *const heads[] = { "NODE",	 "CPU",	  "ACCELERATOR",	 "QEMU",
					     "FEATURES", "LACKS", "BEYOND THE BASELINE", NULL };
	const json_t *node;
	struct table table;
	size_t i;

	table_init(&table, heads);
	json_array_foreach(json_object_get(result, "nodes"), i, node)
	{
		const json_t *cpu = json_object_get(node, "cpu");

		table_add(&table, json_word(node, "name"));
		table_add(&table, dash(json_word(cpu, "model")));
		table_add(&table, dash(json_word(cpu, "accelerator")));
		table_add(&table, dash(json_word(cpu, "qemu")));
		table_addf(&table, "%zu", json_array_size(json_object_get(cpu, "features")));
		names_cell(&table, json_object_get(cpu, "lacks"));
		names_cell(&table, json_object_get(cpu, "more"));
	}
	session_table(session, &table);
	printf("\nThe baseline, which a compatible CPU has: %zu features.\n",
	       json_array_size(json_object_get(result, "cpu_baseline")));
}
