# While a guest is being stopped its target goes into maintenance, or a rule comes to forbid it: it is placed anew.
nodes 3
vms 2
up
vm cold vm0 to n2
run 1
node drain n2
wait settle
node undrain n2
wait settle
vm cold vm0 to n2
run 1
rule apart vm0 vm1
wait settle
---
     0.000 --   all is well
     0.000 --   > vm cold vm0 to n2
     0.000 --   > run 1
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (cold)
     0.005 n1   | vm vm0: cold move from n1 to n2
     1.000 --   > node drain n2
     1.000 --   > wait settle
     1.003 n1   drain n2: done
     1.003 n1   | node n2: to be emptied for maintenance
     1.005 n1   | vm vm0: to be placed anew: n2 is in maintenance
     1.007 n1   | vm vm1: live migration from n2 to n3 (drain)
     1.074 n3   QEMU of vm1 waits for it
     1.152 n1   | vm vm1: memory is being sent to n3
     2.007 n2   migration of vm1 begins
     2.133 n1   QEMU of vm0 ends: the guest shut down
     2.148 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
     2.151 n1   | vm vm0: placed on n1
     2.184 n1   QEMU of vm0 starts
     2.262 n1   | vm vm0: runs on n1
     3.055 n2   QEMU of vm1 has handed its guest over
     3.058 n3   guest of vm1 continues
     3.060 n1   | vm vm1: continues on n3
     3.091 n2   QEMU of vm1 ends: killed
     3.109 n1   | node n2: drained
     3.121 n1   | vm vm1: moved to n3
     3.250 --   > node undrain n2
     3.250 --   > wait settle
     3.253 n1   drain n2: done
     3.253 n1   | node n2: maintenance is over; its VMs come back
     3.255 n1   | vm vm1: live migration from n3 to n2 (return)
     3.323 n2   QEMU of vm1 waits for it
     3.400 n1   | vm vm1: memory is being sent to n2
     4.255 n3   migration of vm1 begins
     5.303 n3   QEMU of vm1 has handed its guest over
     5.306 n2   guest of vm1 continues
     5.308 n1   | vm vm1: continues on n2
     5.338 n3   QEMU of vm1 ends: killed
     5.368 n1   | vm vm1: moved to n2
     5.500 --   > vm cold vm0 to n2
     5.500 --   > run 1
     5.503 n1   move vm0: done
     5.503 n1   | vm vm0: to be moved to n2 (cold)
     5.505 n1   | vm vm0: cold move from n1 to n2
     6.500 --   > rule apart vm0 vm1
     6.500 --   > wait settle
     6.503 n1   apply: done
     6.503 n1   | definitions: 1 rule
     6.505 n1   | vm vm0: to be placed anew: rule apart-vm0: one that it is kept apart from is on n2
     7.633 n1   QEMU of vm0 ends: the guest shut down
     7.648 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
     7.651 n1   | vm vm0: placed on n1
     7.684 n1   QEMU of vm0 starts
     7.762 n1   | vm vm0: runs on n1
