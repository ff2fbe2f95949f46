# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# What the live tests of policies share: two busy VMs on one node, which each node sees as its own load.

two_busy_vms() {
	local node
	lab_up --nodes 3
	lab_ready
	for node in n1 n2 n3; do own_load "$node"; done
	vm_add a --cmdline "clusterd.dirty=120"
	vm_add b --cmdline "clusterd.dirty=120"
	wait_for 60 "both run" all_vms_run n1
	wait_for 30 "a counts" counts_on a
	vm_on n1 a n1 || in_node n1 clustadm vm migrate a --to n1 || fail "a is not on n1"
	vm_on n1 b n1 || in_node n1 clustadm vm migrate b --to n1 || fail "b is not on n1"
}
never_anew() { [ "$(boots_of a)$(boots_of b)" = 11 ] || fail "a VM was started anew"; }
policy() {
	in_node n1 clustadm apply - <<-END
		<policy name="hot" mode="$1">
		  <condition of="node" measure="cpu" at-least="5" hold="20s"/>
		  <action do="balance"/>
		  <limits min-gain="5" rest="10min" budget="16"/>
		</policy>
	END
}
both_on() { vm_on n1 a "$1" && vm_on n1 b "$1"; }
tips() { in_node n1 clustadm -o json tips list; }
tip_id() { tips | jq -r --arg s "$1" '[.tips[] | select(.policy == "hot" and .state == $s)] | last | .id // empty'; }
has_tip() { [ -n "$(tip_id "$1")" ]; }
tip_by_itself() { tips | jq -r '[.tips[] | select(.policy == "hot" and .automatic)] | last | .id // empty'; }
has_tip_by_itself() { [ -n "$(tip_by_itself)" ]; }
tip_is() { [ "$(in_node n1 clustadm -o json tips show "$1" | jq -r "$2")" = "$3" ]; }

# The nodes of a lab share one machine's processors: what each of them sees as used is what its own processes really use.
own_load() {
	in_node "$1" sh -c 'cat >/run/own-load.py' <<-'END'
		import os, time
		cpus, used, last = os.cpu_count(), 0, {}
		rest = open("/proc/stat").read().split("\n", 1)[1]
		hz, began = os.sysconf("SC_CLK_TCK"), time.monotonic()
		out = os.open("/run/own-stat", os.O_RDWR | os.O_CREAT)
		while True:
		    for pid in filter(str.isdigit, os.listdir("/proc")):
		        try:
		            fields = open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()
		        except OSError:
		            continue
		        now = int(fields[11]) + int(fields[12])
		        used += max(0, now - last.get(pid, now))
		        last[pid] = now
		    total = int((time.monotonic() - began) * hz * cpus)
		    text = "cpu  %d 0 0 %d 0 0 0 0 0 0\n%s" % (used, max(0, total - used), rest)
		    os.pwrite(out, text.encode(), 0)
		    time.sleep(0.5)
	END
	in_node "$1" sh -c 'setsid python3 /run/own-load.py </dev/null >/dev/null 2>&1 &'
	wait_for 10 "the load of $1 is its own" in_node "$1" test -s /run/own-stat
	in_node "$1" mount --bind /run/own-stat /proc/stat || fail "the load of $1 cannot be shown to it"
}
