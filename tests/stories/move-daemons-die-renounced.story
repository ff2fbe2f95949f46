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
     2.036 --   > kill clusterd n1,n2
     2.036 --   > run 2
     2.051 n1   QEMU of (gone) has handed its guest over
     4.036 --   > start clusterd n1,n2
     4.036 n1   clusterd starts
     4.036 n2   clusterd starts
     4.036 --   > wait settle
     4.083 n2   | view 2: n1, n2, n3
     4.138 n1   QEMU of vm0 is found
     4.138 n2   QEMU of vm0 is found
     4.140 n2   | node n1: volume d0 offline
     4.142 n2   | node n2: volume d0 offline
     4.169 n2   QEMU of vm0 ends: killed
     4.184 n2   | vm vm0: its move fails: it was placed elsewhere
     4.190 n1   | node n1: volume d0 online
     4.191 n1   | node n2: volume d0 online
     4.196 n1   guest of vm0 continues
     4.198 n2   | vm vm0: runs on as before on n1
