# A host that does not come back from its reboot is not waited for for ever.
vms 1
up
reboot n1
run 960
---
     0.000 --   all is well
     0.000 --   > reboot n1
     0.000 n1   the host reboots
     0.000 --   > run 960
     0.002 n1   | node n1: going down for a reboot
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.145 n1   | vm vm0: stopped on n1: its host shuts down
     2.148 n1   | node n1: leaves
     2.149 n1   clusterd ends
     2.149 n1   power off: shut down
     4.130 n3   | view 2: n2, n3
   902.147 n3   | vm vm0: placed on n2
   902.181 n2   QEMU of vm0 starts
   902.258 n3   | vm vm0: runs on n2
