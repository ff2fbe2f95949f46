# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Part of lab: what it tells clusterd about the cluster and its VMs, and what it makes for a VM.

cluster_xml() {
	local i

	echo "<clusterd>"
	echo "  <cluster name=\"lab\"><io-timeout>$io_timeout_s</io-timeout></cluster>"
	for ((i = 1; i <= nodes; i++)); do
		if $with_fence; then
			echo "  <node name=\"n$i\" id=\"$i\"><fence agent=\"fence_lab\">" \
				"<option name=\"port\" value=\"n$i\"/></fence></node>"
		else
			echo "  <node name=\"n$i\" id=\"$i\"/>"
		fi
	done
	echo "  <volume name=\"v1\" source=\"/srv/shared/v1\"/>"
	echo "</clusterd>"
}

# What --set means: an attribute of the VM, of its disk or NIC (disk.aio=threads), of an element of
# its own (restart.in-place=2, cpu.mode=host), owners (preferred=n1,n2 possible=n1,n2), or else an
# element's text (firmware=uefi, stop-timeout=30s).
declare -A vm_attributes=() vm_elements=()
vm_owners="" vm_texts=""

vm_set() {
	local name=$1 value=$2 node tier=0

	case $name in
	wanted | priority | uuid) vm_attributes[vm]+=" $name=\"$value\"" ;;
	disk.* | nic.*) vm_attributes[${name%%.*}]+=" ${name#*.}=\"$value\"" ;;
	*.*) vm_elements[${name%%.*}]+=" ${name#*.}=\"$value\"" ;;
	possible)
		for node in ${value//,/ }; do
			vm_owners+="<possible node=\"$node\"/>"
		done ;;
	preferred)
		for node in ${value//,/ }; do
			tier=$((tier + 1))
			vm_owners+="<preferred node=\"$node\" tier=\"$tier\"/>"
		done ;;
	*) vm_texts+="  <$name>$value</$name>"$'\n' ;;
	esac
}

# vm_xml NAME MEMORY CPUS MAC CMDLINE
vm_xml() {
	local element

	case ${vm_attributes[vm]:-} in *' wanted='*) ;; *) vm_set wanted running ;; esac
	echo "<vm name=\"$1\"${vm_attributes[vm]}>"
	echo "  <cpus>$3</cpus>"
	echo "  <memory unit=\"MiB\">$2</memory>"
	printf '%s' "$vm_texts"
	for element in "${!vm_elements[@]}"; do
		echo "  <$element${vm_elements[$element]}/>"
	done
	[ -z "$vm_owners" ] || echo "  <owners>$vm_owners</owners>"
	cat <<-END
	  <boot>
	    <kernel volume="v1" path="boot/vmlinuz"/>
	    <initrd volume="v1" path="boot/initrd"/>
	    <cmdline>$5</cmdline>
	  </boot>
	  <disk volume="v1" path="vms/$1.img" format="raw" bus="virtio"${vm_attributes[disk]:-}/>
	  <nic bridge="br0" model="virtio" mac="$4"${vm_attributes[nic]:-}/>
	  <console/>
	</vm>
	END
}

vm_number() {
	local name=$1 number

	touch "$dir/vms"
	number=$(awk -v name="$name" '$1 == name { print $2 }' "$dir/vms")
	if [ -z "$number" ]; then
		number=$(($(wc -l <"$dir/vms") + 1))
		[ "$number" -le 240 ] || die "no address is left for $name"
		echo "$name $number" >>"$dir/vms"
	fi
	echo "$number"
}

first_node_on() {
	labd list | awk '$2 == "on" { print $1; exit }'
}

vm_boot_files() {
	local guest to

	guest=$(lab_guest)
	for to in vmlinuz initrd; do
		[ -e "$dir/shared/v1/boot/$to" ] && continue
		mkdir -p "$dir/shared/v1/boot"
		cp "$guest/$to" "$dir/shared/v1/boot/$to.new"
		mv "$dir/shared/v1/boot/$to.new" "$dir/shared/v1/boot/$to"
	done
}

vm_add() {
	local name=${1:-} memory=128 cpus=1 disk=1024 extra="" print=false number cmdline mac node

	[[ "$name" =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "a VM's name, please, not '$name'"
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--memory) number "$1" "${2:-}" 8 65536; memory=$2; shift 2 ;;
		--cpus) number "$1" "${2:-}" 1 64; cpus=$2; shift 2 ;;
		--disk) number "$1" "${2:-}" 1 1048576; disk=$2; shift 2 ;;
		--cmdline) extra=" ${2:-}"; shift 2 ;;
		--xml) print=true; shift ;;
		--set)
			[[ "${2:-}" =~ ^([a-z.-]+)=([^\"\<\&]*)$ ]] || die "--set wants ATTR=VALUE"
			vm_set "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
			shift 2 ;;
		*) die "vm add knows no '$1'" ;;
		esac
	done
	number=$(vm_number "$name")
	mac=$(printf '52:54:00:98:00:%02x' "$number")
	# pti: QEMU without KVM now and then loses a write of a guest that is being migrated, on a
	# page that its software TLB knew before; this empties that TLB all the time.
	cmdline="console=ttyS0 quiet panic=-1 nokaslr mitigations=off pti=on rcupdate.rcu_expedited=1"
	cmdline+=" cryptomgr.notests clusterd.ip=10.98.0.$((10 + number))/24$extra"
	if $print; then
		vm_xml "$name" "$memory" "$cpus" "$mac" "$cmdline"
		return
	fi
	vm_boot_files
	mkdir -p "$dir/shared/v1/vms"
	if [ ! -e "$dir/shared/v1/vms/$name.img" ]; then
		truncate -s "${disk}M" "$dir/shared/v1/vms/$name.img"
	fi
	node=$(first_node_on)
	[ -n "$node" ] || die "no node is on"
	vm_xml "$name" "$memory" "$cpus" "$mac" "$cmdline" |
		node_run "$node" clustadm apply -
}
