# A minority is cut off for longer than no-quorum-hold: it stops its VM, and the majority may start it.
hold 15
up
cut n1 n2,n3
run 40
heal
wait settle
---
     0.000 --   all is well
     0.000 --   > cut n1 n2,n3
     0.000 --   > run 40
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     4.976 n1   | warning: waiting: 2 of 3 voters' stores are missing: n2, n3
    16.976 n1   | warning: no quorum for as long as the policy holds still: 2 of 3 voters' stores are missing: n2, n3
    19.103 n1   QEMU of vm0 ends: the guest shut down
    40.000 --   > heal
    40.000 --   > wait settle
    40.855 n2   | view 3: n1, n2, n3
    40.857 n2   | vm vm0: stopped on n1: there is no quorum, and the policy is to stop
    40.859 n1   | node n1: back: it takes part again
    40.861 n1   | node n1: no watchdog guards its leases
    40.864 n1   | vm vm0: placed on n1
    40.897 n1   QEMU of vm0 starts
    40.975 n1   | vm vm0: runs on n1
