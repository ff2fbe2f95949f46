# A node that is cut off but lives renews its host id: the administrator's word that it is dead is refused.
up
cut n1 n2,n3
run 8
node confirm-dead n1 at n2
run 12
heal
wait settle
---
     0.000 --   all is well
     0.000 --   > cut n1 n2,n3
     0.000 --   > run 8
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     4.976 n1   | warning: waiting: 2 of 3 voters' stores are missing: n2, n3
     8.000 --   > node confirm-dead n1 at n2
     8.000 --   > run 12
    12.100 n2   checked host id 1: renewed
    12.100 n2   confirm-dead n1: refused: its host id is still being renewed; switch it off first; or wait: if it is cut off, its leases end by themselves
    20.000 --   > heal
    20.000 --   > wait settle
    20.855 n2   | view 3: n1, n2, n3
    20.857 n1   | node n1: back: it takes part again
    20.861 n1   | node n1: no watchdog guards its leases
