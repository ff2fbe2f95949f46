# Two of three nodes in maintenance could both be switched off, and nothing would go on: the second is refused.
vms 2
up
node drain n1
wait settle
node drain n2
wait settle
---
     0.000 --   all is well
     0.000 --   > node drain n1
     0.000 --   > wait settle
     0.003 n1   drain n1: done
     0.003 n1   | node n1: to be emptied for maintenance
     0.005 n1   | vm vm0: live migration from n1 to n3 (drain)
     0.073 n3   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n3
     1.005 n1   migration of vm0 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.056 n3   guest of vm0 continues
     2.308 n1   | vm vm0: continues on n3
     2.339 n1   QEMU of vm0 ends: killed
     2.357 n1   | node n1: drained
     2.369 n1   | vm vm0: moved to n3
     2.500 --   > node drain n2
     2.500 --   > wait settle
     2.500 n1   drain n2: refused: n1 is in maintenance: of 3 voters 1 would be left, and a quorum needs 2; clustadm node maintenance n1 off
