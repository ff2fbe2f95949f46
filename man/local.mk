# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/clustersim.1 man/clusterd.8 man/clustadm.8 man/clusterd.xml.5 \
	man/clusterd-migration.7 man/clusterd-policies.7
