// SPDX-License-Identifier: Apache-2.0
// Stands in for QEMU, with as much of migration as its monitor shows of it; one of its commands
// fails, hangs up, or is its last.
#pragma once

enum { FAKE_MOVE_PORT = 4711, FAKE_MOVE_STATE = 100000 };

enum fake_move_fault {
	FAKE_MOVE_ERROR,
	FAKE_MOVE_HANGS_UP,
	FAKE_MOVE_DIES,
	FAKE_MOVE_FAILS, // it is done, and what it began fails later
	FAKE_MOVE_COUNT
};

// The launcher's child, and QEMU after it. The VM's UUID, `name`, tells what is played, what goes
// wrong, and at which command. Beside the host's folder `run` it writes the file `told`: "+" when
// that command came, and some words for whatever must not happen.
int fake_move_qemu(const char *name, unsigned int limit_s);
