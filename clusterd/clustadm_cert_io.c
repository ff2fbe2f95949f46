// SPDX-License-Identifier: Apache-2.0
// clustadm cert: the cluster's certificates, in files of this host. Needs no daemon, but asks it
// for names when it is there.
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/clustadm_io.h"
#include "migration/cert_io.h"

enum { AUTHORITY_MAX = 64 * 1024, DAYS_MAX = 20 * 365 };

// Who is in the cluster, as far as this host can tell.
struct names {
	char cluster[NAME_SIZE];
	char self[NAME_SIZE];
	char all[NODES_MAX][NAME_SIZE];
	uint32_t count;
	char authority_of[NAME_SIZE]; // another node that has certificates already
};

static const char *cert_folder(const struct session *session)
{
	return invocation_has(session->invocation, OPTION_DIR)
		       ? session->invocation->values[OPTION_DIR]
		       : CLUSTERD_CONFIG_DIR "/pki";
}

static enum exit_status cert_fail(struct session *session, const struct cert_problem *problem)
{
	return session_fail(session, EXIT_REFUSED, problem->code, problem->reason, problem->fix);
}

/* Names. */

static void name_copy(char *to, const char *from)
{
	snprintf(to, NAME_SIZE, "%.*s", NAME_SIZE - 1, from);
}

// The daemon knows what was defined; without one nothing is said.
static void names_ask(struct session *session, struct names *names)
{
	const json_t *cluster, *nodes, *node;
	json_t *result;
	size_t i;

	if (session_poll(session, ask_new("status", NULL), &result) != EXIT_DONE)
		return;
	cluster = json_object_get(result, "cluster");
	nodes = json_object_get(result, "nodes");
	name_copy(names->cluster, json_word(cluster, "name"));
	name_copy(names->self, json_word(cluster, "self"));
	json_array_foreach(nodes, i, node)
	{
		if (names->count < NODES_MAX)
			name_copy(names->all[names->count++], json_word(node, "name"));
		if (json_number(node, "cert_expires") > 0 &&
		    strcmp(json_word(node, "name"), names->self) != 0)
			name_copy(names->authority_of, json_word(node, "name"));
	}
	json_decref(result);
}

static bool address_here(const char *text)
{
	struct ifaddrs *all = NULL;
	char own[INET6_ADDRSTRLEN];
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (const struct ifaddrs *at = all; at && !found; at = at->ifa_next) {
		const void *bytes = NULL;

		if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
			bytes = &((const struct sockaddr_in *)at->ifa_addr)->sin_addr;
		else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6)
			bytes = &((const struct sockaddr_in6 *)at->ifa_addr)->sin6_addr;
		found = bytes && inet_ntop(at->ifa_addr->sa_family, bytes, own, sizeof(own)) &&
			strcmp(own, text) == 0;
	}
	freeifaddrs(all);
	return found;
}

// This host, by its own name or by its address.
static bool conf_is_self(const char *name, const char *address)
{
	char host[NAME_SIZE] = "";

	gethostname(host, sizeof(host) - 1);
	if (strcmp(host, name) == 0)
		return true;
	host[strcspn(host, ".")] = 0;
	return strcmp(host, name) == 0 || (*address && address_here(address));
}

static void conf_node(struct names *names, const char *name, const char *address)
{
	bool known = false;

	if (!*name)
		name = address;
	for (uint32_t i = 0; i < names->count; i++)
		known |= strcmp(names->all[i], name) == 0;
	if (!*name || (!known && names->count == NODES_MAX))
		return;
	if (!known)
		name_copy(names->all[names->count++], name);
	if (!names->self[0] && conf_is_self(name, address))
		name_copy(names->self, name);
}

// What corosync.conf says of its nodes: "key: value" lines within node { }.
static void names_from_corosync(struct names *names)
{
	char line[512], key[64], value[256], name[256] = "", address[256] = "";
	FILE *file = fopen("/etc/corosync/corosync.conf", "re");
	bool inside = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63[a-z0-9_] { %1s", key, value) >= 1 && strchr(line, '{')) {
			inside = strcmp(key, "node") == 0;
			name[0] = address[0] = 0;
		} else if (strchr(line, '}')) {
			if (inside)
				conf_node(names, name, address);
			inside = false;
		} else if (sscanf(line, " %63[a-z0-9_] : %255s", key, value) == 2) {
			if (strcmp(key, "cluster_name") == 0)
				name_copy(names->cluster, value);
			if (inside && strcmp(key, "name") == 0)
				strcpy(name, value);
			if (inside && strcmp(key, "ring0_addr") == 0)
				strcpy(address, value);
		}
	}
	if (file)
		fclose(file);
}

static void names_find(struct session *session, struct names *names)
{
	memset(names, 0, sizeof(*names));
	names_ask(session, names);
	if (!names->self[0])
		names_from_corosync(names);
	if (invocation_has(session->invocation, OPTION_NODE))
		name_copy(names->self, session->invocation->values[OPTION_NODE]);
}

/* Making. */

static bool days_of(struct session *session, uint32_t *days)
{
	const char *text = session->invocation->values[OPTION_DAYS];
	char *end;
	unsigned long value;

	*days = CERT_NODE_DAYS;
	if (!invocation_has(session->invocation, OPTION_DAYS))
		return true;
	value = strtoul(text, &end, 10);
	*days = (uint32_t)value;
	return *text >= '0' && *text <= '9' && !*end && value >= 1 && value <= DAYS_MAX;
}

// The authority that another node made, from a file or standard input.
static enum exit_status authority_take(struct session *session, const char *folder)
{
	const char *path = session->invocation->values[OPTION_CA];
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	struct cert_problem problem = { 0 };
	char *bytes = malloc(AUTHORITY_MAX), reason[512];
	enum exit_status status = EXIT_DONE;
	size_t size;

	if (!file || !bytes) {
		snprintf(reason, sizeof(reason), "%s: %s", path, strerror(errno));
		free(bytes);
		return session_fail(session, EXIT_REFUSED, "file", reason, "");
	}
	size = fread(bytes, 1, AUTHORITY_MAX, file);
	if (!cert_authority_take(folder, bytes, size,
				 invocation_has(session->invocation, OPTION_FORCE),
				 (int64_t)time(NULL), &problem))
		status = cert_fail(session, &problem);
	explicit_bzero(bytes, AUTHORITY_MAX);
	free(bytes);
	if (!standard)
		fclose(file);
	return status;
}

/*
 * A cluster has one authority. Two nodes that each made one would not trust each other, and nobody
 * would notice before the first move: so the other nodes are asked for theirs.
 */
static enum exit_status authority_make(struct session *session, const char *folder,
				       const struct names *names)
{
	bool force = invocation_has(session->invocation, OPTION_FORCE);
	struct cert_problem problem = { 0 };
	char reason[256], fix[512];

	if (names->authority_of[0] && !force) {
		snprintf(reason, sizeof(reason), "%s has the cluster's authority already",
			 names->authority_of);
		snprintf(fix, sizeof(fix),
			 "on %s: ssh root@%s clustadm cert init --ca - <" CLUSTERD_CONFIG_DIR
			 "/pki/cluster-ca.pem",
			 names->authority_of, names->self);
		return session_fail(session, EXIT_REFUSED, "another-authority", reason, fix);
	}
	if (cert_authority_make(folder, names->cluster, (int64_t)time(NULL), CERT_CA_DAYS, force,
				&problem))
		return EXIT_DONE;
	// An init that was interrupted goes on where it was.
	return strcmp(problem.code, "exists") == 0 ? EXIT_DONE : cert_fail(session, &problem);
}

static json_t *moment_json(int64_t at_s)
{
	char text[40];

	cert_time_text(at_s, text, sizeof(text));
	return json_string(text);
}

static void made_print(struct session *session, const char *folder, const struct names *names,
		       const struct cert_folder *found, bool authority_made)
{
	json_t *result, *others = json_array();
	char until[40], ca_until[40];
	bool first = true;

	cert_time_text(found->expires_s, until, sizeof(until));
	cert_time_text(found->ca.until_s, ca_until, sizeof(ca_until));
	for (uint32_t i = 0; i < names->count; i++)
		if (strcmp(names->all[i], names->self) != 0)
			json_array_append_new(others, json_string(names->all[i]));
	if (session->invocation->json) {
		result = json_pack("{s:s, s:s, s:o, s:I, s:o}", "node", names->self, "folder",
				   folder, "expires", moment_json(found->expires_s), "expires_s",
				   (json_int_t)found->expires_s, "others", others);
		session_json(session, result);
		json_decref(result);
		return;
	}
	json_decref(others);
	if (session->invocation->quiet)
		return;
	printf("%s has certificates until %.10s (the authority lasts until %.10s)\n", names->self,
	       until, ca_until);
	for (uint32_t i = 0; authority_made && i < names->count; i++) {
		if (strcmp(names->all[i], names->self) == 0)
			continue;
		if (first)
			puts("now give the authority to the other nodes, each of which makes its "
			     "own certificates:");
		first = false;
		printf("  ssh root@%s clustadm cert init --ca - <%s/cluster-ca.pem\n",
		       names->all[i], folder);
	}
}

static enum exit_status name_missing(struct session *session, const struct names *names)
{
	char reason[512] = "corosync.conf does not say which node this is", known[256] = "";

	for (uint32_t i = 0; i < names->count && strlen(known) < 180; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%.40s",
			 *known ? ", " : "", names->all[i]);
	if (*known)
		snprintf(reason, sizeof(reason), "which of these nodes is this host: %s?", known);
	return session_fail(session, EXIT_REFUSED, "no-name", reason, "--node NAME");
}

static enum exit_status node_make(struct session *session, const char *folder,
				  const struct names *names, bool fresh, bool authority_made)
{
	struct cert_problem problem = { 0 };
	struct cert_folder found;
	uint32_t days;

	if (!days_of(session, &days))
		return session_fail(session, EXIT_USAGE, "usage", "--days takes 1 to 7300",
				    "clustadm help cert");
	if (!cert_node_make(folder, names->self, (int64_t)time(NULL), days, fresh, &problem) ||
	    !cert_folder_read(folder, (int64_t)time(NULL), &found, NULL, &problem))
		return cert_fail(session, &problem);
	made_print(session, folder, names, &found, authority_made);
	return EXIT_DONE;
}

enum exit_status clustadm_cert_init(struct session *session)
{
	const char *folder = cert_folder(session);
	bool given = invocation_has(session->invocation, OPTION_CA);
	struct cert_problem problem = { 0 };
	struct cert_folder before = { 0 };
	enum exit_status status;
	struct names names;
	uint32_t days;

	if (!days_of(session, &days))
		return session_fail(session, EXIT_USAGE, "usage", "--days takes 1 to 7300",
				    "clustadm help cert init");
	names_find(session, &names);
	if (!names.self[0])
		return name_missing(session, &names);
	cert_folder_read(folder, (int64_t)time(NULL), &before, NULL, &problem);
	if (given)
		status = authority_take(session, folder);
	else if (before.ca_key && !invocation_has(session->invocation, OPTION_FORCE))
		status = EXIT_DONE; // copied here, or made before
	else
		status = authority_make(session, folder, &names);
	if (status != EXIT_DONE)
		return status;
	return node_make(session, folder, &names, false, !given);
}

enum exit_status clustadm_cert_renew(struct session *session)
{
	const char *folder = cert_folder(session);
	struct cert_problem problem = { 0 };
	struct cert_folder before = { 0 };
	struct names names;

	// The name that it has: a renewal changes nothing else.
	cert_folder_read(folder, (int64_t)time(NULL), &before, NULL, &problem);
	memset(&names, 0, sizeof(names));
	if (invocation_has(session->invocation, OPTION_NODE) || !before.node.there)
		names_find(session, &names);
	else
		name_copy(names.self, before.node.name);
	if (!names.self[0])
		return name_missing(session, &names);
	return node_make(session, folder, &names, invocation_has(session->invocation, OPTION_FORCE),
			 false);
}

/* Showing. */

static const char *cert_verdict(const struct cert_facts *facts, int64_t now_s)
{
	if (!facts->there || now_s > facts->until_s || now_s < facts->from_s)
		return "fail";
	return facts->until_s - now_s < (int64_t)CERT_WARN_DAYS * CERT_DAY_S ? "warn" : "ok";
}

static json_t *cert_row(const char *file, const struct cert_facts *facts, int64_t now_s)
{
	json_t *row = json_object();

	json_object_set_new(row, "file", json_string(file));
	json_object_set_new(row, "there", json_boolean(facts->there));
	json_object_set_new(row, "subject", json_string(facts->subject));
	json_object_set_new(row, "issuer", json_string(facts->issuer));
	json_object_set_new(row, "serial", json_string(facts->serial));
	if (facts->there) {
		json_object_set_new(row, "from", moment_json(facts->from_s));
		json_object_set_new(row, "until", moment_json(facts->until_s));
		json_object_set_new(row, "from_s", json_integer(facts->from_s));
		json_object_set_new(row, "until_s", json_integer(facts->until_s));
		json_object_set_new(row, "days_left",
				    json_integer((facts->until_s - now_s) / CERT_DAY_S));
	}
	json_object_set_new(row, "verdict", json_string(cert_verdict(facts, now_s)));
	return row;
}

static json_t *cert_json(const char *folder, const struct cert_folder *found, int64_t now_s,
			 bool good, const struct cert_problem *problem)
{
	json_t *result = json_object(), *rows = json_array();
	char authority[17] = "";
	bool soon = found->expires_s - now_s < (int64_t)CERT_WARN_DAYS * CERT_DAY_S;

	if (found->authority)
		snprintf(authority, sizeof(authority), "%016llx",
			 (unsigned long long)found->authority);
	json_array_append_new(rows, cert_row("ca-cert.pem", &found->ca, now_s));
	json_array_append_new(rows, cert_row("node-cert.pem", &found->node, now_s));
	json_array_append_new(rows, cert_row("server-cert.pem", &found->server, now_s));
	json_array_append_new(rows, cert_row("client-cert.pem", &found->client, now_s));
	json_object_set_new(result, "folder", json_string(folder));
	json_object_set_new(result, "node", json_string(found->node.name));
	json_object_set_new(result, "authority", json_string(authority));
	json_object_set_new(result, "can_renew", json_boolean(found->ca_key));
	json_object_set_new(result, "expires_s", json_integer(found->expires_s));
	json_object_set_new(result, "certificates", rows);
	json_object_set_new(result, "verdict", json_string(!good ? "fail" : soon ? "warn" : "ok"));
	json_object_set_new(result, "code", json_string(problem->code));
	json_object_set_new(result, "reason", json_string(problem->reason));
	json_object_set_new(result, "fix",
			    json_string(!good  ? problem->fix
					: soon ? "clustadm cert renew"
					       : ""));
	return result;
}

static void cert_table(struct session *session, const json_t *shown)
{
	static const char *const heads[] = { "FILE", "SUBJECT", "ISSUER", "UNTIL",
					     "DAYS", "CHECK",	NULL };
	const json_t *row;
	struct table table;
	size_t i;

	table_init(&table, heads);
	json_array_foreach(json_object_get(shown, "certificates"), i, row)
	{
		bool there = json_flag(row, "there");

		table_add(&table, json_word(row, "file"));
		table_add(&table, there ? json_word(row, "subject") : "-");
		table_add(&table, there ? json_word(row, "issuer") : "-");
		table_addf(&table, "%.10s", there ? json_word(row, "until") : "-");
		if (there)
			table_addf(&table, "%lld", json_number(row, "days_left"));
		else
			table_add(&table, "-");
		table_add(&table, json_word(row, "verdict"));
	}
	session_table(session, &table);
	if (!json_flag(shown, "can_renew"))
		puts("\nThe authority's key (cluster-ca.pem) is not here: no renewing.");
}

// Peers let in who has the name of a node that is defined. Without a daemon nobody knows those.
static bool name_fits(struct session *session, const struct cert_folder *found,
		      struct cert_problem *problem)
{
	struct names names = { 0 };

	if (!invocation_has(session->invocation, OPTION_DIR))
		names_ask(session, &names);
	if (!names.self[0] || strcmp(names.self, found->node.name) == 0)
		return true;
	snprintf(problem->code, sizeof(problem->code), "wrong-name");
	snprintf(problem->reason, sizeof(problem->reason),
		 "the certificates are of \"%s\", and this node is defined as %s", found->node.name,
		 names.self);
	snprintf(problem->fix, sizeof(problem->fix), "clustadm cert init --node %s", names.self);
	return false;
}

enum exit_status clustadm_cert_show(struct session *session)
{
	const char *folder = cert_folder(session);
	int64_t now_s = (int64_t)time(NULL);
	struct cert_problem problem = { 0 };
	struct cert_folder found;
	enum exit_status status = EXIT_DONE;
	json_t *shown;
	bool good = cert_folder_read(folder, now_s, &found, NULL, &problem);

	// Nothing is there: that is no table.
	if (!good && !found.ca.there)
		return cert_fail(session, &problem);
	good = good && name_fits(session, &found, &problem);
	shown = cert_json(folder, &found, now_s, good, &problem);
	if (session->invocation->json) {
		session_json(session, shown);
		status = good ? EXIT_DONE : EXIT_REFUSED;
	} else {
		cert_table(session, shown);
		fflush(stdout);
		if (!good)
			status = cert_fail(session, &problem);
		else if (strcmp(json_word(shown, "verdict"), "warn") == 0)
			printf("\nThey end soon: clustadm cert renew\n");
	}
	json_decref(shown);
	return status;
}
