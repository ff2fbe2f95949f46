// SPDX-License-Identifier: Apache-2.0
// The messages between clustadm and clusterd on one host; what they carry is JSON text.
//
// Both ends are of one machine and usually of one build; IPC_VERSION tells the two apart after an
// upgrade.
#pragma once

#include <stdint.h>

enum { IPC_VERSION = 1, IPC_CHUNK_SIZE = 64 * 1024 };

enum ipc_message {
	IPC_PART = 1, // a piece of a request; more follow. Answered by an empty piece
	IPC_LAST,     // the last piece of a request. Answered by the first piece of the answer
	IPC_NEXT,     // the next piece of the answer
};

// Laid out to begin with libqb's header, which is (id, size) one way and (id, size, error) the
// other.
struct ipc_request_head {
	int32_t id __attribute__((aligned(8)));	  // enum ipc_message
	int32_t size __attribute__((aligned(8))); // head and text
	uint32_t version;
	uint32_t reserved;
} __attribute__((aligned(8)));

struct ipc_reply_head {
	int32_t id __attribute__((aligned(8)));
	int32_t size __attribute__((aligned(8)));
	int32_t error __attribute__((aligned(8)));
	uint32_t version __attribute__((aligned(8)));
	uint32_t reserved;
	uint64_t total;	 // of the whole answer
	uint64_t offset; // of this piece
} __attribute__((aligned(8)));
