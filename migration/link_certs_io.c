// SPDX-License-Identifier: Apache-2.0
/*
 * The certificates of the links, read on a thread and again when their files have changed:
 * `clustadm cert renew` needs no restart, and links that are open stay as they are.
 *
 * What cannot be read leaves the last good ones in use: a renewal is several files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clusterd/codec.h"
#include "clusterd/log_io.h"
#include "migration/link_internal_io.h"

enum { READ_AGAIN_MS = 60000 };

struct link_certs {
	struct link *link; // NULL: closed; not looked at by the thread
	struct worker_task task;
	char folder[PATH_SIZE];
	uint64_t mark, read_ms;
	// What the thread has found.
	bool looked, good;
	struct tls_context *context;
	struct cert_folder found;
	struct cert_problem problem;
};

static void certs_look(void *owner);

static uint64_t files_mark(const char *folder)
{
	static const char *const files[] = { "ca-cert.pem",	"node-cert.pem",  "node-key.pem",
					     "server-cert.pem", "server-key.pem", "client-cert.pem",
					     "client-key.pem" };
	uint64_t hash = hash_start();
	struct stat status;
	char path[PATH_SIZE + 32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		memset(&status, 0, sizeof(status));
		if (stat(path, &status) < 0)
			status.st_size = -errno;
		hash = hash_bytes(hash, &status.st_ino, sizeof(status.st_ino));
		hash = hash_bytes(hash, &status.st_size, sizeof(status.st_size));
		hash = hash_bytes(hash, &status.st_mtim, sizeof(status.st_mtim));
		hash = hash_bytes(hash, &status.st_mode, sizeof(status.st_mode));
	}
	return hash;
}

static void certs_work(void *owner)
{
	struct link_certs *certs = owner;
	uint64_t mark = files_mark(certs->folder), now_ms = link_now_ms();
	struct cert_keys keys = { 0 };

	// Time passes for certificates that do not change, too.
	certs->looked = mark != certs->mark || now_ms - certs->read_ms > READ_AGAIN_MS;
	if (!certs->looked)
		return;
	certs->mark = mark;
	certs->read_ms = now_ms;
	certs->good = cert_folder_read(certs->folder, (int64_t)time(NULL), &certs->found, &keys,
				       &certs->problem);
	certs->context = certs->good ? tls_context_open(&keys) : NULL;
	cert_keys_free(&keys);
	if (certs->good && !certs->context) {
		certs->good = false;
		snprintf(certs->problem.code, sizeof(certs->problem.code), "openssl");
		snprintf(certs->problem.reason, sizeof(certs->problem.reason),
			 "OpenSSL does not take the certificates");
	}
}

static void certs_say(const struct link *link, const char *before)
{
	char text[700];

	if (strcmp(link->problem.reason, before) == 0 || !link->problem.code[0])
		return;
	snprintf(text, sizeof(text), "certificates: %s%s%s", link->problem.reason,
		 link->problem.fix[0] ? "; fix: " : "", link->problem.fix);
	if (link->options.log)
		link->options.log(link->options.owner, LOG_LEVEL_WARNING, text);
	else
		log_text(LOG_LEVEL_WARNING, "%s", text);
}

static void certs_done(void *owner)
{
	struct link_certs *certs = owner;
	struct link *link = certs->link;
	char before[sizeof(link->problem.reason)];

	if (!link) {
		free(certs);
		return;
	}
	link->certs_reading = false;
	loop_timer_ms(link->edge.loop, &link->certs_timer, link->options.look_ms, certs_look, link);
	if (!certs->looked)
		return;
	if (certs->context) {
		tls_context_close(link->context);
		link->context = certs->context;
		certs->context = NULL;
	}
	link->certs_good = certs->good;
	link->found = certs->found;
	memcpy(before, link->problem.reason, sizeof(before));
	link->problem = certs->problem;
	certs_say(link, before);
}

static void certs_look(void *owner)
{
	struct link *link = owner;
	struct link_certs *certs = link->certs;

	link->certs_reading = true;
	certs->task =
		(struct worker_task){ .work = certs_work, .done = certs_done, .owner = certs };
	worker_submit(link->worker, &certs->task);
}

int link_certs_open(struct link *link)
{
	int error;

	link->certs = calloc(1, sizeof(*link->certs));
	if (!link->certs)
		return -ENOMEM;
	link->certs->link = link;
	snprintf(link->certs->folder, sizeof(link->certs->folder), "%s", link->folder);
	error = worker_open(&link->worker, link->edge.loop, 1, "certificates");
	if (!error)
		certs_look(link);
	return error;
}

void link_certs_close(struct link *link)
{
	loop_timer_cancel(&link->certs_timer);
	worker_close(link->worker);
	if (!link->certs)
		return;
	link->certs->link = NULL;
	// The thread may be at it: then its memory is left to it, or to the process's end.
	if (!link->certs_reading)
		free(link->certs);
}
