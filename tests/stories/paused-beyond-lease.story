# A host without a watchdog is paused for longer than its lease: nobody believes the expiry, and its VM is not started twice.
up
pause n1 120
run 125
wait settle
---
     0.000 --   all is well
     0.000 --   > pause n1 120
     0.000 n1   paused for 120000 ms
     0.000 --   > run 125
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
   120.000 n1   lockspace of d0 fails: sanlock kills its processes
   120.000 n1   goes on after the pause
   120.030 n1   QEMU of vm0 ends: killed
   120.855 n2   | view 3: n1, n2, n3
   120.857 n2   | vm vm0: died on n1: killed
   120.858 n2   | node n1: back: it takes part again
   120.861 n2   | node n1: no watchdog guards its leases
   120.863 n2   | vm vm0: placed on n2
   120.896 n2   QEMU of vm0 starts
   120.974 n2   | vm vm0: runs on n2
   125.000 --   > wait settle
