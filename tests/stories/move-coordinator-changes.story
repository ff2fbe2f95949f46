# The coordinator dies in the middle: the next one finds the move in the replica, and nobody notices.
up
vm migrate vm0 to n2
wait settle
vm migrate vm0 to n3
wait sending vm0 active
kill clusterd n1
run 5
start clusterd n1
wait settle
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait settle
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.073 n2   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     1.003 n1   migration of vm0 begins
     2.051 n1   QEMU of vm0 has handed its guest over
     2.053 n2   guest of vm0 continues
     2.305 n1   | vm vm0: continues on n2
     2.336 n1   QEMU of vm0 ends: killed
     2.366 n1   | vm vm0: moved to n2
     2.500 --   > vm migrate vm0 to n3
     2.500 --   > wait sending vm0 active
     2.503 n1   move vm0: done
     2.503 n1   | vm vm0: to be moved to n3 (live)
     2.505 n1   | vm vm0: live migration from n2 to n3
     2.573 n3   QEMU of vm0 waits for it
     2.650 n1   | vm vm0: memory is being sent to n3
     3.503 n2   migration of vm0 begins
     3.536 --   > kill clusterd n1
     3.536 --   > run 5
     3.541 n3   | view 2: n2, n3
     4.551 n2   QEMU of vm0 has handed its guest over
     4.554 n3   guest of vm0 continues
     4.806 n3   | vm vm0: continues on n3
     4.837 n2   QEMU of vm0 ends: killed
     4.867 n3   | vm vm0: moved to n3
     8.536 --   > start clusterd n1
     8.536 n1   clusterd starts
     8.536 --   > wait settle
     8.583 n2   | view 3: n1, n2, n3
     8.640 n2   | node n1: volume d0 offline
     8.690 n1   | node n1: volume d0 online
