# A guest that shuts itself down is not "repaired": it stays off until somebody starts it.
up
guest shutdown vm0
run 5
vm start vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > guest shutdown vm0
     0.000 n1   guest of vm0 shuts down
     0.000 --   > run 5
     0.027 n1   QEMU of vm0 ends: the guest shut down
     0.043 n1   | vm vm0: switched itself off on n1: the guest shut itself down
     5.000 --   > vm start vm0
     5.000 --   > wait settle
     5.003 n1   want vm0: done
     5.003 n1   | vm vm0: wanted running
     5.005 n1   | vm vm0: placed on n1
     5.039 n1   QEMU of vm0 starts
     5.116 n1   | vm vm0: runs on n1
