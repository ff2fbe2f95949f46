// SPDX-License-Identifier: Apache-2.0
/*
 * Run in a node: how many changes a second there are with 64 in flight; then how long an
 * acknowledged change takes, and, taking turns with it, what it cannot do without: one message
 * around the CPG group and one fdatasync on the store's disk. Prints one line of JSON. The change
 * toggles `wanted` between stopped and disabled, of VMs that never start: nothing follows from it.
 *
 * The lab's nodes share one disk, and a change makes all of them sync at the same time: so the same
 * round trip and fdatasync is also measured while the other nodes do theirs (--peer, until its
 * input ends).
 *
 * usage: command_latency ROUNDS SECONDS FOLDER VM...     (64 VMs)
 *        command_latency --peer FOLDER
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <corosync/cpg.h>

#include "clusterd/ipc_client_io.h"

enum { IN_FLIGHT = 64, ROUNDS_MAX = 100000, MESSAGE_SIZE = 128, ENTRY_ROOM = 512 };

enum message { MESSAGE_PLAIN, MESSAGE_SYNC }; // SYNC: the peers sync their files, too

struct flight {
	const char *vm;
	atomic_bool *stop;
	unsigned long changes, failures;
};

static double clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

__attribute__((noreturn)) static void die(const char *what, int error)
{
	fprintf(stderr, "command_latency: %s: %s\n", what, strerror(error));
	exit(1);
}

// ---- one CPG round trip and one fdatasync ----

// cpg's callbacks get no pointer here that would do better.
static bool cpg_back;
static int peer_fd = -1;

static void file_sync(int fd);

static void cpg_delivered(cpg_handle_t handle, const struct cpg_name *group, uint32_t node,
			  uint32_t pid, void *message, size_t size)
{
	(void)handle;
	(void)group;
	(void)node;
	if (pid == (uint32_t)getpid())
		cpg_back = true;
	else if (peer_fd >= 0 && size > 0 && *(const char *)message == MESSAGE_SYNC)
		file_sync(peer_fd);
}

static cpg_handle_t cpg_open(void)
{
	cpg_callbacks_t callbacks = { .cpg_deliver_fn = cpg_delivered };
	struct cpg_name group = { .length = 5, .value = "bench" };
	cpg_handle_t handle;

	if (cpg_initialize(&handle, &callbacks) != CS_OK || cpg_join(handle, &group) != CS_OK)
		die("cpg", EIO);
	return handle;
}

static void cpg_round(cpg_handle_t handle, enum message kind)
{
	char message[MESSAGE_SIZE] = { (char)kind };
	struct iovec iov = { message, sizeof(message) };
	struct pollfd ready = { .events = POLLIN };

	cpg_back = false;
	if (cpg_fd_get(handle, &ready.fd) != CS_OK ||
	    cpg_mcast_joined(handle, CPG_TYPE_AGREED, &iov, 1) != CS_OK)
		die("cpg", EIO);
	while (!cpg_back) {
		poll(&ready, 1, -1);
		if (cpg_dispatch(handle, CS_DISPATCH_ALL) != CS_OK)
			die("cpg", EIO);
	}
}

static int file_open(const char *folder)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/command-latency.bench", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path, errno);
	unlink(path);
	return fd;
}

static void file_sync(int fd)
{
	char entry[ENTRY_ROOM] = { 0 };

	if (write(fd, entry, sizeof(entry)) != sizeof(entry) || fdatasync(fd) != 0)
		die("fdatasync", errno);
}

// ---- a change ----

static bool change(struct ipc_client_connection *connection, const char *vm, bool disable)
{
	char text[256], *answer;
	size_t size;
	bool good;
	int length = snprintf(text, sizeof(text), "{\"verb\":\"vm %s\",\"name\":\"%s\"}",
			      disable ? "disable" : "stop", vm);
	int error = ipc_client_ask(connection, text, (size_t)length, NULL, NULL, &answer, &size);

	if (error)
		die("clusterd", -error);
	good = strstr(answer, "\"error\"") == NULL;
	if (!good)
		fprintf(stderr, "command_latency: %s\n", answer);
	free(answer);
	return good;
}

static struct ipc_client_connection *connect_daemon(void)
{
	struct ipc_client_connection *connection;
	int error = ipc_client_open(&connection, "clusterd", 5000);

	if (error)
		die("clusterd", -error);
	return connection;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double middle(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(*values), ascending);
	return values[count / 2];
}

static void measure(int rounds, const char *folder, const char *vm)
{
	static double changes[ROUNDS_MAX], floors[ROUNDS_MAX], rings[ROUNDS_MAX], syncs[ROUNDS_MAX],
		crowded[ROUNDS_MAX];
	struct ipc_client_connection *connection = connect_daemon();
	cpg_handle_t cpg = cpg_open();
	int fd = file_open(folder);

	for (int i = -10; i < rounds; i++) { // the first ones warm up
		int at = i < 0 ? 0 : i;
		double began = clock_ms(), turned, ended;

		if (!change(connection, vm, i & 1))
			exit(1);
		changes[at] = clock_ms() - began;
		began = clock_ms();
		cpg_round(cpg, MESSAGE_PLAIN);
		turned = clock_ms();
		file_sync(fd);
		ended = clock_ms();
		rings[at] = turned - began;
		syncs[at] = ended - turned;
		floors[at] = ended - began;
		cpg_round(cpg, MESSAGE_SYNC);
		file_sync(fd);
		crowded[at] = clock_ms() - ended;
	}
	close(fd);
	cpg_finalize(cpg);
	ipc_client_close(connection);
	printf("\"rounds\": %d, \"change_ms\": %.3f, \"floor_ms\": %.3f, \"cpg_ms\": %.3f, "
	       "\"fdatasync_ms\": %.3f, \"crowded_ms\": %.3f}\n",
	       rounds, middle(changes, rounds), middle(floors, rounds), middle(rings, rounds),
	       middle(syncs, rounds), middle(crowded, rounds));
}

static int peer_main(const char *folder)
{
	cpg_handle_t cpg = cpg_open();
	struct pollfd watched[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				     { .events = POLLIN } };

	peer_fd = file_open(folder);
	if (cpg_fd_get(cpg, &watched[1].fd) != CS_OK)
		die("cpg", EIO);
	while (poll(watched, 2, -1) >= 0 && !watched[0].revents)
		if (cpg_dispatch(cpg, CS_DISPATCH_ALL) != CS_OK)
			die("cpg", EIO);
	return 0;
}

static void *flight_main(void *data)
{
	struct flight *flight = data;
	struct ipc_client_connection *connection = connect_daemon();

	while (!atomic_load(flight->stop)) {
		if (change(connection, flight->vm, flight->changes & 1))
			flight->changes++;
		else
			flight->failures++;
	}
	ipc_client_close(connection);
	return NULL;
}

static void measure_many(int seconds, char **vms)
{
	static struct flight flights[IN_FLIGHT];
	pthread_t threads[IN_FLIGHT];
	atomic_bool stop = false;
	unsigned long changes = 0, failures = 0;
	double began = clock_ms();

	for (int i = 0; i < IN_FLIGHT; i++) {
		flights[i] = (struct flight){ .vm = vms[i], .stop = &stop };
		if (pthread_create(&threads[i], NULL, flight_main, &flights[i]) != 0)
			die("pthread_create", EAGAIN);
	}
	sleep((unsigned int)seconds);
	atomic_store(&stop, true);
	for (int i = 0; i < IN_FLIGHT; i++) {
		pthread_join(threads[i], NULL);
		changes += flights[i].changes;
		failures += flights[i].failures;
	}
	printf("{\"in_flight\": %d, \"changes_per_s\": %.0f, \"failures\": %lu, ", IN_FLIGHT,
	       (double)changes * 1000 / (clock_ms() - began), failures);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0, seconds = argc > 2 ? atoi(argv[2]) : 0;

	if (argc == 3 && strcmp(argv[1], "--peer") == 0)
		return peer_main(argv[2]);
	if (argc < 4 + IN_FLIGHT || rounds < 1 || rounds > ROUNDS_MAX || seconds < 1) {
		fputs("usage: command_latency ROUNDS SECONDS FOLDER VM...\n"
		      "       command_latency --peer FOLDER\n",
		      stderr);
		return 2;
	}
	// First, so that the stores' files have the size that they keep.
	measure_many(seconds, argv + 4);
	measure(rounds, argv[3], argv[4]);
	return 0;
}
