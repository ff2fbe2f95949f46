# A VM is removed and defined anew while a node joins: the lease slot that was written for the former VM is not taken for the new one's, which would find no lease.
vms 1
up
vm stop vm0
power-off n3
run 30
power-on n3
run 8.394
remove vm0
apply vm0
run 20
---
     0.000 --   all is well
     0.000 --   > vm stop vm0
     0.000 --   > power-off n3
     0.000 n3   power off: cut
     0.000 --   > run 30
     1.981 n2   | vm vm0: wanted stopped
     1.981 n2   | view 2: n1, n2
     1.981 n1   want vm0: done
     1.983 n2   | node n3: lost: it left corosync's membership
     4.108 n1   QEMU of vm0 ends: the guest shut down
     4.124 n2   | vm vm0: stopped on n1: it is wanted stopped
    30.000 --   > power-on n3
    30.000 --   > run 8.394
    37.000 n3   booted
    37.425 n3   sanlock runs
    37.550 n3   corosync runs
    37.800 n3   clusterd starts
    38.394 --   > remove vm0
    38.394 --   > apply vm0
    38.394 --   > run 20
    38.396 n2   | vm vm0: removed
    38.397 n1   remove vm0: done
    38.398 n2   | definitions: 1 vm
    38.398 n1   apply: done
    38.405 n2   | view 3: n1, n2, n3
    38.406 n1   | vm vm0: lease being written on volume d0
    38.408 n2   | vm vm0: lease could not be written on volume d0: the daemon that was writing its lease slot is gone
    38.410 n1   | node n3: back: it takes part again
    38.412 n1   | vm vm0: lease being written on volume d0
    38.413 n2   | node n3: no watchdog guards its leases
    38.427 n1   | vm vm0: lease written on volume d0
    38.429 n1   | vm vm0: placed on n1
    38.463 n1   QEMU of vm0 starts
    38.540 n1   | vm vm0: runs on n1
