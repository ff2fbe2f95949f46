# SPDX-License-Identifier: Apache-2.0
# Moves on one host: leases that are converted, QEMU's monitor command by command.
if HAVE_CMOCKA
check_PROGRAMS += tests/edge/test_convert tests/edge/test_move_edge
endif
tests_edge_test_convert_SOURCES = tests/edge/test_convert.c tests/edge/fake_sanlock.c \
	tests/edge/fake_sanlock.h csv/sanlock_io.c csv/sanlock_lease_io.c clusterd/exec_io.c
tests_edge_test_convert_LDADD = $(CMOCKA_LIBS) $(SANLOCK_LIBS) -lpthread
tests_edge_test_move_edge_SOURCES = tests/edge/test_move_edge.c tests/edge/fake_sanlock.c \
	tests/edge/fake_sanlock.h tests/edge/fake_move_qemu.c tests/edge/fake_move_qemu.h
tests_edge_test_move_edge_LDADD = $(edge_test_LIBS)
# One host's edges by hand, for tests/live/host_edges.py: make tests/live/host_edges
EXTRA_PROGRAMS += tests/live/host_edges
tests_live_host_edges_SOURCES = tests/live/host_edges.c
tests_live_host_edges_LDADD = libedges.a libcore.a $(edge_LIBS)
TESTS += tests/edge/unit_check
dist_noinst_SCRIPTS += tests/edge/unit_check
