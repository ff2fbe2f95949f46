// SPDX-License-Identifier: Apache-2.0
/*
 * An observer of corosync's membership that is no part of clusterd: prints CLOCK_MONOTONIC in ns,
 * the ring and the ids of its members, whenever libquorum tells of a membership. What the benches
 * take for the end of detection. Ends with its input.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <corosync/corotypes.h>
#include <corosync/quorum.h>

static void print_members(const char *word, unsigned long long ring, uint32_t count,
			  const uint32_t *ids)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld %s %llu", (long long)now.tv_sec * 1000000000 + now.tv_nsec, word, ring);
	for (uint32_t i = 0; i < count; i++)
		printf(" %u", ids[i]);
	putchar('\n');
	fflush(stdout);
}

static void quorum_changed(quorum_handle_t handle, uint32_t quorate, struct quorum_ring_id ring,
			   uint32_t count, const uint32_t *ids)
{
	(void)handle;
	print_members(quorate ? "quorate" : "inquorate", ring.seq, count, ids);
}

static void nodes_changed(quorum_handle_t handle, struct quorum_ring_id ring, uint32_t count,
			  const uint32_t *ids, uint32_t joined_count, const uint32_t *joined,
			  uint32_t left_count, const uint32_t *left)
{
	(void)handle;
	(void)joined_count;
	(void)joined;
	(void)left_count;
	(void)left;
	print_members("members", ring.seq, count, ids);
}

int main(void)
{
	quorum_model_v1_data_t model = {
		.model = QUORUM_MODEL_V1,
		.quorum_notify_fn = quorum_changed,
		.nodelist_notify_fn = nodes_changed,
	};
	quorum_handle_t handle;
	uint32_t type;
	struct pollfd watched[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				     { .events = POLLIN } };
	cs_error_t error = quorum_model_initialize(&handle, QUORUM_MODEL_V1,
						   (quorum_model_data_t *)&model, &type, NULL);

	if (error == CS_OK)
		error = quorum_trackstart(handle, CS_TRACK_CHANGES | CS_TRACK_CURRENT);
	watched[1].fd = -1;
	if (error == CS_OK)
		error = quorum_fd_get(handle, &watched[1].fd);
	while (error == CS_OK && poll(watched, 2, -1) >= 0) {
		if (watched[0].revents)
			return 0;
		error = quorum_dispatch(handle, CS_DISPATCH_ALL);
	}
	fprintf(stderr, "ring_watch: corosync says %d\n", (int)error);
	return 1;
}
