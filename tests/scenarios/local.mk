# SPDX-License-Identifier: Apache-2.0
# Neutral scenarios: ours, and those of a folder beside the tree.
TESTS += tests/scenarios/check
dist_noinst_SCRIPTS += tests/scenarios/check
EXTRA_DIST += tests/scenarios

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_timing
endif
tests_unit_test_timing_SOURCES = tests/unit/test_timing.c
tests_unit_test_timing_LDADD = libcore.a $(CMOCKA_LIBS)
