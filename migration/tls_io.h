// SPDX-License-Identifier: Apache-2.0
// TLS 1.3 with both sides' certificates, between daemons: bytes in, bytes out, no socket.
//
// A chain that the cluster's authority did not sign fails the handshake here; whether the name in
// it may speak is the caller's question.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct cert_keys;
struct tls_context;
struct tls;

enum tls_state { TLS_SHAKING, TLS_UP, TLS_FAILED };

// For any number of sessions, which may outlive it. NULL: OpenSSL does not take the keys.
struct tls_context *tls_context_open(const struct cert_keys *keys);
void tls_context_close(struct tls_context *context);

struct tls *tls_open(struct tls_context *context, bool server); // NULL: no memory
void tls_close(struct tls *tls);

// What came from the socket. Goes on with the handshake.
enum tls_state tls_input(struct tls *tls, const void *bytes, size_t size);
// Begins the handshake, or goes on with it.
enum tls_state tls_shake(struct tls *tls);
// Plain bytes that have come: their number; 0: none yet; -1: the peer closed, or it failed.
int tls_read(struct tls *tls, void *buf, size_t size);
bool tls_write(struct tls *tls, const void *bytes, size_t size);
// What has to go to the socket; its number.
size_t tls_output(struct tls *tls, void *buf, size_t size);

// Why it failed; "" when it did not.
const char *tls_reason(const struct tls *tls);
// The subject of the peer's certificate, for a log line, also when it was refused; "" when none
// came.
const char *tls_subject(const struct tls *tls);
// The node whose daemon the peer is, by its certificate. False: it is nobody's daemon.
bool tls_peer_name(const struct tls *tls, char *name, size_t size);
