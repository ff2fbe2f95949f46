# Cancelled when QEMU was already told to finish: nothing is cancelled then. The source renounces and tells nobody, the
# target never continues, and the source resumes with the exclusive lease.
up
vm migrate vm0 to n2
wait sending vm0 device
vm cancel vm0
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
     2.036 --   > vm cancel vm0
     2.036 --   > wait settle
     2.039 n1   cancel vm0: done
     2.039 n1   | vm vm0: its move is cancelled
     2.051 n1   QEMU of vm0 has handed its guest over
     2.069 n2   QEMU of vm0 ends: killed
     2.097 n1   guest of vm0 continues
     2.100 n1   | vm vm0: runs on as before on n1
