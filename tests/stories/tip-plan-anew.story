# Between the tip and its acceptance the target goes into maintenance: preflight refuses it, and the plan is made anew.
vms 4
up
measures
load vm0 2000 256
load vm3 2000 256
policy hot advice node cpu 50 40 20 move
heat n1 8000
heat n2 1000
heat n3 2000
wait tip open
node drain n2
run 10
tip accept 1
wait tip done
wait tip measured
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > load vm3 2000 256
     0.000 --   > policy hot advice node cpu 50 40 20 move
     0.000 --   > heat n1 8000
     0.000 --   > heat n2 1000
     0.000 --   > heat n3 2000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 75 %: move vm0 to n2
    13.500 --   > node drain n2
    13.500 --   > run 10
    13.503 n1   drain n2: done
    13.503 n1   | node n2: to be emptied for maintenance
    13.505 n1   | vm vm1: live migration from n2 to n3 (drain)
    13.573 n3   QEMU of vm1 waits for it
    13.650 n1   | vm vm1: memory is being sent to n3
    14.505 n2   migration of vm1 begins
    15.553 n2   QEMU of vm1 has handed its guest over
    15.556 n3   guest of vm1 continues
    15.809 n1   | vm vm1: continues on n3
    15.840 n2   QEMU of vm1 ends: killed
    15.857 n1   | node n2: drained
    15.870 n1   | vm vm1: moved to n3
    23.500 --   > tip accept 1
    23.500 --   > wait tip done
    23.503 n1   tip accept: done
    23.503 n1   | tip 1 is accepted
    23.505 n1   | tip 1: its plan is made anew
    23.508 n1   | vm vm0: live migration from n1 to n3 (policy)
    23.575 n3   QEMU of vm0 waits for it
    23.653 n1   | vm vm0: memory is being sent to n3
    24.508 n1   migration of vm0 begins
    25.556 n1   QEMU of vm0 has handed its guest over
    25.558 n3   guest of vm0 continues
    25.811 n1   | vm vm0: continues on n3
    25.841 n1   QEMU of vm0 ends: killed
    25.872 n1   | vm vm0: moved to n3
    25.874 n1   | tip 1 is done: 1 of 1 moves done
    25.900 --   > wait tip measured
    65.877 n1   | tip 1: its prediction held: from 750 to 625, predicted 625
