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

# A moment of a move that is held up at a line between clusterd and QEMU (lab tap).
tap() {
	local node
	for node in "$@"; do
		"$lab" tap "$node" on || fail "tap $node"
	done
}
hold() { "$lab" tap "$1" hold "$2" "$3" "$4" || fail "hold $*"; }
held() { "$lab" tap "$1" held "$2"; }
wait_held() { wait_for "${3:-40}" "$1 is held: $2" held "$1" "$2"; }
free() { "$lab" tap "$1" free "$2" || fail "free $*"; }

# Under a tap QEMU has another name: by the VM's, in the node's own numbers.
qemu_in() { in_node "$1" pgrep -of "qemu-system.*guest=$2,"; }
signal_qemu() { in_node "$1" kill "-$3" "$(qemu_in "$1" "$2")" || fail "kill -$3 $2 on $1"; }

# What QEMU sends is not to vanish in buffers: a stream that nobody reads stands at once.
small_buffers() {
	local node
	for node in "$@"; do
		in_node "$node" sysctl -qw net.ipv4.tcp_wmem="4096 16384 16384" \
			net.ipv4.tcp_rmem="4096 16384 16384" || fail "sysctl in $node"
	done
}
cut_stream() {
	in_node "$1" nft -f - <<-END || fail "nft in $1"
	table inet cut {
		chain in {
			type filter hook input priority 0
			tcp dport != 7799 drop
		}
	}
	END
}
mend_stream() { in_node "$1" nft delete table inet cut || fail "nft in $1"; }
