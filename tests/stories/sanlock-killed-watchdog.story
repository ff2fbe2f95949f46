# sanlock dies under a watchdog that it fed: the host resets within a minute, and the VMs run elsewhere meanwhile.
watchdog all
fence all
up
kill sanlock n1
run 1
start sanlock n1
run 90
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > kill sanlock n1
     0.000 n1   sanlock is killed
     0.000 --   > run 1
     0.025 n1   | warning: sanlock is gone: the leases of this host count for nothing, so its VMs are ended
     0.056 n1   QEMU of vm0 ends: killed
     0.071 n1   | vm vm0: stopped on n1: sanlock died on its host, and its lease with it
     1.000 --   > start sanlock n1
     1.000 --   > run 90
     1.425 n1   sanlock runs
     7.663 n1   | vm vm0: placed on n1
     7.696 n1   QEMU of vm0 starts
     7.774 n1   | vm vm0: runs on n1
    55.000 n1   power off: watchdog
    56.981 n3   | view 2: n2, n3
    56.983 n3   | node n1: lost: it left corosync's membership
    56.986 n3   | node n1: being fenced by n2 with fence_sim: its power must be proved off before its VMs may start elsewhere
    56.986 n2   fence agent for n1 is called
    57.486 n1   power off: fenced
    57.486 n2   fence agent for n1: off
    57.488 n3   | node n1: fenced, it is off
    57.529 n2   releases the host id of n1 on d0
    57.531 n3   | node n1: its claims are released
    57.533 n3   | vm vm0: placed on n2
    57.567 n2   QEMU of vm0 starts
    57.644 n3   | vm vm0: runs on n2
    91.000 --   > power-on n1
    91.000 --   > wait settle
    98.000 n1   booted
    98.425 n1   sanlock runs
    98.550 n1   corosync runs
    98.800 n1   clusterd starts
    99.405 n2   | view 3: n1, n2, n3
    99.408 n1   | node n1: back: it takes part again
    99.411 n1   | node n1: guarded by a watchdog
