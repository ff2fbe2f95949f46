# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the live tests share. A test is a file tests/live/NAME.test that defines test_NAME; it begins with no lab.

lab=$top/contrib/lab/lab
proof=$top/contrib/lab/disk-proof

say() { printf '   %s\n' "$*"; }

fail() {
	printf '   FAILED: %s\n' "$*"
	exit 1
}

in_node() { "$lab" exec "$@"; }

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds; otherwise the test has failed.
wait_for() {
	local limit=$1 what=$2 began
	shift 2
	began=$(now_ms)
	until "$@" >/dev/null 2>&1; do
		[ $(($(now_ms) - began)) -lt $((limit * 1000)) ] || fail "$what: not within $limit s"
		sleep 0.1
	done
	say "$what after $(($(now_ms) - began)) ms"
}

# never_for SECONDS WHAT COMMAND...: the command must not succeed for that long.
never_for() {
	local limit=$1 what=$2 began
	shift 2
	began=$(now_ms)
	while [ $(($(now_ms) - began)) -lt $((limit * 1000)) ]; do
		if "$@" >/dev/null 2>&1; then fail "$what"; fi
		sleep 0.2
	done
	say "not for $limit s: $what"
}

# status_of NODE: what that node says, as JSON.
status_of() { in_node "$1" clustadm -o json status; }

vm_field() { status_of "$1" | jq -r --arg vm "$2" ".vms[] | select(.name == \$vm) | .$3"; }
vm_is() { [ "$(vm_field "$1" "$2" state)" = "$3" ]; }
# State and node of one look: between two looks a VM may have died here and been placed there, where it waits.
vm_where() { status_of "$1" | jq -r --arg vm "$2" '.vms[] | select(.name == $vm) | "\(.state) \(.node)"'; }
vm_on() { [ "$(vm_where "$1" "$2")" = "running $3" ]; }
vm_left() {
	local where
	where=$(vm_where "$1" "$2")
	[[ "$where" == "running "* ]] && [ "$where" != "running $3" ]
}
node_is() { [ "$(status_of "$1" | jq -r --arg n "$2" '.nodes[] | select(.name == $n) | .state')" = "$3" ]; }
quorate() { [ "$(status_of "$1" | jq -r .cluster.quorate)" = true ]; }
all_online() {
	local node
	quorate "$1" || return 1
	for node in $("$lab" status | awk -F: '/^n[0-9]+: power on/ { print $1 }'); do
		node_is "$1" "$node" online || return 1
	done
}
all_vms_run() { status_of "$1" | jq -e '[.vms[] | select(.state != "running")] | length == 0'; }

# The guest appends one record of 512 bytes for each count; the last one is found by halving.
guest_count() {
	python3 - "${CLUSTERD_LAB_DIR}/shared/v1/vms/$1.img" <<-'END'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	low, high = 0, os.fstat(fd).st_size // 512
	while low < high:
	    middle = (low + high) // 2
	    if os.pread(fd, 6, middle * 512) == b"count ":
	        low = middle + 1
	    else:
	        high = middle
	print(low)
	END
}
counts_on() {
	local a
	a=$(guest_count "$1")
	sleep 0.6
	[ "$(guest_count "$1")" != "$a" ]
}

# How often the guest has booted, by what it wrote.
boots_of() {
	python3 - "${CLUSTERD_LAB_DIR}/shared/v1/vms/$1.img" <<-'END'
	import re, sys
	boots = set()
	with open(sys.argv[1], "rb") as disk:
	    while (record := disk.read(512)).startswith(b"count "):
	        boots.add(re.search(rb"boot (\S+)", record).group(1))
	print(len(boots))
	END
}

# The QEMU processes of a VM in this lab (there may be others on this machine), by their numbers out here.
qemu_pids() {
	local pid
	for pid in $(pgrep -f "qemu-system.*guest=$1," || true); do
		if grep -q " $CLUSTERD_LAB_DIR/" "/proc/$pid/mountinfo" 2>/dev/null; then echo "$pid"; fi
	done
}

lab_up() { "$lab" up "$@" || fail "lab up $*"; }

lab_ready() {
	wait_for 60 "every node online" all_online "${1:-n1}"
}

vm_add() { "$lab" vm add "$@" || fail "vm add $*"; }

prove() {
	local vm
	for vm in "$@"; do
		"$proof" "$vm" || fail "disk-proof $vm"
	done
}
