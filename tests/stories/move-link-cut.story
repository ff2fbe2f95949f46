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
     2.036 --   > cut-moves n1 n2
     2.036 --   > wait settle
     8.051 n1   migration of vm0 ends: the last reply did not come
     8.051 n2   QEMU of vm0 ends: signal 11
     8.055 n1   | vm vm0: its move fails: the rest of its memory did not get through
     8.080 n1   | vm vm0: runs on as before on n1: the rest of its memory did not get through
     8.286 --   > heal-moves
     8.286 --   > vm migrate vm0 to n2
     8.286 --   > wait settle
     8.289 n1   move vm0: done
     8.289 n1   | vm vm0: to be moved to n2 (live)
     8.291 n1   | vm vm0: live migration from n1 to n2
     8.359 n2   QEMU of vm0 waits for it
     8.436 n1   | vm vm0: memory is being sent to n2
     9.289 n1   migration of vm0 begins
    10.337 n1   QEMU of vm0 has handed its guest over
    10.339 n2   guest of vm0 continues
    10.591 n1   | vm vm0: continues on n2
    10.622 n1   QEMU of vm0 ends: killed
    10.652 n1   | vm vm0: moved to n2
