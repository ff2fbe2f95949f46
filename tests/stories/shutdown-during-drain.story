# A drain goes on to its end before its host goes down, whatever the policy is.
shutdown freeze
vms 4
up
node drain n1
run 0.5
reboot n1
run 60
power-on n1
wait settle
node undrain n1
wait settle
---
     0.000 --   all is well
     0.000 --   > node drain n1
     0.000 --   > run 0.5
     0.003 n1   drain n1: done
     0.003 n1   | node n1: to be emptied for maintenance
     0.005 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.007 n1   | vm vm3: live migration from n1 to n3 (drain)
     0.073 n2   QEMU of vm0 waits for it
     0.075 n3   QEMU of vm3 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     0.152 n1   | vm vm3: memory is being sent to n3
     0.500 --   > reboot n1
     0.500 n1   the host reboots
     0.500 --   > run 60
     0.502 n1   | node n1: going down for a reboot
     1.005 n1   migration of vm0 begins
     1.007 n1   migration of vm3 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.055 n1   QEMU of vm3 has handed its guest over
     2.056 n2   guest of vm0 continues
     2.057 n3   guest of vm3 continues
     2.308 n1   | vm vm0: continues on n2
     2.310 n1   | vm vm3: continues on n3
     2.338 n1   QEMU of vm0 ends: killed
     2.340 n1   QEMU of vm3 ends: killed
     2.357 n1   | node n1: leaves
     2.358 n1   clusterd ends
     2.358 n1   power off: shut down
     2.364 n3   | node n1: drained
     4.340 n3   | vm vm0: moved to n2
     4.340 n3   | view 2: n2, n3
     4.342 n3   | vm vm3: moved to n3
    60.500 --   > power-on n1
    60.500 --   > wait settle
    67.500 n1   booted
    67.925 n1   sanlock runs
    68.050 n1   corosync runs
    68.300 n1   clusterd starts
    68.905 n2   | view 3: n1, n2, n3
    68.908 n1   | node n1: back: it takes part again
    68.911 n1   | node n1: no watchdog guards its leases
    69.000 --   > node undrain n1
    69.000 --   > wait settle
    69.002 n2   | node n1: maintenance is over; its VMs come back
    69.003 n1   drain n1: done
