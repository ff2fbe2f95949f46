// SPDX-License-Identifier: Apache-2.0
// Several commands to QEMU's monitor, each only when the one before it succeeded.
#pragma once

#include "resources/qmp_io.h"

enum { SCRIPT_STEPS_MAX = 10 };

struct script_step {
	const char *name; // a constant
	char *arguments;  // malloc'd, or NULL
	int fd;		  // given along; -1: none
	bool may_fail;
};

// In the owner's memory, zeroed before first use.
struct qmp_script {
	struct qmp *qmp;
	uint32_t count, at;
	uint32_t stale; // answers still to come to commands of dropped scripts
	bool running, broken;
	struct script_step steps[SCRIPT_STEPS_MAX];
	qmp_reply_fn done;
	void *owner;
};

// Forgets what it was. `done`: with the last command's answer, or the first failure's words.
void script_begin(struct qmp_script *script, struct qmp *qmp, qmp_reply_fn done, void *owner);
// Takes over `arguments`, which are to be malloc'd: NULL is a failure of the script; "" is none.
void script_add(struct qmp_script *script, const char *name, char *arguments);
// One whose failure is none of the script's.
void script_try(struct qmp_script *script, const char *name, char *arguments);
// `fd` is copied when the command is sent.
void script_add_fd(struct qmp_script *script, const char *name, char *arguments, int fd);
void script_run(struct qmp_script *script);
// `done` will not be called. The command that was sent last may still be carried out.
void script_drop(struct qmp_script *script);
// Its monitor was closed: nothing more is heard.
void script_closed(struct qmp_script *script);
// The command that was sent last and not answered; NULL: none.
const char *script_sent(const struct qmp_script *script);
