// SPDX-License-Identifier: Apache-2.0
#include "migration/cert_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { PEM_MAX = 64 * 1024 };

static const char daemon_unit[] = "clusterd daemon";
static const char authority_file[] = "cluster-ca.pem";

struct purpose {
	const char *file, *unit, *usage;
};

static const struct purpose purposes[] = {
	{ "node", daemon_unit, "serverAuth,clientAuth" },
	{ "server", NULL, "serverAuth" },
	{ "client", NULL, "clientAuth" },
};

enum { PURPOSE_COUNT = sizeof(purposes) / sizeof(purposes[0]) };

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

static void pair_free(struct pair *pair)
{
	X509_free(pair->cert);
	EVP_PKEY_free(pair->key);
	*pair = (struct pair){ 0 };
}

// ---- what went wrong ----

static bool fail(struct cert_problem *problem, const char *code, const char *fix,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
static bool fail(struct cert_problem *problem, const char *code, const char *fix,
		 const char *format, ...)
{
	va_list arguments;

	snprintf(problem->code, sizeof(problem->code), "%s", code);
	snprintf(problem->fix, sizeof(problem->fix), "%s", fix);
	va_start(arguments, format);
	vsnprintf(problem->reason, sizeof(problem->reason), format, arguments);
	va_end(arguments);
	ERR_clear_error();
	return false;
}

static bool fail_openssl(struct cert_problem *problem, const char *what)
{
	char text[160] = "no memory";
	unsigned long error = ERR_get_error();

	if (error)
		ERR_error_string_n(error, text, sizeof(text));
	return fail(problem, "openssl", "", "%s: %s", what, text);
}

static bool fail_file(struct cert_problem *problem, const char *folder, const char *file, int error)
{
	if (error == ENOENT)
		return fail(problem, "no-certificate",
			    "clustadm cert init, on the first node alone, or with the "
			    "cluster-ca.pem of a node that has one",
			    "%s/%s is not there", folder, file);
	if (error == EACCES || error == EPERM)
		return fail(problem, "no-permission", "be root", "%s/%s: %s", folder, file,
			    strerror(error));
	return fail(problem, "file", "", "%s/%s: %s", folder, file, strerror(error));
}

void cert_time_text(int64_t at_s, char *buf, size_t size)
{
	time_t at = (time_t)at_s;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(buf, size, "?");
}

// ---- files ----

static BIO *file_read(const char *folder, const char *file, struct cert_problem *problem)
{
	char path[512], *bytes;
	BIO *bio = NULL;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail_file(problem, folder, file, errno);
		return NULL;
	}
	bytes = malloc(PEM_MAX);
	size = bytes ? read(fd, bytes, PEM_MAX) : -1;
	if (size < 0)
		fail_file(problem, folder, file, bytes ? errno : ENOMEM);
	else if (size == PEM_MAX)
		fail(problem, "malformed", "", "%s/%s is too long for a certificate", folder, file);
	else
		bio = BIO_new(BIO_s_mem());
	if (bio)
		BIO_write(bio, bytes, (int)size);
	if (bytes)
		OPENSSL_cleanse(bytes, PEM_MAX);
	free(bytes);
	close(fd);
	return bio;
}

static bool bytes_write(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, bytes, size);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			bytes += done;
			size -= (size_t)done;
		}
	}
	return true;
}

static bool folder_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

// Whole or not at all, whatever happens to the host meanwhile. Takes the BIO.
static bool file_write(const char *folder, const char *file, mode_t mode, BIO *bio,
		       struct cert_problem *problem)
{
	char path[512], fresh[520], *bytes;
	long size = BIO_get_mem_data(bio, &bytes);
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || !bytes_write(fd, bytes, (size_t)size) || fsync(fd) < 0)
		error = errno;
	if (fd >= 0 && close(fd) < 0 && !error)
		error = errno;
	if (!error && (rename(fresh, path) < 0 || !folder_sync(folder)))
		error = errno;
	if (error)
		unlink(fresh);
	BIO_free(bio);
	return error ? fail_file(problem, folder, file, error) : true;
}

// The folder exists and is ours alone: two administrators at once do not mix their files.
static int folder_lock(const char *folder, struct cert_problem *problem)
{
	char parent[512], *slash;
	int fd;

	snprintf(parent, sizeof(parent), "%s", folder);
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = 0;
		mkdir(parent, 0755);
	}
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		fail(problem, errno == EACCES ? "no-permission" : "file", "", "%s: %s", folder,
		     strerror(errno));
		return -1;
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		fail(problem, errno == EACCES ? "no-permission" : "file", "", "%s: %s", folder,
		     strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

// ---- making ----

static bool name_good(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._";
	size_t length = strlen(name);

	return length > 0 && length < NAME_SIZE && strspn(name, letters) == length;
}

static bool extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool good;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	good = extension && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return good;
}

static bool name_add(X509_NAME *name, const char *key, const char *value)
{
	return !value || X509_NAME_add_entry_by_txt(name, key, MBSTRING_UTF8,
						    (const unsigned char *)value, -1, -1, 0);
}

// A day earlier than now: clocks of nodes differ.
static bool times_set(X509 *cert, X509 *issuer, int64_t now_s, uint32_t days)
{
	const ASN1_TIME *limit = issuer ? X509_get0_notAfter(issuer) : NULL;
	time_t until = (time_t)(now_s + (int64_t)days * CERT_DAY_S);

	if (!ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now_s - CERT_DAY_S)))
		return false;
	if (limit && X509_cmp_time(limit, &until) < 0)
		return X509_set1_notAfter(cert, limit);
	return ASN1_TIME_set(X509_getm_notAfter(cert), until) != NULL;
}

static bool serial_set(X509 *cert)
{
	unsigned char bytes[16];
	BIGNUM *number;
	bool good;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return good;
}

static X509 *cert_begin(EVP_PKEY *key, X509 *issuer, const char *unit, const char *common,
			int64_t now_s, uint32_t days)
{
	X509 *cert = X509_new();
	X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;

	if (cert && X509_set_version(cert, X509_VERSION_3) && serial_set(cert) &&
	    times_set(cert, issuer, now_s, days) && name_add(subject, "OU", unit) &&
	    name_add(subject, "CN", common) && X509_set_pubkey(cert, key) &&
	    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject))
		return cert;
	X509_free(cert);
	return NULL;
}

static bool authority_build(struct pair *pair, const char *cluster, int64_t now_s, uint32_t days)
{
	char common[NAME_SIZE];

	// X.509 has room for 64 bytes in a common name.
	snprintf(common, sizeof(common), "clusterd CA of %.45s", *cluster ? cluster : "a cluster");
	pair->key = EVP_EC_gen("P-256");
	pair->cert = pair->key ? cert_begin(pair->key, NULL, NULL, common, now_s, days) : NULL;
	return pair->cert &&
	       extension_add(pair->cert, pair->cert, NID_basic_constraints,
			     "critical,CA:TRUE,pathlen:0") &&
	       extension_add(pair->cert, pair->cert, NID_key_usage,
			     "critical,keyCertSign,cRLSign") &&
	       extension_add(pair->cert, pair->cert, NID_subject_key_identifier, "hash") &&
	       X509_sign(pair->cert, pair->key, EVP_sha256());
}

// GnuTLS, which QEMU has, wants keyEncipherment of a certificate whose key usage is critical.
static X509 *node_build(const struct pair *authority, EVP_PKEY *key, const struct purpose *purpose,
			const char *name, int64_t now_s, uint32_t days)
{
	X509 *cert = cert_begin(key, authority->cert, purpose->unit, name, now_s, days);
	char alternative[NAME_SIZE + 8];

	snprintf(alternative, sizeof(alternative), "DNS:%s", name);
	if (cert &&
	    extension_add(cert, authority->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	    extension_add(cert, authority->cert, NID_key_usage,
			  "critical,digitalSignature,keyEncipherment") &&
	    extension_add(cert, authority->cert, NID_ext_key_usage, purpose->usage) &&
	    extension_add(cert, authority->cert, NID_subject_alt_name, alternative) &&
	    extension_add(cert, authority->cert, NID_subject_key_identifier, "hash") &&
	    extension_add(cert, authority->cert, NID_authority_key_identifier, "keyid:always") &&
	    X509_sign(cert, authority->key, EVP_sha256()))
		return cert;
	X509_free(cert);
	return NULL;
}

static bool cert_write(const char *folder, const char *file, X509 *cert,
		       struct cert_problem *problem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || !PEM_write_bio_X509(bio, cert)) {
		BIO_free(bio);
		return fail_openssl(problem, file);
	}
	return file_write(folder, file, 0644, bio, problem);
}

static bool key_write(const char *folder, const char *file, EVP_PKEY *key, X509 *with,
		      struct cert_problem *problem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (!bio || (with && !PEM_write_bio_X509(bio, with)) ||
	    !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
		BIO_free(bio);
		return fail_openssl(problem, file);
	}
	return file_write(folder, file, 0600, bio, problem);
}

// ---- reading ----

// A key with a passphrase cannot be used by a daemon: asked for one, nothing is said.
static int no_passphrase(char *buf, int size, int writing, void *owner)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)owner;
	return -1;
}

static X509 *cert_read(const char *folder, const char *file, struct cert_problem *problem)
{
	BIO *bio = file_read(folder, file, problem);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

	if (bio && !cert)
		fail(problem, "malformed",
		     "clustadm cert renew, or cert init with the cluster's "
		     "cluster-ca.pem",
		     "%s/%s holds no certificate", folder, file);
	BIO_free(bio);
	return cert;
}

static EVP_PKEY *key_read(const char *folder, const char *file, struct cert_problem *problem)
{
	BIO *bio = file_read(folder, file, problem);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	char path[512], fix[600];
	struct stat status;

	if (bio && !key)
		fail(problem, "malformed", "clustadm cert renew --force makes new keys",
		     "%s/%s holds no private key without a passphrase", folder, file);
	BIO_free(bio);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (key && stat(path, &status) == 0 && status.st_mode & 0007) {
		snprintf(fix, sizeof(fix),
			 "chmod 600 %s; then clustadm cert renew --force, if "
			 "somebody may have read it",
			 path);
		fail(problem, "key-exposed", fix, "%s can be read by everybody", path);
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static bool is_authority(X509 *cert)
{
	return X509_check_ca(cert) == 1;
}

static bool authority_parse(BIO *bio, struct pair *pair, const char *where,
			    struct cert_problem *problem)
{
	pair->cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	if (pair->cert)
		pair->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!pair->cert || !pair->key)
		return fail(problem, "malformed", "copy cluster-ca.pem from a node that has it",
			    "%s does not hold the authority's certificate and, behind it, its key",
			    where);
	if (!is_authority(pair->cert))
		return fail(problem, "not-an-authority",
			    "copy cluster-ca.pem from a node that has it",
			    "the certificate in %s is no authority's", where);
	if (X509_check_private_key(pair->cert, pair->key) != 1)
		return fail(problem, "key-mismatch", "copy cluster-ca.pem from a node that has it",
			    "the key in %s is not that of its certificate", where);
	return true;
}

static bool authority_read(const char *folder, struct pair *pair, struct cert_problem *problem)
{
	BIO *bio = file_read(folder, authority_file, problem);
	char path[512];
	bool good;

	if (!bio)
		return false;
	snprintf(path, sizeof(path), "%s/%s", folder, authority_file);
	good = authority_parse(bio, pair, path, problem);
	BIO_free(bio);
	return good;
}

static void name_text(const X509_NAME *name, char *buf, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int length;

	*buf = 0;
	if (!bio)
		return;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	length = BIO_read(bio, buf, (int)size - 1);
	buf[length > 0 ? length : 0] = 0;
	BIO_free(bio);
}

static int64_t time_unix(const ASN1_TIME *time)
{
	struct tm tm = { 0 };

	return time && ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) : 0;
}

static bool entry_text(X509 *cert, int nid, char *buf, size_t size)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, nid, -1);
	const ASN1_STRING *string;
	int length;

	*buf = 0;
	// Two of them could be read as either: nobody of ours has that.
	if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
		return false;
	string = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	length = ASN1_STRING_length(string);
	if (length <= 0 || (size_t)length >= size ||
	    memchr(ASN1_STRING_get0_data(string), 0, (size_t)length))
		return false;
	memcpy(buf, ASN1_STRING_get0_data(string), (size_t)length);
	buf[length] = 0;
	return true;
}

bool cert_daemon_name(X509 *cert, char *name, size_t size)
{
	char unit[64];

	return entry_text(cert, NID_organizationalUnitName, unit, sizeof(unit)) &&
	       strcmp(unit, daemon_unit) == 0 && entry_text(cert, NID_commonName, name, size) &&
	       name_good(name);
}

static void facts_take(X509 *cert, struct cert_facts *facts)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *digits = number ? BN_bn2hex(number) : NULL;

	facts->there = true;
	name_text(X509_get_subject_name(cert), facts->subject, sizeof(facts->subject));
	name_text(X509_get_issuer_name(cert), facts->issuer, sizeof(facts->issuer));
	entry_text(cert, NID_commonName, facts->name, sizeof(facts->name));
	snprintf(facts->serial, sizeof(facts->serial), "%s", digits ? digits : "");
	facts->from_s = time_unix(X509_get0_notBefore(cert));
	facts->until_s = time_unix(X509_get0_notAfter(cert));
	OPENSSL_free(digits);
	BN_free(number);
}

// From its public key: renewing the authority's certificate would not change it.
static uint64_t authority_id(X509 *ca)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	unsigned int size = 0;
	uint64_t id = 0;

	if (!X509_pubkey_digest(ca, EVP_sha256(), digest, &size))
		return 0;
	for (int i = 0; i < 8; i++)
		id = id << 8 | digest[i];
	return id ? id : 1;
}

static bool times_good(const char *what, const struct cert_facts *facts, int64_t now_s,
		       const char *fix, struct cert_problem *problem)
{
	char limit[40], now[40];

	cert_time_text(now_s, now, sizeof(now));
	if (now_s < facts->from_s) {
		cert_time_text(facts->from_s, limit, sizeof(limit));
		return fail(problem, "not-yet-valid", "set this host's clock",
			    "%s is valid from %s on, and the clock here says %s", what, limit, now);
	}
	if (now_s > facts->until_s) {
		cert_time_text(facts->until_s, limit, sizeof(limit));
		return fail(problem, "expired", fix,
			    "%s was valid until %s, and the clock here says %s", what, limit, now);
	}
	return true;
}

// By key, not by name: every authority of a cluster of that name is called the same.
static bool signed_by(X509 *cert, X509 *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);

	return key && X509_verify(cert, key) == 1;
}

static bool pair_read(const char *folder, const struct purpose *purpose, X509 *ca, int64_t now_s,
		      struct cert_facts *facts, struct pair *pair, struct cert_problem *problem)
{
	char cert_file[32], key_file[32], what[400];

	snprintf(cert_file, sizeof(cert_file), "%s-cert.pem", purpose->file);
	snprintf(key_file, sizeof(key_file), "%s-key.pem", purpose->file);
	snprintf(what, sizeof(what), "%s/%s", folder, cert_file);
	pair->cert = cert_read(folder, cert_file, problem);
	if (!pair->cert)
		return false;
	facts_take(pair->cert, facts);
	pair->key = key_read(folder, key_file, problem);
	if (!pair->key)
		return false;
	if (X509_check_private_key(pair->cert, pair->key) != 1)
		return fail(problem, "key-mismatch", "clustadm cert renew",
			    "%s/%s is not the key of %s", folder, key_file, cert_file);
	if (!signed_by(pair->cert, ca))
		return fail(problem, "wrong-authority",
			    "clustadm cert init with the cluster-ca.pem of the other nodes",
			    "%s was not signed by the authority in ca-cert.pem", what);
	return times_good(what, facts, now_s, "clustadm cert renew", problem);
}

static void expires_note(struct cert_folder *found, const struct cert_facts *facts)
{
	if (facts->there && (found->expires_s == 0 || facts->until_s < found->expires_s))
		found->expires_s = facts->until_s;
}

static bool folder_check(const char *folder, int64_t now_s, struct cert_folder *found, X509 *ca,
			 struct pair *pairs, struct cert_problem *problem)
{
	struct cert_facts *facts[] = { &found->node, &found->server, &found->client };
	struct cert_problem later;
	bool good;

	facts_take(ca, &found->ca);
	found->authority = authority_id(ca);
	good = times_good("the cluster's authority", &found->ca, now_s,
			  "clustadm cert init --force on one node, and its cluster-ca.pem on all",
			  problem);
	if (good && !is_authority(ca))
		good = fail(problem, "not-an-authority", "clustadm cert init",
			    "%s/ca-cert.pem is no authority's certificate", folder);
	for (int i = 0; i < PURPOSE_COUNT; i++)
		good &= pair_read(folder, &purposes[i], ca, now_s, facts[i], &pairs[i],
				  good ? problem : &later);
	if (good && (strcmp(found->server.name, found->node.name) != 0 ||
		     strcmp(found->client.name, found->node.name) != 0))
		good = fail(problem, "names-differ", "clustadm cert renew",
			    "the certificates in %s are of different nodes", folder);
	expires_note(found, &found->ca);
	for (int i = 0; i < PURPOSE_COUNT; i++)
		expires_note(found, facts[i]);
	return good;
}

bool cert_folder_read(const char *folder, int64_t now_s, struct cert_folder *found,
		      struct cert_keys *keys, struct cert_problem *problem)
{
	struct pair pairs[PURPOSE_COUNT] = { 0 };
	char path[512];
	bool good;
	X509 *ca;

	memset(found, 0, sizeof(*found));
	memset(problem, 0, sizeof(*problem));
	snprintf(path, sizeof(path), "%s/%s", folder, authority_file);
	found->ca_key = access(path, R_OK) == 0;
	ca = cert_read(folder, "ca-cert.pem", problem);
	good = ca && folder_check(folder, now_s, found, ca, pairs, problem);
	if (good && keys) {
		*keys = (struct cert_keys){ .ca = ca, .cert = pairs[0].cert, .key = pairs[0].key };
		pairs[0] = (struct pair){ 0 };
		ca = NULL;
	}
	for (int i = 0; i < PURPOSE_COUNT; i++)
		pair_free(&pairs[i]);
	X509_free(ca);
	ERR_clear_error();
	return good;
}

void cert_keys_free(struct cert_keys *keys)
{
	X509_free(keys->ca);
	X509_free(keys->cert);
	EVP_PKEY_free(keys->key);
	*keys = (struct cert_keys){ 0 };
}

// ---- the administrator's side ----

bool cert_authority_make(const char *folder, const char *cluster, int64_t now_s, uint32_t days,
			 bool replace, struct cert_problem *problem)
{
	struct pair pair = { 0 };
	int lock = folder_lock(folder, problem);
	char path[512];
	bool good;

	if (lock < 0)
		return false;
	snprintf(path, sizeof(path), "%s/ca-cert.pem", folder);
	if (!replace && access(path, F_OK) == 0) {
		close(lock);
		return fail(problem, "exists", "clustadm cert show", "%s is there already", path);
	}
	good = authority_build(&pair, cluster, now_s, days) ||
	       fail_openssl(problem, "the authority cannot be made");
	good = good && key_write(folder, authority_file, pair.key, pair.cert, problem) &&
	       cert_write(folder, "ca-cert.pem", pair.cert, problem);
	pair_free(&pair);
	close(lock);
	return good;
}

static bool authority_store(const char *folder, const struct pair *pair, bool replace,
			    struct cert_problem *problem)
{
	struct cert_problem none;
	X509 *present = cert_read(folder, "ca-cert.pem", &none);
	bool other = present && authority_id(present) != authority_id(pair->cert);

	X509_free(present);
	if (other && !replace)
		return fail(problem, "another-authority",
			    "--force, when the other nodes have the new one",
			    "%s has another authority: certificates of the two do not trust each "
			    "other",
			    folder);
	return key_write(folder, authority_file, pair->key, pair->cert, problem) &&
	       cert_write(folder, "ca-cert.pem", pair->cert, problem);
}

bool cert_authority_take(const char *folder, const char *pem, size_t size, bool replace,
			 int64_t now_s, struct cert_problem *problem)
{
	struct pair pair = { 0 };
	struct cert_facts facts = { 0 };
	BIO *bio = size < PEM_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
	int lock = -1;
	bool good;

	if (!bio)
		return fail(problem, "malformed", "", "that is too long for a certificate");
	good = authority_parse(bio, &pair, "what was given", problem);
	if (good) {
		facts_take(pair.cert, &facts);
		good = times_good("the authority", &facts, now_s, "make a new one", problem);
	}
	if (good)
		lock = folder_lock(folder, problem);
	good = good && lock >= 0 && authority_store(folder, &pair, replace, problem);
	if (lock >= 0)
		close(lock);
	pair_free(&pair);
	BIO_free(bio);
	return good;
}

static bool purpose_make(const char *folder, const struct pair *authority,
			 const struct purpose *purpose, const char *name, int64_t now_s,
			 uint32_t days, bool fresh, struct cert_problem *problem)
{
	struct pair pair = { 0 };
	struct cert_problem none;
	char cert_file[32], key_file[32];
	bool good;

	snprintf(cert_file, sizeof(cert_file), "%s-cert.pem", purpose->file);
	snprintf(key_file, sizeof(key_file), "%s-key.pem", purpose->file);
	if (!fresh)
		pair.key = key_read(folder, key_file, &none);
	fresh = !pair.key;
	if (fresh)
		pair.key = EVP_EC_gen("P-256");
	pair.cert = pair.key ? node_build(authority, pair.key, purpose, name, now_s, days) : NULL;
	good = pair.cert || fail_openssl(problem, cert_file);
	if (good && fresh)
		good = key_write(folder, key_file, pair.key, NULL, problem);
	good = good && cert_write(folder, cert_file, pair.cert, problem);
	pair_free(&pair);
	return good;
}

static bool authority_present(const char *folder, int64_t now_s, struct pair *authority,
			      struct cert_problem *problem)
{
	struct cert_facts facts = { 0 };
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, authority_file);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return fail(problem, "no-authority",
			    "copy cluster-ca.pem from a node that has it; on the first node: "
			    "clustadm cert init",
			    "%s is not there", path);
	if (!authority_read(folder, authority, problem))
		return false;
	facts_take(authority->cert, &facts);
	return times_good("the cluster's authority", &facts, now_s,
			  "clustadm cert init --force on one node, and its cluster-ca.pem on all",
			  problem);
}

bool cert_node_make(const char *folder, const char *name, int64_t now_s, uint32_t days, bool fresh,
		    struct cert_problem *problem)
{
	struct pair authority = { 0 };
	bool good = true;
	int lock;

	memset(problem, 0, sizeof(*problem));
	if (!name_good(name))
		return fail(problem, "bad-name", "--node NAME",
			    "\"%.64s\" cannot be a node's name in a certificate", name);
	lock = folder_lock(folder, problem);
	if (lock < 0)
		return false;
	good = authority_present(folder, now_s, &authority, problem) &&
	       cert_write(folder, "ca-cert.pem", authority.cert, problem);
	for (int i = 0; i < PURPOSE_COUNT && good; i++)
		good = purpose_make(folder, &authority, &purposes[i], name, now_s, days, fresh,
				    problem);
	pair_free(&authority);
	close(lock);
	ERR_clear_error();
	return good;
}
