# Definitions with one mistake each are refused by every replica, with the mistake and what mends it, and change nothing: the
# reader of XML finds most of them before, but what comes over the wire may have been made by anybody.
up
spoiled
states
---
     0.000 --   all is well
     0.000 --   > spoiled
     0.000 --   a cluster's name with a blank
     0.003 n1   apply spoiled: refused: "two words" is no name for a cluster; begin with a letter or digit, go on with letters, digits, '.', '_' and '-'
     1.000 --   a root that is no absolute path
     1.003 n1   apply spoiled: refused: "clusterstorage" is no absolute path; give one like /clusterstorage
     2.000 --   a hold that is too short
     2.003 n1   apply spoiled: refused: no-quorum-hold is 1; give 5 to 86400
     3.000 --   an I/O timeout that is too long
     3.003 n1   apply spoiled: refused: io-timeout is 61; give 1 to 60
     4.000 --   a network that is none
     4.003 n1   apply spoiled: refused: "10.1.0.0,16" is no network; give one like 10.1.0.0/16
     5.000 --   no bandwidth
     5.003 n1   apply spoiled: refused: the bandwidth of migrations is 0; give 1 to 100
     6.000 --   links that are too fast
     6.003 n1   apply spoiled: refused: the speed of links is 4294967295; give 0 to 1000000
     7.000 --   no moves out
     7.003 n1   apply spoiled: refused: moves-out is 0; give 1 to 16
     8.000 --   too many moves in
     8.003 n1   apply spoiled: refused: moves-in is 17; give 1 to 16
     9.000 --   a node's name that begins with a dash
     9.003 n1   apply spoiled: refused: "-new" is no name for a node; begin with a letter or digit, go on with letters, digits, '.', '_' and '-'
    10.000 --   a node without an id
    10.003 n1   apply spoiled: refused: the id of node new is 0; give 1 to 2000
    11.000 --   a reserve that no host has
    11.003 n1   apply spoiled: refused: the memory reserve of node new is 4294967295; give 0 to 16777216
    12.000 --   a CPU feature that nobody knows
    12.003 n1   apply spoiled: refused: node new: "nonsense" is no CPU feature; name features as QEMU does, like avx2
    13.000 --   a CPU feature with too long a name
    13.003 n1   apply spoiled: refused: node new: "a-name-that-is-longer-than-that-of-any-" is no CPU feature; name features as QEMU does, like avx2
    14.000 --   a fence agent that is none
    14.003 n1   apply spoiled: refused: node new: "shutdown" is no fence agent; name a program fence_*
    15.000 --   options with a control character
    15.003 n1   apply spoiled: refused: node new: options of fence_sim hold control characters; leave them out
    16.000 --   a node defined twice
    16.003 n1   apply spoiled: refused: node new is defined twice; leave one out
    17.000 --   two nodes of one id
    17.003 n1   apply spoiled: refused: id 1000 of node newer is that of node new; give it the nodeid that corosync.conf gives it
    18.000 --   a volume's name with a slash
    18.003 n1   apply spoiled: refused: "a/b" is no name for a volume; begin with a letter or digit, go on with letters, digits, '.', '_' and '-'
    19.000 --   a source with two dots
    19.003 n1   apply spoiled: refused: volume new: "/shared/../new" is no absolute path; give one without "..", ".", "//", a slash at the end, and control characters
    20.000 --   a volume defined twice
    20.003 n1   apply spoiled: refused: volume new is defined twice; leave one out
    21.000 --   a volume inside another one
    21.003 n1   apply spoiled: refused: the source of volume newer is that of volume new, or inside it; give each volume a file system of its own
    22.000 --   a VM without a name
    22.003 n1   apply spoiled: refused: "" is no name for a vm; begin with a letter or digit, go on with letters, digits, '.', '_' and '-'
    23.000 --   a VM without a CPU
    23.003 n1   apply spoiled: refused: vm new: cpus is 0; give 1 to 512
    24.000 --   a VM without memory
    24.003 n1   apply spoiled: refused: vm new: memory in MiB is 0; give 1 to 16777216
    25.000 --   a stop that never ends
    25.003 n1   apply spoiled: refused: vm new: stop timeout is 4294967295; give 0 to 86400
    26.000 --   a move without any pause
    26.003 n1   apply spoiled: refused: vm new: max-pause in ms is 0; give 1 to 60000
    27.000 --   restarts without end
    27.003 n1   apply spoiled: refused: vm new: restarts is 4294967295; give 0 to 1000
    28.000 --   relocations without end
    28.003 n1   apply spoiled: refused: vm new: relocations is 4294967295; give 0 to 1000
    29.000 --   a description that rings a bell
    29.003 n1   apply spoiled: refused: vm new: a text holds control characters; leave them out
    30.000 --   a machine with a blank
    30.003 n1   apply spoiled: refused: vm new: "q 35" is no machine type; give one like q35
    31.000 --   a CPU model without a name
    31.003 n1   apply spoiled: refused: vm new: no CPU model is named; name one, or use a mode
    32.000 --   a NIC on no bridge
    32.003 n1   apply spoiled: refused: vm new: "" is no bridge; name a bridge of the nodes
    33.000 --   a group's MAC
    33.003 n1   apply spoiled: refused: vm new: the MAC of NIC 1 is a group address; give one whose first octet is even, or none
    34.000 --   two NICs of one MAC
    34.003 n1   apply spoiled: refused: two NICs of vm new have one MAC; leave one MAC out: it is derived
    35.000 --   a passed-through NIC at no PCI address
    35.003 n1   apply spoiled: refused: vm new: "0000:3B:02.1" is no PCI address; write it as 0000:3b:02.1, in small letters
    36.000 --   a passed-through NIC without a virtio twin
    36.003 n1   apply spoiled: refused: vm new: without a virtio NIC on machine q35 there is no other path while 0000:3b:02.1 cannot come along; model virtio, machine q35
    37.000 --   a passed-through NIC on a machine without ports
    37.003 n1   apply spoiled: refused: vm new: without a virtio NIC on machine q35 there is no other path while 0000:3b:02.1 cannot come along; model virtio, machine q35
    38.000 --   one NIC passed through twice
    38.003 n1   apply spoiled: refused: vm new: 0000:3b:02.1 is passed through twice; name it once
    39.000 --   a VM without a disk
    39.003 n1   apply spoiled: refused: vm new needs at least one writable disk: its lease lives on that volume; give it a disk
    40.000 --   a disk on no volume
    40.003 n1   apply spoiled: refused: vm new: a disk names no volume; give its volume
    41.000 --   a disk's path with an empty part
    41.003 n1   apply spoiled: refused: vm new: "vms//new.raw" is no path inside volume d0; give a relative path without "..", ".", "//" and control characters
    42.000 --   a disk over the leases
    42.003 n1   apply spoiled: refused: vm new: .clusterd of volume d0 holds its leases; put the disk elsewhere, for example below vms/
    43.000 --   a disk on a volume that is not there
    43.003 n1   apply spoiled: refused: vm new: there is no volume none; define it, or name another
    44.000 --   one disk twice
    44.003 n1   apply spoiled: refused: disk d0:vms/new.raw is given to vm new twice; leave one out
    45.000 --   a VM that writes nothing
    45.003 n1   apply spoiled: refused: vm new needs at least one writable disk: its lease lives on that volume; give it a disk
    46.000 --   a command line without a kernel
    46.003 n1   apply spoiled: refused: vm new: an initrd or command line needs a kernel; name the kernel
    47.000 --   a kernel with an absolute path
    47.003 n1   apply spoiled: refused: vm new: "/boot/vmlinuz" is no path inside volume d0; give a relative path without "..", ".", "//" and control characters
    48.000 --   an initrd on a volume that is not there
    48.003 n1   apply spoiled: refused: vm new: there is no volume none; define it, or name another
    49.000 --   one disk of two VMs
    49.003 n1   apply spoiled: refused: disk d0:vms/new.raw is used by vm new; give newer another disk, or remove new
    50.000 --   a VM defined twice
    50.003 n1   apply spoiled: refused: vm new is defined twice; leave one out
    51.000 --   two VMs of one uuid
    51.003 n1   apply spoiled: refused: the uuid of vm newer is that of vm new; leave it out: a fresh one is made
    52.000 --   two VMs of one MAC
    52.003 n1   apply spoiled: refused: the MAC of NIC 1 of vm newer is that of vm new; leave it out: it is derived
    53.000 --   an owner that is no node
    53.003 n1   apply spoiled: refused: vm new: there is no node nowhere; define it, or name another
    54.000 --   a tier too many
    54.003 n1   apply spoiled: refused: vm new: tier 9; use tiers 1 to 8
    55.000 --   an owner named twice
    55.003 n1   apply spoiled: refused: vm new: owner n1 is named twice; leave one out
    56.000 --   a preferred owner that is not possible
    56.003 n1   apply spoiled: refused: vm new: a preferred owner is not a possible one; name it among the possible owners too
    57.000 --   a rule's name that is none
    57.003 n1   apply spoiled: refused: "?" is no name for a rule; begin with a letter or digit
    58.000 --   a VM kept apart from itself
    58.003 n1   apply spoiled: refused: rule new: it does not have what its kind needs; two members or more, and no other roles
    59.000 --   an order without roles
    59.003 n1   apply spoiled: refused: rule new: it does not have what its kind needs; at least one <first> and one <then>
    60.000 --   nobody to follow
    60.003 n1   apply spoiled: refused: rule new: it does not have what its kind needs; one leader and one member or more
    61.000 --   a spread over no attribute
    61.003 n1   apply spoiled: refused: rule new: it does not have what its kind needs; an attribute and two members or more
    62.000 --   a leader among those kept apart
    62.003 n1   apply spoiled: refused: rule new: it does not have what its kind needs; two members or more, and no other roles
    63.000 --   a wish of no weight
    63.003 n1   apply spoiled: refused: rule new: its weight is out of range; give 1 to 1000000
    64.000 --   no moves at once
    64.003 n1   apply spoiled: refused: rule new: its number of moves at once is out of range; give 1 to 128
    65.000 --   a TCP port 0
    65.003 n1   apply spoiled: refused: rule new: its TCP port is out of range; give 1 to 65535
    66.000 --   a delay of a day
    66.003 n1   apply spoiled: refused: rule new: its delay is out of range; give up to one hour
    67.000 --   a member without a name
    67.003 n1   apply spoiled: refused: rule new: a member has no name that could be one; name a vm, or a tag
    68.000 --   a member named twice
    68.003 n1   apply spoiled: refused: rule new names new twice; leave one out
    69.000 --   a rule defined twice
    69.003 n1   apply spoiled: refused: rule new is defined twice; leave one out
    70.000 --   a policy's name with a blank
    70.003 n1   apply spoiled: refused: "a policy" is no name for a policy; begin with a letter or digit
    71.000 --   the latency of a node
    71.003 n1   apply spoiled: refused: policy new: that is not measured of what its condition is about; of a node: cpu, memory, cpu-pressure, memory-pressure, io-pressure, health, joined; of a vm: cpu, memory, disk, network; of a volume: latency, free; of the cluster: imbalance
    72.000 --   a drain of a VM
    72.003 n1   apply spoiled: refused: policy new: its action does not fit its condition; balance, drain and save follow from a node's measurement, balance from the cluster's too, move from a node's or a vm's, notify and script from any
    73.000 --   more than all of its CPUs
    73.003 n1   apply spoiled: refused: policy new: its threshold is never reached; give one within the measure's range
    74.000 --   at least nothing
    74.003 n1   apply spoiled: refused: policy new: its condition always holds; give a threshold above 0
    75.000 --   at most everything
    75.003 n1   apply spoiled: refused: policy new: its condition always holds; give a lower threshold
    76.000 --   over when it is worse
    76.003 n1   apply spoiled: refused: policy new: its trouble would be over before it begins; give a `clear` on the good side of the threshold
    77.000 --   faster than it can be
    77.003 n1   apply spoiled: refused: policy new: its rate is never reached; give one within the measure's range
    78.000 --   a policy defined twice
    78.003 n1   apply spoiled: refused: policy new is defined twice; leave one out
    79.000 --   a hold of nothing
    79.003 n1   apply spoiled: refused: policy new: its hold is out of range; give 1 s to 1 d
    80.000 --   a rest for ever
    80.003 n1   apply spoiled: refused: policy new: its rest is out of range; give 1 s to 7 d
    81.000 --   a tip that is over at once
    81.003 n1   apply spoiled: refused: policy new: its expiry is out of range; give 1 s to 7 d
    82.000 --   no gain at all
    82.003 n1   apply spoiled: refused: policy new: its minimum gain is out of range; give 1 to 100
    83.000 --   a budget that is too large
    83.003 n1   apply spoiled: refused: policy new: its budget is out of range; give 1 to 16 moves an hour
    84.000 --   a tip of no moves
    84.003 n1   apply spoiled: refused: policy new: its number of moves is out of range; give 1 to 8
    85.000 --   a script without time
    85.003 n1   apply spoiled: refused: policy new: its script's limit is out of range; give 1 s to 10 min
    86.000 --   a script that is not named
    86.003 n1   apply spoiled: refused: policy new: it runs a script and does not say which; name one of the folder of scripts, without a path
    87.000 --   a script outside its folder
    87.003 n1   apply spoiled: refused: policy new: it runs a script and does not say which; name one of the folder of scripts, without a path
    88.000 --   a script that is not run
    88.003 n1   apply spoiled: refused: policy new: it names a script and does not run it; say do="script"
    89.000 --   a window beyond the day
    89.003 n1   apply spoiled: refused: policy new: its time window is no time of the day; give 00:00 to 23:59
    90.000 --   a window that is empty
    90.003 n1   apply spoiled: refused: policy new: its time window is empty; say mode="automatic" for always
    91.000 --   too many nodes
    91.003 n1   apply spoiled: refused: there is room for 64 nodes and no more; remove one
    92.000 --   too many volumes
    92.003 n1   apply spoiled: refused: there is room for 32 volumes and no more; remove one
    93.000 --   too many VMs
    93.003 n1   apply spoiled: refused: there is room for 64 VMs and no more; remove one
    94.000 --   too many rules
    94.003 n1   apply spoiled: refused: there is room for 64 rules and no more; remove one, or use tags
    95.000 --   too many policies
    95.003 n1   apply spoiled: refused: there is room for 32 policies and no more; remove one
    96.000 --   a VM on too many volumes
    96.003 n1   apply spoiled: refused: vm new0 writes 9 volumes; put its disks on 8 volumes at most
    97.000 --   a document without its end
    97.003 n1   apply spoiled: refused: the definitions are garbled; send them again
    98.000 --   > states
    98.000 --     n1: online
    98.000 --     n2: online
    98.000 --     n3: online
    98.000 --     vm0: running
    98.000 --     the view: normal
