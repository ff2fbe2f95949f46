# SPDX-License-Identifier: Apache-2.0
# Planted mistakes; see tests/mutants/run. MUTANTS: names of some of them; nothing means all.
dist_noinst_SCRIPTS += tests/mutants/run
EXTRA_DIST += tests/mutants/list
MUTANTS =
MUTANTS_FLAGS =

mutants:
	@$(MKDIR_P) mutants
	@$(MAKE) $(AM_MAKEFLAGS) distdir distdir=mutants/src >/dev/null
	$(srcdir)/tests/mutants/run $(MUTANTS_FLAGS) mutants $(MUTANTS)

print-check-programs:
	@echo $(check_PROGRAMS)

.PHONY: mutants print-check-programs
