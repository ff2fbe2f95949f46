# Both clusterds die while memory goes over, and come back: the guest never stopped, and stays.
up
vm migrate vm0 to n2
wait sending vm0 active
kill clusterd n1,n2
run 2
start clusterd n1,n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm migrate vm0 to n2
     0.000 --   > wait sending vm0 active
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (live)
     0.005 n1   | vm vm0: live migration from n1 to n2
     0.073 n2   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     1.003 n1   migration of vm0 begins
     1.036 --   > kill clusterd n1,n2
     1.036 --   > run 2
     3.036 --   > start clusterd n1,n2
     3.036 n1   clusterd starts
     3.036 n2   clusterd starts
     3.036 --   > wait settle
     3.083 n2   | view 2: n1, n2, n3
     3.138 n1   QEMU of vm0 is found
     3.138 n2   QEMU of vm0 is found
     3.140 n2   | node n1: volume d0 offline
     3.142 n2   | node n2: volume d0 offline
     3.154 n1   QEMU of vm0 has handed its guest over
     3.169 n2   QEMU of vm0 ends: killed
     3.184 n2   | vm vm0: its move fails: it was placed elsewhere
     3.190 n1   | node n1: volume d0 online
     3.191 n1   | node n2: volume d0 online
     3.196 n1   guest of vm0 continues
     3.198 n2   | vm vm0: runs on as before on n1
