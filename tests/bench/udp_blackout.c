// SPDX-License-Identifier: Apache-2.0
/*
 * udp_blackout ADDRESS PORT: sends a datagram every millisecond until its standard input ends, then
 * prints how many were sent and answered, and the longest time between two answers, in us. A line
 * on its input begins the count anew.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct counts {
	uint64_t sent, answered, last_ns, longest_ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void answers(int fd, struct counts *counts)
{
	char bytes[256];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0) {
		uint64_t at_ns = now_ns();

		if (counts->last_ns && at_ns - counts->last_ns > counts->longest_ns)
			counts->longest_ns = at_ns - counts->last_ns;
		counts->last_ns = at_ns;
		counts->answered++;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct itimerspec every = { { 0, 1000000 }, { 0, 1000000 } };
	struct counts counts = { 0 };
	struct pollfd polled[3];
	char line[64];

	if (argc != 3 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	polled[0] = (struct pollfd){ socket(AF_INET, SOCK_DGRAM, 0), POLLIN, 0 };
	polled[1] = (struct pollfd){ timerfd_create(CLOCK_MONOTONIC, 0), POLLIN, 0 };
	polled[2] = (struct pollfd){ 0, POLLIN, 0 };
	timerfd_settime(polled[1].fd, 0, &every, NULL);
	puts("sending");
	fflush(stdout);
	while (poll(polled, 3, -1) >= 0 || errno == EINTR) {
		uint64_t ticks;

		if (polled[0].revents)
			answers(polled[0].fd, &counts);
		if (polled[1].revents && read(polled[1].fd, &ticks, sizeof(ticks)) > 0) {
			counts.sent++;
			sendto(polled[0].fd, &counts.sent, sizeof(counts.sent), MSG_DONTWAIT,
			       (struct sockaddr *)&to, sizeof(to));
		}
		if (polled[2].revents) {
			if (read(0, line, sizeof(line)) <= 0)
				break;
			memset(&counts, 0, sizeof(counts));
		}
	}
	printf("%llu %llu %llu\n", (unsigned long long)counts.sent,
	       (unsigned long long)counts.answered, (unsigned long long)counts.longest_ns / 1000);
	return 0;
}
