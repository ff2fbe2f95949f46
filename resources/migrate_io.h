// SPDX-License-Identifier: Apache-2.0
// Migration in QEMU's words: what it is told, and what it answers. JSON as text on both sides.
//
// What a QEMU can do is asked of it (query-migrate-capabilities), never read from its version.
// Texts that are returned are malloc'd; NULL: out of memory.
#pragma once

#include "clusterd/action.h"
#include "clusterd/event.h"

enum migrate_capability {
	CAPABILITY_EVENTS,
	CAPABILITY_PAUSE, // before the switchover
	CAPABILITY_RETURN_PATH,
	CAPABILITY_MULTIFD,
	CAPABILITY_AUTO_CONVERGE,
	CAPABILITY_POST_COPY,
	CAPABILITY_LATE_BLOCK, // the target takes the disks when it continues
	CAPABILITY_ZERO_COPY,
	CAPABILITY_XBZRLE,
	CAPABILITY_COMPRESS,
	CAPABILITY_SNAPSHOT,
	CAPABILITY_COUNT,
};

// Where QEMU finds its certificates, and the name that they have in it.
#define MIGRATE_CREDENTIALS "clusterd-tls"
#define MIGRATE_AUTHORIZATION "clusterd-peer"

enum { MIGRATE_NO_LIMIT_SHIFT = 50 }; // bytes a second, as a power of two

// What query-migrate says. Members that it does not name are zero.
struct migrate_answer {
	uint8_t status; // enum migrate_status; NONE also for words not known
	bool sums;	// its totals are filled in
	struct migrate_stats stats;
	char reason[REASON_SIZE]; // of a failure
	uint32_t port;		  // where it listens; 0: it does not
};

// False: not a word for a status (or one that passes by: "cancelling").
bool migrate_status_read(const char *word, uint8_t *status);
// Of a mask: 1 << enum migrate_capability.
bool migrate_capabilities_read(const char *json, uint32_t *known);
bool migrate_answer_read(const char *json, struct migrate_answer *answer);
// The word in the answer to query-status; false: none, or it does not fit.
bool migrate_run_word(const char *json, char *word, size_t size);
// The answer to query-dirty-rate; false: not yet measured, or not understood.
bool migrate_dirty_rate_read(const char *json, uint64_t *bytes_a_second);

// Arguments of commands.
char *migrate_capabilities_write(uint32_t known, uint32_t on);
// migrate-set-parameters: all, before the start. `source`: else those of a target.
char *migrate_parameters_write(const struct migrate_params *params, bool source);
// migrate-set-parameters: what may be changed while it is under way.
char *migrate_tune_write(const struct migrate_params *params, bool throttle);
// object-add: certificates in `folder`; and that only `peer`'s certificate is let in.
char *migrate_credentials_write(const char *folder, bool source);
char *migrate_authorization_write(const char *peer);
// {"uri": "tcp:..."} for migrate and migrate-incoming; {"uri": "fd:NAME"}.
char *migrate_address_write(const char *address, uint32_t port);
char *migrate_fd_write(const char *name);
// {"NAME": "VALUE"}
char *migrate_text_write(const char *name, const char *value);
