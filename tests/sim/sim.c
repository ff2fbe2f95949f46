// SPDX-License-Identifier: Apache-2.0
// clustersim: whole clusters in one process, by seeds; and stories.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clusterd/output_io.h"
#include "tests/sim/replay.h"
#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

enum { JOBS_MAX = 64, FAILURES_MAX = 256, SEED_LIMIT_S = 10 };

struct failure {
	uint64_t seed;
	char text[640];
};

// Between the jobs and their parent.
struct board {
	_Atomic uint64_t next, done;
	_Atomic uint32_t failure_count;
	uint64_t from, count;
	_Atomic uint64_t current[JOBS_MAX];	// seed + 1 under way; 0: none
	_Atomic uint64_t stats[STAT_COUNT];
	_Atomic uint64_t virtual_us;
	struct failure failures[FAILURES_MAX];
};

struct options {
	uint64_t from, count;
	uint32_t jobs, hosts, vms;
	bool trace, update;
};

static void usage(FILE *out)
{
	fputs("Usage: clustersim seeds [--from N] [--count N] [--jobs N] [--nodes N] [--vms N]\n"
	      "       clustersim seed N [--nodes N] [--vms N] [--trace] [--record FOLDER]\n"
	      "       clustersim run SCENARIO.json [--trace OUT] [--story]\n"
	      "       clustersim run --capabilities\n"
	      "       clustersim story [--update] FILE...\n"
	      "       clustersim replay [--print] [--other-version] FILE|FOLDER...\n"
	      "       clustersim --help|--version\n",
	      out);
}

static void print_config(FILE *out, const struct world_config *config)
{
	fprintf(out,
		"  %u nodes, %u VMs, %u volumes, io_timeout %u s, detection %u ms, hold %u s "
		"(policy %u), "
		"watchdogs %#x, fence devices %#x\n  troubles:",
		config->hosts, config->vms, config->disks, config->io_timeout_s,
		(unsigned int)(config->detection_us / 1000), config->no_quorum_hold_s,
		config->no_quorum, (unsigned int)config->watchdogs, (unsigned int)config->fences);
	for (uint32_t t = 0; t < TROUBLE_COUNT; t++)
		if (config->troubles >> t & 1)
			fprintf(out, " %s", trouble_word((enum trouble)t));
	fprintf(out, "%s%s%s\n", config->troubles ? "" : " none", config->dense ? " (dense)" : "",
		config->early ? " (early)" : "");
}

static void board_fail(struct board *board, uint64_t seed, const char *text)
{
	uint32_t at = atomic_fetch_add(&board->failure_count, 1);

	if (at >= FAILURES_MAX)
		return;
	board->failures[at].seed = seed;
	snprintf(board->failures[at].text, sizeof(board->failures[at].text), "%s", text);
}

static void job_run(struct board *board, uint32_t job, const struct options *options)
{
	for (;;) {
		uint64_t number = atomic_fetch_add(&board->next, 1);
		struct world *world;

		if (number >= board->count)
			return;
		atomic_store(&board->current[job], board->from + number + 1);
		alarm(SEED_LIMIT_S);
		if (!seed_run(board->from + number, options->hosts, options->vms, NULL, &world)) {
			char text[600];

			snprintf(text, sizeof(text), "%llu.%03llu %s",
				 (unsigned long long)(world->failed_us / 1000000),
				 (unsigned long long)(world->failed_us / 1000 % 1000),
				 world->failure);
			board_fail(board, board->from + number, text);
		}
		for (uint32_t s = 0; s < STAT_COUNT; s++)
			atomic_fetch_add(&board->stats[s], world->stats[s]);
		atomic_fetch_add(&board->virtual_us, world->now_us);
		world_free(world);
		alarm(0);
		atomic_store(&board->current[job], 0);
		atomic_fetch_add(&board->done, 1);
	}
}

static pid_t job_start(struct board *board, uint32_t job, const struct options *options)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	job_run(board, job, options);
	_exit(0);
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void progress(const struct board *board, double began)
{
	uint64_t done = atomic_load(&board->done);
	char bar[41];

	if (!isatty(STDERR_FILENO))
		return;
	memset(bar, '.', 40);
	memset(bar, '#', (size_t)(done * 40 / board->count));
	bar[40] = 0;
	fprintf(stderr, "\r[%s] %llu of %llu seeds, %u failed, %.0f s ", bar,
		(unsigned long long)done, (unsigned long long)board->count,
		(unsigned int)atomic_load(&board->failure_count), seconds_now() - began);
}

static int failure_order(const void *a, const void *b)
{
	const struct failure *x = a, *y = b;

	return x->seed < y->seed ? -1 : x->seed > y->seed;
}

static void print_failures(struct board *board, const struct options *options)
{
	uint32_t count = atomic_load(&board->failure_count);

	if (count > FAILURES_MAX)
		count = FAILURES_MAX;
	qsort(board->failures, count, sizeof(board->failures[0]), failure_order);
	for (uint32_t i = 0; i < count; i++) {
		const struct failure *failure = &board->failures[i];
		struct world_config config =
			config_of_seed(failure->seed, options->hosts, options->vms);

		printf("seed %llu FAILED: %s\n", (unsigned long long)failure->seed, failure->text);
		print_config(stdout, &config);
		printf("  replay: clustersim seed %llu", (unsigned long long)failure->seed);
		if (options->hosts)
			printf(" --nodes %u", options->hosts);
		if (options->vms)
			printf(" --vms %u", options->vms);
		printf(" --trace\n");
	}
}

static void print_summary(const struct board *board, double seconds)
{
	double simulated = (double)atomic_load(&board->virtual_us) / 1e6;

	printf("%llu seeds, %u failed; %.0f s of clusters' lives in %.1f s, %.0f times real time\n",
	       (unsigned long long)board->count, (unsigned int)atomic_load(&board->failure_count),
	       simulated, seconds, seconds > 0 ? simulated / seconds : 0);
	for (uint32_t s = 0; s < STAT_COUNT; s++)
		printf("  %-28s %llu\n", stat_word((enum stat)s),
		       (unsigned long long)atomic_load(&board->stats[s]));
}

static void job_ended(struct board *board, uint32_t job, int status)
{
	uint64_t current = atomic_exchange(&board->current[job], 0);
	char text[128];

	if (current == 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(text, sizeof(text), "it does not end within %d s", SEED_LIMIT_S);
	else
		snprintf(text, sizeof(text), "the process was ended by signal %d",
			 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	board_fail(board, current - 1, text);
	atomic_fetch_add(&board->done, 1);
}

static int run_seeds(const struct options *options)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double began = seconds_now();
	pid_t pids[JOBS_MAX] = { 0 };
	uint32_t living = 0;

	if (board == MAP_FAILED) {
		perror("clustersim: mmap");
		return 1;
	}
	board->from = options->from;
	board->count = options->count;
	for (uint32_t job = 0; job < options->jobs; job++, living++)
		pids[job] = job_start(board, job, options);
	while (living > 0) {
		struct timespec pause = { 0, 100000000 };
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid <= 0) {
			progress(board, began);
			nanosleep(&pause, NULL);
			continue;
		}
		for (uint32_t job = 0; job < options->jobs; job++) {
			if (pids[job] != pid)
				continue;
			job_ended(board, job, status);
			pids[job] = 0;
			living--;
			if (!WIFEXITED(status) && atomic_load(&board->next) < board->count) {
				pids[job] = job_start(board, job, options);
				living++;
			}
		}
	}
	progress(board, began);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	print_summary(board, seconds_now() - began);
	print_failures(board, options);
	return atomic_load(&board->failure_count) ? 1 : 0;
}

static int run_seed(const struct options *options, uint64_t seed)
{
	struct world_config config = config_of_seed(seed, options->hosts, options->vms);
	struct world *world;
	bool good;

	printf("seed %llu\n", (unsigned long long)seed);
	print_config(stdout, &config);
	fflush(stdout);
	if (options->trace)
		setvbuf(stdout, NULL, _IOLBF, 0);	// a trap must not swallow the last lines
	good = seed_run(seed, options->hosts, options->vms, options->trace ? stdout : NULL, &world);
	printf("seed %llu: %s after %llu s\n", (unsigned long long)seed,
	       good ? "good" : world->failure, (unsigned long long)(world->now_us / 1000000));
	if (!options->trace)
		for (uint32_t s = 0; s < STAT_COUNT; s++)
			printf("  %-28s %llu\n", stat_word((enum stat)s),
			       (unsigned long long)world->stats[s]);
	world_free(world);
	return good ? 0 : 1;
}

static bool number_of(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno == 0 && end != text && !*end && text[0] != '-' && *number <= max)
		return true;
	fprintf(stderr, "clustersim: \"%s\" is not a number up to %llu\n", text,
		(unsigned long long)max);
	return false;
}

static bool options_read(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "nodes", required_argument, NULL, 'n' },
		{ "vms", required_argument, NULL, 'v' },
		{ "trace", no_argument, NULL, 't' },
		{ "update", no_argument, NULL, 'u' },
		{ "record", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t number = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (strchr("fcjnv", c) && !number_of(optarg,
						     c == 'j'	? JOBS_MAX
						     : c == 'n' ? SIM_HOSTS_MAX
						     : c == 'v' ? SIM_VMS_MAX - 8
								: UINT64_MAX / 2,
						     &number))
			return false;
		switch (c) {
		case 'f':
			options->from = number;
			break;
		case 'c':
			options->count = number;
			break;
		case 'j':
			options->jobs = number ? (uint32_t)number : 1;
			break;
		case 'n':
			options->hosts = (uint32_t)number;
			break;
		case 'v':
			options->vms = (uint32_t)number;
			break;
		case 't':
			options->trace = true;
			break;
		case 'r':
			record_to(optarg);
			break;
		case 'u':
			options->update = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

static int simulate(int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct options options = { .from = 1,
				   .count = 1000,
				   .jobs = processors > 0 ? (uint32_t)processors : 1 };
	const char *update = getenv("UPDATE");
	int failed = 0;

	if (argc > 1 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
			 strcmp(argv[1], "-h") == 0)) {
		usage(stdout);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("clustersim (" PACKAGE_NAME ") " PACKAGE_VERSION);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "replay") == 0)
		return replay_run(argv + 2, argc - 2);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return scenario_main(argc - 1, argv + 1);
	if (!options_read(argc, argv, &options) || optind >= argc) {
		usage(stderr);
		return 2;
	}
	if (options.jobs > JOBS_MAX)
		options.jobs = JOBS_MAX;
	if (options.hosts == 1 || options.hosts == 2) {
		fputs("clustersim: 3 nodes at least\n", stderr);
		return 2;
	}
	options.update = options.update || (update && *update);
	if (strcmp(argv[optind], "seeds") == 0 && optind + 1 == argc && options.count > 0)
		return run_seeds(&options);
	if (strcmp(argv[optind], "seed") == 0 && optind + 2 == argc) {
		uint64_t seed;

		return number_of(argv[optind + 1], UINT64_MAX / 2, &seed) ? run_seed(&options, seed)
									  : 2;
	}
	if (strcmp(argv[optind], "story") == 0 && optind + 1 < argc) {
		for (int i = optind + 1; i < argc; i++)
			failed |= story_run(argv[i], options.update);
		return failed;
	}
	usage(stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int status;

	output_open();
	status = simulate(argc, argv);
	return output_close("clustersim") || status ? status : 1;
}
