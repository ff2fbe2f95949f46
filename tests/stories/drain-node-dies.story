# Power is lost in the middle of a drain. What had not left is started anew elsewhere; the node is in maintenance when it is
# back, and gets nothing until that ends.
vms 6
fence all
up
node drain n2
run 1
power-off n2
run 20
power-on n2
wait settle
node undrain n2 stay
wait settle
---
     0.000 --   all is well
     0.000 --   > node drain n2
     0.000 --   > run 1
     0.003 n1   drain n2: done
     0.003 n1   | node n2: to be emptied for maintenance
     0.005 n1   | vm vm1: live migration from n2 to n1 (drain)
     0.007 n1   | vm vm4: live migration from n2 to n3 (drain)
     0.073 n1   QEMU of vm1 waits for it
     0.075 n3   QEMU of vm4 waits for it
     0.150 n1   | vm vm1: memory is being sent to n1
     0.152 n1   | vm vm4: memory is being sent to n3
     1.000 --   > power-off n2
     1.000 n2   power off: cut
     1.000 --   > run 20
     2.981 n3   | view 2: n1, n3
     2.983 n3   | node n2: lost: it left corosync's membership
     2.987 n3   | node n2: being fenced by n1 with fence_sim: its power must be proved off before its VMs may start elsewhere
     2.988 n1   fence agent for n2 is called
     3.014 n3   QEMU of vm4 ends: killed
     3.014 n1   QEMU of vm1 ends: killed
     3.488 n1   fence agent for n2: off
     3.490 n3   | node n2: fenced, it is off
     3.530 n1   releases the host id of n2 on d0
     3.532 n3   | node n2: its claims are released
     3.535 n3   | vm vm1: placed on n1; vm vm4: placed on n3
     3.568 n3   QEMU of vm4 starts
     3.569 n1   QEMU of vm1 starts
     3.646 n3   | vm vm4: runs on n3
     3.647 n3   | vm vm1: runs on n1
    21.000 --   > power-on n2
    21.000 --   > wait settle
    28.000 n2   booted
    28.425 n2   sanlock runs
    28.550 n2   corosync runs
    28.800 n2   clusterd starts
    29.405 n2   | view 3: n1, n2, n3
    29.408 n1   | node n2: back: it takes part again
    29.410 n1   | node n2: no watchdog guards its leases
    29.413 n2   | node n2: drained
    29.500 --   > node undrain n2 stay
    29.500 --   > wait settle
    29.502 n2   | node n2: maintenance is over
    29.503 n1   drain n2: done
