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
     1.075 n3   QEMU of vm1 waits for it
     1.152 n1   | vm vm1: memory is being sent to n3
     2.007 n2   migration of vm1 begins
     2.133 n1   QEMU of vm0 ends: the guest shut down
     2.148 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
     2.151 n1   | vm vm0: placed on n1
     2.184 n1   QEMU of vm0 starts
     2.262 n1   | vm vm0: runs on n1
     3.055 n2   QEMU of vm1 has handed its guest over
     3.058 n3   guest of vm1 continues
     3.310 n1   | vm vm1: continues on n3
     3.341 n2   QEMU of vm1 ends: killed
     3.359 n1   | node n2: drained
     3.371 n1   | vm vm1: moved to n3
     3.500 --   > node undrain n2
     3.500 --   > wait settle
     3.503 n1   drain n2: done
     3.503 n1   | node n2: maintenance is over; its VMs come back
     3.505 n1   | vm vm1: live migration from n3 to n2 (return)
     3.573 n2   QEMU of vm1 waits for it
     3.650 n1   | vm vm1: memory is being sent to n2
     4.505 n3   migration of vm1 begins
     5.553 n3   QEMU of vm1 has handed its guest over
     5.556 n2   guest of vm1 continues
     5.808 n1   | vm vm1: continues on n2
     5.839 n3   QEMU of vm1 ends: killed
     5.869 n1   | vm vm1: moved to n2
     6.000 --   > vm cold vm0 to n2
     6.000 --   > run 1
     6.003 n1   move vm0: done
     6.003 n1   | vm vm0: to be moved to n2 (cold)
     6.005 n1   | vm vm0: cold move from n1 to n2
     7.000 --   > rule apart vm0 vm1
     7.000 --   > wait settle
     7.003 n1   apply: done
     7.003 n1   | definitions: 1 rule
     7.005 n1   | vm vm0: to be placed anew: rule apart-vm0: one that it is kept apart from is on n2
     8.133 n1   QEMU of vm0 ends: the guest shut down
     8.148 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
     8.151 n1   | vm vm0: placed on n1
     8.184 n1   QEMU of vm0 starts
     8.262 n1   | vm vm0: runs on n1
