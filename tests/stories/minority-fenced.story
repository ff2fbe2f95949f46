# A minority with a fence device is fenced by the majority before its VM starts there.
fence all
up
cut n1 n2,n3
run 10
heal
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > cut n1 n2,n3
     0.000 --   > run 10
     1.981 n3   | view 2: n2, n3
     1.983 n3   | node n1: lost: it left corosync's membership
     1.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
     1.986 n2   fence agent for n1 is called
     2.486 n1   power off: fenced
     2.486 n2   fence agent for n1: off
     2.488 n3   | node n1: fenced, it is off
     2.529 n2   releases the host id of n1 on d0
     2.531 n3   | node n1: its claims are released
     2.533 n3   | vm vm0: placed on n2
     2.567 n2   QEMU of vm0 starts
     2.644 n3   | vm vm0: runs on n2
    10.000 --   > heal
    10.000 --   > power-on n1
    10.000 --   > wait settle
    17.000 n1   booted
    17.425 n1   sanlock runs
    17.550 n1   corosync runs
    17.800 n1   clusterd starts
    18.401 n1   | vm vm0: lease being written on volume d0
    18.401 n1   | vm vm0: lease written on volume d0
    18.401 n1   | vm vm0: placed on n1
    18.401 n1   | vm vm0: runs on n1
    18.405 n2   | view 3: n1, n2, n3
    18.408 n1   | node n1: back: it takes part again
    18.411 n1   | node n1: no watchdog guards its leases
