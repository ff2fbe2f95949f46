# SPDX-License-Identifier: Apache-2.0
# make check: no root, about a minute.
check_SCRIPTS += tests/tidy
TESTS += tests/tidy $(check_PROGRAMS)
dist_noinst_SCRIPTS += tests/tidy tests/run tests/live/run
EXTRA_DIST += tests/unit tests/sim tests/stories tests/edge tests/fuzz tests/live

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test_loss tests/unit/test_vm
endif
unit_LIBS = libcore.a $(CMOCKA_LIBS)
tests_unit_test_loss_SOURCES = tests/unit/test_loss.c
tests_unit_test_loss_LDADD = $(unit_LIBS)
tests_unit_test_vm_SOURCES = tests/unit/test_vm.c
tests_unit_test_vm_LDADD = $(unit_LIBS)
