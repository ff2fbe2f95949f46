# SPDX-License-Identifier: Apache-2.0
# systemd units, completion, the lab and the demo.
systemdsystemunit_DATA = contrib/systemd/clusterd.service
sanlockdropindir = $(systemdsystemunitdir)/sanlock.service.d
sanlockdropin_DATA = contrib/systemd/sanlock-clusterd.conf
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = contrib/systemd/clusterd.conf
sysctldir = $(prefix)/lib/sysctl.d
dist_sysctl_DATA = contrib/systemd/clusterd-sysctl.conf
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/clustadm.bash
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = contrib/completion/_clustadm

unit_substitute = sed -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@CLUSTERD_GROUP[@]|$(CLUSTERD_GROUP)|g' \
	-e 's|@CLUSTERD_QEMU_USER[@]|$(CLUSTERD_QEMU_USER)|g' \
	-e 's|@CLUSTERD_SCRIPT_USER[@]|$(CLUSTERD_SCRIPT_USER)|g'

contrib/systemd/clusterd.service: contrib/systemd/clusterd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && $(unit_substitute) \
		$(srcdir)/contrib/systemd/clusterd.service.in > $@
contrib/systemd/sanlock-clusterd.conf: contrib/systemd/sanlock-clusterd.conf.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && $(unit_substitute) \
		$(srcdir)/contrib/systemd/sanlock-clusterd.conf.in > $@
contrib/systemd/clusterd.conf: contrib/systemd/clusterd.sysusers.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib/systemd && $(unit_substitute) \
		$(srcdir)/contrib/systemd/clusterd.sysusers.in > $@

CLEANFILES += contrib/systemd/clusterd.service contrib/systemd/sanlock-clusterd.conf \
	contrib/systemd/clusterd.conf
EXTRA_DIST += contrib/systemd/clusterd.service.in contrib/systemd/sanlock-clusterd.conf.in \
	contrib/systemd/clusterd.sysusers.in contrib/lab contrib/demo contrib/install-deps contrib/build
