# Its daemon dies when the state is complete and QEMU has ended, before it told of it: the next one finds a note of it.
up
vm save vm0
run 1.075
kill clusterd n1
run 1
start clusterd n1
run 10
vm start vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm save vm0
     0.000 --   > run 1.075
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be saved
     0.005 n1   | vm vm0: being saved on n1
     0.005 n1   saving of vm0 begins
     1.038 n1   state of vm0 is saved
     1.068 n1   QEMU of vm0 ends: killed
     1.075 --   > kill clusterd n1
     1.075 --   > run 1
     1.080 n3   | view 2: n2, n3
     2.075 --   > start clusterd n1
     2.075 n1   clusterd starts
     2.075 --   > run 10
     2.122 n2   | view 3: n1, n2, n3
     2.179 n2   | vm vm0: saved on n1
     2.181 n2   | node n1: volume d0 offline
     2.229 n1   | node n1: volume d0 online
    12.075 --   > vm start vm0
    12.075 --   > wait settle
    12.077 n2   | vm vm0: wanted running
    12.078 n1   want vm0: done
    12.080 n1   | vm vm0: placed on n1
    12.114 n1   QEMU of vm0 restores it
    14.216 n2   | vm vm0: continues from its saved state on n1
    14.218 n1   guest of vm0 continues
    14.220 n1   | vm vm0: runs on n1
