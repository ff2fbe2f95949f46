# The coordinator's daemon dies in the middle of another node's drain, and does not come back: the next coordinator goes on.
# What was on its way to the dead daemon's node stays where it was, and leaves for another.
vms 6
up
node drain n2
wait stage vm1 prepare
kill clusterd n1
run 60
start clusterd n1
wait settle
run 60
---
     0.000 --   all is well
     0.000 --   > node drain n2
     0.000 --   > wait stage vm1 prepare
     0.003 n1   drain n2: done
     0.003 n1   | node n2: to be emptied for maintenance
     0.005 n1   | vm vm1: live migration from n2 to n1 (drain)
     0.006 --   > kill clusterd n1
     0.006 --   > run 60
     0.012 n3   | vm vm4: live migration from n2 to n3 (drain)
     0.012 n3   | view 2: n2, n3
     0.039 n3   | vm vm1: its move fails: its migration network does not answer
     0.079 n3   QEMU of vm4 waits for it
     0.157 n3   | vm vm4: memory is being sent to n3
     1.012 n2   migration of vm4 begins
     2.060 n2   QEMU of vm4 has handed its guest over
     2.063 n3   guest of vm4 continues
     2.315 n3   | vm vm4: continues on n3
     2.346 n2   QEMU of vm4 ends: killed
     2.376 n3   | vm vm4: moved to n3
    60.006 --   > start clusterd n1
    60.006 n1   clusterd starts
    60.006 --   > wait settle
    60.053 n2   | view 3: n1, n2, n3
    60.108 n1   QEMU of vm0 is found
    60.108 n1   QEMU of vm3 is found
    60.112 n2   | node n1: volume d0 offline
    60.125 n2   | vm vm1: runs on as before on n2: its migration network does not answer
    60.160 n1   | node n1: volume d0 online
    60.256 --   > run 60
    90.125 n1   | vm vm1: live migration from n2 to n1 (drain)
    90.192 n1   QEMU of vm1 waits for it
    90.269 n2   | vm vm1: memory is being sent to n1
    91.124 n2   migration of vm1 begins
    92.172 n2   QEMU of vm1 has handed its guest over
    92.175 n1   guest of vm1 continues
    92.427 n2   | vm vm1: continues on n1
    92.457 n2   QEMU of vm1 ends: killed
    92.475 n2   | node n2: drained
    92.487 n2   | vm vm1: moved to n1
