# Two that an order ties are moved cold, and the one that stops last takes long: the other does not start before it, and is not
# given back for waiting.
nodes 3
vms 2
up
rule order vm0 vm1
vm migrate vm1 to n1
wait settle
qemu deaf vm0
vm cold vm0 to n3
vm cold vm1 to n3
wait settle
---
     0.000 --   all is well
     0.000 --   > rule order vm0 vm1
     0.000 --   > vm migrate vm1 to n1
     0.000 --   > wait settle
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 rule
     0.004 n1   move vm1: done
     0.004 n1   | vm vm1: to be moved to n1 (live)
     0.007 n1   | vm vm1: live migration from n2 to n1
     0.074 n1   QEMU of vm1 waits for it
     0.152 n1   | vm vm1: memory is being sent to n1
     1.005 n2   migration of vm1 begins
     2.053 n2   QEMU of vm1 has handed its guest over
     2.055 n1   guest of vm1 continues
     2.308 n1   | vm vm1: continues on n1
     2.339 n2   QEMU of vm1 ends: killed
     2.368 n1   | vm vm1: moved to n1
     2.500 --   > qemu deaf vm0
     2.500 --   > vm cold vm0 to n3
     2.500 --   > vm cold vm1 to n3
     2.500 --   > wait settle
     2.503 n1   move vm0: done
     2.503 n1   | vm vm0: to be moved to n3 (cold)
     2.504 n1   move vm1: done
     2.504 n1   | vm vm1: to be moved to n3 (cold)
     2.506 n1   | vm vm0: cold move from n1 to n3
     2.508 n1   | vm vm1: cold move from n1 to n3
     4.636 n1   QEMU of vm1 ends: the guest shut down
     4.651 n1   | vm vm1: stopped on n1: it is moved, and starts anew elsewhere
    22.537 n1   QEMU of vm0 ends: killed
    22.552 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
    22.586 n3   QEMU of vm0 starts
    22.664 n1   | vm vm0: runs on n3
    22.697 n3   QEMU of vm1 starts
    22.775 n1   | vm vm1: runs on n3
