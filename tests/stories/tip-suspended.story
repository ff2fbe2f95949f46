# Automatic mode that is wrong three times of ten suspends itself and says so: each time it moves a VM away, the heat goes with it.
nodes 2
vms 4
up
measures
load vm0 3000 256
<policy name="eager" mode="automatic"><condition of="node" measure="cpu" at-least="30" clear="20" hold="10s"/><action do="move"/>
  <limits min-gain="1" rest="5min" budget="16" at-once="1" moves="1"/></policy>

heat n1 6000
wait tip running
heat n2 14000
wait tip measured
tips
heat n1 0
heat n2 6000
wait tip running
heat n1 14000
wait tip measured
heat n2 0
heat n1 6000
wait tip running
heat n2 14000
wait tip measured
tips
heat n1 0
heat n2 6000
run 600
tips
policy on eager
run 60
tips
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > load vm0 3000 256
     0.000 --   > heat n1 6000
     0.000 --   > wait tip running
     0.002 n2   | definitions: 1 policy
     0.003 n1   apply: done
     3.408 n2   | warning: tip 1, eager about n1: cpu of n1 is 56 %: move vm0 to n2
     3.411 n2   | tip 1 is accepted: by its policy
     3.413 n2   | vm vm0: live migration from n1 to n2 (policy)
     3.481 n2   QEMU of vm0 waits for it
     3.500 --   > heat n2 14000
     3.500 --   > wait tip measured
     3.558 n2   | vm vm0: memory is being sent to n2
     4.414 n1   migration of vm0 begins
     5.462 n1   QEMU of vm0 has handed its guest over
     5.465 n2   guest of vm0 continues
     5.717 n2   | vm vm0: continues on n2
     5.748 n1   QEMU of vm0 ends: killed
     5.778 n2   | vm vm0: moved to n2
     5.780 n2   | tip 1 is done: 1 of 1 moves done
    45.782 n2   | warning: tip 1: its prediction did not hold: from 562 to 1000, predicted 375
    45.800 --   > tips
    45.800 --     tip 1 of eager: done, prediction failed
    45.800 --   > heat n1 0
    45.800 --   > heat n2 6000
    45.800 --   > wait tip running
   308.408 n2   | warning: tip 2, eager about n2: cpu of n2 is 56 %: move vm0 to n1
   308.410 n2   | tip 2 is accepted: by its policy
   308.413 n2   | vm vm0: live migration from n2 to n1 (policy)
   308.481 n1   QEMU of vm0 waits for it
   308.500 --   > heat n1 14000
   308.500 --   > wait tip measured
   308.558 n2   | vm vm0: memory is being sent to n1
   309.413 n2   migration of vm0 begins
   310.461 n2   QEMU of vm0 has handed its guest over
   310.463 n1   guest of vm0 continues
   310.716 n2   | vm vm0: continues on n1
   310.746 n2   QEMU of vm0 ends: killed
   310.776 n2   | vm vm0: moved to n1
   310.779 n2   | tip 2 is done: 1 of 1 moves done
   350.781 n2   | warning: tip 2: its prediction did not hold: from 562 to 1000, predicted 375
   350.800 --   > heat n2 0
   350.800 --   > heat n1 6000
   350.800 --   > wait tip running
   613.408 n2   | warning: tip 3, eager about n1: cpu of n1 is 56 %: move vm0 to n2
   613.411 n2   | tip 3 is accepted: by its policy
   613.413 n2   | vm vm0: live migration from n1 to n2 (policy)
   613.481 n2   QEMU of vm0 waits for it
   613.500 --   > heat n2 14000
   613.500 --   > wait tip measured
   613.558 n2   | vm vm0: memory is being sent to n2
   614.414 n1   migration of vm0 begins
   615.462 n1   QEMU of vm0 has handed its guest over
   615.464 n2   guest of vm0 continues
   615.717 n2   | vm vm0: continues on n2
   615.748 n1   QEMU of vm0 ends: killed
   615.777 n2   | vm vm0: moved to n2
   615.780 n2   | tip 3 is done: 1 of 1 moves done
   655.782 n2   | warning: tip 3: its prediction did not hold: from 562 to 1000, predicted 375; policy eager suspends its automatic mode: too many of its predictions did not hold
   655.800 --   > tips
   655.800 --     tip 1 of eager: done, prediction failed
   655.800 --     tip 2 of eager: done, prediction failed
   655.800 --     tip 3 of eager: done, prediction failed
   655.800 --   > heat n1 0
   655.800 --   > heat n2 6000
   655.800 --   > run 600
   918.408 n2   | warning: tip 4, eager about n2: cpu of n2 is 56 %: move vm0 to n1
  1255.800 --   > tips
  1255.800 --     tip 1 of eager: done, prediction failed
  1255.800 --     tip 2 of eager: done, prediction failed
  1255.800 --     tip 3 of eager: done, prediction failed
  1255.800 --     tip 4 of eager: open, prediction none
  1255.800 --   > policy on eager
  1255.800 --   > run 60
  1255.802 n2   | policy eager: enabled
  1255.803 n1   policy eager: done
  1255.805 n2   | tip 4 is accepted: by its policy
  1255.807 n2   | vm vm0: live migration from n2 to n1 (policy)
  1255.875 n1   QEMU of vm0 waits for it
  1255.952 n2   | vm vm0: memory is being sent to n1
  1256.807 n2   migration of vm0 begins
  1257.855 n2   QEMU of vm0 has handed its guest over
  1257.858 n1   guest of vm0 continues
  1258.110 n2   | vm vm0: continues on n1
  1258.140 n2   QEMU of vm0 ends: killed
  1258.170 n2   | vm vm0: moved to n1
  1258.173 n2   | tip 4 is done: 1 of 1 moves done
  1298.175 n2   | tip 4: its prediction held: from 562 to 375, predicted 375
  1315.800 --   > tips
  1315.800 --     tip 1 of eager: done, prediction failed
  1315.800 --     tip 2 of eager: done, prediction failed
  1315.800 --     tip 3 of eager: done, prediction failed
  1315.800 --     tip 4 of eager: done, prediction held
