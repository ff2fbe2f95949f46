# The coordinator's daemon dies in the middle of a plan: the next one goes on with what was not begun, and repeats nothing.
vms 7
up
measures
load vm0 1500 256
load vm3 1500 256
load vm6 1500 256
policy hot advice node cpu 50 40 20 balance
heat n1 8000
wait tip open
tip accept 1
wait stage vm0 transfer
kill clusterd n2
run 2
start clusterd n2
wait tip done
run 20
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 1500 256
     0.000 --   > load vm3 1500 256
     0.000 --   > load vm6 1500 256
     0.000 --   > policy hot advice node cpu 50 40 20 balance
     0.000 --   > heat n1 8000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 78 %: move vm0 to n2, vm3 to n3, vm6 to n2
    13.500 --   > tip accept 1
    13.500 --   > wait stage vm0 transfer
    13.503 n1   tip accept: done
    13.503 n1   | tip 1 is accepted
    13.505 n1   | vm vm0: live migration from n1 to n2 (policy)
    13.507 n1   | vm vm3: live migration from n1 to n3 (policy)
    13.573 n2   QEMU of vm0 waits for it
    13.575 n3   QEMU of vm3 waits for it
    13.650 n1   | vm vm0: memory is being sent to n2
    13.651 --   > kill clusterd n2
    13.651 --   > run 2
    13.658 n3   | vm vm3: memory is being sent to n3
    13.658 n3   | view 2: n1, n3
    14.505 n1   migration of vm0 begins
    14.507 n1   migration of vm3 begins
    15.553 n1   QEMU of vm0 has handed its guest over
    15.555 n1   QEMU of vm3 has handed its guest over
    15.557 n3   guest of vm3 continues
    15.651 --   > start clusterd n2
    15.651 n2   clusterd starts
    15.651 --   > wait tip done
    15.698 n2   | view 3: n1, n2, n3
    15.753 n2   QEMU of vm1 is found
    15.753 n2   QEMU of vm4 is found
    15.753 n2   QEMU of vm0 is found
    15.756 n2   | node n2: volume d0 offline
    15.784 n2   QEMU of vm0 ends: killed
    15.799 n2   | vm vm0: its move fails: it was placed elsewhere
    15.805 n1   | node n2: volume d0 online
    15.809 n2   | vm vm3: continues on n3
    15.811 n1   guest of vm0 continues
    15.814 n2   | vm vm0: runs on as before on n1
    15.816 n2   | vm vm6: live migration from n1 to n2 (policy)
    15.840 n1   QEMU of vm3 ends: killed
    15.870 n2   | vm vm3: moved to n3
    15.884 n2   QEMU of vm6 waits for it
    15.961 n2   | vm vm6: memory is being sent to n2
    16.816 n1   migration of vm6 begins
    17.864 n1   QEMU of vm6 has handed its guest over
    17.867 n2   guest of vm6 continues
    18.120 n2   | vm vm6: continues on n2
    18.151 n1   QEMU of vm6 ends: killed
    18.180 n2   | vm vm6: moved to n2
    18.183 n2   | tip 1 is done: 2 of 3 moves done
    18.251 --   > run 20
