// SPDX-License-Identifier: Apache-2.0
// QEMU's monitor: a connection that never blocks the loop and believes nothing that it reads.
#pragma once

#include <stdbool.h>

#include "clusterd/loop_io.h"

enum qmp_notice {
	QMP_READY,	    // capabilities are negotiated
	QMP_STATUS,	    // text: the answer to the first query-status, "running", "prelaunch",
			    // "paused"...
	QMP_RESUMED,	    // the guest's CPUs run
	QMP_STOPPED,	    // text: of an I/O error or a panic; NULL: by a command, or a migration
	QMP_GUEST_SHUTDOWN, // the guest switched itself off
	QMP_SHUTDOWN,	    // switched off by somebody else
	QMP_MIGRATION,	    // text: the status of a migration, either side's: "active"...
	QMP_DEAF,	    // text: no answer, or none that can be understood
	QMP_CLOSED,	    // QEMU closed the connection; a new one is tried
};

struct qmp;

typedef void (*qmp_notice_fn)(void *owner, enum qmp_notice notice, const char *text);
// `text`: the `return` member as JSON, or the error's description. Not called after qmp_close().
typedef void (*qmp_reply_fn)(void *owner, bool ok, const char *text);

// 0 or -errno. Connects to the unix socket at `path`, again and again until QEMU is there.
int qmp_open(struct qmp **qmp, struct loop *loop, const char *path, qmp_notice_fn fn, void *owner);
void qmp_close(struct qmp *qmp);

// `arguments`: a JSON object as text, or NULL. `fn` may be NULL. 0, or -errno when it cannot be
// sent: -ENOTCONN before QMP_READY, -ENOBUFS with too many under way.
int qmp_command(struct qmp *qmp, const char *name, const char *arguments, qmp_reply_fn fn,
		void *owner);
// The same with a descriptor, which QEMU gets a copy of (getfd). -EBUSY: an earlier one has not
// been sent yet.
int qmp_command_fd(struct qmp *qmp, const char *name, const char *arguments, int fd,
		   qmp_reply_fn fn, void *owner);
// Out of turn, where QEMU offers that: also when its main thread is held up. For commands alone
// that QEMU allows it for.
int qmp_urgent(struct qmp *qmp, const char *name, const char *arguments);
