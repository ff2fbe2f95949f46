# A VM that dies right after its start is reported and restarted at once: the report of its start does not hold it back.
up
vm stop vm0
run 5
vm start vm0
run 1
qemu die vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm stop vm0
     0.000 --   > run 5
     0.003 n1   want vm0: done
     0.003 n1   | vm vm0: wanted stopped
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.146 n1   | vm vm0: stopped on n1: it is wanted stopped
     5.000 --   > vm start vm0
     5.000 --   > run 1
     5.003 n1   want vm0: done
     5.003 n1   | vm vm0: wanted running
     5.005 n1   | vm vm0: placed on n1
     5.039 n1   QEMU of vm0 starts
     5.116 n1   | vm vm0: runs on n1
     6.000 --   > qemu die vm0
     6.000 --   > wait settle
     6.000 n1   QEMU of vm0 ends: signal 11
     6.015 n1   | vm vm0: died on n1: signal 11
     6.018 n1   | vm vm0: placed on n1
     6.051 n1   QEMU of vm0 starts
     6.129 n1   | vm vm0: runs on n1
