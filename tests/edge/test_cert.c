// SPDX-License-Identifier: Apache-2.0
// The cluster's certificates: made, taken over, renewed, and every way in which they can be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clusterd/exec_io.h"
#include "migration/cert_io.h"

enum { NOW_S = 1800000000 };

struct world {
	char root[64], n1[96], n2[96];
	struct cert_problem problem;
	struct cert_folder found;
};

static void world_open(struct world *w)
{
	memset(w, 0, sizeof(*w));
	strcpy(w->root, "/tmp/test-cert-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	snprintf(w->n1, sizeof(w->n1), "%s/n1/pki", w->root);
	snprintf(w->n2, sizeof(w->n2), "%s/n2/pki", w->root);
}

static void world_close(struct world *w)
{
	const char *const argv[] = { "rm", "-rf", w->root, NULL };
	char output[64];

	assert_int_equal(exec_run(argv, output, sizeof(output), 5000), 0);
}

static size_t file_get(const char *folder, const char *name, char *bytes, size_t size)
{
	char path[160];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	assert_non_null(file);
	got = fread(bytes, 1, size - 1, file);
	bytes[got] = 0;
	fclose(file);
	return got;
}

static void file_put(const char *folder, const char *name, const char *bytes, size_t size)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void file_copy(const char *from, const char *name, const char *to, const char *as)
{
	char bytes[8192];

	file_put(to, as, bytes, file_get(from, name, bytes, sizeof(bytes)));
}

static void first_node(struct world *w)
{
	assert_true(cert_authority_make(w->n1, "lab", NOW_S, CERT_CA_DAYS, false, &w->problem));
	assert_true(cert_node_make(w->n1, "n1", NOW_S, CERT_NODE_DAYS, false, &w->problem));
}

static void second_node(struct world *w)
{
	char pem[8192];
	size_t size = file_get(w->n1, "cluster-ca.pem", pem, sizeof(pem));

	assert_true(cert_authority_take(w->n2, pem, size, false, NOW_S, &w->problem));
	assert_true(cert_node_make(w->n2, "n2", NOW_S, CERT_NODE_DAYS, false, &w->problem));
}

static bool good(struct world *w, const char *folder, int64_t now_s)
{
	return cert_folder_read(folder, now_s, &w->found, NULL, &w->problem);
}

static void bad(struct world *w, const char *folder, int64_t now_s, const char *code)
{
	assert_false(good(w, folder, now_s));
	assert_string_equal(w->problem.code, code);
	assert_true(strlen(w->problem.reason) > 10);
}

static mode_t mode_of(const char *folder, const char *name)
{
	struct stat status;
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 07777;
}

static void made_and_taken_over(void **state)
{
	static const char *const keys[] = { "cluster-ca.pem", "node-key.pem", "server-key.pem",
					    "client-key.pem" };
	struct world w;
	uint64_t authority;

	(void)state;
	world_open(&w);
	bad(&w, w.n1, NOW_S, "no-certificate");
	first_node(&w);
	assert_true(good(&w, w.n1, NOW_S));
	assert_string_equal(w.found.node.name, "n1");
	assert_string_equal(w.found.node.subject, "CN=n1,OU=clusterd daemon");
	assert_string_equal(w.found.server.subject, "CN=n1");
	assert_string_equal(w.found.client.issuer, "CN=clusterd CA of lab");
	assert_int_equal(w.found.expires_s, NOW_S + (int64_t)CERT_NODE_DAYS * CERT_DAY_S);
	assert_int_equal(w.found.ca.until_s, NOW_S + (int64_t)CERT_CA_DAYS * CERT_DAY_S);
	assert_true(w.found.ca_key);
	authority = w.found.authority;
	assert_true(authority != 0);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(mode_of(w.n1, keys[i]), 0600);
	assert_int_equal(mode_of(w.n1, "."), 0700);
	second_node(&w);
	assert_true(good(&w, w.n2, NOW_S));
	assert_string_equal(w.found.node.name, "n2");
	assert_true(w.found.authority == authority);
	world_close(&w);
}

static void one_authority(void **state)
{
	struct world w;
	char pem[8192];
	size_t size;

	(void)state;
	world_open(&w);
	first_node(&w);
	assert_false(cert_authority_make(w.n1, "lab", NOW_S, CERT_CA_DAYS, false, &w.problem));
	assert_string_equal(w.problem.code, "exists");
	assert_true(cert_authority_make(w.n2, "lab", NOW_S, CERT_CA_DAYS, false, &w.problem));
	assert_true(cert_node_make(w.n2, "n2", NOW_S, CERT_NODE_DAYS, false, &w.problem));
	size = file_get(w.n1, "cluster-ca.pem", pem, sizeof(pem));
	assert_false(cert_authority_take(w.n2, pem, size, false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "another-authority");
	// Taken for all that, the old certificates are of nobody any more, and made anew.
	assert_true(cert_authority_take(w.n2, pem, size, true, NOW_S, &w.problem));
	bad(&w, w.n2, NOW_S, "wrong-authority");
	assert_true(cert_node_make(w.n2, "n2", NOW_S, CERT_NODE_DAYS, false, &w.problem));
	assert_true(good(&w, w.n2, NOW_S));
	world_close(&w);
}

static void renewed(void **state)
{
	struct world w;
	char before[8192], after[8192], serial[64];

	(void)state;
	world_open(&w);
	first_node(&w);
	assert_true(good(&w, w.n1, NOW_S));
	strcpy(serial, w.found.node.serial);
	file_get(w.n1, "node-key.pem", before, sizeof(before));
	assert_true(cert_node_make(w.n1, "n1", NOW_S + 1000000, CERT_NODE_DAYS, false, &w.problem));
	assert_true(good(&w, w.n1, NOW_S + 1000000));
	assert_string_not_equal(serial, w.found.node.serial);
	assert_int_equal(w.found.expires_s, NOW_S + 1000000 + (int64_t)CERT_NODE_DAYS * CERT_DAY_S);
	// The keys stay: at no moment did one not fit its certificate.
	file_get(w.n1, "node-key.pem", after, sizeof(after));
	assert_string_equal(before, after);
	assert_true(cert_node_make(w.n1, "n1", NOW_S, CERT_NODE_DAYS, true, &w.problem));
	file_get(w.n1, "node-key.pem", after, sizeof(after));
	assert_string_not_equal(before, after);
	assert_true(good(&w, w.n1, NOW_S));
	// Nothing that is signed outlives its authority.
	assert_true(cert_node_make(w.n1, "n1", NOW_S + (int64_t)(CERT_CA_DAYS - 5) * CERT_DAY_S,
				   CERT_NODE_DAYS, false, &w.problem));
	assert_true(good(&w, w.n1, NOW_S + (int64_t)(CERT_CA_DAYS - 5) * CERT_DAY_S));
	assert_int_equal(w.found.node.until_s, w.found.ca.until_s);
	world_close(&w);
}

static void time_and_clocks(void **state)
{
	struct world w;
	char pem[8192];
	size_t size;

	(void)state;
	world_open(&w);
	first_node(&w);
	// A neighbour's clock may be hours behind.
	assert_true(good(&w, w.n1, NOW_S - 20 * 3600));
	bad(&w, w.n1, NOW_S - 2 * CERT_DAY_S, "not-yet-valid");
	assert_non_null(strstr(w.problem.reason, "the clock here says 2027-01-13"));
	bad(&w, w.n1, NOW_S + (int64_t)(CERT_NODE_DAYS + 1) * CERT_DAY_S, "expired");
	assert_string_equal(w.problem.fix, "clustadm cert renew");
	assert_string_equal(w.found.node.name, "n1");
	bad(&w, w.n1, NOW_S + (int64_t)(CERT_CA_DAYS + 1) * CERT_DAY_S, "expired");
	assert_non_null(strstr(w.problem.reason, "authority"));
	// An authority that has ended signs nothing more and is taken from nobody.
	assert_false(cert_node_make(w.n1, "n1", NOW_S + (int64_t)(CERT_CA_DAYS + 1) * CERT_DAY_S, 1,
				    false, &w.problem));
	assert_string_equal(w.problem.code, "expired");
	size = file_get(w.n1, "cluster-ca.pem", pem, sizeof(pem));
	assert_false(cert_authority_take(w.n2, pem, size, false,
					 NOW_S + (int64_t)(CERT_CA_DAYS + 1) * CERT_DAY_S,
					 &w.problem));
	assert_string_equal(w.problem.code, "expired");
	world_close(&w);
}

static void wrong_files(void **state)
{
	struct world w;
	char path[160];

	(void)state;
	world_open(&w);
	first_node(&w);
	second_node(&w);
	file_copy(w.n2, "node-key.pem", w.n1, "node-key.pem");
	bad(&w, w.n1, NOW_S, "key-mismatch");
	assert_true(cert_node_make(w.n1, "n1", NOW_S, CERT_NODE_DAYS, true, &w.problem));
	assert_true(good(&w, w.n1, NOW_S));
	file_copy(w.n2, "server-cert.pem", w.n1, "server-cert.pem");
	file_copy(w.n2, "server-key.pem", w.n1, "server-key.pem");
	bad(&w, w.n1, NOW_S, "names-differ");
	file_put(w.n1, "server-cert.pem", "nonsense", 8);
	bad(&w, w.n1, NOW_S, "malformed");
	assert_true(cert_node_make(w.n1, "n1", NOW_S, CERT_NODE_DAYS, true, &w.problem));
	file_put(w.n1, "client-key.pem", "", 0);
	bad(&w, w.n1, NOW_S, "malformed");
	assert_true(cert_node_make(w.n1, "n1", NOW_S, CERT_NODE_DAYS, false, &w.problem));
	assert_true(good(&w, w.n1, NOW_S));
	snprintf(path, sizeof(path), "%s/node-key.pem", w.n1);
	assert_int_equal(chmod(path, 0644), 0);
	bad(&w, w.n1, NOW_S, "key-exposed");
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(good(&w, w.n1, NOW_S));
	assert_int_equal(unlink(path), 0);
	bad(&w, w.n1, NOW_S, "no-certificate");
	// A node's certificate in the authority's place.
	assert_true(cert_node_make(w.n1, "n1", NOW_S, CERT_NODE_DAYS, false, &w.problem));
	file_copy(w.n1, "node-cert.pem", w.n1, "ca-cert.pem");
	assert_false(good(&w, w.n1, NOW_S));
	world_close(&w);
}

static void wrong_authorities(void **state)
{
	struct world w;
	char pem[70000], cert[8192], key[8192];
	size_t size;

	(void)state;
	world_open(&w);
	first_node(&w);
	assert_false(cert_node_make(w.n2, "n2", NOW_S, 1, false, &w.problem));
	assert_string_equal(w.problem.code, "no-authority");
	assert_false(cert_authority_take(w.n2, "", 0, false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "malformed");
	memset(pem, 'x', sizeof(pem));
	assert_false(cert_authority_take(w.n2, pem, sizeof(pem), false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "malformed");
	// The certificate without its key; a node's certificate with its key; a wrong key.
	size = file_get(w.n1, "ca-cert.pem", pem, sizeof(pem));
	assert_false(cert_authority_take(w.n2, pem, size, false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "malformed");
	file_get(w.n1, "node-cert.pem", cert, sizeof(cert));
	file_get(w.n1, "node-key.pem", key, sizeof(key));
	size = (size_t)snprintf(pem, sizeof(pem), "%s%s", cert, key);
	assert_false(cert_authority_take(w.n2, pem, size, false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "not-an-authority");
	file_get(w.n1, "ca-cert.pem", cert, sizeof(cert));
	size = (size_t)snprintf(pem, sizeof(pem), "%s%s", cert, key);
	assert_false(cert_authority_take(w.n2, pem, size, false, NOW_S, &w.problem));
	assert_string_equal(w.problem.code, "key-mismatch");
	assert_false(cert_folder_read(w.n2, NOW_S, &w.found, NULL, &w.problem));
	world_close(&w);
}

static void wrong_names(void **state)
{
	static const char *const names[] = { "", "a b", "n1/CN=n2", "n1,DNS:n2", "n1\nn2", "é" };
	char longest[NAME_SIZE + 8];
	struct world w;

	(void)state;
	world_open(&w);
	first_node(&w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(cert_node_make(w.n1, names[i], NOW_S, 1, false, &w.problem));
		assert_string_equal(w.problem.code, "bad-name");
	}
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_false(cert_node_make(w.n1, longest, NOW_S, 1, false, &w.problem));
	longest[NAME_SIZE - 1] = 0;
	assert_true(cert_node_make(w.n1, longest, NOW_S, 1, false, &w.problem));
	assert_true(good(&w, w.n1, NOW_S));
	assert_string_equal(w.found.node.name, longest);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_taken_over),
		cmocka_unit_test(one_authority),
		cmocka_unit_test(renewed),
		cmocka_unit_test(time_and_clocks),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(wrong_authorities),
		cmocka_unit_test(wrong_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
