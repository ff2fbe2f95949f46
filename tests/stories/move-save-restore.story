# Saved, and restored later: its guest does not start anew.
up
vm save vm0
run 5
vm start vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm save vm0
     0.000 --   > run 5
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be saved
     0.005 n1   | vm vm0: being saved on n1
     0.005 n1   saving of vm0 begins
     1.038 n1   state of vm0 is saved
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     5.000 --   > vm start vm0
     5.000 --   > wait settle
     5.003 n1   want vm0: done
     5.003 n1   | vm vm0: wanted running
     5.005 n1   | vm vm0: placed on n1
     5.039 n1   QEMU of vm0 restores it
     7.141 n1   | vm vm0: continues from its saved state on n1
     7.143 n1   guest of vm0 continues
     7.145 n1   | vm vm0: runs on n1
