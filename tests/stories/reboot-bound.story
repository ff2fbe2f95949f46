# A host that reboots keeps its VMs: they wait for it, and nobody else starts them; a host that is
# switched off gives them away.
vms 2
up
reboot n1
run 60
power-on n1
wait settle
shut-down n1
run 60
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > reboot n1
     0.000 n1   the host reboots
     0.000 --   > run 60
     0.002 n1   | node n1: going down for a reboot
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.145 n1   | vm vm0: stopped on n1: its host shuts down
     2.148 n1   | node n1: leaves
     2.149 n1   clusterd ends
     2.149 n1   power off: shut down
     4.130 n3   | view 2: n2, n3
    60.000 --   > power-on n1
    60.000 --   > wait settle
    67.000 n1   booted
    67.425 n1   sanlock runs
    67.550 n1   corosync runs
    67.800 n1   clusterd starts
    68.401 n1   | vm vm0: stopped on n1: its host shuts down
    68.401 n1   | node n1: leaves
    68.405 n2   | view 3: n1, n2, n3
    68.408 n1   | node n1: back: it takes part again
    68.411 n1   | node n1: no watchdog guards its leases
    71.458 n1   | vm vm0: placed on n1
    71.491 n1   QEMU of vm0 starts
    71.569 n1   | vm vm0: runs on n1
    71.750 --   > shut-down n1
    71.750 n1   the host shuts down
    71.750 --   > run 60
    71.752 n2   | node n1: going down
    73.880 n1   QEMU of vm0 ends: the guest shut down
    73.895 n1   | vm vm0: stopped on n1: its host shuts down
    73.898 n1   | node n1: leaves
    73.899 n1   clusterd ends
    73.899 n1   power off: shut down
    73.899 n2   | vm vm0: placed on n3
    73.933 n3   QEMU of vm0 starts
    75.880 n3   | view 4: n2, n3
    75.882 n3   | vm vm0: runs on n3
   131.750 --   > power-on n1
   131.750 --   > wait settle
   138.750 n1   booted
   139.175 n1   sanlock runs
   139.300 n1   corosync runs
   139.550 n1   clusterd starts
   140.151 n1   | vm vm0: stopped on n1: its host shuts down
   140.151 n1   | node n1: leaves
   140.155 n2   | view 5: n1, n2, n3
   140.158 n1   | node n1: back: it takes part again
   140.161 n1   | node n1: no watchdog guards its leases
