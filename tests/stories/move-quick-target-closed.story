# While a guest is being saved its target goes into maintenance: what was saved is restored elsewhere.
nodes 3
up
vm quick vm0 to n2
wait stage vm0 save
node drain n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm quick vm0 to n2
     0.000 --   > wait stage vm0 save
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (quick)
     0.005 n1   | vm vm0: quick migration from n1 to n2
     0.005 n1   saving of vm0 begins
     0.006 --   > node drain n2
     0.006 --   > wait settle
     0.009 n1   drain n2: done
     0.009 n1   | node n2: to be emptied for maintenance
     0.011 n1   | vm vm0: to be placed anew: n2 is in maintenance
     0.013 n3   | node n2: drained
     1.038 n1   state of vm0 is saved
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     1.086 n1   | vm vm0: placed on n1
     1.120 n1   QEMU of vm0 restores it
     3.222 n1   | vm vm0: continues from its saved state on n1
     3.224 n1   guest of vm0 continues
     3.226 n1   | vm vm0: runs on n1
