# SPDX-License-Identifier: Apache-2.0
# What a VM is: definitions in XML; its life on one host: process, monitor, command line.
libcore_a_SOURCES += resources/vm.c resources/vm.h resources/qemu_args.h resources/definition_text.h
libedges_a_SOURCES += \
	resources/definition_io.c resources/definition_io.h resources/definition_read_io.c \
	resources/definition_reader.h resources/definition_scan.c resources/definition_scan.h \
	resources/definition_text.c resources/definition_rule_io.c resources/definition_migration_io.c resources/definition_vm_io.c resources/definition_walk_io.c \
	resources/definition_write.c resources/definition_write.h resources/qemu_args.c \
	resources/host_io.c resources/host_io.h resources/host_internal.h resources/host_vm_io.c \
	resources/host_adopt_io.c resources/host_arrive_io.c resources/host_dirty_io.c resources/host_files_io.c resources/host_images_io.c resources/host_move_io.c \
	resources/host_save_io.c resources/migrate_io.c resources/migrate_io.h \
	resources/qmp_script_io.c resources/qmp_script_io.h \
	resources/kvm_io.c resources/kvm_io.h resources/process_io.c resources/process_io.h \
	resources/whole_io.h resources/qmp_io.c resources/qmp_io.h resources/record_io.c resources/record_io.h \
	resources/image_io.c resources/image_io.h resources/launch.h \
	resources/facts_io.c resources/facts_io.h resources/host_cpu_io.c
libedges_a_SOURCES += resources/counters.c resources/counters.h resources/measure_io.c resources/measure_io.h \
	resources/host_measure_io.c
libedges_a_SOURCES += resources/definition_policy_io.c
libedges_a_SOURCES += resources/ask_io.c resources/ask_io.h
pkglibexec_PROGRAMS += resources/clusterd-launch
resources_clusterd_launch_SOURCES = resources/launch.c resources/launch_io.c resources/launch.h
resources_clusterd_launch_LDADD = libedges.a $(SANLOCK_LIBS)
pkgdata_DATA += resources/clusterd.rng
EXTRA_DIST += resources/clusterd.rng
libedges_a_SOURCES += resources/definition_vm_policy_io.c
