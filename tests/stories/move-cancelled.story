# Cancelled while memory goes over: it runs on where it was, and its lease is exclusive again.
up
vm migrate vm0 to n2
wait sending vm0 active
vm cancel vm0
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
     1.036 --   > vm cancel vm0
     1.036 --   > wait settle
     1.039 n1   cancel vm0: done
     1.039 n1   | vm vm0: its move is cancelled
     1.039 n1   migration of vm0 ends: cancelled
     1.069 n2   QEMU of vm0 ends: killed
     1.099 n1   | vm vm0: runs on as before on n1: it was cancelled
