# SPDX-License-Identifier: Apache-2.0
# Fuzz targets: over their corpora in `make check`, with libFuzzer for FUZZ_SECONDS each in `make fuzz`.
fuzz_names = entry recording request snapshot stored view xml qmp link ipc record scenario measure
fuzz_core_LIBS = libcore.a $(CMOCKA_LIBS)
fuzz_edge_LIBS = libedges.a libcore.a $(edge_LIBS)
fuzz_request_world = clusterd/request_move_io.c clusterd/request_tip_io.c \
	tests/unit/request_world.c tests/unit/request_world.h \
	clusterd/request_io.c clusterd/request_apply_io.c clusterd/show_io.c \
	clusterd/show_preflight_io.c clusterd/show_capacity_io.c clusterd/show_measures_io.c clusterd/show_balance_io.c clusterd/show_dump_io.c clusterd/show_vm_io.c
# The scenarios' reader, without the simulator behind it.
fuzz_scenario_reader = tests/sim/scenario.h tests/sim/scenario_reader.h tests/sim/scenario_io.c \
	tests/sim/scenario_steps_io.c tests/sim/scenario_trace.c tests/sim/scenario_vms_io.c \
	tests/sim/scenario_weights_io.c \
	tests/sim/scenario_words.c
fuzz_scenario_LIBS = libedges.a libcore.a $(JANSSON_LIBS) -lm
# Both ends of the administrators' door; libqb between them is the target itself.
fuzz_ipc_ends = clusterd/ipc_io.c clusterd/ipc_client_io.c
fuzz_view_world = tests/unit/view_world.c tests/unit/view_words.c tests/unit/view_world.h

if HAVE_CMOCKA
check_PROGRAMS += tests/fuzz/check_entry tests/fuzz/check_recording tests/fuzz/check_request tests/fuzz/check_snapshot \
	tests/fuzz/check_stored tests/fuzz/check_view tests/fuzz/check_xml tests/fuzz/check_qmp \
	tests/fuzz/check_link tests/fuzz/check_ipc tests/fuzz/check_record tests/fuzz/check_scenario
check_PROGRAMS += tests/fuzz/check_measure
endif
EXTRA_PROGRAMS += tests/fuzz/fuzz_measure
EXTRA_PROGRAMS += tests/fuzz/make_corpus \
	tests/fuzz/fuzz_entry tests/fuzz/fuzz_recording tests/fuzz/fuzz_request tests/fuzz/fuzz_snapshot \
	tests/fuzz/fuzz_stored tests/fuzz/fuzz_view tests/fuzz/fuzz_xml tests/fuzz/fuzz_qmp \
	tests/fuzz/fuzz_link tests/fuzz/fuzz_ipc tests/fuzz/fuzz_record tests/fuzz/fuzz_scenario

tests_fuzz_make_corpus_SOURCES = tests/fuzz/make_corpus.c tests/unit/cluster_fixture.h
tests_fuzz_make_corpus_LDADD = $(fuzz_core_LIBS)

tests_fuzz_check_measure_SOURCES = tests/fuzz/fuzz_measure.c tests/fuzz/standalone.c
tests_fuzz_check_measure_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_entry_SOURCES = tests/fuzz/fuzz_entry.c tests/fuzz/standalone.c
tests_fuzz_check_entry_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_recording_SOURCES = tests/fuzz/fuzz_recording.c tests/fuzz/standalone.c
tests_fuzz_check_recording_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/standalone.c \
	$(fuzz_request_world)
tests_fuzz_check_request_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_check_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c tests/fuzz/standalone.c
tests_fuzz_check_snapshot_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_stored_SOURCES = tests/fuzz/fuzz_stored.c tests/fuzz/standalone.c
tests_fuzz_check_stored_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_view_SOURCES = tests/fuzz/fuzz_view_message.c tests/fuzz/standalone.c \
	$(fuzz_view_world)
tests_fuzz_check_view_LDADD = $(fuzz_core_LIBS)
tests_fuzz_check_xml_SOURCES = tests/fuzz/fuzz_xml.c tests/fuzz/standalone.c
tests_fuzz_check_xml_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_check_qmp_SOURCES = tests/fuzz/fuzz_qmp.c tests/fuzz/standalone.c
tests_fuzz_check_qmp_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_check_link_SOURCES = tests/fuzz/fuzz_link.c tests/fuzz/standalone.c
tests_fuzz_check_link_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_check_ipc_SOURCES = tests/fuzz/fuzz_ipc.c tests/fuzz/standalone.c $(fuzz_ipc_ends)
tests_fuzz_check_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/standalone.c
tests_fuzz_check_record_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_check_scenario_SOURCES = tests/fuzz/fuzz_scenario.c tests/fuzz/standalone.c \
	$(fuzz_scenario_reader)
tests_fuzz_check_scenario_LDADD = $(fuzz_scenario_LIBS)

# Built by tests/fuzz/run alone, in a build directory of clang's with coverage for the fuzzer.
libfuzzer = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_measure_SOURCES = tests/fuzz/fuzz_measure.c
tests_fuzz_fuzz_measure_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_measure_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_entry_SOURCES = tests/fuzz/fuzz_entry.c
tests_fuzz_fuzz_entry_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_entry_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_recording_SOURCES = tests/fuzz/fuzz_recording.c
tests_fuzz_fuzz_recording_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_recording_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c $(fuzz_request_world)
tests_fuzz_fuzz_request_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_fuzz_request_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c
tests_fuzz_fuzz_snapshot_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_snapshot_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_stored_SOURCES = tests/fuzz/fuzz_stored.c
tests_fuzz_fuzz_stored_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_stored_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_view_SOURCES = tests/fuzz/fuzz_view_message.c $(fuzz_view_world)
tests_fuzz_fuzz_view_LDADD = $(fuzz_core_LIBS)
tests_fuzz_fuzz_view_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_xml_SOURCES = tests/fuzz/fuzz_xml.c
tests_fuzz_fuzz_xml_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_fuzz_xml_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_qmp_SOURCES = tests/fuzz/fuzz_qmp.c
tests_fuzz_fuzz_qmp_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_fuzz_qmp_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_link_SOURCES = tests/fuzz/fuzz_link.c
tests_fuzz_fuzz_link_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_fuzz_link_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c $(fuzz_ipc_ends)
tests_fuzz_fuzz_ipc_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c
tests_fuzz_fuzz_record_LDADD = $(fuzz_edge_LIBS)
tests_fuzz_fuzz_record_LDFLAGS = $(libfuzzer)
tests_fuzz_fuzz_scenario_SOURCES = tests/fuzz/fuzz_scenario.c $(fuzz_scenario_reader)
tests_fuzz_fuzz_scenario_LDADD = $(fuzz_scenario_LIBS)
tests_fuzz_fuzz_scenario_LDFLAGS = $(libfuzzer)

dist_noinst_SCRIPTS += tests/fuzz/run tests/subbuild
FUZZ_SECONDS = 60

fuzz:
	$(srcdir)/tests/fuzz/run $(abs_top_srcdir) $(abs_top_builddir)/fuzz $(FUZZ_SECONDS) $(fuzz_names)

# The seeds that are bytes, made anew after a change of what the wire or the store holds.
corpus: tests/fuzz/make_corpus$(EXEEXT)
	cd $(srcdir)/tests/fuzz/corpus && mkdir -p entry measure snapshot stored view
	tests/fuzz/make_corpus$(EXEEXT) $(srcdir)/tests/fuzz/corpus

# Everything once more under AddressSanitizer and UndefinedBehaviorSanitizer, with each compiler. test_fields looks at
# packed structs on purpose, so their alignment is not asked there.
SANITIZERS_CC = gcc clang
SANITIZERS_SEEDS = 400
SANITIZERS_CFLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

check-sanitizers:
	@failed=; for cc in $(SANITIZERS_CC); do \
		echo "== $$cc"; \
		dir=$(abs_top_builddir)/sanitizers-$$cc; \
		$(srcdir)/tests/subbuild $(abs_top_srcdir) $$dir "CC=$$cc" --disable-hardening \
			'CFLAGS=$(SANITIZERS_CFLAGS)' && \
		$(MAKE) -C $$dir Makefile && \
		$(MAKE) -C $$dir CFLAGS='$(SANITIZERS_CFLAGS) -fno-sanitize=alignment' \
			tests/unit/test_fields.$(OBJEXT) && \
		CLUSTERSIM_SEEDS=$(SANITIZERS_SEEDS) $(MAKE) -C $$dir check || failed="$$failed $$cc"; \
	done; test -z "$$failed" || { echo "check-sanitizers: failed with$$failed"; exit 1; }

clean-local:
	rm -rf fuzz sanitizers-* mutants

.PHONY: fuzz corpus check-sanitizers
