// SPDX-License-Identifier: Apache-2.0
// The rows of a preflight in words, each with the smallest change that would alter its verdict.
#include <string.h>

#include "clusterd/cpu.h"
#include "clusterd/text.h"
#include "migration/preflight_internal.h"

struct say {
	const struct cluster *cluster;
	const struct vm *vm;
	const struct vm_def *def;
	const struct preflight *result;
	const struct preflight_row *row;
	const struct cluster_node *source; // NULL: it runs nowhere
	const struct cluster_node *target;
	const char *here, *there; // their names
	struct text found, needed, reason, fix;
};

static void add(struct text *text, const char *a, const char *b, const char *c)
{
	text_add(text_add(text_add(text, a), b), c);
}

static void add_mib(struct text *text, uint64_t mib)
{
	text_add(text_add_number(text, mib), " MiB");
}

static void add_version(struct text *text, uint64_t version)
{
	text_add(text_add_number(text, version / 10000), ".");
	text_add(text_add_number(text, version / 100 % 100), ".");
	text_add_number(text, version % 100);
}

static enum preflight_cause why(const struct say *say)
{
	return (enum preflight_cause)say->row->cause;
}

static void say_vm(struct say *say)
{
	text_add(&say->needed, say->result->kind == MOVE_COLD ? "managed" : "running");
	text_add(&say->found, say->vm->managed ? say->vm->phase == VM_RUNNING ? "running" : "off"
					       : "unmanaged");
	if (why(say) == WHY_UNMANAGED) {
		text_add(&say->reason, "it is unmanaged: nothing is done about it");
		add(&say->fix, "clustadm vm manage ", say->def->name, "");
	} else if (why(say) == WHY_BLOCKED) {
		add(&say->reason, "it may still run on ", say->here, "");
		add(&say->fix, "end it there, or: clustadm node fence ", say->here, "");
	} else if (why(say) == WHY_NOT_RUNNING) {
		text_add(&say->reason, "it does not run");
		add(&say->fix, "clustadm vm start ", say->def->name, "");
	} else if (why(say) == WHY_LEFT_ALONE) {
		add(&say->reason, "where it runs, on ", say->here, ", no clusterd answers");
		add(&say->fix, "start clusterd on ", say->here, "");
	}
}

static void say_node(struct say *say)
{
	enum preflight_cause cause = why(say);

	text_add(&say->needed, "online");
	text_add(&say->found, "online");
	if (cause == WHY_NONE)
		return;
	say->found.length = 0;
	text_add(&say->reason, say->there);
	if (cause == WHY_THERE) {
		text_add(&say->found, "where it is");
		say->reason.length = 0;
		add(&say->reason, "it is on ", say->there, " already");
		text_add(&say->fix, "name another node");
	} else if (cause == WHY_UNMANAGED) {
		text_add(&say->found, "unmanaged");
		text_add(&say->reason, " is unmanaged");
		add(&say->fix, "clustadm node manage ", say->there, "");
	} else if (cause == WHY_MAINTENANCE) {
		text_add(&say->found, "maintenance");
		text_add(&say->reason, " is in maintenance");
		add(&say->fix, "clustadm node maintenance ", say->there, " off");
	} else if (cause == WHY_LEAVING) {
		text_add(&say->found, "leaving");
		text_add(&say->reason, " is shutting down");
		add(&say->fix, "wait until ", say->there, " is back");
	} else if (cause == WHY_JOINING) {
		text_add(&say->found, "joining");
		text_add(&say->reason, " is joining");
		add(&say->fix, "wait until ", say->there, " is online");
	} else if (cause == WHY_NO_DAEMON) {
		text_add(&say->found, "unmanaged");
		text_add(&say->reason, "'s clusterd does not answer");
		add(&say->fix, "start clusterd on ", say->there, "");
	} else {
		text_add(&say->found, "offline");
		text_add(&say->reason, " is not online");
		add(&say->fix, "bring back ", say->there, "");
	}
}

static void say_owner(struct say *say)
{
	text_add(&say->needed, "possible owner");
	text_add(&say->found, why(say) == WHY_NONE ? "possible owner" : "none");
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, say->there, " is not among its possible owners", "");
	add(&say->fix, "add ", say->there, " to the possible owners of ");
	text_add(&say->fix, say->def->name);
}

static void say_emulator(struct say *say)
{
	text_add(&say->needed, "QEMU");
	if (why(say) == WHY_NO_QEMU) {
		text_add(&say->found, "none");
		add(&say->reason, say->there, " has no QEMU", "");
		add(&say->fix, "install qemu-system-x86 on ", say->there, "");
	} else if (why(say) == WHY_UNTOLD) {
		text_add(&say->found, "not known");
		add(&say->reason, "the QEMU of ", say->there, " has not said what it can do");
		add(&say->fix, "look at clusterd's log on ", say->there, "");
	} else {
		text_add(&say->found, "QEMU");
	}
}

static void say_version(struct say *say)
{
	add_version(&say->found, say->row->found);
	add_version(&say->needed, say->row->needed);
	if (why(say) == WHY_OLDER) {
		add(&say->reason, "the QEMU of ", say->there, " is older than that of ");
		add(&say->reason, say->here, ", and such moves are not tried by its makers", "");
		add(&say->fix, "upgrade QEMU on ", say->there, "");
	} else if (why(say) == WHY_NEWER) {
		add(&say->reason, "the QEMU of ", say->there, " is newer than that of ");
		add(&say->reason, say->here, ": the way back may not be possible", "");
		add(&say->fix, "upgrade QEMU on ", say->here, " too");
	}
}

static void say_machine(struct say *say)
{
	const char *machine =
		preflight_machine(say->cluster, say->vm, say->result->kind != MOVE_COLD);

	text_add(&say->needed, machine);
	text_add(&say->found, why(say) == WHY_NONE ? machine : "not known");
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, "the QEMU of ", say->there, " has no machine type ");
	text_add(&say->reason, machine);
	add(&say->fix, "install a QEMU that has it on ", say->there, ", or ");
	add(&say->fix, "stop ", say->def->name, " and define another machine");
}

static const char *either(const char *text)
{
	return text[0] ? text : "not known";
}

static void say_same(struct say *say, const char *what, const char *found, const char *needed)
{
	text_add(&say->found, either(found));
	text_add(&say->needed, either(needed));
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, say->there, " has ", what);
	add(&say->reason, " ", found, ", ");
	add(&say->reason, say->here, " has ", needed);
}

static void say_starts_anew(struct say *say)
{
	if (why(say) != WHY_NONE)
		text_add(&say->fix, "clustadm vm migrate --cold moves it: it starts anew there");
}

static void say_arch(struct say *say)
{
	say_same(say, "the architecture", say->target->report.facts.arch,
		 say->source ? say->source->report.facts.arch : say->target->report.facts.arch);
	if (why(say) != WHY_NONE)
		add(&say->fix, "name a node of ", say->needed.buf, ": its guest knows no other");
}

static const char *accel_word(const struct cluster_node *node)
{
	if (!node || node->report.facts.state != FACTS_KNOWN)
		return "";
	return node->report.facts.accel == ACCEL_KVM ? "KVM" : "emulation";
}

static void say_accel(struct say *say)
{
	say_same(say, "the accelerator", accel_word(say->target), accel_word(say->source));
	say_starts_anew(say);
}

static void say_vendor(struct say *say)
{
	say_same(say, "processors of", say->target->report.facts.cpu_vendor,
		 say->source ? say->source->report.facts.cpu_vendor : "");
	say_starts_anew(say);
}

static void say_model(struct say *say)
{
	if (why(say) == WHY_OTHER) {
		text_add(&say->found, either(say->target->report.facts.cpu_model));
		text_add(&say->needed, either(say->source->report.facts.cpu_model));
		add(&say->reason, "its guest sees the processor of ", say->here, " itself, and ");
		add(&say->reason, say->there, " has another one: ", say->found.buf);
		text_add(&say->fix, "<cpu mode=\"compatible\"/> at its next start");
		return;
	}
	text_add(&say->needed, say->def->cpu_mode == CPU_MODEL ? say->def->cpu_model : "any");
	text_add(&say->found, why(say) == WHY_NONE ? say->needed.buf : "not known");
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, "the QEMU of ", say->there, " has no CPU model ");
	text_add(&say->reason, say->def->cpu_model);
	add(&say->fix, "<cpu mode=\"compatible\"/> for ", say->def->name, "");
}

static void add_features(struct text *text, uint64_t count)
{
	text_add(text_add_number(text, count), count == 1 ? " feature" : " features");
}

// The bits by their names: who looks for them in the firmware's settings needs those.
static void say_features(struct say *say)
{
	char names[REASON_SIZE - 64];

	if (why(say) == WHY_UNKNOWN) {
		text_add(&say->found, "not known");
		text_add(&say->needed, "not known");
		add(&say->reason, "what the guest's CPU has was not told by its QEMU", "", "");
		add(&say->fix, "stop and start ", say->def->name, " when it may be");
		return;
	}
	add_features(&say->found, say->row->found);
	add_features(&say->needed, say->row->needed);
	if (why(say) == WHY_MISSING) {
		cpu_names(&say->result->missing, ", ", names, sizeof(names));
		add(&say->reason, say->there, " cannot give it: ", names);
		add(&say->fix, "stop ", say->def->name, " and start it again with ");
		text_add(&say->fix, say->def->cpu_mode == CPU_COMPATIBLE
					    ? "what all nodes have now"
					    : "<cpu mode=\"compatible\"/>");
	} else if (why(say) == WHY_OTHER) {
		add(&say->reason, "features that clusterd does not know differ: ",
		    either(say->source->report.facts.features_other), " here, ");
		add(&say->reason, either(say->target->report.facts.features_other), " on ",
		    say->there);
		text_add(&say->fix, "<cpu mode=\"compatible\"/> at its next start");
	}
}

static void say_cpus(struct say *say)
{
	text_add_number(&say->found, say->row->found);
	text_add_number(&say->needed, say->row->needed);
	if (why(say) == WHY_TOO_MANY) {
		add(&say->reason, "it has ", say->needed.buf, " CPUs, ");
		add(&say->reason, say->there, " has ", say->found.buf);
		add(&say->fix, "stop ", say->def->name, " and give it fewer CPUs");
	} else if (why(say) == WHY_CROWDED) {
		add(&say->reason, say->there, " would have ", say->needed.buf);
		add(&say->reason, " CPUs promised on ", say->found.buf, "");
		add(&say->fix, "move other VMs away from ", say->there, "");
	}
}

static void say_memory(struct say *say)
{
	add_mib(&say->found, say->row->found);
	add_mib(&say->needed, say->row->needed);
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, "needs ", say->needed.buf, ", ");
	add(&say->reason, say->found.buf, " free on ", say->there);
	text_add(&say->reason, why(say) == WHY_SHORT
				       ? ", moves under way counted"
				       : ": something else than VMs uses the rest");
	text_add(&say->fix, "free ");
	add_mib(&say->fix, say->row->needed - say->row->found);
	add(&say->fix, " on ", say->there, "");
}

static void say_hugepages(struct say *say)
{
	if (!say->def->hugepages) {
		text_add(&say->found, "-");
		text_add(&say->needed, "none");
		return;
	}
	add_mib(&say->found, say->row->found);
	add_mib(&say->needed, say->row->needed);
	if (why(say) == WHY_SHORT) {
		add(&say->reason, "needs ", say->needed.buf, " of huge pages, ");
		add(&say->reason, say->found.buf, " are free on ", say->there);
		text_add(&say->fix, "set aside ");
		add_mib(&say->fix, say->row->needed - say->row->found);
		add(&say->fix, " more on ", say->there, " (vm.nr_hugepages)");
	} else if (why(say) == WHY_OTHER) {
		add(&say->reason, "huge pages are of another size on ", say->there, "");
		add(&say->fix, "set the same size on ", say->there, "");
	}
}

static const char *item_volume(const struct say *say)
{
	return say->row->item < VOLUMES_MAX ? say->cluster->volumes[say->row->item].def.name : "";
}

static void say_volume(struct say *say, const char *is)
{
	const struct node_volume *seen = &say->target->report.volumes[say->row->item];

	add(&say->reason, "volume ", item_volume(say), is);
	add(&say->reason, " on ", say->there, seen->reason[0] ? ": " : "");
	text_add(&say->reason, seen->reason);
	add(&say->fix, "bring ", item_volume(say), " back on ");
	text_add(&say->fix, say->there);
}

static void say_volumes(struct say *say)
{
	text_add(&say->needed, "online");
	text_add(&say->found, why(say) == WHY_NONE		? "online"
			      : say->row->verdict == CHECK_WARN ? "slow"
								: "not online");
	if (why(say) != WHY_NONE)
		say_volume(say, say->row->verdict == CHECK_WARN ? " is slow" : " is not online");
}

// What is wrong with the file, then what would help.
static const char *const image_words[IMAGE_STATE_COUNT][3] = {
	[IMAGE_GOOD] = { "openable", "", "" },
	[IMAGE_MISSING] = { "missing", " is not there", "put it there" },
	[IMAGE_DENIED] = { "not readable", " may not be read by QEMU's user",
			   "let QEMU's user read it" },
	[IMAGE_READONLY] = { "not writable", " may not be written by QEMU's user",
			     "let QEMU's user write it" },
	[IMAGE_BROKEN] = { "unreadable", " cannot be read", "look at the volume" },
	[IMAGE_FORMAT] = { "not qcow2", " is not of the format qcow2",
			   "define the format that it has" },
	[IMAGE_BACKING] = { "backing file not openable", "'s backing file cannot be opened",
			    "put the backing file where the image names it" },
};

static void say_images(struct say *say)
{
	uint64_t state = say->row->found < IMAGE_STATE_COUNT ? say->row->found : IMAGE_BROKEN;

	text_add(&say->needed, "openable");
	text_add(&say->found, why(say) == WHY_UNKNOWN ? "not known" : image_words[state][0]);
	if (why(say) == WHY_UNKNOWN) {
		add(&say->reason, "more images cannot be opened on ", say->there,
		    " than it reports: its own may be among them");
		add(&say->fix, "bring back the images of other VMs on ", say->there, "");
	} else if (why(say) == WHY_IMAGE) {
		add(&say->reason, preflight_image_volume(say->def, say->row->item), ":",
		    preflight_image_path(say->def, say->row->item));
		add(&say->reason, image_words[state][1], " on ", say->there);
		add(&say->fix, image_words[state][2], " on ", say->there);
	}
}

static void say_leases(struct say *say)
{
	text_add(text_add_number(&say->found, say->row->found), " joined");
	text_add(text_add_number(&say->needed, say->row->needed), " joined");
	if (why(say) != WHY_NONE)
		say_volume(say, "'s lockspace is not joined");
}

static void say_bridges(struct say *say)
{
	const char *bridge = say->def->nics[say->row->item].bridge;

	text_add_number(&say->found, say->row->found);
	text_add_number(&say->needed, say->row->needed);
	if (why(say) == WHY_NONE)
		return;
	add(&say->reason, "bridge ", bridge, " is not on ");
	add(&say->reason, say->there, say->row->verdict == CHECK_WARN
					      ? ", or not among the first that it reports"
					      : "", "");
	add(&say->fix, "make bridge ", bridge, " on ");
	text_add(&say->fix, say->there);
}

static void say_devices(struct say *say)
{
	const char *device = say->def->nics[say->row->item].device;

	if (say->row->needed == 0) {
		text_add(&say->found, "-");
		text_add(&say->needed, "none");
		return;
	}
	text_add_number(&say->found, say->row->found);
	text_add_number(&say->needed, say->row->needed);
	if (why(say) == WHY_MISSING) {
		add(&say->reason, "the NIC ", device, " that it passes through is not given to ");
		add(&say->reason, "VMs on ", say->there, "");
		add(&say->fix, "bind ", device, " to the driver vfio-pci on ");
		text_add(&say->fix, say->there);
	} else if (why(say) == WHY_TAKEN) {
		add(&say->reason, "the NIC ", device, " that it passes through is another VM's");
		add(&say->reason, " on ", say->there, "");
		add(&say->fix, "move the VM that has ", device, " away from ");
		text_add(&say->fix, say->there);
	}
}

static void say_network(struct say *say)
{
	const char *node = why(say) == WHY_HERE ? say->here : say->there;

	text_add(&say->needed, "an address");
	text_add(&say->found, why(say) == WHY_NONE || why(say) == WHY_OTHER
				      ? say->target->report.addresses[0]
				      : "none");
	if (why(say) == WHY_NONE)
		return;
	if (why(say) == WHY_OTHER) {
		node = say->target->report.facts.no_post_copy ? say->there : say->here;
		add(&say->reason, "without post-copy: the kernel of ", node,
		    " does not let QEMU fetch memory afterwards");
		add(&say->fix, "sysctl vm.unprivileged_userfaultfd=1 on ", node, "");
		return;
	}
	add(&say->reason, node, " has no address that memory could be sent ",
	    why(say) == WHY_HERE ? "from" : "to");
	add(&say->fix, "give ", node, " an address in one of <migration>'s networks");
}

static void say_tls(struct say *say)
{
	const char *node = why(say) == WHY_HERE ? say->here : say->there;
	const struct cluster_node *of = why(say) == WHY_HERE ? say->source : say->target;
	bool made = of && of->report.cert_expires != 0;

	text_add(&say->needed, say->cluster->def.migration.plain ? "none" : "valid");
	text_add(&say->found, say->cluster->def.migration.plain ? "-"
			      : why(say) == WHY_NONE		? "valid"
			      : why(say) == WHY_SOON		? "ends soon"
			      : why(say) == WHY_OTHER		? "another authority's"
			      : why(say) == WHY_EXPIRED		? "over"
			      : made				? "unusable"
								: "none");
	if (why(say) == WHY_MISSING || why(say) == WHY_HERE) {
		// Its own certificates may be of another name than the one it is defined with.
		add(&say->reason, node,
		    made ? " has certificates that cannot be used" : " has no certificate", "");
		add(&say->fix, "on ", node, made ? ": clustadm cert show" : ": clustadm cert init");
	} else if (why(say) == WHY_OTHER) {
		add(&say->reason, "the certificates of ", say->here, " and ");
		add(&say->reason, say->there, " are of two authorities", "");
		text_add(&say->fix, "clustadm cert init --force --ca FILE, the cluster-ca.pem of "
				    "the other");
	} else if (why(say) == WHY_EXPIRED || why(say) == WHY_SOON) {
		add(&say->reason, "a certificate of ", say->here, " or ");
		add(&say->reason, say->there,
		    why(say) == WHY_SOON ? " ends within two weeks" : " has ended", "");
		text_add(&say->fix, "clustadm cert renew");
	}
}

static void say_space(struct say *say)
{
	add_mib(&say->found, say->row->found);
	add_mib(&say->needed, say->row->needed);
	if (why(say) == WHY_MISSING) {
		text_add(&say->reason, "it writes no volume that its saved state could be put on");
		add(&say->fix, "give ", say->def->name, " a disk");
	} else if (why(say) == WHY_SHORT) {
		add(&say->reason, "its saved state takes up to ", say->needed.buf, ", ");
		add(&say->reason, say->found.buf, " are free on volume ", item_volume(say));
		add(&say->fix, "free space on volume ", item_volume(say), "");
	}
}

static void say_row(struct say *say)
{
	switch ((enum preflight_check)say->row->check) {
	case PREFLIGHT_VM: say_vm(say); break;
	case PREFLIGHT_NODE: say_node(say); break;
	case PREFLIGHT_OWNER: say_owner(say); break;
	case PREFLIGHT_EMULATOR: say_emulator(say); break;
	case PREFLIGHT_VERSION: say_version(say); break;
	case PREFLIGHT_MACHINE: say_machine(say); break;
	case PREFLIGHT_ARCH: say_arch(say); break;
	case PREFLIGHT_ACCEL: say_accel(say); break;
	case PREFLIGHT_VENDOR: say_vendor(say); break;
	case PREFLIGHT_MODEL: say_model(say); break;
	case PREFLIGHT_FEATURES: say_features(say); break;
	case PREFLIGHT_CPUS: say_cpus(say); break;
	case PREFLIGHT_MEMORY: say_memory(say); break;
	case PREFLIGHT_HUGEPAGES: say_hugepages(say); break;
	case PREFLIGHT_VOLUMES: say_volumes(say); break;
	case PREFLIGHT_IMAGES:
		say_images(say);
		break;
	case PREFLIGHT_LEASES: say_leases(say); break;
	case PREFLIGHT_BRIDGES: say_bridges(say); break;
	case PREFLIGHT_DEVICES: say_devices(say); break;
	case PREFLIGHT_NETWORK: say_network(say); break;
	case PREFLIGHT_TLS: say_tls(say); break;
	case PREFLIGHT_SPACE: say_space(say); break;
	case PREFLIGHT_CHECK_COUNT: break;
	}
}

void preflight_explain(const struct cluster *cluster, const struct vm *vm,
		       const struct preflight *result, enum preflight_check check,
		       struct preflight_words *words)
{
	struct say say = {
		.cluster = cluster,
		.vm = vm,
		.def = vm_definition(cluster, vm),
		.result = result,
		.row = &result->rows[check],
		.source = preflight_source(cluster, vm),
		.target = &cluster->nodes[result->target < NODES_MAX ? result->target : 0],
		.found = text_in(words->found, sizeof(words->found)),
		.needed = text_in(words->needed, sizeof(words->needed)),
		.reason = text_in(words->reason, sizeof(words->reason)),
		.fix = text_in(words->fix, sizeof(words->fix)),
	};

	say.here = say.source ? say.source->def.name : "nowhere";
	say.there = say.target->def.name;
	if (say.row->asked)
		say_row(&say);
}

static uint32_t failures(const struct preflight *result)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < PREFLIGHT_CHECK_COUNT; i++)
		count += result->rows[i].verdict == CHECK_FAIL;
	return count;
}

void preflight_refusal(const struct cluster *cluster, const struct preflight_load *load,
		       const struct vm *vm, uint64_t nodes, enum move_kind kind, char *reason,
		       char *fix)
{
	struct text text = text_in(reason, REASON_SIZE);
	uint32_t fewest = PREFLIGHT_CHECK_COUNT + 1;
	enum preflight_check worst;
	struct preflight_words words;
	struct preflight result;

	text_copy(fix, REASON_SIZE, "");
	for (uint8_t slot = 0; slot < NODES_MAX; slot++) {
		if (!cluster->nodes[slot].used || !(nodes >> slot & 1))
			continue;
		preflight_judge(cluster, load, vm, slot, kind, &result);
		if (result.verdict != CHECK_FAIL) {
			text_copy(reason, REASON_SIZE, "");
			text_copy(fix, REASON_SIZE, "");
			return;
		}
		worst = preflight_worst(&result);
		preflight_explain(cluster, vm, &result, worst, &words);
		// What is wrong with the VM itself is the same everywhere.
		if (worst != PREFLIGHT_VM || text.length == 0)
			text_add(text_add(&text, text.length ? "; " : ""), words.reason);
		if (failures(&result) < fewest)
			text_copy(fix, REASON_SIZE, words.fix);
		if (failures(&result) < fewest)
			fewest = failures(&result);
	}
	if (fewest > PREFLIGHT_CHECK_COUNT)
		text_add(&text, "there is no other node");
}
