# A tip whose policy is disabled in the middle of its moves ends with those that are under way, and says what is given up; where
# nothing had begun it is closed.
nodes 3
vms 9
up
measures
load vm0 2000 256
load vm3 2000 256
load vm6 2000 256
<policy name="even"><condition of="node" measure="cpu" at-least="40" hold="10s"/><action do="balance"/>
  <limits min-gain="1" at-once="1" moves="4"/></policy>

heat n1 6000
wait tip open
tip accept 1
run 1
policy off even
run 60
tips
moves
vm migrate vm0 to n3
wait stage vm0 transfer
policy on even
policy run even
run 1
policy off even
run 60
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 2000 256
     0.000 --   > load vm3 2000 256
     0.000 --   > load vm6 2000 256
     0.000 --   > heat n1 6000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
     3.407 n1   | warning: tip 1, even about n1: cpu of n1 is 75 %: move vm0 to n2, vm3 to n3, vm6 to n2
     3.500 --   > tip accept 1
     3.500 --   > run 1
     3.503 n1   tip accept: done
     3.503 n1   | tip 1 is accepted
     3.505 n1   | vm vm0: live migration from n1 to n2 (policy)
     3.573 n2   QEMU of vm0 waits for it
     3.650 n1   | vm vm0: memory is being sent to n2
     4.500 --   > policy off even
     4.500 --   > run 60
     4.503 n1   policy even: done
     4.503 n1   | policy even: disabled
     4.505 n1   migration of vm0 begins
     5.553 n1   QEMU of vm0 has handed its guest over
     5.556 n2   guest of vm0 continues
     5.808 n1   | vm vm0: continues on n2
     5.838 n1   QEMU of vm0 ends: killed
     5.868 n1   | vm vm0: moved to n2
     5.871 n1   | tip 1 is done: 1 of 3 moves done; the rest is given up: its policy is disabled or removed
    35.873 n1   | tip 1: its prediction held: from 353553 to 136610, predicted 102062
    64.500 --   > tips
    64.500 --     tip 1 of even: done, prediction held
    64.500 --   > moves
    64.500 --     move 1: live, policy, done
    64.500 --   > vm migrate vm0 to n3
    64.500 --   > wait stage vm0 transfer
    64.503 n1   move vm0: done
    64.503 n1   | vm vm0: to be moved to n3 (live)
    64.505 n1   | vm vm0: live migration from n2 to n3
    64.573 n3   QEMU of vm0 waits for it
    64.650 n1   | vm vm0: memory is being sent to n3
    64.651 --   > policy on even
    64.651 --   > policy run even
    64.651 --   > run 1
    64.654 n1   policy even: done
    64.654 n1   | policy even: enabled
    64.655 n1   policy run even: done
    64.655 n1   | policy even: to be run
    64.658 n1   | warning: tip 2 (accepted), even about n1: cpu of n1 is 62 %: move vm3 to n2, vm6 to n3
    64.660 n1   | vm vm3: live migration from n1 to n2 (policy)
    64.728 n2   QEMU of vm3 waits for it
    64.805 n1   | vm vm3: memory is being sent to n2
    65.503 n2   migration of vm0 begins
    65.651 --   > policy off even
    65.651 --   > run 60
    65.654 n1   policy even: done
    65.654 n1   | policy even: disabled
    65.660 n1   migration of vm3 begins
    66.551 n2   QEMU of vm0 has handed its guest over
    66.554 n3   guest of vm0 continues
    66.708 n1   QEMU of vm3 has handed its guest over
    66.711 n2   guest of vm3 continues
    66.806 n1   | vm vm0: continues on n3
    66.837 n2   QEMU of vm0 ends: killed
    66.867 n1   | vm vm0: moved to n3
    66.963 n1   | vm vm3: continues on n2
    66.993 n1   QEMU of vm3 ends: killed
    67.023 n1   | vm vm3: moved to n2
    67.026 n1   | tip 2 is done: 1 of 2 moves done; the rest is given up: its policy is disabled or removed
    97.028 n1   | tip 2: its prediction held: from 235702 to 91150, predicted 58925
   125.651 --   > tips
   125.651 --     tip 1 of even: done, prediction held
   125.651 --     tip 2 of even: done, prediction held
