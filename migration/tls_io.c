// SPDX-License-Identifier: Apache-2.0
#include "migration/tls_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "migration/cert_io.h"

struct tls_context {
	SSL_CTX *ssl;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; // the session's
	bool up;
	char reason[160], subject[160];
};

// ---- why it failed ----

struct word {
	long code;
	const char *text;
};

static const char foreign[] = "its certificate was not signed by this cluster's authority";

static const struct word refusals[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED,
	  "its certificate has expired, or this host's clock is ahead" },
	{ X509_V_ERR_CERT_NOT_YET_VALID,
	  "its certificate is not valid yet, or this host's clock is behind" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, foreign },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, foreign },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, foreign },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, foreign },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, foreign },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, foreign },
};

static const struct word alerts[] = {
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
	  "it refuses this node's certificate: it has another cluster's authority" },
	{ SSL_R_TLSV1_ALERT_DECRYPT_ERROR,
	  "it refuses this node's certificate: it has another cluster's authority" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
	  "it refuses this node's certificate: expired, by its clock" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
	  "it refuses this node's certificate: bad, or not valid yet by its clock" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it refuses this node's certificate" },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it wants a certificate of this node" },
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it has no certificate" },
	{ SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, "it does not speak TLS 1.3" },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, "it hung up" },
};

static const char *word_of(const struct word *words, size_t count, long code)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].code == code)
			return words[i].text;
	return NULL;
}

#define WORD_OF(words, code) word_of(words, sizeof(words) / sizeof((words)[0]), code)

static enum tls_state failed(struct tls *tls)
{
	long verify = SSL_get_verify_result(tls->ssl);
	unsigned long error = ERR_get_error();
	const char *text = NULL;

	if (verify != X509_V_OK) {
		text = WORD_OF(refusals, verify);
		if (!text)
			text = X509_verify_cert_error_string(verify);
	} else if (error) {
		text = WORD_OF(alerts, ERR_GET_REASON(error));
		if (!text)
			text = ERR_reason_error_string(error);
	}
	if (!tls->reason[0])
		snprintf(tls->reason, sizeof(tls->reason), "%s", text ? text : "it hung up");
	ERR_clear_error();
	return TLS_FAILED;
}

// ---- context ----

static int tls_index(void)
{
	// The session that an SSL belongs to: asked for by the callback below.
	return SSL_get_ex_data_X509_STORE_CTX_idx();
}

// Changes no verdict: it only keeps the subject for the log.
static int verified(int good, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, tls_index());
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	struct tls *tls = ssl ? SSL_get_app_data(ssl) : NULL;
	BIO *bio;
	int size;

	if (!tls || !cert || tls->subject[0])
		return good;
	bio = BIO_new(BIO_s_mem());
	if (!bio)
		return good;
	X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253);
	size = BIO_read(bio, tls->subject, sizeof(tls->subject) - 1);
	tls->subject[size > 0 ? size : 0] = 0;
	BIO_free(bio);
	return good;
}

struct tls_context *tls_context_open(const struct cert_keys *keys)
{
	struct tls_context *context = calloc(1, sizeof(*context));
	SSL_CTX *ssl = context ? SSL_CTX_new(TLS_method()) : NULL;

	if (!ssl) {
		free(context);
		return NULL;
	}
	context->ssl = ssl;
	// Without tickets and sessions every connection shows its certificate anew.
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verified);
	SSL_CTX_set_verify_depth(ssl, 1);
	SSL_CTX_set_max_cert_list(ssl, 16 * 1024);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	if (SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_num_tickets(ssl, 0) == 1 &&
	    X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), keys->ca) == 1 &&
	    SSL_CTX_use_certificate(ssl, keys->cert) == 1 &&
	    SSL_CTX_use_PrivateKey(ssl, keys->key) == 1 &&
	    SSL_CTX_add_client_CA(ssl, keys->ca) == 1)
		return context;
	ERR_clear_error();
	tls_context_close(context);
	return NULL;
}

void tls_context_close(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	free(context);
}

// ---- session ----

struct tls *tls_open(struct tls_context *context, bool server)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return NULL;
	tls->ssl = SSL_new(context->ssl);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		SSL_free(tls->ssl);
		free(tls);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_app_data(tls->ssl, tls);
	if (server)
		SSL_set_accept_state(tls->ssl);
	else
		SSL_set_connect_state(tls->ssl);
	return tls;
}

void tls_close(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
	ERR_clear_error();
}

enum tls_state tls_shake(struct tls *tls)
{
	int code;

	if (tls->reason[0])
		return TLS_FAILED;
	if (tls->up)
		return TLS_UP;
	ERR_clear_error();
	code = SSL_do_handshake(tls->ssl);
	if (code == 1) {
		tls->up = true;
		return TLS_UP;
	}
	return SSL_get_error(tls->ssl, code) == SSL_ERROR_WANT_READ ? TLS_SHAKING : failed(tls);
}

enum tls_state tls_input(struct tls *tls, const void *bytes, size_t size)
{
	if (BIO_write(tls->in, bytes, (int)size) != (int)size)
		return failed(tls);
	return tls_shake(tls);
}

int tls_read(struct tls *tls, void *buf, size_t size)
{
	int count;

	ERR_clear_error();
	count = SSL_read(tls->ssl, buf, (int)size);
	if (count > 0)
		return count;
	if (SSL_get_error(tls->ssl, count) == SSL_ERROR_WANT_READ)
		return 0;
	failed(tls);
	return -1;
}

bool tls_write(struct tls *tls, const void *bytes, size_t size)
{
	ERR_clear_error();
	if (SSL_write(tls->ssl, bytes, (int)size) == (int)size)
		return true;
	failed(tls);
	return false;
}

size_t tls_output(struct tls *tls, void *buf, size_t size)
{
	int count = BIO_read(tls->out, buf, (int)size);

	return count > 0 ? (size_t)count : 0;
}

const char *tls_reason(const struct tls *tls)
{
	return tls->reason;
}

const char *tls_subject(const struct tls *tls)
{
	return tls->subject;
}

bool tls_peer_name(const struct tls *tls, char *name, size_t size)
{
	X509 *cert = SSL_get0_peer_certificate(tls->ssl);

	return cert && SSL_get_verify_result(tls->ssl) == X509_V_OK &&
	       cert_daemon_name(cert, name, size);
}
