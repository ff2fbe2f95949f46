# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# What the live tests of moves share.

moves_of() { in_node "$1" clustadm -o json moves --all; }
stage_of() { moves_of "$1" | jq -r --arg vm "$2" '.moves[] | select(.vm == $vm) | .stage'; }
in_stage() { [ "$(stage_of "$1" "$2")" = "$3" ]; }
# The outcome of the VM's last move, once it has none under way.
outcome_of() {
	moves_of "$1" | jq -r --arg vm "$2" \
		'if any(.moves[]; .vm == $vm) then "" else [.past[] | select(.vm == $vm)] | last | .outcome end'
}
ended_as() { [[ " $3 " == *" $(outcome_of "$1" "$2") "* ]]; }
last_move() { moves_of "$1" | jq -c --arg vm "$2" '[.past[] | select(.vm == $vm)] | last | {kind, stage, outcome, from, to, fact, reason}'; }

# Moves take seconds on such a link, and can be cut in their middle.
slow_links() {
	local node
	for node in "$@"; do
		in_node "$node" tc qdisc replace dev eth0 root tbf rate 80mbit burst 256kb latency 200ms ||
			fail "tc in $node"
	done
}
fast_links() {
	local node
	for node in "$@"; do
		in_node "$node" tc qdisc del dev eth0 root 2>/dev/null || true
	done
}

# The guest's boots by the records on its disk: one, as long as it was only moved.
boots_of() {
	python3 - "${CLUSTERD_LAB_DIR}/shared/v1/vms/$1.img" <<-'END'
	import re, sys
	boots = []
	with open(sys.argv[1], "rb") as disk:
	    while True:
	        record = disk.read(512)
	        if record[:6] != b"count ":
	            break
	        boot = re.search(rb"boot (\S+)", record).group(1)
	        if not boots or boots[-1] != boot:
	            boots.append(boot)
	print(len(boots))
	END
}
never_rebooted() { [ "$(boots_of "$1")" = "$2" ] || fail "$1 was started anew: $(boots_of "$1") boots, not $2"; }

# begin_slowly VM FROM TO STAGE: a move that is left under way, in that stage.
begin_slowly() {
	in_node "$2" clustadm --no-wait vm migrate "$1" --to "$3" || fail "vm migrate $1 --to $3"
	wait_for 30 "$1: $4" in_stage "$2" "$1" "$4"
}

# No VM has more QEMUs than one.
one_qemu() { [ "$(qemu_pids "$1" | wc -l)" = 1 ] || fail "$1 has $(qemu_pids "$1" | wc -l) QEMUs"; }

# after_move NODE VM OUTCOMES BOOTS: asked of NODE.
after_move() {
	wait_for 120 "$2: $3" ended_as "$1" "$2" "$3"
	say "$(last_move "$1" "$2")"
	wait_for 60 "$2 runs" vm_is "$1" "$2" running
	wait_for 30 "$2 counts" counts_on "$2"
	wait_for 30 "one QEMU of $2" has_one_qemu "$2"
	never_rebooted "$2" "$4"
}
has_one_qemu() { [ "$(qemu_pids "$1" | wc -l)" = 1 ]; }

# QEMU's own word on the move, and how many MiB are left to be sent.
now_of() { moves_of "$1" | jq -r --arg vm "$2" ".moves[] | select(.vm == \$vm) | .now.$3"; }
now_is() { [ "$(now_of "$1" "$2" "$3")" = "$4" ]; }
left_below() {
	local left
	left=$(now_of "$1" "$2" remaining)
	# Before the first round nothing seems to be left.
	[ "${left:-0}" -gt 0 ] && [ "$left" -lt $(($3 << 20)) ]
}

link_rate() {
	in_node "$1" tc qdisc change dev eth0 root tbf rate "$2" burst 256kb latency 200ms || fail "tc in $1"
}

# The move stands still where it is as long as the target's QEMU does; it may have to be waited for.
hold_target() { in_node "$1" killall -STOP qemu-system-x86_64 2>/dev/null; }
free_target() { in_node "$1" killall -CONT qemu-system-x86_64 || fail "no QEMU on $1"; }
