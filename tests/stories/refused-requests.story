# A request that cannot be done is refused at once, with what is in the way and what would mend it.
nodes 5
vms 3
fence n1
up
vm start none
vm clear none
vm manage none
vm migrate none
vm cancel none
node drain none
node fence none
node manage none
node confirm-dead none
policy on none
policy run none
tip accept 7
tip dismiss 7
run 2
vm cancel vm0
vm migrate vm0 to n1
node fence n2
node confirm-dead n2
node undrain n1
node pause n1
node resume n1
node abort n1
vm stop vm1
run 10
vm migrate vm1
vm save vm1
vm cold vm1 to n3
run 10
vm migrate vm0 to n2
run 0.1
vm migrate vm0 to n3
vm stop vm0
apply vm0
remove vm0
run 20
vm cancel vm0
vm disable vm2
run 10
vm migrate vm2
vm start vm2
run 5
fence-device n1 slow
power-off n1
run 4
node fence n1
vm migrate vm1 to n1
run 20
node fence n1
vm migrate vm1 to n1
node drain n1
run 5
shut-down n3
run 10
node fence n3
states
---
     0.000 --   all is well
     0.000 --   > vm start none
     0.000 --   > vm clear none
     0.000 --   > vm manage none
     0.000 --   > vm migrate none
     0.000 --   > vm cancel none
     0.000 --   > node drain none
     0.000 --   > node fence none
     0.000 --   > node manage none
     0.000 --   > node confirm-dead none
     0.000 --   > policy on none
     0.000 --   > policy run none
     0.000 --   > tip accept 7
     0.000 --   > tip dismiss 7
     0.000 --   > run 2
     0.003 n1   want none: refused: there is no vm none; name one of: clustadm vm list
     0.005 n1   clear none: refused: there is no vm none; name one of: clustadm vm list
     0.005 n1   vm manage none: refused: there is no vm none; name one of: clustadm vm list
     0.005 n1   move none: refused: there is no vm none; name one of: clustadm vm list
     0.005 n1   cancel none: refused: there is no vm none; name one of: clustadm vm list
     0.005 n1   drain none: refused: there is no node none; name one of: clustadm node list
     0.005 n1   fence none: refused: there is no node none; name one of: clustadm node list
     0.005 n1   node manage none: refused: there is no node none; name one of: clustadm node list
     0.005 n1   confirm-dead none: refused: there is no node none; name one of: clustadm node list
     0.005 n1   policy none: refused: there is no policy none; name one of: clustadm policy list
     0.005 n1   policy run none: refused: there is no policy none; name one of: clustadm policy list
     0.005 n1   tip accept: refused: there is no tip 7; name one of: clustadm tips list
     0.005 n1   tip dismiss: refused: there is no tip 7; name one of: clustadm tips list
     2.000 --   > vm cancel vm0
     2.000 --   > vm migrate vm0 to n1
     2.000 --   > node fence n2
     2.000 --   > node confirm-dead n2
     2.000 --   > node undrain n1
     2.000 --   > node pause n1
     2.000 --   > node resume n1
     2.000 --   > node abort n1
     2.000 --   > vm stop vm1
     2.000 --   > run 10
     2.003 n1   cancel vm0: refused: vm vm0 is not being moved; see what is: clustadm moves
     2.005 n3   | vm vm1: wanted stopped
     2.005 n1   move vm0: refused: vm vm0 runs on n1 already; name another node, or none
     2.005 n1   fence n2: refused: node n2 has no fence device; define one, or switch it off by hand and say so: clustadm node confirm-dead n2
     2.005 n1   drain n1: refused: node n1 is not in maintenance
     2.005 n1   drain n1: refused: node n1 is not draining; see: clustadm node maintenance n1 status
     2.005 n1   drain n1: refused: the drain of node n1 is not paused; see: clustadm node maintenance n1 status
     2.005 n1   drain n1: refused: node n1 is not draining; end its maintenance: clustadm node maintenance n1 off
     2.005 n1   want vm1: done
     4.132 n2   QEMU of vm1 ends: the guest shut down
     4.148 n3   | vm vm1: stopped on n2: it is wanted stopped
     6.100 n1   checked host id 2: renewed
     6.100 n1   confirm-dead n2: refused: its host id is still being renewed; switch it off first; or wait: if it is cut off, its leases end by themselves
    12.000 --   > vm migrate vm1
    12.000 --   > vm save vm1
    12.000 --   > vm cold vm1 to n3
    12.000 --   > run 10
    12.003 n1   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    12.005 n1   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    12.005 n1   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    22.000 --   > vm migrate vm0 to n2
    22.000 --   > run 0.1
    22.003 n3   | vm vm0: to be moved to n2 (live)
    22.003 n1   move vm0: done
    22.005 n3   | vm vm0: live migration from n1 to n2
    22.073 n2   QEMU of vm0 waits for it
    22.100 --   > vm migrate vm0 to n3
    22.100 --   > vm stop vm0
    22.100 --   > apply vm0
    22.100 --   > remove vm0
    22.100 --   > run 20
    22.103 n1   move vm0: refused: vm vm0 is being moved already; wait, or: clustadm vm cancel vm0
    22.105 n3   | vm vm0: wanted stopped
    22.105 n3   | definitions: 1 vm
    22.105 n1   want vm0: done
    22.105 n1   apply: done
    22.105 n1   remove vm0: refused: vm vm0 runs, or may run, on n1; stop it first: clustadm vm stop vm0
    22.135 n2   QEMU of vm0 ends: killed
    22.166 n3   | vm vm0: runs on as before on n1
    42.100 --   > vm cancel vm0
    42.100 --   > vm disable vm2
    42.100 --   > run 10
    42.103 n1   cancel vm0: refused: vm vm0 is not being moved; see what is: clustadm moves
    42.105 n3   | vm vm2: disabled
    42.105 n1   want vm2: done
    44.232 n3   QEMU of vm2 ends: the guest shut down
    44.248 n3   | vm vm2: stopped on n3: it is wanted stopped
    52.100 --   > vm migrate vm2
    52.100 --   > vm start vm2
    52.100 --   > run 5
    52.103 n1   move vm2: refused: vm vm2 does not run; start it: clustadm vm start vm2
    52.105 n3   | vm vm2: wanted running
    52.105 n1   want vm2: done
    52.107 n3   | vm vm2: placed on n2
    52.141 n2   QEMU of vm2 starts
    52.218 n3   | vm vm2: runs on n2
    57.100 --   > fence-device n1 slow
    57.100 --   > power-off n1
    57.100 n1   power off: cut
    57.100 --   > run 4
    59.081 n4   | view 2: n2, n3, n4, n5
    59.084 n4   | node n1: lost: it left corosync's membership
    59.086 n4   | node n1: being fenced by n4 with fence_sim: its power must be proved off before its VMs may start elsewhere
    59.086 n4   fence agent for n1 is called
    61.100 --   > node fence n1
    61.100 --   > vm migrate vm1 to n1
    61.100 --   > run 20
    61.103 n4   | node n1: the administrator wants it off
    61.103 n2   fence n1: done
    61.104 n2   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    80.586 n4   fence agent for n1: off
    80.589 n4   | node n1: fenced, it is off
    80.629 n2   releases the host id of n1 on d0
    80.631 n4   | node n1: its claims are released
    80.634 n4   | vm vm0: placed on n3
    80.667 n3   QEMU of vm0 starts
    80.745 n4   | vm vm0: runs on n3
    81.100 --   > node fence n1
    81.100 --   > vm migrate vm1 to n1
    81.100 --   > node drain n1
    81.100 --   > run 5
    81.103 n2   fence n1: refused: node n1 is off already
    81.104 n4   | node n1: to be emptied for maintenance
    81.104 n2   move vm1: refused: vm vm1 does not run; start it: clustadm vm start vm1
    81.104 n2   drain n1: done
    86.100 --   > shut-down n3
    86.100 n3   the host shuts down
    86.100 --   > run 10
    86.102 n4   | node n3: going down
    88.230 n3   QEMU of vm0 ends: the guest shut down
    88.246 n4   | vm vm0: stopped on n3: its host shuts down
    88.248 n4   | vm vm0: placed on n4
    88.250 n4   | node n3: leaves
    88.251 n3   clusterd ends
    88.251 n3   power off: shut down
    88.282 n4   QEMU of vm0 starts
    90.233 n5   | view 3: n2, n4, n5
    90.235 n5   | vm vm0: runs on n4
    96.100 --   > node fence n3
    96.100 --   > states
    96.100 --     n1: offline
    96.100 --     n2: online
    96.100 --     n3: offline
    96.100 --     n4: online
    96.100 --     n5: online
    96.100 --     vm0: running
    96.100 --     vm1: stopped: it is wanted stopped
    96.100 --     vm2: running
    96.100 --     the view: normal
