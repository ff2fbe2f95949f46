# The network of the moves is cut while QEMU hands the guest over: whatever the target has received, the source has
# renounced nothing, and goes on.
up
vm migrate vm0 to n2
wait sending vm0 device
cut-moves n1 n2
wait settle
heal-moves
vm migrate vm0 to n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait sending vm0 device
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.073 n2   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     1.003 n1   migration of vm0 begins
     2.136 --   > cut-moves n1 n2
     2.136 --   > wait settle
     8.151 n1   migration of vm0 ends: the last reply did not come
     8.151 n2   QEMU of vm0 ends: signal 11
     8.155 n1   | vm vm0: its move fails: the rest of its memory did not get through
     8.180 n1   | vm vm0: runs on as before on n1: the rest of its memory did not get through
     8.386 --   > heal-moves
     8.386 --   > vm migrate vm0 to n2
     8.386 --   > wait settle
     8.389 n1   move vm0: done
     8.389 n1   | vm vm0: to be moved to n2 (live)
     8.391 n1   | vm vm0: live migration from n1 to n2
     8.459 n2   QEMU of vm0 waits for it
     8.536 n1   | vm vm0: memory is being sent to n2
     9.389 n1   migration of vm0 begins
    10.537 n1   QEMU of vm0 has handed its guest over
    10.539 n2   guest of vm0 continues
    10.541 n1   | vm vm0: continues on n2
    10.572 n1   QEMU of vm0 ends: killed
    10.602 n1   | vm vm0: moved to n2
