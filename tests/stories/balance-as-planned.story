# What a balance would do is asked for, then it is done: the same moves. Asked again at once, it shows none, and does none: the VMs rest.
vms 7
up
measures
load vm0 1500 256
load vm3 1500 256
load vm6 1500 256
run 60
plan balance measured
balance
wait tip done
run 60
plan balance measured
balance
run 5
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 1500 256
     0.000 --   > load vm3 1500 256
     0.000 --   > load vm6 1500 256
     0.000 --   > run 60
    60.000 --   > plan balance measured
    60.000 --     vm0 from n1 to n2: CPUs of n1 28.1 % to 18.8 %, of n2 0.0 % to 9.4 %
    60.000 --     vm3 from n1 to n3: CPUs of n1 18.8 % to 9.4 %, of n3 0.0 % to 9.4 %
    60.000 --     vm1 from n2 to n1: memory of n2 1.2 % to 0.8 %, of n1 0.4 % to 0.8 %
    60.000 --     no further move is worth its cost
    60.000 --   > balance
    60.000 --   > wait tip done
    60.003 n1   policy run: done
    60.003 n1   | a balance is asked for
    60.005 n1   | warning: tip 1 (accepted), balance: move vm0 to n2, vm3 to n3, vm1 to n1
    60.008 n1   | vm vm0: live migration from n1 to n2 (policy)
    60.009 n1   | vm vm3: live migration from n1 to n3 (policy)
    60.075 n2   QEMU of vm0 waits for it
    60.077 n3   QEMU of vm3 waits for it
    60.153 n1   | vm vm0: memory is being sent to n2
    60.155 n1   | vm vm3: memory is being sent to n3
    61.008 n1   migration of vm0 begins
    61.009 n1   migration of vm3 begins
    62.056 n1   QEMU of vm0 has handed its guest over
    62.057 n1   QEMU of vm3 has handed its guest over
    62.058 n2   guest of vm0 continues
    62.060 n3   guest of vm3 continues
    62.310 n1   | vm vm0: continues on n2
    62.312 n1   | vm vm3: continues on n3
    62.341 n1   QEMU of vm0 ends: killed
    62.343 n1   QEMU of vm3 ends: killed
    62.371 n1   | vm vm0: moved to n2
    62.373 n1   | vm vm1: live migration from n2 to n1 (policy)
    62.375 n1   | vm vm3: moved to n3
    62.441 n1   QEMU of vm1 waits for it
    62.518 n1   | vm vm1: memory is being sent to n1
    63.374 n2   migration of vm1 begins
    64.422 n2   QEMU of vm1 has handed its guest over
    64.424 n1   guest of vm1 continues
    64.677 n1   | vm vm1: continues on n1
    64.708 n2   QEMU of vm1 ends: killed
    64.737 n1   | vm vm1: moved to n1
    64.740 n1   | tip 1 is done: 3 of 3 moves done
    64.800 --   > run 60
    94.742 n1   | tip 1: its prediction held: from 67211 to 920, predicted 920
   124.800 --   > plan balance measured
   124.800 --     no move is worth its cost; 3 VMs rest after their last move
   124.800 --   > balance
   124.800 --   > run 5
   124.803 n1   policy run: done
   124.803 n1   | a balance is asked for
   124.805 n1   | balance: no move is worth its cost; 3 VMs rest after their last move
