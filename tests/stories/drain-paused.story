# Paused: what has begun goes on, nothing else begins.
vms 9
up
node drain n1
run 1
node pause n1
run 10
node resume n1
run 5
---
     0.000 --   all is well
     0.000 --   > node drain n1
     0.000 --   > run 1
     0.003 n1   drain n1: done
     0.003 n1   | node n1: to be emptied for maintenance
     0.005 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.007 n1   | vm vm3: live migration from n1 to n3 (drain)
     0.073 n2   QEMU of vm0 waits for it
     0.075 n3   QEMU of vm3 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     0.152 n1   | vm vm3: memory is being sent to n3
     1.000 --   > node pause n1
     1.000 --   > run 10
     1.003 n1   drain n1: done
     1.003 n1   | node n1: its drain is paused
     1.005 n1   migration of vm0 begins
     1.007 n1   migration of vm3 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.055 n1   QEMU of vm3 has handed its guest over
     2.056 n2   guest of vm0 continues
     2.057 n3   guest of vm3 continues
     2.308 n1   | vm vm0: continues on n2
     2.310 n1   | vm vm3: continues on n3
     2.338 n1   QEMU of vm0 ends: killed
     2.340 n1   QEMU of vm3 ends: killed
     2.368 n1   | vm vm0: moved to n2
     2.371 n1   | vm vm3: moved to n3
    11.000 --   > node resume n1
    11.000 --   > run 5
    11.003 n1   drain n1: done
    11.003 n1   | node n1: its drain goes on
    11.005 n1   | vm vm6: live migration from n1 to n2 (drain)
    11.073 n2   QEMU of vm6 waits for it
    11.150 n1   | vm vm6: memory is being sent to n2
    12.005 n1   migration of vm6 begins
    13.053 n1   QEMU of vm6 has handed its guest over
    13.056 n2   guest of vm6 continues
    13.308 n1   | vm vm6: continues on n2
    13.338 n1   QEMU of vm6 ends: killed
    13.356 n1   | node n1: drained
    13.368 n1   | vm vm6: moved to n2
