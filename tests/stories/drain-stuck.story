# What is unmanaged is nobody's to move: the drain says so, and goes on when that changes.
vms 3
up
vm unmanage vm0
node drain n1
wait settle
vm manage vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm unmanage vm0
     0.000 --   > node drain n1
     0.000 --   > wait settle
     0.003 n1   vm manage vm0: done
     0.003 n1   | vm vm0: left alone
     0.004 n1   drain n1: done
     0.004 n1   | node n1: to be emptied for maintenance
     0.007 n1   | node n1: stuck: vm0: it is unmanaged
     0.250 --   > vm manage vm0
     0.250 --   > wait settle
     0.253 n1   vm manage vm0: done
     0.253 n1   | vm vm0: managed again
     0.255 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.257 n1   | node n1: draining
     0.323 n2   QEMU of vm0 waits for it
     0.400 n1   | vm vm0: memory is being sent to n2
     1.255 n1   migration of vm0 begins
     2.303 n1   QEMU of vm0 has handed its guest over
     2.306 n2   guest of vm0 continues
     2.558 n1   | vm vm0: continues on n2
     2.588 n1   QEMU of vm0 ends: killed
     2.606 n1   | node n1: drained
     2.618 n1   | vm vm0: moved to n2
