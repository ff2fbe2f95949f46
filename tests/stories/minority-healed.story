# A minority is cut off for less than no-quorum-hold, and nothing can prove it dead: its VM runs on through it all.
up
cut n1 n2,n3
run 20
heal
wait settle
---
     0.000 --   all is well
     0.000 --   > cut n1 n2,n3
     0.000 --   > run 20
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     4.976 n1   | warning: waiting: 2 of 3 voters' stores are missing: n2, n3
    20.000 --   > heal
    20.000 --   > wait settle
    20.855 n2   | view 3: n1, n2, n3
    20.857 n1   | node n1: back: it takes part again
    20.861 n1   | node n1: no watchdog guards its leases
