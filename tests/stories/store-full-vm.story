# A node's disk is full for long: its VM is left running, for nobody could start it elsewhere. Cut off as well, it stops.
up
store fail n1
run 300
cut n1 n2,n3
run 100
---
     0.000 --   all is well
     0.000 --   > store fail n1
     0.000 n1   store fails
     0.000 --   > run 300
     0.001 n1   | error: the store failed, this node takes no part any more: database or disk is full
     0.001 n1   leaves the group and joins again
     0.006 n3   | view 2: n2, n3
     0.906 n3   | view 3: n2, n3
     3.001 n1   | warning: waiting: this node's store failed
   300.000 --   > cut n1 n2,n3
   300.000 --   > run 100
   301.981 n3   | view 4: n2, n3
   301.983 n3   | node n1: lost: it left corosync's membership
   361.976 n1   | warning: no quorum for as long as the policy holds still: this node's store failed
   364.103 n1   QEMU of vm0 ends: the guest shut down
