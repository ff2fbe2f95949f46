# Automatic mode does what it would advise. Three times its prediction does not hold, because the load follows the VM: it suspends
# itself, says so, and from then on only advises; enabling it lets it act again.
vms 3
up
measures
policy off cpu-balance
load vm0 3000 256
policy hot automatic node cpu 50 40 20 balance
heat n1 8000
heat n3 7000
wait tip running
heat n2 14000
heat n1 0
wait tip measured
run 1700
wait tip running
heat n1 14000
heat n2 0
wait tip measured
run 1700
wait tip running
heat n2 14000
heat n1 0
wait tip measured
run 1700
wait tip open
run 60
policy on hot
run 10
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > policy off cpu-balance
     0.000 --   > load vm0 3000 256
     0.000 --   > policy hot automatic node cpu 50 40 20 balance
     0.000 --   > heat n1 8000
     0.000 --   > heat n3 7000
     0.000 --   > wait tip running
     0.003 n1   policy cpu-balance: done
     0.003 n1   | policy cpu-balance: disabled
     0.004 n1   apply: done
     0.004 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, hot about n1: cpu of n1 is 68 %: move vm0 to n2
    13.409 n1   | tip 1 is accepted: by its policy
    13.412 n1   | vm vm0: live migration from n1 to n2 (policy)
    13.480 n2   QEMU of vm0 waits for it
    13.500 --   > heat n2 14000
    13.500 --   > heat n1 0
    13.500 --   > wait tip measured
    13.557 n1   | vm vm0: memory is being sent to n2
    14.412 n1   migration of vm0 begins
    15.460 n1   QEMU of vm0 has handed its guest over
    15.462 n2   guest of vm0 continues
    15.714 n1   | vm vm0: continues on n2
    15.745 n1   QEMU of vm0 ends: killed
    15.775 n1   | vm vm0: moved to n2
    15.777 n1   | tip 1 is done: 1 of 1 moves done
    55.780 n1   | warning: tip 1: its prediction did not hold: from 283908 to 409327, predicted 134783
    55.800 --   > run 1700
  1755.800 --   > wait tip running
  1818.407 n1   | warning: tip 2, hot about n2: cpu of n2 is 100 %: move vm0 to n1
  1818.409 n1   | tip 2 is accepted: by its policy
  1818.412 n1   | vm vm0: live migration from n2 to n1 (policy)
  1818.479 n1   QEMU of vm0 waits for it
  1818.500 --   > heat n1 14000
  1818.500 --   > heat n2 0
  1818.500 --   > wait tip measured
  1818.557 n1   | vm vm0: memory is being sent to n1
  1819.412 n2   migration of vm0 begins
  1820.460 n2   QEMU of vm0 has handed its guest over
  1820.463 n1   guest of vm0 continues
  1820.716 n1   | vm vm0: continues on n1
  1820.747 n2   QEMU of vm0 ends: killed
  1820.776 n1   | vm vm0: moved to n1
  1820.779 n1   | tip 2 is done: 1 of 1 moves done
  1860.781 n1   | warning: tip 2: its prediction did not hold: from 409327 to 409327, predicted 256877
  1860.800 --   > run 1700
  3560.800 --   > wait tip running
  3623.407 n1   | warning: tip 3, hot about n1: cpu of n1 is 100 %: move vm0 to n2
  3623.410 n1   | tip 3 is accepted: by its policy
  3623.412 n1   | vm vm0: live migration from n1 to n2 (policy)
  3623.480 n2   QEMU of vm0 waits for it
  3623.500 --   > heat n2 14000
  3623.500 --   > heat n1 0
  3623.500 --   > wait tip measured
  3623.557 n1   | vm vm0: memory is being sent to n2
  3624.412 n1   migration of vm0 begins
  3625.460 n1   QEMU of vm0 has handed its guest over
  3625.463 n2   guest of vm0 continues
  3625.715 n1   | vm vm0: continues on n2
  3625.745 n1   QEMU of vm0 ends: killed
  3625.775 n1   | vm vm0: moved to n2
  3625.778 n1   | tip 3 is done: 1 of 1 moves done
  3665.780 n1   | warning: tip 3: its prediction did not hold: from 409327 to 409327, predicted 256877; policy hot suspends its automatic mode: too many of its predictions did not hold
  3665.800 --   > run 1700
  5365.800 --   > wait tip open
  5428.407 n1   | warning: tip 4, hot about n2: cpu of n2 is 100 %: move vm0 to n1
  5428.500 --   > run 60
  5488.500 --   > policy on hot
  5488.500 --   > run 10
  5488.503 n1   policy hot: done
  5488.503 n1   | policy hot: enabled
  5488.505 n1   | tip 4 is accepted: by its policy
  5488.508 n1   | vm vm0: live migration from n2 to n1 (policy)
  5488.575 n1   QEMU of vm0 waits for it
  5488.653 n1   | vm vm0: memory is being sent to n1
  5489.508 n2   migration of vm0 begins
  5490.556 n2   QEMU of vm0 has handed its guest over
  5490.559 n1   guest of vm0 continues
  5490.811 n1   | vm vm0: continues on n1
  5490.842 n2   QEMU of vm0 ends: killed
  5490.872 n1   | vm vm0: moved to n1
  5490.874 n1   | tip 4 is done: 1 of 1 moves done
