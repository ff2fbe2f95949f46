# A node's power is cut: its fence device proves it off, its claims are released, and its VMs run elsewhere at once.
fence all
vms 2
up
power-off n1
run 10
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > power-off n1
     0.000 n1   power off: cut
     0.000 --   > run 10
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     1.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.986 n2   fence agent for n1 is called
     2.486 n2   fence agent for n1: off
     2.488 n3   | node n1: fenced, it is off
     2.529 n2   releases the host id of n1 on d0
     2.531 n3   | node n1: its claims are released
     2.533 n3   | vm vm0: placed on n3
     2.567 n3   QEMU of vm0 starts
     2.644 n3   | vm vm0: runs on n3
    10.000 --   > power-on n1
    10.000 --   > wait settle
    17.000 n1   booted
    17.425 n1   sanlock runs
    17.550 n1   corosync runs
    17.800 n1   clusterd starts
    18.401 n1   | vm vm0: lease being written on volume d0
    18.401 n1   | vm vm1: lease being written on volume d0
    18.401 n1   | vm vm0: lease written on volume d0
    18.401 n1   | vm vm1: lease written on volume d0
    18.401 n1   | vm vm0: placed on n1
    18.401 n1   | vm vm1: placed on n2
    18.401 n1   | vm vm0: runs on n1
    18.401 n1   | vm vm1: runs on n2
    18.405 n2   | view 3: n1, n2, n3
    18.408 n1   | node n1: back: it takes part again
    18.411 n1   | node n1: no watchdog guards its leases
