# A policy may empty a node, or save the least important of its VMs.
vms 4
up
measures
policy full advice node cpu 50 40 20 save
heat n1 9000
wait tip open
tip accept 1
wait tip done
heat n1 0
run 30
policy off full
policy sick advice node cpu 50 40 20 drain
heat n2 9000
wait tip open
tip accept 2
wait tip done
run 5
---
     0.000 --   all is well
     0.000 --   > measures
     0.000 --   > policy full advice node cpu 50 40 20 save
     0.000 --   > heat n1 9000
     0.000 --   > wait tip open
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 policy
    13.407 n1   | warning: tip 1, full about n1: cpu of n1 is 56 %: save vm0, the least important of its VMs
    13.500 --   > tip accept 1
    13.500 --   > wait tip done
    13.503 n1   tip accept: done
    13.503 n1   | tip 1 is accepted
    13.505 n1   | vm vm0: being saved on n1
    13.505 n1   saving of vm0 begins
    14.538 n1   state of vm0 is saved
    14.568 n1   QEMU of vm0 ends: killed
    14.584 n1   | vm vm0: saved on n1
    14.586 n1   | tip 1 is done: 1 of 1 moves done
    14.600 --   > heat n1 0
    14.600 --   > run 30
    44.600 --   > policy off full
    44.600 --   > policy sick advice node cpu 50 40 20 drain
    44.600 --   > heat n2 9000
    44.600 --   > wait tip open
    44.603 n1   policy full: done
    44.603 n1   | policy full: disabled
    44.604 n1   apply: done
    44.604 n1   | definitions: 1 policy
    63.407 n1   | warning: tip 2, sick about n2: cpu of n2 is 56 %: empty n2
    63.500 --   > tip accept 2
    63.500 --   > wait tip done
    63.503 n1   tip accept: done
    63.503 n1   | tip 2 is accepted
    63.505 n1   | tip 2 is running
    63.508 n1   | vm vm1: live migration from n2 to n1 (drain)
    63.575 n1   QEMU of vm1 waits for it
    63.653 n1   | vm vm1: memory is being sent to n1
    64.508 n2   migration of vm1 begins
    65.556 n2   QEMU of vm1 has handed its guest over
    65.559 n1   guest of vm1 continues
    65.811 n1   | vm vm1: continues on n1
    65.842 n2   QEMU of vm1 ends: killed
    65.860 n1   | node n2: drained
    65.862 n1   | tip 2 is done: the node is empty
    65.872 n1   | vm vm1: moved to n1
    65.900 --   > run 5
