// SPDX-License-Identifier: Apache-2.0
// The cluster's own certificate authority, and what it signs: a folder of PEM files.
//
//   cluster-ca.pem              the authority's certificate and key; the same on every node, as
//                               corosync's authkey is, so that every node can renew its own
//   ca-cert.pem                 the authority's certificate alone
//   node-cert.pem, -key.pem     clusterd's own, for the links between daemons
//   server-cert.pem, -key.pem   QEMU's when it receives; with ca-cert.pem as its tls-creds-x509
//   client-cert.pem, -key.pem   has them in a directory; and when it sends
//
// QEMU has certificates of its own because a daemon's word outranks a QEMU's: who breaks out of a
// guest must not be able to speak for the host. QEMU's subject is "CN=<node>", the daemon's also
// has an organisational unit, without which no daemon listens to it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clusterd/limits.h"

struct x509_st;
struct evp_pkey_st;

enum {
	CERT_CA_DAYS = 20 * 365,
	CERT_NODE_DAYS = 2 * 365,
	CERT_WARN_DAYS = 30, // an end as near as this is worth a warning
	CERT_DAY_S = 24 * 3600,
};

// Why something could not be had, for people and for programs, with the smallest fix.
struct cert_problem {
	char code[24];
	char reason[320];
	char fix[256];
};

struct cert_facts {
	bool there;
	char subject[160], issuer[160];
	char name[NAME_SIZE]; // the subject's common name
	char serial[48];
	int64_t from_s, until_s; // unix time
};

struct cert_folder {
	struct cert_facts ca, node, server, client;
	bool ca_key;	    // cluster-ca.pem is here: this node can renew
	uint64_t authority; // tells one authority from another; 0: none
	int64_t expires_s;  // the earliest end of all of them; 0: none
};

// What a link needs of them; freed with cert_keys_free().
struct cert_keys {
	struct x509_st *ca, *cert;
	struct evp_pkey_st *key;
};

// Makes an authority. Where one is already that is refused ("exists"), unless `replace`.
bool cert_authority_make(const char *folder, const char *cluster, int64_t now_s, uint32_t days,
			 bool replace, struct cert_problem *problem);
// Takes the one that another node made: the bytes of its cluster-ca.pem. The same one again
// changes nothing; another one is refused unless `replace`.
bool cert_authority_take(const char *folder, const char *pem, size_t size, bool replace,
			 int64_t now_s, struct cert_problem *problem);
// This node's certificates, signed by the folder's authority. Keys that are there are kept, so
// that a certificate and its key fit at every moment; `fresh` makes new ones.
bool cert_node_make(const char *folder, const char *name, int64_t now_s, uint32_t days, bool fresh,
		    struct cert_problem *problem);
// Looks at all of it: keys fit, signed by this authority, valid now. `found` is filled as far as it
// can be read, also when it returns false with the first problem. `keys` may be NULL.
bool cert_folder_read(const char *folder, int64_t now_s, struct cert_folder *found,
		      struct cert_keys *keys, struct cert_problem *problem);
void cert_keys_free(struct cert_keys *keys);

// Of a peer's certificate that its chain was checked of: whose daemon it is. False: it is no
// daemon's.
bool cert_daemon_name(struct x509_st *cert, char *name, size_t size);

// A moment as "2026-11-20 09:30:00 UTC".
void cert_time_text(int64_t at_s, char *buf, size_t size);
