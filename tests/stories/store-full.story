# A node's disk is full: it says so and takes no part, and the others go on.
up
store fail n1
run 10
kill clusterd n1
start clusterd n1
wait settle
---
     0.000 --   all is well
     0.000 --   > store fail n1
     0.000 n1   store fails
     0.000 --   > run 10
     0.001 n1   | error: the store failed, this node takes no part any more: database or disk is full
     0.001 n1   leaves the group and joins again
     0.006 n3   | view 2: n2, n3
     0.906 n3   | view 3: n2, n3
     3.001 n1   | warning: waiting: this node's store failed
    10.000 --   > kill clusterd n1
    10.000 --   > start clusterd n1
    10.000 n1   clusterd starts
    10.000 --   > wait settle
    10.005 n3   | view 4: n2, n3
    10.047 n2   | view 5: n1, n2, n3
    10.102 n1   QEMU of vm0 is found
    10.104 n2   | node n1: volume d0 offline
    10.154 n1   | node n1: volume d0 online
