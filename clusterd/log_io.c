// SPDX-License-Identifier: Apache-2.0
#include "clusterd/log_io.h"

#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

// What killed daemons left in shared memory; the newest stays, for whoever asks what the last one
// did.
static void blackboxes_tidy(const char *name)
{
	char pattern[128];
	glob_t found = { 0 };
	const char *newest = NULL;
	struct timespec newest_time = { 0 };

	snprintf(pattern, sizeof(pattern), "/dev/shm/qb-%.32s-[0-9]*-blackbox-header", name);
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat stat_;

		if (stat(found.gl_pathv[i], &stat_) == 0 &&
		    stat_.st_mtim.tv_sec >= newest_time.tv_sec) {
			newest_time = stat_.st_mtim;
			newest = found.gl_pathv[i];
		}
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *path = found.gl_pathv[i];
		long pid = strtol(path + strlen("/dev/shm/qb-") + strlen(name) + 1, NULL, 10);

		if (path == newest || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		unlink(path);
		strcpy(path + strlen(path) - strlen("header"), "data");
		unlink(path);
	}
	globfree(&found);
}

int log_open(const char *name, bool foreground, bool verbose)
{
	int rc;

	blackboxes_tidy(name);
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
