# A cold move: stopped, started on the target.
up
vm cold vm0 to n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm cold vm0 to n2
     0.000 --   > wait settle
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (cold)
     0.005 n1   | vm vm0: cold move from n1 to n2
     2.133 n1   QEMU of vm0 ends: the guest shut down
     2.148 n1   | vm vm0: stopped on n1: it is moved, and starts anew elsewhere
     2.182 n2   QEMU of vm0 starts
     2.259 n1   | vm vm0: runs on n2
