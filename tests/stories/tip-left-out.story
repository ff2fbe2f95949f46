# A node that says nothing of what it measures is neither source nor target, and the tip says so; nor does it count as hot.
vms 4
up
measures
load vm0 2000 256
load vm3 2000 256
run 30
mute n2 on
heat n2 16000
policy hot advice node cpu 50 40 60 balance
heat n1 8000
wait tip open
tip accept 1
wait tip done
run 30
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > load vm3 2000 256
     0.000 --   > run 30
    30.000 --   > mute n2 on
    30.000 --   > heat n2 16000
    30.000 --   > policy hot advice node cpu 50 40 60 balance
    30.000 --   > heat n1 8000
    30.000 --   > wait tip open
    30.003 n1   apply: done
    30.003 n1   | definitions: 1 policy
    83.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 75 %: move vm0 to n3, vm3 to n3; left out, for want of measurements: n2
    83.500 --   > tip accept 1
    83.500 --   > wait tip done
    83.503 n1   tip accept: done
    83.503 n1   | tip 1 is accepted
    83.505 n1   | vm vm0: live migration from n1 to n3 (policy)
    83.507 n1   | vm vm3: live migration from n1 to n3 (policy)
    83.573 n3   QEMU of vm0 waits for it
    83.575 n3   QEMU of vm3 waits for it
    83.650 n1   | vm vm0: memory is being sent to n3
    83.652 n1   | vm vm3: memory is being sent to n3
    84.505 n1   migration of vm0 begins
    84.507 n1   migration of vm3 begins
    85.553 n1   QEMU of vm0 has handed its guest over
    85.555 n1   QEMU of vm3 has handed its guest over
    85.556 n3   guest of vm0 continues
    85.557 n3   guest of vm3 continues
    85.808 n1   | vm vm0: continues on n3
    85.810 n1   | vm vm3: continues on n3
    85.839 n1   QEMU of vm0 ends: killed
    85.840 n1   QEMU of vm3 ends: killed
    85.869 n1   | vm vm0: moved to n3
    85.871 n1   | vm vm3: moved to n3
    85.873 n1   | tip 1 is done: 2 of 2 moves done
    85.900 --   > run 30
