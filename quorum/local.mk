# SPDX-License-Identifier: Apache-2.0
# Views, voters and the log; what to do about a lost node; votequorum and fence agents.
libcore_a_SOURCES += quorum/view.h quorum/view_internal.h quorum/loss.h
libcore_a_SOURCES += quorum/view.c quorum/view_agree.c quorum/view_report.c quorum/view_copy.c quorum/view_gather.c \
	quorum/view_log.c quorum/view_store.c quorum/view_wire.c quorum/loss.c
libedges_a_SOURCES += quorum/votequorum_io.c quorum/votequorum_io.h quorum/fence_io.c quorum/fence_io.h
