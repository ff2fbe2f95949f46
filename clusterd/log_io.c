// SPDX-License-Identifier: Apache-2.0
#include "clusterd/log_io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include <qb/qbdefs.h>
#include <qb/qblog.h>

enum { BLACKBOX_SIZE = 256 * 1024, LOG_LINE_SIZE = 512 };

// libqb's own chatter is for whoever debugs libqb.
static void log_target_set(int target, bool verbose)
{
	qb_log_filter_ctl(target, QB_LOG_FILTER_CLEAR_ALL, QB_LOG_FILTER_FILE, "*", LOG_TRACE);
	if (verbose)
		qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", LOG_DEBUG);
	else
		qb_log_filter_ctl(target, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FUNCTION, "log_text",
				  LOG_INFO);
	qb_log_ctl(target, QB_LOG_CONF_ENABLED, QB_TRUE);
}

int log_open(const char *name, bool foreground, bool verbose)
{
	int rc;

	qb_log_init(name, LOG_DAEMON, LOG_INFO);
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
	if (foreground) {
		qb_log_format_set(QB_LOG_STDERR, isatty(STDERR_FILENO) ? "%t %P: %b" : "%P: %b");
		log_target_set(QB_LOG_STDERR, verbose);
	} else {
		qb_log_format_set(QB_LOG_SYSLOG, "%b");
		log_target_set(QB_LOG_SYSLOG, verbose);
	}
	qb_log_filter_ctl(QB_LOG_BLACKBOX, QB_LOG_FILTER_ADD, QB_LOG_FILTER_FILE, "*", LOG_DEBUG);
	qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_SIZE, BLACKBOX_SIZE);
	rc = qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_ENABLED, QB_TRUE);
	if (rc < 0)
		log_text(LOG_LEVEL_WARNING, "no blackbox: shared memory cannot be had");
	return 0;
}

void log_close(void)
{
	qb_log_fini();
}

void log_text(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	switch (level) {
	case LOG_LEVEL_INFO:
		qb_log(LOG_INFO, "%s", line);
		break;
	case LOG_LEVEL_WARNING:
		qb_log(LOG_WARNING, "%s", line);
		break;
	case LOG_LEVEL_ERROR:
		qb_log(LOG_ERR, "%s", line);
		break;
	}
}

int log_blackbox_write(const char *path)
{
	ssize_t rc = qb_log_blackbox_write_to_file(path);

	return rc < 0 ? (int)rc : 0;
}
