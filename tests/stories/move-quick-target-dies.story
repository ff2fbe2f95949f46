# The target dies while it restores: the state was not continued from, so another node restores it.
fence all
watchdog all
up
vm quick vm0 to n2
wait stage vm0 restore
run 1
power-off n2
run 15
power-on n2
wait settle
---
     0.000 --   all is well
     0.000 --   > vm quick vm0 to n2
     0.000 --   > wait stage vm0 restore
     0.003 n1   move vm0: done
     0.003 n1   | vm vm0: to be moved to n2 (quick)
     0.005 n1   | vm vm0: quick migration from n1 to n2
     0.005 n1   saving of vm0 begins
     1.038 n1   state of vm0 is saved
     1.068 n1   QEMU of vm0 ends: killed
     1.084 n1   | vm vm0: saved on n1
     1.084 --   > run 1
     1.117 n2   QEMU of vm0 restores it
     2.084 --   > power-off n2
     2.084 n2   power off: cut
     2.084 --   > run 15
     4.065 n3   | view 2: n1, n3
     4.068 n3   | node n2: lost: it left corosync's membership
     4.072 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
     4.072 n1   fence agent for n2 is called
     4.572 n1   fence agent for n2: off
     4.574 n3   | node n2: fenced, it is off
     4.615 n1   releases the host id of n2 on d0
     4.617 n3   | node n2: its claims are released
     4.620 n1   | vm vm0: placed on n1
     4.653 n1   QEMU of vm0 restores it
     6.755 n3   | vm vm0: continues from its saved state on n1
     6.757 n1   guest of vm0 continues
     6.760 n1   | vm vm0: runs on n1
    17.084 --   > power-on n2
    17.084 --   > wait settle
    24.084 n2   booted
    24.509 n2   sanlock runs
    24.634 n2   corosync runs
    24.884 n2   clusterd starts
    25.490 n2   | view 3: n1, n2, n3
    25.492 n1   | node n2: back: it takes part again
    25.495 n1   | node n2: guarded by a watchdog
