# SPDX-License-Identifier: Apache-2.0
# Moving VMs.
libcore_a_SOURCES += migration/bandwidth.c migration/bandwidth.h migration/converge.c migration/converge.h migration/ends.h migration/forecast.c \
	migration/forecast.h migration/save.c migration/source.c migration/source_limits.c \
	migration/source_limits.h migration/target.c
libcore_a_SOURCES += migration/preflight.c migration/preflight.h migration/preflight_internal.h \
	migration/preflight_words.c
libedges_a_SOURCES += migration/preflight_io.c migration/preflight_io.h
libedges_a_SOURCES += \
	migration/address_io.c migration/address_io.h migration/cert_io.c migration/cert_io.h \
	migration/link_certs_io.c migration/link_conn_io.c migration/link_frame.c \
	migration/link_frame.h migration/link_internal_io.h migration/link_io.c migration/link_io.h \
	migration/progress.c migration/progress.h migration/progress_io.c migration/progress_io.h \
	migration/tls_io.c migration/tls_io.h
