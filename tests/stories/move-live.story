# A live move: the lease is shared before, the guest continues on the target on the source's word, and then the source ends.
up
vm migrate vm0 to n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait settle
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.073 n2   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     1.003 n1   migration of vm0 begins
     2.051 n1   QEMU of vm0 has handed its guest over
     2.053 n2   guest of vm0 continues
     2.305 n1   | vm vm0: continues on n2
     2.336 n1   QEMU of vm0 ends: killed
     2.366 n1   | vm vm0: moved to n2
