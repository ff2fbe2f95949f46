# A quick move: saved to the volume, restored on the target.
up
vm quick vm0 to n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm quick vm0 to n2
     0.000 --   > wait settle
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (quick)
     0.005 n1   | vm vm0: quick migration from n1 to n2
     0.005 n1   saving of vm0 begins
     1.038 n1   state of vm0 is saved
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     1.117 n2   QEMU of vm0 restores it
     3.220 n1   | vm vm0: continues from its saved state on n2
     3.222 n2   guest of vm0 continues
     3.224 n1   | vm vm0: runs on n2
