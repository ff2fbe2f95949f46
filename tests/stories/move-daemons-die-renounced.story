# Both clusterds die just when QEMU has handed the guest over: what the two QEMUs are found at says what was promised, and
# the guest continues on the target.
up
vm migrate vm0 to n2
wait sending vm0 device
kill clusterd n1,n2
run 2
start clusterd n1,n2
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
     2.136 --   > kill clusterd n1,n2
     2.136 --   > run 2
     2.151 n1   QEMU of (gone) has handed its guest over
     4.136 --   > start clusterd n1,n2
     4.136 n1   clusterd starts
     4.136 n2   clusterd starts
     4.136 --   > wait settle
     4.183 n2   | view 2: n1, n2, n3
     4.238 n1   QEMU of vm0 is found
     4.238 n2   QEMU of vm0 is found
     4.240 n2   | node n1: volume d0 offline
     4.242 n2   | node n2: volume d0 offline
     4.269 n2   QEMU of vm0 ends: killed
     4.284 n2   | vm vm0: its move fails: it was placed elsewhere
     4.290 n1   | node n1: volume d0 online
     4.291 n1   | node n2: volume d0 online
     4.296 n1   guest of vm0 continues
     4.298 n2   | vm vm0: runs on as before on n1
