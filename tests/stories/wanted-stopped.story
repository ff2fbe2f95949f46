# Stop, disable, start: politely, and only what was asked.
vms 2
up
vm stop vm0
run 5
vm disable vm1
run 5
vm start vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm stop vm0
     0.000 --   > run 5
     0.003 n1   want vm0: done
     0.003 n1   | vm vm0: wanted stopped
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.146 n1   | vm vm0: stopped on n1: it is wanted stopped
     5.000 --   > vm disable vm1
     5.000 --   > run 5
     5.003 n1   want vm1: done
     5.003 n1   | vm vm1: disabled
     7.130 n2   QEMU of vm1 ends: the guest shut down
     7.146 n1   | vm vm1: stopped on n2: it is wanted stopped
    10.000 --   > vm start vm0
    10.000 --   > wait settle
    10.003 n1   want vm0: done
    10.003 n1   | vm vm0: wanted running
    10.005 n1   | vm vm0: placed on n1
    10.039 n1   QEMU of vm0 starts
    10.116 n1   | vm vm0: runs on n1
