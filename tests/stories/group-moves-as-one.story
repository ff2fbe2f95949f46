# What is kept together comes together by moves, and leaves a node that is emptied for the same other one.
nodes 3
vms 3
up
rule together vm0 vm1 vm2
run 5
wait settle
node drain n2
wait settle
node undrain n2
run 15
wait settle
---
     0.000 --   all is well
     0.000 --   > rule together vm0 vm1 vm2
     0.000 --   > run 5
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 rule
     0.407 n1   | vm vm1: live migration from n2 to n1 (policy)
     0.408 n1   | vm vm2: live migration from n3 to n1 (policy)
     0.474 n1   QEMU of vm1 waits for it
     0.476 n1   QEMU of vm2 waits for it
     0.552 n1   | vm vm1: memory is being sent to n1
     0.554 n1   | vm vm2: memory is being sent to n1
     1.407 n2   migration of vm1 begins
     1.409 n3   migration of vm2 begins
     2.455 n2   QEMU of vm1 has handed its guest over
     2.457 n3   QEMU of vm2 has handed its guest over
     2.458 n1   guest of vm1 continues
     2.459 n1   guest of vm2 continues
     2.710 n1   | vm vm1: continues on n1
     2.712 n1   | vm vm2: continues on n1
     2.741 n2   QEMU of vm1 ends: killed
     2.743 n3   QEMU of vm2 ends: killed
     2.771 n1   | vm vm1: moved to n1
     2.773 n1   | vm vm2: moved to n1
     5.000 --   > wait settle
     5.250 --   > node drain n2
     5.250 --   > wait settle
     5.253 n1   drain n2: done
     5.253 n1   | node n2: to be emptied for maintenance
     5.255 n1   | node n2: drained
     5.500 --   > node undrain n2
     5.500 --   > run 15
     5.503 n1   drain n2: done
     5.503 n1   | node n2: maintenance is over; its VMs come back
    20.500 --   > wait settle
