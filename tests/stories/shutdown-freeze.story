# With the policy freeze VMs wait for their host also when it was switched off; who wants one elsewhere
# says so.
shutdown freeze
vms 3
up
shut-down n1
run 1200
vm start vm0
run 30
power-on n1
wait settle
---
     0.000 --   all is well
     0.000 --   > shut-down n1
     0.000 n1   the host shuts down
     0.000 --   > run 1200
     0.002 n1   | node n1: going down
     2.130 n1   QEMU of vm0 ends: the guest shut down
     2.145 n1   | vm vm0: stopped on n1: its host shuts down
     2.148 n1   | node n1: leaves
     2.149 n1   clusterd ends
     2.149 n1   power off: shut down
     4.130 n3   | view 2: n2, n3
  1200.000 --   > vm start vm0
  1200.000 --   > run 30
  1200.002 n3   | vm vm0: wanted running
  1200.003 n2   want vm0: done
  1200.005 n3   | vm vm0: placed on n2
  1200.039 n2   QEMU of vm0 starts
  1200.116 n3   | vm vm0: runs on n2
  1230.000 --   > power-on n1
  1230.000 --   > wait settle
  1237.000 n1   booted
  1237.425 n1   sanlock runs
  1237.550 n1   corosync runs
  1237.800 n1   clusterd starts
  1238.401 n1   | view 2: n2, n3
  1238.405 n2   | view 3: n1, n2, n3
  1238.407 n2   | node n1: back: it takes part again
  1238.411 n2   | node n1: no watchdog guards its leases
