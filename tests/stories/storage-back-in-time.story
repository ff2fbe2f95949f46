# Storage is away for less than the lease lasts: the guest is paused by its I/O error, goes on, and nothing is moved.
watchdog all
up
storage lose n1
run 6
storage restore n1
run 12
wait settle
---
     0.000 --   all is well
     0.000 --   > storage lose n1
     0.000 n1   storage d0 is lost
     0.000 --   > run 6
     2.252 n1   | node n1: volume d0 lost: probes fail
     6.000 --   > storage restore n1
     6.000 n1   storage d0 is well
     6.000 --   > run 12
     8.252 n1   | node n1: volume d0 online
    18.000 --   > wait settle
