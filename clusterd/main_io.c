// SPDX-License-Identifier: Apache-2.0
// The daemon's command line.
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clusterd/log_io.h"
#include "clusterd/memory_io.h"
#include "clusterd/output_io.h"
#include "clusterd/shell_io.h"
#include "resources/host_io.h"

static const char usage[] =
	"usage: clusterd [--foreground] [--verbose]\n"
	"       clusterd --end-orphans     end QEMUs whose sanlock is gone (run before sanlock "
	"starts)\n"
	"       clusterd --help | --version\n"
	"\n"
	"  --foreground       stay attached, log to standard error\n"
	"  --verbose          let the libraries' own log lines through\n"
	"  --state-dir DIR    the store [" CLUSTERD_STATE_DIR "]\n"
	"  --run-dir DIR      records and sockets of VMs [" CLUSTERD_RUN_DIR "]\n"
	"  --fence-dir DIR    more fence agents, beside /usr/sbin\n"
	"  --self-fence PROGRAM\n                     resets this host at once [the kernel's "
	"sysrq]\n"
	"  --script-dir DIR   scripts of policies [" CLUSTERD_CONFIG_DIR "/scripts]\n"
	"  --pki-dir DIR      the certificates [" CLUSTERD_CONFIG_DIR "/pki]\n"
	"  --trace FILE       append a line per event and action, with CLOCK_MONOTONIC in us\n"
	"\n"
	"See clusterd(8).\n";

enum option_code {
	OPTION_ORPHANS = 256,
	OPTION_VERSION,
	OPTION_STATE_DIR,
	OPTION_RUN_DIR,
	OPTION_FENCE_DIR,
	OPTION_SELF_FENCE,
	OPTION_TRACE,
	OPTION_PKI_DIR,
	OPTION_SCRIPT_DIR,
};

static const struct option options[] = {
	{ "foreground", no_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "end-orphans", no_argument, NULL, OPTION_ORPHANS },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
	{ "fence-dir", required_argument, NULL, OPTION_FENCE_DIR },
	{ "self-fence", required_argument, NULL, OPTION_SELF_FENCE },
	{ "pki-dir", required_argument, NULL, OPTION_PKI_DIR },
	{ "script-dir", required_argument, NULL, OPTION_SCRIPT_DIR },
	{ "trace", required_argument, NULL, OPTION_TRACE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int end_orphans(const char *run_dir)
{
	int left = host_end_orphans(run_dir);

	if (left < 0)
		fprintf(stderr, "clusterd: %s/vms: %s: sanlock must not start\n", run_dir,
			strerror(-left));
	else if (left > 0)
		fprintf(stderr,
			"clusterd: %d QEMU of an earlier sanlock could not be ended, or their "
			"records in %s/vms could not be read: sanlock must not start\n",
			left, run_dir);
	return left != 0;
}

int main(int argc, char **argv)
{
	struct shell_config config = {
		.state_dir = CLUSTERD_STATE_DIR,
		.run_dir = CLUSTERD_RUN_DIR,
		.service = "clusterd",
		.group = CLUSTERD_GROUP,
		.qemu = CLUSTERD_QEMU,
		.qemu_user = CLUSTERD_QEMU_USER,
		.script_user = CLUSTERD_SCRIPT_USER,
		.script_dir = CLUSTERD_CONFIG_DIR "/scripts",
		.libexec_dir = CLUSTERD_LIBEXEC_DIR,
		.data_dir = CLUSTERD_DATA_DIR,
		.pki_dir = CLUSTERD_CONFIG_DIR "/pki",
	};
	bool foreground = false, verbose = false, orphans = false;
	int code;

	output_open();
	while ((code = getopt_long(argc, argv, "fvh", options, NULL)) != -1) {
		switch (code) {
		case 'f': foreground = true; break;
		case 'v': verbose = true; break;
		case OPTION_ORPHANS: orphans = true; break;
		case OPTION_STATE_DIR: config.state_dir = optarg; break;
		case OPTION_RUN_DIR: config.run_dir = optarg; break;
		case OPTION_FENCE_DIR: config.fence_dir = optarg; break;
		case OPTION_SELF_FENCE: config.self_fence = optarg; break;
		case OPTION_PKI_DIR: config.pki_dir = optarg; break;
		case OPTION_SCRIPT_DIR:
			config.script_dir = optarg;
			break;
		case OPTION_TRACE: config.trace = optarg; break;
		case OPTION_VERSION: puts("clusterd " CLUSTERD_VERSION); return 0;
		case 'h': fputs(usage, stdout); return 0;
		default: fputs(usage, stderr); return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "clusterd: unexpected argument %s\n%s", argv[optind], usage);
		return 2;
	}
	if (orphans)
		return end_orphans(config.run_dir);
	if (geteuid() != 0) {
		fputs("clusterd: needs root\n", stderr);
		return 1;
	}
	if (!foreground && daemon(0, 0) != 0) {
		perror("clusterd: daemon");
		return 1;
	}
	memory_open();
	if (log_open("clusterd", foreground, verbose) != 0)
		fputs("clusterd: logging is limited\n", stderr);
	code = shell_run(&config);
	log_close();
	return code;
}
