# SPDX-License-Identifier: Apache-2.0
# Placement and its reasons.
libcore_a_SOURCES += policies/drain.c policies/drain.h
libcore_a_SOURCES += policies/pro.c policies/pro.h
pkgdata_DATA += policies/policies.xml
EXTRA_DIST += policies/policies.xml
libcore_a_SOURCES += policies/placement.c policies/placement.h policies/rules.c policies/rules.h \
	policies/contradiction.c policies/contradiction.h policies/order.c policies/order.h policies/yield.c policies/yield.h \
	policies/placement_order.c policies/up_words.c policies/up_words.h policies/capacity.c policies/capacity.h
libcore_a_SOURCES += policies/mend.c policies/mend.h clusterd/decide_mend.c clusterd/decide_yield.c clusterd/decide_yield.h
libcore_a_SOURCES += policies/balance.c policies/balance.h policies/balance_search.c \
	policies/balance_search.h policies/balance_words.c policies/balance_options.c policies/loads.c
libcore_a_SOURCES += policies/shutdown.c policies/shutdown.h
libedges_a_SOURCES += policies/balance_io.c policies/balance_io.h
