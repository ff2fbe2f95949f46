# A VM whose preferred node was lost goes back to it, live, when the node has been steady for the hold; not before.
fence all
up
prefer vm0 n1 60
run 1
power-off n1
run 20
power-on n1
run 60
run 60
wait settle
---
     0.000 --   all is well
     0.000 --   > prefer vm0 n1 60
     0.000 --   > run 1
     0.003 n1   apply: done
     0.003 n1   | definitions: 1 vm
     1.000 --   > power-off n1
     1.000 n1   power off: cut
     1.000 --   > run 20
     2.981 n3   | view 2: n2, n3
     2.983 n3   | node n1: lost: it left corosync's membership
     2.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     2.986 n2   fence agent for n1 is called
     3.486 n2   fence agent for n1: off
     3.488 n3   | node n1: fenced, it is off
     3.529 n2   releases the host id of n1 on d0
     3.531 n3   | node n1: its claims are released
     3.533 n3   | vm vm0: placed on n2
     3.567 n2   QEMU of vm0 starts
     3.644 n3   | vm vm0: runs on n2
    21.000 --   > power-on n1
    21.000 --   > run 60
    28.000 n1   booted
    28.425 n1   sanlock runs
    28.550 n1   corosync runs
    28.800 n1   clusterd starts
    29.401 n1   | vm vm0: lease being written on volume d0
    29.401 n1   | vm vm0: lease written on volume d0
    29.401 n1   | vm vm0: placed on n1
    29.401 n1   | vm vm0: runs on n1
    29.401 n1   | definitions: 1 vm
    29.405 n2   | view 3: n1, n2, n3
    29.408 n1   | node n1: back: it takes part again
    29.411 n1   | node n1: no watchdog guards its leases
    81.000 --   > run 60
    89.407 n2   | vm vm0: live migration from n2 to n1 (policy)
    89.475 n1   QEMU of vm0 waits for it
    89.552 n2   | vm vm0: memory is being sent to n1
    90.407 n2   migration of vm0 begins
    91.455 n2   QEMU of vm0 has handed its guest over
    91.458 n1   guest of vm0 continues
    91.710 n2   | vm vm0: continues on n1
    91.740 n2   QEMU of vm0 ends: killed
    91.770 n2   | vm vm0: moved to n1
   141.000 --   > wait settle
