// SPDX-License-Identifier: Apache-2.0
/*
 * A VM that is defined with other CPUs or memory while it runs keeps what its QEMU has, wherever it
 * moves; what its definition says is taken when it next runs nowhere. Until then its definition
 * here (cluster.defs) is of what it has, so that everything that counts, counts that.
 */
#include "clusterd/apply_internal.h"

static bool keeps_its_size(const struct vm *vm)
{
	return vm_owned(vm) || vm->unproven != 0 || vm->saved != SAVED_NONE || vm->move != 0;
}

void size_kept(const struct vm_def *old, struct vm_def *def)
{
	def->cpus = old->cpus;
	def->memory_mib = old->memory_mib;
}

void size_define(struct vm *vm, const struct vm_def *old, struct vm_def *def)
{
	vm->next_cpus = vm->next_memory_mib = 0;
	if (!keeps_its_size(vm) || (old->cpus == def->cpus && old->memory_mib == def->memory_mib))
		return;
	vm->next_cpus = def->cpus;
	vm->next_memory_mib = def->memory_mib;
	size_kept(old, def);
}

void size_take(struct apply *a, struct vm *vm)
{
	struct vm_def *def = &a->cluster->defs[vm->ref.slot];

	if (vm->next_cpus == 0 || keeps_its_size(vm))
		return;
	def->cpus = vm->next_cpus;
	def->memory_mib = vm->next_memory_mib;
	vm->next_cpus = vm->next_memory_mib = 0;
}
