// SPDX-License-Identifier: Apache-2.0
// Three nodes and the VMs that a test lets run on one of them, for rounds of the coordinator.
#pragma once

#include "tests/unit/cluster_fixture.h"

#include "clusterd/node_internal.h"
#include "clusterd/whatif.h"

enum { N1, N2, N3, EVERY = 7 };

static struct fixture f;
static struct whatif whatif;
static void *memory;   // of whatif; freed at the end
static uint32_t begun; // counted by the test

static int begin(void **state)
{
	(void)state;
	fixture_open(&f, 32, 64, 16);
	fixture_cluster(&f);
	for (uint32_t i = 1; i <= 3; i++)
		f.cluster.voters.list[i - 1] = (struct voter){ i, i };
	f.cluster.voters.count = 3;
	begun = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_close(&f);
	free(memory);
	memory = NULL;
	return 0;
}

static struct vm_def *define(const char *name, int32_t priority, uint32_t mib)
{
	struct vm_def *def = doc_vm(&f, name, "v1");

	def->priority = priority;
	def->memory_mib = mib;
	return def;
}

// Applies the document; its VMs run on the node of this slot.
static void run_all(uint8_t slot)
{
	uint32_t count = f.doc.vm_count;
	char names[16][NAME_SIZE];

	for (uint32_t i = 0; i < count; i++)
		text_copy(names[i], NAME_SIZE, f.vms[i].name);
	doc_accept(&f);
	doc_begin(&f);
	for (uint32_t i = 0; i < count; i++)
		run_vm(&f, names[i], slot);
}
