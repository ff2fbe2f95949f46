# All nodes lose their power right after an acknowledged change: it is there when they boot.
fence all
up
vm stop vm0
run 5
apply vm1
run 1
power-off all
run 2
power-on all
wait settle
---
     0.000 --   all is well
     0.000 --   > vm stop vm0
     0.000 --   > run 5
     0.003 n1   want vm0: done
     0.003 n1   | vm vm0: wanted stopped
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.146 n1   | vm vm0: stopped on n1: it is wanted stopped
     5.000 --   > apply vm1
     5.000 --   > run 1
     5.003 n1   apply: done
     5.003 n1   | definitions: 1 vm
     5.005 n1   | vm vm1: lease being written on volume d0
     5.020 n1   | vm vm1: lease written on volume d0
     5.022 n1   | vm vm1: placed on n1
     5.056 n1   QEMU of vm1 starts
     5.133 n1   | vm vm1: runs on n1
     6.000 --   > power-off all
     6.000 n1   power off: cut
     6.000 n2   power off: cut
     6.000 n3   power off: cut
     6.000 --   > run 2
     8.000 --   > power-on all
     8.000 --   > wait settle
    15.000 n1   booted
    15.000 n2   booted
    15.000 n3   booted
    15.425 n1   sanlock runs
    15.425 n2   sanlock runs
    15.425 n3   sanlock runs
    15.550 n1   corosync runs
    15.550 n2   corosync runs
    15.550 n3   corosync runs
    15.800 n1   clusterd starts
    15.800 n2   clusterd starts
    15.800 n3   clusterd starts
    16.405 n2   | view 2: n1, n2, n3
    16.405 n1   | definitions: 1 vm
    16.405 n1   | vm vm1: lease being written on volume d0
    16.405 n1   | vm vm1: lease written on volume d0
    16.405 n1   | vm vm1: placed on n1
    16.405 n1   | vm vm1: runs on n1
    16.408 n2   | vm vm1: stopped on n1: it was gone when its host came back
    19.459 n1   | vm vm1: placed on n1
    19.493 n1   QEMU of vm1 starts
    19.570 n1   | vm vm1: runs on n1
