# What starts after a VM ends before it, is started again after it, and is left alone when it only failed.
vms 2
up
rule order vm0 vm1
vm stop vm0
run 10
vm start vm0
wait settle
qemu die vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > rule order vm0 vm1
     0.000 --   > vm stop vm0
     0.000 --   > run 10
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 rule
     0.004 n1   want vm0: done
     0.004 n1   | vm vm0: wanted stopped
     2.132 n2   QEMU of vm1 ends: the guest shut down
     2.147 n1   | vm vm1: stopped on n2: what it starts after is stopped
     4.275 n1   QEMU of vm0 ends: the guest shut down
     4.290 n1   | vm vm0: stopped on n1: it is wanted stopped
    10.000 --   > vm start vm0
    10.000 --   > wait settle
    10.003 n1   want vm0: done
    10.003 n1   | vm vm0: wanted running
    10.005 n1   | vm vm0: placed on n1
    10.039 n1   QEMU of vm0 starts
    10.116 n1   | vm vm0: runs on n1
    10.119 n1   | vm vm1: placed on n2
    10.152 n2   QEMU of vm1 starts
    10.230 n1   | vm vm1: runs on n2
    10.250 --   > qemu die vm0
    10.250 --   > wait settle
    10.250 n1   QEMU of vm0 ends: signal 11
    10.265 n1   | vm vm0: died on n1: signal 11
    10.268 n1   | vm vm0: placed on n1
    10.301 n1   QEMU of vm0 starts
    10.379 n1   | vm vm0: runs on n1
