# A host is hot, mostly by what is none of the cluster's: a tip opens with its evidence, is accepted, VMs move live, and
# afterwards it is measured that the prediction held. A balance that is asked for right after has nothing to do.
vms 4
up
measures
load vm0 2000 256
load vm3 2000 256
policy hot advice node cpu 50 40 60 balance
heat n1 8000
wait tip open
run 5
tip accept 1
wait tip done
wait tip measured
balance
run 10
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > load vm3 2000 256
     0.000 --   > policy hot advice node cpu 50 40 60 balance
     0.000 --   > heat n1 8000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    53.408 n1   | warning: tip 1, hot about n1: cpu of n1 is 75 %: move vm0 to n2, vm3 to n3
    53.500 --   > run 5
    58.500 --   > tip accept 1
    58.500 --   > wait tip done
    58.503 n1   tip accept: done
    58.503 n1   | tip 1 is accepted
    58.505 n1   | vm vm0: live migration from n1 to n2 (policy)
    58.507 n1   | vm vm3: live migration from n1 to n3 (policy)
    58.573 n2   QEMU of vm0 waits for it
    58.575 n3   QEMU of vm3 waits for it
    58.650 n1   | vm vm0: memory is being sent to n2
    58.652 n1   | vm vm3: memory is being sent to n3
    59.505 n1   migration of vm0 begins
    59.507 n1   migration of vm3 begins
    60.553 n1   QEMU of vm0 has handed its guest over
    60.555 n1   QEMU of vm3 has handed its guest over
    60.556 n2   guest of vm0 continues
    60.557 n3   guest of vm3 continues
    60.808 n1   | vm vm0: continues on n2
    60.810 n1   | vm vm3: continues on n3
    60.838 n1   QEMU of vm0 ends: killed
    60.840 n1   QEMU of vm3 ends: killed
    60.868 n1   | vm vm0: moved to n2
    60.871 n1   | vm vm3: moved to n3
    60.873 n1   | tip 1 is done: 2 of 2 moves done
    60.900 --   > wait tip measured
   100.876 n1   | tip 1: its prediction held: from 353553 to 176776, predicted 176776
   100.900 --   > balance
   100.900 --   > run 10
   100.903 n1   policy run: done
   100.903 n1   | a balance is asked for
   100.905 n1   | balance: what can be moved would gain too little; 2 VMs rest after their last move
