// SPDX-License-Identifier: Apache-2.0
// The commands that only look: status, lists, one VM, node or volume, quorum.
#include <string.h>

#include "clusterd/clustadm_io.h"
#include "clusterd/output_io.h"

enum { WATCH_MS = 1000 };

static void names_join(const json_t *names, char *buf, size_t size)
{
	const json_t *name;
	size_t i, used = 0;

	buf[0] = 0;
	json_array_foreach(names, i, name)
	{
		int length = snprintf(buf + used, size - used, "%s%s", i ? " " : "",
				      json_string_value(name));

		used += length > 0 ? (size_t)length : 0;
		if (used >= size)
			return;
	}
}

static const char *dash(const char *text)
{
	return *text ? text : "-";
}

/* Tables. */

static void nodes_table(struct session *session, const json_t *nodes)
{
	static const char *const heads[] = {
		"NODE", "ID", "STATE", "VMS", "MEMORY", "REASON", NULL
	};
	struct table table;
	const json_t *node;
	size_t i;

	table_init(&table, heads);
	json_array_foreach(nodes, i, node)
	{
		table_add(&table, json_word(node, "name"));
		table_addf(&table, "%lld", json_number(node, "id"));
		table_add(&table, json_word(node, "state"));
		table_addf(&table, "%lld", json_number(node, "vms"));
		table_addf(&table, "%lld/%lld", json_number(node, "memory_used_mib"),
			   json_number(node, "memory_mib"));
		table_add(&table, json_word(node, "reason"));
	}
	session_table(session, &table);
}

// One line a volume, and one for each node that does not see it well.
static void volumes_table(struct session *session, const json_t *volumes)
{
	static const char *const heads[] = { "VOLUME", "NODE", "STATE", "REASON", NULL };
	const json_t *volume, *node;
	struct table table;
	size_t i, j;

	table_init(&table, heads);
	json_array_foreach(volumes, i, volume)
	{
		const json_t *nodes = json_object_get(volume, "nodes");
		size_t online = 0;

		json_array_foreach(nodes, j, node) online +=
			strcmp(json_word(node, "state"), "online") == 0;
		table_add(&table, json_word(volume, "name"));
		table_addf(&table, "%zu of %zu", online, json_array_size(nodes));
		table_add(&table, online == json_array_size(nodes) && online ? "online" : "-");
		table_add(&table, json_flag(volume, "prepared")	 ? json_word(volume, "reason")
				  : *json_word(volume, "reason") ? json_word(volume, "reason")
								 : "is being prepared");
		json_array_foreach(nodes, j, node)
		{
			if (strcmp(json_word(node, "state"), "online") == 0)
				continue;
			table_add(&table, "");
			table_add(&table, json_word(node, "node"));
			table_add(&table, json_word(node, "state"));
			table_add(&table, json_word(node, "reason"));
		}
	}
	session_table(session, &table);
}

static void vms_table(struct session *session, const json_t *vms)
{
	static const char *const heads[] = { "VM", "STATE", "WANTED", "NODE", "REASON", NULL };
	struct table table;
	const json_t *vm;
	size_t i;

	table_init(&table, heads);
	json_array_foreach(vms, i, vm)
	{
		table_add(&table, json_word(vm, "name"));
		table_add(&table, json_word(vm, "state"));
		table_add(&table, json_word(vm, "wanted"));
		table_add(&table, dash(json_word(vm, "node")));
		table_add(&table, json_word(vm, "reason"));
	}
	session_table(session, &table);
}

static void names_print(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) puts(json_word(row, "name"));
}

// What is wrong with certificates. Where nobody has any, that is one line and no worry of a single
// node.
static void certs_print(const json_t *nodes)
{
	size_t i, none = 0, count = json_array_size(nodes);
	const json_t *node, *cert;

	json_array_foreach(nodes, i, node) none +=
		strcmp(json_word(json_object_get(node, "cert"), "code"), "none") == 0;
	if (none > 0 && none == count) {
		if (count > 1)
			puts("  no certificates yet, and live moves need them: clustadm cert init");
		return;
	}
	json_array_foreach(nodes, i, node)
	{
		cert = json_object_get(node, "cert");
		if (*json_word(cert, "reason"))
			printf("  %s: %s; fix: %s\n", json_word(node, "name"),
			       json_word(cert, "reason"), json_word(cert, "fix"));
	}
}

// "tolerates any 1 failure", or who has no home then and why.
static void capacity_print(const json_t *capacity, bool whole)
{
	const json_t *nodes = json_object_get(capacity, "nodes");
	const json_t *second = json_array_get(nodes, 1);

	if (!capacity)
		return;
	if (json_number(capacity, "tried") == 0) {
		printf("No node takes part: no loss could be tried.\n");
		return;
	}
	if (json_flag(capacity, "tolerates")) {
		printf("Tolerates the loss of any %s\n",
		       json_number(capacity, "failures") == 1 ? "node." : "2 nodes.");
		return;
	}
	printf("If %s%s%s fail%s, %s has no home", json_string_value(json_array_get(nodes, 0)),
	       second ? " and " : "", second ? json_string_value(second) : "", second ? "" : "s",
	       json_word(capacity, "vm"));
	if (json_number(capacity, "homeless") > 1)
		printf(" (and %lld more)", json_number(capacity, "homeless") - 1);
	printf(": %s\n", json_word(capacity, "reason"));
	if (whole && *json_word(capacity, "fix"))
		printf("Fix: %s\n", json_word(capacity, "fix"));
}

// Fails when the cluster does not stand it, so that a script can ask.
enum exit_status clustadm_capacity(struct session *session)
{
	const char *text = session->invocation->values[OPTION_FAILURES];
	json_t *ask = ask_new("capacity", NULL), *result;
	enum exit_status status;
	bool good;

	if (text) {
		if (strcmp(text, "1") != 0 && strcmp(text, "2") != 0) {
			json_decref(ask);
			return session_fail(session, EXIT_USAGE, "usage", "--failures is 1 or 2",
					    "clustadm help capacity");
		}
		json_object_set_new(ask, "failures", json_integer(text[0] - '0'));
	}
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	if (session->invocation->json)
		session_json(session, result);
	else
		capacity_print(result, true);
	good = json_flag(result, "tolerates") && json_number(result, "tried") > 0;
	json_decref(result);
	return good ? EXIT_DONE : EXIT_REFUSED;
}

static void status_print(struct session *session, const json_t *result)
{
	const json_t *cluster = json_object_get(result, "cluster");
	const json_t *volumes = json_object_get(result, "volumes");
	const json_t *vms = json_object_get(result, "vms");
	bool quorate = json_flag(cluster, "quorate");
	long long ahead_min = json_number(cluster, "utc_offset_min");

	printf("Cluster %s: %s%s%s, view %lld", dash(json_word(cluster, "name")),
	       session->colour && !quorate ? "\033[31m" : "", quorate ? "quorate" : "NO QUORUM",
	       session->colour && !quorate ? "\033[0m" : "", json_number(cluster, "view"));
	if (quorate)
		printf(", coordinator %s", dash(json_word(cluster, "coordinator")));
	if (ahead_min != 0)
		printf(", hours in UTC%c%lld:%02lld", ahead_min < 0 ? '-' : '+',
		       llabs(ahead_min) / 60, llabs(ahead_min) % 60);
	putchar('\n');
	if (!quorate && *json_word(cluster, "reason"))
		printf("  %s\n", json_word(cluster, "reason"));
	if (json_flag(cluster, "frozen"))
		puts("  the replicas differ: changes are refused (clustadm quorum)");
	if (json_array_size(json_object_get(result, "nodes")) == 0) {
		puts("\nNothing is defined yet. Begin with: clustadm apply FILE "
		     "(clusterd.xml(5)).");
		return;
	}
	certs_print(json_object_get(result, "nodes"));
	capacity_print(json_object_get(result, "capacity"), false);
	putchar('\n');
	nodes_table(session, json_object_get(result, "nodes"));
	if (json_array_size(volumes) > 0) {
		putchar('\n');
		volumes_table(session, volumes);
	}
	if (json_array_size(vms) > 0) {
		putchar('\n');
		vms_table(session, vms);
	}
}

enum exit_status clustadm_status(struct session *session)
{
	bool watch = invocation_has(session->invocation, OPTION_WATCH);
	enum exit_status status;
	json_t *result;

	for (;;) {
		status = session_ask(session, ask_new("status", NULL), &result);
		if (session_interrupted() && watch)
			return EXIT_DONE;
		if (status != EXIT_DONE)
			return status;
		if (session->invocation->json) {
			session_json(session, result);
		} else {
			if (watch && session->out_terminal)
				fputs("\033[H\033[2J", stdout);
			else if (watch)
				putchar('\n');
			status_print(session, result);
			fflush(stdout);
		}
		json_decref(result);
		if (!watch || output_failed())
			return EXIT_DONE;
		session_sleep_ms(WATCH_MS);
		if (session_interrupted())
			return EXIT_DONE;
	}
}

enum exit_status clustadm_list(struct session *session)
{
	const char *noun = commands[session->invocation->id].noun;
	char verb[32], rows_name[32];
	enum exit_status status;
	json_t *result;
	const json_t *rows;
	bool cpu = invocation_has(session->invocation, OPTION_CPU);
	json_t *ask;

	snprintf(verb, sizeof(verb), "%s list", noun);
	snprintf(rows_name, sizeof(rows_name), "%ss", noun);
	ask = ask_new(verb, NULL);
	if (cpu)
		json_object_set_new(ask, "cpu", json_true());
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	rows = json_object_get(result, rows_name);
	if (session->invocation->json)
		session_json(session, result);
	else if (session->invocation->quiet)
		names_print(rows);
	else if (cpu)
		node_cpus_print(session, result);
	else if (noun[0] == 'n')
		nodes_table(session, rows);
	else if (noun[1] == 'o')
		volumes_table(session, rows);
	else
		vms_table(session, rows);
	json_decref(result);
	return EXIT_DONE;
}

/* One of them. */

static void field(const char *name, const char *text)
{
	if (*text)
		printf("%-18s %s\n", name, text);
}

static void field_names(const char *name, const json_t *names)
{
	char joined[1024];

	names_join(names, joined, sizeof(joined));
	field(name, joined);
}

// A value of what is measured, or -1.
static long long measured(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(json_object_get(object, "measured"), name);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

// The parts of a line that are known, with what joins them.
static void put_percent(const char **join, const char *what, long long permille)
{
	if (permille < 0)
		return;
	printf("%s%s %lld.%lld %%", *join, what, permille / 10, permille % 10);
	*join = ", ";
}

static void put_amount(const char **join, const char *what, long long kib, const char *unit)
{
	char text[32];

	if (kib < 0)
		return;
	printf("%s%s %s", *join, what, amount_text(kib, unit, text, sizeof(text)));
	*join = ", ";
}

static void vm_print_measured(const json_t *vm)
{
	const char *join = " ";
	long long memory = measured(vm, "memory_mib");

	// Nothing is measured of what runs nowhere.
	if (memory < 0 && !*json_word(vm, "node"))
		return;
	printf("%-18s", "measured");
	put_percent(&join, "CPU", measured(vm, "cpu_permille"));
	put_amount(&join, "memory", memory < 0 ? -1 : memory * 1024, "");
	put_amount(&join, "read", measured(vm, "read_kib_s"), "/s");
	put_amount(&join, "write", measured(vm, "write_kib_s"), "/s");
	put_amount(&join, "received", measured(vm, "received_kib_s"), "/s");
	put_amount(&join, "sent", measured(vm, "sent_kib_s"), "/s");
	if (memory < 0)
		printf("%s%s", join, json_word(json_object_get(vm, "measured"), "reason"));
	putchar('\n');
}

static void node_print_measured(const json_t *node)
{
	const char *join = " ";

	printf("%-18s", "measured");
	put_percent(&join, "CPU", measured(node, "cpu_permille"));
	put_percent(&join, "memory", measured(node, "memory_permille"));
	put_percent(&join, "waiting for CPU", measured(node, "cpu_pressure_permille"));
	put_percent(&join, "for memory", measured(node, "memory_pressure_permille"));
	put_percent(&join, "for I/O", measured(node, "io_pressure_permille"));
	if (measured(node, "cpu_permille") < 0)
		printf("%s%s", join, json_word(json_object_get(node, "measured"), "reason"));
	putchar('\n');
}

static void vm_print_hardware(const json_t *vm)
{
	const json_t *item;
	size_t i;

	printf("%-18s %lld CPUs (%s), %lld MiB, %s, %s\n", "hardware", json_number(vm, "cpus"),
	       json_word(vm, "cpu"), json_number(vm, "memory_mib"), json_word(vm, "machine"),
	       json_word(vm, "firmware"));
	if (json_number(vm, "next_cpus") > 0)
		printf("%-18s %lld CPUs, %lld MiB\n", "at its next start",
		       json_number(vm, "next_cpus"), json_number(vm, "next_memory_mib"));
	json_array_foreach(json_object_get(vm, "disks"), i, item)
	{
		printf("%-18s %s/%s (%s, %s%s)\n", json_flag(item, "cdrom") ? "cd" : "disk",
		       json_word(item, "volume"), json_word(item, "path"),
		       json_word(item, "format"), json_word(item, "bus"),
		       json_flag(item, "readonly") ? ", read-only" : "");
	}
	json_array_foreach(json_object_get(vm, "nics"), i, item)
	{
		const char *device = json_string_value(json_object_get(item, "pass_through"));

		printf("%-18s %s, %s (%s)%s%s\n", "nic", json_word(item, "bridge"),
		       json_word(item, "mac"), json_word(item, "model"),
		       device ? ", passes through " : "", device ? device : "");
	}
	json_array_foreach(json_object_get(vm, "leases"), i, item)
	{
		printf("%-18s %s: %s\n", "lease", json_word(item, "volume"),
		       json_word(item, "state"));
	}
}

void vm_print(struct session *session, const json_t *vm)
{
	char when[32];
	const json_t *tier, *item;
	size_t i;

	(void)session;
	moment_text(json_number(vm, "since_ms"), when, sizeof(when));
	field("name", json_word(vm, "name"));
	field("description", json_word(vm, "description"));
	field("state", json_word(vm, "state"));
	field("wanted", json_word(vm, "wanted"));
	field("node", dash(json_word(vm, "node")));
	field("reason", json_word(vm, "reason"));
	field("since", when);
	field("managed", json_flag(vm, "managed") ? "" : "no");
	field("uuid", json_word(vm, "uuid"));
	printf("%-18s %lld\n", "priority", json_number(vm, "priority"));
	vm_print_measured(vm);
	vm_print_hardware(vm);
	field_names("possible owners", json_object_get(vm, "possible"));
	json_array_foreach(json_object_get(vm, "preferred"), i, tier)
		field_names(i ? "" : "preferred owners", tier);
	printf("%-18s %lld of %lld in place, %lld of %lld elsewhere\n", "restarts used",
	       json_number(vm, "restarts"), json_number(vm, "restarts_max"),
	       json_number(vm, "relocations"), json_number(vm, "relocations_max"));
	field_names("failed on", json_object_get(vm, "failed_on"));
	field_names("can move to", json_object_get(vm, "can_move_to"));
	field("failback", json_word(vm, "failback"));
	field("on guest shutdown", json_word(vm, "on_guest_shutdown"));
	json_array_foreach(json_object_get(vm, "guest_answers"), i, item)
		printf("%-18s %s %s (rule %s)\n", "guest", json_word(item, "what"),
		       json_flag(item, "answered") ? "answered" : "has not answered",
		       json_word(item, "rule"));
	printf("%-18s %lld s\n", "stop timeout", json_number(vm, "stop_timeout_s"));
	field("console", json_flag(vm, "here") ? json_word(vm, "console") : "");
	field("vnc", json_flag(vm, "here") ? json_word(vm, "vnc") : "");
}

static void cert_field(const json_t *node)
{
	const json_t *cert = json_object_get(node, "cert");
	char until[32], line[512];

	if (json_number(node, "cert_expires") == 0 && !*json_word(cert, "reason"))
		return;
	moment_text(json_number(node, "cert_expires") * 1000, until, sizeof(until));
	if (*json_word(cert, "reason"))
		snprintf(line, sizeof(line), "%s; fix: %s", json_word(cert, "reason"),
			 json_word(cert, "fix"));
	else
		snprintf(line, sizeof(line), "until %s", until);
	field("certificates", line);
}

static void node_print(struct session *session, const json_t *node)
{
	static const char *const heads[] = { "VOLUME", "STATE", "REASON", NULL };
	const json_t *item;
	struct table table;
	char when[32];
	size_t i;

	moment_text(json_number(node, "since_ms"), when, sizeof(when));
	field("name", json_word(node, "name"));
	printf("%-18s %lld\n", "id", json_number(node, "id"));
	field("state", json_word(node, "state"));
	field("reason", json_word(node, "reason"));
	field("since", when);
	field("managed", json_flag(node, "managed") ? "" : "no");
	field("voter", json_flag(node, "voter") ? "yes" : "no");
	printf("%-18s %lld, %lld MiB (%lld used by VMs, %lld kept for the host)\n",
	       "CPUs and memory", json_number(node, "cpus"), json_number(node, "memory_mib"),
	       json_number(node, "memory_used_mib"), json_number(node, "memory_reserve_mib"));
	node_print_measured(node);
	field("watchdog", json_flag(node, "watchdog") ? "guards its leases" : "none");
	field("emulator", json_flag(node, "emulator") ? "" : "missing");
	field("processor", json_word(node, "cpu_model"));
	field("CPU without", json_word(node, "cpu_without"));
	if (*json_word(node, "qemu"))
		printf("%-18s %s, %s, %s\n", "QEMU", json_word(node, "qemu"),
		       json_word(node, "machine"), json_word(node, "accelerator"));
	field_names("bridges", json_object_get(node, "bridges"));
	if (json_number(node, "hugepages") > 0)
		printf("%-18s %lld of %lld free, %lld KiB each\n", "huge pages",
		       json_number(node, "hugepages_free"), json_number(node, "hugepages"),
		       json_number(node, "hugepage_kib"));
	json_array_foreach(json_object_get(node, "fences"), i, item)
		field("fence device", json_word(item, "agent"));
	if (json_array_size(json_object_get(node, "fences")) == 0)
		field("fence device", "none");
	field_names("addresses", json_object_get(node, "addresses"));
	cert_field(node);
	field("fenced by", json_word(node, "fence_actor"));
	if (json_number(node, "fence_failures") > 0)
		printf("%-18s %lld in a row\n", "fence failures",
		       json_number(node, "fence_failures"));
	field_names("VMs", json_object_get(node, "vm_names"));
	if (json_array_size(json_object_get(node, "volumes")) == 0)
		return;
	putchar('\n');
	table_init(&table, heads);
	json_array_foreach(json_object_get(node, "volumes"), i, item)
	{
		table_add(&table, json_word(item, "volume"));
		table_add(&table, json_word(item, "state"));
		table_add(&table, json_word(item, "reason"));
	}
	session_table(session, &table);
}

static void volume_print(struct session *session, const json_t *volume)
{
	static const char *const heads[] = {
		"NODE", "STATE", "LOCKSPACE", "LATENCY", "REASON", NULL
	};
	const json_t *item;
	long long us;
	struct table table;
	size_t i;

	field("name", json_word(volume, "name"));
	field("source", json_word(volume, "source"));
	field("path", json_word(volume, "path"));
	field("prepared", json_flag(volume, "prepared") ? "yes" : "no");
	field("reason", json_word(volume, "reason"));
	printf("%-18s %lld s\n", "io timeout", json_number(volume, "io_timeout_s"));
	printf("%-18s %lld used, %lld burned, %lld free\n", "leases",
	       json_number(volume, "leases_used"), json_number(volume, "leases_burned"),
	       json_number(volume, "leases_free"));
	field_names("VMs", json_object_get(volume, "vm_names"));
	putchar('\n');
	table_init(&table, heads);
	json_array_foreach(json_object_get(volume, "nodes"), i, item)
	{
		table_add(&table, json_word(item, "node"));
		table_add(&table, json_word(item, "state"));
		table_add(&table, json_flag(item, "joined") ? "joined" : "-");
		us = json_number(item, "latency_us");
		if (json_is_integer(json_object_get(item, "latency_us")))
			table_addf(&table, "%lld.%02lld ms", us / 1000, us % 1000 / 10);
		else
			table_add(&table, "-");
		table_add(&table, json_word(item, "reason"));
	}
	session_table(session, &table);
}

enum exit_status clustadm_vm_show(struct session *session)
{
	return session_show(session, "vm show", session->invocation->argv[0], vm_print);
}

enum exit_status clustadm_node_show(struct session *session)
{
	return session_show(session, "node show", session->invocation->argv[0], node_print);
}

enum exit_status clustadm_volume_show(struct session *session)
{
	return session_show(session, "volume show", session->invocation->argv[0], volume_print);
}

/* Quorum. */

static void members_table(struct session *session, const json_t *quorum)
{
	static const char *const heads[] = { "NODE",	 "ID",	  "VOTER", "HOST",
					     "CLUSTERD", "STORE", NULL };
	static const char *const lists[] = { "voters", "learners" };
	const json_t *member;
	struct table table;
	size_t i;

	table_init(&table, heads);
	for (int list = 0; list < 2; list++) {
		json_array_foreach(json_object_get(quorum, lists[list]), i, member)
		{
			bool present = json_flag(member, "present");

			table_add(&table, dash(json_word(member, "name")));
			table_addf(&table, "%lld", json_number(member, "id"));
			table_add(&table, json_flag(member, "voter") ? "yes" : "no");
			table_add(&table, json_flag(member, "host_up") ? "up" : "not seen");
			table_add(&table, !present			      ? "away"
					  : json_flag(member, "synchronised") ? "in the view"
									      : "joining");
			table_addf(&table, "%s%s%s", dash(json_word(member, "store")),
				   json_flag(member, "intact") ? ", intact" : "",
				   json_flag(member, "learner") ? ", learner: counts in no majority"
								: "");
		}
	}
	session_table(session, &table);
}

static void quorum_print(struct session *session, const json_t *quorum)
{
	const char *reason = json_word(quorum, "reason");

	printf("%-18s %lld, %s%s%s\n", "view", json_number(quorum, "view"),
	       json_word(quorum, "state"), *reason ? ": " : "", reason);
	field("changes", !json_flag(quorum, "normal")  ? "not possible"
			 : json_flag(quorum, "frozen") ? "refused: the replicas differ"
						       : "possible");
	field("votequorum", json_flag(quorum, "votequorum") ? "quorate" : "not quorate");
	field("coordinator", dash(json_word(quorum, "coordinator")));
	field("this node", dash(json_word(quorum, "self")));
	printf("%-18s %lld needed, voters: %lld\n", "majority", json_number(quorum, "majority"),
	       (long long)json_array_size(json_object_get(quorum, "voters")));
	printf("%-18s %lld (last in the store: %lld)\n", "committed index",
	       json_number(quorum, "committed"), json_number(quorum, "last_index"));
	printf("%-18s %lld\n", "functional level", json_number(quorum, "functional_level"));
	if (json_number(quorum, "dropped") > 0)
		printf("%-18s %lld\n", "bad messages", json_number(quorum, "dropped"));
	putchar('\n');
	members_table(session, quorum);
}

enum exit_status clustadm_quorum(struct session *session)
{
	return session_show(session, "quorum", NULL, quorum_print);
}

/* Why a VM is where it is. */

static void explain_failures(const json_t *failures)
{
	const char *node;
	json_t *count;
	const char *between = "  failures: ";

	json_object_foreach((json_t *)failures, node, count)
	{
		printf("%s%lld on %s", between, (long long)json_integer_value(count), node);
		between = ", ";
	}
	if (json_object_size(failures) > 0)
		putchar('\n');
}

static void explain_mend(const json_t *mend)
{
	if (!mend)
		return;
	if (json_flag(mend, "moves"))
		printf("  to be moved to %s: ", json_word(mend, "target"));
	else
		printf("  stays: ");
	printf("%s", json_word(mend, "reason"));
	if (json_number(mend, "wait_s") > 0)
		printf(" (%lld s)", json_number(mend, "wait_s"));
	putchar('\n');
	if (*json_word(mend, "fix"))
		printf("    fix: %s\n", json_word(mend, "fix"));
}

static void explain_life(const json_t *vm)
{
	const json_t *lease;
	size_t i;

	printf("%s is %s%s%s; wanted: %s\n", json_word(vm, "name"), json_word(vm, "state"),
	       *json_word(vm, "node") ? " on " : "", json_word(vm, "node"),
	       json_word(vm, "wanted"));
	if (*json_word(vm, "reason"))
		printf("  because: %s\n", json_word(vm, "reason"));
	if (*json_word(vm, "why_nowhere") &&
	    strcmp(json_word(vm, "why_nowhere"), json_word(vm, "reason")) != 0)
		printf("  no node may take it: %s\n", json_word(vm, "why_nowhere"));
	if (*json_word(vm, "fix"))
		printf("  fix: %s\n", json_word(vm, "fix"));
	printf("  restarts used: %lld of %lld in place, %lld of %lld elsewhere\n",
	       json_number(vm, "restarts"), json_number(vm, "restarts_max"),
	       json_number(vm, "relocations"), json_number(vm, "relocations_max"));
	json_array_foreach(json_object_get(vm, "leases"), i, lease) printf(
		"  lease on %s: %s\n", json_word(lease, "volume"), json_word(lease, "state"));
	if (*json_word(vm, "best"))
		printf("  the best place now: %s\n", json_word(vm, "best"));
	explain_failures(json_object_get(vm, "failures"));
	explain_mend(json_object_get(vm, "mend"));
}

static void explain_verdict(const struct session *session, const json_t *line)
{
	const char *verdict = json_word(line, "verdict");
	const char *colour = session->colour ? word_colour(verdict) : "";

	printf("  %s%-5s%s ", colour, verdict, *colour ? "\033[0m" : "");
}

static void explain_rules(struct session *session, const json_t *rules)
{
	const json_t *rule;
	size_t i;

	json_array_foreach(rules, i, rule)
	{
		explain_verdict(session, rule);
		printf("rule %s, %s, ", json_word(rule, "rule"), json_word(rule, "kind"));
		if (json_flag(rule, "strict"))
			fputs("strict", stdout);
		else
			printf("a wish of weight %lld", json_number(rule, "weight"));
		if (json_number(rule, "cost") > 0)
			printf(", costs %lld here", json_number(rule, "cost"));
		putchar('\n');
	}
}

// What the strategy compares, once wishes are alike.
static void explain_load(const json_t *node)
{
	if (json_is_integer(json_object_get(node, "load_permille")))
		printf("  load with it: %lld.%lld %%, %s\n",
		       json_number(node, "load_permille") / 10,
		       json_number(node, "load_permille") % 10,
		       strcmp(json_word(node, "load_is"), "measured") == 0
			       ? "measured"
			       : "as configured, by what is promised");
}

// Of these `needed` is what may not be exceeded.
static bool explain_is_limit(const char *check)
{
	return strcmp(check, "cpus") == 0 || strcmp(check, "failures") == 0;
}

static void explain_node(struct session *session, const json_t *node)
{
	const json_t *check;
	size_t i;

	printf("\n%s: %s (VMs there: %lld, %lld MiB free", json_word(node, "node"),
	       json_flag(node, "feasible") ? "may run it" : "may not run it",
	       json_number(node, "vms"), json_number(node, "free_mib"));
	if (json_is_integer(json_object_get(node, "tier")))
		printf(", preferred: tier %lld", json_number(node, "tier"));
	if (json_number(node, "wish_cost") > 0)
		printf(", wishes not followed: %lld", json_number(node, "wish_cost"));
	puts(")");
	explain_load(node);
	json_array_foreach(json_object_get(node, "checks"), i, check)
	{
		explain_verdict(session, check);
		fputs(json_word(check, "check"), stdout);
		if (json_number(check, "found") > 0 || json_number(check, "needed") > 0)
			printf(explain_is_limit(json_word(check, "check"))
				       ? " (found %lld, limit %lld)"
				       : " (found %lld, needed %lld)",
			       json_number(check, "found"), json_number(check, "needed"));
		if (*json_word(check, "reason"))
			printf(": %s", json_word(check, "reason"));
		putchar('\n');
		if (*json_word(check, "fix"))
			printf("        fix: %s\n", json_word(check, "fix"));
	}
	explain_rules(session, json_object_get(node, "rules"));
}

enum exit_status clustadm_vm_explain(struct session *session)
{
	json_t *ask = ask_new("vm explain", session->invocation->argv[0]), *result;
	enum exit_status status;
	const json_t *node;
	size_t i;

	if (invocation_has(session->invocation, OPTION_ON))
		json_object_set_new(ask, "on", json_string(session->invocation->values[OPTION_ON]));
	status = session_ask(session, ask, &result);
	if (status != EXIT_DONE)
		return status;
	if (session->invocation->json) {
		session_json(session, result);
	} else {
		explain_life(result);
		json_array_foreach(json_object_get(result, "nodes"), i, node)
			explain_node(session, node);
	}
	json_decref(result);
	return EXIT_DONE;
}
