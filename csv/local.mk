# SPDX-License-Identifier: Apache-2.0
# Cluster shared volumes and their leases.
libcore_a_SOURCES += csv/timing.c csv/timing.h csv/lease.c csv/lease.h
libedges_a_SOURCES += csv/guard_io.c csv/guard_io.h csv/sanlock_io.c csv/sanlock_io.h \
	csv/sanlock_internal_io.h csv/sanlock_lease_io.c \
	csv/volume_io.c csv/volume_io.h
