# SPDX-License-Identifier: Apache-2.0
# make bench, make bench-peers (needs contrib/install-deps --bench): a table, and tests/bench/*.json.
# Root, the lab, minutes; nothing of it is in make check. BENCH_OPTIONS="--runs 30" and the like.
bench_programs = tests/bench/ring_watch tests/bench/command_latency tests/bench/core_loss tests/bench/policies \
	tests/bench/qmp_cont tests/bench/balance tests/bench/udp_blackout tests/bench/watched_qemu
bench_programs += tests/bench/measures
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs) tests/bench/bench.json tests/bench/bench-peers.json
EXTRA_DIST += tests/bench/bench tests/bench/bench-vm tests/bench/benchlab.py tests/bench/failover.py \
	tests/bench/steady.py tests/bench/peers.py tests/bench/simulator.py tests/bench/hbal.py \
	tests/bench/solver.py tests/bench/moves.py tests/bench/qmp_hand.py

tests_bench_ring_watch_SOURCES = tests/bench/ring_watch.c
tests_bench_ring_watch_LDADD = $(VOTEQUORUM_LIBS)
tests_bench_command_latency_SOURCES = tests/bench/command_latency.c clusterd/ipc_client_io.c
tests_bench_command_latency_LDADD = $(CPG_LIBS) $(QB_LIBS) -lpthread
tests_bench_measures_SOURCES = tests/bench/measures.c
tests_bench_measures_LDADD = libedges.a libcore.a $(edge_LIBS)
tests_bench_core_loss_SOURCES = tests/bench/core_loss.c
tests_bench_core_loss_LDADD = libcore.a
tests_bench_policies_SOURCES = tests/bench/policies.c
tests_bench_policies_LDADD = libcore.a
tests_bench_balance_SOURCES = tests/bench/balance.c
tests_bench_balance_LDADD = libcore.a
tests_bench_qmp_cont_SOURCES = tests/bench/qmp_cont.c
tests_bench_udp_blackout_SOURCES = tests/bench/udp_blackout.c
tests_bench_watched_qemu_SOURCES = tests/bench/watched_qemu.c

bench_run = $(srcdir)/tests/bench/bench --build $(abs_builddir) \
	--programs $(abs_builddir)/tests/bench $(BENCH_OPTIONS)

.PHONY: bench bench-peers
bench: all $(bench_programs)
	@$(bench_run) --json tests/bench/bench.json

bench-peers: all $(bench_programs)
	@$(bench_run) --json tests/bench/bench-peers.json one many
