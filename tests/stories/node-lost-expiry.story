# Without a fence device a watchdog guards the leases: the VMs start elsewhere when sanlock grants them after expiry.
watchdog all
up
power-off n1
run 100
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > power-off n1
     0.000 n1   power off: cut
     0.000 --   > run 100
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     1.986 n3   | node n1: no proof that it is off; waiting for its leases to expire: it has no fence device; its watchdog guards its leases, so their expiry is waited for
     1.988 n3   | vm vm0: placed on n2
     3.810 n3   | vm vm0: waits for its lease on n2: a living host holds it
    67.531 n2   QEMU of vm0 starts
    67.608 n3   | vm vm0: runs on n2
   100.000 --   > power-on n1
   100.000 --   > wait settle
   107.000 n1   booted
   107.425 n1   sanlock runs
   107.550 n1   corosync runs
   107.800 n1   clusterd starts
   108.401 n1   | vm vm0: lease being written on volume d0
   108.401 n1   | vm vm0: lease written on volume d0
   108.401 n1   | vm vm0: placed on n1
   108.401 n1   | vm vm0: runs on n1
   108.405 n2   | view 3: n1, n2, n3
   108.408 n1   | node n1: back: it takes part again
   108.411 n1   | node n1: guarded by a watchdog
