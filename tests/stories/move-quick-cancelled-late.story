# A quick move that is cancelled too late begins again on its source, and is stopped there: it ends.
up
vm quick vm0 to n2
wait stage vm0 save
run 1.032
vm cancel vm0
wait stage vm0 restore
run 0.06
vm stop vm0
run 120
wait settle
---
     0.000 --   all is well
     0.000 --   > vm quick vm0 to n2
     0.000 --   > wait stage vm0 save
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (quick)
     0.005 n1   | vm vm0: quick migration from n1 to n2
     0.005 n1   saving of vm0 begins
     0.006 --   > run 1.032
     1.038 --   > vm cancel vm0
     1.038 --   > wait stage vm0 restore
     1.038 n1   state of vm0 is saved
     1.041 n1   cancel vm0: done
     1.041 n1   | vm vm0: its move is cancelled
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     1.084 --   > run 0.06
     1.117 n1   QEMU of vm0 restores it
     1.144 --   > vm stop vm0
     1.144 --   > run 120
     1.147 n1   want vm0: done
     1.147 n1   | vm vm0: wanted stopped
     1.178 n1   QEMU of vm0 ends: killed
     1.193 n1   | vm vm0: could not be started on n1: it is wanted stopped
   121.144 --   > wait settle
