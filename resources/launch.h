// SPDX-License-Identifier: Apache-2.0
// clusterd-launch: the process that becomes a VM's QEMU, and what it and clusterd say to each
// other.
//
// Started with: clusterd-launch UID GID KVM_GID CGROUP [BRIDGE...] [pci=ADDRESS...]; descriptor 3
// is a SOCK_SEQPACKET socket to clusterd, 2 the VM's log. It registers with sanlock, makes one tap
// device per bridge (descriptors from LAUNCH_TAP_FD), gives the host's devices to QEMU's user, then
// reports READY and waits. GO brings QEMU's argument vector; the socket's end of file before that
// ends it. The socket closes when QEMU was executed.
#pragma once

enum {
	LAUNCH_FD = 3,
	LAUNCH_TAP_FD = 20,
	LAUNCH_PACKET_MAX = 64 * 1024,
};

// First byte of a packet.
enum launch_message {
	LAUNCH_READY = 'R',	// "pid start" of the sanlock daemon that it is registered with
	LAUNCH_FAILED = 'E',	// text: why it ends
	LAUNCH_GO = 'G',	// argument vector, each string with its zero
};

// Registers this process with sanlock and gives up the right to ask for leases itself. The
// descriptor, to be kept open across exec by QEMU alone, or -1 with a text.
int launch_register(char *reason, unsigned long size);
