# With the policy migrate VMs leave a host that goes down, and come back with it.
shutdown migrate
vms 3
up
reboot n1
run 60
power-on n1
wait settle
run 30
---
     0.000 --   all is well
     0.000 --   > reboot n1
     0.000 n1   the host reboots
     0.000 --   > run 60
     0.002 n1   | node n1: going down for a reboot
     0.005 n1   | vm vm0: live migration from n1 to n2 (drain)
     0.072 n2   QEMU of vm0 waits for it
     0.150 n1   | vm vm0: memory is being sent to n2
     1.005 n1   migration of vm0 begins
     2.053 n1   QEMU of vm0 has handed its guest over
     2.055 n2   guest of vm0 continues
     2.307 n1   | vm vm0: continues on n2
     2.338 n1   QEMU of vm0 ends: killed
     2.355 n1   | node n1: leaves
     2.356 n1   clusterd ends
     2.356 n1   power off: shut down
     4.337 n3   | vm vm0: moved to n2
     4.337 n3   | view 2: n2, n3
    60.000 --   > power-on n1
    60.000 --   > wait settle
    67.000 n1   booted
    67.425 n1   sanlock runs
    67.550 n1   corosync runs
    67.800 n1   clusterd starts
    68.405 n2   | view 3: n1, n2, n3
    68.408 n1   | node n1: back: it takes part again
    68.411 n1   | node n1: no watchdog guards its leases
    68.500 --   > run 30
    71.457 n2   | vm vm0: live migration from n2 to n1 (return)
    71.525 n1   QEMU of vm0 waits for it
    71.602 n2   | vm vm0: memory is being sent to n1
    72.457 n2   migration of vm0 begins
    73.505 n2   QEMU of vm0 has handed its guest over
    73.508 n1   guest of vm0 continues
    73.760 n2   | vm vm0: continues on n1
    73.790 n2   QEMU of vm0 ends: killed
    73.820 n2   | vm vm0: moved to n1
