// SPDX-License-Identifier: Apache-2.0
// The CPU and the machine that a VM starts with, and what its QEMU made of the former.
#include <stdlib.h>
#include <string.h>

#include "clusterd/cpu.h"
#include "resources/facts_io.h"
#include "resources/host_internal.h"

// Its CPU and its machine as the cluster has fixed them, and not as this host would have them.
bool host_vm_take_hardware(struct host_vm *vm, const struct cluster *cluster,
			   const struct vm *wanted)
{
	const struct vm_def *def = vm_definition(cluster, wanted);
	const struct cluster_node *self =
		cluster_node_by_id((struct cluster *)(uintptr_t)cluster, vm->host->config.node_id);
	char *argument = malloc(CPU_ARGUMENT_SIZE);

	free(vm->cpu_argument);
	vm->cpu_argument = NULL;
	vm->cpu_known = wanted->cpu_known;
	vm->cpu = wanted->cpu;
	vm->cpu_named = def->cpu_mode == CPU_MODEL;
	if (argument && self && cpu_argument(def, wanted, self, argument, CPU_ARGUMENT_SIZE))
		vm->cpu_argument = argument;
	else
		free(argument);
	free(vm->def);
	vm->def = malloc(sizeof(*vm->def));
	if (!vm->def)
		return false;
	*vm->def = *def;
	if (wanted->machine[0])
		memcpy(vm->def->machine, wanted->machine, sizeof(vm->def->machine));
	return true;
}

static void vm_heard_model(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;
	char other[TEXT_SIZE];

	memset(&vm->cpu, 0, sizeof(vm->cpu));
	vm->cpu_known = ok && facts_read_expansion(text, &vm->cpu, other);
}

static void vm_heard_unavailable(void *owner, bool ok, const char *text)
{
	struct host_vm *vm = owner;

	vm->cpu_known = vm->cpu_known && ok && facts_read_unavailable(text, &vm->cpu);
}

/*
 * What its CPU really is: what was asked for, less what QEMU could not give. Asked before it is let
 * go, so that the answers are there when it runs.
 */
void host_vm_ask_cpu(struct host_vm *vm)
{
	char *arguments;

	if (!vm->cpu_argument)
		return;
	arguments = vm->cpu_named ? facts_expansion_arguments(vm->cpu_argument) : NULL;
	if (arguments)
		qmp_command(vm->qmp, "query-cpu-model-expansion", arguments, vm_heard_model, vm);
	qmp_command(vm->qmp, "qom-get",
		    "{\"path\":\"/machine/unattached/device[0]\",\"property\":"
		    "\"unavailable-features\"}",
		    vm_heard_unavailable, vm);
	free(arguments);
}
