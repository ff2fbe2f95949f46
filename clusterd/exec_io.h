// SPDX-License-Identifier: Apache-2.0
// Runs a program without a shell and reads what it says, for worker threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Its exit status, or -errno (-ETIMEDOUT: it was killed). What it wrote to standard output and
// error, cut to size - 1 bytes, is in `output`.
int exec_run(const char *const *argv, char *output, size_t size, uint32_t timeout_ms);
// The same; its standard input is the file `input`.
int exec_run_input(const char *const *argv, const char *input, char *output, size_t size,
		   uint32_t timeout_ms);

// Field 22 of /proc/PID/stat: when the process started; 0: there is none. `ended` (or NULL): its
// main thread has, while others may still hang in the kernel: only a pidfd says that all of it is
// gone.
uint64_t exec_start_time(pid_t pid, bool *ended);
