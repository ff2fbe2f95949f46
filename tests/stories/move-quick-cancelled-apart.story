# A quick move that is cancelled too late does not begin again on its source beside a VM that a rule keeps it apart from
# since: to go back there is a start like any other.
nodes 3
vms 4
up
vm quick vm0 to n2
wait stage vm0 save
run 0.5
rule apart vm0 vm3
run 0.532
vm cancel vm0
wait settle
---
     0.000 --   all is well
     0.000 --   > vm quick vm0 to n2
     0.000 --   > wait stage vm0 save
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (quick)
     0.005 n1   | vm vm0: quick migration from n1 to n2
     0.005 n1   saving of vm0 begins
     0.006 --   > run 0.5
     0.506 --   > rule apart vm0 vm3
     0.506 --   > run 0.532
     0.509 n1   apply: done
     0.509 n1   | definitions: 1 rule
     1.038 --   > vm cancel vm0
     1.038 --   > wait settle
     1.038 n1   state of vm0 is saved
     1.041 n1   cancel vm0: done
     1.041 n1   | vm vm0: its move is cancelled
     1.043 n1   | vm vm0: to be placed anew: rule apart-vm0: one that it is kept apart from is on n1
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     1.086 n1   | vm vm0: placed on n2
     1.120 n2   QEMU of vm0 restores it
     3.222 n1   | vm vm0: continues from its saved state on n2
     3.224 n2   guest of vm0 continues
     3.226 n1   | vm vm0: runs on n2
