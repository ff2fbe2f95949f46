# QEMU refuses to start: once in place, then elsewhere, then an operator is needed, who clears it.
up
qemu refuse all
qemu die vm0
run 20
qemu refuse never
vm clear vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > qemu refuse all
     0.000 --   > qemu die vm0
     0.000 --   > run 20
     0.000 n1   QEMU of vm0 ends: signal 11
     0.015 n1   | vm vm0: died on n1: signal 11
     0.018 n1   | vm vm0: placed on n1
     0.051 n1   QEMU of vm0 starts
     0.206 n1   QEMU of vm0 ends: qemu: could not open disk
     0.222 n1   | vm vm0: could not be started on n1: qemu: could not open disk
     0.224 n1   | vm vm0: placed on n2
     0.258 n2   QEMU of vm0 starts
     0.413 n2   QEMU of vm0 ends: qemu: could not open disk
     0.428 n1   | vm vm0: could not be started on n2: qemu: could not open disk
     0.431 n1   | vm vm0: placed on n2
     0.464 n2   QEMU of vm0 starts
     0.619 n2   QEMU of vm0 ends: qemu: could not open disk
     0.635 n1   | vm vm0: could not be started on n2: qemu: could not open disk
     0.637 n1   | vm vm0: placed on n3
     0.671 n3   QEMU of vm0 starts
     0.826 n3   QEMU of vm0 ends: qemu: could not open disk
     0.841 n1   | vm vm0: could not be started on n3: qemu: could not open disk
     0.844 n1   | vm vm0: placed on n3
     0.878 n3   QEMU of vm0 starts
     1.033 n3   QEMU of vm0 ends: qemu: could not open disk
     1.048 n1   | vm vm0: could not be started on n3: qemu: could not open disk
    20.000 --   > qemu refuse never
    20.000 --   > vm clear vm0
    20.000 --   > wait settle
    20.003 n1   clear vm0: done
    20.003 n1   | vm vm0: failures forgotten
    20.005 n1   | vm vm0: placed on n1
    20.039 n1   QEMU of vm0 starts
    20.116 n1   | vm vm0: runs on n1
