// SPDX-License-Identifier: Apache-2.0
// Log lines of the daemon: to syslog, or to stderr in the foreground, and always to libqb's
// blackbox.
#pragma once

#include <stdbool.h>

#include "clusterd/action.h"

// `name` must stay good until log_close(). `verbose` lets the libraries' own lines through too; the
// blackbox keeps everything. Returns 0 or -errno; without a blackbox (no /dev/shm) it still logs.
int log_open(const char *name, bool foreground, bool verbose);
void log_close(void);

// LOG_LEVEL_ERROR means that a person must look.
void log_text(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Writes the blackbox to a file, to be read with qb-blackbox(8); safe where malloc is. Returns 0 or
// -errno.
int log_blackbox_write(const char *path);
