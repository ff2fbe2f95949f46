/* SPDX-License-Identifier: Apache-2.0 */
/* What a program writes for people goes where they sent it, or they are told that it did not. */
#ifndef CLUSTERD_OUTPUT_IO_H
#define CLUSTERD_OUTPUT_IO_H

#include <stdbool.h>

// Before anything is opened: a standard descriptor that came closed is taken, so that no socket or
// file gets its number and is written to; what is written to it fails.
void output_open(void);

// After which a program that goes on writing need not.
bool output_failed(void);

// At the end: false, and told on standard error, when not all of standard output could be written.
bool output_close(const char *program);

#endif
