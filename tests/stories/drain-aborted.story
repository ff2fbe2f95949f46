# Given up in the middle: what is on its way stays where it was, what has left comes back.
vms 9
up
node drain n1
run 3
node abort n1
wait settle
---
     0.000 --   all is well
     0.000 --   > node drain n1
     0.000 --   > run 3
     0.003 n1   drain n1: done
     0.003 n1   | node n1: to be emptied for maintenance
     0.005 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.007 n1   | vm vm3: live migration from n1 to n3 (drain)
     0.073 n2   QEMU of vm0 waits for it
     0.075 n3   QEMU of vm3 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     0.152 n1   | vm vm3: memory is being sent to n3
     1.005 n1   migration of vm0 begins
     1.007 n1   migration of vm3 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.055 n1   QEMU of vm3 has handed its guest over
     2.056 n2   guest of vm0 continues
     2.057 n3   guest of vm3 continues
     2.308 n1   | vm vm0: continues on n2
     2.310 n1   | vm vm3: continues on n3
     2.311 n1   | vm vm6: live migration from n1 to n2 (drain)
     2.338 n1   QEMU of vm0 ends: killed
     2.340 n1   QEMU of vm3 ends: killed
     2.368 n1   | vm vm0: moved to n2
     2.371 n1   | vm vm3: moved to n3
     2.379 n2   QEMU of vm6 waits for it
     2.456 n1   | vm vm6: memory is being sent to n2
     3.000 --   > node abort n1
     3.000 --   > wait settle
     3.003 n1   drain n1: done
     3.003 n1   | node n1: its drain is given up; its VMs come back
     3.005 n1   | vm vm0: live migration from n2 to n1 (return)
     3.007 n1   | vm vm3: live migration from n3 to n1 (return)
     3.033 n2   QEMU of vm6 ends: killed
     3.063 n1   | vm vm6: runs on as before on n1
     3.073 n1   QEMU of vm0 waits for it
     3.074 n1   QEMU of vm3 waits for it
     3.150 n1   | vm vm0: memory is being sent to n1
     3.152 n1   | vm vm3: memory is being sent to n1
     4.005 n2   migration of vm0 begins
     4.007 n3   migration of vm3 begins
     5.053 n2   QEMU of vm0 has handed its guest over
     5.055 n3   QEMU of vm3 has handed its guest over
     5.056 n1   guest of vm0 continues
     5.057 n1   guest of vm3 continues
     5.309 n1   | vm vm0: continues on n1
     5.310 n1   | vm vm3: continues on n1
     5.340 n2   QEMU of vm0 ends: killed
     5.341 n3   QEMU of vm3 ends: killed
     5.369 n1   | vm vm0: moved to n1
     5.371 n1   | vm vm3: moved to n1
