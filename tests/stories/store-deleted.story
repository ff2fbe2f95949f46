# A node's store is deleted: it is a learner that counts in no majority until an entry readmits it.
up
kill clusterd n2
store delete n2
start clusterd n2
wait settle
---
     0.000 --   all is well
     0.000 --   > kill clusterd n2
     0.000 --   > store delete n2
     0.000 n2   store is deleted
     0.000 --   > start clusterd n2
     0.000 n2   clusterd starts
     0.000 --   > wait settle
     0.005 n3   | view 2: n1, n3
     0.047 n3   | view 3: n1, n2, n3
     0.050 n3   | voters: n1, n2, n3
     0.105 n2   | node n2: volume d0 offline
     0.154 n1   | node n2: volume d0 online
